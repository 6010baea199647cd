//! UUIDs that follow from what they name (RFC 9562 §5.5). Apart, because what is shared twice must have the same ones.

use sha1::{Digest, Sha1};
use std::fmt;

/// A UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Uuid(pub(crate) u128);

impl Uuid {
    /// Version 5: that of `name` in the namespace of this one.
    pub(crate) fn of(self, name: &str) -> Self {
        self.hashed(name, 5)
    }

    /// Version 4, for where a standard wants one: its bits are drawn by what `name` hashes to.
    pub(crate) fn drawn(self, name: &str) -> Self {
        self.hashed(name, 4)
    }

    fn hashed(self, name: &str, version: u128) -> Self {
        let digest = Sha1::new().chain_update(self.0.to_be_bytes()).chain_update(name).finalize();
        let bits = digest.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte));
        Self(bits & !(0xF << 76) & !(0b11 << 62) | version << 76 | 0b10 << 62)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        let (low, middle, high) = (bits >> 96, bits >> 80 & 0xFFFF, bits >> 64 & 0xFFFF);
        write!(f, "{low:08x}-{middle:04x}-{high:04x}-{:04x}-{:012x}", bits >> 48 & 0xFFFF, bits & 0xFFFF_FFFF_FFFF)
    }
}

#[cfg(test)]
mod tests {
    use super::Uuid;

    #[test]
    fn a_name_has_the_uuid_of_the_rfc() {
        // RFC 9562 A.4.
        let dns = Uuid(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8);
        assert_eq!(dns.of("www.example.com").to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}
