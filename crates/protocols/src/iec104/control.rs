//! A command: what it asks for, and what it sets. IEC 60870-5-101 Ed. 2 (2003) §7.2.6.15 to §7.2.6.26. Apart from
//! `command.rs`, which says when it may.

use super::{
    asdu::number,
    element::{Information, Time},
    point::Sample,
    settings::{CommandKind, Output},
    state::Target,
};
use honeyplant_core::{
    bytes::{Reader, Short},
    event::Values,
    plant::{Plant, TagId, Tags, Type, Value},
};
use smallvec::SmallVec;

/// Something that the station can be told to do.
#[derive(Debug)]
pub(super) struct Control {
    /// The information object address.
    pub(super) address: u32,
    pub(super) kind: CommandKind,
    pub(super) actuator: Actuator,
    /// Which point of the station tells what came of it.
    pub(super) feedback: Option<usize>,
    pub(super) sbo: bool,
    /// What an output does that the command does not qualify.
    pub(super) output: Output,
    pub(super) scale: f64,
    pub(super) offset: f64,
    pub(super) range: Option<[f64; 2]>,
    /// The tags that are on while it is allowed: that of the station, and its own.
    pub(super) permits: [Option<TagId>; 2],
    pub(super) termination: bool,
}

/// What a command sets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Actuator {
    Tag(TagId),
    /// On and off, close and open, higher and lower.
    Pair {
        on: TagId,
        off: TagId,
    },
}

/// What one message asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Instruction {
    pub(super) order: Order,
    pub(super) select: bool,
    /// QU or QL.
    pub(super) qualifier: u8,
    /// When it was sent, if it says so; `Err` is a time that is none.
    pub(super) time: Option<Result<Time, ()>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// SCS or DCS; and RCS, where on is higher.
    Switch(bool),
    Step {
        higher: bool,
    },
    /// A state that the standard does not permit.
    NotPermitted(u8),
    /// In the unit of the message.
    Value(f64),
    Bits(u32),
}

impl Instruction {
    /// Reads the element of a command or parameter of this type.
    pub(super) fn parse(type_id: u8, element: &[u8]) -> Result<Self, Short> {
        let mut r = Reader::new(element);
        let untagged = if (58..=64).contains(&type_id) { type_id - 13 } else { type_id };
        let (order, qualifier) = match untagged {
            45..=47 => {
                let octet = r.u8()?;
                (Order::of(untagged, octet & 3), octet)
            }
            48 | 110 => (Order::Value(f64::from(i16::from_le_bytes(r.array()?)) / 32_768.0), r.u8()?),
            49 | 111 => (Order::Value(i16::from_le_bytes(r.array()?).into()), r.u8()?),
            50 | 112 => (Order::Value(f32::from_le_bytes(r.array()?).into()), r.u8()?),
            _ => (Order::Bits(number(&mut r, 4)?), 0),
        };
        let time = if untagged == type_id { None } else { Some(Time::parse(r.array()?).ok_or(())) };
        let switches = untagged <= 47;
        let select = untagged < 51 && qualifier & 0x80 != 0;
        let qualifier = if switches { qualifier >> 2 & 0x1F } else { qualifier & 0x7F };
        Ok(Self { order, select, qualifier, time })
    }
}

impl Order {
    const fn of(type_id: u8, state: u8) -> Self {
        match (type_id, state) {
            // §7.2.6.15: the second bit of a single command is reserved.
            (45, 0 | 1) => Self::Switch(state == 1),
            (46, 1 | 2) => Self::Switch(state == 2),
            (47, 1 | 2) => Self::Step { higher: state == 2 },
            _ => Self::NotPermitted(state),
        }
    }

    /// What is asked for as the record has it.
    pub(super) fn values(self) -> Values {
        match self {
            Self::Switch(on) => Values::Bits(SmallVec::from_slice(&[on])),
            Self::Step { higher } => Values::Typed(vec![Value::Int(if higher { 1 } else { -1 })]),
            Self::NotPermitted(state) => Values::Typed(vec![Value::Uint(state.into())]),
            Self::Value(value) => Values::Typed(vec![Value::Real(value)]),
            Self::Bits(bits) => Values::Typed(vec![Value::Uint(bits.into())]),
        }
    }
}

/// Which commands types 45 to 51 and 58 to 64 are for.
pub(super) const fn kind_of(type_id: u8) -> Option<CommandKind> {
    Some(match type_id {
        45 | 58 => CommandKind::Single,
        46 | 59 => CommandKind::Double,
        47 | 60 => CommandKind::Step,
        48 | 61 => CommandKind::Normalized,
        49 | 62 => CommandKind::Scaled,
        50 | 63 => CommandKind::Float,
        51 | 64 => CommandKind::Bitstring,
        _ => return None,
    })
}

impl Control {
    /// The tags that an order sets, or would.
    pub(super) fn tags(&self, order: Order) -> Tags {
        match (self.actuator, order) {
            (Actuator::Tag(tag), _) => Tags::from_slice(&[tag]),
            (Actuator::Pair { on, .. }, Order::Switch(true) | Order::Step { higher: true }) => Tags::from_slice(&[on]),
            (Actuator::Pair { off, .. }, _) => Tags::from_slice(&[off]),
        }
    }

    /// What the tag is to be, in its own unit. The error says why it may not.
    pub(super) fn goal(&self, order: Order, plant: &Plant) -> Result<Value, &'static str> {
        let Actuator::Tag(tag) = self.actuator else { return Ok(Value::Bool(true)) };
        let ty = plant.type_of(tag);
        let goal = match order {
            Order::Switch(on) => return Ok(Value::Bool(on)),
            Order::Bits(bits) => return Ok(Value::of_pattern(bits.into(), ty)),
            Order::Step { higher } => plant.get(tag).number() + if higher { 1.0 } else { -1.0 },
            Order::Value(value) => value * self.scale + self.offset,
            Order::NotPermitted(_) => return Err("the state of the command is not permitted"),
        };
        let [low, high] = self.range.unwrap_or([f64::MIN, f64::MAX]);
        let held = ty.take(Value::Real(goal));
        // A tag that holds whole numbers takes the nearest one; none takes what is beyond its type.
        let fits = matches!(ty, Type::Real | Type::Lreal) || (held.number() - goal).abs() <= 0.5;
        if fits && (low..=high).contains(&goal) { Ok(held) } else { Err("the value is out of range") }
    }

    /// The tags that a change sets to what, the one that a pulse lets fall again first.
    pub(super) fn settings(&self, order: Order, goal: Value) -> SmallVec<[(TagId, Value); 2]> {
        match self.actuator {
            Actuator::Tag(tag) => SmallVec::from_iter([(tag, goal)]),
            Actuator::Pair { on, off } => {
                let up = matches!(order, Order::Switch(true) | Order::Step { higher: true });
                let (set, clear) = if up { (on, off) } else { (off, on) };
                SmallVec::from_iter([(set, Value::Bool(true)), (clear, Value::Bool(false))])
            }
        }
    }

    /// What the feedback shows when the tag is what it is to be; `before` is what it shows now.
    pub(super) fn target(&self, order: Order, goal: &Value, before: &Sample) -> Option<Target> {
        Some(match order {
            Order::Switch(on) => Target::On(on),
            Order::Step { higher: true } => Target::Above(before.number),
            Order::Step { higher: false } => Target::Below(before.number),
            Order::Value(_) => Target::Near(goal.number()),
            Order::Bits(_) => Target::Bits(goal.pattern(Type::Dword) as u32),
            Order::NotPermitted(_) => return None,
        })
    }

    /// What there was before, as the record has it.
    pub(super) fn before(&self, feedback: Option<&Sample>, plant: &Plant) -> Values {
        let switches = matches!(self.kind, CommandKind::Single | CommandKind::Double);
        let bit = |on| Values::Bits(SmallVec::from_slice(&[on]));
        match (feedback.map(|sample| sample.reading.information), self.actuator) {
            (Some(Information::Single(on)), _) if switches => bit(on),
            (Some(Information::Double(state @ (1 | 2))), _) if switches => bit(state == 2),
            (_, Actuator::Tag(tag)) if switches => bit(plant.get(tag).number() != 0.0),
            (_, Actuator::Tag(tag)) if self.kind != CommandKind::Step => Values::Typed(vec![match plant.get(tag) {
                Value::Real(number) => Value::Real((number - self.offset) / self.scale),
                other if self.kind == CommandKind::Bitstring => other,
                other => Value::Real((other.number() - self.offset) / self.scale),
            }]),
            _ => Values::None,
        }
    }
}
