//! The standard functions and function blocks, as the compiler finds them. Apart, because the language is one thing and
//! what is written in it is another; a function or block is one entry in one list.

use crate::types::{Elementary, Raw};
use honeyplant_core::random::Random;

/// A standard function (§6.6.2.5).
pub(crate) struct Function {
    /// Its name, in capitals.
    pub(crate) name: Box<str>,
    /// The formal parameters in order. The last one of an extensible function stands for any number of them.
    pub(crate) inputs: Vec<Input>,
    /// Whether the last input may be given many times (ADD, MAX, MUX …).
    pub(crate) extensible: bool,
    /// The type of the result.
    pub(crate) result: Class,
    /// How it is computed.
    pub(crate) compute: Compute,
}

/// A formal parameter of a standard function.
pub(crate) struct Input {
    /// Its name, in capitals: IN, IN1, L …
    pub(crate) name: Box<str>,
    /// What it takes.
    pub(crate) class: Class,
}

/// What a parameter takes (§6.4.3, figure 5). All parameters of one call whose class is the same generic are of one type:
/// the compiler finds the smallest to which all arguments convert implicitly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Exactly(Elementary),
    /// Integers, reals and TIME.
    AnyMagnitude,
    /// Integers and reals.
    AnyNumber,
    AnyInteger,
    AnyReal,
    /// BOOL to LWORD.
    AnyBits,
    /// Any elementary type.
    AnyElementary,
}

/// How a function is computed. Arguments are already converted to what the parameters take.
pub(crate) enum Compute {
    /// From numbers to a number. The first argument is the type that the generic parameters have in this call (that of the
    /// first parameter if none is generic). An error is why the CPU faults.
    Number(fn(Elementary, &[Raw]) -> Result<Raw, &'static str>),
    /// Anything with texts.
    Text(fn(Elementary, &[Operand<'_>]) -> Result<Produced, &'static str>),
    /// One or the other, by whether the generic parameters are STRING in this call (SEL, MAX, EQ …).
    Either(
        fn(Elementary, &[Raw]) -> Result<Raw, &'static str>,
        fn(Elementary, &[Operand<'_>]) -> Result<Produced, &'static str>,
    ),
}

/// An argument of a function on texts.
pub(crate) enum Operand<'a> {
    Number(Raw),
    Text(&'a [u8]),
}

/// A result of a function on texts.
pub(crate) enum Produced {
    Number(Raw),
    Text(Vec<u8>),
}

/// A function block that is written in Rust (§6.6.3.5, and the physics).
pub(crate) struct Block {
    /// Its name, in capitals.
    pub(crate) name: &'static str,
    /// Its inputs, outputs and hidden state; each takes one slot of an instance, in this order.
    pub(crate) pins: &'static [Pin],
    /// Runs an instance once on its slots. Never called with fewer slots than there are pins. None of the pins is a text.
    pub(crate) step: fn(&mut [Raw], &mut Now<'_>),
}

/// One slot of a block.
pub(crate) struct Pin {
    /// Its name, in capitals.
    pub(crate) name: &'static str,
    pub(crate) ty: Elementary,
    pub(crate) way: Way,
    /// What it holds in a new instance.
    pub(crate) initial: Raw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Input,
    Output,
    /// An output that moves all the time while the block is busy (ET of a timer). A program that reads one is scanned
    /// again and again where it could rest until [`Now::again_at`].
    Running,
    /// Not to be reached by the program.
    Hidden,
}

/// What a block sees besides its own slots.
pub(crate) struct Now<'a> {
    /// Nanoseconds since the CPU started; never back.
    pub(crate) uptime: i64,
    /// The device's clock: nanoseconds since 1970.
    pub(crate) clock: i64,
    /// The source of all noise.
    pub(crate) random: &'a mut Random,
    /// When the program has to be scanned again even if nobody changes anything: the least of what its blocks ask for, in
    /// nanoseconds of uptime. [`Now::again`] and [`Now::again_at`] ask.
    pub(crate) wake: i64,
}

impl Now<'_> {
    /// The next scan will be different: something moves.
    pub(crate) const fn again(&mut self) {
        self.wake = 0;
    }

    /// Nothing will be different before `uptime`: a timer runs, and nothing else of it can be seen until then.
    pub(crate) const fn again_at(&mut self, uptime: i64) {
        if uptime < self.wake {
            self.wake = uptime;
        }
    }
}

/// The standard function called `name` (in capitals), conversions such as INT_TO_REAL included.
pub(crate) fn function(_name: &str) -> Option<Function> {
    None
}

/// The names of the standard functions without the conversions, for hints.
pub(crate) fn functions() -> impl Iterator<Item = &'static str> {
    [].into_iter()
}

/// The standard or physics block called `name` (in capitals).
pub(crate) fn block(name: &str) -> Option<&'static Block> {
    crate::physics::BLOCKS.iter().find(|block| block.name == name)
}

/// The names of all blocks, for hints.
pub(crate) fn blocks() -> impl Iterator<Item = &'static str> {
    crate::physics::BLOCKS.iter().map(|block| block.name)
}
