//! The first variable of an SNMP message (RFC 1157, RFC 3416, RFC 3412 §6), which is what Conpot tells of one. Apart,
//! because it is all that is read from bytes here: the facts of an event do not have it of every request.

use std::fmt::Write as _;

/// What Conpot tells of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// 1, 2 or 3.
    pub(super) version: u8,
    /// What is asked, in its words.
    pub(super) purpose: &'static str,
    /// Whether it tells an error.
    pub(super) failed: bool,
    /// The first variable and its value.
    pub(super) first: Option<(String, String)>,
}

/// Reads a message; none if it is not one, or is encrypted.
pub(super) fn read(datagram: &[u8]) -> Option<Message> {
    let mut message = Ber(datagram).expect(0x30)?;
    let version = match message.expect(0x02)?.0 {
        [0] => 1,
        [1] => 2,
        [3] => 3,
        _ => return None,
    };
    let mut pdu = if version == 3 {
        message.expect(0x30)?;
        message.expect(0x04)?;
        // An encrypted one is an octet string.
        let mut scoped = message.expect(0x30)?;
        scoped.expect(0x04)?;
        scoped.expect(0x04)?;
        scoped
    } else {
        message.expect(0x04)?;
        message
    };
    let (tag, mut pdu) = pdu.next()?;
    let purpose = match tag {
        0xA0 => "Get",
        0xA1 => "GetNext",
        0xA2 => "Response",
        0xA3 => "Set",
        0xA5 => "Bulk",
        _ => return None,
    };
    pdu.expect(0x02)?;
    let failed = tag == 0xA2 && pdu.expect(0x02)?.0.iter().any(|byte| *byte != 0);
    if tag != 0xA2 {
        pdu.expect(0x02)?;
    }
    pdu.expect(0x02)?;
    let mut list = pdu.expect(0x30)?;
    let first = list.expect(0x30).and_then(|mut bind| {
        let name = dotted(bind.expect(0x06)?.0)?;
        let (tag, value) = bind.next()?;
        Some((name, shown(tag, value.0)))
    });
    Some(Message { version, purpose, failed, first })
}

/// Basic Encoding Rules (ITU-T X.690 §8), as far as SNMP uses them.
#[derive(Clone, Copy)]
struct Ber<'a>(&'a [u8]);

impl<'a> Ber<'a> {
    fn next(&mut self) -> Option<(u8, Self)> {
        let (&[tag, short], mut rest) = self.0.split_first_chunk::<2>()?;
        let mut length = usize::from(short);
        if short & 0x80 != 0 {
            let (bytes, after) =
                rest.split_at_checked(usize::from(short & 0x7F)).filter(|(bytes, _)| bytes.len() <= 4)?;
            length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((tag, Self(content)))
    }

    fn expect(&mut self, tag: u8) -> Option<Self> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

/// X.690 §8.19.
fn dotted(bytes: &[u8]) -> Option<String> {
    let (mut text, mut arc) = (String::new(), 0_u64);
    for byte in bytes {
        arc = arc.checked_shl(7).filter(|_| arc < 1 << 32)? | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            // Writing to a text does not fail.
            let _ = if text.is_empty() {
                let root = (arc / 40).min(2);
                write!(text, "{root}.{}", arc - root * 40)
            } else {
                write!(text, ".{arc}")
            };
            arc = 0;
        }
    }
    Some(text)
}

fn shown(tag: u8, value: &[u8]) -> String {
    let unsigned = || value.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)).to_string();
    match tag {
        0x02 => {
            let start = if value.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
            value.iter().fold(start, |number: i64, byte| number << 8 | i64::from(*byte)).to_string()
        }
        0x04 | 0x44 => match str::from_utf8(value) {
            Ok(text) if !text.chars().any(|c| c.is_control() && !c.is_whitespace()) => text.to_owned(),
            _ => value.iter().fold("0x".to_owned(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            }),
        },
        0x06 => dotted(value).unwrap_or_default(),
        0x40 => value.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        0x41..=0x43 | 0x46 => unsigned(),
        // Null, and what says that there is no such object or nothing after it.
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_is_told() {
        let get =
            b"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x0e\x30\x0c\x06\x08\
            \x2b\x06\x01\x02\x01\x01\x05\x00\x05\x00";
        let expected = Message {
            version: 2,
            purpose: "Get",
            failed: false,
            first: Some(("1.3.6.1.2.1.1.5.0".into(), String::new())),
        };
        assert_eq!(read(get), Some(expected));
        for end in 0..get.len() {
            assert_eq!(read(&get[..end]), None);
        }
        let mut refused = get.to_vec();
        (refused[13], refused[20]) = (0xA2, 2);
        assert!(read(&refused).unwrap().failed);
    }

    #[test]
    fn values_are_shown_as_text() {
        for (tag, value, text) in [
            (0x02, &[0xFF, 0xFE][..], "-2"),
            (0x43, &[0x80, 0x00], "32768"),
            (0x04, b"plc\xff", "0x706c63ff"),
            (0x04, b"plc 1", "plc 1"),
            (0x06, &[0x2B, 6, 1, 4, 1, 0x81, 0x1F], "1.3.6.1.4.1.159"),
            (0x40, &[192, 0, 2, 1], "192.0.2.1"),
            (0x81, &[], ""),
        ] {
            assert_eq!(shown(tag, value), text);
        }
    }
}
