//! What a batch of lines becomes in tables. Apart, because the databases differ in how rows are written, not in what they
//! say.
//!
//! Sessions, artefacts and actors are told by many events. A batch has one row for each of those that it touches, to be
//! added to what the table has: the earliest beginning, the latest end, the sum of counts, the greatest severity. They
//! are in the order of their keys, so that sensors that write to one database at once wait for each other in one order.

use super::line::{Line, Text};
use crate::{
    attack::MATRIX,
    document::{Outcome, Stamp},
    sink::Entry,
};
use serde_json::Value;
use std::{borrow::Cow, collections::HashMap, time::SystemTime};

/// The rows of one batch.
#[derive(Debug, Default)]
pub(crate) struct Rows<'a> {
    /// How far the install is with them; none if there is no line that is new.
    pub(crate) position: Option<PositionRow>,
    pub(crate) events: Vec<EventRow<'a>>,
    pub(crate) sessions: Vec<SessionRow<'a>>,
    pub(crate) logins: Vec<LoginRow<'a>>,
    pub(crate) artefacts: Vec<ArtefactRow<'a>>,
    pub(crate) actors: Vec<ActorRow<'a>>,
}

/// How far an install is.
#[derive(Debug, PartialEq)]
pub(crate) struct PositionRow {
    pub(crate) install: String,
    pub(crate) site: String,
    /// The sequence of the line after the last.
    pub(crate) next: i64,
    /// The time of the last event.
    pub(crate) last_seen: Stamp,
}

/// One event.
#[derive(Debug, PartialEq)]
pub(crate) struct EventRow<'a> {
    /// `event.id` is this, a hyphen and the sequence.
    pub(crate) install: Cow<'a, str>,
    pub(crate) sequence: i64,
    pub(crate) at: Stamp,
    /// The session, as [`SessionRow::id`].
    pub(crate) session: Option<String>,
    pub(crate) site: Cow<'a, str>,
    pub(crate) device: Option<Cow<'a, str>>,
    pub(crate) protocol: Option<Cow<'a, str>>,
    /// The actor's address.
    pub(crate) source: Option<Cow<'a, str>>,
    pub(crate) action: Cow<'a, str>,
    pub(crate) outcome: &'static str,
    pub(crate) severity: u8,
    /// The standard's name of the function.
    pub(crate) operation: Option<Cow<'a, str>>,
    /// Names of the tags that it was about, with commas between them.
    pub(crate) tags: Option<Cow<'a, str>>,
    /// The values before a write, as a JSON list.
    pub(crate) old_values: Option<String>,
    /// The values of a write, alike.
    pub(crate) new_values: Option<String>,
    /// The ids of the techniques, with commas between them.
    pub(crate) techniques: Option<Cow<'a, str>>,
    /// The names of the tactics, with commas between them.
    pub(crate) tactics: Option<Cow<'a, str>>,
    /// The artefact that it left.
    pub(crate) sha256: Option<Cow<'a, str>>,
    /// How many equal events it stands for.
    pub(crate) repeated: i64,
    pub(crate) message: Cow<'a, str>,
    /// The whole line.
    pub(crate) document: Cow<'a, str>,
}

/// A session, as far as the batch knows it.
#[derive(Debug, PartialEq)]
pub(crate) struct SessionRow<'a> {
    /// The install, a hyphen and the number of the session.
    pub(crate) id: String,
    pub(crate) install: Cow<'a, str>,
    pub(crate) site: Cow<'a, str>,
    pub(crate) device: Cow<'a, str>,
    pub(crate) profile: Cow<'a, str>,
    pub(crate) protocol: Cow<'a, str>,
    pub(crate) transport: Cow<'a, str>,
    pub(crate) source: Cow<'a, str>,
    pub(crate) source_port: u16,
    pub(crate) destination: Cow<'a, str>,
    pub(crate) destination_port: u16,
    /// The earliest.
    pub(crate) began: Stamp,
    /// The latest.
    pub(crate) last_seen: Stamp,
    /// How many events the batch adds, repeated ones counted.
    pub(crate) events: i64,
    /// The greatest.
    pub(crate) severity: u8,
    /// The tactic that is furthest in the matrix.
    pub(crate) tactic: Option<&'static str>,
    /// Its place there from 1 on; the greatest decides on the tactic. 0 is none.
    pub(crate) tactic_rank: u8,
    /// The name of the tool, if one was recognised; the last one stays.
    pub(crate) tool: Option<Cow<'a, str>>,
    /// How it ended, if it did.
    pub(crate) ending: Option<EndingRow<'a>>,
}

/// How a session ended.
#[derive(Debug, PartialEq)]
pub(crate) struct EndingRow<'a> {
    pub(crate) ended: Stamp,
    pub(crate) ending: Cow<'a, str>,
    pub(crate) seconds: f64,
    pub(crate) exchanges: i64,
    pub(crate) received: i64,
    pub(crate) sent: i64,
    /// The summary, as JSON.
    pub(crate) summary: Option<String>,
}

/// An attempt to log in.
#[derive(Debug, PartialEq)]
pub(crate) struct LoginRow<'a> {
    pub(crate) install: Cow<'a, str>,
    pub(crate) sequence: i64,
    pub(crate) at: Stamp,
    pub(crate) session: Option<String>,
    pub(crate) site: Cow<'a, str>,
    pub(crate) device: Option<Cow<'a, str>>,
    pub(crate) protocol: Option<Cow<'a, str>>,
    pub(crate) source: Option<Cow<'a, str>>,
    pub(crate) user_name: Option<Cow<'a, str>>,
    pub(crate) secret: Option<Cow<'a, str>>,
    /// Whether they were let in.
    pub(crate) accepted: bool,
    /// How many equal attempts it stands for.
    pub(crate) repeated: i64,
}

/// Bytes that actors left.
#[derive(Debug, PartialEq)]
pub(crate) struct ArtefactRow<'a> {
    pub(crate) sha256: Cow<'a, str>,
    /// Stays if it is none.
    pub(crate) size: Option<i64>,
    /// The earliest.
    pub(crate) first_seen: Stamp,
    /// The latest.
    pub(crate) last_seen: Stamp,
    /// How often the batch names it.
    pub(crate) times: i64,
    /// The first event that named it, with the sequence; what the table has stays.
    pub(crate) install: Cow<'a, str>,
    pub(crate) sequence: i64,
}

/// A source address.
#[derive(Debug, PartialEq)]
pub(crate) struct ActorRow<'a> {
    pub(crate) address: Cow<'a, str>,
    /// The earliest.
    pub(crate) first_seen: Stamp,
    /// The latest.
    pub(crate) last_seen: Stamp,
    /// How many sessions it opened in the batch.
    pub(crate) sessions: i64,
    /// How many events the batch adds, repeated ones counted.
    pub(crate) events: i64,
    /// The greatest.
    pub(crate) severity: u8,
    /// This and what follows: what is none leaves what the table has.
    pub(crate) country: Option<Cow<'a, str>>,
    pub(crate) city: Option<Cow<'a, str>>,
    pub(crate) network: Option<u32>,
    pub(crate) organization: Option<Cow<'a, str>>,
    /// The name of the tool that was recognised last.
    pub(crate) tool: Option<Cow<'a, str>>,
}

impl<'a> Rows<'a> {
    /// The rows of those lines of the journal that come at `from` or after: what came before is in the tables already. A
    /// line that is no event, as a failing disk leaves them, becomes an event of that name: it must not be lost, nor
    /// stand in the way of the others.
    pub(crate) fn read(batch: &'a [Entry], from: u64) -> Self {
        let (mut rows, mut places) = (Self::default(), Places::default());
        for entry in batch.iter().filter(|entry| entry.sequence >= from) {
            match serde_json::from_str(&entry.line) {
                Ok(line) => rows.add(line, &entry.line, &mut places),
                Err(error) => rows.add_broken(entry, &error),
            }
            if let Some(position) = &mut rows.position {
                position.next = signed(entry.sequence + 1);
            }
        }
        rows.sort();
        rows
    }

    /// The rows of these lines of any installs, but for those that are not `wanted`, by install and sequence. Tells how
    /// many were no events.
    pub(crate) fn gather(
        lines: impl IntoIterator<Item = &'a str>,
        mut wanted: impl FnMut(&str, i64) -> bool,
    ) -> (Self, usize) {
        let (mut rows, mut places, mut broken) = (Self::default(), Places::default(), 0);
        for text in lines {
            match serde_json::from_str::<Line<'a>>(text) {
                Ok(line) if wanted(install(&line.event.id.0), signed(line.event.sequence)) => {
                    rows.add(line, text, &mut places);
                }
                Ok(_) => {}
                Err(_) => broken += 1,
            }
        }
        // The place in one journal says nothing of several.
        rows.position = None;
        rows.sort();
        (rows, broken)
    }

    fn add(&mut self, line: Line<'a>, text: &'a str, places: &mut Places<'a>) {
        let install = match &line.event.id.0 {
            Cow::Borrowed(id) => Cow::Borrowed(install(id)),
            Cow::Owned(id) => Cow::Owned(install(id).to_owned()),
        };
        let (at, facts) = (line.timestamp, &line.honeyplant);
        match &mut self.position {
            Some(position) => position.last_seen = position.last_seen.max(at),
            none => {
                *none = Some(PositionRow {
                    install: install.clone().into_owned(),
                    site: facts.site.0.clone().into_owned(),
                    next: signed(line.event.sequence.saturating_add(1)),
                    last_seen: at,
                });
            }
        }
        let sequence = signed(line.event.sequence);
        let session = facts.session.as_ref().map(|session| format!("{install}-{}", session.id.0));
        if let Some(id) = &session {
            self.add_to_session(id, &install, &line, places);
        }
        self.add_to_actor(&line, places);
        let (repeated, facts) = (signed(line.honeyplant.repeated.unwrap_or(1)), line.honeyplant);
        let device = facts.device.map(|device| device.name.0);
        let protocol = line.network.map(|network| network.protocol.0);
        let source = line.source.map(|source| source.ip.0);
        if line.event.action.0 == "login" {
            self.logins.push(LoginRow {
                install: install.clone(),
                sequence,
                at,
                session: session.clone(),
                site: facts.site.0.clone(),
                device: device.clone(),
                protocol: protocol.clone(),
                source: source.clone(),
                user_name: line.user.map(|user| user.name.0),
                secret: facts.secret.map(|secret| secret.0),
                accepted: line.event.outcome == Outcome::Success,
                repeated,
            });
        }
        let sha256 = line.file.as_ref().and_then(|file| file.hash.as_ref()).map(|hash| hash.sha256.0.clone());
        if let Some(sha256) = &sha256 {
            let known = *places.artefacts.entry(sha256.clone()).or_insert(self.artefacts.len());
            match self.artefacts.get_mut(known) {
                Some(artefact) => {
                    (artefact.last_seen, artefact.times) = (artefact.last_seen.max(at), artefact.times + repeated);
                }
                None => self.artefacts.push(ArtefactRow {
                    sha256: sha256.clone(),
                    size: line.file.and_then(|file| file.size).map(signed),
                    first_seen: at,
                    last_seen: at,
                    times: repeated,
                    install: install.clone(),
                    sequence,
                }),
            }
        }
        let (tactics, techniques) = match line.threat {
            Some(threat) => (joined(threat.tactic.name), joined(threat.technique.id)),
            None => (None, None),
        };
        self.events.push(EventRow {
            install,
            sequence,
            at,
            session,
            site: facts.site.0,
            device,
            protocol,
            source,
            action: line.event.action.0,
            outcome: match line.event.outcome {
                Outcome::Success => "success",
                Outcome::Failure => "failure",
                Outcome::Unknown => "unknown",
            },
            severity: line.event.severity,
            operation: facts.operation.map(|operation| operation.name.0),
            tags: joined(facts.tags),
            old_values: facts.before.map(list),
            new_values: facts.after.map(list),
            techniques,
            tactics,
            sha256,
            repeated,
            message: line.message.0,
            document: Cow::Borrowed(text),
        });
    }

    fn add_broken(&mut self, entry: &Entry, error: &serde_json::Error) {
        let position = self.position.get_or_insert_with(|| PositionRow {
            install: "unknown".to_owned(),
            site: String::new(),
            next: 0,
            last_seen: SystemTime::UNIX_EPOCH.into(),
        });
        self.events.push(EventRow {
            install: position.install.clone().into(),
            sequence: signed(entry.sequence),
            at: position.last_seen,
            session: None,
            site: position.site.clone().into(),
            device: None,
            protocol: None,
            source: None,
            action: "unreadable".into(),
            outcome: "unknown",
            severity: 0,
            operation: None,
            tags: None,
            old_values: None,
            new_values: None,
            techniques: None,
            tactics: None,
            sha256: None,
            repeated: 1,
            message: format!("the line {} of the journal is no event: {error}", entry.sequence).into(),
            document: Value::String(entry.line.clone()).to_string().into(),
        });
    }

    fn add_to_session(&mut self, id: &str, install: &str, line: &Line<'a>, places: &mut Places<'a>) {
        let (facts, at) = (&line.honeyplant, line.timestamp);
        let (Some(source), Some(destination), Some(network), Some(device)) =
            (&line.source, &line.destination, &line.network, &facts.device)
        else {
            return;
        };
        let place = match places.sessions.get(id) {
            Some(place) => *place,
            None => {
                places.sessions.insert(id.to_owned(), self.sessions.len());
                self.sessions.push(SessionRow {
                    id: id.to_owned(),
                    install: Cow::Owned(install.to_owned()),
                    site: facts.site.0.clone(),
                    device: device.name.0.clone(),
                    profile: device.profile.0.clone(),
                    protocol: network.protocol.0.clone(),
                    transport: network.transport.0.clone(),
                    source: source.ip.0.clone(),
                    source_port: source.port,
                    destination: destination.ip.0.clone(),
                    destination_port: destination.port,
                    began: at,
                    last_seen: at,
                    events: 0,
                    severity: 0,
                    tactic: None,
                    tactic_rank: 0,
                    tool: None,
                    ending: None,
                });
                self.sessions.len() - 1
            }
        };
        let Some(session) = self.sessions.get_mut(place) else { return };
        session.began = session.began.min(line.event.start.unwrap_or(at)).min(at);
        session.last_seen = session.last_seen.max(at);
        session.events += signed(facts.repeated.unwrap_or(1));
        session.severity = session.severity.max(line.event.severity);
        for name in line.threat.iter().flat_map(|threat| &threat.tactic.name) {
            let found = (1..).zip(MATRIX).find(|(_, tactic)| *tactic == name.0);
            if let Some((rank, tactic)) = found.filter(|(rank, _)| *rank > session.tactic_rank) {
                (session.tactic, session.tactic_rank) = (Some(tactic), rank);
            }
        }
        session.tool = tool(line).or(session.tool.take());
        if let Some(ending) = &facts.ending {
            session.ending = Some(EndingRow {
                ended: at,
                ending: ending.reason.0.clone(),
                seconds: ending.seconds,
                exchanges: signed(ending.exchanges),
                received: signed(ending.received),
                sent: signed(ending.sent),
                summary: facts.summary.as_ref().map(Value::to_string),
            });
        }
    }

    fn add_to_actor(&mut self, line: &Line<'a>, places: &mut Places<'a>) {
        let (Some(source), at) = (&line.source, line.timestamp) else { return };
        let place = match places.actors.get(&source.ip.0) {
            Some(place) => *place,
            None => {
                places.actors.insert(source.ip.0.clone(), self.actors.len());
                self.actors.push(ActorRow {
                    address: source.ip.0.clone(),
                    first_seen: at,
                    last_seen: at,
                    sessions: 0,
                    events: 0,
                    severity: 0,
                    country: None,
                    city: None,
                    network: None,
                    organization: None,
                    tool: None,
                });
                self.actors.len() - 1
            }
        };
        let Some(actor) = self.actors.get_mut(place) else { return };
        (actor.first_seen, actor.last_seen) = (actor.first_seen.min(at), actor.last_seen.max(at));
        actor.sessions += i64::from(line.event.action.0 == "opened");
        actor.events += signed(line.honeyplant.repeated.unwrap_or(1));
        actor.severity = actor.severity.max(line.event.severity);
        actor.tool = tool(line).or(actor.tool.take());
        let text = |text: &Option<Text<'a>>| text.as_ref().map(|text| text.0.clone());
        if let Some(geo) = &source.geo {
            (actor.country, actor.city) = (text(&geo.country_iso_code), text(&geo.city_name));
        }
        if let Some(network) = &source.network {
            actor.network = Some(network.number);
            actor.organization = network.organization.as_ref().map(|organization| organization.name.0.clone());
        }
    }

    fn sort(&mut self) {
        self.sessions.sort_by(|a, b| a.id.cmp(&b.id));
        self.artefacts.sort_by(|a, b| a.sha256.cmp(&b.sha256));
        self.actors.sort_by(|a, b| a.address.cmp(&b.address));
    }
}

/// Where the rows of a batch are that are told by many events.
#[derive(Default)]
struct Places<'a> {
    sessions: HashMap<String, usize>,
    artefacts: HashMap<Cow<'a, str>, usize>,
    actors: HashMap<Cow<'a, str>, usize>,
}

/// The install that an `event.id` begins with.
fn install(id: &str) -> &str {
    id.split_once('-').map_or(id, |(install, _)| install)
}

fn tool<'a>(line: &Line<'a>) -> Option<Cow<'a, str>> {
    line.honeyplant.tool.as_ref().map(|tool| tool.name.0.clone())
}

/// The texts with commas between them; none of none.
fn joined(texts: Vec<Text<'_>>) -> Option<Cow<'_, str>> {
    let mut texts = texts.into_iter().map(|text| text.0);
    let first = texts.next()?;
    Some(texts.fold(first, |joined, text| joined + "," + text))
}

fn list(values: Vec<Value>) -> String {
    Value::Array(values).to_string()
}

/// The numbers of databases have a sign; none of ours ever reaches the bit of it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
