//! An event that is shared, as far as it is. Apart, because what is withheld is withheld here, before any form sees it.

use super::{Sharing, SharingSettings};
use crate::document::{Address, AutonomousSystem, Closing, Document, Geo, Network, Source, Stamp, Summed, Tool};
use std::{fmt::Write as _, net::IpAddr};

/// As many characters of a text are shared.
const LONGEST: usize = 1024;
/// What stands in the place of what is withheld: a name that can belong to nobody (RFC 6761 §6.4).
const WITHHELD: &str = "decoy.invalid";

/// What is found worth sharing.
pub(in crate::sink) struct Finding<'a> {
    settings: &'a SharingSettings,
    document: &'a Document<'a>,
    pub(in crate::sink) source: &'a Source<'a>,
    pub(in crate::sink) network: &'a Network<'a>,
    destination: Address,
    pub(in crate::sink) found: Found<'a>,
}

/// What it is.
pub(in crate::sink) enum Found<'a> {
    /// A whole session, which has ended.
    Session(&'a Closing<'a>, Box<Summed>),
    /// One event that is shared at once: what it left is not in the summary of its session, or it is too grave to wait.
    Event,
}

/// A request to a web server.
pub(in crate::sink) struct Asked {
    pub(in crate::sink) method: String,
    pub(in crate::sink) target: String,
    pub(in crate::sink) agent: Option<String>,
}

/// Bytes that were left.
pub(in crate::sink) struct Left<'a> {
    pub(in crate::sink) sha256: &'a str,
    pub(in crate::sink) size: Option<u64>,
    pub(in crate::sink) name: Option<String>,
}

impl Sharing {
    /// What of `document` is shared; most are not.
    pub(in crate::sink) fn find<'a>(&'a self, document: &'a Document<'a>) -> Option<Finding<'a>> {
        let (source, destination, network) =
            (document.source.as_ref()?, document.destination?, document.network.as_ref()?);
        document.honeyplant.session?;
        let settings = &self.settings;
        if is_private(source.ip) && !settings.private {
            return None;
        }
        let severity = document.event.severity;
        let found = match (&document.honeyplant.ending, &document.honeyplant.summary) {
            (Some(ending), summary) if severity >= settings.severity => {
                Found::Session(ending, Box::new(summary.as_deref().cloned().unwrap_or_default()))
            }
            (Some(_), _) => return None,
            (None, _) if severity >= settings.event_severity || leaves(document) => Found::Event,
            (None, _) => return None,
        };
        Some(Finding { settings, document, source, network, destination, found })
    }
}

/// Whether an actor left something that only this event tells.
fn leaves(document: &Document<'_>) -> bool {
    let refused = document.http.as_ref().and_then(|http| http.response.as_ref()).is_none_or(|r| r.status_code >= 400);
    match &*document.event.action {
        "login" | "relay" => true,
        "discarded" => false,
        // What a device's own pages ask for is answered.
        "request" if refused && document.url.as_ref().is_some_and(|url| url.query.is_some()) => true,
        _ => document.file.as_ref().is_some_and(|file| file.hash.is_some()),
    }
}

impl<'a> Finding<'a> {
    /// `event.id`
    pub(in crate::sink) fn id(&self) -> &str {
        &self.document.event.id
    }

    /// The number of the session.
    pub(in crate::sink) fn session(&self) -> String {
        self.document.honeyplant.session.map(|session| session.id.to_string()).unwrap_or_default()
    }

    /// `event.action`
    pub(in crate::sink) fn action(&self) -> &str {
        &self.document.event.action
    }

    /// When it was recorded.
    pub(in crate::sink) const fn at(&self) -> Stamp {
        self.document.timestamp
    }

    /// When it began.
    pub(in crate::sink) fn first(&self) -> Stamp {
        let event = &self.document.event;
        event.start.unwrap_or(self.document.timestamp).min(self.last())
    }

    /// When it ended. A clock that was set back in between must not make that the earlier.
    pub(in crate::sink) fn last(&self) -> Stamp {
        self.document.event.end.unwrap_or(self.document.timestamp)
    }

    /// How often it was.
    pub(in crate::sink) fn count(&self) -> u64 {
        self.document.honeyplant.repeated.unwrap_or(1)
    }

    /// From 0 to 10.
    pub(in crate::sink) const fn severity(&self) -> u8 {
        self.document.event.severity
    }

    /// Whose network the source is in.
    pub(in crate::sink) fn autonomous_system(&self) -> Option<&'a AutonomousSystem> {
        self.source.network.as_deref()
    }

    /// Where the source is.
    pub(in crate::sink) fn place(&self) -> Option<&'a Geo> {
        self.source.geo.as_deref()
    }

    /// The port of the decoy.
    pub(in crate::sink) const fn port(&self) -> u16 {
        self.destination.port
    }

    /// The address of the decoy, if it is shared.
    pub(in crate::sink) const fn decoy(&self) -> Option<IpAddr> {
        if self.settings.decoy { Some(self.destination.ip) } else { None }
    }

    /// Whether the source is who it says: of a datagram, anybody may have forged it.
    pub(in crate::sink) fn is_proven(&self) -> bool {
        self.network.transport == "tcp"
    }

    /// Whether others may block by it. A forged source would have them block whom the forger likes.
    pub(in crate::sink) fn indicates(&self) -> bool {
        let least = self.settings.indicator_severity;
        self.is_proven() && self.severity() >= least
    }

    /// The ids of the techniques.
    pub(in crate::sink) fn techniques(&self) -> Vec<&str> {
        match &self.found {
            Found::Session(_, summary) => summary.techniques.iter().map(|id| &**id).collect(),
            Found::Event => {
                let threat = self.document.threat.as_deref();
                threat.into_iter().flat_map(|threat| threat.technique.id.iter()).map(|id| &**id).collect()
            }
        }
    }

    /// The tools that were recognised.
    pub(in crate::sink) fn tools(&self) -> Vec<&Tool> {
        match &self.found {
            Found::Session(_, summary) => summary.tools.iter().collect(),
            Found::Event => self.document.honeyplant.tool.as_deref().into_iter().collect(),
        }
    }

    /// The user name that was tried.
    pub(in crate::sink) fn user(&self) -> Option<String> {
        let user = self.document.user.as_ref().map(|user| self.text(&user.name))?;
        (!user.is_empty()).then_some(user)
    }

    /// The secret that was tried, if it is shared.
    pub(in crate::sink) fn secret(&self) -> Option<String> {
        let secret = self.document.honeyplant.secret.as_deref().filter(|_| self.settings.credentials)?;
        Some(self.text(secret)).filter(|secret| !secret.is_empty())
    }

    /// What was left.
    pub(in crate::sink) fn left(&self) -> Option<Left<'a>> {
        let file = self.document.file.as_ref()?;
        let name = file.path.as_deref().and_then(|path| path.rsplit(['/', '\\']).next()).map(|name| self.text(name));
        let sha256 = &*file.hash.as_ref()?.sha256;
        Some(Left { sha256, size: file.size, name: name.filter(|name| !name.is_empty()) })
    }

    /// What was asked of a web server.
    pub(in crate::sink) fn asked(&self) -> Option<Asked> {
        let (http, url) = (self.document.http.as_ref()?, self.document.url.as_ref()?);
        let agent = self.document.user_agent.as_ref().map(|agent| self.text(&agent.original));
        let (method, target) = (self.text(&http.request.method), self.text(&url.original));
        (!method.is_empty() && !target.is_empty()).then_some(Asked { method, target, agent })
    }

    /// Whom the device was to connect to.
    pub(in crate::sink) fn third(&self) -> Option<Address> {
        self.document.honeyplant.third.filter(|third| self.settings.decoy || third.ip != self.destination.ip)
    }

    /// `text` as it is shared: not too long, without characters that confuse screens and databases, and without what tells
    /// where the decoy is.
    fn text(&self, text: &str) -> String {
        let mut shared = String::new();
        for (place, letter) in text.chars().enumerate() {
            if place == LONGEST {
                shared.push('…');
                break;
            }
            if letter.is_control() { shared.extend(letter.escape_default()) } else { shared.push(letter) }
        }
        for secret in &self.settings.withhold {
            shared = without(&shared, secret);
        }
        if self.settings.decoy {
            return shared;
        }
        let names = [self.document.url.as_ref().and_then(|url| url.domain.as_deref())];
        for name in names.into_iter().flatten().map(host).filter(|name| !name.is_empty()) {
            shared = without(&shared, name);
        }
        without(&shared, &self.destination.ip.to_string())
    }

    /// What a session came to, in a few sentences.
    pub(in crate::sink) fn sentences(&self) -> String {
        let mut text = format!("{} spoke {} ", self.source.ip, self.network.protocol);
        // Writing to a text does not fail.
        match &self.found {
            Found::Session(ending, summary) => {
                let profile = self.document.honeyplant.device.as_ref().map_or("device", |device| &*device.profile);
                let _ = write!(text, "with a decoy ({profile}) for {:.1} s", ending.seconds);
                for (place, (action, count)) in summary.actions.iter().enumerate() {
                    let _ = write!(text, "{} {action} {count}", if place == 0 { ":" } else { "," });
                }
                let _ = write!(text, ". Severity {} of 10", self.severity());
                if let Some(tactic) = summary.tactics.last() {
                    let _ = write!(text, "; the furthest tactic is {tactic}");
                }
                let _ = write!(text, ". The end: {}.", ending.reason);
            }
            Found::Event => {
                let _ = write!(text, "with a decoy: {}, severity {} of 10.", self.action(), self.severity());
            }
        }
        if let Some(third) = self.third() {
            let _ = write!(text, " The decoy was to connect to {} port {}; it did not.", third.ip, third.port);
        }
        let place = self.place();
        if let Some(country) = place.and_then(|place| place.country_name.as_ref().or(place.country_iso_code.as_ref())) {
            let _ = write!(text, " The address is used in {country}.");
        }
        if !self.is_proven() {
            text.push_str(" The source of a datagram may be forged.");
        }
        if let Some(device) = self.document.honeyplant.device.as_ref().filter(|_| self.settings.decoy) {
            let _ = write!(text, " The decoy is {} of {}.", device.name, self.document.honeyplant.site);
        }
        text
    }
}

/// A host without its port.
fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host.trim_matches(['[', ']']),
        _ => authority.trim_matches(['[', ']']),
    }
}

/// `text` without `secret`, but where that is only a part of a longer name or address.
fn without(text: &str, secret: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    let joins = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let lower = secret.to_ascii_lowercase();
    while let Some(at) = rest.to_ascii_lowercase().find(&lower) {
        let (before, from) = rest.split_at(at);
        let (hit, after) = from.split_at(secret.len());
        kept.push_str(before);
        let whole = !joins(kept.chars().next_back()) && !joins(after.chars().next());
        kept.push_str(if whole { WITHHELD } else { hit });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Whether an address is none of the Internet's (RFC 6890).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let shared = u32::from(four) >> 22 == 0x6440_0000 >> 22;
            four.is_private()
                || four.is_loopback()
                || four.is_link_local()
                || four.is_unspecified()
                || four.is_broadcast()
                || four.is_multicast()
                || shared
        }
        IpAddr::V6(six) => {
            six.is_loopback()
                || six.is_unspecified()
                || six.is_unique_local()
                || six.is_unicast_link_local()
                || six.is_multicast()
        }
    }
}

/// A moment to the millisecond, as STIX and MISP write it.
pub(in crate::sink) fn moment(stamp: Stamp) -> String {
    let text = stamp.to_string();
    format!("{}Z", text.get(..23).unwrap_or_default())
}

/// The day of a moment.
pub(in crate::sink) fn day(stamp: Stamp) -> String {
    stamp.to_string().get(..10).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_of_the_decoy_is_withheld_where_it_is_a_whole_word() {
        assert_eq!(without("http://192.0.2.7/a?x=192.0.2.70", "192.0.2.7"), "http://decoy.invalid/a?x=192.0.2.70");
        assert_eq!(without("PLANT.example ä plant.example", "plant.example"), "decoy.invalid ä decoy.invalid");
        assert_eq!(without("ääplant", "plant"), "ääplant");
        for (authority, expected) in [("plc:80", "plc"), ("[2001:db8::1]:80", "2001:db8::1"), ("plc", "plc")] {
            assert_eq!(host(authority), expected);
        }
    }

    #[test]
    fn private_addresses_are_known() {
        for private in
            ["10.1.2.3", "192.168.0.1", "127.0.0.1", "100.64.0.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"]
        {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["198.51.100.7", "100.128.0.1", "2001:db8::1", "8.8.8.8"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
