//! The system status lists (SSL, in German SZL). Apart, because they are what the CPU tells of itself, and nothing else does.
//!
//! "System Software for S7-300/400, System and Standard Functions", reference manual, edition 03/2006 (A5E00739858-01),
//! chapter 33, is cited as §; where it has no record, Wireshark's names of its fields are followed.

mod build;
mod capability;
mod communication;
pub(super) mod diagnostics;
mod identification;
mod module;
mod settings;
mod status;

use super::{
    cpu::Cpu,
    peer::Peer,
    userdata::{Answer, UserData},
    wire::{self, refused},
};
use honeyplant_core::{
    conversation::Context,
    device::Device,
    event::{Kind, Session, Verdict},
};
use std::time::Instant;

pub(super) use settings::Settings;

/// What the CPU has in its lists, as far as it does not change.
#[derive(Debug)]
pub(super) struct Directory {
    /// The lists that it names.
    lists: Vec<u16>,
    parts: [identification::Part; 4],
    components: identification::Components,
    capability: capability::Capability,
    leds: Vec<u16>,
    obs: Vec<u8>,
    communication: communication::Facts,
    entries_in_run: usize,
    modules: Vec<module::Module>,
}

/// What is at hand while a list is made.
#[derive(Clone, Copy)]
struct View<'a> {
    cpu: &'a Cpu,
    session: &'a Session,
    device: &'a Device,
    now: Instant,
}

impl View<'_> {
    const fn directory(&self) -> &Directory {
        &self.cpu.szl
    }
}

/// A list, or an extract of one: records of one length.
#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    /// LENTHDR.
    length: u16,
    records: Vec<Vec<u8>>,
    /// N_DR, of an extract that has only the header.
    count: Option<usize>,
}

impl List {
    fn new(records: Vec<Vec<u8>>) -> Self {
        let length = records.first().map_or(0, |record| record.len() as u16);
        Self { length, records, count: None }
    }

    fn one(record: Vec<u8>) -> Self {
        Self::new(vec![record])
    }

    /// Nothing but the header of it, for the extracts W#16#0Fxx.
    fn header(self) -> Self {
        Self { count: Some(self.records.len()), records: Vec::new(), ..self }
    }

    /// The record that begins with `index`, for the extracts W#16#01xx.
    fn only(self, index: u16) -> Result<Self, Refusal> {
        let found = self.records.into_iter().find(|record| record.starts_with(&index.to_be_bytes()));
        found.map(Self::one).ok_or(Refusal::NoIndex)
    }

    fn octets(&self, id: u16, index: u16) -> Vec<u8> {
        let count = self.count.unwrap_or(self.records.len()) as u16;
        let mut octets = words(&[id, index, self.length, count]);
        self.records.iter().for_each(|record| octets.extend_from_slice(record));
        octets
    }
}

/// Why there is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// There is no such list.
    NoList,
    /// There is no such index of the list.
    NoIndex,
    /// What asks for it is no request.
    Syntax,
}

impl Refusal {
    const fn code(self) -> u16 {
        match self {
            Self::NoList => wire::error::NO_INFORMATION,
            Self::NoIndex => wire::error::NO_INDEX,
            Self::Syntax => wire::error::SYNTAX,
        }
    }
}

/// The lists that are known.
const KNOWN: &[u16] = &[
    0x0000, 0x0F00, 0x0011, 0x0111, 0x0F11, 0x0012, 0x0112, 0x0F12, 0x0013, 0x0113, 0x0F13, 0x0014, 0x0F14, 0x0015,
    0x0115, 0x0F15, 0x0019, 0x0119, 0x0F19, 0x001C, 0x011C, 0x0F1C, 0x0222, 0x0424, 0x0025, 0x0125, 0x0225, 0x0F25,
    0x0131, 0x0F31, 0x0132, 0x0232, 0x0F32, 0x0037, 0x0137, 0x0F37, 0x0074, 0x0174, 0x0F74, 0x0591, 0x0A91, 0x0C91,
    0x0D91, 0x0F91, 0x0092, 0x0292, 0x0692, 0x0F92, 0x0094, 0x0294, 0x0694, 0x0794, 0x0F94, 0x0195, 0x0F95, 0x0696,
    0x0C96, 0x00A0, 0x01A0, 0x0FA0, 0x00B1, 0x00B2, 0x00B3, 0x00B4,
];

/// The list `id` with this index.
fn list(id: u16, index: u16, view: View<'_>) -> Result<List, Refusal> {
    if !view.directory().lists.contains(&id) {
        return Err(Refusal::NoList);
    }
    match id {
        0x0000 => Ok(directory(view)),
        0x0F00 => Ok(directory(view).header()),
        0x0011 => Ok(identification::parts(view)),
        0x0111 => identification::parts(view).only(index),
        0x0F11 => Ok(identification::parts(view).header()),
        0x0012 => Ok(capability::characteristics(view)),
        0x0112 => capability::group(view, index),
        0x0F12 => Ok(capability::characteristics(view).header()),
        0x0013 => Ok(capability::memory(view)),
        0x0113 => capability::memory(view).only(index),
        0x0F13 => Ok(capability::memory(view).header()),
        0x0014 => Ok(capability::areas(view)),
        0x0F14 => Ok(capability::areas(view).header()),
        0x0015 => Ok(capability::blocks(view)),
        0x0115 => capability::blocks(view).only(index),
        0x0F15 => Ok(capability::blocks(view).header()),
        0x0019 | 0x0074 => Ok(status::leds(view)),
        0x0119 | 0x0174 => status::leds(view).only(index),
        0x0F19 | 0x0F74 => Ok(status::leds(view).header()),
        0x001C => Ok(identification::components(view)),
        0x011C => identification::components(view).only(index),
        0x0F1C => Ok(identification::components(view).header()),
        0x0222 => status::interrupt(view, index),
        0x0424 => Ok(status::mode(view)),
        0x0025 => Ok(status::partitions()),
        0x0125 => {
            if index == 0 {
                Ok(status::partitions())
            } else {
                Err(Refusal::NoIndex)
            }
        }
        0x0225 => {
            if index == 1 {
                Ok(status::partitions())
            } else {
                Err(Refusal::NoIndex)
            }
        }
        0x0F25 => Ok(status::partitions().header()),
        // What asks without an index is given the first: python-snap7 3 does, and what a CPU does is not known.
        0x0131 => communication::abilities(view).only(index.max(1)),
        0x0F31 => Ok(communication::abilities(view).header()),
        0x0132 => communication::states(view).only(index),
        0x0F32 => Ok(communication::states(view).header()),
        0x0232 if matches!(index, 0 | 4) => communication::states(view).only(4),
        0x0232 => Err(Refusal::NoIndex),
        0x0037 => Ok(communication::interfaces(view)),
        0x0137 => communication::interfaces(view).only(index),
        0x0F37 => Ok(communication::interfaces(view).header()),
        0x0591 | 0x0A91 | 0x0C91 | 0x0D91 | 0x0F91 => module::states(id, index, view),
        0x0092 | 0x0292 | 0x0692 | 0x0F92 => module::racks(id, index),
        0x0094 | 0x0294 | 0x0694 | 0x0794 | 0x0F94 => module::stations(id, index),
        0x0F95 => Ok(List { length: 0x0028, count: Some(0), records: Vec::new() }),
        0x0C96 => module::submodule(index, view),
        0x00A0 => Ok(diagnostics::buffer(view, usize::MAX)),
        0x01A0 => Ok(diagnostics::buffer(view, index.into())),
        0x0FA0 => Ok(diagnostics::buffer(view, usize::MAX).header()),
        0x00B1..=0x00B3 => module::diagnosis(id, index, view),
        // A master system, a station of one, and submodules of modules that have none: there is no such index.
        0x0195 | 0x0696 | 0x00B4 => Err(Refusal::NoIndex),
        _ => Err(Refusal::NoList),
    }
}

fn directory(view: View<'_>) -> List {
    List::new(view.directory().lists.iter().map(|id| words(&[*id])).collect())
}

/// What a list is about, by the number of its kind, for the record. The second is whether it says who the device is.
const fn about(id: u16) -> (&'static str, bool) {
    match id & 0xFF {
        0x00 => ("read SZL: directory", true),
        0x11 => ("read SZL: module identification", true),
        0x12 => ("read SZL: CPU characteristics", true),
        0x13 => ("read SZL: memory areas", true),
        0x14 => ("read SZL: system areas", true),
        0x15 => ("read SZL: block types", true),
        0x19 | 0x74 => ("read SZL: LEDs", false),
        0x1C => ("read SZL: component identification", true),
        0x22 => ("read SZL: interrupt status", false),
        0x24 => ("read SZL: operating mode", false),
        0x25 => ("read SZL: process image partitions", true),
        0x31 => ("read SZL: communication abilities", true),
        0x32 => ("read SZL: communication status", false),
        0x37 => ("read SZL: Ethernet interfaces", true),
        0x91 | 0x96 => ("read SZL: module status", false),
        0x92 | 0x94 => ("read SZL: rack status", false),
        0x95 => ("read SZL: master systems", false),
        0xA0 => ("read SZL: diagnostic buffer", false),
        0xB1..=0xB4 => ("read SZL: module diagnosis", false),
        _ => ("read SZL", false),
    }
}

/// Answers a request for a list.
pub(super) fn read(request: &UserData<'_>, _peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let ids = (request.data.len() == 4).then(|| request.data.first_chunk().zip(request.data.last_chunk())).flatten();
    let (id, index) = ids.map_or((None, 0), |(id, index)| (Some(u16::from_be_bytes(*id)), u16::from_be_bytes(*index)));
    let view = View { cpu, session: cx.session, device: cx.device(), now: cx.now };
    let found = id.ok_or(Refusal::Syntax).and_then(|id| Ok((id, list(id, index, view)?)));
    let (name, identifies) = id.map_or(("read SZL", false), about);
    let verdict = found.as_ref().map_or_else(|refusal| refused(refusal.code()), |_| Verdict::Done);
    // The number of the list says more than that of the function, which is the same for all of them.
    let operation = wire::operation(name, id.unwrap_or_else(|| request.code()), verdict);
    cx.record(if identifies { Kind::Identify(operation) } else { Kind::Diagnose(operation) });
    match found {
        Ok((id, list)) => Answer::done(list.octets(id, index)),
        Err(refusal) => Answer::refused(refusal.code()),
    }
}

/// Words, most significant octet first.
fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// Appends a text in `length` octets, filled up with `filling`.
fn put_text(out: &mut Vec<u8>, text: &[u8], length: usize, filling: u8) {
    out.extend(text.iter().copied().chain(std::iter::repeat(filling)).take(length));
}

/// Puts zeros at the end of a record that is to have `length` octets.
fn filled(mut record: Vec<u8>, length: usize) -> Vec<u8> {
    record.resize(length, 0);
    record
}

#[cfg(test)]
mod tests;
