//! The certificate of a device: made at its first run, shown again at all later ones. Apart, because here what a profile
//! says meets a clock, chance and the state folder.

use crate::{
    complaint::{Failure, Tried},
    state::State,
};
use honeyplant_core::{
    certificate::{Certificate, KeyKind, Part},
    random::Random,
};
use honeyplant_net::Tls;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SanType, SerialNumber,
};
use std::{net::IpAddr, time::SystemTime};

/// What the device called `name` speaks TLS with at `addresses`; made now if it never was.
pub(crate) fn tls(
    state: &mut State,
    name: &str,
    certificate: &Certificate,
    addresses: &[IpAddr],
    now: SystemTime,
) -> Result<Tls, Failure> {
    let text = match state.certificate(name)? {
        Some(text) => text,
        None => {
            let random = Random::named(state.seed_of(&format!("device {name}")), "certificate");
            let made = make(certificate, addresses, random, now);
            let text = made.tried(|| format!("make the certificate of `{name}`"))?;
            state.add_certificate(name, text.clone());
            text
        }
    };
    Tls::from_pem(text.as_bytes()).map_err(|why| {
        let path = state.certificate_path(name);
        Failure::new(
            format!("{} is no certificate with its key: {why}", path.display()),
            "delete it, and the device gets another",
        )
    })
}

/// A certificate, signed by itself, and its key.
fn make(
    certificate: &Certificate,
    addresses: &[IpAddr],
    mut random: Random,
    now: SystemTime,
) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate_for(match certificate.key {
        KeyKind::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
        KeyKind::EcdsaP384 => &PKCS_ECDSA_P384_SHA384,
    })?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (part, text) in &certificate.subject {
        let (kind, value) = match part {
            Part::Country => (DnType::CountryName, DnValue::PrintableString(text.as_str().try_into()?)),
            Part::State => (DnType::StateOrProvinceName, text.into()),
            Part::Locality => (DnType::LocalityName, text.into()),
            Part::Organization => (DnType::OrganizationName, text.into()),
            Part::OrganizationalUnit => (DnType::OrganizationalUnitName, text.into()),
            Part::CommonName => (DnType::CommonName, text.into()),
        };
        params.distinguished_name.push(kind, value);
    }
    for name in &certificate.names {
        params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
    }
    params.subject_alt_names.extend(addresses.iter().map(|address| SanType::IpAddress(*address)));
    let made = now - certificate.age.mul_f64(random.unit());
    params.not_before = made.into();
    params.not_after = (made + certificate.valid_for).into();
    // Positive, and without a zero in front (RFC 5280 §4.1.2.2).
    let serial = random.bits() & (u64::MAX >> 1) | 1 << 62;
    params.serial_number = Some(SerialNumber::from_slice(&serial.to_be_bytes()));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params.self_signed(&key)?.pem() + &key.serialize_pem())
}

#[cfg(test)]
mod tests {
    use super::*;
    use honeyplant_core::{certificate::CertificateSettings, identity::Identity};
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    fn run(folder: &Path, key: &str) -> String {
        let text = format!("common-name = 'rtu-7'\ncountry = 'FR'\nnames = ['rtu-7.local']\nkey = '{key}'");
        let settings: CertificateSettings = toml::from_str(&text).unwrap();
        let certificate = settings.draw(&Identity::default()).unwrap();
        let mut state = State::open(folder).unwrap();
        tls(&mut state, "rtu", &certificate, &["192.0.2.7".parse().unwrap()], SystemTime::now()).unwrap();
        assert!(!folder.join("certificates").exists() || folder.join("certificates/rtu.pem").exists());
        state.keep().unwrap();
        fs::read_to_string(folder.join("certificates/rtu.pem")).unwrap()
    }

    #[test]
    fn is_made_once_for_each_device_and_kept_for_its_owner_alone() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = run(one.path(), "ecdsa-p256");
        assert_eq!(run(one.path(), "ecdsa-p256"), first);
        assert_ne!(run(two.path(), "ecdsa-p384"), first);
        let mode = fs::metadata(one.path().join("certificates/rtu.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_none_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), "ecdsa-p256");
        fs::write(folder.path().join("certificates/rtu.pem"), "nonsense").unwrap();
        let settings: CertificateSettings = toml::from_str("common-name = 'rtu-7'").unwrap();
        let certificate = settings.draw(&Identity::default()).unwrap();
        let mut state = State::open(folder.path()).unwrap();
        let told = tls(&mut state, "rtu", &certificate, &[], SystemTime::now()).unwrap_err().to_string();
        assert!(told.contains("certificates/rtu.pem") && told.contains("delete it"), "{told}");
    }
}
