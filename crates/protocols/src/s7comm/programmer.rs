//! What engineers use to try out a program: the status of variables, of blocks, breakpoints, forcing. Apart, because these
//! functions have a parameter of their own inside the data.

use super::{
    cpu::Cpu,
    peer::Peer,
    userdata::{Answer, UserData},
    variable::Watch,
    wire::{self, error, refused},
};
use honeyplant_core::{
    bytes::{Reader, Short},
    conversation::Context,
    cpu::Mode,
    event::{Kind, Verdict},
};

/// Why the CPU does not do it.
mod refusal {
    /// The CPU does not have the function.
    pub(super) const NO_FUNCTION: u16 = 0xD003;
    /// Too many variables, or none.
    pub(super) const COUNT: u16 = 0xD007;
    /// Not in this mode.
    pub(super) const MODE: u16 = 0xD081;
    /// There is no such job.
    pub(super) const NO_JOB: u16 = 0xD0A5;
}

/// The functions of the group, with what they are refused by.
const REFUSED: [(u8, &str, u16); 18] = [
    (1, "block status", refusal::NO_FUNCTION),
    (3, "read interrupt stack", refusal::MODE),
    (4, "read block stack", refusal::MODE),
    (5, "read local data stack", refusal::MODE),
    (6, "measure run time", refusal::NO_FUNCTION),
    (7, "select forced variables", refusal::NO_FUNCTION),
    (8, "modify variables", refusal::NO_FUNCTION),
    (9, "force", refusal::NO_FUNCTION),
    (10, "breakpoint", refusal::NO_FUNCTION),
    (11, "exit HOLD", refusal::MODE),
    (12, "memory reset", refusal::MODE),
    (13, "disable job", refusal::NO_JOB),
    (14, "enable job", refusal::NO_JOB),
    (15, "delete job", refusal::NO_JOB),
    (16, "read job list", refusal::NO_JOB),
    (17, "read job", refusal::NO_JOB),
    (18, "replace job", refusal::NO_JOB),
    (19, "block status", refusal::NO_FUNCTION),
];

/// Answers.
pub(super) fn answer(request: &UserData<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    match request.subfunction {
        2 => variables(request, peer, cpu, cx),
        22 => flash(request, cx),
        other => {
            let known = REFUSED.iter().find(|(subfunction, ..)| *subfunction == other);
            let (name, code) = known.map_or(("programmer command", error::NOT_AVAILABLE), |(_, name, code)| {
                // The stacks are those of a program that was interrupted: without a fault there are none.
                let mode = *code == refusal::MODE && cx.device().mode() != Mode::Run;
                (*name, if mode { refusal::NO_FUNCTION } else { *code })
            });
            cx.record(Kind::Unsupported(wire::operation(name, request.code(), refused(code))));
            Answer::refused(code)
        }
    }
}

/// A table of variables is read, once, whatever trigger is asked for.
fn variables(request: &UserData<'_>, peer: &Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let data = table(request.data).map_err(|Short| error::SYNTAX).and_then(|watch| {
        let values = watch.as_ref().ok_or(refusal::COUNT)?.data(cpu, cx.device(), cx.now);
        // Two lengths come first, then a parameter of two words: that there is a result, and that it is the only one.
        let mut data = [4, values.len() as u16, 0, 1].iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        data.extend_from_slice(&values);
        if peer.holds(&data) { Ok((watch, data)) } else { Err(error::PDU_SIZE) }
    });
    const NAME: &str = "variable status";
    match data {
        Ok((watch, data)) => {
            if let Some(watch) = watch {
                watch.record(NAME, request.code(), cpu, cx);
            }
            Answer::done(data)
        }
        Err(code) => {
            cx.record(Kind::Diagnose(wire::operation(NAME, request.code(), refused(code))));
            Answer::refused(code)
        }
    }
}

/// The variables of a request: lengths of its parameter and of its data, these two, and in the data how many there are.
fn table(data: &[u8]) -> Result<Option<Watch>, Short> {
    let mut r = Reader::new(data);
    let (parameter, length) = (r.be16()?, r.be16()?);
    r.take(parameter.into())?;
    let mut r = Reader::new(r.take(length.into())?);
    let count = r.be16()?;
    if (1..=20).contains(&count) { Watch::parse_table(&mut r, count).map(Some) } else { Ok(None) }
}

/// The LEDs flash for some seconds, so that somebody in front of the rack finds it.
fn flash(request: &UserData<'_>, cx: &mut Context<'_>) -> Answer {
    cx.record(Kind::Diagnose(wire::operation("flash LED", request.code(), Verdict::Done)));
    Answer::empty()
}
