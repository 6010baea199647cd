//! A conversation with all that it sees and wishes. Apart, because streams and datagrams let it speak in the same way.

use honeyplant_core::{
    conversation::{Context, Conversation, Outcome},
    event::Session,
    random::Random,
};
use std::{
    hash::{BuildHasher, RandomState},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio::time::Instant;

/// The conversation, with all that it sees and wishes.
pub(crate) struct Speaker {
    /// None after it panicked, and after its end.
    conversation: Option<Box<dyn Conversation>>,
    pub(crate) session: Arc<Session>,
    pub(crate) random: Random,
    pub(crate) outcome: Outcome,
}

impl Speaker {
    pub(crate) fn new(conversation: Box<dyn Conversation>, session: Arc<Session>) -> Self {
        // Keyed anew by the system, so that an actor cannot tell one session's chance from another's.
        let random = Random::seeded(RandomState::new().hash_one(session.id));
        let outcome = Outcome { events: Vec::with_capacity(1), ..Outcome::default() };
        Self { conversation: Some(conversation), session, random, outcome }
    }

    /// Lets the conversation speak; `None` if it panicked, after which it is not spoken to again.
    pub(crate) fn say<T>(
        &mut self,
        now: Instant,
        out: &mut Vec<u8>,
        speak: impl FnOnce(&mut dyn Conversation, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let Self { conversation, session, random, outcome } = self;
        let mut cx = Context { now: now.into_std(), session, random, out, outcome };
        let speaking = conversation.as_deref_mut()?;
        let said = catch_unwind(AssertUnwindSafe(|| speak(speaking, &mut cx)));
        if said.is_err() {
            *conversation = None;
        }
        said.ok()
    }

    /// Lets it speak for the last time.
    pub(crate) fn end(&mut self, now: Instant, out: &mut Vec<u8>) {
        let _ = self.say(now, out, |conversation, cx| conversation.end(cx));
        self.conversation = None;
    }
}
