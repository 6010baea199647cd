//! Which of the recorded events are meant, and in which record. Apart, because all commands that ask the record ask in the
//! same words.

use super::{Common, lines::Lines, shown, tell};
use crate::complaint::{Failure, Tried};
use honeyplant_record::{
    attack::{MATRIX, ROWS},
    database::{Database, Network, Value, moment},
};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use std::path::PathBuf;

/// Which events are meant; what is not given does not matter, and of several values of one option, one is enough.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Query {
    /// Not older than this: 30m, 12h, 7d, a date, or a time such as 2026-11-22T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Older than this, written alike; a date is its beginning, in UTC
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// From this address or network, such as 192.0.2.0/24
    #[arg(long, value_name = "ADDRESS")]
    source: Vec<Network>,
    /// From this country, such as DE, if the site knows where addresses are
    #[arg(long, value_name = "CODE")]
    country: Vec<String>,
    /// At the device of this name
    #[arg(long, value_name = "NAME")]
    device: Vec<String>,
    /// Of this protocol, such as modbus
    #[arg(long, value_name = "NAME")]
    protocol: Vec<String>,
    /// Of this kind, such as write
    #[arg(long, value_name = "KIND")]
    action: Vec<String>,
    /// That went so: success, failure or unknown
    #[arg(long, value_name = "OUTCOME", value_parser = ["success", "failure", "unknown"])]
    outcome: Vec<String>,
    /// At least so grave, from 0 to 10
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=10))]
    min_severity: Option<u8>,
    /// Of this ATT&CK technique, such as T0836
    #[arg(long, value_name = "ID")]
    technique: Vec<String>,
    /// Of this ATT&CK tactic, such as TA0106 or "Impair Process Control"
    #[arg(long, value_name = "TACTIC")]
    tactic: Vec<String>,
    /// About the tag of this name
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Of the session with this id
    #[arg(long, value_name = "ID")]
    session: Vec<String>,
    /// Of sessions with this tool, such as nmap; a part of its name is enough
    #[arg(long, value_name = "NAME")]
    tool: Vec<String>,
    /// Of logins with this name
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,
    /// With this in its message, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// Ask the documents in this file instead, a line each, of one sensor or of many; - is the standard input
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
    from: Option<PathBuf>,
    /// Ask this database of SQLite, where it is not the one in the state folder
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
}

/// The record that is asked.
pub(crate) struct Source {
    pub(crate) database: Database,
    /// What it is filled from; none if it is filled from the journal.
    lines: Option<Lines>,
    /// How many lines were no events.
    broken: usize,
}

/// Whether what comes later is asked as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Later {
    /// It is.
    Follow,
    /// What is there is enough.
    Ignore,
}

/// How large a database may become that is filled from a stream without an end.
const STREAM: u64 = 4 << 30;

/// A query as SQL.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    conditions: Vec<String>,
    parameters: Vec<Value>,
}

impl Query {
    /// Opens the record that is meant. It has all that was recorded until now; of a file, [`Source::more`] reads it.
    pub(crate) fn open(&self, common: &Common, later: Later) -> Result<Source, Failure> {
        if let Some(from) = &self.from {
            let mut database = Database::memory().tried(|| "make a database".into())?;
            if later == Later::Follow {
                database.keep_size(STREAM);
            }
            return Ok(Source { database, lines: Some(Lines::open(from, later)?), broken: 0 });
        }
        let database = match &self.database {
            Some(path) if !path.is_file() => {
                let hint = "name the file of a sink `sqlite`; without --database it is the one in the state folder";
                return Err(Failure::new(format!("there is no database {}", shown(path)), hint));
            }
            Some(path) => Database::open_file(&common.state, path),
            None if common.state.join("journal").is_dir() || common.state.join("honeyplant.db").is_file() => {
                Database::open(&common.state)
            }
            None => {
                return Err(Failure::new(
                    format!("there is no record in {}", shown(&common.state)),
                    "run `honeyplant run` first, or name the folder it ran with: --state DIR",
                ));
            }
        };
        Ok(Source { database: database.tried(|| "open the record".into())?, lines: None, broken: 0 })
    }

    /// The time that is meant: since `--since`, or else `since`, until `--until`, or else `now`.
    pub(crate) fn period(&self, now: Timestamp, since: &str) -> Result<(Timestamp, Timestamp), Failure> {
        let until = self.until.as_deref().map_or(Ok(now), |text| time(text, now))?;
        let since = match &self.since {
            Some(text) => time(text, now)?,
            None => time(since, until)?,
        };
        if since < until {
            return Ok((since, until));
        }
        let hint = "--since must be before --until, and both before now unless you name both";
        Err(Failure::new(format!("there is no time between {since} and {until}"), hint))
    }

    /// The same query of another time.
    pub(crate) fn during(&self, since: Timestamp, until: Timestamp) -> Self {
        Self { since: Some(since.to_string()), until: Some(until.to_string()), ..self.clone() }
    }

    /// What the query names besides the time, in words.
    pub(crate) fn words(&self) -> Vec<String> {
        // An address is a network of one.
        let short = |text: String| match text.split_once('/') {
            Some((address, "128")) => address.to_owned(),
            Some((address, "32")) if address.contains('.') => address.to_owned(),
            _ => text,
        };
        let sources: Vec<String> = self.source.iter().map(|network| short(network.to_string())).collect();
        let lists = [
            ("source", &sources),
            ("country", &self.country),
            ("device", &self.device),
            ("protocol", &self.protocol),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("technique", &self.technique),
            ("tactic", &self.tactic),
            ("tag", &self.tag),
            ("session", &self.session),
            ("tool", &self.tool),
            ("user", &self.user),
            ("text", &self.text),
        ];
        let named = lists.into_iter().filter(|(_, values)| !values.is_empty());
        let mut words: Vec<String> = named.map(|(name, values)| format!("{name} {}", values.join(" or "))).collect();
        words.extend(self.min_severity.map(|least| format!("severity {least} or more")));
        words
    }

    /// The query as conditions on `e`, a row of `events`, with times counted back from `now`.
    pub(crate) fn filter(&self, now: Timestamp) -> Result<Filter, Failure> {
        let mut filter = Filter::default();
        for (text, comparison) in [(&self.since, ">="), (&self.until, "<")] {
            if let Some(text) = text {
                filter.any(&[moment(time(text, now)?)], &format!("e.at {comparison} ?"));
            }
        }
        let networks: Vec<Value> = self.source.iter().map(|network| Value::from(network.to_string())).collect();
        filter.any(&networks, "within(e.source, ?)");
        let texts = |texts: &[String]| texts.iter().map(|text| Value::from(text.clone())).collect::<Vec<_>>();
        let upper: Vec<String> = self.country.iter().map(|code| code.to_uppercase()).collect();
        filter.any(&texts(&upper), "e.source IN (SELECT address FROM actors WHERE country = ?)");
        filter.any(&texts(&self.device), "e.device = ?");
        filter.any(&texts(&self.protocol), "e.protocol = ?");
        filter.any(&texts(&self.action), "e.action = ?");
        filter.any(&texts(&self.outcome), "e.outcome = ?");
        if let Some(least) = self.min_severity {
            filter.any(&[Value::from(i64::from(least))], "e.severity >= ?");
        }
        let upper: Vec<String> = self.technique.iter().map(|id| id.to_uppercase()).collect();
        filter.any(&texts(&upper), "instr(',' || e.techniques || ',', ',' || ? || ',') > 0");
        let tactics = self.tactic.iter().map(|text| tactic(text)).collect::<Result<Vec<_>, _>>()?;
        filter.any(&tactics, "instr(',' || e.tactics || ',', ',' || ? || ',') > 0");
        filter.any(&texts(&self.tag), "instr(',' || e.tags || ',', ',' || ? || ',') > 0");
        // As the documents have it, or with the install, as the database has it.
        let sessions = "SELECT id FROM sessions WHERE ? IN (id, substr(id, instr(id, '-') + 1))";
        filter.any(&texts(&self.session), &format!("e.session IN ({sessions})"));
        let sessions = "SELECT id FROM sessions WHERE instr(lower(tool), lower(?)) > 0";
        filter.any(&texts(&self.tool), &format!("e.session IN ({sessions})"));
        let logins = "SELECT install, sequence FROM logins WHERE user_name = ?";
        filter.any(&texts(&self.user), &format!("(e.install, e.sequence) IN ({logins})"));
        filter.any(&texts(&self.text), "instr(lower(e.message), lower(?)) > 0");
        Ok(filter)
    }
}

impl Source {
    /// Takes in what has come since: of the journal all that there is, of a stream what can be had at once. False at the
    /// end of a stream, when there will be no more.
    pub(crate) fn more(&mut self) -> Result<bool, Failure> {
        match &mut self.lines {
            None => self.database.refresh().tried(|| "read the record".into()).map(|()| true),
            Some(lines) => {
                let batch = lines.next()?;
                let texts = batch.iter().map(String::as_str);
                self.broken += self.database.add(texts).tried(|| "take in the documents".into())?;
                Ok(!batch.is_empty())
            }
        }
    }

    /// Takes in all of a file or stream.
    pub(crate) fn fill(&mut self) -> Result<(), Failure> {
        while self.lines.is_some() && self.more()? {}
        Ok(())
    }

    /// Whether it is the record of an install, to which more may come at any time.
    pub(crate) const fn is_journal(&self) -> bool {
        self.lines.is_none()
    }

    /// The row of `events` that was entered last; 0 if there is none.
    pub(crate) fn newest(&self) -> Result<i64, Failure> {
        let rows = self.database.rows("SELECT coalesce(max(rowid), 0) FROM events", &[], |row| row.get(0));
        rows.tried(|| "ask the record".into()).map(|rows| rows.first().copied().unwrap_or_default())
    }

    /// Tells the operator what could not be asked.
    pub(crate) fn complain(&self) {
        match self.broken {
            0 => {}
            1 => tell("one line was no event of honeyplant and was passed over"),
            several => tell(&format!("{several} lines were no events of honeyplant and were passed over")),
        }
    }
}

impl Filter {
    /// One more condition: that `condition` holds for one of the values. It has one `?`.
    pub(crate) fn any(&mut self, values: &[Value], condition: &str) {
        if !values.is_empty() {
            self.conditions.push(format!("({})", vec![condition; values.len()].join(" OR ")));
            self.parameters.extend_from_slice(values);
        }
    }

    /// Other values for the last conditions.
    pub(crate) fn replace(&mut self, values: &[Value]) {
        self.parameters.truncate(self.parameters.len().saturating_sub(values.len()));
        self.parameters.extend_from_slice(values);
    }

    /// Whether every event is meant.
    pub(crate) const fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// What stands behind WHERE.
    pub(crate) fn sql(&self) -> String {
        if self.is_empty() { "true".to_owned() } else { self.conditions.join(" AND ") }
    }

    /// What stands for the question marks of it.
    pub(crate) fn parameters(&self) -> &[Value] {
        &self.parameters
    }
}

/// The moment that `text` means.
fn time(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let ago = || {
        let days = || SignedDuration::from_hours(text.strip_suffix('d')?.parse::<i64>().ok()?.checked_mul(24)?).into();
        now.checked_sub(text.parse::<SignedDuration>().ok().or_else(days)?).ok()
    };
    let local = |at: civil::DateTime| at.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    let found = ago().or_else(|| text.parse().ok()).or_else(|| text.parse().ok().and_then(local));
    found.ok_or_else(|| {
        Failure::new(format!("`{text}` is no time"), "write it as 30m, 12h, 7d, 2026-11-22 or 2026-11-22T08:00:00Z")
    })
}

/// The name of the tactic that is called `text`, in whatever spelling, or has it as its id.
fn tactic(text: &str) -> Result<Value, Failure> {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_'], " ");
    let tactics = ROWS.iter().flat_map(|row| row.techniques).map(|technique| technique.tactic);
    let by_id = tactics.clone().find(|tactic| tactic.id.eq_ignore_ascii_case(text)).map(|tactic| tactic.name);
    let name = by_id.or_else(|| MATRIX.into_iter().find(|name| plain(name) == plain(text)));
    name.map(|name| Value::from(name.to_owned())).ok_or_else(|| {
        Failure::new(format!("`{text}` is no tactic of ATT&CK for ICS"), format!("there are {}", MATRIX.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: &str = r#"{"@timestamp":"2026-11-22T07:00:00.000000Z","event":{"id":"0123abcd-1","sequence":1,"action":"write",
        "outcome":"success","severity":8},"message":"127.0.0.1 at plc wrote Level","source":{"ip":"192.0.2.1","port":1,"geo":
        {"country_iso_code":"DE"}},"destination":{"ip":"192.0.2.9","port":502},"network":{"protocol":"modbus","transport":"tcp"},
        "threat":{"tactic":{"name":["Impair Process Control"]},"technique":{"id":["T0836","T0855"]}},"honeyplant":{"site":"s",
        "device":{"name":"plc","profile":"p"},"tags":["level"],"session":{"id":"1a"},"tool":{"name":"nmap x"}}}"#;

    fn takes(query: &Query) -> bool {
        let now: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let mut database = Database::memory().unwrap();
        assert_eq!(database.add([WRITE]).unwrap(), 0);
        let filter = query.filter(now).unwrap();
        let sql = format!("SELECT 1 FROM events e WHERE {}", filter.sql());
        database.rows(&sql, filter.parameters(), |_| Ok(())).unwrap().len() == 1
    }

    fn query(arguments: &[&str]) -> Query {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            query: Query,
        }
        <Line as clap::Parser>::parse_from(["honeyplant"].iter().chain(arguments)).query
    }

    #[test]
    fn a_query_takes_what_it_names_and_nothing_else() {
        for (arguments, wanted) in [
            ("", true),
            ("--since 2h --action read --action write", true),
            ("--since 30m", false),
            ("--since 2026-11-22T07:30:00Z", false),
            ("--since 2026-11-22 --until 2026-11-22T07:00:01", true),
            ("--until 2026-11-22", false),
            ("--tag level --technique t0836", true),
            ("--tag leve", false),
            ("--source 192.0.2.1", true),
            ("--source 192.0.2.2", false),
            ("--source 10.0.0.0/8 --source 192.0.2.0/24", true),
            ("--country de", true),
            ("--country FR", false),
            ("--device rtu", false),
            ("--outcome failure", false),
            ("--min-severity 8", true),
            ("--min-severity 9", false),
            ("--tactic ta0106", true),
            ("--tactic impair-process-control", true),
            ("--tactic collection", false),
            ("--session 1a", true),
            ("--session 0123abcd-1a", true),
            ("--session 1b", false),
            ("--tool NMAP", true),
            ("--tool zgrab", false),
            ("--user admin", false),
            ("--text LEVEL", true),
            ("--text nothing", false),
        ] {
            assert_eq!(takes(&query(&arguments.split_whitespace().collect::<Vec<_>>())), wanted, "{arguments}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        let now = Timestamp::UNIX_EPOCH;
        let told = |query: Query| query.filter(now).unwrap_err().to_string();
        assert!(told(Query { since: Some("soon".into()), ..Query::default() }).contains("12h"));
        assert!(told(Query { tactic: vec!["Mischief".into()], ..Query::default() }).contains("Impact"));
    }
}
