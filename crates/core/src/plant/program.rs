//! What a device's CPU runs, as the plant sees it. Apart, because the plant is stepped by whoever keeps time and knows
//! nothing of the language that a program is written in.

use super::{Plant, Value};
use crate::cpu::Start;
use std::{collections::BTreeMap, fmt, time::Duration};

/// When a scan takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time since the CPU started; it never goes back.
    pub uptime: Duration,
    /// The device's clock, as time since 1970.
    pub clock: Duration,
}

/// When a program has to be scanned again for anything to be different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// At its next scan.
    Next,
    /// At this uptime, or as soon as somebody else changes the memory: a timer runs.
    Until(Duration),
    /// As soon as somebody else changes the memory.
    Still,
}

/// Why a CPU stopped by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line of the program, counted from 1.
    pub line: usize,
    /// What happened, such as `the scan took more than 1000000 steps`.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {} of the program)", self.why, self.line)
    }
}

/// A program that was compiled for the tags of one kind of plant.
pub trait Program: Send + Sync {
    /// Adds the tags that the program itself declares. Called once for each plant, after those of its profile.
    fn declare(&self, plant: &mut Plant);

    /// The program ready for its first scan of a plant; `seed` is that of its noise.
    fn start(&self, seed: u64) -> Box<dyn Task>;
}

/// A program at work on one plant.
pub trait Task: Send {
    /// Runs it once.
    fn scan(&mut self, plant: &mut Plant, at: Moment) -> Result<Rest, Fault>;

    /// Puts every variable back to its initial value, but for those that are RETAIN unless it starts cold.
    fn restart(&mut self, plant: &mut Plant, start: Start);

    /// The RETAIN variables by their names (`hours`, `pump_1.hours`, `log[3]`).
    fn retained(&self) -> BTreeMap<String, Value>;

    /// Puts back what [`Task::retained`] gave; what the program does not know (any more) is passed over.
    fn restore(&mut self, retained: &BTreeMap<String, Value>);
}
