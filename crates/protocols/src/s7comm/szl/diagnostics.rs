//! The diagnostic buffer: what happened to the device, in the CPU's events. Apart, because messages tell of it too.
//!
//! Events are numbered as in the manual's chapter 34.

use super::{super::cpu::Cpu, List, View, words};
use honeyplant_core::{
    cpu::{Mode, Note, Start},
    device::Device,
    plant::Fault,
};
use std::time::{Duration, Instant};

/// An entry of the diagnostic buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::s7comm) struct Entry {
    /// The event ID: class, kind and number.
    pub(super) event: u16,
    /// The priority class and the organization block; of a change of the mode 16#FF, and the modes before and after.
    pub(super) who: [u8; 2],
    /// How the additional information is to be read.
    pub(super) id: u16,
    pub(super) info: [u16; 3],
    pub(super) at: Duration,
}

/// The modes in the numbers of a change of the mode.
pub(super) const STOP: u8 = 4;
const COLD: u8 = 5;
const WARM: u8 = 6;
pub(super) const RUN: u8 = 8;

/// The modes in the numbers of a message of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::s7comm) enum Changed {
    Stop = 0,
    WarmRestart = 1,
    Run = 2,
    ColdRestart = 6,
}

/// How a change of the mode is told.
const TRANSITION: u16 = 0xC700;

impl Entry {
    /// The 20 octets of it.
    pub(in crate::s7comm) fn octets(&self, cpu: &Cpu) -> [u8; 20] {
        let mut octets = self.event.to_be_bytes().to_vec();
        octets.extend_from_slice(&self.who);
        octets.extend_from_slice(&self.id.to_be_bytes());
        octets.extend_from_slice(&words(&self.info));
        octets.extend_from_slice(&cpu.clock.shown(self.at).octets());
        octets.first_chunk().copied().unwrap_or_default()
    }

    /// Which mode it is a change to, if it is one.
    pub(in crate::s7comm) const fn mode(&self) -> Option<Changed> {
        match self.who {
            [0xFF, modes] if self.id == TRANSITION => match modes & 0xF {
                STOP => Some(Changed::Stop),
                COLD => Some(Changed::ColdRestart),
                WARM => Some(Changed::WarmRestart),
                _ => Some(Changed::Run),
            },
            _ => None,
        }
    }
}

/// How the CPU came to start, in the numbers of W#16#0424: at the power, with it backed up, or told over a connection.
#[derive(Clone, Copy)]
enum Reason {
    Power = 0x10,
    Told = 0x14,
}

/// What the start was, what would be allowed now, and what was told last: the last four octets of a change of the mode.
const fn start_information(reason: Reason) -> [u16; 3] {
    [0, reason as u16, 0x7700 | reason as u16]
}

/// How long it takes from STOP through STARTUP to RUN, once the CPU is told to.
const STARTUP: Duration = Duration::from_millis(38);

/// The entries of a start that began at `at`, caused by what is told last in the buffer.
fn start(at: Duration, how: Start, reason: Reason, last_stop: u16) -> [Entry; 3] {
    let (startup, ob, request) = match (how, reason) {
        (Start::Cold, Reason::Power) => (COLD, 102, 0x1386),
        (Start::Cold, Reason::Told) => (COLD, 102, 0x1385),
        (_, Reason::Power) => (WARM, 100, 0x1382),
        (_, Reason::Told) => (WARM, 100, 0x1381),
    };
    let info = start_information(reason);
    let [_, information @ ..] = info;
    let [first, second] = information;
    [
        Entry { event: 0x4301, who: [0xFF, STOP << 4 | startup], id: TRANSITION, info, at },
        Entry { event: request, who: [0x1B, ob], id: 0, info: [last_stop, first, second], at },
        Entry { event: 0x4302, who: [0xFF, startup << 4 | RUN], id: TRANSITION, info, at: at + STARTUP },
    ]
}

/// The entries of the power coming on.
fn power_on(at: Duration, last_stop: u16) -> [Entry; 4] {
    let info = start_information(Reason::Power);
    let [stop, request, run] = start(at + STARTUP, Start::Warm, Reason::Power, last_stop);
    [Entry { event: 0x4300, who: [0xFF, STOP], id: TRANSITION, info, at }, stop, request, run]
}

/// The entries of the CPU stopping by itself.
fn fault(at: Duration, fault: &Fault, info: [u16; 3]) -> [Entry; 2] {
    // A scan that takes too long is a time error, for which there is no OB 80; all else a programming error without OB 121.
    let line = fault.line.min(usize::from(u16::MAX)) as u16;
    let (cause, who, stop) =
        if fault.why.contains("took more") { (0x3501, [26, 80], 0x4568) } else { (0x2522, [1, 1], 0x4562) };
    [
        Entry { event: cause, who, id: 0, info: [0, 1, line.saturating_mul(2)], at },
        Entry { event: stop, who: [0xFF, RUN << 4 | STOP], id: TRANSITION, info, at: at + Duration::from_millis(1) },
    ]
}

/// All entries, the oldest first: how the device was switched on, and what was noted since. Each has the number of the note
/// that it comes from, counted from 1 since the power came on.
pub(in crate::s7comm) fn entries(device: &Device, now: Instant) -> Vec<(usize, Entry)> {
    let (notes, mut last_stop) = (device.notes(), 0x4304);
    let mut entries = Vec::new();
    let forgotten = device.noted().saturating_sub(notes.len());
    // The buffer forgets the oldest, and this is older than all.
    if forgotten == 0 {
        entries.extend(power_on(device.powered(now), last_stop).map(|entry| (0, entry)));
    }
    let mut info = start_information(Reason::Power);
    for (number, (at, note)) in (forgotten + 1..).zip(notes) {
        let mut tell = |told: &[Entry]| entries.extend(told.iter().map(|entry| (number, *entry)));
        match note {
            Note::Running(how) => {
                info = start_information(Reason::Told);
                tell(&start(at, how, Reason::Told, last_stop));
            }
            Note::Stopped => {
                last_stop = 0x4304;
                tell(&[Entry { event: last_stop, who: [0xFF, RUN << 4 | STOP], id: TRANSITION, info, at }]);
            }
            Note::Faulted(why) => {
                let both = fault(at, &why, info);
                last_stop = both.last().map_or(last_stop, |stop| stop.event);
                tell(&both);
            }
            Note::Restarted => {
                info = start_information(Reason::Power);
                tell(&power_on(at + device.restart_time(), last_stop));
            }
        }
    }
    entries
}

/// W#16#xyA0: the newest `most` entries, the newest first, and no more than the mode lets be seen (§33.30).
pub(super) fn buffer(view: View<'_>, most: usize) -> List {
    let seen = match view.device.mode() {
        Mode::Run => view.directory().entries_in_run,
        Mode::Stop | Mode::Fault => usize::MAX,
    };
    let entries = entries(view.device, view.now);
    let records: Vec<_> =
        entries.iter().rev().take(most.min(seen)).map(|(_, entry)| entry.octets(view.cpu).to_vec()).collect();
    List { length: 20, ..List::new(records) }
}

/// The change of the mode that came last.
pub(super) fn last_transition(view: View<'_>) -> Entry {
    let entries = entries(view.device, view.now);
    let last = entries.into_iter().map(|(_, entry)| entry).rfind(|entry| entry.mode().is_some());
    last.unwrap_or(Entry {
        event: 0x4302,
        who: [0xFF, WARM << 4 | RUN],
        id: TRANSITION,
        info: start_information(Reason::Power),
        at: view.device.powered(view.now),
    })
}
