//! A kind of device, as its `profile.toml` says it. Apart, because the binary builds its devices from profiles and the
//! dialogue player builds its own from the head of a dialogue.

use crate::{
    accounts::AccountsSettings,
    certificate::CertificateSettings,
    conversation::{Protocol, Service, Transport},
    device::Device,
    event::Carrier,
    files::{FilesSettings, Folder},
    identity::{Grammar, Identity},
    pages::Pages,
    plant::{Image, Plant, Program, Sizes, TagSettings},
    settings::{Period, Problem, Problems, Scan, Settings},
    tls::TlsSettings,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use toml::Spanned;

/// The `[profile]` table: what the decoy pretends to be, for the people who choose it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Vendor, family and model.
    pub title: String,
    /// What such a device does in a plant, and what of it is known from where.
    #[serde(default)]
    pub summary: String,
}

/// The `listen` table of a service: how it is reached.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Listen {
    /// The port, if the device does not use the standard one.
    pub port: Option<u16>,
    /// A port at which TLS begins at once, besides. It needs a `[certificate]`.
    #[schemars(with = "Option<u16>")]
    pub tls: Option<Spanned<u16>>,
    /// Whether it is reached over TLS only.
    #[schemars(with = "Option<bool>")]
    pub tls_only: Option<Spanned<bool>>,
    /// How many connections the device takes at once; when it has as many, the one that was idle longest gives way
    /// (MODBUS Messaging on TCP/IP Implementation Guide V1.0b §4.3.1 describes this habit).
    pub connections: Option<usize>,
    /// After which silence the device closes a connection; without it, the site's limit counts.
    pub idle: Option<Period>,
}

impl Listen {
    /// Where the device offers a protocol that others have at `standard`. What is wrong with it is at the dotted key `key`.
    fn transports(
        &self,
        key: &str,
        standard: &[Transport],
        certified: bool,
        problems: &mut Problems,
    ) -> Vec<Transport> {
        let stream = |transport: &&Transport| transport.carrier() == Carrier::Tcp;
        let only = self.tls_only.as_ref().filter(|only| *only.get_ref());
        let mut transports: Vec<Transport> = standard
            .iter()
            .filter(|transport| only.is_none() || !stream(transport))
            .map(|transport| self.port.map_or(*transport, |port| transport.at(port)))
            .collect();
        let Some(tls) = &self.tls else {
            problems.extend(only.map(|only| {
                let problem = Problem::new(format!("{key}.tls-only"), "there is no port for TLS").at(only.span());
                problem.hint("write one, such as tls = 443")
            }));
            return transports;
        };
        let mut wrong = |why: &str, hint: &str| {
            problems.push(Problem::new(format!("{key}.tls"), why).at(tls.span()).hint(hint));
        };
        if !certified {
            wrong("the device has no certificate, without which there is no TLS", "add the table [certificate]");
        }
        if !standard.iter().any(|transport| stream(&transport)) {
            wrong("the protocol is not spoken over TCP", "leave it out");
        }
        let transport = Transport::Tls(*tls.get_ref());
        if transports.iter().any(|other| stream(&other) && other.port() == transport.port()) {
            wrong("without TLS it is reached at the same port", "choose another port, or write tls-only = true");
        }
        transports.push(transport);
        transports
    }
}

/// The `[cpu]` table: how the device runs its program.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CpuSettings {
    /// How often the program runs.
    pub scan: Scan,
    /// How long the device takes to restart; it answers nothing meanwhile.
    pub restart: Period,
    /// After how long in STOP, or stopped by a fault, somebody who looks after the plant lets the CPU run again. Nobody
    /// does without it.
    pub attended: Option<Period>,
    /// The file of the program, beside this one. A profile without `program.st` has no program.
    pub program: String,
}

impl Default for CpuSettings {
    fn default() -> Self {
        let (scan, restart) = (Scan(Duration::from_millis(100)), Period(Duration::from_secs(20)));
        Self { scan, restart, attended: None, program: "program.st".to_owned() }
    }
}

/// The `[tags]` table, by name.
pub type TagTable = BTreeMap<Spanned<String>, TagSettings>;

/// Adds the tags of a table to `plant`, as they were drawn for `identity`.
pub fn furnish(plant: &mut Plant, key: &str, tags: &TagTable, identity: &Identity, seed: u64) -> Problems {
    let mut problems = Problems::new();
    for (tag, settings) in tags {
        let mut settings = settings.clone();
        let added = settings.settle(identity).and_then(|()| plant.add(tag.get_ref(), &settings, seed));
        if let Err(why) = added {
            let span = settings.at.as_ref().map_or_else(|| tag.span(), Spanned::span);
            problems.push(Problem::new(format!("{key}.{}", tag.get_ref()), why).at(span));
            // It is there all the same, lest every view on it is told to be wrong, too.
            (settings.at, settings.value) = (None, None);
            let _ = plant.add(tag.get_ref(), &settings, seed);
        }
    }
    problems
}

/// The tables that are no protocol.
const TABLES: &[&str] = &["profile", "identity", "cpu", "certificate", "tls", "image", "tags", "files", "accounts"];

/// A profile that was read.
#[derive(Clone)]
pub struct Profile<'a> {
    /// What it pretends to be.
    pub about: About,
    /// What is drawn per device.
    pub identity: Grammar,
    /// How it runs its program.
    pub cpu: CpuSettings,
    /// What it shows over TLS, if it can.
    pub certificate: Option<CertificateSettings>,
    /// How it speaks TLS.
    pub tls: TlsSettings,
    sizes: Sizes,
    tags: TagTable,
    files: FilesSettings,
    folder: Arc<Folder>,
    pages: Arc<Pages>,
    accounts: AccountsSettings,
    services: Vec<(&'static dyn Protocol, Settings<'a>)>,
}

/// A service of a device, and how it is reached.
pub struct Endpoint {
    /// The protocol's name.
    pub protocol: &'static str,
    /// The carrier and the port.
    pub transport: Transport,
    /// How many connections the device takes at once, if it is known.
    pub connections: Option<usize>,
    /// After which silence it closes a connection, if it is known.
    pub idle: Option<Duration>,
    /// What answers.
    pub service: Arc<dyn Service>,
}

impl<'a> Profile<'a> {
    /// Reads the text of a `profile.toml` whose services are among `protocols`. All mistakes are told at once.
    pub fn parse(text: &'a str, protocols: &[&'static dyn Protocol]) -> Result<Self, Problems> {
        let mut profile = Self {
            about: About::default(),
            identity: Grammar::default(),
            cpu: CpuSettings::default(),
            certificate: None,
            tls: TlsSettings::default(),
            sizes: Sizes::default(),
            tags: BTreeMap::new(),
            files: FilesSettings::default(),
            folder: Arc::default(),
            pages: Arc::default(),
            accounts: AccountsSettings::default(),
            services: Vec::new(),
        };
        let (mut problems, mut tls) = (Problems::new(), None);
        for (name, span, settings) in Settings::parse(text)?.into_entries() {
            match name.as_str() {
                "profile" => settings.read_into(&mut profile.about, &mut problems),
                "identity" => settings.read_into(&mut profile.identity, &mut problems),
                "cpu" => settings.read_into(&mut profile.cpu, &mut problems),
                "certificate" => match settings.read() {
                    Ok(certificate) => profile.certificate = Some(certificate),
                    Err(problem) => problems.push(problem),
                },
                "tls" => {
                    settings.read_into(&mut profile.tls, &mut problems);
                    tls = Some(span);
                }
                "image" => settings.read_into(&mut profile.sizes, &mut problems),
                "tags" => settings.read_into(&mut profile.tags, &mut problems),
                "files" => settings.read_into(&mut profile.files, &mut problems),
                "accounts" => settings.read_into(&mut profile.accounts, &mut problems),
                _ => match protocols.iter().find(|protocol| protocol.name() == name) {
                    Some(protocol) => profile.services.push((*protocol, settings)),
                    None => {
                        let known = TABLES.iter().copied();
                        let known = known.chain(protocols.iter().map(|protocol| protocol.name()));
                        problems.push(Problem::unknown(&name, "protocol or table", &name, known).at(span));
                    }
                },
            }
        }
        if let (Some(span), None) = (tls, &profile.certificate) {
            let problem = Problem::new("tls", "the device has no certificate, without which there is no TLS").at(span);
            problems.push(problem.hint("add the table [certificate]"));
        }
        if problems.is_empty() { Ok(profile) } else { Err(problems) }
    }

    /// The same, with what lies in its folder `files/`.
    pub fn with_folder(mut self, folder: Folder) -> Self {
        self.folder = Arc::new(folder);
        self
    }

    /// The same, with what lies in its folder `www/`.
    pub fn with_pages(mut self, pages: Folder) -> Self {
        self.pages = Arc::new(pages.into());
        self
    }

    /// The memory of a device of this kind, without what its program declares. All that is wrong with it is in the second.
    pub fn plant(&self, identity: &Identity, seed: u64) -> (Plant, Problems) {
        let mut problems = Problems::new();
        let image = Image::new(&self.sizes).unwrap_or_else(|(key, why)| {
            problems.push(Problem::new(format!("image.{key}"), why));
            Image::default()
        });
        let mut plant = Plant::new(image);
        problems.extend(furnish(&mut plant, "tags", &self.tags, identity, seed));
        (plant, problems)
    }

    /// A device of this kind, with its services. `identity` is what was drawn for it, what its site shares included;
    /// `program` is what its CPU runs, compiled for [`Profile::plant`].
    pub fn device(
        &self,
        name: &str,
        kind: &str,
        identity: Identity,
        seed: u64,
        program: Option<&dyn Program>,
    ) -> Result<(Arc<Device>, Vec<Endpoint>), Problems> {
        let (mut plant, mut problems) = self.plant(&identity, seed);
        if let Some(program) = program {
            program.declare(&mut plant);
        }
        let services: Vec<&str> = self.services().collect();
        let (accounts, more) = self.accounts.build(&self.files, &identity, &services);
        problems.extend(more);
        let (files, more) = self.files.build(&self.folder, &identity, seed, accounts.users());
        problems.extend(more);
        let mut device = Device::new(name, kind, identity, plant)
            .with_cpu(self.cpu.scan.0, self.cpu.restart.0)
            .with_attendance(self.cpu.attended.map(|period| period.0))
            .with_files(files)
            .with_pages(self.pages.clone())
            .with_accounts(accounts);
        if let Some(program) = program {
            device = device.with_program(program.start(seed));
        }
        if let Some(certificate) = &self.certificate {
            problems.extend(certificate.draw(device.identity()).err().into_iter().flatten());
            problems.extend(self.tls.resolve(certificate.key()).err().into_iter().flatten());
            device = device.with_certificate();
        }
        let device = Arc::new(device);
        let mut endpoints = Vec::new();
        for (protocol, settings) in &self.services {
            let mut settings = settings.clone();
            let (mut listen, key) = (Listen::default(), settings.key_of("listen"));
            if let Some(table) = settings.split_off("listen") {
                table.read_into(&mut listen, &mut problems);
            }
            let transports = listen.transports(&key, protocol.transports(), device.is_certified(), &mut problems);
            match protocol.build(&settings, &device) {
                Ok(service) => endpoints.extend(transports.into_iter().map(|transport| Endpoint {
                    protocol: protocol.name(),
                    transport,
                    connections: listen.connections,
                    idle: listen.idle.map(|period| period.0),
                    service: service.clone(),
                })),
                Err(more) => problems.extend(more),
            }
        }
        device.traffic().offer(endpoints.iter().map(|endpoint| endpoint.transport).collect());
        if problems.is_empty() { Ok((device, endpoints)) } else { Err(problems) }
    }

    /// The names of the protocols that it speaks.
    pub fn services(&self) -> impl Iterator<Item = &'static str> {
        self.services.iter().map(|(protocol, _)| protocol.name())
    }

    /// The JSON Schema of a `profile.toml` whose services are among `protocols`.
    pub fn schema(protocols: &[&'static dyn Protocol]) -> Schema {
        let mut generator = SchemaGenerator::default();
        let mut schema = json_schema!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "A honeyplant profile",
            "type": "object",
            "additionalProperties": false,
            "required": ["profile"],
        });
        let mut properties = serde_json::Map::new();
        properties.insert("profile".into(), generator.subschema_for::<About>().into());
        properties.insert("identity".into(), generator.subschema_for::<Grammar>().into());
        properties.insert("cpu".into(), generator.subschema_for::<CpuSettings>().into());
        properties.insert("certificate".into(), generator.subschema_for::<CertificateSettings>().into());
        properties.insert("tls".into(), generator.subschema_for::<TlsSettings>().into());
        properties.insert("image".into(), generator.subschema_for::<Sizes>().into());
        properties.insert("tags".into(), generator.subschema_for::<BTreeMap<String, TagSettings>>().into());
        properties.insert("files".into(), generator.subschema_for::<FilesSettings>().into());
        properties.insert("accounts".into(), generator.subschema_for::<AccountsSettings>().into());
        let listen = generator.subschema_for::<Listen>();
        for protocol in protocols {
            let mut service = protocol.schema(&mut generator);
            if let Some(table) = service.get_mut("properties").and_then(|p| p.as_object_mut()) {
                table.insert("listen".into(), listen.clone().into());
            }
            properties.insert(protocol.name().into(), service.into());
        }
        schema.insert("properties".into(), properties.into());
        schema.insert("$defs".into(), generator.take_definitions(true).into());
        schema
    }
}
