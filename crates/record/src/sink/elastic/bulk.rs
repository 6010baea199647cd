//! The body of a bulk request, and what is answered to each document of it. Apart, because a document that is refused is
//! written in another form.

use super::place::Place;
use crate::{
    document::{Document, Stamp},
    sink::Entry,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{borrow::Cow, fmt::Write as _, time::SystemTime};

/// Where bulk requests go. Of the answer only this is wanted.
pub(super) const PATH: &str = "/_bulk?filter_path=errors,items.*.status,items.*.error";

/// How much of a line is in a document that was refused. Less than any server's limit of a request.
const ORIGINAL: usize = 64 << 10;

/// One document on its way.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    index: String,
    id: String,
    line: &'a str,
    document: Cow<'a, str>,
}

/// What came of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is there, now or from an earlier attempt.
    There,
    /// The server could not take it now.
    Again(String),
    /// The server cannot take it.
    Refused(String),
}

impl<'a> Item<'a> {
    /// The document of this line of `install`. A line that is no event, as a failing disk leaves them, is as one that was
    /// refused.
    pub(super) fn new(entry: &'a Entry, place: &Place, install: &str) -> Self {
        let whole = Cow::Borrowed(entry.line.as_str());
        match entry.document() {
            Ok(document) => {
                let (index, id) = (place.at(document.timestamp), document.event.id.into_owned());
                Self { index, id, line: &entry.line, document: whole }
            }
            Err(error) => {
                let (index, id) = (place.at(nowhen()), format!("{install}-{}", entry.sequence));
                let item = Self { index, id, line: &entry.line, document: whole };
                item.reduced(&format!("the line {} of the journal is no event: {error}", entry.sequence))
            }
        }
    }

    pub(super) fn index(&self) -> &str {
        &self.index
    }

    /// The barest document of the event: when and which it is, why it is no more than that, and the line as text.
    pub(super) fn reduced(&self, why: &str) -> Self {
        let mut reason = why.to_owned();
        let mut end = self.line.len();
        if end > ORIGINAL {
            end = self.line.floor_char_boundary(ORIGINAL);
            let _ = write!(reason, "; event.original has the first {end} of {} bytes", self.line.len());
        }
        let document: Option<Document<'_>> = serde_json::from_str(self.line).ok();
        let event = document.as_ref().map(|document| &document.event);
        let document = json!({
            "@timestamp": document.as_ref().map_or_else(nowhen, |document| document.timestamp),
            "event": {
                "id": self.id,
                "sequence": event.map(|event| event.sequence),
                "action": event.map(|event| &event.action),
                "original": self.line.get(..end),
            },
            "error": { "message": reason },
        });
        Self { document: Cow::Owned(document.to_string()), ..self.clone() }
    }
}

/// When a line was written that does not tell it. The same each time, as it decides on the index.
fn nowhen() -> Stamp {
    SystemTime::UNIX_EPOCH.into()
}

/// The body of a request: for each document a line that tells what to do with it, and a line that has it.
pub(super) fn body(items: &[Item<'_>]) -> Vec<u8> {
    let mut body = Vec::with_capacity(items.iter().map(|item| item.document.len() + 100).sum());
    for item in items {
        // Data streams take nothing else than `create`; in an index it leaves what is there from an earlier attempt.
        let create = json!({ "create": { "_index": item.index, "_id": item.id } });
        body.extend_from_slice(create.to_string().as_bytes());
        body.push(b'\n');
        body.extend_from_slice(item.document.as_bytes());
        body.push(b'\n');
    }
    body
}

#[derive(Deserialize)]
struct BulkAnswer {
    #[serde(default)]
    items: Vec<Answered>,
}

#[derive(Deserialize)]
struct Answered {
    create: Status,
}

#[derive(Deserialize)]
struct Status {
    status: u16,
    #[serde(default)]
    error: Value,
}

/// What came of each document.
pub(super) fn fates(body: &str) -> serde_json::Result<Vec<Fate>> {
    let answer: BulkAnswer = serde_json::from_str(body)?;
    Ok(answer.items.into_iter().map(|item| fate(&item.create)).collect())
}

fn fate(Status { status, error }: &Status) -> Fate {
    let why = || {
        let part = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let cause = error.pointer("/caused_by/reason").and_then(Value::as_str).unwrap_or_default();
        let why = format!("{} (status {status}): {} {cause}", part("type"), part("reason"));
        why.trim_end().chars().take(1000).collect()
    };
    match status {
        // 409 is of a document that is there under this name.
        200..300 | 409 => Fate::There,
        400 | 413 => Fate::Refused(why()),
        _ => Fate::Again(why()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::sample::{HOSTILE, entry};

    #[test]
    fn a_request_has_two_lines_for_each_document() {
        let place = Place::index("honeyplant-%Y.%m", "index").unwrap();
        let entries = [entry(1), entry(2)];
        let items: Vec<_> = entries.iter().map(|entry| Item::new(entry, &place, "0123abcd")).collect();
        let body = String::from_utf8(body(&items)).unwrap();
        let lines: Vec<&str> = body.split_terminator('\n').collect();
        assert!(body.ends_with('\n') && lines.len() == 4);
        let action: Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(action, json!({ "create": { "_index": "honeyplant-2026.11", "_id": "0123abcd-1" } }));
        assert_eq!(lines[3], entries[1].line);
    }

    #[test]
    fn what_was_refused_is_told_with_its_line() {
        let place = Place::index("honeyplant", "index").unwrap();
        let (small, mut large) = (entry(1), entry(2));
        large.line = large.line.replace("pump_1", &"\u{1F600}".repeat(50_000));
        let reduced = Item::new(&small, &place, "0123abcd").reduced("no number");
        let document: Value = serde_json::from_str(&reduced.document).unwrap();
        assert_eq!((reduced.id.as_str(), document["error"]["message"].as_str()), ("0123abcd-1", Some("no number")));
        let original = document["event"]["original"].as_str().unwrap();
        assert_eq!(original, small.line);
        assert!(serde_json::from_str::<Value>(original).unwrap()["user"]["name"] == HOSTILE);
        let reduced = Item::new(&large, &place, "0123abcd").reduced("too long");
        let document: Value = serde_json::from_str(&reduced.document).unwrap();
        assert!(document["error"]["message"].as_str().unwrap().contains(&format!("of {} bytes", large.line.len())));
        assert!(document["event"]["original"].as_str().unwrap().len() <= ORIGINAL);
    }

    #[test]
    fn a_line_that_is_no_event_is_told() {
        let place = Place::index("honeyplant-%Y", "index").unwrap();
        let broken = Entry { sequence: 2, line: "{\"half".into() };
        let item = Item::new(&broken, &place, "0123abcd");
        let document: Value = serde_json::from_str(&item.document).unwrap();
        assert_eq!((item.id.as_str(), item.index()), ("0123abcd-2", "honeyplant-1970"));
        assert_eq!(document["event"]["original"], "{\"half");
    }

    #[test]
    fn what_is_there_already_is_no_failure() {
        let answer = r#"{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"v"}}},
            {"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}},
            {"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"x"}}}]}"#;
        let fates = fates(answer).unwrap();
        assert_eq!(fates[..2], [Fate::There, Fate::There]);
        assert!(matches!((&fates[2], &fates[3]), (Fate::Again(_), Fate::Refused(_))), "{fates:?}");
    }
}
