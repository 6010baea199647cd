//! The `[accounts]` table of a profile. Apart, because it is read once for a kind of device and settled for each device with
//! what was drawn for it.

use super::{Accept, Account, Accounts, Policy, Secret};
use crate::{
    files::{FilesSettings, Rights, Who},
    identity::Identity,
    settings::{Period, Problem, Problems},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use toml::Spanned;

/// The `[accounts]` table: who may log in to the device, for all of its services.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct AccountsSettings {
    /// Those whom it knows.
    #[schemars(with = "Vec<UserSettings>")]
    pub users: Vec<Spanned<UserSettings>>,
    /// Who is let in.
    pub accept: Accept,
    /// Other answers to that, by the name of the service.
    pub services: BTreeMap<String, ServiceSettings>,
    /// Whether large and small letters differ in names of users.
    pub case_sensitive: bool,
    /// As whom those are let in who are not listed.
    pub guest: GuestSettings,
    /// How long a source keeps the name and secret with which it was let in although they are not listed: meanwhile those
    /// are right for it, and no others.
    pub remember: Period,
    /// After which failures nobody is let in for a while; without it, never.
    pub lockout: Option<LockoutSettings>,
}

impl Default for AccountsSettings {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            accept: Accept::Listed,
            services: BTreeMap::new(),
            case_sensitive: true,
            guest: GuestSettings::default(),
            remember: Period(Duration::from_secs(86_400)),
            lockout: None,
        }
    }
}

/// A user whom the device knows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSettings {
    /// The name. `{name}` is what was drawn for `name`, here and in the secret.
    pub name: String,
    /// The secret; `*` if any will do. Without it, none is asked for.
    #[serde(default)]
    pub secret: Option<String>,
    /// The services that the account is for; all without it.
    #[serde(default)]
    pub services: Vec<String>,
    /// The number; without it, 0 for who may do all, and for others 1000 and up in the order of the list.
    #[serde(default)]
    pub uid: Option<u32>,
    /// The groups, names of `[files] groups` or numbers, the user's own first; without it, the number of the user.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The folder in which they begin.
    #[serde(default = "root")]
    pub home: String,
    /// What they may do at all.
    #[serde(default)]
    pub rights: Rights,
}

/// What a service does otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSettings {
    /// Who is let in.
    pub accept: Option<Accept>,
}

/// As whom those are let in who are not listed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuestSettings {
    /// The number.
    pub uid: u32,
    /// The groups, names of `[files] groups` or numbers, their own first; without it, the number of the user.
    pub groups: Vec<String>,
    /// The folder in which they begin.
    pub home: String,
    /// What they may do at all.
    pub rights: Rights,
}

impl Default for GuestSettings {
    fn default() -> Self {
        Self { uid: 1999, groups: Vec::new(), home: root(), rights: Rights::default() }
    }
}

/// After which failures nobody is let in for a while.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockoutSettings {
    /// After how many.
    #[schemars(range(min = 1))]
    pub after: u32,
    /// Within which time.
    pub within: Period,
    /// For how long.
    #[serde(rename = "for")]
    pub lasts: Period,
    /// Who is locked out.
    #[serde(default)]
    pub by: LockedOut,
}

/// Who is locked out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockedOut {
    /// The name, for everybody.
    #[default]
    User,
    /// The source address, for every name.
    Source,
}

fn root() -> String {
    "/".to_owned()
}

impl AccountsSettings {
    /// The accounts of a device for which `identity` was drawn. All mistakes are told.
    pub fn build(&self, files: &FilesSettings, identity: &Identity, services: &[&str]) -> (Accounts, Problems) {
        let mut problems = Problems::new();
        let mut accounts = Vec::new();
        for (index, user) in self.users.iter().enumerate() {
            let (key, span, user) = (format!("accounts.users[{index}]"), user.span(), user.get_ref());
            let mut drawn = |field: &str, text: &str| {
                identity.expand(text).unwrap_or_else(|name| {
                    let problem = Problem::new(format!("{key}.{field}"), format!("`{name}` is drawn nowhere"));
                    problems.push(problem.at(span.clone()));
                    String::new()
                })
            };
            let (name, secret) =
                (drawn("name", &user.name), user.secret.as_ref().map(|secret| drawn("secret", secret)));
            for service in user.services.iter().filter(|service| !services.contains(&service.as_str())) {
                let problem = Problem::unknown(format!("{key}.services"), "service", service, services.iter().copied());
                problems.push(problem.at(span.clone()));
            }
            let uid = if user.rights == Rights::Admin { 0 } else { 1000_u32.saturating_add(index as u32) };
            let uid = user.uid.unwrap_or(uid);
            let groups = groups(&user.groups, files, &format!("{key}.groups"), &mut problems);
            let account = Arc::new(Account {
                name: name.into(),
                secret: match secret {
                    None => Secret::Unasked,
                    Some(any) if any == "*" => Secret::Any,
                    Some(secret) => Secret::Known(secret.into()),
                },
                who: who(uid, groups, user.rights),
                home: crate::files::resolve("/", &user.home).into(),
            });
            let services: Vec<Box<str>> = user.services.iter().map(|service| service.as_str().into()).collect();
            accounts.push((account, services));
        }
        for service in self.services.keys().filter(|service| !services.contains(&service.as_str())) {
            let key = format!("accounts.services.{service}");
            problems.push(Problem::unknown(key, "service", service, services.iter().copied()));
        }
        let guests = groups(&self.guest.groups, files, "accounts.guest.groups", &mut problems);
        let guest = Account {
            name: Box::default(),
            secret: Secret::Any,
            who: who(self.guest.uid, guests, self.guest.rights),
            home: crate::files::resolve("/", &self.guest.home).into(),
        };
        let services = self.services.iter();
        let policy = Policy {
            accept: self.accept,
            services: services.filter_map(|(name, of)| Some((name.as_str().into(), of.accept?))).collect(),
            case_sensitive: self.case_sensitive,
            remember: self.remember.0,
            lockout: self.lockout,
        };
        (Accounts::new(accounts, guest, policy), problems)
    }
}

fn who(uid: u32, mut groups: Vec<u32>, rights: Rights) -> Who {
    let gid = if groups.is_empty() { uid } else { groups.remove(0) };
    Who { uid, gid, groups, rights }
}

fn groups(names: &[String], files: &FilesSettings, key: &str, problems: &mut Problems) -> Vec<u32> {
    let known = |name: &String| files.groups.get(name).copied().or_else(|| name.parse().ok());
    for name in names.iter().filter(|name| known(name).is_none()) {
        problems.push(Problem::unknown(key, "group", name, files.groups.keys().map(String::as_str)));
    }
    names.iter().filter_map(known).collect()
}
