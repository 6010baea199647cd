//! ArcSight's Common Event Format, CEF:0 (Implementing ArcSight CEF, version 25). Apart, because its fields, their names
//! and their lengths are those of its dictionary.

use super::{plain, shorten};
use crate::{
    document::{Document, Outcome},
    sink::Entry,
};
use std::{fmt::Write as _, net::IpAddr};

/// Appends the entry in at most `most` bytes.
pub(super) fn write(entry: &Entry, most: usize, out: &mut Vec<u8>) {
    let mut head = String::from("CEF:0|honeyplant|honeyplant|");
    let mut fields = Fields::default();
    match entry.document() {
        Ok(document) => {
            let name = document.event.action.replace('_', " ");
            escape(&document.observer.version, '|', &mut head);
            head.push('|');
            escape(&document.event.action, '|', &mut head);
            head.push('|');
            escape(&name, '|', &mut head);
            let _ = write!(head, "|{}|", document.event.severity);
            fields.take(&document);
        }
        Err(_) => {
            head.push_str("|unread|an event that could not be read|0|");
            fields.add("msg", 1023, &entry.line);
        }
    }
    fields.write(&head, most, out);
}

/// The fields of the extension, in their order.
#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn take(&mut self, document: &Document<'_>) {
        let (event, facts) = (&document.event, &document.honeyplant);
        self.put("rt", document.timestamp.timestamp().as_millisecond());
        self.put("externalId", &event.id);
        if let (Some(start), Some(end)) = (event.start, event.end) {
            self.put("start", start.timestamp().as_millisecond());
            self.put("end", end.timestamp().as_millisecond());
        }
        if let Some(repeated) = facts.repeated {
            self.put("cnt", repeated);
        }
        if let (Some(source), Some(destination)) = (&document.source, &document.destination) {
            self.address(("src", "c6a2", "c6a2Label", "Source IPv6 Address"), source.ip);
            self.put("spt", source.port);
            self.address(("dst", "c6a3", "c6a3Label", "Destination IPv6 Address"), destination.ip);
            self.put("dpt", destination.port);
        }
        if let Some(network) = &document.network {
            self.add("proto", 31, &network.transport.to_uppercase());
            self.add("app", 31, &network.protocol);
        }
        self.add("act", 63, &event.action);
        let outcome = match event.outcome {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Unknown => "unknown",
        };
        self.add("outcome", 63, outcome);
        self.add("cat", 1023, &event.category.join(","));
        if let Some(refusal) = &facts.refusal {
            self.add("reason", 1023, &refusal.reason);
        }
        if let Some(device) = &facts.device {
            self.add("dhost", 1023, &device.name);
            self.labelled("flexString1", "flexString1Label", 1023, "Profile", &device.profile);
        }
        if let Some(user) = &document.user {
            self.add("suser", 1023, &user.name);
        }
        if let Some(secret) = &facts.secret {
            self.labelled("flexString2", "flexString2Label", 1023, "Secret", secret);
        }
        if let Some(file) = &document.file {
            self.add("filePath", 1023, file.path.as_deref().unwrap_or_default());
            self.add("fileHash", 255, file.hash.as_ref().map_or("", |hash| &hash.sha256));
            if let Some(size) = file.size {
                self.put("fsize", size);
            }
        }
        if let Some(http) = &document.http {
            self.add("requestMethod", 1023, &http.request.method);
        }
        self.add("request", 1023, document.url.as_ref().map_or("", |url| &url.original));
        self.add("requestClientApplication", 1023, document.user_agent.as_ref().map_or("", |agent| &agent.original));
        if let Some(ending) = &facts.ending {
            self.put("in", ending.received);
            self.put("out", ending.sent);
        }
        self.labelled("cs1", "cs1Label", 4000, "Site", &facts.site);
        if let Some(threat) = &document.threat {
            self.labelled("cs2", "cs2Label", 4000, "Techniques", &threat.technique.id.join(","));
        }
        if let Some(operation) = &facts.operation {
            self.labelled("cs3", "cs3Label", 4000, "Operation", &operation.name);
            self.labelled("cn1", "cn1Label", 20, "Function", &operation.code.to_string());
        }
        self.labelled("cs4", "cs4Label", 4000, "Tags", &facts.tags.join(","));
        if let Some(session) = facts.session {
            self.labelled("cs5", "cs5Label", 4000, "Session", &session.id.to_string());
        }
        self.labelled("cs6", "cs6Label", 4000, "Tool", facts.tool.as_ref().map_or("", |tool| &tool.name));
        if let Some(address) = facts.address {
            self.labelled("cn2", "cn2Label", 20, "Address", &address.to_string());
        }
        if let Some(count) = facts.count {
            self.labelled("cn3", "cn3Label", 20, "Count", &count.to_string());
        }
        self.add("msg", 1023, &document.message);
    }

    fn put(&mut self, key: &'static str, value: impl ToString) {
        self.0.push((key, value.to_string()));
    }

    /// A text, of which the dictionary allows so many characters. An empty one tells nothing.
    fn add(&mut self, key: &'static str, most: usize, value: &str) {
        if !value.is_empty() {
            let text = value.char_indices().nth(most).and_then(|(end, _)| value.get(..end)).unwrap_or(value);
            self.put(key, text);
        }
    }

    fn labelled(&mut self, key: &'static str, label: &'static str, most: usize, name: &str, value: &str) {
        if !value.is_empty() {
            self.add(key, most, value);
            self.put(label, name);
        }
    }

    /// The keys of CEF:0 are for IPv4; addresses of IPv6 have others.
    fn address(&mut self, (key, other, label, name): (&'static str, &'static str, &'static str, &str), ip: IpAddr) {
        match ip.to_canonical() {
            IpAddr::V4(ip) => self.put(key, ip),
            IpAddr::V6(ip) => {
                self.put(other, ip);
                self.put(label, name);
            }
        }
    }

    fn write(&self, head: &str, most: usize, out: &mut Vec<u8>) {
        let escaped: Vec<String> = self.0.iter().map(|(_, value)| escaped(value)).collect();
        let mut lengths: Vec<usize> = escaped.iter().map(String::len).collect();
        // Each field has its key, an equals sign, and a space in front.
        let fixed = head.len() + self.0.iter().map(|(key, _)| key.len() + 2).sum::<usize>();
        let level = shorten::level(&mut lengths, most.saturating_sub(fixed));
        let start = out.len();
        out.extend_from_slice(head.as_bytes());
        let mut gap = "";
        for ((key, _), value) in self.0.iter().zip(&escaped) {
            let value = within(value, level);
            if out.len() - start + gap.len() + key.len() + 1 + value.len() > most {
                break;
            }
            for text in [gap, key, "=", &value] {
                out.extend_from_slice(text.as_bytes());
            }
            gap = " ";
        }
    }
}

/// An escaped text in at most `most` bytes, no escape of which is cut in two.
fn within(value: &str, most: usize) -> String {
    if value.len() <= most {
        return value.to_owned();
    }
    let mut cut = shorten::text(value, most);
    let mark = if cut.ends_with('…') { cut.pop() } else { None };
    if (cut.len() - cut.trim_end_matches('\\').len()) % 2 == 1 {
        cut.pop();
    }
    cut.extend(mark);
    cut
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    escape(value, '=', &mut text);
    text
}

/// Headers escape `|`, values `=`, both the backslash. A value may have lines, by `\n` and `\r`; a header may not.
fn escape(text: &str, mark: char, out: &mut String) {
    for c in text.chars() {
        match c {
            '\n' if mark == '=' => out.push_str("\\n"),
            '\r' if mark == '=' => out.push_str("\\r"),
            c if c == mark || c == '\\' => out.extend(['\\', c]),
            c => out.push_str(&plain(c.encode_utf8(&mut [0; 4]))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn line() -> Value {
        json!({
            "@timestamp": "2026-11-22T03:46:00.123456Z", "ecs": {"version": "8.17.0"},
            "event": {"id": "0123abcd-7", "sequence": 7, "kind": "event", "category": ["network"], "type": ["access"],
                "action": "login", "dataset": "honeyplant.ftp", "outcome": "failure", "severity": 6},
            "message": "192.0.2.9 at plc said\r\na=b|c\\d\u{0}",
            "source": {"ip": "192.0.2.9", "port": 4711}, "destination": {"ip": "2001:db8::1", "port": 21},
            "network": {"transport": "tcp", "protocol": "ftp", "type": "ipv4", "direction": "inbound"},
            "observer": {"type": "honeypot", "vendor": "honeyplant", "product": "honeyplant", "version": "0|1", "name": "s"},
            "user": {"name": "root src=6.6.6.6"},
            "honeyplant": {"schema": 1, "site": "s", "device": {"name": "plc", "profile": "m340"}, "secret": "=",
                "tags": ["a", "b"]},
        })
    }

    fn written(line: &Value, most: usize) -> String {
        let mut out = Vec::new();
        write(&Entry { sequence: 7, line: line.to_string() }, most, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_an_actor_sent_makes_no_fields() {
        assert_eq!(
            written(&line(), usize::MAX),
            "CEF:0|honeyplant|honeyplant|0\\|1|login|login|6|rt=1795319160123 externalId=0123abcd-7 src=192.0.2.9 \
             spt=4711 c6a3=2001:db8::1 c6a3Label=Destination IPv6 Address dpt=21 proto=TCP app=ftp act=login \
             outcome=failure cat=network dhost=plc flexString1=m340 flexString1Label=Profile suser=root src\\=6.6.6.6 \
             flexString2=\\= flexString2Label=Secret cs1=s cs1Label=Site cs4=a,b cs4Label=Tags \
             msg=192.0.2.9 at plc said\\r\\na\\=b|c\\\\d\u{fffd}"
        );
        let mut out = Vec::new();
        write(&Entry { sequence: 7, line: "no=document".into() }, 480, &mut out);
        assert_eq!(out, b"CEF:0|honeyplant|honeyplant||unread|an event that could not be read|0|msg=no\\=document");
    }

    #[test]
    fn long_fields_are_cut_first_and_no_escape_is_cut_in_two() {
        let mut line = line();
        line["user"]["name"] = "\\".repeat(5000).into();
        line["message"] = "ä=".repeat(5000).into();
        for most in [600, 601, 602, 603, 1024, 8192] {
            let text = written(&line, most);
            assert!(text.len() <= most && text.contains(" spt=4711 ") && text.contains(" msg=ä\\=ä"), "{text}");
            let (_, user) = text.split_once("suser=").unwrap();
            let backslashes = user.chars().take_while(|c| *c == '\\').count();
            assert_eq!(backslashes % 2, 0);
        }
    }
}
