//! The `[s7comm.szl]` table of a profile. Apart, because it is what operators read: each line of documentation here stands in
//! the JSON Schema too.

use honeyplant_core::settings::Size;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// What the CPU tells of itself in its system status lists. Texts may have `{key}` for what was drawn.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(in crate::s7comm) struct Settings {
    /// The lists that it names in its directory, such as `"0011"`; others are refused. All that are known, without it.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) lists: Option<Vec<Spanned<String>>>,
    /// The order number of the CPU.
    #[schemars(with = "String")]
    pub(super) order_number: Spanned<String>,
    /// The kind of module that it says it is.
    pub(super) type_id: u16,
    /// The version of its hardware: a number.
    #[schemars(with = "String")]
    pub(super) hardware: Spanned<String>,
    /// The version of its firmware: a letter and three numbers, such as `V3.2.11`.
    #[schemars(with = "String")]
    pub(super) firmware: Spanned<String>,
    /// The version of its boot loader, alike.
    #[schemars(with = "String")]
    pub(super) boot_loader: Spanned<String>,
    /// What it is called in its module's list of parts.
    #[schemars(with = "Names")]
    pub(super) names: Names,
    /// Its memory besides that for blocks.
    pub(super) memory: Memory,
    /// What it can do: the words of W#16#0012.
    pub(super) characteristics: Vec<u16>,
    /// Its LEDs, by the numbers of W#16#0019.
    pub(super) leds: Vec<u16>,
    /// The organization blocks that its system can call.
    pub(super) obs: Vec<u8>,
    /// The blocks that it takes, by their type.
    pub(super) blocks: Vec<BlockType>,
    /// What it can do over its connections.
    pub(super) communication: Communication,
    /// How many entries of the diagnostic buffer it shows in RUN; in STOP it shows all of them.
    pub(super) entries_in_run: usize,
    /// The modules of its rack, itself among them.
    pub(super) modules: Vec<Module>,
}

impl Default for Settings {
    fn default() -> Self {
        let text = |text: &str| Spanned::new(0..0, text.to_owned());
        Self {
            lists: None,
            order_number: text("6ES7 315-2EH14-0AB0"),
            type_id: 0x00C0,
            hardware: text("1"),
            firmware: text("V3.2.1"),
            boot_loader: text("A37.12.12"),
            names: Names::default(),
            memory: Memory::default(),
            // The code is compiled, the clock is BCD with 1 ms and all functions, SFC 78 is there, only warm restarts, and
            // the instructions of an S7-300: no accumulators 3 and 4.
            characteristics: [0x0001, 0x0101, 0x0104, 0x0105, 0x0106, 0x0205]
                .into_iter()
                .chain(0x0302..=0x0304)
                .chain(0x0306..=0x0316)
                .collect(),
            leds: vec![1, 4, 5, 6, 11, 12, 21],
            obs: vec![1, 10, 20, 21, 32, 33, 34, 35, 40, 55, 56, 57, 61, 80, 82, 83, 85, 86, 87, 100, 121, 122],
            blocks: [(0x0800, 23), (0x0A00, 1024), (0x0B00, 1024), (0x0C00, 1024), (0x0E00, 1024)]
                .map(|(kind, most)| BlockType { kind, most, load: 64, work: 65_534 })
                .to_vec(),
            communication: Communication::default(),
            entries_in_run: 10,
            modules: Vec::new(),
        }
    }
}

/// What the CPU is called: the records of W#16#001C.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Names {
    /// The station, in 24 characters at the most.
    #[schemars(with = "String")]
    pub(super) station: Spanned<String>,
    /// The module, in 24 characters at the most.
    #[schemars(with = "String")]
    pub(super) module: Spanned<String>,
    /// The plant designation, in 32 characters at the most.
    #[schemars(with = "String")]
    pub(super) plant: Spanned<String>,
    /// The copyright.
    #[schemars(with = "String")]
    pub(super) copyright: Spanned<String>,
    /// The serial number, in 24 characters at the most.
    #[schemars(with = "String")]
    pub(super) serial: Spanned<String>,
    /// The kind of CPU, in 32 characters at the most.
    #[schemars(with = "String")]
    pub(super) kind: Spanned<String>,
    /// The memory card and its serial number, in 32 characters at the most.
    #[schemars(with = "String")]
    pub(super) card: Spanned<String>,
    /// The manufacturer's number of PROFIBUS International.
    pub(super) manufacturer: u16,
    /// The profile that it follows, and its type in it.
    pub(super) profile: [u16; 2],
    /// The location designation, in 32 characters at the most.
    #[schemars(with = "String")]
    pub(super) location: Spanned<String>,
}

impl Default for Names {
    fn default() -> Self {
        let text = |text: &str| Spanned::new(0..0, text.to_owned());
        Self {
            station: text(""),
            module: text(""),
            plant: text(""),
            copyright: text("Original Siemens Equipment"),
            serial: text(""),
            kind: text("CPU 315-2 PN/DP"),
            card: text("MMC"),
            manufacturer: 42,
            profile: [0xF600, 1],
            location: text(""),
        }
    }
}

/// The memory of the CPU besides that for blocks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Memory {
    /// The largest memory card that can be.
    #[schemars(with = "Size")]
    pub(super) largest_card: Spanned<Size>,
    /// What it can keep without power.
    #[schemars(with = "Size")]
    pub(super) retentive: Spanned<Size>,
    /// Bytes of bit memory, timers and counters that are kept without power.
    pub(super) kept: [u16; 3],
    /// Bytes of the address area of modules.
    pub(super) addresses: u16,
    /// KiB of local data.
    pub(super) local: u16,
}

impl Default for Memory {
    fn default() -> Self {
        let size = |kib: u64| Spanned::new(0..0, Size(kib << 10));
        Self { largest_card: size(8192), retentive: size(128), kept: [16, 0, 8], addresses: 2048, local: 32 }
    }
}

/// How many blocks of one type there can be, and how large.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockType {
    /// The number of the type: 0x0800 OB, 0x0A00 DB, 0x0B00 SDB, 0x0C00 FC, 0x0E00 FB.
    #[serde(rename = "type")]
    pub(super) kind: u16,
    /// How many.
    pub(super) most: u16,
    /// KiB of load memory that one can take.
    pub(super) load: u16,
    /// Bytes of working memory that one can take.
    pub(super) work: u32,
}

/// What the CPU can do over its connections.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Communication {
    /// How many connections it has.
    pub(super) connections: u16,
    /// How many of them are kept for programming devices, and for operator panels.
    pub(super) reserved: [u16; 2],
    /// How fast its MPI can be, in bits a second.
    pub(super) mpi: u32,
    /// How fast its communication bus is, in bits a second.
    pub(super) bus: u32,
    /// How much of its time communication may take, in percent.
    pub(super) load: u16,
    /// Checksum of the hardware configuration: eight hexadecimal digits.
    #[schemars(with = "Option<String>")]
    pub(super) configuration_sum: Option<Spanned<String>>,
    /// Checksum of the program: eight hexadecimal digits.
    #[schemars(with = "Option<String>")]
    pub(super) program_sum: Option<Spanned<String>>,
    /// The MAC address of its Ethernet interface.
    #[schemars(with = "Option<String>")]
    pub(super) mac: Option<Spanned<String>>,
    /// The network mask.
    #[schemars(with = "Option<String>")]
    pub(super) mask: Option<Spanned<String>>,
    /// Which of its ports have a cable plugged in.
    pub(super) ports: Vec<bool>,
}

impl Default for Communication {
    fn default() -> Self {
        Self {
            connections: 16,
            reserved: [1, 1],
            mpi: 12_000_000,
            bus: 187_500,
            load: 20,
            configuration_sum: None,
            program_sum: None,
            mac: None,
            mask: None,
            ports: vec![true, false],
        }
    }
}

/// A module of the rack.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Module {
    /// Its slot: 1 to 18.
    #[schemars(with = "u16")]
    pub(super) slot: Spanned<u16>,
    /// The submodule's slot, of an interface of the CPU.
    #[serde(default)]
    pub(super) submodule: u8,
    /// Its first address, without which it has none.
    #[schemars(with = "Option<u16>")]
    pub(super) address: Option<Spanned<u16>>,
    /// Whether that is an address of outputs.
    #[serde(default)]
    pub(super) outputs: bool,
    /// The kind of module that was configured and is there.
    #[serde(default, rename = "type")]
    pub(super) kind: u16,
    /// How wide its addresses are: 1 is a byte, 2 a word, 3 a double word.
    #[serde(default)]
    pub(super) width: u8,
    /// Its diagnostic data in hexadecimal digits, of a module that has any; the first eight are those of W#16#00B1.
    #[schemars(with = "Option<String>")]
    pub(super) diagnosis: Option<Spanned<String>>,
}
