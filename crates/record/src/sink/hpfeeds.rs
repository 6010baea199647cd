//! hpfeeds, the feeds of the Honeynet Project: messages with a length, an operation and texts (wire protocol of hpfeeds.org,
//! which has no version). Apart, because it acknowledges nothing, and yet tells errors.

use super::{
    Entry, Form, Home, Pace, Secret, Sink, SinkError, SinkKind,
    link::{Remote, TlsSettings},
};
use honeyplant_core::settings::{Problem, Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use sha1::{Digest, Sha1};
use std::{
    io::{self, Read, Write},
    time::Duration,
};

/// Events to a channel of an hpfeeds broker, one message each.
///
/// Take it to share what is seen with others who run honeypots, or to feed a pipeline that was made for Conpot: then set
/// `format = "conpot"` and `channel = "conpot.events"`. The ident needs the right to publish at the channel.
///
/// hpfeeds acknowledges nothing. So each batch has a connection, and is delivered when the broker has read it to its end and
/// hung up without naming an error: that is **at least once** up to the broker, in order. A broker keeps no message: whoever
/// has not subscribed at that moment, or dies with the broker, does not get it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// Where the broker is, such as `hpfeeds.example.org:10000`.
    to: String,
    /// The name that the broker knows us by.
    ident: String,
    /// The secret that belongs to it.
    secret: Secret,
    /// The channel.
    #[serde(default = "channel")]
    channel: String,
    /// The form of a message.
    #[serde(default)]
    format: Form,
    /// How to speak TLS; without this table it is not spoken.
    #[serde(default)]
    tls: Option<TlsSettings>,
}

fn channel() -> String {
    "honeyplant.events".into()
}

/// The kind `hpfeeds`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "hpfeeds"
    }

    fn example(&self) -> &'static str {
        "to = \"hpfeeds.example.org:10000\"\nident = \"sensor\"\nsecret = \"secret\"\nchannel = \"conpot.events\"\n\
         format = \"conpot\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, _: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Problems::new();
        for (field, text) in [("ident", &table.ident), ("channel", &table.channel)] {
            if text.is_empty() || text.len() > 255 {
                problems.push(Problem::new(settings.key_of(field), "it has from 1 to 255 bytes"));
            }
        }
        match Remote::new(&table.to, table.tls.as_ref(), settings.key()) {
            Ok(remote) if problems.is_empty() => Ok(Box::new(Hpfeeds { remote, table })),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.push(problem);
                Err(problems)
            }
        }
    }
}

/// Publishes the lines of the journal.
#[derive(Debug)]
struct Hpfeeds {
    remote: Remote,
    table: Table,
}

impl Hpfeeds {
    /// Logs in, says `messages`, and waits until the broker has read them. The broker's name.
    fn say(&self, messages: &[u8]) -> Result<String, SinkError> {
        let mut last = Vec::new();
        let said = self.remote.connect().and_then(|mut link| {
            let Message::Info { name, nonce } = Message::read(&mut link)? else { return Err(strange()) };
            let mut out = Vec::new();
            authenticate(&self.table.ident, &nonce, self.table.secret.reveal(), &mut out);
            let written = link.write_all(&out).and_then(|()| link.write_all(messages));
            // A broker that refuses hangs up, and what it said before is still to be read.
            let finished = link.finish(&mut last);
            written.and(finished).map(|()| name)
        });
        while let Ok(message) = Message::read(&mut &*last) {
            if let Message::Error(words) = message {
                return Err(self.remote.failed(format!("the broker says: {words}")));
            }
            let length = last.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize);
            last.drain(..length.min(last.len()));
        }
        said.map_err(|error| self.remote.failed(error))
    }
}

impl Sink for Hpfeeds {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let Table { ident, channel, format, .. } = &self.table;
        let room = LONGEST - HEAD - 2 - ident.len() - channel.len();
        let (mut messages, mut payload) = (Vec::new(), Vec::new());
        for entry in batch {
            payload.clear();
            if format.write_within(entry, room, &mut payload) {
                publish(ident, channel, &payload, &mut messages);
            }
        }
        if messages.is_empty() { Ok(()) } else { self.say(&messages).map(drop) }
    }

    fn pace(&self) -> Pace {
        // A connection a second is no burden to a broker.
        Pace { most: 2048, every: Duration::from_secs(1) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let broker = self.say(&[])?;
        Ok(format!("hpfeeds broker `{}` at {}", broker.escape_debug(), self.remote.name()))
    }
}

/// The length and the operation.
const HEAD: usize = 5;
/// As long is a message at most, as brokers have it.
const LONGEST: usize = HEAD + (1 << 20);

/// What a broker says that is of use to one who publishes.
#[derive(Debug, PartialEq, Eq)]
enum Message {
    Error(String),
    Info { name: String, nonce: Vec<u8> },
    Other,
}

impl Message {
    fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; HEAD];
        from.read_exact(&mut head)?;
        let [a, b, c, d, operation] = head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if !(HEAD..=LONGEST).contains(&length) {
            return Err(strange());
        }
        let mut body = vec![0; length - HEAD];
        from.read_exact(&mut body)?;
        match operation {
            0 => {
                Ok(Self::Error(String::from_utf8_lossy(&body).chars().filter(|c| !c.is_control()).take(300).collect()))
            }
            1 => {
                let name = body.split_first().and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)));
                let (name, nonce) = name.ok_or_else(strange)?;
                Ok(Self::Info { name: String::from_utf8_lossy(name).into_owned(), nonce: nonce.to_vec() })
            }
            _ => Ok(Self::Other),
        }
    }
}

fn authenticate(ident: &str, nonce: &[u8], secret: &str, out: &mut Vec<u8>) {
    let proof = Sha1::new().chain_update(nonce).chain_update(secret).finalize();
    message(2, &[ident], &proof, out);
}

fn publish(ident: &str, channel: &str, payload: &[u8], out: &mut Vec<u8>) {
    message(3, &[ident, channel], payload, out);
}

fn message(operation: u8, texts: &[&str], rest: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, operation]);
    for text in texts {
        out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(rest);
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX).to_be_bytes();
    out.splice(start..start + 4, length);
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it does not speak hpfeeds; is it a broker?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Observer;
    use std::{net::TcpListener, path::Path, thread};

    #[test]
    fn messages_are_those_of_the_protocol() {
        let mut out = Vec::new();
        publish("me", "a.b", b"{}", &mut out);
        assert_eq!(out, b"\x00\x00\x00\x0e\x03\x02me\x03a.b{}");
        out.clear();
        // SHA-1 of `abc`, FIPS 180-4.
        authenticate("me", b"ab", "c", &mut out);
        assert_eq!(out[..8], *b"\x00\x00\x00\x1c\x02\x02me");
        assert_eq!(out[8..12], [0xA9, 0x99, 0x3E, 0x36]);
    }

    #[test]
    fn what_a_broker_says_is_understood() {
        let read = |mut wire: &[u8]| Message::read(&mut wire);
        let info = read(b"\x00\x00\x00\x0b\x01\x01b\x01\x02\x03\x04").unwrap();
        assert_eq!(info, Message::Info { name: "b".into(), nonce: vec![1, 2, 3, 4] });
        assert_eq!(read(b"\x00\x00\x00\x08\x00no\n").unwrap(), Message::Error("no".into()));
        assert_eq!(read(b"\x00\x00\x00\x05\x03").unwrap(), Message::Other);
        for wrong in [&b"HTTP/1.1"[..], b"\x00\x00\x00\x06\x01\x09", b"\x00\x00\x00\x04\x00", b"\x00\x00\x00\x09\x00"] {
            read(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_brokers_words_and_without_the_secret() {
        let broker = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = broker.local_addr().unwrap();
        let peer = thread::spawn(move || {
            let (mut line, _) = broker.accept().unwrap();
            line.write_all(b"\x00\x00\x00\x0b\x01\x01b\x01\x02\x03\x04").unwrap();
            line.read_exact(&mut [0; 30]).unwrap();
            line.write_all(b"\x00\x00\x00\x0b\x00denied").unwrap();
            // It hangs up with messages unread.
        });
        let observer = Observer { site: "s".into(), install: "0123abcd".into(), version: "0".into() };
        let home = Home { state: Path::new("/tmp"), observer: &observer, name: "hpfeeds" };
        let text = format!("to = '{to}'\nident = 'me'\nsecret = 's3cr3t'");
        let mut sink = Kind.build(&Settings::parse(&text).unwrap(), &home).unwrap();
        let batch: Vec<_> = (1..2000).map(|sequence| Entry { sequence, line: "{}".into() }).collect();
        let error = sink.deliver(&batch).unwrap_err().to_string();
        assert!(error.contains("denied") && !error.contains("s3cr3t"), "{error}");
        peer.join().unwrap();
    }
}
