//! The cells of what the database answers, as a report has them. Apart, because every question has them.

use honeyplant_record::database::{Row, RowResult};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

/// A count.
pub(super) fn whole(row: &Row<'_>, column: usize) -> RowResult<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

/// A text; none is empty.
pub(super) fn optional(row: &Row<'_>, column: usize) -> RowResult<String> {
    Ok(row.get::<_, Option<String>>(column)?.unwrap_or_default())
}

/// The number of an autonomous system and, in the next column, whose it is.
pub(super) fn network(row: &Row<'_>, column: usize) -> RowResult<String> {
    let organization = optional(row, column + 1)?;
    let number: Option<u32> = row.get(column)?;
    Ok(number.map(|number| format!("AS{number} {organization}").trim_end().to_owned()).unwrap_or_default())
}

/// A moment as documents have it, to the second.
pub(super) fn time(row: &Row<'_>, column: usize) -> RowResult<String> {
    let text = optional(row, column)?;
    let parsed = text.parse::<civil::DateTime>().ok().and_then(|at| at.to_zoned(TimeZone::UTC).ok());
    Ok(parsed.map(|at| second(at.timestamp())).unwrap_or_default())
}

/// A moment without what is less than a second.
pub(super) fn second(at: Timestamp) -> String {
    let whole = at.checked_sub(SignedDuration::from_nanos(at.subsec_nanosecond().into())).unwrap_or(at);
    whole.to_string()
}

/// A list of values as one writes them: the first few.
pub(super) fn values(json: &str) -> String {
    let Ok(serde_json::Value::Array(values)) = serde_json::from_str(json) else { return json.to_owned() };
    let shown: Vec<String> = values
        .iter()
        .take(8)
        .map(|value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Bool(bit) => if *bit { "on" } else { "off" }.to_owned(),
            other => other.to_string(),
        })
        .collect();
    let more = values.len() - shown.len();
    shown.join(", ") + &if more > 0 { format!(" … ({more} more)") } else { String::new() }
}
