//! The values of objects, RFC 2578 §7.1 and RFC 3416 §3, and why an object refuses one. Apart, because messages carry
//! them and the tree of objects makes them.

use super::oid::Oid;
use crate::shared::ber::{self, Fault, Tag};
use honeyplant_core::plant;
use smallvec::SmallVec;
use std::net::Ipv4Addr;

/// The octets of a value; most are short.
pub(super) type Octets = SmallVec<[u8; 32]>;

/// A value as an object has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(i32),
    OctetString(Octets),
    /// What a request has in the place of a value.
    Null,
    ObjectId(Oid),
    IpAddress([u8; 4]),
    Counter32(u32),
    /// Unsigned32 is the same.
    Gauge32(u32),
    /// Hundredths of a second.
    TimeTicks(u32),
    Opaque(Vec<u8>),
    Counter64(u64),
}

const IP_ADDRESS: Tag = 0x40;
const COUNTER32: Tag = 0x41;
const GAUGE32: Tag = 0x42;
const TIME_TICKS: Tag = 0x43;
const OPAQUE: Tag = 0x44;
const COUNTER64: Tag = 0x46;

impl Value {
    /// The value that `contents` under `tag` are; none if no object has such a one.
    pub(super) fn read(tag: Tag, contents: &[u8]) -> Result<Option<Self>, Fault> {
        // Numbers of more than 32 bits are cut, as net-snmp cuts them.
        let unsigned = || ber::unsigned(contents).map(|number| number as u32);
        Ok(Some(match tag {
            ber::INTEGER => Self::Integer(ber::integer(contents)? as i32),
            ber::OCTET_STRING => Self::OctetString(contents.into()),
            ber::NULL => Self::Null,
            ber::OBJECT_IDENTIFIER => Self::ObjectId(Oid::read(contents)?),
            IP_ADDRESS => match contents.try_into() {
                Ok(address) => Self::IpAddress(address),
                Err(_) => return Ok(None),
            },
            COUNTER32 => Self::Counter32(unsigned()?),
            GAUGE32 => Self::Gauge32(unsigned()?),
            TIME_TICKS => Self::TimeTicks(unsigned()?),
            OPAQUE => Self::Opaque(contents.to_vec()),
            COUNTER64 => Self::Counter64(ber::unsigned(contents)?),
            _ => return Ok(None),
        }))
    }

    /// Appends the value.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Integer(number) => ber::put_integer(out, ber::INTEGER, i64::from(*number)),
            Self::OctetString(octets) => ber::put_octets(out, ber::OCTET_STRING, octets),
            Self::Null => ber::put_octets(out, ber::NULL, &[]),
            Self::ObjectId(oid) => ber::put_object_identifier(out, oid),
            Self::IpAddress(address) => ber::put_octets(out, IP_ADDRESS, address),
            Self::Counter32(number) => ber::put_unsigned(out, COUNTER32, u64::from(*number)),
            Self::Gauge32(number) => ber::put_unsigned(out, GAUGE32, u64::from(*number)),
            Self::TimeTicks(number) => ber::put_unsigned(out, TIME_TICKS, u64::from(*number)),
            Self::Opaque(octets) => ber::put_octets(out, OPAQUE, octets),
            Self::Counter64(number) => ber::put_unsigned(out, COUNTER64, *number),
        }
    }

    /// The value as it is recorded: octets as text if they are some, and otherwise in hexadecimal digits.
    pub(super) fn plain(&self) -> plant::Value {
        match self {
            Self::Integer(number) => plant::Value::Int(i64::from(*number)),
            Self::OctetString(octets) => text(octets),
            Self::Null => plant::Value::Text("".into()),
            Self::ObjectId(oid) => plant::Value::Text(oid.to_string().into()),
            Self::IpAddress(address) => plant::Value::Text(Ipv4Addr::from(*address).to_string().into()),
            Self::Counter32(number) | Self::Gauge32(number) | Self::TimeTicks(number) => {
                plant::Value::Uint(u64::from(*number))
            }
            Self::Opaque(octets) => hex(octets),
            Self::Counter64(number) => plant::Value::Uint(*number),
        }
    }
}

fn text(octets: &[u8]) -> plant::Value {
    let readable = |text: &&str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    let text = std::str::from_utf8(octets).ok().filter(readable);
    text.map_or_else(|| hex(octets), |text| plant::Value::Text(text.into()))
}

fn hex(octets: &[u8]) -> plant::Value {
    use std::fmt::Write;
    let digits = octets.iter().fold("0x".to_owned(), |mut text, octet| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    });
    plant::Value::Text(digits.into())
}

/// An error-status other than noError, of those that an object or an agent here has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Error {
    TooBig = 1,
    NoSuchName = 2,
    BadValue = 3,
    GenErr = 5,
    NoAccess = 6,
    WrongType = 7,
    WrongLength = 8,
    WrongValue = 10,
    NoCreation = 11,
    InconsistentValue = 12,
    CommitFailed = 14,
    UndoFailed = 15,
    Authorization = 16,
    NotWritable = 17,
}

impl Error {
    /// The same as SNMPv1 says it (RFC 3584 §4.4).
    pub(super) const fn first_version(self) -> Self {
        match self {
            Self::WrongType | Self::WrongLength | Self::WrongValue | Self::InconsistentValue | Self::BadValue => {
                Self::BadValue
            }
            Self::NoAccess | Self::NotWritable | Self::NoCreation | Self::Authorization | Self::NoSuchName => {
                Self::NoSuchName
            }
            Self::CommitFailed | Self::UndoFailed | Self::GenErr => Self::GenErr,
            Self::TooBig => Self::TooBig,
        }
    }

    /// The standard's name of it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TooBig => "too big",
            Self::NoSuchName => "no such name",
            Self::BadValue => "bad value",
            Self::GenErr => "general error",
            Self::NoAccess => "no access",
            Self::WrongType => "wrong type",
            Self::WrongLength => "wrong length",
            Self::WrongValue => "wrong value",
            Self::NoCreation => "no creation",
            Self::InconsistentValue => "inconsistent value",
            Self::CommitFailed => "commit failed",
            Self::UndoFailed => "undo failed",
            Self::Authorization => "authorization error",
            Self::NotWritable => "not writable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::ber::Reader;

    #[test]
    fn values_come_back() {
        for value in [
            Value::Integer(-7),
            Value::OctetString([0xE4, 0].as_slice().into()),
            Value::Null,
            Value::ObjectId("1.3.6.1.4.1.3833".parse().unwrap()),
            Value::IpAddress([192, 0, 2, 1]),
            Value::Counter32(u32::MAX),
            Value::Gauge32(1 << 31),
            Value::TimeTicks(5),
            Value::Opaque(vec![0x9F, 0x78, 0x04]),
            Value::Counter64(u64::MAX),
        ] {
            let mut out = Vec::new();
            value.put(&mut out);
            let (tag, contents) = Reader::new(&out).element().unwrap();
            assert_eq!(Value::read(tag, contents), Ok(Some(value)));
        }
        assert_eq!(Value::read(0x45, &[]), Ok(None));
        assert_eq!(Value::read(IP_ADDRESS, &[1, 2, 3]), Ok(None));
    }

    #[test]
    fn octets_are_recorded_as_text_if_they_are_some() {
        let plain = |octets: &[u8]| Value::OctetString(octets.into()).plain().to_string();
        assert_eq!(plain("Pumpwerk Süd".as_bytes()), "\"Pumpwerk Süd\"");
        assert_eq!(plain(&[0, 0x80, 0xF4]), "\"0x0080f4\"");
    }
}
