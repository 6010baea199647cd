//! Every kind of event in a sentence, as an operator reads it. Apart, because the catalogue is a contract and words are not.

use super::{Access, Address, BlockAct, BlockHeader, FileAccess, Kind, Operation, Verdict};
use crate::device::Device;
use std::fmt;

impl Kind {
    /// The kind in a sentence without its subject, as an operator reads it. `name` tells the name of a tag.
    pub fn sentence(&self, f: &mut impl fmt::Write, device: Option<&Device>) -> fmt::Result {
        match self {
            Self::Started { devices, mended } => {
                write!(f, "the site began to run with {}", counted(*devices as u64, "device"))?;
                if mended.is_empty() { Ok(()) } else { write!(f, "; {mended}") }
            }
            Self::Stopped => write!(f, "the site ended as it was told to"),
            Self::Faulted { device, why, .. } => write!(f, "the CPU of {device} stopped: {why}"),
            Self::Opened => write!(f, "connected"),
            Self::Exchange => write!(f, "exchanged a message"),
            Self::Unsupported(operation) | Self::Identify(operation) | Self::Diagnose(operation) => {
                write!(f, "asked: {operation}")
            }
            Self::Command(operation, _) => write!(f, "commanded: {operation}"),
            Self::Read(operation, access, values) => {
                write!(f, "read {access}")?;
                operation.unit(f)?;
                access.names(f, device)?;
                if !values.is_empty() {
                    write!(f, ": {values}")?;
                }
                write!(f, "{}", operation.verdict)
            }
            Self::Write(operation, access, change) => {
                let tried = if operation.verdict == Verdict::Done { "wrote" } else { "tried to write" };
                write!(f, "{tried} {access}")?;
                operation.unit(f)?;
                access.names(f, device)?;
                write!(f, ": ")?;
                if !change.before.is_empty() {
                    write!(f, "{} -> ", change.before)?;
                }
                write!(f, "{}{}", change.after, operation.verdict)
            }
            Self::Login(operation, login) => {
                let tried = if operation.verdict == Verdict::Done { "logged in" } else { "tried to log in" };
                write!(f, "{tried}")?;
                login.user.iter().try_for_each(|user| write!(f, " as `{}`", user.escape_debug()))?;
                login.secret.iter().try_for_each(|secret| write!(f, " with `{}`", secret.escape_debug()))?;
                write!(f, "{}", operation.verdict)
            }
            Self::File(operation, access) => {
                let FileAccess { act, path, target, size, .. } = &**access;
                let tried = if operation.verdict == Verdict::Done { "" } else { "tried: " };
                write!(f, "{tried}{} {}", act.words(), path.escape_debug())?;
                target.iter().try_for_each(|target| write!(f, " to {}", target.escape_debug()))?;
                size.iter().try_for_each(|size| write!(f, " ({})", counted(*size, "byte")))?;
                write!(f, "{}", operation.verdict)
            }
            Self::Block(operation, access) => {
                let tried = if operation.verdict == Verdict::Done { "" } else { "tried: " };
                write!(f, "{tried}{} {}", access.act.words(), access.name.escape_debug())?;
                if let Some(header) = &access.header {
                    write!(f, " ({header})")?;
                }
                access.size.iter().try_for_each(|size| write!(f, ", {}", counted(*size, "byte")))?;
                write!(f, "{}", operation.verdict)
            }
            Self::Request(operation, request) => {
                write!(f, "requested {} {}", request.method.escape_debug(), request.target.escape_debug())?;
                if request.body > 0 {
                    write!(f, " with {}", counted(request.body, "byte"))?;
                }
                match (request.status, operation.verdict) {
                    (0, _) => Ok(()),
                    // The device's own mistake: its operator wants to know of what kind.
                    (500, Verdict::Refused { reason, .. }) => write!(f, ": 500, {reason}"),
                    (status, _) => write!(f, ": {status}"),
                }
            }
            Self::Relay(operation, target) => {
                write!(f, "wanted the device to connect to {target}{}", operation.verdict)
            }
            Self::Secured(encryption) => write!(f, "agreed on TLS {} with {}", encryption.version, encryption.cipher),
            Self::Unsecured { why, hello } => write!(f, "offered TLS {} and got none: {why}", hello.offered),
            Self::Stranger { peer } => {
                write!(f, "{peer} came to a port that was opened for another, and was turned away")
            }
            Self::Withheld { answers, bytes } => {
                let (answers, bytes) = (counted(*answers as u64, "answer"), counted(*bytes as u64, "byte"));
                write!(f, "got nothing for {answers} of {bytes}: the source is not proven")
            }
            Self::Discarded { digest, size, why } => {
                write!(f, "what was left ({}, SHA-256 {digest}) was not kept: {why}", counted(*size, "byte"))
            }
            Self::Malformed { why } => write!(f, "sent a broken message: {why}"),
            Self::Closed(ending) => write!(
                f,
                "ended after {} and {:.1} s: {}",
                counted(ending.exchanges, "message"),
                ending.lasted.as_secs_f64(),
                ending.reason.words()
            ),
        }
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

impl Operation {
    fn unit(&self, f: &mut impl fmt::Write) -> fmt::Result {
        self.unit.iter().try_for_each(|unit| write!(f, " of unit {unit}"))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        self.unit(f)?;
        write!(f, "{}", self.verdict)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => Ok(()),
            Self::Refused { code, reason } => write!(f, " (refused with {code}: {reason})"),
            Self::Silent { reason } => write!(f, " (not answered: {reason})"),
        }
    }
}

impl Access {
    fn names(&self, f: &mut impl fmt::Write, device: Option<&Device>) -> fmt::Result {
        let mut names = self.tags.iter().filter_map(|id| device?.tag_name(*id));
        if let Some(first) = names.next() {
            write!(f, " ({first}")?;
            names.try_for_each(|name| write!(f, ", {name}"))?;
            write!(f, ")")?;
        }
        Ok(())
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 4;
        let one = self.area.strip_suffix('s').unwrap_or(self.area);
        match (&self.address, self.count) {
            (Address::Number(first), 0 | 1) => write!(f, "{one} {first}"),
            (Address::Number(first), n) => {
                write!(f, "{} {first} to {}", self.area, u64::from(*first) + u64::from(n) - 1)
            }
            (Address::Names(names), _) => {
                write!(f, "{}", if names.len() < 2 { one } else { self.area })?;
                for (i, name) in names.iter().take(SHOWN).enumerate() {
                    write!(f, "{} {}", if i > 0 { "," } else { "" }, name.escape_debug())?;
                }
                match names.len().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
        }
    }
}

impl BlockAct {
    const fn words(self) -> &'static str {
        match self {
            Self::List => "listed blocks",
            Self::Inspect => "asked about block",
            Self::Upload => "uploaded block",
            Self::Download => "downloaded block",
            Self::Insert => "inserted block",
            Self::Delete => "deleted block",
        }
    }
}

/// What is not told is left out.
impl fmt::Display for BlockHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.language)?;
        for (what, text) in
            [("title", &self.title), ("by", &self.author), ("family", &self.family), ("version", &self.version)]
        {
            if !text.is_empty() {
                write!(f, ", {what} {}", text.escape_debug())?;
            }
        }
        if !self.code_changed.is_empty() {
            write!(f, ", changed {}", self.code_changed)?;
        }
        Ok(())
    }
}
