//! The blocks of a device made from its settings. Apart, because nothing of it runs once a device does.

use super::{
    directory::{Made, Memory},
    header::eight,
    name::{Name, Type},
    settings::{self, Settings},
    stamp::Stamp,
    system,
};
use crate::s7comm::build::Desk;
use honeyplant_core::random::Random;
use std::{collections::BTreeMap, time::Duration};
use toml::Spanned;

/// System data blocks of every station, with the length of each: of the CPU, of its modules, of its communication.
const SYSTEM_DATA: [(u16, u16); 6] = [(0, 144), (1, 36), (2, 62), (3, 50), (4, 98), (7, 22)];
/// The interface of system data is as old as the first of its kind: 1996-09-26, 23:00.
const SYSTEM_DATA_INTERFACE: Stamp = Stamp { days: 0x122C, millis: 0x04EF_6D80 };
/// The blocks of a CPU are as old as its family: 1994-11-02, 12:50:46.600.
const BUILT_IN: Stamp = Stamp { days: 0x0F76, millis: 0x02C1_AAC8 };
/// When a program was changed of which nothing is said.
const UNSAID: Stamp = Stamp { days: 11_000, millis: 36_000_000 };
/// The language of the SDB that a CPU makes itself after an overall reset.
const AFTER_RESET: u8 = 0x11;

impl Memory {
    /// What `settings`, which stand at `key`, describe.
    pub(in crate::s7comm) fn build(settings: &Settings, key: &str, desk: &mut Desk<'_>) -> Self {
        let identity: String = desk.device.identity().0.iter().map(|(key, value)| format!("{key}={value};")).collect();
        let seed = Random::named(0, &identity).bits();
        let mut plan = Plan { key, desk, seed, made: BTreeMap::new(), changed: UNSAID, author: [0; 8], family: [0; 8] };
        plan.common(settings);
        let data = plan.desk.device.still().image().blocks();
        for (index, made) in settings.program.iter().enumerate() {
            plan.block(made.get_ref(), &format!("{key}.program[{index}]"), &data);
        }
        for number in data {
            plan.usual(Name { ty: Type::Db, number }, 5, 0);
        }
        if !plan.made.keys().any(|name| name.ty == Type::Ob) {
            plan.usual(Name { ty: Type::Ob, number: 1 }, 1, 200);
        }
        if !plan.made.keys().any(|name| name.ty == Type::Sdb) {
            for (number, length) in SYSTEM_DATA {
                plan.usual(Name { ty: Type::Sdb, number }, if number == 2 { AFTER_RESET } else { 7 }, length);
            }
        }
        for (ty, text, field) in [
            (Type::Sfc, &settings.system_functions, "system-functions"),
            (Type::Sfb, &settings.system_function_blocks, "system-function-blocks"),
        ] {
            plan.built_in(ty, text, field);
        }
        let mut made = plan.made;
        for (name, made) in &mut made {
            made.around = made.block(*name, &[]).len() as u32 - u32::from(made.code);
        }
        Self { made, load: settings.load_memory.0, work: settings.work_memory.0 }
    }
}

/// What is at hand while blocks are made.
struct Plan<'a, 'd> {
    key: &'a str,
    desk: &'a mut Desk<'d>,
    seed: u64,
    made: BTreeMap<Name, Made>,
    /// What counts where a block says nothing.
    changed: Stamp,
    author: [u8; 8],
    family: [u8; 8],
}

impl Plan<'_, '_> {
    /// What is said for all blocks.
    fn common(&mut self, settings: &Settings) {
        let key = self.key;
        self.author = self.eight(settings.author.as_ref(), &format!("{key}.author"), self.author);
        self.family = self.eight(settings.family.as_ref(), &format!("{key}.family"), self.family);
        if let Some(changed) = self.stamp(settings.changed.as_ref(), &format!("{key}.changed")) {
            self.changed = changed;
        }
    }

    /// A block that is named.
    fn block(&mut self, made: &settings::Made, key: &str, data: &[u16]) {
        let (text, span) = (made.block.get_ref(), made.block.span());
        let own = format!("{key}.block");
        let Some(name) = Name::of_people(text).filter(|name| !name.ty.is_built_in()) else {
            let why = format!("`{text}` is no block; write OB1, FB2, FC3, DB4 or SDB5");
            return self.desk.problem(own, Some(span), why);
        };
        if name.ty == Type::Db && !data.contains(&name.number) {
            let why = format!("{name} has no memory; say in `image.blocks` how many bytes it has");
            return self.desk.problem(own, Some(span), why);
        }
        if self.made.contains_key(&name) {
            return self.desk.problem(own, Some(span), format!("{name} is there twice"));
        }
        let (language, code) = match name.ty {
            Type::Db => (5, 0),
            Type::Sdb => (7, made.code.unwrap_or(64)),
            _ => (made.language.code(), made.code.unwrap_or(200).next_multiple_of(2).max(2)),
        };
        self.usual(name, language, code);
        let author = self.eight(made.author.as_ref(), &format!("{key}.author"), self.author);
        let family = self.eight(made.family.as_ref(), &format!("{key}.family"), self.family);
        let title = self.eight(made.title.as_ref(), &format!("{key}.title"), [0; 8]);
        let version = self.version(made.version.as_ref(), &format!("{key}.version"));
        let changed = self.stamp(made.changed.as_ref(), &format!("{key}.changed"));
        if let Some(block) = self.made.get_mut(&name) {
            if name.ty != Type::Sdb {
                (block.author, block.family, block.title) = (author, family, title);
            }
            block.local = made.local;
            if let Some(version) = version {
                block.version = version;
            }
            if let Some(changed) = changed {
                (block.changed, block.interface_changed) = (changed, changed.min(block.interface_changed));
            }
        }
    }

    /// A block of which only this is known.
    fn usual(&mut self, name: Name, language: u8, code: u16) {
        let mut random = Random::named(self.seed, &name.to_string());
        let mut earlier =
            |stamp: Stamp, days: usize| stamp.before(Duration::from_millis(random.below(days * 86_400_000) as u64));
        let is_system_data = name.ty == Type::Sdb;
        let changed = if is_system_data { self.changed } else { earlier(self.changed, 60) };
        let interface_changed = if is_system_data { SYSTEM_DATA_INTERFACE } else { earlier(changed, 200) };
        let step_7 = *b"STEP 7 #";
        let made = Made {
            language,
            changed,
            interface_changed,
            code,
            local: if name.ty == Type::Ob { 20 } else { 0 },
            author: if is_system_data { step_7 } else { self.author },
            family: if is_system_data { [b' '; 8] } else { self.family },
            title: if is_system_data { [b' '; 8] } else { [0; 8] },
            version: if is_system_data { 0 } else { 1 },
            seed: random.bits(),
            around: 0,
        };
        self.made.entry(name).or_insert(made);
    }

    /// The blocks that the CPU brings along.
    fn built_in(&mut self, ty: Type, text: &Spanned<String>, field: &str) {
        let Some(numbers) = numbers(text.get_ref()) else {
            let why = format!("`{}` are no numbers; write 0-7, 11-15, 20", text.get_ref());
            return self.desk.problem(format!("{}.{field}", self.key), Some(text.span()), why);
        };
        for number in numbers {
            let (family, title) = system::family_and_title(ty, number);
            let made = Made {
                language: 1,
                changed: BUILT_IN,
                interface_changed: BUILT_IN,
                code: 2,
                local: 0,
                author: eight("SIMATIC"),
                family: eight(family),
                title: eight(title),
                version: 0x10,
                seed: 0,
                around: 0,
            };
            self.made.insert(Name { ty, number }, made);
        }
    }

    fn eight(&mut self, text: Option<&Spanned<String>>, key: &str, usual: [u8; 8]) -> [u8; 8] {
        text.map_or(usual, |text| eight(&self.desk.text(text, key)))
    }

    fn stamp(&mut self, text: Option<&Spanned<String>>, key: &str) -> Option<Stamp> {
        let text = text?;
        let drawn = self.desk.text(text, key);
        let stamp = Stamp::parse(&drawn);
        if stamp.is_none() {
            let why = format!("`{drawn}` is no time since 1984; write 2014-03-11T10:20:30");
            self.desk.problem(key.to_owned(), Some(text.span()), why);
        }
        stamp
    }

    fn version(&mut self, text: Option<&Spanned<String>>, key: &str) -> Option<u8> {
        let text = text?;
        let drawn = self.desk.text(text, key);
        let half = |digits: &str| digits.parse::<u8>().ok().filter(|number| *number < 16);
        let version = drawn.split_once('.').and_then(|(major, minor)| Some(half(major)? << 4 | half(minor)?));
        if version.is_none() {
            let why = format!("`{drawn}` is no version; write 1.0, two numbers of 0 to 15");
            self.desk.problem(key.to_owned(), Some(text.span()), why);
        }
        version
    }
}

/// The numbers of `0-7, 11-15, 20`.
fn numbers(text: &str) -> Option<Vec<u16>> {
    let mut numbers = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        numbers.extend((first..=last).take(1000));
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_told_at_once_each_with_its_place() {
        let text = "[image]\nblocks = { 1 = 12 }\n[s7comm.blocks]\nchanged = 'yesterday'\n\
            author = '{nobody}'\nsystem-functions = '1 to 7'\nprogram = [\n\
            { block = 'XB1' },\n{ block = 'DB2' },\n{ block = 'SFC1' },\n{ block = 'OB1' },\n{ block = 'OB 1' },\n\
            { block = 'FC1', version = '16.0' },\n{ block = 'FC2', changed = '1983-01-01' },\n]\n\
            [s7comm.protection]\nlevel = 4\npassword = 'much too long'\n";
        let told = crate::mistakes::mistakes(&crate::s7comm::S7comm, text).join("\n");
        for part in [
            "yesterday",
            "nobody",
            "1 to 7",
            "XB1",
            "DB 2 has no memory",
            "SFC1",
            "OB 1 is there twice",
            "16.0",
            "1983-01-01",
            "1 to 3",
            "8 ASCII characters",
        ] {
            assert!(told.contains(part), "{part} in\n{told}");
        }
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(numbers("0-2, 5,7 - 8"), Some(vec![0, 1, 2, 5, 7, 8]));
        assert_eq!(numbers(""), Some(vec![]));
        assert_eq!(numbers("1-x"), None);
    }
}
