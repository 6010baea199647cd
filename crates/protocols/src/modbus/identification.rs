//! Read Device Identification, AP §6.21. Apart, because objects, levels and paging are a small protocol of their own.

use super::wire::Exception;
use honeyplant_core::bytes::counted_u8;

/// What a unit says of itself.
#[derive(Debug)]
pub(super) struct Identification {
    /// The conformity level.
    pub(super) conformity: u8,
    /// The objects, sorted by their number.
    pub(super) objects: Vec<(u8, Vec<u8>)>,
}

/// The longest PDU (AP §4.1), and what of it precedes the objects.
const LONGEST: usize = 253;
const HEAD: usize = 7;

/// The longest object: it and its two octets of head fill a PDU.
pub(super) const LONGEST_OBJECT: usize = LONGEST - HEAD - 2;

impl Identification {
    /// Appends the answer to a request with this Read Device ID code for this object.
    pub(super) fn put(&self, code: u8, object: u8, out: &mut Vec<u8>) -> Result<(), Exception> {
        // AP fig. 30 looks at the object before the code.
        let objects = match code {
            1..=3 => self.stream(code, object),
            4 => self.single(object)?,
            _ => return Err(Exception::IllegalDataValue),
        };
        let (mut room, mut count) = (LONGEST - HEAD, 0_u8);
        for (_, value) in objects {
            match room.checked_sub(2 + value.len()) {
                Some(left) => (room, count) = (left, count + 1),
                None => break,
            }
        }
        // What does not fit is asked for again with the number of the next object: objects are indivisible.
        let next = if code == 4 { None } else { objects.get(usize::from(count)) };
        let (more, next) = next.map_or((0, 0), |(number, _)| (0xFF, *number));
        out.extend_from_slice(&[43, 14, code, self.conformity, more, next, count]);
        for (number, value) in objects.iter().take(count.into()) {
            out.push(*number);
            counted_u8(out, |out| out.extend_from_slice(value));
        }
        Ok(())
    }

    /// The objects of a level from `object` on; from the first on, if that one is unknown. A level above the unit's
    /// own is answered at its own.
    fn stream(&self, code: u8, object: u8) -> &[(u8, Vec<u8>)] {
        let last = match code.min(self.conformity & 3) {
            1 => 0x02,
            2 => 0x7F,
            _ => 0xFF,
        };
        let end = self.objects.partition_point(|(number, _)| *number <= last);
        let level = self.objects.get(..end).unwrap_or_default();
        let start = level.iter().position(|(number, _)| *number == object).unwrap_or_default();
        level.get(start..).unwrap_or_default()
    }

    fn single(&self, object: u8) -> Result<&[(u8, Vec<u8>)], Exception> {
        if self.conformity & 0x80 == 0 {
            return Err(Exception::IllegalDataValue);
        }
        let at = self.objects.iter().position(|(number, _)| *number == object);
        at.and_then(|at| self.objects.get(at..=at)).ok_or(Exception::IllegalDataAddress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(conformity: u8, code: u8, object: u8) -> Result<Vec<u8>, Exception> {
        let text = |n: usize| vec![b'x'; n];
        let objects = vec![(0, text(1)), (1, text(2)), (2, text(3)), (3, text(240)), (0x80, text(244))];
        let mut out = Vec::new();
        Identification { conformity, objects }.put(code, object, &mut out).map(|()| out)
    }

    #[test]
    fn writes() {
        let basic = [43, 14, 1, 0x81, 0, 0, 3, 0, 1, b'x', 1, 2, b'x', b'x', 2, 3, b'x', b'x', b'x'];
        assert_eq!(answer(0x81, 1, 0).unwrap(), basic);
        assert_eq!(answer(0x81, 1, 9).unwrap(), basic, "an unknown object starts again");
        assert_eq!(answer(0x81, 3, 0).unwrap()[2..7], [3, 0x81, 0, 0, 3], "the unit's own level");
        assert_eq!(answer(0x83, 3, 0).unwrap()[2..7], [3, 0x83, 0xFF, 3, 3]);
        assert_eq!(answer(0x83, 3, 3).unwrap()[2..7], [3, 0x83, 0xFF, 0x80, 1]);
        let last = answer(0x83, 3, 0x80).unwrap();
        assert_eq!((last.len(), &last[2..7]), (LONGEST, &[3, 0x83, 0, 0, 1][..]));
        assert_eq!(answer(0x83, 4, 1).unwrap(), [43, 14, 4, 0x83, 0, 0, 1, 1, 2, b'x', b'x']);
    }

    #[test]
    fn is_refused() {
        assert_eq!(answer(0x83, 4, 9), Err(Exception::IllegalDataAddress));
        assert_eq!(answer(0x83, 5, 0), Err(Exception::IllegalDataValue));
        assert_eq!(answer(0x03, 4, 0), Err(Exception::IllegalDataValue), "streams only");
    }
}
