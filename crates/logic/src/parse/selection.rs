//! IF and CASE. Apart, because their lists of statements have more than one end.

use super::{Parser, expression::made_up, keyword::ends_statements, lexer::Kind};
use crate::syntax::{Expression, Label, Literal, StatementKind};
use honeyplant_core::settings::Problem;

impl Parser<'_> {
    /// IF … END_IF.
    pub(super) fn selection(&mut self) -> StatementKind {
        self.open("IF");
        let mut arms = Vec::new();
        loop {
            let condition = self.head("THEN", Literal::Bool(false));
            arms.push((condition, self.block()));
            if !self.takes("ELSIF") {
                break;
            }
        }
        let mut otherwise = Vec::new();
        if self.takes("ELSE") {
            if self.is("IF")
                && !self.is_first_on_line(0)
                && let Some(open) = self.open.last_mut()
            {
                open.else_if = true;
            }
            otherwise = self.block();
        }
        while self.is("ELSE") || self.is("ELSIF") {
            let problem = Problem::new("", format!("`{}` stands behind the ELSE of the same IF", self.word(0)));
            self.complain(problem.at(self.span()).hint("ELSE is the last one"));
            if self.is("ELSIF") {
                self.next();
                self.head("THEN", Literal::Bool(false));
            } else {
                self.next();
            }
            otherwise.extend(self.block());
        }
        self.close("END_IF");
        StatementKind::If { arms, otherwise }
    }

    /// What stands between a keyword and `end`, which is THEN, DO or OF.
    pub(super) fn head(&mut self, end: &'static str, instead: Literal) -> Expression {
        let start = self.span();
        if let Some(expression) = self.expression() {
            self.connective(end);
            return expression;
        }
        self.skip_to(end);
        made_up(instead, start)
    }

    /// CASE … END_CASE.
    pub(super) fn case(&mut self) -> StatementKind {
        self.open("CASE");
        let on = self.head("OF", Literal::Integer { value: 0, ty: None });
        let mut arms = Vec::new();
        while self.takes(";") {}
        let ends = matches!(self.kind(), Kind::Key(key) if ends_statements(key)) || self.kind() == Kind::End;
        if !self.is_label() && !ends {
            self.expected::<()>("a label such as `1:`");
            self.block();
        }
        while self.is_label() {
            let labels = self.labels();
            if labels.is_none() {
                while !matches!(self.kind(), Kind::Sign(":" | ";") | Kind::Key(_) | Kind::End) {
                    self.next();
                }
                self.takes(":");
            }
            arms.push((labels.unwrap_or_default(), self.block()));
        }
        let mut otherwise = Vec::new();
        if self.takes("ELSE") {
            if self.is(":") {
                let problem = Problem::new("", "`:` stands behind ELSE").at(self.span());
                self.complain(problem.hint("ELSE has none"));
                self.next();
            }
            otherwise = self.block();
        }
        self.close("END_CASE");
        StatementKind::Case { on, arms, otherwise }
    }

    /// Whether a label is next: what comes before a colon, a comma or two dots, and is no call or assignment.
    pub(super) fn is_label(&self) -> bool {
        if matches!(self.kind(), Kind::Literal | Kind::Sign("-" | "+")) {
            return true;
        }
        if !matches!(self.kind(), Kind::Word | Kind::Sign("(") | Kind::Key("TRUE" | "FALSE")) {
            return false;
        }
        let end = (0..).map(|n| self.peek(n)).find(|kind| match kind {
            Kind::End | Kind::Sign(":" | ".." | ";" | ":=" | "=>") => true,
            Kind::Key(key) => !matches!(*key, "AND" | "OR" | "XOR" | "MOD" | "NOT" | "TRUE" | "FALSE"),
            _ => false,
        });
        matches!(end, Some(Kind::Sign(":" | "..")))
    }

    /// `1, 3..5, RED:`.
    fn labels(&mut self) -> Option<Vec<Label>> {
        let mut labels = Vec::new();
        loop {
            let low = self.binary(1)?;
            labels.push(if self.takes("..") { Label::Range(low, self.binary(1)?) } else { Label::One(low) });
            if !self.takes(",") {
                break;
            }
        }
        if self.takes(":") {
            return Some(labels);
        }
        if self.is(":=") {
            let problem = Problem::new("", "`:=` stands behind a label").at(self.span());
            self.complain(problem.hint("a label ends with `:`"));
            self.next();
        } else {
            self.missing(":", None);
        }
        Some(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::{body, told};

    fn wrong(statements: &str) -> Vec<(String, String)> {
        told(&format!("PROGRAM p\n{statements}\nEND_PROGRAM"))
    }

    #[test]
    fn selections_have_arms() {
        for (text, tree) in [
            ("IF a THEN b := 1; END_IF;", "(IF (a (:= b 1)) ())"),
            (
                "IF a THEN ; ELSIF b THEN c(); d(); ELSIF e THEN f(); ELSE g(); END_IF;",
                "(IF (a ) (b c() d()) (e f()) (g()))",
            ),
            ("IF a THEN b(); ELSE IF c THEN d(); END_IF; END_IF;", "(IF (a b()) ((IF (c d()) ())))"),
            ("CASE a OF 1: b(); END_CASE;", "(CASE a (1: b()) ())"),
            (
                "CASE a + 1 OF 1, 3..5, -1: b(); c(); RED: ; Colour#Green, k + 1: d := 1; e := 2; 16#F..16#FF: f.g(); ELSE h(); END_CASE;",
                "(CASE (Add a 1) (1 3..5 (Minus 1): b() c()) (RED: ) (Colour#Green (Add k 1): (:= d 1) (:= e 2)) (15..255: f.g()) (h()))",
            ),
            (
                "CASE a OF 1: IF b THEN c(); END_IF; 2: CASE d OF 3: e(); END_CASE; END_CASE;",
                "(CASE a (1: (IF (b c()) ())) (2: (CASE d (3: e()) ())) ())",
            ),
            ("CASE a OF TRUE: b(); Low..High: c(IN := 1); END_CASE;", "(CASE a (TRUE: b()) (Low..High: c(IN:=1)) ())"),
            ("CASE a OF END_CASE;", "(CASE a  ())"),
        ] {
            assert_eq!(body(text), tree, "{text}");
        }
    }

    #[test]
    fn slips_in_selections_are_told_where_they_are() {
        for (text, at, message) in [
            ("IF a = 1\nb := 1; END_IF;", "", "expected `THEN` after `1`".to_owned()),
            ("IF a = 1 b := 1; END_IF;", "", "expected `THEN` after `1`".into()),
            ("IF a b THEN c(); END_IF;", "b", "expected an operator or `THEN`, found `b`".into()),
            ("IF a THEM b(); END_IF;", "THEM", "expected `THEN`, found `THEM` (did you mean `THEN`?)".into()),
            ("IF a DO b(); END_IF;", "DO", "expected `THEN`, found `DO` (here `THEN` belongs to it)".into()),
            ("IF THEN b(); END_IF;", "THEN", "expected a value, found `THEN`".into()),
            ("IF (a THEN b(); END_IF;", "THEN", "expected an operator or `)`, found `THEN`".into()),
            (
                "IF a := 1 THEN b(); END_IF;",
                ":=",
                "`:=` assigns and cannot stand inside an expression (`=` compares; an assignment is a statement of its own)".into(),
            ),
            ("IF a THEN b(); END_IF", "", "expected `;` after `END_IF`".into()),
            ("IF a THEN b(); ENDIF;", "ENDIF", "`ENDIF` is not a keyword (did you mean `END_IF`?)".into()),
            ("IF a THEN b(); END IF;", "END IF", "`END IF` is not a keyword (write `END_IF`)".into()),
            ("IF a THEN b(); END;", "END", "`END` is not a keyword (did you mean `END_IF`?)".into()),
            ("IFF a THEN b(); END_IF;", "IFF", "`IFF` is not a keyword (did you mean `IF`?)".into()),
            ("IF a THEN b(); ELSEIF c THEN d(); END_IF;", "ELSEIF", "`ELSEIF` is not a keyword (did you mean `ELSIF`?)".into()),
            ("IF a THEN b(); ELSE c(); ELSIF d THEN e(); END_IF;", "ELSIF", "`ELSIF` stands behind the ELSE of the same IF (ELSE is the last one)".into()),
            (
                "IF a THEN b();\nELSE IF c THEN d();\nEND_IF;",
                "END_PROGRAM",
                "expected `END_IF`, found `END_PROGRAM` (the IF of line 2 is still open; `ELSE IF` opens another IF, `ELSIF` does not)".into(),
            ),
            ("IF a THEN\nb();", "END_PROGRAM", "expected `END_IF`, found `END_PROGRAM` (the IF of line 2 is still open)".into()),
            ("IF a THEN b(); END_WHILE;", "END_WHILE", "expected `END_IF`, found `END_WHILE` (the IF of line 2 is still open)".into()),
            ("WHILE x DO\nIF a THEN b(); END_WHILE;", "END_WHILE", "expected `END_IF`, found `END_WHILE` (the IF of line 3 is still open)".into()),
            ("END_IF;", "END_IF", "`END_IF` belongs to nothing that is open (there is no IF before it)".into()),
            ("ELSE b();", "ELSE", "`ELSE` belongs to nothing that is open (ELSE belongs to an IF or a CASE)".into()),
            ("CASE a\n1: b(); END_CASE;", "", "expected `OF` after `a`".into()),
            ("CASE a OF b(); 1: c(); END_CASE;", "b", "expected a label such as `1:`, found `b`".into()),
            ("CASE a OF 1 b(); END_CASE;", "", "expected `:` after `1`".into()),
            ("CASE a OF 1 := b(); END_CASE;", ":=", "`:=` stands behind a label (a label ends with `:`)".into()),
            ("CASE a OF 1, : b(); END_CASE;", ":", "expected a value, found `:`".into()),
            ("CASE a OF 1: b(); ELSE: c(); END_CASE;", ":", "`:` stands behind ELSE (ELSE has none)".into()),
            ("CASE a OF 1: IF b THEN c();\n2: d(); END_CASE;", "2", "expected `END_IF`, found `2` (the IF of line 2 is still open)".into()),
        ] {
            assert_eq!(wrong(text), [(at.to_owned(), message)], "{text}");
        }
    }

    #[test]
    fn a_forgotten_beginning_is_supplied() {
        for (text, at, message) in [
            ("a > 1 THEN b(); ELSIF c THEN d(); ELSE e(); END_IF;", "a", "expected `IF` before `a`"),
            ("NOT a THEN b(); END_IF;", "NOT", "expected `IF` before `NOT`"),
            ("IFF (a) THEN b(); END_IF;", "IFF", "`IFF` is not a keyword (did you mean `IF`?)"),
            (
                "ELSIF a THEN b(); ELSIF c THEN d(); END_IF;",
                "ELSIF",
                "`ELSIF` belongs to nothing that is open (ELSIF belongs to an IF, before its ELSE)",
            ),
            ("ELSE a(); END_IF;", "ELSE", "`ELSE` belongs to nothing that is open (ELSE belongs to an IF or a CASE)"),
            ("a OF 1: b(); 2, 3: c(); ELSE d(); END_CASE;", "a", "expected `CASE` before `a`"),
            ("i := 1 TO 10 DO b(); END_FOR;", "i", "expected `FOR` before `i`"),
            ("i < 10 DO b(); END_WHILE;", "i", "expected `WHILE` before `i`"),
        ] {
            assert_eq!(wrong(text), [(at.to_owned(), message.to_owned())], "{text}");
        }
    }

    #[test]
    fn an_end_too_many_does_not_close_what_is_around_it() {
        let inside = "`END_IF` stands inside the FOR of line 2 (`END_FOR` comes first)";
        assert_eq!(
            wrong("IF x THEN FOR i := 1 TO 2 DO a(); END_IF; b(); END_FOR; c(); END_IF;"),
            [("END_IF".to_owned(), inside.to_owned())]
        );
        let nothing = "`END_IF` belongs to nothing that is open (there is no IF before it)";
        assert_eq!(
            wrong("CASE x OF 1: a(); END_IF; b(); 2: c(); END_CASE;"),
            [("END_IF".to_owned(), nothing.to_owned())]
        );
    }

    #[test]
    fn braces_are_explained() {
        let wrong = wrong("IF (a) {\n b();\n}\nc := 1;");
        assert_eq!(wrong[0].1, "expected `THEN` after `)` (what stands between braces is a pragma and is skipped)");
    }
}
