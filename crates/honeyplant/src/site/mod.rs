//! A site: what one process runs, as its `site.toml` says it. Apart, because it alone brings profiles, devices, limits
//! and sinks together.

mod build;
mod limits;
mod sinks;

pub(crate) use build::{Built, Shown, place};
pub(crate) use sinks::Choice;

use crate::{
    complaint::{Failure, Source},
    library,
    plan::{DeviceSettings, Plan, plan},
    process::{ProcessSettings, WireTable},
    schema,
    state::State,
};
use honeyplant_core::{
    identity::Grammar,
    settings::{Problem, Problems, Settings},
};
use honeyplant_net::Limits;
use honeyplant_record::{
    ArtefactSettings, JournalSettings, Observer,
    meaning::{Atlas, GeoSettings, Meaning, MeaningSettings, Toolbox},
};
use limits::LimitSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
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
    /// How much is kept of what actors leave.
    pub(crate) artefacts: ArtefactSettings,
    geo: GeoSettings,
    meaning: MeaningSettings,
    folder: Option<PathBuf>,
    source: Source,
    identity: Grammar,
    process: Option<ProcessSettings>,
    wires: WireTable,
    links: WireTable,
    devices: Vec<Plan>,
}

impl Site {
    /// Reads the site in the folder or file `path`, or the demo site.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, Failure> {
        let (source, folder) = find(path)?;
        schema::validate(&source, &Self::schema())?;
        let mut problems = Problems::new();
        let (mut about, mut limits) = (About::default(), LimitSettings::default());
        let (mut identity, mut journal) = (Grammar::default(), JournalSettings::default());
        let (mut artefacts, mut geo) = (ArtefactSettings::default(), GeoSettings::default());
        let mut meaning = MeaningSettings::default();
        let (mut process, mut wires, mut links) = (None::<ProcessSettings>, WireTable::new(), WireTable::new());
        let mut devices = Vec::<DeviceSettings>::new();
        let entries = Settings::parse(&source.text).map_err(|problems| complain(&source, &problems))?.into_entries();
        for (name, _, settings) in entries {
            match name.as_str() {
                "site" => settings.read_into(&mut about, &mut problems),
                "identity" => settings.read_into(&mut identity, &mut problems),
                "process" => settings.read_into(process.get_or_insert_default(), &mut problems),
                "wires" => settings.read_into(&mut wires, &mut problems),
                "links" => settings.read_into(&mut links, &mut problems),
                "devices" => settings.read_into(&mut devices, &mut problems),
                "limits" => settings.read_into(&mut limits, &mut problems),
                "journal" => settings.read_into(&mut journal, &mut problems),
                "artefacts" => settings.read_into(&mut artefacts, &mut problems),
                "geo" => settings.read_into(&mut geo, &mut problems),
                "meaning" => settings.read_into(&mut meaning, &mut problems),
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
            limits: limits.into(),
            journal,
            artefacts,
            geo,
            meaning,
            folder,
            source,
            identity,
            process,
            wires,
            links,
            devices,
        })
    }

    /// Who keeps the record.
    pub(crate) fn observer(&self, state: &State) -> Observer {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Observer { site: self.name.clone(), install: state.install().to_owned(), version }
    }

    /// What tells what events mean: where addresses are, and by what tools are recognised.
    pub(crate) fn meaning(&self) -> Result<Meaning, Failure> {
        let mut failure = Failure::default();
        let atlas = Atlas::open(&self.geo, self.folder.as_deref());
        let atlas = failure.keep(atlas.map_err(|problems| complain(&self.source, &problems)));
        let toolbox = failure.keep(self.toolbox());
        failure.check()?;
        Ok(Meaning::new(atlas.unwrap_or_default(), toolbox.unwrap_or_default()))
    }

    /// The tools that come with honeyplant, and those of the operator's file.
    fn toolbox(&self) -> Result<Toolbox, Failure> {
        let mut toolbox = Toolbox::default();
        let Some(path) = &self.meaning.tools else { return Ok(toolbox) };
        let path = self.folder.as_ref().map_or_else(|| path.clone(), |folder| folder.join(path));
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let problem = Problem::new("meaning.tools", format!("cannot read {shown}: {error}"));
            complain(&self.source, &vec![problem.hint("docs/tools.md tells what is in such a file")])
        })?;
        toolbox.add(&text).map_err(|problems| complain(&Source { path: shown, text }, &problems))?;
        Ok(toolbox)
    }

    /// The profiles of its devices.
    pub(crate) fn kinds(&self) -> BTreeSet<&str> {
        self.devices.iter().map(|plan| plan.profile.as_str()).collect()
    }

    /// The JSON Schema of a `site.toml`.
    pub(crate) fn schema() -> Schema {
        let mut generator = SchemaGenerator::default();
        let sinks = sinks::schema(&mut generator);
        let mut schema = json_schema!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "A honeyplant site",
            "type": "object",
            "additionalProperties": false,
            "required": ["site", "devices"],
            "properties": {
                "site": generator.subschema_for::<About>(),
                "identity": generator.subschema_for::<Grammar>(),
                "process": generator.subschema_for::<ProcessSettings>(),
                "wires": generator.subschema_for::<BTreeMap<String, String>>(),
                "links": generator.subschema_for::<BTreeMap<String, String>>(),
                "devices": generator.subschema_for::<Vec<DeviceSettings>>(),
                "limits": generator.subschema_for::<LimitSettings>(),
                "journal": generator.subschema_for::<JournalSettings>(),
                "artefacts": generator.subschema_for::<ArtefactSettings>(),
                "geo": generator.subschema_for::<GeoSettings>(),
                "meaning": generator.subschema_for::<MeaningSettings>(),
                "sinks": sinks,
            },
        });
        schema.insert("$defs".into(), generator.take_definitions(true).into());
        schema
    }
}

/// The text of the site in the folder or file `path` and its folder, or those of the demo site.
fn find(path: Option<&Path>) -> Result<(Source, Option<PathBuf>), Failure> {
    let Some(path) = path else {
        let source = library::site_file(None, DEMO, "site.toml")
            .ok_or_else(|| Failure::new("the demo site is not in this binary", "name a site"))?;
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
    use crate::state::State;
    use std::fs;

    fn told(site: &str, profile: &str) -> String {
        told_with(site, profile, &[])
    }

    /// What is told of a site with further files.
    fn told_with(site: &str, profile: &str, files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("profiles/p")).unwrap();
        for (file, text) in [("site.toml", site), ("profiles/p/profile.toml", profile)].iter().chain(files) {
            fs::write(folder.path().join(file), text).unwrap();
        }
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
        let built = Site::load(None).unwrap().build(&mut state).unwrap();
        assert!(!built.doors.is_empty() && !built.shown.is_empty());
        assert_eq!(told(GOOD, PROFILE), "");
    }

    #[test]
    fn what_is_said_of_tls_fits_together() {
        let profile = |listen: &str, more: &str| format!("{PROFILE}listen = {{ {listen} }}\n{more}");
        let certificate = "[certificate]\ncommon-name = 'c'\n";
        assert_eq!(told(GOOD, &profile("tls = 802", certificate)), "");
        assert_eq!(told(GOOD, &profile("tls = 502, tls-only = true", certificate)), "");
        let cases = [
            ("tls = 802", "", "modbus.listen.tls", "add the table [certificate]"),
            ("tls-only = true", certificate, "modbus.listen.tls-only", "tls = 443"),
            ("tls = 502", certificate, "modbus.listen.tls", "tls-only = true"),
            ("port = 1", "[tls]\nversions = ['1.2']", "tls", "add the table [certificate]"),
            ("port = 1", "[certificate]\ncommon-name = 'c'\n[tls]\nversions = ['1.1']", "tls.versions", "1.2, 1.3"),
        ];
        for (listen, more, key, hint) in cases {
            let told = told(GOOD, &profile(listen, more));
            assert!(told.contains(key) && told.contains(hint) && told.contains("profile.toml:"), "{told}");
        }
        let snmp = "[snmp]\ncommunities = [{ name = 'public' }]\nlisten = { tls = 10161 }\n";
        assert!(told(GOOD, &format!("{PROFILE}{snmp}{certificate}")).contains("the protocol is not spoken over TCP"));
    }

    const PROCESS: &str = "[process]\ntags = { tank = { type = 'REAL' } }\n[wires]\n'd.level' = 'tank'\n";
    const PROGRAM: &str = "PROGRAM p\n  VAR x : INT; END_VAR\n  x := x + 1;\n  tank := tank + 0.1;\nEND_PROGRAM\n";

    #[test]
    fn a_process_is_wired_to_a_device() {
        let site = GOOD.to_owned() + PROCESS;
        assert_eq!(told_with(&site, PROFILE, &[("process.st", PROGRAM)]), "");
        assert!(told(&site, PROFILE).contains("there is no file `process.st` beside the site"));
    }

    #[test]
    fn mistakes_in_programs_are_told_with_their_line() {
        let site = GOOD.to_owned() + PROCESS;
        let files = [
            ("process.st", &*PROGRAM.replace("tank +", "tonk +")),
            ("profiles/p/program.st", &PROGRAM.replace("tank", "level")),
        ];
        let told = told_with(&site, PROFILE, &files);
        for part in ["process.st:4:11", "`tonk`", "did you mean `tank`?", "program.st:4", "LEVEL", "REAL"] {
            assert!(told.to_uppercase().contains(&part.to_uppercase()), "{part} is not in:\n{told}");
        }
    }

    #[test]
    fn a_scan_without_time_and_a_clock_of_another_world_are_told() {
        let process = PROCESS.replace("[process]", "[process]\nutc-offset = 1e300");
        assert!(told(&(GOOD.to_owned() + &process), PROFILE).contains("process.utc-offset"));
        let process = PROCESS.replace("[process]", "[process]\nscan = '0ms'");
        assert!(told(&(GOOD.to_owned() + &process), PROFILE).contains("a scan takes at least 1ms"));
        assert!(
            told(GOOD, &PROFILE.replace("[tags]", "[cpu]\nscan = '0s'\n[tags]")).contains("a scan takes at least 1ms")
        );
    }

    #[test]
    fn a_wire_to_nowhere_is_told() {
        let site = GOOD.to_owned() + &PROCESS.replace("d.level' = 'tank", "d.lvel' = 'e.tank");
        let told = told_with(&site, PROFILE, &[("process.st", PROGRAM)]);
        for part in ["there is no device `e`", "did you mean `d`?", "no tag of d `lvel`", "did you mean `level`?"] {
            assert!(told.contains(part), "{part} is not in:\n{told}");
        }
        let named = GOOD.replace("name = 'd'", "name = 'process'");
        assert!(super::tests::told(&named, PROFILE).contains("a device cannot be called `process`"));
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
