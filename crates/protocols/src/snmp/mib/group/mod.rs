//! The groups of objects that standards define. Apart, because every device has the same ones, and its settings only choose.

mod interfaces;
mod ip;
mod snmp;
mod system;
mod transport;

pub(super) use system::{OrRow, Texts};

use super::{
    View,
    settings::Group,
    source::Source,
    tree::{Cell, Column, Object, Rows, Shelf},
};
use crate::snmp::{
    oid::Oid,
    value::{Octets, Value},
};

/// Puts the objects of `group` onto the shelf.
pub(super) fn put(group: Group, texts: &Texts, shelf: &mut Shelf) {
    match group {
        Group::System => system::put(texts, shelf),
        Group::Interfaces => interfaces::put(shelf),
        Group::InterfacesX => interfaces::put_extension(shelf),
        Group::At => ip::put_translation(shelf),
        Group::Ip => ip::put(shelf),
        Group::Icmp => transport::put_icmp(shelf),
        Group::Tcp => transport::put_tcp(shelf),
        Group::Udp => transport::put_udp(shelf),
        Group::Snmp => snmp::put(shelf),
        Group::SnmpV2 => snmp::put_v2(shelf),
        Group::SnmpV3 => snmp::put_v3(shelf),
    }
}

/// mib-2, under which most of them lie.
const MIB_2: [u32; 6] = [1, 3, 6, 1, 2, 1];

fn mib_2(arcs: &[u32]) -> Oid {
    Oid::new(&MIB_2).join(arcs)
}

/// Tells the value of an object that has one instance.
type Tell = fn(&View<'_>) -> Value;

/// Puts objects with one instance each, by the number that follows `under`.
fn put_scalars(shelf: &mut Shelf, under: &Oid, objects: &[(u32, Tell)]) {
    for (number, tell) in objects {
        shelf.insert(under.clone().with(*number), Object::scalar(Source::Live(*tell)));
    }
}

/// Puts the columns of a table, by the number that follows that of its `entry`.
fn put_table(shelf: &mut Shelf, entry: &Oid, rows: Rows, columns: &[(u32, Cell)]) {
    for (number, cell) in columns {
        shelf.insert(entry.clone().with(*number), Object::Live(Column { rows, cell: *cell }));
    }
}

/// A Counter32 of what was counted in more bits.
const fn counter(count: u64) -> Value {
    Value::Counter32(count as u32)
}

fn octets(text: &[u8]) -> Value {
    Value::OctetString(Octets::from_slice(text))
}

/// The OBJECT IDENTIFIER 0.0 (RFC 2578 §7.1.3).
fn nothing() -> Value {
    Value::ObjectId(Oid::new(&[0, 0]))
}

/// The address that four numbers of an index are.
fn address(arcs: Option<&[u32]>) -> Value {
    match arcs {
        Some([a, b, c, d]) => Value::IpAddress([*a as u8, *b as u8, *c as u8, *d as u8]),
        _ => Value::IpAddress([0; 4]),
    }
}
