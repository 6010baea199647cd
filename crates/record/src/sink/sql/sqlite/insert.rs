//! Rows into SQLite. Apart, because it is what every event costs: statements are prepared once, and take several rows at a
//! time.

use crate::sink::sql::{
    rows::Rows,
    tables::{Cell, Join, Record, Table},
};
use rusqlite::{
    CachedStatement, Connection, ToSql,
    types::{Null, ToSqlOutput},
};

/// How many rows one statement enters.
const TOGETHER: usize = 8;

/// Writes rows through a connection, in whose transaction they are.
pub(super) struct Inserts<'c>(&'c Connection);

impl<'c> Inserts<'c> {
    pub(super) const fn new(connection: &'c Connection) -> Self {
        Self(connection)
    }

    pub(super) fn write(&self, rows: &Rows<'_>) -> rusqlite::Result<()> {
        self.each(&rows.events)?;
        self.each(&rows.sessions)?;
        self.each(&rows.logins)?;
        self.each(&rows.artefacts)?;
        self.each(&rows.actors)?;
        self.each(rows.position.as_slice())
    }

    fn each<R: Record>(&self, rows: &[R]) -> rusqlite::Result<()> {
        let (together, single) = rows.split_at(rows.len() - rows.len() % TOGETHER);
        for (rows, count) in [(together, TOGETHER), (single, 1)] {
            if rows.is_empty() {
                continue;
            }
            let mut statement = self.0.prepare_cached(&insert(&R::TABLE, count))?;
            for rows in rows.chunks(count) {
                enter(&mut statement, rows)?;
            }
        }
        Ok(())
    }
}

/// The statement that enters `count` rows into `table`, or joins them to what is there. Rows that nothing is joined to take
/// the place of what is there: the journal beside the database is what counts.
fn insert(table: &Table, count: usize) -> String {
    let set = table.assignments(|column| {
        let name = column.name;
        Some(match column.join {
            Join::Stay => return None,
            Join::Least => format!("min({name}, excluded.{name})"),
            Join::Greatest => format!("max({name}, excluded.{name})"),
            Join::Sum => format!("{name} + excluded.{name}"),
            Join::Replace => format!("coalesce(excluded.{name}, {name})"),
            Join::ByRank(rank) => format!("CASE WHEN excluded.{rank} > {rank} THEN excluded.{name} ELSE {name} END"),
        })
    });
    let row = format!("({})", vec!["?"; table.columns.len()].join(","));
    let rows = vec![row; count].join(",");
    let (name, names) = (table.name, table.names());
    if set.is_empty() {
        format!("INSERT OR REPLACE INTO {name} ({names}) VALUES {rows}")
    } else {
        format!("INSERT INTO {name} ({names}) VALUES {rows} ON CONFLICT DO UPDATE SET {set}")
    }
}

fn enter<R: Record>(statement: &mut CachedStatement<'_>, rows: &[R]) -> rusqlite::Result<()> {
    let (mut number, mut bound) = (0, Ok(()));
    for row in rows {
        row.cells(&mut |cell| {
            number += 1;
            if bound.is_ok() {
                bound = statement.raw_bind_parameter(number, cell);
            }
        });
    }
    bound.and_then(|()| statement.raw_execute()).map(drop)
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) | Self::Json(text) => text.to_sql(),
            // As SQLite's date functions give it; the text sorts as the time does.
            Self::Time(time) => time.map_or_else(|| Null.to_sql(), |stamp| Ok(stamp.to_sqlite().into())),
            Self::Number(number) => number.to_sql(),
            Self::Real(number) => number.to_sql(),
            Self::Truth(truth) => truth.to_sql(),
        }
    }
}
