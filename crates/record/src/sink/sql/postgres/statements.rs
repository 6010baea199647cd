//! Rows as PostgreSQL takes them: one statement a table, with an array for each column. Apart, because it knows no
//! connection.

use crate::sink::sql::{
    line::without_nul,
    tables::{Cell, Join, Kind, Record, Table},
};
use std::{borrow::Cow, time::SystemTime};
use tokio_postgres::types::ToSql;

/// The statement that enters rows into `table`, or joins them to what is there.
pub(super) fn insert(table: &Table) -> String {
    let arrays = (1..).zip(table.columns).map(|(number, column)| {
        let kind = match column.kind {
            Kind::Text | Kind::Json => "text",
            Kind::Time => "timestamptz",
            Kind::Number => "bigint",
            Kind::Real => "double precision",
            Kind::Truth => "boolean",
        };
        format!("${number}::{kind}[]")
    });
    let values = table.columns.iter().map(|column| match column.kind {
        Kind::Json => format!("{}::jsonb", column.name),
        _ => column.name.to_owned(),
    });
    let set = table.assignments(|column| {
        let name = column.name;
        Some(match column.join {
            Join::Stay => return None,
            Join::Least => format!("least(there.{name}, excluded.{name})"),
            Join::Greatest => format!("greatest(there.{name}, excluded.{name})"),
            Join::Sum => format!("there.{name} + excluded.{name}"),
            Join::Replace => format!("coalesce(excluded.{name}, there.{name})"),
            Join::ByRank(rank) => {
                format!("CASE WHEN excluded.{rank} > there.{rank} THEN excluded.{name} ELSE there.{name} END")
            }
        })
    });
    format!(
        "INSERT INTO {} AS there ({names}) SELECT {} FROM unnest({}) AS new ({names}) ON CONFLICT ({}) DO {}",
        table.name,
        values.collect::<Vec<_>>().join(", "),
        arrays.collect::<Vec<_>>().join(", "),
        table.key,
        if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {set}") },
        names = table.names(),
    )
}

/// The values of many rows in one column.
#[derive(Debug)]
pub(super) enum Array<'r> {
    Text(Vec<Option<&'r str>>),
    Json(Vec<Option<Cow<'r, str>>>),
    Time(Vec<Option<SystemTime>>),
    Number(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
    Truth(Vec<bool>),
}

/// The rows, column by column.
pub(super) fn arrays<R: Record>(rows: &[R]) -> Vec<Array<'_>> {
    let mut arrays: Vec<Array<'_>> = R::TABLE
        .columns
        .iter()
        .map(|column| match column.kind {
            Kind::Text => Array::Text(Vec::with_capacity(rows.len())),
            Kind::Json => Array::Json(Vec::with_capacity(rows.len())),
            Kind::Time => Array::Time(Vec::with_capacity(rows.len())),
            Kind::Number => Array::Number(Vec::with_capacity(rows.len())),
            Kind::Real => Array::Real(Vec::with_capacity(rows.len())),
            Kind::Truth => Array::Truth(Vec::with_capacity(rows.len())),
        })
        .collect();
    for row in rows {
        let mut columns = arrays.iter_mut();
        row.cells(&mut |cell| match (columns.next(), cell) {
            (Some(Array::Text(values)), Cell::Text(value)) => values.push(value),
            (Some(Array::Json(values)), Cell::Json(value)) => values.push(value.map(without_nul)),
            (Some(Array::Time(values)), Cell::Time(value)) => {
                values.push(value.map(|stamp| SystemTime::from(stamp.timestamp())));
            }
            (Some(Array::Number(values)), Cell::Number(value)) => values.push(value),
            (Some(Array::Real(values)), Cell::Real(value)) => values.push(value),
            (Some(Array::Truth(values)), Cell::Truth(value)) => values.push(value),
            // A test holds every row to the kinds of its columns; a shorter array is NULL at its end.
            _ => {}
        });
    }
    arrays
}

impl Array<'_> {
    pub(super) fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(values) => values,
            Self::Json(values) => values,
            Self::Time(values) => values,
            Self::Number(values) => values,
            Self::Real(values) => values,
            Self::Truth(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::sql::rows::{EventRow, SessionRow};

    #[test]
    fn a_row_that_is_there_is_joined() {
        let session = insert(&SessionRow::TABLE);
        assert!(session.contains("events = there.events + excluded.events"), "{session}");
        assert!(session.contains("summary::jsonb"), "{session}");
        let event = insert(&EventRow::TABLE);
        assert!(event.ends_with("ON CONFLICT (install, sequence) DO NOTHING"), "{event}");
    }
}
