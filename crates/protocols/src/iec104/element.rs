//! Information elements: values, qualities and times. IEC 60870-5-101 Ed. 2 (2003) §7.2.6. Apart from `point.rs`, which
//! knows where values come from.

use super::asdu::Element;
use honeyplant_core::plant::Value;
use std::time::Duration;

/// The quality bits (§7.2.6.3).
pub(super) mod quality {
    pub(in super::super) const OVERFLOW: u8 = 0x01;
    pub(in super::super) const NOT_TOPICAL: u8 = 0x40;
    pub(in super::super) const INVALID: u8 = 0x80;
    /// Those that every kind of quality has: BL, SB, NT, IV.
    pub(in super::super) const COMMON: u8 = 0xF0;
}

/// What a point says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) information: Information,
    /// The bits of QDS.
    pub(super) quality: u8,
}

/// A value, by its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Information {
    Single(bool),
    /// The two bits of DPI.
    Double(u8),
    Step {
        position: i8,
        transient: bool,
    },
    Bits(u32),
    /// In units of 2^-15.
    Normalized(i16),
    /// The same, without quality.
    Plain(i16),
    Scaled(i16),
    Float(f32),
    /// The value, and the octet of sequence number, CY, CA and IV.
    Total(i32, u8),
    Packed {
        status: u16,
        changed: u16,
    },
    /// The two bits of ES, and the milliseconds that it took.
    Event(u8, u16),
    /// The bits of SPE, and milliseconds.
    Start(u8, u16),
    /// The bits of OCI, and milliseconds.
    Output(u8, u16),
}

impl Reading {
    /// Appends the element.
    pub(super) fn put(&self, out: &mut Element) {
        use Information::{
            Bits, Double, Event, Float, Normalized, Output, Packed, Plain, Scaled, Single, Start, Step, Total,
        };
        let common = self.quality & quality::COMMON;
        match self.information {
            Single(on) => out.push(u8::from(on) | common),
            Double(state) => out.push(state & 3 | common),
            // §7.2.6.5
            Step { position, transient } => {
                out.extend_from_slice(&[position as u8 & 0x7F | u8::from(transient) << 7, self.quality]);
            }
            Bits(bits) => {
                out.extend_from_slice(&bits.to_le_bytes());
                out.push(self.quality);
            }
            Normalized(value) | Scaled(value) => {
                out.extend_from_slice(&value.to_le_bytes());
                out.push(self.quality);
            }
            Plain(value) => out.extend_from_slice(&value.to_le_bytes()),
            Float(value) => {
                out.extend_from_slice(&value.to_le_bytes());
                out.push(self.quality);
            }
            Total(value, notes) => {
                out.extend_from_slice(&value.to_le_bytes());
                out.push(notes);
            }
            Packed { status, changed } => {
                out.extend_from_slice(&status.to_le_bytes());
                out.extend_from_slice(&changed.to_le_bytes());
                out.push(self.quality);
            }
            // §7.2.6.10
            Event(state, elapsed) => {
                out.push(state & 3 | common);
                out.extend_from_slice(&elapsed.to_le_bytes());
            }
            Start(bits, elapsed) | Output(bits, elapsed) => {
                out.extend_from_slice(&[bits, common]);
                out.extend_from_slice(&elapsed.to_le_bytes());
            }
        }
    }

    /// The value as the record has it.
    pub(super) fn value(&self) -> Value {
        match self.information {
            Information::Single(on) => Value::Bool(on),
            Information::Double(state) => Value::Uint(state.into()),
            Information::Step { position, .. } => Value::Int(position.into()),
            Information::Bits(bits) => Value::Uint(bits.into()),
            Information::Normalized(value) | Information::Plain(value) => Value::Real(f64::from(value) / 32_768.0),
            Information::Scaled(value) => Value::Int(value.into()),
            Information::Float(value) => Value::Real(value.into()),
            Information::Total(value, _) => Value::Int(value.into()),
            Information::Packed { status, .. } => Value::Uint(status.into()),
            Information::Event(state, _) | Information::Start(state, _) | Information::Output(state, _) => {
                Value::Uint(state.into())
            }
        }
    }
}

/// A date and time as milliseconds since 1970, in the device's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(pub(super) i64);

const DAY: i64 = 86_400_000;

impl Time {
    pub(super) const fn of(clock: Duration, offset: i64) -> Self {
        Self((clock.as_millis() as i64).saturating_add(offset))
    }

    /// Appends CP56Time2a (§7.2.6.18).
    pub(super) fn put_cp56(self, valid: bool, out: &mut Element) {
        let (days, in_day) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        self.put_cp24(valid, out);
        // 1970-01-01 was a Thursday; Monday is 1.
        let weekday = (days + 3).rem_euclid(7) as u8 + 1;
        let hour = (in_day / 3_600_000) as u8;
        out.extend_from_slice(&[hour, day | weekday << 5, month, year.rem_euclid(100) as u8]);
    }

    /// Appends CP24Time2a (§7.2.6.19).
    pub(super) fn put_cp24(self, valid: bool, out: &mut Element) {
        let in_minute = self.0.rem_euclid(60_000) as u16;
        let minute = (self.0.rem_euclid(3_600_000) / 60_000) as u8;
        out.extend_from_slice(&in_minute.to_le_bytes());
        out.push(minute | if valid { 0 } else { 0x80 });
    }

    /// Reads CP56Time2a. There is none if it is said to be invalid, or is no date.
    pub(super) fn parse(octets: [u8; 7]) -> Option<Self> {
        let [low, high, minute, hour, day, month, year] = octets;
        let in_minute = u16::from_le_bytes([low, high]);
        let (invalid, minute, hour) = (minute & 0x80 != 0, minute & 0x3F, hour & 0x1F);
        let (day, month, year) = (day & 0x1F, month & 0x0F, year & 0x7F);
        let days = days(2000 + i64::from(year), month, day);
        let sound = !invalid && in_minute < 60_000 && minute < 60 && hour < 24 && year < 100;
        let sound = sound && civil(days) == (2000 + i64::from(year), month, day);
        sound
            .then(|| Self(days * DAY + i64::from(hour) * 3_600_000 + i64::from(minute) * 60_000 + i64::from(in_minute)))
    }
}

/// The days from 1970-01-01 to a date of the Gregorian calendar (Fliegel, Van Flandern 1968, reckoned from March).
fn days(year: i64, month: u8, day: u8) -> i64 {
    let (year, month) = if month > 2 { (year, i64::from(month) - 3) } else { (year - 1, i64::from(month) + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date so many days from 1970-01-01.
fn civil(days: i64) -> (i64, u8, u8) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + carry, month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read() {
        // 2025-03-10T08:00:00Z was a Monday.
        let time = Time(1_741_593_600_000 + 61_234);
        let mut out = Element::new();
        time.put_cp56(true, &mut out);
        assert_eq!(out[..], [0xD2, 0x04, 1, 8, 0x2A, 3, 25]);
        assert_eq!(Time::parse([0xD2, 0x04, 1, 8, 0x2A, 3, 25]), Some(time));
        for wrong in [
            [0x60, 0xEA, 1, 8, 10, 3, 25],
            [0, 0, 0x80, 8, 10, 3, 25],
            [0, 0, 60, 8, 10, 3, 25],
            [0, 0, 0, 24, 10, 3, 25],
            [0, 0, 0, 8, 30, 2, 25],
            [0, 0, 0, 8, 0, 0, 0],
            [0, 0, 0, 8, 1, 13, 25],
        ] {
            assert_eq!(Time::parse(wrong), None, "{wrong:?}");
        }
        for day in 0..60_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }

    #[test]
    fn elements_have_the_octets_of_the_standard() {
        use Information::{Bits, Double, Event, Float, Normalized, Packed, Plain, Scaled, Single, Start, Step, Total};
        for (information, octets) in [
            (Single(true), &[0x81][..]),
            (Double(2), &[0x82]),
            (Step { position: -2, transient: true }, &[0xFE, 0x81]),
            (Bits(0x0102_0304), &[4, 3, 2, 1, 0x81]),
            (Normalized(-32_768), &[0, 0x80, 0x81]),
            (Plain(1), &[1, 0]),
            (Scaled(-2), &[0xFE, 0xFF, 0x81]),
            (Float(1.0), &[0, 0, 0x80, 0x3F, 0x81]),
            (Total(-1, 0x43), &[0xFF, 0xFF, 0xFF, 0xFF, 0x43]),
            (Packed { status: 0x0102, changed: 3 }, &[2, 1, 3, 0, 0x81]),
            (Event(2, 0x0102), &[0x82, 2, 1]),
            (Start(5, 1), &[5, 0x80, 1, 0]),
        ] {
            let mut out = Element::new();
            Reading { information, quality: quality::INVALID | quality::OVERFLOW }.put(&mut out);
            assert_eq!(out[..], *octets, "{information:?}");
        }
    }
}
