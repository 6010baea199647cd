//! S7comm with one peer, whatever carries it: PDUs come in, and PDUs go out. Apart from `connection.rs`, because here is what
//! comes before and after the functions: sizes, order, and what is no PDU.

use super::{
    blocks,
    cpu::Cpu,
    cyclic,
    job::{self, Job},
    message,
    peer::{Peer, Push},
    plus,
    userdata::{self, UserData},
    wire::{self, Data, Pdu, Rosctr, UserParameter, error, function, refused},
};
use honeyplant_core::{
    conversation::Context,
    event::{Kind, Operation, Verdict},
};
use std::time::Instant;

/// What a peer and the CPU have agreed on, and what goes on between them.
pub(super) struct Association {
    /// Whether sizes were agreed on.
    set_up: bool,
    /// Whether the connection is to be closed.
    over: bool,
    peer: Peer,
}

impl Association {
    pub(super) fn new(cpu: &Cpu) -> Self {
        Self { set_up: false, over: false, peer: Peer::new(cpu.pdu.into()) }
    }

    /// How much of a PDU need be kept: one octet more than it may have.
    pub(super) const fn longest(&self) -> usize {
        self.peer.pdu + 1
    }

    /// Deals with a PDU, or with the beginning of one that is too long; what is answered, if anything.
    pub(super) fn take(&mut self, octets: &[u8], cpu: &Cpu, cx: &mut Context<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        match octets.first() {
            Some(&wire::S7COMM) if octets.len() > self.peer.pdu => self.refuse_long(octets, &mut out, cx),
            Some(&wire::S7COMM) => match Pdu::parse(octets) {
                Ok(pdu) => self.answer(&pdu, &mut out, cpu, cx),
                Err(why) => cx.record(Kind::Malformed { why }),
            },
            Some(&wire::S7COMM_PLUS) => self.over = plus::take(octets, cpu.plus, cx),
            _ => cx.record(Kind::Malformed { why: "this is no S7comm: the protocol identifier is not 0x32" }),
        }
        out
    }

    /// Does what is due.
    pub(super) fn wake(&mut self, cpu: &Cpu, cx: &mut Context<'_>) {
        cyclic::wake(&mut self.peer, cpu, cx);
        message::wake(&mut self.peer, cpu, cx);
        blocks::wake(&mut self.peer, cx);
    }

    /// The peer is gone.
    pub(super) fn end(&mut self, cx: &mut Context<'_>) {
        blocks::end(&mut self.peer, cx);
    }

    /// When something is due that the peer does not ask for.
    pub(super) fn due(&self) -> Option<Instant> {
        self.peer.due()
    }

    /// Whether the connection is to be closed.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// The next PDU that the CPU sends by itself.
    pub(super) fn next_push(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match self.peer.next_push()? {
            Push::UserData { group, subfunction, sequence, answer } => {
                userdata::put_push(&mut out, group, subfunction, sequence, &answer);
            }
            Push::Job { reference, parameter, data } => {
                Pdu { rosctr: Rosctr::Job, reference, error: 0, parameter: &parameter, data: &data }.put(&mut out);
            }
        }
        Some(out)
    }

    fn answer(&mut self, pdu: &Pdu<'_>, out: &mut Vec<u8>, cpu: &Cpu, cx: &mut Context<'_>) {
        let function = pdu.parameter.first().copied().unwrap_or_default();
        if !self.set_up && (pdu.rosctr, function) != (Rosctr::Job, function::SETUP) {
            // What a real CPU says to this could not be found out.
            let verdict = Verdict::Silent { reason: "the communication is not set up" };
            return cx.record(Kind::Unsupported(operation(pdu, verdict)));
        }
        match pdu.rosctr {
            Rosctr::Job => {
                let job = Job { function, parameter: pdu.parameter, data: pdu.data };
                let answer = job::answer(&job, &mut self.peer, cpu, cx);
                self.set_up |= matches!(answer, job::Answer::Data { .. });
                job::put(out, pdu.reference, &answer);
            }
            Rosctr::UserData => self.answer_user_data(pdu, out, cpu, cx),
            Rosctr::Ack | Rosctr::AckData => blocks::answered(pdu, &mut self.peer, cpu, cx),
        }
    }

    fn answer_user_data(&mut self, pdu: &Pdu<'_>, out: &mut Vec<u8>, cpu: &Cpu, cx: &mut Context<'_>) {
        let (Ok(asked), Ok(data)) = (UserParameter::parse(pdu.parameter), Data::parse(pdu.data)) else {
            return cx.record(Kind::Malformed { why: "user data ends before its header does" });
        };
        if asked.method == 0x12 && userdata::put_next(out, pdu.reference, &asked, &mut self.peer) {
            return;
        }
        let request = UserData { group: asked.group, subfunction: asked.subfunction, data: data.octets };
        let answer = userdata::answer(&request, &mut self.peer, cpu, cx);
        userdata::put(out, pdu.reference, &request, answer, &mut self.peer);
    }

    /// Refuses a PDU that is longer than was agreed on, of which there is only the beginning.
    fn refuse_long(&self, octets: &[u8], out: &mut Vec<u8>, cx: &mut Context<'_>) {
        let Some([_, rosctr, _, _, high, low, _, _, _, _, function]) = octets.first_chunk() else { return };
        let name = if *rosctr == 1 { job::name(*function) } else { "user data" };
        cx.record(Kind::Unsupported(wire::operation(name, (*function).into(), refused(error::PDU_SIZE))));
        job::put(out, u16::from_be_bytes([*high, *low]), &job::Answer::Refused(error::PDU_SIZE));
    }
}

/// What a PDU asks for, for the record.
fn operation(pdu: &Pdu<'_>, verdict: Verdict) -> Operation {
    let function = pdu.parameter.first().copied().unwrap_or_default();
    match (pdu.rosctr, UserParameter::parse(pdu.parameter)) {
        (Rosctr::UserData, Ok(asked)) => {
            let code = u16::from(asked.group) << 8 | u16::from(asked.subfunction);
            wire::operation(userdata::name(asked.group), code, verdict)
        }
        _ => wire::operation(job::name(function), function.into(), verdict),
    }
}
