//! Blocks that go by themselves: the clock (table 38 of the second edition), and the blinker that vendors have. Apart,
//! because nothing has to happen for them to change.

use super::{Block, Now, edge::rises, pins::block};

/// All of them.
pub(super) const BLOCKS: [Block; 2] = [RTC, BLINK];

block! {
    /// A clock that is set and runs (not in the third edition; table 38 of the second).
    RTC: RealTimeClock {
        /// Sets it with its rising edge; it runs while IN is there.
        input IN: BOOL,
        /// What it is set to.
        input PDT: DT,
        /// It runs.
        output Q: BOOL,
        /// What it shows.
        running CDT: DT,
        hidden BEFORE: BOOL,
        hidden AHEAD: LINT,
    }
}

impl RealTimeClock {
    fn step(&mut self, now: &mut Now<'_>) {
        if rises(self.IN, &mut self.BEFORE) {
            // By the device's clock, which goes on when the CPU does not.
            self.AHEAD = self.PDT.saturating_sub(now.clock);
        }
        self.Q = self.IN;
        if self.IN {
            self.CDT = now.clock.saturating_add(self.AHEAD);
            // Nothing happens at any time, but what it shows moves.
            now.again_at(i64::MAX - 1);
        }
    }
}

block! {
    /// Blinks (not in the standard; as with CODESYS).
    BLINK: Blink {
        /// Blinks while it is TRUE; OUT stays as it is otherwise.
        input ENABLE: BOOL,
        /// How long OUT is FALSE.
        input TIMELOW: TIME,
        /// How long OUT is TRUE.
        input TIMEHIGH: TIME,
        /// It begins with TRUE.
        output OUT: BOOL,
        hidden BUSY: BOOL,
        hidden START: TIME,
    }
}

impl Blink {
    fn step(&mut self, now: &mut Now<'_>) {
        if !self.ENABLE {
            self.BUSY = false;
            return;
        }
        let phase = if self.OUT { self.TIMEHIGH } else { self.TIMELOW };
        // A start in the future is one from before a restart of the CPU.
        let over = now.uptime.saturating_sub(self.START) >= phase || self.START > now.uptime;
        if !self.BUSY || over {
            (self.OUT, self.BUSY, self.START) = (!self.BUSY || !self.OUT, true, now.uptime);
        }
        let phase = if self.OUT { self.TIMEHIGH } else { self.TIMELOW };
        now.again_at(self.START.saturating_add(phase));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::sample::Instance;

    #[test]
    fn a_clock_runs_from_what_it_is_set_to() {
        let mut clock = Instance::new(RTC);
        clock.clock = 1000;
        assert_eq!(clock.set("PDT", 50).scan().pin("CDT"), 0);
        assert_eq!(clock.set("IN", 1).scan().pin("CDT"), 50);
        clock.clock = 1007;
        assert_eq!((clock.set("PDT", 0).scan().pin("CDT"), clock.pin("Q")), (57, 1));
        clock.clock = 2000;
        assert_eq!((clock.set("IN", 0).scan().pin("CDT"), clock.pin("Q")), (57, 0));
        assert_eq!(clock.set("IN", 1).scan().pin("CDT"), 0, "set again");
    }

    #[test]
    fn a_blinker_rests_between() {
        let mut lamp = Instance::new(BLINK);
        lamp.set("TIMELOW", 30).set("TIMEHIGH", 10);
        assert_eq!((lamp.scan().pin("OUT"), lamp.wake), (0, i64::MAX));
        lamp.set("ENABLE", 1);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push((lamp.uptime, lamp.scan().pin("OUT")));
            lamp.uptime = lamp.wake;
        }
        assert_eq!(seen, [(0, 1), (10, 0), (40, 1), (50, 0)]);
        lamp.set("ENABLE", 0);
        assert_eq!((lamp.scan().pin("OUT"), lamp.wake), (0, i64::MAX), "it stays");
    }
}
