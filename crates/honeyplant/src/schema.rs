//! Files held against the JSON Schema of their type. Apart, because a schema tells all mistakes of a file at once, where
//! reading it stops at the first.

use crate::complaint::{Failure, Source};
use honeyplant_core::settings::{Problem, nearest};
use jsonschema::error::ValidationErrorKind;
use schemars::Schema;
use serde_json::Value;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Holds `source` against `schema`; the failure names every place where it does not fit.
pub(crate) fn validate(source: &Source, schema: &Schema) -> Result<(), Failure> {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        let problem = |error: &toml::de::Error| Problem { span: error.span(), ..Problem::new("", error.message()) };
        return Err(Failure(errors.iter().map(|error| source.complain(&problem(error))).collect()));
    }
    let Ok(instance) = toml::from_str::<Value>(&source.text) else {
        return Err(Failure::new(format!("{} is not TOML", source.path), "see toml.io"));
    };
    let validator = match jsonschema::validator_for(schema.as_value()) {
        Ok(validator) => validator,
        Err(error) => {
            return Err(Failure::new(format!("the schema is broken: {error}"), "this is a fault of honeyplant"));
        }
    };
    let root = DeValue::Table(root.into_inner());
    let problems: Vec<String> = validator
        .iter_errors(&instance)
        .flat_map(|error| problems(&error, schema.as_value(), &root))
        .map(|problem| source.complain(&problem))
        .collect();
    Failure(problems).check()
}

fn problems(error: &jsonschema::ValidationError<'_>, schema: &Value, root: &DeValue<'_>) -> Vec<Problem> {
    let pointer = error.instance_path().as_str();
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let key = key(&steps);
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        let known = properties(schema, error.schema_path().as_str());
        return unexpected
            .iter()
            .map(|name| {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                let mut problem = Problem::unknown(key, "setting", name, known.iter().copied());
                problem.span = span(root, &steps, Some(name));
                if known.is_empty() || nearest(name, &known).is_none() && known.len() > 24 {
                    problem.hint = None;
                }
                problem
            })
            .collect();
    }
    let mut problem = Problem::new(key, message(error));
    problem.span = span(root, &steps, None);
    vec![problem]
}

fn message(error: &jsonschema::ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("the setting `{}` is missing", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            format!("{} is none of the forms that this setting can have", error.instance())
        }
        _ => error.to_string(),
    }
}

/// The properties that the schema at `path` (which ends in `additionalProperties`) knows.
fn properties<'a>(schema: &'a Value, path: &str) -> Vec<&'a str> {
    let mut at = schema;
    for step in path.split('/').skip(1) {
        while let Some(target) = at.get("$ref").and_then(Value::as_str) {
            at = target.strip_prefix('#').and_then(|pointer| schema.pointer(pointer)).unwrap_or(&Value::Null);
        }
        if step == "additionalProperties" {
            break;
        }
        if step != "$ref" {
            at = match at {
                Value::Array(items) => step.parse().ok().and_then(|i: usize| items.get(i)).unwrap_or(&Value::Null),
                _ => at.get(step).unwrap_or(&Value::Null),
            };
        }
    }
    at.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// `a.b[2].c` for the steps of a JSON pointer.
fn key(steps: &[&str]) -> String {
    steps.iter().fold(String::new(), |key, step| match step.parse::<usize>() {
        Ok(index) => format!("{key}[{index}]"),
        Err(_) if key.is_empty() => (*step).to_owned(),
        Err(_) => format!("{key}.{step}"),
    })
}

/// Where in the text the value at `steps` stands, or the key `name` inside it.
fn span(root: &DeValue<'_>, steps: &[&str], name: Option<&str>) -> Option<Range<usize>> {
    let mut at = root;
    let mut span = None;
    for step in steps {
        let value = match at {
            DeValue::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            DeValue::Table(table) => table.get(*step)?,
            _ => return span,
        };
        span = Some(value.span());
        at = value.get_ref();
    }
    match (name, at) {
        (Some(name), DeValue::Table(table)) => table.keys().find(|key| key.get_ref() == name).map(toml::Spanned::span),
        _ => span,
    }
}
