//! The catalogue for analysts has every action and every technique that the record can have, and no other.

use crate::site::every_kind;
use honeyplant_core::event::Kind;
use honeyplant_record::{
    attack::{FINDINGS, ROWS, Row, SCALE, row},
    meaning::{Basis, KnownTool, Toolbox},
};
use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

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
fn the_catalogue_is_made_from_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut made = splice(&text, "kinds", &table("`event.action`", ROWS));
    made = splice(&made, "findings", &table("finding", FINDINGS));
    let scale: String = SCALE.iter().map(|(degree, meaning)| format!("| {degree} | {meaning} |\n")).collect();
    made = splice(&made, "scale", &format!("| `event.severity` | means |\n|---|---|\n{scale}"));
    holds(&path, &text, &made);
}

#[test]
fn the_tools_are_listed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tools.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut toolbox: Vec<KnownTool> = Toolbox::default().tools().to_vec();
    toolbox.sort_by_key(|known| (known.tool.name.to_lowercase(), known.tool.name.clone()));
    let mut list = String::from("| tool | kind | protocol | seen here | how it is known |\n|---|---|---|---|---|\n");
    for KnownTool { tool, basis, known, protocols, .. } in toolbox {
        let kind = serde_json::to_value(tool.kind).unwrap();
        let protocols: Vec<String> = protocols.into_iter().collect();
        let protocols = if protocols.is_empty() { "any".to_owned() } else { protocols.join(", ") };
        let seen = if basis == Some(Basis::Seen) { "yes" } else { "no" };
        let known = known.replace('|', "\\|");
        writeln!(list, "| {} | {} | {protocols} | {seen} | {known} |", tool.name, kind.as_str().unwrap()).unwrap();
    }
    holds(&path, &text, &splice(&text, "tools", &list));
}

fn table(head: &str, rows: &[&Row]) -> String {
    let mut table = format!("| {head} | severity | what happened | technique | why |\n|---|---|---|---|---|\n");
    for Row { action, severity, what, techniques, reason, .. } in rows.iter().copied() {
        let action = if head.starts_with('`') { action.split(' ').next().unwrap() } else { action };
        let action = if head.starts_with('`') { format!("`{action}`") } else { action.to_owned() };
        let names: Vec<String> =
            techniques.iter().map(|technique| format!("{} {}", technique.id, technique.name)).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        writeln!(table, "| {action} | {severity} | {what} | {names} | {reason} |").unwrap();
    }
    table
}

/// The text with `made` between the marks of `name`.
fn splice(text: &str, name: &str, made: &str) -> String {
    let (head, rest) = text.split_once(&format!("<!-- {name} -->\n")).expect("the mark of the beginning is there");
    let end = format!("<!-- end of {name} -->");
    let (_, tail) = rest.split_once(&end).expect("the mark of the end is there");
    format!("{head}<!-- {name} -->\n{made}{end}{tail}")
}

fn holds(path: &Path, text: &str, made: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, made).unwrap();
    } else {
        assert!(text == made, "{} is out of date; UPDATE_DOCS=1 cargo test writes it anew", path.display());
    }
}
