//! The `[files]` table of a profile. Apart, because it is read once for a kind of device and settled for each device with
//! what was drawn for it.

use super::{Content, Naming, Order, rules::Quota, when::When};
use crate::settings::Size;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// The files of a profile's folder `files/`, by their absolute paths on the device.
pub type Folder = BTreeMap<Box<str>, Content>;

/// The `[files]` table: what the file system of the device is like, and what is in it besides the folder `files/`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct FilesSettings {
    /// Whose everything is, unless an entry says otherwise: a name of `users`, or a number.
    pub owner: String,
    /// Its group: a name of `groups`, or a number.
    pub group: String,
    /// The mode of files, best written in octal: `0o644`.
    pub mode: Mode,
    /// The mode of folders.
    pub folder_mode: Mode,
    /// When everything was changed last, unless an entry says otherwise: a date (`2016-05-09`), a date and a time
    /// (`2016-05-09T11:20:00Z`), an age at the device's first start (`400d`), or `boot`; each with what was drawn in braces,
    /// and with `+ 12d` or `- 3h` behind it.
    pub modified: When,
    /// What names are like.
    pub names: Naming,
    /// In which order folders are listed.
    pub order: Order,
    /// How large folders say they are, in bytes.
    pub folder_size: u32,
    /// Users of the device and their numbers. Those of `[accounts]` are known besides.
    pub users: BTreeMap<String, u32>,
    /// Groups of the device and their numbers.
    pub groups: BTreeMap<String, u32>,
    /// What actors make.
    pub new: NewSettings,
    /// How much actors may leave.
    pub quota: QuotaSettings,
    /// Parts of the tree with space of their own, by where they begin: `/` is everything else.
    pub volumes: BTreeMap<String, VolumeSettings>,
    /// Files, folders and links by their absolute paths. A path that ends in `/` is a folder. A path of the folder `files/`
    /// is given other facts here.
    #[schemars(with = "BTreeMap<String, EntrySettings>")]
    pub entries: BTreeMap<Spanned<String>, EntrySettings>,
}

impl Default for FilesSettings {
    fn default() -> Self {
        Self {
            owner: "0".to_owned(),
            group: "0".to_owned(),
            mode: Mode(0o644),
            folder_mode: Mode(0o755),
            modified: When::from("400d"),
            names: Naming::default(),
            order: Order::default(),
            folder_size: 4096,
            users: BTreeMap::from([("root".to_owned(), 0)]),
            groups: BTreeMap::from([("root".to_owned(), 0)]),
            new: NewSettings::default(),
            quota: QuotaSettings::default(),
            volumes: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }
}

/// The lower twelve bits of a POSIX mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "u16")]
#[schemars(with = "u16", extend("maximum" = 0o7777))]
pub struct Mode(pub u16);

impl TryFrom<u16> for Mode {
    type Error = &'static str;
    fn try_from(mode: u16) -> Result<Self, &'static str> {
        let valid = mode <= 0o7777;
        valid.then_some(Self(mode)).ok_or("a mode is 0o7777 at most; write it in octal, as 0o644")
    }
}

/// The `new` table: whose are files that actors make, and their modes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct NewSettings {
    /// Whose they are; without it, the actor's.
    pub owner: Option<String>,
    /// Their group; without it, the actor's.
    pub group: Option<String>,
    /// The mode of files; without it, that of the others.
    pub mode: Option<Mode>,
    /// The mode of folders; without it, that of the others.
    pub folder_mode: Option<Mode>,
}

/// The `quota` table: how much actors may leave. It is honeyplant's own protection; what the device says of its space is in
/// `volumes`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaSettings {
    /// How large a file may become.
    pub file: Size,
    /// How much one actor may leave.
    pub actor: Size,
    /// How much all actors may leave; when it is full, what the one left who was there least recently is dropped.
    pub device: Size,
    /// How many files, folders and links one actor may make.
    pub nodes: u16,
    /// How many actors find what they left; the one who was there least recently gives way.
    #[schemars(range(min = 1))]
    pub actors: u16,
}

impl Default for QuotaSettings {
    fn default() -> Self {
        let Quota { file, actor, device, .. } = Quota::default();
        Self { file: Size(file), actor: Size(actor), device: Size(device), nodes: 1000, actors: 256 }
    }
}

/// A volume: a part of the tree with space of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VolumeSettings {
    /// How much it holds.
    pub size: Size,
    /// How much of it the device itself has taken, besides the files that can be seen.
    #[serde(default)]
    pub taken: Option<Size>,
    /// Whether nothing can be changed on it.
    #[serde(default)]
    pub read_only: bool,
    /// Whether what was changed is gone after a restart of the device.
    #[serde(default)]
    pub volatile: bool,
}

/// A file, folder or link.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EntrySettings {
    /// What is in the file. `{name}` is what was drawn for `name`.
    pub text: Option<String>,
    /// The same in hexadecimal digits; blanks are passed over.
    pub hex: Option<String>,
    /// How large the file is. What `text` or `hex` leave of it is drawn, another for every install.
    pub size: Option<Size>,
    /// With which octets, in hexadecimal digits, `size` fills the file instead, over and over.
    pub fill: Option<String>,
    /// Whether `{name}` in a file of the folder `files/` is what was drawn for `name`.
    pub drawn: bool,
    /// Where it leads, if it is a link.
    pub link: Option<String>,
    /// Whose it is.
    pub owner: Option<String>,
    /// Its group.
    pub group: Option<String>,
    /// Its mode.
    pub mode: Option<Mode>,
    /// When it was changed last.
    pub modified: Option<When>,
}

impl QuotaSettings {
    pub(super) fn settle(&self) -> Quota {
        Quota {
            file: self.file.0,
            actor: self.actor.0,
            device: self.device.0,
            nodes: self.nodes.into(),
            actors: usize::from(self.actors).max(1),
        }
    }
}
