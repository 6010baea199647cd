//! One line an event for people who watch. Apart, because it is the only sink that is read with eyes.

use super::{Entry, Home, Sink, SinkError, SinkKind, Start, Unasked};
use crate::document::{Document, Outcome};
use honeyplant_core::settings::{Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// The settings of a console.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Table {
    /// Whether lines are coloured.
    colour: When,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum When {
    /// If the output is a terminal, and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The kind `console`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "console"
    }

    fn start(&self) -> Start {
        Start::Now
    }

    fn unasked(&self) -> Unasked {
        Unasked::Alone
    }

    fn example(&self) -> &'static str {
        "colour = \"never\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, _: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let colour = match table.colour {
            // no-color.org: present and not empty, whatever its value.
            When::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()),
            When::Always => true,
            When::Never => false,
        };
        Ok(Box::new(Console::new(io::stdout(), if colour { Colour::On } else { Colour::Off })))
    }
}

/// Whether lines are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// They are.
    On,
    /// They are plain.
    Off,
}

/// How many lines are shown in a second: more than can be read. In a flood the rest is only counted, since showing it
/// would cost as much as serving the peers; all of it is in the record.
const SHOWN: u32 = 500;

/// Writes one line an event.
#[derive(Debug)]
pub struct Console<W: Write> {
    to: W,
    colour: Colour,
    text: String,
    second: Instant,
    shown: u32,
    passed_over: u64,
}

impl<W: Write> Console<W> {
    /// A console that writes to `to`.
    pub fn new(to: W, colour: Colour) -> Self {
        Self { to, colour, text: String::new(), second: Instant::now(), shown: 0, passed_over: 0 }
    }

    /// Whether there is still a line to be had in this second. Told once when there is none, and how many had none when
    /// there is one again.
    fn may_show(&mut self, now: Instant) -> bool {
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            self.count_passed_over();
            (self.second, self.shown, self.passed_over) = (now, 0, 0);
        }
        self.shown = self.shown.saturating_add(1);
        if self.shown > SHOWN {
            if self.passed_over == 0 {
                self.text.push_str("... more than can be read; `honeyplant events` shows all of it\n");
            }
            self.passed_over += 1;
        }
        self.shown <= SHOWN
    }

    fn count_passed_over(&mut self) {
        if self.passed_over > 0 {
            // Writing to a text does not fail.
            let _ = writeln!(self.text, "... {} events were not shown here", self.passed_over);
        }
    }
}

impl<W: Write> Drop for Console<W> {
    fn drop(&mut self) {
        self.text.clear();
        self.count_passed_over();
        let _ = self.to.write_all(self.text.as_bytes());
    }
}

impl<W: Write + Send> Sink for Console<W> {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        self.text.clear();
        let now = Instant::now();
        for entry in batch {
            if !self.may_show(now) {
                continue;
            }
            match entry.document() {
                Ok(document) => line(&mut self.text, &document, self.colour),
                Err(_) => plain(&mut self.text, &entry.line),
            }
            self.text.push('\n');
        }
        self.to.write_all(self.text.as_bytes())?;
        Ok(self.to.flush()?)
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        Ok("the standard output".into())
    }
}

/// The time of day in UTC, the action and the sentence, which names the peer and the device.
pub fn line(out: &mut String, document: &Document<'_>, colour: Colour) {
    let paint = |code| if colour == Colour::On { code } else { "" };
    let (dim, strong, end) = (paint("\x1b[2m"), paint(severity(document)), paint("\x1b[0m"));
    // Writing to a text does not fail.
    let _ = write!(out, "{dim}{}{end} {strong}{:<11}{end} ", document.timestamp.clock(), document.event.action);
    plain(out, &document.message);
}

/// Red for what changes the plant, yellow for what probes it, plain for the rest.
fn severity(document: &Document<'_>) -> &'static str {
    match (&*document.event.action, document.event.outcome) {
        ("write" | "command", Outcome::Success) => "\x1b[1;31m",
        ("write" | "command", _) => "\x1b[31m",
        ("unsupported" | "malformed" | "identify" | "diagnose", _) => "\x1b[33m",
        ("read", _) => "\x1b[36m",
        ("started" | "stopped", _) => "\x1b[32m",
        _ => "",
    }
}

/// What an actor sent may stand in a sentence, and must not speak to the terminal.
fn plain(out: &mut String, text: &str) {
    out.extend(text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_where_it_cannot_be_read() {
        let entry = |sequence| Entry { sequence, line: format!("event {sequence}") };
        let mut out = Vec::new();
        let mut console = Console::new(&mut out, Colour::Off);
        console.deliver(&(0..800).map(entry).collect::<Vec<_>>()).unwrap();
        console.second = console.second.checked_sub(Duration::from_secs(1)).unwrap();
        console.deliver(&[entry(800)]).unwrap();
        drop(console);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.lines().filter(|line| line.starts_with("event")).count(), 501);
        assert!(out.contains("`honeyplant events`") && out.contains("300 events were not shown"), "{out}");
    }

    #[test]
    fn what_an_actor_sent_does_not_speak_to_the_terminal() {
        let mut out = Vec::new();
        let entry = Entry { sequence: 1, line: "no document \x1b[2J\n".into() };
        Console::new(&mut out, Colour::Off).deliver(&[entry]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "no document \u{fffd}[2J\u{fffd}\n");
    }
}
