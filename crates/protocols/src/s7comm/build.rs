//! A CPU made from its settings: every name is looked up, every range checked, and all mistakes are told at once. Apart,
//! because nothing of it runs once a device does.

use super::{
    blocks, clock,
    cpu::{Cpu, Jobs, Place},
    cyclic, message, security,
    settings::Settings,
    szl, variable,
};
use honeyplant_core::{
    device::Device,
    settings::{Problem, Problems},
};
use std::ops::Range;
use toml::Spanned;

/// The CPU that `settings`, which stand at `key`, describe.
pub(super) fn cpu(settings: &Settings, key: &str, device: &Device) -> Result<Cpu, Problems> {
    let mut desk = Desk { device, problems: Problems::new() };
    let tpdu = settings.tpdu.as_ref().map_or(1024, |tpdu| *tpdu.get_ref());
    if !(128..=8192).contains(&tpdu) || !tpdu.is_power_of_two() {
        let span = settings.tpdu.as_ref().map(Spanned::span);
        desk.problem(format!("{key}.tpdu"), span, "the size of a TPDU is a power of two from 128 to 8192");
    }
    let cpu = Cpu {
        place: Place {
            rack: desk.between(settings.rack.as_ref(), &format!("{key}.rack"), 0, 0, 7) as u8,
            slot: desk.between(settings.slot.as_ref(), &format!("{key}.slot"), 2, 0, 31) as u8,
            elsewhere: settings.elsewhere,
        },
        tpdu_size: tpdu.trailing_zeros() as u8,
        pdu: desk.between(settings.pdu.as_ref(), &format!("{key}.pdu"), 240, 112, 960),
        jobs: Jobs {
            calling: desk.between(settings.jobs.calling.as_ref(), &format!("{key}.jobs.calling"), 8, 1, 32),
            called: desk.between(settings.jobs.called.as_ref(), &format!("{key}.jobs.called"), 8, 1, 32),
        },
        plus: settings.plus,
        variable: variable::Variables::build(settings, key, &mut desk),
        szl: szl::Directory::build(&settings.szl, &format!("{key}.szl"), &mut desk),
        clock: clock::Clock::build(&settings.clock, &format!("{key}.clock"), &mut desk),
        cyclic: cyclic::Cyclic::build(&settings.cyclic, &format!("{key}.cyclic"), &mut desk),
        message: message::Messages::build(&settings.message, &format!("{key}.message"), &mut desk),
        security: security::Protection::build(&settings.protection, &format!("{key}.protection"), &mut desk),
        blocks: blocks::Memory::build(&settings.blocks, &format!("{key}.blocks"), &mut desk),
    };
    if desk.problems.is_empty() { Ok(cpu) } else { Err(desk.problems) }
}

/// What is at hand while settings are read.
pub(super) struct Desk<'a> {
    pub(super) device: &'a Device,
    pub(super) problems: Problems,
}

impl Desk<'_> {
    pub(super) fn problem(&mut self, key: String, span: Option<Range<usize>>, message: impl Into<String>) {
        let problem = Problem::new(key, message);
        self.problems.push(match span {
            Some(span) if !span.is_empty() => problem.at(span),
            _ => problem,
        });
    }

    /// A text with what was drawn for the device.
    pub(super) fn text(&mut self, text: &Spanned<String>, key: &str) -> String {
        self.device.identity().expand(text.get_ref()).unwrap_or_else(|name| {
            let known = self.device.identity().0.keys().map(String::as_str);
            self.problems.push(Problem::unknown(key, "identity", &name, known).at(text.span()));
            String::new()
        })
    }

    /// The number that was said, or the usual one.
    pub(super) fn between(
        &mut self,
        value: Option<&Spanned<u16>>,
        key: &str,
        usual: u16,
        least: u16,
        most: u16,
    ) -> u16 {
        let Some(value) = value else { return usual };
        if !(least..=most).contains(value.get_ref()) {
            self.problem(key.to_owned(), Some(value.span()), format!("this is a number of {least} to {most}"));
        }
        *value.get_ref()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_mistakes_are_told_at_once_each_with_its_place() {
        let text = "[s7comm]\nrack = 8\nslot = 32\ntpdu = 1000\npdu = 100\njobs = { calling = 0 }\ntimers = 3000\n";
        assert_eq!(
            crate::mistakes::mistakes(&super::super::S7comm, text),
            [
                "s7comm.tpdu: the size of a TPDU is a power of two from 128 to 8192 @ 1000",
                "s7comm.rack: this is a number of 0 to 7 @ 8",
                "s7comm.slot: this is a number of 0 to 31 @ 32",
                "s7comm.pdu: this is a number of 112 to 960 @ 100",
                "s7comm.jobs.calling: this is a number of 1 to 32 @ 0",
                "s7comm.timers: this is a number of 0 to 2048 @ 3000",
            ]
        );
        for (text, message) in [
            ("[s7comm]\nelsewhere = 'there'", "unknown variant `there`"),
            ("[s7comm]\nplus = 'answer'", "unknown variant `answer`"),
            ("[s7comm]\nracks = 1", "unknown field `racks`"),
        ] {
            let told = crate::mistakes::mistakes(&super::super::S7comm, text);
            assert!(told.iter().any(|told| told.contains(message)), "{text}: {told:?}");
        }
    }
}
