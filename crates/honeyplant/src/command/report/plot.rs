//! Plots as SVG that stands in the page. Apart, because nothing else in the program draws.

use super::{
    facts::BANDS,
    text::{moment, number},
};
use std::fmt::Write as _;

const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 190.0;
/// Room for numbers on the left, and for times below.
const LEFT: f64 = 46.0;
const BELOW: f64 = 24.0;
const ABOVE: f64 = 10.0;

/// Columns over time, each of four parts.
pub(super) struct Columns<'a> {
    /// Unlike that of any other plot of the page.
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    /// What one of it is called, and several.
    pub(super) nouns: (&'a str, &'a str),
    /// When each column begins.
    pub(super) starts: &'a [String],
    /// How long each is, in seconds.
    pub(super) seconds: i64,
    pub(super) values: Vec<[u64; 4]>,
}

impl Columns<'_> {
    /// Appends the plot.
    pub(super) fn draw(&self, out: &mut String) {
        let Self { id, title, nouns: (one, several), .. } = self;
        let sums: Vec<u64> = self.values.iter().map(|parts| parts.iter().sum()).collect();
        let (top, step) = scale(sums.iter().copied().max().unwrap_or_default());
        let total: u64 = sums.iter().sum();
        let highest = sums.iter().zip(self.starts).max_by_key(|(sum, _)| **sum);
        let highest =
            highest.map(|(sum, start)| format!(" The most are {} from {}.", number(*sum), moment(start, FULL)));
        let described = format!("{} {several} in all.{}", number(total), highest.unwrap_or_default());
        let _ = write!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
             xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{id}-title\">{title}</title><desc id=\"{id}-desc\">{described}</desc>"
        );
        let height = HEIGHT - ABOVE - BELOW;
        let y = |value: u64| ABOVE + height * (1.0 - value as f64 / top as f64);
        for line in (0..=top).step_by(usize::try_from(step).unwrap_or(usize::MAX).max(1)) {
            let at = y(line);
            let _ = write!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                at + 4.0,
                short(line)
            );
        }
        let column = (WIDTH - LEFT) / self.values.len().max(1) as f64;
        let gap = (column * 0.18).min(6.0);
        for (place, (parts, start)) in self.values.iter().zip(self.starts).enumerate() {
            let sum: u64 = parts.iter().sum();
            if sum == 0 {
                continue;
            }
            let x = LEFT + column * place as f64 + gap / 2.0;
            let _ = write!(
                out,
                "<g><title>{}: {} {}",
                moment(start, FULL),
                number(sum),
                if sum == 1 { one } else { several }
            );
            for (part, name) in parts.iter().zip(BANDS).filter(|(part, _)| **part > 0) {
                let _ = write!(out, "; {name}: {}", number(*part));
            }
            out.push_str("</title>");
            let mut below = 0;
            for (class, part) in parts.iter().enumerate().filter(|(_, part)| **part > 0) {
                let (top, bottom) = (y(below + part), y(below));
                // What is there is seen, however little.
                let tall = (bottom - top).max(1.0);
                let _ = write!(
                    out,
                    "<rect class=\"s{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"/>",
                    bottom - tall,
                    (column - gap).max(1.0)
                );
                below += part;
            }
            out.push_str("</g>");
        }
        self.label(column, out);
        out.push_str("</svg>");
    }

    /// The times below the columns: the beginnings of days if there are a few, else some of the columns.
    fn label(&self, column: f64, out: &mut String) {
        let days: Vec<usize> =
            (0..self.starts.len()).filter(|at| self.starts.get(*at).is_some_and(|s| s.contains("T00:00:00"))).collect();
        let (places, form): (Vec<usize>, _) = if self.seconds < 86_400 && (3..=10).contains(&days.len()) {
            (days, "%a %-d %b")
        } else {
            let every = self.starts.len().div_ceil(8).max(1);
            let form = match self.seconds {
                0..86_400 if days.len() < 2 => "%H:%M",
                0..86_400 => "%-d %b %H:%M",
                86_400..5_000_000 => "%-d %b",
                _ => "%b %Y",
            };
            ((0..self.starts.len()).step_by(every).collect(), form)
        };
        for place in places {
            let Some(start) = self.starts.get(place) else { continue };
            let x = LEFT + column * place as f64;
            // What begins near the right edge would run over it.
            let anchor = if x > WIDTH - 70.0 { "end" } else { "start" };
            let _ = write!(
                out,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                HEIGHT - BELOW,
                HEIGHT - BELOW + 5.0,
                if anchor == "end" { WIDTH } else { x + 3.0 },
                HEIGHT - 6.0,
                moment(start, form)
            );
        }
    }
}

/// A moment in words.
const FULL: &str = "%a %-d %b %Y %H:%M";

/// The top of a scale that has room for `most`, and how far its lines are apart.
fn scale(most: u64) -> (u64, u64) {
    let mut unit = 1;
    loop {
        for step in [unit, 2 * unit, 5 * unit] {
            if step * 5 >= most {
                return (most.div_ceil(step).max(1) * step, step);
            }
        }
        unit *= 10;
    }
}

fn short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{}k", number as f64 / 1e3),
        _ => format!("{}M", number as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_a_few_round_lines() {
        for (most, wanted) in [
            (0, (1, 1)),
            (1, (1, 1)),
            (7, (8, 2)),
            (10, (10, 2)),
            (11, (15, 5)),
            (812, (1000, 200)),
            (5_000_001, (6_000_000, 2_000_000)),
        ] {
            assert_eq!(scale(most), wanted, "{most}");
        }
    }

    #[test]
    fn a_plot_is_told_in_words() {
        let mut out = String::new();
        let starts = ["2026-11-16T00:00:00Z".to_owned(), "2026-11-16T12:00:00Z".to_owned()];
        let values = vec![[3, 0, 0, 1], [0; 4]];
        Columns {
            id: "p",
            title: "Sessions",
            nouns: ("session", "sessions"),
            starts: &starts,
            seconds: 43_200,
            values,
        }
        .draw(&mut out);
        assert!(out.contains("4 sessions in all. The most are 4 from Mon 16 Nov 2026 00:00."), "{out}");
        assert_eq!(out.matches("<rect").count(), 2);
    }
}
