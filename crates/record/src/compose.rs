//! From an event to its document. Apart, because it borrows from the event all it can: what is composed a hundred
//! thousand times a second may not allocate.

use crate::{
    attack,
    document::{
        Address, Asked, Block, Bytes, Closing, Conversed, Decoy, Document, ECS, Ecs, Facets, Facts, FileFacts, Hash,
        Http, HttpBody, HttpRequest, HttpResponse, Network, Outcome, Refusal, Related, SCHEMA, Series, SessionId,
        Source, Tls, TlsClient, Url, User, UserAgent, Watcher, Withheld, Words,
    },
    stamp::hex_digit,
};
use honeyplant_core::event::{
    self, BlockAccess, BlockAct, BlockHeader, Command, Ending, Event, FileAct, Kind, Reason, Session, Values, Verdict,
};
use std::{
    borrow::Cow,
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    time::SystemTime,
};

/// Who keeps the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observer {
    /// The name of the site.
    pub site: String,
    /// Unlike that of any other install: 8 hexadecimal digits.
    pub install: String,
    /// The version of honeyplant.
    pub version: String,
}

/// Composes documents, using the same memory for each.
#[derive(Debug)]
pub struct Composer {
    observer: Observer,
    id: String,
    dataset: String,
    message: String,
    request: String,
    reply: String,
    digest: String,
    addresses: Vec<IpAddr>,
}

impl Composer {
    /// A composer for this observer.
    pub const fn new(observer: Observer) -> Self {
        Self {
            observer,
            id: String::new(),
            dataset: String::new(),
            message: String::new(),
            request: String::new(),
            reply: String::new(),
            digest: String::new(),
            addresses: Vec::new(),
        }
    }

    /// Who keeps the record.
    pub const fn observer(&self) -> &Observer {
        &self.observer
    }

    /// The document of `event` at the place `sequence` of the journal.
    pub fn compose<'a>(&'a mut self, event: &'a Event, sequence: u64) -> Document<'a> {
        self.write(event, sequence);
        let session = event.session.as_deref();
        let (source, destination) = (session.map(|s| address(s.peer)), session.map(|s| address(s.local)));
        let source = source.map(|Address { ip, port }| Source { ip, port, geo: None, network: None });
        let outcome = outcome(&event.kind);
        let (user, digest) = (user(&event.kind), (!self.digest.is_empty()).then_some(&*self.digest));
        let related = (!self.addresses.is_empty()).then(|| Related {
            ip: Cow::Borrowed(&self.addresses),
            user: user.iter().map(|user| user.name.clone()).collect(),
            hash: digest.iter().map(|digest| Cow::Borrowed(*digest)).collect(),
        });
        let (category, types) = classes(&event.kind);
        let mut facets = Facets {
            id: Cow::Borrowed(&self.id),
            sequence,
            kind: "event".into(),
            category,
            types,
            action: event.kind.action().into(),
            dataset: Cow::Borrowed(&self.dataset),
            outcome,
            severity: attack::row(&event.kind).severity(outcome),
            start: None,
            end: None,
            duration: None,
        };
        if let Kind::Closed(ending) = &event.kind {
            facets.start = Some(event.at.checked_sub(ending.lasted).unwrap_or(SystemTime::UNIX_EPOCH).into());
            facets.end = Some(event.at.into());
            facets.duration = Some(u64::try_from(ending.lasted.as_nanos()).unwrap_or(u64::MAX));
        }
        let mut facts = facts(&event.kind, session, &self.observer);
        facts.request = bytes(&self.request, event.request.len());
        facts.reply = bytes(&self.reply, event.reply.len());
        Document {
            timestamp: event.at.into(),
            ecs: Ecs { version: ECS.into() },
            event: facets,
            message: Cow::Borrowed(&self.message),
            source,
            destination,
            network: session.map(network),
            observer: Watcher {
                kind: "honeypot".into(),
                vendor: "honeyplant".into(),
                product: "honeyplant".into(),
                version: Cow::Borrowed(&self.observer.version),
                name: Cow::Borrowed(&self.observer.site),
            },
            user,
            file: file(&event.kind, digest),
            http: http(&event.kind),
            url: url(&event.kind),
            user_agent: user_agent(&event.kind),
            tls: tls(&event.kind),
            related,
            threat: attack::row(&event.kind).threat().map(Cow::Borrowed),
            honeyplant: facts,
        }
    }

    /// Writes all texts of the document that are not in the event.
    fn write(&mut self, event: &Event, sequence: u64) {
        for text in [&mut self.id, &mut self.dataset, &mut self.message, &mut self.request, &mut self.reply] {
            text.clear();
        }
        hex(&mut self.request, &event.request);
        hex(&mut self.reply, &event.reply);
        let session = event.session.as_deref();
        self.digest.clear();
        if let Some(digest) = event.kind.digest() {
            let _ = write!(self.digest, "{digest}");
        }
        self.addresses.clear();
        self.addresses.extend(session.iter().flat_map(|session| [session.peer, session.local]).map(|a| address(a).ip));
        self.addresses.extend(third(&event.kind).map(|third| third.ip));
        let device = session.map(|session| &*session.device);
        self.dataset.push_str("honeyplant.");
        self.dataset.push_str(session.map_or("site", |session| session.protocol));
        // Writing to a text does not fail.
        let _ = write!(self.id, "{}-{sequence}", self.observer.install);
        if let Some(session) = session {
            let _ = write!(self.message, "{} at {} ", session.peer.ip().to_canonical(), session.device.name());
        }
        let _ = event.kind.sentence(&mut self.message, device);
    }
}

fn facts<'a>(kind: &'a Kind, session: Option<&'a Session>, observer: &'a Observer) -> Facts<'a> {
    let (operation, access) = (kind.operation(), kind.access());
    let verdict = operation.map(|operation| operation.verdict);
    let mut facts = Facts {
        schema: SCHEMA,
        site: Cow::Borrowed(&observer.site),
        device: session
            .map(|session| Decoy { name: session.device.name().into(), profile: session.device.profile().into() }),
        session: session.map(|session| Conversed { id: SessionId(session.id) }),
        operation: operation.map(|operation| Asked {
            name: operation.name.into(),
            code: operation.code,
            unit: operation.unit,
        }),
        refusal: match verdict {
            Some(Verdict::Refused { code, reason }) => Some(Refusal { code, reason: reason.into() }),
            _ => None,
        },
        silence: match verdict {
            Some(Verdict::Silent { reason }) => Some(reason.into()),
            _ => None,
        },
        command: None,
        area: access.map(|access| access.area.into()),
        address: access.and_then(|access| match access.address {
            event::Address::Number(number) => Some(number),
            event::Address::Names(_) => None,
        }),
        names: Vec::new(),
        count: access.map(|access| access.count),
        tags: Vec::new(),
        values: None,
        before: None,
        after: None,
        secret: None,
        block: None,
        target: None,
        third: third(kind),
        withheld: None,
        discarded: None,
        malformed: None,
        fault: None,
        ending: None,
        tool: None,
        summary: None,
        devices: None,
        mended: None,
        repeated: None,
        request: None,
        reply: None,
    };
    if let Some((session, access)) = session.zip(access) {
        facts.tags.extend(access.tags.iter().filter_map(|id| session.device.tag_name(*id)).map(Cow::Borrowed));
    }
    if let Some(event::Address::Names(names)) = access.map(|access| &access.address) {
        facts.names.extend(names.iter().map(|name| Cow::Borrowed(&**name)));
    }
    match kind {
        Kind::Started { devices, mended } => {
            facts.devices = Some(*devices as u64);
            facts.mended = (!mended.is_empty()).then(|| mended.into());
        }
        Kind::Faulted { device, profile, why } => {
            facts.device = Some(Decoy { name: (&**device).into(), profile: (&**profile).into() });
            facts.fault = Some((&**why).into());
        }
        Kind::Read(_, _, values) => facts.values = series(values),
        Kind::Write(_, _, change) => {
            facts.before = series(&change.before);
            facts.after = series(&change.after);
        }
        Kind::Command(_, command) => facts.command = Some(word(*command).into()),
        Kind::Malformed { why } | Kind::Unsecured { why, .. } => facts.malformed = Some((*why).into()),
        Kind::Closed(ending) => facts.ending = Some(closing(ending)),
        Kind::Login(_, login) => facts.secret = login.secret.as_deref().map(Cow::Borrowed),
        Kind::File(_, access) => facts.target = access.target.as_deref().map(Cow::Borrowed),
        Kind::Withheld { answers, bytes } => {
            facts.withheld = Some(Withheld { answers: *answers as u64, bytes: *bytes as u64 });
        }
        Kind::Discarded { why, .. } => facts.discarded = Some((*why).into()),
        Kind::Block(_, access) => facts.block = Some(block(access)),
        Kind::Relay(..)
        | Kind::Request(..)
        | Kind::Secured(_)
        | Kind::Stranger { .. }
        | Kind::Stopped
        | Kind::Opened
        | Kind::Exchange
        | Kind::Unsupported(_)
        | Kind::Identify(_)
        | Kind::Diagnose(_) => {}
    }
    facts
}

fn user(kind: &Kind) -> Option<User<'_>> {
    match kind {
        Kind::Login(_, login) => login.user.as_deref().map(|name| User { name: name.into() }),
        _ => None,
    }
}

fn file<'a>(kind: &'a Kind, digest: Option<&'a str>) -> Option<FileFacts<'a>> {
    let hash = digest.map(|digest| Hash { sha256: digest.into() });
    match kind {
        Kind::File(_, access) => Some(FileFacts { path: Some((&*access.path).into()), size: access.size, hash }),
        Kind::Block(_, access) if hash.is_some() => Some(FileFacts { path: None, size: access.size, hash }),
        Kind::Request(_, request) if hash.is_some() => Some(FileFacts { path: None, size: Some(request.body), hash }),
        Kind::Discarded { size, .. } => Some(FileFacts { path: None, size: Some(*size), hash }),
        _ => None,
    }
}

fn block(access: &BlockAccess) -> Block<'_> {
    let header = access.header.as_ref();
    let text = |of: fn(&BlockHeader) -> &str| header.map(of).filter(|text| !text.is_empty()).map(Cow::Borrowed);
    Block {
        name: (&*access.name).into(),
        language: text(|header| &header.language),
        author: text(|header| &header.author),
        family: text(|header| &header.family),
        title: text(|header| &header.title),
        version: text(|header| &header.version),
        load_size: header.map(|header| header.load_size),
        body_size: header.map(|header| header.body_size),
        local_size: header.map(|header| header.local_size),
        code_changed: text(|header| &header.code_changed),
        interface_changed: text(|header| &header.interface_changed),
    }
}

const fn request(kind: &Kind) -> Option<&event::Request> {
    if let Kind::Request(_, request) = kind { Some(request) } else { None }
}

fn http(kind: &Kind) -> Option<Http<'_>> {
    let request = request(kind)?;
    let response = HttpResponse { status_code: request.status, body: HttpBody { bytes: request.sent } };
    Some(Http {
        version: (!request.version.is_empty()).then_some((&*request.version).into()),
        request: HttpRequest {
            method: (&*request.method).into(),
            referrer: request.referrer.as_deref().map(Cow::Borrowed),
            mime_type: request.content_type.as_deref().map(Cow::Borrowed),
            body: HttpBody { bytes: request.body },
        },
        response: (request.status > 0).then_some(response),
    })
}

fn url(kind: &Kind) -> Option<Url<'_>> {
    let request = request(kind)?;
    let (path, query) = match request.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (&*request.target, None),
    };
    Some(Url {
        original: (&*request.target).into(),
        path: path.into(),
        query: query.map(Cow::Borrowed),
        domain: request.host.as_deref().map(Cow::Borrowed),
    })
}

fn user_agent(kind: &Kind) -> Option<UserAgent<'_>> {
    let original = request(kind)?.user_agent.as_deref()?;
    Some(UserAgent { original: original.into() })
}

fn tls(kind: &Kind) -> Option<Tls<'_>> {
    let (agreed, hello) = match kind {
        Kind::Secured(encryption) => (Some(encryption), encryption.hello.as_ref()),
        Kind::Unsecured { hello, .. } => (None, Some(&**hello)),
        _ => return None,
    };
    Some(Tls {
        version_protocol: "tls".into(),
        established: agreed.is_some(),
        version: agreed.map(|agreed| agreed.version.into()),
        cipher: agreed.map(|agreed| (&*agreed.cipher).into()),
        client: hello.map(|hello| TlsClient {
            server_name: hello.server_name.as_deref().map(Cow::Borrowed),
            version: hello.offered.into(),
            supported_ciphers: hello.suites.iter().map(|suite| format!("{suite:04x}").into()).collect(),
            protocols: hello.protocols.iter().map(|protocol| (&**protocol).into()).collect(),
            ja3: (&*hello.ja3).into(),
            ja4: (&*hello.ja4).into(),
        }),
    })
}

/// Who else has part in it, besides the actor and the device.
const fn third(kind: &Kind) -> Option<Address> {
    match kind {
        Kind::Relay(_, other) | Kind::Stranger { peer: other } => Some(address(*other)),
        _ => None,
    }
}

fn series(values: &Values) -> Option<Series<'_>> {
    (!values.is_empty()).then_some(Series::Recorded(values))
}

const fn word(command: Command) -> &'static str {
    match command {
        Command::Restart => "restart",
        Command::Silence => "silence",
        Command::Clear => "clear",
        Command::Configure => "configure",
        Command::Clock => "clock",
        Command::Select => "select",
        Command::Cancel => "cancel",
        Command::Start => "start",
        Command::Stop => "stop",
        Command::Save => "save",
        Command::Compress => "compress",
        Command::Subscribe => "subscribe",
    }
}

fn closing(ending: &Ending) -> Closing<'static> {
    Closing {
        reason: ending.reason.words().into(),
        exchanges: ending.exchanges,
        received: ending.received,
        sent: ending.sent,
        seconds: ending.lasted.as_secs_f64(),
    }
}

/// What an event counts as in ECS: `event.category` and `event.type`.
const fn classes(kind: &Kind) -> (Words, Words) {
    macro_rules! words {
        ($($word:literal),*) => { Cow::Borrowed(const { &[$(Cow::Borrowed($word)),*] as &[Cow<'static, str>] }) };
    }
    match kind {
        Kind::Started { .. } => (words!("process"), words!("start")),
        Kind::Stopped => (words!("process"), words!("end")),
        Kind::Faulted { .. } => (words!("process"), words!("error")),
        Kind::Opened => (words!("network", "session"), words!("connection", "start")),
        Kind::Closed(_) => (words!("network", "session"), words!("connection", "end")),
        Kind::Exchange | Kind::Identify(_) | Kind::Diagnose(_) | Kind::Malformed { .. } => {
            (words!("network"), words!("protocol", "info"))
        }
        Kind::Unsupported(_) => (words!("network"), words!("protocol", "denied")),
        Kind::Login(..) => (words!("authentication"), words!("start")),
        Kind::File(_, access) => match access.act {
            FileAct::List | FileAct::Inspect | FileAct::Download => (words!("file"), words!("access")),
            FileAct::Upload | FileAct::Create => (words!("file"), words!("creation")),
            FileAct::Delete => (words!("file"), words!("deletion")),
            FileAct::Rename | FileAct::Change => (words!("file"), words!("change")),
        },
        Kind::Block(_, access) => match access.act {
            BlockAct::List | BlockAct::Inspect | BlockAct::Upload => (words!("file"), words!("access")),
            BlockAct::Download | BlockAct::Insert => (words!("file", "configuration"), words!("creation", "change")),
            BlockAct::Delete => (words!("file", "configuration"), words!("deletion", "change")),
        },
        Kind::Request(..) => (words!("web"), words!("access")),
        Kind::Relay(..) | Kind::Stranger { .. } => (words!("network"), words!("connection", "denied")),
        Kind::Secured(_) => (words!("network"), words!("protocol", "info")),
        Kind::Unsecured { .. } => (words!("network"), words!("protocol", "denied")),
        Kind::Withheld { .. } => (words!("network"), words!("protocol", "denied")),
        Kind::Discarded { .. } => (words!("file"), words!("deletion")),
        Kind::Read(..) => (words!("network"), words!("protocol", "access")),
        Kind::Write(..) | Kind::Command(..) => (words!("network", "configuration"), words!("protocol", "change")),
    }
}

fn outcome(kind: &Kind) -> Outcome {
    match (kind, kind.operation().map(|operation| operation.verdict)) {
        (_, Some(Verdict::Done)) => Outcome::Success,
        (_, Some(Verdict::Refused { .. } | Verdict::Silent { .. }))
        | (Kind::Malformed { .. } | Kind::Faulted { .. }, _) => Outcome::Failure,
        (Kind::Closed(ending), _) => match ending.reason {
            Reason::Broken | Reason::Fault => Outcome::Failure,
            _ => Outcome::Success,
        },
        (Kind::Started { .. } | Kind::Stopped | Kind::Opened | Kind::Secured(_), _) => Outcome::Success,
        (Kind::Unsecured { .. } | Kind::Stranger { .. } | Kind::Withheld { .. } | Kind::Discarded { .. }, _) => {
            Outcome::Failure
        }
        _ => Outcome::Unknown,
    }
}

fn network(session: &Session) -> Network<'_> {
    Network {
        transport: session.carrier.name().into(),
        protocol: session.protocol.into(),
        family: match session.peer.ip().to_canonical() {
            IpAddr::V4(_) => "ipv4".into(),
            IpAddr::V6(_) => "ipv6".into(),
        },
        direction: "inbound".into(),
    }
}

/// An IPv4 peer of a socket for both kinds is one of IPv4.
const fn address(of: SocketAddr) -> Address {
    Address { ip: of.ip().to_canonical(), port: of.port() }
}

fn bytes(hex: &str, length: usize) -> Option<Bytes<'_>> {
    (length > 0).then(|| Bytes { hex: hex.into(), length: length as u64 })
}

pub(crate) fn hex(out: &mut String, bytes: &[u8]) {
    let mut digits = [0; 64];
    for part in bytes.chunks(digits.len() / 2) {
        for (pair, byte) in digits.chunks_exact_mut(2).zip(part) {
            pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 0xF)]);
        }
        let digits = digits.get(..2 * part.len()).unwrap_or_default();
        out.push_str(std::str::from_utf8(digits).unwrap_or_default());
    }
}
