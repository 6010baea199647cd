//! What was observed (STIX 2.1 §6). Apart, because such objects have no version: their ids follow from what they are, the
//! same for everybody in the world (§2.9).

use super::{Author, Bundle};
use crate::sink::{
    sharing::{Fields, Finding, Found, moment, text},
    uuid::Uuid,
};
use serde_json::{Map, Value, json};

/// §2.9
const NAMESPACE: Uuid = Uuid(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);

impl Author {
    /// Adds what was observed of `finding`; the ids of what makes it up.
    pub(super) fn observables(&self, finding: &Finding<'_>, bundle: &mut Bundle) -> Vec<String> {
        let mut refs = Vec::new();
        let mut source = Fields::of(address(finding.source.ip));
        if let Some(system) = finding.autonomous_system() {
            let mut object = Fields::of(json!({ "type": "autonomous-system", "number": system.number }));
            object.maybe("name", system.organization.as_ref().map(|one| one.name.as_str()));
            let id = bundle.add(self.observable(object.into(), &["number"]));
            source.set("belongs_to_refs", json!([id]));
            refs.push(id);
        }
        let source = bundle.add(self.observable(source.into(), &["value"]));
        let decoy = finding.decoy().map(|ip| bundle.add(self.observable(address(ip), &["value"])));
        refs.insert(0, source.clone());
        refs.extend(decoy.clone());
        refs.insert(0, bundle.add(self.traffic(finding, &source, decoy)));
        if let Some(account) = self.account(finding) {
            refs.push(bundle.add(account));
        }
        if let Some(left) = finding.left() {
            let mut file = Fields::of(json!({ "type": "file", "hashes": { "SHA-256": left.sha256 } }));
            file.maybe("size", left.size);
            file.maybe("name", left.name);
            refs.push(bundle.add(self.observable(file.into(), &["hashes", "name"])));
        }
        if let Some(third) = finding.third() {
            refs.push(bundle.add(self.observable(address(third.ip), &["value"])));
        }
        refs.dedup();
        refs
    }

    /// §6.12
    fn traffic(&self, finding: &Finding<'_>, source: &str, decoy: Option<String>) -> Value {
        let mut object = Fields::of(json!({
            "type": "network-traffic",
            "start": moment(finding.first()),
            "src_ref": source,
            "src_port": finding.source.port,
            "dst_port": finding.port(),
            "protocols": protocols(finding),
        }));
        object.maybe("dst_ref", decoy);
        if let Found::Session(ending, _) = &finding.found {
            object.set("end", moment(finding.last()));
            object.set("is_active", false);
            object.set("src_byte_count", ending.received);
            object.set("dst_byte_count", ending.sent);
        }
        if let Some(asked) = finding.asked() {
            let mut request = Fields::of(json!({ "request_method": asked.method, "request_value": asked.target }));
            request.maybe("request_header", asked.agent.map(|agent| json!({ "User-Agent": [agent] })));
            object.set("extensions", json!({ "http-request-ext": Value::from(request) }));
        }
        let contributing = ["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"];
        self.observable(object.into(), &contributing)
    }

    /// §6.16. Who tries several passwords for one name tries several accounts, so that a password that is shared is part of the
    /// id. It is none of the properties that ids follow from, so that the id is of the kind of those that follow from nothing.
    fn account(&self, finding: &Finding<'_>) -> Option<Value> {
        let (user, secret) = (finding.user(), finding.secret());
        let mut object = Fields::of(json!({ "type": "user-account" }));
        object.maybe("account_login", user.as_deref());
        let Some(secret) = secret else {
            return user.map(|_| self.observable(object.into(), &["account_login"]));
        };
        let id = self.sharing.own.drawn(&json!(["user-account", user, secret]).to_string());
        object.set("credential", secret);
        Some(self.marked(object.into(), id))
    }

    /// An object whose id follows from its properties `contributing`.
    fn observable(&self, object: Value, contributing: &[&str]) -> Value {
        let parts: Map<String, Value> =
            contributing.iter().filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone()))).collect();
        let id = NAMESPACE.of(&canonical(&parts.into()));
        self.marked(object, id)
    }

    fn marked(&self, object: Value, id: Uuid) -> Value {
        let id = format!("{}--{id}", text(&object, "type"));
        let mut object = Fields::of(object);
        object.set("id", id);
        object.set("spec_version", "2.1");
        object.set("object_marking_refs", self.markings());
        object.into()
    }
}

fn address(ip: std::net::IpAddr) -> Value {
    let kind = if ip.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
    json!({ "type": kind, "value": ip.to_string() })
}

/// From the outermost to the innermost, by the names that IANA knows them by, if it does.
fn protocols(finding: &Finding<'_>) -> Vec<String> {
    let network = finding.network;
    let mut protocols = vec![network.family.to_string(), network.transport.to_string()];
    match &*network.protocol {
        "modbus" => protocols.push("mbap".into()),
        "s7comm" => protocols.push("iso-tsap".into()),
        "iec104" => protocols.push("iec-104".into()),
        name => protocols.push(name.to_owned()),
    }
    protocols
}

/// JSON in the one form that RFC 8785 allows. Our names are ASCII and our numbers integers, so that the order of names is
/// all that has to be seen to.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members: Vec<_> =
                members.into_iter().map(|(name, value)| format!("{}:{}", json!(name), canonical(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_id_that_it_has_for_everybody() {
        // As the reference implementation of OASIS makes it.
        let parts = canonical(&json!({ "value": "198.51.100.3" }));
        assert_eq!(parts, r#"{"value":"198.51.100.3"}"#);
        assert_eq!(NAMESPACE.of(&parts).to_string(), "28bb3599-77cd-5a82-a950-b5bc3caf07c4");
        assert_eq!(
            canonical(&json!({ "b": [1, "\u{1}ä\n"], "a": { "d": true, "c": "" } })),
            "{\"a\":{\"c\":\"\",\"d\":true},\"b\":[1,\"\\u0001ä\\n\"]}"
        );
    }
}
