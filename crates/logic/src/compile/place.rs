//! Variables as they are written: by name, field, index, part or address. Apart, because a variable is read, assigned,
//! passed and called in different files, and where it lies is worked out once.

use super::{
    Compiler,
    constant::{Origin, Value, whole_of},
    scope::Symbol,
    types::{Shape, TypeId, spare},
};
use crate::{
    Span,
    library::Way,
    run::{Bounds, Op, Slot},
    syntax::{Expression, ExpressionKind, Name, Part, SectionKind},
    types::Elementary,
};

/// Where a variable lies.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Slot(Slot),
    /// The value of `offset` behind `at`.
    Offset {
        at: Slot,
        offset: Slot,
    },
    /// In the plant.
    Access(u32),
}

impl At {
    /// The place `count` slots further on; the plant has single values only.
    pub(super) const fn plus(self, count: u32) -> Self {
        match self {
            Self::Slot(slot) => Self::Slot(slot.plus(count)),
            Self::Offset { at, offset } => Self::Offset { at: at.plus(count), offset },
            Self::Access(access) => Self::Access(access),
        }
    }
}

/// A variable or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) ty: TypeId,
    pub(super) at: At,
    /// Which bits of the value: from which on, how many, and what type the whole has.
    pub(super) part: Option<(u8, u8, Elementary)>,
    /// Why it cannot be assigned.
    pub(super) fixed: Option<&'static str>,
}

impl Place {
    const fn new(ty: TypeId, at: At) -> Self {
        Self { ty, at, part: None, fixed: None }
    }
}

const CONSTANT: &str = "a constant";
const INPUT: &str = "an input";

impl<'a> Compiler<'a> {
    /// The variable that `expression` names.
    pub(super) fn place(&mut self, expression: &'a Expression) -> Option<Place> {
        match &expression.kind {
            ExpressionKind::Name(name) => {
                let symbol = self.find(name, None)?;
                self.place_of(symbol, name)
            }
            ExpressionKind::Address(address) => {
                let (access, ty) = self.address(address, &expression.span)?;
                Some(Place::new(ty, At::Access(access)))
            }
            ExpressionKind::Field(of, name) => {
                let base = self.place(of)?;
                self.field(base, name)
            }
            ExpressionKind::Index(of, indices) => self.element(of, indices, &expression.span),
            ExpressionKind::Part { of, part, number } => self.part(of, *part, *number, &expression.span),
            _ => {
                let message = format!("`{}` is no variable", self.written(&expression.span));
                self.fail(&expression.span, message, "a variable is needed here")
            }
        }
    }

    /// The variable that `symbol` is.
    pub(super) fn place_of(&mut self, symbol: Symbol, name: &Name) -> Option<Place> {
        let fixed = |constant: bool| constant.then_some(CONSTANT);
        match symbol {
            Symbol::Variable(variable) => {
                let at = match variable.kind {
                    // The slot holds where the variable lies that was passed.
                    SectionKind::InOut => At::Offset { at: Slot::absolute(0), offset: variable.slot },
                    _ => At::Slot(variable.slot),
                };
                let input = variable.kind == SectionKind::Input;
                let fixed = if input { Some(INPUT) } else { fixed(variable.constant) };
                Some(Place { fixed, ..Place::new(variable.ty, at) })
            }
            Symbol::Access { access, ty, constant } => {
                Some(Place { fixed: fixed(constant), ..Place::new(ty, At::Access(access)) })
            }
            Symbol::Constant(_) => {
                let message = format!("{} is a constant", name.text);
                self.fail(&name.span, message, "declare it in a section without CONSTANT to change it")
            }
            Symbol::Enumerated { .. } => {
                let message = format!("{} is a value of an enumeration", name.text);
                self.fail(&name.span, message, "a variable is needed here")
            }
            Symbol::Broken => None,
        }
    }

    fn field(&mut self, base: Place, name: &'a Name) -> Option<Place> {
        let shape = self.types.shape(base.ty).clone();
        match shape {
            Shape::Structure(fields) => {
                let Some(field) = fields.iter().find(|field| field.name.key == name.key) else {
                    let known: Vec<&str> = fields.iter().map(|field| &*field.name.text).collect();
                    let what = format!("field of {}", self.types.name(base.ty));
                    return self.unknown(&what, name, &known);
                };
                Some(Place { ty: field.ty, at: base.at.plus(field.offset), ..base })
            }
            Shape::Block(unit) => {
                let member = self.member(unit, &name.key);
                match member {
                    Some(member) if matches!(member.kind, SectionKind::Input | SectionKind::Output) => {
                        let fixed = (member.kind == SectionKind::Output).then_some("an output");
                        let offset = member.slot.index(0) as u32;
                        Some(Place { ty: member.ty, at: base.at.plus(offset), fixed: fixed.or(base.fixed), ..base })
                    }
                    Some(_) => {
                        let message =
                            format!("{} cannot be seen from outside of {}", name.text, self.types.name(base.ty));
                        self.fail(&name.span, message, "make it a VAR_OUTPUT")
                    }
                    None => {
                        let known = self.pins_of(unit);
                        let what = format!("input or output of {}", self.types.name(base.ty));
                        self.unknown(&what, name, &known)
                    }
                }
            }
            Shape::Native(block) => {
                let mut pins = (0..).zip(block.pins);
                let Some((offset, pin)) = pins.find(|(_, pin)| *pin.name == *name.key && pin.way != Way::Hidden) else {
                    let known = block.pins.iter().filter(|pin| pin.way != Way::Hidden).map(|pin| pin.name);
                    return self.unknown(
                        &format!("input or output of {}", block.name),
                        name,
                        &known.collect::<Vec<_>>(),
                    );
                };
                self.code.reads_running |= pin.way == Way::Running;
                let fixed = (pin.way != Way::Input).then_some("an output");
                let ty = TypeId::of(pin.ty);
                Some(Place { ty, at: base.at.plus(offset), fixed: fixed.or(base.fixed), ..base })
            }
            _ => {
                let message = format!("{} has no fields, so there is no `{}`", self.types.name(base.ty), name.text);
                self.fail(&name.span, message, "only a STRUCT or an instance of a function block has them")
            }
        }
    }

    fn element(&mut self, of: &'a Expression, indices: &'a [Expression], span: &Span) -> Option<Place> {
        let base = self.place(of)?;
        let Shape::Array { dimensions, of: element } = self.types.shape(base.ty).clone() else {
            let message = format!("`{}` is {} and no array", self.written(&of.span), self.types.name(base.ty));
            return self.fail(&of.span, message, "only an ARRAY has an index");
        };
        if dimensions.len() != indices.len() {
            let message = format!("{} indices are given for {} dimensions", indices.len(), dimensions.len());
            return self.fail(span, message, format!("it is {}", self.types.name(base.ty)));
        }
        let mut stride = self.types.slots(element);
        let (mut place, mut good) = (Place { ty: element, ..base }, true);
        // The last index counts single elements.
        for (index, (low, high)) in indices.iter().zip(&*dimensions).rev() {
            let count = (high - low + 1) as u32;
            let bounds = Bounds {
                low: (*low).into(),
                high: (*high).into(),
                count,
                stride,
                unsigned: false,
                of: self.written(&of.span).into(),
            };
            match self.indexed(place.at, index, bounds) {
                Some(at) => place.at = at,
                None => good = false,
            }
            stride = stride.saturating_mul(count);
        }
        good.then_some(place)
    }

    fn indexed(&mut self, at: At, index: &'a Expression, mut bounds: Bounds) -> Option<At> {
        let value = self.expression(index, None, None)?;
        let ty = self.types.elementary(value.ty).filter(|ty| ty.is_integer());
        let known = match (&value.origin, ty) {
            (Origin::Integer(number), _) => Some(*number),
            (Origin::Raw(raw), Some(ty)) => Some(whole_of(*raw, ty)),
            (_, Some(_)) => None,
            (_, None) => {
                let message = format!("an index is an integer, and this is {}", self.types.name(value.ty));
                let hint = self.conversion(value.ty, TypeId::of(Elementary::Int));
                return self.fail(&index.span, message, hint);
            }
        };
        if let Some(number) = known {
            if !(bounds.low..=bounds.high).contains(&number) {
                let message = format!("index {number} is outside of {}..{} of {}", bounds.low, bounds.high, bounds.of);
                return self.fail(&index.span, message, super::Hint(None));
            }
            return Some(at.plus((number - bounds.low) as u32 * bounds.stride));
        }
        bounds.unsigned = ty.is_some_and(Elementary::is_unsigned);
        let (index, to, bounds) = (self.slot(&value), self.temporary(), self.bounds(bounds));
        self.emit(Op::Index { to, index, bounds });
        Some(match at {
            At::Slot(at) => At::Offset { at, offset: to },
            At::Offset { at, offset } => {
                self.emit(Op::AddSigned { spare: 0, to, a: to, b: offset });
                At::Offset { at, offset: to }
            }
            At::Access(_) => at,
        })
    }

    /// The number of `bounds` in the code.
    pub(super) fn bounds(&mut self, bounds: Bounds) -> u32 {
        let known = self.code.bounds.iter().position(|other| *other == bounds);
        known.unwrap_or_else(|| {
            self.code.bounds.push(bounds);
            self.code.bounds.len() - 1
        }) as u32
    }

    fn part(&mut self, of: &'a Expression, part: Part, number: u32, span: &Span) -> Option<Place> {
        let base = self.place(of)?;
        let (width, ty) = match part {
            Part::Bit => (1, Elementary::Bool),
            Part::Byte => (8, Elementary::Byte),
            Part::Word => (16, Elementary::Word),
            Part::Dword => (32, Elementary::Dword),
        };
        let whole = self.types.elementary(base.ty).filter(|ty| ty.is_integer() || ty.is_bits());
        let Some(whole) = whole.filter(|whole| *whole != Elementary::Bool && base.part.is_none()) else {
            let message = format!("`{}` is {} and has no parts", self.written(&of.span), self.types.name(base.ty));
            return self.fail(span, message, "BYTE to LWORD and integers have bits and bytes");
        };
        let bits = 64 - u32::from(spare(whole));
        if number.saturating_add(1).saturating_mul(width) > bits {
            let message = format!("{} has no such part", whole.name());
            return self.fail(
                span,
                message,
                format!("its parts of this size go from 0 to {}", (bits / width).max(1) - 1),
            );
        }
        Some(Place { ty: TypeId::of(ty), part: Some(((number * width) as u8, width as u8, whole)), ..base })
    }

    /// The value of a variable that takes one slot. `into` is where it may go if it has to be fetched.
    pub(super) fn read(&mut self, place: &Place, into: Option<Slot>) -> Value {
        let text = self.types.is_text(place.ty);
        let slot = match place.at {
            At::Slot(slot) => slot,
            At::Offset { at, offset } => {
                // What is fetched of a text is its number, which is not to be put where another text is.
                let to = into.filter(|_| !text && place.part.is_none()).unwrap_or_else(|| self.temporary());
                self.emit(Op::Load { to, at, offset });
                to
            }
            At::Access(tag) if text => {
                let to = self.temporary_text();
                self.emit(Op::ReadText { to, tag });
                to
            }
            At::Access(tag) => match self.input(tag) {
                At::Slot(slot) => slot,
                _ => {
                    let to = into.filter(|_| place.part.is_none()).unwrap_or_else(|| self.temporary());
                    self.emit(Op::ReadTag { to, tag });
                    to
                }
            },
        };
        let Some((shift, width, _)) = place.part else { return Value::slot(place.ty, slot) };
        let to = into.unwrap_or_else(|| self.temporary());
        self.emit(Op::GetPart { shift, width, to, of: slot });
        Value::slot(place.ty, to)
    }

    /// Puts the value in `from` into a variable that takes one slot.
    pub(super) fn write(&mut self, place: &Place, from: Slot) {
        if let Some((shift, width, whole)) = place.part {
            let all = Place { ty: TypeId::of(whole), part: None, ..place.clone() };
            let before = self.read(&all, None);
            let (slot, of) = (self.slot(&before), self.temporary());
            self.emit(Op::Copy { to: of, from: slot });
            self.emit(Op::SetPart { shift, width, of, from });
            if whole.is_signed() {
                self.emit(Op::Narrow { ty: whole, to: of, a: of });
            }
            return self.write(&all, of);
        }
        let text = self.types.is_text(place.ty);
        match place.at {
            At::Slot(to) if text => self.emit(Op::CopyText { to, from }),
            At::Slot(to) if to == from => {}
            At::Slot(to) => self.emit(Op::Copy { to, from }),
            At::Offset { at, offset } if text => {
                let to = self.temporary();
                self.emit(Op::Load { to, at, offset });
                self.emit(Op::CopyText { to, from });
            }
            At::Offset { at, offset } => self.emit(Op::Store { at, offset, from }),
            At::Access(tag) if text => self.emit(Op::WriteText { tag, from }),
            At::Access(tag) => self.emit(Op::WriteTag { tag, from }),
        }
    }

    /// A slot that holds the index of the place. The plant has none.
    pub(super) fn pointer(&mut self, at: At) -> Slot {
        let to = self.temporary();
        match at {
            At::Slot(of) => self.emit(Op::Address { to, of }),
            At::Offset { at, offset } => {
                self.emit(Op::Address { to, of: at });
                self.emit(Op::AddSigned { spare: 0, to, a: to, b: offset });
            }
            At::Access(_) => {}
        }
        to
    }
}
