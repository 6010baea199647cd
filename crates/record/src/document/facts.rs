//! What ECS has no field for. Apart, because we decide it, and it has a version of its own.

use super::{Address, SessionId, Stamp};
use crate::series::Series;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// `honeyplant.*`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Facts<'a> {
    /// The version of these fields.
    pub schema: u32,
    /// The name of the site.
    pub site: Cow<'a, str>,
    /// The device that was spoken to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Decoy<'a>>,
    /// The session that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Conversed>,
    /// What was asked, in the protocol's own terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Asked<'a>>,
    /// How the device refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal<'a>>,
    /// Why the device did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<Cow<'a, str>>,
    /// What was commanded: `restart`, `silence`, `clear`, `configure`, `clock`, `select`, `cancel`, `start`, `stop`, `save`,
    /// `compress` or `subscribe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Cow<'a, str>>,
    /// The memory that was spoken of, in the protocol's own terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Cow<'a, str>>,
    /// The first address in it, as it stood in the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<u32>,
    /// The names in it that were spoken of, where it goes by names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Cow<'a, str>>,
    /// How many values were spoken of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The names of the tags that lie there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Cow<'a, str>>,
    /// The values that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Series<'a>>,
    /// The values before they were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Series<'a>>,
    /// The values that were written, or were to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Series<'a>>,
    /// The secret that somebody named: a password or a community.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Cow<'a, str>>,
    /// The block of a program or of its data that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<Block<'a>>,
    /// The path that a file or folder was to have afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Cow<'a, str>>,
    /// Whom the device was to connect to, or who came to a port that was opened for another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub third: Option<Address>,
    /// What was withheld from a source that is not proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
    /// Why an artefact was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discarded: Option<Cow<'a, str>>,
    /// Which rule of its protocol a broken message breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub malformed: Option<Cow<'a, str>>,
    /// Why the CPU of the device stopped by itself, with the line of its program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Cow<'a, str>>,
    /// How the session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Closing<'a>>,
    /// The scanner or tool that the actor is recognised by, when it first is in a session and when the session ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Cow<'a, Tool>>,
    /// What the whole session came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Cow<'a, Summed>>,
    /// How many devices the site has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<u64>,
    /// What had to be mended in the record of the run before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mended: Option<Cow<'a, str>>,
    /// How many equal events this stands for, all between `event.start` and `event.end`. Absent for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated: Option<u64>,
    /// What the actor sent; of equal events, the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Bytes<'a>>,
    /// What was answered; of equal events, the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Bytes<'a>>,
}

/// `honeyplant.device.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decoy<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// The name of its profile.
    pub profile: Cow<'a, str>,
}

/// `honeyplant.session.*`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conversed {
    /// Its number, unlike any other of the install.
    pub id: SessionId,
}

/// `honeyplant.operation.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked<'a> {
    /// The standard's name of the function.
    pub name: Cow<'a, str>,
    /// The standard's number of the function.
    pub code: u16,
    /// The unit, station or slot behind the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<u16>,
}

/// `honeyplant.refusal.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal<'a> {
    /// The protocol's code of it.
    pub code: u16,
    /// The protocol's name of it.
    pub reason: Cow<'a, str>,
}

/// `honeyplant.block.*`; all but the name is what the block tells of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Block<'a> {
    /// Which, such as `DB 10`; of several, what they have in common.
    pub name: Cow<'a, str>,
    /// The language that it was written in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Cow<'a, str>>,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Cow<'a, str>>,
    /// The family of blocks that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Cow<'a, str>>,
    /// Its name in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Cow<'a, str>>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// Bytes of load memory that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_size: Option<u32>,
    /// Bytes of its code or data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_size: Option<u32>,
    /// Bytes of local data that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_size: Option<u32>,
    /// When its code was changed last, by the clock of whoever did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_changed: Option<Cow<'a, str>>,
    /// When its interface was changed last, alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_changed: Option<Cow<'a, str>>,
}

/// `honeyplant.tool.*`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Its name, such as `nmap modbus-discover`.
    pub name: Cow<'static, str>,
    /// What it is.
    pub kind: ToolKind,
}

/// What one uses a tool for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToolKind {
    /// A service or program that looks at all of the Internet.
    Scanner,
    /// A program that tells what a device is.
    Discovery,
    /// A client or library as engineers and programmers use it.
    Client,
    /// A program made to attack.
    Attack,
}

/// `honeyplant.summary.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summed {
    /// How many events there were, repeated ones counted; the opening and the end are not.
    #[serde(default)]
    pub events: u64,
    /// How many of them the device refused, did not answer, or could make nothing of.
    #[serde(default)]
    pub failed: u64,
    /// How often each action was tried.
    pub actions: BTreeMap<Cow<'static, str>, u64>,
    /// The tactics that were seen, in the order of the ATT&CK matrix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tactics: Vec<Cow<'static, str>>,
    /// The tactic that is furthest on the way to harm: the last of `tactics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub furthest: Option<Cow<'static, str>>,
    /// The ids of the techniques that were seen.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub techniques: BTreeSet<Cow<'static, str>>,
    /// Who was let in and who was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logins: Option<Logins>,
    /// What was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<Writes>,
    /// The names of the tags that were written; the first 64 of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub written: BTreeSet<String>,
    /// How often each command was given, such as `stop`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commands: BTreeMap<String, u64>,
    /// The SHA-256 of what was left; the first 32.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left: BTreeSet<String>,
    /// The paths of the files and names of the blocks that were taken; the first 32.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub taken: BTreeSet<String>,
    /// How grave it was, from 0 to 10.
    pub severity: u8,
    /// Every tool that was recognised.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tools: BTreeSet<Tool>,
}

/// `honeyplant.summary.logins.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Logins {
    /// How many were let in.
    pub accepted: u64,
    /// How many were not.
    pub refused: u64,
    /// The names that were let in; the first 16.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub users: BTreeSet<String>,
}

/// `honeyplant.summary.writes.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Writes {
    /// How many the device did.
    pub accepted: u64,
    /// How many it refused.
    pub refused: u64,
    /// The first.
    pub first: Written,
    /// The last.
    pub last: Written,
}

/// `honeyplant.summary.writes.first.*` and `honeyplant.summary.writes.last.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// When.
    pub at: Stamp,
    /// What, in a sentence.
    pub message: String,
    /// The names of the tags; the first 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// `honeyplant.withheld.*`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withheld {
    /// How many answers.
    pub answers: u64,
    /// How many bytes they had.
    pub bytes: u64,
}

/// `honeyplant.ending.*`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Closing<'a> {
    /// Who or what ended the session.
    pub reason: Cow<'a, str>,
    /// How many messages the actor had sent.
    pub exchanges: u64,
    /// How many bytes the actor had sent.
    pub received: u64,
    /// How many bytes the device had sent.
    pub sent: u64,
    /// How long the session lasted.
    pub seconds: f64,
}

/// `honeyplant.request.*` and `honeyplant.reply.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bytes<'a> {
    /// The bytes in hexadecimal.
    #[schemars(regex(pattern = "^([0-9a-f]{2})*$"))]
    pub hex: Cow<'a, str>,
    /// How many they are.
    pub length: u64,
}
