//! The `[snmp]` table of a profile, without its objects. Apart, because it is what operators read: each line of
//! documentation here stands in the JSON Schema too.

use super::mib;
use honeyplant_core::settings::Period;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The SNMP agent of one device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// The versions that it speaks. Messages of others are counted and not answered.
    #[serde(default = "usual_versions")]
    pub(super) versions: Vec<Version>,
    /// Who is let in with SNMPv1 and SNMPv2c. Every other community is recorded and not answered.
    #[serde(default)]
    pub(super) communities: Vec<Community>,
    /// Who is let in with SNMPv3.
    #[serde(default)]
    pub(super) users: Vec<User>,
    /// Who the agent is to those that speak SNMPv3.
    pub(super) engine: Option<Engine>,
    /// The longest message in octets that it takes and sends; 484 is the least that the standard allows.
    #[serde(default = "usual_max_message")]
    #[schemars(with = "u32", range(min = 484, max = 65507))]
    pub(super) max_message: Spanned<u32>,
    /// How long its answers take. Others are answered meanwhile.
    #[serde(default)]
    pub(super) delay: Delay,
    /// After how many requests it falls silent.
    #[serde(default)]
    pub(super) limits: Limits,
    /// Its objects.
    #[serde(default)]
    pub(super) mib: mib::Settings,
}

fn usual_versions() -> Vec<Version> {
    vec![Version::V1, Version::V2c]
}

fn usual_max_message() -> Spanned<u32> {
    Spanned::new(0..0, 1472)
}

/// A version of SNMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum Version {
    #[serde(rename = "1")]
    V1,
    #[serde(rename = "2c")]
    V2c,
    #[serde(rename = "3")]
    V3,
}

/// What somebody may do with the objects that they see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Rights {
    #[default]
    Read,
    Write,
}

/// A community.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Community {
    /// Its name, with `{key}` for what was drawn.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// What it may do.
    #[serde(default)]
    pub(super) rights: Rights,
    /// The subtrees that it sees; all, if none is named.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) view: Vec<Spanned<String>>,
}

/// A user of SNMPv3.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct User {
    /// The name, with `{key}` for what was drawn.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// How their messages are authenticated.
    #[serde(default)]
    #[schemars(with = "Authentication")]
    pub(super) auth: Option<Spanned<Authentication>>,
    /// The password of it, of at least 8 characters, with `{key}` for what was drawn.
    #[schemars(with = "Option<String>")]
    pub(super) auth_secret: Option<Spanned<String>>,
    /// How their messages are encrypted.
    #[serde(default, rename = "priv")]
    #[schemars(with = "Privacy")]
    pub(super) privacy: Option<Spanned<Privacy>>,
    /// The password of it, of at least 8 characters, with `{key}` for what was drawn.
    #[serde(rename = "priv-secret")]
    #[schemars(with = "Option<String>")]
    pub(super) privacy_secret: Option<Spanned<String>>,
    /// The least that their messages must be secured: as well as they can be, if this is not said.
    #[schemars(with = "Option<Level>")]
    pub(super) level: Option<Spanned<Level>>,
    /// What they may do.
    #[serde(default)]
    pub(super) rights: Rights,
    /// The subtrees that they see; all, if none is named.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) view: Vec<Spanned<String>>,
}

/// How messages are authenticated (RFC 3414 and RFC 7860).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Authentication {
    #[default]
    None,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// How messages are encrypted (RFC 3414 and RFC 3826). AES with longer keys is no standard: `aes192` and `aes256` make
/// them as draft-blumenthal-aes-usm does, `aes192c` and `aes256c` as Cisco's agents do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Privacy {
    #[default]
    None,
    Des,
    Aes128,
    Aes192,
    Aes256,
    Aes192c,
    Aes256c,
}

/// How well messages are secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    None,
    Auth,
    Priv,
}

/// Who the agent is to those that speak SNMPv3: a snmpEngineID (RFC 3411 §5).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Engine {
    /// The number that IANA gave to the vendor.
    #[schemars(with = "u32")]
    pub(super) enterprise: Spanned<u32>,
    /// What follows the number.
    pub(super) format: Format,
    /// What the format calls for, with `{key}` for what was drawn: an address, a text, or octets in hexadecimal digits.
    #[schemars(with = "String")]
    pub(super) value: Spanned<String>,
}

/// What an engine identifier is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A MAC address.
    Mac,
    /// A text of up to 27 characters.
    Text,
    /// Up to 27 octets.
    Octets,
    /// The first octet is the vendor's own format of 128 to 255; up to 27 octets follow.
    Vendor,
    /// Eight octets without a format, as agents older than RFC 2571 have them.
    Old,
}

/// How long answers take: two lengths of time between which each is drawn.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Delay {
    /// Those to a Get.
    #[schemars(with = "Option<[Period; 2]>")]
    pub(super) get: Option<Spanned<[Period; 2]>>,
    /// Those to a GetNext.
    #[schemars(with = "Option<[Period; 2]>")]
    pub(super) get_next: Option<Spanned<[Period; 2]>>,
    /// Those to a GetBulk.
    #[schemars(with = "Option<[Period; 2]>")]
    pub(super) get_bulk: Option<Spanned<[Period; 2]>>,
    /// Those to a Set.
    #[schemars(with = "Option<[Period; 2]>")]
    pub(super) set: Option<Spanned<[Period; 2]>>,
}

/// How many requests are answered in a minute or an hour of the device's clock.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Limits {
    /// Those of one address in a minute.
    pub(super) source_minute: Option<u32>,
    /// Those of one address in an hour.
    pub(super) source_hour: Option<u32>,
    /// All of a minute.
    pub(super) minute: Option<u32>,
    /// All of an hour.
    pub(super) hour: Option<u32>,
}
