//! The record: one journal that everything is written to first, and the sinks that follow it.
//!
//! Threads and blocking IO, nothing asynchronous; and no protocol is known by name, so that a new one is recorded and
//! carried everywhere without a word here.

mod artefacts;
pub mod attack;
mod compose;
pub mod database;
pub mod document;
mod fold;
mod follow;
mod journal;
pub mod meaning;
mod notice;
mod pulse;
mod reader;
mod repair;
mod segment;
mod series;
mod settings;
mod shelf;
mod sidecar;
pub mod sink;
mod stamp;
mod writer;

pub use artefacts::{ArtefactSettings, Artefacts};
pub use compose::{Composer, Observer};
pub use follow::{Behind, Standing};
pub use journal::Journal;
pub use notice::Notice;
pub use reader::{Gap, Reader};
pub use repair::Mended;
pub use settings::{Fsync, JournalSettings};
