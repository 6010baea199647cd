//! Rows as MySQL takes them: several in one statement, as far as a packet reaches. Apart, because it knows no connection.

use crate::sink::sql::{
    line::without_nul,
    tables::{Cell, Join, Kind, Record, Table},
};
use jiff::tz::Offset;
use mysql::Value;

/// The most rows of one statement. Statements of so many are prepared once.
pub(super) const TOGETHER: usize = 128;

/// The statement that enters `count` rows into `table`, or joins them to what is there.
pub(super) fn insert(table: &Table, count: usize) -> String {
    let set = table.assignments(|column| {
        let name = column.name;
        Some(match column.join {
            Join::Stay => return None,
            Join::Least => format!("least({name}, VALUES({name}))"),
            Join::Greatest => format!("greatest({name}, VALUES({name}))"),
            Join::Sum => format!("{name} + VALUES({name})"),
            Join::Replace => format!("coalesce(VALUES({name}), {name})"),
            Join::ByRank(rank) => format!("if(VALUES({rank}) > {rank}, VALUES({name}), {name})"),
        })
    });
    let first = table.columns.first().map_or("", |column| column.name);
    // `INSERT IGNORE` would also pass over what does not fit.
    let set = if set.is_empty() { format!("{first} = {first}") } else { set };
    let row = format!("({})", vec!["?"; table.columns.len()].join(","));
    let rows = vec![row; count].join(",");
    format!("INSERT INTO {} ({}) VALUES {rows} ON DUPLICATE KEY UPDATE {set}", table.name, table.names())
}

/// The rows in groups: those of each are at most [`TOGETHER`], and hold at most `most` bytes.
pub(super) fn groups<R: Record>(rows: &[R], most: usize) -> Vec<Vec<Value>> {
    let (mut groups, mut group, mut size) = (Vec::new(), Vec::new(), 0);
    let width = R::TABLE.columns.len();
    for row in rows {
        let mut values = Vec::with_capacity(width);
        row.cells(&mut |cell| values.push(value(cell)));
        let mut length = bytes(&values);
        if length > most {
            shorten(&mut values, &R::TABLE, length, most);
            length = bytes(&values);
        }
        if !group.is_empty() && (group.len() == TOGETHER * width || size + length > most) {
            groups.push(std::mem::take(&mut group));
            size = 0;
        }
        group.append(&mut values);
        size += length;
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

fn bytes(values: &[Value]) -> usize {
    let length = |value: &Value| if let Value::Bytes(bytes) = value { bytes.len() + 9 } else { 12 };
    values.iter().map(length).sum()
}

/// What no packet can carry is left out, and it is told where it would be.
fn shorten(values: &mut [Value], table: &Table, length: usize, most: usize) {
    let share = most / (table.columns.len() * 2);
    for (value, column) in values.iter_mut().zip(table.columns) {
        let Value::Bytes(bytes) = value else { continue };
        if bytes.len() <= share {
            continue;
        }
        *bytes = if column.kind == Kind::Json {
            format!("{{\"error\":{{\"message\":\"left out: {length} bytes are more than max_allowed_packet takes\"}}}}")
                .into()
        } else {
            let text = String::from_utf8_lossy(bytes);
            let end = text.floor_char_boundary(share.saturating_sub(8));
            format!("{}…", text.get(..end).unwrap_or_default()).into()
        };
    }
}

fn value(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Text(text) => text.map_or(Value::NULL, |text| Value::Bytes(text.into())),
        Cell::Json(text) => text.map_or(Value::NULL, |text| Value::Bytes(without_nul(text).into_owned().into())),
        Cell::Number(number) => number.map_or(Value::NULL, Value::Int),
        Cell::Real(number) => number.map_or(Value::NULL, Value::Double),
        Cell::Truth(truth) => Value::Int(truth.into()),
        Cell::Time(time) => time.map_or(Value::NULL, |stamp| moment(stamp.timestamp())),
    }
}

/// A moment as the server keeps it: in UTC.
pub(super) fn moment(at: jiff::Timestamp) -> Value {
    let at = Offset::UTC.to_datetime(at);
    let small = |number: i8| u8::try_from(number).unwrap_or_default();
    Value::Date(
        u16::try_from(at.year()).unwrap_or_default(),
        small(at.month()),
        small(at.day()),
        small(at.hour()),
        small(at.minute()),
        small(at.second()),
        u32::try_from(at.subsec_nanosecond() / 1000).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{
        sample::entry,
        sql::rows::{EventRow, Rows, SessionRow},
    };

    #[test]
    fn a_row_that_is_there_is_joined() {
        let session = insert(&SessionRow::TABLE, 2);
        assert!(session.contains("events = events + VALUES(events)"), "{session}");
        let (rank, tactic) = (session.find("tactic_rank = "), session.find("tactic = if("));
        assert!(tactic < rank, "the rank is looked at before it changes: {session}");
        assert!(insert(&EventRow::TABLE, 1).ends_with("ON DUPLICATE KEY UPDATE install = install"));
    }

    #[test]
    fn what_no_packet_can_carry_is_told() {
        let mut batch = vec![entry(1), entry(2), entry(3)];
        batch[1].line = batch[1].line.replace("pump_1", &"\u{1F600}".repeat(30_000));
        let rows = Rows::read(&batch, 0);
        let groups = groups(&rows.events, 100_000);
        assert_eq!(groups.iter().map(|group| group.len() / 21).sum::<usize>(), 3);
        assert!(groups.iter().all(|group| bytes(group) <= 100_000));
        let documents = groups.iter().flatten().filter_map(|value| match value {
            Value::Bytes(bytes) => serde_json::from_slice::<serde_json::Value>(bytes).ok(),
            _ => None,
        });
        let told: Vec<_> = documents.filter(|document| document["error"]["message"].is_string()).collect();
        assert_eq!(told.len(), 1, "{told:?}");
    }
}
