//! The interfaces group and its extension, RFC 2863. Apart, because it is where traffic is told octet by octet.

use super::{counter, mib_2, nothing, octets, put_scalars, put_table};
use crate::snmp::{
    mib::{
        View,
        network::{Flow, Interface},
        tree::{Index, Shelf},
    },
    value::Value,
};

const UP: i32 = 1;
const DOWN: i32 = 2;
const FALSE: i32 = 2;
const TRUE: i32 = 1;

pub(super) fn put(shelf: &mut Shelf) {
    let group = mib_2(&[2]);
    put_scalars(shelf, &group, &[(1, |view| Value::Integer(view.network.interfaces.len() as i32))]);
    put_table(
        shelf,
        &group.join(&[2, 1]),
        rows,
        &[
            (1, |_, index| Value::Integer(index.first().map_or(0, |index| *index as i32))),
            (2, |view, index| text(view, index, |own| octets(own.description.as_bytes()))),
            (3, |view, index| text(view, index, |own| Value::Integer(own.kind.into()))),
            (4, |view, index| text(view, index, |own| Value::Integer(own.mtu.into()))),
            (5, |view, index| text(view, index, |own| Value::Gauge32(own.speed))),
            (6, |view, index| text(view, index, |own| octets(&own.mac))),
            (7, |_, _| Value::Integer(UP)),
            (8, |view, index| text(view, index, |own| Value::Integer(if own.up { UP } else { DOWN }))),
            (9, last_change),
            (10, |view, index| counted(view, index, Flow::interface_in)),
            (11, |view, index| counted(view, index, Flow::unicast_in)),
            (12, |view, index| counted(view, index, |flow| flow.broadcasts_in)),
            (13, |_, _| counter(0)),
            (14, |_, _| counter(0)),
            (15, |_, _| counter(0)),
            (16, |view, index| counted(view, index, Flow::interface_out)),
            (17, |view, index| counted(view, index, Flow::unicast_out)),
            (18, |view, index| counted(view, index, |flow| flow.broadcasts_out)),
            (19, |_, _| counter(0)),
            (20, |_, _| counter(0)),
            (21, |_, _| Value::Gauge32(0)),
            (22, |_, _| nothing()),
        ],
    );
}

/// ifXTable, and the objects of ifMIBObjects that go with it.
pub(super) fn put_extension(shelf: &mut Shelf) {
    let group = mib_2(&[31, 1]);
    put_scalars(shelf, &group, &[(5, |_| Value::TimeTicks(0)), (6, |_| Value::TimeTicks(0))]);
    put_table(
        shelf,
        &group.clone().join(&[1, 1]),
        rows,
        &[
            (1, |view, index| text(view, index, |own| octets(own.name.as_bytes()))),
            (2, |_, _| counter(0)),
            (3, |view, index| counted(view, index, |flow| flow.broadcasts_in)),
            (4, |_, _| counter(0)),
            (5, |view, index| counted(view, index, |flow| flow.broadcasts_out)),
            (6, |view, index| counted_high(view, index, Flow::interface_in)),
            (7, |view, index| counted_high(view, index, Flow::unicast_in)),
            (8, |_, _| Value::Counter64(0)),
            (9, |view, index| counted_high(view, index, |flow| flow.broadcasts_in)),
            (10, |view, index| counted_high(view, index, Flow::interface_out)),
            (11, |view, index| counted_high(view, index, Flow::unicast_out)),
            (12, |_, _| Value::Counter64(0)),
            (13, |view, index| counted_high(view, index, |flow| flow.broadcasts_out)),
            (14, |_, _| Value::Integer(FALSE)),
            (15, |view, index| text(view, index, |own| Value::Gauge32(own.speed / 1_000_000))),
            (16, |_, _| Value::Integer(FALSE)),
            (17, |view, index| text(view, index, |own| Value::Integer(if own.mac.is_empty() { FALSE } else { TRUE }))),
            (18, |view, index| text(view, index, |own| octets(own.alias.as_bytes()))),
            (19, |_, _| Value::TimeTicks(0)),
        ],
    );
    // No interface lies over another: each lies over 0 and under 0.
    let stack = |view: &View<'_>| -> Vec<Index> {
        let mut rows: Vec<Index> = rows(view)
            .iter()
            .filter_map(|own| own.first())
            .flat_map(|index| [Index::from_slice(&[0, *index]), Index::from_slice(&[*index, 0])])
            .collect();
        rows.sort_unstable();
        rows
    };
    put_table(shelf, &group.join(&[2, 1]), stack, &[(3, |_, _| Value::Integer(1))]);
}

fn rows(view: &View<'_>) -> Vec<Index> {
    view.network.interfaces.iter().map(|interface| Index::from_slice(&[interface.index])).collect()
}

fn interface<'a>(view: &View<'a>, index: &[u32]) -> Option<&'a Interface> {
    view.network.interfaces.iter().find(|interface| index == [interface.index])
}

fn text(view: &View<'_>, index: &[u32], tell: fn(&Interface) -> Value) -> Value {
    interface(view, index).map_or(Value::Null, tell)
}

/// What of the flow belongs to an interface: all to the first, nothing to the others.
fn share(view: &View<'_>, index: &[u32], tell: fn(&Flow) -> u64) -> u64 {
    if index == [view.network.main] { tell(&view.flow()) } else { 0 }
}

fn counted(view: &View<'_>, index: &[u32], tell: fn(&Flow) -> u64) -> Value {
    counter(share(view, index, tell))
}

fn counted_high(view: &View<'_>, index: &[u32], tell: fn(&Flow) -> u64) -> Value {
    Value::Counter64(share(view, index, tell))
}

/// A cable's link comes up a little after the device; what has no cable is there at once.
fn last_change(view: &View<'_>, index: &[u32]) -> Value {
    let cable = interface(view, index).is_some_and(|interface| interface.up && !interface.mac.is_empty());
    Value::TimeTicks(if cable { view.network.lan.linked.min(view.ticks()) } else { 0 })
}
