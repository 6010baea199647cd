//! ASDUs: the data unit identifier, causes and types. IEC 60870-5-101 Ed. 2 (2003) §7.1 and §7.2.1 to §7.2.5, with the
//! sizes of IEC 60870-5-104 Ed. 2 (2006) §7.1. Apart from `element.rs`, which has what an information object holds.

use super::wire::LONGEST_ASDU;
use honeyplant_core::bytes::{Reader, Short};
use smallvec::SmallVec;

/// How many octets the fields have that systems may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) cause: u8,
    pub(super) address: u8,
    pub(super) object: u8,
}

impl Sizes {
    /// The greatest information object address.
    pub(super) fn last_object(self) -> u32 {
        (1_u32 << (8 * self.object.min(3))) - 1
    }
}

/// The common address that means all stations (§7.2.4).
pub(super) const EVERYONE: u16 = 0xFFFF;

/// The causes of transmission (§7.2.3, table 14).
pub(super) mod cause {
    pub(in super::super) const PERIODIC: u8 = 1;
    pub(in super::super) const BACKGROUND: u8 = 2;
    pub(in super::super) const SPONTANEOUS: u8 = 3;
    pub(in super::super) const INITIALISED: u8 = 4;
    pub(in super::super) const REQUEST: u8 = 5;
    pub(in super::super) const ACTIVATION: u8 = 6;
    pub(in super::super) const ACTIVATION_CON: u8 = 7;
    pub(in super::super) const DEACTIVATION: u8 = 8;
    pub(in super::super) const DEACTIVATION_CON: u8 = 9;
    pub(in super::super) const ACTIVATION_TERM: u8 = 10;
    pub(in super::super) const RETURN_REMOTE: u8 = 11;
    pub(in super::super) const STATION: u8 = 20;
    pub(in super::super) const COUNTERS: u8 = 37;
    pub(in super::super) const UNKNOWN_TYPE: u8 = 44;
    pub(in super::super) const UNKNOWN_CAUSE: u8 = 45;
    pub(in super::super) const UNKNOWN_ADDRESS: u8 = 46;
    pub(in super::super) const UNKNOWN_OBJECT: u8 = 47;
}

/// The data unit identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) type_id: u8,
    /// Whether only the first object has its address (SQ).
    pub(super) sequence: bool,
    /// How many objects or elements there are.
    pub(super) number: u8,
    pub(super) test: bool,
    pub(super) negative: bool,
    pub(super) cause: u8,
    pub(super) originator: u8,
    /// The common address; 65535 is everyone, also where it has one octet.
    pub(super) address: u16,
}

impl Header {
    /// Reads an identifier; what is left of `asdu` are the objects.
    pub(super) fn parse(sizes: Sizes, asdu: &[u8]) -> Result<(Self, &[u8]), Short> {
        let mut r = Reader::new(asdu);
        let (type_id, qualifier, cause) = (r.u8()?, r.u8()?, r.u8()?);
        let originator = if sizes.cause > 1 { r.u8()? } else { 0 };
        let address = match number(&mut r, sizes.address)? {
            0xFF if sizes.address == 1 => EVERYONE,
            address => address as u16,
        };
        let header = Self {
            type_id,
            sequence: qualifier & 0x80 != 0,
            number: qualifier & 0x7F,
            test: cause & 0x80 != 0,
            negative: cause & 0x40 != 0,
            cause: cause & 0x3F,
            originator,
            address,
        };
        Ok((header, r.rest()))
    }

    pub(super) fn put(&self, sizes: Sizes, out: &mut Vec<u8>) {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        out.push(self.type_id);
        out.push(self.number & 0x7F | flag(self.sequence, 0x80));
        out.push(self.cause & 0x3F | flag(self.test, 0x80) | flag(self.negative, 0x40));
        if sizes.cause > 1 {
            out.push(self.originator);
        }
        put_number(out, self.address.into(), sizes.address);
    }
}

/// A number of `octets` octets, least significant first (IEC 60870-5-4 §4.10).
pub(super) fn number(r: &mut Reader<'_>, octets: u8) -> Result<u32, Short> {
    Ok(r.take(octets.into())?.iter().rev().fold(0, |number, octet| number << 8 | u32::from(*octet)))
}

/// Appends a number of `octets` octets, least significant first.
pub(super) fn put_number(out: &mut Vec<u8>, number: u32, octets: u8) {
    let octets = number.to_le_bytes().into_iter().take(octets.into());
    out.extend(octets);
}

/// What an information object holds, without its address.
pub(super) type Element = SmallVec<[u8; 16]>;

/// Appends an ASDU with the first of `objects`, as many as it holds, and says how many these were. They all have the
/// type of `header`. Where `sequences` are used, a run of consecutive addresses has but one.
pub(super) fn put_objects(
    sizes: Sizes,
    header: Header,
    sequences: bool,
    objects: &[(u32, Element)],
    out: &mut Vec<u8>,
) -> usize {
    let Some((first, element)) = objects.first() else { return 0 };
    let room = LONGEST_ASDU - usize::from(3 + sizes.cause.saturating_sub(1) + sizes.address);
    let (octets, address) = (element.len().max(1), usize::from(sizes.object));
    let run = (*first..).zip(objects).take_while(|(address, object)| *address == object.0).count();
    let sequence = sequences && run > 1;
    let most = if sequence { run.min((room - address) / octets) } else { room / (address + octets) };
    let count = objects.len().min(most).min(0x7F);
    Header { sequence, number: count as u8, ..header }.put(sizes, out);
    for (index, (address, element)) in objects.iter().take(count).enumerate() {
        if index == 0 || !sequence {
            put_number(out, *address, sizes.object);
        }
        out.extend_from_slice(element);
    }
    count
}

/// The name of a type (§7.2.1).
pub(super) const fn name(type_id: u8) -> &'static str {
    match type_id {
        1..=21 | 30..=40 => "process information",
        45 => "single command",
        46 => "double command",
        47 => "regulating step command",
        48 => "set-point command, normalized value",
        49 => "set-point command, scaled value",
        50 => "set-point command, short floating point number",
        51 => "bitstring of 32 bits",
        58 => "single command with time tag",
        59 => "double command with time tag",
        60 => "regulating step command with time tag",
        61 => "set-point command with time tag, normalized value",
        62 => "set-point command with time tag, scaled value",
        63 => "set-point command with time tag, short floating point number",
        64 => "bitstring of 32 bits with time tag",
        70 => "end of initialization",
        100 => "interrogation command",
        101 => "counter interrogation command",
        102 => "read command",
        103 => "clock synchronization command",
        104 => "test command",
        105 => "reset process command",
        106 => "delay acquisition command",
        107 => "test command with time tag",
        110 => "parameter of measured value, normalized value",
        111 => "parameter of measured value, scaled value",
        112 => "parameter of measured value, short floating point number",
        113 => "parameter activation",
        120 => "file ready",
        121 => "section ready",
        122 => "call directory, select file, call file, call section",
        123 => "last section, last segment",
        124 => "ack file, ack section",
        125 => "segment",
        126 => "directory",
        127 => "query log, request archive file",
        _ => "unknown type",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Sizes = Sizes { cause: 2, address: 2, object: 3 };
    const SMALL: Sizes = Sizes { cause: 1, address: 1, object: 2 };

    #[test]
    fn reads_and_writes() {
        for (sizes, octets) in [
            (FULL, &[45, 0x81, 0xC7, 9, 0x34, 0x12, 1, 2, 3][..]),
            (SMALL, &[45, 2, 6, 0x34, 1, 2]),
            (SMALL, &[45, 2, 6, 0xFF]),
        ] {
            let (header, objects) = Header::parse(sizes, octets).unwrap();
            let mut out = Vec::new();
            header.put(sizes, &mut out);
            out.extend_from_slice(objects);
            assert_eq!(out, octets);
        }
        let (header, _) = Header::parse(FULL, &[45, 0x81, 0xC7, 9, 0x34, 0x12]).unwrap();
        assert!(header.test && header.negative && header.sequence && header.cause == 7 && header.address == 0x1234);
        assert_eq!(Header::parse(SMALL, &[100, 1, 6, 0xFF]).unwrap().0.address, EVERYONE);
    }

    #[test]
    fn is_short() {
        assert_eq!(Header::parse(FULL, &[45, 1, 6, 0, 1]), Err(Short));
    }

    #[test]
    fn objects_are_packed_as_far_as_they_fit() {
        let objects: Vec<(u32, Element)> = (1..=200).map(|n| (n, SmallVec::from_slice(&[0; 5]))).collect();
        let header = Header { number: 0, ..Header::parse(FULL, &[13, 0, 20, 0, 1, 0]).unwrap().0 };
        let mut out = Vec::new();
        assert_eq!(put_objects(FULL, header, false, &objects, &mut out), 30);
        assert_eq!((out.len(), out[1]), (6 + 30 * 8, 30));
        out.clear();
        assert_eq!(put_objects(FULL, header, true, &objects, &mut out), 48);
        assert_eq!((out.len(), out[1]), (6 + 3 + 48 * 5, 0x80 | 48));
        assert_eq!(put_objects(FULL, header, true, &[], &mut out), 0);
    }
}
