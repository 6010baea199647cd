//! What a device's network interface has counted. Apart, because the driver counts and protocols tell it: a device that is
//! asked for its connections names the ones that it really has.

use crate::conversation::Transport;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A number that only grows, counted on any thread.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Counts `more`.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many were counted since honeyplant began to run.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a device has heard and said.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Octets that peers sent, without the headers below the transport's payload.
    pub octets_in: Count,
    /// Octets that were sent to peers, counted alike.
    pub octets_out: Count,
    /// Reads of a stream that brought something, about as many as segments.
    pub segments_in: Count,
    /// Writes to a stream.
    pub segments_out: Count,
    /// Connections that were taken.
    pub connections_in: Count,
    /// Connections that broke.
    pub connections_broken: Count,
    /// Datagrams that came.
    pub datagrams_in: Count,
    /// Datagrams that were sent.
    pub datagrams_out: Count,
    connections: Mutex<BTreeSet<(SocketAddr, SocketAddr)>>,
    ports: OnceLock<Vec<Transport>>,
}

impl Traffic {
    /// The device listens here. The first call counts.
    pub fn offer(&self, ports: Vec<Transport>) {
        self.ports.get_or_init(|| ports);
    }

    /// Where the device listens.
    pub fn ports(&self) -> &[Transport] {
        self.ports.get().map_or(&[], Vec::as_slice)
    }

    /// A TCP connection of `peer` to `local` is open.
    pub fn connected(&self, local: SocketAddr, peer: SocketAddr) {
        self.connections_in.add(1);
        self.table().insert((local, peer));
    }

    /// A TCP connection of `peer` to `local` is over.
    pub fn disconnected(&self, local: SocketAddr, peer: SocketAddr) {
        self.table().remove(&(local, peer));
    }

    /// The TCP connections that are open, each with its local address first, in order.
    pub fn connections(&self) -> Vec<(SocketAddr, SocketAddr)> {
        self.table().iter().copied().collect()
    }

    fn table(&self) -> std::sync::MutexGuard<'_, BTreeSet<(SocketAddr, SocketAddr)>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
