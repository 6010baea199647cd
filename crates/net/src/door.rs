//! A service of a device at one address, and how the address that was spoken to selects it. Apart, because connections
//! and datagrams come to the same doors.

use crate::{Tls, seat::Entrance};
use honeyplant_core::{
    conversation::{Service, Transport},
    device::Device,
};
use std::{collections::HashMap, io, net::IpAddr, sync::Arc, time::Duration};

/// A service of a device at one address.
#[derive(Clone)]
pub struct Door {
    /// The address.
    pub address: IpAddr,
    /// The carrier and the port.
    pub transport: Transport,
    /// Whose door it is.
    pub device: Arc<Device>,
    /// The name of the protocol.
    pub protocol: &'static str,
    /// What answers.
    pub service: Arc<dyn Service>,
    /// How many peers the device takes at once, if it is known.
    pub connections: Option<usize>,
    /// After which silence it has done with a peer, if it is known.
    pub idle: Option<Duration>,
    /// What the device speaks TLS with, if it can.
    pub tls: Option<Tls>,
}

/// A door that cannot be opened.
#[derive(Debug)]
pub struct Refusal {
    /// The address that was to be listened on.
    pub address: IpAddr,
    /// The carrier and the port.
    pub transport: Transport,
    /// The device that was to be behind it; the first, if there are several.
    pub device: String,
    /// The protocol.
    pub protocol: &'static str,
    /// Why not.
    pub error: io::Error,
}

impl Refusal {
    pub(crate) fn of(door: &Door, address: IpAddr, error: io::Error) -> Self {
        let Door { transport, device, protocol, .. } = door;
        Self { address, transport: *transport, device: device.name().to_owned(), protocol, error }
    }
}

/// A door among the others.
pub(crate) struct Entry {
    pub(crate) door: Door,
    pub(crate) entrance: Entrance,
}

/// Whom a peer reaches.
#[derive(Clone)]
pub(crate) enum Behind {
    /// The only one.
    One(Arc<Entry>),
    /// The one at the address that was spoken to.
    Many(HashMap<IpAddr, Arc<Entry>>),
}

impl Behind {
    /// Who is at `local`; nobody may be.
    pub(crate) fn at(&self, local: IpAddr) -> Option<&Arc<Entry>> {
        match self {
            Self::One(entry) => Some(entry),
            Self::Many(entries) => entries.get(&local),
        }
    }
}
