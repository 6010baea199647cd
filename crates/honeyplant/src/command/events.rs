//! `honeyplant events`: what was recorded, one line an event.

use super::{
    Common, csv,
    query::{Filter, Later, Query, Source},
};
use crate::complaint::{Failure, Tried};
use honeyplant_record::{
    database::{Row, RowResult, Value, ValueRef},
    document::Document,
    sink::{Colour, line},
};
use jiff::Timestamp;
use std::{
    fmt::Display,
    io::{self, BufWriter, IsTerminal, StdoutLock, Write},
    ops::ControlFlow,
    thread,
    time::Duration,
};

/// Show what was recorded.
///
/// The embedded database is asked, after it was brought up to date with the journal; a site that has none is asked by its
/// journal alone.
#[derive(clap::Args)]
pub(crate) struct Events {
    #[command(flatten)]
    query: Query,
    /// Only the last N of them
    #[arg(long, value_name = "N")]
    last: Option<u32>,
    /// Go on with what is recorded from then on
    #[arg(long, short)]
    follow: bool,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// How often a record that is followed is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// What a line of comma-separated values has, as `docs/databases.md` explains it.
const COLUMNS: &str = "at, install, sequence, session, site, device, protocol, source, action, outcome, severity, \
     operation, tags, old_values, new_values, techniques, tactics, sha256, repeated, message";

impl Events {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let mut filter = self.query.filter(Timestamp::now())?;
        // Rows are entered in the order in which they are shown.
        filter.any(&[Value::from(0)], "e.rowid > ?");
        filter.any(&[Value::from(0)], "e.rowid <= ?");
        let later = if self.follow { Later::Follow } else { Later::Ignore };
        let mut source = self.query.open(common, later)?;
        let mut page = Page::new(self.form(common));
        if later == Later::Ignore {
            source.fill()?;
        }
        let (mut last, mut shown) = (self.last, 0);
        loop {
            let newest = source.newest()?;
            if newest > shown {
                filter.replace(&[Value::from(shown), Value::from(newest)]);
                show(&source, &filter, &mut page, last)?;
                shown = newest;
            } else if source.is_journal() && self.follow {
                thread::sleep(LOOK);
            }
            page.flush();
            last = None;
            if !self.follow || !source.more()? {
                break;
            }
        }
        source.complain();
        Ok(())
    }

    fn form(&self, common: &Common) -> Form {
        match (common.json, self.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Text(if io::stdout().is_terminal() { Colour::On } else { Colour::Off }),
        }
    }
}

/// Shows the events that are meant.
fn show(source: &Source, filter: &Filter, page: &mut Page, last: Option<u32>) -> Result<(), Failure> {
    let columns = if page.form == Form::Csv { COLUMNS } else { "document" };
    let wanted = filter.sql();
    let sql = match last {
        Some(last) => format!(
            "SELECT {columns} FROM (SELECT e.rowid AS place, e.* FROM events e WHERE {wanted} ORDER BY e.rowid DESC \
             LIMIT {last}) ORDER BY place"
        ),
        None => format!("SELECT {columns} FROM events e WHERE {wanted} ORDER BY e.rowid"),
    };
    let read = |row: &Row<'_>| page.show(row).map(|()| ControlFlow::Continue(()));
    source.database.each(&sql, filter.parameters(), read).tried(|| "ask the record".into())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text(Colour),
    Json,
    Csv,
}

/// What is printed.
struct Page {
    out: BufWriter<StdoutLock<'static>>,
    form: Form,
    /// The date that was shown last.
    day: String,
}

impl Page {
    fn new(form: Form) -> Self {
        let mut page = Self { out: BufWriter::new(io::stdout().lock()), form, day: String::new() };
        if form == Form::Csv {
            page.print(csv::line(COLUMNS.split(", ")));
        }
        page
    }

    fn show(&mut self, row: &Row<'_>) -> RowResult<()> {
        match self.form {
            Form::Json => self.print(row.get_ref(0)?.as_str().unwrap_or_default()),
            Form::Csv => {
                let values = (0..COLUMNS.split(", ").count()).map(|column| row.get_ref(column).map(cell));
                let values = values.collect::<RowResult<Vec<_>>>()?;
                self.print(csv::line(values.iter().map(String::as_str)));
            }
            Form::Text(colour) => self.show_text(row.get_ref(0)?.as_str().unwrap_or_default(), colour),
        }
        Ok(())
    }

    /// Shows one event, below its date if that is another than the one before.
    fn show_text(&mut self, document: &str, colour: Colour) {
        let Ok(document) = serde_json::from_str::<Document<'_>>(document) else { return };
        let stamp = document.timestamp.to_string();
        let date = stamp.get(..10).unwrap_or_default();
        if date != self.day {
            date.clone_into(&mut self.day);
            self.print(format_args!("--- {date} (UTC)"));
        }
        let mut text = String::new();
        line(&mut text, &document, colour);
        self.print(text);
    }

    /// A reader that has gone away, as `head` does, is no failure: the process ends quietly.
    fn print(&mut self, line: impl Display) {
        if writeln!(self.out, "{line}").is_err() {
            std::process::exit(0);
        }
    }

    fn flush(&mut self) {
        if self.out.flush().is_err() {
            std::process::exit(0);
        }
    }
}

/// A value of the database as a text.
pub(super) fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}
