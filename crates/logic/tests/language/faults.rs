//! What stops the CPU.

use super::{Bench, fault};

#[test]
fn whole_numbers_are_not_divided_by_zero() {
    for (ty, operator) in [("INT", "/"), ("UDINT", "/"), ("LINT", "/"), ("USINT", "/")] {
        let told = fault(&format!("a, b : {ty};"), &format!("a := 1;\na := a {operator} b;"));
        assert_eq!(told, "division by zero (line 4 of the program)", "{ty} {operator}");
    }
    assert!(fault("a, b : INT;", "a := DIV(a, b);").starts_with("division by zero"));
}

#[test]
fn what_was_done_before_a_fault_stays_and_a_restart_starts_anew() {
    let text = "VAR_GLOBAL x, y : INT; n : INT; END_VAR
        PROGRAM main VAR seen : INT; END_VAR
            seen := seen + 1; x := seen; y := 100 / n; x := 0; END_PROGRAM";
    let mut bench = Bench::new(text);
    assert!(bench.scan().is_err());
    assert_eq!(bench.values(), "n=0 x=1 y=0");
    bench.plant.set(bench.plant.find("n").unwrap(), honeyplant_core::plant::Value::Int(50));
    bench.scans(1);
    assert_eq!(bench.values(), "n=50 x=0 y=2");
    bench.task.restart(&mut bench.plant, honeyplant_core::cpu::Start::Warm);
    assert!(bench.scan().is_err());
    assert_eq!(bench.values(), "n=0 x=1 y=0");
}
