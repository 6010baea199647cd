//! Events as rows of one ClickHouse table, over its HTTP interface. Apart from the SQL databases, because it has neither
//! transactions nor keys that refuse a row: what came twice is told apart by the order of the table.
//!
//! The statements are those that servers from 18.16 on take; <https://clickhouse.com/docs/en/interfaces/http>.

mod row;

use super::{
    Entry, Home, Pace, Sink, SinkError, SinkKind,
    web::{Answer, Service, WebSettings},
};
use honeyplant_core::settings::{Problem, Problems, Settings};
use row::{COLUMNS, Rows};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{collections::HashSet, fmt::Write as _, time::Duration};

/// One row an event in a table of a ClickHouse server, over its HTTP interface. Take it for millions of events of many
/// sensors.
///
/// The server is 18.16 or newer. The user needs the rights to `INSERT` into and `SELECT` from the table, and to create it if
/// it is not there; the database must be there. Columns of the table that honeyplant does not know keep their defaults,
/// columns that the table does not have are left out, so that it may also be made beforehand.
///
/// Up to 10 000 events are inserted at once, at most every second unless there are more. An event that is delivered again
/// after a failure is looked for first, and not inserted if it is there. Where that cannot be known, as when an answer was
/// lost while the server still worked, the table (`ReplacingMergeTree`) merges equal events into one some time later, and
/// `SELECT … FROM honeyplant_events FINAL` shows each exactly once at any time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
struct Table {
    #[serde(flatten)]
    web: WebSettings,
    /// The database, which must be there.
    #[serde(default = "default_database")]
    database: String,
    /// The table. It is made if it is not there.
    #[serde(default = "default_table")]
    table: String,
}

fn default_database() -> String {
    "default".into()
}

fn default_table() -> String {
    "honeyplant_events".into()
}

/// The kind `clickhouse`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "clickhouse"
    }

    fn example(&self) -> &'static str {
        "url = \"https://clickhouse.example.org:8443\"\nuser = \"sensor\"\npassword = \"secret\"\n\
         database = \"default\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        for (field, name) in [("database", &table.database), ("table", &table.table)] {
            let plain = |at: usize, letter: char| {
                letter == '_' || letter.is_ascii_alphabetic() || (at > 0 && letter.is_ascii_digit())
            };
            if name.is_empty() || !name.chars().enumerate().all(|(at, letter)| plain(at, letter)) {
                let problem = Problem::new(settings.key_of(field), format!("`{name}` is no plain name"));
                problems.push(problem.hint("take letters, digits and underscores, such as `honeyplant_events`"));
            }
        }
        match Service::new(&table.web, settings.key()) {
            Ok(service) if problems.is_empty() => {
                let name = format!("`{}`.`{}`", table.database, table.table);
                let install = home.observer.install.clone();
                Ok(Box::new(ClickHouse { service, table: name, version: None, install, sure: false }))
            }
            Ok(_) => Err(problems),
            Err(problem) => Err(problems.into_iter().chain([problem]).collect()),
        }
    }
}

/// A table of a ClickHouse server.
#[derive(Debug)]
struct ClickHouse {
    service: Service,
    /// As statements name it.
    table: String,
    /// The server's version, once the table is known to be there.
    version: Option<Version>,
    install: String,
    /// Whether everything up to now is known to be in the table, or not to be.
    sure: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    text: String,
    number: (u32, u32),
}

impl ClickHouse {
    /// Asks for something; the answer without its end of line.
    fn ask(&self, statement: &str) -> Result<String, SinkError> {
        let Answer { body, .. } =
            self.service.post("/", "text/plain", statement.as_bytes())?.accepted(&self.service)?;
        Ok(body.trim_end().to_owned())
    }

    /// Asks for numbers.
    fn numbers(&self, statement: &str) -> Result<HashSet<u64>, SinkError> {
        let text = self.ask(statement)?;
        let numbers = text.lines().map(str::parse).collect::<Result<_, _>>();
        // An error after the first rows comes as a part of the answer.
        numbers.map_err(|_| SinkError(format!("{}: no numbers were answered: {text:.300}", self.service.name())))
    }

    fn version(&self) -> Result<Version, SinkError> {
        let text = self.ask("SELECT version()")?;
        let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
        let number = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        Ok(Version { text, number })
    }

    fn has_table(&self) -> Result<bool, SinkError> {
        // `CREATE … IF NOT EXISTS` wants the right to create even if there is nothing to do.
        Ok(self.ask(&format!("EXISTS TABLE {}", self.table))? == "1")
    }

    /// Of the events of these rows, those that are in the table.
    fn there(&self, rows: &Rows) -> Result<HashSet<u64>, SinkError> {
        let (Some((first, last)), Some((earliest, latest))) = (rows.sequences, rows.seconds) else {
            return Ok(HashSet::new());
        };
        self.numbers(&format!(
            "SELECT sequence FROM {} WHERE at BETWEEN toDateTime({earliest}) AND toDateTime({latest}) \
             AND install = '{}' AND sequence BETWEEN {first} AND {last} FORMAT TabSeparated",
            self.table,
            rows.install.replace(['\'', '\\'], ""),
        ))
    }

    fn rows(&self, batch: &[Entry], there: &HashSet<u64>) -> Result<Rows, SinkError> {
        Rows::read(batch, &self.install, there).map_err(|error| SinkError(error.to_string()))
    }

    fn insert(&self, version: &Version, rows: &Rows) -> Result<(), SinkError> {
        let mut path = "/?input_format_skip_unknown_fields=1".to_owned();
        if version.number >= (22, 3)
            && let Some((first, last)) = rows.sequences
        {
            // A retry that crosses the first attempt is known by its token, where the table keeps such.
            let _ = write!(path, "&async_insert=0&insert_deduplication_token={}-{first}-{last}", rows.install);
        }
        path.push_str("&query=");
        encode(&format!("INSERT INTO {} FORMAT JSONEachRow", self.table), &mut path);
        self.service.post(&path, "application/x-ndjson", &rows.text)?.accepted(&self.service)?;
        Ok(())
    }

    fn attempt(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let version = match &self.version {
            Some(version) => version.clone(),
            None => {
                let version = self.version()?;
                if !self.has_table()? {
                    let mut statement = format!("CREATE TABLE IF NOT EXISTS {} {COLUMNS}", self.table);
                    if version.number >= (22, 3) {
                        statement.push_str(" SETTINGS non_replicated_deduplication_window = 100");
                    }
                    self.ask(&statement)?;
                }
                self.version.insert(version).clone()
            }
        };
        let mut rows = self.rows(batch, &HashSet::new())?;
        if !self.sure {
            let there = self.there(&rows)?;
            if !there.is_empty() {
                rows = self.rows(batch, &there)?;
            }
        }
        if rows.text.is_empty() {
            return Ok(());
        }
        self.insert(&version, &rows)
    }
}

impl Sink for ClickHouse {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let delivered = self.attempt(batch);
        self.sure = delivered.is_ok();
        if delivered.is_err() {
            // The next attempt may meet another server, or one that has lost the table.
            self.version = None;
        }
        delivered
    }

    /// The server would rather have few large inserts.
    fn pace(&self) -> Pace {
        Pace { most: 10_000, every: Duration::from_secs(1) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let version = self.version()?.text;
        if !self.has_table()? {
            return Ok(format!("ClickHouse {version}, the table {} is yet to be made", self.table));
        }
        let events = self.ask(&format!("SELECT count() FROM {}", self.table))?;
        Ok(format!("ClickHouse {version}, {events} events in {}", self.table))
    }
}

/// RFC 3986 §2.1.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_statement_is_encoded_for_an_address() {
        let mut out = String::new();
        super::encode("INSERT `a`", &mut out);
        assert_eq!(out, "INSERT%20%60a%60");
    }
}
