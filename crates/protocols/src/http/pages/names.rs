//! The names that a template uses. Apart from rendering, because an operator is told of each that does not exist, with its
//! line, before any page is shown.

use super::scope::GLOBALS;
use std::collections::BTreeSet;

/// What of the device a page shows, and so when it must be rendered again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Its memory.
    pub(super) plant: bool,
    /// Its clock, its mode, or anything else that goes with time.
    pub(super) clock: bool,
    /// Its diagnostic buffer.
    pub(super) notes: bool,
    /// Its files.
    pub(super) files: bool,
    /// What was asked.
    pub(super) request: bool,
    /// Who asked.
    pub(super) user: bool,
}

impl Usage {
    /// What either shows.
    pub(super) const fn with(self, other: Self) -> Self {
        Self {
            plant: self.plant | other.plant,
            clock: self.clock | other.clock,
            notes: self.notes | other.notes,
            files: self.files | other.files,
            request: self.request | other.request,
            user: self.user | other.user,
        }
    }
}

/// A name that must exist, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name<'s> {
    Tag(&'s str),
    Identity(&'s str),
    Address(&'s str),
    Filter(&'s str),
    Test(&'s str),
    /// Another template.
    Include(&'s str),
}

/// What stands in a template, as far as it has names.
#[derive(Debug, Default)]
pub(super) struct Names<'s> {
    /// Each with where it stands.
    pub(super) used: Vec<(usize, Name<'s>)>,
    /// Names that the template itself gives, and others that include it may use.
    pub(super) declared: BTreeSet<&'s str>,
    /// Names that begin an expression, each with where it stands first.
    pub(super) bare: Vec<(usize, &'s str)>,
    pub(super) usage: Usage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'s> {
    Word(&'s str),
    Text(&'s str),
    Mark(char),
}

/// Whether a text has anything of a template in it.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// The line of what stands at `at`, counted from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

impl<'s> Names<'s> {
    /// The names in the template `source`.
    pub(super) fn of(source: &'s str) -> Self {
        let mut names = Self::default();
        let (mut at, mut raw) = (0, false);
        while let Some(open) = source.get(at..).and_then(|rest| rest.find('{')).map(|open| at + open) {
            let inside = open + 2;
            let Some(kind) = source.get(open..inside) else {
                // A character of several octets follows: no block begins here.
                at = open + 1;
                continue;
            };
            at = match kind {
                "{#" => skip(source, inside, "#}"),
                "{{" | "{%" => {
                    let (tokens, end) = tokens(source, inside);
                    let first = tokens.first().map(|(_, token)| *token);
                    if kind == "{%" && first == Some(Token::Word(if raw { "endraw" } else { "raw" })) {
                        raw = !raw;
                    } else if !raw {
                        names.take(&tokens, kind == "{%");
                    }
                    end
                }
                _ => open + 1,
            };
        }
        names
    }

    fn take(&mut self, tokens: &[(usize, Token<'s>)], is_statement: bool) {
        let token = |index: usize| tokens.get(index).map(|(_, token)| *token);
        let keyword = if let (true, Some(Token::Word(word))) = (is_statement, token(0)) { word } else { "" };
        if let ("include" | "extends" | "import" | "from", Some(Token::Text(name))) = (keyword, token(1)) {
            self.used.push((tokens.get(1).map_or(0, |(at, _)| *at), Name::Include(name)));
        }
        let mut declares = matches!(keyword, "set" | "for" | "with" | "macro" | "import" | "from" | "call" | "block");
        for (index, (at, token_here)) in tokens.iter().enumerate() {
            let before = index.checked_sub(1).and_then(token);
            match token_here {
                Token::Word(_) if is_statement && index == 0 => {}
                // What stands behind `=` and `in` is used; behind a comma of `with` or `macro` the next name begins.
                Token::Mark('=') | Token::Word("in") => declares = false,
                Token::Mark(',') => declares |= matches!(keyword, "with" | "macro"),
                Token::Word(word) if declares => drop(self.declared.insert(word)),
                Token::Word(word) => match before {
                    Some(Token::Mark('.')) => {}
                    Some(Token::Mark('|')) => self.used.push((*at, Name::Filter(word))),
                    Some(Token::Word("is")) if *word != "not" => self.used.push((*at, Name::Test(word))),
                    Some(Token::Word("not")) if index >= 2 && token(index - 2) == Some(Token::Word("is")) => {
                        self.used.push((*at, Name::Test(word)));
                    }
                    Some(Token::Word("filter")) if keyword == "filter" => self.used.push((*at, Name::Filter(word))),
                    _ => self.take_bare(*at, word, [token(index + 1), token(index + 2)]),
                },
                _ => {}
            }
        }
    }

    fn take_bare(&mut self, at: usize, word: &'s str, after: [Option<Token<'s>>; 2]) {
        let (mark, named) = match after {
            [Some(Token::Mark(mark @ '.')), Some(Token::Word(name))] => (mark, Some(name)),
            [Some(Token::Mark(mark @ ('[' | '('))), Some(Token::Text(name))] => (mark, Some(name)),
            _ => (' ', None),
        };
        let usage = &mut self.usage;
        match word {
            "tags" | "tag" | "memory" | "blocks" => usage.plant = true,
            "device" => usage.clock |= named != Some("name"),
            "notes" => usage.notes = true,
            "files" => usage.files = true,
            "request" | "result" | "status" => usage.request = true,
            "user" => usage.user = true,
            _ => {}
        }
        let name = named.and_then(|name| match (word, mark) {
            ("tags", '.' | '[') | ("tag", '(') => Some(Name::Tag(name)),
            ("identity", '.' | '[') => Some(Name::Identity(name)),
            ("memory", '(') => Some(Name::Address(name)),
            _ => None,
        });
        self.used.extend(name.map(|name| (at, name)));
        if !GLOBALS.contains(&word) {
            self.bare.push((at, word));
        }
    }
}

/// Where it goes on behind `end`.
fn skip(source: &str, from: usize, end: &str) -> usize {
    source.get(from..).and_then(|rest| rest.find(end)).map_or(source.len(), |at| from + at + end.len())
}

/// The tokens of a block whose inside begins at `from`, and where the text goes on.
fn tokens(source: &str, from: usize) -> (Vec<(usize, Token<'_>)>, usize) {
    let (mut found, mut at) = (Vec::new(), from);
    while let Some(rest) = source.get(at..) {
        let Some(first) = rest.chars().next() else { break };
        if rest.starts_with("%}") || rest.starts_with("}}") {
            return (found, at + 2);
        }
        let length = match first {
            '"' | '\'' => {
                let inside = at + 1;
                let length = source.get(inside..).and_then(|text| text.find(first)).unwrap_or(rest.len() - 1);
                found.extend(source.get(inside..inside + length).map(|text| (at, Token::Text(text))));
                length + 2
            }
            _ if first.is_alphabetic() || first == '_' => {
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                found.extend(rest.get(..length).map(|word| (at, Token::Word(word))));
                length
            }
            // A number may have a point and an exponent.
            _ if first.is_ascii_digit() => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len())
            }
            _ => {
                // `==`, `<=`, `>=` and `!=` give no name.
                let compares = matches!(rest.get(..2), Some("==" | "<=" | ">=" | "!="));
                if !first.is_whitespace() && !compares {
                    found.push((at, Token::Mark(first)));
                }
                if compares { 2 } else { first.len_utf8() }
            }
        };
        at += length.max(1);
    }
    (found, source.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_with_its_place() {
        let source = "<b>{{ tags.level | fixed(2) }}</b>\n{% if tag('pump').value is not odd %}{{ identity[\"serial\"] }}\
                      {% endif %}{% include \"/head.htm\" %}{{ memory('DB1.DBW0', 'INT') }} {# tags.gone #}\
                      {% raw %}{{ tags.raw }}{% endraw %} \u{fc}{";
        let names = Names::of(source);
        let found: Vec<Name<'_>> = names.used.iter().map(|(_, name)| *name).collect();
        assert_eq!(
            found,
            [
                Name::Tag("level"),
                Name::Filter("fixed"),
                Name::Tag("pump"),
                Name::Test("odd"),
                Name::Identity("serial"),
                Name::Include("/head.htm"),
                Name::Address("DB1.DBW0"),
            ]
        );
        assert_eq!(line_of(source, names.used[2].0), 2);
        assert!(names.usage.plant && !names.usage.clock && !names.usage.request);
        assert!(names.bare.iter().all(|(_, word)| ["is", "not"].contains(word)), "{:?}", names.bare);
    }

    #[test]
    fn names_that_a_template_gives_are_not_those_that_it_needs() {
        let names = Names::of("{% set title = head %}{% for key, row in rows %}{{ key ~ other.row }}{% endfor %}");
        assert_eq!(names.declared.into_iter().collect::<Vec<_>>(), ["key", "row", "title"]);
        let bare: Vec<&str> = names.bare.iter().map(|(_, name)| *name).collect();
        assert_eq!(bare, ["head", "rows", "key", "other"]);
    }

    #[test]
    fn what_does_not_end_is_read_to_the_end() {
        for source in ["{{ tags.", "{% set", "{# no end", "{{ 'no end", "{", "{\u{e4}"] {
            let _ = Names::of(source);
        }
    }
}
