//! Syslog: an event a message, over UDP, TCP, TLS or to the system log of this machine. Apart from messages and lines,
//! because this is what an operator sets.

mod line;
mod wire;

use self::{
    line::{Confirmation, Framing, Line, Receiver},
    wire::{Facility, Frame, Standard},
};
use super::{
    Entry, Form, Home, Pace, Sink, SinkError, SinkKind,
    link::{Remote, TlsSettings},
};
use honeyplant_core::settings::{Problem, Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{fs, ops::RangeInclusive, path::PathBuf, time::Duration};

/// Events to the system log of this machine, or to a log server or SIEM, as messages of syslog or as CEF.
///
/// Take it where logs are collected already. Messages come in order. Syslog acknowledges nothing, so it depends on the
/// transport what is known of them:
///
/// - `tcp` and `tls`: each batch has a connection, and is delivered when the receiver has read it to its end and hung up.
///   That is **at least once**; what a receiver has read but not yet stored when it dies is lost. With `confirm = false` the
///   connection stays, which some load balancers need; then what was on its way when a receiver died is lost, too.
/// - the socket of this machine: nothing is lost but what the log daemon had not read when it died.
/// - `udp`: what is lost on the way is not noticed, nor is a receiver that is behind. It is noticed when nobody listens, if
///   the receiver's machine says so.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Table {
    /// The receiver, such as `logs.example.org:514`, or the path of a socket of this machine.
    to: String,
    /// What carries messages to another machine: `tcp` if nothing is set.
    transport: Option<Transport>,
    /// How messages are written: `rfc5424` if nothing is set, and `rfc3164` for a socket of this machine.
    standard: Option<Standard>,
    /// How messages are told apart on TCP. TLS has octet counts always.
    framing: Option<Framing>,
    /// Whether the receiver shows with each batch that it has read it, by hanging up when it was told the end.
    confirm: bool,
    /// The facility.
    facility: Facility,
    /// The name of this machine, if it is to be called otherwise.
    hostname: Option<String>,
    /// The name of the application.
    app_name: String,
    /// Whether messages of RFC 5424 have the facts as structured data, too.
    structured_data: bool,
    /// Whether sentences of RFC 5424 that are not plain ASCII begin with a byte order mark, as it says.
    bom: bool,
    /// What a message says: `message` is the sentence, `cef` what SIEMs read.
    format: Form,
    /// How many bytes a message may have; long ones are cut to it. If nothing is set: 8192, with UDP 2048 or, of RFC 3164,
    /// 1024.
    #[schemars(range(min = 480, max = 65_000))]
    size: Option<u32>,
    /// How many messages a second are sent with UDP at most.
    #[schemars(range(min = 1))]
    rate: u32,
    /// How to speak TLS.
    tls: Option<TlsSettings>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            to: "/dev/log".into(),
            transport: None,
            standard: None,
            framing: None,
            confirm: true,
            facility: Facility::Local0,
            hostname: None,
            app_name: "honeyplant".into(),
            structured_data: true,
            bom: true,
            format: Form::Message,
            size: None,
            rate: 1000,
            tls: None,
        }
    }
}

/// What carries messages to another machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Transport {
    /// RFC 5426.
    Udp,
    /// RFC 6587.
    Tcp,
    /// RFC 5425.
    Tls,
}

/// RFC 5424 §6.1: every receiver takes 480 bytes. A datagram cannot have many more than the last.
const SIZES: RangeInclusive<u32> = 480..=65_000;

/// The kind `syslog`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn example(&self) -> &'static str {
        "to = \"siem.example.org:6514\"\ntransport = \"tls\"\nformat = \"cef\"\nfacility = \"local4\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Problems::new();
        let mut wrong = |field: &str, what: &str| problems.push(Problem::new(settings.key_of(field), what));
        let local = table.to.starts_with('/');
        if local && table.transport.is_some() {
            wrong("transport", "a socket of this machine has none");
        }
        if table.tls.is_some() && table.transport != Some(Transport::Tls) {
            wrong("tls", "it is spoken with `transport = \"tls\"` only");
        }
        let is_tcp = !local && matches!(table.transport, None | Some(Transport::Tcp));
        if table.framing.is_some() && !is_tcp {
            wrong("framing", "it is for `transport = \"tcp\"` only");
        }
        if table.size.is_some_and(|size| !SIZES.contains(&size)) {
            wrong("size", &format!("a message has from {} to {} bytes", SIZES.start(), SIZES.end()));
        }
        if table.rate == 0 {
            wrong("rate", "at least one message a second is sent");
        }
        let tls = (table.transport == Some(Transport::Tls)).then(|| table.tls.clone().unwrap_or_default());
        let remote = if local {
            None
        } else {
            Remote::new(&table.to, tls.as_ref(), settings.key()).map_err(|problem| problems.push(problem)).ok()
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let receiver = match remote {
            None => Receiver::Local(PathBuf::from(&table.to)),
            Some(_) if table.transport == Some(Transport::Udp) => {
                Receiver::Datagrams { to: table.to.clone(), rate: table.rate }
            }
            Some(remote) => Receiver::Stream {
                remote,
                framing: table.framing.unwrap_or_default(),
                confirmation: if table.confirm { Confirmation::Ending } else { Confirmation::None },
            },
        };
        let standard = table.standard.unwrap_or(if local { Standard::Rfc3164 } else { Standard::Rfc5424 });
        let most = match (&receiver, standard) {
            (Receiver::Datagrams { .. }, Standard::Rfc3164) => 1024,
            (Receiver::Datagrams { .. }, Standard::Rfc5424) => 2048,
            _ => 8192,
        };
        // Daemons do not expect the name of their own machine in messages of RFC 3164.
        let hostname = if local && standard == Standard::Rfc3164 {
            None
        } else {
            Some(table.hostname.unwrap_or_else(|| this_machine().unwrap_or_else(|| home.observer.site.clone())))
        };
        let frame = Frame {
            standard,
            facility: table.facility,
            hostname,
            application: table.app_name,
            structured: table.structured_data,
            mark: table.bom,
            form: table.format,
            most: table.size.map_or(most, |size| size as usize),
        };
        Ok(Box::new(Syslog { receiver, frame, line: None }))
    }
}

/// The name of this machine.
fn this_machine() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Sends the lines of the journal as messages.
#[derive(Debug)]
struct Syslog {
    receiver: Receiver,
    frame: Frame,
    line: Option<Line>,
}

impl Sink for Syslog {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let written = batch.iter().filter_map(|entry| {
            let mut message = Vec::new();
            self.frame.write(entry, &mut message).then_some(message)
        });
        let messages: Vec<_> = written.collect();
        if messages.is_empty() {
            return Ok(());
        }
        let sent = self.receiver.send(&mut self.line, &messages);
        sent.map_err(|error| SinkError(format!("{}: {error}", self.receiver.name())))
    }

    fn pace(&self) -> Pace {
        match &self.receiver {
            // A connection a second is no burden to anybody.
            Receiver::Stream { confirmation: Confirmation::Ending, .. } => {
                Pace { most: 4096, every: Duration::from_secs(1) }
            }
            // A batch takes no longer than the end of the program can wait.
            Receiver::Datagrams { rate, .. } => {
                Pace { most: usize::try_from(rate / 5).unwrap_or(usize::MAX).clamp(1, 512), every: Duration::ZERO }
            }
            _ => Pace::default(),
        }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let name = self.receiver.name();
        match self.receiver.probe() {
            Ok(found) => Ok(format!("syslog at {name}: {found}")),
            Err(error) => Err(SinkError(format!("{name}: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Observer;
    use std::path::Path;

    fn build(text: &str) -> Result<Box<dyn Sink>, Problems> {
        let observer = Observer { site: "s".into(), install: "0123abcd".into(), version: "0".into() };
        let home = Home { state: Path::new("/tmp"), observer: &observer, name: "syslog" };
        Kind.build(&Settings::parse(text).unwrap(), &home)
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let text = "to = '/dev/log'\ntransport = 'udp'\nframing = 'lines'\nsize = 100\nrate = 0\ntls = {}";
        let problems = build(text).err().unwrap();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["transport", "tls", "framing", "size", "rate"]);
        assert!(build("to = 'logs.example.org'").is_err());
        assert!(build("to = 'logs.example.org:514'\nframing = 'lines'").is_ok());
    }
}
