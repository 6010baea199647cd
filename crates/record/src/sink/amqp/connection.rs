//! A connection to a broker with one channel that confirms. Apart from what is published on it.

use super::wire::{Heard, PROTOCOL, Published, Say};
use crate::sink::{
    SinkError,
    link::{ANSWER, Link, Remote},
};
use std::{
    io::{self, Read, Write},
    time::Instant,
};

/// The longest frame that is sent or taken: what most brokers propose.
const FRAME: u32 = 128 << 10;
/// As many bytes are written at once.
const CHUNK: usize = 64 << 10;

/// Where and as whom to connect.
pub(super) struct Login<'a> {
    pub(super) remote: &'a Remote,
    pub(super) vhost: &'a str,
    pub(super) user: &'a str,
    pub(super) password: &'a str,
}

/// A connection.
pub(super) struct Connection {
    link: Link,
    /// What was read and not yet understood.
    input: Vec<u8>,
    output: Vec<u8>,
    frame: u32,
    /// What the broker calls itself.
    pub(super) product: String,
    /// The number of the message that was published last, and of the last before which all are confirmed.
    published: u64,
    confirmed: u64,
    /// What is confirmed behind one that is not.
    early: Vec<u64>,
    /// When it was last heard from.
    pub(super) used: Instant,
    /// Why the broker takes nothing, if it said so.
    blocked: Option<String>,
}

impl Connection {
    /// Connects, logs in, and opens the channel.
    pub(super) fn open(login: &Login<'_>) -> Result<Self, SinkError> {
        let link = login.remote.connect().map_err(|error| lost(&error, None))?;
        let mut own = Self {
            link,
            input: Vec::new(),
            output: PROTOCOL.to_vec(),
            frame: FRAME,
            product: String::new(),
            published: 0,
            confirmed: 0,
            early: Vec::new(),
            used: Instant::now(),
            blocked: None,
        };
        match own.ask()? {
            Heard::Start { product, mechanisms } => {
                if !mechanisms.split(' ').any(|name| name == "PLAIN") {
                    return Err(SinkError(format!("it lets nobody log in with PLAIN, only with {mechanisms}")));
                }
                own.product = product;
            }
            other => return Err(unexpected(&other)),
        }
        own.say(&Say::StartOk { user: login.user, password: login.password });
        let (channels, frame) = match own.ask()? {
            Heard::Tune { channels, frame } => (channels, frame),
            Heard::Secure => return Err(SinkError("it asks for more than a user and a password".into())),
            other => return Err(unexpected(&other)),
        };
        own.frame = if frame == 0 { FRAME } else { frame.clamp(4096, FRAME) };
        // No heartbeats: nobody is there to send them while there is nothing to deliver.
        own.say(&Say::TuneOk { channels, frame: own.frame, heartbeat: 0 });
        own.say(&Say::Open { vhost: login.vhost });
        own.expect(&Heard::OpenOk)?;
        own.say(&Say::ChannelOpen);
        own.expect(&Heard::ChannelOpenOk)?;
        Ok(own)
    }

    /// Makes a durable exchange that routes by topics; or sees that it is there, of whatever type.
    pub(super) fn exchange(&mut self, exchange: &str, passive: bool) -> Result<(), SinkError> {
        self.say(&Say::ExchangeDeclare { exchange, passive });
        self.expect(&Heard::Declared)
    }

    /// Makes a durable queue for what has such a key; how many messages it has.
    pub(super) fn queue(&mut self, queue: &str, exchange: &str, key: &str) -> Result<u32, SinkError> {
        self.say(&Say::QueueDeclare { queue });
        let messages = match self.ask()? {
            Heard::QueueDeclared { messages } => messages,
            other => return Err(unexpected(&other)),
        };
        self.say(&Say::QueueBind { queue, exchange, key });
        self.expect(&Heard::Bound)?;
        Ok(messages)
    }

    /// From here on what is published is confirmed.
    pub(super) fn confirm(&mut self) -> Result<(), SinkError> {
        self.say(&Say::ConfirmSelect);
        self.expect(&Heard::Selected)
    }

    /// Publishes once no more than `in_flight` messages wait to be confirmed, this one included.
    pub(super) fn publish(&mut self, message: &Published<'_>, in_flight: u64) -> Result<(), SinkError> {
        self.settle(in_flight.saturating_sub(1))?;
        message.write(self.frame as usize, &mut self.output);
        self.published += 1;
        if self.output.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Waits until at most `left` messages are not confirmed.
    pub(super) fn settle(&mut self, left: u64) -> Result<(), SinkError> {
        let since = Instant::now();
        while self.published - self.confirmed > left {
            let before = self.confirmed;
            match self.ask()? {
                Heard::Confirmed { tag, multiple: true } => {
                    self.confirmed = self.confirmed.max(if tag == 0 { self.published } else { tag });
                    self.advance();
                }
                Heard::Confirmed { tag, multiple: false } => {
                    self.early.push(tag);
                    self.advance();
                }
                Heard::Refused => {
                    return Err(SinkError("the broker refused a message: a queue is full or broken".into()));
                }
                Heard::Returned { code, text, key } => {
                    return Err(SinkError(format!("no queue takes the routing key {key} ({code} {text}); bind one")));
                }
                Heard::Content | Heard::Heartbeat | Heard::Unblocked => {}
                other => return Err(unexpected(&other)),
            }
            // A broker that keeps speaking of other things has not confirmed anything either.
            if self.confirmed == before && since.elapsed() > ANSWER {
                return Err(silent(self.blocked.as_deref()));
            }
        }
        Ok(())
    }

    fn advance(&mut self) {
        self.early.sort_unstable();
        let confirmed = &mut self.confirmed;
        self.early.retain(|tag| {
            if *tag == *confirmed + 1 {
                *confirmed = *tag;
            }
            *tag > *confirmed
        });
    }

    fn say(&mut self, say: &Say<'_>) {
        say.write(&mut self.output);
    }

    fn expect(&mut self, wanted: &Heard) -> Result<(), SinkError> {
        match self.ask()? {
            heard if heard == *wanted => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if !self.output.is_empty() {
            self.link.write_all(&self.output).and_then(|()| self.link.flush()).map_err(|error| self.lost(&error))?;
            self.output.clear();
        }
        Ok(())
    }

    /// Sends what is to be sent; then what is heard next.
    fn ask(&mut self) -> Result<Heard, SinkError> {
        self.flush()?;
        loop {
            if let Some((heard, length)) = Heard::read(&self.input, 2 * FRAME as usize)? {
                self.input.drain(..length);
                self.used = Instant::now();
                match heard {
                    Heard::Blocked { reason } => self.blocked = Some(reason),
                    Heard::Closed { code, text } => {
                        self.say(&Say::CloseOk);
                        let _ = self.flush();
                        return Err(SinkError(format!("the broker closed the connection: {code} {text}")));
                    }
                    Heard::ChannelClosed { code, text } => {
                        self.say(&Say::ChannelCloseOk);
                        let _ = self.flush();
                        return Err(SinkError(format!("the broker refused: {code} {text}")));
                    }
                    heard => return Ok(heard),
                }
                continue;
            }
            let mut part = [0; 16 << 10];
            match self.link.read(&mut part) {
                Ok(0) => return Err(SinkError("the broker closed the connection".into())),
                Ok(count) => self.input.extend_from_slice(part.get(..count).unwrap_or_default()),
                Err(error) => return Err(self.lost(&error)),
            }
        }
    }

    fn lost(&self, error: &io::Error) -> SinkError {
        lost(error, self.blocked.as_deref())
    }

    /// Says goodbye, and does not wait for an answer.
    pub(super) fn close(mut self) {
        self.say(&Say::Close);
        let _ = self.flush();
    }
}

fn lost(error: &io::Error, blocked: Option<&str>) -> SinkError {
    // What a socket says whose time is over.
    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
        return silent(blocked);
    }
    SinkError(error.to_string())
}

fn silent(blocked: Option<&str>) -> SinkError {
    let why = blocked.map_or(String::new(), |reason| format!("; it takes nothing: {reason}"));
    SinkError(format!("no answer in {} s{why}", ANSWER.as_secs()))
}

fn unexpected(heard: &Heard) -> SinkError {
    SinkError(format!("it answered what was not asked: {heard:?}"))
}
