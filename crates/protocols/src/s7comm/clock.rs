//! The clock: reading and setting it, and the form in which an S7 writes a time. Apart, because it has a group of functions of
//! its own, and lists and messages have times too.

use super::{
    build::Desk,
    cpu::Cpu,
    peer::Peer,
    userdata::{Answer, UserData},
    wire::{self, refused},
};
use honeyplant_core::{
    calendar::Civil,
    conversation::Context,
    event::{Command, Kind, Verdict},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// The clock.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// By how many minutes the clock, which shows the time of the plant, is ahead of UTC.
    pub(super) ahead: i16,
}

/// The clock of the CPU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    ahead: i16,
}

impl Clock {
    /// What `settings`, which stand at `key`, describe.
    pub(super) fn build(settings: &Settings, key: &str, desk: &mut Desk<'_>) -> Self {
        /// No zone is farther from UTC.
        const FARTHEST: u16 = 14 * 60;
        if settings.ahead.unsigned_abs() > FARTHEST {
            desk.problem(format!("{key}.ahead"), None, format!("no clock is more than {FARTHEST} minutes from UTC"));
        }
        Self { ahead: settings.ahead }
    }

    /// The time `utc`, in seconds since 1970, as the CPU's clock shows it.
    pub(super) fn shown(self, utc: Duration) -> Time {
        let ahead = Duration::from_secs(60 * u64::from(self.ahead.unsigned_abs()));
        Time(if self.ahead < 0 { utc.saturating_sub(ahead) } else { utc.saturating_add(ahead) })
    }

    fn meant(self, Time(shown): Time) -> Duration {
        Self { ahead: -self.ahead }.shown(shown).0
    }
}

/// A time as the clock of the CPU shows it, since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time(pub(super) Duration);

impl Time {
    /// DATE_AND_TIME: year, month, day, hour, minute and second in BCD, the milliseconds in three digits of it, and the day of
    /// the week, of which Sunday is the first (STEP 7, data type DATE_AND_TIME).
    pub(super) fn octets(self) -> [u8; 8] {
        let Civil { year, month, day, hour, minute, second } = Civil::of(self.0);
        let millis = self.0.subsec_millis();
        // 1970 began on a Thursday.
        let weekday = (self.0.as_secs() / 86_400 + 4) % 7 + 1;
        let last = (millis % 10) << 4 | weekday as u32;
        let [year, month, day, hour, minute, second, hundredths] =
            [year % 100, month, day, hour, minute, second, millis / 10].map(bcd);
        [year, month, day, hour, minute, second, hundredths, last as u8]
    }

    /// Reads what [`Time::octets`] wrote; whatever the day of the week is said to be. Years 90 to 99 are of the last century.
    pub(super) fn read(octets: [u8; 8]) -> Option<Self> {
        let [year, month, day, hour, minute, second, hundredths, last] = octets;
        let year = digits(year)?;
        let year = if year >= 90 { 1900 + year } else { 2000 + year };
        let (month, day) = (digits(month)?, digits(day)?);
        let (hour, minute, second) = (digits(hour)?, digits(minute)?, digits(second)?);
        let thousandths = last >> 4;
        let millis = digits(hundredths)? * 10 + u32::from(thousandths);
        let time = Civil { year, month, day, hour, minute, second }.since_1970()?;
        (thousandths < 10).then(|| Self(time + Duration::from_millis(millis.into())))
    }
}

const fn bcd(number: u32) -> u8 {
    ((number / 10 % 10) << 4) as u8 | (number % 10) as u8
}

fn digits(octet: u8) -> Option<u32> {
    let (tens, ones) = (octet >> 4, octet & 0xF);
    (tens < 10 && ones < 10).then(|| u32::from(tens * 10 + ones))
}

/// What the clock cannot be set to.
const NO_SUCH_TIME: u16 = 0xDC01;

/// Tells the time.
pub(super) fn read(request: &UserData<'_>, _peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let name = if request.subfunction == 1 { "read clock" } else { "read clock (following)" };
    cx.record(Kind::Diagnose(wire::operation(name, request.code(), Verdict::Done)));
    let time = cpu.clock.shown(cx.device().clock(cx.now));
    // A reserved octet and the century come first.
    let mut data = vec![0, bcd(Civil::of(time.0).year / 100)];
    data.extend_from_slice(&time.octets());
    Answer::done(data)
}

/// Sets the clock, and with it that of the whole device, which is granted at every level of protection.
pub(super) fn set(request: &UserData<'_>, _peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let name = if request.subfunction == 2 { "set clock" } else { "set clock (following)" };
    let time = request.data.last_chunk().and_then(|octets| Time::read(*octets)).filter(|_| request.data.len() == 10);
    let verdict = time.map_or_else(|| refused(NO_SUCH_TIME), |_| Verdict::Done);
    cx.record(Kind::Command(wire::operation(name, request.code(), verdict), Command::Clock));
    match time {
        Some(time) => {
            cx.device().set_clock(cx.now, cpu.clock.meant(time));
            Answer::empty()
        }
        None => Answer::refused(NO_SUCH_TIME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_as_it_was_written() {
        // A Wednesday.
        let octets = [0x14, 0x08, 0x20, 0x11, 0x59, 0x43, 0x91, 0x24];
        assert_eq!(Time::read(octets).unwrap().octets(), octets);
        let leap = Time(Duration::from_millis(951_782_400_007));
        assert_eq!(leap.octets(), [0, 2, 0x29, 0, 0, 0, 0, 0x73]);
        assert_eq!(Time::read(leap.octets()), Some(leap));
    }

    #[test]
    fn nonsense_is_no_time() {
        for octets in [
            [0x14, 0x13, 0x20, 0x11, 0x59, 0x43, 0, 0x04],
            [0x15, 0x02, 0x29, 0x11, 0x59, 0x43, 0, 0x04],
            [0x14, 0x08, 0x20, 0x24, 0x59, 0x43, 0, 0x04],
            [0x1A, 0x08, 0x20, 0x11, 0x59, 0x43, 0, 0x04],
            [0x14, 0x08, 0x20, 0x11, 0x59, 0x43, 0, 0xB4],
            [0xFF; 8],
        ] {
            assert_eq!(Time::read(octets), None, "{octets:02X?}");
        }
    }

    #[test]
    fn the_plants_time_is_not_utc() {
        for ahead in [-90, 0, 60] {
            let clock = Clock { ahead };
            let utc = Duration::from_secs(1_700_000_000);
            assert_eq!(clock.meant(clock.shown(utc)), utc);
        }
        assert_eq!(Clock { ahead: 60 }.shown(Duration::ZERO).0, Duration::from_secs(3600));
    }
}
