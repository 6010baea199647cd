//! From a site that was read to devices that can be spoken to. Apart, because here the site meets profiles, programs and
//! what was drawn.

use super::{DEMO, Site, complain};
use crate::{
    certificate,
    complaint::{Failure, Source},
    library,
    plan::Plan,
    process, schema,
    state::State,
};
use honeyplant_core::{
    conversation::Transport,
    device::Device,
    plant::Program,
    profile::{Endpoint, Profile},
    settings::Problem,
    works::{Wire, Works},
};
use honeyplant_logic::Compiled;
use honeyplant_net::Door;
use honeyplant_protocols::PROTOCOLS;
use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// A site whose devices were built.
#[derive(Default)]
pub(crate) struct Built {
    /// Where the devices are spoken to.
    pub(crate) doors: Vec<Door>,
    /// What an operator is told of them.
    pub(crate) shown: Vec<Shown>,
    /// Everything that runs: the process first, if there is one.
    pub(crate) devices: Vec<Arc<Device>>,
    /// What connects them.
    pub(crate) wires: Vec<Wire>,
    /// What keeps tags of two of them equal.
    pub(crate) links: Vec<Wire>,
    /// By how many hours the clock of the process is ahead of UTC.
    pub(crate) utc_offset: f64,
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
    /// Its services: protocol and where it is.
    pub(crate) services: Vec<(&'static str, Transport)>,
}

/// The device as `run` and `check` list it.
impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "  {}  {}", self.name, self.title)?;
        let services: Vec<String> = self.services.iter().map(|(name, at)| format!("{name} {}", port(*at))).collect();
        self.addresses.iter().try_for_each(|address| write!(f, "\n    {address}  {}", services.join(", ")))
    }
}

/// A port as operators write it: the carrier is named where it is not TCP.
fn port(transport: Transport) -> String {
    match transport {
        Transport::Tcp(port) => port.to_string(),
        Transport::Tls(port) => format!("{port}/tls"),
        Transport::Udp(port) => format!("{port}/udp"),
    }
}

/// A port at an address, alike.
pub(crate) fn place(address: IpAddr, transport: Transport) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}:{}", port(transport)),
        IpAddr::V6(address) => format!("[{address}]:{}", port(transport)),
    }
}

impl Built {
    /// Starts the clocks of all devices at `now`, which is `clock`; what runs from there on.
    pub(crate) fn start(&self, now: Instant, clock: SystemTime) -> Works {
        let ahead = Duration::from_secs_f64(self.utc_offset.abs() * 3600.0);
        let on_the_wall = if self.utc_offset < 0.0 { clock - ahead } else { clock + ahead };
        for device in &self.devices {
            device.start(now, if device.name() == process::PROCESS { on_the_wall } else { clock });
        }
        Works::new(self.devices.clone(), &self.wires, &self.links, now)
    }
}

impl Site {
    /// Builds every device, drawing what was not drawn yet. All mistakes in all profiles are told at once.
    pub(crate) fn build(&self, state: &mut State) -> Result<Built, Failure> {
        let (mut failure, mut built) = (Failure::default(), Built::default());
        built.devices.extend(failure.keep(self.process(state)).flatten());
        built.utc_offset = self.process.as_ref().map_or(0.0, |process| process.utc_offset);
        let sources = self.profiles(&mut failure);
        let mut profiles = HashMap::new();
        for (name, source) in &sources {
            match Profile::parse(&source.text, PROTOCOLS) {
                Ok(profile) => {
                    let mut folder = |part| {
                        failure.keep(library::profile_folder(self.folder.as_deref(), name, part)).unwrap_or_default()
                    };
                    let (files, pages) = (folder("files"), folder("www"));
                    profiles.insert(name.as_str(), profile.with_folder(files).with_pages(pages));
                }
                Err(problems) => failure.0.extend(complain(source, &problems).0),
            }
        }
        let mut programs = HashMap::<&str, Option<Compiled>>::new();
        for plan in &self.devices {
            let (Some(source), Some(profile)) = (sources.get(&plan.profile), profiles.get(plan.profile.as_str()))
            else {
                continue;
            };
            let program = programs.entry(&plan.profile);
            let device = self.device(plan, source, profile, program, state);
            let (device, endpoints) = match device {
                Ok(device) => device,
                Err(more) => {
                    failure.0.extend(more.0);
                    // Every other device of this profile would say the same.
                    profiles.remove(plan.profile.as_str());
                    continue;
                }
            };
            let tls = profile.certificate.as_ref().and_then(|certificate| certificate.draw(device.identity()).ok());
            let how = profile.certificate.as_ref().map(|certificate| profile.tls.resolve(certificate.key()));
            let how = how.and_then(Result::ok).unwrap_or_default();
            let tls =
                tls.and_then(|drawn| failure.keep(certificate::tls(state, &plan.name, drawn, &plan.addresses, how)));
            let mut services = Vec::new();
            for endpoint in endpoints {
                let port = endpoint.transport.port();
                let Some(port) = port.checked_add(self.port_offset) else {
                    let why = format!("port {port} of {} with the offset {} is too great", plan.name, self.port_offset);
                    failure.0.extend(Failure::new(why, "choose a smaller --port-offset").0);
                    continue;
                };
                let transport = endpoint.transport.at(port);
                services.push((endpoint.protocol, transport));
                built.doors.extend(plan.addresses.iter().map(|address| Door {
                    address: *address,
                    transport,
                    device: device.clone(),
                    protocol: endpoint.protocol,
                    service: endpoint.service.clone(),
                    connections: endpoint.connections,
                    idle: endpoint.idle,
                    tls: tls.clone(),
                }));
            }
            let title = profile.about.title.clone();
            built.shown.push(Shown { name: plan.name.clone(), title, addresses: plan.addresses.clone(), services });
            built.devices.push(device);
        }
        // Tags of a device that could not be built would all be told to be missing.
        if failure.0.is_empty() {
            let mut connect = |key, table| match process::wires(key, table, &built.devices) {
                Ok(wires) => wires,
                Err(problems) => {
                    failure.0.extend(complain(&self.source, &problems).0);
                    Vec::new()
                }
            };
            (built.wires, built.links) = (connect("wires", &self.wires), connect("links", &self.links));
        }
        failure.check()?;
        Ok(built)
    }

    /// The process, if the site has one.
    fn process(&self, state: &mut State) -> Result<Option<Arc<Device>>, Failure> {
        let identity = state
            .site(&self.identity)
            .map_err(|why| Failure(vec![self.source.complain(&Problem::new("identity", why))]))?;
        let Some(settings) = &self.process else { return Ok(None) };
        let program = library::site_file(self.folder.as_deref(), DEMO, &settings.program);
        if program.is_none() {
            let why = format!("there is no file `{}` beside the site", settings.program);
            return Err(Failure(vec![self.source.complain(&Problem::new("process.program", why))]));
        }
        let seed = state.seed_of(process::PROCESS);
        process::build(settings, program.as_ref(), &self.source, identity, seed).map(Some)
    }

    /// One device with its services. `program` keeps what was compiled for the first device of its profile.
    fn device<'a>(
        &self,
        plan: &Plan,
        source: &Source,
        profile: &Profile<'_>,
        program: Entry<'a, &str, Option<Compiled>>,
        state: &mut State,
    ) -> Result<(Arc<Device>, Vec<Endpoint>), Failure> {
        let identity = state
            .device(&plan.name, &profile.identity)
            .map_err(|why| complain(source, &vec![Problem::new("identity", why)]))?;
        let (seed, mut failure) = (state.seed_of(&plan.name), Failure::default());
        let program = match program {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let (mut plant, problems) = profile.plant(&identity, seed);
                let text = library::profile_file(self.folder.as_deref(), &plan.profile, &profile.cpu.program);
                // What is wrong with the tags is told with the services, and would make the program seem wrong, too.
                let text = text.filter(|_| problems.is_empty());
                place.insert(text.and_then(|text| failure.keep(process::compile(&text, &mut plant))))
            }
        };
        let program = program.as_ref().map(|program| program as &dyn Program);
        let device = profile.device(&plan.name, &plan.profile, identity, seed, program);
        let device = failure.keep(device.map_err(|problems| complain(source, &problems)));
        failure.check()?;
        device.ok_or_else(Failure::default)
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
}
