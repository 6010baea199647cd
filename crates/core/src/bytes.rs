//! Reading from and appending to byte buffers without panics. Apart, because every `wire.rs` stands on it.

/// The octets that pairs of hexadecimal digits write, with the characters `between` anywhere between them.
pub fn from_hex(text: &str, between: &[char]) -> Option<Vec<u8>> {
    let digits = text.chars().filter(|c| !between.contains(c)).map(|c| c.to_digit(16));
    let digits: Vec<u32> = digits.collect::<Option<_>>()?;
    let octet = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(octet).collect()
}

/// The input ended before the field did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short;

/// Takes fields off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte of `input`.
    pub const fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Short> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(Short)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes, as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let (head, tail) = self.0.split_first_chunk().ok_or(Short)?;
        self.0 = tail;
        Ok(*head)
    }

    /// One octet.
    pub fn u8(&mut self) -> Result<u8, Short> {
        self.array().map(u8::from_be_bytes)
    }

    /// Two octets, most significant first.
    pub fn be16(&mut self) -> Result<u16, Short> {
        self.array().map(u16::from_be_bytes)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// How many bytes are left.
    pub const fn left(&self) -> usize {
        self.0.len()
    }
}

/// Appends what `body` writes, behind its own length as a big-endian u16 (65 535 if it is longer than that).
pub fn counted_be16(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend([0, 0]);
    body(out);
    let length = u16::try_from(out.len() - at - 2).unwrap_or(u16::MAX);
    if let Some(slot) = out.get_mut(at..at + 2) {
        slot.copy_from_slice(&length.to_be_bytes());
    }
}

/// Appends what `body` writes, behind its own length as one octet (255 if it is longer than that).
pub fn counted_u8(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    body(out);
    let length = u8::try_from(out.len() - at - 1).unwrap_or(u8::MAX);
    if let Some(slot) = out.get_mut(at) {
        *slot = length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        let mut r = Reader::new(&[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(r.u8(), Ok(1));
        assert_eq!(r.be16(), Ok(0x0203));
        assert_eq!(r.array(), Ok([4, 5, 6, 7]));
        assert_eq!((r.left(), r.rest()), (1, &[8][..]));
    }

    #[test]
    fn is_short() {
        let mut r = Reader::new(&[1]);
        assert_eq!(r.be16(), Err(Short));
        assert_eq!(r.left(), 1, "a field that is short takes nothing");
    }

    #[test]
    fn writes() {
        let mut out = vec![9];
        counted_be16(&mut out, |out| counted_u8(out, |out| out.extend([7, 7, 7])));
        assert_eq!(out, [9, 0, 4, 3, 7, 7, 7]);
    }
}
