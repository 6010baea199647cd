//! The groups icmp, tcp and udp, RFC 1213. Apart, because their tables are the device's real listeners and connections.

use super::{Tell, address, counter, mib_2, put_scalars, put_table};
use crate::snmp::{
    mib::{
        View,
        network::Flow,
        tree::{Index, Shelf},
    },
    value::Value,
};
use honeyplant_core::conversation::Transport;

/// Nothing of ICMP comes through to the device.
pub(super) fn put_icmp(shelf: &mut Shelf) {
    let zeros: Vec<(u32, Tell)> = (1..=26).map(|number| (number, (|_: &View<'_>| counter(0)) as Tell)).collect();
    put_scalars(shelf, &mib_2(&[5]), &zeros);
}

pub(super) fn put_tcp(shelf: &mut Shelf) {
    let group = mib_2(&[6]);
    put_scalars(
        shelf,
        &group,
        &[
            // vanj(4), with the bounds that stacks of the Berkeley line have, in milliseconds.
            (1, |_| Value::Integer(4)),
            (2, |_| Value::Integer(1000)),
            (3, |_| Value::Integer(64_000)),
            (4, |view| Value::Integer(view.network.max_connections)),
            (5, |_| counter(0)),
            (6, |view| counted(view, |flow| flow.taken)),
            (7, |_| counter(0)),
            (8, |view| counted(view, |flow| flow.broken)),
            (9, |view| Value::Gauge32(view.connections().len() as u32)),
            (10, |view| counted(view, Flow::tcp_in)),
            (11, |view| counted(view, Flow::tcp_out)),
            (12, |_| counter(0)),
            (14, |_| counter(0)),
            (15, |view| counted(view, |flow| flow.broken)),
        ],
    );
    put_table(
        shelf,
        &group.join(&[13, 1]),
        connections,
        &[
            (1, |_, index| Value::Integer(if index.get(5..) == Some(&NOBODY) { LISTEN } else { ESTABLISHED })),
            (2, |_, index| address(index.get(..4))),
            (3, |_, index| port(index.get(4))),
            (4, |_, index| address(index.get(5..9))),
            (5, |_, index| port(index.get(9))),
        ],
    );
}

const LISTEN: i32 = 2;
const ESTABLISHED: i32 = 5;
const NOBODY: [u32; 5] = [0; 5];

pub(super) fn put_udp(shelf: &mut Shelf) {
    let group = mib_2(&[7]);
    put_scalars(
        shelf,
        &group,
        &[
            (1, |view| counted(view, |flow| flow.datagrams_in)),
            (2, |view| counted(view, Flow::strays)),
            (3, |_| counter(0)),
            (4, |view| counted(view, |flow| flow.datagrams_out)),
        ],
    );
    let rows = |view: &View<'_>| listeners(view, |transport| matches!(transport, Transport::Udp(_)), &[]);
    put_table(
        shelf,
        &group.join(&[5, 1]),
        rows,
        &[(1, |_, index| address(index.get(..4))), (2, |_, index| port(index.get(4)))],
    );
}

fn counted(view: &View<'_>, tell: fn(&Flow) -> u64) -> Value {
    counter(tell(&view.flow()))
}

/// Who may connect, and who has.
fn connections(view: &View<'_>) -> Vec<Index> {
    let mut rows = listeners(view, |transport| matches!(transport, Transport::Tcp(_) | Transport::Tls(_)), &NOBODY);
    rows.extend(view.connections().iter().map(|row| Index::from_slice(row)));
    rows.sort_unstable();
    rows
}

/// The ports that are open on all addresses, in order, each with `behind` behind it.
fn listeners(view: &View<'_>, of: fn(&Transport) -> bool, behind: &[u32]) -> Vec<Index> {
    let mut ports: Vec<u32> =
        view.device().traffic().ports().iter().filter(|transport| of(transport)).map(|at| at.port().into()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports.into_iter().map(|port| [0, 0, 0, 0, port].into_iter().chain(behind.iter().copied()).collect()).collect()
}

fn port(arc: Option<&u32>) -> Value {
    Value::Integer(arc.map_or(0, |arc| *arc as i32))
}
