//! An instance of a block, and a call of a function, for the tests of the library. Apart, because all its files use them.

use super::{Block, Compute, Now, Operand, Produced, function};
use crate::types::{Elementary, Raw};
use honeyplant_core::random::Random;

/// One instance, when its next scan takes place, and what its last one asked for.
pub(crate) struct Instance {
    pub(crate) uptime: i64,
    pub(crate) clock: i64,
    pub(crate) wake: i64,
    block: Block,
    slots: Vec<Raw>,
    random: Random,
}

impl Instance {
    pub(crate) fn new(block: Block) -> Self {
        let slots = block.pins.iter().map(|pin| pin.initial).collect();
        Self { uptime: 0, clock: 0, wake: i64::MAX, block, slots, random: Random::seeded(1) }
    }

    pub(crate) fn set(&mut self, pin: &str, value: i64) -> &mut Self {
        let index = self.index(pin);
        self.slots[index] = value as Raw;
        self
    }

    pub(crate) fn set_real(&mut self, pin: &str, value: f64) -> &mut Self {
        self.set(pin, value.to_bits() as i64)
    }

    pub(crate) fn pin(&self, pin: &str) -> i64 {
        self.slots[self.index(pin)] as i64
    }

    pub(crate) fn scan(&mut self) -> &mut Self {
        let mut now = Now { uptime: self.uptime, clock: self.clock, random: &mut self.random, wake: i64::MAX };
        (self.block.step)(&mut self.slots, &mut now);
        self.wake = now.wake;
        self
    }

    fn index(&self, pin: &str) -> usize {
        self.block.pins.iter().position(|it| it.name == pin).expect("a pin of the block")
    }
}

/// What a function makes of numbers.
pub(crate) fn call(name: &str, ty: Elementary, of: &[Raw]) -> Result<Raw, &'static str> {
    match function(name).expect("a function").compute {
        Compute::Number(compute) | Compute::Either(compute, _) => compute(ty, of),
        Compute::Text(_) => panic!("{name} is about texts"),
    }
}

/// What a function makes of real numbers.
pub(crate) fn reals(name: &str, ty: Elementary, of: &[f64]) -> f64 {
    let of: Vec<_> = of.iter().map(|value| value.to_bits()).collect();
    f64::from_bits(call(name, ty, &of).expect("a number"))
}

/// What a function makes of texts and then numbers, as a text.
pub(crate) fn texts(name: &str, texts: &[&str], numbers: &[i64]) -> Result<String, &'static str> {
    let mut of: Vec<_> = texts.iter().map(|text| Operand::Text(text.as_bytes())).collect();
    of.extend(numbers.iter().map(|number| Operand::Number(*number as Raw)));
    let produced = match function(name).expect("a function").compute {
        Compute::Text(compute) | Compute::Either(_, compute) => compute(Elementary::String, &of)?,
        Compute::Number(_) => panic!("{name} is about numbers"),
    };
    Ok(match produced {
        Produced::Number(raw) => (raw as i64).to_string(),
        Produced::Text(text) => text.iter().map(|octet| char::from(*octet)).collect(),
    })
}
