//! Statements.

use super::{Bench, fault, refused, run};

#[test]
fn if_takes_the_first_arm_that_is_true() {
    let body = "VAR i : INT; END_VAR FOR i := 0 TO 3 DO
        IF i = 0 THEN x := x + 1; ELSIF i > 1 AND i < 3 THEN x := x + 10; ELSIF NOT (i >= 3) THEN x := x + 100; ELSE x := x + 1000; END_IF;
        END_FOR;";
    assert_eq!(run("x : INT;", body), "x=1111");
    assert_eq!(
        run("x : INT; a : BOOL; b : BOOL := TRUE;", "IF (a OR b) AND NOT (a AND b) OR a THEN x := 1; END_IF;"),
        "a=off b=on x=1"
    );
    assert_eq!(run("x : INT;", "IF TRUE THEN x := 1; ELSE x := 2; END_IF; IF FALSE THEN x := 3; END_IF;"), "x=1");
}

#[test]
fn case_takes_the_arm_with_the_label() {
    let body = "VAR CONSTANT five : INT := 5; END_VAR VAR i : INT; END_VAR FOR i := -3 TO 9 DO
        CASE i OF -3..-1: x := x + 1; 0, 2: x := x + 10; five: x := x + 100; 6..8, 3: x := x + 1000; ELSE y := y + 1; END_CASE;
        END_FOR;";
    assert_eq!(run("x, y : INT;", body), "x=4123 y=3");
    assert_eq!(
        refused("i : INT;", "CASE i OF 1: ; 2, 1: ; END_CASE;"),
        "the label `1` is there already (the first arm that fits is taken, so this one never would be)"
    );
    assert_eq!(
        refused("i : INT;", "CASE i OF 1..5: ; 5..9: ; END_CASE;"),
        "the label `5..9` is there already (the first arm that fits is taken, so this one never would be)"
    );
    assert_eq!(refused("i : INT;", "CASE i OF 5..1: ; END_CASE;"), "this range is empty (write the lower label first)");
    assert_eq!(
        refused("i, n : INT;", "CASE i OF n: ; END_CASE;"),
        "`n` is not known before the program runs (write a literal, a VAR CONSTANT or what follows from them)"
    );
    assert_eq!(
        refused("r : REAL;", "CASE r OF 1: ; END_CASE;"),
        "CASE decides on an integer or an enumeration, and this is REAL (use IF … ELSIF for other types)"
    );
    assert_eq!(
        refused("i : INT;", "CASE i OF 40000: ; END_CASE;"),
        "40000 is outside of what INT holds (INT goes from -32768 to 32767)"
    );
}

#[test]
fn for_goes_from_to_by() {
    let count = |statement: &str| run("i, n : INT;", &format!("{statement} n := n + 1; END_FOR;"));
    assert_eq!(count("FOR i := 1 TO 5 DO"), "i=6 n=5");
    assert_eq!(count("FOR i := 5 TO 1 DO"), "i=5 n=0");
    assert_eq!(count("FOR i := 5 TO 1 BY -2 DO"), "i=-1 n=3");
    assert_eq!(count("FOR i := 32766 TO 32767 DO"), "i=-32768 n=2");
    assert_eq!(run("x : INT;", "VAR i : USINT; END_VAR FOR i := 0 TO 255 DO x := x + 1; END_FOR;"), "x=256");
    let body = "VAR i, step : INT; upto : INT := 10; END_VAR step := -1; FOR i := upto TO 1 BY step * 3 DO upto := 0; step := 5; x := 100 * x + i; END_FOR;";
    assert_eq!(run("x : DINT;", body), "x=10070401");
    let body = "VAR i : INT; a : ARRAY [0..1] OF INT; END_VAR i := 1; FOR a[i] := 1 TO 3 DO i := 0; x := x + a[1]; IF a[0] > 100 THEN EXIT; END_IF; a[0] := a[0] + 60; a[1] := 2; END_FOR;";
    assert_eq!(run("x : INT;", body), "x=7");
    assert_eq!(
        refused("i : INT;", "FOR i := 1 TO 5 BY 0 DO END_FOR;"),
        "a FOR that goes on by 0 never ends (write a step above or below 0)"
    );
    assert_eq!(
        refused("r : REAL;", "FOR r := 1 TO 5 DO END_FOR;"),
        "the counter of FOR is an integer, and this is REAL (declare it as INT or DINT)"
    );
    assert_eq!(
        refused("i : INT;", "FOR i := 1.5 TO 5 DO END_FOR;"),
        "INT is needed here, and `1.5` is a number (write it without a decimal point)"
    );
}

#[test]
fn loops_are_left_and_gone_on_with() {
    let body = "VAR i, j : INT; END_VAR
        FOR i := 1 TO 3 DO FOR j := 1 TO 5 DO IF j = 2 THEN CONTINUE; END_IF; IF j = 4 THEN EXIT; END_IF; x := x + 1; END_FOR; END_FOR;
        i := 0; WHILE TRUE DO i := i + 1; IF i < 5 THEN CONTINUE; END_IF; EXIT; END_WHILE; y := i;
        i := 0; REPEAT i := i + 1; IF i = 2 THEN CONTINUE; END_IF; z := z + i; UNTIL i >= 4 END_REPEAT;";
    assert_eq!(run("x, y, z : INT;", body), "x=6 y=5 z=8");
    assert_eq!(refused("", "EXIT;"), "EXIT outside of a loop (it leaves a FOR, WHILE or REPEAT that it stands in)");
    assert_eq!(
        refused("", "IF TRUE THEN CONTINUE; END_IF;"),
        "CONTINUE outside of a loop (it goes on with the next round of a FOR, WHILE or REPEAT that it stands in)"
    );
}

#[test]
fn return_leaves_the_unit_and_not_the_scan() {
    let text = "VAR_GLOBAL x, y : INT; END_VAR
        PROGRAM first x := 1; IF x = 1 THEN RETURN; END_IF; x := 2; END_PROGRAM
        PROGRAM second y := x + 1; END_PROGRAM";
    assert_eq!(Bench::new(text).scans(1).values(), "x=1 y=2");
}

#[test]
fn what_cannot_be_assigned_is_told() {
    assert_eq!(
        refused("END_VAR VAR CONSTANT a : INT := 1;", "a := 2;"),
        "a is a constant (declare it in a section without CONSTANT to change it)"
    );
    assert_eq!(
        refused("END_VAR VAR CONSTANT a : ARRAY [0..1] OF INT;", "a[0] := 2;"),
        "`a[0]` is a constant and cannot be assigned (assign a variable of your own, or pass it as VAR_IN_OUT)"
    );
    assert_eq!(
        refused("t : TON;", "t.Q := TRUE;"),
        "`t.Q` is an output and cannot be assigned (assign a variable of your own, or pass it as VAR_IN_OUT)"
    );
    assert_eq!(
        refused("t, u : TON;", "t := u;"),
        "`t` is an instance and cannot be assigned (call it, or assign one of its inputs)"
    );
}

#[test]
fn a_scan_has_an_end() {
    assert_eq!(
        fault("i : INT;", "WHILE TRUE DO\ni := i + 1;\nEND_WHILE;"),
        "the scan took more than 1000000 steps (line 3 of the program)"
    );
    assert_eq!(
        fault("i, j : DINT;", "FOR i := 1 TO 100000 DO\nFOR j := 1 TO 100000 DO\nEND_FOR;\nEND_FOR;"),
        "the scan took more than 1000000 steps (line 4 of the program)"
    );
    assert_eq!(
        fault("a, b : ARRAY [1..100000] OF INT; i : INT;", "FOR i := 1 TO 100 DO\na := b;\nEND_FOR;"),
        "the scan took more than 1000000 steps (line 4 of the program)"
    );
}
