//! What survives a restart.

use super::Bench;
use honeyplant_core::plant::{Program, Value};
use std::collections::BTreeMap;

pub(super) const TEXT: &str = "
    TYPE Entry : STRUCT level : REAL; note : STRING[8]; END_STRUCT; Phase : (Idle, Busy); END_TYPE
    FUNCTION_BLOCK Pump VAR RETAIN hours : LREAL := 1.0; END_VAR VAR starts : INT; END_VAR hours := hours + 0.5; starts := starts + 1; END_FUNCTION_BLOCK
    VAR_GLOBAL RETAIN kept : INT := 1; Grid : ARRAY [1..2, 0..1] OF INT; END_VAR
    VAR_GLOBAL lost : INT := 1; END_VAR
    PROGRAM main
    VAR RETAIN hours : DINT; log : ARRAY [0..1] OF Entry; phase : Phase; wait : TIME; timer : TON; END_VAR
    VAR pump_1 : Pump; other : INT := 5; END_VAR
        kept := kept + 1; lost := lost + 1; hours := hours + 1; other := other + 1;
        log[1].level := 2.5; log[1].note := 'high'; phase := Busy; wait := T#1500us; Grid[2, 1] := hours_now(hours);
        timer(IN := TRUE, PT := T#1m); pump_1();
    END_PROGRAM
    FUNCTION hours_now : INT VAR_INPUT n : DINT; END_VAR hours_now := DINT_TO_INT(n); END_FUNCTION";

#[test]
fn variables_are_kept_by_their_paths() {
    let mut bench = Bench::new(TEXT);
    bench.scans(3);
    let retained = bench.task.retained();
    let shown: Vec<String> = retained
        .iter()
        .filter(|(name, _)| !name.starts_with("timer"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        shown,
        [
            "Grid[1,0]=0",
            "Grid[1,1]=0",
            "Grid[2,0]=0",
            "Grid[2,1]=3",
            "hours=3",
            "log[0].level=0",
            "log[0].note=\"\"",
            "log[1].level=2.5",
            "log[1].note=\"high\"",
            "phase=1",
            "pump_1.hours=2.5",
            "wait=1500000",
        ]
    );
    assert_eq!(retained.get("timer.PT"), Some(&Value::Int(60_000_000_000)));
    assert!(retained.keys().filter(|name| name.starts_with("timer.")).count() >= 5, "hidden pins as well");
}

#[test]
fn a_restart_keeps_what_is_retained_and_nothing_else() {
    let mut bench = Bench::new(TEXT);
    bench.scans(3);
    let before = bench.task.retained();
    bench.task.restart(&mut bench.plant, honeyplant_core::cpu::Start::Warm);
    assert_eq!(bench.task.retained(), before);
    assert_eq!(bench.values(), "kept=4 lost=1");
    bench.scans(1);
    assert_eq!(bench.values(), "kept=5 lost=2");
    assert_eq!(bench.task.retained().get("pump_1.hours"), Some(&Value::Real(3.0)));
}

#[test]
fn what_was_kept_comes_back_into_a_new_task() {
    let mut first = Bench::new(TEXT);
    first.scans(3);
    let mut kept = first.task.retained();
    kept.insert("gone".into(), Value::Int(1));
    kept.insert("log[0].note".into(), Value::Text("longer than it".into()));
    kept.insert("log[0].level".into(), Value::Int(3));
    kept.insert("hours".into(), Value::Text("no number".into()));
    let mut second = Bench::new(TEXT);
    second.task.restore(&kept);
    let back = second.task.retained();
    kept.remove("gone");
    kept.insert("log[0].note".into(), Value::Text("longer t".into()));
    kept.insert("log[0].level".into(), Value::Real(3.0));
    kept.insert("hours".into(), Value::Int(0));
    assert_eq!(back, kept);
}

#[test]
fn programs_have_names_where_there_are_two() {
    let text = "PROGRAM one VAR RETAIN n : INT; END_VAR n := n + 1; END_PROGRAM PROGRAM Two VAR RETAIN n : INT; END_VAR n := n + 2; END_PROGRAM";
    let mut bench = Bench::new(text);
    let retained: BTreeMap<String, Value> = bench.scans(1).task.retained();
    assert_eq!(
        retained.into_iter().collect::<Vec<_>>(),
        [("Two.n".into(), Value::Int(2)), ("one.n".into(), Value::Int(1))]
    );
}

#[test]
fn equal_seeds_give_equal_runs() {
    let text = "VAR_GLOBAL x : LREAL; END_VAR PROGRAM main VAR n : NOISE; END_VAR n(SPREAD := 1.0); x := x + n.OUT; END_PROGRAM";
    let mut plant = super::device(honeyplant_core::plant::Layout::S7);
    let Ok(compiled) = honeyplant_logic::compile(text, &mut plant) else { panic!("it does not compile") };
    let run = |seed| {
        let mut plant = super::device(honeyplant_core::plant::Layout::S7);
        compiled.declare(&mut plant);
        let mut bench = Bench { plant, task: compiled.start(seed), uptime: Default::default() };
        bench.scans(50).values()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
