//! What actors made of a device's files. Apart, because it is bounded: by actor, by device, and in their number.

use super::{
    Refusal,
    node::{Epochs, Node},
    rules::Rules,
};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

/// What all actors made of a device's files.
#[derive(Debug, Default)]
pub(super) struct Overlays {
    by_actor: HashMap<IpAddr, Overlay>,
    /// What all of them hold.
    bytes: u64,
    /// Counts uses, for who was the last.
    uses: u64,
    pub(super) epochs: Epochs,
}

/// What one actor made of them.
#[derive(Clone, Debug)]
pub(super) struct Overlay {
    pub(super) root: Arc<Node>,
    /// Bytes that count as the actor's.
    bytes: u64,
    /// Files, folders and links that the actor made.
    nodes: usize,
    /// By how many bytes each volume grew.
    grown: BTreeMap<usize, i64>,
    next_inode: u64,
    used: u64,
}

/// What an actor found at some time.
#[derive(Clone, Debug)]
pub struct Snapshot(pub(super) Option<Overlay>);

/// What a change costs; what it frees is less than nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Bytes that count as the actor's.
    pub(super) own: i64,
    pub(super) nodes: i64,
    /// The volume, and by how much it grows.
    pub(super) volume: usize,
    pub(super) bytes: i64,
}

impl Overlay {
    fn new(base: &Arc<Node>, rules: &Rules) -> Self {
        let (root, grown) = (base.clone(), BTreeMap::new());
        Self { root, bytes: 0, nodes: 0, grown, next_inode: rules.first_own, used: 0 }
    }

    /// A number for something new.
    pub(super) const fn inode(&mut self) -> u64 {
        self.next_inode += 1;
        self.next_inode - 1
    }
}

impl Overlays {
    pub(super) fn get(&self, actor: IpAddr) -> Option<&Overlay> {
        self.by_actor.get(&actor)
    }

    /// Puts `overlay` in the place of what the actor made.
    pub(super) fn put(&mut self, actor: IpAddr, overlay: Option<Overlay>, rules: &Rules) {
        self.drop(actor);
        if let Some(overlay) = overlay {
            self.make_room(actor, overlay.bytes, rules);
            self.bytes += overlay.bytes;
            self.by_actor.insert(actor, overlay);
            self.touch(actor);
        }
    }

    /// The actor was here.
    pub(super) fn touch(&mut self, actor: IpAddr) {
        self.uses += 1;
        if let Some(overlay) = self.by_actor.get_mut(&actor) {
            overlay.used = self.uses;
        }
    }

    /// How many bytes more the actor may own, and how much is free on a volume.
    pub(super) fn spare(&self, actor: IpAddr, volume: usize, rules: &Rules) -> (u64, u64) {
        let overlay = self.get(actor);
        let bytes = overlay.map_or(0, |overlay| overlay.bytes);
        let grown = overlay.and_then(|overlay| overlay.grown.get(&volume)).copied().unwrap_or_default();
        // Others give way, so what they hold does not count.
        let spare = rules.quota.actor.min(rules.quota.device).saturating_sub(bytes);
        let free = rules.volumes.get(volume).map_or(0, |volume| volume.size.saturating_sub(volume.taken));
        (spare, free.saturating_add_signed(grown.saturating_neg()))
    }

    /// The actor's tree, to be changed at this cost, if the actor can afford it.
    pub(super) fn change(
        &mut self,
        actor: IpAddr,
        cost: Cost,
        base: &Arc<Node>,
        rules: &Rules,
    ) -> Result<&mut Overlay, Refusal> {
        let (spare, free) = self.spare(actor, cost.volume, rules);
        let nodes = self.get(actor).map_or(0, |overlay| overlay.nodes).saturating_add_signed(cost.nodes as isize);
        let more = |cost: i64, bound: u64| u64::try_from(cost).is_ok_and(|cost| cost > bound);
        if more(cost.own, spare) || more(cost.bytes, free) || (cost.nodes > 0 && nodes > rules.quota.nodes) {
            return Err(Refusal::Full);
        }
        self.make_room(actor, u64::try_from(cost.own).unwrap_or_default(), rules);
        self.uses += 1;
        let overlay = self.by_actor.entry(actor).or_insert_with(|| Overlay::new(base, rules));
        overlay.used = self.uses;
        overlay.bytes = overlay.bytes.saturating_add_signed(cost.own);
        overlay.nodes = nodes;
        *overlay.grown.entry(cost.volume).or_default() += cost.bytes;
        self.bytes = self.bytes.saturating_add_signed(cost.own);
        Ok(overlay)
    }

    /// Lets the overlays of those who were here least recently give way, until the actor has a place and `bytes` more fit
    /// into the device.
    fn make_room(&mut self, actor: IpAddr, bytes: u64, rules: &Rules) {
        let places = rules.quota.actors.saturating_sub(usize::from(!self.by_actor.contains_key(&actor)));
        while self.by_actor.len() > places || self.bytes.saturating_add(bytes) > rules.quota.device {
            let others = self.by_actor.iter().filter(|(other, _)| **other != actor);
            let Some(oldest) = others.min_by_key(|(_, overlay)| overlay.used).map(|(other, _)| *other) else {
                return;
            };
            self.drop(oldest);
        }
    }

    fn drop(&mut self, actor: IpAddr) {
        if let Some(overlay) = self.by_actor.remove(&actor) {
            self.bytes = self.bytes.saturating_sub(overlay.bytes);
        }
    }

    /// Makes the volatile volumes of all actors what they were.
    pub(super) fn forget(&mut self, base: &Arc<Node>, rules: &Rules) {
        for volume in rules.volumes.iter().filter(|volume| volume.volatile) {
            let Some((key, folder)) = volume.keys.split_last() else {
                self.by_actor.clear();
                self.bytes = 0;
                return;
            };
            let entry = |node: &Node| node.at(folder).and_then(|node| node.entries()?.get(key).cloned());
            let Some(was) = entry(base) else { continue };
            for overlay in self.by_actor.values_mut() {
                let Some(is) = entry(&overlay.root).filter(|is| !Arc::ptr_eq(&is.node, &was.node)) else { continue };
                let weight = is.node.weight(rules.first_own);
                if let Some(entries) = Node::at_mut(&mut overlay.root, folder).and_then(Node::entries_mut) {
                    entries.insert(key.clone(), was.clone());
                }
                overlay.bytes = overlay.bytes.saturating_sub(weight.own);
                overlay.nodes = overlay.nodes.saturating_sub(weight.nodes);
                let inside =
                    |index: &usize| rules.volumes.get(*index).is_some_and(|v| v.keys.starts_with(&volume.keys));
                overlay.grown.retain(|index, _| !inside(index));
                self.bytes = self.bytes.saturating_sub(weight.own);
            }
        }
    }
}
