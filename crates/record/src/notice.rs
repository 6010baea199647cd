//! What the record has to tell the operator while it runs. Apart, because the journal, its followers and whoever shows
//! it agree here.

use crate::reader::Gap;
use std::{fmt, sync::Arc};

/// Something about the record that an operator should know. Each is told once, when it begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The journal cannot be written; it is tried again and again, and nothing is lost.
    Failing {
        /// What the system says.
        why: String,
    },
    /// The journal can be written again.
    Writing,
    /// What is folded in memory cannot be written down beside the journal.
    Unsheltered {
        /// What the system says.
        why: String,
    },
    /// The journal has reached its size, and what is oldest is still needed by a sink: the site stops reading.
    Full {
        /// The sink that is behind.
        sink: String,
    },
    /// There is room in the journal again.
    Room,
    /// What is too old could not be deleted.
    Undeleted {
        /// What the system says.
        why: String,
    },
    /// A sink does not take what it is given; it is tried again and again.
    SinkFailing {
        /// The name of the sink.
        sink: String,
        /// What it says.
        why: String,
    },
    /// A sink takes what it is given again.
    SinkWorking {
        /// The name of the sink.
        sink: String,
    },
    /// A sink came too late for some events.
    Missed {
        /// The name of the sink.
        sink: String,
        /// The events that it will not see.
        gap: Gap,
    },
    /// A file that tells where addresses are was replaced by one that cannot be used.
    Unmapped {
        /// Which, and why.
        why: String,
    },
    /// The cursor of a sink is of another journal; it starts at the beginning of this one.
    Rewound {
        /// The name of the sink.
        sink: String,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failing { why } => {
                write!(f, "the journal cannot be written ({why}); nothing is lost, and it is tried again until it can")
            }
            Self::Writing => write!(f, "the journal is written again"),
            Self::Unsheltered { why } => write!(
                f,
                "equal events that are held in memory for up to a second cannot be written beside the journal ({why}); \
                 a killed process would lose them"
            ),
            Self::Full { sink } => write!(
                f,
                "the journal has reached `keep-size` and the sink {sink} still needs its oldest segment; nothing more \
                 is read from peers until it has caught up"
            ),
            Self::Room => write!(f, "there is room in the journal again"),
            Self::Undeleted { why } => write!(f, "an old segment of the journal cannot be deleted: {why}"),
            Self::SinkFailing { sink, why } => write!(f, "the sink {sink} fails and is tried again: {why}"),
            Self::SinkWorking { sink } => write!(f, "the sink {sink} works again"),
            Self::Missed { sink, gap } => write!(f, "the sink {sink} came too late for {gap}"),
            Self::Unmapped { why } => write!(f, "{why}"),
            Self::Rewound { sink } => {
                write!(f, "the cursor of the sink {sink} is beyond the end of the journal; it starts anew")
            }
        }
    }
}

/// Where notices go.
#[derive(Clone)]
pub(crate) struct Notices(Arc<dyn Fn(Notice) + Send + Sync>);

impl Notices {
    pub(crate) fn new(tell: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, notice: Notice) {
        (self.0)(notice);
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notices")
    }
}
