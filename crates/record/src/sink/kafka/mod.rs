//! The record in a topic of Kafka, or of what speaks its protocol. Apart, because there a batch is cut up by partitions and
//! by bytes, and each part is taken or refused as a whole.

mod cluster;
mod partition;

use super::{
    Entry, Form, Home, Pace, Sink, SinkError, SinkKind,
    link::{ANSWER, CONNECT, TlsSettings},
    live::Live,
    message::{self, Message},
    secret::Secret,
};
use crate::compose::Observer;
use cluster::{Cluster, connect, failed, is_too_large};
use honeyplant_core::settings::{Problem, Problems, Settings, Size};
use partition::{FRAME, murmur2, parts};
use rskafka::{chrono::DateTime, client::partition::Compression, record::Record};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};

/// Writes each event as one record into a topic of Apache Kafka, Redpanda or another broker of that protocol: for a fleet
/// of sensors that reports to one place where much else is reported already.
///
/// The topic must be there, or be made by the broker, or `create` be set; the user needs the right to write to it and to
/// describe it. Each record is acknowledged by all replicas in sync. It has the event's time, the headers `event.id` and
/// `site`, and as its key the `install`, which is unlike that of any other sensor: so all records of one sensor are in one
/// partition and in order. What is delivered twice, after a failure, has the same `event.id`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// Brokers to ask first, such as `["kafka-1.example.org:9092"]`. The others are learned from them.
    brokers: Vec<String>,
    /// The topic.
    #[serde(default = "topic")]
    topic: String,
    /// The key of records, which chooses the partition: one of Kafka's own producers would choose the same for it.
    #[serde(default)]
    key: Key,
    /// The form of records.
    #[serde(default)]
    format: Form,
    /// How records are compressed.
    #[serde(default)]
    compression: Squeeze,
    /// The most bytes of one request, before they are compressed: no more than the broker's `message.max.bytes`. An event
    /// that is longer is cut, and has `cut` among its `tags`.
    #[serde(default = "largest")]
    largest: Size,
    /// Makes the topic if it is not there.
    #[serde(default)]
    create: Option<Create>,
    /// Who logs in, and how.
    #[serde(default)]
    sasl: Option<Sasl>,
    /// Speaks TLS. Each broker's certificate must be for the host by which it makes itself known.
    #[serde(default)]
    tls: Option<TlsSettings>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Key {
    /// The sensor's own: all that it records is in one partition, in order.
    #[default]
    Install,
    /// The actor's address: what one actor does is in one partition, in order; what different actors do need not be.
    Source,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Squeeze {
    /// Not at all.
    None,
    /// With Snappy, which costs next to nothing.
    #[default]
    Snappy,
}

/// How a topic is made.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Create {
    /// How many partitions it has.
    #[schemars(range(min = 1))]
    partitions: u16,
    /// On how many brokers each is kept.
    #[schemars(range(min = 1))]
    replicas: u8,
}

impl Default for Create {
    fn default() -> Self {
        Self { partitions: 1, replicas: 1 }
    }
}

/// Who logs in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sasl {
    /// How the password is shown to the broker.
    #[serde(default)]
    mechanism: Mechanism,
    /// The user.
    user: String,
    /// The password.
    password: Secret,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mechanism {
    /// As it is; only for TLS.
    Plain,
    /// By SCRAM with SHA-256.
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// By SCRAM with SHA-512.
    #[default]
    #[serde(rename = "scram-sha-512")]
    ScramSha512,
}

fn topic() -> String {
    "honeyplant".into()
}

const fn largest() -> Size {
    Size(1_000_000)
}

/// The kind `kafka`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn example(&self) -> &'static str {
        "brokers = [\"kafka-1.example.org:9093\", \"kafka-2.example.org:9093\"]\ntopic = \"honeyplant\"\n\
         sasl = { user = \"sensor-7\", password = \"s e c r e t\" }\ntls = {}\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Problems::new();
        if table.brokers.is_empty() {
            problems.push(Problem::new(settings.key_of("brokers"), "there is no broker to ask"));
        }
        for broker in &table.brokers {
            let parts = broker.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            if parts.is_none() {
                let problem = Problem::new(settings.key_of("brokers"), format!("`{broker}` is no host with a port"));
                problems.push(problem.hint("write it as `kafka-1.example.org:9092`"));
            }
        }
        // Kafka's own rule for names of topics.
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if table.topic.is_empty() || table.topic.len() > 249 || !table.topic.chars().all(legal) {
            let problem = Problem::new(settings.key_of("topic"), format!("`{}` is no name of a topic", table.topic));
            problems.push(problem.hint("it has up to 249 letters and digits of ASCII, `.`, `_` and `-`"));
        }
        let most = usize::try_from(table.largest.0).unwrap_or(usize::MAX);
        if !(message::LEAST..=MOST).contains(&most) {
            let problem = Problem::new(settings.key_of("largest"), "it is not between 16 KiB and 100 MiB");
            problems.push(problem.hint("the broker's `message.max.bytes` is 1 MB unless it was changed"));
        }
        let tls = table.tls.as_ref().map(|tls| {
            let key = settings.key_of("tls");
            if tls.name().is_some() {
                let problem = Problem::new(format!("{key}.name"), "brokers have a host and a certificate each");
                return Err(problem.hint("name each broker as its certificate does"));
            }
            tls.config(&key).map(Arc::new)
        });
        let tls = tls.transpose().map_err(|problem| problems.push(problem)).unwrap_or_default();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Box::new(Kafka { table, tls, most, observer: home.observer.clone(), live: None }))
    }
}

/// The most bytes of a request.
const MOST: usize = 100 << 20;

/// Produces records.
struct Kafka {
    table: Table,
    tls: Option<Arc<rustls::ClientConfig>>,
    /// The most bytes of a request: less than the operator says once the broker has refused so much.
    most: usize,
    observer: Observer,
    live: Option<Live<Cluster>>,
}

impl Kafka {
    /// The records of a batch, each with the hash of its key.
    fn records(&self, batch: &[Entry]) -> Vec<(u32, Record)> {
        let mut records = Vec::with_capacity(batch.len());
        for entry in batch {
            let message = Message::new(entry, &self.observer.install);
            let key = match self.table.key {
                Key::Source => message.source().unwrap_or(&self.observer.install),
                Key::Install => &self.observer.install,
            };
            let room = self.most.saturating_sub(FRAME + key.len() + 64 + self.observer.site.len());
            let mut value = Vec::new();
            if !self.table.format.write_within(entry, room, &mut value) {
                continue;
            }
            let headers = BTreeMap::from([
                ("event.id".to_owned(), message.id.as_bytes().to_vec()),
                ("site".to_owned(), self.observer.site.as_bytes().to_vec()),
            ]);
            let key = key.as_bytes().to_vec();
            let timestamp = DateTime::from_timestamp_millis(message.at.as_millisecond()).unwrap_or_default();
            records.push((murmur2(&key), Record { key: Some(key), value: Some(value), headers, timestamp }));
        }
        records
    }

    /// The cluster, connected to anew unless it was used just now.
    fn live(&mut self) -> Result<&mut Live<Cluster>, SinkError> {
        if self.live.as_ref().is_some_and(Live::is_stale) {
            self.live = None;
        }
        let live = match self.live.take() {
            Some(live) => live,
            None => Live::open(ANSWER, connect(&self.table, self.tls.as_ref()))?,
        };
        Ok(self.live.insert(live))
    }

    fn produce(&mut self, records: Vec<(u32, Record)>) -> Result<(), Failure> {
        let (topic, most) = (self.table.topic.clone(), self.most);
        let compression = match self.table.compression {
            Squeeze::None => Compression::NoCompression,
            Squeeze::Snappy => Compression::Snappy,
        };
        let live = self.live()?;
        let partitions = live.run(CONNECT, |cluster| async { Ok(cluster.partitions.clone()) })?;
        for (partition, part) in parts(records, &partitions, most) {
            let done =
                live.run(ANSWER, |cluster| async { Ok(cluster.produce(&topic, partition, part, compression).await) });
            match done? {
                Err(error) if is_too_large(&error) => return Err(Failure::TooLarge),
                done => done.map_err(|error| failed(&error))?,
            };
        }
        Ok(())
    }

    /// `error` with the name of the other end.
    fn told(&self, error: &SinkError) -> SinkError {
        SinkError(format!("{}, topic {}: {error}", self.table.brokers.join(", "), self.table.topic))
    }
}

enum Failure {
    /// The broker takes no request of that size.
    TooLarge,
    Other(SinkError),
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        Self::Other(error)
    }
}

impl Sink for Kafka {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        loop {
            let records = self.records(batch);
            if records.is_empty() {
                return Ok(());
            }
            match self.produce(records) {
                Ok(()) => return Ok(()),
                Err(Failure::TooLarge) if self.most > message::LEAST => {
                    self.most = (self.most / 2).max(message::LEAST);
                }
                Err(Failure::TooLarge) => {
                    // It may be the operator who changes that.
                    (self.live, self.most) = (None, usize::try_from(self.table.largest.0).unwrap_or(MOST));
                    return Err(
                        self.told(&SinkError("it takes no records of 16 KiB; raise `max.message.bytes`".into()))
                    );
                }
                Err(Failure::Other(error)) => {
                    self.live = None;
                    return Err(self.told(&error));
                }
            }
        }
    }

    fn pace(&self) -> Pace {
        // What is waited for at the end of each batch is waited for less often.
        Pace { most: 2048, ..Pace::default() }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        self.live = None;
        let topic = self.table.topic.clone();
        let looked = self.live().and_then(|live| {
            live.run(ANSWER, |cluster| async move {
                for partition in cluster.partitions.clone() {
                    cluster.leader(&topic, partition).await.map_err(|error| failed(&error))?;
                }
                Ok(cluster.partitions.len())
            })
        });
        match looked {
            Ok(partitions) => Ok(format!("Kafka, topic {} of {partitions} partitions", self.table.topic)),
            Err(error) => {
                self.live = None;
                Err(self.told(&error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn build(text: &str) -> Result<Box<dyn Sink>, Problems> {
        let observer = Observer { site: "test".into(), install: "0badcafe".into(), version: "1".into() };
        let home = Home { state: Path::new("/tmp"), observer: &observer, name: "kafka" };
        Kind.build(&Settings::parse(text).unwrap(), &home)
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let problems =
            build("brokers = ['kafka']\ntopic = 'a b'\nlargest = '1 KiB'\ntls = { name = 'x' }").err().unwrap();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["brokers", "topic", "largest", "tls.name"]);
    }

    #[test]
    fn a_broker_that_is_not_there_is_named() {
        let mut sink = build("brokers = ['127.0.0.1:1']").unwrap();
        let error = sink.probe().unwrap_err().to_string();
        assert!(error.starts_with("127.0.0.1:1, topic honeyplant: ") && error.contains("refused"), "{error}");
    }
}
