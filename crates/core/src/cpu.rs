//! The CPU of a device: whether it runs, and what it runs. Apart, because services command it while only the scan knows
//! what it does.

use crate::plant::{Fault, Moment, Plant, Rest, Task, Value};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// What a CPU is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It runs its program.
    Run,
    /// It was stopped; its outputs are off.
    Stop,
    /// It stopped by itself; its outputs are off.
    Fault,
}

/// How a CPU that stood takes up its program (IEC 61131-3 §6.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Where it stood. One that a fault had stopped starts warm.
    Hot,
    /// Anew, with what is retained.
    Warm,
    /// Anew, with nothing of before.
    Cold,
}

/// An entry of the diagnostic buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It was told to run.
    Running(Start),
    /// It was told to stop.
    Stopped,
    /// It stopped by itself.
    Faulted(Fault),
    /// It was restarted.
    Restarted,
}

/// How many entries the diagnostic buffer has; the oldest one gives way.
const NOTES: usize = 100;

pub(crate) struct Cpu {
    pub(crate) scan: Duration,
    pub(crate) restart: Duration,
    /// How long it stands until somebody who looks after the plant lets it run again.
    pub(crate) attended: Option<Duration>,
    mode: AtomicU8,
    /// How it is to take up its program at the next scan, if it is.
    start: Mutex<Option<Start>>,
    work: Mutex<Work>,
    /// Apart from the work, which is locked for the length of a scan.
    notes: Mutex<VecDeque<(Duration, Note)>>,
    /// How many there ever were.
    noted: AtomicUsize,
}

#[derive(Default)]
struct Work {
    task: Option<Box<dyn Task>>,
    /// How far the program got: at which boot, with which memory, and what it waits for.
    boot: u32,
    changes: Option<u64>,
    rest: Option<Rest>,
    faulted: bool,
    /// Since when it stands, by its uptime.
    stands: Option<Duration>,
}

impl Default for Cpu {
    fn default() -> Self {
        Self {
            scan: Duration::from_millis(100),
            restart: Duration::from_secs(20),
            attended: None,
            mode: AtomicU8::new(Mode::Run as u8),
            start: Mutex::default(),
            work: Mutex::default(),
            notes: Mutex::default(),
            noted: AtomicUsize::new(0),
        }
    }
}

impl Cpu {
    pub(crate) fn load(&mut self, task: Box<dyn Task>) {
        self.work().task = Some(task);
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.mode.load(Ordering::Acquire) {
            mode if mode == Mode::Run as u8 => Mode::Run,
            mode if mode == Mode::Stop as u8 => Mode::Stop,
            _ => Mode::Fault,
        }
    }

    /// Stops.
    pub(crate) fn stop(&self, clock: Duration) {
        if self.mode.swap(Mode::Stop as u8, Ordering::AcqRel) != Mode::Stop as u8 {
            self.note(clock, Note::Stopped);
        }
    }

    /// Runs, unless it does.
    pub(crate) fn run(&self, start: Start, clock: Duration) {
        if self.mode.swap(Mode::Run as u8, Ordering::AcqRel) != Mode::Run as u8 {
            *self.pending() = Some(start);
            self.note(clock, Note::Running(start));
        }
    }

    fn pending(&self) -> MutexGuard<'_, Option<Start>> {
        self.start.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, clock: Duration, note: Note) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() == NOTES {
            notes.pop_front();
        }
        notes.push_back((clock, note));
        self.noted.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn noted(&self) -> usize {
        self.noted.load(Ordering::Acquire)
    }

    pub(crate) fn notes(&self) -> Vec<(Duration, Note)> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// One scan. `restarting` tells that the restart that made it the `boot`-th boot still goes on.
    pub(crate) fn scan(&self, boot: u32, restarting: bool, at: Moment, plant: &Mutex<Plant>) -> Option<Fault> {
        let mut work = self.work();
        let mut plant = plant.lock().unwrap_or_else(PoisonError::into_inner);
        let anew = work.boot != boot;
        if anew {
            work.boot = boot;
            self.mode.store(Mode::Run as u8, Ordering::Release);
            plant.restart();
        }
        let mode = self.mode();
        let start = self.pending().take_if(|_| mode == Mode::Run);
        let start = if anew || work.faulted && start == Some(Start::Hot) { Some(Start::Warm) } else { start };
        if let Some(start @ (Start::Warm | Start::Cold)) = start {
            work.faulted = false;
            match start {
                Start::Cold => plant.clear(),
                _ => plant.restart(),
            }
            if let Some(task) = &mut work.task {
                task.restart(&mut plant, start);
            }
        }
        if restarting || mode != Mode::Run {
            plant.fall();
            work.changes = None;
            if !restarting {
                self.attend(&mut work, at);
            }
            return None;
        }
        work.stands = None;
        plant.advance(at);
        let Work { task: Some(task), changes, rest, faulted, .. } = &mut *work else { return None };
        let same = *changes == Some(plant.changes());
        let resting = match rest {
            Some(Rest::Still) => same,
            Some(Rest::Until(uptime)) => same && at.uptime < *uptime,
            Some(Rest::Next) | None => false,
        };
        if resting {
            return None;
        }
        match task.scan(&mut plant, at) {
            Ok(next) => {
                *rest = Some(next);
                *changes = Some(plant.changes());
                None
            }
            Err(fault) => {
                *faulted = true;
                *changes = None;
                plant.fall();
                self.mode.store(Mode::Fault as u8, Ordering::Release);
                self.note(at.clock, Note::Faulted(fault.clone()));
                Some(fault)
            }
        }
    }

    /// Somebody lets it run again once it stood for long enough.
    fn attend(&self, work: &mut Work, at: Moment) {
        let since = *work.stands.get_or_insert(at.uptime);
        if self.attended.is_some_and(|patience| at.uptime.saturating_sub(since) >= patience) {
            work.stands = None;
            self.run(Start::Warm, at.clock);
        }
    }

    pub(crate) fn retained(&self) -> BTreeMap<String, Value> {
        self.work().task.as_ref().map(|task| task.retained()).unwrap_or_default()
    }

    pub(crate) fn restore(&self, retained: &BTreeMap<String, Value>) {
        if let Some(task) = &mut self.work().task {
            task.restore(retained);
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
