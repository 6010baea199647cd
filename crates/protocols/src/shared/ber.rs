//! The Basic Encoding Rules, ITU-T X.690 (02/2021), with definite lengths. Apart, because SNMP, MMS and ACSE are all
//! written in them.
//!
//! What is read may be longer than it has to be: lengths and integers with leading octets that say nothing are taken, as
//! agents in the field take them. What is written is as short as it can be.

/// Why octets are no encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An element ends before its length says.
    Short,
    /// X.690 §8.1.3.6, which none of the protocols here uses.
    Indefinite,
    /// X.690 §8.1.3.5: a length of more octets than any message has.
    Length,
    /// X.690 §8.1.2.4: a tag number over 127.
    Tag,
    /// Another element was due.
    Unexpected,
    /// Elements are nested deeper than the protocol ever does.
    Deep,
    /// X.690 §8.3: an integer without octets, or one that is larger than any the protocol has.
    Integer,
    /// X.690 §8.19: an object identifier that is empty, cut off, too long, or has a number of more than 32 bits.
    ObjectIdentifier,
    /// Octets are left where nothing more was due.
    Trailing,
}

impl Fault {
    /// The fault in words, as it is recorded.
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Short => "an element of BER ends before its length says (X.690 8.1.3)",
            Self::Indefinite => "a length of BER is indefinite (X.690 8.1.3.6)",
            Self::Length => "a length of BER is too long (X.690 8.1.3.5)",
            Self::Tag => "a tag of BER is too long (X.690 8.1.2.4)",
            Self::Unexpected => "an element of BER is not the one that is due",
            Self::Deep => "elements of BER are nested too deep",
            Self::Integer => "an integer of BER is empty or too long (X.690 8.3)",
            Self::ObjectIdentifier => "an object identifier of BER is broken (X.690 8.19)",
            Self::Trailing => "octets follow the last element of BER",
        }
    }
}

/// The identifier octets of an element (X.690 §8.1.2): one octet, or two where the number does not fit into it.
pub(crate) type Tag = u16;

/// INTEGER.
pub(crate) const INTEGER: Tag = 0x02;
/// OCTET STRING.
pub(crate) const OCTET_STRING: Tag = 0x04;
/// NULL.
pub(crate) const NULL: Tag = 0x05;
/// OBJECT IDENTIFIER.
pub(crate) const OBJECT_IDENTIFIER: Tag = 0x06;
/// SEQUENCE.
pub(crate) const SEQUENCE: Tag = 0x30;

/// How deep elements may be nested.
const DEEPEST: u8 = 32;

/// Takes elements off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    depth: u8,
}

impl<'a> Reader<'a> {
    /// Starts at the first octet of `input`.
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self { rest: input, depth: 0 }
    }

    /// What has not been taken yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been taken.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Refuses what is left.
    pub(crate) const fn end(&self) -> Result<(), Fault> {
        if self.rest.is_empty() { Ok(()) } else { Err(Fault::Trailing) }
    }

    /// The next element: its tag and its contents.
    pub(crate) fn element(&mut self) -> Result<(Tag, &'a [u8]), Fault> {
        let (tag, rest) = tag(self.rest)?;
        let (length, rest) = length(rest)?;
        let (contents, rest) = rest.split_at_checked(length).ok_or(Fault::Short)?;
        self.rest = rest;
        Ok((tag, contents))
    }

    /// The contents of the next element, which has to have this tag; another one stays where it is.
    pub(crate) fn expect(&mut self, tag: Tag) -> Result<&'a [u8], Fault> {
        let mut ahead = *self;
        let (found, contents) = ahead.element()?;
        if found != tag {
            return Err(Fault::Unexpected);
        }
        *self = ahead;
        Ok(contents)
    }

    /// The elements inside the next one, which has to have this tag.
    pub(crate) fn inside(&mut self, tag: Tag) -> Result<Self, Fault> {
        let rest = self.expect(tag)?;
        self.nested(rest)
    }

    /// The elements in `contents`, which were taken off this reader.
    pub(crate) fn nested(&self, contents: &'a [u8]) -> Result<Self, Fault> {
        let depth = self.depth + 1;
        if depth > DEEPEST { Err(Fault::Deep) } else { Ok(Self { rest: contents, depth }) }
    }

    /// The next element, an INTEGER of at most 64 bits.
    pub(crate) fn integer(&mut self) -> Result<i64, Fault> {
        integer(self.expect(INTEGER)?)
    }
}

fn tag(input: &[u8]) -> Result<(Tag, &[u8]), Fault> {
    match input {
        [first, number, rest @ ..] if first & 0x1F == 0x1F => match number {
            0..=0x7F => Ok((u16::from_be_bytes([*first, *number]), rest)),
            _ => Err(Fault::Tag),
        },
        [first, rest @ ..] if first & 0x1F != 0x1F => Ok((u16::from(*first), rest)),
        _ => Err(Fault::Short),
    }
}

fn length(input: &[u8]) -> Result<(usize, &[u8]), Fault> {
    let (first, rest) = input.split_first().ok_or(Fault::Short)?;
    match first {
        0..=0x7F => Ok((usize::from(*first), rest)),
        0x80 => Err(Fault::Indefinite),
        // Eight octets of length are as many as net-snmp's library takes.
        0x81..=0x88 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7F)).ok_or(Fault::Short)?;
            let length = octets.iter().fold(0_u64, |length, octet| length << 8 | u64::from(*octet));
            let length = usize::try_from(length).ok().filter(|length| *length <= 1 << 31).ok_or(Fault::Length)?;
            Ok((length, rest))
        }
        0x89.. => Err(Fault::Length),
    }
}

/// The INTEGER that `contents` are, which has at most 64 bits.
pub(crate) fn integer(contents: &[u8]) -> Result<i64, Fault> {
    let first = contents.first().filter(|_| contents.len() <= 8).ok_or(Fault::Integer)?;
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    Ok(contents.iter().fold(sign, |value, octet| value << 8 | i64::from(*octet)))
}

/// The non-negative INTEGER that `contents` are, which has at most 64 bits. One that is written as if it were negative is
/// taken for the positive one that its writer meant.
pub(crate) fn unsigned(contents: &[u8]) -> Result<u64, Fault> {
    let digits = match contents {
        [0, digits @ ..] if digits.len() == 8 => digits,
        digits => digits,
    };
    if digits.is_empty() || digits.len() > 8 {
        return Err(Fault::Integer);
    }
    Ok(digits.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)))
}

/// Gives each number of the OBJECT IDENTIFIER that `contents` are to `arc`, which says whether it has place for it.
pub(crate) fn object_identifier(contents: &[u8], mut arc: impl FnMut(u32) -> bool) -> Result<(), Fault> {
    let (mut number, mut within, mut first) = (0_u64, false, true);
    for octet in contents {
        number = number << 7 | u64::from(octet & 0x7F);
        // X.690 §8.19.4: the first two numbers share a subidentifier, which can be 80 more than 32 bits hold.
        if number > u64::from(u32::MAX) + 80 {
            return Err(Fault::ObjectIdentifier);
        }
        within = octet & 0x80 != 0;
        if within {
            continue;
        }
        let mut held = true;
        if std::mem::take(&mut first) {
            let root = (number / 40).min(2);
            held = arc(root as u32);
            number -= root * 40;
        }
        let number = u32::try_from(std::mem::take(&mut number)).map_err(|_| Fault::ObjectIdentifier)?;
        if !held || !arc(number) {
            return Err(Fault::ObjectIdentifier);
        }
    }
    if within || first { Err(Fault::ObjectIdentifier) } else { Ok(()) }
}

/// Appends an element whose contents `body` writes.
pub(crate) fn put(out: &mut Vec<u8>, tag: Tag, body: impl FnOnce(&mut Vec<u8>)) {
    put_tag(out, tag);
    let at = out.len();
    out.push(0);
    body(out);
    let length = out.len() - at - 1;
    if let (Ok(short @ 0..=0x7F), Some(slot)) = (u8::try_from(length), out.get_mut(at)) {
        *slot = short;
        return;
    }
    let octets = length.to_be_bytes();
    let octets = octets.get(length.leading_zeros() as usize / 8..).unwrap_or_default();
    if let Some(slot) = out.get_mut(at) {
        *slot = 0x80 | octets.len() as u8;
    }
    out.splice(at + 1..at + 1, octets.iter().copied());
}

/// Appends an element with these contents.
pub(crate) fn put_octets(out: &mut Vec<u8>, tag: Tag, contents: &[u8]) {
    put(out, tag, |out| out.extend_from_slice(contents));
}

/// Appends an INTEGER, or what is written as one under another tag.
pub(crate) fn put_integer(out: &mut Vec<u8>, tag: Tag, value: i64) {
    let octets = value.to_be_bytes();
    // X.690 §8.3.2: the first nine bits are not all alike.
    let spare = if value < 0 { value.leading_ones() } else { value.leading_zeros() } as usize;
    put_octets(out, tag, octets.get((spare.max(1) - 1) / 8..).unwrap_or(&octets));
}

/// Appends a non-negative INTEGER, or what is written as one under another tag.
pub(crate) fn put_unsigned(out: &mut Vec<u8>, tag: Tag, value: u64) {
    match i64::try_from(value) {
        Ok(value) => put_integer(out, tag, value),
        Err(_) => put(out, tag, |out| {
            out.push(0);
            out.extend(value.to_be_bytes());
        }),
    }
}

/// Appends an OBJECT IDENTIFIER of these numbers; one that has fewer than two gets zeros.
pub(crate) fn put_object_identifier(out: &mut Vec<u8>, arcs: &[u32]) {
    put(out, OBJECT_IDENTIFIER, |out| {
        let root = u64::from(arcs.first().copied().unwrap_or_default()) * 40;
        put_base128(out, root + u64::from(arcs.get(1).copied().unwrap_or_default()));
        arcs.iter().skip(2).for_each(|arc| put_base128(out, u64::from(*arc)));
    });
}

fn put_base128(out: &mut Vec<u8>, number: u64) {
    let groups = (64 - (number | 1).leading_zeros()).div_ceil(7);
    for group in (0..groups).rev() {
        let more = if group > 0 { 0x80 } else { 0 };
        out.push((number >> (7 * group)) as u8 & 0x7F | more);
    }
}

fn put_tag(out: &mut Vec<u8>, tag: Tag) {
    let [first, last] = tag.to_be_bytes();
    if first != 0 {
        out.push(first);
    }
    out.push(last);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        body(&mut out);
        out
    }

    #[test]
    fn integers_come_back_and_are_as_short_as_they_can_be() {
        for (value, octets) in [
            (0, &[2, 1, 0][..]),
            (127, &[2, 1, 127]),
            (128, &[2, 2, 0, 128]),
            (-1, &[2, 1, 255]),
            (-128, &[2, 1, 128]),
            (-129, &[2, 2, 255, 127]),
            (i64::MAX, &[2, 8, 127, 255, 255, 255, 255, 255, 255, 255]),
            (i64::MIN, &[2, 8, 128, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            assert_eq!(written(|out| put_integer(out, INTEGER, value)), octets);
            assert_eq!(Reader::new(octets).integer(), Ok(value));
        }
        for value in [0, 200, u64::MAX] {
            let octets = written(|out| put_unsigned(out, 0x46, value));
            assert_eq!(Reader::new(&octets).expect(0x46).and_then(unsigned), Ok(value));
        }
    }

    #[test]
    fn what_is_longer_than_it_has_to_be_is_taken() {
        assert_eq!(Reader::new(&[2, 0x84, 0, 0, 0, 5, 0, 0, 0, 1, 2]).integer(), Ok(258));
        assert_eq!(unsigned(&[0xFF, 0xFF, 0xFF, 0xFF]), Ok(0xFFFF_FFFF));
        assert_eq!(unsigned(&[0, 0xFF, 0xFF, 0xFF, 0xFF]), Ok(0xFFFF_FFFF));
    }

    #[test]
    fn long_elements_have_long_lengths() {
        for (length, head) in [(127, &[4, 127][..]), (128, &[4, 0x81, 128]), (300, &[4, 0x82, 1, 44])] {
            let out = written(|out| put_octets(out, OCTET_STRING, &vec![7; length]));
            assert_eq!(out[..head.len()], *head);
            assert_eq!(Reader::new(&out).expect(OCTET_STRING).map(<[u8]>::len), Ok(length));
        }
    }

    #[test]
    fn object_identifiers_come_back() {
        for arcs in [&[1, 3, 6, 1, 4, 1, u32::MAX][..], &[0, 0], &[2, 999, 3], &[2, u32::MAX], &[1, 39, 128, 16_384]] {
            let out = written(|out| put_object_identifier(out, arcs));
            let mut back = Vec::new();
            let contents = Reader::new(&out).expect(OBJECT_IDENTIFIER).unwrap();
            object_identifier(contents, |arc| (back.push(arc), true).1).unwrap();
            assert_eq!(back, arcs);
        }
        let net_snmp = written(|out| put_object_identifier(out, &[1, 3, 6, 1, 4, 1, 8072]));
        assert_eq!(net_snmp, [6, 7, 0x2B, 6, 1, 4, 1, 0xBF, 8]);
    }

    #[test]
    fn tags_over_30_have_two_octets() {
        let out = written(|out| put_octets(out, 0xBF4D, &[1]));
        assert_eq!(out, [0xBF, 0x4D, 1, 1]);
        assert_eq!(Reader::new(&out).element(), Ok((0xBF4D, &[1][..])));
    }

    #[test]
    fn is_refused() {
        let fault = |octets: &[u8]| Reader::new(octets).element().unwrap_err();
        assert_eq!([&[][..], &[2], &[2, 3, 1, 1], &[2, 0x82, 1], &[0x1F]].map(fault), [Fault::Short; 5]);
        assert_eq!(fault(&[0x30, 0x80, 0, 0]), Fault::Indefinite);
        assert_eq!(fault(&[2, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]), Fault::Length);
        assert_eq!(fault(&[2, 0x88, 255, 255, 255, 255, 255, 255, 255, 255]), Fault::Length);
        assert_eq!(fault(&[0x1F, 0x81, 1, 0]), Fault::Tag);
        assert_eq!(Reader::new(&[2, 0]).integer(), Err(Fault::Integer));
        assert_eq!(Reader::new(&[2, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1]).integer(), Err(Fault::Integer));
        assert_eq!(Reader::new(&[4, 1, 0]).integer(), Err(Fault::Unexpected));
        for broken in [&[][..], &[0x2B, 0x86], &[0x2B, 0x90, 0x80, 0x80, 0x80, 0x00]] {
            assert_eq!(object_identifier(broken, |_| true), Err(Fault::ObjectIdentifier));
        }
        assert_eq!(object_identifier(&[0x2B, 6], |arc| arc != 6), Err(Fault::ObjectIdentifier));
        assert_eq!(Reader::new(&[0]).end(), Err(Fault::Trailing));
        let deep = [0x30, 0];
        let mut reader = Reader::new(&deep);
        while reader.depth < DEEPEST {
            reader = reader.nested(&deep).unwrap();
        }
        assert_eq!(reader.inside(SEQUENCE).unwrap_err(), Fault::Deep);
    }
}
