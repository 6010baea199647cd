//! Items that are read again and again without being asked for each time. Apart, because they outlive the request that named
//! them.

use super::{
    access, even,
    item::{Any, Item},
    memory::{self, Direction},
    tags, values, verdict,
};
use crate::s7comm::{cpu::Cpu, wire};
use honeyplant_core::{
    bytes::{Reader, Short},
    conversation::Context,
    device::Device,
    event::{Kind, Values, Verdict},
    plant::Tags,
};
use std::time::Instant;

/// Items that somebody watches.
#[derive(Clone, Debug)]
pub(in crate::s7comm) struct Watch(Vec<Item>);

/// The types that the status of variables knows, each with what it is in an item: area and type. A number is area and width.
const STATUS: [(u8, u8, u8); 21] = [
    (0x00, 0x83, 0x01),
    (0x01, 0x83, 0x02),
    (0x02, 0x83, 0x04),
    (0x03, 0x83, 0x06),
    (0x10, 0x81, 0x01),
    (0x11, 0x81, 0x02),
    (0x12, 0x81, 0x04),
    (0x13, 0x81, 0x06),
    (0x20, 0x82, 0x01),
    (0x21, 0x82, 0x02),
    (0x22, 0x82, 0x04),
    (0x23, 0x82, 0x06),
    (0x31, 0x80, 0x02),
    (0x32, 0x80, 0x04),
    (0x33, 0x80, 0x06),
    (0x70, 0x84, 0x01),
    (0x71, 0x84, 0x02),
    (0x72, 0x84, 0x04),
    (0x73, 0x84, 0x06),
    (0x54, 0x1D, 0x1D),
    (0x64, 0x1C, 0x1C),
];

impl Watch {
    /// Takes `count` items of a job off the front.
    pub(in crate::s7comm) fn parse(r: &mut Reader<'_>, count: u16) -> Result<Self, Short> {
        (0..count).map(|_| Item::parse(r)).collect::<Result<_, _>>().map(Self)
    }

    /// Takes `count` items of a table of variables off the front: area and type in an octet, how many, block, and address in
    /// octets, or in octets and bits.
    pub(in crate::s7comm) fn parse_table(r: &mut Reader<'_>, count: u16) -> Result<Self, Short> {
        let item = |r: &mut Reader<'_>| {
            let (area, count, block, address) = (r.u8()?, r.u8()?, r.be16()?, r.be16()?);
            let known = STATUS.iter().find(|(number, ..)| *number == area);
            Ok(known.map_or(Item::Unknown(area), |&(_, area, size)| {
                let address = u32::from(address);
                let address = if matches!(size, 0x01 | 0x1C | 0x1D) { address } else { address * 8 };
                Item::Any(Any { size, count: count.into(), block, area, address })
            }))
        };
        (0..count).map(|_| item(r)).collect::<Result<_, _>>().map(Self)
    }

    /// How many there are, and what they hold now, as an answer carries it.
    pub(in crate::s7comm) fn data(&self, cpu: &Cpu, device: &Device, now: Instant) -> Vec<u8> {
        let mut data = (self.0.len() as u16).to_be_bytes().to_vec();
        let plant = device.plant(now);
        for item in &self.0 {
            even(&mut data);
            match cpu.variable.reach(item, Direction::Read, &plant) {
                Ok(reach) => {
                    let octets = memory::get(&reach, plant.image());
                    reach.element.carrier().put(&mut data, wire::returned::DONE, &octets);
                }
                Err(refusal) => data.extend_from_slice(&[refusal as u8, 0, 0, 0]),
            }
        }
        data
    }

    /// Records that they were read, with what they hold now.
    pub(in crate::s7comm) fn record(&self, name: &'static str, code: u16, cpu: &Cpu, cx: &mut Context<'_>) {
        for item in &self.0 {
            let (found, tags, values) = {
                let plant = cx.device().plant(cx.now);
                match cpu.variable.reach(item, Direction::Read, &plant) {
                    Ok(reach) => {
                        let octets = memory::get(&reach, plant.image());
                        (Verdict::Done, tags(&reach, &plant), values(reach.element, &octets))
                    }
                    Err(refusal) => (verdict(refusal), Tags::new(), Values::None),
                }
            };
            let access = access(item, Direction::Read, tags);
            cx.record(Kind::Read(wire::operation(name, code, found), access, values));
        }
    }
}
