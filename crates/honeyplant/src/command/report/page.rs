//! A report as one page of HTML: what comes first, figures, plots and frame. Apart from its tables, which are many.
//!
//! No script and nothing from elsewhere: it can be mailed, kept, and read on paper.

use super::{
    facts::{BANDS, Facts, Timeline},
    plot::Columns,
    tables,
    text::{Links, count, moment, number, when},
};
use std::fmt::Write as _;

/// A page that is being written.
pub(super) struct Page<'a> {
    pub(super) facts: &'a Facts,
    pub(super) links: Links,
    pub(super) out: String,
}

/// The report as a page.
pub(super) fn page(facts: &Facts, links: Links) -> String {
    let mut page = Page { facts, links, out: String::with_capacity(128 << 10) };
    page.head();
    page.out.push_str("<main>");
    page.first();
    if !facts.figures.is_empty() {
        page.figures();
        page.timeline();
        tables::write(&mut page);
    }
    page.terms();
    page.out.push_str("</main>");
    page.foot();
    page.out
}

impl Page<'_> {
    /// A text of anybody.
    pub(super) fn text(&self, text: &str) -> String {
        self.links.html(text)
    }

    pub(super) fn section(&mut self, title: &str, words: &str) {
        let _ = write!(self.out, "<h2>{title}</h2>");
        if !words.is_empty() {
            let _ = write!(self.out, "<p class=\"soft\">{words}</p>");
        }
    }

    /// A severity, with the colour of its band.
    pub(super) fn severity(severity: u8) -> String {
        format!("<span class=\"v v{}\">{severity}</span>", super::facts::band(severity))
    }

    /// A table: its columns, of which those with `#` before them have numbers, and its rows as HTML.
    pub(super) fn table(&mut self, caption: &str, heads: &[&str], rows: &[Vec<String>]) {
        let caption = if caption.is_empty() { String::new() } else { format!("<caption>{caption}</caption>") };
        let _ = write!(self.out, "<div class=\"wide\"><table>{caption}<thead><tr>");
        for head in heads {
            let (class, name) = head.strip_prefix('#').map_or(("", *head), |name| (" class=\"n\"", name));
            let _ = write!(self.out, "<th scope=\"col\"{class}>{name}</th>");
        }
        self.out.push_str("</tr></thead><tbody>");
        for row in rows {
            self.out.push_str("<tr>");
            for (cell, head) in row.iter().zip(heads) {
                let class = if head.starts_with('#') { " class=\"n\"" } else { "" };
                let _ = write!(self.out, "<td{class}>{cell}</td>");
            }
            self.out.push_str("</tr>");
        }
        self.out.push_str("</tbody></table></div>");
    }

    fn head(&mut self) {
        let facts = self.facts;
        let mut sites: Vec<&str> = facts.sensors.iter().map(|sensor| &*sensor.site).collect();
        sites.sort_unstable();
        sites.dedup();
        let name = match sites.as_slice() {
            [] => "Honeyplant".to_owned(),
            [one] => self.text(one),
            [one, other] => format!("{} and {}", self.text(one), self.text(other)),
            many => count(many.len() as u64, "site", "sites"),
        };
        let form = "%a %-d %b %Y %H:%M";
        let (from, to) = (moment(&facts.from, form), moment(&facts.to, form));
        let _ = write!(
            self.out,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"format-detection\" content=\"telephone=no\">\
             <meta name=\"referrer\" content=\"no-referrer\"><title>{name}: {} to {}</title><style>{}</style></head><body>\
             <header><h1>{name}: who came, and what they did</h1><p class=\"soft\">{from} to {to}, UTC",
            moment(&facts.from, "%-d %b %Y"),
            moment(&facts.to, "%-d %b %Y"),
            include_str!("style.css")
        );
        if facts.sensors.len() > 1 {
            let _ = write!(self.out, " · {}", count(facts.sensors.len() as u64, "sensor", "sensors"));
        }
        self.out.push_str("</p>");
        if !facts.filters.is_empty() {
            let filters = self.text(&facts.filters.join(", "));
            let _ = write!(self.out, "<p><strong>Only</strong> {filters}.</p>");
        }
        self.out.push_str("</header>");
    }

    fn first(&mut self) {
        self.out.push_str("<ul class=\"first\">");
        for sentence in &self.facts.sentences {
            let sentence = self.text(sentence);
            let _ = write!(self.out, "<li>{sentence}</li>");
        }
        self.out.push_str("</ul>");
    }

    fn figures(&mut self) {
        let (now, then) = (&self.facts.figures, &self.facts.figures_before);
        let each = [
            ("Sessions", now.sessions, then.sessions, String::new()),
            ("Sources", now.sources, then.sources, format!("{} never seen before", number(now.new_sources))),
            ("Values written", now.writes, then.writes, format!("{} with effect", number(now.writes_done))),
            ("Commands", now.commands, then.commands, format!("{} with effect", number(now.commands_done))),
            ("Logins tried", now.logins, then.logins, format!("{} let in", number(now.logins_accepted))),
            ("Files left", now.artefacts, then.artefacts, String::new()),
        ];
        self.out.push_str("<div class=\"figures\">");
        for (name, now, then, more) in each {
            let more = if more.is_empty() { String::new() } else { format!("<small>{more}</small>") };
            let _ = write!(
                self.out,
                "<div><span class=\"soft\">{name}</span><b>{}</b><small>{}</small>{more}</div>",
                number(now),
                change(now, then)
            );
        }
        let _ = write!(
            self.out,
            "</div><p><small>Before is {} to {}{}.</small></p>",
            when(&self.facts.before),
            when(&self.facts.from),
            if self.facts.before_is_whole { "" } else { ", of which there is no whole record" }
        );
    }

    fn timeline(&mut self) {
        let Timeline { seconds, steps } = &self.facts.timeline;
        self.section(
            "When",
            "Sessions by the gravest thing that was done in them, then all events by their own severity.",
        );
        self.out.push_str("<p class=\"legend\">Severity: ");
        for (class, name) in BANDS.iter().enumerate() {
            let _ = write!(self.out, "<span><i class=\"v{class}\"></i>{name}</span>");
        }
        self.out.push_str("</p>");
        let starts: Vec<String> = steps.iter().map(|step| step.start.clone()).collect();
        let plot = |id, title, nouns, values| Columns { id, title, nouns, starts: &starts, seconds: *seconds, values };
        let sessions = steps.iter().map(|step| step.sessions).collect();
        let events = steps.iter().map(|step| step.events).collect();
        for (name, plot) in [
            ("Sessions", plot("sessions", "Sessions over time, by severity", ("session", "sessions"), sessions)),
            ("Events", plot("events", "Events over time, by severity", ("event", "events"), events)),
        ] {
            let _ = write!(self.out, "<h3>{name}</h3>");
            plot.draw(&mut self.out);
        }
        let some = steps.iter().filter(|step| step.events.iter().any(|number| *number > 0));
        let rows: Vec<Vec<String>> = some
            .map(|step| {
                let numbers = step.sessions.iter().chain(&step.events).map(|value| number(*value));
                std::iter::once(when(&step.start)).chain(numbers).collect()
            })
            .collect();
        self.out.push_str("<details><summary>The figures of both plots</summary>");
        let heads = ["From", "#Sessions 0–2", "#3–5", "#6–7", "#8–10", "#Events 0–2", "#3–5", "#6–7", "#8–10"];
        self.table("Sessions and events by severity; what is left out had none", &heads, &rows);
        self.out.push_str("</details>");
    }

    fn terms(&mut self) {
        self.section("What this is, and what the words mean", "");
        self.out.push_str(
            "<p>The site is a decoy: controllers, stations and panels that look real and control nothing. \
            Nobody has business with it, so that whoever comes is finding out what there is, or means harm.</p><dl>",
        );
        for (term, meaning) in [
            (
                "Session",
                "One connection to one service of a device, or what one address and port sent to it without one.",
            ),
            ("Source", "The address that a session came from. Several people may have one, and one may have many."),
            (
                "Event",
                "One thing that was done in a session. Equal ones within a second are recorded as one with a count, \
              and all of them are counted here.",
            ),
            (
                "Severity",
                "How grave an event would be at a real plant, from 0 to 10: looking around 0 to 2, reading and \
              logging in 3 to 5, preparing and leaving files 6 and 7, changing or stopping the process 8 to 10. What was \
              refused counts two less. A session is as grave as its gravest event.",
            ),
            (
                "With effect",
                "The decoy did what it was told, and its simulated process with it. What it refused was tried \
              all the same.",
            ),
            (
                "Technique",
                "What MITRE ATT&amp;CK for ICS calls such an act. It says what the act counts as, not what the \
              actor had in mind.",
            ),
            (
                "Tool",
                "A scanner or program that is known by what it sends. What it cannot be known by, it is not named for.",
            ),
            (
                "Country and network",
                "Where the address is registered. It is not where the actor is: many come through \
              rented or broken machines.",
            ),
            (
                "Files left",
                "Bytes that an actor brought, or a long message. They are kept under their SHA-256 in the \
              state folder of the site, and may be harmful.",
            ),
        ] {
            let _ = write!(self.out, "<dt>{term}</dt><dd>{meaning}</dd>");
        }
        self.out.push_str("</dl>");
        if self.links == Links::Defanged {
            self.out.push_str("<p>Addresses and links are written so that nothing follows them by mistake: \
                <code>192.0.2[.]1</code> is 192.0.2.1 with a bracket around its last dot, and <code>hxxp</code> is http.</p>");
        }
    }

    fn foot(&mut self) {
        let made = moment(&self.facts.made, "%-d %b %Y %H:%M UTC");
        let version = self.text(&self.facts.version);
        let _ = writeln!(
            self.out,
            "<footer>Made by honeyplant {version} on {made} from its own record. All times are UTC.</footer></body></html>"
        );
    }
}

/// How a number differs from that of the period before.
fn change(now: u64, then: u64) -> String {
    match (now, then) {
        (_, 0) => "none before".to_owned(),
        (now, then) => {
            let percent = (i128::from(now) - i128::from(then)) * 100 / i128::from(then);
            let percent = match percent {
                0 => "as many".to_owned(),
                more @ 1..=999 => format!("+{more}\u{a0}%"),
                1000.. => format!("{} times", number(now / then)),
                fewer => format!("−{}\u{a0}%", -fewer),
            };
            format!("{} before, {percent}", number(then))
        }
    }
}
