//! The blocks of the program: listed, described, taken and brought. Apart, because they are loaded, read and deleted as
//! wholes.
//!
//! What an actor brings becomes part of the directory and, if it is a data block, of the memory. Its code is kept and
//! recorded but not executed: the device runs its own program.

mod build;
mod code;
mod directory;
mod download;
mod header;
mod inspect;
mod name;
mod program;
mod settings;
mod stamp;
mod system;
mod transfer;
mod upload;

pub(super) use directory::Memory;
pub(super) use download::{answered, end, request_download, wake};
pub(super) use inspect::{info, list, list_of_type};
pub(super) use name::{File, Name};
pub(super) use program::{delete, insert};
pub(super) use settings::Settings;
pub(super) use transfer::Transfers;
pub(super) use upload::{end_upload, start_upload, upload};

use header::{Block, Header};
use honeyplant_core::event::{BlockAccess, BlockAct, BlockHeader, Kind, Operation, Verdict};

/// Error codes of block functions: class and code, as Wireshark's S7comm dissector names them.
pub(super) mod error {
    /// Insufficient memory.
    pub(in crate::s7comm) const NO_MEMORY: u16 = 0x8301;
    /// No further parallel upload.
    pub(in crate::s7comm) const NO_RESOURCE: u16 = 0x8304;
    /// A service that does not belong here in the sequence.
    pub(in crate::s7comm) const SEQUENCE: u16 = 0x8401;
    /// The addressed object is in no state for the service.
    pub(in crate::s7comm) const STATE: u16 = 0x8402;
    /// The function cannot be performed.
    pub(in crate::s7comm) const IMPOSSIBLE: u16 = 0x8404;
    /// The service was cancelled.
    pub(in crate::s7comm) const CANCELLED: u16 = 0x8503;
    /// The function is not permitted in this mode.
    pub(in crate::s7comm) const MODE: u16 = 0xD081;
    /// A syntax error in the name of a block.
    pub(in crate::s7comm) const NAME: u16 = 0xD201;
    /// A syntax error in the parameters.
    pub(in crate::s7comm) const PARAMETERS: u16 = 0xD202;
    /// A block was not found.
    pub(in crate::s7comm) const NOT_FOUND: u16 = 0xD209;
    /// There is no priority class for this organization block.
    pub(in crate::s7comm) const NO_PRIORITY_CLASS: u16 = 0xD20C;
    /// No (further) block is available.
    pub(in crate::s7comm) const NONE: u16 = 0xD20E;
    /// The block is too long for this CPU.
    pub(in crate::s7comm) const TOO_LONG: u16 = 0xD20F;
    /// The number of the block is not allowed.
    pub(in crate::s7comm) const NUMBER: u16 = 0xD210;
    /// Active or passive is wrong.
    pub(in crate::s7comm) const ATTRIBUTE: u16 = 0xD218;
    /// The lengths of a block are wrong.
    pub(in crate::s7comm) const LENGTHS: u16 = 0xD219;
    /// The structure of a block is wrong.
    pub(in crate::s7comm) const STRUCTURE: u16 = 0xD230;
    /// The level of protection does not allow it.
    pub(in crate::s7comm) const PROTECTED: u16 = 0xD241;

    /// The error in words.
    pub(in crate::s7comm) const fn words(code: u16) -> &'static str {
        match code {
            NO_MEMORY => "there is not enough memory",
            NO_RESOURCE => "too many transfers are under way",
            SEQUENCE => "the service does not belong here in the sequence",
            STATE => "the object is in no state for the service",
            IMPOSSIBLE => "the function cannot be performed",
            CANCELLED => "the service ended before all was carried",
            MODE => "the function is not permitted in this mode",
            NAME => "the name of the block is wrong",
            PARAMETERS => "the parameters are wrong",
            NOT_FOUND => "the block was not found",
            NO_PRIORITY_CLASS => "there is no priority class for this organization block",
            NONE => "no block is available",
            TOO_LONG => "the block is too long",
            NUMBER => "the number of the block is not allowed",
            ATTRIBUTE => "active or passive is wrong",
            LENGTHS => "the lengths of the block are wrong",
            STRUCTURE => "the structure of the block is wrong",
            PROTECTED => "the level of protection does not allow it",
            _ => "an error",
        }
    }
}

/// A refusal, for the record.
pub(super) const fn refused(code: u16) -> Verdict {
    Verdict::Refused { code, reason: error::words(code) }
}

/// The verdict of what was done or refused.
pub(super) fn verdict<T>(result: &Result<T, u16>) -> Verdict {
    result.as_ref().map_or_else(|code| refused(*code), |_| Verdict::Done)
}

/// What is recorded of a block.
pub(super) fn told(name: &'static str, code: u16, verdict: Verdict, access: BlockAccess) -> Kind {
    Kind::Block(Operation { name, code, unit: None, verdict }, Box::new(access))
}

/// What was done with which block, and what the block tells of itself.
pub(super) fn access(act: BlockAct, name: Option<Name>, octets: Option<&[u8]>) -> BlockAccess {
    let name = name.map_or_else(|| "?".into(), |name| name.to_string().into());
    BlockAccess { act, name, header: octets.and_then(facts), ..BlockAccess::default() }
}

/// The error for a block that is not there: an organization block may also be one that the CPU cannot have.
fn missing(name: Name, otherwise: u16) -> u16 {
    download::may_be(name).err().filter(|code| *code == error::NO_PRIORITY_CLASS).unwrap_or(otherwise)
}

/// What octets tell of themselves as a block, as far as they are one.
fn facts(octets: &[u8]) -> Option<BlockHeader> {
    let whole = Block::parse(octets).map(|block| block.facts());
    whole.or_else(|_| Header::parse(octets).map(|header| header.facts())).ok()
}
