//! A site: what one process runs, as its `site.toml` says it. Apart, because it alone brings profiles, devices, limits
//! and sinks together.

use crate::{
    complaint::{Failure, Source},
    library,
    plan::{DeviceSettings, Plan, plan},
    schema,
    state::State,
};
use honeyplant_core::{
    identity::Grammar,
    profile::Profile,
    settings::{Period, Problem, Problems, Settings},
};
use honeyplant_net::{Door, Limits};
use honeyplant_protocols::PROTOCOLS;
use honeyplant_record::{
    JournalSettings,
    sink::{SINKS, Sink, SinkKind, Start},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    path::{Path, PathBuf},
};

/// The site that runs when none is named.
pub(crate) const DEMO: &str = "waterworks";

/// The `[site]` table.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct About {
    /// The name that the record gives the site.
    name: String,
    /// What is added to every port. 0 is the standard ports.
    #[serde(default)]
    port_offset: u16,
    /// Addresses to listen on instead of those of the devices, such as `0.0.0.0` and `::`. The address that a peer
    /// spoke to still decides which device answers.
    #[serde(default)]
    listen: Vec<IpAddr>,
    /// Started as root, the program becomes this user once it listens, by name or number, and can never be root again.
    user: Option<String>,
}

/// The `[limits]` table: what peers may cost.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct LimitSettings {
    /// Sessions at once, over all devices. The one that was idle longest gives way.
    sessions: usize,
    /// Sessions at once from one source address.
    sessions_per_source: usize,
    /// After which silence a session ends.
    idle: Period,
    /// How long a peer may leave its answers untaken.
    stuck: Period,
    /// How long a peer may take to send one message.
    message: Period,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            sessions: limits.sessions,
            sessions_per_source: limits.sessions_per_source,
            idle: Period(limits.idle),
            stuck: Period(limits.stuck),
            message: Period(limits.message),
        }
    }
}

/// A sink that a site asks for.
pub(crate) struct Choice {
    /// Its name, under which its cursor is kept.
    pub(crate) name: String,
    /// Where it starts.
    pub(crate) start: Start,
    /// The sink itself.
    pub(crate) sink: Box<dyn Sink>,
}

/// A site that was read.
pub(crate) struct Site {
    /// The name that the record gives it.
    pub(crate) name: String,
    /// Addresses to listen on instead of those of the devices.
    pub(crate) listen: Vec<IpAddr>,
    /// What is added to every port.
    pub(crate) port_offset: u16,
    /// Whom the program becomes once it listens.
    pub(crate) user: Option<String>,
    /// What peers may cost.
    pub(crate) limits: Limits,
    /// How the journal is kept.
    pub(crate) journal: JournalSettings,
    folder: Option<PathBuf>,
    source: Source,
    identity: Grammar,
    devices: Vec<Plan>,
}

/// A device that was built, for the people who look at the site.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// Its name.
    pub(crate) name: String,
    /// What it pretends to be.
    pub(crate) title: String,
    /// Its addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// Its services: protocol and port.
    pub(crate) services: Vec<(&'static str, u16)>,
}

/// The device as `run` and `check` list it.
impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "  {}  {}", self.name, self.title)?;
        let services: Vec<String> = self.services.iter().map(|(name, port)| format!("{name} {port}")).collect();
        self.addresses.iter().try_for_each(|address| write!(f, "\n    {address}  {}", services.join(", ")))
    }
}

impl Site {
    /// Reads the site in the folder or file `path`, or the demo site.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, Failure> {
        let (source, folder) = find(path)?;
        schema::validate(&source, &Self::schema())?;
        let mut problems = Problems::new();
        let (mut about, mut limits) = (About::default(), LimitSettings::default());
        let (mut identity, mut journal) = (Grammar::default(), JournalSettings::default());
        let mut devices = Vec::<DeviceSettings>::new();
        let entries = Settings::parse(&source.text).map_err(|problems| complain(&source, &problems))?.into_entries();
        for (name, _, settings) in entries {
            match name.as_str() {
                "site" => settings.read_into(&mut about, &mut problems),
                "identity" => settings.read_into(&mut identity, &mut problems),
                "devices" => settings.read_into(&mut devices, &mut problems),
                "limits" => settings.read_into(&mut limits, &mut problems),
                "journal" => settings.read_into(&mut journal, &mut problems),
                // What else the schema allows are sinks, which are built when they are needed.
                _ => {}
            }
        }
        let devices = plan(&devices, &mut problems);
        if !problems.is_empty() {
            return Err(complain(&source, &problems));
        }
        Ok(Self {
            name: about.name,
            listen: about.listen,
            port_offset: about.port_offset,
            user: about.user,
            limits: Limits {
                sessions: limits.sessions,
                sessions_per_source: limits.sessions_per_source,
                idle: limits.idle.0,
                stuck: limits.stuck.0,
                message: limits.message.0,
            },
            journal,
            folder,
            source,
            identity,
            devices,
        })
    }

    /// Builds every device, drawing what was not drawn yet. All mistakes in all profiles are told at once.
    pub(crate) fn build(&self, state: &mut State) -> Result<(Vec<Door>, Vec<Shown>), Failure> {
        let mut failure = Failure::default();
        if let Err(why) = state.site(&self.identity) {
            failure.0.push(self.source.complain(&Problem::new("identity", why)));
        }
        let sources = self.profiles(&mut failure);
        let mut profiles = HashMap::new();
        for (name, source) in &sources {
            match Profile::parse(&source.text, PROTOCOLS) {
                Ok(profile) => drop(profiles.insert(name.as_str(), profile)),
                Err(problems) => failure.0.extend(complain(source, &problems).0),
            }
        }
        let (mut doors, mut shown) = (Vec::new(), Vec::new());
        for plan in &self.devices {
            let (Some(source), Some(profile)) = (sources.get(&plan.profile), profiles.get(plan.profile.as_str()))
            else {
                continue;
            };
            let built = state
                .device(&plan.name, &profile.identity)
                .map_err(|why| vec![Problem::new("identity", why)])
                .and_then(|identity| profile.device(&plan.name, &plan.profile, identity, state.seed_of(&plan.name)));
            let (device, endpoints) = match built {
                Ok(built) => built,
                Err(problems) => {
                    failure.0.extend(complain(source, &problems).0);
                    // Every other device of this profile would say the same.
                    profiles.remove(plan.profile.as_str());
                    continue;
                }
            };
            let mut services = Vec::new();
            for endpoint in endpoints {
                let honeyplant_core::conversation::Transport::Tcp(port) = endpoint.transport;
                let Some(port) = port.checked_add(self.port_offset) else {
                    let why = format!("port {port} of {} with the offset {} is too great", plan.name, self.port_offset);
                    failure.0.extend(Failure::new(why, "choose a smaller --port-offset").0);
                    continue;
                };
                services.push((endpoint.protocol, port));
                doors.extend(plan.addresses.iter().map(|address| Door {
                    address: *address,
                    port,
                    device: device.clone(),
                    protocol: endpoint.protocol,
                    service: endpoint.service.clone(),
                    connections: endpoint.connections,
                    idle: endpoint.idle,
                }));
            }
            let title = profile.about.title.clone();
            shown.push(Shown { name: plan.name.clone(), title, addresses: plan.addresses.clone(), services });
        }
        failure.check()?;
        Ok((doors, shown))
    }

    /// The sinks that the site asks for; the console if it asks for none. `state` is the state folder.
    pub(crate) fn sinks(&self, state: &Path) -> Result<Vec<Choice>, Failure> {
        let (mut sinks, mut problems) = (Vec::new(), Problems::new());
        let mut build = |kind: &dyn SinkKind, number: usize, mut settings: Settings<'_>| {
            let mut name = if number > 0 { format!("{}-{}", kind.name(), number + 1) } else { kind.name().to_owned() };
            if let Some(own) = settings.split_off("name") {
                own.read_into(&mut name, &mut problems);
            }
            match kind.build(&settings, state) {
                Ok(sink) => sinks.push(Choice { name, start: kind.start(), sink }),
                Err(more) => problems.extend(more),
            }
        };
        let entries = Settings::parse(&self.source.text).map_err(|problems| complain(&self.source, &problems))?;
        match entries.into_entries().find(|(name, ..)| name == "sinks") {
            Some((.., tables)) => {
                for (name, _, list) in tables.into_entries() {
                    let Some(kind) = SINKS.iter().find(|kind| kind.name() == name) else { continue };
                    list.into_items().enumerate().for_each(|(number, settings)| build(*kind, number, settings));
                }
            }
            None => {
                if let Some(kind) = SINKS.iter().find(|kind| kind.start() == Start::Now) {
                    build(*kind, 0, Settings::empty("sinks.console"));
                }
            }
        }
        if problems.is_empty() { Ok(sinks) } else { Err(complain(&self.source, &problems)) }
    }

    /// The profiles that the devices are of, each once, as far as they are valid in form.
    fn profiles(&self, failure: &mut Failure) -> BTreeMap<String, Source> {
        let (mut sources, mut seen) = (BTreeMap::new(), HashSet::new());
        let schema = Profile::schema(PROTOCOLS);
        for plan in &self.devices {
            if !seen.insert(&plan.profile) {
                continue;
            }
            match library::profile(self.folder.as_deref(), &plan.profile) {
                Ok(source) => {
                    // What is wrong in form would only be told again when it is read.
                    if failure.keep(schema::validate(&source, &schema)).is_some() {
                        sources.insert(plan.profile.clone(), source);
                    }
                }
                Err(problem) => failure.0.push(self.source.complain(&problem.at(plan.span.clone()))),
            }
        }
        sources
    }

    /// The JSON Schema of a `site.toml`.
    pub(crate) fn schema() -> Schema {
        let mut generator = SchemaGenerator::default();
        let sinks: serde_json::Map<_, _> = SINKS
            .iter()
            .map(|kind| {
                let mut schema = kind.schema(&mut generator);
                if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) {
                    let name = json_schema!({ "type": "string", "description": "Under which its cursor is kept." });
                    properties.insert("name".into(), name.into());
                }
                (kind.name().to_owned(), json_schema!({ "type": "array", "items": schema }).into())
            })
            .collect();
        let mut schema = json_schema!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "A honeyplant site",
            "type": "object",
            "additionalProperties": false,
            "required": ["site", "devices"],
            "properties": {
                "site": generator.subschema_for::<About>(),
                "identity": generator.subschema_for::<Grammar>(),
                "devices": generator.subschema_for::<Vec<DeviceSettings>>(),
                "limits": generator.subschema_for::<LimitSettings>(),
                "journal": generator.subschema_for::<JournalSettings>(),
                "sinks": { "type": "object", "additionalProperties": false, "properties": sinks },
            },
        });
        schema.insert("$defs".into(), generator.take_definitions(true).into());
        schema
    }
}

/// The text of the site in the folder or file `path` and its folder, or those of the demo site.
fn find(path: Option<&Path>) -> Result<(Source, Option<PathBuf>), Failure> {
    let Some(path) = path else {
        let source =
            library::site(DEMO).ok_or_else(|| Failure::new("the demo site is not in this binary", "name a site"))?;
        return Ok((source, None));
    };
    let file = if path.is_dir() { path.join("site.toml") } else { path.to_owned() };
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Failure::new(
            format!("cannot read the site {}: {error}", file.display()),
            format!("`honeyplant init {}` makes a site there", path.display()),
        )
    })?;
    let folder = file.parent().map(Path::to_owned);
    Ok((Source { path: file.display().to_string(), text }, folder))
}

fn complain(source: &Source, problems: &Problems) -> Failure {
    Failure(problems.iter().map(|problem| source.complain(problem)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn told(site: &str, profile: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("site.toml"), site).unwrap();
        fs::create_dir_all(folder.path().join("profiles/p")).unwrap();
        fs::write(folder.path().join("profiles/p/profile.toml"), profile).unwrap();
        let mut state = State::open(&folder.path().join("state")).unwrap();
        let built = Site::load(Some(folder.path())).and_then(|site| site.build(&mut state).map(drop));
        built.err().map(|failure| failure.to_string()).unwrap_or_default()
    }

    const GOOD: &str = "[site]\nname = 's'\n[[devices]]\nname = 'd'\nprofile = 'p'\naddresses = ['127.0.0.1']\n";
    const PROFILE: &str = "[profile]\ntitle = 't'\n[tags]\nlevel = { type = 'INT' }\n[modbus]\nunits = [{ holding-registers = [{ address = 0, tag = 'level' }] }]\n";

    #[test]
    fn the_demo_site_can_be_built() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = State::open(folder.path()).unwrap();
        let (doors, shown) = Site::load(None).unwrap().build(&mut state).unwrap();
        assert!(!doors.is_empty() && !shown.is_empty());
        assert_eq!(told(GOOD, PROFILE), "");
    }

    #[test]
    fn all_mistakes_of_form_are_told_at_once_with_place_and_hint() {
        let told = told(&GOOD.replace("name = 'd'", "nam = 'd'\nspeed = 3").replace("'127.0.0.1'", "1"), PROFILE);
        for part in ["site.toml:4:1", "there is no setting `nam`", "did you mean `name`?", "`speed`", "4 problems"] {
            assert!(told.contains(part), "{part} is not in:\n{told}");
        }
    }

    #[test]
    fn a_mistake_of_form_in_a_profile_is_told_once() {
        let told = told(GOOD, &PROFILE.replace("units", "unitz"));
        assert_eq!(told.matches("`unitz`").count(), 1, "{told}");
    }

    #[test]
    fn all_mistakes_of_meaning_are_told_at_once_with_place_and_hint() {
        let twice = GOOD.to_owned() + "[[devices]]\nname = 'e'\nprofile = 'unheard-of'\naddresses = ['127.0.0.1']\n";
        let told_of_site = told(&twice, PROFILE);
        assert!(told_of_site.contains("127.0.0.1 belongs to `d` already"), "{told_of_site}");
        let twice = twice.replace("127.0.0.1']\n[[", "127.0.0.2']\n[[");
        let told = told(&twice, &PROFILE.replace("tag = 'level'", "tag = 'levl'"));
        let misplaced = PROFILE.replace("{ type = 'INT' }", "{ type = 'INT', at = '%MW7' }");
        assert_eq!(super::tests::told(GOOD, &misplaced).matches("error:").count(), 1, "its views are not wrong");
        for part in ["there is no profile `unheard-of`", "there is: p", "profile.toml:6", "did you mean `level`?"] {
            assert!(told.contains(part), "{part} is not in:\n{told}");
        }
    }
}
