//! The certificate of a device: made when somebody first asks for it, shown again at all later runs. Apart, because here what
//! a profile says meets a clock, chance and the state folder.

use crate::{
    command::tell,
    complaint::Failure,
    state::{State, write_secret},
};
use honeyplant_core::{
    certificate::{Certificate, KeyKind, Name, Part, Strings},
    random::Random,
    tls,
};
use honeyplant_net::Tls;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, SanType, SerialNumber,
};
use rsa::{RsaPrivateKey, pkcs8::EncodePrivateKey, rand_core::UnwrapErr};
use std::{error::Error, net::IpAddr, time::SystemTime};

/// What the device called `name` speaks TLS with at `addresses`, in the manner of `how`. A certificate that was never made
/// is made when the first peer asks for it: a key of RSA takes a tenth of a second or more, and a site may have hundreds.
pub(crate) fn tls(
    state: &State,
    name: &str,
    certificate: Certificate,
    addresses: &[IpAddr],
    how: tls::Tls,
) -> Result<Tls, Failure> {
    let path = state.certificate_path(name);
    if let Some(text) = state.certificate(name)? {
        return Tls::from_pem(text.as_bytes(), &how).map_err(|why| {
            Failure::new(
                format!("{} is no certificate with its key: {why}", path.display()),
                "delete it, and the device gets another",
            )
        });
    }
    let (seed, name, addresses) = (state.seed_of(&format!("device {name}")), name.to_owned(), addresses.to_vec());
    let draw = move || {
        let random = Random::named(seed, "certificate");
        let made = make(&certificate, &addresses, random, SystemTime::now());
        let complain = |why| tell(&format!("warning: `{name}` speaks no TLS, as no certificate could be made: {why}"));
        let made = made.map_err(complain).ok()?;
        // Shown all the same: only the next run will show another.
        if let Err(error) = write_secret(&path, &made) {
            tell(&format!("warning: {} cannot be written: {error}; the next run will make another", path.display()));
        }
        Some(made.into_bytes())
    };
    Ok(Tls::later(draw, how))
}

/// A certificate, whatever certifies it, and its key.
fn make(
    certificate: &Certificate,
    addresses: &[IpAddr],
    mut random: Random,
    now: SystemTime,
) -> Result<String, Box<dyn Error>> {
    let key = key(certificate.key)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&certificate.subject, certificate.strings)?;
    let made = now - certificate.age.mul_f64(random.unit());
    params.not_before = made.into();
    params.not_after = (made + certificate.valid_for).into();
    params.serial_number = Some(serial(&mut random, certificate.serial_octets));
    if certificate.extensions {
        for name in &certificate.names {
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        params.subject_alt_names.extend(addresses.iter().map(|address| SanType::IpAddress(*address)));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if certificate.key.rsa_bits().is_some() {
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    }
    let Some((issuer, shown)) = &certificate.issuer else {
        return Ok(params.self_signed(&key)?.pem() + &key.serialize_pem());
    };
    let own = self::key(certificate.key)?;
    let mut authority = CertificateParams::default();
    authority.distinguished_name = name(issuer, certificate.strings)?;
    // It was there before what it certifies, and is so after.
    authority.not_before = (made - certificate.age.mul_f64(random.unit())).into();
    authority.not_after = (made + certificate.valid_for.mul_f64(1.0 + random.unit())).into();
    authority.serial_number = Some(serial(&mut random, certificate.serial_octets));
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = certificate.extensions;
    let parent = authority.self_signed(&own)?.pem();
    let signed = params.signed_by(&key, &Issuer::new(authority, own))?.pem();
    Ok(signed + if *shown { &parent } else { "" } + &key.serialize_pem())
}

/// A key, drawn by the system.
fn key(kind: KeyKind) -> Result<KeyPair, Box<dyn Error>> {
    let Some(bits) = kind.rsa_bits() else {
        return Ok(KeyPair::generate_for(match kind {
            KeyKind::EcdsaP384 => &PKCS_ECDSA_P384_SHA384,
            _ => &PKCS_ECDSA_P256_SHA256,
        })?);
    };
    let drawn = RsaPrivateKey::new(&mut UnwrapErr(getrandom::SysRng), bits)?.to_pkcs8_der()?;
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(&drawn.as_bytes().into(), &PKCS_RSA_SHA256)?)
}

fn name(name: &Name, strings: Strings) -> Result<DistinguishedName, rcgen::Error> {
    let mut written = DistinguishedName::new();
    for (part, text) in name {
        let kind = match part {
            Part::Country => DnType::CountryName,
            Part::State => DnType::StateOrProvinceName,
            Part::Locality => DnType::LocalityName,
            Part::Organization => DnType::OrganizationName,
            Part::OrganizationalUnit => DnType::OrganizationalUnitName,
            Part::CommonName => DnType::CommonName,
        };
        // X.520 §6.3.1 has the country as a PrintableString only.
        let value = match (part, strings) {
            (Part::Country, _) | (_, Strings::Printable) => DnValue::PrintableString(text.as_str().try_into()?),
            (_, Strings::Teletex) => DnValue::TeletexString(text.as_str().try_into()?),
            (_, Strings::Utf8) => DnValue::Utf8String(text.clone()),
        };
        written.push(kind, value);
    }
    Ok(written)
}

/// Positive, and without a zero in front (RFC 5280 §4.1.2.2).
fn serial(random: &mut Random, octets: usize) -> SerialNumber {
    let mut serial: Vec<u8> = (0..octets).map(|_| random.bits() as u8).collect();
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7F | 0x40;
    }
    SerialNumber::from(serial)
}

#[cfg(test)]
mod tests {
    use super::*;
    use honeyplant_core::{certificate::CertificateSettings, identity::Identity};
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    fn certificate(more: &str) -> Certificate {
        let text = format!("common-name = 'rtu-7'\ncountry = 'FR'\nnames = ['rtu-7.local']\n{more}");
        let settings: CertificateSettings = toml::from_str(&text).unwrap();
        settings.draw(&Identity::default()).unwrap()
    }

    fn run(folder: &Path, more: &str) -> String {
        let (state, addresses) = (State::open(folder).unwrap(), ["192.0.2.7".parse().unwrap()]);
        let spoken = tls(&state, "rtu", certificate(more), &addresses, tls::Tls::default()).unwrap();
        assert!(spoken.draw());
        fs::read_to_string(folder.join("certificates/rtu.pem")).unwrap()
    }

    #[test]
    fn is_made_once_for_each_device_and_kept_for_its_owner_alone() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = run(one.path(), "");
        assert_eq!(run(one.path(), ""), first);
        assert_ne!(run(two.path(), "key = 'ecdsa-p384'"), first);
        let mode = fs::metadata(one.path().join("certificates/rtu.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn has_the_key_that_its_profile_says_and_whoever_certifies_it() {
        let folder = tempfile::tempdir().unwrap();
        let shown = run(folder.path(), "key = 'rsa-2048'\nstrings = 'teletex'\n[issuer]\ncommon-name = 'CA'");
        assert_eq!(shown.matches("BEGIN CERTIFICATE").count(), 2);
        fs::remove_file(folder.path().join("certificates/rtu.pem")).unwrap();
        let alone = run(folder.path(), "[issuer]\ncommon-name = 'CA'\nshown = false");
        assert_eq!(alone.matches("BEGIN CERTIFICATE").count(), 1);
    }

    #[test]
    fn a_file_that_is_none_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), "");
        fs::write(folder.path().join("certificates/rtu.pem"), "nonsense").unwrap();
        let state = State::open(folder.path()).unwrap();
        let told = tls(&state, "rtu", certificate(""), &[], tls::Tls::default()).unwrap_err().to_string();
        assert!(told.contains("certificates/rtu.pem") && told.contains("delete it"), "{told}");
    }
}
