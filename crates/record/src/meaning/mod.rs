//! What an event means beside the others of its session: who the actor is, with what it works, and how far it has come.
//! Apart, because all else in a document is known from its event alone.

mod conduct;
mod geo;
mod summary;
mod tools;

pub use geo::{Atlas, GeoSettings};
pub use summary::Summary;
pub use tools::{Basis, KnownTool, Toolbox};

use crate::{
    attack::{self, Row, Technique, threat},
    document::{AutonomousSystem, Document, Geo, Tool, ToolKind},
    notice::{Notice, Notices},
};
use conduct::Conduct;
use honeyplant_core::event::{Event, Kind};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    borrow::Cow,
    collections::HashMap,
    path::PathBuf,
    sync::Arc,
    time::{Instant, SystemTime},
};
use tools::Watch;

/// What is known before anything happens, and of the sessions that are open.
#[derive(Debug, Default)]
pub struct Meaning {
    atlas: Atlas,
    toolbox: Toolbox,
    sessions: HashMap<u64, Known>,
}

/// What is known of one session.
#[derive(Debug)]
struct Known {
    place: Arc<Place>,
    summary: Summary,
    watch: Watch,
    conduct: Conduct,
}

/// Where a source is.
#[derive(Debug, Default)]
pub struct Place {
    /// Where the address is used.
    pub geo: Option<Geo>,
    /// Whose network it is in.
    pub network: Option<AutonomousSystem>,
}

/// The `[meaning]` table of a site: what else tells what an event means.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct MeaningSettings {
    /// A file of rules by which tools are recognised, beside those that come with honeyplant; docs/tools.md tells its form. A
    /// path that is not absolute is one in the folder of the site.
    pub tools: Option<PathBuf>,
}

impl Meaning {
    /// What these files and these tools tell.
    pub fn new(atlas: Atlas, toolbox: Toolbox) -> Self {
        Self { atlas, toolbox, sessions: HashMap::new() }
    }

    /// A line for each file that tells where addresses are: what it is and how old.
    pub fn files(&self, now: SystemTime) -> Vec<String> {
        self.atlas.tell(now)
    }

    /// Puts into the document of `event` what it means.
    pub(crate) fn tell<'a>(&'a mut self, event: &Event, document: &mut Document<'a>, notices: &Notices) {
        let Some(session) = event.session.as_deref() else { return };
        let Self { atlas, toolbox, sessions } = self;
        // What was not kept is told by the store, which may be later than the end of the session.
        if matches!(event.kind, Kind::Discarded { .. }) && !sessions.contains_key(&session.id) {
            return;
        }
        let begin = || {
            for why in atlas.renew(Instant::now()) {
                notices.tell(Notice::Unmapped { why });
            }
            Known {
                place: atlas.find(session.peer.ip().to_canonical()),
                summary: Summary::default(),
                watch: toolbox.watch(session.protocol),
                conduct: Conduct::default(),
            }
        };
        if matches!(event.kind, Kind::Closed(_)) {
            let mut known = sessions.remove(&session.id).unwrap_or_else(begin);
            if let Some(source) = &mut document.source {
                source.geo = known.place.geo.clone().map(Cow::Owned);
                source.network = known.place.network.clone().map(Cow::Owned);
            }
            known.add(toolbox, event, document);
            let summed = known.summary.finish();
            document.event.severity = summed.severity;
            let tool = summed.tools.iter().max_by_key(|tool| rank(tool.kind));
            document.honeyplant.tool = tool.cloned().map(Cow::Owned);
            document.honeyplant.summary = Some(Cow::Owned(summed));
            return;
        }
        let known = sessions.entry(session.id).or_insert_with(begin);
        known.add(toolbox, event, document);
        if let Some(source) = &mut document.source {
            source.geo = known.place.geo.as_ref().map(Cow::Borrowed);
            source.network = known.place.network.as_ref().map(Cow::Borrowed);
        }
    }
}

impl Known {
    /// Takes an event more, and puts into its document what it shows.
    fn add(&mut self, toolbox: &Toolbox, event: &Event, document: &mut Document<'_>) {
        let count = document.honeyplant.repeated.unwrap_or(1);
        for row in self.conduct.take(event, count, document.event.outcome) {
            raise(document, row);
        }
        let mut met: Option<&Tool> = None;
        for found in toolbox.look(&mut self.watch, event) {
            self.summary.meet(&found.tool);
            if met.is_none_or(|met| rank(found.tool.kind) > rank(met.kind)) {
                met = Some(&found.tool);
            }
            for technique in found.techniques.iter().filter_map(|id| attack::named(id)) {
                let rows = [&attack::EXPLOITED, &attack::EXPLOITED_SERVICE];
                match rows.into_iter().find(|row| row.techniques.contains(technique)) {
                    Some(row) => raise(document, row),
                    None => extend(document, &[*technique]),
                }
            }
        }
        document.honeyplant.tool = met.cloned().map(Cow::Owned);
        self.summary.add(document);
    }
}

/// Which of several tools is named: an attacker's says more than the library that it is made with.
const fn rank(kind: ToolKind) -> u8 {
    match kind {
        ToolKind::Client => 0,
        ToolKind::Scanner => 1,
        ToolKind::Discovery => 2,
        ToolKind::Attack => 3,
    }
}

/// Has the document say what it shows beside what it is.
fn raise(document: &mut Document<'_>, row: &Row) {
    let severity = row.severity(document.event.outcome);
    document.event.severity = document.event.severity.max(severity);
    extend(document, row.techniques);
}

fn extend(document: &mut Document<'_>, techniques: &[Technique]) {
    let told = document.threat.as_ref().map(|threat| threat.technique.id.clone()).unwrap_or_default();
    let mut all: Vec<Technique> = told.iter().filter_map(|id| attack::named(id)).copied().collect();
    all.extend(techniques.iter().filter(|technique| !told.iter().any(|id| id == technique.id)));
    document.threat = threat(&all).map(Cow::Owned);
}
