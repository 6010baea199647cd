//! The MBAP header: how TCP carries Modbus. MODBUS Messaging on TCP/IP Implementation Guide V1.0b (MG), MODBUS
//! Application Protocol Specification V1.1b3 (AP). Apart from `wire.rs`, because a serial line carries the same PDUs
//! in another frame.

use honeyplant_core::bytes::{Reader, counted_be16};

/// The longest frame: a header of seven octets and a PDU of 253 (AP §4.1).
pub(super) const LONGEST: usize = 260;

/// MBAP header and PDU (MG §3.1.3). The PDU has at least its function code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Adu<'a> {
    pub(super) transaction: u16,
    pub(super) unit: u8,
    pub(super) pdu: &'a [u8],
}

/// Which rule of MG §3.1.3 a header breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    Protocol,
    Length,
    Both,
}

impl Broken {
    pub(super) const fn why(self) -> &'static str {
        match self {
            Self::Protocol => "the protocol identifier is not 0",
            Self::Length => "the length is not one of 2 to 254",
            Self::Both => "this is no Modbus: the protocol identifier is not 0, nor the length one of 2 to 254",
        }
    }
}

/// Finds the first frame of `input`, and its length. `None`: not all of it is here. A broken frame comes with the
/// length that it claims to have, which can be more than there is.
pub(super) fn frame(input: &[u8]) -> Option<Result<(Adu<'_>, usize), (Broken, usize)>> {
    let mut r = Reader::new(input);
    let (Ok(transaction), Ok(protocol), Ok(length)) = (r.be16(), r.be16(), r.be16()) else {
        return None;
    };
    // The length counts the unit identifier and the PDU. A receiver has read all seven of the header
    // before it knows better.
    let claimed = 6 + usize::from(length).max(1);
    match (protocol, length) {
        (0, 2..=254) => {
            let body = r.take(length.into()).ok()?;
            let (unit, pdu) = body.split_first()?;
            Some(Ok((Adu { transaction, unit: *unit, pdu }, claimed)))
        }
        (0, _) => Some(Err((Broken::Length, claimed))),
        (_, 2..=254) => Some(Err((Broken::Protocol, claimed))),
        _ => Some(Err((Broken::Both, claimed))),
    }
}

/// Appends a frame whose PDU is what `pdu` writes; nothing at all if it writes nothing.
pub(super) fn put(out: &mut Vec<u8>, transaction: u16, unit: u8, pdu: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&transaction.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    let mut written = false;
    counted_be16(out, |out| {
        out.push(unit);
        let before = out.len();
        pdu(out);
        written = out.len() > before;
    });
    if !written {
        out.truncate(start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: [u8; 12] = [0, 1, 0, 0, 0, 6, 17, 3, 0, 107, 0, 3];

    #[test]
    fn reads() {
        let adu = Adu { transaction: 1, unit: 17, pdu: &READ[7..] };
        assert_eq!(frame(&READ), Some(Ok((adu, 12))));
        assert_eq!(frame(&[&READ[..], &[0, 2]].concat()), Some(Ok((adu, 12))), "the next frame is left");
    }

    #[test]
    fn writes() {
        let mut out = vec![9];
        put(&mut out, 1, 17, |out| out.extend_from_slice(&READ[7..]));
        assert_eq!(out[1..], READ);
        put(&mut out, 2, 17, |_| ());
        assert_eq!(out[1..], READ, "no PDU, no frame");
    }

    #[test]
    fn is_short() {
        for length in 0..READ.len() {
            assert_eq!(frame(&READ[..length]), None);
        }
    }

    #[test]
    fn is_refused() {
        for (header, broken) in [
            ([0, 1, 0, 1, 0, 6], (Broken::Protocol, 12)),
            ([0, 1, 0, 0, 0, 0], (Broken::Length, 7)),
            ([0, 1, 0, 0, 0, 1], (Broken::Length, 7)),
            ([0, 1, 0, 0, 0, 255], (Broken::Length, 261)),
            (*b"GET / ", (Broken::Both, 6 + 0x2F20)),
        ] {
            assert_eq!(frame(&header), Some(Err(broken)));
        }
    }
}
