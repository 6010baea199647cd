//! How metrics are written: Prometheus' text format 0.0.4, and OpenMetrics 1.0. Apart, because both are standards of their
//! own, and what is counted is not of their business.

use std::{borrow::Cow, fmt::Write as _};

/// Which of the two is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    OpenMetrics,
}

/// What a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    /// A gauge of 1 in the older format.
    Info,
}

/// Metrics with one name, without the suffix that their kind asks for.
#[derive(Debug)]
pub(super) struct Family {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    suffix: &'static str,
    labels: Labels,
    value: f64,
}

/// Names and values of labels.
pub(super) type Labels = Vec<(&'static str, Cow<'static, str>)>;

impl Family {
    pub(super) const fn new(kind: Kind, name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind, samples: Vec::new() }
    }

    /// One value.
    pub(super) fn add(&mut self, labels: Labels, value: f64) {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        self.samples.push(Sample { suffix, labels, value });
    }

    /// The same, for a family that is made in one go.
    pub(super) fn with(mut self, labels: Labels, value: f64) -> Self {
        self.add(labels, value);
        self
    }

    /// How many there were up to each of these bounds, besides those beyond; and the sum of all.
    pub(super) fn add_histogram(&mut self, labels: &Labels, bounds: &[(f64, u64)], beyond: u64, sum: f64) {
        let mut count = 0;
        for (bound, more) in bounds {
            count += more;
            self.bucket(labels, format!("{bound:?}").into(), count);
        }
        count += beyond;
        self.bucket(labels, "+Inf".into(), count);
        self.samples.push(Sample { suffix: "_sum", labels: labels.clone(), value: sum });
        self.samples.push(Sample { suffix: "_count", labels: labels.clone(), value: count as f64 });
    }

    fn bucket(&mut self, labels: &Labels, bound: Cow<'static, str>, count: u64) {
        let mut labels = labels.clone();
        labels.push(("le", bound));
        self.samples.push(Sample { suffix: "_bucket", labels, value: count as f64 });
    }
}

/// All of it; what has no samples is left out.
pub(super) fn write(families: &[Family], format: Format) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        // Writing to a text does not fail.
        let _ = write_family(&mut text, family, format);
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn write_family(text: &mut String, family: &Family, format: Format) -> std::fmt::Result {
    let Family { name, help, kind, samples } = family;
    let (name, kind) = match (kind, format) {
        // There a family has the whole name of its samples.
        (Kind::Counter, Format::Text) => (Cow::from(format!("{name}_total")), "counter"),
        (Kind::Info, Format::Text) => (Cow::from(format!("{name}_info")), "gauge"),
        (Kind::Counter, Format::OpenMetrics) => (Cow::from(*name), "counter"),
        (Kind::Info, Format::OpenMetrics) => (Cow::from(*name), "info"),
        (Kind::Gauge, _) => (Cow::from(*name), "gauge"),
        (Kind::Histogram, _) => (Cow::from(*name), "histogram"),
    };
    match format {
        Format::Text => {
            writeln!(text, "# HELP {name} {help}")?;
            writeln!(text, "# TYPE {name} {kind}")?;
        }
        Format::OpenMetrics => {
            writeln!(text, "# TYPE {name} {kind}")?;
            if let Some(unit) = ["_seconds", "_bytes"].into_iter().find(|unit| name.ends_with(unit)) {
                writeln!(text, "# UNIT {name} {}", unit.trim_start_matches('_'))?;
            }
            writeln!(text, "# HELP {name} {help}")?;
        }
    }
    for Sample { suffix, labels, value } in samples {
        text.push_str(family.name);
        text.push_str(suffix);
        for (place, (name, value)) in labels.iter().enumerate() {
            write!(text, "{}{name}=\"", if place == 0 { "{" } else { "," })?;
            for c in value.chars() {
                match c {
                    '\\' => text.push_str("\\\\"),
                    '"' => text.push_str("\\\""),
                    '\n' => text.push_str("\\n"),
                    c => text.push(c),
                }
            }
            text.push('"');
        }
        if !labels.is_empty() {
            text.push('}');
        }
        writeln!(text, " {value}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_as_their_standards_have_them() {
        let mut sizes = Family::new(Kind::Histogram, "a_seconds", "How long.");
        sizes.add_histogram(&vec![("p", "x".into())], &[(1.0, 2), (10.0, 1)], 4, 99.5);
        let families = [
            Family::new(Kind::Counter, "b", "How many.").with(vec![("d", "a\\b\"c\nd".into())], 7.0),
            Family::new(Kind::Info, "c", "What.").with(vec![("version", "1".into())], 1.0),
            Family::new(Kind::Gauge, "d", "Nothing."),
            sizes,
        ];
        let text = "# HELP b_total How many.\n# TYPE b_total counter\nb_total{d=\"a\\\\b\\\"c\\nd\"} 7\n\
            # HELP c_info What.\n# TYPE c_info gauge\nc_info{version=\"1\"} 1\n\
            # HELP a_seconds How long.\n# TYPE a_seconds histogram\na_seconds_bucket{p=\"x\",le=\"1.0\"} 2\n\
            a_seconds_bucket{p=\"x\",le=\"10.0\"} 3\na_seconds_bucket{p=\"x\",le=\"+Inf\"} 7\na_seconds_sum{p=\"x\"} 99.5\n\
            a_seconds_count{p=\"x\"} 7\n";
        assert_eq!(write(&families, Format::Text), text);
        let open = write(&families, Format::OpenMetrics);
        assert!(open.starts_with("# TYPE b counter\n# HELP b How many.\nb_total{"), "{open}");
        assert!(open.contains("# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n") && open.ends_with("# EOF\n"));
    }
}
