//! What all conversations of a device share: how its CPU is set up, and what services keep in it. Apart from `build.rs`,
//! because this is what runs.

use crate::shared::tpkt;

use super::{blocks, clock, cyclic, message, plus, security, szl, variable};

/// The CPU of one device, as S7comm shows it.
#[derive(Debug)]
pub(super) struct Cpu {
    pub(super) place: Place,
    /// The TPDU size that it offers, as the exponent of 2.
    pub(super) tpdu_size: u8,
    /// The longest PDU that it takes.
    pub(super) pdu: u16,
    /// The jobs that may be under way: of the peer, and of the CPU.
    pub(super) jobs: Jobs,
    pub(super) plus: plus::Plus,
    pub(super) variable: variable::Variables,
    pub(super) szl: szl::Directory,
    pub(super) clock: clock::Clock,
    pub(super) cyclic: cyclic::Cyclic,
    pub(super) message: message::Messages,
    pub(super) security: security::Protection,
    pub(super) blocks: blocks::Memory,
}

impl Cpu {
    /// The length of the longest TPKT that it waits for the end of.
    pub(super) const fn longest_packet(&self) -> usize {
        tpkt::HEADER + (1 << self.tpdu_size)
    }
}

/// Where in the rack the CPU is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) rack: u8,
    pub(super) slot: u8,
    /// What becomes of a connection to another place.
    pub(super) elsewhere: super::settings::Elsewhere,
}

/// The most jobs at once that are agreed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jobs {
    pub(super) calling: u16,
    pub(super) called: u16,
}
