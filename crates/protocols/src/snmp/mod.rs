//! SNMP: how the agent of one device converses. Apart from `agent.rs`, because here is what precedes and follows a request:
//! who asks, whether it is let in, when it is answered.

mod agent;
mod build;
mod cipher;
mod engine;
mod keys;
mod mib;
mod oid;
mod secure;
mod settings;
mod throttle;
mod usm;
mod v3;
mod value;
mod view;
mod wire;

use crate::shared::ber::Fault;
use agent::{Answer, Grant, Request};
use engine::Engine;
use honeyplant_core::{
    conversation::{Context, Conversation, Protocol, Service, Step, Transport},
    device::Device,
    event::{Kind, Login, Operation, Verdict},
    random::Random,
    settings::{Problem, Settings},
};
use mib::{Mib, Moment};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::{collections::VecDeque, sync::Arc, time::Instant};
use throttle::{Delay, Throttle};
use usm::User;
use wire::{Message, Pdu, Purpose, Reply, Version};

/// SNMP.
pub(crate) struct Snmp;

impl Protocol for Snmp {
    fn name(&self) -> &'static str {
        "snmp"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Udp(161)]
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        settings::Settings::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, device: &Device) -> Result<Arc<dyn Service>, Vec<Problem>> {
        let read: settings::Settings = settings.read().map_err(|problem| vec![problem])?;
        let agent = build::agent(&read, settings.key(), device)?;
        Ok(Arc::new(Port { agent: Arc::new(agent) }))
    }
}

/// The agent of one device.
#[derive(Debug)]
struct Agent {
    /// Whether it speaks SNMPv1, SNMPv2c, SNMPv3.
    versions: [bool; 3],
    communities: Vec<Community>,
    users: Vec<User>,
    engine: Engine,
    throttle: Throttle,
    delay: Delay,
    mib: Mib,
}

#[derive(Debug)]
struct Community {
    name: Box<str>,
    grant: Grant,
}

struct Port {
    agent: Arc<Agent>,
}

impl Service for Port {
    fn converse(&self) -> Box<dyn Conversation> {
        Box::new(Talk { agent: self.agent.clone(), met: Vec::new(), held: VecDeque::new() })
    }

    fn longest_message(&self) -> usize {
        // The longest that a datagram carries: what is longer than the agent takes is to be recorded, too.
        65_507
    }
}

/// What is said with one peer.
struct Talk {
    agent: Arc<Agent>,
    /// What the peer was let in with.
    met: Vec<Name>,
    /// Answers that take their time, the next one first.
    held: VecDeque<(Instant, Vec<u8>)>,
}

/// A community or a user, by their place in the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Community(usize),
    User(usize),
}

/// How many answers to one peer may wait.
const HELD: usize = 64;

impl Conversation for Talk {
    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step {
        let agent = self.agent.clone();
        let counters = &agent.engine.counters;
        agent.engine.follow(cx.device());
        counters.in_pkts.count();
        if input.len() > agent.engine.longest {
            counters.in_asn_parse_errs.count();
            cx.record(Kind::Malformed { why: "the message is longer than the agent takes" });
        } else if let Err(fault) = self.hear(&agent, input, cx) {
            counters.in_asn_parse_errs.count();
            cx.record(Kind::Malformed { why: fault.why() });
        }
        Step::Took(input.len())
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        let mut cut = false;
        while let Some((_, answer)) = self.held.pop_front_if(|(due, _)| *due <= cx.now) {
            if std::mem::replace(&mut cut, true) {
                cx.cut();
            }
            cx.out.extend(answer);
        }
        if let Some((due, _)) = self.held.front() {
            cx.wake_at(*due);
        }
    }
}

impl Talk {
    fn hear(&mut self, agent: &Agent, datagram: &[u8], cx: &mut Context<'_>) -> Result<(), Fault> {
        let message = Message::read(datagram)?;
        let [first, second, third] = agent.versions;
        match message.version {
            Version::V1 if first => self.hear_community(agent, message, cx),
            Version::V2c if second => self.hear_community(agent, message, cx),
            Version::V3 if third => self.hear_secure(agent, message, cx),
            version => {
                agent.engine.counters.in_bad_versions.count();
                let verdict = Verdict::Silent { reason: "the agent does not speak this version" };
                cx.record(Kind::Unsupported(Operation {
                    name: "version",
                    code: version.number(),
                    unit: None,
                    verdict,
                }));
                Ok(())
            }
        }
    }

    /// RFC 1157 §4.1, RFC 3584 §5.2.
    fn hear_community(&mut self, agent: &Agent, mut message: Message<'_>, cx: &mut Context<'_>) -> Result<(), Fault> {
        let version = message.version;
        let name = wire::community(&mut message.rest)?;
        let found = agent.communities.iter().enumerate().find(|(_, known)| known.name.as_bytes() == name);
        let login = || Login { user: None, secret: Some(String::from_utf8_lossy(name).into()) };
        let operation = |verdict| Operation { name: "community", code: version.number(), unit: None, verdict };
        let Some((index, community)) = found else {
            agent.engine.counters.in_bad_community_names.count();
            let verdict = Verdict::Silent { reason: "there is no such community" };
            cx.record(Kind::Login(operation(verdict), Box::new(login())));
            return Ok(());
        };
        if self.meets(Name::Community(index)) {
            cx.record(Kind::Login(operation(Verdict::Done), Box::new(login())));
        }
        let pdu = Pdu::read(&mut message.rest)?;
        let first_version = version == Version::V1;
        let room = wire::room(agent.engine.longest, version, name, pdu.request_id);
        let request = Request { pdu: &pdu, grant: &community.grant, first_version, room };
        if let Some((Answer { failure, list, kind }, due)) = self.perform(agent, &request, cx) {
            let reply = Reply { purpose: Purpose::Response, request_id: pdu.request_id, failure, list: &list };
            self.say(agent, due, cx, |out, _| wire::put_message(out, version, name, &reply));
            cx.record(kind);
        }
        Ok(())
    }

    /// Whether the peer is let in with this community or user for the first time.
    fn meets(&mut self, name: Name) -> bool {
        let new = !self.met.contains(&name);
        if new {
            self.met.push(name);
        }
        new
    }

    /// What is answered to a request, and when. What is not answered is recorded.
    fn perform<'a>(
        &self,
        agent: &Agent,
        request: &Request<'a>,
        cx: &mut Context<'_>,
    ) -> Option<(Answer<'a>, Option<Instant>)> {
        let pdu = request.pdu;
        if let Err(reason) = self.bears(agent, request, cx) {
            cx.record(pdu.unanswered(reason));
            return None;
        }
        let delay = agent.delay.draw(pdu.purpose, cx.random);
        let due = cx.now.checked_add(delay).filter(|_| !delay.is_zero());
        let session = cx.session;
        let plant = session.device.plant(cx.now);
        let mut at = Moment { now: cx.now, session, engine: &agent.engine, plant };
        Some((request.perform(&agent.mib, &mut at), due))
    }

    /// Whether the agent answers; the error is why not.
    fn bears(&self, agent: &Agent, request: &Request<'_>, cx: &Context<'_>) -> Result<(), &'static str> {
        let counters = &agent.engine.counters;
        match request.pdu.purpose {
            Purpose::GetBulk if request.first_version => Err("SNMPv1 has no such PDU"),
            Purpose::Get | Purpose::GetNext | Purpose::GetBulk | Purpose::Set => {
                agent.throttle.admit(cx.session.peer.ip(), cx.device().clock(cx.now))?;
                if self.held.len() < HELD { Ok(()) } else { Err("too many answers wait for their time") }
            }
            purpose => {
                match purpose {
                    Purpose::Response => counters.in_get_responses.count(),
                    Purpose::Trap | Purpose::SnmpV2Trap => counters.in_traps.count(),
                    _ => {}
                }
                Err("an agent takes no such PDU")
            }
        }
    }

    /// Sends what `put` writes, at once or when it is due.
    fn say(
        &mut self,
        agent: &Agent,
        due: Option<Instant>,
        cx: &mut Context<'_>,
        put: impl FnOnce(&mut Vec<u8>, &mut Random),
    ) {
        agent.engine.counters.out_pkts.count();
        let Some(due) = due else {
            put(cx.out, cx.random);
            return;
        };
        let mut answer = Vec::new();
        put(&mut answer, cx.random);
        let place = self.held.partition_point(|(other, _)| *other <= due);
        self.held.insert(place, (due, answer));
        if let Some((next, _)) = self.held.front() {
            cx.wake_at(*next);
        }
    }
}
