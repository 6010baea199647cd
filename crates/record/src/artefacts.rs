//! What actors left, kept: a file for each artefact, named by its SHA-256, and beside it who left it first. Apart from the
//! journal, because bytes of any size must not hold up the record of what happened.

use crate::stamp::{SessionId, Stamp};
use honeyplant_core::{
    artefact::{Artefact, Digest},
    event::{Event, Kind, Octets, Session},
    settings::Size,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashSet, VecDeque},
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::SystemTime,
};

/// While more than this waits to be written, peers wait, too.
const WAITING: usize = 64 << 20;

/// The `[artefacts]` table of a site: how much is kept of what actors leave. It lies in `artefacts` in the state folder,
/// readable for the owner only, and can never be executed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ArtefactSettings {
    /// How much in all. What comes after is not kept, but recorded with its SHA-256.
    pub size: Size,
    /// How much of one.
    pub each: Size,
    /// How many.
    pub count: usize,
}

impl Default for ArtefactSettings {
    fn default() -> Self {
        Self { size: Size(1 << 30), each: Size(64 << 20), count: 100_000 }
    }
}

/// Where artefacts are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Artefacts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: Mutex<Queue>,
    bell: Condvar,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Left>,
    bytes: usize,
    closed: bool,
}

#[derive(Debug)]
struct Left {
    artefact: Artefact,
    session: Arc<Session>,
    at: SystemTime,
}

/// What stands beside an artefact: where it came from first. Every time is in the journal.
#[derive(Debug, Serialize)]
struct Origin<'a> {
    sha256: String,
    size: usize,
    first_seen: Stamp,
    session: SessionId,
    device: &'a str,
    protocol: &'a str,
    source: String,
}

impl Artefacts {
    /// Opens the store in the state folder `state`, and starts its thread. What is not kept is told to `discarded`.
    pub fn open(
        state: &Path,
        settings: &ArtefactSettings,
        discarded: impl Fn(Event) + Send + 'static,
    ) -> io::Result<Self> {
        let mut store = Store::open(state.join("artefacts"), settings.clone())?;
        let inner = Arc::new(Inner { queue: Mutex::default(), bell: Condvar::new(), keeper: Mutex::new(None) });
        let told = inner.clone();
        let keeper = thread::Builder::new().name("artefacts".into()).spawn(move || {
            while let Some(left) = told.next() {
                if let Err(why) = store.keep(&left) {
                    let (digest, size) = (left.artefact.digest(), left.artefact.bytes().len() as u64);
                    let kind = Kind::Discarded { digest, size, why };
                    let (session, request, reply) = (Some(left.session), Octets::new(), Octets::new());
                    discarded(Event { at: SystemTime::now(), session, kind, request, reply });
                }
            }
        })?;
        *lock(&inner.keeper) = Some(keeper);
        Ok(Self(inner))
    }

    /// Takes what the actor of `session` left. Never waits but for a lock.
    pub fn keep(&self, artefact: Artefact, session: &Arc<Session>) {
        let mut queue = lock(&self.0.queue);
        queue.bytes += artefact.bytes().len();
        queue.waiting.push_back(Left { artefact, session: session.clone(), at: SystemTime::now() });
        self.0.bell.notify_one();
    }

    /// Whether nothing more should be read from peers, for now: the disk cannot keep up.
    pub fn is_full(&self) -> bool {
        lock(&self.0.queue).bytes > WAITING
    }

    /// Ends the store once all that was left is kept.
    pub fn finish(&self) {
        lock(&self.0.queue).closed = true;
        self.0.bell.notify_one();
        let keeper = lock(&self.0.keeper).take();
        // A thread that panicked has nothing more to say.
        let _ = keeper.map(JoinHandle::join);
    }
}

impl Inner {
    fn next(&self) -> Option<Left> {
        let queue = lock(&self.queue);
        let waits = |queue: &mut Queue| queue.waiting.is_empty() && !queue.closed;
        let mut queue = self.bell.wait_while(queue, waits).unwrap_or_else(PoisonError::into_inner);
        let left = queue.waiting.pop_front()?;
        queue.bytes -= left.artefact.bytes().len();
        Some(left)
    }
}

/// The files.
struct Store {
    folder: PathBuf,
    settings: ArtefactSettings,
    known: HashSet<Digest>,
    size: u64,
}

impl Store {
    fn open(folder: PathBuf, settings: ArtefactSettings) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let (mut known, mut size) = (HashSet::new(), 0);
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(PART) {
                // An earlier run was killed over it.
                fs::remove_file(entry.path())?;
            } else if let Some(digest) = digest(&name) {
                known.insert(digest);
                size += entry.metadata()?.len();
            }
        }
        Ok(Self { folder, settings, known, size })
    }

    /// Keeps what was left, if it is not known already. The error is why not.
    fn keep(&mut self, left: &Left) -> Result<(), &'static str> {
        let (digest, bytes) = (left.artefact.digest(), left.artefact.bytes());
        let size = bytes.len() as u64;
        if self.known.contains(&digest) {
            return Ok(());
        }
        if size > self.settings.each.0 {
            return Err("it is larger than one artefact may be");
        }
        if self.size + size > self.settings.size.0 || self.known.len() >= self.settings.count {
            return Err("the store of artefacts is full");
        }
        self.write(left).map_err(|_| "the disk did not take it")?;
        self.known.insert(digest);
        self.size += size;
        Ok(())
    }

    fn write(&self, left: &Left) -> io::Result<()> {
        let Left { artefact, session, at } = left;
        let name = artefact.digest().to_string();
        let origin = Origin {
            sha256: name.clone(),
            size: artefact.bytes().len(),
            first_seen: (*at).into(),
            session: SessionId(session.id),
            device: session.device.name(),
            protocol: session.protocol,
            source: session.peer.ip().to_canonical().to_string(),
        };
        // The origin first: an artefact without one would be a riddle.
        self.put(&format!("{name}.json"), &serde_json::to_vec_pretty(&origin)?)?;
        self.put(&name, artefact.bytes())?;
        File::open(&self.folder)?.sync_all()
    }

    /// A file that is there is whole.
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let part = self.folder.join(format!("{name}{PART}"));
        let written =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o400).open(&part).and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            });
        let placed = written.and_then(|()| fs::rename(&part, self.folder.join(name)));
        if placed.is_err() {
            // Of a disk that is full, at least this much is given back.
            let _ = fs::remove_file(&part);
        }
        placed
    }
}

const PART: &str = ".part";

/// The digest that a file is named for.
fn digest(name: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    (name.len() == 64).then_some(())?;
    for (byte, pair) in digest.iter_mut().zip(name.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Digest(digest))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
