//! What a request does to the objects, RFC 3416 §4.2 and, for SNMPv1, RFC 1157 §4.1 with RFC 3584 §4. Apart, because it is
//! the same however the request was secured.

use super::{
    engine::Counters,
    mib::{Found, Mib, Moment, Reading},
    oid::{Oid, dotted},
    value::{Error, Value},
    view::View,
    wire::{self, Absent, Failure, Pdu, Purpose},
};
use honeyplant_core::{
    event::{Access, Address, Change, Kind, Operation, Values, Verdict},
    plant::{self, Tags},
};
use std::borrow::Cow;

/// What somebody may do.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) view: View,
    pub(super) write: bool,
}

/// A request that was let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) pdu: &'a Pdu<'a>,
    pub(super) grant: &'a Grant,
    /// Whether it is one of SNMPv1.
    pub(super) first_version: bool,
    /// How many octets of encoded variable bindings the answer has place for.
    pub(super) room: usize,
}

/// What is answered, and what is recorded.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) failure: Option<Failure>,
    /// The encoded variable bindings.
    pub(super) list: Cow<'a, [u8]>,
    pub(super) kind: Kind,
}

/// Variable bindings on their way into an answer.
#[derive(Debug, Default)]
struct Harvest {
    list: Vec<u8>,
    names: Vec<Oid>,
    values: Vec<plant::Value>,
    tags: Tags,
}

impl Harvest {
    fn put(&mut self, name: &[u32], found: Result<&Reading, Absent>) {
        wire::put_bind(&mut self.list, name, found.map(|reading| &reading.value));
        self.names.push(Oid::new(name));
        self.values.push(match found {
            Ok(reading) => reading.value.plain(),
            Err(absent) => plant::Value::Text(absent.name().into()),
        });
        let tag = found.ok().and_then(|reading| reading.tag);
        self.tags.extend(tag.filter(|tag| !self.tags.contains(tag)));
    }
}

impl<'a> Request<'a> {
    /// Does it.
    pub(super) fn perform(&self, mib: &Mib, at: &mut Moment<'_>) -> Answer<'a> {
        let counters = &at.engine.counters;
        match self.pdu.purpose {
            Purpose::Set => {
                counters.in_set_requests.count();
                self.set(mib, at)
            }
            Purpose::GetBulk => {
                let harvest = self.get_bulk(mib, at);
                self.read(Ok(harvest), at)
            }
            Purpose::GetNext => {
                counters.in_get_nexts.count();
                self.read(self.get_next(mib, at), at)
            }
            _ => {
                counters.in_get_requests.count();
                self.read(self.get(mib, at), at)
            }
        }
    }

    /// What is answered to somebody who may do nothing at all (RFC 3413 §3.2).
    pub(super) fn denied(&self) -> Answer<'a> {
        let error = Error::Authorization;
        let failure = Some(Failure { error, index: 0 });
        let kind = self.pdu.asked(Verdict::Refused { code: error as u16, reason: error.name() });
        Answer { failure, list: self.refused(failure), kind }
    }

    /// RFC 3416 §4.2.1
    fn get(&self, mib: &Mib, at: &Moment<'_>) -> Result<Harvest, Failure> {
        let mut harvest = Harvest::default();
        for (bind, index) in self.pdu.binds.iter().zip(1..) {
            let found = match self.grant.view.get(mib, &bind.name, at) {
                Found::Value(reading) if self.fits(&reading) => Ok(reading),
                Found::Value(_) | Found::NoSuchObject => Err(Absent::NoSuchObject),
                Found::NoSuchInstance => Err(Absent::NoSuchInstance),
            };
            self.take(&mut harvest, &bind.name, found.as_ref().map_err(|absent| *absent), index)?;
        }
        Ok(harvest)
    }

    /// RFC 3416 §4.2.2
    fn get_next(&self, mib: &Mib, at: &Moment<'_>) -> Result<Harvest, Failure> {
        let mut harvest = Harvest::default();
        for (bind, index) in self.pdu.binds.iter().zip(1..) {
            let next = self.grant.view.next(mib, &bind.name, at, |reading| self.fits(reading));
            let (name, found) = match &next {
                Some((name, reading)) => (name, Ok(reading)),
                None => (&bind.name, Err(Absent::EndOfMibView)),
            };
            self.take(&mut harvest, name, found, index)?;
        }
        Ok(harvest)
    }

    fn take(
        &self,
        harvest: &mut Harvest,
        name: &[u32],
        found: Result<&Reading, Absent>,
        index: usize,
    ) -> Result<(), Failure> {
        if found.is_err() && self.first_version {
            return Err(Failure { error: Error::NoSuchName, index });
        }
        harvest.put(name, found);
        if harvest.list.len() > self.room { Err(Failure { error: Error::TooBig, index: 0 }) } else { Ok(()) }
    }

    /// SNMPv1 has no Counter64: such objects are not there (RFC 3584 §4.2.2.1).
    const fn fits(&self, reading: &Reading) -> bool {
        !self.first_version || !matches!(reading.value, Value::Counter64(_))
    }

    /// RFC 3416 §4.2.3: as much as the message has place for.
    fn get_bulk(&self, mib: &Mib, at: &Moment<'_>) -> Harvest {
        let mut harvest = Harvest::default();
        let natural = |number: i32| usize::try_from(number).unwrap_or_default();
        let (once, columns) = self.pdu.binds.split_at(natural(self.pdu.first).min(self.pdu.binds.len()));
        let mut names: Vec<_> = once.iter().map(|bind| bind.name.clone()).collect();
        if !self.row(&mut names, &mut harvest, mib, at).0 || columns.is_empty() {
            return harvest;
        }
        names = columns.iter().map(|bind| bind.name.clone()).collect();
        for _ in 0..natural(self.pdu.second) {
            let (room, more) = self.row(&mut names, &mut harvest, mib, at);
            if !room || !more {
                break;
            }
        }
        harvest
    }

    /// Moves each of `names` on by one; tells whether all of them had place, and whether any of them got further.
    fn row(&self, names: &mut [Oid], harvest: &mut Harvest, mib: &Mib, at: &Moment<'_>) -> (bool, bool) {
        let mut more = false;
        for name in names {
            let before = harvest.list.len();
            match self.grant.view.next(mib, name, at, |_| true) {
                Some((next, reading)) => {
                    harvest.put(&next, Ok(&reading));
                    *name = next;
                    more = true;
                }
                None => harvest.put(name, Err(Absent::EndOfMibView)),
            }
            if harvest.list.len() > self.room {
                harvest.list.truncate(before);
                harvest.names.pop();
                harvest.values.pop();
                return (false, more);
            }
        }
        (true, more)
    }

    /// What is answered to a request that reads, and recorded of it.
    fn read(&self, result: Result<Harvest, Failure>, at: &Moment<'_>) -> Answer<'a> {
        let (failure, harvest) = match result {
            Ok(harvest) => (None, harvest),
            Err(failure) => (Some(failure), Harvest::default()),
        };
        let Harvest { list, names, values, tags } = harvest;
        let count = if failure.is_some() { self.pdu.binds.len() } else { values.len() };
        at.engine.counters.in_total_req_vars.add(values.len() as u32);
        let operation = self.operation(failure, &at.engine.counters);
        let kind = if self.asks_who() {
            Kind::Identify(operation)
        } else {
            // What was answered: of the next ones, nobody would know from what was asked.
            let names: Vec<_> = names.iter().map(|name| dotted(name)).collect();
            let access = if names.is_empty() { self.access(count) } else { objects(names) };
            Kind::Read(operation, Access { tags, ..access }, typed(values))
        };
        let list = if failure.is_some() { self.refused(failure) } else { Cow::Owned(list) };
        Answer { failure, list, kind }
    }

    /// RFC 3416 §4.2.5: all or nothing.
    fn set(&self, mib: &Mib, at: &mut Moment<'_>) -> Answer<'a> {
        let before: Vec<Option<Reading>> = self.pdu.binds.iter().map(|bind| self.seen(&bind.name, mib, at)).collect();
        let result = self.settle(&before, mib, at);
        let failure = result.err().map(|failure| match failure.error {
            error if self.first_version => Failure { error: error.first_version(), ..failure },
            _ => failure,
        });
        if failure.is_none() {
            at.engine.counters.in_total_set_vars.add(self.pdu.binds.len() as u32);
        }
        let mut tags = Tags::new();
        for tag in before.iter().flatten().filter_map(|reading| reading.tag) {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        let held = before.iter().map(|reading| plain(reading.as_ref().map(|reading| &reading.value)));
        let change = Change {
            before: if failure.is_some() { Values::None } else { typed(held.collect()) },
            after: typed(self.pdu.binds.iter().map(|bind| plain(bind.value.as_ref())).collect()),
        };
        let operation = self.operation(failure, &at.engine.counters);
        let kind = Kind::Write(operation, Access { tags, ..self.access(self.pdu.binds.len()) }, change);
        Answer { failure, list: self.refused(failure), kind }
    }

    fn seen(&self, name: &[u32], mib: &Mib, at: &Moment<'_>) -> Option<Reading> {
        match self.grant.view.get(mib, name, at) {
            Found::Value(reading) => Some(reading),
            Found::NoSuchInstance | Found::NoSuchObject => None,
        }
    }

    /// Checks everything, then changes everything. `before` is what was there.
    fn settle(&self, before: &[Option<Reading>], mib: &Mib, at: &mut Moment<'_>) -> Result<(), Failure> {
        let mut changes = Vec::new();
        for ((bind, before), index) in self.pdu.binds.iter().zip(before).zip(1..) {
            let failed = |error| Failure { error, index };
            if !self.grant.write || !self.grant.view.has(&bind.name) {
                return Err(failed(Error::NoAccess));
            }
            let value = bind.value.as_ref().ok_or(failed(Error::WrongType))?;
            mib.check_set(&bind.name, value, at).map_err(failed)?;
            changes.push((&bind.name, value, before, index));
        }
        if self.pdu.list.len() > self.room {
            return Err(Failure { error: Error::TooBig, index: 0 });
        }
        for (done, (name, value, _, index)) in changes.iter().enumerate() {
            if let Err(error) = mib.commit(name, value, at) {
                let mut undone = true;
                for (name, _, before, _) in changes.iter().take(done).rev() {
                    undone &= before.as_ref().is_some_and(|before| mib.commit(name, &before.value, at).is_ok());
                }
                return Err(match undone {
                    true => Failure { error, index: *index },
                    false => Failure { error: Error::UndoFailed, index: 0 },
                });
            }
        }
        Ok(())
    }

    /// The variable bindings of an answer that changes none of them. tooBig has none in SNMPv2 (RFC 3416 §4.2.1).
    fn refused(&self, failure: Option<Failure>) -> Cow<'a, [u8]> {
        match failure {
            Some(Failure { error: Error::TooBig, .. }) if !self.first_version => Cow::Borrowed(&[]),
            _ => Cow::Borrowed(self.pdu.list),
        }
    }

    fn operation(&self, failure: Option<Failure>, counters: &Counters) -> Operation {
        counters.out_get_responses.count();
        match failure.map(|failure| failure.error) {
            Some(Error::TooBig) => counters.out_too_bigs.count(),
            Some(Error::NoSuchName) => counters.out_no_such_names.count(),
            Some(Error::BadValue) => counters.out_bad_values.count(),
            Some(Error::GenErr) => counters.out_gen_errs.count(),
            _ => {}
        }
        let verdict = failure.map_or(Verdict::Done, |failure| {
            let error = failure.error;
            Verdict::Refused { code: error as u16, reason: error.name() }
        });
        self.pdu.operation(verdict)
    }

    fn access(&self, count: usize) -> Access {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Access { count, ..self.pdu.access() }
    }

    /// Whether nothing but the system group (RFC 3418) is asked for.
    fn asks_who(&self) -> bool {
        !self.pdu.binds.is_empty() && self.pdu.binds.iter().all(|bind| bind.name.starts_with(&[1, 3, 6, 1, 2, 1, 1]))
    }
}

fn plain(value: Option<&Value>) -> plant::Value {
    value.map_or(plant::Value::Text("".into()), Value::plain)
}

fn typed(values: Vec<plant::Value>) -> Values {
    if values.is_empty() { Values::None } else { Values::Typed(values) }
}

impl Pdu<'_> {
    /// The PDU as an operation that was taken so.
    pub(super) const fn operation(&self, verdict: Verdict) -> Operation {
        Operation { name: self.purpose.name(), code: self.purpose.number(), unit: None, verdict }
    }

    /// The PDU that is not answered, as it is recorded.
    pub(super) fn unanswered(&self, reason: &'static str) -> Kind {
        self.asked(Verdict::Silent { reason })
    }

    /// The PDU that nothing was done of, as it is recorded.
    pub(super) fn asked(&self, verdict: Verdict) -> Kind {
        let operation = self.operation(verdict);
        match self.purpose {
            Purpose::Set => {
                let values = self.binds.iter().map(|bind| plain(bind.value.as_ref())).collect();
                Kind::Write(operation, self.access(), Change { before: Values::None, after: typed(values) })
            }
            Purpose::Get | Purpose::GetNext | Purpose::GetBulk => Kind::Read(operation, self.access(), Values::None),
            _ => Kind::Unsupported(operation),
        }
    }

    fn access(&self) -> Access {
        objects(self.binds.iter().map(|bind| dotted(&bind.name)).collect())
    }
}

fn objects(names: Vec<Box<str>>) -> Access {
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    Access { area: "objects", address: Address::Names(names), count, tags: Tags::new() }
}
