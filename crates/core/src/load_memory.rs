//! The load memory of a controller: what was loaded into it and deleted from it since it was made, such as on its memory
//! card. Apart, because it outlives restarts, and because only a protocol knows what its bytes mean.

use crate::bytes::from_hex;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// No device keeps more bytes, or more names, than this, whatever its card is said to hold.
const MOST_BYTES: usize = 16 << 20;
const MOST_NAMES: usize = 4096;

/// Byte strings by name. What is not named here is as the device was made.
#[derive(Debug, Default)]
pub struct LoadMemory(Mutex<BTreeMap<Box<str>, Load>>);

/// What became of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Load {
    /// These bytes were loaded.
    Loaded(Arc<[u8]>),
    /// It was deleted.
    Deleted,
}

impl Load {
    fn len(&self) -> usize {
        match self {
            Self::Loaded(bytes) => bytes.len(),
            Self::Deleted => 0,
        }
    }
}

impl LoadMemory {
    /// What became of `name`, if anything did.
    pub fn get(&self, name: &str) -> Option<Load> {
        self.loads().get(name).cloned()
    }

    /// All that something became of, in the order of their names.
    pub fn all(&self) -> Vec<(Box<str>, Load)> {
        self.loads().iter().map(|(name, load)| (name.clone(), load.clone())).collect()
    }

    /// Loads these bytes, in place of what had the name before. Whether there was room.
    pub fn load(&self, name: &str, bytes: impl Into<Arc<[u8]>>) -> bool {
        let (mut loads, bytes) = (self.loads(), bytes.into());
        let others: usize = loads.iter().filter(|(other, _)| ***other != *name).map(|(_, load)| load.len()).sum();
        let room = others + bytes.len() <= MOST_BYTES && (loads.len() < MOST_NAMES || loads.contains_key(name));
        if room {
            loads.insert(name.into(), Load::Loaded(bytes));
        }
        room
    }

    /// Deletes what has the name, also what the device was made with. Whether there was room to remember that.
    pub fn delete(&self, name: &str) -> bool {
        let mut loads = self.loads();
        let room = loads.len() < MOST_NAMES || loads.contains_key(name);
        if room {
            loads.insert(name.into(), Load::Deleted);
        }
        room
    }

    /// Forgets what became of a name: it is again as the device was made.
    pub fn forget(&self, name: &str) {
        self.loads().remove(name);
    }

    /// What survives a restart of the whole program, in hexadecimal digits; what was deleted has none.
    pub(crate) fn kept(&self) -> BTreeMap<String, String> {
        let loads = self.loads();
        loads
            .iter()
            .map(|(name, load)| match load {
                Load::Loaded(bytes) => (name.to_string(), bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
                Load::Deleted => (name.to_string(), String::new()),
            })
            .collect()
    }

    /// Puts back what [`LoadMemory::kept`] gave.
    pub(crate) fn recall(&self, kept: &BTreeMap<String, String>) {
        for (name, digits) in kept {
            if digits.is_empty() {
                self.delete(name);
            } else if let Some(bytes) = from_hex(digits, &[]) {
                self.load(name, bytes);
            }
        }
    }

    fn loads(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Load>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_loaded_and_deleted_comes_back() {
        let before = LoadMemory::default();
        assert!(before.load("DB 1", vec![1, 0xAB]) && before.delete("DB 2") && before.load("DB 3", vec![7]));
        before.forget("DB 3");
        let after = LoadMemory::default();
        after.recall(&before.kept());
        assert_eq!(after.all(), before.all());
        assert_eq!(after.get("DB 1"), Some(Load::Loaded([1, 0xAB].into())));
        assert_eq!((after.get("DB 2"), after.get("DB 3")), (Some(Load::Deleted), None));
    }

    #[test]
    fn it_is_bounded_in_bytes_and_in_names() {
        let memory = LoadMemory::default();
        assert!(memory.load("a", vec![0; MOST_BYTES]) && !memory.load("b", vec![0]));
        assert!(memory.load("a", vec![0]), "what is replaced makes room");
        let named = (0..2 * MOST_NAMES).filter(|n| memory.delete(&n.to_string())).count();
        assert_eq!(named, MOST_NAMES - 1);
    }
}
