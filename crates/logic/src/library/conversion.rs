//! Conversions between the elementary types (§6.6.2.5, tables 22 to 27). Apart, because they are found by the types in
//! their names and not by a list.
//!
//! Where the standard leaves it open: an integer that is too great loses the bits that are too many; a real number is
//! rounded to the nearest integer (to the even one of two) and stays at the greatest or least that the type holds, and
//! NaN is 0; TIME and TIME_OF_DAY count milliseconds, DATE and DATE_AND_TIME seconds, as with CODESYS; a text that is no
//! value of the type is 0.

use super::{
    Class, Compute, Function, Input, Operand, Produced,
    bits::width,
    literal, number,
    time::{DAY, MILLISECOND, SECOND},
};
use crate::types::{
    Elementary::{self, Bool, Date, Dint, Dt, Dword, Lreal, Lword, Real, Time, Tod},
    Raw,
};

/// `$compute` with a constant called `$ty` that is `$to`: a function pointer cannot bring its own.
macro_rules! for_type {
    ($to:expr, $ty:ident, $compute:expr) => {
        for_type!($to, $ty, $compute, Bool Sint Int Dint Lint Usint Uint Udint Ulint Byte Word Dword Lword Real Lreal Time
            Date Tod Dt String)
    };
    ($to:expr, $ty:ident, $compute:expr, $($each:ident)*) => {
        match $to {
            $(Elementary::$each => {
                const $ty: Elementary = Elementary::$each;
                $compute
            })*
        }
    };
}

/// The conversion called `name`: `INT_TO_REAL`, `TO_REAL` (or `ANY_TO_REAL`), `REAL_TRUNC_INT`, `TRUNC_INT`, `TRUNC`,
/// `WORD_BCD_TO_UINT`, `BCD_TO_UINT`, `UINT_TO_BCD_WORD` and `TO_BCD_WORD`.
pub(super) fn function(name: &str) -> Option<Function> {
    if name == "TRUNC" {
        // Of no type in the second edition; DINT as with CODESYS.
        return Some(conversion(
            name,
            Class::AnyReal,
            Dint,
            for_type!(Dint, TO, Compute::Number(|_, of| truncated(TO, of))),
        ));
    }
    // The longest joint first: _TO_ is a part of the others.
    let joints = [("_BCD_TO_", "BCD_TO_"), ("_TO_BCD_", "TO_BCD_"), ("_TRUNC_", "TRUNC_"), ("_TO_", "TO_")];
    let (joint, from, to) = joints.into_iter().find_map(|(joint, overloaded)| {
        let (from, to) = match name.strip_prefix(overloaded) {
            Some(to) => (None, to),
            None => name.split_once(joint).map(|(from, to)| (Some(from), to))?,
        };
        Some((joint, from, Elementary::of(to)?))
    })?;
    let of = |generic: Class, fits: fn(Elementary) -> bool| match from {
        None => Some(generic),
        Some("ANY") if joint == "_TO_" => Some(generic),
        Some(from) => Elementary::of(from).filter(|ty| fits(*ty)).map(Class::Exactly),
    };
    let is_bits = |ty: Elementary| ty.is_bits() && ty != Bool;
    let (class, compute) = match joint {
        "_BCD_TO_" if to.is_integer() => (
            of(Class::AnyBits, is_bits)?,
            for_type!(to, TO, Compute::Number(|_, of| Ok(TO.narrow(of_digits(number(of, 0)))))),
        ),
        "_TO_BCD_" if is_bits(to) => (
            of(Class::AnyInteger, Elementary::is_integer)?,
            for_type!(to, TO, Compute::Number(|from, of| Ok(TO.narrow(to_digits(from, number(of, 0)))))),
        ),
        "_TRUNC_" if to.is_integer() => {
            (of(Class::AnyReal, Elementary::is_real)?, for_type!(to, TO, Compute::Number(|_, of| truncated(TO, of))))
        }
        "_TO_" => {
            let class = of(Class::AnyElementary, |_| true)?;
            (class, plain(class, to))
        }
        _ => return None,
    };
    Some(conversion(name, class, to, compute))
}

fn conversion(name: &str, class: Class, to: Elementary, compute: Compute) -> Function {
    let inputs = vec![Input { name: "IN".into(), class }];
    Function { name: name.into(), inputs, extensible: false, result: Class::Exactly(to), compute }
}

fn plain(from: Class, to: Elementary) -> Compute {
    for_type!(
        to,
        TO,
        match (from, TO) {
            (_, Elementary::String) => Compute::Text(|from, of| {
                Ok(Produced::Text(match of.first() {
                    Some(Operand::Text(text)) => text.to_vec(),
                    Some(Operand::Number(raw)) => literal::write(from, *raw),
                    None => Vec::new(),
                }))
            }),
            (Class::Exactly(Elementary::String), _) => Compute::Text(|_, of| read(TO, of)),
            (Class::Exactly(_), _) => Compute::Number(|from, of| Ok(convert(from, TO, number(of, 0)))),
            _ => Compute::Either(|from, of| Ok(convert(from, TO, number(of, 0))), |_, of| read(TO, of)),
        }
    )
}

fn read(to: Elementary, of: &[Operand<'_>]) -> Result<Produced, &'static str> {
    Ok(Produced::Number(match of.first() {
        Some(Operand::Text(text)) => literal::read(to, text).unwrap_or_default(),
        _ => 0,
    }))
}

/// The value of one type as the other has it; none of them is a text.
pub(super) fn convert(from: Elementary, to: Elementary, raw: Raw) -> Raw {
    let unit = |ty| match ty {
        Time | Tod => Some(MILLISECOND),
        Date | Dt => Some(SECOND),
        _ => None,
    };
    match (from, to) {
        // Bits are taken over as they are (tables 24 and 25): the rightmost one, and those of real numbers.
        (_, Bool) if from.is_bits() => raw & 1,
        (_, Bool) if from.is_real() => Raw::from(f64::from_bits(raw) != 0.0),
        (_, Bool) => Raw::from(raw != 0),
        (Real, Dword) => Raw::from((f64::from_bits(raw) as f32).to_bits()),
        (Dword, Real) => f64::from(f32::from_bits(raw as u32)).to_bits(),
        (Lreal, Lword) | (Lword, Lreal) => raw,
        // Between dates (table 26).
        _ if unit(from).is_some() && unit(to).is_some() => {
            let time = raw as i64;
            (match to {
                Date => time.saturating_sub(time.rem_euclid(DAY)),
                Tod => time.rem_euclid(DAY),
                _ => time,
            }) as Raw
        }
        _ => match (unit(from), unit(to)) {
            (Some(unit), _) if to.is_real() => to.narrow((raw as i64 as f64 / unit as f64).to_bits()),
            (Some(unit), _) => to.narrow(((raw as i64) / unit) as Raw),
            (None, Some(unit)) if from.is_real() => (f64::from_bits(raw) * unit as f64).round_ties_even() as i64 as Raw,
            (None, Some(unit)) if from.is_signed() => (raw as i64).saturating_mul(unit) as Raw,
            (None, Some(unit)) => i64::try_from(raw).unwrap_or(i64::MAX).saturating_mul(unit) as Raw,
            (None, None) => between_numbers(from, to, raw),
        },
    }
}

fn between_numbers(from: Elementary, to: Elementary, raw: Raw) -> Raw {
    if from.is_real() && to.is_real() {
        to.narrow(raw)
    } else if from.is_real() {
        saturated(to, f64::from_bits(raw).round_ties_even())
    } else if to.is_real() {
        to.narrow((if from.is_signed() { raw as i64 as f64 } else { raw as f64 }).to_bits())
    } else if to.is_bits() {
        // The bits that the value has, and no more of its sign (table 25).
        to.narrow(raw & (Raw::MAX >> (64 - width(from))))
    } else {
        to.narrow(raw)
    }
}

/// A whole number as an integer or bit string.
fn saturated(to: Elementary, value: f64) -> Raw {
    let bits = width(to);
    if to.is_signed() {
        (value as i64).clamp(i64::MIN >> (64 - bits), i64::MAX >> (64 - bits)) as Raw
    } else {
        (value as u64).min(Raw::MAX >> (64 - bits))
    }
}

fn truncated(to: Elementary, of: &[Raw]) -> Result<Raw, &'static str> {
    Ok(saturated(to, f64::from_bits(number(of, 0)).trunc()))
}

/// What is written in four bits a digit; IS_VALID_BCD tells whether all are digits.
fn of_digits(bcd: Raw) -> Raw {
    (0..16).rev().fold(0, |value: Raw, digit| value.wrapping_mul(10).wrapping_add((bcd >> (4 * digit)) & 0xF))
}

/// The last 16 digits of a value in four bits each; a negative one has none.
fn to_digits(from: Elementary, raw: Raw) -> Raw {
    let value = if from.is_signed() { (raw as i64).max(0) as Raw } else { raw };
    (0..16).fold((0, value), |(bcd, rest), digit| (bcd | (rest % 10) << (4 * digit), rest / 10)).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::sample::{call, texts};

    /// A conversion between numbers, found by its name as a program would.
    fn to(name: &str, raw: Raw) -> Raw {
        let Class::Exactly(from) = super::function(name).expect(name).inputs[0].class else { panic!("{name}") };
        call(name, from, &[raw]).unwrap()
    }

    fn signed(name: &str, value: i64) -> i64 {
        to(name, value as Raw) as i64
    }

    fn of_real(name: &str, value: f64) -> i64 {
        to(name, value.to_bits()) as i64
    }

    #[test]
    fn real_numbers_are_rounded_to_even() {
        let rounded = [-2.5, -1.5, -0.6, 0.5, 1.5, 2.5, 3.4, 3.6].map(|value| of_real("REAL_TO_INT", value));
        assert_eq!(rounded, [-2, -2, -1, 0, 2, 2, 3, 4]);
        assert_eq!((of_real("LREAL_TRUNC_INT", -2.9), of_real("REAL_TRUNC_DINT", 2.9)), (-2, 2));
        assert_eq!(
            (call("TRUNC", Real, &[2.9_f64.to_bits()]), super::function("TRUNC").unwrap().result),
            (Ok(2), Class::Exactly(Dint))
        );
        assert_eq!(call("TRUNC_SINT", Real, &[(-200.0_f64).to_bits()]), Ok(-128_i64 as Raw));
    }

    #[test]
    fn real_numbers_stay_at_the_ends() {
        assert_eq!((of_real("REAL_TO_INT", 1e9), of_real("REAL_TO_INT", -1e9)), (32767, -32768));
        assert_eq!((of_real("REAL_TO_USINT", 300.0), of_real("REAL_TO_UDINT", -1.0)), (255, 0));
        assert_eq!(
            (of_real("LREAL_TO_LINT", 1e300), to("LREAL_TO_ULINT", f64::INFINITY.to_bits())),
            (i64::MAX, Raw::MAX)
        );
        assert_eq!((of_real("REAL_TO_DINT", f64::NAN), of_real("REAL_TO_BOOL", f64::NAN)), (0, 1));
        assert_eq!(f64::from_bits(to("LREAL_TO_REAL", 0.1_f64.to_bits())), f64::from(0.1_f32));
    }

    #[test]
    fn integers_lose_what_is_too_much() {
        assert_eq!((signed("DINT_TO_INT", 70_000), signed("INT_TO_USINT", -1)), (4464, 255));
        assert_eq!((signed("UINT_TO_INT", 65_535), signed("INT_TO_UDINT", -1)), (-1, 4_294_967_295));
        assert_eq!(f64::from_bits(to("INT_TO_REAL", -5_i64 as Raw)), -5.0);
        assert_eq!(f64::from_bits(to("ULINT_TO_LREAL", Raw::MAX)), 18_446_744_073_709_551_615.0);
    }

    #[test]
    fn bits_are_taken_over() {
        assert_eq!((to("WORD_TO_BOOL", 2), to("WORD_TO_BOOL", 3), to("INT_TO_BOOL", 2)), (0, 1, 1));
        assert_eq!((to("BOOL_TO_INT", 1), to("DWORD_TO_BYTE", 0x1234)), (1, 0x34));
        assert_eq!((signed("WORD_TO_INT", 0xFFFF), signed("BYTE_TO_INT", 0xFF)), (-1, 255));
        assert_eq!((signed("SINT_TO_WORD", -1), signed("DINT_TO_LWORD", -1)), (0xFF, 0xFFFF_FFFF));
        assert_eq!(
            (to("REAL_TO_DWORD", 1.0_f64.to_bits()), to("DWORD_TO_REAL", 0x3F80_0000)),
            (0x3F80_0000, 1.0_f64.to_bits())
        );
        assert_eq!(to("LWORD_TO_LREAL", to("LREAL_TO_LWORD", 0.1_f64.to_bits())), 0.1_f64.to_bits());
        assert_eq!(of_real("REAL_TO_WORD", 7.6), 8, "as a number, since there is no other way");
    }

    #[test]
    fn decimal_digits() {
        assert_eq!((to("WORD_BCD_TO_UINT", 0x9876), to("UINT_TO_BCD_WORD", 9876)), (9876, 0x9876));
        assert_eq!(
            (call("BCD_TO_USINT", Elementary::Word, &[0x0142]), call("TO_BCD_BYTE", Dint, &[142])),
            (Ok(142), Ok(0x42))
        );
        assert_eq!((to("LWORD_BCD_TO_ULINT", Raw::MAX), signed("INT_TO_BCD_WORD", -5)), (16_666_666_666_666_665, 0));
    }

    #[test]
    fn times_have_their_units() {
        assert_eq!(
            (signed("TIME_TO_DINT", -1_500 * MILLISECOND), signed("UINT_TO_TIME", 1_500)),
            (-1_500, 1_500 * MILLISECOND)
        );
        assert_eq!((signed("TOD_TO_UDINT", DAY - 1), signed("DT_TO_UDINT", DAY + 1)), (86_399_999, 86_400));
        assert_eq!((signed("UDINT_TO_DATE_AND_TIME", 86_400), of_real("LREAL_TO_TIME", 0.5)), (DAY, MILLISECOND / 2));
        assert_eq!(f64::from_bits(to("TIME_TO_REAL", MILLISECOND as Raw / 2)), 0.5);
        assert_eq!(
            (signed("DT_TO_DATE", DAY + SECOND), signed("DATE_AND_TIME_TO_TIME_OF_DAY", DAY + SECOND)),
            (DAY, SECOND)
        );
        assert_eq!(
            (signed("LDT_TO_DATE", -SECOND), signed("LTIME_TO_TIME", 5), signed("DATE_TO_DT", DAY)),
            (-DAY, 5, DAY)
        );
        assert_eq!((signed("LINT_TO_TIME", i64::MAX), signed("ULINT_TO_DT", -1)), (i64::MAX, i64::MAX));
        assert_eq!(of_real("LREAL_TO_DT", f64::NEG_INFINITY), i64::MIN);
        signed("DT_TO_DATE", i64::MIN);
    }

    #[test]
    fn read_from_texts() {
        let read = |name: &str, text: &str| texts(name, &[text], &[]).unwrap();
        assert_eq!((read("STRING_TO_INT", "-12"), read("STRING_TO_INT", "none")), ("-12".into(), "0".into()));
        assert_eq!((read("TO_DINT", "16#10"), read("STRING_TO_TIME", "T#2s")), ("16".into(), "2000000000".into()));
        assert_eq!(read("STRING_TO_STRING", "abc"), "abc");
    }

    #[test]
    fn every_type_converts_to_every_other_without_a_panic() {
        let types = "BOOL SINT INT DINT LINT USINT UINT UDINT ULINT BYTE WORD DWORD LWORD REAL LREAL TIME DATE TOD DT";
        let values =
            [0, 1, 255, 65_535, i64::MAX as Raw, i64::MIN as Raw, Raw::MAX, 1e300_f64.to_bits(), f64::NAN.to_bits()];
        for (from, to) in types.split(' ').flat_map(|from| types.split(' ').map(move |to| (from, to))) {
            let ty = Elementary::of(to).unwrap();
            for value in values {
                let value = Elementary::of(from).unwrap().narrow(value);
                let converted = self::to(&format!("{from}_TO_{to}"), value);
                if !(ty.is_real() && f64::from_bits(converted).is_nan()) {
                    assert_eq!(ty.narrow(converted), converted, "{from}_TO_{to} of {value:#X} fits");
                }
            }
        }
    }

    #[test]
    fn what_is_no_conversion_is_not_found() {
        for name in [
            "INT_TO_",
            "_TO_INT",
            "INT_TO_FISH",
            "FISH_TO_INT",
            "TO_FISH",
            "INT_TRUNC_INT",
            "REAL_TRUNC_REAL",
            "REAL_BCD_TO_INT",
            "BOOL_BCD_TO_INT",
            "INT_TO_BCD_INT",
            "WSTRING_TO_INT",
            "TO",
            "TRUNC_",
            "ANY_TRUNC_INT",
            "",
        ] {
            assert!(super::function(name).is_none(), "{name}");
        }
        let generic = |name| super::function(name).unwrap().inputs[0].class;
        assert_eq!((generic("TO_INT"), generic("ANY_TO_STRING")), (Class::AnyElementary, Class::AnyElementary));
        assert_eq!((generic("BCD_TO_INT"), generic("TRUNC_INT")), (Class::AnyBits, Class::AnyReal));
    }
}
