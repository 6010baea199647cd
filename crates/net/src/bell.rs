//! Who of many is to leave, told to the one task that serves them all. Apart, because the telling is done by strangers
//! and must cost the task nothing as long as nobody is told.

use crate::packet::Route;
use std::{
    mem::take,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    told: Vec<Route>,
    sleeper: Option<Waker>,
}

impl Bell {
    /// The session on `route` is to leave.
    pub(crate) fn ring(&self, route: Route) {
        let mut inner = self.lock();
        inner.told.push(route);
        self.rung.store(true, Ordering::Release);
        let sleeper = inner.sleeper.take();
        drop(inner);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    /// Those who were told since this was last asked.
    pub(crate) fn told(&self) -> Vec<Route> {
        if !self.rung.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut inner = self.lock();
        self.rung.store(false, Ordering::Release);
        take(&mut inner.told)
    }

    /// Is ready once somebody was told.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if !inner.told.is_empty() {
            return Poll::Ready(());
        }
        if !inner.sleeper.as_ref().is_some_and(|sleeper| sleeper.will_wake(cx.waker())) {
            inner.sleeper = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
