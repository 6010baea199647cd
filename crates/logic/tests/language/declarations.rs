//! Names and what is declared of them.

use super::{Bench, mistakes, refused, run};

#[test]
fn names_have_no_case_and_an_order() {
    let text =
        "TYPE E : (level, Flow); END_TYPE VAR_GLOBAL level : INT := 7; Own : INT := 1; a, b : INT; c : BOOL; END_VAR
        PROGRAM main VAR own : INT := 5; e : E := LEVEL; END_VAR OWN := Own + 1; a := oWn; c := e = level; END_PROGRAM
        PROGRAM second b := own; END_PROGRAM";
    assert_eq!(Bench::new(text).scans(1).values(), "Own=1 a=6 b=1 c=on level=7");
}

#[test]
fn constants_are_known_wherever_a_value_is_needed() {
    let text = "VAR_GLOBAL CONSTANT LAST : INT := FIRST + COUNT - 1; FIRST : INT := 2; COUNT : INT := 3; NAME : STRING := 'n'; WAIT : TIME := T#1s * 2; END_VAR
        TYPE Row : ARRAY [FIRST..LAST] OF INT := [3(9)]; Kind : (One := FIRST, Two); END_TYPE
        VAR_GLOBAL x : INT := LAST; y : INT; z : INT; s : STRING := NAME; w : TIME := WAIT; END_VAR
        PROGRAM main VAR CONSTANT LOCAL : INT := LAST * 2; KIND_OF : Kind := Two; END_VAR VAR r : Row; l : ARRAY [0..LOCAL] OF INT; t : STRING[LOCAL]; k : Kind := KIND_OF; END_VAR
            y := r[2] + r[LAST]; l[LOCAL] := 1; CASE LAST OF COUNT + 1: z := 1; END_CASE; IF k = Two THEN z := z + 10; END_IF;
        END_PROGRAM";
    assert_eq!(Bench::new(text).scans(1).values(), "s=\"n\" w=2000 x=4 y=18 z=11");
    let told = mistakes("VAR_GLOBAL CONSTANT a : INT := b; b : INT := a; END_VAR PROGRAM main END_PROGRAM");
    assert_eq!(told, ["a is defined by itself (a constant needs a value that is known before it)"]);
}

#[test]
fn mistakes_are_told_all_at_once_in_order() {
    let told = mistakes(
        "VAR_GLOBAL a : INT := 2.5; END_VAR
        PROGRAM main VAR x, y : INT; x : BOOL; r : REEL; END_VAR
            xx := 1;
            r := 1;
            y := TRUE;
            y := y +;
            IF y THEN x := 1; END_IF;
            nope(1);
        END_PROGRAM",
    );
    let starts: Vec<String> = told.iter().map(|told| told.chars().take(24).collect()).collect();
    assert_eq!(
        starts,
        [
            "INT is needed here, and ",
            "x is declared twice (it ",
            "there is no type `REEL` ",
            "there is no variable `xx",
            "INT is needed here, and ",
            "expected a value, found ",
            "a condition is BOOL, and",
            "there is no function `no",
        ],
        "{told:#?}"
    );
}

#[test]
fn a_name_that_is_not_there_is_told_with_the_nearest() {
    assert_eq!(refused("level : INT;", "levle := 1;"), "there is no variable `levle` (did you mean `level`?)");
    assert_eq!(
        refused("x : INT;", "x := TON;"),
        "there is no variable `TON` (TON is a function block: declare an instance of it, such as x : TON;)"
    );
    assert_eq!(
        refused("x : INT;", "x := ABS;"),
        "there is no variable `ABS` (ABS is a function: write its arguments behind it in ( ))"
    );
    assert_eq!(
        refused("x : INT;", "x := main;"),
        "there is no variable `main` (main is declared, but not as a variable)"
    );
    assert_eq!(refused("x : INT; x : INT;", ""), "x is declared twice (it is declared in line 1 already)");
    assert_eq!(mistakes("FUNCTION f : INT f := 1; END_FUNCTION"), ["there is no PROGRAM, so nothing would run"]);
}

#[test]
fn initial_values_are_checked() {
    assert_eq!(
        refused("x : INT; y : INT := x;", ""),
        "`x` is not known before the program runs (write a literal, a VAR CONSTANT or what follows from them)"
    );
    let known = "is not known before the program runs (write a literal, a VAR CONSTANT or what follows from them)";
    let text = "FUNCTION f : INT f := 1; END_FUNCTION PROGRAM main VAR x : INT := f(); y : INT := LEN(CONCAT('a', 'b')); END_VAR END_PROGRAM";
    assert_eq!(mistakes(text), [format!("`f()` {known}"), format!("`LEN(CONCAT('a', 'b'))` {known}")]);
    assert_eq!(refused("x : INT := 40000;", ""), "40000 is outside of what INT holds (INT goes from -32768 to 32767)");
    assert_eq!(refused("t : TON := (P := T#1s);", ""), "there is no input of TON `P` (did you mean `PT`?)");
    assert_eq!(refused("x : INT := [1, 2];", ""), "INT starts with a single value");
    assert_eq!(
        run(
            "x : INT;",
            "VAR y : INT := 2 + 3 * 4; END_VAR VAR_TEMP z : INT := 5; END_VAR x := y + z; z := 100; y := y + 1;"
        ),
        "x=19"
    );
}

#[test]
fn one_mistake_is_told_once() {
    let function =
        "FUNCTION f : REEL VAR_INPUT a : INT; END_VAR VAR b : INTT; c : INT; END_VAR c := a + b; f := c; END_FUNCTION
        PROGRAM main VAR x : INT; END_VAR x := f(1); x := f(2) + 1; END_PROGRAM";
    let block =
        "FUNCTION_BLOCK b VAR_INPUT a : INTT; END_VAR VAR_OUTPUT c : INT; END_VAR c := a + 1; END_FUNCTION_BLOCK
        PROGRAM main VAR x : INT; y : b; z : ARRAY [1..2] OF b; END_VAR y(a := 1); x := y.c + z[1].c; END_PROGRAM";
    let kind = "TYPE t : STRUCT a : INTT; b : INT; END_STRUCT; END_TYPE VAR_GLOBAL g : t; END_VAR
        PROGRAM main VAR x : t; y : ARRAY [1..2] OF t; END_VAR x.b := y[1].b; g := x; END_PROGRAM";
    assert_eq!(mistakes(function).len(), 2, "{:?}", mistakes(function));
    assert_eq!(mistakes(block), ["there is no type `INTT` (did you mean `INT`?)"]);
    assert_eq!(mistakes(kind), ["there is no type `INTT` (did you mean `INT`?)"]);
}
