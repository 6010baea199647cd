//! Plays conversations from text.
