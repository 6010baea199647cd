//! IEC 60870-5-104: a controlled station. Apart from `station.rs`, because here is what belongs to one connection: its
//! frames, its timers, and what becomes of broken ones.

mod asdu;
mod build;
mod command;
mod control;
mod element;
mod link;
mod objects;
mod parameter;
mod point;
mod report;
mod settings;
mod state;
mod station;
mod system;
mod wire;

use honeyplant_core::{
    conversation::{Context, Conversation, Protocol, Service, Step, Transport},
    device::Device,
    event::{Kind, Operation, Verdict},
    settings::{Problem, Settings},
};
use link::{Link, Transfer};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use station::Outstation;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};
use wire::{Frame, Function};

/// IEC 60870-5-104.
pub(crate) struct Iec104;

impl Protocol for Iec104 {
    fn name(&self) -> &'static str {
        "iec104"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Tcp(2404)]
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        settings::Settings::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, device: &Device) -> Result<Arc<dyn Service>, Vec<Problem>> {
        let read: settings::Settings = settings.read().map_err(|problem| vec![problem])?;
        let outstation = build::outstation(&read, settings.key(), device)?;
        Ok(Arc::new(Tcp { outstation: Arc::new(outstation) }))
    }
}

struct Tcp {
    outstation: Arc<Outstation>,
}

impl Service for Tcp {
    fn converse(&self) -> Box<dyn Conversation> {
        let outstation = self.outstation.clone();
        let token = 1 + outstation.conversations.fetch_add(1, Ordering::Relaxed);
        let link = Link::new(outstation.parameters);
        Box::new(Connection { outstation, token, link, next: None, over: false })
    }

    fn longest_message(&self) -> usize {
        wire::LONGEST
    }
}

struct Connection {
    outstation: Arc<Outstation>,
    /// Unlike that of any other conversation with this service.
    token: u64,
    link: Link,
    /// When the points are to be looked at again, or an output is to fall.
    next: Option<Instant>,
    /// Whether the connection is being closed.
    over: bool,
}

impl Conversation for Connection {
    fn open(&mut self, cx: &mut Context<'_>) {
        self.link.hear(cx.now);
        self.outstation.state().follow(cx.device());
        self.settle(cx);
    }

    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step {
        if self.over {
            return Step::Took(input.len());
        }
        let Some(found) = wire::frame(input) else { return Step::Wait };
        let (taken, length) = match found {
            Ok((frame, length)) => {
                self.link.hear(cx.now);
                (self.take(frame, cx), length)
            }
            Err(why) => (Err(why), input.len()),
        };
        if let Err(why) = taken {
            // §5.1 and §5.5: an error is answered by closing the connection.
            cx.record(Kind::Malformed { why });
            self.close(cx);
        }
        self.settle(cx);
        Step::Took(length)
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        if self.over {
            return;
        }
        self.yield_to_other();
        if self.link.wake(cx.now, cx.out).is_err() {
            return self.close(cx);
        }
        if self.next.is_some_and(|next| next <= cx.now) {
            self.tend(cx);
        }
        self.settle(cx);
    }

    fn end(&mut self, _cx: &mut Context<'_>) {
        self.leave();
        self.outstation.state().forget(self.token);
    }
}

impl Connection {
    /// Deals with a frame. The error says which rule it breaks so that the connection must be closed.
    fn take(&mut self, frame: Frame<'_>, cx: &mut Context<'_>) -> Result<(), &'static str> {
        self.yield_to_other();
        match frame {
            Frame::Information { send, receive, asdu } => {
                self.link.acknowledge(receive, cx.out)?;
                self.link.count(send, cx.now)?;
                self.catch_up(cx);
                let due = self.outstation.answer(asdu, self.token, &mut self.link, cx);
                self.next = self.next.into_iter().chain(due).min();
                self.link.acknowledge_window(cx.out);
            }
            Frame::Supervisory { receive } => {
                self.link.acknowledge(receive, cx.out)?;
                self.catch_up(cx);
            }
            Frame::Unnumbered(function) => self.perform(function, cx),
            Frame::Broken(why) => cx.record(Kind::Malformed { why }),
        }
        Ok(())
    }

    fn perform(&mut self, function: Function, cx: &mut Context<'_>) {
        match function {
            Function::StartAct => {
                self.outstation.start(self.token, &mut self.link, cx);
                self.tend(cx);
            }
            Function::StopAct => {
                self.link.wind_down(cx.out);
                self.leave();
            }
            Function::TestAct => wire::put_function(cx.out, Function::TestCon),
            Function::TestCon => return self.link.confirmed(),
            Function::StartCon | Function::StopCon => return,
        }
        let (name, code) = (function.name(), function as u16);
        cx.record(Kind::Diagnose(Operation { name, code, unit: None, verdict: Verdict::Done }));
    }

    /// Sends what waited for the peer to acknowledge.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        self.link.pump(cx.now, cx.out);
        if self.link.starved {
            self.tend(cx);
        }
    }

    /// Looks at the points, if this connection is the one that is told of them.
    fn tend(&mut self, cx: &mut Context<'_>) {
        self.next = if self.link.transfer() == Transfer::Started {
            let due = self.outstation.tend(self.token, &mut self.link, cx);
            let scan = cx.now + self.outstation.scan;
            Some(due.map_or(scan, |due| due.min(scan)))
        } else {
            self.outstation.state().follow(cx.device());
            None
        };
    }

    /// Of a redundancy group one connection is started at a time (IEC 60870-5-104 §10): a later one takes over, and the
    /// former is silent from then on.
    fn yield_to_other(&mut self) {
        if self.link.transfer() == Transfer::Started && self.outstation.started.load(Ordering::Acquire) != self.token {
            self.link.stop();
        }
    }

    fn leave(&self) {
        // Another one that has started meanwhile goes on.
        let _ = self.outstation.started.compare_exchange(self.token, 0, Ordering::AcqRel, Ordering::Relaxed);
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        self.over = true;
        self.leave();
        cx.hang_up();
    }

    /// Asks to be woken at the next deadline. One that is later than what was asked for is left: to wake in vain now
    /// and then costs less than to move a timer with each message.
    fn settle(&self, cx: &mut Context<'_>) {
        let deadline = self.link.deadline().into_iter().chain(self.next).min();
        if let Some(deadline) = deadline.filter(|at| !self.over && cx.outcome.wake.is_none_or(|asked| *at < asked)) {
            cx.wake_at(deadline);
        }
    }
}
