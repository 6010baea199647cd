//! Values as texts, and texts as values (table 27), in the form of literals. Apart, because conversions are about types and
//! this is about writing.

use super::{
    conversion::convert,
    time::{DAY, MILLISECOND, SECOND, calendar, days},
};
use crate::types::{
    Elementary::{self, Bool, Date, Dt, Lint, Lreal, Time, Tod, Ulint},
    Raw,
};

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const MICROSECOND: i64 = 1_000;

/// A value as a program would write it.
pub(super) fn write(ty: Elementary, raw: Raw) -> Vec<u8> {
    let value = raw as i64;
    match ty {
        Bool => if raw == 0 { "FALSE" } else { "TRUE" }.to_owned(),
        Time => duration(value),
        Date => format!("D#{}", day(value)),
        Tod => format!("TOD#{}", clock(value)),
        Dt => format!("DT#{}-{}", day(value), clock(value)),
        Elementary::Real => decimal(format!("{:?}", f64::from_bits(raw) as f32)),
        Lreal => decimal(format!("{:?}", f64::from_bits(raw))),
        _ if ty.is_signed() => value.to_string(),
        _ => raw.to_string(),
    }
    .into_bytes()
}

/// The value that is written in a text, with its type before it (`T#5s`, `INT#16#FF`) or without.
pub(super) fn read(ty: Elementary, text: &[u8]) -> Option<Raw> {
    let text = std::str::from_utf8(text).ok()?.trim().to_ascii_uppercase();
    let value = match text.split_once('#') {
        Some((prefix, value)) if prefix.starts_with(|first: char| first.is_ascii_alphabetic()) => {
            let prefix = match prefix {
                "T" | "LT" => Time,
                "D" | "LD" => Date,
                keyword => Elementary::of(keyword)?,
            };
            if prefix != ty {
                return None;
            }
            value
        }
        _ => &text,
    };
    let time = match ty {
        Bool => return ["FALSE", "TRUE", "0", "1"].iter().position(|it| *it == value).map(|at| at as Raw & 1),
        Time => read_duration(value)?,
        Date => read_day(value)?,
        Tod => read_clock(value)?,
        Dt => {
            let (last_hyphen, _) = value.match_indices('-').nth(2)?;
            let (day, clock) = value.split_at(last_hyphen);
            read_day(day)?.checked_add(read_clock(clock.strip_prefix('-')?)?)?
        }
        _ => return read_number(ty, value),
    };
    Some(time as Raw)
}

/// T#1d2h3m4s5ms, without the parts that are 0.
fn duration(time: i64) -> String {
    let mut text = String::from(if time < 0 { "T#-" } else { "T#" });
    let mut rest = time.unsigned_abs();
    for (name, unit) in UNITS {
        let count = rest / unit.unsigned_abs();
        rest %= unit.unsigned_abs();
        if count > 0 {
            text.push_str(&format!("{count}{name}"));
        }
    }
    if time == 0 { "T#0ms".to_owned() } else { text }
}

const UNITS: [(&str, i64); 7] =
    [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", MILLISECOND), ("us", MICROSECOND), ("ns", 1)];

fn read_duration(text: &str) -> Option<i64> {
    let (minus, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut time = (!rest.is_empty()).then_some(0_i64)?;
    while !rest.is_empty() {
        let (count, after) = rest.split_at(rest.find(|c: char| c.is_ascii_alphabetic())?);
        let (unit, after) = after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
        let (_, unit) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        time = time.checked_add(fixed_point(count, *unit)?)?;
        rest = after.strip_prefix('_').unwrap_or(after);
    }
    time.checked_mul(minus)
}

/// So many of a unit, with a fraction or without.
fn fixed_point(count: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = count.split_once('.').unwrap_or((count, "0"));
    let fraction: f64 = format!("0.{}", digits(fraction)?).parse().ok()?;
    let whole: i64 = digits(whole)?.parse().ok()?;
    whole.checked_mul(unit)?.checked_add((fraction * unit as f64).round() as i64)
}

/// Digits with single underscores between them, without these.
fn digits(text: &str) -> Option<String> {
    let text = text.replace('_', "");
    (!text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())).then_some(text)
}

fn day(time: i64) -> String {
    let (year, month, day) = calendar(time.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

fn read_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(|part| digits(part)?.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let days = days(year, month, day);
    (calendar(days) == (year, month, day)).then_some(days.checked_mul(DAY)?)
}

fn clock(time: i64) -> String {
    let time = time.rem_euclid(DAY);
    let seconds = format!("{:02}:{:02}:{:02}", time / HOUR, time % HOUR / MINUTE, time % MINUTE / SECOND);
    match time % SECOND {
        0 => seconds,
        rest => format!("{seconds}.{rest:09}").trim_end_matches('0').to_owned(),
    }
}

fn read_clock(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours = fixed_point(parts.next()?, HOUR)?;
    let minutes = fixed_point(parts.next()?, MINUTE)?;
    let time = hours.checked_add(minutes)?.checked_add(fixed_point(parts.next()?, SECOND)?)?;
    (time < DAY && minutes < HOUR).then_some(time)
}

/// A real number with the point that a literal has.
fn decimal(text: String) -> String {
    let text = text.to_ascii_uppercase();
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

fn read_number(ty: Elementary, text: &str) -> Option<Raw> {
    let text = text.replace('_', "");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let base = |base, digits: &str| {
        let digits = digits.starts_with(|first: char| first.is_ascii_alphanumeric()).then_some(digits)?;
        let integer = i128::from_str_radix(digits, base).ok()?;
        Some(if text.starts_with('-') { -integer } else { integer })
    };
    if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let integer = match unsigned.split_once('#') {
        Some(("2", digits)) => base(2, digits)?,
        Some(("8", digits)) => base(8, digits)?,
        Some(("16", digits)) => base(16, digits)?,
        Some(_) => return None,
        None => match text.parse::<i128>() {
            Ok(integer) if !ty.is_real() => integer,
            _ => return Some(convert(Lreal, ty, text.parse::<f64>().ok()?.to_bits())),
        },
    };
    Some(match u64::try_from(integer) {
        Ok(integer) => convert(Ulint, ty, integer),
        Err(_) => convert(Lint, ty, integer as Raw),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Elementary::{Byte, Dint, Int, Real, Sint, Usint, Word};

    #[test]
    fn what_is_written_can_be_read() {
        for (ty, raw, text) in [
            (Bool, 1, "TRUE"),
            (Bool, 0, "FALSE"),
            (Int, -5_i64 as u64, "-5"),
            (Ulint, u64::MAX, "18446744073709551615"),
            (Lint, i64::MIN as u64, "-9223372036854775808"),
            (Byte, 255, "255"),
            (Lreal, 2.5_f64.to_bits(), "2.5"),
            (Lreal, (-1e30_f64).to_bits(), "-1.0E30"),
            (Lreal, 1.5e-9_f64.to_bits(), "1.5E-9"),
            (Real, f64::from(0.1_f32).to_bits(), "0.1"),
            (Real, 3.0_f64.to_bits(), "3.0"),
            (Time, 0, "T#0ms"),
            (Time, (DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5 * MILLISECOND) as u64, "T#1d2h3m4s5ms"),
            (Time, -1_500_000_000_i64 as u64, "T#-1s500ms"),
            (Time, 1_001, "T#1us1ns"),
            (Date, (11_016 * DAY) as u64, "D#2000-02-29"),
            (Tod, (13 * HOUR + 7 * MINUTE + 500 * MILLISECOND) as u64, "TOD#13:07:00.5"),
            (Dt, -SECOND as u64, "DT#1969-12-31-23:59:59"),
        ] {
            assert_eq!(String::from_utf8(write(ty, raw)).unwrap(), text);
            assert_eq!(read(ty, text.as_bytes()), Some(raw), "{text}");
        }
        assert!(write(Time, i64::MIN as u64).starts_with(b"T#-106751d"), "the shortest has no positive");
    }

    #[test]
    fn reads_what_a_program_may_say() {
        for (ty, text, raw) in [
            (Int, " 16#ff ", 255),
            (Int, "-16#ff", -255),
            (Int, "INT#-1_000", -1000),
            (Word, "WORD#16#FFFF", 65535),
            (Usint, "2#1000_0001", 129),
            (Dint, "8#17", 15),
            (Sint, "200", -56),
            (Int, "2.5", 2),
            (Int, "1e3", 1000),
            (Time, "12h30m", 45_000 * SECOND),
            (Time, "time#1.5h", 5_400 * SECOND),
            (Time, "LT#-5d_1s", -5 * DAY - SECOND),
            (Date, "DATE#1970-01-02", DAY),
            (Tod, "time_of_day#00:00:01", SECOND),
            (Dt, "DATE_AND_TIME#1970-01-02-00:00:01.25", DAY + SECOND + 250 * MILLISECOND),
            (Bool, "1", 1),
            (Bool, "bool#0", 0),
        ] {
            assert_eq!(read(ty, text.as_bytes()), Some(raw as u64), "{text}");
        }
        assert_eq!(read(Real, b"7"), Some(7.0_f64.to_bits()));
        assert_eq!(read(Lreal, b"-.5e1"), None, "as in a program, a digit comes first");
    }

    #[test]
    fn anything_else_is_no_value() {
        for ty in [Bool, Int, Ulint, Real, Lreal, Time, Date, Tod, Dt] {
            for text in [
                "",
                " ",
                "#",
                "T#",
                "x",
                "-",
                "--1",
                "1-",
                "16#",
                "16#G",
                "3#1",
                "T#5",
                "T#5x",
                "T#1h2",
                "inf",
                "NaN",
                "D#2023-02-29",
                "TOD#24:00:00",
                "TOD#1:2",
                "DT#2000-01-01",
                "WORD#5",
                "99999999999999999999999d",
                "DT#999999999999-01-01-00:00:00",
                "\u{e9}",
            ] {
                assert_eq!(read(ty, text.as_bytes()), None, "{text} is no {}", ty.name());
            }
        }
        assert_eq!(read(Int, &[0xFF, 0xE9]), None);
    }
}
