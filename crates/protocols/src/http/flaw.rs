//! What can be wrong with a request. Apart, because servers differ in nothing more than in what they put up with, and each
//! flaw stands in a profile by its name.

macro_rules! flaws {
    ($($(#[$doc:meta])* $flaw:ident $name:literal $why:literal $usual:expr,)*) => {
        /// A way in which a request is none, or one that is not to be served.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Flaw { $($(#[$doc])* $flaw,)* }

        impl Flaw {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$flaw,)*];

            /// The key under which a profile says what becomes of it.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$flaw => $name,)* }
            }

            /// The rule that is broken, in the words of the record.
            pub(super) const fn why(self) -> &'static str {
                match self { $(Self::$flaw => $why,)* }
            }

            /// What becomes of it where nothing is said.
            pub(super) const fn usual(self) -> Treatment {
                match self { $(Self::$flaw => $usual,)* }
            }
        }
    };
}

use Treatment::{Close, Ignore, Status};

flaws! {
    /// RFC 9112 §2.2 lets a server pass over it.
    EmptyLine "empty-line" "an empty line before a request" Ignore,
    Tls "tls" "a TLS handshake on a port without TLS" Status(400),
    Preface "preface" "the preface of HTTP/2" Status(505),
    Protocol "protocol" "a request of another protocol" Status(400),
    Garbage "garbage" "a first line that is no request line" Status(400),
    /// A request of HTTP/0.9 (RFC 1945 §4.1).
    Simple "simple" "a request without a version" Status(400),
    /// One of any method but GET has no meaning.
    Version "version" "a version that is not written as one" Status(400),
    Future "future" "a version that is not served" Status(505),
    Target "target" "octets that no target has" Status(400),
    Encoding "encoding" "percent-encoding that encodes nothing" Status(400),
    AboveRoot "above-root" "a path that leads above the root" Status(400),
    LongLine "long-line" "a request line longer than the server takes" Status(414),
    LongFields "long-fields" "header fields longer than the server takes" Status(431),
    ManyFields "many-fields" "more header fields than the server takes" Status(431),
    BareLf "bare-lf" "a line that ends with LF alone" Ignore,
    Folded "folded" "a header field that goes on in another line" Status(400),
    Field "field" "a header field without a name" Status(400),
    SpaceBeforeColon "space-before-colon" "a blank between a field's name and its colon" Status(400),
    Value "value" "octets that no field value has" Status(400),
    NoHost "no-host" "no Host, which HTTP/1.1 asks for" Status(400),
    ManyHosts "many-hosts" "more than one Host" Status(400),
    Coding "coding" "a transfer coding that is not served" Status(501),
    Length "length" "a Content-Length that is no number" Status(400),
    Lengths "lengths" "lengths that contradict each other" Status(400),
    LengthAndCoding "length-and-coding" "both a length and a transfer coding" Status(400),
    NoLength "no-length" "content without a length" Status(411),
    Large "large" "content larger than the server takes" Status(413),
    Chunk "chunk" "chunks that are none" Status(400),
    Expectation "expectation" "an expectation that is not met" Status(417),
    UnknownMethod "unknown-method" "unknown method" Status(501),
    RefusedMethod "refused-method" "method not allowed" Status(405),
    Late "late" "the request was not finished in time" Status(408),
    /// More requests than wait for delayed answers.
    Flooded "flooded" "more requests at once than the server takes" Close,
}

/// What becomes of a flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It is put up with.
    Ignore,
    /// This status.
    Status(u16),
    /// The page of this status without a status line and header fields.
    Bare(u16),
    /// The connection ends without a word.
    Close,
}

impl Flaw {
    /// Whether it can be put up with: what has no end, or means nothing, cannot.
    pub(super) const fn is_bearable(self) -> bool {
        !matches!(
            self,
            Self::Tls
                | Self::Garbage
                | Self::LongLine
                | Self::LongFields
                | Self::ManyFields
                | Self::Large
                | Self::Chunk
                | Self::Coding
                | Self::UnknownMethod
                | Self::RefusedMethod
                | Self::Late
                | Self::Flooded
        )
    }

    /// Whether it is worth a word in the record though it is put up with.
    pub(super) const fn is_odd(self) -> bool {
        !matches!(self, Self::EmptyLine | Self::Simple | Self::NoHost | Self::NoLength | Self::BareLf)
    }
}

/// Some of the flaws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flaws(u64);

impl Flaws {
    pub(super) const fn insert(&mut self, flaw: Flaw) {
        self.0 |= 1 << flaw as u64;
    }

    pub(super) const fn contains(self, flaw: Flaw) -> bool {
        self.0 & (1 << flaw as u64) != 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Flaw> {
        Flaw::ALL.iter().copied().filter(move |flaw| self.contains(*flaw))
    }
}
