//! What a name stands for. Apart, because units, the text and the plant all have names, and one order decides between
//! them: the unit's own, enumerated values, the globals of the text, the tags of the plant.

use super::{
    Compiler,
    constant::{Origin, Value},
    types::{Shape, TypeId},
};
use crate::{
    Span,
    run::Slot,
    syntax::{Form, Initial, Name, SectionKind},
};
use std::collections::BTreeMap;

/// The names that a unit or the text declares.
#[derive(Default)]
pub(super) struct Scope<'a> {
    pub(super) names: BTreeMap<&'a str, (Symbol, &'a Name)>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Symbol {
    Variable(Variable),
    Constant(usize),
    /// A variable of the plant.
    Access {
        access: u32,
        ty: TypeId,
        constant: bool,
    },
    /// A value of an enumeration that has no name.
    Enumerated {
        ty: TypeId,
        value: i64,
    },
    /// It is declared, but a mistake was told about that already.
    Broken,
}

/// A variable in the program's own memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable {
    pub(super) slot: Slot,
    pub(super) ty: TypeId,
    pub(super) kind: SectionKind,
    pub(super) constant: bool,
}

/// A variable of a CONSTANT section that has one value; it takes no memory.
pub(super) struct Constant<'a> {
    pub(super) scope: usize,
    pub(super) name: &'a Name,
    pub(super) form: &'a Form,
    pub(super) initial: Option<&'a Initial>,
    pub(super) known: Known,
}

pub(super) enum Known {
    Waiting,
    Busy,
    Value(Option<Value>),
}

impl<'a> Compiler<'a> {
    /// Declares `name` in the present scope.
    pub(super) fn declare(&mut self, name: &'a Name, symbol: Symbol) {
        let Some(scope) = self.scopes.get_mut(self.here) else { return };
        match scope.names.get(&*name.key) {
            None => {
                scope.names.insert(&name.key, (symbol, name));
            }
            Some((_, other)) => {
                let line = super::line_at(self.text, &other.span);
                let message = format!("{} is declared twice", name.text);
                self.problem(&name.span, message, format!("it is declared in line {line} already"));
            }
        }
    }

    /// What the present scope itself has under this name.
    pub(super) fn own(&self, scope: usize, key: &str) -> Option<Symbol> {
        self.scopes.get(scope)?.names.get(key).map(|(symbol, _)| *symbol)
    }

    /// What `name` stands for. `expected` decides between values of enumerations.
    pub(super) fn find(&mut self, name: &Name, expected: Option<TypeId>) -> Option<Symbol> {
        let own = self.own(self.here, &name.key);
        let found = own.filter(|_| self.here != 0).or_else(|| self.enumerated_value(name, expected));
        let found = found.or_else(|| self.own(0, &name.key)).or_else(|| self.tag(&name.key));
        if found.is_some() {
            return found;
        }
        if self.enumerated.contains_key(&*name.key) {
            let types: Vec<String> = self.types_with(&name.key).map(|ty| format!("{ty}#{}", name.text)).collect();
            let message = format!("{} is a value of more than one type", name.text);
            return self.fail(&name.span, message, format!("write {}", types.join(" or ")));
        }
        if let Some(hint) = self.what_else(name) {
            return self.fail(&name.span, format!("there is no variable `{}`", name.text), hint);
        }
        let known = self.visible();
        let known: Vec<&str> = known.iter().map(|name| &**name).collect();
        self.unknown("variable", name, &known)
    }

    /// Why a name that is no variable may have been written.
    fn what_else(&self, name: &Name) -> Option<String> {
        if self.unit_names.contains_key(&*name.key) || self.type_names.contains_key(&*name.key) {
            return Some(format!("{} is declared, but not as a variable", name.text));
        }
        if crate::library::block(&name.key).is_some() {
            return Some(format!("{0} is a function block: declare an instance of it, such as x : {0};", name.key));
        }
        let function = crate::library::function(&name.key).is_some();
        function.then(|| format!("{} is a function: write its arguments behind it in ( )", name.key))
    }

    fn visible(&self) -> Vec<String> {
        let own = self.scopes.get(self.here).into_iter().chain(self.scopes.first());
        let own = own.flat_map(|scope| scope.names.values().map(|(_, name)| name.text.to_string()));
        let mut names: Vec<String> = own.chain(self.tags.values().map(|(name, ..)| name.clone())).collect();
        names.extend(self.enumerated.keys().map(|key| (*key).to_owned()));
        names.sort();
        names.dedup();
        names
    }

    /// The names of the declared types that have a value of this name.
    fn types_with(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let indices = self.enumerated.get(key).cloned().unwrap_or_default();
        let source = self.source;
        indices.into_iter().filter_map(|index| source.types.get(index).map(|ty| &*ty.name.text))
    }

    fn enumerated_value(&mut self, name: &Name, expected: Option<TypeId>) -> Option<Symbol> {
        if let Some(ty) = expected
            && let Some(value) = self.value_in(ty, &name.key)
        {
            return Some(Symbol::Enumerated { ty, value });
        }
        let [index] = **self.enumerated.get(&*name.key)? else { return None };
        let declared = self.source.types.get(index)?;
        let Some(ty) = self.type_called(&declared.name) else { return Some(Symbol::Broken) };
        Some(self.value_in(ty, &name.key).map_or(Symbol::Broken, |value| Symbol::Enumerated { ty, value }))
    }

    /// The value called `key` of the enumeration `ty`.
    pub(super) fn value_in(&self, ty: TypeId, key: &str) -> Option<i64> {
        let Shape::Enumeration(values) = self.types.shape(ty) else { return None };
        values.iter().find(|value| &*value.name.key == key).map(|value| value.value)
    }

    /// The tag of the plant called `key`.
    pub(super) fn tag(&mut self, key: &str) -> Option<Symbol> {
        let (_, id, ty) = self.tags.get(key)?;
        let (id, ty) = (*id, super::access::elementary(*ty));
        let target = self.target_of(id);
        let access = self.access_to(target, ty, super::types::TEXT);
        Some(Symbol::Access { access, ty: TypeId::of(ty), constant: false })
    }

    /// The value of a constant.
    pub(super) fn constant_value(&mut self, index: usize, used: &Span) -> Option<Value> {
        let constant = self.constants.get_mut(index)?;
        match std::mem::replace(&mut constant.known, Known::Busy) {
            Known::Value(value) => {
                constant.known = Known::Value(value.clone());
                return value;
            }
            Known::Busy => {
                let message = format!("{} is defined by itself", constant.name.text);
                return self.fail(used, message, "a constant needs a value that is known before it");
            }
            Known::Waiting => {}
        }
        let (scope, name, form, initial) = (constant.scope, constant.name, constant.form, constant.initial);
        let work = |compiler: &mut Self| {
            let ty = compiler.form(form, None)?;
            let Some(Initial::Value(expression)) = initial else {
                let message = format!("the constant {} has no value", name.text);
                return compiler.fail(&name.span, message, format!("write {} : … := value", name.text));
            };
            let value = compiler.constant_expression(expression, Some(ty))?;
            compiler.converted_constant(value, ty, &expression.span)
        };
        let value = self.nested(used, |compiler| compiler.in_scope(scope, work));
        if let Some(constant) = self.constants.get_mut(index) {
            constant.known = Known::Value(value.clone());
        }
        value
    }

    /// The value that a symbol always has.
    pub(super) fn fixed(&mut self, symbol: Symbol, used: &Span) -> Option<Option<Value>> {
        match symbol {
            Symbol::Constant(index) => Some(self.constant_value(index, used)),
            Symbol::Enumerated { ty, value } => Some(Some(Value { ty, origin: Origin::Raw(value as u64) })),
            _ => None,
        }
    }
}
