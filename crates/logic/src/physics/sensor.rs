//! How a PLC sees a value of the world: a transmitter, its current loop, the counts of an analogue module. Apart, because
//! this is where a real value gets its noise, its steps and its faults.

use super::{NEVER, elapsed, finite, positive, sane, settle, signal};
use crate::library::{Now, pins::block};

/// What a transmitter sends at the least and the most, as shares of its span: 3.8 and 20.5 mA (NAMUR NE 43).
const SATURATED: (f64, f64) = (-0.0125, 1.03125);

block! {
    /// A transmitter of 4 to 20 mA at an analogue input.
    SENSOR: Sensor {
        /// The true value.
        input IN: LREAL,
        /// The value at 4 mA.
        input LOW: LREAL,
        /// The value at 20 mA.
        input HIGH: LREAL = 100.0,
        /// The counts at 4 mA.
        input COUNTS_LOW: INT,
        /// The counts at 20 mA: 10000 in a Modicon, 27648 in a SIMATIC.
        input COUNTS_HIGH: INT = 10_000,
        /// The counts of an open wire.
        input COUNTS_OPEN: INT = -1_600,
        /// The standard deviation of the noise, as a value.
        input NOISE: LREAL,
        /// The standard deviation of the drift that heat and age make, as a value.
        input DRIFT: LREAL,
        /// The damping of the transmitter [s].
        input DAMPING: LREAL = 1.0,
        /// The bits of its converter.
        input BITS: INT = 12,
        /// What is wrong with it: 0 nothing, 1 stuck, 2 open wire, 3 above its range, 4 drifting away.
        input MODE: INT,
        /// What the module reads.
        output COUNTS: INT,
        /// The same as a value.
        output VALUE: REAL,
        /// The loop is outside of 3.8 to 20.5 mA, or at an end of it.
        output FAULT: BOOL,
        hidden LAST: LINT = NEVER,
        hidden STATE: LREAL,
        hidden WANDER: LREAL,
        hidden AGE: LREAL,
        hidden AWAY: LREAL,
    }
}

impl Sensor {
    fn step(&mut self, now: &mut Now<'_>) {
        let first = self.LAST < 0;
        let seconds = elapsed(&mut self.LAST, now);
        let (low, high) = (finite(self.LOW), finite(self.HIGH));
        let span = if high == low { 1.0 } else { high - low };
        let input = finite(self.IN);
        self.STATE = if first { input } else { settle(finite(self.STATE), input, seconds, positive(self.DAMPING)) };
        let mut noise = 0.0;
        if self.DRIFT > 0.0 {
            // Heat and age work over hours.
            signal::wander((&mut self.WANDER, &mut self.AGE), first, seconds, 21_600.0, now);
            noise += positive(self.DRIFT) * finite(self.WANDER);
        }
        if self.NOISE > 0.0 {
            noise += positive(self.NOISE) * now.random.normal();
        }
        // A sensor that fouls or loses its reference is off by a fifth of its span within a day.
        let away = if self.MODE == 4 { finite(self.AWAY) + 0.2 * seconds / 86_400.0 } else { 0.0 };
        self.AWAY = sane(away, 0.0, 2.0);
        let share = match self.MODE {
            1 => return,
            2 => None,
            3 => Some(SATURATED.1),
            _ => Some((self.STATE + noise - low) / span + self.AWAY),
        };
        let (counts_low, counts_high) = (f64::from(self.COUNTS_LOW), f64::from(self.COUNTS_HIGH));
        let counts = match share {
            Some(share) => {
                let sent = sane(share, SATURATED.0, SATURATED.1);
                self.FAULT = sent != share;
                counts_low + signal::quantised(sent, 0.0, 1.0, self.BITS) * (counts_high - counts_low)
            }
            None => {
                self.FAULT = true;
                f64::from(self.COUNTS_OPEN)
            }
        };
        self.FAULT |= self.MODE == 3;
        let counts = counts.round();
        self.COUNTS = sane(counts, f64::from(i16::MIN), f64::from(i16::MAX)) as i16;
        let range = if counts_high == counts_low { 1.0 } else { counts_high - counts_low };
        self.VALUE = low + (counts - counts_low) / range * span;
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;
    use std::collections::BTreeSet;

    fn level() -> Trial {
        let mut sensor = Trial::of("SENSOR");
        sensor.set("HIGH", 5.0).set("IN", 2.0);
        sensor
    }

    #[test]
    fn four_to_twenty_milliamperes_are_the_counts_of_the_module() {
        let mut sensor = level();
        for (value, counts) in
            [(0.0, 0.0), (2.5, 5001.0), (5.0, 10_000.0), (5.1, 10_200.0), (9.0, 10_313.0), (-1.0, -125.0)]
        {
            sensor.set("IN", value).runs(60, 1.0);
            assert!((sensor.get("COUNTS") - counts).abs() < 2.0, "{value}: {}", sensor.get("COUNTS"));
        }
        let mut simatic = level();
        simatic.set("COUNTS_HIGH", 27_648.0).set("BITS", 15.0).set("IN", 5.0).run(1.0);
        assert_eq!(simatic.get("COUNTS"), 27_648.0);
    }

    #[test]
    fn twelve_bits_are_seen_in_the_counts() {
        let mut sensor = level();
        sensor.set("NOISE", 0.01);
        let mut seen = BTreeSet::new();
        for _ in 0..2000 {
            seen.insert(sensor.run(1.0).get("COUNTS") as i64);
        }
        let gaps: Vec<i64> = seen.iter().zip(seen.iter().skip(1)).map(|(a, b)| b - a).collect();
        assert!(gaps.len() > 10 && gaps.iter().all(|gap| *gap >= 2), "one step is 10000/4095 counts: {gaps:?}");
        assert!((seen.iter().sum::<i64>() as f64 / seen.len() as f64 - 4000.0).abs() < 20.0);
    }

    #[test]
    fn a_sensor_fails_in_each_of_its_ways() {
        let mut sensor = level();
        sensor.set("NOISE", 0.005).runs(10, 1.0);
        let before = sensor.get("COUNTS");
        sensor.set("MODE", 1.0).set("IN", 4.0).runs(100, 1.0);
        assert_eq!(sensor.get("COUNTS"), before, "stuck");
        sensor.set("MODE", 0.0).runs(5, 1.0);
        assert!((sensor.get("COUNTS") - 8000.0).abs() < 60.0, "well again");
        assert_eq!(sensor.set("MODE", 2.0).run(1.0).get("COUNTS"), -1600.0, "open wire");
        assert!(sensor.on("FAULT"));
        sensor.set("MODE", 3.0).run(1.0);
        assert!(sensor.get("COUNTS") > 10_300.0 && sensor.on("FAULT"), "out of range");
        sensor.set("MODE", 4.0).set("IN", 2.0).runs(24 * 60, 60.0);
        assert!((sensor.get("COUNTS") - 6000.0).abs() < 100.0, "{}", sensor.get("COUNTS"));
    }
}
