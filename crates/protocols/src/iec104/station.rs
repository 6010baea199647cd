//! The stations behind one address: who an ASDU is for, and whether it may be. Apart from the files that carry out what
//! is asked, because refusals are the same for all of them. IEC 60870-5-101 Ed. 2 (2003) §7.2.3.

use super::{
    asdu::{self, EVERYONE, Header, Sizes, cause, number},
    control::{Control, Instruction},
    link::{Link, Parameters},
    point::Point,
    state::State,
};
use honeyplant_core::{
    bytes::Reader,
    conversation::Context,
    event::{Access, Change, Command, Kind, Operation, Values, Verdict},
    plant::Tags,
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

/// All stations of a device, and the way to them.
#[derive(Debug)]
pub(super) struct Outstation {
    pub(super) parameters: Parameters,
    pub(super) sizes: Sizes,
    /// The types that it takes, a bit for each.
    pub(super) types: u128,
    pub(super) scan: Duration,
    pub(super) buffer: usize,
    pub(super) select_timeout: Duration,
    pub(super) feedback_timeout: Duration,
    pub(super) command_age: Option<Duration>,
    pub(super) short_pulse: Duration,
    pub(super) long_pulse: Duration,
    pub(super) sequences: bool,
    pub(super) end_of_initialisation: bool,
    pub(super) stations: Vec<Station>,
    /// Which conversation has started data transfer; 0 is none.
    pub(super) started: AtomicU64,
    /// How many conversations there were.
    pub(super) conversations: AtomicU64,
    pub(super) state: Mutex<State>,
}

/// What lies under one common address, in the order of the object addresses.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) address: u16,
    pub(super) points: Vec<Point>,
    pub(super) controls: Vec<Control>,
}

/// Why something is not done: the cause of the negative answer, and in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) cause: u8,
    pub(super) reason: &'static str,
}

impl Refusal {
    const TYPE: Self = Self { cause: cause::UNKNOWN_TYPE, reason: "unknown type identification" };
    const CAUSE: Self = Self { cause: cause::UNKNOWN_CAUSE, reason: "unknown cause of transmission" };
    const ADDRESS: Self = Self { cause: cause::UNKNOWN_ADDRESS, reason: "unknown common address" };
    pub(super) const OBJECT: Self = Self { cause: cause::UNKNOWN_OBJECT, reason: "unknown information object address" };

    /// A negative confirmation of an activation.
    pub(super) const fn of(reason: &'static str) -> Self {
        Self { cause: cause::ACTIVATION_CON, reason }
    }
}

/// One ASDU on its way through the stations.
pub(super) struct Exchange<'a, 'b> {
    pub(super) outstation: &'a Outstation,
    pub(super) state: &'a mut State,
    pub(super) link: &'a mut Link,
    pub(super) cx: &'a mut Context<'b>,
    /// Whose conversation it is.
    pub(super) token: u64,
    pub(super) header: Header,
    /// All objects, as they came.
    pub(super) body: &'a [u8],
    /// The address of the object, and what it holds.
    pub(super) object: u32,
    pub(super) element: &'a [u8],
}

impl Outstation {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deals with one ASDU, and says when something that it began is due.
    pub(super) fn answer(&self, octets: &[u8], token: u64, link: &mut Link, cx: &mut Context<'_>) -> Option<Instant> {
        let Ok((header, body)) = Header::parse(self.sizes, octets) else {
            cx.record(Kind::Malformed { why: "the ASDU ends before its data unit identifier does" });
            return None;
        };
        let mut r = Reader::new(body);
        let object = number(&mut r, self.sizes.object);
        let mut state = self.state();
        state.follow(cx.device());
        let mut exchange = Exchange {
            outstation: self,
            state: &mut state,
            link,
            cx,
            token,
            header,
            body,
            object: object.unwrap_or_default(),
            element: r.rest(),
        };
        if exchange.link.is_crowded() {
            let verdict = Verdict::Silent { reason: "too many answers wait to be acknowledged" };
            let kind = exchange.attempt(exchange.operation(verdict));
            exchange.cx.record(kind);
        } else if header.type_id > 127 || self.types >> header.type_id & 1 == 0 {
            exchange.refuse(Refusal::TYPE);
        } else if object.is_err() || header.number != 1 || header.sequence {
            exchange.cx.record(Kind::Malformed { why: "a request has not exactly one information object" });
        } else if !is_cause(header.type_id, header.cause) {
            exchange.refuse(Refusal::CAUSE);
        } else {
            exchange.route();
        }
        state.deadline()
    }
}

/// Whether a request of this type may have this cause (§7.4, table of each type).
const fn is_cause(type_id: u8, given: u8) -> bool {
    match type_id {
        102 => given == cause::REQUEST,
        45..=64 | 100 | 101 | 113 => matches!(given, cause::ACTIVATION | cause::DEACTIVATION),
        _ => given == cause::ACTIVATION,
    }
}

impl Exchange<'_, '_> {
    /// Finds the stations that are meant. To all of them go only types that IEC 60870-5-101 §7.2.4 lists.
    fn route(&mut self) {
        let stations = self.outstation.stations.iter().enumerate();
        if self.header.address == EVERYONE && matches!(self.header.type_id, 100 | 101 | 103 | 105) {
            for (index, station) in stations {
                // Each station answers with its own address.
                self.header.address = station.address;
                self.perform(index, station, index == 0);
            }
            return;
        }
        let found = stations.clone().find(|(_, station)| station.address == self.header.address);
        match found {
            Some((index, station)) => self.perform(index, station, true),
            None => self.refuse(Refusal::ADDRESS),
        }
    }

    /// Does what is asked of one station; what it asks of the device as a whole is done for the `first` one.
    fn perform(&mut self, index: usize, station: &Station, first: bool) {
        let result = match self.header.type_id {
            100 => self.interrogate(index, station),
            101 => self.interrogate_counters(index, station),
            102 => self.read(index, station),
            103 => self.synchronise(first),
            104 | 107 => self.test(),
            105 => self.reset(first),
            110..=113 => self.parameter(index, station),
            _ => self.command(index, station),
        };
        if let Err(refusal) = result {
            self.refuse(refusal);
        }
    }

    /// As what a request is recorded that was not carried out.
    pub(super) fn attempt(&self, operation: Operation) -> Kind {
        let access = self.access(Tags::new());
        match self.header.type_id {
            _ if self.header.cause == cause::DEACTIVATION => Kind::Command(operation, Command::Cancel),
            100..=102 => Kind::Read(operation, access, Values::None),
            103 => Kind::Command(operation, Command::Clock),
            105 => Kind::Command(operation, Command::Restart),
            113 => Kind::Command(operation, Command::Configure),
            45..=64 | 110..=112 => match Instruction::parse(self.header.type_id, self.element) {
                Ok(instruction) if instruction.select => Kind::Command(operation, Command::Select),
                instruction => {
                    let after = instruction.map_or(Values::None, |instruction| instruction.order.values());
                    Kind::Write(operation, access, Change { before: Values::None, after })
                }
            },
            _ => Kind::Diagnose(operation),
        }
    }

    /// Answers with the request itself, as it came but for its cause.
    pub(super) fn mirror(&mut self, cause: u8, negative: bool) {
        let header = Header { cause, negative, ..self.header };
        let (sizes, body) = (self.outstation.sizes, self.body);
        self.link.say(self.cx.now, self.cx.out, |out| {
            header.put(sizes, out);
            out.extend_from_slice(body);
        });
    }

    fn refuse(&mut self, refusal: Refusal) {
        let deactivated = self.header.cause == cause::DEACTIVATION && refusal.cause == cause::ACTIVATION_CON;
        let refusal = if deactivated { Refusal { cause: cause::DEACTIVATION_CON, ..refusal } } else { refusal };
        self.mirror(refusal.cause, true);
        let verdict = Verdict::Refused { code: refusal.cause.into(), reason: refusal.reason };
        let operation = self.operation(verdict);
        let known = !matches!(refusal.cause, cause::UNKNOWN_TYPE | cause::UNKNOWN_CAUSE);
        let kind = if known { self.attempt(operation) } else { Kind::Unsupported(operation) };
        self.cx.record(kind);
    }

    pub(super) const fn operation(&self, verdict: Verdict) -> Operation {
        let Header { type_id, address, .. } = self.header;
        Operation { name: asdu::name(type_id), code: type_id as u16, unit: Some(address), verdict }
    }

    /// The object of the request, for the record.
    pub(super) fn access(&self, tags: Tags) -> Access {
        Access { area: "information objects", address: self.object.into(), count: 1, tags }
    }
}
