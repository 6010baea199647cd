//! Functions of durations and dates (§6.6.2.5, tables 35 and 36). Apart, because only they know the calendar.

use super::{Class, Compute, Entry, number, real};
use crate::types::{
    Elementary::{self, Date, Dt, Int, Time, Tod},
    Raw,
};

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const MILLISECOND: i64 = 1_000_000;
pub(super) const DAY: i64 = 86_400 * SECOND;

/// A function of two durations or dates.
macro_rules! two {
    ($name:literal $first:ident $second:ident => $result:ident $compute:expr) => {
        Entry::new(
            $name,
            &[("IN1", Class::Exactly($first)), ("IN2", Class::Exactly($second))],
            Class::Exactly($result),
            Compute::Number($compute),
        )
    };
}

/// A duration times or by a number of any type.
macro_rules! scaled {
    ($name:literal $compute:expr) => {
        Entry::new(
            $name,
            &[("IN1", Class::Exactly(Time)), ("IN2", Class::AnyNumber)],
            Class::Exactly(Time),
            Compute::Number($compute),
        )
    };
}

/// All of them.
pub(super) const FUNCTIONS: [Entry; 18] = [
    // Table 35.
    two!("ADD_TIME" Time Time => Time |_, of| Ok(sum(of) as Raw)),
    two!("ADD_TOD_TIME" Tod Time => Tod |_, of| Ok(within_day(sum(of)))),
    two!("ADD_DT_TIME" Dt Time => Dt |_, of| Ok(sum(of) as Raw)),
    two!("SUB_TIME" Time Time => Time |_, of| Ok(difference(of) as Raw)),
    two!("SUB_DATE_DATE" Date Date => Time |_, of| Ok(difference(of) as Raw)),
    two!("SUB_TOD_TIME" Tod Time => Tod |_, of| Ok(within_day(difference(of)))),
    two!("SUB_TOD_TOD" Tod Tod => Time |_, of| Ok(difference(of) as Raw)),
    two!("SUB_DT_TIME" Dt Time => Dt |_, of| Ok(difference(of) as Raw)),
    two!("SUB_DT_DT" Dt Dt => Time |_, of| Ok(difference(of) as Raw)),
    scaled!("MUL_TIME" multiply),
    scaled!("MULTIME" multiply),
    scaled!("DIV_TIME" divide),
    scaled!("DIVTIME" divide),
    // Table 36.
    Entry::new(
        "CONCAT_DATE_TOD",
        &[("DATE", Class::Exactly(Date)), ("TOD", Class::Exactly(Tod))],
        Class::Exactly(Dt),
        Compute::Number(|_, of| Ok(sum(of) as Raw)),
    ),
    Entry::new(
        "CONCAT_DATE",
        &[("YEAR", Class::AnyInteger), ("MONTH", Class::AnyInteger), ("DAY", Class::AnyInteger)],
        Class::Exactly(Date),
        Compute::Number(|_, of| Ok(date(of) as Raw)),
    ),
    Entry::new(
        "CONCAT_TOD",
        &[
            ("HOUR", Class::AnyInteger),
            ("MINUTE", Class::AnyInteger),
            ("SECOND", Class::AnyInteger),
            ("MILLISECOND", Class::AnyInteger),
        ],
        Class::Exactly(Tod),
        Compute::Number(|_, of| Ok(within_day(time_of_day(of)))),
    ),
    Entry::new(
        "CONCAT_DT",
        &[
            ("YEAR", Class::AnyInteger),
            ("MONTH", Class::AnyInteger),
            ("DAY", Class::AnyInteger),
            ("HOUR", Class::AnyInteger),
            ("MINUTE", Class::AnyInteger),
            ("SECOND", Class::AnyInteger),
            ("MILLISECOND", Class::AnyInteger),
        ],
        Class::Exactly(Dt),
        Compute::Number(|_, of| Ok(date(of).saturating_add(time_of_day(of.get(3..).unwrap_or_default())) as Raw)),
    ),
    Entry::new(
        "DAY_OF_WEEK",
        &[("IN", Class::Exactly(Date))],
        Class::Exactly(Int),
        // 0 is Sunday; 1970 began with a Thursday.
        Compute::Number(|_, of| Ok(((number(of, 0) as i64).div_euclid(DAY) + 4).rem_euclid(7) as Raw)),
    ),
];

/// `name` without the L that the long types have, if it has one: what this crate holds them in is the same.
pub(super) fn short(name: &str) -> Option<String> {
    let word = |word| match word {
        "LTIME" => "TIME",
        "LTOD" => "TOD",
        "LDATE" => "DATE",
        "LDT" => "DT",
        other => other,
    };
    let short = name.split('_').map(word).collect::<Vec<_>>().join("_");
    (short != name).then_some(short)
}

/// Days since 1970 of a day in the Gregorian calendar. Months and days that are too many run on into the next year or
/// month.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let months = month.saturating_sub(1);
    let year = year.saturating_add(months.div_euclid(12)).clamp(-400_000, 400_000);
    let month = months.rem_euclid(12);
    // Years begin in March here, so that the day that some have more is their last.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before = 365 * year + leap_days + (153 * month + 2) / 5;
    (before - 719_469).saturating_add(day)
}

/// Year, month and day of so many days since 1970.
pub(super) fn calendar(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + 400 * era, month + 3);
    if month > 12 { (year + 1, month - 12, day) } else { (year, month, day) }
}

fn time(of: &[Raw], index: usize) -> i64 {
    number(of, index) as i64
}

fn sum(of: &[Raw]) -> i64 {
    time(of, 0).saturating_add(time(of, 1))
}

fn difference(of: &[Raw]) -> i64 {
    time(of, 0).saturating_sub(time(of, 1))
}

/// What is beyond midnight goes on in the morning.
fn within_day(time: i64) -> Raw {
    time.rem_euclid(DAY) as Raw
}

fn multiply(by: Elementary, of: &[Raw]) -> Result<Raw, &'static str> {
    let product = match by {
        _ if by.is_real() => (time(of, 0) as f64 * real(of, 1)) as i64,
        _ if by.is_signed() => time(of, 0).saturating_mul(time(of, 1)),
        // Beyond what is signed there is no duration but the longest.
        _ => time(of, 0).saturating_mul(i64::try_from(number(of, 1)).unwrap_or(i64::MAX)),
    };
    Ok(product as Raw)
}

fn divide(by: Elementary, of: &[Raw]) -> Result<Raw, &'static str> {
    let quotient = match by {
        _ if by.is_real() => (time(of, 0) as f64 / real(of, 1)) as i64,
        _ if number(of, 1) == 0 => return Err("division by zero"),
        _ if by.is_signed() => time(of, 0).saturating_div(time(of, 1)),
        _ => i64::try_from(number(of, 1)).map_or(0, |by| time(of, 0).saturating_div(by)),
    };
    Ok(quotient as Raw)
}

/// From year, month and day.
fn date(of: &[Raw]) -> i64 {
    days(time(of, 0), time(of, 1), time(of, 2)).saturating_mul(DAY)
}

/// From hour, minute, second and millisecond.
fn time_of_day(of: &[Raw]) -> i64 {
    let units = [3_600 * SECOND, 60 * SECOND, SECOND, MILLISECOND];
    let parts = units.iter().enumerate().map(|(index, unit)| unit.saturating_mul(time(of, index)));
    parts.fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{function, sample::call};

    fn of(name: &str, ty: Elementary, of: &[i64]) -> i64 {
        call(name, ty, &of.iter().map(|value| *value as u64).collect::<Vec<_>>()).unwrap() as i64
    }

    #[test]
    fn durations() {
        assert_eq!(of("ADD_TIME", Time, &[SECOND, 5]), SECOND + 5);
        assert_eq!(of("SUB_TIME", Time, &[SECOND, 2 * SECOND]), -SECOND);
        assert_eq!(
            (of("MUL_TIME", Int, &[SECOND, -3]), of("DIV_TIME", Int, &[SECOND, -4])),
            (-3 * SECOND, -SECOND / 4)
        );
        let half = 0.5_f64.to_bits() as i64;
        assert_eq!(
            (of("MULTIME", Elementary::Lreal, &[SECOND, half]), of("DIVTIME", Elementary::Lreal, &[SECOND, half])),
            (SECOND / 2, 2 * SECOND)
        );
        assert_eq!(call("DIV_TIME", Int, &[1, 0]), Err("division by zero"));
        let big = Elementary::Ulint;
        assert_eq!((of("MUL_TIME", big, &[-SECOND, -1]), of("DIV_TIME", big, &[SECOND, -1])), (i64::MIN, 0));
    }

    #[test]
    fn clocks_go_around() {
        let hour = 3_600 * SECOND;
        assert_eq!(of("ADD_TOD_TIME", Tod, &[23 * hour, 2 * hour]), hour);
        assert_eq!(of("SUB_TOD_TIME", Tod, &[hour, 2 * hour]), 23 * hour);
        assert_eq!(of("SUB_TOD_TOD", Tod, &[hour, 2 * hour]), -hour);
        assert_eq!(of("ADD_DT_TIME", Dt, &[DAY, hour]), DAY + hour);
        assert_eq!(of("SUB_DT_TIME", Dt, &[DAY, hour]), 23 * hour);
        assert_eq!(
            (of("SUB_DT_DT", Dt, &[DAY, hour]), of("SUB_DATE_DATE", Date, &[3 * DAY, DAY])),
            (23 * hour, 2 * DAY)
        );
    }

    #[test]
    fn dates_are_put_together() {
        assert_eq!(of("CONCAT_DATE_TOD", Date, &[DAY, 5]), DAY + 5);
        assert_eq!(of("CONCAT_DATE", Int, &[2000, 3, 1]), 11_017 * DAY);
        assert_eq!(of("CONCAT_DATE", Int, &[2023, 14, 30]), of("CONCAT_DATE", Int, &[2024, 3, 1]), "it runs on");
        assert_eq!(of("CONCAT_TOD", Int, &[1, 2, 3, 4]), 3_723 * SECOND + 4 * MILLISECOND);
        assert_eq!(of("CONCAT_DT", Int, &[1970, 1, 2, 0, 0, 1, 0]), DAY + SECOND);
        assert_eq!(of("CONCAT_DT", Elementary::Lint, &[i64::MAX; 7]), i64::MAX);
        of("CONCAT_DT", Elementary::Lint, &[i64::MIN; 7]);
        let week = |year, month, day| of("DAY_OF_WEEK", Date, &[days(year, month, day) * DAY]);
        assert_eq!((week(1970, 1, 1), week(2000, 2, 27), week(2024, 2, 29), week(1969, 12, 28)), (4, 0, 4, 0));
    }

    #[test]
    fn the_calendar_goes_both_ways() {
        assert_eq!((days(1970, 1, 1), days(2000, 2, 29), days(1600, 1, 1)), (0, 11_016, -135_140));
        for day in (-800_000..800_000).step_by(97) {
            let (year, month, of_month) = calendar(day);
            assert_eq!(days(year, month, of_month), day);
            assert!((1..=12).contains(&month) && (1..=31).contains(&of_month));
        }
        calendar(i64::MAX);
        calendar(i64::MIN);
        days(i64::MIN, i64::MIN, i64::MIN);
    }

    #[test]
    fn long_types_are_the_same() {
        for (long, name) in [
            ("ADD_LTIME", "ADD_TIME"),
            ("SUB_LDT_LTIME", "SUB_DT_TIME"),
            ("CONCAT_DATE_LTOD", "CONCAT_DATE_TOD"),
            ("MUL_LTIME", "MUL_TIME"),
        ] {
            assert_eq!(&*function(long).unwrap().name, name);
        }
        assert!(function("LTIME").is_none() && function("ADD_").is_none());
    }
}
