//! What is shared of an event of every kind: a bundle of STIX, which `tests/test_sharing.py` has the readers of OASIS judge.

use crate::site::{build, every_kind, observer};
use honeyplant_core::settings::Settings;
use honeyplant_record::{
    Composer,
    document::{AutonomousSystem, Organization, Tool, ToolKind},
    meaning::Summary,
    sink::{Entry, SINKS},
};
use std::{
    borrow::Cow,
    env, fs,
    path::Path,
    time::{Duration, SystemTime},
};

/// Everything is told that can be told.
const ALL: &str = "path = 'stix'\nprivate = true\ncredentials = true\ndecoy = true\nseverity = 0\nevent-severity = 0\n\
                   indicator-severity = 0\norganisation = 'Example Utility'\nsector = 'water'\n";

/// The journal of a session with an event of every kind, at times that are always the same.
fn lines() -> Vec<Entry> {
    let (mut composer, mut summary, mut lines) = (Composer::new(observer()), Summary::default(), Vec::new());
    let mut events = every_kind();
    // The end of the session comes last.
    events.sort_by_key(|event| event.kind.action() == "closed");
    for (event, sequence) in events.iter_mut().zip(1..) {
        event.at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_319_160_000 + 1001 * sequence);
        let mut document = composer.compose(event, sequence);
        if let Some(source) = &mut document.source {
            let organization = Some(Organization { name: "Somebody Networks".into() });
            source.network = Some(Cow::Owned(AutonomousSystem { number: 64_496, organization }));
        }
        if event.kind.action() == "identify" {
            let tool = Tool { name: "nmap modbus-discover".into(), kind: ToolKind::Discovery };
            document.honeyplant.tool = Some(Cow::Owned(tool));
        }
        summary.add(&document);
        if event.kind.action() == "closed" {
            let summed = std::mem::take(&mut summary).finish();
            document.event.severity = summed.severity;
            document.honeyplant.summary = Some(Cow::Owned(summed));
        }
        lines.push(Entry { sequence, line: serde_json::to_string(&document).unwrap() });
    }
    lines
}

fn shared(settings: &str, batches: &[&[Entry]]) -> Vec<String> {
    let state = tempfile::tempdir().unwrap();
    let kind = SINKS.iter().find(|kind| kind.name() == "stix").unwrap();
    let mut sink = build(*kind, &Settings::parse(settings).unwrap(), state.path()).unwrap();
    batches.iter().for_each(|batch| sink.deliver(batch).unwrap());
    let mut files: Vec<_> =
        fs::read_dir(state.path().join("stix")).into_iter().flatten().map(|f| f.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn the_bundle_of_the_catalogue_is_the_one_that_is_judged() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/stix/catalogue.json");
    let lines = lines();
    let bundles = shared(ALL, &[&lines]);
    assert_eq!(bundles.len(), 1);
    let bundle: serde_json::Value = serde_json::from_str(&bundles[0]).unwrap();
    let objects: Vec<String> = bundle["objects"].as_array().unwrap().iter().map(ToString::to_string).collect();
    let (id, objects) = (&bundle["id"], objects.join(",\n"));
    let text = format!("{{\"type\":\"bundle\",\"id\":{id},\"objects\":[\n{objects}\n]}}\n");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == text, "run this with UPDATE_DOCS=1 and look at what changed");
}

#[test]
fn what_is_delivered_again_replaces_what_was_delivered() {
    let lines = lines();
    let half = lines.len() / 2;
    let once = shared(ALL, &[&lines[..half], &lines[half..]]);
    assert_eq!(shared(ALL, &[&lines[..half], &lines[..half], &lines[half..], &lines[half..]]), once);
    assert_eq!(shared(ALL, &[&lines[..5], &lines]), shared(ALL, &[&lines]));
}

#[test]
fn by_default_nothing_tells_of_the_operator() {
    assert!(shared("", &[&lines()]).is_empty(), "the address is one of the own network");
    let text = shared("private = true", &[&lines()]).concat();
    assert!(text.contains("account_login"));
    for secret in ["toor", "plc-intake", "127.0.10.1", "waterworks", "pump_1_off", "Example"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn nobody_is_blocked_for_a_datagram() {
    let mut lines = lines();
    assert!(shared(ALL, &[&lines]).concat().contains("\"type\": \"indicator\""));
    for entry in &mut lines {
        entry.line = entry.line.replace("\"transport\":\"tcp\"", "\"transport\":\"udp\"");
    }
    let text = shared(ALL, &[&lines]).concat();
    assert!(!text.contains("\"type\": \"indicator\"") && text.contains("\"confidence\": 30"), "{text}");
}
