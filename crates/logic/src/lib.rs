//! IEC 61131-3 (third edition, 2013) Structured Text as a bounded, deterministic program over the tags of a plant: the
//! control logic of devices, and the physics of the process.
//!
//! Text is parsed to a tree ([`syntax`]), compiled once to instructions over slots, and run once per scan. Time, noise and
//! memory come in as arguments; nothing here performs IO or asks what time it is.

mod library;
mod physics;
mod syntax;
mod types;

/// Where in the text something stands.
pub(crate) type Span = std::ops::Range<usize>;
