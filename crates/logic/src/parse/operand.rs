//! What operators stand between: values, variables and calls. Apart from expressions, because statements and their targets
//! begin with the same.

use super::{
    Parser,
    lexer::Kind,
    literal::{in_place_of, literal},
};
use crate::syntax::{Argument, Expression, ExpressionKind, Literal, Name, Part};
use honeyplant_core::settings::{Problem, nearest};

impl Parser<'_> {
    /// A variable, a call, or what stands in brackets, with all its fields and indices: also what can be assigned to.
    pub(super) fn postfix(&mut self) -> Option<Expression> {
        let mut of = self.primary()?;
        let mut height = self.height;
        loop {
            // A number has no fields: `1.` and the like are told as what they are.
            let named = !matches!(of.kind, ExpressionKind::Literal(_));
            let kind = match self.kind() {
                Kind::Sign(".") if named => self.field(of)?,
                Kind::Sign("[") if named => {
                    self.next();
                    let (indices, highest) = self.nested(Self::indices)?;
                    height = height.max(highest);
                    ExpressionKind::Index(of.into(), indices)
                }
                Kind::Sign("(") if named => {
                    self.next();
                    let (arguments, highest) = self.nested(Self::arguments)?;
                    height = height.max(highest);
                    ExpressionKind::Call { callee: of.into(), arguments }
                }
                Kind::Sign("^") => {
                    let problem = Problem::new("", "references, and so `^`, are not supported").at(self.span());
                    self.complain(problem.hint("hand the variable over as VAR_IN_OUT"));
                    self.next();
                    continue;
                }
                _ => break,
            };
            height = self.grow(height)?;
            let start = self.started(&kind);
            of = Expression { kind, span: start..self.end() };
        }
        self.height = height;
        Some(of)
    }

    /// Where the innermost part of something with fields, indices or arguments begins.
    fn started(&self, kind: &ExpressionKind) -> usize {
        match kind {
            ExpressionKind::Field(of, _)
            | ExpressionKind::Index(of, _)
            | ExpressionKind::Part { of, .. }
            | ExpressionKind::Call { callee: of, .. } => of.span.start,
            _ => self.end(),
        }
    }

    /// What stands behind a dot.
    fn field(&mut self, of: Expression) -> Option<ExpressionKind> {
        self.next();
        let text = self.word(0).to_owned();
        let (part, digits) = match self.kind() {
            Kind::Literal => (Some(Part::Bit), text.as_str()),
            Kind::Part => {
                let part = match text.get(1..2).unwrap_or_default() {
                    "X" | "x" => Some(Part::Bit),
                    "B" | "b" => Some(Part::Byte),
                    "W" | "w" => Some(Part::Word),
                    "D" | "d" => Some(Part::Dword),
                    _ => None,
                };
                (part, text.get(2..).unwrap_or_default())
            }
            _ => {
                let name = self.name("the name of a field or the number of a bit")?;
                return Some(ExpressionKind::Field(of.into(), name));
            }
        };
        let number = digits.parse().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()));
        if let (Some(part), Some(number)) = (part, number) {
            self.next();
            return Some(ExpressionKind::Part { of: of.into(), part, number });
        }
        let problem = Problem::new("", format!("`{text}` is no part of a value")).at(self.span());
        self.complain(problem.hint("bit 3 is .3 or .%X3, byte 1 is .%B1, word 1 is .%W1, double word 1 is .%D1"));
        None
    }

    fn indices(&mut self) -> Option<(Vec<Expression>, usize)> {
        let (mut indices, mut highest) = (Vec::new(), 0);
        loop {
            indices.push(self.expression()?);
            highest = highest.max(self.height);
            if !self.takes(",") {
                break;
            }
        }
        if !self.takes("]") {
            return self.expected("an operator, `,` or `]`");
        }
        Some((indices, highest))
    }

    /// What stands between the brackets of a call, and the closing one.
    fn arguments(&mut self) -> Option<(Vec<Argument>, usize)> {
        let (mut arguments, mut highest) = (Vec::new(), 0);
        if self.takes(")") {
            return Some((arguments, highest));
        }
        loop {
            self.height = 0;
            arguments.extend(self.argument()?);
            highest = highest.max(self.height);
            if self.takes(")") {
                return Some((arguments, highest));
            }
            if !self.takes(",") {
                return self.expected("an operator, `,` or `)`");
            }
        }
    }

    /// One argument; none where a name stands without a value, as editors put it when they write a call (`Q => ,`).
    fn argument(&mut self) -> Option<Option<Argument>> {
        let negated = self.is("NOT") && self.is_at(2, "=>");
        if negated {
            self.next();
        }
        let output = self.is_at(1, "=>");
        if !output && !self.is_at(1, ":=") {
            return Some(Some(Argument::Positional(self.expression()?)));
        }
        let name = self.name("the name of an input or output")?;
        self.next();
        if self.is(",") || self.is(")") {
            return Some(None);
        }
        Some(Some(if output {
            Argument::Output { name, negated, target: self.postfix()? }
        } else {
            Argument::Input { name, value: self.expression()? }
        }))
    }

    fn primary(&mut self) -> Option<Expression> {
        self.height = 0;
        let span = self.span();
        let kind = match self.kind() {
            Kind::Literal => ExpressionKind::Literal(self.literal()),
            Kind::Key(key @ ("TRUE" | "FALSE")) => {
                self.next();
                ExpressionKind::Literal(Literal::Bool(key == "TRUE"))
            }
            Kind::Address => {
                let text = self.word(0).to_ascii_uppercase();
                self.next();
                ExpressionKind::Address(text.into())
            }
            Kind::Word if self.is_at(1, "#") => self.enumerated()?,
            Kind::Word => ExpressionKind::Name(self.name("a value")?),
            // The operators are also functions: AND(a, b) (§6.6.2.5.6).
            Kind::Key("AND" | "OR" | "XOR" | "MOD") if self.is_at(1, "(") => {
                let text = self.word(0).to_owned();
                let key = text.to_ascii_uppercase().into();
                let span = self.next();
                ExpressionKind::Name(Name { text: text.into(), key, span })
            }
            Kind::Sign("(") => {
                self.next();
                let inner = self.nested(Self::expression)?;
                if !self.takes(")") {
                    return self.expected("an operator or `)`");
                }
                return Some(Expression { span: span.start..self.end(), ..inner });
            }
            _ => return self.expected("a value"),
        };
        Some(Expression { kind, span: span.start..self.end() })
    }

    /// Colour#Red, or what was meant to be a typed literal.
    fn enumerated(&mut self) -> Option<ExpressionKind> {
        let of = self.name("a type")?;
        self.next();
        if self.kind() == Kind::Literal {
            const TYPES: &[&str] = &["BOOL", "INT", "DINT", "UINT", "UDINT", "WORD", "DWORD", "REAL", "TIME", "DATE"];
            let problem = Problem::new("", format!("`{}` is no type of a literal", of.text)).at(of.span.clone());
            self.complain(match nearest(&of.text, TYPES) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint("such as INT#5, WORD#16#FF or T#5s; an enumerated value is Type#Name"),
            });
            return Some(ExpressionKind::Literal(self.literal()));
        }
        Some(ExpressionKind::Enumerated { of, value: self.name("an enumerated value")? })
    }

    /// The literal that is next; of a wrong one, something in its place.
    pub(super) fn literal(&mut self) -> Literal {
        let span = self.span();
        let value = literal(self.slice(&span)).unwrap_or_else(|wrong| {
            let instead = in_place_of(self.slice(&span));
            self.complain(wrong.problem(&span));
            instead
        });
        self.next();
        value
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::value;

    #[test]
    fn variables_have_fields_indices_parts_and_addresses() {
        for (text, tree) in [
            ("a.b.c", "a.b.c"),
            ("a[1, i + 1].b[2][3]", "a[1 (Add i 1)].b[2][3]"),
            ("w.3", "w.Bit3"),
            ("w.%X15", "w.Bit15"),
            ("d.%b1 + d.%W1 + l.%D0", "(Add (Add d.Byte1 d.Word1) l.Dword0)"),
            ("%iw3 + %MW4.2 + %DB1.DBX0.1", "(Add (Add %IW3 %MW4.2) %DB1.DBX0.1)"),
            ("%MW4.%X3", "%MW4.Bit3"),
            ("t[2].Q", "t[2].Q"),
            ("Colour#Red", "Colour#Red"),
        ] {
            assert_eq!(value(text), tree, "{text}");
        }
    }

    #[test]
    fn calls_have_positions_names_and_outputs() {
        for (text, tree) in [
            ("f()", "f()"),
            ("MAX(a, 2, b + 1)", "MAX(a 2 (Add b 1))"),
            ("f(IN := a, Q => b, NOT R => c.d[1])", "f(IN:=a Q=>b NOT R=>c.d[1])"),
            ("f(NOT a)", "f((Not a))"),
            ("f(IN := , PT := T#1s, Q => , ET => )", "f(PT:=TIME#1000000000)"),
            ("AND(a, b) OR XOR(c, d) = MOD(e, 2)", "(Or AND(a b) (Equal XOR(c d) MOD(e 2)))"),
            ("NOT(a)", "(Not a)"),
            ("f(g(h(1)))", "f(g(h(1)))"),
        ] {
            assert_eq!(value(text), tree, "{text}");
        }
    }

    #[test]
    fn literals_are_values() {
        for (text, tree) in [
            ("16#FF", "255"),
            ("UINT#16#FF", "UINT#255"),
            ("INT#-5", "INT#-5"),
            ("-5", "(Minus 5)"),
            ("1.5E3", "1500.0"),
            ("TRUE", "TRUE"),
            ("BOOL#0", "FALSE"),
            ("T#1m", "TIME#60000000000"),
            ("LTIME#1us", "TIME#1000"),
            ("D#1970-01-02", "DATE#86400000000000"),
            ("LTOD#00:00:01", "TIME_OF_DAY#1000000000"),
            ("DATE_AND_TIME#1970-01-01-00:00:01", "DATE_AND_TIME#1000000000"),
            ("'a$'b'", "\"a'b\""),
        ] {
            assert_eq!(value(text), tree, "{text}");
        }
    }
}
