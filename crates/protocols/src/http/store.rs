//! What a server remembers of whom it has met: sessions and nonces, by their text. Apart, because it is bounded: whoever
//! asks for many only makes it forget those that were used longest ago.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Things that are good for a while.
#[derive(Debug)]
pub(super) struct Store<T> {
    things: BTreeMap<Box<str>, (Instant, T)>,
    most: usize,
    life: Duration,
    renews: bool,
}

impl<T> Store<T> {
    /// At most so many, each good for so long after it was made, or used if that renews it.
    pub(super) const fn new(most: usize, life: Duration, renews: bool) -> Self {
        Self { things: BTreeMap::new(), most, life, renews }
    }

    pub(super) fn insert(&mut self, name: Box<str>, thing: T, now: Instant) {
        if self.things.len() >= self.most {
            let oldest = self.things.iter().min_by_key(|(_, (at, _))| *at).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.things.remove(&name));
        }
        self.things.insert(name, (now, thing));
    }

    pub(super) fn get(&mut self, name: &str, now: Instant) -> Option<&mut T> {
        let (life, renews) = (self.life, self.renews);
        let (at, thing) = self.things.get_mut(name)?;
        if now.saturating_duration_since(*at) > life {
            return None;
        }
        if renews {
            *at = now;
        }
        Some(thing)
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.things.remove(name);
    }
}
