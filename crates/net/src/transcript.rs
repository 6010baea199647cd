//! What becomes of a session in the record. Apart, because it is the one place where an actor's bytes meet what the
//! protocol made of them: nothing goes unrecorded because a protocol forgot.

use crate::carrier::Trace;
use honeyplant_core::{
    artefact::Artefact,
    conversation::Outcome,
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

/// As much as that of a message is shown with an event. A longer one is kept whole, as an artefact.
const HEARD: usize = 64 * 1024;
/// As much as that of an answer is shown: who asks for large pages again and again must not fill the disk.
const SAID: usize = 4 * 1024;

fn shown(bytes: &[u8], most: usize) -> Octets {
    Octets::from_slice(bytes.get(..most).unwrap_or(bytes))
}

#[derive(Debug)]
pub(crate) struct Transcript<R> {
    session: Arc<Session>,
    record: R,
    batch: Vec<Event>,
    opened: Instant,
    begun: bool,
    /// How often the conversation has accounted for what came over its channel, or for anything else that it keeps.
    pub(crate) accounts: u32,
    exchanges: u64,
    received: u64,
    pub(crate) sent: u64,
}

impl<R: Record> Transcript<R> {
    /// Most sessions have one event at a time: room for more would be held by every idle one.
    const USUAL: usize = 1;

    pub(crate) fn new(session: Arc<Session>, record: R, opened: Instant) -> Self {
        let batch = Vec::with_capacity(Self::USUAL);
        Self { session, record, batch, opened, begun: false, accounts: 0, exchanges: 0, received: 0, sent: 0 }
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
        let (session, request) = (Some(self.session.clone()), shown(request, HEARD));
        self.batch.push(Event { at, session, kind, request, reply: shown(reply, SAID) });
    }

    /// A message was dealt with; a protocol that had nothing to say about it does not hide it.
    pub(crate) fn exchange(&mut self, at: SystemTime, outcome: &mut Outcome, request: &[u8], reply: &[u8]) {
        self.exchanges += 1;
        if outcome.artefacts.is_empty() {
            self.keep_long(request);
        }
        self.keep(outcome);
        if outcome.events.is_empty() {
            return self.note(at, Kind::Exchange, request, reply);
        }
        for kind in outcome.events.drain(..) {
            self.note(at, kind, request, reply);
        }
    }

    /// Something happened without a message, and `reply` was sent unasked.
    pub(crate) fn unasked(&mut self, at: SystemTime, outcome: &mut Outcome, reply: &[u8]) {
        self.keep(outcome);
        if outcome.events.is_empty() && !reply.is_empty() {
            return self.note(at, Kind::Exchange, &[], reply);
        }
        for kind in outcome.events.drain(..) {
            self.note(at, kind, &[], reply);
        }
    }

    /// The peer sent what is no message, or not all of one.
    pub(crate) fn malformed(&mut self, at: SystemTime, why: &'static str, request: &[u8]) {
        self.keep_long(request);
        self.note(at, Kind::Malformed { why }, request, &[]);
    }

    /// Keeps what is too long to be shown whole.
    fn keep_long(&self, request: &[u8]) {
        if request.len() > HEARD {
            self.record.keep(Artefact::new(request.to_vec()), &self.session);
        }
    }

    /// What is kept is with the record before the events that name it.
    fn keep(&mut self, outcome: &mut Outcome) {
        for artefact in outcome.artefacts.drain(..) {
            self.accounts = self.accounts.wrapping_add(1);
            self.record.keep(artefact, &self.session);
        }
        // A stream has no datagrams to end.
        outcome.cuts.clear();
    }

    /// Something came that nobody accounted for.
    pub(crate) fn untold(&mut self, at: SystemTime, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.note(at, Kind::Exchange, bytes.get(..SAID).unwrap_or(&bytes), &[]);
            self.record.keep(Artefact::new(bytes), &self.session);
        }
    }

    /// The peer, the device or time has broken off a handshake, if there was any.
    pub(crate) fn unfinished_handshake(&mut self, at: SystemTime, trace: Option<Trace>) {
        if let Some(trace) = trace.filter(|trace| !trace.heard.is_empty()) {
            self.shaken(&trace);
            self.unsecured(at, &trace, "the TLS handshake was not finished");
        }
    }

    /// No encryption came of a handshake.
    pub(crate) fn unsecured(&mut self, at: SystemTime, trace: &Trace, why: &'static str) {
        self.note(at, trace.failure(why), &trace.heard, &trace.alert);
    }

    /// Counts what a handshake came to.
    pub(crate) fn shaken(&mut self, trace: &Trace) {
        let traffic = self.session.device.traffic();
        self.received += trace.received.0;
        traffic.octets_in.add(trace.received.0);
        traffic.segments_in.add(trace.received.1);
        self.sent += trace.sent.0;
        traffic.octets_out.add(trace.sent.0);
        traffic.segments_out.add(trace.sent.1);
    }

    /// `octets` have come in one piece.
    pub(crate) fn heard(&mut self, octets: usize) {
        self.received += octets as u64;
        let traffic = self.session.device.traffic();
        traffic.octets_in.add(octets as u64);
        traffic.segments_in.add(1);
    }

    /// A datagram of so many `octets` has come.
    pub(crate) fn taken(&mut self, octets: usize) {
        self.received += octets as u64;
        let traffic = self.session.device.traffic();
        traffic.octets_in.add(octets as u64);
        traffic.datagrams_in.add(1);
    }

    pub(crate) const fn has_begun(&self) -> bool {
        self.begun
    }

    pub(crate) fn close(&mut self, at: SystemTime, now: Instant, reason: Reason) {
        if !self.begun {
            self.note(at, Kind::Opened, &[], &[]);
        }
        let lasted = now.saturating_duration_since(self.opened);
        let Self { exchanges, received, sent, .. } = *self;
        if reason == Reason::Broken {
            self.session.device.traffic().connections_broken.add(1);
        }
        self.note(at, Kind::Closed(Ending { reason, exchanges, received, sent, lasted }), &[], &[]);
        self.deliver();
    }
}
