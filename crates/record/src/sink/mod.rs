//! Where the record is carried to, and the list of it. Apart, because a new sink is one file here and two lines below.

mod amqp;
mod clickhouse;
mod console;
mod elastic;
mod form;
mod hpfeeds;
mod json_lines;
mod kafka;
mod link;
mod live;
mod message;
mod misp;
mod mqtt;
mod nats;
mod pcap;
mod prometheus;
mod redis;
#[cfg(test)]
mod sample;
mod secret;
mod sharing;
mod splunk;
pub(crate) mod sql;
mod stix;
mod syslog;
mod taxii;
mod uuid;
mod web;
mod webhook;

pub use console::{Colour, Console, line};
pub use form::Form;
pub use json_lines::JsonLines;
pub use link::TlsSettings;
pub use secret::Secret;

use crate::{compose::Observer, document::Document, follow::Standing};
use honeyplant_core::settings::{Problems, Settings};
use schemars::{Schema, SchemaGenerator};
use std::{fmt, io, path::Path, time::Duration};

/// Every kind of sink.
pub static SINKS: &[&dyn SinkKind] = &[
    &amqp::Kind,
    &clickhouse::Kind,
    &console::Kind,
    &elastic::Kind,
    &hpfeeds::Kind,
    &json_lines::Kind,
    &kafka::Kind,
    &misp::Kind,
    &mqtt::Kind,
    &nats::Kind,
    &pcap::Kind,
    &prometheus::Kind,
    &redis::Kind,
    &splunk::Kind,
    &sql::mysql::Kind,
    &sql::postgres::Kind,
    &sql::sqlite::Kind,
    &stix::file::Kind,
    &syslog::Kind,
    &taxii::Kind,
    &webhook::Kind,
];

/// One kind of sink, as sites ask for it.
pub trait SinkKind: Sync {
    /// The key under which sites configure it.
    fn name(&self) -> &'static str;

    /// Where a sink of this kind starts that has never run.
    fn start(&self) -> Start {
        Start::Beginning
    }

    /// Whether a site has such a sink without asking for one.
    fn unasked(&self) -> Unasked {
        Unasked::Never
    }

    /// What a site may write to have such a sink: the lines below its `[[sinks.NAME]]`, as the documentation shows them.
    fn example(&self) -> &'static str;

    /// The JSON Schema of its table in a site.
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;

    /// Makes a sink of this table. Nothing is connected, opened or bound yet; that is done when there is something to
    /// deliver, or to be probed.
    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems>;
}

/// When a site has a sink without asking for one. A list of its kind that is empty says that there is to be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unasked {
    /// Not at all.
    Never,
    /// When it asks for no sink of any kind.
    Alone,
    /// Always.
    Always,
}

/// The install that a sink serves.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// The state folder, to which relative paths belong.
    pub state: &'a Path,
    /// Who keeps the record.
    pub observer: &'a Observer,
    /// The name of the sink, under which its cursor is kept.
    pub name: &'a str,
}

/// Where a sink starts in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the oldest event; later where it last got to. What it still needs is kept for it.
    Beginning,
    /// With what is recorded from now on, each time.
    Now,
}

/// Somewhere that the record is carried to. Runs on a thread of its own and may block.
pub trait Sink: Send {
    /// Takes a batch, all or nothing. After an error the same batch comes again, later.
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError>;

    /// Is given, before its first batch, where it can see how far the journal and all sinks have come.
    fn attend(&mut self, standing: Standing) {
        drop(standing);
    }

    /// How much it wants at once, and how often.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// Tries all that a delivery needs, without delivering anything: names are resolved, connections made, rights and
    /// tables looked at. What was found is told in a few words, such as `PostgreSQL 15.4, 120 events`.
    fn probe(&mut self) -> Result<String, SinkError>;
}

/// How much a sink wants at once. A batch is smaller if there is no more, or if its lines are long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The most lines of a batch.
    pub most: usize,
    /// How long after a batch that had all there was the next begins, at the earliest; who is behind does not wait, nor does
    /// the end of the program.
    pub every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { most: 512, every: Duration::ZERO }
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the journal.
    pub sequence: u64,
    /// The document, without the end of the line.
    pub line: String,
}

impl Entry {
    /// The line as a document.
    pub fn document(&self) -> serde_json::Result<Document<'static>> {
        serde_json::from_str(&self.line)
    }
}

/// Why a sink did not take a batch, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkError(pub String);

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SinkError {}

impl From<io::Error> for SinkError {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}
