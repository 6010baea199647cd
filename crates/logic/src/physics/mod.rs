//! Function blocks that behave like the things of a plant. Apart, because they are no part of IEC 61131-3.
//!
//! All of them are right at any scan time from 10 ms to a minute: what has a solution is solved, not stepped. Units are
//! those of the trade (m, m3, m3/h, bar, kW, A, degrees Celsius, mm/s, seconds), and a share is 0 to 1.

mod demand;
mod filter;
mod hydraulics;
mod motor;
mod pid;
mod power;
mod pump;
mod sensor;
mod signal;
mod tank;
#[cfg(test)]
mod trial;

use crate::library::{Block, Now};

/// All of them.
pub(crate) static BLOCKS: &[Block] = &[
    tank::TANK,
    tank::MIXING,
    tank::TOTALIZER,
    pump::PUMP,
    motor::MOTOR,
    hydraulics::VALVE,
    hydraulics::PIPE,
    filter::FILTER,
    power::BREAKER,
    power::TRANSFORMER,
    pid::PID,
    signal::LAG,
    signal::DEAD_TIME,
    signal::RAMP,
    signal::NOISE,
    sensor::SENSOR,
    demand::SCHEDULE,
    demand::EPISODES,
];

/// What a block that never ran has as the time of its last run.
const NEVER: i64 = -1;

/// Seconds since the block ran last; it asks to run again, since the world moves. After a gap only a minute counts.
/// A last run in the future is from before a restart, and counts as just now.
fn elapsed(last: &mut i64, now: &mut Now<'_>) -> f64 {
    now.again();
    let before = std::mem::replace(last, now.uptime);
    let nanoseconds = if before < 0 { 0 } else { now.uptime.saturating_sub(before) };
    nanoseconds.clamp(0, 60_000_000_000) as f64 / 1e9
}

/// `value` inside its limits; `low` for what is no number.
const fn sane(value: f64, low: f64, high: f64) -> f64 {
    // Not `clamp`, which panics if a limit is no number or they are the wrong way round.
    if value >= low { value.min(high) } else { low }
}

/// What may be any size, but not below zero and not infinite.
const fn positive(value: f64) -> f64 {
    sane(value, 0.0, 1e12)
}

/// A number of any sign that is finite.
const fn finite(value: f64) -> f64 {
    if value.is_finite() { sane(value, -1e12, 1e12) } else { 0.0 }
}

/// Where `from` is after `seconds` on its way to `to`, of which it goes 63 % in `constant` seconds.
fn settle(from: f64, to: f64, seconds: f64, constant: f64) -> f64 {
    if constant > 1e-6 { to + (from - to) * (-seconds / constant).exp() } else { to }
}

#[cfg(test)]
mod tests {
    use super::{BLOCKS, trial::Trial};
    use crate::{library::Way, types::Elementary};

    const ABSURD: [f64; 9] = [0.0, -1.0, 1e-300, 1e300, -1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0];

    #[test]
    fn every_output_is_finite_whatever_comes_in() {
        for block in BLOCKS {
            for round in 0..300 {
                let mut trial = Trial::seeded(block, round);
                for scan in 0..20 {
                    for (index, pin) in block.pins.iter().enumerate().filter(|(_, pin)| pin.way == Way::Input) {
                        let draw = trial.random.below(12);
                        if let Some(value) = ABSURD.get(draw) {
                            trial.slots[index] = match pin.ty {
                                Elementary::Real | Elementary::Lreal => pin.ty.narrow(value.to_bits()),
                                Elementary::Bool => (draw & 1) as u64,
                                _ => pin.ty.narrow(*value as i64 as u64),
                            };
                        }
                    }
                    trial.run([0.01, 1.0, 60.0, 3600.0][scan % 4]);
                    for (index, pin) in block.pins.iter().enumerate().filter(|(_, pin)| pin.way != Way::Input) {
                        if matches!(pin.ty, Elementary::Real | Elementary::Lreal) {
                            let value = f64::from_bits(trial.slots[index]);
                            assert!(value.is_finite(), "{}.{} is {value} in round {round}", block.name, pin.name);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_last_run_in_the_future_counts_as_just_now() {
        let mut tank = Trial::of("TANK");
        tank.set("INFLOW", 3600.0).set("AREA", 100.0).run(0.0);
        tank.run(10.0);
        assert!((tank.get("VOLUME") - 10.0).abs() < 1e-9);
        tank.uptime = 0;
        tank.run(2.0);
        assert!((tank.get("VOLUME") - 10.0).abs() < 1e-9, "nothing flowed while it was off");
        tank.run(1.0);
        assert!((tank.get("VOLUME") - 11.0).abs() < 1e-9);
    }
}
