//! SNMPv3 messages on their way in and out, RFC 3412 §7. Apart from `usm.rs`, because users do not answer.

use super::{
    Agent, Name, Talk,
    agent::{Answer, Request},
    engine::Engine,
    usm::{Admitted, Authority, Claim, Refused, Report, User},
    v3::{self, Data, Header, Level, Scoped, Security},
    value::Value,
    wire::{self, Message, Pdu, Purpose, Reply, Version},
};
use crate::shared::ber::{self, Fault, Reader};
use honeyplant_core::{
    conversation::Context,
    event::{Kind, Login, Operation, Verdict},
    random::Random,
};
use std::time::Instant;

/// How what is answered is secured.
struct Envelope<'a> {
    engine: Authority<'a>,
    longest: usize,
    id: i32,
    level: Level,
    user: Option<&'a User>,
    name: &'a [u8],
    context_engine: &'a [u8],
    context: &'a [u8],
}

impl Envelope<'_> {
    /// Appends a message with this PDU.
    fn put(&self, out: &mut Vec<u8>, reply: &Reply<'_>, random: &mut Random) {
        let mut data = self.scoped(reply);
        let Authority { id: engine, boots, time } = self.engine;
        let mut salt = None;
        if let Some(user) = self.user.filter(|_| self.level == Level::Private) {
            salt = user.encrypt(engine, (boots, time), random, &mut data);
            // A key that does not fit the cipher: rather nothing is said than in the open.
            if salt.is_none() {
                return;
            }
            let encrypted = std::mem::take(&mut data);
            ber::put_octets(&mut data, ber::OCTET_STRING, &encrypted);
        }
        let (mut message, end) = self.message(salt, &data);
        if let Some(user) = self.user.filter(|_| self.level >= Level::Authentic) {
            user.sign(engine, &mut message, end);
        }
        out.append(&mut message);
    }

    fn scoped(&self, reply: &Reply<'_>) -> Vec<u8> {
        let mut data = Vec::new();
        v3::put_scoped(&mut data, self.context_engine, self.context, |out| reply.put(out));
        data
    }

    /// A message with an empty digest, and where it ends.
    fn message(&self, salt: Option<[u8; 8]>, data: &[u8]) -> (Vec<u8>, usize) {
        let (level, max_size) = (Some(self.level), self.longest);
        let header = Header { id: self.id, max_size, level, reportable: false, model: v3::USM };
        let user = self.user.filter(|_| self.level >= Level::Authentic);
        let digest = vec![0; user.map_or(0, User::digest_length)];
        let Authority { id: engine, boots, time } = self.engine;
        let salt: &[u8] = salt.as_ref().map_or(&[], |salt| salt);
        let security = Security { engine, boots, time, user: self.name, digest: &digest, salt };
        v3::message(&header, &security, data)
    }

    /// How many octets of encoded variable bindings have place in a message of at most `max_size` octets. The heads of list,
    /// PDU, ScopedPDU, encryption and message grow by up to two octets each, and DES adds up to seven.
    fn room(&self, max_size: usize, request_id: i32) -> usize {
        let reply = Reply { purpose: Purpose::Response, request_id, failure: None, list: &[] };
        let private = self.level == Level::Private;
        let (empty, _) = self.message(private.then_some([0; 8]), &self.scoped(&reply));
        max_size.min(self.longest).saturating_sub(empty.len() + 4 * 2 + if private { 4 + 7 } else { 0 })
    }
}

impl Engine {
    fn authority(&self, cx: &Context<'_>) -> Authority<'_> {
        Authority { id: &self.id, boots: self.boots(cx.device()), time: self.time(cx.device(), cx.now) }
    }
}

impl Talk {
    /// RFC 3412 §7.2
    pub(super) fn hear_secure(
        &mut self,
        agent: &Agent,
        mut message: Message<'_>,
        cx: &mut Context<'_>,
    ) -> Result<(), Fault> {
        let counters = &agent.engine.counters;
        let header = Header::read(&mut message)?;
        let silent = |name, code, reason| {
            Kind::Unsupported(Operation { name, code, unit: None, verdict: Verdict::Silent { reason } })
        };
        if header.model != v3::USM {
            counters.unknown_security_models.count();
            let model = u16::try_from(header.model).unwrap_or(u16::MAX);
            cx.record(silent("security model", model, "the agent has no such security model"));
            return Ok(());
        }
        let Some(level) = header.level else {
            counters.invalid_msgs.count();
            cx.record(silent("security level", 2, "a message cannot be private without being authentic"));
            return Ok(());
        };
        let (security, end) = Security::read(&mut message)?;
        let data = Data::read(&mut message)?;
        if matches!(data, Data::Encrypted(_)) != (level == Level::Private) {
            return Err(Fault::Unexpected);
        }
        let claim = Claim { level, security, whole: message.whole, end, data };
        let engine = agent.engine.authority(cx);
        match claim.check(&agent.users, engine) {
            Ok(Admitted { user, opened }) => {
                if level >= Level::Authentic {
                    cx.prove();
                }
                self.hear_scoped(agent, &header, &claim, user, opened.as_deref(), cx)
            }
            Err(Refused { report, user }) => {
                let pdu = match claim.data {
                    Data::Plain(mut scoped) => Pdu::read(&mut scoped.pdu).ok(),
                    Data::Encrypted(_) => None,
                };
                // The flag counts where the PDU cannot be seen (RFC 3412 §6.4); its identifier is 0 then, as with net-snmp.
                let reportable = pdu.as_ref().map_or(header.reportable, |pdu| pdu.purpose.is_confirmed());
                let request_id = pdu.map_or(0, |pdu| pdu.request_id);
                cx.record(refused(report, &security));
                // RFC 3414 §3.2, step 7 a: whoever is authentic is told the time in a message that is so, too.
                let level = if report == Report::NotInTimeWindows { Level::Authentic } else { Level::Open };
                let envelope = Envelope {
                    engine,
                    longest: agent.engine.longest,
                    id: header.id,
                    level,
                    user,
                    name: security.user,
                    context_engine: engine.id,
                    context: &[],
                };
                self.report(agent, report, reportable, request_id, &envelope, cx);
                Ok(())
            }
        }
    }

    fn meet(&mut self, agent: &Agent, user: &User, cx: &mut Context<'_>) {
        let index = agent.users.iter().position(|other| std::ptr::eq(other, user));
        if index.is_some_and(|index| self.meets(Name::User(index))) {
            cx.record(login(Verdict::Done, user.name.as_bytes()));
        }
    }

    /// A message whose user is known: RFC 3413 §3.2.
    fn hear_scoped(
        &mut self,
        agent: &Agent,
        header: &Header,
        claim: &Claim<'_>,
        user: &User,
        opened: Option<&[u8]>,
        cx: &mut Context<'_>,
    ) -> Result<(), Fault> {
        let mut scoped = match (claim.data, opened) {
            (_, Some(octets)) => match Scoped::read(&mut Reader::new(octets)) {
                Ok(scoped) => scoped,
                Err(_) => {
                    agent.engine.counters.in_asn_parse_errs.count();
                    let reason = "what was encrypted cannot be read: the privacy password is another";
                    cx.record(login(Verdict::Silent { reason }, claim.security.user));
                    return Ok(());
                }
            },
            (Data::Plain(scoped), None) => scoped,
            (Data::Encrypted(_), None) => return Err(Fault::Unexpected),
        };
        if claim.level >= user.level {
            self.meet(agent, user, cx);
        }
        let pdu = Pdu::read(&mut scoped.pdu)?;
        let engine = agent.engine.authority(cx);
        let envelope = Envelope {
            engine,
            longest: agent.engine.longest,
            id: header.id,
            level: claim.level,
            user: Some(user),
            name: claim.security.user,
            context_engine: engine.id,
            context: scoped.context,
        };
        // An empty contextEngineID is taken for the agent's own, as net-snmp takes it.
        let report = if !scoped.engine.is_empty() && scoped.engine != engine.id {
            Some(Report::UnknownPduHandlers)
        } else if !scoped.context.is_empty() {
            Some(Report::UnknownContexts)
        } else {
            None
        };
        if let Some(report) = report {
            let (code, reason) = report.told();
            cx.record(pdu.asked(Verdict::Refused { code, reason }));
            self.report(agent, report, pdu.purpose.is_confirmed(), pdu.request_id, &envelope, cx);
            return Ok(());
        }
        let request = Request {
            pdu: &pdu,
            grant: &user.grant,
            first_version: false,
            room: envelope.room(header.max_size, pdu.request_id),
        };
        let answered =
            if claim.level < user.level { self.deny(agent, &request, cx) } else { self.perform(agent, &request, cx) };
        if let Some((Answer { failure, list, kind }, due)) = answered {
            let reply = Reply { purpose: Purpose::Response, request_id: pdu.request_id, failure, list: &list };
            self.say(agent, due, cx, |out, random| envelope.put(out, &reply, random));
            cx.record(kind);
        }
        Ok(())
    }

    /// What is answered to a request that is not secured well enough for its user (RFC 3415 §3.2, noAccessEntry).
    fn deny<'a>(
        &self,
        agent: &Agent,
        request: &Request<'a>,
        cx: &mut Context<'_>,
    ) -> Option<(Answer<'a>, Option<Instant>)> {
        if let Err(reason) = self.bears(agent, request, cx) {
            cx.record(request.pdu.unanswered(reason));
            return None;
        }
        Some((request.denied(), None))
    }

    /// RFC 3412 §7.1, step 3, for the engine that is spoken to.
    fn report(
        &mut self,
        agent: &Agent,
        report: Report,
        reportable: bool,
        request_id: i32,
        envelope: &Envelope<'_>,
        cx: &mut Context<'_>,
    ) {
        let counter = report.counter(&agent.engine.counters);
        counter.count();
        if !reportable {
            return;
        }
        let mut list = Vec::new();
        wire::put_bind(&mut list, &report.name(), Ok(&Value::Counter32(counter.get())));
        let reply = Reply { purpose: Purpose::Report, request_id, failure: None, list: &list };
        self.say(agent, None, cx, |out, random| envelope.put(out, &reply, random));
    }
}

/// What is recorded of a message that is answered with a report.
fn refused(report: Report, security: &Security<'_>) -> Kind {
    // RFC 3414 §4: whoever does not know the engine yet asks without one.
    if report == Report::UnknownEngineIds && security.engine.is_empty() {
        return Kind::Identify(Operation { name: "discovery", code: 3, unit: None, verdict: Verdict::Done });
    }
    let (code, reason) = report.told();
    login(Verdict::Refused { code, reason }, security.user)
}

fn login(verdict: Verdict, user: &[u8]) -> Kind {
    let operation = Operation { name: "user", code: Version::V3.number(), unit: None, verdict };
    Kind::Login(operation, Box::new(Login { user: Some(String::from_utf8_lossy(user).into()), secret: None }))
}
