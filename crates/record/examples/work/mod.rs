//! What is recorded while it is measured.

pub(crate) mod cpu;

use honeyplant_core::{
    device::Device,
    event::{Access, Carrier, Event, Kind, Octets, Operation, Session, Values, Verdict},
    identity::Identity,
    plant::{Plant, Tags},
};
use honeyplant_record::Observer;
use std::{sync::Arc, time::SystemTime};

/// One of many sessions, of one of a hundred actors.
pub(crate) fn session(number: u32) -> Arc<Session> {
    Arc::new(Session {
        id: 0x1234_5678_0000_0000 + u64::from(number),
        peer: ([198, 51, 100, (number % 100) as u8], 40_000).into(),
        local: ([203, 0, 113, 1], 502).into(),
        carrier: Carrier::Tcp,
        protocol: "modbus",
        device: Arc::new(Device::new("plc-intake", "plc", Identity::default(), Plant::default())),
    })
}

/// What was read in a session: other registers, another event.
pub(crate) fn event(session: &Arc<Session>, address: u32) -> Event {
    let operation = Operation { name: "read holding registers", code: 3, unit: Some(1), verdict: Verdict::Done };
    let access = Access { area: "holding registers", address: address.into(), count: 10, tags: Tags::new() };
    Event {
        at: SystemTime::now(),
        session: Some(session.clone()),
        kind: Kind::Read(operation, access, Values::Words([7; 10].into_iter().collect())),
        request: Octets::from_slice(&[0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10]),
        reply: Octets::from_slice(&[0; 29]),
    }
}

pub(crate) fn observer() -> Observer {
    Observer { site: "measure".into(), install: "0123abcd".into(), version: env!("CARGO_PKG_VERSION").into() }
}
