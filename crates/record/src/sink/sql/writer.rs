//! The sink of every database on a server: connected when there is something to write, and anew after everything that goes
//! wrong. Apart, because the servers differ in how they are spoken to, not in what is done.

use crate::{
    reader::Reader,
    sink::{Entry, Pace, Sink, SinkError},
};
use std::{fmt, io, path::PathBuf, time::Duration};

/// How often a transaction is tried that others got in the way of.
const ATTEMPTS: usize = 4;

/// How many lines go into one transaction.
const MOST: usize = 4096;

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// Others got in the way; it is to be tried again at once.
    Crossed(String),
    /// What must be waited for, or mended by the operator.
    Lost(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crossed(why) | Self::Lost(why) => f.write_str(why),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Lost(error.to_string())
    }
}

/// A way to a database.
pub(super) trait Remote: Send {
    type Connection: Connection + Send;

    /// Connects and logs in.
    fn connect(&self) -> Result<Self::Connection, Failure>;

    /// What messages call it.
    fn name(&self) -> &str;
}

/// A connection.
pub(super) trait Connection {
    /// Makes the tables, or brings them to this version.
    fn migrate(&mut self) -> Result<(), Failure>;

    /// The sequence of the line that this install needs next; 0 if it is new here.
    fn next(&mut self) -> Result<u64, Failure>;

    /// Writes those lines of `batch` that are not there, in one transaction.
    fn write(&mut self, batch: &[Entry]) -> Result<(), Failure>;

    /// What is there, and whether it may be written.
    fn probe(&mut self) -> Result<String, Failure>;
}

/// Writes the record of this install into a database.
pub(super) struct Writer<R: Remote> {
    remote: R,
    /// The state folder, in which the journal is.
    state: PathBuf,
    connection: Option<R::Connection>,
}

impl<R: Remote> Writer<R> {
    pub(super) const fn new(remote: R, state: PathBuf) -> Self {
        Self { remote, state, connection: None }
    }

    fn attempt(&mut self, batch: &[Entry]) -> Result<(), Failure> {
        let Some(first) = batch.first() else { return Ok(()) };
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let mut connection = self.remote.connect()?;
                connection.migrate()?;
                let next = connection.next()?;
                // The database lost its last transactions, or is another one than the cursor of the sink knows.
                let (mut reader, mut lines) = (Reader::open(&self.state, next), Vec::new());
                while reader.next() < first.sequence {
                    lines.clear();
                    reader.read(&mut lines, MOST)?;
                    lines.retain(|entry| entry.sequence < first.sequence);
                    if lines.is_empty() {
                        break;
                    }
                    connection.write(&lines)?;
                }
                none.insert(connection)
            }
        };
        connection.write(batch)
    }

    fn failed(&self, failure: &Failure) -> SinkError {
        SinkError(format!("{}: {failure}", self.remote.name()))
    }
}

impl<R: Remote> Sink for Writer<R> {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let mut attempts = 1;
        loop {
            let outcome = self.attempt(batch);
            if outcome.is_err() {
                self.connection = None;
            }
            match outcome {
                Err(Failure::Crossed(_)) if attempts < ATTEMPTS => attempts += 1,
                outcome => return outcome.map_err(|failure| self.failed(&failure)),
            }
        }
    }

    fn pace(&self) -> Pace {
        Pace { most: MOST, every: Duration::from_millis(200) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let found = self.remote.connect().and_then(|mut connection| connection.probe());
        found.map_err(|failure| self.failed(&failure))
    }
}
