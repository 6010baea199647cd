//! Edge detection (§6.6.3.5.3, table 44). Apart, because counters and timers see edges as these do.

use super::{Block, Now, pins::block};

/// All of them.
pub(super) const BLOCKS: [Block; 2] = [R_TRIG, F_TRIG];

block! {
    /// Sees a signal rise (table 44, no. 1).
    R_TRIG: RisingEdge {
        /// The signal.
        input CLK: BOOL,
        /// It has risen since the last scan; so has one that is TRUE in the first.
        output Q: BOOL,
        hidden M: BOOL,
    }
}

impl RisingEdge {
    fn step(&mut self, _: &mut Now<'_>) {
        self.Q = rises(self.CLK, &mut self.M);
    }
}

block! {
    /// Sees a signal fall (table 44, no. 2).
    F_TRIG: FallingEdge {
        /// The signal.
        input CLK: BOOL,
        /// It has fallen since the last scan; so has one that is FALSE in the first.
        output Q: BOOL,
        hidden M: BOOL,
    }
}

impl FallingEdge {
    fn step(&mut self, _: &mut Now<'_>) {
        self.Q = rises(!self.CLK, &mut self.M);
    }
}

/// Whether `signal` has risen since `before`.
pub(super) fn rises(signal: bool, before: &mut bool) -> bool {
    !std::mem::replace(before, signal) && signal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::sample::Instance;

    #[test]
    fn edges_last_one_scan() {
        let (mut rising, mut falling) = (Instance::new(R_TRIG), Instance::new(F_TRIG));
        for (signal, rises, falls) in [(0, 0, 1), (1, 1, 0), (1, 0, 0), (0, 0, 1), (0, 0, 0), (1, 1, 0)] {
            rising.set("CLK", signal).scan();
            falling.set("CLK", signal).scan();
            assert_eq!((rising.pin("Q"), falling.pin("Q")), (rises, falls));
        }
    }

    #[test]
    fn a_signal_that_is_there_at_first_has_risen() {
        let mut rising = Instance::new(R_TRIG);
        assert_eq!(rising.set("CLK", 1).scan().pin("Q"), 1);
        assert_eq!(rising.scan().pin("Q"), 0);
    }
}
