//! The certificate that a device shows over TLS, as its profile says it. Apart, because all services of a device show the
//! same one, and core makes none: a key needs better chance than ours.

use crate::{
    identity::Identity,
    settings::{Period, Problem, Problems},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// The `[certificate]` table: the certificate that the device shows over TLS, signed by itself. Texts may have `{key}` for
/// what was drawn.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CertificateSettings {
    /// Whom it names.
    #[schemars(with = "String")]
    common_name: Spanned<String>,
    /// Whose it is, as the vendor or the operator of such a device has it.
    #[schemars(with = "Option<String>")]
    organization: Option<Spanned<String>>,
    /// Which part of the organization.
    #[schemars(with = "Option<String>")]
    organizational_unit: Option<Spanned<String>>,
    /// The town.
    #[schemars(with = "Option<String>")]
    locality: Option<Spanned<String>>,
    /// The state or province.
    #[schemars(with = "Option<String>")]
    state: Option<Spanned<String>>,
    /// The country, in two letters.
    #[schemars(with = "Option<String>")]
    country: Option<Spanned<String>>,
    /// The DNS names that it is for, besides the addresses of the device.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    names: Vec<Spanned<String>>,
    /// What its key is.
    #[serde(default)]
    key: KeyKind,
    /// How long it is valid.
    #[serde(default = "ten_years")]
    #[schemars(with = "Period")]
    valid_for: Spanned<Period>,
    /// How long ago it was made at the most, when the device is run for the first time; how long ago is drawn.
    #[serde(default = "two_years")]
    #[schemars(with = "Period")]
    age: Spanned<Period>,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

fn ten_years() -> Spanned<Period> {
    Spanned::new(0..0, Period(3650 * DAY))
}

fn two_years() -> Spanned<Period> {
    Spanned::new(0..0, Period(730 * DAY))
}

/// What the key of a certificate is. There are no RSA keys: the library that signs cannot make them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// ECDSA on the curve P-256.
    #[default]
    EcdsaP256,
    /// ECDSA on the curve P-384.
    EcdsaP384,
}

/// A part of the name of whom a certificate is for (X.520 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `C`
    Country,
    /// `ST`
    State,
    /// `L`
    Locality,
    /// `O`
    Organization,
    /// `OU`
    OrganizationalUnit,
    /// `CN`
    CommonName,
}

/// What the certificate of one device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for, part by part, from the greatest to the smallest.
    pub subject: Vec<(Part, String)>,
    /// The DNS names that it is for.
    pub names: Vec<String>,
    /// What its key is.
    pub key: KeyKind,
    /// How long it is valid.
    pub valid_for: Duration,
    /// How long ago it was made at the most, when it is made.
    pub age: Duration,
}

impl CertificateSettings {
    /// The certificate of the device for which `identity` was drawn, or all that is wrong with it.
    pub fn draw(&self, identity: &Identity) -> Result<Certificate, Problems> {
        /// A text of a name has no more characters (RFC 5280, appendix A, the smallest of its bounds).
        const LONGEST: usize = 64;
        /// What can be written as a date.
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        let mut problems = Problems::new();
        let mut expand = |key: &str, text: &Spanned<String>| {
            let key = format!("certificate.{key}");
            let drawn = identity.expand(text.get_ref()).map_err(|name| {
                Problem::unknown(key.clone(), "drawn value", &name, identity.0.keys().map(String::as_str))
            });
            let drawn = drawn.and_then(|drawn| match drawn.chars().count() {
                1..=LONGEST => Ok(drawn),
                0 => Err(Problem::new(key, "the text is empty")),
                count => Err(Problem::new(key, format!("the text has {count} characters; {LONGEST} are allowed"))),
            });
            drawn.map_err(|problem| problems.push(problem.at(text.span()))).ok()
        };
        let parts = [
            (Part::Country, "country", self.country.as_ref()),
            (Part::State, "state", self.state.as_ref()),
            (Part::Locality, "locality", self.locality.as_ref()),
            (Part::Organization, "organization", self.organization.as_ref()),
            (Part::OrganizationalUnit, "organizational-unit", self.organizational_unit.as_ref()),
            (Part::CommonName, "common-name", Some(&self.common_name)),
        ];
        let mut subject = Vec::new();
        for (part, key, text) in parts {
            subject.extend(text.and_then(|text| Some((part, expand(key, text)?))));
        }
        let names: Vec<_> = self.names.iter().filter_map(|name| Some((name, expand("names", name)?))).collect();
        for (text, name) in &names {
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte)) {
                problems.push(Problem::new("certificate.names", format!("`{name}` is no DNS name")).at(text.span()));
            }
        }
        let country = subject.iter().find(|(part, _)| *part == Part::Country);
        if let (Some((_, drawn)), Some(text)) = (country, &self.country)
            && !(drawn.len() == 2 && drawn.bytes().all(|byte| byte.is_ascii_uppercase()))
        {
            let problem = Problem::new("certificate.country", format!("`{drawn}` is no country"));
            problems.push(problem.at(text.span()).hint("write two letters as ISO 3166 has them, such as FR"));
        }
        for (key, period) in [("valid-for", &self.valid_for), ("age", &self.age)] {
            if period.get_ref().0 > CENTURY {
                problems.push(Problem::new(format!("certificate.{key}"), "that is too long").at(period.span()));
            }
        }
        let names = names.into_iter().map(|(_, name)| name).collect();
        let (valid_for, age) = (self.valid_for.get_ref().0, self.age.get_ref().0);
        if problems.is_empty() {
            Ok(Certificate { subject, names, key: self.key, valid_for, age })
        } else {
            Err(problems)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn draw(text: &str) -> Result<Certificate, Vec<String>> {
        let identity = Identity(BTreeMap::from([("serial".into(), "0815".into())]));
        let settings: CertificateSettings = toml::from_str(text).unwrap();
        settings.draw(&identity).map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn says_what_was_drawn() {
        let drawn = draw("common-name = 'rtu-{serial}'\ncountry = 'FR'\nnames = ['rtu-{serial}.local']").unwrap();
        let subject = [(Part::Country, "FR".to_owned()), (Part::CommonName, "rtu-0815".to_owned())];
        assert_eq!((&*drawn.subject, &*drawn.names), (&subject[..], &["rtu-0815.local".to_owned()][..]));
        assert_eq!((drawn.key, drawn.valid_for), (KeyKind::EcdsaP256, 3650 * DAY));
    }

    #[test]
    fn mistakes_are_told_all_at_once() {
        let told = draw(
            "common-name = '{seral}'\norganization = ''\ncountry = 'France'\nnames = ['a b']\nvalid-for = '99999999d'",
        );
        let expected = [
            "certificate.organization: the text is empty",
            "certificate.common-name: there is no drawn value `seral` (did you mean `serial`?)",
            "certificate.names: `a b` is no DNS name",
            "certificate.country: `France` is no country (write two letters as ISO 3166 has them, such as FR)",
            "certificate.valid-for: that is too long",
        ];
        assert_eq!(told.unwrap_err(), expected);
    }
}
