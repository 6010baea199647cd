//! Program invocation: services by name that start, stop and change what the CPU has. Apart, because each is a text with
//! arguments of its own.

use super::{
    blocks::{self, File, Name, error, refused, verdict},
    cpu::Cpu,
    job::{self, Job},
    peer::Peer,
    security::{self, Right},
    wire,
};
use honeyplant_core::{
    bytes::{Reader, Short},
    conversation::Context,
    cpu::{Mode, Start},
    event::{BlockAct, Command, Kind},
};

/// In which state a service that was refused is. Captures show 2 with an error of a block service; the others are those
/// that clients take for "already running" and "already stopped".
mod state {
    pub(super) const IDLE: u8 = 0x02;
    pub(super) const RUNNING: u8 = 0x03;
    pub(super) const STOPPED: u8 = 0x07;
}

/// The program as a whole, the only one that can be started and stopped.
const PROGRAM: &[u8] = b"P_PROGRAM";

/// A service that is to be started: its name and its argument.
struct Service<'a> {
    name: &'a [u8],
    argument: &'a [u8],
}

impl<'a> Service<'a> {
    fn parse(parameter: &'a [u8]) -> Result<Self, Short> {
        let mut r = Reader::new(parameter);
        let (_function, _reserved): (u8, [u8; 7]) = (r.u8()?, r.array()?);
        let length = r.be16()?;
        let argument = r.take(length.into())?;
        let length = r.u8()?;
        Ok(Self { name: r.take(length.into())?, argument })
    }
}

/// Starts a service.
pub(super) fn start(job: &Job<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> job::Answer {
    let Ok(service) = Service::parse(job.parameter) else {
        cx.record(Kind::Malformed { why: "the parameter of a PI service ends before its name does" });
        return job::Answer::Refused(error::PARAMETERS);
    };
    let allowed = if security::allows(Right::Write, peer, cpu) { Ok(()) } else { Err(error::PROTECTED) };
    let result = match (service.name, service.argument) {
        (PROGRAM, b"") => return run(Start::Warm, allowed, job, cx),
        (PROGRAM, b"C ") => return run(Start::Cold, allowed, job, cx),
        (PROGRAM, _) => command("start program", Command::Start, allowed.and(Err(error::PARAMETERS)), job, cx),
        (b"_INSE", list) => blocks("insert blocks", BlockAct::Insert, list, allowed, job, cpu, cx),
        (b"_DELE", list) => blocks("delete blocks", BlockAct::Delete, list, allowed, job, cpu, cx),
        (b"_GARB", _) => command("compress memory", Command::Compress, allowed, job, cx),
        (b"_MODU", b"EP") => command("copy RAM to ROM", Command::Save, allowed, job, cx),
        (b"_MODU", _) => command("copy RAM to ROM", Command::Save, allowed.and(Err(error::PARAMETERS)), job, cx),
        _ => return job::unavailable(job, cx),
    };
    answer(job, result, state::IDLE)
}

/// Stops the program.
pub(super) fn stop(job: &Job<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> job::Answer {
    let mut r = Reader::new(job.parameter);
    let name = r.take(6).and_then(|_| r.u8()).and_then(|length| r.take(length.into()));
    let allowed = if security::allows(Right::Write, peer, cpu) { Ok(()) } else { Err(error::PROTECTED) };
    let stands = cx.device().mode() == Mode::Stop;
    let result = match name {
        Ok(PROGRAM) if !stands => allowed,
        Ok(PROGRAM) => allowed.and(Err(error::STATE)),
        _ => Err(error::PARAMETERS),
    };
    if result.is_ok() {
        cx.device().stop(cx.now);
    }
    let result = command("PLC stop", Command::Stop, result, job, cx);
    answer(job, result, state::STOPPED)
}

/// Lets the program run, from its beginning.
fn run(start: Start, allowed: Result<(), u16>, job: &Job<'_>, cx: &mut Context<'_>) -> job::Answer {
    let runs = cx.device().mode() == Mode::Run;
    let result = allowed.and(if runs { Err(error::STATE) } else { Ok(()) });
    if result.is_ok() {
        cx.device().run(start, cx.now);
    }
    let name = if start == Start::Cold { "cold start" } else { "warm start" };
    let result = command(name, Command::Start, result, job, cx);
    answer(job, result, state::RUNNING)
}

/// Records what was commanded and what came of it.
fn command(
    name: &'static str,
    command: Command,
    result: Result<(), u16>,
    job: &Job<'_>,
    cx: &mut Context<'_>,
) -> Result<(), u16> {
    cx.record(Kind::Command(wire::operation(name, job.function.into(), verdict(&result)), command));
    result
}

/// Inserts or deletes the blocks of a list. The first that cannot be ends it.
fn blocks(
    name: &'static str,
    act: BlockAct,
    list: &[u8],
    allowed: Result<(), u16>,
    job: &Job<'_>,
    cpu: &Cpu,
    cx: &mut Context<'_>,
) -> Result<(), u16> {
    let files = allowed.and_then(|()| files(list));
    let files = match files {
        Ok(files) => files,
        Err(code) => {
            let access = blocks::access(act, named(list), None);
            cx.record(blocks::told(name, job.function.into(), refused(code), access));
            return Err(code);
        }
    };
    for file in files {
        let (result, block) = match act {
            BlockAct::Insert => blocks::insert(file, cpu, cx),
            _ => blocks::delete(file, cpu, cx),
        };
        let access = blocks::access(act, Some(file.name), block.as_deref());
        cx.record(blocks::told(name, job.function.into(), verdict(&result), access));
        result?;
    }
    Ok(())
}

/// The blocks of a list: their number, an octet that is 0, and eight characters each.
fn files(list: &[u8]) -> Result<Vec<File>, u16> {
    let [count, _reserved, names @ ..] = list else { return Err(error::PARAMETERS) };
    if *count == 0 || names.len() != usize::from(*count) * 8 {
        return Err(error::PARAMETERS);
    }
    names.chunks(8).map(|name| File::parse(name).ok_or(error::NAME)).collect()
}

/// The first block that a list names.
fn named(list: &[u8]) -> Option<Name> {
    File::parse(list.get(2..10)?).map(|file| file.name)
}

/// An answer with the function alone, or with the state of a service that was refused.
fn answer(job: &Job<'_>, result: Result<(), u16>, state: u8) -> job::Answer {
    match result {
        Ok(()) => job::Answer::done(vec![job.function], Vec::new()),
        Err(code) => {
            let state = if code == error::STATE { state } else { state::IDLE };
            let parameter = vec![job.function, state];
            job::Answer::Data { error: code, parameter, data: Vec::new() }
        }
    }
}
