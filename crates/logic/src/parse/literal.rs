//! What a literal means. Apart from the lexer, which only finds where it ends.

use super::calendar;
use crate::{
    Span,
    syntax::Literal,
    types::{Elementary, Raw},
};
use honeyplant_core::settings::Problem;

/// Why something is no literal.
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) hint: String,
    /// The bytes of the literal that are wrong, if not all of them.
    pub(super) at: Option<Span>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into(), at: None }
    }

    /// As a complaint about the literal that stands at `span`.
    pub(super) fn problem(self, span: &Span) -> Problem {
        let at = self.at.map_or(span.clone(), |at| span.start + at.start..span.start + at.end);
        Problem::new("", self.message).hint(self.hint).at(at)
    }
}

/// The meaning of a literal, with its type and # if it has one (§6.3).
pub(super) fn literal(text: &str) -> Result<Literal, Wrong> {
    if text.starts_with(['\'', '"']) {
        return Ok(Literal::Text(octets(text, 0)?));
    }
    match text.split_once('#') {
        Some((word, value)) if text.starts_with(|c: char| c.is_alphabetic()) => typed(word, value),
        _ if text.contains(['.', 'e', 'E']) && !text.contains('#') && !is_hexadecimal(text) => {
            Ok(Literal::Real { value: real(text, text)?, ty: None })
        }
        _ => Ok(Literal::Integer { value: integer(text, text)?, ty: None }),
    }
}

/// A literal of the same type as one that is wrong, so that nothing else is found wrong with what it stands in.
pub(super) fn in_place_of(text: &str) -> Literal {
    match text.split_once('#').and_then(|(word, _)| type_before(word)) {
        Some(Elementary::Bool) => Literal::Bool(false),
        Some(Elementary::String) => Literal::Text(Box::default()),
        Some(ty @ (Elementary::Time | Elementary::Date | Elementary::Tod | Elementary::Dt)) => {
            Literal::Time { value: 0, ty }
        }
        Some(ty) if ty.is_real() => Literal::Real { value: 0.0, ty: Some(ty) },
        None if text.starts_with(['\'', '"']) => Literal::Text(Box::default()),
        None if text.contains('.') => Literal::Real { value: 0.0, ty: None },
        ty => Literal::Integer { value: 0, ty },
    }
}

/// The type whose literals begin with `word` and #.
pub(super) fn type_before(word: &str) -> Option<Elementary> {
    match word.to_ascii_uppercase().as_str() {
        "T" | "LT" => Some(Elementary::Time),
        "D" | "LD" => Some(Elementary::Date),
        "WSTRING" | "CHAR" | "WCHAR" => Some(Elementary::String),
        capitals => Elementary::of(capitals),
    }
}

fn typed(word: &str, value: &str) -> Result<Literal, Wrong> {
    let whole = format!("{word}#{value}");
    if matches!(word.to_ascii_uppercase().as_str(), "WSTRING" | "CHAR" | "WCHAR") {
        return Err(Wrong::new(format!("{word} is not supported"), "write '…'"));
    }
    let ty = type_before(word)
        .ok_or_else(|| Wrong::new(format!("there is no elementary type `{word}`"), "write INT#5, T#5s, WORD#16#FF"))?;
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, value.strip_prefix('+').unwrap_or(value)),
    };
    Ok(match ty {
        Elementary::String if value.starts_with(['\'', '"']) => Literal::Text(octets(value, word.len() + 1)?),
        Elementary::String => return Err(Wrong::new(format!("`{whole}` is no text"), "write STRING#'…'")),
        Elementary::Time => Literal::Time { value: calendar::duration(value, &whole)?, ty },
        Elementary::Date => Literal::Time { value: calendar::date(value, &whole)?, ty },
        Elementary::Tod => Literal::Time { value: calendar::time_of_day(value, &whole)?, ty },
        Elementary::Dt => Literal::Time { value: calendar::date_and_time(value, &whole)?, ty },
        Elementary::Bool => Literal::Bool(match value.to_ascii_uppercase().as_str() {
            "TRUE" | "1" | "2#1" => true,
            "FALSE" | "0" | "2#0" => false,
            _ => return Err(Wrong::new(format!("`{whole}` is no BOOL"), "write TRUE or FALSE, BOOL#1 or BOOL#0")),
        }),
        Elementary::Real | Elementary::Lreal => {
            let value = f64::from(sign) * real(digits, &whole)?;
            if ty == Elementary::Real && !(value as f32).is_finite() {
                return Err(too_large(&whole, ty.name()));
            }
            Literal::Real { value, ty: Some(ty) }
        }
        _ => {
            let value = i128::from(sign) * integer(digits, &whole)?;
            if !holds(ty, value) {
                return Err(too_large(&whole, ty.name()));
            }
            Literal::Integer { value, ty: Some(ty) }
        }
    })
}

/// Whether storing `value` changes nothing of it.
fn holds(ty: Elementary, value: i128) -> bool {
    let raw = value as Raw;
    let stored = ty.narrow(raw);
    stored == raw && value == if ty.is_signed() { i128::from(stored as i64) } else { i128::from(stored) }
}

fn too_large(whole: &str, ty: &str) -> Wrong {
    Wrong::new(format!("`{whole}` is more than {ty} can hold"), "choose a larger type")
}

/// `0x1F` as other languages write it.
fn is_hexadecimal(text: &str) -> bool {
    text.starts_with("0x") || text.starts_with("0X")
}

/// Digits without their underscores, which stand alone and between digits.
pub(super) fn digits(text: &str, whole: &str) -> Result<String, Wrong> {
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return Err(Wrong::new(
            format!("`{whole}` has an underscore too many"),
            "they stand alone, and between digits",
        ));
    }
    Ok(text.chars().filter(|c| *c != '_').collect())
}

fn integer(text: &str, whole: &str) -> Result<i128, Wrong> {
    if is_hexadecimal(text) {
        let digits = text.get(2..).unwrap_or_default();
        return Err(Wrong::new(
            format!("`{whole}` is no number"),
            format!("hexadecimal digits are written 16#{digits}"),
        ));
    }
    let (base, text) = text.split_once('#').unwrap_or(("10", text));
    let radix = match base {
        "2" => 2,
        "8" => 8,
        "10" => 10,
        "16" => 16,
        _ => return Err(Wrong::new(format!("`{whole}` has a base that there is not"), "the bases are 2, 8 and 16")),
    };
    let digits = digits(text, whole)?;
    if let Some(wrong) = digits.chars().find(|c| !c.is_digit(radix)) {
        let hint = if radix == 10 && !wrong.is_ascii_digit() {
            "a name begins with a letter, a duration with T#, hexadecimal digits with 16#".to_owned()
        } else {
            format!("the digits of base {radix} do not include `{wrong}`")
        };
        return Err(Wrong::new(format!("`{whole}` is no number"), hint));
    }
    if digits.is_empty() {
        return Err(Wrong::new(format!("`{whole}` has no digits"), "write them behind the base: 16#FF"));
    }
    let value = u64::from_str_radix(&digits, radix).map_err(|_| too_large(whole, "ULINT"))?;
    Ok(value.into())
}

fn real(text: &str, whole: &str) -> Result<f64, Wrong> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    if after.is_empty() {
        return Err(Wrong::new(format!("`{whole}` has no digit after its point"), format!("write {before}.0")));
    }
    let (sign, exponent) = match exponent.strip_prefix(['+', '-']) {
        Some(digits) => (if exponent.starts_with('-') { "-" } else { "" }, digits),
        None => ("", exponent),
    };
    let (before, after, exponent) = (digits(before, whole)?, digits(after, whole)?, digits(exponent, whole)?);
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !plain(&before) || !plain(&after) || !plain(&exponent) {
        return Err(Wrong::new(format!("`{whole}` is no number"), "a REAL is written 1.5 or 1.5E-3"));
    }
    let value = format!("{before}.{after}e{sign}{exponent}").parse().unwrap_or(f64::INFINITY);
    if value.is_finite() { Ok(value) } else { Err(too_large(whole, "LREAL")) }
}

/// The octets of 'text' (§6.3.3, table 6), which stands `offset` bytes behind the begin of its literal.
fn octets(text: &str, offset: usize) -> Result<Box<[u8]>, Wrong> {
    let inside = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let mut octets = Vec::with_capacity(inside.len());
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        let wrong = |length: usize, message: String, hint: &str| {
            let start = offset + 1 + at;
            Err(Wrong { at: Some(start..start + length), ..Wrong::new(message, hint) })
        };
        if c != '$' {
            match u8::try_from(c) {
                Ok(octet) => octets.push(octet),
                Err(_) => {
                    return wrong(c.len_utf8(), format!("`{c}` is not of ISO 8859-1"), "a STRING holds octets");
                }
            }
            continue;
        }
        let escape = chars.next().map_or(' ', |(_, escape)| escape);
        octets.push(match escape.to_ascii_uppercase() {
            '$' | '\'' | '"' => escape as u8,
            'L' | 'N' => b'\n',
            'P' => 0x0c,
            'R' => b'\r',
            'T' => b'\t',
            _ => {
                let pair = inside.get(at + 1..at + 3).unwrap_or_default();
                let hexadecimal = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
                match u8::from_str_radix(pair, 16) {
                    Ok(octet) if hexadecimal => {
                        chars.next();
                        octet
                    }
                    _ => {
                        let hint = "the escapes are $$ $' $L $N $P $R $T and two hexadecimal digits";
                        return wrong(1 + escape.len_utf8(), format!("`${escape}` is no escape"), hint);
                    }
                }
            }
        });
    }
    Ok(octets.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Elementary as E;

    fn integer(value: i128, ty: Option<E>) -> Option<Literal> {
        Some(Literal::Integer { value, ty })
    }

    fn real(value: f64, ty: Option<E>) -> Option<Literal> {
        Some(Literal::Real { value, ty })
    }

    fn meant(text: &str) -> Option<Literal> {
        literal(text).ok()
    }

    fn refused(text: &str) -> (String, String) {
        literal(text).map_err(|wrong| (wrong.message, wrong.hint)).expect_err(text)
    }

    #[test]
    fn integers_have_bases_types_and_underscores() {
        assert_eq!(meant("1_000"), integer(1000, None));
        assert_eq!(meant("2#1010_0101"), integer(0xA5, None));
        assert_eq!(meant("8#17"), integer(15, None));
        assert_eq!(meant("16#Ff"), integer(255, None));
        assert_eq!(meant("UINT#16#FFFF"), integer(65_535, Some(E::Uint)));
        assert_eq!(meant("int#-32_768"), integer(-32_768, Some(E::Int)));
        assert_eq!(meant("LINT#-9223372036854775808"), integer(i64::MIN.into(), Some(E::Lint)));
        assert_eq!(meant("18446744073709551615"), integer(u64::MAX.into(), None));
        assert_eq!(meant("LWORD#16#FFFF_FFFF_FFFF_FFFF"), integer(u64::MAX.into(), Some(E::Lword)));
    }

    #[test]
    fn integers_that_are_none_are_refused() {
        for (text, message, hint) in [
            ("0x1F", "`0x1F` is no number", "hexadecimal digits are written 16#1F"),
            (
                "12ab",
                "`12ab` is no number",
                "a name begins with a letter, a duration with T#, hexadecimal digits with 16#",
            ),
            ("2#12", "`2#12` is no number", "the digits of base 2 do not include `2`"),
            ("7#12", "`7#12` has a base that there is not", "the bases are 2, 8 and 16"),
            ("16#", "`16#` has no digits", "write them behind the base: 16#FF"),
            ("1__0", "`1__0` has an underscore too many", "they stand alone, and between digits"),
            ("INT#32768", "`INT#32768` is more than INT can hold", "choose a larger type"),
            ("USINT#-1", "`USINT#-1` is more than USINT can hold", "choose a larger type"),
            ("ULINT#-1", "`ULINT#-1` is more than ULINT can hold", "choose a larger type"),
            (
                "LINT#9223372036854775808",
                "`LINT#9223372036854775808` is more than LINT can hold",
                "choose a larger type",
            ),
            ("18446744073709551616", "`18446744073709551616` is more than ULINT can hold", "choose a larger type"),
            ("BOOL#2", "`BOOL#2` is no BOOL", "write TRUE or FALSE, BOOL#1 or BOOL#0"),
        ] {
            assert_eq!(refused(text), (message.to_owned(), hint.to_owned()));
        }
    }

    #[test]
    fn reals_have_a_point_or_an_exponent() {
        assert_eq!(meant("1.5"), real(1.5, None));
        assert_eq!(meant("1_0.2_5E-2"), real(0.1025, None));
        assert_eq!(meant("1.0e+3"), real(1000.0, None));
        assert_eq!(meant("2E3"), real(2000.0, None));
        assert_eq!(meant("REAL#-1.5"), real(-1.5, Some(E::Real)));
        assert_eq!(meant("LREAL#3"), real(3.0, Some(E::Lreal)));
        assert_eq!(refused("5."), ("`5.` has no digit after its point".into(), "write 5.0".into()));
        assert_eq!(refused("REAL#1.0E39").0, "`REAL#1.0E39` is more than REAL can hold");
        assert_eq!(refused("1.0E999").0, "`1.0E999` is more than LREAL can hold");
        assert_eq!(refused("1.5x").0, "`1.5x` is no number");
    }

    #[test]
    fn truth_is_written_in_four_ways() {
        for (text, value) in [("BOOL#1", true), ("BOOL#TRUE", true), ("bool#false", false), ("BOOL#0", false)] {
            assert_eq!(meant(text), Some(Literal::Bool(value)));
        }
    }

    #[test]
    fn texts_have_escapes() {
        let text = |text: &[u8]| Some(Literal::Text(text.into()));
        assert_eq!(meant("''"), text(b""));
        assert_eq!(meant("'a$$b$'c'"), text(b"a$b'c"));
        assert_eq!(meant("'$L$n$P$r$T$0a$FF'"), text(b"\n\n\x0c\r\t\n\xff"));
        assert_eq!(meant("STRING#'Kühler'"), text(b"K\xfchler"));
    }

    #[test]
    fn a_wrong_escape_is_shown_where_it_stands() {
        for (text, at, message) in [
            ("'ab$xy'", 3..5, "`$x` is no escape"),
            ("'ab$+1'", 3..5, "`$+` is no escape"),
            ("STRING#'5 €'", 10..13, "`€` is not of ISO 8859-1"),
        ] {
            let wrong = literal(text).expect_err(text);
            assert_eq!((wrong.at, wrong.message), (Some(at), message.to_owned()));
        }
    }
}
