//! Calls of what the text itself declares, and of instances. Apart, because here arguments meet the variables of a unit;
//! the standard functions have parameters of another kind.

use super::{
    Compiler, Hint,
    constant::Value,
    place::{At, Place},
    scope::Symbol,
    types::{Shape, TypeId},
    unit::{Laid, Member},
};
use crate::{
    Span, library,
    run::{Op, Slot},
    syntax::{Argument, Expression, ExpressionKind, Name, SectionKind},
    types::Elementary,
};

impl<'a> Compiler<'a> {
    /// A call that is a statement.
    pub(super) fn call(&mut self, expression: &'a Expression) -> Option<()> {
        let ExpressionKind::Call { callee, arguments } = &expression.kind else { return Some(()) };
        let name = match &callee.kind {
            ExpressionKind::Name(name) if !self.is_variable(name) => Some(name),
            _ => None,
        };
        if let Some(name) = name {
            if let Some(unit) = self.unit_names.get(&*name.key).copied().filter(|unit| self.is_function(*unit)) {
                return self.call_function(unit, arguments, &expression.span).map(|_| ());
            }
            return self.function_call(callee, arguments, None, None, &expression.span).map(|_| ());
        }
        let instance = self.place(callee)?;
        let at = match instance.at {
            At::Offset { .. } => At::Offset { at: Slot::absolute(0), offset: self.pointer(instance.at) },
            at => at,
        };
        match self.types.shape(instance.ty) {
            Shape::Block(unit) => {
                let unit = *unit;
                self.call_instance(unit, at, arguments, &expression.span)
            }
            Shape::Native(block) => {
                let block = *block;
                self.call_block(block, at, arguments)
            }
            _ => {
                let message = format!("`{}` is {}", self.written(&callee.span), self.types.name(instance.ty));
                self.fail(&callee.span, message, "only functions and instances of function blocks can be called")
            }
        }
    }

    /// Whether a name that is called is that of a variable. A variable may have the name of a function (the result of one
    /// has it), and only an instance can be meant then.
    fn is_variable(&self, name: &Name) -> bool {
        let Some(own) = self.own(self.here, &name.key).or_else(|| self.own(0, &name.key)) else { return false };
        let declared = self.unit_names.get(&*name.key).is_some_and(|unit| self.is_function(*unit));
        let function = declared || library::function(&name.key).is_some();
        !function || matches!(own, Symbol::Variable(variable) if self.types.is_block(variable.ty))
    }

    /// The result of a function.
    pub(super) fn function_call(
        &mut self,
        callee: &'a Expression,
        arguments: &'a [Argument],
        expected: Option<TypeId>,
        into: Option<Slot>,
        span: &Span,
    ) -> Option<Value> {
        let ExpressionKind::Name(name) = &callee.kind else {
            let message = format!("`{}` is no function", self.written(&callee.span));
            return self.fail(
                &callee.span,
                message,
                "call an instance in a statement of its own, then use its outputs",
            );
        };
        if self.is_variable(name) {
            let message = format!("{} is no function", name.text);
            return self.fail(&name.span, message, "call an instance in a statement of its own, then use its outputs");
        }
        if let Some(unit) = self.unit_names.get(&*name.key).copied() {
            if self.is_function(unit) {
                return match self.call_function(unit, arguments, span)? {
                    Some(value) => Some(self.kept_result(value, into)),
                    None => {
                        let message = format!("`{}` has no result", self.written(span));
                        self.fail(span, message, Hint(None))
                    }
                };
            }
            let message = format!("{} is no function", name.text);
            let hint = match self.is_function_block(unit) {
                true => format!("declare an instance of it, such as x : {}; and call x(…)", name.text),
                false => "a PROGRAM is called by the CPU".to_owned(),
            };
            return self.fail(&name.span, message, hint);
        }
        if let Some(function) = library::function(&name.key) {
            return self.standard(&function, arguments, expected, into, span);
        }
        if library::block(&name.key).is_some() {
            let message = format!("{} is a function block and no function", name.key);
            return self.fail(&name.span, message, format!("declare an instance of it, such as x : {};", name.key));
        }
        let mut known: Vec<&str> = library::functions().collect();
        known.extend(self.unit_names.iter().filter(|(_, unit)| self.is_function(**unit)).map(|(key, _)| *key));
        self.unknown("function", name, &known)
    }

    /// The result of a function where the next call does not overwrite it.
    fn kept_result(&mut self, value: Value, into: Option<Slot>) -> Value {
        let from = self.slot(&value);
        let to = match self.types.storage(value.ty) {
            Some(Elementary::String) => self.temporary_text(),
            Some(_) => into.unwrap_or_else(|| self.temporary()),
            None => {
                let to = self.allocate(self.types.slots(value.ty));
                self.fill(to, value.ty, super::initial::Start::default());
                to
            }
        };
        self.renew(to, from, value.ty);
        Value::slot(value.ty, to)
    }

    fn call_instance(&mut self, unit: usize, at: At, arguments: &'a [Argument], span: &Span) -> Option<()> {
        self.note_call(unit, span);
        let bound = self.bind(unit, arguments, false, span)?;
        let offset = |member: &Member<'_>| at.plus(member.slot.index(0) as u32);
        let mut back = Vec::new();
        let mut good = true;
        for (member, value) in &bound.inputs {
            good &= match member.kind {
                SectionKind::InOut => {
                    let passed = self.passed(member, value, &mut back);
                    passed.map(|pointer| self.write(&pointer_place(offset(member)), pointer)).is_some()
                }
                _ => self.assign_to(member.ty, offset(member), value).is_some(),
            };
        }
        if !good {
            return None;
        }
        match at {
            At::Slot(at) => self.emit(Op::Call { unit: unit as u32, at }),
            At::Offset { offset: pointer, .. } => self.emit(Op::CallAt { unit: unit as u32, pointer }),
            At::Access(_) => return None,
        }
        self.write_back(&back);
        for (member, output) in &bound.outputs {
            self.give(member.ty, offset(member), output);
        }
        Some(())
    }

    /// Calls a function; where its result is, if it has one, until the next call.
    fn call_function(&mut self, unit: usize, arguments: &'a [Argument], span: &Span) -> Option<Option<Value>> {
        self.note_call(unit, span);
        let bound = self.bind(unit, arguments, true, span);
        let known = self.units.get(unit)?;
        let (frame, fresh, laid) = (known.frame, known.fresh, known.laid);
        let (bound, Laid::Out(_)) = (bound?, laid) else { return None };
        let slot = |base: Slot, member: &Member<'_>| base.plus(member.slot.index(0) as u32);
        let mut back = Vec::new();
        // All arguments are computed before any is stored: one of them may call the same function.
        let mut values: Vec<Option<Given>> = Vec::new();
        for (member, value) in &bound.inputs {
            values.push(match member.kind {
                SectionKind::InOut => self.passed(member, value, &mut back).map(Given::Single),
                _ if self.types.storage(member.ty).is_none() => self.aggregate(value, member.ty).map(Given::Whole),
                _ => self.argument(member.ty, value).map(Given::Single),
            });
        }
        for ((member, _), given) in bound.inputs.iter().zip(values) {
            let to = slot(frame, member);
            match (given?, member.kind) {
                (Given::Whole(from), _) => self.copy(At::Slot(to), from, self.types.slots(member.ty)),
                (Given::Single(from), SectionKind::InOut) => self.emit(Op::Copy { to, from }),
                (Given::Single(from), _) => self.renew(to, from, member.ty),
            }
        }
        let members = self.units.get(unit)?.members.clone();
        for member in members.iter().filter(|member| member.kind == SectionKind::Input) {
            if !bound.inputs.iter().any(|(other, _)| other.name.key == member.name.key) {
                self.renew(slot(frame, member), slot(fresh, member), member.ty);
            }
        }
        self.emit(Op::Call { unit: unit as u32, at: Slot::absolute(0) });
        self.write_back(&back);
        for (member, output) in &bound.outputs {
            self.give(member.ty, At::Slot(slot(frame, member)), output);
        }
        let name = &self.units.get(unit)?.syntax.name.key;
        let result = members.iter().find(|member| member.name.key == *name);
        Some(result.map(|member| Value::slot(member.ty, slot(frame, member))))
    }

    fn note_call(&mut self, callee: usize, span: &Span) {
        if let Some(caller) = self.here.checked_sub(1).and_then(|unit| self.units.get_mut(unit)) {
            caller.calls.push((callee, span.clone()));
        }
    }
}

/// An argument of a function, computed.
enum Given {
    Single(Slot),
    Whole(At),
}

/// The slot of a VAR_IN_OUT itself.
const fn pointer_place(at: At) -> Place {
    Place { ty: TypeId::of(Elementary::Lint), at, part: None, fixed: None }
}
