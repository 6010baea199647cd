//! What of the tree somebody may see (RFC 3415). Apart, because the tree is the same for everybody.

use super::{
    mib::{Found, Mib, Moment, Reading},
    oid::Oid,
};
use std::ops::Bound;

/// Subtrees, in order, none of them inside another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View(Vec<Oid>);

impl View {
    /// The view of these subtrees; of everything, if there are none.
    pub(super) fn new(mut subtrees: Vec<Oid>) -> Self {
        if subtrees.is_empty() {
            subtrees.push(Oid::default());
        }
        subtrees.sort();
        subtrees.dedup_by(|inner, outer| inner.starts_with(outer));
        Self(subtrees)
    }

    /// Whether `oid` lies in it.
    pub(super) fn has(&self, oid: &[u32]) -> bool {
        let after = self.0.partition_point(|subtree| **subtree <= *oid);
        let before = after.checked_sub(1).and_then(|index| self.0.get(index));
        before.is_some_and(|subtree| oid.starts_with(subtree))
    }

    /// What there is at `oid` for whoever sees no more than this.
    pub(super) fn get(&self, mib: &Mib, oid: &[u32], at: &Moment<'_>) -> Found {
        if self.has(oid) { mib.get(oid, at) } else { Found::NoSuchObject }
    }

    /// The first instance behind `oid` that lies in it and that `fits`.
    pub(super) fn next(
        &self,
        mib: &Mib,
        oid: &[u32],
        at: &Moment<'_>,
        fits: impl Fn(&Reading) -> bool,
    ) -> Option<(Oid, Reading)> {
        let mut found = mib.next(Bound::Excluded(oid), at)?;
        loop {
            if !self.has(&found.0) {
                let ahead = self.0.get(self.0.partition_point(|subtree| *subtree < found.0)..)?.first()?;
                found = mib.next(Bound::Included(ahead), at)?;
            } else if fits(&found.1) {
                return Some(found);
            } else {
                found = mib.next(Bound::Excluded(&found.0), at)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_what_lies_in_its_subtrees() {
        let oid = |text: &str| text.parse::<Oid>().unwrap();
        let view = View::new(["1.3.6.1.2.1.1", "1.3.6.1.4.1.3833", "1.3.6.1.2.1.1.5"].map(oid).to_vec());
        assert_eq!(view.0.len(), 2, "one lies inside another");
        for (name, seen) in [
            ("1.3.6.1.2.1", false),
            ("1.3.6.1.2.1.1", true),
            ("1.3.6.1.2.1.1.9.0", true),
            ("1.3.6.1.2.1.2", false),
            ("1.3.6.1.4.1.3833.1", true),
            ("1.3.6.1.4.1.38331", false),
        ] {
            assert_eq!(view.has(&oid(name)), seen, "{name}");
        }
        assert!(View::new(Vec::new()).has(&oid("0.0")));
    }
}
