//! The laws that every protocol keeps. A new protocol is held to them by standing in the list.

use honeyplant_core::{profile::Profile, random::Random};
use honeyplant_dialogue::{Dialogue, feed, play, stage};
use honeyplant_protocols::PROTOCOLS;
use schemars::SchemaGenerator;
use std::{fs, path::Path};

/// Each dialogue in the folder of a protocol: its path and its text.
fn dialogues(protocol: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(protocol).join("dialogues");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<_> = files
        .map(|file| file.expect("the folder can be read").path())
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("a dialogue is text")))
        .collect();
    assert!(!found.is_empty(), "{protocol} has no dialogue");
    found.sort();
    found
}

#[test]
fn every_dialogue_holds_however_it_is_cut() {
    let mut failed = Vec::new();
    for (path, script) in PROTOCOLS.iter().flat_map(|protocol| dialogues(protocol.name())) {
        for cut in [usize::MAX, 1, 2, 3, 5, 7] {
            if let Err(why) = play(PROTOCOLS, None, &script, cut) {
                failed.push(format!("{path} (cut every {cut}): {why}"));
                break;
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn noise_is_taken_without_a_breach_of_contract() {
    let mut random = Random::seeded(1);
    for protocol in PROTOCOLS {
        for (path, script) in dialogues(protocol.name()) {
            let dialogue = Dialogue::parse(&script).unwrap();
            let device = stage(PROTOCOLS, dialogue.profile.as_deref().unwrap()).unwrap();
            let sent = dialogue.sent();
            for _ in 0..300 {
                let noise: Vec<u8> = (0..random.below(300)).map(|_| random.bits() as u8).collect();
                let mut mutant = sent.clone();
                for _ in 0..=random.below(8) {
                    let at = random.below(mutant.len());
                    if let Some(byte) = mutant.get_mut(at) {
                        *byte = random.bits() as u8;
                    }
                }
                for bytes in [noise, mutant] {
                    let cut = 1 + random.below(40);
                    feed(&device, protocol.name(), bytes.chunks(cut))
                        .unwrap_or_else(|why| panic!("{path}: {bytes:02x?} cut every {cut}: {why}"));
                }
            }
        }
    }
}

#[test]
fn a_peer_may_leave_at_any_byte() {
    for protocol in PROTOCOLS {
        for (path, script) in dialogues(protocol.name()) {
            let dialogue = Dialogue::parse(&script).unwrap();
            let device = stage(PROTOCOLS, dialogue.profile.as_deref().unwrap()).unwrap();
            let sent = dialogue.sent();
            for end in 0..sent.len() {
                feed(&device, protocol.name(), [&sent[..end]]).unwrap_or_else(|why| panic!("{path} at {end}: {why}"));
            }
        }
    }
}

#[test]
fn a_tag_that_is_not_there_is_told_with_its_key_and_a_hint() {
    for protocol in PROTOCOLS {
        let mut told = 0;
        for (path, script) in dialogues(protocol.name()) {
            let text = Dialogue::parse(&script).unwrap().profile.unwrap();
            let identity = stage(PROTOCOLS, &text).unwrap().device.identity().clone();
            // Each tag in turn is given another name; whoever refers to it by the old one must say so.
            for line in text.lines().filter(|line| line.contains("= { type =")) {
                let (name, _) = line.split_once(' ').unwrap();
                if !text.replace(line, "").contains(&format!("\"{name}\"")) {
                    continue;
                }
                let renamed = text.replace(line, &line.replacen(name, &format!("{name}-elsewhere"), 1));
                let profile = Profile::parse(&renamed, PROTOCOLS).unwrap();
                let problems = profile.device("decoy", "dialogue", identity.clone(), 1, None).err().unwrap_or_default();
                let at_home = |key: &str| key.starts_with(&format!("{}.", protocol.name()));
                assert!(!problems.is_empty(), "{path}: `{name}` is not missed");
                for problem in problems {
                    assert!(
                        at_home(&problem.key)
                            && problem.message.contains(name)
                            && problem.hint.is_some()
                            && problem.span.is_some(),
                        "{path}: {problem:?}"
                    );
                }
                told += 1;
            }
        }
        // A protocol whose settings cannot name a tag has none to get wrong.
        let names_tags = format!("{:?}", protocol.schema(&mut SchemaGenerator::default())).contains("\"tag\"");
        assert!(told > 0 || !names_tags, "no dialogue of {} refers to a tag", protocol.name());
    }
}

#[test]
fn the_device_of_the_fuzzer_has_every_service() {
    let stage = stage(PROTOCOLS, include_str!("../../../fuzz/profile.toml")).unwrap_or_else(|why| panic!("{why}"));
    for protocol in PROTOCOLS {
        feed(&stage, protocol.name(), [&b"?"[..]]).unwrap();
    }
}

#[test]
fn the_schema_of_every_protocol_is_a_table() {
    let schema = Profile::schema(PROTOCOLS);
    for protocol in PROTOCOLS {
        let properties = schema.pointer(&format!("/properties/{}/properties/listen", protocol.name()));
        assert!(properties.is_some(), "{} has no table of its own", protocol.name());
    }
}
