//! How the parser complains, and how it goes on behind a mistake. Apart, because all rules of the grammar do both the same
//! way, so that each mistake is told once and the next one is found.

use super::{
    MOST, Open, Parser, closes,
    keyword::{SECTIONS, STARTERS, UNITS, Unsupported, ends_statements, keyword},
    lexer::Kind,
};
use crate::Span;
use honeyplant_core::settings::{Problem, nearest};

impl Parser<'_> {
    /// Tells a mistake, unless it is one that only comes of the last one.
    pub(super) fn complain(&mut self, problem: Problem) {
        let broken = |at: Option<usize>| at.and_then(|at| self.tokens.get(at)).is_some_and(|token| token.broken);
        if self.mistakes >= MOST {
            return;
        }
        self.mistakes += 1;
        if self.complained != Some(self.at) && !broken(Some(self.at)) && !broken(self.at.checked_sub(1)) {
            self.problems.push(problem);
        }
        self.complained = Some(self.at);
        if self.mistakes >= MOST {
            self.at = self.tokens.len().saturating_sub(1);
        }
    }

    /// Tells a mistake that is not worth telling twice.
    pub(super) fn complain_once(&mut self, problem: Problem) {
        if self.problems.iter().any(|known| known.message == problem.message) {
            self.complained = Some(self.at);
        }
        self.complain(problem);
    }

    /// Tells that `what` was expected where something else stands.
    pub(super) fn expected<T>(&mut self, what: &str) -> Option<T> {
        let mut problem = Problem::new("", format!("expected {what}, found {}", self.found())).at(self.span());
        if self.pragmas.iter().any(|pragma| (self.end()..self.span().start).contains(pragma)) {
            problem = problem.hint("what stands between braces is a pragma and is skipped");
        }
        self.complain(problem);
        None
    }

    /// Tells that `what` is missing behind the last token.
    pub(super) fn missing(&mut self, what: &str, hint: Option<String>) {
        let end = self.end();
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|token| token.span.clone());
        let behind = shown(self.slice(&last.unwrap_or_default()));
        let problem = Problem::new("", format!("expected `{what}` after {behind}")).at(end..end);
        let braces = self.pragmas.iter().any(|pragma| (end..self.span().start).contains(pragma));
        let braces = braces.then(|| "what stands between braces is a pragma and is skipped".to_owned());
        self.complain(Problem { hint: hint.or(braces), ..problem });
    }

    /// What stands here, for a message.
    pub(super) fn found(&self) -> String {
        if self.kind() == Kind::End { "the end of the text".into() } else { shown(self.word(0)) }
    }

    /// The line of the text that a byte is on, counted from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.slice(&(0..at)).matches('\n').count()
    }

    /// Whether the `n`-th token from here is the first on its line.
    pub(super) fn is_first_on_line(&self, n: usize) -> bool {
        let before = (self.at + n).checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end);
        self.slice(&(before..self.span_at(n).start)).contains('\n')
    }

    pub(super) fn is_section(&self) -> bool {
        matches!(self.kind(), Kind::Key(key) if SECTIONS.contains(&key))
    }

    /// The `n` of the token from here that is this keyword, sign or word, if there is one.
    fn find(&self, what: &str) -> Option<usize> {
        let rest = self.tokens.len().saturating_sub(self.at);
        (0..rest).find(|n| self.is_at(*n, what) || self.word(*n).eq_ignore_ascii_case(what))
    }

    /// Tells that something is not supported and goes on behind its end; false if it has none.
    pub(super) fn skips(&mut self, unsupported: &Unsupported) -> bool {
        self.complain_once(unsupported.problem().at(self.span()));
        let end = self.find(unsupported.end.unwrap_or(";"));
        if let Some(n) = end {
            self.at += n;
        }
        self.next();
        end.is_some()
    }

    pub(super) fn is_unit(&self) -> bool {
        matches!(self.kind(), Kind::Key(key) if UNITS.contains(&key))
    }

    /// Goes on behind the statement or declaration that began at token `start`: behind its semicolon, or before what looks
    /// like the next one.
    pub(super) fn recover(&mut self, start: usize) {
        // Whether each open bracket holds names and values, over as many lines as it likes.
        let mut brackets = Vec::new();
        let end = std::mem::replace(&mut self.at, start);
        while self.at < end {
            self.count_bracket(&mut brackets);
            self.next();
        }
        while self.kind() != Kind::End && !self.takes(";") {
            let first = self.is_first_on_line(0);
            let stop = match self.kind() {
                Kind::Key(key) if key.starts_with("END_") => true,
                Kind::Key(key) => first && (ends_statements(key) || STARTERS.contains(&key) || SECTIONS.contains(&key)),
                Kind::Word => {
                    first && !brackets.contains(&true) && [":=", ":", "("].iter().any(|sign| self.is_at(1, sign))
                }
                _ => false,
            };
            if stop && self.at > start {
                return;
            }
            self.count_bracket(&mut brackets);
            self.next();
        }
    }

    fn count_bracket(&self, brackets: &mut Vec<bool>) {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|token| token.kind);
        let called = matches!(before, Some(Kind::Word | Kind::Sign("]")));
        match self.kind() {
            Kind::Sign("(") => brackets.push(called || self.is_at(2, ":=")),
            Kind::Sign("[") => brackets.push(false),
            Kind::Sign(")" | "]") => {
                brackets.pop();
            }
            _ => {}
        }
    }

    /// Goes on behind `word`, which belongs to a statement that could not be read up to there.
    pub(super) fn skip_to(&mut self, word: &str) {
        while !self.takes(word) && !self.is_beyond(word, 0) {
            self.next();
        }
    }

    /// Whether `word` cannot belong to this statement any more if it stands at the `n`-th token from here or later.
    pub(super) fn is_beyond(&self, word: &str, n: usize) -> bool {
        match self.peek(n) {
            Kind::End | Kind::Sign(";") => true,
            Kind::Key(key) if key == word => false,
            Kind::Key(key) => ends_statements(key) || STARTERS.contains(&key) || SECTIONS.contains(&key),
            Kind::Word => self.is_first_on_line(n) && self.is_at(n + 1, ":="),
            _ => false,
        }
    }

    /// Takes THEN, DO or OF; goes on without it if it is not there.
    pub(super) fn connective(&mut self, word: &'static str) {
        if self.takes(word) {
            return;
        }
        let (span, found) = (self.span(), self.word(0).to_owned());
        match self.kind() {
            Kind::Key(other @ ("THEN" | "DO" | "OF")) => {
                let problem = Problem::new("", format!("expected `{word}`, found `{other}`"));
                self.complain(problem.at(span).hint(format!("here `{word}` belongs to it")));
                self.next();
                return;
            }
            Kind::Word if !self.begins_statement() && meant(&found, &[word]).is_some() => {
                let problem = Problem::new("", format!("expected `{word}`, found `{found}`"));
                self.complain(problem.at(span).hint(format!("did you mean `{word}`?")));
                self.next();
                return;
            }
            _ => {}
        }
        let near = (0..).find(|n| self.is_at(*n, word) || self.is_beyond(word, *n)).unwrap_or_default();
        if self.is_at(near, word) {
            self.expected::<()>(&format!("an operator or `{word}`"));
            self.skip_to(word);
        } else {
            self.missing(word, None);
        }
    }

    /// Whether the word that is next can be the first of a statement.
    pub(super) fn begins_statement(&self) -> bool {
        [":=", "(", ".", "[", "=", "#", "^"].iter().any(|sign| self.is_at(1, sign))
    }

    /// Takes what is next for the one of `keys` that it was most likely meant to be, and says so: `ENDIF`, `END IF`, `WHLE`.
    pub(super) fn amend(&mut self, keys: &[&'static str]) -> bool {
        if self.kind() != Kind::Word || self.begins_statement() {
            return false;
        }
        let (word, span) = (self.word(0).to_owned(), self.span());
        let is_end = word.eq_ignore_ascii_case("END");
        let parted = match self.peek(1) {
            Kind::Key(key) if is_end => keyword(&format!("END_{key}")),
            _ => None,
        };
        let bare = self.open.last().filter(|_| is_end).and_then(|open| keyword(&format!("END_{}", open.key)));
        let meant = parted.or(bare).filter(|key| keys.contains(key)).or_else(|| {
            // Short words are near to too many others.
            meant(&word, keys).filter(|key| {
                key.len() > 3
                    || word.len() > 3
                    || word.get(..key.len()).is_some_and(|start| start.eq_ignore_ascii_case(key))
            })
        });
        let Some(meant) = meant else { return false };
        let at = self.at + usize::from(parted == Some(meant));
        // Before the complaint, which may be the last one and end everything.
        if let Some(token) = self.tokens.get_mut(at) {
            token.kind = Kind::Key(meant);
        }
        if parted == Some(meant) {
            let both = span.start..self.span_at(1).end;
            let problem = Problem::new("", format!("`{}` is not a keyword", self.slice(&both))).at(both);
            self.complain(problem.hint(format!("write `{meant}`")));
            self.next();
        } else {
            let problem = Problem::new("", format!("`{word}` is not a keyword")).at(span);
            self.complain(problem.hint(format!("did you mean `{meant}`?")));
        }
        true
    }

    /// Takes the keyword that opens something which has to be closed, if it was not forgotten.
    pub(super) fn open(&mut self, key: &'static str) -> Span {
        let span = self.span();
        self.open.push(Open { key, start: span.start, else_if: false });
        self.takes(key);
        span
    }

    /// Whether what was opened last has its END further on.
    pub(super) fn is_closed_later(&self) -> bool {
        let Some(open) = self.open.last() else { return false };
        let mut depth = 0_usize;
        for n in 1.. {
            match self.peek(n) {
                Kind::End => return false,
                Kind::Key("IF" | "CASE" | "FOR" | "WHILE" | "REPEAT") => depth += 1,
                Kind::Key(key) if !key.starts_with("END_") => {}
                Kind::Key(key) if depth == 0 => return closes(key, open.key),
                Kind::Key(_) => depth -= 1,
                _ => {}
            }
        }
        false
    }

    /// The keyword that a statement lacks which goes on with THEN, DO or OF.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        let mut counts = false;
        for n in 1.. {
            match self.peek(n) {
                Kind::Key("ARRAY") | Kind::Sign(":") => break,
                Kind::Key("THEN") => return Some("IF"),
                Kind::Key("TO") => counts = true,
                Kind::Key("DO") if counts => return Some("FOR"),
                Kind::Key("DO") => return Some("WHILE"),
                Kind::Key("OF") => return Some("CASE"),
                _ if self.is_beyond("THEN", n) => break,
                _ => {}
            }
        }
        None
    }

    /// Tells that `key` is missing here; passes over a word that is meant to be it.
    pub(super) fn supply(&mut self, key: &'static str) {
        let (span, word) = (self.span(), self.word(0).to_owned());
        if self.kind() == Kind::Word && meant(&word, &[key]).is_some() {
            let problem = Problem::new("", format!("`{word}` is not a keyword")).at(span);
            self.complain(problem.hint(format!("did you mean `{key}`?")));
            self.next();
        } else {
            let problem = Problem::new("", format!("expected `{key}` before {}", self.found())).at(span);
            self.complain(problem);
        }
    }

    /// Whether `key` belongs to something that is open.
    pub(super) fn closes_any(&self, key: &str) -> bool {
        self.open.iter().any(|open| closes(key, open.key))
    }

    /// Takes the END of what was opened last; gives where it ends.
    pub(super) fn close(&mut self, end: &'static str) -> usize {
        let open = self.open.pop();
        if self.takes(end) {
            return self.end();
        }
        let hint = open.as_ref().map(|open| {
            let line = self.line(open.start);
            if open.else_if {
                format!("the {} of line {line} is still open; `ELSE IF` opens another IF, `ELSIF` does not", open.key)
            } else {
                format!("the {} of line {line} is still open", open.key)
            }
        });
        let problem = Problem::new("", format!("expected `{end}`, found {}", self.found())).at(self.span());
        self.complain(Problem { hint, ..problem });
        // An END that nothing else waits for was meant to be this one.
        if matches!(self.kind(), Kind::Key(key) if key.starts_with("END_") && !self.closes_any(key)) {
            self.next();
        }
        self.end()
    }
}

/// The one of `keys` that a word is most likely meant to be.
fn meant(word: &str, keys: &[&'static str]) -> Option<&'static str> {
    // No keyword is half as long, and a comparison takes its time.
    if word.len() > 40 { None } else { nearest(word, keys) }
}

/// A piece of the text in a message.
fn shown(text: &str) -> String {
    if text.chars().count() > 30 { format!("`{text:.29}…`") } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::super::outline::told;
    use super::super::parse;

    #[test]
    fn ten_mistakes_are_told_in_ten_messages() {
        let text = "\
FUNCTION_BLOCK b
VAR_INPUT x INT; y : INT = 5; END_VAR
  x := (1 + 2;
  IF x == 1 THEN y := 2; ENDIF;
END_FUNCTION_BLOCK
PROGRAM p
VAR a : ARRAY [5] OF INT; t : TIME := T#5x; END_VAR
  a[1] = 5;
  FOR i := 1 TO 10
    a[i := 0;
  END_FOR;
  WHILE TRUE THEN EXIT; END_WHILE;
END_PROGRAM
";
        let lines: Vec<usize> = parse(text)
            .1
            .iter()
            .map(|problem| text[..problem.span.as_ref().unwrap().start].matches('\n').count() + 1)
            .collect();
        assert_eq!(lines, [2, 2, 3, 4, 4, 7, 7, 8, 9, 10, 12]);
    }

    #[test]
    fn what_follows_a_mistake_is_still_read() {
        for text in [
            "a := ; b := 1;",
            "a := (1 + \nb := 1;",
            "a b c d\nb := 1;",
            ") ] : b; b := 1;",
            "IF a THEN c := ) END_IF; b := 1;",
            "s := 'never closed;\nb := 1;",
            "s := \"wide\";\nb := 1;",
        ] {
            let (source, problems) = parse(&format!("PROGRAM p\n{text}\nEND_PROGRAM"));
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            let last = source.units[0].body.last().map(|statement| statement.span.clone());
            assert_eq!(last, Some(10 + text.len() - 7..10 + text.len() - 1), "{text}");
        }
    }

    #[test]
    fn an_argument_on_a_line_of_its_own_is_no_statement() {
        let wrong = told("PROGRAM p\nt(IN := a\nPT := b,\nQ => c);\nEND_PROGRAM");
        assert_eq!(wrong, [("PT".to_owned(), "expected an operator, `,` or `)`, found `PT`".to_owned())]);
    }

    #[test]
    fn a_misspelt_word_of_a_long_program_is_one_mistake() {
        let text = include_str!("../../tests/programs/boiler_house.st");
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = text.match_indices(|c: char| c.is_ascii_uppercase()).map(|(at, _)| at);
        let begins = begins.filter(|at| *at > 600 && !text[..*at].ends_with(is_word));
        for start in begins.step_by(5) {
            let length = text[start..].find(|c| !is_word(c)).unwrap();
            if length > 3 {
                let misspelt = format!("{}{}", &text[..start + 1], &text[start + 2..]);
                let problems = parse(&misspelt).1;
                assert!(problems.len() <= 1, "{}: {problems:#?}", &text[start..start + length]);
            }
        }
    }

    #[test]
    fn what_a_comment_swallows_is_not_missed() {
        assert_eq!(told("PROGRAM p IF a THEN b := 1; (* END_IF; END_PROGRAM").len(), 1);
        assert_eq!(told("PROGRAM p VAR a : (* INT; END_VAR END_PROGRAM").len(), 1);
    }

    #[test]
    fn long_nonsense_takes_no_longer_than_long_sense() {
        for piece in [
            "IF ",
            "CASE a OF ",
            "CLASS ",
            "a ",
            "(",
            "VAR ",
            "a := 1 ",
            "1: ",
            "f(",
            "TYPE ",
            "STRUCT ",
            "{",
            "(*",
            "''",
            "x : ",
            "END_IF ",
            "ELSE ",
        ] {
            for before in ["", "PROGRAM p\n", "PROGRAM p CASE a OF "] {
                let text = format!("{before}{}", piece.repeat(30_000 / piece.len()));
                assert!(!parse(&text).1.is_empty(), "{piece}");
            }
        }
    }
}
