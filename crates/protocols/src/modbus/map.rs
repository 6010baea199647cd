//! The four tables of a unit: ranges of addresses that are views on tags and on the process image. Apart, because the
//! functions of the protocol only know addresses.

use super::{
    settings::{Access, Format, Order},
    wire::{Exception, Span},
};
use honeyplant_core::plant::{Place, Plant, TagId, Tags, Type, Value};
use smallvec::SmallVec;

/// A table whose ranges are sorted and do not overlap.
#[derive(Debug)]
pub(super) struct Table<V>(Vec<Range<V>>);

/// Addresses from `start` to before `end`, and what lies there.
#[derive(Debug)]
pub(super) struct Range<V> {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) access: Access,
    pub(super) view: V,
}

/// What coils and discrete inputs are.
#[derive(Debug)]
pub(super) enum Bit {
    /// Consecutive bits of the image.
    Image(Place),
    /// The bits of consecutive words, least significant first.
    Words(Place),
    /// A tag.
    Tag(TagId),
}

/// What registers are.
#[derive(Debug)]
pub(super) enum Word {
    /// Consecutive words of the image.
    Image(Place),
    /// A tag.
    Tag(Scaled),
}

/// A tag as registers hold it.
#[derive(Debug)]
pub(super) struct Scaled {
    pub(super) id: TagId,
    pub(super) format: Format,
    pub(super) order: Order,
    pub(super) scale: f64,
    pub(super) offset: f64,
    /// How many registers.
    pub(super) count: u32,
}

/// Bits as events carry them.
pub(super) type Bits = SmallVec<[bool; 16]>;

/// Registers as events carry them.
pub(super) type Words = SmallVec<[u16; 16]>;

/// The ranges that a request meets, which cover it wholly.
#[derive(Debug)]
pub(super) struct Cover<'a, V> {
    ranges: &'a [Range<V>],
    start: u32,
    end: u32,
}

impl<V> Table<V> {
    /// A table of `ranges` that are sorted and do not overlap.
    pub(super) const fn new(ranges: Vec<Range<V>>) -> Self {
        Self(ranges)
    }

    /// The ranges that `span` lies in; refused unless every address is there.
    pub(super) fn cover(&self, span: Span) -> Result<Cover<'_, V>, Exception> {
        let start = u32::from(span.address);
        let end = start + u32::from(span.quantity);
        let first = self.0.partition_point(|range| range.end <= start);
        let ranges = self.0.get(first..).unwrap_or_default();
        let (mut met, mut reached) = (0, start);
        for range in ranges.iter().take_while(|range| range.start < end) {
            if range.start > reached {
                break;
            }
            (met, reached) = (met + 1, range.end);
        }
        let ranges = ranges.get(..met).filter(|_| reached >= end).ok_or(Exception::IllegalDataAddress)?;
        Ok(Cover { ranges, start, end })
    }
}

impl<'a, V> Cover<'a, V> {
    /// Whether all of it may be written.
    pub(super) fn is_writable(&self) -> bool {
        self.ranges.iter().all(|range| range.access == Access::ReadWrite)
    }

    /// Each view, how many of its addresses lie before the request, and how many are met.
    fn pieces(&self) -> impl Iterator<Item = (&'a V, u32, u32)> {
        let (start, end) = (self.start, self.end);
        self.ranges.iter().map(move |range| {
            let skip = start.saturating_sub(range.start);
            (&range.view, skip, end.min(range.end) - (range.start + skip))
        })
    }
}

impl Cover<'_, Bit> {
    /// The bits as they are.
    pub(super) fn read(&self, plant: &Plant) -> Bits {
        let mut bits = Bits::new();
        for (view, skip, count) in self.pieces() {
            match view {
                Bit::Image(place) => bits.extend(plant.image().bits(place.plus(skip), count)),
                Bit::Tag(id) => bits.push(plant.get(*id).number() != 0.0),
                Bit::Words(_) => {
                    bits.extend((skip..skip + count).map(|n| view.place(n).is_some_and(|p| plant.image().bit(p))))
                }
            }
        }
        bits
    }

    /// The tags that lie there.
    pub(super) fn tags(&self, plant: &Plant) -> Tags {
        let mut tags = Tags::new();
        for (view, skip, count) in self.pieces() {
            match view {
                Bit::Image(place) => plant.tags_at(place.plus(skip), count, &mut tags),
                Bit::Words(_) => {
                    (skip..skip + count).filter_map(|n| view.place(n)).for_each(|p| plant.tags_at(p, 1, &mut tags));
                }
                Bit::Tag(id) => tags.push(*id),
            }
        }
        tags.dedup();
        tags
    }

    /// Changes the bits.
    pub(super) fn write(&self, plant: &mut Plant, mut bits: impl Iterator<Item = bool>) {
        for (view, skip, count) in self.pieces() {
            for (n, bit) in (skip..skip + count).zip(&mut bits) {
                match (view, view.place(n)) {
                    (Bit::Tag(id), _) => plant.set(*id, Value::Bool(bit)),
                    (_, Some(place)) => plant.image_mut().set_bit(place, bit),
                    (_, None) => {}
                }
            }
        }
    }
}

impl Bit {
    /// Where the `n`-th bit lies, if it is one of the image.
    const fn place(&self, n: u32) -> Option<Place> {
        match self {
            Self::Image(place) => Some(place.plus(n)),
            // The image keeps the high octet of a word first.
            Self::Words(place) => Some(place.plus(n / 16 * 16 + (n + 8) % 16)),
            Self::Tag(_) => None,
        }
    }
}

impl Cover<'_, Word> {
    /// The registers as they are.
    pub(super) fn read(&self, plant: &Plant) -> Words {
        let mut words = Words::new();
        for (view, skip, count) in self.pieces() {
            match view {
                Word::Image(place) => {
                    let octets = plant.image().octets(place.plus(16 * skip), 2 * count);
                    words.extend(super::wire::registers(octets));
                }
                Word::Tag(tag) => words.extend(tag.read(plant).into_iter().skip(skip as usize).take(count as usize)),
            }
        }
        words
    }

    /// The tags that lie there.
    pub(super) fn tags(&self, plant: &Plant) -> Tags {
        let mut tags = Tags::new();
        for (view, skip, count) in self.pieces() {
            match view {
                Word::Image(place) => plant.tags_at(place.plus(16 * skip), 16 * count, &mut tags),
                Word::Tag(tag) => tags.push(tag.id),
            }
        }
        tags.dedup();
        tags
    }

    /// Changes the registers.
    pub(super) fn write(&self, plant: &mut Plant, mut words: impl Iterator<Item = u16>) {
        for (view, skip, count) in self.pieces() {
            match view {
                Word::Image(place) => {
                    for (n, word) in (skip..skip + count).zip(&mut words) {
                        plant.image_mut().set_word(place.plus(16 * n), word);
                    }
                }
                Word::Tag(tag) => {
                    // What of the value is not written stays as it is.
                    let mut whole = tag.read(plant);
                    let slots = whole.iter_mut().skip(skip as usize).take(count as usize);
                    slots.zip(&mut words).for_each(|(slot, word)| *slot = word);
                    tag.write(plant, whole);
                }
            }
        }
    }
}

impl Scaled {
    fn read(&self, plant: &Plant) -> SmallVec<[u16; 4]> {
        let mut words: SmallVec<[u16; 4]> = match plant.get(self.id) {
            Value::Text(text) => {
                let octets: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
                packed(&octets).collect()
            }
            value => {
                let value =
                    if self.is_plain() { value } else { Value::Real((value.number() - self.offset) / self.scale) };
                let ty = self.format.ty();
                let pattern = ty.take(value).pattern(ty);
                (0..self.count).rev().map(|word| (pattern >> (16 * word)) as u16).collect()
            }
        };
        words.resize(self.count as usize, 0);
        self.turn(&mut words);
        words
    }

    fn write(&self, plant: &mut Plant, mut words: SmallVec<[u16; 4]>) {
        self.turn(&mut words);
        let ty = self.format.ty();
        let value = if ty == Type::String {
            let octets = words.iter().flat_map(|word| word.to_be_bytes());
            Value::Text(octets.take_while(|octet| *octet != 0).map(char::from).collect())
        } else {
            let pattern = words.iter().fold(0_u64, |pattern, word| pattern << 16 | u64::from(*word));
            let value = Value::of_pattern(pattern, ty);
            if self.is_plain() { value } else { Value::Real(value.number() * self.scale + self.offset) }
        };
        plant.set(self.id, value);
    }

    /// Integers of 64 bits would lose digits on the way through a scale.
    fn is_plain(&self) -> bool {
        self.scale == 1.0 && self.offset == 0.0
    }

    /// Brings registers into the order of the device, or back: each order is its own inverse.
    fn turn(&self, words: &mut [u16]) {
        if matches!(self.order, Order::Cdab | Order::Dcba) && self.format != Format::Text {
            words.reverse();
        }
        if matches!(self.order, Order::Badc | Order::Dcba) {
            words.iter_mut().for_each(|word| *word = word.swap_bytes());
        }
    }
}

/// Characters as registers hold them: two each, the first one high.
pub(super) fn packed(octets: &[u8]) -> impl Iterator<Item = u16> {
    octets.chunks(2).map(|pair| pair.iter().chain(&[0]).take(2).fold(0, |word, octet| word << 8 | u16::from(*octet)))
}
