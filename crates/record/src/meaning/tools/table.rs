//! Rules as files have them. Apart, because it is the contract with whoever writes rules of their own; docs/tools.md is
//! written from it.

use crate::document::ToolKind;
use serde::Deserialize;

/// A file of rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    #[serde(default)]
    pub(super) tools: Vec<ToolTable>,
}

/// A tool and what gives it away.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ToolTable {
    pub(super) name: String,
    pub(super) kind: ToolKind,
    pub(super) basis: Option<Basis>,
    pub(super) known: Option<String>,
    /// What it is an attempt of, beyond what its messages are.
    #[serde(default)]
    pub(super) techniques: Vec<String>,
    pub(super) rules: Vec<RuleTable>,
}

/// How a rule came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The tool itself was run against honeyplant.
    Seen,
    /// It is told by the tool's source or by its makers; the tool was not run.
    Told,
}

/// One event, and others that follow it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleTable {
    #[serde(default)]
    pub(super) protocol: Several<String>,
    #[serde(default)]
    pub(super) first: bool,
    #[serde(rename = "when")]
    pub(super) facts: Facts,
    #[serde(default)]
    pub(super) then: Vec<Facts>,
}

/// What an event must have, all of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Facts {
    pub(super) action: Several<String>,
    pub(super) transport: Several<String>,
    pub(super) port: Several<u16>,
    pub(super) code: Several<u16>,
    pub(super) unit: Several<u16>,
    pub(super) area: Several<String>,
    pub(super) address: Several<u32>,
    pub(super) count: Several<u32>,
    pub(super) names: Vec<String>,
    pub(super) request: Several<String>,
    pub(super) text: Several<String>,
    pub(super) user: Several<String>,
    pub(super) secret: Several<String>,
    pub(super) file: Several<String>,
    pub(super) method: Several<String>,
    pub(super) path: Several<String>,
    pub(super) query: Several<String>,
    pub(super) user_agent: Several<String>,
    pub(super) ja3: Several<String>,
    pub(super) ja4: Several<String>,
}

/// One or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "one, or a list of several, is expected here")]
pub(super) enum Several<T> {
    One(T),
    List(Vec<T>),
}

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl<T> Several<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::List(list) => list,
        }
    }
}
