//! Blocks that a peer brings: it announces one, and then the CPU asks for part after part by jobs of its own. Apart from
//! uploads, because here the CPU is who asks, and decides what becomes of it.

use super::{
    access, error,
    header::{Block, HEADER},
    name::{File, Files, Name, Type},
    refused, told,
    transfer::{self, Ask},
    verdict,
};
use crate::s7comm::{
    cpu::Cpu,
    job::{Answer, Job},
    peer::Peer,
    security::{self, Right},
    wire::{Pdu, function},
};
use honeyplant_core::{
    conversation::Context,
    event::{BlockAccess, BlockAct, Kind, Verdict},
};
use std::time::{Duration, Instant};

/// After which silence of the peer a download is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// No block of an S7-300 is longer: 64 KiB of code or data, and what stands around them.
const LONGEST: usize = 0x1_8000;

/// A block on its way to the CPU.
#[derive(Debug)]
pub(in crate::s7comm) struct Download {
    file: File,
    /// How long the peer said that it is.
    announced: usize,
    octets: Vec<u8>,
    /// The reference of the job that the peer is to answer.
    reference: u16,
    stage: Stage,
    /// When it is given up.
    pub(super) until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A part was asked for.
    Part,
    /// The peer was told that it is over.
    Over,
}

/// Takes the announcement of a block, and asks for its first part.
pub(in crate::s7comm) fn request_download(job: &Job<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let ask = Ask::parse(job.parameter).ok();
    let file = ask.and_then(|ask| File::parse_file_name(ask.name));
    let announced = ask.and_then(|ask| announced(ask.rest));
    match begin(file, announced, peer, cpu, cx) {
        Ok((file, announced)) => {
            let reference = peer.call(transfer::calling(function::DOWNLOAD_BLOCK, 0, file), Vec::new());
            let until = cx.now + PATIENCE;
            let octets = Vec::new();
            peer.transfers.download = Some(Download { file, announced, octets, reference, stage: Stage::Part, until });
            Answer::done(vec![function::REQUEST_DOWNLOAD], Vec::new())
        }
        Err(code) => {
            let access = access(BlockAct::Download, file.map(|file| file.name), None);
            let access = BlockAccess { size: announced.map(|length| length as u64), ..access };
            cx.record(told("request download", job.function.into(), refused(code), access));
            Answer::Refused(code)
        }
    }
}

/// How long a block is said to be: `1`, six digits for all of it, six for its body.
fn announced(rest: &[u8]) -> Option<usize> {
    let (_length, text) = rest.split_first()?;
    let digits = std::str::from_utf8(text.get(1..7)?).ok()?;
    digits.parse().ok()
}

fn begin(
    file: Option<File>,
    announced: Option<usize>,
    peer: &Peer,
    cpu: &Cpu,
    cx: &Context<'_>,
) -> Result<(File, usize), u16> {
    let file = file.ok_or(error::NAME)?;
    let announced = announced.ok_or(error::PARAMETERS)?;
    if !security::allows(Right::Write, peer, cpu) {
        return Err(error::PROTECTED);
    }
    if peer.transfers.download.as_ref().is_some_and(|download| download.stage == Stage::Part) {
        return Err(error::SEQUENCE);
    }
    if file.files != Files::Passive {
        return Err(error::ATTRIBUTE);
    }
    may_be(file.name)?;
    if announced > LONGEST {
        return Err(error::TOO_LONG);
    }
    if announced < HEADER {
        return Err(error::LENGTHS);
    }
    if cpu.blocks.usage(cx.device(), cx.now).load + announced as u64 > cpu.blocks.load {
        return Err(error::NO_MEMORY);
    }
    Ok((file, announced))
}

/// Whether an S7-300 can have a block of this name (Automation System S7-300, CPU 31xC and CPU 31x: Technical Data).
pub(super) fn may_be(name: Name) -> Result<(), u16> {
    const PRIORITY_CLASSES: [u16; 22] =
        [1, 10, 20, 21, 32, 33, 34, 35, 40, 55, 56, 57, 61, 80, 82, 83, 85, 86, 87, 100, 121, 122];
    match (name.ty, name.number) {
        (Type::Ob, number) if !PRIORITY_CLASSES.contains(&number) => Err(error::NO_PRIORITY_CLASS),
        (Type::Db, 1..=16_000) | (Type::Fb | Type::Fc, 0..=7999) | (Type::Ob | Type::Sdb, _) => Ok(()),
        _ => Err(error::NUMBER),
    }
}

/// The peer answered the job `reference` of the CPU; `answer` is its Ack or Ack-Data.
pub(in crate::s7comm) fn answered(answer: &Pdu<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) {
    let Some(mut download) = peer.transfers.download.take_if(|download| download.reference == answer.reference) else {
        return cx.record(Kind::Malformed { why: "an answer to a job that the CPU did not give" });
    };
    if download.stage == Stage::Over {
        return;
    }
    let status = answer.parameter.get(1).copied().unwrap_or_default();
    // Bit 1 of the status says that there was an error (Wireshark: function status).
    if answer.error != 0 || status & 2 != 0 {
        return download.record(refused(error::CANCELLED), cx);
    }
    let more = status & 1 != 0;
    let result = match transfer::part(answer.data) {
        Ok(part) if !more || !part.is_empty() => {
            download.octets.extend_from_slice(part);
            if download.octets.len() > download.announced { Err(error::LENGTHS) } else { Ok(more) }
        }
        _ => Err(error::LENGTHS),
    };
    if result == Ok(true) {
        download.reference = peer.call(transfer::calling(function::DOWNLOAD_BLOCK, 0, download.file), Vec::new());
    } else {
        let result = result.and_then(|_| download.keep(cpu, cx));
        download.record(verdict(&result), cx);
        let code = result.err().unwrap_or_default();
        download.reference = peer.call(transfer::calling(function::DOWNLOAD_ENDED, code, download.file), Vec::new());
        download.stage = Stage::Over;
    }
    download.until = cx.now + PATIENCE;
    peer.transfers.download = Some(download);
}

/// Gives up what the peer does not go on with.
pub(in crate::s7comm) fn wake(peer: &mut Peer, cx: &mut Context<'_>) {
    if let Some(download) = peer.transfers.download.take_if(|download| download.until <= cx.now) {
        download.give_up(cx);
    }
}

/// The peer is gone, with what was under way.
pub(in crate::s7comm) fn end(peer: &mut Peer, cx: &mut Context<'_>) {
    for upload in peer.transfers.uploads.drain(..) {
        upload.record(cx);
    }
    if let Some(download) = peer.transfers.download.take() {
        download.give_up(cx);
    }
}

impl Download {
    /// Looks at a block that is complete, and loads it as a passive one.
    fn keep(&self, cpu: &Cpu, cx: &Context<'_>) -> Result<(), u16> {
        if self.octets.len() != self.announced {
            return Err(error::LENGTHS);
        }
        let block = Block::parse(&self.octets).map_err(|_| error::STRUCTURE)?;
        if block.header.name() != Some(self.file.name) {
            return Err(error::NUMBER);
        }
        if cpu.blocks.usage(cx.device(), cx.now).load + self.octets.len() as u64 > cpu.blocks.load {
            return Err(error::NO_MEMORY);
        }
        let kept = cx.device().load_memory().load(&self.file.to_string(), self.octets.clone());
        if kept { Ok(()) } else { Err(error::NO_MEMORY) }
    }

    fn give_up(self, cx: &mut Context<'_>) {
        if self.stage == Stage::Part {
            self.record(refused(error::CANCELLED), cx);
        }
    }

    /// Records what was brought, all of it or less, and keeps the bytes as an artefact.
    fn record(&self, verdict: Verdict, cx: &mut Context<'_>) {
        let digest = (!self.octets.is_empty()).then(|| cx.keep(self.octets.clone()));
        let access = access(BlockAct::Download, Some(self.file.name), Some(&self.octets));
        let access = BlockAccess { size: Some(self.octets.len() as u64), digest, ..access };
        cx.record(told("download block", function::DOWNLOAD_BLOCK.into(), verdict, access));
    }
}
