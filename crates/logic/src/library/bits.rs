//! Functions of bit strings (§6.6.2.5, tables 30 and 31). Apart, because here a value is a row of bits and nothing more.

use super::{Class, Compute, Entry, number};
use crate::types::{Elementary, Raw};

/// All of them.
pub(super) const FUNCTIONS: [Entry; 9] = [
    // Table 30.
    Entry::new("SHL", SHIFT, Class::AnyBits, Compute::Number(|ty, of| Ok(ty.narrow(shift(of, u64::checked_shl))))),
    Entry::new("SHR", SHIFT, Class::AnyBits, Compute::Number(|_, of| Ok(shift(of, u64::checked_shr)))),
    Entry::new("ROL", SHIFT, Class::AnyBits, Compute::Number(|ty, of| Ok(rotate(ty, number(of, 0), number(of, 1))))),
    Entry::new(
        "ROR",
        SHIFT,
        Class::AnyBits,
        Compute::Number(|ty, of| Ok(rotate(ty, number(of, 0), number(of, 1).wrapping_neg()))),
    ),
    // Table 31.
    Entry::new("AND", TWO, Class::AnyBits, Compute::Number(|_, of| Ok(of.iter().fold(Raw::MAX, |a, b| a & b))))
        .extensible(),
    Entry::new("OR", TWO, Class::AnyBits, Compute::Number(|_, of| Ok(of.iter().fold(0, |a, b| a | b)))).extensible(),
    Entry::new("XOR", TWO, Class::AnyBits, Compute::Number(|_, of| Ok(of.iter().fold(0, |a, b| a ^ b)))).extensible(),
    Entry::new(
        "NOT",
        &[("IN", Class::AnyBits)],
        Class::AnyBits,
        Compute::Number(|ty, of| Ok(ty.narrow(!number(of, 0)))),
    ),
    // Table 39.
    Entry::new(
        "IS_VALID_BCD",
        &[("IN", Class::AnyBits)],
        Class::Exactly(Elementary::Bool),
        Compute::Number(|_, of| Ok(Raw::from((0..16).all(|digit| (number(of, 0) >> (4 * digit)) & 0xF < 10)))),
    ),
];

const SHIFT: &[(&str, Class)] = &[("IN", Class::AnyBits), ("N", Class::AnyInteger)];
const TWO: &[(&str, Class)] = &[("IN1", Class::AnyBits), ("IN2", Class::AnyBits)];

/// How many bits a value has; 64 for what is no bit string and no integer.
pub(super) const fn width(ty: Elementary) -> u32 {
    match ty {
        Elementary::Bool => 1,
        Elementary::Sint | Elementary::Usint | Elementary::Byte => 8,
        Elementary::Int | Elementary::Uint | Elementary::Word => 16,
        Elementary::Dint | Elementary::Udint | Elementary::Dword | Elementary::Real => 32,
        _ => 64,
    }
}

/// Shifts IN by N; by more than there are bits, or by fewer than none, leaves none.
fn shift(of: &[Raw], by: fn(u64, u32) -> Option<u64>) -> Raw {
    u32::try_from(number(of, 1)).ok().and_then(|n| by(number(of, 0), n)).unwrap_or_default()
}

/// Rotates to the left; N counts on around the bits, whatever its sign.
fn rotate(ty: Elementary, bits: Raw, n: Raw) -> Raw {
    let width = width(ty);
    let n = (n % Raw::from(width)) as u32;
    ty.narrow(bits << n | bits.checked_shr(width.wrapping_sub(n)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::{
        library::sample::call,
        types::Elementary::{Bool, Byte, Dword, Lword, Word},
    };

    #[test]
    fn shifts_lose_what_falls_out() {
        assert_eq!(call("SHL", Byte, &[0b1001_0110, 3]), Ok(0b1011_0000));
        assert_eq!(call("SHR", Byte, &[0b1001_0110, 3]), Ok(0b0001_0010));
        for shift in ["SHL", "SHR"] {
            assert_eq!(call(shift, Word, &[0x8001, 0]), Ok(0x8001));
            for n in [16, 17, 64, 65, u64::from(u32::MAX) + 1, -1_i64 as u64] {
                assert_eq!(call(shift, Word, &[0x8001, n]), Ok(0), "{shift} by {n}");
            }
        }
        assert_eq!(call("SHL", Lword, &[1, 63]), Ok(1 << 63));
    }

    #[test]
    fn rotations_lose_nothing() {
        assert_eq!(call("ROL", Byte, &[0b1001_0110, 3]), Ok(0b1011_0100));
        assert_eq!(call("ROR", Byte, &[0b1001_0110, 3]), Ok(0b1101_0010));
        assert_eq!(call("ROL", Dword, &[0x8000_0001, 33]), Ok(3));
        assert_eq!(call("ROR", Dword, &[3, 32 * 7 + 1]), Ok(0x8000_0001));
        assert_eq!(call("ROL", Word, &[1, -1_i64 as u64]), Ok(0x8000), "backwards");
        for (ty, bits) in [(Bool, 1), (Lword, u64::MAX - 6)] {
            for n in [0, 1, 64] {
                let there = call("ROL", ty, &[bits, n]).unwrap();
                assert_eq!(call("ROR", ty, &[there, n]), Ok(bits));
            }
        }
    }

    #[test]
    fn bitwise() {
        assert_eq!(call("AND", Byte, &[0b1110, 0b0111, 0b1100]), Ok(0b0100));
        assert_eq!(call("OR", Byte, &[0b1000, 0b0001, 0b0100]), Ok(0b1101));
        assert_eq!(call("XOR", Byte, &[0b1110, 0b0111, 0b0001]), Ok(0b1000));
        assert_eq!((call("NOT", Word, &[0x00FF]), call("NOT", Bool, &[1])), (Ok(0xFF00), Ok(0)));
    }

    #[test]
    fn decimal_digits() {
        assert_eq!((call("IS_VALID_BCD", Word, &[0x9876]), call("IS_VALID_BCD", Word, &[0x98A6])), (Ok(1), Ok(0)));
    }
}
