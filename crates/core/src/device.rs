//! A profile come alive. Apart, because it is what all services of one address share.

use crate::{
    accounts::Accounts,
    cpu::{Cpu, Mode, Note},
    files::Files,
    identity::Identity,
    plant::{Fault, Kept, Moment, Plant, TagId, Task, Value},
    traffic::Traffic,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

/// One decoy: its identity, its memory and its CPU.
pub struct Device {
    name: Arc<str>,
    profile: Arc<str>,
    identity: Identity,
    tags: Vec<Arc<str>>,
    plant: Mutex<Plant>,
    cpu: Cpu,
    /// When it started, and what its clock said.
    started: OnceLock<(Instant, Duration)>,
    /// How often the CPU was restarted, and until when (in nanoseconds after the start) the last restart takes.
    boots: AtomicU32,
    booted: AtomicU64,
    /// How often it had been started in its life when this run of honeyplant began, itself included.
    starts: AtomicU32,
    /// When it was first started in its life, in seconds since 1970 by its clock; 0 before.
    born: AtomicU64,
    traffic: Traffic,
    certified: bool,
    files: Files,
    accounts: Accounts,
}

/// What of a device survives a restart of honeyplant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The memory of the plant.
    #[serde(flatten)]
    pub plant: Kept,
    /// The RETAIN variables of its program.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub program: BTreeMap<String, Value>,
    /// How often it was started in its life.
    #[serde(default)]
    pub starts: u32,
    /// When it was first started, in seconds since 1970 by its own clock.
    #[serde(default)]
    pub born: u64,
}

impl Device {
    /// A device called `name` of the kind `profile`.
    pub fn new(name: &str, profile: &str, identity: Identity, plant: Plant) -> Self {
        Self {
            name: name.into(),
            profile: profile.into(),
            identity,
            tags: plant.directory(),
            plant: Mutex::new(plant),
            cpu: Cpu::default(),
            started: OnceLock::new(),
            boots: AtomicU32::new(0),
            booted: AtomicU64::new(0),
            starts: AtomicU32::new(1),
            born: AtomicU64::new(0),
            traffic: Traffic::default(),
            certified: false,
            files: Files::default(),
            accounts: Accounts::default(),
        }
    }

    /// The same, with a program that its CPU runs.
    pub fn with_program(mut self, task: Box<dyn Task>) -> Self {
        self.cpu.load(task);
        self
    }

    /// The same, with the times of its CPU: how often it scans, and how long a restart takes.
    pub const fn with_cpu(mut self, scan: Duration, restart: Duration) -> Self {
        self.cpu.scan = scan;
        self.cpu.restart = restart;
        self
    }

    /// The same, with these files.
    pub fn with_files(mut self, files: Files) -> Self {
        self.files = files;
        self
    }

    /// The same, with these accounts.
    pub fn with_accounts(mut self, accounts: Accounts) -> Self {
        self.accounts = accounts;
        self
    }

    /// The same, with a certificate, without which it can speak no TLS.
    pub const fn with_certificate(mut self) -> Self {
        self.certified = true;
        self
    }

    /// Whether it has a certificate.
    pub const fn is_certified(&self) -> bool {
        self.certified
    }

    /// Its name in the record.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its profile.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Who it says it is.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The name of a tag.
    pub fn tag_name(&self, id: TagId) -> Option<&str> {
        self.tags.get(id.index()).map(|name| &**name)
    }

    /// Sets the device's clock: at `now` it is `clock`. The first call counts.
    pub fn start(&self, now: Instant, clock: SystemTime) {
        let (_, clock) =
            *self.started.get_or_init(|| (now, clock.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()));
        self.bear(clock.as_secs());
        self.files.boot(clock);
    }

    /// The device's clock at `now`, as time since 1970.
    pub fn clock(&self, now: Instant) -> Duration {
        let (started, clock) = self.started(now);
        clock + now.saturating_duration_since(started)
    }

    /// `now` as its CPU counts time.
    pub fn moment(&self, now: Instant) -> Moment {
        let (started, clock) = self.started(now);
        let since = now.saturating_duration_since(started);
        let booted = Duration::from_nanos(self.booted.load(Ordering::Acquire));
        Moment { uptime: since.saturating_sub(booted), clock: clock + since }
    }

    /// It was first started at `born`, unless it already was.
    fn bear(&self, born: u64) {
        let _ = self.born.compare_exchange(0, born, Ordering::AcqRel, Ordering::Acquire);
        self.files.born(Duration::from_secs(self.born.load(Ordering::Acquire)));
    }

    fn started(&self, now: Instant) -> (Instant, Duration) {
        *self.started.get_or_init(|| (now, Duration::ZERO))
    }

    /// The memory, moved to `now`, for the length of one message: no conversation can hold it across an await, there
    /// being none.
    pub fn plant(&self, now: Instant) -> MutexGuard<'_, Plant> {
        let mut plant = self.still();
        if plant.is_driven() {
            plant.advance(self.moment(now));
        }
        plant
    }

    /// The memory as it was last left; for building services.
    pub fn still(&self) -> MutexGuard<'_, Plant> {
        self.plant.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often its CPU scans.
    pub const fn scan_time(&self) -> Duration {
        self.cpu.scan
    }

    /// What its CPU is doing.
    pub fn mode(&self) -> Mode {
        self.cpu.mode()
    }

    /// Stops the CPU; from its next scan on the outputs are off and the program stands.
    pub fn stop(&self, now: Instant) {
        self.cpu.enter(Mode::Stop, self.clock(now));
    }

    /// Lets the CPU run. One that a fault had stopped starts its program anew.
    pub fn run(&self, now: Instant) {
        self.cpu.enter(Mode::Run, self.clock(now));
    }

    /// Restarts the device: its connections break, nothing is answered until it is over, its uptime begins again, and the
    /// CPU runs.
    pub fn restart(&self, now: Instant) {
        let over = now.saturating_duration_since(self.started(now).0) + self.cpu.restart;
        self.booted.store(over.as_nanos() as u64, Ordering::Release);
        self.boots.fetch_add(1, Ordering::AcqRel);
        self.files.boot(self.clock(now).saturating_add(self.cpu.restart));
        self.cpu.note(self.clock(now), Note::Restarted);
    }

    /// How often it was restarted: a connection that was made before belongs to a device that is gone.
    pub fn boots(&self) -> u32 {
        self.boots.load(Ordering::Acquire)
    }

    /// When the restart that goes on at `now` is over.
    pub fn back(&self, now: Instant) -> Option<Instant> {
        let booted = self.booted.load(Ordering::Acquire);
        let over = self.started(now).0.checked_add(Duration::from_nanos(booted)).filter(|_| booted > 0)?;
        (over > now).then_some(over)
    }

    /// How often it was started in its life, by power or by command.
    pub fn starts(&self) -> u32 {
        self.starts.load(Ordering::Acquire).saturating_add(self.boots())
    }

    /// What its network interface has counted.
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Its files.
    pub const fn files(&self) -> &Files {
        &self.files
    }

    /// Who may log in to it.
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What happened to its CPU, the latest last, each with the device's clock.
    pub fn notes(&self) -> Vec<(Duration, Note)> {
        self.cpu.notes()
    }

    /// One scan at `now`: runs the program if anything can have changed. The fault that stops the CPU is told once.
    pub fn scan(&self, now: Instant) -> Option<Fault> {
        let restarting = self.back(now).is_some();
        self.cpu.scan(self.boots(), restarting, self.moment(now), &self.plant)
    }

    /// What survives a restart of honeyplant.
    pub fn memory(&self) -> Memory {
        let born = self.born.load(Ordering::Acquire);
        Memory { program: self.cpu.retained(), plant: self.still().kept(), starts: self.starts(), born }
    }

    /// Puts back what [`Device::memory`] gave; for the time before the first scan.
    pub fn recall(&self, memory: &Memory) {
        self.cpu.restore(&memory.program);
        self.starts.store(memory.starts.saturating_add(1), Ordering::Release);
        if memory.born > 0 {
            self.born.store(memory.born, Ordering::Release);
            self.files.born(Duration::from_secs(memory.born));
        }
        self.still().recall(&memory.plant);
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({} of {})", self.name, self.profile)
    }
}
