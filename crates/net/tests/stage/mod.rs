//! A service that does on command what a conversation can do, and a record in memory. Apart, because the loop and the
//! fleet are tested with the same ones.
#![expect(dead_code, reason = "each test binary uses a part of it")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails panics")]

use honeyplant_core::{
    artefact::Artefact,
    conversation::{Context, Conversation, Service, Step},
    device::Device,
    event::{Ending, Event, Kind, Operation, Reason, Session, Verdict},
    identity::Identity,
    plant::Plant,
};
use honeyplant_net::Record;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

#[derive(Clone, Default)]
pub(crate) struct Memory {
    events: Arc<Mutex<Vec<Event>>>,
    pub(crate) artefacts: Arc<Mutex<Vec<Artefact>>>,
    pub(crate) full: Arc<AtomicBool>,
}

impl Record for Memory {
    fn record(&self, batch: &mut Vec<Event>) {
        self.events.lock().unwrap().append(batch);
    }

    fn keep(&self, artefact: Artefact, _: &Arc<Session>) {
        self.artefacts.lock().unwrap().push(artefact);
    }

    fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }
}

impl Memory {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// Each event in a few words: what, the bytes that made it happen, the bytes that were answered.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_default().to_string();
        let line = |event: &Event| match &event.kind {
            Kind::Closed(ending) => format!("closed: {}", ending.reason.words()),
            kind => format!("{} <{}> <{}>", kind.action(), text(&event.request), text(&event.reply)),
        };
        self.events.lock().unwrap().iter().map(line).collect()
    }

    pub(crate) fn endings(&self) -> Vec<Ending> {
        let ending = |event: &Event| if let Kind::Closed(ending) = event.kind { Some(ending) } else { None };
        self.events.lock().unwrap().iter().filter_map(ending).collect()
    }

    pub(crate) fn reasons(&self) -> Vec<Reason> {
        self.endings().iter().map(|ending| ending.reason).collect()
    }
}

pub(crate) fn device(name: &str) -> Arc<Device> {
    Arc::new(Device::new(name, "kind", Identity::default(), Plant::default()))
}

/// Messages are lines; each is a word that says what to do, and may have an argument.
pub(crate) struct Stage {
    pub(crate) greeting: &'static str,
}

impl Service for Stage {
    fn converse(&self) -> Box<dyn Conversation> {
        Box::new(Actor { greeting: self.greeting, restless: false })
    }

    fn longest_message(&self) -> usize {
        100
    }
}

struct Actor {
    greeting: &'static str,
    restless: bool,
}

impl Conversation for Actor {
    fn open(&mut self, cx: &mut Context<'_>) {
        match self.greeting {
            "device" => cx.out.extend(cx.session.device.name().bytes().chain(*b"\n")),
            greeting => cx.out.extend(greeting.bytes()),
        }
    }

    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step {
        let Some(length) = input.iter().position(|byte| *byte == b'\n') else { return Step::Wait };
        let line = str::from_utf8(&input[..length]).unwrap();
        let (word, argument) = line.split_once(' ').unwrap_or((line, ""));
        let number = argument.parse::<u64>().unwrap_or(0);
        match word {
            "echo" => cx.out.extend(argument.bytes().chain(*b"\n")),
            "twice" => (0..2).for_each(|code| cx.record(unsupported(code))),
            "large" => cx.out.resize(cx.out.len() + number as usize, b'x'),
            "wake" => cx.wake_at(cx.now + Duration::from_millis(number)),
            "restless" => {
                self.restless = true;
                cx.wake_at(cx.now);
            }
            "bye" => {
                cx.out.extend(*b"bye\n");
                cx.hang_up();
            }
            "panic" => {
                cx.out.extend(*b"half an answ");
                panic!("as the test wants");
            }
            "nothing" => return Step::Took(0),
            "beyond" => return Step::Took(input.len() + 1),
            _ => {}
        }
        Step::Took(length + 1)
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        if self.restless {
            cx.wake_at(cx.now);
        } else {
            cx.out.extend(*b"awake\n");
        }
    }
}

fn unsupported(code: u16) -> Kind {
    Kind::Unsupported(Operation { name: "twice", code, unit: None, verdict: Verdict::Done })
}
