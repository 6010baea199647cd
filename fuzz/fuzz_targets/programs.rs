//! Every text as a program: none may make the compiler or the run of what it compiled panic or stall.
//!
//! An input is the text. What the scans find in the memory is made from the same bytes.
#![no_main]

use honeyplant_core::plant::{Image, Layout, Moment, Plant, Program, Sizes, TagSettings, Type, Value};
use honeyplant_logic::compile;
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

/// The tags that a profile could have, and where.
const TAGS: &[(&str, Type, Option<&str>)] = &[
    ("on", Type::Bool, Some("%QX0.0")),
    ("level", Type::Int, Some("%IW2")),
    ("word", Type::Word, Some("%MW0")),
    ("real", Type::Real, Some("%MD4")),
    ("wide", Type::Lint, Some("%MW8")),
    ("s", Type::Sint, None),
    ("d", Type::Dint, None),
    ("us", Type::Usint, None),
    ("u", Type::Uint, None),
    ("ud", Type::Udint, None),
    ("ul", Type::Ulint, None),
    ("b", Type::Byte, None),
    ("dw", Type::Dword, None),
    ("lw", Type::Lword, None),
    ("lr", Type::Lreal, None),
    ("t", Type::Time, None),
    ("text", Type::String, None),
];

/// Milliseconds of uptime, and of the device's clock: nothing says that either goes in steps, or the clock forward only.
const MOMENTS: &[(u64, u64)] = &[
    (0, 0),
    (0, 0),
    (100, 100),
    (101, 1_700_000_000_000),
    (200, 1_700_000_000_100),
    (1200, 1_600_000_000_000),
    (61_200, 1_700_000_061_200),
    (61_201, 951_782_399_999),
    (3_661_201, 4_102_444_799_999),
    (3_661_301, 9_223_372_036_854),
    (100_000_000, 1_709_164_800_000),
    (100_000_100, 1_709_164_800_100),
    (4_294_967_296, 0),
    (4_294_967_396, 100),
    (9_223_372_036_854, 9_223_372_036_855),
    (9_223_372_036_855, u64::MAX),
    (u64::MAX, u64::MAX),
];

fn plant(layout: Layout) -> Plant {
    let sizes = Sizes {
        layout,
        inputs: 16,
        outputs: 16,
        memory: 64,
        input_bits: 32,
        output_bits: 32,
        memory_bits: 32,
        blocks: [("1".to_owned(), 32)].into(),
    };
    let mut plant = Plant::new(Image::new(&sizes).expect("sizes"));
    for (name, ty, at) in TAGS {
        // Bits have another notation there.
        let at = at.filter(|at| layout == Layout::S7 || !at.contains('X'));
        plant.add(name, &TagSettings::declared(*ty, at, Value::Int(0), false), 1).expect("a tag");
    }
    plant
}

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let layout = if input.len() % 2 == 0 { Layout::S7 } else { Layout::Modicon };
    let compiled = match compile(&text, &mut plant(layout)) {
        Ok(compiled) => compiled,
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                let span = problem.span.expect("a mistake has its place");
                assert!(text.get(span.clone()).is_some(), "{span:?}: {}", problem.message);
            }
            return;
        }
    };
    let mut plant = plant(layout);
    compiled.declare(&mut plant);
    let mut task = compiled.start(input.len() as u64);
    for (scan, (uptime, clock)) in MOMENTS.iter().enumerate() {
        let change = input.iter().rev().nth(scan).copied().unwrap_or_default();
        let (name, ..) = TAGS[usize::from(change) % TAGS.len()];
        let value = match change % 4 {
            0 => Value::Real(f64::from(change).exp()),
            1 => Value::Int(i64::from(change) << (change % 64)),
            2 => Value::Text(text.chars().take(usize::from(change)).collect()),
            _ => Value::Real(f64::NAN),
        };
        plant.set(plant.find(name).expect("a tag"), value);
        if scan == 9 {
            let retained = task.retained();
            task.restart(&mut plant, honeyplant_core::cpu::Start::Warm);
            plant.restart();
            task.restore(&retained);
        }
        let at = Moment { uptime: Duration::from_millis(*uptime), clock: Duration::from_millis(*clock) };
        if task.scan(&mut plant, at).is_err() {
            return;
        }
    }
});
