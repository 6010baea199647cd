//! Counters (§6.6.3.5.4, table 45). Apart, because each comes once for every type that counts.

use super::{Block, Now, edge::rises, pins::block};

/// All of them.
pub(super) const BLOCKS: [Block; 18] = {
    use {dint, int, lint, named, udint, ulint};
    [
        int::CTU,
        int::CTD,
        int::CTUD,
        named::CTU_INT,
        named::CTD_INT,
        named::CTUD_INT,
        dint::CTU_DINT,
        dint::CTD_DINT,
        dint::CTUD_DINT,
        lint::CTU_LINT,
        lint::CTD_LINT,
        lint::CTUD_LINT,
        udint::CTU_UDINT,
        udint::CTD_UDINT,
        udint::CTUD_UDINT,
        ulint::CTU_ULINT,
        ulint::CTD_ULINT,
        ulint::CTUD_ULINT,
    ]
};

macro_rules! counters {
    ($($module:ident: $ty:ident $up:ident $down:ident $both:ident;)*) => {$(
        mod $module {
            use super::{Now, block, rises};

            block! {
                /// Up-counter (table 45, no. 1).
                $up: Up {
                    /// Counts with its rising edge.
                    input CU: BOOL,
                    /// Back to 0.
                    input R: BOOL,
                    /// How many it waits for.
                    input PV: $ty,
                    /// CV has reached PV.
                    output Q: BOOL,
                    /// The count; it stays at the most that its type holds.
                    output CV: $ty,
                    hidden BEFORE: BOOL,
                }
            }

            impl Up {
                fn step(&mut self, _: &mut Now<'_>) {
                    let up = rises(self.CU, &mut self.BEFORE);
                    if self.R {
                        self.CV = 0;
                    } else if up {
                        self.CV = self.CV.saturating_add(1);
                    }
                    self.Q = self.CV >= self.PV;
                }
            }

            block! {
                /// Down-counter (table 45, no. 2).
                $down: Down {
                    /// Counts with its rising edge.
                    input CD: BOOL,
                    /// Back to PV.
                    input LD: BOOL,
                    /// What it counts from.
                    input PV: $ty,
                    /// CV has reached 0.
                    output Q: BOOL,
                    /// The count; it stays at the least that its type holds.
                    output CV: $ty,
                    hidden BEFORE: BOOL,
                }
            }

            impl Down {
                fn step(&mut self, _: &mut Now<'_>) {
                    let down = rises(self.CD, &mut self.BEFORE);
                    if self.LD {
                        self.CV = self.PV;
                    } else if down {
                        self.CV = self.CV.saturating_sub(1);
                    }
                    self.Q = self.CV < 1;
                }
            }

            block! {
                /// Up-down-counter (table 45, no. 3).
                $both: UpDown {
                    /// Counts up with its rising edge.
                    input CU: BOOL,
                    /// Counts down with its rising edge; both at once are none.
                    input CD: BOOL,
                    /// Back to 0.
                    input R: BOOL,
                    /// To PV, unless R is there.
                    input LD: BOOL,
                    /// How many it waits for.
                    input PV: $ty,
                    /// CV has reached PV.
                    output QU: BOOL,
                    /// CV has reached 0.
                    output QD: BOOL,
                    /// The count; it stays within what its type holds.
                    output CV: $ty,
                    hidden BEFORE_CU: BOOL,
                    hidden BEFORE_CD: BOOL,
                }
            }

            impl UpDown {
                fn step(&mut self, _: &mut Now<'_>) {
                    let up = rises(self.CU, &mut self.BEFORE_CU);
                    let down = rises(self.CD, &mut self.BEFORE_CD);
                    if self.R {
                        self.CV = 0;
                    } else if self.LD {
                        self.CV = self.PV;
                    } else if up && !down {
                        self.CV = self.CV.saturating_add(1);
                    } else if down && !up {
                        self.CV = self.CV.saturating_sub(1);
                    }
                    (self.QU, self.QD) = (self.CV >= self.PV, self.CV < 1);
                }
            }
        }
    )*};
}

counters! {
    int: INT CTU CTD CTUD;
    named: INT CTU_INT CTD_INT CTUD_INT;
    dint: DINT CTU_DINT CTD_DINT CTUD_DINT;
    lint: LINT CTU_LINT CTD_LINT CTUD_LINT;
    udint: UDINT CTU_UDINT CTD_UDINT CTUD_UDINT;
    ulint: ULINT CTU_ULINT CTD_ULINT CTUD_ULINT;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::sample::Instance;

    /// A rising edge of a pin.
    fn pulse(counter: &mut Instance, pin: &str) -> i64 {
        counter.set(pin, 0).scan();
        counter.set(pin, 1).scan().pin("CV")
    }

    #[test]
    fn counts_edges_up() {
        let mut counter = Instance::new(int::CTU);
        assert_eq!(counter.scan().pin("Q"), 1, "nothing to wait for");
        assert_eq!((counter.set("PV", 2).scan().pin("Q"), pulse(&mut counter, "CU")), (0, 1));
        assert_eq!(counter.scan().pin("CV"), 1, "no edge");
        assert_eq!((pulse(&mut counter, "CU"), counter.pin("Q")), (2, 1));
        assert_eq!(pulse(&mut counter, "CU"), 3, "on and on");
        counter.set("R", 1);
        assert_eq!((pulse(&mut counter, "CU"), counter.pin("Q")), (0, 0));
        counter.set("R", 0);
        assert_eq!(counter.scan().pin("CV"), 0, "the edge was under R");
        counter.set("CV", i64::from(i16::MAX));
        assert_eq!(pulse(&mut counter, "CU"), i64::from(i16::MAX));
    }

    #[test]
    fn counts_edges_down() {
        let mut counter = Instance::new(dint::CTD_DINT);
        counter.set("PV", 2).set("LD", 1).scan();
        counter.set("LD", 0);
        assert_eq!((counter.pin("CV"), counter.pin("Q")), (2, 0));
        assert_eq!((pulse(&mut counter, "CD"), counter.pin("Q")), (1, 0));
        assert_eq!((pulse(&mut counter, "CD"), counter.pin("Q")), (0, 1));
        assert_eq!((pulse(&mut counter, "CD"), counter.pin("Q")), (-1, 1));
        assert_eq!(pulse(&mut Instance::new(udint::CTD_UDINT), "CD"), 0, "unsigned stays at 0");
    }

    #[test]
    fn counts_both_ways() {
        for block in
            [int::CTUD, named::CTUD_INT, dint::CTUD_DINT, lint::CTUD_LINT, udint::CTUD_UDINT, ulint::CTUD_ULINT]
        {
            let mut counter = Instance::new(block);
            counter.set("PV", 2).scan();
            assert_eq!((counter.pin("QU"), counter.pin("QD")), (0, 1));
            assert_eq!((pulse(&mut counter, "CU"), pulse(&mut counter, "CU")), (1, 2));
            assert_eq!((counter.pin("QU"), counter.pin("QD")), (1, 0));
            assert_eq!(pulse(&mut counter, "CD"), 1);
            counter.set("CU", 0).set("CD", 0).scan();
            assert_eq!(counter.set("CU", 1).set("CD", 1).scan().pin("CV"), 1, "both at once are none");
            assert_eq!(counter.set("LD", 1).scan().pin("CV"), 2);
            assert_eq!(counter.set("R", 1).scan().pin("CV"), 0, "R before LD");
        }
    }
}
