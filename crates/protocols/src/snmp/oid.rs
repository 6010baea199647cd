//! Object identifiers, RFC 2578 §3.5. Apart, because messages, views and the tree of objects all compare them.

use crate::shared::ber::{self, Fault};
use smallvec::SmallVec;
use std::{
    fmt::{self, Write},
    ops::Deref,
    str::FromStr,
};

/// The most numbers that an identifier has (RFC 2578 §3.5).
pub(super) const LONGEST: usize = 128;

/// An object identifier; it is ordered as objects are walked.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Oid(SmallVec<[u32; 20]>);

impl Oid {
    /// The identifier of these numbers; what is more than it can have is cut off.
    pub(super) fn new(arcs: &[u32]) -> Self {
        Self(SmallVec::from_slice(arcs.get(..LONGEST).unwrap_or(arcs)))
    }

    /// The identifier that these contents of an OBJECT IDENTIFIER are. One without any number is taken for 0.0, as net-snmp
    /// takes it.
    pub(super) fn read(contents: &[u8]) -> Result<Self, Fault> {
        let mut oid = Self::default();
        match contents {
            [] => oid.0.extend([0, 0]),
            contents => ber::object_identifier(contents, |arc| oid.push(arc))?,
        }
        Ok(oid)
    }

    /// The same with one number more, if it has place for it.
    #[must_use]
    pub(super) fn with(mut self, arc: u32) -> Self {
        self.push(arc);
        self
    }

    /// The same with `arcs` behind it, as far as it has place for them.
    #[must_use]
    pub(super) fn join(mut self, arcs: &[u32]) -> Self {
        let room = LONGEST.saturating_sub(self.0.len());
        self.0.extend_from_slice(arcs.get(..room).unwrap_or(arcs));
        self
    }

    /// Adds a number; tells whether it had place for it.
    pub(super) fn push(&mut self, arc: u32) -> bool {
        let room = self.0.len() < LONGEST;
        if room {
            self.0.push(arc);
        }
        room
    }
}

impl Deref for Oid {
    type Target = [u32];
    fn deref(&self) -> &[u32] {
        &self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dotted(self))
    }
}

/// The arcs with points between them, as everybody writes them.
pub(super) fn dotted(arcs: &[u32]) -> Box<str> {
    let mut text = String::with_capacity(4 * arcs.len());
    for (i, arc) in arcs.iter().enumerate() {
        if i > 0 {
            text.push('.');
        }
        // Most arcs are one digit, and there are a dozen in each name.
        match char::from_digit(*arc, 10) {
            Some(digit) => text.push(digit),
            // Writing to a text does not fail.
            None => drop(write!(text, "{arc}")),
        }
    }
    text.into()
}

impl FromStr for Oid {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no object identifier; write it as 1.3.6.1.2.1.1.1.0");
        let mut oid = Self::default();
        for arc in text.strip_prefix('.').unwrap_or(text).split('.') {
            if !arc.bytes().all(|digit| digit.is_ascii_digit()) || !oid.push(arc.parse().map_err(|_| wrong())?) {
                return Err(wrong());
            }
        }
        // The first two numbers share an octet when they are written (X.690 §8.19.4).
        match *oid {
            [0 | 1, 0..40, ..] | [2, ..] if oid.len() > 1 => Ok(oid),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(text: &str) -> Oid {
        text.parse().unwrap()
    }

    #[test]
    fn is_read_and_shown_as_people_write_it() {
        assert_eq!(oid(".1.3.6.1.4.1.4294967295").to_string(), "1.3.6.1.4.1.4294967295");
        let long = format!("1.3{}", ".1".repeat(127));
        for wrong in ["", "1", "1.", "1..3", "1.x", "1.+3", "3.1", "1.40", "1.3.4294967296", &long] {
            assert!(wrong.parse::<Oid>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn is_ordered_number_by_number_and_the_shorter_first() {
        let mut walk = [oid("1.3.10"), oid("1.3.2.1"), oid("1.3"), oid("1.3.2")];
        walk.sort();
        assert_eq!(walk.map(|oid| oid.to_string()), ["1.3", "1.3.2", "1.3.2.1", "1.3.10"]);
    }

    #[test]
    fn has_an_end() {
        let full = Oid::new(&[1; 200]);
        assert_eq!((full.len(), full.clone().with(1).len(), full.join(&[1]).len()), (128, 128, 128));
    }
}
