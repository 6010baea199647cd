//! The process image: a device's memory as its CPU has it. Apart, because located tags, programs and every protocol are
//! views on these same bytes.

use super::value::{Type, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// How a CPU counts its memory, and in which order it keeps the words of a long value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Bytes are counted whatever is read: `%MW1` shares a byte with `%MW0`. High word first (SIMATIC).
    #[default]
    S7,
    /// Words are counted: `%MD1` shares a word with `%MD0`; bits (`%M`, `%I`, `%Q`) are a memory of their own. Low word
    /// first (Modicon; EcoStruxure Control Expert, Program Languages and Structure, "Memory Structure").
    Modicon,
}

/// A part of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// `%I`.
    Input,
    /// `%Q`.
    Output,
    /// `%M`.
    Memory,
    /// `%I` bits where bits are apart.
    InputBits,
    /// `%Q` bits where bits are apart.
    OutputBits,
    /// `%M` bits where bits are apart.
    MemoryBits,
    /// `%DBn`.
    Block(u16),
    /// Registers that belong to a service only and keep what was written.
    Free(u16),
}

impl Area {
    /// The name under which it is kept over a restart, if it is.
    fn kept_as(self) -> Option<String> {
        match self {
            Self::Input | Self::Output | Self::InputBits | Self::OutputBits => None,
            Self::Memory => Some("memory".to_owned()),
            Self::MemoryBits => Some("memory-bits".to_owned()),
            Self::Block(number) => Some(format!("block-{number}")),
            Self::Free(part) => Some(format!("free-{part}")),
        }
    }
}

/// The `[image]` table of a profile.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Sizes {
    /// How the CPU counts its memory.
    pub layout: Layout,
    /// Bytes of `%I` (words of it, where bits are apart).
    pub inputs: u32,
    /// Bytes of `%Q`.
    pub outputs: u32,
    /// Bytes of `%M`.
    pub memory: u32,
    /// Bits of `%I`, where bits are apart.
    pub input_bits: u32,
    /// Bits of `%Q`, where bits are apart.
    pub output_bits: u32,
    /// Bits of `%M`, where bits are apart.
    pub memory_bits: u32,
    /// Bytes of each data block, by its number.
    pub blocks: BTreeMap<String, u32>,
}

/// A resolved position: nothing has to be looked up to read there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    part: u16,
    /// Bits from the start of the part. A bit of a byte counts from its least significant one.
    bit: u32,
}

impl Place {
    /// The place `bits` further on.
    pub const fn plus(self, bits: u32) -> Self {
        Self { part: self.part, bit: self.bit + bits }
    }

    /// Whether it is the first bit of a byte.
    pub const fn is_on_byte(self) -> bool {
        self.bit.is_multiple_of(8)
    }

    /// Whether `bits` bits from here and `other_bits` bits from `other` have one in common.
    pub const fn meets(self, bits: u32, other: Self, other_bits: u32) -> bool {
        self.part == other.part && self.bit < other.bit + other_bits && other.bit < self.bit + bits
    }
}

/// The memory of one device.
#[derive(Debug, Default)]
pub struct Image {
    layout: Layout,
    parts: Vec<(Area, Vec<u8>)>,
    /// The data blocks that are no longer as long as the device was made with, or were not there at all.
    loaded: BTreeSet<u16>,
}

/// Under which name the bytes of a data block are kept that is there, or is not, because it was loaded or unloaded.
const LOADED: &str = "loaded-";

/// No device is given more memory than this, whatever its profile says.
const MOST: u32 = 16 << 20;

impl Image {
    /// Memory of these sizes, all zero. The error is the key that is wrong, and why.
    pub fn new(sizes: &Sizes) -> Result<Self, (String, String)> {
        let bytes_of_bits = |bits: u32| bits.div_ceil(8);
        let mut parts = vec![
            (Area::Input, "inputs".to_owned(), sizes.inputs),
            (Area::Output, "outputs".to_owned(), sizes.outputs),
            (Area::Memory, "memory".to_owned(), sizes.memory),
            (Area::InputBits, "input-bits".to_owned(), bytes_of_bits(sizes.input_bits)),
            (Area::OutputBits, "output-bits".to_owned(), bytes_of_bits(sizes.output_bits)),
            (Area::MemoryBits, "memory-bits".to_owned(), bytes_of_bits(sizes.memory_bits)),
        ];
        for (number, bytes) in &sizes.blocks {
            let key = format!("blocks.{number}");
            let number =
                number.parse().map_err(|_| (key.clone(), "a data block has a number of 0 to 65535".to_owned()))?;
            parts.push((Area::Block(number), key, *bytes));
        }
        let total: u64 = parts.iter().map(|(_, _, bytes)| u64::from(*bytes)).sum();
        if total > u64::from(MOST) {
            return Err(("memory".into(), format!("{total} bytes are asked for in all; {MOST} are allowed")));
        }
        Ok(Self {
            layout: sizes.layout,
            parts: parts
                .into_iter()
                .filter(|(_, _, bytes)| *bytes > 0)
                .map(|(area, _, bytes)| (area, vec![0; bytes as usize]))
                .collect(),
            loaded: BTreeSet::new(),
        })
    }

    /// Sets `bytes` bytes apart that no address reaches, for the registers of a service.
    pub fn allocate(&mut self, bytes: u32) -> Place {
        let part = self.parts.len() as u16;
        self.parts.push((Area::Free(part), vec![0; bytes.min(MOST) as usize]));
        Place { part, bit: 0 }
    }

    /// Where a part of the memory begins, and how many bytes it has, if it is there.
    pub fn area(&self, area: Area) -> Option<(Place, u32)> {
        let mut parts = self.parts.iter().enumerate().filter(|(_, (_, bytes))| !bytes.is_empty());
        let (part, (_, bytes)) = parts.find(|(_, (other, _))| *other == area)?;
        Some((Place { part: part as u16, bit: 0 }, bytes.len() as u32))
    }

    /// The numbers of the data blocks that are there, in ascending order.
    pub fn blocks(&self) -> Vec<u16> {
        let blocks = self.parts.iter().filter(|(_, bytes)| !bytes.is_empty());
        let mut numbers: Vec<u16> =
            blocks.filter_map(|(area, _)| if let Area::Block(number) = area { Some(*number) } else { None }).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Makes a data block of these bytes, in place of what was there. Whether there is room for it.
    pub fn load(&mut self, number: u16, bytes: &[u8]) -> bool {
        let area = Area::Block(number);
        let others: usize = self.parts.iter().filter(|(other, _)| *other != area).map(|(_, bytes)| bytes.len()).sum();
        if others + bytes.len() > MOST as usize || self.parts.len() >= usize::from(u16::MAX) {
            return false;
        }
        match self.parts.iter_mut().find(|(other, _)| *other == area) {
            Some((_, part)) => *part = bytes.to_vec(),
            None => self.parts.push((area, bytes.to_vec())),
        }
        self.loaded.insert(number);
        true
    }

    /// Deletes a data block. What lies in it reads as 0 until it is there again.
    pub fn unload(&mut self, number: u16) {
        // The part keeps its place: tags may lie in it.
        if let Some((_, bytes)) = self.parts.iter_mut().find(|(area, _)| *area == Area::Block(number)) {
            bytes.clear();
            self.loaded.insert(number);
        }
    }

    /// Sets all memory but the inputs to 0.
    pub(super) fn clear(&mut self) {
        let parts = self.parts.iter_mut().filter(|(area, _)| !matches!(area, Area::Input | Area::InputBits));
        parts.for_each(|(_, bytes)| bytes.fill(0));
    }

    /// The place of a located variable of type `ty`, such as `%MW10`, `%QX0.3`, `%M5`, `%MW4.2` or `%DB1.DBD4`
    /// (IEC 61131-3 §6.5.5.2 and the vendors' forms of it). The error says what is wrong.
    pub fn locate(&self, address: &str, ty: Type) -> Result<Place, String> {
        let (area, bit) = self
            .address(address)
            .ok_or_else(|| format!("`{address}` is no address; write %MW10, %QX0.3, %M5 or %DB1.DBD4"))?;
        let (part, bytes) = self
            .parts
            .iter()
            .position(|(other, _)| *other == area)
            .and_then(|part| Some((part, self.parts.get(part)?.1.len())))
            .ok_or_else(|| format!("`{address}` lies in a memory that this device does not have"))?;
        if u64::from(bit) + u64::from(ty.bits()) > bytes as u64 * 8 {
            return Err(format!("`{address}` lies behind the end of its memory ({bytes} bytes)"));
        }
        Ok(Place { part: part as u16, bit })
    }

    fn address(&self, address: &str) -> Option<(Area, u32)> {
        let text = address.strip_prefix('%')?;
        if let Some(rest) = text.strip_prefix("DB") {
            let (number, offset) = rest.split_once('.')?;
            let offset = offset.strip_prefix("DB").unwrap_or(offset);
            let (unit, digits) = (offset.get(..1)?, offset.get(1..)?);
            return Some((Area::Block(number.parse().ok()?), bit_of(unit, digits, Layout::S7)?));
        }
        let (letter, rest) = (text.get(..1)?, text.get(1..)?);
        let (unit, digits) = match rest.get(..1)? {
            unit @ ("X" | "B" | "W" | "D" | "L") => (unit, rest.get(1..)?),
            _ => ("X", rest),
        };
        let apart = self.layout == Layout::Modicon && unit == "X";
        let area = match (letter, apart) {
            ("I", false) => Area::Input,
            ("Q", false) => Area::Output,
            ("M", false) => Area::Memory,
            ("I", true) => Area::InputBits,
            ("Q", true) => Area::OutputBits,
            ("M", true) => Area::MemoryBits,
            _ => return None,
        };
        Some((area, bit_of(unit, digits, self.layout)?))
    }

    /// The bit at `place`; off where there is no memory.
    pub fn bit(&self, place: Place) -> bool {
        let byte = self.bytes(place.part, place.bit / 8, 1).first();
        byte.is_some_and(|byte| byte >> (place.bit % 8) & 1 == 1)
    }

    /// `count` bits from `place` on; off where there is no memory.
    pub fn bits(&self, place: Place, count: u32) -> impl Iterator<Item = bool> {
        let first = place.bit % 8;
        let octets = self.bytes(place.part, place.bit / 8, (first + count).div_ceil(8));
        (first..first + count).map(|bit| octets.get(bit as usize / 8).is_some_and(|octet| octet >> (bit % 8) & 1 == 1))
    }

    /// Sets the bit at `place`.
    pub fn set_bit(&mut self, place: Place, on: bool) {
        if let Some(byte) = self.bytes_mut(place.part, place.bit / 8, 1).first_mut() {
            let mask = 1 << (place.bit % 8);
            *byte = if on { *byte | mask } else { *byte & !mask };
        }
    }

    /// The 16 bits at `place`, which lies on a byte; 0 where there is no memory.
    pub fn word(&self, place: Place) -> u16 {
        self.bytes(place.part, place.bit / 8, 2).first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes))
    }

    /// Sets the 16 bits at `place`, which lies on a byte.
    pub fn set_word(&mut self, place: Place, word: u16) {
        if let Some(bytes) = self.bytes_mut(place.part, place.bit / 8, 2).first_chunk_mut() {
            *bytes = word.to_be_bytes();
        }
    }

    /// `count` bytes from `place` on, which lies on a byte; fewer at the end of the memory.
    pub fn octets(&self, place: Place, count: u32) -> &[u8] {
        self.bytes(place.part, place.bit / 8, count)
    }

    /// Sets the bytes at `place`, which lies on a byte, as far as there is memory.
    pub fn set_octets(&mut self, place: Place, octets: &[u8]) {
        let slots = self.bytes_mut(place.part, place.bit / 8, octets.len() as u32);
        slots.iter_mut().zip(octets).for_each(|(slot, octet)| *slot = *octet);
    }

    /// The value of type `ty` at `place`.
    pub fn get(&self, place: Place, ty: Type) -> Value {
        match ty {
            Type::Bool => Value::Bool(self.bit(place)),
            Type::String => {
                let octets = self.octets(place, ty.bits() / 8);
                Value::Text(octets.iter().take_while(|c| **c != 0).map(|c| char::from(*c)).collect())
            }
            _ => Value::of_pattern(self.pattern(place, ty), ty),
        }
    }

    /// The bit pattern of the value of type `ty` at `place`, which is no text; 0 where there is no memory.
    #[inline]
    pub fn pattern(&self, place: Place, ty: Type) -> u64 {
        let octets = self.bytes(place.part, place.bit / 8, ty.bits().div_ceil(8));
        let low_first = self.layout == Layout::Modicon;
        match ty.bits() {
            1 => octets.first().map_or(0, |octet| u64::from(octet >> (place.bit % 8) & 1)),
            8 => octets.first().map_or(0, |octet| u64::from(*octet)),
            16 => octets.first_chunk().map_or(0, |octets| u16::from_be_bytes(*octets).into()),
            32 => octets.first_chunk().map_or(0, |octets| {
                let pattern = u32::from_be_bytes(*octets);
                u64::from(if low_first { pattern.rotate_left(16) } else { pattern })
            }),
            _ => octets.first_chunk().map_or(0, |octets| {
                let pattern = u64::from_be_bytes(*octets);
                let words = [pattern >> 48, pattern >> 32, pattern >> 16, pattern].map(|word| word & 0xFFFF);
                if low_first { words.iter().rev().fold(0, |pattern, word| pattern << 16 | word) } else { pattern }
            }),
        }
    }

    /// Sets the value of type `ty` at `place`.
    pub fn set(&mut self, place: Place, ty: Type, value: Value) {
        let value = ty.take(value);
        match (&value, ty) {
            (Value::Bool(on), _) => self.set_bit(place, *on),
            (Value::Text(text), _) => {
                let octets = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).chain(std::iter::repeat(0));
                let slots = self.bytes_mut(place.part, place.bit / 8, ty.bits() / 8);
                slots.iter_mut().zip(octets).for_each(|(slot, octet)| *slot = octet);
            }
            _ if ty.bits() == 8 => {
                if let Some(octet) = self.bytes_mut(place.part, place.bit / 8, 1).first_mut() {
                    *octet = value.pattern(ty) as u8;
                }
            }
            _ => {
                let (pattern, words) = (value.pattern(ty), ty.bits() / 16);
                for i in 0..words {
                    let word = (pattern >> (16 * (words - 1 - i))) as u16;
                    self.set_word(place.plus(16 * self.nth_word(i, words)), word);
                }
            }
        }
    }

    /// Where the word that is `i`-th from the most significant one is kept.
    const fn nth_word(&self, i: u32, words: u32) -> u32 {
        match self.layout {
            Layout::S7 => i,
            Layout::Modicon => words - 1 - i,
        }
    }

    /// Clears the outputs; whether any was set.
    pub(super) fn fall(&mut self) -> bool {
        let outputs = self.parts.iter_mut().filter(|(area, _)| matches!(area, Area::Output | Area::OutputBits));
        let mut fell = false;
        for (_, bytes) in outputs.filter(|(_, bytes)| bytes.iter().any(|byte| *byte != 0)) {
            bytes.fill(0);
            fell = true;
        }
        fell
    }

    /// What survives a restart: all but inputs and outputs, by area, in hexadecimal digits.
    pub(super) fn kept(&self) -> BTreeMap<String, String> {
        let name = |area: Area| match area {
            Area::Block(number) if self.loaded.contains(&number) => Some(format!("{LOADED}{number}")),
            area => area.kept_as(),
        };
        let parts = self.parts.iter().filter_map(|(area, bytes)| Some((name(*area)?, bytes)));
        parts.map(|(name, bytes)| (name, bytes.iter().map(|byte| format!("{byte:02x}")).collect())).collect()
    }

    /// Puts back what [`Image::kept`] gave, as far as it fits.
    pub(super) fn recall(&mut self, kept: &BTreeMap<String, String>) {
        for (name, digits) in kept {
            match name.strip_prefix(LOADED).and_then(|number| number.parse().ok()) {
                Some(number) if digits.is_empty() => self.unload(number),
                Some(number) if self.load(number, &vec![0; digits.len() / 2]) => {
                    self.refill(Area::Block(number), digits);
                }
                _ => {}
            }
        }
        let areas: Vec<Area> = self.parts.iter().map(|(area, _)| *area).collect();
        for area in areas {
            if let Some(digits) = area.kept_as().and_then(|name| kept.get(&name)) {
                self.refill(area, digits);
            }
        }
    }

    /// Fills a part with these hexadecimal digits, as far as it goes.
    fn refill(&mut self, area: Area, digits: &str) {
        let Some((_, bytes)) = self.parts.iter_mut().find(|(other, _)| *other == area) else { return };
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).ok();
            if let Some(value) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                *byte = value;
            }
        }
    }

    fn bytes(&self, part: u16, from: u32, count: u32) -> &[u8] {
        let part = self.parts.get(usize::from(part)).map_or(&[][..], |(_, bytes)| bytes);
        let rest = part.get(from as usize..).unwrap_or_default();
        rest.get(..count as usize).unwrap_or(rest)
    }

    fn bytes_mut(&mut self, part: u16, from: u32, count: u32) -> &mut [u8] {
        let part = self.parts.get_mut(usize::from(part)).map_or(&mut [][..], |(_, bytes)| bytes);
        let rest = part.get_mut(from as usize..).unwrap_or_default();
        let count = rest.len().min(count as usize);
        rest.get_mut(..count).unwrap_or_default()
    }
}

/// The bit that an address with this unit letter and these digits starts at.
fn bit_of(unit: &str, digits: &str, layout: Layout) -> Option<u32> {
    let (whole, bit) = match digits.split_once('.') {
        Some((whole, bit)) => (whole, Some(bit.parse::<u32>().ok()?)),
        None => (digits, None),
    };
    let whole: u32 = whole.parse().ok().filter(|n| *n < MOST)?;
    Some(match (unit, layout, bit) {
        // %MX10.3: a bit of a byte. %M5 alone: the fifth bit.
        ("X", Layout::S7, Some(bit)) if bit < 8 => whole * 8 + bit,
        ("X", _, None) => whole,
        // %MW4.2: a bit of a word, kept high byte first.
        ("W", _, Some(bit)) if bit < 16 => word_start(whole, layout) + (bit + 8) % 16,
        ("B", _, None) => whole * 8,
        ("W" | "D" | "L", _, None) => word_start(whole, layout),
        _ => return None,
    })
}

const fn word_start(whole: u32, layout: Layout) -> u32 {
    match layout {
        Layout::S7 => whole * 8,
        Layout::Modicon => whole * 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(layout: Layout) -> Image {
        let blocks = BTreeMap::from([("1".to_owned(), 16)]);
        let sizes = Sizes { layout, inputs: 16, outputs: 16, memory: 32, memory_bits: 32, blocks, ..Sizes::default() };
        Image::new(&sizes).unwrap()
    }

    #[test]
    fn one_memory_is_seen_through_every_view() {
        let mut s7 = image(Layout::S7);
        let place = |image: &Image, address, ty| image.locate(address, ty).unwrap();
        s7.set(place(&s7, "%DB1.DBD4", Type::Dint), Type::Dint, Value::Int(0x0102_0304));
        assert_eq!(s7.word(place(&s7, "%DB1.DBW4", Type::Word)), 0x0102);
        assert_eq!(s7.get(place(&s7, "%DB1.DBB7", Type::Byte), Type::Byte), Value::Uint(4));
        assert!(s7.bit(place(&s7, "%DB1.DBX5.1", Type::Bool)));

        let mut modicon = image(Layout::Modicon);
        modicon.set(place(&modicon, "%MD4", Type::Dint), Type::Dint, Value::Int(0x0102_0304));
        assert_eq!(modicon.word(place(&modicon, "%MW4", Type::Word)), 0x0304);
        assert_eq!(modicon.word(place(&modicon, "%MW5", Type::Word)), 0x0102);
        assert!(modicon.bit(place(&modicon, "%MW4.2", Type::Bool)));
        assert!(!modicon.bit(place(&modicon, "%M4", Type::Bool)), "bits are a memory of their own");
    }

    #[test]
    fn values_come_back_as_they_were_set() {
        for layout in [Layout::S7, Layout::Modicon] {
            let mut image = image(layout);
            for (ty, value) in [
                (Type::Real, Value::Real(1.5)),
                (Type::Lreal, Value::Real(-2.25)),
                (Type::Usint, Value::Uint(200)),
                (Type::Time, Value::Int(-1)),
            ] {
                let place = image.locate("%MW0", ty).unwrap();
                image.set(place, ty, value.clone());
                assert_eq!(image.get(place, ty), value);
            }
        }
    }

    #[test]
    fn blocks_that_were_loaded_and_unloaded_come_back_so() {
        let mut before = image(Layout::S7);
        assert!(before.load(7, &[1, 2, 3]) && before.load(1, &[9, 8]));
        let mut after = image(Layout::S7);
        after.recall(&before.kept());
        let bytes = |image: &Image, number| {
            image.area(Area::Block(number)).map(|(place, length)| image.octets(place, length).to_vec())
        };
        assert_eq!((bytes(&after, 7), bytes(&after, 1)), (Some(vec![1, 2, 3]), Some(vec![9, 8])));
        after.unload(1);
        let mut last = image(Layout::S7);
        last.recall(&after.kept());
        assert_eq!((last.blocks(), bytes(&last, 1)), (vec![7], None));
    }

    #[test]
    fn an_address_that_is_not_there_is_refused() {
        let image = image(Layout::S7);
        for (address, ty) in [
            ("%MW31", Type::Word),
            ("%DB2.DBW0", Type::Word),
            ("MW0", Type::Word),
            ("%MX0.8", Type::Bool),
            ("%Z1", Type::Bool),
        ] {
            assert!(image.locate(address, ty).is_err(), "{address}");
        }
        let sizes = Sizes { memory: MOST + 1, ..Sizes::default() };
        assert!(Image::new(&sizes).is_err());
    }
}
