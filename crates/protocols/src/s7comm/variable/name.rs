//! The names of memory as SIMATIC people write them, for the record: `DB10.DBW4`, `M0.1`, `T5`. Apart, because only readers
//! of the record see them.

use super::{
    item::{Any, Element},
    memory::Direction,
};

/// The name of an area, in the plural.
pub(super) const fn area(area: u8, direction: Direction) -> &'static str {
    match (area, direction) {
        (0x1C, _) => "counters",
        (0x1D, _) => "timers",
        (0x80, Direction::Read) => "peripheral inputs",
        (0x80, Direction::Write) => "peripheral outputs",
        (0x81, _) => "inputs",
        (0x82, _) => "outputs",
        (0x83, _) => "flags",
        (0x84, _) => "data blocks",
        (0x85, _) => "instance data blocks",
        (0x86 | 0x87, _) => "local data",
        (0x03, _) => "system information",
        (0x05, _) => "system flags",
        (0x06, _) => "analog inputs",
        (0x07, _) => "analog outputs",
        (0x1E, _) => "counters of the 200 family",
        (0x1F, _) => "timers of the 200 family",
        _ => "unknown areas",
    }
}

/// The address of the first element, and that of the last if there are more.
pub(super) fn address(any: &Any, direction: Direction) -> String {
    let count = u32::from(any.count).max(1);
    let letter = match any.area {
        0x1C | 0x1E => return range(any.address, any.address + count - 1, |number| format!("C{number}")),
        0x1D | 0x1F => return range(any.address, any.address + count - 1, |number| format!("T{number}")),
        0x80 if direction == Direction::Read => "PI",
        0x80 => "PQ",
        0x81 => "I",
        0x82 => "Q",
        0x83 => "M",
        0x84 => "DB",
        0x85 => "DI",
        0x86 => "L",
        0x87 => "V",
        _ => return format!("area {:#04X}, bit {}", any.area, any.address),
    };
    let block = if matches!(any.area, 0x84 | 0x85) { format!("{letter}{}.", any.block) } else { String::new() };
    // What is longer than a double word has no letter: each of its bytes is named.
    let (unit, bits) = match Element::of(any.size) {
        Some(Element::Bit) if block.is_empty() => ("", 1),
        Some(Element::Bit) => ("X", 1),
        Some(element) if element.octets() == 2 => ("W", 16),
        Some(element) if element.octets() == 4 => ("D", 32),
        _ => ("B", 8),
    };
    let octets = Element::of(any.size).map_or(1, Element::octets);
    let count = if unit == "B" { count * octets } else { count };
    let text = range(any.address, any.address + (count - 1) * bits, |bit| match bits {
        1 => format!("{letter}{unit}{}.{}", bit / 8, bit % 8),
        _ => format!("{letter}{unit}{}", bit / 8),
    });
    block + &text
}

fn range(first: u32, last: u32, name: impl Fn(u32) -> String) -> String {
    if first == last { name(first) } else { format!("{} to {}", name(first), name(last)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_named_as_people_write_it() {
        let named = |area, block, size, address, count| {
            super::address(&Any { size, count, block, area, address }, Direction::Read)
        };
        assert_eq!(named(0x84, 10, 0x01, 33, 1), "DB10.DBX4.1");
        assert_eq!(named(0x84, 10, 0x02, 0, 16), "DB10.DBB0 to DBB15");
        assert_eq!(named(0x84, 10, 0x08, 0, 2), "DB10.DBD0 to DBD4");
        assert_eq!(named(0x83, 0, 0x01, 8, 1), "M1.0");
        assert_eq!(named(0x80, 0, 0x04, 256 * 8, 1), "PIW256");
        assert_eq!(named(0x1D, 0, 0x1D, 5, 3), "T5 to T7");
        assert_eq!(named(0x84, 1, 0x0F, 0, 1), "DB1.DBB0 to DBB7");
        assert_eq!(named(0x06, 0, 0x04, 16, 1), "area 0x06, bit 16");
    }
}
