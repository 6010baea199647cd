//! What a conversation asks of the driver, and what it hears of that. Apart, because most conversations ask for nothing,
//! and pay nothing for it.

use super::{Rest, Talk};
use crate::{
    Record, Stream,
    channel::{Channel, Happening},
    tls::Handshake,
};
use honeyplant_core::{
    conversation::{Effect, Lane, News},
    event::{Kind, Reason},
};
use std::{
    task::{Context, Poll, Waker},
    time::SystemTime,
};
use tokio::{task::coop::consume_budget, time::Instant};

impl<S, R> Talk<S, R>
where
    S: Stream,
    R: Record,
{
    /// Does what is asked for, in order, each after what was said before it has been sent.
    pub(super) async fn act(&mut self) -> Result<(), Reason> {
        while !self.speaker.outcome.effects.is_empty() {
            let (said, effect) = self.speaker.outcome.effects.remove(0);
            let later = self.line.out.split_off(said.min(self.line.out.len()));
            self.transcript.deliver();
            self.flush().await?;
            self.line.out = later;
            for (other, _) in &mut self.speaker.outcome.effects {
                *other = other.saturating_sub(said);
            }
            // Whoever always asks for more would never let go of the thread.
            consume_budget().await;
            if let Some(reason) = self.line.seat.told() {
                return Err(reason);
            }
            self.perform(effect).await?;
        }
        Ok(())
    }

    async fn perform(&mut self, effect: Effect) -> Result<(), Reason> {
        match effect {
            Effect::Secure(lane) => return self.secure(lane).await,
            Effect::Listen { ports } => {
                self.let_go();
                return match Channel::listen(&self.speaker.session, ports, &mut self.speaker.random) {
                    Ok((channel, port)) => {
                        self.channel = Some(Box::new(channel));
                        self.tell(News::Listening(port))
                    }
                    Err(why) => self.tell(News::Failed(why)),
                };
            }
            Effect::Dial { port } => {
                self.let_go();
                self.channel = Some(Box::new(Channel::dial(&self.speaker.session, port)));
            }
            Effect::Abandon => self.let_go(),
            Effect::Send(bytes) => {
                let sent = self.channel.as_mut().map_or(Err("there is no channel"), |channel| channel.send(bytes));
                return sent.or_else(|why| self.fail(why));
            }
            Effect::Finish => match &mut self.channel {
                Some(channel) => channel.finish(),
                None => return self.tell(News::Failed("there is no channel")),
            },
        }
        Ok(())
    }

    async fn secure(&mut self, lane: Lane) -> Result<(), Reason> {
        let none = "the device has no certificate";
        if lane == Lane::Channel {
            let begun = match (&mut self.channel, &self.tls) {
                (Some(channel), Some(tls)) => channel.secure(tls),
                (Some(_), None) => Err(none),
                (None, _) => Err("there is no channel"),
            };
            return begun.or_else(|why| self.fail(why));
        }
        let Some(tls) = &self.tls else { return self.tell(News::Failed(none)) };
        if !self.line.is_plain() {
            return self.tell(News::Failed("the line is encrypted already"));
        }
        let known = self.line.input.len();
        let handshake = self.line.secure(tls, Instant::now() + self.bounds.message).await?;
        self.heard = Instant::now();
        self.unfinished = None;
        self.transcript.heard(handshake.heard.len().saturating_sub(known));
        // A line on which nobody can be heard any more is over.
        self.shaken(lane, handshake)?.map_err(|_| Reason::Device)
    }

    /// Records what came of a handshake, and tells of one that did not fail.
    fn shaken(&mut self, lane: Lane, handshake: Handshake) -> Result<Result<(), &'static str>, Reason> {
        let Handshake { heard, agreed } = handshake;
        let (kind, result) = match agreed {
            Ok(encryption) => (Kind::Secured(Box::new(encryption)), Ok(())),
            Err(why) => (Kind::Malformed { why }, Err(why)),
        };
        self.transcript.note(SystemTime::now(), kind, &heard, &[]);
        if result.is_ok() {
            self.tell(News::Secured(lane))?;
        }
        Ok(result)
    }

    /// Something has happened on the channel.
    pub(super) fn happened(&mut self, happening: Happening) -> Result<(), Reason> {
        self.settle();
        match happening {
            Happening::Stranger(peer) => {
                self.transcript.note(SystemTime::now(), Kind::Stranger { peer }, &[], &[]);
                Ok(())
            }
            Happening::Connected => self.tell(News::Connected),
            Happening::Shaken(handshake) => {
                self.transcript.heard(handshake.heard.len());
                self.shaken(Lane::Channel, *handshake)?.or_else(|why| self.fail(why))
            }
            Happening::Received => {
                let Some(channel) = &mut self.channel else { return Ok(()) };
                self.transcript.heard(channel.input.len());
                let input = std::mem::take(&mut channel.input);
                channel.untold.remember(&input, self.transcript.accounts);
                let told = self.tell(News::Received(&input));
                if let Some(channel) = &mut self.channel {
                    channel.input = input;
                }
                told
            }
            Happening::Sent => self.tell(News::Sent),
            Happening::Ended => self.tell(News::Ended),
            Happening::Closed => {
                let told = self.tell(News::Closed);
                self.let_go();
                told
            }
            Happening::Failed(why) => self.fail(why),
        }
    }

    /// The channel is broken if nothing went on for too long.
    pub(super) fn hurry(&mut self, now: Instant) -> Result<(), Reason> {
        match &self.channel {
            Some(channel) if channel.due(&self.bounds) <= now => self.fail(channel.lateness()),
            _ => Ok(()),
        }
    }

    /// There is no channel any more, for this reason.
    fn fail(&mut self, why: &'static str) -> Result<(), Reason> {
        let told = self.tell(News::Failed(why));
        self.let_go();
        told
    }

    fn tell(&mut self, news: News<'_>) -> Result<(), Reason> {
        // Whoever has hung up waits for nothing more.
        if self.speaker.outcome.hang_up {
            return Ok(());
        }
        let (at, out) = (SystemTime::now(), &mut self.line.out);
        let said = out.len();
        let told = self.speaker.say(Instant::now(), out, |conversation, cx| conversation.effect(news, cx));
        let accounted = matches!(news, News::Received(_) | News::Ended) && !self.speaker.outcome.events.is_empty();
        self.transcript.accounts = self.transcript.accounts.wrapping_add(accounted.into());
        self.transcript.unasked(at, &mut self.speaker.outcome, out.get(said..).unwrap_or_default());
        told.ok_or(Reason::Fault)
    }

    /// Counts what the channel has sent.
    fn settle(&mut self) {
        if let Some(channel) = &mut self.channel {
            let ((octets, writes), traffic) = (channel.take_sent(), self.speaker.session.device.traffic());
            self.transcript.sent += octets;
            traffic.octets_out.add(octets);
            traffic.segments_out.add(writes);
        }
    }

    /// Closes the channel at once; what came over it and nobody has accounted for is kept.
    pub(super) fn let_go(&mut self) {
        self.settle();
        if let Some(mut channel) = self.channel.take() {
            let at = SystemTime::now();
            self.transcript.unfinished_handshake(at, &channel.take_handshake());
            self.transcript.untold(at, channel.untold.take(self.transcript.accounts));
        }
    }

    /// The session is over: tells what has come over the channel by now, without waiting for more.
    pub(super) fn drain(&mut self) {
        /// A peer that goes on sending could keep the session for ever.
        const MOST: usize = 16;
        self.channel.iter_mut().for_each(|channel| channel.silence());
        for _ in 0..MOST {
            let Some(channel) = &mut self.channel else { return };
            let Poll::Ready(happening) = channel.poll(&mut Context::from_waker(Waker::noop())) else { return };
            if self.happened(happening).is_err() {
                return;
            }
        }
    }
}

/// What is left to do, now that something was told or not.
impl From<Result<(), Reason>> for Rest {
    fn from(told: Result<(), Reason>) -> Self {
        told.map_or_else(Self::Over, |()| Self::Done)
    }
}
