//! What a session comes to, event by event. Apart, because the journal sums up sessions as they run, and whoever reads the
//! record sums up those that are still open in the same way. Everything in it is bounded: a session can last for weeks.

use crate::{
    attack::MATRIX,
    document::{Document, Outcome, Summed, Tool, Writes, Written},
};
use std::{borrow::Cow, collections::BTreeSet};

/// How many names of tags, users, files and tools a session is remembered by.
const TAGS: usize = 64;
const USERS: usize = 16;
const FILES: usize = 32;
const TOOLS: usize = 16;
/// How many tags of one write are named.
const NAMED: usize = 8;
/// How long a text of an actor is remembered.
const LENGTH: usize = 256;

/// A session that goes on.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Every tool that was recognised.
    pub tools: BTreeSet<Tool>,
    summed: Summed,
    /// A bit for each tactic of the matrix.
    tactics: u16,
}

impl Summary {
    /// Takes one event more of the session. The opening and the end are none that the actor tried.
    pub fn add(&mut self, document: &Document<'_>) {
        let (summed, facets) = (&mut self.summed, &document.event);
        summed.severity = summed.severity.max(facets.severity);
        let count = document.honeyplant.repeated.unwrap_or(1);
        let failed = if facets.outcome == Outcome::Failure { count } else { 0 };
        if !matches!(&*facets.action, "opened" | "closed") {
            summed.events += count;
            summed.failed += failed;
            match summed.actions.get_mut(&*facets.action) {
                Some(actions) => *actions += count,
                None => drop(summed.actions.insert(Cow::Owned(facets.action.clone().into_owned()), count)),
            }
        }
        if let Some(threat) = &document.threat {
            for id in threat.technique.id.iter() {
                if !summed.techniques.contains(id) {
                    summed.techniques.insert(id.clone());
                }
            }
            for (bit, name) in MATRIX.iter().enumerate() {
                if threat.tactic.name.iter().any(|tactic| tactic == name) {
                    self.tactics |= 1 << bit;
                }
            }
        }
        match &*facets.action {
            "write" => write(summed, document, count - failed, failed),
            "login" => {
                let logins = summed.logins.get_or_insert_default();
                logins.accepted += count - failed;
                logins.refused += failed;
                if let Some(user) = document.user.as_ref().filter(|_| failed == 0) {
                    remember(&mut logins.users, &user.name, USERS);
                }
            }
            "command" => {
                if let Some(command) = &document.honeyplant.command {
                    match summed.commands.get_mut(&**command) {
                        Some(given) => *given += count,
                        None => drop(summed.commands.insert(command.clone().into_owned(), count)),
                    }
                }
            }
            "download" if failed == 0 => {
                if let Some(path) = document.file.as_ref().and_then(|file| file.path.as_ref()) {
                    remember(&mut summed.taken, path, FILES);
                }
            }
            "upload_block" if failed == 0 => {
                if let Some(block) = &document.honeyplant.block {
                    remember(&mut summed.taken, &block.name, FILES);
                }
            }
            _ => {}
        }
        if let Some(hash) = document.file.as_ref().and_then(|file| file.hash.as_ref()) {
            remember(&mut summed.left, &hash.sha256, FILES);
        }
        if let Some(tool) = document.honeyplant.tool.as_deref() {
            self.meet(tool);
        }
        if let Some(known) = document.honeyplant.summary.as_deref() {
            known.tools.iter().for_each(|tool| self.meet(tool));
        }
    }

    /// Takes a tool that was recognised.
    pub(super) fn meet(&mut self, tool: &Tool) {
        if self.tools.len() < TOOLS && !self.tools.contains(tool) {
            self.tools.insert(tool.clone());
        }
    }

    /// What it has come to.
    pub fn finish(mut self) -> Summed {
        let reached = MATRIX.iter().enumerate().filter(|(bit, _)| self.tactics & (1 << bit) != 0);
        self.summed.tactics = reached.map(|(_, name)| Cow::Borrowed(*name)).collect();
        self.summed.furthest = self.summed.tactics.last().cloned();
        self.summed.tools = self.tools;
        self.summed
    }
}

fn write(summed: &mut Summed, document: &Document<'_>, accepted: u64, refused: u64) {
    for tag in &document.honeyplant.tags {
        remember(&mut summed.written, tag, TAGS);
    }
    let tags = document.honeyplant.tags.iter().take(NAMED).map(|tag| tag.clone().into_owned()).collect();
    let at = document.event.end.unwrap_or(document.timestamp);
    match &mut summed.writes {
        Some(writes) => {
            writes.accepted += accepted;
            writes.refused += refused;
            // A flood of writes uses the same memory again and again.
            writes.last.at = at;
            writes.last.tags = tags;
            writes.last.message.clear();
            writes.last.message.push_str(short(&document.message));
        }
        None => {
            let first = Written { at: document.timestamp, message: short(&document.message).to_owned(), tags };
            summed.writes = Some(Writes { accepted, refused, last: Written { at, ..first.clone() }, first });
        }
    }
}

fn remember(set: &mut BTreeSet<String>, text: &str, most: usize) {
    let text = short(text);
    if set.len() < most && !set.contains(text) {
        set.insert(text.to_owned());
    }
}

/// As much of a text as is remembered.
fn short(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LENGTH)).unwrap_or_default()
}
