//! Everything of a site that runs: each device at its own scan, the process at its own, and the wires between them.
//! Apart, because it is stepped by whoever keeps time: the clock while a site runs, a loop when it is tried in advance.

use crate::{
    device::Device,
    plant::{Fault, TagId, Value},
};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::Arc,
    time::{Duration, Instant},
};

/// A tag of a device or of the process, as an end of a wire. The number is that of the device among those of the works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Which device.
    pub device: usize,
    /// Which of its tags.
    pub tag: TagId,
}

/// A wire: before `to`'s device scans, it gets what `from` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Where the signal comes from.
    pub from: Terminal,
    /// Where it goes.
    pub to: Terminal,
}

/// Everything that runs. The process is a device without services.
pub struct Works {
    units: Vec<Unit>,
    /// When each unit scans next, the earliest first; equal ones in the order of the units.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
}

struct Unit {
    device: Arc<Device>,
    /// The wires that end here, by the unit that they come from.
    cables: Vec<Cable>,
}

/// The wires and links between two units.
struct Cable {
    from: usize,
    pairs: Vec<Pair>,
    /// How often each end had been changed when the signals were carried over last.
    seen: Option<(u64, u64)>,
    /// By the number of their pair, what was changed at the near end and what at the far one; kept for their room.
    written: Vec<(usize, Value)>,
    moved: Vec<(usize, Value)>,
}

/// Both ends of a wire or of a link.
struct Pair {
    from: TagId,
    to: TagId,
    /// Whether what is changed at `to` is carried back: a link.
    both: bool,
    /// The prints of what they held after they were last made equal.
    held: Option<(u64, u64)>,
}

/// What is later than this is left out instead of made up for: the machine slept.
const LATEST: Duration = Duration::from_secs(1);

impl Works {
    /// These devices, connected by these wires and links, from `now` on. A tag at the end of one is no longer driven.
    ///
    /// A link keeps two tags equal, as those of a panel (`to`) and of the controller that it speaks with (`from`): before the
    /// panel scans, what was changed at one end is changed at the other; if both were, the controller's counts.
    pub fn new(devices: Vec<Arc<Device>>, wires: &[Wire], links: &[Wire], now: Instant) -> Self {
        let due = (0..devices.len()).map(|unit| Reverse((now, unit))).collect();
        let mut units: Vec<Unit> = devices.into_iter().map(|device| Unit { device, cables: Vec::new() }).collect();
        let both = |wires: &[Wire], both| wires.iter().map(move |wire| (*wire, both)).collect::<Vec<_>>();
        for (Wire { from, to }, both) in [both(wires, false), both(links, true)].concat() {
            if let Some(cable) = units.get_mut(to.device).and_then(|unit| unit.cable(from, to)) {
                cable.pairs.push(Pair { from: from.tag, to: to.tag, both, held: None });
            }
        }
        Self { units, due }
    }

    /// When the next scan is due.
    pub fn next(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }

    /// Runs every scan that is due at `now`. `fault` hears of each CPU that stopped by itself.
    pub fn advance(&mut self, now: Instant, mut fault: impl FnMut(&Arc<Device>, Fault)) {
        while let Some(Reverse((due, index))) = self.due.peek().copied().filter(|Reverse((due, _))| *due <= now) {
            self.due.pop();
            self.carry(index, due);
            let Some(Unit { device, .. }) = self.units.get(index) else { continue };
            let next = due + device.scan_time();
            self.due.push(Reverse((if now.saturating_duration_since(next) > LATEST { now } else { next }, index)));
            if let Some(why) = device.scan(due) {
                fault(device, why);
            }
        }
    }

    /// Carries the signals to the unit `index`.
    fn carry(&mut self, index: usize, now: Instant) {
        let Some(unit) = self.units.get_mut(index) else { return };
        let (device, mut cables) = (unit.device.clone(), std::mem::take(&mut unit.cables));
        for cable in &mut cables {
            if let Some(other) = self.units.get(cable.from) {
                cable.carry(&other.device, &device, now);
            }
        }
        if let Some(unit) = self.units.get_mut(index) {
            unit.cables = cables;
        }
    }
}

impl Unit {
    /// The cable from the device of `from`, whose other end is here.
    fn cable(&mut self, from: Terminal, to: Terminal) -> Option<&mut Cable> {
        self.device.still().release(to.tag);
        if !self.cables.iter().any(|cable| cable.from == from.device) {
            self.cables.push(Cable::from(from.device));
        }
        self.cables.iter_mut().find(|cable| cable.from == from.device)
    }
}

impl Cable {
    const fn from(unit: usize) -> Self {
        Self { from: unit, pairs: Vec::new(), seen: None, written: Vec::new(), moved: Vec::new() }
    }

    /// Carries the signals from `far` to `near`, and those of links back. One end is let go before the other is taken: two
    /// devices may be wired in both directions. Most of the time nothing moved, so prints are compared, and only at an end
    /// where something was changed.
    fn carry(&mut self, far: &Device, near: &Device, now: Instant) {
        let Self { pairs, seen, written, moved, .. } = self;
        let plant = near.still();
        let before = plant.changes();
        if seen.is_some_and(|(_, seen)| seen != before) {
            for (index, pair) in pairs.iter_mut().enumerate() {
                let print = plant.print(pair.to);
                if let Some((_, held)) = pair.held.as_mut().filter(|(_, held)| *held != print) {
                    *held = print;
                    written.push((index, plant.get(pair.to)));
                }
            }
        }
        drop(plant);

        let mut source = far.plant(now);
        if seen.is_none_or(|(seen, _)| seen != source.changes()) {
            for (index, pair) in pairs.iter_mut().enumerate() {
                let print = source.print(pair.from);
                if pair.held.is_none_or(|(held, _)| held != print) {
                    pair.held = Some((print, pair.held.map_or(0, |(_, held)| held)));
                    moved.push((index, source.get(pair.from)));
                }
            }
        }
        for (index, value) in written.drain(..) {
            // If both ends were changed, the far one counts.
            let overruled = moved.iter().any(|(other, _)| *other == index);
            let Some(pair) = pairs.get_mut(index).filter(|_| !overruled) else { continue };
            if pair.both {
                source.set(pair.from, value);
                pair.held = Some((source.print(pair.from), pair.held.map_or(0, |(_, held)| held)));
            } else {
                moved.push((index, source.get(pair.from)));
            }
        }
        let there = source.changes();
        drop(source);

        let mut here = before;
        if !moved.is_empty() {
            let mut plant = near.still();
            // What somebody wrote meanwhile is looked at the next time.
            let unseen = plant.changes() != before;
            for (index, value) in &*moved {
                if let Some(pair) = pairs.get(*index) {
                    plant.set(pair.to, value.clone());
                }
            }
            // After all were set: tags may share memory.
            for (index, _) in moved.drain(..) {
                if let Some(Pair { to, held: Some((_, held)), .. }) = pairs.get_mut(index) {
                    *held = plant.print(*to);
                }
            }
            here = if unseen { before } else { plant.changes() };
        }
        *seen = Some((there, here));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cpu::{Mode, Note, Start},
        identity::Identity,
        plant::{Image, Moment, Plant, Rest, Sizes, Task},
    };
    use std::{collections::BTreeMap, time::SystemTime};

    /// A program that counts its scans in the tag `scans`, copies `in` to `out`, and stops its CPU when `in` is 99.
    struct Copier {
        scans: i64,
    }

    impl Task for Copier {
        fn scan(&mut self, plant: &mut Plant, _: Moment) -> Result<Rest, Fault> {
            self.scans += 1;
            let tag = |plant: &Plant, name| plant.find(name).unwrap();
            let (from, to) = (plant.get(tag(plant, "in")), tag(plant, "out"));
            if from.number() == 99.0 {
                return Err(Fault { line: 3, why: "99 is too much".into() });
            }
            let rest = if plant.get(to) == from { Rest::Still } else { Rest::Next };
            plant.set(to, from);
            plant.set(tag(plant, "scans"), Value::Int(self.scans));
            Ok(rest)
        }

        fn restart(&mut self, _: &mut Plant, _: Start) {
            self.scans = 0;
        }

        fn retained(&self) -> BTreeMap<String, Value> {
            BTreeMap::new()
        }

        fn restore(&mut self, _: &BTreeMap<String, Value>) {}
    }

    const SCAN: Duration = Duration::from_millis(100);
    const RESTART: Duration = Duration::from_secs(10);

    fn device(name: &str) -> Arc<Device> {
        let sizes = Sizes { outputs: 8, ..Sizes::default() };
        let mut plant = Plant::new(Image::new(&sizes).unwrap());
        for (name, settings) in
            [("in", "type = 'INT'"), ("out", "type = 'INT'\nat = '%QW0'"), ("scans", "type = 'INT'")]
        {
            plant.add(name, &toml::from_str(settings).unwrap(), 0).unwrap();
        }
        let device = Device::new(name, "kind", Identity::default(), plant).with_cpu(SCAN, RESTART);
        Arc::new(device.with_program(Box::new(Copier { scans: 0 })))
    }

    /// Two devices with a wire from the `out` of the first to the `in` of the second.
    struct Stage {
        devices: Vec<Arc<Device>>,
        works: Works,
        now: Instant,
        faults: Vec<String>,
    }

    impl Stage {
        fn new() -> Self {
            let (devices, now) = (vec![device("first"), device("second")], some_instant());
            devices.iter().for_each(|device| device.start(now, SystemTime::UNIX_EPOCH));
            let tag = |name| devices[0].still().find(name).unwrap();
            let wire =
                Wire { from: Terminal { device: 0, tag: tag("out") }, to: Terminal { device: 1, tag: tag("in") } };
            Self { works: Works::new(devices.clone(), &[wire], &[], now), devices, now, faults: Vec::new() }
        }

        fn pass(&mut self, time: Duration) {
            let until = self.now + time;
            while let Some(next) = self.works.next().filter(|next| *next <= until) {
                self.works.advance(next, |device, why| self.faults.push(format!("{}: {why}", device.name())));
            }
            self.now = until;
        }

        fn value(&self, device: usize, name: &str) -> f64 {
            let plant = self.devices[device].plant(self.now);
            plant.get(plant.find(name).unwrap()).number()
        }

        fn set(&self, device: usize, name: &str, value: i64) {
            let mut plant = self.devices[device].plant(self.now);
            let tag = plant.find(name).unwrap();
            plant.set(tag, Value::Int(value));
        }
    }

    #[test]
    fn a_write_runs_through_the_wires_within_a_scan_of_each_device() {
        let mut stage = Stage::new();
        stage.set(0, "in", 7);
        stage.pass(2 * SCAN);
        assert_eq!(stage.value(1, "out"), 7.0);
        // Who writes to the end of a wire is overruled by what comes through it.
        stage.set(1, "in", 5);
        stage.pass(2 * SCAN);
        assert_eq!(stage.value(1, "out"), 7.0);
    }

    #[test]
    fn a_program_rests_until_something_changes() {
        let mut stage = Stage::new();
        stage.pass(Duration::from_secs(60));
        let scans = stage.value(0, "scans");
        assert!(scans < 5.0, "{scans}");
        stage.set(0, "in", 3);
        stage.pass(SCAN);
        assert_eq!(stage.value(0, "out"), 3.0);
    }

    #[test]
    fn outputs_fall_in_stop_and_come_back_in_run() {
        let mut stage = Stage::new();
        stage.set(0, "in", 7);
        stage.pass(2 * SCAN);
        stage.devices[0].stop(stage.now);
        stage.pass(2 * SCAN);
        assert_eq!((stage.value(0, "out"), stage.value(1, "out")), (0.0, 0.0));
        stage.devices[0].run(Start::Hot, stage.now);
        stage.pass(2 * SCAN);
        assert_eq!(stage.value(0, "out"), 7.0);
        let notes: Vec<Note> = stage.devices[0].notes().into_iter().map(|(_, note)| note).collect();
        assert_eq!(notes, [Note::Stopped, Note::Running(Start::Hot)]);
    }

    #[test]
    fn a_fault_stops_the_cpu_is_told_once_and_is_over_when_it_is_told_to_run() {
        let mut stage = Stage::new();
        stage.set(0, "in", 7);
        stage.pass(2 * SCAN);
        stage.set(0, "in", 99);
        stage.pass(20 * SCAN);
        assert_eq!(stage.faults, ["first: 99 is too much (line 3 of the program)"]);
        assert_eq!((stage.devices[0].mode(), stage.value(0, "out")), (Mode::Fault, 0.0));
        stage.devices[0].run(Start::Hot, stage.now);
        stage.pass(2 * SCAN);
        stage.set(0, "in", 4);
        stage.pass(2 * SCAN);
        assert_eq!((stage.devices[0].mode(), stage.value(0, "out")), (Mode::Run, 4.0));
    }

    #[test]
    fn a_restart_takes_its_time_and_begins_the_uptime_anew() {
        let mut stage = Stage::new();
        stage.set(0, "in", 7);
        stage.pass(Duration::from_secs(60));
        let device = stage.devices[0].clone();
        device.stop(stage.now);
        device.restart(stage.now);
        stage.pass(RESTART / 2);
        assert_eq!((device.back(stage.now), stage.value(0, "out")), (Some(stage.now + RESTART / 2), 0.0));
        stage.set(0, "in", 8);
        stage.pass(RESTART / 2 + 2 * SCAN);
        assert_eq!((device.mode(), device.back(stage.now), stage.value(0, "out")), (Mode::Run, None, 8.0));
        assert_eq!(device.moment(stage.now).uptime, 2 * SCAN);
        assert_eq!(device.boots(), 1);
    }

    #[test]
    fn a_link_carries_what_was_changed_at_either_end() {
        let (devices, now) = (vec![device("controller"), device("panel")], some_instant());
        devices.iter().for_each(|device| device.start(now, SystemTime::UNIX_EPOCH));
        let tag = devices[0].still().find("in").unwrap();
        let link = Wire { from: Terminal { device: 0, tag }, to: Terminal { device: 1, tag } };
        let works = Works::new(devices.clone(), &[], &[link], now);
        let mut stage = Stage { devices, works, now, faults: Vec::new() };
        let both = |stage: &mut Stage| {
            stage.pass(3 * SCAN);
            [0, 1].map(|device| stage.value(device, "in"))
        };
        stage.set(0, "in", 7);
        assert_eq!(both(&mut stage), [7.0, 7.0]);
        stage.set(1, "in", 8);
        assert_eq!(both(&mut stage), [8.0, 8.0]);
        stage.set(0, "in", 5);
        stage.set(1, "in", 6);
        assert_eq!(both(&mut stage), [5.0, 5.0]);
    }

    #[test]
    fn a_cpu_that_stands_is_attended_to() {
        let mut stage = Stage::new();
        let device = Arc::new(Arc::into_inner(device("alone")).unwrap().with_attendance(Some(Duration::from_secs(60))));
        device.start(stage.now, SystemTime::UNIX_EPOCH);
        (stage.devices, stage.works) = (vec![device.clone()], Works::new(vec![device.clone()], &[], &[], stage.now));
        stage.pass(SCAN);
        device.stop(stage.now);
        stage.pass(Duration::from_secs(59));
        assert_eq!(device.mode(), Mode::Stop);
        stage.pass(Duration::from_secs(2));
        assert_eq!(device.mode(), Mode::Run);
        assert_eq!(device.notes().pop().unwrap().1, Note::Running(Start::Warm));
    }

    #[test]
    fn what_was_slept_through_is_not_made_up_for() {
        let mut stage = Stage::new();
        stage.pass(SCAN);
        let scans = stage.value(0, "scans");
        stage.now += Duration::from_secs(3600);
        stage.set(0, "in", 1);
        let now = stage.now;
        stage.works.advance(now, |_, _| {});
        assert!(stage.value(0, "scans") - scans <= 2.0);
        assert!(stage.works.next().unwrap() >= now);
    }

    #[expect(clippy::disallowed_methods, reason = "an instant can only be had from the clock")]
    fn some_instant() -> Instant {
        Instant::now()
    }
}
