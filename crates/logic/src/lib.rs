//! IEC 61131-3 (third edition, 2013) Structured Text as a bounded, deterministic program over the tags of a plant: the
//! control logic of devices, and the physics of the process.
//!
//! Text is parsed to a tree ([`syntax`]), compiled once to instructions over slots, and run once per scan. Time, noise and
//! memory come in as arguments; nothing here performs IO or asks what time it is.

mod compile;
mod library;
mod parse;
mod physics;
mod run;
mod syntax;
mod types;

use honeyplant_core::{
    plant::{Plant, Program, Task},
    settings::Problems,
};
use std::{fmt, sync::Arc};

/// Where in the text something stands.
pub(crate) type Span = std::ops::Range<usize>;

/// A program that was compiled for the tags of one kind of plant. Copies share it.
#[derive(Clone)]
pub struct Compiled {
    code: Arc<run::Code>,
}

/// Compiles `text` for a plant with the tags and the memory of `plant`, and adds to it the tags that the program declares
/// itself. The error is all mistakes of the text, in its order, each with its place; the plant is of no use then.
pub fn compile(text: &str, plant: &mut Plant) -> Result<Compiled, Problems> {
    compile::compile(text, plant).map(|code| Compiled { code: Arc::new(code) })
}

impl Program for Compiled {
    fn declare(&self, plant: &mut Plant) {
        self.code.declare(plant);
    }

    fn start(&self, seed: u64) -> Box<dyn Task> {
        Box::new(run::Work::new(self.code.clone(), seed))
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").finish_non_exhaustive()
    }
}
