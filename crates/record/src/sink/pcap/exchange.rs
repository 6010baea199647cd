//! What one event says for a capture. Apart, because it is all that captures take of a document.

use crate::document::Document;
use std::{
    fmt::Write as _,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::SocketAddr,
};

/// As much as the record shows of a message and of an answer; `docs/events.md` says so. What is exactly as long may have
/// been longer.
const SHOWN: (usize, usize) = (64 << 10, 4 << 10);
/// A sentence in a comment is cut here.
const SENTENCE: usize = 1000;

/// The bytes of one event, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Microseconds since 1970.
    pub(super) at: u64,
    pub(super) request: Vec<u8>,
    pub(super) reply: Vec<u8>,
    /// How long the answer was, if that is known to be more than is shown.
    pub(super) reply_length: usize,
    /// What happened, in a sentence for each event, without characters that a terminal obeys.
    pub(super) sentences: Vec<String>,
    /// What is said with its first packet.
    pub(super) comments: Vec<String>,
    /// Why the session ended with this, if it did.
    pub(super) ending: Option<String>,
    /// How much the actor and the device then had said.
    pub(super) totals: (u64, u64),
    /// The place of its last event in the journal.
    pub(super) sequence: u64,
}

/// Whose session an event is part of.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) session: u64,
    pub(super) peer: SocketAddr,
    pub(super) device: SocketAddr,
    pub(super) datagrams: bool,
    pub(super) protocol: String,
    /// The name of the device.
    pub(super) name: String,
}

impl Party {
    /// Of an event that is part of a session. The device's port is shown less `offset`.
    pub(super) fn of(document: &Document<'_>, offset: u16) -> Option<Self> {
        let (source, destination) = (document.source.as_ref()?, document.destination?);
        let network = document.network.as_ref()?;
        let port = destination.port.checked_sub(offset).filter(|port| *port > 0).unwrap_or(destination.port);
        Some(Self {
            session: document.honeyplant.session?.id.0,
            peer: SocketAddr::new(source.ip, source.port),
            device: SocketAddr::new(destination.ip, port),
            datagrams: network.transport == "udp",
            protocol: network.protocol.clone().into_owned(),
            name: document.honeyplant.device.as_ref()?.name.clone().into_owned(),
        })
    }
}

impl Exchange {
    pub(super) fn of(document: &Document<'_>, session: u64) -> Self {
        let (facets, facts) = (&document.event, &document.honeyplant);
        let bytes = |bytes: Option<&crate::document::Bytes<'_>>| bytes.map(|b| octets(&b.hex)).unwrap_or_default();
        let (request, reply) = (bytes(facts.request.as_ref()), bytes(facts.reply.as_ref()));
        let at = u64::try_from(document.timestamp.timestamp().as_microsecond()).unwrap_or_default();
        let sentence = printable(&document.message);
        let mut exchange = Self { at, request, reply, sequence: facets.sequence, ..Self::default() };
        exchange.comments.push(format!("{sentence}\nevent {} of session {session:016x}", facets.id));
        exchange.sentences.push(sentence);
        if let Some(times) = facts.repeated {
            let until = facets.end.unwrap_or(document.timestamp);
            exchange.comments.push(format!("shown once, came {times} times until {until}"));
        }
        if facets.action == "secured" {
            exchange
                .comments
                .push("from here on the session was encrypted; what is shown is what was said inside".into());
        }
        if exchange.request.len() >= SHOWN.0 {
            exchange.comments.push("the record shows the first 64 KiB of a message; the whole is an artefact".into());
        }
        if exchange.reply.len() >= SHOWN.1 {
            exchange.reply_length = page(document, &exchange.reply).unwrap_or_default();
            let mut comment = String::from("the record shows the first 4 KiB of an answer");
            if exchange.reply_length > exchange.reply.len() {
                let _ = write!(comment, "; this one had {} bytes", exchange.reply_length);
            } else {
                comment += ", and this one may have been longer";
            }
            exchange.comments.push(comment);
        }
        if let Some(ending) = &facts.ending {
            exchange.ending = Some(ending.reason.clone().into_owned());
            exchange.totals = (ending.received, ending.sent);
        }
        exchange
    }

    /// Whether nothing was said with it.
    pub(super) fn is_bare(&self) -> bool {
        self.request.is_empty() && self.reply.is_empty()
    }

    /// Whether it is another event about the message that is `last`, of which `sentences` were told: the events of one
    /// message have the same time and the same bytes, and differ in what they say.
    pub(super) fn is_about(&self, last: (u64, u64), sentences: &[String]) -> bool {
        !self.is_bare() && self.message() == last && self.sentences.iter().all(|own| !sentences.contains(own))
    }

    /// Takes another event about the same message; gives it back if it is about another.
    pub(super) fn merge(&mut self, mut other: Self) -> Option<Self> {
        if !other.is_about(self.message(), &self.sentences) {
            return Some(other);
        }
        self.sentences.append(&mut other.sentences);
        self.comments.append(&mut other.comments);
        self.sequence = other.sequence;
        None
    }

    /// What the actor and the device said: whether it was the actor, what is shown, how long it was.
    pub(super) fn sides(&self) -> [(bool, &[u8], usize); 2] {
        let (request, reply) = (&self.request, &self.reply);
        [(true, request, request.len()), (false, reply, self.reply_length.max(reply.len()))]
    }

    /// What tells one message from another: its time, its bytes and those of the answer.
    pub(super) fn message(&self) -> (u64, u64) {
        let mut hasher = DefaultHasher::new();
        (&self.request, &self.reply).hash(&mut hasher);
        (self.at, hasher.finish())
    }

    /// The sentence of a comment, as [`Exchange::of`] writes it, and the session.
    pub(super) fn comment(comment: &str) -> Option<(&str, u64)> {
        let (sentence, event) = comment.rsplit_once('\n')?;
        let (_, session) = event.strip_prefix("event ")?.split_once(" of session ")?;
        Some((sentence, u64::from_str_radix(session, 16).ok()?))
    }
}

/// How long an answer of a web server was, by its head and what is known of its body.
fn page(document: &Document<'_>, reply: &[u8]) -> Option<usize> {
    let body = document.http.as_ref()?.response.as_ref()?.body.bytes;
    let head = reply.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    // No page of a device is so long; it would be as many packets.
    head.checked_add(usize::try_from(body).ok()?).filter(|length| *length < 64 << 20)
}

fn octets(hex: &str) -> Vec<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or_default() as u8;
    let pairs = hex.as_bytes().chunks_exact(2);
    pairs.map(|pair| pair.iter().fold(0, |octet, nibble| octet << 4 | digit(nibble))).collect()
}

fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(SENTENCE));
    for character in text.chars() {
        if out.len() >= SENTENCE {
            out.push('…');
            break;
        }
        if character.is_control() { out.extend(character.escape_default()) } else { out.push(character) }
    }
    out
}
