//! What sinks that speak HTTP have in common: one agent with every wait bounded, who we are, and what was answered. Apart,
//! because such services differ in their bodies only.

use super::{
    SinkError,
    link::{ANSWER, CONNECT, TlsSettings},
    secret::Secret,
};
use honeyplant_core::settings::Problem;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};
use ureq::Agent;

/// As much of an answer is read.
const ANSWER_LIMIT: u64 = 16 << 20;

/// Where a service is, and how it knows us. Flattened into the table of a sink.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct WebSettings {
    /// Where the service is, such as `https://logs.example.org:9200`. It may be given as a secret, for some services tell us
    /// from others by their path.
    url: Secret,
    /// A user name, for HTTP Basic.
    #[serde(default)]
    user: Option<String>,
    /// The password of the user.
    #[serde(default)]
    password: Option<Secret>,
    /// Further fields of each request, such as `Authorization = { env = "TOKEN" }`.
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    /// How TLS is spoken with `https`.
    #[serde(default)]
    tls: TlsSettings,
}

impl WebSettings {
    /// What the URL ends with besides its path: services differ by it, but it is in the way of paths below.
    pub(crate) fn tail(&self) -> &'static str {
        if self.url.reveal().ends_with('/') { "/" } else { "" }
    }

    /// Whether the URL has a query.
    pub(crate) fn has_query(&self) -> bool {
        self.url.reveal().contains('?')
    }
}

/// A service.
#[derive(Debug)]
pub(crate) struct Service {
    agent: Agent,
    url: String,
    /// The URL without its path, which may be secret.
    name: String,
    fields: Vec<(String, String)>,
    /// What it may answer with when something is sent to it.
    accept: &'static str,
}

/// What a service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// How long it asks to wait (RFC 9110 §10.2.3), if it says so in seconds.
    pub(crate) retry_after: Option<Duration>,
}

impl Service {
    /// The service of `settings`; `key` is the key of the sink's table.
    pub(crate) fn new(settings: &WebSettings, key: &str) -> Result<Self, Problem> {
        let url = settings.url.reveal().trim_end_matches('/').to_owned();
        let uri = url.parse::<ureq::http::Uri>().ok();
        let place = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.host()?, uri.port_u16())));
        let name = match place {
            Some((scheme @ ("http" | "https"), host, None)) => format!("{scheme}://{host}"),
            Some((scheme @ ("http" | "https"), host, Some(port))) => format!("{scheme}://{host}:{port}"),
            _ => {
                let problem = Problem::new(format!("{key}.url"), "it is no address of a web service");
                return Err(problem.hint("write it as `https://logs.example.org:9200`"));
            }
        };
        let mut fields: Vec<_> =
            settings.headers.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
        match (&settings.user, &settings.password) {
            (Some(user), password) => {
                let password = password.as_ref().map_or("", Secret::reveal);
                let word = base64(format!("{user}:{password}").as_bytes());
                fields.push(("Authorization".into(), format!("Basic {word}")));
            }
            (None, Some(_)) => return Err(Problem::new(format!("{key}.user"), "a password needs its user")),
            (None, None) => {}
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .timeout_global(Some(2 * ANSWER))
            .max_idle_age(Duration::from_secs(15))
            .user_agent(concat!("honeyplant/", env!("CARGO_PKG_VERSION")))
            .tls_config(settings.tls.agent(&format!("{key}.tls"))?)
            .build()
            .new_agent();
        Ok(Self { agent, url, name, fields, accept: "*/*" })
    }

    /// One more field of each request.
    pub(crate) fn with(mut self, name: &str, value: String) -> Self {
        self.fields.push((name.to_owned(), value));
        self
    }

    /// The form in which it is to answer what is sent to it.
    pub(crate) fn accepting(mut self, form: &'static str) -> Self {
        self.accept = form;
        self
    }

    /// The service of the whole host, and the path that its address had, without a slash at its end.
    pub(crate) fn at_origin(mut self) -> (Self, String) {
        let host = self.url.find("://").map_or(0, |at| at + 3);
        let path = self.url.get(host..).and_then(|rest| rest.find('/')).map(|at| self.url.split_off(host + at));
        (self, path.unwrap_or_default())
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Posts `body` to `path` below the service's own.
    pub(crate) fn post(&self, path: &str, content: &str, body: &[u8]) -> Result<Answer, SinkError> {
        self.post_with(path, content, body, &[])
    }

    /// The same with fields of this request alone.
    pub(crate) fn post_with(
        &self,
        path: &str,
        content: &str,
        body: &[u8],
        fields: &[(&str, &str)],
    ) -> Result<Answer, SinkError> {
        let request = self.agent.post(format!("{}{path}", self.url));
        let request = request.header("Content-Type", content).header("Accept", self.accept);
        let request = self.fields.iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.answer(request.send(body))
    }

    /// Puts `body` to `path` below the service's own.
    pub(crate) fn put(&self, path: &str, content: &str, body: &[u8]) -> Result<Answer, SinkError> {
        let request = self.agent.put(format!("{}{path}", self.url));
        let request = request.header("Content-Type", content).header("Accept", self.accept);
        let request = self.fields.iter().fold(request, |request, (name, value)| request.header(name, value));
        self.answer(request.send(body))
    }

    /// Asks for `path` below the service's own.
    pub(crate) fn get(&self, path: &str, accept: &str) -> Result<Answer, SinkError> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("Accept", accept);
        let request = self.fields.iter().fold(request, |request, (name, value)| request.header(name, value));
        self.answer(request.call())
    }

    fn answer(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, SinkError> {
        let failed = |error: ureq::Error| SinkError(format!("{}: {error}", self.name));
        let mut answer = answer.map_err(failed)?;
        let retry_after = answer.headers().get("Retry-After").and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
        let body = answer.body_mut().with_config().limit(ANSWER_LIMIT).lossy_utf8(true).read_to_string();
        Ok(Answer {
            status: answer.status().as_u16(),
            body: body.map_err(failed)?,
            retry_after: retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        })
    }
}

impl Answer {
    /// The answer if its status says that all went well; else an error that quotes it.
    pub(crate) fn accepted(self, service: &Service) -> Result<Self, SinkError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let words: String = self.body.chars().take(300).collect();
        Err(SinkError(format!("{}: status {}: {}", service.name, self.status, words.trim())))
    }
}

/// RFC 4648 §4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = ALPHABET.get((word >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place <= group.len() { digit.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_that_of_the_rfc() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in vectors {
            assert_eq!(super::base64(plain.as_bytes()), encoded);
        }
    }
}
