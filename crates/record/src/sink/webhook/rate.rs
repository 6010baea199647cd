//! How many messages a minute may have. Apart, because it is pure: time is an argument.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_secs(60);

/// The messages of the last minute.
#[derive(Debug)]
pub(super) struct Rate {
    /// None: as many as there are.
    limit: Option<usize>,
    sent: VecDeque<Instant>,
}

impl Rate {
    /// At most `limit` messages a minute; 0 is no limit.
    pub(super) fn new(limit: u32) -> Self {
        Self { limit: usize::try_from(limit).ok().filter(|limit| *limit > 0), sent: VecDeque::new() }
    }

    /// How many messages may be sent now.
    pub(super) fn free(&mut self, now: Instant) -> usize {
        let Some(limit) = self.limit else { return usize::MAX };
        while self.sent.front().is_some_and(|sent| now.duration_since(*sent) >= MINUTE) {
            self.sent.pop_front();
        }
        limit.saturating_sub(self.sent.len())
    }

    /// How long it is until one may be sent.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        if self.free(now) > 0 {
            return Duration::ZERO;
        }
        self.sent.front().map_or(Duration::ZERO, |sent| (*sent + MINUTE).saturating_duration_since(now))
    }

    /// One was sent.
    pub(super) fn count(&mut self, now: Instant) {
        if self.limit.is_some() {
            self.sent.push_back(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_messages() {
        let (start, mut rate) = (Instant::now(), Rate::new(2));
        assert_eq!(rate.free(start), 2);
        rate.count(start);
        rate.count(start + MINUTE / 2);
        assert_eq!((rate.free(start + MINUTE / 2), rate.wait(start + MINUTE / 2)), (0, MINUTE / 2));
        assert_eq!((rate.free(start + MINUTE), rate.wait(start + MINUTE)), (1, Duration::ZERO));
        let mut all = Rate::new(0);
        all.count(start);
        assert_eq!((all.free(start), all.wait(start)), (usize::MAX, Duration::ZERO));
    }
}
