//! How the journal is kept, as operators write it. Apart, because the site reads it long before there is a journal.

use honeyplant_core::settings::{Period, Size};
use schemars::JsonSchema;
use serde::Deserialize;

/// The `[journal]` table of a site.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct JournalSettings {
    /// How long a segment gets before the next begins; each day begins a new one as well.
    pub segment_size: Size,
    /// How much is kept: the oldest segments go first. What a sink still needs is never deleted: the site stops
    /// reading from peers instead, until the sink has caught up.
    pub keep_size: Size,
    /// How long it is kept. Without it, age deletes nothing.
    pub keep_age: Option<Period>,
    /// When the disk is told to keep what was written, against a loss of power. Against a crash of honeyplant alone,
    /// none is needed.
    pub sync: Fsync,
}

/// When what was written is brought from the memory of the system to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fsync {
    /// When the system sees fit.
    Never,
    /// With every beat of 5 ms in which something was written.
    Beat,
    /// Once a second, if something was written.
    #[default]
    Second,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self { segment_size: Size(64 << 20), keep_size: Size(10 << 30), keep_age: None, sync: Fsync::default() }
    }
}
