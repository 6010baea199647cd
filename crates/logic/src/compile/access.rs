//! Variables that lie in the plant: its tags and its memory by address. Apart, because only these have types that a
//! device's memory knows, and places that the device has or has not.

use super::{Compiler, types::TypeId};
use crate::{
    Span,
    run::{Access, Target},
    types::Elementary,
};
use honeyplant_core::plant::{TagId, Type};

/// The type of a tag as the language has it.
pub(super) const fn elementary(ty: Type) -> Elementary {
    match ty {
        Type::Bool => Elementary::Bool,
        Type::Sint => Elementary::Sint,
        Type::Int => Elementary::Int,
        Type::Dint => Elementary::Dint,
        Type::Lint => Elementary::Lint,
        Type::Usint => Elementary::Usint,
        Type::Uint => Elementary::Uint,
        Type::Udint => Elementary::Udint,
        Type::Ulint => Elementary::Ulint,
        Type::Byte => Elementary::Byte,
        Type::Word => Elementary::Word,
        Type::Dword => Elementary::Dword,
        Type::Lword => Elementary::Lword,
        Type::Real => Elementary::Real,
        Type::Lreal => Elementary::Lreal,
        Type::Time => Elementary::Time,
        Type::String => Elementary::String,
    }
}

/// What an address without a declared type holds, by the letter of its size (§6.5.5.2, table 16).
pub(super) fn type_at(address: &str) -> Type {
    // %MW4.2 and %DB1.DBX0.1 are bits; the letter of a data block's address stands behind the point.
    let rest = address.strip_prefix("%DB").and_then(|rest| rest.split_once('.')).map(|(_, rest)| rest);
    let (letter, rest) = match rest {
        Some(rest) => (rest.strip_prefix("DB").unwrap_or(rest).get(..1), rest),
        None => (address.get(2..3), address),
    };
    match letter {
        Some("W") if rest.contains('.') => Type::Bool,
        Some("B") => Type::Byte,
        Some("W") => Type::Word,
        Some("D") => Type::Dword,
        Some("L") => Type::Lword,
        _ => Type::Bool,
    }
}

impl Compiler<'_> {
    /// The number of a variable of the plant in the code.
    pub(super) fn access_to(&mut self, to: Target, ty: Elementary, length: u8) -> u32 {
        let access = Access { to, ty, length };
        let known = self.code.accesses.iter().position(|other| *other == access);
        known.unwrap_or_else(|| {
            self.code.accesses.push(access);
            self.code.accesses.len() - 1
        }) as u32
    }

    /// Where a tag lies.
    pub(super) fn target_of(&self, id: TagId) -> Target {
        let place = self.plant.place_of(id);
        place.map_or(Target::Tag(id), |place| Target::Memory(place, self.plant.type_of(id)))
    }

    /// What lies at an address that an expression uses.
    pub(super) fn address(&mut self, address: &str, span: &Span) -> Option<(u32, TypeId)> {
        let ty = elementary(type_at(address));
        self.located(address, span, TypeId::of(ty)).map(|access| (access, TypeId::of(ty)))
    }

    /// A variable of type `ty` at an address.
    pub(super) fn located(&mut self, address: &str, span: &Span, ty: TypeId) -> Option<u32> {
        let Some((storage, tag)) = self.types.storage(ty).and_then(|ty| Some((ty, ty.tag()?))) else {
            let message = format!("{} cannot lie in the memory of a device", self.types.name(ty));
            return self.fail(span, message, "give an address to variables of elementary types other than dates");
        };
        match self.plant.image().locate(address, tag) {
            Ok(place) => {
                let length = self.types.text_length(ty);
                Some(self.access_to(Target::Memory(place, tag), storage, length))
            }
            Err(why) => self.fail(span, why, super::Hint(None)),
        }
    }
}
