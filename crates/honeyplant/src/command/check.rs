//! `honeyplant check`: everything that can be wrong with a site, without running it.

use super::{Common, Ready, ready, say};
use crate::complaint::Failure;
use honeyplant_core::conversation::Transport;
use serde_json::{Value, json};
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
        let Ready { site, built, .. } = ready(self.site.as_deref(), common)?;
        for device in &built.shown {
            if common.json {
                say(json!({
                    "device": device.name,
                    "title": device.title,
                    "addresses": device.addresses,
                    "services": device.services.iter().map(service).collect::<Vec<_>>(),
                }));
            } else {
                say(device);
            }
        }
        if !common.json {
            let (devices, wires) = (built.shown.len(), built.wires.len());
            say(format_args!("nothing is wrong with {} (devices: {devices}, wires: {wires})", site.name));
        }
        Ok(())
    }
}

fn service((protocol, at): &(&'static str, Transport)) -> Value {
    json!({ "protocol": protocol, "transport": at.carrier().name(), "port": at.port() })
}
