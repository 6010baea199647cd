//! `honeyplant profiles`: the kinds of device there are.

use super::{Common, say};
use crate::{
    complaint::{Failure, Source},
    library,
};
use honeyplant_core::profile::Profile;
use honeyplant_protocols::PROTOCOLS;
use serde_json::json;

/// List the kinds of device there are, or print the profile of one.
#[derive(clap::Args)]
pub(crate) struct Profiles {
    /// The profile to print
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl Profiles {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        if let Some(name) = &self.name {
            let source = library::profile(None, name).map_err(|problem| Failure(vec![format!("error: {problem}")]))?;
            say(source.text.trim_end());
            return Ok(());
        }
        for name in library::names(None) {
            let Ok(source) = library::profile(None, &name) else { continue };
            let Source { text, .. } = &source;
            let Ok(profile) = Profile::parse(text, PROTOCOLS) else { continue };
            let services = profile.services().collect::<Vec<_>>();
            if common.json {
                say(json!({ "profile": name, "title": profile.about.title, "services": services }));
            } else {
                say(format_args!("{name:<20} {} ({})", profile.about.title, services.join(", ")));
            }
        }
        Ok(())
    }
}
