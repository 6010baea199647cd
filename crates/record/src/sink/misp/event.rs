//! Attributes and objects of MISP. Apart from how they come there, because this is what its readers see; objects follow the
//! templates that MISP publishes, named by their UUID and version.

use crate::sink::{
    sharing::{Fields, Finding, Found, Sharing, day, moment},
    stix::technique,
    uuid::Uuid,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A template of an object: name, UUID, version, category.
type Template = (&'static str, &'static str, u32, &'static str);

const CONNECTION: Template = ("network-connection", "af16764b-f8e5-4603-9de1-de34d272f80b", 7, "network");
const CREDENTIAL: Template = ("credential", "a27e98c9-9b0e-414c-8076-d201e039ca09", 5, "misc");
const FILE: Template = ("file", "688c46fb-5edb-40a3-8273-1af7923e2215", 25, "file");
const REQUEST: Template = ("http-request", "b4a8d163-8110-4239-bfcf-e08f3a9fdf7b", 4, "network");

/// One attribute of an object: its relation, type and category.
type Slot = (&'static str, &'static str, &'static str);

/// What a day brought.
#[derive(Debug, Default)]
pub(super) struct News {
    attributes: BTreeMap<String, Value>,
    objects: Vec<Value>,
    tags: BTreeSet<String>,
}

impl News {
    /// Adds a finding.
    pub(super) fn add(&mut self, finding: &Finding<'_>, sharing: &Sharing) {
        self.tags.insert(format!("tlp:{}", sharing.settings.tlp.label()));
        self.tags.extend(finding.techniques().into_iter().filter_map(galaxy));
        let own = |name: &str| sharing.own.of(&format!("misp {name} {}", finding.id()));
        let comment =
            format!("{} [honeyplant event {}, session {}]", finding.sentences(), finding.id(), finding.session());
        let make = |template: Template, slots: Vec<(Slot, Value)>| {
            let uuid = own(template.0);
            object(template, uuid, slots, &comment, finding)
        };
        self.objects.push(make(CONNECTION, connection(finding)));
        let (user, secret) = (finding.user(), finding.secret());
        if user.is_some() || secret.is_some() {
            let texts = [("username", user), ("password", secret)];
            let texts =
                texts.into_iter().filter_map(|(relation, text)| Some(((relation, "text", "Other"), text?.into())));
            self.objects.push(make(CREDENTIAL, texts.collect()));
        }
        if let Some(left) = finding.left() {
            let mut slots = vec![(("sha256", "sha256", "Payload delivery"), Value::from(left.sha256))];
            if let Some(size) = left.size {
                slots.push((("size-in-bytes", "size-in-bytes", "Other"), size.to_string().into()));
            }
            if let Some(name) = left.name {
                slots.push((("filename", "filename", "Payload delivery"), name.into()));
            }
            self.objects.push(make(FILE, slots));
        }
        if let Some(asked) = finding.asked() {
            const NETWORK: &str = "Network activity";
            let mut slots = vec![
                (("uri", "uri", NETWORK), Value::from(asked.target)),
                (("ip-src", "ip-src", NETWORK), finding.source.ip.to_string().into()),
            ];
            if is_method(&asked.method) {
                slots.push((("method", "http-method", NETWORK), asked.method.into()));
            }
            if let Some(agent) = asked.agent.filter(|agent| !agent.is_empty()) {
                slots.push((("user-agent", "user-agent", NETWORK), agent.into()));
            }
            self.objects.push(make(REQUEST, slots));
        }
        if finding.indicates() {
            let ip = finding.source.ip.to_string();
            // The same for the whole day, however often it comes.
            let uuid = sharing.own.of(&format!("misp ip-src {} {ip}", day(finding.at()))).to_string();
            let attribute = json!({
                "uuid": uuid, "type": "ip-src", "category": "Network activity", "value": ip, "to_ids": true,
                "comment": "It attacked an industrial decoy", "distribution": 5,
            });
            self.attributes.insert(uuid, attribute);
        }
    }

    /// The event `uuid` with this, put into `event`.
    pub(super) fn event(&self, uuid: Uuid, mut event: Fields) -> Fields {
        let tags: Vec<Value> = self.tags.iter().map(|name| json!({ "name": name })).collect();
        let attributes: Vec<&Value> = self.attributes.values().collect();
        event.set("uuid", uuid.to_string());
        event.set("Tag", tags);
        event.set("Attribute", json!(attributes));
        event.set("Object", self.objects.clone());
        event
    }

    /// Every attribute and object.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Value> {
        self.attributes.values().chain(&self.objects)
    }
}

fn connection(finding: &Finding<'_>) -> Vec<(Slot, Value)> {
    const NETWORK: &str = "Network activity";
    let mut slots: Vec<(Slot, Value)> = vec![
        (("ip-src", "ip-src", NETWORK), finding.source.ip.to_string().into()),
        (("src-port", "port", NETWORK), finding.source.port.to_string().into()),
        (("dst-port", "port", NETWORK), finding.port().to_string().into()),
        (("layer3-protocol", "text", "Other"), "IP".into()),
        (("layer4-protocol", "text", "Other"), finding.network.transport.to_uppercase().into()),
        (("layer7-protocol", "text", "Other"), finding.network.protocol.as_ref().into()),
        (("first-packet-seen", "datetime", "Other"), moment(finding.first()).into()),
        (("last-packet-seen", "datetime", "Other"), moment(finding.last()).into()),
    ];
    // A datagram may come from port 0, which MISP takes for none.
    slots.retain(|(slot, value)| slot.1 != "port" || value != "0");
    if let Some(decoy) = finding.decoy() {
        slots.push((("ip-dst", "ip-dst", NETWORK), decoy.to_string().into()));
    }
    if let Found::Session(ending, _) = &finding.found {
        slots.push((("src-bytes-count", "size-in-bytes", "Other"), ending.received.to_string().into()));
        slots.push((("dst-bytes-count", "size-in-bytes", "Other"), ending.sent.to_string().into()));
    }
    slots
}

/// An object and its attributes, whose UUIDs follow from its own.
fn object(template: Template, uuid: Uuid, slots: Vec<(Slot, Value)>, comment: &str, finding: &Finding<'_>) -> Value {
    let (name, template_uuid, version, category) = template;
    let attributes: Vec<Value> = slots
        .into_iter()
        .map(|((relation, kind, category), value)| {
            // MISP cuts white space off both ends, and refuses what is empty then.
            let value = match value.as_str() {
                Some(text) if text.trim().is_empty() => format!("{text:?}").into(),
                _ => value,
            };
            // An empty file is nothing to block by; the address has an attribute of its own for that.
            let block =
                kind == "sha256" && finding.indicates() && finding.left().is_some_and(|left| left.size != Some(0));
            // Half of all sessions of the world have the same port or protocol.
            let correlates = matches!(kind, "ip-src" | "sha256" | "filename" | "uri" | "user-agent");
            json!({
                "uuid": uuid.of(relation).to_string(), "object_relation": relation, "type": kind, "category": category,
                "value": value, "to_ids": block, "disable_correlation": !correlates, "distribution": 5,
            })
        })
        .collect();
    json!({
        "uuid": uuid.to_string(), "name": name, "meta-category": category, "description": name,
        "template_uuid": template_uuid, "template_version": version.to_string(), "distribution": 5,
        "comment": comment, "first_seen": moment(finding.first()), "last_seen": moment(finding.last()),
        "Attribute": attributes,
    })
}

/// The tag of a technique in the galaxy of MISP.
fn galaxy(id: &str) -> Option<String> {
    technique(id).map(|name| format!("misp-galaxy:mitre-attack-pattern=\"{name} - {id}\""))
}

/// Whether MISP takes it for a method of HTTP.
fn is_method(word: &str) -> bool {
    const METHODS: &[&str] = &[
        "OPTIONS",
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "PATCH",
        "SEARCH",
    ];
    METHODS.contains(&word)
}
