//! A line of the journal whose texts an actor made to hurt. Apart, because the tests of all sinks with a schema of their
//! own begin with it.

use super::Entry;

/// An event with NUL, surrogates as text, a character of four bytes, and what closes strings and ends statements.
pub(crate) const HOSTILE: &str = "\u{0}\\u0000 '; DROP TABLE events; -- \\\" \u{1F600} \u{1B}[2J \u{FFFF} \\ud800";

/// The event at `sequence`, with hostile texts wherever an actor can bring one.
pub(crate) fn entry(sequence: u64) -> Entry {
    let line = serde_json::json!({
        "@timestamp": "2026-11-22T03:46:00.000007Z",
        "ecs": { "version": "8.17.0" },
        "event": {
            "id": format!("0123abcd-{sequence}"), "sequence": sequence, "kind": "event", "category": ["network"],
            "type": ["access"], "action": "login", "dataset": "honeyplant.ftp", "outcome": "failure", "severity": 3,
        },
        "message": format!("127.0.0.1 at plc: {HOSTILE}"),
        "source": { "ip": "2001:db8::7", "port": 40000 },
        "destination": { "ip": "203.0.113.1", "port": 21 },
        "network": { "transport": "tcp", "protocol": "ftp", "type": "ipv6", "direction": "inbound" },
        "observer": {
            "type": "honeypot", "vendor": "honeyplant", "product": "honeyplant", "version": "0.1.0", "name": "waterworks",
        },
        "user": { "name": HOSTILE },
        "file": { "path": HOSTILE, "size": 8, "hash": { "sha256": "ab".repeat(32) } },
        "threat": {
            "framework": "MITRE ATT&CK for ICS",
            "tactic": { "id": ["TA0108"], "name": ["Initial Access"] },
            "technique": { "id": ["T0859"], "name": ["Valid Accounts"], "reference": ["https://attack.mitre.org"] },
        },
        "honeyplant": {
            "schema": 1, "site": "waterworks", "device": { "name": "plc", "profile": "p" },
            "session": { "id": "0000000000000007" },
            "operation": { "name": HOSTILE, "code": 331 },
            "tags": ["pump_1", "pump_2"], "values": [true, 1, -1, 1.5, HOSTILE], "secret": HOSTILE, "repeated": 3,
        },
    });
    Entry { sequence, line: line.to_string() }
}
