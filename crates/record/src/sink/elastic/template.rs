//! The index template: a type for each field of a document. Apart, because it is made from the schema of documents, so that
//! no field is forgotten.

use super::{Product, Version, place::Place};
use crate::document::{Document, SCHEMA};
use serde_json::{Map, Value, json};

/// Longer words are kept but not indexed: a term may have 32766 bytes, and ECS has this length.
const LONGEST: u32 = 1024;

/// The template for what is made at `place`. Its priority is above those that Elasticsearch has for `logs-*-*`.
pub(super) fn template(place: &Place, settings: &Map<String, Value>, version: &Version) -> Value {
    let schema = Document::schema().to_value();
    let mut mappings = mapping(&schema, &schema, "", version);
    if let Some(fields) = mappings.get_mut("properties").and_then(Value::as_object_mut) {
        fields.insert("error".into(), json!({ "properties": { "message": { "type": "text" } } }));
        if let Some(event) = fields.get_mut("event").and_then(|event| event.get_mut("properties")?.as_object_mut()) {
            event.insert("original".into(), unsearched());
        }
    }
    if let Some(mappings) = mappings.as_object_mut() {
        // What the template does not have is kept in the document and is not a field: nobody can fill the index with fields.
        mappings.insert("dynamic".into(), false.into());
        mappings.insert("date_detection".into(), false.into());
    }
    let mut index = Map::from_iter([("mapping.ignore_malformed".to_owned(), true.into())]);
    index.extend(settings.clone());
    let mut template = json!({
        "index_patterns": [place.pattern()],
        "priority": 500,
        "version": SCHEMA,
        "_meta": { "description": "Events of honeyplant", "managed_by": "honeyplant" },
        "template": { "settings": { "index": index }, "mappings": mappings },
    });
    if place.is_stream
        && let Some(template) = template.as_object_mut()
    {
        template.insert("data_stream".into(), json!({}));
    }
    template
}

/// The mapping of what the schema says at one place of it.
fn mapping(schema: &Value, at: &Value, path: &str, version: &Version) -> Value {
    match path {
        "message" => return json!({ "type": "text" }),
        "source.geo.location" => return json!({ "type": "geo_point" }),
        "honeyplant.request.hex" | "honeyplant.reply.hex" => return unsearched(),
        _ => {}
    }
    if let Some(target) = at.get("$ref").and_then(Value::as_str) {
        let target = schema.pointer(target.trim_start_matches('#')).unwrap_or(&Value::Null);
        return mapping(schema, target, path, version);
    }
    if let Some(fields) = at.get("properties").and_then(Value::as_object) {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let fields = fields.iter().map(|(name, field)| (name.clone(), mapping(schema, field, &below(name), version)));
        return json!({ "properties": fields.collect::<Map<_, _>>() });
    }
    let format = at.get("format").and_then(Value::as_str).unwrap_or_default();
    match (at.get("type").and_then(Value::as_str), format) {
        (_, "ip") => json!({ "type": "ip" }),
        (_, "date-time") => json!({ "type": "date" }),
        (Some("integer"), _) => json!({ "type": "long" }),
        (Some("number"), _) => json!({ "type": "double" }),
        (Some("boolean"), _) => json!({ "type": "boolean" }),
        (Some("object"), _) => keys(version),
        (Some("array"), _) => mapping(schema, at.get("items").unwrap_or(&Value::Null), path, version),
        // Values of tags are numbers, truths and texts in one list: as words they never conflict.
        _ => json!({ "type": "keyword", "ignore_above": LONGEST }),
    }
}

/// An object whose keys are not known beforehand.
fn keys(version: &Version) -> Value {
    match version.product {
        Product::Elasticsearch => json!({ "type": "flattened", "ignore_above": LONGEST }),
        Product::OpenSearch if version.number >= (2, 7) => json!({ "type": "flat_object" }),
        Product::OpenSearch => json!({ "type": "object", "enabled": false }),
    }
}

/// Text that is shown, but not searched or counted.
fn unsearched() -> Value {
    json!({ "type": "keyword", "index": false, "doc_values": false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(product: Product, number: (u32, u32)) -> Value {
        let version = Version { product, number, text: String::new() };
        let place = Place::index("honeyplant-%Y.%m", "index").unwrap();
        let settings = Map::from_iter([("number_of_replicas".to_owned(), 0.into())]);
        let template = template(&place, &settings, &version);
        assert_eq!(template["index_patterns"], json!(["honeyplant-*.*"]));
        assert_eq!(template["template"]["settings"]["index"]["number_of_replicas"], 0);
        template["template"]["mappings"]["properties"].clone()
    }

    #[test]
    fn every_field_has_the_type_that_ecs_gives_it() {
        let fields = fields(Product::Elasticsearch, (8, 17));
        let kind = |path: &str| {
            let at = path.split('.').fold(&fields, |at, name| at.get("properties").unwrap_or(at).get(name).unwrap());
            at["type"].as_str().unwrap_or("object").to_owned()
        };
        for (path, expected) in [
            ("@timestamp", "date"),
            ("message", "text"),
            ("event.id", "keyword"),
            ("event.outcome", "keyword"),
            ("event.sequence", "long"),
            ("event.severity", "long"),
            ("event.start", "date"),
            ("source.ip", "ip"),
            ("source.port", "long"),
            ("source.geo.location", "geo_point"),
            ("source.as.number", "long"),
            ("related.ip", "ip"),
            ("threat.technique.id", "keyword"),
            ("tls.established", "boolean"),
            ("honeyplant.third.ip", "ip"),
            ("honeyplant.values", "keyword"),
            ("honeyplant.summary.actions", "flattened"),
            ("honeyplant.summary.tools.name", "keyword"),
            ("honeyplant.ending.seconds", "double"),
            ("honeyplant.tags", "keyword"),
            ("error.message", "text"),
            ("event.original", "keyword"),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }

    #[test]
    fn opensearch_has_another_word_for_objects_with_any_keys() {
        let of = |number| fields(Product::OpenSearch, number)["honeyplant"]["properties"]["summary"].clone();
        assert_eq!(of((2, 11))["properties"]["actions"]["type"], "flat_object");
        assert_eq!(of((1, 3))["properties"]["actions"]["enabled"], false);
    }
}
