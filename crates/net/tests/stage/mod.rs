//! A service that does on command what a conversation can do, and a record in memory. Apart, because the loop and the
//! fleet are tested with the same ones.
#![expect(dead_code, reason = "each test binary uses a part of it")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails panics")]

use honeyplant_core::{
    artefact::Artefact,
    conversation::{Context, Conversation, Effect, Lane, News, Service, Step},
    device::Device,
    event::{Ending, Event, Kind, Operation, Reason, Session, Verdict},
    identity::Identity,
    plant::Plant,
};
use honeyplant_net::{Door, Fleet, Limits, Record, Stop};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

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
        Box::new(Actor { greeting: self.greeting, restless: false, stores: None, to_give: (Vec::new(), 0) })
    }

    fn longest_message(&self) -> usize {
        100
    }
}

struct Actor {
    greeting: &'static str,
    restless: bool,
    /// What came over the channel, if it is to be kept.
    stores: Option<Vec<u8>>,
    /// What is to be sent over it in pieces, and how much of it was.
    to_give: (Vec<u8>, usize),
}

/// Bytes that are not the same at any two near places.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect()
}

impl Actor {
    fn give(&mut self, cx: &mut Context<'_>) {
        const PIECE: usize = 64 * 1024;
        let (bytes, done) = &mut self.to_give;
        let piece = &bytes[*done..bytes.len().min(*done + PIECE)];
        *done += piece.len();
        cx.ask(Effect::Send(piece.to_vec()));
        if *done == bytes.len() {
            cx.ask(Effect::Finish);
        }
    }

    fn store(&mut self, cx: &mut Context<'_>) {
        if let Some(bytes) = self.stores.take() {
            cx.record(unsupported(99));
            cx.keep(bytes);
        }
    }
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
            "listen" => {
                let ports = argument.split_once('-').map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap()));
                cx.ask(Effect::Listen { ports });
            }
            "dial" => cx.ask(Effect::Dial { port: number as u16 }),
            "send" => cx.ask(Effect::Send(argument.as_bytes().to_vec())),
            "heap" => cx.ask(Effect::Send(vec![0; number as usize])),
            "give" => {
                self.to_give = (content(number as usize), 0);
                self.give(cx);
            }
            "store" => self.stores = Some(Vec::new()),
            "finish" => cx.ask(Effect::Finish),
            "abandon" => cx.ask(Effect::Abandon),
            "secure" => {
                let lane = if argument == "channel" { Lane::Channel } else { Lane::Line };
                cx.out.extend(*b"go on\n");
                cx.ask(Effect::Secure(lane));
                cx.out.extend(*b"hidden\n");
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

    fn effect(&mut self, news: News<'_>, cx: &mut Context<'_>) {
        let told = match news {
            News::Received(bytes) => {
                self.stores.iter_mut().for_each(|stored| stored.extend_from_slice(bytes));
                return;
            }
            News::Sent if self.to_give.1 < self.to_give.0.len() => return self.give(cx),
            News::Ended => {
                self.store(cx);
                "ended".to_owned()
            }
            News::Listening(port) => format!("listening {port}"),
            News::Failed(why) => format!("failed: {why}"),
            News::Secured(lane) => format!("secured {lane:?}"),
            News::Connected | News::Sent | News::Closed => format!("{news:?}").to_lowercase(),
        };
        cx.out.extend(told.bytes().chain(*b"\n"));
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.store(cx);
        if self.greeting == "ends" {
            cx.record(unsupported(100));
        }
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

/// A fleet that is served.
pub(crate) struct Running {
    pub(crate) memory: Memory,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<io::Result<usize>>,
    pub(crate) addresses: Vec<SocketAddr>,
}

pub(crate) fn run(doors: Vec<Door>, wildcard: &[IpAddr], limits: Limits) -> Running {
    let fleet = Fleet::bind(doors, wildcard, limits).unwrap();
    let (memory, stop, addresses) = (Memory::default(), Stop::new(), fleet.addresses().collect());
    let (record, told) = (memory.clone(), stop.clone());
    let task = tokio::spawn(async move { fleet.run(record, 1 << 20, &told, Duration::from_secs(5), |_| {}).await });
    Running { memory, stop, task, addresses }
}

impl Running {
    pub(crate) async fn ends(self) -> Memory {
        self.stop.stop();
        assert_eq!(self.task.await.unwrap().unwrap(), 0, "no session is left");
        self.memory
    }
}
