//! Protocols by devices, the darker the more. Apart, because it is a plot that is a table.

use super::{
    page::Page,
    text::{count, number},
};
use std::{collections::BTreeSet, fmt::Write as _};

impl Page<'_> {
    pub(super) fn services(&mut self) {
        let facts = self.facts;
        if facts.services.is_empty() {
            return;
        }
        self.section("Where", "Events of each device and protocol, with the sessions below. The darker, the more; the number in a coloured field is the severity.");
        let protocols: BTreeSet<&str> = facts.services.iter().map(|service| &*service.protocol).collect();
        let devices: BTreeSet<&str> = facts.services.iter().map(|service| &*service.device).collect();
        let most = facts.services.iter().map(|service| service.events).max().unwrap_or(1).max(2);
        let _ = write!(
            self.out,
            "<div class=\"wide\"><table class=\"heat\"><caption>Events by device and protocol</caption><thead><tr><td></td>"
        );
        for protocol in &protocols {
            let _ = write!(self.out, "<th scope=\"col\">{}</th>", self.links.html(protocol));
        }
        self.out.push_str("</tr></thead><tbody>");
        for device in devices.iter().take(40) {
            let _ = write!(self.out, "<tr><th scope=\"row\">{}</th>", self.links.html(device));
            for protocol in &protocols {
                let service = facts.services.iter().find(|s| s.device == *device && s.protocol == *protocol);
                let Some(service) = service else {
                    self.out.push_str("<td class=\"h0\">·</td>");
                    continue;
                };
                // By the logarithm: there are devices with a thousand times the events of others.
                let heat = (service.events as f64 + 1.0).ln() / (most as f64 + 1.0).ln();
                let class = (heat * 5.0).ceil().clamp(1.0, 5.0) as u8;
                let _ = write!(
                    self.out,
                    "<td class=\"h{class}\"><b>{}</b> {}<small>{}</small></td>",
                    number(service.events),
                    Self::severity(service.severity),
                    count(service.sessions, "session", "sessions")
                );
            }
            self.out.push_str("</tr>");
        }
        self.out.push_str("</tbody></table></div>");
        if devices.len() > 40 {
            let _ = write!(self.out, "<p><small>40 of {} devices.</small></p>", devices.len());
        }
    }
}
