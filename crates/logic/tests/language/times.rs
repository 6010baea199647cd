//! Durations, dates and what is computed with them.

use super::{refused, run};

#[test]
fn durations_are_added_and_scaled() {
    let values = run(
        "a, b, c, d, e : TIME; r : REAL := 1.5; i : INT := 3; u : UINT := 4;",
        "a := T#1s + T#500ms; b := a * i - T#1s; c := a * r; d := c / u; e := -a + 2 * T#1s;",
    );
    assert_eq!(values, "a=1500 b=3500 c=2250 d=562 e=500 i=3 r=1.5 u=4");
    assert_eq!(refused("t : TIME;", "t := t + 5;"), "+ between TIME and whole number (write a duration as T#5s)");
    assert_eq!(refused("t : TIME;", "t := t * t;"), "* between values of TIME");
    assert_eq!(refused("t : TIME; i : INT;", "i := t;"), "INT is needed here, and `t` is TIME (use TIME_TO_INT(…))");
}

#[test]
fn dates_are_a_duration_apart() {
    let body = "VAR d : DT := DT#2024-02-28-23:00:00; day : DATE := D#2024-03-01; noon : TOD := TOD#23:30:00; END_VAR
        d := d + T#2h; a := DT_TO_DATE(d) = D#2024-02-29; b := DT#2024-03-01-00:00:00 - d; c := day - D#2024-02-28;
        noon := noon + T#1h; e := noon = TOD#00:30:00; f := noon - TOD#00:00:00; g := D#2024-01-01 < day;";
    assert_eq!(run("a, e, g : BOOL; b, c, f : TIME;", body), "a=on b=82800000 c=172800000 e=on f=1800000 g=on");
    assert_eq!(
        refused("d : DT; t : TOD;", "d := d + t;"),
        "+ between DATE_AND_TIME and TIME_OF_DAY (use TOD_TO_DT(…))"
    );
}

#[test]
fn a_duration_in_the_plant_has_whole_milliseconds() {
    let body = "VAR own : TIME := T#1500us; END_VAR a := own; b := own = T#1.5ms; c := a = T#1ms;";
    assert_eq!(run("a : TIME; b, c : BOOL;", body), "a=1 b=on c=on");
}
