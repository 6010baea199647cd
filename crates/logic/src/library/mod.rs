//! The standard functions and function blocks, as the compiler finds them. Apart, because the language is one thing and
//! what is written in it is another; a function or block is one entry in one list.

pub(crate) mod pins;

mod bistable;
mod bits;
mod clock;
mod comparison;
mod conversion;
mod counter;
mod edge;
mod literal;
mod numeric;
mod selection;
mod text;
mod time;
mod timer;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod sample;

use crate::types::{Elementary, Raw};
use honeyplant_core::random::Random;

/// A standard function (§6.6.2.5).
pub(crate) struct Function {
    /// Its name, in capitals.
    pub(crate) name: Box<str>,
    /// The formal parameters in order. The last one of an extensible function stands for any number of them; its name ends
    /// in a number, and theirs count on from it (IN2, IN3 …).
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
/// the compiler finds the smallest to which all arguments convert implicitly. Parameters of different generics are apart
/// (IN and N of SHL, K and the INs of MUX); a result that is generic is of the type of the parameters of that generic.
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

/// How a function is computed. Arguments are already converted to what the parameters take. The first argument of each is
/// the type in this call of the result's generic; of the first generic parameter, if the result is not generic; of the
/// first parameter, if none is generic. Results are already cut to their type.
#[derive(Clone, Copy)]
pub(crate) enum Compute {
    /// From numbers to a number. An error is why the CPU faults.
    Number(fn(Elementary, &[Raw]) -> Result<Raw, &'static str>),
    /// Anything with texts.
    Text(fn(Elementary, &[Operand<'_>]) -> Result<Produced, &'static str>),
    /// One or the other, by whether that type is STRING in this call (SEL, MAX, EQ …).
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
#[derive(Clone, Copy)]
pub(crate) struct Block {
    /// Its name, in capitals.
    pub(crate) name: &'static str,
    /// Its inputs, outputs and hidden state; each takes one slot of an instance, in this order.
    pub(crate) pins: &'static [Pin],
    /// Runs an instance once on its slots. Never called with fewer slots than there are pins. None of the pins is a text.
    pub(crate) step: fn(&mut [Raw], &mut Now<'_>),
    /// What it is, for docs/programs.md.
    #[cfg(test)]
    pub(crate) about: &'static str,
}

/// One slot of a block.
pub(crate) struct Pin {
    /// Its name, in capitals.
    pub(crate) name: &'static str,
    pub(crate) ty: Elementary,
    pub(crate) way: Way,
    /// What it holds in a new instance.
    pub(crate) initial: Raw,
    /// What it means, for docs/programs.md.
    #[cfg(test)]
    pub(crate) about: &'static str,
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
pub(crate) fn function(name: &str) -> Option<Function> {
    let entry = |name: &str| entries().find(|entry| entry.name == name).map(Entry::function);
    entry(name).or_else(|| conversion::function(name)).or_else(|| entry(&time::short(name)?))
}

/// The names of the standard functions without the conversions, for hints.
pub(crate) fn functions() -> impl Iterator<Item = &'static str> {
    entries().map(|entry| entry.name)
}

/// The standard or physics block called `name` (in capitals).
pub(crate) fn block(name: &str) -> Option<&'static Block> {
    all().find(|block| block.name == name)
}

/// The names of all blocks, for hints.
pub(crate) fn blocks() -> impl Iterator<Item = &'static str> {
    all().map(|block| block.name)
}

fn all() -> impl Iterator<Item = &'static Block> {
    BLOCKS.iter().copied().flatten().chain(crate::physics::BLOCKS)
}

static BLOCKS: [&[Block]; 5] = [&bistable::BLOCKS, &edge::BLOCKS, &counter::BLOCKS, &timer::BLOCKS, &clock::BLOCKS];

/// A standard function as the files of this folder list it.
#[derive(Clone, Copy)]
struct Entry {
    name: &'static str,
    inputs: &'static [(&'static str, Class)],
    extensible: bool,
    result: Class,
    compute: Compute,
}

impl Entry {
    const fn new(
        name: &'static str,
        inputs: &'static [(&'static str, Class)],
        result: Class,
        compute: Compute,
    ) -> Self {
        Self { name, inputs, extensible: false, result, compute }
    }

    const fn extensible(self) -> Self {
        Self { extensible: true, ..self }
    }

    fn function(&self) -> Function {
        let input = |(name, class): &(&str, Class)| Input { name: (*name).into(), class: *class };
        Function {
            name: self.name.into(),
            inputs: self.inputs.iter().map(input).collect(),
            extensible: self.extensible,
            result: self.result,
            compute: self.compute,
        }
    }
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    FUNCTIONS.iter().copied().flatten()
}

static FUNCTIONS: [&[Entry]; 6] = [
    &numeric::FUNCTIONS,
    &bits::FUNCTIONS,
    &selection::FUNCTIONS,
    &comparison::FUNCTIONS,
    &text::FUNCTIONS,
    &time::FUNCTIONS,
];

/// The raw value of an argument, or 0.
fn number(arguments: &[Raw], index: usize) -> Raw {
    arguments.get(index).copied().unwrap_or_default()
}

/// The value of an argument that is a real number, or 0.
fn real(arguments: &[Raw], index: usize) -> f64 {
    f64::from_bits(number(arguments, index))
}

#[cfg(test)]
mod tests {
    use super::{sample::Instance, *};

    const ABSURD: [Raw; 10] = [
        0,
        1,
        2,
        64,
        Raw::MAX,
        i64::MAX as Raw,
        i64::MIN as Raw,
        0x7FF8_0000_0000_0000,
        0x7FEF_FFFF_FFFF_FFFF,
        0xFFF0_0000_0000_0000,
    ];

    #[test]
    fn no_function_panics_whatever_it_is_given() {
        let conversions = Elementary::ALL
            .iter()
            .flat_map(|ty| ["TO_", "BCD_TO_", "TO_BCD_", "TRUNC_"].map(|kind| kind.to_owned() + ty.name()));
        let names: Vec<_> = functions().map(str::to_owned).chain(conversions).collect();
        let mut random = Random::seeded(1);
        for function in names.iter().filter_map(|name| function(name)) {
            for (ty, count) in Elementary::ALL.iter().flat_map(|ty| (0..9).map(move |count| (*ty, count))) {
                for _ in 0..100 {
                    let raws: Vec<_> = (0..count).map(|_| ty.narrow(ABSURD[random.below(ABSURD.len())])).collect();
                    let text: Vec<_> = (0..random.below(9)).map(|_| b"T#-1.9_ED:"[random.below(10)]).collect();
                    let operand =
                        |raw: &Raw| if raw.is_multiple_of(3) { Operand::Text(&text) } else { Operand::Number(*raw) };
                    let operands: Vec<_> = raws.iter().map(operand).collect();
                    if let Compute::Number(compute) | Compute::Either(compute, _) = function.compute {
                        let _ = compute(ty, &raws);
                    }
                    if let Compute::Text(compute) | Compute::Either(_, compute) = function.compute {
                        let _ = compute(ty, &operands);
                    }
                }
            }
        }
    }

    #[test]
    fn no_block_panics_whatever_it_is_given() {
        let mut random = Random::seeded(1);
        for block in BLOCKS.iter().copied().flatten() {
            let mut instance = Instance::new(*block);
            for _ in 0..2000 {
                for pin in block.pins {
                    if random.below(3) > 0 {
                        instance.set(pin.name, pin.ty.narrow(ABSURD[random.below(ABSURD.len())]) as i64);
                    }
                }
                [instance.uptime, instance.clock] = [0; 2].map(|_| ABSURD[random.below(7)] as i64);
                instance.scan();
            }
        }
    }

    #[test]
    fn a_name_means_one_thing() {
        let mut names: Vec<_> = functions().chain(blocks()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(functions().all(|name| function(name).is_some()) && blocks().all(|name| block(name).is_some()));
        assert!(function("FISH").is_none() && block("FISH").is_none());
    }
}
