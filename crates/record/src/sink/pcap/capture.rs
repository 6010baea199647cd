//! One capture file: begun, gone on with, and mended after a crash. Apart, because the file itself tells how far it has
//! come, so that what is delivered again is neither lost nor there twice.
//!
//! The number of a packet (`epb_packetid`) is the place of its event in the journal, and how many packets of that event
//! follow it: what a crash left of an event is seen by that, and cut off.

use super::{
    exchange::{Exchange, Party},
    pcapng::{self, Block, Packet},
    stream::Stream,
};
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// How many sessions a file is remembered by that has those of everyone.
const STREAMS: usize = 16_384;

/// A capture file that is written to.
#[derive(Debug)]
pub(super) struct Capture {
    pub(super) path: PathBuf,
    file: File,
    /// How long the file is, and was when everything in it had been delivered.
    length: u64,
    delivered: u64,
    /// What is yet to be written.
    text: Vec<u8>,
    interfaces: Vec<String>,
    streams: HashMap<u64, Stream>,
    packets: Vec<Packet>,
}

/// Who writes captures.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) application: String,
    /// What is said at the beginning of each file.
    pub(super) comment: String,
}

impl Capture {
    /// Begins a file, which goes on with the `streams` of another.
    pub(super) fn begin(path: PathBuf, signature: &Signature, streams: HashMap<u64, Stream>) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::options().create(true).append(true).open(&path)?;
        file.set_len(0)?;
        let mut text = Vec::new();
        pcapng::section(&mut text, &signature.comment, &signature.application);
        let (interfaces, packets) = (Vec::new(), Vec::new());
        Ok(Self { path, file, length: 0, delivered: 0, text, interfaces, streams, packets })
    }

    /// Opens a file to go on with it, without what a crash left of an event.
    pub(super) fn open(path: PathBuf, signature: &Signature) -> io::Result<Self> {
        let bytes = fs::read(&path)?;
        let mut streams = HashMap::new();
        let (whole, interfaces) = recover(&bytes, &mut streams);
        if whole == 0 {
            return Self::begin(path, signature, streams);
        }
        let file = File::options().append(true).open(&path)?;
        if whole < bytes.len() {
            file.set_len(whole as u64)?;
        }
        let length = whole as u64;
        let (text, packets) = (Vec::new(), Vec::new());
        Ok(Self { path, file, length, delivered: length, text, interfaces, streams, packets })
    }

    /// How long it is with what is yet to be written.
    pub(super) const fn length(&self) -> u64 {
        self.length + self.text.len() as u64
    }

    pub(super) fn stream(&mut self, session: u64) -> Option<&mut Stream> {
        self.streams.get_mut(&session)
    }

    /// The streams that it has, for the file that goes on with them.
    pub(super) fn take_streams(&mut self) -> HashMap<u64, Stream> {
        std::mem::take(&mut self.streams)
    }

    pub(super) fn enter(&mut self, session: u64, stream: Stream) {
        if self.streams.len() >= STREAMS
            && let Some(oldest) = self.streams.keys().min().copied()
        {
            self.streams.remove(&oldest);
        }
        self.streams.insert(session, stream);
    }

    /// Adds the packets of an exchange, unless they are there already.
    pub(super) fn add(&mut self, party: &Party, mut exchange: Exchange) {
        let Some(stream) = self.streams.get_mut(&party.session).filter(|s| s.sequence < exchange.sequence) else {
            return;
        };
        let sequence = exchange.sequence;
        if exchange.ending.is_some() {
            let ((received, sent), (heard, said)) = (exchange.totals, stream.shown);
            if (received, sent) != (heard, said) {
                exchange.comments.push(format!(
                    "in all the actor sent {received} bytes and the device {sent}; shown are {heard} and {said}, \
                     since the record has equal messages once, of long ones the beginning, and nothing of encryption"
                ));
            }
        }
        if stream.knows(&exchange) {
            return stream.tell(exchange);
        }
        if exchange.is_bare() && exchange.ending.is_none() {
            exchange.comments.into_iter().for_each(|comment| stream.note(comment));
            return;
        }
        self.packets.clear();
        stream.add(&exchange, &mut self.packets);
        stream.sequence = sequence;
        let interface = match self.interfaces.iter().position(|name| *name == party.name) {
            Some(place) => place,
            None => {
                pcapng::interface(&mut self.text, &party.name, "a device of the site, as the record has it");
                self.interfaces.push(party.name.clone());
                self.interfaces.len() - 1
            }
        };
        let count = self.packets.len() as u64;
        for (number, packet) in (1..).zip(&mut self.packets) {
            packet.interface = u32::try_from(interface).unwrap_or_default();
            packet.id = sequence << 16 | (count - number).min(0xFFFF);
            pcapng::packet(&mut self.text, packet);
        }
    }

    /// Writes what was added.
    pub(super) fn write(&mut self) -> io::Result<()> {
        self.file.write_all(&self.text)?;
        self.length += self.text.len() as u64;
        self.text.clear();
        Ok(())
    }

    /// All that is in it has been delivered.
    pub(super) const fn keep(&mut self) {
        self.delivered = self.length;
    }

    /// Leaves only what has been delivered in the file.
    pub(super) fn undo(self) -> io::Result<()> {
        if self.delivered == 0 { fs::remove_file(self.path) } else { self.file.set_len(self.delivered) }
    }

    /// Whether somebody has deleted the file.
    pub(super) fn is_gone(&self) -> bool {
        !Path::exists(&self.path)
    }
}

/// Reads how far a capture has come: how much of it is whole, its interfaces, its streams.
fn recover(bytes: &[u8], streams: &mut HashMap<u64, Stream>) -> (usize, Vec<String>) {
    let (mut rest, mut whole) = (bytes, 0);
    let (mut interfaces, mut named): (Vec<String>, usize) = (Vec::new(), 0);
    let mut event = Vec::new();
    while let Some(block) = pcapng::read(&mut rest) {
        match block {
            // Part of the event that brought it.
            Block::Interface(name) => {
                interfaces.push(name);
                continue;
            }
            Block::Packet(packet) => {
                let last = packet.id & 0xFFFF == 0;
                event.push(packet);
                if !last {
                    continue;
                }
                take(&event, streams);
                event.clear();
            }
            Block::Section | Block::Other => {}
        }
        (whole, named) = (bytes.len() - rest.len(), interfaces.len());
    }
    interfaces.truncate(named);
    (whole, interfaces)
}

/// Goes on with the stream of an event as the event left it.
fn take(event: &[Packet], streams: &mut HashMap<u64, Stream>) {
    let told: Vec<_> = event.iter().flat_map(|packet| &packet.comments).filter_map(|c| Exchange::comment(c)).collect();
    let (Some(first), Some((_, session))) = (event.first(), told.last()) else { return };
    if !streams.contains_key(session) {
        let Some(stream) = Stream::of(*session, first) else { return };
        streams.insert(*session, stream);
    }
    let Some(stream) = streams.get_mut(session) else { return };
    let at = event.iter().find(|packet| !packet.comments.is_empty()).unwrap_or(first).at / 1000;
    let mut exchange = Exchange { at, ..Exchange::default() };
    exchange.sentences = told.iter().map(|(sentence, _)| (*sentence).to_owned()).collect();
    for packet in event {
        stream.recover(packet);
        let side = if packet.inbound { &mut exchange.request } else { &mut exchange.reply };
        side.extend_from_slice(Stream::payload(packet).unwrap_or_default());
    }
    stream.remember(&exchange);
    stream.sequence = first.id >> 16;
}
