//! Messages of the Syslog Protocol (RFC 5424) and of BSD syslog (RFC 3164). Apart, because a message is the same on every
//! line that carries it.

use crate::{
    document::{Document, Outcome, Stamp},
    sink::{
        Entry,
        form::{Form, cut, level, plain},
    },
};
use jiff::tz::Offset;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{fmt::Write as _, process};

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Standard {
    /// RFC 5424: microseconds, and facts as structured data.
    Rfc5424,
    /// RFC 3164: for old receivers. Its times have no year and no zone, and are in UTC.
    Rfc3164,
}

/// RFC 5424 §6.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Facility {
    User = 1,
    Daemon = 3,
    Auth = 4,
    Syslog = 5,
    Authpriv = 10,
    Audit = 13,
    Alert = 14,
    Local0 = 16,
    Local1 = 17,
    Local2 = 18,
    Local3 = 19,
    Local4 = 20,
    Local5 = 21,
    Local6 = 22,
    Local7 = 23,
}

/// The name of our structured data. Honeyplant has no number of its own; this one is for examples (RFC 5612).
const STRUCTURED: &str = "honeyplant@32473";
/// RFC 5424 §6.4.
const BOM: &str = "\u{FEFF}";
/// A message is left so much room of what a line may be long, before facts beside it are given up.
const ROOM: usize = 160;

/// What all messages of a sink have in common.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) standard: Standard,
    pub(super) facility: Facility,
    /// None for receivers of this machine, which know.
    pub(super) hostname: Option<String>,
    pub(super) application: String,
    pub(super) structured: bool,
    pub(super) mark: bool,
    pub(super) form: Form,
    /// How long a message may be.
    pub(super) most: usize,
}

impl Frame {
    /// Appends the message of an entry. False if the form has no word for it; then nothing is appended.
    pub(super) fn write(&self, entry: &Entry, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let document = entry.document().ok();
        let head = match self.standard {
            Standard::Rfc5424 => self.head(entry, document.as_ref()),
            Standard::Rfc3164 => self.old_head(document.as_ref()),
        };
        out.extend_from_slice(head.as_bytes());
        let said = out.len();
        let room = self.most.saturating_sub(said - start);
        if !self.form.write_within(entry, room, out) {
            out.truncate(start);
            return false;
        }
        // JSON and CEF are read by machines that do not expect a mark; RFC 5424 leaves the encoding of such open.
        let is_text = self.form == Form::Message && self.standard == Standard::Rfc5424 && self.mark;
        if is_text && !out.get(said..).is_some_and(<[u8]>::is_ascii) {
            out.truncate(said);
            out.extend_from_slice(BOM.as_bytes());
            self.form.write_within(entry, room.saturating_sub(BOM.len()), out);
        }
        true
    }

    fn priority(&self, document: Option<&Document<'_>>) -> u8 {
        self.facility as u8 * 8 + severity(document.map_or(0, |document| document.event.severity))
    }

    /// RFC 5424 §6.2 and §6.3.
    fn head(&self, entry: &Entry, document: Option<&Document<'_>>) -> String {
        let (mut at, mut action) = (String::from("-"), String::from("-"));
        if let Some(document) = document {
            at = document.timestamp.to_string();
            action = printable(&document.event.action, 32);
        }
        let mut head = format!(
            "<{}>1 {at} {} {} {} {action} ",
            self.priority(document),
            printable(self.hostname.as_deref().unwrap_or("-"), 255),
            printable(&self.application, 48),
            process::id(),
        );
        let facts = document.filter(|_| self.structured).map(|document| facts(entry, document, self.most / 3));
        match facts {
            Some(facts) if head.len() + facts.len() + ROOM <= self.most => head.push_str(&facts),
            _ => head.push('-'),
        }
        head.push(' ');
        head
    }

    /// RFC 3164 §4.1.
    fn old_head(&self, document: Option<&Document<'_>>) -> String {
        let mut head = format!("<{}>", self.priority(document));
        if let Some(document) = document {
            head.push_str(&old_time(document.timestamp));
            head.push(' ');
        }
        if let Some(hostname) = &self.hostname {
            head.push_str(&printable(hostname, 255));
            head.push(' ');
        }
        let tag: String = self.application.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        let _ = write!(head, "{tag}[{}]: ", process::id());
        head
    }
}

/// The severities of RFC 5424 §6.2.1 for ours from 0 to 10.
const fn severity(ours: u8) -> u8 {
    match ours {
        0..3 => 6,
        3..5 => 5,
        5..7 => 4,
        7..9 => 3,
        9.. => 2,
    }
}

/// `Nov  2 03:46:00`
fn old_time(at: Stamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let day = Offset::UTC.to_datetime(at.timestamp());
    let month = usize::try_from(day.month() - 1).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"Jan");
    format!("{month} {:>2} {}", day.day(), at.clock())
}

/// PRINTUSASCII of RFC 5424 §6, which has no space, in at most `most` characters.
pub(super) fn printable(text: &str, most: usize) -> String {
    let text: String = text.chars().take(most).map(|c| if c.is_ascii_graphic() { c } else { '-' }).collect();
    if text.is_empty() { "-".into() } else { text }
}

/// The structured data of an event; its values together are no longer than `room`.
fn facts(entry: &Entry, document: &Document<'_>, room: usize) -> String {
    let (event, own) = (&document.event, &document.honeyplant);
    let outcome = match event.outcome {
        Outcome::Success => "success",
        Outcome::Failure => "failure",
        Outcome::Unknown => "unknown",
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let (source, destination) = (document.source.as_ref(), document.destination.as_ref());
    let techniques = document.threat.as_ref().map(|threat| threat.technique.id.join(",")).unwrap_or_default();
    let facts: [(&str, &str); 16] = [
        ("id", &event.id),
        ("action", &event.action),
        ("outcome", outcome),
        ("severity", &event.severity.to_string()),
        ("site", &own.site),
        ("device", own.device.as_ref().map_or("", |device| &device.name)),
        ("session", &own.session.map(|session| session.id.to_string()).unwrap_or_default()),
        ("protocol", document.network.as_ref().map_or("", |network| &network.protocol)),
        ("src", &source.map(|source| source.ip.to_string()).unwrap_or_default()),
        ("spt", &number(source.map(|source| source.port.into()))),
        ("dst", &destination.map(|destination| destination.ip.to_string()).unwrap_or_default()),
        ("dpt", &number(destination.map(|destination| destination.port.into()))),
        ("user", document.user.as_ref().map_or("", |user| &user.name)),
        ("operation", own.operation.as_ref().map_or("", |operation| &operation.name)),
        ("techniques", &techniques),
        ("repeated", &number(own.repeated)),
    ];
    let mut lengths: Vec<usize> = facts.iter().map(|(_, value)| value.len()).collect();
    let level = level(&mut lengths, room);
    // RFC 5424 §7.3.1: from 1 to 2147483647, and from 1 again.
    let mut out = format!("[meta sequenceId=\"{}\"][{STRUCTURED}", entry.sequence.saturating_sub(1) % 0x7FFF_FFFF + 1);
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(out, " {name}=\"");
        for c in plain(&cut(value, level)).chars() {
            // §6.3.3.
            if matches!(c, '"' | '\\' | ']') {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn frame(standard: Standard, form: Form) -> Frame {
        Frame {
            standard,
            facility: Facility::Local0,
            hostname: Some("höst 1".into()),
            application: "honey-plant".into(),
            structured: true,
            mark: true,
            form,
            most: 2048,
        }
    }

    fn line() -> Value {
        json!({
            "@timestamp": "2026-11-02T03:46:00.123456Z", "ecs": {"version": "8.17.0"},
            "event": {"id": "0123abcd-7", "sequence": 7, "kind": "event", "category": ["network"], "type": ["access"],
                "action": "login", "dataset": "honeyplant.ftp", "outcome": "failure", "severity": 6},
            "message": "said a\r\n<13>1 b",
            "source": {"ip": "192.0.2.9", "port": 4711}, "destination": {"ip": "2001:db8::1", "port": 21},
            "observer": {"type": "honeypot", "vendor": "honeyplant", "product": "honeyplant", "version": "0", "name": "s"},
            "user": {"name": "a\"] [b\\\u{0}"},
            "honeyplant": {"schema": 1, "site": "s"},
        })
    }

    fn written(frame: &Frame, line: &Value) -> String {
        let mut out = Vec::new();
        assert!(frame.write(&Entry { sequence: 7, line: line.to_string() }, &mut out));
        let text = String::from_utf8(out).unwrap();
        assert!(text.len() <= frame.most && !text.contains('\n'), "{text}");
        text.replace(&process::id().to_string(), "PID")
    }

    #[test]
    fn messages_are_those_of_the_rfcs_whatever_an_actor_sent() {
        assert_eq!(
            written(&frame(Standard::Rfc5424, Form::Message), &line()),
            "<132>1 2026-11-02T03:46:00.123456Z h-st-1 honey-plant PID login [meta sequenceId=\"7\"][honeyplant@32473 \
             id=\"0123abcd-7\" action=\"login\" outcome=\"failure\" severity=\"6\" site=\"s\" src=\"192.0.2.9\" \
             spt=\"4711\" dst=\"2001:db8::1\" dpt=\"21\" user=\"a\\\"\\] [b\\\\\u{fffd}\"] \
             \u{feff}said a\u{fffd}\u{fffd}<13>1 b"
        );
        assert_eq!(
            written(&frame(Standard::Rfc3164, Form::Message), &line()),
            "<132>Nov  2 03:46:00 h-st-1 honeyplant[PID]: said a\u{fffd}\u{fffd}<13>1 b"
        );
        let plain =
            frame(Standard::Rfc5424, Form::Message).write(&Entry { sequence: 1, line: "x".into() }, &mut vec![]);
        assert!(plain);
    }

    #[test]
    fn a_mark_stands_before_text_that_needs_one() {
        let mut line = line();
        line["message"] = "plain".into();
        let ends = |frame: &Frame, line: &Value, end: &str| assert!(written(frame, line).ends_with(end), "{end}");
        ends(&frame(Standard::Rfc5424, Form::Message), &line, "] plain");
        line["message"] = "ä".into();
        ends(&frame(Standard::Rfc5424, Form::Message), &line, "] \u{feff}ä");
        ends(&Frame { mark: false, ..frame(Standard::Rfc5424, Form::Message) }, &line, "] ä");
        assert!(written(&frame(Standard::Rfc5424, Form::Ecs), &line).contains("] {\"@timestamp\""));
    }

    #[test]
    fn a_long_event_fits() {
        let mut line = line();
        line["user"]["name"] = "]".repeat(9000).into();
        line["message"] = "ä\"".repeat(9000).into();
        for form in [Form::Message, Form::Ecs, Form::Cef] {
            for most in [480, 1024, 2048, 8192] {
                for standard in [Standard::Rfc5424, Standard::Rfc3164] {
                    let text = written(&Frame { most, ..frame(standard, form) }, &line);
                    if form == Form::Ecs {
                        let document: Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
                        assert_eq!(document["event"]["id"], "0123abcd-7");
                    }
                }
            }
        }
    }
}
