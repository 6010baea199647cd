//! FTP: what a device's server answers, and what is carried over its channels. Apart from `control.rs`, because here is
//! what all sessions share.

mod ascii;
mod build;
mod channel;
mod command;
mod control;
mod glob;
mod lists;
mod login;
mod replies;
mod secure;
mod server;
mod settings;
mod site;
mod transfer;
mod tree;
mod wire;

use control::Control;
use honeyplant_core::{
    conversation::{Conversation, Protocol, Service, Transport},
    device::Device,
    settings::{Problem, Settings},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use server::Server;
use std::sync::Arc;

/// FTP.
pub(crate) struct Ftp;

impl Protocol for Ftp {
    fn name(&self) -> &'static str {
        "ftp"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Tcp(21)]
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        settings::Settings::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, device: &Device) -> Result<Arc<dyn Service>, Vec<Problem>> {
        let read: settings::Settings = settings.read().map_err(|problem| vec![problem])?;
        Ok(Arc::new(Shared(Arc::new(build::server(&read, settings.key(), device)?))))
    }
}

/// The server of one device, which all its sessions share.
struct Shared(Arc<Server>);

impl Service for Shared {
    fn converse(&self) -> Box<dyn Conversation> {
        Box::new(Control::new(self.0.clone()))
    }

    fn longest_message(&self) -> usize {
        self.0.longest_line
    }
}
