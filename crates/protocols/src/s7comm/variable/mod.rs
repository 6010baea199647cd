//! Variables: Read Var and Write Var. Apart, because one job has many items, each with an address, a type and a code of its
//! own.
//!
//! The levels of protection do not concern them: operator control and monitoring is granted at every level (SIMATIC S7-400H
//! System Manual, 03/2012, table 6-1). That the S7-300 does the same is assumed.

mod item;
mod memory;
mod name;
mod watch;

use super::{
    build::Desk,
    cpu::Cpu,
    job::{Answer, Job},
    peer::Peer,
    settings::Settings,
    wire::{self, ANSWER_HEADER, error, function, refused, returned},
};
use honeyplant_core::{
    bytes::{Reader, Short},
    conversation::Context,
    event::{Access, Address, Change, Kind, Values, Verdict},
    plant::{Plant, Tags, Value},
};
use item::{Carrier, Datum, Element, Item};
use memory::{Direction, Reach, Refusal, Words};
use smallvec::SmallVec;

pub(super) use watch::Watch;

/// The most items of one job.
const ITEMS: usize = 20;

/// What can be reached besides the process image.
#[derive(Debug)]
pub(super) struct Variables {
    timers: Words,
    counters: Words,
}

impl Variables {
    /// What `settings`, which stand at `key`, describe.
    pub(super) fn build(settings: &Settings, key: &str, desk: &mut Desk<'_>) -> Self {
        let timers = desk.between(settings.timers.as_ref(), &format!("{key}.timers"), 256, 0, 2048);
        let counters = desk.between(settings.counters.as_ref(), &format!("{key}.counters"), 256, 0, 2048);
        let mut plant = desk.device.still();
        let mut words = |count: u16| Words { place: plant.image_mut().allocate(2 * u32::from(count)), count };
        Self { timers: words(timers), counters: words(counters) }
    }

    /// How many timers and counters there are.
    pub(super) const fn counts(&self) -> [u16; 2] {
        [self.timers.count, self.counters.count]
    }

    fn reach(&self, item: &Item, direction: Direction, plant: &Plant) -> Result<Reach, Refusal> {
        memory::reach(item, direction, plant.image(), self.timers, self.counters)
    }
}

/// Read Var.
pub(super) fn read(job: &Job<'_>, peer: &Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let items = match items(job.parameter) {
        Ok(items) => items,
        Err(Short) => return refuse(job, &[], error::NOT_AVAILABLE, cx),
    };
    let mut found = Vec::with_capacity(items.len());
    {
        let plant = cx.device().plant(cx.now);
        for item in &items {
            let reach = cpu.variable.reach(item, Direction::Read, &plant);
            found.push(reach.map(|reach| (reach, tags(&reach, &plant), memory::get(&reach, plant.image()))));
        }
    }
    let mut data = Vec::new();
    for item in &found {
        even(&mut data);
        match item {
            Ok((reach, _, octets)) => reach.element.carrier().put(&mut data, returned::DONE, octets),
            Err(refusal) => data.extend_from_slice(&[*refusal as u8, 0, 0, 0]),
        }
    }
    if ANSWER_HEADER + 2 + data.len() > peer.pdu {
        return refuse(job, &items, error::PDU_SIZE, cx);
    }
    for (item, found) in items.iter().zip(found) {
        let (verdict, tags, values) = match found {
            Ok((reach, tags, octets)) => (Verdict::Done, tags, values(reach.element, &octets)),
            Err(refusal) => (verdict(refusal), Tags::new(), Values::None),
        };
        let access = access(item, Direction::Read, tags);
        cx.record(Kind::Read(wire::operation("read variable", job.function.into(), verdict), access, values));
    }
    Answer::done(vec![function::READ, items.len() as u8], data)
}

/// Write Var.
pub(super) fn write(job: &Job<'_>, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let items = match items(job.parameter) {
        Ok(items) => items,
        Err(Short) => return refuse(job, &[], error::NOT_AVAILABLE, cx),
    };
    let mut r = Reader::new(job.data);
    let Ok(sent) = items.iter().map(|_| Datum::parse(&mut r)).collect::<Result<Vec<_>, _>>() else {
        return refuse(job, &items, error::NOT_AVAILABLE, cx);
    };
    let mut codes = Vec::with_capacity(items.len());
    for (item, datum) in items.iter().zip(sent) {
        let written = {
            let mut plant = cx.device().plant(cx.now);
            cpu.variable.reach(item, Direction::Write, &plant).and_then(|reach| {
                let is_bit = reach.element == Element::Bit;
                if datum.is_bit != is_bit || datum.octets.len() != reach.octets as usize {
                    return Err(Refusal::Inconsistent);
                }
                let before = memory::get(&reach, plant.image());
                memory::set(&reach, datum.octets, plant.image_mut());
                Ok((tags(&reach, &plant), reach.element, before))
            })
        };
        let sent = |element: Element| values(element, datum.octets);
        let (code, verdict, tags, before, after) = match written {
            Ok((tags, element, before)) => {
                (returned::DONE, Verdict::Done, tags, values(element, &before), sent(element))
            }
            Err(refusal) => {
                let element = if let Item::Any(any) = item { Element::of(any.size) } else { None };
                let after = sent(element.unwrap_or(Element::Byte));
                (refusal as u8, verdict(refusal), Tags::new(), Values::None, after)
            }
        };
        codes.push(code);
        let access = access(item, Direction::Write, tags);
        let operation = wire::operation("write variable", job.function.into(), verdict);
        cx.record(Kind::Write(operation, access, Change { before, after }));
    }
    Answer::done(vec![function::WRITE, items.len() as u8], codes)
}

/// The items of a job: at least one, and at most [`ITEMS`].
fn items(parameter: &[u8]) -> Result<Vec<Item>, Short> {
    let mut r = Reader::new(parameter);
    let (_function, count) = (r.u8()?, usize::from(r.u8()?));
    if !(1..=ITEMS).contains(&count) {
        return Err(Short);
    }
    (0..count).map(|_| Item::parse(&mut r)).collect()
}

/// The refusal of a job as a whole.
fn refuse(job: &Job<'_>, items: &[Item], error: u16, cx: &mut Context<'_>) -> Answer {
    let write = job.function == function::WRITE;
    let (name, direction) =
        if write { ("write variable", Direction::Write) } else { ("read variable", Direction::Read) };
    let operation = wire::operation(name, job.function.into(), refused(error));
    let mut accesses: Vec<Access> = items.iter().map(|item| access(item, direction, Tags::new())).collect();
    if accesses.is_empty() {
        accesses.push(Access { area: "variables", address: Address::Names(Vec::new()), count: 0, tags: Tags::new() });
    }
    for access in accesses {
        cx.record(if write {
            let after = values(Element::Byte, job.data);
            Kind::Write(operation, access, Change { before: Values::None, after })
        } else {
            Kind::Read(operation, access, Values::None)
        });
    }
    Answer::Refused(error)
}

const fn verdict(refusal: Refusal) -> Verdict {
    Verdict::Refused { code: refusal as u16, reason: refusal.reason() }
}

/// Data begins at even octets: an odd one is filled up where another follows.
fn even(data: &mut Vec<u8>) {
    if data.len() % 2 == 1 {
        data.push(0);
    }
}

fn tags(reach: &Reach, plant: &Plant) -> Tags {
    let mut tags = Tags::new();
    let bits = if reach.element == Element::Bit { 1 } else { 8 * reach.octets };
    plant.tags_at(reach.place, bits, &mut tags);
    tags
}

/// Values as they are recorded.
fn values(element: Element, octets: &[u8]) -> Values {
    let values = element.values(octets);
    match element.carrier() {
        Carrier::Bits => Values::Bits(values.iter().map(|value| value.number() != 0.0).collect()),
        _ if element == Element::Word => {
            let words = values.iter().map(|value| if let Value::Uint(word) = value { *word as u16 } else { 0 });
            Values::Words(words.collect::<SmallVec<_>>())
        }
        _ => Values::Typed(values),
    }
}

fn access(item: &Item, direction: Direction, tags: Tags) -> Access {
    let (area, name, count) = match item {
        Item::Any(any) => (name::area(any.area, direction), name::address(any, direction), any.count),
        Item::Unknown(syntax) => ("items", format!("of syntax {syntax:#04X}"), 1),
    };
    Access { area, address: Address::Names(vec![name.into()]), count: count.into(), tags }
}
