//! Who may log in to a device. Apart, because every service that asks for a login asks here, and what was tried through one
//! counts for all.

mod memory;
mod settings;

pub use settings::{AccountsSettings, GuestSettings, LockedOut, LockoutSettings, ServiceSettings, UserSettings};

use crate::{
    event::{Kind, Login, Operation},
    files::{Rights, Who},
};
use memory::Memory;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The accounts of one device, and what was tried.
#[derive(Debug, Default)]
pub struct Accounts {
    /// Each with the services that it is for, or none for all.
    listed: Vec<(Arc<Account>, Vec<Box<str>>)>,
    guest: Account,
    policy: Policy,
    memory: Mutex<Memory>,
}

/// Somebody whom a device knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub name: Box<str>,
    /// What shows that somebody is it.
    pub secret: Secret,
    /// Who they are to the files of the device.
    pub who: Who,
    /// The folder in which they begin.
    pub home: Box<str>,
}

/// What shows that somebody is who they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Secret {
    /// This.
    Known(Box<str>),
    /// Whatever they tell when they are asked.
    #[default]
    Any,
    /// The name alone; they are not asked.
    Unasked,
}

impl Secret {
    /// The secret, if there is one.
    pub fn known(&self) -> Option<&str> {
        if let Self::Known(secret) = self { Some(secret) } else { None }
    }
}

/// Who is let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Accept {
    /// Listed users with their secret.
    #[default]
    Listed,
    /// Everybody.
    Any,
    /// Nobody.
    Never,
    /// Listed users, and everybody else at the try after this many failures of a source.
    After(u32),
}

/// How the device takes those who want in.
#[derive(Clone, Debug)]
struct Policy {
    accept: Accept,
    services: BTreeMap<Box<str>, Accept>,
    case_sensitive: bool,
    remember: Duration,
    lockout: Option<LockoutSettings>,
}

/// One try to log in.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The name of the protocol.
    pub service: &'a str,
    /// The actor's address.
    pub source: IpAddr,
    /// The name that was told.
    pub user: &'a str,
    /// The secret that was told.
    pub secret: &'a str,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// They are let in.
    Granted(Arc<Account>),
    /// They are not.
    Refused,
    /// They are not, and will not be for a while, whatever they say.
    LockedOut,
}

impl Attempt<'_> {
    /// The try as it is recorded.
    pub fn record(&self, operation: Operation) -> Kind {
        let told = |text: &str| Some(text.into());
        Kind::Login(operation, Box::new(Login { user: told(self.user), secret: told(self.secret) }))
    }
}

impl Account {
    /// What the account allows at all.
    pub const fn rights(&self) -> Rights {
        self.who.rights
    }
}

impl Default for Account {
    fn default() -> Self {
        let who = Who { uid: 1999, gid: 1999, groups: Vec::new(), rights: Rights::default() };
        Self { name: Box::default(), secret: Secret::Any, who, home: "/".into() }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let remember = Duration::from_secs(86_400);
        Self { accept: Accept::Listed, services: BTreeMap::new(), case_sensitive: true, remember, lockout: None }
    }
}

impl Accounts {
    fn new(listed: Vec<(Arc<Account>, Vec<Box<str>>)>, guest: Account, policy: Policy) -> Self {
        Self { listed, guest, policy, memory: Mutex::default() }
    }

    /// Lets somebody in, or not.
    pub fn login(&self, attempt: &Attempt<'_>, now: Instant) -> Admission {
        let mut memory = self.memory();
        let (name, lockout) = (self.key(attempt.user), self.policy.lockout.as_ref());
        if lockout.is_some_and(|lockout| memory.is_locked(lockout, attempt.source, &name, now)) {
            return Admission::LockedOut;
        }
        if let Some(account) = self.admit(attempt, &name, &mut memory, now) {
            memory.succeeded(attempt.source, &name);
            return Admission::Granted(account);
        }
        memory.failed(lockout, attempt.source, &name, now);
        Admission::Refused
    }

    fn admit(&self, attempt: &Attempt<'_>, name: &str, memory: &mut Memory, now: Instant) -> Option<Arc<Account>> {
        let accept = self.policy.services.get(attempt.service).copied().unwrap_or(self.policy.accept);
        if accept == Accept::Never {
            return None;
        }
        let is_right = |account: &Account| account.secret.known().is_none_or(|secret| secret == attempt.secret);
        // A name may be listed with several secrets.
        if let Some(account) = self.called(attempt.service, name).find(|account| is_right(account)) {
            return Some(account.clone());
        }
        let tries = match accept {
            Accept::Never | Accept::Listed => return None,
            Accept::Any => 0,
            Accept::After(tries) => tries,
        };
        let known = memory.known(attempt.service, attempt.source, now, self.policy.remember);
        let admitted = match known {
            Some((user, secret)) => *user == *name && *secret == *attempt.secret,
            None => memory.failures(attempt.source) >= tries,
        };
        if !admitted {
            return None;
        }
        memory.know(attempt.service, attempt.source, name, attempt.secret, now);
        // Who guesses the name of somebody listed is that one from then on.
        let account = self.called(attempt.service, name).next().map_or(&self.guest, |account| account);
        Some(Arc::new(Account {
            name: attempt.user.into(),
            secret: Secret::Known(attempt.secret.into()),
            ..account.clone()
        }))
    }

    /// The account that is called `user` and may use `service`.
    pub fn find(&self, service: &str, user: &str) -> Option<&Arc<Account>> {
        self.called(service, &self.key(user)).next()
    }

    fn called(&self, service: &str, key: &str) -> impl Iterator<Item = &Arc<Account>> {
        self.of(service).filter(move |account| self.key(&account.name) == key)
    }

    /// Whether `user` is asked for a secret.
    pub fn asks_secret(&self, service: &str, user: &str) -> bool {
        self.find(service, user).is_none_or(|account| account.secret != Secret::Unasked)
    }

    /// The accounts that may use `service`, for protocols in which a secret is proven and not told.
    pub fn of(&self, service: &str) -> impl Iterator<Item = &Arc<Account>> {
        let may = move |services: &[Box<str>]| services.is_empty() || services.iter().any(|known| **known == *service);
        self.listed.iter().filter(move |(_, services)| may(services)).map(|(account, _)| account)
    }

    /// The numbers and names of all who are listed.
    pub(crate) fn users(&self) -> impl Iterator<Item = (u32, Box<str>)> {
        self.listed.iter().map(|(account, _)| (account.who.uid, account.name.clone()))
    }

    fn key(&self, user: &str) -> String {
        if self.policy.case_sensitive { user.to_owned() } else { user.to_lowercase() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
