//! What actors leave is kept once, safely, within bounds; and what is not kept is told.

use crate::site::session;
use honeyplant_core::{
    artefact::Artefact,
    event::{Event, Kind},
    settings::Size,
};
use honeyplant_record::{ArtefactSettings, Artefacts};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::mpsc::{Receiver, channel},
};

fn open(state: &Path, settings: &ArtefactSettings) -> (Artefacts, Receiver<Event>) {
    let (tell, told) = channel();
    (Artefacts::open(state, settings, move |event| drop(tell.send(event))).unwrap(), told)
}

/// Leaves the texts, and waits until they are kept; how many were not.
fn leave(state: &Path, settings: &ArtefactSettings, texts: &[&str]) -> Vec<&'static str> {
    let (artefacts, told) = open(state, settings);
    texts.iter().for_each(|text| artefacts.keep(Artefact::new(text.as_bytes().to_vec()), &session(7)));
    artefacts.finish();
    let why = |event: Event| if let Kind::Discarded { why, .. } = event.kind { why } else { panic!("{event:?}") };
    told.try_iter().map(why).collect()
}

#[test]
fn what_was_left_is_there_once_and_cannot_be_executed() {
    let state = tempfile::tempdir().unwrap();
    let settings = ArtefactSettings::default();
    assert!(leave(state.path(), &settings, &["abc", "abc"]).is_empty());
    assert!(leave(state.path(), &settings, &["abc", "other"]).is_empty());
    let name = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let folder = state.path().join("artefacts");
    assert_eq!(fs::read(folder.join(name)).unwrap(), b"abc");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&folder), mode(&folder.join(name))), (0o700, 0o400));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);
    let origin: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
    assert_eq!((&origin["source"], &origin["size"]), (&"127.0.0.1".into(), &3.into()));
}

#[test]
fn what_is_too_much_is_told_and_stays_so_in_later_runs() {
    let state = tempfile::tempdir().unwrap();
    let settings = ArtefactSettings { size: Size(10), each: Size(6), count: 2 };
    let told = leave(state.path(), &settings, &["sevenfold", "four", "more", "even more"]);
    assert_eq!(told, ["it is larger than one artefact may be"; 2]);
    assert_eq!(leave(state.path(), &settings, &["four", "yes"]), ["the store of artefacts is full"]);
}

#[test]
fn half_a_file_of_a_killed_run_is_swept() {
    let state = tempfile::tempdir().unwrap();
    let part = state.path().join("artefacts/00.part");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(&part, "half").unwrap();
    leave(state.path(), &ArtefactSettings::default(), &[]);
    assert!(!part.exists());
}
