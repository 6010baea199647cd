//! Which instruction an operator is for values of a type (§7.3.2, table 71; for times §6.6.2.5.12, table 35). Apart, because
//! it is one table.

use crate::{
    run::{Op, Relation, Slot},
    syntax::Binary,
    types::Elementary,
};

/// Makes an instruction from the slots of its result and its operands.
pub(super) type Make = fn(u8, Slot, Slot, Slot) -> Op;

impl Binary {
    /// As it is written.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Power => "**",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "MOD",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Less => "<",
            Self::Greater => ">",
            Self::LessOrEqual => "<=",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::And => "AND",
            Self::Xor => "XOR",
            Self::Or => "OR",
        }
    }

    /// Whether it says how two values are to each other.
    pub(super) const fn compares(self) -> bool {
        matches!(
            self,
            Self::Less | Self::Greater | Self::LessOrEqual | Self::GreaterOrEqual | Self::Equal | Self::Unequal
        )
    }
}

/// The instruction for numbers of one type.
pub(super) fn arithmetic(operator: Binary, ty: Elementary) -> Option<Make> {
    Some(match (operator, ty) {
        (Binary::Add, Elementary::Real) => |_, to, a, b| Op::AddReal { to, a, b },
        (Binary::Subtract, Elementary::Real) => |_, to, a, b| Op::SubReal { to, a, b },
        (Binary::Multiply, Elementary::Real) => |_, to, a, b| Op::MulReal { to, a, b },
        (Binary::Divide, Elementary::Real) => |_, to, a, b| Op::DivReal { to, a, b },
        (Binary::Add, Elementary::Lreal) => |_, to, a, b| Op::AddLreal { to, a, b },
        (Binary::Subtract, Elementary::Lreal) => |_, to, a, b| Op::SubLreal { to, a, b },
        (Binary::Multiply, Elementary::Lreal) => |_, to, a, b| Op::MulLreal { to, a, b },
        (Binary::Divide, Elementary::Lreal) => |_, to, a, b| Op::DivLreal { to, a, b },
        (Binary::Add, ty) if ty.is_signed() => |spare, to, a, b| Op::AddSigned { spare, to, a, b },
        (Binary::Subtract, ty) if ty.is_signed() => |spare, to, a, b| Op::SubSigned { spare, to, a, b },
        (Binary::Multiply, ty) if ty.is_signed() => |spare, to, a, b| Op::MulSigned { spare, to, a, b },
        (Binary::Divide, ty) if ty.is_signed() => |spare, to, a, b| Op::DivSigned { spare, to, a, b },
        (Binary::Modulo, ty) if ty.is_signed() => |_, to, a, b| Op::ModSigned { to, a, b },
        (Binary::Add, ty) if ty.is_unsigned() => |spare, to, a, b| Op::AddUnsigned { spare, to, a, b },
        (Binary::Subtract, ty) if ty.is_unsigned() => |spare, to, a, b| Op::SubUnsigned { spare, to, a, b },
        (Binary::Multiply, ty) if ty.is_unsigned() => |spare, to, a, b| Op::MulUnsigned { spare, to, a, b },
        (Binary::Divide, ty) if ty.is_unsigned() => |_, to, a, b| Op::DivUnsigned { to, a, b },
        (Binary::Modulo, ty) if ty.is_unsigned() => |_, to, a, b| Op::ModUnsigned { to, a, b },
        (Binary::And, ty) if ty.is_bits() => |_, to, a, b| Op::And { to, a, b },
        (Binary::Or, ty) if ty.is_bits() => |_, to, a, b| Op::Or { to, a, b },
        (Binary::Xor, ty) if ty.is_bits() => |_, to, a, b| Op::Xor { to, a, b },
        _ => return None,
    })
}

/// The instruction that compares values of one type. What is greater has the smaller on its left.
pub(super) fn comparison(operator: Binary, ty: Elementary) -> Make {
    let wide = matches!(ty, Elementary::Ulint | Elementary::Lword);
    match (operator, ty) {
        (Binary::Less, Elementary::String) => |_, to, a, b| Op::CompareText { relation: Relation::Less, to, a, b },
        (Binary::Greater, Elementary::String) => {
            |_, to, a, b| Op::CompareText { relation: Relation::Less, to, a: b, b: a }
        }
        (Binary::LessOrEqual, Elementary::String) => {
            |_, to, a, b| Op::CompareText { relation: Relation::NotMore, to, a, b }
        }
        (Binary::GreaterOrEqual, Elementary::String) => {
            |_, to, a, b| Op::CompareText { relation: Relation::NotMore, to, a: b, b: a }
        }
        (Binary::Equal, Elementary::String) => |_, to, a, b| Op::CompareText { relation: Relation::Equal, to, a, b },
        (_, Elementary::String) => |_, to, a, b| Op::CompareText { relation: Relation::Unequal, to, a, b },
        (Binary::Less, ty) if ty.is_real() => |_, to, a, b| Op::LessReal { to, a, b },
        (Binary::Greater, ty) if ty.is_real() => |_, to, a, b| Op::LessReal { to, a: b, b: a },
        (Binary::LessOrEqual, ty) if ty.is_real() => |_, to, a, b| Op::NotMoreReal { to, a, b },
        (Binary::GreaterOrEqual, ty) if ty.is_real() => |_, to, a, b| Op::NotMoreReal { to, a: b, b: a },
        (Binary::Equal, ty) if ty.is_real() => |_, to, a, b| Op::EqualReal { to, a, b },
        (_, ty) if ty.is_real() => |_, to, a, b| Op::UnequalReal { to, a, b },
        // Shorter unsigned values are no less as signed ones.
        (Binary::Less, _) if wide => |_, to, a, b| Op::LessUnsigned { to, a, b },
        (Binary::Greater, _) if wide => |_, to, a, b| Op::LessUnsigned { to, a: b, b: a },
        (Binary::LessOrEqual, _) if wide => |_, to, a, b| Op::NotMoreUnsigned { to, a, b },
        (Binary::GreaterOrEqual, _) if wide => |_, to, a, b| Op::NotMoreUnsigned { to, a: b, b: a },
        (Binary::Less, _) => |_, to, a, b| Op::LessSigned { to, a, b },
        (Binary::Greater, _) => |_, to, a, b| Op::LessSigned { to, a: b, b: a },
        (Binary::LessOrEqual, _) => |_, to, a, b| Op::NotMoreSigned { to, a, b },
        (Binary::GreaterOrEqual, _) => |_, to, a, b| Op::NotMoreSigned { to, a: b, b: a },
        (Binary::Equal, _) => |_, to, a, b| Op::Equal { to, a, b },
        (_, _) => |_, to, a, b| Op::Unequal { to, a, b },
    }
}

/// The type of a time to which a duration is added, and of what is left of two.
pub(super) fn between_times(operator: Binary, a: Elementary, b: Elementary) -> Option<Elementary> {
    use Elementary as E;
    match (operator, a, b) {
        (Binary::Add | Binary::Subtract, E::Time, E::Time) => Some(E::Time),
        (Binary::Add | Binary::Subtract, E::Dt | E::Tod, E::Time) => Some(a),
        (Binary::Add, E::Time, E::Dt | E::Tod) => Some(b),
        (Binary::Subtract, E::Dt, E::Dt)
        | (Binary::Subtract, E::Tod, E::Tod)
        | (Binary::Subtract, E::Date, E::Date) => Some(E::Time),
        _ => None,
    }
}
