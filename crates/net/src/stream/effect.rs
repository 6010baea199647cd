//! What a conversation asks of the driver, and what it hears of that. Apart, because most conversations ask for nothing,
//! and pay nothing for it.

use super::{Rest, Talk};
use crate::{
    Record, Stream,
    carrier::Handshake,
    channel::{Channel, Happening},
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

const NO_CERTIFICATE: &str = "the device has no certificate";

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
        let Some(tls) = self.tls.clone() else { return self.unable(lane, NO_CERTIFICATE) };
        match lane {
            Lane::Line if !self.line.is_plain() => return self.unable(lane, "the line is encrypted already"),
            Lane::Channel if self.channel.is_none() => return self.unable(lane, "there is no channel"),
            Lane::Line | Lane::Channel => {}
        }
        let due = Instant::now() + self.bounds.message;
        if lane == Lane::Channel {
            let Some(acceptor) = self.line.acceptor(&tls, due).await? else { return self.unable(lane, NO_CERTIFICATE) };
            let begun = self.channel.as_mut().map_or(Ok(()), |channel| channel.secure(&acceptor));
            return begun.or_else(|why| self.fail(why));
        }
        let known = self.line.input.len() as u64;
        let Some(mut handshake) = self.line.secure(&tls, due).await? else { return self.unable(lane, NO_CERTIFICATE) };
        self.heard = Instant::now();
        self.unfinished = None;
        // It was counted when it was read.
        if known > 0 {
            let (octets, pieces) = &mut handshake.trace.received;
            (*octets, *pieces) = (octets.saturating_sub(known), pieces.saturating_sub(1));
        }
        // A line on which nobody can be heard any more is over.
        self.shaken(lane, handshake)?.map_err(|(_, reason)| reason)
    }

    /// The encryption of this stream cannot begin.
    fn unable(&mut self, lane: Lane, why: &'static str) -> Result<(), Reason> {
        match lane {
            Lane::Line => self.tell(News::Failed(why)),
            Lane::Channel => self.fail(why),
        }
    }

    /// Speaks TLS before anything else, as it is done at a port for it; what is said then is the first that is said.
    pub(super) async fn secure_first(&mut self) -> Result<(), Reason> {
        self.transcript.note(SystemTime::now(), Kind::Opened, &[], &[]);
        let Some(tls) = self.tls.clone() else { return Err(Reason::Device) };
        self.transcript.deliver();
        let due = self.heard + self.bounds.message.min(self.bounds.idle);
        let Some(handshake) = self.line.secure(&tls, due).await? else {
            return Err(Reason::Device);
        };
        self.heard = Instant::now();
        self.line.seat.touch(self.heard.into_std());
        self.agree(handshake).map_err(|(_, reason)| reason)
    }

    /// Records what came of a handshake, and tells of one that did not fail.
    fn shaken(&mut self, lane: Lane, handshake: Handshake) -> Result<Result<(), (&'static str, Reason)>, Reason> {
        let result = self.agree(handshake);
        if result.is_ok() {
            self.tell(News::Secured(lane))?;
        }
        Ok(result)
    }

    /// Records what came of a handshake.
    fn agree(&mut self, Handshake { trace, agreed }: Handshake) -> Result<(), (&'static str, Reason)> {
        let at = SystemTime::now();
        self.transcript.shaken(&trace);
        match agreed {
            Ok(encryption) => {
                self.transcript.note(at, Kind::Secured(Box::new(encryption)), &trace.heard, &[]);
                Ok(())
            }
            Err(failure) => {
                // Who said nothing has not begun a handshake.
                if !trace.heard.is_empty() {
                    self.transcript.unsecured(at, &trace, failure.0);
                }
                Err(failure)
            }
        }
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
            Happening::Shaken(handshake) => self.shaken(Lane::Channel, *handshake)?.or_else(|(why, _)| self.fail(why)),
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
            self.transcript.unfinished_handshake(at, channel.take_trace());
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
