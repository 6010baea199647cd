//! A server made from its settings, laid over those of its dialect: every name is looked up, and all mistakes are told at
//! once. Apart, because nothing of it runs once a device does.

use super::{
    flaw::{Flaw, Flaws, Treatment},
    head::Head,
    login::{Form, Login, NONCE_LIFE, SESSION_LIFE},
    pages::Site,
    server::{Page, Persistence, Server},
    settings::{self, Algorithm, Delay, Dialect, LoginKind, Settings, Spoken, Treated},
    store::Store,
    wire::{Limits, Method, Rules},
};
use crate::shared::layers::{Layers, layer};
use honeyplant_core::{
    device::Device,
    settings::{Problem, Problems, Size},
};
use std::{collections::BTreeMap, ops::RangeInclusive, sync::Mutex, time::Duration};
use toml::Spanned;

/// The table over which every other one is laid.
const PLAIN: &str = include_str!("dialects/plain.toml");
/// How many nonces are remembered.
const NONCES: usize = 512;

impl Dialect {
    const fn text(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Goahead => include_str!("dialects/goahead.toml"),
            Self::Allegro => include_str!("dialects/allegro.toml"),
            Self::SiemensCp => include_str!("dialects/siemens-cp.toml"),
            Self::Schneider => include_str!("dialects/schneider.toml"),
            Self::Lighttpd => include_str!("dialects/lighttpd.toml"),
        }
    }
}

/// The server that `settings`, which stand at `key`, describe.
pub(super) fn server(settings: &Settings, key: &str, device: &Device) -> Result<Server, Problems> {
    let (plain, dialect): (Settings, Settings) = (layer(PLAIN, key)?, layer(settings.dialect.text(), key)?);
    let mut desk = Desk { layers: [settings, &dialect, &plain], key, device, problems: Problems::new() };
    let site = Site::build(&settings.routes, &settings.pages, key, device, &mut desk.problems);
    let server = desk.server(site);
    if desk.problems.is_empty() { Ok(server) } else { Err(desk.problems) }
}

type Desk<'a> = Layers<'a, Settings>;

type Fields<'a> = &'a Option<Vec<Spanned<(String, String)>>>;
type Texts<'a> = &'a Option<Vec<Spanned<String>>>;
type Text<'a> = &'a Option<Spanned<String>>;

impl<'a> Desk<'a> {
    fn text(&self, field: impl Fn(&'a Settings) -> &'a Option<String>) -> Box<str> {
        self.first(field).map_or("", String::as_str).into()
    }

    fn server(&mut self, site: Site) -> Server {
        let treatments = self.treatments();
        let mut ignored = Flaws::default();
        for (flaw, treatment) in Flaw::ALL.iter().zip(&treatments) {
            if *treatment == Treatment::Ignore {
                ignored.insert(*flaw);
            }
        }
        let methods = self.methods("methods", |s| &s.methods);
        let listed = methods.iter().map(|method| method.spelling()).collect::<Vec<_>>().join(", ");
        let head = self.head("headers", |s| &s.headers);
        let error_head = match self.layers.iter().find(|layer| layer.headers.is_some() || layer.error_headers.is_some())
        {
            Some(layer) if layer.error_headers.is_none() => self.head("headers", |s| &s.headers),
            _ => self.head("error-headers", |s| &s.error_headers),
        };
        let version = self.first(|s| &s.version).copied().unwrap_or(Spoken::New);
        Server {
            site,
            version,
            error_version: self.first(|s| &s.error_version).copied().unwrap_or(version),
            error_tail: self.text(|s| &s.error_tail),
            head,
            error_head,
            reasons: self.by_status("reasons", |s| &s.reasons, |text| text.as_str().into()),
            page: Page {
                text: self.page(),
                media: self.first(|s| &s.page_type).map_or("text/html", String::as_str).into(),
            },
            refused: self.methods("refused", |s| &s.refused).into_iter().collect(),
            methods: methods.into_iter().collect(),
            allow: self.first(|s| &s.allow).map_or(listed, String::clone).into(),
            options: self.is(|s| &s.options),
            rules: Rules { limits: self.limits(), ignored, any_case: self.is(|s| &s.any_case) },
            treatments,
            persistence: self.persistence(),
            delay: self.first(|s| &s.delay).map_or((Duration::ZERO, Duration::ZERO), |delay| delay.bounds()),
            delays: self.by_status("delays", |s| &s.delays, |delay: &Delay| delay.bounds()),
            expect: self.is(|s| &s.expect),
            ranges: self.is(|s| &s.ranges),
            conditional: self.is(|s| &s.conditional),
            login: self.login(),
        }
    }

    fn head(&mut self, field: &str, list: impl Fn(&'a Settings) -> Fields<'a>) -> Head {
        let mut head = Head::default();
        for (index, pair) in self.first(list).into_iter().flatten().enumerate() {
            let (name, value) = pair.get_ref();
            let field = format!("{field}[{index}]");
            let is_name = |byte: u8| byte > b' ' && byte < 127 && byte != b':';
            if name.is_empty() || !name.bytes().all(is_name) || value.contains(['\r', '\n']) {
                let problem = Problem::new("", format!("`{name}: {value}` is no header field"));
                self.problem(&field, pair.span(), problem);
            } else if let Err(problem) = head.push(name, value, self.device.identity()) {
                self.problem(&field, pair.span(), problem);
            }
        }
        head.finish()
    }

    /// What stands by status in the tables, an upper one's over a lower one's.
    fn by_status<T, U>(
        &mut self,
        field: &str,
        table: impl Fn(&'a Settings) -> &'a BTreeMap<Spanned<String>, T>,
        make: impl Fn(&'a T) -> U,
    ) -> BTreeMap<u16, U>
    where
        T: 'a,
    {
        let mut all = BTreeMap::new();
        for layer in self.layers.into_iter().rev() {
            for (status, value) in table(layer) {
                match status.get_ref().parse::<u16>().ok().filter(|status| is_status(*status)) {
                    Some(number) => drop(all.insert(number, make(value))),
                    None => {
                        let problem = Problem::new("", format!("`{}` is no status", status.get_ref()));
                        let problem = problem.hint("write it as 404");
                        self.problem(&format!("{field}.{}", status.get_ref()), status.span(), problem);
                    }
                }
            }
        }
        all
    }

    fn methods(&mut self, field: &str, list: impl Fn(&'a Settings) -> Texts<'a>) -> Vec<Method> {
        let mut methods = Vec::new();
        for (index, name) in self.first(list).into_iter().flatten().enumerate() {
            match Method::parse(name.get_ref().as_bytes(), false) {
                Method::Other => {
                    let known = Method::ALL.iter().map(|method| method.spelling());
                    let problem = Problem::unknown("", "method", name.get_ref(), known);
                    self.problem(&format!("{field}[{index}]"), name.span(), problem);
                }
                method => methods.push(method),
            }
        }
        methods
    }

    fn treatments(&mut self) -> Vec<Treatment> {
        for layer in self.layers {
            for name in layer.errors.keys() {
                if Flaw::ALL.iter().all(|flaw| flaw.name() != name.get_ref()) {
                    let known = Flaw::ALL.iter().map(|flaw| flaw.name());
                    let problem = Problem::unknown("", "flaw", name.get_ref(), known);
                    self.problem(&format!("errors.{}", name.get_ref()), name.span(), problem);
                }
            }
        }
        Flaw::ALL.iter().map(|flaw| self.treated(*flaw)).collect()
    }

    fn treated(&mut self, flaw: Flaw) -> Treatment {
        let Some(treated) = self.layers.iter().find_map(|layer| layer.errors.get(flaw.name())) else {
            return flaw.usual();
        };
        let treatment = match treated.get_ref() {
            Treated::Status(status) if is_status(*status) => Some(Treatment::Status(*status)),
            Treated::Status(_) => None,
            Treated::Word(word) => match word.split_once(' ').unwrap_or((word, "400")) {
                ("ignore", _) => Some(Treatment::Ignore),
                ("close", _) => Some(Treatment::Close),
                ("bare", status) => {
                    let status = status.parse().ok().filter(|status| is_status(*status));
                    status.map(Treatment::Bare)
                }
                _ => None,
            },
        };
        let (field, span) = (format!("errors.{}", flaw.name()), treated.span());
        match treatment {
            None => {
                let problem = Problem::new("", "this is a status, `ignore`, `close`, `bare`, or `bare` and a status");
                self.problem(&field, span, problem);
            }
            Some(Treatment::Ignore) if !flaw.is_bearable() => {
                let problem = Problem::new("", format!("nobody can put up with {}", flaw.why()));
                self.problem(&field, span, problem.hint("give a status, or `close`"));
            }
            Some(treatment) => return treatment,
        }
        flaw.usual()
    }

    fn limits(&mut self) -> Limits {
        let line = self.limit("line", |limits| &limits.line, 64..=64 * 1024);
        let head = self.limit("head", |limits| &limits.head, 128..=256 * 1024);
        let body = self.limit("body", |limits| &limits.body, 0..=64 * 1024 * 1024);
        let fields = self.layers.iter().find_map(|layer| layer.limits.fields).unwrap_or(100);
        Limits { line: line as usize, head: head.max(line) as usize, fields: fields.into(), body: body as usize }
    }

    fn limit(
        &mut self,
        field: &str,
        size: impl Fn(&'a settings::Limits) -> &'a Option<Spanned<Size>>,
        bounds: RangeInclusive<u64>,
    ) -> u64 {
        let Some(found) = self.layers.iter().find_map(|layer| size(&layer.limits).as_ref()) else {
            return *bounds.end();
        };
        let Size(size) = *found.get_ref();
        if !bounds.contains(&size) {
            let problem = format!("this is a size of {} to {} octets", bounds.start(), bounds.end());
            self.problem(&format!("limits.{field}"), found.span(), Problem::new("", problem));
        }
        size
    }

    fn persistence(&self) -> Persistence {
        Persistence {
            requests: self.first(|s| &s.keep_alive.requests).copied().unwrap_or(1),
            idle: self.first(|s| &s.keep_alive.idle).map(|period| period.0),
            request: self.first(|s| &s.keep_alive.request).map(|period| period.0),
            old: self.is(|s| &s.keep_alive.old),
            always: self.is(|s| &s.keep_alive.always),
            word: self.text(|s| &s.keep_alive.word),
            parameters: self.first(|s| &s.keep_alive.parameters).map(|text| text.as_str().into()),
        }
    }

    fn login(&mut self) -> Login {
        let life = |period: Option<&honeyplant_core::settings::Period>, usual| period.map_or(usual, |period| period.0);
        let nonce_life = life(self.first(|s| &s.login.nonce_life), NONCE_LIFE);
        let session_life = life(self.first(|s| &s.login.session_life), SESSION_LIFE);
        let sessions = self.first(|s| &s.login.sessions).copied().unwrap_or(64).max(1);
        let mut challenge = None;
        if let Some(words) = self.first(|s| &s.login.challenge) {
            challenge = Some(words.get_ref().as_str().into());
        }
        Login {
            kind: self.first(|s| &s.login.kind).copied().unwrap_or(LoginKind::Form),
            realm: self.drawn("login.realm", |s| &s.login.realm),
            algorithm: self.first(|s| &s.login.algorithm).copied().unwrap_or(Algorithm::Md5),
            qop: self.is(|s| &s.login.qop),
            opaque: self.drawn("login.opaque", |s| &s.login.opaque),
            charset: self.first(|s| &s.login.charset).map(|text| text.as_str().into()),
            challenge,
            nonce: self.form("login.nonce", |s| &s.login.nonce),
            token: self.form("login.token", |s| &s.login.token),
            cookie: self.text(|s| &s.login.cookie),
            attributes: self.text(|s| &s.login.attributes),
            nonces: Mutex::new(Store::new(NONCES, nonce_life, false)),
            sessions: Mutex::new(Store::new(sessions.into(), session_life, true)),
        }
    }

    /// The server's own page, with what was drawn put in, and the rest left to be.
    fn page(&mut self) -> Box<str> {
        let Some(text) = self.first(|s| &s.page) else { return Box::default() };
        let mut whole = text.get_ref().clone();
        for (name, drawn) in &self.device.identity().0 {
            whole = whole.replace(&format!("{{{name}}}"), drawn);
        }
        whole.into()
    }

    fn drawn(&mut self, field: &str, text: impl Fn(&'a Settings) -> Text<'a>) -> Box<str> {
        let Some(text) = self.first(text) else { return Box::default() };
        self.device.identity().expand(text.get_ref()).map_or_else(
            |name| {
                let known = self.device.identity().0.keys().map(String::as_str);
                let problem = Problem::unknown("", "identity", &name, known);
                self.problem(field, text.span(), problem);
                Box::default()
            },
            Into::into,
        )
    }

    fn form(&mut self, field: &str, text: impl Fn(&'a Settings) -> Text<'a>) -> Form {
        let text = self.first(text);
        let drawn = Form::parse(text.map_or("{0-9a-f}{32}", |text| text.get_ref()), self.device.identity());
        drawn.unwrap_or_else(|why| {
            self.problem(field, text.map_or(0..0, Spanned::span), Problem::new("", why));
            Form::default()
        })
    }
}

const fn is_status(status: u16) -> bool {
    200 <= status && status < 600
}

#[cfg(test)]
mod tests {
    use super::super::Http;

    fn mistakes(http: &str) -> Vec<String> {
        crate::mistakes::mistakes(&Http, &format!("[http]\n{http}"))
    }

    #[test]
    fn every_dialect_is_whole() {
        for dialect in ["plain", "goahead", "allegro", "siemens-cp", "schneider", "lighttpd"] {
            assert_eq!(mistakes(&format!("dialect = '{dialect}'")), Vec::<String>::new(), "{dialect}");
        }
    }

    #[test]
    fn mistakes_are_told_all_at_once_each_with_its_place() {
        let told = mistakes(
            "headers = [['Server', '{serail}'], ['a b', 'c'], ['Date', '{dat}']]\nmethods = ['GETT']\n\
             reasons = { 4o4 = 'x' }\ndelays = { 99 = '1s' }\nlimits = { line = '1' }\n\
             login = { realm = '{plant}', nonce = '{A-Z' }\n\
             [http.errors]\nfoldet = 400\nfolded = 'maybe'\ngarbage = 'ignore'\ntls = 42",
        );
        for expected in [
            "http.headers[1]: `a b: c` is no header field @ ['a b', 'c']",
            "http.headers[2]: there is nothing told, and no identity, `dat` (did you mean `date`?) @ ['Date', '{dat}']",
            "http.methods[0]: there is no method `GETT` (did you mean `GET`?) @ 'GETT'",
            "http.reasons.4o4: `4o4` is no status (write it as 404) @ 4o4",
            "http.delays.99: `99` is no status (write it as 404) @ 99",
            "http.limits.line: this is a size of 64 to 65536 octets @ '1'",
            "http.errors.foldet: there is no flaw `foldet` (did you mean `folded`?) @ foldet",
            "http.errors.folded: this is a status, `ignore`, `close`, `bare`, or `bare` and a status @ 'maybe'",
            "http.errors.garbage: nobody can put up with a first line that is no request line (give a status, or `close`) @ 'ignore'",
            "http.errors.tls: this is a status, `ignore`, `close`, `bare`, or `bare` and a status @ 42",
        ] {
            assert!(told.iter().any(|told| told == expected), "{expected}\n{told:#?}");
        }
        for part in ["identity, `serail`", "there is no identity `plant`", "http.login.nonce: "] {
            assert!(told.iter().any(|told| told.contains(part)), "{part}\n{told:#?}");
        }
        assert!(mistakes("dialects = 'plain'").iter().any(|told| told.contains("unknown field `dialects`")));
    }
}
