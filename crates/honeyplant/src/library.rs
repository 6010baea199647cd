//! The profiles and sites at hand: those in the binary, and those beside a site. Apart, because a profile is a folder and
//! no Rust.

use crate::complaint::Source;
use honeyplant_core::settings::Problem;
use rust_embed::RustEmbed;
use std::{collections::BTreeSet, fs, path::Path};

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
    match site.map(|folder| folder.join("profiles").join(name)).filter(|folder| folder.join("profile.toml").is_file()) {
        Some(folder) => on_disk(&folder.join(file)),
        None => built_in::<Profiles>(&format!("{name}/{file}")),
    }
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
    use honeyplant_protocols::PROTOCOLS;

    #[test]
    fn every_profile_is_valid_and_answers_as_its_dialogues_say() {
        let names = names(None);
        assert!(!names.is_empty());
        for name in names {
            let source = profile(None, &name).unwrap();
            schema::validate(&source, &Profile::schema(PROTOCOLS)).unwrap_or_else(|failure| panic!("{failure}"));
            let mut played = 0;
            for (path, script) in files(&name).into_iter().filter(|(path, _)| path.starts_with("dialogues/")) {
                let script = String::from_utf8(script).unwrap();
                for cut in [usize::MAX, 1, 2, 3, 5, 7] {
                    if let Err(why) = honeyplant_dialogue::play(PROTOCOLS, Some(&source.text), &script, cut) {
                        panic!("{name}/{path}, cut every {cut} bytes: {why}");
                    }
                }
                played += 1;
            }
            assert!(played > 0, "{name} has no dialogue");
        }
    }
}
