//! A block on a bench: its pins by name, and time that passes as told. Apart, because the tests of all blocks use it.

use super::BLOCKS;
use crate::{
    library::{Block, Now},
    types::{Elementary, Raw},
};
use honeyplant_core::random::Random;

pub(super) struct Trial {
    block: &'static Block,
    pub(super) slots: Vec<Raw>,
    /// Nanoseconds.
    pub(super) uptime: i64,
    /// Nanoseconds since 1970.
    pub(super) clock: i64,
    pub(super) random: Random,
    /// What the block asked for in its last run.
    pub(super) wake: i64,
}

impl Trial {
    pub(super) fn of(name: &str) -> Self {
        Self::seeded(BLOCKS.iter().find(|block| block.name == name).unwrap(), 7)
    }

    pub(super) fn seeded(block: &'static Block, seed: u64) -> Self {
        let slots = block.pins.iter().map(|pin| pin.initial).collect();
        Self { block, slots, uptime: 0, clock: 0, random: Random::seeded(seed), wake: i64::MAX }
    }

    pub(super) fn set(&mut self, pin: &str, value: f64) -> &mut Self {
        let (index, ty) = self.find(pin);
        self.slots[index] = match ty {
            Elementary::Real | Elementary::Lreal => ty.narrow(value.to_bits()),
            Elementary::Time => (value * 1e9) as i64 as u64,
            _ => ty.narrow(value as i64 as u64),
        };
        self
    }

    pub(super) fn get(&self, pin: &str) -> f64 {
        let (index, ty) = self.find(pin);
        let raw = self.slots[index];
        if ty.is_real() { f64::from_bits(raw) } else { raw as i64 as f64 }
    }

    /// Whether a BOOL is on.
    pub(super) fn on(&self, pin: &str) -> bool {
        self.get(pin) != 0.0
    }

    /// Runs the block once, `seconds` after its last run.
    pub(super) fn run(&mut self, seconds: f64) -> &mut Self {
        let step = (seconds * 1e9) as i64;
        self.uptime += step;
        self.clock += step;
        let mut now = Now { uptime: self.uptime, clock: self.clock, random: &mut self.random, wake: i64::MAX };
        (self.block.step)(&mut self.slots, &mut now);
        self.wake = now.wake;
        self
    }

    /// Runs it `times` times.
    pub(super) fn runs(&mut self, times: usize, seconds: f64) -> &mut Self {
        for _ in 0..times {
            self.run(seconds);
        }
        self
    }

    fn find(&self, pin: &str) -> (usize, Elementary) {
        let index = self.block.pins.iter().position(|other| other.name == pin);
        let index = index.unwrap_or_else(|| panic!("{} has no pin {pin}", self.block.name));
        (index, self.block.pins[index].ty)
    }
}
