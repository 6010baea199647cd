//! The forms of others: every event of the catalogue in each of them, with the keys, types and words that those who read
//! such records know.

use crate::site::{SOON, closed, entries, event, every_kind, open, operation, session};
use honeyplant_core::event::{Carrier, Ending, Event, Kind, Octets, Reason, Request, Session, Verdict};
use honeyplant_record::sink::{Entry, Form};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// The keys of a record of Conpot 0.6, in their order.
const KEYS: [&str; 12] = [
    "timestamp",
    "sensorid",
    "id",
    "src_ip",
    "src_port",
    "dst_ip",
    "dst_port",
    "public_ip",
    "data_type",
    "request",
    "response",
    "event_type",
];

/// What the form makes of each event.
fn written(events: Vec<Event>, form: Form) -> Vec<(Entry, Option<Value>)> {
    let state = tempfile::tempdir().unwrap();
    let (journal, ..) = open(state.path());
    for event in events {
        journal.record(&mut vec![event]);
        journal.settle();
    }
    journal.finish(SOON).unwrap();
    let written = entries(state.path()).into_iter().map(|entry| {
        let mut out = Vec::new();
        let some = form.write(&entry, &mut out);
        assert_eq!(some, !out.is_empty(), "{}", entry.line);
        assert!(!out.contains(&b'\n'));
        (entry, some.then(|| serde_json::from_slice(&out).unwrap()))
    });
    written.collect()
}

fn spoken(protocol: &'static str, carrier: Carrier) -> Arc<Session> {
    let Session { id, peer, local, device, .. } = Arc::into_inner(session(9)).unwrap();
    Arc::new(Session { id, peer, local, carrier, protocol, device })
}

fn said(session: &Arc<Session>, kind: Kind, request: &[u8], reply: &[u8]) -> Event {
    Event { request: Octets::from_slice(request), reply: Octets::from_slice(reply), ..event(Some(session), kind) }
}

fn one(event: Event, form: Form) -> Value {
    written(vec![event], form).pop().unwrap().1.unwrap()
}

#[test]
fn every_event_is_a_record_of_conpot_or_nothing() {
    let mut records = 0;
    for (entry, record) in written(every_kind(), Form::Conpot) {
        let action = entry.document().unwrap().event.action.into_owned();
        let silent = ["started", "stopped", "faulted", "secured", "unsecured", "stranger", "withheld", "discarded"];
        // The tests have no bytes of what is broken or unknown.
        let empty = ["exchange", "malformed"].contains(&&*action);
        assert_eq!(record.is_none(), silent.contains(&&*action) || empty, "{action}");
        let Some(Value::Object(record)) = record else { continue };
        records += 1;
        assert_eq!(record.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), KEYS.into());
        for key in ["timestamp", "sensorid", "id", "src_ip", "dst_ip", "data_type"] {
            assert!(record[key].is_string(), "{key} of {action}");
        }
        for key in ["src_port", "dst_port"] {
            assert!(record[key].is_u64(), "{key} of {action}");
        }
        for key in ["request", "response", "event_type", "public_ip"] {
            assert!(record[key].is_string() || record[key].is_null(), "{key} of {action}");
        }
        assert_eq!(record["timestamp"].as_str().unwrap().len(), "2026-11-22T01:56:41.628711".len());
    }
    assert!(records > 40, "{records}");
}

#[test]
fn the_keys_stand_in_their_order() {
    let state = tempfile::tempdir().unwrap();
    let (journal, ..) = open(state.path());
    journal.record(&mut vec![closed(&session(1))]);
    journal.finish(SOON).unwrap();
    let mut out = Vec::new();
    assert!(Form::Conpot.write(&entries(state.path())[0], &mut out));
    let line = String::from_utf8(out).unwrap();
    let places: Vec<usize> = KEYS.iter().map(|key| line.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{line}");
}

#[test]
fn every_event_is_one_of_version_1_or_nothing() {
    for (entry, record) in written(every_kind(), Form::ConpotV1) {
        let Some(Value::Object(record)) = record else { continue };
        let document = entry.document().unwrap();
        assert_eq!(record["schema_version"], 1);
        assert_eq!(record["template"], "plc");
        assert!(record.values().all(|value| !value.is_null()), "what is not set is left out");
        assert!(record["event_time"].as_str().unwrap().ends_with("+00:00"));
        assert_eq!(
            record.contains_key("error"),
            document.honeyplant.silence.is_some()
                || document.honeyplant.refusal.is_some()
                || document.honeyplant.malformed.is_some()
        );
    }
}

#[test]
fn modbus_is_the_message_and_the_answer_without_its_header() {
    let request = b"\0\x01\0\0\0\x06\x01\x05\0\x05\xff\0";
    let write = Kind::Diagnose(operation(Verdict::Done));
    let record = one(said(&session(1), write.clone(), request, request), Form::Conpot);
    assert_eq!(record["request"], "b'00010000000601050005ff00'");
    assert_eq!(record["response"], "b'050005ff00'");
    assert_eq!((&record["data_type"], &record["event_type"]), (&"modbus".into(), &Value::Null));
    let silent = one(said(&session(1), write, request, b""), Form::Conpot);
    assert_eq!(silent["response"], "", "nobody answers a broadcast");
}

#[test]
fn pages_are_tuples_and_their_status() {
    let session = spoken("http", Carrier::Tcp);
    let request = Request { method: "POST".into(), target: "/index.html".into(), status: 200, ..Request::default() };
    let bytes = b"POST /index.html HTTP/1.1\r\nHost: a\r\nContent-Length:3\r\n\r\nabc";
    let kind = Kind::Request(operation(Verdict::Done), Box::new(request));
    let record = one(said(&session, kind, bytes, b"HTTP/1.1 200 OK\r\n"), Form::Conpot);
    assert_eq!(record["request"], "('/index.html', [('Host', 'a'), ('Content-Length', '3')], b'abc')");
    assert_eq!(record["response"], "200");
    let broken = Kind::Malformed { why: "the request line has no version" };
    let record = one(said(&session, broken, b"\x16\x03'", b""), Form::Conpot);
    assert_eq!(record["request"], "(None, [], b\"\\x16\\x03'\")");
    assert_eq!(record["response"], Value::Null);
}

#[test]
fn variables_of_snmp_are_objects() {
    let session = spoken("snmp", Carrier::Udp);
    let get = b"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x0e\x30\x0c\x06\x08\
        \x2b\x06\x01\x02\x01\x01\x05\x00\x05\x00";
    let answer =
        b"\x30\x2b\x02\x01\x01\x04\x06public\xa2\x1e\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x13\x30\x11\x06\x08\
        \x2b\x06\x01\x02\x01\x01\x05\x00\x04\x05plc 1";
    let record = one(said(&session, Kind::Identify(operation(Verdict::Done)), get, answer), Form::Conpot);
    assert_eq!(record["request"], serde_json::json!({"oid": "1.3.6.1.2.1.1.5.0", "val": ""}));
    assert_eq!(record["response"], serde_json::json!({"oid": "1.3.6.1.2.1.1.5.0", "val": "plc 1"}));
    assert_eq!(record["event_type"], "SNMPv2 Get");
    let broken = Kind::Malformed { why: "it is no sequence" };
    let record = one(said(&session, broken, b"\x31", b""), Form::Conpot);
    assert_eq!(record["request"], serde_json::json!({"oid": "", "val": "0x31"}), "of the same type as all others");
}

#[test]
fn others_are_hexadecimal_and_lines_are_printed() {
    let ask = |protocol| {
        let session = spoken(protocol, Carrier::Tcp);
        one(said(&session, Kind::Exchange, b"FEAT\r\n", b"\x03"), Form::Conpot)
    };
    let (ftp, s7comm, iec104) = (ask("ftp"), ask("s7comm"), ask("iec104"));
    assert_eq!((&ftp["request"], &ftp["response"]), (&r"b'FEAT\r\n'".into(), &r"b'\x03'".into()));
    assert_eq!((&s7comm["request"], &s7comm["response"]), (&"b'464541540d0a'".into(), &"b'03'".into()));
    assert_eq!((&s7comm["data_type"], &iec104["data_type"]), (&"s7comm".into(), &"IEC104".into()));
}

#[test]
fn connections_begin_and_end_in_its_words() {
    let reasons = [
        (Reason::Peer, "CONNECTION_LOST"),
        (Reason::Broken, "CONNECTION_LOST"),
        (Reason::Device, "CONNECTION_TERMINATED"),
        (Reason::Idle, "CONNECTION_TIMEOUT"),
        (Reason::Stuck, "CONNECTION_TIMEOUT"),
        (Reason::Crowded, "CONNECTION_TERMINATED"),
        (Reason::Shutdown, "CONNECTION_TERMINATED"),
        (Reason::Restart, "CONNECTION_TERMINATED"),
        (Reason::Fault, "CONNECTION_TERMINATED"),
    ];
    let session = session(3);
    let opened = one(event(Some(&session), Kind::Opened), Form::Conpot);
    assert_eq!(opened["event_type"], "NEW_CONNECTION");
    for (reason, word) in reasons {
        let ending = Ending { reason, exchanges: 0, received: 0, sent: 0, lasted: Duration::ZERO };
        let record = one(event(Some(&session), Kind::Closed(ending)), Form::Conpot);
        assert_eq!(record["event_type"], word);
        assert_eq!(record["id"], opened["id"], "a session keeps its identifier");
    }
}
