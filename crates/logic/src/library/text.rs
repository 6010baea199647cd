//! Functions of texts (§6.6.2.5, table 34). Apart, because texts are the only values that have a length.
//!
//! Positions count from 1. The standard calls a length or position outside of the text an error; here it means as much of
//! the text as there is.

use super::{Class, Compute, Entry, Operand, Produced};
use crate::types::{Elementary, Raw};

const TEXT: Class = Class::Exactly(Elementary::String);
const INTEGER: Class = Class::Exactly(Elementary::Int);

/// All of them.
pub(super) const FUNCTIONS: [Entry; 9] = [
    Entry::new(
        "LEN",
        &[("IN", TEXT)],
        INTEGER,
        Compute::Text(|_, of| Ok(Produced::Number(short(octets(of, 0).len())))),
    ),
    cut("LEFT", |_, of| Ok(part(of, 0, count(of, 1)))),
    cut("RIGHT", |_, of| Ok(part(of, octets(of, 0).len().saturating_sub(count(of, 1)), usize::MAX))),
    Entry::new(
        "MID",
        &[("IN", TEXT), ("L", Class::AnyInteger), ("P", Class::AnyInteger)],
        TEXT,
        Compute::Text(|_, of| Ok(part(of, position(of, 2), count(of, 1)))),
    ),
    Entry::new(
        "CONCAT",
        &[("IN1", TEXT), ("IN2", TEXT)],
        TEXT,
        Compute::Text(|_, of| {
            let texts: Vec<_> = (0..of.len()).map(|index| octets(of, index)).collect();
            Ok(Produced::Text(texts.concat()))
        }),
    )
    .extensible(),
    Entry::new(
        "INSERT",
        &[("IN1", TEXT), ("IN2", TEXT), ("P", Class::AnyInteger)],
        TEXT,
        // P is the position after which it goes.
        Compute::Text(|_, of| Ok(replaced(of, count(of, 2), 0, octets(of, 1)))),
    ),
    Entry::new(
        "DELETE",
        &[("IN", TEXT), ("L", Class::AnyInteger), ("P", Class::AnyInteger)],
        TEXT,
        Compute::Text(|_, of| Ok(replaced(of, position(of, 2), count(of, 1), b""))),
    ),
    Entry::new(
        "REPLACE",
        &[("IN1", TEXT), ("IN2", TEXT), ("L", Class::AnyInteger), ("P", Class::AnyInteger)],
        TEXT,
        Compute::Text(|_, of| Ok(replaced(of, position(of, 3), count(of, 2), octets(of, 1)))),
    ),
    Entry::new(
        "FIND",
        &[("IN1", TEXT), ("IN2", TEXT)],
        INTEGER,
        Compute::Text(|_, of| {
            let (text, sought) = (octets(of, 0), octets(of, 1));
            // Nothing is found nowhere.
            let found = text.windows(sought.len().max(1)).position(|window| window == sought);
            Ok(Produced::Number(found.map_or(0, |index| short(index.saturating_add(1)))))
        }),
    ),
];

const fn cut(name: &'static str, compute: fn(Elementary, &[Operand<'_>]) -> Result<Produced, &'static str>) -> Entry {
    Entry::new(name, &[("IN", TEXT), ("L", Class::AnyInteger)], TEXT, Compute::Text(compute))
}

fn octets<'a>(of: &[Operand<'a>], index: usize) -> &'a [u8] {
    match of.get(index) {
        Some(Operand::Text(text)) => text,
        _ => &[],
    }
}

/// A length; none if it is negative.
fn count(of: &[Operand<'_>], index: usize) -> usize {
    match of.get(index) {
        Some(Operand::Number(raw)) => usize::try_from((*raw as i64).max(0)).unwrap_or(usize::MAX),
        _ => 0,
    }
}

/// A position, counted from 0.
fn position(of: &[Operand<'_>], index: usize) -> usize {
    count(of, index).saturating_sub(1)
}

/// A length as an INT.
fn short(length: usize) -> Raw {
    length.min(i16::MAX as usize) as Raw
}

fn part(of: &[Operand<'_>], from: usize, length: usize) -> Produced {
    Produced::Text(octets(of, 0).iter().skip(from).take(length).copied().collect())
}

/// The first text with `length` of its characters from `from` on replaced.
fn replaced(of: &[Operand<'_>], from: usize, length: usize, by: &[u8]) -> Produced {
    let text = octets(of, 0);
    let (head, tail) = text.split_at(from.min(text.len()));
    Produced::Text([head, by, tail.get(length..).unwrap_or_default()].concat())
}

#[cfg(test)]
mod tests {
    use crate::library::sample::texts;

    fn of(name: &str, text: &[&str], numbers: &[i64]) -> String {
        texts(name, text, numbers).unwrap()
    }

    #[test]
    fn as_the_standard_shows() {
        assert_eq!(of("LEN", &["ASTRING"], &[]), "7");
        assert_eq!(of("LEFT", &["ASTR"], &[3]), "AST");
        assert_eq!(of("RIGHT", &["ASTR"], &[3]), "STR");
        assert_eq!(of("MID", &["ASTR"], &[2, 2]), "ST");
        assert_eq!(of("CONCAT", &["AB", "CD", "E"], &[]), "ABCDE");
        assert_eq!(of("INSERT", &["ABC", "XY"], &[2]), "ABXYC");
        assert_eq!(of("DELETE", &["ABXYC"], &[2, 3]), "ABC");
        assert_eq!(of("REPLACE", &["ABCDE", "X"], &[2, 3]), "ABXE");
        assert_eq!(of("FIND", &["ABCBC", "BC"], &[]), "2");
    }

    #[test]
    fn beyond_the_text_is_as_much_as_there_is() {
        assert_eq!((of("LEFT", &["AB"], &[9]), of("LEFT", &["AB"], &[-1])), ("AB".into(), String::new()));
        assert_eq!((of("RIGHT", &["AB"], &[9]), of("RIGHT", &["AB"], &[0])), ("AB".into(), String::new()));
        assert_eq!((of("MID", &["AB"], &[9, 2]), of("MID", &["AB"], &[1, 7])), ("B".into(), String::new()));
        assert_eq!(of("MID", &["AB"], &[1, i64::MIN]), "A");
        assert_eq!((of("INSERT", &["AB", "X"], &[0]), of("INSERT", &["AB", "X"], &[9])), ("XAB".into(), "ABX".into()));
        assert_eq!((of("DELETE", &["AB"], &[i64::MAX, 2]), of("DELETE", &["AB"], &[1, 3])), ("A".into(), "AB".into()));
        assert_eq!(of("REPLACE", &["AB", "X"], &[9, 2]), "AX");
        assert_eq!((of("FIND", &["AB", "C"], &[]), of("FIND", &["AB", ""], &[])), ("0".into(), "0".into()));
        assert_eq!(of("LEN", &[&"A".repeat(40_000)], &[]), "32767", "an INT ends there");
    }
}
