//! Instructions as they are made: their slots, their jumps, and the lines they come from. Apart, because statements and
//! expressions say what is computed, and not where it lies meanwhile.

use super::{
    Compiler, Hint, LARGEST, LONGEST,
    constant::{Origin, Value},
};
use crate::{
    Span,
    run::{Op, Slot, Text},
    types::Raw,
};
use std::{collections::BTreeMap, rc::Rc};

/// Where a jump goes to; known when it is placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label(usize);

/// The slots that hold what a statement needs in between, by how many lie side by side; texts apart. Those of one unit
/// serve its statements one after the other.
#[derive(Clone, Default)]
pub(super) struct Between {
    slots: BTreeMap<u32, Vec<Slot>>,
    texts: Vec<Slot>,
    used: Used,
}

/// How many of them are in use.
#[derive(Clone, Default)]
pub(super) struct Used {
    slots: BTreeMap<u32, usize>,
    texts: usize,
}

pub(super) struct Emitter {
    /// Where each line of the text begins.
    lines: Vec<usize>,
    line: u32,
    numbers: BTreeMap<Raw, Slot>,
    texts: BTreeMap<Rc<[u8]>, Slot>,
    pub(super) between: Between,
    labels: Vec<u32>,
    jumps: Vec<usize>,
    full: bool,
}

impl Emitter {
    pub(super) fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, octet)| *octet == b'\n').map(|(at, _)| at + 1);
        Self {
            lines: std::iter::once(0).chain(breaks).collect(),
            line: 1,
            numbers: BTreeMap::new(),
            texts: BTreeMap::new(),
            between: Between::default(),
            labels: Vec::new(),
            jumps: Vec::new(),
            full: false,
        }
    }
}

impl Compiler<'_> {
    /// What follows comes from the line of `span`.
    pub(super) fn at_line(&mut self, span: &Span) {
        self.emitter.line = self.emitter.lines.partition_point(|start| *start <= span.start) as u32;
    }

    pub(super) fn emit(&mut self, op: Op) {
        let (index, line) = (self.code.ops.len() as u32, self.emitter.line);
        if index as usize >= LONGEST {
            return self.too_large(format!("the program takes more than {LONGEST} instructions"));
        }
        // What was made for a constant expression is gone again.
        while self.code.lines.last().is_some_and(|(from, _)| *from >= index) {
            self.code.lines.pop();
        }
        if self.code.lines.last().is_none_or(|(_, last)| *last != line) {
            self.code.lines.push((index, line));
        }
        self.code.ops.push(op);
    }

    fn too_large(&mut self, message: String) {
        if !std::mem::replace(&mut self.emitter.full, true) {
            self.problem(&(0..0), message, Hint(None));
        }
    }

    /// Slots side by side that nobody else has.
    pub(super) fn allocate(&mut self, count: u32) -> Slot {
        let first = self.code.memory.len();
        if first as u64 + u64::from(count) > u64::from(LARGEST) {
            self.too_large(format!("the program's variables take more than {LARGEST} elementary values"));
            return Slot::absolute(0);
        }
        self.code.memory.resize(first + count as usize, 0);
        Slot::absolute(first as u32)
    }

    /// Puts `raw` into a slot before the program runs.
    pub(super) fn preset(&mut self, slot: Slot, raw: Raw) {
        if let Some(place) = self.code.memory.get_mut(slot.index(0)) {
            *place = raw;
        }
    }

    /// Makes a slot one that holds a text of at most `most` characters.
    pub(super) fn preset_text(&mut self, slot: Slot, most: u8, octets: &[u8]) {
        let number = self.code.texts.len();
        let octets = octets.get(..most.into()).unwrap_or(octets).to_vec();
        self.code.texts.push(Text { most, octets });
        self.code.text_slots.push(slot.index(0) as u32);
        self.preset(slot, number as Raw);
    }

    /// A slot for a value in between.
    pub(super) fn temporary(&mut self) -> Slot {
        self.temporaries(1)
    }

    /// Slots side by side for values in between.
    pub(super) fn temporaries(&mut self, count: u32) -> Slot {
        let between = &mut self.emitter.between;
        let used = between.used.slots.entry(count).or_default();
        let free = between.slots.get(&count).and_then(|slots| slots.get(*used)).copied();
        *used += 1;
        free.unwrap_or_else(|| {
            let slot = self.allocate(count);
            self.emitter.between.slots.entry(count).or_default().push(slot);
            slot
        })
    }

    /// A slot that holds a text in between.
    pub(super) fn temporary_text(&mut self) -> Slot {
        let between = &mut self.emitter.between;
        let free = between.texts.get(between.used.texts).copied();
        between.used.texts += 1;
        free.unwrap_or_else(|| {
            let slot = self.allocate(1);
            self.preset_text(slot, u8::MAX, &[]);
            self.emitter.between.texts.push(slot);
            slot
        })
    }

    /// What is in use in between, to go back to with [`Compiler::release`].
    pub(super) fn in_use(&self) -> Used {
        self.emitter.between.used.clone()
    }

    pub(super) fn release(&mut self, used: Used) {
        self.emitter.between.used = used;
    }

    /// The slot of a constant.
    pub(super) fn number(&mut self, raw: Raw) -> Slot {
        if let Some(slot) = self.emitter.numbers.get(&raw) {
            return *slot;
        }
        let slot = self.allocate(1);
        self.preset(slot, raw);
        self.emitter.numbers.insert(raw, slot);
        slot
    }

    /// The slot of a value whose type is settled.
    pub(super) fn slot(&mut self, value: &Value) -> Slot {
        match &value.origin {
            Origin::Slot(slot) => *slot,
            Origin::Raw(raw) => self.number(*raw),
            Origin::Integer(number) => self.number(*number as Raw),
            Origin::Number(number) => self.number(number.to_bits()),
            Origin::Text(octets) => {
                if let Some(slot) = self.emitter.texts.get(octets) {
                    return *slot;
                }
                let slot = self.allocate(1);
                self.preset_text(slot, u8::MAX, octets);
                self.emitter.texts.insert(octets.clone(), slot);
                slot
            }
        }
    }

    pub(super) fn label(&mut self) -> Label {
        self.emitter.labels.push(0);
        Label(self.emitter.labels.len() - 1)
    }

    /// Places a label here.
    pub(super) fn place_label(&mut self, label: Label) {
        let here = self.code.ops.len() as u32;
        if let Some(place) = self.emitter.labels.get_mut(label.0) {
            *place = here;
        }
    }

    /// Emits a jump to `label`; `make` makes it from where that is.
    pub(super) fn jump(&mut self, label: Label, make: impl FnOnce(u32) -> Op) {
        self.emitter.jumps.push(self.code.ops.len());
        self.emit(make(label.0 as u32));
    }

    /// Lets all jumps go where their labels were placed.
    pub(super) fn finish(&mut self) {
        for index in std::mem::take(&mut self.emitter.jumps) {
            if let Some(to) = self.code.ops.get_mut(index).and_then(Op::target)
                && let Some(place) = self.emitter.labels.get(*to as usize)
            {
                *to = *place;
            }
        }
        self.code.text_slots.sort_unstable();
        self.code.running.sort_unstable();
    }
}
