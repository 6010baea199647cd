//! Operators between values (§7.3.2, table 71). Apart, because here the types of operands meet.
//!
//! Both operands of AND and OR are computed, as the standard allows; in a condition the second one is left out where
//! nobody could notice.

use super::{
    Compiler, Hint,
    constant::{Origin, Value},
    convert::{first, meeting, widens},
    instruction::{Make, arithmetic, between_times, comparison},
    types::{Shape, TypeId, limits, spare},
};
use crate::{
    Span,
    run::{Op, Slot},
    syntax::{Binary, Unary},
    types::Elementary,
};

/// The types of whole numbers and bits, the smaller ones first.
const WHOLE: [Elementary; 9] = [
    Elementary::Word,
    Elementary::Dword,
    Elementary::Lword,
    Elementary::Int,
    Elementary::Uint,
    Elementary::Dint,
    Elementary::Udint,
    Elementary::Lint,
    Elementary::Ulint,
];

impl Compiler<'_> {
    /// The value of an operator between two values.
    pub(super) fn binary(
        &mut self,
        operator: Binary,
        (a, a_span): (Value, &Span),
        (b, b_span): (Value, &Span),
        expected: Option<TypeId>,
        into: Option<Slot>,
    ) -> Option<Value> {
        let span = a_span.start..b_span.end;
        if a.ty.is_open() && b.ty.is_open() {
            return self.open(operator, &a, &b, expected, &span);
        }
        let types = (self.types.elementary(a.ty), self.types.elementary(b.ty));
        if operator == Binary::Power {
            return self.power((a, a_span), (b, b_span), expected, into);
        }
        if let (Some(a_ty), Some(b_ty)) = types {
            if let Some(ty) = between_times(operator, a_ty, b_ty) {
                return self.of_times(operator, a, b, ty, &span, into);
            }
            if operator == Binary::Multiply && b_ty == Elementary::Time && a_ty != Elementary::Time {
                return self.scaled(operator, b, (a, a_span), &span, into);
            }
            let scales = matches!(operator, Binary::Multiply | Binary::Divide) && b_ty != Elementary::Time;
            if scales && a_ty == Elementary::Time {
                return self.scaled(operator, a, (b, b_span), &span, into);
            }
        }
        let Some(ty) = self.common(&a, &b) else {
            let (a_name, b_name) = (self.types.name(a.ty).to_owned(), self.types.name(b.ty).to_owned());
            let message = format!("{} between {a_name} and {b_name}", operator.sign());
            let logical = matches!(operator, Binary::And | Binary::Or | Binary::Xor);
            let useful = |to: TypeId| match self.types.elementary(to) {
                Some(ty) if logical => ty.is_bits(),
                ty => ty != Some(Elementary::Bool),
            };
            let one = self.conversion(b.ty, a.ty).filter(|_| useful(a.ty));
            let other = || self.conversion(a.ty, b.ty).filter(|_| useful(b.ty));
            let hint = one.or_else(other);
            return self.fail(&span, message, hint);
        };
        let (a, b) = (self.converted(a, ty, a_span, None)?, self.converted(b, ty, b_span, None)?);
        let storage = self.types.storage(ty)?;
        let enumerated = matches!(self.types.shape(ty), Shape::Enumeration(_));
        if operator.compares() {
            return self.made(comparison(operator, storage), (a, b), TypeId::BOOL, storage, &span, into);
        }
        match arithmetic(operator, storage).filter(|_| !enumerated) {
            Some(make) => self.made(make, (a, b), ty, storage, &span, into),
            None => {
                let message = format!("{} between values of {}", operator.sign(), self.types.name(ty));
                let hint = match operator {
                    Binary::And | Binary::Or | Binary::Xor => Hint::from("only BOOL and the bit strings have it"),
                    _ if storage == Elementary::Bool => Hint::from("AND, OR and XOR are for BOOL"),
                    _ if storage.is_bits() => {
                        let to = TypeId::of(match storage {
                            Elementary::Byte => Elementary::Usint,
                            Elementary::Word => Elementary::Uint,
                            Elementary::Dword => Elementary::Udint,
                            _ => Elementary::Ulint,
                        });
                        Hint::from(self.conversion(ty, to))
                    }
                    _ if storage == Elementary::String => Hint::from("CONCAT joins texts"),
                    _ => Hint(None),
                };
                self.fail(&span, message, hint)
            }
        }
    }

    /// The type in which two values meet; that of the other one for a literal.
    pub(super) fn common(&self, a: &Value, b: &Value) -> Option<TypeId> {
        let (a_ty, b_ty) = (self.types.elementary(a.ty), self.types.elementary(b.ty));
        match (a.ty.is_open(), b.ty.is_open()) {
            (true, false) => self.common(b, a),
            (false, true) => {
                let ty = a_ty?;
                let base = TypeId::of(ty);
                match b.ty {
                    // 0.5 beside a whole number makes a REAL of it.
                    TypeId::NUMBER if ty.is_integer() => meeting(ty, Elementary::Real).map(TypeId::of),
                    TypeId::NUMBER => ty.is_real().then_some(base),
                    _ if ty.is_real() => Some(base),
                    // 40000 beside an INT makes a DINT of it.
                    _ => match (&b.origin, limits(ty)?) {
                        (Origin::Integer(number), (low, high)) if !(low..=high).contains(number) => {
                            let wider = self.literal_beside(*number, ty);
                            Some(wider.map_or(base, TypeId::of))
                        }
                        _ => Some(base),
                    },
                }
            }
            _ if self.types.same(a.ty, b.ty) => Some(a_ty.map_or(a.ty, TypeId::of)),
            _ => meeting(a_ty?, b_ty?).map(TypeId::of),
        }
    }

    /// The smallest type that has `number`, and all that `ty` has.
    fn literal_beside(&self, number: i128, ty: Elementary) -> Option<Elementary> {
        let fits = |wider: &Elementary| {
            widens(ty, *wider) && limits(*wider).is_some_and(|(low, high)| (low..=high).contains(&number))
        };
        WHOLE.into_iter().find(fits)
    }

    /// The instruction `make` on `a` and `b`, done at once if they are known.
    fn made(
        &mut self,
        make: Make,
        (a, b): (Value, Value),
        ty: TypeId,
        operands: Elementary,
        span: &Span,
        into: Option<Slot>,
    ) -> Option<Value> {
        let bits = spare(operands);
        if let (Some(a), Some(b)) = (a.known(), b.known()) {
            return self.folded(span, ty, &[a, b], |to, slots| make(bits, to, first(slots), last(slots)));
        }
        let (a, b) = (self.slot(&a), self.slot(&b));
        let to = into.unwrap_or_else(|| self.temporary());
        self.emit(make(bits, to, a, b));
        Some(Value::slot(ty, to))
    }

    /// Between two literals without a type: the result has none either.
    fn open(&mut self, operator: Binary, a: &Value, b: &Value, expected: Option<TypeId>, span: &Span) -> Option<Value> {
        let real = expected.and_then(|ty| self.types.elementary(ty)).is_some_and(Elementary::is_real);
        // Where a REAL is wanted, 5 / 2 is 2.5; MOD is of whole numbers anyway.
        let whole = match (&a.origin, &b.origin) {
            (Origin::Integer(a), Origin::Integer(b)) if !(real && operator == Binary::Divide) => Some((*a, *b)),
            _ => None,
        };
        if let Some((a, b)) = whole
            && (operator != Binary::Power || b >= 0)
        {
            let result = match operator {
                Binary::Add => a.checked_add(b),
                Binary::Subtract => a.checked_sub(b),
                Binary::Multiply => a.checked_mul(b),
                Binary::Divide => a.checked_div(b),
                Binary::Modulo => Some(a.checked_rem(b).unwrap_or(0)),
                Binary::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
                Binary::And => Some(a & b),
                Binary::Or => Some(a | b),
                Binary::Xor => Some(a ^ b),
                _ => return Some(Value::bool(ordered(operator, a.cmp(&b)))),
            };
            let Some(result) = result else {
                let why = if b == 0 { "division by zero" } else { "this number is too large" };
                return self.fail(span, why, "this can be told before the program runs");
            };
            return Some(Value::integer(result));
        }
        let number = |value: &Value| match value.origin {
            Origin::Integer(number) => number as f64,
            Origin::Number(number) => number,
            _ => 0.0,
        };
        let (a, b) = (number(a), number(b));
        Some(Value::number(match operator {
            Binary::Add => a + b,
            Binary::Subtract => a - b,
            Binary::Multiply => a * b,
            Binary::Divide => a / b,
            Binary::Power => a.powf(b),
            operator if operator.compares() => {
                return Some(Value::bool(a.partial_cmp(&b).is_some_and(|order| ordered(operator, order))));
            }
            _ => {
                let message = format!("{} between numbers with a decimal point", operator.sign());
                return self.fail(span, message, Hint(None));
            }
        }))
    }

    /// `**`: REAL, or LREAL if one operand is LREAL.
    fn power(
        &mut self,
        (a, a_span): (Value, &Span),
        (b, b_span): (Value, &Span),
        expected: Option<TypeId>,
        into: Option<Slot>,
    ) -> Option<Value> {
        let types = [&a, &b].map(|value| (!value.ty.is_open()).then(|| self.types.elementary(value.ty)).flatten());
        let expected = expected.and_then(|ty| self.types.elementary(ty)).filter(|ty| *ty == Elementary::Lreal);
        let types = types.into_iter().chain([expected]).flatten();
        let ty = types.fold(Elementary::Real, |ty, other| meeting(ty, other).unwrap_or(ty));
        let id = TypeId::of(ty);
        let (a, b) = (self.converted(a, id, a_span, None)?, self.converted(b, id, b_span, None)?);
        let span = a_span.start..b_span.end;
        let value = self.made(|_, to, a, b| Op::Power { to, a, b }, (a, b), id, ty, &span, into)?;
        if ty == Elementary::Lreal {
            return Some(value);
        }
        self.once(|to, a| Op::Round { to, a }, value, id, &span, into)
    }

    fn of_times(
        &mut self,
        operator: Binary,
        a: Value,
        b: Value,
        ty: Elementary,
        span: &Span,
        into: Option<Slot>,
    ) -> Option<Value> {
        let make = arithmetic(operator, Elementary::Lint)?;
        let id = TypeId::of(ty);
        let value = self.made(make, (a, b), id, Elementary::Lint, span, into)?;
        match ty {
            Elementary::Tod => self.once(|to, a| Op::DayTime { to, a }, value, id, span, into),
            _ => Some(value),
        }
    }

    /// A duration times or divided by a number.
    fn scaled(
        &mut self,
        operator: Binary,
        time: Value,
        (number, number_span): (Value, &Span),
        span: &Span,
        into: Option<Slot>,
    ) -> Option<Value> {
        let (id, long) = (TypeId::of(Elementary::Time), TypeId::of(Elementary::Lreal));
        let number = self.settled(number, number_span)?;
        let exact = |ty: Elementary| ty.is_integer() && ty != Elementary::Ulint;
        if self.types.elementary(number.ty).is_some_and(exact) {
            let make = arithmetic(operator, Elementary::Lint)?;
            return self.made(make, (time, number), id, Elementary::Lint, span, into);
        }
        let number = self.converted(number, long, number_span, None)?;
        let time = self.once(|to, a| Op::SignedToReal { to, a }, time, long, span, None)?;
        let make = arithmetic(operator, Elementary::Lreal)?;
        let value = self.made(make, (time, number), long, Elementary::Lreal, span, None)?;
        self.once(|to, a| Op::RealToSigned { to, a }, value, id, span, into)
    }

    /// An instruction on one value.
    fn once(
        &mut self,
        make: fn(Slot, Slot) -> Op,
        value: Value,
        ty: TypeId,
        span: &Span,
        into: Option<Slot>,
    ) -> Option<Value> {
        if let Some(raw) = value.known() {
            return self.folded(span, ty, &[raw], |to, slots| make(to, first(slots)));
        }
        let (a, to) = (self.slot(&value), into.unwrap_or_else(|| self.temporary()));
        self.emit(make(to, a));
        Some(Value::slot(ty, to))
    }

    /// The value of an operator before a value.
    pub(super) fn unary(&mut self, operator: Unary, value: Value, span: &Span, into: Option<Slot>) -> Option<Value> {
        let ty = self.types.elementary(value.ty).map_or(value.ty, TypeId::of);
        let storage = self.types.elementary(value.ty);
        match (operator, &value.origin, storage) {
            (Unary::Minus, Origin::Integer(number), _) => Some(Value::integer(number.checked_neg()?)),
            (Unary::Minus, Origin::Number(number), _) => Some(Value::number(-number)),
            (Unary::Minus, _, Some(ty_of)) if ty_of.is_real() => {
                self.once(|to, a| Op::NegateReal { to, a }, value, ty, span, into)
            }
            (Unary::Minus, _, Some(ty_of)) if ty_of.is_signed() || ty_of == Elementary::Time => {
                let make: Make = |spare, to, a, b| Op::SubSigned { spare, to, a, b };
                self.made(make, (Value::raw(ty, 0), value), ty, ty_of, span, into)
            }
            (Unary::Not, Origin::Raw(_) | Origin::Slot(_), Some(ty_of)) if ty_of.is_bits() => {
                let make: Make = |spare, to, a, _| Op::Not { spare, to, a };
                self.made(make, (value.clone(), value), ty, ty_of, span, into)
            }
            (Unary::Minus, ..) => {
                let message = format!("{} has no negative values", self.types.name(value.ty));
                self.fail(span, message, "convert it to a signed type first, as with UINT_TO_DINT(…)")
            }
            (Unary::Not, ..) => {
                let message = format!("NOT of {}", self.types.name(value.ty));
                self.fail(span, message, "only BOOL and the bit strings have it")
            }
        }
    }
}

fn last(slots: &[Slot]) -> Slot {
    slots.last().copied().unwrap_or(Slot::absolute(0))
}

fn ordered(operator: Binary, order: std::cmp::Ordering) -> bool {
    match operator {
        Binary::Less => order.is_lt(),
        Binary::Greater => order.is_gt(),
        Binary::LessOrEqual => order.is_le(),
        Binary::GreaterOrEqual => order.is_ge(),
        Binary::Equal => order.is_eq(),
        _ => order.is_ne(),
    }
}
