//! The database that every site has: each event once, whoever else writes and whatever went wrong, and never larger than it
//! may be. Apart from what all sinks are held to, because it alone can be asked what it has.

use crate::site::{SOON, build, closed, entries, event, every_kind, open, read, session};
use honeyplant_core::{event::Kind, settings::Settings};
use honeyplant_record::{
    database::Database,
    sink::{Entry, SINKS, Sink},
};
use std::{fs, path::Path, thread};

fn sink(state: &Path, settings: &str) -> Box<dyn Sink> {
    let kind = SINKS.iter().find(|kind| kind.name() == "sqlite").unwrap();
    build(*kind, &Settings::parse(settings).unwrap(), state).unwrap()
}

/// Records some events more, in so many sessions of ten reads each.
fn record(state: &Path, sessions: std::ops::Range<u64>) {
    let (journal, ..) = open(state);
    for id in sessions {
        let session = session(id);
        let mut batch = vec![event(Some(&session), Kind::Opened)];
        batch.extend((0..10).map(|number| read(&session, number)));
        batch.push(closed(&session));
        journal.record(&mut batch);
    }
    assert!(journal.finish(SOON).unwrap().is_empty());
}

fn number(database: &Database, sql: &str) -> i64 {
    database.rows(sql, &[], |row| row.get(0)).unwrap()[0]
}

fn documents(state: &Path) -> Vec<String> {
    let database = Database::open(state).unwrap();
    database.rows("SELECT document FROM events ORDER BY rowid", &[], |row| row.get(0)).unwrap()
}

fn lines(state: &Path) -> Vec<String> {
    entries(state).into_iter().map(|entry| entry.line).collect()
}

#[test]
fn each_event_is_there_once_however_it_is_delivered() {
    let state = tempfile::tempdir().unwrap();
    record(state.path(), 1..20);
    let entries = entries(state.path());
    let mut sink = sink(state.path(), "");
    for batch in [&entries[..50], &entries[..50], &entries[20..90], &entries[90..], &entries[..]] {
        sink.deliver(batch).unwrap();
    }
    assert_eq!(documents(state.path()), lines(state.path()));
    let database = Database::open(state.path()).unwrap();
    assert_eq!(number(&database, "SELECT count(*) FROM sessions WHERE events = 12 AND ended IS NOT NULL"), 19);
    assert_eq!(number(&database, "SELECT events * 1000 + sessions FROM actors"), 19 * 12 * 1000 + 19);
    assert_eq!(number(&database, "SELECT next FROM position"), 19 * 12 + 1);
}

#[test]
fn several_write_at_once_and_each_event_is_there_once() {
    let state = tempfile::tempdir().unwrap();
    record(state.path(), 1..100);
    let entries = entries(state.path());
    thread::scope(|scope| {
        for size in [7, 11, 13] {
            let (entries, state) = (&entries, state.path());
            scope.spawn(move || {
                let mut sink = sink(state, "");
                entries.chunks(size).for_each(|batch| sink.deliver(batch).unwrap());
            });
        }
        for _ in 0..5 {
            Database::open(state.path()).unwrap();
        }
    });
    assert_eq!(documents(state.path()), lines(state.path()));
    let database = Database::open(state.path()).unwrap();
    assert_eq!(number(&database, "SELECT sum(events) FROM sessions"), 99 * 12);
}

#[test]
fn what_the_database_lost_comes_from_the_journal() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("honeyplant.db");
    record(state.path(), 1..10);
    sink(state.path(), "").deliver(&entries(state.path())).unwrap();
    fs::copy(&file, state.path().join("earlier")).unwrap();
    record(state.path(), 10..20);
    sink(state.path(), "").deliver(&entries(state.path())[108..]).unwrap();
    // As a loss of power leaves it: the cursor of the sink is further than the database.
    fs::copy(state.path().join("earlier"), &file).unwrap();
    record(state.path(), 20..21);
    sink(state.path(), "").deliver(&entries(state.path())[228..]).unwrap();
    assert_eq!(documents(state.path()), lines(state.path()));
    assert_eq!(lines(state.path()).len(), 240);
}

#[test]
fn a_journal_that_begins_anew_takes_the_place_of_the_old_one() {
    let state = tempfile::tempdir().unwrap();
    record(state.path(), 1..10);
    sink(state.path(), "").deliver(&entries(state.path())).unwrap();
    fs::remove_dir_all(state.path().join("journal")).unwrap();
    record(state.path(), 20..25);
    sink(state.path(), "").deliver(&entries(state.path())).unwrap();
    record(state.path(), 25..26);
    let database = Database::open(state.path()).unwrap();
    assert_eq!(number(&database, "SELECT next FROM position"), 6 * 12 + 1);
    assert_eq!(number(&database, "SELECT count(*) FROM sessions"), 15);
    let mut there = documents(state.path());
    there.retain(|document| lines(state.path()).contains(document));
    assert_eq!(there, lines(state.path()));
}

#[test]
fn a_journal_that_lost_its_end_is_what_counts() {
    let state = tempfile::tempdir().unwrap();
    record(state.path(), 1..6);
    let before = state.path().join("before");
    let segment = fs::read_dir(state.path().join("journal")).unwrap().next().unwrap().unwrap().path();
    fs::copy(&segment, &before).unwrap();
    record(state.path(), 6..9);
    sink(state.path(), "").deliver(&entries(state.path())).unwrap();
    // The disk did not keep the last lines of the journal, but those of the database; and more happens before the sink,
    // whose cursor is where it was, is asked again.
    fs::copy(&before, &segment).unwrap();
    record(state.path(), 20..30);
    sink(state.path(), "").deliver(&entries(state.path())[96..]).unwrap();
    let mut there = documents(state.path());
    there.sort();
    let mut wanted = lines(state.path());
    wanted.sort();
    assert_eq!(there, wanted);
}

#[test]
fn every_kind_of_event_and_what_is_none_has_its_row() {
    let state = tempfile::tempdir().unwrap();
    let (journal, ..) = open(state.path());
    journal.record(&mut every_kind());
    assert!(journal.finish(SOON).unwrap().is_empty());
    let mut batch = entries(state.path());
    let last = batch.len() as u64;
    batch.push(Entry { sequence: last + 1, line: "{\"no\": \"event".into() });
    let nul = batch[3].line.replace(&format!("-{}\"", batch[3].sequence), &format!("-{}\"", last + 2));
    let nul = nul.replace(&format!("\"sequence\":{}", batch[3].sequence), &format!("\"sequence\":{}", last + 2));
    let nul = nul.replace("\"message\":\"", "\"message\":\"\\u0000 \\ud83d\\ude00'; DROP TABLE events; --");
    batch.push(Entry { sequence: last + 2, line: nul });
    sink(state.path(), "").deliver(&batch).unwrap();
    let database = Database::open(state.path()).unwrap();
    assert_eq!(number(&database, "SELECT count(*) FROM events") as u64, last + 2);
    let broken = "SELECT message FROM events WHERE action = 'unreadable'";
    let told = database.rows(broken, &[], |row| row.get::<_, String>(0)).unwrap();
    assert!(told.len() == 1 && told[0].contains("is no event"), "{told:?}");
    let told = "SELECT count(*) FROM events WHERE message LIKE '\u{2400} \u{1f600}''; DROP TABLE events; --%'";
    assert_eq!(number(&database, told), 1);
    let artefacts = "SELECT count(*) FROM artefacts JOIN events USING (sha256)";
    assert!(number(&database, artefacts) > 0 && number(&database, "SELECT count(*) FROM logins") > 0);
    let writes = "SELECT count(*) FROM events WHERE action = 'write' AND json_valid(new_values)";
    assert!(number(&database, writes) > 0);
}

#[test]
fn a_flood_makes_it_no_larger_than_it_may_be() {
    let state = tempfile::tempdir().unwrap();
    record(state.path(), 1..600);
    let entries = entries(state.path());
    let mut sink = sink(state.path(), "keep-size = '2 MiB'");
    for batch in entries.chunks(500) {
        sink.deliver(batch).unwrap();
    }
    let size = fs::metadata(state.path().join("honeyplant.db")).unwrap().len();
    assert!(size < 6 << 20, "{size}");
    let database = Database::open(state.path()).unwrap();
    let (oldest, count) =
        (number(&database, "SELECT min(sequence) FROM events"), number(&database, "SELECT count(*) FROM events"));
    assert!(oldest > 1000 && count > 100, "{oldest}, {count}");
    // What is there is the latest without a hole, and of the sessions those that it belongs to.
    assert_eq!(oldest + count, 599 * 12 + 1);
    assert!(number(&database, "SELECT count(*) FROM sessions") <= count / 12 + 2);
    let missing = "SELECT count(*) FROM events WHERE session NOT IN (SELECT id FROM sessions)";
    assert_eq!(number(&database, missing), 0);
}

#[test]
fn what_is_too_old_goes() {
    let state = tempfile::tempdir().unwrap();
    record(state.path(), 1..11);
    let mut batch = entries(state.path());
    for entry in &mut batch[..60] {
        let (before, after) = entry.line.split_at(entry.line.find("\"@timestamp\":\"").unwrap() + 14);
        entry.line = format!("{before}2020{}", &after[4..]);
    }
    sink(state.path(), "keep-age = '30d'").deliver(&batch).unwrap();
    let database = Database::open(state.path()).unwrap();
    assert_eq!(number(&database, "SELECT count(*) FROM events"), 60);
    assert_eq!(number(&database, "SELECT count(*) FROM sessions"), 5);
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let state = tempfile::tempdir().unwrap();
    record(state.path(), 1..2);
    let batch = entries(state.path());
    let file = state.path().join("honeyplant.db");
    let told = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let refused = sink(state.path(), "").deliver(&batch).unwrap_err().to_string();
        assert_eq!(fs::read(&file).unwrap(), bytes);
        assert_eq!(Database::open(state.path()).unwrap_err().to_string(), refused);
        refused
    };
    assert!(told(&b"a letter to the editor, which is no database at all".repeat(99)).contains("is damaged"));
    let ours = tempfile::tempdir().unwrap();
    sink(ours.path(), "").deliver(&batch).unwrap();
    let ours = fs::read(ours.path().join("honeyplant.db")).unwrap();
    // The version of the tables and the kind of file are in the header.
    let with = |at: usize, bytes: [u8; 4]| [&ours[..at], &bytes[..], &ours[at + 4..]].concat();
    assert!(told(&with(60, [0, 0, 0, 9])).contains("a newer honeyplant"));
    assert!(told(&with(68, *b"gpkg")).contains("another program"));
}

#[test]
fn a_query_reads_networks_and_documents_of_many_installs() {
    let state = tempfile::tempdir().unwrap();
    record(state.path(), 1..5);
    let ours = lines(state.path());
    let others: Vec<String> = ours.iter().map(|line| line.replace("0123abcd-", "feedbeef-")).collect();
    let mut database = Database::memory().unwrap();
    for batch in [&ours, &others, &ours] {
        assert_eq!(database.add(batch.iter().map(String::as_str)).unwrap(), 0);
    }
    assert_eq!(database.add(["", "{}"]).unwrap(), 2);
    assert_eq!(number(&database, "SELECT count(*) FROM events WHERE within(source, '127.0.0.0/8')"), 96);
    assert_eq!(number(&database, "SELECT count(*) FROM events WHERE within(source, '10.0.0.0/8')"), 0);
    assert_eq!(number(&database, "SELECT sum(events) FROM sessions"), 96);
    assert!(database.rows("SELECT within(source, 'x') FROM events", &[], |row| row.get::<_, i64>(0)).is_err());
}
