//! The one interface that every protocol implements.
//!
//! A [`Conversation`] is a state machine that is given bytes and time and answers into a buffer. Sockets, timers,
//! limits and the record belong to whoever drives it: `honeyplant-net` in production, `honeyplant-dialogue` in tests
//! and under the fuzzer.

use crate::{
    device::Device,
    event::{Kind, Session},
    random::Random,
    settings::{Problem, Settings},
};
use std::{sync::Arc, time::Instant};

/// One peer's dialogue with one service of one device.
pub trait Conversation: Send {
    /// The peer connected; protocols that speak first greet here.
    fn open(&mut self, _cx: &mut Context<'_>) {}

    /// Takes at most one message off the front of `input` and answers it into [`Context::out`].
    ///
    /// Called again with what is left until it says [`Step::Wait`]; never with empty input, and never again after
    /// [`Context::hang_up`]. A datagram is one whole `input`.
    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step;

    /// The instant last passed to [`Context::wake_at`] has come.
    fn wake(&mut self, _cx: &mut Context<'_>) {}
}

/// What became of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// The first `n` bytes were one message; it has been dealt with. Never 0, never more than there are.
    Took(usize),
    /// There is no whole message yet.
    Wait,
}

/// Everything that a conversation can see and do.
#[derive(Debug)]
pub struct Context<'a> {
    /// The time, which conversations never ask the system for.
    pub now: Instant,
    /// Who is speaking, and to which device.
    pub session: &'a Session,
    /// Where chance comes from.
    pub random: &'a mut Random,
    /// Answers are appended here.
    pub out: &'a mut Vec<u8>,
    /// What else is to happen.
    pub outcome: &'a mut Outcome,
}

impl Context<'_> {
    /// The device that is spoken to.
    pub fn device(&self) -> &Device {
        &self.session.device
    }

    /// Records something that the actor did. The bytes of the exchange are added by the driver.
    pub fn record(&mut self, kind: Kind) {
        self.outcome.events.push(kind);
    }

    /// Asks for [`Conversation::wake`] at `at`, replacing any earlier wish.
    pub const fn wake_at(&mut self, at: Instant) {
        self.outcome.wake = Some(at);
    }

    /// Ends the conversation once what is in `out` has been sent.
    pub const fn hang_up(&mut self) {
        self.outcome.hang_up = true;
    }
}

/// What a conversation wants done besides its answer. Owned by the driver and used again for every message.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What happened, in order.
    pub events: Vec<Kind>,
    /// The next deadline.
    pub wake: Option<Instant>,
    /// Whether to close after sending.
    pub hang_up: bool,
}

/// How a service is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A TCP port.
    Tcp(u16),
}

/// One protocol as one device offers it, settings resolved: a factory of conversations.
pub trait Service: Send + Sync {
    /// Starts a conversation with a new peer.
    fn converse(&self) -> Box<dyn Conversation>;

    /// The length in bytes of the longest message that it waits for the end of.
    fn longest_message(&self) -> usize;
}

/// One protocol that this program speaks.
pub trait Protocol: Sync {
    /// The key under which profiles configure it, and the name that events carry.
    fn name(&self) -> &'static str;

    /// Where real devices offer it.
    fn transport(&self) -> Transport;

    /// The JSON Schema of its table in a profile.
    fn schema(&self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema;

    /// Resolves a profile's table against a device: every name that does not exist is found here, not later.
    fn build(&self, settings: &Settings<'_>, device: &Device) -> Result<Arc<dyn Service>, Vec<Problem>>;
}
