//! Mends the journal of a run that ended in the middle. Apart, because it alone may take back what was written, and must
//! tell every bit of it.

use crate::{
    document::{Document, SessionId, Stamp},
    reader::Reader,
    segment::{self, Segment},
    sidecar,
};
use serde::Deserialize;
use std::{
    collections::HashSet,
    fmt,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// What had to be mended, in words; empty if nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended(Vec<String>);

impl Mended {
    /// Whether nothing had to be.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// A journal that can be gone on with.
#[derive(Debug)]
pub(crate) struct Repaired {
    pub(crate) segments: Vec<Segment>,
    /// The sequence of the next line.
    pub(crate) next: u64,
    pub(crate) mended: Mended,
    /// What had been held in memory, to be written as the next lines.
    pub(crate) recovered: Vec<Document<'static>>,
}

/// As much of a line as tells its place; documents of other versions have it, too.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(rename = "@timestamp")]
    timestamp: Stamp,
    event: Place,
    honeyplant: Facts,
}

#[derive(Debug, Deserialize)]
struct Place {
    sequence: u64,
    action: String,
}

#[derive(Debug, Deserialize)]
struct Facts {
    session: Option<Session>,
}

#[derive(Debug, Deserialize)]
struct Session {
    id: SessionId,
}

/// Mends the journal of the state folder `state`, which need not have one.
pub(crate) fn repair(state: &Path) -> io::Result<Repaired> {
    let folder = state.join("journal");
    fs::create_dir_all(&folder)?;
    let mut mended = Mended::default();
    let firsts = segment::list(&folder)?;
    let mut next = 1;
    if let Some(first) = firsts.last() {
        next = cut(&folder, *first, &mut mended)?;
    }
    let mut segments = Vec::new();
    for first in firsts {
        let metadata = fs::metadata(segment::path(&folder, first))?;
        segments.push(Segment { first, bytes: metadata.len(), written: metadata.modified()? });
    }
    if let Some(last) = last_line(&folder, &segments)?
        && last.event.action != "stopped"
    {
        mended.0.push(format!("the last run ended without saying so; its last event is of {}", last.timestamp));
    }
    let recovered = recover(state, next)?;
    let events: u64 = recovered.iter().map(|document| document.honeyplant.repeated.unwrap_or(1)).sum();
    if events > 0 {
        let lines = recovered.len();
        let lines = if lines == 1 { "one line".to_owned() } else { format!("{lines} lines") };
        mended.0.push(format!("{events} equal events that were held in memory became {lines}"));
    }
    Ok(Repaired { segments, next, mended, recovered })
}

/// Cuts off what is not a line, or not in its place, and keeps it aside. The sequence of the next line.
fn cut(folder: &Path, first: u64, mended: &mut Mended) -> io::Result<u64> {
    let path = segment::path(folder, first);
    let bytes = fs::read(&path)?;
    let (good, next) = sound(&bytes, first);
    let torn = bytes.get(good..).unwrap_or_default();
    if !torn.is_empty() {
        let aside = aside(folder);
        fs::write(&aside, torn)?;
        File::options().write(true).open(&path)?.set_len(good as u64)?;
        mended.0.push(format!(
            "a torn line at the end of the journal was cut off; its {} bytes are kept in {}",
            torn.len(),
            aside.display()
        ));
    }
    Ok(next)
}

/// How many bytes from the start on are lines in their places, and the sequence after them.
fn sound(bytes: &[u8], first: u64) -> (usize, u64) {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let lines = bytes.get(..whole).unwrap_or_default();
    let count = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
    let is_in_place =
        |line: &[u8], sequence| serde_json::from_slice::<Line>(line).is_ok_and(|line| line.event.sequence == sequence);
    let last = lines.split_inclusive(|byte| *byte == b'\n').next_back();
    // If the last line is in its place, so are those before it: nothing but the end of a file tears.
    if last.is_none_or(|last| is_in_place(last, first + count - 1)) {
        return (whole, first + count);
    }
    let (mut good, mut next) = (0, first);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        if !is_in_place(line, next) {
            break;
        }
        good += line.len();
        next += 1;
    }
    (good, next)
}

fn aside(folder: &Path) -> PathBuf {
    let mut number = 1;
    loop {
        let path = folder.join(format!("torn-{number}.txt"));
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}

fn last_line(folder: &Path, segments: &[Segment]) -> io::Result<Option<Line>> {
    let Some(last) = segments.iter().rfind(|segment| segment.bytes > 0) else {
        return Ok(None);
    };
    let mut file = File::open(segment::path(folder, last.first))?;
    let mut reach = 64 << 10;
    loop {
        let from = last.bytes.saturating_sub(reach);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.read_to_end(&mut tail)?;
        let body = tail.strip_suffix(b"\n").unwrap_or(&tail);
        let line = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        if from == 0 || line.len() < body.len() {
            return Ok(serde_json::from_slice(line).ok());
        }
        reach *= 4;
    }
}

/// What had been held in memory and is not in the journal, which ends before `end`.
fn recover(state: &Path, end: u64) -> io::Result<Vec<Document<'static>>> {
    let Some(mut found) = sidecar::find(&state.join("journal"))? else {
        return Ok(Vec::new());
    };
    // The journal was written before what is held was written down again, so that it may have some of it.
    let mut known = HashSet::new();
    let mut reader = Reader::open(state, found.next);
    let mut batch = Vec::new();
    while reader.next() < end {
        reader.read(&mut batch, 512)?;
        if batch.is_empty() {
            break;
        }
        let lines = batch.drain(..).filter_map(|entry| serde_json::from_str::<Line>(&entry.line).ok());
        known.extend(lines.filter_map(|line| Some((line.honeyplant.session?.id, line.timestamp, line.event.action))));
    }
    found.documents.retain(|document| {
        let session = document.honeyplant.session.map(|session| session.id);
        let action = document.event.action.clone().into_owned();
        session.is_some_and(|session| known.insert((session, document.timestamp, action)))
    });
    Ok(found.documents)
}
