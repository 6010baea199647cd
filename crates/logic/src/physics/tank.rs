//! What holds water, and what counts it. Apart, because a plant is believed only if its water adds up.

use super::{NEVER, elapsed, finite, positive, sane};
use crate::library::{Now, pins::block};

block! {
    /// A tank with an overflow. What it gives is what it has: an empty tank gives no more than flows in.
    TANK: Tank {
        /// What flows in [m3/h].
        input INFLOW: LREAL,
        /// What is to be drawn [m3/h].
        input OUTFLOW: LREAL,
        /// The surface [m2].
        input AREA: LREAL = 10.0,
        /// How high the overflow is [m].
        input HEIGHT: LREAL = 4.0,
        /// The level of the first scan [m].
        input INITIAL: LREAL,
        /// The level [m].
        output LEVEL: LREAL,
        /// What it holds; below zero it was never run [m3].
        output VOLUME: LREAL = -1.0,
        /// What was really drawn since the last scan [m3/h].
        output DRAWN: LREAL,
        /// What ran over since the last scan [m3/h].
        output OVERFLOW: LREAL,
        /// All that ever ran over [m3].
        output OVERFLOWED: LREAL,
        /// It runs over.
        output FULL: BOOL,
        /// Nothing is left.
        output EMPTY: BOOL,
        hidden LAST: LINT = NEVER,
    }
}

impl Tank {
    fn step(&mut self, now: &mut Now<'_>) {
        let hours = elapsed(&mut self.LAST, now) / 3600.0;
        let area = sane(self.AREA, 1e-3, 1e9);
        let capacity = area * sane(self.HEIGHT, 0.0, 1e3);
        if self.VOLUME < 0.0 {
            self.VOLUME = area * positive(self.INITIAL);
        }
        let (inflow, outflow) = (positive(self.INFLOW), positive(self.OUTFLOW));
        let there = positive(self.VOLUME) + inflow * hours;
        let drawn = (outflow * hours).min(there);
        let kept = there - drawn;
        let over = (kept - capacity).max(0.0);
        self.VOLUME = kept - over;
        self.LEVEL = self.VOLUME / area;
        self.EMPTY = self.VOLUME <= 1e-9 * area;
        self.FULL = self.VOLUME >= capacity;
        if hours > 0.0 {
            self.DRAWN = drawn / hours;
            self.OVERFLOW = over / hours;
        } else {
            self.DRAWN = if self.EMPTY { outflow.min(inflow) } else { outflow };
            self.OVERFLOW = 0.0;
        }
        self.OVERFLOWED = positive(self.OVERFLOWED) + over;
    }
}

block! {
    /// A volume that is well mixed, and in which what is dissolved decays: chlorine, heat, turbidity.
    MIXING: Mixing {
        /// What flows in has this much of it (any unit).
        input IN: LREAL,
        /// What flows through [m3/h].
        input FLOW: LREAL,
        /// What it holds [m3].
        input VOLUME: LREAL = 1.0,
        /// The share that decays [1/h].
        input DECAY: LREAL,
        /// How much of it there is in the volume.
        output OUT: LREAL,
        hidden LAST: LINT = NEVER,
    }
}

impl Mixing {
    fn step(&mut self, now: &mut Now<'_>) {
        let first = self.LAST < 0 && self.OUT == 0.0;
        let hours = elapsed(&mut self.LAST, now) / 3600.0;
        let renewal = positive(self.FLOW) / sane(self.VOLUME, 1e-6, 1e12);
        let rate = renewal + sane(self.DECAY, 0.0, 1e6);
        if first {
            self.OUT = finite(self.IN);
        } else if rate > 0.0 {
            let end = finite(self.IN) * (renewal / rate);
            self.OUT = end + (finite(self.OUT) - end) * (-rate * hours).exp();
        }
    }
}

block! {
    /// Counts what flows, as a water meter or an energy meter does.
    TOTALIZER: Totalizer {
        /// What flows, in units an hour (m3/h, kW).
        input IN: LREAL,
        /// Sets the total back.
        input RESET: BOOL,
        /// The units that one pulse stands for.
        input UNIT: LREAL = 1.0,
        /// The total in units (m3, kWh).
        output TOTAL: LREAL,
        /// The pulse of the meter: on for one scan whenever a unit is full.
        output PULSE: BOOL,
        hidden LAST: LINT = NEVER,
        hidden OWED: LREAL,
    }
}

impl Totalizer {
    fn step(&mut self, now: &mut Now<'_>) {
        let more = positive(self.IN) * elapsed(&mut self.LAST, now) / 3600.0;
        self.TOTAL = if self.RESET { 0.0 } else { positive(self.TOTAL) + more };
        // Two pulses need a pause between them; what comes faster is owed.
        self.OWED = positive(self.OWED) + more;
        let unit = sane(self.UNIT, 1e-9, 1e12);
        self.PULSE = self.OWED >= unit && !self.PULSE;
        if self.PULSE {
            self.OWED = (self.OWED - unit).min(1000.0 * unit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;

    #[test]
    fn not_a_drop_is_lost() {
        let mut tank = Trial::of("TANK");
        tank.set("AREA", 25.0).set("HEIGHT", 3.0).set("INITIAL", 1.5).run(0.0);
        let start = tank.get("VOLUME");
        let (mut came, mut went) = (0.0, 0.0);
        for scan in 0..5000 {
            let seconds = [0.01, 0.1, 1.0, 7.0, 60.0][scan % 5];
            let inflow = if scan < 2000 { 400.0 } else { 30.0 };
            tank.set("INFLOW", inflow).set("OUTFLOW", (scan % 300) as f64).run(seconds);
            came += inflow * seconds / 3600.0;
            went += (tank.get("DRAWN") + tank.get("OVERFLOW")) * seconds / 3600.0;
            assert!((0.0..=3.0 + 1e-9).contains(&tank.get("LEVEL")));
        }
        assert!(tank.get("OVERFLOWED") > 100.0, "it ran over");
        assert!((tank.get("VOLUME") - start - came + went).abs() < 1e-6 * came);
    }

    #[test]
    fn an_empty_tank_gives_what_flows_in() {
        let mut tank = Trial::of("TANK");
        tank.set("INITIAL", 0.1).set("INFLOW", 10.0).set("OUTFLOW", 1000.0).run(0.0);
        tank.runs(10, 1.0);
        assert!(tank.on("EMPTY"));
        assert!((tank.get("DRAWN") - 10.0).abs() < 1e-9);
    }

    #[test]
    fn a_full_tank_runs_over_with_what_is_too_much() {
        let mut tank = Trial::of("TANK");
        tank.set("INITIAL", 3.999).set("INFLOW", 50.0).set("OUTFLOW", 20.0).run(0.0);
        tank.runs(3, 60.0);
        assert!(tank.on("FULL") && (tank.get("OVERFLOW") - 30.0).abs() < 1e-9);
        assert!((tank.get("LEVEL") - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_mixed_volume_comes_to_its_balance_at_any_scan_time() {
        for seconds in [0.1, 1.0, 60.0] {
            let mut residual = Trial::of("MIXING");
            residual.set("IN", 1.0).set("FLOW", 100.0).set("VOLUME", 400.0).set("DECAY", 0.05).run(0.0);
            residual.set("IN", 0.6).runs((7200.0 / seconds) as usize, seconds);
            let (rate, end) = (0.25 + 0.05, 0.6 * 0.25 / 0.3);
            let expected = end + (1.0 - end) * (-rate * 2.0_f64).exp();
            assert!((residual.get("OUT") - expected).abs() < 1e-6, "at {seconds} s");
        }
    }

    #[test]
    fn a_meter_gives_a_pulse_for_each_unit() {
        let mut meter = Trial::of("TOTALIZER");
        meter.set("IN", 360.0).run(0.0);
        let mut pulses = 0;
        for _ in 0..3600 {
            pulses += u32::from(meter.run(1.0).on("PULSE"));
        }
        assert!((meter.get("TOTAL") - 360.0).abs() < 1e-6);
        assert!((359..=360).contains(&pulses), "{pulses}");
        assert_eq!(meter.set("RESET", 1.0).run(1.0).get("TOTAL"), 0.0);
    }
}
