//! How long a peer may take for an answer. Apart, because thousands who take their time share the memory that their answers
//! wait in.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// Answers of so many bytes may wait for all peers together. Beyond it, nobody's may wait for longer than [`SHORT`].
const MOST_IN_ALL: usize = 512 * 1024 * 1024;
/// Whoever takes an answer of 16 MiB at 128 kB a second is not in the way.
const SHORT: Duration = Duration::from_secs(128);

/// How much waits now.
static IN_ALL: AtomicUsize = AtomicUsize::new(0);

/// The patience with one peer for one answer.
#[derive(Debug)]
pub(crate) struct Patience {
    /// How long it may take none of it.
    stuck: Duration,
    size: usize,
    /// Since when it is waited for, and when it was last seen to take some. None until it is waited for.
    since: Option<(Instant, Instant)>,
}

impl Patience {
    /// The patience for an answer of `size` bytes, of which some must be taken every `stuck`.
    pub(crate) const fn new(stuck: Duration, size: usize) -> Self {
        Self { stuck, size, since: None }
    }

    /// The peer has taken some.
    pub(crate) fn renew(&mut self) {
        if let Some((_, moved)) = &mut self.since {
            *moved = Instant::now();
        }
    }

    /// When it ends if the peer takes no more.
    pub(crate) fn due(&mut self) -> Instant {
        let (since, moved) = *self.since.get_or_insert_with(|| {
            IN_ALL.fetch_add(self.size, Ordering::Relaxed);
            let now = Instant::now();
            (now, now)
        });
        let due = moved + self.stuck;
        if IN_ALL.load(Ordering::Relaxed) > MOST_IN_ALL { due.min(since + SHORT) } else { due }
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        if self.since.is_some() {
            IN_ALL.fetch_sub(self.size, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn who_takes_some_has_all_the_time_unless_too_much_waits() {
        let (start, stuck) = (Instant::now(), Duration::from_secs(30));
        let mut one = Patience::new(stuck, 1000);
        assert_eq!(one.due(), start + stuck);
        for _ in 0..10 {
            tokio::time::advance(Duration::from_secs(20)).await;
            one.renew();
        }
        assert_eq!(one.due(), start + Duration::from_secs(230));
        let mut large = Patience::new(stuck, MOST_IN_ALL);
        large.due();
        assert_eq!(one.due(), start + SHORT);
        drop(large);
        assert_eq!(one.due(), start + Duration::from_secs(230));
    }
}
