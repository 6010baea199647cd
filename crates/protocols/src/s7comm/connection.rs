//! One connection of a peer: packets and transport, how it is made and ends, and what becomes of what is broken. RFC 1006,
//! X.224 class 0. Apart from `association.rs`, because nothing of S7comm is in it but where the CPU is.

use super::{association::Association, cpu::Cpu, settings::Elsewhere, wire};
use crate::shared::{
    cotp::{self, Connect, Tpdu, cause, reason},
    tpkt,
};
use honeyplant_core::{
    conversation::{Context, Conversation, Step},
    event::{Kind, Verdict},
};
use std::sync::Arc;

pub(super) struct Connection {
    cpu: Arc<Cpu>,
    state: State,
}

enum State {
    /// A connection request comes first.
    Idle,
    /// There is a transport connection.
    Connected(Box<Transport>),
    /// The connection is being closed.
    Closed,
}

/// A transport connection.
struct Transport {
    /// The peer's reference.
    remote: u16,
    /// The longest TPDU.
    tpdu: usize,
    /// What has come of a PDU that is not whole yet.
    fragments: Vec<u8>,
    association: Association,
}

impl Connection {
    pub(super) const fn new(cpu: Arc<Cpu>) -> Self {
        Self { cpu, state: State::Idle }
    }
}

impl Conversation for Connection {
    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step {
        if matches!(self.state, State::Closed) {
            return Step::Took(input.len());
        }
        match tpkt::packet(input, self.cpu.longest_packet()) {
            None => Step::Wait,
            Some(Ok((tpdu, length))) => {
                self.take(tpdu, cx);
                self.settle(cx);
                Step::Took(length)
            }
            // What is no packet leaves no way to find the next one.
            Some(Err(broken)) => {
                cx.record(Kind::Malformed { why: broken.why() });
                self.close(cx);
                Step::Took(input.len())
            }
        }
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        if let State::Connected(transport) = &mut self.state {
            transport.association.wake(&self.cpu, cx);
        }
        self.settle(cx);
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        if let State::Connected(transport) = &mut self.state {
            transport.association.end(cx);
        }
    }
}

impl Connection {
    /// Deals with a TPDU.
    fn take(&mut self, octets: &[u8], cx: &mut Context<'_>) {
        let tpdu = Tpdu::parse(octets);
        match (tpdu, &mut self.state) {
            (Ok(Tpdu::ConnectionRequest(request)), State::Idle) => self.connect(&request, cx),
            (Ok(Tpdu::Data { last, data }), State::Connected(transport)) => {
                transport.take(last, data, &self.cpu, cx);
            }
            (Ok(Tpdu::DisconnectRequest { reason, .. }), State::Connected(_)) => {
                let operation = wire::operation("disconnect request", reason.into(), Verdict::Done);
                cx.record(Kind::Diagnose(operation));
                self.close(cx);
            }
            (Ok(_), State::Idle | State::Closed) => {
                cx.record(Kind::Malformed { why: "a connection begins with a connection request" });
                self.close(cx);
            }
            (Err(broken), State::Idle | State::Closed) => {
                cx.record(Kind::Malformed { why: broken.why });
                self.close(cx);
            }
            (Ok(tpdu), State::Connected(transport)) => {
                let (why, cause) = match tpdu {
                    // §6.22: whoever tells of an error has said all; an answer to it would be answered in turn.
                    Tpdu::Error { .. } => {
                        cx.record(Kind::Malformed { why: "the peer tells of an error in the transport" });
                        return self.close(cx);
                    }
                    Tpdu::ConnectionRequest(_) => ("there is a transport connection already", cause::INVALID_TYPE),
                    Tpdu::Unknown(_) => ("class 0 has no such TPDU", cause::INVALID_CODE),
                    _ => ("a TPDU that only the called side sends", cause::INVALID_TYPE),
                };
                transport.reject(why, cause, octets, cx);
            }
            (Err(broken), State::Connected(transport)) => transport.reject(broken.why, broken.cause, octets, cx),
        }
    }

    /// Answers a connection request.
    fn connect(&mut self, request: &Connect<'_>, cx: &mut Context<'_>) {
        let place = self.cpu.place;
        // The last octet of a TSAP is the place of the module, the one before it what kind of connection it is: 1 for a
        // programmer, 2 for a panel, 3 for others.
        let (kind, wanted) = match request.called {
            Some([kind @ 1..=3, wanted]) => (*kind, *wanted),
            Some([kind, wanted]) if *kind >= 0x10 => (*kind, *wanted),
            _ => (0, 0),
        };
        let here = kind > 0 && wanted == place.rack << 5 | place.slot || place.elsewhere == Elsewhere::Accept;
        // §6.5.5: a class that is not there can be replaced by 0 only if the peer says so.
        let (code, why) = if !here {
            (reason::UNKNOWN_ADDRESS, "there is no CPU at this TSAP")
        } else if request.class >> 4 != 0 && !request.class_0_will_do {
            (reason::CLASS_NOT_SUPPORTED, "only class 0 is supported")
        } else {
            (0, "")
        };
        let answered = code == reason::CLASS_NOT_SUPPORTED || place.elsewhere == Elsewhere::Refuse;
        let verdict = match (code, answered) {
            (0, _) => Verdict::Done,
            (_, true) => Verdict::Refused { code: code.into(), reason: why },
            (_, false) => Verdict::Silent { reason: why },
        };
        let mut operation = wire::operation("connection request", 0xE0, verdict);
        operation.unit = Some((wanted & 0x1F).into());
        cx.record(Kind::Diagnose(operation));
        if code != 0 {
            if answered {
                tpkt::put(cx.out, |out| cotp::put_disconnect(out, request.source, 0, code));
            }
            return self.close(cx);
        }
        let source = 1 + cx.random.below(0xFFFE) as u16;
        // RFC 1006 §4: where no size is asked for, TPDUs have the length of the longest packet.
        let size = request.size.map(|size| size.clamp(7, self.cpu.tpdu_size));
        let confirm = Connect { destination: request.source, source, class: 0, size, ..*request };
        tpkt::put(cx.out, |out| confirm.put_confirm(out));
        self.state = State::Connected(Box::new(Transport {
            remote: request.source,
            tpdu: 1 << size.unwrap_or(self.cpu.tpdu_size),
            fragments: Vec::new(),
            association: Association::new(&self.cpu),
        }));
    }

    /// Sends what the CPU has to say by itself, and asks to be woken when there will be more.
    fn settle(&mut self, cx: &mut Context<'_>) {
        let State::Connected(transport) = &mut self.state else { return };
        while let Some(pdu) = transport.association.next_push() {
            transport.send(&pdu, cx);
        }
        if transport.association.is_over() {
            return self.close(cx);
        }
        if let Some(due) = transport.association.due() {
            cx.wake_at(due);
        }
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        self.end(cx);
        self.state = State::Closed;
        cx.hang_up();
    }
}

impl Transport {
    /// Deals with a part of a PDU.
    fn take(&mut self, last: bool, data: &[u8], cpu: &Cpu, cx: &mut Context<'_>) {
        // What is too long is told as such; how much longer it is need not be kept.
        let room = self.association.longest().saturating_sub(self.fragments.len());
        self.fragments.extend(data.iter().take(room));
        if last {
            let pdu = std::mem::take(&mut self.fragments);
            let answer = self.association.take(&pdu, cpu, cx);
            self.send(&answer, cx);
        }
    }

    /// Sends a PDU, in as many TPDUs as it takes.
    fn send(&self, pdu: &[u8], cx: &mut Context<'_>) {
        let parts = pdu.chunks(self.tpdu.saturating_sub(cotp::DATA_HEADER).max(1));
        let last = parts.len().saturating_sub(1);
        for (index, part) in parts.enumerate() {
            tpkt::put(cx.out, |out| {
                cotp::put_data_header(out, index == last);
                out.extend_from_slice(part);
            });
        }
    }

    /// Answers what is no TPDU, or does not belong here (§6.22).
    fn reject(&self, why: &'static str, cause: u8, octets: &[u8], cx: &mut Context<'_>) {
        cx.record(Kind::Malformed { why });
        tpkt::put(cx.out, |out| cotp::put_error(out, self.remote, cause, octets));
    }
}
