//! The reference of the blocks in docs/programs.md, held to their tables of pins. Apart, because only the test is about
//! both.

use super::{BLOCKS, Block, FUNCTIONS, Pin, Way, block, literal};
use crate::physics;
use std::{fmt::Write, path::Path};

const START: &str = "<!-- made by library/reference.rs -->\n";
const END: &str = "<!-- end of reference -->";

/// A sentence, and the unit that stands in brackets at its end.
fn sentence(about: &str) -> (&str, &str) {
    let about = about.trim();
    match about.strip_suffix("].").and_then(|about| about.rsplit_once(" [")) {
        Some((about, unit)) => (about, unit),
        None => (about.trim_end_matches('.'), ""),
    }
}

fn rows(text: &mut String, block: &Block) {
    let (about, _) = sentence(block.about);
    write!(text, "\n### {}\n{about}.\n\n| pin | | unit | at first | |\n|---|---|---|---|---|\n", block.name).unwrap();
    for Pin { name, ty, way, initial, about } in block.pins.iter().filter(|pin| pin.way != Way::Hidden) {
        let (meaning, unit) = sentence(about);
        let first = String::from_utf8(literal::write(*ty, *initial)).unwrap();
        let way = if *way == Way::Input { "in" } else { "out" };
        writeln!(text, "| `{name}` | {way} {} | {unit} | {first} | {meaning} |", ty.name()).unwrap();
    }
}

#[test]
fn the_reference_in_the_documentation_is_this_one() {
    let mut text = String::new();
    // Those of the third edition are told by every manual.
    let others = ["TONR", "BLINK", "HYSTERESIS", "RTC"].into_iter().filter_map(block);
    physics::BLOCKS.iter().chain(others).for_each(|block| rows(&mut text, block));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/programs.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(START).unwrap();
    let (there, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{START}{text}\n{END}{after}")).unwrap();
    } else {
        assert!(
            there.trim_end() == text.trim_end(),
            "docs/programs.md is out of date; UPDATE_DOCS=1 cargo test writes it anew"
        );
    }
}

#[test]
fn every_pin_says_what_it_is() {
    for block in BLOCKS.iter().copied().flatten().chain(physics::BLOCKS) {
        assert!(block.about.trim().ends_with('.'), "{}", block.name);
        for pin in block.pins {
            let said = pin.about.trim().ends_with('.');
            assert_eq!(said, pin.way != Way::Hidden, "{}.{}", block.name, pin.name);
        }
    }
}

#[test]
fn every_function_and_block_is_in_the_conformance_list() {
    let list = include_str!("../../tests/conformance.txt");
    let words: Vec<&str> = list.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let functions = FUNCTIONS.iter().copied().flatten().map(|entry| entry.name);
    for name in functions.chain(BLOCKS.iter().copied().flatten().map(|block| block.name)) {
        assert!(words.contains(&name), "{name}");
    }
}
