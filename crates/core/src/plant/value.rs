//! The elementary types of IEC 61131-3 (third edition, table 10) and their values. Apart, because tags, programs,
//! protocols and events all speak of values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An elementary data type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the standard's own")]
pub enum Type {
    Bool,
    Sint,
    Int,
    Dint,
    Lint,
    Usint,
    Uint,
    Udint,
    Ulint,
    Byte,
    Word,
    Dword,
    Lword,
    Real,
    Lreal,
    /// Signed milliseconds in 32 bits, as PLCs hold it.
    Time,
    /// At most 80 characters of one octet each.
    String,
}

impl Type {
    /// How many bits a value of this type takes in a process image.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Bool => 1,
            Self::Sint | Self::Usint | Self::Byte => 8,
            Self::Int | Self::Uint | Self::Word => 16,
            Self::Dint | Self::Udint | Self::Dword | Self::Real | Self::Time => 32,
            Self::Lint | Self::Ulint | Self::Lword | Self::Lreal => 64,
            Self::String => 80 * 8,
        }
    }

    /// The part of a pattern that a value of this type has.
    pub(crate) const fn cut(self, pattern: u64) -> u64 {
        match self.bits() {
            bits if bits < 64 => pattern & ((1 << bits) - 1),
            _ => pattern,
        }
    }

    /// `value` as this type holds it: converted, rounded, and held inside the type's range.
    pub fn take(self, value: Value) -> Value {
        match self {
            Self::Bool => Value::Bool(value.number() != 0.0),
            Self::Sint => value.signed(i8::MIN.into(), i8::MAX.into()),
            Self::Int => value.signed(i16::MIN.into(), i16::MAX.into()),
            Self::Dint | Self::Time => value.signed(i32::MIN.into(), i32::MAX.into()),
            Self::Lint => value.signed(i64::MIN, i64::MAX),
            Self::Usint | Self::Byte => value.unsigned(u8::MAX.into()),
            Self::Uint | Self::Word => value.unsigned(u16::MAX.into()),
            Self::Udint | Self::Dword => value.unsigned(u32::MAX.into()),
            Self::Ulint | Self::Lword => value.unsigned(u64::MAX),
            Self::Real => Value::Real(f64::from(value.number() as f32)),
            Self::Lreal => Value::Real(value.number()),
            Self::String => match value {
                Value::Text(text) => Value::Text(text.chars().take(80).collect()),
                Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Real(_) => Value::Text("".into()),
            },
        }
    }
}

/// A value of any elementary type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// BOOL.
    Bool(bool),
    /// The bit strings and unsigned integers.
    Uint(u64),
    /// The signed integers and TIME (in milliseconds).
    Int(i64),
    /// REAL and LREAL.
    Real(f64),
    /// STRING.
    Text(Box<str>),
}

impl Value {
    /// The value as a number; text is 0.
    pub fn number(&self) -> f64 {
        match *self {
            Self::Bool(bit) => f64::from(u8::from(bit)),
            Self::Uint(n) => n as f64,
            Self::Int(n) => n as f64,
            Self::Real(n) => n,
            Self::Text(_) => 0.0,
        }
    }

    fn whole(&self) -> i128 {
        match *self {
            Self::Bool(bit) => i128::from(bit),
            Self::Uint(n) => i128::from(n),
            Self::Int(n) => i128::from(n),
            // IEC 61131-3 §6.6.2.5.3: conversion from REAL rounds to the nearest even integer.
            Self::Real(n) => n.round_ties_even() as i128,
            Self::Text(_) => 0,
        }
    }

    fn signed(&self, low: i64, high: i64) -> Self {
        Self::Int(self.whole().clamp(low.into(), high.into()) as i64)
    }

    fn unsigned(&self, high: u64) -> Self {
        Self::Uint(self.whole().clamp(0, high.into()) as u64)
    }

    /// The bit pattern of a value that `ty` holds, in the low `ty.bits()` bits; text has none.
    pub fn pattern(&self, ty: Type) -> u64 {
        match (self, ty) {
            (Self::Real(n), Type::Real) => (*n as f32).to_bits().into(),
            (Self::Real(n), Type::Lreal) => n.to_bits(),
            _ => self.whole() as u64,
        }
    }

    /// The value of type `ty` that has this bit pattern.
    pub fn of_pattern(pattern: u64, ty: Type) -> Self {
        match ty {
            Type::Bool => Self::Bool(pattern & 1 == 1),
            Type::Sint => Self::Int((pattern as i8).into()),
            Type::Int => Self::Int((pattern as i16).into()),
            Type::Dint | Type::Time => Self::Int((pattern as i32).into()),
            Type::Lint => Self::Int(pattern as i64),
            Type::Usint | Type::Byte => Self::Uint(pattern & 0xFF),
            Type::Uint | Type::Word => Self::Uint(pattern & 0xFFFF),
            Type::Udint | Type::Dword => Self::Uint(pattern & 0xFFFF_FFFF),
            Type::Ulint | Type::Lword => Self::Uint(pattern),
            Type::Real => Self::Real(f32::from_bits(pattern as u32).into()),
            Type::Lreal => Self::Real(f64::from_bits(pattern)),
            Type::String => Self::Text("".into()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(bit) => write!(f, "{}", if *bit { "on" } else { "off" }),
            Self::Uint(n) => write!(f, "{n}"),
            Self::Int(n) => write!(f, "{n}"),
            // What was a REAL is shown with the digits that a REAL has.
            Self::Real(n) => write!(f, "{}", *n as f32),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_holds_values_inside_its_range() {
        assert_eq!(Type::Int.take(Value::Real(40_000.4)), Value::Int(32_767));
        assert_eq!(Type::Uint.take(Value::Int(-1)), Value::Uint(0));
        assert_eq!(Type::Int.take(Value::Real(2.5)), Value::Int(2));
        assert_eq!(Type::Bool.take(Value::Int(7)), Value::Bool(true));
        assert_eq!(Type::Dint.take(Value::Real(f64::NAN)), Value::Int(0));
        assert_eq!(Type::Real.take(Value::Int(0)), Value::Real(0.0));
    }

    #[test]
    fn patterns_come_back_as_the_value_they_were() {
        for (value, ty) in [
            (Value::Int(-2), Type::Int),
            (Value::Real(3.5), Type::Real),
            (Value::Real(-1e300), Type::Lreal),
            (Value::Uint(u64::MAX), Type::Lword),
            (Value::Bool(true), Type::Bool),
        ] {
            assert_eq!(Value::of_pattern(value.pattern(ty), ty), value);
        }
    }
}
