//! A session over its control connection (RFC 959 §2.3): lines in, replies out, and the order of both. Apart, because
//! commands wait while a transfer goes on, a login is thought about or a port is opened, whatever they are.

use super::{
    channel::Channel,
    login::Visitor,
    replies::{Field, Say},
    secure::Secure,
    server::Server,
    transfer::Transfer,
    wire::{self, Front, Type, Verb},
};
use honeyplant_core::{
    calendar::Civil,
    conversation::{Context, Conversation, News, Step},
    event::{Carrier, FileAccess, FileAct, Kind, Operation, Verdict},
    files::{Refusal, View, from_octets, listing::Fact, resolve},
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// How many commands may wait for a transfer to end.
const QUEUE: usize = 64;

/// A session.
pub(super) struct Control {
    pub(super) server: Arc<Server>,
    /// The how manieth session it is, once it has a place.
    pub(super) serial: Option<usize>,
    pub(super) login: Visitor,
    pub(super) folder: String,
    pub(super) kind: Type,
    pub(super) restart: u64,
    /// How many bytes the peer has downloaded and uploaded.
    pub(super) carried: (u64, u64),
    pub(super) rename: Option<String>,
    /// What MLSD tells of each name.
    pub(super) facts: Vec<Fact>,
    pub(super) umask: Option<u16>,
    pub(super) idle: Option<Duration>,
    pub(super) channel: Channel,
    pub(super) only_extended_passive: bool,
    pub(super) transfer: Option<Transfer>,
    pub(super) secure: Secure,
    pub(super) command: Command,
    pub(super) pause: Option<Pause>,
    queue: VecDeque<Vec<u8>>,
    /// The rest of a line that is too long is passed over.
    skipping: bool,
    pub(super) closed: bool,
    heard: Option<Instant>,
}

/// The command that is being answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Command {
    /// Its name in the record.
    pub(super) name: &'static str,
    /// Its verb as it was written.
    pub(super) verb: String,
    pub(super) argument: String,
}

/// What the session waits for before it takes the next command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// A failed login is answered then.
    Login(Instant, Say),
    /// A port is opened for the peer.
    Port(Verb),
    /// TLS begins on the line.
    Secure,
}

impl Conversation for Control {
    fn open(&mut self, cx: &mut Context<'_>) {
        if cx.session.carrier == Carrier::Tls {
            self.secure = Secure::implicit();
        }
        self.serial = self.server.take_place();
        if self.serial.is_some() {
            self.say(Say::Ready, &[], cx);
            self.heard = Some(cx.now);
            self.rearm(cx);
        } else {
            self.say(Say::Busy, &[], cx);
            self.close(cx);
        }
    }

    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step {
        if self.closed {
            return Step::Took(input.len());
        }
        if self.pause == Some(Pause::Secure) {
            // What was said in the clear behind AUTH was not said by the peer who is about to encrypt.
            cx.record(Kind::Malformed { why: "octets between AUTH and the encryption that it asks for" });
            return Step::Took(input.len());
        }
        self.heard = Some(cx.now);
        let took = if self.skipping {
            let end = input.iter().position(|byte| *byte == b'\n');
            self.skipping = end.is_none();
            end.map_or(input.len(), |end| end + 1)
        } else {
            match wire::front(input, self.server.longest_line) {
                Front::Nothing => return Step::Wait,
                Front::Line { text, length, refusals } => {
                    if self.server.telnet {
                        cx.out.extend(refusals);
                    }
                    self.take(text, cx);
                    length
                }
                Front::TooLong => {
                    self.command = Command::default();
                    cx.record(Kind::Malformed { why: "a command line longer than the server takes" });
                    self.say(Say::TooLong, &[], cx);
                    self.skipping = true;
                    self.server.longest_line.min(input.len())
                }
            }
        };
        self.rearm(cx);
        Step::Took(took)
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        if self.closed {
            return;
        }
        if let Some(Pause::Login(at, say)) = self.pause
            && at <= cx.now
        {
            self.pause = None;
            self.fail_login(say, cx);
            self.pump(cx);
        } else if self.idle_at().is_some_and(|at| at <= cx.now) {
            self.command = Command::default();
            self.say(Say::Idle, &[], cx);
            self.close(cx);
        }
        self.rearm(cx);
    }

    fn effect(&mut self, news: News<'_>, cx: &mut Context<'_>) {
        if self.closed {
            return;
        }
        self.heard = Some(cx.now);
        self.hear(news, cx);
        self.pump(cx);
        self.rearm(cx);
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.break_off(cx);
        if self.serial.take().is_some() {
            self.server.leave_place();
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if self.serial.is_some() {
            self.server.leave_place();
        }
    }
}

impl Control {
    /// A session that nobody has spoken in yet.
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self {
            serial: None,
            login: Visitor::default(),
            folder: "/".to_owned(),
            // RFC 959 §5.1
            kind: Type::Ascii,
            restart: 0,
            carried: (0, 0),
            rename: None,
            facts: Fact::ALL.to_vec(),
            umask: server.umask,
            idle: server.idle,
            channel: Channel::None,
            only_extended_passive: false,
            transfer: None,
            secure: Secure::default(),
            command: Command::default(),
            pause: None,
            queue: VecDeque::new(),
            skipping: false,
            closed: false,
            heard: None,
            server,
        }
    }

    /// Hangs up.
    pub(super) fn close(&mut self, cx: &mut Context<'_>) {
        self.closed = true;
        cx.hang_up();
    }

    fn take(&mut self, line: Vec<u8>, cx: &mut Context<'_>) {
        let verb = Verb::parse(wire::split(&line).0);
        // RFC 959 §4.1.3: these are heard while a transfer goes on; QUIT waits for its end.
        let is_urgent = self.transfer.is_some() && matches!(verb, Some(Verb::Abor | Verb::Stat));
        if is_urgent || !self.is_waiting() {
            self.perform(&line, cx);
            self.pump(cx);
        } else if self.queue.len() < QUEUE {
            self.queue.push_back(line);
        } else {
            cx.record(Kind::Malformed { why: "more commands than wait for one to be done" });
            self.command = Command::default();
            self.say(Say::Flooded, &[], cx);
            self.close(cx);
        }
    }

    const fn is_waiting(&self) -> bool {
        self.pause.is_some() || self.transfer.is_some()
    }

    /// Takes the commands that waited, until one has to wait again.
    fn pump(&mut self, cx: &mut Context<'_>) {
        while !self.closed && !self.is_waiting() {
            let Some(line) = self.queue.pop_front() else { return };
            self.perform(&line, cx);
        }
    }

    fn idle_at(&self) -> Option<Instant> {
        let heard = self.heard.filter(|_| !self.is_waiting())?;
        heard.checked_add(self.idle?)
    }

    fn rearm(&self, cx: &mut Context<'_>) {
        let login = match self.pause {
            Some(Pause::Login(at, _)) => Some(at),
            _ => None,
        };
        if let Some(at) = login.or_else(|| self.idle_at()).filter(|_| !self.closed) {
            cx.wake_at(at);
        }
    }

    /// Says something, and with which code.
    pub(super) fn say(&self, say: Say, fields: &[(Field, &str)], cx: &mut Context<'_>) -> u16 {
        let mut out = std::mem::take(cx.out);
        let code = self.server.say(say, &mut out, |field| {
            let given = fields.iter().find(|(other, _)| *other == field);
            given.map_or_else(|| self.value(field, cx), |(_, text)| (*text).to_owned())
        });
        *cx.out = out;
        code
    }

    /// Says something, and how that answers the command.
    pub(super) fn answer(&self, say: Say, fields: &[(Field, &str)], cx: &mut Context<'_>) -> Operation {
        let code = self.say(say, fields, cx);
        self.operation(code, say.reason())
    }

    /// Says that the files refuse something.
    pub(super) fn refuse(&self, say: Say, refusal: Refusal, cx: &mut Context<'_>) -> Operation {
        let mut words = refusal.words().to_owned();
        if let Some(first) = words.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let code = self.say(say, &[(Field::Reason, &words)], cx);
        self.operation(code, refusal.words())
    }

    /// The command that is being answered, as the record has it.
    pub(super) const fn operation(&self, code: u16, reason: &'static str) -> Operation {
        let verdict = if code < 400 { Verdict::Done } else { Verdict::Refused { code, reason } };
        Operation { name: self.command.name, code, unit: None, verdict }
    }

    /// Records what was done with a file.
    pub(super) fn note(&self, operation: Operation, act: FileAct, path: &str, cx: &mut Context<'_>) {
        let access = FileAccess { act, path: path.into(), target: None, size: None, digest: None };
        cx.record(Kind::File(operation, Box::new(access)));
    }

    /// The absolute path that a path of the peer means.
    pub(super) fn path(&self, path: &str) -> String {
        resolve(&self.folder, path)
    }

    /// The files as the peer finds them, once it is logged in.
    pub(super) fn files<T>(
        &self,
        cx: &Context<'_>,
        what: impl FnOnce(&mut View<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let account = self.login.account.as_ref().ok_or(Refusal::Denied)?;
        let device = &cx.session.device;
        what(&mut device.files().of(cx.session.peer.ip(), &account.who, device.clock(cx.now)))
    }

    /// What a template has put in that its occasion does not say.
    fn value(&self, field: Field, cx: &Context<'_>) -> String {
        match field {
            Field::Argument => self.command.argument.clone(),
            Field::Downloaded => (self.carried.0 / 1024).to_string(),
            Field::Uploaded => (self.carried.1 / 1024).to_string(),
            Field::Client => cx.session.peer.ip().to_canonical().to_string(),
            Field::Local => cx.session.local.ip().to_canonical().to_string(),
            Field::Clock => {
                let now = Civil::of(cx.device().clock(cx.now));
                format!("{:02}:{:02}", now.hour, now.minute)
            }
            Field::Command => self.command.verb.clone(),
            Field::Verb => self.command.verb.to_ascii_uppercase(),
            Field::Commands => self.server.help.0.clone(),
            Field::Facts => self.told_facts(),
            Field::Features => self.features(cx),
            Field::Folder | Field::Path => self.folder.clone(),
            Field::Idle => self.idle.map_or(0, |idle| idle.as_secs()).to_string(),
            Field::Letter => self.kind.letter().to_owned(),
            Field::Type => self.kind.word().to_owned(),
            Field::Mask => format!("{:03o}", self.umask.unwrap_or_default()),
            Field::Serial => self.serial.unwrap_or_default().to_string(),
            Field::Login => self.login.told(),
            Field::User => self.login.account.as_ref().map_or("", |account| &*account.name).to_owned(),
            Field::Lines
            | Field::Name
            | Field::Number
            | Field::Port
            | Field::Address
            | Field::Random
            | Field::Reason
            | Field::Size
            | Field::Syntax
            | Field::Time => String::new(),
        }
    }

    /// Begins to answer a line: what it says, in the words of the record.
    pub(super) fn begin(&mut self, name: &'static str, verb: &[u8], argument: &[u8]) {
        self.command = Command { name, verb: from_octets(verb), argument: from_octets(argument) };
    }
}
