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

/// The `[certificate]` table: the certificate that the device shows over TLS. Texts may have `{key}` for what was drawn.
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
    /// Who certifies it. Without it the certificate is signed by itself.
    issuer: Option<IssuerSettings>,
    /// In which order the parts of names stand; what is not listed comes after, from the greatest to the smallest.
    #[serde(default)]
    order: Vec<Part>,
    /// How the texts of names are written.
    #[serde(default)]
    strings: Strings,
    /// The DNS names that it is for, besides the addresses of the device.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    names: Vec<Spanned<String>>,
    /// Whether it has extensions: what it is for, and its names. Certificates of older devices have none.
    #[serde(default = "yes")]
    extensions: bool,
    /// How many octets its serial number has, from 1 to 20.
    #[serde(default = "eight")]
    #[schemars(with = "u8")]
    serial_octets: Spanned<u8>,
    /// What its key is.
    #[serde(default)]
    key: KeyKind,
    /// How long it is valid.
    #[serde(default = "ten_years")]
    #[schemars(with = "Period")]
    valid_for: Spanned<Period>,
    /// How long ago it was made at the most, when it is first shown; how long ago is drawn.
    #[serde(default = "two_years")]
    #[schemars(with = "Period")]
    age: Spanned<Period>,
}

/// The `[certificate.issuer]` table: a certificate authority that is drawn for the device, as vendors have one in each of
/// theirs. Texts may have `{key}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IssuerSettings {
    /// Whom its certificate names.
    #[schemars(with = "String")]
    common_name: Spanned<String>,
    /// Whose it is.
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
    /// Whether its certificate is shown with the device's.
    #[serde(default = "yes")]
    shown: bool,
}

const fn yes() -> bool {
    true
}

fn eight() -> Spanned<u8> {
    Spanned::new(0..0, 8)
}

const DAY: Duration = Duration::from_secs(24 * 3600);

fn ten_years() -> Spanned<Period> {
    Spanned::new(0..0, Period(3650 * DAY))
}

fn two_years() -> Spanned<Period> {
    Spanned::new(0..0, Period(730 * DAY))
}

/// What the key of a certificate is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// ECDSA on the curve P-256.
    #[default]
    EcdsaP256,
    /// ECDSA on the curve P-384.
    EcdsaP384,
    /// RSA of 2048 bits.
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    /// RSA of 3072 bits.
    #[serde(rename = "rsa-3072")]
    Rsa3072,
    /// RSA of 4096 bits.
    #[serde(rename = "rsa-4096")]
    Rsa4096,
}

impl KeyKind {
    /// Of an RSA key, its bits.
    pub const fn rsa_bits(self) -> Option<usize> {
        match self {
            Self::EcdsaP256 | Self::EcdsaP384 => None,
            Self::Rsa2048 => Some(2048),
            Self::Rsa3072 => Some(3072),
            Self::Rsa4096 => Some(4096),
        }
    }
}

/// A part of the name of whom a certificate is for (X.520 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
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

/// How the texts of names are written (X.680 §41).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strings {
    /// As `UTF8String`, but the country, which cannot be.
    #[default]
    Utf8,
    /// As `PrintableString`.
    Printable,
    /// As `TeletexString`, but the country, which cannot be: so did the tools of the nineties.
    Teletex,
}

/// Whom a certificate names, part by part.
pub type Name = Vec<(Part, String)>;

/// What the certificate of one device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for.
    pub subject: Name,
    /// Who certifies it, if not itself, and whether that certificate is shown, too.
    pub issuer: Option<(Name, bool)>,
    /// How the texts of names are written.
    pub strings: Strings,
    /// The DNS names that it is for.
    pub names: Vec<String>,
    /// Whether it says what it is for, and its names.
    pub extensions: bool,
    /// How many octets its serial number has.
    pub serial_octets: usize,
    /// What its key is.
    pub key: KeyKind,
    /// How long it is valid.
    pub valid_for: Duration,
    /// How long ago it was made at the most, when it is made.
    pub age: Duration,
}

impl CertificateSettings {
    /// What its key is.
    pub const fn key(&self) -> KeyKind {
        self.key
    }

    /// The certificate of the device for which `identity` was drawn, or all that is wrong with it.
    pub fn draw(&self, identity: &Identity) -> Result<Certificate, Problems> {
        /// What can be written as a date.
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        let mut draft = Draft { identity, strings: self.strings, problems: Problems::new() };
        let parts = [
            (Part::Country, "country", self.country.as_ref()),
            (Part::State, "state", self.state.as_ref()),
            (Part::Locality, "locality", self.locality.as_ref()),
            (Part::Organization, "organization", self.organization.as_ref()),
            (Part::OrganizationalUnit, "organizational-unit", self.organizational_unit.as_ref()),
            (Part::CommonName, "common-name", Some(&self.common_name)),
        ];
        let subject = draft.name("certificate", &parts, &self.order);
        let issuer = self.issuer.as_ref().map(|issuer| {
            let parts = [
                (Part::Country, "country", issuer.country.as_ref()),
                (Part::State, "state", issuer.state.as_ref()),
                (Part::Locality, "locality", issuer.locality.as_ref()),
                (Part::Organization, "organization", issuer.organization.as_ref()),
                (Part::OrganizationalUnit, "organizational-unit", issuer.organizational_unit.as_ref()),
                (Part::CommonName, "common-name", Some(&issuer.common_name)),
            ];
            (draft.name("certificate.issuer", &parts, &self.order), issuer.shown)
        });
        let names = self.names.iter().filter_map(|name| {
            let drawn = draft.expand("certificate.names", name)?;
            if !drawn.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte)) {
                let why = format!("`{drawn}` is no DNS name");
                draft.problems.push(Problem::new("certificate.names", why).at(name.span()));
            }
            Some(drawn)
        });
        let names: Vec<String> = names.collect();
        let mut problems = draft.problems;
        if let (false, Some(name)) = (self.extensions, self.names.first()) {
            let problem = Problem::new("certificate.names", "names are an extension, and there are to be none");
            problems.push(problem.at(name.span()).hint("leave out `names` or `extensions`"));
        }
        if !(1..=20).contains(self.serial_octets.get_ref()) {
            let problem = Problem::new("certificate.serial-octets", "a serial number has 1 to 20 octets");
            problems.push(problem.at(self.serial_octets.span()));
        }
        for (key, period) in [("valid-for", &self.valid_for), ("age", &self.age)] {
            if period.get_ref().0 > CENTURY {
                problems.push(Problem::new(format!("certificate.{key}"), "that is too long").at(period.span()));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Certificate {
            subject,
            issuer,
            strings: self.strings,
            names,
            extensions: self.extensions,
            serial_octets: (*self.serial_octets.get_ref()).into(),
            key: self.key,
            valid_for: self.valid_for.get_ref().0,
            age: self.age.get_ref().0,
        })
    }
}

/// A certificate that is being read.
struct Draft<'a> {
    identity: &'a Identity,
    strings: Strings,
    problems: Problems,
}

impl Draft<'_> {
    fn name(&mut self, table: &str, parts: &[(Part, &str, Option<&Spanned<String>>)], order: &[Part]) -> Name {
        let mut name = Name::new();
        for (part, key, text) in parts {
            let Some(text) = text else { continue };
            let key = format!("{table}.{key}");
            let Some(drawn) = self.expand(&key, text) else { continue };
            if *part == Part::Country && !(drawn.len() == 2 && drawn.bytes().all(|byte| byte.is_ascii_uppercase())) {
                let problem = Problem::new(key, format!("`{drawn}` is no country")).at(text.span());
                self.problems.push(problem.hint("write two letters as ISO 3166 has them, such as FR"));
            } else if self.strings != Strings::Utf8 && !drawn.bytes().all(is_printable) {
                let problem = Problem::new(key, format!("`{drawn}` is no PrintableString")).at(text.span());
                self.problems
                    .push(problem.hint("it has only A-Z a-z 0-9 '()+,-./:=? and blanks; or write strings = \"utf8\""));
            }
            name.push((*part, drawn));
        }
        name.sort_by_key(|(part, _)| order.iter().position(|first| first == part).unwrap_or(order.len()));
        name
    }

    fn expand(&mut self, key: &str, text: &Spanned<String>) -> Option<String> {
        /// A text of a name has no more characters (RFC 5280, appendix A, the smallest of its bounds).
        const LONGEST: usize = 64;
        let drawn = self
            .identity
            .expand(text.get_ref())
            .map_err(|name| Problem::unknown(key, "drawn value", &name, self.identity.0.keys().map(String::as_str)));
        let drawn = drawn.and_then(|drawn| match drawn.chars().count() {
            1..=LONGEST => Ok(drawn),
            0 => Err(Problem::new(key, "the text is empty")),
            count => Err(Problem::new(key, format!("the text has {count} characters; {LONGEST} are allowed"))),
        });
        drawn.map_err(|problem| self.problems.push(problem.at(text.span()))).ok()
    }
}

/// Whether a PrintableString can have it (X.680 §41.4).
const fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'\'' | b'(' | b')' | b'+'..=b'/' | b':' | b'=' | b'?')
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
            "common-name = '{seral}'\norganization = ''\ncountry = 'France'\nnames = ['a b']\nvalid-for = '99999999d'\n\
             serial-octets = 21\n[issuer]\ncommon-name = 'CA'\norganization = '12345678901234567890123456789012345678901234567890123456789012345'",
        );
        let expected = [
            "certificate.country: `France` is no country (write two letters as ISO 3166 has them, such as FR)",
            "certificate.organization: the text is empty",
            "certificate.common-name: there is no drawn value `seral` (did you mean `serial`?)",
            "certificate.issuer.organization: the text has 65 characters; 64 are allowed",
            "certificate.names: `a b` is no DNS name",
            "certificate.serial-octets: a serial number has 1 to 20 octets",
            "certificate.valid-for: that is too long",
        ];
        assert_eq!(told.unwrap_err(), expected);
    }

    #[test]
    fn names_stand_in_the_order_of_their_vendor() {
        let text = "common-name = 'x'\ncountry = 'DE'\norganization = 'O'\norder = ['common-name', 'organization']\n\
                    strings = 'printable'\n[issuer]\ncountry = 'DE'\ncommon-name = 'CA'\nshown = false";
        let drawn = draw(text).unwrap();
        let parts: Vec<Part> = drawn.subject.iter().map(|(part, _)| *part).collect();
        assert_eq!(parts, [Part::CommonName, Part::Organization, Part::Country]);
        let issuer = vec![(Part::CommonName, "CA".to_owned()), (Part::Country, "DE".to_owned())];
        assert_eq!(drawn.issuer, Some((issuer, false)));
        assert_eq!(draw("common-name = 'a_b'\nstrings = 'printable'").unwrap_err().len(), 1);
    }
}
