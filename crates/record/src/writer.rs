//! The thread that writes the journal. Apart, because it alone orders, folds, and meets the disk.

use crate::{
    compose::Composer,
    document::Stamp,
    fold::{Folds, Repeat},
    follow::Needs,
    meaning::Meaning,
    notice::{Notice, Notices},
    pulse::Pulse,
    segment::Segments,
    settings::Fsync,
    shelf::Shelf,
    sidecar::Sidecar,
};
use honeyplant_core::event::Event;
use std::{
    io, mem,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

/// How long what was recorded may wait for the file.
pub(crate) const BEAT: Duration = Duration::from_millis(5);
/// After how many events it is looked whether a beat is over.
const LOOKED: usize = 64;
/// The pauses between attempts to write, the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// How often a full journal looks whether its sinks have caught up.
const LOOK: Duration = Duration::from_millis(50);
/// How often it is looked for what is too old.
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Takes from the shelf, folds, and writes.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) folds: Folds,
    pub(crate) sidecar: Sidecar,
    pub(crate) desk: Desk,
}

/// What a line passes on its way from an event to the file.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) composer: Composer,
    pub(crate) meaning: Meaning,
    pub(crate) segments: Segments,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) needs: Arc<Needs>,
    pub(crate) notices: Notices,
    pub(crate) fsync: Fsync,
    pub(crate) state: Condition,
}

/// What was told already, and when what is done now and then was done.
#[derive(Debug)]
pub(crate) struct Condition {
    failing: bool,
    unsheltered: bool,
    full: bool,
    undeleted: bool,
    synced: Instant,
    looked: Option<Instant>,
}

impl Condition {
    pub(crate) fn new() -> Self {
        Self { failing: false, unsheltered: false, full: false, undeleted: false, synced: Instant::now(), looked: None }
    }
}

impl Writer {
    /// Writes until the shelf says that nothing more comes. The error is what could not be written by then.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let ended = self.work();
        self.desk.pulse.change(|beat| beat.ended = true);
        ended
    }

    fn work(&mut self) -> io::Result<()> {
        let (mut batch, mut settled) = (Vec::new(), 0);
        loop {
            let look = self.desk.shelf.take(&mut batch, settled, self.rest());
            let now = Instant::now();
            let desk = &mut self.desk;
            let mut written = now;
            for (number, event) in batch.drain(..).enumerate() {
                self.folds.enter(event, now, &mut |event, repeat| desk.enter(event, repeat))?;
                if number % LOOKED == 0 && written.elapsed() >= BEAT {
                    desk.write()?;
                    written = Instant::now();
                }
            }
            self.folds.pass(now, &mut |event, repeat| desk.enter(event, repeat))?;
            if look.last {
                self.folds.end(now, &mut |event, repeat| desk.enter(event, repeat))?;
            }
            desk.write()?;
            if self.folds.changed() {
                let kept = self.sidecar.keep(&mut self.folds, &mut desk.composer, desk.segments.next());
                let kept = kept.and_then(|()| if desk.fsync == Fsync::Beat { self.sidecar.sync() } else { Ok(()) });
                desk.shelter(kept);
            }
            desk.retain(now);
            desk.sync(now, look.last);
            settled = look.asked;
            if desk.pulse.now().settled != settled {
                desk.pulse.change(|beat| beat.settled = settled);
            }
            if look.last {
                return Ok(());
            }
            thread::sleep(BEAT.saturating_sub(now.elapsed()));
        }
    }

    /// How long there is nothing to do unless something is recorded.
    fn rest(&self) -> Option<Duration> {
        let now = Instant::now();
        let desk = &self.desk;
        let fold = self.folds.due().map(|due| due.saturating_duration_since(now));
        let sync = desk.segments.is_unsynced().then(|| SECOND.saturating_sub(desk.state.synced.elapsed()));
        let look = if desk.state.full { LOOK } else { HOUR };
        [fold, sync, Some(look)].into_iter().flatten().min()
    }
}

impl Desk {
    fn enter(&mut self, event: &Event, repeat: Repeat) -> io::Result<()> {
        let (composer, meaning, notices) = (&mut self.composer, &mut self.meaning, &self.notices);
        self.segments.put(|sequence, line| {
            let mut document = composer.compose(event, sequence);
            document.repeat(repeat.count, Stamp::from(repeat.end));
            meaning.tell(event, &mut document, notices);
            // Writing into memory does not fail, and every field of a document is one that JSON has.
            let _ = serde_json::to_writer(line, &document);
        });
        if self.segments.is_due() {
            self.write()?;
            self.retain(Instant::now());
        }
        Ok(())
    }

    /// Writes what was entered, however often it takes.
    fn write(&mut self) -> io::Result<()> {
        if self.segments.next() == self.pulse.now().next {
            return Ok(());
        }
        let mut pause = PAUSES.0;
        while let Err(error) = self.segments.write(SystemTime::now()) {
            self.tell(Err(io::Error::new(error.kind(), error.to_string())));
            if !self.shelf.pause(pause) {
                return Err(error);
            }
            pause = (pause * 2).min(PAUSES.1);
        }
        self.tell(Ok(()));
        self.pulse.change(|beat| beat.next = self.segments.next());
        Ok(())
    }

    fn tell(&mut self, written: io::Result<()>) {
        let failing = written.is_err();
        if mem::replace(&mut self.state.failing, failing) != failing {
            self.notices.tell(match written {
                Err(error) => Notice::Failing { why: error.to_string() },
                Ok(()) => Notice::Writing,
            });
        }
    }

    fn shelter(&mut self, kept: io::Result<()>) {
        let unsheltered = kept.is_err();
        if mem::replace(&mut self.state.unsheltered, unsheltered) != unsheltered
            && let Err(error) = kept
        {
            self.notices.tell(Notice::Unsheltered { why: error.to_string() });
        }
    }

    fn retain(&mut self, now: Instant) {
        let state = &mut self.state;
        let due = state.looked.is_none_or(|looked| now.duration_since(looked) >= LOOK);
        if !due {
            return;
        }
        state.looked = Some(now);
        let (needed, sink) = self.needs.first();
        match self.segments.retain(needed, SystemTime::now()) {
            Ok(full) => {
                state.undeleted = false;
                self.shelf.shut(full);
                if mem::replace(&mut state.full, full) != full {
                    self.notices.tell(if full { Notice::Full { sink } } else { Notice::Room });
                }
            }
            Err(error) => {
                if !mem::replace(&mut state.undeleted, true) {
                    self.notices.tell(Notice::Undeleted { why: error.to_string() });
                }
            }
        }
    }

    fn sync(&mut self, now: Instant, last: bool) {
        let due = self.fsync == Fsync::Beat || last || now.duration_since(self.state.synced) >= SECOND;
        if due && self.segments.is_unsynced() {
            let synced = self.segments.sync();
            self.tell(synced);
            self.state.synced = now;
        }
    }
}
