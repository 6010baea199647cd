//! What people and weather do to a plant. Apart, because it is nothing that was built.

use super::{NEVER, elapsed, finite, positive, sane};
use crate::library::{Now, pins::block};
use std::f64::consts::TAU;

const HOUR: i64 = 3_600_000_000_000;
const YEAR: f64 = 365.2425;

block! {
    /// What a town takes by hour, day of the week and season.
    SCHEDULE: Schedule {
        /// The mean of a working day.
        input MEAN: LREAL = 1.0,
        /// The hour of the morning's peak.
        input MORNING: LREAL = 7.25,
        /// The hour of the evening's peak.
        input EVENING: LREAL = 19.25,
        /// The share of the mean that is taken at the dead of night.
        input NIGHT: LREAL = 0.4,
        /// How much of the peaks' place works and offices take, from 7 to 17 on working days [share].
        input WORKS: LREAL = 0.15,
        /// Saturday and Sunday as a multiple of a working day.
        input WEEKEND: LREAL = 1.08,
        /// How much more is taken in July than in spring, and less in January [share].
        input SEASON: LREAL = 0.12,
        /// What is taken now.
        output OUT: REAL,
        /// The same as a multiple of the mean.
        output FACTOR: REAL,
        /// The hour of the day.
        output HOUR: REAL,
        /// The day of the week; 1 is Monday.
        output WEEKDAY: INT,
        /// The day of the year, give or take one.
        output YEARDAY: REAL,
    }
}

impl Schedule {
    fn step(&mut self, now: &mut Now<'_>) {
        now.again();
        let days = now.clock.div_euclid(24 * HOUR);
        let hour = now.clock.rem_euclid(24 * HOUR) as f64 / HOUR as f64;
        // 1970 began on a Thursday.
        let weekday = (days + 3).rem_euclid(7);
        self.HOUR = hour;
        self.WEEKDAY = weekday as i16 + 1;
        let free = |day: i64| f64::from(u8::from(day.rem_euclid(7) >= 5));
        // People do not change over at midnight at once, but in the three hours about it.
        let half = 0.5 * (1.0 - (sane(hour.min(24.0 - hour), 0.0, 1.5) / 1.5));
        let other = if hour < 12.0 { weekday - 1 } else { weekday + 1 };
        let weekend = free(weekday) * (1.0 - half) + free(other) * half;
        let working = self.shape(hour, 0.0, sane(self.WORKS, 0.0, 1.0));
        // Everybody sleeps longer.
        let resting = self.shape(hour, 1.75, 0.0) * sane(self.WEEKEND, 0.0, 100.0);
        self.YEARDAY = (days as f64 + hour / 24.0).rem_euclid(YEAR);
        // 20 July is the 200th day.
        let season = 1.0 + sane(self.SEASON, -1.0, 1.0) * (TAU * (self.YEARDAY - 200.0) / YEAR).cos();
        self.FACTOR = (working * (1.0 - weekend) + resting * weekend) * season;
        self.OUT = finite(self.MEAN) * self.FACTOR;
    }

    /// The share of the day's mean that is taken at `hour`; its mean over a day is one.
    fn shape(&self, hour: f64, later: f64, works: f64) -> f64 {
        let peaks = [
            (sane(self.MORNING, 0.0, 24.0) + later, 1.4 + later * 0.4, 1.0),
            (sane(self.EVENING, 0.0, 24.0), 2.2, 0.9),
            (13.0, 3.2, 0.4),
        ];
        let (mut now, mut mean) = (0.0, 0.0);
        for (at, width, size) in peaks {
            let away = (hour - at + 36.0).rem_euclid(24.0) - 12.0;
            now += size * (-0.5 * (away / width).powi(2)).exp();
            mean += size * width * TAU.sqrt() / 24.0;
        }
        // From 7 to 17, with an hour to begin and to end.
        let shift = sane((hour - 6.5).min(17.5 - hour), 0.0, 1.0) * 2.4;
        let night = sane(self.NIGHT, 0.0, 1.0);
        night + (1.0 - night) * ((1.0 - works) * now / mean + works * shift)
    }
}

block! {
    /// What comes now and then, lasts a while and goes: rain, a fault, a great consumer.
    EPISODES: Episodes {
        /// How often it comes in the mean [1/d].
        input PER_DAY: LREAL = 1.0,
        /// How long it lasts in the mean [h].
        input HOURS: LREAL = 1.0,
        /// How strong it is in the mean (any unit).
        input SIZE: LREAL = 1.0,
        /// How strong it is now.
        output OUT: REAL,
        /// It is there.
        output ACTIVE: BOOL,
        /// How often it came.
        output COUNT: UDINT,
        hidden LAST: LINT = NEVER,
    }
}

impl Episodes {
    fn step(&mut self, now: &mut Now<'_>) {
        let hours = elapsed(&mut self.LAST, now) / 3600.0;
        // Neither remembers how long it has waited, and so no more need be kept than what is.
        let mut draw = |mean: f64| -mean * (1.0 - now.random.unit()).max(1e-12).ln();
        if self.ACTIVE {
            self.ACTIVE = draw(1.0) > hours / sane(self.HOURS, 1e-3, 1e6);
        } else if draw(1.0) < hours / 24.0 * sane(self.PER_DAY, 0.0, 1e6) {
            self.ACTIVE = true;
            self.COUNT = self.COUNT.wrapping_add(1);
            self.OUT = draw(positive(self.SIZE));
        }
        if !self.ACTIVE {
            self.OUT = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;

    const DAY: i64 = 86_400_000_000_000;
    /// Monday, 6 April 2026: near the season's mean.
    const MONDAY: i64 = 20_549 * DAY;

    /// The demand of each minute of the day.
    fn day(clock: i64) -> Vec<f64> {
        let mut town = Trial::of("SCHEDULE");
        town.clock = clock;
        (0..1440).map(|_| town.run(60.0).get("OUT")).collect()
    }

    fn mean(day: &[f64]) -> f64 {
        day.iter().sum::<f64>() / day.len() as f64
    }

    #[test]
    fn a_working_day_has_a_morning_an_evening_and_a_night() {
        let day = day(MONDAY + DAY);
        assert!((mean(&day) - 1.0).abs() < 0.04, "{}", mean(&day));
        let peak = (0..1440).max_by(|a, b| day[*a].total_cmp(&day[*b])).unwrap();
        assert!((6 * 60..9 * 60).contains(&peak), "at minute {peak}");
        let (night, noon, evening) = (day[180], day[15 * 60 + 30], day[19 * 60 + 15]);
        assert!((0.35..0.5).contains(&night), "{night}");
        assert!(night < noon && noon < evening && evening < day[peak]);
        assert!((1.5..2.2).contains(&day[peak]), "{}", day[peak]);
    }

    #[test]
    fn a_weekend_rises_later_and_takes_more() {
        let (tuesday, saturday) = (day(MONDAY + DAY), day(MONDAY + 5 * DAY));
        assert!(saturday[6 * 60 + 30] < tuesday[6 * 60 + 30] && saturday[10 * 60] > tuesday[10 * 60]);
        assert!(mean(&saturday) > mean(&tuesday));
        let mut town = Trial::of("SCHEDULE");
        town.clock = MONDAY + 4 * DAY + DAY * 23 / 24;
        let mut before = town.run(0.0).get("OUT");
        for _ in 0..120 {
            let value = town.run(60.0).get("OUT");
            assert!((value - before).abs() < 0.02, "it does not jump at midnight");
            before = value;
        }
        assert_eq!(town.get("WEEKDAY"), 6.0);
    }

    #[test]
    fn summer_takes_more_than_winter() {
        let year = |days: i64| mean(&day(MONDAY + days * 7 * DAY));
        assert!((year(15) / year(-12) - 1.12 / 0.88).abs() < 0.03);
    }

    #[test]
    fn episodes_come_as_often_and_last_as_long_as_told() {
        for seconds in [1.0, 60.0] {
            let mut rain = Trial::of("EPISODES");
            rain.set("PER_DAY", 2.0).set("HOURS", 0.5).set("SIZE", 3.0);
            let scans = (400.0 * 86_400.0 / seconds) as usize / if seconds < 2.0 { 10 } else { 1 };
            let (mut wet, mut sum) = (0.0, 0.0);
            for _ in 0..scans {
                let size = rain.run(seconds).get("OUT");
                wet += f64::from(u8::from(rain.on("ACTIVE")));
                sum += size;
            }
            let days = scans as f64 * seconds / 86_400.0;
            assert!((rain.get("COUNT") / days - 1.92).abs() < 0.4, "{}", rain.get("COUNT") / days);
            assert!((wet / scans as f64 - 0.04).abs() < 0.012, "{}", wet / scans as f64);
            assert!((sum / wet - 3.0).abs() < 1.0, "{}", sum / wet);
        }
    }
}
