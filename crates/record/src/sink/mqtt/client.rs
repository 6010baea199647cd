//! A connection to a broker, on which messages are published and their acknowledgements awaited. Apart, because the one
//! who keeps it alive uses it beside the one who delivers.

use super::wire::{self, Connect, LONGEST, Limits, Packet, Retain, Version};
use crate::sink::{
    SinkError,
    link::{Link, Remote},
};
use std::{
    collections::VecDeque,
    io::{self, BufReader, Write},
    time::Duration,
};

/// As many messages are on their way at most.
const WINDOW: u16 = 256;
/// So much is gathered before it is written.
const WRITTEN: usize = 64 << 10;

/// A connection.
#[derive(Debug)]
pub(super) struct Client {
    link: BufReader<Link>,
    name: String,
    version: Version,
    limits: Limits,
    keep_alive: Duration,
    /// The number of the last message.
    last: u16,
    out: Vec<u8>,
    /// Messages that are not acknowledged yet.
    waiting: VecDeque<u16>,
    /// Whether the broker is to publish the will when the connection ends.
    will: bool,
}

impl Client {
    pub(super) fn open(remote: &Remote, version: Version, connect: &Connect<'_>) -> Result<Self, SinkError> {
        let mut link = BufReader::new(remote.connect().map_err(|error| remote.failed(error))?);
        let mut out = Vec::new();
        wire::connect(version, connect, &mut out);
        let answer = link.get_mut().write_all(&out).and_then(|()| Packet::read(version, &mut link));
        let limits = match answer.map_err(|error| remote.failed(error))? {
            Packet::Connected { code: 0, limits } => limits,
            Packet::Connected { code, .. } | Packet::Ended { code } => {
                return Err(remote.failed(wire::refusal(version, code)));
            }
            _ => return Err(remote.failed("it does not answer as MQTT does")),
        };
        if limits.quality == 0 {
            return Err(remote.failed(wire::refusal(version, 0x9B)));
        }
        let keep_alive = Duration::from_secs(limits.keep_alive.unwrap_or(connect.keep_alive).into());
        Ok(Self {
            link,
            name: remote.name().to_owned(),
            version,
            limits,
            keep_alive,
            last: 0,
            out: Vec::new(),
            waiting: VecDeque::new(),
            will: connect.will.is_some(),
        })
    }

    /// How long at most may pass without a word.
    pub(super) const fn keep_alive(&self) -> Duration {
        self.keep_alive
    }

    /// How long a message at `topic` may be.
    pub(super) fn room(&self, topic: &str) -> usize {
        // The head of a packet, the lengths and the properties need less.
        self.limits.packet.min(LONGEST).saturating_sub(topic.len() + 16)
    }

    /// Publishes a message. It need not be on its way yet.
    pub(super) fn publish(&mut self, topic: &str, retain: Retain, message: &[u8]) -> Result<(), SinkError> {
        let window = usize::from(WINDOW.min(self.limits.window).max(1));
        if self.waiting.len() >= window {
            self.settle(window - 1)?;
            // What else has come already makes room for more at once.
            while !self.link.buffer().is_empty() && !self.waiting.is_empty() {
                self.settle(self.waiting.len() - 1)?;
            }
        }
        // §2.3.1 of 3.1.1, §2.2.1 of 5.0: 0 is no number.
        self.last = self.last.checked_add(1).unwrap_or(1);
        wire::publish(self.version, topic, self.last, retain, message, &mut self.out);
        self.waiting.push_back(self.last);
        if self.out.len() > WRITTEN { self.write() } else { Ok(()) }
    }

    /// Waits until no more than `left` messages are not acknowledged.
    pub(super) fn settle(&mut self, left: usize) -> Result<(), SinkError> {
        self.write()?;
        while self.waiting.len() > left {
            let Packet::Taken { id, code } = self.read()? else { continue };
            let place = self.waiting.iter().position(|waiting| *waiting == id);
            match place {
                _ if code >= 0x80 => return Err(self.failed(wire::refusal(self.version, code))),
                Some(place) => drop(self.waiting.remove(place)),
                None => return Err(self.failed("it acknowledges what was never sent")),
            }
        }
        Ok(())
    }

    /// Shows the broker that we are here, and sees that it is.
    pub(super) fn ping(&mut self) -> Result<(), SinkError> {
        wire::ping(&mut self.out);
        self.write()?;
        while self.read()? != Packet::Pong {}
        Ok(())
    }

    fn write(&mut self) -> Result<(), SinkError> {
        let written = self.link.get_mut().write_all(&self.out).and_then(|()| self.link.get_mut().flush());
        self.out.clear();
        written.map_err(|error| self.failed(error))
    }

    fn read(&mut self) -> Result<Packet, SinkError> {
        match Packet::read(self.version, &mut self.link) {
            Ok(Packet::Ended { code }) => Err(self.failed(wire::refusal(self.version, code))),
            Ok(packet) => Ok(packet),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.failed("it hung up")),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, error: impl std::fmt::Display) -> SinkError {
        SinkError(format!("{}: {error}", self.name))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Whoever says goodbye has no will. Nothing is on its way that would be waited for.
        if !self.will && self.out.is_empty() && self.waiting.is_empty() {
            wire::disconnect(&mut self.out);
            let _ = self.write();
        }
    }
}
