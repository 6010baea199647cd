//! The bytes of AMQP 0-9-1 (specification of 13 November 2008, and RabbitMQ's confirms and `basic.nack`), as far as somebody
//! speaks it who only publishes. Apart from the connection, which knows what to say when.

use std::io;

/// §4.2.2.
pub(super) const PROTOCOL: &[u8] = b"AMQP\0\0\x09\x01";
/// §4.2.3: what a frame has besides its payload.
pub(super) const FRAME: usize = 8;
const END: u8 = 0xCE;
/// The class `basic`.
const BASIC: u16 = 60;

/// What we send on a channel.
#[derive(Clone, Debug)]
pub(super) enum Say<'a> {
    StartOk { user: &'a str, password: &'a str },
    TuneOk { channels: u16, frame: u32, heartbeat: u16 },
    Open { vhost: &'a str },
    Close,
    CloseOk,
    ChannelOpen,
    ChannelCloseOk,
    ExchangeDeclare { exchange: &'a str, passive: bool },
    QueueDeclare { queue: &'a str },
    QueueBind { queue: &'a str, exchange: &'a str, key: &'a str },
    ConfirmSelect,
}

/// What we hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Start {
        product: String,
        mechanisms: String,
    },
    Secure,
    Tune {
        channels: u16,
        frame: u32,
    },
    OpenOk,
    /// The whole connection was closed.
    Closed {
        code: u16,
        text: String,
    },
    CloseOk,
    Blocked {
        reason: String,
    },
    Unblocked,
    ChannelOpenOk,
    /// The channel was closed.
    ChannelClosed {
        code: u16,
        text: String,
    },
    Declared,
    /// A queue, with how many messages wait in it.
    QueueDeclared {
        messages: u32,
    },
    Bound,
    Selected,
    /// A message came back, as nobody would have had it.
    Returned {
        code: u16,
        text: String,
        key: String,
    },
    Confirmed {
        tag: u64,
        multiple: bool,
    },
    Refused,
    /// A part of a message that came back.
    Content,
    Heartbeat,
    Unknown {
        class: u16,
        method: u16,
    },
}

impl Say<'_> {
    /// Appends the frame.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Self::StartOk { user, password } => method(out, 0, 10, 11, |out| {
                table(out, |out| {
                    for (name, text) in [("product", "honeyplant"), ("version", env!("CARGO_PKG_VERSION"))] {
                        short(out, name);
                        out.push(b'S');
                        long(out, text.as_bytes());
                    }
                    short(out, "capabilities");
                    out.push(b'F');
                    table(out, |out| {
                        let able =
                            ["publisher_confirms", "basic.nack", "connection.blocked", "authentication_failure_close"];
                        for name in able {
                            short(out, name);
                            out.extend_from_slice(b"t\x01");
                        }
                    });
                });
                short(out, "PLAIN");
                long(out, format!("\0{user}\0{password}").as_bytes());
                short(out, "en_US");
            }),
            Self::TuneOk { channels, frame, heartbeat } => method(out, 0, 10, 31, |out| {
                out.extend_from_slice(&channels.to_be_bytes());
                out.extend_from_slice(&frame.to_be_bytes());
                out.extend_from_slice(&heartbeat.to_be_bytes());
            }),
            Self::Open { vhost } => method(out, 0, 10, 40, |out| {
                short(out, vhost);
                out.extend_from_slice(&[0, 0]);
            }),
            Self::Close => method(out, 0, 10, 50, |out| {
                out.extend_from_slice(&200_u16.to_be_bytes());
                short(out, "goodbye");
                out.extend_from_slice(&[0; 4]);
            }),
            Self::CloseOk => method(out, 0, 10, 51, |_| {}),
            Self::ChannelOpen => method(out, 1, 20, 10, |out| out.push(0)),
            Self::ChannelCloseOk => method(out, 1, 20, 41, |_| {}),
            Self::ExchangeDeclare { exchange, passive } => method(out, 1, 40, 10, |out| {
                out.extend_from_slice(&[0, 0]);
                short(out, exchange);
                short(out, "topic");
                out.push(u8::from(passive) | 2);
                table(out, |_| {});
            }),
            Self::QueueDeclare { queue } => method(out, 1, 50, 10, |out| {
                out.extend_from_slice(&[0, 0]);
                short(out, queue);
                out.push(2);
                table(out, |_| {});
            }),
            Self::QueueBind { queue, exchange, key } => method(out, 1, 50, 20, |out| {
                out.extend_from_slice(&[0, 0]);
                short(out, queue);
                short(out, exchange);
                short(out, key);
                out.push(0);
                table(out, |_| {});
            }),
            Self::ConfirmSelect => method(out, 1, 85, 10, |out| out.push(0)),
        }
    }
}

/// A message to be published.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published<'a> {
    pub(super) exchange: &'a str,
    pub(super) key: &'a str,
    /// Whether it is to come back if no queue takes it.
    pub(super) mandatory: bool,
    pub(super) content: &'a str,
    pub(super) id: &'a str,
    /// Seconds since 1970.
    pub(super) at: u64,
    pub(super) body: &'a [u8],
}

impl Published<'_> {
    /// Appends the frames, none of which is longer than `most`.
    pub(super) fn write(&self, most: usize, out: &mut Vec<u8>) {
        method(out, 1, BASIC, 40, |out| {
            out.extend_from_slice(&[0, 0]);
            short(out, self.exchange);
            short(out, self.key);
            out.push(u8::from(self.mandatory));
        });
        frame(out, 2, 1, |out| {
            out.extend_from_slice(&BASIC.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&(self.body.len() as u64).to_be_bytes());
            // §4.2.6.1: a bit a property, from the first downwards.
            let [content, delivery, id, time, app] = [15, 12, 7, 6, 3].map(|bit| 1_u16 << bit);
            out.extend_from_slice(&(content | delivery | id | time | app).to_be_bytes());
            short(out, self.content);
            out.push(2);
            short(out, self.id);
            out.extend_from_slice(&self.at.to_be_bytes());
            short(out, "honeyplant");
        });
        for part in self.body.chunks(most.saturating_sub(FRAME).max(1)) {
            frame(out, 3, 1, |out| out.extend_from_slice(part));
        }
    }
}

fn frame(out: &mut Vec<u8>, kind: u8, channel: u16, payload: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    out.extend_from_slice(&channel.to_be_bytes());
    sized(out, payload);
    out.push(END);
}

fn method(out: &mut Vec<u8>, channel: u16, class: u16, method: u16, arguments: impl FnOnce(&mut Vec<u8>)) {
    frame(out, 1, channel, |out| {
        out.extend_from_slice(&class.to_be_bytes());
        out.extend_from_slice(&method.to_be_bytes());
        arguments(out);
    });
}

fn table(out: &mut Vec<u8>, fields: impl FnOnce(&mut Vec<u8>)) {
    sized(out, fields);
}

fn long(out: &mut Vec<u8>, bytes: &[u8]) {
    sized(out, |out| out.extend_from_slice(bytes));
}

/// Appends what `inner` does behind its length.
fn sized(out: &mut Vec<u8>, inner: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    inner(out);
    let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// §4.2.5.3: at most 255 bytes.
fn short(out: &mut Vec<u8>, text: &str) {
    let text = text.get(..text.floor_char_boundary(255)).unwrap_or_default();
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text.as_bytes());
}

impl Heard {
    /// The first frame of `bytes` and its length; none while it is not whole.
    pub(super) fn read(bytes: &[u8], most: usize) -> io::Result<Option<(Self, usize)>> {
        // §4.2.2: a server that does not speak this version answers with the header of one that it does.
        if bytes.starts_with(b"AMQP") {
            return Err(broken("it speaks another version of AMQP; 0-9-1 is needed"));
        }
        let Some((head, rest)) = bytes.split_first_chunk::<7>() else { return Ok(None) };
        let [kind, _, _, a, b, c, d] = *head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > most {
            return Err(broken("it sent a frame that is too long, or does not speak AMQP"));
        }
        let Some((payload, [end, ..])) = rest.split_at_checked(length) else { return Ok(None) };
        if *end != END {
            return Err(broken("it sent a frame without its end"));
        }
        let heard = match kind {
            1 => Self::method(payload).ok_or_else(|| broken("it sent a method that ends too early"))?,
            2 | 3 => Self::Content,
            8 => Self::Heartbeat,
            _ => return Err(broken("it sent a frame of no known type")),
        };
        Ok(Some((heard, length + FRAME)))
    }

    fn method(payload: &[u8]) -> Option<Self> {
        let mut input = Input(payload);
        let (class, method) = (input.u16()?, input.u16()?);
        Some(match (class, method) {
            (10, 10) => {
                input.take(2)?;
                let properties = input.long()?;
                Self::Start { product: product(properties), mechanisms: text(input.long()?) }
            }
            (10, 20) => Self::Secure,
            (10, 30) => Self::Tune { channels: input.u16()?, frame: input.u32()? },
            (10, 41) => Self::OpenOk,
            (10, 50) => Self::Closed { code: input.u16()?, text: input.short()? },
            (10, 51) => Self::CloseOk,
            (10, 60) => Self::Blocked { reason: input.short()? },
            (10, 61) => Self::Unblocked,
            (20, 11) => Self::ChannelOpenOk,
            (20, 40) => Self::ChannelClosed { code: input.u16()?, text: input.short()? },
            (40, 11) => Self::Declared,
            (50, 11) => {
                input.short()?;
                Self::QueueDeclared { messages: input.u32()? }
            }
            (50, 21) => Self::Bound,
            (85, 11) => Self::Selected,
            (BASIC, 50) => {
                let (code, text, _) = (input.u16()?, input.short()?, input.short()?);
                Self::Returned { code, text, key: input.short()? }
            }
            (BASIC, 80) => Self::Confirmed { tag: input.u64()?, multiple: input.take(1)? != [0] },
            (BASIC, 120) => Self::Refused,
            _ => Self::Unknown { class, method },
        })
    }
}

/// The name and version in the properties of a server: two texts among the fields of a table.
fn product(properties: &[u8]) -> String {
    let field = |name: &str| {
        let mut sought = Vec::new();
        short(&mut sought, name);
        sought.push(b'S');
        let at = properties.windows(sought.len()).position(|window| window == sought)?;
        Input(properties.get(at + sought.len()..)?).long().map(text)
    };
    let words: Vec<_> = ["product", "version"].into_iter().filter_map(field).collect();
    words.join(" ")
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn short(&mut self) -> Option<String> {
        let [length] = self.array()?;
        self.take(length.into()).map(text)
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(class: u16, number: u16, arguments: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        method(&mut bytes, 1, class, number, |out| out.extend_from_slice(arguments));
        bytes
    }

    #[test]
    fn a_frame_is_read_when_it_is_whole() {
        let bytes = heard(60, 80, &[0, 0, 0, 0, 0, 0, 0, 7, 1]);
        for end in 0..bytes.len() {
            assert_eq!(Heard::read(&bytes[..end], 1000).unwrap(), None);
        }
        let confirmed = Heard::Confirmed { tag: 7, multiple: true };
        assert_eq!(Heard::read(&bytes, 1000).unwrap(), Some((confirmed, bytes.len())));
    }

    #[test]
    fn what_is_no_amqp_is_said_so() {
        let long = [1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0];
        for bytes in [&b"AMQP\0\x03\x01\0"[..], b"HTTP/1.1 400 Bad Request\r\n", &long, &[8, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(Heard::read(bytes, 1000).is_err(), "{bytes:?}");
        }
        assert!(Heard::read(&heard(60, 80, &[0, 0]), 1000).is_err(), "a method that ends too early");
    }

    #[test]
    fn the_server_is_named() {
        let mut start = vec![0, 9];
        table(&mut start, |out| {
            for (name, value) in [("cluster_name", "x"), ("product", "RabbitMQ"), ("version", "3.10.8")] {
                short(out, name);
                out.push(b'S');
                long(out, value.as_bytes());
            }
        });
        long(&mut start, b"PLAIN AMQPLAIN");
        let Some((Heard::Start { product, .. }, _)) = Heard::read(&heard(10, 10, &start), 1000).unwrap() else {
            panic!("no start");
        };
        assert_eq!(product, "RabbitMQ 3.10.8");
    }

    #[test]
    fn a_body_is_cut_into_frames_that_fit() {
        let body = [b'x'; 100];
        let message = Published { exchange: "e", key: "k", mandatory: true, content: "c", id: "i", at: 1, body: &body };
        let mut bytes = Vec::new();
        message.write(48, &mut bytes);
        let (mut kinds, mut rest, mut length) = (Vec::new(), &bytes[..], 0);
        while let Some([kind, _, _, a, b, c, d]) = rest.first_chunk() {
            let payload = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            length += if *kind == 3 { payload } else { 0 };
            kinds.push(*kind);
            assert!(*kind != 3 || payload + FRAME <= 48);
            assert_eq!(rest[7 + payload], END);
            rest = &rest[7 + payload + 1..];
        }
        assert_eq!((kinds, length), (vec![1, 2, 3, 3, 3], 100));
    }
}
