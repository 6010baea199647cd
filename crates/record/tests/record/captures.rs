//! Packet captures, however a batch ends: what is delivered again is there once, and what a crash left is mended.

use crate::site::{access, build, closed, entries, event, every_kind, open, operation, read, session};
use honeyplant_core::{
    event::{Change, Kind, Octets, Values, Verdict},
    settings::Settings,
};
use honeyplant_record::sink::{Entry, SINKS, Sink};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

fn sink(state: &Path, settings: &str) -> Box<dyn Sink> {
    let kind = SINKS.iter().find(|kind| kind.name() == "pcap").unwrap();
    build(*kind, &Settings::parse(settings).unwrap(), state).unwrap()
}

/// The lines of a journal in which three sessions speak at once.
fn lines(state: &Path) -> Vec<Entry> {
    let (journal, ..) = open(state);
    let sessions = [session(1), session(2), session(3)];
    let mut at = SystemTime::now();
    let mut batch: Vec<_> = sessions.iter().map(|session| event(Some(session), Kind::Opened)).collect();
    for number in 0..40 {
        for session in &sessions {
            at += Duration::from_millis(7);
            let change = || Change { before: Values::None, after: Values::Bits([true].into_iter().collect()) };
            let mut first = read(session, number);
            let mut second =
                event(Some(session), Kind::Write(operation(Verdict::Done), access(session, number), change()));
            // Two events of one message.
            for event in [&mut first, &mut second] {
                event.at = at;
                event.request = Octets::from_slice(&number.to_be_bytes());
                event.reply = Octets::from_vec(vec![7; 100 * number as usize]);
            }
            batch.extend([first, second]);
        }
    }
    batch.extend(sessions.iter().map(closed));
    journal.record(&mut batch);
    journal.finish(crate::site::SOON).unwrap();
    entries(state)
}

/// Every file below the folder, with its bytes.
fn files(state: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for day in fs::read_dir(state.join("captures")).into_iter().flatten() {
        for file in fs::read_dir(day.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            files.push((path.strip_prefix(state).unwrap().to_owned(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn what_is_delivered_again_is_there_once_wherever_a_crash_was() {
    for settings in ["", "files = 'rolling'\n"] {
        let source = tempfile::tempdir().unwrap();
        let lines = lines(source.path());
        let whole = tempfile::tempdir().unwrap();
        sink(whole.path(), settings).deliver(&lines).unwrap();
        let expected = files(whole.path());
        assert_eq!(expected.len(), if settings.is_empty() { 3 } else { 1 });
        // Killed after any number of lines, with any part of the last in the files; the cursor is somewhere before.
        for (step, cut) in (1..lines.len()).step_by(23).zip([0, 1, 17, 90, 130, 4000].into_iter().cycle()) {
            let state = tempfile::tempdir().unwrap();
            let mut first = sink(state.path(), settings);
            first.deliver(&lines[..step / 2]).unwrap();
            first.deliver(&lines[step / 2..step]).unwrap();
            drop(first);
            for (path, bytes) in files(state.path()) {
                let torn = fs::File::options().write(true).open(state.path().join(path)).unwrap();
                torn.set_len((bytes.len() as u64).saturating_sub(cut)).unwrap();
            }
            // What a torn file lacks comes again only if it was not delivered.
            let again = if cut == 0 { step / 2 } else { 0 };
            sink(state.path(), settings).deliver(&lines[again..]).unwrap();
            let found = files(state.path());
            assert_eq!(found.len(), expected.len());
            for ((_, found), (path, expected)) in found.iter().zip(&expected) {
                // A comment that waited for a packet when it was killed may be told again.
                assert!(found.len() >= expected.len(), "{} {step} {cut}", path.display());
                let count = |bytes: &[u8]| bytes.windows(6).filter(|six| *six == [6, 0, 0, 0, 0, 0]).count();
                assert!(count(found).abs_diff(count(expected)) <= 1, "{} {step} {cut}", path.display());
            }
        }
    }
}

#[test]
fn an_error_in_the_middle_leaves_nothing_behind() {
    let state = tempfile::tempdir().unwrap();
    let lines = lines(&state.path().join("journal-of"));
    let (early, late) = lines.split_at(30);
    let mut sink = sink(state.path(), "");
    sink.deliver(early).unwrap();
    let before = files(state.path());
    // The folder of the day is not there.
    let day = state.path().join(before[0].0.parent().unwrap());
    let aside = state.path().join("aside");
    fs::rename(&day, &aside).unwrap();
    fs::write(&day, "in the way").unwrap();
    let error = sink.deliver(late).unwrap_err();
    assert!(error.0.contains("captures"), "{error}");
    fs::remove_file(&day).unwrap();
    fs::rename(&aside, &day).unwrap();
    assert_eq!(files(state.path()), before);
    sink.deliver(late).unwrap();
    let whole = tempfile::tempdir().unwrap();
    self::sink(whole.path(), "").deliver(&lines).unwrap();
    let lengths = |state: &Path| files(state).into_iter().map(|(_, bytes)| bytes.len()).collect::<Vec<_>>();
    assert_eq!(lengths(state.path()).len(), lengths(whole.path()).len());
}

#[test]
fn full_files_are_followed_by_others_and_the_oldest_go() {
    let source = tempfile::tempdir().unwrap();
    let lines = lines(source.path());
    let state = tempfile::tempdir().unwrap();
    let mut sink = sink(state.path(), "keep = 2\nkeep-size = '64MiB'\n");
    fs::create_dir_all(state.path().join("captures/notes")).unwrap();
    fs::write(state.path().join("captures/notes/mine.pcapng"), "mine").unwrap();
    for line in lines.chunks(10) {
        sink.deliver(line).unwrap();
    }
    drop(sink);
    let mut later = self::sink(state.path(), "keep = 2\n");
    later.deliver(&[]).unwrap();
    let kept = files(state.path());
    assert_eq!(kept.iter().filter(|(path, _)| path.to_str().unwrap().contains("modbus")).count(), 2);
    assert!(state.path().join("captures/notes/mine.pcapng").exists());
}

#[test]
fn every_kind_of_event_is_taken() {
    let state = tempfile::tempdir().unwrap();
    let (journal, ..) = open(state.path());
    journal.record(&mut every_kind());
    journal.finish(crate::site::SOON).unwrap();
    let mut lines = entries(state.path());
    lines.push(Entry { sequence: lines.len() as u64 + 1, line: "no event".into() });
    let mut sink = sink(state.path(), "");
    sink.deliver(&lines).unwrap();
    assert!(sink.probe().unwrap().contains("1 captures"));
    assert_eq!(files(state.path()).len(), 1);
}
