//! The files of the journal. Apart, because how they are named, grown, and deleted is known here alone.
//!
//! A segment is named for the sequence of its first line, and its lines have no holes: where an event stands is known
//! without reading any.

use crate::settings::{Fsync, JournalSettings};
use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// How much is gathered before it is written, at most.
const CHUNK: usize = 256 << 10;
const DAY: u64 = 86_400;

/// The file of the segment that begins with `first`.
pub(crate) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.jsonl"))
}

/// The first sequences of all segments, oldest first. A folder that does not exist has none.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".jsonl")).filter(|digits| digits.len() == 20);
        found.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// One file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) first: u64,
    pub(crate) bytes: u64,
    /// When it was last written to.
    pub(crate) written: SystemTime,
}

/// All segments, as the writer sees them.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    size: u64,
    keep: u64,
    age: Option<Duration>,
    sync: Fsync,
    closed: VecDeque<Segment>,
    current: Option<Segment>,
    file: Option<File>,
    /// The sequence of the next line.
    next: u64,
    /// What has not been written yet, from the line `first` on.
    lines: Vec<u8>,
    first: u64,
    total: u64,
    unsynced: bool,
}

impl Segments {
    /// Goes on after the last of `segments`; the next line is `next`.
    pub(crate) fn resume(folder: &Path, settings: &JournalSettings, segments: Vec<Segment>, next: u64) -> Self {
        let total = segments.iter().map(|segment| segment.bytes).sum();
        let mut closed = VecDeque::from(segments);
        let current = closed.pop_back();
        Self {
            folder: folder.to_owned(),
            // What is kept is whole segments: with fewer than two, keeping would mean stopping.
            size: settings.segment_size.0.min(settings.keep_size.0 / 2).max(1),
            keep: settings.keep_size.0,
            age: settings.keep_age.map(|period| period.0),
            sync: settings.sync,
            closed,
            current,
            file: None,
            next,
            lines: Vec::new(),
            first: next,
            total,
            unsynced: false,
        }
    }

    /// The sequence of the next line.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Adds a line, to be written with the next [`Segments::write`]. `line` is told its sequence.
    pub(crate) fn put(&mut self, line: impl FnOnce(u64, &mut Vec<u8>)) {
        if self.lines.is_empty() {
            self.first = self.next;
        }
        line(self.next, &mut self.lines);
        self.lines.push(b'\n');
        self.next += 1;
    }

    /// Whether enough lines were put that they should be written before the next.
    pub(crate) fn is_due(&self) -> bool {
        let length = self.lines.len();
        length >= CHUNK || self.current.is_some_and(|current| current.bytes + length as u64 >= self.size)
    }

    /// Writes all lines. After an error they are still there, and nothing of them is in the file once it is tried again.
    pub(crate) fn write(&mut self, now: SystemTime) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        if let Some(current) = self.current.filter(|current| current.bytes > 0)
            && (current.bytes >= self.size || day(current.written) != day(now))
        {
            self.sync()?;
            self.closed.push_back(current);
            (self.current, self.file) = (None, None);
        }
        let current = self.current.get_or_insert(Segment { first: self.first, bytes: 0, written: now });
        let mut file = match self.file.take() {
            Some(file) => file,
            None => open(&self.folder, current, self.sync)?,
        };
        file.write_all(&self.lines)?;
        self.file = Some(file);
        current.written = now;
        current.bytes += self.lines.len() as u64;
        self.total += self.lines.len() as u64;
        self.lines.clear();
        self.unsynced = self.sync != Fsync::Never;
        Ok(())
    }

    /// Whether something was written that the disk has not been told to keep.
    pub(crate) const fn is_unsynced(&self) -> bool {
        self.unsynced
    }

    /// Has the disk keep what was written.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if self.unsynced {
            self.file.as_ref().map_or(Ok(()), File::sync_data)?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Deletes what is too much or too old, but nothing from the line `needed` on. True if more should have gone.
    pub(crate) fn retain(&mut self, needed: u64, now: SystemTime) -> io::Result<bool> {
        while let Some(oldest) = self.closed.front() {
            let much = self.total > self.keep;
            let old = self.age.is_some_and(|age| now.duration_since(oldest.written).is_ok_and(|since| since > age));
            if !much && !old {
                return Ok(false);
            }
            let end = self.closed.get(1).or(self.current.as_ref()).map_or(self.next, |segment| segment.first);
            if needed < end {
                return Ok(much);
            }
            match fs::remove_file(path(&self.folder, oldest.first)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.total -= oldest.bytes,
            }
            self.closed.pop_front();
        }
        Ok(false)
    }
}

fn day(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / DAY
}

fn open(folder: &Path, segment: &Segment, sync: Fsync) -> io::Result<File> {
    let file = File::options().create(true).append(true).open(path(folder, segment.first))?;
    if file.metadata()?.len() != segment.bytes {
        // An attempt that failed in the middle left part of its lines.
        file.set_len(segment.bytes)?;
    }
    if segment.bytes == 0 && sync != Fsync::Never {
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}
