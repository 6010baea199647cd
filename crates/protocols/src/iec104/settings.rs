//! The `[iec104]` table of a profile. Apart, because it is what operators read: each line of documentation here stands
//! in the JSON Schema too.

use honeyplant_core::settings::{Period, Scan};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};
use toml::Spanned;

/// IEC 60870-5-104 as one device offers it: a controlled station.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// After which time without an acknowledgement the connection is closed (IEC 60870-5-104 §9.6).
    #[serde(default = "t1")]
    pub(super) t1: Period,
    /// After which time a frame is acknowledged at the latest.
    #[serde(default = "t2")]
    pub(super) t2: Period,
    /// After which silence the connection is tested.
    #[serde(default = "t3")]
    pub(super) t3: Period,
    /// How many frames may wait to be acknowledged; no more are sent meanwhile.
    #[serde(default = "k")]
    #[schemars(with = "u16", range(min = 1, max = 32767))]
    pub(super) k: Spanned<u16>,
    /// After how many frames an acknowledgement is sent at the latest.
    #[serde(default = "w")]
    #[schemars(with = "u16", range(min = 1, max = 32767))]
    pub(super) w: Spanned<u16>,
    /// How many octets a cause of transmission has: 2, or 1 without the originator.
    #[serde(default = "two")]
    #[schemars(with = "u8", range(min = 1, max = 2))]
    pub(super) cause_octets: Spanned<u8>,
    /// How many octets a common address has.
    #[serde(default = "two")]
    #[schemars(with = "u8", range(min = 1, max = 2))]
    pub(super) address_octets: Spanned<u8>,
    /// How many octets an information object address has.
    #[serde(default = "three")]
    #[schemars(with = "u8", range(min = 1, max = 3))]
    pub(super) object_octets: Spanned<u8>,
    /// The types that the device takes, by their numbers; every other one is refused as an unknown type. Without it,
    /// all that IEC 60870-5-104 has: 45 to 51, 58 to 64, 100 to 103, 105, 107 and 110 to 113.
    #[schemars(with = "Option<Vec<u8>>")]
    pub(super) types: Option<Vec<Spanned<u8>>>,
    /// The time tag of what is sent without being asked for, if a point does not say another.
    #[serde(default)]
    pub(super) time_tag: TimeTag,
    /// How often points are looked at.
    #[serde(default = "scan")]
    pub(super) scan: Scan,
    /// How many reports wait for a master at most; the oldest one gives way.
    #[serde(default = "buffer")]
    #[schemars(with = "u16", range(min = 1))]
    pub(super) buffer: Spanned<u16>,
    /// How long a selection lasts.
    #[serde(default = "select_timeout")]
    pub(super) select_timeout: Period,
    /// How long a command waits for its feedback before it is given up.
    #[serde(default = "feedback_timeout")]
    pub(super) feedback_timeout: Period,
    /// How old a command with a time tag may be; without it, any age is taken.
    pub(super) command_age: Option<Period>,
    /// How long a short pulse is.
    #[serde(default = "short_pulse")]
    pub(super) short_pulse: Period,
    /// How long a long pulse is.
    #[serde(default = "long_pulse")]
    pub(super) long_pulse: Period,
    /// Whether runs of consecutive addresses are told with but one address (SQ = 1).
    #[serde(default)]
    pub(super) sequences: bool,
    /// Whether the clock is right from the start. Otherwise time tags are invalid until a master has set it.
    #[serde(default = "yes")]
    pub(super) synchronised: bool,
    /// Whether the first master after a start or restart is told that the device has initialised.
    #[serde(default = "yes")]
    pub(super) end_of_initialisation: bool,
    /// The stations (sectors) behind the address, each with its common address.
    #[schemars(with = "Vec<Station>")]
    pub(super) stations: Vec<Spanned<Station>>,
}

const fn t1() -> Period {
    Period(Duration::from_secs(15))
}
const fn t2() -> Period {
    Period(Duration::from_secs(10))
}
const fn t3() -> Period {
    Period(Duration::from_secs(20))
}
fn k() -> Spanned<u16> {
    Spanned::new(0..0, 12)
}
fn w() -> Spanned<u16> {
    Spanned::new(0..0, 8)
}
fn two() -> Spanned<u8> {
    Spanned::new(0..0, 2)
}
fn three() -> Spanned<u8> {
    Spanned::new(0..0, 3)
}
const fn scan() -> Scan {
    Scan(Duration::from_millis(200))
}
fn buffer() -> Spanned<u16> {
    Spanned::new(0..0, 1000)
}
const fn select_timeout() -> Period {
    Period(Duration::from_secs(30))
}
const fn feedback_timeout() -> Period {
    Period(Duration::from_secs(10))
}
const fn short_pulse() -> Period {
    Period(Duration::from_millis(500))
}
const fn long_pulse() -> Period {
    Period(Duration::from_secs(2))
}
const fn yes() -> bool {
    true
}

/// One station: what lies under one common address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Station {
    /// The common address: 1 to 65534 (254, where it has one octet).
    #[schemars(with = "Number")]
    pub(super) address: Spanned<Number>,
    /// What is added to every information object address, so that no two installs need have the same.
    #[schemars(with = "Option<Number>")]
    pub(super) base: Option<Spanned<Number>>,
    /// A BOOL tag that is on while commands are allowed, such as a switch from local to remote.
    #[schemars(with = "Option<String>")]
    pub(super) permit: Option<Spanned<String>>,
    /// What the station tells, by information object address.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Point>")]
    pub(super) points: BTreeMap<Spanned<String>, Spanned<Point>>,
    /// What the station can be told to do, by information object address.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Command>")]
    pub(super) commands: BTreeMap<Spanned<String>, Spanned<Command>>,
}

/// A number, or the text `{key}` for one that was drawn.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Number {
    Said(u32),
    Drawn(String),
}

/// A point: something that the station tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Point {
    /// What kind of point it is.
    #[serde(rename = "type")]
    pub(super) kind: PointKind,
    /// The tag that it is. A BOOL makes a double point that is open or closed only; another number is the two bits
    /// of it.
    #[schemars(with = "Option<String>")]
    pub(super) tag: Option<Spanned<String>>,
    /// Of a double point: the BOOL tag that is on when it is off (open).
    #[schemars(with = "Option<String>")]
    pub(super) off: Option<Spanned<String>>,
    /// Of a double point: the BOOL tag that is on when it is on (closed).
    #[schemars(with = "Option<String>")]
    pub(super) on: Option<Spanned<String>>,
    /// A tag that tells the quality: a BOOL that is on while the point is invalid, or a number with the standard's bits
    /// (1 overflow, 16 blocked, 32 substituted, 64 not topical, 128 invalid).
    #[schemars(with = "Option<String>")]
    pub(super) quality: Option<Spanned<String>>,
    /// Of a step position: a BOOL tag that is on while it moves.
    #[schemars(with = "Option<String>")]
    pub(super) transient: Option<Spanned<String>>,
    /// Of an event or output of protection: a tag with the milliseconds that it took.
    #[schemars(with = "Option<String>")]
    pub(super) elapsed: Option<Spanned<String>>,
    /// What 1 of the point is worth: tag = point × scale + offset. The value of a normalized point runs from -1 to 1,
    /// so its scale is the tag's full scale.
    #[schemars(with = "Option<f64>")]
    pub(super) scale: Option<Spanned<f64>>,
    /// What the point's 0 is worth.
    pub(super) offset: Option<f64>,
    /// The groups that it belongs to: 1 to 16 (asked for as 21 to 36); of a total, 1 to 4.
    #[schemars(with = "Option<Groups>")]
    pub(super) group: Option<Spanned<Groups>>,
    /// Whether a station interrogation tells it; not so for events of protection.
    pub(super) interrogated: Option<bool>,
    /// Whether it is told when it changes.
    #[serde(default = "yes")]
    pub(super) spontaneous: bool,
    /// By how much (in the tag's unit) it must change to be told.
    #[schemars(with = "Option<f64>")]
    pub(super) deadband: Option<Spanned<f64>>,
    /// How often it is told in any case.
    #[schemars(with = "Option<Scan>")]
    pub(super) cyclic: Option<Scan>,
    /// How often it is told in the background.
    #[schemars(with = "Option<Scan>")]
    pub(super) background: Option<Scan>,
    /// Of a total: how often, by the clock, it is frozen and told by itself.
    #[schemars(with = "Option<Scan>")]
    pub(super) freeze: Option<Scan>,
    /// The time tag of what is sent without being asked for.
    pub(super) time_tag: Option<TimeTag>,
    /// Whether a change is told twice: at once without, and then with its time (IEC 60870-5-101 §7.2.1.1).
    #[serde(default)]
    pub(super) double_transmission: bool,
}

/// The kinds of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PointKind {
    /// On or off: types 1, 2, 30.
    Single,
    /// Off, on, between, or wrong: types 3, 4, 31.
    Double,
    /// A position of -64 to 63, such as of a tap changer: types 5, 6, 32.
    Step,
    /// 32 bits: types 7, 8, 33.
    Bitstring,
    /// A value from -1 to 1: types 9, 10, 34.
    Normalized,
    /// A value from -1 to 1 without quality and time: type 21.
    NormalizedPlain,
    /// A whole number of 16 bits: types 11, 12, 35.
    Scaled,
    /// A number: types 13, 14, 36.
    Float,
    /// A counter: types 15, 16, 37.
    Total,
    /// 16 single points with what has changed of them: type 20.
    Packed,
    /// An event of protection: types 17, 38. Only told when it happens.
    ProtectionEvent,
    /// What started protection, in bits: types 18, 39. Only told when it happens.
    ProtectionStart,
    /// What protection put out, in bits: types 19, 40. Only told when it happens.
    ProtectionOutput,
}

/// A group, or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Groups {
    One(u8),
    Several(Vec<u8>),
}

/// The time tag of what is sent without being asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TimeTag {
    /// None.
    None,
    /// Minute and milliseconds.
    Cp24,
    /// Date and time.
    #[default]
    Cp56,
}

/// A command: something that the station can be told to do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Command {
    /// What kind of command it is.
    #[serde(rename = "type")]
    pub(super) kind: CommandKind,
    /// The tag that it sets: a BOOL for a single or double command, a number that goes up and down for a step command,
    /// the set point's value, the bits of a bitstring.
    #[schemars(with = "Option<String>")]
    pub(super) tag: Option<Spanned<String>>,
    /// The BOOL tag that a single or double command to on (close) sets.
    #[schemars(with = "Option<String>")]
    pub(super) on: Option<Spanned<String>>,
    /// The BOOL tag that a single or double command to off (open) sets.
    #[schemars(with = "Option<String>")]
    pub(super) off: Option<Spanned<String>>,
    /// The BOOL tag that a step command to the next higher step sets.
    #[schemars(with = "Option<String>")]
    pub(super) higher: Option<Spanned<String>>,
    /// The BOOL tag that a step command to the next lower step sets.
    #[schemars(with = "Option<String>")]
    pub(super) lower: Option<Spanned<String>>,
    /// The address of the point of this station that tells what came of it. The command ends when it shows what was
    /// asked for.
    #[schemars(with = "Option<u32>")]
    pub(super) feedback: Option<Spanned<u32>>,
    /// Whether it must be selected before.
    #[serde(default)]
    pub(super) sbo: bool,
    /// What an output does that the command does not qualify: the tag stays set, or falls after a pulse. Without it, a
    /// `tag` stays set, and `on`, `off`, `higher` and `lower` are short pulses.
    pub(super) output: Option<Output>,
    /// What 1 of a set point is worth: tag = set point × scale + offset.
    #[schemars(with = "Option<f64>")]
    pub(super) scale: Option<Spanned<f64>>,
    /// What the set point's 0 is worth.
    pub(super) offset: Option<f64>,
    /// Between what (in the tag's unit) a set point must be; without it, the range of the tag.
    #[schemars(with = "Option<[f64; 2]>")]
    pub(super) range: Option<Spanned<[f64; 2]>>,
    /// A BOOL tag that is on while the command is allowed, besides that of the station.
    #[schemars(with = "Option<String>")]
    pub(super) permit: Option<Spanned<String>>,
    /// Whether its end is told (COT 10).
    #[serde(default = "yes")]
    pub(super) termination: bool,
}

/// The kinds of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CommandKind {
    /// On or off: types 45, 58.
    Single,
    /// On or off, with two bits: types 46, 59.
    Double,
    /// The next higher or lower step: types 47, 60.
    Step,
    /// A set point from -1 to 1: types 48, 61.
    Normalized,
    /// A set point that is a whole number: types 49, 62.
    Scaled,
    /// A set point: types 50, 63.
    Float,
    /// 32 bits: types 51, 64.
    Bitstring,
}

/// What an output does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Output {
    /// It stays.
    Persistent,
    /// It falls after a short pulse.
    Short,
    /// It falls after a long pulse.
    Long,
}
