//! Measures how fast a sink takes the record: `cargo run --release -p honeyplant-record --example deliver -- KIND FILE
//! [EVENTS]`, where FILE has the settings of the sink. Apart from the tests, because a figure is no assertion.

#[path = "work/cpu.rs"]
mod cpu;

use cpu::cpu;
use honeyplant_core::{
    device::Device,
    event::{Access, Carrier, Ending, Event, Kind, Octets, Operation, Reason, Session, Values, Verdict},
    identity::Identity,
    plant::{Plant, Tags},
    settings::Settings,
};
use honeyplant_record::{
    Journal, JournalSettings, Observer,
    meaning::Meaning,
    sink::{Home, SINKS},
};
use std::{
    env, fs,
    io::{self, Write},
    net::Ipv4Addr,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

/// How many events a session has.
const EACH: u32 = 50;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let (Some(kind), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("name a kind of sink, and a file with its settings"));
    };
    let events: u32 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(200_000);
    let folder = env::temp_dir().join("honeyplant-deliver");
    let _ = fs::remove_dir_all(&folder);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other)?;
    let observer =
        Observer { site: "measure".into(), install: format!("{:08x}", now.as_secs()), version: "measure".into() };
    let notices = |notice| drop(writeln!(io::stdout(), "{notice}"));
    let (journal, _) =
        Journal::open(&folder, &JournalSettings::default(), observer.clone(), Meaning::default(), notices)?;
    for session in 0..events / EACH {
        while journal.is_full() {
            thread::sleep(Duration::from_millis(1));
        }
        journal.record(&mut record(session));
    }
    journal.finish(Duration::from_secs(60))?;

    let known = SINKS.iter().find(|known| known.name() == kind).ok_or_else(|| io::Error::other("no such kind"))?;
    let text = fs::read_to_string(file)?;
    let problems = |problems| io::Error::other(format!("{problems:?}"));
    let settings = Settings::parse(&text).map_err(problems)?;
    let home = Home { state: &folder, observer: &observer, name: &kind };
    let mut sink = known.build(&settings, &home).map_err(problems)?;
    writeln!(io::stdout(), "{}", sink.probe().map_err(io::Error::other)?)?;
    let (journal, _) =
        Journal::open(&folder, &JournalSettings::default(), observer.clone(), Meaning::default(), notices)?;
    let (begun, burnt) = (Instant::now(), cpu());
    journal.follow(&kind, known.start(), sink)?;
    let behind = journal.finish(Duration::from_secs(600))?;
    let (took, burnt) = (begun.elapsed().as_secs_f64(), cpu() - burnt);
    writeln!(io::stdout(), "{kind}: {:.0} events/s, {burnt:.2} s of processor {behind:?}", f64::from(events) / took)
}

/// All of a session of its own.
fn record(number: u32) -> Vec<Event> {
    let session = Arc::new(Session {
        id: u64::from(number) + 1,
        peer: (Ipv4Addr::from(0xC612_0000 + number % 5000), 40_000).into(),
        local: ([203, 0, 113, 1], 502).into(),
        carrier: Carrier::Tcp,
        protocol: "modbus",
        device: Arc::new(Device::new("plc-intake", "plc", Identity::default(), Plant::default())),
    });
    let operation = Operation { name: "read holding registers", code: 3, unit: Some(1), verdict: Verdict::Done };
    let event = |kind| Event {
        at: SystemTime::now(),
        session: Some(session.clone()),
        kind,
        request: Octets::from_slice(&[0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10]),
        reply: Octets::from_slice(&[0; 29]),
    };
    let read = |address: u32| {
        let access = Access { area: "holding registers", address: address.into(), count: 10, tags: Tags::new() };
        event(Kind::Read(operation, access, Values::Words([7; 10].into_iter().collect())))
    };
    let ending = Ending { reason: Reason::Peer, exchanges: 3, received: 36, sent: 87, lasted: Duration::from_secs(1) };
    let reads = (0..EACH - 2).map(read);
    [event(Kind::Opened)].into_iter().chain(reads).chain([event(Kind::Closed(ending))]).collect()
}
