//! The server of one device: what is the same for all its connections. Apart, because settings become it once, and
//! connections only read it.

use super::{
    answer::Answer,
    flaw::{Flaw, Treatment},
    head::Head,
    login::Login,
    pages::Site,
    settings::Spoken,
    wire::{Method, Request, Rules},
};
use honeyplant_core::files::Content;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

/// The server of one device.
pub(super) struct Server {
    pub(super) site: Site,
    pub(super) version: Spoken,
    pub(super) error_version: Spoken,
    /// What follows the content of errors, which their length does not count.
    pub(super) error_tail: Box<str>,
    pub(super) head: Head,
    pub(super) error_head: Head,
    pub(super) reasons: BTreeMap<u16, Box<str>>,
    pub(super) page: Page,
    pub(super) methods: BTreeSet<Method>,
    pub(super) refused: BTreeSet<Method>,
    pub(super) allow: Box<str>,
    pub(super) options: bool,
    pub(super) rules: Rules,
    /// In the order of [`Flaw::ALL`].
    pub(super) treatments: Vec<Treatment>,
    pub(super) persistence: Persistence,
    pub(super) delay: (Duration, Duration),
    pub(super) delays: BTreeMap<u16, (Duration, Duration)>,
    pub(super) expect: bool,
    pub(super) ranges: bool,
    pub(super) conditional: bool,
    pub(super) login: Login,
}

/// The page that the server shows by itself.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// With `{status}` and its like in it.
    pub(super) text: Box<str>,
    pub(super) media: Arc<str>,
}

/// How long a connection lasts.
#[derive(Debug)]
pub(super) struct Persistence {
    pub(super) requests: u32,
    pub(super) idle: Option<Duration>,
    pub(super) request: Option<Duration>,
    pub(super) old: bool,
    pub(super) always: bool,
    pub(super) word: Box<str>,
    /// What the field `Keep-Alive` says, with `{idle}` and `{left}` in it.
    pub(super) parameters: Option<Box<str>>,
}

impl Server {
    pub(super) const fn longest_message(&self) -> usize {
        let limits = &self.rules.limits;
        // Chunks may take more room than what they hold.
        limits.head.saturating_mul(2).saturating_add(limits.body.saturating_mul(2))
    }

    /// What becomes of a flaw.
    pub(super) fn treatment(&self, flaw: Flaw) -> Treatment {
        self.treatments.get(flaw as usize).copied().unwrap_or(flaw.usual())
    }

    /// The reason phrase of a status.
    pub(super) fn reason(&self, status: u16) -> &str {
        match self.reasons.get(&status) {
            Some(own) => own,
            None => reason(status),
        }
    }

    /// The server's own page, for an answer that has none.
    pub(super) fn page(&self, answer: &mut Answer, request: Option<&Request<'_>>, local: IpAddr) {
        let status = answer.status;
        if status < 300
            || status == 304
            || !answer.body.is_empty()
            || answer.media.is_some()
            || self.page.text.is_empty()
        {
            return;
        }
        let location =
            answer.more.iter().chain(&*answer.fields).find(|(name, _)| name.eq_ignore_ascii_case("location"));
        let values = [
            ("{status}", status.to_string()),
            ("{reason}", answer.reason.as_deref().unwrap_or_else(|| self.reason(status)).to_owned()),
            ("{server}", local.to_canonical().to_string()),
            ("{location}", location.map_or_else(String::new, |(_, place)| escaped(place))),
            // Last, for it is what the peer wrote.
            ("{path}", request.map_or_else(String::new, |request| escaped(&request.path))),
        ];
        let fill = |text: String, (name, value): &(&str, String)| text.replace(name, value);
        answer.body = Content::new(values.iter().fold(self.page.text.to_string(), fill).into_bytes());
        answer.media = Some(self.page.media.clone());
    }

    /// How long the answer with this status takes, at least and at most.
    pub(super) fn delay(&self, status: u16) -> (Duration, Duration) {
        self.delays.get(&status).copied().unwrap_or(self.delay)
    }
}

/// Text as HTML has it.
fn escaped(text: &str) -> String {
    let mut html = String::new();
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            character => html.push(character),
        }
    }
    html
}

/// The reason phrases of RFC 9110 §15, RFC 6585 and RFC 2518.
pub(super) const fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "",
    }
}
