//! What happens to a value on its way: it lags, comes late, is held to a slope, gets noise. Apart, because these are no
//! things of their own but lie between all of them.

use super::{NEVER, elapsed, finite, positive, sane, settle};
use crate::library::{Now, pins::block};

block! {
    /// A first-order lag; it starts where its input is.
    LAG: Lag {
        /// What is followed.
        input IN: LREAL,
        /// The time after which 63 % of a step are there [s].
        input T: LREAL = 1.0,
        /// What follows.
        output OUT: REAL,
        hidden LAST: LINT = NEVER,
        hidden STATE: LREAL,
    }
}

impl Lag {
    fn step(&mut self, now: &mut Now<'_>) {
        let first = self.LAST < 0;
        let seconds = elapsed(&mut self.LAST, now);
        let input = finite(self.IN);
        self.STATE = if first { input } else { settle(finite(self.STATE), input, seconds, positive(self.T)) };
        self.OUT = self.STATE;
    }
}

block! {
    /// Follows a value no faster than at a slope.
    RAMP: Ramp {
        /// What is followed.
        input IN: LREAL,
        /// The slope up [1/s].
        input UP: LREAL = 1.0,
        /// The slope down [1/s].
        input DOWN: LREAL = 1.0,
        /// What follows; it starts at zero.
        output OUT: REAL,
        /// It has arrived.
        output REACHED: BOOL,
        hidden LAST: LINT = NEVER,
        hidden STATE: LREAL,
    }
}

impl Ramp {
    fn step(&mut self, now: &mut Now<'_>) {
        let wake = now.wake;
        let seconds = elapsed(&mut self.LAST, now);
        let (input, state) = (finite(self.IN), finite(self.STATE));
        let way = sane(input - state, -positive(self.DOWN) * seconds, positive(self.UP) * seconds);
        // To the input itself, lest it be missed by a rounding.
        self.STATE = if way == input - state { input } else { state + way };
        self.OUT = self.STATE;
        self.REACHED = self.STATE == input;
        if self.REACHED {
            now.wake = wake;
        }
    }
}

block! {
    /// Noise on a value, and what a converter makes of it.
    NOISE: Noise {
        /// The value without noise.
        input IN: LREAL,
        /// The standard deviation of the noise.
        input SPREAD: LREAL,
        /// How it is distributed: 0 normal, 1 uniform, 2 with outliers (Laplace).
        input KIND: INT,
        /// The standard deviation of a slow drift.
        input DRIFT: LREAL,
        /// The time in which the drift forgets where it was [s].
        input DRIFT_TIME: LREAL = 3600.0,
        /// The low end of the range.
        input LOW: LREAL = -1e9,
        /// The high end of the range.
        input HIGH: LREAL = 1e9,
        /// The bits of the converter that divides the range in steps; 0 is none.
        input BITS: INT,
        /// The value with noise.
        output OUT: REAL,
        hidden LAST: LINT = NEVER,
        hidden WANDER: LREAL,
        hidden AGE: LREAL,
    }
}

impl Noise {
    fn step(&mut self, now: &mut Now<'_>) {
        let first = self.LAST < 0;
        let seconds = elapsed(&mut self.LAST, now);
        if self.DRIFT > 0.0 {
            wander((&mut self.WANDER, &mut self.AGE), first, seconds, positive(self.DRIFT_TIME), now);
        }
        let noise = match (positive(self.SPREAD), self.KIND) {
            (0.0, _) => 0.0,
            // Uniform over two roots of three has a deviation of one.
            (spread, 1) => spread * 3.0_f64.sqrt() * (2.0 * now.random.unit() - 1.0),
            (spread, 2) => {
                let side = now.random.unit() - 0.5;
                -side.signum() * spread / 2.0_f64.sqrt() * (1.0 - 2.0 * side.abs()).max(1e-12).ln()
            }
            (spread, _) => spread * now.random.normal(),
        };
        let (low, high) = (finite(self.LOW), finite(self.HIGH));
        let value = sane(finite(self.IN) + noise + positive(self.DRIFT) * self.WANDER, low, high);
        self.OUT = finite(quantised(value, low, high, self.BITS));
    }
}

/// Lets a value of deviation one wander, which forgets itself in `constant` seconds (an Ornstein-Uhlenbeck process, which
/// has an exact solution for any step). It moves when a five-hundredth of that has passed: finer nobody sees it.
pub(super) fn wander((state, age): (&mut f64, &mut f64), first: bool, seconds: f64, constant: f64, now: &mut Now<'_>) {
    if first {
        (*state, *age) = (now.random.normal(), 0.0);
        return;
    }
    let constant = constant.max(1e-6);
    *age = positive(*age) + seconds;
    if *age >= constant / 500.0 {
        let keep = (-*age / constant).exp();
        let moved = finite(*state) * keep + (1.0 - keep * keep).max(0.0).sqrt() * now.random.normal();
        (*state, *age) = (sane(moved, -6.0, 6.0), 0.0);
    }
}

/// `value` at the nearest of the steps into which `bits` divide the range.
pub(super) fn quantised(value: f64, low: f64, high: f64, bits: i16) -> f64 {
    if bits < 1 || high <= low {
        return value;
    }
    let step = (high - low) / (f64::from(bits.min(48)).exp2() - 1.0);
    low + ((value - low) / step).round() * step
}

block! {
    /// Comes out as it went in, but later: a conveyor, the water in a pipe.
    DEAD_TIME: DeadTime {
        /// What goes in.
        input IN: LREAL,
        /// How much later it comes out [s].
        input DELAY: LREAL = 1.0,
        /// What comes out; at first what went in first.
        output OUT: REAL,
        hidden LAST: LINT = NEVER,
        hidden BEFORE: LREAL,
        hidden PART: LREAL,
        hidden S0: LREAL,
        hidden S1: LREAL,
        hidden S2: LREAL,
        hidden S3: LREAL,
        hidden S4: LREAL,
        hidden S5: LREAL,
        hidden S6: LREAL,
        hidden S7: LREAL,
        hidden S8: LREAL,
        hidden S9: LREAL,
        hidden S10: LREAL,
        hidden S11: LREAL,
        hidden S12: LREAL,
        hidden S13: LREAL,
        hidden S14: LREAL,
        hidden S15: LREAL,
        hidden S16: LREAL,
    }
}

impl DeadTime {
    /// The input is kept at 17 moments, one sixteenth of the delay apart, the newest first; `PART` of an interval has
    /// passed since.
    fn step(&mut self, now: &mut Now<'_>) {
        let first = self.LAST < 0;
        let seconds = elapsed(&mut self.LAST, now);
        let input = finite(self.IN);
        let interval = positive(self.DELAY) / 16.0;
        let mut kept = self.kept();
        if first || interval < 1e-6 {
            kept = [input; 17];
            self.PART = 0.0;
        } else {
            let (part, before) = (sane(self.PART, 0.0, 1.0), finite(self.BEFORE));
            let passed = part + seconds / interval;
            let moments = passed.floor();
            // No more than all of them are replaced.
            let mut moment = (moments - 16.0).max(1.0);
            while moment <= moments {
                let share = (moment - part) * interval / seconds;
                kept.rotate_right(1);
                if let Some(newest) = kept.first_mut() {
                    *newest = before + (input - before) * share;
                }
                moment += 1.0;
            }
            self.PART = passed - moments;
        }
        self.BEFORE = input;
        let [.., late, latest] = kept;
        self.OUT = latest + (late - latest) * self.PART;
        self.keep(kept);
    }

    const fn kept(&self) -> [f64; 17] {
        [
            finite(self.S0),
            finite(self.S1),
            finite(self.S2),
            finite(self.S3),
            finite(self.S4),
            finite(self.S5),
            finite(self.S6),
            finite(self.S7),
            finite(self.S8),
            finite(self.S9),
            finite(self.S10),
            finite(self.S11),
            finite(self.S12),
            finite(self.S13),
            finite(self.S14),
            finite(self.S15),
            finite(self.S16),
        ]
    }

    const fn keep(&mut self, kept: [f64; 17]) {
        [
            self.S0, self.S1, self.S2, self.S3, self.S4, self.S5, self.S6, self.S7, self.S8, self.S9, self.S10,
            self.S11, self.S12, self.S13, self.S14, self.S15, self.S16,
        ] = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;

    #[test]
    fn a_lag_goes_63_percent_in_its_time_at_any_scan_time() {
        for seconds in [0.01, 1.0, 30.0] {
            let mut lag = Trial::of("LAG");
            lag.set("T", 30.0).run(0.0);
            lag.set("IN", 100.0).runs((30.0 / seconds) as usize, seconds);
            assert!((lag.get("OUT") - 63.212).abs() < 0.01, "{} at {seconds} s", lag.get("OUT"));
        }
        assert_eq!(Trial::of("LAG").set("IN", 5.0).run(1.0).get("OUT"), 5.0, "it starts where its input is");
    }

    #[test]
    fn a_ramp_keeps_to_its_slopes_and_rests_when_it_has_arrived() {
        let mut ramp = Trial::of("RAMP");
        ramp.set("IN", 10.0).set("UP", 2.0).set("DOWN", 5.0).run(0.0);
        assert_eq!(ramp.run(1.5).get("OUT"), 3.0);
        assert_eq!(ramp.wake, 0);
        assert_eq!(ramp.run(60.0).get("OUT"), 10.0);
        assert!(ramp.on("REACHED") && ramp.wake == i64::MAX);
        ramp.set("IN", 0.0);
        assert_eq!(ramp.run(1.0).get("OUT"), 5.0);
    }

    #[test]
    fn noise_is_distributed_as_told() {
        for (kind, within_one, kurtosis) in [(0, 0.683, 3.0), (1, 0.577, 1.8), (2, 0.757, 6.0)] {
            let mut noise = Trial::of("NOISE");
            noise.set("IN", 10.0).set("SPREAD", 2.0).set("KIND", f64::from(kind)).run(0.0);
            let draws: Vec<f64> = (0..40_000).map(|_| (noise.run(1.0).get("OUT") - 10.0) / 2.0).collect();
            let moment = |power| draws.iter().map(|draw| draw.powi(power)).sum::<f64>() / draws.len() as f64;
            assert!(moment(1).abs() < 0.03 && (moment(2) - 1.0).abs() < 0.05, "kind {kind}");
            assert!((moment(4) / kurtosis - 1.0).abs() < 0.15, "kind {kind}: {}", moment(4));
            let within = draws.iter().filter(|draw| draw.abs() < 1.0).count() as f64 / draws.len() as f64;
            assert!((within - within_one).abs() < 0.02, "kind {kind}: {within}");
        }
    }

    #[test]
    fn drift_forgets_where_it_was_and_not_sooner() {
        let mut noise = Trial::of("NOISE");
        noise.set("DRIFT", 1.0).set("DRIFT_TIME", 600.0).run(0.0);
        let values: Vec<f64> = (0..200_000).map(|_| noise.run(10.0).get("OUT")).collect();
        let together = |lag: usize| {
            values.iter().zip(values.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>() / values.len() as f64
        };
        assert!((together(0) - 1.0).abs() < 0.1, "{}", together(0));
        assert!((together(60) - 0.368).abs() < 0.1, "{}", together(60));
        assert!(together(600).abs() < 0.1);
    }

    #[test]
    fn twelve_bits_are_4095_steps() {
        let mut noise = Trial::of("NOISE");
        noise.set("LOW", 0.0).set("HIGH", 4095.0).set("BITS", 12.0).set("SPREAD", 0.7);
        for input in [0.0, 0.4, 1234.56, 4095.0, 9999.0] {
            let value = noise.set("IN", input).run(1.0).get("OUT");
            assert!(value.fract() == 0.0 && (0.0..=4095.0).contains(&value), "{value}");
        }
    }

    #[test]
    fn a_dead_time_is_as_long_as_told_at_any_scan_time() {
        for seconds in [0.1, 1.0, 7.0, 60.0] {
            let mut pipe = Trial::of("DEAD_TIME");
            pipe.set("DELAY", 160.0).run(0.0);
            let (mut time, mut input, mut worst) = (0.0, 0.0, 0.0_f64);
            while time < 1000.0 {
                time += seconds;
                input = time * 0.5;
                let out = pipe.set("IN", input).run(seconds).get("OUT");
                worst = worst.max((out - (input - 80.0).max(0.0)).abs());
            }
            assert!(worst < 5.1, "{worst} at {seconds} s, up to {input}");
        }
    }

    #[test]
    fn a_step_comes_out_of_a_dead_time_as_a_step() {
        let mut pipe = Trial::of("DEAD_TIME");
        pipe.set("DELAY", 100.0).run(0.0);
        pipe.set("IN", 1.0).runs(90, 1.0);
        assert_eq!(pipe.get("OUT"), 0.0);
        assert_eq!(pipe.runs(20, 1.0).get("OUT"), 1.0);
    }
}
