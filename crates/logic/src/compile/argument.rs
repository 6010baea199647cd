//! Arguments of calls: what they are given for, how they go in and how they come out. Apart, because functions, instances
//! and blocks of the library take them alike.
//!
//! VAR_IN_OUT passes where a variable lies. A variable of the plant lies nowhere in the program's memory: it is copied
//! before the call and back afterwards.

use super::{
    Compiler, Hint, convert,
    place::{At, Place},
    types::TypeId,
    unit::Member,
};
use crate::{
    Span,
    run::Slot,
    syntax::{Argument, Expression, SectionKind, Unary},
};

/// The arguments of a call, each with what it is given for.
pub(super) struct Bound<'a> {
    pub(super) inputs: Vec<(Member<'a>, &'a Expression)>,
    pub(super) outputs: Vec<(Member<'a>, Output<'a>)>,
}

/// output => target.
pub(super) struct Output<'a> {
    pub(super) negated: bool,
    pub(super) target: &'a Expression,
}

impl<'a> Compiler<'a> {
    /// What the arguments are given for. `complete` tells whether nothing may be missing.
    pub(super) fn bind(
        &mut self,
        unit: usize,
        arguments: &'a [Argument],
        complete: bool,
        span: &Span,
    ) -> Option<Bound<'a>> {
        let members = self.units.get(unit)?.members.clone();
        let callee = self.units.get(unit)?.syntax.name.text.clone();
        let is_input = |member: &&Member<'a>| matches!(member.kind, SectionKind::Input | SectionKind::InOut);
        let inputs: Vec<&Member<'a>> = members.iter().filter(is_input).collect();
        let (mut bound, mut good) = (Bound { inputs: Vec::new(), outputs: Vec::new() }, true);
        for (index, argument) in arguments.iter().enumerate() {
            let (member, value) = match argument {
                Argument::Positional(value) => match inputs.get(index) {
                    Some(member) => ((*member).clone(), value),
                    None => {
                        let message = format!("{callee} takes {} arguments", inputs.len());
                        return self.fail(&value.span, message, parameters(&inputs));
                    }
                },
                Argument::Input { name, value } => match members.iter().find(|member| member.name.key == name.key) {
                    Some(member) if is_input(&member) => (member.clone(), value),
                    Some(member) if member.kind == SectionKind::Output => {
                        let message = format!("{} is an output of {callee}", name.text);
                        self.problem(&name.span, message, format!("write {} => variable", name.text));
                        good = false;
                        continue;
                    }
                    _ => {
                        let known: Vec<&str> = inputs.iter().map(|member| &*member.name.text).collect();
                        self.unknown::<()>(&format!("input of {callee}"), name, &known);
                        good = false;
                        continue;
                    }
                },
                Argument::Output { name, negated, target } => {
                    let mut outputs = members.iter().filter(|member| member.kind == SectionKind::Output);
                    if let Some(member) = outputs.find(|member| member.name.key == name.key) {
                        bound.outputs.push((member.clone(), Output { negated: *negated, target }));
                    } else {
                        let known = members.iter().filter(|member| member.kind == SectionKind::Output);
                        let known: Vec<&str> = known.map(|member| &*member.name.text).collect();
                        self.unknown::<()>(&format!("output of {callee}"), name, &known);
                        good = false;
                    }
                    continue;
                }
            };
            if bound.inputs.iter().any(|(other, _)| other.name.key == member.name.key) {
                let message = format!("{} is given twice", member.name.text);
                self.problem(&value.span, message, Hint(None));
                good = false;
            }
            bound.inputs.push((member, value));
        }
        for member in &inputs {
            let needed = member.kind == SectionKind::InOut || complete && member.start.initial.is_none();
            // A name that is not known may have been meant for this one.
            if good && needed && !bound.inputs.iter().any(|(other, _)| other.name.key == member.name.key) {
                let message = format!("the argument {} of {callee} is missing", member.name.text);
                self.problem(span, message, parameters(&inputs));
                good = false;
            }
        }
        good.then_some(bound)
    }

    /// The slot of an argument that has a single value.
    pub(super) fn argument(&mut self, ty: TypeId, value: &'a Expression) -> Option<Slot> {
        let computed = self.expression(value, Some(ty), None)?;
        let computed = self.converted(computed, ty, &value.span, None)?;
        Some(self.slot(&computed))
    }

    /// Assigns a variable that a call is given a value for.
    pub(super) fn assign_to(&mut self, ty: TypeId, at: At, value: &'a Expression) -> Option<()> {
        self.assign(&Place { ty, at, part: None, fixed: None }, value)
    }

    /// The slot that holds where the variable lies that is passed as VAR_IN_OUT. What has to be copied back goes to `back`.
    pub(super) fn passed(
        &mut self,
        member: &Member<'_>,
        value: &'a Expression,
        back: &mut Vec<(Place, Slot)>,
    ) -> Option<Slot> {
        let place = self.place(value)?;
        if let Some(fixed) = place.fixed {
            let message = format!("`{}` is {fixed} and cannot be passed as VAR_IN_OUT", self.written(&value.span));
            return self.fail(&value.span, message, format!("{} may be changed by the call", member.name.text));
        }
        if !self.types.same(place.ty, member.ty) {
            let (needed, found) = (self.types.name(member.ty), self.types.name(place.ty));
            let message = format!("{} is {needed}, and `{}` is {found}", member.name.text, self.written(&value.span));
            return self.fail(&value.span, message, "a variable that is passed as VAR_IN_OUT has the very same type");
        }
        if place.part.is_none() && !matches!(place.at, At::Access(_)) {
            return Some(self.pointer(place.at));
        }
        let text = self.types.is_text(place.ty);
        let (copy, read) = (if text { self.temporary_text() } else { self.temporary() }, self.read(&place, None));
        let from = self.slot(&read);
        self.renew(copy, from, place.ty);
        let pointer = self.pointer(At::Slot(copy));
        back.push((place, copy));
        Some(pointer)
    }

    pub(super) fn write_back(&mut self, back: &[(Place, Slot)]) {
        for (place, copy) in back {
            self.write(place, *copy);
        }
    }

    /// Gives an output to the variable behind the arrow.
    pub(super) fn give(&mut self, ty: TypeId, at: At, output: &Output<'a>) -> Option<()> {
        let target = self.target(output.target)?;
        let span = &output.target.span;
        if self.types.storage(ty).is_none() {
            if !self.types.same(ty, target.ty) {
                let message =
                    format!("the output is {}, and this is {}", self.types.name(ty), self.types.name(target.ty));
                return self.fail(span, message, Hint(None));
            }
            self.copy(target.at, at, self.types.slots(ty));
            return Some(());
        }
        let mut value = self.read(&Place { ty, at, part: None, fixed: None }, None);
        if output.negated {
            value = self.unary(Unary::Not, value, span, None)?;
        }
        let (needed, found) = (target.ty, value.ty);
        let fits = self.types.same(found, needed)
            || match (self.types.elementary(found), self.types.elementary(needed)) {
                (Some(found), Some(needed)) => convert::widens(found, needed),
                _ => false,
            };
        if !fits {
            let (found_name, needed_name) = (self.types.name(found), self.types.name(needed));
            let message = format!("the output is {found_name}, and `{}` is {needed_name}", self.written(span));
            let hint = self.conversion(found, needed);
            return self.fail(span, message, hint);
        }
        let value = self.converted(value, needed, span, None)?;
        let from = self.slot(&value);
        self.write(&target, from);
        Some(())
    }
}

fn parameters(inputs: &[&Member<'_>]) -> String {
    match inputs {
        [] => "it takes no arguments".to_owned(),
        _ => {
            let names: Vec<&str> = inputs.iter().map(|member| &*member.name.text).collect();
            format!("they are {}", names.join(", "))
        }
    }
}
