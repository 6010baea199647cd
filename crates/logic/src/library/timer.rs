//! Timers (§6.6.3.5.5, table 46 and figure 15). Apart, because time is all that they have in common with each other.
//!
//! PT counts as it is in each scan, until the time is over; the standard leaves that to who builds the CPU. A time that
//! began in the future is one that a RETAINed instance began before a restart, and begins now.

use super::{Block, Now, pins::block};

/// All of them.
pub(super) const BLOCKS: [Block; 4] = [TON, TOF, TP, TONR];

block! {
    /// On-delay timer (table 46, no. 2).
    TON: OnDelay {
        /// Starts the time with its rising edge, and ends all when it falls.
        input IN: BOOL,
        /// How long it takes.
        input PT: TIME,
        /// The time is over, and IN is still there.
        output Q: BOOL,
        /// How much of it is over.
        running ET: TIME,
        hidden BUSY: BOOL,
        hidden START: TIME,
    }
}

impl OnDelay {
    fn step(&mut self, now: &mut Now<'_>) {
        if !self.IN {
            (self.Q, self.ET, self.BUSY) = (false, 0, false);
        } else if !self.Q {
            if !self.BUSY {
                (self.BUSY, self.START) = (true, now.uptime);
            }
            (self.ET, self.Q) = elapsed(&mut self.START, self.PT, now);
        }
    }
}

block! {
    /// Off-delay timer (table 46, no. 3).
    TOF: OffDelay {
        /// Sets Q at once, and starts the time with its falling edge.
        input IN: BOOL,
        /// How long it takes.
        input PT: TIME,
        /// IN is there, or the time since it fell is not over.
        output Q: BOOL,
        /// How much of it is over.
        running ET: TIME,
        hidden BUSY: BOOL,
        hidden START: TIME,
    }
}

impl OffDelay {
    fn step(&mut self, now: &mut Now<'_>) {
        if self.IN {
            (self.Q, self.ET, self.BUSY) = (true, 0, false);
        } else if self.Q {
            if !self.BUSY {
                (self.BUSY, self.START) = (true, now.uptime);
            }
            let over;
            (self.ET, over) = elapsed(&mut self.START, self.PT, now);
            self.Q = !over;
        }
    }
}

block! {
    /// Pulse (table 46, no. 1).
    TP: Pulse {
        /// Starts the pulse with its rising edge, if none is under way.
        input IN: BOOL,
        /// How long it is.
        input PT: TIME,
        /// The pulse.
        output Q: BOOL,
        /// How much of it is over; 0 again when IN is gone as well.
        running ET: TIME,
        hidden BEFORE: BOOL,
        hidden START: TIME,
    }
}

impl Pulse {
    fn step(&mut self, now: &mut Now<'_>) {
        let rises = self.IN && !self.BEFORE;
        self.BEFORE = self.IN;
        // The end of one pulse comes first, so that the next one can begin in the same scan.
        for begins in [false, rises] {
            if begins && !self.Q {
                (self.Q, self.START) = (true, now.uptime);
            }
            if self.Q {
                let over;
                (self.ET, over) = elapsed(&mut self.START, self.PT, now);
                self.Q = !over;
            }
        }
        if !self.Q && !self.IN {
            self.ET = 0;
        }
    }
}

block! {
    /// On-delay timer that keeps what has passed while IN is gone (not in the standard; as with Siemens).
    TONR: Retentive {
        /// The time passes while it is TRUE.
        input IN: BOOL,
        /// Begins again at 0.
        input R: BOOL,
        /// How long it takes.
        input PT: TIME,
        /// The time is over.
        output Q: BOOL,
        /// How much of it is over.
        running ET: TIME,
        hidden BUSY: BOOL,
        hidden START: TIME,
    }
}

impl Retentive {
    fn step(&mut self, now: &mut Now<'_>) {
        if self.R {
            (self.Q, self.ET, self.BUSY) = (false, 0, false);
        } else if !self.Q && (self.IN || self.BUSY) {
            // As if it had begun when it would have had to, without what lay between.
            let latest = now.uptime.saturating_sub(self.ET);
            if !self.BUSY || self.START > latest {
                self.START = latest;
            }
            self.BUSY = self.IN;
            // What has passed until IN fell counts as well: nobody had to look in between.
            (self.ET, self.Q) = elapsed(&mut self.START, self.PT, now);
        }
    }
}

/// How much of a time that began at `start` is over, at most `preset`, and whether that is all of it. Until then, the
/// program need not be scanned for it.
fn elapsed(start: &mut i64, preset: i64, now: &mut Now<'_>) -> (i64, bool) {
    *start = now.uptime.min(*start);
    let elapsed = now.uptime.saturating_sub(*start);
    if elapsed >= preset {
        return (preset.max(0), true);
    }
    now.again_at(start.saturating_add(preset));
    (elapsed, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::sample::Instance;

    const MS: i64 = 1_000_000;

    fn timer_of(block: Block, preset: i64) -> Instance {
        let mut timer = Instance::new(block);
        timer.set("PT", preset * MS);
        timer
    }

    /// A scan with IN at a time in milliseconds: Q and the milliseconds of ET.
    fn scan(timer: &mut Instance, at: i64, input: bool) -> (bool, i64) {
        timer.uptime = at * MS;
        timer.set("IN", i64::from(input)).scan();
        (timer.pin("Q") == 1, timer.pin("ET") / MS)
    }

    #[test]
    fn on_delay() {
        let mut timer = timer_of(TON, 100);
        assert_eq!(scan(&mut timer, 0, false), (false, 0));
        assert_eq!(timer.wake, i64::MAX, "it rests while IN is gone");
        assert_eq!(scan(&mut timer, 10, true), (false, 0));
        assert_eq!(timer.wake, 110 * MS, "it rests until the time is over");
        assert_eq!(scan(&mut timer, 60, true), (false, 50));
        assert_eq!(scan(&mut timer, 109, true), (false, 99));
        assert_eq!(scan(&mut timer, 115, true), (true, 100), "ET stays at PT");
        assert_eq!(timer.wake, i64::MAX, "it rests when the time is over");
        assert_eq!(scan(&mut timer, 500, true), (true, 100));
        assert_eq!(scan(&mut timer, 510, false), (false, 0));
        assert_eq!(scan(&mut timer, 520, true), (false, 0));
        assert_eq!(scan(&mut timer, 560, false), (false, 0), "IN falls before the time is over");
        assert_eq!(scan(&mut timer, 620, true), (false, 0), "and begins anew");
        assert_eq!(scan(&mut timer, 720, true), (true, 100));
    }

    #[test]
    fn off_delay() {
        let mut timer = timer_of(TOF, 100);
        assert_eq!(scan(&mut timer, 0, false), (false, 0));
        assert_eq!(scan(&mut timer, 10, true), (true, 0));
        assert_eq!(timer.wake, i64::MAX);
        assert_eq!(scan(&mut timer, 20, false), (true, 0));
        assert_eq!(timer.wake, 120 * MS);
        assert_eq!(scan(&mut timer, 70, false), (true, 50));
        assert_eq!(scan(&mut timer, 80, true), (true, 0), "IN is back before the time is over");
        assert_eq!(scan(&mut timer, 90, false), (true, 0));
        assert_eq!(scan(&mut timer, 189, false), (true, 99));
        assert_eq!(scan(&mut timer, 190, false), (false, 100));
        assert_eq!(scan(&mut timer, 500, false), (false, 100), "ET stays until IN is back");
        assert_eq!(scan(&mut timer, 510, true), (true, 0));
    }

    #[test]
    fn pulse() {
        let mut timer = timer_of(TP, 100);
        assert_eq!(scan(&mut timer, 0, true), (true, 0));
        assert_eq!(timer.wake, 100 * MS);
        assert_eq!(scan(&mut timer, 30, false), (true, 30), "IN may fall");
        assert_eq!(scan(&mut timer, 60, true), (true, 60), "and rise: the pulse is as long as it was");
        assert_eq!(scan(&mut timer, 100, true), (false, 100));
        assert_eq!(scan(&mut timer, 150, true), (false, 100), "no new pulse without an edge");
        assert_eq!(scan(&mut timer, 160, false), (false, 0));
        assert_eq!(scan(&mut timer, 170, true), (true, 0));
        assert_eq!(scan(&mut timer, 180, false), (true, 10));
        assert_eq!(scan(&mut timer, 300, false), (false, 0), "it ends with IN gone");
        assert_eq!(scan(&mut timer, 310, true), (true, 0));
        assert_eq!(scan(&mut timer, 320, false), (true, 10));
        assert_eq!(scan(&mut timer, 420, true), (true, 0), "one ends and the next begins in one scan");
    }

    #[test]
    fn retentive() {
        let mut timer = timer_of(TONR, 100);
        assert_eq!(scan(&mut timer, 0, true), (false, 0));
        assert_eq!(scan(&mut timer, 40, true), (false, 40));
        assert_eq!(scan(&mut timer, 50, false), (false, 50));
        assert_eq!(scan(&mut timer, 1000, false), (false, 50));
        assert_eq!(timer.wake, i64::MAX, "it rests while IN is gone");
        assert_eq!(scan(&mut timer, 2000, true), (false, 50));
        assert_eq!(timer.wake, 2050 * MS);
        assert_eq!(scan(&mut timer, 2050, true), (true, 100));
        assert_eq!(scan(&mut timer, 2070, false), (true, 100), "Q stays");
        timer.set("R", 1);
        assert_eq!(scan(&mut timer, 2080, true), (false, 0));
        timer.set("R", 0);
        assert_eq!(scan(&mut timer, 2090, true), (false, 0));
        assert_eq!(scan(&mut timer, 2120, true), (false, 30));
        assert_eq!(scan(&mut timer, 5, true), (false, 30), "a restart of the CPU loses nothing that had passed");
        assert_eq!(scan(&mut timer, 75, true), (true, 100));
    }

    #[test]
    fn preset_counts_as_it_is() {
        let mut timer = timer_of(TON, 100);
        scan(&mut timer, 0, true);
        timer.set("PT", 50 * MS);
        assert_eq!(scan(&mut timer, 40, true), (false, 40));
        assert_eq!(timer.wake, 50 * MS);
        timer.set("PT", 30 * MS);
        assert_eq!(scan(&mut timer, 45, true), (true, 30));
        timer.set("PT", 1000 * MS);
        assert_eq!(scan(&mut timer, 60, true), (true, 30), "what is over stays over");
        let mut timer = timer_of(TP, 0);
        assert_eq!(scan(&mut timer, 0, true), (false, 0), "no time is over at once");
        let mut timer = timer_of(TON, i64::MIN / MS);
        assert_eq!(scan(&mut timer, 0, true), (true, 0), "nor is one below nothing");
        let mut timer = timer_of(TOF, i64::MAX / MS);
        scan(&mut timer, 0, true);
        assert_eq!(scan(&mut timer, 1, false), (true, 0), "nor the longest");
    }

    #[test]
    fn a_restart_begins_the_time_again() {
        for block in [TON, TP] {
            let mut timer = timer_of(block, 100);
            scan(&mut timer, 5000, true);
            assert_eq!(scan(&mut timer, 5050, true).1, 50);
            assert_eq!(scan(&mut timer, 10, true).1, 0, "uptime began again at 0");
            assert_eq!(timer.wake, 110 * MS);
            assert_eq!(scan(&mut timer, 110, true).1, 100);
        }
    }
}
