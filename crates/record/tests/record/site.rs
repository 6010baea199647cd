//! A site with one device and its events. Apart, because every test records something.

use honeyplant_core::{
    artefact::Digest,
    device::Device,
    event::{
        Access, Address, BlockAccess, BlockAct, BlockHeader, Carrier, Change, Command, Encryption, Ending, Event,
        FileAccess, FileAct, Hello, Kind, Login, Octets, Operation, Reason, Request, Session, Values, Verdict,
    },
    identity::Identity,
    plant::{Image, Plant, Sizes, TagSettings, Tags, Type, Value},
    settings::{Problems, Settings},
};
use honeyplant_record::{
    Journal, JournalSettings, Mended, Notice, Observer, Reader,
    document::Document,
    meaning::Meaning,
    sink::{Entry, Home, Sink, SinkKind},
};
use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::{Duration, SystemTime},
};

pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) fn observer() -> Observer {
    Observer { site: "waterworks".into(), install: "0123abcd".into(), version: "0.1.0".into() }
}

/// Builds a sink of the kind for an install in `state`.
pub(crate) fn build(kind: &dyn SinkKind, settings: &Settings<'_>, state: &Path) -> Result<Box<dyn Sink>, Problems> {
    kind.build(settings, &Home { state, observer: &observer(), name: kind.name() })
}

pub(crate) fn open(state: &Path) -> (Journal, Mended, Receiver<Notice>) {
    open_with(state, &JournalSettings::default())
}

pub(crate) fn open_with(state: &Path, settings: &JournalSettings) -> (Journal, Mended, Receiver<Notice>) {
    let (tell, told) = channel();
    let notices = move |notice| drop(tell.send(notice));
    let (journal, mended) = Journal::open(state, settings, observer(), Meaning::default(), notices).unwrap();
    (journal, mended, told)
}

pub(crate) fn session(id: u64) -> Arc<Session> {
    let mut plant = Plant::new(Image::new(&Sizes::default()).unwrap());
    let settings = TagSettings::declared(Type::Bool, None, Value::Bool(false), false);
    plant.add("pump_1_off", &settings, 1).unwrap();
    Arc::new(Session {
        id,
        peer: ([127, 0, 0, 1], 40_000).into(),
        local: ([127, 0, 10, 1], 10_502).into(),
        carrier: Carrier::Tcp,
        protocol: "modbus",
        device: Arc::new(Device::new("plc-intake", "plc", Identity::default(), plant)),
    })
}

pub(crate) fn event(session: Option<&Arc<Session>>, kind: Kind) -> Event {
    let bytes = if kind.operation().is_some() { &[0, 1, 0xFE][..] } else { &[] };
    Event {
        at: SystemTime::now(),
        session: session.cloned(),
        kind,
        request: Octets::from_slice(bytes),
        reply: Octets::from_slice(bytes),
    }
}

pub(crate) const fn operation(verdict: Verdict) -> Operation {
    Operation { name: "write single coil", code: 5, unit: Some(1), verdict }
}

pub(crate) fn access(session: &Session, address: u32) -> Access {
    let tag = session.device.still().find("pump_1_off").unwrap();
    Access { area: "coils", address: address.into(), count: 1, tags: Tags::from_slice(&[tag]) }
}

/// A read that differs from all of other addresses.
pub(crate) fn read(session: &Arc<Session>, address: u32) -> Event {
    let values = Values::Bits([true].into_iter().collect());
    event(Some(session), Kind::Read(operation(Verdict::Done), access(session, address), values))
}

pub(crate) fn closed(session: &Arc<Session>) -> Event {
    let lasted = Duration::from_millis(1500);
    let ending = Ending { reason: Reason::Peer, exchanges: 3, received: 36, sent: 87, lasted };
    event(Some(session), Kind::Closed(ending))
}

/// One event of every kind, and of every form of its parts.
pub(crate) fn every_kind() -> Vec<Event> {
    let session = session(7);
    let some = |kind| event(Some(&session), kind);
    let done = operation(Verdict::Done);
    let bit = |bit| Values::Bits([bit].into_iter().collect());
    let words = |word| Values::Words([word; 12].into_iter().collect());
    let typed = Values::Typed(vec![
        Value::Int(-5),
        Value::Uint(5),
        Value::Real(1.5),
        Value::Real(f64::NAN),
        Value::Text("a \u{1b}[2J \"b\"".into()),
    ]);
    let write = |before, after| Kind::Write(done, access(&session, 5), Change { before, after });
    let mut events = vec![
        event(None, Kind::Started { devices: 9, mended: String::new() }),
        event(None, Kind::Started { devices: 9, mended: "a torn line was cut off".into() }),
        some(Kind::Opened),
        some(Kind::Exchange),
        some(Kind::Unsupported(operation(Verdict::Refused { code: 1, reason: "illegal function" }))),
        some(Kind::Identify(done)),
        some(Kind::Diagnose(Operation { unit: None, ..done })),
        some(Kind::Read(done, access(&session, 5), bit(true))),
        some(Kind::Read(
            operation(Verdict::Refused { code: 2, reason: "illegal data address" }),
            access(&session, 99),
            Values::None,
        )),
        some(Kind::Read(done, access(&session, 5), typed.clone())),
        some(write(bit(false), bit(true))),
        some(write(words(1), words(2))),
        some(write(Values::None, typed)),
        some(Kind::Malformed { why: "the protocol identifier is not 0" }),
        closed(&session),
        event(None, Kind::Stopped),
        event(
            None,
            Kind::Faulted { device: "plc".into(), profile: "p".into(), why: "division by zero (line 3)".into() },
        ),
    ];
    let digest = Digest::of(b"firmware");
    let refused = operation(Verdict::Refused { code: 530, reason: "not logged in" });
    let login = |user: Option<&str>, secret: Option<&str>| {
        Box::new(Login { user: user.map(Into::into), secret: secret.map(Into::into) })
    };
    events.push(some(Kind::Login(refused, login(Some("root \u{1b}[2J"), Some("toor")))));
    events.push(some(Kind::Login(done, login(None, Some("public")))));
    let acts = [
        FileAct::List,
        FileAct::Inspect,
        FileAct::Download,
        FileAct::Upload,
        FileAct::Create,
        FileAct::Delete,
        FileAct::Rename,
        FileAct::Change,
    ];
    for act in acts {
        let target = (act == FileAct::Rename).then(|| "/b \n".into());
        let digest = (act == FileAct::Upload).then_some(digest);
        let access = FileAccess { act, path: "/a".into(), target, size: digest.map(|_| 8), digest };
        events.push(some(Kind::File(done, Box::new(access))));
    }
    let acts =
        [BlockAct::List, BlockAct::Inspect, BlockAct::Upload, BlockAct::Download, BlockAct::Insert, BlockAct::Delete];
    for act in acts {
        let brought = act == BlockAct::Download;
        let header = brought.then(|| BlockHeader {
            language: "SCL".into(),
            author: "me \u{1b}".into(),
            version: "0.1".into(),
            load_size: 140,
            code_changed: "2016-05-09T11:20:00.000".into(),
            ..BlockHeader::default()
        });
        let (size, digest) = (brought.then_some(140), brought.then_some(digest));
        events.push(some(Kind::Block(done, Box::new(BlockAccess { act, name: "FC 7".into(), header, size, digest }))));
    }
    let get = Request { method: "GET".into(), target: "/a?b=c".into(), version: "1.1".into(), ..Request::default() };
    let answered = Request {
        status: 200,
        host: Some("plc".into()),
        user_agent: Some("curl/7.88.1 \u{1b}[2J".into()),
        referrer: Some("http://plc/".into()),
        content_type: Some("text/plain".into()),
        body: 3,
        sent: 1400,
        digest: Some(digest),
        ..get.clone()
    };
    events.push(some(Kind::Request(done, Box::new(get))));
    events.push(some(Kind::Request(done, Box::new(answered))));
    events.push(some(Kind::Relay(refused, ([198, 51, 100, 9], 25).into())));
    let hello = Hello {
        offered: "1.3",
        suites: vec![0x1301, 0xC02F],
        server_name: Some("rtu".into()),
        protocols: vec!["h2".into()],
        ja3: "d41d8cd98f00b204e9800998ecf8427e".into(),
        ja4: "t13d0204h2_000000000000_000000000000".into(),
    };
    let hidden = Some(hello.clone());
    events.push(some(Kind::Secured(Box::new(Encryption { version: "1.2", cipher: "TLS_X".into(), hello: hidden }))));
    events.push(some(Kind::Unsecured { why: "the peer broke off the TLS handshake", hello: Box::new(hello) }));
    events.push(some(Kind::Stranger { peer: ([198, 51, 100, 9], 25).into() }));
    events.push(some(Kind::Withheld { answers: 3, bytes: 1400 }));
    events.push(some(Kind::Discarded { digest, size: 8, why: "the store of artefacts is full" }));
    let names = Access { address: Address::Names(vec!["1.3.6.1".into(), "1.3.7".into()]), ..access(&session, 1) };
    events.push(some(Kind::Read(done, names, words(3))));
    let commands = [
        Command::Restart,
        Command::Silence,
        Command::Clear,
        Command::Configure,
        Command::Clock,
        Command::Select,
        Command::Cancel,
        Command::Start,
        Command::Stop,
        Command::Save,
        Command::Compress,
        Command::Subscribe,
    ];
    for command in commands {
        events.push(some(Kind::Command(operation(Verdict::Silent { reason: "it restarts" }), command)));
    }
    events
}

/// The whole journal, read as sinks read it.
pub(crate) fn entries(state: &Path) -> Vec<Entry> {
    let (mut reader, mut entries) = (Reader::open(state, 0), Vec::new());
    loop {
        let before = entries.len();
        reader.read(&mut entries, usize::MAX).unwrap();
        if entries.len() == before {
            break;
        }
    }
    entries
}

pub(crate) fn documents(state: &Path) -> Vec<Document<'static>> {
    entries(state).iter().map(|entry| entry.document().unwrap()).collect()
}

/// The journal has every event from 1 on, in order and once.
pub(crate) fn assert_whole(documents: &[Document<'_>]) {
    for (index, document) in documents.iter().enumerate() {
        assert_eq!(document.event.sequence, index as u64 + 1);
        assert_eq!(document.event.id, format!("0123abcd-{}", index + 1));
    }
}
