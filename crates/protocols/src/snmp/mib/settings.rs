//! The `[snmp.mib]` table of a profile. Apart, because it is what operators read: each line of documentation here stands in
//! the JSON Schema too.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// The objects of one device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(in crate::snmp) struct Settings {
    /// The standard groups that it has.
    pub(super) groups: Vec<Group>,
    /// What the system group says.
    pub(super) system: System,
    /// Its interfaces, the one that it is spoken to over first.
    pub(super) interfaces: Vec<Interface>,
    /// What the groups at and ip say.
    pub(super) ip: Ip,
    /// Other objects, each by its identifier without the `.0` of its instance. One of a group's gives way to it.
    #[schemars(with = "BTreeMap<String, Object>")]
    pub(super) objects: BTreeMap<Spanned<String>, Object>,
    /// Other tables.
    pub(super) tables: Vec<Table>,
}

impl Default for Settings {
    fn default() -> Self {
        use Group::{At, Icmp, Interfaces, Ip, Snmp, System, Tcp, Udp};
        Self {
            groups: vec![System, Interfaces, At, Ip, Icmp, Tcp, Udp, Snmp],
            system: self::System::default(),
            interfaces: vec![Interface::default()],
            ip: self::Ip::default(),
            objects: BTreeMap::new(),
            tables: Vec::new(),
        }
    }
}

/// A group of objects that a standard defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Group {
    /// 1.3.6.1.2.1.1, RFC 3418.
    System,
    /// 1.3.6.1.2.1.2, RFC 2863.
    Interfaces,
    /// 1.3.6.1.2.1.3, RFC 1213.
    At,
    /// 1.3.6.1.2.1.4, RFC 1213.
    Ip,
    /// 1.3.6.1.2.1.5, RFC 1213.
    Icmp,
    /// 1.3.6.1.2.1.6, RFC 1213.
    Tcp,
    /// 1.3.6.1.2.1.7, RFC 1213.
    Udp,
    /// 1.3.6.1.2.1.11, RFC 1213.
    Snmp,
    /// What RFC 3418 adds to it: snmpSilentDrops, snmpProxyDrops and snmpSetSerialNo.
    SnmpV2,
    /// What an engine of version 3 tells of itself: RFC 3411, 3412, 3413 and 3414.
    SnmpV3,
    /// ifXTable and what belongs to it, RFC 2863.
    InterfacesX,
}

/// The system group.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct System {
    /// sysDescr, with `{key}` for what was drawn.
    #[schemars(with = "String")]
    pub(super) description: Option<Spanned<String>>,
    /// sysObjectID; 0.0 without it.
    #[schemars(with = "String")]
    pub(super) object_id: Option<Spanned<String>>,
    /// sysContact.
    #[schemars(with = "Text")]
    pub(super) contact: Option<Spanned<Text>>,
    /// sysName.
    #[schemars(with = "Text")]
    pub(super) name: Option<Spanned<Text>>,
    /// sysLocation.
    #[schemars(with = "Text")]
    pub(super) location: Option<Spanned<Text>>,
    /// sysServices; 72 without it, which is a host's.
    pub(super) services: Option<u8>,
    /// sysORTable; the device has none without it.
    pub(super) resources: Vec<Resource>,
}

/// A text: to be read, with `{key}` for what was drawn; or a tag, which can be set and is kept if the tag is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Text {
    Fixed(String),
    Tag(TagText),
}

/// A tag of the type STRING.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TagText {
    /// Its name.
    pub(super) tag: String,
    /// The most octets that it can be set to: 80, if this is not said.
    pub(super) max: Option<u8>,
}

/// A row of sysORTable.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resource {
    /// sysORID.
    #[schemars(with = "String")]
    pub(super) id: Spanned<String>,
    /// sysORDescr.
    pub(super) description: String,
}

/// A network interface.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Interface {
    /// ifIndex; its place in the list, if this is not said.
    pub(super) index: Option<u16>,
    /// ifDescr, with `{key}` for what was drawn.
    #[schemars(with = "String")]
    pub(super) description: Option<Spanned<String>>,
    /// ifName and ifAlias.
    pub(super) name: String,
    /// ifAlias.
    pub(super) alias: String,
    /// ifType: 6 is Ethernet, 24 the loopback.
    #[serde(rename = "type")]
    pub(super) kind: u16,
    /// ifMtu.
    pub(super) mtu: u16,
    /// ifSpeed, in bits a second.
    pub(super) speed: u32,
    /// ifPhysAddress, with `{key}` for what was drawn.
    #[schemars(with = "String")]
    pub(super) mac: Option<Spanned<String>>,
    /// Whether something is plugged in.
    pub(super) up: bool,
    /// How many broadcasts a second are heard in the mean: no network is silent. Drawn for each device, if this is not said.
    pub(super) broadcasts: Option<f64>,
}

impl Default for Interface {
    fn default() -> Self {
        Self {
            index: None,
            description: None,
            name: String::new(),
            alias: String::new(),
            kind: 6,
            mtu: 1500,
            speed: 100_000_000,
            mac: None,
            up: true,
            broadcasts: None,
        }
    }
}

/// What the device knows of its network. Its own address is the one that was spoken to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Ip {
    /// ipAdEntNetMask.
    #[schemars(with = "String")]
    pub(super) mask: Option<Spanned<String>>,
    /// The address of the gateway: the first of the network, or the last if the device has that, if this is not said.
    #[schemars(with = "String")]
    pub(super) gateway: Option<Spanned<String>>,
    /// The gateway's MAC address, with `{key}` for what was drawn. Without it, the device has not heard of a gateway.
    #[schemars(with = "String")]
    pub(super) gateway_mac: Option<Spanned<String>>,
    /// ipForwarding: whether it is a gateway itself.
    pub(super) forwarding: bool,
    /// ipDefaultTTL.
    pub(super) ttl: u8,
    /// tcpMaxConn: -1 is as many as there may be.
    pub(super) max_connections: i32,
}

impl Default for Ip {
    fn default() -> Self {
        Self { mask: None, gateway: None, gateway_mac: None, forwarding: false, ttl: 64, max_connections: -1 }
    }
}

/// An object, or a column of a table: exactly one of `value`, `tag` and `state`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Object {
    /// The type of its value.
    #[serde(rename = "type")]
    pub(super) ty: Syntax,
    /// What it always is; in a table with `{row}` for the index of the row.
    #[schemars(with = "Option<Literal>")]
    pub(super) value: Option<Spanned<Literal>>,
    /// The tag that it shows.
    #[schemars(with = "Option<String>")]
    pub(super) tag: Option<Spanned<String>>,
    /// What of the device's real state it shows.
    pub(super) state: Option<State>,
    /// With the state `connections`: only those to this port.
    pub(super) port: Option<u16>,
    /// Whether it can be set; only a tag can.
    #[serde(default)]
    pub(super) access: Access,
    /// What one step of it is worth: the tag is object × scale.
    pub(super) scale: Option<f64>,
    /// The least value, or the fewest octets, that it can be set to.
    pub(super) min: Option<i64>,
    /// The greatest value, or the most octets, that it can be set to.
    pub(super) max: Option<i64>,
}

/// The type of a value (RFC 2578 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Syntax {
    /// INTEGER of 32 bits.
    Integer,
    /// INTEGER: true(1) or false(2), the TruthValue of RFC 2579.
    Truth,
    /// OCTET STRING of characters.
    String,
    /// OCTET STRING, written as `00:80:F4` or a list of numbers.
    Octets,
    /// OBJECT IDENTIFIER.
    Oid,
    /// IpAddress.
    Address,
    /// Counter32.
    Counter,
    /// Gauge32, or Unsigned32.
    Gauge,
    /// TimeTicks: hundredths of a second.
    Ticks,
    /// Opaque, written as octets.
    Opaque,
    /// Counter64, which version 1 does not see.
    Counter64,
}

/// Whether an object can be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Access {
    /// It cannot.
    #[default]
    Read,
    /// It can.
    Write,
}

/// A value as operators write it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Literal {
    Flag(bool),
    Number(i64),
    Text(String),
    Octets(Vec<u8>),
}

/// Something of the device's real state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// The time since it was started: hundredths of a second as ticks, else seconds.
    Uptime,
    /// How often it was started in its life.
    Starts,
    /// Whether its CPU is in RUN: 1 or 0.
    Run,
    /// The address that was spoken to.
    Address,
    /// Its network mask.
    Mask,
    /// The address of its gateway.
    Gateway,
    /// The MAC address of its first interface.
    Mac,
    /// How many TCP connections are open.
    Connections,
    /// How many TCP connections were taken since it was started.
    ConnectionsTaken,
    /// How many TCP segments brought something since it was started.
    SegmentsIn,
    /// How many TCP segments carried something out since it was started.
    SegmentsOut,
}

/// A table: each column in each row.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Table {
    /// The identifier of its entry, which those of the columns begin with.
    #[schemars(with = "String")]
    pub(super) entry: Spanned<String>,
    /// The columns by their number, each with what it is in a row that does not say otherwise.
    #[schemars(with = "BTreeMap<String, Column>")]
    pub(super) columns: BTreeMap<Spanned<String>, Column>,
    /// So many rows, with the indices from 1 on.
    #[serde(default)]
    pub(super) count: u32,
    /// More rows.
    #[serde(default)]
    pub(super) rows: Vec<Row>,
}

/// A column of a table; what has no value in a row is not there.
pub(super) type Column = Object;

/// A row of a table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// Its index, such as `3` or `10.0.0.1.80`.
    #[schemars(with = "String")]
    pub(super) index: Spanned<String>,
    /// What it is in which column, if other than the column says.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Cell>")]
    pub(super) cells: BTreeMap<Spanned<String>, Spanned<Cell>>,
}

/// What a row has in a column.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Cell {
    Value(Literal),
    Tag(CellTag),
}

/// A tag in a row.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CellTag {
    /// Its name.
    pub(super) tag: String,
}
