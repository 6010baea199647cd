//! The process of a site and the wires between it and the devices. Apart, because it is the one thing that all devices of
//! a site have in common.

use crate::complaint::{Failure, Source};
use honeyplant_core::{
    device::Device,
    identity::Identity,
    plant::{Image, Plant, Program},
    profile::{TagTable, furnish},
    settings::{Problem, Problems, Scan},
    works::{Terminal, Wire},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use toml::Spanned;

/// The name of the process among the devices of a site.
pub(crate) const PROCESS: &str = "process";

/// The `[process]` table of a site.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct ProcessSettings {
    /// How often its program runs.
    scan: Scan,
    /// The file of its program, beside the site.
    pub(crate) program: String,
    /// By how many hours the clock on the plant's wall is ahead of UTC: people need water in their morning.
    #[schemars(range(min = -14, max = 14))]
    pub(crate) utc_offset: f64,
    /// What is measured and moved in it. A value may have `{key}` for what was drawn for the site.
    #[schemars(with = "BTreeMap<String, honeyplant_core::plant::TagSettings>")]
    tags: TagTable,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        let scan = Scan(Duration::from_secs(1));
        Self { scan, program: "process.st".to_owned(), utc_offset: 0.0, tags: TagTable::new() }
    }
}

/// The `[wires]` and the `[links]` table: `to = from`.
pub(crate) type WireTable = BTreeMap<Spanned<String>, Spanned<String>>;

/// The process as `settings` and the text of its program say it. What is wrong is told of `site` and of the program.
pub(crate) fn build(
    settings: &ProcessSettings,
    program: Option<&Source>,
    site: &Source,
    identity: Identity,
    seed: u64,
) -> Result<Arc<Device>, Failure> {
    let mut plant = Plant::new(Image::default());
    let mut failure = Failure::default();
    let problems = furnish(&mut plant, "process.tags", &settings.tags, &identity, seed);
    failure.0.extend(problems.iter().map(|problem| site.complain(problem)));
    let compiled = program.and_then(|source| failure.keep(compile(source, &mut plant)));
    failure.check()?;
    let device = Device::new(PROCESS, PROCESS, identity, plant).with_cpu(settings.scan.0, Duration::ZERO);
    Ok(Arc::new(match compiled {
        Some(program) => device.with_program(program.start(seed)),
        None => device,
    }))
}

/// The program in `source`, compiled for `plant`.
pub(crate) fn compile(source: &Source, plant: &mut Plant) -> Result<honeyplant_logic::Compiled, Failure> {
    honeyplant_logic::compile(&source.text, plant)
        .map_err(|problems| Failure(problems.iter().map(|problem| source.complain(problem)).collect()))
}

/// What connects these devices, as the table `key` says. A name without a device is a tag of the process.
pub(crate) fn wires(key: &str, table: &WireTable, devices: &[Arc<Device>]) -> Result<Vec<Wire>, Problems> {
    let mut problems = Problems::new();
    let terminal = |name: &Spanned<String>, problems: &mut Problems| {
        let found = find(key, name.get_ref(), devices);
        found.map_err(|problem| problems.push(problem.at(name.span()))).ok()
    };
    let mut wires = Vec::new();
    for (to, from) in table {
        let ends = (terminal(from, &mut problems), terminal(to, &mut problems));
        if let (Some(from), Some(to)) = ends {
            wires.push(Wire { from, to });
        }
    }
    if problems.is_empty() { Ok(wires) } else { Err(problems) }
}

/// The tag called `device.tag`, or `tag` of the process.
pub(crate) fn find(key: &str, name: &str, devices: &[Arc<Device>]) -> Result<Terminal, Problem> {
    let (device, tag) = name.split_once('.').unwrap_or((PROCESS, name));
    let Some((number, found)) = devices.iter().enumerate().find(|(_, other)| other.name() == device) else {
        let names = devices.iter().map(|device| device.name());
        return Err(Problem::unknown(key, "device", device, names));
    };
    let plant = found.still();
    let tag = plant.find(tag).ok_or_else(|| Problem::unknown(key, &format!("tag of {device}"), tag, plant.names()))?;
    Ok(Terminal { device: number, tag })
}
