//! Functions of numbers (§6.6.2.5, tables 28 and 29). Apart, because they are what the operators compute as well.

use super::{Class, Compute, Entry, number, real};
use crate::types::{Elementary, Raw};

/// A function of one real number, which has a method of the same meaning.
macro_rules! of_real {
    ($name:literal $method:ident) => {
        Entry::new(
            $name,
            &[("IN", Class::AnyReal)],
            Class::AnyReal,
            Compute::Number(|ty, of| Ok(ty.narrow(real(of, 0).$method().to_bits()))),
        )
    };
}

/// All of them.
pub(super) const FUNCTIONS: [Entry; 19] = [
    Entry::new("ABS", &[("IN", Class::AnyNumber)], Class::AnyNumber, Compute::Number(absolute)),
    of_real!("SQRT" sqrt),
    of_real!("LN" ln),
    of_real!("LOG" log10),
    of_real!("EXP" exp),
    of_real!("SIN" sin),
    of_real!("COS" cos),
    of_real!("TAN" tan),
    of_real!("ASIN" asin),
    of_real!("ACOS" acos),
    of_real!("ATAN" atan),
    Entry::new(
        "ATAN2",
        &[("Y", Class::AnyReal), ("X", Class::AnyReal)],
        Class::AnyReal,
        Compute::Number(|ty, of| Ok(ty.narrow(real(of, 0).atan2(real(of, 1)).to_bits()))),
    ),
    Entry::new(
        "ADD",
        TWO_MAGNITUDES,
        Class::AnyMagnitude,
        Compute::Number(|ty, of| each(of, |a, b| Ok(add(ty, a, b)))),
    )
    .extensible(),
    Entry::new(
        "SUB",
        TWO_MAGNITUDES,
        Class::AnyMagnitude,
        Compute::Number(|ty, of| each(of, |a, b| Ok(subtract(ty, a, b)))),
    ),
    Entry::new("MUL", TWO_NUMBERS, Class::AnyNumber, Compute::Number(|ty, of| each(of, |a, b| Ok(multiply(ty, a, b)))))
        .extensible(),
    Entry::new("DIV", TWO_NUMBERS, Class::AnyNumber, Compute::Number(|ty, of| each(of, |a, b| divide(ty, a, b)))),
    Entry::new(
        "MOD",
        &[("IN1", Class::AnyInteger), ("IN2", Class::AnyInteger)],
        Class::AnyInteger,
        Compute::Number(|ty, of| each(of, |a, b| Ok(modulo(ty, a, b)))),
    ),
    // The exponent is of any type of number, to which no class but LREAL does justice.
    Entry::new(
        "EXPT",
        &[("IN1", Class::AnyReal), ("IN2", Class::Exactly(Elementary::Lreal))],
        Class::AnyReal,
        Compute::Number(|ty, of| Ok(ty.narrow(real(of, 0).powf(real(of, 1)).to_bits()))),
    ),
    // Table 39.
    Entry::new(
        "IS_VALID",
        &[("IN", Class::AnyReal)],
        Class::Exactly(Elementary::Bool),
        Compute::Number(|_, of| Ok(Raw::from(real(of, 0).is_finite()))),
    ),
];

const TWO_NUMBERS: &[(&str, Class)] = &[("IN1", Class::AnyNumber), ("IN2", Class::AnyNumber)];
const TWO_MAGNITUDES: &[(&str, Class)] = &[("IN1", Class::AnyMagnitude), ("IN2", Class::AnyMagnitude)];

/// An integer that is too great loses the bits that are too many; a TIME stays at the longest or shortest.
fn add(ty: Elementary, a: Raw, b: Raw) -> Raw {
    ty.narrow(match ty {
        _ if ty.is_real() => (f64::from_bits(a) + f64::from_bits(b)).to_bits(),
        Elementary::Time => (a as i64).saturating_add(b as i64) as Raw,
        _ => a.wrapping_add(b),
    })
}

fn subtract(ty: Elementary, a: Raw, b: Raw) -> Raw {
    ty.narrow(match ty {
        _ if ty.is_real() => (f64::from_bits(a) - f64::from_bits(b)).to_bits(),
        Elementary::Time => (a as i64).saturating_sub(b as i64) as Raw,
        _ => a.wrapping_sub(b),
    })
}

fn multiply(ty: Elementary, a: Raw, b: Raw) -> Raw {
    ty.narrow(match ty {
        _ if ty.is_real() => (f64::from_bits(a) * f64::from_bits(b)).to_bits(),
        _ => a.wrapping_mul(b),
    })
}

fn divide(ty: Elementary, a: Raw, b: Raw) -> Result<Raw, &'static str> {
    Ok(ty.narrow(match ty {
        _ if ty.is_real() => (f64::from_bits(a) / f64::from_bits(b)).to_bits(),
        _ if b == 0 => return Err("division by zero"),
        _ if ty.is_signed() => (a as i64).wrapping_div(b as i64) as Raw,
        _ => a.wrapping_div(b),
    }))
}

/// What is left of a division is 0 when there is nothing to divide by (table 29, no. 5).
fn modulo(ty: Elementary, a: Raw, b: Raw) -> Raw {
    match b {
        0 => 0,
        _ if ty.is_signed() => (a as i64).wrapping_rem(b as i64) as Raw,
        _ => a.wrapping_rem(b),
    }
}

fn absolute(ty: Elementary, of: &[Raw]) -> Result<Raw, &'static str> {
    let value = number(of, 0);
    Ok(ty.narrow(match ty {
        _ if ty.is_real() => f64::from_bits(value).abs().to_bits(),
        _ if ty.is_signed() => (value as i64).unsigned_abs(),
        _ => value,
    }))
}

/// The arguments with an operator between them, from left to right.
fn each(of: &[Raw], between: impl Fn(Raw, Raw) -> Result<Raw, &'static str>) -> Result<Raw, &'static str> {
    of.iter().copied().map(Ok).reduce(|a, b| between(a?, b?)).unwrap_or(Ok(0))
}

#[cfg(test)]
mod tests {
    use crate::{
        library::sample::{call, reals},
        types::Elementary::{self, Dint, Int, Lint, Lreal, Real, Sint, Time, Udint, Uint, Ulint},
    };

    fn signed(name: &str, ty: Elementary, of: &[i64]) -> i64 {
        call(name, ty, &of.iter().map(|value| *value as u64).collect::<Vec<_>>()).unwrap() as i64
    }

    #[test]
    fn integers_wrap_and_times_do_not() {
        assert_eq!(signed("ADD", Int, &[30_000, 2_000, 767, 1]), -32768);
        assert_eq!(signed("SUB", Uint, &[3, 5]), 65534);
        assert_eq!(signed("MUL", Sint, &[100, 2]), -56);
        assert_eq!(signed("MUL", Lint, &[i64::MIN, -1]), i64::MIN);
        assert_eq!(signed("ADD", Time, &[i64::MAX, 1]), i64::MAX);
        assert_eq!(signed("SUB", Time, &[i64::MIN, 1]), i64::MIN);
        assert_eq!(signed("ABS", Dint, &[-5]), 5);
        assert_eq!(signed("ABS", Sint, &[-128]), -128, "there is no 128");
    }

    #[test]
    fn divides_towards_zero() {
        assert_eq!((signed("DIV", Int, &[-7, 2]), signed("MOD", Int, &[-7, 2])), (-3, -1));
        assert_eq!((signed("DIV", Int, &[7, -2]), signed("MOD", Int, &[7, -2])), (-3, 1));
        assert_eq!(call("DIV", Ulint, &[u64::MAX, 2]), Ok(u64::MAX / 2));
        assert_eq!(signed("DIV", Lint, &[i64::MIN, -1]), i64::MIN);
        assert_eq!(signed("MOD", Lint, &[i64::MIN, -1]), 0);
        assert_eq!(signed("DIV", Int, &[-32768, -1]), -32768);
        assert_eq!(call("DIV", Udint, &[1, 0]), Err("division by zero"));
        assert_eq!(call("MOD", Udint, &[1, 0]), Ok(0), "as the standard has it");
        assert_eq!(reals("DIV", Lreal, &[1.0, 0.0]), f64::INFINITY);
    }

    #[test]
    fn reals_have_their_digits() {
        assert_eq!(reals("ADD", Real, &[0.1, 0.2]), f64::from(0.1_f32 + 0.2_f32));
        assert_eq!(reals("ADD", Lreal, &[0.1, 0.2]), 0.1 + 0.2);
        assert_eq!(reals("SQRT", Lreal, &[6.25]), 2.5);
        assert!(reals("SQRT", Lreal, &[-1.0]).is_nan());
        assert_eq!(reals("LOG", Lreal, &[1000.0]), 3.0);
        assert_eq!(reals("EXPT", Lreal, &[2.0, 10.0]), 1024.0);
        assert_eq!(reals("EXPT", Lreal, &[9.0, 0.5]), 3.0);
        assert_eq!(reals("ABS", Real, &[-2.5]), 2.5);
        let near = |name, of: &[f64], expected: f64| {
            let is = reals(name, Lreal, of);
            assert!((is - expected).abs() < 1e-12, "{name}{of:?} is {is}");
        };
        near("LN", &[std::f64::consts::E], 1.0);
        near("EXP", &[1.0], std::f64::consts::E);
        near("SIN", &[1.0], 0.841_470_984_807_896_5);
        near("COS", &[1.0], 0.540_302_305_868_139_8);
        near("TAN", &[1.0], 1.557_407_724_654_902_3);
        near("ASIN", &[0.5], std::f64::consts::FRAC_PI_6);
        near("ACOS", &[0.5], std::f64::consts::FRAC_PI_3);
        near("ATAN", &[1.0], std::f64::consts::FRAC_PI_4);
        near("ATAN2", &[1.0, -1.0], 3.0 * std::f64::consts::FRAC_PI_4);
    }

    #[test]
    fn tells_what_is_a_number() {
        let valid = |value: f64| call("IS_VALID", Lreal, &[value.to_bits()]);
        assert_eq!((valid(1.0), valid(f64::NAN), valid(f64::INFINITY)), (Ok(1), Ok(0), Ok(0)));
    }
}
