//! The operator's own body of a message. Apart, because it is the only template of the record: whatever an actor sent
//! stays one value of the JSON.

use super::Told;
use honeyplant_core::settings::Problem;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::{Value, json};

/// Steps that a template may take for one message.
const FUEL: u64 = 1_000_000;
const NAME: &str = "template";

/// A template that was tried.
#[derive(Debug)]
pub(super) struct Template(Environment<'static>);

impl Template {
    /// Reads the template and tries it with a message of one event.
    pub(super) fn new(source: &str, key: &str) -> Result<Self, Problem> {
        let wrong = |why: String| Problem::new(key, why);
        if source.contains("autoescape") {
            return Err(wrong("a template cannot say how values are written".into()).hint("they are written as JSON"));
        }
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Json);
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(FUEL));
        environment.remove_filter("safe");
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| wrong(error.to_string()))?;
        let template = Self(environment);
        let sample: Value = serde_json::from_str(SAMPLE).unwrap_or_default();
        match template.fill(&[sample], 0) {
            Ok(_) => Ok(template),
            Err(Failed::Render(why)) => Err(wrong(why)),
            Err(Failed::Json(why)) => Err(wrong(format!("what it makes is no JSON: {why}"))
                .hint("values come with their own quotes: write `\"text\": {{ message }}`")),
        }
    }

    /// The body of a message about `events`, which stands for `more` of them besides.
    pub(super) fn body(&self, events: &[Told<'_>], more: usize) -> Option<Vec<u8>> {
        let events: Option<Vec<Value>> =
            events.iter().map(|told| serde_json::from_str(&told.entry.line).ok()).collect();
        self.fill(&events?, more).ok()
    }

    fn fill(&self, events: &[Value], more: usize) -> Result<Vec<u8>, Failed> {
        let mut context = events.first().cloned().unwrap_or_else(|| json!({}));
        if let Value::Object(context) = &mut context {
            context.insert("events".into(), events.into());
            context.insert("more".into(), more.into());
        }
        let template = self.0.get_template(NAME).map_err(|error| Failed::Render(error.to_string()))?;
        let text = template.render(value(&context)).map_err(|error| Failed::Render(error.to_string()))?;
        let body: Value = serde_json::from_str(&text).map_err(|error| Failed::Json(error.to_string()))?;
        serde_json::to_vec(&body).map_err(|error| Failed::Json(error.to_string()))
    }
}

/// JSON as templates have it.
fn value(of: &Value) -> minijinja::Value {
    match of {
        Value::Null => ().into(),
        Value::Bool(bit) => (*bit).into(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) => number.into(),
            (None, None) => number.as_f64().unwrap_or_default().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Object(fields) => {
            minijinja::Value::from_pairs(fields.iter().map(|(name, field)| (name.as_str(), value(field))))
        }
    }
}

enum Failed {
    Render(String),
    Json(String),
}

const SAMPLE: &str = r#"{
    "@timestamp": "2026-11-22T03:46:00.000007Z", "message": "192.0.2.1 at plc \"closed\" the session",
    "event": {"id": "0123abcd-7", "sequence": 7, "action": "closed", "outcome": "success", "severity": 8},
    "source": {"ip": "192.0.2.1", "port": 40000}, "destination": {"ip": "192.0.2.2", "port": 502},
    "network": {"transport": "tcp", "protocol": "modbus"}, "observer": {"name": "site"},
    "honeyplant": {"site": "site", "device": {"name": "plc", "profile": "plc"}, "session": {"id": "0000000000000007"},
        "summary": {"actions": {"write": 1}, "severity": 8, "tactics": ["Impact"], "techniques": ["T0855"]}}
}"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Entry;

    fn filled(template: &str, line: &str) -> Value {
        let template = Template::new(template, "template").unwrap();
        let value: Value = serde_json::from_str(line).unwrap();
        serde_json::from_slice(&template.fill(&[value], 3).ok().unwrap()).unwrap()
    }

    #[test]
    fn values_cannot_break_out() {
        let line = json!({"message": "\", \"admin\": true, \"x\": \"\u{1b}\n</script>{{ 7 * 7 }}"}).to_string();
        let body = filled(r#"{"text": {{ "alert: " ~ message }}, "more": {{ more }}, "none": {{ user.name }}}"#, &line);
        let expected = "alert: \", \"admin\": true, \"x\": \"\u{1b}\n</script>{{ 7 * 7 }}";
        assert_eq!(body, json!({"text": expected, "more": 3, "none": null}));
    }

    #[test]
    fn whole_parts_and_lists_are_json_too() {
        let body = filled(
            r#"{"from": {{ source }}, "all": [{% for event in events %}{{ event.message }}{% endfor %}]}"#,
            r#"{"source": {"ip": "192.0.2.1"}, "message": "m"}"#,
        );
        assert_eq!(body, json!({"from": {"ip": "192.0.2.1"}, "all": ["m"]}));
    }

    #[test]
    fn a_template_that_makes_no_json_is_told_at_once() {
        let quoted = Template::new(r#"{"text": "{{ message }}"}"#, "sinks.webhook.template").unwrap_err();
        assert!(quoted.to_string().contains("own quotes") && quoted.key == "sinks.webhook.template", "{quoted}");
        for wrong in
            ["{{ message | safe }}", "{% autoescape false %}{{ message }}{% endautoescape %}", "{{ message", "{%"]
        {
            assert!(Template::new(wrong, "template").is_err(), "{wrong}");
        }
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}1";
        assert!(Template::new(endless, "template").is_err());
    }

    #[test]
    fn a_line_that_is_no_document_has_no_body() {
        let template = Template::new("{{ message }}", "template").unwrap();
        let entry = Entry { sequence: 1, line: "{}".into() };
        assert!(entry.document().is_err());
        assert_eq!(template.body(&[], 0).as_deref(), Some(&b"null"[..]));
    }
}
