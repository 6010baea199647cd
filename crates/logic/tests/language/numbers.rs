//! Numbers and bits: their operators, widths and conversions.

use super::{refused, run};

#[test]
fn integers_wrap_at_their_width() {
    let globals = "a : SINT := 127; b : UINT; c : DINT := 2147483647; d : INT := 300;";
    let values = run(globals, "a := a + 1; b := b - 1; c := c + 1; d := d * d;");
    assert_eq!(values, "a=-128 b=65535 c=-2147483648 d=24464");
    let values = run("a : LINT := 9223372036854775807; b : ULINT;", "a := a + 1; b := b - 1;");
    assert_eq!(values, "a=-9223372036854775808 b=18446744073709551615");
    assert_eq!(run("a : SINT := -128; b : LINT;", "a := -a; b := -b / -1;"), "a=-128 b=0");
    assert_eq!(run("a : INT := -32768;", "a := a / -1;"), "a=-32768");
}

#[test]
fn operators_bind_as_the_standard_says() {
    let values = run("a, b, c, d : INT;", "a := 2 + 3 * 4; b := (2 + 3) * 4; c := 17 MOD 5 - 7 / 2; d := -7 / 2;");
    assert_eq!(values, "a=14 b=20 c=-1 d=-3");
    assert_eq!(run("x : INT := 7; a, b, c : INT;", "a := x / 2; b := -x MOD 4; c := - x / 2;"), "a=3 b=-3 c=-3 x=7");
    assert_eq!(run("a, b : BOOL;", "a := 1 < 2 AND NOT (3 = 4); b := TRUE XOR TRUE OR FALSE;"), "a=on b=off");
}

#[test]
fn a_real_has_the_digits_of_a_real() {
    assert_eq!(run("a : REAL; b : LREAL; c : BOOL;", "a := 0.1; b := a; c := b = 0.1;"), "a=0.1 b=0.1 c=off");
    assert_eq!(run("a : REAL := 1.0; b : LREAL := 1.0;", "a := a / 3.0; b := b / 0.0;"), "a=0.33333334 b=inf");
    assert_eq!(run("a : REAL := 2.0; b : REAL; c : LREAL;", "b := a ** 3; c := 2.0 ** 0.5;"), "a=2 b=8 c=1.4142135");
    assert_eq!(run("a, b : REAL := 16777216.0; c : BOOL;", "a := a + 1.0; c := a = b;"), "a=16777216 b=16777216 c=on");
}

#[test]
fn what_is_not_a_number_is_neither_more_nor_less() {
    let values = run(
        "a, b, c, d : BOOL; n : REAL; z : REAL;",
        "n := z / z; a := n < 1.0; b := n >= 1.0; c := n = n; d := n <> n;",
    );
    assert_eq!(values, "a=off b=off c=off d=on n=NaN z=0");
    assert_eq!(
        run("z : REAL; a, b : INT;", "IF NOT (z / z < 1.0) THEN a := 1; END_IF; IF z / z >= 1.0 THEN b := 1; END_IF;"),
        "a=1 b=0 z=0"
    );
}

#[test]
fn literals_take_the_type_of_their_context() {
    assert_eq!(
        run("a : INT; b : REAL; c : WORD; d : BOOL; e : LREAL;", "a := 5; b := 5; c := 16#FF; d := 1; e := 5 / 2;"),
        "a=5 b=5 c=255 d=on e=2.5"
    );
    assert_eq!(run("w : WORD := 16#F0F0; i : INT := 4; r : REAL;", "w := w AND 16#FF; r := i * 0.5;"), "i=4 r=2 w=240");
    assert_eq!(refused("a : SINT;", "a := 128;"), "128 is outside of what SINT holds (SINT goes from -128 to 127)");
    assert_eq!(refused("a : USINT;", "a := -1;"), "-1 is outside of what USINT holds (USINT goes from 0 to 255)");
    assert_eq!(
        refused("a : INT;", "a := 2.5;"),
        "INT is needed here, and `2.5` is a number (write it without a decimal point)"
    );
    assert_eq!(refused("a : BOOL;", "a := 2;"), "2 is outside of what BOOL holds (BOOL goes from 0 to 1)");
    assert_eq!(
        refused("a : REAL;", "a := 1.0E39;"),
        "this number is too large for REAL (a REAL goes up to 3.4E38; use LREAL)"
    );
    assert_eq!(
        refused("a : INT;", "a := a + 40000;"),
        "INT is needed here, and `a + 40000` is DINT (use DINT_TO_INT(…))"
    );
}

#[test]
fn values_widen_by_themselves() {
    let globals = "a : SINT := -5; b : USINT := 200; c : INT; d : DINT; e : LINT; f : REAL; g : LREAL; h : ULINT;";
    let values = run(globals, "c := a + b; d := c; e := d; f := d; g := e; h := b;");
    assert_eq!(values, "a=-5 b=200 c=195 d=195 e=195 f=195 g=195 h=200");
    assert_eq!(
        run("a : BOOL := TRUE; b : BYTE; c : WORD; d : LWORD;", "b := a; c := b OR 16#100; d := c;"),
        "a=on b=1 c=257 d=257"
    );
    assert_eq!(
        run("a : UINT := 65535; b : DINT := -1; c : BOOL; d : LINT;", "c := a > b; d := a + b;"),
        "a=65535 b=-1 c=on d=65534"
    );
    assert_eq!(
        run("a : INT := -1; u : UINT; d : DINT; x : BOOL;", "d := a + 40000; x := u > -1;"),
        "a=-1 d=39999 u=0 x=on"
    );
    assert_eq!(run("a : DINT := 16777217; r : REAL;", "r := a;"), "a=16777217 r=16777216");
}

#[test]
fn other_conversions_are_written() {
    let told = |target, value, function: &str| {
        let told = refused(&format!("a : {target}; b : {value};"), "a := b;");
        assert_eq!(told, format!("{target} is needed here, and `b` is {value} ({function})"));
    };
    told("INT", "REAL", "use REAL_TO_INT(…)");
    told("INT", "DINT", "use DINT_TO_INT(…)");
    told("REAL", "LREAL", "use LREAL_TO_REAL(…)");
    told("WORD", "INT", "use INT_TO_WORD(…)");
    told("INT", "WORD", "use WORD_TO_INT(…)");
    told("UINT", "INT", "use INT_TO_UINT(…)");
    told("REAL", "LINT", "use LINT_TO_REAL(…)");
    told("BOOL", "INT", "compare it, as in x <> 0");
    told("STRING", "INT", "use INT_TO_STRING(…)");
    told("TIME", "DINT", "use DINT_TO_TIME(…)");
    assert_eq!(run("a : INT; b : REAL := 2.5;", "a := REAL_TO_INT(b) + TRUNC_INT(b);"), "a=4 b=2.5");
}

#[test]
fn operators_refuse_what_they_have_no_meaning_for() {
    assert_eq!(refused("a : BOOL; b : INT;", "b := a + b;"), "+ between BOOL and INT (use BOOL_TO_INT(…))");
    assert_eq!(refused("a, b : BOOL;", "a := a + b;"), "+ between values of BOOL (AND, OR and XOR are for BOOL)");
    assert_eq!(refused("a : WORD;", "a := a + 1;"), "+ between values of WORD (use WORD_TO_UINT(…))");
    assert_eq!(
        refused("a : INT;", "a := a AND 1;"),
        "AND between values of INT (only BOOL and the bit strings have it)"
    );
    assert_eq!(refused("a : STRING;", "a := a + 'x';"), "+ between values of STRING (CONCAT joins texts)");
    assert_eq!(
        refused("a : UINT;", "a := -a;"),
        "UINT has no negative values (convert it to a signed type first, as with UINT_TO_DINT(…))"
    );
    assert_eq!(refused("a : INT;", "a := NOT a;"), "NOT of INT (only BOOL and the bit strings have it)");
    assert_eq!(refused("a : REAL;", "a := a MOD 2;"), "MOD between values of REAL");
    assert_eq!(
        refused("a : INT;", "IF a THEN a := 1; END_IF;"),
        "a condition is BOOL, and `a` is INT (compare it, as in x <> 0)"
    );
}

#[test]
fn what_is_known_is_computed_once() {
    assert_eq!(refused("a : INT;", "a := 1 / 0;"), "division by zero (this can be told before the program runs)");
    assert_eq!(
        refused("a : INT; END_VAR VAR CONSTANT n : INT;", "a := a / n;"),
        "the constant n has no value (write n : … := value)"
    );
    assert_eq!(refused("a : ARRAY [1..2 ** 3] OF INT;", "a[9] := 1;"), "index 9 is outside of 1..8 of a");
    assert_eq!(
        run("a : INT; b : TIME; c : REAL;", "a := ABS(-3) + MAX(1, 2); b := T#1s * 3; c := SQRT(4);"),
        "a=5 b=3000 c=2"
    );
}

#[test]
fn bits_and_bytes_of_a_word_are_variables() {
    let values = run(
        "w : WORD; i : INT; b : BYTE; x : BOOL;",
        "w.3 := TRUE; w.%B1 := 16#12; i.15 := TRUE; b := w.%B0; x := i.%X15;",
    );
    assert_eq!(values, "b=8 i=-32768 w=4616 x=on");
    assert_eq!(refused("w : WORD;", "w.16 := TRUE;"), "WORD has no such part (its parts of this size go from 0 to 15)");
    assert_eq!(
        refused("r : REAL;", "r.0 := TRUE;"),
        "`r` is REAL and has no parts (BYTE to LWORD and integers have bits and bytes)"
    );
}

#[test]
fn standard_functions_settle_their_types() {
    assert_eq!(
        run(
            "a : INT := -5; r : REAL := 2.5; x : REAL; y : INT; z : LREAL;",
            "x := MAX(a, r); y := LIMIT(0, a, 10); z := SQRT(16);"
        ),
        "a=-5 r=2.5 x=2.5 y=0 z=4"
    );
    assert_eq!(
        run("b : BYTE := 16#81; x : BYTE; t : TIME;", "x := ROL(b, 1); t := MIN(T#5s, T#3s);"),
        "b=129 t=3000 x=3"
    );
    assert_eq!(refused("a : BOOL;", "a := ABS(a);"), "ABS takes a number, and `a` is BOOL (use BOOL_TO_REAL(…))");
    assert_eq!(refused("a : INT;", "a := LIMIT(1, a);"), "the argument MX of LIMIT is missing (they are MN, IN, MX)");
    assert_eq!(refused("a : INT;", "a := ABS(a, a);"), "ABS takes 1 arguments (they are IN)");
    assert_eq!(refused("a : INT;", "a := ABBS(a);"), "there is no function `ABBS` (did you mean `ABS`?)");
    assert_eq!(
        refused("a : INT;", "a := SEL(K := TRUE, IN0 := 1, IN1 := 2);"),
        "there is no input of SEL `K` (did you mean `G`?)"
    );
    assert_eq!(
        refused("a : INT; b : BOOL;", "a := MAX(a, b);"),
        "MAX has arguments of INT and of BOOL (use BOOL_TO_INT(…))"
    );
}
