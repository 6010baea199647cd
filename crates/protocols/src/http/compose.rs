//! An answer made of what is to be said: the part that is wanted, its framing, its head. Apart, because it is the same for
//! pages, for refusals and for what the server says by itself.

use super::{
    answer::{Answer, Field, Framing},
    head::{self, Told, Values},
    range::{self, Part},
    server::Server,
    settings::{LoginKind, Spoken},
    wire::{Method, Request, Version},
};
use honeyplant_core::{conversation::Context, files::Content};
use std::{io::Write as _, ops::Range};

/// How the connection is to go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going {
    /// Whether it goes on as far as the peer and the server's rules are concerned.
    pub(super) on: bool,
    /// How many requests more it takes.
    pub(super) left: u32,
    /// Whether the peer is challenged anew though it knows the secret.
    pub(super) stale: bool,
}

/// What was said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    /// How many octets of content.
    pub(super) sent: u64,
    /// Whether the connection goes on.
    pub(super) on: bool,
}

/// Which part of an answer is sent.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// These octets of its content; all without it.
    part: Option<Range<usize>>,
    /// What `Content-Range` tells.
    range: String,
}

/// Leaves of an answer what `request` wants of it.
pub(super) fn narrow(server: &Server, request: &Request<'_>, answer: &mut Answer, cx: &mut Context<'_>) -> Cut {
    let mut cut = Cut::default();
    if answer.status != 200 || !matches!(request.method, Method::Get | Method::Head) {
        return cut;
    }
    let whole = answer.body.len();
    let refusal = match part(server, request, answer) {
        Part::Whole => return cut,
        Part::NotModified => 304,
        Part::Failed => 412,
        Part::Unsatisfiable => {
            cut.range = format!("bytes */{whole}");
            416
        }
        Part::Ranges(ranges) => {
            answer.status = 206;
            match ranges.as_slice() {
                [one] => {
                    cut.range = told(one, whole);
                    cut.part = Some(one.clone());
                }
                several => {
                    let boundary = format!("{:016x}", cx.random.bits());
                    answer.body = Content::new(parts(several, answer, &boundary));
                    answer.media = Some(format!("multipart/byteranges; boundary={boundary}").into());
                }
            }
            return cut;
        }
    };
    (answer.status, answer.reason, answer.media) = (refusal, None, None);
    (answer.body, answer.framing) = (Content::default(), Framing::Length);
    cut
}

/// Appends the answer to `request`; none if what came was no request.
pub(super) fn compose(
    server: &Server,
    request: Option<&Request<'_>>,
    answer: &Answer,
    cut: &Cut,
    going: Going,
    cx: &mut Context<'_>,
    out: &mut Vec<u8>,
) -> Said {
    let method = request.map_or(Method::Get, |request| request.method);
    let version = request.map_or(Version { major: 1, minor: 0 }, |request| request.version);
    let (status, part) = (answer.status, cut.part.clone().unwrap_or(0..answer.body.len()));
    let content = answer.body.get(part).unwrap_or_default();
    // RFC 9110 §6.4.1
    let bodiless = matches!(status, 100..=199 | 204 | 304);
    let silent = bodiless || method == Method::Head;
    // Whoever is refused is told so in full, even if it asked in HTTP/0.9.
    if version.major == 0 && request.is_some_and(|request| request.refused.is_none()) {
        out.extend_from_slice(content);
        return Said { status, sent: content.len() as u64, on: false };
    }
    let (head, own_version, tail) = match status {
        ..400 => (&server.head, server.version, ""),
        _ => (&server.error_head, server.error_version, &*server.error_tail),
    };
    let chunks = match &answer.framing {
        Framing::Chunked { sizes, trailers } if version.is_persistent() && own_version != Spoken::Old && !bodiless => {
            Some((sizes, trailers))
        }
        _ => None,
    };
    let measured = chunks.is_none() && !bodiless && head.tells(Told::Length);
    // What no length counts would be the begin of the next answer.
    let ends = silent || tail.is_empty() && (measured || chunks.is_some());
    let on = going.on && !answer.close && ends;
    let challenge = match (&answer.realm, status) {
        (Some(realm), 401) if server.login.kind != LoginKind::Form => {
            let realm = if realm.is_empty() { &server.login.realm } else { &**realm };
            server.login.challenge(realm, going.stale, cx)
        }
        _ => String::new(),
    };
    let keep = &server.persistence;
    let parameters = keep.parameters.as_ref().filter(|_| on).map_or_else(String::new, |text| {
        let idle = keep.idle.map_or(0, |idle| idle.as_secs());
        text.replace("{idle}", &idle.to_string()).replace("{left}", &going.left.to_string())
    });
    let spoken = match own_version {
        Spoken::Old => "HTTP/1.0",
        Spoken::New => "HTTP/1.1",
        Spoken::Request if version.is_persistent() => "HTTP/1.1",
        Spoken::Request => "HTTP/1.0",
    };
    let reason = answer.reason.as_deref().unwrap_or_else(|| server.reason(status));
    // RFC 9112 §4 wants the blank even before no reason.
    let blank = if reason.is_empty() && server.reasons.contains_key(&status) { "" } else { " " };
    // Writing to a buffer cannot fail.
    let _ = write!(out, "{spoken} {status}{blank}{reason}\r\n");
    let validated = status < 300 || status == 304;
    let trailer = chunks.map_or_else(String::new, |(_, trailers)| {
        trailers.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(", ")
    });
    let values = Values {
        now: cx.session.device.clock(cx.now),
        modified: answer.modified.filter(|_| validated),
        length: measured.then_some(content.len()),
        media: answer.media.as_deref().filter(|_| !bodiless).unwrap_or_default(),
        connection: match (on, keep.always || !version.is_persistent()) {
            (false, _) => "close",
            (true, true) => &keep.word,
            (true, false) => "",
        },
        keep_alive: &parameters,
        coding: if chunks.is_some() { "chunked" } else { "" },
        trailer: &trailer,
        tag: answer.tag.as_deref().filter(|_| validated).unwrap_or_default(),
        ranges: if answer.ranges && server.ranges && status < 300 { "bytes" } else { "" },
        range: &cut.range,
        allow: if status == 405 || method == Method::Options && status < 300 { &server.allow } else { "" },
        challenge: &challenge,
    };
    head.write(&values, answer.fields.iter().chain(&answer.more), out);
    if silent {
        return Said { status, sent: 0, on };
    }
    match chunks {
        Some((sizes, trailers)) => write_chunks(content, sizes, trailers, out),
        None => out.extend_from_slice(content),
    }
    out.extend_from_slice(tail.as_bytes());
    Said { status, sent: content.len().saturating_add(tail.len()) as u64, on }
}

fn part(server: &Server, request: &Request<'_>, answer: &Answer) -> Part {
    if server.conditional && (answer.tag.is_some() || answer.modified.is_some()) {
        match range::conditions(request, answer) {
            Part::Whole => {}
            part => return part,
        }
    }
    // RFC 9110 §14.2: only GET has ranges.
    if server.ranges && answer.ranges && request.method == Method::Get {
        range::ranges(request, answer)
    } else {
        Part::Whole
    }
}

/// A range as `Content-Range` tells it (RFC 9110 §14.4).
fn told(range: &Range<usize>, of: usize) -> String {
    format!("bytes {}-{}/{of}", range.start, range.end.saturating_sub(1))
}

/// Several ranges as one content (RFC 9110 §14.6).
fn parts(ranges: &[Range<usize>], answer: &Answer, boundary: &str) -> Vec<u8> {
    let body: &Content = &answer.body;
    let mut octets = Vec::new();
    for range in ranges {
        octets.extend(format!("\r\n--{boundary}\r\n").bytes());
        answer.media.iter().for_each(|media| head::field("Content-Type", media, &mut octets));
        head::field("Content-Range", &told(range, body.len()), &mut octets);
        octets.extend(b"\r\n");
        octets.extend_from_slice(body.get(range.clone()).unwrap_or_default());
    }
    octets.extend(format!("\r\n--{boundary}--\r\n").bytes());
    octets
}

/// Appends content in chunks (RFC 9112 §7.1).
fn write_chunks(mut content: &[u8], sizes: &[usize], trailers: &[Field], out: &mut Vec<u8>) {
    let mut sizes = sizes.iter().copied();
    while !content.is_empty() {
        let size = sizes.next().unwrap_or(content.len()).clamp(1, content.len());
        let (chunk, rest) = content.split_at_checked(size).unwrap_or((content, &[]));
        let _ = write!(out, "{size:X}\r\n");
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
        content = rest;
    }
    out.extend_from_slice(b"0\r\n");
    trailers.iter().for_each(|(name, value)| head::field(name, value, out));
    out.extend_from_slice(b"\r\n");
}
