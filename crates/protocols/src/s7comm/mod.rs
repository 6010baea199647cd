//! S7comm over ISO-on-TCP: a controller of the SIMATIC S7-300 kind. Apart from the files of its layers and functions, because
//! here is how it stands in the list of protocols.

mod association;
mod blocks;
mod build;
mod clock;
mod connection;
mod cpu;
mod cyclic;
mod job;
mod message;
mod peer;
mod pi;
mod plus;
mod programmer;
mod security;
mod settings;
mod setup;
mod szl;
mod userdata;
mod variable;
mod wire;

use connection::Connection;
use cpu::Cpu;
use honeyplant_core::{
    conversation::{Conversation, Protocol, Service, Transport},
    device::Device,
    settings::{Problem, Settings},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::sync::Arc;

/// S7comm.
pub(crate) struct S7comm;

impl Protocol for S7comm {
    fn name(&self) -> &'static str {
        "s7comm"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Tcp(102)]
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        settings::Settings::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, device: &Device) -> Result<Arc<dyn Service>, Vec<Problem>> {
        let read: settings::Settings = settings.read().map_err(|problem| vec![problem])?;
        Ok(Arc::new(Tcp { cpu: Arc::new(build::cpu(&read, settings.key(), device)?) }))
    }
}

struct Tcp {
    cpu: Arc<Cpu>,
}

impl Service for Tcp {
    fn converse(&self) -> Box<dyn Conversation> {
        Box::new(Connection::new(self.cpu.clone()))
    }

    fn longest_message(&self) -> usize {
        self.cpu.longest_packet()
    }
}
