//! A device's files against a simple model of them, change by change. Apart from the code and from the other tests, because
//! what is drawn here finds what nobody thought of.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails panics")]

use honeyplant_core::{
    files::{Kind, Place, ROOT, Refusal, Space},
    identity::Identity,
    profile::Profile,
    random::Random,
};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// Files by path, folders as none: what a tree would be if nothing had to be fast or shared.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model(BTreeMap<String, Option<Vec<u8>>>);

impl Model {
    fn parent(&self, path: &str) -> Result<(), Refusal> {
        let mut end = 0;
        while let Some(next) = path[end + 1..].find('/') {
            end += 1 + next;
            match self.0.get(&path[..end]) {
                None => return Err(Refusal::Missing),
                Some(Some(_)) => return Err(Refusal::NotFolder),
                Some(None) => {}
            }
        }
        Ok(())
    }

    fn find(&self, path: &str) -> Result<&Option<Vec<u8>>, Refusal> {
        self.parent(path)?;
        self.0.get(path).ok_or(Refusal::Missing)
    }

    fn under(&self, path: &str) -> Vec<String> {
        self.0.keys().filter(|key| key.starts_with(&format!("{path}/"))).cloned().collect()
    }

    fn write(&mut self, path: &str, bytes: &[u8], place: Place) -> Result<(), Refusal> {
        self.parent(path)?;
        let there = self.0.get(path).cloned();
        match (there, place) {
            (Some(_), Place::New) => return Err(Refusal::Exists),
            (Some(None), _) => return Err(Refusal::IsFolder),
            (there, Place::Append) => {
                let mut all = there.flatten().unwrap_or_default();
                all.extend(bytes);
                self.0.insert(path.into(), Some(all));
            }
            (there, Place::At(at)) => {
                let mut all = there.flatten().unwrap_or_default();
                for (index, byte) in bytes.iter().enumerate() {
                    let index = at as usize + index;
                    all.resize(all.len().max(index + 1), 0);
                    all[index] = *byte;
                }
                all.resize(all.len().max(at as usize), 0);
                self.0.insert(path.into(), Some(all));
            }
            (_, Place::New | Place::Replace) => drop(self.0.insert(path.into(), Some(bytes.to_vec()))),
        }
        Ok(())
    }

    fn make(&mut self, path: &str) -> Result<(), Refusal> {
        self.parent(path)?;
        if self.0.contains_key(path) {
            return Err(Refusal::Exists);
        }
        self.0.insert(path.into(), None);
        Ok(())
    }

    fn remove(&mut self, path: &str, folder: bool) -> Result<(), Refusal> {
        match (self.find(path)?, folder) {
            (None, false) => return Err(Refusal::IsFolder),
            (Some(_), true) => return Err(Refusal::NotFolder),
            (None, true) if !self.under(path).is_empty() => return Err(Refusal::NotEmpty),
            _ => {}
        }
        self.0.remove(path);
        Ok(())
    }

    fn carry(&mut self, path: &str, target: &str, copy: bool) -> Result<(), Refusal> {
        let is_folder = self.find(path)?.is_none();
        self.parent(target)?;
        if target == path && !copy {
            return Ok(());
        }
        if copy && self.0.contains_key(target) {
            return Err(Refusal::Exists);
        }
        if target.starts_with(&format!("{path}/")) {
            return Err(Refusal::Invalid);
        }
        match (self.0.get(target), is_folder) {
            (Some(Some(_)), true) => return Err(Refusal::NotFolder),
            (Some(None), false) => return Err(Refusal::IsFolder),
            (Some(None), true) if !self.under(target).is_empty() => return Err(Refusal::NotEmpty),
            _ => {}
        }
        let mut all = self.under(path);
        all.push(path.into());
        for from in all {
            let value = if copy { self.0[&from].clone() } else { self.0.remove(&from).unwrap() };
            self.0.insert(format!("{target}{}", &from[path.len()..]), value);
        }
        Ok(())
    }
}

#[test]
fn a_thousand_changes_leave_what_a_simple_model_says() {
    for seed in 0..6 {
        let profile = Profile::parse("[profile]\ntitle = 't'", &[]).unwrap();
        let (device, _) =
            profile.device("plc", "test", Identity::default(), 1, None).unwrap_or_else(|p| panic!("{p:?}"));
        let mut random = Random::seeded(seed);
        let mut model = Model::default();
        let mut other = Model::default();
        for step in 0..1000 {
            let path = |random: &mut Random| {
                let depth = 1 + random.below(3);
                (0..depth).fold(String::new(), |path, _| format!("{path}/{}", ["a", "b", "c"][random.below(3)]))
            };
            let (one, two) = (path(&mut random), path(&mut random));
            let bytes = vec![b'x'; random.below(20)];
            let place =
                [Place::New, Place::Replace, Place::Append, Place::At(random.below(30) as u64)][random.below(4)];
            // Two actors in turn, each with a model of its own.
            let actor = (step % 2) as u8;
            let model = if actor == 0 { &mut model } else { &mut other };
            let mut view = device.files().of(IpAddr::from([198, 51, 100, actor]), &ROOT, Duration::ZERO);
            let (is, should, what) = match random.below(8) {
                0 | 1 => (view.make_folder(&one), model.make(&one), "make"),
                2 | 3 => (view.write(&one, &bytes, place), model.write(&one, &bytes, place), "write"),
                4 => (view.remove(&one), model.remove(&one, false), "remove"),
                5 => (view.remove_folder(&one), model.remove(&one, true), "remove folder"),
                6 => (view.rename(&one, &two), model.carry(&one, &two, false), "rename"),
                _ => (view.copy_tree(&one, &two), model.carry(&one, &two, true), "copy"),
            };
            assert_eq!(is, should, "seed {seed}, step {step}: {what} {one} {two} {place:?} in {model:?}");
            let found: BTreeMap<String, Option<Vec<u8>>> = view
                .walk("/")
                .unwrap()
                .into_iter()
                .map(|(path, facts)| {
                    let bytes = (facts.kind == Kind::File).then(|| view.read(&path).unwrap().to_vec());
                    (path.into(), bytes)
                })
                .collect();
            assert_eq!(Model(found), *model, "seed {seed}, step {step}: {what} {one} {two}");
            let held: u64 = model.0.values().flatten().map(|bytes| bytes.len() as u64).sum();
            let Space { size, free } = view.space("/");
            assert_eq!(size - free, held, "seed {seed}, step {step}: {what} {one} {two}");
        }
    }
}
