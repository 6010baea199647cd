//! A program as people write them for a plant, run through what happens to that plant.

use honeyplant_core::plant::{Image, Moment, Plant, Program, Sizes, Task, Value};
use honeyplant_logic::compile;
use std::{collections::BTreeMap, time::Duration};

const TEXT: &str = include_str!("programs/boiler_house.st");

const OUTPUTS: [&str; 12] = [
    "fan_1", "spark_1", "pilot_1", "main_1", "fan_2", "pilot_2", "main_2", "pump_1", "pump_2", "pump_3", "make_up",
    "horn",
];

/// The boiler house and its controller, 100 ms a scan.
struct House {
    plant: Plant,
    task: Box<dyn Task>,
    uptime: Duration,
    /// There is gas to burn.
    gas: bool,
    /// The first pump does what its contactor says.
    pump_works: bool,
    /// The outputs that came, in their order.
    came: Vec<&'static str>,
}

impl House {
    /// In winter at the freezing point: the water is at 60 degrees and 2.2 bar, nothing is wrong, nothing runs.
    fn new() -> Self {
        let sizes = Sizes { inputs: 16, outputs: 16, memory: 64, ..Sizes::default() };
        let mut plant = Plant::new(Image::new(&sizes).expect("sizes"));
        let program = compile(TEXT, &mut plant).map_err(|problems| format!("{problems:#?}")).expect("a program");
        let task = program.start(1);
        let mut house = Self { plant, task, uptime: Duration::ZERO, gas: true, pump_works: true, came: Vec::new() };
        for name in ["gas_free", "emergency_stop", "limiter_1", "limiter_2"] {
            house.set(name, 1);
        }
        for (name, counts) in
            [("flow_counts", 11_059), ("return_counts", 9216), ("outside_counts", 11_059), ("pressure_counts", 6083)]
        {
            house.set(name, counts);
        }
        house
    }

    fn set(&mut self, name: &str, value: i64) {
        let tag = self.plant.find(name).unwrap_or_else(|| panic!("no tag {name}"));
        self.plant.set(tag, Value::Int(value));
    }

    fn value(&self, name: &str) -> String {
        self.plant.get(self.plant.find(name).unwrap_or_else(|| panic!("no tag {name}"))).to_string()
    }

    fn is_on(&self, name: &str) -> bool {
        self.value(name) == "on"
    }

    fn scan(&mut self) {
        for n in ["1", "2", "3"] {
            let on = self.is_on(&format!("pump_{n}")) && (n != "1" || self.pump_works);
            self.set(&format!("feedback_{n}"), on.into());
        }
        for n in ["1", "2"] {
            let (air, valves) = (self.is_on(&format!("fan_{n}")), ["pilot", "main"].map(|v| format!("{v}_{n}")));
            let flame = self.gas && valves.iter().any(|valve| self.is_on(valve));
            self.set(&format!("air_{n}"), air.into());
            self.set(&format!("flame_{n}"), flame.into());
        }
        let before = OUTPUTS.map(|name| self.is_on(name));
        let at = Moment { uptime: self.uptime, clock: Duration::from_secs(1_700_000_000) + self.uptime };
        if let Err(fault) = self.task.scan(&mut self.plant, at) {
            panic!("{fault}");
        }
        self.uptime += Duration::from_millis(100);
        for (name, before) in OUTPUTS.into_iter().zip(before) {
            if self.is_on(name) && !before {
                self.came.push(name);
            }
        }
    }

    fn seconds(&mut self, seconds: u32) -> &mut Self {
        (0..10 * seconds).for_each(|_| self.scan());
        self
    }

    /// Presses a button.
    fn press(&mut self, name: &str) {
        self.set(name, 1);
        self.scan();
        self.set(name, 0);
        self.scan();
    }
}

#[test]
fn the_boilers_start_in_their_order() {
    let mut house = House::new();
    house.seconds(5);
    assert!(house.came.is_empty());
    assert_eq!((house.value("setpoint"), house.value("flow_now")), ("850".into(), "600".into()));
    assert_eq!(house.value("message"), "\"NORMAL, DAY\"");
    house.set("system_on", 1);
    house.seconds(4);
    assert_eq!(house.came, ["pump_1"]);
    house.seconds(5);
    assert_eq!(house.came, ["pump_1", "fan_1"]);
    assert_eq!(house.value("state_1"), "1");
    house.seconds(20);
    assert!(!house.is_on("pilot_1"), "it is purged for half a minute");
    house.seconds(15);
    assert_eq!(house.came, ["pump_1", "fan_1", "spark_1", "pilot_1", "main_1"]);
    assert!(!house.is_on("pilot_1") && !house.is_on("spark_1"));
    assert_eq!((house.value("state_1"), house.value("status")), ("2".into(), (1 + 2 + 4 + 16).to_string()));
    let least = house.value("rate_1").parse::<i32>().expect("a rate");
    house.seconds(110);
    assert!((5529..8000).contains(&least), "{least}");
    assert_eq!(house.value("rate_1"), "27648");
    // One boiler alone does not do it.
    house.seconds(240);
    assert!(house.is_on("main_2"));
    assert_eq!(house.value("total_power"), "3.2");
    // At night one has to.
    house.set("selected", 2);
    house.seconds(1);
    assert!(house.is_on("main_1") && !house.is_on("main_2"));
    assert_eq!((house.value("setpoint"), house.value("message")), ("700".into(), "\"NORMAL, NIGHT\"".into()));
    // What is warm enough is not heated.
    house.set("flow_counts", 14_746);
    house.seconds(1);
    assert!(!house.is_on("main_1") && house.is_on("fan_1"));
    house.seconds(20);
    assert!(!house.is_on("fan_1") && house.is_on("pump_1"));
}

#[test]
fn a_lost_flame_locks_the_burner_out_until_somebody_comes() {
    let mut house = House::new();
    house.set("system_on", 1);
    house.seconds(60);
    assert!(house.is_on("main_1"));
    house.gas = false;
    house.scan();
    assert!(!house.is_on("main_1"), "in the same scan");
    house.scan();
    assert_eq!(house.value("message"), "\"5 BURNER 1 LOCKED OUT: FLAME LOST\"");
    assert_eq!((house.value("first_out"), house.value("state_1")), ("5".into(), "-1".into()));
    assert!(house.is_on("horn"));
    // What comes after it is not the cause.
    house.set("pressure_counts", 2500);
    house.seconds(3);
    assert_eq!((house.value("first_out"), house.value("standing")), ("5".into(), "2".into()));
    assert_eq!(house.value("message"), "\"2 WATER PRESSURE LOW\"");
    house.press("acknowledge");
    assert!(!house.is_on("horn"));
    house.seconds(60);
    assert_eq!((house.value("standing"), house.value("state_1")), ("2".into(), "-1".into()));
    assert!(house.is_on("make_up"));
    house.gas = true;
    house.set("pressure_counts", 6083);
    house.press("reset");
    house.seconds(60);
    assert_eq!((house.value("first_out"), house.value("standing")), ("0".into(), "0".into()));
    assert!(house.is_on("main_1") && !house.is_on("make_up"));
}

#[test]
fn what_is_dangerous_stops_both_boilers_at_once() {
    for (name, value) in [("gas_free", 0), ("emergency_stop", 0), ("limiter_1", 0)] {
        let mut house = House::new();
        house.set("system_on", 1);
        house.seconds(420);
        assert!(house.is_on("main_1") && house.is_on("main_2"));
        house.set(name, value);
        house.scan();
        assert!(!house.is_on("main_1"), "{name}");
        assert_eq!(house.is_on("main_2"), name == "limiter_1", "a limiter is of one boiler");
    }
    let mut house = House::new();
    house.set("system_on", 1);
    house.seconds(60);
    house.set("flow_counts", 32_767);
    house.seconds(2);
    assert!(!house.is_on("main_1"));
    assert_eq!(house.value("first_out"), "3");
    assert_eq!(house.value("standing"), "2", "too hot, and a broken sensor");
}

#[test]
fn another_pump_takes_over_and_the_hours_are_kept() {
    let mut house = House::new();
    house.set("system_on", 1);
    house.seconds(100);
    house.pump_works = false;
    house.seconds(5);
    assert_eq!((house.value("lead_pump"), house.value("message")), ("2".into(), "\"7 PUMP FAILED\"".into()));
    assert!(house.is_on("pump_2") && !house.is_on("pump_1"));
    house.pump_works = true;
    house.press("reset");
    for pulse in [1, 0].repeat(25) {
        house.set("gas_pulse", pulse);
        house.scan();
    }
    assert_eq!(house.value("gas_used"), "2.5");

    let kept = house.task.retained();
    let seconds = |kept: &BTreeMap<String, Value>, n: usize| kept.get(&format!("pump[{n}].meter.seconds")).cloned();
    let worked = [1, 2, 3].map(|n| seconds(&kept, n).map(|value| value.to_string().parse::<u32>().expect("seconds")));
    assert!(worked[0].is_some_and(|first| (80..100).contains(&first)), "{kept:?}");
    assert!(worked[1].is_some_and(|second| (1..10).contains(&second)), "{kept:?}");
    let mut later = House::new();
    later.task.restore(&kept);
    later.set("system_on", 1);
    later.seconds(1);
    assert_eq!(later.value("lead_pump"), "3", "the one that worked least");
}
