//! What is to be answered, before it is written. Apart, because pages say what, and the server says how: in which order,
//! spelling and framing, and which part of it.

use honeyplant_core::{artefact::Digest, event::Kind, files::Content};
use std::{sync::Arc, time::Duration};

/// The answer to a request. Made with `..Answer::default()`; to HEAD, it is the one that GET would get.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The reason phrase, if it is not the server's own for the status.
    pub(super) reason: Option<Arc<str>>,
    /// The value of `Content-Type`.
    pub(super) media: Option<Arc<str>>,
    /// Header fields of a route, in order. Those that stand in the server's list take their place there; the others come
    /// where the list has room for them. Fields of framing, date and validators are not among them.
    pub(super) fields: Arc<[Field]>,
    /// Fields that only this answer has, such as `Location` or `Set-Cookie`, likewise.
    pub(super) more: Vec<Field>,
    pub(super) body: Content,
    pub(super) framing: Framing,
    /// When the content was last modified, counted from 1970: makes requests conditional.
    pub(super) modified: Option<Duration>,
    /// The entity tag with its quotes, likewise.
    pub(super) tag: Option<Arc<str>>,
    /// Whether parts of the content can be asked for (RFC 9110 §14).
    pub(super) ranges: bool,
    /// How long the answer takes, if it is not as long as the server has for all: chosen between the two.
    pub(super) delay: Option<(Duration, Duration)>,
    /// Whether the connection ends with it, whatever the peer asks for.
    pub(super) close: bool,
    /// The body of the request was kept under this name.
    pub(super) digest: Option<Digest>,
    /// Why the server failed, in the words of the record, if it did.
    pub(super) failure: Option<&'static str>,
    /// What else happened, to be recorded behind the request.
    pub(super) kinds: Vec<Kind>,
    /// With 401: whoever asks is to log in as this realm has it (basic or digest, as the server's `login` says).
    pub(super) realm: Option<Arc<str>>,
}

/// A header field: name and value.
pub(super) type Field = (Box<str>, Box<str>);

/// How the end of a body is told (RFC 9112 §6).
#[derive(Clone, Debug, Default)]
pub(super) enum Framing {
    /// By its length.
    #[default]
    Length,
    /// In chunks of these sizes, what is left in one more; then these trailers.
    Chunked { sizes: Arc<[usize]>, trailers: Arc<[Field]> },
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            status: 200,
            reason: None,
            media: None,
            fields: Arc::default(),
            more: Vec::new(),
            body: Content::default(),
            framing: Framing::Length,
            modified: None,
            tag: None,
            ranges: false,
            delay: None,
            close: false,
            digest: None,
            failure: None,
            kinds: Vec::new(),
            realm: None,
        }
    }
}
