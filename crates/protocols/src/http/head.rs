//! The head of an answer: which fields, in which order and spelling. Apart, because it is what tells servers apart, and is
//! data of dialects and profiles.

use super::answer::Field;
use honeyplant_core::{
    calendar::Civil,
    identity::Identity,
    settings::{Problem, nearest},
};
use std::{io::Write as _, time::Duration};

macro_rules! told {
    ($($told:ident $name:literal $field:literal,)*) => {
        /// What an answer can tell of itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Told { $($told,)* }

        impl Told {
            pub(super) const ALL: &[Self] = &[$(Self::$told,)*];

            /// What it is called in braces.
            const fn name(self) -> &'static str {
                match self { $(Self::$told => $name,)* }
            }

            /// The field in which it stands if the server's list does not have it; none if it may go without.
            const fn field(self) -> &'static str {
                match self { $(Self::$told => $field,)* }
            }
        }
    };
}

told! {
    Date "date" "",
    Asctime "asctime" "",
    LoudAsctime "ASCTIME" "",
    Length "length" "",
    Type "type" "Content-Type",
    Connection "connection" "",
    KeepAlive "keep-alive" "",
    Coding "coding" "Transfer-Encoding",
    Trailer "trailer" "",
    Modified "modified" "",
    Tag "tag" "",
    Ranges "ranges" "",
    Range "range" "Content-Range",
    Allow "allow" "Allow",
    Challenge "challenge" "WWW-Authenticate",
}

/// The values of what an answer tells; those that are empty are not told.
#[derive(Debug, Default)]
pub(super) struct Values<'a> {
    pub(super) now: Duration,
    pub(super) modified: Option<Duration>,
    pub(super) length: Option<usize>,
    pub(super) media: &'a str,
    pub(super) connection: &'a str,
    pub(super) keep_alive: &'a str,
    pub(super) coding: &'a str,
    pub(super) trailer: &'a str,
    pub(super) tag: &'a str,
    pub(super) ranges: &'a str,
    pub(super) range: &'a str,
    pub(super) allow: &'a str,
    pub(super) challenge: &'a str,
}

/// The fields of every answer.
#[derive(Debug, Default)]
pub(super) struct Head {
    lines: Vec<Line>,
    /// What it has no line for, and cannot go without.
    missing: Vec<Told>,
}

#[derive(Debug)]
enum Line {
    /// A field that is the same each time: its name, and all of it.
    Fixed(Box<str>, Box<str>),
    Template(Box<str>, Vec<Piece>),
    /// The fields of the page that have no place of their own.
    Others,
}

#[derive(Debug)]
enum Piece {
    Text(Box<str>),
    Told(Told),
}

impl Head {
    /// Adds a field whose value is a template.
    pub(super) fn push(&mut self, name: &str, value: &str, identity: &Identity) -> Result<(), Problem> {
        if name == "*" {
            self.lines.push(Line::Others);
            return Ok(());
        }
        let pieces = pieces(value, identity)?;
        let fixed = pieces.iter().try_fold(String::new(), |text, piece| match piece {
            Piece::Text(more) => Some(text + more),
            Piece::Told(_) => None,
        });
        self.lines.push(match fixed {
            Some(text) => Line::Fixed(name.into(), format!("{name}: {text}\r\n").into()),
            None => Line::Template(name.into(), pieces),
        });
        Ok(())
    }

    /// All fields are there.
    pub(super) fn finish(mut self) -> Self {
        if !self.lines.iter().any(|line| matches!(line, Line::Others)) {
            self.lines.push(Line::Others);
        }
        let missing = Told::ALL.iter().copied().filter(|told| !told.field().is_empty() && !self.tells(*told));
        self.missing = missing.collect();
        self
    }

    /// Whether it has a place for this.
    pub(super) fn tells(&self, told: Told) -> bool {
        let is = |piece: &Piece| matches!(piece, Piece::Told(known) if *known == told);
        self.lines.iter().any(|line| matches!(line, Line::Template(_, pieces) if pieces.iter().any(is)))
    }

    /// Appends the fields, and the empty line behind them.
    pub(super) fn write<'a>(
        &self,
        values: &Values<'_>,
        fields: impl Iterator<Item = &'a Field> + Clone,
        out: &mut Vec<u8>,
    ) {
        for line in &self.lines {
            match line {
                Line::Fixed(name, whole) => {
                    if !placed(name, fields.clone(), out) {
                        out.extend_from_slice(whole.as_bytes());
                    }
                }
                Line::Template(name, pieces) => {
                    if !placed(name, fields.clone(), out) {
                        write(name, pieces, values, out);
                    }
                }
                Line::Others => {
                    let own = |told: &Told| fields.clone().any(|(name, _)| name.eq_ignore_ascii_case(told.field()));
                    for told in self.missing.iter().filter(|told| !own(told)) {
                        write(told.field(), &[Piece::Told(*told)], values, out);
                    }
                    for (name, value) in fields.clone() {
                        if !self.has(name) {
                            field(name, value, out);
                        }
                    }
                }
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    fn has(&self, name: &str) -> bool {
        let is = |line: &Line| match line {
            Line::Fixed(known, _) | Line::Template(known, _) => known.eq_ignore_ascii_case(name),
            Line::Others => false,
        };
        self.lines.iter().any(is)
    }
}

/// Appends the fields of the page that stand in the place of the server's own.
fn placed<'a>(name: &str, fields: impl Iterator<Item = &'a Field>, out: &mut Vec<u8>) -> bool {
    let mut any = false;
    for (_, value) in fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)) {
        field(name, value, out);
        any = true;
    }
    any
}

/// Appends a field. What would begin another one is left out.
pub(super) fn field(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend(value.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
    out.extend_from_slice(b"\r\n");
}

fn write(name: &str, pieces: &[Piece], values: &Values<'_>, out: &mut Vec<u8>) {
    let begin = out.len();
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    for piece in pieces {
        let told = match piece {
            Piece::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                continue;
            }
            Piece::Told(Told::Date) => {
                date(values.now, out);
                continue;
            }
            Piece::Told(Told::Asctime) => {
                asctime(values.now, out);
                continue;
            }
            Piece::Told(Told::LoudAsctime) => {
                loud_asctime(values.now, out);
                continue;
            }
            Piece::Told(Told::Length) => match values.length {
                Some(length) => {
                    // Writing to a buffer cannot fail.
                    let _ = write!(out, "{length}");
                    continue;
                }
                None => "",
            },
            Piece::Told(Told::Modified) => match values.modified {
                Some(modified) => {
                    date(modified, out);
                    continue;
                }
                None => "",
            },
            Piece::Told(Told::Type) => values.media,
            Piece::Told(Told::Connection) => values.connection,
            Piece::Told(Told::KeepAlive) => values.keep_alive,
            Piece::Told(Told::Coding) => values.coding,
            Piece::Told(Told::Trailer) => values.trailer,
            Piece::Told(Told::Tag) => values.tag,
            Piece::Told(Told::Ranges) => values.ranges,
            Piece::Told(Told::Range) => values.range,
            Piece::Told(Told::Allow) => values.allow,
            Piece::Told(Told::Challenge) => values.challenge,
        };
        if told.is_empty() {
            out.truncate(begin);
            return;
        }
        out.extend_from_slice(told.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn pieces(text: &str, identity: &Identity) -> Result<Vec<Piece>, Problem> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let unclosed = || Problem::new("", format!("the brace before `{after}` is never closed"));
        let (name, after) = after.split_once('}').ok_or_else(unclosed)?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before.into()));
        }
        let told = Told::ALL.iter().copied().find(|told| told.name() == name);
        pieces.push(match (told, identity.get(name)) {
            (Some(told), _) => Piece::Told(told),
            (None, Some(drawn)) => Piece::Text(drawn.into()),
            (None, None) => {
                let told = Told::ALL.iter().map(|told| told.name());
                let known: Vec<&str> = told.chain(identity.0.keys().map(String::as_str)).collect();
                let problem = Problem::new("", format!("there is nothing told, and no identity, `{name}`"));
                let near = nearest(name, &known).map(|near| format!("did you mean `{near}`?"));
                return Err(problem.hint(near.unwrap_or_else(|| format!("there is: {}", known.join(", ")))));
            }
        });
        rest = after;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest.into()));
    }
    Ok(pieces)
}

/// Appends a time as RFC 9110 §5.6.7 has it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn date(since_1970: Duration, out: &mut Vec<u8>) {
    let Civil { year, day, hour, minute, second, .. } = Civil::of(since_1970);
    let (weekday, month) = (weekday(since_1970), Civil::of(since_1970).month_name());
    // Writing to a buffer cannot fail.
    let _ = write!(out, "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT");
}

/// Appends a time as C's `asctime` has it: `Sun Nov  6 08:49:37 1994`.
fn asctime(since_1970: Duration, out: &mut Vec<u8>) {
    let Civil { year, day, hour, minute, second, .. } = Civil::of(since_1970);
    let (weekday, month) = (weekday(since_1970), Civil::of(since_1970).month_name());
    let _ = write!(out, "{weekday} {month} {day:>2} {hour:02}:{minute:02}:{second:02} {year:04}");
}

/// Appends a time as VxWorks' `asctime` has it, in capitals and with two digits of the day: `SUN NOV 06 08:49:37 1994`.
fn loud_asctime(since_1970: Duration, out: &mut Vec<u8>) {
    let Civil { year, day, hour, minute, second, .. } = Civil::of(since_1970);
    let names = format!("{} {}", weekday(since_1970), Civil::of(since_1970).month_name()).to_uppercase();
    let _ = write!(out, "{names} {day:02} {hour:02}:{minute:02}:{second:02} {year:04}");
}

/// The name of the day; 1970 began on a Thursday.
fn weekday(since_1970: Duration) -> &'static str {
    const NAMES: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    NAMES.get((since_1970.as_secs() / 86_400 % 7) as usize).copied().unwrap_or_default()
}

/// The names of the months.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a time in any of the three forms that RFC 9110 §5.6.7 has a server take.
pub(super) fn parse_date(text: &[u8]) -> Option<Duration> {
    let text = str::from_utf8(text).ok()?;
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match words.as_slice() {
        [_, day, month, year, time, "GMT" | "UTC"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| name == month)? as u32 + 1;
    let year: u32 = year.parse().ok()?;
    // RFC 850 has two digits.
    let year = match year {
        0..=69 => 2000 + year,
        70..=99 => 1900 + year,
        year => year,
    };
    let mut parts = time.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    Civil { year, month, day: day.parse().ok()?, hour, minute, second }.since_1970()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_and_read_in_their_forms() {
        // The examples of RFC 9110 §5.6.7.
        let time = Duration::from_secs(784_111_777);
        let (mut imf, mut c, mut loud) = (Vec::new(), Vec::new(), Vec::new());
        date(time, &mut imf);
        asctime(time, &mut c);
        loud_asctime(time, &mut loud);
        assert_eq!(&*loud, b"SUN NOV 06 08:49:37 1994");
        assert_eq!((&*imf, &*c), (&b"Sun, 06 Nov 1994 08:49:37 GMT"[..], &b"Sun Nov  6 08:49:37 1994"[..]));
        for text in [&*imf, b"Sunday, 06-Nov-94 08:49:37 GMT", &*c] {
            assert_eq!(parse_date(text), Some(time));
        }
        for wrong in ["", "soon", "Sun, 06 Nov 1994", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8 GMT"] {
            assert_eq!(parse_date(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
