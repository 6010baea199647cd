//! What lies between tanks and pumps: valves and pipes. Apart, because these have no motor of note and hold no water.

use super::{NEVER, elapsed, finite, positive, sane};
use crate::library::{Now, pins::block};

block! {
    /// A valve with a drive that takes its time.
    VALVE: Valve {
        /// Opens it; without OPEN and CLOSE, and with both, it stays where it is.
        input OPEN: BOOL,
        /// Closes it.
        input CLOSE: BOOL,
        /// Where a positioner shall bring it; below zero it has none [share].
        input SETPOINT: LREAL = -1.0,
        /// The time from one end to the other [s].
        input TRAVEL: LREAL = 30.0,
        /// It does not move any more.
        input STUCK: BOOL,
        /// What it lets through when it is open, at 1 bar [m3/h].
        input KV: LREAL = 100.0,
        /// What presses on it [bar].
        input DP: LREAL,
        /// It lets through an equal percentage more for each step (50:1), and not the same amount.
        input EQUAL_PERCENTAGE: BOOL,
        /// How far it is open [share].
        output POSITION: LREAL,
        /// The limit switch at its open end.
        output OPENED: BOOL,
        /// The limit switch at its closed end.
        output CLOSED: BOOL,
        /// It moves.
        output MOVING: BOOL,
        /// What flows through it [m3/h].
        output FLOW: LREAL,
        hidden LAST: LINT = NEVER,
    }
}

/// A limit switch acts a little before the end.
const LIMIT: f64 = 0.01;

impl Valve {
    fn step(&mut self, now: &mut Now<'_>) {
        let seconds = elapsed(&mut self.LAST, now);
        let position = sane(self.POSITION, 0.0, 1.0);
        let target = match (self.OPEN, self.CLOSE) {
            _ if self.STUCK => position,
            _ if self.SETPOINT >= 0.0 => sane(self.SETPOINT, 0.0, 1.0),
            (true, false) => 1.0,
            (false, true) => 0.0,
            (true, true) | (false, false) => position,
        };
        let most = seconds / sane(self.TRAVEL, 1e-3, 1e6);
        let way = sane(target - position, -most, most);
        self.POSITION = if way == target - position { target } else { position + way };
        self.MOVING = self.POSITION != target;
        self.OPENED = self.POSITION >= 1.0 - LIMIT;
        self.CLOSED = self.POSITION <= LIMIT;
        let open = match self.POSITION {
            position if self.EQUAL_PERCENTAGE && position > 0.0 => 50.0_f64.powf(position - 1.0),
            position => position,
        };
        let pressure = finite(self.DP);
        self.FLOW = positive(self.KV) * open * pressure.signum() * pressure.abs().sqrt();
    }
}

block! {
    /// A pipe full of water.
    PIPE: Pipe {
        /// What flows through it [m3/h].
        input FLOW: LREAL,
        /// How long it is [m].
        input LENGTH: LREAL = 100.0,
        /// Its inner diameter [mm].
        input DIAMETER: LREAL = 200.0,
        /// The roughness of its wall: 0.1 for new steel, 0.01 for plastic, 1 for old iron [mm].
        input ROUGHNESS: LREAL = 0.1,
        /// How much higher its end lies than its beginning [m].
        input RISE: LREAL,
        /// The pressure at its beginning [bar].
        input PRESSURE_IN: LREAL,
        /// The pressure at its end [bar].
        output PRESSURE_OUT: LREAL,
        /// What friction takes [m].
        output HEAD_LOSS: LREAL,
        /// How fast the water is [m/s].
        output VELOCITY: LREAL,
        /// The loss over the square of the flow, as PUMP wants it [m/(m3/h)2].
        output RESISTANCE: LREAL,
        /// How long the water is under way; zero where none flows [s].
        output PASSAGE: LREAL,
    }
}

/// Water of 12 °C [m2/s].
const VISCOSITY: f64 = 1.24e-6;
const GRAVITY: f64 = 9.81;
/// Metres of water in a bar.
const METRES: f64 = 10.2;

impl Pipe {
    fn step(&mut self, _now: &mut Now<'_>) {
        let (length, diameter) = (sane(self.LENGTH, 0.0, 1e6), sane(self.DIAMETER, 1.0, 1e5) / 1000.0);
        let flow = sane(finite(self.FLOW), -1e6, 1e6) / 3600.0;
        let area = std::f64::consts::FRAC_PI_4 * diameter * diameter;
        self.VELOCITY = flow / area;
        let speed = self.VELOCITY.abs();
        let friction = friction(speed * diameter / VISCOSITY, sane(self.ROUGHNESS, 0.0, 100.0) / 1000.0 / diameter);
        let loss = |speed: f64| friction * length / diameter * speed * speed / (2.0 * GRAVITY);
        self.HEAD_LOSS = loss(speed);
        // Where nothing flows, what the smallest flow would meet.
        self.RESISTANCE = loss(1.0 / 3600.0 / area);
        self.PRESSURE_OUT = finite(self.PRESSURE_IN) - (finite(self.RISE) + self.HEAD_LOSS * flow.signum()) / METRES;
        self.PASSAGE = if speed > 1e-6 { length / speed } else { 0.0 };
    }
}

/// The friction factor: laminar to 2300 by Hagen and Poiseuille, turbulent from 4000 by Swamee and Jain (1976), and
/// straight between them.
fn friction(reynolds: f64, roughness: f64) -> f64 {
    let turbulent = |reynolds: f64| {
        let term = roughness.min(0.5) / 3.7 + 5.74 / reynolds.powf(0.9);
        0.25 / term.max(1e-12).log10().powi(2).max(1e-3)
    };
    let laminar = |reynolds: f64| 64.0 / reynolds.max(64.0);
    match reynolds {
        reynolds if reynolds < 2300.0 => laminar(reynolds),
        reynolds if reynolds > 4000.0 => turbulent(reynolds),
        reynolds => {
            let share = (reynolds - 2300.0) / 1700.0;
            laminar(2300.0) * (1.0 - share) + turbulent(4000.0) * share
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;

    #[test]
    fn a_valve_travels_in_its_time_and_stays_without_a_command() {
        let mut valve = Trial::of("VALVE");
        valve.set("TRAVEL", 40.0).run(0.0);
        assert!(valve.on("CLOSED"));
        valve.set("OPEN", 1.0).runs(20, 1.0);
        assert!((valve.get("POSITION") - 0.5).abs() < 1e-9 && valve.on("MOVING"));
        valve.set("OPEN", 0.0).runs(20, 1.0);
        assert!((valve.get("POSITION") - 0.5).abs() < 1e-9 && !valve.on("CLOSED") && !valve.on("OPENED"));
        valve.set("OPEN", 1.0).run(60.0);
        assert!(valve.on("OPENED") && valve.get("POSITION") == 1.0);
        valve.set("OPEN", 0.0).set("CLOSE", 1.0).set("STUCK", 1.0).run(60.0);
        assert!(valve.on("OPENED"), "stuck");
    }

    #[test]
    fn a_positioner_brings_it_where_it_shall_be() {
        let mut valve = Trial::of("VALVE");
        valve.set("SETPOINT", 0.3).runs(20, 1.0);
        assert!((valve.get("POSITION") - 0.3).abs() < 1e-9);
    }

    #[test]
    fn it_lets_through_its_kv_at_one_bar() {
        let mut valve = Trial::of("VALVE");
        valve.set("OPEN", 1.0).set("KV", 63.0).set("DP", 1.0).run(0.0);
        valve.run(60.0);
        assert!((valve.get("FLOW") - 63.0).abs() < 1e-9);
        assert!((valve.set("DP", 0.25).run(1.0).get("FLOW") - 31.5).abs() < 1e-9);
        valve.set("SETPOINT", 0.5).set("DP", 1.0).set("EQUAL_PERCENTAGE", 1.0).run(60.0);
        assert!((valve.get("FLOW") - 63.0 / 50.0_f64.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_pipe_takes_what_the_tables_say() {
        let mut pipe = Trial::of("PIPE");
        // 100 m of DN 200 at 180 m3/h: 1.6 m/s and, with a roughness of 0.1 mm, 1.19 m of water (Colebrook).
        pipe.set("FLOW", 180.0).set("RISE", 10.2).set("PRESSURE_IN", 3.0).run(1.0);
        assert!((pipe.get("VELOCITY") - 1.59).abs() < 0.01);
        assert!((pipe.get("HEAD_LOSS") - 1.19).abs() < 0.05, "{}", pipe.get("HEAD_LOSS"));
        assert!((pipe.get("PRESSURE_OUT") - (2.0 - pipe.get("HEAD_LOSS") / 10.2)).abs() < 1e-9);
        assert!((pipe.get("RESISTANCE") * 180.0 * 180.0 - pipe.get("HEAD_LOSS")).abs() < 1e-9);
        assert!((pipe.get("PASSAGE") - 62.8).abs() < 0.2);
    }
}
