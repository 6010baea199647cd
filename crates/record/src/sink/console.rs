//! One line an event for people who watch. Apart, because it is the only sink that is read with eyes.

use super::{Entry, Sink, SinkError, SinkKind, Start};
use crate::document::{Document, Outcome};
use honeyplant_core::settings::{Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    path::Path,
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

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, _: &Path) -> Result<Box<dyn Sink>, Problems> {
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

/// Writes one line an event.
#[derive(Debug)]
pub struct Console<W> {
    to: W,
    colour: Colour,
    text: String,
}

impl<W: Write> Console<W> {
    /// A console that writes to `to`.
    pub const fn new(to: W, colour: Colour) -> Self {
        Self { to, colour, text: String::new() }
    }
}

impl<W: Write + Send> Sink for Console<W> {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        self.text.clear();
        for entry in batch {
            match entry.document() {
                Ok(document) => line(&mut self.text, &document, self.colour),
                Err(_) => plain(&mut self.text, &entry.line),
            }
            self.text.push('\n');
        }
        self.to.write_all(self.text.as_bytes())?;
        Ok(self.to.flush()?)
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
    fn what_an_actor_sent_does_not_speak_to_the_terminal() {
        let mut out = Vec::new();
        let entry = Entry { sequence: 1, line: "no document \x1b[2J\n".into() };
        Console::new(&mut out, Colour::Off).deliver(&[entry]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "no document \u{fffd}[2J\u{fffd}\n");
    }
}
