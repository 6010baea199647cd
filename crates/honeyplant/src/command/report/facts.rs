//! What a report says, before it is written in any form. Apart, because the page, JSON and comma-separated values say the
//! same.

use serde::Serialize;

/// A report.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    /// When it was made; all times are UTC.
    pub(super) made: String,
    pub(super) version: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Where the period before begins, which ends at `from` and is as long.
    pub(super) before: String,
    /// Whether there is a record of all of the period before.
    pub(super) before_is_whole: bool,
    /// What was asked for besides the time.
    pub(super) filters: Vec<String>,
    /// What matters first.
    pub(super) sentences: Vec<String>,
    pub(super) figures: Figures,
    pub(super) figures_before: Figures,
    pub(super) sensors: Vec<Sensor>,
    pub(super) timeline: Timeline,
    pub(super) services: Vec<Service>,
    pub(super) sources: Table<Actor>,
    pub(super) techniques: Vec<Technique>,
    pub(super) writes: Table<Write>,
    pub(super) commands: Table<Command>,
    pub(super) logins: Table<Login>,
    pub(super) tools: Table<Tool>,
    pub(super) artefacts: Table<Artefact>,
    pub(super) countries: Table<Country>,
    pub(super) sessions: Table<Session>,
}

/// The first rows of something, and how many there are.
#[derive(Debug, Default, Serialize)]
pub(super) struct Table<T> {
    pub(super) rows: Vec<T>,
    pub(super) total: u64,
}

/// What was counted in one period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Figures {
    pub(super) events: u64,
    pub(super) sessions: u64,
    pub(super) sources: u64,
    /// Sources that were never seen before.
    pub(super) new_sources: u64,
    pub(super) writes: u64,
    pub(super) writes_done: u64,
    pub(super) commands: u64,
    pub(super) commands_done: u64,
    pub(super) logins: u64,
    pub(super) logins_accepted: u64,
    pub(super) artefacts: u64,
    pub(super) severity: u8,
}

#[derive(Debug, Serialize)]
pub(super) struct Sensor {
    pub(super) install: String,
    pub(super) site: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) events: u64,
    pub(super) starts: u64,
}

/// Sessions and events over time.
#[derive(Debug, Default, Serialize)]
pub(super) struct Timeline {
    /// How long each step is.
    pub(super) seconds: i64,
    pub(super) steps: Vec<Step>,
}

/// By severity: 0 to 2, 3 to 5, 6 and 7, 8 to 10.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Step {
    pub(super) start: String,
    pub(super) sessions: [u64; 4],
    pub(super) events: [u64; 4],
}

/// A protocol as a device offers it.
#[derive(Debug, Serialize)]
pub(super) struct Service {
    pub(super) device: String,
    pub(super) protocol: String,
    pub(super) sessions: u64,
    pub(super) events: u64,
    pub(super) severity: u8,
}

#[derive(Debug, Serialize)]
pub(super) struct Actor {
    pub(super) address: String,
    pub(super) country: String,
    pub(super) network: String,
    pub(super) tool: String,
    pub(super) sessions: u64,
    pub(super) events: u64,
    pub(super) severity: u8,
    pub(super) first: String,
    pub(super) last: String,
    /// Whether it was never seen before.
    pub(super) new: bool,
    /// What it did, and how often.
    pub(super) actions: Vec<(String, u64)>,
    pub(super) devices: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Technique {
    pub(super) tactic: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) reference: String,
    pub(super) events: u64,
    pub(super) events_before: u64,
    pub(super) sources: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Write {
    pub(super) device: String,
    pub(super) protocol: String,
    /// The tags, or where in which memory.
    pub(super) what: String,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) source: String,
    pub(super) outcome: String,
    pub(super) times: u64,
    pub(super) last: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Command {
    pub(super) what: String,
    pub(super) device: String,
    pub(super) protocol: String,
    pub(super) outcome: String,
    pub(super) times: u64,
    pub(super) sources: u64,
    pub(super) source: String,
    pub(super) severity: u8,
    pub(super) last: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) protocols: String,
    pub(super) times: u64,
    pub(super) accepted: u64,
    pub(super) sources: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) sessions: u64,
    pub(super) sources: u64,
    pub(super) severity: u8,
    pub(super) protocols: String,
    /// Whether the period before did not have it.
    pub(super) new: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Artefact {
    pub(super) sha256: String,
    pub(super) size: Option<u64>,
    pub(super) times: u64,
    pub(super) sources: u64,
    pub(super) device: String,
    pub(super) protocol: String,
    /// What it was called.
    pub(super) name: String,
    pub(super) first: String,
    /// Whether it was never seen before.
    pub(super) new: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Country {
    pub(super) code: String,
    pub(super) sources: u64,
    pub(super) sessions: u64,
    pub(super) severity: u8,
    pub(super) sessions_before: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) country: String,
    pub(super) network: String,
    pub(super) tool: String,
    pub(super) device: String,
    pub(super) protocol: String,
    pub(super) began: String,
    pub(super) seconds: f64,
    pub(super) ending: String,
    pub(super) events: u64,
    pub(super) severity: u8,
    /// The gravest of its events, in their order.
    pub(super) timeline: Vec<Moment>,
}

#[derive(Debug, Serialize)]
pub(super) struct Moment {
    pub(super) at: String,
    pub(super) action: String,
    pub(super) severity: u8,
    pub(super) message: String,
}

impl Figures {
    pub(super) const fn is_empty(&self) -> bool {
        self.events == 0
    }
}

/// Which of four bands a severity is in.
pub(super) const fn band(severity: u8) -> usize {
    match severity {
        0..=2 => 0,
        3..=5 => 1,
        6 | 7 => 2,
        _ => 3,
    }
}

/// What the bands are called.
pub(super) const BANDS: [&str; 4] =
    ["0–2 looking around", "3–5 reading, logging in", "6–7 preparing, leaving files", "8–10 changing, stopping"];
