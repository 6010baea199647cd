//! File records, AP §6.14 and §6.15. Apart, because groups of references inside one request are a grammar of their own.

use super::{
    map::Words,
    wire::{Exception, registers},
};
use honeyplant_core::{
    bytes::{Reader, counted_u8},
    plant::{Place, Plant},
};

/// The files of a unit.
#[derive(Debug, Default)]
pub(super) struct Files(pub(super) Vec<File>);

/// A file of records.
#[derive(Debug)]
pub(super) struct File {
    pub(super) number: u16,
    pub(super) records: u32,
    pub(super) place: Place,
}

/// One sub-request: which records, and what is to stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group<'a> {
    pub(super) reference_type: u8,
    pub(super) file: u16,
    pub(super) record: u16,
    pub(super) length: u16,
    pub(super) data: &'a [u8],
}

/// Whether the groups of a request bring data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
}

impl Group<'_> {
    /// File and record in one number, as references of type 6 are written: 10 000 records a file.
    pub(super) fn reference(&self) -> u32 {
        u32::from(self.file) * 10_000 + u32::from(self.record)
    }
}

/// The groups of a request. AP fig. 24 and 25: a byte count out of range, or one that does not end with a group, is an
/// illegal value.
pub(super) fn groups(direction: Direction, byte_count: u8, octets: &[u8]) -> Result<Vec<Group<'_>>, Exception> {
    let allowed = match direction {
        Direction::Read => 0x07..=0xF5,
        Direction::Write => 0x09..=0xFB,
    };
    let octets = octets.get(..usize::from(byte_count)).filter(|_| allowed.contains(&byte_count));
    let mut r = Reader::new(octets.ok_or(Exception::IllegalDataValue)?);
    let mut groups = Vec::new();
    while r.left() > 0 {
        groups.push(group(direction, &mut r).ok_or(Exception::IllegalDataValue)?);
    }
    Ok(groups)
}

fn group<'a>(direction: Direction, r: &mut Reader<'a>) -> Option<Group<'a>> {
    let (reference_type, file) = (r.u8().ok()?, r.be16().ok()?);
    let (record, length) = (r.be16().ok()?, r.be16().ok()?);
    let data = if direction == Direction::Write { r.take(2 * usize::from(length)).ok()? } else { &[] };
    Some(Group { reference_type, file, record, length, data })
}

impl Files {
    /// Where the records of a group are.
    pub(super) fn find(&self, group: &Group<'_>) -> Result<Place, Exception> {
        let (first, end) = (u32::from(group.record), u32::from(group.record) + u32::from(group.length));
        let file = self.0.iter().find(|file| file.number == group.file);
        let file = file.filter(|file| group.reference_type == 6 && group.record <= 0x270F && end <= file.records);
        file.map(|file| file.place.plus(16 * first)).ok_or(Exception::IllegalDataAddress)
    }
}

/// The records at `place`.
pub(super) fn read(plant: &Plant, place: Place, group: &Group<'_>) -> Words {
    registers(plant.image().octets(place, 2 * u32::from(group.length))).collect()
}

/// Changes the records at `place` to what the group brings.
pub(super) fn write(plant: &mut Plant, place: Place, group: &Group<'_>) {
    for (n, word) in (0..).zip(registers(group.data)) {
        plant.image_mut().set_word(place.plus(16 * n), word);
    }
}

/// Appends the answer to one group of a read: its length, the reference type, the records.
pub(super) fn put(out: &mut Vec<u8>, records: &[u16]) {
    counted_u8(out, |out| {
        out.push(6);
        records.iter().for_each(|record| out.extend(record.to_be_bytes()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        // The example of AP §6.14.
        let octets = [6, 0, 4, 0, 1, 0, 2, 6, 0, 3, 0, 9, 0, 2];
        let groups = groups(Direction::Read, 14, &octets).unwrap();
        let group = |file, record| Group { reference_type: 6, file, record, length: 2, data: &[] };
        assert_eq!(groups, [group(4, 1), group(3, 9)]);
        assert_eq!(groups[0].reference(), 40_001);
    }

    #[test]
    fn writes() {
        let mut out = Vec::new();
        put(&mut out, &[0x0DFE, 0x0020]);
        assert_eq!(out, [5, 6, 0x0D, 0xFE, 0, 0x20]);
    }

    #[test]
    fn is_short() {
        let octets = [6, 0, 4, 0, 7, 0, 3, 6, 0xAF, 4, 0xBE, 0x10];
        assert_eq!(groups(Direction::Write, 12, &octets), Err(Exception::IllegalDataValue));
        assert_eq!(groups(Direction::Write, 13, &octets), Err(Exception::IllegalDataValue));
    }

    #[test]
    fn is_refused() {
        assert_eq!(groups(Direction::Read, 6, &[0; 250]), Err(Exception::IllegalDataValue));
        assert_eq!(groups(Direction::Read, 0xFC, &[0; 252]), Err(Exception::IllegalDataValue));
    }
}
