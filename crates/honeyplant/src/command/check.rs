//! `honeyplant check`: everything that can be wrong with a site, without running it.

use super::{Common, say};
use crate::{complaint::Failure, site::Site, state::State};
use serde_json::json;
use std::path::PathBuf;

/// Say what is wrong with a site, or what it would run.
#[derive(clap::Args)]
pub(crate) struct Check {
    /// The folder of the site; the demo site if it is not given
    #[arg(value_name = "SITE")]
    site: Option<PathBuf>,
}

impl Check {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let mut site = Site::load(self.site.as_deref())?;
        site.port_offset = common.port_offset.unwrap_or(site.port_offset);
        let mut state = State::open(&common.state)?;
        let mut failure = Failure::default();
        let built = failure.keep(site.build(&mut state));
        failure.keep(site.sinks(state.folder()));
        failure.check()?;
        let (_, shown) = built.unwrap_or_default();
        for device in &shown {
            if common.json {
                say(json!({
                    "device": device.name,
                    "title": device.title,
                    "addresses": device.addresses,
                    "services": device.services.iter().map(|(name, port)| json!({"protocol": name, "port": port})).collect::<Vec<_>>(),
                }));
            } else {
                say(device);
            }
        }
        if !common.json {
            say(format_args!("{}: nothing wrong, {} devices", site.name, shown.len()));
        }
        Ok(())
    }
}
