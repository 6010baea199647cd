//! The types of a program and how many slots their values take. Apart, because declarations make them and everything
//! else only asks.

use super::initial::Start;
use crate::{
    library::Block,
    syntax::{Name, SectionKind},
    types::Elementary,
};
use std::rc::Rc;

/// A type of the program, by its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TypeId(u32);

impl TypeId {
    /// The type of a whole number that nothing has given one yet.
    pub(super) const INTEGER: Self = Self(20);
    /// The type of a number with a decimal point that nothing has given one yet.
    pub(super) const NUMBER: Self = Self(21);
    pub(super) const BOOL: Self = Self::of(Elementary::Bool);
    pub(super) const STRING: Self = Self::of(Elementary::String);

    pub(super) const fn of(ty: Elementary) -> Self {
        Self(ty as u32)
    }

    /// Whether it is that of a literal that takes the type of its context.
    pub(super) fn is_open(self) -> bool {
        self == Self::INTEGER || self == Self::NUMBER
    }
}

/// How long a STRING is that says nothing of it (§6.4.2, as most vendors have it).
pub(super) const TEXT: u8 = 80;

#[derive(Clone)]
pub(super) struct Type<'a> {
    /// As messages name it.
    name: Rc<str>,
    pub(super) shape: Shape<'a>,
    pub(super) slots: u32,
    pub(super) depth: u32,
    /// The type that this one is another name of; itself if none.
    definition: TypeId,
    pub(super) start: Start<'a>,
}

#[derive(Clone)]
pub(super) enum Shape<'a> {
    Elementary(Elementary),
    Text(u8),
    Array {
        dimensions: Rc<[(i64, i64)]>,
        of: TypeId,
    },
    Structure(Rc<[Field<'a>]>),
    Enumeration(Rc<[Enumerated<'a>]>),
    Subrange {
        base: Elementary,
        low: i128,
        high: i128,
    },
    /// A function block of the text, by its unit.
    Block(usize),
    /// A function block of the library.
    Native(&'static Block),
}

#[derive(Clone)]
pub(super) struct Field<'a> {
    pub(super) name: &'a Name,
    pub(super) ty: TypeId,
    pub(super) offset: u32,
    pub(super) start: Start<'a>,
}

#[derive(Clone)]
pub(super) struct Enumerated<'a> {
    pub(super) name: &'a Name,
    pub(super) value: i64,
}

/// How far a declared type is.
#[derive(Clone, Copy)]
pub(super) enum Progress {
    Waiting,
    Busy,
    Known(Option<TypeId>),
}

pub(super) struct Types<'a> {
    list: Vec<Type<'a>>,
    /// Stands in for a type that is not in the list.
    none: Type<'a>,
}

impl<'a> Types<'a> {
    pub(super) fn new() -> Self {
        let elementary = Elementary::ALL.iter().map(|ty| (ty.name(), Shape::Elementary(*ty)));
        let open = [("whole number", Elementary::Lint), ("number", Elementary::Lreal)];
        let entries = elementary.chain(open.map(|(name, ty)| (name, Shape::Elementary(ty))));
        let types = (0..).zip(entries).map(|(id, (name, shape))| Type {
            name: name.into(),
            shape,
            slots: 1,
            depth: 0,
            definition: TypeId(id),
            start: Start::default(),
        });
        let none = Type {
            name: "nothing".into(),
            shape: Shape::Elementary(Elementary::Bool),
            slots: 1,
            depth: 0,
            definition: TypeId::BOOL,
            start: Start::default(),
        };
        Self { list: types.collect(), none }
    }

    pub(super) fn get(&self, id: TypeId) -> &Type<'a> {
        self.list.get(id.0 as usize).unwrap_or(&self.none)
    }

    pub(super) fn add(&mut self, name: impl Into<Rc<str>>, shape: Shape<'a>, slots: u32, depth: u32) -> TypeId {
        let id = TypeId(self.list.len() as u32);
        self.list.push(Type { name: name.into(), shape, slots, depth, definition: id, start: Start::default() });
        id
    }

    /// Another name for a type, whose variables start with something else.
    pub(super) fn alias(&mut self, of: TypeId, name: &str, start: Start<'a>) -> TypeId {
        let id = TypeId(self.list.len() as u32);
        self.list.push(Type { name: name.into(), start, ..self.get(of).clone() });
        id
    }

    pub(super) fn shape(&self, id: TypeId) -> &Shape<'a> {
        &self.get(id).shape
    }

    pub(super) fn slots(&self, id: TypeId) -> u32 {
        self.get(id).slots
    }

    pub(super) fn name(&self, id: TypeId) -> &str {
        &self.get(id).name
    }

    /// The elementary type of a value, if it is one; that of a subrange is its base.
    pub(super) fn elementary(&self, id: TypeId) -> Option<Elementary> {
        match *self.shape(id) {
            Shape::Elementary(ty) => Some(ty),
            Shape::Text(_) => Some(Elementary::String),
            Shape::Subrange { base, .. } => Some(base),
            _ => None,
        }
    }

    /// The elementary type that a slot of it holds, if it takes one slot; that of an enumeration is INT.
    pub(super) fn storage(&self, id: TypeId) -> Option<Elementary> {
        match self.shape(id) {
            Shape::Enumeration(_) => Some(Elementary::Int),
            _ => self.elementary(id),
        }
    }

    pub(super) fn is_text(&self, id: TypeId) -> bool {
        self.elementary(id) == Some(Elementary::String)
    }

    pub(super) fn is_block(&self, id: TypeId) -> bool {
        matches!(self.shape(id), Shape::Block(_) | Shape::Native(_))
    }

    /// Whether a function block lies anywhere in it.
    pub(super) fn has_block(&self, id: TypeId) -> bool {
        match self.shape(id) {
            Shape::Block(_) | Shape::Native(_) => true,
            Shape::Array { of, .. } => self.has_block(*of),
            Shape::Structure(fields) => fields.iter().any(|field| self.has_block(field.ty)),
            _ => false,
        }
    }

    /// How many characters a text holds.
    pub(super) fn text_length(&self, id: TypeId) -> u8 {
        match *self.shape(id) {
            Shape::Text(length) => length,
            _ => TEXT,
        }
    }

    /// Whether values of one are values of the other.
    pub(super) fn same(&self, a: TypeId, b: TypeId) -> bool {
        if self.get(a).definition == self.get(b).definition {
            return true;
        }
        match (self.shape(a), self.shape(b)) {
            (Shape::Array { dimensions: a_dimensions, of: a }, Shape::Array { dimensions: b_dimensions, of: b }) => {
                a_dimensions == b_dimensions && self.same(*a, *b)
            }
            _ => self.elementary(a).is_some_and(|ty| self.elementary(b) == Some(ty)),
        }
    }
}

/// The smallest and the greatest value of an integer or a bit string.
pub(super) const fn limits(ty: Elementary) -> Option<(i128, i128)> {
    Some(match ty {
        Elementary::Bool => (0, 1),
        Elementary::Sint => (i8::MIN as i128, i8::MAX as i128),
        Elementary::Int => (i16::MIN as i128, i16::MAX as i128),
        Elementary::Dint => (i32::MIN as i128, i32::MAX as i128),
        Elementary::Lint => (i64::MIN as i128, i64::MAX as i128),
        Elementary::Usint | Elementary::Byte => (0, u8::MAX as i128),
        Elementary::Uint | Elementary::Word => (0, u16::MAX as i128),
        Elementary::Udint | Elementary::Dword => (0, u32::MAX as i128),
        Elementary::Ulint | Elementary::Lword => (0, u64::MAX as i128),
        _ => return None,
    })
}

/// How many bits of 64 an integer or a bit string leaves unused.
pub(super) const fn spare(ty: Elementary) -> u8 {
    match ty {
        Elementary::Bool => 63,
        Elementary::Sint | Elementary::Usint | Elementary::Byte => 56,
        Elementary::Int | Elementary::Uint | Elementary::Word => 48,
        Elementary::Dint | Elementary::Udint | Elementary::Dword => 32,
        _ => 0,
    }
}

/// Whether a section's variables are a part of an instance.
pub(super) const fn is_member(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::Local | SectionKind::Input | SectionKind::Output | SectionKind::InOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_elementary_type_has_the_id_that_it_is_looked_up_with() {
        let types = Types::new();
        for ty in Elementary::ALL {
            assert_eq!(types.elementary(TypeId::of(ty)), Some(ty));
        }
        assert_eq!(types.name(TypeId::INTEGER), "whole number");
    }
}
