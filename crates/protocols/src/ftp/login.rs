//! Who the peer is (RFC 959 §4.1.1). Apart, because accounts are the device's, and only how they are asked for is FTP's.

use super::{
    control::{Control, Pause},
    replies::{Field, Say},
    settings::Tls,
    wire::Type,
};
use honeyplant_core::{
    accounts::{Account, Admission, Attempt},
    conversation::Context,
    event::{Kind, Login},
};
use std::{sync::Arc, time::Duration};

/// Who the peer is, as far as it has said and shown.
#[derive(Debug, Default)]
pub(super) struct Visitor {
    /// The name that is to be shown by a password next.
    named: Option<String>,
    pub(super) account: Option<Arc<Account>>,
    failures: u32,
}

impl Visitor {
    /// How far the login is, as STAT tells it.
    pub(super) fn told(&self) -> String {
        match (&self.account, &self.named) {
            (Some(account), _) => format!("Logged in as {}", account.name),
            (None, Some(_)) => "Waiting for password".to_owned(),
            (None, None) => "Waiting for user name".to_owned(),
        }
    }
}

/// The name that accounts have the service under.
const SERVICE: &str = "ftp";

impl Control {
    /// USER
    pub(super) fn user(&mut self, cx: &mut Context<'_>) {
        if self.server.tls == Tls::Required && !self.secure.line {
            self.say(Say::SecureLogin, &[], cx);
            return;
        }
        if self.login.account.is_some() && !self.server.another_user {
            self.say(Say::AnotherUser, &[], cx);
            return;
        }
        self.forget();
        let user = self.command.argument.clone();
        let accounts = cx.session.device.accounts();
        if !accounts.asks_secret(SERVICE, &user) {
            self.admit(&user, None, cx);
            return;
        }
        // RFC 1635 §3: how those without an account of their own log in.
        let guest = ["anonymous", "ftp"].iter().any(|name| name.eq_ignore_ascii_case(&user));
        let guest = guest && accounts.find(SERVICE, &user).is_some();
        self.say(if guest { Say::UserGuest } else { Say::User }, &[(Field::Name, &user)], cx);
        self.login.named = Some(user);
    }

    /// PASS
    pub(super) fn pass(&mut self, cx: &mut Context<'_>) {
        match self.login.named.take() {
            Some(user) => {
                let secret = self.command.argument.clone();
                self.admit(&user, Some(&secret), cx);
            }
            None => drop(self.say(Say::UserFirst, &[], cx)),
        }
    }

    /// REIN, for servers that have it
    pub(super) fn reinitialize(&mut self, cx: &mut Context<'_>) {
        if self.say(Say::Reset, &[], cx) < 400 {
            self.forget();
            self.drop_channel(cx);
            (self.kind, self.only_extended_passive) = (Type::Ascii, false);
        }
    }

    /// Nobody is logged in any more.
    pub(super) fn forget(&mut self) {
        (self.login.named, self.login.account, self.rename, self.restart) = (None, None, None, 0);
    }

    /// Lets somebody in, or not, with the secret that was asked for.
    fn admit(&mut self, user: &str, secret: Option<&str>, cx: &mut Context<'_>) {
        let told = Login { user: Some(user.into()), secret: secret.map(Into::into) };
        let secret = secret.unwrap_or_default();
        let attempt = Attempt { service: SERVICE, source: cx.session.peer.ip(), user, secret };
        let say = match cx.session.device.accounts().login(&attempt, cx.now) {
            Admission::Granted(account) => {
                self.folder = self.server.start_folder.clone().unwrap_or_else(|| account.home.to_string());
                (self.login.account, self.login.failures) = (Some(account), 0);
                let operation = self.answer(Say::LoggedIn, &[], cx);
                cx.record(Kind::Login(operation, Box::new(told)));
                return;
            }
            Admission::Refused => Say::LoginFailed,
            Admission::LockedOut => Say::LockedOut,
        };
        self.login.failures = self.login.failures.saturating_add(1);
        let operation = self.operation(self.server.code(say), say.reason());
        cx.record(Kind::Login(operation, Box::new(told)));
        match cx.now.checked_add(self.server.login_delay) {
            Some(at) if self.server.login_delay > Duration::ZERO => self.pause = Some(Pause::Login(at, say)),
            _ => self.fail_login(say, cx),
        }
    }

    /// Says that a login failed, and hangs up when that was once too often.
    pub(super) fn fail_login(&mut self, say: Say, cx: &mut Context<'_>) {
        self.say(say, &[], cx);
        if self.server.attempts.is_some_and(|most| self.login.failures >= most) {
            self.say(Say::TooManyFailures, &[], cx);
            self.close(cx);
        }
    }
}
