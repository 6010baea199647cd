//! What variables start with. Apart, because it is worked out before the program runs, for values of any type, and laid
//! into the memory that every task begins with.

use super::{
    Compiler, Hint,
    constant::{Origin, Value},
    types::{Shape, TypeId},
};
use crate::{
    Span,
    library::{Block, Way},
    run::Slot,
    syntax::{Expression, Initial, Name, SectionKind},
};

/// An initial value as it is written, and the scope in which its names mean something.
#[derive(Clone, Copy, Default)]
pub(super) struct Start<'a> {
    pub(super) initial: Option<&'a Initial>,
    pub(super) scope: usize,
}

impl<'a> Compiler<'a> {
    /// Lays what a variable of type `ty` starts with into the memory from `slot` on.
    pub(super) fn fill(&mut self, slot: Slot, ty: TypeId, start: Start<'a>) -> Option<()> {
        let start = if start.initial.is_some() { start } else { self.types.get(ty).start };
        match self.types.shape(ty).clone() {
            Shape::Array { of, dimensions } => {
                let count = dimensions.iter().map(|(low, high)| (high - low + 1) as u32).product();
                self.fill_array(slot, of, count, start)
            }
            Shape::Structure(fields) => {
                let given = self.given(start, ty)?;
                for (name, _) in given {
                    if !fields.iter().any(|field| field.name.key == name.key) {
                        let known: Vec<&str> = fields.iter().map(|field| &*field.name.text).collect();
                        let what = format!("field of {}", self.types.name(ty));
                        self.unknown::<()>(&what, name, &known);
                    }
                }
                for field in &*fields {
                    let own = chosen(given, &field.name.key, start.scope).unwrap_or(field.start);
                    self.fill(slot.plus(field.offset), field.ty, own);
                }
                Some(())
            }
            Shape::Block(unit) => {
                let given = self.given(start, ty)?;
                let members = self.units.get(unit)?.members.clone();
                let open = |kind| matches!(kind, SectionKind::Input | SectionKind::Output);
                for (name, _) in given {
                    if !members.iter().any(|member| member.name.key == name.key && open(member.kind)) {
                        let known = self.pins_of(unit);
                        let what = format!("input or output of {}", self.types.name(ty));
                        self.unknown::<()>(&what, name, &known);
                    }
                }
                for member in members.iter().filter(|member| member.kind != SectionKind::InOut) {
                    let own = chosen(given, &member.name.key, start.scope).unwrap_or(member.start);
                    self.fill(slot.plus(member.slot.index(0) as u32), member.ty, own);
                }
                Some(())
            }
            Shape::Native(block) => self.fill_block(slot, block, ty, start),
            _ => {
                let value = self.start_value(ty, start)?;
                match value.origin {
                    Origin::Text(octets) => self.preset_text(slot, self.types.text_length(ty), &octets),
                    origin => self.preset(slot, Value { ty, origin }.known().unwrap_or(0)),
                }
                Some(())
            }
        }
    }

    /// What a variable with a single value starts with.
    pub(super) fn start_value(&mut self, ty: TypeId, start: Start<'a>) -> Option<Value> {
        let start = if start.initial.is_some() { start } else { self.types.get(ty).start };
        match start.initial {
            None => Some(match self.types.shape(ty) {
                // The first value, and the lowest one (§6.4.4.2, §6.4.4.4).
                Shape::Enumeration(values) => Value::raw(ty, values.first().map_or(0, |value| value.value) as u64),
                Shape::Subrange { low, high, .. } if !(*low..=*high).contains(&0) => Value::raw(ty, *low as u64),
                _ if self.types.is_text(ty) => Value { ty, origin: Origin::Text([].into()) },
                _ => Value::raw(ty, 0),
            }),
            Some(Initial::Value(expression)) => self.in_scope(start.scope, |compiler| {
                let value = compiler.constant_expression(expression, Some(ty))?;
                compiler.converted_constant(value, ty, &expression.span)
            }),
            Some(Initial::Array(_, span) | Initial::Structure(_, span)) => {
                let message = format!("{} starts with a single value", self.types.name(ty));
                self.fail(span, message, Hint(None))
            }
        }
    }

    /// What is given for the fields of a structure or the pins of an instance.
    fn given(&mut self, start: Start<'a>, ty: TypeId) -> Option<&'a [(Name, Initial)]> {
        let span = match start.initial {
            None => return Some(&[]),
            Some(Initial::Structure(fields, _)) => return Some(fields),
            Some(Initial::Array(_, span)) => span,
            Some(Initial::Value(expression)) => &expression.span,
        };
        let message = format!("{} starts with the values of its fields", self.types.name(ty));
        self.fail(span, message, "write (first := 1, second := 2)")
    }

    fn fill_array(&mut self, slot: Slot, of: TypeId, count: u32, start: Start<'a>) -> Option<()> {
        let size = self.types.slots(of);
        let mut next = 0;
        match start.initial {
            None => {}
            Some(Initial::Array(items, span)) => {
                for (repeat, initial) in items {
                    let times = match repeat {
                        Some(repeat) => self.in_scope(start.scope, |compiler| compiler.times(repeat))?,
                        None => 1,
                    };
                    if times > i128::from(count - next) {
                        return self.fail(span, format!("more values than the {count} elements"), Hint(None));
                    }
                    for _ in 0..times {
                        self.fill(slot.plus(next * size), of, Start { initial: Some(initial), ..start });
                        next += 1;
                    }
                }
            }
            Some(Initial::Structure(_, span) | Initial::Value(Expression { span, .. })) => {
                return self.fail(span, "an array starts with the values of its elements", "write [1, 2, 8(0)]");
            }
        }
        for index in next..count {
            self.fill(slot.plus(index * size), of, Start::default());
        }
        Some(())
    }

    fn times(&mut self, repeat: &'a Expression) -> Option<i128> {
        let times = self.whole(repeat)?;
        if times < 0 {
            return self.fail(&repeat.span, format!("{times} times"), "write how often the value is repeated");
        }
        Some(times)
    }

    fn fill_block(&mut self, slot: Slot, block: &'static Block, ty: TypeId, start: Start<'a>) -> Option<()> {
        let given = self.given(start, ty)?;
        for (name, _) in given {
            let open = |way| way == Way::Input || way == Way::Output;
            if !block.pins.iter().any(|pin| *pin.name == *name.key && open(pin.way)) {
                let known: Vec<&str> = block.pins.iter().filter(|pin| open(pin.way)).map(|pin| pin.name).collect();
                self.unknown::<()>(&format!("input of {}", block.name), name, &known);
            }
        }
        for (offset, pin) in (0..).zip(block.pins) {
            self.preset(slot.plus(offset), pin.initial);
            if let Some(own) = chosen(given, pin.name, start.scope) {
                self.fill(slot.plus(offset), TypeId::of(pin.ty), own);
            }
            if pin.way == Way::Running {
                self.code.running.push(slot.plus(offset).index(0) as u32);
            }
        }
        Some(())
    }

    /// Tells when a variable has no place for what it starts with.
    pub(super) fn refuse_initial(&mut self, initial: Option<&Initial>, span: &Span, why: &str) {
        if initial.is_some() {
            self.problem(span, format!("{why} starts with no value of its own"), Hint(None));
        }
    }
}

/// What is given for the field called `key`.
fn chosen<'a>(given: &'a [(Name, Initial)], key: &str, scope: usize) -> Option<Start<'a>> {
    let (_, initial) = given.iter().find(|(name, _)| &*name.key == key)?;
    Some(Start { initial: Some(initial), scope })
}
