//! A SQLite file: the database that every site has. Apart from the other databases, because it is in this process, and
//! the journal that fills it lies beside it.

mod insert;
mod keep;
mod store;

pub(crate) use keep::Keep;
pub(crate) use store::{Access, Store, StoreError, Trouble};

use crate::sink::{Entry, Home, Pace, Sink, SinkError, SinkKind, Unasked};
use honeyplant_core::settings::{Period, Problem, Problems, Settings, Size};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The name of the file in the state folder.
pub(crate) const FILE: &str = "honeyplant.db";

/// A database in one file, which `honeyplant events`, `sessions` and `report` ask, and every tool that reads SQLite can.
/// Every site has it without asking; `[sinks]` with `sqlite = []` turns it off.
///
/// Its tables are described in `docs/databases.md`. Each event is there exactly once, in the order of the journal, also
/// after a crash, a loss of power, or when the file was deleted: what it lacks is taken from the journal. It may be read
/// while the site runs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Table {
    /// The file. A relative path belongs to the state folder. It must be on a disk of this machine, since network file
    /// systems do not lock as a database needs it.
    path: PathBuf,
    /// How large it may become: the oldest events go first, and with them the logins, sessions, artefacts and actors that
    /// were not seen since. For a moment it may be larger by what is being written. Space that was freed is used again;
    /// the file itself never gets smaller by itself.
    keep_size: Size,
    /// How long events are kept. Without it, age deletes nothing. What is too old goes when something new comes.
    keep_age: Option<Period>,
}

impl Default for Table {
    fn default() -> Self {
        Self { path: FILE.into(), keep_size: Size(10 << 30), keep_age: None }
    }
}

/// The least that a database may be: it would be empty most of the time.
const LEAST: u64 = 1 << 20;

/// The kind `sqlite`.
pub(in crate::sink) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn unasked(&self) -> Unasked {
        Unasked::Always
    }

    fn example(&self) -> &'static str {
        "keep-size = \"20GiB\"\nkeep-age = \"365d\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let (path, mut problems) = (home.state.join(&table.path), Problems::new());
        if path.file_name().is_none() || path.is_dir() {
            let problem = Problem::new(settings.key_of("path"), format!("`{}` is not a file", table.path.display()));
            problems.push(problem.hint("name a file, such as `honeyplant.db`"));
        }
        if table.keep_size.0 < LEAST {
            let problem = Problem::new(settings.key_of("keep-size"), "a database of less than 1 MiB holds nothing");
            problems.push(problem.hint("write it as 500MiB or 10GiB"));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let keep = Keep { size: table.keep_size.0, age: table.keep_age.map(|age| age.0) };
        Ok(Box::new(Sqlite { path, state: home.state.to_owned(), keep, store: None }))
    }
}

/// Writes into the file.
struct Sqlite {
    path: PathBuf,
    state: PathBuf,
    keep: Keep,
    /// The file, opened when there is something to write.
    store: Option<Store>,
}

impl Sqlite {
    fn write(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let Some(first) = batch.first() else { return Ok(()) };
        let store = match &mut self.store {
            Some(store) => store,
            none => {
                let mut store = Store::open(&self.path, Access::Write)?;
                // The cursor of this sink does not know what a loss of power undid, or that the database is new.
                store.join(&self.state, first.sequence)?;
                none.insert(store)
            }
        };
        store.write(batch)?;
        Ok(store.keep(&self.keep, batch.len())?)
    }
}

impl Sink for Sqlite {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let written = self.write(batch);
        if written.is_err() {
            // The next attempt opens it anew: it may be another file by then.
            self.store = None;
        }
        written
    }

    fn pace(&self) -> Pace {
        Pace { most: 4096, every: Duration::from_secs(1) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        probe(&self.path)
    }
}

/// What is at `path`, or whether it could be made. Another process may be writing it: nothing is changed.
fn probe(path: &Path) -> Result<String, SinkError> {
    let name = path.display();
    if path.exists() {
        let store = Store::open(path, Access::Write)?;
        return Ok(format!("{name}, {} events", store.events()?));
    }
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match folder.metadata() {
        Ok(there) if there.permissions().readonly() => {
            Err(SinkError(format!("{} may not be written", folder.display())))
        }
        Ok(_) => Ok(format!("{name}, to be made")),
        Err(error) => Err(SinkError(format!("{}: {error}", folder.display()))),
    }
}
