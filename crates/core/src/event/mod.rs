//! What is recorded: the catalogue of everything that an actor can do. Apart, because protocols, the journal and every
//! sink agree here and nowhere else.

mod facts;
mod sentence;

pub use facts::{BlockAccess, BlockAct, BlockHeader, Encryption, FileAccess, FileAct, Hello, Login, Request};

use crate::{
    artefact::Digest,
    device::Device,
    plant::{Tags, Value},
};
use smallvec::SmallVec;
use std::{
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Who is speaking with what. Bound when the connection is accepted; nothing that a peer sends can change it.
#[derive(Debug)]
pub struct Session {
    /// Unlike any other of this install; later ones are greater.
    pub id: u64,
    /// The actor's address.
    pub peer: SocketAddr,
    /// The address that was spoken to.
    pub local: SocketAddr,
    /// How the bytes came.
    pub carrier: Carrier,
    /// The name of the protocol.
    pub protocol: &'static str,
    /// The device that was spoken to.
    pub device: Arc<Device>,
}

/// How the bytes of a session come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// A TCP connection.
    Tcp,
    /// A TCP connection on which TLS begins at once.
    Tls,
    /// UDP datagrams.
    Udp,
}

impl Carrier {
    /// The name that ECS gives it in `network.transport`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp | Self::Tls => "tcp",
            Self::Udp => "udp",
        }
    }

    /// Whether the bytes come as a stream, without ends of their own.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }
}

/// Bytes of an exchange; most are short.
pub type Octets = SmallVec<[u8; 64]>;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: SystemTime,
    /// Whose session; none for what happened to the site itself.
    pub session: Option<Arc<Session>>,
    /// What.
    pub kind: Kind,
    /// The bytes that made it happen.
    pub request: Octets,
    /// The bytes that were answered.
    pub reply: Octets,
}

/// The catalogue of everything that can be recorded. `docs/events.md` explains each for those who read the record.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The site began to run.
    Started {
        /// How many devices it has.
        devices: usize,
        /// What had to be mended in the record of the run before, in words; empty if nothing.
        mended: String,
    },
    /// The site ended as it was told to.
    Stopped,
    /// The CPU of a device stopped by itself.
    Faulted {
        /// The name of the device.
        device: Arc<str>,
        /// The name of its profile.
        profile: Arc<str>,
        /// Why, with the line of the program.
        why: Box<str>,
    },
    /// A peer connected.
    Opened,
    /// A message that its protocol had no more to say about.
    Exchange,
    /// A function that the device does not have was asked for.
    Unsupported(Operation),
    /// The device was asked who it is.
    Identify(Operation),
    /// The device was asked how it is.
    Diagnose(Operation),
    /// Values were asked for.
    Read(Operation, Access, Values),
    /// Values were changed, or were to be.
    Write(Operation, Access, Change),
    /// Something other than a value was to change.
    Command(Operation, Command),
    /// Somebody said who they are.
    Login(Operation, Box<Login>),
    /// A file or folder was asked for, left, or changed.
    File(Operation, Box<FileAccess>),
    /// A block of the program or of its data was asked for, brought, put to use or deleted.
    Block(Operation, Box<BlockAccess>),
    /// A page or another resource of a web server was asked for.
    Request(Operation, Box<Request>),
    /// The device was to connect to somebody else.
    Relay(Operation, SocketAddr),
    /// From here on the bytes of the session were encrypted; what is recorded is what they said.
    Secured(Box<Encryption>),
    /// The peer wanted the session encrypted, and no encryption came of it.
    Unsecured {
        /// Why not.
        why: &'static str,
        /// What it had offered.
        hello: Box<Hello>,
    },
    /// Somebody else than the peer came to a port that was opened for it, and was turned away.
    Stranger {
        /// Who.
        peer: SocketAddr,
    },
    /// Answers were not sent, because whoever is behind a forged source address would have got more than was asked with.
    /// Of those within a second, the sum is told.
    Withheld {
        /// How many.
        answers: usize,
        /// How many bytes they had.
        bytes: usize,
    },
    /// What an actor left was not kept.
    Discarded {
        /// What it was.
        digest: Digest,
        /// How many bytes it had.
        size: u64,
        /// Why not.
        why: &'static str,
    },
    /// Bytes that are not the protocol, or a broken message of it.
    Malformed {
        /// Why, naming the rule that is broken.
        why: &'static str,
    },
    /// The session ended.
    Closed(Ending),
}

/// What was asked, in the protocol's own terms, and how the device took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The standard's name of the function, in lower case.
    pub name: &'static str,
    /// The standard's number of the function.
    pub code: u16,
    /// The unit, station or slot that was spoken to behind the address, if the protocol has any.
    pub unit: Option<u16>,
    /// How the device took it.
    pub verdict: Verdict,
}

/// How a device took what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did it.
    Done,
    /// It refused, as the protocol has it.
    Refused {
        /// The protocol's code of the refusal.
        code: u16,
        /// The protocol's name of it, in lower case.
        reason: &'static str,
    },
    /// It did not answer, as such a device would not.
    Silent {
        /// Why it does not answer.
        reason: &'static str,
    },
}

/// Which values an operation was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The protocol's name of the memory, in the plural, such as `holding registers`.
    pub area: &'static str,
    /// Where in it.
    pub address: Address,
    /// How many.
    pub count: u32,
    /// The tags that lie there.
    pub tags: Tags,
}

/// A place in a memory, as the protocol has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// The first of consecutive numbers, as it stands in the message.
    Number(u32),
    /// Each by its name, such as an object identifier or the name of a variable.
    Names(Vec<Box<str>>),
}

impl From<u32> for Address {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

/// Values as a protocol carried them.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// None: the operation was refused.
    None,
    /// Bits.
    Bits(SmallVec<[bool; 16]>),
    /// Registers of 16 bits.
    Words(SmallVec<[u16; 16]>),
    /// Values with a type of their own.
    Typed(Vec<Value>),
}

/// What a write changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The values before.
    pub before: Values,
    /// The values that were sent.
    pub after: Values,
}

/// What else than values an actor can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Communication, or the whole device, starts again.
    Restart,
    /// The device is no longer to answer.
    Silence,
    /// Counters and logs of the device are emptied.
    Clear,
    /// A setting of the communication is changed.
    Configure,
    /// The clock is set.
    Clock,
    /// Something is chosen that a later command is to move.
    Select,
    /// What was chosen, or is going on, is given up.
    Cancel,
    /// The CPU is to run.
    Start,
    /// The CPU is to stop.
    Stop,
    /// What is in the working memory is to survive a restart.
    Save,
    /// Memory that is in pieces is to be put together.
    Compress,
    /// From now on something is to be told by itself.
    Subscribe,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Who or what ended it.
    pub reason: Reason,
    /// How many messages the peer had sent.
    pub exchanges: u64,
    /// How many bytes the peer had sent.
    pub received: u64,
    /// How many bytes the device had sent.
    pub sent: u64,
    /// How long it lasted.
    pub lasted: Duration,
}

/// Who or what ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The peer closed the connection.
    Peer,
    /// The connection broke.
    Broken,
    /// The device hung up.
    Device,
    /// The peer was silent too long.
    Idle,
    /// The peer did not take its answers.
    Stuck,
    /// A newer session needed the place.
    Crowded,
    /// The site was told to end.
    Shutdown,
    /// The device restarted.
    Restart,
    /// A fault of ours.
    Fault,
}

impl Reason {
    /// The reason in the words of the record.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Peer => "the peer closed",
            Self::Broken => "the connection broke",
            Self::Device => "the device hung up",
            Self::Idle => "the peer was silent too long",
            Self::Stuck => "the peer did not take its answers",
            Self::Crowded => "a newer session needed the place",
            Self::Shutdown => "the site was told to end",
            Self::Restart => "the device restarted",
            Self::Fault => "a fault of honeyplant",
        }
    }
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Bits(bits) => bits.len(),
            Self::Words(words) => words.len(),
            Self::Typed(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as those of IEC 61131-3.
    pub fn to_vec(&self) -> Vec<Value> {
        match self {
            Self::None => Vec::new(),
            Self::Bits(bits) => bits.iter().map(|bit| Value::Bool(*bit)).collect(),
            Self::Words(words) => words.iter().map(|word| Value::Uint((*word).into())).collect(),
            Self::Typed(values) => values.clone(),
        }
    }
}

/// The first values, and how many more there are.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let values = self.to_vec();
        for (i, value) in values.iter().take(SHOWN).enumerate() {
            write!(f, "{}{value}", if i > 0 { " " } else { "" })?;
        }
        match values.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl Kind {
    /// The name of the kind in `event.action`.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Stopped => "stopped",
            Self::Faulted { .. } => "faulted",
            Self::Opened => "opened",
            Self::Exchange => "exchange",
            Self::Unsupported(_) => "unsupported",
            Self::Identify(_) => "identify",
            Self::Diagnose(_) => "diagnose",
            Self::Read(..) => "read",
            Self::Write(..) => "write",
            Self::Command(..) => "command",
            Self::Login(..) => "login",
            Self::File(_, access) => access.act.action(),
            Self::Block(_, access) => access.act.action(),
            Self::Request(..) => "request",
            Self::Relay(..) => "relay",
            Self::Secured(_) => "secured",
            Self::Unsecured { .. } => "unsecured",
            Self::Stranger { .. } => "stranger",
            Self::Withheld { .. } => "withheld",
            Self::Discarded { .. } => "discarded",
            Self::Malformed { .. } => "malformed",
            Self::Closed(_) => "closed",
        }
    }

    /// What was asked, if the message was understood.
    pub const fn operation(&self) -> Option<&Operation> {
        match self {
            Self::Unsupported(operation)
            | Self::Identify(operation)
            | Self::Diagnose(operation)
            | Self::Read(operation, ..)
            | Self::Write(operation, ..)
            | Self::Command(operation, _)
            | Self::Login(operation, _)
            | Self::File(operation, _)
            | Self::Block(operation, _)
            | Self::Request(operation, _)
            | Self::Relay(operation, _) => Some(operation),
            Self::Started { .. }
            | Self::Stopped
            | Self::Faulted { .. }
            | Self::Opened
            | Self::Exchange
            | Self::Secured(_)
            | Self::Unsecured { .. }
            | Self::Stranger { .. }
            | Self::Withheld { .. }
            | Self::Discarded { .. }
            | Self::Malformed { .. }
            | Self::Closed(_) => None,
        }
    }

    /// What the actor left, if it was about that.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::File(_, access) => access.digest,
            Self::Block(_, access) => access.digest,
            Self::Request(_, request) => request.digest,
            Self::Discarded { digest, .. } => Some(*digest),
            _ => None,
        }
    }

    /// Which values it was about, if any.
    pub const fn access(&self) -> Option<&Access> {
        match self {
            Self::Read(_, access, _) | Self::Write(_, access, _) => Some(access),
            _ => None,
        }
    }
}
