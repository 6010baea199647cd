//! One peer that sends datagrams, and what is answered to it. Apart from the socket that many share, because a fault, a
//! silence or a restart ends one of them only.

use crate::{
    Record, Seat,
    budget::{Budget, Standing},
    packet::{Packets, Route},
    speaker::Speaker,
    transcript::Transcript,
};
use honeyplant_core::{
    conversation::{Context, Conversation, Effect, News, Outcome, Step},
    event::{Kind, Reason, Session},
};
use std::{
    iter::once,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

pub(crate) struct Correspondent<R: Record> {
    speaker: Speaker,
    transcript: Transcript<R>,
    seat: Seat,
    /// How often the device had been restarted when the session began; none if it was restarting then.
    boots: Option<u32>,
    heard: Instant,
    idle: Duration,
    stage: Stage,
    /// Answers that were withheld and not told of, with their bytes; and when some were told of last.
    withheld: (usize, usize),
    told: Option<Instant>,
    /// When it will be looked at though nothing is heard; not after [`Correspondent::due`].
    pub(crate) alarm: Instant,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing is recorded of it.
    New,
    /// It is recorded; the device has not heard of it.
    Recorded,
    /// The device speaks.
    Open,
    Ended,
}

/// What all correspondents of a socket share.
pub(crate) struct Mail<'a> {
    pub(crate) packets: &'a Packets,
    pub(crate) budget: &'a Budget,
    /// Where answers are written, one after the other.
    pub(crate) out: &'a mut Vec<u8>,
    /// Where in it datagrams end, if not only at its end.
    pub(crate) cuts: &'a mut Vec<usize>,
    pub(crate) now: Instant,
    pub(crate) at: SystemTime,
}

impl<R: Record> Correspondent<R> {
    pub(crate) fn new(
        conversation: Box<dyn Conversation>,
        session: Arc<Session>,
        record: R,
        seat: Seat,
        idle: Duration,
        now: Instant,
    ) -> Self {
        let device = &session.device;
        Self {
            boots: device.back(now.into_std()).is_none().then(|| device.boots()),
            speaker: Speaker::new(conversation, session.clone()),
            transcript: Transcript::new(session, record, now.into_std()),
            seat,
            heard: now,
            idle,
            stage: Stage::New,
            withheld: (0, 0),
            told: None,
            alarm: now + idle,
        }
    }

    /// Why it is over before anything more is heard, if it is.
    pub(crate) fn over(&self, now: Instant) -> Option<Reason> {
        let device = &self.speaker.session.device;
        let boots = device.back(now.into_std()).is_none().then(|| device.boots());
        if boots == self.boots { self.seat.told() } else { Some(Reason::Restart) }
    }

    /// Deals with a datagram; why the session is over then, if it is.
    pub(crate) fn receive(&mut self, datagram: &[u8], mail: &mut Mail<'_>) -> Option<Reason> {
        self.transcript.taken(datagram.len());
        self.heard = mail.now;
        self.seat.touch(mail.now.into_std());
        if self.boots.is_some()
            && self.stage != Stage::Open
            && let Some(reason) = self.open(mail)
        {
            self.overhear(datagram, mail.at);
            return Some(reason);
        }
        if self.boots.is_none() || datagram.is_empty() {
            self.overhear(datagram, mail.at);
            return None;
        }
        match self.say(mail, |conversation, cx| conversation.receive(datagram, cx)) {
            Some(Step::Took(count)) if count > 0 && count <= datagram.len() => {}
            Some(Step::Wait) if self.speaker.outcome.events.is_empty() => {
                let why = "the datagram is not a whole message";
                self.speaker.outcome.events.push(Kind::Malformed { why });
            }
            Some(Step::Wait) => {}
            // It panicked, or took what is not there. What it has said about it is not to be trusted.
            Some(Step::Took(_)) | None => {
                self.speaker.outcome = Outcome::default();
                self.overhear(datagram, mail.at);
                return Some(Reason::Fault);
            }
        }
        let events = &mut self.speaker.outcome.events;
        if events.is_empty() {
            events.push(Kind::Exchange);
        }
        self.weigh(datagram.len(), mail);
        self.transcript.exchange(mail.at, &mut self.speaker.outcome, datagram, mail.out);
        self.send(mail);
        self.finish(mail)
    }

    /// A deadline has come; why the session is over then, if it is.
    pub(crate) fn wake(&mut self, mail: &mut Mail<'_>) -> Option<Reason> {
        if let Some(reason) = self.over(mail.now) {
            return Some(reason);
        }
        // A deadline of the device comes before ours: it may have its own way to end.
        if self.speaker.outcome.wake.is_none_or(|at| at > mail.now.into_std()) {
            return (self.heard + self.idle <= mail.now).then_some(Reason::Idle);
        }
        self.speaker.outcome.wake = None;
        if self.volunteer(mail, |conversation, cx| conversation.wake(cx)).is_none() {
            return Some(Reason::Fault);
        }
        // Whoever always wants to be woken at once would never let go of the thread.
        let soon = mail.now.into_std() + Duration::from_millis(1);
        self.speaker.outcome.wake = self.speaker.outcome.wake.map(|at| at.max(soon));
        self.finish(mail)
    }

    /// The next instant at which something is to be done though nothing is heard.
    pub(crate) fn due(&self) -> Instant {
        let idle = self.heard + self.idle;
        self.speaker.outcome.wake.map_or(idle, |at| idle.min(at.into()))
    }

    /// Ends the session.
    pub(crate) fn end(&mut self, reason: Reason) {
        let (at, now) = (SystemTime::now(), Instant::now());
        if self.stage == Stage::Open {
            self.speaker.end(now, &mut Vec::new());
            self.transcript.unasked(at, &mut self.speaker.outcome, &[]);
        }
        self.stage = Stage::Ended;
        if let Some(withheld) = self.take_withheld() {
            self.transcript.note(at, withheld, &[], &[]);
        }
        self.transcript.close(at, now.into_std(), reason);
    }

    fn open(&mut self, mail: &mut Mail<'_>) -> Option<Reason> {
        let opened = self.say(mail, |conversation, cx| conversation.open(cx));
        if opened.is_none() {
            return Some(Reason::Fault);
        }
        self.weigh(0, mail);
        if self.stage == Stage::New {
            self.transcript.note(mail.at, Kind::Opened, &[], mail.out);
        }
        // What was said is with the opening already.
        self.transcript.unasked(mail.at, &mut self.speaker.outcome, &[]);
        self.stage = Stage::Open;
        self.send(mail);
        self.finish(mail)
    }

    /// Records a datagram that nothing is made of.
    fn overhear(&mut self, datagram: &[u8], at: SystemTime) {
        if self.stage == Stage::New {
            self.transcript.note(at, Kind::Opened, &[], &[]);
            self.stage = Stage::Recorded;
        }
        self.transcript.exchange(at, &mut Outcome::default(), datagram, &[]);
        self.transcript.deliver();
    }

    /// The conversation does something that the peer did not ask for just now; `None` if it panicked.
    fn volunteer(
        &mut self,
        mail: &mut Mail<'_>,
        speak: impl FnOnce(&mut dyn Conversation, &mut Context<'_>),
    ) -> Option<()> {
        self.say(mail, speak)?;
        self.weigh(0, mail);
        self.transcript.unasked(mail.at, &mut self.speaker.outcome, mail.out);
        self.send(mail);
        Some(())
    }

    /// Lets the conversation speak into an empty buffer; `None` if it panicked.
    fn say<T>(
        &mut self,
        mail: &mut Mail<'_>,
        speak: impl FnOnce(&mut dyn Conversation, &mut Context<'_>) -> T,
    ) -> Option<T> {
        mail.out.clear();
        mail.cuts.clear();
        let said = self.speaker.say(mail.now, mail.out, speak);
        mail.cuts.append(&mut self.speaker.outcome.cuts);
        said
    }

    /// Holds the answer against the budget of a peer that asked with so many bytes, and may be somebody else.
    fn weigh(&mut self, asked: usize, mail: &mut Mail<'_>) {
        let bytes = mail.out.len();
        if asked == 0 && bytes == 0 {
            return;
        }
        let standing = if self.speaker.outcome.proven { Standing::Proven } else { Standing::Unproven };
        let peer = (self.speaker.session.peer.ip(), standing);
        if !mail.budget.allows(peer, asked, bytes, mail.now.into_std()) {
            mail.out.clear();
            self.withhold(bytes, mail.now);
        }
    }

    /// Tells the first answer that is withheld at once, and of the others no more than one sum a second, so that a flood
    /// is as short in the record as its messages, which fold.
    fn withhold(&mut self, bytes: usize, now: Instant) {
        const EVERY: Duration = Duration::from_secs(1);
        self.withheld.0 += 1;
        self.withheld.1 += bytes;
        if self.told.is_none_or(|told| now.saturating_duration_since(told) >= EVERY) {
            self.told = Some(now);
            let withheld = self.take_withheld();
            self.speaker.outcome.events.extend(withheld);
        }
    }

    fn take_withheld(&mut self) -> Option<Kind> {
        let (answers, bytes) = std::mem::take(&mut self.withheld);
        (answers > 0).then_some(Kind::Withheld { answers, bytes })
    }

    /// Delivers what is recorded, then sends the answer.
    fn send(&mut self, mail: &mut Mail<'_>) {
        self.transcript.deliver();
        let Session { peer, local, device, .. } = &*self.speaker.session;
        let mut start = 0;
        for end in mail.cuts.iter().copied().chain(once(mail.out.len())) {
            let Some(piece) = mail.out.get(start..end).filter(|piece| !piece.is_empty()) else { continue };
            start = end;
            // An answer that finds no way is lost, as datagrams are; the next may find one.
            if mail.packets.send(piece, Route { peer: *peer, local: *local }).is_ok() {
                self.transcript.sent += piece.len() as u64;
                device.traffic().datagrams_out.add(1);
                device.traffic().octets_out.add(piece.len() as u64);
            }
        }
    }

    /// Tells what cannot be done that was asked for; why the session is over then, if it is.
    fn finish(&mut self, mail: &mut Mail<'_>) -> Option<Reason> {
        // Datagrams have no channel and no TLS. Whoever asks for one again each time it hears so is not told any more.
        const TOLD: usize = 8;
        for _ in 0..TOLD {
            if self.speaker.outcome.hang_up {
                return Some(Reason::Device);
            }
            let wishes = &mut self.speaker.outcome.effects;
            wishes.retain(|(_, effect)| *effect != Effect::Abandon);
            if wishes.is_empty() {
                return None;
            }
            wishes.remove(0);
            let news = News::Failed("datagrams have no channel");
            if self.volunteer(mail, |conversation, cx| conversation.effect(news, cx)).is_none() {
                return Some(Reason::Fault);
            }
        }
        self.speaker.outcome.effects.clear();
        None
    }
}

impl<R: Record> Drop for Correspondent<R> {
    fn drop(&mut self) {
        if self.stage != Stage::Ended {
            self.end(if std::thread::panicking() { Reason::Fault } else { Reason::Shutdown });
        }
    }
}
