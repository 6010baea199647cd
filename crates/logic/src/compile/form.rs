//! Types as they are written. Apart, because working them out needs names and constants, and the table of types is only
//! looked at.

use super::{
    Compiler, Hint, LARGEST,
    initial::Start,
    types::{Enumerated, Field, Progress, Shape, TypeId, limits},
};
use crate::{
    Span, library,
    syntax::{Expression, Form, Name, Variable},
    types::Elementary,
};

/// How long a STRING can be.
const LONGEST_TEXT: i128 = 255;
/// How deep types may lie in each other.
const DEEPEST: u32 = 32;
const BOUND: i128 = i32::MAX as i128;

impl<'a> Compiler<'a> {
    /// The type that is written as `form`; `name` is what it is called where it is declared.
    pub(super) fn form(&mut self, form: &'a Form, name: Option<&'a Name>) -> Option<TypeId> {
        let called = |otherwise: String| name.map_or(otherwise, |name| name.text.to_string());
        match form {
            Form::Elementary(ty, _) => Some(TypeId::of(*ty)),
            Form::Text(length) => {
                let value = self.whole(length)?;
                if !(1..=LONGEST_TEXT).contains(&value) {
                    let message = format!("a STRING of {value} characters");
                    return self.fail(&length.span, message, format!("write a length of 1 to {LONGEST_TEXT}"));
                }
                Some(self.types.add(format!("STRING[{value}]"), Shape::Text(value as u8), 1, 0))
            }
            Form::Named(name) => self.named(name),
            Form::Array { bounds, of, span } => self.array(bounds, of, span),
            Form::Structure { fields, .. } => {
                let (shape, slots, depth) = self.structure(fields)?;
                Some(self.types.add(called("STRUCT".into()), shape, slots, depth))
            }
            Form::Enumeration { values, .. } => {
                let shape = self.enumeration(values)?;
                Some(self.types.add(called("enumeration".into()), shape, 1, 0))
            }
            Form::Subrange { base, low, high, span } => {
                let (low, high) = (self.whole(low)?, self.whole(high)?);
                let (lowest, highest) = limits(*base).or_else(|| {
                    self.fail(span, format!("a range of {}", base.name()), "only an integer has a range")
                })?;
                if low > high || low < lowest || high > highest {
                    let message = format!("{low}..{high} is no range of {}", base.name());
                    return self.fail(span, message, format!("{} goes from {lowest} to {highest}", base.name()));
                }
                let shape = Shape::Subrange { base: *base, low, high };
                Some(self.types.add(called(format!("{} ({low}..{high})", base.name())), shape, 1, 0))
            }
        }
    }

    /// The type or function block called `name`.
    fn named(&mut self, name: &'a Name) -> Option<TypeId> {
        if let Some(index) = self.type_names.get(&*name.key).copied() {
            return self.declared_type(index, name);
        }
        if let Some(unit) = self.unit_names.get(&*name.key).copied() {
            if !self.is_function_block(unit) {
                let message = format!("{} is no type", name.text);
                return self.fail(&name.span, message, "a variable can be an instance of a FUNCTION_BLOCK only");
            }
            return self.instance(unit, name);
        }
        if let Some(block) = library::block(&name.key) {
            let known = self.natives.get(block.name).copied();
            return Some(known.unwrap_or_else(|| {
                let id = self.types.add(block.name, Shape::Native(block), block.pins.len() as u32, 1);
                self.natives.insert(block.name, id);
                id
            }));
        }
        let mut known: Vec<&str> = self.type_names.keys().chain(self.unit_names.keys()).copied().collect();
        library::blocks().chain(Elementary::ALL.iter().map(|ty| ty.name())).for_each(|name| known.push(name));
        self.unknown("type", name, &known)
    }

    pub(super) fn declared_type(&mut self, index: usize, name: &Name) -> Option<TypeId> {
        let source = self.source;
        let declaration = source.types.get(index)?;
        match self.type_progress.get(index).copied()? {
            Progress::Known(known) => return known,
            Progress::Busy => {
                let message = format!("{} contains itself", declaration.name.text);
                return self.fail(&name.span, message, "a type cannot be a part of itself");
            }
            Progress::Waiting => {}
        }
        self.set_type_progress(index, Progress::Busy);
        let known = self.nested(&name.span, |compiler| {
            let of = compiler.in_scope(0, |compiler| compiler.form(&declaration.form, Some(&declaration.name)))?;
            let Some(initial) = &declaration.initial else { return Some(of) };
            // A name of its own for the same type, that starts with another value.
            let start = Start { initial: Some(initial), scope: 0 };
            Some(compiler.types.alias(of, &declaration.name.text, start))
        });
        self.set_type_progress(index, Progress::Known(known));
        known
    }

    fn set_type_progress(&mut self, index: usize, progress: Progress) {
        if let Some(entry) = self.type_progress.get_mut(index) {
            *entry = progress;
        }
    }

    fn instance(&mut self, unit: usize, name: &Name) -> Option<TypeId> {
        let slots = self.layout(unit, &name.span)?;
        if let Some(id) = self.units.get(unit)?.instance {
            return Some(id);
        }
        let members: Vec<TypeId> = self.units.get(unit)?.members.iter().map(|member| member.ty).collect();
        let depth = self.deeper(members, &name.span)?;
        let text = self.units.get(unit)?.syntax.name.text.clone();
        let id = self.types.add(&*text, Shape::Block(unit), slots, depth);
        self.units.get_mut(unit)?.instance = Some(id);
        Some(id)
    }

    fn array(&mut self, bounds: &'a [(Expression, Expression)], of: &'a Form, span: &Span) -> Option<TypeId> {
        let of = self.form(of, None);
        let mut dimensions = Vec::new();
        for (low, high) in bounds {
            let (low_value, high_value) = (self.whole(low)?, self.whole(high)?);
            if low_value > high_value || low_value < -BOUND || high_value > BOUND {
                let message = format!("an array cannot go from {low_value} to {high_value}");
                return self.fail(span, message, "write the lower bound first");
            }
            dimensions.push((low_value as i64, high_value as i64));
        }
        let of = of?;
        let depth = self.deeper([of], span)?;
        let count = dimensions.iter().map(|(low, high)| (high - low + 1) as u64);
        // Also elements that take no slot are counted: each of them is gone through.
        let slots = count.fold(u64::from(self.types.slots(of).max(1)), u64::saturating_mul);
        if slots > u64::from(LARGEST) {
            let message = format!("this array takes {slots} elementary values");
            return self.fail(span, message, format!("a program has room for {LARGEST}"));
        }
        let written: Vec<String> = dimensions.iter().map(|(low, high)| format!("{low}..{high}")).collect();
        let name = format!("ARRAY[{}] OF {}", written.join(", "), self.types.name(of));
        let slots = if self.types.slots(of) == 0 { 0 } else { slots as u32 };
        Some(self.types.add(name, Shape::Array { dimensions: dimensions.into(), of }, slots, depth))
    }

    fn structure(&mut self, written: &'a [Variable]) -> Option<(Shape<'a>, u32, u32)> {
        let (mut fields, mut slots): (Vec<Field<'a>>, u64) = (Vec::new(), 0);
        let mut whole = true;
        for variable in written {
            let Some(ty) = self.form(&variable.form, None) else {
                whole = false;
                continue;
            };
            if let Some((_, span)) = &variable.at {
                self.problem(span, "a field has no address", "give the address to a variable");
            }
            for name in &variable.names {
                if fields.iter().any(|field| field.name.key == name.key) {
                    self.problem(&name.span, format!("the field {} is declared twice", name.text), Hint(None));
                }
                let start = Start { initial: variable.initial.as_ref(), scope: self.here };
                fields.push(Field { name, ty, offset: slots.min(u64::from(LARGEST)) as u32, start });
                slots += u64::from(self.types.slots(ty));
            }
        }
        let span = written.first().and_then(|field| field.names.first()).map_or(0..0, |name| name.span.clone());
        if slots > u64::from(LARGEST) {
            let message = format!("this structure takes {slots} elementary values");
            return self.fail(&span, message, format!("a program has room for {LARGEST}"));
        }
        let depth = self.deeper(fields.iter().map(|field| field.ty).collect::<Vec<_>>(), &span)?;
        whole.then(|| (Shape::Structure(fields.into()), slots as u32, depth))
    }

    fn enumeration(&mut self, written: &'a [(Name, Option<Expression>)]) -> Option<Shape<'a>> {
        let (mut values, mut next): (Vec<Enumerated<'a>>, i64) = (Vec::new(), 0);
        for (name, value) in written {
            if let Some(value) = value {
                let number = self.whole(value)?;
                let Ok(number) = i16::try_from(number) else {
                    return self.fail(&value.span, format!("{number} is no INT"), "an enumeration is held as an INT");
                };
                next = number.into();
            }
            if values.iter().any(|other| other.name.key == name.key) {
                self.problem(&name.span, format!("the value {} is declared twice", name.text), Hint(None));
            }
            values.push(Enumerated { name, value: next });
            next = next.saturating_add(1);
        }
        Some(Shape::Enumeration(values.into()))
    }

    /// One more than the depth of the deepest of `parts`.
    fn deeper(&mut self, parts: impl IntoIterator<Item = TypeId>, span: &Span) -> Option<u32> {
        let depth = parts.into_iter().map(|ty| self.types.get(ty).depth).max().unwrap_or(0) + 1;
        if depth > DEEPEST {
            return self.fail(span, format!("types lie more than {DEEPEST} deep in each other"), Hint(None));
        }
        Some(depth)
    }
}
