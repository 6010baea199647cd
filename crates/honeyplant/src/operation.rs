//! The plant at work while a site runs: its scans by the clock, and its memory in the state folder. Apart, because it is
//! the only thread that nobody from outside can make wait.

use crate::{
    complaint::{Failure, Tried},
    state::State,
};
use honeyplant_core::{
    device::{Device, Memory},
    plant::Fault,
    random::Random,
    works::Works,
};
use std::{
    collections::HashMap,
    fs,
    hash::{DefaultHasher, Hasher},
    io::ErrorKind,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How often the memory is written down.
const KEPT: Duration = Duration::from_secs(30);
/// How long the plant has been at work when the first visitor may come: one that is just being switched on, at each start of
/// honeyplant, would tell what it is.
pub(crate) const AHEAD: Duration = Duration::from_secs(120);
/// How long that may take; hundreds of devices come less far.
const HASTE: Duration = Duration::from_secs(1);
/// Scans that are due within this are run at once, so that hundreds of devices do not wake the machine one by one.
const BEAT: Duration = Duration::from_millis(5);

/// The plant at work, until it is finished or let go.
pub(crate) struct Operation {
    stop: Sender<()>,
    thread: JoinHandle<Archive>,
}

impl Operation {
    /// Starts the scans of `works`, once those that are due already are made up for. `fault` hears of each CPU that stopped by
    /// itself, `trouble` of what could not be written.
    pub(crate) fn start(
        mut works: Works,
        mut archive: Archive,
        mut fault: impl FnMut(&Device, Fault) + Send + 'static,
        mut trouble: impl FnMut(Failure) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let begun = Instant::now();
        while let Some(due) = works.next().filter(|due| *due <= begun && begun.elapsed() < HASTE) {
            works.advance(due, |device, why| fault(device, why));
        }
        let run = move || {
            let mut kept = begun;
            loop {
                let now = Instant::now();
                works.advance(now, |device, why| fault(device, why));
                if now.saturating_duration_since(kept) >= KEPT {
                    kept = now;
                    if let Err(why) = archive.keep() {
                        trouble(why);
                    }
                }
                let due = works.next().map_or(KEPT, |next| next.saturating_duration_since(Instant::now()));
                if stopped.recv_timeout(due.clamp(BEAT, KEPT)) != Err(RecvTimeoutError::Timeout) {
                    return archive;
                }
            }
        };
        let thread = std::thread::Builder::new().name("scan".to_owned()).spawn(run)?;
        Ok(Self { stop, thread })
    }

    /// Ends the scans, and writes the memory down.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let _ = self.stop.send(());
        match self.thread.join() {
            Ok(mut archive) => archive.keep(),
            Err(_) => {
                Err(Failure::new("the scans ended with a fault of honeyplant", "the record is whole all the same"))
            }
        }
    }
}

/// The memory of the devices in the state folder: a file each.
pub(crate) struct Archive {
    folder: PathBuf,
    devices: Vec<Arc<Device>>,
    /// What each file says, as a hash.
    written: HashMap<String, u64>,
}

impl Archive {
    /// Puts back into `devices` what an earlier run left in the state folder.
    pub(crate) fn open(state: &State, devices: Vec<Arc<Device>>) -> Result<Self, Failure> {
        let folder = state.folder().join("memory");
        let mut written = HashMap::new();
        for device in &devices {
            let path = folder.join(format!("{}.json", device.name()));
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    // A device that has never been started before would be a new one, and stand out.
                    let starts = Random::named(state.seed_of(device.name()), "starts").below(60) as u32;
                    device.recall(&Memory { starts: 2 + starts, ..Memory::default() });
                    continue;
                }
                Err(error) => return Err(error).tried(|| format!("read {}", path.display())),
            };
            let memory: Memory = serde_json::from_str(&text).map_err(|error| {
                let hint = "remove it, and the device starts as if it were new";
                Failure::new(format!("cannot read {}: {error}", path.display()), hint)
            })?;
            device.recall(&memory);
            written.insert(device.name().to_owned(), hash(&text));
        }
        Ok(Self { folder, devices, written })
    }

    /// Writes down what has changed.
    fn keep(&mut self) -> Result<(), Failure> {
        fs::create_dir_all(&self.folder).tried(|| format!("make {}", self.folder.display()))?;
        for device in &self.devices {
            let path = self.folder.join(format!("{}.json", device.name()));
            let text = serde_json::to_string(&device.memory()).tried(|| format!("write {}", path.display()))?;
            if self.written.get(device.name()) == Some(&hash(&text)) {
                continue;
            }
            let new = self.folder.join("new");
            fs::write(&new, &text)
                .and_then(|()| fs::rename(&new, &path))
                .tried(|| format!("write {}", path.display()))?;
            self.written.insert(device.name().to_owned(), hash(&text));
        }
        Ok(())
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}
