//! Objects and their instances in the order in which they are walked, RFC 3416 §4.2.2. Apart, because it knows identifiers
//! and nothing of what lies there.

use super::{View, source::Source};
use crate::snmp::{oid::Oid, value::Value};
use smallvec::SmallVec;
use std::{collections::BTreeMap, ops::Bound};

/// What follows an object's identifier in that of an instance: `0`, or the index of a row.
pub(super) type Index = SmallVec<[u32; 10]>;

/// Objects while they are gathered.
pub(super) type Shelf = BTreeMap<Oid, Object>;

/// An object with its instances.
#[derive(Debug)]
pub(super) enum Object {
    /// Instances that are always there, in order.
    Fixed(Vec<(Index, Source)>),
    /// A column of a table whose rows come and go.
    Live(Column),
}

/// A column of a table whose rows come and go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// The indices of the rows, in order.
    pub(super) rows: Rows,
    /// The value in a row that is there.
    pub(super) cell: Cell,
}

/// Tells the indices of the rows, in order.
pub(super) type Rows = fn(&View<'_>) -> Vec<Index>;

/// Tells the value in a row that is there.
pub(super) type Cell = fn(&View<'_>, &[u32]) -> Value;

/// What an instance is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// Something that is always there.
    Source(&'a Source),
    /// A row that is there just now.
    Row(Cell),
}

/// Every object of a device. No identifier of one begins that of another.
#[derive(Debug, Default)]
pub(super) struct Tree(Vec<(Oid, Object)>);

impl Tree {
    /// The tree of these objects; or two of which one would lie inside the other.
    pub(super) fn new(shelf: Shelf) -> Result<Self, Box<[Oid; 2]>> {
        let objects: Vec<_> = shelf.into_iter().collect();
        for ((outer, _), (inner, _)) in objects.iter().zip(objects.iter().skip(1)) {
            if inner.starts_with(outer) {
                return Err(Box::new([outer.clone(), inner.clone()]));
            }
        }
        Ok(Self(objects))
    }

    /// The object that `oid` is an instance of, and which one.
    pub(super) fn object<'b>(&self, oid: &'b [u32]) -> Option<(&Object, &'b [u32])> {
        let end = self.0.partition_point(|(own, _)| **own <= *oid);
        let (own, object) = self.0.get(end.checked_sub(1)?)?;
        Some((object, oid.strip_prefix(&**own)?))
    }

    /// The first instance from `from` on, and its identifier.
    pub(super) fn next(&self, from: Bound<&[u32]>, view: &View<'_>) -> Option<(Oid, Place<'_>)> {
        let oid = match from {
            Bound::Included(oid) | Bound::Excluded(oid) => oid,
            Bound::Unbounded => &[],
        };
        let end = self.0.partition_point(|(own, _)| **own <= *oid);
        // Only the last object before it can have instances behind it.
        let inside = end.checked_sub(1).and_then(|last| {
            let (own, object) = self.0.get(last)?;
            let index = oid.strip_prefix(&**own)?;
            let (index, place) = object.next(from.map(|_| index), view)?;
            Some((own.clone().join(&index), place))
        });
        inside.or_else(|| {
            self.0.get(end..)?.iter().find_map(|(own, object)| {
                let (index, place) = object.next(Bound::Unbounded, view)?;
                Some((own.clone().join(&index), place))
            })
        })
    }
}

impl Object {
    /// An object with one instance.
    pub(super) fn scalar(source: Source) -> Self {
        Self::Fixed(vec![(Index::from_slice(&[0]), source)])
    }

    /// The instance of this index, if it is there.
    pub(super) fn instance(&self, index: &[u32], view: &View<'_>) -> Option<Place<'_>> {
        match self {
            Self::Fixed(instances) => {
                let at = instances.binary_search_by(|(own, _)| (**own).cmp(index)).ok()?;
                instances.get(at).map(|(_, source)| Place::Source(source))
            }
            Self::Live(column) => {
                let there = (column.rows)(view).iter().any(|own| **own == *index);
                there.then_some(Place::Row(column.cell))
            }
        }
    }

    /// Whether any instance of it can be set.
    pub(super) fn is_writable(&self) -> bool {
        match self {
            Self::Fixed(instances) => instances.iter().any(|(_, source)| source.is_writable()),
            Self::Live(_) => false,
        }
    }

    fn next(&self, from: Bound<&[u32]>, view: &View<'_>) -> Option<(Index, Place<'_>)> {
        let before = |own: &[u32]| match from {
            Bound::Included(index) => own < index,
            Bound::Excluded(index) => own <= index,
            Bound::Unbounded => false,
        };
        match self {
            Self::Fixed(instances) => {
                let (index, source) = instances.get(instances.partition_point(|(own, _)| before(own)))?;
                Some((index.clone(), Place::Source(source)))
            }
            Self::Live(column) => {
                let index = (column.rows)(view).into_iter().find(|own| !before(own))?;
                Some((index, Place::Row(column.cell)))
            }
        }
    }
}
