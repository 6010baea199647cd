//! Texts.

use super::{Bench, refused, run};

#[test]
fn a_text_is_cut_to_its_length() {
    assert_eq!(run("a : STRING[3]; b : STRING;", "a := 'abcdef'; b := a;"), "a=\"abc\" b=\"abc\"");
    let body = "VAR s : STRING[5]; t : STRING[255]; i : INT; END_VAR s := CONCAT('abc', 'defg'); FOR i := 1 TO 100 DO t := CONCAT(t, 'xyz'); END_FOR; x := LEN(s); y := LEN(t); a := t;";
    assert!(run("x, y : INT; a : STRING;", body).ends_with("x=5 y=255"));
    assert_eq!(refused("s : STRING[256];", ""), "a STRING of 256 characters (write a length of 1 to 255)");
}

#[test]
fn texts_are_compared_and_passed_on() {
    let body = "VAR s : STRING := 'b'; l : ARRAY [1..2] OF STRING[4] := ['one', 'two']; i : INT := 2; END_VAR
        a := s > 'a' AND s <= 'b' AND s <> 'bb' AND s < 'ba'; t := l[i]; l[i] := CONCAT(l[1], s); u := l[2]; l[1] := SEL(FALSE, l[2], s); v := l[1];";
    assert_eq!(run("a : BOOL; t, u, v : STRING;", body), "a=on t=\"two\" u=\"oneb\" v=\"oneb\"");
    let body = "VAR s : STRING := 'xy'; END_VAR s := CONCAT(s, s); s := INSERT(s, MID(s, 1, 2), 1); t := s; n := FIND(s, 'yx');";
    assert_eq!(run("t : STRING; n : INT;", body), "n=3 t=\"xyyxy\"");
}

#[test]
fn functions_take_and_give_texts() {
    let text = "VAR_GLOBAL a, b : STRING; END_VAR
        FUNCTION Label : STRING VAR_INPUT name : STRING[8] := 'none'; n : INT; END_VAR VAR sign : STRING := '#'; END_VAR
            Label := CONCAT(name, sign, INT_TO_STRING(n)); sign := 'changed'; END_FUNCTION
        FUNCTION_BLOCK Keep VAR_INPUT in1 : STRING; END_VAR VAR_OUTPUT all : STRING := '>'; END_VAR all := CONCAT(all, in1); END_FUNCTION_BLOCK
        PROGRAM main VAR k : ARRAY [1..2] OF Keep; i : INT := 2; END_VAR
            a := CONCAT(Label('pump', 1), Label(n := 2));
            k[i](in1 := a); k[i](in1 := '!', all => b);
        END_PROGRAM";
    assert_eq!(Bench::new(text).scans(1).values(), "a=\"pump#1none#2\" b=\">pump#1none#2!\"");
}
