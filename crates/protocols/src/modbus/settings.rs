//! The `[modbus]` table of a profile. Apart, because it is what operators read: each line of documentation here stands
//! in the JSON Schema too.

use honeyplant_core::plant::Type;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// Modbus/TCP as one device offers it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// The functions that the device has; every other one is refused with exception 1.
    #[serde(default = "usual_functions")]
    #[schemars(with = "Vec<u8>")]
    pub(super) functions: Vec<Spanned<u8>>,
    /// The sub-functions of function 8 that it has: all of them, if this is not said.
    #[schemars(with = "Option<Vec<u16>>")]
    pub(super) diagnostics: Option<Vec<Spanned<u16>>>,
    /// The most coils or inputs that one request may read.
    #[schemars(with = "Option<u16>")]
    pub(super) max_read_bits: Option<Spanned<u16>>,
    /// The most registers that one request may read.
    #[schemars(with = "Option<u16>")]
    pub(super) max_read_registers: Option<Spanned<u16>>,
    /// The most coils that one request may write.
    #[schemars(with = "Option<u16>")]
    pub(super) max_write_bits: Option<Spanned<u16>>,
    /// The most registers that one request may write.
    #[schemars(with = "Option<u16>")]
    pub(super) max_write_registers: Option<Spanned<u16>>,
    /// The exception that a write to a read-only address is refused with.
    #[serde(default = "usual_read_only_exception")]
    #[schemars(with = "u8", range(min = 1, max = 4))]
    pub(super) read_only_exception: Spanned<u8>,
    /// What function 8/2 returns.
    #[serde(default)]
    pub(super) diagnostic_register: u16,
    /// What function 17 says.
    pub(super) server_id: Option<ServerId>,
    /// What function 43/14 says.
    pub(super) identification: Option<Identification>,
    /// How a request for a unit that is not there is answered.
    #[serde(default)]
    pub(super) absent: Absent,
    /// Whether unit 0 means all units, as on a serial line behind a gateway.
    #[serde(default)]
    pub(super) broadcast: bool,
    /// What becomes of a frame whose protocol identifier is not 0: to be passed over, by MODBUS Messaging on TCP/IP
    /// Implementation Guide V1.0b §4.4.2.2.
    #[serde(default = "Broken::ignore")]
    pub(super) bad_protocol_id: Broken,
    /// What becomes of a frame whose length is not one of 2 to 254.
    #[serde(default = "Broken::close")]
    pub(super) bad_length: Broken,
    /// The units that are there.
    pub(super) units: Vec<Unit>,
}

fn usual_functions() -> Vec<Spanned<u8>> {
    [1, 2, 3, 4, 5, 6, 15, 16].into_iter().map(|function| Spanned::new(0..0, function)).collect()
}

fn usual_read_only_exception() -> Spanned<u8> {
    Spanned::new(0..0, 2)
}

/// One unit: the device itself, or one behind a gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Unit {
    /// The unit identifiers that it answers to; without it, every one that no other unit has (a server that is no
    /// gateway does not look at it: MODBUS Messaging on TCP/IP Implementation Guide V1.0b §4.4.1.2).
    #[schemars(with = "Option<Ids>")]
    pub(super) id: Option<Spanned<Ids>>,
    /// The functions that it has, if other than the device as a whole.
    #[schemars(with = "Option<Vec<u8>>")]
    pub(super) functions: Option<Vec<Spanned<u8>>>,
    /// The sub-functions of function 8 that it has, if other than the device as a whole.
    #[schemars(with = "Option<Vec<u16>>")]
    pub(super) diagnostics: Option<Vec<Spanned<u16>>>,
    /// What function 17 says, if other than for the device as a whole.
    pub(super) server_id: Option<ServerId>,
    /// What function 43/14 says, if other than for the device as a whole.
    pub(super) identification: Option<Identification>,
    /// The eight bits that function 7 returns: the address of the first, or the tags, lowest bit first.
    #[schemars(with = "Option<Status>")]
    pub(super) exception_status: Option<Spanned<Status>>,
    /// What functions 1, 5 and 15 reach.
    #[serde(default)]
    #[schemars(with = "Vec<Range>")]
    pub(super) coils: Vec<Spanned<Range>>,
    /// What function 2 reaches.
    #[serde(default)]
    #[schemars(with = "Vec<Range>")]
    pub(super) discrete_inputs: Vec<Spanned<Range>>,
    /// What function 4 reaches.
    #[serde(default)]
    #[schemars(with = "Vec<Range>")]
    pub(super) input_registers: Vec<Spanned<Range>>,
    /// What functions 3, 6, 16, 22 and 23 reach.
    #[serde(default)]
    #[schemars(with = "Vec<Range>")]
    pub(super) holding_registers: Vec<Spanned<Range>>,
    /// What functions 20 and 21 reach.
    #[serde(default)]
    #[schemars(with = "Vec<File>")]
    pub(super) files: Vec<Spanned<File>>,
    /// What function 24 reaches.
    #[serde(default)]
    #[schemars(with = "Vec<Fifo>")]
    pub(super) fifo: Vec<Spanned<Fifo>>,
}

/// Unit identifiers: `1`, `"1-10"`, or a list of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Ids {
    One(u8),
    Between(String),
    List(Vec<Self>),
}

/// A range of addresses, counted from 0 as in the message, and what lies there: exactly one of `at`, `tag`, `text` and
/// `free`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Range {
    /// The first address.
    pub(super) address: u16,
    /// How many addresses; a tag takes as many as its format needs.
    pub(super) count: Option<u32>,
    /// The process image from this place on: a word for each register, a bit for each coil.
    #[schemars(with = "Option<String>")]
    pub(super) at: Option<Spanned<String>>,
    /// A tag.
    #[schemars(with = "Option<String>")]
    pub(super) tag: Option<Spanned<String>>,
    /// A text that stands there for reading, with `{key}` for what was drawn; two characters a register.
    #[schemars(with = "Option<String>")]
    pub(super) text: Option<Spanned<String>>,
    /// Memory of this service only, which keeps what was written.
    #[serde(default)]
    pub(super) free: bool,
    /// What free memory holds at the start; 0 where nothing is said.
    #[serde(default)]
    pub(super) values: Vec<u16>,
    /// How registers hold the tag: what its type needs, if this is not said.
    #[serde(rename = "as")]
    pub(super) format: Option<Format>,
    /// In which order registers hold the octets of the tag, the most significant one being `a`.
    pub(super) words: Option<Order>,
    /// What one step of the registers is worth: the tag is registers × scale + offset.
    pub(super) scale: Option<f64>,
    /// What the registers' 0 is worth.
    pub(super) offset: Option<f64>,
    /// Whether it may be written.
    pub(super) access: Option<Access>,
}

/// Whether a range may be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Access {
    Read,
    #[default]
    ReadWrite,
}

/// How registers hold a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Real32,
    Real64,
    Text,
}

impl Format {
    /// The format that holds what `ty` holds.
    pub(super) const fn of(ty: Type) -> Self {
        match ty {
            Type::Bool | Type::Usint | Type::Byte | Type::Uint | Type::Word => Self::Uint16,
            Type::Sint | Type::Int => Self::Int16,
            Type::Dint | Type::Time => Self::Int32,
            Type::Udint | Type::Dword => Self::Uint32,
            Type::Lint => Self::Int64,
            Type::Ulint | Type::Lword => Self::Uint64,
            Type::Real => Self::Real32,
            Type::Lreal => Self::Real64,
            Type::String => Self::Text,
        }
    }

    /// The type of which registers hold the pattern.
    pub(super) const fn ty(self) -> Type {
        match self {
            Self::Int16 => Type::Int,
            Self::Uint16 => Type::Uint,
            Self::Int32 => Type::Dint,
            Self::Uint32 => Type::Udint,
            Self::Int64 => Type::Lint,
            Self::Uint64 => Type::Ulint,
            Self::Real32 => Type::Real,
            Self::Real64 => Type::Lreal,
            Self::Text => Type::String,
        }
    }
}

/// The order of the octets of a value of 32 bits; longer ones follow suit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    #[default]
    Abcd,
    Cdab,
    Badc,
    Dcba,
}

/// A file of records, each of them a register.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// 1 to 65535.
    pub(super) number: u16,
    /// How many records, at most 10000.
    pub(super) records: u16,
    /// What the first records hold at the start.
    #[serde(default)]
    pub(super) values: Vec<u16>,
}

/// A queue of registers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fifo {
    /// The FIFO pointer address.
    pub(super) address: u16,
    /// What is queued; more than 31 are refused with exception 3.
    pub(super) values: Vec<u16>,
}

/// What function 17 says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerId {
    /// The server ID: octets, or a text with `{key}` for what was drawn.
    #[schemars(with = "Octets")]
    pub(super) id: Spanned<Octets>,
    /// Whether the run indicator is on.
    #[serde(default = "yes")]
    pub(super) run: bool,
    /// What follows the run indicator.
    #[serde(default)]
    #[schemars(with = "Option<Octets>")]
    pub(super) additional: Option<Spanned<Octets>>,
}

const fn yes() -> bool {
    true
}

/// Octets, or a text with `{key}` for what was drawn.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Octets {
    Text(String),
    Octets(Vec<u8>),
}

/// What function 43/14 says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Identification {
    /// The conformity level: 1 (basic), 2 (regular), 3 (extended), and 0x80 more if single objects may be asked for.
    #[schemars(with = "u8")]
    pub(super) conformity: Spanned<u8>,
    /// The objects by their number (`"0"`, `"0x80"`), with `{key}` for what was drawn.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) objects: BTreeMap<Spanned<String>, Spanned<String>>,
}

/// Eight bits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Status {
    At(String),
    Tags(Vec<String>),
}

/// How a request for a unit that is not there is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Absent {
    /// Not at all.
    Silence,
    /// With exception 10.
    GatewayPath,
    /// With exception 11.
    #[default]
    GatewayTarget,
    /// With exception 4.
    DeviceFailure,
}

/// What becomes of a frame with a broken header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Broken {
    /// It is passed over, as long as it claims to be.
    Ignore,
    /// The connection is closed.
    Close,
}

impl Broken {
    const fn ignore() -> Self {
        Self::Ignore
    }
    const fn close() -> Self {
        Self::Close
    }
}
