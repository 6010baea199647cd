//! A program at work on one plant. Apart, because it joins the machine to what the plant asks of it: when to scan again,
//! and what survives.

use super::{
    access::{octets_of, raw_of, text_of, value_of},
    code::{Code, Retained},
    machine,
    memory::Memory,
};
use crate::{
    library::Now,
    types::{Elementary, Raw},
};
use honeyplant_core::{
    cpu::Start,
    plant::{Fault, Moment, Plant, Rest, Task, Value},
    random::Random,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A compiled program and its memory.
pub(crate) struct Work {
    code: Arc<Code>,
    memory: Memory,
    random: Random,
}

/// Nanoseconds, up to the year 2262.
fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

impl Work {
    pub(crate) fn new(code: Arc<Code>, seed: u64) -> Self {
        let memory = Memory::new(&code);
        Self { code, memory, random: Random::seeded(seed) }
    }

    fn value(&self, variable: &Retained) -> Option<Value> {
        let raw = *self.memory.slots.get(variable.slot as usize)?;
        Some(match variable.ty {
            Elementary::String => text_of(self.memory.texts.octets(raw)),
            // Whole, where the plant has only milliseconds.
            Elementary::Time => Value::Int(raw as i64),
            ty => value_of(raw, ty),
        })
    }

    fn put(&mut self, variable: &Retained, value: &Value) {
        let Some(slot) = self.memory.slots.get_mut(variable.slot as usize) else { return };
        match (variable.ty, value) {
            (Elementary::String, _) => self.memory.texts.set(*slot, &octets_of(value)),
            (Elementary::Real | Elementary::Lreal, _) => *slot = variable.ty.narrow(value.number().to_bits()),
            // A file of values has no types: a whole number may come back as another kind of it.
            (ty, Value::Bool(_) | Value::Uint(_) | Value::Int(_)) => *slot = ty.narrow(raw_of(value, Elementary::Lint)),
            (_, Value::Real(_) | Value::Text(_)) => {}
        }
    }
}

impl Code {
    /// Adds to a plant the tags that the program declares, and gives located variables what they start with.
    pub(crate) fn declare(&self, plant: &mut Plant) {
        for own in &self.own {
            // The plant for which the program was compiled has taken it, and this one is of the same kind.
            let _known = plant.add(&own.name, &own.settings, 0);
        }
        for (place, ty, value) in &self.located {
            plant.image_mut().set(*place, *ty, value.clone());
        }
    }

    /// What is in the first slot when these instructions have run without a plant.
    pub(crate) fn evaluate(&self) -> Result<Raw, String> {
        let (mut memory, mut random) = (Memory::new(self), Random::seeded(0));
        let mut now = Now { uptime: 0, clock: 0, random: &mut random, wake: i64::MAX };
        machine::run(self, &mut memory, &mut Plant::default(), &mut now).map_err(|(_, why)| why)?;
        Ok(memory.slots.first().copied().unwrap_or(0))
    }
}

impl Task for Work {
    fn scan(&mut self, plant: &mut Plant, at: Moment) -> Result<Rest, Fault> {
        let mut now = Now {
            uptime: nanoseconds(at.uptime),
            clock: nanoseconds(at.clock),
            random: &mut self.random,
            wake: i64::MAX,
        };
        let done = machine::run(&self.code, &mut self.memory, plant, &mut now);
        let wake = now.wake;
        done.map_err(|(pc, why)| Fault { line: self.code.line(pc.saturating_sub(1)), why })?;
        let changed = self.memory.settle(&self.code, plant);
        Ok(match wake {
            _ if changed => Rest::Next,
            i64::MAX => Rest::Still,
            wake if wake <= now_of(at) || self.code.reads_running => Rest::Next,
            wake => Rest::Until(Duration::from_nanos(wake.unsigned_abs())),
        })
    }

    fn restart(&mut self, plant: &mut Plant, start: Start) {
        let code = Arc::clone(&self.code);
        let kept = |variable| if start == Start::Cold { None } else { self.value(variable) };
        let kept: Vec<Option<Value>> = code.retained.iter().map(kept).collect();
        self.memory = Memory::new(&code);
        for (variable, value) in code.retained.iter().zip(&kept) {
            if let Some(value) = value {
                self.put(variable, value);
            }
        }
        for own in code.own.iter().filter(|own| !own.settings.retain && own.settings.at.is_none()) {
            plant.set(own.id, own.settings.value.clone().unwrap_or(Value::Int(0)));
        }
    }

    fn retained(&self) -> BTreeMap<String, Value> {
        let variables = self.code.retained.iter();
        variables.filter_map(|variable| Some((variable.name.to_string(), self.value(variable)?))).collect()
    }

    fn restore(&mut self, retained: &BTreeMap<String, Value>) {
        let code = Arc::clone(&self.code);
        for variable in &code.retained {
            if let Some(value) = retained.get(&*variable.name) {
                self.put(variable, value);
            }
        }
    }
}

fn now_of(at: Moment) -> i64 {
    nanoseconds(at.uptime)
}
