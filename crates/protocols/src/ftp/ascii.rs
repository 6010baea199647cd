//! Text on its way: lines end with CR LF there and with LF in files (RFC 959 §3.1.1.1). Apart, because a file goes in
//! pieces, and a line end may lie across two of them.

/// Text that leaves the device.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outward {
    after_return: bool,
}

impl Outward {
    /// Appends `piece` with each LF as CR LF. One that has its CR already keeps it.
    pub(super) fn convert(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for byte in piece {
            if *byte == b'\n' && !self.after_return {
                out.push(b'\r');
            }
            out.push(*byte);
            self.after_return = *byte == b'\r';
        }
    }
}

/// Text that comes to the device.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inward {
    held: bool,
}

impl Inward {
    /// Appends `piece` with each CR LF as LF. A CR at its end is held until it is known what follows.
    pub(super) fn convert(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for byte in piece {
            if std::mem::take(&mut self.held) && *byte != b'\n' {
                out.push(b'\r');
            }
            self.held = *byte == b'\r';
            if !self.held {
                out.push(*byte);
            }
        }
    }

    /// Appends the CR that was held, now that nothing follows.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.held) {
            out.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_converted_wherever_the_text_is_cut() {
        let (inside, outside) = (b"a\nb\r\rc\n\n".as_slice(), b"a\r\nb\r\rc\r\n\r\n".as_slice());
        for cut in 1..=outside.len() {
            let (mut outward, mut out) = (Outward::default(), Vec::new());
            inside.chunks(cut).for_each(|piece| outward.convert(piece, &mut out));
            assert_eq!(out, outside, "cut every {cut}");
            let (mut inward, mut out) = (Inward::default(), Vec::new());
            outside.chunks(cut).for_each(|piece| inward.convert(piece, &mut out));
            assert_eq!(out, inside, "cut every {cut}");
        }
    }

    #[test]
    fn what_has_its_return_keeps_it_and_a_last_return_is_not_lost() {
        let (mut outward, mut out) = (Outward::default(), Vec::new());
        outward.convert(b"x\r\ny", &mut out);
        assert_eq!(out, b"x\r\ny");
        let (mut inward, mut out) = (Inward::default(), Vec::new());
        inward.convert(b"x\r", &mut out);
        inward.finish(&mut out);
        assert_eq!(out, b"x\r");
    }
}
