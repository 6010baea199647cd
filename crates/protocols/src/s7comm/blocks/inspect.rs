//! Which blocks there are, and what their headers say. Apart from transfers, because these are user data and change nothing.

use super::{
    access, error,
    header::{FOOTER, HEADER},
    name::{File, Type},
    told, verdict,
};
use crate::s7comm::{
    cpu::Cpu,
    peer::Peer,
    userdata::{Answer, UserData},
};
use honeyplant_core::{
    conversation::Context,
    event::{BlockAccess, BlockAct},
};

/// What a CPU says of the blocks of a program, and of those that it brings along: the first octet in lists, both where a
/// block is described. As captured from S7-300 CPUs.
const LOADED: [u8; 2] = [0x22, 0x00];
const BUILT_IN: [u8; 2] = [0x42, 0x30];

const fn flags(ty: Type) -> [u8; 2] {
    if ty.is_built_in() { BUILT_IN } else { LOADED }
}

/// How many blocks there are of each type.
pub(in crate::s7comm) fn list(request: &UserData<'_>, _peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let mut data = Vec::new();
    for ty in Type::ALL {
        let count = cpu.blocks.listed(ty, cx.device()).len();
        data.extend_from_slice(&ty.digits());
        data.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
    }
    let access = BlockAccess { name: "of all types".into(), ..BlockAccess::default() };
    cx.record(told("list blocks", request.code(), verdict(&Ok(())), access));
    Answer::done(data)
}

/// The blocks of one type.
pub(in crate::s7comm) fn list_of_type(
    request: &UserData<'_>,
    _peer: &mut Peer,
    cpu: &Cpu,
    cx: &mut Context<'_>,
) -> Answer {
    let ty = Type::parse(request.data).ok_or(error::PARAMETERS);
    let listed =
        ty.and_then(|ty| Some(cpu.blocks.listed(ty, cx.device())).filter(|all| !all.is_empty()).ok_or(error::NONE));
    let name = ty.map_or("?", Type::letters).into();
    cx.record(told(
        "list blocks of type",
        request.code(),
        verdict(&listed),
        BlockAccess { name, ..BlockAccess::default() },
    ));
    match (ty, listed) {
        (Ok(ty), Ok(listed)) => {
            let entry = |[high, low]: [u8; 2], language| [high, low, flags(ty)[0], language];
            Answer::done(listed.iter().flat_map(|block| entry(block.number.to_be_bytes(), block.language)).collect())
        }
        (Err(code), _) | (_, Err(code)) => Answer::refused(code),
    }
}

/// What a block tells of itself.
pub(in crate::s7comm) fn info(request: &UserData<'_>, _peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let file = File::parse(request.data).ok_or(error::NAME);
    let block = file.and_then(|file| cpu.blocks.find(file, cx.device(), cx.now).ok_or(error::NOT_FOUND));
    let access = access(BlockAct::Inspect, file.ok().map(|file| file.name), block.as_deref().ok());
    cx.record(told("get block info", request.code(), verdict(&block), access));
    match (file, block) {
        (Ok(file), Ok(block)) => {
            let mut data = vec![1, 0, 0, (2 + HEADER + FOOTER) as u8];
            data.extend_from_slice(&flags(file.name.ty));
            data.extend_from_slice(block.first_chunk::<HEADER>().map_or(&[][..], |header| header));
            data.extend_from_slice(block.last_chunk::<FOOTER>().map_or(&[][..], |footer| footer));
            Answer::done(data)
        }
        (Err(code), _) | (_, Err(code)) => Answer::refused(code),
    }
}
