//! Requests as they come. RFC 9110 and RFC 9112 (2022), with RFC 1945 (1996) for HTTP/1.0 and 0.9. Apart, because nothing
//! here knows a device.

use super::flaw::{Flaw, Flaws};
use honeyplant_core::files::from_octets;
use smallvec::SmallVec;
use std::borrow::Cow;

/// One request. What is borrowed stands in the input.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// The method as it was spelled.
    pub(super) spelling: &'a [u8],
    /// The target as it was spelled: path and query, an absolute URI, an authority or `*`.
    pub(super) target: &'a [u8],
    /// The path with its percent-encoding undone, and nothing else: it may hold `//` and `..`. Octets that are no UTF-8 are
    /// as `honeyplant_core::files::from_octets` has them.
    pub(super) path: Cow<'a, str>,
    /// What stands behind the first `?`, as it was spelled.
    pub(super) query: Option<&'a [u8]>,
    pub(super) version: Version,
    /// The header fields in their order: names as they were spelled, values without blanks around them.
    pub(super) fields: SmallVec<[Field<'a>; 12]>,
    /// The content, with its chunks put together.
    pub(super) body: Cow<'a, [u8]>,
    /// What is wrong with it.
    pub(super) flaws: Flaws,
    /// What of that the server does not put up with.
    pub(super) refused: Option<Flaw>,
}

/// A header field: name and value.
type Field<'a> = (&'a [u8], Cow<'a, [u8]>);

/// What is to be done with a resource (RFC 9110 §9.3, RFC 5789).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
    Other,
}

/// The version of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u8,
    pub(super) minor: u8,
}

/// How many octets and fields a server takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Of the request line.
    pub(super) line: usize,
    /// Of all before the content.
    pub(super) head: usize,
    /// How many fields.
    pub(super) fields: usize,
    /// Of the content.
    pub(super) body: usize,
}

/// What a server puts up with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) limits: Limits,
    pub(super) ignored: Flaws,
    /// Whether methods may be spelled in any case.
    pub(super) any_case: bool,
}

impl Method {
    /// All that have a name here.
    pub(super) const ALL: [Self; 9] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Delete,
        Self::Connect,
        Self::Options,
        Self::Trace,
        Self::Patch,
    ];

    /// As it is spelled (RFC 9110 §9.1: in capitals, and no other way).
    pub(super) const fn spelling(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Other => "",
        }
    }

    /// As the record has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Head => "head",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::Connect => "connect",
            Self::Options => "options",
            Self::Trace => "trace",
            Self::Patch => "patch",
            Self::Other => "other",
        }
    }

    pub(super) fn parse(spelling: &[u8], any_case: bool) -> Self {
        let is = |method: &Self| match any_case {
            true => method.spelling().as_bytes().eq_ignore_ascii_case(spelling),
            false => method.spelling().as_bytes() == spelling,
        };
        Self::ALL.into_iter().find(is).unwrap_or(Self::Other)
    }
}

impl Version {
    /// That of a request that names none.
    pub(super) const SIMPLE: Self = Self { major: 0, minor: 9 };

    /// Reads `HTTP/1.1` (RFC 9112 §2.3).
    fn parse(text: &[u8]) -> Option<Self> {
        match text.strip_prefix(b"HTTP/")? {
            [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => Some(Self { major: major - b'0', minor: minor - b'0' }),
            _ => None,
        }
    }

    /// Whether the connection goes on unless somebody says otherwise (RFC 9112 §9.3).
    pub(super) const fn is_persistent(self) -> bool {
        self.major > 1 || self.major == 1 && self.minor >= 1
    }
}

impl<'a> Request<'a> {
    /// The value of the first field of this name, in any case.
    pub(super) fn field(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// The values of all fields of this name.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let is = move |known: &[u8]| known.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(move |(known, _)| is(known)).map(|(_, value)| &**value)
    }

    /// The members of a list that fields of this name hold, without blanks around them (RFC 9110 §5.6.1).
    pub(super) fn members(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let members = self.values(name).flat_map(|value| value.split(|byte| *byte == b','));
        members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
    }

    /// Whether such a list has this word, in any case.
    pub(super) fn says(&self, name: &str, word: &str) -> bool {
        self.members(name).any(|member| member.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Reads a request line, without its end. The error is why it is none.
    pub(super) fn line(line: &'a [u8], rules: &Rules) -> Result<Self, Flaw> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (spelling, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
        let rest = rest.trim_ascii();
        if spelling.is_empty() || rest.is_empty() || !spelling.iter().copied().all(is_token) {
            return Err(Flaw::Garbage);
        }
        let cut = rest.iter().rposition(|byte| *byte == b' ');
        let (target, last) = cut.and_then(|cut| rest.split_at_checked(cut)).unwrap_or((rest, b""));
        let (mut target, last) = (target.trim_ascii_end(), last.trim_ascii());
        let method = Method::parse(spelling, rules.any_case);
        let unread = Version { major: 1, minor: 0 };
        let (version, flaw) = match Version::parse(last) {
            Some(Version { major: 2, .. }) if spelling == b"PRI" => return Err(Flaw::Preface),
            Some(version) if version.major != 1 => (version, Some(Flaw::Future)),
            Some(version) => (version, None),
            None if last.is_empty() && target.starts_with(b"HTTP/") => return Err(Flaw::Garbage),
            None if last.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"HTTP/")) => {
                (unread, Some(Flaw::Version))
            }
            None if is_protocol(last) && rules.ignored.contains(Flaw::Protocol) => (unread, Some(Flaw::Protocol)),
            None if is_protocol(last) => return Err(Flaw::Protocol),
            // RFC 1945 §4.1; what else is in the line belongs to the target.
            None if method == Method::Get => {
                target = rest;
                (Version::SIMPLE, Some(Flaw::Simple))
            }
            None => return Err(Flaw::Garbage),
        };
        let (path, query) = split(target);
        let (path, is_whole) = decode(path);
        let wrong = target.iter().any(|byte| *byte <= b' ' || *byte >= 127);
        let (fields, body) = (SmallVec::new(), Cow::Borrowed(&b""[..]));
        let (flaws, refused) = (Flaws::default(), None);
        let above = is_above_root(&path);
        let mut request = Self { method, spelling, target, path, query, version, fields, body, flaws, refused };
        flaw.iter().for_each(|flaw| request.bear(*flaw, rules));
        for (flaw, is_there) in [(Flaw::Target, wrong), (Flaw::Encoding, !is_whole), (Flaw::AboveRoot, above)] {
            if is_there {
                request.bear(flaw, rules);
            }
        }
        Ok(request)
    }

    /// Takes the lines of the header fields, which end with the empty one (RFC 9112 §5).
    pub(super) fn take_fields(&mut self, lines: &'a [u8], rules: &Rules) {
        for line in lines.split(|byte| *byte == b'\n') {
            let Some(line) = line.strip_suffix(b"\r").or_else(|| (!line.is_empty()).then_some(line)) else { continue };
            if line.is_empty() {
                continue;
            }
            if let [b' ' | b'\t', ..] = line {
                match self.fields.last_mut() {
                    Some((_, value)) => {
                        // RFC 9112 §5.2: as if it were one blank.
                        let value = value.to_mut();
                        value.push(b' ');
                        value.extend(line.trim_ascii());
                        self.bear(Flaw::Folded, rules);
                    }
                    None => self.bear(Flaw::Field, rules),
                }
                continue;
            }
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                self.bear(Flaw::Field, rules);
                continue;
            };
            let (name, value) = line.split_at_checked(colon).unwrap_or_default();
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if name.ends_with(b" ") || name.ends_with(b"\t") {
                self.bear(Flaw::SpaceBeforeColon, rules);
            }
            let name = name.trim_ascii_end();
            if name.is_empty() || !name.iter().copied().all(is_token) {
                self.bear(Flaw::Field, rules);
                continue;
            }
            if value.iter().any(|byte| *byte < b' ' && *byte != b'\t' || *byte == 127) {
                self.bear(Flaw::Value, rules);
            }
            if self.fields.len() >= rules.limits.fields {
                return self.bear(Flaw::ManyFields, rules);
            }
            self.fields.push((name, Cow::Borrowed(value)));
        }
        // RFC 9112 §3.2
        match self.values("host").count() {
            0 if self.version.is_persistent() => self.bear(Flaw::NoHost, rules),
            0 | 1 => {}
            _ => self.bear(Flaw::ManyHosts, rules),
        }
    }

    /// Notes a flaw.
    pub(super) fn bear(&mut self, flaw: Flaw, rules: &Rules) {
        self.flaws.insert(flaw);
        if !rules.ignored.contains(flaw) {
            self.refused.get_or_insert(flaw);
        }
    }
}

/// Path and query of a target in any of its forms (RFC 9112 §3.2).
fn split(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    // A fragment has no place in a target; who sends one means a part of what is answered.
    let end = target.iter().position(|byte| *byte == b'#').unwrap_or(target.len());
    let target = target.get(..end).unwrap_or(target);
    let (whole, query) = match target.iter().position(|byte| *byte == b'?') {
        Some(at) => (target.get(..at).unwrap_or_default(), target.get(at + 1..)),
        None => (target, None),
    };
    if whole.starts_with(b"/") {
        return (whole, query);
    }
    let scheme = whole.windows(3).position(|three| three == b"://");
    let Some(authority) = scheme.and_then(|at| whole.get(at + 3..)) else { return (whole, query) };
    let path = authority.iter().position(|byte| *byte == b'/').and_then(|at| authority.get(at..));
    (path.unwrap_or(b"/"), query)
}

/// A path without its percent-encoding (RFC 3986 §2.1), and whether all of that was some.
fn decode(path: &[u8]) -> (Cow<'_, str>, bool) {
    if path.contains(&b'%') {
        let (octets, is_whole) = unescape(path);
        return (from_octets(&octets).into(), is_whole);
    }
    (str::from_utf8(path).map_or_else(|_| from_octets(path).into(), Cow::Borrowed), true)
}

/// Octets without their percent-encoding, and whether all of it was some. What encodes a NUL is none.
pub(super) fn unescape(text: &[u8]) -> (Vec<u8>, bool) {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut octets, mut at, mut is_whole) = (Vec::with_capacity(text.len()), 0, true);
    while let Some(byte) = text.get(at) {
        match (*byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) if high + low > 0 => {
                octets.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                is_whole &= byte != b'%';
                octets.push(byte);
                at += 1;
            }
        }
    }
    (octets, is_whole)
}

fn is_above_root(path: &str) -> bool {
    if !path.contains("..") {
        return false;
    }
    let mut depth = 0_i32;
    path.split(['/', '\\']).filter(|name| !name.is_empty() && *name != ".").any(|name| {
        depth += if name == ".." { -1 } else { 1 };
        depth < 0
    })
}

/// RFC 9110 §5.6.2
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// Whether it is written as `RTSP/1.0` and `SIP/2.0` are.
fn is_protocol(text: &[u8]) -> bool {
    let Some(slash) = text.iter().position(|byte| *byte == b'/') else { return false };
    let (name, version) = text.split_at_checked(slash).unwrap_or_default();
    let is_version = matches!(version, [b'/', b'0'..=b'9', b'.', b'0'..=b'9']);
    is_version && !name.is_empty() && name.iter().all(u8::is_ascii_uppercase)
}
