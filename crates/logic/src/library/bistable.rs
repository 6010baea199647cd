//! Blocks that keep a bit (§6.6.3.5.2, table 43), and the hysteresis. Apart, because they remember nothing else.

use super::{Block, Now, pins::block};

/// All of them.
pub(super) const BLOCKS: [Block; 3] = [SR, RS, HYSTERESIS];

block! {
    /// A bit that is set and reset; set wins (table 43, no. 1).
    SR: SetDominant {
        /// Sets it.
        input S1: BOOL,
        /// Resets it, unless S1 is there.
        input R: BOOL,
        /// The bit.
        output Q1: BOOL,
    }
}

impl SetDominant {
    fn step(&mut self, _: &mut Now<'_>) {
        self.Q1 = self.S1 || (!self.R && self.Q1);
    }
}

block! {
    /// A bit that is set and reset; reset wins (table 43, no. 2).
    RS: ResetDominant {
        /// Sets it, unless R1 is there.
        input S: BOOL,
        /// Resets it.
        input R1: BOOL,
        /// The bit.
        output Q1: BOOL,
    }
}

impl ResetDominant {
    fn step(&mut self, _: &mut Now<'_>) {
        self.Q1 = !self.R1 && (self.S || self.Q1);
    }
}

block! {
    /// Compares, and does not change its mind for a small difference (not in the third edition; annex F of the second).
    HYSTERESIS: Hysteresis {
        /// What is compared.
        input XIN1: LREAL,
        /// What it is compared with.
        input XIN2: LREAL,
        /// How far XIN1 has to be beyond XIN2.
        input EPS: LREAL,
        /// XIN1 is the greater one.
        output Q: BOOL,
    }
}

impl Hysteresis {
    fn step(&mut self, _: &mut Now<'_>) {
        self.Q = if self.Q { self.XIN1 >= self.XIN2 - self.EPS } else { self.XIN1 > self.XIN2 + self.EPS };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::sample::Instance;

    #[test]
    fn one_side_wins() {
        let (mut sr, mut rs) = (Instance::new(SR), Instance::new(RS));
        for (set, reset, set_wins, reset_wins) in
            [(0, 0, 0, 0), (1, 0, 1, 1), (0, 0, 1, 1), (0, 1, 0, 0), (1, 1, 1, 0), (0, 0, 1, 0)]
        {
            sr.set("S1", set).set("R", reset).scan();
            rs.set("S", set).set("R1", reset).scan();
            assert_eq!((sr.pin("Q1"), rs.pin("Q1")), (set_wins, reset_wins), "S {set}, R {reset}");
        }
    }

    #[test]
    fn small_differences_are_passed_over() {
        let mut level = Instance::new(HYSTERESIS);
        level.set_real("XIN2", 5.0).set_real("EPS", 0.5);
        for (value, above) in [(5.4, 0), (5.6, 1), (4.6, 1), (4.4, 0), (5.4, 0), (f64::NAN, 0)] {
            level.set_real("XIN1", value).scan();
            assert_eq!(level.pin("Q"), above, "at {value}");
        }
    }
}
