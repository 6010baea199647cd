//! One connection to a MySQL or MariaDB server, and what is done over it. Apart from the sink, because it is made anew after
//! everything that goes wrong.
//!
//! MySQL 8.4 Reference Manual, chapters 15.2.7 (`INSERT`) and 17.7 (locking); MariaDB takes the same statements.

use super::statements::{TOGETHER, groups, insert, moment};
use crate::sink::{
    Entry,
    sql::{
        rows::Rows,
        schema::{MYSQL, VERSION, newer},
        tables::Record,
        writer::{self, Failure},
    },
};
use mysql::{Conn, Error, Opts, Params, Value, prelude::Queryable};

/// What every session begins with: words that the server may read otherwise, and how long it waits for a lock. With this
/// isolation, sensors lock rows and not the gaps between them.
pub(super) const INIT: [&str; 2] = [
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', SESSION time_zone = '+00:00', \
     SESSION innodb_lock_wait_timeout = 20, SESSION autocommit = 1",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
];

/// What a migration that was broken off has done already: a table, a column, an index is there, or is gone.
const DONE: [u16; 4] = [1050, 1060, 1061, 1091];

/// A deadlock, and a lock that was not had in time.
const CROSSED: [u16; 2] = [1213, 1205];

/// As much of a packet is left for what is not values.
const HEAD: usize = 64 << 10;

/// Packets need not be larger than this.
const PACKET: usize = 4 << 20;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::MySqlError(error) => {
                let words = format!("{} ({})", error.message, error.code);
                if CROSSED.contains(&error.code) { Self::Crossed(words) } else { Self::Lost(words) }
            }
            Error::IoError(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                Self::Lost("the server did not answer in time".into())
            }
            error => Self::Lost(error.to_string()),
        }
    }
}

/// A connection.
pub(super) struct Connection {
    conn: Conn,
    install: String,
    /// How many bytes one statement may carry.
    most: usize,
}

impl Connection {
    pub(super) fn open(options: &Opts, install: &str) -> Result<Self, Failure> {
        let mut conn = Conn::new(options.clone())?;
        let packet: Option<u64> = conn.query_first("SELECT @@max_allowed_packet")?;
        let packet = usize::try_from(packet.unwrap_or_default()).unwrap_or(PACKET);
        let most = packet.clamp(2 * HEAD, PACKET) - HEAD;
        Ok(Self { conn, install: install.to_owned(), most })
    }

    /// The version of the tables; none if there are none.
    fn version(&mut self) -> Result<Option<u32>, Failure> {
        let there = "SELECT count(*) FROM information_schema.tables \
            WHERE table_schema = database() AND table_name = 'honeyplant_version'";
        if self.conn.query_first::<u64, _>(there)?.unwrap_or_default() == 0 {
            return Ok(None);
        }
        let version: Option<Option<i64>> = self.conn.query_first("SELECT max(version) FROM honeyplant_version")?;
        let version = version.flatten().unwrap_or_default();
        match u32::try_from(version) {
            Ok(number) if number <= VERSION => Ok(Some(number)),
            _ => Err(Failure::Lost(newer(version))),
        }
    }

    /// The sequence of the line that this install needs next. Nobody else writes for this install until the end of the
    /// transaction: not even an attempt of ours whose answer was lost.
    fn locked_next(&mut self) -> Result<u64, Failure> {
        for _ in 0..2 {
            let next = "SELECT next FROM position WHERE install = ? FOR UPDATE";
            if let Some(next) = self.conn.exec_first::<i64, _, _>(next, (&self.install,))? {
                return Ok(u64::try_from(next).unwrap_or_default());
            }
            self.conn.exec_drop(
                "INSERT INTO position (install, site, next, last_seen) SELECT ?, '', coalesce(max(sequence) + 1, 0), \
                 '1970-01-01 00:00:00' FROM events WHERE install = ? ON DUPLICATE KEY UPDATE install = VALUES(install)",
                (&self.install, &self.install),
            )?;
        }
        Err(Failure::Crossed("the row of this install in the table position came and went".into()))
    }

    fn enter<R: Record>(&mut self, rows: &[R]) -> Result<(), Failure> {
        let width = R::TABLE.columns.len();
        for group in groups(rows, self.most) {
            if group.len() == TOGETHER * width {
                let statement = self.conn.prep(insert(&R::TABLE, TOGETHER))?;
                self.conn.exec_drop(&statement, Params::Positional(group))?;
            } else {
                self.enter_few::<R>(group, width)?;
            }
        }
        Ok(())
    }

    /// Enters less than [`TOGETHER`] rows, by statements of 1, 2, 4 … of them: few statements are worth keeping.
    fn enter_few<R: Record>(&mut self, mut values: Vec<Value>, width: usize) -> Result<(), Failure> {
        while !values.is_empty() {
            let rows = values.len() / width;
            let count = 1 << rows.ilog2();
            let rest = values.split_off(count * width);
            let statement = self.conn.prep(insert(&R::TABLE, count))?;
            self.conn.exec_drop(&statement, Params::Positional(values))?;
            values = rest;
        }
        Ok(())
    }
}

impl writer::Connection for Connection {
    // Each statement is one that another sensor, or an attempt that was broken off, may have carried out before: only after
    // all of them the version is told.
    fn migrate(&mut self) -> Result<(), Failure> {
        let from = self.version()?;
        if from == Some(VERSION) {
            return Ok(());
        }
        for (version, statements) in MYSQL.migrations(from.unwrap_or(0)) {
            for statement in statements {
                match self.conn.query_drop(&statement) {
                    Err(Error::MySqlError(error)) if DONE.contains(&error.code) => {}
                    outcome => outcome?,
                }
            }
            self.conn.query_drop(
                "CREATE TABLE IF NOT EXISTS honeyplant_version (version INTEGER NOT NULL PRIMARY KEY) ENGINE=InnoDB",
            )?;
            self.conn.query_drop(format!(
                "INSERT INTO honeyplant_version VALUES ({version}) ON DUPLICATE KEY UPDATE version = version"
            ))?;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<u64, Failure> {
        self.conn.query_drop("START TRANSACTION")?;
        let next = self.locked_next()?;
        self.conn.query_drop("ROLLBACK")?;
        Ok(next)
    }

    fn write(&mut self, batch: &[Entry]) -> Result<(), Failure> {
        self.conn.query_drop("START TRANSACTION")?;
        let rows = Rows::read(batch, self.locked_next()?);
        let Some(position) = &rows.position else { return Ok(self.conn.query_drop("ROLLBACK")?) };
        self.enter(&rows.events)?;
        self.enter(&rows.sessions)?;
        self.enter(&rows.logins)?;
        self.enter(&rows.artefacts)?;
        self.enter(&rows.actors)?;
        let advance = "UPDATE position SET site = ?, next = ?, last_seen = greatest(last_seen, ?) WHERE install = ?";
        let last_seen = moment(position.last_seen.timestamp());
        self.conn.exec_drop(advance, (&position.site, position.next, last_seen, &self.install))?;
        Ok(self.conn.query_drop("COMMIT")?)
    }

    fn probe(&mut self) -> Result<String, Failure> {
        let server: String = self.conn.query_first("SELECT version()")?.unwrap_or_default();
        let (number, rest) = server.split_once('-').unwrap_or((&server, ""));
        let product = if rest.contains("MariaDB") { "MariaDB" } else { "MySQL" };
        let server = format!("{product} {number}");
        let Some(version) = self.version()? else {
            return Ok(format!("{server}, its tables are yet to be made"));
        };
        let next = "SELECT coalesce(max(next), 1) FROM position WHERE install = ?";
        let next: i64 = self.conn.exec_first(next, (&self.install,))?.unwrap_or(1);
        let events = next.saturating_sub(1).max(0);
        Ok(format!("{server}, tables of version {version}, {events} events of this install"))
    }
}
