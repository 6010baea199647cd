//! The outermost rules: units, types and globals, and what stands between them. Apart, because a mistake here must not
//! cost the rest of the text.

use super::{
    Parser,
    keyword::{SECTIONS, unsupported_outside},
    lexer::Kind,
};
use crate::syntax::{Name, Source, Unit, UnitKind};
use honeyplant_core::settings::Problem;

impl Parser<'_> {
    /// The whole text.
    pub(super) fn source(&mut self) -> Source {
        const KEYS: &[&str] = &["PROGRAM", "FUNCTION", "FUNCTION_BLOCK", "TYPE", "VAR_GLOBAL"];
        let mut source = Source::default();
        loop {
            match self.kind() {
                Kind::End => return source,
                Kind::Sign(";") => {
                    self.next();
                }
                Kind::Key("TYPE") => source.types.extend(self.types()),
                Kind::Key("VAR_GLOBAL") => source.globals.push(self.section()),
                Kind::Key(key) if SECTIONS.contains(&key) => {
                    let problem = Problem::new("", format!("{key} stands outside of any unit")).at(self.span());
                    let hint = "only VAR_GLOBAL may; the others stand in a PROGRAM, FUNCTION or FUNCTION_BLOCK";
                    self.complain(problem.hint(hint));
                    while self.is_section() && !self.is("VAR_GLOBAL") {
                        self.section();
                    }
                    self.next_unit();
                }
                Kind::Key("PROGRAM") => source.units.push(self.unit("PROGRAM", "END_PROGRAM")),
                Kind::Key("FUNCTION") => source.units.push(self.unit("FUNCTION", "END_FUNCTION")),
                Kind::Key("FUNCTION_BLOCK") => source.units.push(self.unit("FUNCTION_BLOCK", "END_FUNCTION_BLOCK")),
                Kind::Word if self.skips_unsupported() => {}
                Kind::Word if self.peek(1) == Kind::Word && self.amend(KEYS) => {}
                _ => self.stray(),
            }
        }
    }

    /// Tells and passes over something of the standard that is not supported; false if there is none.
    fn skips_unsupported(&mut self) -> bool {
        let Some(unsupported) = unsupported_outside(self.word(0)) else { return false };
        if !self.skips(unsupported) {
            self.next_unit();
        }
        true
    }

    /// Tells and passes over what stands between units and is none.
    fn stray(&mut self) {
        let what = match self.kind() {
            Kind::Key(key) if key.starts_with("END_") => format!("`{key}` closes nothing"),
            _ => format!("{} stands outside of any unit", self.found()),
        };
        let problem = Problem::new("", what).at(self.span());
        self.complain(problem.hint("a text consists of PROGRAM, FUNCTION, FUNCTION_BLOCK, TYPE and VAR_GLOBAL"));
        self.next();
        self.next_unit();
    }

    /// Goes on to where something can begin that stands outside of units.
    fn next_unit(&mut self) {
        let begins = |parser: &Self| match parser.kind() {
            Kind::End | Kind::Key("TYPE") => true,
            Kind::Word => parser.is_first_on_line(0) && unsupported_outside(parser.word(0)).is_some(),
            _ => parser.is_unit() || parser.is_section(),
        };
        while !begins(self) {
            self.next();
        }
    }

    fn unit(&mut self, key: &'static str, end: &'static str) -> Unit {
        let span = self.open(key);
        for modifier in ["ABSTRACT", "FINAL"] {
            if self.word(0).eq_ignore_ascii_case(modifier) && self.peek(1) == Kind::Word {
                self.unsupported_object();
                self.next();
            }
        }
        let nowhere = self.end()..self.end();
        let name = self.name(&format!("the name of the {key}")).unwrap_or_else(|| Name {
            text: Box::default(),
            key: Box::default(),
            span: nowhere,
        });
        while ["EXTENDS", "IMPLEMENTS"].iter().any(|word| self.word(0).eq_ignore_ascii_case(word)) {
            self.unsupported_object();
            self.next();
            while self.kind() == Kind::Word && !self.is_first_on_line(0) || self.is(",") {
                self.next();
            }
        }
        let kind = match key {
            "FUNCTION" => UnitKind::Function(self.result()),
            "FUNCTION_BLOCK" => UnitKind::FunctionBlock,
            _ => UnitKind::Program,
        };
        if self.is(":") && key != "FUNCTION" {
            let problem = Problem::new("", format!("a {key} has no result")).at(self.span());
            self.complain(problem.hint("its results are VAR_OUTPUT; only a FUNCTION has a type"));
            self.result();
        }
        let mut sections = Vec::new();
        loop {
            match self.kind() {
                Kind::Sign(";") => {
                    self.next();
                }
                Kind::Key(key) if SECTIONS.contains(&key) => {
                    if key == "VAR_GLOBAL" {
                        let problem = Problem::new("", "VAR_GLOBAL stands inside a unit").at(self.span());
                        self.complain(problem.hint("write it before the unit"));
                    }
                    sections.push(self.section());
                }
                Kind::Word if self.peek(1) == Kind::Word && self.skips_unsupported() => {}
                Kind::Key("END_VAR") => {
                    let problem = Problem::new("", "`END_VAR` belongs to nothing that is open").at(self.span());
                    self.complain(problem.hint("there is no VAR before it"));
                    self.next();
                }
                _ if self.is_headless_section() => {
                    let problem = Problem::new("", format!("expected `VAR` before {}", self.found())).at(self.span());
                    self.complain(problem.hint("variables are declared between VAR or one of its kind and END_VAR"));
                    sections.push(self.section());
                }
                Kind::Word if matches!(self.peek(1), Kind::Word | Kind::Key(_)) && self.amend(SECTIONS) => {}
                _ => break,
            }
        }
        let body = self.block();
        sections.append(&mut self.late);
        let end = self.close(end);
        Unit { kind, name, sections, body, span: span.start..end }
    }

    fn unsupported_object(&mut self) {
        let problem = Problem::new("", format!("{} is not supported", self.word(0).to_ascii_uppercase()));
        self.complain(problem.at(self.span()).hint("write a FUNCTION_BLOCK that holds an instance of the other one"));
    }

    /// The type of the result behind a colon, if it is there.
    fn result(&mut self) -> Option<crate::syntax::Form> {
        if !self.takes(":") {
            if self.kind() == Kind::Word && !self.is_first_on_line(0) {
                self.expected::<()>("`:` and the type of the result");
                if !self.is_at(1, ":") {
                    return self.form();
                }
                self.next();
            }
            if !self.takes(":") {
                return None;
            }
        }
        let form = self.form();
        while form.is_none() && self.kind() != Kind::End && !self.is_first_on_line(0) {
            self.next();
        }
        form
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::{outline, told};
    use super::super::parse;

    #[test]
    fn units_have_names_results_sections_and_bodies() {
        for (text, tree) in [
            ("", ""),
            ("PROGRAM p END_PROGRAM", "(PROGRAM p )"),
            ("program p; x := 1; end_program;", "(PROGRAM p (:= x 1))"),
            (
                "FUNCTION f : INT VAR_INPUT a : INT; END_VAR f := a; END_FUNCTION",
                "(FUNCTION INT : f (Input (a : INT)) (:= f a))",
            ),
            ("FUNCTION f : STRING[5] END_FUNCTION", "(FUNCTION STRING[5] : f )"),
            ("FUNCTION f : Point END_FUNCTION", "(FUNCTION Point : f )"),
            ("FUNCTION f\nVAR_INPUT a : INT; END_VAR\nEND_FUNCTION", "(FUNCTION f (Input (a : INT)))"),
            (
                "FUNCTION_BLOCK b VAR_INPUT i : INT; END_VAR VAR_OUTPUT o : INT; END_VAR o := i; END_FUNCTION_BLOCK",
                "(FUNCTION_BLOCK b (Input (i : INT)) (Output (o : INT)) (:= o i))",
            ),
            // The words of what is not supported are names like others.
            (
                "PROGRAM step VAR task : INT; END_VAR step := action; class(method); END_PROGRAM",
                "(PROGRAM step (Local (task : INT)) (:= step action) class(method))",
            ),
        ] {
            assert_eq!(outline(text), tree);
        }
    }

    #[test]
    fn what_is_not_supported_is_told_and_passed_over() {
        for (text, at, message) in [
            (
                "CONFIGURATION c RESOURCE r ON cpu TASK t(INTERVAL := T#1s); END_RESOURCE END_CONFIGURATION",
                "CONFIGURATION",
                "CONFIGURATION is not supported (the profile says how often the program is scanned; VAR_GLOBAL may stand by itself)",
            ),
            (
                "CLASS c METHOD m : INT m := 1; END_METHOD END_CLASS",
                "CLASS",
                "CLASS is not supported (write a FUNCTION_BLOCK or a FUNCTION)",
            ),
            (
                "INTERFACE i END_INTERFACE",
                "INTERFACE",
                "INTERFACE is not supported (write a FUNCTION_BLOCK or a FUNCTION)",
            ),
            (
                "NAMESPACE n FUNCTION f END_FUNCTION END_NAMESPACE",
                "NAMESPACE",
                "NAMESPACE is not supported (all names of a program stand in one space)",
            ),
            ("USING a.b;", "USING", "USING is not supported (all names of a program stand in one space)"),
            (
                "VAR_ACCESS a : b : INT READ_ONLY; END_VAR",
                "VAR_ACCESS",
                "VAR_ACCESS is not supported (what other devices may reach is said in the profile)",
            ),
            (
                "VAR_CONFIG a.b AT %MW0 : INT; END_VAR",
                "VAR_CONFIG",
                "VAR_CONFIG is not supported (give the variable its address where it is declared: x AT %MW10 : INT;)",
            ),
            (
                "DATA_BLOCK d x : INT; END_DATA_BLOCK",
                "DATA_BLOCK",
                "DATA_BLOCK is not supported (declare variables with an address: x AT %DB1.DBW0 : INT;)",
            ),
            ("CLASS never_closed x : INT;", "CLASS", "CLASS is not supported (write a FUNCTION_BLOCK or a FUNCTION)"),
        ] {
            let text = format!("{text}\nPROGRAM p x := 1; END_PROGRAM");
            assert_eq!(told(&text), [(at.to_owned(), message.to_owned())]);
            assert_eq!(parse(&text).0.units.len(), 1, "{text}");
        }
        let object = "is not supported (write a FUNCTION_BLOCK that holds an instance of the other one)";
        for (text, at) in [
            ("FUNCTION_BLOCK b EXTENDS c\nEND_FUNCTION_BLOCK", "EXTENDS"),
            ("FUNCTION_BLOCK b IMPLEMENTS i, j\nEND_FUNCTION_BLOCK", "IMPLEMENTS"),
            ("FUNCTION_BLOCK ABSTRACT b END_FUNCTION_BLOCK", "ABSTRACT"),
        ] {
            assert_eq!(told(text), [(at.to_owned(), format!("{at} {object}"))]);
        }
        let method =
            "FUNCTION_BLOCK b VAR x : INT; END_VAR METHOD m : INT m := 1; END_METHOD x := 1; END_FUNCTION_BLOCK";
        assert_eq!(
            told(method),
            [("METHOD".to_owned(), "METHOD is not supported (write a FUNCTION_BLOCK or a FUNCTION)".to_owned())]
        );
        assert_eq!(parse(method).0.units[0].body.len(), 1);
    }

    #[test]
    fn what_stands_between_units_is_told_once() {
        let hint = "(a text consists of PROGRAM, FUNCTION, FUNCTION_BLOCK, TYPE and VAR_GLOBAL)";
        for (text, at, message) in [
            ("PROGRAM p END_PROGRAM x := 1; y := 2; IF z THEN END_IF;", "x", format!("`x` stands outside of any unit {hint}")),
            ("END_PROGRAM", "END_PROGRAM", format!("`END_PROGRAM` closes nothing {hint}")),
            ("VAR x : INT; END_VAR x := 1; END_PROGRAM", "VAR", "VAR stands outside of any unit (only VAR_GLOBAL may; the others stand in a PROGRAM, FUNCTION or FUNCTION_BLOCK)".into()),
            ("PROGRAM p VAR_GLOBAL x : INT; END_VAR END_PROGRAM", "VAR_GLOBAL", "VAR_GLOBAL stands inside a unit (write it before the unit)".into()),
            ("PROGAM p x := 1; END_PROGRAM", "PROGAM", "`PROGAM` is not a keyword (did you mean `PROGRAM`?)".into()),
            ("FUNCTIONBLOCK b END_FUNCTION_BLOCK", "FUNCTIONBLOCK", "`FUNCTIONBLOCK` is not a keyword (did you mean `FUNCTION_BLOCK`?)".into()),
            ("PROGRAM p VAR_INPT x : INT; END_VAR END_PROGRAM", "VAR_INPT", "`VAR_INPT` is not a keyword (did you mean `VAR_INPUT`?)".into()),
            ("PROGRAM\nVAR x : INT; END_VAR END_PROGRAM", "VAR", "expected the name of the PROGRAM, found `VAR`".into()),
            ("PROGRAM p : INT x := 1; END_PROGRAM", ":", "a PROGRAM has no result (its results are VAR_OUTPUT; only a FUNCTION has a type)".into()),
            ("FUNCTION f INT f := 1; END_FUNCTION", "INT", "expected `:` and the type of the result, found `INT`".into()),
            ("PROGRAM p x := 1; END_FUNCTION", "END_FUNCTION", "expected `END_PROGRAM`, found `END_FUNCTION` (the PROGRAM of line 1 is still open)".into()),
            ("PROGRAM p x := 1; END_PROGRAMM", "END_PROGRAMM", "`END_PROGRAMM` is not a keyword (did you mean `END_PROGRAM`?)".into()),
            ("PROGRAM p\nx := 1;", "", "expected `END_PROGRAM`, found the end of the text (the PROGRAM of line 1 is still open)".into()),
            ("PROGRAM p x := 1; FUNCTION f END_FUNCTION", "FUNCTION", "expected `END_PROGRAM`, found `FUNCTION` (the PROGRAM of line 1 is still open)".into()),
        ] {
            assert_eq!(told(text), [(at.to_owned(), message)], "{text}");
        }
    }
}
