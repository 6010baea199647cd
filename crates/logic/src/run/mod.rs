//! A compiled program at work: its code, the machine that runs it, and the task that the plant sees. Apart, because
//! nothing here knows the language.

mod access;
mod code;
mod machine;
mod memory;
mod task;

pub(crate) use access::{text_of, value_of};
pub(crate) use code::{Access, Bounds, Code, Computation, Op, Own, Relation, Retained, Slot, Target, Text};
pub(crate) use task::Work;
