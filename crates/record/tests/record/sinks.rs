//! What every sink is promised, held against each kind in the list: nothing is lost and nothing reordered, though it
//! fails, hangs, breaks, comes back, and the program starts again in the middle.

use crate::site::{SOON, build, entries, open, read, session};
use honeyplant_core::settings::Settings;
use honeyplant_record::{
    Journal, Notice,
    sink::{Entry, SINKS, Sink, SinkError, SinkKind, Start},
};
use std::{
    fs,
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

/// A sink of the list behind a bad line.
struct Bad {
    sink: Box<dyn Sink>,
    /// What comes of the next deliveries; all is well once this is closed.
    fates: Receiver<Fate>,
    /// What the sink took, or a refusal.
    taken: Sender<Option<Vec<u64>>>,
}

enum Fate {
    Delivered,
    Refused,
    /// It was delivered, but the answer that it was is lost.
    Unsure,
    /// It waits for another fate.
    Hang,
    Panic,
}

impl Sink for Bad {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let mut fate = self.fates.recv().unwrap_or(Fate::Delivered);
        while let Fate::Hang = fate {
            fate = self.fates.recv().unwrap_or(Fate::Delivered);
        }
        if matches!(fate, Fate::Delivered | Fate::Unsure) {
            self.sink.deliver(batch)?;
            let _ = self.taken.send(Some(batch.iter().map(|entry| entry.sequence).collect()));
        }
        match fate {
            Fate::Delivered | Fate::Hang => Ok(()),
            Fate::Panic => panic!("as the test wants it"),
            Fate::Refused | Fate::Unsure => {
                let _ = self.taken.send(None);
                Err(SinkError("the line is bad".into()))
            }
        }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        self.sink.probe()
    }
}

struct Line {
    journal: Journal,
    fates: Sender<Fate>,
    taken: Receiver<Option<Vec<u64>>>,
    told: Receiver<Notice>,
}

fn connect(kind: &dyn SinkKind, state: &Path) -> Line {
    let (journal, _, told) = open(state);
    let ((fates, fate), (take, taken)) = (channel(), channel());
    let sink = build(kind, &Settings::empty(kind.name()), state).unwrap();
    journal.follow(kind.name(), kind.start(), Box::new(Bad { sink, fates: fate, taken: take })).unwrap();
    Line { journal, fates, taken, told }
}

fn record(journal: &Journal, numbers: std::ops::Range<u32>) {
    let session = session(1);
    for start in numbers.clone().step_by(100) {
        journal.record(&mut (start..(start + 100).min(numbers.end)).map(|n| read(&session, n)).collect());
        journal.settle();
    }
}

/// Every sequence once and in order, but for what came again after a failure.
fn assert_in_order(taken: &[Option<Vec<u64>>], mut next: u64) -> u64 {
    let mut failed = false;
    for batch in taken {
        let Some(batch) = batch else {
            failed = true;
            continue;
        };
        let first = batch[0];
        assert!(first == next || (failed && first < next), "{first} after {next}");
        assert!(batch.windows(2).all(|pair| pair[1] == pair[0] + 1) && batch.len() <= 512);
        (next, failed) = (batch[batch.len() - 1] + 1, false);
    }
    next
}

/// Sinks that deliver to nobody else. `tests/test_sinks.py` holds all others to the same, with the servers that they
/// deliver to.
const LOCAL: &[&str] = &["console", "json-lines", "pcap", "sqlite", "stix"];

#[test]
fn every_example_is_a_sink() {
    let state = tempfile::tempdir().unwrap();
    for kind in SINKS {
        let built = build(*kind, &Settings::parse(kind.example()).unwrap(), state.path());
        assert!(built.is_ok(), "{}: {:?}", kind.name(), built.err());
    }
}

#[test]
fn nothing_is_lost_and_nothing_reordered() {
    for kind in SINKS.iter().filter(|kind| LOCAL.contains(&kind.name())) {
        let state = tempfile::tempdir().unwrap();
        let line = connect(*kind, state.path());
        for fate in [Fate::Refused, Fate::Delivered, Fate::Panic, Fate::Unsure, Fate::Delivered, Fate::Hang] {
            line.fates.send(fate).unwrap();
        }
        record(&line.journal, 0..1100);
        let failing = line.told.recv_timeout(SOON).unwrap();
        assert!(
            failing.to_string().contains(kind.name()) && failing.to_string().contains("the line is bad"),
            "{failing}"
        );
        assert_eq!(line.told.recv_timeout(SOON).unwrap(), Notice::SinkWorking { sink: kind.name().into() });
        // It hangs; meanwhile recording goes on, and the program ends without it.
        record(&line.journal, 1100..1200);
        let mut taken = Vec::new();
        while taken.iter().filter(|batch: &&Option<Vec<u64>>| batch.is_some()).count() < 3 {
            taken.push(line.taken.recv_timeout(SOON).unwrap());
        }
        let behind = line.journal.finish(Duration::from_secs(1)).unwrap();
        assert!(behind.len() == 1 && behind[0].events > 0, "{behind:?}");
        let reached = assert_in_order(&taken, 1);

        let again = connect(*kind, state.path());
        drop(again.fates);
        record(&again.journal, 1200..1300);
        assert!(again.journal.finish(SOON).unwrap().is_empty());
        let first = if kind.start() == Start::Now { 1201 } else { reached };
        let taken: Vec<_> = again.taken.try_iter().collect();
        assert_eq!(assert_in_order(&taken, first), 1301, "{}", kind.name());
        // The thread of the first run, which still hangs, ends with this.
        drop(line.fates);
    }
}

#[test]
fn a_json_lines_file_is_the_journal_however_often_the_program_starts() {
    let state = tempfile::tempdir().unwrap();
    let kind = SINKS.iter().find(|kind| kind.name() == "json-lines").unwrap();
    for run in 0..4 {
        let (journal, ..) = open(state.path());
        let sink = build(*kind, &Settings::empty(kind.name()), state.path()).unwrap();
        journal.follow("file", kind.start(), sink).unwrap();
        record(&journal, run * 700..(run + 1) * 700);
        assert!(journal.finish(SOON).unwrap().is_empty());
    }
    let file = fs::read_to_string(state.path().join("events.jsonl")).unwrap();
    let journal: String = entries(state.path()).into_iter().map(|entry| entry.line + "\n").collect();
    assert_eq!(file, journal);
}

#[test]
fn a_cursor_of_another_journal_is_told_and_begins_anew() {
    let state = tempfile::tempdir().unwrap();
    fs::create_dir(state.path().join("sinks")).unwrap();
    fs::write(state.path().join("sinks/json-lines.cursor"), "900\n").unwrap();
    let line = connect(*SINKS.iter().find(|kind| kind.name() == "json-lines").unwrap(), state.path());
    assert_eq!(line.told.recv_timeout(SOON).unwrap(), Notice::Rewound { sink: "json-lines".into() });
    drop(line.fates);
    record(&line.journal, 0..3);
    line.journal.finish(SOON).unwrap();
    assert_eq!(assert_in_order(&line.taken.try_iter().collect::<Vec<_>>(), 1), 4);
}

#[test]
fn a_wrong_setting_names_its_key() {
    let text = "path = '/'\n";
    let kind = SINKS.iter().find(|kind| kind.name() == "json-lines").unwrap();
    let problems = build(*kind, &Settings::parse(text).unwrap(), Path::new("/tmp")).err().unwrap();
    assert!(problems[0].key.ends_with("path"), "{problems:?}");
}
