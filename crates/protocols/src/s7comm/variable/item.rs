//! The items of Read Var and Write Var as they stand in a message. Apart from `memory.rs`, because an item says what is
//! wanted, whether there is such a thing or not.

use honeyplant_core::{
    bytes::{Reader, Short},
    plant::{Type, Value},
};

/// How an item is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// By area and address (syntax S7ANY).
    Any(Any),
    /// In a way that this CPU does not know: data blocks of the 400 family (0xB0), symbols of the 1200 (0xB2), variables of
    /// a numerical control (0x82 and others).
    Unknown(u8),
}

/// An address of the syntax S7ANY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Any {
    pub(super) size: u8,
    pub(super) count: u16,
    pub(super) block: u16,
    pub(super) area: u8,
    /// Bits from the start of the area; of timers and counters, the number.
    pub(super) address: u32,
}

impl Item {
    /// Takes an item off the front.
    pub(super) fn parse(r: &mut Reader<'_>) -> Result<Self, Short> {
        let (specification, length) = (r.u8()?, r.u8()?);
        let body = r.take(length.into())?;
        // Items begin at even octets.
        if length % 2 == 1 && r.left() > 0 {
            r.u8()?;
        }
        let mut r = Reader::new(body);
        let syntax = r.u8()?;
        if (specification, syntax, length) != (0x12, 0x10, 10) {
            return Ok(Self::Unknown(syntax));
        }
        let (size, count, block, area) = (r.u8()?, r.be16()?, r.be16()?, r.u8()?);
        let [high, middle, low] = r.array()?;
        Ok(Self::Any(Any { size, count, block, area, address: u32::from_be_bytes([0, high, middle, low]) }))
    }
}

/// The type of the elements of an item (transport size).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Bit,
    Byte,
    Char,
    Word,
    Int,
    Dword,
    Dint,
    Real,
    Date,
    TimeOfDay,
    Time,
    S5Time,
    DateAndTime,
    Counter,
    Timer,
}

impl Element {
    /// The type with this number.
    pub(super) const fn of(size: u8) -> Option<Self> {
        Some(match size {
            0x01 => Self::Bit,
            0x02 => Self::Byte,
            0x03 => Self::Char,
            0x04 => Self::Word,
            0x05 => Self::Int,
            0x06 => Self::Dword,
            0x07 => Self::Dint,
            0x08 => Self::Real,
            0x09 => Self::Date,
            0x0A => Self::TimeOfDay,
            0x0B => Self::Time,
            0x0C => Self::S5Time,
            0x0F => Self::DateAndTime,
            0x1C => Self::Counter,
            0x1D => Self::Timer,
            _ => return None,
        })
    }

    /// Octets of one in a message; a bit takes a whole one there.
    pub(super) const fn octets(self) -> u32 {
        match self {
            Self::Bit | Self::Byte | Self::Char => 1,
            Self::Word | Self::Int | Self::Date | Self::S5Time | Self::Counter | Self::Timer => 2,
            Self::Dword | Self::Dint | Self::Real | Self::TimeOfDay | Self::Time => 4,
            Self::DateAndTime => 8,
        }
    }

    /// How the length of the data is counted that an answer carries it with.
    pub(super) const fn carrier(self) -> Carrier {
        match self {
            Self::Bit => Carrier::Bits,
            Self::Byte | Self::Word | Self::Dword => Carrier::Words,
            Self::Date | Self::TimeOfDay | Self::Time | Self::S5Time | Self::DateAndTime => Carrier::Words,
            Self::Int => Carrier::Integers,
            Self::Dint => Carrier::DoubleIntegers,
            Self::Real => Carrier::Reals,
            Self::Char | Self::Counter | Self::Timer => Carrier::Octets,
        }
    }

    /// The type that its values have in the record.
    const fn ty(self) -> Type {
        match self {
            Self::Bit => Type::Bool,
            Self::Byte | Self::Char | Self::DateAndTime => Type::Byte,
            Self::Word | Self::Date | Self::S5Time | Self::Counter | Self::Timer => Type::Word,
            Self::Int => Type::Int,
            Self::Dword | Self::TimeOfDay => Type::Dword,
            Self::Dint => Type::Dint,
            Self::Real => Type::Real,
            Self::Time => Type::Time,
        }
    }

    /// The values that `octets` hold, for the record.
    pub(super) fn values(self, octets: &[u8]) -> Vec<Value> {
        let ty = self.ty();
        let chunks = octets.chunks(ty.bits().div_ceil(8) as usize);
        let pattern = |chunk: &[u8]| chunk.iter().fold(0, |pattern, octet| pattern << 8 | u64::from(*octet));
        chunks.map(|chunk| Value::of_pattern(pattern(chunk), ty)).collect()
    }
}

/// The transport size of data: what it is, and whether its length counts bits or octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Bits,
    Words,
    Integers,
    DoubleIntegers,
    Reals,
    Octets,
}

impl Carrier {
    const fn code(self) -> u8 {
        match self {
            Self::Bits => 0x03,
            Self::Words => 0x04,
            Self::Integers => 0x05,
            Self::DoubleIntegers => 0x06,
            Self::Reals => 0x07,
            Self::Octets => 0x09,
        }
    }

    /// Appends data without a fill octet.
    pub(super) fn put(self, out: &mut Vec<u8>, returned: u8, octets: &[u8]) {
        let count = match self {
            Self::Bits => octets.len(),
            Self::Words | Self::Integers => octets.len() * 8,
            Self::DoubleIntegers | Self::Reals | Self::Octets => octets.len(),
        };
        out.extend_from_slice(&[returned, self.code()]);
        out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(octets);
    }
}

/// What an item of Write Var is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datum<'a> {
    pub(super) is_bit: bool,
    pub(super) octets: &'a [u8],
}

impl<'a> Datum<'a> {
    /// Takes the data of an item off the front, with the octet that fills it up to an even length where another follows.
    pub(super) fn parse(r: &mut Reader<'a>) -> Result<Self, Short> {
        let (_returned, carrier, length) = (r.u8()?, r.u8()?, usize::from(r.be16()?));
        let octets = r.take(match carrier {
            0x03..=0x05 => length.div_ceil(8),
            _ => length,
        })?;
        if octets.len() % 2 == 1 && r.left() > 0 {
            r.u8()?;
        }
        Ok(Self { is_bit: carrier == 0x03, octets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_read() {
        let octets = [0x12, 0x0A, 0x10, 0x02, 0, 16, 0, 10, 0x84, 0, 0, 0x20, 0x12, 3, 0xB2, 1, 2, 0];
        let mut r = Reader::new(&octets);
        let any = Any { size: 2, count: 16, block: 10, area: 0x84, address: 32 };
        assert_eq!(Item::parse(&mut r), Ok(Item::Any(any)));
        assert_eq!(Item::parse(&mut r), Ok(Item::Unknown(0xB2)));
        assert_eq!(r.left(), 0);
        for end in 0..12 {
            assert!(Item::parse(&mut Reader::new(&octets[..end])).is_err(), "{end}");
        }
    }

    #[test]
    fn values_have_the_type_of_their_element() {
        assert_eq!(Element::Int.values(&[0xFF, 0xFE, 0, 1]), [Value::Int(-2), Value::Int(1)]);
        assert_eq!(Element::Real.values(&[0x3F, 0x80, 0, 0]), [Value::Real(1.0)]);
        assert_eq!(Element::Byte.values(&[1, 2]), [Value::Uint(1), Value::Uint(2)]);
    }
}
