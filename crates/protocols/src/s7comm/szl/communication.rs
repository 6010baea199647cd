//! How the CPU communicates: what it can do over its connections, how they stand, its protection and its Ethernet interface.
//! Apart, because these are the records that engineering tools read first.

use super::{List, View, filled, words};
use std::net::{IpAddr, Ipv4Addr};

/// What does not change of it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) connections: u16,
    pub(super) reserved: [u16; 2],
    pub(super) mpi: u32,
    pub(super) bus: u32,
    pub(super) load: u16,
    /// Checksums of the hardware configuration and of the program, if they are known.
    pub(super) sums: Option<[u32; 2]>,
    pub(super) mac: [u8; 6],
    pub(super) mask: Ipv4Addr,
    pub(super) ports: Vec<bool>,
}

/// The octets of every record.
const LENGTH: usize = 40;

/// W#16#0131, whose records the manual does not have: as Wireshark names their fields. Each bit of a function stands for
/// something that is answered here.
pub(super) fn abilities(view: View<'_>) -> List {
    let facts = &view.directory().communication;
    let mut general = words(&[1, view.cpu.pdu, facts.connections]);
    general.extend_from_slice(&facts.mpi.to_be_bytes());
    general.extend_from_slice(&facts.bus.to_be_bytes());
    let octets = |index: u16, octets: &[u8]| {
        let mut record = words(&[index]);
        record.extend_from_slice(octets);
        record
    };
    let [most_jobs, longest] = [view.cpu.cyclic.most(), 9990];
    let records = vec![
        general,
        // Test functions: the status of variables; triggered at once.
        octets(2, &[0b0000_0100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0b0000_0001]),
        // Values: read and written once or cyclically; inputs, outputs, bit memory, peripherals, data blocks, counters, timers.
        octets(
            3,
            &[
                &[0b0010_1111, 0b1111_0000, 0b1000_0001, 0b0000_0001][..],
                &words(&[view.cpu.pdu.saturating_sub(18), most_jobs, 1, longest]),
            ]
            .concat(),
        ),
        // Blocks: listed, linked, deleted, uploaded, loaded and saved; compressed, configured while the CPU starts.
        octets(4, &[0b1010_1110, 0b0000_0011, 0b0111_0101, 0b1100_0000, 0b0000_0011, 0, 0, 0, 0, 0, 1, 1, 0]),
        // Diagnostics: the buffer, and messages of it and of the mode; to 12 listeners.
        octets(5, &[&[0b0001_0110, 0, 0, 0, 0, 0, 0, 0][..], &words(&[12, 500, 0])].concat()),
        // Function blocks for communication over configured connections: PUT and GET answered.
        octets(6, &[0; 2]),
        // Global data circles: 8, of 22 octets.
        octets(7, &[1, 0, 0b0011_1111, 0, 22, 1, 1, 0, 0, 0, 1, 8, 1, 8, 1, 8, 22, 4, 2]),
        // What test functions cost was not found out.
        octets(8, &[]),
        // The clock: master or slave over MPI; 5000 ms a day of deviation, eight run-time meters.
        octets(9, &[0, 0b0000_0110, 0b0000_0100, 0, 0x13, 0x88, 0x13, 0x88, 0, 8]),
        octets(10, &[]),
    ];
    List::new(records.into_iter().map(|record| filled(record, LENGTH)).collect())
}

/// W#16#0132 and W#16#0232 (§33.14 to §33.19).
pub(super) fn states(view: View<'_>) -> List {
    let facts = &view.directory().communication;
    let local = view.session.local;
    let connections = view.device.traffic().connections();
    let used = connections.iter().filter(|(here, _)| *here == local).count().max(1);
    let used = u16::try_from(used).unwrap_or(u16::MAX).min(facts.connections);
    let [programmers, panels] = facts.reserved;
    let free = facts.connections.saturating_sub(programmers).saturating_sub(panels);
    let general = words(&[
        1,
        programmers,
        panels,
        used.min(programmers),
        0,
        0,
        0,
        free,
        used.saturating_sub(programmers),
        facts.load,
    ]);
    let time = view.cpu.clock.shown(view.device.clock(view.now)).octets();
    let clock = [&words(&[8, 0, 0])[..], &[0; 16], &time].concat();
    let records = vec![
        general,
        words(&[2, 0]),
        protection(view),
        // Diagnostics: extended functions and sending by itself; there are messages of the user program.
        words(&[5, 0, 1, 1]),
        words(&[6]),
        clock,
        words(&[11]),
        words(&[12]),
    ];
    List::new(records.into_iter().map(|record| filled(record, LENGTH)).collect())
}

/// The level of protection, the switch, and checksums (§33.19).
fn protection(view: View<'_>) -> Vec<u8> {
    const RUN: u16 = 1;
    let facts = &view.directory().communication;
    let valid = u16::from(view.cpu.security.level);
    // Without a password no level was configured.
    let configured = if view.cpu.security.has_password() { valid } else { 0 };
    // The switch stands on RUN, and nobody moves it: a CPU that was stopped over a connection is started over one.
    let mut record = words(&[4, 1, configured, valid, RUN, 0, 0, facts.sums.is_some().into()]);
    for sum in facts.sums.unwrap_or_default() {
        // In Intel's order of octets.
        record.extend_from_slice(&sum.to_le_bytes());
    }
    record
}

/// W#16#xy37: the PROFINET interface (§33.20).
pub(super) fn interfaces(view: View<'_>) -> List {
    /// Where the interface X2 has its diagnostic address.
    const ADDRESS: u16 = 2046;
    /// It was configured in STEP 7.
    const CONFIGURED: u8 = 1;
    /// A port that is there; with a link, by itself, at 100 Mbit/s and full duplex.
    const THERE: u8 = 0b1000_1000;
    const LINKED: u8 = 0b1000_1111;
    let facts = &view.directory().communication;
    let address = match view.session.local.ip() {
        IpAddr::V4(address) => address,
        IpAddr::V6(address) => address.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED),
    };
    let mut record = words(&[ADDRESS]);
    // Without a router the address itself stands in its place.
    for address in [address, facts.mask, address] {
        record.extend_from_slice(&address.octets());
    }
    record.extend_from_slice(&facts.mac);
    record.extend_from_slice(&[CONFIGURED, 0]);
    record.extend_from_slice(&[0; 8]);
    record.extend(facts.ports.iter().map(|linked| if *linked { LINKED } else { THERE }));
    List::one(filled(record, 48))
}
