//! As much of a line as tables have columns for. Apart from the whole document, because it is read a hundred thousand
//! times a second: what the line says is borrowed from it, and what no column holds is passed over.

use crate::document::{Outcome, Stamp};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::borrow::Cow;

/// A text of the line; without NUL, which a text of some databases cannot hold: [`NUL`] stands for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// What stands for NUL: the sign of Unicode that shows it.
pub(crate) const NUL: &str = "\u{2400}";

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
        let Borrowed(text) = Borrowed::deserialize(deserializer)?;
        // In JSON, NUL is escaped, and what was escaped is not borrowed.
        Ok(Self(match text {
            Cow::Owned(text) if text.contains('\0') => Cow::Owned(text.replace('\0', NUL)),
            text => text,
        }))
    }
}

/// A JSON document without NUL, for columns of documents that cannot hold it.
pub(crate) fn without_nul(json: &str) -> Cow<'_, str> {
    if !json.contains(r"\u0000") {
        return Cow::Borrowed(json);
    }
    let (mut out, mut rest) = (String::with_capacity(json.len()), json);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        // A backslash that is itself escaped begins nothing: it is passed over with the one before.
        let length = if escape.starts_with(r"\u0000") { 6 } else { escape.len().min(2) };
        let (escaped, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        out.push_str(if length == 6 { NUL } else { escaped });
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Line<'a> {
    #[serde(rename = "@timestamp")]
    pub(crate) timestamp: Stamp,
    #[serde(borrow)]
    pub(crate) event: Facets<'a>,
    #[serde(borrow)]
    pub(crate) message: Text<'a>,
    #[serde(borrow)]
    pub(crate) source: Option<Source<'a>>,
    #[serde(borrow)]
    pub(crate) destination: Option<Address<'a>>,
    #[serde(borrow)]
    pub(crate) network: Option<Network<'a>>,
    #[serde(borrow)]
    pub(crate) user: Option<Named<'a>>,
    #[serde(borrow)]
    pub(crate) file: Option<File<'a>>,
    #[serde(borrow)]
    pub(crate) threat: Option<Threat<'a>>,
    #[serde(borrow)]
    pub(crate) honeyplant: Facts<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Facets<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    pub(crate) sequence: u64,
    #[serde(borrow)]
    pub(crate) action: Text<'a>,
    pub(crate) outcome: Outcome,
    #[serde(default)]
    pub(crate) severity: u8,
    pub(crate) start: Option<Stamp>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Source<'a> {
    #[serde(borrow)]
    pub(crate) ip: Text<'a>,
    pub(crate) port: u16,
    #[serde(borrow)]
    pub(crate) geo: Option<Geo<'a>>,
    #[serde(borrow, rename = "as")]
    pub(crate) network: Option<AutonomousSystem<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Geo<'a> {
    #[serde(borrow)]
    pub(crate) country_iso_code: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) city_name: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AutonomousSystem<'a> {
    pub(crate) number: u32,
    #[serde(borrow)]
    pub(crate) organization: Option<Named<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Address<'a> {
    #[serde(borrow)]
    pub(crate) ip: Text<'a>,
    pub(crate) port: u16,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Network<'a> {
    #[serde(borrow)]
    pub(crate) transport: Text<'a>,
    #[serde(borrow)]
    pub(crate) protocol: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Named<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct File<'a> {
    pub(crate) size: Option<u64>,
    #[serde(borrow)]
    pub(crate) hash: Option<Hash<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Hash<'a> {
    #[serde(borrow)]
    pub(crate) sha256: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Threat<'a> {
    #[serde(borrow)]
    pub(crate) tactic: Tactics<'a>,
    #[serde(borrow)]
    pub(crate) technique: Techniques<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tactics<'a> {
    #[serde(borrow)]
    pub(crate) name: Vec<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Techniques<'a> {
    #[serde(borrow)]
    pub(crate) id: Vec<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Facts<'a> {
    #[serde(borrow)]
    pub(crate) site: Text<'a>,
    #[serde(borrow)]
    pub(crate) device: Option<Decoy<'a>>,
    #[serde(borrow)]
    pub(crate) session: Option<Session<'a>>,
    #[serde(borrow)]
    pub(crate) operation: Option<Named<'a>>,
    #[serde(default, borrow)]
    pub(crate) tags: Vec<Text<'a>>,
    pub(crate) before: Option<Vec<Value>>,
    pub(crate) after: Option<Vec<Value>>,
    #[serde(borrow)]
    pub(crate) secret: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) ending: Option<Closing<'a>>,
    #[serde(borrow)]
    pub(crate) tool: Option<Named<'a>>,
    pub(crate) summary: Option<Value>,
    pub(crate) repeated: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Decoy<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) profile: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Session<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Closing<'a> {
    #[serde(borrow)]
    pub(crate) reason: Text<'a>,
    pub(crate) exchanges: u64,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_shown_and_what_looks_like_it_stays() {
        assert_eq!(without_nul(r#"{"a":"b\u0000\\u0000\n\u0001"}"#), "{\"a\":\"b\u{2400}\\\\u0000\\n\\u0001\"}");
        assert_eq!(without_nul(r#""\\u0000""#), r#""\\u0000""#);
        let text: Text<'_> = serde_json::from_str(r#""a\u0000b""#).unwrap();
        assert_eq!(text.0, "a\u{2400}b");
    }
}
