//! Which TLS a device speaks, as its profile says it. Apart, because all services of a device speak the same, and core
//! speaks none: it only knows what can be had.

use crate::{
    certificate::KeyKind,
    settings::{Problem, Problems},
};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The `[tls]` table: how the device speaks TLS. What is left out is as the library behind it has it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TlsSettings {
    /// The versions: `1.2`, `1.3`.
    #[schemars(with = "Vec<String>")]
    versions: Vec<Spanned<String>>,
    /// The cipher suites by their IANA names, in the order in which the device prefers them.
    #[schemars(with = "Vec<String>")]
    suites: Vec<Spanned<String>>,
    /// The groups of the key exchange by their IANA names, in the order in which the device prefers them.
    #[schemars(with = "Vec<String>")]
    groups: Vec<Spanned<String>>,
    /// Whose order of suites counts.
    prefers: Prefers,
    /// Whether sessions are resumed by tickets.
    tickets: bool,
}

/// Whose order counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Prefers {
    /// What comes first with the peer.
    #[default]
    Client,
    /// What comes first with the device.
    Server,
}

/// The TLS of a device. Where a list is empty, it has all that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The versions, among [`VERSIONS`].
    pub versions: Vec<&'static str>,
    /// The cipher suites, among [`SUITES`].
    pub suites: Vec<&'static str>,
    /// The groups, among [`GROUPS`].
    pub groups: Vec<&'static str>,
    /// Whose order of suites counts.
    pub prefers: Prefers,
    /// Whether sessions are resumed by tickets.
    pub tickets: bool,
}

/// The versions that there are.
pub const VERSIONS: &[&str] = &["1.2", "1.3"];

/// The cipher suites that there are: IANA's name, the version that has it, and the keys that it needs.
pub const SUITES: &[(&str, &str, Keys)] = &[
    ("TLS_AES_256_GCM_SHA384", "1.3", Keys::Any),
    ("TLS_AES_128_GCM_SHA256", "1.3", Keys::Any),
    ("TLS_CHACHA20_POLY1305_SHA256", "1.3", Keys::Any),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "1.2", Keys::Ecdsa),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "1.2", Keys::Ecdsa),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "1.2", Keys::Ecdsa),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "1.2", Keys::Rsa),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "1.2", Keys::Rsa),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "1.2", Keys::Rsa),
];

/// The groups that there are.
pub const GROUPS: &[&str] = &["x25519", "secp256r1", "secp384r1"];

/// Which keys a cipher suite needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Those of any certificate.
    Any,
    /// ECDSA.
    Ecdsa,
    /// RSA.
    Rsa,
}

impl Keys {
    const fn fit(self, key: KeyKind) -> bool {
        match self {
            Self::Any => true,
            Self::Ecdsa => key.rsa_bits().is_none(),
            Self::Rsa => key.rsa_bits().is_some(),
        }
    }
}

impl TlsSettings {
    /// What the table says, for a device whose certificate has a `key`; or all that is wrong with it.
    pub fn resolve(&self, key: KeyKind) -> Result<Tls, Problems> {
        let mut problems = Problems::new();
        let mut known = |key: &str, names: &[Spanned<String>], all: &[&'static str]| -> Vec<&'static str> {
            let find = |name: &Spanned<String>| {
                let found = all.iter().find(|known| *known == name.get_ref()).copied();
                if found.is_none() {
                    let why = format!("`{}` is not supported", name.get_ref());
                    let hint = format!("there is: {}", all.join(", "));
                    problems.push(Problem::new(format!("tls.{key}"), why).at(name.span()).hint(hint));
                }
                found
            };
            names.iter().filter_map(find).collect()
        };
        let versions = known("versions", &self.versions, VERSIONS);
        let suites = known("suites", &self.suites, &SUITES.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        let groups = known("groups", &self.groups, GROUPS);
        if !problems.is_empty() {
            return Err(problems);
        }
        for (name, version, keys) in SUITES {
            let Some(at) = self.suites.iter().find(|suite| suite.get_ref() == name).map(Spanned::span) else {
                continue;
            };
            let why = if !versions.is_empty() && !versions.contains(version) {
                format!("`{name}` is of TLS {version}, which the device is not to speak")
            } else if !keys.fit(key) {
                format!("`{name}` needs another key than the certificate has")
            } else {
                continue;
            };
            let hint = "leave it out, or see to `versions` and to `key` of [certificate]";
            problems.push(Problem::new("tls.suites", why).at(at).hint(hint));
        }
        for version in versions.iter().filter(|_| !suites.is_empty()) {
            let serves = |(name, of, _): &(&str, &str, _)| of == version && suites.contains(name);
            if !SUITES.iter().any(serves) {
                let at = self.versions.iter().find(|name| name.get_ref() == version).map_or(0..0, Spanned::span);
                let of = SUITES.iter().filter(|(_, of, keys)| of == version && keys.fit(key));
                let hint = format!("there is: {}", of.map(|(name, ..)| *name).collect::<Vec<_>>().join(", "));
                let problem = Problem::new("tls.versions", format!("no suite in `suites` is of TLS {version}"));
                problems.push(problem.at(at).hint(hint));
            }
        }
        let Self { prefers, tickets, .. } = *self;
        if problems.is_empty() { Ok(Tls { versions, suites, groups, prefers, tickets }) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str, key: KeyKind) -> Result<Tls, Vec<String>> {
        let settings: TlsSettings = toml::from_str(text).unwrap();
        settings.resolve(key).map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_device_of_its_age() {
        let text = "versions = ['1.2']\nsuites = ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256']\nprefers = 'server'";
        let tls = resolve(text, KeyKind::Rsa2048).unwrap();
        let suites = vec!["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
        assert_eq!(tls, Tls { versions: vec!["1.2"], suites, prefers: Prefers::Server, ..Tls::default() });
    }

    #[test]
    fn what_cannot_be_had_is_told_with_what_can() {
        let told = resolve(
            "versions = ['1.0', '1.2']\nsuites = ['TLS_RSA_WITH_3DES_EDE_CBC_SHA']\ngroups = ['sect283k1']",
            KeyKind::EcdsaP256,
        )
        .unwrap_err();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], "tls.versions: `1.0` is not supported (there is: 1.2, 1.3)");
        assert!(
            told[1].contains("`TLS_RSA_WITH_3DES_EDE_CBC_SHA` is not supported (there is: TLS_AES_256"),
            "{told:?}"
        );
        assert!(told[2].ends_with("`sect283k1` is not supported (there is: x25519, secp256r1, secp384r1)"), "{told:?}");
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        let suites = "suites = ['TLS_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']";
        let told = resolve(&format!("versions = ['1.2']\n{suites}"), KeyKind::Rsa2048).unwrap_err();
        assert!(told[0].contains("`TLS_AES_128_GCM_SHA256` is of TLS 1.3"), "{told:?}");
        assert!(told[1].contains("needs another key"), "{told:?}");
        let told = resolve("versions = ['1.2', '1.3']\nsuites = ['TLS_AES_128_GCM_SHA256']", KeyKind::EcdsaP256);
        assert!(told.unwrap_err()[0].contains("no suite in `suites` is of TLS 1.2"));
    }
}
