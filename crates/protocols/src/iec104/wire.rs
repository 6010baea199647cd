//! APCI: how TCP carries ASDUs. IEC 60870-5-104 Ed. 2 (2006) with Amendment 1 (2016), §5 and §7. Apart from `asdu.rs`,
//! because ASDUs are those of IEC 60870-5-101 whatever carries them.

use honeyplant_core::bytes::Reader;

/// The longest frame: start, length, and 253 octets (§5, figure 5).
pub(super) const LONGEST: usize = 255;
/// The longest ASDU: what the control field leaves of 253 octets.
pub(super) const LONGEST_ASDU: usize = 249;
/// Sequence numbers have 15 bits (§5.1).
pub(super) const MODULUS: u16 = 1 << 15;

const START: u8 = 0x68;

/// A frame, by the three formats of §5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// I format.
    Information { send: u16, receive: u16, asdu: &'a [u8] },
    /// S format.
    Supervisory { receive: u16 },
    /// U format.
    Unnumbered(Function),
    /// A frame whose control field breaks a rule. Where it ends is known all the same.
    Broken(&'static str),
}

/// The functions of the U format, by their first octet (§5.1, figure 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    StartAct = 0x07,
    StartCon = 0x0B,
    StopAct = 0x13,
    StopCon = 0x23,
    TestAct = 0x43,
    TestCon = 0x83,
}

impl Function {
    fn of(octet: u8) -> Option<Self> {
        use Function::{StartAct, StartCon, StopAct, StopCon, TestAct, TestCon};
        let all = [StartAct, StartCon, StopAct, StopCon, TestAct, TestCon];
        all.into_iter().find(|function| *function as u8 == octet)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::StartAct => "start data transfer",
            Self::StartCon => "start data transfer confirmation",
            Self::StopAct => "stop data transfer",
            Self::StopCon => "stop data transfer confirmation",
            Self::TestAct => "test frame",
            Self::TestCon => "test frame confirmation",
        }
    }
}

/// Finds the first frame of `input`, and its length. `None`: not all of it is here. The error says why nothing that
/// follows can be understood.
pub(super) fn frame(input: &[u8]) -> Option<Result<(Frame<'_>, usize), &'static str>> {
    let mut r = Reader::new(input);
    if r.u8().ok()? != START {
        return Some(Err("a frame does not start with 0x68"));
    }
    let length = r.u8().ok()?;
    if !(4..=253).contains(&length) {
        return Some(Err("the length of a frame is not one of 4 to 253"));
    }
    let mut r = Reader::new(r.take(length.into()).ok()?);
    let control: [u8; 4] = r.array().ok()?;
    Some(Ok((Frame::parse(control, r.rest()), 2 + usize::from(length))))
}

impl<'a> Frame<'a> {
    fn parse(control: [u8; 4], asdu: &'a [u8]) -> Self {
        let [a, b, c, d] = control;
        let number = |low: u8, high: u8| u16::from_le_bytes([low, high]) >> 1;
        if c & 1 == 1 {
            return Self::Broken("a reserved bit of the control field is set");
        }
        match a & 3 {
            0 | 2 if asdu.is_empty() => Self::Broken("an I frame has no ASDU"),
            0 | 2 => Self::Information { send: number(a, b), receive: number(c, d), asdu },
            _ if !asdu.is_empty() => Self::Broken("an S or U frame is longer than its control field"),
            1 if a == 1 && b == 0 => Self::Supervisory { receive: number(c, d) },
            1 => Self::Broken("a reserved bit of the control field is set"),
            _ if [b, c, d] != [0; 3] => Self::Broken("octets 2 to 4 of a U frame are not 0"),
            _ => Function::of(a).map_or(Self::Broken("a U frame has not exactly one function"), Self::Unnumbered),
        }
    }
}

/// Appends an I frame with the ASDU that `asdu` writes.
pub(super) fn put_information(out: &mut Vec<u8>, send: u16, receive: u16, asdu: impl FnOnce(&mut Vec<u8>)) {
    out.push(START);
    honeyplant_core::bytes::counted_u8(out, |out| {
        out.extend_from_slice(&(send << 1).to_le_bytes());
        out.extend_from_slice(&(receive << 1).to_le_bytes());
        asdu(out);
    });
}

/// Appends an S frame.
pub(super) fn put_supervisory(out: &mut Vec<u8>, receive: u16) {
    out.extend_from_slice(&[START, 4, 1, 0]);
    out.extend_from_slice(&(receive << 1).to_le_bytes());
}

/// Appends a U frame.
pub(super) fn put_function(out: &mut Vec<u8>, function: Function) {
    out.extend_from_slice(&[START, 4, function as u8, 0, 0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        let told = |input: &'static [u8]| frame(input).unwrap().unwrap();
        let asdu = &[0x64, 1, 6, 0, 1, 0, 0, 0, 0, 20];
        assert_eq!(
            told(&[0x68, 14, 0xFE, 0xFF, 2, 0, 0x64, 1, 6, 0, 1, 0, 0, 0, 0, 20, 0x68]),
            (Frame::Information { send: 0x7FFF, receive: 1, asdu }, 16)
        );
        assert_eq!(told(&[0x68, 4, 1, 0, 6, 1]), (Frame::Supervisory { receive: 131 }, 6));
        assert_eq!(told(&[0x68, 4, 0x43, 0, 0, 0]), (Frame::Unnumbered(Function::TestAct), 6));
    }

    #[test]
    fn writes() {
        let mut out = vec![9];
        put_information(&mut out, 3, 0x7FFF, |out| out.push(7));
        put_supervisory(&mut out, 131);
        put_function(&mut out, Function::StartCon);
        assert_eq!(out[1..], [0x68, 5, 6, 0, 0xFE, 0xFF, 7, 0x68, 4, 1, 0, 6, 1, 0x68, 4, 0x0B, 0, 0, 0]);
    }

    #[test]
    fn is_short() {
        let whole = [0x68, 4, 0x43, 0, 0, 0];
        assert!((0..whole.len()).all(|length| frame(&whole[..length]).is_none()));
    }

    #[test]
    fn is_refused() {
        for (input, why) in [
            (&b"GET"[..], "a frame does not start with 0x68"),
            (&[0x68, 3], "the length of a frame is not one of 4 to 253"),
            (&[0x68, 254], "the length of a frame is not one of 4 to 253"),
        ] {
            assert_eq!(frame(input), Some(Err(why)));
        }
        for (control, why) in [
            ([0x47, 0, 0, 0], "a U frame has not exactly one function"),
            ([0x03, 0, 0, 0], "a U frame has not exactly one function"),
            ([0x43, 0, 0, 1], "octets 2 to 4 of a U frame are not 0"),
            ([0x01, 1, 0, 0], "a reserved bit of the control field is set"),
            ([0x01, 0, 1, 0], "a reserved bit of the control field is set"),
            ([0, 0, 0, 0], "an I frame has no ASDU"),
        ] {
            assert_eq!(Frame::parse(control, &[]), Frame::Broken(why));
        }
        assert_eq!(Frame::parse([1, 0, 0, 0], &[9]), Frame::Broken("an S or U frame is longer than its control field"));
    }
}
