//! Who acts on files, and what they may. Apart, because every service names its actor this way, and one rule decides.

use schemars::JsonSchema;
use serde::Deserialize;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The number of the user; 0 may do all.
    pub uid: u32,
    /// The number of the user's own group.
    pub gid: u32,
    /// Other groups that the user is in.
    pub groups: Vec<u32>,
    /// What the account allows at all.
    pub rights: Rights,
}

/// The device itself, for services that ask for no login.
pub static ROOT: Who = Who { uid: 0, gid: 0, groups: Vec::new(), rights: Rights::Admin };

/// What an account allows at all, whatever the modes of files say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rights {
    /// To look.
    Read,
    /// To look and to change.
    #[default]
    Write,
    /// Everything, as user number 0 may.
    Admin,
}

/// What somebody wants to do with a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read a file, or list a folder.
    Read,
    /// Write into a file, or make and remove what is in a folder.
    Write,
    /// Run a file, or reach what is in a folder.
    Execute,
}

impl Who {
    /// Whether all is allowed.
    pub(super) fn may_all(&self) -> bool {
        self.uid == 0 || self.rights == Rights::Admin
    }

    /// Whether they are in this group.
    pub(super) fn is_in(&self, group: u32) -> bool {
        self.gid == group || self.groups.contains(&group)
    }
}
