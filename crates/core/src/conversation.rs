//! The one interface that every protocol implements.
//!
//! A [`Conversation`] is a state machine that is given bytes and time and answers into a buffer. Sockets, timers,
//! limits and the record belong to whoever drives it: `honeyplant-net` in production, `honeyplant-dialogue` in tests
//! and under the fuzzer.
//!
//! What only the driver can do, such as opening a port or encrypting a line, is an [`Effect`] that the conversation asks
//! for and hears of as [`News`].

use crate::{
    artefact::Artefact,
    device::Device,
    event::{Carrier, Kind, Session},
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
    /// [`Context::hang_up`]. A datagram is one whole `input`, given once: what is not taken of it is passed over.
    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step;

    /// The instant last passed to [`Context::wake_at`] has come.
    fn wake(&mut self, _cx: &mut Context<'_>) {}

    /// Something came of what was asked for with [`Context::ask`].
    fn effect(&mut self, _news: News<'_>, _cx: &mut Context<'_>) {}

    /// The session is over, whoever ended it. The last occasion to record and to keep; what is said or asked for now is
    /// not heard any more.
    fn end(&mut self, _cx: &mut Context<'_>) {}
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

    /// What is in `out` so far goes in datagrams that end here, and what follows in another. A stream has no such ends.
    pub fn cut(&mut self) {
        self.outcome.cuts.push(self.out.len());
    }

    /// The peer has shown that it hears what is sent to its address, which the source address of a datagram does not
    /// show. Its answers are no longer counted against the budget of those who may be somebody else.
    pub const fn prove(&mut self) {
        self.outcome.proven = true;
    }

    /// Asks for something that only the driver can do. Effects happen in the order asked for, after what is in `out` by
    /// then has been sent.
    pub fn ask(&mut self, effect: Effect) {
        self.outcome.effects.push((self.out.len(), effect));
    }

    /// Keeps bytes that the actor left, and says what they are called from now on.
    pub fn keep(&mut self, bytes: Vec<u8>) -> crate::artefact::Digest {
        let artefact = Artefact::new(bytes);
        let digest = artefact.digest();
        self.outcome.artefacts.push(artefact);
        digest
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
    /// Whether the peer has shown that it hears what is sent to its address.
    pub proven: bool,
    /// Where in [`Context::out`] a datagram ends, if not only at its end.
    pub cuts: Vec<usize>,
    /// What the driver is asked to do, each with how much of [`Context::out`] is to be sent before.
    pub effects: Vec<(usize, Effect)>,
    /// What the actor left.
    pub artefacts: Vec<Artefact>,
}

/// Something that only the driver can do.
///
/// Besides the line that it came over, a conversation may have one **channel** at a time: a second stream to the same
/// peer. There is no way to ask for one to anybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Speak TLS as the server from here on: [`News::Secured`], or [`News::Failed`].
    Secure(Lane),
    /// Wait for the peer to open the channel, at the address that it spoke to: [`News::Listening`], then
    /// [`News::Connected`]; or [`News::Failed`]. Whoever else connects is turned away, and recorded.
    Listen {
        /// The first and the last port to choose from; any without it.
        ports: Option<(u16, u16)>,
    },
    /// Open the channel to this port of the peer: [`News::Connected`], or [`News::Failed`].
    Dial {
        /// The port.
        port: u16,
    },
    /// Send these bytes over the channel: [`News::Sent`] once all that was to be sent is on its way.
    Send(Vec<u8>),
    /// Say over the channel that nothing more will come, and close it once all is sent: [`News::Closed`].
    Finish,
    /// Close the channel at once, or stop waiting for it. There is no news of that.
    Abandon,
}

/// One of the two streams that a conversation may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The line that the conversation came over.
    Line,
    /// The channel.
    Channel,
}

/// What came of an [`Effect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// This stream is encrypted from here on.
    Secured(Lane),
    /// The channel is waited for at this port of the address that was spoken to.
    Listening(u16),
    /// The channel is open.
    Connected,
    /// These bytes came over the channel.
    Received(&'a [u8]),
    /// All that was to be sent over the channel is on its way.
    Sent,
    /// The peer sends nothing more over the channel; it may still be sent to.
    Ended,
    /// The channel was closed as it was asked to.
    Closed,
    /// It could not be done, or the channel broke: there is none any more. Why, in words.
    Failed(&'static str),
}

/// How a service is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A TCP port.
    Tcp(u16),
    /// A TCP port on which TLS begins at once.
    Tls(u16),
    /// A UDP port.
    Udp(u16),
}

impl Transport {
    /// The port.
    pub const fn port(self) -> u16 {
        match self {
            Self::Tcp(port) | Self::Tls(port) | Self::Udp(port) => port,
        }
    }

    /// The same, at another port.
    pub const fn at(self, port: u16) -> Self {
        match self {
            Self::Tcp(_) => Self::Tcp(port),
            Self::Tls(_) => Self::Tls(port),
            Self::Udp(_) => Self::Udp(port),
        }
    }

    /// What carries the bytes.
    pub const fn carrier(self) -> Carrier {
        match self {
            Self::Tcp(_) => Carrier::Tcp,
            Self::Tls(_) => Carrier::Tls,
            Self::Udp(_) => Carrier::Udp,
        }
    }
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

    /// Where real devices offer it. A profile's `listen.port` counts for all of them.
    fn transports(&self) -> &'static [Transport];

    /// The JSON Schema of its table in a profile.
    fn schema(&self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema;

    /// Resolves a profile's table against a device: every name that does not exist is found here, not later.
    fn build(&self, settings: &Settings<'_>, device: &Device) -> Result<Arc<dyn Service>, Vec<Problem>>;
}
