//! Units: what their variables are, where they lie, and their bodies. Apart, because an instance is laid out when it is
//! first met, and a body is compiled when everything has its place.

use super::{
    Compiler, Hint,
    emit::{Between, Label},
    initial::Start,
    place::At,
    scope::{Symbol, Variable},
    types::TypeId,
};
use crate::{
    Span,
    run::{Op, Slot},
    syntax::{self, Form, Name, SectionKind, UnitKind},
};

/// What is known of a unit.
pub(super) struct Unit<'a> {
    pub(super) syntax: &'a syntax::Unit,
    /// Its variables that lie side by side: relative to the instance for a block, in its frame for a function.
    pub(super) members: Vec<Member<'a>>,
    pub(super) laid: Laid,
    /// The type of its instances.
    pub(super) instance: Option<TypeId>,
    /// Where a function finds what its variables start with, and where they lie.
    pub(super) fresh: Slot,
    pub(super) frame: Slot,
    /// The units that it calls, and where.
    pub(super) calls: Vec<(usize, Span)>,
}

#[derive(Clone, Copy)]
pub(super) enum Laid {
    Waiting,
    Busy,
    Out(u32),
    Broken,
}

#[derive(Clone)]
pub(super) struct Member<'a> {
    pub(super) name: &'a Name,
    pub(super) ty: TypeId,
    pub(super) kind: SectionKind,
    /// From the start of the instance or the frame.
    pub(super) slot: Slot,
    pub(super) retain: bool,
    pub(super) constant: bool,
    pub(super) start: Start<'a>,
}

impl<'a> Unit<'a> {
    pub(super) fn new(syntax: &'a syntax::Unit) -> Self {
        Self {
            syntax,
            members: Vec::new(),
            laid: Laid::Waiting,
            instance: None,
            fresh: Slot::absolute(0),
            frame: Slot::absolute(0),
            calls: Vec::new(),
        }
    }

    pub(super) const fn is_program(&self) -> bool {
        matches!(self.syntax.kind, UnitKind::Program)
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn is_function_block(&self, unit: usize) -> bool {
        self.units.get(unit).is_some_and(|unit| matches!(unit.syntax.kind, UnitKind::FunctionBlock))
    }

    pub(super) fn is_function(&self, unit: usize) -> bool {
        self.units.get(unit).is_some_and(|unit| matches!(unit.syntax.kind, UnitKind::Function(_)))
    }

    fn is_program(&self, unit: usize) -> bool {
        self.units.get(unit).is_some_and(Unit::is_program)
    }

    /// The variable called `key` of a unit.
    pub(super) fn member(&self, unit: usize, key: &str) -> Option<Member<'a>> {
        self.units.get(unit)?.members.iter().find(|member| &*member.name.key == key).cloned()
    }

    /// The names of the inputs and outputs of a unit.
    pub(super) fn pins_of(&self, unit: usize) -> Vec<&'a str> {
        let members = self.units.get(unit).map_or(&[][..], |unit| &unit.members);
        let pins =
            members.iter().filter(|member| member.kind != SectionKind::Local && member.kind != SectionKind::Temp);
        pins.map(|member| &*member.name.text).collect()
    }

    /// Lays out the instances of a function block; how many slots one takes.
    pub(super) fn layout(&mut self, unit: usize, used: &Span) -> Option<u32> {
        match self.units.get(unit)?.laid {
            Laid::Out(slots) => return Some(slots),
            Laid::Broken => return None,
            Laid::Busy => {
                let name = self.units.get(unit)?.syntax.name.text.clone();
                let message = format!("{name} contains an instance of itself");
                return self.fail(used, message, "pass the other instance as VAR_IN_OUT");
            }
            Laid::Waiting => {}
        }
        self.set_laid(unit, Laid::Busy);
        let slots =
            self.nested(used, |compiler| compiler.in_scope(unit + 1, |compiler| compiler.declare_members(unit)));
        self.set_laid(unit, slots.map_or(Laid::Broken, Laid::Out));
        slots
    }

    pub(super) fn set_laid(&mut self, unit: usize, laid: Laid) {
        if let Some(unit) = self.units.get_mut(unit) {
            unit.laid = laid;
        }
    }

    /// Gives a function its frame. Functions have no memory, so one frame serves all calls.
    fn declare_function(&mut self, unit: usize) -> Option<()> {
        let slots = self.in_scope(unit + 1, |compiler| compiler.declare_members(unit));
        let members = self.units.get(unit)?.members.clone();
        let Some(slots) = slots else {
            // Its names are known all the same, and nothing is said of them.
            let name = &self.units.get(unit)?.syntax.name;
            let others = members.iter().map(|member| member.name).filter(|other| other.key != name.key);
            self.in_scope(unit + 1, |compiler| {
                others.chain([name]).for_each(|name| compiler.declare(name, Symbol::Broken));
            });
            return None;
        };
        let (frame, fresh) = (self.allocate(slots), self.allocate(slots));
        for member in members {
            let variable = Variable {
                slot: frame.plus(member.slot.index(0) as u32),
                ty: member.ty,
                kind: member.kind,
                constant: member.constant,
            };
            self.in_scope(unit + 1, |compiler| compiler.declare(member.name, Symbol::Variable(variable)));
            if member.kind != SectionKind::InOut {
                self.fill(variable.slot, member.ty, member.start);
                self.fill(fresh.plus(member.slot.index(0) as u32), member.ty, member.start);
            }
        }
        let known = self.units.get_mut(unit)?;
        (known.frame, known.fresh, known.laid) = (frame, fresh, Laid::Out(slots));
        Some(())
    }

    /// Compiles all bodies: those of the programs one behind the other, then the others.
    pub(super) fn compile_units(&mut self) {
        let (programs, others): (Vec<usize>, Vec<usize>) =
            (0..self.units.len()).partition(|unit| self.is_program(*unit));
        for &unit in &others {
            if self.is_function(unit) && self.declare_function(unit).is_none() {
                self.set_laid(unit, Laid::Broken);
            }
        }
        self.find_inputs();
        self.code.entries = vec![u32::MAX; self.units.len()];
        for &unit in &programs {
            let end = self.label();
            self.body_of(unit, Some(end));
            self.place_label(end);
        }
        self.emit(Op::End);
        for &unit in &others {
            let here = self.code.ops.len() as u32;
            if let Some(entry) = self.code.entries.get_mut(unit) {
                *entry = here;
            }
            self.body_of(unit, None);
            self.emit(Op::Return);
        }
    }

    fn body_of(&mut self, unit: usize, end: Option<Label>) {
        let Some(known) = self.units.get(unit) else { return };
        let syntax = known.syntax;
        self.emitter.between = Between::default();
        self.leaving = end;
        self.at_line(&syntax.name.span);
        self.in_scope(unit + 1, |compiler| {
            if compiler.is_function(unit) {
                compiler.renew_frame(unit);
            } else {
                compiler.declare_temporaries(unit);
            }
            compiler.statements(&syntax.body, &mut Vec::new());
            compiler.at_line(&(syntax.span.end.saturating_sub(1)..syntax.span.end));
        });
    }

    /// Leaves the body of a unit.
    pub(super) fn leave(&mut self) {
        match self.leaving {
            Some(end) => self.jump(end, |to| Op::Jump { to }),
            None => self.emit(Op::Return),
        }
    }

    /// The variables of a function start anew at each call; its inputs hold what the caller gave.
    fn renew_frame(&mut self, unit: usize) {
        let Some(known) = self.units.get(unit) else { return };
        let (frame, fresh) = (known.frame, known.fresh);
        let own = known.members.iter().filter(|m| !matches!(m.kind, SectionKind::Input | SectionKind::InOut));
        let own: Vec<(u32, TypeId)> = own.map(|member| (member.slot.index(0) as u32, member.ty)).collect();
        for (offset, ty) in own {
            self.renew(frame.plus(offset), fresh.plus(offset), ty);
        }
    }

    /// Gives a variable at `to` what lies at `from`.
    pub(super) fn renew(&mut self, to: Slot, from: Slot, ty: TypeId) {
        match self.types.storage(ty) {
            Some(_) if self.types.is_text(ty) => self.emit(Op::CopyText { to, from }),
            Some(_) => self.emit(Op::Copy { to, from }),
            None => {
                let used = self.in_use();
                self.copy(At::Slot(to), At::Slot(from), self.types.slots(ty));
                self.release(used);
            }
        }
    }

    /// Refuses units that call themselves, which have one memory for all their calls (§6.6.1.3: recursion is left to the
    /// implementer).
    pub(super) fn refuse_recursion(&mut self) {
        let mut finished = vec![false; self.units.len()];
        for unit in 0..self.units.len() {
            let mut path = Vec::new();
            if self.recursion(unit, &mut path, &mut finished) {
                return;
            }
        }
    }

    fn recursion(&mut self, unit: usize, path: &mut Vec<usize>, finished: &mut [bool]) -> bool {
        if finished.get(unit).copied().unwrap_or(true) {
            return false;
        }
        if path.len() >= super::DEEPEST {
            let span = self.units.get(unit).map_or(0..0, |unit| unit.syntax.name.span.clone());
            self.problem(&span, format!("calls lie more than {} deep in each other", super::DEEPEST), Hint(None));
            return true;
        }
        path.push(unit);
        let calls = self.units.get(unit).map(|unit| unit.calls.clone()).unwrap_or_default();
        for (callee, span) in calls {
            if let Some(start) = path.iter().position(|other| *other == callee) {
                let cycle = path.iter().skip(start).chain([&callee]);
                let names =
                    cycle.filter_map(|unit| self.units.get(*unit).map(|unit| unit.syntax.name.text.to_string()));
                let names: Vec<String> = names.collect();
                let first = names.first().cloned().unwrap_or_default();
                let message = format!("{first} calls itself: {}", names.join(" → "));
                self.problem(&span, message, "a unit cannot be called again before it is done; use a loop");
                return true;
            }
            if self.recursion(callee, path, finished) {
                return true;
            }
        }
        path.pop();
        if let Some(done) = finished.get_mut(unit) {
            *done = true;
        }
        false
    }

    /// Refuses a type that holds an instance where nothing keeps it.
    pub(super) fn refuse_instance(&mut self, ty: TypeId, kind: SectionKind, in_function: bool, form: &Form) {
        let kept = !in_function && matches!(kind, SectionKind::Local | SectionKind::Global);
        if !kept && kind != SectionKind::InOut && self.types.has_block(ty) {
            let message =
                format!("{} is an instance, or holds one, and has to be kept from scan to scan", self.types.name(ty));
            let hint = "declare it in VAR of a program or function block, or pass it as VAR_IN_OUT";
            self.problem(form.span(), message, hint);
        }
    }

    pub(super) fn no_program(&mut self) {
        if !self.units.iter().any(Unit::is_program) {
            self.problem(&(0..0), "there is no PROGRAM, so nothing would run", Hint(None));
        }
    }
}
