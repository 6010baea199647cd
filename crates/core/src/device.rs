//! A profile come alive. Apart, because it is what all services of one address share.

use crate::{
    accounts::Accounts,
    cpu::{Cpu, Mode, Note, Start},
    files::Files,
    identity::Identity,
    load_memory::LoadMemory,
    pages::Pages,
    plant::{Fault, Kept, Moment, Plant, TagId, Task, Value},
    traffic::Traffic,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering},
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
    /// By how many milliseconds its clock was set ahead since.
    ahead: AtomicI64,
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
    pages: Arc<Pages>,
    accounts: Accounts,
    load_memory: LoadMemory,
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
    /// What was loaded into its load memory, by name, in hexadecimal digits; what was deleted from it has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loads: BTreeMap<String, String>,
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
            ahead: AtomicI64::new(0),
            boots: AtomicU32::new(0),
            booted: AtomicU64::new(0),
            starts: AtomicU32::new(1),
            born: AtomicU64::new(0),
            traffic: Traffic::default(),
            certified: false,
            files: Files::default(),
            pages: Arc::default(),
            accounts: Accounts::default(),
            load_memory: LoadMemory::default(),
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

    /// The same, with somebody who lets its CPU run again when it stood for this long.
    pub const fn with_attendance(mut self, patience: Option<Duration>) -> Self {
        self.cpu.attended = patience;
        self
    }

    /// The same, with these files.
    pub fn with_files(mut self, files: Files) -> Self {
        self.files = files;
        self
    }

    /// The same, with these pages of its web server.
    pub fn with_pages(mut self, pages: Arc<Pages>) -> Self {
        self.pages = pages;
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
        let ahead = self.ahead.load(Ordering::Acquire);
        let (by, clock) = (Duration::from_millis(ahead.unsigned_abs()), clock + now.saturating_duration_since(started));
        if ahead < 0 { clock.saturating_sub(by) } else { clock.saturating_add(by) }
    }

    /// Somebody sets its clock: at `now` it is `clock`, until honeyplant begins to run anew.
    pub fn set_clock(&self, now: Instant, clock: Duration) {
        let (millis, is) = (|time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX), self.clock(now));
        self.ahead.fetch_add(millis(clock).saturating_sub(millis(is)), Ordering::AcqRel);
    }

    /// What its clock said when its power came on.
    pub fn powered(&self, now: Instant) -> Duration {
        self.started(now).1
    }

    /// `now` as its CPU counts time.
    pub fn moment(&self, now: Instant) -> Moment {
        let since = now.saturating_duration_since(self.started(now).0);
        let booted = Duration::from_nanos(self.booted.load(Ordering::Acquire));
        Moment { uptime: since.saturating_sub(booted), clock: self.clock(now) }
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
        self.cpu.stop(self.clock(now));
    }

    /// Lets a CPU that stands run, from its next scan on.
    pub fn run(&self, start: Start, now: Instant) {
        self.cpu.run(start, self.clock(now));
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
        let booted = Some(self.booted.load(Ordering::Acquire)).filter(|booted| *booted > 0)?;
        let over = self.started(now).0.checked_add(Duration::from_nanos(booted))?;
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

    /// The pages of its web server.
    pub fn pages(&self) -> &Pages {
        &self.pages
    }

    /// Who may log in to it.
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What was loaded into it and deleted from it since it was made.
    pub const fn load_memory(&self) -> &LoadMemory {
        &self.load_memory
    }

    /// What happened to its CPU, the latest last, each with the device's clock.
    pub fn notes(&self) -> Vec<(Duration, Note)> {
        self.cpu.notes()
    }

    /// How many notes were ever made: who has seen so many has seen all.
    pub fn noted(&self) -> usize {
        self.cpu.noted()
    }

    /// How long a restart takes.
    pub const fn restart_time(&self) -> Duration {
        self.cpu.restart
    }

    /// One scan at `now`: runs the program if anything can have changed. The fault that stops the CPU is told once.
    pub fn scan(&self, now: Instant) -> Option<Fault> {
        let restarting = self.back(now).is_some();
        self.cpu.scan(self.boots(), restarting, self.moment(now), &self.plant)
    }

    /// What survives a restart of honeyplant.
    pub fn memory(&self) -> Memory {
        let born = self.born.load(Ordering::Acquire);
        let loads = self.load_memory.kept();
        Memory { program: self.cpu.retained(), plant: self.still().kept(), loads, starts: self.starts(), born }
    }

    /// Puts back what [`Device::memory`] gave; for the time before the first scan.
    pub fn recall(&self, memory: &Memory) {
        self.cpu.restore(&memory.program);
        self.starts.store(memory.starts.saturating_add(1), Ordering::Release);
        if memory.born > 0 {
            self.born.store(memory.born, Ordering::Release);
            self.files.born(Duration::from_secs(memory.born));
        }
        self.load_memory.recall(&memory.loads);
        self.still().recall(&memory.plant);
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({} of {})", self.name, self.profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test has to begin at some time")]
    fn a_clock_that_was_set_goes_on_from_there() {
        let device = Device::new("decoy", "test", Identity::default(), Plant::default());
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let began = Duration::from_secs(1_741_593_600);
        device.start(now, SystemTime::UNIX_EPOCH + began);
        for clock in [Duration::from_secs(946_684_800), Duration::from_secs(2_000_000_000), Duration::ZERO] {
            device.set_clock(now + second, clock);
            assert_eq!(device.clock(now + second), clock);
            assert_eq!(device.clock(now + 3 * second), clock + 2 * second);
            assert_eq!(device.moment(now + 3 * second).uptime, 3 * second);
        }
        assert_eq!(device.powered(now + second), began);
        device.set_clock(now, Duration::MAX);
        assert!(device.clock(now) > began);
    }
}
