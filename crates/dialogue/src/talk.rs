//! A conversation driven by hand, in virtual time. Apart, because the fuzzer drives one without any script.

use crate::{
    channel::Channel,
    script::{self, Dialogue, Peer, Turn, shown},
};
use honeyplant_core::{
    conversation::{Context, Conversation, News, Outcome, Protocol, Step},
    device::Device,
    event::{Carrier, Session},
    identity::Identity,
    profile::{Endpoint, Profile},
    random::Random,
    settings::Problems,
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// Everything that is drawn is drawn from this, so that dialogues can say it.
const SEED: u64 = 1;

/// The date at which every dialogue begins: 2025-03-10T08:00:00Z.
const BEGIN: Duration = Duration::from_secs(1_741_593_600);

/// A device and its services, made for a dialogue.
pub struct Stage {
    /// The device.
    pub device: Arc<Device>,
    /// Its services.
    pub endpoints: Vec<Endpoint>,
    /// The time at which it was started.
    pub started: Instant,
}

impl Stage {
    /// Makes a device of `profile`, with the files and pages that it has. The error tells all mistakes in it, a line each.
    pub fn of(profile: &Profile<'_>) -> Result<Self, String> {
        let mut identity = Identity::default();
        profile.identity.draw(&mut identity, &Identity::default(), SEED)?;
        let (device, endpoints) = profile.device("decoy", "dialogue", identity, SEED, None).map_err(told)?;
        let started = Instant::now();
        device.start(started, SystemTime::UNIX_EPOCH + BEGIN);
        Ok(Self { device, endpoints, started })
    }
}

/// Makes a device of the profile `text`. The error tells all mistakes in it, a line each.
pub fn stage(protocols: &[&'static dyn Protocol], text: &str) -> Result<Stage, String> {
    Stage::of(&Profile::parse(text, protocols).map_err(told)?)
}

fn told(problems: Problems) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Plays the dialogue `script`, the peer's bytes arriving `cut` at a time, against the profile that it brings, or else
/// against `profile`. The error names the line.
pub fn play(
    protocols: &[&'static dyn Protocol],
    profile: Option<&str>,
    script: &str,
    cut: usize,
) -> Result<(), String> {
    let dialogue = Dialogue::parse(script)?;
    let text = dialogue.profile.as_deref().or(profile).ok_or("there is no profile to speak to")?;
    dialogue.play(&stage(protocols, text)?, cut)
}

impl Dialogue {
    /// Plays the dialogue against the device of `stage`, the peer's bytes arriving `cut` at a time.
    pub fn play(&self, stage: &Stage, cut: usize) -> Result<(), String> {
        let mut party = Party { stage, now: stage.started, talks: Vec::new(), current: String::new() };
        for (number, turn) in &self.turns {
            party.take_turn(turn, cut).map_err(|why| format!("line {number}: {why}"))?;
        }
        party.talks.into_iter().try_for_each(|(_, talk)| talk.finish())
    }
}

/// All peers of a dialogue, who share the device and its time.
struct Party<'a> {
    stage: &'a Stage,
    now: Instant,
    talks: Vec<(Peer, Talk)>,
    current: Peer,
}

impl Party<'_> {
    fn take_turn(&mut self, turn: &Turn, cut: usize) -> Result<(), String> {
        match turn {
            Turn::Serve(name, peer) => {
                self.current.clone_from(peer);
                if let Some(before) = self.talks.iter().position(|(other, _)| other == peer) {
                    self.talks.remove(before).1.finish()?;
                }
                let number = u8::try_from(self.talks.len()).unwrap_or(u8::MAX);
                let talk = Talk::connect(self.stage, name, self.now, number)?;
                self.talks.push((peer.clone(), talk));
                Ok(())
            }
            Turn::Peer(peer) => {
                self.current.clone_from(peer);
                self.talk().map(drop)
            }
            Turn::Pass(time) => {
                self.pass(*time);
                Ok(())
            }
            turn => self.talk()?.take_turn(turn, cut),
        }
    }

    fn talk(&mut self) -> Result<&mut Talk, String> {
        let found = self.talks.iter_mut().find(|(peer, _)| *peer == self.current);
        found.map(|(_, talk)| talk).ok_or_else(|| format!("there is no peer `{}`", self.current))
    }

    /// Time passes for all, and every deadline in it comes in its turn.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let due = self.talks.iter_mut().filter_map(|(_, talk)| Some((talk.deadline()?, talk)));
            let Some((at, talk)) = due.min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= end) else { break };
            talk.wake(at);
        }
        self.now = end;
        self.talks.iter_mut().for_each(|(_, talk)| talk.now = end);
    }
}

/// Gives `chunks` one after the other to a fresh conversation with the service `name` of `stage`. The error is the
/// conversation's breach of its contract.
pub fn feed<'a>(stage: &Stage, name: &str, chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<(), String> {
    let mut talk = Talk::start(stage, name, stage.started)?;
    chunks.into_iter().try_for_each(|chunk| talk.receive(chunk))?;
    talk.leave();
    Ok(())
}

/// A conversation and everything that its driver keeps for it.
pub struct Talk {
    conversation: Box<dyn Conversation>,
    longest_message: usize,
    session: Session,
    random: Random,
    now: Instant,
    pending: Vec<u8>,
    out: Vec<u8>,
    /// Datagrams that were answered.
    datagrams: VecDeque<Vec<u8>>,
    outcome: Outcome,
    channel: Channel,
    /// Whether what is asked of the driver comes to pass by itself, since no dialogue says when.
    willing: bool,
    left: bool,
}

impl Talk {
    /// Connects a peer to the service `name` of `stage` at `now`. Whatever the device asks of the driver comes to pass at
    /// once, and what the peer sends it sends over an open channel, too.
    pub fn start(stage: &Stage, name: &str, now: Instant) -> Result<Self, String> {
        let mut talk = Self::build(stage, name, now, 0)?;
        talk.willing = true;
        talk.ask(|conversation, cx| conversation.open(cx));
        Ok(talk)
    }

    /// Connects the peer of this number; what the device asks of the driver comes to pass as a dialogue says it.
    fn connect(stage: &Stage, name: &str, now: Instant, number: u8) -> Result<Self, String> {
        let mut talk = Self::build(stage, name, now, number)?;
        talk.ask(|conversation, cx| conversation.open(cx));
        Ok(talk)
    }

    fn build(stage: &Stage, name: &str, now: Instant, number: u8) -> Result<Self, String> {
        let (name, carrier) = name.split_once(' ').unwrap_or((name, ""));
        let mut endpoints = stage.endpoints.iter().filter(|endpoint| endpoint.protocol == name);
        let endpoint = endpoints.find(|endpoint| {
            carrier.is_empty() || (endpoint.transport.carrier() == Carrier::Tls) == (carrier == "tls")
        });
        let endpoint = endpoint.ok_or_else(|| {
            let known: Vec<_> = stage.endpoints.iter().map(|endpoint| endpoint.protocol).collect();
            format!("there is no service `{name}` (there is: {})", known.join(", "))
        })?;
        let session = Session {
            id: 1 + u64::from(number),
            peer: ([192, 0, 2, number.saturating_add(7)], 40_007).into(),
            local: ([192, 0, 2, 1], endpoint.transport.port()).into(),
            carrier: endpoint.transport.carrier(),
            protocol: endpoint.protocol,
            device: stage.device.clone(),
        };
        Ok(Self {
            conversation: endpoint.service.converse(),
            longest_message: endpoint.service.longest_message(),
            session,
            random: Random::seeded(SEED),
            now,
            pending: Vec::new(),
            out: Vec::new(),
            datagrams: VecDeque::new(),
            outcome: Outcome::default(),
            channel: Channel::default(),
            willing: false,
            left: false,
        })
    }

    /// The bytes of the peer arrive. The error is a breach of the contract of [`Conversation::receive`].
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), String> {
        if self.willing && self.channel.is_open() {
            self.tell(News::Received(bytes));
            if bytes.len() % 2 == 1 {
                self.tell(News::Ended);
            }
        }
        match self.session.carrier {
            Carrier::Tcp | Carrier::Tls => self.receive_stream(bytes),
            Carrier::Udp => self.receive_datagram(bytes),
        }
    }

    fn receive_stream(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.pending.extend_from_slice(bytes);
        while !self.pending.is_empty() && !self.outcome.hang_up {
            let pending = std::mem::take(&mut self.pending);
            let step = self.ask(|conversation, cx| conversation.receive(&pending, cx));
            self.pending = pending;
            match step {
                Step::Wait if self.pending.len() >= self.longest_message => {
                    return Err(format!("it waits with its longest message ({}) before it", self.longest_message));
                }
                Step::Wait => break,
                Step::Took(0) => return Err("it took nothing, and would forever".to_owned()),
                Step::Took(n) if n > self.pending.len() => {
                    return Err(format!("it took {n} bytes of {}", self.pending.len()));
                }
                Step::Took(n) => drop(self.pending.drain(..n)),
            }
        }
        Ok(())
    }

    fn receive_datagram(&mut self, datagram: &[u8]) -> Result<(), String> {
        if datagram.is_empty() || self.outcome.hang_up {
            return Ok(());
        }
        match self.ask(|conversation, cx| conversation.receive(datagram, cx)) {
            Step::Took(0) => Err("it took nothing".to_owned()),
            Step::Took(n) if n > datagram.len() => Err(format!("it took {n} bytes of {}", datagram.len())),
            Step::Took(_) | Step::Wait => Ok(()),
        }
    }

    /// Time passes, with every deadline in it.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.deadline().filter(|at| *at <= end) {
            self.wake(at);
        }
        self.now = end;
    }

    fn deadline(&self) -> Option<Instant> {
        self.outcome.wake.filter(|_| !self.outcome.hang_up && !self.left)
    }

    fn wake(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.outcome.wake = None;
        self.ask(|conversation, cx| conversation.wake(cx));
    }

    /// The session is over.
    pub fn leave(&mut self) {
        if !self.left {
            self.left = true;
            self.ask(|conversation, cx| conversation.end(cx));
        }
    }

    /// Whether the device has hung up.
    pub const fn is_over(&self) -> bool {
        self.outcome.hang_up
    }

    /// Takes all that was answered so far.
    pub fn take_answer(&mut self) -> Vec<u8> {
        let mut answer: Vec<u8> = self.datagrams.drain(..).flatten().collect();
        answer.append(&mut self.out);
        answer
    }

    /// Takes what was recorded so far, each in a sentence.
    pub fn take_events(&mut self) -> Vec<String> {
        let mut sentence = |kind: honeyplant_core::event::Kind| {
            let mut text = String::new();
            // Writing to a string cannot fail.
            kind.sentence(&mut text, Some(&self.session.device)).map_or_else(|_| String::new(), |()| text)
        };
        self.outcome.events.drain(..).map(&mut sentence).collect()
    }

    fn ask<T>(&mut self, what: impl FnOnce(&mut dyn Conversation, &mut Context<'_>) -> T) -> T {
        // A conversation that asks for something more whenever it is told of something is left waiting in the end.
        const PATIENCE: usize = 100;
        let said = self.call(what);
        let mut told = 0;
        while self.willing && !self.left && !self.outcome.hang_up && told < PATIENCE {
            let Some(news) = self.channel.grant() else { break };
            self.call(|conversation, cx| conversation.effect(news, cx));
            told += 1;
        }
        said
    }

    fn call<T>(&mut self, what: impl FnOnce(&mut dyn Conversation, &mut Context<'_>) -> T) -> T {
        let mut cx = Context {
            now: self.now,
            session: &self.session,
            random: &mut self.random,
            out: &mut self.out,
            outcome: &mut self.outcome,
        };
        let said = what(&mut *self.conversation, &mut cx);
        self.heed();
        said
    }

    fn tell(&mut self, news: News<'_>) {
        if !self.outcome.hang_up {
            self.ask(|conversation, cx| conversation.effect(news, cx));
        }
    }

    /// Deals with what the conversation wished for.
    fn heed(&mut self) {
        self.outcome.artefacts.clear();
        let (effects, cuts) = (std::mem::take(&mut self.outcome.effects), std::mem::take(&mut self.outcome.cuts));
        if self.session.carrier == Carrier::Udp {
            let mut from = 0;
            for cut in cuts.into_iter().chain([self.out.len()]) {
                self.datagrams.extend(self.out.get(from..cut).filter(|part| !part.is_empty()).map(<[u8]>::to_vec));
                from = cut;
            }
            self.out.clear();
        }
        self.channel.asked.extend(effects.into_iter().map(|(_, effect)| effect));
    }

    fn take_turn(&mut self, turn: &Turn, cut: usize) -> Result<(), String> {
        match turn {
            Turn::Serve(..) | Turn::Peer(_) | Turn::Pass(_) => Ok(()),
            Turn::Send(_) if self.is_over() => Err("the device has hung up before".to_owned()),
            Turn::Send(bytes) if self.session.carrier == Carrier::Udp => self.receive(bytes),
            Turn::Send(bytes) => bytes.chunks(cut.max(1)).try_for_each(|part| self.receive(part)),
            Turn::Answer(pattern) => {
                let got: Vec<u8> = match self.session.carrier {
                    Carrier::Tcp | Carrier::Tls if pattern.has_gap() => std::mem::take(&mut self.out),
                    Carrier::Tcp | Carrier::Tls => self.out.drain(..pattern.len().min(self.out.len())).collect(),
                    Carrier::Udp => self.datagrams.pop_front().unwrap_or_default(),
                };
                pattern.check(&got)
            }
            Turn::Silence => self.silent(),
            Turn::Event(sentence) => {
                let events = std::mem::take(&mut self.outcome.events);
                self.outcome.events.clone_from(&events);
                let sentences = self.take_events();
                let found = sentences.iter().position(|other| other == sentence);
                let found = found.ok_or_else(|| {
                    format!("expected the event\n  {sentence}\nthere is\n  {}", sentences.join("\n  "))
                })?;
                self.outcome.events = events.into_iter().skip(found + 1).collect();
                Ok(())
            }
            Turn::Effect(step) => self.take_step(step, cut),
            Turn::Leave => {
                self.leave();
                Ok(())
            }
            Turn::End if self.is_over() => Ok(()),
            Turn::End => Err("the device has not hung up".to_owned()),
        }
    }

    fn take_step(&mut self, step: &script::Step, cut: usize) -> Result<(), String> {
        match step {
            script::Step::Send(bytes) => bytes.chunks(cut.max(1)).for_each(|part| self.tell(News::Received(part))),
            script::Step::Answer(pattern) => {
                while self.channel.carried.len() < pattern.len() && self.channel.carry() {
                    self.tell(News::Sent);
                }
                let carried = &mut self.channel.carried;
                let got: Vec<u8> = carried.drain(..pattern.len().min(carried.len())).collect();
                pattern.check(&got)?;
            }
            other => {
                if let Some(news) = self.channel.take(other)? {
                    self.tell(news);
                }
            }
        }
        Ok(())
    }

    fn silent(&self) -> Result<(), String> {
        let said: Vec<u8> = self.datagrams.iter().flatten().chain(&self.out).copied().collect();
        if said.is_empty() { Ok(()) } else { Err(format!("expected nothing, got {}", shown(&said))) }
    }

    fn finish(mut self) -> Result<(), String> {
        self.silent()?;
        self.channel.finish()?;
        self.leave();
        Ok(())
    }
}
