//! Expressions as values. Apart, because what an expression means depends on what stands in it only, and what is done
//! with the value is a statement's part.

use super::{
    Compiler,
    constant::{Origin, Value},
    place::{At, Place},
    scope::Symbol,
    types::{Shape, TypeId},
};
use crate::{
    Span,
    run::Slot,
    syntax::{Expression, ExpressionKind, Literal, Name},
};

impl<'a> Compiler<'a> {
    /// The value of `expression`. `expected` is the type that is wanted where that can decide what a literal or a name
    /// means; `into` is where the value may go if it has to be computed. The value may be of another type, and elsewhere.
    pub(super) fn expression(
        &mut self,
        expression: &'a Expression,
        expected: Option<TypeId>,
        into: Option<Slot>,
    ) -> Option<Value> {
        let span = &expression.span;
        match &expression.kind {
            ExpressionKind::Literal(literal) => self.literal(literal, span),
            ExpressionKind::Name(name) => {
                let symbol = self.find(name, expected)?;
                if let Some(value) = self.fixed(symbol, span) {
                    return value;
                }
                let place = self.place_of(symbol, name)?;
                self.single(&place, span, into)
            }
            ExpressionKind::Enumerated { of, value } => {
                let ty = self.type_called(of)?;
                self.enumerated_in(ty, value)
            }
            ExpressionKind::Field(of, name) => match self.enumeration_named(of) {
                Some(ty) => self.enumerated_in(ty, name),
                None => {
                    let place = self.place(expression)?;
                    self.single(&place, span, into)
                }
            },
            ExpressionKind::Address(_) | ExpressionKind::Index(..) | ExpressionKind::Part { .. } => {
                let place = self.place(expression)?;
                self.single(&place, span, into)
            }
            ExpressionKind::Unary(operator, operand) => {
                let value = self.expression(operand, expected, None)?;
                self.unary(*operator, value, span, into)
            }
            ExpressionKind::Binary(operator, a, b) => {
                let wanted = expected.filter(|_| !operator.compares());
                let a_value = self.expression(a, wanted, None);
                // Beside a value of an enumeration a name is most likely another one of it.
                let beside = a_value.as_ref().map(|value| value.ty);
                let beside = beside.filter(|ty| matches!(self.types.shape(*ty), Shape::Enumeration(_)));
                let b_value = self.expression(b, beside.or(wanted), None);
                self.binary(*operator, (a_value?, &a.span), (b_value?, &b.span), wanted, into)
            }
            ExpressionKind::Call { callee, arguments } => {
                let value = self.function_call(callee, arguments, expected, into, span)?;
                if self.types.storage(value.ty).is_none() {
                    let message = format!("{} is no single value", self.types.name(value.ty));
                    return self.fail(span, message, "assign it to a variable of that type first");
                }
                Some(value)
            }
        }
    }

    fn literal(&mut self, literal: &Literal, span: &Span) -> Option<Value> {
        let (value, ty) = match literal {
            Literal::Bool(on) => return Some(Value::bool(*on)),
            Literal::Time { value, ty } => return Some(Value::raw(TypeId::of(*ty), *value as u64)),
            Literal::Text(octets) => {
                return Some(Value { ty: TypeId::STRING, origin: Origin::Text((&**octets).into()) });
            }
            Literal::Integer { value, ty } => (Value::integer(*value), ty),
            Literal::Real { value, ty } => (Value::number(*value), ty),
        };
        match ty {
            Some(ty) => self.converted(value, TypeId::of(*ty), span, None),
            None => Some(value),
        }
    }

    /// The value of a variable that has a single one.
    fn single(&mut self, place: &Place, span: &Span, into: Option<Slot>) -> Option<Value> {
        if self.types.storage(place.ty).is_none() {
            let message = format!("`{}` is {} and no single value", self.written(span), self.types.name(place.ty));
            let hint = match self.types.shape(place.ty) {
                Shape::Array { .. } => "name one of its elements, as in x[1]",
                Shape::Structure(_) => "name one of its fields, as in x.y",
                _ => "name one of its outputs, as in x.Q",
            };
            return self.fail(span, message, hint);
        }
        Some(self.read(place, into))
    }

    /// The declared type called `name`.
    pub(super) fn type_called(&mut self, name: &Name) -> Option<TypeId> {
        let Some(index) = self.type_names.get(&*name.key).copied() else {
            let known: Vec<&str> = self.type_names.keys().copied().collect();
            return self.unknown("type", name, &known);
        };
        let source = self.source;
        let declared = source.types.get(index)?;
        self.declared_type(index, &declared.name)
    }

    /// The enumeration that an expression names, as some write `Colour.Red`.
    fn enumeration_named(&mut self, expression: &Expression) -> Option<TypeId> {
        let ExpressionKind::Name(name) = &expression.kind else { return None };
        let variable = self.own(self.here, &name.key).or_else(|| self.own(0, &name.key)).is_some();
        if variable || !self.type_names.contains_key(&*name.key) {
            return None;
        }
        let ty = self.type_called(name)?;
        matches!(self.types.shape(ty), Shape::Enumeration(_)).then_some(ty)
    }

    fn enumerated_in(&mut self, ty: TypeId, name: &Name) -> Option<Value> {
        match self.value_in(ty, &name.key) {
            Some(value) => Some(Value::raw(ty, value as u64)),
            None => {
                let known: Vec<String> = match self.types.shape(ty) {
                    Shape::Enumeration(values) => values.iter().map(|value| value.name.text.to_string()).collect(),
                    _ => Vec::new(),
                };
                let known: Vec<&str> = known.iter().map(|name| &**name).collect();
                self.unknown(&format!("value of {}", self.types.name(ty).to_owned()), name, &known)
            }
        }
    }

    /// Where the value of an array, a structure or a function's result of such a type lies.
    pub(super) fn aggregate(&mut self, expression: &'a Expression, ty: TypeId) -> Option<At> {
        let span = &expression.span;
        let (found, at) = match &expression.kind {
            ExpressionKind::Call { callee, arguments } => {
                let value = self.function_call(callee, arguments, Some(ty), None, span)?;
                let at = At::Slot(self.slot(&value));
                (value.ty, at)
            }
            ExpressionKind::Name(name) => {
                let symbol = self.find(name, Some(ty))?;
                if let Symbol::Constant(_) | Symbol::Enumerated { .. } = symbol {
                    let value = self.fixed(symbol, span)??;
                    (value.ty, At::Slot(self.slot(&value)))
                } else {
                    let place = self.place_of(symbol, name)?;
                    (place.ty, place.at)
                }
            }
            ExpressionKind::Field(..) | ExpressionKind::Index(..) | ExpressionKind::Address(_) => {
                let place = self.place(expression)?;
                (place.ty, place.at)
            }
            _ => {
                let value = self.expression(expression, None, None)?;
                let slot = self.slot(&value);
                (value.ty, At::Slot(slot))
            }
        };
        if !self.types.same(found, ty) {
            let message = format!("{} is needed here, and this is {}", self.types.name(ty), self.types.name(found));
            return self.fail(span, message, "a whole array or structure is assigned to one of the same type only");
        }
        Some(at)
    }
}
