//! Measures what the database costs: `cargo run --release -p honeyplant-record --example sqlite [FOLDER]`. Apart from the
//! tests, because a figure is no assertion.

mod work;

use honeyplant_core::settings::Settings;
use honeyplant_record::{
    Journal, JournalSettings, Reader,
    database::Database,
    meaning::Meaning,
    sink::{Home, SINKS, Sink},
};
use std::{
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use work::{cpu::cpu, event, observer, session};

const EVENTS: u32 = 1_000_000;
const SESSIONS: u32 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("honeyplant-measure"), PathBuf::from);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    measure("the journal alone", || record(&folder, None))?;
    measure("SQLite from the journal", || deliver(&folder, ""))?;
    measure("the same at its size", || deliver(&folder, "path = 'full.db'\nkeep-size = '200 MiB'\n"))?;
    measure("SQLite without a file", || fill(&folder))?;
    fs::remove_dir_all(&folder)?;
    fs::create_dir_all(&folder)?;
    measure("journal and SQLite at once", || record(&folder, Some(sink(&folder, "")?)))?;
    let database = Database::open(&folder)?;
    let count = database.rows("SELECT count(*) FROM events", &[], |row| row.get::<_, i64>(0))?;
    writeln!(io::stdout(), "{count:?} events, {} bytes", fs::metadata(folder.join("honeyplant.db"))?.len())?;
    Ok(())
}

fn sink(folder: &Path, settings: &str) -> Result<Box<dyn Sink>, Box<dyn Error>> {
    let kind = SINKS.iter().find(|kind| kind.name() == "sqlite").ok_or("there is no such sink")?;
    let settings = Settings::parse(settings).map_err(|_| "wrong settings")?;
    let sink = kind.build(&settings, &Home { state: folder, observer: &observer(), name: "sqlite" });
    Ok(sink.map_err(|_| "wrong settings")?)
}

/// What the follower of the sink does.
fn deliver(folder: &Path, settings: &str) -> Result<(), Box<dyn Error>> {
    let (mut sink, mut reader, mut batch) = (sink(folder, settings)?, Reader::open(folder, 0), Vec::new());
    loop {
        batch.clear();
        reader.read(&mut batch, sink.pace().most)?;
        if batch.is_empty() {
            return Ok(());
        }
        sink.deliver(&batch)?;
    }
}

fn record(folder: &Path, sink: Option<Box<dyn Sink>>) -> Result<(), Box<dyn Error>> {
    let (journal, _) = Journal::open(folder, &JournalSettings::default(), observer(), Meaning::default(), |_| {})?;
    if let Some(sink) = sink {
        journal.follow("sqlite", honeyplant_record::sink::Start::Beginning, sink)?;
    }
    let sessions: Vec<_> = (0..SESSIONS).map(session).collect();
    for start in (0..EVENTS).step_by(16) {
        while journal.is_full() {
            thread::sleep(Duration::from_millis(1));
        }
        let one = |number: u32| sessions.get((number / 16 % SESSIONS) as usize).map(|session| event(session, number));
        journal.record(&mut (start..start + 16).filter_map(one).collect());
    }
    journal.finish(Duration::from_secs(120))?;
    Ok(())
}

fn measure(what: &str, run: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let (begun, burnt) = (Instant::now(), cpu());
    run()?;
    let (took, burnt) = (begun.elapsed(), cpu() - burnt);
    let rate = f64::from(EVENTS) / took.as_secs_f64();
    let memory = memory();
    writeln!(io::stdout(), "{what:28} {rate:>9.0} events/s, {burnt:5.2} s of processor, {memory}")?;
    Ok(())
}

/// The memory of this process, and the most that it has had, where the system tells it.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}

/// What the command line does where a site has no database.
fn fill(folder: &Path) -> Result<(), Box<dyn Error>> {
    Database::open_file(folder, &folder.join("none.db"))?;
    Ok(())
}
