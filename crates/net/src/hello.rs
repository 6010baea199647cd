//! The ClientHello: what a peer says of itself before anything is encrypted (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). Apart,
//! because the library that does the handshake tells none of it when the handshake fails, and never a fingerprint.

use honeyplant_core::{
    bytes::{Reader, Short},
    event::Hello,
};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What `heard`, the first bytes of a connection, says; nothing if it is no whole ClientHello.
pub(crate) fn read(heard: &[u8]) -> Option<Hello> {
    Some(parts(heard)?.hello())
}

/// The greatest version that it offers, if that is before TLS 1.2.
pub(crate) fn outdated(heard: &[u8]) -> Option<u16> {
    parts(heard).map(|parts| parts.greatest()).filter(|version| *version < 0x0303)
}

fn parts(heard: &[u8]) -> Option<Parts> {
    parse(&unframed(heard)).ok().flatten()
}

/// The records of a handshake without their frames (RFC 8446 §5.1).
fn unframed(heard: &[u8]) -> Vec<u8> {
    const HANDSHAKE: u8 = 22;
    let (mut records, mut message) = (Reader::new(heard), Vec::new());
    while let Ok([HANDSHAKE, 3, _, high, low]) = records.array() {
        match records.take(usize::from(u16::from_be_bytes([high, low]))) {
            Ok(part) => message.extend_from_slice(part),
            Err(Short) => message.extend_from_slice(records.rest()),
        }
    }
    message
}

/// What is fingerprinted of a ClientHello.
#[derive(Debug, Default)]
struct Parts {
    version: u16,
    suites: Vec<u16>,
    extensions: Vec<u16>,
    groups: Vec<u16>,
    formats: Vec<u16>,
    signatures: Vec<u16>,
    versions: Vec<u16>,
    protocols: Vec<Vec<u8>>,
    server_name: Option<String>,
}

fn parse(message: &[u8]) -> Result<Option<Parts>, Short> {
    const CLIENT_HELLO: u8 = 1;
    let mut message = Reader::new(message);
    let [kind, a, b, c] = message.array()?;
    if kind != CLIENT_HELLO {
        return Ok(None);
    }
    let mut body = Reader::new(message.take(u32::from_be_bytes([0, a, b, c]) as usize)?);
    let mut parts = Parts { version: body.be16()?, ..Parts::default() };
    body.take(32)?;
    let session = body.u8()?;
    body.take(session.into())?;
    parts.suites = numbers(counted(&mut body)?);
    let compressions = body.u8()?;
    body.take(compressions.into())?;
    // SSL 3.0 and many clients of TLS 1.0 have none.
    if body.left() > 0 {
        let mut extensions = Reader::new(counted(&mut body)?);
        while extensions.left() > 0 {
            let kind = extensions.be16()?;
            parts.extensions.push(kind);
            // What is broken inside of one says nothing; the library refuses it.
            let _ = parts.extension(kind, counted(&mut extensions)?);
        }
    }
    Ok(Some(parts))
}

impl Parts {
    fn extension(&mut self, kind: u16, body: &[u8]) -> Result<(), Short> {
        let mut body = Reader::new(body);
        match kind {
            // RFC 6066 §3
            0 => {
                let mut names = Reader::new(counted(&mut body)?);
                while names.left() > 0 {
                    let (kind, name) = (names.u8()?, counted(&mut names)?);
                    if kind == 0 {
                        self.server_name = Some(String::from_utf8_lossy(name).into_owned());
                        break;
                    }
                }
            }
            // RFC 8422 §5.1
            10 => self.groups = numbers(counted(&mut body)?),
            11 => self.formats = counted_u8(&mut body)?.iter().copied().map(Into::into).collect(),
            // RFC 8446 §4.2.3
            13 => self.signatures = numbers(counted(&mut body)?),
            // RFC 7301 §3.1
            16 => {
                let mut names = Reader::new(counted(&mut body)?);
                while names.left() > 0 {
                    self.protocols.push(counted_u8(&mut names)?.to_vec());
                }
            }
            // RFC 8446 §4.2.1
            43 => self.versions = numbers(counted_u8(&mut body)?),
            _ => {}
        }
        Ok(())
    }

    fn hello(self) -> Hello {
        Hello {
            offered: name(self.greatest()),
            server_name: self.server_name.as_deref().map(Into::into),
            protocols: self.protocols.iter().map(|name| String::from_utf8_lossy(name).into()).collect(),
            ja3: hexadecimal(&Md5::digest(self.ja3())).into(),
            ja4: self.ja4().into(),
            suites: self.suites,
        }
    }

    /// The greatest version that is offered.
    fn greatest(&self) -> u16 {
        self.versions.iter().copied().filter(|version| !is_grease(*version)).max().unwrap_or(self.version)
    }

    /// The text that JA3 hashes: five lists of numbers, without GREASE.
    fn ja3(&self) -> String {
        let list = |numbers: &[u16]| joined(numbers.iter().filter(|number| !is_grease(**number)), "-");
        let [suites, extensions, groups] = [&self.suites, &self.extensions, &self.groups].map(|numbers| list(numbers));
        format!("{},{suites},{extensions},{groups},{}", self.version, joined(&self.formats, "-"))
    }

    /// JA4, as its authors define it: what is offered in a few letters, and two hashes that do not depend on the order.
    fn ja4(&self) -> String {
        const SERVER_NAME: u16 = 0;
        const PROTOCOLS: u16 = 16;
        let plain = |numbers: &[u16]| -> Vec<u16> { numbers.iter().copied().filter(|n| !is_grease(*n)).collect() };
        let (mut suites, mut extensions) = (plain(&self.suites), plain(&self.extensions));
        let (version, counts) = (short(self.greatest()), [suites.len().min(99), extensions.len().min(99)]);
        let asks = if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
        suites.sort_unstable();
        extensions.retain(|kind| !matches!(*kind, SERVER_NAME | PROTOCOLS));
        extensions.sort_unstable();
        let mut features = hexadecimals(&extensions);
        if !self.signatures.is_empty() {
            features = format!("{features}_{}", hexadecimals(&plain(&self.signatures)));
        }
        let hash = |numbers: &[u16], text: &str| match numbers {
            [] => "000000000000".to_owned(),
            _ => hexadecimal(&Sha256::digest(text)).chars().take(12).collect(),
        };
        let [suites_hash, features_hash] = [hash(&suites, &hexadecimals(&suites)), hash(&extensions, &features)];
        let protocol = self.protocols.first().map_or("00".to_owned(), |name| ends(name));
        let [suites, extensions] = counts;
        format!("t{version}{asks}{suites:02}{extensions:02}{protocol}_{suites_hash}_{features_hash}")
    }
}

/// The first and the last letter of a protocol's name; of the octets in hexadecimal, if they are no letters or digits.
fn ends(name: &[u8]) -> String {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return "00".to_owned() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)].into_iter().collect();
    }
    let (first, last) = (format!("{first:02x}"), format!("{last:02x}"));
    first.chars().take(1).chain(last.chars().skip(1)).collect()
}

/// RFC 8701
const fn is_grease(number: u16) -> bool {
    number & 0x0F0F == 0x0A0A && number >> 8 == number & 0xFF
}

const fn name(version: u16) -> &'static str {
    match version {
        0x0304 => "1.3",
        0x0303 => "1.2",
        0x0302 => "1.1",
        0x0301 => "1.0",
        0x0300 => "SSL 3.0",
        _ => "unknown",
    }
}

/// A version as JA4 writes it.
const fn short(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        _ => "00",
    }
}

fn counted<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let length = reader.be16()?;
    reader.take(length.into())
}

fn counted_u8<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let length = reader.u8()?;
    reader.take(length.into())
}

fn numbers(octets: &[u8]) -> Vec<u16> {
    octets.as_chunks::<2>().0.iter().copied().map(u16::from_be_bytes).collect()
}

fn joined<'a>(numbers: impl IntoIterator<Item = &'a u16>, between: &str) -> String {
    numbers.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

fn hexadecimals(numbers: &[u16]) -> String {
    numbers.iter().map(|number| format!("{number:04x}")).collect::<Vec<_>>().join(",")
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use honeyplant_core::bytes::{counted_be16, counted_u8};

    /// A ClientHello in records of at most `most` bytes.
    fn hello(version: u16, suites: &[u16], extensions: &[(u16, Vec<u8>)], most: usize) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        counted_be16(&mut body, |out| suites.iter().for_each(|suite| out.extend(suite.to_be_bytes())));
        body.extend([1, 0]);
        counted_be16(&mut body, |out| {
            for (kind, content) in extensions {
                out.extend(kind.to_be_bytes());
                counted_be16(out, |out| out.extend(content));
            }
        });
        let message = [&[1, 0][..], &(body.len() as u16).to_be_bytes(), &body].concat();
        let framed = |part: &[u8]| [&[22, 3, 1][..], &(part.len() as u16).to_be_bytes(), part].concat();
        message.chunks(most).flat_map(framed).collect()
    }

    fn list(numbers: &[u16]) -> Vec<u8> {
        let mut out = Vec::new();
        counted_be16(&mut out, |out| numbers.iter().for_each(|number| out.extend(number.to_be_bytes())));
        out
    }

    /// The browser that JA4's authors explain it with, GREASE included.
    fn browser(most: usize) -> Vec<u8> {
        let suites = [
            0x3A3A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x9C, 0x9D,
            0x2F, 0x35,
        ];
        let mut name = Vec::new();
        counted_be16(&mut name, |out| {
            out.push(0);
            counted_be16(out, |out| out.extend(b"plc.example"));
        });
        let mut protocols = Vec::new();
        counted_be16(&mut protocols, |out| {
            counted_u8(out, |out| out.extend(b"h2"));
            counted_u8(out, |out| out.extend(b"http/1.1"));
        });
        let signatures = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
        let extensions = [
            (0x1A1A, vec![]),
            (0, name),
            (0x17, vec![]),
            (0xFF01, vec![0]),
            (10, list(&[0x2A2A, 29, 23, 24])),
            (11, vec![1, 0]),
            (0x23, vec![]),
            (16, protocols),
            (5, vec![1, 0, 0, 0, 0]),
            (13, list(&signatures)),
            (0x12, vec![]),
            (0x33, vec![0, 0]),
            (0x2D, vec![1, 1]),
            (43, vec![6, 0x7A, 0x7A, 3, 4, 3, 3]),
            (0x1B, vec![2, 0, 2]),
            (0x4469, vec![0, 3, 2, b'h', b'2']),
            (0x15, vec![0; 8]),
        ];
        hello(0x0303, &suites, &extensions, most)
    }

    #[test]
    fn a_browser_has_the_fingerprint_that_is_published_for_it() {
        for most in [usize::MAX, 100, 1] {
            let read = read(&browser(most)).unwrap();
            assert_eq!(&*read.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
            assert_eq!((read.offered, read.server_name.as_deref()), ("1.3", Some("plc.example")));
            assert_eq!(read.protocols.iter().map(|name| &**name).collect::<Vec<_>>(), ["h2", "http/1.1"]);
            assert_eq!((read.suites.len(), outdated(&browser(most))), (16, None));
        }
        let text = "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,\
                    0-23-65281-10-11-35-16-5-13-18-51-45-43-27-17513-21,29-23-24,0";
        assert_eq!(parts(&browser(1000)).unwrap().ja3(), text);
    }

    #[test]
    fn a_client_of_another_age_offers_what_it_has() {
        let mut old = hello(0x0301, &[0x0A, 0x05], &[], usize::MAX);
        assert_eq!((read(&old).unwrap().offered, outdated(&old)), ("1.0", Some(0x0301)));
        assert_eq!(&*read(&old).unwrap().ja4, "t10i020000_ecbe99380d04_000000000000");
        // RFC 6101 knows no extensions.
        old.truncate(old.len() - 2);
        old[4] -= 2;
        old[8] -= 2;
        old[10] = 0;
        assert_eq!((read(&old).unwrap().offered, parts(&old).unwrap().ja3()), ("SSL 3.0", "768,10-5,,,".into()));
    }

    #[test]
    fn what_is_cut_or_no_hello_says_nothing_and_nothing_breaks() {
        let whole = browser(usize::MAX);
        assert!((0..whole.len()).all(|count| read(&whole[..count]).is_none()));
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0xFF;
            let _ = read(&broken);
        }
        assert!(read(b"GET / HTTP/1.1\r\n\r\n").is_none());
        assert!(read(&[22, 3, 1, 0, 4, 2, 0, 0, 0]).is_none(), "a ServerHello");
    }
}
