//! When a program has to be scanned again.

use super::{Bench, device};
use honeyplant_core::plant::{Layout, Program, Rest, Value};
use std::time::Duration;

fn rests(text: &str, scans: usize) -> Vec<Rest> {
    let mut bench = Bench::new(text);
    (0..scans).map(|_| bench.scan().expect("no fault")).collect()
}

#[test]
fn a_program_rests_when_nothing_moves() {
    let text = "VAR_GLOBAL a : INT := 3; b : INT; s : STRING; END_VAR
        FUNCTION f : INT VAR_INPUT n : INT; END_VAR VAR l : ARRAY [1..5] OF INT; END_VAR l[n] := n; f := l[n] + 1; END_FUNCTION
        FUNCTION_BLOCK Both VAR_INPUT n : INT; END_VAR VAR_OUTPUT o : INT; END_VAR VAR_TEMP t : INT; END_VAR t := n; o := t; END_FUNCTION_BLOCK
        PROGRAM main VAR own : INT; x : Both; t : STRING; END_VAR
            (* Values that move within a scan and come back are no change. *)
            b := 0; b := f(a); own := 7; own := own + 1; own := 0; x(n := 1); x(n := 2); s := 'x'; s := 'y'; t := 'x'; t := s; %MW0 := 1; %MW0 := 0;
        END_PROGRAM";
    assert_eq!(rests(text, 3), [Rest::Next, Rest::Still, Rest::Still]);
    let mut bench = Bench::new(text);
    bench.scans(3);
    bench.plant.set(bench.plant.find("a").unwrap(), Value::Int(1));
    assert_eq!(bench.scan(), Ok(Rest::Next));
    assert_eq!(bench.scan(), Ok(Rest::Still));
    assert_eq!(bench.value("b"), "2");
}

#[test]
fn whatever_moves_asks_for_the_next_scan() {
    for body in [
        "n := n + 1;",
        "l[50] := l[50] + 1;",
        "%MW2 := %MW2 + WORD#0; IF %MW2 < 500 THEN %MB3 := USINT_TO_BYTE(BYTE_TO_USINT(%MB3) + 1); END_IF;",
        "s := CONCAT(s, 'x');",
        "tag := NOT tag;",
        "note := INSERT(note, 'y', 0);",
    ] {
        let body = body.replace("%MW2 := %MW2 + WORD#0; ", "");
        let text = format!(
            "VAR_GLOBAL tag : BOOL; note : STRING; END_VAR PROGRAM main VAR n : INT; l : ARRAY [1..90] OF INT; s : STRING; END_VAR {body} END_PROGRAM"
        );
        assert_eq!(rests(&text, 3), [Rest::Next; 3], "{body}");
    }
}

#[test]
fn a_timer_is_waited_for() {
    let text =
        "VAR_GLOBAL q : BOOL; END_VAR PROGRAM main VAR t : TON; END_VAR t(IN := TRUE, PT := T#5s, Q => q); END_PROGRAM";
    let mut bench = Bench::new(text);
    assert_eq!(bench.scan(), Ok(Rest::Next), "its input has changed");
    assert_eq!(bench.scan(), Ok(Rest::Until(Duration::from_secs(5))));
    bench.uptime = Duration::from_secs(5);
    assert_eq!(bench.scan(), Ok(Rest::Next));
    assert_eq!(bench.value("q"), "on");
    assert_eq!(bench.scan(), Ok(Rest::Still));
}

#[test]
fn who_looks_at_a_running_timer_sees_it_move() {
    let text = "VAR_GLOBAL e : TIME; END_VAR PROGRAM main VAR t : TON; END_VAR t(IN := TRUE, PT := T#300ms); e := t.ET; END_PROGRAM";
    let mut bench = Bench::new(text);
    let rests: Vec<Rest> = (0..6).map(|_| bench.scan().unwrap()).collect();
    assert_eq!(rests[..4], [Rest::Next; 4]);
    assert_eq!(rests[5], Rest::Still);
    assert_eq!(bench.value("e"), "300");
}

#[test]
fn what_rests_may_be_left_out() {
    let text = "VAR_GLOBAL start, out : BOOL; n : INT; END_VAR
        PROGRAM main VAR t : TOF; p : TP; e : R_TRIG; END_VAR
            t(IN := start, PT := T#1s); p(IN := t.Q, PT := T#700ms); e(CLK := p.Q); IF e.Q THEN n := n + 1; END_IF; out := t.Q AND NOT p.Q;
        END_PROGRAM";
    // One is scanned always, the other only when it asks to be.
    let (mut all, mut few) = (Bench::on(device(Layout::S7), text), Bench::on(device(Layout::S7), text));
    let (mut rest, mut left_out) = (Rest::Next, 0);
    for scan in 0..200 {
        let start = Value::Bool(scan % 50 == 3 || scan == 120);
        for bench in [&mut all, &mut few] {
            let tag = bench.plant.find("start").unwrap();
            if bench.plant.get(tag) != start {
                bench.plant.set(tag, start.clone());
                rest = Rest::Next;
            }
        }
        all.scans(1);
        let due = match rest {
            Rest::Next => true,
            Rest::Until(uptime) => few.uptime >= uptime,
            Rest::Still => false,
        };
        if due {
            rest = few.scan().unwrap();
        } else {
            few.uptime += Duration::from_millis(100);
            left_out += 1;
        }
        assert_eq!(all.values(), few.values(), "scan {scan}");
    }
    assert!(left_out > 100, "{left_out}");
}

/// The programs of conformance.txt.
fn features() -> Vec<String> {
    let mut programs = vec![String::new()];
    for line in include_str!("../conformance.txt").lines() {
        match (line.starts_with("    "), programs.last_mut()) {
            (true, Some(program)) => program.push_str(&format!("{line}\n")),
            _ => programs.push(String::new()),
        }
    }
    programs.retain(|program| program.contains("PROGRAM"));
    programs
}

#[test]
fn nothing_moves_while_a_program_rests() {
    let mut rested = 0;
    for text in features() {
        let mut plant = device(Layout::S7);
        let Ok(compiled) = honeyplant_logic::compile(&text, &mut plant) else { continue };
        let mut bench = Bench { task: compiled.start(1), plant, uptime: Duration::ZERO };
        for _ in 0..20 {
            let Ok(rest) = bench.scan() else { break };
            let pause = match rest {
                Rest::Next => continue,
                Rest::Until(uptime) => uptime.saturating_sub(bench.uptime) / 2,
                Rest::Still => Duration::from_secs(60),
            };
            let (values, uptime) = (bench.values(), bench.uptime);
            bench.uptime += pause;
            assert_ne!(bench.scan(), Ok(Rest::Next), "{text}");
            assert_eq!(bench.values(), values, "{text}");
            if rest != Rest::Still {
                bench.uptime = uptime.max(bench.uptime - Duration::from_millis(100));
            }
            rested += 1;
        }
    }
    assert!(rested > 500, "{rested}");
}
