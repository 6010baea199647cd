//! `honeyplant run`: a site, until it is told to end.

use super::{Common, Ready, ready, say, shown, tell};
use crate::{
    complaint::{Failure, Tried},
    operation::{self, Archive, Operation},
    site::{Built, Choice, Shown, Site, place},
    state::State,
};
use honeyplant_core::{
    artefact::Artefact,
    device::Device,
    event::{Carrier, Event, Kind, Octets, Session},
    plant::Fault,
    works::Works,
};
use honeyplant_net::{Account, Fleet, HeldSignals, Record, Refusal, Stop, Trouble};
use honeyplant_record::{Artefacts, Journal};
use std::{
    io::ErrorKind,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

/// Run a site until it is told to end.
///
/// Ctrl-C or SIGTERM lets the sessions and the sinks finish; a second one ends at once.
#[derive(clap::Args, Default)]
pub(crate) struct Run {
    /// The folder of the site; the demo site if it is not given
    #[arg(value_name = "SITE")]
    site: Option<PathBuf>,
}

/// How long sessions, and then sinks, may take to finish.
const GRACE: Duration = Duration::from_secs(5);

/// How many devices are listed one by one.
const LISTED: usize = 12;

impl Run {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        let Ready { site, mut state, built, sinks, meaning } = ready(self.site.as_deref(), common)?;
        let signals = HeldSignals::hold().tried(|| "hold signals back".into())?;
        let hold = state.keep()?;
        let archive = Archive::open(&state, built.devices.clone())?;
        let (now, ahead) = (Instant::now(), operation::AHEAD);
        // A machine that was booted just now has no earlier instants.
        let (start, ahead) = now.checked_sub(ahead).map_or((now, Duration::ZERO), |start| (start, ahead));
        let works = built.start(start, SystemTime::now() - ahead);
        let Built { doors, shown: devices, .. } = built;
        let fleet = Fleet::bind(doors, &site.listen, site.limits).map_err(|refusals| explain(&refusals))?;

        if let Some(user) = &site.user {
            descend(user, &state)?;
        }
        let (journal, mended) =
            Journal::open(state.folder(), &site.journal, site.observer(&state), meaning, |about| notice(&about))
                .tried(|| format!("open the journal in {}", shown(state.folder())))?;
        let mended = mended.to_string();
        screen(&site, &devices, &mended, common);
        for Choice { name, start, sink } in sinks {
            journal.follow(&name, start, sink).tried(|| format!("start the sink {name}"))?;
        }
        let shelf = journal.clone();
        let discarded = move |event| shelf.record(&mut vec![event]);
        let artefacts = Artefacts::open(state.folder(), &site.artefacts, discarded)
            .tried(|| format!("open the artefacts in {}", shown(state.folder())))?;
        journal.record(&mut vec![happened(Kind::Started { devices: devices.len(), mended })]);
        let operation = operate(works, archive, &journal)?;
        // It lives until the record has ended, so that a second signal is heard until then.
        let runtime = Runtime::new().tried(|| "start the runtime".into())?;
        let result = serve(&runtime, fleet, Shelf { journal: journal.clone(), artefacts: artefacts.clone() }, signals);
        let kept = operation.finish();
        artefacts.finish();
        journal.record(&mut vec![happened(Kind::Stopped)]);
        for behind in journal.finish(GRACE).tried(|| "write the end of the journal".into())? {
            notice(&behind);
        }
        runtime.shutdown_background();
        drop(hold);
        result.and(kept)
    }
}

/// Lets the plant run.
fn operate(works: Works, archive: Archive, journal: &Journal) -> Result<Operation, Failure> {
    let shelf = journal.clone();
    let fault = move |device: &Device, why: Fault| {
        let (name, profile, why) = (device.name().into(), device.profile().into(), why.to_string().into());
        shelf.record(&mut vec![happened(Kind::Faulted { device: name, profile, why })]);
    };
    Operation::start(works, archive, fault, |why| notice(&why)).tried(|| "start the scans".into())
}

/// Becomes `user`, for good, if this is root. The state folder goes along.
fn descend(user: &str, state: &State) -> Result<(), Failure> {
    if !Account::is_root() {
        return Ok(());
    }
    let account = Account::find(user, None).tried(|| format!("become the user {user}"))?;
    state.give(account.user, account.group)?;
    account.assume().tried(|| format!("become the user {user}"))
}

/// Serves until a signal says to end.
fn serve(runtime: &Runtime, fleet: Fleet, shelf: Shelf, signals: HeldSignals) -> Result<(), Failure> {
    // Later sessions have greater numbers, in later runs too.
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let base = (since_1970.as_millis() as u64) << 20;
    let left = runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        signals.release()?;
        let stop = Stop::new();
        let told = stop.clone();
        tokio::spawn(async move {
            for signals in 1.. {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if signals > 1 {
                    std::process::exit(130);
                }
                told.stop();
            }
        });
        let trouble = |trouble: Trouble| {
            let Trouble { address, transport, error } = trouble;
            let place = place(address, transport);
            tell(&format!("warning: {place} hears nobody: {error}; it is tried again"));
        };
        fleet.run(shelf, base, &stop, GRACE, trouble).await
    });
    if left.tried(|| "serve".into())? > 0 {
        tell("warning: some sessions did not end in time");
    }
    Ok(())
}

/// The record as the network sees it.
#[derive(Clone)]
struct Shelf {
    journal: Journal,
    artefacts: Artefacts,
}

impl Record for Shelf {
    fn record(&self, batch: &mut Vec<Event>) {
        self.journal.record(batch);
    }

    fn keep(&self, artefact: Artefact, session: &Arc<Session>) {
        self.artefacts.keep(artefact, session);
    }

    fn is_full(&self) -> bool {
        self.journal.is_full() || self.artefacts.is_full()
    }
}

fn happened(kind: Kind) -> Event {
    Event { at: SystemTime::now(), session: None, kind, request: Octets::new(), reply: Octets::new() }
}

fn notice(notice: &dyn std::fmt::Display) {
    tell(&format!("warning: {notice}"));
}

/// What listens where, and what to do next.
fn screen(site: &Site, devices: &[Shown], mended: &str, common: &Common) {
    say(format_args!("honeyplant {}: site {}", env!("CARGO_PKG_VERSION"), site.name));
    for device in devices.iter().take(LISTED) {
        say(format_args!("\n{device}"));
    }
    if devices.len() > LISTED {
        say(format_args!("\n  and {} devices more", devices.len() - LISTED));
    }
    say(format_args!("\n  record  {}", shown(&common.state.join("journal"))));
    if !mended.is_empty() {
        say(format_args!("          {mended}"));
    }
    if Account::is_root() {
        say("  note    it runs as root; `user` in site.toml makes it another user once it listens");
    }
    say("  later   `honeyplant events` and `honeyplant sessions` tell what was done");
    say("  end     Ctrl-C\n");
}

/// Every door that could not be opened, with what would help.
fn explain(refusals: &[Refusal]) -> Failure {
    let message = |refusal: &Refusal| {
        let Refusal { address, transport, device, protocol, error } = refusal;
        let place = place(*address, *transport);
        let hint = match error.kind() {
            ErrorKind::AddrInUse => {
                let (port, kind) = (transport.port(), if transport.carrier() == Carrier::Udp { 'u' } else { 't' });
                format!(
                    "another program listens there (`ss -l{kind}np 'sport = :{port}'` tells which), or another \
                     honeyplant; end it or choose other ports with --port-offset"
                )
            }
            ErrorKind::PermissionDenied => {
                "ports below 1024 need the right to bind them: run as root, give the program \
                                            CAP_NET_BIND_SERVICE, or move the ports up with --port-offset 10000"
                    .to_owned()
            }
            ErrorKind::AddrNotAvailable => {
                format!(
                    "this machine does not have the address {address}; give it one, or list other addresses in site.toml"
                )
            }
            _ => "see what the system says".to_owned(),
        };
        Failure::new(format!("cannot listen on {place} for {protocol} of `{device}`: {error}"), hint).0
    };
    Failure(refusals.iter().flat_map(message).collect())
}
