//! The record as a database that can be asked. Apart, because the command line asks, which neither the journal nor a sink
//! does.

mod network;

pub use network::Network;

use crate::{
    document::Stamp,
    reader::Reader,
    sink::sql::sqlite::{Access, FILE, Keep, Store, StoreError, Trouble},
};
use jiff::Timestamp;
use rusqlite::{functions::FunctionFlags, params_from_iter};
use std::{fmt, net::IpAddr, ops::ControlFlow, path::Path, time::SystemTime};

pub use rusqlite::{
    Result as RowResult, Row,
    types::{Value, ValueRef},
};

/// The tables of `docs/databases.md`, up to date with the journal.
#[derive(Debug)]
pub struct Database {
    store: Store,
    /// The journal that it is filled from; none if it is filled otherwise, or may not be written.
    journal: Option<Reader>,
    /// How much is kept of what is added.
    keep: Option<Keep>,
}

/// Why the database cannot be asked, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseError(pub String);

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DatabaseError {}

impl From<StoreError> for DatabaseError {
    fn from(error: StoreError) -> Self {
        Self(error.words)
    }
}

impl Database {
    /// The database of the state folder `state`, brought up to date with the journal. A site that has none gets one in
    /// memory, filled from the journal. What may not be written is read as it is.
    pub fn open(state: &Path) -> Result<Self, DatabaseError> {
        Self::open_file(state, &state.join(FILE))
    }

    /// As [`Database::open`], with the database at `path`.
    pub fn open_file(state: &Path, path: &Path) -> Result<Self, DatabaseError> {
        if !path.exists() {
            let mut database = Self { journal: Some(Reader::open(state, 0)), ..Self::memory()? };
            database.refresh()?;
            return Ok(database);
        }
        match Self::open_to_write(state, path) {
            Err(error) if error.kind == Trouble::Closed => {
                let store = match Store::open(path, Access::Read) {
                    Err(error) if error.kind == Trouble::Closed => Store::open(path, Access::Still)?,
                    store => store?,
                };
                Self::new(store)
            }
            database => Ok(database?),
        }
    }

    fn open_to_write(state: &Path, path: &Path) -> Result<Self, StoreError> {
        let mut store = Store::open(path, Access::Write)?;
        let journal = store.join(state, u64::MAX)?;
        Ok(Self { journal: Some(journal), ..Self::of(store)? })
    }

    /// An empty database, which is gone with this value.
    pub fn memory() -> Result<Self, DatabaseError> {
        Self::new(Store::passing()?)
    }

    fn new(store: Store) -> Result<Self, DatabaseError> {
        Ok(Self::of(store)?)
    }

    fn of(store: Store) -> Result<Self, StoreError> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        store
            .connection()
            .create_scalar_function("within", 2, flags, |context| {
                let network =
                    context.get_or_create_aux(1, |network| network.as_str()?.parse::<Network>().map_err(box_error))?;
                let address = context.get_raw(0).as_str_or_null().unwrap_or_default();
                Ok(address
                    .and_then(|address| address.parse().ok())
                    .is_some_and(|address: IpAddr| network.contains(address)))
            })
            .map_err(|error| store.error(&error))?;
        Ok(Self { store, journal: None, keep: None })
    }

    /// Brings it up to date with the journal again.
    pub fn refresh(&mut self) -> Result<(), DatabaseError> {
        Ok(self.catch_up()?)
    }

    fn catch_up(&mut self) -> Result<(), StoreError> {
        match &mut self.journal {
            Some(journal) => self.store.catch_up(journal, u64::MAX),
            None => Ok(()),
        }
    }

    /// Bounds what is added, in bytes: the oldest events go first.
    pub const fn keep_size(&mut self, size: u64) {
        self.keep = Some(Keep { size, age: None });
    }

    /// Adds documents, a line each, of one or several installs; each event once. Tells how many lines were no events.
    pub fn add<'a>(
        &mut self,
        lines: impl IntoIterator<Item = &'a str, IntoIter: ExactSizeIterator>,
    ) -> Result<usize, DatabaseError> {
        let lines = lines.into_iter();
        let added = lines.len();
        let broken = self.store.gather(lines)?;
        if let Some(keep) = &self.keep {
            self.store.keep(keep, added)?;
        }
        Ok(broken)
    }

    /// Asks for rows and reads each. Besides the functions of SQLite there is `within(address, network)`, which tells
    /// whether an address is in a network such as `192.0.2.0/24`.
    pub fn rows<T>(
        &self,
        sql: &str,
        parameters: &[Value],
        mut read: impl FnMut(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<T>, DatabaseError> {
        let mut all = Vec::new();
        self.each(sql, parameters, |row| {
            all.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(all)
    }

    /// Asks for rows and reads them one by one, as long as `read` goes on.
    pub fn each(
        &self,
        sql: &str,
        parameters: &[Value],
        mut read: impl FnMut(&Row<'_>) -> RowResult<ControlFlow<()>>,
    ) -> Result<(), DatabaseError> {
        let mut ask = || -> RowResult<()> {
            let mut statement = self.store.connection().prepare_cached(sql)?;
            let mut rows = statement.query(params_from_iter(parameters))?;
            while let Some(row) = rows.next()? {
                if read(row)?.is_break() {
                    break;
                }
            }
            Ok(())
        };
        ask().map_err(|error| self.store.error(&error).into())
    }
}

/// A moment as the tables have it, to be compared with.
pub fn moment(at: Timestamp) -> Value {
    Value::from(Stamp::from(SystemTime::from(at)).to_sqlite())
}

fn box_error(error: String) -> Box<dyn std::error::Error + Send + Sync> {
    error.into()
}
