//! User data: which function answers which, and how a long answer goes out in parts. Apart from jobs, because their
//! answers carry errors, lengths and sequence numbers of another kind.

use super::{
    blocks, clock,
    cpu::Cpu,
    cyclic, message,
    peer::{Parts, Peer},
    programmer, security, szl,
    wire::{self, Data, HEADER, Pdu, Rosctr, UserParameter, error, group, refused, returned, transport},
};
use honeyplant_core::{conversation::Context, event::Kind};

/// A request of the peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct UserData<'a> {
    pub(super) group: u8,
    pub(super) subfunction: u8,
    pub(super) data: &'a [u8],
}

impl UserData<'_> {
    /// Group and subfunction in one number, for the record.
    pub(super) const fn code(&self) -> u16 {
        (self.group as u16) << 8 | self.subfunction as u16
    }
}

/// What the CPU answers: all of it, however many parts it goes out in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The error code in the parameter.
    pub(super) error: u16,
    /// The return code of the data.
    pub(super) returned: u8,
    pub(super) transport: u8,
    pub(super) data: Vec<u8>,
}

impl Answer {
    /// Data, counted in octets.
    pub(super) const fn done(data: Vec<u8>) -> Self {
        Self { error: 0, returned: returned::DONE, transport: transport::OCTETS, data }
    }

    /// Nothing but that it was done.
    pub(super) const fn empty() -> Self {
        Self::refused(0)
    }

    /// A refusal.
    pub(super) const fn refused(error: u16) -> Self {
        Self { error, returned: returned::NO_OBJECT, transport: transport::NULL, data: Vec::new() }
    }
}

/// Does what a request asks for.
pub(super) fn answer(request: &UserData<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    match (request.group, request.subfunction) {
        (group::PROGRAMMER, _) => programmer::answer(request, peer, cpu, cx),
        (group::CYCLIC, _) => cyclic::answer(request, peer, cpu, cx),
        (group::BLOCK, 1) => blocks::list(request, peer, cpu, cx),
        (group::BLOCK, 2) => blocks::list_of_type(request, peer, cpu, cx),
        (group::BLOCK, 3) => blocks::info(request, peer, cpu, cx),
        (group::CPU, 1) => szl::read(request, peer, cpu, cx),
        (group::CPU, _) => message::answer(request, peer, cpu, cx),
        (group::SECURITY, _) => security::answer(request, peer, cpu, cx),
        (group::TIME, 1 | 3) => clock::read(request, peer, cpu, cx),
        (group::TIME, 2 | 4) => clock::set(request, peer, cpu, cx),
        _ => unavailable(request, cx),
    }
}

/// The refusal of a function that the CPU does not have.
pub(super) fn unavailable(request: &UserData<'_>, cx: &mut Context<'_>) -> Answer {
    let operation = wire::operation(name(request.group), request.code(), refused(error::NOT_AVAILABLE));
    cx.record(Kind::Unsupported(operation));
    Answer::refused(error::NOT_AVAILABLE)
}

/// The name of a group of functions.
pub(super) const fn name(group: u8) -> &'static str {
    match group {
        group::MODE => "mode transition",
        group::PROGRAMMER => "programmer command",
        group::CYCLIC => "cyclic data",
        group::BLOCK => "block function",
        group::CPU => "CPU function",
        group::SECURITY => "security function",
        group::BSEND => "PBC BSEND",
        group::TIME => "time function",
        _ => "unknown user data",
    }
}

/// Octets of the parameter of an answer, and of a data header.
const PARAMETER: usize = 12;
const DATA_HEADER: usize = 4;

/// Octets of the PDU of an answer besides its data.
pub(super) const AROUND: usize = HEADER + PARAMETER + DATA_HEADER;

/// Appends the PDU of an answer, or of its first part; what is left waits in `peer` to be asked for.
pub(super) fn put(out: &mut Vec<u8>, reference: u16, request: &UserData<'_>, answer: Answer, peer: &mut Peer) {
    let sequence = peer.next_sequence();
    let parts = Parts { group: request.group, subfunction: request.subfunction, sequence, unit: 0, answer };
    put_part(out, reference, parts, peer);
}

/// Appends the next part of the answer that waits. Whether there is one.
pub(super) fn put_next(out: &mut Vec<u8>, reference: u16, asked: &UserParameter, peer: &mut Peer) -> bool {
    let waits = |parts: &mut Parts| (parts.group, parts.sequence) == (asked.group, asked.sequence);
    match peer.parts.take_if(waits) {
        Some(parts) => {
            put_part(out, reference, parts, peer);
            true
        }
        None => false,
    }
}

fn put_part(out: &mut Vec<u8>, reference: u16, mut parts: Parts, peer: &mut Peer) {
    let room = peer.pdu.saturating_sub(AROUND);
    let length = match (parts.group, parts.subfunction) {
        _ if parts.answer.data.len() <= room => parts.answer.data.len(),
        // A list of blocks is cut between its entries of four octets, with one to spare: clients count on whole entries.
        (group::BLOCK, 2) => (room.saturating_sub(4) & !3).max(4),
        _ => room,
    };
    let rest = parts.answer.data.split_off(length.min(parts.answer.data.len()));
    let part = std::mem::replace(&mut parts.answer.data, rest);
    let more = !parts.answer.data.is_empty();
    if more {
        parts.unit = parts.sequence;
    }
    let Parts { group, subfunction, sequence, unit, answer: Answer { error, returned, transport, .. } } = parts;
    let parameter = UserParameter { method: 0x12, kind: 8, group, subfunction, sequence, unit, more, error };
    put_pdu(out, reference, parameter, Data { returned, transport, octets: &part });
    peer.parts = more.then_some(parts);
}

/// Appends what nobody asked for just now.
pub(super) fn put_push(out: &mut Vec<u8>, group: u8, subfunction: u8, sequence: u8, answer: &Answer) {
    let Answer { error, returned, transport, data } = answer;
    let parameter =
        UserParameter { method: 0x12, kind: 0, group, subfunction, sequence, unit: 0, more: false, error: *error };
    put_pdu(out, 0, parameter, Data { returned: *returned, transport: *transport, octets: data });
}

fn put_pdu(out: &mut Vec<u8>, reference: u16, parameter: UserParameter, data: Data<'_>) {
    let mut octets = Vec::with_capacity(DATA_HEADER + data.octets.len());
    data.put(&mut octets);
    Pdu { rosctr: Rosctr::UserData, reference, error: 0, parameter: &parameter.octets(), data: &octets }.put(out);
}
