//! Numbers, times and what actors wrote, as texts of a page. Apart, because what actors wrote is hostile: it goes onto the
//! page through here only.

use jiff::{Timestamp, tz::Offset};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest text of an actor that is shown whole.
const LONGEST: usize = 240;

/// Whether addresses and links of actors are written so that nobody follows them by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// `hxxp://192.0.2[.]1`
    Defanged,
    /// As they are.
    Live,
}

impl Links {
    /// A text of anybody, for HTML.
    pub(super) fn html(self, text: &str) -> String {
        let cut = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
        let (shown, rest) = text.split_at(cut);
        let shown = if self == Self::Defanged { defang(shown) } else { shown.to_owned() };
        let mut out = escape(&shown);
        if !rest.is_empty() {
            out += &format!("… <small>({} more characters)</small>", number(rest.chars().count() as u64));
        }
        out
    }
}

/// The text for HTML; what cannot be seen, or turns the direction of writing, is shown by its number.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // U+200B to U+200F, U+202A to U+202E and U+2060 to U+206F are formats without a shape; U+FEFF as well.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}' => {
                out.extend(character.escape_unicode());
            }
            _ if character.is_control() => out.extend(character.escape_default()),
            _ => out.push(character),
        }
    }
    out
}

/// Addresses and links that no program makes clickable.
fn defang(text: &str) -> String {
    let mut text = text.to_owned();
    for (scheme, harmless) in [("http", "hxxp"), ("ftp", "fxp"), ("mailto", "mxilto")] {
        text = replace(&text, scheme, harmless);
    }
    text = text.replace("://", "[://]").replace("www.", "www[.]");
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let (mut out, mut rest) = (String::with_capacity(text.len()), &*text);
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (token, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        out.push_str(before);
        let bare = token.trim_end_matches(['.', ':']);
        let (bare, tail) = token.split_at(bare.len());
        // A port may follow.
        let (address, port) = match bare.rsplit_once(':') {
            Some((address, _)) if address.parse::<Ipv4Addr>().is_ok() => bare.split_at(address.len()),
            _ => (bare, ""),
        };
        if address.parse::<Ipv4Addr>().is_ok() {
            out.push_str(&last(address, '.', "[.]"));
        } else if address.len() > 3 && address.parse::<Ipv6Addr>().is_ok() {
            out.push_str(&last(address, ':', "[:]"));
        } else {
            out.push_str(address);
        }
        out.push_str(port);
        out.push_str(tail);
        rest = after;
    }
    out + rest
}

fn last(text: &str, of: char, with: &str) -> String {
    text.rsplit_once(of).map_or_else(|| text.to_owned(), |(head, tail)| format!("{head}{with}{tail}"))
}

/// Replaces `scheme` before `:` or `s:`, in upper or lower case.
fn replace(text: &str, scheme: &str, harmless: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (at, _) in lower.match_indices(scheme) {
        let end = at + scheme.len();
        let tail = lower.get(end..).unwrap_or_default();
        if tail.starts_with(':') || tail.starts_with("s:") {
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push_str(harmless);
            done = end;
        }
    }
    out + text.get(done..).unwrap_or_default()
}

/// A number with commas.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and its noun.
pub(super) fn count(many: u64, one: &str, several: &str) -> String {
    format!("{} {}", number(many), if many == 1 { one } else { several })
}

/// How often.
pub(super) fn times(many: u64) -> String {
    match many {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{} times", number(many)),
    }
}

/// A moment by `form`; nothing of what is none.
pub(super) fn moment(text: &str, form: &str) -> String {
    let moment = text.parse::<Timestamp>().map(|at| Offset::UTC.to_datetime(at).strftime(form).to_string());
    moment.unwrap_or_default()
}

/// A moment as `17 Nov 03:12`, kept on one line.
pub(super) fn when(text: &str) -> String {
    moment(text, "%-d\u{a0}%b\u{a0}%H:%M")
}

/// A length of time.
pub(super) fn lasted(seconds: f64) -> String {
    match seconds.max(0.0) as u64 {
        0..10 => format!("{seconds:.1} s"),
        whole @ 10..120 => format!("{whole} s"),
        whole @ 120..7200 => format!("{} min", whole / 60),
        whole @ 7200..172_800 => format!("{} h", whole / 3600),
        whole => format!("{} days", whole / 86_400),
    }
}

/// A number of bytes.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{} B", number(bytes)),
        10_240..10_485_760 => format!("{} KiB", number(bytes >> 10)),
        _ => format!("{} MiB", number(bytes >> 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_actors_wrote_is_text_and_nothing_else() {
        let html = |text| Links::Defanged.html(text);
        assert_eq!(
            html("<script>alert('1')</script> & \"x\""),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;"
        );
        assert_eq!(html("a\u{202e}b\u{1b}[2J\0\n"), "a\\u{202e}b\\u{1b}[2J\\u{0}\\n");
        assert!(html(&"ä".repeat(5000)).ends_with("… <small>(4,760 more characters)</small>"));
    }

    #[test]
    fn nothing_can_be_clicked() {
        let html = |text| Links::Defanged.html(text);
        assert_eq!(
            html("GET HTTP://192.0.2.1:80/x from 198.51.100.7."),
            "GET hxxp[://]192.0.2[.]1:80/x from 198.51.100[.]7."
        );
        assert_eq!(html("2001:db8::1 and https://www.example"), "2001:db8:[:]1 and hxxps[://]www[.]example");
        assert_eq!(html("HTTP/1.1 at 10:20:30, DB10.DBX0.0, 1.2.3"), "HTTP/1.1 at 10:20:30, DB10.DBX0.0, 1.2.3");
        assert_eq!(Links::Live.html("http://192.0.2.1"), "http://192.0.2.1");
    }

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!((number(0), number(999), number(1_234_567)), ("0".into(), "999".into(), "1,234,567".into()));
        assert_eq!((lasted(0.04), lasted(59.9), lasted(7300.0)), ("0.0 s".into(), "59 s".into(), "2 h".into()));
        assert_eq!(when("2026-11-17T03:12:59Z"), "17\u{a0}Nov\u{a0}03:12");
    }
}
