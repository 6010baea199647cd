//! Blocks that a peer takes: asked for by name, then part by part. Apart from downloads, because here the peer is who asks.

use super::{
    access, error,
    name::{File, Name},
    refused, told,
    transfer::{self, Ask},
};
use crate::s7comm::{
    cpu::Cpu,
    job::{Answer, Job},
    peer::Peer,
    security::{self, Right},
    wire::function,
};
use honeyplant_core::{
    conversation::Context,
    event::{BlockAccess, BlockAct, Verdict},
};

/// How many uploads of one peer are under way at most.
const MOST: usize = 4;
/// The first number that a CPU gives to an upload, as captured from S7-300 CPUs.
const FIRST: u32 = 7;

/// A block on its way to the peer.
#[derive(Debug)]
pub(super) struct Upload {
    id: u32,
    name: Name,
    block: Vec<u8>,
    sent: usize,
}

/// Begins an upload.
pub(in crate::s7comm) fn start_upload(job: &Job<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let file = Ask::parse(job.parameter).ok().and_then(|ask| File::parse_file_name(ask.name));
    match begin(file, peer, cpu, cx) {
        Ok(upload) => {
            let mut parameter = vec![function::START_UPLOAD, 0, 1, 0];
            parameter.extend_from_slice(&upload.id.to_be_bytes());
            let length = format!("{:07}", upload.block.len());
            parameter.push(length.len() as u8);
            parameter.extend_from_slice(length.as_bytes());
            peer.transfers.uploads.push(upload);
            Answer::done(parameter, Vec::new())
        }
        Err(code) => {
            let access = access(BlockAct::Upload, file.map(|file| file.name), None);
            cx.record(told("start upload", job.function.into(), refused(code), access));
            Answer::Refused(code)
        }
    }
}

fn begin(file: Option<File>, peer: &Peer, cpu: &Cpu, cx: &Context<'_>) -> Result<Upload, u16> {
    let file = file.ok_or(error::NAME)?;
    if !security::allows(Right::Read, peer, cpu) {
        return Err(error::PROTECTED);
    }
    if file.name.ty.is_built_in() {
        // Which error a CPU gives for blocks that it has no code of could not be found out.
        return Err(error::IMPOSSIBLE);
    }
    let uploads = &peer.transfers.uploads;
    let block =
        cpu.blocks.find(file, cx.device(), cx.now).ok_or_else(|| super::missing(file.name, error::NOT_FOUND))?;
    if uploads.len() >= MOST {
        return Err(error::NO_RESOURCE);
    }
    let id = (FIRST..).find(|id| uploads.iter().all(|upload| upload.id != *id)).unwrap_or(FIRST);
    Ok(Upload { id, name: file.name, block, sent: 0 })
}

/// Sends the next part.
pub(in crate::s7comm) fn upload(job: &Job<'_>, peer: &mut Peer, _cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let room = transfer::room(peer.pdu);
    let id = Ask::id(job.parameter).ok();
    let upload = peer.transfers.uploads.iter_mut().find(|upload| Some(upload.id) == id);
    let Some(upload) = upload.filter(|upload| upload.sent < upload.block.len()) else {
        return out_of_sequence("upload", job, cx);
    };
    let rest = upload.block.get(upload.sent..).unwrap_or_default();
    let part = rest.get(..room).unwrap_or(rest);
    upload.sent += part.len();
    let more = u8::from(upload.sent < upload.block.len());
    Answer::done(vec![function::UPLOAD, more], transfer::put_part(part))
}

/// Ends an upload.
pub(in crate::s7comm) fn end_upload(job: &Job<'_>, peer: &mut Peer, _cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let id = Ask::id(job.parameter).ok();
    let uploads = &mut peer.transfers.uploads;
    let Some(index) = uploads.iter().position(|upload| Some(upload.id) == id) else {
        return out_of_sequence("end upload", job, cx);
    };
    uploads.remove(index).record(cx);
    Answer::done(vec![function::END_UPLOAD], Vec::new())
}

fn out_of_sequence(name: &'static str, job: &Job<'_>, cx: &mut Context<'_>) -> Answer {
    let access = access(BlockAct::Upload, None, None);
    cx.record(told(name, job.function.into(), refused(error::SEQUENCE), access));
    Answer::Refused(error::SEQUENCE)
}

impl Upload {
    /// Records what was taken, all of it or less.
    pub(super) fn record(&self, cx: &mut Context<'_>) {
        let whole = self.sent == self.block.len();
        let verdict = if whole { Verdict::Done } else { refused(error::CANCELLED) };
        let access = access(BlockAct::Upload, Some(self.name), Some(&self.block));
        let access = BlockAccess { size: Some(self.sent as u64), ..access };
        cx.record(told("upload", function::UPLOAD.into(), verdict, access));
    }
}
