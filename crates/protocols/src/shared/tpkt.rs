//! TPKT: packets over TCP for ISO transport. RFC 1006 §6, RFC 2126 §4.3. Apart, because S7comm and MMS are both
//! carried by it.

use honeyplant_core::bytes::Reader;

/// Octets of the header: version, reserved, length.
pub(crate) const HEADER: usize = 4;

/// The shortest packet: a header and the shortest TPDU (RFC 1006 §6).
const SHORTEST: usize = 7;

/// Which rule of RFC 1006 §6 a header breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Version,
    Short,
    Long,
}

impl Broken {
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Version => "this is no TPKT: the version is not 3",
            Self::Short => "the TPKT is shorter than 7 octets",
            Self::Long => "the TPKT is longer than what was agreed on",
        }
    }
}

/// Finds the first packet of `input`, which has at most `longest` octets with its header: its TPDU, and its whole
/// length. `None`: not all of it is here.
pub(crate) fn packet(input: &[u8], longest: usize) -> Option<Result<(&[u8], usize), Broken>> {
    let mut r = Reader::new(input);
    match r.u8() {
        Ok(3) => {}
        Ok(_) => return Some(Err(Broken::Version)),
        Err(_) => return None,
    }
    let (Ok(_reserved), Ok(length)) = (r.u8(), r.be16()) else { return None };
    let length = usize::from(length);
    match length {
        ..SHORTEST => Some(Err(Broken::Short)),
        _ if length > longest => Some(Err(Broken::Long)),
        _ => r.take(length - HEADER).ok().map(|tpdu| Ok((tpdu, length))),
    }
}

/// Appends a packet whose TPDU is what `tpdu` writes, which is shorter than 64 KiB.
pub(crate) fn put(out: &mut Vec<u8>, tpdu: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[3, 0, 0, 0]);
    tpdu(out);
    let length = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
    if let Some(slot) = out.get_mut(start + 2..start + HEADER) {
        slot.copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_three_answers() {
        assert_eq!(packet(&[], 100), None);
        assert_eq!(packet(&[3, 0, 0], 100), None);
        assert_eq!(packet(&[3, 0, 0, 7, 2, 0xF0], 100), None);
        assert_eq!(packet(&[3, 9, 0, 7, 2, 0xF0, 0x80, 3], 100), Some(Ok((&[2, 0xF0, 0x80][..], 7))));
        assert_eq!(packet(b"GET ", 100), Some(Err(Broken::Version)));
        assert_eq!(packet(&[3, 0, 0, 6], 100), Some(Err(Broken::Short)));
        assert_eq!(packet(&[3, 0, 0, 101], 100), Some(Err(Broken::Long)));
    }

    #[test]
    fn a_packet_that_is_put_is_found() {
        let mut out = vec![9];
        put(&mut out, |out| out.extend_from_slice(&[2, 0xF0, 0x80, 1, 2]));
        assert_eq!(packet(&out[1..], 100), Some(Ok((&[2, 0xF0, 0x80, 1, 2][..], 9))));
    }
}
