//! Passwords and levels of protection. Apart, because every function that changes blocks or the mode asks here. Values may
//! be read and written at every level: the CPUs leave that open for operator panels.

use super::{
    blocks::error::PARAMETERS,
    build::Desk,
    cpu::Cpu,
    peer::Peer,
    userdata::{self, Answer, UserData},
    wire,
};
use honeyplant_core::{
    accounts::{Admission, Attempt},
    conversation::Context,
    event::{Command, Kind, Login, Verdict},
};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// Passwords and levels of protection.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// 1: everybody may do everything. 2: who does not know the password may not change blocks nor the mode. 3: nor take
    /// blocks.
    #[schemars(with = "Option<u16>", range(min = 1, max = 3))]
    level: Option<Spanned<u16>>,
    /// The password, of at most 8 characters, with `{key}` for what was drawn. Without it, what `[accounts]` says of this
    /// service counts at the levels 2 and 3, and there is none at level 1.
    #[schemars(with = "Option<String>")]
    password: Option<Spanned<String>>,
}

/// How the CPU is protected.
#[derive(Debug)]
pub(super) struct Protection {
    /// The level that the settings of the CPU have.
    pub(super) level: u8,
    password: Option<Box<str>>,
}

impl Protection {
    /// What `settings`, which stand at `key`, describe.
    pub(super) fn build(settings: &Settings, key: &str, desk: &mut Desk<'_>) -> Self {
        let level = desk.between(settings.level.as_ref(), &format!("{key}.level"), 1, 1, 3) as u8;
        let password = settings.password.as_ref().map(|text| {
            let key = format!("{key}.password");
            let password = desk.text(text, &key);
            if password.len() > OCTETS || !password.is_ascii() {
                desk.problem(key, Some(text.span()), "a password has at most 8 ASCII characters");
            }
            password.trim_end().into()
        });
        Self { level, password }
    }

    /// Whether there is a password at all.
    pub(super) const fn has_password(&self) -> bool {
        self.password.is_some() || self.level > 1
    }
}

/// What a peer may do, by the password that it gave.
#[derive(Debug, Default)]
pub(super) struct Rights {
    legitimized: bool,
}

/// What the level of protection may forbid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Blocks are taken.
    Read,
    /// Blocks or the mode are changed.
    Write,
}

/// Whether the peer may do this.
pub(super) const fn allows(right: Right, peer: &Peer, cpu: &Cpu) -> bool {
    let open = match right {
        Right::Read => 2,
        Right::Write => 1,
    };
    peer.rights.legitimized || cpu.security.level <= open
}

/// The password is wrong.
const WRONG: u16 = 0xD602;
/// The connection has already been legitimized.
const LEGITIMIZED: u16 = 0xD603;
/// The connection has already been enabled.
const ENABLED: u16 = 0xD604;
/// There is no password.
const NONE: u16 = 0xD605;

/// Octets of a password.
const OCTETS: usize = 8;

/// Answers.
pub(super) fn answer(request: &UserData<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    match request.subfunction {
        1 => enter(request, peer, cpu, cx),
        2 => clear(request, peer, cpu, cx),
        _ => userdata::unavailable(request, cx),
    }
}

/// Takes a password.
fn enter(request: &UserData<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let secret = request.data.first_chunk().filter(|_| request.data.len() == OCTETS).map(|octets| clear_text(*octets));
    let result = match &secret {
        None => Err(PARAMETERS),
        Some(_) if !cpu.security.has_password() => Err(NONE),
        Some(_) if peer.rights.legitimized => Err(LEGITIMIZED),
        Some(secret) if is_right(secret, cpu, cx) => Ok(()),
        Some(_) => Err(WRONG),
    };
    peer.rights.legitimized |= result.is_ok();
    let operation = wire::operation("PLC password", request.code(), verdict(result));
    cx.record(Kind::Login(operation, Box::new(Login { user: None, secret: secret.map(Into::into) })));
    told(result)
}

fn is_right(secret: &str, cpu: &Cpu, cx: &Context<'_>) -> bool {
    match &cpu.security.password {
        Some(password) => **password == *secret,
        None => {
            let attempt = Attempt { service: "s7comm", source: cx.session.peer.ip(), user: "", secret };
            matches!(cx.device().accounts().login(&attempt, cx.now), Admission::Granted(_))
        }
    }
}

/// Takes back what a password allowed.
fn clear(request: &UserData<'_>, peer: &mut Peer, cpu: &Cpu, cx: &mut Context<'_>) -> Answer {
    let result = if peer.rights.legitimized {
        Ok(())
    } else if cpu.security.has_password() {
        Err(ENABLED)
    } else {
        Err(NONE)
    };
    peer.rights.legitimized = false;
    let operation = wire::operation("clear PLC password", request.code(), verdict(result));
    cx.record(Kind::Command(operation, Command::Cancel));
    told(result)
}

/// The answer has no data, whatever came of it.
fn told(result: Result<(), u16>) -> Answer {
    Answer::refused(result.err().unwrap_or_default())
}

fn verdict(result: Result<(), u16>) -> Verdict {
    match result {
        Ok(()) => Verdict::Done,
        Err(code) => Verdict::Refused {
            code,
            reason: match code {
                PARAMETERS => "the parameters are wrong",
                WRONG => "the password is wrong",
                LEGITIMIZED => "the connection has already been legitimized",
                ENABLED => "the connection has already been enabled",
                _ => "there is no password",
            },
        },
    }
}

/// The password as it was typed, without the blanks behind it. On the wire, each octet is exclusive-ored with 0x55 and with
/// what was sent two octets before.
fn clear_text(octets: [u8; OCTETS]) -> String {
    let earlier = [0, 0].into_iter().chain(octets);
    let text: String = octets.iter().zip(earlier).map(|(octet, before)| char::from(octet ^ before ^ 0x55)).collect();
    text.trim_end_matches([' ', '\0']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_step_7_sent_is_read() {
        assert_eq!(clear_text([0x21, 0x3A, 0x1B, 0x1D, 0x6E, 0x68, 0x1B, 0x1D]), "toor");
    }
}
