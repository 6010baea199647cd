//! An agent made from its settings: all mistakes are told at once. Apart, because nothing of it runs once a device does.

use super::{
    Agent, Community,
    agent::Grant,
    cipher::{self, Extension},
    engine::Engine,
    keys,
    mib::Mib,
    oid::Oid,
    settings::{self, Authentication, Format, Level, Privacy, Rights, Settings, Version},
    throttle::{Delay, Limits, Span, Throttle},
    usm::User,
    v3,
    view::View,
};
use honeyplant_core::{
    bytes::from_hex,
    device::Device,
    settings::{Period, Problem, Problems},
};
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};
use toml::Spanned;

/// The agent that `settings`, which stand at `key`, describe.
pub(super) fn agent(settings: &Settings, key: &str, device: &Device) -> Result<Agent, Problems> {
    let mut desk = Desk { device, problems: Problems::new() };
    let communities = desk.communities(settings, key);
    let users = desk.users(settings, key);
    let id = desk.engine(settings, key);
    let longest = *settings.max_message.get_ref();
    if !(484..=65_507).contains(&longest) {
        desk.problem(format!("{key}.max-message"), &settings.max_message, "this is a number of 484 to 65507");
    }
    let delay = desk.delay(&settings.delay, &format!("{key}.delay"));
    let mib = Mib::build(&settings.mib, &format!("{key}.mib"), device, &mut desk.problems);
    if !desk.problems.is_empty() {
        return Err(desk.problems);
    }
    let settings::Limits { source_minute, source_hour, minute, hour } = settings.limits;
    let has = |version| settings.versions.contains(&version);
    Ok(Agent {
        versions: [has(Version::V1), has(Version::V2c), has(Version::V3)],
        communities,
        users,
        engine: Engine::new(id, usize::try_from(longest).unwrap_or_default()),
        throttle: Throttle::new(Limits { source_minute, source_hour, minute, hour }),
        delay,
        mib,
    })
}

/// What is at hand while settings are read.
struct Desk<'a> {
    device: &'a Device,
    problems: Problems,
}

impl Desk<'_> {
    fn problem<T>(&mut self, key: String, place: &Spanned<T>, message: impl Into<String>) {
        let problem =
            Problem { span: Some(place.span()).filter(|span| !span.is_empty()), ..Problem::new(key, message) };
        self.problems.push(problem);
    }

    fn text(&mut self, text: &Spanned<String>, key: &str) -> String {
        self.device.identity().expand(text.get_ref()).unwrap_or_else(|name| {
            let known = self.device.identity().0.keys().map(String::as_str);
            self.problems.push(Problem::unknown(key, "identity", &name, known).at(text.span()));
            String::new()
        })
    }

    fn grant(&mut self, rights: Rights, view: &[Spanned<String>], key: &str) -> Grant {
        let mut subtrees = Vec::new();
        for (index, subtree) in view.iter().enumerate() {
            match subtree.get_ref().parse::<Oid>() {
                Ok(oid) => subtrees.push(oid),
                Err(why) => self.problem(format!("{key}.view[{index}]"), subtree, why),
            }
        }
        Grant { view: View::new(subtrees), write: rights == Rights::Write }
    }

    fn communities(&mut self, settings: &Settings, key: &str) -> Vec<Community> {
        let spoken = [Version::V1, Version::V2c].iter().any(|version| settings.versions.contains(version));
        if spoken && settings.communities.is_empty() {
            let problem =
                Problem::new(format!("{key}.communities"), "without a community, versions 1 and 2c answer nobody");
            self.problems.push(problem.hint("write `communities = [{ name = \"public\" }]`, or `versions = [\"3\"]`"));
        }
        let mut communities: Vec<Community> = Vec::new();
        for (index, community) in settings.communities.iter().enumerate() {
            let key = format!("{key}.communities[{index}]");
            let name = self.text(&community.name, &format!("{key}.name"));
            if communities.iter().any(|other| *other.name == *name) {
                self.problem(format!("{key}.name"), &community.name, format!("the community `{name}` is there twice"));
            }
            let grant = self.grant(community.rights, &community.view, &key);
            communities.push(Community { name: name.into(), grant });
        }
        communities
    }

    fn users(&mut self, settings: &Settings, key: &str) -> Vec<User> {
        if settings.users.is_empty() && settings.versions.contains(&Version::V3) {
            let problem = Problem::new(format!("{key}.users"), "without a user, version 3 answers nobody");
            self.problems
                .push(problem.hint("write `users = [{ name = \"operator\", auth = \"sha1\", auth-secret = … }]`"));
        }
        let mut users: Vec<User> = Vec::new();
        for (index, user) in settings.users.iter().enumerate() {
            let key = format!("{key}.users[{index}]");
            let made = self.user(user, &key);
            if users.iter().any(|other| other.name == made.name) {
                self.problem(format!("{key}.name"), &user.name, format!("the user `{}` is there twice", made.name));
            }
            users.push(made);
        }
        users
    }

    fn user(&mut self, user: &settings::User, key: &str) -> User {
        let name = self.text(&user.name, &format!("{key}.name"));
        if !(1..=32).contains(&name.len()) {
            self.problem(format!("{key}.name"), &user.name, "the name of a user has 1 to 32 octets");
        }
        let authentication = user.auth.as_ref().and_then(|auth| Some((authentication(*auth.get_ref())?, auth)));
        let authentication = authentication.and_then(|(how, place)| {
            Some((how, self.secret(&user.auth_secret, place, &format!("{key}.auth-secret"))?))
        });
        let privacy = user.privacy.as_ref().and_then(|privacy| Some((cipher(*privacy.get_ref())?, privacy)));
        let privacy = privacy.and_then(|(how, place)| {
            if user.auth.as_ref().is_none_or(|auth| *auth.get_ref() == Authentication::None) {
                self.problem(format!("{key}.priv"), place, "whoever encrypts has to authenticate, too: say `auth`");
            }
            Some((how, self.secret(&user.privacy_secret, place, &format!("{key}.priv-secret"))?))
        });
        let best = match (&authentication, &privacy) {
            (_, Some(_)) => v3::Level::Private,
            (Some(_), None) => v3::Level::Authentic,
            (None, None) => v3::Level::Open,
        };
        let level = user.level.as_ref().map_or(best, |level| {
            let least = match level.get_ref() {
                Level::None => v3::Level::Open,
                Level::Auth => v3::Level::Authentic,
                Level::Priv => v3::Level::Private,
            };
            if least > best {
                self.problem(format!("{key}.level"), level, "the user cannot secure messages as well as that");
            }
            least
        });
        let grant = self.grant(user.rights, &user.view, key);
        User::new(name.into(), authentication, privacy, level, grant)
    }

    fn secret<T>(&mut self, secret: &Option<Spanned<String>>, place: &Spanned<T>, key: &str) -> Option<Box<str>> {
        let Some(secret) = secret else {
            self.problem(key.to_owned(), place, "there is no password for it");
            return None;
        };
        let text = self.text(secret, key);
        // RFC 3414 §11.2, which net-snmp and others insist on.
        if text.len() < 8 {
            self.problem(key.to_owned(), secret, "a password of SNMPv3 has at least 8 characters");
        }
        Some(text.into())
    }

    /// snmpEngineID; empty if there is none.
    fn engine(&mut self, settings: &Settings, key: &str) -> Vec<u8> {
        let Some(engine) = &settings.engine else {
            if settings.versions.contains(&Version::V3) {
                let problem = Problem::new(format!("{key}.engine"), "version 3 needs an engine");
                let hint = "write `engine = { enterprise = 3833, format = \"mac\", value = \"{mac}\" }`";
                self.problems.push(problem.hint(hint));
            }
            return Vec::new();
        };
        let key = format!("{key}.engine");
        let enterprise = *engine.enterprise.get_ref();
        if enterprise > i32::MAX as u32 {
            self.problem(format!("{key}.enterprise"), &engine.enterprise, "this is a number of up to 2147483647");
        }
        let value = self.text(&engine.value, &format!("{key}.value"));
        match engine_id(enterprise, engine.format, &value) {
            Ok(id) => id,
            Err(why) => {
                self.problem(format!("{key}.value"), &engine.value, format!("`{value}` {why}"));
                Vec::new()
            }
        }
    }

    fn delay(&mut self, delay: &settings::Delay, key: &str) -> Delay {
        let mut span = |span: &Option<Spanned<[Period; 2]>>, field: &str| -> Span {
            let Some(place) = span else { return (Duration::ZERO, Duration::ZERO) };
            let [Period(least), Period(most)] = *place.get_ref();
            if least > most {
                self.problem(format!("{key}.{field}"), place, "the first is longer than the second");
            }
            (least, most)
        };
        Delay {
            get: span(&delay.get, "get"),
            get_next: span(&delay.get_next, "get-next"),
            get_bulk: span(&delay.get_bulk, "get-bulk"),
            set: span(&delay.set, "set"),
        }
    }
}

const fn authentication(auth: Authentication) -> Option<keys::Authentication> {
    Some(match auth {
        Authentication::None => return None,
        Authentication::Md5 => keys::Authentication::Md5,
        Authentication::Sha1 => keys::Authentication::Sha1,
        Authentication::Sha224 => keys::Authentication::Sha224,
        Authentication::Sha256 => keys::Authentication::Sha256,
        Authentication::Sha384 => keys::Authentication::Sha384,
        Authentication::Sha512 => keys::Authentication::Sha512,
    })
}

const fn cipher(privacy: Privacy) -> Option<cipher::Privacy> {
    Some(match privacy {
        Privacy::None => return None,
        Privacy::Des => cipher::Privacy::Des,
        Privacy::Aes128 => cipher::Privacy::Aes128,
        Privacy::Aes192 => cipher::Privacy::Aes192(Extension::Blumenthal),
        Privacy::Aes256 => cipher::Privacy::Aes256(Extension::Blumenthal),
        Privacy::Aes192c => cipher::Privacy::Aes192(Extension::Reeder),
        Privacy::Aes256c => cipher::Privacy::Aes256(Extension::Reeder),
    })
}

/// RFC 3411 §5, SnmpEngineID. The error is what is wrong with the value.
fn engine_id(enterprise: u32, format: Format, value: &str) -> Result<Vec<u8>, &'static str> {
    let octets = || from_hex(value, BETWEEN).ok_or("is not written in pairs of hexadecimal digits");
    let (number, octets) = match format {
        Format::Ipv4 => (1, value.parse::<Ipv4Addr>().map_err(|_| "is no IPv4 address")?.octets().to_vec()),
        Format::Ipv6 => (2, value.parse::<Ipv6Addr>().map_err(|_| "is no IPv6 address")?.octets().to_vec()),
        Format::Mac => (3, from_hex(value, BETWEEN).filter(|octets| octets.len() == 6).ok_or("is no MAC address")?),
        Format::Text => (4, value.as_bytes().to_vec()),
        Format::Octets => (5, octets()?),
        Format::Vendor => match octets()?.split_first() {
            Some((format @ 128.., rest)) => (*format, rest.to_vec()),
            _ => return Err("does not begin with a format of 128 to 255 (80 to FF)"),
        },
        Format::Old => {
            let octets = octets()?;
            let long = octets.len() == 8;
            return if long { Ok([&enterprise.to_be_bytes()[..], &octets].concat()) } else { Err("has not 8 octets") };
        }
    };
    if !(1..=27).contains(&octets.len()) {
        return Err("has not 1 to 27 octets");
    }
    Ok([&(enterprise | 1 << 31).to_be_bytes()[..], &[number], &octets].concat())
}

/// What may stand between octets in hexadecimal digits.
const BETWEEN: &[char] = &[':', '-', '.', ' '];

#[cfg(test)]
mod tests {
    use super::*;

    /// The mistakes in a profile, and the text that each one points at.
    fn mistakes(snmp: &str) -> Vec<String> {
        let text = format!("[snmp]\n{snmp}");
        crate::mistakes::mistakes(&super::super::Snmp, &text)
    }

    #[test]
    fn all_mistakes_are_told_at_once_each_with_its_place() {
        let told = mistakes(
            "versions = ['1', '3']\nmax-message = 100\n\
             communities = [{ name = '{nobody}', view = ['1.x'] }, { name = 'a' }, { name = 'a' }]\n\
             users = [{ name = 'u', auth = 'md5', auth-secret = 'short' }, { name = 'v', priv = 'des' }, \
             { name = 'w', level = 'auth' }]\n\
             engine = { enterprise = 4294967295, format = 'mac', value = '00:80' }\n\
             delay = { get = ['2s', '1s'] }\n",
        );
        let expected = [
            "snmp.communities[0].name: there is no identity `nobody` (no identity is defined here) @ '{nobody}'",
            "snmp.communities[0].view[0]: `1.x` is no object identifier; write it as 1.3.6.1.2.1.1.1.0 @ '1.x'",
            "snmp.communities[2].name: the community `a` is there twice @ 'a'",
            "snmp.users[0].auth-secret: a password of SNMPv3 has at least 8 characters @ 'short'",
            "snmp.users[1].priv: whoever encrypts has to authenticate, too: say `auth` @ 'des'",
            "snmp.users[1].priv-secret: there is no password for it @ 'des'",
            "snmp.users[2].level: the user cannot secure messages as well as that @ 'auth'",
            "snmp.engine.enterprise: this is a number of up to 2147483647 @ 4294967295",
            "snmp.engine.value: `00:80` is no MAC address @ '00:80'",
            "snmp.max-message: this is a number of 484 to 65507 @ 100",
            "snmp.delay.get: the first is longer than the second @ ['2s', '1s']",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_missing_is_told_with_what_to_write() {
        let told = mistakes("versions = ['1', '3']");
        let keys: Vec<&str> = told.iter().filter_map(|told| told.split_once(": ")).map(|(key, _)| key).collect();
        assert_eq!(keys, ["snmp.communities", "snmp.users", "snmp.engine"]);
        assert!(told.iter().all(|told| told.contains("write `")), "{told:?}");
    }

    #[test]
    fn engines_are_named_as_rfc_3411_has_it() {
        let id = |format, value| engine_id(3833, format, value).map(|id| hex_of(&id));
        assert_eq!(id(Format::Mac, "00:80:F4:01:02:03").as_deref(), Ok("80000ef9030080f4010203"));
        assert_eq!(id(Format::Ipv4, "192.0.2.1").as_deref(), Ok("80000ef901c0000201"));
        assert_eq!(id(Format::Text, "plc").as_deref(), Ok("80000ef904706c63"));
        assert_eq!(id(Format::Vendor, "80 01 02").as_deref(), Ok("80000ef9800102"));
        assert_eq!(id(Format::Old, "0102030405060708").as_deref(), Ok("00000ef90102030405060708"));
        for (format, value) in [
            (Format::Ipv6, "192.0.2.1"),
            (Format::Octets, "123"),
            (Format::Octets, ""),
            (Format::Text, "more than twenty-seven octets"),
            (Format::Vendor, "01"),
            (Format::Old, "01"),
        ] {
            assert!(id(format, value).is_err(), "{value}");
        }
    }

    fn hex_of(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }
}
