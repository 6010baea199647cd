//! Texts that somebody else takes only up to a length. Apart, because what is cut must still be what it was: UTF-8, JSON,
//! and a document with its identity.

use serde_json::{Map, Value, json};

/// What is shorter is not cut: moments, ids and hashes.
const SHORT: usize = 70;
/// What stands where a text was cut.
const MARK: &str = "…";

/// As much of `text` as fits into `most` bytes, with a mark where it was cut if there is room for one.
pub(crate) fn text(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mark = if most > MARK.len() { MARK } else { "" };
    let end = text.floor_char_boundary(most - mark.len());
    format!("{}{mark}", text.get(..end).unwrap_or_default())
}

/// The length that none may exceed, so that together they are no longer than `room`. The short stay as they are.
pub(crate) fn level(lengths: &mut [usize], room: usize) -> usize {
    lengths.sort_unstable();
    let (mut room, mut left) = (room, lengths.len());
    for length in lengths {
        if *length > room / left {
            return room / left;
        }
        room -= *length;
        left -= 1;
    }
    usize::MAX
}

/// A JSON object in at most `most` bytes. Long texts and lists are cut first. If that is not enough, it is left with what
/// tells which event it is.
pub(super) fn json(line: &str, most: usize) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(line) else { return text(line, most) };
    let mut lengths = Vec::new();
    each_leaf(&mut value, &mut |leaf| lengths.push(length(leaf)));
    let fixed = length(&value).saturating_sub(lengths.iter().sum());
    let level = level(&mut lengths, most.saturating_sub(fixed));
    if level >= SHORT {
        each_leaf(&mut value, &mut |leaf| fit(leaf, level));
        let shorter = value.to_string();
        if shorter.len() <= most {
            return shorter;
        }
    }
    essence(&value, most)
}

fn length(value: &Value) -> usize {
    value.to_string().len()
}

/// Calls `what` with every text, number, truth and list of those.
fn each_leaf(value: &mut Value, what: &mut impl FnMut(&mut Value)) {
    let scalar = |value: &Value| !matches!(value, Value::Array(_) | Value::Object(_));
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| each_leaf(field, what)),
        Value::Array(items) if !items.iter().all(scalar) => items.iter_mut().for_each(|item| each_leaf(item, what)),
        leaf => what(leaf),
    }
}

fn fit(leaf: &mut Value, most: usize) {
    if length(leaf) <= most {
        return;
    }
    match leaf {
        Value::String(long) => {
            // Octets in hexadecimal digits stay whole octets; how many they were stands beside them.
            let digits = long.bytes().all(|byte| byte.is_ascii_hexdigit());
            let (mark, mut used, mut end) = (if digits { "" } else { MARK }, 2, 0);
            for c in long.chars() {
                used += match c {
                    '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
                    c if c < ' ' => 6,
                    c => c.len_utf8(),
                };
                if used + mark.len() > most {
                    break;
                }
                end += c.len_utf8();
            }
            long.truncate(if digits { end & !1 } else { end });
            long.push_str(mark);
        }
        Value::Array(items) => {
            let mut used = 1;
            let fits = items.iter().take_while(|item| {
                used += length(item) + 1;
                used <= most
            });
            let fits = fits.count();
            items.truncate(fits);
        }
        _ => {}
    }
}

/// What of a document tells which event it is.
fn essence(value: &Value, most: usize) -> String {
    let mut essence = Map::new();
    for (name, field) in value.as_object().into_iter().flatten() {
        if name != "message" && !field.is_array() && !field.is_object() {
            let mut field = field.clone();
            fit(&mut field, SHORT);
            essence.insert(name.clone(), field);
        }
    }
    let event = value.get("event").and_then(Value::as_object);
    let names = ["id", "sequence", "action", "outcome", "severity"];
    let event: Map<_, _> =
        names.iter().filter_map(|name| Some((String::from(*name), event?.get(*name)?.clone()))).collect();
    if !event.is_empty() {
        essence.insert("event".into(), event.into());
    }
    let mut message = value.get("message").cloned().unwrap_or_default();
    let used = json!(essence).to_string().len() + r#","message":"#.len();
    if message.is_string() && used + SHORT <= most {
        fit(&mut message, most - used);
        essence.insert("message".into(), message);
    }
    json!(essence).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(text("abc", 3), "abc");
        assert_eq!(text("ääää", 6), "ä…");
        assert_eq!(text("ääää", 3), "ä");
        assert_eq!(text("😀", 3), "");
    }

    #[test]
    fn the_longest_is_cut_first() {
        assert_eq!(level(&mut [10, 20, 30], 60), usize::MAX);
        assert_eq!(level(&mut [30, 10, 20], 50), 20);
        assert_eq!(level(&mut [5, 100, 100], 45), 20);
    }

    #[test]
    fn a_long_document_stays_one() {
        let line = json!({
            "@timestamp": "2026-11-22T03:46:00.000007Z",
            "event": {"id": "0123abcd-7", "sequence": 7, "action": "write", "severity": 7},
            "message": "\"\n\u{1}ä".repeat(2000),
            "honeyplant": {"request": {"hex": "ab".repeat(5000), "length": 5000}, "values": vec![1; 3000]},
        });
        for most in [9000, 2048, 700] {
            let shorter = json(&line.to_string(), most);
            assert!(shorter.len() <= most && shorter.len() > most - 100, "{} of {most}", shorter.len());
            let read: Value = serde_json::from_str(&shorter).unwrap();
            assert_eq!((&read["event"], &read["@timestamp"]), (&line["event"], &line["@timestamp"]));
            assert_eq!(read["honeyplant"]["request"]["hex"].as_str().unwrap().len() % 2, 0);
            assert_eq!(read["honeyplant"]["request"]["length"], 5000);
            assert!(read["message"].as_str().unwrap().ends_with('…'));
        }
        let least: Value = serde_json::from_str(&json(&line.to_string(), 300)).unwrap();
        assert_eq!((&least["event"], least.get("honeyplant")), (&line["event"], None));
        assert!(json(&line.to_string(), 300).len() <= 300);
    }
}
