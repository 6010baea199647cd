//! Keys and digests of users, RFC 3414 §2.6, §6, §7 and appendix A, with the hashes of RFC 7860. Apart, because ciphers and
//! messages know keys only.

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// How messages are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Calls a generic function with the hash of an [`Authentication`].
macro_rules! with_hash {
    ($authentication:expr, $function:ident($($argument:expr),*)) => {
        match $authentication {
            Authentication::Md5 => $function::<Md5>($($argument),*),
            Authentication::Sha1 => $function::<Sha1>($($argument),*),
            Authentication::Sha224 => $function::<Sha224>($($argument),*),
            Authentication::Sha256 => $function::<Sha256>($($argument),*),
            Authentication::Sha384 => $function::<Sha384>($($argument),*),
            Authentication::Sha512 => $function::<Sha512>($($argument),*),
        }
    };
}

impl Authentication {
    /// The length of a digest in a message (RFC 3414 §6.3.1 and §7.3.1, RFC 7860 §4).
    pub(super) const fn digest_length(self) -> usize {
        match self {
            Self::Md5 | Self::Sha1 => 12,
            Self::Sha224 => 16,
            Self::Sha256 => 24,
            Self::Sha384 => 32,
            Self::Sha512 => 48,
        }
    }

    /// The key of a password at the engine `engine`: Kul (RFC 3414 appendix A.2).
    pub(super) fn localized(self, password: &[u8], engine: &[u8]) -> Vec<u8> {
        with_hash!(self, localized(password, engine))
    }

    /// The digest of `message`, in which the place of the digest holds zeros.
    pub(super) fn sign(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        let mut digest = with_hash!(self, mac(key, message));
        digest.truncate(self.digest_length());
        digest
    }

    /// A key of at least `length` octets made of `key`, which is too short: each piece is the hash of all before
    /// (draft-blumenthal-aes-usm-04 §3.1.2.1).
    pub(super) fn hashed_on(self, mut key: Vec<u8>, length: usize) -> Vec<u8> {
        while key.len() < length {
            let more = with_hash!(self, hash(&key));
            key.extend(more);
        }
        key
    }

    /// The same, each piece being the key whose password is the piece before (draft-reeder-snmpv3-usm-3desede-00 §2.1).
    pub(super) fn localized_on(self, mut key: Vec<u8>, length: usize, engine: &[u8]) -> Vec<u8> {
        let mut piece = key.clone();
        while key.len() < length {
            piece = self.localized(&piece, engine);
            key.extend_from_slice(&piece);
        }
        key
    }
}

fn hash<H: Digest>(octets: &[u8]) -> Vec<u8> {
    H::digest(octets).to_vec()
}

fn localized<H: Digest>(password: &[u8], engine: &[u8]) -> Vec<u8> {
    // The password repeated to 1 MiB; chunks that begin where the password does are hashed without another copy.
    const LENGTH: usize = 1 << 20;
    let mut hasher = H::new();
    if !password.is_empty() {
        let chunk = password.repeat(4096_usize.div_ceil(password.len()));
        let mut left = LENGTH;
        while left > 0 {
            let part = chunk.get(..left.min(chunk.len())).unwrap_or_default();
            hasher.update(part);
            left -= part.len();
        }
    }
    let key = hasher.finalize();
    let mut hasher = H::new();
    hasher.update(&key);
    hasher.update(engine);
    hasher.update(&key);
    hasher.finalize().to_vec()
}

fn mac<H: EagerHash>(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length (RFC 2104 §3).
    let mac = Hmac::<H>::new_from_slice(key).ok();
    mac.map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn passwords_are_localized_as_rfc_3414_appendix_a_3_has_it() {
        let engine = hex("000000000000000000000002");
        for (authentication, key) in [
            (Authentication::Md5, "526f5eed9fcce26f8964c2930787d82b"),
            (Authentication::Sha1, "6695febc9288e36282235fc7151f128497b38f3f"),
        ] {
            assert_eq!(authentication.localized(b"maplesyrup", &engine), hex(key));
        }
    }

    #[test]
    fn digests_are_those_of_rfc_2202_and_4231_cut() {
        let (jefe, what) = (b"Jefe", b"what do ya want for nothing?");
        for (authentication, digest) in [
            (Authentication::Md5, "750c783e6ab0b503eaa86e31"),
            (Authentication::Sha1, "effcdf6ae5eb2fa2d27416d5"),
            (Authentication::Sha224, "a30e01098bc6dbbf45690f3a7e9e6d0f"),
            (Authentication::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d273983"),
            (Authentication::Sha384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"),
            (
                Authentication::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd",
            ),
        ] {
            assert_eq!(authentication.sign(jefe, what), hex(digest));
        }
    }

    #[test]
    fn short_keys_are_made_longer_in_two_ways() {
        // Reeder's draft, §B.1 and §B.2, has these for 3DES, whose key and salt have 32 octets.
        let engine = hex("000000000000000000000002");
        let key = |authentication: Authentication| {
            authentication.localized_on(authentication.localized(b"maplesyrup", &engine), 32, &engine)
        };
        assert_eq!(key(Authentication::Md5), hex("526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12"));
        assert_eq!(
            key(Authentication::Sha1)[..32],
            hex("6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c")
        );
        let hashed = Authentication::Md5.hashed_on(vec![7; 16], 32);
        assert_eq!(hashed[16..], Md5::digest([7; 16])[..]);
    }
}
