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
    /// Signals under way; kept for its room.
    values: Vec<(TagId, Value)>,
}

struct Unit {
    device: Arc<Device>,
    /// The wires that end here, by the unit that they come from.
    cables: Vec<Cable>,
}

struct Cable {
    from: usize,
    wires: Vec<(TagId, TagId)>,
    /// The state of both ends after the signals were carried over last.
    carried: Option<(u64, u64)>,
}

/// What is later than this is left out instead of made up for: the machine slept.
const LATEST: Duration = Duration::from_secs(1);

impl Works {
    /// These devices, connected by these wires, from `now` on. A tag at the end of a wire is no longer driven.
    pub fn new(devices: Vec<Arc<Device>>, wires: &[Wire], now: Instant) -> Self {
        let due = (0..devices.len()).map(|unit| Reverse((now, unit))).collect();
        let mut units: Vec<Unit> = devices.into_iter().map(|device| Unit { device, cables: Vec::new() }).collect();
        for Wire { from, to } in wires {
            let Some(unit) = units.get_mut(to.device) else { continue };
            unit.device.still().release(to.tag);
            let pair = (from.tag, to.tag);
            match unit.cables.iter_mut().find(|cable| cable.from == from.device) {
                Some(cable) => cable.wires.push(pair),
                None => unit.cables.push(Cable { from: from.device, wires: vec![pair], carried: None }),
            }
        }
        Self { units, due, values: Vec::new() }
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
            let Some(other) = self.units.get(cable.from) else { continue };
            // One end is let go before the other is taken: two devices may be wired in both directions.
            let before = device.still().changes();
            let source = other.device.plant(now);
            let state = source.changes();
            if cable.carried == Some((state, before)) {
                continue;
            }
            self.values.extend(cable.wires.iter().map(|(from, to)| (*to, source.get(*from))));
            drop(source);
            let mut plant = device.still();
            self.values.drain(..).for_each(|(tag, value)| plant.set(tag, value));
            cable.carried = Some((state, plant.changes()));
        }
        if let Some(unit) = self.units.get_mut(index) {
            unit.cables = cables;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cpu::{Mode, Note},
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

        fn restart(&mut self, _: &mut Plant) {
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
            Self { works: Works::new(devices.clone(), &[wire], now), devices, now, faults: Vec::new() }
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
        stage.devices[0].run(stage.now);
        stage.pass(2 * SCAN);
        assert_eq!(stage.value(0, "out"), 7.0);
        let notes: Vec<Note> = stage.devices[0].notes().into_iter().map(|(_, note)| note).collect();
        assert_eq!(notes, [Note::Stopped, Note::Running]);
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
        stage.set(0, "in", 4);
        stage.devices[0].run(stage.now);
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
