//! What becomes part of the program and what is taken out of it: passive blocks are inserted, blocks are deleted. Apart from
//! transfers, because here blocks change what the device is.

use super::{
    directory, error,
    header::{Block, Header},
    name::{File, Files, Type},
};
use crate::s7comm::cpu::Cpu;
use honeyplant_core::{conversation::Context, cpu::Mode, load_memory::Load};

/// Makes a passive block part of the program, a data block part of the memory.
pub(in crate::s7comm) fn insert(file: File, cpu: &Cpu, cx: &mut Context<'_>) -> (Result<(), u16>, Option<Vec<u8>>) {
    let name = file.name;
    let (passive, active) = (File { name, files: Files::Passive }, File { name, files: Files::Active });
    let memory = cx.device().load_memory();
    let Some(Load::Loaded(octets)) = memory.get(&passive.to_string()) else {
        return (Err(error::NOT_FOUND), None);
    };
    let result = put_to_use(active, &octets, cpu, cx);
    if result.is_ok() {
        memory.forget(&passive.to_string());
    }
    (result, Some(octets.to_vec()))
}

fn put_to_use(file: File, octets: &[u8], cpu: &Cpu, cx: &Context<'_>) -> Result<(), u16> {
    let device = cx.device();
    let block = Block::parse(octets).map_err(|_| error::STRUCTURE)?;
    // System data tell the CPU how it is to run: they change in STOP only.
    if file.name.ty == Type::Sdb && device.mode() == Mode::Run {
        return Err(error::MODE);
    }
    let before = cpu.blocks.find(file, device, cx.now);
    let before = before.and_then(|before| Header::parse(&before).ok());
    let work = |header: &Header| directory::work(file.name.ty, header.body.into());
    let taken = cpu.blocks.usage(device, cx.now).work.saturating_sub(before.as_ref().map_or(0, work));
    if taken + work(&block.header) > cpu.blocks.work {
        return Err(error::NO_MEMORY);
    }
    if !device.load_memory().load(&file.to_string(), octets) {
        return Err(error::NO_MEMORY);
    }
    if file.name.ty == Type::Db {
        device.plant(cx.now).image_mut().load(file.name.number, block.body);
    }
    Ok(())
}

/// Deletes a block, with the memory of a data block.
pub(in crate::s7comm) fn delete(file: File, cpu: &Cpu, cx: &Context<'_>) -> (Result<(), u16>, Option<Vec<u8>>) {
    let device = cx.device();
    let Some(octets) = cpu.blocks.find(file, device, cx.now) else {
        return (Err(error::NOT_FOUND), None);
    };
    let result = match file.name.ty {
        Type::Sfc | Type::Sfb => Err(error::IMPOSSIBLE),
        Type::Sdb if device.mode() == Mode::Run => Err(error::MODE),
        ty => {
            for files in [Files::Active, Files::Passive] {
                if file.files == files || file.files == Files::Both {
                    forget(File { name: file.name, files }, cpu, cx);
                }
            }
            if ty == Type::Db && file.files != Files::Passive {
                device.plant(cx.now).image_mut().unload(file.name.number);
            }
            Ok(())
        }
    };
    (result, Some(octets))
}

/// What the device was made with has to be remembered as deleted.
fn forget(file: File, cpu: &Cpu, cx: &Context<'_>) {
    let memory = cx.device().load_memory();
    if file.files == Files::Active && cpu.blocks.made.contains_key(&file.name) {
        memory.delete(&file.to_string());
    } else {
        memory.forget(&file.to_string());
    }
}
