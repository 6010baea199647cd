//! What a program keeps from scan to scan, and whether a scan changed any of it. Apart, because the instructions write
//! without asking: a value that moves and comes back within a scan is no change.

use super::code::{Code, Text};
use crate::types::Raw;
use honeyplant_core::plant::Plant;

/// How many slots are compared at a time.
const CHUNK: usize = 32;

/// The memory of one task.
pub(super) struct Memory {
    pub(super) slots: Vec<Raw>,
    pub(super) texts: Texts,
    pub(super) journal: Journal,
    /// The persistent slots as the last scan left them.
    settled: Vec<Raw>,
    /// How often the plant had been changed when the last scan was over.
    left: Option<u64>,
}

/// The texts, by their numbers.
pub(super) struct Texts {
    items: Vec<Text>,
    persistent: usize,
    settled: Vec<Text>,
    touched: bool,
}

/// What the plant held before the scan changed it.
#[derive(Default)]
pub(super) struct Journal {
    noted: Vec<u32>,
    numbers: Vec<(u32, Raw)>,
    texts: Vec<(u32, Vec<u8>)>,
}

impl Memory {
    pub(super) fn new(code: &Code) -> Self {
        let (slots, items) = (code.memory.clone(), code.texts.clone());
        let settled = slots.get(..code.persistent).unwrap_or_default().to_vec();
        let settled_texts = items.get(..code.persistent_texts).unwrap_or_default().to_vec();
        let texts = Texts { items, persistent: code.persistent_texts, settled: settled_texts, touched: false };
        Self { slots, texts, journal: Journal::default(), settled, left: None }
    }

    /// Reads the inputs, unless nobody has changed the plant since the last scan: it changes none of them itself.
    pub(super) fn take(&mut self, code: &Code, plant: &Plant) {
        if self.left.take() == Some(plant.changes()) {
            return;
        }
        for (slot, access) in &code.inputs {
            if let (Some(slot), Some(access)) =
                (self.slots.get_mut(*slot as usize), code.accesses.get(*access as usize))
            {
                *slot = access.read(plant);
            }
        }
    }

    /// Takes what is there now as what the last scan left. Whether that is something else than the one before had left;
    /// slots that are `running` do not count.
    pub(super) fn settle(&mut self, code: &Code, plant: &Plant) -> bool {
        self.left = Some(plant.changes());
        let mut changed = self.texts.settle();
        let chunks = self.settled.chunks_mut(CHUNK).zip(self.slots.chunks(CHUNK));
        for (index, (settled, now)) in chunks.enumerate() {
            // The last chunk of the persistent slots is a shorter one.
            let Some(now) = now.get(..settled.len()) else { continue };
            if settled != now {
                changed = changed || moved(settled, now, index * CHUNK, &code.running);
                settled.copy_from_slice(now);
            }
        }
        self.journal.settle(code, plant) || changed
    }
}

/// Whether any slot of a chunk that begins at `first` is another, except those that are `running`.
fn moved(before: &[Raw], now: &[Raw], first: usize, running: &[u32]) -> bool {
    let mut differing = (first..).zip(before.iter().zip(now)).filter(|(_, (before, now))| before != now);
    differing.any(|(index, _)| running.binary_search(&(index as u32)).is_err())
}

impl Texts {
    pub(super) fn octets(&self, number: Raw) -> &[u8] {
        self.items.get(number as usize).map_or(&[], |text| &text.octets)
    }

    /// Puts `octets` into the text, as far as it holds them.
    pub(super) fn set(&mut self, number: Raw, octets: &[u8]) {
        if let Some(text) = self.items.get_mut(number as usize) {
            self.touched |= (number as usize) < self.persistent;
            text.take(octets);
        }
    }

    pub(super) fn copy(&mut self, to: Raw, from: Raw) {
        if let Ok([to_text, from_text]) = self.items.get_disjoint_mut([to as usize, from as usize]) {
            self.touched |= (to as usize) < self.persistent;
            to_text.take(&from_text.octets);
        }
    }

    /// Copies slots; those of them that are in `text_slots` hold the numbers of texts, which are copied instead.
    pub(super) fn copy_many(&mut self, slots: &mut [Raw], text_slots: &[u32], to: usize, from: usize, count: usize) {
        let (to_end, from_end) = (to.saturating_add(count), from.saturating_add(count));
        if to_end > slots.len() || from_end > slots.len() {
            return;
        }
        let first = text_slots.partition_point(|slot| (*slot as usize) < to);
        let mut done = 0;
        for text in text_slots.iter().skip(first).take_while(|slot| (**slot as usize) < to_end) {
            let offset = *text as usize - to;
            slots.copy_within(from + done..from + offset, to + done);
            let numbers = slots.get(to + offset).zip(slots.get(from + offset));
            if let Some((to, from)) = numbers {
                self.copy(*to, *from);
            }
            done = offset + 1;
        }
        slots.copy_within(from + done..from_end, to + done);
    }

    fn settle(&mut self) -> bool {
        let changed = std::mem::take(&mut self.touched)
            && self.items.iter().zip(&self.settled).any(|(text, settled)| text.octets != settled.octets);
        if changed {
            for (settled, text) in self.settled.iter_mut().zip(&self.items) {
                settled.take(&text.octets);
            }
        }
        changed
    }
}

impl Text {
    fn take(&mut self, octets: &[u8]) {
        self.octets.clear();
        self.octets.extend_from_slice(octets.get(..self.most.into()).unwrap_or(octets));
    }
}

impl Journal {
    /// Notes what the plant held at `access`.
    pub(super) fn note(&mut self, access: u32, before: Raw) {
        if self.is_first(access) {
            self.numbers.push((access, before));
        }
    }

    pub(super) fn note_text(&mut self, access: u32, before: Vec<u8>) {
        if self.is_first(access) {
            self.texts.push((access, before));
        }
    }

    fn is_first(&mut self, access: u32) -> bool {
        let place = self.noted.binary_search(&access);
        if let Err(place) = place {
            self.noted.insert(place, access);
        }
        place.is_err()
    }

    fn settle(&mut self, code: &Code, plant: &Plant) -> bool {
        self.noted.clear();
        let of = |access: u32| code.accesses.get(access as usize);
        let numbers = self.numbers.drain(..);
        let changed = numbers
            .fold(false, |any, (access, before)| any || of(access).is_some_and(|access| access.read(plant) != before));
        let texts = self.texts.drain(..);
        texts.fold(changed, |any, (access, before)| {
            any || of(access).is_some_and(|access| access.read_text(plant) != before)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(running: Vec<u32>) -> (Code, Memory) {
        let code = Code { memory: vec![0; 100], persistent: 70, running, ..Code::default() };
        let memory = Memory::new(&code);
        (code, memory)
    }

    #[test]
    fn only_what_stays_changed_counts() {
        let (code, mut memory) = memory(vec![5]);
        let plant = Plant::default();
        for (slot, counts) in [(5, false), (4, true), (69, true), (70, false)] {
            memory.slots[slot] += 1;
            assert_eq!(memory.settle(&code, &plant), counts, "slot {slot}");
            assert!(!memory.settle(&code, &plant), "slot {slot} has settled");
        }
    }

    #[test]
    fn texts_are_copied_and_not_their_numbers() {
        let text = |octets: &[u8]| Text { most: 3, octets: octets.to_vec() };
        let code = Code {
            memory: vec![1, 0, 2, 3, 1, 4],
            texts: vec![text(b"a"), text(b"long")],
            persistent: 3,
            persistent_texts: 1,
            text_slots: vec![1, 4],
            ..Code::default()
        };
        let mut memory = Memory::new(&code);
        memory.texts.copy_many(&mut memory.slots, &code.text_slots, 0, 3, 3);
        assert_eq!(memory.slots, [3, 0, 4, 3, 1, 4]);
        assert_eq!(memory.texts.octets(0), b"lon");
        assert!(memory.settle(&code, &Plant::default()));
    }
}
