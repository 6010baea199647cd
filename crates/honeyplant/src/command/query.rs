//! Which of the recorded events are meant. Apart, because `events` and `sessions` ask in the same words.

use crate::complaint::Failure;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::net::IpAddr;

/// Which events to show; what is not given does not matter.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Query {
    /// Not older than this: 30m, 12h, 7d, or a time such as 2026-11-22T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// From this address
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// At the device of this name
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Of this protocol, such as modbus
    #[arg(long, value_name = "NAME")]
    protocol: Option<String>,
    /// Of this kind, such as write; may be given more than once
    #[arg(long, value_name = "KIND")]
    action: Vec<String>,
    /// Of the session with this id
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// About the tag of this name
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Of this ATT&CK technique, such as T0836
    #[arg(long, value_name = "ID")]
    technique: Option<String>,
}

/// A query whose times are resolved.
pub(crate) struct Filter {
    query: Query,
    since: Option<Timestamp>,
}

impl Query {
    /// The query, with times counted back from `now`.
    pub(crate) fn filter(&self, now: Timestamp) -> Result<Filter, Failure> {
        let since = self.since.as_deref().map(|text| {
            let ago = text.parse::<SignedDuration>().ok().or_else(|| {
                let days = text.strip_suffix('d')?.parse::<i64>().ok()?;
                Some(SignedDuration::from_hours(days.checked_mul(24)?))
            });
            ago.and_then(|ago| now.checked_sub(ago).ok()).or_else(|| text.parse().ok()).ok_or_else(|| {
                Failure::new(format!("`{text}` is no time"), "write it as 30m, 12h, 7d or 2026-11-22T08:00:00Z")
            })
        });
        Ok(Filter { query: self.clone(), since: since.transpose()? })
    }
}

impl Filter {
    /// Whether the document is meant.
    pub(crate) fn takes(&self, document: &Value) -> bool {
        let query = &self.query;
        let is = |pointer: &str, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| text(document, pointer) == wanted)
        };
        let has = |pointer: &str, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| {
                document
                    .pointer(pointer)
                    .and_then(Value::as_array)
                    .is_some_and(|items| items.iter().any(|v| v == wanted))
            })
        };
        is("/honeyplant/device/name", &query.device)
            && is("/network/protocol", &query.protocol)
            && is("/honeyplant/session/id", &query.session)
            && has("/honeyplant/tags", &query.tag)
            && has("/threat/technique/id", &query.technique)
            && (query.action.is_empty() || query.action.iter().any(|action| action == text(document, "/event/action")))
            && query.source.is_none_or(|source| text(document, "/source/ip").parse() == Ok(source))
            && self
                .since
                .is_none_or(|since| text(document, "/@timestamp").parse::<Timestamp>().is_ok_and(|at| at >= since))
    }
}

/// The text at a JSON pointer; empty if there is none.
pub(crate) fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a JSON pointer; 0 if there is none.
pub(crate) fn number(document: &Value, pointer: &str) -> u64 {
    document.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_takes_what_it_names_and_nothing_else() {
        let now: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let document = json!({
            "@timestamp": "2026-11-22T07:00:00Z", "event": { "action": "write" }, "source": { "ip": "192.0.2.1" },
            "network": { "protocol": "modbus" }, "threat": { "technique": { "id": ["T0836"] } },
            "honeyplant": { "device": { "name": "plc" }, "tags": ["level"], "session": { "id": "1a" } },
        });
        let takes = |query: Query| query.filter(now).unwrap().takes(&document);
        assert!(takes(Query::default()));
        assert!(takes(Query {
            since: Some("2h".into()),
            action: vec!["read".into(), "write".into()],
            ..Query::default()
        }));
        assert!(takes(Query { tag: Some("level".into()), technique: Some("T0836".into()), ..Query::default() }));
        assert!(!takes(Query { since: Some("30m".into()), ..Query::default() }));
        assert!(!takes(Query { since: Some("2026-11-22T07:30:00Z".into()), ..Query::default() }));
        assert!(!takes(Query { source: Some("192.0.2.2".parse().unwrap()), ..Query::default() }));
        assert!(!takes(Query { device: Some("rtu".into()), ..Query::default() }));
        assert!(Query { since: Some("soon".into()), ..Query::default() }.filter(now).is_err());
    }
}
