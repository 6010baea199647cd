//! Setup of the communication: sizes and numbers that both sides keep to. Apart, because it comes before all other jobs.

use super::{
    cpu::Cpu,
    job::{Answer, Job},
    peer::Peer,
    wire::{self, error, function, refused},
};
use honeyplant_core::{
    bytes::{Reader, Short},
    conversation::Context,
    event::{Kind, Verdict},
};

/// No PDU is shorter than this, whatever the peer asks for.
const SHORTEST: u16 = 112;

/// Agrees on the smaller of what the peer asks for and the CPU has.
pub(super) fn answer(job: &Job<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let asked = asked(job.parameter);
    let verdict = if asked.is_ok() { Verdict::Done } else { refused(error::PDU_SIZE) };
    cx.record(Kind::Diagnose(wire::operation("setup communication", job.function.into(), verdict)));
    let Ok([calling, called, pdu]) = asked else { return Answer::Refused(error::PDU_SIZE) };
    let (calling, called) = (calling.clamp(1, cpu.jobs.calling), called.clamp(1, cpu.jobs.called));
    let pdu = pdu.max(SHORTEST).min(cpu.pdu);
    peer.pdu = pdu.into();
    let mut parameter = vec![function::SETUP, 0];
    for number in [calling, called, pdu] {
        parameter.extend_from_slice(&number.to_be_bytes());
    }
    Answer::done(parameter, Vec::new())
}

/// The most jobs of the peer and of the CPU, and the length of a PDU.
fn asked(parameter: &[u8]) -> Result<[u16; 3], Short> {
    let mut r = Reader::new(parameter);
    let _function = r.be16()?;
    Ok([r.be16()?, r.be16()?, r.be16()?])
}
