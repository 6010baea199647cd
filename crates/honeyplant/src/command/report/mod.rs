//! `honeyplant report`: what happened in a period, for people who were not there. Apart from `events` and `sessions`, which
//! show the record as it is; this sums it up.

mod actors;
mod cells;
mod facts;
mod gather;
mod heat;
mod page;
mod plot;
mod sentences;
mod tables;
mod text;

use super::{
    Common, csv,
    query::{Later, Query},
    shown, tell,
};
use crate::complaint::{Failure, Tried};
use facts::Facts;
use jiff::Timestamp;
use serde_json::Value;
use std::{fs, io::Write, path::PathBuf};
use text::Links;

/// Sum up a period on one page that can be mailed: who came, what they did, what is new.
///
/// Without --since it is about the last seven days, beside the seven before. The page needs neither scripts nor anything
/// from elsewhere.
#[derive(clap::Args)]
pub(crate) struct Report {
    #[command(flatten)]
    query: Query,
    /// Write to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one table of the report as comma-separated values instead
    #[arg(long, value_name = "TABLE", conflicts_with = "json")]
    csv: Option<Of>,
    /// Write addresses and links of actors as they are, not as 192.0.2[.]1 and hxxp; JSON and comma-separated values
    /// always have them so
    #[arg(long)]
    live_links: bool,
}

/// A table of a report.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Of {
    Sources,
    Services,
    Techniques,
    Writes,
    Commands,
    Logins,
    Tools,
    Artefacts,
    Countries,
    Sessions,
    Timeline,
}

impl Report {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let now = Timestamp::now();
        // What is wrong with the time is told before anything is read.
        self.query.period(now, "7d")?;
        let mut source = self.query.open(common, Later::Ignore)?;
        source.fill()?;
        let facts = gather::gather(&source, &self.query, now)?;
        source.complain();
        let text = match (common.json, self.csv) {
            (true, _) => json(&facts) + "\n",
            (_, Some(of)) => table(&facts, of),
            _ => page::page(&facts, if self.live_links { Links::Live } else { Links::Defanged }),
        };
        match &self.out {
            Some(path) => {
                fs::write(path, text).tried(|| format!("write {}", shown(path)))?;
                tell(&format!("{}: {}", shown(path), facts.sentences.join(" ")));
            }
            None => {
                if std::io::stdout().write_all(text.as_bytes()).is_err() {
                    std::process::exit(0);
                }
            }
        }
        Ok(())
    }
}

fn json(facts: &Facts) -> String {
    // Every field is a text, a number, a list or a table of those.
    serde_json::to_string(facts).unwrap_or_default()
}

/// One table of the report, with the names of its columns first.
fn table(facts: &Facts, of: Of) -> String {
    let (name, columns): (_, &[&str]) = match of {
        Of::Sources => (
            "sources",
            &[
                "address", "country", "network", "tool", "sessions", "events", "severity", "first", "last", "new",
                "actions", "devices",
            ],
        ),
        Of::Services => ("services", &["device", "protocol", "sessions", "events", "severity"]),
        Of::Techniques => ("techniques", &["tactic", "id", "name", "events", "events_before", "sources", "reference"]),
        Of::Writes => {
            ("writes", &["device", "protocol", "what", "before", "after", "source", "outcome", "times", "last"])
        }
        Of::Commands => {
            ("commands", &["what", "device", "protocol", "outcome", "times", "sources", "source", "severity", "last"])
        }
        Of::Logins => ("logins", &["user", "secret", "protocols", "times", "accepted", "sources"]),
        Of::Tools => ("tools", &["name", "sessions", "sources", "severity", "protocols", "new"]),
        Of::Artefacts => {
            ("artefacts", &["sha256", "name", "size", "times", "sources", "device", "protocol", "first", "new"])
        }
        Of::Countries => ("countries", &["code", "sources", "sessions", "severity", "sessions_before"]),
        Of::Sessions => (
            "sessions",
            &[
                "id", "source", "country", "network", "tool", "device", "protocol", "began", "seconds", "ending",
                "events", "severity",
            ],
        ),
        Of::Timeline => ("timeline", &["start", "sessions", "events"]),
    };
    let facts = serde_json::to_value(facts).unwrap_or_default();
    let table = facts.get(name);
    let rows = table.and_then(|table| table.get("rows").or_else(|| table.get("steps")).unwrap_or(table).as_array());
    let mut text = csv::line(columns.iter().copied()) + "\n";
    for row in rows.into_iter().flatten() {
        let values: Vec<String> = columns.iter().map(|name| row.get(name).map(cell).unwrap_or_default()).collect();
        text += &csv::line(values.iter().map(String::as_str));
        text.push('\n');
    }
    text
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
