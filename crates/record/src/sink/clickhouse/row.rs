//! What a line becomes in ClickHouse. Apart, because the table's columns and the row's fields are the same list.

use crate::{
    document::{Document, Outcome},
    sink::Entry,
};
use serde::Serialize;
use std::{borrow::Cow, collections::HashSet};

/// What makes the table. A line of it is a column of [`Row`].
pub(super) const COLUMNS: &str = "(
    at DateTime('UTC'), microsecond UInt32, install String, sequence UInt64, id String, session String, site String,
    device String, profile String, protocol String, transport String, source String, source_port UInt16,
    destination String, destination_port UInt16, action String, outcome String, severity UInt8, operation String,
    tags Array(String), techniques Array(String), user String, secret String, path String, sha256 String,
    size UInt64, country String, network UInt32, organization String, tool String, repeated UInt64, message String,
    document String
) ENGINE = ReplacingMergeTree() PARTITION BY toYYYYMM(at) ORDER BY (at, install, sequence)";

/// One event. What it does not have is empty, as is usual in ClickHouse.
#[derive(Debug, Default, Serialize)]
struct Row<'a> {
    at: u32,
    microsecond: u32,
    install: &'a str,
    sequence: u64,
    id: &'a str,
    session: String,
    site: &'a str,
    device: &'a str,
    profile: &'a str,
    protocol: &'a str,
    transport: &'a str,
    source: String,
    source_port: u16,
    destination: String,
    destination_port: u16,
    action: &'a str,
    outcome: &'static str,
    severity: u8,
    operation: &'a str,
    tags: &'a [Cow<'a, str>],
    techniques: &'a [Cow<'static, str>],
    user: &'a str,
    secret: &'a str,
    path: &'a str,
    sha256: &'a str,
    size: u64,
    country: &'a str,
    network: u32,
    organization: &'a str,
    tool: &'a str,
    repeated: u64,
    message: &'a str,
    /// The whole line.
    document: &'a str,
}

impl<'a> Row<'a> {
    fn new(document: &'a Document<'a>, line: &'a str) -> Self {
        let (event, facts) = (&document.event, &document.honeyplant);
        let at = document.timestamp.timestamp();
        let install = event.id.split('-').next().unwrap_or_default();
        let (source, file) = (document.source.as_ref(), document.file.as_ref());
        let network = source.and_then(|source| source.network.as_deref());
        Self {
            at: u32::try_from(at.as_second()).unwrap_or_default(),
            microsecond: u32::try_from(at.subsec_microsecond()).unwrap_or_default(),
            install,
            sequence: event.sequence,
            id: &event.id,
            session: facts.session.map(|session| format!("{install}-{}", session.id)).unwrap_or_default(),
            site: &facts.site,
            device: facts.device.as_ref().map_or("", |device| &device.name),
            profile: facts.device.as_ref().map_or("", |device| &device.profile),
            protocol: document.network.as_ref().map_or("", |network| &network.protocol),
            transport: document.network.as_ref().map_or("", |network| &network.transport),
            source: source.map(|source| source.ip.to_string()).unwrap_or_default(),
            source_port: source.map_or(0, |source| source.port),
            destination: document.destination.map(|there| there.ip.to_string()).unwrap_or_default(),
            destination_port: document.destination.map_or(0, |there| there.port),
            action: &event.action,
            outcome: match event.outcome {
                Outcome::Success => "success",
                Outcome::Failure => "failure",
                Outcome::Unknown => "unknown",
            },
            severity: event.severity,
            operation: facts.operation.as_ref().map_or("", |operation| &operation.name),
            tags: &facts.tags,
            techniques: document.threat.as_ref().map_or(&[], |threat| &threat.technique.id),
            user: document.user.as_ref().map_or("", |user| &user.name),
            secret: facts.secret.as_deref().unwrap_or_default(),
            path: file.and_then(|file| file.path.as_deref()).unwrap_or_default(),
            sha256: file.and_then(|file| file.hash.as_ref()).map_or("", |hash| &hash.sha256),
            size: file.and_then(|file| file.size).unwrap_or_default(),
            country: source
                .and_then(|source| source.geo.as_ref())
                .and_then(|geo| geo.country_iso_code.as_deref())
                .unwrap_or_default(),
            network: network.map_or(0, |network| network.number),
            organization: network.and_then(|network| network.organization.as_ref()).map_or("", |whose| &whose.name),
            tool: facts.tool.as_ref().map_or("", |tool| &tool.name),
            repeated: facts.repeated.unwrap_or(1),
            message: &document.message,
            document: line,
        }
    }
}

/// The rows of a batch, as `JSONEachRow` has them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) text: Vec<u8>,
    pub(super) install: String,
    /// The first and the last sequence.
    pub(super) sequences: Option<(u64, u64)>,
    /// The earliest and the latest second.
    pub(super) seconds: Option<(u32, u32)>,
}

impl Rows {
    /// The rows of a batch of `install`, but for those events that are `there` already. A line that is no event, as a failing
    /// disk leaves them, becomes one of its own, and is not in the way of the others.
    pub(super) fn read(batch: &[Entry], install: &str, there: &HashSet<u64>) -> serde_json::Result<Self> {
        let mut rows = Self { install: install.to_owned(), ..Self::default() };
        for entry in batch.iter().filter(|entry| !there.contains(&entry.sequence)) {
            match entry.document() {
                Ok(document) => rows.add(&Row::new(&document, &entry.line))?,
                Err(error) => rows.add(&Row {
                    at: rows.seconds.map_or(0, |(_, latest)| latest),
                    install,
                    sequence: entry.sequence,
                    id: &format!("{install}-{}", entry.sequence),
                    action: "unreadable",
                    outcome: "unknown",
                    repeated: 1,
                    message: &format!("the line {} of the journal is no event: {error}", entry.sequence),
                    document: &entry.line,
                    ..Row::default()
                })?,
            }
        }
        Ok(rows)
    }

    fn add(&mut self, row: &Row<'_>) -> serde_json::Result<()> {
        serde_json::to_writer(&mut self.text, row)?;
        self.text.push(b'\n');
        let (first, _) = self.sequences.unwrap_or((row.sequence, 0));
        self.sequences = Some((first, row.sequence));
        let (earliest, latest) = self.seconds.unwrap_or((row.at, row.at));
        self.seconds = Some((earliest.min(row.at), latest.max(row.at)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::sample::entry;

    #[test]
    fn what_is_there_is_not_written_again() {
        let rows = Rows::read(&[entry(1), entry(2), entry(3)], "0123abcd", &HashSet::from([2])).unwrap();
        assert_eq!(rows.sequences, Some((1, 3)));
        assert_eq!(rows.text.iter().filter(|byte| **byte == b'\n').count(), 2);
    }

    #[test]
    fn every_field_has_its_column_and_every_column_its_field() {
        let rows = Rows::read(&[entry(1)], "0123abcd", &HashSet::new()).unwrap();
        let row: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&rows.text).unwrap();
        let (columns, _) = COLUMNS.trim_start_matches('(').split_once("\n)").unwrap();
        let columns: Vec<&str> = columns.split(',').map(|column| column.split_whitespace().next().unwrap()).collect();
        assert_eq!(row.keys().map(String::as_str).collect::<HashSet<_>>(), columns.iter().copied().collect());
        assert_eq!(row["document"], entry(1).line);
    }

    #[test]
    fn a_line_that_is_no_event_is_told() {
        let broken = Entry { sequence: 2, line: "{\"half".into() };
        let rows = Rows::read(&[entry(1), broken, entry(3)], "0123abcd", &HashSet::new()).unwrap();
        let text = String::from_utf8(rows.text).unwrap();
        let row: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
        assert_eq!((row["id"].as_str(), row["document"].as_str()), (Some("0123abcd-2"), Some("{\"half")));
        assert_eq!(text.lines().count(), 3);
    }
}
