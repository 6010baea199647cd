//! Text cut into tokens. Apart, because what a token is hangs on the characters around it and on nothing else.

use super::{MOST, keyword::keyword, literal::type_before};
use crate::{Span, types::Elementary};
use honeyplant_core::settings::{Problem, Problems};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// A keyword, in capitals.
    Key(&'static str),
    /// An operator, a bracket, a comma.
    Sign(&'static str),
    /// A number, duration, date or text, with the type before its #.
    Literal,
    /// %MW10.
    Address,
    /// %X3 behind a dot.
    Part,
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// Something is wrong with it, and what follows may be wrong only because of that.
    pub(super) broken: bool,
}

/// What a text was cut into.
#[derive(Default)]
pub(super) struct Tokens {
    /// The last one is `End`.
    pub(super) tokens: Vec<Token>,
    /// Where each {pragma} begins; they are no tokens.
    pub(super) pragmas: Vec<usize>,
    pub(super) problems: Problems,
}

/// How many characters a name may have.
const LONGEST_NAME: usize = 127;

/// The signs, longer ones first.
const SIGNS: &[&str] = &[
    ":=", "=>", "..", "<=", ">=", "<>", "**", "(", ")", "[", "]", ",", ";", ":", ".", "=", "<", ">", "+", "-", "*",
    "/", "&", "^",
];

/// What other languages write, and what is meant by it.
const SLIPS: &[(&str, Kind, &str)] = &[
    ("==", Kind::Sign("="), "equality is written `=`"),
    ("!=", Kind::Sign("<>"), "inequality is written `<>`"),
    ("&&", Kind::Key("AND"), "write `AND`"),
    ("||", Kind::Key("OR"), "write `OR`"),
    ("!", Kind::Key("NOT"), "write `NOT`"),
];

/// Cuts `text` into tokens.
pub(super) fn tokens(text: &str) -> Tokens {
    let mut lexer = Lexer { text, at: 0, broken: false, unclosed: false, out: Tokens::default() };
    while lexer.token() {}
    lexer.out
}

pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// The token that is being read is.
    pub(super) broken: bool,
    /// No brace is closed any more from here on.
    pub(super) unclosed: bool,
    pub(super) out: Tokens,
}

impl<'a> Lexer<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The `n`-th character from here; NUL behind the end, which no token may hold.
    fn char(&self, n: usize) -> char {
        self.rest().chars().nth(n).unwrap_or_default()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    }

    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let there = self.rest().starts_with(sign);
        self.at += if there { sign.len() } else { 0 };
        there
    }

    pub(super) fn complain(&mut self, start: usize, message: impl Into<String>, hint: &str) {
        if self.out.problems.len() < MOST {
            self.out.problems.push(Problem::new("", message).hint(hint).at(start..self.at));
        }
    }

    /// For what is wrong with a name, and so wherever it is used.
    fn complain_once(&mut self, start: usize, message: impl Into<String>, hint: &str) {
        let message = message.into();
        if !self.out.problems.iter().any(|known| known.message == message) {
            self.complain(start, message, hint);
        }
    }

    fn push(&mut self, start: usize, kind: Kind) {
        let broken = std::mem::take(&mut self.broken);
        self.out.tokens.push(Token { kind, span: start..self.at, broken });
    }

    /// Whether the last token is a dot right before here.
    fn is_behind_dot(&self) -> bool {
        self.out.tokens.last().is_some_and(|token| token.kind == Kind::Sign(".") && token.span.end == self.at)
    }

    /// Reads one token, or what is none; false at the end.
    fn token(&mut self) -> bool {
        self.take_while(|c| c.is_whitespace() || c == '\u{feff}');
        let start = self.at;
        let rest = self.rest();
        match self.char(0) {
            '\0' if rest.is_empty() => {
                self.push(start, Kind::End);
                return false;
            }
            _ if rest.starts_with("//") => self.take_while(|c| c != '\n'),
            _ if rest.starts_with("(*") => self.comment("(*", "*)"),
            _ if rest.starts_with("/*") => self.comment("/*", "*/"),
            '{' => self.pragma(),
            '0'..='9' => {
                self.number();
                self.push(start, Kind::Literal);
            }
            '\'' | '"' => {
                self.text();
                self.push(start, Kind::Literal);
            }
            '%' => self.address(),
            '#' => self.hash(),
            c if c.is_alphabetic() || c == '_' => self.word(),
            _ => self.sign(),
        }
        true
    }

    /// §6.3.2, table 5; what it means and whether it is right is decided where it is used.
    fn number(&mut self) {
        let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
        if self.is_behind_dot() {
            return self.take_while(part_of_word);
        }
        let digits = |c: char| c.is_ascii_digit() || c == '_';
        self.take_while(digits);
        if self.takes("#") {
            return self.take_while(part_of_word);
        }
        if self.char(0) == '.' && self.char(1).is_ascii_digit() {
            self.at += 1;
            self.take_while(digits);
        } else if self.char(0) == '.' && !part_of_word(self.char(1)) && !matches!(self.char(1), '.' | '%') {
            self.at += 1;
        }
        let signed = usize::from(matches!(self.char(1), '+' | '-'));
        if matches!(self.char(0), 'e' | 'E') && self.char(1 + signed).is_ascii_digit() {
            self.at += 1 + signed;
        }
        self.take_while(part_of_word);
    }

    /// §6.3.3; what its escapes mean is decided where it is used.
    fn text(&mut self) {
        let (start, quote) = (self.at, self.char(0));
        self.at += 1;
        loop {
            self.take_while(|c| c != quote && c != '$' && c != '\n');
            match self.char(0) {
                '$' => {
                    self.at += 1;
                    if self.char(0) == quote || self.char(0) == '$' {
                        self.at += 1;
                    }
                }
                c if c == quote => {
                    self.at += 1;
                    if quote == '\'' && self.char(0) == quote {
                        self.at += 1;
                        self.complain(self.at - 2, "a text ends at its next quote", "inside a text, write $'");
                        continue;
                    }
                    break;
                }
                _ => {
                    let hint = "a text ends on the line it begins on; $N is a new line";
                    self.complain(start, "this text is never closed", hint);
                    self.broken = true;
                    return;
                }
            }
        }
        if quote == '"' {
            self.complain(start, "a text in double quotes is a WSTRING, which is not supported", "write '…'");
            self.broken = true;
        }
    }

    /// §6.5.5.2, and the forms that vendors use: `%MW4.2`, `%DB1.DBX0.1`. Behind a dot, a part of a bit string.
    fn address(&mut self) {
        let (start, part) = (self.at, self.is_behind_dot());
        self.at += 1;
        if !self.char(0).is_ascii_alphabetic() {
            self.complain(start, "`%` begins an address such as %MW10", "the rest of a division is `a MOD b`");
            return self.push(start, Kind::Key("MOD"));
        }
        self.take_while(|c| c.is_ascii_alphanumeric());
        if part {
            return self.push(start, Kind::Part);
        }
        while self.char(0) == '.' && self.char(1).is_ascii_alphanumeric() {
            self.at += 1;
            self.take_while(|c| c.is_ascii_alphanumeric());
        }
        self.takes("*");
        self.push(start, Kind::Address);
    }

    fn hash(&mut self) {
        let start = self.at;
        let typed = self.out.tokens.last().is_some_and(|token| token.kind == Kind::Word && token.span.end == start);
        self.at += 1;
        if typed {
            self.push(start, Kind::Sign("#"));
        } else {
            self.complain_once(start, "`#` stands only between a type and a value", "a name is written without it");
        }
    }

    fn word(&mut self) {
        let start = self.at;
        self.take_while(|c| c.is_alphanumeric() || c == '_');
        let word = self.text.get(start..self.at).unwrap_or_default();
        if self.char(0) == '#' && self.typed(word) {
            return self.push(start, Kind::Literal);
        }
        // §6.1.2.
        if word.len() > LONGEST_NAME {
            self.complain(start, "this name is too long", &format!("a name has at most {LONGEST_NAME} characters"));
            self.broken = true;
        } else if !word.is_ascii() {
            let hint = "a name is made of the letters A to Z, digits and underscores";
            self.complain_once(start, format!("`{word}` cannot be a name"), hint);
        } else if word.contains("__") || word.ends_with('_') {
            let hint = "underscores stand alone, and not at the end";
            self.complain_once(start, format!("`{word}` cannot be a name"), hint);
        }
        self.push(start, keyword(word).map_or(Kind::Word, Kind::Key));
    }

    /// Goes on behind `TIME#` and the like; false if `word` is no elementary type.
    fn typed(&mut self, word: &str) -> bool {
        let start = self.at;
        let Some(ty) = type_before(word) else { return false };
        self.at += 1;
        let signed = usize::from(matches!(self.char(0), '+' | '-'));
        let separators = match ty {
            Elementary::String if matches!(self.char(0), '\'' | '"') => {
                self.text();
                return true;
            }
            Elementary::Time => ".",
            Elementary::Date | Elementary::Tod | Elementary::Dt => "-:.",
            _ if self.char(signed).is_ascii_digit() => {
                self.at += signed;
                self.number();
                return true;
            }
            _ => "",
        };
        self.at += signed;
        loop {
            self.take_while(|c| c.is_alphanumeric() || c == '_');
            if !separators.contains(self.char(0)) || !self.char(1).is_ascii_digit() {
                break;
            }
            self.at += 1;
        }
        if self.at == start + 1 {
            self.complain(
                start - word.len(),
                format!("a value is missing after `{word}#`"),
                "write it without a blank: INT#5",
            );
            self.broken = true;
        }
        true
    }

    fn sign(&mut self) {
        let start = self.at;
        if let Some((slip, kind, hint)) = SLIPS.iter().find(|(slip, ..)| self.takes(slip)) {
            self.complain(start, format!("`{slip}` is no operator"), hint);
            return self.push(start, *kind);
        }
        if let Some(sign) = SIGNS.iter().find(|sign| self.takes(sign)) {
            return self.push(start, Kind::Sign(sign));
        }
        if self.takes("}") {
            let hint = "statements are closed with END_IF, END_FOR and the like";
            return self.complain(start, "this brace closes nothing", hint);
        }
        let c = self.char(0);
        self.take_while(|other| other == c);
        let sign = self.text.get(start..self.at).unwrap_or_default().escape_debug();
        self.complain(start, format!("`{sign:.10}` means nothing here"), "it is no sign of Structured Text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of each token.
    fn cut(text: &str) -> Vec<&str> {
        let tokens = tokens(text).tokens;
        tokens.iter().filter(|token| token.kind != Kind::End).map(|token| &text[token.span.clone()]).collect()
    }

    fn told(text: &str) -> Vec<(&str, String)> {
        let problems = tokens(text).problems;
        problems.iter().map(|problem| (&text[problem.span.clone().unwrap()], problem.to_string())).collect()
    }

    #[test]
    fn numbers_end_where_a_range_or_a_field_begins() {
        assert_eq!(cut("1..5"), ["1", "..", "5"]);
        assert_eq!(cut("1.5..2.5"), ["1.5", "..", "2.5"]);
        assert_eq!(cut("w.3.5"), ["w", ".", "3", ".", "5"]);
        assert_eq!(cut("1.0E-3+x"), ["1.0E-3", "+", "x"]);
        assert_eq!(cut("16#FF_00 a"), ["16#FF_00", "a"]);
        assert_eq!(cut("5;5."), ["5", ";", "5."]);
    }

    #[test]
    fn a_type_and_its_value_are_one_token() {
        assert_eq!(cut("UINT#16#FF+INT#-5-1"), ["UINT#16#FF", "+", "INT#-5", "-", "1"]);
        assert_eq!(cut("T#-1h30m5.5s-T#1s..T#2s"), ["T#-1h30m5.5s", "-", "T#1s", "..", "T#2s"]);
        assert_eq!(cut("DT#2024-02-29-12:00:00.5-x"), ["DT#2024-02-29-12:00:00.5", "-", "x"]);
        assert_eq!(cut("TOD#12:30:00;D#2024-02-29"), ["TOD#12:30:00", ";", "D#2024-02-29"]);
        assert_eq!(cut("STRING#'a b' Colour#Red"), ["STRING#'a b'", "Colour", "#", "Red"]);
        assert_eq!(cut("T := BOOL#TRUE"), ["T", ":=", "BOOL#TRUE"]);
        assert_eq!(
            told("x := INT# 5"),
            [("INT#", "a value is missing after `INT#` (write it without a blank: INT#5)".into())]
        );
    }

    #[test]
    fn addresses_are_those_of_the_standard_and_of_vendors() {
        for address in ["%IX0.0", "%QW2", "%MD4", "%ML0", "%MB1", "%M5", "%MW4.2", "%DB1.DBX0.1", "%DB1.DBD8", "%I*"] {
            assert_eq!(cut(address), [address]);
        }
        assert_eq!(cut("%MW4.%X3"), ["%MW4", ".", "%X3"]);
        assert_eq!(cut("%MW1..%MW2"), ["%MW1", "..", "%MW2"]);
    }

    #[test]
    fn keywords_have_no_case_and_names_no_other_letters() {
        let keys = |text| tokens(text).tokens.iter().filter(|token| matches!(token.kind, Kind::Key(_))).count();
        assert_eq!(keys("if End_If THEN x Endif"), 3);
        let hint = "(a name is made of the letters A to Z, digits and underscores)";
        assert_eq!(told("größe := größe;"), [("größe", format!("`größe` cannot be a name {hint}"))]);
        let hint = "(underscores stand alone, and not at the end)";
        assert_eq!(
            told("_a a__b c_"),
            [("a__b", format!("`a__b` cannot be a name {hint}")), ("c_", format!("`c_` cannot be a name {hint}"))]
        );
    }

    #[test]
    fn what_is_never_closed_is_shown_where_it_begins() {
        for (text, at, message) in [
            ("a (* b\nc", "(*", "this comment is never closed (comments nest, and one is still open; write `*)`)"),
            ("/* /* */", "/*", "this comment is never closed (comments nest, and one is still open; write `*/`)"),
            ("(* (* a", "(*", "this comment is never closed (comments nest, and 2 are still open; write `*)`)"),
            ("'abc\n'", "'abc", "this text is never closed (a text ends on the line it begins on; $N is a new line)"),
            ("'a$'", "'a$'", "this text is never closed (a text ends on the line it begins on; $N is a new line)"),
        ] {
            assert_eq!(told(text)[0], (at, message.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_other_languages_write_is_named() {
        let braces = "what stands between braces is a pragma and is skipped; statements are closed with END_IF, END_FOR \
                      and the like";
        for (text, at, message) in [
            ("a == b", "==", "`==` is no operator (equality is written `=`)".to_owned()),
            ("a != b", "!=", "`!=` is no operator (inequality is written `<>`)".into()),
            ("a && b", "&&", "`&&` is no operator (write `AND`)".into()),
            ("a || b", "||", "`||` is no operator (write `OR`)".into()),
            ("!a", "!", "`!` is no operator (write `NOT`)".into()),
            ("a % b", "%", "`%` begins an address such as %MW10 (the rest of a division is `a MOD b`)".into()),
            ("#a := 1", "#", "`#` stands only between a type and a value (a name is written without it)".into()),
            ("'it''s'", "''", "a text ends at its next quote (inside a text, write $')".into()),
            ("\"a\"", "\"a\"", "a text in double quotes is a WSTRING, which is not supported (write '…')".into()),
            ("{ a", "{", format!("this brace is never closed ({braces})")),
            ("a }", "}", "this brace closes nothing (statements are closed with END_IF, END_FOR and the like)".into()),
            ("a @@ b", "@@", "`@@` means nothing here (it is no sign of Structured Text)".into()),
            ("\u{0}", "\u{0}", "`\\0` means nothing here (it is no sign of Structured Text)".into()),
        ] {
            assert_eq!(told(text), [(at, message)], "{text}");
        }
        let long = "x".repeat(128);
        assert_eq!(told(&long), [(&*long, "this name is too long (a name has at most 127 characters)".into())]);
    }
}
