//! MQTT Version 3.1.1 (OASIS Standard, 29 October 2014) and Version 5.0 (OASIS Standard, 7 March 2019), as far as one
//! who only publishes needs them. Apart, because packets are known without a connection.

use schemars::JsonSchema;
use serde::Deserialize;
use std::io::{self, Read};

/// The version of MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum Version {
    /// 3.1.1, which every broker knows. It has no word for a message that the broker refuses: what the rules of a broker
    /// forbid is acknowledged, and gone.
    #[serde(rename = "3.1.1")]
    V3,
    /// 5.0, in which a broker says what it refuses.
    #[default]
    #[serde(rename = "5.0")]
    V5,
}

/// The longest packet that can be: §2.2.3 of 3.1.1, §1.5.5 of 5.0.
pub(super) const LONGEST: usize = 268_435_455;

/// What CONNECT says.
pub(super) struct Connect<'a> {
    pub(super) client: &'a str,
    /// In seconds.
    pub(super) keep_alive: u16,
    pub(super) user: Option<&'a str>,
    pub(super) password: Option<&'a str>,
    /// What the broker publishes and retains at this topic if the connection is lost.
    pub(super) will: Option<(&'a str, &'a str)>,
}

/// §3.1 of both.
pub(super) fn connect(version: Version, connect: &Connect<'_>, out: &mut Vec<u8>) {
    packet(0x10, out, |out| {
        text("MQTT", out);
        out.push(if version == Version::V5 { 5 } else { 4 });
        let mut flags = 0x02;
        if connect.will.is_some() {
            // Retained, and at least once.
            flags |= 0x04 | 0x08 | 0x20;
        }
        if connect.user.is_some() {
            flags |= 0x80;
        }
        if connect.password.is_some() {
            flags |= 0x40;
        }
        out.push(flags);
        out.extend_from_slice(&connect.keep_alive.to_be_bytes());
        no_properties(version, out);
        text(connect.client, out);
        if let Some((topic, message)) = connect.will {
            no_properties(version, out);
            text(topic, out);
            text(message, out);
        }
        connect.user.into_iter().chain(connect.password).for_each(|word| text(word, out));
    });
}

/// Whether the broker gives a message to those who come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retain {
    Yes,
    No,
}

/// §3.3 of both, at least once.
pub(super) fn publish(version: Version, topic: &str, id: u16, retain: Retain, message: &[u8], out: &mut Vec<u8>) {
    packet(if retain == Retain::Yes { 0x33 } else { 0x32 }, out, |out| {
        text(topic, out);
        out.extend_from_slice(&id.to_be_bytes());
        no_properties(version, out);
        out.extend_from_slice(message);
    });
}

/// §3.12 of both.
pub(super) fn ping(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xC0, 0]);
}

/// §3.14 of both.
pub(super) fn disconnect(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xE0, 0]);
}

fn packet(head: u8, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    // Four octets are room for every length; what of them is not needed is taken out again.
    out.extend_from_slice(&[head, 0, 0, 0, 0]);
    body(out);
    let mut length = out.len() - start - 5;
    let mut octets = Vec::with_capacity(4);
    loop {
        let low = (length & 0x7F) as u8;
        length >>= 7;
        octets.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    out.splice(start + 1..start + 5, octets);
}

/// §1.5.3 of 3.1.1, §1.5.4 of 5.0. Both forbid U+0000; texts are made such that they fit.
fn text(text: &str, out: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes().get(..usize::from(length)).unwrap_or_default());
}

fn no_properties(version: Version, out: &mut Vec<u8>) {
    if version == Version::V5 {
        out.push(0);
    }
}

/// What a broker says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// CONNACK.
    Connected { code: u8, limits: Limits },
    /// PUBACK.
    Taken { id: u16, code: u8 },
    /// PINGRESP.
    Pong,
    /// DISCONNECT, which brokers say in 5.0 only.
    Ended { code: u8 },
}

/// What a broker takes. What it does not say has no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// How many messages may be on their way (Receive Maximum).
    pub(super) window: u16,
    /// How long a packet may be.
    pub(super) packet: usize,
    /// Maximum QoS.
    pub(super) quality: u8,
    /// The keep alive that it wants instead, in seconds.
    pub(super) keep_alive: Option<u16>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { window: u16::MAX, packet: LONGEST, quality: 2, keep_alive: None }
    }
}

impl Packet {
    pub(super) fn read(version: Version, from: &mut impl Read) -> io::Result<Self> {
        let mut head = [0];
        from.read_exact(&mut head)?;
        let (mut length, mut shift) = (0_usize, 0_u32);
        loop {
            let mut octet = [0];
            from.read_exact(&mut octet)?;
            length |= usize::from(octet[0] & 0x7F) << shift;
            if octet[0] < 0x80 {
                break;
            }
            shift += 7;
            if shift > 21 {
                return Err(strange());
            }
        }
        // Nothing that is said to one who subscribes to nothing is long.
        if length > 64 << 10 {
            return Err(strange());
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        match (head[0], body.as_slice()) {
            (0x20, [_, code]) => Ok(Self::Connected { code: *code, limits: Limits::default() }),
            (0x20, [_, code, properties @ ..]) if version == Version::V5 => {
                Ok(Self::Connected { code: *code, limits: limits(properties).ok_or_else(strange)? })
            }
            (0x40, [high, low, rest @ ..]) => {
                // §3.4.2.1 of 5.0: without a reason code all went well.
                let code = rest.first().copied().unwrap_or_default();
                Ok(Self::Taken { id: u16::from_be_bytes([*high, *low]), code })
            }
            (0xD0, []) => Ok(Self::Pong),
            (0xE0, rest) => Ok(Self::Ended { code: rest.first().copied().unwrap_or_default() }),
            _ => Err(strange()),
        }
    }
}

/// §3.2.2.3 of 5.0. None if they are broken.
fn limits(properties: &[u8]) -> Option<Limits> {
    let mut limits = Limits::default();
    let (length, mut rest) = variable(properties)?;
    if length != rest.len() {
        return None;
    }
    while let Some((name, value)) = rest.split_first() {
        let word = |at: usize| value.get(at..)?.first_chunk().map(|octets| usize::from(u16::from_be_bytes(*octets)));
        let length = match name {
            0x21 => {
                limits.window = u16::try_from(word(0)?).ok()?;
                2
            }
            0x27 => {
                limits.packet = word(0)? << 16 | word(2)?;
                4
            }
            0x24 => {
                limits.quality = *value.first()?;
                1
            }
            0x13 => {
                limits.keep_alive = u16::try_from(word(0)?).ok();
                2
            }
            // Retain, Wildcard Subscription, Subscription Identifier and Shared Subscription Available.
            0x25 | 0x28 | 0x29 | 0x2A => 1,
            // Topic Alias Maximum.
            0x22 => 2,
            // Session Expiry Interval.
            0x11 => 4,
            // Assigned Client Identifier, Authentication Method and Data, Response Information, Server Reference, Reason.
            0x12 | 0x15 | 0x16 | 0x1A | 0x1C | 0x1F => 2 + word(0)?,
            // User Property.
            0x26 => {
                let name = 2 + word(0)?;
                name + 2 + word(name)?
            }
            _ => return None,
        };
        rest = value.get(length..)?;
    }
    Some(limits)
}

/// A variable byte integer (§1.5.5 of 5.0), and what follows.
fn variable(octets: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0;
    for (place, octet) in octets.iter().take(4).enumerate() {
        number |= usize::from(octet & 0x7F) << (7 * place);
        if *octet < 0x80 {
            return Some((number, octets.get(place + 1..)?));
        }
    }
    None
}

/// The words for a code with which a broker refuses: §3.2.2.3 of 3.1.1, §2.4 of 5.0.
pub(super) fn refusal(version: Version, code: u8) -> String {
    let words = match (version, code) {
        (Version::V3, 1) => "it does not speak MQTT 3.1.1",
        (Version::V3, 2) | (_, 0x85) => "it does not want the client's name; set another as `client`",
        (Version::V3, 3) | (_, 0x88) => "it is not available",
        (Version::V3, 4) | (_, 0x86) => "the user or the password is wrong",
        (Version::V3, 5) | (_, 0x87) => "not authorized, by its rules",
        (Version::V5, 1 | 0x84) => "it does not speak MQTT 5.0; set `version = \"3.1.1\"`",
        (_, 0x83) => "it refuses for a reason of its own",
        (_, 0x89) => "it is busy",
        (_, 0x8A) => "it has banned this client",
        (_, 0x8B) => "it is shutting down",
        (_, 0x8D) => "it has not heard from us for too long",
        (_, 0x8E) => "another client came with the same name; set another as `client`",
        (_, 0x90) => "it does not want the topic",
        (_, 0x93) => "more messages were on their way than it takes",
        (_, 0x95) => "a message was longer than it takes",
        (_, 0x97) => "a quota is used up",
        (_, 0x99) => "it does not want the form of a message",
        (_, 0x9A) => "it retains no messages; leave out `status`",
        (_, 0x9B) => "it does not take messages at least once (QoS 1)",
        _ => return format!("it refuses with the code {code:#04x}"),
    };
    words.into()
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it does not answer as MQTT does; is it a broker?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_those_of_the_standards() {
        let mut out = Vec::new();
        let who =
            Connect { client: "hp", keep_alive: 60, user: Some("u"), password: Some("p"), will: Some(("s", "off")) };
        connect(Version::V3, &who, &mut out);
        assert_eq!(out, b"\x10\x1c\x00\x04MQTT\x04\xee\x00\x3c\x00\x02hp\x00\x01s\x00\x03off\x00\x01u\x00\x01p");
        out.clear();
        connect(Version::V5, &Connect { user: None, password: None, will: None, ..who }, &mut out);
        assert_eq!(out, b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02hp");
        out.clear();
        publish(Version::V5, "a/b", 258, Retain::No, b"{}", &mut out);
        publish(Version::V3, "a", 1, Retain::Yes, &[b'x'; 200], &mut out);
        assert!(out.starts_with(b"\x32\x0a\x00\x03a/b\x01\x02\x00{}\x33\xcd\x01\x00\x01a\x00\x01xx"));
        assert_eq!(out.len(), 12 + 3 + 205);
    }

    #[test]
    fn lengths_are_as_short_as_can_be() {
        for (length, octets) in [(127, 2), (128, 3), (16_383, 3), (16_384, 4), (2_097_152, 5)] {
            let mut out = Vec::new();
            packet(0x30, &mut out, |out| out.resize(out.len() + length, 0));
            assert_eq!(out.len(), octets + length);
            assert_eq!(variable(&out[1..]).unwrap().0, length);
        }
    }

    #[test]
    fn what_a_broker_says_is_understood() {
        let read = |version, wire: &[u8]| Packet::read(version, &mut { wire });
        let three = read(Version::V3, b"\x20\x02\x00\x05").unwrap();
        assert_eq!(three, Packet::Connected { code: 5, limits: Limits::default() });
        let wire = b"\x20\x17\x00\x00\x14\x21\x00\x14\x27\x00\x01\x00\x00\x22\x00\x0a\x12\x00\x02id\x24\x01\x25\x01";
        let limits = Limits { window: 20, packet: 65_536, quality: 1, keep_alive: None };
        assert_eq!(read(Version::V5, wire).unwrap(), Packet::Connected { code: 0, limits });
        assert_eq!(read(Version::V3, b"\x40\x02\x01\x02").unwrap(), Packet::Taken { id: 258, code: 0 });
        assert_eq!(read(Version::V5, b"\x40\x04\x01\x02\x87\x00").unwrap(), Packet::Taken { id: 258, code: 0x87 });
        assert_eq!(read(Version::V5, b"\xe0\x01\x8e").unwrap(), Packet::Ended { code: 0x8E });
        assert_eq!(read(Version::V5, b"\xd0\x00").unwrap(), Packet::Pong);
        for wrong in [&b"HTTP/1.1"[..], b"\x20\xff\xff\xff\xff\x01", b"\x20\x03\x00\x00\x09", b"\x40\x01\x00", b""] {
            assert!(read(Version::V5, wrong).is_err(), "{wrong:?}");
        }
    }
}
