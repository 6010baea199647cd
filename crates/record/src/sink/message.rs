//! A line as a message of a broker: what it is called, when it happened, and which words it is routed by. Apart, because brokers differ in how they carry messages, not in what they want to know of them.

use super::Entry;
use crate::compose::Observer;
use honeyplant_core::settings::Problem;
use serde::Deserialize;
use std::{borrow::Cow, fmt::Write as _};

/// What of a document a broker wants to know.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "@timestamp", borrow)]
    at: Cow<'a, str>,
    #[serde(borrow)]
    event: Named<'a>,
    #[serde(borrow, default)]
    network: Option<Spoken<'a>>,
    #[serde(borrow, default)]
    source: Option<Actor<'a>>,
    #[serde(borrow)]
    honeyplant: Facts<'a>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(default)]
    severity: u8,
}

#[derive(Deserialize)]
struct Spoken<'a> {
    #[serde(borrow)]
    protocol: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Actor<'a> {
    #[serde(borrow)]
    ip: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
struct Facts<'a> {
    #[serde(borrow, default)]
    device: Option<Decoy<'a>>,
}

#[derive(Deserialize)]
struct Decoy<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// One line as a message.
pub(crate) struct Message<'a> {
    /// `event.id`.
    pub(crate) id: Cow<'a, str>,
    /// When it happened.
    pub(crate) at: jiff::Timestamp,
    action: Cow<'a, str>,
    severity: u8,
    protocol: Option<Cow<'a, str>>,
    device: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    /// The message of `entry`. A line that cannot be read is carried all the same: its id is known without.
    pub(crate) fn new(entry: &'a Entry, install: &str) -> Self {
        let Ok(head) = serde_json::from_str::<Head<'a>>(&entry.line) else {
            return Self {
                id: format!("{install}-{}", entry.sequence).into(),
                at: jiff::Timestamp::UNIX_EPOCH,
                action: "unknown".into(),
                severity: 0,
                protocol: None,
                device: None,
                source: None,
            };
        };
        Self {
            id: head.event.id,
            at: head.at.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH),
            action: head.event.action,
            severity: head.event.severity,
            protocol: head.network.map(|network| network.protocol),
            device: head.honeyplant.device.map(|device| device.name),
            source: head.source.map(|source| source.ip),
        }
    }

    /// The actor's address, of an event that has one.
    pub(crate) fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }
}

/// The least that a broker must take of a message, whatever it says.
pub(crate) const LEAST: usize = 16 << 10;

/// A name with words of the event in braces, such as `honeyplant.{site}.{protocol}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Word(Word),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Site,
    Install,
    Protocol,
    Device,
    Action,
    Severity,
    Source,
}

const WORDS: [(&str, Word); 7] = [
    ("site", Word::Site),
    ("install", Word::Install),
    ("protocol", Word::Protocol),
    ("device", Word::Device),
    ("action", Word::Action),
    ("severity", Word::Severity),
    ("source", Word::Source),
];

impl Pattern {
    /// The pattern that `text` is; `key` is where it stands.
    pub(crate) fn new(text: &str, key: String) -> Result<Self, Problem> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err(Problem::new(key, format!("`{text}` has a `{{` that is not closed")));
            };
            let Some((_, word)) = WORDS.iter().find(|(known, _)| *known == name) else {
                return Err(Problem::unknown(key, "word", name, WORDS.map(|(known, _)| known)));
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Word(*word));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The name of `message`, in at most `most` bytes. A word keeps its letters and digits, `-` and `_`; all else in it,
    /// which may mean something to brokers, becomes `-`. What an event has no word for is `site`, as it is of the whole.
    pub(crate) fn name(&self, message: &Message<'_>, observer: &Observer, most: usize) -> String {
        let mut name = String::new();
        for part in &self.0 {
            let word = match part {
                Part::Text(text) => {
                    name.push_str(text);
                    continue;
                }
                Part::Word(Word::Severity) => {
                    let _ = write!(name, "{}", message.severity);
                    continue;
                }
                Part::Word(Word::Site) => &observer.site,
                Part::Word(Word::Install) => &observer.install,
                Part::Word(Word::Protocol) => message.protocol.as_deref().unwrap_or_default(),
                Part::Word(Word::Device) => message.device.as_deref().unwrap_or_default(),
                Part::Word(Word::Action) => &message.action,
                Part::Word(Word::Source) => message.source.as_deref().unwrap_or_default(),
            };
            let plain = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
            name.extend(if word.is_empty() { "site" } else { word }.chars().map(plain));
        }
        name.truncate(name.floor_char_boundary(most));
        name
    }

    /// The names of all messages of all sites, where `any` stands for one part between dots.
    pub(crate) fn names(&self, any: &str) -> String {
        let words = |part: &Part| if let Part::Text(text) = part { text.clone() } else { "{}".into() };
        let names: String = self.0.iter().map(words).collect();
        let tokens = names.split('.').map(|token| if token.contains("{}") { any } else { token });
        tokens.collect::<Vec<_>>().join(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observer() -> Observer {
        Observer { site: "Süd.Werk 1".into(), install: "0badcafe".into(), version: "1".into() }
    }

    fn entry(more: &str) -> Entry {
        let line = format!(
            r#"{{"@timestamp":"2026-03-02T01:02:03.004Z","event":{{"id":"0badcafe-7","action":"read","severity":3}}{more},"honeyplant":{{"device":{{"name":"plc-1","profile":"x"}}}}}}"#
        );
        Entry { sequence: 7, line }
    }

    fn name(pattern: &str, entry: &Entry, most: usize) -> String {
        let message = Message::new(entry, "0badcafe");
        Pattern::new(pattern, "subject".into()).unwrap().name(&message, &observer(), most)
    }

    #[test]
    fn a_name_is_made_of_words_of_the_event() {
        let entry = entry(r#","source":{"ip":"203.0.113.5"},"network":{"protocol":"modbus"}"#);
        let all = "a.{site}.{install}.{protocol}.{device}.{action}.{severity}.{source}";
        assert_eq!(name(all, &entry, 200), "a.Süd-Werk-1.0badcafe.modbus.plc-1.read.3.203-0-113-5");
        assert_eq!(name("{site}", &entry, 2), "S", "not in the middle of a letter");
        assert_eq!(Pattern::new(all, String::new()).unwrap().names("*"), "a.*.*.*.*.*.*.*");
        assert_eq!(Pattern::new("a{site}b.c", String::new()).unwrap().names("*"), "*.c");
    }

    #[test]
    fn what_an_event_has_no_word_for_is_of_the_site() {
        assert_eq!(name("{protocol}.{source}", &entry(""), 200), "site.site");
        let broken = Entry { sequence: 9, line: "{".into() };
        assert_eq!(name("{action}", &broken, 200), "unknown");
        assert_eq!(Message::new(&broken, "0badcafe").id, "0badcafe-9");
    }

    #[test]
    fn a_hostile_word_is_one_word() {
        let entry = entry(r#","network":{"protocol":"a.*.>#\r\n\u0000 {site}"}"#);
        assert_eq!(name("x.{protocol}", &entry, 200), "x.a----------site-");
    }

    #[test]
    fn a_wrong_pattern_says_what_there_is() {
        let wrong = |text: &str| Pattern::new(text, "subject".into()).unwrap_err().to_string();
        assert!(wrong("{sit}").contains("`site`"), "{}", wrong("{sit}"));
        assert!(wrong("a{site").contains("not closed"));
    }
}
