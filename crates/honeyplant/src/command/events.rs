//! `honeyplant events`: what was recorded, one line an event.

use super::{Common, query::Query, record, say};
use crate::complaint::{Failure, Tried};
use honeyplant_record::{
    document::Document,
    sink::{Colour, Entry, line},
};
use jiff::Timestamp;
use std::{collections::VecDeque, io::IsTerminal, thread, time::Duration};

/// Show what was recorded.
#[derive(clap::Args)]
pub(crate) struct Events {
    #[command(flatten)]
    query: Query,
    /// Only the last N of them
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// Go on with what is recorded from then on
    #[arg(long, short)]
    follow: bool,
}

/// How many lines are read before any is shown.
const BATCH: usize = 1024;

/// How often a record that is followed is looked at.
const LOOK: Duration = Duration::from_millis(100);

impl Events {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let filter = self.query.filter(Timestamp::now())?;
        let mut reader = record(common)?;
        let mut kept = VecDeque::new();
        let mut batch = Vec::new();
        let mut day = String::new();
        loop {
            reader.read(&mut batch, BATCH).tried(|| "read the record".into())?;
            let at_end = batch.is_empty();
            for entry in batch.drain(..) {
                let Ok(document) = serde_json::from_str(&entry.line) else { continue };
                if filter.takes(&document) {
                    kept.push_back(entry);
                }
                if self.last.is_some_and(|last| kept.len() > last) {
                    kept.pop_front();
                }
            }
            if self.last.is_none() || at_end {
                kept.drain(..).for_each(|entry| show(&entry, common, &mut day));
            }
            match (at_end, self.follow) {
                (false, _) => {}
                (true, false) => return Ok(()),
                (true, true) => thread::sleep(LOOK),
            }
        }
    }
}

/// Shows one event, below its date if that is another than the one before.
fn show(entry: &Entry, common: &Common, day: &mut String) {
    if common.json {
        return say(&entry.line);
    }
    let Ok(document) = serde_json::from_str::<Document<'_>>(&entry.line) else { return };
    let date = entry.line.split_once("\"@timestamp\":\"").and_then(|(_, rest)| rest.get(..10)).unwrap_or_default();
    if date != day {
        date.clone_into(day);
        say(format_args!("--- {date} (UTC)"));
    }
    let mut text = String::new();
    line(&mut text, &document, if std::io::stdout().is_terminal() { Colour::On } else { Colour::Off });
    say(text);
}
