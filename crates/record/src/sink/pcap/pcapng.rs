//! Blocks of a capture file, written and read back: PCAP Now Generic, draft-ietf-opsawg-pcapng-04. Apart, because it knows
//! nothing of what the packets are.
//!
//! All is little-endian, and times are nanoseconds since 1970.

/// Section Header Block (4.1), Interface Description Block (4.2) and Enhanced Packet Block (4.3).
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// Packets that begin with an IP header; its first four bits tell which.
const LINKTYPE_RAW: u16 = 101;

/// Options: 3.5 for the comment, 4.1 to 4.3 for the others.
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const NAME: u16 = 2;
const DESCRIPTION: u16 = 3;
const RESOLUTION: u16 = 9;
const FLAGS: u16 = 2;
const PACKET_ID: u16 = 5;

/// The longest text of an option that is written.
const LONGEST_TEXT: usize = 4096;
/// No block is longer: a packet of 64 KiB with its comments.
const LONGEST_BLOCK: usize = 1 << 20;

/// One packet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Packet {
    /// The number of its interface in the file.
    pub(super) interface: u32,
    /// Nanoseconds since 1970.
    pub(super) at: u64,
    /// Whether the actor sent it.
    pub(super) inbound: bool,
    /// What is there of it.
    pub(super) octets: Vec<u8>,
    /// How long it was.
    pub(super) length: u32,
    /// Unlike that of any other packet.
    pub(super) id: u64,
    pub(super) comments: Vec<String>,
}

/// Appends the beginning of a file.
pub(super) fn section(out: &mut Vec<u8>, comment: &str, application: &str) {
    block(out, SECTION, |out| {
        out.extend(0x1A2B_3C4D_u32.to_le_bytes());
        out.extend([1, 0, 0, 0]);
        // How long the section is, is not said.
        out.extend(u64::MAX.to_le_bytes());
        option(out, COMMENT, text(comment));
        option(out, APPLICATION, text(application));
        option(out, 0, &[]);
    });
}

/// Appends an interface.
pub(super) fn interface(out: &mut Vec<u8>, name: &str, description: &str) {
    block(out, INTERFACE, |out| {
        out.extend(LINKTYPE_RAW.to_le_bytes());
        out.extend([0; 6]);
        option(out, NAME, text(name));
        option(out, DESCRIPTION, text(description));
        option(out, RESOLUTION, &[9]);
        option(out, 0, &[]);
    });
}

/// Appends a packet.
pub(super) fn packet(out: &mut Vec<u8>, packet: &Packet) {
    let count = u32::try_from(packet.octets.len()).unwrap_or(u32::MAX);
    block(out, PACKET, |out| {
        out.extend(packet.interface.to_le_bytes());
        out.extend(((packet.at >> 32) as u32).to_le_bytes());
        out.extend((packet.at as u32).to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(packet.length.max(count).to_le_bytes());
        out.extend(&packet.octets);
        pad(out, packet.octets.len());
        for comment in &packet.comments {
            option(out, COMMENT, text(comment));
        }
        let direction: u32 = if packet.inbound { 1 } else { 2 };
        option(out, FLAGS, &direction.to_le_bytes());
        option(out, PACKET_ID, &packet.id.to_le_bytes());
        option(out, 0, &[]);
    });
}

fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    body(out);
    let total = u32::try_from(out.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
    out.extend(total);
    if let Some(length) = out.get_mut(start + 4..start + 8) {
        length.copy_from_slice(&total);
    }
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(value);
    pad(out, value.len());
}

fn pad(out: &mut Vec<u8>, length: usize) {
    out.extend(std::iter::repeat_n(0, length.next_multiple_of(4) - length));
}

fn text(text: &str) -> &[u8] {
    text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or(text).as_bytes()
}

/// What a block says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    Section,
    /// The name of an interface.
    Interface(String),
    Packet(Packet),
    /// A block that is not written here.
    Other,
}

/// Takes the first block off `bytes`; none if it is not whole, or no block.
pub(super) fn read(bytes: &mut &[u8]) -> Option<Block> {
    let kind = number(bytes, 0)?;
    let length = number(bytes, 4)? as usize;
    if !(12..=LONGEST_BLOCK).contains(&length) || !length.is_multiple_of(4) {
        return None;
    }
    let block = bytes.get(..length)?;
    if number(block, length - 4)? as usize != length {
        return None;
    }
    let body = block.get(8..length - 4)?;
    let said = match kind {
        SECTION => Block::Section,
        INTERFACE => {
            let mut name = String::new();
            options(body.get(8..)?, |code, value| {
                if code == NAME {
                    name = String::from_utf8_lossy(value).into_owned();
                }
            })?;
            Block::Interface(name)
        }
        PACKET => Block::Packet(read_packet(body)?),
        _ => Block::Other,
    };
    *bytes = bytes.get(length..)?;
    Some(said)
}

fn read_packet(body: &[u8]) -> Option<Packet> {
    let count = number(body, 12)? as usize;
    let mut packet = Packet {
        interface: number(body, 0)?,
        at: u64::from(number(body, 4)?) << 32 | u64::from(number(body, 8)?),
        octets: body.get(20..20 + count)?.to_vec(),
        length: number(body, 16)?,
        ..Packet::default()
    };
    options(body.get(20 + count.next_multiple_of(4)..)?, |code, value| match code {
        COMMENT => packet.comments.push(String::from_utf8_lossy(value).into_owned()),
        FLAGS => packet.inbound = value.first().is_some_and(|flags| flags & 3 == 1),
        PACKET_ID => packet.id = value.try_into().map(u64::from_le_bytes).unwrap_or_default(),
        _ => {}
    })?;
    Some(packet)
}

fn options(mut bytes: &[u8], mut each: impl FnMut(u16, &[u8])) -> Option<()> {
    while let Some([a, b, c, d]) = bytes.first_chunk() {
        let (code, length) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
        if code == 0 {
            break;
        }
        each(code, bytes.get(4..4 + length)?);
        bytes = bytes.get(4 + length.next_multiple_of(4)..)?;
    }
    Some(())
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_le_bytes(*four))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_is_torn_is_not() {
        let mut file = Vec::new();
        section(&mut file, "ours", "honeyplant");
        interface(&mut file, "plc", "");
        let written = Packet {
            interface: 0,
            at: 1_795_319_160_000_007_001,
            inbound: true,
            octets: vec![0x45, 1, 2],
            length: 99,
            id: 7 << 16,
            comments: vec!["a".into(), "ü".repeat(5000)],
        };
        packet(&mut file, &written);
        for cut in 0..file.len() {
            let mut rest = file.get(..cut).unwrap();
            let mut count = 0;
            while read(&mut rest).is_some() {
                count += 1;
            }
            assert!(count < 3);
        }
        let mut rest = &file[..];
        assert_eq!(read(&mut rest), Some(Block::Section));
        assert_eq!(read(&mut rest), Some(Block::Interface("plc".into())));
        let Some(Block::Packet(read)) = read(&mut rest) else { panic!() };
        assert_eq!((read.at, read.length, read.id, &*read.octets), (written.at, 99, 7 << 16, &[0x45, 1, 2][..]));
        assert!(read.inbound && read.comments.len() == 2 && read.comments[1].len() == LONGEST_TEXT);
        assert!(rest.is_empty());
    }
}
