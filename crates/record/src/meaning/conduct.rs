//! What only a session shows: one unit after the other, one password after the other, one write after the other. Apart,
//! because each event of it is harmless beside what they are together.

use crate::{
    attack::{self, Row},
    document::Outcome,
};
use honeyplant_core::{
    event::{Event, Kind, Login},
    settings::Settings,
};
use serde::Deserialize;
use std::{collections::HashSet, sync::LazyLock};

/// How many different units make a sweep.
const UNITS: usize = 8;
/// How many writes are writes again and again.
const WRITES: u64 = 10;
/// How many refused logins are guessing, and how many are a list.
const REFUSED: (u64, u64) = (10, 1000);
/// How many equal messages of a second are a flood.
const EQUAL: u64 = 5000;

/// What was counted in a session so far.
#[derive(Debug, Default)]
pub(super) struct Conduct {
    units: Vec<u16>,
    writes: u64,
    refused: u64,
    /// A bit for each finding that was told.
    told: u16,
}

impl Conduct {
    /// Takes `count` equal events more; what they show that was not told before.
    pub(super) fn take(&mut self, event: &Event, count: u64, outcome: Outcome) -> Vec<&'static Row> {
        let mut found = Vec::new();
        if let Some(unit) = event.kind.operation().and_then(|operation| operation.unit)
            && self.units.len() < UNITS
            && !self.units.contains(&unit)
        {
            self.units.push(unit);
            if self.units.len() == UNITS {
                self.tell(0, &attack::SWEEP, &mut found);
            }
        }
        match &event.kind {
            Kind::Write(..) => {
                self.writes += count;
                if self.writes >= WRITES {
                    self.tell(1, &attack::REPEATED_WRITES, &mut found);
                }
            }
            Kind::Login(_, login) => {
                if outcome == Outcome::Failure {
                    self.refused += count;
                    if self.refused >= REFUSED.0 {
                        self.tell(2, &attack::GUESSING, &mut found);
                    }
                    if self.refused >= REFUSED.1 {
                        self.tell(3, &attack::GUESSING_ON, &mut found);
                    }
                }
                if is_default(login) {
                    match login.user {
                        Some(_) => self.tell(4, &attack::DEFAULT_ACCOUNT, &mut found),
                        None => self.tell(5, &attack::DEFAULT_SECRET, &mut found),
                    }
                }
            }
            _ => {}
        }
        if count >= EQUAL {
            self.tell(6, &attack::FLOOD, &mut found);
        }
        found
    }

    fn tell(&mut self, bit: u8, row: &'static Row, found: &mut Vec<&'static Row>) {
        if self.told & (1 << bit) == 0 {
            self.told |= 1 << bit;
            found.push(row);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pairs {
    pairs: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    #[serde(default)]
    user: Option<String>,
    secret: String,
}

/// Whether a maker delivers devices with it. Names are told in capitals or not as the device takes them.
fn is_default(login: &Login) -> bool {
    static KNOWN: LazyLock<HashSet<(Option<String>, String)>> = LazyLock::new(|| {
        let settings = Settings::parse(include_str!("defaults.toml"));
        let pairs = settings.ok().and_then(|settings| settings.read::<Pairs>().ok());
        let pairs = pairs.map(|pairs| pairs.pairs).unwrap_or_default();
        pairs.into_iter().map(|Pair { user, secret }| (user.map(|user| user.to_lowercase()), secret)).collect()
    });
    let Some(secret) = &login.secret else { return false };
    secret.len() <= 64
        && login.user.as_ref().is_none_or(|user| user.len() <= 64)
        && KNOWN.contains(&(login.user.as_ref().map(|user| user.to_lowercase()), secret.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: Option<&str>, secret: &str) -> Login {
        Login { user: user.map(Into::into), secret: Some(secret.into()) }
    }

    #[test]
    fn what_makers_deliver_is_known() {
        assert!(is_default(&login(None, "public")) && is_default(&login(Some("USER"), "USER")));
        assert!(is_default(&login(Some("Admin"), "admin")) && !is_default(&login(Some("admin"), "Admin")));
        assert!(!is_default(&login(Some("public"), "public")) && !is_default(&login(None, "admin")));
    }
}
