//! What variables start with. Apart from expressions, because brackets mean something else here.

use super::{Parser, lexer::Kind};
use crate::syntax::Initial;
use honeyplant_core::settings::Problem;

impl Parser<'_> {
    /// `:= 5` behind a type, if it is there.
    pub(super) fn start_value(&mut self) -> Option<Option<Initial>> {
        if self.is("=") {
            let problem = Problem::new("", "`=` compares; a variable starts with `:=`").at(self.span());
            self.complain(problem.hint("write `:=`"));
        } else if !self.is(":=") {
            return Some(None);
        }
        self.next();
        self.initial().map(Some)
    }

    fn initial(&mut self) -> Option<Initial> {
        match self.kind() {
            Kind::Sign("[") => self.nested(Self::array_initial),
            // (x := 1) is a structure, (x + 1) a value.
            Kind::Sign("(") if self.is_at(2, ":=") => self.nested(Self::structure_initial),
            _ => self.expression().map(Initial::Value),
        }
    }

    /// [1, 2, 3(0)] (§6.4.4.5.3).
    fn array_initial(&mut self) -> Option<Initial> {
        let start = self.next().start;
        let mut elements = Vec::new();
        loop {
            if self.kind() == Kind::Literal && self.is_at(1, "(") {
                let count = self.binary(u8::MAX)?;
                self.next();
                elements.push((Some(count), self.initial()?));
                if !self.takes(")") {
                    return self.expected("an operator or `)`");
                }
            } else {
                elements.push((None, self.initial()?));
            }
            if !self.takes(",") {
                break;
            }
        }
        if !self.takes("]") {
            return self.expected("an operator, `,` or `]`");
        }
        Some(Initial::Array(elements, start..self.end()))
    }

    /// (x := 1, y := [1, 2]) (§6.4.4.6.2).
    fn structure_initial(&mut self) -> Option<Initial> {
        let start = self.next().start;
        let mut fields = Vec::new();
        loop {
            let name = self.name("the name of a field")?;
            self.expect(":=")?;
            fields.push((name, self.initial()?));
            if !self.takes(",") {
                break;
            }
        }
        if !self.takes(")") {
            return self.expected("an operator, `,` or `)`");
        }
        Some(Initial::Structure(fields, start..self.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::{outline, told};

    #[test]
    fn variables_start_with_values_arrays_and_structures() {
        for (text, tree) in [
            ("5 + k", "(Add 5 k)"),
            ("(5)", "5"),
            ("(a + 1) * 2", "(Multiply (Add a 1) 2)"),
            ("(a = 1)", "(Equal a 1)"),
            ("[1, -2, 3(0), 2(x + 1)]", "[1 (Minus 2) 3*0 2*(Add x 1)]"),
            ("[[1, 2], 2([3, 4])]", "[[1 2] 2*[3 4]]"),
            ("(x := 1, y := [1, 2], z := (a := 'b'))", "{x=1 y=[1 2] z={a=\"b\"}}"),
            ("[2((PT := T#1s)), (PT := T#2s)]", "[2*{PT=TIME#1000000000} {PT=TIME#2000000000}]"),
        ] {
            assert_eq!(outline(&format!("VAR_GLOBAL v : T := {text}; END_VAR")), format!("(Global (v : T := {tree}))"));
        }
    }

    #[test]
    fn what_is_no_start_is_told_where_it_stands() {
        let braces = "(what stands between braces is a pragma and is skipped)";
        for (text, at, message) in [
            ("v : INT = 5;", "=", "`=` compares; a variable starts with `:=` (write `:=`)".to_owned()),
            ("v : INT := ;", ";", "expected a value, found `;`".into()),
            ("v : T := [1, 2;", ";", "expected an operator, `,` or `]`, found `;`".into()),
            ("v : T := [3(0];", "]", "expected an operator or `)`, found `]`".into()),
            ("v : T := (x := 1;", ";", "expected an operator, `,` or `)`, found `;`".into()),
            ("v : T := (x := 1, y 2);", "y", "expected `:=`, found `2`".into()),
            ("v : T := {1, 2};", ";", format!("expected a value, found `;` {braces}")),
        ] {
            let wrong = told(&format!("VAR_GLOBAL {text} w : INT; END_VAR"));
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert_eq!(wrong[0].1, message);
            assert!(at == "y" || wrong[0].0 == at, "{wrong:?}");
        }
    }

    #[test]
    fn brackets_inside_brackets_are_bounded() {
        for open in ["[", "(x := ", "[2("] {
            let wrong = told(&format!("VAR_GLOBAL v : T := {}; END_VAR", open.repeat(5_000)));
            assert_eq!(wrong.len(), 1, "{wrong:?}");
        }
    }
}
