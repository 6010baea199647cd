//! The files as one actor finds them. Apart, because looking needs nothing of its own: it costs nobody anything.

use super::{
    Access, Content, Facts, Files, Refusal, Rights, Who,
    node::{Body, Key, Node},
    overlay::Overlays,
    path,
    rules::Order,
};
use std::{
    net::IpAddr,
    sync::{Arc, MutexGuard},
    time::Duration,
};

/// How many links are followed on one way, as in Linux's and BSD's kernels.
const MOST_LINKS: usize = 32;

/// The files of a device as one actor finds them, held for the length of one message. All paths are absolute, as
/// [`super::resolve`] makes them; links are followed but where it says otherwise.
#[derive(Debug)]
pub struct View<'a> {
    pub(super) files: &'a Files,
    pub(super) overlays: MutexGuard<'a, Overlays>,
    pub(super) actor: IpAddr,
    pub(super) who: &'a Who,
    pub(super) now: Duration,
}

/// How much a volume holds, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// In all.
    pub size: u64,
    /// Still free.
    pub free: u64,
}

/// What to do with a link that a path ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

/// Where a path leads.
#[derive(Debug)]
pub(super) struct Spot<'t> {
    /// The keys of the way, the last included.
    pub(super) keys: Vec<Key>,
    /// The last name; empty for the root.
    pub(super) name: Box<str>,
    /// The folder that it is or would be in; none for the root.
    pub(super) folder: Option<&'t Node>,
    /// What is there.
    pub(super) node: Option<&'t Node>,
}

impl<'t> Spot<'t> {
    /// What is there, which must be there.
    pub(super) fn found(&self) -> Result<&'t Node, Refusal> {
        self.node.ok_or(Refusal::Missing)
    }
}

impl<'a> View<'a> {
    pub(super) fn new(
        files: &'a Files,
        mut overlays: MutexGuard<'a, Overlays>,
        actor: IpAddr,
        who: &'a Who,
        now: Duration,
    ) -> Self {
        overlays.touch(actor);
        Self { files, overlays, actor, who, now }
    }

    /// What is at `path`.
    pub fn facts(&self, path: &str) -> Result<Facts, Refusal> {
        Ok(self.facts_of(self.locate(path, Last::Follow)?.found()?))
    }

    /// What is at `path`, which may be a link itself.
    pub fn link_facts(&self, path: &str) -> Result<Facts, Refusal> {
        Ok(self.facts_of(self.locate(path, Last::Keep)?.found()?))
    }

    /// What is in the folder at `path`, in the order in which such a device lists it. Links stay links.
    pub fn list(&self, path: &str) -> Result<Vec<(Box<str>, Facts)>, Refusal> {
        let node = self.locate(path, Last::Follow)?.found()?;
        let entries = node.entries().ok_or(Refusal::NotFolder)?;
        self.allow(node, Access::Read)?;
        let mut list: Vec<_> =
            entries.values().map(|entry| ((*entry.name).into(), self.facts_of(&entry.node))).collect();
        if self.files.rules.order == Order::Made {
            list.sort_by_key(|(_, facts)| facts.inode);
        }
        Ok(list)
    }

    /// Everything under the folder at `path` that may be listed, each with its path, folders before what is in them.
    pub fn walk(&self, path: &str) -> Result<Vec<(Box<str>, Facts)>, Refusal> {
        let (mut found, mut folders) = (Vec::new(), vec![Box::from(path)]);
        self.list(path)?;
        while let Some(folder) = folders.pop() {
            for (name, facts) in self.list(&folder).into_iter().flatten() {
                let path = path::resolve(&folder, &name).into_boxed_str();
                if facts.kind == super::Kind::Folder {
                    folders.push(path.clone());
                }
                found.push((path, facts));
            }
        }
        Ok(found)
    }

    /// How many bytes all files under `path` have.
    pub fn size_of_tree(&self, path: &str) -> Result<u64, Refusal> {
        Ok(self.locate(path, Last::Follow)?.found()?.weight(self.files.rules.first_own).bytes)
    }

    /// Whether `path` is there and allows this.
    pub fn may(&self, path: &str, access: Access) -> Result<(), Refusal> {
        let spot = self.locate(path, Last::Follow)?;
        self.allow(spot.found()?, access)?;
        if access == Access::Write { self.changeable(&spot.keys) } else { Ok(()) }
    }

    /// The bytes of the file at `path`.
    pub fn read(&self, path: &str) -> Result<Content, Refusal> {
        let node = self.locate(path, Last::Follow)?.found()?;
        let Body::File { bytes, .. } = &node.body else { return Err(Refusal::IsFolder) };
        self.allow(node, Access::Read)?;
        Ok(bytes.content())
    }

    /// Where the link at `path` leads, as it was made.
    pub fn read_link(&self, path: &str) -> Result<Box<str>, Refusal> {
        match &self.locate(path, Last::Keep)?.found()?.body {
            Body::Link(target) => Ok((**target).into()),
            Body::File { .. } | Body::Folder(_) => Err(Refusal::Invalid),
        }
    }

    /// How much the volume of `path` holds.
    pub fn space(&self, path: &str) -> Space {
        let rules = &self.files.rules;
        let keys = self.locate(path, Last::Follow).map_or_else(|_| Vec::new(), |spot| spot.keys);
        let volume = rules.volume(&keys);
        let size = rules.volumes.get(volume).map_or(0, |volume| volume.size);
        Space { size, free: self.overlays.spare(self.actor, volume, rules).1.min(size) }
    }

    /// How large a file at `path` may become, if it may be written at all.
    pub fn room(&self, path: &str) -> Result<u64, Refusal> {
        let spot = self.locate(path, Last::Follow)?;
        let (own, bytes) = match spot.node.map(|node| (node, &node.body)) {
            Some((node, Body::File { bytes, own })) => {
                self.allow(node, Access::Write)?;
                self.changeable(&spot.keys)?;
                (if *own { bytes.len() } else { 0 }, bytes.len())
            }
            Some(_) => return Err(Refusal::IsFolder),
            None => {
                self.makeable(&spot)?;
                (0, 0)
            }
        };
        let (spare, free) = self.overlays.spare(self.actor, self.files.rules.volume(&spot.keys), &self.files.rules);
        let room = spare.saturating_add(own as u64).min(free.saturating_add(bytes as u64));
        Ok(room.min(self.files.rules.quota.file))
    }

    pub(super) fn root(&self) -> &Arc<Node> {
        self.overlays.get(self.actor).map_or(&self.files.base, |overlay| &overlay.root)
    }

    /// Follows a path as far as it goes: its last name need not be there.
    pub(super) fn locate(&self, path: &str, last: Last) -> Result<Spot<'_>, Refusal> {
        let root = &**self.root();
        let (mut keys, mut way) = (Vec::<Key>::new(), Vec::<&Node>::new());
        let mut name = String::new();
        let mut node = root;
        let mut ahead: Vec<String> = path::names(path)?.into_iter().rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(next) = ahead.pop() {
            let entries = node.entries().ok_or(Refusal::NotFolder)?;
            self.allow(node, Access::Execute)?;
            if next == "." || next == ".." {
                // Only links have these; a path was resolved.
                if next == ".." {
                    node = way.pop().unwrap_or(root);
                    keys.pop();
                    name = String::new();
                }
                continue;
            }
            let key = self.files.rules.naming.key(&next);
            let Some(entry) = entries.get(&key) else {
                if !ahead.is_empty() {
                    return Err(Refusal::Missing);
                }
                keys.push(key);
                return Ok(Spot { keys, name: next.into(), folder: Some(node), node: None });
            };
            match &entry.node.body {
                Body::Link(target) if !ahead.is_empty() || last == Last::Follow => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Refusal::Loop);
                    }
                    if target.starts_with('/') {
                        (node, name) = (root, String::new());
                        keys.clear();
                        way.clear();
                    }
                    ahead.extend(path::names(target)?.into_iter().rev().map(str::to_owned));
                }
                _ => {
                    way.push(node);
                    keys.push(key);
                    (node, name) = (&entry.node, next);
                }
            }
        }
        Ok(Spot { folder: way.last().copied(), keys, name: name.into(), node: Some(node) })
    }

    /// Whether the mode of `node` allows this: the bits of the owner, else those of the group, else those of others.
    pub(super) fn allow(&self, node: &Node, access: Access) -> Result<(), Refusal> {
        let (mode, who) = (node.meta.mode, self.who);
        let bit = match access {
            Access::Read => 0o4,
            Access::Write => 0o2,
            Access::Execute => 0o1,
        };
        let class = match () {
            // Whoever may do all may run only what somebody may.
            () if who.may_all() && (access != Access::Execute || node.is_folder()) => bit,
            () if who.may_all() => mode | mode >> 3 | mode >> 6,
            () if who.uid == node.meta.uid => mode >> 6,
            () if who.is_in(node.meta.gid) => mode >> 3,
            () => mode,
        };
        let allowed = class & bit != 0 && (access != Access::Write || who.rights != Rights::Read);
        if allowed { Ok(()) } else { Err(Refusal::Denied) }
    }

    /// Whether anything can be changed on the volume at the end of these keys, and by somebody like this.
    pub(super) fn changeable(&self, keys: &[Key]) -> Result<(), Refusal> {
        let rules = &self.files.rules;
        match rules.volumes.get(rules.volume(keys)) {
            _ if self.who.rights == Rights::Read => Err(Refusal::Denied),
            Some(volume) if volume.read_only => Err(Refusal::ReadOnly),
            _ => Ok(()),
        }
    }

    /// Whether something may be made at a spot where nothing is.
    pub(super) fn makeable(&self, spot: &Spot<'_>) -> Result<(), Refusal> {
        path::check(&spot.name, self.files.rules.naming.forbidden())?;
        if spot.keys.len() > path::DEEPEST {
            return Err(Refusal::BadName);
        }
        self.allow(spot.folder.ok_or(Refusal::Exists)?, Access::Write)?;
        self.changeable(&spot.keys)
    }

    fn facts_of(&self, node: &Node) -> Facts {
        let rules = &self.files.rules;
        let owner = rules.users.name(node.meta.uid).into();
        let group = rules.groups.name(node.meta.gid).into();
        node.facts(self.overlays.epochs, rules.folder_size, owner, group)
    }
}
