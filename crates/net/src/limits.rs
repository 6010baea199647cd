//! What peers may cost. Apart, because the site sets it once and every session lives by it.

use crate::Allowance;
use std::time::Duration;

/// Further than this an instant may not be able to lie.
const AGES: Duration = Duration::from_secs(3600 * 24 * 365);

/// What all peers together may cost; nothing is refused for it: the session that was idle longest gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions at once, in all. Fewer if the system allows fewer open files.
    pub sessions: usize,
    /// Sessions at once from one source: an IPv4 address, or the 64-bit prefix of an IPv6 address, since one host has
    /// all addresses behind it.
    pub sessions_per_source: usize,
    /// Silence before a connection is closed, where the device has no time of its own.
    pub idle: Duration,
    /// Silence before a session of datagrams is over, where the device has no time of its own.
    pub udp_idle: Duration,
    /// How long a peer may take none of its answer.
    pub stuck: Duration,
    /// How long a peer may take to finish a message.
    pub message: Duration,
    /// What datagrams are answered with, to those who may be somebody else.
    pub unproven: Allowance,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 20_000,
            sessions_per_source: 16_000,
            idle: Duration::from_secs(600),
            udp_idle: Duration::from_secs(60),
            stuck: Duration::from_secs(30),
            message: Duration::from_secs(60),
            unproven: Allowance::default(),
        }
    }
}

impl Limits {
    /// What one session may cost, with a service that waits for messages of up to `longest_message` bytes, on a device
    /// that closes a silent connection after `idle`.
    pub fn bounds(&self, longest_message: usize, idle: Option<Duration>) -> Bounds {
        Bounds {
            longest_message,
            idle: idle.unwrap_or(self.idle).min(AGES),
            stuck: self.stuck.min(AGES),
            message: self.message.min(AGES),
        }
    }

    /// The silence after which a session of datagrams is over, on a device that has done with a silent peer after `idle`.
    pub(crate) fn silence(&self, idle: Option<Duration>) -> Duration {
        idle.unwrap_or(self.udp_idle).min(AGES)
    }
}

/// What one session may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes that are kept while the end of a message is missing.
    pub longest_message: usize,
    /// Silence before the connection is closed.
    pub idle: Duration,
    /// How long the peer may take none of its answer.
    pub stuck: Duration,
    /// How long the peer may take to finish a message.
    pub message: Duration,
}

/// What the system allows of open files.
pub(crate) mod descriptors {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    /// Kept for everything else: the journal, sinks, the runtime, the console, connections that are on their way out.
    pub(crate) const SPARE: usize = 200;

    /// Allows this process as many open files as it may allow itself; how many it has then.
    pub(crate) fn raise() -> usize {
        let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return usize::MAX };
        // A hard limit may be beyond what the kernel grants.
        let wanted = [hard, 1 << 20, 1 << 16].into_iter().filter(|wanted| soft < *wanted && *wanted <= hard);
        let raised = wanted.into_iter().find(|wanted| setrlimit(Resource::RLIMIT_NOFILE, *wanted, hard).is_ok());
        usize::try_from(raised.unwrap_or(soft)).unwrap_or(usize::MAX)
    }
}
