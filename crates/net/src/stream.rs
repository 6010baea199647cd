//! The one loop that carries a conversation over a stream. Apart, because it is where the laws hold for every protocol:
//! recorded before it is answered, everything recorded, every wait bounded, a fault ends one session only.

mod effect;

use crate::{
    Bounds, Record, Seat,
    channel::Channel,
    line::{Heard, Line, Stream},
    speaker::Speaker,
    tls::Tls,
    transcript::Transcript,
};
use honeyplant_core::{
    conversation::{Conversation, Step},
    event::{Carrier, Kind, Reason, Session},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// Answers are sent before more than this waits to be.
const ANSWERS: usize = 64 * 1024;
/// Events are delivered before more than this wait to be.
const EVENTS: usize = 64;
/// After this silence, memory that only a busy session needs is given back.
const REST: Duration = Duration::from_secs(1);

/// Carries one conversation over one stream until the peer, the device, a limit or `seat` ends it.
///
/// Generic where bytes flow, dynamic where protocols plug in. All that happens is told to `record`, from
/// [`Kind::Opened`] to [`Kind::Closed`], also if the returned future is dropped before it is done. Without `tls`, there is
/// no encryption to be had.
pub fn drive<S, R>(
    stream: S,
    conversation: Box<dyn Conversation>,
    session: Arc<Session>,
    bounds: Bounds,
    record: R,
    seat: Seat,
    tls: Option<Tls>,
) -> impl Future<Output = ()>
where
    S: Stream,
    R: Record,
{
    // Put together outside of the future: an async function would keep its arguments a second time, in every session.
    let now = Instant::now();
    let mut talk = Talk {
        line: Line::new(stream, seat),
        boots: session.device.boots(),
        speaker: Speaker::new(conversation, session.clone()),
        transcript: Transcript::new(session, record, now.into_std()),
        channel: None,
        tls,
        bounds,
        heard: now,
        unfinished: None,
        rested: false,
        greeted: false,
        ended: false,
    };
    async move {
        let reason = talk.hold(now).await;
        match reason {
            Reason::Peer | Reason::Broken => {}
            Reason::Restart => {
                talk.line.sever();
                talk.channel.iter().for_each(|channel| channel.sever());
            }
            _ => match talk.line.hang_up().await {
                0 => {}
                heard => talk.transcript.heard(heard),
            },
        }
        talk.end(reason);
    }
}

struct Talk<S, R>
where
    S: Stream,
    R: Record,
{
    line: Line<S>,
    speaker: Speaker,
    transcript: Transcript<R>,
    channel: Option<Box<Channel>>,
    tls: Option<Tls>,
    bounds: Bounds,
    /// How often the device had been restarted when the session began.
    boots: u32,
    /// When the peer was last heard.
    heard: Instant,
    /// Since when a message waits for its end.
    unfinished: Option<Instant>,
    rested: bool,
    /// Whether the conversation has begun.
    greeted: bool,
    ended: bool,
}

/// What is left to do with what was heard.
enum Rest {
    /// Nothing, until more is heard.
    Done,
    /// There may be more messages in it.
    More,
    /// The session is over.
    Over(Reason),
}

impl<S, R> Talk<S, R>
where
    S: Stream,
    R: Record,
{
    async fn hold(&mut self, now: Instant) -> Reason {
        if let Some(reason) = self.gone(now).await {
            return reason;
        }
        if self.speaker.session.carrier == Carrier::Tls {
            // Boxed, for every session would have the room for it.
            if let Err(reason) = Box::pin(self.secure_first()).await {
                return reason;
            }
        }
        let mut rest = self.open();
        loop {
            // What was asked for by whoever failed is not done.
            if !self.speaker.outcome.effects.is_empty() && !matches!(rest, Rest::Over(_)) {
                // Boxed, for every session would have the room for it.
                if let Err(reason) = Box::pin(self.act()).await {
                    return reason;
                }
            }
            self.transcript.deliver();
            if let Err(reason) = self.flush().await {
                return reason;
            }
            if let Rest::Over(reason) = rest {
                return reason;
            }
            if self.speaker.outcome.hang_up {
                return Reason::Device;
            }
            if self.transcript.is_full() {
                self.wait_for_record().await;
            }
            if let Some(reason) = self.line.seat.told() {
                return reason;
            }
            let heard = match rest {
                Rest::More => None,
                Rest::Done | Rest::Over(_) => match self.line.hear(self.due(), self.channel.as_deref_mut()).await {
                    Ok(heard) => Some(heard),
                    Err(reason) => return reason,
                },
            };
            let now = Instant::now();
            if let Some(Heard::Bytes(count)) = heard {
                self.transcript.heard(count);
            }
            if let Some(reason) = self.gone(now).await {
                return reason;
            }
            rest = match heard {
                Some(Heard::Alarm) => match self.late(now) {
                    Some(reason) => return reason,
                    None => self.hurry(now).into(),
                },
                Some(Heard::Channel(happening)) => self.happened(happening).into(),
                Some(Heard::Bytes(_)) => {
                    self.heard = now;
                    self.rested = false;
                    self.line.seat.touch(now.into_std());
                    self.receive(now)
                }
                None => self.receive(now),
            };
            let over = self.speaker.outcome.hang_up || matches!(rest, Rest::Over(_));
            if !over && self.speaker.outcome.wake.is_some_and(|at| at <= now.into_std()) {
                rest = self.wake(now, rest);
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Reason> {
        let Self { line, transcript, speaker, bounds, .. } = self;
        line.flush(bounds.stuck, &mut transcript.sent, speaker.session.device.traffic()).await
    }

    /// A device that restarts is silent until it is back, and then knows nothing of the connections that it had.
    async fn gone(&mut self, now: Instant) -> Option<Reason> {
        let device = &self.speaker.session.device;
        if device.boots() == self.boots && device.back(now.into_std()).is_none() {
            return None;
        }
        let device = device.clone();
        while let Some(back) = device.back(Instant::now().into_std()) {
            self.line.pause(back.into()).await;
            if let Some(reason) = self.line.seat.told() {
                return Some(reason);
            }
        }
        Some(Reason::Restart)
    }

    /// A full record makes peers wait; nothing is dropped.
    async fn wait_for_record(&mut self) {
        let mut pause = Duration::from_millis(1);
        while self.transcript.is_full() && self.line.seat.told().is_none() {
            self.line.pause(Instant::now() + pause).await;
            // Thousands that wait must not keep the processor busy with waiting.
            pause = (2 * pause).min(Duration::from_millis(16));
        }
    }

    /// The next instant at which something is to be done though nothing is heard.
    fn due(&self) -> Instant {
        let large = !self.rested && (self.line.is_large() || self.transcript.is_large());
        let idle = if large { REST.min(self.bounds.idle) } else { self.bounds.idle };
        let mut due = self.heard + idle;
        if let Some(channel) = &self.channel {
            due = due.max(channel.moved + idle).min(channel.due(&self.bounds));
        }
        if let Some(since) = self.unfinished {
            due = due.min(since + self.bounds.message);
        }
        if let Some(at) = self.speaker.outcome.wake {
            due = due.min(at.into());
        }
        due
    }

    /// Nothing was heard for long: is it over?
    fn late(&mut self, now: Instant) -> Option<Reason> {
        let slow = self.unfinished.is_some_and(|since| since + self.bounds.message <= now);
        // A deadline of the device comes before ours: it may have its own way to end.
        let wakes = self.speaker.outcome.wake.is_some_and(|at| at <= now.into_std());
        let heard = self.channel.as_ref().map_or(self.heard, |channel| channel.moved.max(self.heard));
        if !wakes && (slow || heard + self.bounds.idle <= now) {
            return Some(Reason::Idle);
        }
        if !self.rested && self.heard + REST <= now {
            self.rested = true;
            self.line.shrink();
            self.transcript.shrink();
            self.speaker.outcome.events.shrink_to(1);
        }
        None
    }

    fn open(&mut self) -> Rest {
        self.greeted = true;
        let (at, out) = (SystemTime::now(), &mut self.line.out);
        let opened = self.speaker.say(Instant::now(), out, |conversation, cx| conversation.open(cx));
        let mut reply = &out[..];
        if !self.transcript.has_begun() {
            self.transcript.note(at, Kind::Opened, &[], std::mem::take(&mut reply));
        }
        // What was said is with the opening already.
        self.transcript.unasked(at, &mut self.speaker.outcome, reply);
        opened.map_or(Rest::Over(Reason::Fault), |()| Rest::Done)
    }

    fn wake(&mut self, now: Instant, rest: Rest) -> Rest {
        self.speaker.outcome.wake = None;
        let (at, out) = (SystemTime::now(), &mut self.line.out);
        let said = out.len();
        let woken = self.speaker.say(now, out, |conversation, cx| conversation.wake(cx));
        self.transcript.unasked(at, &mut self.speaker.outcome, out.get(said..).unwrap_or_default());
        // Whoever always wants to be woken at once would never let go of the thread.
        let soon = now.into_std() + Duration::from_millis(1);
        self.speaker.outcome.wake = self.speaker.outcome.wake.map(|at| at.max(soon));
        woken.map_or(Rest::Over(Reason::Fault), |()| rest)
    }

    /// Deals with what was heard, message by message.
    fn receive(&mut self, now: Instant) -> Rest {
        let Self { line: Line { input, out, .. }, speaker, transcript, bounds, unfinished, .. } = self;
        let (at, mut used) = (SystemTime::now(), 0);
        let rest = loop {
            let Some(heard) = input.get(used..).filter(|heard| !heard.is_empty() && !speaker.outcome.hang_up) else {
                *unfinished = None;
                break Rest::Done;
            };
            // What is asked for is done before the next message is dealt with.
            if out.len() > ANSWERS || transcript.waiting() >= EVENTS || !speaker.outcome.effects.is_empty() {
                break Rest::More;
            }
            let said = out.len();
            match speaker.say(now, out, |conversation, cx| conversation.receive(heard, cx)) {
                Some(Step::Took(count)) if count > 0 && count <= heard.len() => {
                    let (request, reply) = (heard.get(..count), out.get(said..));
                    let (request, reply) = (request.unwrap_or_default(), reply.unwrap_or_default());
                    transcript.exchange(at, &mut speaker.outcome, request, reply);
                    used += count;
                    *unfinished = None;
                }
                Some(Step::Wait) => {
                    let reply = out.get(said..).unwrap_or_default();
                    transcript.unasked(at, &mut speaker.outcome, reply);
                    if heard.len() > bounds.longest_message {
                        let why = "the message is longer than the device takes";
                        transcript.malformed(at, why, heard);
                        used = input.len();
                        break Rest::Over(Reason::Device);
                    }
                    unfinished.get_or_insert(now);
                    break Rest::Done;
                }
                // It panicked, or took what is not there. What it has said about it is not to be trusted.
                Some(Step::Took(_)) | None => {
                    out.truncate(said);
                    transcript.exchange(at, &mut speaker.outcome, heard, &[]);
                    used = input.len();
                    break Rest::Over(Reason::Fault);
                }
            }
        };
        if used == input.len() {
            input.clear();
        } else {
            input.drain(..used);
        }
        rest
    }

    fn end(&mut self, reason: Reason) {
        self.ended = true;
        let (at, now) = (SystemTime::now(), Instant::now());
        if !self.line.input.is_empty() {
            let why = match self.unfinished {
                Some(_) => "the message was not finished",
                None => "the session ended before the message was read",
            };
            self.transcript.malformed(at, why, &self.line.input);
        }
        let trace = self.line.take_trace();
        self.transcript.unfinished_handshake(at, trace);
        // Who was never greeted has nothing to end.
        if self.greeted && !std::thread::panicking() {
            self.drain();
            self.line.out.clear();
            self.speaker.end(now, &mut self.line.out);
            self.transcript.unasked(at, &mut self.speaker.outcome, &[]);
        }
        self.let_go();
        self.transcript.close(at, now.into_std(), reason);
    }
}

impl<S, R> Drop for Talk<S, R>
where
    S: Stream,
    R: Record,
{
    fn drop(&mut self) {
        if !self.ended {
            self.end(if std::thread::panicking() { Reason::Fault } else { Reason::Shutdown });
        }
    }
}
