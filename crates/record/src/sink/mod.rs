//! Where the record is carried to, and the list of it. Apart, because a new sink is one file here and two lines below.

mod console;
mod json_lines;

pub use console::{Colour, Console, line};
pub use json_lines::JsonLines;

use crate::document::Document;
use honeyplant_core::settings::{Problems, Settings};
use schemars::{Schema, SchemaGenerator};
use std::{fmt, io, path::Path};

/// Every kind of sink.
pub static SINKS: &[&dyn SinkKind] = &[&console::Kind, &json_lines::Kind];

/// One kind of sink, as sites ask for it.
pub trait SinkKind: Sync {
    /// The key under which sites configure it.
    fn name(&self) -> &'static str;

    /// Where a sink of this kind starts that has never run.
    fn start(&self) -> Start;

    /// The JSON Schema of its table in a site.
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;

    /// Makes a sink of this table. `state` is the state folder, to which relative paths belong.
    fn build(&self, settings: &Settings<'_>, state: &Path) -> Result<Box<dyn Sink>, Problems>;
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
