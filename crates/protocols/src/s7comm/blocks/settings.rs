//! The `[s7comm.blocks]` table of a profile. Apart, because it is what operators read: each line of documentation here
//! stands in the JSON Schema too.

use honeyplant_core::settings::Size;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// The blocks of the program. The data blocks of `[image]` are there in any case, and OB 1 and the usual system data blocks
/// if no others are named.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(in crate::s7comm) struct Settings {
    /// Bytes of the memory card, which all blocks share.
    pub(super) load_memory: Size,
    /// Bytes of the work memory, which code and data share.
    pub(super) work_memory: Size,
    /// Who wrote the blocks, in 8 characters, with `{key}` for what was drawn.
    #[schemars(with = "Option<String>")]
    pub(super) author: Option<Spanned<String>>,
    /// The family of the blocks, alike.
    #[schemars(with = "Option<String>")]
    pub(super) family: Option<Spanned<String>>,
    /// When the last of the blocks was changed, as `2014-03-11T10:20:30`, alike. The others were changed in the two months
    /// before.
    #[schemars(with = "Option<String>")]
    pub(super) changed: Option<Spanned<String>>,
    /// The system functions that the CPU has, such as `0-7, 11-15, 20`.
    #[schemars(with = "String")]
    pub(super) system_functions: Spanned<String>,
    /// The system function blocks that the CPU has, alike.
    #[schemars(with = "String")]
    pub(super) system_function_blocks: Spanned<String>,
    /// The blocks that the program is made of, and facts about data blocks.
    #[schemars(with = "Vec<Made>")]
    pub(super) program: Vec<Spanned<Made>>,
}

/// What a CPU 315-2 PN/DP lists, captured when STEP 7 asked one.
const SYSTEM_FUNCTIONS: &str =
    "0-7, 11-15, 17-24, 28-34, 36-44, 46, 47, 49-52, 55-59, 64-74, 81-84, 99, 101-103, 105-109, 112-114, 126, 127";
const SYSTEM_FUNCTION_BLOCKS: &str = "0-5, 32, 52-54, 73-75, 81, 104";

impl Default for Settings {
    fn default() -> Self {
        let own = |text: &str| Spanned::new(0..0, text.to_owned());
        Self {
            load_memory: Size(2 << 20),
            work_memory: Size(384 << 10),
            author: None,
            family: None,
            changed: None,
            system_functions: own(SYSTEM_FUNCTIONS),
            system_function_blocks: own(SYSTEM_FUNCTION_BLOCKS),
            program: Vec::new(),
        }
    }
}

/// One block.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Made {
    /// Which one, such as `OB1` or `DB 10`.
    #[schemars(with = "String")]
    pub(super) block: Spanned<String>,
    /// The language that it was written in.
    #[serde(default)]
    pub(super) language: Language,
    /// Bytes of its code; a data block has as many as its memory.
    pub(super) code: Option<u16>,
    /// Bytes of local data that it needs.
    #[serde(default)]
    pub(super) local: u16,
    /// Who wrote it, if others than the rest.
    #[schemars(with = "Option<String>")]
    pub(super) author: Option<Spanned<String>>,
    /// The family that it belongs to, if another than the rest.
    #[schemars(with = "Option<String>")]
    pub(super) family: Option<Spanned<String>>,
    /// Its name in words, in 8 characters.
    #[schemars(with = "Option<String>")]
    pub(super) title: Option<Spanned<String>>,
    /// Its version, such as `1.0`: two numbers of 0 to 15.
    #[schemars(with = "Option<String>")]
    pub(super) version: Option<Spanned<String>>,
    /// When it was changed, if that is known.
    #[schemars(with = "Option<String>")]
    pub(super) changed: Option<Spanned<String>>,
}

/// The language that a block of code was written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Language {
    #[default]
    Awl,
    Kop,
    Fup,
    Scl,
    Graph,
}

impl Language {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Awl => 1,
            Self::Kop => 2,
            Self::Fup => 3,
            Self::Scl => 4,
            Self::Graph => 6,
        }
    }
}
