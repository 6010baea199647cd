//! Jobs: which function answers which, and as what the answer goes out. Apart, because it is the list of what the CPU can
//! be asked to do.

use super::{
    blocks,
    cpu::Cpu,
    peer::Peer,
    pi, setup, variable,
    wire::{self, Pdu, Rosctr, error, function, refused},
};
use honeyplant_core::{conversation::Context, event::Kind};

/// A job of the peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    pub(super) function: u8,
    /// The parameter, beginning with the octet of the function.
    pub(super) parameter: &'a [u8],
    pub(super) data: &'a [u8],
}

/// What the CPU answers to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// An Ack-Data. The error is class and code, mostly 0.
    Data { error: u16, parameter: Vec<u8>, data: Vec<u8> },
    /// An Ack with nothing but the error.
    Refused(u16),
}

impl Answer {
    /// An Ack-Data without error.
    pub(super) const fn done(parameter: Vec<u8>, data: Vec<u8>) -> Self {
        Self::Data { error: 0, parameter, data }
    }
}

/// Does what a job asks for.
pub(super) fn answer(job: &Job<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    match job.function {
        function::SETUP => setup::answer(job, peer, cpu, cx),
        function::READ => variable::read(job, peer, cpu, cx),
        function::WRITE => variable::write(job, cpu, cx),
        function::REQUEST_DOWNLOAD => blocks::request_download(job, peer, cpu, cx),
        function::START_UPLOAD => blocks::start_upload(job, peer, cpu, cx),
        function::UPLOAD => blocks::upload(job, peer, cpu, cx),
        function::END_UPLOAD => blocks::end_upload(job, peer, cpu, cx),
        function::PI_SERVICE => pi::start(job, peer, cpu, cx),
        function::PLC_STOP => pi::stop(job, peer, cpu, cx),
        _ => unavailable(job, cx),
    }
}

/// The refusal of a function that the CPU does not have.
pub(super) fn unavailable(job: &Job<'_>, cx: &mut Context<'_>) -> Answer {
    let operation = wire::operation(name(job.function), job.function.into(), refused(error::NOT_AVAILABLE));
    cx.record(Kind::Unsupported(operation));
    Answer::Refused(error::NOT_AVAILABLE)
}

/// The name of a function.
pub(super) const fn name(function: u8) -> &'static str {
    match function {
        function::CPU_SERVICES => "CPU services",
        function::SETUP => "setup communication",
        function::READ => "read variable",
        function::WRITE => "write variable",
        function::REQUEST_DOWNLOAD => "request download",
        function::DOWNLOAD_BLOCK => "download block",
        function::DOWNLOAD_ENDED => "download ended",
        function::START_UPLOAD => "start upload",
        function::UPLOAD => "upload",
        function::END_UPLOAD => "end upload",
        function::PI_SERVICE => "PI service",
        function::PLC_STOP => "PLC stop",
        _ => "unknown function",
    }
}

/// Appends the PDU of an answer.
pub(super) fn put(out: &mut Vec<u8>, reference: u16, answer: &Answer) {
    match answer {
        Answer::Data { error, parameter, data } => {
            Pdu { rosctr: Rosctr::AckData, reference, error: *error, parameter, data }.put(out);
        }
        Answer::Refused(error) => {
            Pdu { rosctr: Rosctr::Ack, reference, error: *error, parameter: &[], data: &[] }.put(out);
        }
    }
}
