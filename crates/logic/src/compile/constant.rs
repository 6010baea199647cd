//! Values, and what is known of them before the program runs. Apart, because bounds, labels and initial values need
//! what instructions compute otherwise; both go through the same instructions.

use super::{
    Compiler,
    types::{TypeId, limits},
};
use crate::{
    Span,
    run::{Code, Op, Slot},
    syntax::Expression,
    types::{Elementary, Raw},
};
use std::rc::Rc;

/// What an expression is.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) ty: TypeId,
    pub(super) origin: Origin,
}

/// Where a value is to be had.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A whole number without a type.
    Integer(i128),
    /// A number with a decimal point, without a type.
    Number(f64),
    /// Known before the program runs.
    Raw(Raw),
    /// A text that is known before the program runs.
    Text(Rc<[u8]>),
    /// In a slot when the program runs.
    Slot(Slot),
}

impl Value {
    pub(super) const fn integer(value: i128) -> Self {
        Self { ty: TypeId::INTEGER, origin: Origin::Integer(value) }
    }

    pub(super) const fn number(value: f64) -> Self {
        Self { ty: TypeId::NUMBER, origin: Origin::Number(value) }
    }

    pub(super) const fn raw(ty: TypeId, raw: Raw) -> Self {
        Self { ty, origin: Origin::Raw(raw) }
    }

    pub(super) const fn bool(on: bool) -> Self {
        Self::raw(TypeId::BOOL, on as Raw)
    }

    pub(super) const fn slot(ty: TypeId, slot: Slot) -> Self {
        Self { ty, origin: Origin::Slot(slot) }
    }

    /// The 64 bits of it, if they are known.
    pub(super) const fn known(&self) -> Option<Raw> {
        match self.origin {
            Origin::Raw(raw) => Some(raw),
            _ => None,
        }
    }

    pub(super) const fn is_constant(&self) -> bool {
        !matches!(self.origin, Origin::Slot(_))
    }
}

/// The whole number that `raw` is as a `ty`.
pub(super) const fn whole_of(raw: Raw, ty: Elementary) -> i128 {
    if ty.is_unsigned() || ty.is_bits() { raw as i128 } else { raw as i64 as i128 }
}

impl<'a> Compiler<'a> {
    /// The value of an expression that has to be known before the program runs.
    pub(super) fn constant_expression(
        &mut self,
        expression: &'a Expression,
        expected: Option<TypeId>,
    ) -> Option<Value> {
        let (mark, told) = (self.code.ops.len(), self.problems.len());
        let value = self.expression(expression, expected, None);
        self.code.ops.truncate(mark);
        if value.is_none() && self.problems.len() > told {
            return None;
        }
        let Some(value) = value.filter(Value::is_constant) else {
            let message = format!("`{}` is not known before the program runs", self.written(&expression.span));
            return self.fail(&expression.span, message, "write a literal, a VAR CONSTANT or what follows from them");
        };
        Some(value)
    }

    /// A whole number that is known before the program runs.
    pub(super) fn whole(&mut self, expression: &'a Expression) -> Option<i128> {
        let value = self.constant_expression(expression, None)?;
        match (value.origin, self.types.elementary(value.ty)) {
            (Origin::Integer(number), _) => Some(number),
            (Origin::Raw(raw), Some(ty)) if limits(ty).is_some() && ty != Elementary::Bool => Some(whole_of(raw, ty)),
            _ => {
                let message = format!("a whole number is needed here, and this is {}", self.types.name(value.ty));
                self.fail(&expression.span, message, "write a number without a decimal point")
            }
        }
    }

    /// What an instruction makes of values that are known. `make` makes the instruction from the slots of its result and
    /// of its operands.
    pub(super) fn folded(
        &mut self,
        span: &Span,
        ty: TypeId,
        operands: &[Raw],
        make: impl FnOnce(Slot, &[Slot]) -> Op,
    ) -> Option<Value> {
        let slots: Vec<Slot> = (1..=operands.len() as u32).map(Slot::absolute).collect();
        let memory = std::iter::once(0).chain(operands.iter().copied()).collect();
        let code = Code { ops: vec![make(Slot::absolute(0), &slots)], memory, ..Code::default() };
        match code.evaluate() {
            Ok(raw) => Some(Value::raw(ty, raw)),
            Err(why) => self.fail(span, why, "this can be told before the program runs"),
        }
    }
}
