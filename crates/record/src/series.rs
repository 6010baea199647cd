//! A list of values as a document has it. Apart, because values are written from the event without a copy, and JSON
//! knows no number that is none.

use honeyplant_core::{event::Values, plant::Value};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// Values in the order of their addresses.
#[derive(Clone, Debug)]
pub enum Series<'a> {
    /// As they were recorded.
    Recorded(&'a Values),
    /// As they were read back.
    Read(Vec<Value>),
}

impl Series<'_> {
    /// The values; numbers that JSON does not have stand as text.
    pub fn to_vec(&self) -> Vec<Value> {
        match self {
            Self::Recorded(values) => values.to_vec().into_iter().map(written).collect(),
            Self::Read(values) => values.clone(),
        }
    }
}

fn written(value: Value) -> Value {
    match value {
        Value::Real(number) if !number.is_finite() => Value::Text(number.to_string().into()),
        value => value,
    }
}

impl PartialEq for Series<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.to_vec() == other.to_vec()
    }
}

impl Serialize for Series<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Recorded(Values::Bits(bits)) => serializer.collect_seq(bits),
            Self::Recorded(Values::Words(words)) => serializer.collect_seq(words),
            Self::Recorded(values) => serializer.collect_seq(values.to_vec().into_iter().map(written)),
            Self::Read(values) => serializer.collect_seq(values),
        }
    }
}

impl<'de> Deserialize<'de> for Series<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::Read)
    }
}

impl JsonSchema for Series<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Vec<Value>>()
    }

    fn inline_schema() -> bool {
        true
    }
}
