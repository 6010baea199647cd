//! The `[http]` table of a profile. Apart, because it is what operators read: each line of documentation here stands in the
//! JSON Schema too. Dialects are tables of the same form, over which a profile's is laid.

use super::pages::{Pages, Routes};
use honeyplant_core::settings::{Period, Size};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};
use toml::Spanned;

/// HTTP as one device offers it. What is not said here is as in its dialect.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Settings {
    /// The family of servers that it belongs to.
    pub(super) dialect: Dialect,
    /// The version that its answers are in.
    pub(super) version: Option<Spoken>,
    /// That of answers with a status of 400 and up, if it differs.
    pub(super) error_version: Option<Spoken>,
    /// The header fields of every answer, as pairs of name and value, in their order and spelling. A field is left out if
    /// the answer has nothing for what stands in braces: `{date}` (RFC 9110's form), `{asctime}` (that of C), `{ASCTIME}`
    /// (that of VxWorks, in capitals), `{length}`, `{type}`, `{connection}`, `{keep-alive}`, `{coding}`, `{modified}`, `{tag}`,
    /// `{ranges}`, `{range}`, `{allow}`,
    /// `{challenge}`. What `[identity]` draws is put in, too. The fields of a page stand where `["*", ""]` does, or last.
    #[schemars(with = "Option<Vec<(String, String)>>")]
    pub(super) headers: Option<Vec<Spanned<(String, String)>>>,
    /// Those of answers with a status of 400 and up, if they differ.
    #[schemars(with = "Option<Vec<(String, String)>>")]
    pub(super) error_headers: Option<Vec<Spanned<(String, String)>>>,
    /// What such answers have behind their content, and their length does not count. The connection ends with it.
    pub(super) error_tail: Option<String>,
    /// Reason phrases by status, where they are not those of the RFCs. With an empty one there is no blank behind the status.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) reasons: BTreeMap<Spanned<String>, String>,
    /// The page that the server shows with a status of 300 and up, where the profile has none: `{status}`, `{reason}`,
    /// `{path}`, `{location}`, `{server}` (the address that was spoken to) and what `[identity]` draws are put in.
    #[schemars(with = "Option<String>")]
    pub(super) page: Option<Spanned<String>>,
    /// The media type of that page.
    pub(super) page_type: Option<String>,
    /// The methods that it has, of `GET`, `HEAD`, `POST`, `PUT`, `DELETE`, `CONNECT`, `OPTIONS`, `TRACE`, `PATCH`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) methods: Option<Vec<Spanned<String>>>,
    /// The methods that it knows and does not have: flawed by `refused-method`, not `unknown-method`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) refused: Option<Vec<Spanned<String>>>,
    /// What `Allow` says, if it is not the list of its methods.
    pub(super) allow: Option<String>,
    /// Whether methods may be spelled in any case.
    pub(super) any_case: Option<bool>,
    /// Whether OPTIONS is answered by the server for every path; it is a matter of pages otherwise.
    pub(super) options: Option<bool>,
    /// What becomes of flawed requests, by the name of the flaw: a status; `"ignore"`, if it is put up with; `"bare"` or
    /// `"bare 404"`, if the page is sent without status line and header fields; `"close"`, if the connection ends.
    #[schemars(with = "BTreeMap<String, Treated>")]
    pub(super) errors: BTreeMap<Spanned<String>, Spanned<Treated>>,
    /// How much it takes.
    pub(super) limits: Limits,
    /// How long a connection lasts.
    pub(super) keep_alive: KeepAlive,
    /// How long an answer takes, if no page says otherwise: a time, or two to choose between.
    pub(super) delay: Option<Delay>,
    /// The same by status.
    #[schemars(with = "BTreeMap<String, Delay>")]
    pub(super) delays: BTreeMap<Spanned<String>, Delay>,
    /// Whether those who send `Expect: 100-continue` are told to go on.
    pub(super) expect: Option<bool>,
    /// Whether parts of a page can be asked for.
    pub(super) ranges: Option<bool>,
    /// Whether requests can be conditional: `If-None-Match` and its like.
    pub(super) conditional: Option<bool>,
    /// How people log in.
    pub(super) login: Login,
    /// What stands at which path.
    pub(super) routes: Routes,
    /// What all pages share.
    pub(super) pages: Pages,
}

/// A family of servers: its fields, and what it puts up with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Dialect {
    /// What the RFCs ask for.
    #[default]
    Plain,
    /// GoAhead 2, in many controllers, gateways and switches.
    Goahead,
    /// RomPager by Allegro, in network modules, power supplies and meters.
    Allegro,
    /// The server of S7-300 and S7-400 CPUs and of their communication processors.
    SiemensCp,
    /// The server of Modicon's Ethernet modules and CPUs.
    Schneider,
    /// lighttpd, on Linux devices: panels, gateways, recorders.
    Lighttpd,
}

/// The version that answers are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum Spoken {
    /// HTTP/1.0, whatever was asked in.
    #[serde(rename = "1.0")]
    Old,
    /// HTTP/1.1, whatever was asked in.
    #[serde(rename = "1.1")]
    New,
    /// That of the request.
    #[serde(rename = "request")]
    Request,
}

/// What becomes of a flaw: a status, or a word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Treated {
    /// This status.
    Status(u16),
    /// `ignore`, `close`, `bare` or `bare 404`.
    Word(String),
}

/// A length of time, or two to choose between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Delay {
    /// Always as long.
    Exact(Period),
    /// At least the first, at most the second.
    Between(Period, Period),
}

impl Delay {
    /// The least and the most.
    pub(super) fn bounds(self) -> (Duration, Duration) {
        match self {
            Self::Exact(Period(time)) => (time, time),
            Self::Between(Period(one), Period(other)) => (one.min(other), one.max(other)),
        }
    }
}

/// How much a server takes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// Octets of a request line.
    #[schemars(with = "Option<Size>")]
    pub(super) line: Option<Spanned<Size>>,
    /// Octets of the request line and all header fields.
    #[schemars(with = "Option<Size>")]
    pub(super) head: Option<Spanned<Size>>,
    /// How many header fields.
    pub(super) fields: Option<u16>,
    /// Octets of content.
    #[schemars(with = "Option<Size>")]
    pub(super) body: Option<Spanned<Size>>,
}

/// How long a connection lasts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct KeepAlive {
    /// How many requests it takes over one; with 1 it never goes on.
    pub(super) requests: Option<u32>,
    /// For how long it waits for the next one. Without it, as long as the site does.
    pub(super) idle: Option<Period>,
    /// For how long it waits for the first one, and for the end of each. Without it, as long as the site does.
    pub(super) request: Option<Period>,
    /// Whether it goes on for those of HTTP/1.0 who ask for it.
    pub(super) old: Option<bool>,
    /// Whether `{connection}` is said each time, or only where it differs from what the version means by itself.
    pub(super) always: Option<bool>,
    /// The word for a connection that goes on.
    pub(super) word: Option<String>,
    /// What `{keep-alive}` says; `{idle}` is the seconds, `{left}` how many requests more it takes.
    pub(super) parameters: Option<String>,
}

/// How people log in.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Login {
    /// How they say who they are.
    pub(super) kind: Option<LoginKind>,
    /// The realm, where a page has none of its own.
    #[schemars(with = "Option<String>")]
    pub(super) realm: Option<Spanned<String>>,
    /// With `digest`: the hash.
    pub(super) algorithm: Option<Algorithm>,
    /// With `digest`: the form of nonces, as in `[identity]`.
    #[schemars(with = "Option<String>")]
    pub(super) nonce: Option<Spanned<String>>,
    /// With `digest`: how long a nonce is good for.
    pub(super) nonce_life: Option<Period>,
    /// With `digest`: whether `qop="auth"` is asked for, as since RFC 2617.
    pub(super) qop: Option<bool>,
    /// With `digest`: `opaque`; what `[identity]` draws is put in.
    #[schemars(with = "Option<String>")]
    pub(super) opaque: Option<Spanned<String>>,
    /// With `basic`: the character set that is told.
    pub(super) charset: Option<String>,
    /// The challenge in words of its own, with `{realm}`, `{nonce}`, `{opaque}`, `{algorithm}`, `{stale}`.
    #[schemars(with = "Option<String>")]
    pub(super) challenge: Option<Spanned<String>>,
    /// The name of the cookie that holds a session begun with a form.
    pub(super) cookie: Option<String>,
    /// The form of its value, as in `[identity]`.
    #[schemars(with = "Option<String>")]
    pub(super) token: Option<Spanned<String>>,
    /// What follows it in `Set-Cookie`, such as `Path=/; HttpOnly`.
    pub(super) attributes: Option<String>,
    /// After which silence such a session ends.
    pub(super) session_life: Option<Period>,
    /// How many there are at most; the one that was silent longest gives way.
    pub(super) sessions: Option<u16>,
}

/// How people say who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LoginKind {
    /// With a form of a page; a cookie holds the session.
    #[default]
    Form,
    /// With name and password in a header field (RFC 7617).
    Basic,
    /// With a hash of both (RFC 7616).
    Digest,
}

/// The hash of digest logins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum Algorithm {
    /// MD5
    #[default]
    #[serde(rename = "MD5")]
    Md5,
    /// SHA-256
    #[serde(rename = "SHA-256")]
    Sha256,
}
