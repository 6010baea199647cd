//! Types as they are written behind a colon, and TYPE … END_TYPE. Apart, because they hold each other and nothing else.

use super::{Parser, keyword::unsupported_type, lexer::Kind};
use crate::{
    Span,
    syntax::{Expression, Form, Name, TypeDeclaration},
    types::Elementary,
};
use honeyplant_core::settings::Problem;

impl Parser<'_> {
    /// TYPE … END_TYPE (§6.4.4).
    pub(super) fn types(&mut self) -> Vec<TypeDeclaration> {
        let mut types = Vec::new();
        self.open("TYPE");
        while !self.is_end_of_declarations("END_TYPE") {
            let start = self.at;
            match self.type_declaration() {
                Some(declaration) => types.push(declaration),
                None => self.recover(start),
            }
        }
        self.close("END_TYPE");
        types
    }

    fn type_declaration(&mut self) -> Option<TypeDeclaration> {
        let name = self.name("the name of a type")?;
        if !self.takes(":") {
            self.expected::<()>("`:`");
            if !matches!(self.kind(), Kind::Word | Kind::Key("ARRAY" | "STRUCT") | Kind::Sign("(")) {
                return None;
            }
        }
        let form = self.form()?;
        let initial = self.start_value()?;
        // CODESYS writes no semicolon behind the only type.
        if !self.is("END_TYPE") {
            self.semicolon_of_declaration()?;
        }
        Some(TypeDeclaration { name, form, initial })
    }

    /// A type (§6.4.4).
    pub(super) fn form(&mut self) -> Option<Form> {
        match self.kind() {
            Kind::Key("ARRAY") => self.nested(Self::array),
            Kind::Key("STRUCT") => self.nested(Self::structure),
            Kind::Sign("(") => {
                let enumeration = self.enumeration()?;
                // With the type that its values are kept in, as CODESYS writes it.
                if self.elementary().is_some_and(Elementary::is_integer) {
                    self.next();
                }
                Some(enumeration)
            }
            Kind::Word if self.is_at(1, ":") => {
                self.supply("STRUCT");
                self.nested(Self::structure)
            }
            Kind::Word if self.peek(1) == Kind::Word && self.elementary().is_none() && self.amend(&["STRUCT"]) => {
                self.nested(Self::structure)
            }
            Kind::Word => self.named(),
            _ => self.expected("a type"),
        }
    }

    /// The elementary type that is next.
    fn elementary(&self) -> Option<Elementary> {
        (self.kind() == Kind::Word).then(|| Elementary::of(&self.word(0).to_ascii_uppercase())).flatten()
    }

    fn named(&mut self) -> Option<Form> {
        if let Some(unsupported) = unsupported_type(self.word(0)) {
            self.complain(unsupported.problem().at(self.span()));
            return None;
        }
        let Some(base) = self.elementary() else {
            return self.name("a type").map(Form::Named);
        };
        let start = self.next();
        if base == Elementary::String {
            return self.text(start);
        }
        if !self.is("(") {
            return Some(Form::Elementary(base, start));
        }
        // INT (Red := 1, Green := 2) is an enumeration, INT (1..9) a subrange.
        if self.peek(1) == Kind::Word && [":=", ",", ")"].iter().any(|sign| self.is_at(2, sign)) {
            return self.enumeration();
        }
        self.next();
        let (low, high) = self.range()?;
        self.expect(")")?;
        let span = start.start..self.end();
        if !base.is_integer() {
            let problem = Problem::new("", format!("{} cannot have a range", base.name())).at(span.clone());
            self.complain(problem.hint("a subrange is one of an integer type, such as INT (0..100)"));
            return Some(Form::Elementary(base, span));
        }
        Some(Form::Subrange { base, low: low.into(), high: high.into(), span })
    }

    /// What stands behind STRING.
    fn text(&mut self, keyword: Span) -> Option<Form> {
        let end = match self.kind() {
            Kind::Sign("[") => "]",
            Kind::Sign("(") => ")",
            _ => return Some(Form::Elementary(Elementary::String, keyword)),
        };
        self.next();
        let length = self.expression()?;
        self.expect(end)?;
        Some(Form::Text(length))
    }

    /// low..high.
    fn range(&mut self) -> Option<(Expression, Expression)> {
        let low = self.binary(1)?;
        if self.is("..") {
            self.next();
            return Some((low, self.binary(1)?));
        }
        let text = self.slice(&low.span);
        let hint = format!("a range has both ends: 0..{text}");
        let problem = Problem::new("", format!("expected `..`, found {}", self.found())).at(self.span());
        self.complain(problem.hint(hint));
        None
    }

    fn array(&mut self) -> Option<Form> {
        let start = self.next().start;
        self.expect("[")?;
        let mut bounds = Vec::new();
        loop {
            if self.is("*") {
                let problem = Problem::new("", "arrays of any length are not supported").at(self.span());
                self.complain(problem.hint("give both ends, such as ARRAY [0..9] OF INT"));
                return None;
            }
            bounds.push(self.range()?);
            if !self.takes(",") {
                break;
            }
        }
        self.expect("]")?;
        self.connective("OF");
        let of = self.form()?.into();
        Some(Form::Array { bounds, of, span: start..self.end() })
    }

    fn structure(&mut self) -> Option<Form> {
        let span = self.open("STRUCT");
        let fields = self.variables("END_STRUCT");
        for field in &fields {
            if let Some((_, at)) = &field.at {
                let problem = Problem::new("", "addresses inside a structure are not supported").at(at.clone());
                self.complain(problem.hint("give a variable of this type its address"));
            }
        }
        let end = self.close("END_STRUCT");
        Some(Form::Structure { fields, span: span.start..end })
    }

    /// (Red, Green := 5).
    fn enumeration(&mut self) -> Option<Form> {
        let start = self.next().start;
        let mut values: Vec<(Name, Option<Expression>)> = Vec::new();
        loop {
            let name = self.name("an enumerated value")?;
            let value = if self.takes(":=") { Some(self.expression()?) } else { None };
            values.push((name, value));
            if !self.takes(",") {
                break;
            }
        }
        if !self.takes(")") {
            return self.expected("`,` or `)`");
        }
        Some(Form::Enumeration { values, span: start..self.end() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::{outline, told};

    #[test]
    fn types_have_all_forms() {
        for (text, tree) in [
            ("Alias : INT", "(TYPE Alias INT)"),
            ("Alias : Other := 5", "(TYPE Alias Other := 5)"),
            ("Name : STRING[20]", "(TYPE Name STRING[20])"),
            ("Name : STRING(k + 1) := 'a'", "(TYPE Name STRING[(Add k 1)] := \"a\")"),
            ("Name : string", "(TYPE Name STRING)"),
            ("Level : INT (0..100) := 5", "(TYPE Level (INT 0..100) := 5)"),
            ("Level : SINT (-k..+k)", "(TYPE Level (SINT (Minus k)..k))"),
            ("Colour : (Red, Green := 5, Blue) := Green", "(TYPE Colour (ENUM Red Green=5 Blue) := Green)"),
            ("Colour : INT (Red := 1, Green := 2)", "(TYPE Colour (ENUM Red=1 Green=2))"),
            ("Colour : (Red, Green) UINT := Red", "(TYPE Colour (ENUM Red Green) := Red)"),
            ("Row : ARRAY [1..8] OF BOOL", "(TYPE Row (ARRAY 1..8 BOOL))"),
            ("Grid : ARRAY [0..k - 1, -1..1] OF Point", "(TYPE Grid (ARRAY 0..(Subtract k 1) (Minus 1)..1 Point))"),
            ("Grid : ARRAY [1..2] OF ARRAY [1..3] OF INT (0..9)", "(TYPE Grid (ARRAY 1..2 (ARRAY 1..3 (INT 0..9))))"),
            (
                "Point : STRUCT x, y : REAL := 1.5; name : STRING[8]; in : STRUCT z : INT; END_STRUCT; END_STRUCT",
                "(TYPE Point (STRUCT (x y : REAL := 1.5) (name : STRING[8]) (in : (STRUCT (z : INT)))))",
            ),
        ] {
            assert_eq!(outline(&format!("TYPE {text}; END_TYPE")), tree, "{text}");
        }
        let several = "TYPE P : STRUCT a : INT; END_STRUCT END_TYPE TYPE A : INT; B : INT; END_TYPE";
        assert_eq!(outline(several), "(TYPE P (STRUCT (a : INT))) (TYPE A INT) (TYPE B INT)");
    }

    #[test]
    fn what_is_no_type_is_told_where_it_stands() {
        for (text, at, message) in [
            ("A : ;", ";", "expected a type, found `;`"),
            ("A INT;", "INT", "expected `:`, found `INT`"),
            ("A : ARRAY [10] OF INT;", "]", "expected `..`, found `]` (a range has both ends: 0..10)"),
            ("A : ARRAY (1..2) OF INT;", "(", "expected `[`, found `(`"),
            (
                "A : ARRAY [*] OF INT;",
                "*",
                "arrays of any length are not supported (give both ends, such as ARRAY [0..9] OF INT)",
            ),
            ("A : ARRAY [1..2] INT;", "", "expected `OF` after `]`"),
            (
                "A : REAL (0..1);",
                "REAL (0..1)",
                "REAL cannot have a range (a subrange is one of an integer type, such as INT (0..100))",
            ),
            ("A : WSTRING;", "WSTRING", "WSTRING is not supported (write STRING)"),
            ("A : REF_TO INT;", "REF_TO", "REF_TO is not supported (hand the variable over as VAR_IN_OUT)"),
            ("A : POINTER TO INT;", "POINTER", "POINTER is not supported (hand the variable over as VAR_IN_OUT)"),
            ("A : (Red Green);", "Green", "expected `,` or `)`, found `Green`"),
            ("A : ();", ")", "expected an enumerated value, found `)`"),
            ("INT : REAL;", "INT", "`INT` is a type and cannot be a name (call it INT_1, for example)"),
            (
                "A : STRUCT x AT %MW0 : INT; END_STRUCT;",
                "%MW0",
                "addresses inside a structure are not supported (give a variable of this type its address)",
            ),
            (
                "A : STRUCT x : INT; END_TYPE",
                "END_TYPE",
                "expected `END_STRUCT`, found `END_TYPE` (the STRUCT of line 2 is still open)",
            ),
            ("A : SRUCT x : INT; END_STRUCT;", "SRUCT", "`SRUCT` is not a keyword (did you mean `STRUCT`?)"),
            ("A : x : INT; END_STRUCT;", "x", "expected `STRUCT` before `x`"),
            ("A STRUCT x : INT; END_STRUCT;", "STRUCT", "expected `:`, found `STRUCT`"),
            ("A : INT B : REAL;", "B", "expected `;`, found `B`"),
            ("A : INT\nB : REAL;", "", "expected `;` after `INT`"),
        ] {
            let text = format!("TYPE\n{text}\n C : BOOL; END_TYPE");
            let wrong = told(&text);
            assert_eq!(wrong.first(), Some(&(at.to_owned(), message.to_owned())), "{text}");
            assert!(wrong.len() == 1 || text.contains("STRUCT"), "{wrong:?}");
        }
    }

    #[test]
    fn types_inside_types_are_bounded() {
        let text = format!("TYPE A : {}INT; END_TYPE", "ARRAY [1..2] OF ".repeat(5_000));
        assert!(told(&text)[0].1.starts_with("more than 64 levels"));
        assert_eq!(told(&text).len(), 1);
        let text = format!("TYPE A : {}INT; END_TYPE", "STRUCT a : ".repeat(5_000));
        assert!(told(&text).iter().any(|(_, text)| text.starts_with("more than 64 levels")));
    }
}
