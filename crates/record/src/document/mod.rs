//! One line of the journal: an event in the shape of the Elastic Common Schema, with what ECS has no field for under
//! `honeyplant`. Apart, because it is the contract with everyone who reads the record; `docs/schema/event.schema.json`
//! is generated from here.
//!
//! A field that has nothing to say is absent, never null.

mod ends;
mod facts;
mod resource;

pub use crate::{
    series::Series,
    stamp::{SessionId, Stamp},
};
pub use ends::*;
pub use facts::*;
pub use resource::*;

use schemars::{
    JsonSchema, Schema,
    transform::{RecursiveTransform, Transform as _},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{borrow::Cow, net::IpAddr};

/// The version of ECS that documents follow.
pub const ECS: &str = "8.17.0";
/// The version of what stands under `honeyplant`; it grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// Words that are known when honeyplant is built, or were read back.
pub type Words = Cow<'static, [Cow<'static, str>]>;

/// One event of a honeyplant site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct Document<'a> {
    /// When it happened; of an event that was folded, when the first of it did.
    #[serde(rename = "@timestamp")]
    pub timestamp: Stamp,
    /// Which version of ECS this follows.
    pub ecs: Ecs<'a>,
    /// What kind of event it is.
    pub event: Facets<'a>,
    /// What happened, in one sentence.
    pub message: Cow<'a, str>,
    /// The actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source<'a>>,
    /// The address that was spoken to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Address>,
    /// How they spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network<'a>>,
    /// The site.
    pub observer: Watcher<'a>,
    /// Who somebody said they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    /// The file or folder that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileFacts<'a>>,
    /// What was asked of a web server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http<'a>>,
    /// Which page or other resource of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url<'a>>,
    /// What the actor says that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<UserAgent<'a>>,
    /// How the session was encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls<'a>>,
    /// All addresses, names and hashes of the event, to search by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<Related<'a>>,
    /// What MITRE ATT&CK for ICS calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threat: Option<Cow<'a, Threat>>,
    /// What ECS has no field for.
    pub honeyplant: Facts<'a>,
}

/// `ecs.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ecs<'a> {
    /// The version.
    pub version: Cow<'a, str>,
}

/// `event.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facets<'a> {
    /// Unlike that of any other event: the install and the sequence. What is delivered twice has the same.
    #[schemars(regex(pattern = "^[0-9a-f]{8}-[0-9]+$"))]
    pub id: Cow<'a, str>,
    /// The place in the journal: 1, 2, 3 and so on without a hole.
    pub sequence: u64,
    /// Always `event`.
    pub kind: Cow<'a, str>,
    /// What ECS counts it as.
    pub category: Words,
    /// What ECS counts it as, more exactly.
    #[serde(rename = "type")]
    pub types: Words,
    /// The name of the kind; the catalogue in `docs/events.md` explains each.
    pub action: Cow<'a, str>,
    /// `honeyplant.` and the protocol, or `honeyplant.site`.
    pub dataset: Cow<'a, str>,
    /// How the device took it.
    pub outcome: Outcome,
    /// How grave it is, from 0 to 10; `docs/events.md` has the reasons. Of the end of a session: how grave all of it was.
    #[serde(default)]
    #[schemars(range(max = 10))]
    pub severity: u8,
    /// When it began, if it lasted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Stamp>,
    /// When it ended, if it lasted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Stamp>,
    /// How long it lasted, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
}

/// How a device took what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It did it.
    Success,
    /// It refused, kept silent, or could make nothing of it.
    Failure,
    /// That cannot be told.
    Unknown,
}

/// `observer.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Watcher<'a> {
    /// Always `honeypot`.
    #[serde(rename = "type")]
    pub kind: Cow<'a, str>,
    /// Always `honeyplant`.
    pub vendor: Cow<'a, str>,
    /// Always `honeyplant`.
    pub product: Cow<'a, str>,
    /// The version of honeyplant.
    pub version: Cow<'a, str>,
    /// The name of the site.
    pub name: Cow<'a, str>,
}

/// `related.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Related<'a> {
    /// The source and the destination, and where else something was to go or came from.
    pub ip: Cow<'a, [IpAddr]>,
    /// The names that somebody said are theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<Cow<'a, str>>,
    /// The hashes of what was left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hash: Vec<Cow<'a, str>>,
}

/// `threat.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Threat {
    /// Always `MITRE ATT&CK for ICS`.
    pub framework: Cow<'static, str>,
    /// What the actor is after.
    pub tactic: Tactics,
    /// How.
    pub technique: Techniques,
}

/// `threat.tactic.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tactics {
    /// The ids, such as `TA0106`.
    pub id: Words,
    /// The names, in the same order.
    pub name: Words,
}

/// `threat.technique.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Techniques {
    /// The ids, such as `T0855`.
    pub id: Words,
    /// The names, in the same order.
    pub name: Words,
    /// Where each is described.
    pub reference: Words,
}

impl Document<'_> {
    /// The JSON Schema of a line of the journal.
    pub fn schema() -> Schema {
        let mut schema = schemars::schema_for!(Document<'static>);
        RecursiveTransform(without_null).transform(&mut schema);
        schema
    }

    /// Puts the document at this place of the journal.
    pub(crate) fn place(&mut self, install: &str, sequence: u64) {
        self.event.sequence = sequence;
        self.event.id = format!("{install}-{sequence}").into();
    }

    /// Makes the document of one event that of `count` equal ones, of which `end` was the last.
    pub(crate) fn repeat(&mut self, count: u64, end: Stamp) {
        if count < 2 {
            return;
        }
        let lasted = end.timestamp().as_microsecond().saturating_sub(self.timestamp.timestamp().as_microsecond());
        self.event.start = Some(self.timestamp);
        self.event.end = Some(end);
        self.event.duration = Some(u64::try_from(lasted).unwrap_or_default() * 1000);
        self.honeyplant.repeated = Some(count);
        self.message.to_mut().push_str(&format!(" ({count} times)"));
    }
}

/// The derived schema lets every optional field be null; here it is absent instead.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".into(), one);
        }
    }
    if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
        forms.retain(|form| form.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(one)] = forms.as_mut_slice()
            && let Some(target) = one.remove("$ref")
        {
            schema.remove("anyOf");
            schema.insert("$ref".into(), target);
        }
    }
}
