//! Functions that choose one of their arguments (§6.6.2.5, table 32). Apart, because they give back what they were given,
//! of whatever type.

use super::{Class, Compute, Entry, Operand, Produced, comparison::compare, number};
use crate::types::{Elementary, Raw};
use std::cmp::Ordering;

/// All of them.
pub(super) const FUNCTIONS: [Entry; 6] = [
    Entry::new(
        "MOVE",
        &[("IN", Class::AnyElementary)],
        Class::AnyElementary,
        Compute::Either(|_, of| Ok(number(of, 0)), |_, of| Ok(text(of, 0))),
    ),
    Entry::new(
        "SEL",
        &[("G", Class::Exactly(Elementary::Bool)), ("IN0", Class::AnyElementary), ("IN1", Class::AnyElementary)],
        Class::AnyElementary,
        Compute::Either(
            |_, of| Ok(number(of, 1 + (number(of, 0) & 1) as usize)),
            |_, of| Ok(text(of, 1 + (selector(of) & 1) as usize)),
        ),
    ),
    Entry::new(
        "MAX",
        TWO,
        Class::AnyElementary,
        Compute::Either(
            |ty, of| Ok(extreme(ty, of, Ordering::Greater)),
            |_, of| Ok(extreme_text(of, Ordering::Greater)),
        ),
    )
    .extensible(),
    Entry::new(
        "MIN",
        TWO,
        Class::AnyElementary,
        Compute::Either(|ty, of| Ok(extreme(ty, of, Ordering::Less)), |_, of| Ok(extreme_text(of, Ordering::Less))),
    )
    .extensible(),
    Entry::new(
        "LIMIT",
        &[("MN", Class::AnyElementary), ("IN", Class::AnyElementary), ("MX", Class::AnyElementary)],
        Class::AnyElementary,
        Compute::Either(limit, limit_text),
    ),
    Entry::new(
        "MUX",
        &[("K", Class::AnyInteger), ("IN0", Class::AnyElementary), ("IN1", Class::AnyElementary)],
        Class::AnyElementary,
        Compute::Either(
            |_, of| of.get(selected(number(of, 0))).copied().ok_or(BEYOND),
            |_, of| of.get(selected(selector(of))).map(|_| text(of, selected(selector(of)))).ok_or(BEYOND),
        ),
    )
    .extensible(),
];

const TWO: &[(&str, Class)] = &[("IN1", Class::AnyElementary), ("IN2", Class::AnyElementary)];
/// §6.6.2.5.9 calls it an error.
const BEYOND: &str = "K of MUX is beyond its inputs";

/// Which argument K of MUX means; negative ones are beyond all.
fn selected(k: Raw) -> usize {
    usize::try_from(k).unwrap_or(usize::MAX).saturating_add(1)
}

/// The first argument, which is no text.
fn selector(of: &[Operand<'_>]) -> Raw {
    match of.first() {
        Some(Operand::Number(raw)) => *raw,
        _ => 0,
    }
}

fn octets<'a>(of: &[Operand<'a>], index: usize) -> &'a [u8] {
    match of.get(index) {
        Some(Operand::Text(text)) => text,
        _ => &[],
    }
}

fn text(of: &[Operand<'_>], index: usize) -> Produced {
    Produced::Text(octets(of, index).to_vec())
}

/// The argument that is the furthest on that side.
fn extreme(ty: Elementary, of: &[Raw], side: Ordering) -> Raw {
    of.iter().copied().reduce(|a, b| if compare(ty, b, a) == Some(side) { b } else { a }).unwrap_or_default()
}

fn extreme_text(of: &[Operand<'_>], side: Ordering) -> Produced {
    let texts = (0..of.len()).map(|index| octets(of, index));
    let text = texts.reduce(|a, b| if b.cmp(a) == side { b } else { a });
    Produced::Text(text.unwrap_or_default().to_vec())
}

/// MIN(MAX(IN, MN), MX).
fn limit(ty: Elementary, of: &[Raw]) -> Result<Raw, &'static str> {
    let raised = extreme(ty, &[number(of, 1), number(of, 0)], Ordering::Greater);
    Ok(extreme(ty, &[raised, number(of, 2)], Ordering::Less))
}

fn limit_text(_: Elementary, of: &[Operand<'_>]) -> Result<Produced, &'static str> {
    Ok(Produced::Text(octets(of, 1).max(octets(of, 0)).min(octets(of, 2)).to_vec()))
}

#[cfg(test)]
mod tests {
    use crate::{
        library::sample::{call, reals, texts},
        types::Elementary::{Dint, Int, Lreal, Time, Udint, Uint},
    };

    #[test]
    fn chooses_by_number() {
        assert_eq!(call("MOVE", Int, &[7]), Ok(7));
        assert_eq!((call("SEL", Int, &[0, 7, 8]), call("SEL", Int, &[1, 7, 8])), (Ok(7), Ok(8)));
        assert_eq!((call("MUX", Int, &[0, 7, 8, 9]), call("MUX", Int, &[2, 7, 8, 9])), (Ok(7), Ok(9)));
        for beyond in [3, u64::MAX, -1_i64 as u64] {
            assert_eq!(call("MUX", Int, &[beyond, 7, 8, 9]), Err("K of MUX is beyond its inputs"));
        }
    }

    #[test]
    fn chooses_by_size() {
        let minus = -1_i64 as u64;
        assert_eq!((call("MAX", Dint, &[minus, 3, 2]), call("MIN", Dint, &[3, minus, 2])), (Ok(3), Ok(minus)));
        assert_eq!((call("MAX", Udint, &[7, 3]), call("MIN", Time, &[minus, 2])), (Ok(7), Ok(minus)));
        assert_eq!(reals("MAX", Lreal, &[-1.5, 2.5, -9.0]), 2.5);
        let limited = |value| call("LIMIT", Uint, &[10, value, 20]);
        assert_eq!((limited(5), limited(15), limited(25)), (Ok(10), Ok(15), Ok(20)));
        assert_eq!(call("LIMIT", Uint, &[20, 15, 10]), Ok(10), "MX has the last word");
    }

    #[test]
    fn chooses_texts() {
        assert_eq!(texts("MOVE", &["a"], &[]), Ok("a".into()));
        assert_eq!(texts("MAX", &["pump", "valve", "tank"], &[]), Ok("valve".into()));
        assert_eq!(texts("MIN", &["pump", "valve", "tank"], &[]), Ok("pump".into()));
        assert_eq!(texts("LIMIT", &["b", "c", "d"], &[]), Ok("c".into()));
        assert_eq!(texts("LIMIT", &["b", "a", "d"], &[]), Ok("b".into()));
    }
}
