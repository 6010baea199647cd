//! The two atoms of a document that have a text of their own: a moment and the number of a session. Apart, because they
//! are written for every event and must cost nothing.

use jiff::{Timestamp, tz::Offset};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr, time::SystemTime};

/// A moment in UTC, to the microsecond: `2026-11-22T03:46:00.123456Z`. All are equally long, so that they sort as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(Timestamp);

impl Stamp {
    /// The moment.
    pub const fn timestamp(self) -> Timestamp {
        self.0
    }

    /// The time of day, `03:46:00`.
    pub fn clock(self) -> String {
        let text = self.text();
        str::from_utf8(text.get(11..19).unwrap_or_default()).unwrap_or_default().to_owned()
    }

    /// As databases write it, without the name of the zone: `2026-11-22 03:46:00.123456`.
    pub(crate) fn to_sqlite(self) -> String {
        let mut text = self.text();
        if let Some(between) = text.get_mut(10) {
            *between = b' ';
        }
        str::from_utf8(text.get(..26).unwrap_or_default()).unwrap_or_default().to_owned()
    }

    fn text(self) -> [u8; 27] {
        let at = Offset::UTC.to_datetime(self.0);
        let digit = |number: i32, place: i32| b'0' + (number / place % 10) as u8;
        let (year, month, day) = (i32::from(at.year()), i32::from(at.month()), i32::from(at.day()));
        let (hour, minute, second) = (i32::from(at.hour()), i32::from(at.minute()), i32::from(at.second()));
        let micro = at.subsec_nanosecond() / 1000;
        [
            digit(year, 1000),
            digit(year, 100),
            digit(year, 10),
            digit(year, 1),
            b'-',
            digit(month, 10),
            digit(month, 1),
            b'-',
            digit(day, 10),
            digit(day, 1),
            b'T',
            digit(hour, 10),
            digit(hour, 1),
            b':',
            digit(minute, 10),
            digit(minute, 1),
            b':',
            digit(second, 10),
            digit(second, 1),
            b'.',
            digit(micro, 100_000),
            digit(micro, 10_000),
            digit(micro, 1000),
            digit(micro, 100),
            digit(micro, 10),
            digit(micro, 1),
            b'Z',
        ]
    }
}

impl From<SystemTime> for Stamp {
    fn from(time: SystemTime) -> Self {
        let exact = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
        Self(Timestamp::from_microsecond(exact.as_microsecond()).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl FromStr for Stamp {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Stamp {
    fn schema_name() -> Cow<'static, str> {
        "Stamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A moment in UTC, to the microsecond. All are equally long, so that they sort as text.",
            "type": "string",
            "format": "date-time",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
        })
    }
}

/// The number of a session, as 16 hexadecimal digits: JSON readers lose the low digits of so great a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for SessionId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [b'0'; 16];
        let nibbles = self.0.to_be_bytes().into_iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
        for (slot, nibble) in text.iter_mut().zip(nibbles) {
            *slot = hex_digit(nibble);
        }
        serializer.serialize_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for SessionId {
    fn schema_name() -> Cow<'static, str> {
        "SessionId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The number of a session. Later ones are greater.",
            "type": "string",
            "pattern": "^[0-9a-f]{16}$",
        })
    }
}

/// The character of a number below 16.
pub(crate) const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_moment_reads_back_and_sorts_as_text() {
        let early = Stamp::from(SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_319_160_000_007));
        assert_eq!(early.to_string(), "2026-11-22T03:46:00.000007Z");
        assert_eq!(early.to_string().parse::<Stamp>().unwrap(), early);
        assert_eq!(early.clock(), "03:46:00");
        assert_eq!(serde_json::to_string(&SessionId(0xBEEF)).unwrap(), "\"000000000000beef\"");
    }
}
