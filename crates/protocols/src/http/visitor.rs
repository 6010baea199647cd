//! Whoever asks, as far as they have shown. Apart, because pages differ by it, and let people in by a form.

use super::{login, server::Server};
use honeyplant_core::{
    accounts::{Account, Admission},
    conversation::Context,
    event::{Kind, Login},
};
use std::sync::Arc;

/// Whoever asks.
pub(super) struct Visitor<'a> {
    /// As whom they are logged in: by the header fields of the request or by a cookie.
    pub(super) account: Option<Arc<Account>>,
    /// The value of the cookie that holds their session, if it is one that goes on.
    pub(super) session: Option<Box<str>>,
    pub(super) server: &'a Server,
}

/// What came of a form that was to log somebody in. The attempt is recorded already.
#[derive(Debug)]
pub(super) enum Entry {
    /// They are in; the value of `Set-Cookie` to answer with.
    Granted(Arc<Account>, Box<str>),
    Refused,
    LockedOut,
}

impl Visitor<'_> {
    /// Lets somebody in by what they put into a form, or not.
    pub(super) fn enter(&self, user: &str, secret: &str, cx: &mut Context<'_>) -> Entry {
        let (admission, operation) = login::attempt("form", user, secret, cx);
        let told = Login { user: Some(user.into()), secret: Some(secret.into()) };
        cx.record(Kind::Login(operation, Box::new(told)));
        match admission {
            Admission::Granted(account) => {
                let cookie = self.server.login.begin(&account, cx);
                Entry::Granted(account, cookie)
            }
            Admission::Refused => Entry::Refused,
            Admission::LockedOut => Entry::LockedOut,
        }
    }

    /// Ends their session, if they have one; the value of `Set-Cookie` to answer with.
    pub(super) fn leave(&self) -> Option<Box<str>> {
        self.session.as_ref().map(|token| self.server.login.end(token))
    }
}
