//! What was said, as packet captures. Apart, because captures are made of many events each, and are files of their own
//! kind.

mod capture;
mod exchange;
mod folder;
mod pcapng;
mod stream;

use super::{Entry, Home, Pace, Sink, SinkError, SinkKind};
use crate::document::Stamp;
use capture::{Capture, Signature};
use exchange::{Exchange, Party};
use folder::{Bounds, Folder};
use honeyplant_core::settings::{Period, Problem, Problems, Settings, Size};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::PathBuf,
    time::Duration,
};
use stream::Stream;

/// Writes what actors and devices said to each other as packet captures (pcapng) that Wireshark, tshark, Zeek and
/// Suricata open. Take it to look at attacks with the tools that you know, or to hand them to others.
///
/// The packets are made from the record: addresses, ports, times and what was said are those of the session; headers,
/// handshakes and acknowledgements are made up, so that streams can be followed. The comment of a packet names the event
/// and says what happened (`frame.comment contains "stop"` finds it), and each device is an interface
/// (`frame.interface_name`). What was said inside TLS is shown as it was inside. A session in which nothing was said
/// has no packets, and no file.
///
/// Each event is in the captures once and in the order of its session, also after a crash.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Table {
    /// The folder. A relative path belongs to the state folder.
    folder: PathBuf,
    /// Whether each session has a file of its own, or files have the sessions of everyone.
    files: Files,
    /// At which size the next file is begun.
    rotate: Size,
    /// How many files are kept: the oldest go first.
    keep: usize,
    /// How much is kept in all.
    keep_size: Size,
    /// How long files are kept. Without it, age deletes nothing.
    keep_age: Option<Period>,
    /// What is taken off the ports of devices. A site whose `port-offset` is 10000 listens on 10502 for Modbus; with the
    /// same number here captures show 502, which Wireshark knows.
    port_offset: u16,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            folder: "captures".into(),
            files: Files::default(),
            rotate: Size(64 << 20),
            keep: 10_000,
            keep_size: Size(1 << 30),
            keep_age: None,
            port_offset: 0,
        }
    }
}

/// Who is in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Files {
    /// One session: `2026-11-22/034600-192.0.2.1-modbus-00000000000000ff.pcapng`.
    #[default]
    Session,
    /// Everyone, until the file is full or the day is over: `2026-11-22/034600.pcapng`.
    Rolling,
}

/// A file is no shorter: one batch must not be spread over many.
const SHORTEST: u64 = 1 << 20;
/// How many files are open at once.
const OPEN: usize = 64;
/// How many sessions may wait for somebody to say something.
const WAITING: usize = 4096;

/// The kind `pcap`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "pcap"
    }

    fn example(&self) -> &'static str {
        "folder = \"/var/lib/honeyplant/captures\"\nfiles = \"session\"\nkeep-size = \"4GiB\"\nkeep-age = \"30d\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let mut wrong = |key: &str, what: String, hint: &str| {
            problems.push(Problem::new(settings.key_of(key), what).hint(hint));
        };
        let folder = home.state.join(&table.folder);
        if folder.exists() && !folder.is_dir() {
            wrong("folder", format!("`{}` is a file", table.folder.display()), "name a folder, such as `captures`");
        }
        if table.rotate.0 < SHORTEST {
            wrong("rotate", "files would be too short to be read one by one".into(), "write at least `1MiB`");
        }
        if table.keep == 0 {
            wrong("keep", "no file would be kept".into(), "write how many, such as 10000");
        }
        if table.keep_size.0 < table.rotate.0 {
            let hint = "write a greater `keep-size`, or a smaller `rotate`";
            wrong("keep-size", "it is less than one file may have".into(), hint);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut comment = format!(
            "Made by honeyplant {} from the record of its site {}. Addresses, ports, times and what was said are as they \
             were; headers, handshakes and acknowledgements are made up. What was said inside TLS is shown as it was \
             inside. Equal messages that came within a second are shown once. The comments of packets name their events.",
            home.observer.version, home.observer.site
        );
        if table.port_offset > 0 {
            comment += &format!(" The ports of devices are shown less {}.", table.port_offset);
        }
        let age = table.keep_age.as_ref().map(|age| age.0);
        let bounds = Bounds { files: table.keep, size: table.keep_size.0, age };
        Ok(Box::new(Pcap {
            folder: Folder::new(folder, bounds),
            files: table.files,
            rotate: table.rotate.0,
            offset: table.port_offset,
            signature: Signature { application: format!("honeyplant {}", home.observer.version), comment },
            captures: HashMap::new(),
            full: Vec::new(),
            used: 0,
            waiting: BTreeMap::new(),
            next: 0,
            is_dirty: false,
        }))
    }
}

/// Writes packet captures.
struct Pcap {
    folder: Folder,
    files: Files,
    rotate: u64,
    offset: u16,
    signature: Signature,
    /// The files that are open, and when each was last used: one of each session, or one of all.
    captures: HashMap<Option<u64>, (u64, Capture)>,
    /// Files that became full with this batch.
    full: Vec<Capture>,
    used: u64,
    /// Sessions in which nobody has said anything yet.
    waiting: BTreeMap<u64, Waiting>,
    /// The first event that is not delivered.
    next: u64,
    /// Whether a batch is under way.
    is_dirty: bool,
}

/// A session before the first message.
#[derive(Debug, Default)]
struct Waiting {
    /// When it was opened, in microseconds since 1970.
    opened: Option<u64>,
    notes: Vec<String>,
}

/// What one session said in a batch.
struct Talk {
    party: Party,
    began: Stamp,
    exchanges: Vec<Exchange>,
}

impl Sink for Pcap {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        if self.is_dirty {
            self.undo();
        }
        self.is_dirty = true;
        match self.take(batch) {
            Ok(()) => {
                self.is_dirty = false;
                self.next = batch.last().map_or(self.next, |entry| entry.sequence + 1);
                Ok(())
            }
            Err(error) => {
                self.undo();
                Err(SinkError(format!("captures in {}: {error}", self.folder.root().display())))
            }
        }
    }

    fn pace(&self) -> Pace {
        // What is said in one go is written in one go.
        Pace { most: 2048, every: Duration::from_millis(100) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let root = self.folder.root().to_owned();
        let try_it = || {
            fs::create_dir_all(&root)?;
            tempfile(&root)
        };
        let sum = try_it().and_then(|()| self.folder.sum());
        self.folder.forget();
        let root = root.display();
        match sum {
            Ok((files, size)) => Ok(format!("{root}, {files} captures, {size} bytes")),
            Err(error) => Err(SinkError(format!("{root}: {error}"))),
        }
    }
}

/// Whether files can be made there.
fn tempfile(root: &std::path::Path) -> io::Result<()> {
    let path = root.join(format!(".probe-{}", std::process::id()));
    fs::File::create(&path)?;
    fs::remove_file(path)
}

impl Pcap {
    fn take(&mut self, batch: &[Entry]) -> io::Result<()> {
        self.folder.look()?;
        for talk in self.talks(batch) {
            self.add(talk)?;
        }
        let open = self.captures.values_mut().map(|(_, capture)| capture);
        for capture in open.chain(&mut self.full) {
            capture.write()?;
        }
        let Self { folder, captures, full, .. } = self;
        for capture in captures.values_mut().map(|(_, capture)| capture).chain(full.iter_mut()) {
            capture.keep();
            folder.note(&capture.path, capture.length());
        }
        full.clear();
        let held = |path: &std::path::Path| captures.values().any(|(_, capture)| capture.path == path);
        folder.sweep(Timestamp::now(), held)
    }

    /// What each session said, in order; where files have the sessions of everyone, in the order of all.
    fn talks(&self, batch: &[Entry]) -> Vec<Talk> {
        let (mut talks, mut places) = (Vec::<Talk>::new(), HashMap::new());
        for entry in batch.iter().filter(|entry| entry.sequence >= self.next) {
            // What is no event has no packets.
            let Ok(document) = entry.document() else { continue };
            let Some(party) = Party::of(&document, self.offset) else { continue };
            let mut exchange = Exchange::of(&document, party.session);
            exchange.sequence = entry.sequence;
            let place = match self.files {
                Files::Session => places.get(&party.session).copied(),
                Files::Rolling => talks.len().checked_sub(1),
            };
            let talk = place.and_then(|place| talks.get_mut(place)).filter(|t| t.party.session == party.session);
            let Some(talk) = talk else {
                places.insert(party.session, talks.len());
                talks.push(Talk { party, began: document.timestamp, exchanges: vec![exchange] });
                continue;
            };
            let other = match talk.exchanges.last_mut() {
                Some(last) => last.merge(exchange),
                None => Some(exchange),
            };
            talk.exchanges.extend(other);
        }
        talks
    }

    fn add(&mut self, talk: Talk) -> io::Result<()> {
        let Talk { party, began, exchanges } = talk;
        let session = party.session;
        for exchange in exchanges {
            let speaks = !exchange.is_bare();
            let ends = exchange.ending.is_some();
            if !speaks && !self.has(session) {
                if ends {
                    self.waiting.remove(&session);
                } else {
                    self.wait(session, exchange);
                }
                continue;
            }
            let waiting = self.waiting.remove(&session).unwrap_or_default();
            let opened = waiting.opened.and_then(|at| Timestamp::from_microsecond(i64::try_from(at).ok()?).ok());
            let began = opened.map_or(began, |at| Stamp::from(std::time::SystemTime::from(at)));
            let capture = self.capture(&party, began)?;
            if capture.stream(session).is_none() {
                let stream = Stream::new(session, party.peer, party.device, party.datagrams);
                capture.enter(session, stream.opened(waiting.opened, waiting.notes));
            }
            capture.add(&party, exchange);
        }
        Ok(())
    }

    /// Whether there is a capture of the session.
    fn has(&mut self, session: u64) -> bool {
        match self.files {
            Files::Session => self.folder.of(session).is_some() || self.captures.contains_key(&Some(session)),
            Files::Rolling => {
                self.captures.get_mut(&None).is_some_and(|(_, capture)| capture.stream(session).is_some())
            }
        }
    }

    fn wait(&mut self, session: u64, exchange: Exchange) {
        if self.waiting.len() >= WAITING {
            self.waiting.pop_first();
        }
        let waiting = self.waiting.entry(session).or_default();
        waiting.opened.get_or_insert(exchange.at);
        if waiting.notes.len() < 8 {
            waiting.notes.extend(exchange.comments);
        }
    }

    /// The file that a session is to go on in.
    fn capture(&mut self, party: &Party, began: Stamp) -> io::Result<&mut Capture> {
        let about = (party.peer.ip().to_string(), party.protocol.clone(), party.session);
        let (key, about) = match self.files {
            Files::Session => (Some(party.session), Some((&*about.0, &*about.1, about.2))),
            Files::Rolling => (None, None),
        };
        self.used += 1;
        let known = match key {
            Some(session) => self.folder.of(session),
            None => self.folder.last(),
        };
        let found = match (self.captures.remove(&key), known) {
            (Some((_, capture)), _) => Some(capture),
            (None, Some(name)) => match Capture::open(self.folder.path(name), &self.signature) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                capture => Some(capture?),
            },
            (None, None) => None,
        };
        let capture = match found {
            Some(capture) if capture.is_gone() => self.go_on(capture, began, about)?,
            Some(capture) if capture.length() >= self.rotate || (key.is_none() && !is_of(&capture, began)) => {
                self.go_on(capture, began, about)?
            }
            Some(capture) => capture,
            None => {
                let path = self.folder.path(&self.folder.name(began, about));
                Capture::begin(path, &self.signature, HashMap::new())?
            }
        };
        self.folder.note(&capture.path, capture.length());
        self.make_room()?;
        Ok(&mut self.captures.entry(key).insert_entry((self.used, capture)).into_mut().1)
    }

    /// Begins the file that follows `capture`.
    fn go_on(&mut self, mut capture: Capture, began: Stamp, about: Option<(&str, &str, u64)>) -> io::Result<Capture> {
        let streams = capture.take_streams();
        let path = self.folder.path(&self.folder.name(began, about));
        if !capture.is_gone() {
            self.full.push(capture);
        }
        Capture::begin(path, &self.signature, streams)
    }

    /// Closes the file that was not used for longest, if too many are open.
    fn make_room(&mut self) -> io::Result<()> {
        if self.captures.len() < OPEN {
            return Ok(());
        }
        let oldest = self.captures.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key);
        if let Some((_, mut capture)) = oldest.and_then(|key| self.captures.remove(&key)) {
            capture.write()?;
            self.full.push(capture);
        }
        Ok(())
    }

    /// Takes back what a batch has left in files: it comes again.
    fn undo(&mut self) {
        let open = std::mem::take(&mut self.captures).into_values().map(|(_, capture)| capture);
        for capture in open.chain(std::mem::take(&mut self.full)) {
            // What stays is seen when the file is opened again, since each packet names its event.
            let _ = capture.undo();
        }
        self.folder.forget();
        self.is_dirty = false;
    }
}

/// Whether a capture of everyone was begun on the day of `at`.
fn is_of(capture: &Capture, at: Stamp) -> bool {
    let day = capture.path.parent().and_then(|day| day.file_name()).and_then(|day| day.to_str());
    day.is_some_and(|day| at.to_string().starts_with(day))
}
