//! The tree of objects that a device has. Apart, because messages know nothing of what is in it.

mod build;
mod group;
mod literal;
mod network;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod tree;

use super::{
    engine::Engine,
    oid::Oid,
    value::{Error, Value},
};
use honeyplant_core::{
    device::Device,
    event::Session,
    plant::{Plant, TagId},
    settings::Problems,
};
use network::{Flow, Network};
pub(super) use settings::Settings;
use source::Source;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::Bound,
    sync::{MutexGuard, atomic::AtomicU32},
    time::{Duration, Instant},
};
use tree::{Place, Tree};

/// What values depend on while one message is answered.
pub(super) struct Moment<'a> {
    /// The time.
    pub(super) now: Instant,
    /// Who asks, and whom.
    pub(super) session: &'a Session,
    /// The engine, with what it has counted.
    pub(super) engine: &'a Engine,
    /// The memory of the device.
    pub(super) plant: MutexGuard<'a, Plant>,
}

/// What an instance held.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// Its value.
    pub(super) value: Value,
    /// The tag that the value is of.
    pub(super) tag: Option<TagId>,
}

/// What there is at an identifier.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// An instance.
    Value(Reading),
    /// An object, but not this instance of it.
    NoSuchInstance,
    /// Nothing.
    NoSuchObject,
}

/// The objects of one device.
#[derive(Debug)]
pub(super) struct Mib {
    tree: Tree,
    network: Network,
    /// snmpSetSerialNo.
    serial: AtomicU32,
}

impl Mib {
    /// The objects that `settings`, which stand at `key`, describe.
    pub(super) fn build(settings: &Settings, key: &str, device: &Device, problems: &mut Problems) -> Self {
        let (tree, network) = build::tree(settings, key, device, problems);
        Self { tree, network, serial: AtomicU32::new(0) }
    }

    /// What there is at `oid`.
    pub(super) fn get(&self, oid: &[u32], at: &Moment<'_>) -> Found {
        let view = self.view(at);
        let Some((object, index)) = self.tree.object(oid) else {
            return Found::NoSuchObject;
        };
        match object.instance(index, &view) {
            Some(place) => Found::Value(view.read(place, index)),
            None => Found::NoSuchInstance,
        }
    }

    /// The first instance from `from` on.
    pub(super) fn next(&self, from: Bound<&[u32]>, at: &Moment<'_>) -> Option<(Oid, Reading)> {
        let view = self.view(at);
        let (oid, place) = self.tree.next(from, &view)?;
        let index = self.tree.object(&oid).map_or(&[][..], |(_, index)| index);
        let reading = view.read(place, index);
        Some((oid, reading))
    }

    /// Whether `oid` could be set to `value`; nothing is changed (RFC 3416 §4.2.5, first phase).
    pub(super) fn check_set(&self, oid: &[u32], value: &Value, at: &Moment<'_>) -> Result<(), Error> {
        let view = self.view(at);
        let (object, index) = self.tree.object(oid).ok_or(Error::NotWritable)?;
        match object.instance(index, &view) {
            Some(Place::Source(source)) => source.check(value, &view),
            None if object.is_writable() => Err(Error::NoCreation),
            Some(Place::Row(_)) | None => Err(Error::NotWritable),
        }
    }

    /// Sets `oid`, which was checked in the same message, to `value`.
    pub(super) fn commit(&self, oid: &[u32], value: &Value, at: &mut Moment<'_>) -> Result<Option<TagId>, Error> {
        let view = self.view(at);
        let place = self.tree.object(oid).and_then(|(object, index)| object.instance(index, &view));
        let Some(Place::Source(source)) = place else {
            return Err(Error::CommitFailed);
        };
        source.check(value, &view).map_err(|_| Error::CommitFailed)?;
        match source {
            Source::Tag(bound) => {
                let taken = bound.taken(value).map_err(|_| Error::CommitFailed)?;
                at.plant.set(bound.id, taken);
            }
            Source::Register(register) => (register.write)(&view, value),
            Source::Fixed(_) | Source::Live(_) | Source::State(..) => return Err(Error::CommitFailed),
        }
        Ok(source.tag())
    }

    fn view<'a>(&'a self, at: &'a Moment<'_>) -> View<'a> {
        View { network: &self.network, serial: &self.serial, at }
    }
}

/// The device as a message finds it.
#[derive(Clone, Copy)]
struct View<'a> {
    network: &'a Network,
    serial: &'a AtomicU32,
    at: &'a Moment<'a>,
}

impl View<'_> {
    fn read(&self, place: Place<'_>, index: &[u32]) -> Reading {
        match place {
            Place::Source(source) => Reading { value: source.read(self), tag: source.tag() },
            Place::Row(cell) => Reading { value: cell(self, index), tag: None },
        }
    }

    fn device(&self) -> &Device {
        &self.at.session.device
    }

    fn uptime(&self) -> Duration {
        self.device().moment(self.at.now).uptime
    }

    /// sysUpTime, which begins anew after 497 days.
    fn ticks(&self) -> u32 {
        (self.uptime().as_millis() / 10) as u32
    }

    fn flow(&self) -> Flow {
        Flow::at(self)
    }

    /// The address that was spoken to; these groups know no other than IPv4.
    fn address(&self) -> Ipv4Addr {
        v4(self.at.session.local).unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    fn subnet(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address().to_bits() & self.network.mask.to_bits())
    }

    fn gateway(&self) -> Ipv4Addr {
        self.network.gateway.unwrap_or_else(|| {
            let first = Ipv4Addr::from_bits(self.subnet().to_bits() | 1);
            let last = Ipv4Addr::from_bits((self.subnet().to_bits() | !self.network.mask.to_bits()) & !1);
            if first == self.address() { last } else { first }
        })
    }

    /// The open TCP connections as tcpConnTable counts them, in order: local address and port, then the peer's.
    fn connections(&self) -> Vec<[u32; 10]> {
        let moved = self.moved();
        let mut rows: Vec<_> = self
            .device()
            .traffic()
            .connections()
            .into_iter()
            .filter_map(|(local, peer)| Some((v4(local)?, local.port().wrapping_sub(moved), v4(peer)?, peer.port())))
            .map(|(local, port, peer, peer_port)| {
                let ([a, b, c, d], [e, f, g, h]) = (local.octets(), peer.octets());
                [
                    a.into(),
                    b.into(),
                    c.into(),
                    d.into(),
                    port.into(),
                    e.into(),
                    f.into(),
                    g.into(),
                    h.into(),
                    peer_port.into(),
                ]
            })
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// How far a site has moved the device's ports up, which the device does not know of.
    fn moved(&self) -> u16 {
        const STANDARD: u16 = 161;
        let standard = self.device().traffic().ports().iter().any(|at| at.port() == STANDARD);
        if standard { self.at.session.local.port().wrapping_sub(STANDARD) } else { 0 }
    }
}

fn v4(address: SocketAddr) -> Option<Ipv4Addr> {
    match address.ip().to_canonical() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}
