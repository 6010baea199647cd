//! The columns of the tables, and how a row joins what is there. Apart from the statements, which each database spells in
//! its own way, and from the rows, which know nothing of columns.

use super::rows::{ActorRow, ArtefactRow, EventRow, LoginRow, PositionRow, SessionRow};
use crate::document::Stamp;

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns of its primary key.
    pub(crate) key: &'static str,
    pub(crate) columns: &'static [Column],
}

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) join: Join,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Json,
    Time,
    Number,
    Real,
    Truth,
}

/// What becomes of a column if the row is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// It stays as it is.
    Stay,
    Least,
    Greatest,
    Sum,
    /// The new value, if it is one.
    Replace,
    /// The new value, if the row has a greater number in that column.
    ByRank(&'static str),
}

/// The value of a row in a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Text(Option<&'a str>),
    /// As it stands in the record: with NUL, which the documents of some databases cannot hold.
    Json(Option<&'a str>),
    Time(Option<Stamp>),
    Number(Option<i64>),
    Real(Option<f64>),
    Truth(bool),
}

/// A row of a table.
pub(crate) trait Record {
    const TABLE: Table;

    /// Gives `put` its values, in the order of the table's columns.
    fn cells<'r>(&'r self, put: &mut impl FnMut(Cell<'r>));
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, join: Join::Stay }
}

const fn joined(name: &'static str, kind: Kind, join: Join) -> Column {
    Column { name, kind, join }
}

impl Record for EventRow<'_> {
    const TABLE: Table = Table {
        name: "events",
        key: "install, sequence",
        columns: &[
            column("install", Kind::Text),
            column("sequence", Kind::Number),
            column("at", Kind::Time),
            column("session", Kind::Text),
            column("site", Kind::Text),
            column("device", Kind::Text),
            column("protocol", Kind::Text),
            column("source", Kind::Text),
            column("action", Kind::Text),
            column("outcome", Kind::Text),
            column("severity", Kind::Number),
            column("operation", Kind::Text),
            column("tags", Kind::Text),
            column("old_values", Kind::Text),
            column("new_values", Kind::Text),
            column("techniques", Kind::Text),
            column("tactics", Kind::Text),
            column("sha256", Kind::Text),
            column("repeated", Kind::Number),
            column("message", Kind::Text),
            column("document", Kind::Json),
        ],
    };

    fn cells<'r>(&'r self, put: &mut impl FnMut(Cell<'r>)) {
        put(text(&self.install));
        put(number(self.sequence));
        put(time(self.at));
        put(Cell::Text(self.session.as_deref()));
        put(text(&self.site));
        put(Cell::Text(self.device.as_deref()));
        put(Cell::Text(self.protocol.as_deref()));
        put(Cell::Text(self.source.as_deref()));
        put(text(&self.action));
        put(text(self.outcome));
        put(number(self.severity));
        put(Cell::Text(self.operation.as_deref()));
        put(Cell::Text(self.tags.as_deref()));
        put(Cell::Text(self.old_values.as_deref()));
        put(Cell::Text(self.new_values.as_deref()));
        put(Cell::Text(self.techniques.as_deref()));
        put(Cell::Text(self.tactics.as_deref()));
        put(Cell::Text(self.sha256.as_deref()));
        put(number(self.repeated));
        put(text(&self.message));
        put(Cell::Json(Some(&self.document)));
    }
}

impl Record for SessionRow<'_> {
    const TABLE: Table = Table {
        name: "sessions",
        key: "id",
        columns: &[
            column("id", Kind::Text),
            column("install", Kind::Text),
            column("site", Kind::Text),
            column("device", Kind::Text),
            column("profile", Kind::Text),
            column("protocol", Kind::Text),
            column("transport", Kind::Text),
            column("source", Kind::Text),
            column("source_port", Kind::Number),
            column("destination", Kind::Text),
            column("destination_port", Kind::Number),
            joined("began", Kind::Time, Join::Least),
            joined("last_seen", Kind::Time, Join::Greatest),
            joined("events", Kind::Number, Join::Sum),
            joined("severity", Kind::Number, Join::Greatest),
            // MySQL assigns from left to right: what looks at the rank comes before it.
            joined("tactic", Kind::Text, Join::ByRank("tactic_rank")),
            joined("tactic_rank", Kind::Number, Join::Greatest),
            joined("tool", Kind::Text, Join::Replace),
            joined("ended", Kind::Time, Join::Replace),
            joined("ending", Kind::Text, Join::Replace),
            joined("seconds", Kind::Real, Join::Replace),
            joined("exchanges", Kind::Number, Join::Replace),
            joined("received", Kind::Number, Join::Replace),
            joined("sent", Kind::Number, Join::Replace),
            joined("summary", Kind::Json, Join::Replace),
        ],
    };

    fn cells<'r>(&'r self, put: &mut impl FnMut(Cell<'r>)) {
        let ending = self.ending.as_ref();
        put(text(&self.id));
        put(text(&self.install));
        put(text(&self.site));
        put(text(&self.device));
        put(text(&self.profile));
        put(text(&self.protocol));
        put(text(&self.transport));
        put(text(&self.source));
        put(number(self.source_port));
        put(text(&self.destination));
        put(number(self.destination_port));
        put(time(self.began));
        put(time(self.last_seen));
        put(number(self.events));
        put(number(self.severity));
        put(Cell::Text(self.tactic));
        put(number(self.tactic_rank));
        put(Cell::Text(self.tool.as_deref()));
        put(Cell::Time(ending.map(|ending| ending.ended)));
        put(Cell::Text(ending.map(|ending| &*ending.ending)));
        put(Cell::Real(ending.map(|ending| ending.seconds)));
        put(Cell::Number(ending.map(|ending| ending.exchanges)));
        put(Cell::Number(ending.map(|ending| ending.received)));
        put(Cell::Number(ending.map(|ending| ending.sent)));
        put(Cell::Json(ending.and_then(|ending| ending.summary.as_deref())));
    }
}

impl Record for LoginRow<'_> {
    const TABLE: Table = Table {
        name: "logins",
        key: "install, sequence",
        columns: &[
            column("install", Kind::Text),
            column("sequence", Kind::Number),
            column("at", Kind::Time),
            column("session", Kind::Text),
            column("site", Kind::Text),
            column("device", Kind::Text),
            column("protocol", Kind::Text),
            column("source", Kind::Text),
            column("user_name", Kind::Text),
            column("secret", Kind::Text),
            column("accepted", Kind::Truth),
            column("repeated", Kind::Number),
        ],
    };

    fn cells<'r>(&'r self, put: &mut impl FnMut(Cell<'r>)) {
        put(text(&self.install));
        put(number(self.sequence));
        put(time(self.at));
        put(Cell::Text(self.session.as_deref()));
        put(text(&self.site));
        put(Cell::Text(self.device.as_deref()));
        put(Cell::Text(self.protocol.as_deref()));
        put(Cell::Text(self.source.as_deref()));
        put(Cell::Text(self.user_name.as_deref()));
        put(Cell::Text(self.secret.as_deref()));
        put(Cell::Truth(self.accepted));
        put(number(self.repeated));
    }
}

impl Record for ArtefactRow<'_> {
    const TABLE: Table = Table {
        name: "artefacts",
        key: "sha256",
        columns: &[
            column("sha256", Kind::Text),
            joined("size", Kind::Number, Join::Replace),
            joined("first_seen", Kind::Time, Join::Least),
            joined("last_seen", Kind::Time, Join::Greatest),
            joined("times", Kind::Number, Join::Sum),
            column("install", Kind::Text),
            column("sequence", Kind::Number),
        ],
    };

    fn cells<'r>(&'r self, put: &mut impl FnMut(Cell<'r>)) {
        put(text(&self.sha256));
        put(Cell::Number(self.size));
        put(time(self.first_seen));
        put(time(self.last_seen));
        put(number(self.times));
        put(text(&self.install));
        put(number(self.sequence));
    }
}

impl Record for ActorRow<'_> {
    const TABLE: Table = Table {
        name: "actors",
        key: "address",
        columns: &[
            column("address", Kind::Text),
            joined("first_seen", Kind::Time, Join::Least),
            joined("last_seen", Kind::Time, Join::Greatest),
            joined("sessions", Kind::Number, Join::Sum),
            joined("events", Kind::Number, Join::Sum),
            joined("severity", Kind::Number, Join::Greatest),
            joined("country", Kind::Text, Join::Replace),
            joined("city", Kind::Text, Join::Replace),
            joined("network", Kind::Number, Join::Replace),
            joined("organization", Kind::Text, Join::Replace),
            joined("tool", Kind::Text, Join::Replace),
        ],
    };

    fn cells<'r>(&'r self, put: &mut impl FnMut(Cell<'r>)) {
        put(text(&self.address));
        put(time(self.first_seen));
        put(time(self.last_seen));
        put(number(self.sessions));
        put(number(self.events));
        put(number(self.severity));
        put(Cell::Text(self.country.as_deref()));
        put(Cell::Text(self.city.as_deref()));
        put(Cell::Number(self.network.map(i64::from)));
        put(Cell::Text(self.organization.as_deref()));
        put(Cell::Text(self.tool.as_deref()));
    }
}

impl Record for PositionRow {
    const TABLE: Table = Table {
        name: "position",
        key: "install",
        columns: &[
            column("install", Kind::Text),
            joined("site", Kind::Text, Join::Replace),
            joined("next", Kind::Number, Join::Replace),
            joined("last_seen", Kind::Time, Join::Greatest),
        ],
    };

    fn cells<'r>(&'r self, put: &mut impl FnMut(Cell<'r>)) {
        put(text(&self.install));
        put(text(&self.site));
        put(number(self.next));
        put(time(self.last_seen));
    }
}

const fn text(text: &str) -> Cell<'_> {
    Cell::Text(Some(text))
}

const fn time(time: Stamp) -> Cell<'static> {
    Cell::Time(Some(time))
}

fn number(number: impl Into<i64>) -> Cell<'static> {
    Cell::Number(Some(number.into()))
}

impl Table {
    /// The names of its columns, with commas between them.
    pub(crate) fn names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// What becomes of the columns of a row that is there already, as `set` spells it; empty if it stays as it is.
    pub(crate) fn assignments(&self, set: impl Fn(&Column) -> Option<String>) -> String {
        let spelled = self.columns.iter().filter_map(|column| Some(format!("{} = {}", column.name, set(column)?)));
        spelled.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{
        sample::entry,
        sql::{rows::Rows, schema::POSTGRESQL},
    };

    fn check<R: Record>(rows: &[R]) {
        let (_, statements) = POSTGRESQL.migrations(0).next().unwrap();
        let table = R::TABLE;
        let begins = format!("CREATE TABLE {} (", table.name);
        let made = statements.iter().find(|statement| statement.starts_with(&begins)).unwrap();
        let columns: Vec<&str> = made.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        let columns: Vec<&str> = columns.into_iter().filter(|name| *name != "PRIMARY" && *name != ")").collect();
        assert_eq!(columns.join(", "), table.names(), "{}", table.name);
        for row in rows {
            let mut cells = Vec::new();
            row.cells(&mut |cell| cells.push(cell));
            assert_eq!(cells.len(), table.columns.len());
            for (cell, column) in cells.iter().zip(table.columns) {
                let kind = match cell {
                    Cell::Text(_) => Kind::Text,
                    Cell::Json(_) => Kind::Json,
                    Cell::Time(_) => Kind::Time,
                    Cell::Number(_) => Kind::Number,
                    Cell::Real(_) => Kind::Real,
                    Cell::Truth(_) => Kind::Truth,
                };
                assert_eq!(kind, column.kind, "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn every_row_has_the_columns_of_its_table() {
        let batch = [entry(1)];
        let rows = Rows::read(&batch, 0);
        check(&rows.events);
        check(&rows.sessions);
        check(&rows.logins);
        check(&rows.artefacts);
        check(&rows.actors);
        check(rows.position.as_slice());
        rows.logins[0].cells(&mut |cell| assert!(!format!("{cell:?}").contains("\\0"), "{cell:?}"));
    }
}
