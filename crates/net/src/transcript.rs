//! What becomes of a session in the record. Apart, because it is the one place where an actor's bytes meet what the
//! protocol made of them: nothing goes unrecorded because a protocol forgot.

use honeyplant_core::{
    artefact::Artefact,
    event::{Ending, Event, Kind, Octets, Reason, Session},
};
use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

/// Where events go.
pub trait Record: Clone + Send + Sync + 'static {
    /// Takes all events out of `batch`. Called on threads that serve peers: it must not wait.
    fn record(&self, batch: &mut Vec<Event>);

    /// Takes what an actor left. Called on threads that serve peers: it must not wait.
    fn keep(&self, artefact: Artefact, session: &Arc<Session>);

    /// Whether peers are to wait. Asked before every read.
    fn is_full(&self) -> bool;
}

#[derive(Debug)]
pub(crate) struct Transcript<R> {
    session: Arc<Session>,
    record: R,
    batch: Vec<Event>,
    opened: Instant,
    begun: bool,
    exchanges: u64,
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

impl<R: Record> Transcript<R> {
    /// Most sessions have one event at a time: room for more would be held by every idle one.
    const USUAL: usize = 1;

    pub(crate) fn new(session: Arc<Session>, record: R, opened: Instant) -> Self {
        let batch = Vec::with_capacity(Self::USUAL);
        Self { session, record, batch, opened, begun: false, exchanges: 0, received: 0, sent: 0 }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.record.is_full()
    }

    /// How many events wait to be delivered.
    pub(crate) const fn waiting(&self) -> usize {
        self.batch.len()
    }

    pub(crate) fn deliver(&mut self) {
        if !self.batch.is_empty() {
            self.record.record(&mut self.batch);
            self.batch.clear();
        }
    }

    pub(crate) const fn is_large(&self) -> bool {
        self.batch.capacity() > 4
    }

    pub(crate) fn shrink(&mut self) {
        self.batch.shrink_to(Self::USUAL);
    }

    pub(crate) fn note(&mut self, at: SystemTime, kind: Kind, request: &[u8], reply: &[u8]) {
        self.begun = true;
        let (session, request) = (Some(self.session.clone()), Octets::from_slice(request));
        self.batch.push(Event { at, session, kind, request, reply: Octets::from_slice(reply) });
    }

    /// A message was dealt with; a protocol that had nothing to say about it does not hide it.
    pub(crate) fn exchange(&mut self, at: SystemTime, kinds: &mut Vec<Kind>, request: &[u8], reply: &[u8]) {
        self.exchanges += 1;
        if kinds.is_empty() {
            return self.note(at, Kind::Exchange, request, reply);
        }
        for kind in kinds.drain(..) {
            self.note(at, kind, request, reply);
        }
    }

    /// Something happened without a message, and `reply` was sent unasked.
    pub(crate) fn unasked(&mut self, at: SystemTime, kinds: &mut Vec<Kind>, reply: &[u8]) {
        if kinds.is_empty() && !reply.is_empty() {
            return self.note(at, Kind::Exchange, &[], reply);
        }
        for kind in kinds.drain(..) {
            self.note(at, kind, &[], reply);
        }
    }

    pub(crate) fn close(&mut self, at: SystemTime, now: Instant, reason: Reason) {
        if !self.begun {
            self.note(at, Kind::Opened, &[], &[]);
        }
        let lasted = now.saturating_duration_since(self.opened);
        let Self { exchanges, received, sent, .. } = *self;
        self.note(at, Kind::Closed(Ending { reason, exchanges, received, sent, lasted }), &[], &[]);
        self.deliver();
    }
}
