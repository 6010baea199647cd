//! What the CPU has: its characteristics, memory, system areas and block types. Apart, because they are numbers that change
//! only with what is loaded.

use super::{List, Refusal, View, settings::BlockType, words};
use honeyplant_core::plant::Area;

/// What the CPU has.
#[derive(Clone, Debug)]
pub(super) struct Capability {
    pub(super) characteristics: Vec<u16>,
    pub(super) blocks: Vec<BlockType>,
    pub(super) largest_card: u32,
    pub(super) retentive: u32,
    /// Bytes of bit memory, timers and counters that are kept.
    pub(super) kept: [u16; 3],
    pub(super) addresses: u16,
    /// KiB of local data.
    pub(super) local: u16,
}

/// W#16#xy12 (§33.6).
pub(super) fn characteristics(view: View<'_>) -> List {
    let have = &view.directory().capability.characteristics;
    List::new(have.iter().map(|characteristic| words(&[*characteristic])).collect())
}

/// W#16#0112: those of one group.
pub(super) fn group(view: View<'_>, group: u16) -> Result<List, Refusal> {
    let have = view.directory().capability.characteristics.iter();
    let records: Vec<_> = have.filter(|one| **one & 0xFF00 == group).map(|one| words(&[*one])).collect();
    if records.is_empty() { Err(Refusal::NoIndex) } else { Ok(List::new(records)) }
}

/// W#16#xy13 (§33.7).
pub(super) fn memory(view: View<'_>) -> List {
    /// Index, memory type and mode, each as the manual numbers them.
    const WORK: [u16; 3] = [1, 1, 0x11];
    const INTEGRATED: [u16; 3] = [2, 1, 0x01];
    const PLUGGED: [u16; 3] = [3, 2, 0x02];
    const LARGEST: [u16; 3] = [4, 2, 0x02];
    const RETENTIVE: [u16; 3] = [5, 1, 0x01];
    let have = &view.directory().capability;
    let usage = view.cpu.blocks.usage(view.device, view.now);
    let [loaded, used] = [usage.load, usage.work].map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX));
    let [card, work] = view.cpu.blocks.sizes();
    let data = {
        let plant = view.device.plant(view.now);
        let image = plant.image();
        let blocks = image.blocks().into_iter().filter_map(|number| image.area(Area::Block(number)));
        blocks.fold(0u32, |sum, (_, bytes)| sum.saturating_add(bytes))
    };
    let record = |[index, code, mode]: [u16; 3], size: u32, used: u32| {
        let mut record = words(&[index, code]);
        let used = used.min(size);
        let (area, none) = ([size, used, size - used], [0; 3]);
        let areas = if code == 1 { [area, none] } else { [none, area] };
        record.extend_from_slice(&size.to_be_bytes());
        record.extend_from_slice(&words(&[mode, 0]));
        record.extend(areas.as_flattened().iter().flat_map(|number| number.to_be_bytes()));
        record
    };
    List::new(vec![
        record(WORK, work, used),
        record(INTEGRATED, 0, 0),
        record(PLUGGED, card, loaded),
        record(LARGEST, have.largest_card, 0),
        record(RETENTIVE, have.retentive, data),
    ])
}

/// W#16#xy14 (§33.8).
pub(super) fn areas(view: View<'_>) -> List {
    /// Index of an area.
    const INPUTS: u16 = 1;
    const OUTPUTS: u16 = 2;
    const BITS: u16 = 3;
    const TIMERS: u16 = 4;
    const COUNTERS: u16 = 5;
    const ADDRESSES: u16 = 6;
    const LOCAL_BYTES: u16 = 7;
    const MEMORY: u16 = 8;
    const LOCAL: u16 = 9;
    let have = &view.directory().capability;
    let [inputs, outputs, memory] = {
        let plant = view.device.plant(view.now);
        [Area::Input, Area::Output, Area::Memory].map(|area| {
            let bytes = plant.image().area(area).map_or(0, |(_, bytes)| bytes);
            u16::try_from(bytes).unwrap_or(u16::MAX)
        })
    };
    let [kept, kept_timers, kept_counters] = have.kept;
    let [timers, counters] = view.cpu.variable.counts();
    let mut records = vec![words(&[INPUTS, 1, inputs, 0]), words(&[OUTPUTS, 1, outputs, 0])];
    // Bits are counted where a word is enough.
    if let Some(bits) = memory.checked_mul(8) {
        records.push(words(&[BITS, 1, bits, kept.saturating_mul(8)]));
    }
    records.extend([
        words(&[TIMERS, 1, timers, kept_timers]),
        words(&[COUNTERS, 1, counters, kept_counters]),
        words(&[ADDRESSES, 1, have.addresses, 0]),
    ]);
    if let Some(bytes) = have.local.checked_mul(1024) {
        records.push(words(&[LOCAL_BYTES, 1, bytes, 0]));
    }
    records.extend([words(&[MEMORY, 1, memory, kept]), words(&[LOCAL, 1, have.local, 0])]);
    List::new(records)
}

/// W#16#xy15 (§33.9).
pub(super) fn blocks(view: View<'_>) -> List {
    let record = |block: &BlockType| {
        let mut record = words(&[block.kind, block.most, block.load]);
        record.extend_from_slice(&block.work.to_be_bytes());
        record
    };
    List::new(view.directory().capability.blocks.iter().map(record).collect())
}
