//! What the compiler makes and the machine runs: instructions over slots. Apart, because it is all that the two share.

use crate::{
    library::{Block, Compute},
    types::{Elementary, Raw},
};
use honeyplant_core::plant::{Place, TagId, Type, Value};

/// A place in the slot memory: from its start, or from the start of the instance whose body runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot(u32);

impl Slot {
    const RELATIVE: u32 = 1 << 31;

    pub(crate) const fn absolute(index: u32) -> Self {
        Self(index & !Self::RELATIVE)
    }

    pub(crate) const fn relative(index: u32) -> Self {
        Self(index | Self::RELATIVE)
    }

    /// The slot `count` further on. Layouts stay far below the range of an index.
    pub(crate) const fn plus(self, count: u32) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// The index in the memory while the body of the instance at `base` runs.
    #[inline(always)]
    pub(crate) const fn index(self, base: u32) -> usize {
        // Without a branch: the mask is all ones for a relative slot.
        let mask = ((self.0 as i32) >> 31) as u32;
        ((self.0 & !Self::RELATIVE).wrapping_add(base & mask)) as usize
    }
}

/// A relation between texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Less,
    NotMore,
    Equal,
    Unequal,
}

/// An instruction; `to` is where the result goes. `spare` is how many bits of 64 the type of the result leaves unused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    Copy { to: Slot, from: Slot },
    // Reads the slot that lies the value of `offset` behind `at`.
    Load { to: Slot, at: Slot, offset: Slot },
    Store { at: Slot, offset: Slot, from: Slot },
    // The index of `of` itself.
    Address { to: Slot, of: Slot },
    // Copies slots between the indices that `to` and `from` hold. Texts are copied, not their numbers.
    CopyMany { to: Slot, from: Slot, count: u32 },
    CopyText { to: Slot, from: Slot },
    // The offset of an element in its array.
    Index { to: Slot, index: Slot, bounds: u32 },
    // Faults unless `value` lies inside a subrange.
    Range { value: Slot, bounds: u32 },

    AddSigned { spare: u8, to: Slot, a: Slot, b: Slot },
    SubSigned { spare: u8, to: Slot, a: Slot, b: Slot },
    MulSigned { spare: u8, to: Slot, a: Slot, b: Slot },
    DivSigned { spare: u8, to: Slot, a: Slot, b: Slot },
    ModSigned { to: Slot, a: Slot, b: Slot },
    AddUnsigned { spare: u8, to: Slot, a: Slot, b: Slot },
    SubUnsigned { spare: u8, to: Slot, a: Slot, b: Slot },
    MulUnsigned { spare: u8, to: Slot, a: Slot, b: Slot },
    DivUnsigned { to: Slot, a: Slot, b: Slot },
    ModUnsigned { to: Slot, a: Slot, b: Slot },
    AddReal { to: Slot, a: Slot, b: Slot },
    SubReal { to: Slot, a: Slot, b: Slot },
    MulReal { to: Slot, a: Slot, b: Slot },
    DivReal { to: Slot, a: Slot, b: Slot },
    AddLreal { to: Slot, a: Slot, b: Slot },
    SubLreal { to: Slot, a: Slot, b: Slot },
    MulLreal { to: Slot, a: Slot, b: Slot },
    DivLreal { to: Slot, a: Slot, b: Slot },
    Power { to: Slot, a: Slot, b: Slot },
    NegateReal { to: Slot, a: Slot },
    And { to: Slot, a: Slot, b: Slot },
    Or { to: Slot, a: Slot, b: Slot },
    Xor { to: Slot, a: Slot, b: Slot },
    Not { spare: u8, to: Slot, a: Slot },

    LessSigned { to: Slot, a: Slot, b: Slot },
    NotMoreSigned { to: Slot, a: Slot, b: Slot },
    LessUnsigned { to: Slot, a: Slot, b: Slot },
    NotMoreUnsigned { to: Slot, a: Slot, b: Slot },
    LessReal { to: Slot, a: Slot, b: Slot },
    NotMoreReal { to: Slot, a: Slot, b: Slot },
    Equal { to: Slot, a: Slot, b: Slot },
    Unequal { to: Slot, a: Slot, b: Slot },
    EqualReal { to: Slot, a: Slot, b: Slot },
    UnequalReal { to: Slot, a: Slot, b: Slot },
    CompareText { relation: Relation, to: Slot, a: Slot, b: Slot },

    SignedToReal { to: Slot, a: Slot },
    UnsignedToReal { to: Slot, a: Slot },
    // Rounded to REAL.
    Round { to: Slot, a: Slot },
    // To the nearest integer, held inside the range of 64 bits.
    RealToSigned { to: Slot, a: Slot },
    // A time of day, after midnight again.
    DayTime { to: Slot, a: Slot },
    Narrow { ty: Elementary, to: Slot, a: Slot },
    GetPart { shift: u8, width: u8, to: Slot, of: Slot },
    SetPart { shift: u8, width: u8, of: Slot, from: Slot },

    Jump { to: u32 },
    // A jump back: what is repeated counts as steps.
    Again { to: u32 },
    JumpIf { condition: Slot, to: u32 },
    JumpUnless { condition: Slot, to: u32 },
    JumpIfLessSigned { a: Slot, b: Slot, to: u32 },
    JumpUnlessLessSigned { a: Slot, b: Slot, to: u32 },
    JumpIfEqual { a: Slot, b: Slot, to: u32 },
    JumpUnlessEqual { a: Slot, b: Slot, to: u32 },
    JumpIfLessReal { a: Slot, b: Slot, to: u32 },
    JumpUnlessLessReal { a: Slot, b: Slot, to: u32 },
    JumpIfNotMoreReal { a: Slot, b: Slot, to: u32 },
    JumpUnlessNotMoreReal { a: Slot, b: Slot, to: u32 },

    // Runs the body of a unit on the instance at `at`.
    Call { unit: u32, at: Slot },
    // The same at the index that `pointer` holds.
    CallAt { unit: u32, pointer: Slot },
    Return,
    // Runs a block that is written in Rust.
    Step { block: u32, at: Slot },
    StepAt { block: u32, pointer: Slot },
    // Computes a standard function from the `count` slots from `first` on.
    Compute { count: u8, function: u16, to: Slot, first: Slot },
    ReadTag { to: Slot, tag: u32 },
    WriteTag { tag: u32, from: Slot },
    ReadText { to: Slot, tag: u32 },
    WriteText { tag: u32, from: Slot },
    End,
}

impl Op {
    /// Where a jump goes to.
    pub(crate) const fn target(&mut self) -> Option<&mut u32> {
        match self {
            Self::Jump { to }
            | Self::Again { to }
            | Self::JumpIf { to, .. }
            | Self::JumpUnless { to, .. }
            | Self::JumpIfLessSigned { to, .. }
            | Self::JumpUnlessLessSigned { to, .. }
            | Self::JumpIfEqual { to, .. }
            | Self::JumpUnlessEqual { to, .. }
            | Self::JumpIfLessReal { to, .. }
            | Self::JumpUnlessLessReal { to, .. }
            | Self::JumpIfNotMoreReal { to, .. }
            | Self::JumpUnlessNotMoreReal { to, .. } => Some(to),
            _ => None,
        }
    }
}

/// The bounds of one dimension of an array, or of a subrange.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) low: i128,
    pub(crate) high: i128,
    /// How many elements the dimension has.
    pub(crate) count: u32,
    /// How many slots lie between two elements.
    pub(crate) stride: u32,
    /// Whether the value is held as a `u64`.
    pub(crate) unsigned: bool,
    /// The array or variable, as messages name it.
    pub(crate) of: Box<str>,
}

/// A standard function as one place calls it.
pub(crate) struct Computation {
    pub(crate) compute: Compute,
    /// What its generic parameters are, as [`Compute`] says.
    pub(crate) ty: Elementary,
    /// Which of its arguments are texts.
    pub(crate) texts: Box<[bool]>,
}

/// A variable of the plant that the program reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Access {
    pub(crate) to: Target,
    pub(crate) ty: Elementary,
    /// How many characters of a text the program writes.
    pub(crate) length: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// A tag with a place of its own.
    Tag(TagId),
    /// A located tag, or an address.
    Memory(Place, Type),
}

/// A text of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// How many characters it holds; what is longer is cut.
    pub(crate) most: u8,
    pub(crate) octets: Vec<u8>,
}

/// A variable that survives a restart.
#[derive(Clone, Debug)]
pub(crate) struct Retained {
    pub(crate) name: Box<str>,
    pub(crate) slot: u32,
    pub(crate) ty: Elementary,
}

/// A tag that the program adds to the plant, with what a restart puts into it.
pub(crate) struct Own {
    pub(crate) name: Box<str>,
    pub(crate) settings: honeyplant_core::plant::TagSettings,
    pub(crate) id: TagId,
}

/// A compiled program.
#[derive(Default)]
pub(crate) struct Code {
    pub(crate) ops: Vec<Op>,
    /// Where the body of each unit begins.
    pub(crate) entries: Vec<u32>,
    /// The line of the text from which the instructions from an index on were made, in order.
    pub(crate) lines: Vec<(u32, u32)>,
    pub(crate) bounds: Vec<Bounds>,
    pub(crate) computations: Vec<Computation>,
    pub(crate) blocks: Vec<&'static Block>,
    pub(crate) accesses: Vec<Access>,
    /// The slots into which variables of the plant are read when a scan begins, and which.
    pub(crate) inputs: Vec<(u32, u32)>,
    /// The slots before the first scan. The first `persistent` of them keep what they hold from scan to scan.
    pub(crate) memory: Vec<Raw>,
    pub(crate) persistent: usize,
    /// The texts before the first scan; also of these the first ones persist.
    pub(crate) texts: Vec<Text>,
    pub(crate) persistent_texts: usize,
    /// The slots that hold the number of a text, and the persistent ones that move while nothing else does; both in order.
    pub(crate) text_slots: Vec<u32>,
    pub(crate) running: Vec<u32>,
    /// Whether the program reads any of `running`.
    pub(crate) reads_running: bool,
    pub(crate) retained: Vec<Retained>,
    pub(crate) own: Vec<Own>,
    /// What located variables start with.
    pub(crate) located: Vec<(Place, Type, Value)>,
}

impl Code {
    /// The line of the text that the instruction at `index` was made from.
    pub(crate) fn line(&self, index: usize) -> usize {
        let after = self.lines.partition_point(|(from, _)| *from as usize <= index);
        self.lines.get(after.saturating_sub(1)).map_or(1, |(_, line)| *line as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_takes_sixteen_bytes() {
        assert_eq!(size_of::<Op>(), 16);
    }
}
