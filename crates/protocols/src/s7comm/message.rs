//! Messages that the CPU sends by itself: its mode, its diagnostic buffer, alarms. Apart, because they go out when something
//! happens.

use super::{
    build::Desk,
    cpu::Cpu,
    peer::Peer,
    szl::diagnostics,
    userdata::{self, Answer, UserData},
    wire::{self, error, group, refused, returned},
};
use honeyplant_core::{
    conversation::Context,
    event::{Command, Kind, Verdict},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use toml::Spanned;

/// Messages that the CPU sends by itself.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// How many connections may listen to messages at once: 12, if this is not said.
    #[schemars(with = "Option<u16>")]
    listeners: Option<Spanned<u16>>,
}

/// Who listens to messages.
#[derive(Debug)]
pub(super) struct Messages {
    most: u16,
    /// Every listener holds one of these.
    places: Arc<()>,
}

impl Messages {
    /// What `settings`, which stand at `key`, describe.
    pub(super) fn build(settings: &Settings, key: &str, desk: &mut Desk<'_>) -> Self {
        let most = desk.between(settings.listeners.as_ref(), &format!("{key}.listeners"), 12, 0, 64);
        Self { most, places: Arc::default() }
    }
}

/// The functions of the group that are about messages.
mod function {
    pub(super) const SERVICE: u8 = 2;
    pub(super) const DIAGNOSTIC: u8 = 3;
    pub(super) const LOCK: u8 = 7;
    pub(super) const UNLOCK: u8 = 8;
    pub(super) const ACKNOWLEDGE: u8 = 11;
    pub(super) const QUERY: u8 = 19;
}

/// Nobody more can listen.
const TOO_MANY: u16 = 0xD404;

/// Answers.
pub(super) fn answer(request: &UserData<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    match request.subfunction {
        function::SERVICE => service(request, peer, cpu, cx),
        function::QUERY => query(request, cx),
        function::ACKNOWLEDGE => acknowledge(request, cx),
        function::LOCK | function::UNLOCK => lock(request, cx),
        _ => userdata::unavailable(request, cx),
    }
}

/// What can be listened to.
mod events {
    pub(super) const MODE: u8 = 0x01;
    pub(super) const SYSTEM: u8 = 0x02;
    pub(super) const ALARMS: u8 = 0x80;
}

/// Listens from now on to these events, or to none: an octet of them, a reserved one, the name of the listener in eight, and of
/// alarms their kind.
fn service(request: &UserData<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    /// What the CPU says to it: it was done.
    const REGISTERED: u8 = 2;
    let wanted = request.data.first().copied().filter(|_| request.data.len() >= 10);
    // Who listens already has a place.
    let full = Arc::strong_count(&cpu.message.places) > usize::from(cpu.message.most);
    let refusal = match wanted {
        None => Some(error::SYNTAX),
        Some(wanted) if wanted != 0 && peer.messages.place.is_none() && full => Some(TOO_MANY),
        Some(_) => None,
    };
    let verdict = refusal.map_or(Verdict::Done, refused);
    let (name, command) = match wanted {
        Some(0) => ("unsubscribe from messages", Command::Cancel),
        _ => ("subscribe to messages", Command::Subscribe),
    };
    cx.record(Kind::Command(wire::operation(name, request.code(), verdict), command));
    let Some(wanted) = wanted.filter(|_| refusal.is_none()) else {
        return Answer::refused(refusal.unwrap_or(error::SYNTAX));
    };
    peer.messages = if wanted == 0 {
        Subscription::default()
    } else {
        let place = Some(peer.messages.place.take().unwrap_or_else(|| cpu.message.places.clone()));
        Subscription { events: wanted, seen: cx.device().noted(), due: Some(cx.now + LOOK), place }
    };
    let kind = request.data.get(10).copied().filter(|_| wanted & events::ALARMS != 0);
    Answer::done(kind.map_or_else(|| vec![REGISTERED, 0], |kind| vec![REGISTERED, 0, kind, 0, 0]))
}

/// The alarms that are there: none. One object is told, and that it does not exist.
fn query(request: &UserData<'_>, cx: &mut Context<'_>) -> Answer {
    cx.record(Kind::Diagnose(wire::operation("alarm query", request.code(), Verdict::Done)));
    Answer::done(vec![0, 1, returned::NO_OBJECT, 0, 0, 0])
}

/// Alarms are acknowledged that are not there: each is answered with a code.
fn acknowledge(request: &UserData<'_>, cx: &mut Context<'_>) -> Answer {
    let (function, count) = match request.data {
        [function, count, ..] => (*function, *count),
        _ => (0, 0),
    };
    let verdict = Verdict::Refused { code: returned::NO_OBJECT.into(), reason: "there is no such alarm" };
    cx.record(Kind::Command(wire::operation("acknowledge alarms", request.code(), verdict), Command::Clear));
    let mut data = vec![function, count];
    data.resize(2 + usize::from(count), returned::NO_OBJECT);
    Answer::done(data)
}

/// Alarms of the kind that only a CPU of the 400 family has.
fn lock(request: &UserData<'_>, cx: &mut Context<'_>) -> Answer {
    let name = if request.subfunction == function::LOCK { "lock alarms" } else { "unlock alarms" };
    cx.record(Kind::Unsupported(wire::operation(name, request.code(), refused(error::SYNTAX))));
    Answer::refused(error::SYNTAX)
}

/// How often it is looked for something new.
const LOOK: Duration = Duration::from_millis(200);

/// Which messages a peer is sent.
#[derive(Debug, Default)]
pub(super) struct Subscription {
    events: u8,
    /// How many notes of the device it has been told of.
    seen: usize,
    due: Option<Instant>,
    place: Option<Arc<()>>,
}

impl Subscription {
    /// When it is to be looked for messages again.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }
}

/// Sends what is due.
pub(super) fn wake(peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) {
    if peer.messages.due.is_none_or(|due| due > cx.now) {
        return;
    }
    peer.messages.due = Some(cx.now + LOOK);
    let (events, seen, noted) = (peer.messages.events, peer.messages.seen, cx.device().noted());
    if noted == seen {
        return;
    }
    peer.messages.seen = noted;
    for (_, entry) in diagnostics::entries(cx.device(), cx.now).into_iter().filter(|(note, _)| *note > seen) {
        if let Some(mode) = entry.mode().filter(|_| events & events::MODE != 0) {
            peer.push(group::MODE, mode as u8, 0, Answer::empty());
        }
        if events & events::SYSTEM != 0 {
            peer.push(group::CPU, function::DIAGNOSTIC, 0, Answer::done(entry.octets(cpu).to_vec()));
        }
    }
}
