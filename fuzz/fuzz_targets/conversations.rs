//! Every conversation, driven by chance: no input may make one panic, stall, or take more than it was given.
//!
//! An input is: which service; then again and again how long to wait (hundredths of a second), how many bytes come
//! (0: a new peer), and the bytes.
#![no_main]

use honeyplant_dialogue::{Talk, stage};
use honeyplant_protocols::PROTOCOLS;
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

/// A device with everything that a service can have.
const PROFILE: &str = include_str!("../profile.toml");

fuzz_target!(|input: &[u8]| {
    // A new device for each input: what one input changed would hide what the next one finds.
    let stage = stage(PROTOCOLS, PROFILE).expect("the profile is right");
    let Some((&service, mut rest)) = input.split_first() else { return };
    let name = PROTOCOLS[usize::from(service) % PROTOCOLS.len()].name();
    let start = || Talk::start(&stage, name, stage.started).expect("the profile has every service");
    let mut talk = start();
    while let [wait, count, tail @ ..] = rest {
        let (bytes, tail) = tail.split_at(usize::from(*count).min(tail.len()));
        rest = tail;
        talk.pass(Duration::from_millis(10 * u64::from(*wait)));
        if *count == 0 || talk.is_over() {
            talk.leave();
            talk = start();
        }
        if let Err(why) = talk.receive(bytes) {
            panic!("{why}");
        }
        talk.take_answer();
        talk.take_events();
    }
    talk.leave();
});
