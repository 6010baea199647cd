//! What a session means beside its events: the tool that is recognised, what is found only in a session, and its summary.

use crate::site::{SOON, access, closed, event, observer, operation, read, session};
use honeyplant_core::event::{Change, Event, Kind, Login, Octets, Request, Session, Values, Verdict};
use honeyplant_record::{
    Journal, JournalSettings,
    attack::{FINDINGS, ROWS, SCALE, TECHNIQUES},
    document::{Document, ToolKind},
    meaning::{Atlas, Meaning, Toolbox},
};
use std::{collections::BTreeMap, sync::Arc};

/// The documents of what was recorded, with these tools known.
fn recorded(toolbox: Toolbox, mut events: Vec<Event>) -> Vec<Document<'static>> {
    let state = tempfile::tempdir().unwrap();
    let meaning = Meaning::new(Atlas::default(), toolbox);
    let (journal, _) = Journal::open(state.path(), &JournalSettings::default(), observer(), meaning, |_| {}).unwrap();
    journal.record(&mut events);
    journal.finish(SOON).unwrap();
    crate::site::documents(state.path())
}

fn login(session: &Arc<Session>, user: Option<&str>, secret: &str, verdict: Verdict) -> Event {
    let login = Login { user: user.map(Into::into), secret: Some(secret.into()) };
    event(Some(session), Kind::Login(operation(verdict), Box::new(login)))
}

const REFUSED: Verdict = Verdict::Refused { code: 530, reason: "not logged in" };

fn ids(document: &Document<'_>) -> Vec<String> {
    let threat = document.threat.iter();
    threat.flat_map(|threat| threat.technique.id.iter()).map(|id| id.clone().into_owned()).collect()
}

fn last<'a>(documents: &'a [Document<'static>]) -> &'a Document<'static> {
    documents.last().unwrap()
}

#[test]
fn ten_thousand_refused_logins_are_graver_than_one() {
    let session = session(1);
    let few = recorded(Toolbox::default(), vec![login(&session, Some("me"), "x", REFUSED), closed(&session)]);
    assert_eq!(last(&few).event.severity, 3);
    let mut events: Vec<Event> =
        (0..10_000).map(|number| login(&session, Some("me"), &number.to_string(), REFUSED)).collect();
    events.push(closed(&session));
    let many = recorded(Toolbox::default(), events);
    let summary = last(&many).honeyplant.summary.as_deref().unwrap();
    let logins = summary.logins.as_ref().unwrap();
    assert_eq!((logins.accepted, logins.refused, summary.events, summary.failed), (0, 10_000, 10_000, 10_000));
    assert!(last(&many).event.severity > last(&few).event.severity);
}

#[test]
fn one_unit_after_the_other_is_discovery_once() {
    let session = session(1);
    let unit = |unit| {
        let mut event = read(&session, 5);
        if let Kind::Read(operation, ..) = &mut event.kind {
            operation.unit = Some(unit);
        }
        event
    };
    let documents = recorded(Toolbox::default(), (1..=20).map(unit).chain([closed(&session)]).collect());
    let told: Vec<usize> = (0..20).filter(|place| ids(&documents[*place]).contains(&"T0846".to_owned())).collect();
    assert_eq!(told, [7]);
    assert_eq!(ids(&documents[7]), ["T0801", "T0846"]);
    assert!(last(&documents).honeyplant.summary.as_ref().unwrap().techniques.contains("T0846"));
}

#[test]
fn what_makers_deliver_is_told() {
    let session = session(1);
    let accounts = vec![
        login(&session, None, "public", Verdict::Done),
        login(&session, Some("USER"), "USER", Verdict::Done),
        login(&session, Some("me"), "secret", Verdict::Done),
        closed(&session),
    ];
    let documents = recorded(Toolbox::default(), accounts);
    let graveness: Vec<u8> = documents.iter().map(|document| document.event.severity).collect();
    assert_eq!(graveness, [4, 6, 4, 6]);
    assert!(ids(&documents[0]).contains(&"T0812".to_owned()) && !ids(&documents[2]).contains(&"T0812".to_owned()));
    let summary = last(&documents).honeyplant.summary.as_deref().unwrap();
    assert_eq!(summary.logins.as_ref().unwrap().users.iter().collect::<Vec<_>>(), ["USER", "me"]);
}

#[test]
fn a_session_tells_its_writes() {
    let session = session(1);
    let bit = |bit| Values::Bits([bit].into_iter().collect());
    let write = |verdict, on: bool| {
        let change = Change { before: bit(!on), after: bit(on) };
        event(Some(&session), Kind::Write(operation(verdict), access(&session, 5), change))
    };
    let mut events: Vec<Event> = (0..12).map(|number| write(Verdict::Done, number % 2 == 0)).collect();
    events.push(write(Verdict::Refused { code: 2, reason: "illegal data address" }, true));
    events.push(closed(&session));
    let documents = recorded(Toolbox::default(), events);
    let summary = last(&documents).honeyplant.summary.as_deref().unwrap();
    let writes = summary.writes.as_ref().unwrap();
    assert_eq!((writes.accepted, writes.refused), (12, 1));
    assert_eq!(writes.first.tags, ["pump_1_off"]);
    assert!(writes.first.message.contains("wrote coil 5") && writes.last.message.contains("tried to write"));
    assert_eq!((summary.severity, summary.furthest.as_deref()), (9, Some("Impair Process Control")));
    assert!(summary.techniques.contains("T0806"));
}

#[test]
fn an_operators_rules_are_beside_those_that_come_along() {
    let mut toolbox = Toolbox::default();
    toolbox
        .add(
            "[[tools]]\nname = 'my scanner'\nkind = 'scanner'\nrules = [{ protocol = 'modbus', first = true,\
             when = { request = '0001fe' }, then = [{ action = 'read', address = 7 }] }]\n",
        )
        .unwrap();
    let session = session(1);
    let documents = recorded(toolbox, vec![read(&session, 1), read(&session, 7), read(&session, 7), closed(&session)]);
    let tools: Vec<Option<&str>> =
        documents.iter().map(|document| document.honeyplant.tool.as_deref().map(|tool| &*tool.name)).collect();
    assert_eq!(tools, [None, Some("my scanner"), None, Some("my scanner")]);
}

#[test]
fn what_comes_second_is_not_what_comes_first() {
    let session = session(1);
    let says = |octets: &[u8]| {
        let mut event = event(Some(&session), Kind::Identify(operation(Verdict::Done)));
        event.request = Octets::from_slice(octets);
        event
    };
    let probe = says(&[0, 0, 0, 0, 0, 2, 1, 0x11]);
    let met = |events: Vec<Event>| {
        let documents = recorded(Toolbox::default(), events);
        last(&documents).honeyplant.tool.as_deref().map(|tool| tool.name.clone().into_owned())
    };
    assert_eq!(met(vec![probe.clone(), closed(&session)]).as_deref(), Some("nmap modbus-discover"));
    assert_eq!(met(vec![read(&session, 1), probe, closed(&session)]), None);
}

#[test]
fn an_exploit_is_named_for_what_it_is() {
    let mut session = Arc::into_inner(session(1)).unwrap();
    session.protocol = "http";
    let session = Arc::new(session);
    let get = |target: &str, agent: &str| {
        let request = Request {
            method: "GET".into(),
            target: target.into(),
            user_agent: Some(agent.into()),
            ..Request::default()
        };
        event(Some(&session), Kind::Request(operation(REFUSED), Box::new(request)))
    };
    let documents = recorded(
        Toolbox::default(),
        vec![get("/", "curl/7.88.1"), get("/cgi-bin/.%2e/.%2e/etc/passwd", "curl/7.88.1"), closed(&session)],
    );
    let told = documents[1].honeyplant.tool.as_deref().unwrap();
    assert_eq!(told.kind, ToolKind::Attack);
    assert!(ids(&documents[1]).contains(&"T0819".to_owned()));
    let summary = last(&documents).honeyplant.summary.as_deref().unwrap();
    assert!(summary.tools.iter().any(|tool| tool.name == "curl"));
    assert_eq!(summary.severity, 4);
}

#[test]
fn the_table_is_what_mitre_says() {
    // Id, name, and the tactics, each line.
    let extract = include_str!("attack-ics-18.1.tsv");
    let techniques: BTreeMap<&str, (&str, Vec<_>)> = extract
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let mut fields = line.split('\t');
            let (id, name) = (fields.next().unwrap(), fields.next().unwrap());
            (id, (name, fields.map(|tactic| tactic.split_once(' ').unwrap()).collect()))
        })
        .collect();
    for technique in TECHNIQUES {
        let (name, tactics) = &techniques[technique.id];
        assert_eq!(&technique.name, name);
        let tactic = (technique.tactic.id, technique.tactic.name);
        assert!(tactics.contains(&tactic), "{} serves {tactics:?}", technique.id);
    }
    let used: Vec<&str> =
        ROWS.iter().chain(FINDINGS).flat_map(|row| row.techniques).map(|technique| technique.id).collect();
    assert!(
        TECHNIQUES.iter().all(|technique| used.contains(&technique.id)),
        "what is not used has no place in the table"
    );
    assert!(ROWS.iter().chain(FINDINGS).all(|row| usize::from(row.severity) < SCALE.len()));
}
