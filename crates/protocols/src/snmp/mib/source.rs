//! Where the value of an instance comes from, and what it takes in a Set. Apart, because this is the border between SNMP's
//! types and those of the plant.

use super::{
    View,
    settings::{State, Syntax},
};
use crate::snmp::{
    oid::Oid,
    value::{Error, Octets, Value},
};
use honeyplant_core::{
    cpu::Mode,
    plant::{Plant, TagId, Type, Value as Tag},
};
use std::net::Ipv4Addr;

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// It is always the same.
    Fixed(Value),
    /// It is made when it is asked for.
    Live(fn(&View<'_>) -> Value),
    /// It tells something of the device's state.
    State(Syntax, State, Option<u16>),
    /// It is that of a tag.
    Tag(Box<Bound>),
    /// The agent keeps it itself, and it can be set.
    Register(&'static Register),
}

/// Something that the agent keeps itself.
#[derive(Debug)]
pub(super) struct Register {
    pub(super) read: fn(&View<'_>) -> Value,
    pub(super) check: fn(&View<'_>, &Value) -> Result<(), Error>,
    pub(super) write: fn(&View<'_>, &Value),
}

/// A tag as an object shows it.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) id: TagId,
    pub(super) ty: Type,
    pub(super) syntax: Syntax,
    pub(super) writable: bool,
    pub(super) scale: f64,
    /// The least value, or the fewest octets, that it can be set to.
    pub(super) min: i128,
    /// The greatest value, or the most octets.
    pub(super) max: i128,
}

impl Source {
    /// The value.
    pub(super) fn read(&self, view: &View<'_>) -> Value {
        match self {
            Self::Fixed(value) => value.clone(),
            Self::Live(tell) => tell(view),
            Self::State(syntax, state, port) => syntax.of_state(*state, *port, view),
            Self::Tag(bound) => bound.read(&view.at.plant),
            Self::Register(register) => (register.read)(view),
        }
    }

    /// The tag that it is of.
    pub(super) fn tag(&self) -> Option<TagId> {
        match self {
            Self::Tag(bound) => Some(bound.id),
            Self::Fixed(_) | Self::Live(_) | Self::State(..) | Self::Register(_) => None,
        }
    }

    /// Whether it can be set at all.
    pub(super) fn is_writable(&self) -> bool {
        match self {
            Self::Tag(bound) => bound.writable,
            Self::Register(_) => true,
            Self::Fixed(_) | Self::Live(_) | Self::State(..) => false,
        }
    }

    /// Whether it could be set to `value`.
    pub(super) fn check(&self, value: &Value, view: &View<'_>) -> Result<(), Error> {
        match self {
            Self::Tag(bound) if bound.writable => bound.taken(value).map(|_| ()),
            Self::Register(register) => (register.check)(view, value),
            Self::Fixed(_) | Self::Live(_) | Self::State(..) | Self::Tag(_) => Err(Error::NotWritable),
        }
    }
}

impl Bound {
    fn read(&self, plant: &Plant) -> Value {
        match plant.get(self.id) {
            Tag::Text(text) => self.syntax.of_text(&text),
            value => self.syntax.of_number(self.scaled(&value)),
        }
    }

    /// The tag's value in steps of the object. Integers of 64 bits would lose digits on the way through a scale.
    fn scaled(&self, value: &Tag) -> i128 {
        match value {
            Tag::Uint(number) if self.scale == 1.0 => i128::from(*number),
            Tag::Int(number) if self.scale == 1.0 => i128::from(*number),
            value => (value.number() / self.scale).round_ties_even() as i128,
        }
    }

    /// What the tag becomes when the object is set to `value`, or why it cannot be (RFC 3416 §4.2.5).
    pub(super) fn taken(&self, value: &Value) -> Result<Tag, Error> {
        let inside = |number: i128| (self.min..=self.max).contains(&number);
        let number = match (self.syntax, value) {
            (Syntax::Integer, Value::Integer(number)) => i128::from(*number),
            (Syntax::Truth, Value::Integer(number @ 1..=2)) => i128::from(2 - number),
            (Syntax::Truth, Value::Integer(_)) => return Err(Error::WrongValue),
            (Syntax::Counter, Value::Counter32(number))
            | (Syntax::Gauge, Value::Gauge32(number))
            | (Syntax::Ticks, Value::TimeTicks(number)) => i128::from(*number),
            (Syntax::Counter64, Value::Counter64(number)) => i128::from(*number),
            (Syntax::String | Syntax::Octets, Value::OctetString(octets)) => return self.text(octets),
            (Syntax::Opaque, Value::Opaque(octets)) => return self.text(octets),
            (Syntax::Oid, Value::ObjectId(oid)) => return self.text(oid.to_string().as_bytes()),
            (Syntax::Address, Value::IpAddress(address)) => {
                return self.text(Ipv4Addr::from(*address).to_string().as_bytes());
            }
            _ => return Err(Error::WrongType),
        };
        if !inside(number) {
            return Err(Error::WrongValue);
        }
        let wanted = match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) if self.scale == 1.0 => Tag::Int(number),
            (_, Ok(number)) if self.scale == 1.0 => Tag::Uint(number),
            _ => Tag::Real(number as f64 * self.scale),
        };
        // What the tag cannot hold would be another value as soon as it is read.
        let held = self.ty.take(wanted);
        if self.scaled(&held) == number { Ok(held) } else { Err(Error::WrongValue) }
    }

    fn text(&self, octets: &[u8]) -> Result<Tag, Error> {
        if !(self.min..=self.max).contains(&(octets.len() as i128)) {
            return Err(Error::WrongLength);
        }
        Ok(Tag::Text(octets.iter().copied().map(char::from).collect()))
    }
}

impl Syntax {
    /// Whether its values are numbers.
    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Truth | Self::Counter | Self::Gauge | Self::Ticks | Self::Counter64)
    }

    /// What a number is in this type: held inside its range, or counted around it.
    pub(super) fn of_number(self, number: i128) -> Value {
        let gauge = || u32::try_from(number.max(0)).unwrap_or(u32::MAX);
        match self {
            Self::Integer => Value::Integer(number.clamp(i32::MIN.into(), i32::MAX.into()) as i32),
            Self::Truth => Value::Integer(if number == 0 { 2 } else { 1 }),
            Self::Counter => Value::Counter32(number as u32),
            Self::Counter64 => Value::Counter64(number as u64),
            Self::Gauge => Value::Gauge32(gauge()),
            Self::Ticks => Value::TimeTicks(number as u32),
            Self::Address => Value::IpAddress(gauge().to_be_bytes()),
            Self::String | Self::Octets => Value::OctetString(Octets::from_slice(number.to_string().as_bytes())),
            Self::Opaque => Value::Opaque(number.to_string().into_bytes()),
            Self::Oid => Value::ObjectId(Oid::new(&[0, 0])),
        }
    }

    /// What a text of one octet a character is in this type.
    fn of_text(self, text: &str) -> Value {
        let octets = || text.chars().map(|c| u8::try_from(c).unwrap_or(b'?'));
        match self {
            Self::String | Self::Octets => Value::OctetString(octets().collect()),
            Self::Opaque => Value::Opaque(octets().collect()),
            Self::Oid => Value::ObjectId(text.parse().unwrap_or_else(|_| Oid::new(&[0, 0]))),
            Self::Address => Value::IpAddress(text.parse().unwrap_or(Ipv4Addr::UNSPECIFIED).octets()),
            Self::Integer | Self::Truth | Self::Counter | Self::Gauge | Self::Ticks | Self::Counter64 => {
                self.of_number(text.trim().parse().unwrap_or(0))
            }
        }
    }

    fn of_octets(self, octets: &[u8]) -> Value {
        match self {
            Self::Opaque => Value::Opaque(octets.to_vec()),
            _ => Value::OctetString(Octets::from_slice(octets)),
        }
    }

    fn of_address(self, address: Ipv4Addr) -> Value {
        match self {
            Self::Address => Value::IpAddress(address.octets()),
            syntax => syntax.of_text(&address.to_string()),
        }
    }

    fn of_state(self, state: State, port: Option<u16>, view: &View<'_>) -> Value {
        let flow = || view.flow();
        let number = match state {
            State::Uptime if self == Self::Ticks => u64::from(view.ticks()),
            State::Uptime => view.uptime().as_secs(),
            State::Starts => view.device().starts().into(),
            State::Run => u64::from(view.device().mode() == Mode::Run),
            State::Address => return self.of_address(view.address()),
            State::Mask => return self.of_address(view.network.mask),
            State::Gateway => return self.of_address(view.gateway()),
            State::Mac => return self.of_octets(view.network.mac()),
            State::Connections => {
                let connections = view.connections();
                let counted = |row: &&[u32; 10]| port.is_none_or(|port| row.get(4) == Some(&u32::from(port)));
                connections.iter().filter(counted).count() as u64
            }
            State::ConnectionsTaken => flow().taken,
            State::SegmentsIn => flow().segments_in,
            State::SegmentsOut => flow().segments_out,
        };
        self.of_number(number.into())
    }
}
