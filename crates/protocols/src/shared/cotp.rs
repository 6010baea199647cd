//! The connection-oriented transport protocol, class 0. ISO/IEC 8073:1997 | ITU-T X.224 (11/95) §13. Apart, because S7comm
//! and MMS both stand on it, each with TSAPs of its own kind.

use honeyplant_core::bytes::{Reader, Short, counted_u8};

/// A transport protocol data unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tpdu<'a> {
    /// CR (§13.3).
    ConnectionRequest(Connect<'a>),
    /// CC (§13.4).
    ConnectionConfirm(Connect<'a>),
    /// DR (§13.5).
    DisconnectRequest { destination: u16, source: u16, reason: u8 },
    /// DC (§13.6), which class 0 does not have.
    DisconnectConfirm,
    /// DT (§13.7): a part of a message; `last` tells its end.
    Data { last: bool, data: &'a [u8] },
    /// ER (§13.12).
    Error { destination: u16, cause: u8 },
    /// Any other.
    Unknown(u8),
}

/// What CR and CC have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Connect<'a> {
    pub(crate) destination: u16,
    pub(crate) source: u16,
    /// The class in the upper four bits, options in the lower four.
    pub(crate) class: u8,
    /// The TPDU size, as the exponent of 2 (parameter C0).
    pub(crate) size: Option<u8>,
    /// The TSAP of the calling side (C1) and of the called one (C2).
    pub(crate) calling: Option<&'a [u8]>,
    pub(crate) called: Option<&'a [u8]>,
    /// Whether class 0 is among the alternatives (C7).
    pub(crate) class_0_will_do: bool,
}

/// Octets before the data of a DT.
pub(crate) const DATA_HEADER: usize = 3;

/// Reasons of a DR (§13.5.3).
pub(crate) mod reason {
    pub(crate) const UNKNOWN_ADDRESS: u8 = 3;
    pub(crate) const CLASS_NOT_SUPPORTED: u8 = 0x82;
}

/// Causes of an ER (§13.12.3).
pub(crate) mod cause {
    pub(crate) const NOT_SPECIFIED: u8 = 0;
    pub(crate) const INVALID_CODE: u8 = 1;
    pub(crate) const INVALID_TYPE: u8 = 2;
    pub(crate) const INVALID_VALUE: u8 = 3;
}

/// Why a TPDU is none, and the cause that an ER gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) why: &'static str,
    pub(crate) cause: u8,
}

const SHORT: Broken = Broken { why: "the TPDU ends before its header does", cause: cause::NOT_SPECIFIED };

impl From<Short> for Broken {
    fn from(Short: Short) -> Self {
        SHORT
    }
}

impl<'a> Tpdu<'a> {
    /// Reads a whole TPDU.
    pub(crate) fn parse(tpdu: &'a [u8]) -> Result<Self, Broken> {
        let mut r = Reader::new(tpdu);
        // §13.2.1: 255 is reserved. The length does not count itself.
        let indicator = r.u8()?;
        let mut header = Reader::new(r.take(indicator.into())?);
        let data = r.rest();
        let code = header.u8()?;
        Ok(match code {
            // The low bits are the credit, which is 0 in class 0.
            0xE0..=0xEF => Self::ConnectionRequest(Connect::parse(&mut header)?),
            0xD0..=0xDF => Self::ConnectionConfirm(Connect::parse(&mut header)?),
            0x80 => {
                Self::DisconnectRequest { destination: header.be16()?, source: header.be16()?, reason: header.u8()? }
            }
            0xC0 => Self::DisconnectConfirm,
            // §13.7.2: in class 0 the second octet is the number, always 0, and EOT.
            0xF0 => Self::Data { last: header.u8()? & 0x80 != 0, data },
            0x70 => Self::Error { destination: header.be16()?, cause: header.u8()? },
            _ => Self::Unknown(code),
        })
    }
}

impl<'a> Connect<'a> {
    fn parse(header: &mut Reader<'a>) -> Result<Self, Broken> {
        let (destination, source, class) = (header.be16()?, header.be16()?, header.u8()?);
        let mut connect = Self { destination, source, class, ..Self::default() };
        while header.left() > 0 {
            let (code, length) = (header.u8()?, header.u8()?);
            let value = header.take(length.into())?;
            match code {
                0xC0 => {
                    let [exponent] = value else {
                        return Err(Broken { why: "the TPDU size has not one octet", cause: cause::INVALID_VALUE });
                    };
                    connect.size = Some(*exponent);
                }
                0xC1 => connect.calling = Some(value),
                0xC2 => connect.called = Some(value),
                0xC7 => connect.class_0_will_do = value.iter().any(|class| class >> 4 == 0),
                // §13.2.3: what is not known in a CR is passed over.
                _ => {}
            }
        }
        Ok(connect)
    }

    /// Appends a CC. The parameters stand in the order of their codes.
    pub(crate) fn put_confirm(&self, out: &mut Vec<u8>) {
        counted_u8(out, |out| {
            out.push(0xD0);
            out.extend_from_slice(&self.destination.to_be_bytes());
            out.extend_from_slice(&self.source.to_be_bytes());
            out.push(self.class);
            if let Some(size) = self.size {
                out.extend_from_slice(&[0xC0, 1, size]);
            }
            for (code, tsap) in [(0xC1, self.calling), (0xC2, self.called)] {
                if let Some(tsap) = tsap {
                    out.push(code);
                    counted_u8(out, |out| out.extend_from_slice(tsap));
                }
            }
        });
    }
}

/// Appends a DR.
pub(crate) fn put_disconnect(out: &mut Vec<u8>, destination: u16, source: u16, reason: u8) {
    out.extend_from_slice(&[6, 0x80]);
    out.extend_from_slice(&destination.to_be_bytes());
    out.extend_from_slice(&source.to_be_bytes());
    out.push(reason);
}

/// Appends an ER about the TPDU `rejected`, of which it returns the beginning (§13.12.4).
pub(crate) fn put_error(out: &mut Vec<u8>, destination: u16, cause: u8, rejected: &[u8]) {
    const SHOWN: usize = 32;
    counted_u8(out, |out| {
        out.push(0x70);
        out.extend_from_slice(&destination.to_be_bytes());
        out.push(cause);
        out.push(0xC1);
        counted_u8(out, |out| out.extend(rejected.iter().take(SHOWN)));
    });
}

/// Appends the header of a DT.
pub(crate) fn put_data_header(out: &mut Vec<u8>, last: bool) {
    out.extend_from_slice(&[2, 0xF0, if last { 0x80 } else { 0 }]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_request_is_read_and_confirmed() {
        let request = [0x11, 0xE0, 0, 0, 0, 1, 0, 0xC1, 2, 1, 0, 0xC2, 2, 1, 2, 0xC0, 1, 0x0A];
        let Ok(Tpdu::ConnectionRequest(connect)) = Tpdu::parse(&request) else { panic!() };
        assert_eq!((connect.source, connect.size, connect.called), (1, Some(10), Some(&[1, 2][..])));
        let mut out = Vec::new();
        Connect { destination: 1, source: 0x0302, ..connect }.put_confirm(&mut out);
        assert_eq!(out, [0x11, 0xD0, 0, 1, 3, 2, 0, 0xC0, 1, 0x0A, 0xC1, 2, 1, 0, 0xC2, 2, 1, 2]);
    }

    #[test]
    fn what_is_no_tpdu_is_told() {
        assert_eq!(Tpdu::parse(&[]), Err(SHORT));
        assert_eq!(Tpdu::parse(&[9, 0xF0, 0x80]), Err(SHORT));
        assert_eq!(Tpdu::parse(&[0, 1, 2]), Err(SHORT));
        assert_eq!(Tpdu::parse(&[2, 0xF0, 0]), Ok(Tpdu::Data { last: false, data: &[] }));
        assert_eq!(Tpdu::parse(&[1, 0x60]), Ok(Tpdu::Unknown(0x60)));
        let twice = [0x09, 0xE0, 0, 0, 0, 1, 0, 0xC0, 2, 1];
        assert!(Tpdu::parse(&twice).is_err());
    }
}
