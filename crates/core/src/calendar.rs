//! Days and times of day. Apart, because files, logs and protocols write times as people read them, and core has no clock
//! to ask.

use std::time::Duration;

/// A time of the Gregorian calendar, in UTC. Its fields are ordered as times are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    /// The year, from 1970 on.
    pub year: u32,
    /// The month, from 1 on.
    pub month: u32,
    /// The day of the month, from 1 on.
    pub day: u32,
    /// The hour.
    pub hour: u32,
    /// The minute.
    pub minute: u32,
    /// The second.
    pub second: u32,
}

const DAY: u64 = 86_400;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Civil {
    /// The time that is this long after 1970 began; of one after the year 9999 the last second of that year.
    pub fn of(since_1970: Duration) -> Self {
        let seconds = since_1970.as_secs().min(253_402_300_799);
        let (days, second) = (seconds / DAY, (seconds % DAY) as u32);
        // Days are counted in eras of 400 years that begin with March, so that a leap day is the last of its year.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        Self {
            year: year as u32,
            month: month as u32,
            day: day as u32,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    /// How long after 1970 began it is; none if there is no such time.
    pub fn since_1970(self) -> Option<Duration> {
        let year = u64::from(if self.month <= 2 { self.year.checked_sub(1)? } else { self.year });
        let month = u64::from(if self.month > 2 { self.month.checked_sub(3)? } else { self.month + 9 });
        let (era, of_era) = (year / 400, year % 400);
        let day = (153 * month + 2) / 5 + u64::from(self.day).checked_sub(1)?;
        let days = (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day).checked_sub(719_468)?;
        let second = u64::from(self.hour) * 3600 + u64::from(self.minute) * 60 + u64::from(self.second);
        let time = Duration::from_secs(days * DAY + second);
        // What does not come back is no time: a 30th of February, a 25th hour.
        (Self::of(time) == self).then_some(time)
    }

    /// Reads a date, `2019-03-04`, or a date and a time, `2019-03-04T10:22:31Z` (RFC 3339). The second is whether there was
    /// a time of day.
    pub fn parse(text: &str) -> Option<(Self, bool)> {
        let (date, time) = match text.split_once(['T', ' ']) {
            Some((date, time)) => (date, Some(time.strip_suffix('Z')?)),
            None => (text, None),
        };
        let [year, month, day] = numbers(date, '-')?;
        let [hour, minute, second] = time.map_or(Some([0; 3]), |time| numbers(time, ':'))?;
        let civil = Self { year, month, day, hour, minute, second };
        civil.since_1970().map(|_| (civil, time.is_some()))
    }

    /// The first three letters of the month's English name.
    pub fn month_name(self) -> &'static str {
        MONTHS.get(self.month.saturating_sub(1) as usize).copied().unwrap_or("???")
    }
}

fn numbers(text: &str, between: char) -> Option<[u32; 3]> {
    let mut parts = text.split(between).map(|part| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|_| digits)
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_century_comes_back() {
        let mut before = Civil::of(Duration::ZERO);
        for day in 1..40_000 {
            let time = Duration::from_secs(day * DAY + day % DAY);
            let civil = Civil::of(time);
            assert_eq!(civil.since_1970(), Some(time));
            assert!(civil > before);
            before = civil;
        }
    }

    #[test]
    fn dates_are_read_as_rfc_3339_writes_them() {
        let read = |text| Civil::parse(text).and_then(|(civil, exact)| Some((civil.since_1970()?.as_secs(), exact)));
        // 1985-04-12T23:20:50Z, an example of RFC 3339 §5.8.
        assert_eq!(read("1985-04-12T23:20:50Z"), Some((482_196_050, true)));
        assert_eq!(read("2000-02-29"), Some((951_782_400, false)));
        for wrong in
            ["2001-02-29", "2019-13-01", "2019-00-10", "1969-12-31", "2019-03-04T25:00:00Z", "soon", "2019-3", ""]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(
            Civil { year: u32::MAX, month: u32::MAX, day: 0, hour: 0, minute: 0, second: 0 }.since_1970().is_none()
        );
        assert_eq!(Civil::of(Duration::MAX).year, 9999);
    }
}
