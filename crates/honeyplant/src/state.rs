//! The state folder: what was drawn at the first run, and the record. Apart, because it is all that an install keeps.

use crate::complaint::{Failure, Tried};
use honeyplant_core::{
    identity::{Grammar, Identity},
    random::Random,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The state folder of an install.
#[derive(Debug)]
pub(crate) struct State {
    folder: PathBuf,
    drawn: Drawn,
    changed: bool,
    /// What tells this journal from any other.
    install: String,
}

/// `identity.toml`: what was drawn at the first run.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Drawn {
    /// The seed of every draw, in hexadecimal.
    seed: String,
    #[serde(default)]
    site: Identity,
    #[serde(default)]
    devices: BTreeMap<String, Identity>,
}

const HEAD: &str =
    "# Drawn at the first run of honeyplant. Later runs show the same; what is deleted here is drawn anew.\n\n";

/// The keys of which no two devices of a site have the same: two machines with one address would give the site away.
const SINGULAR: [&str; 2] = ["mac", "serial"];
const DAMAGED: &str = "put back the digits with which the ids of its events begin";
/// How often such a key is drawn at most; a grammar may have fewer words than there are devices.
const ATTEMPTS: usize = 16;

/// Holds the state folder for one process; another that tries is refused while this lives.
#[derive(Debug)]
pub(crate) struct Hold(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

impl State {
    /// The state in `folder`, which need not exist yet. Nothing is written before [`State::keep`].
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("identity.toml");
        let (drawn, changed) = match fs::read_to_string(&path) {
            Ok(text) => {
                let drawn: Drawn = toml::from_str(&text).tried(|| format!("read {}", path.display()))?;
                u64::from_str_radix(&drawn.seed, 16).tried(|| format!("read the seed in {}", path.display()))?;
                (drawn, false)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let seed = getrandom::u64().tried(|| "draw a seed".into())?;
                let seed = format!("{seed:016x}");
                (Drawn { seed, site: Identity::default(), devices: BTreeMap::new() }, true)
            }
            Err(error) => return Err(error).tried(|| format!("read {}", path.display())),
        };
        let path = install_path(folder);
        let install = match fs::read_to_string(&path) {
            Ok(text) if is_install(text.trim()) => text.trim().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                format!("{:08x}", getrandom::u32().tried(|| "draw the number of the journal".into())?)
            }
            Ok(_) => return Err(Failure::new(format!("{} has no 8 hexadecimal digits", path.display()), DAMAGED)),
            Err(error) => return Err(error).tried(|| format!("read {}", path.display())),
        };
        Ok(Self { folder: folder.to_owned(), drawn, changed, install })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Unlike that of any other journal: 8 hexadecimal digits. It goes with the journal: one that is begun anew has
    /// another, as what it counts begins at 1 again.
    pub(crate) fn install(&self) -> &str {
        &self.install
    }

    /// The seed of everything that is drawn for `name`.
    pub(crate) fn seed_of(&self, name: &str) -> u64 {
        Random::named(self.seed(), name).bits()
    }

    fn seed(&self) -> u64 {
        u64::from_str_radix(&self.drawn.seed, 16).unwrap_or_default()
    }

    /// What is drawn for the site, drawing what is missing.
    pub(crate) fn site(&mut self, grammar: &Grammar) -> Result<Identity, String> {
        let (mut identity, seed) = (std::mem::take(&mut self.drawn.site), self.seed_of("site"));
        let known = identity.0.len();
        let result = grammar.draw(&mut identity, &Identity::default(), seed);
        self.changed |= identity.0.len() != known;
        self.drawn.site = identity;
        result.map(|()| self.drawn.site.clone())
    }

    /// What is drawn for the device called `name`, drawing what is missing. What the site shares is in it.
    pub(crate) fn device(&mut self, name: &str, grammar: &Grammar) -> Result<Identity, String> {
        let kept = self.drawn.devices.get(name).cloned().unwrap_or_default();
        let (mut identity, mut attempt) = (kept.clone(), 1);
        grammar.draw(&mut identity, &self.drawn.site, self.seed_of(&format!("device {name}")))?;
        let is_new = identity.0.len() != kept.0.len();
        while is_new && attempt < ATTEMPTS && self.is_taken(name, &identity) {
            identity = kept.clone();
            grammar.draw(&mut identity, &self.drawn.site, self.seed_of(&format!("device {name}, again {attempt}")))?;
            attempt += 1;
        }
        self.changed |= is_new;
        let mut whole = self.drawn.site.clone();
        whole.0.extend(identity.0.clone());
        self.drawn.devices.insert(name.to_owned(), identity);
        Ok(whole)
    }

    /// Whether another device than the one called `name` has what only one can have.
    fn is_taken(&self, name: &str, identity: &Identity) -> bool {
        let others = || self.drawn.devices.iter().filter(|(other, _)| *other != name);
        SINGULAR.iter().any(|key| {
            identity.get(key).is_some_and(|drawn| others().any(|(_, identity)| identity.get(key) == Some(drawn)))
        })
    }

    /// Where the certificate of the device called `name` is kept, with its key.
    pub(crate) fn certificate_path(&self, name: &str) -> PathBuf {
        self.folder.join("certificates").join(format!("{name}.pem"))
    }

    /// The certificate of the device called `name`, if it has one.
    pub(crate) fn certificate(&self, name: &str) -> Result<Option<String>, Failure> {
        let path = self.certificate_path(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).tried(|| format!("read {}", path.display())),
        }
    }

    /// Gives the folder and all that is in it to a user and group.
    pub(crate) fn give(&self, user: u32, group: u32) -> Result<(), Failure> {
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            let give = |path: &Path| std::os::unix::fs::lchown(path, Some(user), Some(group));
            let given = give(&folder).and_then(|()| {
                for entry in fs::read_dir(&folder)? {
                    let entry = entry?;
                    give(&entry.path())?;
                    if entry.file_type()?.is_dir() {
                        folders.push(entry.path());
                    }
                }
                Ok(())
            });
            given.tried(|| format!("give {} to the user {user}", folder.display()))?;
        }
        Ok(())
    }

    /// Writes down what was drawn, and holds the folder for this process.
    pub(crate) fn keep(&mut self) -> Result<Hold, Failure> {
        fs::create_dir_all(&self.folder).tried(|| format!("make the state folder {}", self.folder.display()))?;
        let path = self.folder.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .tried(|| format!("write into the state folder {}", self.folder.display()))?;
        if lock.try_lock().is_err() {
            return Err(Failure::new(
                format!("another honeyplant runs with the state folder {}", self.folder.display()),
                "end it first, or give this one a folder of its own with --state DIR",
            ));
        }
        if self.changed {
            let path = self.folder.join("identity.toml");
            let text = toml::to_string(&self.drawn).tried(|| "write down what was drawn".into())?;
            let new = path.with_extension("new");
            fs::write(&new, format!("{HEAD}{text}"))
                .and_then(|()| fs::rename(&new, &path))
                .tried(|| format!("write {}", path.display()))?;
            self.changed = false;
        }
        let path = install_path(&self.folder);
        if !path.exists() {
            let write = || {
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                let new = path.with_extension("new");
                fs::write(&new, format!("{}\n", self.install)).and_then(|()| fs::rename(&new, &path))
            };
            write().tried(|| format!("write {}", path.display()))?;
        }
        Ok(Hold(lock))
    }
}

fn install_path(folder: &Path) -> PathBuf {
    folder.join("journal/install")
}

fn is_install(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// Writes a file that nobody else may read.
pub(crate) fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let new = path.with_extension("new");
    File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?.write_all(text.as_bytes())?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_was_drawn_is_shown_again_and_another_install_draws_otherwise() {
        let grammar: Grammar = toml::from_str("serial = '{0-9A-F}{16}'").unwrap();
        let draw = |folder: &Path| {
            let mut state = State::open(folder).unwrap();
            let identity = state.device("plc", &grammar).unwrap();
            state.keep().unwrap();
            (identity, state.install().to_owned())
        };
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(draw(one.path()), draw(one.path()));
        assert_ne!(draw(one.path()).0, draw(two.path()).0);
        assert_ne!(draw(one.path()).1, draw(two.path()).1);
    }

    #[test]
    fn a_journal_that_is_begun_anew_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let mut state = State::open(folder.path()).unwrap();
            state.keep().unwrap();
            state.install().to_owned()
        };
        let first = open();
        assert_eq!(open(), first);
        fs::remove_dir_all(folder.path().join("journal")).unwrap();
        assert_ne!(open(), first);
        fs::write(folder.path().join("journal/install"), "none").unwrap();
        assert!(State::open(folder.path()).unwrap_err().to_string().contains("journal/install"));
    }

    #[test]
    fn no_two_devices_have_the_same_address() {
        let grammar: Grammar = toml::from_str("mac = '00:80:F4:00:00:0{0-9A-F}'").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("identity.toml"), "seed = '1'").unwrap();
        let mut state = State::open(folder.path()).unwrap();
        let drawn = (0..8).map(|number| state.device(&format!("plc-{number}"), &grammar).unwrap());
        let drawn: BTreeSet<String> = drawn.map(|identity| identity.get("mac").unwrap().to_owned()).collect();
        assert_eq!(drawn.len(), 8);
    }

    #[test]
    fn a_state_folder_serves_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let _hold = State::open(folder.path()).unwrap().keep().unwrap();
        let refused = State::open(folder.path()).unwrap().keep().unwrap_err().to_string();
        assert!(refused.contains("another honeyplant") && refused.contains("--state"), "{refused}");
    }
}
