//! Measures what recording costs: `cargo run --release -p honeyplant-record --example measure [FOLDER]`. Apart from the
//! tests, because a figure is no assertion.

mod work;

use honeyplant_core::event::Session;
use honeyplant_record::{Composer, Journal, JournalSettings, meaning::Meaning};
use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use work::{cpu::cpu, event, observer, session};

const EVENTS: u32 = 1_000_000;
const BATCH: u32 = 16;

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("honeyplant-measure"), PathBuf::from);
    let session = session(7);
    let mut composer = Composer::new(observer());
    let mut line = Vec::new();
    let sample = event(&session, 3);
    let begun = Instant::now();
    for sequence in 0..u64::from(EVENTS) {
        line.clear();
        serde_json::to_writer(&mut line, &composer.compose(&sample, sequence))?;
    }
    tell("composed and serialised", begun.elapsed(), 0.0, &format!("{} bytes each", line.len()))?;
    for (what, distinct) in [("identical", false), ("distinct", true)] {
        for pause in [Duration::ZERO, Duration::from_micros(200)] {
            run(&folder, &session, what, distinct, pause)?;
        }
    }
    Ok(())
}

/// With a pause after each batch, it is what a server does; without one, what the writer can do.
fn run(folder: &PathBuf, session: &Arc<Session>, what: &str, distinct: bool, pause: Duration) -> io::Result<()> {
    let _ = fs::remove_dir_all(folder);
    let (journal, _) = Journal::open(folder, &JournalSettings::default(), observer(), Meaning::default(), |_| {})?;
    let (mut batch, mut pushing) = (Vec::new(), Duration::ZERO);
    let (begun, burnt) = (Instant::now(), cpu());
    for number in 0..EVENTS / BATCH {
        while journal.is_full() {
            thread::sleep(Duration::from_millis(1));
        }
        batch.extend((0..BATCH).map(|n| event(session, if distinct { number * BATCH + n } else { 0 })));
        let before = Instant::now();
        journal.record(&mut batch);
        pushing += before.elapsed();
        if !pause.is_zero() {
            thread::sleep(pause);
        }
    }
    journal.finish(Duration::from_secs(60))?;
    let each = pushing.as_nanos() / u128::from(EVENTS);
    let how = if pause.is_zero() { "at once" } else { "as they come" };
    tell(&format!("{what}, {how}"), begun.elapsed(), cpu() - burnt, &format!("{each} ns each in record()"))
}

fn tell(what: &str, took: Duration, cpu: f64, more: &str) -> io::Result<()> {
    let rate = f64::from(EVENTS) / took.as_secs_f64();
    writeln!(io::stdout(), "{what:24} {rate:>10.0} events/s, {cpu:5.2} s of processor, {more}")
}
