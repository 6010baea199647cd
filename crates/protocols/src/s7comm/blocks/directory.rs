//! Which blocks there are, and what each consists of: those that the device was made with, unless they were deleted or
//! others were loaded in their place. Apart, because lists, transfers and program invocation all look here.

use super::{
    code,
    header::{Block, Footer, HEADER, Header},
    name::{File, Files, Name, Type},
    stamp::Stamp,
};
use honeyplant_core::{
    device::Device,
    load_memory::Load,
    plant::{Area, Image},
    random::Random,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// The blocks of a CPU.
#[derive(Debug)]
pub(in crate::s7comm) struct Memory {
    pub(super) made: BTreeMap<Name, Made>,
    /// Bytes of the memory card and of the work memory.
    pub(super) load: u64,
    pub(super) work: u64,
}

/// A block that the device was made with.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) language: u8,
    pub(super) changed: Stamp,
    pub(super) interface_changed: Stamp,
    pub(super) code: u16,
    pub(super) local: u16,
    pub(super) author: [u8; 8],
    pub(super) family: [u8; 8],
    pub(super) title: [u8; 8],
    pub(super) version: u8,
    /// What its content is drawn from.
    pub(super) seed: u64,
    /// Bytes of it besides its code or data.
    pub(super) around: u32,
}

/// What a CPU lists of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) number: u16,
    pub(super) language: u8,
}

/// How much of the memories is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::s7comm) struct Usage {
    pub(in crate::s7comm) load: u64,
    pub(in crate::s7comm) work: u64,
}

impl Memory {
    /// The blocks of a type that are part of the program, in the order of their numbers.
    pub(super) fn listed(&self, ty: Type, device: &Device) -> Vec<Listed> {
        let made = self.made.iter().filter(|(name, _)| name.ty == ty).map(|(name, made)| (name.number, made.language));
        let mut listed: BTreeMap<u16, u8> = made.collect();
        for (file, load) in loads(device) {
            match load {
                _ if file.name.ty != ty || file.files != Files::Active => {}
                Load::Deleted => drop(listed.remove(&file.name.number)),
                Load::Loaded(bytes) => {
                    listed.insert(file.name.number, Header::parse(&bytes).map_or(0, |header| header.language));
                }
            }
        }
        listed.into_iter().map(|(number, language)| Listed { number, language }).collect()
    }

    /// A whole block, if it is there. A data block has the values of now.
    pub(super) fn find(&self, file: File, device: &Device, now: Instant) -> Option<Vec<u8>> {
        let File { name, files } = file;
        match files {
            Files::Active => self.active(name, device, now),
            Files::Passive => match device.load_memory().get(&file.to_string()) {
                Some(Load::Loaded(bytes)) => Some(bytes.to_vec()),
                Some(Load::Deleted) | None => None,
            },
            Files::Both => self.active(name, device, now).or_else(|| {
                let passive = File { name, files: Files::Passive };
                self.find(passive, device, now)
            }),
        }
    }

    fn active(&self, name: Name, device: &Device, now: Instant) -> Option<Vec<u8>> {
        let file = File { name, files: Files::Active };
        let plant = device.plant(now);
        match device.load_memory().get(&file.to_string()) {
            Some(Load::Deleted) => None,
            Some(Load::Loaded(bytes)) => match (Block::parse(&bytes), values(name, plant.image())) {
                // The checksum stays as it was loaded, unless something changed since.
                (Ok(block), Some(values)) if values.len() == block.body.len() && values != block.body => {
                    Some(block.with_body(values))
                }
                _ => Some(bytes.to_vec()),
            },
            None => {
                let made = self.made.get(&name)?;
                Some(made.block(name, if name.ty == Type::Db { values(name, plant.image())? } else { &[] }))
            }
        }
    }

    /// Whether the program has this organization block.
    pub(in crate::s7comm) fn has_ob(&self, number: u8, device: &Device) -> bool {
        self.listed(Type::Ob, device).iter().any(|listed| listed.number == u16::from(number))
    }

    /// Bytes of the memory card and of the work memory.
    pub(in crate::s7comm) fn sizes(&self) -> [u32; 2] {
        [self.load, self.work].map(|size| u32::try_from(size).unwrap_or(u32::MAX))
    }

    /// How much of the memories is taken.
    pub(in crate::s7comm) fn usage(&self, device: &Device, now: Instant) -> Usage {
        let (mut usage, mut loaded) = (Usage::default(), BTreeSet::new());
        for (file, load) in loads(device) {
            if file.files == Files::Active {
                loaded.insert(file.name);
            }
            if let Load::Loaded(bytes) = load {
                usage.load += bytes.len() as u64;
                let header = Header::parse(&bytes).ok().filter(|_| file.files == Files::Active);
                usage.work += header.map_or(0, |header| work(file.name.ty, header.body.into()));
            }
        }
        let plant = device.plant(now);
        for (name, made) in &self.made {
            if !name.ty.is_built_in() && !loaded.contains(name) {
                let body = match name.ty {
                    Type::Db => plant.image().area(Area::Block(name.number)).map_or(0, |(_, length)| length),
                    _ => made.code.into(),
                };
                usage.load += u64::from(made.around + body);
                usage.work += work(name.ty, body);
            }
        }
        usage
    }
}

/// Bytes of work memory that a block with such a body takes.
pub(super) fn work(ty: Type, body: u32) -> u64 {
    if ty == Type::Sdb { 0 } else { u64::from(body) + HEADER as u64 }
}

/// The values of a data block.
fn values(name: Name, image: &Image) -> Option<&[u8]> {
    if name.ty != Type::Db {
        return None;
    }
    let (place, length) = image.area(Area::Block(name.number))?;
    Some(image.octets(place, length))
}

/// What became of blocks since the device was made.
fn loads(device: &Device) -> impl Iterator<Item = (File, Load)> {
    let loads = device.load_memory().all().into_iter();
    loads.filter_map(|(name, load)| Some((File::parse(name.as_bytes())?, load)))
}

impl Made {
    /// The whole block, a data block with these values.
    pub(super) fn block(&self, name: Name, values: &[u8]) -> Vec<u8> {
        let mut random = Random::seeded(self.seed);
        let (body, interface, networks) = match name.ty {
            Type::Db => (values.to_vec(), code::data_interface(values.len() as u32), Vec::new()),
            Type::Sdb => (code::system_data(self.code, &mut random), Vec::new(), Vec::new()),
            ty => {
                let (code, networks) = code::code(self.code, &mut random);
                let organization = ty == Type::Ob;
                let interface = if organization { code::organization_interface() } else { code::empty_interface() };
                (code, interface, networks)
            }
        };
        let is_system_data = name.ty == Type::Sdb;
        let header = Header {
            version: if is_system_data { 3 } else { 1 },
            attribute: match name.ty {
                Type::Sdb => 2,
                Type::Sfc | Type::Sfb => 9,
                Type::Ob | Type::Fb | Type::Fc | Type::Db => 1,
            },
            language: self.language,
            kind: name.ty.code(),
            number: name.number,
            load: 0,
            security: if is_system_data { 0x8000_0000 } else { 0 },
            code_changed: self.changed,
            interface_changed: self.interface_changed,
            interface: 0,
            networks: 0,
            local: self.local,
            body: 0,
        };
        let footer = Footer {
            author: self.author,
            family: self.family,
            title: self.title,
            version: self.version,
            reserved: 0,
            checksum: 0,
            // STEP 7 and TIA Portal leave this mark in every SDB.
            reserves: if is_system_data { [0x31, 0x52, 0x48, 0x14, 0, 0, 0, 0] } else { [0; 8] },
        };
        Block::assemble(header, &body, &interface, &networks, footer)
    }
}
