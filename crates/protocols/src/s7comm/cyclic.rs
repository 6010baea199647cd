//! Values that are told cyclically. Apart, because they go out without being asked for each time.

use super::{
    build::Desk,
    cpu::Cpu,
    peer::Peer,
    userdata::{self, Answer, UserData},
    variable::Watch,
    wire::{self, error, group, refused},
};
use honeyplant_core::{
    bytes::{Reader, Short},
    conversation::Context,
    event::{Command, Kind, Verdict},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::{Duration, Instant};
use toml::Spanned;

/// Values that are told cyclically.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// How many jobs of this kind a connection may have at once: 8, if this is not said.
    #[schemars(with = "Option<u16>")]
    jobs: Option<Spanned<u16>>,
}

/// How values are told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cyclic {
    most: u16,
}

impl Cyclic {
    /// What `settings`, which stand at `key`, describe.
    pub(super) fn build(settings: &Settings, key: &str, desk: &mut Desk<'_>) -> Self {
        Self { most: desk.between(settings.jobs.as_ref(), &format!("{key}.jobs"), 8, 0, 64) }
    }

    /// The most jobs at once.
    pub(super) const fn most(self) -> u16 {
        self.most
    }
}

/// The functions of the group.
mod function {
    pub(super) const CYCLIC: u8 = 1;
    pub(super) const UNSUBSCRIBE: u8 = 4;
    pub(super) const CHANGES: u8 = 5;
}

/// Why a job is not set up or ended.
mod refusal {
    pub(super) const NO_JOB: u16 = 0xD802;
    pub(super) const CYCLE: u16 = 0xD804;
    pub(super) const TOO_MANY: u16 = 0xD805;
}

/// What is told to a peer, and when.
#[derive(Debug)]
struct Told {
    /// The number of the answer that set it up.
    id: u8,
    subfunction: u8,
    every: Duration,
    due: Instant,
    watch: Watch,
    /// What was told last.
    last: Vec<u8>,
}

/// Answers.
pub(super) fn answer(request: &UserData<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    match request.subfunction {
        function::CYCLIC | function::CHANGES => subscribe(request, peer, cpu, cx),
        function::UNSUBSCRIBE => unsubscribe(request, peer, cx),
        _ => userdata::unavailable(request, cx),
    }
}

fn subscribe(request: &UserData<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let changes = request.subfunction == function::CHANGES;
    let name = if changes { "subscribe to changes" } else { "subscribe cyclically" };
    let set_up = watch(request.data).map_err(|Short| error::SYNTAX).and_then(|(every, watch)| {
        let every = every.ok_or(refusal::CYCLE)?;
        if peer.subscriptions.0.len() >= cpu.cyclic.most.into() {
            return Err(refusal::TOO_MANY);
        }
        let data = watch.data(cpu, cx.device(), cx.now);
        if !peer.holds(&data) {
            return Err(error::PDU_SIZE);
        }
        Ok((every, watch, data))
    });
    let verdict = set_up.as_ref().map_or_else(|code| refused(*code), |_| Verdict::Done);
    cx.record(Kind::Command(wire::operation(name, request.code(), verdict), Command::Subscribe));
    match set_up {
        Ok((every, watch, data)) => {
            watch.record("read cyclically", request.code(), cpu, cx);
            let (id, due) = (peer.coming_sequence(), cx.now + every);
            let told = Told { id, subfunction: request.subfunction, every, due, watch, last: data.clone() };
            peer.subscriptions.0.push(told);
            Answer::done(data)
        }
        Err(code) => Answer::refused(code),
    }
}

/// How often what is to be told. A factor of 0 is no time.
fn watch(data: &[u8]) -> Result<(Option<Duration>, Watch), Short> {
    let mut r = Reader::new(data);
    let (count, base, factor) = (r.be16()?, r.u8()?, r.u8()?);
    let base = match base {
        0 => Some(Duration::from_millis(100)),
        1 => Some(Duration::from_secs(1)),
        2 => Some(Duration::from_secs(10)),
        _ => None,
    };
    // As many as a job of Read Var has.
    if !(1..=20).contains(&count) {
        return Err(Short);
    }
    let watch = Watch::parse(&mut r, count)?;
    Ok((base.filter(|_| factor > 0).map(|base| base * u32::from(factor)), watch))
}

/// Ends a job, or all of them if its number is 0.
fn unsubscribe(request: &UserData<'_>, peer: &mut Peer, cx: &mut Context<'_>) -> Answer {
    let id = request.data.get(1).copied();
    let told = &mut peer.subscriptions.0;
    let before = told.len();
    told.retain(|told| id.is_none_or(|id| id != 0 && told.id != id));
    let ended = id.is_some() && (told.len() < before || id == Some(0));
    let refusal = (!ended).then_some(if id.is_some() { refusal::NO_JOB } else { error::SYNTAX });
    let verdict = refusal.map_or(Verdict::Done, refused);
    cx.record(Kind::Command(wire::operation("unsubscribe", request.code(), verdict), Command::Cancel));
    refusal.map_or_else(Answer::empty, Answer::refused)
}

/// What a peer is told cyclically.
#[derive(Debug, Default)]
pub(super) struct Subscriptions(Vec<Told>);

impl Subscriptions {
    /// When the next values are due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.iter().map(|told| told.due).min()
    }
}

/// Sends what is due.
pub(super) fn wake(peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) {
    let mut pushes = Vec::new();
    for told in peer.subscriptions.0.iter_mut().filter(|told| told.due <= cx.now) {
        // What was missed is not made up for.
        told.due = (told.due + told.every).max(cx.now);
        let data = told.watch.data(cpu, cx.device(), cx.now);
        if told.subfunction == function::CHANGES && data == told.last {
            continue;
        }
        told.last.clone_from(&data);
        pushes.push((told.subfunction, told.id, data));
    }
    for (subfunction, id, data) in pushes {
        // A PDU that grew smaller since may no longer hold it.
        if peer.holds(&data) {
            peer.push(group::CYCLIC, subfunction, id, Answer::done(data));
        }
    }
}
