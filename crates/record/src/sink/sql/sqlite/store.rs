//! A SQLite file with the tables: opened, brought to the version of this program, written to. Apart from the sink, because
//! the command line opens the same file and brings it up to date by the same steps.

use super::{
    insert::Inserts,
    keep::{Keep, prune},
};
use crate::{
    reader::Reader,
    sink::{
        Entry, SinkError,
        sql::{
            rows::Rows,
            schema::{SQLITE, VERSION, newer},
        },
    },
};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, config::DbConfig};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What SQLite's file header calls a file of ours: the bytes `hpla`.
const APPLICATION: i64 = 0x6870_6C61;

/// How long another process that writes is waited for.
const BUSY: Duration = Duration::from_secs(20);

/// How many lines are read from the journal at once to catch up with it.
pub(crate) const MOST: usize = 4096;

/// How many lines of the journal a loss of power may have undone: more than a second of them.
const LOST: u64 = 200_000;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To be written, made if it is not there.
    Write,
    /// To be read, as it is.
    Read,
    /// To be read where not even the files beside it that readers use can be made.
    Still,
}

/// An open database.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    /// How the file is called in messages.
    path: PathBuf,
}

impl Store {
    /// Opens the file at `path`.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        let fail = |error| StoreError::new(path, &error);
        let connection = match access {
            Access::Write => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).map_err(|error| StoreError {
                        kind: Trouble::Closed,
                        words: format!("{}: {error}", folder.display()),
                    })?;
                }
                Connection::open(path)
            }
            Access::Read => Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY),
            Access::Still => {
                let escaped = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
            }
        }
        .map_err(fail)?;
        let mut store = Self { connection, path: path.to_owned() };
        store.connection.busy_timeout(BUSY).map_err(fail)?;
        if access == Access::Write {
            // What another program put into the file is never run: neither views nor triggers are ours.
            let _ = store.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true);
            store.connection.execute_batch("PRAGMA page_size = 16384; PRAGMA trusted_schema = OFF;").map_err(fail)?;
            store.migrate()?;
            // A commit is then an append to the log beside the file; a loss of power may undo the last of them, which are
            // taken from the journal again.
            store
                .connection
                .execute_batch(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768;
                     PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864;",
                )
                .map_err(fail)?;
        } else {
            store.check()?;
        }
        Ok(store)
    }

    /// A database that is gone when this is: in memory, and in a file without a name once it is large.
    pub(crate) fn passing() -> Result<Self, StoreError> {
        let path = Path::new("a database in memory");
        let connection = Connection::open("").map_err(|error| StoreError::new(path, &error))?;
        let mut store = Self { connection, path: path.to_owned() };
        let pragmas = "PRAGMA page_size = 16384; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;
                       PRAGMA cache_size = -65536;";
        store.connection.execute_batch(pragmas).map_err(|error| store.error(&error))?;
        store.migrate()?;
        Ok(store)
    }

    /// The connection, to ask what it holds.
    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What `error` of the connection says to an operator.
    pub(crate) fn error(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::new(&self.path, error)
    }

    /// The sequence of the line of the journal that is needed next; 0 if there is none yet.
    pub(crate) fn next(&self) -> Result<u64, StoreError> {
        next(&self.connection).map_err(|error| self.error(&error))
    }

    /// How many events there are, about: as many as were entered and not deleted.
    pub(crate) fn events(&self) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(max(rowid) - min(rowid) + 1, 0) FROM events";
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|error| self.error(&error))
    }

    /// Writes those lines of a batch of the journal that are not there yet, in one transaction with the place that was
    /// reached: whoever else writes at the same time, each line is there once.
    pub(crate) fn write(&mut self, batch: &[Entry]) -> Result<(), StoreError> {
        let path = &self.path;
        let fail = |error| StoreError::new(path, &error);
        let from = next(&self.connection).map_err(fail)?;
        let mut rows = Rows::read(batch, from);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let now = next(&transaction).map_err(fail)?;
        let known = batch.get(..batch.partition_point(|entry| entry.sequence < now)).unwrap_or_default();
        if let Some(entry) = first_other(&transaction, known).map_err(fail)? {
            // The journal begins anew, or lost its end with the power: what happens from here on is new, though its
            // numbers are not, and takes the place of what they stood for.
            rows = Rows::read(batch, entry.sequence);
        } else if now != from {
            rows = Rows::read(batch, now);
        }
        Inserts::new(&transaction).write(&rows).map_err(fail)?;
        transaction.commit().map_err(fail)
    }

    /// Makes journal and database agree up to the line `until`. A loss of power may have undone the last transactions of
    /// the database, or the last lines of the journal; or the database is new.
    pub(crate) fn join(&mut self, state: &Path, until: u64) -> Result<Reader, StoreError> {
        let next = self.next()?;
        let (mut journal, mut batch) = (Reader::open(state, next.saturating_sub(1)), Vec::new());
        let unread = |error| StoreError { kind: Trouble::Other, words: format!("the journal cannot be read: {error}") };
        journal.read(&mut batch, 1).map_err(unread)?;
        let is_other = batch.first().map_or(Ok(false), |last| is_another(&self.connection, last));
        let from = if is_other.map_err(|error| self.error(&error))? { next.saturating_sub(LOST) } else { next };
        let mut journal = Reader::open(state, from);
        self.catch_up(&mut journal, until)?;
        Ok(journal)
    }

    /// Writes what the journal has and the database does not, up to the line `until`.
    pub(crate) fn catch_up(&mut self, journal: &mut Reader, until: u64) -> Result<(), StoreError> {
        let mut batch = Vec::new();
        loop {
            batch.clear();
            journal.read(&mut batch, MOST).map_err(|error| StoreError {
                kind: Trouble::Other,
                words: format!("the journal cannot be read: {error}"),
            })?;
            let length = batch.partition_point(|entry| entry.sequence < until);
            if length == 0 {
                return Ok(());
            }
            batch.truncate(length);
            self.write(&batch)?;
        }
    }

    /// Writes lines of any installs, each event once. Tells how many were no events.
    pub(crate) fn gather<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) -> Result<usize, StoreError> {
        let path = &self.path;
        let fail = |error| StoreError::new(path, &error);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let mut fresh = std::collections::HashSet::new();
        let (rows, broken) = {
            let sql = "SELECT 1 FROM events WHERE install = ?1 AND sequence = ?2";
            let mut known = transaction.prepare_cached(sql).map_err(fail)?;
            Rows::gather(lines, |install, sequence| {
                !known.exists((install, sequence)).unwrap_or(false) && fresh.insert((install.to_owned(), sequence))
            })
        };
        Inserts::new(&transaction).write(&rows).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        Ok(broken)
    }

    /// Deletes a piece of what is too old or too much, at least as much as `added` events are.
    pub(crate) fn keep(&mut self, keep: &Keep, added: usize) -> Result<(), StoreError> {
        let path = &self.path;
        prune(&mut self.connection, keep, added).map_err(|error| StoreError::new(path, &error))
    }

    /// Makes the tables, or makes those of an older version into what they are now.
    fn migrate(&mut self) -> Result<(), StoreError> {
        if self.check()? == VERSION {
            return Ok(());
        }
        let path = self.path.clone();
        let fail = |error| StoreError::new(&path, &error);
        // Immediate: of two processes that find an old version, the second finds the new one.
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .and_then(|()| {
                let from = version(&self.connection)?;
                for (version, statements) in SQLITE.migrations(u32::try_from(from).unwrap_or(u32::MAX)) {
                    for statement in statements {
                        self.connection.execute_batch(&statement)?;
                    }
                    self.connection.pragma_update(None, "user_version", version)?;
                }
                self.connection.pragma_update(None, "application_id", APPLICATION)?;
                self.connection.execute_batch("COMMIT")
            })
            .map_err(|error| {
                let _ = self.connection.execute_batch("ROLLBACK");
                fail(error)
            })
    }

    /// The version of the tables. The error is that they are not ours, or newer.
    fn check(&self) -> Result<u32, StoreError> {
        let fail = |error| self.error(&error);
        // One look at all three: another process may be making the tables.
        let connection = &self.connection.unchecked_transaction().map_err(fail)?;
        let version = version(connection).map_err(fail)?;
        let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(fail)?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
        let foreign = |words: String| StoreError { kind: Trouble::Other, words };
        let name = self.path.display();
        if application != APPLICATION && (tables > 0 || application != 0) {
            return Err(foreign(format!("{name} is a database of another program; name another file")));
        }
        match u32::try_from(version) {
            Ok(version) if version <= VERSION => Ok(version),
            _ => Err(foreign(format!("{name}: {}", newer(version)))),
        }
    }
}

/// A file belongs to one journal at a time; one that was begun anew is another install, and what was before it stays.
fn next(connection: &Connection) -> rusqlite::Result<u64> {
    let mut statement =
        connection.prepare_cached("SELECT coalesce((SELECT next FROM position ORDER BY last_seen DESC LIMIT 1), 0)")?;
    statement.query_row([], |row| row.get::<_, i64>(0)).map(|next| u64::try_from(next).unwrap_or_default())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The first of these lines in whose place the table has another event.
fn first_other<'a>(connection: &Connection, known: &'a [Entry]) -> rusqlite::Result<Option<&'a Entry>> {
    match known.last() {
        Some(last) if is_another(connection, last)? => {}
        _ => return Ok(None),
    }
    let (mut same, mut other) = (0, known.len() - 1);
    while same < other {
        let middle = same.midpoint(other);
        match known.get(middle) {
            Some(entry) if !is_another(connection, entry)? => same = middle + 1,
            _ => other = middle,
        }
    }
    Ok(known.get(other))
}

/// Whether the table has another event in the place of this line.
fn is_another(connection: &Connection, entry: &Entry) -> rusqlite::Result<bool> {
    let rows = Rows::read(std::slice::from_ref(entry), 0);
    let Some(event) = rows.events.first() else { return Ok(false) };
    let sql = "SELECT document <> ?3 FROM events WHERE install = ?1 AND sequence = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row((&event.install, event.sequence, &event.document), |row| row.get(0)).optional()?;
    Ok(found.unwrap_or(false))
}

/// Why the database cannot be used.
#[derive(Clone, Debug)]
pub(crate) struct StoreError {
    pub(crate) kind: Trouble,
    pub(crate) words: String,
}

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may be read only, or not even that.
    Closed,
    /// Anything else.
    Other,
}

impl StoreError {
    fn new(path: &Path, error: &rusqlite::Error) -> Self {
        let name = path.display();
        let (mut kind, mut words) = (Trouble::Other, format!("{name}: {error}"));
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                words = format!(
                    "{name} is damaged, or is no database ({error}); move it and the files beside it (-wal, -shm) away, \
                     and it is made anew from the journal"
                );
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => kind = Trouble::Closed,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                words = format!("{name}: another program has held it for {} s", BUSY.as_secs());
            }
            Some(ErrorCode::DiskFull) => words = format!("{name}: the disk is full"),
            _ => {}
        }
        Self { kind, words }
    }
}

impl From<StoreError> for SinkError {
    fn from(error: StoreError) -> Self {
        Self(error.words)
    }
}
