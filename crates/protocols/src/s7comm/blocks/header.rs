//! A block as it is carried: header, MC7 code or data, interface, networks, footer. Apart, because it stands for itself, on
//! the wire and on the memory card alike. There is no public standard: the fields are those that Wireshark's S7comm
//! dissector names, held against blocks that STEP 7 and TIA Portal downloaded to S7-300 CPUs.

use super::{name::Name, stamp::Stamp};
use honeyplant_core::{
    bytes::{Reader, Short},
    event::BlockHeader,
};

/// What a block begins with.
const SIGNATURE: [u8; 2] = *b"pp";

/// Octets of a header and of a footer.
pub(super) const HEADER: usize = 36;
pub(super) const FOOTER: usize = 36;

/// What stands before the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: u8,
    /// Bit 0: it is linked into the program. Bit 3: its data are not retained.
    pub(super) attribute: u8,
    pub(super) language: u8,
    /// What kind of block it is, as [`super::name::Type`] has it.
    pub(super) kind: u8,
    pub(super) number: u16,
    /// Bytes of the whole.
    pub(super) load: u32,
    /// 3 if the source is hidden (know-how protection).
    pub(super) security: u32,
    pub(super) code_changed: Stamp,
    pub(super) interface_changed: Stamp,
    /// Bytes of interface, of networks, of local data, and of the body.
    pub(super) interface: u16,
    pub(super) networks: u16,
    pub(super) local: u16,
    pub(super) body: u16,
}

/// What stands at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) author: [u8; 8],
    pub(super) family: [u8; 8],
    pub(super) title: [u8; 8],
    /// Major and minor in one octet.
    pub(super) version: u8,
    pub(super) reserved: u8,
    pub(super) checksum: u16,
    pub(super) reserves: [u8; 8],
}

/// A whole block that holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    pub(super) header: Header,
    pub(super) body: &'a [u8],
    pub(super) interface: &'a [u8],
    pub(super) networks: &'a [u8],
    pub(super) footer: Footer,
}

impl Header {
    pub(super) fn parse(octets: &[u8]) -> Result<Self, &'static str> {
        Self::read(octets).unwrap_or(Err("the block ends before its header does"))
    }

    fn read(octets: &[u8]) -> Result<Result<Self, &'static str>, Short> {
        let mut r = Reader::new(octets);
        if r.array()? != SIGNATURE {
            return Ok(Err("the block does not begin with `pp`"));
        }
        Ok(Ok(Self {
            version: r.u8()?,
            attribute: r.u8()?,
            language: r.u8()?,
            kind: r.u8()?,
            number: r.be16()?,
            load: r.array().map(u32::from_be_bytes)?,
            security: r.array().map(u32::from_be_bytes)?,
            code_changed: Stamp::read(&mut r)?,
            interface_changed: Stamp::read(&mut r)?,
            interface: r.be16()?,
            networks: r.be16()?,
            local: r.be16()?,
            body: r.be16()?,
        }))
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&SIGNATURE);
        out.extend_from_slice(&[self.version, self.attribute, self.language, self.kind]);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.load.to_be_bytes());
        out.extend_from_slice(&self.security.to_be_bytes());
        self.code_changed.put(out);
        self.interface_changed.put(out);
        for length in [self.interface, self.networks, self.local, self.body] {
            out.extend_from_slice(&length.to_be_bytes());
        }
    }

    /// Which block it says that it is.
    pub(super) fn name(&self) -> Option<Name> {
        Some(Name { ty: super::name::Type::of(self.kind)?, number: self.number })
    }

    /// What it tells of the block, for the record.
    pub(super) fn facts(&self) -> BlockHeader {
        BlockHeader {
            language: language(self.language).into(),
            load_size: self.load,
            body_size: self.body.into(),
            local_size: self.local.into(),
            code_changed: self.code_changed.to_string().into(),
            interface_changed: self.interface_changed.to_string().into(),
            ..BlockHeader::default()
        }
    }
}

impl Footer {
    fn read(octets: &[u8]) -> Result<Self, Short> {
        let mut r = Reader::new(octets);
        Ok(Self {
            author: r.array()?,
            family: r.array()?,
            title: r.array()?,
            version: r.u8()?,
            reserved: r.u8()?,
            checksum: r.be16()?,
            reserves: r.array()?,
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        for text in [&self.author, &self.family, &self.title] {
            out.extend_from_slice(text);
        }
        out.extend_from_slice(&[self.version, self.reserved]);
        out.extend_from_slice(&self.checksum.to_be_bytes());
        out.extend_from_slice(&self.reserves);
    }
}

impl<'a> Block<'a> {
    /// Takes a block apart. The error says what does not hold together.
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, &'static str> {
        let header = Header::parse(octets)?;
        let parts = || {
            let mut r = Reader::new(octets);
            r.take(HEADER)?;
            let (body, interface) = (r.take(header.body.into())?, r.take(header.interface.into())?);
            Ok((body, interface, r.take(header.networks.into())?, Footer::read(r.take(FOOTER)?)?, r.left()))
        };
        match parts() {
            Ok((body, interface, networks, footer, 0)) if header.load as usize == octets.len() => {
                Ok(Self { header, body, interface, networks, footer })
            }
            Ok::<_, Short>(_) => Err("the block is longer than its header says"),
            Err(Short) => Err("the block is shorter than its header says"),
        }
    }

    /// The whole block with lengths and checksum as they are to be.
    pub(super) fn assemble(
        mut header: Header,
        body: &[u8],
        interface: &[u8],
        networks: &[u8],
        mut footer: Footer,
    ) -> Vec<u8> {
        let length = |part: &[u8]| u16::try_from(part.len()).unwrap_or(u16::MAX);
        (header.body, header.interface, header.networks) = (length(body), length(interface), length(networks));
        header.load = (HEADER + body.len() + interface.len() + networks.len() + FOOTER) as u32;
        footer.checksum = checksum(header.kind, body);
        let mut out = Vec::with_capacity(header.load as usize);
        header.put(&mut out);
        for part in [body, interface, networks] {
            out.extend_from_slice(part);
        }
        footer.put(&mut out);
        out
    }

    /// The block with another body of the same length.
    pub(super) fn with_body(&self, body: &[u8]) -> Vec<u8> {
        Self::assemble(self.header, body, self.interface, self.networks, self.footer)
    }

    /// What it tells of itself, for the record.
    pub(super) fn facts(&self) -> BlockHeader {
        let footer = &self.footer;
        BlockHeader {
            author: text(&footer.author),
            family: text(&footer.family),
            title: text(&footer.title),
            version: format!("{}.{}", footer.version >> 4, footer.version & 0xF).into(),
            ..self.header.facts()
        }
    }
}

/// The name of a language, as STEP 7 has it.
pub(super) const fn language(code: u8) -> &'static str {
    match code {
        1 => "AWL",
        2 => "KOP",
        3 => "FUP",
        4 => "SCL",
        5 => "DB",
        6 => "GRAPH",
        7 => "SDB",
        8 => "CPU-DB",
        0x11 => "SDB (after overall reset)",
        0x12 => "SDB (routing)",
        0x1D => "F-DB",
        0x29 => "encrypted",
        _ => "unknown language",
    }
}

/// The checksum over the kind of block, the length of the body, and the body: a CRC of polynomial 0x9003 that begins with 0.
/// Found by trying polynomials on blocks of all kinds that were downloaded to real CPUs; it holds for every one of them.
pub(super) fn checksum(kind: u8, body: &[u8]) -> u16 {
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
    [kind].iter().chain(&length).chain(body).fold(0, |crc: u16, octet| {
        let [high, low] = crc.to_be_bytes();
        STEPS.get(usize::from(high ^ octet)).copied().unwrap_or_default() ^ u16::from(low) << 8
    })
}

/// What eight steps of the CRC make of each octet.
#[expect(clippy::indexing_slicing, reason = "a constant: it would not compile if it went wrong")]
const STEPS: [u16; 256] = {
    let mut steps = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let (mut crc, mut bit) = ((octet as u16) << 8, 0);
        while bit < 8 {
            crc = if crc >> 15 == 1 { crc << 1 ^ 0x9003 } else { crc << 1 };
            bit += 1;
        }
        steps[octet] = crc;
        octet += 1;
    }
    steps
};

/// Eight octets of text, filled up with zeros.
pub(super) fn eight(text: &str) -> [u8; 8] {
    let mut octets = [0; 8];
    let characters = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?'));
    octets.iter_mut().zip(characters).for_each(|(octet, c)| *octet = c);
    octets
}

fn text(octets: &[u8]) -> Box<str> {
    let text: String = octets.iter().take_while(|octet| **octet != 0).map(|octet| char::from(*octet)).collect();
    text.trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An SDB 7 that TIA Portal downloaded to an S7-300.
    const SDB_7: &str = "70700302070b00070000005e80000000051272582dce04ef6d80122c0000000000000016\
        161300001c00008000800000000a04b00040012c0000\
        53544550203720232020202020202020202020202020202000001d983152481400000000";

    fn octets(digits: &str) -> Vec<u8> {
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn a_block_of_a_real_cpu_is_taken_apart_and_put_together_again() {
        let block = octets(SDB_7);
        let parsed = Block::parse(&block).unwrap();
        assert_eq!(parsed.header.name().unwrap().to_string(), "SDB 7");
        assert_eq!((parsed.header.body, parsed.header.load), (22, 94));
        assert_eq!(parsed.with_body(parsed.body), block, "with the very checksum");
        let facts = parsed.facts();
        assert_eq!((&*facts.language, &*facts.author, &*facts.family), ("SDB", "STEP 7 #", ""));
        assert_eq!(&*facts.code_changed, "2016-02-08T23:38:15.000");
    }

    #[test]
    fn the_checksum_is_that_of_step_7() {
        // The body of SFC 0 of a CPU 315-2 PN/DP is a lone BE.
        assert_eq!(checksum(0x0D, &[0x65, 0x00]), 0xC5A0);
        // DB 1 of 400 zero octets.
        let mut data = vec![0; 200 * 2];
        assert_eq!(checksum(0x0A, &data), 0xC0DF);
        data.truncate(2);
        assert_ne!(checksum(0x0A, &data), 0xC0DF);
    }

    #[test]
    fn what_does_not_hold_together_is_told() {
        let block = octets(SDB_7);
        for (broken, why) in [
            (&block[..20], "the block ends before its header does"),
            (&block[..93], "the block is shorter than its header says"),
            (&[&block[..], &[0]].concat(), "the block is longer than its header says"),
            (&block[2..], "the block does not begin with `pp`"),
        ] {
            assert_eq!(Block::parse(broken), Err(why));
        }
    }
}
