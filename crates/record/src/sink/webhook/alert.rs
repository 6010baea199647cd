//! What a message tells people of an event. Apart, because every chat shows the same.

use super::Told;
use crate::document::Document;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// An event, or many of them, for people.
#[derive(Debug)]
pub(super) struct Alert {
    /// What it is, in our own words.
    pub(super) title: String,
    /// What happened; it has what actors sent.
    pub(super) sentence: String,
    /// More of it, each with its name.
    pub(super) facts: Vec<(&'static str, String)>,
    /// From 0 to 10.
    pub(super) severity: u8,
    /// When, as RFC 3339 has it.
    pub(super) at: String,
    /// The `event.id`.
    pub(super) id: String,
}

impl Alert {
    /// One event.
    pub(super) fn of(document: &Document<'_>) -> Self {
        let facts = &document.honeyplant;
        let device = facts.device.as_ref().map_or(&*facts.site, |device| &*device.name);
        let severity = document.event.severity;
        let title = match &*document.event.action {
            "closed" => format!("Session ended at {device}, severity {severity} of 10"),
            action => format!("{action} at {device}, severity {severity} of 10"),
        };
        Self {
            title,
            sentence: document.message.clone().into_owned(),
            facts: told(document),
            severity,
            at: document.timestamp.to_string(),
            id: document.event.id.clone().into_owned(),
        }
    }

    /// How many more events there were, and which.
    pub(super) fn more(events: &[Told<'_>]) -> Self {
        let (mut actions, mut devices, mut actors) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        for Told { document, .. } in events {
            *actions.entry(&*document.event.action).or_insert(0_u64) += 1;
            devices.extend(document.honeyplant.device.as_ref().map(|device| &*device.name));
            actors.extend(document.source.as_ref().map(|source| source.ip));
        }
        let count = events.len();
        let gravest = events.iter().max_by_key(|told| told.document.event.severity);
        let severity = gravest.map_or(0, |told| told.document.event.severity);
        let id = gravest.map_or_else(String::new, |told| told.document.event.id.clone().into_owned());
        let at = events.last().map_or_else(String::new, |told| told.document.timestamp.to_string());
        let mut facts = vec![
            ("Actions", counted(actions)),
            ("Devices", joined(devices.iter())),
            ("Actors", format!("{}: {}", actors.len(), joined(actors.iter()))),
        ];
        facts.extend(gravest.map(|told| ("Gravest", told.document.message.clone().into_owned())));
        Self {
            title: format!("{count} more events, severity up to {severity} of 10"),
            sentence: format!(
                "{count} more events are not told one by one, since no more messages are to be sent in a minute. All of \
                 them are in the record."
            ),
            facts,
            severity,
            at,
            id,
        }
    }

    /// So much as anybody takes, without a word of an actor.
    pub(super) fn shortest(&self) -> String {
        format!("{} ({}, event {})", self.title, self.at, self.id)
    }
}

fn told(document: &Document<'_>) -> Vec<(&'static str, String)> {
    let facts = &document.honeyplant;
    let mut told = Vec::new();
    if let Some(source) = &document.source {
        let mut actor = source.ip.to_string();
        if let Some(country) = source.geo.as_ref().and_then(|geo| geo.country_name.as_ref()) {
            let _ = write!(actor, ", {country}");
        }
        if let Some(network) = &source.network {
            let owner = network.organization.as_ref().map_or("", |organization| &*organization.name);
            let _ = write!(actor, ", AS{} {owner}", network.number);
        }
        told.push(("Actor", actor));
    }
    told.extend(facts.device.as_ref().map(|device| ("Device", format!("{} ({})", device.name, device.profile))));
    told.extend(document.network.as_ref().map(|network| ("Protocol", network.protocol.clone().into_owned())));
    if let Some(summary) = &facts.summary {
        let tried = summary.actions.iter().map(|(action, count)| (&**action, *count)).collect();
        told.push(("Tried", counted(tried)));
        told.push(("Tactics", joined(summary.tactics.iter())));
        told.push(("Techniques", joined(summary.techniques.iter())));
        told.push(("Written", joined(summary.written.iter())));
        told.push(("Tools", joined(summary.tools.iter().map(|tool| &tool.name))));
    } else if let Some(threat) = &document.threat {
        let named = threat.technique.id.iter().zip(threat.technique.name.iter());
        told.push(("Techniques", joined(named.map(|(id, name)| format!("{id} {name}")))));
    }
    told.extend(
        facts.ending.as_ref().map(|ending| ("Ended", format!("{}, after {:.1} s", ending.reason, ending.seconds))),
    );
    told.retain(|(_, value)| !value.is_empty());
    told
}

fn counted(counts: BTreeMap<&str, u64>) -> String {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    joined(counts.into_iter().map(|(name, count)| format!("{name} {count}")))
}

/// The first of them, and how many more there are.
fn joined(items: impl ExactSizeIterator<Item = impl ToString>) -> String {
    const SHOWN: usize = 8;
    let more = items.len().saturating_sub(SHOWN);
    let mut text = items.take(SHOWN).map(|item| item.to_string()).collect::<Vec<_>>().join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}
