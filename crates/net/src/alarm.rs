//! One timer for all deadlines of a session. Apart, because moving a timer takes a lock that all sessions share: it is
//! moved only when it must ring earlier, and when it rings too early it is set for the rest.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};
use tokio::time::{Instant, Sleep, sleep_until};

#[derive(Debug, Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whom the timer will wake; a timer that waits for the same task need not be asked again.
    sleeper: Option<Waker>,
}

impl Alarm {
    /// Is ready once `due` has come.
    pub(crate) fn poll(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if due < sleep.deadline() {
            sleep.as_mut().reset(due);
            self.sleeper = None;
        }
        loop {
            let waits = self.sleeper.as_ref().is_some_and(|sleeper| sleeper.will_wake(cx.waker()));
            if waits && !sleep.is_elapsed() {
                return Poll::Pending;
            }
            self.sleeper = Some(cx.waker().clone());
            ready!(sleep.as_mut().poll(cx));
            self.sleeper = None;
            if due <= sleep.deadline() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, time::Duration};

    #[tokio::test(start_paused = true)]
    async fn rings_at_its_instant_wherever_that_moved() {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        for (asked, rings) in [(50, 50), (500, 500), (100, 500), (700, 700)] {
            let due = start + Duration::from_millis(asked);
            poll_fn(|cx| alarm.poll(due, cx)).await;
            assert_eq!(start.elapsed(), Duration::from_millis(rings));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn moves_while_it_is_waited_for() {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        for (first, then, rings) in [(900, 100, 100), (200, 400, 400)] {
            assert!(poll_fn(|cx| Poll::Ready(alarm.poll(at(first), cx).is_pending())).await);
            poll_fn(|cx| alarm.poll(at(then), cx)).await;
            assert_eq!(start.elapsed(), Duration::from_millis(rings));
        }
    }
}
