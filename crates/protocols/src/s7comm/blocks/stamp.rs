//! The time of a block: milliseconds of a day, and days since 1984 began. Apart, because it is written in four ways: as
//! octets, as text in settings, as text in the record, and moved by what was drawn.

use honeyplant_core::{
    bytes::{Reader, Short},
    calendar::Civil,
};
use std::{fmt, time::Duration};

/// Days from the beginning of 1970 to that of 1984.
const EPOCH: u64 = 5113;
const DAY: u64 = 86_400;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    pub(super) days: u16,
    pub(super) millis: u32,
}

impl Stamp {
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Short> {
        Ok(Self { millis: r.array().map(u32::from_be_bytes)?, days: r.be16()? })
    }

    pub(super) fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.millis.to_be_bytes());
        out.extend_from_slice(&self.days.to_be_bytes());
    }

    /// Reads `2014-03-11` or `2014-03-11T10:20:30`, which may have milliseconds.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, millis) = match text.split_once('.') {
            Some((whole, millis)) => (whole, Some(millis).filter(|digits| digits.len() == 3)?.parse::<u32>().ok()?),
            None => (text, 0),
        };
        let whole = if whole.contains('T') { format!("{whole}Z") } else { whole.to_owned() };
        let seconds = Civil::parse(&whole)?.0.since_1970()?.as_secs();
        let days = u16::try_from((seconds / DAY).checked_sub(EPOCH)?).ok()?;
        Some(Self { days, millis: (seconds % DAY) as u32 * 1000 + millis })
    }

    /// The time this much earlier, but not before 1984.
    pub(super) fn before(self, period: Duration) -> Self {
        let millis = u64::from(self.days) * DAY * 1000 + u64::from(self.millis);
        let earlier = millis.saturating_sub(u64::try_from(period.as_millis()).unwrap_or(u64::MAX));
        let days = u16::try_from(earlier / (DAY * 1000)).unwrap_or_default();
        Self { days, millis: (earlier % (DAY * 1000)) as u32 }
    }
}

/// As in the record: `2014-03-11T10:20:30.000`, by the clock of whoever changed the block.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = (EPOCH + u64::from(self.days)) * DAY + u64::from(self.millis / 1000);
        let Civil { year, month, day, hour, minute, second } = Civil::of(Duration::from_secs(seconds));
        write!(f, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}", self.millis % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for (text, stamp) in [
            ("1994-11-02T12:50:46.600", Stamp { days: 0x0F76, millis: 0x02C1_AAC8 }),
            ("1984-01-01T00:00:00.000", Stamp::default()),
        ] {
            assert_eq!(Stamp::parse(text), Some(stamp), "{text}");
            assert_eq!(stamp.to_string(), text);
        }
        assert_eq!(Stamp::parse("2014-03-11").unwrap().to_string(), "2014-03-11T00:00:00.000");
        for wrong in ["soon", "1983-12-31", "2014-13-01", "2014-03-11T10:20", "2014-03-11T10:20:30.5"] {
            assert_eq!(Stamp::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn time_goes_back_over_midnight() {
        let stamp = Stamp { days: 1, millis: 500 };
        assert_eq!(stamp.before(Duration::from_secs(1)), Stamp { days: 0, millis: 86_399_500 });
        assert_eq!(stamp.before(Duration::from_secs(u64::MAX)), Stamp::default());
    }
}
