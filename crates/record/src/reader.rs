//! Reads the journal, line after line across its segments, while it grows and while its oldest parts go. Apart, because
//! sinks and the command line read the same way, in this process or another.

use crate::{segment, sink::Entry};
use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

/// Events that are gone: they were deleted before they were read, or lost with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the events {} to {}", self.from, self.to)
    }
}

/// After so many bytes of lines a batch is full.
const BATCH: usize = 4 << 20;

/// A place in the journal, from which it is read on.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    next: u64,
    /// The open segment, by its first line.
    file: Option<(u64, BufReader<File>)>,
    gap: Option<Gap>,
}

impl Reader {
    /// Reads the journal of the state folder `state` from the event `sequence` on; 0 is its beginning.
    pub fn open(state: &Path, sequence: u64) -> Self {
        Self { folder: state.join("journal"), next: sequence, file: None, gap: None }
    }

    /// The sequence of the event that is read next; 0 before the first of all was found.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Adds what can be read to `batch`: at most `most` lines, and no more after 4 MiB of them. None are added at the end
    /// of what was written so far.
    pub fn read(&mut self, batch: &mut Vec<Entry>, most: usize) -> io::Result<()> {
        let mut bytes = 0;
        for _ in 0..most {
            let Some(entry) = self.line()? else {
                break;
            };
            bytes += entry.line.len();
            batch.push(entry);
            if bytes >= BATCH {
                break;
            }
        }
        Ok(())
    }

    /// The events that were found to be gone since this was last asked.
    pub const fn gap(&mut self) -> Option<Gap> {
        self.gap.take()
    }

    fn line(&mut self) -> io::Result<Option<Entry>> {
        loop {
            if self.file.is_none() && !self.seek()? {
                return Ok(None);
            }
            if let Some(entry) = self.take()? {
                return Ok(Some(entry));
            }
            // The end of a segment, or of the journal: which, the segments that follow tell.
            let Some((first, _)) = self.file else {
                return Ok(None);
            };
            let Some(later) = segment::list(&self.folder)?.into_iter().find(|other| *other > first) else {
                return Ok(None);
            };
            // What was written between the two looks is in this segment still.
            if let Some(entry) = self.take()? {
                return Ok(Some(entry));
            }
            self.skip_to(later);
            self.file = None;
        }
    }

    /// Opens the segment that holds the next line; false if there is none yet.
    fn seek(&mut self) -> io::Result<bool> {
        loop {
            let segments = segment::list(&self.folder)?;
            let at = segments.partition_point(|first| *first <= self.next);
            let Some(first) = segments.get(at.saturating_sub(1)).copied() else {
                return Ok(false);
            };
            self.skip_to(first);
            let mut file = match File::open(segment::path(&self.folder, first)) {
                // It was deleted between the two looks.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => BufReader::with_capacity(64 << 10, file?),
            };
            let mut left = self.next - first;
            while left > 0 && skip_line(&mut file)? {
                left -= 1;
            }
            if left == 0 {
                self.file = Some((first, file));
                return Ok(true);
            }
            let Some(later) = segments.get(at).copied() else {
                return Ok(false);
            };
            self.skip_to(later);
        }
    }

    fn skip_to(&mut self, sequence: u64) {
        if sequence > self.next {
            if self.next > 0 {
                let from = self.gap.map_or(self.next, |gap| gap.from);
                self.gap = Some(Gap { from, to: sequence - 1 });
            }
            self.next = sequence;
        }
    }

    /// The next line of the open segment, if it is whole.
    fn take(&mut self) -> io::Result<Option<Entry>> {
        let Some((_, file)) = &mut self.file else {
            return Ok(None);
        };
        let mut line = Vec::new();
        let length = match file.read_until(b'\n', &mut line) {
            Ok(length) => length,
            Err(error) => {
                // Where in the file this left off cannot be told: it is looked up again.
                self.file = None;
                return Err(error);
            }
        };
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            // Its writer is not done; what is there may yet be taken back.
            file.seek_relative(-(length as i64))?;
            return Ok(None);
        }
        let line = String::from_utf8(line).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into());
        let sequence = self.next;
        self.next += 1;
        Ok(Some(Entry { sequence, line }))
    }
}

/// Whether there was a whole line to be skipped.
fn skip_line(file: &mut BufReader<File>) -> io::Result<bool> {
    loop {
        let buffer = file.fill_buf()?;
        let (length, end) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        file.consume(length);
        if end || length == 0 {
            return Ok(end);
        }
    }
}
