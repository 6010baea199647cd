//! Every event becomes a document that the published schema allows and that reads back as it was.

use crate::site::{every_kind, observer, read, session};
use honeyplant_record::{Composer, document::Document, sink};
use serde_json::Value;
use std::{env, fs, net::Ipv6Addr, path::Path, sync::Arc};

fn json(event: &honeyplant_core::event::Event) -> Value {
    serde_json::to_value(Composer::new(observer()).compose(event, 12)).unwrap()
}

#[test]
fn every_kind_is_allowed_by_the_schema_and_reads_back() {
    let validator = jsonschema::validator_for(Document::schema().as_value()).unwrap();
    for event in every_kind() {
        let value = json(&event);
        if let Err(error) = validator.validate(&value) {
            panic!("{error} in {value:#}");
        }
        assert!(!value.to_string().contains("null"), "what has nothing to say is absent: {value}");
        let text = value.to_string();
        let document: Document<'static> = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(&document).unwrap(), value);
        assert_eq!(serde_json::from_str::<Document<'_>>(&serde_json::to_string(&document).unwrap()).unwrap(), document);
    }
}

#[test]
fn every_field_of_every_document_is_in_the_schema() {
    fn walk(schema: &Value, at: &Value, value: &Value, path: &str) {
        let at = match at.get("$ref").and_then(Value::as_str) {
            Some(target) => schema.pointer(target.trim_start_matches('#')).unwrap(),
            None => at,
        };
        let forms = at.get("anyOf").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![at.clone()]);
        for (name, value) in value.as_object().into_iter().flatten() {
            let known = forms.iter().find_map(|form| {
                let form = form
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map_or(Some(form), |target| schema.pointer(target.trim_start_matches('#')))?;
                form.get("properties")?.get(name)
            });
            walk(schema, known.unwrap_or_else(|| panic!("{path}.{name} is not in the schema")), value, name);
        }
    }
    let schema = Document::schema().to_value();
    for event in every_kind() {
        walk(&schema, &schema, &json(&event), "");
    }
}

#[test]
fn a_write_tells_who_did_what_to_which_device() {
    let event = every_kind().into_iter().find(|event| event.kind.action() == "write").unwrap();
    let value = json(&event);
    let at = |pointer| value.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {value:#}")).clone();
    assert_eq!(at("/message"), "127.0.0.1 at plc-intake wrote coil 5 of unit 1 (pump_1_off): off -> on");
    assert_eq!(at("/event/id"), "0123abcd-12");
    assert_eq!(at("/event/dataset"), "honeyplant.modbus");
    assert_eq!(at("/threat/technique/id"), serde_json::json!(["T0855"]));
    assert_eq!(at("/related/ip"), serde_json::json!(["127.0.0.1", "127.0.10.1"]));
    assert_eq!(at("/honeyplant/session/id"), "0000000000000007");
    assert_eq!(at("/honeyplant/tags"), serde_json::json!(["pump_1_off"]));
    assert_eq!((at("/honeyplant/before"), at("/honeyplant/after")), (serde_json::json!([false]), [true][..].into()));
    assert_eq!(at("/honeyplant/request"), serde_json::json!({ "hex": "0001fe", "length": 3 }));
}

#[test]
fn an_ipv4_peer_of_an_ipv6_socket_is_one_of_ipv4() {
    let mut session = Arc::into_inner(session(1)).unwrap();
    session.peer.set_ip(Ipv6Addr::from_bits(0xFFFF_C633_6407).into());
    let value = json(&read(&Arc::new(session), 1));
    assert_eq!(value.pointer("/source/ip").unwrap(), "198.51.100.7");
    assert_eq!(value.pointer("/network/type").unwrap(), "ipv4");
    assert!(value.pointer("/message").unwrap().as_str().unwrap().starts_with("198.51.100.7 at plc-intake read"));
}

#[test]
fn the_console_names_time_action_and_what_happened() {
    let event = every_kind().into_iter().find(|event| event.kind.action() == "write").unwrap();
    let mut composer = Composer::new(observer());
    let (document, mut text) = (composer.compose(&event, 1), String::new());
    sink::line(&mut text, &document, sink::Colour::Off);
    let time = document.timestamp.clock();
    assert_eq!(text, format!("{time} write       {}", document.message));
    sink::line(&mut text, &document, sink::Colour::On);
    assert!(text.contains("\u{1b}[1;31mwrite"), "what changes the plant is red: {text:?}");
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/event.schema.json");
    let schema = serde_json::to_string_pretty(&Document::schema()).unwrap() + "\n";
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &schema).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == schema, "run this with UPDATE_DOCS=1 and look at what changed");
}
