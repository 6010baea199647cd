//! What a program may take.

use super::{mistakes, refused};

#[test]
fn what_is_too_large_is_told() {
    assert_eq!(
        refused("a : ARRAY [1..200000] OF INT; b : ARRAY [1..100000] OF INT;", ""),
        "the program's variables take more than 262144 elementary values"
    );
    let body = "x := x + 1;\n".repeat(600_000 / 12 * 11);
    let told = refused("x : INT;", &body);
    assert!(told.contains("longer than 1048576 bytes") || told.contains("more than 524288 instructions"), "{told}");
    let nothing = "TYPE Nothing : STRUCT END_STRUCT; END_TYPE PROGRAM main VAR a : ARRAY [1..2000000000, 1..2000000000] OF Nothing; END_VAR END_PROGRAM";
    assert!(!mistakes(nothing).is_empty());
}

/// `count` things of which each needs the next one.
fn chain(count: usize, link: impl Fn(usize) -> String) -> String {
    (0..count).map(link).collect()
}

#[test]
fn what_lies_too_deep_in_each_other_is_told() {
    let types = chain(10_000, |n| format!("T{n} : ARRAY [0..0] OF T{};\n", n + 1));
    let told = mistakes(&format!("TYPE {types} T10000 : INT; END_TYPE PROGRAM main VAR a : T0; END_VAR END_PROGRAM"));
    assert!(told[0].contains("deep in each other"), "{}", told[0]);
    let blocks = chain(5_000, |n| format!("FUNCTION_BLOCK B{n} VAR b : B{}; END_VAR END_FUNCTION_BLOCK\n", n + 1));
    let told = mistakes(&format!(
        "{blocks} FUNCTION_BLOCK B5000 END_FUNCTION_BLOCK PROGRAM main VAR b : B0; END_VAR END_PROGRAM"
    ));
    assert!(told[0].contains("deep in each other"), "{}", told[0]);
    let constants = chain(10_000, |n| format!("c{n} : INT := c{} + 1;\n", n + 1));
    let told =
        mistakes(&format!("VAR_GLOBAL CONSTANT {constants} c10000 : INT := 1; END_VAR PROGRAM main END_PROGRAM"));
    assert!(told[0].contains("deep in each other"), "{}", told[0]);
    let functions = chain(5_000, |n| format!("FUNCTION f{n} : INT f{n} := f{}(); END_FUNCTION\n", n + 1));
    let told = mistakes(&format!("{functions} FUNCTION f5000 : INT f5000 := 1; END_FUNCTION PROGRAM main END_PROGRAM"));
    assert!(told[0].contains("deep in each other"), "{}", told[0]);
}

#[test]
fn the_longest_expressions_that_can_be_read_can_be_compiled() {
    let nested = format!("{}x{}", "(1 + ".repeat(60), ")".repeat(60));
    assert_eq!(refused("x : INT;", &format!("x := {nested};")), "");
    let long = "x + ".repeat(150) + "x";
    assert_eq!(refused("x : INT;", &format!("x := {long};")), "");
    let both = format!("{}x{}", "ABS(x - x - x - x * ".repeat(40), ")".repeat(40));
    assert_eq!(refused("x : INT;", &format!("x := {both};")), "");
    let statements = format!("{}x := 1;{}", "IF x = 1 THEN ".repeat(50), " END_IF;".repeat(50));
    assert_eq!(refused("x : INT;", &statements), "");
}

#[test]
fn noise_is_refused_and_nothing_else() {
    let text = super::retain::TEXT;
    let words: Vec<&str> = text.split_inclusive(|c: char| !c.is_alphanumeric()).collect();
    let mut state = 1_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for _ in 0..60 {
        let mut mixed = words.clone();
        for _ in 0..=next(6) {
            let (from, to) = (next(mixed.len()), next(mixed.len()));
            mixed.swap(from, to);
        }
        mistakes(&mixed.concat());
    }
}
