//! Encryption of what users ask and hear: DES (RFC 3414 §8), AES-128 (RFC 3826), and AES-192 and AES-256 as the field has
//! them. Apart, because messages know a key and a salt only.

use super::keys::Authentication;
use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use cfb_mode::{Decryptor, Encryptor};
use des::Des;

/// How messages are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Privacy {
    Des,
    Aes128,
    Aes192(Extension),
    Aes256(Extension),
}

/// How the key of a hash that is too short for the cipher is made longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    /// draft-blumenthal-aes-usm-04 §3.1.2.1.
    Blumenthal,
    /// draft-reeder-snmpv3-usm-3desede-00 §2.1, as Cisco's agents and many after them have it.
    Reeder,
}

/// What a message is encrypted with besides the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonce {
    pub(super) boots: u32,
    pub(super) time: u32,
    pub(super) salt: [u8; 8],
}

impl Privacy {
    /// The key of a password at the engine `engine`.
    pub(super) fn localized(self, authentication: Authentication, password: &[u8], engine: &[u8]) -> Vec<u8> {
        let (length, extension) = match self {
            Self::Des | Self::Aes128 => (16, Extension::Blumenthal),
            Self::Aes192(extension) => (24, extension),
            Self::Aes256(extension) => (32, extension),
        };
        let key = authentication.localized(password, engine);
        let mut key = match extension {
            Extension::Blumenthal => authentication.hashed_on(key, length),
            Extension::Reeder => authentication.localized_on(key, length, engine),
        };
        key.truncate(length);
        key
    }

    /// The salt of a message with these 64 bits of chance (RFC 3414 §8.1.1.1, RFC 3826 §3.1.2.1).
    pub(super) const fn salt(self, boots: u32, chance: u64) -> [u8; 8] {
        match self {
            Self::Des => ((boots as u64) << 32 | chance >> 32).to_be_bytes(),
            Self::Aes128 | Self::Aes192(_) | Self::Aes256(_) => chance.to_be_bytes(),
        }
    }

    /// Encrypts `octets` in place; DES makes them longer. None if the key is not one of this cipher.
    pub(super) fn encrypt(self, key: &[u8], nonce: Nonce, octets: &mut Vec<u8>) -> Option<()> {
        let iv = iv(nonce);
        match self {
            Self::Des => {
                let length = octets.len().next_multiple_of(8);
                octets.resize(length, 0);
                let (key, iv) = des(key, nonce)?;
                let cipher = cbc::Encryptor::<Des>::new_from_slices(key, &iv).ok()?;
                cipher.encrypt_padded::<NoPadding>(octets, length).ok()?;
            }
            Self::Aes128 => Encryptor::<Aes128>::new_from_slices(key, &iv).ok()?.encrypt(octets),
            Self::Aes192(_) => Encryptor::<Aes192>::new_from_slices(key, &iv).ok()?.encrypt(octets),
            Self::Aes256(_) => Encryptor::<Aes256>::new_from_slices(key, &iv).ok()?.encrypt(octets),
        }
        Some(())
    }

    /// Decrypts `octets` in place; none if they cannot be what was encrypted.
    pub(super) fn decrypt(self, key: &[u8], nonce: Nonce, octets: &mut [u8]) -> Option<()> {
        let iv = iv(nonce);
        match self {
            Self::Des => {
                let (key, iv) = des(key, nonce)?;
                // What is no multiple of a block was not encrypted with DES (RFC 3414 §8.1.1.3).
                cbc::Decryptor::<Des>::new_from_slices(key, &iv).ok()?.decrypt_padded::<NoPadding>(octets).ok()?;
            }
            Self::Aes128 => Decryptor::<Aes128>::new_from_slices(key, &iv).ok()?.decrypt(octets),
            Self::Aes192(_) => Decryptor::<Aes192>::new_from_slices(key, &iv).ok()?.decrypt(octets),
            Self::Aes256(_) => Decryptor::<Aes256>::new_from_slices(key, &iv).ok()?.decrypt(octets),
        }
        Some(())
    }
}

/// Key and initialization vector of DES: the second half of the key, mixed with the salt (RFC 3414 §8.1.1.1).
fn des(key: &[u8], nonce: Nonce) -> Option<(&[u8], [u8; 8])> {
    let (key, pre_iv) = key.split_at_checked(8)?;
    let pre_iv: [u8; 8] = pre_iv.try_into().ok()?;
    Some((key, (u64::from_be_bytes(pre_iv) ^ u64::from_be_bytes(nonce.salt)).to_be_bytes()))
}

/// The initialization vector of AES (RFC 3826 §3.1.2.1).
fn iv(nonce: Nonce) -> [u8; 16] {
    let engine = u64::from(nonce.boots) << 32 | u64::from(nonce.time);
    (u128::from(engine) << 64 | u128::from(u64::from_be_bytes(nonce.salt))).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: [Privacy; 6] = [
        Privacy::Des,
        Privacy::Aes128,
        Privacy::Aes192(Extension::Blumenthal),
        Privacy::Aes192(Extension::Reeder),
        Privacy::Aes256(Extension::Blumenthal),
        Privacy::Aes256(Extension::Reeder),
    ];

    #[test]
    fn what_was_encrypted_comes_back_and_differs_with_each_salt() {
        for privacy in EVERY {
            let key = privacy.localized(Authentication::Sha1, b"maplesyrup", &[0, 2]);
            let encrypted = |chance| {
                let nonce = Nonce { boots: 1, time: 2, salt: privacy.salt(1, chance) };
                let mut octets = b"a scoped PDU".to_vec();
                privacy.encrypt(&key, nonce, &mut octets).unwrap();
                let mut back = octets.clone();
                privacy.decrypt(&key, nonce, &mut back).unwrap();
                assert!(back.starts_with(b"a scoped PDU"));
                octets
            };
            assert_ne!(encrypted(1 << 40), encrypted(2 << 40), "{privacy:?}");
        }
    }

    #[test]
    fn aes_is_that_of_nist_sp_800_38a_f_3_13() {
        let key: Vec<u8> =
            vec![0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C];
        let nonce = Nonce { boots: 0x0001_0203, time: 0x0405_0607, salt: [8, 9, 10, 11, 12, 13, 14, 15] };
        let mut octets = vec![0x6B, 0xC1, 0xBE, 0xE2, 0x2E, 0x40, 0x9F, 0x96];
        Privacy::Aes128.encrypt(&key, nonce, &mut octets).unwrap();
        assert_eq!(octets, [0x3B, 0x3F, 0xD9, 0x2E, 0xB7, 0x2D, 0xAD, 0x20]);
    }

    #[test]
    fn is_refused() {
        let nonce = Nonce { boots: 1, time: 2, salt: [0; 8] };
        assert_eq!(Privacy::Des.decrypt(&[7; 16], nonce, &mut [0; 12]), None, "no whole blocks");
        assert!(EVERY.iter().all(|privacy| privacy.decrypt(&[7; 5], nonce, &mut [0; 16]).is_none()), "no key");
    }
}
