//! Declarations: which names there are, and where what they stand for lies. Apart, because all of it is done before the
//! first statement is looked at.

use super::{
    Compiler, Hint,
    constant::Origin,
    initial::Start,
    scope::{Constant, Known, Symbol, Variable},
    types::{Shape, TEXT, TypeId, is_member},
    unit::Member,
};
use crate::{
    run::{Own, Slot, Target, text_of, value_of},
    syntax::{Form, Name, Section, SectionKind, UnitKind},
    types::Elementary,
};
use honeyplant_core::plant::{TagSettings, Value as PlantValue};

/// A variable that is kept from scan to scan.
pub(super) struct Kept<'a> {
    pub(super) name: &'a Name,
    /// The program that it belongs to.
    pub(super) program: Option<usize>,
    pub(super) slot: Slot,
    pub(super) ty: TypeId,
    pub(super) retain: bool,
}

impl<'a> Compiler<'a> {
    /// The names of types and units.
    pub(super) fn declare_names(&mut self) {
        let source = self.source;
        for (index, declared) in source.types.iter().enumerate() {
            if self.type_names.insert(&declared.name.key, index).is_some() {
                let message = format!("the type {} is declared twice", declared.name.text);
                self.problem(&declared.name.span, message, Hint(None));
            }
            if let Form::Enumeration { values, .. } = &declared.form {
                for (value, _) in values {
                    let types = self.enumerated.entry(&*value.key).or_default();
                    if !types.contains(&index) {
                        types.push(index);
                    }
                }
            }
        }
        for (index, unit) in source.units.iter().enumerate() {
            let key = &*unit.name.key;
            if self.type_names.contains_key(key) || self.unit_names.insert(key, index).is_some() {
                let message = format!("{} is declared twice", unit.name.text);
                self.problem(&unit.name.span, message, "units and types need names of their own");
            }
        }
    }

    /// The global variables of the text.
    pub(super) fn declare_globals(&mut self) {
        let source = self.source;
        source.globals.iter().for_each(|section| self.declare_constants(section));
        for section in &source.globals {
            for variable in &section.variables {
                if self.is_constant(section, variable) {
                    continue;
                }
                let ty = self.form(&variable.form, None);
                for name in &variable.names {
                    let symbol = ty.and_then(|ty| self.global(section, variable, name, ty)).unwrap_or(Symbol::Broken);
                    self.declare(name, symbol);
                }
            }
        }
    }

    fn global(
        &mut self,
        section: &'a Section,
        variable: &'a crate::syntax::Variable,
        name: &'a Name,
        ty: TypeId,
    ) -> Option<Symbol> {
        if let Some((own, ..)) = self.tags.get(&*name.key) {
            let message = format!("the device has a tag {own} already");
            return self.fail(&name.span, message, format!("declare it as VAR_EXTERNAL {own}, or use it without"));
        }
        let start = Start { initial: variable.initial.as_ref(), scope: 0 };
        let own_type = !matches!(self.types.shape(ty), Shape::Subrange { .. });
        let elementary = self.types.elementary(ty).filter(|_| own_type && !section.constant);
        let length = self.types.text_length(ty);
        let tag = elementary.filter(|ty| *ty != Elementary::String || length <= TEXT);
        let Some((elementary, tag)) = tag.and_then(|ty| Some((ty, ty.tag()?))) else {
            if variable.at.is_some() {
                return self.located_variable(section, variable, ty);
            }
            return self.kept(section, name, ty, start, None);
        };
        let known = self.scopes.first().is_some_and(|scope| scope.names.contains_key(&*name.key));
        if known {
            // Told where it is declared.
            return None;
        }
        let value = self.plant_value(ty, start)?;
        let at = variable.at.as_ref().map(|(address, _)| &**address);
        let settings = TagSettings::declared(tag, at, value, section.retain);
        match self.plant.add(&name.text, &settings, 0) {
            Ok(id) => {
                self.code.own.push(Own { name: name.text.clone(), settings, id });
                let target = self.target_of(id);
                let access = self.access_to(target, elementary, length);
                Some(Symbol::Access { access, ty, constant: false })
            }
            Err(why) => {
                let span = variable.at.as_ref().map_or(&name.span, |(_, span)| span);
                self.fail(span, why, Hint(None))
            }
        }
    }

    /// What a single variable starts with, as the plant has it.
    fn plant_value(&mut self, ty: TypeId, start: Start<'a>) -> Option<PlantValue> {
        let value = self.start_value(ty, start)?;
        let storage = self.types.storage(ty)?;
        Some(match &value.origin {
            Origin::Text(octets) => text_of(octets),
            _ => value_of(value.known().unwrap_or(0), storage),
        })
    }

    /// A variable in the memory that is kept from scan to scan.
    fn kept(
        &mut self,
        section: &Section,
        name: &'a Name,
        ty: TypeId,
        start: Start<'a>,
        program: Option<usize>,
    ) -> Option<Symbol> {
        let slot = self.allocate(self.types.slots(ty));
        self.fill(slot, ty, start);
        self.kept.push(Kept { name, program, slot, ty, retain: section.retain && !section.constant });
        Some(Symbol::Variable(Variable { slot, ty, kind: section.kind, constant: section.constant }))
    }

    /// Whether a variable of a section has one value, and takes no memory.
    fn is_constant(&self, section: &Section, variable: &crate::syntax::Variable) -> bool {
        section.constant
            && variable.at.is_none()
            && section.kind != SectionKind::External
            && self.is_single(&variable.form)
    }

    /// Whether values of a type as it is written are single ones.
    fn is_single(&self, form: &Form) -> bool {
        let mut form = form;
        // As many names as there are types can stand for each other.
        for _ in 0..=self.source.types.len() {
            match form {
                Form::Elementary(..) | Form::Text(_) | Form::Enumeration { .. } | Form::Subrange { .. } => return true,
                Form::Array { .. } | Form::Structure { .. } => return false,
                Form::Named(name) => {
                    let index = self.type_names.get(&*name.key);
                    match index.and_then(|index| self.source.types.get(*index)) {
                        Some(declared) => form = &declared.form,
                        None => return false,
                    }
                }
            }
        }
        false
    }

    fn declare_constants(&mut self, section: &'a Section) {
        for variable in &section.variables {
            if !self.is_constant(section, variable) {
                continue;
            }
            for name in &variable.names {
                let constant = Constant {
                    scope: self.here,
                    name,
                    form: &variable.form,
                    initial: variable.initial.as_ref(),
                    known: Known::Waiting,
                };
                self.constants.push(constant);
                self.declare(name, Symbol::Constant(self.constants.len() - 1));
            }
        }
    }

    /// The variables of programs and function blocks.
    pub(super) fn declare_units(&mut self) {
        let source = self.source;
        for (index, unit) in source.units.iter().enumerate() {
            match unit.kind {
                UnitKind::Program => {
                    self.in_scope(index + 1, |compiler| compiler.declare_members(index));
                }
                UnitKind::FunctionBlock => {
                    self.layout(index, &unit.name.span);
                }
                UnitKind::Function(_) => {}
            }
        }
        for index in 0..self.constants.len() {
            self.constant_value(index, &(0..0));
        }
    }

    /// Declares the variables of a unit. Those of programs get their places; how many slots those of others take.
    pub(super) fn declare_members(&mut self, unit: usize) -> Option<u32> {
        let syntax = self.units.get(unit)?.syntax;
        syntax.sections.iter().for_each(|section| self.declare_constants(section));
        let (mut slots, mut whole): (u64, bool) = (0, true);
        let function = matches!(syntax.kind, UnitKind::Function(_));
        if let UnitKind::Function(Some(form)) = &syntax.kind {
            match self.form(form, None) {
                Some(ty) => {
                    self.refuse_instance(ty, SectionKind::Output, true, form);
                    let (kind, start) = (SectionKind::Local, Start::default());
                    let slot = Slot::absolute(0);
                    let result = Member { name: &syntax.name, ty, kind, slot, retain: false, constant: false, start };
                    self.add_member(unit, result, &mut slots);
                }
                None => whole = false,
            }
        }
        for section in &syntax.sections {
            let skipped = section.kind == SectionKind::Temp && !function;
            if section.kind == SectionKind::InOut && matches!(syntax.kind, UnitKind::Program) {
                let hint = "declare what it shares with others as VAR_GLOBAL or VAR_EXTERNAL";
                self.problem(&section.span, "nobody passes variables to a PROGRAM", hint);
            }
            for variable in &section.variables {
                if !skipped && !self.is_constant(section, variable) {
                    whole &= self.declare_variable(unit, section, variable, &mut slots).is_some();
                }
            }
        }
        if slots > u64::from(super::LARGEST) {
            let message = format!("the variables of {} take {slots} elementary values", syntax.name.text);
            return self.fail(&syntax.name.span, message, format!("a program has room for {}", super::LARGEST));
        }
        whole.then_some(slots as u32)
    }

    fn declare_variable(
        &mut self,
        unit: usize,
        section: &'a Section,
        variable: &'a crate::syntax::Variable,
        slots: &mut u64,
    ) -> Option<()> {
        let syntax = self.units.get(unit)?.syntax;
        let ty = self.form(&variable.form, None);
        let start = Start { initial: variable.initial.as_ref(), scope: self.here };
        for name in &variable.names {
            let Some(ty) = ty else {
                self.declare(name, Symbol::Broken);
                continue;
            };
            let function = matches!(syntax.kind, UnitKind::Function(_));
            if section.kind == SectionKind::External {
                let symbol = self.external(section, name, ty).unwrap_or(Symbol::Broken);
                self.refuse_initial(variable.initial.as_ref(), &name.span, "VAR_EXTERNAL");
                self.declare(name, symbol);
            } else if variable.at.is_some() {
                let symbol = self.located_variable(section, variable, ty).unwrap_or(Symbol::Broken);
                self.declare(name, symbol);
            } else {
                self.refuse_instance(ty, section.kind, function, &variable.form);
                if section.kind == SectionKind::InOut {
                    self.refuse_initial(variable.initial.as_ref(), &name.span, "VAR_IN_OUT");
                }
                if matches!(syntax.kind, UnitKind::Program) {
                    let symbol = self.kept(section, name, ty, start, Some(unit)).unwrap_or(Symbol::Broken);
                    self.declare(name, symbol);
                } else {
                    let (kind, retain, constant) = (section.kind, section.retain, section.constant);
                    let slot = Slot::absolute(0);
                    self.add_member(unit, Member { name, ty, kind, slot, retain, constant, start }, slots);
                    if !function {
                        self.declare_field(unit);
                    }
                }
            }
        }
        ty.map(|_| ())
    }

    /// Adds a variable to a unit; it is laid behind those that are there.
    fn add_member(&mut self, unit: usize, member: Member<'a>, slots: &mut u64) {
        let slot = Slot::absolute((*slots).min(u64::from(super::LARGEST)) as u32);
        // A variable that is passed takes one slot, for where it lies.
        *slots += if member.kind == SectionKind::InOut { 1 } else { u64::from(self.types.slots(member.ty)) };
        if let Some(unit) = self.units.get_mut(unit) {
            unit.members.push(Member { slot, ..member });
        }
    }

    /// Declares the last member of a function block, relative to the instance.
    fn declare_field(&mut self, unit: usize) {
        let Some(member) = self.units.get(unit).and_then(|unit| unit.members.last()).cloned() else { return };
        let slot = Slot::relative(member.slot.index(0) as u32);
        let variable = Variable { slot, ty: member.ty, kind: member.kind, constant: member.constant };
        self.declare(member.name, Symbol::Variable(variable));
    }

    /// A variable with an address.
    fn located_variable(
        &mut self,
        section: &Section,
        variable: &'a crate::syntax::Variable,
        ty: TypeId,
    ) -> Option<Symbol> {
        let (address, span) = variable.at.as_ref()?;
        if !is_member(section.kind) && section.kind != SectionKind::Global || section.kind == SectionKind::InOut {
            return self.fail(span, "only a variable of VAR or VAR_GLOBAL has an address", Hint(None));
        }
        let access = self.located(address, span, ty)?;
        if variable.initial.is_some() {
            let value = self.plant_value(ty, Start { initial: variable.initial.as_ref(), scope: self.here })?;
            if let Some(Target::Memory(place, ty)) = self.code.accesses.get(access as usize).map(|access| access.to) {
                self.plant.image_mut().set(place, ty, value.clone());
                self.code.located.push((place, ty, value));
            }
        }
        Some(Symbol::Access { access, ty, constant: section.constant })
    }

    /// A global variable as a unit declares that it uses it.
    fn external(&mut self, section: &Section, name: &'a Name, ty: TypeId) -> Option<Symbol> {
        let Some(symbol) = self.own(0, &name.key).or_else(|| self.tag(&name.key)) else {
            let globals = self.scopes.first().into_iter().flat_map(|scope| scope.names.values());
            let globals = globals.map(|(_, name)| name.text.to_string());
            let known: Vec<String> = globals.chain(self.tags.values().map(|(name, ..)| name.clone())).collect();
            let known: Vec<&str> = known.iter().map(|name| &**name).collect();
            return self.unknown("global variable or tag", name, &known);
        };
        let (found, symbol) = match symbol {
            Symbol::Variable(variable) => {
                let constant = variable.constant || section.constant;
                (variable.ty, Symbol::Variable(Variable { constant, ..variable }))
            }
            Symbol::Access { access, ty, constant } => {
                (ty, Symbol::Access { access, ty, constant: constant || section.constant })
            }
            Symbol::Constant(index) => (self.constant_value(index, &name.span)?.ty, symbol),
            Symbol::Enumerated { .. } | Symbol::Broken => return None,
        };
        if !self.types.same(found, ty) {
            let (here, there) = (self.types.name(ty), self.types.name(found));
            let message = format!("{} is {there}, and it is declared as {here} here", name.text);
            let hint = format!("declare it as {} : {there}", name.text);
            return self.fail(&name.span, message, hint);
        }
        Some(symbol)
    }

    /// The variables of VAR_TEMP, which start anew whenever the body runs.
    pub(super) fn declare_temporaries(&mut self, unit: usize) {
        let Some(syntax) = self.units.get(unit).map(|unit| unit.syntax) else { return };
        let sections = syntax.sections.iter().filter(|section| section.kind == SectionKind::Temp);
        for section in sections {
            for variable in &section.variables {
                if self.is_constant(section, variable) {
                    continue;
                }
                if let Some((_, span)) = &variable.at {
                    self.problem(span, "only a variable of VAR or VAR_GLOBAL has an address", Hint(None));
                }
                let ty = self.form(&variable.form, None);
                for name in &variable.names {
                    let symbol = ty.map_or(Symbol::Broken, |ty| {
                        self.refuse_instance(ty, SectionKind::Temp, false, &variable.form);
                        let start = Start { initial: variable.initial.as_ref(), scope: self.here };
                        Symbol::Variable(self.temporary_variable(ty, start, section.constant))
                    });
                    self.declare(name, symbol);
                }
            }
        }
    }

    fn temporary_variable(&mut self, ty: TypeId, start: Start<'a>, constant: bool) -> Variable {
        let count = self.types.slots(ty);
        let (slot, fresh) = (self.allocate(count), self.allocate(count));
        self.fill(slot, ty, start);
        self.fill(fresh, ty, start);
        self.renew(slot, fresh, ty);
        Variable { slot, ty, kind: SectionKind::Temp, constant }
    }
}
