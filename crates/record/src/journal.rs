//! The journal as the rest of the program holds it: record, ask whether it is full, have sinks follow, end. Apart,
//! because what lies behind it are threads and files that nobody else need know of.

use crate::{
    compose::{Composer, Observer},
    fold::Folds,
    follow::{Behind, Cursor, Follower, Need, Needs, Standing},
    meaning::Meaning,
    notice::{Notice, Notices},
    pulse::Pulse,
    reader::Reader,
    repair::{Mended, repair},
    segment::Segments,
    settings::JournalSettings,
    shelf::Shelf,
    sidecar::{self, Sidecar},
    sink::{Sink, Start},
    writer::{BEAT, Condition, Desk, Writer},
};
use honeyplant_core::event::Event;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64, atomic::Ordering},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

/// How long a journal that is dropped instead of ended still tries to write.
const DROPPED: Duration = Duration::from_secs(1);

/// Where everything is recorded first. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: PathBuf,
    shelf: Arc<Shelf>,
    pulse: Arc<Pulse>,
    needs: Arc<Needs>,
    notices: Notices,
    threads: Mutex<Threads>,
}

#[derive(Debug, Default)]
struct Threads {
    writer: Option<JoinHandle<io::Result<()>>>,
    followers: Vec<(Arc<Need>, JoinHandle<()>)>,
}

impl Journal {
    /// Opens the journal in the state folder `state`, mending what an earlier run left broken, and starts its writer.
    ///
    /// `meaning` tells where sources are and with what they work. What the operator should know later goes to `notices`, from threads of the record.
    pub fn open(
        state: &Path,
        settings: &JournalSettings,
        observer: Observer,
        meaning: Meaning,
        notices: impl Fn(Notice) + Send + Sync + 'static,
    ) -> io::Result<(Self, Mended)> {
        let repaired = repair(state)?;
        let folder = state.join("journal");
        let mut segments = Segments::resume(&folder, settings, repaired.segments, repaired.next);
        for mut document in repaired.recovered {
            segments.put(|sequence, line| {
                document.place(&observer.install, sequence);
                // Writing into memory does not fail.
                let _ = serde_json::to_writer(line, &document);
            });
        }
        segments.write(SystemTime::now())?;
        sidecar::clear(&folder)?;
        let notices = Notices::new(notices);
        let (shelf, pulse, needs) = (Arc::<Shelf>::default(), Arc::<Pulse>::default(), Arc::<Needs>::default());
        pulse.change(|beat| beat.next = segments.next());
        let desk = Desk {
            composer: Composer::new(observer),
            meaning,
            segments,
            shelf: shelf.clone(),
            pulse: pulse.clone(),
            needs: needs.clone(),
            notices: notices.clone(),
            fsync: settings.sync,
            state: Condition::new(),
        };
        let writer = Writer { folds: Folds::default(), sidecar: Sidecar::new(&folder), desk };
        let writer = thread::Builder::new().name("journal".into()).spawn(|| writer.run())?;
        let threads = Mutex::new(Threads { writer: Some(writer), followers: Vec::new() });
        let state = state.to_owned();
        Ok((Self(Arc::new(Inner { state, shelf, pulse, needs, notices, threads })), repaired.mended))
    }

    /// Records a batch, leaving it empty. Never waits but for a lock, and never drops: who records asks
    /// [`Journal::is_full`] before it reads more from a peer.
    pub fn record(&self, batch: &mut Vec<Event>) {
        self.0.shelf.push(batch);
    }

    /// Whether nothing more should be read from peers, for now: the disk or a sink cannot keep up.
    pub fn is_full(&self) -> bool {
        self.0.shelf.is_full()
    }

    /// Waits until all that has been recorded before is in the files, be it folded.
    pub fn settle(&self) {
        let asked = self.0.shelf.ask();
        self.0.pulse.wait(|beat| beat.settled >= asked || beat.ended);
    }

    /// The sequence of the event that will be written next.
    pub fn next(&self) -> u64 {
        self.0.pulse.now().next
    }

    /// Has `sink` follow the journal on a thread of its own, from where the sink called `name` last got to; a new one
    /// starts at `start`. To be called before anything is recorded, lest what the sink needs is deleted.
    pub fn follow(&self, name: &str, start: Start, mut sink: Box<dyn Sink>) -> io::Result<()> {
        let inner = &*self.0;
        let end = inner.pulse.now().next;
        let (cursor, mut next) = match start {
            Start::Now => (None, end),
            Start::Beginning => {
                let cursor = Cursor::open(&inner.state, name)?;
                let next = cursor.read()?.unwrap_or_default();
                (Some(cursor), next)
            }
        };
        if next > end {
            inner.notices.tell(Notice::Rewound { sink: name.to_owned() });
            next = 0;
        }
        let need = Arc::new(Need { sink: name.to_owned(), start, next: AtomicU64::new(next) });
        inner.needs.add(need.clone());
        sink.attend(Standing { pulse: inner.pulse.clone(), needs: inner.needs.clone() });
        let follower = Follower {
            sink,
            reader: Reader::open(&inner.state, next),
            cursor,
            need: need.clone(),
            pulse: inner.pulse.clone(),
            notices: inner.notices.clone(),
        };
        let thread = thread::Builder::new().name(format!("sink {name}")).spawn(|| follower.run())?;
        inner.threads().followers.push((need, thread));
        Ok(())
    }

    /// Ends the journal once nobody records any more: all that was recorded is written, and the sinks are given what
    /// they have yet to get, for as long as `within`. Tells which of them are behind.
    ///
    /// The error is that the journal could not be written until then, or that it had ended before.
    pub fn finish(&self, within: Duration) -> io::Result<Vec<Behind>> {
        let by = Instant::now() + within;
        self.0.shelf.close(by);
        self.0.pulse.change(|beat| beat.by = Some(by));
        let threads = std::mem::take(&mut *self.0.threads());
        let writer = threads.writer.ok_or_else(|| io::Error::other("the journal has ended already"))?;
        let written = if ends(&writer, by) {
            writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer of the journal broke")))
        } else {
            Err(io::Error::new(io::ErrorKind::TimedOut, "the disk did not answer in time"))
        };
        let mut behind = Vec::new();
        for (need, thread) in threads.followers {
            ends(&thread, by);
            let end = self.0.pulse.now().next;
            let events = end.saturating_sub(need.next.load(Ordering::Acquire).max(1));
            if events > 0 {
                behind.push(Behind { sink: need.sink.clone(), events });
            }
        }
        written.map(|()| behind)
    }
}

impl Inner {
    fn threads(&self) -> std::sync::MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let by = Instant::now() + DROPPED;
        self.shelf.close(by);
        self.pulse.change(|beat| beat.by = beat.by.or(Some(by)));
    }
}

/// Waits for a thread to end, until shortly after `by`.
fn ends<T>(thread: &JoinHandle<T>, by: Instant) -> bool {
    while !thread.is_finished() {
        if Instant::now() > by + 10 * BEAT {
            return false;
        }
        thread::sleep(BEAT / 5);
    }
    true
}
