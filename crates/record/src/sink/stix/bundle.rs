//! Objects that are handed over together (STIX 2.1 §8). Apart, because an object that several findings need is in it once.

use super::Author;
use crate::sink::{Entry, SinkError, sharing::text, uuid::Uuid};
use serde_json::{Value, json};
use std::collections::HashSet;

/// The objects of a batch, in the order in which they are needed: what is referred to comes first.
#[derive(Debug, Default)]
pub(in crate::sink) struct Bundle {
    objects: Vec<Value>,
    known: HashSet<String>,
}

impl Bundle {
    /// Adds an object, if it is not there. Its id.
    pub(super) fn add(&mut self, object: Value) -> String {
        let id = text(&object, "id").to_owned();
        if self.known.insert(id.clone()) {
            self.objects.push(object);
        }
        id
    }

    /// The objects.
    pub(in crate::sink) fn into_objects(self) -> Vec<Value> {
        self.objects
    }

    /// The whole of it as one object; none of nothing. Its id follows from `name`.
    pub(super) fn into_value(self, own: Uuid, name: &str) -> Option<Value> {
        let id = format!("bundle--{}", own.of(&format!("bundle {name}")));
        (!self.objects.is_empty()).then(|| json!({ "type": "bundle", "id": id, "objects": self.objects }))
    }
}

impl Author {
    /// What of a batch is shared.
    pub(in crate::sink) fn bundle(&self, batch: &[Entry]) -> Result<Bundle, SinkError> {
        let mut bundle = Bundle::default();
        for entry in batch {
            let document = entry.document().map_err(|error| {
                SinkError(format!("the line {} of the journal is no event: {error}", entry.sequence))
            })?;
            if let Some(finding) = self.sharing.find(&document) {
                self.write(&finding, &mut bundle);
            }
        }
        Ok(bundle)
    }
}
