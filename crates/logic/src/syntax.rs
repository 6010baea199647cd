//! The tree of a program as it was written. Apart, because the parser makes it and the compiler reads it, and neither
//! needs the other.

use crate::{Span, types::Elementary};

/// An identifier. Names are compared without regard to case (§6.1.2).
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// As it was written.
    pub(crate) text: Box<str>,
    /// In capitals: what is compared.
    pub(crate) key: Box<str>,
    pub(crate) span: Span,
}

/// Everything in one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) types: Vec<TypeDeclaration>,
    /// VAR_GLOBAL outside of any unit.
    pub(crate) globals: Vec<Section>,
    pub(crate) units: Vec<Unit>,
}

/// One entry of TYPE … END_TYPE.
#[derive(Clone, Debug)]
pub(crate) struct TypeDeclaration {
    pub(crate) name: Name,
    pub(crate) form: Form,
    pub(crate) initial: Option<Initial>,
}

/// A type as it is written after the colon.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// An elementary type.
    Elementary(Elementary, Span),
    /// STRING[n] or STRING(n); without a length it is `Elementary`.
    Text(Expression),
    /// A type or function block by its name.
    Named(Name),
    /// ARRAY [low..high, …] OF form.
    Array { bounds: Vec<(Expression, Expression)>, of: Box<Self>, span: Span },
    /// STRUCT … END_STRUCT.
    Structure { fields: Vec<Variable>, span: Span },
    /// (Red, Green := 5, …).
    Enumeration { values: Vec<(Name, Option<Expression>)>, span: Span },
    /// INT (low..high).
    Subrange { base: Elementary, low: Box<Expression>, high: Box<Expression>, span: Span },
}

impl Form {
    /// Where it stands.
    pub(crate) const fn span(&self) -> &Span {
        match self {
            Self::Elementary(_, span)
            | Self::Array { span, .. }
            | Self::Structure { span, .. }
            | Self::Enumeration { span, .. }
            | Self::Subrange { span, .. } => span,
            Self::Text(length) => &length.span,
            Self::Named(name) => &name.span,
        }
    }
}

/// What a variable starts with.
#[derive(Clone, Debug)]
pub(crate) enum Initial {
    Value(Expression),
    /// [1, 2, 3(0)]: each with how often it is repeated.
    Array(Vec<(Option<Expression>, Self)>, Span),
    /// (field := initial, …), also for the pins of a function block.
    Structure(Vec<(Name, Self)>, Span),
}

/// VAR … END_VAR.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) kind: SectionKind,
    pub(crate) constant: bool,
    pub(crate) retain: bool,
    pub(crate) variables: Vec<Variable>,
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SectionKind {
    Local,
    Temp,
    Input,
    Output,
    InOut,
    Global,
    External,
}

/// a, b AT %MW0 : INT := 1;
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) names: Vec<Name>,
    /// The address with its percent sign, in capitals.
    pub(crate) at: Option<(Box<str>, Span)>,
    pub(crate) form: Form,
    pub(crate) initial: Option<Initial>,
}

/// A program organization unit.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) kind: UnitKind,
    pub(crate) name: Name,
    pub(crate) sections: Vec<Section>,
    pub(crate) body: Vec<Statement>,
    /// From the opening keyword to the closing one.
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum UnitKind {
    Program,
    FunctionBlock,
    /// With the type of its result; the standard allows none.
    Function(Option<Form>),
}

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) kind: StatementKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a tree lives only as long as its text is compiled")]
pub(crate) enum StatementKind {
    Assign {
        target: Expression,
        value: Expression,
    },
    /// A call of a function block or of a function whose result is not used; always `ExpressionKind::Call`.
    Call(Expression),
    /// IF and ELSIF, each with its condition, then ELSE.
    If {
        arms: Vec<(Expression, Vec<Statement>)>,
        otherwise: Vec<Statement>,
    },
    Case {
        on: Expression,
        arms: Vec<(Vec<Label>, Vec<Statement>)>,
        otherwise: Vec<Statement>,
    },
    For {
        counter: Expression,
        from: Expression,
        to: Expression,
        by: Option<Expression>,
        body: Vec<Statement>,
    },
    While {
        condition: Expression,
        body: Vec<Statement>,
    },
    Repeat {
        body: Vec<Statement>,
        until: Expression,
    },
    Exit,
    Continue,
    Return,
}

/// A label of CASE.
#[derive(Clone, Debug)]
pub(crate) enum Label {
    One(Expression),
    Range(Expression, Expression),
}

#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) kind: ExpressionKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ExpressionKind {
    Literal(Literal),
    /// A variable, an instance, an enumerated value without its type.
    Name(Name),
    /// An address such as %MW0 used in an expression, with its percent sign, in capitals.
    Address(Box<str>),
    /// structure.field, instance.output.
    Field(Box<Expression>, Name),
    /// array[i, j].
    Index(Box<Expression>, Vec<Expression>),
    /// word.%X3 or word.3; byte, word and dword parts as .%B1, .%W1, .%D1 (§6.5.3, table 17).
    Part {
        of: Box<Expression>,
        part: Part,
        number: u32,
    },
    /// Colour#Red.
    Enumerated {
        of: Name,
        value: Name,
    },
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    Call {
        callee: Box<Expression>,
        arguments: Vec<Argument>,
    },
}

/// A part of a bit string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Bit,
    Byte,
    Word,
    Dword,
}

/// What stands between the brackets of a call.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    /// An input without its name.
    Positional(Expression),
    /// input := value, or an in-out.
    Input { name: Name, value: Expression },
    /// output => target, or NOT output => target.
    Output { name: Name, negated: bool, target: Expression },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    /// TRUE, FALSE, BOOL#1.
    Bool(bool),
    /// Digits, also with a base; with the type before the #, if there is one. A sign before the digits is `Unary::Minus`,
    /// but after the # (INT#-5) it belongs here.
    Integer {
        value: i128,
        ty: Option<Elementary>,
    },
    Real {
        value: f64,
        ty: Option<Elementary>,
    },
    /// T#, D#, TOD#, DT#: nanoseconds as `Elementary` says.
    Time {
        value: i64,
        ty: Elementary,
    },
    /// 'text' with its $ escapes resolved; one octet a character (ISO 8859-1).
    Text(Box<[u8]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Minus,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Power,
    Multiply,
    Divide,
    Modulo,
    Add,
    Subtract,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    Unequal,
    And,
    Xor,
    Or,
}
