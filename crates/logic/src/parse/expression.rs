//! Expressions: operators and how they bind. Apart, because declarations and statements are both made of them.

use super::{HIGHEST, Parser, lexer::Kind};
use crate::{
    Span,
    syntax::{Binary, Expression, ExpressionKind, Literal, Unary},
};
use honeyplant_core::settings::Problem;

/// The operators between two operands, and how tightly they bind (§7.3.2, table 71). Those of one rank are taken from the
/// left, `**` too; all of them bind less than what stands before one operand, so that `-2 ** 2` is 4.
const OPERATORS: &[(&str, Binary, u8)] = &[
    ("OR", Binary::Or, 1),
    ("XOR", Binary::Xor, 2),
    ("AND", Binary::And, 3),
    ("&", Binary::And, 3),
    ("=", Binary::Equal, 4),
    ("<>", Binary::Unequal, 4),
    ("<", Binary::Less, 5),
    (">", Binary::Greater, 5),
    ("<=", Binary::LessOrEqual, 5),
    (">=", Binary::GreaterOrEqual, 5),
    ("+", Binary::Add, 6),
    ("-", Binary::Subtract, 6),
    ("*", Binary::Multiply, 7),
    ("/", Binary::Divide, 7),
    ("MOD", Binary::Modulo, 7),
    ("**", Binary::Power, 8),
];

/// What stands in the tree where something could not be read.
pub(super) const fn made_up(literal: Literal, span: Span) -> Expression {
    Expression { kind: ExpressionKind::Literal(literal), span }
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Option<Expression> {
        let left = self.binary(1)?;
        if !self.is(":=") {
            return Some(left);
        }
        let problem = Problem::new("", "`:=` assigns and cannot stand inside an expression").at(self.span());
        self.complain(problem.hint("`=` compares; an assignment is a statement of its own"));
        self.next();
        let right = self.binary(1)?;
        // At the end of the statement it was an assignment, and a bracket before it is what is missing.
        (!self.is(";")).then(|| joined(Binary::Equal, left, right))
    }

    /// An expression of operators that bind at least this tightly.
    pub(super) fn binary(&mut self, least: u8) -> Option<Expression> {
        let mut left = self.unary()?;
        let mut height = self.height;
        while let Some((_, operator, rank)) =
            OPERATORS.iter().find(|(sign, _, rank)| *rank >= least && self.is(sign)).copied()
        {
            self.next();
            let right = self.binary(rank + 1)?;
            height = self.grow(height.max(self.height))?;
            left = joined(operator, left, right);
        }
        self.height = height;
        Some(left)
    }

    /// The height of a tree whose highest branch has this one.
    pub(super) fn grow(&mut self, height: usize) -> Option<usize> {
        self.height = height + 1;
        if self.height <= HIGHEST {
            return Some(self.height);
        }
        let problem = Problem::new("", format!("more than {HIGHEST} operations hang on each other here"));
        self.complain(problem.at(self.span()).hint("keep a part of it in a variable"));
        None
    }

    fn unary(&mut self) -> Option<Expression> {
        let start = self.span().start;
        let operator = match self.kind() {
            Kind::Sign("-") => Unary::Minus,
            Kind::Key("NOT") => Unary::Not,
            Kind::Sign("+") => {
                self.next();
                return self.nested(Self::unary);
            }
            // The next statement, before this one has its value.
            Kind::Word if self.is_at(1, ":=") && self.is_first_on_line(0) => return self.expected("a value"),
            _ => return self.postfix(),
        };
        self.next();
        let operand = self.nested(Self::unary)?;
        self.grow(self.height)?;
        let span = start..operand.span.end;
        Some(Expression { kind: ExpressionKind::Unary(operator, operand.into()), span })
    }
}

fn joined(operator: Binary, left: Expression, right: Expression) -> Expression {
    let span = left.span.start..right.span.end;
    Expression { kind: ExpressionKind::Binary(operator, left.into(), right.into()), span }
}

#[cfg(test)]
mod tests {
    use super::super::outline::{told, value};
    use crate::syntax::{ExpressionKind, StatementKind};

    #[test]
    fn operators_bind_as_the_standard_says() {
        for (text, tree) in [
            ("a OR b XOR c AND d", "(Or a (Xor b (And c d)))"),
            ("a & b OR c", "(Or (And a b) c)"),
            ("a = b AND c <> d", "(And (Equal a b) (Unequal c d))"),
            ("a < b = c >= d", "(Equal (Less a b) (GreaterOrEqual c d))"),
            ("a + b * c ** d", "(Add a (Multiply b (Power c d)))"),
            ("a - b - c", "(Subtract (Subtract a b) c)"),
            ("a / b MOD c * d", "(Multiply (Modulo (Divide a b) c) d)"),
            ("2 ** 3 ** 2", "(Power (Power 2 3) 2)"),
            ("-2 ** 2", "(Power (Minus 2) 2)"),
            ("2 ** -1", "(Power 2 (Minus 1))"),
            ("NOT a AND b", "(And (Not a) b)"),
            ("NOT a = b", "(Equal (Not a) b)"),
            ("- -a + +b", "(Add (Minus (Minus a)) b)"),
            ("(a + b) * c", "(Multiply (Add a b) c)"),
            ("a > b OR (c <= d)", "(Or (Greater a b) (LessOrEqual c d))"),
        ] {
            assert_eq!(value(text), tree, "{text}");
        }
    }

    #[test]
    fn spans_reach_from_the_first_to_the_last_character() {
        let (source, _) = super::super::parse("PROGRAM p x := (a.b + f(1)) * -c[2]; END_PROGRAM");
        let StatementKind::Assign { value, .. } = &source.units[0].body[0].kind else { panic!("an assignment") };
        assert_eq!(value.span, 15..35);
        let ExpressionKind::Binary(_, left, right) = &value.kind else { panic!("a product") };
        assert_eq!((left.span.clone(), right.span.clone()), (15..27, 30..35));
        let ExpressionKind::Binary(_, field, call) = &left.kind else { panic!("a sum") };
        assert_eq!((field.span.clone(), call.span.clone()), (16..19, 22..26));
    }

    #[test]
    fn what_is_no_expression_is_told_where_it_stands() {
        for (text, at, message) in [
            ("a +", ";", "expected a value, found `;`"),
            ("(a + b", ";", "expected an operator or `)`, found `;`"),
            ("a b", "b", "expected an operator or `;`, found `b`"),
            ("a[1", ";", "expected an operator, `,` or `]`, found `;`"),
            ("f(a, b", ";", "expected an operator, `,` or `)`, found `;`"),
            ("f(a, )", ")", "expected a value, found `)`"),
            ("f(a b)", "b", "expected an operator, `,` or `)`, found `b`"),
            ("a.", ";", "expected the name of a field or the number of a bit, found `;`"),
            (
                "a.%Y3",
                "%Y3",
                "`%Y3` is no part of a value (bit 3 is .3 or .%X3, byte 1 is .%B1, word 1 is .%W1, double word 1 is .%D1)",
            ),
            ("p^.x", "^", "references, and so `^`, are not supported (hand the variable over as VAR_IN_OUT)"),
            ("1.5.x", ".", "expected an operator or `;`, found `.`"),
            (
                "REAL(5)",
                "REAL",
                "`REAL` is a type and cannot be a name (a conversion names both types, such as DINT_TO_REAL)",
            ),
            ("UNIT#5", "UNIT", "`UNIT` is no type of a literal (did you mean `INT`?)"),
            (
                "a := b",
                ":=",
                "`:=` assigns and cannot stand inside an expression (`=` compares; an assignment is a statement of its own)",
            ),
            ("16#XY", "16#XY", "`16#XY` is no number (the digits of base 16 do not include `X`)"),
        ] {
            assert_eq!(
                told(&format!("PROGRAM p x := {text}; END_PROGRAM")),
                [(at.to_owned(), message.to_owned())],
                "{text}"
            );
        }
    }

    #[test]
    fn nesting_and_length_are_bounded() {
        let wrong = |text: String| {
            told(&format!("PROGRAM p x := {text}; END_PROGRAM")).into_iter().map(|(_, text)| text).collect::<Vec<_>>()
        };
        let deep =
            "more than 64 levels stand inside each other here (take the inner ones out, as a FUNCTION or a variable)";
        let high = "more than 200 operations hang on each other here (keep a part of it in a variable)";
        for (open, close) in [("(", ")"), ("NOT ", ""), ("-", ""), ("f(", ")"), ("a[", "]")] {
            assert_eq!(wrong(format!("{}1{}", open.repeat(60), close.repeat(60))), Vec::<String>::new());
            assert_eq!(wrong(format!("{}1{}", open.repeat(5_000), close.repeat(5_000))), [deep]);
        }
        let all_ranks = "a OR b XOR c AND d = e < f + g * h ** (";
        assert_eq!(wrong(format!("{}1{}", all_ranks.repeat(20), ")".repeat(20))), Vec::<String>::new());
        assert_eq!(wrong(format!("{}1{}", all_ranks.repeat(60), ")".repeat(60))), [high]);
        assert_eq!(wrong(all_ranks.repeat(2_000)), [deep]);
        for more in [" + 1", ".b", "[1]", "()"] {
            assert_eq!(wrong(format!("a{}", more.repeat(200))), Vec::<String>::new());
            assert_eq!(wrong(format!("a{}", more.repeat(5_000))), [high]);
        }
    }
}
