//! Every protocol that honeyplant speaks: bytes and behaviour, no sockets.
//!
//! A protocol is a folder with `mod.rs` (what it does), `wire.rs` (its bytes, after its standard), more files for more
//! nouns, and `dialogues/`: texts that are golden vectors, fuzz seeds and documentation in one.

mod ftp;
mod http;
mod iec104;
#[cfg(test)]
mod mistakes;
mod modbus;
mod s7comm;
mod shared;
mod snmp;

use honeyplant_core::conversation::Protocol;

/// All protocols. A new one is a `mod` and an entry here.
pub static PROTOCOLS: &[&dyn Protocol] =
    &[&ftp::Ftp, &http::Http, &iec104::Iec104, &modbus::Modbus, &s7comm::S7comm, &snmp::Snmp];
