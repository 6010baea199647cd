//! Settings in layers: what a profile says, over what its dialect says, over what lies under every dialect. Apart, because
//! each protocol with dialects of servers reads them alike.

use honeyplant_core::{
    device::Device,
    settings::{Problem, Problems},
};
use serde::de::DeserializeOwned;
use std::ops::Range;

/// What is at hand while settings are read.
pub(crate) struct Layers<'a, S> {
    /// The profile's own, its dialect's, and what is under both.
    pub(crate) layers: [&'a S; 3],
    /// Where the profile's own stand in it.
    pub(crate) key: &'a str,
    pub(crate) device: &'a Device,
    /// All that is wrong.
    pub(crate) problems: Problems,
}

/// The text of a dialect, or of what is under all of them, read for the settings at `key`.
pub(crate) fn layer<S: DeserializeOwned>(text: &str, key: &str) -> Result<S, Problems> {
    toml::from_str(text).map_err(|error| vec![Problem::new(key, format!("{error}"))])
}

impl<'a, S> Layers<'a, S> {
    /// What the first layer that says something says.
    pub(crate) fn first<T>(&self, field: impl Fn(&'a S) -> &'a Option<T>) -> Option<&'a T> {
        self.layers.iter().find_map(|layer| field(layer).as_ref())
    }

    /// Whether the first layer that says something says yes.
    pub(crate) fn is(&self, field: impl Fn(&'a S) -> &'a Option<bool>) -> bool {
        self.first(field).copied().unwrap_or_default()
    }

    /// Something is wrong with what stands at `field`.
    pub(crate) fn problem(&mut self, field: &str, span: Range<usize>, problem: Problem) {
        self.problems.push(Problem { key: format!("{}.{field}", self.key), span: Some(span), ..problem });
    }
}
