//! Asynchronous motors: run-up, current, heat, the thermal relay before them. Apart, because pumps and everything else
//! that turns have one.

use super::{NEVER, elapsed, finite, positive, sane, settle};
use crate::library::{Now, pins::block};

/// What stands on the motor and how it is started.
pub(super) struct Plate {
    /// Power at the shaft [kW].
    pub(super) rated: f64,
    pub(super) voltage: f64,
    pub(super) cos_phi: f64,
    pub(super) efficiency: f64,
    pub(super) run_up: f64,
    pub(super) run_down: f64,
    /// The starting current as a multiple of the rated one.
    pub(super) inrush: f64,
    pub(super) ambient: f64,
}

/// What is asked of it in a scan.
pub(super) struct Order {
    /// The speed that it shall turn with [share]; none is standing.
    pub(super) speed: Option<f64>,
    pub(super) trip: bool,
    pub(super) reset: bool,
}

/// What it does, and what it has been through.
pub(super) struct Turning {
    pub(super) speed: f64,
    pub(super) running: bool,
    pub(super) tripped: bool,
    pub(super) current: f64,
    pub(super) power: f64,
    pub(super) winding: f64,
    pub(super) hours: f64,
    pub(super) starts: u32,
    /// Of the thermal relay: 1 after long at the rated current.
    pub(super) heat: f64,
}

/// A relay of class 10 (IEC 60947-4-1) trips above 1.1 to 1.2 times the rated current, and at 7.2 times within 10 s.
const TRIPS: f64 = 1.25;
const RELAY: f64 = 300.0;
/// A relay that has cooled down to here can be reset.
const RESETS: f64 = 0.9;
/// Class F windings, used to class B: 80 K above the ambient at the rated current.
const RISE: f64 = 75.0;
const WINDING: f64 = 1500.0;

impl Turning {
    /// Goes on for `seconds`. `load` is the power at the shaft in kW at a speed.
    pub(super) fn turn(&mut self, plate: &Plate, order: &Order, seconds: f64, load: impl Fn(f64) -> f64) {
        self.heat = sane(self.heat, 0.0, 1e3);
        if order.trip {
            self.tripped = true;
        } else if order.reset && self.heat < RESETS {
            self.tripped = false;
        }
        let target = order.speed.filter(|_| !self.tripped).map_or(0.0, |speed| sane(speed, 0.0, 1.2));
        let running = target > 0.0;
        if running && !self.running {
            self.starts = self.starts.wrapping_add(1);
        }
        self.running = running;
        let before = sane(self.speed, 0.0, 1.2);
        let slope = 1.0 / if target > before { sane(plate.run_up, 0.01, 1e4) } else { sane(plate.run_down, 0.01, 1e4) };
        let moving = ((target - before).abs() / slope).min(seconds);
        let after = if moving < seconds || (target - before).abs() <= moving * slope * (1.0 + 1e-12) {
            target
        } else {
            before + (target - before).signum() * slope * moving
        };
        self.speed = after;

        // Simpson's rule over the run-up, in which the current falls steeply; then what it is afterwards.
        let rated = plate.rated_current();
        let amperes = |speed: f64| if running { plate.current(speed, target, load(speed), rated) } else { (0.0, 0.0) };
        let square = |amperes: f64| (amperes / rated).powi(2).min(100.0);
        (self.current, self.power) = amperes(after);
        let last = square(self.current);
        let mean = if moving > 0.0 {
            (square(amperes(before).0) + 4.0 * square(amperes(0.5 * (before + after)).0) + last) / 6.0
        } else {
            0.0
        };
        for (square, seconds) in [(mean, moving), (last, seconds - moving)].into_iter().filter(|(_, time)| *time > 0.0)
        {
            self.heat = settle(self.heat, square, seconds, RELAY);
            // A standing motor has no fan.
            let constant = if running { WINDING } else { 3.0 * WINDING };
            self.winding = settle(finite(self.winding), plate.ambient + RISE * square.min(3.0), seconds, constant);
        }
        self.winding = sane(self.winding, -60.0, 400.0);
        if running {
            self.hours = positive(self.hours) + seconds / 3600.0;
        }
        if self.heat > TRIPS {
            (self.tripped, self.running, self.current, self.power) = (true, false, 0.0, 0.0);
        }
    }
}

impl Plate {
    fn rated_current(&self) -> f64 {
        let efficiency = sane(self.efficiency, 0.1, 1.0);
        let apparent = sane(self.rated, 0.01, 1e6) / efficiency / sane(self.cos_phi, 0.1, 1.0);
        apparent * 1000.0 / (3.0_f64.sqrt() * sane(self.voltage, 10.0, 1e5))
    }

    /// Amperes, and kilowatts from the grid, at a speed on the way to `target`.
    fn current(&self, speed: f64, target: f64, load: f64, rated: f64) -> (f64, f64) {
        let cos_phi = sane(self.cos_phi, 0.1, 1.0);
        let drawn = positive(load).min(1e6) / sane(self.efficiency, 0.1, 1.0);
        let volts = 3.0_f64.sqrt() * sane(self.voltage, 10.0, 1e5) / 1000.0;
        let active = drawn / volts;
        // Magnetising takes the same at any load: what the rated power factor leaves.
        let steady = active.hypot(rated * (1.0 - cos_phi * cos_phi).sqrt());
        if speed >= target {
            return (steady, drawn);
        }
        // It stays near that of the standing motor until most of the speed is there.
        let starting = rated * sane(self.inrush, 1.0, 12.0) * (1.0 - (speed / target).powi(4)).max(0.0);
        let current = steady.max(starting);
        (current, drawn.max(current * volts * 0.35))
    }
}

/// Turns the motor of a block for so many seconds under a load (the power at the shaft in kW at a speed): the block has the
/// pins of MOTOR by their names. What comes of it is the temperature about the motor.
macro_rules! turn {
    ($block:expr, $seconds:expr, $load:expr) => {{
        let plate = Plate {
            rated: $block.RATED,
            voltage: $block.VOLTAGE,
            cos_phi: $block.COS_PHI,
            efficiency: $block.EFFICIENCY,
            run_up: $block.RUN_UP,
            run_down: $block.RUN_DOWN,
            inrush: $block.INRUSH,
            ambient: sane($block.AMBIENT, -60.0, 100.0),
        };
        let order = Order { speed: $block.RUN.then_some($block.SPEED_SET), trip: $block.TRIP, reset: $block.RESET };
        let mut turning = Turning {
            speed: $block.SPEED,
            running: $block.RUNNING,
            tripped: $block.TRIPPED,
            current: $block.CURRENT,
            power: $block.POWER,
            winding: $block.WINDING,
            hours: $block.HOURS,
            starts: $block.STARTS,
            heat: $block.HEAT,
        };
        turning.turn(&plate, &order, $seconds, $load);
        $block.SPEED = turning.speed;
        $block.RUNNING = turning.running;
        $block.TRIPPED = turning.tripped;
        $block.CURRENT = turning.current;
        $block.POWER = turning.power;
        $block.WINDING = turning.winding;
        $block.HOURS = turning.hours;
        $block.STARTS = turning.starts;
        $block.HEAT = turning.heat;
        plate.ambient
    }};
}
pub(super) use turn;

block! {
    /// An asynchronous motor with a contactor and a thermal relay.
    MOTOR: Motor {
        /// Closes the contactor.
        input RUN: BOOL,
        /// Opens it, and keeps it open until a reset.
        input TRIP: BOOL,
        /// Resets a trip, if the relay has cooled down.
        input RESET: BOOL,
        /// The load at full speed, as a share of the rated power.
        input LOAD: LREAL = 0.8,
        /// How the load goes with speed: 0 for cranes and conveyors, 2 for pumps and fans.
        input EXPONENT: LREAL = 2.0,
        /// The speed that it shall turn with; other than 1 with a frequency converter [share].
        input SPEED_SET: LREAL = 1.0,
        /// The rated power [kW].
        input RATED: LREAL = 15.0,
        /// The voltage between phases [V].
        input VOLTAGE: LREAL = 400.0,
        /// The rated power factor.
        input COS_PHI: LREAL = 0.86,
        /// The rated efficiency [share].
        input EFFICIENCY: LREAL = 0.92,
        /// The time to full speed [s].
        input RUN_UP: LREAL = 3.0,
        /// The time to standstill [s].
        input RUN_DOWN: LREAL = 8.0,
        /// The starting current as a multiple of the rated one: 6 on line, 3 with a soft starter, 1 with a converter.
        input INRUSH: LREAL = 6.0,
        /// The temperature about it [°C].
        input AMBIENT: LREAL = 20.0,
        /// The contactor is closed.
        output RUNNING: BOOL,
        /// It was tripped.
        output TRIPPED: BOOL,
        /// The speed [share].
        output SPEED: LREAL,
        /// The current [A].
        output CURRENT: LREAL,
        /// The power from the grid [kW].
        output POWER: LREAL,
        /// The temperature of the winding [°C].
        output WINDING: LREAL = 20.0,
        /// The hours that it ran [h].
        output HOURS: LREAL,
        /// How often it was started.
        output STARTS: UDINT,
        hidden LAST: LINT = NEVER,
        hidden HEAT: LREAL,
    }
}

impl Motor {
    fn step(&mut self, now: &mut Now<'_>) {
        let seconds = elapsed(&mut self.LAST, now);
        let (load, exponent) = (sane(self.LOAD, 0.0, 10.0) * positive(self.RATED), sane(self.EXPONENT, 0.0, 3.0));
        turn!(self, seconds, |speed| load * speed * speed.powf(exponent));
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;

    fn motor() -> Trial {
        let mut motor = Trial::of("MOTOR");
        motor.set("LOAD", 1.0).run(0.0);
        motor
    }

    #[test]
    fn it_runs_up_in_its_time_with_its_starting_current() {
        for seconds in [0.05, 0.5] {
            let mut motor = motor();
            motor.set("RUN", 1.0).run(seconds);
            // 15 kW at 400 V: 27.4 A.
            assert!((150.0..170.0).contains(&motor.get("CURRENT")), "{}", motor.get("CURRENT"));
            motor.runs((2.5 / seconds) as usize - 1, seconds);
            assert!((motor.get("SPEED") - 2.5 / 3.0).abs() < 1e-6);
            motor.runs((1.0 / seconds) as usize, seconds);
            assert_eq!(motor.get("SPEED"), 1.0);
            assert!((motor.get("CURRENT") - 27.4).abs() < 0.2, "{}", motor.get("CURRENT"));
            assert!((motor.get("POWER") - 15.0 / 0.92).abs() < 0.01);
        }
    }

    #[test]
    fn hours_and_starts_are_counted() {
        let mut motor = motor();
        for _ in 0..5 {
            motor.set("RUN", 1.0).runs(60, 60.0).set("RUN", 0.0).runs(60, 60.0);
        }
        assert!((motor.get("HOURS") - 5.0).abs() < 1e-9);
        assert_eq!((motor.get("STARTS"), motor.get("SPEED"), motor.get("CURRENT")), (5.0, 0.0, 0.0));
    }

    #[test]
    fn an_overload_trips_it_until_it_is_reset_and_has_cooled() {
        for seconds in [1.0, 60.0] {
            let mut motor = motor();
            motor.set("RUN", 1.0).runs((3600.0 / seconds) as usize, seconds);
            assert!(!motor.on("TRIPPED"), "not at the rated load");
            motor.set("LOAD", 1.5).runs((120.0 / seconds) as usize, seconds);
            assert!(motor.on("TRIPPED") && !motor.on("RUNNING"));
            motor.set("LOAD", 1.0).set("RESET", 1.0).run(seconds.min(5.0));
            assert!(motor.on("TRIPPED"), "it is hot");
            motor.runs((300.0 / seconds) as usize, seconds);
            assert!(!motor.on("TRIPPED"));
        }
    }

    #[test]
    fn one_start_after_another_trips_it() {
        let mut motor = motor();
        motor.set("RUN", 1.0).runs(1200, 1.0);
        for _ in 0..8 {
            motor.set("RUN", 0.0).runs(10, 1.0).set("RUN", 1.0).runs(4, 1.0);
        }
        assert!(motor.on("TRIPPED"));
    }

    #[test]
    fn the_winding_warms_and_cools_slowly_and_as_far_at_any_scan_time() {
        let ends = [0.1, 1.0, 60.0].map(|seconds| {
            let mut motor = motor();
            motor.set("RUN", 1.0).runs((1800.0 / seconds) as usize, seconds).get("WINDING")
        });
        assert!(ends.iter().all(|end| (70.0..80.0).contains(end)), "{ends:?}");
        assert!((ends[0] - ends[2]).abs() < 1.0, "{ends:?}");
    }
}
