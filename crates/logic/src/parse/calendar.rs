//! Durations, dates and times of day as literals. Apart, because they count in units of their own.

use super::literal::{Wrong, digits};

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The units of a duration (§6.3.4, table 8): the name, its length, and how many make one of the next larger unit.
const UNITS: &[(&str, i128, i128)] = &[
    ("D", DAY, i128::MAX),
    ("H", 3600 * SECOND, 24),
    ("M", 60 * SECOND, 60),
    ("S", SECOND, 60),
    ("MS", 1_000_000, 1000),
    ("US", 1000, 1000),
    ("NS", 1, 1000),
];

/// What stands behind `T#`, in nanoseconds: units from the largest to the smallest, of which only the first may be more
/// than makes one of the next larger, and only the last may have a fraction.
pub(super) fn duration(text: &str, whole: &str) -> Result<i64, Wrong> {
    const EXAMPLE: &str = "a duration is written T#1h30m, T#2.5s or T#100ms";
    let no_duration = || Wrong::new(format!("`{whole}` is no duration"), EXAMPLE);
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    let (mut total, mut units, mut first) = (0_i128, UNITS.iter(), true);
    while !rest.is_empty() {
        let behind = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(behind);
        let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
        if unit.is_empty() || number.is_empty() {
            let hint = if tail.is_empty() && unit.is_empty() {
                "a unit is missing: d, h, m, s, ms, us or ns"
            } else {
                EXAMPLE
            };
            return Err(Wrong::new(format!("`{whole}` is no duration"), hint));
        }
        let known = |(name, ..): &&(&str, i128, i128)| name.eq_ignore_ascii_case(unit);
        let Some((_, length, most)) = units.find(known) else {
            let hint = if UNITS.iter().any(|unit| known(&unit)) {
                "the units stand once each, from the largest to the smallest"
            } else {
                "the units are d, h, m, s, ms, us and ns"
            };
            return Err(Wrong::new(format!("`{whole}` is no duration"), hint));
        };
        let (before, after) = number.split_once('.').unwrap_or((number, ""));
        let (before, after) = (digits(before, whole)?, digits(after, whole)?);
        let count: i128 = before.parse().map_err(|_| no_duration())?;
        if count >= *most && !first {
            let hint = "only the largest unit may be more than makes one of the next";
            return Err(Wrong::new(format!("`{whole}` has too many {unit}"), hint));
        }
        // A nanosecond is no more than the 15th digit behind the point of a day.
        let after = after.get(..15).unwrap_or(&after);
        let fraction = if after.is_empty() { 0 } else { after.parse::<i128>().map_err(|_| no_duration())? };
        let scale = 10_i128.pow(after.len() as u32);
        let time = count.checked_mul(*length).and_then(|time| time.checked_add(fraction * length / scale));
        total = time.and_then(|time| total.checked_add(time)).ok_or_else(|| too_long(whole))?;
        first = false;
        rest = tail.strip_prefix('_').unwrap_or(tail);
        if !rest.is_empty() && number.contains('.') {
            return Err(Wrong::new(format!("`{whole}` is no duration"), "only the smallest unit may have a fraction"));
        }
        if rest.is_empty() && tail.starts_with('_') {
            return Err(no_duration());
        }
    }
    if first {
        return Err(no_duration());
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    i64::try_from(sign * total).map_err(|_| too_long(whole))
}

fn too_long(whole: &str) -> Wrong {
    Wrong::new(format!("`{whole}` is too long a time"), "a duration is at most 106751 days")
}

/// What stands behind `D#`: nanoseconds from 1970 to the midnight that the day begins with.
pub(super) fn date(text: &str, whole: &str) -> Result<i64, Wrong> {
    let wrong = |hint: String| Wrong::new(format!("`{whole}` is no date"), hint);
    let [year, month, day] = numbers(text, '-').ok_or_else(|| wrong("a date is written D#2024-02-29".into()))?;
    // What 64 bits of nanoseconds hold.
    if !(1970..2262).contains(&year) {
        return Err(wrong("the years are 1970 to 2261".into()));
    }
    if !(1..=12).contains(&month) {
        return Err(wrong(format!("there is no month {month}")));
    }
    let days = days_of_month(year, month);
    if !(1..=days).contains(&day) {
        return Err(wrong(format!("that month has {days} days")));
    }
    let days = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum::<i64>()
        + (1..month).map(|month| days_of_month(year, month)).sum::<i64>()
        + day
        - 1;
    Ok(days * DAY as i64)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What stands behind `TOD#`: nanoseconds since midnight.
pub(super) fn time_of_day(text: &str, whole: &str) -> Result<i64, Wrong> {
    let wrong = |hint: &str| Wrong::new(format!("`{whole}` is no time of day"), hint);
    const EXAMPLE: &str = "a time of day is written TOD#23:59:59 or TOD#12:30:00.250";
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let [hour, minute, second] = numbers(seconds, ':').ok_or_else(|| wrong(EXAMPLE))?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(wrong(EXAMPLE));
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(wrong("a day ends at 23:59:59.999999999"));
    }
    let nanoseconds: i64 = format!("{fraction:0<9.9}").parse().map_err(|_| wrong(EXAMPLE))?;
    Ok((hour * 3600 + minute * 60 + second) * SECOND as i64 + nanoseconds)
}

/// What stands behind `DT#`: nanoseconds since 1970.
pub(super) fn date_and_time(text: &str, whole: &str) -> Result<i64, Wrong> {
    let (day, time) = text.rsplit_once('-').filter(|(_, time)| time.contains(':')).ok_or_else(|| {
        Wrong::new(format!("`{whole}` is no date and time"), "they are written DT#2024-02-29-23:59:59")
    })?;
    Ok(date(day, whole)? + time_of_day(time, whole)?)
}

/// Three numbers of at most four digits; the first of a date has exactly four.
fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let plain = (1..=4).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
        part.parse().ok().filter(|_| plain)
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn refused(wrong: Result<i64, Wrong>) -> (String, String) {
        wrong.map_err(|wrong| (wrong.message, wrong.hint)).expect_err("it is refused")
    }

    #[test]
    fn durations_have_units_fractions_signs_and_underscores() {
        for (text, milliseconds) in [
            ("14ms", 14),
            ("-14ms", -14),
            ("+1s", 1000),
            ("14.7s", 14_700),
            ("1.5h", 5_400_000),
            ("90m", 5_400_000),
            ("25h_15m", 90_900_000),
            ("5D14H12M18S3.5MS", 483_138_003),
            ("5d_14h_12m_18s_3.5ms", 483_138_003),
            ("1_000ms", 1000),
            ("1d5ms", 86_400_005),
            ("0", 0),
        ] {
            assert_eq!(duration(text, text).ok().map(|time| time / MS), Some(milliseconds), "{text}");
        }
        assert_eq!(duration("1us500ns", "").ok(), Some(1500));
        assert_eq!(duration("0.000_000_001s", "").ok(), Some(1));
        assert_eq!(duration("106751d23h47m16s854ms775us807ns", "").ok(), Some(i64::MAX));
        assert_eq!(duration("-106751d23h47m16s854ms775us808ns", "").ok(), Some(i64::MIN));
    }

    #[test]
    fn durations_that_are_none_are_refused() {
        const EXAMPLE: &str = "a duration is written T#1h30m, T#2.5s or T#100ms";
        const ORDER: &str = "the units stand once each, from the largest to the smallest";
        for (text, message, hint) in [
            ("5", "is no duration", "a unit is missing: d, h, m, s, ms, us or ns"),
            ("5x", "is no duration", "the units are d, h, m, s, ms, us and ns"),
            ("s", "is no duration", EXAMPLE),
            ("", "is no duration", EXAMPLE),
            ("5s_", "is no duration", EXAMPLE),
            ("4ms13d", "is no duration", ORDER),
            ("1s1s", "is no duration", ORDER),
            ("1.5h3m", "is no duration", "only the smallest unit may have a fraction"),
            ("5m68s", "has too many s", "only the largest unit may be more than makes one of the next"),
            ("106752d", "is too long a time", "a duration is at most 106751 days"),
            ("99999999999999999999999999999999999999d", "is too long a time", "a duration is at most 106751 days"),
        ] {
            let whole = format!("T#{text}");
            assert_eq!(refused(duration(text, &whole)), (format!("`{whole}` {message}"), hint.to_owned()));
        }
    }

    #[test]
    fn dates_are_of_the_calendar() {
        let days = |text: &str| date(text, text).ok().map(|time| time / DAY as i64);
        assert_eq!(days("1970-01-01"), Some(0));
        assert_eq!(days("2000-02-29"), Some(11_016));
        assert_eq!(days("2024-2-29"), Some(19_782));
        assert_eq!(days("2261-12-31"), Some(106_650));
        for (text, hint) in [
            ("2023-02-29", "that month has 28 days"),
            ("2100-02-29", "that month has 28 days"),
            ("2024-04-31", "that month has 30 days"),
            ("2024-13-01", "there is no month 13"),
            ("84-06-25", "the years are 1970 to 2261"),
            ("2024-06", "a date is written D#2024-02-29"),
            ("25.06.2024", "a date is written D#2024-02-29"),
        ] {
            assert_eq!(refused(date(text, text)), (format!("`{text}` is no date"), hint.to_owned()));
        }
    }

    #[test]
    fn times_of_day_end_before_24_hours() {
        assert_eq!(time_of_day("12:30:15.5", "").ok(), Some(45_015_500 * MS));
        assert_eq!(time_of_day("23:59:59.999999999", "").ok(), Some(DAY as i64 - 1));
        assert_eq!(refused(time_of_day("24:00:00", "t")).1, "a day ends at 23:59:59.999999999");
        assert!(time_of_day("12:30", "").is_err());
        assert!(time_of_day("12:30:15.x", "").is_err());
        assert_eq!(date_and_time("1970-01-02-00:00:01", "").ok(), Some(86_401_000 * MS));
        assert_eq!(refused(date_and_time("2024-06-25", "DT#2024-06-25")).1, "they are written DT#2024-02-29-23:59:59");
        assert_eq!(refused(date_and_time("2024-06-31-00:00:00", "t")).1, "that month has 30 days");
    }
}
