//! Which variables of the plant the program only reads. Apart, because it is told from the tree before any body is
//! compiled: such a variable is read once, when the scan begins, as a CPU takes its inputs.

use super::{Compiler, place::At, scope::Symbol};
use crate::{
    run::{Slot, Target},
    syntax::{Argument, Expression, ExpressionKind, Label, Source, Statement, StatementKind},
};
use honeyplant_core::plant::{Place, TagId};
use std::collections::{BTreeMap, BTreeSet};

/// What the bodies of a text may change.
#[derive(Default)]
pub(super) struct Inputs {
    tags: BTreeSet<TagId>,
    /// Where, and how many bits.
    places: Vec<(Place, u32)>,
    /// The slots in which variables that are only read lie while the program runs, by their numbers in the code.
    slots: BTreeMap<u32, Slot>,
}

/// The names and addresses that statements may change.
#[derive(Default)]
struct Changed<'a> {
    names: BTreeSet<&'a str>,
    addresses: BTreeSet<&'a str>,
}

impl<'a> Changed<'a> {
    fn of(source: &'a Source) -> Self {
        let mut changed = Self::default();
        source.units.iter().for_each(|unit| changed.statements(&unit.body));
        changed
    }

    fn statements(&mut self, statements: &'a [Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Assign { target, value } => {
                    self.variable(target);
                    self.expressions([value]);
                }
                StatementKind::Call(call) => self.expressions([call]),
                StatementKind::If { arms, otherwise } => {
                    for (condition, body) in arms {
                        self.expressions([condition]);
                        self.statements(body);
                    }
                    self.statements(otherwise);
                }
                StatementKind::Case { on, arms, otherwise } => {
                    self.expressions([on]);
                    for (labels, body) in arms {
                        for label in labels {
                            match label {
                                Label::One(value) => self.expressions([value]),
                                Label::Range(low, high) => self.expressions([low, high]),
                            }
                        }
                        self.statements(body);
                    }
                    self.statements(otherwise);
                }
                StatementKind::For { counter, from, to, by, body } => {
                    self.variable(counter);
                    self.expressions([from, to].into_iter().chain(by));
                    self.statements(body);
                }
                StatementKind::While { condition, body } | StatementKind::Repeat { body, until: condition } => {
                    self.expressions([condition]);
                    self.statements(body);
                }
                StatementKind::Exit | StatementKind::Continue | StatementKind::Return => {}
            }
        }
    }

    /// The calls in expressions: what they are given may be passed as VAR_IN_OUT.
    fn expressions(&mut self, expressions: impl IntoIterator<Item = &'a Expression>) {
        for expression in expressions {
            match &expression.kind {
                ExpressionKind::Field(of, _) | ExpressionKind::Part { of, .. } | ExpressionKind::Unary(_, of) => {
                    self.expressions([&**of]);
                }
                ExpressionKind::Index(of, indices) => self.expressions(std::iter::once(&**of).chain(indices)),
                ExpressionKind::Binary(_, a, b) => self.expressions([&**a, &**b]),
                ExpressionKind::Call { callee, arguments } => {
                    self.expressions([&**callee]);
                    for argument in arguments {
                        let (Argument::Positional(value)
                        | Argument::Input { value, .. }
                        | Argument::Output { target: value, .. }) = argument;
                        self.variable(value);
                        self.expressions([value]);
                    }
                }
                ExpressionKind::Literal(_)
                | ExpressionKind::Name(_)
                | ExpressionKind::Address(_)
                | ExpressionKind::Enumerated { .. } => {}
            }
        }
    }

    /// The variable that an expression names, if it does.
    fn variable(&mut self, expression: &'a Expression) {
        match &expression.kind {
            ExpressionKind::Name(name) => {
                self.names.insert(&name.key);
            }
            ExpressionKind::Address(address) => {
                self.addresses.insert(address);
            }
            ExpressionKind::Field(of, _) | ExpressionKind::Part { of, .. } | ExpressionKind::Index(of, _) => {
                self.variable(of);
            }
            _ => {}
        }
    }
}

impl Compiler<'_> {
    /// Finds out what of the plant the bodies may change.
    pub(super) fn find_inputs(&mut self) {
        let changed = Changed::of(self.source);
        let mut targets = Vec::new();
        for name in changed.names {
            let tag = self.tag(name);
            let declared = self.scopes.iter().filter_map(|scope| scope.names.get(name).map(|(symbol, _)| *symbol));
            for symbol in declared.chain(tag) {
                if let Symbol::Access { access, .. } = symbol {
                    targets.extend(self.code.accesses.get(access as usize).map(|access| access.to));
                }
            }
        }
        for address in changed.addresses {
            let ty = super::access::type_at(address);
            targets.extend(self.plant.image().locate(address, ty).ok().map(|place| Target::Memory(place, ty)));
        }
        for target in targets {
            match target {
                Target::Tag(id) => {
                    self.inputs.tags.insert(id);
                }
                Target::Memory(place, ty) => self.inputs.places.push((place, ty.bits())),
            }
        }
    }

    /// Where the variable of the plant lies while the program runs: in a slot, if it is only read.
    pub(super) fn input(&mut self, access: u32) -> At {
        if let Some(slot) = self.inputs.slots.get(&access) {
            return At::Slot(*slot);
        }
        let changes = match self.code.accesses.get(access as usize).map(|access| access.to) {
            Some(Target::Tag(id)) => self.inputs.tags.contains(&id),
            Some(Target::Memory(place, ty)) => {
                self.inputs.places.iter().any(|(other, bits)| other.meets(*bits, place, ty.bits()))
            }
            None => true,
        };
        if changes {
            return At::Access(access);
        }
        let slot = self.allocate(1);
        self.inputs.slots.insert(access, slot);
        self.code.inputs.push((slot.index(0) as u32, access));
        At::Slot(slot)
    }
}
