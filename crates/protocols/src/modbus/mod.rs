//! Modbus/TCP: what a device answers. Apart from `slave.rs`, because here is what only TCP has: connections, frames,
//! and what becomes of broken ones.

mod attempt;
mod build;
mod diagnostics;
mod files;
mod identification;
mod map;
mod mbap;
mod ranges;
mod settings;
mod slave;
mod unit;
mod wire;

use honeyplant_core::{
    conversation::{Context, Conversation, Protocol, Service, Step, Transport},
    device::Device,
    event::Kind,
    settings::{Problem, Settings},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use settings::Broken;
use slave::Slave;
use std::sync::Arc;

/// Modbus/TCP.
pub(crate) struct Modbus;

impl Protocol for Modbus {
    fn name(&self) -> &'static str {
        "modbus"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Tcp(502)]
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        settings::Settings::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, device: &Device) -> Result<Arc<dyn Service>, Vec<Problem>> {
        let read: settings::Settings = settings.read().map_err(|problem| vec![problem])?;
        let slave = build::slave(&read, settings.key(), device)?;
        Ok(Arc::new(Tcp { slave: Arc::new(slave), bad_protocol_id: read.bad_protocol_id, bad_length: read.bad_length }))
    }
}

/// The slave of one device, reached over TCP.
#[derive(Clone)]
struct Tcp {
    slave: Arc<Slave>,
    bad_protocol_id: Broken,
    bad_length: Broken,
}

impl Service for Tcp {
    fn converse(&self) -> Box<dyn Conversation> {
        Box::new(Connection { tcp: self.clone(), state: State::Open })
    }

    fn longest_message(&self) -> usize {
        mbap::LONGEST
    }
}

struct Connection {
    tcp: Tcp,
    state: State,
}

enum State {
    /// A frame comes next.
    Open,
    /// So many bytes of a broken frame are still to come.
    Skipping(usize),
    /// The connection is being closed.
    Closed,
}

impl Conversation for Connection {
    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step {
        match self.state {
            State::Closed => return Step::Took(input.len()),
            State::Skipping(left) => return self.skip(left, input.len()),
            State::Open => {}
        }
        match mbap::frame(input) {
            None => Step::Wait,
            Some(Ok((adu, length))) => {
                // The answer is written behind others that may still wait in `out`, while the context records.
                let mut out = std::mem::take(cx.out);
                mbap::put(&mut out, adu.transaction, adu.unit, |out| {
                    self.tcp.slave.answer(adu.unit, adu.pdu, out, cx);
                });
                *cx.out = out;
                Step::Took(length)
            }
            Some(Err((broken, claimed))) => {
                cx.record(Kind::Malformed { why: broken.why() });
                let ignored = match broken {
                    mbap::Broken::Protocol => self.tcp.bad_protocol_id,
                    mbap::Broken::Length | mbap::Broken::Both => self.tcp.bad_length,
                };
                match ignored {
                    Broken::Ignore => self.skip(claimed, input.len()),
                    Broken::Close => {
                        self.state = State::Closed;
                        cx.hang_up();
                        Step::Took(input.len())
                    }
                }
            }
        }
    }
}

impl Connection {
    /// Passes over `left` bytes, of which `there` have come.
    fn skip(&mut self, left: usize, there: usize) -> Step {
        let took = left.min(there);
        self.state = if left > took { State::Skipping(left - took) } else { State::Open };
        Step::Took(took)
    }
}
