//! PDUs and the messages of SNMPv1 (RFC 1157) and SNMPv2c (RFC 1901); PDUs are those of RFC 3416. Apart, because nothing
//! here knows who asks and what there is.

use super::{
    oid::Oid,
    value::{Error, Value},
};
use crate::shared::ber::{self, Fault, Reader, Tag};

/// A version, by the number that stands in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2c,
    V3,
    /// One that no agent has, or had (2: SNMPv2u and v2*).
    Unknown(u16),
}

impl Version {
    /// The number of the version in messages.
    pub(super) const fn number(self) -> u16 {
        match self {
            Self::V1 => 0,
            Self::V2c => 1,
            Self::V3 => 3,
            Self::Unknown(number) => number,
        }
    }
}

/// A message whose version is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) version: Version,
    /// All of it. What follows it in the datagram is not looked at, as net-snmp does not look.
    pub(super) whole: &'a [u8],
    /// What follows the version.
    pub(super) rest: Reader<'a>,
}

impl<'a> Message<'a> {
    /// The message that `datagram` is.
    pub(super) fn read(datagram: &'a [u8]) -> Result<Self, Fault> {
        let mut outside = Reader::new(datagram);
        let mut rest = outside.inside(ber::SEQUENCE)?;
        let whole = datagram.get(..datagram.len() - outside.rest().len()).unwrap_or(datagram);
        let version = match rest.integer()? {
            0 => Version::V1,
            1 => Version::V2c,
            3 => Version::V3,
            other => Version::Unknown(u16::try_from(other).unwrap_or(u16::MAX)),
        };
        Ok(Self { version, whole, rest })
    }
}

/// The community of a message of SNMPv1 or SNMPv2c.
pub(super) fn community<'a>(message: &mut Reader<'a>) -> Result<&'a [u8], Fault> {
    message.expect(ber::OCTET_STRING)
}

/// What a PDU is for (RFC 3416 §3; trap: RFC 1157 §4.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Get,
    GetNext,
    Response,
    Set,
    Trap,
    GetBulk,
    Inform,
    SnmpV2Trap,
    Report,
    Unknown(Tag),
}

impl Purpose {
    const fn of(tag: Tag) -> Self {
        match tag {
            0xA0 => Self::Get,
            0xA1 => Self::GetNext,
            0xA2 => Self::Response,
            0xA3 => Self::Set,
            0xA4 => Self::Trap,
            0xA5 => Self::GetBulk,
            0xA6 => Self::Inform,
            0xA7 => Self::SnmpV2Trap,
            0xA8 => Self::Report,
            other => Self::Unknown(other),
        }
    }

    /// The standard's name of it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::GetNext => "get next",
            Self::Response => "response",
            Self::Set => "set",
            Self::Trap => "trap",
            Self::GetBulk => "get bulk",
            Self::Inform => "inform",
            Self::SnmpV2Trap => "snmpv2 trap",
            Self::Report => "report",
            Self::Unknown(_) => "unknown pdu",
        }
    }

    /// Whether whoever sends it waits for an answer (RFC 3411 §2.8, Confirmed Class).
    pub(super) const fn is_confirmed(self) -> bool {
        matches!(self, Self::Get | Self::GetNext | Self::GetBulk | Self::Set | Self::Inform)
    }

    /// The standard's number of it.
    pub(super) const fn number(self) -> u16 {
        match self {
            Self::Get => 0,
            Self::GetNext => 1,
            Self::Response => 2,
            Self::Set => 3,
            Self::Trap => 4,
            Self::GetBulk => 5,
            Self::Inform => 6,
            Self::SnmpV2Trap => 7,
            Self::Report => 8,
            Self::Unknown(tag) => tag,
        }
    }
}

/// A PDU.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pdu<'a> {
    pub(super) purpose: Purpose,
    pub(super) request_id: i32,
    /// error-status, or the non-repeaters of a GetBulkRequest-PDU.
    pub(super) first: i32,
    /// error-index, or the max-repetitions of a GetBulkRequest-PDU.
    pub(super) second: i32,
    /// The variable bindings as they stand in the message.
    pub(super) list: &'a [u8],
    /// The variable bindings.
    pub(super) binds: Vec<Bind>,
}

/// A variable binding.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bind {
    pub(super) name: Oid,
    /// None where it is one that no object has, such as noSuchObject.
    pub(super) value: Option<Value>,
}

impl<'a> Pdu<'a> {
    /// The PDU that comes next. What follows its variable bindings is not looked at.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (tag, contents) = reader.element()?;
        let purpose = Purpose::of(tag);
        let mut pdu = Self { purpose, request_id: 0, first: 0, second: 0, list: &[], binds: Vec::new() };
        if matches!(purpose, Purpose::Trap | Purpose::Unknown(_)) {
            return Ok(pdu);
        }
        let mut fields = reader.nested(contents)?;
        pdu.request_id = fields.integer()? as i32;
        pdu.first = clamped(fields.integer()?);
        pdu.second = clamped(fields.integer()?);
        let mut list = fields.inside(ber::SEQUENCE)?;
        pdu.list = list.rest();
        while !list.is_empty() {
            let mut bind = list.inside(ber::SEQUENCE)?;
            let name = Oid::read(bind.expect(ber::OBJECT_IDENTIFIER)?)?;
            let (tag, contents) = bind.element()?;
            bind.end()?;
            pdu.binds.push(Bind { name, value: Value::read(tag, contents)? });
        }
        Ok(pdu)
    }
}

fn clamped(number: i64) -> i32 {
    number.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// The value that a variable binding has where there is no object, in SNMPv2 (RFC 3416 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    NoSuchObject = 0x80,
    NoSuchInstance = 0x81,
    EndOfMibView = 0x82,
}

impl Absent {
    /// The standard's name of it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NoSuchObject => "no such object",
            Self::NoSuchInstance => "no such instance",
            Self::EndOfMibView => "end of MIB view",
        }
    }
}

/// Appends a variable binding.
pub(super) fn put_bind(out: &mut Vec<u8>, name: &[u32], value: Result<&Value, Absent>) {
    ber::put(out, ber::SEQUENCE, |out| {
        ber::put_object_identifier(out, name);
        match value {
            Ok(value) => value.put(out),
            Err(absent) => ber::put_octets(out, absent as Tag, &[]),
        }
    });
}

/// Where a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// Which variable binding, counted from 1; 0 if it is none of them.
    pub(super) index: usize,
}

/// A Response-PDU or Report-PDU with these variable bindings, which are encoded already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply<'a> {
    pub(super) purpose: Purpose,
    pub(super) request_id: i32,
    pub(super) failure: Option<Failure>,
    pub(super) list: &'a [u8],
}

impl Reply<'_> {
    /// Appends the PDU.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let (status, index) = self.failure.map_or((0, 0), |failure| (failure.error as i64, failure.index as i64));
        ber::put(out, 0xA0 | self.purpose.number(), |out| {
            ber::put_integer(out, ber::INTEGER, i64::from(self.request_id));
            ber::put_integer(out, ber::INTEGER, status);
            ber::put_integer(out, ber::INTEGER, index);
            ber::put_octets(out, ber::SEQUENCE, self.list);
        });
    }
}

/// Appends a message of SNMPv1 or SNMPv2c.
pub(super) fn put_message(out: &mut Vec<u8>, version: Version, community: &[u8], reply: &Reply<'_>) {
    ber::put(out, ber::SEQUENCE, |out| {
        ber::put_integer(out, ber::INTEGER, i64::from(version.number()));
        ber::put_octets(out, ber::OCTET_STRING, community);
        reply.put(out);
    });
}

/// How many octets of encoded variable bindings have place in a message of `longest` octets. What is longer than an octet of
/// length tells makes the heads of list, PDU and message longer by up to two.
pub(super) fn room(longest: usize, version: Version, community: &[u8], request_id: i32) -> usize {
    let mut empty = Vec::new();
    let reply = Reply { purpose: Purpose::Response, request_id, failure: None, list: &[] };
    put_message(&mut empty, version, community, &reply);
    longest.saturating_sub(empty.len() + 3 * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GetNextRequest of 1.3.6.1.2.1.1 in SNMPv2c by net-snmp 5.9.3.
    const GET_NEXT: &[u8] = &[
        0x30, 0x26, 0x02, 0x01, 0x01, 0x04, 0x06, b'p', b'u', b'b', b'l', b'i', b'c', 0xA1, 0x19, 0x02, 0x04, 0x11,
        0x22, 0x33, 0x44, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x0B, 0x30, 0x09, 0x06, 0x05, 0x2B, 6, 1, 2, 1,
        0x05, 0x00,
    ];

    #[test]
    fn reads() {
        let mut message = Message::read(GET_NEXT).unwrap();
        assert_eq!((message.version, community(&mut message.rest).unwrap()), (Version::V2c, &b"public"[..]));
        let pdu = Pdu::read(&mut message.rest).unwrap();
        assert_eq!((pdu.purpose, pdu.request_id, pdu.first, pdu.second), (Purpose::GetNext, 0x1122_3344, 0, 0));
        assert_eq!(pdu.binds, [Bind { name: "1.3.6.1.2.1".parse().unwrap(), value: Some(Value::Null) }]);
    }

    #[test]
    fn is_refused_at_any_earlier_end() {
        for end in 0..GET_NEXT.len() {
            assert_eq!(Message::read(&GET_NEXT[..end]).unwrap_err(), Fault::Short, "{end}");
        }
    }

    #[test]
    fn writes() {
        let Message { version, mut rest, .. } = Message::read(GET_NEXT).unwrap();
        let community = community(&mut rest).unwrap();
        let pdu = Pdu::read(&mut rest).unwrap();
        let (purpose, request_id, list) = (Purpose::Response, pdu.request_id, pdu.list);
        let mut out = Vec::new();
        put_message(&mut out, version, community, &Reply { purpose, request_id, failure: None, list });
        let mut answer = GET_NEXT.to_vec();
        answer[13] = 0xA2;
        assert_eq!(out, answer);
        assert_eq!(room(out.len() + 6, version, community, request_id), list.len());
    }
}
