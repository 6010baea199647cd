//! STIX 2.1 (OASIS Standard, 10 June 2021): the objects that tell a finding. Apart from the sinks that carry them, because a
//! file and a TAXII server get the same.
//!
//! Every id follows from the install and the event that it tells of, so that what is told twice is told once.

mod bundle;
pub(super) mod file;
mod observables;
mod techniques;

pub(super) use {bundle::Bundle, techniques::name as technique};

use super::sharing::{Fields, Finding, Found, Sharing, Tlp, day, moment, text};
use crate::document::{Stamp, Tool, ToolKind};
use serde_json::{Value, json};
use std::str::FromStr;

/// When what an object of ours says that never changes was written. It is the first version of each of those.
const WRITTEN: &str = "2026-11-22T00:00:00.000Z";
/// The extension of STIX by TLP 2.0, as OASIS publishes it.
const EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
/// How sure we are of what we saw, of what may be forged, and that an address still is who it was (§3.2, `confidence`).
const SURE: u8 = 95;
const FORGEABLE: u8 = 30;
const LIKELY: u8 = 80;

/// Writes findings as objects of STIX.
#[derive(Debug)]
pub(super) struct Author {
    pub(super) sharing: Sharing,
    identity: Value,
    marking: Value,
}

impl Author {
    pub(super) fn new(sharing: Sharing) -> Self {
        let (identity, marking) = (identity(&sharing), marking(sharing.settings.tlp));
        Self { sharing, identity, marking }
    }

    /// Adds what `finding` is to `bundle`.
    pub(super) fn write(&self, finding: &Finding<'_>, bundle: &mut Bundle) {
        bundle.add(self.marking.clone());
        bundle.add(self.identity.clone());
        let refs = self.observables(finding, bundle);
        let observed = self.observed(finding, refs, bundle);
        let grave = finding.severity() >= self.sharing.settings.event_severity;
        let session = matches!(finding.found, Found::Session(..));
        if session || grave {
            self.note(finding, &observed, bundle);
            self.sightings(finding, &observed, bundle);
        }
        if finding.indicates() {
            self.indicators(finding, &observed, bundle);
        }
    }

    fn observed(&self, finding: &Finding<'_>, refs: Vec<String>, bundle: &mut Bundle) -> String {
        let mut object = self.object("observed-data", finding.id(), &moment(finding.at()));
        object.set("first_observed", moment(finding.first()));
        object.set("last_observed", moment(finding.last()));
        object.set("number_observed", finding.count().clamp(1, 999_999_999));
        object.set("object_refs", refs);
        self.tell(&mut object, finding);
        bundle.add(object.into())
    }

    fn note(&self, finding: &Finding<'_>, observed: &str, bundle: &mut Bundle) {
        let mut object = self.object("note", finding.id(), &moment(finding.at()));
        object.set("abstract", format!("{} at an industrial decoy", finding.network.protocol));
        object.set("content", finding.sentences());
        object.set("object_refs", json!([observed]));
        self.tell(&mut object, finding);
        bundle.add(object.into());
    }

    /// What was seen of what others have described: techniques and tools.
    fn sightings(&self, finding: &Finding<'_>, observed: &str, bundle: &mut Bundle) {
        for technique in finding.techniques() {
            let target = bundle.add(techniques::attack_pattern(technique, self));
            self.sighting(finding, &target, observed, bundle);
        }
        for tool in finding.tools() {
            let target = bundle.add(self.tool(tool));
            self.sighting(finding, &target, observed, bundle);
        }
    }

    fn sighting(&self, finding: &Finding<'_>, of: &str, observed: &str, bundle: &mut Bundle) {
        let name = format!("{} {of}", finding.id());
        let mut object = self.object("sighting", &name, &moment(finding.at()));
        object.set("first_seen", moment(finding.first()));
        object.set("last_seen", moment(finding.last()));
        object.set("count", finding.count().clamp(1, 999_999_999));
        object.set("sighting_of_ref", of);
        object.set("observed_data_refs", json!([observed]));
        object.set("where_sighted_refs", json!([text(&self.identity, "id")]));
        self.tell(&mut object, finding);
        bundle.add(object.into());
    }

    /// What others may block by. An indicator says nothing but what is true of the whole day, so that every session of that
    /// day makes the same; how often it was seen is told by its sightings.
    fn indicators(&self, finding: &Finding<'_>, observed: &str, bundle: &mut Bundle) {
        let kind = if finding.source.ip.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
        let pattern = format!("[{kind}:value = '{}']", finding.source.ip);
        let name = format!("{} attacked an industrial decoy", finding.source.ip);
        self.indicator(finding, name, pattern, observed, bundle);
        if let Some(left) = finding.left().filter(|left| left.size != Some(0)) {
            let pattern = format!("[file:hashes.'SHA-256' = '{}']", left.sha256);
            self.indicator(finding, "A file that was brought to an industrial decoy".into(), pattern, observed, bundle);
        }
    }

    fn indicator(&self, finding: &Finding<'_>, name: String, pattern: String, observed: &str, bundle: &mut Bundle) {
        let day = day(finding.at());
        let from = format!("{day}T00:00:00.000Z");
        let mut object = self.object("indicator", &format!("{day} {pattern}"), &from);
        object.set("name", name);
        object.set(
            "description",
            "Nobody has business with a decoy: what is told of here was no mistake of an operator.",
        );
        object.set("indicator_types", json!(["malicious-activity"]));
        object.set("pattern", pattern);
        object.set("pattern_type", "stix");
        object.set("pattern_version", "2.1");
        object.set("valid_until", until(&from, self.sharing.settings.valid.0));
        object.set("valid_from", from.clone());
        object.set("confidence", LIKELY);
        object.set("labels", json!(["honeypot", "ics"]));
        let indicator = bundle.add(object.into());
        self.sighting(finding, &indicator, observed, bundle);
        for technique in finding.techniques() {
            let target = bundle.add(techniques::attack_pattern(technique, self));
            self.relationship(&indicator, "indicates", &target, &from, bundle);
        }
        for tool in finding.tools() {
            let target = bundle.add(self.tool(tool));
            self.relationship(&indicator, "indicates", &target, &from, bundle);
        }
        self.relationship(&indicator, "based-on", observed, &moment(finding.at()), bundle);
    }

    fn relationship(&self, source: &str, kind: &str, target: &str, created: &str, bundle: &mut Bundle) {
        let mut object = self.object("relationship", &format!("{source} {kind} {target}"), created);
        object.set("relationship_type", kind);
        object.set("source_ref", source);
        object.set("target_ref", target);
        bundle.add(object.into());
    }

    fn tool(&self, tool: &Tool) -> Value {
        // The vocabulary `tool-type-ov`.
        let kind = match tool.kind {
            ToolKind::Scanner | ToolKind::Discovery => "information-gathering",
            ToolKind::Client => "remote-access",
            ToolKind::Attack => "exploitation",
        };
        let mut object = self.object("tool", &tool.name, WRITTEN);
        object.set("name", tool.name.as_ref());
        object.set("tool_types", json!([kind]));
        object.into()
    }

    /// An object of ours whose id follows from `name`, in its only version.
    fn object(&self, kind: &str, name: &str, created: &str) -> Fields {
        let id = self.sharing.own.of(&format!("{kind} {name}"));
        let mut object = Fields::default();
        object.set("type", kind);
        object.set("spec_version", "2.1");
        object.set("id", format!("{kind}--{id}"));
        object.set("created_by_ref", text(&self.identity, "id"));
        object.set("created", created);
        object.set("modified", created);
        object.set("object_marking_refs", self.markings());
        object
    }

    fn markings(&self) -> Value {
        json!([text(&self.marking, "id")])
    }

    /// Which event and session an object tells of, for whoever asks the operator for more.
    fn tell(&self, object: &mut Fields, finding: &Finding<'_>) {
        object.set("confidence", if finding.is_proven() { SURE } else { FORGEABLE });
        object.set("labels", json!(["honeypot", "ics", finding.network.protocol]));
        object.set(
            "external_references",
            json!([
                { "source_name": "honeyplant event", "external_id": finding.id() },
                { "source_name": "honeyplant session", "external_id": finding.session() },
            ]),
        );
    }
}

/// Who shares (§4.5).
fn identity(sharing: &Sharing) -> Value {
    let settings = &sharing.settings;
    let (name, class) = match &settings.organisation {
        Some(name) => (name.as_str(), "organization"),
        None => ("A honeyplant sensor", "system"),
    };
    // Who is called otherwise is another: an identity never changes.
    let id = sharing.own.of(&format!("identity {class} {name} {}", settings.sector.as_deref().unwrap_or_default()));
    let mut identity = Fields::of(json!({
        "type": "identity", "spec_version": "2.1", "id": format!("identity--{id}"),
        "created": WRITTEN, "modified": WRITTEN,
        "name": name, "identity_class": class,
        "description": "It shares what decoys of industrial devices see.",
    }));
    identity.maybe("sectors", settings.sector.as_ref().map(|sector| json!([sector])));
    identity.into()
}

/// How it may be shared further: for what STIX predefines (§7.2.1.4) that, which every reader knows; else the object that
/// OASIS publishes for TLP 2.0.
fn marking(tlp: Tlp) -> Value {
    let predefined = |id: &str, name: &str, label: &str| {
        json!({
            "type": "marking-definition", "spec_version": "2.1", "id": format!("marking-definition--{id}"),
            "created": "2017-01-20T00:00:00.000Z", "name": name,
            "definition_type": "tlp", "definition": { "tlp": label },
        })
    };
    let extended = |id: &str, name: &str| {
        json!({
            "type": "marking-definition", "spec_version": "2.1", "id": format!("marking-definition--{id}"),
            "created": "2022-10-01T00:00:00.000Z", "name": name,
            "extensions": { EXTENSION: { "extension_type": "property-extension", "tlp_2_0": tlp.label() } },
        })
    };
    match tlp {
        Tlp::Clear => extended("94868c89-83c2-464b-929b-a1a8aa3c8487", "TLP:CLEAR"),
        Tlp::Green => predefined("34098fce-860f-48ae-8e50-ebd3cc5e41da", "TLP:GREEN", "green"),
        Tlp::Amber => predefined("f88d31f6-486f-44da-b317-01333bde0b82", "TLP:AMBER", "amber"),
        Tlp::AmberStrict => extended("939a9414-2ddd-4d32-a0cd-375ea402b003", "TLP:AMBER+STRICT"),
        Tlp::Red => predefined("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "TLP:RED", "red"),
    }
}

/// So long after a moment.
fn until(from: &str, valid: std::time::Duration) -> String {
    let end = Stamp::from_str(from).ok().and_then(|from| from.timestamp().checked_add(valid).ok());
    let end = end.and_then(|end| Stamp::from_str(&end.to_string()).ok());
    end.map_or_else(|| "9999-12-31T23:59:59.999Z".into(), moment)
}
