//! Floods, folded: equal events of one session inside a second become one. Apart, because it decides what is worth a line
//! and must lose nothing by it.
//!
//! The first of equal events is written at once, so that nobody waits for what happens once. Those that follow within a
//! second are held and counted, and written as one when the second is over or the session does anything else.

use honeyplant_core::event::{Event, Kind};
use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    io,
    time::{Duration, Instant, SystemTime},
};

/// How long equal events are held.
const WINDOW: Duration = Duration::from_secs(1);
/// How many sessions may have events held at once; more make the oldest be written early.
const MOST: usize = 256;

/// What an event stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeat {
    /// How many; 0 and 1 are itself alone.
    pub(crate) count: u64,
    /// When the last of them was.
    pub(crate) end: SystemTime,
}

/// The sessions that lately did something which they might do again.
#[derive(Debug, Default)]
pub(crate) struct Folds {
    sessions: HashMap<u64, Fold>,
    /// The sessions that have events held, in the order in which they began to.
    holding: BTreeMap<u64, (Instant, u64)>,
    begun: u64,
    swept: Option<Instant>,
    changed: bool,
}

#[derive(Debug)]
pub(crate) struct Fold {
    /// What was written last, or what is held: its time is that of the first, its bytes are those of the last.
    event: Event,
    /// When something was last written.
    written: Instant,
    /// How many are held.
    held: Repeat,
    /// Its key in `holding`.
    begun: u64,
    /// The document as the sidecar has it, once it has.
    pub(crate) line: Vec<u8>,
}

impl Fold {
    /// What is held.
    pub(crate) const fn event(&self) -> &Event {
        &self.event
    }

    /// How much of it.
    pub(crate) const fn repeat(&self) -> Repeat {
        self.held
    }

    /// Whether `event` says nothing that this does not. What was decoded tells reads and writes apart; of what was
    /// not, only the bytes can tell, and none of them may be lost.
    fn is_equal(&self, event: &Event) -> bool {
        let told = match &event.kind {
            Kind::Exchange | Kind::Unsupported(_) | Kind::Malformed { .. } | Kind::Request(..) => {
                self.event.request == event.request
            }
            _ => self.event.request.len() == event.request.len(),
        };
        told && self.event.kind == event.kind
    }
}

impl Folds {
    /// Takes an event that came at `now`; what is to be written goes to `out`, in order.
    pub(crate) fn enter(
        &mut self,
        event: Event,
        now: Instant,
        out: &mut impl FnMut(&Event, Repeat) -> io::Result<()>,
    ) -> io::Result<()> {
        let alone = Repeat { count: 1, end: event.at };
        let Some(session) = event.session.as_ref().map(|session| session.id) else {
            return out(&event, alone);
        };
        match event.kind {
            Kind::Started { .. } | Kind::Stopped | Kind::Faulted { .. } | Kind::Opened => return out(&event, alone),
            Kind::Closed(_) => {
                self.release(session, now, out)?;
                self.sessions.remove(&session);
                return out(&event, alone);
            }
            _ => {}
        }
        let fold = match self.sessions.entry(session) {
            Entry::Vacant(entry) => {
                out(&event, alone)?;
                let held = Repeat { count: 0, end: event.at };
                entry.insert(Fold { event, written: now, held, begun: 0, line: Vec::new() });
                return Ok(());
            }
            Entry::Occupied(entry) => entry.into_mut(),
        };
        if !fold.is_equal(&event) || (fold.held.count == 0 && now.duration_since(fold.written) >= WINDOW) {
            self.release(session, now, out)?;
            out(&event, alone)?;
            if let Some(fold) = self.sessions.get_mut(&session) {
                (fold.event, fold.written) = (event, now);
            }
            return Ok(());
        }
        let beyond = event.at.duration_since(fold.event.at).is_ok_and(|since| since >= WINDOW);
        if fold.held.count > 0 && beyond {
            self.release(session, now, out)?;
        }
        self.hold(session, event, now);
        if self.holding.len() > MOST
            && let Some((_, session)) = self.holding.first_key_value().map(|(_, oldest)| *oldest)
        {
            self.release(session, now, out)?;
        }
        Ok(())
    }

    fn hold(&mut self, session: u64, event: Event, now: Instant) {
        let Some(fold) = self.sessions.get_mut(&session) else {
            return;
        };
        if fold.held.count == 0 {
            fold.event.at = event.at;
            fold.begun = self.begun;
            fold.line.clear();
            self.holding.insert(self.begun, (now, session));
            self.begun += 1;
        }
        fold.held = Repeat { count: fold.held.count + 1, end: event.at };
        fold.event.request = event.request;
        fold.event.reply = event.reply;
        self.changed = true;
    }

    /// Writes what a session has held.
    fn release(
        &mut self,
        session: u64,
        now: Instant,
        out: &mut impl FnMut(&Event, Repeat) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(fold) = self.sessions.get_mut(&session).filter(|fold| fold.held.count > 0) else {
            return Ok(());
        };
        out(&fold.event, fold.held)?;
        fold.held.count = 0;
        fold.written = now;
        self.holding.remove(&fold.begun);
        self.changed = true;
        Ok(())
    }

    /// Writes what has been held long enough, and forgets the sessions that have nothing more to fold.
    pub(crate) fn pass(
        &mut self,
        now: Instant,
        out: &mut impl FnMut(&Event, Repeat) -> io::Result<()>,
    ) -> io::Result<()> {
        while let Some((since, session)) = self.holding.first_key_value().map(|(_, oldest)| *oldest) {
            if now.duration_since(since) < WINDOW {
                break;
            }
            self.release(session, now, out)?;
        }
        let swept = *self.swept.get_or_insert(now);
        if now.duration_since(swept) >= WINDOW {
            self.swept = Some(now);
            self.sessions.retain(|_, fold| fold.held.count > 0 || now.duration_since(fold.written) < WINDOW);
        }
        Ok(())
    }

    /// Writes all that is held.
    pub(crate) fn end(
        &mut self,
        now: Instant,
        out: &mut impl FnMut(&Event, Repeat) -> io::Result<()>,
    ) -> io::Result<()> {
        while let Some((_, session)) = self.holding.first_key_value().map(|(_, oldest)| *oldest) {
            self.release(session, now, out)?;
        }
        Ok(())
    }

    /// When [`Folds::pass`] next has something to write.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.holding.first_key_value().map(|(_, (since, _))| *since + WINDOW)
    }

    /// Whether what is held is not what it was when this was last asked.
    pub(crate) const fn changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    /// All that is held.
    pub(crate) fn held(&mut self, mut each: impl FnMut(&mut Fold)) {
        for (_, session) in self.holding.values() {
            self.sessions.get_mut(session).into_iter().for_each(&mut each);
        }
    }

    pub(crate) fn holds(&self) -> usize {
        self.holding.len()
    }
}
