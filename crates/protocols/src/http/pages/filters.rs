//! The filters that templates have besides the language's own. Apart, because they know text and numbers only.

use honeyplant_core::calendar::Civil;
use minijinja::{Environment, Value};
use std::{fmt::Write, time::Duration};

/// Their names, and those of the language, for hints.
pub(super) const KNOWN: [&str; 48] = [
    "fixed",
    "date",
    "span",
    "hex",
    "url",
    "left",
    "right",
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "tojson",
];

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// How wide a text can be filled to, and how many digits a number can have.
const WIDEST: usize = 1024;

/// Gives `environment` the filters.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("fixed", fixed);
    environment.add_filter("date", date);
    environment.add_filter("span", span);
    environment.add_filter("hex", hex);
    environment.add_filter("url", url);
    environment
        .add_filter("left", |value: Value, width: usize, fill: Option<char>| pad(&value, width, fill, Side::Right));
    environment
        .add_filter("right", |value: Value, width: usize, fill: Option<char>| pad(&value, width, fill, Side::Left));
}

/// Where a text is filled.
enum Side {
    Left,
    Right,
}

fn number(value: &Value) -> Option<f64> {
    value.as_str().map_or_else(|| f64::try_from(value.clone()).ok(), |text| text.trim().parse().ok())
}

fn fixed(value: Value, digits: Option<usize>, mark: Option<String>) -> Value {
    let Some(number) = number(&value) else { return value };
    let text = format!("{number:.*}", digits.unwrap_or_default().min(17));
    Value::from(mark.map_or(text.clone(), |mark| text.replacen('.', &mark, 1)))
}

fn hex(value: Value, digits: Option<usize>) -> Value {
    let Some(number) = number(&value) else { return value };
    // A negative number is shown by the pattern of a word that holds it.
    let pattern = match number as i64 {
        whole @ 0.. => whole as u64,
        whole @ -32_768..0 => (whole as u64) & 0xFFFF,
        whole => (whole as u64) & 0xFFFF_FFFF,
    };
    Value::from(format!("{pattern:0width$X}", width = digits.unwrap_or(1).min(16)))
}

fn url(value: Value) -> String {
    let mut text = String::new();
    for octet in value.to_string().bytes() {
        // RFC 3986 §2.3: these never need it.
        if octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet) {
            text.push(octet.into());
        } else {
            let _ = write!(text, "%{octet:02X}");
        }
    }
    text
}

fn pad(value: &Value, width: usize, fill: Option<char>, side: Side) -> String {
    let (text, fill) = (value.to_string(), fill.unwrap_or(' '));
    let missing = width.min(WIDEST).saturating_sub(text.chars().count());
    let filling: String = std::iter::repeat_n(fill, missing).collect();
    match side {
        Side::Left => filling + &text,
        Side::Right => text + &filling,
    }
}

fn date(value: Value, format: Option<String>) -> Value {
    let Some(seconds) = number(&value).and_then(|number| Duration::try_from_secs_f64(number).ok()) else {
        return value;
    };
    let civil = Civil::of(seconds);
    let format = format.as_deref().unwrap_or("%Y-%m-%d %H:%M:%S");
    Value::from(spelled(format, |letter, text| {
        let hour = (civil.hour + 11) % 12 + 1;
        let day = (seconds.as_secs() / 86_400 + 4) % 7;
        let begin = Civil { month: 1, day: 1, ..civil }.since_1970().unwrap_or_default();
        let (month, day) =
            (civil.month.saturating_sub(1) as usize, DAYS.get(day as usize).copied().unwrap_or_default());
        let month = MONTHS.get(month).copied().unwrap_or_default();
        let _ = match letter {
            'Y' => write!(text, "{:04}", civil.year),
            'y' => write!(text, "{:02}", civil.year % 100),
            'm' => write!(text, "{:02}", civil.month),
            'B' => write!(text, "{month}"),
            'b' => write!(text, "{}", month.get(..3).unwrap_or_default()),
            'd' => write!(text, "{:02}", civil.day),
            'e' => write!(text, "{}", civil.day),
            'j' => write!(text, "{:03}", seconds.saturating_sub(begin).as_secs() / 86_400 + 1),
            'A' => write!(text, "{day}"),
            'a' => write!(text, "{}", day.get(..3).unwrap_or_default()),
            'H' => write!(text, "{:02}", civil.hour),
            'I' => write!(text, "{hour:02}"),
            'p' => write!(text, "{}", if civil.hour < 12 { "AM" } else { "PM" }),
            'M' => write!(text, "{:02}", civil.minute),
            'S' => write!(text, "{:02}", civil.second),
            'f' => write!(text, "{:03}", seconds.subsec_millis()),
            _ => return false,
        };
        true
    }))
}

fn span(value: Value, format: Option<String>) -> Value {
    let Some(seconds) = number(&value).and_then(|number| Duration::try_from_secs_f64(number).ok()) else {
        return value;
    };
    let seconds = seconds.as_secs();
    let format = format.as_deref().unwrap_or("%D d %H:%M:%S");
    Value::from(spelled(format, |letter, text| {
        let _ = match letter {
            'D' => write!(text, "{}", seconds / 86_400),
            'H' if !format.contains("%D") => write!(text, "{:02}", seconds / 3600),
            'H' => write!(text, "{:02}", seconds / 3600 % 24),
            'M' => write!(text, "{:02}", seconds / 60 % 60),
            'S' => write!(text, "{:02}", seconds % 60),
            _ => return false,
        };
        true
    }))
}

/// `format` with each `%` and letter written by `write`, if it knows the letter.
fn spelled(format: &str, write: impl Fn(char, &mut String) -> bool) -> String {
    let (mut text, mut letters) = (String::new(), format.chars());
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('%') | None => text.push('%'),
            Some(letter) if write(letter, &mut text) => {}
            Some(letter) => text.extend(['%', letter]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str) -> String {
        let mut environment = Environment::new();
        add(&mut environment);
        environment.render_str(template, ()).unwrap()
    }

    #[test]
    fn numbers_and_times_are_shown_as_asked_for() {
        for (template, expected) in [
            ("{{ 3.14159 | fixed(2) }}", "3.14"),
            ("{{ 3.14159 | fixed(1, ',') }}", "3,1"),
            ("{{ 7 | fixed(1) }}", "7.0"),
            ("{{ 'x' | fixed(1) }}{{ none | fixed(1) }}", "xNone"),
            ("{{ 255 | hex }} {{ 255 | hex(4) }} {{ -1 | hex(4) }}", "FF 00FF FFFF"),
            ("{{ 'a b&ü' | url }}", "a%20b%26%C3%BC"),
            ("[{{ 'ab' | left(4) }}] [{{ 7 | right(3, '0') }}]", "[ab  ] [007]"),
            ("{{ 1741593600 | date('%d.%m.%Y %H:%M:%S %a %j %% %Q') }}", "10.03.2025 08:00:00 Mon 069 % %Q"),
            ("{{ 1741593600 | date('%e %B %y %I %p') }}", "10 March 25 08 AM"),
            ("{{ 93784 | span }} {{ 93784 | span('%H h %M') }}", "1 d 02:03:04 26 h 03"),
            ("{{ -5 | date }}", "-5"),
        ] {
            assert_eq!(rendered(template), expected, "{template}");
        }
    }
}
