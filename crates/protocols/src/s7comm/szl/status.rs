//! How the CPU is just now: its LEDs, the status of its organization blocks and its mode. Apart, because these follow what the
//! device does.

use super::{
    List, Refusal, View,
    diagnostics::{self, Entry},
    words,
};
use honeyplant_core::cpu::Mode;

/// W#16#xy19 and W#16#xy74 (§33.10, §33.22).
pub(super) fn leds(view: View<'_>) -> List {
    const SF: u16 = 1;
    const RUN: u16 = 4;
    const STOP: u16 = 5;
    let mode = view.device.mode();
    let record = |led: &u16| {
        let on = match *led {
            SF => mode == Mode::Fault,
            RUN => mode == Mode::Run,
            STOP => mode != Mode::Run,
            _ => false,
        };
        let mut record = words(&[*led]);
        record.extend([on.into(), 0]);
        record
    };
    List::new(view.directory().leds.iter().map(record).collect())
}

/// W#16#0222: the organization block `ob` (§33.12).
pub(super) fn interrupt(view: View<'_>, ob: u16) -> Result<List, Refusal> {
    /// The source is active; the block is loaded.
    const ACTIVE: u16 = 1 << 2;
    const LOADED: u16 = 1 << 4;
    /// What becomes of it if the block is not loaded.
    const ERROR: u16 = 1 << 1;
    const STOP: u16 = 1 << 2;
    const DISCARDED: u16 = 1 << 3;
    let ob = view.directory().obs.iter().copied().find(|known| u16::from(*known) == ob).ok_or(Refusal::NoIndex)?;
    let loaded = view.cpu.blocks.has_ob(ob, view.device);
    // Event class, the first event of its group, and the priority (manual, chapter 1, the start information of each OB).
    let [class, event, priority] = match ob {
        1 => [0x11, 0x03, 1],
        10..=17 => [0x11, ob + 1, 2],
        20..=23 => [0x11, ob + 1, 3],
        30..=38 => [0x11, ob + 1, 7 + (ob - 30).min(8)],
        40..=47 => [0x11, ob + 1, 16],
        55..=57 => [0x11, ob, 2],
        61..=64 => [0x11, 0x64, 25],
        80 => [0x35, 0x01, 26],
        81..=87 => [0x39, 0x21, 26],
        100..=102 => [0x13, 0x81, 27],
        _ => [0x25, 0x21, 0x7F],
    };
    let scan = u16::try_from(view.device.scan_time().as_millis()).unwrap_or(u16::MAX);
    let times = match ob {
        // The last cycle, the shortest and the longest.
        1 => [scan, scan, scan.saturating_add(1)],
        // The cycle must not take longer, and may be as short.
        80 => [150, 0, 150],
        _ => [0; 3],
    };
    let mut record = vec![class, event, priority, ob, 0, 0];
    record.extend_from_slice(&words(&times));
    let time = view.cpu.clock.shown(view.device.clock(view.now)).octets();
    record.extend_from_slice(if loaded { &time } else { &[0; 8] });
    let state = if loaded { LOADED | ACTIVE } else { 0 };
    let otherwise = match ob {
        1 | 10..=64 => ERROR | DISCARDED,
        100..=102 => DISCARDED,
        _ => STOP,
    };
    record.extend_from_slice(&words(&[state, otherwise, 0, 0]));
    Ok(List::one(record))
}

/// W#16#0424: the record has the layout of an entry of the diagnostic buffer. While no transition goes on, the mode before is 0.
pub(super) fn mode(view: View<'_>) -> List {
    /// The event that it begins with was seen on devices.
    const EVENT: u16 = 0x5144;
    let last = diagnostics::last_transition(view);
    let mode = if view.device.mode() == Mode::Run { diagnostics::RUN } else { diagnostics::STOP };
    List::one(Entry { event: EVENT, who: [0xFF, mode], id: 0, ..last }.octets(view.cpu).to_vec())
}

/// W#16#xy25: the process image is whole, and the cycle's (§33.13).
pub(super) fn partitions() -> List {
    List::one(vec![0, 0b11, 1, 0])
}
