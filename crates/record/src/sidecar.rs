//! What is held in memory, kept beside the journal, so that a killed process loses no more than its last beat. Apart,
//! because it is written without a rename or a new file 200 times a second and must survive being cut anywhere.
//!
//! Two files are written in turn, each with its number in its first line and in its last: of the two, one is always
//! whole.

use crate::{
    compose::{Composer, hex},
    document::{Document, Stamp},
    fold::Folds,
};
use serde::Deserialize;
use std::{
    fs::{self, File},
    io::{self, Seek, Write},
    path::{Path, PathBuf},
};

fn paths(folder: &Path) -> [PathBuf; 2] {
    [folder.join("folding.0"), folder.join("folding.1")]
}

#[derive(Debug)]
pub(crate) struct Sidecar {
    paths: [PathBuf; 2],
    files: [Option<(File, u64)>; 2],
    turn: u64,
    text: Vec<u8>,
    hex: String,
    /// Whether what was last written held anything.
    held: bool,
}

/// The first line.
#[derive(Debug, Deserialize)]
struct Head {
    turn: u64,
    /// The sequence of the line that the journal was to write next.
    next: u64,
}

#[derive(Debug, Deserialize)]
struct Tail {
    end: u64,
}

#[derive(Debug, Deserialize)]
struct Held {
    repeated: u64,
    end: Stamp,
    request: String,
    reply: String,
    document: Document<'static>,
}

/// What was held when the process ended.
#[derive(Debug)]
pub(crate) struct Found {
    /// The line from which on the journal may hold it already.
    pub(crate) next: u64,
    /// As the documents that it would have become, but for their places.
    pub(crate) documents: Vec<Document<'static>>,
}

impl Sidecar {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { paths: paths(folder), files: [None, None], turn: 0, text: Vec::new(), hex: String::new(), held: false }
    }

    /// Writes down what `folds` hold; the next line of the journal is `next`.
    pub(crate) fn keep(&mut self, folds: &mut Folds, composer: &mut Composer, next: u64) -> io::Result<()> {
        if folds.holds() == 0 && !self.held {
            return Ok(());
        }
        self.turn += 1;
        let (text, hexadecimal, turn) = (&mut self.text, &mut self.hex, self.turn);
        text.clear();
        writeln!(text, r#"{{"turn":{turn},"next":{next}}}"#)?;
        folds.held(|fold| {
            if fold.line.is_empty() {
                let mut line = std::mem::take(&mut fold.line);
                let mut document = composer.compose(fold.event(), 0);
                (document.honeyplant.request, document.honeyplant.reply) = (None, None);
                // Writing into memory does not fail.
                let _ = serde_json::to_writer(&mut line, &document);
                fold.line = line;
            }
            let (event, repeat) = (fold.event(), fold.repeat());
            let _ = write!(text, r#"{{"repeated":{},"end":"{}""#, repeat.count, Stamp::from(repeat.end));
            for (name, bytes) in [("request", &event.request), ("reply", &event.reply)] {
                hexadecimal.clear();
                hex(hexadecimal, bytes);
                let _ = write!(text, r#","{name}":"{hexadecimal}""#);
            }
            text.extend_from_slice(br#","document":"#);
            text.extend_from_slice(&fold.line);
            text.extend_from_slice(b"}\n");
        });
        writeln!(text, r#"{{"end":{turn}}}"#)?;
        let turn = usize::from(!turn.is_multiple_of(2));
        let (Some(slot), Some(path)) = (self.files.get_mut(turn), self.paths.get(turn)) else {
            return Ok(());
        };
        let (mut file, before) = match slot.take() {
            Some(open) => open,
            None => (File::options().create(true).truncate(true).write(true).open(path)?, 0),
        };
        file.rewind()?;
        file.write_all(&self.text)?;
        let length = self.text.len() as u64;
        if length < before {
            file.set_len(length)?;
        }
        *slot = Some((file, length));
        self.held = folds.holds() > 0;
        Ok(())
    }

    /// Has the disk keep what was written.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.files.iter().flatten().try_for_each(|(file, _)| file.sync_data())
    }
}

/// Reads what a process left behind.
pub(crate) fn find(folder: &Path) -> io::Result<Option<Found>> {
    let mut found: Option<(u64, Found)> = None;
    for path in paths(folder) {
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            text => text?,
        };
        if let Some((turn, held)) = parse(&text)
            && found.as_ref().is_none_or(|(other, _)| *other < turn)
        {
            found = Some((turn, held));
        }
    }
    Ok(found.map(|(_, held)| held).filter(|held| !held.documents.is_empty()))
}

/// Forgets what a process left behind.
pub(crate) fn clear(folder: &Path) -> io::Result<()> {
    paths(folder).into_iter().try_for_each(|path| match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    })
}

fn parse(text: &[u8]) -> Option<(u64, Found)> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let head: Head = serde_json::from_slice(lines.next()?).ok()?;
    let mut documents = Vec::new();
    for line in lines {
        if let Ok(tail) = serde_json::from_slice::<Tail>(line) {
            return (tail.end == head.turn).then_some((head.turn, Found { next: head.next, documents }));
        }
        let held: Held = serde_json::from_slice(line).ok()?;
        let mut document = held.document;
        document.honeyplant.request = bytes(held.request);
        document.honeyplant.reply = bytes(held.reply);
        document.repeat(held.repeated, held.end);
        documents.push(document);
    }
    None
}

fn bytes(hex: String) -> Option<crate::document::Bytes<'static>> {
    let length = hex.len() as u64 / 2;
    (length > 0).then(|| crate::document::Bytes { hex: hex.into(), length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_files_the_newest_that_is_whole_counts() {
        let folder = tempfile::tempdir().unwrap();
        let [even, odd] = paths(folder.path());
        fs::write(&even, "{\"turn\":4,\"next\":9}\n{\"end\":4}\n{\"rest\":0}").unwrap();
        fs::write(&odd, "{\"turn\":5,\"next\":10}\n{\"end\":3}\n").unwrap();
        assert_eq!(parse(&fs::read(&even).unwrap()).map(|(turn, found)| (turn, found.next)), Some((4, 9)));
        assert!(parse(&fs::read(&odd).unwrap()).is_none(), "its end is of an earlier turn");
        assert!(find(folder.path()).unwrap().is_none(), "nothing was held");
    }
}
