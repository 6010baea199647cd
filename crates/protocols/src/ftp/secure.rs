//! TLS on the control connection and on channels (RFC 2228, RFC 4217). Apart, because a session without it is the same.

use super::{
    control::{Control, Pause},
    replies::Say,
    settings::Tls,
    wire::{self, Verb},
};
use honeyplant_core::{
    conversation::{Context, Effect, Lane},
    event::Kind,
};

/// What is encrypted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Secure {
    /// The control connection.
    pub(super) line: bool,
    /// Whether PBSZ was said.
    buffer: bool,
    /// Whether channels are to be.
    pub(super) channels: bool,
}

impl Secure {
    /// Of a session at a port on which TLS begins at once. It was given up before RFC 4217, but many servers still have it;
    /// there all channels are encrypted unless the peer says otherwise.
    pub(super) const fn implicit() -> Self {
        Self { line: true, buffer: false, channels: true }
    }
}

impl Control {
    /// AUTH (RFC 4217 §4)
    pub(super) fn authenticate(&mut self, cx: &mut Context<'_>) {
        let mechanism = self.command.argument.to_ascii_uppercase();
        if self.secure.line {
            self.say(Say::SecureAlready, &[], cx);
            return;
        }
        // `SSL` and `TLS-P` are of the drafts before RFC 4217 and mean protected channels, too.
        self.secure.channels = match mechanism.as_str() {
            "TLS" | "TLS-C" => false,
            "SSL" | "TLS-P" => true,
            _ => {
                let operation = self.answer(Say::SecureUnknown, &[], cx);
                cx.record(Kind::Unsupported(operation));
                return;
            }
        };
        self.say(Say::Secure, &[], cx);
        self.forget();
        self.drop_channel(cx);
        self.pause = Some(Pause::Secure);
        cx.ask(Effect::Secure(Lane::Line));
    }

    /// PBSZ, PROT and CCC (RFC 2228 §3, RFC 4217 §8 and §9)
    pub(super) fn protect(&mut self, verb: Verb, cx: &mut Context<'_>) {
        let say = match (verb, self.secure.line, self.secure.buffer) {
            (_, false, _) => Say::SecureFirst,
            (Verb::Pbsz, true, _) if wire::number(self.command.argument.as_bytes()).is_none() => Say::Syntax,
            (Verb::Pbsz, true, _) => {
                self.secure.buffer = true;
                Say::Buffer
            }
            (Verb::Prot, true, false) => Say::BufferFirst,
            (Verb::Prot, true, true) => match self.command.argument.to_ascii_uppercase().as_str() {
                "P" => {
                    self.secure.channels = true;
                    Say::Protection
                }
                "C" if self.server.tls == Tls::Required => Say::ProtectionRefused,
                "C" => {
                    self.secure.channels = false;
                    Say::Protection
                }
                _ => Say::ProtectionRefused,
            },
            _ => Say::ClearRefused,
        };
        self.say(say, &[], cx);
    }

    /// Whether a transfer has to be refused because its channel would be in the clear.
    pub(super) fn is_too_clear(&self) -> bool {
        self.server.tls == Tls::Required && !self.secure.channels
    }
}
