//! A conversation driven by hand, in virtual time. Apart, because the fuzzer drives one without any script.

use crate::script::{Dialogue, Turn};
use honeyplant_core::{
    conversation::{Context, Conversation, Outcome, Protocol, Step},
    device::Device,
    event::{Carrier, Session},
    identity::Identity,
    profile::{Endpoint, Profile},
    random::Random,
};
use std::{
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

/// Makes a device of the profile `text`. The error tells all mistakes in it, a line each.
pub fn stage(protocols: &[&'static dyn Protocol], text: &str) -> Result<Stage, String> {
    let told = |problems: Vec<_>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let profile = Profile::parse(text, protocols).map_err(told)?;
    let mut identity = Identity::default();
    profile.identity.draw(&mut identity, &Identity::default(), SEED)?;
    let (device, endpoints) = profile.device("decoy", "dialogue", identity, SEED, None).map_err(told)?;
    let started = Instant::now();
    device.start(started, SystemTime::UNIX_EPOCH + BEGIN);
    Ok(Stage { device, endpoints, started })
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
        let mut now = stage.started;
        let mut talk: Option<Talk> = None;
        for (number, turn) in &self.turns {
            let at = |why: String| format!("line {number}: {why}");
            if let Turn::Serve(name) = turn {
                if let Some(talk) = talk.take() {
                    now = talk.now;
                    talk.end().map_err(at)?;
                }
                talk = Some(Talk::start(stage, name, now).map_err(at)?);
            } else {
                let talk = talk.as_mut().ok_or_else(|| at("nothing is served yet".to_owned()))?;
                talk.take_turn(turn, cut).map_err(at)?;
            }
        }
        talk.map_or(Ok(()), Talk::end)
    }
}

/// Gives `chunks` one after the other to a fresh conversation with the service `name` of `stage`. The error is the
/// conversation's breach of its contract.
pub fn feed<'a>(stage: &Stage, name: &str, chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<(), String> {
    let mut talk = Talk::start(stage, name, stage.started)?;
    chunks.into_iter().try_for_each(|chunk| talk.receive(chunk))
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
    outcome: Outcome,
}

impl Talk {
    /// Connects a peer to the service `name` of `stage` at `now`.
    pub fn start(stage: &Stage, name: &str, now: Instant) -> Result<Self, String> {
        let endpoint = stage.endpoints.iter().find(|endpoint| endpoint.protocol == name);
        let endpoint = endpoint.ok_or_else(|| {
            let known: Vec<_> = stage.endpoints.iter().map(|endpoint| endpoint.protocol).collect();
            format!("there is no service `{name}` (there is: {})", known.join(", "))
        })?;
        let session = Session {
            id: 1,
            peer: ([192, 0, 2, 7], 40_007).into(),
            local: ([192, 0, 2, 1], 0).into(),
            carrier: Carrier::Tcp,
            protocol: endpoint.protocol,
            device: stage.device.clone(),
        };
        let mut talk = Self {
            conversation: endpoint.service.converse(),
            longest_message: endpoint.service.longest_message(),
            session,
            random: Random::seeded(SEED),
            now,
            pending: Vec::new(),
            out: Vec::new(),
            outcome: Outcome::default(),
        };
        talk.ask(|conversation, cx| conversation.open(cx));
        Ok(talk)
    }

    /// The bytes of the peer arrive. The error is a breach of the contract of [`Conversation::receive`].
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), String> {
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

    /// Time passes, with every deadline in it.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.outcome.wake.filter(|at| *at <= end && !self.outcome.hang_up) {
            self.now = self.now.max(at);
            self.outcome.wake = None;
            self.ask(|conversation, cx| conversation.wake(cx));
        }
        self.now = end;
    }

    /// Whether the device has hung up.
    pub const fn is_over(&self) -> bool {
        self.outcome.hang_up
    }

    /// Takes all that was answered so far.
    pub fn take_answer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
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
        let mut cx = Context {
            now: self.now,
            session: &self.session,
            random: &mut self.random,
            out: &mut self.out,
            outcome: &mut self.outcome,
        };
        what(&mut *self.conversation, &mut cx)
    }

    fn take_turn(&mut self, turn: &Turn, cut: usize) -> Result<(), String> {
        match turn {
            Turn::Serve(_) => Ok(()),
            Turn::Send(_) if self.is_over() => Err("the device has hung up before".to_owned()),
            Turn::Send(bytes) => bytes.chunks(cut.max(1)).try_for_each(|part| self.receive(part)),
            Turn::Answer(pattern) => {
                let got: Vec<u8> = self.out.drain(..pattern.len().min(self.out.len())).collect();
                if pattern.fits(&got) { Ok(()) } else { Err(format!("expected {pattern}, got {}", digits(&got))) }
            }
            Turn::Silence if self.out.is_empty() => Ok(()),
            Turn::Silence => Err(format!("expected nothing, got {}", digits(&self.out))),
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
            Turn::Pass(time) => {
                self.pass(*time);
                Ok(())
            }
            Turn::End if self.is_over() => Ok(()),
            Turn::End => Err("the device has not hung up".to_owned()),
        }
    }

    fn end(self) -> Result<(), String> {
        if self.out.is_empty() { Ok(()) } else { Err(format!("unexpected answer before this {}", digits(&self.out))) }
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
