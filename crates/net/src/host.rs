//! What all doors of a running fleet share. Apart, because connections and datagrams are served by different loops.

use crate::{Limits, Record, Stop, Trouble, budget::Budget, door::Entry, seat::Room};
use honeyplant_core::{conversation::Conversation, event::Session};
use std::{
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio_util::task::TaskTracker;

pub(crate) struct Host<R, T> {
    pub(crate) room: Arc<Room>,
    pub(crate) budget: Budget,
    pub(crate) limits: Limits,
    pub(crate) record: R,
    pub(crate) sessions: TaskTracker,
    pub(crate) stop: Stop,
    pub(crate) trouble: T,
    next: AtomicU64,
}

impl<R: Record, T: Fn(Trouble) + Send + Sync + 'static> Host<R, T> {
    /// The shortest wait of a door that cannot go on.
    pub(crate) const BEAT: Duration = Duration::from_millis(5);

    /// Sessions are numbered from `base` on.
    pub(crate) fn new(limits: Limits, record: R, base: u64, stop: Stop, trouble: T) -> Self {
        Self {
            room: Arc::new(Room::new(&limits)),
            budget: Budget::new(&limits.unproven),
            limits,
            record,
            sessions: TaskTracker::new(),
            stop,
            trouble,
            next: AtomicU64::new(base),
        }
    }

    /// A session of `peer`, who spoke to `local`, and what answers it.
    pub(crate) fn session(
        &self,
        entry: &Entry,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Option<(Arc<Session>, Box<dyn Conversation>)> {
        let door = &entry.door;
        // A service that panics must not take the door with it.
        let conversation = catch_unwind(AssertUnwindSafe(|| door.service.converse())).ok()?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (carrier, protocol) = (door.transport.carrier(), door.protocol);
        Some((Arc::new(Session { id, peer, local, carrier, protocol, device: door.device.clone() }), conversation))
    }
}
