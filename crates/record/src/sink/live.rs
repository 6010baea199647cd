//! A client that lives in a runtime of its own. Apart, because much rests on this: when a delivery has failed, both end,
//! so that nothing of it is sent later behind what comes next, and no task, thread or socket stays.

use super::SinkError;
use std::{
    fmt,
    future::Future,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

/// How long a connection is kept that is not used. Nobody answers the other end meanwhile, which would miss it at last.
const IDLE: Duration = Duration::from_secs(60);

/// A client, and the runtime in which its tasks run.
pub(crate) struct Live<C> {
    client: C,
    runtime: Ends,
    used: Instant,
}

/// A runtime that does not wait at its end for a name that is being looked up.
struct Ends(Option<Runtime>);

impl Ends {
    fn within<T>(&self, limit: Duration, what: impl Future<Output = Result<T, SinkError>>) -> Result<T, SinkError> {
        let ended = || SinkError("its runtime has ended".into());
        let late = |_| Err(SinkError(format!("no answer in {} s", limit.as_secs())));
        let runtime = self.0.as_ref().ok_or_else(ended)?;
        runtime.block_on(async { tokio::time::timeout(limit, what).await }).unwrap_or_else(late)
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl<C> Live<C> {
    /// The client that `connect` makes within `limit`.
    pub(crate) fn open(
        limit: Duration,
        connect: impl Future<Output = Result<C, SinkError>>,
    ) -> Result<Self, SinkError> {
        let runtime = Ends(Some(Builder::new_current_thread().enable_all().build()?));
        let client = runtime.within(limit, connect)?;
        Ok(Self { client, runtime, used: Instant::now() })
    }

    /// What comes of `what` within `limit`.
    pub(crate) fn run<'a, T, F: Future<Output = Result<T, SinkError>>>(
        &'a mut self,
        limit: Duration,
        what: impl FnOnce(&'a mut C) -> F,
    ) -> Result<T, SinkError> {
        let done = self.runtime.within(limit, what(&mut self.client));
        self.used = Instant::now();
        done
    }

    /// Whether it may have been given up by the other end.
    pub(crate) fn is_stale(&self) -> bool {
        self.used.elapsed() > IDLE
    }
}

impl<C> fmt::Debug for Live<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
