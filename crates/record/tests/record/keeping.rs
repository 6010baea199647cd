//! What is kept, what is folded, and what is deleted.

use crate::site::{SOON, assert_whole, closed, documents, event, open, open_with, read, session};
use honeyplant_core::{
    event::{Event, Kind, Octets},
    settings::Size,
};
use honeyplant_record::{
    Journal, JournalSettings, Notice, Reader,
    sink::{Entry, Sink, SinkError, Start},
};
use std::{
    fs,
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

fn small() -> JournalSettings {
    JournalSettings { segment_size: Size(16 << 10), keep_size: Size(64 << 10), ..JournalSettings::default() }
}

fn size(state: &Path) -> u64 {
    let folder = fs::read_dir(state.join("journal")).unwrap().map(|entry| entry.unwrap());
    folder
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "jsonl"))
        .map(|e| e.metadata().unwrap().len())
        .sum()
}

fn record(journal: &Journal, numbers: std::ops::Range<u32>) {
    let session = session(1);
    for number in numbers {
        journal.record(&mut vec![read(&session, number)]);
        if number.is_multiple_of(20) {
            journal.settle();
        }
    }
    journal.settle();
}

#[test]
fn the_oldest_segments_go_and_the_rest_reads_on() {
    let state = tempfile::tempdir().unwrap();
    let (journal, ..) = open_with(state.path(), &small());
    let mut behind = Reader::open(state.path(), 1);
    record(&journal, 0..10);
    behind.read(&mut Vec::new(), 5).unwrap();
    record(&journal, 10..600);
    // Old segments are looked for now and then, not with every line.
    while size(state.path()) > 64 << 10 {
        thread::sleep(Duration::from_millis(60));
        journal.settle();
    }
    journal.finish(SOON).unwrap();
    let kept = documents(state.path());
    assert!(kept.len() > 20 && kept.len() < 300, "{}", kept.len());
    assert_eq!(kept.last().unwrap().event.sequence, 600);
    assert!(kept.windows(2).all(|pair| pair[1].event.sequence == pair[0].event.sequence + 1));
    let mut rest = Vec::new();
    behind.read(&mut rest, usize::MAX).unwrap();
    let gap = behind.gap().unwrap();
    assert_eq!(gap.to + 1, kept[0].event.sequence, "a reader that came too late is told what it missed");
    assert_eq!(rest.last().unwrap().sequence, 600);
}

/// Takes a batch each time it is told to.
struct Slow(Receiver<()>, Sender<u64>);

impl Sink for Slow {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        self.0.recv().map_err(|_| SinkError("nobody says when".into()))?;
        batch.iter().try_for_each(|entry| self.1.send(entry.sequence)).map_err(|_| SinkError("nobody listens".into()))
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        Ok("slow".into())
    }
}

#[test]
fn nothing_is_deleted_that_a_sink_still_needs() {
    let state = tempfile::tempdir().unwrap();
    let (journal, _, told) = open_with(state.path(), &small());
    let ((say, when), (send, taken)) = (channel(), channel());
    journal.follow("slow", Start::Beginning, Box::new(Slow(when, send))).unwrap();
    record(&journal, 0..600);
    assert_eq!(told.recv_timeout(SOON).unwrap(), Notice::Full { sink: "slow".into() });
    assert!(journal.is_full(), "nothing more is to be read from peers");
    // What is recorded all the same is not dropped.
    record(&journal, 600..610);
    (0..700).for_each(|_| say.send(()).unwrap());
    for sequence in 1..=610 {
        assert_eq!(taken.recv_timeout(SOON).unwrap(), sequence);
    }
    assert_eq!(told.recv_timeout(SOON).unwrap(), Notice::Room);
    assert!(!journal.is_full());
    assert!(size(state.path()) <= 64 << 10);
    assert!(journal.finish(SOON).unwrap().is_empty());
}

#[test]
fn a_segment_goes_on_where_the_last_run_left_it() {
    let state = tempfile::tempdir().unwrap();
    for run in 0..5 {
        let (journal, mended, _) =
            open_with(state.path(), &JournalSettings { segment_size: Size(16 << 10), ..small() });
        assert!(mended.is_empty(), "{mended}");
        assert_eq!(journal.next(), run * 11 + 1);
        record(&journal, 0..10);
        journal.record(&mut vec![event(None, Kind::Stopped)]);
        journal.finish(SOON).unwrap();
    }
    let documents = documents(state.path());
    assert_whole(&documents);
    assert_eq!(documents.len(), 55);
}

fn folded(events: Vec<Event>) -> Vec<(String, u64)> {
    let state = tempfile::tempdir().unwrap();
    let (journal, ..) = open(state.path());
    let mut events = events;
    journal.record(&mut events);
    journal.finish(SOON).unwrap();
    let documents = documents(state.path());
    assert_whole(&documents);
    let repeated = |document: &honeyplant_record::document::Document<'_>| document.honeyplant.repeated.unwrap_or(1);
    documents.iter().map(|document| (document.event.action.to_string(), repeated(document))).collect()
}

#[test]
fn equal_events_fold_and_order_holds() {
    let (one, two) = (session(1), session(2));
    let mut events = vec![event(Some(&one), Kind::Opened)];
    events.extend((0..1000).map(|_| read(&one, 1)));
    events.push(read(&two, 1));
    events.extend((0..500).map(|_| read(&one, 2)));
    events.push(closed(&one));
    let at = |action: &str, count| (action.to_owned(), count);
    let expected = [
        at("opened", 1),
        at("read", 1),
        at("read", 1),
        at("read", 999),
        at("read", 1),
        at("read", 499),
        at("closed", 1),
    ];
    assert_eq!(folded(events), expected);
}

#[test]
fn what_is_not_decoded_folds_only_if_its_bytes_are_equal() {
    let session = session(1);
    let message = |byte: u8| {
        let mut event = event(Some(&session), Kind::Exchange);
        event.request = Octets::from_slice(&[byte]);
        event
    };
    let counts: Vec<u64> = folded([1, 1, 1, 2, 3, 3, 3].map(message).to_vec()).into_iter().map(|(_, n)| n).collect();
    assert_eq!(counts, [1, 2, 1, 1, 2]);
}

#[test]
fn a_slow_poller_is_not_folded() {
    let session = session(1);
    let state = tempfile::tempdir().unwrap();
    let (journal, ..) = open(state.path());
    for _ in 0..2 {
        journal.record(&mut vec![read(&session, 1)]);
        journal.settle();
        assert!(documents(state.path()).iter().all(|document| document.honeyplant.repeated.is_none()));
        thread::sleep(Duration::from_millis(1100));
    }
    assert_eq!(documents(state.path()).len(), 2);
    // What is held is written when its second is over, though nothing else happens.
    journal.record(&mut vec![read(&session, 2), read(&session, 2), read(&session, 2)]);
    while documents(state.path()).len() < 4 {
        thread::sleep(Duration::from_millis(20));
    }
    let last = documents(state.path()).pop().unwrap();
    assert_eq!(last.honeyplant.repeated, Some(2));
    assert!(last.message.ends_with(" (2 times)"), "{}", last.message);
    assert!(last.event.start <= last.event.end && last.event.start == Some(last.timestamp));
    journal.finish(SOON).unwrap();
}

#[test]
fn settings_are_read_as_operators_write_them() {
    let text = "segment-size = '1MiB'\nkeep-size = '2GiB'\nkeep-age = '30d'\nsync = 'beat'";
    let settings: JournalSettings = honeyplant_core::settings::Settings::parse(text).unwrap().read().unwrap();
    assert_eq!((settings.segment_size, settings.keep_size), (Size(1 << 20), Size(2 << 30)));
    assert_eq!(settings.keep_age.unwrap().0, Duration::from_secs(30 * 86_400));
    let wrong = honeyplant_core::settings::Settings::parse("sink = 'beat'").unwrap();
    assert!(wrong.read::<JournalSettings>().unwrap_err().message.contains("sink"));
}

#[test]
fn what_is_too_old_goes() {
    let state = tempfile::tempdir().unwrap();
    let (journal, ..) = open_with(state.path(), &small());
    record(&journal, 0..40);
    journal.finish(SOON).unwrap();
    let old = state.path().join("journal/00000000000000000001.jsonl");
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(40 * 86_400);
    fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    let month = honeyplant_core::settings::Period(Duration::from_secs(30 * 86_400));
    let (journal, ..) = open_with(state.path(), &JournalSettings { keep_age: Some(month), ..small() });
    record(&journal, 40..41);
    journal.finish(SOON).unwrap();
    assert!(!old.exists());
    assert_eq!(documents(state.path()).last().unwrap().event.sequence, 41);
}
