//! What the lists are held to, whatever the device does. Apart, because it makes a device of its own.

use super::{super::settings, *};
use crate::{mistakes::mistakes, s7comm::S7comm};
use honeyplant_core::{
    cpu::Start,
    event::Carrier,
    identity::Identity,
    plant::{Fault, Moment, Plant, Rest, Task, Value},
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// 2025-03-10T08:00:00Z.
const BEGIN: Duration = Duration::from_secs(1_741_593_600);

/// A program that finds that it cannot go on, for this reason.
struct Broken(&'static str);

impl Task for Broken {
    fn scan(&mut self, _plant: &mut Plant, _at: Moment) -> Result<Rest, Fault> {
        Err(Fault { line: 12, why: self.0.to_owned() })
    }

    fn restart(&mut self, _plant: &mut Plant, _start: Start) {}

    fn retained(&self) -> BTreeMap<String, Value> {
        BTreeMap::new()
    }

    fn restore(&mut self, _retained: &BTreeMap<String, Value>) {}
}

struct Bench {
    cpu: Cpu,
    session: Session,
    now: Instant,
}

impl Bench {
    fn new(settings: &str) -> Self {
        Self::of(settings, Device::new("decoy", "test", Identity::default(), Plant::default()))
    }

    #[expect(clippy::disallowed_methods, reason = "a test has to begin at some time")]
    fn of(settings: &str, device: Device) -> Self {
        let read: settings::Settings = toml::from_str(settings).unwrap();
        let cpu = super::super::build::cpu(&read, "s7comm", &device).unwrap();
        let now = Instant::now();
        device.start(now, SystemTime::UNIX_EPOCH + BEGIN);
        let session = Session {
            id: 1,
            peer: ([192, 0, 2, 7], 40_007).into(),
            local: ([192, 0, 2, 1], 102).into(),
            carrier: Carrier::Tcp,
            protocol: "s7comm",
            device: Arc::new(device),
        };
        Self { cpu, session, now }
    }

    fn list(&self, id: u16, index: u16) -> Result<List, Refusal> {
        let view = View { cpu: &self.cpu, session: &self.session, device: &self.session.device, now: self.now };
        list(id, index, view)
    }

    /// The events of the diagnostic buffer, the oldest first.
    fn buffer(&self) -> Vec<u16> {
        let records = self.list(0x00A0, 0).unwrap().records;
        records.iter().rev().map(|record| u16::from_be_bytes(*record.first_chunk().unwrap())).collect()
    }
}

const MODULES: &str = "[[szl.modules]]\nslot = 2\n[[szl.modules]]\nslot = 4\naddress = 288\ndiagnosis = '00150000'";

#[test]
fn every_list_that_is_named_is_there() {
    let bench = Bench::new(MODULES);
    let directory = bench.list(0, 0).unwrap();
    assert_eq!(directory.records.len(), KNOWN.len());
    for id in KNOWN {
        let found: Vec<_> = [0, 1, 2, 4, 7, 0x0100, 0x0A00, 288, 2046]
            .into_iter()
            .map(|index| bench.list(*id, index))
            .filter(|list| *list != Err(Refusal::NoIndex))
            .collect();
        assert!(!found.contains(&Err(Refusal::NoList)), "{id:04X}");
        for list in found.into_iter().flatten() {
            assert!(list.records.iter().all(|record| record.len() == usize::from(list.length)), "{id:04X}");
            assert!(list.length > 0, "{id:04X}");
        }
    }
}

#[test]
fn a_header_tells_how_many_records_its_list_has() {
    let bench = Bench::new(MODULES);
    for id in KNOWN.iter().filter(|id| **id >> 8 == 0x0F) {
        let header = bench.list(*id, 0).unwrap();
        assert!(header.records.is_empty(), "{id:04X}");
        if let Ok(whole) = bench.list(id & 0xFF, 0) {
            assert_eq!((header.count, header.length), (Some(whole.records.len()), whole.length), "{id:04X}");
        }
    }
}

#[test]
fn records_are_as_long_as_the_manual_has_them() {
    let bench = Bench::new(MODULES);
    for (id, index, length) in [
        (0x0011, 0, 28),
        (0x0012, 0, 2),
        (0x0013, 0, 36),
        (0x0014, 0, 8),
        (0x0015, 0, 10),
        (0x0019, 0, 4),
        (0x001C, 0, 34),
        (0x0222, 1, 28),
        (0x0424, 0, 20),
        (0x0025, 0, 4),
        (0x0131, 1, 40),
        (0x0132, 8, 40),
        (0x0037, 0, 48),
        (0x0D91, 0, 16),
        (0x0292, 0, 16),
        (0x0294, 0, 258),
        (0x0C96, 288, 48),
        (0x00A0, 0, 20),
        (0x00B1, 288, 4),
    ] {
        assert_eq!(bench.list(id, index).unwrap().length, length, "{id:04X}");
    }
}

#[test]
fn a_fault_of_the_program_is_seen_in_the_leds_and_in_the_buffer() {
    for (why, cause, stop) in
        [("the scan took more than 1000 steps", 0x3501, 0x4568), ("a division by zero", 0x2522, 0x4562)]
    {
        let device = Device::new("decoy", "test", Identity::default(), Plant::default());
        let bench = Bench::of("", device.with_program(Box::new(Broken(why))));
        assert_eq!(bench.buffer(), [0x4300, 0x4301, 0x1382, 0x4302]);
        bench.session.device.scan(bench.now).unwrap();
        assert_eq!(bench.buffer(), [0x4300, 0x4301, 0x1382, 0x4302, cause, stop]);
        let lit = |led| bench.list(0x0119, led).unwrap().records.first().unwrap().get(2).copied();
        assert_eq!([1, 4, 5].map(lit), [Some(1), Some(0), Some(1)]);
        assert_eq!(bench.list(0x0424, 0).unwrap().records.first().unwrap().get(3), Some(&diagnostics::STOP));
        bench.session.device.run(Start::Cold, bench.now);
        assert_eq!(bench.buffer().last_chunk(), Some(&[0x4301, 0x1385, 0x4302]));
    }
}

#[test]
fn the_buffer_forgets_the_oldest() {
    let bench = Bench::new("");
    for _ in 0..60 {
        bench.session.device.stop(bench.now);
        bench.session.device.run(Start::Warm, bench.now);
    }
    // In RUN ten entries are seen; of 100 notes every other is a start, which has three.
    assert_eq!(bench.buffer().len(), 10);
    bench.session.device.stop(bench.now);
    let whole = bench.buffer();
    assert_eq!(whole.len(), 200);
    assert!(!whole.contains(&0x4300));
    assert_eq!(bench.list(0x01A0, 7).unwrap().records.len(), 7);
}

#[test]
fn after_a_restart_the_power_came_on() {
    let bench = Bench::new("");
    bench.session.device.restart(bench.now);
    assert_eq!(bench.buffer(), [0x4300, 0x4301, 0x1382, 0x4302, 0x4300, 0x4301, 0x1382, 0x4302]);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let told = |settings: &str| mistakes(&S7comm, &format!("[s7comm.szl]\n{settings}"));
    for (settings, word) in [
        ("lists = ['0012', '0099']", "there is no list `0099`"),
        ("firmware = '3.2'", "write a letter and three numbers"),
        ("firmware = 'V3.2.900'", "write a letter and three numbers"),
        ("hardware = 'six'", "is no number of 0 to 255"),
        ("order-number = 'a text that is too long for it'", "20 are the most"),
        ("names.station = '\u{65E5}'", "not of Latin-1"),
        ("names.serial = '{serial}'", "there is no identity `serial`"),
        ("communication.mac = '00:1B'", "is no MAC address"),
        ("communication.mask = '255'", "is no IPv4 mask"),
        ("communication.program-sum = 'x'\ncommunication.configuration-sum = '0'", "hexadecimal"),
        ("modules = [{ slot = 19 }]", "1 to 18"),
        ("modules = [{ slot = 4, address = 40000 }]", "0 to 32766"),
        ("modules = [{ slot = 4, diagnosis = '0' }]", "4 to 64 octets"),
        ("memory.retentive = '8GiB'", "4GiB"),
    ] {
        let told = told(settings);
        assert!(told.iter().any(|problem| problem.contains(word)), "{settings}: {told:?}");
    }
    let told = |settings: &str| mistakes(&S7comm, settings);
    assert!(told("[s7comm.clock]\nahead = 2000").iter().any(|problem| problem.contains("840 minutes")));
    assert!(told("[s7comm.cyclic]\njobs = 65").iter().any(|problem| problem.contains("0 to 64")));
    assert!(told("[s7comm.message]\nlisteners = 65").iter().any(|problem| problem.contains("0 to 64")));
}
