//! Statements, and the lists that they stand in. Apart from those that hold lists themselves.

use super::{
    Parser, closes,
    keyword::{SECTIONS, STARTERS, UNITS, ends_statements, is_instruction, unsupported_inside},
    lexer::Kind,
};
use crate::syntax::{Expression, ExpressionKind, Statement, StatementKind};
use honeyplant_core::settings::Problem;

impl Parser<'_> {
    /// Statements up to what ends them; in a CASE, also up to its next label.
    pub(super) fn block(&mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        loop {
            let start = self.at;
            match self.kind() {
                Kind::End => return statements,
                Kind::Sign(";") => {
                    self.next();
                }
                Kind::Key(key) if SECTIONS.contains(&key) => {
                    if self.late.is_empty() {
                        let problem = Problem::new("", format!("{key} stands behind a statement")).at(self.span());
                        self.complain(problem.hint("all variables are declared before the first statement"));
                    }
                    let section = self.section();
                    self.late.push(section);
                }
                Kind::Key(key) if ends_statements(key) => {
                    if UNITS.contains(&key) || key == "TYPE" || self.ends_here(key) {
                        return statements;
                    }
                    self.stray_end(key, &mut statements);
                }
                _ if self.open.iter().any(|open| open.key == "CASE") && self.is_label() => return statements,
                Kind::Word
                    if self.peek(1) == Kind::Word
                        && let Some(unsupported) = unsupported_inside(self.word(0)) =>
                {
                    if !self.skips(unsupported) {
                        self.recover(start);
                    }
                }
                Kind::Word if self.amends_statement() => {}
                _ => match self.nested(Self::statement) {
                    Some(statement) => statements.push(statement),
                    None => self.recover(start),
                },
            }
        }
    }

    /// Whether `key`, an END or another arm, is for one of those who wait for it; a wrong END is for the innermost unless
    /// that has its own.
    fn ends_here(&self, key: &str) -> bool {
        let Some(innermost) = self.open.last() else { return true };
        let of = key.strip_prefix("END_").unwrap_or_default();
        if closes(key, innermost.key) || UNITS.contains(&of) {
            return true;
        }
        let meant = self.closes_any(key) || STARTERS.contains(&of) && !UNITS.contains(&innermost.key);
        meant && !self.is_closed_later()
    }

    /// Tells that `key` is an END or an arm of nothing, and reads what follows as far as it is right.
    fn stray_end(&mut self, key: &str, statements: &mut Vec<Statement>) {
        let inside = self.open.last().filter(|_| self.closes_any(key)).map(|open| (open.key, open.start));
        let problem = match inside {
            Some((of, start)) => {
                let problem = Problem::new("", format!("`{key}` stands inside the {of} of line {}", self.line(start)));
                problem.hint(format!("`END_{of}` comes first"))
            }
            None => Problem::new("", format!("`{key}` belongs to nothing that is open")).hint(opener(key)),
        };
        let at = self.at;
        self.complain(problem.at(self.span()));
        match (key, self.tokens.get_mut(at)) {
            ("ELSIF", Some(token)) => token.kind = Kind::Key("IF"),
            ("ELSE", _) => {
                self.next();
                self.open("IF");
                statements.append(&mut self.block());
                self.open.pop();
                let _ended = self.takes("END_IF") || self.takes("END_CASE");
            }
            _ => {
                self.next();
            }
        }
    }

    /// Reads a misspelt keyword as what was meant; false if what is next is a statement as it is.
    fn amends_statement(&mut self) -> bool {
        const ENDS: [&str; 8] = [
            "END_IF",
            "END_CASE",
            "END_FOR",
            "END_WHILE",
            "END_REPEAT",
            "END_PROGRAM",
            "END_FUNCTION",
            "END_FUNCTION_BLOCK",
        ];
        if is_instruction(self.word(0)) {
            return false;
        }
        let others = match self.lacks() {
            Some("IF") => ["IF", "ELSIF", "IF"],
            Some(key) => [key; 3],
            None if self.is_at(1, ";") || self.peek(1) == Kind::End => ["EXIT", "CONTINUE", "RETURN"],
            None => ["REPEAT", "UNTIL", "ELSE"],
        };
        self.amend(&[&others[..], &ENDS].concat())
    }

    /// One statement (§7.3.3, table 72) with its semicolon.
    fn statement(&mut self) -> Option<Statement> {
        let start = self.span().start;
        let key = match self.kind() {
            Kind::Key(key) if STARTERS.contains(&key) => key,
            _ => match self.lacks() {
                Some(key) => {
                    self.supply(key);
                    key
                }
                None => "",
            },
        };
        let kind = match key {
            "IF" => self.selection(),
            "CASE" => self.case(),
            "FOR" => self.count(),
            "WHILE" => self.repeat_while(),
            "REPEAT" => self.repeat_until(),
            "" => self.simple()?,
            _ => {
                self.next();
                match key {
                    "EXIT" => StatementKind::Exit,
                    "CONTINUE" => StatementKind::Continue,
                    _ => StatementKind::Return,
                }
            }
        };
        let end = self.end();
        if !self.takes(";") {
            let goes_on = key.is_empty() && !self.is_first_on_line(0);
            if goes_on && !matches!(self.kind(), Kind::Key(_) | Kind::End) {
                return self.expected("an operator or `;`");
            }
            self.missing(";", None);
        }
        Some(Statement { kind, span: start..end })
    }

    /// An assignment or a call.
    fn simple(&mut self) -> Option<StatementKind> {
        if !matches!(self.kind(), Kind::Word | Kind::Address | Kind::Key("AND" | "OR" | "XOR" | "MOD")) {
            return self.expected("a statement");
        }
        let target = self.postfix()?;
        if self.is("=") {
            let problem = Problem::new("", "`=` compares; an assignment is written `:=`").at(self.span());
            self.complain(problem.hint("write `:=`"));
            self.next();
        } else if !self.takes(":=") {
            if matches!(target.kind, ExpressionKind::Call { .. }) {
                return Some(StatementKind::Call(target));
            }
            return self.no_statement(&target);
        }
        Some(StatementKind::Assign { target, value: self.expression()? })
    }

    /// Tells why a variable alone is no statement.
    fn no_statement<T>(&mut self, target: &Expression) -> Option<T> {
        let text = self.slice(&target.span).to_owned();
        let (message, hint) = match self.kind() {
            Kind::Sign(sign @ ("+" | "-" | "*" | "/")) if self.is_at(1, "=") || self.is_at(1, sign) => {
                let operator = if self.is_at(1, "=") { format!("{sign}=") } else { format!("{sign}{sign}") };
                (format!("`{operator}` is no operator"), format!("write `{text} := {text} {sign} …`"))
            }
            Kind::Sign("**") if self.is_at(1, "=") => {
                ("`**=` is no operator".into(), format!("write `{text} := {text} ** …`"))
            }
            Kind::Sign(":") => ("jump labels are not supported".into(), "write IF, CASE or a loop".to_owned()),
            _ if is_instruction(&text) && self.kind() != Kind::Sign(";") => {
                ("Instruction List is not supported".into(), "write it as Structured Text".to_owned())
            }
            Kind::Sign(";") => {
                (format!("`{text}` alone is no statement"), format!("an instance is called with brackets: {text}();"))
            }
            _ => (format!("expected `:=`, found {}", self.found()), "a statement assigns or calls something".into()),
        };
        let problem = Problem::new("", message).at(self.span()).hint(hint);
        if self.is(":") {
            self.complain_once(problem);
        } else {
            self.complain(problem);
        }
        None
    }
}

/// What to do about an END or ELSE without its beginning.
fn opener(key: &str) -> String {
    match key {
        "ELSE" => "ELSE belongs to an IF or a CASE".into(),
        "ELSIF" => "ELSIF belongs to an IF, before its ELSE".into(),
        "UNTIL" => "UNTIL belongs to a REPEAT".into(),
        _ => format!("there is no {} before it", key.trim_start_matches("END_")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::{body, told};

    fn wrong(statements: &str) -> Vec<(String, String)> {
        told(&format!("PROGRAM p\n{statements}\nEND_PROGRAM"))
    }

    #[test]
    fn statements_assign_and_call() {
        for (text, tree) in [
            ("a := 1;", "(:= a 1)"),
            ("a[1].b := c;", "(:= a[1].b c)"),
            ("w.3 := TRUE; w.%B1 := 5;", "(:= w.Bit3 TRUE) (:= w.Byte1 5)"),
            ("%qw2 := 5;", "(:= %QW2 5)"),
            ("t(IN := a); t[2].u(); f(1, 2);", "t(IN:=a) t[2].u() f(1 2)"),
            ("EXIT; CONTINUE; RETURN;", "EXIT CONTINUE RETURN"),
            (";;a := 1;;", "(:= a 1)"),
            ("", ""),
        ] {
            assert_eq!(body(text), tree, "{text}");
        }
    }

    #[test]
    fn what_is_no_statement_is_told_where_it_stands() {
        const LOOP: &str = "(write IF, CASE or a loop)";
        for (text, at, message) in [
            ("a = 1;", "=", "`=` compares; an assignment is written `:=` (write `:=`)".to_owned()),
            ("a := 1\nb := 2;", "", "expected `;` after `1`".into()),
            ("a := 1 IF b THEN c := 2; END_IF;", "", "expected `;` after `1`".into()),
            ("a := 1 2;", "2", "expected an operator or `;`, found `2`".into()),
            ("f(1)\nb := 2;", "", "expected `;` after `)`".into()),
            ("EXIT a := 1;", "", "expected `;` after `EXIT`".into()),
            ("a;", ";", "`a` alone is no statement (an instance is called with brackets: a();)".into()),
            ("a b;", "b", "expected `:=`, found `b` (a statement assigns or calls something)".into()),
            ("a += 1;", "+", "`+=` is no operator (write `a := a + …`)".into()),
            ("a.b--;", "-", "`--` is no operator (write `a.b := a.b - …`)".into()),
            ("5 := a;", "5", "expected a statement, found `5`".into()),
            ("(a) := 1;", "(", "expected a statement, found `(`".into()),
            ("label: a := 1;", ":", format!("jump labels are not supported {LOOP}")),
            ("GOTO label;", "GOTO", format!("GOTO is not supported {LOOP}")),
            ("JMP label;", "JMP", format!("JMP is not supported {LOOP}")),
            ("LD a\nAND b\nST c", "a", "Instruction List is not supported (write it as Structured Text)".into()),
            (
                "a := 1; VAR x : INT; END_VAR",
                "VAR",
                "VAR stands behind a statement (all variables are declared before the first statement)".into(),
            ),
            ("EXITT;", "EXITT", "`EXITT` is not a keyword (did you mean `EXIT`?)".into()),
            ("RETRUN;", "RETRUN", "`RETRUN` is not a keyword (did you mean `RETURN`?)".into()),
            ("END_VAR", "END_VAR", "`END_VAR` belongs to nothing that is open (there is no VAR before it)".into()),
            ("a := 1; THEN", "THEN", "expected a statement, found `THEN`".into()),
        ] {
            assert_eq!(wrong(text), [(at.to_owned(), message)], "{text}");
        }
    }

    #[test]
    fn a_chart_is_refused_in_one_word_each() {
        let chart = "INITIAL_STEP s: END_STEP\nTRANSITION FROM s TO t := a; END_TRANSITION\nSTEP t: x(N); END_STEP\nSTEP u: END_STEP b := 1;";
        let told: Vec<String> = wrong(chart).into_iter().map(|(at, _)| at).collect();
        assert_eq!(told, ["INITIAL_STEP", "TRANSITION", "STEP"]);
    }
}
