//! How much the agent bears before it falls silent, and how long it takes to answer. Apart, because no standard has them:
//! they are habits of weak devices.

use super::wire::Purpose;
use honeyplant_core::random::Random;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The most requests that are answered; none is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) source_minute: Option<u32>,
    pub(super) source_hour: Option<u32>,
    pub(super) minute: Option<u32>,
    pub(super) hour: Option<u32>,
}

/// Requests of this minute and this hour of the device's clock.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    limits: Limits,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    minute: u64,
    all: Count,
    sources: HashMap<IpAddr, Count>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    minute: u32,
    hour: u32,
}

/// How many sources are told apart; when there are more, all of them begin anew.
const SOURCES: usize = 4096;

impl Throttle {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, tally: Mutex::default() }
    }

    /// Counts a request of `source` when the device's clock is `clock`; the error is why it is not answered.
    pub(super) fn admit(&self, source: IpAddr, clock: Duration) -> Result<(), &'static str> {
        let Limits { source_minute, source_hour, minute, hour } = self.limits;
        if [source_minute, source_hour, minute, hour] == [None; 4] {
            return Ok(());
        }
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.turn(clock.as_secs() / 60);
        tally.all.count();
        if tally.sources.len() >= SOURCES && !tally.sources.contains_key(&source) {
            tally.sources.clear();
        }
        let own = tally.sources.entry(source).or_default();
        own.count();
        let (own, all) = (*own, tally.all);
        let over = |count: u32, limit: Option<u32>| limit.is_some_and(|limit| count > limit);
        if over(own.minute, source_minute) || over(own.hour, source_hour) {
            Err("the source asked more often than the agent bears")
        } else if over(all.minute, minute) || over(all.hour, hour) {
            Err("the agent was asked more often than it bears")
        } else {
            Ok(())
        }
    }
}

impl Tally {
    fn turn(&mut self, minute: u64) {
        if minute / 60 != self.minute / 60 {
            self.all = Count::default();
            self.sources.clear();
        } else if minute != self.minute {
            self.all.minute = 0;
            self.sources.values_mut().for_each(|count| count.minute = 0);
        }
        self.minute = minute;
    }
}

impl Count {
    const fn count(&mut self) {
        self.minute = self.minute.saturating_add(1);
        self.hour = self.hour.saturating_add(1);
    }
}

/// How long an answer takes: at least the first, at most the second.
pub(super) type Span = (Duration, Duration);

/// How long the answers take.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delay {
    pub(super) get: Span,
    pub(super) get_next: Span,
    pub(super) get_bulk: Span,
    pub(super) set: Span,
}

impl Delay {
    /// How long the answer to this one takes.
    pub(super) fn draw(&self, purpose: Purpose, random: &mut Random) -> Duration {
        let (least, most) = match purpose {
            Purpose::Get => self.get,
            Purpose::GetNext => self.get_next,
            Purpose::GetBulk => self.get_bulk,
            Purpose::Set => self.set,
            _ => return Duration::ZERO,
        };
        if most > least { least + (most - least).mul_f64(random.unit()) } else { least }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_source_and_in_all_by_minute_and_hour() {
        let limits = Limits { source_minute: Some(2), source_hour: Some(3), minute: Some(3), hour: None };
        let throttle = Throttle::new(limits);
        let ask = |source: u8, second| throttle.admit([192, 0, 2, source].into(), Duration::from_secs(second)).is_ok();
        assert_eq!([ask(1, 0), ask(1, 1), ask(1, 2)], [true, true, false], "three in a minute of one source");
        assert!(!ask(2, 3), "four in a minute of all");
        assert_eq!([ask(2, 60), ask(1, 61)], [true, false], "four in an hour of one source");
        assert!(ask(1, 3600));
    }

    #[test]
    fn forgets_rather_than_grows() {
        let throttle = Throttle::new(Limits { source_minute: Some(9), ..Limits::default() });
        for source in 0..10_000_u32 {
            throttle.admit(IpAddr::from(source.to_be_bytes()), Duration::ZERO).unwrap();
        }
        assert!(throttle.tally.lock().unwrap().sources.len() <= SOURCES);
    }

    #[test]
    fn a_delay_is_drawn_from_its_span() {
        let span = (Duration::from_millis(100), Duration::from_millis(200));
        let delay = Delay { get: span, ..Delay::default() };
        let mut random = Random::seeded(1);
        for _ in 0..100 {
            let drawn = delay.draw(Purpose::Get, &mut random);
            assert!((span.0..=span.1).contains(&drawn));
        }
        assert_eq!(delay.draw(Purpose::Set, &mut random), Duration::ZERO);
    }
}
