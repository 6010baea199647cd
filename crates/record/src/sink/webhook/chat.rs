//! Alerts as the webhooks of Slack and Discord take them, within the limits of both. Apart, because what actors sent must
//! neither be markup nor call anybody there.

use super::alert::Alert;
use serde_json::{Value, json};

/// The most alerts of one message: four blocks each of 50 (Slack), an embed each (Discord).
pub(super) const SLACK: usize = 12;
pub(super) const DISCORD: usize = 10;

/// Slack's incoming webhooks, with Block Kit. Texts are plain, so that nothing in them is markup; the one of the
/// notification is not, and is escaped as Slack wants it.
pub(super) fn slack(alerts: &[Alert]) -> Value {
    let plain = |text: &str, most| {
        let text = if text.trim().is_empty() { "-" } else { text };
        json!({"type": "plain_text", "emoji": false, "text": cut(text, most, |c, out| out.push(c))})
    };
    let mut blocks = Vec::new();
    for alert in alerts {
        let facts = alert.facts.iter().take(10);
        let fields: Vec<Value> = facts.map(|(name, value)| plain(&format!("{name}\n{value}"), 2000)).collect();
        let mut section = json!({"type": "section", "text": plain(&alert.sentence, 3000)});
        if let (Value::Object(section), false) = (&mut section, fields.is_empty()) {
            section.insert("fields".into(), fields.into());
        }
        blocks.extend([
            json!({"type": "header", "text": plain(&alert.title, 150)}),
            section,
            json!({"type": "context", "elements": [plain(&format!("{}, event {}", alert.at, alert.id), 2000)]}),
        ]);
    }
    let notice: Vec<String> = alerts.iter().map(|alert| format!("{}: {}", alert.title, alert.sentence)).collect();
    json!({
        "text": cut(&notice.join("\n"), 3000, entity),
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": blocks,
    })
}

/// The least that Slack takes.
pub(super) fn slack_shortest(text: &str) -> Value {
    json!({"text": cut(text, 300, entity)})
}

/// Discord's webhooks. All of an embed's texts are Markdown, and are escaped; nobody may be mentioned.
pub(super) fn discord(alerts: &[Alert]) -> Value {
    // All texts of all embeds may have 6000 characters.
    let share = 6000 / alerts.len().clamp(1, DISCORD);
    let embeds = alerts.iter().take(DISCORD).map(|alert| {
        let footer = cut(&format!("event {}", alert.id), 100, markdown);
        let title = cut(&alert.title, (share / 4).min(256), markdown);
        let description = cut(&alert.sentence, (share / 3).min(4096), markdown);
        let mut room = share.saturating_sub([&footer, &title, &description].iter().map(|text| length(text)).sum());
        let mut fields = Vec::new();
        for (name, value) in alert.facts.iter().take(25) {
            let value = cut(value, room.saturating_sub(length(name)).min(1024), markdown);
            if value.is_empty() {
                break;
            }
            room -= length(name) + length(&value);
            fields.push(json!({"name": name, "value": value, "inline": value.len() < 40}));
        }
        json!({
            "title": title,
            "description": description,
            "color": colour(alert.severity),
            "timestamp": alert.at,
            "fields": fields,
            "footer": {"text": footer},
        })
    });
    json!({"embeds": embeds.collect::<Vec<_>>(), "allowed_mentions": {"parse": []}})
}

/// The least that Discord takes.
pub(super) fn discord_shortest(text: &str) -> Value {
    json!({"content": cut(text, 300, markdown), "allowed_mentions": {"parse": []}})
}

/// Grey, yellow, orange, red.
const fn colour(severity: u8) -> u32 {
    match severity {
        0..3 => 0x95_A5A6,
        3..6 => 0xF1_C40F,
        6..8 => 0xE6_7E22,
        _ => 0xC0_392B,
    }
}

fn entity(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        _ => out.push(c),
    }
}

/// Every sign that is, or begins, a mark-up, a link or a mention.
fn markdown(c: char, out: &mut String) {
    if matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '#' | '[' | ']' | '(' | ')' | '@' | ':' | '-') {
        out.push('\\');
    }
    out.push(c);
}

/// Characters as both count them: in units of UTF-16, to be on the safe side.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `most` characters of `text`, each written by `put`; what is cut ends with an ellipsis.
fn cut(text: &str, most: usize, put: fn(char, &mut String)) -> String {
    let (mut out, mut whole, mut used) = (String::new(), 0, 0);
    for c in text.chars() {
        let before = out.len();
        put(if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c }, &mut out);
        used += out.get(before..).map_or(0, length);
        if used > most {
            out.truncate(whole);
            if most > 0 {
                out.push('…');
            }
            return out;
        }
        if used < most {
            whole = out.len();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(text: &str) -> Alert {
        Alert {
            title: "write at plc, severity 8 of 10".into(),
            sentence: text.into(),
            facts: (0..30).map(|_| ("Actor", text.to_owned())).collect(),
            severity: 8,
            at: "2026-11-22T03:46:00.000007Z".into(),
            id: "0123abcd-7".into(),
        }
    }

    #[test]
    fn text_is_cut_where_a_character_ends_and_never_in_an_escape() {
        assert_eq!(cut("abc", 3, entity), "abc");
        assert_eq!(cut("abcd", 3, entity), "ab…");
        assert_eq!(cut("a<<", 8, entity), "a&lt;…");
        assert_eq!(cut("\u{1f3ed}\u{1f3ed}", 3, entity), "\u{1f3ed}…");
        assert_eq!(cut("a\u{1b}[2J", 9, markdown), "a\u{fffd}\\[2J");
    }

    #[test]
    fn hostile_text_is_text() {
        let hostile = "<!channel> @everyone <@123> **a** https://evil.example ```";
        let slack = slack(&[alert(hostile)]);
        assert!(!slack["text"].as_str().unwrap().contains('<'));
        assert!(slack["blocks"].to_string().matches("mrkdwn").count() == 0);
        let discord = discord(&[alert(hostile)]);
        assert_eq!(discord["allowed_mentions"], json!({"parse": []}));
        let description = discord["embeds"][0]["description"].as_str().unwrap();
        assert!(
            description.starts_with("\\<!channel\\> \\@everyone \\<\\@123\\> \\*\\*a\\*\\* https\\://"),
            "{description}"
        );
    }

    #[test]
    fn long_text_stays_within_all_limits() {
        let long = "*<é\u{1f3ed}".repeat(9000);
        let embeds = |many: usize| discord(&(0..many).map(|_| alert(&long)).collect::<Vec<_>>());
        for many in 1..=DISCORD {
            let message = embeds(many);
            let mut sum = 0;
            for embed in message["embeds"].as_array().unwrap() {
                let text = |value: &Value| length(value.as_str().unwrap());
                assert!(text(&embed["title"]) <= 256 && text(&embed["description"]) <= 4096);
                sum += text(&embed["title"]) + text(&embed["description"]) + text(&embed["footer"]["text"]);
                for field in embed["fields"].as_array().unwrap() {
                    assert!((1..=1024).contains(&text(&field["value"])));
                    sum += text(&field["name"]) + text(&field["value"]);
                }
            }
            assert!(sum <= 6000, "{sum} of {many}");
        }
        let blocks = slack(&(0..SLACK).map(|_| alert(&long)).collect::<Vec<_>>());
        assert!(blocks["blocks"].as_array().unwrap().len() <= 50);
        assert!(length(blocks["text"].as_str().unwrap()) <= 3000);
    }
}
