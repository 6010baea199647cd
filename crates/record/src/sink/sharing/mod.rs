//! What is told to others, and what is kept from them. Apart from the forms in which it is told, because every one of them
//! must keep the same secrets.

mod fields;
mod finding;
mod refused;

pub(super) use fields::{Fields, items, text};
pub(super) use finding::{Finding, Found, day, moment};
pub(super) use refused::Refused;

use super::{Home, uuid::Uuid};
use honeyplant_core::settings::{Period, Problem, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// Everything that we name ourselves is named below this.
const NAMESPACE: Uuid = Uuid(0x3f1c_52a8_0d67_4b0e_9a51_c84e_7d20_66b3);

/// What is shared, and how it is marked. Flattened into the table of a sink.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct SharingSettings {
    /// The name of the organisation that shares. Without one it is a sensor that nobody is named for.
    pub(super) organisation: Option<String>,
    /// The industry that the decoys are of, as STIX names it, such as `water`, `energy` or `manufacturing`.
    pub(super) sector: Option<String>,
    /// With whom those who get it may share it further, by the Traffic Light Protocol 2.0.
    pub(super) tlp: Tlp,
    /// How grave a session must have been to be shared, from 0 to 10. With 2, port scans that said nothing are left out.
    pub(super) severity: u8,
    /// From which severity on the address that it came from, and what it left, are indicators that others may block by.
    pub(super) indicator_severity: u8,
    /// From which severity on an event is shared at once, and not only in the summary of its session.
    pub(super) event_severity: u8,
    /// How long an indicator is valid.
    pub(super) valid: Period,
    /// Whether sessions from private and local addresses are shared, too. They tell of the operator's own network.
    pub(super) private: bool,
    /// Whether the passwords that were tried are shared. Staff who take a decoy for the real device type real ones.
    pub(super) credentials: bool,
    /// Whether the address and the names of the decoy are shared, with which others could recognise it.
    pub(super) decoy: bool,
    /// Further texts that are never shared wherever they stand, such as the public address and the host name of the sensor.
    pub(super) withhold: Vec<String>,
}

impl Default for SharingSettings {
    fn default() -> Self {
        Self {
            organisation: None,
            sector: None,
            tlp: Tlp::Green,
            severity: 2,
            indicator_severity: 7,
            event_severity: 9,
            valid: Period(Duration::from_secs(30 * 86_400)),
            private: false,
            credentials: false,
            decoy: false,
            withhold: Vec::new(),
        }
    }
}

/// A label of the Traffic Light Protocol 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum Tlp {
    /// With everybody.
    #[serde(rename = "clear")]
    Clear,
    /// Within the community.
    #[serde(rename = "green")]
    Green,
    /// Within the organisation and with its clients, as far as they need to know.
    #[serde(rename = "amber")]
    Amber,
    /// Within the organisation only.
    #[serde(rename = "amber+strict")]
    AmberStrict,
    /// With nobody else.
    #[serde(rename = "red")]
    Red,
}

impl Tlp {
    /// As it is written.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }
}

/// `industry-sector-ov`, the vocabulary of STIX 2.1.
const SECTORS: &[&str] = &[
    "agriculture",
    "aerospace",
    "automotive",
    "chemical",
    "commercial",
    "communications",
    "construction",
    "defense",
    "education",
    "energy",
    "entertainment",
    "financial-services",
    "government",
    "emergency-services",
    "government-local",
    "government-national",
    "government-public-services",
    "government-regional",
    "healthcare",
    "hospitality-leisure",
    "infrastructure",
    "dams",
    "nuclear",
    "water",
    "insurance",
    "manufacturing",
    "mining",
    "non-profit",
    "pharmaceuticals",
    "retail",
    "technology",
    "telecommunications",
    "transportation",
    "utilities",
];

/// What a sink shares.
#[derive(Clone, Debug)]
pub(super) struct Sharing {
    pub(super) settings: SharingSettings,
    /// The namespace of this install.
    pub(super) own: Uuid,
}

impl Sharing {
    /// What `settings` say; `key` is the key of the sink's table.
    pub(super) fn new(settings: SharingSettings, key: &str, home: &Home<'_>) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let at = |field: &str| if key.is_empty() { field.to_owned() } else { format!("{key}.{field}") };
        if let Some(sector) = &settings.sector
            && !SECTORS.contains(&&**sector)
        {
            problems.push(Problem::unknown(at("sector"), "sector", sector, SECTORS.iter().copied()));
        }
        let severities = [
            ("severity", settings.severity),
            ("indicator-severity", settings.indicator_severity),
            ("event-severity", settings.event_severity),
        ];
        for (field, severity) in severities.into_iter().filter(|(_, severity)| *severity > 10) {
            let problem = Problem::new(at(field), format!("{severity} is no severity"));
            problems.push(problem.hint("severities are from 0 to 10"));
        }
        if settings.valid.0.is_zero() {
            problems.push(Problem::new(at("valid"), "an indicator is valid for some time").hint("write it as `30d`"));
        }
        if settings.withhold.iter().any(|text| text.trim().is_empty()) {
            problems.push(Problem::new(at("withhold"), "an empty text stands everywhere"));
        }
        let own = NAMESPACE.of(&home.observer.install);
        if problems.is_empty() { Ok(Self { settings, own }) } else { Err(problems) }
    }
}
