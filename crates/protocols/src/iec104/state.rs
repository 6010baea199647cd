//! What a device remembers between its masters: what it has told, what is selected, what is going on. Apart from
//! `station.rs`, which never changes once a device runs.

use super::{
    asdu::Header,
    control::Instruction,
    element::{Information, Reading, Time, quality},
    point::Sample,
    settings::TimeTag,
    station::Station,
};
use honeyplant_core::{cpu::Mode, device::Device};
use smallvec::SmallVec;
use std::{collections::VecDeque, time::Instant};

#[derive(Debug)]
pub(super) struct State {
    /// How often the device had been restarted when all this began.
    boots: u32,
    /// Whether a master was told that the device has initialised.
    pub(super) announced: bool,
    /// How far the clock of time tags is from that of the device, in milliseconds.
    pub(super) offset: i64,
    pub(super) synchronised: bool,
    /// By station, then by point.
    pub(super) tracks: Vec<Vec<Track>>,
    pub(super) selections: Vec<Selection>,
    pub(super) running: Vec<Running>,
    /// What a master is still to be told.
    pub(super) reports: VecDeque<Report>,
    /// How the plant was when points were last looked at.
    pub(super) seen: Option<(u64, Mode)>,
    /// When the next point is due to be told whether it has changed or not.
    pub(super) due: Option<Instant>,
}

/// What is remembered of a point.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    /// What masters know of it.
    pub(super) told: Option<Sample>,
    /// The deadband that a master has set.
    pub(super) deadband: Option<f64>,
    pub(super) cyclic: Option<Instant>,
    pub(super) background: Option<Instant>,
    /// Whether a master has stopped its cyclic transmission.
    pub(super) paused: bool,
    pub(super) counter: Counter,
}

/// What is remembered of a total.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter {
    /// What its tag said when it was reset.
    pub(super) base: f64,
    pub(super) frozen: Option<f64>,
    /// How often it was frozen.
    pub(super) number: u8,
    /// In which period of the clock it was last looked at.
    pub(super) period: Option<i64>,
}

/// A command that is selected.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) station: usize,
    pub(super) control: usize,
    /// Who has selected it: the conversation and the originator.
    pub(super) by: (u64, u8),
    pub(super) until: Instant,
    /// What is to be executed: the type, and the instruction without its time.
    pub(super) order: (u8, Instruction),
}

/// A command that is going on.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) station: usize,
    pub(super) control: usize,
    /// The conversation that is told of its end.
    pub(super) by: u64,
    pub(super) header: Header,
    pub(super) body: SmallVec<[u8; 24]>,
    /// The point that tells what came of it, and what is to come of it.
    pub(super) feedback: Option<(usize, Target)>,
    pub(super) until: Instant,
}

/// What is to come of a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    On(bool),
    Above(f64),
    Below(f64),
    Near(f64),
    Bits(u32),
}

/// Something that a master is to be told without having asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) station: usize,
    pub(super) point: usize,
    pub(super) cause: u8,
    pub(super) time_tag: TimeTag,
    pub(super) reading: Reading,
    pub(super) time: Time,
    /// Whether the clock was right then.
    pub(super) valid: bool,
}

impl State {
    pub(super) fn new(stations: &[Station], synchronised: bool) -> Self {
        Self {
            boots: 0,
            announced: false,
            offset: 0,
            synchronised,
            tracks: stations.iter().map(|station| vec![Track::default(); station.points.len()]).collect(),
            selections: Vec::new(),
            running: Vec::new(),
            reports: VecDeque::new(),
            seen: None,
            due: None,
        }
    }

    /// A device that was restarted remembers its clock only.
    pub(super) fn follow(&mut self, device: &Device) {
        if self.boots == device.boots() {
            return;
        }
        let tracks = self.tracks.iter().map(|tracks| vec![Track::default(); tracks.len()]).collect();
        let (boots, offset, synchronised) = (device.boots(), self.offset, self.synchronised);
        *self = Self { boots, offset, tracks, ..Self::new(&[], synchronised) };
    }

    pub(super) const fn boots(&self) -> u32 {
        self.boots
    }

    /// The time of time tags.
    pub(super) fn time(&self, device: &Device, now: Instant) -> Time {
        Time::of(device.clock(now), self.offset)
    }

    /// When something that goes on is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.running.iter().map(|running| running.until).min()
    }

    /// Keeps a report; of more than `most` the oldest gives way.
    pub(super) fn report(&mut self, report: Report, most: usize) {
        if self.reports.len() >= most {
            self.reports.pop_front();
        }
        self.reports.push_back(report);
    }

    /// Forgets what belongs to a conversation that is over.
    pub(super) fn forget(&mut self, token: u64) {
        self.selections.retain(|selection| selection.by.0 != token);
        self.running.retain(|running| running.by != token);
    }
}

impl Counter {
    pub(super) fn freeze(&mut self, number: f64) {
        self.frozen = Some(number - self.base);
        self.number = (self.number + 1) & 0x1F;
    }

    /// What the counter says: what was frozen, if ever (IEC 60870-5-101 §7.2.6.9).
    pub(super) fn reading(&self, sample: &Sample) -> Reading {
        let total = self.frozen.unwrap_or(sample.number - self.base);
        let carry = if total.abs() > f64::from(i32::MAX) { 0x20 } else { 0 };
        let invalid = sample.reading.quality & quality::INVALID;
        Reading {
            // A counter that overflows starts again.
            information: Information::Total(total as i64 as i32, self.number | carry | invalid),
            quality: sample.reading.quality,
        }
    }
}

impl Target {
    /// Whether a point shows it.
    pub(super) fn is_reached(self, sample: &Sample, deadband: f64) -> bool {
        match (self, sample.reading.information) {
            (Self::On(on), Information::Single(state)) => state == on,
            (Self::On(on), Information::Double(state)) => state == 1 + u8::from(on),
            (Self::On(on), _) => (sample.number != 0.0) == on,
            (Self::Above(_) | Self::Below(_), Information::Step { transient: true, .. }) => false,
            (Self::Above(before), _) => sample.number > before,
            (Self::Below(before), _) => sample.number < before,
            // A controller never quite gets there: within the deadband, or a hundredth.
            (Self::Near(value), _) => (sample.number - value).abs() <= deadband.max(value.abs() / 100.0).max(1e-6),
            (Self::Bits(bits), Information::Bits(state)) => state == bits,
            (Self::Bits(bits), _) => sample.number == f64::from(bits),
        }
    }
}
