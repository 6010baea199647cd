//! A JSON object that is being written. Apart, because what is written field by field cannot be a literal.

use serde_json::{Map, Value};

/// The fields of an object.
#[derive(Clone, Debug, Default)]
pub(in crate::sink) struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of `value`.
    pub(in crate::sink) fn of(value: Value) -> Self {
        if let Value::Object(fields) = value { Self(fields) } else { Self::default() }
    }

    /// Sets a field.
    pub(in crate::sink) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Sets a field, if there is something to set.
    pub(in crate::sink) fn maybe(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        Self::Object(fields.0)
    }
}

/// A field that is a text; an empty one of what is none.
pub(in crate::sink) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A field that is a list.
pub(in crate::sink) fn items<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
