//! What an operator wrote, and what is wrong with it. Apart, because site, profiles, protocols and sinks all report
//! mistakes the same way: all of them at once, each with its place and a hint.

use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use std::{borrow::Cow, fmt, ops::Range, time::Duration};
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue, ValueDeserializer},
};

/// One mistake in something an operator wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted key it is at, such as `modbus.units[0].id`.
    pub key: String,
    /// The bytes of the text it is at, if they are known.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What would be right, if that can be told.
    pub hint: Option<String>,
}

impl Problem {
    /// A mistake at the dotted key `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), span: None, message: message.into(), hint: None }
    }

    /// The same, at these bytes of the text.
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// The same, with what would be right.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// `what` called `name` does not exist; the hint names the nearest of those that do, or all of a few.
    pub fn unknown<'a>(
        key: impl Into<String>,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let problem = Self::new(key, format!("there is no {what} `{name}`"));
        if let Some(near) = nearest(name, &known) {
            return problem.hint(format!("did you mean `{near}`?"));
        }
        match known.len() {
            0 => problem.hint(format!("no {what} is defined here")),
            1..=24 => problem.hint(format!("there is: {}", known.join(", "))),
            n => problem.hint(format!("{n} others are defined")),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, " ({hint})"))
    }
}

/// The mistakes of one file, in the order found.
pub type Problems = Vec<Problem>;

/// Of `known`, the name that `name` was most likely meant to be.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let reach = name.chars().count() / 3 + 1;
    known
        .iter()
        .map(|other| (distance(name, other), *other))
        .filter(|(distance, _)| *distance <= reach)
        .min()
        .map(|(_, other)| other)
}

/// How many characters must be put in, left out or changed to come from `a` to `b` (Levenshtein 1965).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, cell) in b.chars().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            left = (left.min(above) + 1).min(diagonal + usize::from(!x.eq_ignore_ascii_case(&y)));
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// One table of a file, as its owner reads it.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    key: Cow<'a, str>,
    value: Spanned<DeValue<'a>>,
}

impl<'a> Settings<'a> {
    /// The table `value`, which stands at the dotted key `key`.
    pub fn new(key: impl Into<Cow<'a, str>>, value: Spanned<DeValue<'a>>) -> Self {
        Self { key: key.into(), value }
    }

    /// The whole of a file. All mistakes in its grammar are told at once.
    pub fn parse(text: &'a str) -> Result<Self, Problems> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let problems: Problems = errors
            .into_iter()
            .map(|error| Problem {
                key: String::new(),
                span: error.span(),
                message: error.message().to_owned(),
                hint: None,
            })
            .collect();
        let span = root.span();
        if problems.is_empty() {
            Ok(Self::new("", Spanned::new(span, DeValue::Table(root.into_inner()))))
        } else {
            Err(problems)
        }
    }

    /// A table with nothing in it, for a service whose defaults will do.
    pub fn empty(key: &'a str) -> Self {
        Self::new(key, Spanned::new(0..0, DeValue::Table(DeTable::new())))
    }

    /// The dotted key of the table.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The dotted key of `field` inside the table.
    pub fn key_of(&self, field: &str) -> String {
        if self.key.is_empty() { field.to_owned() } else { format!("{}.{field}", self.key) }
    }

    /// Where the table stands in the text.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// Takes the value of `field` out of the table.
    pub fn split_off(&mut self, field: &str) -> Option<Self> {
        let key = self.key_of(field);
        let DeValue::Table(table) = self.value.get_mut() else {
            return None;
        };
        let value = table.remove(field)?;
        Some(Settings::new(key, value))
    }

    /// The keys of the table, with where each stands and what it holds.
    pub fn into_entries(self) -> impl Iterator<Item = (String, Range<usize>, Self)> {
        let (value, own) = (self.value.into_inner(), self.key);
        let table = if let DeValue::Table(table) = value { table } else { DeTable::new() };
        table.into_iter().map(move |(field, value)| {
            let (span, field) = (field.span(), field.into_inner().into_owned());
            let key = if own.is_empty() { field.clone() } else { format!("{own}.{field}") };
            (field, span, Self::new(key, value))
        })
    }

    /// The items of a list, each as a table of its own.
    pub fn into_items(self) -> impl Iterator<Item = Self> {
        let (value, key) = (self.value.into_inner(), self.key);
        let items = if let DeValue::Array(items) = value { items } else { DeArray::new() };
        let items = items.into_iter().enumerate();
        items.map(move |(index, value)| Self::new(format!("{key}[{index}]"), value))
    }

    /// The table as `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        T::deserialize(ValueDeserializer::from(self.value.clone())).map_err(|error| Problem {
            key: self.key.clone().into_owned(),
            span: error.span(),
            message: error.message().to_owned(),
            hint: None,
        })
    }

    /// The table as `T` put into `into`; if it is none, that is a problem more and `into` stays as it is.
    pub fn read_into<T: DeserializeOwned>(&self, into: &mut T, problems: &mut Problems) {
        match self.read() {
            Ok(value) => *into = value,
            Err(problem) => problems.push(problem),
        }
    }
}

/// A length of time as operators write it: `50ms`, `20s`, `10m`, `12h`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"))]
pub struct Period(pub Duration);

impl TryFrom<String> for Period {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no length of time; write it as 500ms, 20s, 10m, 12h or 30d");
        let (number, unit) = measure(&text);
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return Err(wrong()),
        };
        let number: f64 = number.parse().map_err(|_| wrong())?;
        Duration::try_from_secs_f64(number * scale).map(Self).map_err(|_| format!("`{text}` is too long a time"))
    }
}

/// How often a program runs: a [`Period`] of at least a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Period")]
#[schemars(with = "Period")]
pub struct Scan(pub Duration);

impl TryFrom<Period> for Scan {
    type Error = &'static str;
    fn try_from(Period(period): Period) -> Result<Self, &'static str> {
        let long_enough = period >= Duration::from_millis(1);
        long_enough.then_some(Self(period)).ok_or("a scan takes at least 1ms")
    }
}

/// An amount of bytes as operators write it: `512`, `64KiB`, `100MiB`, `2GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = r"^[0-9]+(KiB|MiB|GiB)?$"))]
pub struct Size(pub u64);

impl TryFrom<String> for Size {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no size; write it as 512, 64KiB, 100MiB or 2GiB");
        let (number, unit) = measure(&text);
        let shift = match unit {
            "" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            _ => return Err(wrong()),
        };
        number.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift)).map(Self).ok_or_else(wrong)
    }
}

/// The number and the unit of `10 ms` or `10ms`.
fn measure(text: &str) -> (&str, &str) {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    (number.trim(), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_as_operators_write_them() {
        let period = |text: &str| Period::try_from(text.to_owned()).map(|p| p.0);
        assert_eq!(period("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(period("1.5h"), Ok(Duration::from_secs(5400)));
        assert!(period("soon").is_err());
        assert!(Scan::try_from(Period(Duration::from_micros(999))).is_err());
        let size = |text: &str| Size::try_from(text.to_owned()).map(|s| s.0);
        assert_eq!(size("64KiB"), Ok(65_536));
        assert!(size("64KB").is_err());
    }

    #[test]
    fn a_hint_names_the_nearest_name_or_all_of_a_few() {
        let hint = |name| Problem::unknown("k", "tag", name, ["level", "flow"]).hint;
        assert_eq!(hint("levl").as_deref(), Some("did you mean `level`?"));
        assert_eq!(hint("pressure").as_deref(), Some("there is: level, flow"));
    }
}
