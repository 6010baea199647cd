//! How an event is written for somebody else. Apart, because every sink that carries lines can carry each of these.

mod cef;
mod conpot;
mod literal;
mod shorten;
mod snmp;

pub(crate) use shorten::{level, text as cut};

use super::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// As the journal has it: the Elastic Common Schema.
    #[default]
    Ecs,
    /// The sentence that tells the event.
    Message,
    /// ArcSight's Common Event Format.
    Cef,
    /// As the JSON log of Conpot 0.6 has it, for pipelines that read that, such as T-Pot's. Events of actors only.
    Conpot,
    /// As Conpot 1.0 has it, with `schema_version` 1. Events of actors only.
    ConpotV1,
}

/// As much of a line as tells it in a sentence.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
}

impl Form {
    /// Appends `entry` in this form, without the end of a line. False if the form has no word for such an event; then
    /// nothing is appended.
    pub fn write(self, entry: &Entry, out: &mut Vec<u8>) -> bool {
        self.write_within(entry, usize::MAX, out)
    }

    /// The same in at most `most` bytes: what is longest is cut, and what remains is still of the form.
    pub fn write_within(self, entry: &Entry, most: usize, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let told = match self {
            Self::Ecs => {
                out.extend_from_slice(entry.line.as_bytes());
                true
            }
            Self::Message => {
                let told: Result<Told<'_>, _> = serde_json::from_str(&entry.line);
                let sentence = told.as_ref().map_or(&*entry.line, |told| &told.message);
                out.extend_from_slice(cut(&plain(sentence), most).as_bytes());
                true
            }
            Self::Cef => {
                cef::write(entry, most, out);
                true
            }
            Self::Conpot => conpot::write(entry, conpot::Version::Zero, out),
            Self::ConpotV1 => conpot::write(entry, conpot::Version::One, out),
        };
        if told && out.len() - start > most {
            let long = String::from_utf8_lossy(out.get(start..).unwrap_or_default()).into_owned();
            out.truncate(start);
            out.extend_from_slice(shorten::json(&long, most).as_bytes());
        }
        told
    }
}

/// What an actor sent may stand in a text, and must not end a line or speak to a terminal.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
    } else {
        text.into()
    }
}
