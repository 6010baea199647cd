//! `honeyplant sessions`: who came, one line a session.

use super::{
    Common, csv,
    events::{LOOK, cell},
    query::{Filter, Later, Query, Source},
    say,
};
use crate::complaint::{Failure, Tried};
use honeyplant_record::{
    attack::MATRIX,
    database::{Row, RowResult, Value as Field},
    document::Summed,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{borrow::Cow, thread};

/// Show who came, one line a session.
///
/// A session is shown if one of its events is meant by the query.
#[derive(clap::Args)]
pub(crate) struct Sessions {
    #[command(flatten)]
    query: Query,
    /// Only the last N of them
    #[arg(long, value_name = "N")]
    last: Option<u32>,
    /// Go on with each session that ends from then on
    #[arg(long, short)]
    follow: bool,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// What is asked of a session, and a line of comma-separated values has, as `docs/databases.md` explains it.
const COLUMNS: [&str; 27] = [
    "id",
    "install",
    "site",
    "device",
    "profile",
    "protocol",
    "transport",
    "source",
    "source_port",
    "destination",
    "destination_port",
    "began",
    "last_seen",
    "ended",
    "ending",
    "seconds",
    "events",
    "severity",
    "tactic",
    "tool",
    "exchanges",
    "received",
    "sent",
    "country",
    "network",
    "organization",
    "summary",
];

impl Sessions {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let filter = self.query.filter(Timestamp::now())?;
        let mut source = self.query.open(common, if self.follow { Later::Follow } else { Later::Ignore })?;
        if !self.follow {
            source.fill()?;
        }
        if self.csv {
            say(csv::line(COLUMNS));
        }
        let mut seen = source.newest()?;
        self.show(&read(&source, &filter, None, self.last)?, &source, common)?;
        while self.follow && source.more()? {
            let newest = source.newest()?;
            if newest > seen {
                self.show(&read(&source, &filter, Some((seen, newest)), None)?, &source, common)?;
                seen = newest;
            } else if source.is_journal() {
                thread::sleep(LOOK);
            }
        }
        source.complain();
        Ok(())
    }

    fn show(&self, sessions: &[Session], source: &Source, common: &Common) -> Result<(), Failure> {
        for session in sessions {
            let summed = session.summed(source)?;
            if common.json {
                say(session.document(&summed));
            } else if self.csv {
                let summary = serde_json::to_string(&summed).unwrap_or_default();
                let values = session.0.iter().map(String::as_str).take(COLUMNS.len() - 1);
                say(csv::line(values.chain([&*summary])));
            } else {
                say(session.line(&summed));
            }
        }
        Ok(())
    }
}

/// One session: its columns in their order; what there is not is empty.
struct Session(Vec<String>);

/// The sessions that are meant, in the order in which they began: the `last` of them, or only those whose end was entered
/// between two rows of `events`.
fn read(
    source: &Source,
    filter: &Filter,
    ended: Option<(i64, i64)>,
    last: Option<u32>,
) -> Result<Vec<Session>, Failure> {
    let (mut wanted, mut parameters) = ("true".to_owned(), filter.parameters().to_vec());
    if !filter.is_empty() {
        wanted = format!("s.id IN (SELECT e.session FROM events e WHERE {})", filter.sql());
    }
    if let Some((from, to)) = ended {
        wanted += " AND s.id IN (SELECT session FROM events WHERE action = 'closed' AND rowid > ? AND rowid <= ?)";
        parameters.extend([Field::from(from), Field::from(to)]);
    }
    let columns = COLUMNS.map(|name| match name {
        "country" | "network" | "organization" => format!("a.{name}"),
        _ => format!("s.{name}"),
    });
    let limit = last.map(|last| format!("LIMIT {last}")).unwrap_or_default();
    let sql = format!(
        "SELECT {} FROM sessions s LEFT JOIN actors a ON a.address = s.source WHERE {wanted} \
         ORDER BY s.began DESC, s.id DESC {limit}",
        columns.join(", ")
    );
    let read = |row: &Row<'_>| -> RowResult<Session> {
        (0..COLUMNS.len()).map(|column| row.get_ref(column).map(cell)).collect::<RowResult<_>>().map(Session)
    };
    let mut sessions = source.database.rows(&sql, &parameters, read).tried(|| "ask the record".into())?;
    sessions.reverse();
    Ok(sessions)
}

impl Session {
    fn text(&self, column: &str) -> &str {
        let place = COLUMNS.iter().position(|name| *name == column);
        place.and_then(|place| self.0.get(place)).map(String::as_str).unwrap_or_default()
    }

    /// The number of the session, as documents have it.
    fn number(&self) -> &str {
        let id = self.text("id");
        id.split_once('-').map_or(id, |(_, number)| number)
    }

    /// What it came to: as its end told, or of a session that goes on, or was cut off, as its events do.
    fn summed(&self, source: &Source) -> Result<Summed, Failure> {
        if let Ok(summed) = serde_json::from_str(self.text("summary")) {
            return Ok(summed);
        }
        let mut summed = Summed { severity: self.text("severity").parse().unwrap_or_default(), ..Summed::default() };
        let sql = "SELECT action, tactics, techniques, CASE action WHEN 'write' THEN tags END, sum(repeated) FROM events \
                   WHERE session = ? GROUP BY 1, 2, 3, 4";
        let mut tactics = Vec::new();
        let mut read = |row: &Row<'_>| -> RowResult<()> {
            let texts = |column| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
            let (action, tags) = (texts(0)?, texts(3)?);
            if !matches!(&*action, "opened" | "closed") {
                *summed.actions.entry(Cow::Owned(action)).or_default() +=
                    u64::try_from(row.get::<_, i64>(4)?).unwrap_or_default();
            }
            let split =
                |text: &str| text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
            tactics.extend(split(&texts(1)?));
            summed.techniques.extend(split(&texts(2)?).into_iter().map(Cow::Owned));
            summed.written.extend(split(&tags));
            Ok(())
        };
        let id = Field::from(self.text("id").to_owned());
        source.database.rows(sql, &[id], &mut read).tried(|| "ask the record".into())?;
        summed.tactics =
            MATRIX.into_iter().filter(|name| tactics.iter().any(|t| t == name)).map(Cow::Borrowed).collect();
        Ok(summed)
    }

    fn document(&self, summed: &Summed) -> Value {
        let text = |column: &str| match self.text(column) {
            "" => Value::Null,
            text => Value::from(text),
        };
        let number = |column: &str| match self.text(column).parse::<u64>() {
            Ok(number) => Value::from(number),
            Err(_) => Value::Null,
        };
        let time = |column: &str| match self.text(column).split_once(' ') {
            Some((date, time)) => Value::from(format!("{date}T{time}Z")),
            None => Value::Null,
        };
        let mut document = json!({
            "session": self.number(), "install": text("install"), "site": text("site"), "device": text("device"),
            "profile": text("profile"), "protocol": text("protocol"), "transport": text("transport"),
            "source": end(self.text("source"), self.text("source_port")),
            "destination": end(self.text("destination"), self.text("destination_port")),
            "country": text("country"), "network": number("network"), "organization": text("organization"),
            "start": time("began"), "end": time("last_seen"), "ending": text("ending"),
            "seconds": self.text("seconds").parse::<f64>().ok(), "exchanges": number("exchanges"),
            "received": number("received"), "sent": number("sent"), "events": number("events"),
            "severity": number("severity"), "tactic": text("tactic"), "tool": text("tool"),
            "actions": summed.actions, "techniques": summed.techniques, "tactics": summed.tactics,
            "tags_written": summed.written, "tools": summed.tools,
        });
        if let Some(fields) = document.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        document
    }

    fn line(&self, summed: &Summed) -> String {
        let began = self.text("began").get(..19).unwrap_or_default();
        let source = end(self.text("source"), self.text("source_port"));
        let network = match self.text("network") {
            "" => String::new(),
            number => format!("AS{number} {}", self.text("organization")).trim_end().to_owned(),
        };
        let place = [self.text("country"), &network].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
        let place = if place.is_empty() { String::new() } else { format!(" ({})", place.join(", ")) };
        let (device, protocol) = (self.text("device"), self.text("protocol"));
        let mut line =
            format!("{began}  {}  {:>7}  {source:<21}{place} {device} {protocol}: ", self.number(), self.lasted());
        let actions: Vec<String> = summed.actions.iter().map(|(action, count)| format!("{action} {count}")).collect();
        line += &if actions.is_empty() { "nothing".to_owned() } else { actions.join(", ") };
        if !summed.written.is_empty() {
            line += &format!("; wrote {}", summed.written.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
        }
        line += &format!("  [{} events, severity {}", self.text("events"), self.text("severity"));
        for text in [self.text("tactic"), self.text("tool")].into_iter().filter(|text| !text.is_empty()) {
            line += &format!(", {text}");
        }
        line.push(']');
        if self.text("ending").is_empty() {
            line += "  (still open)";
        }
        // What an actor sent, or a file said, must not speak to the terminal.
        line.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
    }

    /// How long it lasted; nothing of one that has not ended.
    fn lasted(&self) -> String {
        let Ok(seconds) = self.text("seconds").parse::<f64>() else { return String::new() };
        match seconds as u64 {
            0..10 => format!("{seconds:.1}s"),
            whole @ 10..60 => format!("{whole}s"),
            whole @ 60..3600 => format!("{}m{:02}s", whole / 60, whole % 60),
            whole => format!("{}h{:02}m", whole / 3600, whole / 60 % 60),
        }
    }
}

fn end(address: &str, port: &str) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}
