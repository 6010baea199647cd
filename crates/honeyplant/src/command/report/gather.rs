//! From the database to the facts of a report. Apart, because everything that is asked in SQL stands here.
//!
//! A period may have millions of events, and each has its document: what counting needs is copied out of it once.

use super::{
    cells::{network, optional, second, time, values, whole},
    facts::{
        Artefact, Command, Facts, Figures, Moment, Sensor, Service, Session, Step, Table, Technique, Timeline, Write,
        band,
    },
    sentences::sentences,
};
use crate::{
    command::query::{Query, Source},
    complaint::{Failure, Tried},
};
use honeyplant_record::{
    attack::{MATRIX, ROWS},
    database::{Row, RowResult, Value, moment},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How long the steps of a timeline may be, in seconds.
const STEPS: [i64; 12] =
    [60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000, 31_536_000, 315_360_000];
/// The most steps of a timeline.
const MOST_STEPS: i64 = 62;
/// The most events of a session that are shown.
const MOMENTS: i64 = 12;

/// What of a period is counted.
const PERIOD: &str = "CREATE TEMP TABLE period AS SELECT e.rowid AS place, e.at >= ? AS now, e.install, e.sequence, e.at, \
     e.site, e.session, e.device, e.protocol, e.source, e.action, e.outcome, e.severity, e.techniques, e.sha256, e.repeated, \
     CASE e.action WHEN 'write' THEN coalesce(e.tags, trim(json_extract(e.document, '$.honeyplant.area') || ' ' || \
     coalesce(json_extract(e.document, '$.honeyplant.address'), json_extract(e.document, '$.honeyplant.names[0]'), '')), \
     e.operation, 'something') WHEN 'command' THEN json_extract(e.document, '$.honeyplant.command') END AS what, \
     CASE e.action WHEN 'write' THEN e.old_values END AS old_values, \
     CASE e.action WHEN 'write' THEN e.new_values END AS new_values FROM events e WHERE ";

/// The sessions of it, each as far as it is in the period.
const TALKS: &str = "CREATE TEMP TABLE talks AS SELECT session, now, max(source) AS source, max(device) AS device, \
     max(protocol) AS protocol, min(at) AS began, max(at) AS last, max(severity) AS severity, sum(repeated) AS events, \
     sum((severity >= 6 AND action <> 'closed') * repeated) AS changes FROM period WHERE session IS NOT NULL \
     GROUP BY session, now";

/// Actions that change a device or its files, besides writes.
const CHANGES: &str = "'command', 'download_block', 'insert_block', 'delete_block', 'upload', 'create', 'delete', 'rename', \
     'change', 'relay'";

/// What is asked, and of when.
pub(super) struct Gatherer<'a> {
    source: &'a Source,
    pub(super) from: Timestamp,
    to: Timestamp,
}

/// The facts about what `query` means, of the last seven days unless it says otherwise.
pub(super) fn gather(source: &Source, query: &Query, now: Timestamp) -> Result<Facts, Failure> {
    let (from, to) = query.period(now, "7d")?;
    let before = from.checked_sub(to.duration_since(from)).unwrap_or(Timestamp::MIN);
    let gatherer = Gatherer { source, from, to };
    let filter = query.during(before, to).filter(now)?;
    let parameters: Vec<Value> = std::iter::once(moment(from)).chain(filter.parameters().iter().cloned()).collect();
    gatherer.ask(&format!("{PERIOD}{}", filter.sql()), &parameters, |_| Ok(()))?;
    let sites = gatherer.ask("SELECT count(DISTINCT site) FROM period", &[], |row| whole(row, 0))?;
    if sites.first().is_some_and(|sites| *sites > 1) {
        gatherer.ask("UPDATE period SET device = site || '/' || device", &[], |_| Ok(()))?;
    }
    gatherer.ask(TALKS, &[], |_| Ok(()))?;
    let oldest =
        gatherer.ask("SELECT min(at) <= ? FROM events", &[moment(before)], |row| row.get::<_, Option<bool>>(0))?;
    let (figures, figures_before) = (gatherer.figures(true)?, gatherer.figures(false)?);
    let mut facts = Facts {
        made: second(now),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        from: second(from),
        to: second(to),
        before: second(before),
        before_is_whole: oldest.first().copied().flatten().unwrap_or_default(),
        filters: query.words(),
        sentences: Vec::new(),
        figures,
        figures_before,
        sensors: gatherer.sensors()?,
        timeline: gatherer.timeline()?,
        services: gatherer.services()?,
        sources: gatherer.sources()?,
        techniques: gatherer.techniques()?,
        writes: gatherer.writes()?,
        commands: gatherer.commands()?,
        logins: gatherer.logins()?,
        tools: gatherer.tools()?,
        artefacts: gatherer.artefacts()?,
        countries: gatherer.countries()?,
        sessions: gatherer.sessions()?,
    };
    facts.sentences = sentences(&facts);
    Ok(facts)
}

impl Gatherer<'_> {
    pub(super) fn ask<T>(
        &self,
        sql: &str,
        parameters: &[Value],
        read: impl FnMut(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<T>, Failure> {
        self.source.database.rows(sql, parameters, read).tried(|| "ask the record".into())
    }

    /// The first `most` rows; the last column of each is how many there are.
    pub(super) fn table<T>(
        &self,
        sql: &str,
        most: u32,
        mut read: impl FnMut(&Row<'_>) -> RowResult<T>,
    ) -> Result<Table<T>, Failure> {
        let mut total = 0;
        let rows = self.ask(&format!("{sql} LIMIT {most}"), &[], |row| {
            total = whole(row, row.as_ref().column_count() - 1)?;
            read(row)
        })?;
        Ok(Table { rows, total })
    }

    fn figures(&self, now: bool) -> Result<Figures, Failure> {
        let sql = format!(
            "SELECT coalesce(sum(repeated), 0), count(DISTINCT session), count(DISTINCT source), \
             coalesce(sum((action = 'write') * repeated), 0), \
             coalesce(sum((action = 'write' AND outcome = 'success') * repeated), 0), \
             coalesce(sum((action = 'command') * repeated), 0), \
             coalesce(sum((action = 'command' AND outcome = 'success') * repeated), 0), \
             coalesce(sum((action = 'login') * repeated), 0), \
             coalesce(sum((action = 'login' AND outcome = 'success') * repeated), 0), \
             count(DISTINCT sha256), coalesce(max(severity), 0) FROM period WHERE now = {}",
            u8::from(now)
        );
        let read = |row: &Row<'_>| {
            Ok(Figures {
                events: whole(row, 0)?,
                sessions: whole(row, 1)?,
                sources: whole(row, 2)?,
                new_sources: 0,
                writes: whole(row, 3)?,
                writes_done: whole(row, 4)?,
                commands: whole(row, 5)?,
                commands_done: whole(row, 6)?,
                logins: whole(row, 7)?,
                logins_accepted: whole(row, 8)?,
                artefacts: whole(row, 9)?,
                severity: row.get(10)?,
            })
        };
        let mut figures = self.ask(&sql, &[], read)?.into_iter().next().unwrap_or_default();
        if now {
            let sql = "SELECT count(*) FROM actors WHERE first_seen >= ? AND address IN \
                       (SELECT source FROM talks WHERE now)";
            let new = self.ask(sql, &[moment(self.from)], |row| whole(row, 0))?;
            figures.new_sources = new.first().copied().unwrap_or_default();
        }
        Ok(figures)
    }

    fn sensors(&self) -> Result<Vec<Sensor>, Failure> {
        let sql = "SELECT install, max(site), min(at), max(at), sum(repeated), sum(action = 'started') FROM period \
                   WHERE now GROUP BY install ORDER BY 2, 1 LIMIT 100";
        self.ask(sql, &[], |row| {
            Ok(Sensor {
                install: row.get(0)?,
                site: row.get(1)?,
                first: time(row, 2)?,
                last: time(row, 3)?,
                events: whole(row, 4)?,
                starts: whole(row, 5)?,
            })
        })
    }

    fn timeline(&self) -> Result<Timeline, Failure> {
        let (from, to) = (self.from.as_second(), self.to.as_second());
        let fits = |seconds: &i64| to.div_euclid(*seconds) - from.div_euclid(*seconds) < MOST_STEPS;
        let seconds = STEPS.into_iter().find(fits).unwrap_or(i64::MAX);
        let first = from.div_euclid(seconds);
        let count = (to - 1).div_euclid(seconds) - first + 1;
        let start = |step| Timestamp::from_second((first + step) * seconds).map(second).unwrap_or_default();
        let mut steps: Vec<Step> = (0..count).map(|step| Step { start: start(step), ..Step::default() }).collect();
        for (sql, is_session) in [
            ("SELECT unixepoch(began) / ?1 - ?2, severity, count(*) FROM talks WHERE now GROUP BY 1, 2", true),
            (
                "SELECT unixepoch(at) / ?1 - ?2, severity, sum(repeated) FROM period WHERE now AND action <> 'closed' \
                 GROUP BY 1, 2",
                false,
            ),
        ] {
            self.ask(sql, &[Value::from(seconds), Value::from(first)], |row| {
                let (step, severity, count) = (row.get::<_, i64>(0)?, row.get(1)?, whole(row, 2)?);
                if let Some(step) = usize::try_from(step).ok().and_then(|step| steps.get_mut(step)) {
                    let bands = if is_session { &mut step.sessions } else { &mut step.events };
                    bands.iter_mut().skip(band(severity)).take(1).for_each(|number| *number += count);
                }
                Ok(())
            })?;
        }
        Ok(Timeline { seconds, steps })
    }

    fn services(&self) -> Result<Vec<Service>, Failure> {
        let sql = "SELECT device, protocol, count(*), sum(events), max(severity) FROM talks \
                   WHERE now AND device IS NOT NULL AND protocol IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2";
        self.ask(sql, &[], |row| {
            Ok(Service {
                device: row.get(0)?,
                protocol: row.get(1)?,
                sessions: whole(row, 2)?,
                events: whole(row, 3)?,
                severity: row.get(4)?,
            })
        })
    }

    fn techniques(&self) -> Result<Vec<Technique>, Failure> {
        let sql =
            "SELECT techniques, now, source, sum(repeated) FROM period WHERE techniques IS NOT NULL GROUP BY 1, 2, 3";
        let mut counts = BTreeMap::<String, (u64, u64, BTreeSet<String>)>::new();
        self.ask(sql, &[], |row| {
            let (ids, now, count): (String, bool, u64) = (row.get(0)?, row.get(1)?, whole(row, 3)?);
            for id in ids.split(',') {
                let (events, before, sources) = counts.entry(id.to_owned()).or_default();
                if now {
                    *events += count;
                    sources.insert(optional(row, 2)?);
                } else {
                    *before += count;
                }
            }
            Ok(())
        })?;
        let known = |id: &str| ROWS.iter().flat_map(|row| row.techniques).find(|technique| technique.id == id);
        let mut techniques: Vec<(usize, Technique)> = counts
            .into_iter()
            .filter(|(_, (events, ..))| *events > 0)
            .map(|(id, (events, events_before, sources))| {
                let known = known(&id);
                let tactic = known.map_or("", |technique| technique.tactic.name);
                let place = MATRIX.iter().position(|name| *name == tactic).unwrap_or(MATRIX.len());
                let technique = Technique {
                    tactic: tactic.to_owned(),
                    name: known.map_or("", |technique| technique.name).to_owned(),
                    reference: known.map_or("", |technique| technique.reference).to_owned(),
                    id,
                    events,
                    events_before,
                    sources: sources.len() as u64,
                };
                (place, technique)
            })
            .collect();
        techniques.sort_by_key(|(place, technique)| (*place, std::cmp::Reverse(technique.events)));
        Ok(techniques.into_iter().map(|(_, technique)| technique).collect())
    }

    fn writes(&self) -> Result<Table<Write>, Failure> {
        // With one max(), the other columns are those of its row: the last values.
        let sql = "SELECT device, protocol, what, old_values, new_values, source, outcome, sum(repeated), at, max(place), \
                   count(*) OVER () FROM period WHERE now AND action = 'write' GROUP BY device, what, source, outcome \
                   ORDER BY outcome = 'success' DESC, max(place) DESC";
        self.table(sql, 25, |row| {
            Ok(Write {
                device: optional(row, 0)?,
                protocol: optional(row, 1)?,
                what: optional(row, 2)?,
                before: values(&optional(row, 3)?),
                after: values(&optional(row, 4)?),
                source: optional(row, 5)?,
                outcome: row.get(6)?,
                times: whole(row, 7)?,
                last: time(row, 8)?,
            })
        })
    }

    fn commands(&self) -> Result<Table<Command>, Failure> {
        let sql = format!(
            "SELECT CASE action WHEN 'command' THEN coalesce(what, action) ELSE replace(action, '_', ' ') END, device, \
             protocol, outcome, sum(repeated), count(DISTINCT source), source, max(severity), max(at), count(*) OVER () \
             FROM period WHERE now AND action IN ({CHANGES}) GROUP BY 1, 2, 3, 4 ORDER BY 8 DESC, 5 DESC"
        );
        self.table(&sql, 25, |row| {
            Ok(Command {
                what: row.get(0)?,
                device: optional(row, 1)?,
                protocol: optional(row, 2)?,
                outcome: row.get(3)?,
                times: whole(row, 4)?,
                sources: whole(row, 5)?,
                source: optional(row, 6)?,
                severity: row.get(7)?,
                last: time(row, 8)?,
            })
        })
    }

    fn artefacts(&self) -> Result<Table<Artefact>, Failure> {
        let sql = format!(
            "SELECT p.sha256, a.size, sum(p.repeated), count(DISTINCT p.source), p.device, p.protocol, \
             (SELECT coalesce(json_extract(e.document, '$.file.path'), json_extract(e.document, '$.honeyplant.block.name')) \
             FROM events e WHERE e.rowid = p.place), min(p.at), coalesce(a.first_seen >= '{}', 0), count(*) OVER () \
             FROM period p LEFT JOIN artefacts a ON a.sha256 = p.sha256 WHERE p.now AND p.sha256 IS NOT NULL \
             GROUP BY p.sha256 ORDER BY 9 DESC, min(p.at) DESC",
            Self::text(&moment(self.from))
        );
        self.table(&sql, 20, |row| {
            Ok(Artefact {
                sha256: row.get(0)?,
                size: row.get::<_, Option<i64>>(1)?.and_then(|size| u64::try_from(size).ok()),
                times: whole(row, 2)?,
                sources: whole(row, 3)?,
                device: optional(row, 4)?,
                protocol: optional(row, 5)?,
                name: optional(row, 6)?,
                first: time(row, 7)?,
                new: row.get(8)?,
            })
        })
    }

    fn sessions(&self) -> Result<Table<Session>, Failure> {
        // Who comes again and again would be all that is seen.
        let sql = "SELECT t.session, t.source, a.country, a.network, a.organization, s.tool, t.device, t.protocol, t.began, \
                   coalesce(s.seconds, (julianday(t.last) - julianday(t.began)) * 86400), s.ending, t.events, t.severity, \
                   (SELECT count(*) FROM talks WHERE now AND severity >= 3) FROM (SELECT *, row_number() OVER (PARTITION BY \
                   source ORDER BY severity DESC, changes DESC, began) AS turn FROM talks WHERE now AND severity >= 3) t \
                   LEFT JOIN actors a ON a.address = t.source LEFT JOIN sessions s ON s.id = t.session WHERE turn <= 2 \
                   ORDER BY t.severity DESC, t.changes DESC, t.began DESC";
        let mut table = self.table(sql, 8, |row| {
            Ok(Session {
                id: row.get(0)?,
                source: optional(row, 1)?,
                country: optional(row, 2)?,
                network: network(row, 3)?,
                tool: optional(row, 5)?,
                device: optional(row, 6)?,
                protocol: optional(row, 7)?,
                began: time(row, 8)?,
                seconds: row.get(9)?,
                ending: optional(row, 10)?,
                events: whole(row, 11)?,
                severity: row.get(12)?,
                timeline: Vec::new(),
            })
        })?;
        for session in &mut table.rows {
            let sql = "SELECT at, action, severity, message FROM (SELECT rowid AS place, at, action, severity, message \
                       FROM events WHERE session = ?1 AND action NOT IN ('opened', 'closed') AND at >= ?2 AND at < ?3 \
                       ORDER BY severity DESC, rowid LIMIT ?4) ORDER BY at, place";
            let id = Value::from(session.id.clone());
            let parameters = [id, moment(self.from), moment(self.to), Value::from(MOMENTS)];
            session.timeline = self.ask(sql, &parameters, |row| {
                Ok(Moment { at: time(row, 0)?, action: row.get(1)?, severity: row.get(2)?, message: row.get(3)? })
            })?;
        }
        Ok(table)
    }

    /// A moment as the tables have it: digits, and what is between them.
    pub(super) fn text(value: &Value) -> &str {
        match value {
            Value::Text(text) => text,
            _ => "",
        }
    }
}
