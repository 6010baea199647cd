//! Calls of instances of blocks that are written in Rust. Apart, because these have pins and no variables.

use super::{Compiler, Hint, argument::Output, place::At, types::TypeId};
use crate::{
    library::{Block, Way},
    run::Op,
    syntax::{Argument, Name},
};

impl<'a> Compiler<'a> {
    /// Calls an instance of a block of the library.
    pub(super) fn call_block(&mut self, block: &'static Block, at: At, arguments: &'a [Argument]) -> Option<()> {
        let find = |name: &Name, way: fn(Way) -> bool| {
            (0..).zip(block.pins).find(|(_, pin)| *pin.name == *name.key && way(pin.way))
        };
        let is_input = |way| way == Way::Input;
        let is_output = |way| matches!(way, Way::Output | Way::Running);
        let named = |way: fn(Way) -> bool| block.pins.iter().filter(move |pin| way(pin.way)).map(|pin| pin.name);
        let (mut outputs, mut given, mut good) = (Vec::new(), Vec::new(), true);
        for (index, argument) in arguments.iter().enumerate() {
            let (offset, pin, value) = match argument {
                Argument::Positional(value) => {
                    let Some((offset, pin)) = (0..).zip(block.pins).filter(|(_, pin)| is_input(pin.way)).nth(index)
                    else {
                        let names: Vec<&str> = named(is_input).collect();
                        let message = format!("{} takes {} arguments", block.name, names.len());
                        return self.fail(&value.span, message, format!("they are {}", names.join(", ")));
                    };
                    (offset, pin, value)
                }
                Argument::Input { name, value } => {
                    if let Some((offset, pin)) = find(name, is_input) {
                        (offset, pin, value)
                    } else {
                        good = false;
                        if find(name, is_output).is_some() {
                            let message = format!("{} is an output of {}", name.text, block.name);
                            self.problem(&name.span, message, format!("write {} => variable", name.text));
                        } else {
                            let known: Vec<&str> = named(is_input).collect();
                            self.unknown::<()>(&format!("input of {}", block.name), name, &known);
                        }
                        continue;
                    }
                }
                Argument::Output { name, negated, target } => {
                    if let Some((offset, pin)) = find(name, is_output) {
                        self.code.reads_running |= pin.way == Way::Running;
                        let output = Output { negated: *negated, target };
                        outputs.push((TypeId::of(pin.ty), at.plus(offset), output));
                    } else {
                        good = false;
                        let known: Vec<&str> = named(is_output).collect();
                        self.unknown::<()>(&format!("output of {}", block.name), name, &known);
                    }
                    continue;
                }
            };
            if given.contains(&offset) {
                self.problem(&value.span, format!("{} is given twice", pin.name), Hint(None));
                good = false;
            }
            given.push(offset);
            good &= self.assign_to(TypeId::of(pin.ty), at.plus(offset), value).is_some();
        }
        if !good {
            return None;
        }
        let known = self.code.blocks.iter().position(|other| other.name == block.name);
        let number = known.unwrap_or_else(|| {
            self.code.blocks.push(block);
            self.code.blocks.len() - 1
        }) as u32;
        match at {
            At::Slot(at) => self.emit(Op::Step { block: number, at }),
            At::Offset { offset: pointer, .. } => self.emit(Op::StepAt { block: number, pointer }),
            At::Access(_) => return None,
        }
        for (ty, at, output) in &outputs {
            self.give(*ty, *at, output);
        }
        Some(())
    }
}
