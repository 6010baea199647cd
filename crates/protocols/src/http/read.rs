//! The next request in what has come, and how much of it is still to come. Apart from `wire.rs`, because it remembers where
//! it is: what comes octet by octet is not read from its beginning each time.

use super::{
    flaw::Flaw,
    wire::{Method, Request, Rules},
};
use std::borrow::Cow;

/// How far a request has been read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// A part of a request is there.
    begun: bool,
    /// So many octets have been looked through for the end of the head.
    seen: usize,
    /// Where the request line ends.
    line: Option<usize>,
    /// A line ended with LF alone.
    bare: bool,
    /// Where the content begins.
    head: Option<usize>,
    /// Nothing changes before so many octets are there.
    need: usize,
    /// Who hesitated has been told to go on.
    told: bool,
    chunks: Chunks,
}

/// How far chunks have been read.
#[derive(Clone, Copy, Debug, Default)]
struct Chunks {
    /// Where the next chunk begins, behind the head.
    at: usize,
    /// How many octets of content those before it hold.
    content: usize,
    /// The last one has been there.
    last: bool,
}

/// What is at the front of the input.
#[derive(Debug)]
pub(super) enum Front<'a> {
    /// No whole request yet.
    Nothing,
    /// The head of a request with content, and who sends it waits to be told to go on (RFC 9110 §10.1.1). It is looked for
    /// again at once: the content may have come with it.
    Hesitant,
    /// A request, and how many octets it took.
    Whole(Request<'a>, usize),
    /// So many octets have this flaw; with as much of the request as was understood.
    Broken(Flaw, Option<Request<'a>>, usize),
}

/// How the end of the content is told.
enum Ends {
    After(usize),
    InChunks,
}

impl Reader {
    /// Whether a part of a request is there.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Looks for a request.
    pub(super) fn next<'a>(&mut self, input: &'a [u8], rules: &Rules) -> Front<'a> {
        self.begun = true;
        if input.len() < self.need {
            return Front::Nothing;
        }
        let front = match self.find_head(input, rules) {
            Ok(Some(head)) => self.with_head(input, head, rules),
            Ok(None) => Front::Nothing,
            Err((flaw, length)) => {
                let line = self.line.filter(|_| flaw == Flaw::LongFields).and_then(|line| input.get(..line));
                Front::Broken(flaw, line.and_then(|line| Request::line(line, rules).ok()), length)
            }
        };
        if !matches!(front, Front::Nothing | Front::Hesitant) {
            *self = Self::default();
        }
        front
    }

    /// Where the head ends. What is wrong already is told at once: servers do not wait for the rest of noise.
    fn find_head(&mut self, input: &[u8], rules: &Rules) -> Result<Option<usize>, (Flaw, usize)> {
        if self.head.is_some() {
            return Ok(self.head);
        }
        match input {
            // A TLS record: its length stands at its fourth octet (RFC 8446 §5.1).
            [0x16, rest @ ..] => {
                self.need = match rest {
                    [_, _, high, low, ..] => 5 + usize::from(u16::from_be_bytes([*high, *low])),
                    _ => 5,
                };
                let length = self.need.max(5).min(rules.limits.head);
                self.need = length;
                return if input.len() < length { Ok(None) } else { Err((Flaw::Tls, length)) };
            }
            [b'\n', ..] => return Err((Flaw::EmptyLine, 1)),
            [b'\r', b'\n', ..] => return Err((Flaw::EmptyLine, 2)),
            _ => {}
        }
        let limits = &rules.limits;
        while let Some(ahead) = input.get(self.seen..) {
            let Some(at) = ahead.iter().position(|byte| *byte == b'\n') else { break };
            let (begins, ends) = (self.seen, self.seen + at);
            if ends >= limits.head || self.line.is_none() && ends >= limits.line {
                break;
            }
            self.seen = ends + 1;
            self.bare |= !input.get(begins..ends).is_some_and(|line| line.ends_with(b"\r"));
            if self.line.is_none() {
                self.line = Some(ends);
                let line = input.get(..ends).unwrap_or_default();
                match Request::line(line, rules) {
                    // RFC 1945 §4.1: nothing follows the line.
                    Ok(request) if request.version.major == 0 => {
                        self.head = Some(self.seen);
                        return Ok(self.head);
                    }
                    Ok(_) => {}
                    Err(flaw) => return Err((flaw, self.seen)),
                }
            } else if matches!(input.get(begins..ends), Some([] | [b'\r'])) {
                self.head = Some(self.seen);
                return Ok(self.head);
            }
        }
        let unseen = input.get(self.seen..).unwrap_or_default();
        match self.line {
            None if input.len() >= limits.line && !unseen.is_empty() => {
                Err((Flaw::LongLine, limits.line.min(input.len())))
            }
            Some(_) if input.len() >= limits.head => Err((Flaw::LongFields, limits.head.min(input.len()))),
            _ => Ok(None),
        }
    }

    fn with_head<'a>(&mut self, input: &'a [u8], head: usize, rules: &Rules) -> Front<'a> {
        let line = self.line.unwrap_or_default();
        let mut request = match Request::line(input.get(..line).unwrap_or_default(), rules) {
            Ok(request) => request,
            Err(flaw) => return Front::Broken(flaw, None, head),
        };
        if self.bare {
            request.bear(Flaw::BareLf, rules);
        }
        let ends = if request.version.major == 0 {
            Ends::After(0)
        } else {
            request.take_fields(input.get(line + 1..head).unwrap_or_default(), rules);
            ends_of(&mut request, rules)
        };
        if let Some(flaw) = request.refused {
            return Front::Broken(flaw, Some(request), head);
        }
        let behind = input.get(head..).unwrap_or_default();
        let hesitates = request.version.is_persistent() && request.says("expect", "100-continue");
        if hesitates && !self.told && !matches!(ends, Ends::After(0)) {
            self.told = true;
            return Front::Hesitant;
        }
        let whole = match ends {
            Ends::After(length) if behind.len() >= length => {
                request.body = Cow::Borrowed(behind.get(..length).unwrap_or_default());
                return Front::Whole(request, head + length);
            }
            Ends::After(length) => {
                self.need = head + length;
                None
            }
            Ends::InChunks => match self.chunks.advance(behind, rules) {
                Ok(whole) => whole,
                Err(flaw) => {
                    let length = head + self.chunks.at;
                    return Front::Broken(flaw, Some(request), length.clamp(1, input.len()));
                }
            },
        };
        match whole {
            Some(length) => {
                request.body = Cow::Owned(content(behind, self.chunks.content));
                Front::Whole(request, head + length)
            }
            None => Front::Nothing,
        }
    }
}

impl Chunks {
    /// Reads on; says how long all of them are with the trailers, once the last one is there (RFC 9112 §7.1).
    fn advance(&mut self, input: &[u8], rules: &Rules) -> Result<Option<usize>, Flaw> {
        /// A size with its extensions, or a trailer.
        const LINE: usize = 1024;
        let limits = &rules.limits;
        loop {
            let rest = input.get(self.at..).unwrap_or_default();
            let Some(end) = rest.iter().take(LINE).position(|byte| *byte == b'\n') else {
                return if rest.len() >= LINE { Err(Flaw::Chunk) } else { Ok(None) };
            };
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if self.last {
                self.at += end + 1;
                if line.is_empty() {
                    return Ok(Some(self.at));
                }
                if self.at > limits.body.saturating_mul(2).saturating_add(limits.head) {
                    return Err(Flaw::LongFields);
                }
                continue;
            }
            let size = size(line).ok_or(Flaw::Chunk)?;
            if self.content.saturating_add(size) > limits.body {
                return Err(Flaw::Large);
            }
            if size == 0 {
                (self.last, self.at) = (true, self.at + end + 1);
                continue;
            }
            let behind = end + 1 + size;
            let gap = match rest.get(behind..) {
                Some([b'\r', b'\n', ..]) => 2,
                Some([b'\n', ..]) => 1,
                None | Some([] | [b'\r']) => return Ok(None),
                Some(_) => return Err(Flaw::Chunk),
            };
            self.content += size;
            self.at += behind + gap;
            // Chunks of one octet take six.
            if self.at > limits.body.saturating_mul(2).saturating_add(limits.head) {
                return Err(Flaw::Large);
            }
        }
    }
}

/// The size of a chunk, without its extensions.
fn size(line: &[u8]) -> Option<usize> {
    let end = line.iter().position(|byte| *byte == b';').unwrap_or(line.len());
    let digits = line.get(..end)?.trim_ascii();
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    usize::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// The content of chunks that have been found to be whole.
fn content(mut input: &[u8], length: usize) -> Vec<u8> {
    let mut content = Vec::with_capacity(length);
    while let Some(end) = input.iter().position(|byte| *byte == b'\n') {
        let Some(size) = size(input.get(..end).unwrap_or_default()).filter(|size| *size > 0) else { break };
        content.extend_from_slice(input.get(end + 1..end + 1 + size).unwrap_or_default());
        let rest = input.get(end + 1 + size..).unwrap_or_default();
        input = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or_default();
    }
    content
}

/// Where the content of a request ends (RFC 9112 §6.3).
fn ends_of(request: &mut Request<'_>, rules: &Rules) -> Ends {
    if request.members("expect").any(|member| !member.eq_ignore_ascii_case(b"100-continue")) {
        request.bear(Flaw::Expectation, rules);
    }
    let codings = request.members("transfer-encoding").count();
    let chunked = codings == 1 && request.says("transfer-encoding", "chunked");
    let (mut count, mut first, mut valid, mut equal) = (0, None, true, true);
    for length in request.members("content-length").map(number) {
        valid &= length.is_some();
        equal &= count == 0 || length == first;
        (count, first) = (count + 1, if count == 0 { length } else { first });
    }
    for (flaw, is_there) in [
        (Flaw::Length, !valid),
        (Flaw::Lengths, !equal),
        (Flaw::Coding, codings > 0 && !chunked),
        (Flaw::LengthAndCoding, codings > 0 && count > 0),
        (Flaw::Large, codings == 0 && first.is_some_and(|length| length > rules.limits.body as u64)),
        (Flaw::NoLength, codings + count == 0 && matches!(request.method, Method::Post | Method::Put | Method::Patch)),
    ] {
        if is_there {
            request.bear(flaw, rules);
        }
    }
    if codings > 0 { Ends::InChunks } else { Ends::After(first.unwrap_or_default() as usize) }
}

fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.len() < 20 && text.iter().all(u8::is_ascii_digit);
    digits.then(|| str::from_utf8(text).ok()?.parse().ok()).flatten()
}
