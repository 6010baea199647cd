//! The devices of a site, one by one. Apart, because a site names them in several ways and everything after wants them in
//! one.

use crate::process::PROCESS;
use honeyplant_core::settings::{Problem, Problems};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    ops::Range,
};
use toml::Spanned;

/// No site is given more devices than this.
const MOST_DEVICES: usize = 65_536;

/// One entry of `[[devices]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceSettings {
    /// The name that the record gives the device.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// The profile: a folder in `profiles/` beside the site, or one that is built in.
    #[schemars(with = "String")]
    profile: Spanned<String>,
    /// The addresses of the one device, IPv4 or IPv6.
    #[serde(default)]
    #[schemars(with = "Vec<IpAddr>")]
    addresses: Vec<Spanned<IpAddr>>,
    /// IPv4 addresses `FIRST-LAST`: a device of its own on each, called `NAME-1`, `NAME-2` and so on.
    #[schemars(with = "Option<String>")]
    range: Option<Spanned<String>>,
}

/// One device to be built.
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) profile: String,
    /// Where the profile's name stands, for messages.
    pub(crate) span: Range<usize>,
    pub(crate) addresses: Vec<IpAddr>,
}

/// The devices one by one, ranges spelled out.
pub(crate) fn plan(devices: &[DeviceSettings], problems: &mut Problems) -> Vec<Plan> {
    let mut plans = Vec::<Plan>::new();
    let mut taken = HashMap::<IpAddr, String>::new();
    for (index, device) in devices.iter().enumerate() {
        let (name, key) = (device.name.get_ref(), format!("devices[{index}]"));
        if device.addresses.is_empty() && device.range.is_none() {
            let hint = "write addresses = [\"192.0.2.10\"]";
            let problem = Problem::new(format!("{key}.addresses"), format!("`{name}` has no address"));
            problems.push(problem.at(device.name.span()).hint(hint));
        }
        let mut add = |name: String, addresses: Vec<(IpAddr, Range<usize>)>, problems: &mut Problems| {
            for (address, span) in &addresses {
                if let Some(other) = taken.insert(*address, name.clone()) {
                    let why = format!("{address} belongs to `{other}` already");
                    problems.push(Problem::new(format!("{key}.addresses"), why).at(span.clone()));
                }
            }
            if name == PROCESS || name.contains(['.', '/']) {
                let why = format!("a device cannot be called `{name}`");
                let hint = "`process` is the process of the site, and a name has no `.` or `/`";
                problems.push(Problem::new(format!("{key}.name"), why).at(device.name.span()).hint(hint));
            }
            if plans.iter().any(|other| other.name == name) {
                let why = format!("there is another device `{name}`");
                problems.push(Problem::new(format!("{key}.name"), why).at(device.name.span()));
            }
            let addresses = addresses.into_iter().map(|(address, _)| address).collect();
            let (profile, span) = (device.profile.get_ref().clone(), device.profile.span());
            plans.push(Plan { name, profile, span, addresses });
        };
        if !device.addresses.is_empty() {
            let addresses = device.addresses.iter().map(|address| (*address.get_ref(), address.span()));
            add(name.clone(), addresses.collect(), problems);
        }
        if let Some(range) = &device.range {
            match addresses(range.get_ref()) {
                Ok(addresses) => {
                    for (number, address) in addresses.enumerate() {
                        add(format!("{name}-{}", number + 1), vec![(address.into(), range.span())], problems);
                    }
                }
                Err(why) => problems.push(Problem::new(format!("{key}.range"), why).at(range.span())),
            }
        }
    }
    plans
}

/// The addresses of `FIRST-LAST`.
fn addresses(range: &str) -> Result<impl Iterator<Item = Ipv4Addr> + use<>, String> {
    let ends = range.split_once('-').and_then(|(first, last)| {
        Some((first.trim().parse::<Ipv4Addr>().ok()?.to_bits(), last.trim().parse::<Ipv4Addr>().ok()?.to_bits()))
    });
    match ends {
        Some((first, last)) if first <= last && (last - first) as usize >= MOST_DEVICES => {
            Err(format!("`{range}` has more than {MOST_DEVICES} addresses"))
        }
        Some((first, last)) if first <= last => Ok((first..=last).map(Ipv4Addr::from_bits)),
        _ => Err(format!("`{range}` is no range; write it as 192.0.2.10-192.0.2.20")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_spelled_out() {
        let all: Vec<_> = addresses("192.0.2.254-192.0.3.1").unwrap().map(|address| address.to_string()).collect();
        assert_eq!(all, ["192.0.2.254", "192.0.2.255", "192.0.3.0", "192.0.3.1"]);
        assert!(addresses("192.0.2.9-192.0.2.1").is_err() && addresses("10.0.0.0-11.0.0.0").is_err());
    }
}
