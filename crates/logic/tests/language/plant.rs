//! A program and the memory of its device.

use super::{Bench, device};
use honeyplant_core::plant::{Layout, Plant, Program, TagSettings, Type, Value};
use honeyplant_logic::compile;

/// A device whose profile has these tags.
fn with_tags(layout: Layout, tags: &[(&str, Type, Option<&str>)]) -> Plant {
    let mut plant = device(layout);
    for (name, ty, at) in tags {
        plant.add(name, &TagSettings::declared(*ty, *at, Value::Int(0), false), 1).expect("a good tag");
    }
    plant
}

fn told(plant: &mut Plant, text: &str) -> String {
    let problems = compile(text, plant).map(|_| ()).expect_err("mistakes");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn tags_of_the_device_are_global_variables() {
    let tags = [
        ("Level", Type::Int, Some("%MW2")),
        ("pump", Type::Bool, Some("%QX0.1")),
        ("name", Type::String, None),
        ("wait", Type::Time, Some("%MD8")),
    ];
    let text = "PROGRAM main VAR_EXTERNAL level : INT; END_VAR
        level := level + 5; PUMP := level > 3; name := CONCAT('at ', INT_TO_STRING(level)); wait := T#1.5s; END_PROGRAM";
    let mut bench = Bench::on(with_tags(Layout::S7, &tags), text);
    assert_eq!(bench.scans(2).values(), "Level=10 name=\"at 10\" pump=on wait=1500");
    let word = bench.plant.image().locate("%MW2", Type::Word).unwrap();
    bench.plant.image_mut().set_word(word, 100);
    assert_eq!(bench.scans(1).value("Level"), "105");
}

#[test]
fn a_variable_that_is_only_read_is_read_anew_in_each_scan() {
    // One of them is only read under its name, but changed under its address, and one by a call.
    let tags = [
        ("level", Type::Int, Some("%MW2")),
        ("high", Type::Bool, None),
        ("low", Type::Word, Some("%MW4")),
        ("out", Type::Int, None),
    ];
    let text = "FUNCTION Raise VAR_IN_OUT n : INT; END_VAR n := n + 1; END_FUNCTION
        VAR_GLOBAL before, after, same : INT; limit : INT := 5; END_VAR
        PROGRAM main VAR w AT %MW2 : INT; END_VAR
            before := level; w := w + 1; after := level; Raise(out); same := out;
            IF high THEN same := limit; END_IF; IF low.3 THEN same := 100; END_IF; %MB5 := 8;
        END_PROGRAM";
    let mut bench = Bench::on(with_tags(Layout::S7, &tags), text);
    assert_eq!(bench.scans(1).values(), "after=1 before=0 high=off level=1 limit=5 low=8 out=1 same=1");
    bench.plant.set(bench.plant.find("high").unwrap(), Value::Bool(true));
    bench.plant.set(bench.plant.find("limit").unwrap(), Value::Int(7));
    bench.plant.set(bench.plant.find("low").unwrap(), Value::Int(0));
    assert_eq!(bench.scans(1).values(), "after=2 before=1 high=on level=2 limit=7 low=8 out=2 same=7");
    assert_eq!(bench.scans(1).value("same"), "100");
}

#[test]
fn what_is_declared_of_a_tag_has_to_be_so() {
    let mut plant = with_tags(Layout::S7, &[("level", Type::Int, None)]);
    assert_eq!(
        told(&mut plant, "VAR_GLOBAL level : INT; END_VAR PROGRAM main END_PROGRAM"),
        "the device has a tag level already (declare it as VAR_EXTERNAL level, or use it without)"
    );
    assert_eq!(
        told(&mut plant, "PROGRAM main VAR_EXTERNAL level : REAL; END_VAR END_PROGRAM"),
        "level is INT, and it is declared as REAL here (declare it as level : INT)"
    );
    assert_eq!(
        told(&mut plant, "PROGRAM main VAR_EXTERNAL levle : INT; END_VAR END_PROGRAM"),
        "there is no global variable or tag `levle` (did you mean `level`?)"
    );
    assert_eq!(
        told(&mut plant, "PROGRAM main levl := 1; END_PROGRAM"),
        "there is no variable `levl` (did you mean `level`?)"
    );
}

#[test]
fn global_variables_become_tags_where_the_plant_can_have_them() {
    let text = "VAR_GLOBAL a : INT := 5; b AT %MW4 : WORD := 16#1234; d : DATE; l : ARRAY [1..2] OF INT; s : STRING[100]; t : STRING[5] := 'abc'; END_VAR
        VAR_GLOBAL CONSTANT c : INT := 1; END_VAR
        PROGRAM main l[1] := a; d := D#2024-01-01; s := t; %MB6 := %MB4; END_PROGRAM";
    let mut bench = Bench::new(text);
    assert_eq!(bench.scans(1).values(), "a=5 b=4660 t=\"abc\"");
    let place = bench.plant.image().locate("%MB6", Type::Byte).unwrap();
    assert_eq!(bench.plant.image().get(place, Type::Byte), Value::Uint(0x12));
}

#[test]
fn addresses_are_those_of_the_device() {
    let body = "VAR_GLOBAL x : INT; y : BOOL; z : DWORD; END_VAR PROGRAM main VAR w AT %MW2 : INT := 7; b AT %M5 : BOOL; d AT %MD10 : DINT; END_VAR
        b := TRUE; d := 16#01020304; x := w; y := %M5; z := %MD10; END_PROGRAM";
    let bench = |layout| Bench::on(device(layout), body).scans(1).values();
    assert_eq!(bench(Layout::Modicon), "x=7 y=on z=16909060");
    assert_eq!(bench(Layout::S7), "x=7 y=on z=16909060");
    let mut modicon = Bench::on(
        device(Layout::Modicon),
        "VAR_GLOBAL x : BOOL; END_VAR PROGRAM main %MW4.2 := TRUE; x := %MW4 = 4; END_PROGRAM",
    );
    assert_eq!(modicon.scans(1).value("x"), "on");
    assert_eq!(
        told(&mut device(Layout::S7), "PROGRAM main %MW900 := 1; END_PROGRAM"),
        "`%MW900` lies behind the end of its memory (64 bytes)"
    );
    assert_eq!(
        told(&mut device(Layout::S7), "PROGRAM main VAR d AT %MW0 : DATE; END_VAR END_PROGRAM"),
        "DATE cannot lie in the memory of a device (give an address to variables of elementary types other than dates)"
    );
    assert_eq!(
        told(&mut device(Layout::S7), "VAR_GLOBAL a AT %DB7.DBW0 : INT; END_VAR PROGRAM main END_PROGRAM"),
        "`%DB7.DBW0` lies in a memory that this device does not have"
    );
}

#[test]
fn one_program_serves_many_devices() {
    let text = "VAR_GLOBAL n : INT := 3; END_VAR PROGRAM main VAR own : INT; w AT %MW0 : INT := 9; END_VAR own := own + n; n := own + w; END_PROGRAM";
    let tags = [("level", Type::Int, None)];
    let mut first = with_tags(Layout::S7, &tags);
    let compiled = compile(text, &mut first).unwrap();
    let mut second = with_tags(Layout::S7, &tags);
    compiled.declare(&mut second);
    let mut one = Bench { plant: first, task: compiled.start(1), uptime: Default::default() };
    let mut two = Bench { plant: second, task: compiled.start(2), uptime: Default::default() };
    assert_eq!(one.scans(1).values(), "level=0 n=12");
    assert_eq!(one.scans(1).values(), "level=0 n=24");
    assert_eq!(two.scans(1).values(), "level=0 n=12");
}
