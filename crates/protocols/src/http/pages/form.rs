//! Bodies of forms: HTML Living Standard §4.10.21 (urlencoded and text/plain), RFC 7578 (2015, multipart/form-data) and flat
//! JSON. Apart, because nothing here knows a page.

use super::request::Fields;
use honeyplant_core::files::from_octets;
use serde_json::Value;

/// How many fields of one request are looked at.
const MOST_FIELDS: usize = 1000;
/// How many files of one request are looked at.
const MOST_FILES: usize = 32;
/// How deep JSON is looked into.
const DEEPEST: usize = 8;

/// What a form held.
#[derive(Debug, Default)]
pub(super) struct Form<'a> {
    pub(super) fields: Fields,
    pub(super) files: Vec<File<'a>>,
}

/// A file of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File<'a> {
    /// What the visitor calls it.
    pub(super) name: String,
    pub(super) bytes: &'a [u8],
}

impl<'a> Form<'a> {
    /// The form in a body that says to be of type `media`.
    pub(super) fn read(media: Option<&[u8]>, body: &'a [u8]) -> Self {
        let media = media.map(String::from_utf8_lossy).unwrap_or_default();
        let (kind, parameters) = media.split_once(';').unwrap_or((&*media, ""));
        match kind.trim().to_ascii_lowercase().as_str() {
            "multipart/form-data" => {
                let boundary = parameter(parameters, "boundary").filter(|boundary| !boundary.is_empty());
                boundary.map(|boundary| parts(&boundary, body)).unwrap_or_default()
            }
            "application/json" => Self { fields: json(body), files: Vec::new() },
            "text/plain" => Self { fields: lines(body), files: Vec::new() },
            // Many clients name no type, or one of their own.
            "application/x-www-form-urlencoded" | "" => Self { fields: Fields(pairs(body)), files: Vec::new() },
            _ => Self::default(),
        }
    }
}

/// `a=1&b=2`, decoded.
pub(super) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let pairs = text.split(|octet| *octet == b'&').filter(|pair| !pair.is_empty()).take(MOST_FIELDS);
    pairs
        .map(|pair| {
            let equals = pair.iter().position(|octet| *octet == b'=').unwrap_or(pair.len());
            let (name, value) = (pair.get(..equals), pair.get(equals + 1..));
            (decoded(name.unwrap_or_default()), decoded(value.unwrap_or_default()))
        })
        .collect()
}

/// Text with its percent-encoding and `+` undone.
fn decoded(text: &[u8]) -> String {
    let digit = |octet: Option<&u8>| octet.and_then(|octet| char::from(*octet).to_digit(16));
    let (mut octets, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(octet) = text.get(at) {
        let pair = (digit(text.get(at + 1)), digit(text.get(at + 2)));
        at += 1;
        octets.push(match (octet, pair) {
            (b'+', _) => b' ',
            (b'%', (Some(high), Some(low))) => {
                at += 2;
                (high * 16 + low) as u8
            }
            _ => *octet,
        });
    }
    readable(&octets)
}

/// UTF-8, or else what old browsers send.
fn readable(octets: &[u8]) -> String {
    std::str::from_utf8(octets).map_or_else(|_| octets.iter().map(|octet| char::from(*octet)).collect(), str::to_owned)
}

/// The value of a parameter of a header field, such as that of `boundary` in `; boundary="x"`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(';').unwrap_or((after, "")),
        };
        if key.trim().trim_start_matches(';').trim().eq_ignore_ascii_case(name) {
            return Some(value.trim_end().to_owned());
        }
        rest = next;
    }
    None
}

/// The parts of a multipart body (RFC 2046 §5.1).
fn parts<'a>(boundary: &str, body: &'a [u8]) -> Form<'a> {
    let (mut form, fence) = (Form::default(), format!("--{boundary}").into_bytes());
    let Some(mut at) = find(body, &fence) else { return form };
    while form.fields.0.len() < MOST_FIELDS && form.files.len() < MOST_FILES {
        at += fence.len();
        let Some(rest) = body.get(at..).filter(|rest| !rest.starts_with(b"--")) else { break };
        // A part ends where the next fence stands on a line of its own; one that is cut off ends with the body.
        let mut end = rest.len();
        let mut next = None;
        if let Some(found) = find(rest, &[b"\n", fence.as_slice()].concat()) {
            next = Some(at + found + 1);
            end = if found > 0 && rest.get(found - 1) == Some(&b'\r') { found - 1 } else { found };
        }
        part(rest.get(..end).unwrap_or_default(), &mut form);
        let Some(next) = next else { break };
        at = next;
    }
    form
}

fn part<'a>(part: &'a [u8], form: &mut Form<'a>) {
    let gap = find(part, b"\r\n\r\n").map(|at| (at, 4)).or_else(|| find(part, b"\n\n").map(|at| (at, 2)));
    let Some((gap, length)) = gap else { return };
    let (head, content) = (part.get(..gap).unwrap_or_default(), part.get(gap + length..).unwrap_or_default());
    let head = readable(head);
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    });
    let parameters = disposition.and_then(|value| value.split_once(';')).map_or("", |(_, parameters)| parameters);
    let name = parameter(parameters, "name").unwrap_or_default();
    match parameter(parameters, "filename") {
        // A browser sends an empty file where none was chosen.
        Some(file) if file.is_empty() && content.is_empty() => {}
        Some(file) => {
            form.files.push(File { name: file.clone(), bytes: content });
            form.fields.0.push((name, file));
        }
        None => form.fields.0.push((name, readable(content))),
    }
}

/// `name=value` on lines of their own.
fn lines(body: &[u8]) -> Fields {
    let text = readable(body);
    let pairs = text.lines().filter_map(|line| line.split_once('=')).take(MOST_FIELDS);
    Fields(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The members of an object; those of an object in it as `outer.inner`.
fn json(body: &[u8]) -> Fields {
    let mut fields = Fields::default();
    if let Ok(value) = serde_json::from_slice(body) {
        flatten(String::new(), &value, 0, &mut fields);
    }
    fields
}

fn flatten(name: String, value: &Value, depth: usize, fields: &mut Fields) {
    if depth > DEEPEST || fields.0.len() >= MOST_FIELDS {
        return;
    }
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(name, value, depth + 1, fields);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| flatten(name.clone(), value, depth + 1, fields)),
        Value::Null => fields.0.push((name, String::new())),
        Value::String(text) => fields.0.push((name, text.clone())),
        Value::Bool(_) | Value::Number(_) => fields.0.push((name, value.to_string())),
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    if what.is_empty() { None } else { text.windows(what.len()).position(|window| window == what) }
}

/// The last name of the path that a visitor's file has with them, whatever its separators are.
pub(super) fn base_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    from_octets(if matches!(name.as_str(), "" | "." | "..") { b"upload" } else { name.as_bytes() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(media: &str, body: &[u8]) -> Vec<(String, String)> {
        Form::read(Some(media.as_bytes()), body).fields.0
    }

    fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_kind_of_form_is_read() {
        let expected = of(&[("a b", "1&2"), ("c", ""), ("a b", "\u{fc}")]);
        assert_eq!(read("application/x-www-form-urlencoded; charset=x", b"a+b=1%262&c&&a%20b=%C3%BC"), expected);
        assert_eq!(read("", b"a+b=1%262&c=&a+b=%FC"), expected);
        assert_eq!(read("text/plain", b"a=1\r\nb=x=y\r\n"), of(&[("a", "1"), ("b", "x=y")]));
        let json = read("application/json", br#"{"a": 1.5, "b": {"c": true, "d": null}, "e": ["x", "y"]}"#);
        assert_eq!(json, of(&[("a", "1.5"), ("b.c", "true"), ("b.d", ""), ("e", "x"), ("e", "y")]));
        assert_eq!(read("image/png", b"a=1"), of(&[]));
    }

    #[test]
    fn a_multipart_form_has_fields_and_files() {
        let body = b"preamble\r\n--X\r\nContent-Disposition: form-data; name=\"slot\"\r\n\r\n2\r\n--X\r\n\
            content-disposition: form-data; filename=\"C:\\\\up\\\\fw.bin\"; name=f\r\nContent-Type: x/y\r\n\r\n\
            \x00--X\r\n\xff\r\n--X\r\nContent-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\r\n\r\n--X--\r\n";
        let form = Form::read(Some(b"Multipart/Form-Data; boundary=\"X\""), body);
        assert_eq!(form.fields.0, of(&[("slot", "2"), ("f", "C:\\\\up\\\\fw.bin")]));
        assert_eq!(form.files.len(), 1);
        assert_eq!(
            (base_name(&form.files[0].name), form.files[0].bytes),
            ("fw.bin".to_owned(), &b"\x00--X\r\n\xff"[..])
        );
    }

    #[test]
    fn what_is_cut_off_anywhere_does_no_harm() {
        let body = b"--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nbytes\r\n--X--";
        for end in 0..body.len() {
            let _ = Form::read(Some(b"multipart/form-data; boundary=X"), &body[..end]);
        }
        assert!(Form::read(Some(b"multipart/form-data; boundary="), body).files.is_empty());
        assert_eq!(base_name("../.."), "upload");
    }
}
