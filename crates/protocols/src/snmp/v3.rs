//! Messages of SNMPv3 with the User-based Security Model: RFC 3412 §6 and RFC 3414 §2.4. Apart from `wire.rs`, because
//! only the PDU inside is the same.

use super::wire::Message;
use crate::shared::ber::{self, Fault, Reader};

/// How a message is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// noAuthNoPriv
    Open,
    /// authNoPriv
    Authentic,
    /// authPriv
    Private,
}

impl Level {
    const fn flags(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Authentic => 1,
            Self::Private => 3,
        }
    }
}

/// The only security model here (RFC 3411 §5, SnmpSecurityModel).
pub(super) const USM: i64 = 3;

/// HeaderData.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: i32,
    /// The longest message that the sender takes.
    pub(super) max_size: usize,
    /// None if it is private without being authentic.
    pub(super) level: Option<Level>,
    pub(super) reportable: bool,
    pub(super) model: i64,
}

/// UsmSecurityParameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Security<'a> {
    pub(super) engine: &'a [u8],
    pub(super) boots: u32,
    pub(super) time: u32,
    pub(super) user: &'a [u8],
    pub(super) digest: &'a [u8],
    pub(super) salt: &'a [u8],
}

/// ScopedPduData.
#[derive(Clone, Copy, Debug)]
pub(super) enum Data<'a> {
    Plain(Scoped<'a>),
    Encrypted(&'a [u8]),
}

/// ScopedPDU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scoped<'a> {
    pub(super) engine: &'a [u8],
    pub(super) context: &'a [u8],
    /// Where the PDU comes next.
    pub(super) pdu: Reader<'a>,
}

/// The smallest msgMaxSize (RFC 3412 §6).
const SMALLEST: i64 = 484;

impl Header {
    /// The header of `message`, and what follows it.
    pub(super) fn read(message: &mut Message<'_>) -> Result<Self, Fault> {
        let mut header = message.rest.inside(ber::SEQUENCE)?;
        let id = header.integer()?;
        let max_size = header.integer()?;
        let flags = match header.expect(ber::OCTET_STRING)? {
            [flags] => *flags,
            _ => return Err(Fault::Unexpected),
        };
        let model = header.integer()?;
        let id = i32::try_from(id).ok().filter(|id| *id >= 0).ok_or(Fault::Integer)?;
        if max_size < SMALLEST || model < 1 {
            return Err(Fault::Integer);
        }
        let level = match flags & 3 {
            0 => Some(Level::Open),
            1 => Some(Level::Authentic),
            3 => Some(Level::Private),
            _ => None,
        };
        let max_size = usize::try_from(max_size).unwrap_or(usize::MAX);
        Ok(Self { id, max_size, level, reportable: flags & 4 != 0, model })
    }
}

impl<'a> Security<'a> {
    /// The security parameters of `message`, and where in the whole of it the digest ends.
    pub(super) fn read(message: &mut Message<'a>) -> Result<(Self, usize), Fault> {
        let mut octets = message.rest;
        let octets_inside = octets.expect(ber::OCTET_STRING)?;
        message.rest = octets;
        let mut outer = octets.nested(octets_inside)?;
        let mut fields = outer.inside(ber::SEQUENCE)?;
        outer.end()?;
        let engine = fields.expect(ber::OCTET_STRING)?;
        let boots = natural(fields.integer()?)?;
        let time = natural(fields.integer()?)?;
        let user = fields.expect(ber::OCTET_STRING)?;
        let digest = fields.expect(ber::OCTET_STRING)?;
        let behind = fields.rest().len() + message.rest.rest().len();
        let salt = fields.expect(ber::OCTET_STRING)?;
        fields.end()?;
        Ok((Self { engine, boots, time, user, digest, salt }, message.whole.len().saturating_sub(behind)))
    }

    fn put(&self, out: &mut Vec<u8>) {
        ber::put(out, ber::OCTET_STRING, |out| {
            ber::put(out, ber::SEQUENCE, |out| {
                ber::put_octets(out, ber::OCTET_STRING, self.engine);
                ber::put_integer(out, ber::INTEGER, i64::from(self.boots));
                ber::put_integer(out, ber::INTEGER, i64::from(self.time));
                ber::put_octets(out, ber::OCTET_STRING, self.user);
                ber::put_octets(out, ber::OCTET_STRING, self.digest);
                ber::put_octets(out, ber::OCTET_STRING, self.salt);
            });
        });
    }
}

fn natural(number: i64) -> Result<u32, Fault> {
    i32::try_from(number).ok().and_then(|number| u32::try_from(number).ok()).ok_or(Fault::Integer)
}

impl<'a> Data<'a> {
    /// The data of `message`.
    pub(super) fn read(message: &mut Message<'a>) -> Result<Self, Fault> {
        let mut ahead = message.rest;
        match ahead.expect(ber::OCTET_STRING) {
            Ok(octets) => Ok(Self::Encrypted(octets)),
            Err(_) => Scoped::read(&mut message.rest).map(Self::Plain),
        }
    }
}

impl<'a> Scoped<'a> {
    /// The ScopedPDU that comes next; what encryption added behind it is passed over.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let mut pdu = reader.inside(ber::SEQUENCE)?;
        let engine = pdu.expect(ber::OCTET_STRING)?;
        let context = pdu.expect(ber::OCTET_STRING)?;
        Ok(Self { engine, context, pdu })
    }
}

/// Appends a ScopedPDU whose PDU `pdu` writes.
pub(super) fn put_scoped(out: &mut Vec<u8>, engine: &[u8], context: &[u8], pdu: impl FnOnce(&mut Vec<u8>)) {
    ber::put(out, ber::SEQUENCE, |out| {
        ber::put_octets(out, ber::OCTET_STRING, engine);
        ber::put_octets(out, ber::OCTET_STRING, context);
        pdu(out);
    });
}

/// A message whose encoded data is `data`, and where in it the digest ends.
pub(super) fn message(header: &Header, security: &Security<'_>, data: &[u8]) -> (Vec<u8>, usize) {
    let mut out = Vec::with_capacity(160 + data.len());
    ber::put(&mut out, ber::SEQUENCE, |out| {
        ber::put_integer(out, ber::INTEGER, 3);
        ber::put(out, ber::SEQUENCE, |out| {
            ber::put_integer(out, ber::INTEGER, i64::from(header.id));
            ber::put_integer(out, ber::INTEGER, header.max_size as i64);
            let flags = header.level.map_or(0, Level::flags) | if header.reportable { 4 } else { 0 };
            ber::put_octets(out, ber::OCTET_STRING, &[flags]);
            ber::put_integer(out, ber::INTEGER, header.model);
        });
        security.put(out);
        out.extend_from_slice(data);
    });
    let end = out.len().saturating_sub(data.len() + 2 + security.salt.len());
    (out, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_with_the_place_of_its_digest() {
        let header = Header { id: 7, max_size: 1472, level: Some(Level::Private), reportable: true, model: USM };
        let (digest, salt) = ([9; 12], [8; 8]);
        let security =
            Security { engine: &[0x80, 0, 0, 1, 5, 1], boots: 3, time: 4, user: b"op", digest: &digest, salt: &salt };
        let mut data = Vec::new();
        ber::put_octets(&mut data, ber::OCTET_STRING, &[7; 200]);
        let (out, end) = message(&header, &security, &data);
        assert_eq!(out[end - 12..end], digest);
        let mut read = Message::read(&out).unwrap();
        assert_eq!(Header::read(&mut read), Ok(header));
        assert_eq!(Security::read(&mut read), Ok((security, end)));
        assert!(matches!(Data::read(&mut read), Ok(Data::Encrypted([7, ..]))));
    }
}
