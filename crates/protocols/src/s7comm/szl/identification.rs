//! Who the CPU is: module identification and component identification. Apart, because these are what scanners ask for.

use super::{List, View, put_text, words};

/// A record of the module identification (§33.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) index: u16,
    /// The order number, or what stands in its place.
    pub(super) order_number: Vec<u8>,
    pub(super) type_id: u16,
    pub(super) version: [u8; 4],
}

/// W#16#xy11.
pub(super) fn parts(view: View<'_>) -> List {
    let record = |part: &Part| {
        let mut record = words(&[part.index]);
        put_text(&mut record, &part.order_number, 20, b' ');
        record.extend_from_slice(&part.type_id.to_be_bytes());
        record.extend_from_slice(&part.version);
        record
    };
    List::new(view.directory().parts.iter().map(record).collect())
}

/// What the records of the component identification say (§33.11).
#[derive(Clone, Debug)]
pub(super) struct Components {
    pub(super) station: Vec<u8>,
    pub(super) module: Vec<u8>,
    pub(super) plant: Vec<u8>,
    pub(super) copyright: Vec<u8>,
    pub(super) serial: Vec<u8>,
    pub(super) kind: Vec<u8>,
    pub(super) card: Vec<u8>,
    pub(super) manufacturer: u16,
    pub(super) profile: [u16; 2],
    pub(super) location: Vec<u8>,
}

/// W#16#xy1C. Nobody is said to have sold the CPU under a name of their own: record W#16#000A is empty.
pub(super) fn components(view: View<'_>) -> List {
    let names = &view.directory().components;
    let [profile, kind] = names.profile;
    let texts: [(u16, &[u8]); 10] = [
        (1, &names.station),
        (2, &names.module),
        (3, &names.plant),
        (4, &names.copyright),
        (5, &names.serial),
        (7, &names.kind),
        (8, &names.card),
        (9, &words(&[names.manufacturer, profile, kind])),
        (10, &[]),
        (11, &names.location),
    ];
    let record = |(index, text): (u16, &[u8])| {
        let mut record = words(&[index]);
        put_text(&mut record, text, 32, 0);
        record
    };
    List::new(texts.into_iter().map(record).collect())
}
