//! Structured Text read to its tree, with all mistakes told at once. Apart, because what the tree means is the compiler's
//! part. The grammar is that of IEC 61131-3, third edition, annex A, read from the top by one method a rule.

mod calendar;
mod expression;
mod form;
mod gap;
mod initial;
mod iteration;
mod keyword;
mod lexer;
mod literal;
mod operand;
#[cfg(test)]
mod outline;
mod recovery;
mod section;
mod selection;
mod statement;
mod unit;

use crate::{
    Span,
    syntax::{Name, Section, Source},
    types::Elementary,
};
use honeyplant_core::settings::{Problem, Problems};
use lexer::{Kind, Token};

/// More mistakes than this are not told.
const MOST: usize = 50;

/// How many statements, brackets and types may stand inside each other.
const DEEPEST: usize = 64;

/// How many operators, fields and indices may hang on each other in one expression.
const HIGHEST: usize = 200;

/// How long a text may be, in bytes.
const LONGEST: usize = 1 << 20;

/// Reads a text: as much of it as could be read, and its mistakes in the order of the text. A tree that was read with
/// mistakes has made-up values where they are.
pub(crate) fn parse(text: &str) -> (Source, Problems) {
    if text.len() > LONGEST {
        let problem = Problem::new("", format!("the text is longer than {LONGEST} bytes"));
        return (Source::default(), vec![problem.hint("a program is at most that long")]);
    }
    let cut = lexer::tokens(text);
    let mut parser = Parser {
        text,
        tokens: cut.tokens,
        pragmas: cut.pragmas,
        at: 0,
        depth: 0,
        height: 0,
        open: Vec::new(),
        late: Vec::new(),
        complained: None,
        mistakes: 0,
        problems: cut.problems,
    };
    let source = parser.source();
    let mut problems = parser.problems;
    problems.sort_by_key(|problem| problem.span.as_ref().map(|span| span.start));
    problems.truncate(MOST);
    problems.iter_mut().for_each(|problem| shorten(&mut problem.message));
    problems.iter_mut().filter_map(|problem| problem.hint.as_mut()).for_each(shorten);
    (source, problems)
}

/// Keeps what is quoted of the text from making a message endless.
fn shorten(message: &mut String) {
    if let Some((end, _)) = message.char_indices().nth(200) {
        message.truncate(end);
        message.push('…');
    }
}

/// What reads the tokens. A method for a rule of the grammar gives nothing when it could not make sense of what it found;
/// it has complained then, and whoever can goes on behind the mistake.
struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    pragmas: Vec<usize>,
    at: usize,
    /// How deep the rules are nested now.
    depth: usize,
    /// How high the tree of the expression is that was read last.
    height: usize,
    /// What waits for its END, from the outermost on.
    open: Vec<Open>,
    /// Sections that were found among the statements of the unit.
    late: Vec<Section>,
    /// The token that the last complaint was about: one is enough.
    complained: Option<usize>,
    mistakes: usize,
    problems: Problems,
}

/// What waits for its END.
struct Open {
    key: &'static str,
    start: usize,
    /// It has an ELSE and an IF on one line, which is often meant to be ELSIF.
    else_if: bool,
}

/// Whether `key` belongs to something that was opened with `opened`.
fn closes(key: &str, opened: &str) -> bool {
    match key {
        "ELSE" => matches!(opened, "IF" | "CASE"),
        "ELSIF" => opened == "IF",
        "UNTIL" => opened == "REPEAT",
        _ => key.strip_prefix("END_") == Some(opened),
    }
}

impl Parser<'_> {
    fn peek(&self, n: usize) -> Kind {
        self.tokens.get(self.at + n).map_or(Kind::End, |token| token.kind)
    }

    fn kind(&self) -> Kind {
        self.peek(0)
    }

    /// Whether the next token is this keyword or sign.
    fn is(&self, what: &str) -> bool {
        self.is_at(0, what)
    }

    fn is_at(&self, n: usize, what: &str) -> bool {
        matches!(self.peek(n), Kind::Key(text) | Kind::Sign(text) if text == what)
    }

    fn span_at(&self, n: usize) -> Span {
        let end = self.text.len();
        self.tokens.get(self.at + n).map_or(end..end, |token| token.span.clone())
    }

    fn span(&self) -> Span {
        self.span_at(0)
    }

    /// Where the token before this one ends.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end)
    }

    fn slice(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The text of the `n`-th token from here.
    fn word(&self, n: usize) -> &str {
        self.slice(&self.span_at(n))
    }

    /// Goes on to the next token; gives where this one was.
    fn next(&mut self) -> Span {
        let span = self.span();
        self.at = (self.at + 1).min(self.tokens.len().saturating_sub(1));
        span
    }

    fn takes(&mut self, what: &str) -> bool {
        let there = self.is(what);
        if there {
            self.next();
        }
        there
    }

    /// Takes what has to stand here.
    fn expect(&mut self, what: &str) -> Option<Span> {
        if self.is(what) { Some(self.next()) } else { self.expected(&format!("`{what}`")) }
    }

    /// A name that is declared or used here.
    fn name(&mut self, what: &str) -> Option<Name> {
        let (span, text) = (self.span(), self.word(0).to_owned());
        let key = text.to_ascii_uppercase();
        match self.kind() {
            Kind::Word if Elementary::of(&key).is_some() || key == "WSTRING" => {
                let hint = if self.peek(1) == Kind::Word {
                    format!("the type stands behind the name: {} : {key};", self.word(1))
                } else if self.is_at(1, "(") {
                    format!("a conversion names both types, such as DINT_TO_{key}")
                } else if self.is_at(1, "#") {
                    format!("a value stands right behind the type: {key}#5")
                } else {
                    format!("call it {text}_1, for example")
                };
                let problem = Problem::new("", format!("`{text}` is a type and cannot be a name"));
                self.complain(problem.at(span.clone()).hint(hint));
                if self.peek(1) == Kind::Word {
                    return None;
                }
            }
            Kind::Word => {}
            Kind::Key(_) if self.is_name_by_place() => {
                let problem = Problem::new("", format!("`{text}` is a keyword and cannot be a name"));
                self.complain(problem.at(span.clone()).hint(format!("call it {text}_1, for example")));
            }
            _ => return self.expected(what),
        }
        self.next();
        Some(Name { text: text.into(), key: key.into(), span })
    }

    /// Whether what is next would be taken for a name if it were no keyword.
    fn is_name_by_place(&self) -> bool {
        const BEHIND_NAMES: &[&str] = &[":", ",", "AT", ":=", "=>", ")", ";", ".", "["];
        BEHIND_NAMES.iter().any(|sign| self.is_at(1, sign))
    }

    /// Reads something that may hold itself.
    fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= DEEPEST {
            let problem = Problem::new("", format!("more than {DEEPEST} levels stand inside each other here"));
            self.complain_once(problem.at(self.span()).hint("take the inner ones out, as a FUNCTION or a variable"));
            return None;
        }
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        parse(text).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_text_is_at_most_a_mebibyte() {
        let text = format!("PROGRAM p END_PROGRAM{}", " ".repeat(LONGEST));
        assert_eq!(told(&text), ["the text is longer than 1048576 bytes (a program is at most that long)"]);
        assert!(told(&text[..LONGEST]).is_empty());
    }

    #[test]
    fn no_more_than_fifty_mistakes_are_told() {
        let text = format!("PROGRAM p\n{}END_PROGRAM", "a := ;\n".repeat(1000));
        assert_eq!(told(&text).len(), MOST);
    }

    #[test]
    fn a_message_is_no_longer_than_can_be_read() {
        let digits = "9".repeat(100_000);
        for text in [&digits, &format!("'{}€'", digits), &format!("a.b({digits}a)"), &format!("INT#{digits}x")] {
            let told = told(&format!("PROGRAM p {text}; END_PROGRAM"));
            assert!(told.iter().all(|told| (5..500).contains(&told.len())) && !told.is_empty(), "{told:?}");
        }
    }

    #[test]
    fn names_may_not_be_keywords_or_types() {
        assert_eq!(
            told("PROGRAM p VAR for : INT; dt, x : REAL; INT y; END_VAR END_PROGRAM"),
            [
                "`for` is a keyword and cannot be a name (call it for_1, for example)",
                "`dt` is a type and cannot be a name (call it dt_1, for example)",
                "`INT` is a type and cannot be a name (the type stands behind the name: y : INT;)",
            ]
        );
    }

    #[test]
    fn no_prefix_and_no_noise_is_a_panic() {
        let text = include_str!("../../tests/programs/boiler_house.st");
        for end in (0..text.len()).step_by(97) {
            parse(&String::from_utf8_lossy(&text.as_bytes()[..end]));
            parse(&String::from_utf8_lossy(&text.as_bytes()[end..]));
        }
    }
}
