//! Function blocks that behave like the things of a plant. Apart, because they are no part of IEC 61131-3.

use crate::library::Block;

/// All of them.
pub(crate) static BLOCKS: &[Block] = &[];
