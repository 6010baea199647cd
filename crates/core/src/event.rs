//! What is recorded: the catalogue of everything that an actor can do. Apart, because protocols, the journal and every
//! sink agree here and nowhere else.

use crate::{
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A TCP connection.
    Tcp,
    /// UDP datagrams.
    Udp,
}

impl Carrier {
    /// The name that ECS gives it in `network.transport`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Bytes of an exchange; most are short.
pub type Octets = SmallVec<[u8; 40]>;

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
    /// The first address, as it stands in the message.
    pub address: u32,
    /// How many.
    pub count: u32,
    /// The tags that lie there.
    pub tags: Tags,
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
            | Self::Command(operation, _) => Some(operation),
            Self::Started { .. }
            | Self::Stopped
            | Self::Faulted { .. }
            | Self::Opened
            | Self::Exchange
            | Self::Malformed { .. }
            | Self::Closed(_) => None,
        }
    }

    /// Which values it was about, if any.
    pub const fn access(&self) -> Option<&Access> {
        match self {
            Self::Read(_, access, _) | Self::Write(_, access, _) => Some(access),
            _ => None,
        }
    }

    /// The kind in a sentence without its subject, as an operator reads it. `name` tells the name of a tag.
    pub fn sentence(&self, f: &mut impl fmt::Write, device: Option<&Device>) -> fmt::Result {
        match self {
            Self::Started { devices, mended } => {
                write!(f, "the site began to run with {}", counted(*devices as u64, "device"))?;
                if mended.is_empty() { Ok(()) } else { write!(f, "; {mended}") }
            }
            Self::Stopped => write!(f, "the site ended as it was told to"),
            Self::Faulted { device, why, .. } => write!(f, "the CPU of {device} stopped: {why}"),
            Self::Opened => write!(f, "connected"),
            Self::Exchange => write!(f, "exchanged a message"),
            Self::Unsupported(operation) | Self::Identify(operation) | Self::Diagnose(operation) => {
                write!(f, "asked: {operation}")
            }
            Self::Command(operation, _) => write!(f, "commanded: {operation}"),
            Self::Read(operation, access, values) => {
                write!(f, "read {access}")?;
                operation.unit(f)?;
                access.names(f, device)?;
                if !values.is_empty() {
                    write!(f, ": {values}")?;
                }
                write!(f, "{}", operation.verdict)
            }
            Self::Write(operation, access, change) => {
                let tried = if operation.verdict == Verdict::Done { "wrote" } else { "tried to write" };
                write!(f, "{tried} {access}")?;
                operation.unit(f)?;
                access.names(f, device)?;
                write!(f, ": ")?;
                if !change.before.is_empty() {
                    write!(f, "{} -> ", change.before)?;
                }
                write!(f, "{}{}", change.after, operation.verdict)
            }
            Self::Malformed { why } => write!(f, "sent a broken message: {why}"),
            Self::Closed(ending) => write!(
                f,
                "ended after {} and {:.1} s: {}",
                counted(ending.exchanges, "message"),
                ending.lasted.as_secs_f64(),
                ending.reason.words()
            ),
        }
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

impl Operation {
    fn unit(&self, f: &mut impl fmt::Write) -> fmt::Result {
        self.unit.iter().try_for_each(|unit| write!(f, " of unit {unit}"))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        self.unit(f)?;
        write!(f, "{}", self.verdict)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => Ok(()),
            Self::Refused { code, reason } => write!(f, " (refused with {code}: {reason})"),
            Self::Silent { reason } => write!(f, " (not answered: {reason})"),
        }
    }
}

impl Access {
    fn names(&self, f: &mut impl fmt::Write, device: Option<&Device>) -> fmt::Result {
        let mut names = self.tags.iter().filter_map(|id| device?.tag_name(*id));
        if let Some(first) = names.next() {
            write!(f, " ({first}")?;
            names.try_for_each(|name| write!(f, ", {name}"))?;
            write!(f, ")")?;
        }
        Ok(())
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            0 | 1 => write!(f, "{} {}", self.area.strip_suffix('s').unwrap_or(self.area), self.address),
            n => write!(f, "{} {} to {}", self.area, self.address, u64::from(self.address) + u64::from(n) - 1),
        }
    }
}
