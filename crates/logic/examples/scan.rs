//! Measures what a scan costs: `cargo run --release -p honeyplant-logic --example scan PROGRAM.st [SCANS]`. The program
//! has to declare its tags itself (VAR_GLOBAL). Apart from the tests, because a figure is no assertion.

use honeyplant_core::plant::{Image, Layout, Moment, Plant, Program, Rest, Sizes};
use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

/// The time between two scans.
const PERIOD: Duration = Duration::from_millis(100);

#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or_else(|| io::Error::other("which program?"))?;
    let scans: u32 = arguments.next().and_then(|scans| scans.parse().ok()).unwrap_or(1_000_000);
    let sizes = Sizes { layout: Layout::S7, inputs: 1024, outputs: 1024, memory: 8192, ..Sizes::default() };
    let mut plant = Plant::new(Image::new(&sizes).map_err(|(key, why)| io::Error::other(format!("{key}: {why}")))?);
    let text = std::fs::read_to_string(&path)?;

    let start = Instant::now();
    let compiled = honeyplant_logic::compile(&text, &mut plant).map_err(|problems| {
        let line = |at: usize| text.bytes().take(at).filter(|octet| *octet == b'\n').count() + 1;
        let told = problems.iter().map(|p| format!("{path}:{}: {p}\n", line(p.span.as_ref().map_or(0, |s| s.start))));
        io::Error::other(format!("\n{}", told.collect::<String>()))
    })?;
    let (compiling, mut task) = (start.elapsed(), compiled.start(1));

    let (start, mut next, mut until, mut still) = (Instant::now(), 0, 0, 0);
    for scan in 0..scans {
        let uptime = PERIOD * scan;
        let at = Moment { uptime, clock: Duration::from_secs(1_700_000_000) + uptime };
        match task.scan(&mut plant, at).map_err(|fault| io::Error::other(fault.to_string()))? {
            Rest::Next => next += 1,
            Rest::Until(_) => until += 1,
            Rest::Still => still += 1,
        }
    }
    let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(scans);
    writeln!(io::stdout(), "compiled in {compiling:.1?}; {each:.0} ns a scan over {scans} scans")?;
    writeln!(io::stdout(), "{next} ask for the next scan, {until} for a later one, {still} for none")
}
