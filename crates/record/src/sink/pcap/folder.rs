//! The folder of captures: how files are called, which there are, and which go first. Apart, because files of others may
//! lie there too, and nothing here may touch them.

use crate::document::Stamp;
use jiff::{Timestamp, tz::Offset};
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

const SUFFIX: &str = ".pcapng";

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) files: usize,
    pub(super) size: u64,
    pub(super) age: Option<Duration>,
}

/// The captures in a folder.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    bounds: Bounds,
    /// How long each is; none until the folder has been looked at. Their names sort by when they were begun.
    files: Option<BTreeMap<String, u64>>,
    /// The last file of each session.
    sessions: HashMap<u64, String>,
}

impl Folder {
    pub(super) fn new(root: PathBuf, bounds: Bounds) -> Self {
        Self { root, bounds, files: None, sessions: HashMap::new() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Looks which captures there are, once.
    pub(super) fn look(&mut self) -> io::Result<()> {
        if self.files.is_none() {
            let files = list(&self.root)?;
            self.sessions = files.keys().filter_map(|name| Some((session(name)?, name.clone()))).collect();
            self.files = Some(files);
        }
        Ok(())
    }

    /// Forgets what there is, since it may have changed.
    pub(super) fn forget(&mut self) {
        self.files = None;
    }

    /// How many there are, and how long they are together.
    pub(super) fn sum(&mut self) -> io::Result<(usize, u64)> {
        self.look()?;
        Ok(self.files.as_ref().map_or((0, 0), |files| (files.len(), files.values().sum())))
    }

    /// The last file of a session.
    pub(super) fn of(&self, session: u64) -> Option<&str> {
        self.sessions.get(&session).map(String::as_str)
    }

    /// The file that has the sessions of everyone and was begun last.
    pub(super) fn last(&self) -> Option<&str> {
        self.files.as_ref()?.keys().rev().find(|name| session(name).is_none()).map(String::as_str)
    }

    /// The name of a new file: one for a session, or one for all.
    pub(super) fn name(&self, at: Stamp, about: Option<(&str, &str, u64)>) -> String {
        let moment = Offset::UTC.to_datetime(at.timestamp());
        let mut name = moment.strftime("%Y-%m-%d/%H%M%S").to_string();
        if let Some((source, protocol, session)) = about {
            name += &format!("-{}-{}-{session:016x}", safe(source), safe(protocol));
        }
        let taken = |name: &String| self.files.as_ref().is_some_and(|files| files.contains_key(name));
        let numbered = (2..).map(|part| format!("{name}.{part:04}{SUFFIX}"));
        std::iter::once(format!("{name}{SUFFIX}")).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }

    /// A file is so long now.
    pub(super) fn note(&mut self, path: &Path, length: u64) {
        let Some(name) = path.strip_prefix(&self.root).ok().and_then(Path::to_str) else { return };
        if let Some(session) = session(name) {
            self.sessions.insert(session, name.to_owned());
        }
        if let Some(files) = &mut self.files {
            files.insert(name.to_owned(), length);
        }
    }

    /// Deletes the oldest until the bounds are kept; those that are `held` stay.
    pub(super) fn sweep(&mut self, now: Timestamp, held: impl Fn(&Path) -> bool) -> io::Result<()> {
        let Some(files) = &mut self.files else { return Ok(()) };
        let oldest = self.bounds.age.and_then(|age| now.checked_sub(age).ok());
        let oldest = oldest.map(|at| Offset::UTC.to_datetime(at).strftime("%Y-%m-%d/%H%M%S").to_string());
        let mut size: u64 = files.values().sum();
        let names: Vec<String> = files.keys().cloned().collect();
        for name in names {
            let old = oldest.as_ref().is_some_and(|oldest| name < *oldest);
            if !old && size <= self.bounds.size && files.len() <= self.bounds.files {
                break;
            }
            let path = self.root.join(&name);
            if held(&path) {
                continue;
            }
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            size -= files.remove(&name).unwrap_or_default();
            if let Some(session) = session(&name)
                && self.sessions.get(&session) == Some(&name)
            {
                self.sessions.remove(&session);
            }
            // It goes if that was the last of the day.
            let _ = path.parent().map(fs::remove_dir);
        }
        Ok(())
    }
}

/// The captures below a folder, by names such as `2026-11-22/034600-192.0.2.1-modbus-00000000000000ff.pcapng`.
fn list(root: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut files = BTreeMap::new();
    let days = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        days => days?,
    };
    for day in days {
        let day = day?;
        let Some(date) = day.file_name().to_str().filter(|name| is_like(name, "0000-00-00")).map(str::to_owned) else {
            continue;
        };
        for file in fs::read_dir(day.path())? {
            let file = file?;
            if let Some(name) = file.file_name().to_str()
                && name.get(..6).is_some_and(|time| is_like(time, "000000"))
                && name.ends_with(SUFFIX)
            {
                files.insert(format!("{date}/{name}"), file.metadata()?.len());
            }
        }
    }
    Ok(files)
}

fn is_like(name: &str, form: &str) -> bool {
    let fits =
        |(character, form): (char, char)| if form == '0' { character.is_ascii_digit() } else { character == form };
    name.len() == form.len() && name.chars().zip(form.chars()).all(fits)
}

/// The session of which a file of this name is.
fn session(name: &str) -> Option<u64> {
    let name = name.strip_suffix(SUFFIX)?.rsplit_once('/')?.1;
    let (_, last) = name.rsplit_once('-')?;
    let number = last.split('.').next()?;
    (number.len() == 16).then(|| u64::from_str_radix(number, 16).ok())?
}

/// Nothing but what every file system takes.
fn safe(text: &str) -> String {
    text.chars().take(64).map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' }).collect()
}
