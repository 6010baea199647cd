//! FOR, WHILE and REPEAT. Apart, because each has one list of statements between its head and its end.

use super::{Parser, expression::made_up};
use crate::syntax::{Expression, Literal, StatementKind};
use honeyplant_core::settings::Problem;

/// What stands between FOR and DO: counter, first value, last value, step.
type Head = (Expression, Expression, Expression, Option<Expression>);

impl Parser<'_> {
    /// FOR … END_FOR.
    pub(super) fn count(&mut self) -> StatementKind {
        let start = self.open("FOR");
        let head = self.count_head();
        if head.is_some() {
            self.connective("DO");
        } else {
            self.skip_to("DO");
        }
        let body = self.block();
        self.close("END_FOR");
        match head {
            Some((counter, from, to, by)) => StatementKind::For { counter, from, to, by, body },
            // What is in a loop stays in one: EXIT is not wrong there.
            None => StatementKind::While { condition: made_up(Literal::Bool(false), start), body },
        }
    }

    fn count_head(&mut self) -> Option<Head> {
        let counter = self.postfix()?;
        if self.is("=") {
            let problem = Problem::new("", "`=` compares; FOR assigns with `:=`").at(self.span());
            self.complain(problem.hint("write FOR i := 1 TO 10 DO"));
            self.next();
        } else if !self.takes(":=") {
            let problem = Problem::new("", format!("expected `:=`, found {}", self.found())).at(self.span());
            self.complain(problem.hint("write FOR i := 1 TO 10 DO"));
            return None;
        }
        let from = self.expression()?;
        if !self.takes("TO") {
            let problem = Problem::new("", format!("expected an operator or `TO`, found {}", self.found()));
            self.complain(problem.at(self.span()).hint("write FOR i := 1 TO 10 DO"));
            return None;
        }
        let to = self.expression()?;
        let by = if self.takes("BY") { Some(self.expression()?) } else { None };
        Some((counter, from, to, by))
    }

    /// WHILE … END_WHILE.
    pub(super) fn repeat_while(&mut self) -> StatementKind {
        self.open("WHILE");
        let condition = self.head("DO", Literal::Bool(false));
        let body = self.block();
        self.close("END_WHILE");
        StatementKind::While { condition, body }
    }

    /// REPEAT … UNTIL … END_REPEAT.
    pub(super) fn repeat_until(&mut self) -> StatementKind {
        let start = self.open("REPEAT");
        let body = self.block();
        let mut until = None;
        if self.takes("UNTIL") {
            until = self.expression();
            if until.is_none() {
                while !self.is("END_REPEAT") && !self.is_beyond("END_REPEAT", 0) {
                    self.next();
                }
            }
            // Written by many, though the grammar has none here.
            self.takes(";");
        } else {
            let problem = Problem::new("", format!("expected `UNTIL`, found {}", self.found())).at(self.span());
            let line = self.line(start.start);
            self.complain(problem.hint(format!("the REPEAT of line {line} needs a condition to end: UNTIL a > b")));
        }
        self.close("END_REPEAT");
        StatementKind::Repeat { body, until: until.unwrap_or_else(|| made_up(Literal::Bool(true), start)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::{body, told};

    fn wrong(statements: &str) -> Vec<(String, String)> {
        told(&format!("PROGRAM p\n{statements}\nEND_PROGRAM"))
    }

    #[test]
    fn loops_have_heads_and_bodies() {
        for (text, tree) in [
            ("FOR i := 1 TO 10 DO a(); END_FOR;", "(FOR i 1 10 - a())"),
            ("FOR i := n - 1 TO 0 BY -2 DO a(); EXIT; END_FOR;", "(FOR i (Subtract n 1) 0 (Minus 2) a() EXIT)"),
            ("FOR s.i[1] := 1 TO 2 DO END_FOR;", "(FOR s.i[1] 1 2 -)"),
            ("WHILE a < 10 DO a := a + 1; CONTINUE; END_WHILE;", "(WHILE (Less a 10) (:= a (Add a 1)) CONTINUE)"),
            ("REPEAT a(); b(); UNTIL c END_REPEAT;", "(REPEAT a() b() c)"),
            ("REPEAT a(); UNTIL c; END_REPEAT;", "(REPEAT a() c)"),
        ] {
            assert_eq!(body(text), tree, "{text}");
        }
    }

    #[test]
    fn slips_in_loops_are_told_where_they_are() {
        const FOR: &str = "(write FOR i := 1 TO 10 DO)";
        for (text, at, message) in [
            ("FOR i = 1 TO 10 DO a(); END_FOR;", "=", format!("`=` compares; FOR assigns with `:=` {FOR}")),
            ("FOR i 1 TO 10 DO a(); END_FOR;", "1", format!("expected `:=`, found `1` {FOR}")),
            ("FOR i := 1..10 DO a(); END_FOR;", "..", format!("expected an operator or `TO`, found `..` {FOR}")),
            ("FOR i := 1 TO 10\na(); END_FOR;", "", "expected `DO` after `10`".into()),
            ("FOR i := 1 TO DO a(); EXIT; END_FOR;", "DO", "expected a value, found `DO`".into()),
            (
                "FOR i := 1 TO 10 DO a(); END_IF;",
                "END_IF",
                "expected `END_FOR`, found `END_IF` (the FOR of line 2 is still open)".into(),
            ),
            (
                "WHILE a DO b();",
                "END_PROGRAM",
                "expected `END_WHILE`, found `END_PROGRAM` (the WHILE of line 2 is still open)".into(),
            ),
            ("WHLE a DO b(); END_WHILE;", "WHLE", "`WHLE` is not a keyword (did you mean `WHILE`?)".into()),
            (
                "REPEAT a();\nEND_REPEAT;",
                "END_REPEAT",
                "expected `UNTIL`, found `END_REPEAT` (the REPEAT of line 2 needs a condition to end: UNTIL a > b)"
                    .into(),
            ),
            ("REPEAT a(); UNTIL END_REPEAT;", "END_REPEAT", "expected a value, found `END_REPEAT`".into()),
        ] {
            assert_eq!(wrong(text), [(at.to_owned(), message)], "{text}");
        }
    }
}
