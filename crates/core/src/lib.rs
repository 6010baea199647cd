//! The vocabulary of honeyplant: what a device is, what a conversation may do, what is recorded.
//!
//! Nothing here performs IO, starts a thread or asks what time it is; `clippy.toml` beside `Cargo.toml` checks that.

pub mod accounts;
pub mod artefact;
pub mod bytes;
pub mod calendar;
pub mod certificate;
pub mod conversation;
pub mod cpu;
pub mod device;
pub mod event;
pub mod files;
pub mod identity;
pub mod load_memory;
pub mod pages;
pub mod plant;
pub mod profile;
pub mod random;
pub mod settings;
pub mod tls;
pub mod traffic;
pub mod works;
