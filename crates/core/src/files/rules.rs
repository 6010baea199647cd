//! What a device's file system is like: its names, volumes, owners and bounds. Apart, because the profile says it once and
//! no actor changes it.

use super::node::Key;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap};

/// What all trees of a device have in common.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) naming: Naming,
    pub(super) order: Order,
    /// How large folders say they are.
    pub(super) folder_size: u64,
    pub(super) new: New,
    pub(super) quota: Quota,
    /// The volume of the root first.
    pub(super) volumes: Vec<Volume>,
    pub(super) users: Registry,
    pub(super) groups: Registry,
    /// The first number that nothing of the profile has.
    pub(super) first_own: u64,
    /// What times are drawn from.
    pub(super) seed: u64,
}

impl Default for Rules {
    fn default() -> Self {
        let quota = Quota::default();
        let root = Volume { size: quota.actor, ..Volume::default() };
        Self {
            naming: Naming::default(),
            order: Order::default(),
            folder_size: 4096,
            new: New::default(),
            quota,
            volumes: vec![root],
            users: Registry::default(),
            groups: Registry::default(),
            first_own: 1,
            seed: 0,
        }
    }
}

/// What names are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Naming {
    /// All characters but `/`, and large and small letters differ. A file that is in the way of a renamed one gives way.
    #[default]
    Unix,
    /// Letters are kept as they were given but do not differ by their size; some characters are not allowed. A file that
    /// is in the way of a renamed one stays.
    Dos,
}

/// In which order a folder is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// By name.
    #[default]
    Name,
    /// As things were made.
    Made,
}

/// Whose new files are, and their modes.
#[derive(Clone, Copy, Debug)]
pub(super) struct New {
    /// Without it, the actor's.
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mode: u16,
    pub(super) folder_mode: u16,
}

impl Default for New {
    fn default() -> Self {
        Self { uid: None, gid: None, mode: 0o644, folder_mode: 0o755 }
    }
}

/// How much actors may leave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    pub(super) file: u64,
    pub(super) actor: u64,
    pub(super) device: u64,
    pub(super) nodes: usize,
    pub(super) actors: usize,
}

impl Default for Quota {
    fn default() -> Self {
        Self { file: 4 << 20, actor: 16 << 20, device: 64 << 20, nodes: 1000, actors: 256 }
    }
}

/// A part of the tree with space of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Volume {
    /// Where it begins.
    pub(super) keys: Vec<Key>,
    pub(super) size: u64,
    /// What of it is taken when nobody has changed anything.
    pub(super) taken: u64,
    pub(super) read_only: bool,
    /// Whether it forgets with every boot.
    pub(super) volatile: bool,
}

/// Numbers and their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry(pub(super) BTreeMap<u32, Box<str>>);

impl Registry {
    /// The name of a number; without one, its digits.
    pub(super) fn name(&self, number: u32) -> Cow<'_, str> {
        self.0.get(&number).map_or_else(|| number.to_string().into(), |name| Cow::Borrowed(&**name))
    }

    /// The number of a name, or of digits.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let known = self.0.iter().find(|(_, known)| ***known == *name);
        known.map(|(number, _)| *number).or_else(|| name.parse().ok())
    }
}

impl Naming {
    /// `name` as it is looked up.
    pub(super) fn key(self, name: &str) -> Key {
        match self {
            Self::Unix => name.into(),
            Self::Dos => name.to_lowercase().into(),
        }
    }

    /// Characters that no name has.
    pub(super) const fn forbidden(self) -> &'static str {
        match self {
            Self::Unix => "",
            Self::Dos => "\"*:<>?\\|",
        }
    }
}

impl Rules {
    /// The volume that the end of these keys is on.
    pub(super) fn volume(&self, keys: &[Key]) -> usize {
        within(&self.volumes, keys)
    }

    /// Whether a volume begins at the end of these keys or behind it.
    pub(super) fn holds_volume(&self, keys: &[Key]) -> bool {
        self.volumes.iter().any(|volume| volume.keys.starts_with(keys))
    }
}

/// The volume that the end of these keys is on.
pub(super) fn within(volumes: &[Volume], keys: &[Key]) -> usize {
    let on = volumes.iter().enumerate().filter(|(_, volume)| keys.starts_with(&volume.keys));
    on.max_by_key(|(_, volume)| volume.keys.len()).map_or(0, |(index, _)| index)
}
