//! Functions that compare (§6.6.2.5, table 33). Apart, because the selection compares as well.

use super::{Class, Compute, Entry, Operand, Produced};
use crate::types::{Elementary, Raw};
use std::cmp::Ordering;

/// A comparison, which holds between each of its arguments and the next.
macro_rules! between {
    ($name:literal $holds:path) => {
        Entry::new(
            $name,
            &[("IN1", Class::AnyElementary), ("IN2", Class::AnyElementary)],
            Class::Exactly(Elementary::Bool),
            Compute::Either(
                |ty, of| Ok(Raw::from(of.windows(2).all(|two| raws(ty, two).is_some_and($holds)))),
                |_, of| Ok(Produced::Number(Raw::from(of.windows(2).all(|two| octets(two).is_some_and($holds))))),
            ),
        )
    };
}

/// All of them.
pub(super) const FUNCTIONS: [Entry; 6] = [
    between!("GT" Ordering::is_gt).extensible(),
    between!("GE" Ordering::is_ge).extensible(),
    between!("EQ" Ordering::is_eq).extensible(),
    between!("LE" Ordering::is_le).extensible(),
    between!("LT" Ordering::is_lt).extensible(),
    // What cannot be compared is not equal.
    Entry::new(
        "NE",
        &[("IN1", Class::AnyElementary), ("IN2", Class::AnyElementary)],
        Class::Exactly(Elementary::Bool),
        Compute::Either(
            |ty, of| Ok(Raw::from(raws(ty, of) != Some(Ordering::Equal))),
            |_, of| Ok(Produced::Number(Raw::from(octets(of) != Some(Ordering::Equal)))),
        ),
    ),
];

/// How two values of a type compare; NaN compares with nothing.
pub(super) fn compare(ty: Elementary, a: Raw, b: Raw) -> Option<Ordering> {
    if ty.is_real() {
        f64::from_bits(a).partial_cmp(&f64::from_bits(b))
    } else if ty.is_bits() || ty.is_unsigned() {
        Some(a.cmp(&b))
    } else {
        Some((a as i64).cmp(&(b as i64)))
    }
}

fn raws(ty: Elementary, two: &[Raw]) -> Option<Ordering> {
    match two {
        [a, b] => compare(ty, *a, *b),
        _ => None,
    }
}

fn octets(two: &[Operand<'_>]) -> Option<Ordering> {
    match two {
        [Operand::Text(a), Operand::Text(b)] => Some(a.cmp(b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        library::sample::{call, texts},
        types::Elementary::{Dint, Dt, Lreal, Lword},
    };

    #[test]
    fn compares_values() {
        let holds = |name, a: i64, b: i64| call(name, Dint, &[a as u64, b as u64]).unwrap() == 1;
        for (name, less, equal, greater) in [
            ("GT", false, false, true),
            ("GE", false, true, true),
            ("EQ", false, true, false),
            ("LE", true, true, false),
            ("LT", true, false, false),
            ("NE", true, false, true),
        ] {
            assert_eq!((holds(name, -1, 1), holds(name, 1, 1), holds(name, 1, -1)), (less, equal, greater), "{name}");
        }
        assert_eq!(call("GT", Lword, &[u64::MAX, 1]), Ok(1), "bit strings have no sign");
        assert_eq!(call("LT", Dt, &[u64::MAX, 1]), Ok(1), "a date before 1970");
    }

    #[test]
    fn chains() {
        assert_eq!((call("LT", Dint, &[1, 2, 3]), call("LT", Dint, &[1, 3, 2])), (Ok(1), Ok(0)));
        assert_eq!((call("EQ", Dint, &[2, 2, 2]), call("EQ", Dint, &[2, 2, 3])), (Ok(1), Ok(0)));
    }

    #[test]
    fn no_number_compares_with_nothing() {
        let nan = f64::NAN.to_bits();
        for name in ["GT", "GE", "EQ", "LE", "LT"] {
            assert_eq!(call(name, Lreal, &[nan, nan]), Ok(0), "{name}");
        }
        assert_eq!(call("NE", Lreal, &[nan, nan]), Ok(1));
    }

    #[test]
    fn texts_compare_by_their_octets() {
        let holds = |name, of: &[&str]| texts(name, of, &[]).unwrap() == "1";
        assert!(holds("LT", &["PUMP 1", "PUMP 10", "PUMP 2"]));
        assert!(holds("EQ", &["a", "a"]) && !holds("EQ", &["a", "A"]) && holds("NE", &["a", "A"]));
        assert!(holds("GT", &["b", "abc"]) && holds("GE", &["b", "b"]) && holds("LE", &["", "b"]));
    }
}
