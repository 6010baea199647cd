//! The `[s7comm]` table of a profile. Apart, because it is what operators read: each line of documentation here stands in
//! the JSON Schema too.

use super::{blocks, clock, cyclic, message, plus, security, szl};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// S7comm as one device offers it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// The rack of the CPU: 0, if this is not said.
    #[schemars(with = "Option<u16>")]
    pub(super) rack: Option<Spanned<u16>>,
    /// The slot of the CPU: 2, if this is not said.
    #[schemars(with = "Option<u16>")]
    pub(super) slot: Option<Spanned<u16>>,
    /// What becomes of a connection to another rack or slot.
    #[serde(default)]
    pub(super) elsewhere: Elsewhere,
    /// The longest TPDU that it takes: 1024, if this is not said, or another power of two from 128 to 8192.
    #[schemars(with = "Option<u16>")]
    pub(super) tpdu: Option<Spanned<u16>>,
    /// The longest PDU that it takes: 240, if this is not said.
    #[schemars(with = "Option<u16>")]
    pub(super) pdu: Option<Spanned<u16>>,
    /// The most jobs that are under way at once.
    #[serde(default)]
    pub(super) jobs: Jobs,
    /// How many timers it has: 256, if this is not said.
    #[schemars(with = "Option<u16>")]
    pub(super) timers: Option<Spanned<u16>>,
    /// How many counters it has: 256, if this is not said.
    #[schemars(with = "Option<u16>")]
    pub(super) counters: Option<Spanned<u16>>,
    /// What becomes of a PDU of S7comm-plus.
    #[serde(default)]
    pub(super) plus: plus::Plus,
    /// The system status lists.
    #[serde(default)]
    pub(super) szl: szl::Settings,
    /// The clock.
    #[serde(default)]
    pub(super) clock: clock::Settings,
    /// Values that are told cyclically.
    #[serde(default)]
    pub(super) cyclic: cyclic::Settings,
    /// Messages that the CPU sends by itself.
    #[serde(default)]
    pub(super) message: message::Settings,
    /// Passwords and levels of protection.
    #[serde(default)]
    pub(super) protection: security::Settings,
    /// The blocks of the program.
    #[serde(default)]
    pub(super) blocks: blocks::Settings,
}

/// The most jobs that are under way at once: 8 of each side, if this is not said.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Jobs {
    /// Of the peer.
    #[schemars(with = "Option<u16>")]
    pub(super) calling: Option<Spanned<u16>>,
    /// Of the CPU.
    #[schemars(with = "Option<u16>")]
    pub(super) called: Option<Spanned<u16>>,
}

/// What becomes of a connection to a rack or slot where the CPU is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Elsewhere {
    /// It is closed without an answer: users of CPUs of the 300 and 400 family tell of connections that are reset.
    #[default]
    Close,
    /// It is refused with a DR.
    Refuse,
    /// It reaches the CPU all the same.
    Accept,
}
