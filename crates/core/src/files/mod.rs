//! The files of a device. Apart, because FTP, TFTP, HTTP, shells and memory cards are all views on the same tree.

mod build;
mod bytes;
mod change;
pub mod listing;
mod node;
mod overlay;
mod path;
mod rules;
mod settings;
mod view;
mod when;
mod who;

pub use change::Place;
pub use overlay::Snapshot;
pub use path::{from_octets, resolve, split, to_octets};
pub use rules::{Naming, Order};
pub use settings::{EntrySettings, FilesSettings, Folder, Mode, NewSettings, QuotaSettings, VolumeSettings};
pub use view::{Space, View};
pub use when::When;
pub use who::{Access, ROOT, Rights, Who};

use crate::identity::Identity;
use node::{Meta, Node, Stamp};
use overlay::Overlays;
use rules::Rules;
use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The bytes of a file; a copy of them costs nothing.
pub type Content = Arc<Vec<u8>>;

/// The files of one device: a tree that all actors begin with, and what each of them made of it.
#[derive(Debug)]
pub struct Files {
    base: Arc<Node>,
    rules: Rules,
    overlays: Mutex<Overlays>,
}

/// When something was made that the device was delivered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated(Stamp);

/// Facts of a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is.
    pub kind: Kind,
    /// How many bytes it has; for a link, those of its target's path.
    pub size: u64,
    /// The name of its owner.
    pub owner: Box<str>,
    /// The name of its group.
    pub group: Box<str>,
    /// The number of its owner.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// Its mode: the lower twelve bits of POSIX.
    pub mode: u16,
    /// When its bytes changed last, as all times since 1970.
    pub modified: Duration,
    /// When it was used last, as far as the device writes that down.
    pub accessed: Duration,
    /// When its facts changed last.
    pub changed: Duration,
    /// How many names it has.
    pub links: u32,
    /// Its number.
    pub inode: u64,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    File,
    /// Names.
    Folder,
    /// Another path.
    Link(Box<str>),
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such file or folder.
    Missing,
    /// It exists already.
    Exists,
    /// A folder was expected.
    NotFolder,
    /// A file was expected.
    IsFolder,
    /// The folder is not empty.
    NotEmpty,
    /// This user may not.
    Denied,
    /// There is no room left.
    Full,
    /// The file would be larger than any file may be.
    TooLarge,
    /// Nothing can be called that.
    BadName,
    /// Links lead in a circle.
    Loop,
    /// Nothing can be changed there.
    ReadOnly,
    /// It is where a volume begins.
    Busy,
    /// The other path is on another volume.
    OtherVolume,
    /// It cannot be done with these two paths, such as moving a folder into itself.
    Invalid,
}

impl Refusal {
    /// The refusal in the words of the record, which are those of POSIX.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "no such file or directory",
            Self::Exists => "file exists",
            Self::NotFolder => "not a directory",
            Self::IsFolder => "is a directory",
            Self::NotEmpty => "directory not empty",
            Self::Denied => "permission denied",
            Self::Full => "no space left on device",
            Self::TooLarge => "file too large",
            Self::BadName => "invalid file name",
            Self::Loop => "too many levels of symbolic links",
            Self::ReadOnly => "read-only file system",
            Self::Busy => "device or resource busy",
            Self::OtherVolume => "cross-device link",
            Self::Invalid => "invalid argument",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl Files {
    /// The files as the actor at `source` finds them, for the length of one message. `now` is the device's clock. One view
    /// at a time: whoever holds one and asks for another waits for ever.
    pub fn of<'a>(&'a self, source: IpAddr, who: &'a Who, now: Duration) -> View<'a> {
        View::new(self, self.overlays(), actor(source), who, now)
    }

    /// What the actor at `source` finds now, to be put back with [`Files::restore`].
    pub fn snapshot(&self, source: IpAddr) -> Snapshot {
        Snapshot(self.overlays().get(actor(source)).cloned())
    }

    /// The actor at `source` finds what a snapshot holds.
    pub fn restore(&self, source: IpAddr, snapshot: &Snapshot) {
        self.overlays().put(actor(source), snapshot.0.clone(), &self.rules);
    }

    /// The actor at `source` finds what the profile says.
    pub fn reset(&self, source: IpAddr) {
        self.overlays().put(actor(source), None, &self.rules);
    }

    /// The time that `when` is for what lies at `path` and is no file, such as a page: it is as old as the files are. The
    /// error says why it is no time.
    pub fn date(&self, when: &When, identity: &Identity, path: &str) -> Result<Dated, String> {
        when.settle(identity, self.rules.seed, path).map(Dated)
    }

    /// That time, since 1970.
    pub fn time(&self, dated: Dated) -> Duration {
        dated.0.resolve(self.overlays().epochs)
    }

    /// The device was first started at `born`, by its own clock.
    pub(crate) fn born(&self, born: Duration) {
        self.overlays().epochs.born = born;
    }

    /// The device boots: volatile volumes are as the profile says.
    pub(crate) fn boot(&self, clock: Duration) {
        let mut overlays = self.overlays();
        overlays.epochs.boot = clock;
        overlays.forget(&self.base, &self.rules);
    }

    /// The name of a user; its digits if it has none.
    pub fn user_name(&self, uid: u32) -> Cow<'_, str> {
        self.rules.users.name(uid)
    }

    /// The name of a group; its digits if it has none.
    pub fn group_name(&self, gid: u32) -> Cow<'_, str> {
        self.rules.groups.name(gid)
    }

    /// The number of a user, by name or in digits.
    pub fn user(&self, name: &str) -> Option<u32> {
        self.rules.users.number(name)
    }

    /// The number of a group, by name or in digits.
    pub fn group(&self, name: &str) -> Option<u32> {
        self.rules.groups.number(name)
    }

    fn overlays(&self) -> MutexGuard<'_, Overlays> {
        self.overlays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Files {
    fn default() -> Self {
        let time = Stamp::Age(Duration::ZERO);
        let meta = Meta { uid: 0, gid: 0, mode: 0o755, modified: time, accessed: time, changed: time, inode: 0 };
        Self { base: Arc::new(Node::folder(meta)), rules: Rules::default(), overlays: Mutex::default() }
    }
}

/// The one who acts behind an address: of IPv6, whoever has the subnet.
pub(crate) fn actor(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}
