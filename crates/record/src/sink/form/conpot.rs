//! The records of Conpot: what its JSON log has in version 0.6, and the events of its version 1.0. Apart, because other
//! people's pipelines rely on their keys, types and words; `docs/operations.md` has the table.

use super::{Entry, literal, snmp};
use crate::{
    document::{Document, Outcome},
    sink::uuid::Uuid,
};
use serde::Serialize;
use std::{fmt::Write as _, net::IpAddr};

/// Which record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 0.6.
    Zero,
    /// 1.0.
    One,
}

/// What an event is to Conpot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// A record with a request and a response.
    Exchange,
    /// The same, unless the exchange has another event that is recorded.
    Beside,
    /// A record with this `event_type` and nothing more.
    Type(&'static str),
    /// A record of how the session ended.
    End,
    /// Nothing: no record.
    None,
}

/// Every action of the catalogue.
static WORDS: &[(&str, Word)] = &[
    ("started", Word::None),
    ("stopped", Word::None),
    ("faulted", Word::None),
    ("opened", Word::Type("NEW_CONNECTION")),
    ("exchange", Word::Exchange),
    ("unsupported", Word::Exchange),
    ("identify", Word::Exchange),
    ("diagnose", Word::Exchange),
    ("read", Word::Exchange),
    ("write", Word::Exchange),
    ("command", Word::Exchange),
    ("login", Word::Beside),
    ("list", Word::Exchange),
    ("inspect", Word::Exchange),
    ("download", Word::Exchange),
    ("upload", Word::Exchange),
    ("create", Word::Exchange),
    ("delete", Word::Exchange),
    ("rename", Word::Exchange),
    ("change", Word::Exchange),
    ("list_blocks", Word::Exchange),
    ("inspect_block", Word::Exchange),
    ("upload_block", Word::Exchange),
    ("download_block", Word::Exchange),
    ("insert_block", Word::Exchange),
    ("delete_block", Word::Exchange),
    ("request", Word::Exchange),
    ("relay", Word::Exchange),
    ("secured", Word::None),
    ("unsecured", Word::None),
    ("stranger", Word::None),
    ("withheld", Word::None),
    ("discarded", Word::None),
    ("malformed", Word::Exchange),
    ("closed", Word::End),
];

/// A record of 0.6; the keys are all there, in this order.
#[derive(Serialize)]
struct Zero<'a> {
    timestamp: &'a str,
    sensorid: &'a str,
    id: &'a str,
    src_ip: IpAddr,
    src_port: u16,
    dst_ip: IpAddr,
    dst_port: u16,
    public_ip: Option<IpAddr>,
    data_type: &'a str,
    request: Option<Said>,
    response: Option<Said>,
    event_type: Option<&'a str>,
}

/// An event of 1.0; what is not set is left out.
#[derive(Serialize)]
struct One<'a> {
    schema_version: u8,
    event_time: &'a str,
    timestamp: &'a str,
    session_id: &'a str,
    protocol: &'a str,
    src_ip: IpAddr,
    src_port: u16,
    dst_ip: IpAddr,
    dst_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    sensorid: &'a str,
    template: &'a str,
    conpot_version: &'a str,
}

/// A request or a response.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Said {
    /// As it is printed.
    Text(String),
    /// A variable of SNMP.
    Variable { oid: String, val: String },
}

/// What was said in an exchange, and its `event_type` if it has one.
#[derive(Default)]
struct Exchange {
    request: Option<Said>,
    response: Option<Said>,
    name: Option<String>,
}

/// Appends the record of `entry`; false if there is none.
pub(super) fn write(entry: &Entry, version: Version, out: &mut Vec<u8>) -> bool {
    entry.document().is_ok_and(|document| record(&document, version, out).is_some())
}

fn record(document: &Document<'_>, version: Version, out: &mut Vec<u8>) -> Option<()> {
    let (source, destination) = (document.source.as_ref()?, document.destination?);
    let protocol = &*document.network.as_ref()?.protocol;
    let (_, word) = WORDS.iter().find(|(action, _)| *action == document.event.action)?;
    let exchange = match word {
        Word::None => return None,
        Word::Type(name) => Exchange { name: Some((*name).into()), ..Exchange::default() },
        Word::End => Exchange { name: Some(end(document).into()), ..Exchange::default() },
        Word::Beside if told_elsewhere(document, protocol) => return None,
        Word::Beside | Word::Exchange => exchange(document, protocol, version),
    };
    if exchange.request.is_none() && exchange.response.is_none() && exchange.name.is_none() {
        return None;
    }
    let moment = document.timestamp.to_string();
    let naive = moment.trim_end_matches('Z');
    let (install, _) = document.event.id.split_once('-')?;
    let id = identifier(install, &document.honeyplant.session?.id.to_string());
    let protocol = if protocol == "iec104" { "IEC104" } else { protocol };
    let Exchange { request, response, name } = exchange;
    // Writing into memory does not fail.
    let written = match version {
        Version::Zero => serde_json::to_writer(
            out,
            &Zero {
                timestamp: naive,
                sensorid: &document.observer.name,
                id: &id,
                src_ip: source.ip,
                src_port: source.port,
                dst_ip: destination.ip,
                dst_port: destination.port,
                public_ip: None,
                data_type: protocol,
                request,
                response,
                event_type: name.as_deref(),
            },
        ),
        Version::One => serde_json::to_writer(
            out,
            &One {
                schema_version: 1,
                event_time: &format!("{naive}+00:00"),
                timestamp: &format!("{naive}+00:00"),
                session_id: &id,
                protocol,
                src_ip: source.ip,
                src_port: source.port,
                dst_ip: destination.ip,
                dst_port: destination.port,
                event_type: name.as_deref(),
                request,
                response,
                error: error(document),
                sensorid: &document.observer.name,
                template: document.honeyplant.device.as_ref().map_or("", |device| &device.profile),
                conpot_version: &format!("{} {}", document.observer.product, document.observer.version),
            },
        ),
    };
    written.ok()
}

/// The same for all events of a session; theirs are drawn at random.
fn identifier(install: &str, session: &str) -> String {
    Uuid(0).drawn(&format!("conpot {install} {session}")).to_string()
}

/// Who lost the connection: the actor, time, or the device.
fn end(document: &Document<'_>) -> &'static str {
    match document.honeyplant.ending.as_ref().map(|ending| &*ending.reason) {
        Some("the peer closed" | "the connection broke") => "CONNECTION_LOST",
        Some("the peer was silent too long" | "the peer did not take its answers") => "CONNECTION_TIMEOUT",
        _ => "CONNECTION_TERMINATED",
    }
}

/// Whether the message that said who somebody is was also a request with an event of its own.
fn told_elsewhere(document: &Document<'_>, protocol: &str) -> bool {
    protocol == "http" || protocol == "snmp" && document.event.outcome == Outcome::Success
}

fn error<'a>(document: &'a Document<'_>) -> Option<&'a str> {
    let facts = &document.honeyplant;
    let refusal = facts.refusal.as_ref().map(|refusal| &*refusal.reason);
    facts.malformed.as_deref().or(refusal).or(facts.silence.as_deref())
}

fn exchange(document: &Document<'_>, protocol: &str, version: Version) -> Exchange {
    let facts = &document.honeyplant;
    let request = facts.request.as_ref().map(|bytes| &*bytes.hex);
    let reply = facts.reply.as_ref().map(|bytes| &*bytes.hex);
    match protocol {
        // The whole message of the request, but of the response only what follows the header of seven bytes; empty if
        // there was none.
        "modbus" => Exchange {
            request: request.map(hexadecimal),
            response: match reply {
                Some(reply) => reply.get(14..).map(hexadecimal),
                None if request.is_some() => Some(Said::Text(String::new())),
                None => None,
            },
            name: None,
        },
        "http" => Exchange {
            request: (request.is_some() || document.url.is_some()).then(|| page(document, &unhex(request))),
            response: document
                .http
                .as_ref()
                .and_then(|http| http.response.as_ref())
                .map(|response| Said::Text(response.status_code.to_string())),
            name: None,
        },
        "ftp" => Exchange { request: request.map(printed), response: reply.map(printed), name: None },
        "snmp" => objects(document, &unhex(request), &unhex(reply)),
        _ => Exchange {
            request: request.map(hexadecimal),
            response: reply.map(hexadecimal),
            name: step(document, protocol, version).map(Into::into),
        },
    }
}

/// What 1.0 has a word for.
fn step(document: &Document<'_>, protocol: &str, version: Version) -> Option<&'static str> {
    let facts = &document.honeyplant;
    match (version, protocol, &*document.event.action, facts.command.as_deref()) {
        (Version::One, "s7comm", "read", _) => Some("READ_VAR"),
        (Version::One, "s7comm", "write", _) => Some("WRITE_VAR"),
        (Version::One, "s7comm", "command", Some("stop")) => Some("PLC_STOP"),
        (Version::One, "s7comm", "command", Some("start")) => Some("PLC_START"),
        _ => None,
    }
}

fn hexadecimal(hex: &str) -> Said {
    Said::Text(format!("b'{hex}'"))
}

fn printed(hex: &str) -> Said {
    let mut text = String::new();
    literal::bytes(&mut text, &unhex(Some(hex)));
    Said::Text(text)
}

fn unhex(hex: Option<&str>) -> Vec<u8> {
    let digits = hex.unwrap_or_default().as_bytes().chunks_exact(2);
    digits.filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The path, the fields of the head and the body, as Python prints a tuple of them.
fn page(document: &Document<'_>, bytes: &[u8]) -> Said {
    let mut text = String::from("(");
    let (head, body) = match &document.url {
        Some(url) => {
            literal::text(&mut text, url.original.as_bytes());
            let blank = |end: &[u8]| bytes.windows(end.len()).position(|window| window == end).map(|at| at + end.len());
            bytes.split_at(blank(b"\r\n\r\n").or_else(|| blank(b"\n\n")).unwrap_or(bytes.len()))
        }
        None => {
            text.push_str("None");
            bytes.split_at(0)
        }
    };
    text.push_str(", [");
    let fields = head.split(|byte| *byte == b'\n').skip(1).filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        line.split_at_checked(colon)
    });
    for (number, (name, value)) in fields.enumerate() {
        text.push_str(if number > 0 { ", (" } else { "(" });
        literal::text(&mut text, name.trim_ascii());
        text.push_str(", ");
        literal::text(&mut text, value.strip_prefix(b":").unwrap_or(value).trim_ascii());
        text.push(')');
    }
    text.push_str("], ");
    if body.is_empty() {
        text.push_str("None");
    } else {
        literal::bytes(&mut text, body);
    }
    text.push(')');
    Said::Text(text)
}

/// The first variables of request and response.
fn objects(document: &Document<'_>, request: &[u8], reply: &[u8]) -> Exchange {
    let variable = |(oid, val)| Said::Variable { oid, val };
    let asked = snmp::read(request);
    let response = snmp::read(reply).filter(|reply| !reply.failed).and_then(|reply| reply.first).map(variable);
    let name = asked.as_ref().map(|asked| format!("SNMPv{} {}", asked.version, asked.purpose));
    let request = asked.and_then(|asked| asked.first).map(variable).or_else(|| {
        // What is encrypted is known by its facts; what is broken, by its bytes.
        let facts = &document.honeyplant;
        let known = facts.names.first().map(|oid| Said::Variable { oid: oid.to_string(), val: String::new() });
        let unknown = || {
            let val = request.iter().fold("0x".to_owned(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            Said::Variable { oid: String::new(), val }
        };
        known.or_else(|| (!request.is_empty()).then(unknown))
    });
    Exchange { request, response, name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::ROWS;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_of_the_catalogue_is_decided_once() {
        let known: BTreeSet<&str> = ROWS.iter().filter_map(|row| row.action.split(' ').next()).collect();
        let decided: BTreeSet<&str> = WORDS.iter().map(|(action, _)| *action).collect();
        assert_eq!(decided, known);
        assert_eq!(decided.len(), WORDS.len());
    }

    #[test]
    fn a_session_has_an_identifier_of_its_own() {
        let id = identifier("0123abcd", "0000000000000007");
        assert!(id.len() == 36 && id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
        assert_eq!(id, identifier("0123abcd", "0000000000000007"));
        assert_ne!(id, identifier("0123abcd", "0000000000000008"));
    }
}
