//! Where and how the data connection comes about (RFC 959 §3.2, RFC 2428, RFC 1579). Apart, because transfers do not care.

use super::{
    control::{Control, Pause},
    replies::{Field, Say},
    wire::{self, Verb, Wrong},
};
use honeyplant_core::{
    conversation::{Context, Effect, Lane, News},
    event::Kind,
};
use std::net::{IpAddr, SocketAddr};

/// The data connection.
#[derive(Debug, Default)]
pub(super) enum Channel {
    /// Nothing was said of it.
    #[default]
    None,
    /// The peer is waited for.
    Passive,
    /// The peer waits at this port.
    Active(u16),
    /// The peer is called.
    Dialled,
    /// It is there.
    Open {
        /// Whether what was to be encrypted is.
        ready: bool,
        /// What came before any command asked for it.
        early: Vec<u8>,
        /// Whether nothing more comes.
        ended: bool,
    },
}

/// How much may come before a command asks for it.
const EARLY: usize = 256 * 1024;

impl Control {
    /// PORT
    pub(super) fn port(&mut self, cx: &mut Context<'_>) {
        match wire::host_port(self.command.argument.as_bytes()) {
            Some(target) => self.point(target, Say::Port, cx),
            None => {
                cx.record(Kind::Malformed { why: "PORT without six numbers" });
                self.say(Say::PortSyntax, &[], cx);
            }
        }
    }

    /// EPRT
    pub(super) fn extended_port(&mut self, cx: &mut Context<'_>) {
        match wire::extended_port(self.command.argument.as_bytes()) {
            Ok(target) => self.point(target, Say::ExtendedPort, cx),
            Err(Wrong::Protocol) => self.lack(Say::Family, cx),
            Err(Wrong::Syntax) => {
                cx.record(Kind::Malformed { why: "EPRT without a protocol, an address and a port" });
                self.say(Say::PortSyntax, &[], cx);
            }
        }
    }

    fn point(&mut self, target: SocketAddr, say: Say, cx: &mut Context<'_>) {
        if self.only_extended_passive {
            self.say(Say::OnlyExtendedPassive, &[], cx);
            return;
        }
        // Anybody else, and services with a name of their own, would be bounced to (RFC 2577 §3).
        let reason = if target.ip().to_canonical() != cx.session.peer.ip().to_canonical() {
            Some(Say::PortRefused.reason())
        } else {
            (target.port() < 1024).then_some("a port below 1024")
        };
        if let Some(reason) = reason {
            let code = self.say(Say::PortRefused, &[], cx);
            cx.record(Kind::Relay(self.operation(code, reason), target));
            return;
        }
        self.drop_channel(cx);
        self.channel = Channel::Active(target.port());
        self.say(say, &[], cx);
    }

    /// PASV
    pub(super) fn passive(&mut self, cx: &mut Context<'_>) {
        if self.only_extended_passive {
            self.say(Say::OnlyExtendedPassive, &[], cx);
        } else if cx.session.local.ip().to_canonical().is_ipv6() {
            // Its answer has no room for such an address.
            self.say(Say::PassiveFailed, &[], cx);
        } else {
            self.open_port(Verb::Pasv, cx);
        }
    }

    /// EPSV (RFC 2428 §3)
    pub(super) fn extended_passive(&mut self, cx: &mut Context<'_>) {
        let family = if cx.session.local.ip().to_canonical().is_ipv4() { "1" } else { "2" };
        match self.command.argument.trim().to_ascii_uppercase().as_str() {
            "ALL" => {
                self.only_extended_passive = true;
                self.say(Say::ExtendedPassiveAll, &[], cx);
            }
            wanted if wanted.is_empty() || wanted == family => self.open_port(Verb::Epsv, cx),
            _ => self.lack(Say::Family, cx),
        }
    }

    fn open_port(&mut self, verb: Verb, cx: &mut Context<'_>) {
        self.drop_channel(cx);
        self.pause = Some(Pause::Port(verb));
        cx.ask(Effect::Listen { ports: self.server.passive_ports });
    }

    /// Gives up the data connection, if there is any.
    pub(super) fn drop_channel(&mut self, cx: &mut Context<'_>) {
        match std::mem::take(&mut self.channel) {
            Channel::None | Channel::Active(_) => {}
            Channel::Passive | Channel::Dialled | Channel::Open { .. } => cx.ask(Effect::Abandon),
        }
    }

    /// Deals with what came of what was asked of the driver.
    pub(super) fn hear(&mut self, news: News<'_>, cx: &mut Context<'_>) {
        match news {
            News::Listening(port) => self.tell_port(port, cx),
            News::Connected => {
                if matches!(self.channel, Channel::Passive | Channel::Dialled) {
                    // Whoever encrypts begins at once, or when it hears that the transfer begins; both are met.
                    let ready = !self.secure.channels;
                    self.channel = Channel::Open { ready, early: Vec::new(), ended: false };
                    if self.transfer.is_some() {
                        self.announce(cx);
                    }
                    if !ready {
                        cx.ask(Effect::Secure(Lane::Channel));
                    }
                    self.proceed(cx);
                }
            }
            News::Secured(Lane::Line) => {
                if self.pause == Some(Pause::Secure) {
                    (self.pause, self.secure.line) = (None, true);
                }
            }
            News::Secured(Lane::Channel) => {
                if let Channel::Open { ready, .. } = &mut self.channel {
                    *ready = true;
                    self.proceed(cx);
                }
            }
            News::Received(bytes) => self.receive_data(bytes, cx),
            News::Sent => self.send_more(cx),
            News::Ended => {
                if let Channel::Open { ended, .. } = &mut self.channel {
                    *ended = true;
                    self.proceed(cx);
                }
            }
            News::Closed => self.finish(cx),
            News::Failed(_) if self.pause == Some(Pause::Secure) => self.close(cx),
            News::Failed(_) if matches!(self.pause, Some(Pause::Port(_))) => {
                self.pause = None;
                self.say(Say::PassiveFailed, &[], cx);
            }
            News::Failed(_) => {
                self.channel = Channel::None;
                self.lose(cx);
            }
        }
    }

    fn tell_port(&mut self, port: u16, cx: &mut Context<'_>) {
        let Some(Pause::Port(verb)) = self.pause else { return };
        (self.pause, self.channel) = (None, Channel::Passive);
        let say = if verb == Verb::Epsv { Say::ExtendedPassive } else { Say::Passive };
        let own = match cx.session.local.ip().to_canonical() {
            IpAddr::V4(own) => own.octets(),
            IpAddr::V6(_) => [0; 4],
        };
        let [a, b, c, d] = self.server.passive_address.map_or(own, |address| address.octets());
        let [high, low] = port.to_be_bytes();
        let address = format!("{a},{b},{c},{d},{high},{low}");
        self.say(say, &[(Field::Address, &address), (Field::Port, &port.to_string())], cx);
    }

    /// Keeps what came before any command asked for it; too much of it ends the channel.
    pub(super) fn keep_early(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        if let Channel::Open { early, .. } = &mut self.channel {
            if early.len() + bytes.len() <= EARLY {
                early.extend_from_slice(bytes);
            } else {
                cx.record(Kind::Malformed { why: "more over the data connection than a command asked for" });
                self.drop_channel(cx);
                self.lose(cx);
            }
        }
    }
}
