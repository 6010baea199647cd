//! MQTT: an event a message, at least once. Apart from its packets and connection, because this is what an operator sets
//! and what a batch becomes.

mod client;
mod wire;

use self::{
    client::Client,
    wire::{Connect, Retain, Version},
};
use super::{
    Entry, Form, Home, Pace, Secret, Sink, SinkError, SinkKind,
    link::{Remote, TlsSettings},
    message::{Message, Pattern},
};
use crate::compose::Observer;
use honeyplant_core::settings::{Period, Problem, Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

/// The longest topic.
const TOPIC: usize = 1024;

/// Events to an MQTT broker, one message each, with QoS 1.
///
/// Take it where a broker is there already, or to show a fleet of sensors on one board. Every broker of MQTT 3.1.1 or 5.0
/// will do; the client may publish at the topics, and needs no other right. Delivery is **at least once** and in order: all
/// messages of a batch are acknowledged by the broker before the next comes, and after an error or a restart the last batch
/// may come twice, with the same `event.id`. A broker keeps messages only for those who have subscribed with a session that
/// lasts (no clean start, QoS 1); to all others they are gone when nobody listens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// Where the broker is, such as `mqtt.example.org:1883`, or port 8883 with TLS.
    to: String,
    /// The topic. Words of the event in braces are `site`, `install`, `protocol`, `device`, `action`, `severity` and `source`;
    /// whatever in them is no letter or digit becomes `-`, and an event that has no such word has `site`.
    #[serde(default = "topic")]
    topic: String,
    /// A topic at which the broker keeps `online` while this sensor is connected and `offline` when it is not (a retained
    /// message and a will). Only `{site}` and `{install}` are words of it.
    #[serde(default)]
    status: Option<String>,
    /// The name of the client, unlike that of any other at this broker. Without it, it is made of the install and the sink.
    #[serde(default)]
    client: Option<String>,
    /// The version of MQTT.
    #[serde(default)]
    version: Version,
    /// How often the broker and the sensor hear from each other at least, from `5s` to `18h`.
    #[serde(default = "keep_alive")]
    keep_alive: Period,
    /// The user.
    #[serde(default)]
    user: Option<String>,
    /// The password of the user.
    #[serde(default)]
    password: Option<Secret>,
    /// The form of a message.
    #[serde(default)]
    format: Form,
    /// How to speak TLS; without this table it is not spoken.
    #[serde(default)]
    tls: Option<TlsSettings>,
}

fn topic() -> String {
    "honeyplant/{site}/{device}/{protocol}".into()
}

const fn keep_alive() -> Period {
    Period(Duration::from_secs(60))
}

/// The kind `mqtt`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "mqtt"
    }

    fn example(&self) -> &'static str {
        "to = \"mqtt.example.org:8883\"\ntopic = \"honeyplant/{site}/{device}/{protocol}\"\n\
         status = \"honeyplant/{site}/status\"\nuser = \"sensor\"\npassword = \"secret\"\ntls = {}\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Problems::new();
        let mut pattern = |field: &str, text: &str| {
            let key = settings.key_of(field);
            let pattern = if text.is_empty() || text.len() > TOPIC || text.contains(['+', '#', '\0', '$']) {
                let problem = Problem::new(key, format!("`{text}` is no topic to publish at"));
                Err(problem.hint("a topic has no `+`, no `#` and no `$`"))
            } else {
                Pattern::new(text, key)
            };
            pattern.map_err(|problem| problems.push(problem)).ok()
        };
        let (topic, status) =
            (pattern("topic", &table.topic), table.status.as_ref().and_then(|text| pattern("status", text)));
        if table.user.is_none() && table.password.is_some() {
            problems.push(Problem::new(settings.key_of("user"), "a password needs its user"));
        }
        let seconds = u16::try_from(table.keep_alive.0.as_secs()).ok().filter(|seconds| *seconds >= 5);
        if seconds.is_none() {
            problems.push(Problem::new(settings.key_of("keep-alive"), "it is to be from 5s to 18h"));
        }
        let remote =
            Remote::new(&table.to, table.tls.as_ref(), settings.key()).map_err(|problem| problems.push(problem));
        let (Some(topic), Some(keep_alive), Ok(remote), true) = (topic, seconds, remote, problems.is_empty()) else {
            return Err(problems);
        };
        let observer = home.observer.clone();
        let client = table.client.unwrap_or_else(|| format!("honeyplant-{}-{}", observer.install, home.name));
        let nothing = Entry { sequence: 0, line: String::new() };
        let status = status.map(|status| status.name(&Message::new(&nothing, &observer.install), &observer, TOPIC));
        Ok(Box::new(Mqtt {
            broker: Broker {
                remote,
                version: table.version,
                client,
                keep_alive,
                user: table.user,
                password: table.password,
                status,
            },
            topic,
            format: table.format,
            observer,
            shared: Arc::default(),
            keeper: None,
        }))
    }
}

/// Where and as whom to connect.
#[derive(Debug)]
struct Broker {
    remote: Remote,
    version: Version,
    client: String,
    keep_alive: u16,
    user: Option<String>,
    password: Option<Secret>,
    status: Option<String>,
}

impl Broker {
    fn connect(&self) -> Result<Client, SinkError> {
        let will = self.status.as_deref().map(|topic| (topic, "offline"));
        let mut client = self.open(&self.client, will)?;
        if let Some(topic) = &self.status {
            client.publish(topic, Retain::Yes, b"online")?;
            client.settle(0)?;
        }
        Ok(client)
    }

    fn open(&self, client: &str, will: Option<(&str, &str)>) -> Result<Client, SinkError> {
        let (user, password) = (self.user.as_deref(), self.password.as_ref().map(Secret::reveal));
        let connect = Connect { client, keep_alive: self.keep_alive, user, password, will };
        Client::open(&self.remote, self.version, &connect)
    }
}

/// Publishes the lines of the journal.
#[derive(Debug)]
struct Mqtt {
    broker: Broker,
    topic: Pattern,
    format: Form,
    observer: Observer,
    shared: Arc<Mutex<Option<Client>>>,
    /// Ends the thread that keeps the connection alive when it is dropped.
    keeper: Option<Sender<()>>,
}

impl Sink for Mqtt {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut client = match shared.take() {
            Some(client) => client,
            None => self.broker.connect()?,
        };
        let mut message = Vec::new();
        for entry in batch {
            message.clear();
            let topic = self.topic.name(&Message::new(entry, &self.observer.install), &self.observer, TOPIC);
            if self.format.write_within(entry, client.room(&topic), &mut message) {
                client.publish(&topic, Retain::No, &message)?;
            }
        }
        client.settle(0)?;
        // Only a connection on which all went well is used again.
        let keep_alive = client.keep_alive();
        *shared = Some(client);
        if self.keeper.is_none() && !keep_alive.is_zero() {
            let (keeper, ended) = mpsc::channel();
            let kept = Arc::downgrade(&self.shared);
            thread::Builder::new().name("mqtt".into()).spawn(move || keep(&kept, keep_alive, &ended))?;
            self.keeper = Some(keeper);
        }
        Ok(())
    }

    fn pace(&self) -> Pace {
        Pace { most: 1024, every: Duration::from_millis(20) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        // Under the sink's own name it would end the connection of the process that delivers.
        let client = self.broker.open(&format!("{}-probe", self.broker.client), None)?;
        let version = if self.broker.version == Version::V5 { "5.0" } else { "3.1.1" };
        drop(client);
        Ok(format!("MQTT {version} at {}", self.broker.remote.name()))
    }
}

/// Speaks with the broker when there is nothing to deliver. A connection that is lost is made anew when there is.
fn keep(shared: &Weak<Mutex<Option<Client>>>, every: Duration, ended: &Receiver<()>) {
    while ended.recv_timeout(every / 2) == Err(RecvTimeoutError::Timeout) {
        let Some(shared) = shared.upgrade() else { return };
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.as_mut().is_some_and(|client| client.ping().is_err()) {
            *shared = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Observer;
    use std::path::Path;

    #[test]
    fn every_mistake_is_told_at_once() {
        let observer = Observer { site: "s".into(), install: "0123abcd".into(), version: "0".into() };
        let home = Home { state: Path::new("/tmp"), observer: &observer, name: "mqtt" };
        let text = "to = 'nowhere'\ntopic = 'a/#'\nstatus = '{x}'\npassword = 'p'\nkeep-alive = '1s'";
        let problems = Kind.build(&Settings::parse(text).unwrap(), &home).err().unwrap();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.trim_start_matches('.')).collect();
        assert_eq!(keys, ["topic", "status", "user", "keep-alive", "to"]);
    }
}
