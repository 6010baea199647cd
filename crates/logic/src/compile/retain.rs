//! The list of variables that survive a restart. Apart, because it names single values wherever they lie: in arrays,
//! structures and instances.

use super::{
    Compiler,
    types::{Shape, TypeId},
    unit::Unit,
};
use crate::{
    run::{Retained, Slot},
    syntax::SectionKind,
};

impl Compiler<'_> {
    /// Lists all that is RETAIN, by name paths as they are declared.
    pub(super) fn list_retained(&mut self) {
        let many = self.units.iter().filter(|unit| unit.is_program()).count() > 1;
        let kept = std::mem::take(&mut self.kept);
        for kept in &kept {
            if !kept.retain && !self.types.has_block(kept.ty) {
                continue;
            }
            let program =
                kept.program.and_then(|unit| self.units.get(unit)).map(|unit: &Unit<'_>| &unit.syntax.name.text);
            // A global variable of the same name has the plain path.
            let hides = self.own(0, &kept.name.key).is_some();
            let path = match program {
                Some(program) if many || hides => format!("{program}.{}", kept.name.text),
                _ => kept.name.text.to_string(),
            };
            self.retained(path, kept.slot, kept.ty, kept.retain);
        }
    }

    fn retained(&mut self, path: String, slot: Slot, ty: TypeId, retain: bool) {
        if !retain && !self.types.has_block(ty) {
            return;
        }
        match self.types.shape(ty).clone() {
            Shape::Array { dimensions, of } => {
                let size = self.types.slots(of);
                let mut indices: Vec<i64> = dimensions.iter().map(|(low, _)| *low).collect();
                let count: u32 = dimensions.iter().map(|(low, high)| (high - low + 1) as u32).product();
                for element in 0..count {
                    let written: Vec<String> = indices.iter().map(i64::to_string).collect();
                    self.retained(format!("{path}[{}]", written.join(",")), slot.plus(element * size), of, retain);
                    // The last index moves first.
                    for (index, (low, high)) in indices.iter_mut().zip(&*dimensions).rev() {
                        if *index < *high {
                            *index += 1;
                            break;
                        }
                        *index = *low;
                    }
                }
            }
            Shape::Structure(fields) => {
                for field in &*fields {
                    let path = format!("{path}.{}", field.name.text);
                    self.retained(path, slot.plus(field.offset), field.ty, retain);
                }
            }
            Shape::Block(unit) => {
                let members = self.units.get(unit).map(|unit| unit.members.clone()).unwrap_or_default();
                for member in members.iter().filter(|member| member.kind != SectionKind::InOut && !member.constant) {
                    let path = format!("{path}.{}", member.name.text);
                    let slot = slot.plus(member.slot.index(0) as u32);
                    self.retained(path, slot, member.ty, retain || member.retain);
                }
            }
            Shape::Native(block) if retain => {
                for (offset, pin) in (0..).zip(block.pins) {
                    let name = format!("{path}.{}", pin.name).into();
                    let slot = slot.plus(offset).index(0) as u32;
                    self.code.retained.push(Retained { name, slot, ty: pin.ty });
                }
            }
            Shape::Native(_) => {}
            _ => {
                if let Some(ty) = self.types.storage(ty) {
                    self.code.retained.push(Retained { name: path.into(), slot: slot.index(0) as u32, ty });
                }
            }
        }
    }
}
