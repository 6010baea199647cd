//! Metrics for Prometheus, which comes and takes them. Apart, because nothing is carried anywhere: what is delivered is
//! counted.

mod counts;
mod exposition;
mod process;
mod server;

use super::{Entry, Home, Pace, Sink, SinkError, SinkKind, Start};
use crate::follow::Standing;
use counts::Counts;
use exposition::{Family, Format, Labels};
use honeyplant_core::settings::{Problem, Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use server::{Page, Server};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A page of metrics, at `/metrics`, in Prometheus' text format or as OpenMetrics. Take it for dashboards and alarms, and to
/// watch honeyplant itself: how far each sink is behind, its memory, its files.
///
/// It is a server: Prometheus connects to it. By default only this machine can. It must never be where an actor can reach it,
/// since it would tell them what they are speaking with; to have it at an address that is not of this machine alone, write
/// `public = true`, and see that a firewall guards it.
///
/// Counters begin at 0 with each start, as Prometheus expects it. Their labels are names of protocols, devices, actions,
/// techniques and tools; nothing that an actor sent is ever one. If the address cannot be had, the operator is told, and it
/// is tried again; nothing else waits for it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Table {
    /// The address and port of the page.
    listen: SocketAddr,
    /// Whether the address may be one that others than this machine can reach.
    public: bool,
}

impl Default for Table {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 9101).into(), public: false }
    }
}

/// The kind `prometheus`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn start(&self) -> Start {
        Start::Now
    }

    fn example(&self) -> &'static str {
        "listen = \"127.0.0.1:9101\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        if !table.listen.ip().to_canonical().is_loopback() && !table.public {
            let why =
                format!("{} may be reached by actors, whom the page would tell that this is a decoy", table.listen);
            let problem = Problem::new(settings.key_of("listen"), why);
            return Err(vec![problem.hint("guard it by a firewall and write `public = true`, or use 127.0.0.1")]);
        }
        let (version, site) = (home.observer.version.clone(), home.observer.site.clone());
        let board = Board { version, site, ..Board::default() };
        Ok(Box::new(Prometheus { listen: table.listen, board: Arc::new(Mutex::new(board)), server: None, next: 0 }))
    }
}

#[derive(Debug)]
struct Prometheus {
    listen: SocketAddr,
    board: Arc<Mutex<Board>>,
    server: Option<Server>,
    /// The first event that has not been counted yet.
    next: u64,
}

/// What the page shows.
#[derive(Debug, Default)]
struct Board {
    version: String,
    site: String,
    counts: Counts,
    standing: Option<Standing>,
}

impl Board {
    fn write(&self, format: Format) -> String {
        let labels = vec![("version", self.version.clone().into()), ("site", self.site.clone().into())];
        let build = Family::new(exposition::Kind::Info, "honeyplant_build", "The version of honeyplant.");
        let mut families = vec![build.with(labels, 1.0)];
        families.extend(self.counts.families());
        if let Some(standing) = &self.standing {
            families.extend(positions(standing));
        }
        families.extend(process::families());
        exposition::write(&families, format)
    }
}

/// How far the journal and each sink are.
fn positions(standing: &Standing) -> [Family; 3] {
    let gauge = |name, help| Family::new(exposition::Kind::Gauge, name, help);
    let end = standing.next();
    let journal = gauge("honeyplant_journal_next_sequence", "The sequence of the event that is written next.");
    let mut next = gauge("honeyplant_sink_next_sequence", "The sequence of the event that the sink needs next.");
    let mut behind = gauge("honeyplant_sink_behind_events", "How many events the sink has yet to get.");
    for (name, sequence) in standing.sinks() {
        let labels: Labels = vec![("sink", name.into())];
        next.add(labels.clone(), sequence as f64);
        behind.add(labels, end.max(1).saturating_sub(sequence) as f64);
    }
    [journal.with(Labels::new(), end as f64), next, behind]
}

impl Prometheus {
    fn failed(&self, error: &io::Error) -> SinkError {
        SinkError(format!("nobody can ask for metrics at {}: {error}", self.listen))
    }
}

impl Sink for Prometheus {
    fn attend(&mut self, standing: Standing) {
        self.board.lock().unwrap_or_else(PoisonError::into_inner).standing = Some(standing);
    }

    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        if self.server.is_none() {
            let board = self.board.clone();
            let page: Arc<Page> =
                Arc::new(move |format| board.lock().unwrap_or_else(PoisonError::into_inner).write(format));
            self.server = Some(Server::listen(self.listen, page).map_err(|error| self.failed(&error))?);
        }
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in batch.iter().filter(|entry| entry.sequence >= self.next) {
            if let Ok(document) = entry.document() {
                board.counts.add(document);
            }
        }
        drop(board);
        self.next = batch.last().map_or(self.next, |last| last.sequence + 1);
        Ok(())
    }

    fn pace(&self) -> Pace {
        // Nobody asks oftener than once a second.
        Pace { most: 4096, every: Duration::from_millis(250) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let bound = TcpListener::bind(self.listen);
        let reachable =
            if self.listen.ip().to_canonical().is_loopback() { "" } else { ", which actors must not reach" };
        match bound {
            Ok(_) => Ok(format!("http://{}/metrics can be had{reachable}", self.listen)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && server::is_ours(self.listen) => {
                Ok(format!("http://{}/metrics is answered by a site that runs{reachable}", self.listen))
            }
            Err(error) => Err(self.failed(&error)),
        }
    }
}
