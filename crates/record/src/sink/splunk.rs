//! Splunk's HTTP Event Collector (Splunk Enterprise 9, "HTTP Event Collector REST API endpoints"). Apart, because its
//! envelope, its codes and its acknowledgements are its own.

use super::{
    Entry, Form, Home, Pace, Secret, Sink, SinkError, SinkKind,
    uuid::Uuid,
    web::{Answer, Service, WebSettings},
};
use crate::document::Document;
use honeyplant_core::settings::{Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

/// As much is sent in one request: Splunk Cloud takes no more than a megabyte.
const REQUEST: usize = 900 << 10;
/// Of an event that is too long by itself, as many bytes are sent.
const SHORT: usize = 2048;
/// How long the indexers may take to acknowledge what they took.
const ACKNOWLEDGED: Duration = Duration::from_secs(120);
/// The pauses between questions whether they have, the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Splunk, by its HTTP Event Collector. Make a token for it in Splunk, with the index that events are to go to, and write
/// `url` without a path, such as `https://splunk.example.org:8088`.
///
/// Each event is one of Splunk, with its own time to the microsecond and, unless `indexed = false`, with indexed fields to
/// search by quickly: `action`, `outcome`, `severity`, `src`, `dest`, `app`, `device`, `session`, `technique`, `user` and
/// `event_id`. Long messages of actors make long events: give the source type `TRUNCATE = 0` in `props.conf`.
///
/// Events come in order, several in a request. Without `ack`, what Splunk has taken counts as delivered although its indexers
/// may not have written it yet, so that a crash of Splunk can lose it. With `ack = true`, and indexer acknowledgement
/// switched on for the token, it is delivered once they have. After a failure an event may come twice; its `event_id` is the
/// same.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
struct Table {
    #[serde(flatten)]
    web: WebSettings,
    /// The token.
    token: Secret,
    /// The index; without it, that of the token.
    #[serde(default)]
    index: Option<String>,
    /// The host of each event; without it, the name of the site.
    #[serde(default)]
    host: Option<String>,
    /// The source of each event; without it, `honeyplant`.
    #[serde(default)]
    source: Option<String>,
    /// The source type of each event; without it, `honeyplant:` and the name of its form, such as `honeyplant:ecs`.
    #[serde(default)]
    sourcetype: Option<String>,
    /// Whether events have indexed fields.
    #[serde(default = "yes")]
    indexed: bool,
    /// Whether to wait until the indexers have acknowledged what was sent.
    #[serde(default)]
    ack: bool,
    /// The form of the events.
    #[serde(default)]
    format: Form,
}

const fn yes() -> bool {
    true
}

/// The kind `splunk`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "splunk"
    }

    fn example(&self) -> &'static str {
        "url = \"https://splunk.example.org:8088\"\ntoken = \"00000000-0000-0000-0000-000000000000\"\nindex = \"honeyplant\"\n\
         ack = true\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        // Of ours alone, and the same at each run.
        let channel = Uuid(0).drawn(&format!("splunk {} {}", home.observer.install, home.name)).to_string();
        let service = Service::new(&table.web, settings.key())
            .map_err(|problem| vec![problem])?
            .with("Authorization", format!("Splunk {}", table.token.reveal()))
            .with("X-Splunk-Request-Channel", channel);
        let form = serde_json::to_value(table.format).unwrap_or_default();
        let sourcetype =
            table.sourcetype.clone().unwrap_or_else(|| format!("honeyplant:{}", form.as_str().unwrap_or("ecs")));
        let mut about = Map::new();
        about.insert("host".into(), table.host.as_ref().unwrap_or(&home.observer.site).as_str().into());
        about.insert("source".into(), table.source.as_deref().unwrap_or("honeyplant").into());
        about.insert("sourcetype".into(), sourcetype.into());
        about.extend(table.index.as_deref().map(|index| ("index".into(), index.into())));
        Ok(Box::new(Splunk { table, service, about, next: 0 }))
    }
}

#[derive(Debug)]
struct Splunk {
    table: Table,
    service: Service,
    /// What stands in every envelope.
    about: Map<String, Value>,
    /// The first event that Splunk has not taken yet: of a batch that comes again, some may have been.
    next: u64,
}

/// How much of an event is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// All of it.
    Whole,
    /// The same as one text, without indexed fields: Splunk did not like something in it.
    Text,
    /// In few bytes: it is too long.
    Short,
}

/// An event in its envelope.
struct Wrapped<'a> {
    entry: &'a Entry,
    extent: Extent,
    text: Vec<u8>,
}

impl Splunk {
    /// The envelope; none if the form has no word for the event.
    fn wrap<'a>(&self, entry: &'a Entry, extent: Extent) -> Option<Wrapped<'a>> {
        let mut event = Vec::new();
        let document = entry.document().ok();
        let most = if extent == Extent::Short { SHORT } else { usize::MAX };
        self.table.format.write_within(entry, most, &mut event).then_some(())?;
        let mut text = Vec::from(*b"{");
        if let Some(document) = &document {
            let micros = document.timestamp.timestamp().as_microsecond();
            text.extend_from_slice(format!("\"time\":{}.{:06},", micros / 1_000_000, micros % 1_000_000).as_bytes());
        }
        let fields = document.filter(|_| self.table.indexed && extent != Extent::Text);
        let mut about = self.about.clone();
        about.extend(fields.map(|document| ("fields".into(), fields_of(&document, extent))));
        let about = Value::Object(about).to_string();
        // Without its last brace.
        text.extend_from_slice(about.as_bytes().split_first().map_or(&[], |(_, rest)| rest));
        text.pop();
        text.extend_from_slice(b",\"event\":");
        if extent != Extent::Text && event.first() == Some(&b'{') {
            text.extend_from_slice(&event);
        } else {
            text.extend_from_slice(Value::from(String::from_utf8_lossy(&event)).to_string().as_bytes());
        }
        text.extend_from_slice(b"}\n");
        Some(Wrapped { entry, extent, text })
    }

    /// Sends events in one request, or in several if Splunk does not take so much at once; of those that it does not like,
    /// less is sent. Tells the numbers of the acknowledgements.
    fn send(&self, events: &mut [Wrapped<'_>]) -> Result<BTreeSet<u64>, SinkError> {
        // Each refusal makes one event smaller, twice at most.
        for _ in 0..=2 * events.len() {
            let body: Vec<u8> = events.iter().flat_map(|event| &event.text).copied().collect();
            let answer = self.service.post("/services/collector/event", "application/json", &body)?;
            let told: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let code = told.get("code").and_then(Value::as_u64);
            if answer.status == 200 && code == Some(0) {
                return Ok(told.get("ackId").and_then(Value::as_u64).into_iter().collect());
            }
            if answer.status == 413 && events.len() > 1 {
                let (first, second) = events.split_at_mut(events.len() / 2);
                let mut numbers = self.send(first)?;
                numbers.extend(self.send(second)?);
                return Ok(numbers);
            }
            let number = told.get("invalid-event-number").and_then(Value::as_u64);
            let (number, extent) = match (answer.status, code) {
                (413, _) => (Some(0), Extent::Short),
                // Data format, the event's own field, indexed fields.
                (400, Some(6 | 12 | 13 | 15)) => (number.and_then(|number| usize::try_from(number).ok()), Extent::Text),
                _ => (None, Extent::Whole),
            };
            let bad = number.and_then(|number| events.get_mut(number)).filter(|event| event.extent < extent);
            let Some(bad) = bad else { return Err(self.refused(&answer, code)) };
            if let Some(less) = self.wrap(bad.entry, extent) {
                *bad = less;
            }
        }
        Err(SinkError(format!("{}: it refuses every event", self.service.name())))
    }

    /// Waits until all of these are acknowledged.
    fn wait(&self, mut numbers: BTreeSet<u64>) -> Result<(), SinkError> {
        let (start, mut pause) = (Instant::now(), PAUSES.0);
        while !numbers.is_empty() {
            if start.elapsed() > ACKNOWLEDGED {
                let why = format!("its indexers did not acknowledge within {} s", ACKNOWLEDGED.as_secs());
                return Err(SinkError(format!("{}: {why}", self.service.name())));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
            let told = self.acknowledged(&numbers)?;
            numbers.retain(|number| told.get(number.to_string()).and_then(Value::as_bool) != Some(true));
        }
        Ok(())
    }

    fn acknowledged(&self, numbers: &BTreeSet<u64>) -> Result<Value, SinkError> {
        let body = json!({"acks": numbers}).to_string();
        let answer = self.service.post("/services/collector/ack", "application/json", body.as_bytes())?;
        let told: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        match told.get("acks") {
            Some(acks) if answer.status == 200 => Ok(acks.clone()),
            _ => Err(self.refused(&answer, told.get("code").and_then(Value::as_u64))),
        }
    }

    /// What an answer means for whoever has to mend it.
    fn refused(&self, answer: &Answer, code: Option<u64>) -> SinkError {
        let index = self.table.index.as_deref().unwrap_or("of the token");
        let meaning = match (answer.status, code) {
            (_, Some(1)) => "the token is disabled".into(),
            (_, Some(2..=4)) | (401 | 403, None) => "it does not know the token".into(),
            (_, Some(7)) => format!("the token may not write to the index {index}; allow it there or change `index`"),
            (_, Some(10 | 11)) => "it does not take our channel".into(),
            (_, Some(14)) => {
                "the token has no indexer acknowledgement; switch it on there or write `ack = false`".into()
            }
            (_, Some(9 | 18 | 20)) | (429 | 503, _) => "it is busy".into(),
            (404, None) => "there is no event collector; look at the host and port of `url`".into(),
            (300..=399, _) => "it sends us elsewhere; write the other address into `url`".into(),
            _ => "it does not take our events".into(),
        };
        let words: String = answer.body.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
        SinkError(format!("{}: {meaning} (status {}: {})", self.service.name(), answer.status, words.trim()))
    }
}

impl Sink for Splunk {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let new = batch.iter().filter(|entry| entry.sequence >= self.next || self.table.ack);
        let mut waiting = new.filter_map(|entry| self.wrap(entry, Extent::Whole)).peekable();
        let mut sent = BTreeSet::new();
        let mut next = self.next;
        let mut result = Ok(());
        while waiting.peek().is_some() && result.is_ok() {
            let (mut events, mut length) = (Vec::new(), 0);
            while let Some(event) = waiting.next_if(|event| events.is_empty() || length + event.text.len() <= REQUEST) {
                length += event.text.len();
                events.push(event);
            }
            let last = events.last().map_or(0, |event| event.entry.sequence);
            match self.send(&mut events) {
                Ok(numbers) => {
                    sent.extend(numbers);
                    next = last + 1;
                }
                Err(error) => result = Err(error),
            }
        }
        drop(waiting);
        self.next = next;
        result?;
        if self.table.ack { self.wait(sent) } else { Ok(()) }
    }

    fn pace(&self) -> Pace {
        // An acknowledgement takes its time, whatever is acknowledged.
        Pace { most: 8192, every: if self.table.ack { Duration::from_millis(500) } else { Duration::ZERO } }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        // To a good token it says that there is no data (5), which delivers nothing.
        let answer = self.service.post("/services/collector/event", "application/json", b"")?;
        let told: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let code = told.get("code").and_then(Value::as_u64);
        if code != Some(5) {
            return Err(self.refused(&answer, code));
        }
        if self.table.ack {
            self.acknowledged(&BTreeSet::from([0]))?;
        }
        let ack = if self.table.ack { "with" } else { "without" };
        Ok(format!("{}, which takes the token, {ack} acknowledgement", self.service.name()))
    }
}

/// Fields are flat: texts, and lists of texts.
fn fields_of(document: &Document<'_>, extent: Extent) -> Value {
    let mut fields = Map::new();
    let facts = &document.honeyplant;
    let mut put = |name: &str, value: Option<String>| {
        fields.extend(value.filter(|value| !value.is_empty()).map(|value| (name.into(), value.into())));
    };
    put("event_id", Some(document.event.id.to_string()));
    put("action", Some(document.event.action.to_string()));
    put("outcome", serde_json::to_value(document.event.outcome).ok().and_then(|word| Some(word.as_str()?.to_owned())));
    put("severity", Some(document.event.severity.to_string()));
    put("src", document.source.as_ref().map(|source| source.ip.to_string()));
    put("dest", document.destination.map(|destination| destination.ip.to_string()));
    put("app", document.network.as_ref().map(|network| network.protocol.to_string()));
    put("device", facts.device.as_ref().map(|device| device.name.to_string()));
    put("session", facts.session.map(|session| session.id.to_string()));
    put("user", document.user.as_ref().map(|user| user.name.chars().take(256).collect()));
    put("shortened", (extent == Extent::Short).then(|| "true".into()));
    if let Some(threat) = &document.threat {
        fields.insert("technique".into(), threat.technique.id.iter().map(|id| Value::from(&**id)).collect());
    }
    fields.into()
}
