//! `honeyplant init`: a folder to start a site of one's own from.

use super::{Common, say};
use crate::{
    complaint::{Failure, Tried},
    library,
};
use std::{fs, path::PathBuf};

/// Make a folder with a site of your own.
///
/// The profiles are copied beside it, so that they can be changed.
#[derive(clap::Args)]
pub(crate) struct Init {
    /// The folder to make
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The kind of device to begin with; may be given more than once
    #[arg(long, value_name = "P", default_value = "schneider-m340")]
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
        let name = self.folder.file_name().map_or_else(|| "site".into(), |name| name.to_string_lossy().into_owned());
        let mut text = format!(
            "# A site of honeyplant. `honeyplant check` says what is wrong with it, `honeyplant run` runs it.\n\
             # Every setting: docs/schema/site.schema.json, or `honeyplant schema site`.\n\n\
             [site]\nname = {name:?}\n# Added to every port. 0 is the standard ports, which need the right to bind them.\nport-offset = 10000\n"
        );
        for (number, profile) in self.profile.iter().enumerate() {
            for (path, bytes) in library::files(profile) {
                let file = self.folder.join("profiles").join(profile).join(path);
                let parent = file.parent().unwrap_or(&self.folder);
                fs::create_dir_all(parent)
                    .and_then(|()| fs::write(&file, bytes))
                    .tried(|| format!("write {}", file.display()))?;
            }
            text += &format!(
                "\n[[devices]]\nname = \"device-{0}\"\nprofile = {profile:?}\n\
                 # The addresses that it answers on; they must be this machine's.\naddresses = [\"127.0.20.{0}\"]\n",
                number + 1
            );
        }
        fs::write(&site, text).tried(|| format!("write {}", site.display()))?;
        say(format_args!("{} is made. Next: honeyplant run {}", site.display(), self.folder.display()));
        Ok(())
    }
}
