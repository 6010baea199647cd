//! What is wrong with a profile, for the tests of every protocol's settings. Apart, because all of them are told alike.

use honeyplant_core::{conversation::Protocol, identity::Identity, profile::Profile};

/// The mistakes in the profile `text`, each with the text that it points at.
pub(crate) fn mistakes(protocol: &'static dyn Protocol, text: &str) -> Vec<String> {
    let profile = Profile::parse(text, &[protocol]).unwrap();
    let problems = profile.device("decoy", "test", Identity::default(), 1, None).err().unwrap_or_default();
    let point = |span: std::ops::Range<usize>| text.get(span).unwrap().to_owned();
    problems.into_iter().map(|p| format!("{p} @ {}", p.span.clone().map_or_else(String::new, point))).collect()
}
