//! One line of the journal: an event in the shape of the Elastic Common Schema, with what ECS has no field for under
//! `honeyplant`. Apart, because it is the contract with everyone who reads the record; `docs/schema/event.schema.json`
//! is generated from here.
//!
//! A field that has nothing to say is absent, never null.

pub use crate::{
    series::Series,
    stamp::{SessionId, Stamp},
};
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
    pub source: Option<Address>,
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

/// `source.*` and `destination.*`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// The IP address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
}

/// `network.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Network<'a> {
    /// `tcp` or `udp`.
    pub transport: Cow<'a, str>,
    /// The protocol, as profiles name it.
    pub protocol: Cow<'a, str>,
    /// `ipv4` or `ipv6`.
    #[serde(rename = "type")]
    pub family: Cow<'a, str>,
    /// Always `inbound`.
    pub direction: Cow<'a, str>,
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

/// `user.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User<'a> {
    /// The name.
    pub name: Cow<'a, str>,
}

/// `file.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileFacts<'a> {
    /// The absolute path on the device; none for what is known by its hash only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Cow<'a, str>>,
    /// How many bytes were carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What the bytes are called in the store of artefacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash<'a>>,
}

/// `file.hash.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hash<'a> {
    /// The SHA-256 in hexadecimal.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Cow<'a, str>,
}

/// `http.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Http<'a> {
    /// The version, such as `1.1`; none of what has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// What was asked.
    pub request: HttpRequest<'a>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpResponse>,
}

/// `http.request.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpRequest<'a> {
    /// The method, as it was spelled.
    pub method: Cow<'a, str>,
    /// Where the actor says that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Cow<'a, str>>,
    /// What the body says that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<Cow<'a, str>>,
    /// The body.
    pub body: HttpBody,
}

/// `http.response.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpResponse {
    /// The status.
    pub status_code: u16,
    /// The body.
    pub body: HttpBody,
}

/// `http.request.body.*` and `http.response.body.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpBody {
    /// How many bytes it has.
    pub bytes: u64,
}

/// `url.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Url<'a> {
    /// The target of the request, as it was spelled.
    pub original: Cow<'a, str>,
    /// The target up to its question mark.
    pub path: Cow<'a, str>,
    /// What follows the question mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Cow<'a, str>>,
    /// The host that the actor meant, as it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Cow<'a, str>>,
}

/// `user_agent.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserAgent<'a> {
    /// As it was spelled.
    pub original: Cow<'a, str>,
}

/// `tls.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tls<'a> {
    /// Always `tls`.
    pub version_protocol: Cow<'a, str>,
    /// Whether the session was encrypted then.
    pub established: bool,
    /// The version that was agreed on, such as `1.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// The cipher suite that was agreed on, as IANA names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<Cow<'a, str>>,
    /// What the actor offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<TlsClient<'a>>,
}

/// `tls.client.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsClient<'a> {
    /// The name of the server that it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<Cow<'a, str>>,
    /// The greatest version that it offered.
    pub version: Cow<'a, str>,
    /// The numbers of the cipher suites that it offered, in hexadecimal.
    pub supported_ciphers: Vec<Cow<'a, str>>,
    /// The protocols that it would have spoken inside (ALPN).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protocols: Vec<Cow<'a, str>>,
    /// The JA3 fingerprint of its ClientHello.
    pub ja3: Cow<'a, str>,
    /// The JA4 fingerprint of its ClientHello.
    pub ja4: Cow<'a, str>,
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
