//! What an item of Read Var or Write Var reaches in the memory of the CPU, and the code by which it is refused otherwise.
//! Apart, because the CPU chooses among its codes in one order, whatever is done with the item.

use super::item::{Any, Element, Item};
use honeyplant_core::plant::{Area, Image, Place};

/// Return codes of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No module answers at this address.
    Hardware = 0x01,
    /// The area may not be reached in this way.
    Access = 0x03,
    /// It lies behind the end of the area.
    Address = 0x05,
    /// The type does not go with the area, or more than one bit is asked for.
    Type = 0x06,
    /// What was sent is not as long as what it is to replace, or of another kind.
    Inconsistent = 0x07,
    /// There is no such block or area.
    Object = 0x0A,
}

impl Refusal {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Hardware => "no module at this address",
            Self::Access => "the area may not be accessed",
            Self::Address => "the address is out of range",
            Self::Type => "the data type is not supported",
            Self::Inconsistent => "the data type is inconsistent",
            Self::Object => "the object does not exist",
        }
    }
}

/// What is done with an item: only the direction decides which peripheral is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
}

/// Where the words of timers and counters are kept, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(in crate::s7comm) struct Words {
    pub(in crate::s7comm) place: Place,
    pub(in crate::s7comm) count: u16,
}

/// What an item reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub(super) element: Element,
    pub(super) place: Place,
    pub(super) octets: u32,
}

/// What `item` reaches.
pub(super) fn reach(
    item: &Item,
    direction: Direction,
    image: &Image,
    timers: Words,
    counters: Words,
) -> Result<Reach, Refusal> {
    let Item::Any(any) = item else { return Err(Refusal::Object) };
    let element = Element::of(any.size).ok_or(Refusal::Type)?;
    match any.area {
        0x1C => return words(any, element, Element::Counter, counters),
        0x1D => return words(any, element, Element::Timer, timers),
        // Local data belong to a block while it runs: nobody from outside can mean them.
        0x86 | 0x87 => return Err(Refusal::Access),
        _ => {}
    }
    let area = match (any.area, direction) {
        (0x80, Direction::Read) | (0x81, _) => Area::Input,
        (0x80, Direction::Write) | (0x82, _) => Area::Output,
        (0x83, _) => Area::Memory,
        (0x84 | 0x85, _) => Area::Block(any.block),
        // Those of the 200 family, such as its analog inputs (06) and counters (1E).
        _ => return Err(Refusal::Object),
    };
    let Some((place, size)) = image.area(area) else {
        return Err(match (any.area, area) {
            (0x80, _) => Refusal::Hardware,
            (_, Area::Block(_)) => Refusal::Object,
            _ => Refusal::Address,
        });
    };
    let is_bit = element == Element::Bit;
    if matches!(element, Element::Counter | Element::Timer) || is_bit && (any.count != 1 || any.area == 0x80) {
        return Err(Refusal::Type);
    }
    let octets = element.octets() * u32::from(any.count);
    let whole = any.address.is_multiple_of(8) || is_bit;
    if octets == 0 || !whole || any.address / 8 + octets > size {
        return Err(if any.area == 0x80 { Refusal::Hardware } else { Refusal::Address });
    }
    Ok(Reach { element, place: place.plus(any.address), octets })
}

fn words(any: &Any, element: Element, own: Element, words: Words) -> Result<Reach, Refusal> {
    if element != own {
        return Err(Refusal::Type);
    }
    let count = u32::from(any.count);
    if count == 0 || any.address + count > words.count.into() {
        return Err(Refusal::Address);
    }
    Ok(Reach { element, place: words.place.plus(16 * any.address), octets: 2 * count })
}

/// The octets of what was reached, as an answer carries them: a bit is 0 or 1.
pub(super) fn get(reach: &Reach, image: &Image) -> Vec<u8> {
    match reach.element {
        Element::Bit => vec![image.bit(reach.place).into()],
        _ => image.octets(reach.place, reach.octets).to_vec(),
    }
}

/// Changes what was reached; the octets are as many as it has.
pub(super) fn set(reach: &Reach, octets: &[u8], image: &mut Image) {
    match reach.element {
        Element::Bit => image.set_bit(reach.place, octets.first().is_some_and(|octet| octet & 1 == 1)),
        _ => image.set_octets(reach.place, octets),
    }
}
