//! What moves a tag that no program moves. Apart, because a profile alone (no program) can be alive with these.

use super::{program::Moment, value::Value};
use crate::random::Random;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// How a tag moves by itself.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Drive {
    /// The time since the device started, in units of `unit` seconds.
    Uptime {
        /// Seconds that count as one.
        #[serde(default = "one")]
        unit: f64,
    },
    /// The device's clock.
    Clock {
        /// Which part of it.
        part: Part,
    },
    /// A value that wanders about a mean (an Ornstein-Uhlenbeck process), and stays inside `low` and `high`.
    Walk {
        /// The mean.
        mean: f64,
        /// The standard deviation about the mean.
        spread: f64,
        /// The seconds in which it forgets where it was.
        seconds: f64,
        /// The lowest value.
        #[serde(default = "lowest")]
        low: f64,
        /// The highest value.
        #[serde(default = "highest")]
        high: f64,
        /// The step of the converter that measures it; 0 is none.
        #[serde(default)]
        step: f64,
    },
    /// A count that grows steadily and starts again at `wrap`.
    Counter {
        /// How much it grows in a second.
        rate: f64,
        /// Where it starts again; 0 is never.
        #[serde(default)]
        wrap: f64,
    },
}

/// A part of the clock, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Seconds since 1970.
    Unix,
    /// 0 to 59.
    Second,
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
}

const fn one() -> f64 {
    1.0
}
const fn lowest() -> f64 {
    f64::MIN
}
const fn highest() -> f64 {
    f64::MAX
}

/// A tag's drive at work.
#[derive(Debug)]
pub(super) struct Driver {
    drive: Drive,
    random: Random,
    at: f64,
}

impl Driver {
    pub(super) fn new(drive: Drive, random: Random, initial: f64) -> Self {
        let mut driver = Self { drive, random, at: initial };
        if let Drive::Walk { mean, spread, .. } = driver.drive {
            driver.at = mean + spread * driver.random.normal();
        }
        driver
    }

    /// Goes on from `value`, where it was before the program was started anew.
    pub(super) const fn resume(&mut self, value: f64) {
        self.at = value;
    }

    /// The value after `step` more, which is at `moment`.
    pub(super) fn advance(&mut self, step: Duration, moment: Moment) -> Value {
        let Moment { uptime, clock: unix } = moment;
        match self.drive {
            Drive::Uptime { unit } => Value::Real((uptime.as_secs_f64() / unit).floor()),
            Drive::Clock { part } => Value::Uint(match part {
                Part::Unix => unix.as_secs(),
                Part::Second => unix.as_secs() % 60,
                Part::Minute => unix.as_secs() / 60 % 60,
                Part::Hour => unix.as_secs() / 3600 % 24,
            }),
            Drive::Walk { mean, spread, seconds, low, high, step: quantum } => {
                // The process has an exact solution, so one step serves however long the device was left alone.
                let keep = (-step.as_secs_f64() / seconds.max(1e-3)).exp();
                self.at = mean + (self.at - mean) * keep + spread * (1.0 - keep * keep).sqrt() * self.random.normal();
                self.at = self.at.max(low).min(high);
                Value::Real(if quantum > 0.0 { (self.at / quantum).round() * quantum } else { self.at })
            }
            Drive::Counter { rate, wrap } => {
                self.at += rate * step.as_secs_f64();
                if wrap > 0.0 {
                    self.at %= wrap;
                }
                Value::Real(self.at.floor())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const THEN: Moment = Moment { uptime: SECOND, clock: SECOND };

    #[test]
    fn a_walk_stays_about_its_mean_and_inside_its_bounds() {
        let drive = Drive::Walk { mean: 50.0, spread: 2.0, seconds: 10.0, low: 45.0, high: 55.0, step: 0.5 };
        let mut driver = Driver::new(drive, Random::seeded(1), 0.0);
        let values: Vec<f64> = (0..10_000).map(|_| driver.advance(SECOND, THEN).number()).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean - 50.0).abs() < 0.5, "{mean}");
        assert!(values.iter().all(|v| (45.0..=55.0).contains(v) && v.fract().abs() % 0.5 < 1e-9));
        assert!(values.windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn counters_grow_and_start_again() {
        let mut driver = Driver::new(Drive::Counter { rate: 30.0, wrap: 100.0 }, Random::seeded(1), 0.0);
        let values: Vec<f64> = (0..4).map(|_| driver.advance(SECOND, THEN).number()).collect();
        assert_eq!(values, [30.0, 60.0, 90.0, 20.0]);
    }

    #[test]
    fn the_clock_and_the_uptime_are_told() {
        let moment = Moment { uptime: 125 * SECOND, clock: 7384 * SECOND };
        let at = |drive| Driver::new(drive, Random::seeded(1), 0.0).advance(SECOND, moment);
        assert_eq!(at(Drive::Uptime { unit: 60.0 }), Value::Real(2.0));
        assert_eq!(at(Drive::Clock { part: Part::Hour }), Value::Uint(2));
        assert_eq!(at(Drive::Clock { part: Part::Second }), Value::Uint(4));
    }
}
