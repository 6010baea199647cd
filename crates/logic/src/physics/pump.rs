//! Centrifugal pumps. Apart, because here hydraulics and a motor meet.

use super::{
    NEVER, elapsed, finite,
    motor::{Order, Plate, Turning, turn},
    positive, sane, settle, signal,
};
use crate::library::{Now, pins::block};

block! {
    /// A centrifugal pump with motor, thermal relay and check valve, in a pipe that it may share with others.
    PUMP: Pump {
        /// Closes the contactor.
        input RUN: BOOL,
        /// Opens it, and keeps it open until a reset.
        input TRIP: BOOL,
        /// Resets a trip, if the relay has cooled down.
        input RESET: BOOL,
        /// The speed that it shall turn with; other than 1 with a frequency converter [share].
        input SPEED_SET: LREAL = 1.0,
        /// The water above its inlet [m].
        input SUBMERGENCE: LREAL = 10.0,
        /// How far it has to lift [m].
        input STATIC_HEAD: LREAL = 10.0,
        /// What the pipe takes: head over the square of the flow [m/(m3/h)2].
        input RESISTANCE: LREAL = 0.0005,
        /// What other pumps press through the same pipe [m3/h].
        input OTHER_FLOW: LREAL,
        /// How far its discharge valve is open [share].
        input OPENING: LREAL = 1.0,
        /// The head without flow [m].
        input H0: LREAL = 40.0,
        /// How the head falls with the square of the flow [m/(m3/h)2].
        input A: LREAL = 0.001,
        /// The flow that it was built for [m3/h].
        input Q_BEST: LREAL = 100.0,
        /// The efficiency at that flow [share].
        input ETA: LREAL = 0.75,
        /// The time that the water takes to speed up [s].
        input INERTIA: LREAL = 1.5,
        /// How worn the bearings are [share].
        input WEAR: LREAL,
        /// The rated power of the motor [kW].
        input RATED: LREAL = 15.0,
        /// The voltage between phases [V].
        input VOLTAGE: LREAL = 400.0,
        /// The rated power factor.
        input COS_PHI: LREAL = 0.86,
        /// The rated efficiency of the motor [share].
        input EFFICIENCY: LREAL = 0.92,
        /// The time to full speed [s].
        input RUN_UP: LREAL = 4.0,
        /// The time to standstill [s].
        input RUN_DOWN: LREAL = 6.0,
        /// The starting current as a multiple of the rated one: 6 on line, 3 with a soft starter, 1 with a converter.
        input INRUSH: LREAL = 3.0,
        /// The temperature about it [°C].
        input AMBIENT: LREAL = 20.0,
        /// The contactor is closed.
        output RUNNING: BOOL,
        /// It was tripped.
        output TRIPPED: BOOL,
        /// It has too little water to pump.
        output DRY: BOOL,
        /// The flow [m3/h].
        output FLOW: LREAL,
        /// The head that it makes [m].
        output HEAD: LREAL,
        /// The speed [share].
        output SPEED: LREAL,
        /// The current [A].
        output CURRENT: LREAL,
        /// The power from the grid [kW].
        output POWER: LREAL,
        /// The vibration of the bearing housing [mm/s].
        output VIBRATION: LREAL,
        /// The temperature of the bearing [°C].
        output BEARING: LREAL = 20.0,
        /// The temperature of the winding [°C].
        output WINDING: LREAL = 20.0,
        /// The hours that it ran [h].
        output HOURS: LREAL,
        /// How often it was started.
        output STARTS: UDINT,
        hidden LAST: LINT = NEVER,
        hidden HEAT: LREAL,
        hidden SHAKE: LREAL,
        hidden AGE: LREAL,
    }
}

/// The time constant of the bearing housing [s].
const BEARING: f64 = 1800.0;
/// Below this a pump that has water wastes what it takes in heat, as a share of the flow it was built for.
const DEAD: f64 = 0.05;

impl Pump {
    fn step(&mut self, now: &mut Now<'_>) {
        let first = self.LAST < 0;
        let seconds = elapsed(&mut self.LAST, now);
        let best = sane(self.Q_BEST, 1e-3, 1e6);
        // Air gets in before the inlet is uncovered.
        let water = sane((self.SUBMERGENCE - 0.05) / 0.25, 0.0, 1.0);
        let worn = sane(self.WEAR, 0.0, 1.0);
        let ambient = turn!(self, seconds, |speed| {
            self.shaft(speed, self.balance(speed) * water, best) * (0.25 + 0.75 * water) * (1.0 + 0.1 * worn)
        });
        let speed = self.SPEED;

        let through = self.balance(speed) * water;
        // The check valve shuts as soon as nothing presses it open any more.
        let inertia = if through > 0.0 { positive(self.INERTIA).min(3600.0) } else { 0.3 };
        self.FLOW = settle(sane(self.FLOW, 0.0, 1e6), through, seconds, inertia);
        if self.FLOW < 1e-3 * best {
            self.FLOW = through;
        }
        self.DRY = self.RUNNING && water < 0.5;
        self.HEAD = if speed > 0.0 {
            (self.shutoff(speed) - self.fall() * self.FLOW * self.FLOW).max(0.0) * water
        } else {
            0.0
        };

        // A pump shakes least where it was built for, and badly with air in it.
        signal::wander((&mut self.SHAKE, &mut self.AGE), first, seconds, 60.0, now);
        let load = if speed > 0.0 { self.FLOW / (speed * best) } else { 0.0 };
        let rough = 1.3 + 1.7 * sane((load - 1.0).powi(2), 0.0, 4.0) + 5.0 * (1.0 - water) + 5.0 * worn;
        let jitter = if speed > 0.0 { now.random.normal() } else { 0.0 };
        let jitter = (1.0 + 0.05 * finite(self.SHAKE) + 0.03 * jitter).max(0.2);
        self.VIBRATION = rough * speed * speed * jitter;
        // What does not leave with the water stays as heat.
        let idle = if load < DEAD && speed > 0.0 { 30.0 } else { 0.0 };
        let warm = speed * speed * (22.0 + idle + 25.0 * (1.0 - water) + 30.0 * worn);
        let bearing = settle(finite(self.BEARING), ambient + warm, seconds, BEARING);
        self.BEARING = sane(bearing, -60.0, 400.0);
    }

    /// The head without flow at a speed, by the law of affinity.
    const fn shutoff(&self, speed: f64) -> f64 {
        sane(self.H0, 0.0, 1e4) * speed * speed
    }

    const fn fall(&self) -> f64 {
        sane(self.A, 1e-9, 1e6)
    }

    /// The flow at which the pump's head is what lift and pipe take:
    /// H0 n² - A Q² = static + K (Q + others)².
    fn balance(&self, speed: f64) -> f64 {
        let opening = sane(self.OPENING, 0.0, 1.0);
        if opening < 1e-3 || speed <= 0.0 {
            return 0.0;
        }
        // The valve is the pump's own; the pipe is shared.
        let (pipe, valve) = (sane(self.RESISTANCE, 0.0, 1e6), self.fall() * 0.1 * (1.0 / (opening * opening) - 1.0));
        let (fall, others) = (self.fall() + valve, sane(self.OTHER_FLOW, 0.0, 1e6));
        let left = self.shutoff(speed) - sane(self.STATIC_HEAD, -1e4, 1e4) - pipe * others * others;
        let (a, b) = (fall + pipe, pipe * others);
        let root = b * b + a * left;
        if left <= 0.0 || root <= 0.0 { 0.0 } else { ((root.sqrt() - b) / a).clamp(0.0, 1e6) }
    }

    /// The power at the shaft [kW]: a good third of it is needed even without flow.
    fn shaft(&self, speed: f64, flow: f64, best: f64) -> f64 {
        let head = (sane(self.H0, 0.0, 1e4) - self.fall() * best * best).max(0.3 * sane(self.H0, 0.0, 1e4));
        let full = 9.81 * best / 3600.0 * head / sane(self.ETA, 0.05, 1.0);
        let load = if speed > 0.0 { sane(flow / (speed * best), 0.0, 2.0) } else { 0.0 };
        full * speed.powi(3) * (0.4 + 0.6 * load)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;

    /// A pump of 120 m3/h at 28 m, at work.
    fn running(seconds: f64) -> Trial {
        let mut pump = Trial::of("PUMP");
        pump.set("H0", 38.0).set("A", 0.0007).set("Q_BEST", 120.0).set("STATIC_HEAD", 20.0).set("RESISTANCE", 0.0005);
        pump.run(0.0);
        pump.set("RUN", 1.0).runs((120.0 / seconds) as usize, seconds);
        pump
    }

    #[test]
    fn it_works_where_its_curve_meets_that_of_the_pipe() {
        for seconds in [0.1, 1.0, 60.0] {
            let pump = running(seconds);
            let flow = (18.0_f64 / 0.0012).sqrt();
            assert!((pump.get("FLOW") - flow).abs() < 0.01, "{} at {seconds} s", pump.get("FLOW"));
            assert!((pump.get("HEAD") - (20.0 + 0.0005 * flow * flow)).abs() < 0.01);
            // 122 m3/h to 27.5 m at 75 % and 92 %: 13.3 kW.
            assert!((pump.get("POWER") - 13.3).abs() < 0.5, "{}", pump.get("POWER"));
            assert!((20.0..28.0).contains(&pump.get("CURRENT")), "{}", pump.get("CURRENT"));
            assert!((1.0..2.0).contains(&pump.get("VIBRATION")), "{}", pump.get("VIBRATION"));
        }
    }

    #[test]
    fn it_takes_its_time_to_run_up_and_down() {
        let mut pump = running(1.0);
        pump.set("RUN", 0.0).run(1.0);
        assert!(pump.get("SPEED") > 0.8 && !pump.on("RUNNING"));
        pump.runs(10, 1.0);
        assert_eq!((pump.get("SPEED"), pump.get("FLOW"), pump.get("POWER")), (0.0, 0.0, 0.0));
        pump.set("RUN", 1.0).run(1.0);
        assert!(pump.get("CURRENT") > 50.0 && pump.get("FLOW") == 0.0, "it does not lift yet");
        pump.runs(10, 1.0);
        assert!(pump.get("FLOW") > 110.0);
        assert_eq!(pump.get("STARTS"), 2.0);
    }

    #[test]
    fn two_in_one_pipe_give_less_than_twice_one() {
        let (mut one, mut two) = (running(1.0), running(1.0));
        let alone = one.get("FLOW");
        for _ in 0..60 {
            let flow = two.get("FLOW");
            let flow = one.set("OTHER_FLOW", flow).run(1.0).get("FLOW");
            two.set("OTHER_FLOW", flow).run(1.0);
        }
        let both = one.get("FLOW") + two.get("FLOW");
        let expected = 2.0 * (18.0_f64 / (0.0007 + 4.0 * 0.0005)).sqrt();
        assert!((both - expected).abs() < 0.1, "{both} {expected}");
        assert!(both < 1.6 * alone);
    }

    #[test]
    fn nothing_flows_back() {
        let mut pump = running(1.0);
        pump.set("STATIC_HEAD", 60.0).runs(60, 1.0);
        assert_eq!(pump.get("FLOW"), 0.0);
    }

    #[test]
    fn a_closed_valve_and_a_dry_inlet_are_seen_in_current_and_vibration() {
        let well = running(1.0);
        let mut closed = running(1.0);
        closed.set("OPENING", 0.0).runs(3600, 1.0);
        assert_eq!(closed.get("FLOW"), 0.0);
        assert!(closed.get("CURRENT") < 0.75 * well.get("CURRENT") && closed.get("VIBRATION") > 2.0);
        assert!(closed.get("BEARING") > 55.0, "{}", closed.get("BEARING"));
        assert!((closed.get("HEAD") - 38.0).abs() < 0.01);
        let mut dry = running(1.0);
        dry.set("SUBMERGENCE", 0.0).runs(60, 1.0);
        assert!(dry.on("DRY") && dry.get("FLOW") == 0.0);
        assert!(dry.get("CURRENT") < closed.get("CURRENT") && dry.get("VIBRATION") > 5.0);
    }

    #[test]
    fn with_a_converter_it_gives_less_at_less_speed() {
        let mut pump = running(1.0);
        let (flow, power) = (pump.get("FLOW"), pump.get("POWER"));
        pump.set("SPEED_SET", 0.85).runs(60, 1.0);
        assert!(pump.get("FLOW") < 0.75 * flow && pump.get("POWER") < 0.61 * power);
    }
}
