//! Messages to a web service of the operator's choice, or to a chat. Apart from other sinks that speak HTTP, because people
//! read them: it chooses, and says how much it left out.

mod alert;
mod chat;
mod rate;
mod template;

use super::{
    Entry, Form, Home, Pace, Secret, Sink, SinkError, SinkKind,
    link::ANSWER,
    web::{Service, WebSettings},
};
use crate::{attack::ROWS, document::Document};
use alert::Alert;
use hmac::{Hmac, KeyInit, Mac};
use honeyplant_core::settings::{Period, Problem, Problems, Settings};
use rate::Rate;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    fmt::Write as _,
    thread,
    time::{Duration, Instant},
};
use template::Template;

/// A web service that is told of events: one POST a message, each with a body of JSON. Take it for alarms: to a chat, to a
/// service of your own, to whatever takes webhooks.
///
/// Which events are told is chosen by `about`, `min-severity` and `actions`. To hear of the sessions in which somebody did
/// something grave, and of nothing else, write `about = "sessions"` and `min-severity = 6`.
///
/// Messages come in order. One that was not acknowledged is sent again, so that after a loss of the connection or of
/// honeyplant one may come twice; its `event.id` is the same. With a `limit`, events beyond it become one message that tells
/// how many they were. A service that answers 429 is given the time that it asks for. What it refuses for its contents (400,
/// 413, 422) is sent once more in a few words; all other refusals are told to the operator, and it is tried again until they
/// are mended.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
struct Table {
    #[serde(flatten)]
    web: WebSettings,
    /// What a message looks like.
    #[serde(default)]
    form: Shape,
    /// With `form = "plain"`: how an event is written; what is no JSON is sent as one text of it.
    #[serde(default)]
    format: Form,
    /// With `form = "plain"`: the body of a message as a Jinja template that makes JSON. It knows the fields of the event by
    /// their names, such as `source.ip`, all `events` of the message, and `more`, which is how many events it stands for
    /// besides. Values are written as JSON, with quotes of their own: `{"text": {{ message }}}`.
    #[serde(default)]
    template: Option<String>,
    /// Whether each event is told, or only what a session came to when it has ended.
    #[serde(default)]
    about: About,
    /// Only what is at least so grave, from 0 to 10.
    #[serde(default)]
    #[schemars(range(max = 10))]
    min_severity: u8,
    /// Only these actions, such as `["write", "command"]`; all if the list is empty.
    #[serde(default)]
    actions: Vec<String>,
    /// How many events a message has at most; with more than one, the body of a plain message is a list. Slack takes 12 and
    /// Discord 10.
    #[serde(default = "one")]
    most: usize,
    /// How long events are gathered before they are told.
    #[serde(default = "at_once")]
    every: Period,
    /// How many messages a minute there are at most; 0 is no limit. By default it is 20 to a chat and none otherwise.
    #[serde(default)]
    limit: Option<u32>,
    /// A key. If there is one, each request has the field `X-Hub-Signature-256` with `sha256=` and the HMAC of its body, so
    /// that the service knows that it is from us.
    #[serde(default)]
    secret: Option<Secret>,
}

const fn one() -> usize {
    1
}

const fn at_once() -> Period {
    Period(Duration::ZERO)
}

/// What a message looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Shape {
    /// The event itself, or what the template makes of it.
    #[default]
    Plain,
    /// A message to a channel of Slack, by an incoming webhook.
    Slack,
    /// A message to a channel of Discord.
    Discord,
}

/// What is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum About {
    /// Each event.
    #[default]
    Events,
    /// What a session came to, when it has ended.
    Sessions,
}

/// The kind `webhook`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn example(&self) -> &'static str {
        "url = \"https://hooks.example.org/honeyplant\"\nabout = \"sessions\"\nmin-severity = 6\nsecret = \"shared with the \
         service\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, _: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let known = || ROWS.iter().filter_map(|row| row.action.split(' ').next());
        for action in &table.actions {
            if !known().any(|known| known == action) {
                problems.push(Problem::unknown(settings.key_of("actions"), "action", action, known()));
            }
        }
        if table.min_severity > 10 {
            problems.push(Problem::new(settings.key_of("min-severity"), "nothing is graver than 10"));
        }
        let most = match table.form {
            Shape::Plain => 1000,
            Shape::Slack => chat::SLACK,
            Shape::Discord => chat::DISCORD,
        };
        if !(1..=most).contains(&table.most) {
            problems.push(Problem::new(settings.key_of("most"), format!("a message has 1 to {most} events")));
        }
        let template = table.template.as_ref().filter(|_| table.form == Shape::Plain);
        if table.template.is_some() && template.is_none() {
            problems.push(Problem::new(settings.key_of("template"), "only a plain message has a template"));
        }
        let template = template.map(|source| Template::new(source, &settings.key_of("template"))).transpose();
        let template = template.map_err(|problem| problems.push(problem)).ok().flatten();
        match Service::new(&table.web, settings.key()) {
            Ok(service) if problems.is_empty() => Ok(Box::new(Webhook::new(table, service, template))),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.push(problem);
                Err(problems)
            }
        }
    }
}

/// An event that is told.
struct Told<'a> {
    entry: &'a Entry,
    document: Document<'static>,
}

#[derive(Debug)]
struct Webhook {
    table: Table,
    service: Service,
    /// What the URL has after its path.
    tail: &'static str,
    template: Option<Template>,
    rate: Rate,
    /// The first event that has not been told yet: of a batch that comes again, some may have been.
    next: u64,
    /// The service asked for quiet until then.
    quiet: Option<Instant>,
}

/// A body, and one with as little as the service can take.
struct Message {
    body: Vec<u8>,
    shortest: Vec<u8>,
}

impl Webhook {
    fn new(table: Table, service: Service, template: Option<Template>) -> Self {
        let limit = table.limit.unwrap_or(if table.form == Shape::Plain { 0 } else { 20 });
        let tail = match table.form {
            // It answers before it has kept a message, unless it is asked to wait.
            Shape::Discord if table.web.has_query() => "&wait=true",
            Shape::Discord => "?wait=true",
            Shape::Plain | Shape::Slack => table.web.tail(),
        };
        Self { table, service, tail, template, rate: Rate::new(limit), next: 0, quiet: None }
    }

    fn tells(&self, document: &Document<'_>) -> bool {
        let facets = &document.event;
        let actions = &self.table.actions;
        facets.severity >= self.table.min_severity
            && (actions.is_empty() || actions.iter().any(|action| *action == facets.action))
            && (self.table.about == About::Events || facets.action == "closed")
    }

    /// The message about some events.
    fn message(&self, events: &[Told<'_>]) -> Message {
        let alerts: Vec<Alert> = events.iter().map(|told| Alert::of(&told.document)).collect();
        let body = match (self.table.form, &self.template) {
            (Shape::Plain, Some(template)) => template.body(events, 0),
            (Shape::Plain, None) => Some(self.plain(events)),
            (Shape::Slack, _) => Some(chat::slack(&alerts).to_string().into_bytes()),
            (Shape::Discord, _) => Some(chat::discord(&alerts).to_string().into_bytes()),
        };
        let shortest = self.shortest(&alerts);
        Message { body: body.unwrap_or_else(|| shortest.clone()), shortest }
    }

    /// The message that stands for all of some events.
    fn sum(&self, events: &[Told<'_>]) -> Message {
        let alert = Alert::more(events);
        let gravest = events.iter().position(|told| told.document.event.id == alert.id).unwrap_or_default();
        let gravest = events.get(gravest..=gravest).unwrap_or_default();
        let shortest = self.shortest(std::slice::from_ref(&alert));
        let body = match (self.table.form, &self.template) {
            (Shape::Plain, Some(template)) => template.body(gravest, events.len().saturating_sub(1)),
            (Shape::Plain, None) => {
                let facts: serde_json::Map<String, Value> =
                    alert.facts.iter().map(|(name, value)| (name.to_lowercase(), value.as_str().into())).collect();
                let sum = json!({
                    "@timestamp": alert.at,
                    "message": alert.sentence,
                    "event": {"id": alert.id, "action": "more", "severity": alert.severity},
                    "honeyplant": {"more": events.len(), "facts": facts},
                });
                Some(if self.table.most > 1 { json!([sum]) } else { sum }.to_string().into_bytes())
            }
            (Shape::Slack, _) => Some(chat::slack(&[alert]).to_string().into_bytes()),
            (Shape::Discord, _) => Some(chat::discord(&[alert]).to_string().into_bytes()),
        };
        Message { body: body.unwrap_or_else(|| shortest.clone()), shortest }
    }

    fn plain(&self, events: &[Told<'_>]) -> Vec<u8> {
        let (mut body, mut line) = (Vec::new(), Vec::new());
        for told in events {
            line.clear();
            if !self.table.format.write(told.entry, &mut line) {
                continue;
            }
            if !body.is_empty() {
                body.push(b',');
            }
            if line.first() == Some(&b'{') {
                body.extend_from_slice(&line);
            } else {
                body.extend_from_slice(Value::from(String::from_utf8_lossy(&line)).to_string().as_bytes());
            }
        }
        if self.table.most > 1 {
            body.insert(0, b'[');
            body.push(b']');
        }
        body
    }

    fn shortest(&self, alerts: &[Alert]) -> Vec<u8> {
        let words: Vec<String> = alerts.iter().map(Alert::shortest).collect();
        let words = words.join("; ");
        let body = match self.table.form {
            Shape::Plain => {
                let of = |alert: &Alert| {
                    json!({
                        "@timestamp": alert.at,
                        "message": alert.shortest(),
                        "event": {"id": alert.id, "severity": alert.severity},
                    })
                };
                let all: Vec<Value> = alerts.iter().map(of).collect();
                if self.table.most > 1 { all.into() } else { all.into_iter().next().unwrap_or_default() }
            }
            Shape::Slack => chat::slack_shortest(&words),
            Shape::Discord => chat::discord_shortest(&words),
        };
        body.to_string().into_bytes()
    }

    /// Waits until a message may be sent, if that is not too long.
    fn wait(&mut self) -> Result<(), SinkError> {
        let now = Instant::now();
        let quiet = self.quiet.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if quiet > ANSWER {
            return Err(self.failed(&format!("it asks for {} s more of quiet", quiet.as_secs())));
        }
        self.quiet = None;
        thread::sleep(quiet.max(self.rate.wait(now)));
        Ok(())
    }

    /// Posts a message, and a shorter one if the service does not like what is in it.
    fn post(&mut self, message: &Message) -> Result<(), SinkError> {
        let mut body = &message.body;
        for _ in 0..4 {
            let signature = self.table.secret.as_ref().map(|secret| sign(secret.reveal().as_bytes(), body));
            let fields: Vec<_> =
                signature.iter().map(|signature| ("X-Hub-Signature-256", signature.as_str())).collect();
            let answer = self.service.post_with(self.tail, "application/json", body, &fields)?;
            match answer.status {
                200..300 => {
                    self.rate.count(Instant::now());
                    return Ok(());
                }
                429 => {
                    let wait = answer.retry_after.unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(3600));
                    self.quiet = Instant::now().checked_add(wait);
                    self.wait()?;
                }
                400 | 413 | 422 if *body != message.shortest => body = &message.shortest,
                status => return Err(self.failed(&refusal(status, &answer.body))),
            }
        }
        Err(self.failed("it goes on to answer that there are too many messages"))
    }

    fn failed(&self, why: &str) -> SinkError {
        SinkError(format!("{}: {why}", self.service.name()))
    }
}

impl Sink for Webhook {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let told: Vec<Told<'_>> = batch
            .iter()
            .filter(|entry| entry.sequence >= self.next)
            .filter_map(|entry| Some(Told { entry, document: entry.document().ok()? }))
            .filter(|told| self.tells(&told.document) && self.table.format.write(told.entry, &mut Vec::new()))
            .collect();
        let mut rest = told.as_slice();
        while let [first, ..] = rest {
            self.next = first.entry.sequence;
            self.wait()?;
            let is_last = self.rate.free(Instant::now()) <= 1;
            let after = if is_last && rest.len() > self.table.most {
                self.post(&self.sum(rest))?;
                &[]
            } else {
                let (now, later) = rest.split_at(self.table.most.min(rest.len()));
                self.post(&self.message(now))?;
                later
            };
            rest = after;
        }
        if let Some(last) = batch.last() {
            self.next = last.sequence + 1;
        }
        Ok(())
    }

    fn pace(&self) -> Pace {
        Pace { most: 512.max(self.table.most), every: self.table.every.0 }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let answer = self.service.get("", "*/*")?;
        match (self.table.form, answer.status) {
            // Only Discord has an answer for those who ask what is there; others know nothing but POST.
            (Shape::Discord, 200) => {
                let name = serde_json::from_str(&answer.body)
                    .ok()
                    .and_then(|hook: Value| Some(hook.get("name")?.as_str()?.to_owned()));
                Ok(format!("{}, the webhook {}", self.service.name(), name.unwrap_or_default()))
            }
            (Shape::Discord, status) | (_, status @ (401 | 403 | 410 | 500..)) => {
                Err(self.failed(&refusal(status, &answer.body)))
            }
            (_, status) => Ok(format!("{} answers, with status {status} to a GET", self.service.name())),
        }
    }
}

/// What a status means for whoever has to mend it.
fn refusal(status: u16, body: &str) -> String {
    let meaning = match status {
        300..400 => "it sends us elsewhere; write the other address into `url`",
        401 | 403 => "it does not let us; look at `url` and at what it is told of us",
        404 | 410 => "there is no such webhook, or no longer; make one and write it into `url`",
        400..500 => "it does not take our messages; look at `form` and `template`",
        _ => "it has a fault of its own",
    };
    let words: String = body.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("status {status}, {meaning}: {}", words.trim())
}

fn sign(key: &[u8], body: &[u8]) -> String {
    let mut text = "sha256=".to_owned();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            // Writing to a text does not fail.
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_signature_is_that_of_rfc_4231() {
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(super::sign(b"Jefe", b"what do ya want for nothing?"), expected);
    }
}
