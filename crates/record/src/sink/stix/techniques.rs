//! The techniques of ATT&CK for ICS as MITRE's own objects of STIX. Apart, because their ids are MITRE's, and not ours to
//! make up.

use super::{Author, WRITTEN};
use serde_json::{Value, json};

/// A line a technique: id, UUID, first version, tactics, name.
const TECHNIQUES: &str = include_str!("techniques.txt");
/// MITRE's identity in its own bundles.
const MITRE: &str = "identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5";

/// The object of the technique `id`. It is dated as MITRE's first version, so that whoever has a later one keeps that; a
/// technique that is not known yet is ours.
pub(super) fn attack_pattern(id: &str, author: &Author) -> Value {
    let reference = json!([{
        "source_name": "mitre-attack", "external_id": id, "url": format!("https://attack.mitre.org/techniques/{id}"),
    }]);
    let Some((uuid, created, tactics, name)) = find(id) else {
        let mut object = author.object("attack-pattern", id, WRITTEN);
        object.set("name", id);
        object.set("external_references", reference);
        return object.into();
    };
    let phases: Vec<Value> = tactics
        .split(',')
        .map(|tactic| json!({ "kill_chain_name": "mitre-ics-attack", "phase_name": tactic }))
        .collect();
    json!({
        "type": "attack-pattern", "spec_version": "2.1", "id": format!("attack-pattern--{uuid}"),
        "created_by_ref": MITRE, "created": created, "modified": created,
        "name": name, "external_references": reference, "kill_chain_phases": phases,
    })
}

/// The name of the technique `id`.
pub(in crate::sink) fn name(id: &str) -> Option<&'static str> {
    find(id).map(|(.., name)| name)
}

fn find(id: &str) -> Option<(&'static str, &'static str, &'static str, &'static str)> {
    let line = TECHNIQUES.lines().find_map(|line| line.strip_prefix(id)?.strip_prefix(' '))?;
    let mut parts = line.splitn(4, ' ');
    Some((parts.next()?, parts.next()?, parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_technique_of_the_record_is_one_of_mitre() {
        for technique in crate::attack::ROWS.iter().flat_map(|row| row.techniques) {
            assert_eq!(super::name(technique.id), Some(technique.name), "{}", technique.id);
        }
    }
}
