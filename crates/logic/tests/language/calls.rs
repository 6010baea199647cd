//! Functions and function blocks of the text, and instances of those that are there.

use super::{Bench, mistakes, refused};

#[test]
fn a_function_starts_anew_at_each_call() {
    let text = "TYPE P : STRUCT x, y : INT := 3; END_STRUCT; END_TYPE VAR_GLOBAL a, b, c, d : INT; END_VAR
        FUNCTION Sum : INT VAR_INPUT n : INT; l : ARRAY [1..3] OF INT; END_VAR VAR i, sum_ok : INT; k : ARRAY [1..2] OF INT := [7, 8]; END_VAR
            FOR i := 1 TO n DO Sum := Sum + l[i]; END_FOR; k[1] := k[1] + 1; sum_ok := sum_ok + 1; Sum := Sum + k[1] * sum_ok;
        END_FUNCTION
        FUNCTION Swap : P VAR_INPUT p : P; END_VAR Swap.x := p.y; Swap.y := p.x; END_FUNCTION
        FUNCTION Add : INT VAR_INPUT l, r : INT; END_VAR Add := l * 10 + r; END_FUNCTION
        PROGRAM main VAR l : ARRAY [1..3] OF INT := [1, 2, 3]; p : P := (x := 1, y := 2); END_VAR
            a := Sum(3, l); b := Sum(n := 2, l := l);
            p := Swap(Swap(Swap(p))); c := p.x * 10 + p.y;
            d := Add(Add(1, 2), Add(r := 3, l := Add(0, 4)));
        END_PROGRAM";
    assert_eq!(Bench::new(&text.replace("sum_ok", "once")).scans(2).values(), "a=14 b=11 c=12 d=163");
}

#[test]
fn variables_are_passed_to_be_changed() {
    let text = "TYPE P : STRUCT n : INT; END_STRUCT; END_TYPE VAR_GLOBAL tag : INT := 5; w : WORD; x, y : INT; s : STRING := 'a'; END_VAR
        FUNCTION Twice : BOOL VAR_IN_OUT n : INT; END_VAR n := 2 * n; Twice := n > 100; END_FUNCTION
        FUNCTION More VAR_IN_OUT s : STRING; END_VAR s := CONCAT(s, 'b'); END_FUNCTION
        FUNCTION Raise VAR_IN_OUT b : BOOL; END_VAR b := TRUE; END_FUNCTION
        FUNCTION_BLOCK Deep VAR_IN_OUT l : ARRAY [1..3] OF P; END_VAR VAR i : INT; END_VAR
            FOR i := 1 TO 3 DO Twice(l[i].n); END_FOR; Twice(n := l[2].n); END_FUNCTION_BLOCK
        PROGRAM main VAR l : ARRAY [1..2] OF ARRAY [1..3] OF P; d : Deep; i : INT := 2; t : STRING := 'x'; END_VAR
            l[2][2].n := 10; d(l := l[i]); x := l[2][2].n; Twice(tag); Twice(tag);
            Raise(w.3); More(s); More(t); More(t); y := LEN(t);
        END_PROGRAM";
    assert_eq!(Bench::new(text).scans(1).values(), "s=\"ab\" tag=20 w=8 x=40 y=3");
    let swap = "FUNCTION f VAR_IN_OUT n : INT; END_VAR n := 1; END_FUNCTION PROGRAM main VAR a : DINT; END_VAR VAR CONSTANT c : ARRAY [1..2] OF INT; END_VAR";
    let told = |body: &str| mistakes(&format!("{swap} {body} END_PROGRAM")).join("; ");
    assert_eq!(told("f(5);"), "`5` is no variable (a variable is needed here)");
    assert_eq!(
        told("f(a);"),
        "n is INT, and `a` is DINT (a variable that is passed as VAR_IN_OUT has the very same type)"
    );
    assert_eq!(
        told("f(c[1]);"),
        "`c[1]` is a constant and cannot be passed as VAR_IN_OUT (n may be changed by the call)"
    );
    assert_eq!(told("f();"), "the argument n of f is missing (they are n)");
}

#[test]
fn instances_remember_and_are_many() {
    let text = "VAR_GLOBAL a, b, c, d, e : INT; END_VAR
        FUNCTION_BLOCK Count VAR_INPUT step : INT := 2; END_VAR VAR_OUTPUT n : INT := 100; END_VAR VAR_TEMP t : INT := 1; END_VAR
            n := n + step * t; t := 50; END_FUNCTION_BLOCK
        TYPE Pair : STRUCT one : Count; two : ARRAY [0..1] OF Count; END_STRUCT; END_TYPE
        FUNCTION_BLOCK Nest VAR p : Pair; i : INT; END_VAR VAR_OUTPUT all : INT; END_VAR
            FOR i := 0 TO 1 DO p.two[i](step := i); END_FOR; p.one(); all := p.one.n + p.two[1].n; END_FUNCTION_BLOCK
        PROGRAM main VAR x, y : Count; z : Count := (step := 5); nests : ARRAY [1..2] OF Nest; i : INT; END_VAR
            x(); y(step := 10); z.step := z.step + 1; z(n => c); a := x.n; b := y.n; y.step := 0;
            FOR i := 1 TO 2 DO nests[i](); END_FOR; nests[2](all => e); d := nests[1].all;
        END_PROGRAM";
    let mut bench = Bench::new(text);
    assert_eq!(bench.scans(1).values(), "a=102 b=110 c=106 d=203 e=206");
    assert_eq!(bench.scans(1).values(), "a=104 b=120 c=113 d=206 e=212");
}

#[test]
fn what_is_called_wrongly_is_told() {
    let units = "FUNCTION f : INT VAR_INPUT level : INT; factor : REAL := 1.0; END_VAR f := level; END_FUNCTION
        FUNCTION nothing ; END_FUNCTION
        FUNCTION_BLOCK B VAR_INPUT level : INT; END_VAR VAR_OUTPUT high : BOOL; END_VAR VAR own : INT; END_VAR own := level; END_FUNCTION_BLOCK
        PROGRAM main VAR b : B; t : TON; i : INT; r : REAL; q : BOOL; END_VAR";
    let told = |body: &str| mistakes(&format!("{units} {body} END_PROGRAM")).join("; ");
    assert_eq!(told("i := f(1, 2.0); i := f(1); nothing(); t(IN := TRUE, Q => q); b(1);"), "");
    assert_eq!(told("i := f();"), "the argument level of f is missing (they are level, factor)");
    assert_eq!(told("i := f(1, 2.0, 3);"), "f takes 2 arguments (they are level, factor)");
    assert_eq!(told("i := f(levle := 1);"), "there is no input of f `levle` (did you mean `level`?)");
    assert_eq!(told("i := f(1, level := 2);"), "level is given twice");
    assert_eq!(told("i := f(r);"), "INT is needed here, and `r` is REAL (use REAL_TO_INT(…))");
    assert_eq!(told("i := nothing();"), "`nothing()` has no result");
    assert_eq!(told("b(high := TRUE);"), "high is an output of B (write high => variable)");
    assert_eq!(told("b(level => i);"), "there is no output of B `level` (there is: high)");
    assert_eq!(told("b(high => i);"), "the output is BOOL, and `i` is INT (use BOOL_TO_INT(…))");
    assert_eq!(told("i := b.own;"), "own cannot be seen from outside of B (make it a VAR_OUTPUT)");
    assert_eq!(
        told("i := b(level := 1);"),
        "b is no function (call an instance in a statement of its own, then use its outputs)"
    );
    assert_eq!(
        told("i := B(1);"),
        "B is no function (call an instance in a statement of its own, then use its outputs)"
    );
    assert_eq!(told("t(PT := 5);"), "TIME is needed here, and `5` is a number (write a duration as T#5s)");
    assert_eq!(told("t(INN := q);"), "there is no input of TON `INN` (did you mean `IN`?)");
    assert_eq!(told("t(q, T#1s, 3);"), "TON takes 2 arguments (they are IN, PT)");
    assert_eq!(
        told("TON(IN := q);"),
        "TON is a function block and no function (declare an instance of it, such as x : TON;)"
    );
    assert_eq!(told("i();"), "`i` is INT (only functions and instances of function blocks can be called)");
    assert_eq!(told("main();"), "main is no function (a PROGRAM is called by the CPU)");
    assert_eq!(told("i := ff(1);"), "there is no function `ff` (did you mean `f`?)".replace("`f`", "`F`").as_str());
}

#[test]
fn a_variable_may_have_the_name_of_a_function() {
    let text = "VAR_GLOBAL limit : INT := 5; x : INT; END_VAR PROGRAM main VAR max, len : INT := 3; END_VAR
        max := MAX(max, LIMIT(0, 10, limit)); len := LEN('four') + len; x := max * 10 + len; END_PROGRAM";
    assert_eq!(Bench::new(text).scans(1).values(), "limit=5 x=57");
}

#[test]
fn an_input_belongs_to_the_caller() {
    let told = mistakes("FUNCTION f : INT VAR_INPUT a : INT; END_VAR a := 1; END_FUNCTION PROGRAM main END_PROGRAM");
    assert_eq!(
        told,
        ["`a` is an input and cannot be assigned (assign a variable of your own, or pass it as VAR_IN_OUT)"]
    );
}

#[test]
fn what_calls_itself_is_told_by_name() {
    let text = "FUNCTION a : INT a := b(); END_FUNCTION FUNCTION b : INT b := c(); END_FUNCTION FUNCTION c : INT c := a(); END_FUNCTION PROGRAM main END_PROGRAM";
    assert_eq!(
        mistakes(text),
        ["a calls itself: a → b → c → a (a unit cannot be called again before it is done; use a loop)"]
    );
    let text = "FUNCTION f : INT VAR_INPUT n : INT; END_VAR f := f(n - 1); END_FUNCTION PROGRAM main END_PROGRAM";
    assert_eq!(mistakes(text), ["f calls itself: f → f (a unit cannot be called again before it is done; use a loop)"]);
    let text = "FUNCTION_BLOCK A VAR b : B; END_VAR END_FUNCTION_BLOCK FUNCTION_BLOCK B VAR a : A; END_VAR END_FUNCTION_BLOCK PROGRAM main END_PROGRAM";
    assert_eq!(mistakes(text), ["A contains an instance of itself (pass the other instance as VAR_IN_OUT)"]);
    let text = "FUNCTION_BLOCK A VAR_IN_OUT n : INT; END_VAR END_FUNCTION_BLOCK FUNCTION f VAR_IN_OUT x : A; n : INT; END_VAR x(n := n); END_FUNCTION
        PROGRAM main VAR x : A; n : INT; END_VAR f(x, n); END_PROGRAM";
    assert_eq!(mistakes(text), [] as [&str; 0]);
}

#[test]
fn instances_need_a_place_that_keeps_them() {
    let told = |unit: &str| mistakes(&format!("{unit} PROGRAM main END_PROGRAM")).join("; ");
    let hint = "(declare it in VAR of a program or function block, or pass it as VAR_IN_OUT)";
    assert_eq!(
        told("FUNCTION f VAR t : TON; END_VAR END_FUNCTION"),
        format!("TON is an instance, or holds one, and has to be kept from scan to scan {hint}")
    );
    assert_eq!(
        told("FUNCTION_BLOCK b VAR_INPUT t : TON; END_VAR END_FUNCTION_BLOCK"),
        format!("TON is an instance, or holds one, and has to be kept from scan to scan {hint}")
    );
    assert_eq!(
        refused("END_VAR VAR_TEMP t : ARRAY [1..2] OF TON;", ""),
        format!("ARRAY[1..2] OF TON is an instance, or holds one, and has to be kept from scan to scan {hint}")
    );
    assert_eq!(
        mistakes("PROGRAM main VAR_IN_OUT n : INT; END_VAR n := 1; END_PROGRAM"),
        ["nobody passes variables to a PROGRAM (declare what it shares with others as VAR_GLOBAL or VAR_EXTERNAL)"]
    );
    assert_eq!(refused("t : R_TRIGG;", ""), "there is no type `R_TRIGG` (did you mean `R_TRIG`?)");
}
