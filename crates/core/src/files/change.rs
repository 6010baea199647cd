//! What an actor changes of a device's files. Apart, because each change is checked whole before any of it is done, and then
//! paid for.

use super::{
    Access, Refusal, View,
    bytes::Bytes,
    node::{Body, Entry, Key, Meta, Node, Stamp, Weight},
    overlay::{Cost, Overlay},
    path,
    rules::Naming,
    view::{Last, Spot},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Where in a file bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into a file that does not exist yet.
    New,
    /// Instead of what is there, if there is anything.
    Replace,
    /// Behind what is there, if there is anything.
    Append,
    /// Over what is there from this byte on, keeping what lies behind. What is missing before it becomes zeros.
    At(u64),
}

impl View<'_> {
    /// Puts bytes into the file at `path`, all or none. An upload begins with no bytes and [`Place::New`] or
    /// [`Place::Replace`], and grows with [`Place::Append`].
    pub fn write(&mut self, path: &str, bytes: &[u8], place: Place) -> Result<(), Refusal> {
        let spot = self.locate(path, Last::Follow)?;
        let (old, own) = match spot.node.map(|node| (node, &node.body)) {
            Some(_) if place == Place::New => return Err(Refusal::Exists),
            Some((node, Body::File { bytes, own })) => {
                self.allow(node, Access::Write)?;
                self.changeable(&spot.keys)?;
                (bytes.len() as u64, if *own { bytes.len() as u64 } else { 0 })
            }
            Some(_) => return Err(Refusal::IsFolder),
            None => {
                self.makeable(&spot)?;
                (0, 0)
            }
        };
        let start = match place {
            Place::New | Place::Replace => 0,
            Place::Append => old,
            Place::At(start) => start,
        };
        let end = start.saturating_add(bytes.len() as u64);
        let size = if matches!(place, Place::At(_)) { end.max(old) } else { end };
        if size > self.files.rules.quota.file {
            return Err(Refusal::TooLarge);
        }
        let cost = Cost {
            own: difference(own, size),
            nodes: i64::from(spot.node.is_none()),
            volume: self.files.rules.volume(&spot.keys),
            bytes: difference(old, size),
        };
        let (keys, name) = (spot.keys, spot.name);
        let empty = Body::File { bytes: Bytes::default(), own: true };
        let fresh = cost.nodes > 0;
        let file = self.files.rules.new.mode;
        let now = self.stamp();
        let meta = self.meta(file);
        let overlay = self.pay(cost)?;
        if fresh {
            overlay.insert(&keys, &name, Node { meta, body: empty }, now);
        }
        let Some(Node { body: Body::File { bytes: content, own }, meta }) = Node::at_mut(&mut overlay.root, &keys)
        else {
            return Err(Refusal::Missing);
        };
        (*own, meta.modified, meta.changed) = (true, now, now);
        if matches!(place, Place::New | Place::Replace) {
            *content = Bytes::Held(Arc::new(bytes.to_vec()));
            return Ok(());
        }
        let mut held = std::mem::take(content).content();
        let (all, start) = (Arc::make_mut(&mut held), start as usize);
        all.resize(all.len().max(start), 0);
        let (over, behind) = bytes.split_at(bytes.len().min(all.len() - start));
        if let Some(place) = all.get_mut(start..start + over.len()) {
            place.copy_from_slice(over);
        }
        all.extend_from_slice(behind);
        *content = Bytes::Held(held);
        Ok(())
    }

    /// Makes an empty folder.
    pub fn make_folder(&mut self, path: &str) -> Result<(), Refusal> {
        let mode = self.files.rules.new.folder_mode;
        self.make(path, mode, Body::Folder(BTreeMap::new()))
    }

    /// Makes a link at `path` that leads to `target`.
    pub fn link(&mut self, path: &str, target: &str) -> Result<(), Refusal> {
        path::names(target)?;
        if target.is_empty() || target.contains('\0') {
            return Err(Refusal::Missing);
        }
        self.make(path, 0o777, Body::Link(target.into()))
    }

    /// Removes an empty folder.
    pub fn remove_folder(&mut self, path: &str) -> Result<(), Refusal> {
        let spot = self.locate(path, Last::Keep)?;
        let entries = spot.found()?.entries().ok_or(Refusal::NotFolder)?;
        let empty = entries.is_empty();
        self.removable(&spot)?;
        if empty { self.take(&spot.keys, Weight::default()).map(drop) } else { Err(Refusal::NotEmpty) }
    }

    /// Removes a file or link.
    pub fn remove(&mut self, path: &str) -> Result<(), Refusal> {
        let spot = self.locate(path, Last::Keep)?;
        if spot.found()?.is_folder() {
            return Err(Refusal::IsFolder);
        }
        self.removable(&spot)?;
        let keys = spot.keys;
        self.take(&keys, Weight::default()).map(drop)
    }

    /// Removes a file, link or folder with all that is in it.
    pub fn remove_tree(&mut self, path: &str) -> Result<(), Refusal> {
        let spot = self.locate(path, Last::Keep)?;
        self.removable(&spot)?;
        self.emptiable(spot.found()?)?;
        let keys = spot.keys;
        self.take(&keys, Weight::default()).map(drop)
    }

    /// Gives a file, link or folder another name or place on its volume. A file, or an empty folder, that is there gives
    /// way, where names are as in Unix.
    pub fn rename(&mut self, path: &str, target: &str) -> Result<(), Refusal> {
        let rules = &self.files.rules;
        let from = self.locate(path, Last::Keep)?;
        let node = from.found()?;
        let to = self.locate(target, Last::Keep)?;
        self.removable(&from)?;
        path::check(&to.name, rules.naming.forbidden())?;
        if from.keys != to.keys {
            if to.keys.starts_with(&from.keys) {
                return Err(Refusal::Invalid);
            }
            match to.node {
                None => self.makeable(&to)?,
                Some(_) if rules.naming == Naming::Dos => return Err(Refusal::Exists),
                Some(there) => {
                    self.removable(&to)?;
                    match (node.is_folder(), there.entries()) {
                        (true, None) => return Err(Refusal::NotFolder),
                        (false, Some(_)) => return Err(Refusal::IsFolder),
                        (true, Some(entries)) if !entries.is_empty() => return Err(Refusal::NotEmpty),
                        _ => {}
                    }
                }
            }
            if rules.volume(&from.keys) != rules.volume(&to.keys) {
                return Err(Refusal::OtherVolume);
            }
            if to.keys.len() + node.weight(rules.first_own).height > path::DEEPEST {
                return Err(Refusal::BadName);
            }
        }
        let freed = to.node.filter(|_| from.keys != to.keys).map(|node| node.weight(rules.first_own));
        let (from, to, name, now) = (from.keys, to.keys, to.name, self.stamp());
        let moving = self.root().at(&from).map(|node| node.weight(rules.first_own)).unwrap_or_default();
        if freed.is_some() {
            self.take(&to, Weight::default())?;
        }
        // What is moved is taken away for nothing and put back for nothing.
        let mut node = self.take(&from, moving)?;
        node.meta.changed = now;
        let overlay = self.pay(Cost::default())?;
        overlay.insert(&to, &name, node, now);
        Ok(())
    }

    /// Copies a file over `target`, if there is any. A folder as target takes it under its own name.
    pub fn copy(&mut self, path: &str, target: &str) -> Result<(), Refusal> {
        let content = self.read(path)?;
        let from = self.locate(path, Last::Follow)?;
        let mode = from.found()?.meta.mode;
        let to = self.locate(target, Last::Follow)?;
        if to.keys == from.keys {
            return Err(Refusal::Invalid);
        }
        let target = match to.node {
            Some(node) if node.is_folder() => path::resolve(target, &from.name),
            _ => target.to_owned(),
        };
        let there = self.locate(&target, Last::Follow)?;
        let (keys, fresh) = (there.keys, there.node.is_none());
        self.write(&target, &content, Place::Replace)?;
        if fresh { self.retouch(&keys, |meta| meta.mode = mode & 0o777) } else { Ok(()) }
    }

    /// Copies a file, link or folder with all that is in it to `target`, which must not exist.
    pub fn copy_tree(&mut self, path: &str, target: &str) -> Result<(), Refusal> {
        let rules = &self.files.rules;
        let from = self.locate(path, Last::Keep)?;
        let node = from.found()?;
        self.readable(node)?;
        let to = self.locate(target, Last::Keep)?;
        if to.node.is_some() {
            return Err(Refusal::Exists);
        }
        self.makeable(&to)?;
        if to.keys.starts_with(&from.keys) {
            return Err(Refusal::Invalid);
        }
        let weight = node.weight(rules.first_own);
        if to.keys.len() + weight.height > path::DEEPEST {
            return Err(Refusal::BadName);
        }
        // Every node is new, whoever made the one that it is a copy of.
        let (bytes, nodes) = (signed(weight.bytes), node.weight(0).nodes as i64);
        let cost = Cost { own: bytes, nodes, volume: rules.volume(&to.keys), bytes };
        let (node, keys, name, now) = (node.clone(), to.keys, to.name, self.stamp());
        let (uid, gid) = (self.meta(0).uid, self.meta(0).gid);
        let overlay = self.pay(cost)?;
        let copy = duplicate(&node, &mut |meta| Meta {
            uid,
            gid,
            modified: now,
            accessed: now,
            changed: now,
            inode: overlay.inode(),
            ..meta
        });
        overlay.insert(&keys, &name, copy, now);
        Ok(())
    }

    /// Sets when it was modified and used; without a time it stays.
    pub fn set_times(
        &mut self,
        path: &str,
        modified: Option<Duration>,
        accessed: Option<Duration>,
    ) -> Result<(), Refusal> {
        let spot = self.locate(path, Last::Follow)?;
        // As utimensat(2): the owner, or somebody who may write into it.
        self.allow(spot.found()?, Access::Write).or_else(|_| self.owned(&spot))?;
        self.changeable(&spot.keys)?;
        let keys = spot.keys;
        self.retouch(&keys, |meta| {
            meta.modified = modified.map_or(meta.modified, Stamp::At);
            meta.accessed = accessed.map_or(meta.accessed, Stamp::At);
        })
    }

    /// Sets the lower twelve bits of the mode.
    pub fn set_mode(&mut self, path: &str, mode: u16) -> Result<(), Refusal> {
        let spot = self.locate(path, Last::Follow)?;
        self.owned(&spot)?;
        let keys = spot.keys;
        self.retouch(&keys, |meta| meta.mode = mode & 0o7777)
    }

    /// Sets owner and group; without a number it stays.
    pub fn set_owner(&mut self, path: &str, uid: Option<u32>, gid: Option<u32>) -> Result<(), Refusal> {
        let spot = self.locate(path, Last::Follow)?;
        self.owned(&spot)?;
        // Only who may do all gives things away; others choose among their groups.
        let away = uid.is_some_and(|uid| uid != self.who.uid) || gid.is_some_and(|gid| !self.who.is_in(gid));
        if away && !self.who.may_all() {
            return Err(Refusal::Denied);
        }
        let keys = spot.keys;
        self.retouch(&keys, |meta| {
            (meta.uid, meta.gid) = (uid.unwrap_or(meta.uid), gid.unwrap_or(meta.gid));
        })
    }

    /// The device's time.
    const fn stamp(&self) -> Stamp {
        Stamp::At(self.now)
    }

    /// The facts of something new; its number comes when it is put in.
    fn meta(&self, mode: u16) -> Meta {
        let (new, now) = (&self.files.rules.new, self.stamp());
        let (uid, gid) = (new.uid.unwrap_or(self.who.uid), new.gid.unwrap_or(self.who.gid));
        Meta { uid, gid, mode, modified: now, accessed: now, changed: now, inode: 0 }
    }

    fn make(&mut self, path: &str, mode: u16, body: Body) -> Result<(), Refusal> {
        let spot = self.locate(path, Last::Keep)?;
        if spot.node.is_some() {
            return Err(Refusal::Exists);
        }
        self.makeable(&spot)?;
        let (volume, node) = (self.files.rules.volume(&spot.keys), Node { meta: self.meta(mode), body });
        let bytes = signed(node.weight(0).bytes);
        let (keys, name, now) = (spot.keys, spot.name, self.stamp());
        self.pay(Cost { own: bytes, nodes: 1, volume, bytes })?.insert(&keys, &name, node, now);
        Ok(())
    }

    fn retouch(&mut self, keys: &[Key], change: impl FnOnce(&mut Meta)) -> Result<(), Refusal> {
        let now = self.stamp();
        let overlay = self.pay(Cost::default())?;
        let node = Node::at_mut(&mut overlay.root, keys).ok_or(Refusal::Missing)?;
        change(&mut node.meta);
        node.meta.changed = now;
        Ok(())
    }

    fn pay(&mut self, cost: Cost) -> Result<&mut Overlay, Refusal> {
        self.overlays.change(self.actor, cost, &self.files.base, &self.files.rules)
    }

    /// Takes something out of its folder; what it weighed is free again but for `kept`.
    fn take(&mut self, keys: &[Key], kept: Weight) -> Result<Node, Refusal> {
        let rules = &self.files.rules;
        let weight = self.root().at(keys).ok_or(Refusal::Missing)?.weight(rules.first_own);
        let cost = Cost {
            own: difference(weight.own, kept.own),
            nodes: kept.nodes as i64 - weight.nodes as i64,
            volume: rules.volume(keys),
            bytes: difference(weight.bytes, kept.bytes),
        };
        let (now, (key, folder)) = (self.stamp(), keys.split_last().ok_or(Refusal::Busy)?);
        let overlay = self.pay(cost)?;
        let folder = Node::at_mut(&mut overlay.root, folder).ok_or(Refusal::Missing)?;
        (folder.meta.modified, folder.meta.changed) = (now, now);
        let entry = folder.entries_mut().and_then(|entries| entries.remove(key)).ok_or(Refusal::Missing)?;
        Ok(Arc::unwrap_or_clone(entry.node))
    }

    /// Whether what is at the spot may be taken out of its folder.
    fn removable(&self, spot: &Spot<'_>) -> Result<(), Refusal> {
        let (node, Some(folder)) = (spot.found()?, spot.folder) else { return Err(Refusal::Busy) };
        if self.files.rules.holds_volume(&spot.keys) {
            return Err(Refusal::Busy);
        }
        self.allow(folder, Access::Write)?;
        let foreign = self.who.uid != node.meta.uid && self.who.uid != folder.meta.uid;
        // In a folder with the sticky bit everybody removes only what is theirs.
        if folder.meta.mode & 0o1000 != 0 && foreign && !self.who.may_all() {
            return Err(Refusal::Denied);
        }
        self.changeable(&spot.keys)
    }

    /// Whether everything in it may be removed.
    fn emptiable(&self, node: &Node) -> Result<(), Refusal> {
        let Some(entries) = node.entries().filter(|entries| !entries.is_empty()) else { return Ok(()) };
        self.allow(node, Access::Write)?;
        self.allow(node, Access::Execute)?;
        entries.values().try_for_each(|entry| self.emptiable(&entry.node))
    }

    /// Whether everything in it may be read.
    fn readable(&self, node: &Node) -> Result<(), Refusal> {
        match &node.body {
            Body::Link(_) => Ok(()),
            Body::File { .. } => self.allow(node, Access::Read),
            Body::Folder(entries) => {
                self.allow(node, Access::Read)?;
                self.allow(node, Access::Execute)?;
                entries.values().try_for_each(|entry| self.readable(&entry.node))
            }
        }
    }

    /// Whether the facts of what is at the spot are theirs to change.
    fn owned(&self, spot: &Spot<'_>) -> Result<(), Refusal> {
        let owned = spot.found()?.meta.uid == self.who.uid || self.who.may_all();
        if owned { self.changeable(&spot.keys) } else { Err(Refusal::Denied) }
    }
}

impl Overlay {
    /// Puts something into its folder. What has no number yet is given one.
    fn insert(&mut self, keys: &[Key], name: &str, mut node: Node, now: Stamp) {
        if node.meta.inode == 0 {
            node.meta.inode = self.inode();
        }
        let Some((key, folder)) = keys.split_last() else { return };
        let Some(folder) = Node::at_mut(&mut self.root, folder) else { return };
        (folder.meta.modified, folder.meta.changed) = (now, now);
        if let Some(entries) = folder.entries_mut() {
            entries.insert(key.clone(), Entry { name: name.into(), node: Arc::new(node) });
        }
    }
}

/// A copy of a tree with facts of its own. Its files share the bytes of the old ones, but count in full.
fn duplicate(node: &Node, meta: &mut impl FnMut(Meta) -> Meta) -> Node {
    let facts = meta(node.meta);
    let body = match &node.body {
        Body::File { bytes, .. } => Body::File { bytes: bytes.clone(), own: true },
        Body::Link(target) => Body::Link(target.clone()),
        Body::Folder(entries) => {
            let copy = |(key, entry): (&Key, &Entry)| {
                let node = Arc::new(duplicate(&entry.node, meta));
                (key.clone(), Entry { name: entry.name.clone(), node })
            };
            Body::Folder(entries.iter().map(copy).collect())
        }
    };
    Node { meta: facts, body }
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// By how much something grew.
fn difference(before: u64, after: u64) -> i64 {
    signed(after).saturating_sub(signed(before))
}
