//! VAR … END_VAR and the variables in it. Apart, because structures declare their fields the same way.

use super::{
    Parser,
    keyword::{SECTIONS, STARTERS, ends_statements, unsupported_type},
    lexer::Kind,
};
use crate::{
    Span,
    syntax::{Section, SectionKind, Variable},
};
use honeyplant_core::settings::Problem;

impl Parser<'_> {
    /// One section (§6.5.3), whose keyword is next if it was not forgotten.
    pub(super) fn section(&mut self) -> Section {
        let kind = match self.kind() {
            Kind::Key("VAR_TEMP") => SectionKind::Temp,
            Kind::Key("VAR_INPUT") => SectionKind::Input,
            Kind::Key("VAR_OUTPUT") => SectionKind::Output,
            Kind::Key("VAR_IN_OUT") => SectionKind::InOut,
            Kind::Key("VAR_GLOBAL") => SectionKind::Global,
            Kind::Key("VAR_EXTERNAL") => SectionKind::External,
            _ => SectionKind::Local,
        };
        let start = self.open("VAR").start;
        if self.is_section() {
            self.next();
        }
        let (mut constant, mut retain) = (false, false);
        loop {
            match self.kind() {
                Kind::Key("CONSTANT") => constant = true,
                Kind::Key("RETAIN") => retain = true,
                Kind::Key("NON_RETAIN") => {}
                // As CODESYS has it: kept over more than RETAIN is. Here both are kept in the state folder.
                Kind::Word if self.word(0).eq_ignore_ascii_case("PERSISTENT") && !self.is_name_of_variable() => {
                    retain = true
                }
                Kind::Word if self.is_access() => {
                    let problem = Problem::new("", "access specifiers are not supported").at(self.span());
                    self.complain(problem.hint("leave it out"));
                }
                _ => break,
            }
            self.next();
        }
        if constant && retain {
            let problem = Problem::new("", "a constant cannot be RETAIN: it never changes").at(start..self.end());
            self.complain(problem.hint("leave RETAIN out"));
        }
        let variables = self.variables("END_VAR");
        let end = self.close("END_VAR");
        self.takes(";");
        Section { kind, constant, retain, variables, span: start..end }
    }

    /// Whether variables are declared here, without VAR.
    pub(super) fn is_headless_section(&self) -> bool {
        match self.kind() {
            Kind::Key("CONSTANT" | "RETAIN" | "NON_RETAIN") => true,
            _ => self.kind() == Kind::Word && self.is_name_of_variable() && self.is_before("END_VAR"),
        }
    }

    fn is_name_of_variable(&self) -> bool {
        [":", ",", "AT"].iter().any(|sign| self.is_at(1, sign))
    }

    fn is_access(&self) -> bool {
        const ACCESS: &[&str] = &["PUBLIC", "PRIVATE", "PROTECTED", "INTERNAL"];
        ACCESS.iter().any(|word| word.eq_ignore_ascii_case(self.word(0))) && !self.is_name_of_variable()
    }

    /// The variables before `end`, which is END_VAR or END_STRUCT.
    pub(super) fn variables(&mut self, end: &'static str) -> Vec<Variable> {
        let mut variables = Vec::new();
        while !self.is_end_of_declarations(end) && !self.is_first_statement(end) {
            let start = self.at;
            match self.variable() {
                Some(variable) => variables.push(variable),
                None => self.recover(start),
            }
        }
        variables
    }

    /// Whether no declaration is next; passes over stray semicolons, and mends a misspelt END.
    pub(super) fn is_end_of_declarations(&mut self, end: &'static str) -> bool {
        while self.takes(";") {}
        match self.kind() {
            Kind::End => true,
            Kind::Word if !self.is_name_of_variable() && !self.is_at(1, ":=") => self.amend(&[end]),
            // Else it is meant to be a name.
            Kind::Key(key) if !self.is_name_of_variable() => {
                ends_statements(key) || SECTIONS.contains(&key) || STARTERS.contains(&key)
            }
            _ => false,
        }
    }

    /// Whether statements begin here, before `end` was written.
    fn is_first_statement(&self, end: &str) -> bool {
        let assigned = self.kind() == Kind::Word && [":=", "(", ".", "["].iter().any(|sign| self.is_at(1, sign));
        // With an END to come it is a declaration without a type.
        assigned && !self.is_before(end)
    }

    /// Whether `end` is the next END, and no other section is before it.
    fn is_before(&self, end: &str) -> bool {
        let mut kinds = (0..).map(|n| self.peek(n));
        let border = kinds.find(|kind| match kind {
            Kind::Key(key) => *key == end || SECTIONS.contains(key) || ends_statements(key) && *key != "END_STRUCT",
            kind => *kind == Kind::End,
        });
        matches!(border, Some(Kind::Key(key)) if key == end)
    }

    fn variable(&mut self) -> Option<Variable> {
        let mut names = vec![self.name("the name of a variable")?];
        while self.takes(",") {
            names.push(self.name("the name of a variable")?);
        }
        let at = if self.takes("AT") { Some(self.address()?) } else { None };
        if !self.takes(":") {
            let problem = Problem::new("", format!("expected `:` and a type, found {}", self.found())).at(self.span());
            let last = names.last().map_or("", |name| &name.text);
            self.complain(problem.hint(format!("a variable is declared like this: {last} : INT := 5;")));
            if self.kind() != Kind::Word || self.is_first_on_line(0) {
                return None;
            }
        }
        let form = self.form()?;
        if let Some(edge) = unsupported_type(self.word(0)).filter(|_| self.kind() == Kind::Word) {
            self.complain(edge.problem().at(self.span()));
            self.next();
        }
        let initial = self.start_value()?;
        self.semicolon_of_declaration()?;
        Some(Variable { names, at, form, initial })
    }

    fn address(&mut self) -> Option<(Box<str>, Span)> {
        if self.kind() != Kind::Address {
            return self.expected("an address such as %MW10");
        }
        let text = self.word(0).to_ascii_uppercase();
        if text.ends_with('*') {
            let problem = Problem::new("", format!("`{text}` leaves its place open, which is not supported"));
            self.complain(problem.at(self.span()).hint("give the whole address, such as %MW10"));
        }
        Some((text.into(), self.next()))
    }

    /// The semicolon behind a declaration.
    pub(super) fn semicolon_of_declaration(&mut self) -> Option<()> {
        if self.takes(";") {
            return Some(());
        }
        if self.is_first_on_line(0) || matches!(self.kind(), Kind::Key(key) if ends_statements(key)) {
            self.missing(";", None);
            return Some(());
        }
        self.expected("`;`")
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::{outline, told};

    #[test]
    fn sections_are_of_all_kinds() {
        for (text, tree) in [
            ("VAR x : INT; END_VAR", "(Local (x : INT))"),
            ("VAR CONSTANT x : INT := 1; END_VAR", "(Local CONSTANT (x : INT := 1))"),
            ("VAR RETAIN x : INT; END_VAR", "(Local RETAIN (x : INT))"),
            ("VAR NON_RETAIN x : INT; END_VAR", "(Local (x : INT))"),
            ("VAR PERSISTENT RETAIN x : INT; END_VAR", "(Local RETAIN (x : INT))"),
            ("VAR persistent : INT; END_VAR", "(Local (persistent : INT))"),
            ("VAR_TEMP x : INT; END_VAR", "(Temp (x : INT))"),
            ("VAR_INPUT x, y : INT; END_VAR", "(Input (x y : INT))"),
            ("VAR_OUTPUT RETAIN x : INT; END_VAR", "(Output RETAIN (x : INT))"),
            ("VAR_IN_OUT x : Point; END_VAR", "(InOut (x : Point))"),
            ("VAR_EXTERNAL CONSTANT x : INT; END_VAR", "(External CONSTANT (x : INT))"),
            ("VAR END_VAR", "(Local )"),
            ("VAR a, b AT %mw10 : INT := 5; END_VAR", "(Local (a b %MW10 : INT := 5))"),
            ("VAR a AT %DB1.DBX0.1 : BOOL; END_VAR", "(Local (a %DB1.DBX0.1 : BOOL))"),
        ] {
            assert_eq!(
                outline(&format!("FUNCTION_BLOCK f {text} END_FUNCTION_BLOCK")),
                format!("(FUNCTION_BLOCK f {tree})")
            );
        }
        assert_eq!(outline("VAR_GLOBAL x : INT; END_VAR;"), "(Global (x : INT))");
    }

    #[test]
    fn what_is_no_declaration_is_told_where_it_stands() {
        for (text, at, message) in [
            ("x INT;", "INT", "expected `:` and a type, found `INT` (a variable is declared like this: x : INT := 5;)"),
            ("x, y;", ";", "expected `:` and a type, found `;` (a variable is declared like this: y : INT := 5;)"),
            ("x := 5;", ":=", "expected `:` and a type, found `:=` (a variable is declared like this: x : INT := 5;)"),
            ("x : INT\n", "", "expected `;` after `INT`"),
            ("x : INT y : INT;", "y", "expected `;`, found `y`"),
            ("INT x;", "INT", "`INT` is a type and cannot be a name (the type stands behind the name: x : INT;)"),
            ("end_if : INT;", "end_if", "`end_if` is a keyword and cannot be a name (call it end_if_1, for example)"),
            ("5 : INT;", "5", "expected the name of a variable, found `5`"),
            ("x AT : INT;", ":", "expected an address such as %MW10, found `:`"),
            (
                "x AT %I* : INT;",
                "%I*",
                "`%I*` leaves its place open, which is not supported (give the whole address, such as %MW10)",
            ),
            ("x : BOOL R_EDGE;", "R_EDGE", "R_EDGE is not supported (call an instance of R_TRIG)"),
            ("PUBLIC x : INT;", "PUBLIC", "access specifiers are not supported (leave it out)"),
            (
                "CONSTANT RETAIN x : INT;",
                "VAR CONSTANT RETAIN",
                "a constant cannot be RETAIN: it never changes (leave RETAIN out)",
            ),
        ] {
            let text = format!("PROGRAM p VAR {text} z : INT; END_VAR z := 1; END_PROGRAM");
            assert_eq!(told(&text), [(at.to_owned(), message.to_owned())], "{text}");
        }
    }

    #[test]
    fn a_forgotten_var_is_supplied() {
        let hint = "(variables are declared between VAR or one of its kind and END_VAR)";
        for (text, found) in [
            ("x : INT; y, z : t; END_VAR", "x"),
            ("x, y : t := (a := 1); END_VAR VAR_TEMP u : INT; END_VAR", "x"),
            ("CONSTANT x : INT := 1; END_VAR", "CONSTANT"),
        ] {
            let wrong = told(&format!("FUNCTION_BLOCK f {text} x := 1; END_FUNCTION_BLOCK"));
            assert_eq!(wrong, [(found.to_owned(), format!("expected `VAR` before `{found}` {hint}"))]);
        }
        let twice = told("PROGRAM p VAR x : INT; END_VAR END_VAR VAR y : INT; END_VAR x := y; END_PROGRAM");
        assert_eq!(
            twice,
            [(
                "END_VAR".to_owned(),
                "`END_VAR` belongs to nothing that is open (there is no VAR before it)".to_owned()
            )]
        );
    }

    #[test]
    fn a_section_that_is_never_closed_ends_where_statements_begin() {
        let open = |found: &str| format!("expected `END_VAR`, found `{found}` (the VAR of line 1 is still open)");
        for (text, found) in [
            ("x : INT; x := 1;", "x"),
            ("x : INT; f(x);", "f"),
            ("x : INT; IF x > 1 THEN x := 1; END_IF;", "IF"),
            ("x : INT; VAR_TEMP y : INT; END_VAR x := y;", "VAR_TEMP"),
            ("x : INT;", "END_PROGRAM"),
        ] {
            assert_eq!(told(&format!("PROGRAM p VAR {text} END_PROGRAM")), [(found.to_owned(), open(found))]);
        }
        for end in ["ENDVAR", "END_VARS", "END VAR"] {
            let wrong = told(&format!("PROGRAM p VAR x : INT; {end} x := 1; END_PROGRAM"));
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert_eq!(wrong[0].0, end);
        }
    }
}
