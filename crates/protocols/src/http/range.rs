//! Which part of the content is wanted, if any (RFC 9110 §13 and §14). Apart, because it is asked of whatever page there is.

use super::{answer::Answer, head::parse_date, wire::Request};
use std::ops::Range;

/// What is wanted of the content.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// Nothing: they have it already.
    NotModified,
    /// Nothing: it is not what they think.
    Failed,
    /// These octets.
    Ranges(Vec<Range<usize>>),
    /// Octets that there are not.
    Unsatisfiable,
}

/// More ranges than that are not worth it (RFC 9110 §14.2).
const RANGES: usize = 16;

/// What a GET or HEAD wants of `answer`, if it can be conditional at all (RFC 9110 §13.2.2, in its order).
pub(super) fn conditions(request: &Request<'_>, answer: &Answer) -> Part {
    let tag = answer.tag.as_deref();
    let since = |name| request.field(name).and_then(parse_date);
    let modified = answer.modified.map(|time| time.as_secs());
    if request.field("if-match").is_some() {
        if !matches(request, "if-match", tag, Comparison::Strong) {
            return Part::Failed;
        }
    } else if let (Some(since), Some(modified)) = (since("if-unmodified-since"), modified)
        && modified > since.as_secs()
    {
        return Part::Failed;
    }
    if request.field("if-none-match").is_some() {
        if matches(request, "if-none-match", tag, Comparison::Weak) {
            return Part::NotModified;
        }
    } else if let (Some(since), Some(modified)) = (since("if-modified-since"), modified)
        && modified <= since.as_secs()
    {
        return Part::NotModified;
    }
    Part::Whole
}

/// Which octets a GET wants of `answer`.
pub(super) fn ranges(request: &Request<'_>, answer: &Answer) -> Part {
    let Some(wanted) = request.field("range") else { return Part::Whole };
    // RFC 9110 §13.1.5: what was changed in between is sent whole.
    if let Some(condition) = request.field("if-range") {
        let same = match parse_date(condition) {
            Some(time) => answer.modified.is_some_and(|modified| modified.as_secs() == time.as_secs()),
            None => answer.tag.as_deref().is_some_and(|tag| tag.as_bytes() == condition && !tag.starts_with("W/")),
        };
        if !same {
            return Part::Whole;
        }
    }
    let Some(ranges) = parse(wanted, answer.body.len()) else { return Part::Whole };
    if ranges.is_empty() { Part::Unsatisfiable } else { Part::Ranges(ranges) }
}

/// The ranges that are there of those that are wanted; nothing if that is no list of ranges of octets.
fn parse(text: &[u8], length: usize) -> Option<Vec<Range<usize>>> {
    let text = str::from_utf8(text).ok()?;
    let (unit, list) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || list.split(',').count() > RANGES {
        return None;
    }
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // What is larger than any number is larger than the content, too.
        digits.then(|| text.parse().unwrap_or(usize::MAX))
    };
    let mut ranges = Vec::new();
    for range in list.split(',').map(str::trim).filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-')?;
        let (first, end) = match (number(first.trim()), number(last.trim())) {
            (Some(first), None) if last.trim().is_empty() => (first, length),
            (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(length)),
            (None, Some(count)) if first.trim().is_empty() => (length.saturating_sub(count), length),
            _ => return None,
        };
        if first < end {
            ranges.push(first..end);
        }
    }
    Some(ranges)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Whether a list of tags has this one (RFC 9110 §8.8.3.2).
fn matches(request: &Request<'_>, name: &str, tag: Option<&str>, comparison: Comparison) -> bool {
    let weakless = |text: &[u8]| text.strip_prefix(b"W/").unwrap_or(text).to_vec();
    request.members(name).any(|member| match (member, tag, comparison) {
        (b"*", ..) => true,
        (_, None, _) => false,
        (member, Some(tag), Comparison::Strong) => !tag.starts_with("W/") && member == tag.as_bytes(),
        (member, Some(tag), Comparison::Weak) => weakless(member) == weakless(tag.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_that_there_are() {
        // The examples of RFC 9110 §14.1.2, of 10 000 octets.
        let parse = |text: &str| parse(text.as_bytes(), 10_000);
        let one = |range| Some(Vec::from_iter(std::iter::once(range)));
        assert_eq!(parse("bytes=0-499"), one(0..500));
        assert_eq!(parse("bytes=-500"), one(9500..10_000));
        assert_eq!(parse("bytes=9500-"), one(9500..10_000));
        assert_eq!(parse("bytes=0-0,-1"), Some(vec![0..1, 9999..10_000]));
        assert_eq!(parse("bytes= 0-999, 4500-5499, -1000"), Some(vec![0..1000, 4500..5500, 9000..10_000]));
        assert_eq!(parse("bytes=10000-"), Some(Vec::new()));
        assert_eq!(parse("bytes=-0"), Some(Vec::new()));
        assert_eq!(parse("bytes=0-99999999999999999999999"), one(0..10_000));
        for wrong in ["bytes=5-4", "bytes=a-b", "lines=0-1", "bytes", "bytes=-", "bytes=1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
