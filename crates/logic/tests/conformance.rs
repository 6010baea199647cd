//! What of IEC 61131-3 Structured Text is here: `conformance.txt` has a program for every feature. The list in
//! docs/programs.md is made from it, so that it cannot say anything else.

use honeyplant_core::plant::{Image, Moment, Plant, Program, Sizes, Value};
use std::{collections::BTreeSet, fmt::Write, path::Path, time::Duration};

struct Table {
    title: &'static str,
    features: Vec<Feature>,
}

struct Feature {
    name: &'static str,
    supported: bool,
    program: String,
    steps: Vec<Step>,
}

enum Step {
    /// A scan at so many milliseconds, with tags set before and tags seen after.
    Scan { at: u64, set: Vec<(String, f64)>, seen: Vec<(String, String)> },
    /// The program is refused with this in the message.
    Refused(&'static str),
}

fn tables() -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for line in include_str!("conformance.txt").lines() {
        let rest = line.get(2..).unwrap_or_default();
        if line.starts_with("# ") {
            tables.push(Table { title: rest, features: Vec::new() });
            continue;
        }
        let Some(table) = tables.last_mut() else { continue };
        if line.starts_with(['+', '-']) {
            let (name, supported) = (rest, line.starts_with('+'));
            table.features.push(Feature { name, supported, program: String::new(), steps: Vec::new() });
        } else if let Some(feature) = table.features.last_mut() {
            feature.read(line, rest);
        } else {
            assert_eq!(line, "", "under {}", table.title);
        }
    }
    tables
}

impl Feature {
    fn read(&mut self, line: &'static str, rest: &'static str) {
        let pairs = |text: &str| -> Vec<(String, String)> {
            let pairs = text.split_whitespace().map(|pair| pair.split_once('=').expect("name=value"));
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        match line.get(..1) {
            Some(" ") => writeln!(self.program, "{line}").expect("text takes text"),
            Some("=") => {
                let (expected, expression) = rest.split_once(": ").expect("= TYPE value: expression");
                let (ty, value) = expected.split_once(' ').expect("= TYPE value: expression");
                self.program = format!(
                    "VAR_GLOBAL seen : {ty}; END_VAR PROGRAM main VAR x : {ty}; END_VAR x := {expression}\n; seen := x; END_PROGRAM"
                );
                self.steps.push(Step::Scan { at: 0, set: Vec::new(), seen: vec![("seen".into(), value.into())] });
            }
            Some("@") => {
                let (before, seen) = rest.split_once(':').expect("@ time sets: seen");
                let (at, set) = before.split_once(' ').unwrap_or((before, ""));
                let set = pairs(set).into_iter().map(|(name, value)| (name, value.parse().expect("a number")));
                let set = set.collect();
                self.steps.push(Step::Scan { at: at.parse().expect("milliseconds"), set, seen: pairs(seen) });
            }
            Some("!") => self.steps.push(Step::Refused(rest)),
            _ => assert_eq!(line, "", "under {}", self.name),
        }
    }

    /// What the program does that it should not.
    fn run(&self) -> Result<(), String> {
        assert!(!self.steps.is_empty(), "{} shows nothing", self.name);
        let compiled = compiled(&self.program);
        if let [Step::Refused(why)] = &*self.steps {
            return match compiled {
                Ok(_) => Err("it is not refused".to_owned()),
                Err(message) if message.contains(why) => Ok(()),
                Err(message) => Err(format!("it is refused for another reason: {message}")),
            };
        }
        let (program, mut plant) = compiled?;
        let mut task = program.start(1);
        for step in &self.steps {
            let Step::Scan { at, set, seen } = step else { return Err("it cannot run and be refused".to_owned()) };
            let tag = |plant: &Plant, name: &str| plant.find(name).ok_or_else(|| format!("there is no tag {name}"));
            for (name, value) in set {
                if name == "restart" {
                    task.restart(&mut plant, honeyplant_core::cpu::Start::Warm);
                    continue;
                }
                let tag = tag(&plant, name)?;
                plant.set(tag, Value::Real(*value));
            }
            let uptime = Duration::from_millis(*at);
            let scan = task.scan(&mut plant, Moment { uptime, clock: uptime });
            match (scan, &**seen) {
                (Ok(_), [(name, why)]) if name == "fault" => return Err(format!("{why} is no fault")),
                (Err(fault), [(name, why)]) if name == "fault" && fault.why.contains(why.as_str()) => continue,
                (Err(fault), _) => return Err(fault.to_string()),
                (Ok(_), _) => {}
            }
            for (name, value) in seen {
                let is = plant.get(tag(&plant, name)?).to_string();
                if is != *value {
                    return Err(format!("{name} is {is} at {at} ms, not {value}"));
                }
            }
        }
        Ok(())
    }
}

/// A program, and a plant with the tags that it declares.
fn compiled(program: &str) -> Result<(Box<dyn Program>, Plant), String> {
    let sizes = Sizes { inputs: 16, outputs: 16, memory: 64, ..Sizes::default() };
    let mut plant = Plant::new(Image::new(&sizes).expect("small memory"));
    match honeyplant_logic::compile(program, &mut plant) {
        Ok(compiled) => Ok((Box::new(compiled), plant)),
        Err(problems) => Err(problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")),
    }
}

#[test]
fn every_feature_is_as_the_list_says() {
    let mut wrong = String::new();
    for (table, feature) in tables().iter().flat_map(|table| table.features.iter().map(move |it| (table, it))) {
        if let Err(why) = feature.run() {
            writeln!(wrong, "{}, {}: {why}", table.title, feature.name).expect("text takes text");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_list_in_the_documentation_is_this_one() {
    let mut list = String::from("| table | | supported | not supported |\n|---|---|---|---|\n");
    for table in tables() {
        let named = |supported: bool| {
            let those = table.features.iter().filter(|feature| feature.supported == supported);
            those.map(|feature| feature.name).collect::<Vec<_>>().join("; ")
        };
        let (number, title) = table.title.split_once(": ").expect("# number: title");
        writeln!(list, "| {number} | {title} | {} | {} |", named(true), named(false)).expect("text takes text");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/programs.md");
    let text = std::fs::read_to_string(&path).expect("docs/programs.md can be read");
    let (start, end) = ("<!-- made by tests/conformance.rs -->\n", "<!-- end of conformance -->");
    let (before, rest) = text.split_once(start).expect("the list has a place");
    let (there, after) = rest.split_once(end).expect("the list has an end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{start}{list}{end}{after}")).expect("docs/programs.md can be written");
    } else {
        assert!(there == list, "docs/programs.md is out of date; UPDATE_DOCS=1 cargo test writes it anew");
    }
}

#[test]
fn a_feature_is_listed_once() {
    for table in tables() {
        let names: BTreeSet<_> = table.features.iter().map(|feature| feature.name).collect();
        assert_eq!(names.len(), table.features.len(), "{}", table.title);
        assert!(!names.is_empty(), "{} is empty", table.title);
        let shown = table.features.iter().filter(|it| it.supported == matches!(*it.steps, [Step::Refused(_)]));
        assert_eq!(shown.map(|it| it.name).collect::<Vec<_>>(), [""; 0], "shown to be what they are not");
    }
}
