//! The profiles and sites at hand: those in the binary, and those beside a site. Apart, because a profile is a folder and
//! no Rust.

use crate::complaint::{Failure, Source, Tried};
use honeyplant_core::{
    files::{Folder, from_octets},
    settings::Problem,
};
use rust_embed::RustEmbed;
use std::{
    collections::BTreeSet,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How many files a profile's folder `files/` or `www/` may hold, and how many bytes in all.
const MOST_FILES: usize = 4096;
const MOST_BYTES: u64 = 64 << 20;

#[derive(RustEmbed)]
#[folder = "../../profiles"]
struct Profiles;

#[derive(RustEmbed)]
#[folder = "../../sites"]
struct Sites;

/// The `profile.toml` of the profile called `name`: beside the site if it is there, else the one in the binary.
pub(crate) fn profile(site: Option<&Path>, name: &str) -> Result<Source, Problem> {
    profile_file(site, name, "profile.toml").ok_or_else(|| {
        let known = names(site);
        Problem::unknown("profile", "profile", name, known.iter().map(String::as_str))
    })
}

/// A text file of the profile called `name`. A profile beside the site hides the one in the binary with all its files.
pub(crate) fn profile_file(site: Option<&Path>, name: &str, file: &str) -> Option<Source> {
    match beside(site, name) {
        Some(folder) => on_disk(&folder.join(file)),
        None => built_in::<Profiles>(&format!("{name}/{file}")),
    }
}

/// What lies in the folder `part` of the profile called `name`, by its absolute path on the device: of `files/` the path among
/// its files, of `www/` the path of a page.
pub(crate) fn profile_folder(site: Option<&Path>, name: &str, part: &str) -> Result<Folder, Failure> {
    let mut found = Folder::new();
    match beside(site, name).map(|folder| folder.join(part)) {
        Some(folder) if folder.is_dir() => gather(&folder, "", &mut found, &mut 0)?,
        Some(_) => {}
        None => {
            let inside = files(name).into_iter();
            let inside = inside.filter_map(|(path, bytes)| Some((path.strip_prefix(part)?.into(), Arc::new(bytes))));
            found.extend(inside.filter(|(path, _): &(Box<str>, _)| path.starts_with('/')));
        }
    }
    Ok(found)
}

/// The folder of a profile that lies beside the site.
fn beside(site: Option<&Path>, name: &str) -> Option<PathBuf> {
    let folder = site?.join("profiles").join(name);
    folder.join("profile.toml").is_file().then_some(folder)
}

/// Reads all files under `folder`, which is `path` on the device.
fn gather(folder: &Path, path: &str, found: &mut Folder, bytes: &mut u64) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).tried(|| format!("list {}", folder.display()))? {
        let entry = entry.tried(|| format!("list {}", folder.display()))?;
        let (on_disk, path) = (entry.path(), format!("{path}/{}", from_octets(entry.file_name().as_bytes())));
        let facts = entry.metadata().tried(|| format!("look at {}", on_disk.display()))?;
        if facts.is_dir() {
            gather(&on_disk, &path, found, bytes)?;
        } else if facts.is_file() {
            *bytes = bytes.saturating_add(facts.len());
            if *bytes > MOST_BYTES || found.len() >= MOST_FILES {
                let why =
                    format!("{} is one file too many: a profile has {MOST_FILES} of 64 MiB in all", on_disk.display());
                return Err(Failure::new(why, "what is only large can be drawn: `size` in [files.entries]"));
            }
            let content = fs::read(&on_disk).tried(|| format!("read {}", on_disk.display()))?;
            found.insert(path.into(), Arc::new(content));
        } else {
            let why = format!("{} is neither a file nor a folder", on_disk.display());
            return Err(Failure::new(
                why,
                format!("a link is written as \"{path}\" = {{ link = \"…\" }} in [files.entries]"),
            ));
        }
    }
    Ok(())
}

/// A text file beside the `site.toml` in `folder`, or beside that of the demo site.
pub(crate) fn site_file(folder: Option<&Path>, demo: &str, file: &str) -> Option<Source> {
    match folder {
        Some(folder) => on_disk(&folder.join(file)),
        None => built_in::<Sites>(&format!("{demo}/{file}")),
    }
}

fn on_disk(path: &Path) -> Option<Source> {
    let text = fs::read_to_string(path).ok()?;
    Some(Source { path: path.display().to_string(), text })
}

/// The names of all profiles that a site can use.
pub(crate) fn names(site: Option<&Path>) -> BTreeSet<String> {
    let built_in = Profiles::iter().filter_map(|path| path.strip_suffix("/profile.toml").map(str::to_owned));
    let beside = site.and_then(|folder| fs::read_dir(folder.join("profiles")).ok());
    let beside = beside
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("profile.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    built_in.chain(beside).collect()
}

fn built_in<Folder: RustEmbed>(path: &str) -> Option<Source> {
    let text = Folder::get(path).and_then(|file| String::from_utf8(file.data.into_owned()).ok())?;
    Some(Source { path: format!("(built in) {path}"), text })
}

/// Every file of the profile called `name` that is in the binary, by its path inside the profile's folder.
pub(crate) fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    inside::<Profiles>(name)
}

/// Every file of the site called `name` that is in the binary, by its path inside the site's folder.
pub(crate) fn site_files(name: &str) -> Vec<(String, Vec<u8>)> {
    inside::<Sites>(name)
}

fn inside<Folder: RustEmbed>(name: &str) -> Vec<(String, Vec<u8>)> {
    let prefix = format!("{name}/");
    Folder::iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(&prefix)?.to_owned();
            Some((inside, Folder::get(&path)?.data.into_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;
    use honeyplant_core::profile::Profile;
    use honeyplant_dialogue::{Dialogue, Stage, Talk};
    use honeyplant_protocols::PROTOCOLS;

    /// The profile `text` with the files and pages of the one called `name`.
    fn whole<'a>(name: &str, text: &'a str) -> Profile<'a> {
        let parsed = Profile::parse(text, PROTOCOLS).unwrap_or_else(|problems| panic!("{problems:?}"));
        parsed
            .with_folder(profile_folder(None, name, "files").unwrap())
            .with_pages(profile_folder(None, name, "www").unwrap())
    }

    /// What the routes of a profile lead to, with what their triggers wait for.
    fn routes(text: &str) -> Vec<String> {
        let table: toml::Table = text.parse().unwrap();
        let routes = table.get("http").and_then(|http| http.get("routes")).and_then(toml::Value::as_table);
        let mut paths = Vec::new();
        for (path, route) in routes.into_iter().flatten() {
            let path = path.replace('*', "x");
            let triggers = route.get("triggers").and_then(toml::Value::as_array);
            for trigger in triggers.into_iter().flatten() {
                let fields = trigger.get("when").and_then(toml::Value::as_table).into_iter().flatten();
                let fields = fields.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
                paths.push(format!("{path}?{}", fields.collect::<Vec<_>>().join("&")));
            }
            paths.push(path);
        }
        paths
    }

    #[test]
    fn every_page_of_every_profile_can_be_shown() {
        let mut shown = 0;
        for name in names(None) {
            let Source { text, .. } = profile(None, &name).unwrap();
            let pages = profile_folder(None, &name, "www").unwrap();
            let paths: Vec<String> = pages.keys().map(ToString::to_string).chain(routes(&text)).collect();
            // As strangers see them, and then without the login that most are behind.
            for text in [text.clone(), text.replace("login = true", "login = false")] {
                let stage = Stage::of(&whole(&name, &text)).unwrap_or_else(|why| panic!("{name}: {why}"));
                for path in &paths {
                    let mut talk = Talk::start(&stage, "http", stage.started).unwrap();
                    talk.receive(format!("GET {path} HTTP/1.1\r\nHost: decoy\r\n\r\n").as_bytes()).unwrap();
                    let answer = String::from_utf8_lossy(&talk.take_answer()).into_owned();
                    let status = answer.split(' ').nth(1).and_then(|status| status.get(..3)?.parse::<u16>().ok());
                    assert!(status.is_some_and(|status| status != 500), "{name}: {path}: {answer}");
                    shown += u32::from(status == Some(200));
                }
            }
        }
        assert!(shown > 0);
    }

    #[test]
    fn every_profile_is_valid_and_answers_as_its_dialogues_say() {
        let names = names(None);
        assert!(!names.is_empty());
        for name in names {
            let source = profile(None, &name).unwrap();
            schema::validate(&source, &Profile::schema(PROTOCOLS)).unwrap_or_else(|failure| panic!("{failure}"));
            let whole = whole(&name, &source.text);
            let mut dialogues = 0;
            for (path, script) in files(&name).into_iter().filter(|(path, _)| path.starts_with("dialogues/")) {
                let script = String::from_utf8(script).unwrap();
                for cut in [usize::MAX, 1, 2, 3, 5, 7] {
                    let dialogue = Dialogue::parse(&script).unwrap_or_else(|why| panic!("{name}/{path}: {why}"));
                    let played = match dialogue.profile {
                        Some(_) => honeyplant_dialogue::play(PROTOCOLS, None, &script, cut),
                        None => Stage::of(&whole).and_then(|stage| dialogue.play(&stage, cut)),
                    };
                    if let Err(why) = played {
                        panic!("{name}/{path}, cut every {cut} bytes: {why}");
                    }
                }
                dialogues += 1;
            }
            assert!(dialogues > 0, "{name} has no dialogue");
        }
    }
}
