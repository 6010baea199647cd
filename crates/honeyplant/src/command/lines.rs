//! Documents from a file or a stream. Apart, because they are waited for on a thread of their own: what has come is shown
//! while more is awaited.

use super::query::Later;
use crate::complaint::{Failure, Tried};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

/// How many lines are taken in at once.
const MOST: usize = 4096;

/// How often a file that is followed is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Lines as they come.
pub(crate) struct Lines {
    coming: Receiver<io::Result<String>>,
    name: String,
}

impl Lines {
    /// Those of the file at `path`, or of the standard input if it is `-`.
    pub(crate) fn open(path: &Path, later: Later) -> Result<Self, Failure> {
        let is_stdin = path.as_os_str() == "-";
        let name = if is_stdin { "the standard input".to_owned() } else { path.display().to_string() };
        let from: Box<dyn Read + Send> =
            if is_stdin { Box::new(io::stdin()) } else { Box::new(File::open(path).tried(|| format!("read {name}"))?) };
        // A stream that has ended stays so; a file may grow.
        let later = if is_stdin { Later::Ignore } else { later };
        let (send, coming) = sync_channel(MOST);
        thread::Builder::new()
            .name("lines".into())
            .spawn(move || read(from, later, &send))
            .tried(|| format!("read {name}"))?;
        Ok(Self { coming, name })
    }

    /// Waits for a line, and takes what else there is by then. None at the end.
    pub(crate) fn next(&mut self) -> Result<Vec<String>, Failure> {
        let Ok(first) = self.coming.recv() else { return Ok(Vec::new()) };
        let lines = std::iter::once(first).chain(self.coming.try_iter().take(MOST - 1));
        lines.collect::<io::Result<Vec<_>>>().tried(|| format!("read {}", self.name))
    }
}

/// Reads until the end, or until nobody wants more.
fn read(from: impl Read, later: Later, to: &SyncSender<io::Result<String>>) {
    let (mut from, mut line) = (BufReader::with_capacity(1 << 16, from), Vec::new());
    loop {
        let read = from.read_until(b'\n', &mut line);
        let is_whole = line.last() == Some(&b'\n');
        match read {
            Ok(0) if later == Later::Follow => thread::sleep(LOOK),
            Ok(_) if later == Later::Follow && !is_whole => {}
            Ok(0) if line.is_empty() => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(line.trim_ascii()).into_owned();
                line.clear();
                if !text.is_empty() && to.send(Ok(text)).is_err() {
                    return;
                }
            }
            Err(error) => {
                let _ = to.send(Err(error));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_may_be_without_an_end_and_empty_ones_are_none() {
        let (send, coming) = sync_channel(8);
        read(&b"one\n\n two \r\nthree"[..], Later::Ignore, &send);
        drop(send);
        assert_eq!(coming.iter().map(Result::unwrap).collect::<Vec<_>>(), ["one", "two", "three"]);
    }
}
