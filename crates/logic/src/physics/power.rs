//! What brings the power: circuit breakers and transformers. Apart, because no water flows here.

use super::{NEVER, elapsed, finite, positive, sane, settle};
use crate::library::{Now, pins::block};

block! {
    /// A circuit breaker with a spring, and with overcurrent protection.
    BREAKER: Breaker {
        /// Closes it, when it becomes TRUE.
        input CLOSE: BOOL,
        /// Opens it.
        input OPEN: BOOL,
        /// A protection elsewhere opens it.
        input TRIP: BOOL,
        /// Acknowledges a trip, after which it can be closed again.
        input RESET: BOOL,
        /// What flows through it when it is closed [A].
        input LOAD: LREAL,
        /// Above this it trips after DELAY, above ten times this at once; 0 is never [A].
        input PICKUP: LREAL,
        /// How long an overcurrent is borne [s].
        input DELAY: LREAL = 1.0,
        /// What closing takes [s].
        input CLOSE_TIME: LREAL = 0.06,
        /// What opening takes [s].
        input OPEN_TIME: LREAL = 0.04,
        /// What the motor takes to wind up the spring again after closing [s].
        input SPRING_TIME: LREAL = 8.0,
        /// It is closed.
        output CLOSED: BOOL,
        /// It was tripped and not acknowledged.
        output TRIPPED: BOOL,
        /// The spring is wound: it can be closed.
        output READY: BOOL = true,
        /// What flows through it [A].
        output CURRENT: LREAL,
        /// How often it was closed.
        output OPERATIONS: UDINT,
        hidden LAST: LINT = NEVER,
        hidden ASKED: BOOL,
        hidden CLOSING: LREAL,
        hidden OPENING: LREAL,
        hidden WINDING: LREAL,
        hidden OVER: LREAL,
    }
}

impl Breaker {
    fn step(&mut self, now: &mut Now<'_>) {
        let seconds = elapsed(&mut self.LAST, now);
        let edge = self.CLOSE && !self.ASKED;
        self.ASKED = self.CLOSE;
        if self.RESET && !self.TRIP {
            self.TRIPPED = false;
        }
        let (load, pickup) = (positive(self.LOAD), positive(self.PICKUP));
        let over = self.CLOSED && pickup > 0.0 && load > pickup;
        self.OVER = if over { sane(self.OVER, 0.0, 1e6) + seconds } else { 0.0 };
        let faulty = over && (load > 10.0 * pickup || self.OVER >= positive(self.DELAY));
        self.TRIPPED |= self.TRIP || faulty;

        // What runs down to zero has just happened.
        let down = |rest: f64| if rest > 0.0 { (sane(rest, 0.0, 1e6) - seconds).max(-1.0) } else { 0.0 };
        self.WINDING = down(self.WINDING).max(0.0);
        self.READY = self.WINDING == 0.0;
        if self.CLOSING > 0.0 {
            self.CLOSING = down(self.CLOSING);
            if self.CLOSING <= 0.0 {
                self.CLOSING = 0.0;
                self.CLOSED = true;
                self.OPERATIONS = self.OPERATIONS.wrapping_add(1);
                self.WINDING = positive(self.SPRING_TIME);
                self.READY = self.WINDING == 0.0;
            }
        }
        let open = self.OPEN || self.TRIPPED;
        if self.OPENING > 0.0 {
            self.OPENING = down(self.OPENING);
            if self.OPENING <= 0.0 {
                self.OPENING = 0.0;
                self.CLOSED = false;
            }
        } else if self.CLOSED && open {
            self.OPENING = positive(self.OPEN_TIME).max(1e-9);
        } else if !self.CLOSED && self.CLOSING == 0.0 && edge && !open && self.READY {
            self.CLOSING = positive(self.CLOSE_TIME).max(1e-9);
        }
        self.CURRENT = if self.CLOSED { load } else { 0.0 };
    }
}

block! {
    /// A power transformer with a tap changer, in oil.
    TRANSFORMER: Transformer {
        /// The voltage that it is fed with [kV].
        input VOLTAGE_IN: LREAL = 20.0,
        /// The rated voltage of that side [kV].
        input RATED_IN: LREAL = 20.0,
        /// The rated voltage of the other side without load [kV].
        input RATED_OUT: LREAL = 0.42,
        /// The rated power [kVA].
        input RATED: LREAL = 630.0,
        /// The power that is drawn [kW].
        input LOAD: LREAL,
        /// The power factor of the load.
        input COS_PHI: LREAL = 0.9,
        /// The short-circuit voltage [%].
        input UK: LREAL = 4.0,
        /// The loss without load [kW].
        input IRON_LOSS: LREAL = 0.9,
        /// The loss at the rated current [kW].
        input COPPER_LOSS: LREAL = 6.5,
        /// The step that is wanted; each one up lowers the voltage of the other side.
        input TAP: INT,
        /// What a step is [%].
        input TAP_STEP: LREAL = 1.25,
        /// The steps to either side.
        input TAPS: INT = 8,
        /// What a step takes [s].
        input TAP_TIME: LREAL = 5.0,
        /// The temperature about it [°C].
        input AMBIENT: LREAL = 20.0,
        /// The step that it is at.
        output POSITION: INT,
        /// The voltage of the other side [kV].
        output VOLTAGE: LREAL,
        /// The current of the other side [A].
        output CURRENT: LREAL,
        /// The current of the side that feeds it [A].
        output CURRENT_IN: LREAL,
        /// The load as a share of the rated power.
        output LOADED: LREAL,
        /// What it loses [kW].
        output LOSS: LREAL,
        /// The temperature of the oil at the top [°C].
        output OIL: LREAL = 20.0,
        /// The temperature of the hottest winding [°C].
        output WINDING: LREAL = 20.0,
        hidden LAST: LINT = NEVER,
        hidden TRAVEL: LREAL,
        hidden ABOVE: LREAL,
    }
}

/// IEC 60076-7, distribution transformer with natural cooling: rise of the oil and of the winding above it at the rated
/// load, ratio of the losses' share in it, exponents, and time constants [s].
const OIL_RISE: f64 = 55.0;
const WINDING_RISE: f64 = 23.0;
const OIL_TIME: f64 = 10_800.0;
const WINDING_TIME: f64 = 240.0;

impl Transformer {
    fn step(&mut self, now: &mut Now<'_>) {
        let first = self.LAST < 0;
        let seconds = elapsed(&mut self.LAST, now);
        let ends = self.TAPS.clamp(0, 32);
        let (wanted, at) = (self.TAP.clamp(-ends, ends), self.POSITION.clamp(-ends, ends));
        self.TRAVEL = if wanted == at { 0.0 } else { sane(self.TRAVEL, 0.0, 1e6) + seconds };
        let each = sane(self.TAP_TIME, 0.01, 1e4);
        let steps = sane((self.TRAVEL / each).floor(), 0.0, f64::from((wanted - at).abs()));
        self.TRAVEL -= steps * each;
        self.POSITION = at + (wanted - at).signum() * steps as i16;

        let rated = sane(self.RATED, 0.1, 1e7);
        let (rated_in, rated_out) = (sane(self.RATED_IN, 1e-3, 1e4), sane(self.RATED_OUT, 1e-3, 1e4));
        let tap = 1.0 + f64::from(self.POSITION) * sane(self.TAP_STEP, 0.0, 3.0) / 100.0;
        let fed = sane(self.VOLTAGE_IN, 0.0, 10.0 * rated_in);
        let open = fed / rated_in / tap.max(0.02) * rated_out;
        let cos_phi = sane(self.COS_PHI, 0.1, 1.0);
        self.LOADED = if open > 0.1 * rated_out { sane(self.LOAD / cos_phi / rated, 0.0, 5.0) } else { 0.0 };
        // The drop of Kapp: resistance with the active part of the current, reactance with the reactive one.
        let resistance = sane(self.COPPER_LOSS / rated, 0.0, 0.2);
        let impedance = sane(self.UK / 100.0, 0.0, 0.3).max(resistance);
        let reactance = (impedance * impedance - resistance * resistance).max(0.0).sqrt();
        let drop = self.LOADED * (resistance * cos_phi + reactance * (1.0 - cos_phi * cos_phi).sqrt());
        self.VOLTAGE = open * sane(1.0 - drop, 0.05, 1.0);
        let amperes = |voltage: f64| self.LOADED * rated / (3.0_f64.sqrt() * voltage.max(1e-3));
        self.CURRENT = if self.LOADED > 0.0 { amperes(self.VOLTAGE) } else { 0.0 };
        self.CURRENT_IN = if self.LOADED > 0.0 { amperes(fed) } else { 0.0 };

        let (iron, copper) = (positive(self.IRON_LOSS).min(1e5), positive(self.COPPER_LOSS).min(1e5));
        let live = if fed > 0.0 { (fed / rated_in).powi(2).min(2.0) } else { 0.0 };
        self.LOSS = iron * live + copper * self.LOADED * self.LOADED;
        let share = if iron + copper > 0.0 { self.LOSS / (iron + copper) } else { 0.0 };
        let ambient = sane(self.AMBIENT, -60.0, 100.0);
        let oil = ambient + OIL_RISE * share.powf(0.8);
        let above = WINDING_RISE * self.LOADED.powf(1.6);
        if first && self.OIL == 20.0 {
            // Nobody saw it being switched on.
            (self.OIL, self.ABOVE) = (oil, above);
        }
        self.OIL = sane(settle(finite(self.OIL), oil, seconds, OIL_TIME), -60.0, 1000.0);
        self.ABOVE = sane(settle(finite(self.ABOVE), above, seconds, WINDING_TIME), 0.0, 1000.0);
        self.WINDING = self.OIL + self.ABOVE;
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;

    fn closed() -> Trial {
        let mut breaker = Trial::of("BREAKER");
        breaker.run(0.0);
        breaker.set("CLOSE", 1.0).runs(10, 0.01).set("CLOSE", 0.0);
        breaker
    }

    #[test]
    fn it_closes_and_opens_in_its_times() {
        let mut breaker = Trial::of("BREAKER");
        breaker.set("CLOSE", 1.0).run(0.0);
        assert!(!breaker.runs(5, 0.01).on("CLOSED"));
        assert!(breaker.runs(3, 0.01).on("CLOSED"));
        breaker.set("OPEN", 1.0).run(0.01);
        assert!(breaker.on("CLOSED"));
        assert!(!breaker.runs(5, 0.01).on("CLOSED"));
        assert_eq!(breaker.get("OPERATIONS"), 1.0);
    }

    #[test]
    fn it_closes_again_only_when_its_spring_is_wound() {
        let mut breaker = closed();
        assert!(!breaker.on("READY"));
        breaker.set("OPEN", 1.0).runs(10, 0.01).set("OPEN", 0.0).set("CLOSE", 1.0).runs(10, 0.1);
        assert!(!breaker.on("CLOSED"));
        breaker.set("CLOSE", 0.0).runs(10, 1.0).set("CLOSE", 1.0).runs(2, 1.0);
        assert!(breaker.on("CLOSED"));
    }

    #[test]
    fn an_overcurrent_opens_it_until_it_is_acknowledged() {
        let mut breaker = closed();
        breaker.set("LOAD", 90.0).set("PICKUP", 100.0).runs(100, 0.1);
        assert!(breaker.on("CLOSED") && breaker.get("CURRENT") == 90.0);
        breaker.set("LOAD", 150.0).runs(9, 0.1);
        assert!(breaker.on("CLOSED"), "it is borne for a second");
        breaker.runs(4, 0.1);
        assert!(!breaker.on("CLOSED") && breaker.on("TRIPPED") && breaker.get("CURRENT") == 0.0);
        breaker.set("LOAD", 50.0).set("CLOSE", 1.0).runs(20, 1.0);
        assert!(!breaker.on("CLOSED"), "not acknowledged");
        breaker.set("CLOSE", 0.0).set("RESET", 1.0).run(1.0).set("CLOSE", 1.0).runs(2, 1.0);
        assert!(breaker.on("CLOSED"));
        let mut breaker = closed();
        breaker.set("LOAD", 5000.0).set("PICKUP", 100.0).runs(6, 0.01);
        assert!(!breaker.on("CLOSED"), "a short circuit is not borne");
    }

    #[test]
    fn a_transformer_drops_its_voltage_with_its_load() {
        let mut transformer = Trial::of("TRANSFORMER");
        transformer.run(0.0);
        assert!((transformer.get("VOLTAGE") - 0.42).abs() < 1e-9);
        transformer.set("LOAD", 567.0).run(1.0);
        // 630 kVA at uk 4 %, cos 0.9: 1.03 % * 0.9 + 3.86 % * 0.436 = 2.61 %.
        assert!((transformer.get("VOLTAGE") / 0.42 - 0.9739).abs() < 0.0005, "{}", transformer.get("VOLTAGE") / 0.42);
        assert!((transformer.get("CURRENT") - 889.0).abs() < 3.0, "{}", transformer.get("CURRENT"));
        assert!((transformer.get("CURRENT_IN") - 18.2).abs() < 0.1);
    }

    #[test]
    fn taps_move_one_at_a_time() {
        let mut transformer = Trial::of("TRANSFORMER");
        transformer.set("TAP", -3.0).run(0.0);
        transformer.runs(11, 1.0);
        assert_eq!(transformer.get("POSITION"), -2.0);
        transformer.runs(20, 1.0);
        assert_eq!(transformer.get("POSITION"), -3.0);
        assert!(transformer.get("VOLTAGE") > 0.43);
    }

    #[test]
    fn oil_warms_over_hours_and_windings_over_minutes() {
        let mut transformer = Trial::of("TRANSFORMER");
        transformer.run(0.0);
        transformer.set("LOAD", 567.0).runs(10, 60.0);
        let (oil, winding) = (transformer.get("OIL"), transformer.get("WINDING"));
        assert!(oil < 40.0 && winding > oil + 18.0, "{oil} {winding}");
        transformer.runs(24 * 60, 60.0);
        assert!((transformer.get("OIL") - 75.0).abs() < 1.0, "{}", transformer.get("OIL"));
        assert!((transformer.get("WINDING") - 98.0).abs() < 1.5);
    }
}
