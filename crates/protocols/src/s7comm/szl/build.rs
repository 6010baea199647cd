//! The lists made from their settings: every text drawn, every number checked. Apart, because nothing of it runs once a device
//! does.

use super::{
    Directory, KNOWN,
    capability::Capability,
    communication::Facts,
    identification::{Components, Part},
    module::Module,
    settings::{self, Settings},
};
use crate::s7comm::build::Desk;
use honeyplant_core::{
    bytes::from_hex,
    settings::{Problem, Size},
};
use std::net::Ipv4Addr;
use toml::Spanned;

impl Directory {
    /// What `settings`, which stand at `key`, describe.
    pub(in crate::s7comm) fn build(settings: &Settings, key: &str, desk: &mut Desk<'_>) -> Self {
        let mut office = Office { desk, key };
        Self {
            lists: office.lists(settings),
            parts: office.parts(settings),
            components: office.components(&settings.names),
            capability: office.capability(settings),
            leds: settings.leds.clone(),
            obs: settings.obs.clone(),
            communication: office.communication(&settings.communication),
            entries_in_run: settings.entries_in_run,
            modules: settings.modules.iter().enumerate().map(|(nth, module)| office.module(nth, module)).collect(),
        }
    }
}

struct Office<'a, 'b> {
    desk: &'a mut Desk<'b>,
    key: &'a str,
}

impl Office<'_, '_> {
    fn problem<T>(&mut self, field: &str, at: &Spanned<T>, message: impl Into<String>) {
        let key = format!("{}.{field}", self.key);
        self.desk.problem(key, Some(at.span()), message);
    }

    /// A text as it was drawn, of Latin characters, and no longer than its record has place for.
    fn text(&mut self, field: &str, text: &Spanned<String>, longest: usize) -> Vec<u8> {
        let drawn = self.desk.text(text, &format!("{}.{field}", self.key));
        let octets: Vec<u8> = drawn.chars().filter_map(|character| u8::try_from(character).ok()).collect();
        if octets.len() != drawn.chars().count() {
            self.problem(field, text, "this has a character that is not of Latin-1");
        } else if octets.len() > longest {
            self.problem(field, text, format!("this has {} characters, and {longest} are the most", octets.len()));
        }
        octets
    }

    fn lists(&mut self, settings: &Settings) -> Vec<u16> {
        let Some(lists) = &settings.lists else { return KNOWN.to_vec() };
        let mut ids = Vec::new();
        for (nth, list) in lists.iter().enumerate() {
            let id = u16::from_str_radix(list.get_ref(), 16).ok().filter(|id| KNOWN.contains(id));
            match id {
                Some(id) => ids.push(id),
                None => {
                    let known: Vec<String> = KNOWN.iter().map(|id| format!("{id:04X}")).collect();
                    let key = format!("{}.lists[{nth}]", self.key);
                    let known = known.iter().map(String::as_str);
                    self.desk.problems.push(Problem::unknown(key, "list", list.get_ref(), known).at(list.span()));
                }
            }
        }
        ids
    }

    /// A letter and three numbers, such as `V3.2.11`.
    fn version(&mut self, field: &str, text: &Spanned<String>) -> [u8; 4] {
        let drawn = self.desk.text(text, &format!("{}.{field}", self.key));
        let version = drawn.chars().next().filter(char::is_ascii_uppercase).and_then(|letter| {
            let mut numbers = drawn.get(1..)?.trim_start().split('.').map(|number| number.parse().ok());
            let version = [letter as u8, numbers.next()??, numbers.next()??, numbers.next()??];
            numbers.next().is_none().then_some(version)
        });
        version.unwrap_or_else(|| {
            self.problem(field, text, format!("`{drawn}` is no version; write a letter and three numbers, as V3.2.11"));
            [0; 4]
        })
    }

    fn parts(&mut self, settings: &Settings) -> [Part; 4] {
        let order_number = self.text("order-number", &settings.order_number, 20);
        let hardware = self.desk.text(&settings.hardware, &format!("{}.hardware", self.key));
        let hardware = hardware.parse::<u8>().unwrap_or_else(|_| {
            self.problem("hardware", &settings.hardware, format!("`{hardware}` is no number of 0 to 255"));
            0
        });
        let firmware = self.version("firmware", &settings.firmware);
        let boot_loader = self.version("boot-loader", &settings.boot_loader);
        let type_id = settings.type_id;
        let module = |index| Part { index, order_number: order_number.clone(), type_id, version: [0, hardware, 0, 1] };
        [
            module(0x0001),
            module(0x0006),
            Part { index: 0x0007, order_number: Vec::new(), type_id, version: firmware },
            Part { index: 0x0081, order_number: b"Boot Loader".to_vec(), type_id: 0, version: boot_loader },
        ]
    }

    fn components(&mut self, names: &settings::Names) -> Components {
        Components {
            station: self.text("names.station", &names.station, 24),
            module: self.text("names.module", &names.module, 24),
            plant: self.text("names.plant", &names.plant, 32),
            copyright: self.text("names.copyright", &names.copyright, 26),
            serial: self.text("names.serial", &names.serial, 24),
            kind: self.text("names.kind", &names.kind, 32),
            card: self.text("names.card", &names.card, 32),
            manufacturer: names.manufacturer,
            profile: names.profile,
            location: self.text("names.location", &names.location, 32),
        }
    }

    fn capability(&mut self, settings: &Settings) -> Capability {
        let memory = &settings.memory;
        let mut size = |field: &str, size: &Spanned<Size>| {
            u32::try_from(size.get_ref().0).unwrap_or_else(|_| {
                self.problem(field, size, "no such CPU has 4GiB");
                0
            })
        };
        Capability {
            characteristics: settings.characteristics.clone(),
            blocks: settings.blocks.clone(),
            largest_card: size("memory.largest-card", &memory.largest_card),
            retentive: size("memory.retentive", &memory.retentive),
            kept: memory.kept,
            addresses: memory.addresses,
            local: memory.local,
        }
    }

    fn communication(&mut self, settings: &settings::Communication) -> Facts {
        let configuration = self.sum("communication.configuration-sum", settings.configuration_sum.as_ref());
        let program = self.sum("communication.program-sum", settings.program_sum.as_ref());
        Facts {
            connections: settings.connections,
            reserved: settings.reserved,
            mpi: settings.mpi,
            bus: settings.bus,
            load: settings.load,
            sums: configuration.zip(program).map(|(configuration, program)| [configuration, program]),
            mac: self.mac(settings),
            mask: self.mask(settings),
            ports: settings.ports.iter().copied().take(16).collect(),
        }
    }

    fn sum(&mut self, field: &str, text: Option<&Spanned<String>>) -> Option<u32> {
        let text = text?;
        let drawn = self.desk.text(text, &format!("{}.{field}", self.key));
        let sum = u32::from_str_radix(&drawn, 16).ok();
        if sum.is_none() {
            self.problem(field, text, format!("`{drawn}` are not eight hexadecimal digits"));
        }
        sum
    }

    fn mac(&mut self, settings: &settings::Communication) -> [u8; 6] {
        let Some(text) = &settings.mac else { return [0; 6] };
        let field = "communication.mac";
        let drawn = self.desk.text(text, &format!("{}.{field}", self.key));
        let octets: Option<Vec<u8>> = drawn.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
        octets.and_then(|octets| <[u8; 6]>::try_from(octets).ok()).unwrap_or_else(|| {
            self.problem(field, text, format!("`{drawn}` is no MAC address; write it as 28:63:36:00:00:01"));
            [0; 6]
        })
    }

    fn mask(&mut self, settings: &settings::Communication) -> Ipv4Addr {
        let Some(text) = &settings.mask else { return Ipv4Addr::new(255, 255, 255, 0) };
        text.get_ref().parse().unwrap_or_else(|_| {
            self.problem("communication.mask", text, format!("`{}` is no IPv4 mask", text.get_ref()));
            Ipv4Addr::UNSPECIFIED
        })
    }

    fn module(&mut self, nth: usize, module: &settings::Module) -> Module {
        let slot = *module.slot.get_ref();
        if !(1..=18).contains(&slot) {
            self.problem(&format!("modules[{nth}].slot"), &module.slot, "the slots of a rack are 1 to 18");
        }
        if let Some(address) = module.address.as_ref().filter(|address| *address.get_ref() > 0x7FFE) {
            self.problem(&format!("modules[{nth}].address"), address, "addresses are numbers of 0 to 32766");
        }
        let diagnosis = module.diagnosis.as_ref().map(|text| self.octets(&format!("modules[{nth}].diagnosis"), text));
        Module {
            slot,
            submodule: module.submodule,
            address: module.address.as_ref().map(|address| *address.get_ref()),
            outputs: module.outputs,
            kind: module.kind,
            width: module.width,
            diagnosis: diagnosis.unwrap_or_default(),
        }
    }

    /// 4 to 64 octets in hexadecimal digits.
    fn octets(&mut self, field: &str, text: &Spanned<String>) -> Vec<u8> {
        let octets = from_hex(text.get_ref(), &[' ', '\t', '\n', '\r', '\x0C']);
        octets.filter(|octets| (4..=64).contains(&octets.len())).unwrap_or_else(|| {
            self.problem(field, text, "these are not 4 to 64 octets in hexadecimal digits");
            Vec::new()
        })
    }
}
