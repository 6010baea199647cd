//! The record in a stream of NATS JetStream. Apart, because there every message is acknowledged by itself, and the client
//! would connect again by itself, which must not happen in the middle of a batch.

use super::{
    Entry, Form, Home, Pace, Sink, SinkError, SinkKind,
    link::{ANSWER, CONNECT, TlsSettings},
    live::Live,
    message::{Message, Pattern},
    secret::Secret,
};
use crate::compose::Observer;
use async_nats::{
    ConnectOptions, Event, HeaderMap, ServerAddr,
    jetstream::{
        self, Context,
        context::PublishAckFuture,
        message::PublishMessage,
        stream::{Config, Info},
    },
};
use honeyplant_core::settings::{Period, Problem, Problems, Settings, Size};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{
    collections::VecDeque,
    future::Future,
    path::PathBuf,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Publishes each event as one message to a stream of NATS JetStream: for a fleet of sensors on small machines and bad
/// lines, and for whoever wants to hear only of some events, by their subject.
///
/// The server must have JetStream, and the stream must be there or `create` be set; the user needs the right to publish to
/// the subjects, to `$JS.API.STREAM.>`, and to hear `_INBOX.>`. Each message is acknowledged by the stream, in order. It has
/// the header `Nats-Msg-Id`, which is `event.id`: what is delivered twice within the stream's window for duplicates, which
/// is two minutes unless it is set, is stored once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    /// The servers of a cluster, of which one is enough, such as `["nats.example.org:4222"]`.
    servers: Vec<String>,
    /// The subject. Words of the event in braces are `site`, `install`, `protocol`, `device`, `action`, `severity` and
    /// `source`; whatever in them is no letter or digit becomes `-`, and an event that has no such word has `site`.
    #[serde(default = "subject")]
    subject: String,
    /// The stream.
    #[serde(default = "stream")]
    stream: String,
    /// The form of messages.
    #[serde(default)]
    format: Form,
    /// Makes the stream if it is not there, for the subjects of all sites.
    #[serde(default)]
    create: Option<Create>,
    /// How many messages may wait for their acknowledgement. With 1, nothing can be stored behind a message that the stream
    /// refused; it is also as slow as that sounds.
    #[serde(default = "in_flight")]
    #[schemars(range(min = 1, max = 4096))]
    in_flight: u16,
    /// A user who logs in with a password.
    #[serde(default)]
    user: Option<String>,
    /// The password of the user.
    #[serde(default)]
    password: Option<Secret>,
    /// A token to log in with.
    #[serde(default)]
    token: Option<Secret>,
    /// The seed of an nkey to log in with; it begins with `SU`.
    #[serde(default)]
    nkey: Option<Secret>,
    /// A `.creds` file to log in with.
    #[serde(default)]
    credentials: Option<PathBuf>,
    /// Speaks TLS. Each server's certificate must be for its host.
    #[serde(default)]
    tls: Option<TlsSettings>,
}

/// How a stream is made.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Create {
    /// On how many servers it is kept.
    #[schemars(range(min = 1, max = 5))]
    replicas: u8,
    /// How long messages are kept; for ever if it is not set.
    keep: Option<Period>,
    /// How many bytes are kept, of which the oldest go; as many as the server has if it is not set.
    most: Option<Size>,
    /// How long messages with the same id are known as one.
    duplicates: Period,
}

impl Default for Create {
    fn default() -> Self {
        Self { replicas: 1, keep: None, most: None, duplicates: Period(Duration::from_secs(120)) }
    }
}

fn subject() -> String {
    "honeyplant.{site}.{protocol}".into()
}

fn stream() -> String {
    "HONEYPLANT".into()
}

const fn in_flight() -> u16 {
    256
}

/// The kind `nats`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn example(&self) -> &'static str {
        "servers = [\"nats.example.org:4222\"]\nsubject = \"honeyplant.{site}.{protocol}\"\ncreate = { keep = \"365d\" }\n\
         user = \"sensor-7\"\npassword = \"s e c r e t\"\ntls = {}\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Problems::new();
        let mut servers = Vec::new();
        for server in &table.servers {
            match server.parse::<ServerAddr>() {
                // A password in an address would be shown in messages.
                Ok(address) if !address.has_user_pass() => servers.push(address),
                Ok(_) => problems.push(
                    Problem::new(settings.key_of("servers"), "an address has a user in it")
                        .hint("use `user` and `password`"),
                ),
                Err(error) => problems.push(
                    Problem::new(settings.key_of("servers"), format!("`{server}`: {error}"))
                        .hint("write it as `nats.example.org:4222`"),
                ),
            }
        }
        if table.servers.is_empty() {
            problems.push(Problem::new(settings.key_of("servers"), "there is no server to connect to"));
        }
        let empty = Pattern::new("", String::new()).map_err(|problem| vec![problem])?;
        let subject = Pattern::new(&table.subject, settings.key_of("subject"));
        let subject = subject.map_err(|problem| problems.push(problem)).unwrap_or(empty);
        let illegal = |c: char| c.is_whitespace() || c.is_control() || "*>$".contains(c);
        if table.subject.split('.').any(str::is_empty) || table.subject.contains(illegal) {
            let problem = Problem::new(settings.key_of("subject"), format!("`{}` is no subject", table.subject));
            problems.push(problem.hint("it is made of words with dots between them, without spaces, `*`, `>` and `$`"));
        }
        if table.stream.is_empty() || table.stream.contains(|c: char| illegal(c) || "./\\".contains(c)) {
            let problem = Problem::new(settings.key_of("stream"), format!("`{}` is no name of a stream", table.stream));
            problems.push(problem.hint("it has no spaces, dots, slashes, `*`, `>` and `$`"));
        }
        if !(1..=4096).contains(&table.in_flight) {
            problems.push(Problem::new(settings.key_of("in-flight"), "it is not between 1 and 4096"));
        }
        if table.user.is_some() != table.password.is_some() {
            problems.push(Problem::new(settings.key_of("user"), "a user needs a password, and a password its user"));
        }
        let ways = [table.user.is_some(), table.token.is_some(), table.nkey.is_some(), table.credentials.is_some()];
        if ways.iter().filter(|way| **way).count() > 1 {
            let problem = Problem::new(settings.key_of("user"), "there is more than one way to log in");
            problems.push(problem.hint("have one of `user`, `token`, `nkey` and `credentials`"));
        }
        let tls = table.tls.as_ref().map(|tls| {
            let key = settings.key_of("tls");
            if tls.name().is_some() {
                let problem = Problem::new(format!("{key}.name"), "servers have a host and a certificate each");
                return Err(problem.hint("name each server as its certificate does"));
            }
            tls.config(&key)
        });
        let tls = tls.transpose().map_err(|problem| problems.push(problem)).unwrap_or_default();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Box::new(Nats { table, servers, subject, tls, observer: home.observer.clone(), live: None }))
    }
}

/// What a message has besides its text and its subject: the names of headers, ids, ends of lines.
const HEADERS: usize = 512;

/// Publishes messages.
struct Nats {
    table: Table,
    servers: Vec<ServerAddr>,
    subject: Pattern,
    tls: Option<rustls::ClientConfig>,
    observer: Observer,
    live: Option<Live<Connected>>,
}

/// A connection, and what of the stream matters.
struct Connected {
    context: Context,
    /// The most bytes of a message.
    most: usize,
    version: String,
    info: Info,
    trouble: Trouble,
}

/// What went wrong with a connection besides what is answered.
type Trouble = Arc<Mutex<Option<String>>>;

impl Nats {
    /// The connection, made anew unless it was used just now.
    fn live(&mut self) -> Result<&mut Live<Connected>, SinkError> {
        if self.live.as_ref().is_some_and(Live::is_stale) {
            self.live = None;
        }
        let live = match self.live.take() {
            Some(live) => live,
            None => Live::open(ANSWER, self.connect())?,
        };
        Ok(self.live.insert(live))
    }

    async fn connect(&self) -> Result<Connected, SinkError> {
        let (trouble, connected) = (Trouble::default(), Arc::new(AtomicBool::new(false)));
        let (told, there) = (trouble.clone(), connected.clone());
        let table = &self.table;
        let mut options = ConnectOptions::new()
            .name(format!("honeyplant {}", self.observer.site))
            .connection_timeout(CONNECT)
            .ignore_discovered_servers()
            // A connection that is lost stays lost. What was not acknowledged would be sent behind what came later.
            .reconnect_delay_callback(move |_| {
                if there.load(Ordering::Acquire) { Duration::from_secs(86_400) } else { Duration::ZERO }
            })
            .event_callback(move |event| {
                let text = match event {
                    Event::Disconnected | Event::Closed => Some("the connection was lost".to_owned()),
                    Event::ServerError(error) => Some(error.to_string()),
                    Event::ClientError(error) => Some(error.to_string()),
                    _ => None,
                };
                if let Some(text) = text {
                    told.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
                }
                std::future::ready(())
            });
        if let (Some(user), Some(password)) = (&table.user, &table.password) {
            options = options.user_and_password(user.clone(), password.reveal().to_owned());
        }
        if let Some(token) = &table.token {
            options = options.token(token.reveal().to_owned());
        }
        if let Some(seed) = &table.nkey {
            options = options.nkey(seed.reveal().to_owned());
        }
        if let Some(path) = &table.credentials {
            let wrong = |error| SinkError(format!("{}: {error}", path.display()));
            options = options.credentials_file(path).await.map_err(wrong)?;
        }
        if let Some(config) = &self.tls {
            options = options.tls_client_config(config.clone()).require_tls(true);
        }
        let client = options.connect(self.servers.as_slice()).await.map_err(failed)?;
        connected.store(true, Ordering::Release);
        let (version, payload) = (client.server_info().version, client.max_payload());
        let mut context = jetstream::new(client);
        context.set_timeout(ANSWER);
        let info = watched(&trouble, self.look_up(&context)).await?;
        let bound = usize::try_from(info.config.max_message_size).ok().filter(|bound| *bound > 0);
        Ok(Connected { context, most: payload.min(bound.unwrap_or(payload)), version, info, trouble })
    }

    /// The stream, which is made if that is wanted.
    async fn look_up(&self, context: &Context) -> Result<Info, SinkError> {
        let name = &self.table.stream;
        let Some(create) = &self.table.create else {
            let stream = context.get_stream(name).await.map_err(|error| {
                SinkError(format!("the stream {name} cannot be found ({error}); make it, or set `create`"))
            })?;
            return Ok(stream.cached_info().clone());
        };
        let config = Config {
            name: name.clone(),
            description: Some("what happened to honeyplant sites".into()),
            subjects: vec![self.subject.names("*")],
            num_replicas: create.replicas.into(),
            max_age: create.keep.map_or(Duration::ZERO, |keep| keep.0),
            max_bytes: create.most.map_or(-1, |most| i64::try_from(most.0).unwrap_or(i64::MAX)),
            duplicate_window: create.duplicates.0,
            ..Config::default()
        };
        let stream = context.get_or_create_stream(config).await;
        let stream = stream.map_err(|error| SinkError(format!("the stream {name} cannot be made: {error}")))?;
        Ok(stream.cached_info().clone())
    }

    /// `error` with the names of the other ends.
    fn told(&self, error: &SinkError) -> SinkError {
        SinkError(format!("{}: {error}", self.table.servers.join(", ")))
    }

    fn publish(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let (observer, subject, format) = (self.observer.clone(), self.subject.clone(), self.table.format);
        let (stream, in_flight) = (self.table.stream.clone(), usize::from(self.table.in_flight));
        self.live()?.run(ANSWER, |connected| async move {
            let mut waiting = VecDeque::with_capacity(in_flight);
            let publish = async {
                for entry in batch {
                    let message = Message::new(entry, &observer.install);
                    let subject = subject.name(&message, &observer, SUBJECT);
                    let room = connected.most.saturating_sub(HEADERS);
                    let mut text = Vec::new();
                    if !format.write_within(entry, room, &mut text) {
                        continue;
                    }
                    if waiting.len() >= in_flight {
                        acknowledged(waiting.pop_front()).await?;
                    }
                    let mut headers = HeaderMap::new();
                    headers.insert("Nats-Msg-Id", &*message.id);
                    headers.insert("Nats-Expected-Stream", stream.as_str());
                    let publish = PublishMessage::build().payload(text.into()).headers(headers);
                    waiting.push_back(connected.context.send_publish(subject, publish).await.map_err(failed)?);
                }
                while !waiting.is_empty() {
                    acknowledged(waiting.pop_front()).await?;
                }
                Ok(())
            };
            watched(&connected.trouble, publish).await
        })
    }
}

/// The most bytes of a subject: with the rest of its line it must fit into the 4096 that servers take.
const SUBJECT: usize = 1024;

async fn acknowledged(first: Option<PublishAckFuture>) -> Result<(), SinkError> {
    let Some(first) = first else { return Ok(()) };
    first.await.map(drop).map_err(|error| SinkError(format!("the stream did not take a message: {error}")))
}

/// What comes of `what`, unless the connection breaks first.
async fn watched<T>(trouble: &Trouble, what: impl Future<Output = Result<T, SinkError>>) -> Result<T, SinkError> {
    let mut what = pin!(what);
    loop {
        if let Ok(done) = tokio::time::timeout(Duration::from_millis(50), what.as_mut()).await {
            return done;
        }
        if let Some(text) = trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(SinkError(text));
        }
    }
}

fn failed(error: impl std::fmt::Display) -> SinkError {
    SinkError(error.to_string())
}

impl Sink for Nats {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        self.publish(batch).map_err(|error| {
            self.live = None;
            self.told(&error)
        })
    }

    fn pace(&self) -> Pace {
        // What is waited for at the end of each batch is waited for less often.
        Pace { most: 2048, ..Pace::default() }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        self.live = None;
        // What happens to the site itself is also told.
        let entry = Entry { sequence: 0, line: String::new() };
        let message = Message::new(&entry, &self.observer.install);
        let subject = self.subject.name(&message, &self.observer, SUBJECT);
        let name = self.table.stream.clone();
        let looked = self.live().and_then(|live| {
            live.run(ANSWER, |connected| async move {
                let taken = connected.context.stream_by_subject(subject.as_str()).await;
                if taken.as_ref().ok() != Some(&name) {
                    return Err(SinkError(format!("the stream {name} does not take the subject {subject}")));
                }
                let (version, messages) = (&connected.version, connected.info.state.messages);
                Ok(format!("NATS {version}, stream {name}, {messages} messages"))
            })
        });
        looked.map_err(|error| {
            self.live = None;
            self.told(&error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn build(text: &str) -> Result<Box<dyn Sink>, Problems> {
        let observer = Observer { site: "test".into(), install: "0badcafe".into(), version: "1".into() };
        let home = Home { state: Path::new("/tmp"), observer: &observer, name: "nats" };
        Kind.build(&Settings::parse(text).unwrap(), &home)
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text =
            "servers = ['nats://u:p@a']\nsubject = 'a..{b}'\nstream = 'a.b'\nin-flight = 0\nuser = 'x'\ntoken = 't'\n";
        let problems = build(text).err().unwrap();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["servers", "subject", "subject", "stream", "in-flight", "user", "user"]);
    }

    #[test]
    fn a_server_that_is_not_there_is_named() {
        let mut sink = build("servers = ['127.0.0.1:1']").unwrap();
        let error = sink.probe().unwrap_err().to_string();
        assert!(error.starts_with("127.0.0.1:1: ") && error.contains("refused"), "{error}");
    }
}
