//! The wish that everything ends. Apart, because it is shared by all and must cost nothing until it is uttered.

use nix::sys::signal::{SigSet, Signal};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// Told once, heard by all who hold a clone.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    told: AtomicBool,
    wake: Notify,
}

impl Stop {
    /// Nothing is to end yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells all to end.
    pub fn stop(&self) {
        self.0.told.store(true, Ordering::Release);
        self.0.wake.notify_waiters();
    }

    /// Whether all are to end.
    pub fn is_stopped(&self) -> bool {
        self.0.told.load(Ordering::Acquire)
    }

    /// Waits until all are to end.
    pub async fn stopped(&self) {
        let mut wake = std::pin::pin!(self.0.wake.notified());
        // Enlisted before looking, so that nothing told in between is missed.
        wake.as_mut().enable();
        if !self.is_stopped() {
            wake.await;
        }
    }
}

/// The signals by which an operator ends the program, held back while nobody could act on them: without it, one that
/// comes between the opening of the doors and the start of the service would end the process in the middle.
#[derive(Debug)]
pub struct HeldSignals(SigSet);

impl HeldSignals {
    /// Holds them back, in this thread and all that it starts.
    pub fn hold() -> io::Result<Self> {
        let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        signals.thread_block()?;
        Ok(Self(signals))
    }

    /// Lets them come, to this thread.
    pub fn release(self) -> io::Result<()> {
        Ok(self.0.thread_unblock()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn is_heard_before_and_after_it_is_told() {
        let stop = Stop::new();
        let early = tokio::spawn({
            let stop = stop.clone();
            async move { stop.stopped().await }
        });
        tokio::task::yield_now().await;
        assert!(!stop.is_stopped());
        stop.stop();
        early.await.unwrap();
        stop.stopped().await;
        assert!(stop.is_stopped());
    }
}
