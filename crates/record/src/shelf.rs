//! Where events wait for the writer. Apart, because it is all of the record that a serving thread ever touches: a lock,
//! a push, and no wake-up while the writer is awake.

use honeyplant_core::event::Event;
use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How many events may wait before the shelf says that it is full.
const ROOM: usize = 65_536;

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    /// How many wait, readable without the lock.
    length: AtomicUsize,
    /// Whether nothing more is to come for reasons of the writer's.
    shut: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    events: Vec<Event>,
    parked: bool,
    /// How often it was asked to settle.
    asked: u64,
    /// By when all must have been written, once the journal ends.
    closing: Option<Instant>,
}

/// What the writer found when it looked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// How often the writer had been asked to settle.
    pub(crate) asked: u64,
    /// Whether this was all that ever comes.
    pub(crate) last: bool,
}

impl Shelf {
    pub(crate) fn push(&self, batch: &mut Vec<Event>) {
        if batch.is_empty() {
            return;
        }
        let mut waiting = self.lock();
        waiting.events.append(batch);
        self.length.store(waiting.events.len(), Ordering::Relaxed);
        let parked = std::mem::take(&mut waiting.parked);
        drop(waiting);
        if parked {
            self.wake.notify_one();
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.length.load(Ordering::Relaxed) >= ROOM || self.shut.load(Ordering::Relaxed)
    }

    pub(crate) fn shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::Relaxed);
    }

    /// Takes all that waits, sleeping while there is nothing, but no longer than `most`.
    pub(crate) fn take(&self, into: &mut Vec<Event>, settled: u64, most: Option<Duration>) -> Look {
        let mut waiting = self.lock();
        let idle = |waiting: &mut Waiting| {
            let idle = waiting.events.is_empty() && waiting.closing.is_none() && waiting.asked == settled;
            waiting.parked = idle;
            idle
        };
        waiting = match most {
            None => self.wake.wait_while(waiting, idle).unwrap_or_else(PoisonError::into_inner),
            Some(most) => self.wake.wait_timeout_while(waiting, most, idle).unwrap_or_else(PoisonError::into_inner).0,
        };
        waiting.parked = false;
        std::mem::swap(into, &mut waiting.events);
        self.length.store(0, Ordering::Relaxed);
        // Asked under the same lock as the swap: what was recorded before the end was told is in the batch.
        Look { asked: waiting.asked, last: waiting.closing.is_some() }
    }

    /// Has the writer look even if nothing waits. The number is what [`Look::asked`] will at least be.
    pub(crate) fn ask(&self) -> u64 {
        let mut waiting = self.lock();
        waiting.asked += 1;
        waiting.parked = false;
        self.wake.notify_all();
        waiting.asked
    }

    pub(crate) fn close(&self, by: Instant) {
        let mut waiting = self.lock();
        waiting.closing.get_or_insert(by);
        self.wake.notify_all();
    }

    /// Sleeps between two attempts to write; false when it is too late for another.
    pub(crate) fn pause(&self, pause: Duration) -> bool {
        let (waiting, _) = self
            .wake
            .wait_timeout_while(self.lock(), pause, |waiting| waiting.closing.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let closing = waiting.closing;
        drop(waiting);
        match closing {
            None => true,
            Some(by) => {
                let left = by.saturating_duration_since(Instant::now());
                std::thread::sleep(pause.min(left));
                !left.is_zero()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
