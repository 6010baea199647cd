//! What stands in the blocks that a device is made with: MC7 code, interfaces, and lengths of networks. Apart, because it is
//! made up: a decoy's program is not written in MC7, but whoever uploads a block is to find one that can be disassembled.

use honeyplant_core::random::Random;

/// The block ends (BE).
const BLOCK_END: [u8; 2] = [0x65, 0x00];

/// Code of `length` bytes, and the length of each of its networks.
pub(super) fn code(length: u16, random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let room = usize::from(length).saturating_sub(BLOCK_END.len());
    let (mut code, mut networks) = (Vec::with_capacity(length.into()), Vec::new());
    while code.len() < room {
        let at = code.len();
        for _ in 0..=random.below(3) {
            let rung = rung(random);
            if code.len() + rung.len() <= room {
                code.extend_from_slice(&rung);
            }
        }
        if code.len() == at || room - code.len() < 8 {
            code.resize(room, 0); // NOP 0
        }
        networks.push(code.len() - at);
    }
    code.extend_from_slice(&BLOCK_END);
    let numbers = std::iter::once(networks.len()).chain(networks);
    (code, numbers.flat_map(|number| (number as u16).to_le_bytes()).collect())
}

/// A few operations that belong together.
fn rung(random: &mut Random) -> Vec<u8> {
    let mut draw = |most: usize| random.below(most) as u8;
    let (bit, byte, word) = (draw(8), draw(12), 2 * draw(50));
    match draw(5) {
        // U E; UN M; = A
        0 => vec![0xC0 | bit, byte, 0xA0 | draw(8), word, 0xD8 | draw(8), 0x80 | draw(4)],
        // U M; U E; S M; U M; R M
        1 => {
            let (memory, other) = (draw(100), draw(100));
            vec![0x80 | bit, memory, 0xC0 | bit, byte, 0x90 | draw(8), other, 0x80 | draw(8), memory, 0xB0 | bit, other]
        }
        // L EW; T MW
        2 => vec![0x52, 2 * byte, 0x13, word],
        // L MW; L W#16#; +I; T MW
        3 => vec![0x12, word, 0x30, 0x03, draw(4), draw(250), 0x79, 0x00, 0x13, word],
        // O E; O M; = M
        _ => vec![0xC8 | bit, byte, 0x88 | draw(8), word, 0x98 | draw(8), draw(100)],
    }
}

/// What an organization block declares: the twenty bytes of start information (EV_CLASS to DATE_TIME).
pub(super) fn organization_interface() -> Vec<u8> {
    let types = [2, 2, 2, 2, 2, 2, 5, 5, 5, 0x0E];
    interface(1, &types.map(|ty| [ty, 5]).concat())
}

/// What a block without parameters declares.
pub(super) fn empty_interface() -> Vec<u8> {
    interface(1, &[])
}

/// What a data block of `length` bytes declares: one array of bytes.
pub(super) fn data_interface(length: u32) -> Vec<u8> {
    let [low, high, ..] = length.saturating_sub(1).to_le_bytes();
    interface(5, &[0x11, 4, 1, 0x10, 4, 1, 0, 0, low, high, 2, 4])
}

/// The declarations behind their kind and their length, filled up to an even number of octets.
fn interface(kind: u8, declared: &[u8]) -> Vec<u8> {
    let [low, high] = (declared.len() as u16).to_le_bytes();
    let mut octets = vec![kind, u8::from(kind == 5), 0, low, high, 0, 0];
    octets.extend_from_slice(declared);
    octets.resize(octets.len().next_multiple_of(2), 0);
    octets
}

/// The content of a system data block: a few numbers, and much that is not used.
pub(super) fn system_data(length: u16, random: &mut Random) -> Vec<u8> {
    (0..length).map(|_| if random.below(4) == 0 { random.bits() as u8 } else { 0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_its_length_ends_with_be_and_is_divided_into_networks() {
        for length in [2, 4, 36, 38, 500, 5000] {
            let (code, networks) = code(length, &mut Random::seeded(length.into()));
            assert_eq!((code.len(), &code[code.len() - 2..]), (length.into(), &BLOCK_END[..]));
            let numbers: Vec<u16> = networks.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            assert_eq!(usize::from(numbers[0]), numbers.len() - 1);
            assert_eq!(numbers[1..].iter().sum::<u16>() + 2, length);
        }
    }

    #[test]
    fn an_organization_block_declares_what_step_7_has_it_declare() {
        let octets = organization_interface();
        assert_eq!(octets[..9], [1, 0, 0, 0x14, 0, 0, 0, 2, 5]);
        assert_eq!(octets.len(), 28);
    }
}
