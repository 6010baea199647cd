//! IEC 60870-5-104 over hours of virtual time, with a master that keeps the rules and holds the device to them. Apart
//! from the dialogues, because nobody writes down a day of frames.

use honeyplant_dialogue::{Stage, Talk, stage};
use honeyplant_protocols::PROTOCOLS;
use std::{collections::BTreeMap, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

/// A controlling station.
struct Master {
    talk: Talk,
    send: u16,
    receive: u16,
    /// How many frames it has not acknowledged yet.
    owed: u16,
    /// For how many seconds.
    waited: u64,
    /// How many frames of each type and cause came.
    told: BTreeMap<(u8, u8), u64>,
    tests: u64,
    /// The information objects of the last ASDU.
    last: Vec<u8>,
}

impl Master {
    fn connect(stage: &Stage) -> Self {
        let talk = Talk::start(stage, "iec104", stage.started).expect("the device keeps its contract");
        let (told, last) = (BTreeMap::new(), Vec::new());
        let mut master = Self { talk, send: 0, receive: 0, owed: 0, waited: 0, told, tests: 0, last };
        master.talk.receive(&[0x68, 4, 7, 0, 0, 0]).expect("the device keeps its contract");
        master.hear();
        assert_eq!(master.told, BTreeMap::from([((70, 4), 1)]), "end of initialisation");
        master
    }

    fn ask(&mut self, asdu: &[u8]) {
        let mut frame = vec![0x68, 4 + asdu.len() as u8];
        frame.extend((self.send << 1).to_le_bytes());
        frame.extend((self.receive << 1).to_le_bytes());
        frame.extend(asdu);
        self.send = (self.send + 1) % 0x8000;
        self.owed = 0;
        self.talk.receive(&frame).expect("the device keeps its contract");
        self.hear();
    }

    /// Lets time pass second by second, and deals with what is heard.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.talk.pass(SECOND);
            self.waited = if self.owed > 0 { self.waited + 1 } else { 0 };
            self.hear();
        }
    }

    fn hear(&mut self) {
        self.talk.take_events();
        let answer = self.talk.take_answer();
        let mut rest = &answer[..];
        while let [0x68, length, frame @ ..] = rest {
            let (frame, next) = frame.split_at((*length).into());
            rest = next;
            match frame {
                [0x0B, 0, 0, 0] => {}
                [0x43, 0, 0, 0] => {
                    self.tests += 1;
                    self.talk.receive(&[0x68, 4, 0x83, 0, 0, 0]).expect("the device keeps its contract");
                }
                [1, 0, low, high] => assert_eq!(u16::from_le_bytes([*low, *high]) >> 1, self.send),
                [a, b, c, d, type_id, _, cause, _, _, _, objects @ ..] if a & 1 == 0 => {
                    let number = |low, high| u16::from_le_bytes([low, high]) >> 1;
                    assert_eq!((number(*a, *b), number(*c, *d)), (self.receive, self.send));
                    self.receive = (self.receive + 1) % 0x8000;
                    self.owed += 1;
                    *self.told.entry((*type_id, *cause)).or_default() += 1;
                    self.last = objects.to_vec();
                }
                other => panic!("{other:02x?}"),
            }
        }
        assert!(rest.is_empty() && !self.talk.is_over());
        if self.owed >= 8 || self.waited >= 10 {
            (self.owed, self.waited) = (0, 0);
            let [low, high] = (self.receive << 1).to_le_bytes();
            self.talk.receive(&[0x68, 4, 1, 0, low, high]).expect("the device keeps its contract");
        }
    }
}

#[test]
fn a_day_passes_without_drift_or_a_wrong_number() {
    let stage = stage(
        PROTOCOLS,
        "[tags]\n\
         current = { type = \"REAL\", drive = { kind = \"walk\", mean = 100.0, spread = 5.0, seconds = 60 } }\n\
         level = { type = \"REAL\", value = 3.0 }\n\
         energy = { type = \"UDINT\", drive = { kind = \"counter\", rate = 2.0 } }\n\
         [iec104]\n[[iec104.stations]]\naddress = 1\n[iec104.stations.points]\n\
         1 = { type = \"float\", tag = \"current\", deadband = 3.0 }\n\
         2 = { type = \"float\", tag = \"level\", cyclic = \"2s\" }\n\
         3 = { type = \"scaled\", tag = \"level\", background = \"10m\" }\n\
         4 = { type = \"total\", tag = \"energy\", freeze = \"15m\" }\n",
    )
    .unwrap();
    let mut master = Master::connect(&stage);
    master.pass(86_400);
    // The last one may still be on its way: the device looks at its points five times a second.
    let told = |key| master.told.get(&key).copied().unwrap_or_default();
    assert_eq!(told((13, 1)), 43_200, "cyclic, every 2 s");
    assert_eq!(told((11, 2)), 144, "in the background, every 10 min");
    assert_eq!(told((37, 3)), 96, "frozen, every 15 min");
    assert!((1000..40_000).contains(&told((36, 3))), "spontaneous: {}", told((36, 3)));
    // Numbers have begun again at least once, and were right each time.
    assert!(master.told.values().sum::<u64>() > 0x8000);
    assert_eq!(master.tests, 0, "who acknowledges is heard");
    // 96 quarters of an hour at two a second.
    master.ask(&[101, 1, 6, 0, 1, 0, 0, 0, 0, 5]);
    assert_eq!(master.told.get(&(15, 37)), Some(&1));
}

#[test]
fn a_quiet_day_is_tests_only() {
    let stage = stage(
        PROTOCOLS,
        "[tags]\na = { type = \"BOOL\" }\n[iec104]\n[[iec104.stations]]\naddress = 1\n\
         points.1 = { type = \"single\", tag = \"a\" }\n",
    )
    .unwrap();
    let mut master = Master::connect(&stage);
    master.pass(86_400);
    // The first acknowledgement, after 10 s, was the last that the device heard unasked.
    assert_eq!(master.tests, (86_400 - 10) / 20);
    assert_eq!(master.told.len(), 1, "{:?}", master.told);
}

#[test]
fn a_master_that_never_acknowledges_is_left_after_t1_and_costs_no_more_than_the_buffer() {
    let stage = stage(
        PROTOCOLS,
        "[tags]\nu = { type = \"REAL\", drive = { kind = \"walk\", mean = 1.0, spread = 1.0, seconds = 1 } }\n\
         [iec104]\n[[iec104.stations]]\naddress = 1\npoints.1 = { type = \"float\", tag = \"u\" }\n",
    )
    .unwrap();
    let mut master = Master::connect(&stage);
    let mut heard = 0;
    // Five thousand requests a second, each answered by three frames if it were heard.
    for _ in 0..20 {
        for _ in 0..5000 {
            if master.talk.is_over() {
                break;
            }
            let mut frame = vec![0x68, 14];
            frame.extend((master.send << 1).to_le_bytes());
            frame.extend([0, 0, 100, 1, 6, 0, 1, 0, 0, 0, 0, 20]);
            master.send = (master.send + 1) % 0x8000;
            master.talk.receive(&frame).unwrap();
        }
        heard += master.talk.take_answer().len();
        master.talk.take_events();
        master.talk.pass(SECOND);
    }
    assert!(master.talk.is_over());
    // Twelve frames, and an acknowledgement for each eight requests.
    assert!(heard < 12 * 255 + 6 * 15 * 5000 / 8 + 1000, "{heard}");
}

#[test]
fn while_the_cpu_stands_points_are_not_topical_and_commands_are_refused() {
    let stage = stage(
        PROTOCOLS,
        "[tags]\na = { type = \"BOOL\" }\n[iec104]\n[[iec104.stations]]\naddress = 1\n\
         points.1 = { type = \"single\", tag = \"a\" }\ncommands.2 = { type = \"single\", tag = \"a\" }\n",
    )
    .unwrap();
    let mut master = Master::connect(&stage);
    master.pass(1);
    stage.device.stop(stage.started);
    master.pass(1);
    assert_eq!(master.told.get(&(30, 3)), Some(&1));
    assert_eq!(master.last[..4], [1, 0, 0, 0x40]);
    master.ask(&[45, 1, 6, 0, 1, 0, 2, 0, 0, 1]);
    assert_eq!(master.told.get(&(45, 0x47)), Some(&1));
    stage.device.run(honeyplant_core::cpu::Start::Hot, stage.started);
    master.ask(&[45, 1, 6, 0, 1, 0, 2, 0, 0, 1]);
    assert_eq!(master.told.get(&(45, 10)), Some(&1));
    master.pass(1);
    assert_eq!(master.last[..4], [1, 0, 0, 1]);
}
