//! Conversions that need not be written, and what to say of those that do. Apart, because assignments, operators and
//! calls all convert by the same table.
//!
//! It is that of the third edition (§6.6.1.6, figure 12) with one thing more: DINT and UDINT convert to REAL, LINT and
//! ULINT to LREAL, as TIA Portal, CODESYS and others let them. Only the last digits of a very long number are lost, which
//! is what anybody expects who calculates with REAL.

use super::{
    Compiler, Hint,
    constant::{Origin, Value, whole_of},
    types::{Shape, TypeId, limits},
};
use crate::{
    Span,
    run::{Bounds, Op, Slot},
    types::{Elementary, Raw},
};

/// From the smallest on, the types in which numbers of different types can meet.
const MEETING: [Elementary; 6] =
    [Elementary::Int, Elementary::Dint, Elementary::Lint, Elementary::Ulint, Elementary::Real, Elementary::Lreal];

/// Whether a value of one type is one of the other as well.
pub(super) const fn widens(from: Elementary, to: Elementary) -> bool {
    use Elementary as E;
    match to {
        E::Sint | E::Usint | E::Bool => false,
        E::Int => matches!(from, E::Sint | E::Usint),
        E::Dint => matches!(from, E::Sint | E::Usint | E::Int | E::Uint),
        E::Lint => matches!(from, E::Sint | E::Usint | E::Int | E::Uint | E::Dint | E::Udint),
        E::Uint => matches!(from, E::Usint),
        E::Udint => matches!(from, E::Usint | E::Uint),
        E::Ulint => matches!(from, E::Usint | E::Uint | E::Udint),
        E::Real => from.is_integer() && !matches!(from, E::Lint | E::Ulint),
        E::Lreal => from.is_integer() || matches!(from, E::Real),
        E::Byte => matches!(from, E::Bool),
        E::Word => matches!(from, E::Bool | E::Byte),
        E::Dword => matches!(from, E::Bool | E::Byte | E::Word),
        E::Lword => matches!(from, E::Bool | E::Byte | E::Word | E::Dword),
        E::Time | E::Date | E::Tod | E::Dt | E::String => false,
    }
}

/// The smallest type that values of both types are of.
pub(super) fn meeting(a: Elementary, b: Elementary) -> Option<Elementary> {
    if a == b || widens(b, a) {
        return Some(a);
    }
    if widens(a, b) {
        return Some(b);
    }
    MEETING.into_iter().find(|ty| widens(a, *ty) && widens(b, *ty))
}

/// The type as the names of conversion functions have it.
const fn short(ty: Elementary) -> &'static str {
    match ty {
        Elementary::Tod => "TOD",
        Elementary::Dt => "DT",
        _ => ty.name(),
    }
}

impl Compiler<'_> {
    /// What would make a `to` of a `from`.
    pub(super) fn conversion(&self, from: TypeId, to: TypeId) -> Option<String> {
        if let Shape::Enumeration(values) = self.types.shape(to) {
            let some: Vec<&str> = values.iter().take(8).map(|value| &*value.name.text).collect();
            return Some(format!("its values are {}", some.join(", ")));
        }
        if from.is_open() {
            return match self.types.elementary(to)? {
                Elementary::Time => Some("write a duration as T#5s".into()),
                Elementary::Bool => Some("write TRUE or FALSE, or compare it".into()),
                Elementary::String => Some("write a text in quotes".into()),
                ty if from == TypeId::NUMBER && ty.is_integer() => Some("write it without a decimal point".into()),
                _ => None,
            };
        }
        let (from, to) = (self.types.elementary(from)?, self.types.elementary(to)?);
        let name = format!("{}_TO_{}", short(from), short(to));
        if to == Elementary::Bool {
            return Some("compare it, as in x <> 0".into()).filter(|_| from != Elementary::String);
        }
        crate::library::function(&name).map(|_| format!("use {name}(…)"))
    }

    /// `value` as a `to`, if it is one or becomes one by itself. `into` is where it may go if it has to be computed.
    pub(super) fn converted(&mut self, value: Value, to: TypeId, span: &Span, into: Option<Slot>) -> Option<Value> {
        if let Some(base) = self.subrange(to) {
            let value = self.converted(value, base, span, into)?;
            return self.inside(value, to, span);
        }
        if let (Origin::Integer(_) | Origin::Number(_), Some(ty)) = (&value.origin, self.types.elementary(to)) {
            return self.closed(&value, ty, to, span);
        }
        if self.types.same(value.ty, to) {
            return Some(Value { ty: to, ..value });
        }
        let types = (self.types.elementary(value.ty), self.types.elementary(to));
        if let (Some(from), Some(ty)) = types
            && widens(from, ty)
        {
            return self.widened(value, from, ty, to, span, into);
        }
        let (from_name, to_name) = (self.types.name(value.ty), self.types.name(to));
        let message = format!("{to_name} is needed here, and `{}` is {from_name}", self.written(span));
        let hint = self.conversion(value.ty, to);
        self.fail(span, message, hint)
    }

    /// The same for a value that has to stay known.
    pub(super) fn converted_constant(&mut self, value: Value, to: TypeId, span: &Span) -> Option<Value> {
        let mark = self.code.ops.len();
        let value = self.converted(value, to, span, None);
        self.code.ops.truncate(mark);
        value
    }

    fn subrange(&self, ty: TypeId) -> Option<TypeId> {
        match self.types.shape(ty) {
            Shape::Subrange { base, .. } => Some(TypeId::of(*base)),
            _ => None,
        }
    }

    /// A value of the base of the subrange `to`, which has to lie inside of it.
    fn inside(&mut self, value: Value, to: TypeId, span: &Span) -> Option<Value> {
        let Shape::Subrange { base, low, high } = *self.types.shape(to) else { return Some(value) };
        if let Some(raw) = value.known() {
            let number = whole_of(raw, base);
            if !(low..=high).contains(&number) {
                let message = format!("{number} is outside of {low}..{high}");
                return self.fail(span, message, format!("it is {}", self.types.name(to)));
            }
        } else {
            let of = self.types.name(to).into();
            let bounds = self.bounds(Bounds { low, high, count: 0, stride: 0, unsigned: base.is_unsigned(), of });
            let slot = self.slot(&value);
            self.emit(Op::Range { value: slot, bounds });
        }
        Some(Value { ty: to, ..value })
    }

    /// A literal without a type as a `ty`.
    fn closed(&mut self, value: &Value, ty: Elementary, to: TypeId, span: &Span) -> Option<Value> {
        let raw: Option<Raw> = match (&value.origin, ty) {
            (Origin::Integer(number), _) if ty.is_real() => Some(ty.narrow((*number as f64).to_bits())),
            (Origin::Number(number), _) if ty.is_real() => Some(ty.narrow(number.to_bits())),
            (Origin::Integer(number), _) => {
                if let Some((low, high)) = limits(ty)
                    && !(low..=high).contains(number)
                {
                    let message = format!("{number} is outside of what {} holds", ty.name());
                    return self.fail(span, message, format!("{} goes from {low} to {high}", ty.name()));
                }
                limits(ty).map(|_| *number as Raw)
            }
            _ => None,
        };
        match raw {
            Some(raw) if ty != Elementary::Real || f64::from_bits(raw).is_finite() => Some(Value::raw(to, raw)),
            Some(_) => self.fail(span, "this number is too large for REAL", "a REAL goes up to 3.4E38; use LREAL"),
            None => {
                let message =
                    format!("{} is needed here, and `{}` is a number", self.types.name(to), self.written(span));
                let hint = self.conversion(value.ty, to);
                self.fail(span, message, hint)
            }
        }
    }

    fn widened(
        &mut self,
        value: Value,
        from: Elementary,
        ty: Elementary,
        to: TypeId,
        span: &Span,
        into: Option<Slot>,
    ) -> Option<Value> {
        if !ty.is_real() || from.is_real() {
            // The 64 bits are the same.
            return Some(Value { ty: to, ..value });
        }
        let make = move |to: Slot, a: Slot| match from.is_unsigned() {
            true => Op::UnsignedToReal { to, a },
            false => Op::SignedToReal { to, a },
        };
        let exact = ty == Elementary::Lreal || !matches!(from, Elementary::Dint | Elementary::Udint);
        if let Some(raw) = value.known() {
            let folded = self.folded(span, to, &[raw], |to, slots| make(to, first(slots)))?;
            return Some(Value::raw(to, ty.narrow(folded.known().unwrap_or(0))));
        }
        let (a, slot) = (self.slot(&value), into.unwrap_or_else(|| self.temporary()));
        self.emit(make(slot, a));
        if !exact {
            self.emit(Op::Round { to: slot, a: slot });
        }
        Some(Value::slot(to, slot))
    }

    /// The type that a literal gets where nothing else decides.
    pub(super) fn type_of_literal(&self, value: &Value) -> TypeId {
        let of = |number: i128| {
            let fits = |ty: &Elementary| limits(*ty).is_some_and(|(low, high)| (low..=high).contains(&number));
            [Elementary::Int, Elementary::Dint, Elementary::Lint].into_iter().find(fits).unwrap_or(Elementary::Ulint)
        };
        TypeId::of(match value.origin {
            Origin::Integer(number) => of(number),
            Origin::Number(_) if value.ty.is_open() => Elementary::Real,
            _ => return value.ty,
        })
    }

    /// `value` with a type, whatever it may be.
    pub(super) fn settled(&mut self, value: Value, span: &Span) -> Option<Value> {
        if !value.ty.is_open() {
            return Some(value);
        }
        let ty = self.type_of_literal(&value);
        self.converted(value, ty, span, None)
    }

    /// The condition that `value` has to be.
    pub(super) fn condition(&mut self, value: Value, span: &Span) -> Option<Value> {
        if self.types.elementary(value.ty) == Some(Elementary::Bool) {
            return Some(value);
        }
        let message = format!("a condition is BOOL, and `{}` is {}", self.written(span), self.types.name(value.ty));
        self.fail(span, message, Hint::from("compare it, as in x <> 0"))
    }
}

/// The only operand.
pub(super) fn first(slots: &[Slot]) -> Slot {
    slots.first().copied().unwrap_or(Slot::absolute(0))
}
