//! Users and what they prove, RFC 3414 §3. Apart, because it decides who speaks before anything that they say is looked
//! at.

use super::{
    agent::Grant,
    cipher::{Nonce, Privacy},
    engine::{Counter, Counters},
    keys::Authentication,
    oid::Oid,
    v3::{Data, Level, Security},
};
use honeyplant_core::random::Random;
use std::sync::OnceLock;

/// A user of one engine.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Box<str>,
    pub(super) authentication: Option<(Authentication, Box<str>)>,
    pub(super) privacy: Option<(Privacy, Box<str>)>,
    /// The least that their messages must be secured to be let in.
    pub(super) level: Level,
    pub(super) grant: Grant,
    /// Made at their first message: each hashes a mebibyte (RFC 3414 appendix A.2).
    keys: OnceLock<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    authentication: Vec<u8>,
    privacy: Vec<u8>,
}

impl User {
    pub(super) fn new(
        name: Box<str>,
        authentication: Option<(Authentication, Box<str>)>,
        privacy: Option<(Privacy, Box<str>)>,
        level: Level,
        grant: Grant,
    ) -> Self {
        Self { name, authentication, privacy, level, grant, keys: OnceLock::new() }
    }

    fn keys(&self, engine: &[u8]) -> &Keys {
        self.keys.get_or_init(|| {
            let Some((authentication, password)) = &self.authentication else {
                return Keys::default();
            };
            let privacy = self.privacy.as_ref();
            Keys {
                authentication: authentication.localized(password.as_bytes(), engine),
                privacy: privacy
                    .map(|(privacy, password)| privacy.localized(*authentication, password.as_bytes(), engine))
                    .unwrap_or_default(),
            }
        })
    }

    /// Whether their messages can be secured so.
    fn knows(&self, level: Level) -> bool {
        match level {
            Level::Open => true,
            Level::Authentic => self.authentication.is_some(),
            Level::Private => self.privacy.is_some(),
        }
    }

    /// Whether `message`, whose digest ends at `end`, is theirs.
    fn signed(&self, engine: &[u8], message: &[u8], end: usize, digest: &[u8]) -> bool {
        let Some((authentication, _)) = &self.authentication else {
            return false;
        };
        let mut blank = message.to_vec();
        let place = end.checked_sub(digest.len()).and_then(|start| blank.get_mut(start..end));
        let Some(place) = place.filter(|place| place.len() == authentication.digest_length()) else {
            return false;
        };
        place.fill(0);
        authentication.sign(&self.keys(engine).authentication, &blank) == digest
    }

    /// Puts the digest of `message` where it ends at `end`.
    pub(super) fn sign(&self, engine: &[u8], message: &mut [u8], end: usize) {
        if let Some((authentication, _)) = &self.authentication {
            let digest = authentication.sign(&self.keys(engine).authentication, message);
            if let Some(place) = end.checked_sub(digest.len()).and_then(|start| message.get_mut(start..end)) {
                place.copy_from_slice(&digest);
            }
        }
    }

    /// The length of the digests in their messages.
    pub(super) fn digest_length(&self) -> usize {
        self.authentication.as_ref().map_or(0, |(authentication, _)| authentication.digest_length())
    }

    /// Encrypts `octets` in place; the salt that it was done with.
    pub(super) fn encrypt(
        &self,
        engine: &[u8],
        (boots, time): (u32, u32),
        random: &mut Random,
        octets: &mut Vec<u8>,
    ) -> Option<[u8; 8]> {
        let (privacy, _) = self.privacy.as_ref()?;
        let nonce = Nonce { boots, time, salt: privacy.salt(boots, random.bits()) };
        privacy.encrypt(&self.keys(engine).privacy, nonce, octets)?;
        Some(nonce.salt)
    }

    fn decrypt(&self, engine: &[u8], security: &Security<'_>, octets: &[u8]) -> Option<Vec<u8>> {
        let (privacy, _) = self.privacy.as_ref()?;
        let nonce = Nonce { boots: security.boots, time: security.time, salt: security.salt.try_into().ok()? };
        let mut octets = octets.to_vec();
        privacy.decrypt(&self.keys(engine).privacy, nonce, &mut octets)?;
        Some(octets)
    }
}

/// Why a message is answered with a Report-PDU. The first six are usmStats, in their order (RFC 3414 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    UnsupportedSecLevels,
    NotInTimeWindows,
    UnknownUserNames,
    UnknownEngineIds,
    WrongDigests,
    DecryptionErrors,
    /// RFC 3412 §5.
    UnknownPduHandlers,
    /// RFC 3413 §4.1.2.
    UnknownContexts,
}

impl Report {
    /// What is counted and told.
    pub(super) const fn counter(self, counters: &Counters) -> &Counter {
        match self {
            Self::UnsupportedSecLevels => &counters.unsupported_sec_levels,
            Self::NotInTimeWindows => &counters.not_in_time_windows,
            Self::UnknownUserNames => &counters.unknown_user_names,
            Self::UnknownEngineIds => &counters.unknown_engine_ids,
            Self::WrongDigests => &counters.wrong_digests,
            Self::DecryptionErrors => &counters.decryption_errors,
            Self::UnknownPduHandlers => &counters.unknown_pdu_handlers,
            Self::UnknownContexts => &counters.unknown_contexts,
        }
    }

    /// The instance of the counter.
    pub(super) fn name(self) -> Oid {
        let object: &[u32] = match self {
            Self::UnknownPduHandlers => &[11, 2, 1, 3, 0],
            Self::UnknownContexts => &[12, 1, 5, 0],
            _ => &[15, 1, 1, self as u32 + 1, 0],
        };
        Oid::new(&[1, 3, 6, 1, 6, 3]).join(object)
    }

    /// The number and the words of it in the record.
    pub(super) const fn told(self) -> (u16, &'static str) {
        match self {
            Self::UnsupportedSecLevels => (1, "unsupported security level"),
            Self::NotInTimeWindows => (2, "not in time window"),
            Self::UnknownUserNames => (3, "unknown user name"),
            Self::UnknownEngineIds => (4, "unknown engine ID"),
            Self::WrongDigests => (5, "wrong digest"),
            Self::DecryptionErrors => (6, "decryption error"),
            Self::UnknownPduHandlers => (3, "unknown PDU handler"),
            Self::UnknownContexts => (5, "unknown context"),
        }
    }
}

/// The engine as a message sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authority<'a> {
    pub(super) id: &'a [u8],
    pub(super) boots: u32,
    pub(super) time: u32,
}

/// How far the time of a message may be off (RFC 3414 §2.2.3).
const WINDOW: u32 = 150;

/// A message on its way through RFC 3414 §3.2.
pub(super) struct Claim<'a> {
    pub(super) level: Level,
    pub(super) security: Security<'a>,
    pub(super) whole: &'a [u8],
    /// Where in the whole the digest ends.
    pub(super) end: usize,
    pub(super) data: Data<'a>,
}

/// A message that is let in.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    pub(super) user: &'a User,
    /// The ScopedPDU, if it was encrypted.
    pub(super) opened: Option<Vec<u8>>,
}

/// A message that is answered with a report.
#[derive(Debug)]
pub(super) struct Refused<'a> {
    pub(super) report: Report,
    /// Whose it is, if it is authentic all the same.
    pub(super) user: Option<&'a User>,
}

impl Claim<'_> {
    /// RFC 3414 §3.2, steps 3 to 8.
    pub(super) fn check<'u>(&self, users: &'u [User], engine: Authority<'_>) -> Result<Admitted<'u>, Refused<'u>> {
        let refused = |report| Refused { report, user: None };
        if self.security.engine != engine.id {
            return Err(refused(Report::UnknownEngineIds));
        }
        let user = users.iter().find(|user| user.name.as_bytes() == self.security.user);
        let user = user.ok_or_else(|| refused(Report::UnknownUserNames))?;
        if !user.knows(self.level) {
            return Err(refused(Report::UnsupportedSecLevels));
        }
        if self.level >= Level::Authentic {
            if !user.signed(engine.id, self.whole, self.end, self.security.digest) {
                return Err(refused(Report::WrongDigests));
            }
            let worn_out = engine.boots == i32::MAX as u32;
            let off = self.security.time.abs_diff(engine.time) > WINDOW;
            if worn_out || self.security.boots != engine.boots || off {
                return Err(Refused { report: Report::NotInTimeWindows, user: Some(user) });
            }
        }
        match (self.level, self.data) {
            (Level::Private, Data::Encrypted(octets)) => {
                let opened = user.decrypt(engine.id, &self.security, octets);
                let failed = Refused { report: Report::DecryptionErrors, user: Some(user) };
                Ok(Admitted { user, opened: Some(opened.ok_or(failed)?) })
            }
            _ => Ok(Admitted { user, opened: None }),
        }
    }
}
