//! Runs that end in the middle: killed, torn, with a full disk.

use crate::site::{SOON, assert_whole, closed, documents, entries, event, observer, open, read, session};
use honeyplant_core::event::Kind;
use honeyplant_record::{Journal, JournalSettings, Notice, document::Document, meaning::Meaning};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Where the part of a test that is to be killed records to.
const PART: &str = "RECORD_UNTIL_KILLED";

fn to_be_killed(test: &str, state: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(PART, state)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Records as `addresses` says and tells how much of it has settled, until it is killed.
fn record_until_killed(state: &Path, address: impl Fn(u32) -> u32) -> ! {
    let (journal, _) =
        Journal::open(state, &JournalSettings::default(), observer(), Meaning::default(), |_| {}).unwrap();
    let session = session(1);
    let mut number = 0;
    loop {
        let mut batch: Vec<_> = (number..number + 50).map(|number| read(&session, address(number))).collect();
        journal.record(&mut batch);
        number += 50;
        if number.is_multiple_of(500) {
            journal.settle();
            writeln!(std::io::stdout(), "settled {number}").unwrap();
        }
    }
}

/// Kills it in the middle of its work; what it had told to be settled by then.
fn kill(mut child: Child) -> u64 {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut settled = 0;
    for line in lines {
        // The first stands behind what the test harness says.
        if let Some((_, number)) = line.split_once("settled ") {
            settled = number.parse().unwrap();
            if settled >= 20_000 {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    settled
}

fn count(documents: &[Document<'_>]) -> u64 {
    documents.iter().map(|document| document.honeyplant.repeated.unwrap_or(1)).sum()
}

#[test]
fn a_killed_run_leaves_all_that_had_settled_without_a_hole() {
    if let Some(state) = env::var_os(PART) {
        record_until_killed(state.as_ref(), |number| number);
    }
    let state = tempfile::tempdir().unwrap();
    let settled = kill(to_be_killed("ends::a_killed_run_leaves_all_that_had_settled_without_a_hole", state.path()));
    let (journal, mended, _) = open(state.path());
    assert!(mended.to_string().contains("the last run ended without saying so"), "{mended}");
    journal.record(&mut vec![event(None, Kind::Stopped)]);
    journal.finish(SOON).unwrap();
    let documents = documents(state.path());
    assert_whole(&documents);
    assert!(documents.len() as u64 > settled, "{} of {settled} are left", documents.len());
    for (address, document) in documents.iter().rev().skip(1).rev().enumerate() {
        assert_eq!(document.honeyplant.address, Some(address as u32), "each as it was recorded");
    }
    let (_, mended, _) = open(state.path());
    assert!(mended.is_empty(), "{mended}");
}

#[test]
fn a_killed_run_leaves_the_count_of_all_equal_events_that_had_settled() {
    if let Some(state) = env::var_os(PART) {
        record_until_killed(state.as_ref(), |_| 1);
    }
    let state = tempfile::tempdir().unwrap();
    let test = "ends::a_killed_run_leaves_the_count_of_all_equal_events_that_had_settled";
    let settled = kill(to_be_killed(test, state.path()));
    let (journal, mended, _) = open(state.path());
    assert!(mended.to_string().contains("equal events that were held in memory"), "{mended}");
    journal.finish(SOON).unwrap();
    let found = documents(state.path());
    assert_whole(&found);
    assert!(count(&found) >= settled, "{} of {settled} are left", count(&found));
    assert!((found.len() as u64) < settled / 100, "they are folded: {} lines", found.len());
    let last = found.last().unwrap();
    assert_eq!(last.honeyplant.request.as_ref().unwrap().hex, "0001fe");
    // Mending again finds nothing to add.
    let (journal, _, _) = open(state.path());
    journal.finish(SOON).unwrap();
    assert_eq!(documents(state.path()).len(), found.len());
}

#[test]
fn what_was_written_before_the_end_is_not_recovered_twice() {
    let state = tempfile::tempdir().unwrap();
    let session = session(1);
    let (journal, ..) = open(state.path());
    journal.record(&mut (0..5).map(|_| read(&session, 1)).collect());
    journal.settle();
    // As a process leaves it that is killed between writing the journal and writing down what is held.
    let folder = state.path().join("journal");
    let held = fs::read(folder.join("folding.1")).unwrap();
    journal.record(&mut vec![closed(&session)]);
    journal.finish(SOON).unwrap();
    fs::write(folder.join("folding.1"), held).unwrap();
    let _ = fs::remove_file(folder.join("folding.0"));
    let (journal, mended, _) = open(state.path());
    journal.finish(SOON).unwrap();
    assert!(!mended.to_string().contains("held in memory"), "{mended}");
    assert_eq!(count(&documents(state.path())), 6);
}

#[test]
fn a_torn_line_is_kept_aside_and_told() {
    for torn in ["{\"@timestamp\":\"20", "{\"@timestamp\":\"2026\"}\n", "\0\0\0\0"] {
        let state = tempfile::tempdir().unwrap();
        let session = session(1);
        let (journal, ..) = open(state.path());
        journal.record(&mut (0..3).map(|n| read(&session, n)).collect());
        journal.finish(SOON).unwrap();
        let folder = state.path().join("journal");
        let segment = folder.join("00000000000000000001.jsonl");
        let whole = fs::read_to_string(&segment).unwrap();
        fs::write(&segment, format!("{whole}{torn}")).unwrap();
        let (journal, mended, _) = open(state.path());
        assert!(mended.to_string().contains("a torn line"), "{mended}");
        assert_eq!(fs::read_to_string(folder.join("torn-1.txt")).unwrap(), torn);
        journal.record(&mut vec![event(None, Kind::Stopped)]);
        journal.finish(SOON).unwrap();
        let documents = documents(state.path());
        assert_whole(&documents);
        assert_eq!(documents.len(), 4);
    }
}

#[test]
fn a_full_disk_loses_nothing_and_stops_the_reading() {
    let state = tempfile::tempdir().unwrap();
    let (journal, _, told) = open(state.path());
    // Every write to this device fails as on a full disk.
    let segment = state.path().join("journal/00000000000000000001.jsonl");
    symlink("/dev/full", &segment).unwrap();
    let session = session(1);
    let mut recorded = 0;
    while !journal.is_full() {
        journal.record(&mut (recorded..recorded + 1000).map(|n| read(&session, n)).collect());
        recorded += 1000;
    }
    let notice = told.recv_timeout(SOON).unwrap();
    assert!(notice.to_string().contains("No space left"), "{notice}");
    fs::remove_file(&segment).unwrap();
    journal.settle();
    assert!(!journal.is_full());
    assert_eq!(told.recv_timeout(SOON).unwrap(), Notice::Writing);
    journal.finish(SOON).unwrap();
    let documents = documents(state.path());
    assert_whole(&documents);
    assert_eq!(documents.len() as u32, recorded);
}

#[test]
fn what_cannot_be_written_until_the_end_is_told() {
    let state = tempfile::tempdir().unwrap();
    let (journal, ..) = open(state.path());
    symlink("/dev/full", state.path().join("journal/00000000000000000001.jsonl")).unwrap();
    journal.record(&mut vec![event(None, Kind::Stopped)]);
    assert!(journal.finish(std::time::Duration::from_millis(50)).is_err());
}

#[test]
fn the_last_beat_is_written() {
    for _ in 0..20 {
        let state = tempfile::tempdir().unwrap();
        let (journal, ..) = open(state.path());
        journal.record(&mut vec![read(&session(1), 1), event(None, Kind::Stopped)]);
        journal.finish(SOON).unwrap();
        assert_eq!(entries(state.path()).len(), 2);
        assert!(open(state.path()).1.is_empty());
    }
}
