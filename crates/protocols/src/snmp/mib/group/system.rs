//! The system group, RFC 3418. Apart, because its texts are what the operator says, and some can be set.

use super::{mib_2, octets, put_scalars};
use crate::snmp::{
    mib::{
        source::Source,
        tree::{Index, Object, Shelf},
    },
    oid::Oid,
    value::Value,
};

/// What the operator says in this group.
#[derive(Debug)]
pub(in crate::snmp::mib) struct Texts {
    pub(in crate::snmp::mib) description: Source,
    pub(in crate::snmp::mib) object_id: Oid,
    pub(in crate::snmp::mib) contact: Source,
    pub(in crate::snmp::mib) name: Source,
    pub(in crate::snmp::mib) location: Source,
    pub(in crate::snmp::mib) services: u8,
    pub(in crate::snmp::mib) resources: Vec<OrRow>,
}

/// A row of sysORTable.
#[derive(Debug)]
pub(in crate::snmp::mib) struct OrRow {
    pub(in crate::snmp::mib) id: Oid,
    pub(in crate::snmp::mib) description: String,
}

pub(super) fn put(texts: &Texts, shelf: &mut Shelf) {
    let system = mib_2(&[1]);
    let said = [
        (1, texts.description.clone()),
        (2, Source::Fixed(Value::ObjectId(texts.object_id.clone()))),
        (4, texts.contact.clone()),
        (5, texts.name.clone()),
        (6, texts.location.clone()),
        (7, Source::Fixed(Value::Integer(texts.services.into()))),
    ];
    for (number, source) in said {
        shelf.insert(system.clone().with(number), Object::scalar(source));
    }
    put_scalars(shelf, &system, &[(3, |view| Value::TimeTicks(view.ticks()))]);
    if texts.resources.is_empty() {
        return;
    }
    // All of them are there as soon as the agent is: sysORLastChange and each sysORUpTime are 0.
    let started = || Source::Fixed(Value::TimeTicks(0));
    shelf.insert(system.clone().with(8), Object::scalar(started()));
    let entry = system.join(&[9, 1]);
    let mut column = |number, cell: &dyn Fn(&OrRow) -> Source| {
        let rows = texts.resources.iter().zip(1..).map(|(row, index)| (Index::from_slice(&[index]), cell(row)));
        shelf.insert(entry.clone().with(number), Object::Fixed(rows.collect()));
    };
    column(2, &|row| Source::Fixed(Value::ObjectId(row.id.clone())));
    column(3, &|row| Source::Fixed(octets(row.description.as_bytes())));
    column(4, &|_| started());
}
