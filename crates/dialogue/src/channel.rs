//! What a conversation asks of its driver, and what comes of it in a dialogue. Apart, because a dialogue says when, and the
//! fuzzer does not.

use crate::script::{Step, shown};
use honeyplant_core::conversation::{Effect, News};
use std::collections::VecDeque;

/// The port at which a channel is waited for, unless the device asks for another.
const PORT: u16 = 49_152;

/// The channel of a conversation, and what else it asked for.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    /// What was asked for and has not come to pass yet.
    pub(crate) asked: VecDeque<Effect>,
    /// What was sent over the channel and not looked at yet.
    pub(crate) carried: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    None,
    Awaited,
    Open,
}

impl Channel {
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// What comes of what was asked for, whatever it was.
    pub(crate) fn grant(&mut self) -> Option<News<'static>> {
        if self.state == State::Awaited {
            self.state = State::Open;
            return Some(News::Connected);
        }
        loop {
            return Some(match self.asked.pop_front()? {
                Effect::Listen { ports } => {
                    self.state = State::Awaited;
                    News::Listening(ports.map_or(PORT, |(first, _)| first))
                }
                Effect::Dial { .. } => {
                    self.state = State::Open;
                    News::Connected
                }
                Effect::Secure(lane) => News::Secured(lane),
                Effect::Send(_) => News::Sent,
                Effect::Finish => {
                    self.state = State::None;
                    News::Closed
                }
                Effect::Abandon => {
                    self.state = State::None;
                    continue;
                }
            });
        }
    }

    /// What comes of what was asked for, if it was what the dialogue says.
    pub(crate) fn take(&mut self, step: &Step) -> Result<Option<News<'static>>, String> {
        let mut next = || self.asked.pop_front().ok_or("the device asked for nothing".to_owned());
        match step {
            Step::Connect => return Ok(Some(News::Connected)),
            Step::End => return Ok(Some(News::Ended)),
            Step::Fail => return Ok(Some(News::Failed("the channel broke"))),
            Step::Closed if !self.carried.is_empty() => {
                return Err(format!("before, the device sent {}", shown(&self.carried)));
            }
            _ => {}
        }
        match (step, next()?) {
            (Step::Listen, Effect::Listen { ports }) => {
                Ok(Some(News::Listening(ports.map_or(PORT, |(first, _)| first))))
            }
            (Step::Dial(wanted), Effect::Dial { port }) if port == *wanted => Ok(None),
            (Step::Closed, Effect::Finish) => Ok(Some(News::Closed)),
            (Step::Abandoned, Effect::Abandon) => Ok(None),
            (Step::Secure(wanted), Effect::Secure(lane)) if lane == *wanted => Ok(Some(News::Secured(lane))),
            (_, other) => Err(format!("the device asked for {other:?}")),
        }
    }

    /// Takes the next bytes that are to be sent, if there are any.
    pub(crate) fn carry(&mut self) -> bool {
        let Some(Effect::Send(_)) = self.asked.front() else { return false };
        let Some(Effect::Send(mut bytes)) = self.asked.pop_front() else { return false };
        self.carried.append(&mut bytes);
        true
    }

    /// Nothing may be left that no dialogue spoke of.
    pub(crate) fn finish(&self) -> Result<(), String> {
        match self.asked.front() {
            Some(effect) => Err(format!("the device asked for {effect:?}, of which nothing is said")),
            None if self.carried.is_empty() => Ok(()),
            None => Err(format!("the device also sent {} over the channel", shown(&self.carried))),
        }
    }
}
