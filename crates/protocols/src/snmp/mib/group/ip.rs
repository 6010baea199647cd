//! The groups at and ip, RFC 1213. Apart, because their rows are indexed by addresses of the network that the device is in.

use super::{address, counter, mib_2, nothing, octets, put_scalars, put_table};
use crate::snmp::{
    mib::{
        View,
        network::Flow,
        tree::{Index, Shelf},
    },
    value::Value,
};
use std::net::Ipv4Addr;

/// at: the network addresses and what they are on the wire.
pub(super) fn put_translation(shelf: &mut Shelf) {
    let rows = |view: &View<'_>| -> Vec<Index> {
        let known = |index: Index| prefixed(&[view.network.main, 1], &index);
        neighbours(view).into_iter().map(known).collect()
    };
    put_table(
        shelf,
        &mib_2(&[3, 1, 1]),
        rows,
        &[
            (1, |view, _| Value::Integer(view.network.main as i32)),
            (2, |view, _| octets(view.network.gateway_mac.as_deref().unwrap_or_default())),
            (3, |_, index| address(index.get(2..))),
        ],
    );
}

pub(super) fn put(shelf: &mut Shelf) {
    let group = mib_2(&[4]);
    put_scalars(
        shelf,
        &group,
        &[
            (1, |view| Value::Integer(if view.network.forwarding { 1 } else { 2 })),
            (2, |view| Value::Integer(view.network.ttl.into())),
            (3, |view| counted(view, Flow::ip_in)),
            (4, |_| counter(0)),
            (5, |_| counter(0)),
            (6, |_| counter(0)),
            (7, |_| counter(0)),
            (8, |_| counter(0)),
            (9, |view| counted(view, Flow::ip_in)),
            (10, |view| counted(view, Flow::ip_out)),
            (11, |_| counter(0)),
            (12, |_| counter(0)),
            (13, |_| Value::Integer(60)),
            (14, |_| counter(0)),
            (15, |_| counter(0)),
            (16, |_| counter(0)),
            (17, |_| counter(0)),
            (18, |_| counter(0)),
            (19, |_| counter(0)),
            (23, |_| counter(0)),
        ],
    );
    put_addresses(shelf);
    put_routes(shelf);
    let rows = |view: &View<'_>| -> Vec<Index> {
        neighbours(view).into_iter().map(|index| prefixed(&[view.network.main], &index)).collect()
    };
    put_table(
        shelf,
        &group.join(&[22, 1]),
        rows,
        &[
            (1, |view, _| Value::Integer(view.network.main as i32)),
            (2, |view, _| octets(view.network.gateway_mac.as_deref().unwrap_or_default())),
            (3, |_, index| address(index.get(1..))),
            (4, |_, _| Value::Integer(DYNAMIC)),
        ],
    );
}

const DYNAMIC: i32 = 3;

fn put_addresses(shelf: &mut Shelf) {
    let rows = |view: &View<'_>| -> Vec<Index> {
        let loopback = view.network.loopback().map(|_| Ipv4Addr::LOCALHOST);
        sorted([Some(view.address()), loopback])
    };
    put_table(
        shelf,
        &mib_2(&[4, 20, 1]),
        rows,
        &[
            (1, |_, index| address(Some(index))),
            (2, |view, index| Value::Integer(interface(view, index))),
            (3, |view, index| Value::IpAddress(mask(view, index).octets())),
            (4, |_, _| Value::Integer(1)),
            (5, |_, _| Value::Integer(65_535)),
        ],
    );
}

fn put_routes(shelf: &mut Shelf) {
    let rows = |view: &View<'_>| -> Vec<Index> {
        let way_out = view.network.gateway_mac.as_ref().map(|_| Ipv4Addr::UNSPECIFIED);
        let loopback = view.network.loopback().map(|_| Ipv4Addr::LOCALHOST);
        sorted([way_out, Some(view.subnet()), loopback])
    };
    put_table(
        shelf,
        &mib_2(&[4, 21, 1]),
        rows,
        &[
            (1, |_, index| address(Some(index))),
            (2, |view, index| Value::Integer(interface(view, index))),
            (3, |_, index| Value::Integer(if is_way_out(index) { 1 } else { 0 })),
            (4, |_, _| Value::Integer(-1)),
            (5, |_, _| Value::Integer(-1)),
            (6, |_, _| Value::Integer(-1)),
            (7, next_hop),
            (8, |_, index| Value::Integer(if is_way_out(index) { INDIRECT } else { DIRECT })),
            (9, |_, index| Value::Integer(if is_way_out(index) { NETMGMT } else { LOCAL })),
            (10, |view, _| Value::Integer(view.uptime().as_secs() as i32)),
            (11, |view, index| Value::IpAddress(mask(view, index).octets())),
            (12, |_, _| Value::Integer(-1)),
            (13, |_, _| nothing()),
        ],
    );
}

const DIRECT: i32 = 3;
const INDIRECT: i32 = 4;
const LOCAL: i32 = 2;
const NETMGMT: i32 = 3;

fn counted(view: &View<'_>, tell: fn(&Flow) -> u64) -> Value {
    counter(tell(&view.flow()))
}

/// Whose address the device has heard on the wire.
fn neighbours(view: &View<'_>) -> Vec<Index> {
    sorted([view.network.gateway_mac.as_ref().map(|_| view.gateway())])
}

fn sorted<const N: usize>(addresses: [Option<Ipv4Addr>; N]) -> Vec<Index> {
    let mut rows: Vec<Index> = addresses.into_iter().flatten().map(arcs).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

fn arcs(address: Ipv4Addr) -> Index {
    address.octets().into_iter().map(u32::from).collect()
}

fn prefixed(first: &[u32], rest: &[u32]) -> Index {
    first.iter().chain(rest).copied().collect()
}

fn is_way_out(index: &[u32]) -> bool {
    index.iter().all(|arc| *arc == 0)
}

fn is_loopback(view: &View<'_>, index: &[u32]) -> bool {
    view.network.loopback().is_some() && *index == *arcs(Ipv4Addr::LOCALHOST)
}

fn interface(view: &View<'_>, index: &[u32]) -> i32 {
    let loopback = view.network.loopback().filter(|_| is_loopback(view, index));
    loopback.map_or_else(|| view.network.main, |interface| interface.index) as i32
}

fn mask(view: &View<'_>, index: &[u32]) -> Ipv4Addr {
    match () {
        () if is_way_out(index) => Ipv4Addr::UNSPECIFIED,
        () if is_loopback(view, index) => Ipv4Addr::new(255, 0, 0, 0),
        () => view.network.mask,
    }
}

fn next_hop(view: &View<'_>, index: &[u32]) -> Value {
    let hop = match () {
        () if is_way_out(index) => view.gateway(),
        () if is_loopback(view, index) => Ipv4Addr::LOCALHOST,
        () => view.address(),
    };
    Value::IpAddress(hop.octets())
}
