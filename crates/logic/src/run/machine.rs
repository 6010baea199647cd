//! The loop that runs the instructions. Apart, because here every nanosecond counts and nothing else is decided.

use super::{
    code::{Bounds, Code, Op, Relation, Slot},
    memory::Memory,
};
use crate::{
    library::{Compute, Now, Operand, Produced},
    types::{Elementary, Raw},
};
use honeyplant_core::plant::Plant;

/// How many steps a scan may take. A step is an instruction that is repeated, or a slot that is copied.
const STEPS: u32 = 1_000_000;

/// Where and why a scan stopped short.
pub(super) type Stop = (usize, String);

const DIVISION: &str = "division by zero";

struct Frame {
    back: usize,
    base: u32,
    entry: usize,
}

#[inline(always)]
fn get(slots: &[Raw], slot: Slot, base: u32) -> Raw {
    slots.get(slot.index(base)).copied().unwrap_or(0)
}

#[inline(always)]
fn put(slots: &mut [Raw], slot: Slot, base: u32, raw: Raw) {
    if let Some(place) = slots.get_mut(slot.index(base)) {
        *place = raw;
    }
}

const fn real(raw: Raw) -> f64 {
    f64::from_bits(raw)
}

/// An LREAL as a slot holds it.
const fn long(value: f64) -> Raw {
    value.to_bits()
}

/// A REAL as a slot holds it.
const fn short(value: f64) -> Raw {
    (value as f32 as f64).to_bits()
}

const fn signed(raw: Raw, spare: u8) -> Raw {
    (raw.wrapping_shl(spare as u32) as i64).wrapping_shr(spare as u32) as Raw
}

const fn unsigned(raw: Raw, spare: u8) -> Raw {
    raw.wrapping_shl(spare as u32).wrapping_shr(spare as u32)
}

/// Runs the program once.
pub(super) fn run(code: &Code, memory: &mut Memory, plant: &mut Plant, now: &mut Now<'_>) -> Result<(), Stop> {
    let ops = &*code.ops;
    memory.take(code, plant);
    let Memory { slots, texts, journal, .. } = memory;
    let slots = &mut **slots;
    let mut frames: Vec<Frame> = Vec::new();
    let (mut pc, mut base, mut entry, mut steps) = (0_usize, 0_u32, 0_usize, STEPS);

    macro_rules! binary {
        ($to:expr, $a:expr, $b:expr, $f:expr) => {{
            let (a, b) = (get(slots, $a, base), get(slots, $b, base));
            put(slots, $to, base, $f(a, b));
        }};
    }
    macro_rules! unary {
        ($to:expr, $a:expr, $f:expr) => {{
            let a = get(slots, $a, base);
            put(slots, $to, base, $f(a));
        }};
    }
    macro_rules! divide {
        ($to:expr, $a:expr, $b:expr, $f:expr) => {{
            let (a, b) = (get(slots, $a, base), get(slots, $b, base));
            if b == 0 {
                return Err((pc, DIVISION.to_owned()));
            }
            put(slots, $to, base, $f(a, b));
        }};
    }
    macro_rules! jump {
        ($a:expr, $b:expr, $to:expr, $f:expr) => {{
            let (a, b) = (get(slots, $a, base), get(slots, $b, base));
            if $f(a, b) {
                pc = $to as usize;
            }
        }};
    }
    macro_rules! charge {
        ($count:expr) => {
            match steps.checked_sub($count) {
                Some(left) => steps = left,
                None => return Err((pc, format!("the scan took more than {STEPS} steps"))),
            }
        };
    }
    macro_rules! call {
        ($unit:expr, $base:expr) => {{
            charge!(1);
            frames.push(Frame { back: pc, base, entry });
            base = $base as u32;
            entry = code.entries.get($unit as usize).map_or(usize::MAX, |entry| *entry as usize);
            pc = entry;
        }};
    }
    macro_rules! step {
        ($block:expr, $at:expr) => {
            if let Some(block) = code.blocks.get($block as usize) {
                let at = $at;
                if let Some(pins) = slots.get_mut(at..at.saturating_add(block.pins.len())) {
                    (block.step)(pins, now);
                }
            }
        };
    }

    while let Some(op) = ops.get(pc) {
        pc += 1;
        match *op {
            Op::Copy { to, from } => unary!(to, from, |a| a),
            Op::Load { to, at, offset } => {
                let index = at.index(base).wrapping_add(get(slots, offset, base) as usize);
                let raw = slots.get(index).copied().unwrap_or(0);
                put(slots, to, base, raw);
            }
            Op::Store { at, offset, from } => {
                let index = at.index(base).wrapping_add(get(slots, offset, base) as usize);
                let raw = get(slots, from, base);
                if let Some(place) = slots.get_mut(index) {
                    *place = raw;
                }
            }
            Op::Address { to, of } => put(slots, to, base, of.index(base) as Raw),
            Op::CopyMany { to, from, count } => {
                charge!(count);
                let (to, from) = (get(slots, to, base) as usize, get(slots, from, base) as usize);
                texts.copy_many(slots, &code.text_slots, to, from, count as usize);
            }
            Op::CopyText { to, from } => {
                charge!(16);
                texts.copy(get(slots, to, base), get(slots, from, base));
            }
            Op::Index { to, index, bounds } => {
                let (index, bounds) = (get(slots, index, base), code.bounds.get(bounds as usize));
                match bounds.and_then(|bounds| offset(index, bounds)) {
                    Some(offset) => put(slots, to, base, offset),
                    None => return Err((pc, outside("index", index, bounds))),
                }
            }
            Op::Range { value, bounds } => {
                let (value, bounds) = (get(slots, value, base), code.bounds.get(bounds as usize));
                if bounds.is_none_or(|bounds| !(bounds.low..=bounds.high).contains(&whole(value, bounds))) {
                    return Err((pc, outside("value", value, bounds)));
                }
            }

            Op::AddSigned { spare, to, a, b } => binary!(to, a, b, |a: Raw, b| signed(a.wrapping_add(b), spare)),
            Op::SubSigned { spare, to, a, b } => binary!(to, a, b, |a: Raw, b| signed(a.wrapping_sub(b), spare)),
            Op::MulSigned { spare, to, a, b } => binary!(to, a, b, |a: Raw, b| signed(a.wrapping_mul(b), spare)),
            Op::DivSigned { spare, to, a, b } => {
                divide!(to, a, b, |a, b| signed((a as i64).wrapping_div(b as i64) as Raw, spare));
            }
            // By 0 there is no rest (table 29).
            Op::ModSigned { to, a, b } => binary!(to, a, b, |a, b| match b {
                0 => 0,
                b => (a as i64).wrapping_rem(b as i64) as Raw,
            }),
            Op::AddUnsigned { spare, to, a, b } => binary!(to, a, b, |a: Raw, b| unsigned(a.wrapping_add(b), spare)),
            Op::SubUnsigned { spare, to, a, b } => binary!(to, a, b, |a: Raw, b| unsigned(a.wrapping_sub(b), spare)),
            Op::MulUnsigned { spare, to, a, b } => binary!(to, a, b, |a: Raw, b| unsigned(a.wrapping_mul(b), spare)),
            Op::DivUnsigned { to, a, b } => divide!(to, a, b, Raw::wrapping_div),
            Op::ModUnsigned { to, a, b } => binary!(to, a, b, |a: Raw, b| a.checked_rem(b).unwrap_or(0)),
            Op::AddReal { to, a, b } => binary!(to, a, b, |a, b| short(real(a) + real(b))),
            Op::SubReal { to, a, b } => binary!(to, a, b, |a, b| short(real(a) - real(b))),
            Op::MulReal { to, a, b } => binary!(to, a, b, |a, b| short(real(a) * real(b))),
            Op::DivReal { to, a, b } => binary!(to, a, b, |a, b| short(real(a) / real(b))),
            Op::AddLreal { to, a, b } => binary!(to, a, b, |a, b| long(real(a) + real(b))),
            Op::SubLreal { to, a, b } => binary!(to, a, b, |a, b| long(real(a) - real(b))),
            Op::MulLreal { to, a, b } => binary!(to, a, b, |a, b| long(real(a) * real(b))),
            Op::DivLreal { to, a, b } => binary!(to, a, b, |a, b| long(real(a) / real(b))),
            Op::Power { to, a, b } => binary!(to, a, b, |a, b| long(real(a).powf(real(b)))),
            Op::NegateReal { to, a } => unary!(to, a, |a| long(-real(a))),
            Op::And { to, a, b } => binary!(to, a, b, |a, b| a & b),
            Op::Or { to, a, b } => binary!(to, a, b, |a, b| a | b),
            Op::Xor { to, a, b } => binary!(to, a, b, |a, b| a ^ b),
            Op::Not { spare, to, a } => unary!(to, a, |a: Raw| unsigned(!a, spare)),

            Op::LessSigned { to, a, b } => binary!(to, a, b, |a, b| Raw::from((a as i64) < b as i64)),
            Op::NotMoreSigned { to, a, b } => binary!(to, a, b, |a, b| Raw::from(a as i64 <= b as i64)),
            Op::LessUnsigned { to, a, b } => binary!(to, a, b, |a, b| Raw::from(a < b)),
            Op::NotMoreUnsigned { to, a, b } => binary!(to, a, b, |a, b| Raw::from(a <= b)),
            Op::LessReal { to, a, b } => binary!(to, a, b, |a, b| Raw::from(real(a) < real(b))),
            Op::NotMoreReal { to, a, b } => binary!(to, a, b, |a, b| Raw::from(real(a) <= real(b))),
            Op::Equal { to, a, b } => binary!(to, a, b, |a, b| Raw::from(a == b)),
            Op::Unequal { to, a, b } => binary!(to, a, b, |a, b| Raw::from(a != b)),
            Op::EqualReal { to, a, b } => binary!(to, a, b, |a, b| Raw::from(real(a) == real(b))),
            Op::UnequalReal { to, a, b } => binary!(to, a, b, |a, b| Raw::from(real(a) != real(b))),
            Op::CompareText { relation, to, a, b } => {
                charge!(16);
                let (a, b) = (texts.octets(get(slots, a, base)), texts.octets(get(slots, b, base)));
                let holds = match relation {
                    Relation::Less => a < b,
                    Relation::NotMore => a <= b,
                    Relation::Equal => a == b,
                    Relation::Unequal => a != b,
                };
                put(slots, to, base, holds.into());
            }

            Op::SignedToReal { to, a } => unary!(to, a, |a| long(a as i64 as f64)),
            Op::UnsignedToReal { to, a } => unary!(to, a, |a| long(a as f64)),
            Op::Round { to, a } => unary!(to, a, |a| short(real(a))),
            Op::RealToSigned { to, a } => unary!(to, a, |a| real(a).round_ties_even() as i64 as Raw),
            Op::DayTime { to, a } => unary!(to, a, |a| (a as i64).rem_euclid(86_400_000_000_000) as Raw),
            Op::Narrow { ty, to, a } => unary!(to, a, |a| ty.narrow(a)),
            Op::GetPart { shift, width, to, of } => {
                unary!(to, of, |a: Raw| unsigned(a.wrapping_shr(shift.into()), 64_u8.wrapping_sub(width)));
            }
            Op::SetPart { shift, width, of, from } => binary!(of, of, from, |whole: Raw, part: Raw| {
                let mask = unsigned(Raw::MAX, 64_u8.wrapping_sub(width));
                whole & !mask.wrapping_shl(shift.into()) | (part & mask).wrapping_shl(shift.into())
            }),

            Op::Jump { to } => pc = to as usize,
            Op::Again { to } => {
                charge!(pc.saturating_sub(to as usize) as u32);
                pc = to as usize;
            }
            Op::JumpIf { condition, to } => jump!(condition, condition, to, |a, _| a != 0),
            Op::JumpUnless { condition, to } => jump!(condition, condition, to, |a, _| a == 0),
            Op::JumpIfLessSigned { a, b, to } => jump!(a, b, to, |a, b| (a as i64) < b as i64),
            Op::JumpUnlessLessSigned { a, b, to } => jump!(a, b, to, |a, b| a as i64 >= b as i64),
            Op::JumpIfEqual { a, b, to } => jump!(a, b, to, |a, b| a == b),
            Op::JumpUnlessEqual { a, b, to } => jump!(a, b, to, |a, b| a != b),
            Op::JumpIfLessReal { a, b, to } => jump!(a, b, to, |a, b| real(a) < real(b)),
            // What is not a number is neither less nor more.
            Op::JumpUnlessLessReal { a, b, to } => jump!(a, b, to, |a, b| !real(a).lt(&real(b))),
            Op::JumpIfNotMoreReal { a, b, to } => jump!(a, b, to, |a, b| real(a) <= real(b)),
            Op::JumpUnlessNotMoreReal { a, b, to } => jump!(a, b, to, |a, b| !real(a).le(&real(b))),

            Op::Call { unit, at } => call!(unit, at.index(base)),
            Op::CallAt { unit, pointer } => call!(unit, get(slots, pointer, base)),
            Op::Return => {
                charge!(pc.saturating_sub(entry) as u32);
                let Some(frame) = frames.pop() else { return Ok(()) };
                (pc, base, entry) = (frame.back, frame.base, frame.entry);
            }
            Op::Step { block, at } => step!(block, at.index(base)),
            Op::StepAt { block, pointer } => step!(block, get(slots, pointer, base) as usize),
            Op::Compute { count, function, to, first } => {
                let Some(computation) = code.computations.get(usize::from(function)) else { continue };
                let first = first.index(base);
                let arguments = slots.get(first..first.saturating_add(count.into())).unwrap_or_default();
                let number = match &computation.compute {
                    Compute::Number(compute) => compute(computation.ty, arguments),
                    Compute::Either(compute, _) if computation.ty != Elementary::String => {
                        compute(computation.ty, arguments)
                    }
                    Compute::Either(_, compute) | Compute::Text(compute) => {
                        charge!(64);
                        let kinds = arguments.iter().zip(&*computation.texts);
                        let operands: Vec<Operand<'_>> = kinds
                            .map(|(raw, text)| match text {
                                true => Operand::Text(texts.octets(*raw)),
                                false => Operand::Number(*raw),
                            })
                            .collect();
                        match compute(computation.ty, &operands) {
                            Ok(Produced::Number(raw)) => Ok(raw),
                            Ok(Produced::Text(octets)) => {
                                texts.set(get(slots, to, base), &octets);
                                continue;
                            }
                            Err(why) => Err(why),
                        }
                    }
                };
                match number {
                    Ok(raw) => put(slots, to, base, raw),
                    Err(why) => return Err((pc, why.to_owned())),
                }
            }
            Op::ReadTag { to, tag } => {
                if let Some(access) = code.accesses.get(tag as usize) {
                    put(slots, to, base, access.read(plant));
                }
            }
            Op::WriteTag { tag, from } => {
                if let Some(access) = code.accesses.get(tag as usize)
                    && let Some(before) = access.write(plant, get(slots, from, base))
                {
                    journal.note(tag, before);
                }
            }
            Op::ReadText { to, tag } => {
                if let Some(access) = code.accesses.get(tag as usize) {
                    charge!(16);
                    texts.set(get(slots, to, base), &access.read_text(plant));
                }
            }
            Op::WriteText { tag, from } => {
                if let Some(access) = code.accesses.get(tag as usize) {
                    charge!(16);
                    if let Some(before) = access.write_text(plant, texts.octets(get(slots, from, base))) {
                        journal.note_text(tag, before);
                    }
                }
            }
            Op::End => return Ok(()),
        }
    }
    Ok(())
}

const fn whole(raw: Raw, bounds: &Bounds) -> i128 {
    if bounds.unsigned { raw as i128 } else { raw as i64 as i128 }
}

/// How far behind the start of its array the element is.
#[inline(always)]
fn offset(index: Raw, bounds: &Bounds) -> Option<Raw> {
    let from_low = (index as i64).wrapping_sub(bounds.low as i64) as Raw;
    (from_low < Raw::from(bounds.count)).then(|| from_low.wrapping_mul(bounds.stride.into()))
}

fn outside(what: &str, raw: Raw, bounds: Option<&Bounds>) -> String {
    bounds.map_or_else(String::new, |bounds| {
        format!("{what} {} is outside of {}..{} of {}", whole(raw, bounds), bounds.low, bounds.high, bounds.of)
    })
}
