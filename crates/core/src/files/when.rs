//! When a profile's files were changed last. Apart, because no two installs may share the dates of what somebody made there,
//! while those of a firmware are the same everywhere.

use super::node::Stamp;
use crate::{calendar::Civil, identity::Identity, random::Random, settings::Period};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// A date (`2016-05-09`), a date and a time (`2016-05-09T11:20:00Z`), an age at the device's first start (`400d`), or `boot`;
/// each with what was drawn in braces, and with `+ 12d` or `- 3h` behind it.
///
/// Of a date, the time of day is drawn. An age is drawn up to a fifth longer or shorter, all ages of a device alike.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct When(String);

impl From<&str> for When {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl When {
    /// The time, for the file at `path` of a device for which `identity` was drawn.
    pub(super) fn settle(&self, identity: &Identity, seed: u64, path: &str) -> Result<Stamp, String> {
        let text = identity.expand(&self.0).map_err(|key| format!("`{key}` is drawn nowhere"))?;
        let wrong =
            || format!("`{text}` is no time; write a date, a date and a time with `Z`, an age as 400d, or boot");
        let period = |text: &str| Period::try_from(text.to_owned()).map(|period| period.0).ok();
        let (base, later, offset) = match text
            .split_once(" + ")
            .map(|parts| (parts, true))
            .or_else(|| text.split_once(" - ").map(|parts| (parts, false)))
        {
            Some(((base, offset), later)) => (base.trim(), later, period(offset.trim()).ok_or_else(wrong)?),
            None => (text.trim(), true, Duration::ZERO),
        };
        let moved = |time: Duration| if later { time.saturating_add(offset) } else { time.saturating_sub(offset) };
        let mut random = Random::named(seed, path);
        if base == "boot" {
            return Ok(Stamp::Boot(moved(Duration::ZERO)));
        }
        if let Some(age) = period(base) {
            let stretch = 0.8 + 0.4 * Random::named(seed, "ages of files").unit();
            let age = age.mul_f64(stretch.clamp(0.8, 1.2)).saturating_add(Duration::from_secs(random.below(60) as u64));
            return Ok(Stamp::Age(if later { age.saturating_sub(offset) } else { age.saturating_add(offset) }));
        }
        let (civil, exact) = Civil::parse(base).ok_or_else(wrong)?;
        let time = civil.since_1970().ok_or_else(wrong)?;
        // Somebody works on it between seven and seventeen.
        let of_day = Duration::from_secs(if exact { 0 } else { 7 * 3600 + random.below(10 * 3600) as u64 });
        Ok(Stamp::At(moved(time + of_day)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn settled(text: &str, seed: u64) -> Result<Stamp, String> {
        let identity = Identity(BTreeMap::from([("commissioned".into(), "2016-05-09".into())]));
        When::from(text).settle(&identity, seed, "/a")
    }

    fn days(days: u64) -> Duration {
        Duration::from_secs(days * 86_400)
    }

    #[test]
    fn each_form_is_read() {
        assert_eq!(settled("1970-01-02T00:00:01Z", 1), Ok(Stamp::At(days(1) + Duration::from_secs(1))));
        assert_eq!(settled("boot + 3s", 1), Ok(Stamp::Boot(Duration::from_secs(3))));
        let Ok(Stamp::At(time)) = settled("{commissioned} + 2d", 1) else { panic!() };
        let civil = Civil::of(time);
        assert_eq!((civil.year, civil.month, civil.day), (2016, 5, 11));
        assert!((7..17).contains(&civil.hour));
        let Ok(Stamp::Age(age)) = settled("100d", 1) else { panic!() };
        assert!((days(80)..days(121)).contains(&age));
        for wrong in ["soon", "2016-13-01", "{nowhere}", "2016-01-01 + much", ""] {
            assert!(settled(wrong, 1).is_err(), "{wrong}");
        }
        assert!(settled("2016-01-01 - 99999d", 1).is_ok());
        assert!(settled("999999999999d", 1).is_ok());
    }

    #[test]
    fn two_installs_share_no_age_and_no_time_of_day() {
        assert_ne!(settled("100d", 1), settled("100d", 2));
        assert_ne!(settled("2016-05-09", 1), settled("2016-05-09", 2));
        assert_eq!(settled("100d", 1), settled("100d", 1));
    }
}
