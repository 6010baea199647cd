//! The record in an exchange of a broker that speaks AMQP 0-9-1, such as RabbitMQ. Its own client, apart from those of other
//! brokers, since all that is needed of the protocol is small, and nothing of it may go on by itself.

mod connection;
mod wire;

use super::{
    Entry, Form, Home, Pace, Sink, SinkError, SinkKind,
    link::{Remote, TlsSettings},
    message::{Message, Pattern},
    secret::Secret,
};
use crate::compose::Observer;
use connection::{Connection, Login};
use honeyplant_core::settings::{Problem, Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::time::Duration;
use wire::Published;

/// Publishes each event as one message to RabbitMQ, or another broker that speaks AMQP 0-9-1 and confirms: for a fleet of
/// sensors whose events go to several queues, by their routing keys.
///
/// The exchange is made as a durable topic exchange unless `declare` is off; the user needs the right to configure it then,
/// and to write to it. Messages are persistent, in order, and each is confirmed by the broker. A message that no queue would
/// take is an error and is delivered again until one does: bind a durable queue, or name one as `queue`. Its `message_id` is
/// `event.id`, by which to tell what is delivered twice after a failure.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// The broker, such as `rabbit.example.org:5672`; with TLS the port is usually 5671.
    to: String,
    /// The virtual host.
    #[serde(default = "vhost")]
    vhost: String,
    /// The user.
    #[serde(default = "guest")]
    user: String,
    /// The password of the user.
    password: Secret,
    /// The exchange.
    #[serde(default = "exchange")]
    exchange: String,
    /// The routing key. Words of the event in braces are `site`, `install`, `protocol`, `device`, `action`, `severity` and
    /// `source`; whatever in them is no letter or digit becomes `-`, and an event that has no such word has `site`.
    #[serde(default = "routing_key")]
    routing_key: String,
    /// Whether the exchange is made if it is not there.
    #[serde(default = "yes")]
    declare: bool,
    /// A durable queue that is made if it is not there, and bound to all that this sink publishes.
    #[serde(default)]
    queue: Option<String>,
    /// Whether a message that no queue takes is an error. Without it such a message is lost, as the broker drops it.
    #[serde(default = "yes")]
    mandatory: bool,
    /// The form of messages.
    #[serde(default)]
    format: Form,
    /// How many messages may wait to be confirmed. With 1, nothing can be taken behind a message that the broker refused; it
    /// is also as slow as that sounds.
    #[serde(default = "in_flight")]
    #[schemars(range(min = 1, max = 4096))]
    in_flight: u16,
    /// Speaks TLS.
    #[serde(default)]
    tls: Option<TlsSettings>,
}

fn vhost() -> String {
    "/".into()
}

fn guest() -> String {
    "guest".into()
}

fn exchange() -> String {
    "honeyplant".into()
}

fn routing_key() -> String {
    "{site}.{protocol}.{action}".into()
}

const fn yes() -> bool {
    true
}

const fn in_flight() -> u16 {
    2048
}

/// §4.2.5.3: the most bytes of a short string, which names of exchanges, queues and keys are.
const NAME: usize = 255;
/// The most bytes of a message: RabbitMQ takes 16 MiB unless it was told otherwise.
const MOST: usize = 8 << 20;
/// How long a connection is kept that is not used.
const IDLE: Duration = Duration::from_secs(60);

/// The kind `amqp`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "amqp"
    }

    fn example(&self) -> &'static str {
        "to = \"rabbit.example.org:5671\"\nuser = \"sensor-7\"\npassword = \"s e c r e t\"\nexchange = \"honeyplant\"\n\
         queue = \"events\"\ntls = {}\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Problems::new();
        let remote = Remote::new(&table.to, table.tls.as_ref(), settings.key());
        let remote = remote.map_err(|problem| problems.push(problem)).ok();
        let names =
            [("vhost", Some(&table.vhost)), ("exchange", Some(&table.exchange)), ("queue", table.queue.as_ref())];
        for (field, name) in names {
            if name.is_some_and(|name| name.is_empty() || name.len() > NAME) {
                problems.push(Problem::new(settings.key_of(field), "it is empty, or longer than 255 bytes"));
            }
        }
        if table.exchange.starts_with("amq.") && table.declare {
            let problem =
                Problem::new(settings.key_of("exchange"), "names that begin with `amq.` are the broker's own");
            problems.push(problem.hint("take another name, or set `declare = false`"));
        }
        if !(1..=4096).contains(&table.in_flight) {
            problems.push(Problem::new(settings.key_of("in-flight"), "it is not between 1 and 4096"));
        }
        let key = Pattern::new(&table.routing_key, settings.key_of("routing-key"));
        let key = key.map_err(|problem| problems.push(problem)).ok();
        match (remote, key) {
            (Some(remote), Some(key)) if problems.is_empty() => {
                Ok(Box::new(Amqp { table, remote, key, observer: home.observer.clone(), connection: None }))
            }
            _ => Err(problems),
        }
    }
}

/// Publishes messages.
struct Amqp {
    table: Table,
    remote: Remote,
    key: Pattern,
    observer: Observer,
    connection: Option<Connection>,
}

impl Amqp {
    /// A connection with all that is to be there; and how many messages the queue has that was made.
    fn connect(&self) -> Result<(Connection, Option<u32>), SinkError> {
        let table = &self.table;
        let login =
            Login { remote: &self.remote, vhost: &table.vhost, user: &table.user, password: table.password.reveal() };
        let mut connection = Connection::open(&login)?;
        connection.exchange(&table.exchange, !table.declare)?;
        let binding = self.key.names("*");
        let queue = table.queue.as_ref().map(|queue| connection.queue(queue, &table.exchange, &binding));
        let messages = queue.transpose()?;
        connection.confirm()?;
        Ok((connection, messages))
    }

    fn publish(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.used.elapsed() < IDLE => connection,
            stale => {
                if let Some(connection) = stale {
                    connection.close();
                }
                self.connect()?.0
            }
        };
        for entry in batch {
            let message = Message::new(entry, &self.observer.install);
            let mut body = Vec::new();
            if !self.table.format.write_within(entry, MOST, &mut body) {
                continue;
            }
            let published = Published {
                exchange: &self.table.exchange,
                key: &self.key.name(&message, &self.observer, NAME),
                mandatory: self.table.mandatory,
                content: "application/json",
                id: &message.id,
                at: u64::try_from(message.at.as_second()).unwrap_or_default(),
                body: &body,
            };
            connection.publish(&published, self.table.in_flight.into())?;
        }
        connection.settle(0)?;
        // Only a connection with nothing open on it is used again.
        self.connection = Some(connection);
        Ok(())
    }
}

impl Sink for Amqp {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        self.publish(batch).map_err(|error| self.remote.failed(error))
    }

    fn pace(&self) -> Pace {
        // A broker confirms a long batch as fast as a short one: it waits for its disk either way.
        Pace { most: 2048, ..Pace::default() }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let (connection, messages) = self.connect().map_err(|error| self.remote.failed(error))?;
        let messages = messages.map_or(String::new(), |messages| format!(", {messages} messages wait"));
        let found = format!("{}, exchange {}{messages}", connection.product, self.table.exchange);
        connection.close();
        Ok(found)
    }
}

impl Drop for Amqp {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn build(text: &str) -> Result<Box<dyn Sink>, Problems> {
        let observer = Observer { site: "test".into(), install: "0badcafe".into(), version: "1".into() };
        let home = Home { state: Path::new("/tmp"), observer: &observer, name: "amqp" };
        Kind.build(&Settings::parse(text).unwrap(), &home)
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text =
            "to = 'rabbit'\npassword = 'x'\nexchange = 'amq.topic'\nqueue = ''\nin-flight = 0\nrouting-key = '{x}'\n";
        let problems = build(text).err().unwrap();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, [".to", "queue", "exchange", "in-flight", "routing-key"]);
    }

    #[test]
    fn a_broker_that_is_not_there_is_named() {
        let mut sink = build("to = '127.0.0.1:1'\npassword = 'x'").unwrap();
        let error = sink.probe().unwrap_err().to_string();
        assert!(error.starts_with("127.0.0.1:1: ") && error.contains("refused"), "{error}");
    }
}
