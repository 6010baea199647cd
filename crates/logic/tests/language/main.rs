//! The language as whoever writes a program meets it: what runs gives these values, and what is refused is refused in
//! these words.

use honeyplant_core::plant::{Fault, Image, Layout, Moment, Plant, Program, Rest, Sizes, Task};
use honeyplant_logic::compile;
use std::time::Duration;

mod arrays;
mod calls;
mod declarations;
mod faults;
mod limits;
mod numbers;
mod plant;
mod rest;
mod retain;
mod statements;
mod texts;
mod times;

/// A device with some memory.
fn device(layout: Layout) -> Plant {
    let sizes =
        Sizes { layout, inputs: 16, outputs: 16, memory: 64, memory_bits: 64, input_bits: 64, ..Sizes::default() };
    Plant::new(Image::new(&sizes).expect("these sizes are good"))
}

/// A program that runs on a plant of its own, 100 ms a scan.
struct Bench {
    plant: Plant,
    task: Box<dyn Task>,
    uptime: Duration,
}

impl Bench {
    fn new(text: &str) -> Self {
        Self::on(device(Layout::S7), text)
    }

    fn on(mut plant: Plant, text: &str) -> Self {
        let compiled = match compile(text, &mut plant) {
            Ok(compiled) => compiled,
            Err(problems) => panic!("{}", problems.iter().map(|p| format!("{p} {:?}\n", p.span)).collect::<String>()),
        };
        Self { task: compiled.start(1), plant, uptime: Duration::ZERO }
    }

    fn scan(&mut self) -> Result<Rest, Fault> {
        let at = Moment { uptime: self.uptime, clock: Duration::from_secs(1_700_000_000) + self.uptime };
        self.uptime += Duration::from_millis(100);
        self.task.scan(&mut self.plant, at)
    }

    fn scans(&mut self, count: usize) -> &mut Self {
        for _ in 0..count {
            if let Err(fault) = self.scan() {
                panic!("{fault}");
            }
        }
        self
    }

    /// The tag called `name`.
    fn value(&self, name: &str) -> String {
        self.plant.get(self.plant.find(name).unwrap_or_else(|| panic!("no tag {name}"))).to_string()
    }

    /// All tags, in alphabetical order.
    fn values(&self) -> String {
        let values = self.plant.names().map(|name| format!("{name}={}", self.value(name)));
        values.collect::<Vec<_>>().join(" ")
    }
}

/// The global variables in alphabetical order after some scans of a program that consists of `body`.
fn after(scans: usize, globals: &str, body: &str) -> String {
    let text = format!("VAR_GLOBAL {globals} END_VAR PROGRAM main {body} END_PROGRAM");
    Bench::new(&text).scans(scans).values()
}

/// The same after one scan.
fn run(globals: &str, body: &str) -> String {
    after(1, globals, body)
}

/// What is told of a whole text, each mistake with its hint in brackets.
fn mistakes(text: &str) -> Vec<String> {
    match compile(text, &mut device(Layout::S7)) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// What is told of a program with these variables.
fn refused(variables: &str, body: &str) -> String {
    mistakes(&format!("PROGRAM main VAR {variables} END_VAR {body} END_PROGRAM")).join("; ")
}

/// The fault that a program comes to in its first scan.
fn fault(variables: &str, body: &str) -> String {
    let text = format!("PROGRAM main\nVAR {variables} END_VAR\n{body}\nEND_PROGRAM");
    Bench::new(&text).scan().expect_err("a fault").to_string()
}
