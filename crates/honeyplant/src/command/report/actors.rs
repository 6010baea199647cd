//! What is asked about actors: who they are, what they tried to log in with, their tools and countries. Apart from what
//! is asked about the plant.

use super::{
    cells::{network, optional, time, whole},
    facts::{Actor, Country, Login, Table, Tool},
    gather::Gatherer,
};
use crate::complaint::Failure;
use honeyplant_record::database::{Value, moment};
use std::collections::BTreeMap;

impl Gatherer<'_> {
    pub(super) fn sources(&self) -> Result<Table<Actor>, Failure> {
        let new = format!("a.first_seen >= '{}'", Self::text(&moment(self.from)));
        let sql = format!(
            "SELECT t.source, a.country, a.network, a.organization, a.tool, count(*), sum(t.events), max(t.severity), \
             min(t.began), max(t.last), coalesce({new}, 0), count(*) OVER () FROM talks t LEFT JOIN actors a \
             ON a.address = t.source WHERE t.now GROUP BY t.source ORDER BY max(t.severity) DESC, sum(t.changes) DESC, \
             sum(t.events) DESC, t.source"
        );
        let mut table = self.table(&sql, 15, |row| {
            Ok(Actor {
                address: row.get(0)?,
                country: optional(row, 1)?,
                network: network(row, 2)?,
                tool: optional(row, 4)?,
                sessions: whole(row, 5)?,
                events: whole(row, 6)?,
                severity: row.get(7)?,
                first: time(row, 8)?,
                last: time(row, 9)?,
                new: row.get(10)?,
                actions: Vec::new(),
                devices: Vec::new(),
            })
        })?;
        let wanted: Vec<Value> = table.rows.iter().map(|actor| Value::from(actor.address.clone())).collect();
        let marks = vec!["?"; wanted.len()].join(", ");
        let sql = format!(
            "SELECT source, coalesce(CASE action WHEN 'command' THEN what END, action), sum(repeated) FROM period WHERE now \
             AND action NOT IN ('opened', 'closed') AND source IN ({marks}) GROUP BY 1, 2 ORDER BY max(severity) DESC, 3 DESC"
        );
        let mut done = BTreeMap::<String, Vec<(String, u64)>>::new();
        self.ask(&sql, &wanted, |row| {
            done.entry(row.get(0)?).or_default().push((row.get(1)?, whole(row, 2)?));
            Ok(())
        })?;
        let mut visited = BTreeMap::<String, Vec<String>>::new();
        let sql = format!("SELECT DISTINCT source, device FROM talks WHERE now AND source IN ({marks}) ORDER BY 2");
        self.ask(&sql, &wanted, |row| {
            visited.entry(row.get(0)?).or_default().push(optional(row, 1)?);
            Ok(())
        })?;
        for actor in &mut table.rows {
            actor.actions = done.remove(&actor.address).unwrap_or_default();
            actor.devices = visited.remove(&actor.address).unwrap_or_default();
        }
        Ok(table)
    }

    pub(super) fn logins(&self) -> Result<Table<Login>, Failure> {
        let sql = "SELECT l.user_name, l.secret, group_concat(DISTINCT l.protocol), sum(l.repeated), \
                   sum(l.accepted * l.repeated), count(DISTINCT l.source), count(*) OVER () FROM period p JOIN logins l \
                   ON l.install = p.install AND l.sequence = p.sequence WHERE p.now AND p.action = 'login' GROUP BY 1, 2 \
                   ORDER BY 4 DESC, 5 DESC, 1, 2";
        self.table(sql, 20, |row| {
            Ok(Login {
                user: row.get(0)?,
                secret: row.get(1)?,
                protocols: optional(row, 2)?,
                times: whole(row, 3)?,
                accepted: whole(row, 4)?,
                sources: whole(row, 5)?,
            })
        })
    }

    pub(super) fn tools(&self) -> Result<Table<Tool>, Failure> {
        let sql = "SELECT s.tool, sum(t.now), count(DISTINCT CASE WHEN t.now THEN t.source END), \
                   max(t.severity * t.now), group_concat(DISTINCT t.protocol), min(t.now), count(*) OVER () FROM talks t \
                   JOIN sessions s ON s.id = t.session WHERE s.tool IS NOT NULL GROUP BY 1 HAVING sum(t.now) > 0 \
                   ORDER BY 4 DESC, 2 DESC, 1";
        self.table(sql, 20, |row| {
            Ok(Tool {
                name: row.get(0)?,
                sessions: whole(row, 1)?,
                sources: whole(row, 2)?,
                severity: row.get(3)?,
                protocols: optional(row, 4)?,
                new: row.get(5)?,
            })
        })
    }

    pub(super) fn countries(&self) -> Result<Table<Country>, Failure> {
        let sql = "SELECT a.country, count(DISTINCT CASE WHEN t.now THEN t.source END), sum(t.now), \
                   max(t.severity * t.now), sum(NOT t.now), count(*) OVER () FROM talks t JOIN actors a \
                   ON a.address = t.source WHERE a.country IS NOT NULL GROUP BY 1 HAVING sum(t.now) > 0 ORDER BY 3 DESC, 1";
        self.table(sql, 20, |row| {
            Ok(Country {
                code: row.get(0)?,
                sources: whole(row, 1)?,
                sessions: whole(row, 2)?,
                severity: row.get(3)?,
                sessions_before: whole(row, 4)?,
            })
        })
    }
}
