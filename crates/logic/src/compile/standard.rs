//! Calls of the standard functions (§6.6.2.5). Apart, because their parameters are of generic types, which the arguments
//! of each call settle.

use super::{
    Compiler, Hint,
    constant::{Origin, Value},
    convert::{meeting, widens},
    types::{Shape, TypeId},
};
use crate::{
    Span,
    library::{Class, Compute, Function},
    run::{Computation, Op, Slot},
    syntax::{Argument, Expression},
    types::{Elementary, Raw},
};

/// Of the types without a context, those that a literal is tried as, from the smallest on.
const BITS: [Elementary; 4] = [Elementary::Byte, Elementary::Word, Elementary::Dword, Elementary::Lword];

/// Whether a type is one of a class.
fn holds(class: Class, ty: Elementary) -> bool {
    match class {
        Class::Exactly(only) => ty == only,
        Class::AnyMagnitude => ty.is_integer() || ty.is_real() || ty == Elementary::Time,
        Class::AnyNumber => ty.is_integer() || ty.is_real(),
        Class::AnyInteger => ty.is_integer(),
        Class::AnyReal => ty.is_real(),
        Class::AnyBits => ty.is_bits(),
        Class::AnyElementary => true,
    }
}

/// A class as messages name it.
const fn described(class: Class) -> &'static str {
    match class {
        Class::Exactly(ty) => ty.name(),
        Class::AnyMagnitude => "a number or a TIME",
        Class::AnyNumber => "a number",
        Class::AnyInteger => "an integer",
        Class::AnyReal => "a REAL or LREAL",
        Class::AnyBits => "a bit string",
        Class::AnyElementary => "a single value",
    }
}

impl<'a> Compiler<'a> {
    /// The value of a standard function.
    pub(super) fn standard(
        &mut self,
        function: &Function,
        arguments: &'a [Argument],
        expected: Option<TypeId>,
        into: Option<Slot>,
        span: &Span,
    ) -> Option<Value> {
        let given = self.parameters(function, arguments, span)?;
        let Ok(count) = u8::try_from(given.len()) else {
            return self.fail(span, format!("{} takes at most 255 arguments", function.name), Hint(None));
        };
        let first = self.temporaries(count.into());
        let mut values: Vec<(Class, Value, &'a Expression)> = Vec::new();
        for (offset, (class, expression)) in (0..).zip(&given) {
            let wanted = match class {
                Class::Exactly(ty) => Some(TypeId::of(*ty)),
                class if *class == function.result => expected,
                _ => None,
            };
            if let Some(value) = self.expression(expression, wanted, Some(first.plus(offset))) {
                values.push((*class, value, expression));
            }
        }
        if values.len() < given.len() {
            return None;
        }
        let mut settled: Vec<(Class, TypeId)> = Vec::new();
        for (class, ..) in &values {
            if !settled.iter().any(|(other, _)| other == class) {
                let expected = expected.filter(|_| *class == function.result);
                let ty = self.generic(*class, &values, expected, function, span)?;
                settled.push((*class, ty));
            }
        }
        let of = |class: Class| settled.iter().find(|(other, _)| *other == class).map(|(_, ty)| *ty);
        let result = match function.result {
            Class::Exactly(ty) => TypeId::of(ty),
            generic => of(generic)?,
        };
        let generic = settled.iter().find(|(class, _)| !matches!(class, Class::Exactly(_))).or(settled.first());
        let decisive = match function.result {
            Class::Exactly(_) => generic.map_or(result, |(_, ty)| *ty),
            _ => result,
        };
        let decisive = self.types.storage(decisive)?;
        let mut slots = Vec::new();
        for (offset, (class, value, expression)) in (0..).zip(values) {
            let place = first.plus(offset);
            let value = self.converted(value, of(class)?, &expression.span, Some(place))?;
            slots.push((place, value));
        }
        if let Some(known) = self.known_result(function, decisive, &slots, result, span) {
            return known;
        }
        let texts: Box<[bool]> = slots.iter().map(|(_, value)| self.types.is_text(value.ty)).collect();
        for (to, value) in &slots {
            let from = self.slot(value);
            if from != *to {
                self.emit(Op::Copy { to: *to, from });
            }
        }
        let Ok(number) = u16::try_from(self.code.computations.len()) else {
            return self.fail(span, "more than 65535 functions are called", Hint(None));
        };
        self.code.computations.push(Computation { compute: function.compute, ty: decisive, texts });
        let to = match self.types.is_text(result) {
            true => self.temporary_text(),
            false => into.unwrap_or_else(|| self.temporary()),
        };
        self.emit(Op::Compute { count, function: number, to, first });
        Some(Value::slot(result, to))
    }

    /// The result, if it can be computed now.
    fn known_result(
        &mut self,
        function: &Function,
        decisive: Elementary,
        slots: &[(Slot, Value)],
        result: TypeId,
        span: &Span,
    ) -> Option<Option<Value>> {
        let compute = match function.compute {
            Compute::Number(compute) => compute,
            Compute::Either(compute, _) if decisive != Elementary::String => compute,
            Compute::Either(..) | Compute::Text(_) => return None,
        };
        let known: Option<Vec<Raw>> = slots.iter().map(|(_, value)| value.known()).collect();
        Some(match compute(decisive, &known?) {
            Ok(raw) => Some(Value::raw(result, raw)),
            Err(why) => self.fail(span, why, "this can be told before the program runs"),
        })
    }

    /// The arguments in the order of the parameters, each with what the parameter takes.
    fn parameters(
        &mut self,
        function: &Function,
        arguments: &'a [Argument],
        span: &Span,
    ) -> Option<Vec<(Class, &'a Expression)>> {
        let inputs = &function.inputs;
        let last = inputs.len().saturating_sub(1);
        let most = if function.extensible { usize::from(u8::MAX) } else { inputs.len() };
        let mut given: Vec<Option<&'a Expression>> = Vec::new();
        for (position, argument) in arguments.iter().enumerate() {
            let (index, value) = match argument {
                Argument::Positional(value) => (Some(position).filter(|index| *index < most), value),
                Argument::Input { name, value } => {
                    let index = self.parameter(function, &name.key);
                    if index.is_none() {
                        let known: Vec<&str> = inputs.iter().map(|input| &*input.name).collect();
                        return self.unknown(&format!("input of {}", function.name), name, &known);
                    }
                    (index, value)
                }
                Argument::Output { name, .. } => {
                    let message = format!("{} has no output {}", function.name, name.text);
                    return self.fail(&name.span, message, "use its result");
                }
            };
            let Some(index) = index else {
                let message = format!("{} takes {} arguments", function.name, inputs.len());
                return self.fail(&value.span, message, named(function));
            };
            if given.len() <= index {
                given.resize(index + 1, None);
            }
            match given.get_mut(index) {
                Some(place @ None) => *place = Some(value),
                _ => return self.fail(&value.span, "this argument is given twice", Hint(None)),
            }
        }
        if given.len() < inputs.len() {
            given.resize(inputs.len(), None);
        }
        let mut found = Vec::new();
        for (index, value) in given.into_iter().enumerate() {
            let Some(input) = inputs.get(index.min(last)) else { continue };
            let Some(value) = value else {
                let message = format!("the argument {} of {} is missing", input.name, function.name);
                return self.fail(span, message, named(function));
            };
            found.push((input.class, value));
        }
        Some(found)
    }

    /// Which parameter is called `key`.
    fn parameter(&self, function: &Function, key: &str) -> Option<usize> {
        let known = function.inputs.iter().position(|input| *input.name == *key);
        if known.is_some() || !function.extensible {
            return known;
        }
        let last = function.inputs.last()?;
        let letters = last.name.trim_end_matches(|c: char| c.is_ascii_digit());
        let from: usize = last.name.get(letters.len()..)?.parse().ok()?;
        let number: usize = key.strip_prefix(letters)?.parse().ok()?;
        let index = function.inputs.len().checked_add(number)?.checked_sub(1)?.checked_sub(from)?;
        Some(index).filter(|index| *index < usize::from(u8::MAX))
    }

    /// The one type that all arguments of a class have.
    fn generic(
        &mut self,
        class: Class,
        values: &[(Class, Value, &'a Expression)],
        expected: Option<TypeId>,
        function: &Function,
        span: &Span,
    ) -> Option<TypeId> {
        if let Class::Exactly(ty) = class {
            return Some(TypeId::of(ty));
        }
        let members = || values.iter().filter(|(other, ..)| *other == class);
        if class == Class::AnyElementary {
            let enumeration = members().map(|(_, value, _)| value.ty).find(|ty| self.is_enumeration(*ty));
            if let Some(ty) = enumeration.filter(|ty| members().all(|(_, value, _)| self.types.same(value.ty, *ty))) {
                return Some(ty);
            }
        }
        let mut found: Option<Elementary> = None;
        for (_, value, expression) in members().filter(|(_, value, _)| !value.ty.is_open()) {
            let ty = self.types.elementary(value.ty);
            let ty = ty.filter(|ty| holds(class, *ty) || class == Class::AnyReal && ty.is_integer());
            let Some(ty) = ty else {
                let (name, text) = (self.types.name(value.ty), self.written(&expression.span));
                let message = format!("{} takes {}, and `{text}` is {name}", function.name, described(class));
                let wanted = match class {
                    Class::AnyReal | Class::AnyNumber | Class::AnyMagnitude => Some(Elementary::Real),
                    Class::AnyInteger => Some(Elementary::Int),
                    Class::AnyBits => Some(Elementary::Word),
                    Class::Exactly(_) | Class::AnyElementary => None,
                };
                let hint = wanted.and_then(|wanted| self.conversion(value.ty, TypeId::of(wanted)));
                return self.fail(&expression.span, message, hint);
            };
            let Some(common) = found.map_or(Some(ty), |found| meeting(found, ty)) else {
                let (one, other) = (found.map_or("", Elementary::name), ty.name());
                let message = format!("{} has arguments of {one} and of {other}", function.name);
                let hint = found.and_then(|found| self.conversion(TypeId::of(ty), TypeId::of(found)));
                return self.fail(&expression.span, message, hint);
            };
            found = Some(common);
        }
        let open: Vec<&Value> = members().map(|(_, value, _)| value).filter(|value| value.ty.is_open()).collect();
        let wanted = expected.and_then(|ty| self.types.elementary(ty)).filter(|ty| holds(class, *ty));
        let ty = match found {
            Some(ty) if ty.is_integer() && open.iter().any(|value| value.ty == TypeId::NUMBER) => {
                meeting(ty, Elementary::Real)?
            }
            Some(ty) => ty,
            None => self.literals(class, &open, wanted),
        };
        // An integer becomes a REAL where only that will do; LREAL is taken where that is wanted.
        let ty = match wanted {
            Some(wanted) if widens(ty, wanted) && (class == Class::AnyReal || wanted.is_real() && ty.is_real()) => {
                wanted
            }
            _ if class == Class::AnyReal && ty.is_integer() => {
                meeting(ty, Elementary::Real).unwrap_or(Elementary::Lreal)
            }
            _ => ty,
        };
        if !holds(class, ty) {
            let message = format!("{} takes {}", function.name, described(class));
            return self.fail(span, message, Hint(None));
        }
        Some(TypeId::of(ty))
    }

    fn is_enumeration(&self, ty: TypeId) -> bool {
        matches!(self.types.shape(ty), Shape::Enumeration(_))
    }

    /// The type of literals that have only each other.
    fn literals(&self, class: Class, open: &[&Value], wanted: Option<Elementary>) -> Elementary {
        let number = open.iter().any(|value| value.ty == TypeId::NUMBER);
        if let Some(wanted) = wanted.filter(|wanted| wanted.is_real() || !number) {
            return wanted;
        }
        if number || class == Class::AnyReal {
            return Elementary::Real;
        }
        if class == Class::AnyBits {
            let greatest = open.iter().map(|value| match value.origin {
                Origin::Integer(number) => number,
                _ => 0,
            });
            let greatest = greatest.max().unwrap_or(0);
            let fits = |ty: &Elementary| super::types::limits(*ty).is_some_and(|(_, high)| greatest <= high);
            return BITS.into_iter().find(fits).unwrap_or(Elementary::Lword);
        }
        let types = open.iter().filter_map(|value| self.types.elementary(self.type_of_literal(value)));
        types.reduce(|a, b| meeting(a, b).unwrap_or(a)).unwrap_or(Elementary::Int)
    }
}

fn named(function: &Function) -> String {
    let names: Vec<&str> = function.inputs.iter().map(|input| &*input.name).collect();
    format!("they are {}{}", names.join(", "), if function.extensible { " …" } else { "" })
}
