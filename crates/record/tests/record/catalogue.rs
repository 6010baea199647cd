//! The catalogue for analysts has every action and every technique that the record can have, and no other.

use crate::site::every_kind;
use honeyplant_core::event::Kind;
use honeyplant_record::attack::{ROWS, row};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Whoever adds a kind is led here, and from here to `every_kind`.
const fn number(kind: &Kind) -> usize {
    match kind {
        Kind::Started { .. } => 0,
        Kind::Stopped => 1,
        Kind::Opened => 2,
        Kind::Exchange => 3,
        Kind::Unsupported(_) => 4,
        Kind::Identify(_) => 5,
        Kind::Diagnose(_) => 6,
        Kind::Read(..) => 7,
        Kind::Write(..) => 8,
        Kind::Command(..) => 9,
        Kind::Malformed { .. } => 10,
        Kind::Closed(_) => 11,
        Kind::Faulted { .. } => 12,
        Kind::Login(..) => 13,
        Kind::File(..) => 14,
        Kind::Relay(..) => 15,
        Kind::Secured(_) => 16,
        Kind::Stranger { .. } => 17,
        Kind::Withheld { .. } => 18,
        Kind::Discarded { .. } => 19,
        Kind::Block(..) => 20,
        Kind::Request(..) => 21,
        Kind::Unsecured { .. } => 22,
    }
}

#[test]
fn the_tests_know_every_kind_and_every_row_of_the_table() {
    let numbers: BTreeSet<usize> = every_kind().iter().map(|event| number(&event.kind)).collect();
    assert_eq!(numbers, (0..23).collect());
    let met: BTreeSet<&str> = every_kind().iter().map(|event| row(&event.kind).action).collect();
    assert_eq!(met, ROWS.iter().map(|row| row.action).collect());
}

#[test]
fn the_catalogue_is_complete() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md")).unwrap();
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let table = text.split("\n## ").next().unwrap();
    for line in table.lines().filter(|line| line.starts_with("| `") && !line.starts_with("| `event.action`")) {
        let action = line.split('`').nth(1).unwrap();
        told.entry(action.to_owned()).or_default().push_str(line);
    }
    let actions: BTreeSet<String> = every_kind().iter().map(|event| event.kind.action().to_owned()).collect();
    assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), actions);
    let mut expected: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in ROWS {
        let action = row.action.split(' ').next().unwrap();
        expected.entry(action).or_default().extend(row.techniques.iter().map(|technique| technique.id));
    }
    for (action, ids) in expected {
        let found: BTreeSet<&str> = told[action].split(|c: char| !c.is_ascii_alphanumeric()).filter(is_id).collect();
        assert_eq!(found, ids, "techniques of `{action}` in docs/events.md");
    }
    for row in ROWS.iter().flat_map(|row| row.techniques) {
        let named = format!("{} {}", row.id, row.name);
        assert!(text.contains(&named), "docs/events.md does not name {named}");
    }
}

fn is_id(word: &&str) -> bool {
    word.len() == 5 && word.starts_with('T') && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}
