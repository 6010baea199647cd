//! A connection: requests in, answers out, and the order of both (RFC 9112 §9). Apart, because it is the only part that has
//! state of its own.

use super::{
    answer::Answer,
    compose::{Cut, Going, Said, compose, narrow},
    flaw::{Flaw, Treatment},
    login::Shown,
    read::{Front, Reader},
    server::Server,
    visitor::Visitor,
    wire::{Method, Request},
};
use honeyplant_core::{
    accounts::Account,
    conversation::{Context, Conversation, Step},
    event::{Kind, Operation, Request as Asked, Verdict},
    files::Content,
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// So many delayed answers wait, with so many octets.
const LATE: (usize, usize) = (64, 1024 * 1024);

/// A connection.
pub(super) struct Talk {
    server: Arc<Server>,
    reader: Reader,
    /// How many requests it has had.
    served: u32,
    /// As whom the peer showed itself last.
    account: Option<Arc<Account>>,
    /// Answers that are not due yet.
    late: VecDeque<(Instant, Vec<u8>)>,
    closed: bool,
    /// Since when it waits: for a request, or for the end of one.
    since: Option<Instant>,
    /// When it is to be woken, as far as the driver knows.
    armed: Option<Instant>,
}

impl Talk {
    /// A connection over which nothing was asked yet.
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self {
            server,
            reader: Reader::default(),
            served: 0,
            account: None,
            late: VecDeque::new(),
            closed: false,
            since: None,
            armed: None,
        }
    }
}

impl Conversation for Talk {
    fn open(&mut self, cx: &mut Context<'_>) {
        self.since = Some(cx.now);
        self.arm(cx);
    }

    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step {
        if self.closed {
            return Step::Took(input.len());
        }
        let server = self.server.clone();
        let had_begun = self.reader.has_begun();
        let mut front = self.reader.next(input, &server.rules);
        if matches!(front, Front::Hesitant) {
            if server.expect && self.late.is_empty() {
                cx.out.extend_from_slice(b"HTTP/1.1 100 ");
                cx.out.extend_from_slice(server.reason(100).as_bytes());
                cx.out.extend_from_slice(b"\r\n\r\n");
            }
            front = self.reader.next(input, &server.rules);
        }
        let took = match front {
            Front::Nothing | Front::Hesitant => {
                if !had_begun {
                    self.since = Some(cx.now);
                    self.arm(cx);
                }
                return Step::Wait;
            }
            Front::Whole(request, length) => {
                self.serve(&request, input.get(..length).unwrap_or_default(), cx);
                length
            }
            Front::Broken(Flaw::EmptyLine, None, length) if server.treatment(Flaw::EmptyLine) == Treatment::Ignore => {
                return Step::Took(length);
            }
            Front::Broken(flaw, request, length) => {
                self.refuse(flaw, request.as_ref(), cx);
                length
            }
        };
        self.since = Some(cx.now);
        self.arm(cx);
        Step::Took(took.clamp(1, input.len()))
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        self.armed = None;
        while let Some((_, octets)) = self.late.pop_front_if(|(due, _)| *due <= cx.now) {
            cx.out.extend(octets);
            self.since = Some(cx.now);
        }
        if self.late.is_empty() {
            if self.closed {
                cx.hang_up();
                return;
            }
            if self.patience().is_some_and(|due| due <= cx.now) {
                self.lose_patience(cx);
                return;
            }
        }
        self.arm(cx);
    }
}

impl Talk {
    /// Until when it waits for the peer.
    fn patience(&self) -> Option<Instant> {
        let keep = &self.server.persistence;
        let waits_for_more = self.served > 0 && !self.reader.has_begun();
        let patience = if waits_for_more { keep.idle } else { keep.request };
        self.since?.checked_add(patience?)
    }

    /// The peer was silent too long.
    fn lose_patience(&mut self, cx: &mut Context<'_>) {
        if self.reader.has_begun() {
            self.refuse(Flaw::Late, None, cx);
        } else {
            self.closed = true;
            cx.hang_up();
        }
    }

    /// Asks to be woken in time. The driver is told only what is earlier than it knows: each request would move it.
    fn arm(&mut self, cx: &mut Context<'_>) {
        let due = match self.late.front() {
            Some((due, _)) => Some(*due),
            None if self.closed => None,
            None => self.patience(),
        };
        if let Some(due) = due.filter(|due| self.armed.is_none_or(|armed| *due < armed)) {
            cx.wake_at(due);
            self.armed = Some(due);
        }
    }

    /// Answers a request; `raw` is all of it as it came.
    fn serve(&mut self, request: &Request<'_>, raw: &[u8], cx: &mut Context<'_>) {
        let server = self.server.clone();
        self.served = self.served.saturating_add(1);
        let shown = server.login.shown(request, self.account.as_ref(), cx);
        let stale = matches!(shown, Shown::Stale);
        let session = server.login.session(request, cx.now);
        let (account, session) = match (shown, session) {
            (Shown::Somebody(account), session) => {
                self.account = Some(account.clone());
                (Some(account), session.map(|(_, token)| token))
            }
            (_, Some((account, token))) => (Some(account), Some(token)),
            _ => (None, None),
        };
        let visitor = Visitor { account, session, server: &server };
        let answer = self.answer(request, raw, &visitor, cx);
        let on = self.goes_on(request);
        self.say(Some(request), answer, on, stale, cx);
        for flaw in request.flaws.iter().filter(|flaw| flaw.is_odd()) {
            cx.record(Kind::Malformed { why: flaw.why() });
        }
    }

    fn answer(&self, request: &Request<'_>, raw: &[u8], visitor: &Visitor<'_>, cx: &mut Context<'_>) -> Answer {
        let server = &self.server;
        let has = server.methods.contains(&request.method);
        match request.method {
            Method::Connect => {
                let answer = self.refuse_method(request, visitor, cx);
                // Whoever wants a tunnel wants the device to connect to somebody.
                if let Some(target) = str::from_utf8(request.target).ok().and_then(|text| text.parse().ok()) {
                    let verdict = Verdict::Refused { code: answer.status, reason: "no tunnels" };
                    cx.record(Kind::Relay(
                        Operation { name: "connect", code: answer.status, unit: None, verdict },
                        target,
                    ));
                }
                answer
            }
            Method::Options if has && server.options => Answer::default(),
            Method::Trace if has => {
                Answer { media: Some("message/http".into()), body: Content::new(raw.to_vec()), ..Answer::default() }
            }
            _ if has => server.site.answer(request, visitor, cx),
            _ => self.refuse_method(request, visitor, cx),
        }
    }

    fn refuse_method(&self, request: &Request<'_>, visitor: &Visitor<'_>, cx: &mut Context<'_>) -> Answer {
        let known = self.server.refused.contains(&request.method) || self.server.methods.contains(&request.method);
        let flaw = if known { Flaw::RefusedMethod } else { Flaw::UnknownMethod };
        match self.server.treatment(flaw) {
            Treatment::Status(status) | Treatment::Bare(status) => {
                self.server.site.status(status, Some(request), visitor, cx)
            }
            Treatment::Close | Treatment::Ignore => Answer { status: 0, close: true, ..Answer::default() },
        }
    }

    /// Refuses what is none, or no good, request, and ends the connection.
    fn refuse(&mut self, flaw: Flaw, request: Option<&Request<'_>>, cx: &mut Context<'_>) {
        let server = self.server.clone();
        let visitor = Visitor { account: None, session: None, server: &server };
        match server.treatment(flaw) {
            Treatment::Status(status) => {
                let answer = server.site.status(status, request, &visitor, cx);
                self.say(request, Answer { close: true, ..answer }, false, false, cx);
            }
            Treatment::Bare(status) => {
                let mut answer = server.site.status(status, request, &visitor, cx);
                server.page(&mut answer, request, cx.session.local.ip());
                let sent = answer.body.len() as u64;
                self.delay(&answer, answer.body.to_vec(), false, cx);
                if let Some(request) = request {
                    record(request, &answer, Said { status: answer.status, sent, on: false }, cx);
                }
            }
            Treatment::Close | Treatment::Ignore => {
                self.delay(&Answer::default(), Vec::new(), false, cx);
                if let Some(request) = request {
                    record(request, &Answer::default(), Said { status: 0, sent: 0, on: false }, cx);
                }
            }
        }
        cx.record(Kind::Malformed { why: flaw.why() });
    }

    /// Whether the connection goes on behind a request, for all that it and the server's rules say (RFC 9112 §9.3).
    fn goes_on(&self, request: &Request<'_>) -> bool {
        let keep = &self.server.persistence;
        let wanted = if request.version.is_persistent() {
            !request.says("connection", "close")
        } else {
            keep.old && request.says("connection", "keep-alive")
        };
        wanted && self.served < keep.requests
    }

    /// Answers, and records it.
    fn say(&mut self, request: Option<&Request<'_>>, mut answer: Answer, on: bool, stale: bool, cx: &mut Context<'_>) {
        let server = self.server.clone();
        let cut = request.map_or_else(Cut::default, |request| narrow(&server, request, &mut answer, cx));
        server.page(&mut answer, request, cx.session.local.ip());
        let said = if answer.status == 0 {
            self.delay(&answer, Vec::new(), false, cx);
            Said { status: 0, sent: 0, on: false }
        } else {
            let left = server.persistence.requests.saturating_sub(self.served);
            let going = Going { on, left, stale };
            let at_once = self.late.is_empty() && self.wait(&answer).is_zero();
            let mut out = if at_once { std::mem::take(cx.out) } else { Vec::new() };
            let said = compose(&server, request, &answer, &cut, going, cx, &mut out);
            if at_once {
                *cx.out = out;
                self.close_unless(said.on, cx);
            } else {
                self.delay(&answer, out, said.on, cx);
            }
            said
        };
        let kinds = std::mem::take(&mut answer.kinds);
        if let Some(request) = request {
            record(request, &answer, said, cx);
        }
        kinds.into_iter().for_each(|kind| cx.record(kind));
    }

    /// How long an answer takes at most.
    fn wait(&self, answer: &Answer) -> Duration {
        answer.delay.unwrap_or_else(|| self.server.delay(answer.status)).1
    }

    /// Sends `octets` when it is time for `answer`, behind those that wait already.
    fn delay(&mut self, answer: &Answer, octets: Vec<u8>, on: bool, cx: &mut Context<'_>) {
        let (least, most) = answer.delay.unwrap_or_else(|| self.server.delay(answer.status));
        let wait = least + most.saturating_sub(least).mul_f64(cx.random.unit());
        let begin = self.late.back().map_or(cx.now, |(due, _)| *due);
        let due = begin.checked_add(wait).unwrap_or(begin);
        if due <= cx.now {
            cx.out.extend(octets);
            self.close_unless(on, cx);
            return;
        }
        self.late.push_back((due, octets));
        let waiting: usize = self.late.iter().map(|(_, octets)| octets.len()).sum();
        if self.late.len() > LATE.0 || waiting > LATE.1 {
            cx.record(Kind::Malformed { why: Flaw::Flooded.why() });
            self.closed = true;
        }
        self.closed |= !on;
        self.arm(cx);
    }

    fn close_unless(&mut self, on: bool, cx: &mut Context<'_>) {
        if !on {
            self.closed = true;
            cx.hang_up();
        }
    }
}

/// Records a request with its answer.
fn record(request: &Request<'_>, answer: &Answer, said: Said, cx: &mut Context<'_>) {
    let text = |octets: &[u8]| -> Box<str> {
        str::from_utf8(octets).map_or_else(|_| String::from_utf8_lossy(octets).into_owned().into(), Into::into)
    };
    let field = |name| request.field(name).map(text);
    let Said { status, sent, .. } = said;
    let verdict = match status {
        0 => Verdict::Silent { reason: "the connection was closed" },
        code @ 400.. => Verdict::Refused { code, reason: answer.failure.unwrap_or(reason(code)) },
        _ => Verdict::Done,
    };
    let version = request.version;
    let asked = Asked {
        method: text(request.spelling),
        target: text(request.target),
        version: match (version.major, version.minor) {
            (1, 1) => "1.1".into(),
            (1, 0) => "1.0".into(),
            (major, minor) => format!("{major}.{minor}").into(),
        },
        status,
        host: field("host"),
        user_agent: field("user-agent"),
        referrer: field("referer"),
        content_type: field("content-type"),
        body: request.body.len() as u64,
        sent,
        digest: answer.digest,
    };
    let operation = Operation { name: request.method.name(), code: status, unit: None, verdict };
    cx.record(Kind::Request(operation, Box::new(asked)));
}

/// Why something is refused with this status, in the words of the record.
const fn reason(status: u16) -> &'static str {
    match status {
        400 => "bad request",
        401 => "not logged in",
        403 => "forbidden",
        404 => "not found",
        405 => "method not allowed",
        408 => "too slow",
        411 => "length required",
        412 => "precondition failed",
        413 => "content too large",
        414 => "target too long",
        415 => "media type not supported",
        416 => "range not satisfiable",
        417 => "expectation failed",
        429 => "too many requests",
        431 => "header fields too large",
        501 => "not implemented",
        503 => "not available",
        505 => "version not supported",
        500..=599 => "error of the server",
        _ => "refused",
    }
}
