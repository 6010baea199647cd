//! HTTP: what a device's web server answers. Apart from `talk.rs`, because here is what all connections share.

mod answer;
mod build;
mod compose;
mod flaw;
mod head;
mod login;
mod pages;
mod range;
mod read;
mod server;
mod settings;
mod store;
mod talk;
mod visitor;
mod wire;

use honeyplant_core::{
    conversation::{Conversation, Protocol, Service, Transport},
    device::Device,
    settings::{Problem, Settings},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use server::Server;
use std::sync::Arc;
use talk::Talk;

/// HTTP, and over TLS the same.
pub(crate) struct Http;

impl Protocol for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Tcp(80)]
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        settings::Settings::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, device: &Device) -> Result<Arc<dyn Service>, Vec<Problem>> {
        let read: settings::Settings = settings.read().map_err(|problem| vec![problem])?;
        Ok(Arc::new(Shared(Arc::new(build::server(&read, settings.key(), device)?))))
    }
}

/// The server of one device, which all its connections share.
struct Shared(Arc<Server>);

impl Service for Shared {
    fn converse(&self) -> Box<dyn Conversation> {
        Box::new(Talk::new(self.0.clone()))
    }

    fn longest_message(&self) -> usize {
        self.0.longest_message()
    }
}
