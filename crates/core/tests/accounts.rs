//! Who is let in to a device. Apart from the code, because all of it is seen through the border that services see it through.
#![expect(clippy::disallowed_methods, reason = "an instant can only be had from the clock")]

use honeyplant_core::{
    accounts::{Admission, Attempt},
    device::Device,
    files::Rights,
    identity::Identity,
    profile::Profile,
};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

fn device(accounts: &str) -> Arc<Device> {
    let text = format!("[profile]\ntitle = 't'\n[files.groups]\nstaff = 50\n[accounts]\n{accounts}");
    let profile = Profile::parse(&text, &[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let identity = Identity(BTreeMap::from([("password".into(), "s3cret".into())]));
    let (device, _) =
        profile.device("plc", "test", identity, 1, None).unwrap_or_else(|problems| panic!("{problems:?}"));
    device
}

fn source(last: u16) -> IpAddr {
    let [high, low] = last.to_be_bytes();
    [198, 51, high, low].into()
}

/// The name of who is let in, or why nobody is.
fn try_at(device: &Device, from: u16, user: &str, secret: &str, at: Instant) -> String {
    let attempt = Attempt { service: "ftp", source: source(from), user, secret };
    match device.accounts().login(&attempt, at) {
        Admission::Granted(account) => format!("{} {} {:?}", account.name, account.who.uid, account.rights()),
        Admission::Refused => "refused".into(),
        Admission::LockedOut => "locked out".into(),
    }
}

const USERS: &str = "users = [\n\
    { name = 'admin', secret = '{password}', rights = 'admin' },\n\
    { name = 'anonymous', secret = '*', rights = 'read', uid = 14, groups = ['staff'], home = '/pub/' },\n\
    { name = 'op', secret = 'op' }, { name = 'kiosk', rights = 'read' }\n]\n";

#[test]
fn listed_users_are_let_in_with_their_secret() {
    let device = device(USERS);
    let now = Instant::now();
    assert_eq!(try_at(&device, 1, "admin", "s3cret", now), "admin 0 Admin");
    assert_eq!(try_at(&device, 1, "admin", "S3CRET", now), "refused");
    assert_eq!(try_at(&device, 1, "Admin", "s3cret", now), "refused");
    assert_eq!(try_at(&device, 1, "anonymous", "guest@", now), "anonymous 14 Read");
    assert_eq!(try_at(&device, 1, "op", "op", now), "op 1002 Write");
    assert_eq!(try_at(&device, 1, "nobody", "", now), "refused");
    let accounts = device.accounts();
    assert!(accounts.asks_secret("ftp", "op") && accounts.asks_secret("ftp", "anonymous"));
    assert!(!accounts.asks_secret("ftp", "kiosk"));
    assert_eq!(try_at(&device, 1, "kiosk", "", now), "kiosk 1003 Read");
    let anonymous = accounts.find("ftp", "anonymous").unwrap();
    assert_eq!((anonymous.who.gid, &*anonymous.home), (50, "/pub"));
    assert_eq!(device.files().user_name(1002), "op");
}

#[test]
fn names_may_differ_only_in_more_than_their_size() {
    let device = device(&format!("case-sensitive = false\n{USERS}"));
    assert_eq!(try_at(&device, 1, "ADMIN", "s3cret", Instant::now()), "admin 0 Admin");
}

#[test]
fn whoever_was_let_in_as_anybody_keeps_its_name_and_secret() {
    let device = device(&format!("accept = {{ after = 2 }}\nremember = '1h'\n{USERS}"));
    let now = Instant::now();
    assert_eq!(try_at(&device, 1, "root", "a", now), "refused");
    assert_eq!(try_at(&device, 1, "root", "b", now), "refused");
    assert_eq!(try_at(&device, 2, "root", "c", now), "refused", "another source has to try by itself");
    assert_eq!(try_at(&device, 1, "root", "c", now), "root 1999 Write");
    assert_eq!(try_at(&device, 1, "root", "a", now), "refused");
    assert_eq!(try_at(&device, 1, "root", "c", now), "root 1999 Write");
    assert_eq!(try_at(&device, 1, "admin", "s3cret", now), "admin 0 Admin", "listed ones are let in at once");
    let later = now + Duration::from_secs(3600);
    assert_eq!(try_at(&device, 1, "admin", "x", later), "refused");
    assert_eq!(try_at(&device, 1, "admin", "y", later), "refused");
    assert_eq!(try_at(&device, 1, "admin", "z", later), "admin 0 Admin", "whose name is listed is that one");
}

#[test]
fn anybody_or_nobody() {
    let now = Instant::now();
    let open = device("accept = 'any'\nguest = { uid = 65534, rights = 'read' }");
    assert_eq!(try_at(&open, 1, "x", "y", now), "x 65534 Read");
    assert_eq!(try_at(&open, 1, "x", "z", now), "refused");
    assert_eq!(try_at(&open, 2, "x", "z", now), "x 65534 Read");
    let shut = device(&format!("accept = 'never'\n{USERS}"));
    assert_eq!(try_at(&shut, 1, "admin", "s3cret", now), "refused");
}

#[test]
fn who_fails_too_often_is_locked_out_for_a_while() {
    let now = Instant::now();
    let by =
        |by: &str| device(&format!("lockout = {{ after = 3, within = '10m', for = '15m', by = '{by}' }}\n{USERS}"));
    let device = by("user");
    let minute = Duration::from_secs(60);
    assert_eq!(try_at(&device, 1, "op", "1", now), "refused");
    assert_eq!(try_at(&device, 1, "op", "2", now + 11 * minute), "refused", "the first is too long ago");
    assert_eq!(try_at(&device, 2, "op", "3", now + 12 * minute), "refused");
    assert_eq!(try_at(&device, 3, "op", "4", now + 13 * minute), "refused");
    assert_eq!(try_at(&device, 4, "op", "op", now + 14 * minute), "locked out");
    assert_eq!(try_at(&device, 4, "admin", "s3cret", now + 14 * minute), "admin 0 Admin");
    assert_eq!(try_at(&device, 4, "op", "op", now + 28 * minute), "op 1002 Write");
    let device = by("source");
    for user in ["a", "b", "c"] {
        assert_eq!(try_at(&device, 1, user, "", now), "refused");
    }
    assert_eq!(try_at(&device, 1, "op", "op", now), "locked out");
    assert_eq!(try_at(&device, 2, "op", "op", now), "op 1002 Write");
}

#[test]
fn what_is_remembered_is_bounded() {
    let device =
        device(&format!("accept = {{ after = 1 }}\nlockout = {{ after = 2, within = '1m', for = '1m' }}\n{USERS}"));
    let now = Instant::now();
    for from in 0..20_000 {
        let name = format!("user {from}");
        assert_eq!(try_at(&device, from, &name, "x", now), "refused");
    }
    assert_eq!(try_at(&device, 19_999, "new", "x", now), "new 1999 Write");
    assert_eq!(try_at(&device, 0, "new", "x", now), "refused", "it is forgotten");
    let long = "x".repeat(100_000);
    assert_eq!(try_at(&device, 19_998, &long, &long, now), format!("{long} 1999 Write"));
    assert_eq!(device.accounts().find("ftp", "op").map(|account| account.rights()), Some(Rights::Write));
}

#[test]
fn mistakes_of_the_operator_are_told_with_their_place() {
    let text = "[profile]\ntitle = 't'\n[accounts]\nusers = [{ name = '{nowhere}', secret = 'x', services = ['fpt'], groups = ['stuff'] }]\n\
                [accounts.services.telnet]\naccept = 'any'\n";
    let built = Profile::parse(text, &[]).unwrap().device("plc", "test", Identity::default(), 1, None);
    let told: Vec<String> = built.err().unwrap_or_default().iter().map(ToString::to_string).collect();
    for key in [
        "accounts.users[0].name: ",
        "accounts.users[0].services: ",
        "accounts.users[0].groups: ",
        "accounts.services.telnet: ",
    ] {
        assert!(told.iter().any(|problem| problem.starts_with(key)), "{key} is not in {told:#?}");
    }
    assert_eq!(told.len(), 4, "{told:#?}");
}
