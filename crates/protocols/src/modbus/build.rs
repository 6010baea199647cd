//! A slave made from its settings: every name is looked up, every range checked, and all mistakes are told at once.
//! Apart, because nothing of it runs once a device does.

use super::{
    diagnostics::Bus,
    identification::{Identification, LONGEST_OBJECT},
    map::Table,
    settings::{self, Ids, Octets, Settings},
    slave::Slave,
    unit::{Limits, Unit},
    wire::{Diagnostic, Exception, FUNCTIONS},
};
use honeyplant_core::{
    device::Device,
    plant::Plant,
    settings::{Problem, Problems},
};
use std::{collections::BTreeMap, fmt::Display, ops::Range as Bytes, sync::Mutex};
use toml::Spanned;

/// The slave that `settings`, which stand at `key`, describe.
pub(super) fn slave(settings: &Settings, key: &str, device: &Device) -> Result<Slave, Problems> {
    let mut desk = Desk { device, plant: &mut device.still(), problems: Problems::new() };
    let mut units = Vec::new();
    for (index, unit) in settings.units.iter().enumerate() {
        let key = format!("{key}.units[{index}]");
        units.push(desk.unit(unit, settings, &key));
    }
    let limits = desk.limits(settings, key);
    let read_only = desk.read_only(settings, key);
    let ids = desk.ids(settings, key, &mut units);
    for unit in &mut units {
        (unit.limits, unit.read_only) = (limits, read_only);
    }
    if units.is_empty() {
        let problem = Problem::new(format!("{key}.units"), "a slave without units answers nobody");
        desk.problems.push(problem.hint("write `[[modbus.units]]` and its tables"));
    }
    if !desk.problems.is_empty() {
        // What is said for the device as a whole is read again for each unit.
        let mut problems = Problems::new();
        for problem in desk.problems {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        return Err(problems);
    }
    let bus = Mutex::new(Bus::new(units.iter().map(|_| settings.diagnostic_register)));
    Ok(Slave { units, ids, absent: settings.absent, broadcast: settings.broadcast, bus })
}

/// What is at hand while settings are read.
pub(super) struct Desk<'a> {
    pub(super) device: &'a Device,
    pub(super) plant: &'a mut Plant,
    pub(super) problems: Problems,
}

/// The largest quantities of AP §6.1, §6.3, §6.11 and §6.12.
const LIMITS: Limits = Limits { read_bits: 2000, read_registers: 125, write_bits: 1968, write_registers: 123 };

impl Desk<'_> {
    pub(super) fn problem(&mut self, key: String, span: Option<Bytes<usize>>, message: impl Into<String>) {
        self.problems.push(Problem { span: span.filter(|span| !span.is_empty()), ..Problem::new(key, message) });
    }

    fn unit(&mut self, unit: &settings::Unit, whole: &Settings, key: &str) -> Unit {
        let base = key.rsplit_once('.').map_or(key, |(base, _)| base);
        let (functions, functions_key) = match &unit.functions {
            Some(functions) => (functions, format!("{key}.functions")),
            None => (&whole.functions, format!("{base}.functions")),
        };
        let functions = self.functions(functions, &functions_key);
        let diagnostics = match (&unit.diagnostics, &whole.diagnostics) {
            (Some(subs), _) => self.diagnostics(subs, &format!("{key}.diagnostics")),
            (None, Some(subs)) => self.diagnostics(subs, &format!("{base}.diagnostics")),
            (None, None) => Diagnostic::ALL.iter().fold(0, |set, sub| set | 1 << *sub as u32),
        };
        let server_id = match (&unit.server_id, &whole.server_id) {
            (Some(id), _) => self.server_id(id, &format!("{key}.server-id")),
            (None, Some(id)) => self.server_id(id, &format!("{base}.server-id")),
            (None, None) => Vec::new(),
        };
        let identification = match (&unit.identification, &whole.identification) {
            (Some(id), _) => Some(self.identification(id, &format!("{key}.identification"))),
            (None, Some(id)) => Some(self.identification(id, &format!("{base}.identification"))),
            (None, None) => None,
        };
        if functions >> 17 & 1 == 1 && server_id.is_empty() {
            self.problem(functions_key.clone(), None, "function 17 needs `server-id`");
        }
        if functions >> 43 & 1 == 1 && identification.is_none() {
            self.problem(functions_key, None, "function 43 needs `identification`");
        }
        Unit {
            id: 0,
            functions,
            diagnostics,
            limits: LIMITS,
            read_only: Exception::IllegalDataAddress,
            server_id,
            identification,
            exception_status: match &unit.exception_status {
                Some(status) => self.status(status, &format!("{key}.exception-status")),
                None => Table::new(Vec::new()),
            },
            coils: self.bits(&unit.coils, &format!("{key}.coils")),
            discrete_inputs: self.bits(&unit.discrete_inputs, &format!("{key}.discrete-inputs")),
            input_registers: self.words(&unit.input_registers, &format!("{key}.input-registers")),
            holding_registers: self.words(&unit.holding_registers, &format!("{key}.holding-registers")),
            files: self.files(&unit.files, &format!("{key}.files")),
            queues: self.queues(&unit.fifo, &format!("{key}.fifo")),
        }
    }

    fn functions(&mut self, functions: &[Spanned<u8>], key: &str) -> u128 {
        let mut set = 0;
        for (index, function) in functions.iter().enumerate() {
            let code = *function.get_ref();
            if FUNCTIONS.contains(&code) {
                set |= 1 << code;
            } else {
                let problem = Problem::new(
                    format!("{key}[{index}]"),
                    format!("function {code} is not one of those that can be had"),
                );
                self.problems.push(problem.at(function.span()).hint(format!("there is: {}", list(FUNCTIONS))));
            }
        }
        set
    }

    fn diagnostics(&mut self, subs: &[Spanned<u16>], key: &str) -> u32 {
        let mut set = 0;
        for (index, sub) in subs.iter().enumerate() {
            match Diagnostic::of(*sub.get_ref()) {
                Some(known) => set |= 1 << known as u32,
                None => {
                    let message = format!("function 8 has no sub-function {}", sub.get_ref());
                    let problem = Problem::new(format!("{key}[{index}]"), message).at(sub.span());
                    let known = list(Diagnostic::ALL.map(|sub| sub as u16));
                    self.problems.push(problem.hint(format!("there is: {known}")));
                }
            }
        }
        set
    }

    fn limits(&mut self, settings: &Settings, key: &str) -> Limits {
        let mut limit = |value: &Option<Spanned<u16>>, field: &str, most: u16| {
            let Some(value) = value else { return most };
            if !(1..=most).contains(value.get_ref()) {
                self.problem(format!("{key}.{field}"), Some(value.span()), format!("this is a number of 1 to {most}"));
            }
            *value.get_ref()
        };
        Limits {
            read_bits: limit(&settings.max_read_bits, "max-read-bits", LIMITS.read_bits),
            read_registers: limit(&settings.max_read_registers, "max-read-registers", LIMITS.read_registers),
            write_bits: limit(&settings.max_write_bits, "max-write-bits", LIMITS.write_bits),
            write_registers: limit(&settings.max_write_registers, "max-write-registers", LIMITS.write_registers),
        }
    }

    fn read_only(&mut self, settings: &Settings, key: &str) -> Exception {
        match settings.read_only_exception.get_ref() {
            1 => Exception::IllegalFunction,
            2 => Exception::IllegalDataAddress,
            3 => Exception::IllegalDataValue,
            4 => Exception::ServerDeviceFailure,
            _ => {
                let span = settings.read_only_exception.span();
                self.problem(format!("{key}.read-only-exception"), Some(span), "this is an exception of 1 to 4");
                Exception::IllegalDataAddress
            }
        }
    }

    /// Which unit each identifier means.
    fn ids(&mut self, settings: &Settings, key: &str, units: &mut [Unit]) -> Vec<Option<usize>> {
        let mut ids = vec![None; 256];
        let mut rest = None;
        for (index, (unit, resolved)) in settings.units.iter().zip(units).enumerate() {
            let key = format!("{key}.units[{index}].id");
            let Some(id) = &unit.id else {
                // A unit that answers to all goes by 255 (MG §4.4.1.2: the value without significance).
                resolved.id = 255;
                if let Some(other) = rest.replace(index) {
                    self.problem(
                        key,
                        None,
                        format!("units[{other}] has no id either; one unit can answer to all that is left"),
                    );
                }
                continue;
            };
            let mut numbers = Vec::new();
            if let Err(why) = expand(id.get_ref(), &mut numbers) {
                self.problem(key.clone(), Some(id.span()), why);
            }
            resolved.id = numbers.first().copied().unwrap_or_default();
            for number in numbers {
                let slot = ids.get_mut(usize::from(number));
                match slot.and_then(|slot| slot.replace(index)) {
                    Some(other) if other != index => {
                        self.problem(key.clone(), Some(id.span()), format!("units[{other}] has the id {number} too"));
                    }
                    _ => {}
                }
                if number == 0 && settings.broadcast {
                    self.problem(key.clone(), Some(id.span()), "unit 0 means all units where `broadcast` is on");
                }
            }
        }
        ids.into_iter().map(|id| id.or(rest)).collect()
    }

    pub(super) fn text(&mut self, text: &Spanned<String>, key: &str) -> String {
        self.expanded(text.get_ref(), key, text.span())
    }

    fn expanded(&mut self, text: &str, key: &str, span: Bytes<usize>) -> String {
        self.device.identity().expand(text).unwrap_or_else(|name| {
            let known = self.device.identity().0.keys().map(String::as_str);
            self.problems.push(Problem::unknown(key, "identity", &name, known).at(span));
            String::new()
        })
    }

    fn octets(&mut self, octets: &Spanned<Octets>, key: &str) -> Vec<u8> {
        match octets.get_ref() {
            Octets::Octets(octets) => octets.clone(),
            Octets::Text(text) => self.expanded(text, key, octets.span()).into_bytes(),
        }
    }

    /// What follows the byte count of function 17 (AP §6.13).
    fn server_id(&mut self, server: &settings::ServerId, key: &str) -> Vec<u8> {
        let mut octets = self.octets(&server.id, &format!("{key}.id"));
        octets.push(if server.run { 0xFF } else { 0x00 });
        if let Some(additional) = &server.additional {
            octets.extend(self.octets(additional, &format!("{key}.additional")));
        }
        if octets.len() > 251 {
            self.problem(key.to_owned(), Some(server.id.span()), "the answer is longer than a PDU of 253 octets");
        }
        octets
    }

    fn identification(&mut self, settings: &settings::Identification, key: &str) -> Identification {
        let conformity = *settings.conformity.get_ref();
        if !matches!(conformity & 0x7F, 1..=3) {
            let message = "a conformity level is 1, 2 or 3, and 0x80 more for access to single objects";
            self.problem(format!("{key}.conformity"), Some(settings.conformity.span()), message);
        }
        let mut objects = BTreeMap::new();
        for (name, text) in &settings.objects {
            let key = format!("{key}.objects.{}", name.get_ref());
            let value = self.text(text, &key).into_bytes();
            if value.len() > LONGEST_OBJECT {
                self.problem(key.clone(), Some(text.span()), format!("an object has at most {LONGEST_OBJECT} octets"));
            }
            let digits = name.get_ref();
            let number = digits.strip_prefix("0x").map_or_else(|| digits.parse(), |hex| u8::from_str_radix(hex, 16));
            // AP §6.21 reserves 7 to 0x7F.
            match number.ok().filter(|number| !(7..0x80).contains(number)) {
                Some(number) if objects.insert(number, value).is_some() => {
                    self.problem(key, Some(name.span()), format!("object {number} is there twice"));
                }
                Some(_) => {}
                None => self.problem(key, Some(name.span()), "an object has a number of 0 to 6 or 0x80 to 0xFF"),
            }
        }
        if (0..3).any(|basic| !objects.contains_key(&basic)) {
            let message = "objects 0, 1 and 2 (vendor, product, revision) are mandatory";
            self.problem(format!("{key}.objects"), Some(settings.conformity.span()), message);
        }
        Identification { conformity, objects: objects.into_iter().collect() }
    }
}

fn expand(ids: &Ids, numbers: &mut Vec<u8>) -> Result<(), String> {
    match ids {
        Ids::One(id) => numbers.push(*id),
        Ids::Between(text) => {
            let ends = text.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
            let (from, to): (u8, u8) = ends
                .filter(|(from, to)| from <= to)
                .ok_or_else(|| format!("`{text}` is no range of unit identifiers; write it as \"1-10\""))?;
            numbers.extend(from..=to);
        }
        Ids::List(list) => return list.iter().try_for_each(|ids| expand(ids, numbers)),
    }
    Ok(())
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    /// The mistakes in a profile, and the text that each one points at.
    fn mistakes(modbus: &str) -> Vec<String> {
        let text = format!(
            "[image]\nlayout = 'modicon'\nmemory = 8\nmemory-bits = 8\n[tags]\n\
             level = {{ type = 'INT' }}\nname = {{ type = 'STRING' }}\n[modbus]\n{modbus}"
        );
        crate::mistakes::mistakes(&super::super::Modbus, &text)
    }

    #[test]
    fn all_mistakes_are_told_at_once_each_with_its_place() {
        let told = mistakes(
            "functions = [3, 90]\nmax-read-registers = 126\n\
             units = [{ holding-registers = [{ address = 0, count = 4, free = true }, { address = 3, tag = 'level' }, \
             { address = 9, tag = 'levle' }, { address = 10, count = 5, at = '%MW0' }] }]",
        );
        assert_eq!(
            told,
            [
                "modbus.functions[1]: function 90 is not one of those that can be had (there is: 1, 2, 3, 4, 5, 6, 7, 8, \
                 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43) @ 90",
                "modbus.units[0].holding-registers[2].tag: there is no tag `levle` (did you mean `level`?) @ 'levle'",
                "modbus.units[0].holding-registers[3].at: the range that begins at `%MW0` ends behind its memory @ '%MW0'",
                "modbus.units[0].holding-registers[1]: addresses 3 to 3 overlap with 0 to 3 of \
                 modbus.units[0].holding-registers[0] @ { address = 3, tag = 'level' }",
                "modbus.max-read-registers: this is a number of 1 to 125 @ 126",
            ]
        );
    }

    #[test]
    fn is_refused() {
        let range = |range: &str| format!("units = [{{ holding-registers = [{{ address = 0, {range} }}] }}]");
        let coil = |range: &str| format!("units = [{{ coils = [{{ address = 0, {range} }}] }}]");
        for (settings, message) in [
            ("units = []".to_owned(), "a slave without units answers nobody"),
            ("units = [{ id = '9-1' }]".to_owned(), "`9-1` is no range of unit identifiers"),
            ("units = [{ id = 1 }, { id = [3, '1-2'] }]".to_owned(), "units[0] has the id 1 too"),
            ("units = [{}, {}]".to_owned(), "units[0] has no id either"),
            ("broadcast = true\nunits = [{ id = 0 }]".to_owned(), "unit 0 means all units"),
            ("functions = [17, 43]\nunits = [{}]".to_owned(), "function 43 needs `identification`"),
            ("diagnostics = [5]\nunits = [{}]".to_owned(), "function 8 has no sub-function 5"),
            ("read-only-exception = 9\nunits = [{}]".to_owned(), "this is an exception of 1 to 4"),
            ("server-id = { id = '{serial}' }\nunits = [{}]".to_owned(), "there is no identity `serial`"),
            (
                "identification = { conformity = 4, objects = { 0 = 'V', 7 = 'x' } }\nunits = [{}]".to_owned(),
                "objects 0, 1 and 2 (vendor, product, revision) are mandatory",
            ),
            (range("count = 1"), "a range has exactly one of"),
            (range("tag = 'level', free = true"), "a range has exactly one of"),
            (range("free = true, scale = 0.1"), "`scale` means nothing here"),
            (range("tag = 'level', scale = 0.0"), "a step that is worth nothing"),
            (range("tag = 'level', as = 'text'"), "`text` holds a STRING"),
            (range("tag = 'level', as = 'int32', count = 1"), "`level` takes 2 registers here"),
            (range("text = 'too long', count = 3"), "the text is longer than 3 registers"),
            (range("free = true, count = 4294967295"), "a range has at least one address, and ends at 65535"),
            (range("free = true, values = [1, 2]"), "values are for free memory"),
            (range("at = '%MW1.1'"), "`%MW1.1` is a bit; registers begin at a word"),
            (range("at = '%MX'"), "`%MX` is no address"),
            (coil("tag = 'level'"), "`level` is no BOOL"),
            (coil("at = '%M0', count = 9"), "ends behind its memory"),
            (coil("at = '%MW3', count = 17"), "ends behind its memory"),
            (coil("at = '%MW3.1'"), "bits of words begin at a whole word"),
            (coil("free = true, words = 'cdab'"), "`words` means nothing here"),
            ("units = [{ files = [{ number = 0, records = 1 }] }]".to_owned(), "files have different numbers"),
            ("units = [{ files = [{ number = 1, records = 10001 }] }]".to_owned(), "a file has at most 10000 records"),
            ("units = [{ exception-status = ['level'] }]".to_owned(), "eight tags are eight bits"),
            ("unit = []".to_owned(), "unknown field `unit`"),
        ] {
            let told = mistakes(&settings);
            assert!(told.iter().any(|told| told.contains(message)), "{settings}: {told:?}");
        }
    }
}
