//! What one tag did during a run. Apart, because the lines and the page show the same.

use honeyplant_core::{plant::Value, works::Terminal};
use jiff::Timestamp;

/// One tag, and what it was at each look.
pub(super) struct Series {
    /// Its name, with that of its device.
    pub(super) name: String,
    /// Where it is.
    pub(super) terminal: Terminal,
    /// Its unit of measurement.
    pub(super) unit: String,
    /// What it was; a text counts as 0.
    pub(super) values: Vec<f32>,
    range: Option<[f64; 2]>,
    least: f64,
    most: f64,
    sum: f64,
    /// The first value outside of its range, and how many there were.
    stray: Option<(Timestamp, f64)>,
    strays: usize,
}

/// How many characters wide a curve is among lines.
const WIDTH: usize = 48;

impl Series {
    pub(super) fn new(name: String, terminal: Terminal, unit: &str, range: Option<[f64; 2]>) -> Self {
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        let (unit, values) = (unit.to_owned(), Vec::new());
        Self { name, terminal, unit, values, range, least, most, sum: 0.0, stray: None, strays: 0 }
    }

    /// Takes down what it is at `at`.
    pub(super) fn add(&mut self, value: &Value, at: Timestamp) {
        let value = value.number();
        self.values.push(value as f32);
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        self.sum += value;
        if self.range.is_some_and(|[low, high]| !(low..=high).contains(&value)) {
            self.stray.get_or_insert((at, value));
            self.strays += 1;
        }
    }

    pub(super) const fn least(&self) -> f64 {
        self.least
    }

    pub(super) const fn most(&self) -> f64 {
        self.most
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum / self.values.len().max(1) as f64
    }

    pub(super) fn last(&self) -> f64 {
        self.values.last().copied().unwrap_or_default().into()
    }

    /// That it left its range, if it did.
    pub(super) fn strayed(&self, from: Timestamp) -> Option<String> {
        let ((at, value), [low, high]) = self.stray.zip(self.range)?;
        let after = at.duration_since(from).as_secs();
        let times = if self.strays == 1 { "once".to_owned() } else { format!("{} times", self.strays) };
        let after = format!("{} d {:02}:{:02}", after / 86_400, after / 3600 % 24, after / 60 % 60);
        Some(format!(
            "{} left its range of {low} to {high} {times}, first after {after} with {}",
            self.name,
            short(value)
        ))
    }

    /// The tag in a line: least, mean, most, last, and a curve.
    pub(super) fn line(&self, width: usize) -> String {
        let numbers = [self.least, self.mean(), self.most, self.last()].map(|number| format!("{:>10}", short(number)));
        let line = format!("{:width$}  {} {:8} {}", self.name, numbers.join(" "), self.unit, self.curve());
        line.trim_end().to_owned()
    }

    fn curve(&self) -> String {
        const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let span = self.most - self.least;
        if span <= 0.0 || !span.is_finite() {
            return String::new();
        }
        let piece = self.values.len().div_ceil(WIDTH).max(1);
        let pieces = self.values.chunks(piece).map(|piece| {
            let mean = piece.iter().copied().map(f64::from).sum::<f64>() / piece.len() as f64;
            let step = ((mean - self.least) / span * 8.0) as usize;
            STEPS.get(step.min(7)).copied().unwrap_or(' ')
        });
        pieces.collect()
    }
}

/// A number with as many digits as tell something.
pub(super) fn short(number: f64) -> String {
    let digits = match number.abs() {
        size if size >= 1000.0 || size.fract() == 0.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    format!("{number:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use honeyplant_core::plant::Plant;

    fn series(values: &[f64], range: Option<[f64; 2]>) -> Series {
        let tag = Plant::default().add("level", &toml::from_str("type = 'REAL'").unwrap(), 0).unwrap();
        let mut series = Series::new("level".into(), Terminal { device: 0, tag }, "m", range);
        for (second, value) in values.iter().enumerate() {
            series.add(&Value::Real(*value), Timestamp::from_second(60 * second as i64).unwrap());
        }
        series
    }

    #[test]
    fn a_line_tells_what_a_tag_did() {
        let line = series(&[1.0, 2.0, 4.5], None).line(8);
        assert_eq!(line, "level              1      2.500      4.500      4.500 m        ▁▃█");
    }

    #[test]
    fn a_value_outside_of_its_range_is_told_with_its_time() {
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!(series(&[1.0, 2.0], Some([0.0, 2.0])).strayed(start), None);
        let told = series(&[1.0, 3.0, 4.0], Some([0.0, 2.0])).strayed(start).unwrap();
        assert_eq!(told, "level left its range of 0 to 2 2 times, first after 0 d 00:01 with 3");
    }
}
