//! Counters, the event log and listen-only mode: AP §6.8 to §6.10. Apart, because they belong to the line and outlive
//! a conversation.

use super::wire::{Diagnostic, Exception};
use std::collections::VecDeque;

/// The line that all units hang on.
#[derive(Debug)]
pub(super) struct Bus {
    /// How many messages were seen, whoever they were for.
    messages: u16,
    lines: Vec<Line>,
}

/// What one unit knows of the line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The bus messages seen when the counters were cleared.
    cleared: u16,
    exceptions: u16,
    received: u16,
    unanswered: u16,
    /// The comm event counter: how many messages were completed well.
    completed: u16,
    /// The most recent event first.
    log: VecDeque<u8>,
    listens_only: bool,
    register: u16,
}

/// How a message was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    One,
    All,
}

/// AP §6.10 bounds the log.
const LOG: usize = 64;

impl Bus {
    /// A line with units, each of which has this diagnostic register.
    pub(super) fn new(registers: impl IntoIterator<Item = u16>) -> Self {
        let line = |register| Line { register, ..Line::default() };
        Self { messages: 0, lines: registers.into_iter().map(line).collect() }
    }

    /// A message comes along.
    pub(super) const fn message(&mut self) {
        self.messages = self.messages.wrapping_add(1);
    }

    /// What the unit `index` knows, and the count of messages.
    pub(super) fn line(&mut self, index: usize) -> Option<(&mut Line, u16)> {
        self.lines.get_mut(index).map(|line| (line, self.messages))
    }
}

impl Line {
    /// Whether the unit is in listen-only mode.
    pub(super) const fn listens_only(&self) -> bool {
        self.listens_only
    }

    /// A message for this unit is about to be dealt with (AP §6.10: "Remote device MODBUS Receive Event").
    pub(super) fn receive(&mut self, cast: Cast) {
        self.received = self.received.wrapping_add(1);
        let all = if cast == Cast::All { 0x40 } else { 0 };
        self.note(0x80 | self.listening() | all);
    }

    /// The message has been dealt with (AP §6.10: "Remote device MODBUS Send Event").
    pub(super) fn send(&mut self, result: Result<(), Exception>, answered: bool, counts: bool) {
        let why = match result {
            Ok(()) => 0,
            Err(Exception::ServerDeviceFailure) => 2,
            Err(_) => 1,
        };
        self.exceptions = self.exceptions.wrapping_add(why.min(1).into());
        self.unanswered = self.unanswered.wrapping_add(u16::from(!answered));
        // AP §6.9: neither exceptions nor the fetching of the counter count.
        self.completed = self.completed.wrapping_add(u16::from(result.is_ok() && counts));
        self.note(0x40 | self.listening() | why);
    }

    /// Function 11: status word and event count.
    pub(super) const fn counter(&self) -> [u16; 2] {
        [0, self.completed]
    }

    /// Function 12: status word, event count, message count and events.
    pub(super) fn log(&self, messages: u16) -> ([u16; 3], impl Iterator<Item = u8>) {
        let counts = [0, self.completed, messages.wrapping_sub(self.cleared)];
        (counts, self.log.iter().copied())
    }

    /// Function 8: the data that is answered, if anything is. `messages` is the count of the bus.
    pub(super) fn diagnose<'a>(
        &mut self,
        sub: Diagnostic,
        data: &'a [u8],
        messages: u16,
    ) -> Result<Option<Answer<'a>>, Exception> {
        if sub == Diagnostic::ReturnQueryData {
            return Ok(Some(Answer::Echo(data)));
        }
        let word = data.as_array().map(|word| u16::from_be_bytes(*word)).ok_or(Exception::IllegalDataValue)?;
        let valid = match sub {
            Diagnostic::RestartCommunications => matches!(word, 0 | 0xFF00),
            Diagnostic::ChangeAsciiInputDelimiter => word & 0xFF == 0,
            _ => word == 0,
        };
        if !valid {
            return Err(Exception::IllegalDataValue);
        }
        let count = match sub {
            Diagnostic::RestartCommunications => {
                if word == 0xFF00 {
                    self.log.clear();
                }
                let was_listening = std::mem::take(&mut self.listens_only);
                self.clear(messages);
                self.note(0x00);
                return Ok((!was_listening).then_some(Answer::Echo(data)));
            }
            Diagnostic::ForceListenOnlyMode => {
                self.listens_only = true;
                self.note(0x04);
                return Ok(None);
            }
            Diagnostic::ClearCounters => {
                self.clear(messages);
                self.register = 0;
                return Ok(Some(Answer::Echo(data)));
            }
            Diagnostic::ReturnQueryData | Diagnostic::ChangeAsciiInputDelimiter | Diagnostic::ClearOverrunCounter => {
                return Ok(Some(Answer::Echo(data)));
            }
            Diagnostic::ReturnDiagnosticRegister => self.register,
            Diagnostic::ReturnBusMessageCount => messages.wrapping_sub(self.cleared),
            Diagnostic::ReturnBusExceptionErrorCount => self.exceptions,
            Diagnostic::ReturnServerMessageCount => self.received,
            Diagnostic::ReturnServerNoResponseCount => self.unanswered,
            // TCP neither damages characters nor overruns, and nothing here takes long.
            Diagnostic::ReturnBusCommunicationErrorCount
            | Diagnostic::ReturnServerNakCount
            | Diagnostic::ReturnServerBusyCount
            | Diagnostic::ReturnBusCharacterOverrunCount => 0,
        };
        Ok(Some(Answer::Count(count)))
    }

    const fn clear(&mut self, messages: u16) {
        self.cleared = messages;
        (self.exceptions, self.received, self.unanswered, self.completed) = (0, 0, 0, 0);
    }

    fn note(&mut self, event: u8) {
        self.log.truncate(LOG - 1);
        self.log.push_front(event);
    }

    /// The bit of an event that says that only listening was allowed.
    const fn listening(&self) -> u8 {
        if self.listens_only { 0x20 } else { 0 }
    }
}

/// The data of an answer to function 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer<'a> {
    /// What was sent.
    Echo(&'a [u8]),
    /// A register.
    Count(u16),
}
