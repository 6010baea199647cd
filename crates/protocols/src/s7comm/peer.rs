//! What one conversation knows of its peer. Apart from the CPU, which all of them share.

use super::{blocks, cyclic, message, security, userdata};
use std::{collections::VecDeque, time::Instant};

/// One peer that has a connection to the CPU.
#[derive(Debug)]
pub(super) struct Peer {
    /// The longest PDU that was agreed on.
    pub(super) pdu: usize,
    /// The number of the user-data answer sent last.
    sequence: u8,
    /// The reference of the job sent last.
    reference: u16,
    /// What is left of a user-data answer.
    pub(super) parts: Option<Parts>,
    /// What the CPU is to send by itself.
    pushes: VecDeque<Push>,
    pub(super) rights: security::Rights,
    pub(super) transfers: blocks::Transfers,
    pub(super) subscriptions: cyclic::Subscriptions,
    pub(super) messages: message::Subscription,
}

/// A user-data answer of which not all is sent.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) group: u8,
    pub(super) subfunction: u8,
    pub(super) sequence: u8,
    pub(super) unit: u8,
    pub(super) answer: userdata::Answer,
}

/// What the CPU sends without being asked just now.
#[derive(Debug)]
pub(super) enum Push {
    /// User data, such as values that are told cyclically.
    UserData { group: u8, subfunction: u8, sequence: u8, answer: userdata::Answer },
    /// A job of the CPU, such as to be given the next part of a block. The peer answers to its reference.
    Job { reference: u16, parameter: Vec<u8>, data: Vec<u8> },
}

impl Peer {
    /// A peer that is connected, with the PDU that every side takes before another is agreed on.
    pub(super) fn new(pdu: usize) -> Self {
        Self {
            pdu,
            sequence: 0,
            reference: 0,
            parts: None,
            pushes: VecDeque::new(),
            rights: security::Rights::default(),
            transfers: blocks::Transfers::default(),
            subscriptions: cyclic::Subscriptions::default(),
            messages: message::Subscription::default(),
        }
    }

    /// The number of the next user-data answer: 1 to 255, and 1 again.
    pub(super) fn next_sequence(&mut self) -> u8 {
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        self.sequence
    }

    /// The number of the answer to the request that is dealt with.
    pub(super) const fn coming_sequence(&self) -> u8 {
        if self.sequence == u8::MAX { 1 } else { self.sequence + 1 }
    }

    /// Whether this data of user data goes into one PDU.
    pub(super) const fn holds(&self, data: &[u8]) -> bool {
        userdata::AROUND + data.len() <= self.pdu
    }

    /// Sends user data that nobody asked for just now.
    pub(super) fn push(&mut self, group: u8, subfunction: u8, sequence: u8, answer: userdata::Answer) {
        self.pushes.push_back(Push::UserData { group, subfunction, sequence, answer });
    }

    /// Sends a job to the peer, and says by which reference it will be answered in [`blocks::answered`].
    pub(super) fn call(&mut self, parameter: Vec<u8>, data: Vec<u8>) -> u16 {
        self.reference = self.reference.wrapping_add(1);
        self.pushes.push_back(Push::Job { reference: self.reference, parameter, data });
        self.reference
    }

    /// What the CPU is to send next by itself.
    pub(super) fn next_push(&mut self) -> Option<Push> {
        self.pushes.pop_front()
    }

    /// When something is due that the peer does not ask for.
    pub(super) fn due(&self) -> Option<Instant> {
        [self.subscriptions.due(), self.messages.due(), self.transfers.due()].into_iter().flatten().min()
    }
}
