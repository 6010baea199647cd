//! `honeyplant init`: a folder to start a site of one's own from.

use super::{Common, say};
use crate::{
    complaint::{Failure, Tried},
    library,
    site::{DEMO, Site},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Make a folder with a site of your own.
///
/// It begins as a copy of the demo plant, or with devices of the kinds that you name. The profiles are copied beside it, so
/// that they can be changed.
#[derive(clap::Args)]
pub(crate) struct Init {
    /// The folder to make
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// A kind of device to begin with instead of the demo plant; may be given more than once
    #[arg(long, value_name = "P")]
    profile: Vec<String>,
}

impl Init {
    pub(crate) fn run(&self, _common: &Common) -> Result<(), Failure> {
        let site = self.folder.join("site.toml");
        if site.exists() {
            return Err(Failure::new(format!("{} is there already", site.display()), "name another folder"));
        }
        let mut failure = Failure::default();
        for name in &self.profile {
            if let Err(problem) = library::profile(None, name) {
                failure.0.push(format!("error: {problem}"));
            }
        }
        failure.check()?;
        if self.profile.is_empty() {
            self.copy(library::site_files(DEMO), &self.folder)?;
            for profile in Site::load(None)?.kinds() {
                self.copy(library::files(profile), &self.folder.join("profiles").join(profile))?;
            }
        } else {
            for profile in &self.profile {
                self.copy(library::files(profile), &self.folder.join("profiles").join(profile))?;
            }
            fs::write(&site, self.site()).tried(|| format!("write {}", site.display()))?;
        }
        say(format_args!("{} is made. Next: honeyplant run {}", site.display(), self.folder.display()));
        Ok(())
    }

    fn copy(&self, files: Vec<(String, Vec<u8>)>, folder: &Path) -> Result<(), Failure> {
        for (path, bytes) in files {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().unwrap_or(folder))
                .and_then(|()| fs::write(&file, bytes))
                .tried(|| format!("write {}", file.display()))?;
        }
        Ok(())
    }

    /// The text of a site with a device of each kind.
    fn site(&self) -> String {
        let name = self.folder.file_name().map_or_else(|| "site".into(), |name| name.to_string_lossy().into_owned());
        let mut text = format!(
            "# A site of honeyplant. `honeyplant check` says what is wrong with it, `honeyplant run` runs it.\n\
             # Every setting: docs/schema/site.schema.json, or `honeyplant schema site`.\n\n\
             [site]\nname = {name:?}\n# Added to every port. 0 is the standard ports, which need the right to bind them.\nport-offset = 10000\n"
        );
        for (number, profile) in self.profile.iter().enumerate() {
            text += &format!(
                "\n[[devices]]\nname = \"device-{0}\"\nprofile = {profile:?}\n\
                 # The addresses that it answers on; they must be this machine's.\naddresses = [\"127.0.20.{0}\"]\n",
                number + 1
            );
        }
        text
    }
}
