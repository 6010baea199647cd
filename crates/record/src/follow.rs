//! A sink's way along the journal: one thread each, with a cursor, attempts and pauses. Apart, because sinks then need
//! know nothing of all that.

use crate::{
    notice::{Notice, Notices},
    pulse::Pulse,
    reader::Reader,
    sink::{Entry, Sink, SinkError, Start},
};
use std::{
    fmt, fs, io, panic,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// By how much sinks give way to all else.
const NICE: i32 = 10;
/// The pauses between attempts to deliver, the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

/// A sink that did not get everything before the end. What is missing comes with the next run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Its name.
    pub sink: String,
    /// How many events it has yet to get.
    pub events: u64,
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sink {} is {} events behind and goes on from there at the next run", self.sink, self.events)
    }
}

/// How far every sink has come.
#[derive(Debug, Default)]
pub(crate) struct Needs(Mutex<Vec<Arc<Need>>>);

/// How far one sink has come.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) sink: String,
    pub(crate) start: Start,
    /// The event that it needs next.
    pub(crate) next: AtomicU64,
}

impl Needs {
    pub(crate) fn add(&self, need: Arc<Need>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(need);
    }

    /// The first event that some sink still needs, and which sink. What starts from now on needs nothing kept.
    pub(crate) fn first(&self) -> (u64, String) {
        let needs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        needs
            .iter()
            .filter(|need| need.start == Start::Beginning)
            .min_by_key(|need| need.next.load(Ordering::Acquire))
            .map_or((u64::MAX, String::new()), |need| (need.next.load(Ordering::Acquire), need.sink.clone()))
    }
}

/// Where the journal and all of its sinks are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Standing {
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) needs: Arc<Needs>,
}

impl Standing {
    /// The sequence of the event that will be written next.
    pub fn next(&self) -> u64 {
        self.pulse.now().next
    }

    /// Every sink with the sequence of the event that it needs next.
    pub fn sinks(&self) -> Vec<(String, u64)> {
        let needs = self.needs.0.lock().unwrap_or_else(PoisonError::into_inner);
        needs.iter().map(|need| (need.sink.clone(), need.next.load(Ordering::Acquire).max(1))).collect()
    }
}

/// Carries the journal to one sink.
pub(crate) struct Follower {
    pub(crate) sink: Box<dyn Sink>,
    pub(crate) reader: Reader,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) need: Arc<Need>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) notices: Notices,
}

impl Follower {
    /// Delivers until the journal has ended and all was delivered, or until it is too late to go on.
    pub(crate) fn run(mut self) {
        // Sinks can catch up later; whoever is served cannot. Of Linux's threads, each has a priority of its own.
        let _ = rustix::process::nice(NICE);
        let mut batch = Vec::new();
        let pace = self.sink.pace();
        loop {
            let beat = self.pulse.wait(|beat| beat.next > self.reader.next().max(1) || beat.ended);
            let there = usize::try_from(beat.next.saturating_sub(self.reader.next())).unwrap_or(usize::MAX);
            if there == 0 || beat.is_over() {
                return;
            }
            batch.clear();
            let reader = &mut self.reader;
            let most = there.min(pace.most);
            if !attempt(&self.need.sink, &self.pulse, &self.notices, || {
                let read = reader.read(&mut batch, most);
                // What was read before the error is not read again.
                if batch.is_empty() { read } else { Ok(()) }
            }) {
                return;
            }
            if let Some(gap) = self.reader.gap() {
                self.notices.tell(Notice::Missed { sink: self.need.sink.clone(), gap });
            }
            if batch.is_empty() {
                if beat.ended {
                    return;
                }
                // What was deleted beneath it leaves nothing to read before the next beat.
                self.pulse.pause(PAUSES.0);
                continue;
            }
            let sink = &mut self.sink;
            if !attempt(&self.need.sink, &self.pulse, &self.notices, || deliver(&mut **sink, &batch)) {
                return;
            }
            let (cursor, next) = (&self.cursor, self.reader.next());
            if !attempt(&self.need.sink, &self.pulse, &self.notices, || {
                cursor.as_ref().map_or(Ok(()), |cursor| cursor.keep(next))
            }) {
                return;
            }
            self.need.next.store(next, Ordering::Release);
            if batch.len() >= there && !pace.every.is_zero() {
                self.pulse.pause(pace.every);
            }
        }
    }
}

/// A sink that breaks is one that fails: the journal must not wait for ever for a thread that is gone.
fn deliver(sink: &mut dyn Sink, batch: &[Entry]) -> Result<(), SinkError> {
    let delivered = panic::catch_unwind(panic::AssertUnwindSafe(|| sink.deliver(batch)));
    delivered.unwrap_or_else(|_| Err(SinkError("it broke, which is a fault of honeyplant".into())))
}

/// Tries until it succeeds; false when it is too late for another attempt.
fn attempt<E: fmt::Display>(
    sink: &str,
    pulse: &Pulse,
    notices: &Notices,
    mut what: impl FnMut() -> Result<(), E>,
) -> bool {
    let (mut pause, mut failed) = (PAUSES.0, false);
    while let Err(error) = what() {
        if !failed {
            failed = true;
            notices.tell(Notice::SinkFailing { sink: sink.to_owned(), why: error.to_string() });
        }
        if pulse.pause(pause).is_over() {
            return false;
        }
        pause = (pause * 2).min(PAUSES.1);
    }
    if failed {
        notices.tell(Notice::SinkWorking { sink: sink.to_owned() });
    }
    true
}

/// The file that tells how far a sink has come.
#[derive(Clone, Debug)]
pub(crate) struct Cursor(PathBuf);

impl Cursor {
    /// That of the sink called `name`. Its folder is made.
    pub(crate) fn open(state: &Path, name: &str) -> io::Result<Self> {
        let folder = state.join("sinks");
        fs::create_dir_all(&folder)?;
        Ok(Self(folder.join(format!("{name}.cursor"))))
    }

    /// The event that the sink needs next; none if it is new.
    pub(crate) fn read(&self) -> io::Result<Option<u64>> {
        match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            text => text?.trim().parse().map(Some).map_err(|_| {
                let why = format!("{} is not the number of an event; delete it to start anew", self.0.display());
                io::Error::new(io::ErrorKind::InvalidData, why)
            }),
        }
    }

    fn keep(&self, next: u64) -> io::Result<()> {
        let new = self.0.with_extension("new");
        fs::write(&new, format!("{next}\n"))?;
        fs::rename(&new, &self.0)
    }
}
