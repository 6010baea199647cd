//! `honeyplant sessions`: who came, one line a session.

use super::{
    Common,
    query::{Query, number, text},
    record, say,
};
use crate::complaint::{Failure, Tried};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Show who came, one line a session.
///
/// A session is shown if one of its events is meant by the query.
#[derive(clap::Args)]
pub(crate) struct Sessions {
    #[command(flatten)]
    query: Query,
}

/// What a session's events add up to.
#[derive(Default)]
struct Sum {
    wanted: bool,
    from: String,
    to: String,
    source: String,
    device: String,
    protocol: String,
    actions: BTreeMap<String, u64>,
    techniques: BTreeSet<String>,
    tags_written: BTreeSet<String>,
    ending: String,
}

impl Sessions {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let filter = self.query.filter(Timestamp::now())?;
        let mut reader = record(common)?;
        let mut sessions = BTreeMap::<String, Sum>::new();
        let mut batch = Vec::new();
        loop {
            reader.read(&mut batch, 1024).tried(|| "read the record".into())?;
            if batch.is_empty() {
                break;
            }
            for entry in batch.drain(..) {
                let Ok(document) = serde_json::from_str::<Value>(&entry.line) else { continue };
                let id = text(&document, "/honeyplant/session/id");
                if !id.is_empty() {
                    let sum = sessions.entry(id.to_owned()).or_default();
                    sum.wanted |= filter.takes(&document);
                    sum.add(&document);
                }
            }
        }
        for (id, sum) in sessions.iter().filter(|(_, sum)| sum.wanted) {
            if common.json { say(sum.document(id)) } else { say(sum.line(id)) }
        }
        Ok(())
    }
}

impl Sum {
    fn add(&mut self, document: &Value) {
        let at = text(document, "/@timestamp");
        if self.from.is_empty() {
            at.clone_into(&mut self.from);
            self.source = format!("{}:{}", text(document, "/source/ip"), number(document, "/source/port"));
            text(document, "/honeyplant/device/name").clone_into(&mut self.device);
            text(document, "/network/protocol").clone_into(&mut self.protocol);
        }
        at.clone_into(&mut self.to);
        let action = text(document, "/event/action");
        *self.actions.entry(action.to_owned()).or_default() += number(document, "/honeyplant/repeated").max(1);
        self.techniques.extend(texts(document, "/threat/technique/id"));
        if action == "write" {
            self.tags_written.extend(texts(document, "/honeyplant/tags"));
        }
        let reason = text(document, "/honeyplant/ending/reason");
        if !reason.is_empty() {
            reason.clone_into(&mut self.ending);
        }
    }

    fn document(&self, id: &str) -> Value {
        json!({
            "session": id, "source": self.source, "device": self.device, "protocol": self.protocol,
            "start": self.from, "end": self.to, "actions": self.actions, "techniques": self.techniques,
            "tags_written": self.tags_written, "ending": self.ending,
        })
    }

    fn line(&self, id: &str) -> String {
        let time = self.from.get(..19).unwrap_or_default().replace('T', " ");
        let actions: Vec<String> = self
            .actions
            .iter()
            .filter(|(action, _)| !matches!(action.as_str(), "opened" | "closed"))
            .map(|(action, count)| format!("{action} {count}"))
            .collect();
        let actions = if actions.is_empty() { "nothing".to_owned() } else { actions.join(", ") };
        let mut line = format!("{time}  {id}  {:<21} {} {}: {actions}", self.source, self.device, self.protocol);
        if !self.tags_written.is_empty() {
            let tags: Vec<&str> = self.tags_written.iter().map(String::as_str).collect();
            line += &format!("; wrote {}", tags.join(", "));
        }
        if !self.techniques.is_empty() {
            let techniques: Vec<&str> = self.techniques.iter().map(String::as_str).collect();
            line += &format!("  [{}]", techniques.join(" "));
        }
        if self.ending.is_empty() { line + "  (still open)" } else { line }
    }
}

fn texts(document: &Value, pointer: &str) -> Vec<String> {
    let items = document.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
