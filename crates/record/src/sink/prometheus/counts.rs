//! What is counted. Apart, because it must stay small whatever actors do: labels are words of ours and of the operator, never
//! of an actor.

use super::exposition::{Family, Kind, Labels};
use crate::document::{Document, Outcome};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// Sites have many devices; beyond so many different counters of events, those of further devices are one.
const MOST: usize = 20_000;
/// The bounds of how long sessions last, in seconds.
const LASTED: [f64; 7] = [0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 86_400.0];

/// What has been counted since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    events: BTreeMap<[Cow<'static, str>; 4], u64>,
    sessions: BTreeMap<Cow<'static, str>, Sessions>,
    techniques: BTreeMap<[Cow<'static, str>; 2], u64>,
    tools: BTreeMap<[Cow<'static, str>; 2], u64>,
    logins: BTreeMap<[Cow<'static, str>; 2], u64>,
    severities: [u64; 11],
    gravest: [u64; 11],
    artefacts: u64,
    artefact_bytes: u64,
    discarded: u64,
    withheld: u64,
    withheld_bytes: u64,
    lines: u64,
    last: f64,
    started: Option<f64>,
    devices: Option<u64>,
}

/// Those of one protocol.
#[derive(Debug, Default)]
struct Sessions {
    opened: u64,
    closed: u64,
    exchanges: u64,
    received: u64,
    sent: u64,
    lasted: [u64; LASTED.len()],
    longer: u64,
    seconds: f64,
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Failure => "failure",
        Outcome::Unknown => "unknown",
    }
}

impl Counts {
    /// Takes one event more.
    pub(super) fn add(&mut self, document: Document<'static>) {
        let facts = document.honeyplant;
        let times = facts.repeated.unwrap_or(1);
        let seconds = document.timestamp.timestamp().as_microsecond() as f64 / 1e6;
        let (action, outcome) = (document.event.action, word(document.event.outcome));
        let protocol = document.network.map_or(Cow::Borrowed(""), |network| network.protocol);
        let device = facts.device.map_or(Cow::Borrowed(""), |device| device.name);
        self.lines += 1;
        self.last = self.last.max(seconds);
        match &*action {
            "started" => (self.started, self.devices) = (Some(seconds), facts.devices),
            "opened" => self.sessions.entry(protocol.clone()).or_default().opened += 1,
            "login" => *self.logins.entry([protocol.clone(), outcome.into()]).or_default() += times,
            "discarded" => self.discarded += 1,
            _ => {}
        }
        let severity = usize::from(document.event.severity);
        if action == "closed" {
            self.gravest.get_mut(severity).into_iter().for_each(|count| *count += 1);
        } else {
            self.severities.get_mut(severity).into_iter().for_each(|count| *count += times);
        }
        if let Some(threat) = document.threat {
            for (id, name) in threat.technique.id.iter().zip(threat.technique.name.iter()) {
                *self.techniques.entry([id.clone(), name.clone()]).or_default() += times;
            }
        }
        if let Some(file) = document.file.filter(|file| file.hash.is_some() && action != "discarded") {
            self.artefacts += 1;
            self.artefact_bytes += file.size.unwrap_or_default();
        }
        if let Some(withheld) = facts.withheld {
            self.withheld += withheld.answers;
            self.withheld_bytes += withheld.bytes;
        }
        if let Some(ending) = facts.ending {
            let sessions = self.sessions.entry(protocol.clone()).or_default();
            sessions.closed += 1;
            sessions.exchanges += ending.exchanges;
            sessions.received += ending.received;
            sessions.sent += ending.sent;
            sessions.seconds += ending.seconds;
            match LASTED.iter().position(|bound| ending.seconds <= *bound).and_then(|at| sessions.lasted.get_mut(at)) {
                Some(count) => *count += 1,
                None => sessions.longer += 1,
            }
            let tools: BTreeSet<_> = facts.summary.into_iter().flat_map(|summary| summary.into_owned().tools).collect();
            for tool in tools {
                let kind = format!("{:?}", tool.kind).to_lowercase();
                *self.tools.entry([tool.name, kind.into()]).or_default() += 1;
            }
        }
        let mut key = [action, protocol, device, outcome.into()];
        if self.events.len() >= MOST && !self.events.contains_key(&key) {
            key[2] = "others".into();
        }
        *self.events.entry(key).or_default() += times;
    }

    /// All of it as metrics.
    pub(super) fn families(&self) -> Vec<Family> {
        let counter = |name, help| Family::new(Kind::Counter, name, help);
        let labelled = |family: Family, counts: &BTreeMap<[Cow<'static, str>; 2], u64>, names: [&'static str; 2]| {
            counts.iter().fold(family, |family, (words, count)| {
                family.with(names.into_iter().zip(words.iter().cloned()).collect(), *count as f64)
            })
        };
        let mut events =
            counter("honeyplant_events", "Events; equal ones that were folded count as often as they happened.");
        for (words, count) in &self.events {
            let names = ["action", "protocol", "device", "outcome"];
            events.add(names.into_iter().zip(words.iter().cloned()).collect(), *count as f64);
        }
        let of = |family: Family, value: fn(&Sessions) -> u64| {
            self.sessions.iter().fold(family, |family, (protocol, sessions)| {
                family.with(vec![("protocol", protocol.clone())], value(sessions) as f64)
            })
        };
        let mut lasted =
            Family::new(Kind::Histogram, "honeyplant_session_duration_seconds", "How long sessions lasted.");
        for (protocol, sessions) in &self.sessions {
            let bounds: Vec<_> = LASTED.into_iter().zip(sessions.lasted).collect();
            lasted.add_histogram(&vec![("protocol", protocol.clone())], &bounds, sessions.longer, sessions.seconds);
        }
        vec![
            events,
            of(counter("honeyplant_sessions", "Sessions that began."), |sessions| sessions.opened),
            of(Family::new(Kind::Gauge, "honeyplant_sessions_open", "Sessions that go on."), |sessions| {
                sessions.opened.saturating_sub(sessions.closed)
            }),
            of(counter("honeyplant_exchanges", "Messages of actors, in sessions that have ended."), |sessions| {
                sessions.exchanges
            }),
            of(counter("honeyplant_received_bytes", "Bytes from actors, in sessions that have ended."), |sessions| {
                sessions.received
            }),
            of(counter("honeyplant_sent_bytes", "Bytes to actors, in sessions that have ended."), |sessions| {
                sessions.sent
            }),
            lasted,
            severities("honeyplant_event_severity", "How grave events were, from 0 to 10.", &self.severities),
            severities(
                "honeyplant_session_severity",
                "How grave sessions were that have ended, from 0 to 10.",
                &self.gravest,
            ),
            labelled(
                counter("honeyplant_techniques", "Events that count as a technique of ATT&CK for ICS."),
                &self.techniques,
                ["technique", "name"],
            ),
            labelled(
                counter("honeyplant_tools", "Sessions in which a tool was recognised."),
                &self.tools,
                ["tool", "kind"],
            ),
            labelled(
                counter("honeyplant_logins", "Names and secrets that were tried."),
                &self.logins,
                ["protocol", "outcome"],
            ),
            counter("honeyplant_artefacts", "Files, blocks and other bytes that were left.")
                .with(Labels::new(), self.artefacts as f64),
            counter("honeyplant_artefact_bytes", "Their bytes.").with(Labels::new(), self.artefact_bytes as f64),
            counter("honeyplant_artefacts_discarded", "Of what was left, what was not kept.")
                .with(Labels::new(), self.discarded as f64),
            counter("honeyplant_withheld_answers", "Answers that were not sent to sources that may be forged.")
                .with(Labels::new(), self.withheld as f64),
            counter("honeyplant_withheld_bytes", "Their bytes.").with(Labels::new(), self.withheld_bytes as f64),
            counter("honeyplant_journal_lines", "Lines of the journal.").with(Labels::new(), self.lines as f64),
            gauge(
                "honeyplant_last_event_timestamp_seconds",
                "When the last event happened.",
                Some(self.last).filter(|at| *at > 0.0),
            ),
            gauge("honeyplant_started_timestamp_seconds", "When the site began to run.", self.started),
            gauge("honeyplant_devices", "Devices of the site.", self.devices.map(|devices| devices as f64)),
        ]
    }
}

fn gauge(name: &'static str, help: &'static str, value: Option<f64>) -> Family {
    let family = Family::new(Kind::Gauge, name, help);
    value.into_iter().fold(family, |family, value| family.with(Labels::new(), value))
}

fn severities(name: &'static str, help: &'static str, counts: &[u64; 11]) -> Family {
    let mut family = Family::new(Kind::Histogram, name, help);
    let bounds: Vec<(f64, u64)> = (0_u8..).map(f64::from).zip(*counts).collect();
    let sum = bounds.iter().map(|(bound, count)| bound * *count as f64).sum();
    family.add_histogram(&Labels::new(), &bounds, 0, sum);
    family
}
