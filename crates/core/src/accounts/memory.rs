//! What a device remembers of those who tried to log in. Apart, because it is bounded: whoever tries names without end only
//! makes it forget others who did.

use super::{LockedOut, LockoutSettings};
use crate::files::actor;
use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    net::IpAddr,
    time::{Duration, Instant},
};

/// How many sources, and how many names, are remembered.
const MOST: usize = 4096;
/// How many characters of a name or secret are remembered; longer ones are other ones all the same.
const LONGEST: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Memory {
    sources: Bounded<IpAddr, Source>,
    locks: Bounded<Victim, Lock>,
}

/// What is known of a source.
#[derive(Debug, Default)]
struct Source {
    /// How often it failed since it was last let in.
    failures: u32,
    /// With what it was let in, and when, by service.
    known: HashMap<Box<str>, (Box<str>, Box<str>, Instant)>,
}

/// Who can be locked out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Victim {
    User(Box<str>),
    Source(IpAddr),
}

/// The last failures, and until when nobody is let in.
#[derive(Debug, Default)]
struct Lock {
    failures: VecDeque<Instant>,
    until: Option<Instant>,
}

impl Memory {
    pub(super) fn is_locked(&mut self, settings: &LockoutSettings, source: IpAddr, user: &str, now: Instant) -> bool {
        let lock = self.locks.get(&victim(settings, source, user));
        lock.and_then(|lock| lock.until).is_some_and(|until| now < until)
    }

    pub(super) fn failures(&mut self, source: IpAddr) -> u32 {
        self.sources.get(&actor(source)).map_or(0, |source| source.failures)
    }

    /// With what a source was let in, if that is not too long ago.
    pub(super) fn known(
        &mut self,
        service: &str,
        source: IpAddr,
        now: Instant,
        remember: Duration,
    ) -> Option<(&str, &str)> {
        let (user, secret, at) = self.sources.get(&actor(source))?.known.get(service)?;
        (now.saturating_duration_since(*at) < remember).then_some((&**user, &**secret))
    }

    pub(super) fn know(&mut self, service: &str, source: IpAddr, user: &str, secret: &str, now: Instant) {
        if user.len() <= LONGEST && secret.len() <= LONGEST {
            let known = &mut self.sources.entry(actor(source)).known;
            known.insert(service.into(), (user.into(), secret.into(), now));
        }
    }

    pub(super) fn succeeded(&mut self, source: IpAddr, user: &str) {
        if let Some(source) = self.sources.get(&actor(source)) {
            source.failures = 0;
        }
        for victim in [Victim::User(head(user)), Victim::Source(actor(source))] {
            self.locks.remove(&victim);
        }
    }

    pub(super) fn failed(&mut self, lockout: Option<&LockoutSettings>, source: IpAddr, user: &str, now: Instant) {
        let failures = &mut self.sources.entry(actor(source)).failures;
        *failures = failures.saturating_add(1);
        let Some(settings) = lockout else { return };
        let lock = self.locks.entry(victim(settings, source, user));
        let recent = |at: &Instant| now.saturating_duration_since(*at) < settings.within.0;
        while lock.failures.front().is_some_and(|at| !recent(at)) {
            lock.failures.pop_front();
        }
        lock.failures.push_back(now);
        if lock.failures.len() >= settings.after.max(1) as usize {
            lock.failures.clear();
            lock.until = now.checked_add(settings.lasts.0);
        }
    }
}

fn victim(settings: &LockoutSettings, source: IpAddr, user: &str) -> Victim {
    match settings.by {
        LockedOut::User => Victim::User(head(user)),
        LockedOut::Source => Victim::Source(actor(source)),
    }
}

fn head(user: &str) -> Box<str> {
    user.get(..user.floor_char_boundary(LONGEST)).unwrap_or_default().into()
}

/// A map in which the one that was used least recently gives way.
#[derive(Debug)]
struct Bounded<K, V> {
    map: HashMap<K, (u64, V)>,
    uses: u64,
}

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self { map: HashMap::new(), uses: 0 }
    }
}

impl<K: Clone + Eq + Hash, V: Default> Bounded<K, V> {
    fn get(&mut self, key: &K) -> Option<&mut V> {
        self.uses += 1;
        let (used, value) = self.map.get_mut(key)?;
        *used = self.uses;
        Some(value)
    }

    fn entry(&mut self, key: K) -> &mut V {
        if self.map.len() >= MOST && !self.map.contains_key(&key) {
            // Half of them at once, lest every newcomer costs a search.
            let mut uses: Vec<u64> = self.map.values().map(|(used, _)| *used).collect();
            uses.sort_unstable();
            let median = uses.get(uses.len() / 2).copied().unwrap_or_default();
            self.map.retain(|_, (used, _)| *used > median);
        }
        self.uses += 1;
        let (used, value) = self.map.entry(key).or_default();
        *used = self.uses;
        value
    }

    fn remove(&mut self, key: &K) {
        self.map.remove(key);
    }
}
