//! `honeyplant plant`: the plant of a site run ahead of time, for its author. Apart, because here nobody keeps time but a
//! loop: days pass in seconds.

mod page;
mod series;

use super::{Common, Ready, ready, say, shown};
use crate::{
    complaint::{Failure, Tried},
    process,
    site::Built,
};
use honeyplant_core::{
    plant::Value,
    settings::{Period, Problem},
    works::{Terminal, Works},
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, json};
use series::Series;
use std::{
    path::PathBuf,
    str::FromStr,
    time::{Duration, Instant, SystemTime},
};

/// Run the plant of a site ahead of time, and show its tags.
///
/// Nothing listens and nothing is recorded: the process and the programs of the devices run from their initial state, as
/// fast as the machine can. Without --csv, --html or --json it prints a line for each tag.
#[derive(clap::Args)]
pub(crate) struct Plant {
    /// The folder of the site; the demo site if it is not given
    #[arg(value_name = "SITE")]
    site: Option<PathBuf>,
    /// How long it runs, such as 6h or 30d
    #[arg(long = "for", value_name = "TIME", default_value = "24h", value_parser = period)]
    length: Duration,
    /// How often the tags are looked at
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = period)]
    every: Duration,
    /// When it starts, such as 2026-06-01T00:00:00Z; the last midnight if it is not given
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Which tags are shown: process tags by name, those of a device as DEVICE.TAG; a * at the end stands for anything
    #[arg(long, value_name = "TAG,…", value_delimiter = ',')]
    tags: Vec<String>,
    /// Do something meanwhile: TIME:TAG=VALUE writes a tag, TIME:DEVICE=stop, run or restart commands a CPU
    #[arg(long, value_name = "TIME:TAG=VALUE")]
    set: Vec<Intervention>,
    /// Print comma-separated values, a line for each look
    #[arg(long, conflicts_with = "html")]
    csv: bool,
    /// Write a page with a curve for each tag
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Something that is done to the plant at a time of its run.
#[derive(Clone, Debug)]
struct Intervention {
    after: Duration,
    target: String,
    what: String,
}

impl FromStr for Intervention {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':').and_then(|(time, rest)| Some((time, rest.split_once('=')?)));
        let (time, (target, what)) = parts.ok_or("write it as 6h:plc-intake.pump_1_manual=1")?;
        Ok(Self { after: period(time)?, target: target.to_owned(), what: what.to_owned() })
    }
}

/// An intervention whose target was found.
enum Action {
    Write(Terminal, Value),
    Stop(usize),
    Run(usize),
    Restart(usize),
}

fn period(text: &str) -> Result<Duration, String> {
    match Period::try_from(text.to_owned())?.0 {
        Duration::ZERO => Err("it must be more than nothing".to_owned()),
        period => Ok(period),
    }
}

/// A run is looked at this often at most: more than can be shown or kept.
const MOST_LOOKS: u128 = 5_000_000;

impl Plant {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let Ready { site, built, .. } = ready(self.site.as_deref(), common)?;
        if self.length.as_nanos() / self.every.as_nanos() > MOST_LOOKS {
            return Err(Failure::new(format!("that is more than {MOST_LOOKS} looks"), "look less often with --every"));
        }
        let mut series = self.choose(&built)?;
        let mut actions = self.actions(&built)?;
        actions.sort_by_key(|(after, _)| *after);
        let midnight = Timestamp::now().to_zoned(TimeZone::UTC).start_of_day().tried(|| "tell the date".into())?;
        let from = self.from.unwrap_or_else(|| midnight.timestamp());
        let start = Instant::now();
        let mut works = built.start(start, SystemTime::from(from));
        let (mut at, mut actions, mut faults) = (Duration::ZERO, actions.into_iter().peekable(), Vec::new());
        if self.csv {
            let names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
            say(format_args!("time,{}", names.join(",")));
        }
        loop {
            while let Some((after, action)) = actions.next_if(|(after, _)| *after <= at) {
                pass(&mut works, start + after, from, start, &mut faults);
                act(&built, action, start + after);
            }
            pass(&mut works, start + at, from, start, &mut faults);
            self.look(&built, &mut series, start + at, from + at, common);
            if at >= self.length {
                break;
            }
            at = (at + self.every).min(self.length);
        }
        let mut notes = faults;
        notes.extend(series.iter().filter_map(|series| series.strayed(from)));
        if let Some(file) = &self.html {
            let page = page::page(&site.name, from, self.length, &series, &notes);
            std::fs::write(file, page).tried(|| format!("write {}", shown(file)))?;
            say(format_args!("{} is written", shown(file)));
        } else if !self.csv && !common.json {
            let width = series.iter().map(|series| series.name.len()).max().unwrap_or_default();
            say(format_args!("{:width$}  {:>10} {:>10} {:>10} {:>10}", "tag", "least", "mean", "most", "last"));
            series.iter().for_each(|series| say(series.line(width)));
        }
        notes.iter().for_each(|note| super::tell(note));
        Ok(())
    }

    /// The tags to be shown.
    fn choose(&self, built: &Built) -> Result<Vec<Series>, Failure> {
        let mut all = Vec::new();
        for (number, device) in built.devices.iter().enumerate() {
            let plant = device.still();
            for name in plant.names() {
                let Some(tag) = plant.find(name) else { continue };
                let full = if device.name() == process::PROCESS {
                    name.to_owned()
                } else {
                    format!("{}.{name}", device.name())
                };
                let terminal = Terminal { device: number, tag };
                all.push(Series::new(full, terminal, plant.unit_of(tag), plant.range_of(tag)));
            }
        }
        if self.tags.is_empty() {
            return Ok(all);
        }
        let mut failure = Failure::default();
        for wanted in &self.tags {
            if !all.iter().any(|series| fits(wanted, &series.name)) {
                let problem = Problem::unknown("", "tag", wanted, all.iter().map(|series| series.name.as_str()));
                failure.0.push(format!("error: {problem}"));
            }
        }
        failure.check()?;
        let place = |series: &Series| self.tags.iter().position(|wanted| fits(wanted, &series.name));
        all.retain(|series| place(series).is_some());
        all.sort_by_key(|series| place(series));
        Ok(all)
    }

    /// What is to be done, with its targets found.
    fn actions(&self, built: &Built) -> Result<Vec<(Duration, Action)>, Failure> {
        let (mut actions, mut failure) = (Vec::new(), Failure::default());
        for Intervention { after, target, what } in &self.set {
            let device = built.devices.iter().position(|device| device.name() == target);
            let action = match (device, what.as_str()) {
                (Some(device), "stop") => Ok(Action::Stop(device)),
                (Some(device), "run") => Ok(Action::Run(device)),
                (Some(device), "restart") => Ok(Action::Restart(device)),
                (Some(_), _) => Err(format!("error: a device is told stop, run or restart, not `{what}`")),
                (None, _) => process::find("--set", target, &built.devices)
                    .map(|terminal| Action::Write(terminal, value(what)))
                    .map_err(|problem| format!("error: {}", Problem { key: String::new(), ..problem })),
            };
            match action {
                Ok(action) => actions.push((*after, action)),
                Err(why) => failure.0.push(why),
            }
        }
        failure.check().map(|()| actions)
    }

    /// Looks at all tags.
    fn look(&self, built: &Built, series: &mut [Series], now: Instant, clock: Timestamp, common: &Common) {
        let (mut line, mut object) = (String::new(), Map::new());
        for series in series {
            let Some(device) = built.devices.get(series.terminal.device) else { continue };
            let value = device.plant(now).get(series.terminal.tag);
            if self.csv {
                line += &format!(",{}", field(&value));
            } else if common.json {
                object.insert(series.name.clone(), json!(value));
            }
            series.add(&value, clock);
        }
        if self.csv {
            say(format_args!("{clock}{line}"));
        } else if common.json {
            say(json!({ "@timestamp": clock.to_string(), "tags": object }));
        }
    }
}

/// Lets time pass until `until`.
fn pass(works: &mut Works, until: Instant, from: Timestamp, start: Instant, faults: &mut Vec<String>) {
    while let Some(next) = works.next().filter(|next| *next <= until) {
        works.advance(next, |device, fault| {
            let at = from + next.saturating_duration_since(start);
            faults.push(format!("{at}: the CPU of {} stopped: {fault}", device.name()));
        });
    }
}

fn act(built: &Built, action: Action, now: Instant) {
    let device = |number: usize| built.devices.get(number);
    match action {
        Action::Write(Terminal { device: number, tag }, value) => {
            if let Some(device) = device(number) {
                device.plant(now).set(tag, value);
            }
        }
        Action::Stop(number) => device(number).into_iter().for_each(|device| device.stop(now)),
        Action::Run(number) => {
            device(number).into_iter().for_each(|device| device.run(honeyplant_core::cpu::Start::Hot, now))
        }
        Action::Restart(number) => device(number).into_iter().for_each(|device| device.restart(now)),
    }
}

/// Whether the tag called `name` is meant by `wanted`.
fn fits(wanted: &str, name: &str) -> bool {
    wanted.strip_suffix('*').map_or_else(|| wanted == name, |start| name.starts_with(start))
}

fn value(text: &str) -> Value {
    match text {
        "true" | "on" => Value::Bool(true),
        "false" | "off" => Value::Bool(false),
        text => text.parse().map_or_else(|_| Value::Text(text.into()), Value::Real),
    }
}

/// A value as comma-separated values have it.
fn field(value: &Value) -> String {
    match value {
        Value::Bool(bit) => u8::from(*bit).to_string(),
        Value::Text(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        Value::Uint(_) | Value::Int(_) => value.to_string(),
        // A REAL is told with the digits that it has.
        Value::Real(number) if f64::from(*number as f32) == *number => (*number as f32).to_string(),
        Value::Real(number) => number.to_string(),
    }
}
