//! Arrays, structures, enumerations and subranges.

use super::{Bench, fault, mistakes, refused, run};

#[test]
fn arrays_have_any_bounds_and_dimensions() {
    let body = "VAR a : ARRAY [-2..2] OF INT; g : ARRAY [1..3, 0..1] OF DINT; i, j : INT; END_VAR
        FOR i := -2 TO 2 DO a[i] := i * i; END_FOR;
        FOR i := 1 TO 3 DO FOR j := 0 TO 1 DO g[i, j] := 10 * i + j; END_FOR; END_FOR;
        x := a[-2] + a[1]; y := g[3, 1] + g[1, 0]; i := 2; j := 1; z := g[i, j] + g[i, 0] + g[1, j];";
    assert_eq!(run("x : INT; y, z : DINT;", body), "x=5 y=41 z=52");
}

#[test]
fn an_index_outside_is_a_fault_or_a_mistake() {
    assert_eq!(
        fault("log : ARRAY [1..10] OF INT; i : INT := 11;", "i := i;\nlog[i] := 1;"),
        "index 11 is outside of 1..10 of log (line 4 of the program)"
    );
    assert_eq!(
        fault("g : ARRAY [1..3, 0..1] OF INT; i : INT := -1;", "g[2, i] := 1;"),
        "index -1 is outside of 0..1 of g (line 3 of the program)"
    );
    assert_eq!(refused("a : ARRAY [1..3] OF INT;", "a[0] := 1;"), "index 0 is outside of 1..3 of a");
    assert_eq!(
        refused("a : ARRAY [1..3] OF INT;", "a[1, 2] := 1;"),
        "2 indices are given for 1 dimensions (it is ARRAY[1..3] OF INT)"
    );
    assert_eq!(
        refused("a : ARRAY [1..3] OF INT; r : REAL;", "a[r] := 1;"),
        "an index is an integer, and this is REAL (use REAL_TO_INT(…))"
    );
    assert_eq!(refused("a : INT;", "a[1] := 1;"), "`a` is INT and no array (only an ARRAY has an index)");
    assert_eq!(
        refused("a : ARRAY [1..3] OF INT;", "a := 1;"),
        "ARRAY[1..3] OF INT is needed here, and this is whole number (a whole array or structure is assigned to one of the same type only)"
    );
}

#[test]
fn arrays_lie_in_arrays_and_structures() {
    let text = "
        TYPE
            Pump : STRUCT on : BOOL; hours : ARRAY [1..2] OF REAL := [1.5, 2.5]; name : STRING[8] := 'P'; END_STRUCT;
            Station : STRUCT pumps : ARRAY [1..3] OF Pump; spare : Pump := (name := 'spare'); END_STRUCT;
        END_TYPE
        VAR_GLOBAL x : REAL; y, z : STRING; same : BOOL; END_VAR
        PROGRAM main VAR s, t : Station; i : INT := 2; END_VAR
            s.pumps[i].hours[i] := 10.0;
            s.pumps[i].name := 'two';
            t := s;
            s.pumps[i].name := 'changed';
            x := t.pumps[2].hours[2] + t.pumps[1].hours[1];
            y := t.pumps[2].name;
            t.pumps[3] := t.spare;
            z := t.pumps[i + 1].name;
            same := t.pumps[1].name = 'P';
        END_PROGRAM";
    assert_eq!(Bench::new(text).scans(1).values(), "same=on x=11.5 y=\"two\" z=\"spare\"");
}

#[test]
fn arrays_start_with_what_is_given() {
    let body = "VAR a : ARRAY [1..6] OF INT := [1, 2(7), 3]; b : ARRAY [0..1, 0..1] OF INT := [1, 2, 3, 4]; END_VAR
        x := a[1] + a[2] + a[3] + a[4] + a[5] + a[6]; y := b[1, 0];";
    assert_eq!(run("x, y : INT;", body), "x=18 y=3");
    assert_eq!(refused("a : ARRAY [1..2] OF INT := [1, 2, 3];", ""), "more values than the 2 elements");
    assert_eq!(
        refused("a : ARRAY [1..2] OF INT := 5;", ""),
        "an array starts with the values of its elements (write [1, 2, 8(0)])"
    );
    assert_eq!(refused("a : ARRAY [5..2] OF INT;", ""), "an array cannot go from 5 to 2 (write the lower bound first)");
    assert_eq!(
        refused("n : INT; a : ARRAY [1..n] OF INT;", ""),
        "`n` is not known before the program runs (write a literal, a VAR CONSTANT or what follows from them)"
    );
    assert_eq!(
        refused("a : ARRAY [1..1000, 1..1000] OF INT;", ""),
        "this array takes 1000000 elementary values (a program has room for 262144)"
    );
}

#[test]
fn enumerations_are_types_of_their_own() {
    let types = "TYPE Colour : (Red, Green := 5, Blue); Light : (Off, Red); END_TYPE";
    let text = format!(
        "{types} VAR_GLOBAL a, b, c, d : BOOL; x : INT; END_VAR
        PROGRAM main VAR c1 : Colour := Blue; c2 : Colour; own : (Hot, Cold) := Cold; l : Light := Red; END_VAR
            a := c1 = Blue AND c2 = Red; b := c1 > Colour#Green; c := own = Cold AND l = Light.Red;
            c2 := SEL(TRUE, Green, Blue);
            CASE c2 OF Red: x := 1; Green, Blue: x := 2; END_CASE;
            d := Colour#Red < c2;
        END_PROGRAM"
    );
    assert_eq!(Bench::new(&text).scans(1).values(), "a=on b=on c=on d=on x=2");
    let told =
        |body: &str| mistakes(&format!("{types} PROGRAM main VAR c : Colour; i : INT; END_VAR {body} END_PROGRAM"));
    assert_eq!(told("c := 1;"), ["Colour is needed here, and `1` is whole number (its values are Red, Green, Blue)"]);
    assert_eq!(told("i := c;"), ["INT is needed here, and `c` is Colour"]);
    assert_eq!(told("c := Off;"), ["Colour is needed here, and `Off` is Light (its values are Red, Green, Blue)"]);
    assert_eq!(told("c := Colour#Rad;"), ["there is no value of Colour `Rad` (did you mean `Red`?)"]);
    assert_eq!(told("i := SEL(TRUE, Red, Red);").len(), 2);
    assert_eq!(told("Red := 1;"), ["Red is a value of more than one type (write Colour#Red or Light#Red)"]);
    assert_eq!(told("c := c + 1;"), ["+ between Colour and whole number (its values are Red, Green, Blue)"]);
}

#[test]
fn a_subrange_is_kept() {
    let variables = "p : INT (0..100) := 50; i : INT := 101;";
    assert_eq!(fault(variables, "p := i;"), "value 101 is outside of 0..100 of INT (0..100) (line 3 of the program)");
    assert_eq!(refused(variables, "p := 101;"), "101 is outside of 0..100 (it is INT (0..100))");
    assert_eq!(refused("p : INT (0..100) := 200;", ""), "200 is outside of 0..100 (it is INT (0..100))");
    assert_eq!(refused("p : SINT (0..200);", ""), "0..200 is no range of SINT (SINT goes from -128 to 127)");
    assert_eq!(
        run(
            "x : INT; y : INT;",
            "VAR p : INT (5..9); i : INT (1..3); END_VAR x := p; FOR i := 1 TO 3 DO y := y + i; END_FOR;"
        ),
        "x=5 y=6"
    );
}

#[test]
fn fields_that_are_not_there_are_named() {
    let types = "TYPE P : STRUCT level, flow : REAL; END_STRUCT; END_TYPE";
    let told = |body: &str| mistakes(&format!("{types} PROGRAM main VAR p : P; r : REAL; END_VAR {body} END_PROGRAM"));
    assert_eq!(told("p.levle := 1.0;"), ["there is no field of P `levle` (did you mean `level`?)"]);
    assert_eq!(
        told("r.x := 1.0;"),
        ["REAL has no fields, so there is no `x` (only a STRUCT or an instance of a function block has them)"]
    );
    assert_eq!(told("r := p;"), ["`p` is P and no single value (name one of its fields, as in x.y)"]);
    assert_eq!(
        told("p := r;"),
        ["P is needed here, and this is REAL (a whole array or structure is assigned to one of the same type only)"]
    );
    assert_eq!(
        mistakes(
            "TYPE A : STRUCT b : B; END_STRUCT; B : STRUCT a : A; END_STRUCT; END_TYPE PROGRAM main VAR a : A; END_VAR END_PROGRAM"
        ),
        ["A contains itself (a type cannot be a part of itself)"]
    );
}
