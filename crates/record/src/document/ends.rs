//! Who spoke with which address, and how. Apart, because each part of it is one that ECS has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, net::IpAddr};

/// `source.*`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source<'a> {
    /// The IP address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// Where the address is used, as the operator's files know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo: Option<Cow<'a, Geo>>,
    /// Whose network it is in, as the operator's files know.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub network: Option<Cow<'a, AutonomousSystem>>,
}

/// `source.geo.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Geo {
    /// Two letters, such as `EU`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continent_code: Option<String>,
    /// The continent, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continent_name: Option<String>,
    /// ISO 3166-1, such as `DE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_iso_code: Option<String>,
    /// The country, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_name: Option<String>,
    /// ISO 3166-2, such as `DE-BE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_iso_code: Option<String>,
    /// The region, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_name: Option<String>,
    /// The city, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city_name: Option<String>,
    /// The postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The time zone, as IANA names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Degrees north and east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// `source.geo.location.*`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
}

/// `source.as.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AutonomousSystem {
    /// Its number.
    pub number: u32,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
}

/// `source.as.organization.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Organization {
    /// The name.
    pub name: String,
}

/// `destination.*`
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
