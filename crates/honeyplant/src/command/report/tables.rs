//! The tables of a report's page: who, where, what and how. Apart from the page, because each says one kind of thing.

use super::{
    facts::{Facts, Session},
    page::Page,
    text::{count, lasted, moment, number, size, when},
};
use honeyplant_record::attack::MATRIX;
use std::fmt::Write as _;

const NEW: &str = " <span class=\"new\">new</span>";

/// Appends all of them; what there is nothing of is left out, or said.
pub(super) fn write(page: &mut Page<'_>) {
    page.sessions();
    page.services();
    page.sources();
    page.techniques();
    page.writes();
    page.commands();
    page.logins();
    page.tools();
    page.artefacts();
    page.countries();
    page.sensors();
}

/// How many rows there are, if not all are shown.
fn shown(rows: usize, total: u64, order: &str) -> String {
    if total > rows as u64 {
        format!("{} of {}, {order}", number(rows as u64), number(total))
    } else {
        order.to_owned()
    }
}

impl Page<'_> {
    fn sessions(&mut self) {
        let facts = self.facts;
        if facts.sessions.rows.is_empty() {
            return;
        }
        let words = format!(
            "The gravest of {}, two of a source at most; of each its gravest events in their order.",
            count(
                facts.sessions.total,
                "session in which more was done than looking around",
                "sessions in which more was done than looking around"
            )
        );
        self.section("Sessions of note", &words);
        for session in &facts.sessions.rows {
            self.session(session);
        }
    }

    fn session(&mut self, session: &Session) {
        let place = self.text(&place(&session.country, &session.network));
        let tool = if session.tool.is_empty() { String::new() } else { format!(" with {}", self.text(&session.tool)) };
        let (source, device, protocol) =
            (self.text(&session.source), self.text(&session.device), self.text(&session.protocol));
        let ending = if session.ending.is_empty() { "it has not ended".to_owned() } else { self.text(&session.ending) };
        let _ = write!(
            self.out,
            "<div class=\"session\"><h3>{} {source}{place}{tool} at {device}, {protocol}</h3><p><small>{}, {}, {}; {ending}. \
             Session <code>{}</code></small></p>",
            Self::severity(session.severity),
            moment(&session.began, "%a %-d %b %Y %H:%M:%S"),
            lasted(session.seconds),
            count(session.events, "event", "events"),
            self.text(&session.id)
        );
        let rows: Vec<Vec<String>> = session
            .timeline
            .iter()
            .map(|moment_of| {
                let time = format!("<span class=\"k\">{}</span>", moment(&moment_of.at, "%H:%M:%S"));
                // Who and where stand above.
                let prefix =
                    format!("{} at {} ", session.source, session.device.rsplit('/').next().unwrap_or_default());
                let message = moment_of.message.strip_prefix(&prefix).unwrap_or(&moment_of.message);
                vec![time, Self::severity(moment_of.severity), self.text(message)]
            })
            .collect();
        self.table("", &["Time", "Severity", "What was done"], &rows);
        self.out.push_str("</div>");
    }

    fn sources(&mut self) {
        let table = &self.facts.sources;
        if table.rows.is_empty() {
            return;
        }
        self.section("Who", "");
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|actor| {
                let new = if actor.new { NEW } else { "" };
                let whose: Vec<&str> = [&*actor.country, &actor.network, &actor.tool]
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect();
                let mut actions: Vec<String> = actor
                    .actions
                    .iter()
                    .take(6)
                    .map(|(name, times)| format!("{}&nbsp;{}", self.text(&name.replace('_', " ")), number(*times)))
                    .collect();
                if actor.actions.len() > 6 {
                    actions.push("…".into());
                }
                vec![
                    Self::severity(actor.severity),
                    format!("{}{new}<br><small>{}</small>", self.text(&actor.address), self.text(&whose.join(" · "))),
                    number(actor.sessions),
                    number(actor.events),
                    format!("{}<br><small>at {}</small>", actions.join(", "), self.text(&few(&actor.devices))),
                    format!(
                        "<span class=\"k\">{}</span><br><small class=\"k\">{}</small>",
                        when(&actor.first),
                        when(&actor.last)
                    ),
                ]
            })
            .collect();
        let heads = ["Severity", "Source", "#Sessions", "#Events", "What it did", "First, last"];
        let caption = shown(rows.len(), table.total, "the gravest first; new is what was never seen before");
        self.table(&format!("Sources: {caption}"), &heads, &rows);
    }

    fn techniques(&mut self) {
        let facts = self.facts;
        if facts.techniques.is_empty() {
            return;
        }
        self.section("ATT&amp;CK for ICS", "The tactics of the matrix in its order; those that were seen are filled. What stands later is further on the way to harm.");
        self.out.push_str("<ol class=\"tactics\">");
        for tactic in MATRIX {
            let seen = facts.techniques.iter().any(|technique| technique.tactic == tactic);
            let (class, words) = if seen { (" class=\"seen\"", "") } else { ("", " (not seen)") };
            let _ = write!(self.out, "<li{class} title=\"{tactic}{words}\">{tactic}</li>");
        }
        self.out.push_str("</ol>");
        let rows: Vec<Vec<String>> = facts
            .techniques
            .iter()
            .map(|technique| {
                let new = if technique.events_before == 0 && facts.before_is_whole { NEW } else { "" };
                vec![
                    self.text(&technique.tactic),
                    format!("{}{new}", link(&self.text(&technique.name), &technique.reference)),
                    format!("<code>{}</code>", self.text(&technique.id)),
                    number(technique.events),
                    number(technique.events_before),
                    number(technique.sources),
                ]
            })
            .collect();
        self.table("Techniques", &["Tactic", "Technique", "Id", "#Events", "#Before", "#Sources"], &rows);
    }

    fn writes(&mut self) {
        let table = &self.facts.writes;
        self.section("Values that were written", "");
        if table.rows.is_empty() {
            self.out.push_str("<p>None.</p>");
            return;
        }
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|write| {
                let change = match (&*write.before, &*write.after) {
                    ("", "") => String::new(),
                    ("", after) => self.text(after),
                    (before, after) => format!("{} → <b>{}</b>", self.text(before), self.text(after)),
                };
                vec![
                    format!(
                        "<b>{}</b><br><small>{}, {}</small>",
                        self.text(&write.what.replace(',', ", ")),
                        self.text(&write.device),
                        self.text(&write.protocol)
                    ),
                    change,
                    outcome(&write.outcome).to_owned(),
                    number(write.times),
                    self.text(&write.source),
                    format!("<span class=\"k\">{}</span>", when(&write.last)),
                ]
            })
            .collect();
        let caption =
            shown(rows.len(), table.total, "what took effect first, then the latest; the values are the last ones");
        self.table(
            &format!("Writes: {caption}"),
            &["Tag or address", "Before → after", "Outcome", "#Times", "Source", "Last"],
            &rows,
        );
    }

    fn commands(&mut self) {
        let table = &self.facts.commands;
        self.section("Commands and changes", "");
        if table.rows.is_empty() {
            self.out
                .push_str("<p>None: no controller was stopped, started or loaded, and no file brought or deleted.</p>");
            return;
        }
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|command| {
                let who = if command.sources == 1 {
                    self.text(&command.source)
                } else {
                    count(command.sources, "source", "sources")
                };
                vec![
                    Self::severity(command.severity),
                    format!("<b>{}</b>", self.text(&command.what)),
                    format!("{}, {}", self.text(&command.device), self.text(&command.protocol)),
                    outcome(&command.outcome).to_owned(),
                    number(command.times),
                    who,
                    format!("<span class=\"k\">{}</span>", when(&command.last)),
                ]
            })
            .collect();
        let caption = shown(rows.len(), table.total, "the gravest first");
        self.table(
            &format!("Commands, blocks and files: {caption}"),
            &["Severity", "What", "Where", "Outcome", "#Times", "Source", "Last"],
            &rows,
        );
    }

    fn logins(&mut self) {
        let table = &self.facts.logins;
        if table.rows.is_empty() {
            return;
        }
        self.section("Names and secrets that were tried", "A community of SNMP counts as a secret without a name.");
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|login| {
                let code = |text: &Option<String>| match text.as_deref() {
                    None => "<span class=\"soft\">none</span>".to_owned(),
                    Some("") => "<span class=\"soft\">empty</span>".to_owned(),
                    Some(text) => format!("<code>{}</code>", self.text(text)),
                };
                vec![
                    code(&login.user),
                    code(&login.secret),
                    self.text(&login.protocols.replace(',', ", ")),
                    number(login.times),
                    number(login.accepted),
                    number(login.sources),
                ]
            })
            .collect();
        let caption = shown(rows.len(), table.total, "the most tried first");
        self.table(
            &format!("Logins: {caption}"),
            &["Name", "Secret", "Protocol", "#Tried", "#Let in", "#Sources"],
            &rows,
        );
    }

    fn tools(&mut self) {
        let table = &self.facts.tools;
        if table.rows.is_empty() {
            return;
        }
        self.section("Tools", "");
        let is_new = self.facts.before_is_whole;
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|tool| {
                let new = if tool.new && is_new { NEW } else { "" };
                vec![
                    Self::severity(tool.severity),
                    format!("{}{new}", self.text(&tool.name)),
                    self.text(&tool.protocols.replace(',', ", ")),
                    number(tool.sessions),
                    number(tool.sources),
                ]
            })
            .collect();
        let caption = shown(rows.len(), table.total, "the gravest first; severity is of their sessions");
        self.table(
            &format!("Scanners and tools: {caption}"),
            &["Severity", "Tool", "Protocol", "#Sessions", "#Sources"],
            &rows,
        );
    }

    fn artefacts(&mut self) {
        let table = &self.facts.artefacts;
        if table.rows.is_empty() {
            return;
        }
        self.section("Files that were left", "");
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|artefact| {
                let new = if artefact.new { NEW } else { "" };
                let name = if artefact.name.is_empty() { "a long message" } else { &artefact.name };
                vec![
                    format!("{}{new}<br><code>{}</code>", self.text(name), self.text(&artefact.sha256)),
                    artefact.size.map(size).unwrap_or_default(),
                    format!("{}, {}", self.text(&artefact.device), self.text(&artefact.protocol)),
                    number(artefact.times),
                    number(artefact.sources),
                    format!("<span class=\"k\">{}</span>", when(&artefact.first)),
                ]
            })
            .collect();
        let caption = shown(rows.len(), table.total, "what was never seen before first, by SHA-256");
        self.table(
            &format!("Artefacts: {caption}"),
            &["Name and SHA-256", "#Size", "Where", "#Times", "#Sources", "First"],
            &rows,
        );
    }

    fn countries(&mut self) {
        let table = &self.facts.countries;
        if table.rows.is_empty() {
            return;
        }
        self.section("Countries", "");
        let most = table.rows.iter().map(|country| country.sessions).max().unwrap_or(1).max(1);
        let is_new = self.facts.before_is_whole;
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|country| {
                let new = if country.sessions_before == 0 && is_new { NEW } else { "" };
                let wide = (country.sessions * 160).div_ceil(most);
                vec![
                    Self::severity(country.severity),
                    format!("{}{new}", self.text(&country.code)),
                    format!("<span class=\"bar\" style=\"width:{wide}px\"></span>"),
                    number(country.sessions),
                    number(country.sessions_before),
                    number(country.sources),
                ]
            })
            .collect();
        let caption = shown(rows.len(), table.total, "the most sessions first");
        self.table(
            &format!("Countries: {caption}"),
            &["Severity", "Country", "", "#Sessions", "#Before", "#Sources"],
            &rows,
        );
    }

    fn sensors(&mut self) {
        let facts: &Facts = self.facts;
        self.section("What was recorded", "");
        let rows: Vec<Vec<String>> = facts
            .sensors
            .iter()
            .map(|sensor| {
                vec![
                    self.text(&sensor.site),
                    format!("<code>{}</code>", self.text(&sensor.install)),
                    when(&sensor.first),
                    when(&sensor.last),
                    number(sensor.events),
                    number(sensor.starts),
                ]
            })
            .collect();
        self.table(
            "Sensors, and from when to when they recorded events of this period",
            &["Site", "Install", "First event", "Last event", "#Events", "#Starts"],
            &rows,
        );
    }
}

fn place(country: &str, network: &str) -> String {
    let known: Vec<&str> = [country, network].into_iter().filter(|text| !text.is_empty()).collect();
    if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) }
}

fn few(names: &[String]) -> String {
    let more = names.len().saturating_sub(4);
    let shown: Vec<&str> = names.iter().take(4).map(String::as_str).collect();
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// The links of the page that are ours: to what MITRE says.
fn link(name: &str, reference: &str) -> String {
    if reference.is_empty() {
        name.to_owned()
    } else {
        format!("<a href=\"{reference}\" rel=\"noreferrer\">{name}</a>")
    }
}

fn outcome(outcome: &str) -> &'static str {
    match outcome {
        "success" => "took effect",
        "failure" => "refused",
        _ => "unknown",
    }
}
