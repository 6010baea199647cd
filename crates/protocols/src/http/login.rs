//! How people log in: what they are challenged with, and what they answer. RFC 7617 (2015), RFC 7616 (2015) with RFC 2617
//! (1999), RFC 6265 (2011). Apart, because accounts are the device's, and only how they are asked for is HTTP's.

use super::{
    settings::{Algorithm, LoginKind},
    store::Store,
    wire::Request,
};
use honeyplant_core::{
    accounts::{Account, Admission, Attempt},
    conversation::Context,
    event::{Kind, Login as Told, Operation, Verdict},
    files::from_octets,
    identity::{Grammar, Identity},
    random::Random,
};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The name that accounts have the service under.
pub(super) const SERVICE: &str = "http";

/// How people log in to one device.
pub(super) struct Login {
    pub(super) kind: LoginKind,
    pub(super) realm: Box<str>,
    pub(super) algorithm: Algorithm,
    pub(super) qop: bool,
    pub(super) opaque: Box<str>,
    pub(super) charset: Option<Box<str>>,
    /// The challenge, with `{realm}` and its like in it.
    pub(super) challenge: Option<Box<str>>,
    pub(super) nonce: Form,
    pub(super) token: Form,
    pub(super) cookie: Box<str>,
    pub(super) attributes: Box<str>,
    pub(super) nonces: Mutex<Store<u64>>,
    pub(super) sessions: Mutex<Store<Arc<Account>>>,
}

/// The form of what is drawn anew each time.
#[derive(Debug, Default)]
pub(super) struct Form {
    grammar: Grammar,
    identity: Identity,
}

/// What the header fields of a request show.
#[derive(Debug)]
pub(super) enum Shown {
    /// Nothing, or nothing that is taken here.
    Nothing,
    /// They are this one.
    Somebody(Arc<Account>),
    /// They know the secret, but what they were challenged with is not good any more.
    Stale,
    /// Nobody who is let in.
    Nobody,
}

impl Form {
    /// Reads a form; the error says what is wrong with it.
    pub(super) fn parse(text: &str, identity: &Identity) -> Result<Self, String> {
        let keys = BTreeMap::from([("it".to_owned(), honeyplant_core::identity::Draw::Grammar(text.to_owned()))]);
        let form = Self { grammar: Grammar { together: Vec::new(), keys }, identity: identity.clone() };
        let mut drawn = Identity::default();
        form.grammar.draw(&mut drawn, &form.identity, 1).map(|()| form)
    }

    /// Draws one.
    pub(super) fn draw(&self, random: &mut Random) -> String {
        let mut drawn = Identity::default();
        // It was drawn from once, when it was read.
        let _ = self.grammar.draw(&mut drawn, &self.identity, random.bits());
        drawn.0.remove("it").unwrap_or_default()
    }
}

impl Login {
    /// What the peer is to answer to log in to a realm.
    pub(super) fn challenge(&self, realm: &str, stale: bool, cx: &mut Context<'_>) -> String {
        let algorithm = self.algorithm.name();
        let nonce = match self.kind {
            LoginKind::Digest => {
                let nonce = self.nonce.draw(cx.random);
                lock(&self.nonces).insert(nonce.as_str().into(), 0, cx.now);
                nonce
            }
            LoginKind::Basic | LoginKind::Form => String::new(),
        };
        if let Some(words) = &self.challenge {
            let stale = if stale { "TRUE" } else { "FALSE" };
            let values = [
                ("{realm}", realm),
                ("{nonce}", &nonce),
                ("{opaque}", &self.opaque),
                ("{algorithm}", algorithm),
                ("{stale}", stale),
            ];
            return values.iter().fold(words.to_string(), |words, (name, value)| words.replace(name, value));
        }
        let realm = realm.replace(['"', '\\'], "");
        let mut challenge = match self.kind {
            LoginKind::Digest => format!("Digest realm=\"{realm}\", nonce=\"{nonce}\""),
            LoginKind::Basic | LoginKind::Form => format!("Basic realm=\"{realm}\""),
        };
        // Writing to a string cannot fail.
        let _ = match (self.kind, &self.charset) {
            (LoginKind::Basic, Some(charset)) => write!(challenge, ", charset=\"{charset}\""),
            (LoginKind::Digest, _) => {
                let qop = if self.qop { ", qop=\"auth\"" } else { "" };
                write!(challenge, ", algorithm={algorithm}{qop}")
            }
            _ => Ok(()),
        };
        if self.kind == LoginKind::Digest && !self.opaque.is_empty() {
            let _ = write!(challenge, ", opaque=\"{}\"", self.opaque);
        }
        if stale {
            challenge.push_str(", stale=true");
        }
        challenge
    }

    /// Who the peer shows to be in the field `Authorization`. Every try is recorded; `before` is who they were last.
    pub(super) fn shown(&self, request: &Request<'_>, before: Option<&Arc<Account>>, cx: &mut Context<'_>) -> Shown {
        let Some(value) = request.field("authorization") else { return Shown::Nothing };
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
        let rest = rest.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"basic") {
            let octets = base64(rest).unwrap_or_default();
            let text = from_octets(&octets);
            let (user, secret) = text.split_once(':').unwrap_or((&text, ""));
            if self.kind != LoginKind::Basic {
                return unwanted("basic", user, Some(secret), cx);
            }
            return self.admit("basic", user, secret, true, before, cx);
        }
        if scheme.eq_ignore_ascii_case(b"digest") {
            let fields = Fields::parse(&from_octets(rest));
            if self.kind != LoginKind::Digest {
                return unwanted("digest", fields.get("username"), None, cx);
            }
            return self.digest(request, &fields, before, cx);
        }
        unwanted("other", &from_octets(value), None, cx)
    }

    fn digest(
        &self,
        request: &Request<'_>,
        fields: &Fields,
        before: Option<&Arc<Account>>,
        cx: &mut Context<'_>,
    ) -> Shown {
        let user = fields.get("username");
        let accounts = cx.session.device.accounts();
        let proven = |secret: &&str| {
            *fields.get("uri") == *from_octets(request.target)
                && self.response(request, fields, secret) == fields.get("response")
        };
        let mut known = accounts.of(SERVICE).filter(|account| *account.name == *user);
        let secret = known.find_map(|account| account.secret.known().filter(proven).map(str::to_owned));
        let count = u64::from_str_radix(fields.get("nc"), 16).unwrap_or_default();
        let fresh = lock(&self.nonces).get(fields.get("nonce"), cx.now).is_some_and(|used| {
            // A count that does not grow is somebody else who repeats what was heard (RFC 7616 §3.4).
            let grows = count > *used || fields.get("qop").is_empty();
            *used = count.max(*used);
            grows
        });
        match secret {
            Some(_) if !fresh => {
                let told = Told { user: Some(user.into()), secret: None };
                cx.record(Kind::Login(refused("digest", "the nonce is not good any more"), Box::new(told)));
                Shown::Stale
            }
            Some(secret) => self.admit("digest", user, &secret, true, before, cx),
            // Whoever is let in with any secret is let in with one that cannot be seen.
            None => self.admit("digest", user, "\u{0}", false, before, cx),
        }
    }

    /// The response that whoever knows `secret` gives (RFC 7616 §3.4.1).
    fn response(&self, request: &Request<'_>, fields: &Fields, secret: &str) -> String {
        let hash = |text: String| self.algorithm.hash(text.as_bytes());
        let (nonce, cnonce) = (fields.get("nonce"), fields.get("cnonce"));
        let mut a1 = hash(format!("{}:{}:{secret}", fields.get("username"), fields.get("realm")));
        if fields.get("algorithm").to_ascii_lowercase().ends_with("-sess") {
            a1 = hash(format!("{a1}:{nonce}:{cnonce}"));
        }
        let a2 = hash(format!("{}:{}", from_octets(request.spelling), fields.get("uri")));
        match fields.get("qop") {
            "" => hash(format!("{a1}:{nonce}:{a2}")),
            qop => hash(format!("{a1}:{nonce}:{}:{cnonce}:{qop}:{a2}", fields.get("nc"))),
        }
    }

    fn admit(
        &self,
        name: &'static str,
        user: &str,
        secret: &str,
        is_told: bool,
        before: Option<&Arc<Account>>,
        cx: &mut Context<'_>,
    ) -> Shown {
        let (admission, operation) = attempt(name, user, secret, cx);
        // Whoever shows the same with each request has logged in once.
        let again = |account: &Arc<Account>| before.is_some_and(|before| before == account);
        let told = Told { user: Some(user.into()), secret: is_told.then(|| secret.into()) };
        match admission {
            Admission::Granted(account) => {
                if !again(&account) {
                    cx.record(Kind::Login(operation, Box::new(told)));
                }
                Shown::Somebody(account)
            }
            Admission::Refused | Admission::LockedOut => {
                cx.record(Kind::Login(operation, Box::new(told)));
                Shown::Nobody
            }
        }
    }

    /// Whose session the cookie of a request holds, and its token.
    pub(super) fn session(&self, request: &Request<'_>, now: Instant) -> Option<(Arc<Account>, Box<str>)> {
        let cookies = request.values("cookie").flat_map(|value| value.split(|byte| *byte == b';'));
        let is_ours = |cookie: &[u8]| {
            let token = cookie.trim_ascii().strip_prefix(self.cookie.as_bytes())?.strip_prefix(b"=")?;
            str::from_utf8(token).ok().map(Box::<str>::from)
        };
        let mut tokens = cookies.filter_map(is_ours);
        tokens.find_map(|token| Some((lock(&self.sessions).get(&token, now)?.clone(), token)))
    }

    /// Begins a session, and says what `Set-Cookie` holds.
    pub(super) fn begin(&self, account: &Arc<Account>, cx: &mut Context<'_>) -> Box<str> {
        let token = self.token.draw(cx.random);
        lock(&self.sessions).insert(token.as_str().into(), account.clone(), cx.now);
        self.set_cookie(&token, "")
    }

    /// Ends a session, and says what `Set-Cookie` holds.
    pub(super) fn end(&self, token: &str) -> Box<str> {
        lock(&self.sessions).remove(token);
        self.set_cookie("", "Max-Age=0")
    }

    fn set_cookie(&self, token: &str, more: &str) -> Box<str> {
        let mut value = format!("{}={token}", self.cookie);
        for attribute in [&*self.attributes, more].into_iter().filter(|attribute| !attribute.is_empty()) {
            value.push_str("; ");
            value.push_str(attribute);
        }
        value.into()
    }
}

/// Lets somebody in, or not, and says how that is recorded.
pub(super) fn attempt(name: &'static str, user: &str, secret: &str, cx: &Context<'_>) -> (Admission, Operation) {
    let attempt = Attempt { service: SERVICE, source: cx.session.peer.ip(), user, secret };
    let admission = cx.session.device.accounts().login(&attempt, cx.now);
    let operation = match admission {
        Admission::Granted(_) => Operation { name, code: 200, unit: None, verdict: Verdict::Done },
        Admission::Refused => refused(name, "login incorrect"),
        Admission::LockedOut => refused(name, "locked out"),
    };
    (admission, operation)
}

const fn refused(name: &'static str, reason: &'static str) -> Operation {
    Operation { name, code: 401, unit: None, verdict: Verdict::Refused { code: 401, reason } }
}

/// Somebody says who they are in a way that the server does not hear.
fn unwanted(name: &'static str, user: &str, secret: Option<&str>, cx: &mut Context<'_>) -> Shown {
    let told = Told { user: Some(user.into()), secret: secret.map(Into::into) };
    let verdict = Verdict::Silent { reason: "the server does not take this scheme" };
    cx.record(Kind::Login(Operation { name, code: 0, unit: None, verdict }, Box::new(told)));
    Shown::Nothing
}

fn lock<T>(store: &Mutex<T>) -> MutexGuard<'_, T> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, octets: &[u8]) -> String {
        let hex = |digest: &[u8]| digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        match self {
            Self::Md5 => hex(&Md5::digest(octets)),
            Self::Sha256 => hex(&Sha256::digest(octets)),
        }
    }
}

/// The parameters of a field, as `name=value` or `name="value"` (RFC 9110 §11.2).
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn parse(text: &str) -> Self {
        let (mut fields, mut rest) = (BTreeMap::new(), text);
        while let Some((name, after)) = rest.split_once('=') {
            let name = name.trim_matches([' ', '\t', ',']).to_ascii_lowercase();
            let after = after.trim_start();
            let value = if let Some(quoted) = after.strip_prefix('"') {
                let mut value = String::new();
                let mut characters = quoted.char_indices();
                rest = "";
                while let Some((at, character)) = characters.next() {
                    match character {
                        '"' => {
                            rest = quoted.get(at + 1..).unwrap_or_default();
                            break;
                        }
                        '\\' => value.extend(characters.next().map(|(_, character)| character)),
                        character => value.push(character),
                    }
                }
                value
            } else {
                let (value, after) = after.split_once(',').unwrap_or((after, ""));
                rest = after;
                value.trim().to_owned()
            };
            fields.entry(name).or_insert(value);
        }
        Self(fields)
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// The octets that a text of RFC 4648 §4 stands for.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let (mut octets, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.iter().take_while(|byte| **byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(six), count + 6);
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(octets)
}

/// How long the answers to challenges are good where nothing is said.
pub(super) const NONCE_LIFE: Duration = Duration::from_secs(300);
/// After which silence sessions end where nothing is said.
pub(super) const SESSION_LIFE: Duration = Duration::from_secs(30 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (text, octets) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(base64(text.as_bytes()).as_deref(), Some(octets.as_bytes()));
        }
        assert_eq!(base64(b"Zm9v!"), None);
    }

    #[test]
    fn parameters_are_quoted_or_not() {
        let fields = Fields::parse(r#"username="a \"b\", c", nc=00000001,QOP = auth, uri="/x,y=z""#);
        let get = |name| fields.get(name).to_owned();
        assert_eq!(
            [get("username"), get("nc"), get("qop"), get("uri"), get("no")],
            [r#"a "b", c"#, "00000001", "auth", "/x,y=z", ""]
        );
    }
}
