//! `honeyplant check`: everything that can be wrong with a site, without running it.

use super::{Common, Ready, ready, say};
use crate::{complaint::Failure, site::Choice};
use honeyplant_core::conversation::Transport;
use serde_json::{Value, json};
use std::{path::PathBuf, time::SystemTime};

/// Say what is wrong with a site, or what it would run.
#[derive(clap::Args)]
pub(crate) struct Check {
    /// The folder of the site; the demo site if it is not given
    #[arg(value_name = "SITE")]
    site: Option<PathBuf>,
    /// Try every sink, without delivering anything
    #[arg(long)]
    probe: bool,
}

impl Check {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let Ready { site, built, sinks, meaning, .. } = ready(self.site.as_deref(), common)?;
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
        for file in meaning.files(SystemTime::now()) {
            if common.json {
                say(json!({ "file": file }));
            } else {
                say(format_args!("  {file}"));
            }
        }
        if self.probe {
            probe(sinks, common)?;
        }
        if !common.json {
            let (devices, wires) = (built.shown.len(), built.wires.len());
            say(format_args!("nothing is wrong with {} (devices: {devices}, wires: {wires})", site.name));
        }
        Ok(())
    }
}

/// Tries every sink; those that cannot be reached are all told at once.
fn probe(sinks: Vec<Choice>, common: &Common) -> Result<(), Failure> {
    let mut failure = Failure::default();
    for Choice { name, mut sink, .. } in sinks {
        let found = sink.probe();
        match &found {
            _ if common.json => say(
                json!({ "sink": name, "found": found.as_ref().ok(), "error": found.as_ref().err().map(|why| &why.0) }),
            ),
            Ok(found) => say(format_args!("  sink {name}: {found}")),
            Err(_) => {}
        }
        if let Err(why) = found {
            failure.0.extend(
                Failure::new(
                    format!("the sink {name} cannot be reached: {why}"),
                    "look at its table in the site, and at the other end",
                )
                .0,
            );
        }
    }
    failure.check()
}

fn service((protocol, at): &(&'static str, Transport)) -> Value {
    json!({ "protocol": protocol, "transport": at.carrier().name(), "port": at.port() })
}
