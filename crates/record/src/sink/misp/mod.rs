//! MISP, by the REST API that it describes as OpenAPI (2.4 and 2.5): an event a day, which grows. Apart from STIX, because
//! MISP has words of its own for the same.
//!
//! An event that is there is edited with what is new only: MISP adds that to what it has, and takes what it has by its UUID
//! for the same, so that a delivery that is repeated changes nothing.

mod event;

use super::{
    Entry, Home, Pace, Sink, SinkError, SinkKind,
    secret::Secret,
    sharing::{Fields, Refused, Sharing, SharingSettings, day, items, text},
    uuid::Uuid,
    web::{Answer, Service, WebSettings},
};
use event::News;
use honeyplant_core::settings::{Problem, Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, SystemTime},
};

const JSON: &str = "application/json";
/// With so many attributes an event is full, and the day has another: MISP answers each edit with the whole event.
const FULL: u64 = 10_000;

/// Adds what is worth sharing to a MISP instance: one event a day, which grows, with an object `network-connection` for each
/// session, objects `credential`, `file` and `http-request` for what was left, and an attribute `ip-src` with the flag for
/// intrusion detection for each source that was grave enough. The user of `key` needs the right to add events, and that to
/// publish if `publish` is set. What comes is in the order of the events. Every UUID follows from the event that it tells of:
/// what is delivered twice is there once. What MISP refuses twice is put aside in `sinks/NAME.refused.jsonl` in the state
/// folder. `docs/sharing.md` tells what is shared and what is withheld.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
struct Table {
    /// The authentication key of a user of the API.
    key: Secret,
    /// Who may see the events.
    #[serde(default)]
    distribution: Distribution,
    /// The number of the sharing group, for the distribution `sharing-group`.
    #[serde(default)]
    sharing_group: Option<u32>,
    /// How grave the events are said to be.
    #[serde(default)]
    threat_level: ThreatLevel,
    /// How far their analysis is said to be.
    #[serde(default)]
    analysis: Analysis,
    /// Whether an event is published each time that it has grown.
    #[serde(default)]
    publish: bool,
    #[serde(flatten)]
    web: WebSettings,
    #[serde(flatten)]
    sharing: SharingSettings,
}

/// As MISP numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Distribution {
    /// The organisation of the user.
    #[default]
    Organisation = 0,
    /// All organisations of the instance.
    Community = 1,
    /// Those, and the instances that are connected with it.
    Connected = 2,
    /// Everybody.
    All = 3,
    /// A sharing group.
    SharingGroup = 4,
}

/// As MISP numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ThreatLevel {
    /// Sophisticated.
    High = 1,
    /// Targeted.
    Medium = 2,
    /// Masses.
    Low = 3,
    /// Not judged.
    #[default]
    Undefined = 4,
}

/// As MISP numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Analysis {
    /// It has begun.
    Initial = 0,
    /// It goes on.
    #[default]
    Ongoing = 1,
    /// It is done.
    Completed = 2,
}

/// The kind `misp`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "misp"
    }

    fn example(&self) -> &'static str {
        "url = \"https://misp.example.org\"\nkey = \"example\"\ndistribution = \"community\"\n\
         organisation = \"Example Water Utility\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let sharing = Sharing::new(table.sharing, settings.key(), home);
        let mut problems = sharing.as_ref().err().cloned().unwrap_or_default();
        if (table.distribution == Distribution::SharingGroup) != table.sharing_group.is_some() {
            let problem =
                Problem::new(settings.key_of("sharing-group"), "a sharing group and that distribution need each other");
            problems.push(problem.hint("write `distribution = \"sharing-group\"` and `sharing-group = 1`"));
        }
        let service = Service::new(&table.web, settings.key());
        problems.extend(service.as_ref().err().cloned());
        let (Ok(sharing), Ok(service), true) = (sharing, service, problems.is_empty()) else { return Err(problems) };
        let service = service.accepting(JSON).with("Authorization", table.key.reveal().to_owned());
        let mut head = Fields::of(json!({
            "distribution": table.distribution as u8,
            "threat_level_id": table.threat_level as u8,
            "analysis": table.analysis as u8,
        }));
        head.maybe("sharing_group_id", table.sharing_group);
        Ok(Box::new(Misp { service, sharing, head, publish: table.publish, refused: Refused::new(home) }))
    }
}

/// Adds to one instance.
struct Misp {
    service: Service,
    sharing: Sharing,
    /// What every event of ours has.
    head: Fields,
    publish: bool,
    refused: Refused,
}

impl Misp {
    /// Adds what a day brought to its event.
    fn add(&self, day: &str, news: &News) -> Result<HashSet<String>, SinkError> {
        let (mut part, mut uuid) = (1, self.uuid(day, 1));
        let mut known = self.find(uuid)?;
        while let Some((_, count)) = known
            && count >= FULL
        {
            part += 1;
            uuid = self.uuid(day, part);
            known = self.find(uuid)?;
        }
        let answer = if let Some((edited, _)) = known {
            let mut event = news.event(uuid, Fields::default());
            // MISP takes an edit only if it is newer than what it has, to the second.
            let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
            event.set("timestamp", now.max(edited + 1).to_string());
            self.post(&format!("/events/edit/{uuid}"), &json!({ "Event": Value::from(event) }))?
        } else {
            let mut event = news.event(uuid, self.head.clone());
            event.set("info", self.title(day, part));
            event.set("date", day);
            self.post("/events/add", &json!({ "Event": Value::from(event) }))?
        };
        if self.publish {
            self.post(&format!("/events/publish/{uuid}"), &json!({}))?;
        }
        Ok(answer.get("Event").map(uuids).unwrap_or_default())
    }

    fn title(&self, day: &str, part: u32) -> String {
        let whose = self.sharing.settings.organisation.as_ref().map_or_else(String::new, |name| format!(" of {name}"));
        let part = if part > 1 { format!(", part {part}") } else { String::new() };
        format!("Attacks on industrial decoys{whose}, {day}{part}")
    }

    fn uuid(&self, day: &str, part: u32) -> Uuid {
        self.sharing.own.of(&format!("misp event {day} {part}"))
    }

    /// When the event was edited last, and how many attributes it has.
    fn find(&self, uuid: Uuid) -> Result<Option<(u64, u64)>, SinkError> {
        let search = json!({ "returnFormat": "json", "uuid": uuid.to_string(), "metadata": true });
        let found = self.post("/events/restSearch", &search)?;
        let Some(event) = items(&found, "response").first().and_then(|one| one.get("Event")) else { return Ok(None) };
        // MISP writes numbers as texts, but not everywhere.
        let number = |field: &str| {
            let value = event.get(field);
            value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok())).unwrap_or(0)
        };
        Ok(Some((number("timestamp"), number("attribute_count"))))
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, SinkError> {
        self.read(self.service.post(path, JSON, body.to_string().as_bytes())?)
    }

    fn read(&self, answer: Answer) -> Result<Value, SinkError> {
        if answer.status == 403 && answer.body.contains("uthentication failed") {
            return Err(SinkError(format!("{}: it does not know the key of the API", self.service.name())));
        }
        let answer = answer.accepted(&self.service)?;
        serde_json::from_str(&answer.body)
            .map_err(|error| SinkError(format!("{}: what it answers is not of MISP: {error}", self.service.name())))
    }
}

impl Sink for Misp {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let mut days: BTreeMap<String, News> = BTreeMap::new();
        for entry in batch {
            let document = entry.document().map_err(|error| {
                SinkError(format!("the line {} of the journal is no event: {error}", entry.sequence))
            })?;
            if let Some(finding) = self.sharing.find(&document) {
                days.entry(day(finding.at())).or_default().add(&finding, &self.sharing);
            }
        }
        let mut refused = Vec::new();
        for (day, news) in &days {
            let taken = self.add(day, news)?;
            refused.extend(news.parts().filter_map(|part| {
                let uuid = Some(text(part, "uuid")).filter(|uuid| !taken.contains(*uuid))?;
                Some((part.clone(), uuid.to_owned(), format!("it is not in the event of {day}")))
            }));
        }
        self.refused.judge(self.service.name(), refused)
    }

    fn pace(&self) -> Pace {
        Pace { most: 500, every: Duration::from_secs(10) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let version = self.read(self.service.get("/servers/getVersion", JSON)?)?;
        let user = self.read(self.service.get("/users/view/me", JSON)?)?;
        for (right, needed) in [("perm_add", true), ("perm_publish", self.publish)] {
            if needed && user.pointer(&format!("/Role/{right}")) == Some(&false.into()) {
                let name = self.service.name();
                return Err(SinkError(format!("{name}: the role of the user of the key has no right {right}")));
            }
        }
        Ok(format!("MISP {}", text(&version, "version")))
    }
}

/// The UUIDs of all attributes and objects of an event.
fn uuids(event: &Value) -> HashSet<String> {
    let parts = items(event, "Attribute").iter().chain(items(event, "Object"));
    parts.map(|part| text(part, "uuid").to_owned()).collect()
}
