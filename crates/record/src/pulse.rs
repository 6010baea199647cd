//! How the writer tells its followers that there is more. Apart, because both sides wait on it and neither owns it.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How far the journal has been written.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    beat: Mutex<Beat>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beat {
    /// The sequence of the event that will be written next.
    pub(crate) next: u64,
    /// The last request to settle that was met.
    pub(crate) settled: u64,
    /// Whether the writer has ended.
    pub(crate) ended: bool,
    /// By when followers must have ended, too.
    pub(crate) by: Option<Instant>,
}

impl Beat {
    /// Whether followers must end without having everything.
    pub(crate) fn is_over(&self) -> bool {
        self.by.is_some_and(|by| Instant::now() >= by)
    }
}

impl Pulse {
    pub(crate) fn change(&self, change: impl FnOnce(&mut Beat)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    pub(crate) fn now(&self) -> Beat {
        *self.lock()
    }

    pub(crate) fn wait(&self, until: impl Fn(&Beat) -> bool) -> Beat {
        *self.changed.wait_while(self.lock(), |beat| !until(beat)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `pause`, but for a moment only once the journal ends: what is tried again is then tried at once.
    pub(crate) fn pause(&self, pause: Duration) -> Beat {
        const MOMENT: Duration = Duration::from_millis(50);
        let guard = self.lock();
        let (guard, _) = self
            .changed
            .wait_timeout_while(guard, pause, |beat| beat.by.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let beat = *guard;
        drop(guard);
        if let Some(by) = beat.by {
            std::thread::sleep(by.saturating_duration_since(Instant::now()).min(MOMENT).min(pause));
        }
        self.now()
    }

    fn lock(&self) -> MutexGuard<'_, Beat> {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
