//! What a tree of files is made of. Apart, because it is shared: a copy of a tree is one more owner of its root, and only
//! what somebody changes is copied, with the folders above it.

use super::{Facts, Kind, bytes::Bytes};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A name as it is looked up.
pub(super) type Key = Arc<str>;

/// A file, folder or link.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) meta: Meta,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    File {
        bytes: Bytes,
        /// Whether they count as the actor's.
        own: bool,
    },
    Folder(BTreeMap<Key, Entry>),
    Link(Arc<str>),
}

/// A name in a folder.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// As it was given.
    pub(super) name: Arc<str>,
    pub(super) node: Arc<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u16,
    pub(super) modified: Stamp,
    pub(super) accessed: Stamp,
    pub(super) changed: Stamp,
    pub(super) inode: u64,
}

/// A time, as far as it is known before the device runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// This long after 1970 began.
    At(Duration),
    /// This long before the device was first started.
    Age(Duration),
    /// This long after it last booted.
    Boot(Duration),
}

/// When the device was first started and when it last booted, by its own clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Epochs {
    pub(super) born: Duration,
    pub(super) boot: Duration,
}

/// What a tree costs an actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Bytes of files and of the paths in links, whoever made them.
    pub(super) bytes: u64,
    /// Bytes that count as the actor's.
    pub(super) own: u64,
    /// Files, folders and links that the actor made.
    pub(super) nodes: usize,
    /// How many folders lie in each other.
    pub(super) height: usize,
}

impl Stamp {
    pub(super) fn resolve(self, epochs: Epochs) -> Duration {
        match self {
            Self::At(time) => time,
            Self::Age(age) => epochs.born.saturating_sub(age),
            Self::Boot(after) => epochs.boot.saturating_add(after),
        }
    }
}

impl Node {
    pub(super) const fn folder(meta: Meta) -> Self {
        Self { meta, body: Body::Folder(BTreeMap::new()) }
    }

    /// What is in it, if it is a folder.
    pub(super) const fn entries(&self) -> Option<&BTreeMap<Key, Entry>> {
        if let Body::Folder(entries) = &self.body { Some(entries) } else { None }
    }

    /// The same, to be changed.
    pub(super) const fn entries_mut(&mut self) -> Option<&mut BTreeMap<Key, Entry>> {
        if let Body::Folder(entries) = &mut self.body { Some(entries) } else { None }
    }

    pub(super) const fn is_folder(&self) -> bool {
        matches!(self.body, Body::Folder(_))
    }

    /// What is at the end of these keys.
    pub(super) fn at(&self, keys: &[Key]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.entries()?.get(key).map(|entry| &*entry.node))
    }

    /// The same, to be changed: whatever others share of the way is copied.
    pub(super) fn at_mut<'a>(root: &'a mut Arc<Self>, keys: &[Key]) -> Option<&'a mut Self> {
        let root = Arc::make_mut(root);
        keys.iter()
            .try_fold(root, |node, key| node.entries_mut()?.get_mut(key).map(|entry| Arc::make_mut(&mut entry.node)))
    }

    /// What it weighs with all that is in it. What an actor made has a number of `first_own` or more.
    pub(super) fn weight(&self, first_own: u64) -> Weight {
        let mut weight = Weight { nodes: usize::from(self.meta.inode >= first_own), ..Weight::default() };
        match &self.body {
            Body::File { bytes, own } => {
                weight.bytes = bytes.len() as u64;
                weight.own = if *own { weight.bytes } else { 0 };
            }
            Body::Link(target) => {
                weight.bytes = target.len() as u64;
                weight.own = if weight.nodes > 0 { weight.bytes } else { 0 };
            }
            Body::Folder(entries) => {
                for entry in entries.values() {
                    let inner = entry.node.weight(first_own);
                    weight.bytes = weight.bytes.saturating_add(inner.bytes);
                    weight.own = weight.own.saturating_add(inner.own);
                    weight.nodes += inner.nodes;
                    weight.height = weight.height.max(inner.height + 1);
                }
            }
        }
        weight
    }

    /// Its facts; `owner` and `group` are the names behind its numbers.
    pub(super) fn facts(&self, epochs: Epochs, folder_size: u64, owner: Box<str>, group: Box<str>) -> Facts {
        let (kind, size, links) = match &self.body {
            Body::File { bytes, .. } => (Kind::File, bytes.len() as u64, 1),
            Body::Link(target) => (Kind::Link((**target).into()), target.len() as u64, 1),
            Body::Folder(entries) => {
                let folders = entries.values().filter(|entry| entry.node.is_folder()).count();
                (Kind::Folder, folder_size, u32::try_from(folders).unwrap_or(u32::MAX).saturating_add(2))
            }
        };
        let Meta { uid, gid, mode, modified, accessed, changed, inode } = self.meta;
        Facts {
            kind,
            size,
            owner,
            group,
            uid,
            gid,
            mode,
            modified: modified.resolve(epochs),
            accessed: accessed.resolve(epochs),
            changed: changed.resolve(epochs),
            links,
            inode,
        }
    }
}
