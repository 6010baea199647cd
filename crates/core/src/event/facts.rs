//! What a login, a file, a block, a request to a web server and an encryption were about. Apart from the catalogue, because
//! each is spoken of by the protocols that have it and by nobody else.

use crate::artefact::Digest;

/// Who somebody said they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name, if the protocol asks for one.
    pub user: Option<Box<str>>,
    /// The secret, as far as it was told: a password or a community; none if it was only proven to be known.
    pub secret: Option<Box<str>>,
}

/// What was done with a file or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAccess {
    /// What.
    pub act: FileAct,
    /// The absolute path on the device.
    pub path: Box<str>,
    /// The absolute path that it was to have afterwards, if it was to move.
    pub target: Option<Box<str>>,
    /// How many bytes were carried.
    pub size: Option<u64>,
    /// What the bytes are called in the store of artefacts, if an actor left them.
    pub digest: Option<Digest>,
}

/// What can be done with files and folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAct {
    /// A folder was listed or entered.
    List,
    /// Size, time or other facts were asked for.
    Inspect,
    /// A file was taken from the device.
    Download,
    /// A file was brought to the device.
    Upload,
    /// Something was made.
    Create,
    /// Something was deleted.
    Delete,
    /// Something was given another name or place.
    Rename,
    /// Facts were changed: a time, a mode, an owner.
    Change,
}

/// What was done with a block: a unit of a controller's program or data that is loaded and deleted as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockAccess {
    /// What.
    pub act: BlockAct,
    /// Which, as its makers call it, such as `DB 10`; of several, what they have in common, such as `DB`.
    pub name: Box<str>,
    /// What the block tells of itself, if it was carried or known.
    pub header: Option<BlockHeader>,
    /// How many bytes were carried.
    pub size: Option<u64>,
    /// What the bytes are called in the store of artefacts, if an actor brought them.
    pub digest: Option<Digest>,
}

/// What can be done with blocks. Controllers are downloaded to and uploaded from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockAct {
    /// It was asked which there are.
    #[default]
    List,
    /// What it tells of itself was asked for.
    Inspect,
    /// It was taken from the device.
    Upload,
    /// It was brought to the device.
    Download,
    /// What was brought was put to use.
    Insert,
    /// It was deleted.
    Delete,
}

/// What a block tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockHeader {
    /// The language that it was written in.
    pub language: Box<str>,
    /// Who wrote it, as they say.
    pub author: Box<str>,
    /// The family of blocks that it belongs to.
    pub family: Box<str>,
    /// Its name in words.
    pub title: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// Bytes of load memory that it takes.
    pub load_size: u32,
    /// Bytes of its code or data.
    pub body_size: u32,
    /// Bytes of local data that it needs.
    pub local_size: u32,
    /// When its code was changed last, as `YYYY-MM-DDTHH:MM:SS.mmm` by the clock of whoever did.
    pub code_changed: Box<str>,
    /// When its interface was changed last, alike.
    pub interface_changed: Box<str>,
}

/// What was asked of a web server. The method is the name of the operation, the status its code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, as it was spelled.
    pub method: Box<str>,
    /// The path and the query, as they were spelled.
    pub target: Box<str>,
    /// The version of HTTP, such as `1.1`.
    pub version: Box<str>,
    /// The status of the answer.
    pub status: u16,
    /// The header fields worth searching by: `Host`, `User-Agent`, `Referer` and `Content-Type`.
    pub host: Option<Box<str>>,
    /// What the peer says that it is.
    pub user_agent: Option<Box<str>>,
    /// Where the peer says that it comes from.
    pub referrer: Option<Box<str>>,
    /// What the body says that it is.
    pub content_type: Option<Box<str>>,
    /// How many bytes the body of the request had.
    pub body: u64,
    /// How many bytes the body of the answer had.
    pub sent: u64,
    /// What the body is called in the store of artefacts, if it was kept.
    pub digest: Option<Digest>,
}

/// How a session was encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// The version of TLS, such as `1.2`.
    pub version: &'static str,
    /// The name of the cipher suite, as IANA has it.
    pub cipher: Box<str>,
    /// What the peer had offered, if it could be told.
    pub hello: Option<Hello>,
}

/// What a peer says of itself when it wants to speak TLS: its ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The greatest version of TLS that it offers, such as `1.2`.
    pub offered: &'static str,
    /// The cipher suites that it offers, by their numbers, in its order.
    pub suites: Vec<u16>,
    /// The name of the server that it asks for.
    pub server_name: Option<Box<str>>,
    /// The protocols that it would speak inside (ALPN).
    pub protocols: Vec<Box<str>>,
    /// Its JA3 fingerprint: an MD5 in hexadecimal.
    pub ja3: Box<str>,
    /// Its JA4 fingerprint.
    pub ja4: Box<str>,
}

impl FileAct {
    /// The name of the act in `event.action`.
    pub const fn action(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Inspect => "inspect",
            Self::Download => "download",
            Self::Upload => "upload",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Rename => "rename",
            Self::Change => "change",
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::List => "listed",
            Self::Inspect => "asked about",
            Self::Download => "downloaded",
            Self::Upload => "uploaded",
            Self::Create => "made",
            Self::Delete => "deleted",
            Self::Rename => "renamed",
            Self::Change => "changed the facts of",
        }
    }
}

impl BlockAct {
    /// The name of the act in `event.action`.
    pub const fn action(self) -> &'static str {
        match self {
            Self::List => "list_blocks",
            Self::Inspect => "inspect_block",
            Self::Upload => "upload_block",
            Self::Download => "download_block",
            Self::Insert => "insert_block",
            Self::Delete => "delete_block",
        }
    }
}
