//! The modules of the rack. Apart, because they are told by slot, by address and by rack.

use super::{List, Refusal, View, filled, words};

/// A module of the rack, or an interface of the CPU.
#[derive(Clone, Debug)]
pub(super) struct Module {
    pub(super) slot: u16,
    pub(super) submodule: u8,
    /// Its first address.
    pub(super) address: Option<u16>,
    pub(super) outputs: bool,
    pub(super) kind: u16,
    pub(super) width: u8,
    pub(super) diagnosis: Vec<u8>,
}

impl Module {
    /// Whether an index of the lists means it: bit 15 is set for an address of outputs.
    fn is_at(&self, index: u16) -> bool {
        self.address == Some(index & 0x7FFF) && self.outputs == (index >> 15 == 1)
    }

    /// Slot, and slot of the submodule.
    fn place(&self) -> u16 {
        self.slot << 8 | u16::from(self.submodule)
    }

    /// It is there; behind the CPU it is in the local bus segment. Which addresses it has stands in the high octet.
    fn state(&self) -> u16 {
        const THERE: u16 = 1 << 1;
        const SEGMENT: u16 = 1 << 7;
        let addresses = match (self.address, self.submodule, self.outputs) {
            (None, ..) => 0,
            (_, 1.., _) => 0xFF00,
            (.., false) => 0xB400,
            (.., true) => 0xB500,
        };
        addresses | THERE | if self.slot > 3 { SEGMENT } else { 0 }
    }

    /// The area of the S7-300, and how wide the addresses are.
    fn area(&self) -> u16 {
        0x10 | u16::from(self.width & 7)
    }

    fn record(&self) -> Vec<u8> {
        let logical = self.address.unwrap_or(0x7FFF);
        words(&[0, self.place(), logical, self.kind, self.kind, 0, self.state(), self.area()])
    }
}

/// W#16#xy91 (§33.24).
pub(super) fn states(id: u16, index: u16, view: View<'_>) -> Result<List, Refusal> {
    let modules = &view.directory().modules;
    let mut records = modules.iter();
    match id {
        // The interfaces of the CPU.
        0x0591 => Ok(of(modules.iter().filter(|module| module.submodule > 0))),
        // Master systems, of which none is configured.
        0x0A91 => Ok(of([].iter())),
        0x0C91 => records.find(|module| module.is_at(index)).map(|one| List::one(one.record())).ok_or(Refusal::NoIndex),
        // All of a rack; there is only the central one.
        0x0D91 if index == 0 => Ok(of(records)),
        0x0D91 => Err(Refusal::NoIndex),
        _ => Ok(of(records).header()),
    }
}

fn of<'a>(modules: impl Iterator<Item = &'a Module>) -> List {
    List { length: 16, ..List::new(modules.map(Module::record).collect()) }
}

/// W#16#xy92: of the central rack, which is configured and there, and of no other (§33.26).
pub(super) fn racks(id: u16, index: u16) -> Result<List, Refusal> {
    let status = u8::from(id == 0x0092 || id == 0x0292);
    let list = List::one(filled(vec![status], 16));
    match (id, index) {
        (0x0F92, _) => Ok(list.header()),
        (_, 0) => Ok(list),
        _ => Err(Refusal::NoIndex),
    }
}

/// W#16#0x94: the same in the form that PROFINET needs: the first bit stands for all others (§33.27).
pub(super) fn stations(id: u16, index: u16) -> Result<List, Refusal> {
    let status = if id == 0x0094 || id == 0x0294 { 0b11 } else { 0 };
    let list = List::one(filled([&words(&[0])[..], &[status]].concat(), 258));
    match (id, index) {
        (0x0F94, _) => Ok(list.header()),
        (_, 0) => Ok(list),
        _ => Err(Refusal::NoIndex),
    }
}

/// W#16#0C96: a module by its address (§33.29).
pub(super) fn submodule(index: u16, view: View<'_>) -> Result<List, Refusal> {
    let module = view.directory().modules.iter().find(|module| module.is_at(index)).ok_or(Refusal::NoIndex)?;
    let mut record = words(&[index, 0, 0, 0, 0, module.slot, u16::from(module.submodule), 0]);
    // The type that is expected: only that of its kind; it is the one that is there.
    record.extend_from_slice(&words(&[0, 0, 0, module.kind, 0, 0, 0, 0, 0]));
    record.extend_from_slice(&words(&[module.state() & 0xFF, module.area()]));
    Ok(List::one(filled(record, 48)))
}

/// W#16#00B1 to W#16#00B3: the diagnostic data of a module by its address or, of W#16#00B2, by rack and slot (§33.31 to §33.33).
pub(super) fn diagnosis(id: u16, index: u16, view: View<'_>) -> Result<List, Refusal> {
    let mut modules = view.directory().modules.iter().filter(|module| !module.diagnosis.is_empty());
    let found = modules.find(|module| if id == 0x00B2 { module.slot == index } else { module.is_at(index) });
    let data = &found.ok_or(Refusal::NoIndex)?.diagnosis;
    Ok(List::one(if id == 0x00B1 { data.iter().copied().take(4).collect() } else { data.clone() }))
}
