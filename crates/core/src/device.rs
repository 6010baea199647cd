//! A profile come alive. Apart, because it is what all services of one address share.

use crate::{
    identity::Identity,
    plant::{Plant, TagId},
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// One decoy: its identity and its memory.
pub struct Device {
    name: Arc<str>,
    profile: Arc<str>,
    identity: Identity,
    tags: Vec<Arc<str>>,
    plant: Mutex<Plant>,
    started: OnceLock<(Instant, SystemTime)>,
}

impl Device {
    /// A device called `name` of the kind `profile`.
    pub fn new(name: &str, profile: &str, identity: Identity, plant: Plant) -> Self {
        Self {
            name: name.into(),
            profile: profile.into(),
            identity,
            tags: plant.directory(),
            plant: Mutex::new(plant),
            started: OnceLock::new(),
        }
    }

    /// Its name in the record.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its profile.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Who it says it is.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The name of a tag.
    pub fn tag_name(&self, id: TagId) -> Option<&str> {
        self.tags.get(id.index()).map(|name| &**name)
    }

    /// Sets the device's clock: at `now` it is `clock`. The first call counts.
    pub fn start(&self, now: Instant, clock: SystemTime) {
        self.started.get_or_init(|| (now, clock));
    }

    /// The device's clock at `now`, as time since 1970.
    pub fn clock(&self, now: Instant) -> Duration {
        let (started, clock) = *self.started.get_or_init(|| (now, SystemTime::UNIX_EPOCH));
        let clock = clock.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        clock + now.saturating_duration_since(started)
    }

    /// The memory, moved to `now`, for the length of one message: no conversation can hold it across an await, there
    /// being none.
    pub fn plant(&self, now: Instant) -> MutexGuard<'_, Plant> {
        let clock = self.clock(now);
        let mut plant = self.still();
        plant.advance(now, clock);
        plant
    }

    /// The memory as it was last left; for building services.
    pub fn still(&self) -> MutexGuard<'_, Plant> {
        self.plant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({} of {})", self.name, self.profile)
    }
}
