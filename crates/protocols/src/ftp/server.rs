//! The server of one device: what is the same for all its sessions. Apart, because settings become it once, and sessions
//! only read it.

use super::{
    replies::{Field, Reply, Say, Template},
    settings::{Dots, Listing, Tls},
    wire::Verb,
};
use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// The server of one device.
#[derive(Debug)]
pub(super) struct Server {
    /// The replies, in the order of [`Say::ALL`].
    pub(super) replies: Vec<Reply>,
    pub(super) commands: BTreeSet<Verb>,
    pub(super) unimplemented: BTreeSet<Verb>,
    pub(super) before_login: BTreeSet<Verb>,
    pub(super) login_first: bool,
    pub(super) site: Vec<Site>,
    pub(super) features: Vec<Template>,
    /// The rows of HELP, and those of SITE HELP.
    pub(super) help: (String, String),
    pub(super) lists: Lists,
    pub(super) size_of_text: bool,
    pub(super) another_user: bool,
    pub(super) telnet: bool,
    pub(super) umask: Option<u16>,
    pub(super) unique: Template,
    pub(super) start_folder: Option<String>,
    pub(super) longest_line: usize,
    pub(super) sessions: Option<usize>,
    pub(super) attempts: Option<u32>,
    pub(super) login_delay: Duration,
    pub(super) idle: Option<Duration>,
    pub(super) passive_address: Option<Ipv4Addr>,
    pub(super) passive_ports: Option<(u16, u16)>,
    pub(super) tls: Tls,
    /// How many sessions there are.
    pub(super) open: AtomicUsize,
}

/// How it shows files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lists {
    pub(super) listing: Listing,
    pub(super) hidden: bool,
    pub(super) dots: Dots,
    pub(super) total: bool,
    pub(super) empty: bool,
}

/// A SITE command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    Chmod,
    Help,
    Idle,
    Umask,
    Utime,
}

impl Site {
    pub(super) const ALL: [Self; 5] = [Self::Chmod, Self::Help, Self::Idle, Self::Umask, Self::Utime];

    /// The name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Chmod => "CHMOD",
            Self::Help => "HELP",
            Self::Idle => "IDLE",
            Self::Umask => "UMASK",
            Self::Utime => "UTIME",
        }
    }

    /// The name that the record has for it.
    pub(super) const fn recorded(self) -> &'static str {
        match self {
            Self::Chmod => "site chmod",
            Self::Help => "site help",
            Self::Idle => "site idle",
            Self::Umask => "site umask",
            Self::Utime => "site utime",
        }
    }
}

/// What a server knows of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It has it.
    Has(Verb),
    /// It knows that it does not have it.
    Lacks(Verb),
    /// It never heard of it.
    Not,
}

impl Server {
    /// What it makes of a verb as it was written.
    pub(super) fn knows(&self, verb: &[u8]) -> Known {
        match Verb::parse(verb) {
            Some(verb) if self.commands.contains(&verb) => Known::Has(verb),
            Some(verb) if self.unimplemented.contains(&verb) => Known::Lacks(verb),
            _ => Known::Not,
        }
    }

    /// Appends a reply, and says its code.
    pub(super) fn say(&self, say: Say, out: &mut Vec<u8>, value: impl FnMut(Field) -> String) -> u16 {
        let Some(reply) = self.replies.get(say as usize) else { return 0 };
        super::wire::reply(out, reply.code, &reply.fill(value));
        reply.code
    }

    /// The code of a reply.
    pub(super) fn code(&self, say: Say) -> u16 {
        self.replies.get(say as usize).map_or(0, |reply| reply.code)
    }

    /// Takes a place for one session more, and says the how manieth it is; none if there is no place.
    pub(super) fn take_place(&self) -> Option<usize> {
        let most = self.sessions.unwrap_or(usize::MAX);
        let taken = self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < most).then_some(n + 1));
        taken.ok().map(|before| before + 1)
    }

    /// Gives a place back.
    pub(super) fn leave_place(&self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
    }
}
