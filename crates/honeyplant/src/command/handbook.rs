//! Writes `docs/sinks.md` from the sinks themselves. Apart, because nobody but a test does.

use super::tests::holds;
use crate::site::Site;
use honeyplant_record::sink::{SINKS, Unasked};
use serde_json::{Map, Value};
use std::fmt::Write;

const HEAD: &str = "\
# Sinks

The journal in the state folder is the record; a sink carries it to somewhere else. Each follows the journal at its own pace and remembers how far it has
come: what could not be delivered comes later, in order, however long the other end was away and however often honeyplant was started meanwhile. The
operator is told when a sink fails and when it works again. Every event is delivered **at least once**; `event.id` tells those that came twice. Where it
says *exactly once*, the other end takes care of that.

The journal keeps what a sink still needs. When it has reached `keep-size` because one of them is away for too long, honeyplant stops reading from peers rather
than lose anything, and says so: give `keep-size` room for as many days as the other end may be away.

```sh
honeyplant check --probe DIR      # tries each sink of a site, without delivering anything
```

A site may have several sinks of a kind, each with a `name` of its own. `console` is there if a site names no sink, `sqlite` unless it says `[sinks]` with
`sqlite = []`.

**Secrets** need not be in the site file. Wherever the tables below say *secret*, write it as it is (`\"s3cret\"`), or `{ env = \"NAME\" }` for a variable of the
environment, or `{ file = \"/run/secrets/name\" }` for a file.

**TLS** is a table of its own, `tls`, wherever it is named below; empty (`tls = {}`), it trusts the authorities that browsers know:

";

/// What one may write for a value of this schema, and what it is about.
fn row(key: &str, schema: &Value, defs: &Map<String, Value>, text: &mut String) {
    let target = target(schema, defs);
    let meaning = schema.get("description").or_else(|| target.get("description"));
    let meaning = meaning.and_then(Value::as_str).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let meaning = meaning.replace('\n', " ").replace('|', "\\|");
    let _ = writeln!(text, "| `{key}` | {} | {meaning} |", value(schema, target, defs));
}

fn target<'a>(schema: &'a Value, defs: &'a Map<String, Value>) -> &'a Value {
    reference(schema).and_then(|name| defs.get(name)).unwrap_or(schema)
}

/// The name of the definition that stands for the schema, be it that or null.
fn reference(schema: &Value) -> Option<&str> {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(path) => path.rsplit('/').next(),
        None => schema.get("anyOf").and_then(Value::as_array)?.iter().find_map(reference),
    }
}

fn value(schema: &Value, target: &Value, defs: &Map<String, Value>) -> String {
    match reference(schema) {
        Some("Secret" | "Given") => return "secret".into(),
        Some("TlsSettings") => return "TLS".into(),
        Some("Size") => return "size".into(),
        Some("Period") => return "time".into(),
        _ => {}
    }
    if let Some(words) = words(target) {
        return words;
    }
    let kind = target.get("type").map(|kind| match kind {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default(),
        one => one.as_str().unwrap_or_default(),
    });
    let kind = match kind.unwrap_or_default() {
        "string" => "text".to_owned(),
        "boolean" => "`true`, `false`".to_owned(),
        "integer" | "number" => "number".to_owned(),
        "array" => {
            let items = target.get("items").unwrap_or(&Value::Null);
            format!("list of {}", value(items, self::target(items, defs), defs))
        }
        "object" => "table".to_owned(),
        _ => String::new(),
    };
    match schema.get("default").filter(|default| !default.is_null()) {
        Some(Value::String(text)) if !text.is_empty() => format!("{kind}, else `{text}`"),
        Some(default @ (Value::Number(_) | Value::Bool(_))) => format!("{kind}, else `{default}`"),
        _ => kind,
    }
}

/// The words that stand for themselves.
fn words(schema: &Value) -> Option<String> {
    let of = |schema: &Value| match (schema.get("const"), schema.get("enum")) {
        (Some(word), _) => vec![word.clone()],
        (_, Some(Value::Array(words))) => words.clone(),
        _ => Vec::new(),
    };
    let words = match schema.get("oneOf").and_then(Value::as_array) {
        Some(forms) => forms.iter().flat_map(of).collect(),
        None => of(schema),
    };
    let words: Vec<_> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn settings(schema: &Value, defs: &Map<String, Value>, text: &mut String) {
    let _ = writeln!(text, "| key | value | |\n|---|---|---|");
    for (key, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        row(key, schema, defs, text);
    }
}

#[test]
fn the_sinks_are_documented() {
    let schema = Site::schema();
    let schema = schema.as_value();
    let defs = schema["$defs"].as_object().unwrap();
    let mut text = HEAD.to_owned();
    settings(&defs["TlsSettings"], defs, &mut text);
    let mut kinds: Vec<_> = SINKS.iter().collect();
    kinds.sort_by_key(|kind| kind.name());
    text.push_str("\nThere are:");
    let links: Vec<_> = kinds.iter().map(|kind| format!(" [{0}](#{0})", kind.name())).collect();
    let _ = writeln!(text, "{}.", links.join(","));
    for kind in kinds {
        let table = &schema["properties"]["sinks"]["properties"][kind.name()]["items"];
        let about = table["description"].as_str().unwrap_or_default();
        let always = if kind.unasked() == Unasked::Always { "\nThere without being asked for.\n" } else { "" };
        let _ = writeln!(
            text,
            "\n## {}\n\n{about}\n{always}\n```toml\n[[sinks.{0}]]\n{}```\n",
            kind.name(),
            kind.example()
        );
        settings(table, defs, &mut text);
    }
    holds("sinks.md", &text);
}
