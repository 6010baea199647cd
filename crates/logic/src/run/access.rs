//! Values of the plant as slots hold them. Apart, because the plant speaks of `Value`s, and only here does the program
//! meet them.

use super::code::{Access, Target};
use crate::types::{Elementary, Raw};
use honeyplant_core::plant::{Plant, Type, Value};

const MILLISECOND: i64 = 1_000_000;

/// `value` as a slot of type `ty` holds it.
#[inline]
pub(crate) fn raw_of(value: &Value, ty: Elementary) -> Raw {
    let raw = match *value {
        Value::Bool(on) => Raw::from(on),
        Value::Uint(n) => n,
        Value::Int(n) => n as Raw,
        Value::Real(n) => n.to_bits(),
        Value::Text(_) => 0,
    };
    match ty {
        Elementary::Time => (raw as i64).saturating_mul(MILLISECOND) as Raw,
        _ => raw,
    }
}

/// The value with a bit pattern of the process image as a slot of type `ty` holds it.
#[inline]
fn of_pattern(pattern: u64, ty: Elementary) -> Raw {
    match ty {
        Elementary::Real => f64::from(f32::from_bits(pattern as u32)).to_bits(),
        Elementary::Time => i64::from(pattern as i32).saturating_mul(MILLISECOND) as Raw,
        _ => ty.narrow(pattern),
    }
}

/// What a slot of type `ty` holds as the plant speaks of it; a TIME in milliseconds.
pub(crate) fn value_of(raw: Raw, ty: Elementary) -> Value {
    match ty {
        Elementary::Bool => Value::Bool(raw != 0),
        Elementary::Real | Elementary::Lreal => Value::Real(f64::from_bits(raw)),
        Elementary::Time => Value::Int(raw as i64 / MILLISECOND),
        _ if ty.is_bits() || ty.is_unsigned() => Value::Uint(raw),
        _ => Value::Int(raw as i64),
    }
}

/// The octets of a text (ISO 8859-1) as the plant keeps them.
pub(crate) fn text_of(octets: &[u8]) -> Value {
    Value::Text(octets.iter().map(|octet| char::from(*octet)).collect())
}

/// The octets of a text of the plant.
pub(crate) fn octets_of(value: &Value) -> Vec<u8> {
    match value {
        Value::Text(text) => text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect(),
        Value::Bool(_) | Value::Uint(_) | Value::Int(_) | Value::Real(_) => Vec::new(),
    }
}

impl Access {
    fn value(&self, plant: &Plant) -> Value {
        match self.to {
            Target::Tag(id) => plant.get(id),
            Target::Memory(place, ty) => plant.image().get(place, ty),
        }
    }

    fn put(&self, plant: &mut Plant, value: Value) {
        match self.to {
            Target::Tag(id) => plant.set(id, value),
            Target::Memory(place, ty) => plant.image_mut().set(place, ty, value),
        }
    }

    /// What is there now.
    #[inline]
    pub(crate) fn read(&self, plant: &Plant) -> Raw {
        match self.to {
            Target::Tag(id) => plant.own(id).map_or(0, |value| raw_of(value, self.ty)),
            Target::Memory(place, ty) => of_pattern(plant.image().pattern(place, ty), self.ty),
        }
    }

    /// The text that is there now.
    pub(crate) fn read_text(&self, plant: &Plant) -> Vec<u8> {
        octets_of(&self.value(plant))
    }

    /// Changes it to `raw`, and tells what was there before unless that is the same.
    pub(crate) fn write(&self, plant: &mut Plant, raw: Raw) -> Option<Raw> {
        let before = self.read(plant);
        let raw = match self.ty {
            // The plant keeps whole milliseconds in 32 bits: what it would drop is no change.
            Elementary::Time => {
                let held = Type::Time.take(value_of(raw, Elementary::Time));
                raw_of(&held, Elementary::Time)
            }
            ty => ty.narrow(raw),
        };
        (before != raw).then(|| {
            self.put(plant, value_of(raw, self.ty));
            before
        })
    }

    /// The same for a text.
    pub(crate) fn write_text(&self, plant: &mut Plant, octets: &[u8]) -> Option<Vec<u8>> {
        let octets = octets.get(..usize::from(self.length)).unwrap_or(octets);
        let before = self.read_text(plant);
        (before != octets).then(|| {
            self.put(plant, text_of(octets));
            before
        })
    }
}
