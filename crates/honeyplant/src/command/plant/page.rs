//! A page with a curve for each tag. Apart, because it is for the eye alone: no script, nothing loaded, one file.

use super::series::{Series, short};
use jiff::Timestamp;
use std::{fmt::Write, time::Duration};

/// How many points a curve has at most, each with the least and the most of its time.
const POINTS: usize = 700;
const WIDTH: f64 = 700.0;
const HEIGHT: f64 = 90.0;

/// The page of a run of `length` from `from` on.
pub(super) fn page(site: &str, from: Timestamp, length: Duration, series: &[Series], notes: &[String]) -> String {
    let mut page = String::new();
    let hours = length.as_secs_f64() / 3600.0;
    let length =
        if hours >= 48.0 { format!("{} days", short(hours / 24.0)) } else { format!("{} hours", short(hours)) };
    let title = format!("{}: {length} from {from}", text(site));
    // Writing to a text does not fail.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n{STYLE}\n<h1>{title}</h1>\n"
    );
    let grid = match apart(hours) {
        apart if apart > 6.0 => "day",
        apart if apart > 1.0 => "six hours",
        _ => "hour",
    };
    let _ = writeln!(page, "<p class=\"grid\">A line every {grid}; times are UTC.</p>");
    for note in notes {
        let _ = writeln!(page, "<p class=\"note\">{}</p>", text(note));
    }
    let _ = writeln!(page, "<main>");
    for series in series {
        let _ = writeln!(
            page,
            "<figure><figcaption><b>{}</b> <span>{}</span></figcaption>{}<p>{} to {}, mean {}, last {}</p></figure>",
            text(&series.name),
            text(&series.unit),
            curve(series, hours),
            short(series.least()),
            short(series.most()),
            short(series.mean()),
            short(series.last()),
        );
    }
    page + "</main>\n</html>\n"
}

const STYLE: &str = "<meta name=\"viewport\" content=\"width=device-width\">
<style>
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 96rem; padding: 0 1rem; }
h1 { font-size: 1.2rem; font-weight: 600; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(26rem, 1fr)); gap: 1.2rem 2rem; }
figure { margin: 0; }
figcaption span, figure p { color: color-mix(in srgb, currentColor 60%, transparent); }
.grid { color: color-mix(in srgb, currentColor 60%, transparent); }
figure p { margin: 0; font-size: .85em; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: 6rem; }
path { fill: none; stroke: #1a73c8; stroke-width: 1.2; vector-effect: non-scaling-stroke; }
line { stroke: currentColor; opacity: .15; vector-effect: non-scaling-stroke; }
.note { border-left: 3px solid #d9822b; padding-left: .6rem; }
</style>";

/// The values against time, with a line at each midnight or hour.
fn curve(series: &Series, hours: f64) -> String {
    let span = series.most() - series.least();
    let y = |value: f64| {
        if span > 0.0 { HEIGHT - 2.0 - (value - series.least()) / span * (HEIGHT - 4.0) } else { HEIGHT / 2.0 }
    };
    let piece = series.values.len().div_ceil(POINTS).max(1);
    let step = WIDTH * piece as f64 / series.values.len().saturating_sub(1).max(1) as f64;
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\">");
    let apart = apart(hours);
    let lines = (hours / apart).ceil().min(400.0) as u32;
    for line in 1..lines {
        let x = f64::from(line) * apart / hours * WIDTH;
        let _ = write!(svg, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{HEIGHT}\"/>");
    }
    svg += "<path d=\"";
    for (number, piece) in series.values.chunks(piece).enumerate() {
        let x = (number as f64 * step).min(WIDTH);
        let ends = piece
            .iter()
            .copied()
            .map(f64::from)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let _ = write!(svg, "{}{x:.1} {:.1}", if number == 0 { 'M' } else { 'L' }, y(ends.0));
        if ends.1 > ends.0 {
            let _ = write!(svg, "L{x:.1} {:.1}", y(ends.1));
        }
    }
    svg + "\"/></svg>"
}

/// How many hours lie between two lines of the grid.
const fn apart(hours: f64) -> f64 {
    match hours {
        hours if hours > 48.0 => 24.0,
        hours if hours > 6.0 => 6.0,
        _ => 1.0,
    }
}

fn text(of: &str) -> String {
    of.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
