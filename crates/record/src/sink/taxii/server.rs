//! The resources of a TAXII 2.1 server (§4 and §5 of the standard), as a producer needs them. Apart from the sink, because
//! this is what the other end says.

use crate::sink::{
    SinkError,
    link::ANSWER,
    sharing::{items, text},
    web::{Answer, Service, WebSettings},
};
use honeyplant_core::settings::Problem;
use serde::Deserialize;
use serde_json::Value;
use std::{
    thread,
    time::{Duration, Instant},
};

/// What every request and answer is.
const MEDIA: &str = "application/taxii+json;version=2.1";
/// How often a server that has not finished yet is asked whether it has.
const POLL: Duration = Duration::from_millis(500);
/// How many objects are asked for at once: what a URL can hold everywhere.
const ASKED: usize = 20;

/// A server.
#[derive(Debug)]
pub(super) struct Server {
    service: Service,
    /// The path of the address in the settings, if it has one: then it is that of an API root.
    root: Option<String>,
    wanted: Option<String>,
}

/// Where objects go.
#[derive(Clone, Debug)]
pub(super) struct Collection {
    root: String,
    pub(super) id: String,
    pub(super) title: String,
    can_read: bool,
    /// `max_content_length` of the API root.
    pub(super) longest: u64,
}

/// What came of an envelope.
pub(super) enum Verdict {
    Taken,
    /// The ids of what was refused, and why.
    Refused(Vec<(String, String)>),
}

/// §4.1.1
#[derive(Deserialize)]
struct Discovery {
    #[serde(default)]
    default: Option<String>,
    #[serde(default)]
    api_roots: Vec<String>,
}

/// §4.2.1
#[derive(Deserialize)]
struct ApiRoot {
    max_content_length: u64,
}

/// §5.1.1
#[derive(Deserialize)]
struct Collections {
    #[serde(default)]
    collections: Vec<Described>,
}

/// §5.2.1
#[derive(Deserialize)]
struct Described {
    id: String,
    title: String,
    #[serde(default)]
    alias: Option<String>,
    can_read: bool,
    can_write: bool,
}

/// §4.3.1
#[derive(Deserialize)]
struct Status {
    id: String,
    status: String,
    #[serde(default)]
    failures: Vec<Failure>,
    #[serde(default)]
    failure_count: u64,
}

#[derive(Deserialize)]
struct Failure {
    id: String,
    #[serde(default)]
    message: Option<String>,
}

impl Server {
    pub(super) fn new(web: &WebSettings, key: &str, wanted: Option<String>) -> Result<Self, Problem> {
        let (service, path) = Service::new(web, key)?.accepting(MEDIA).at_origin();
        let root = (!matches!(&*path, "" | "/taxii2")).then_some(path);
        Ok(Self { service, root, wanted })
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        self.service.name()
    }

    /// Finds the collection by way of the API roots.
    pub(super) fn find(&self) -> Result<Collection, SinkError> {
        let mut writable = Vec::new();
        let mut titles = Vec::new();
        for root in self.roots()? {
            let information: ApiRoot = self.read(&format!("{root}/"))?;
            let collections: Collections = self.read(&format!("{root}/collections/"))?;
            for found in collections.collections {
                let names = [Some(&found.id), Some(&found.title), found.alias.as_ref()];
                let is_wanted = self.wanted.as_ref().is_none_or(|wanted| names.contains(&Some(wanted)));
                titles.push(format!(
                    "{} ({})",
                    found.title,
                    if found.can_write { "can be written" } else { "read only" }
                ));
                if is_wanted && found.can_write {
                    let Described { id, title, can_read, .. } = found;
                    let longest = information.max_content_length;
                    writable.push(Collection { root: root.clone(), id, title, can_read, longest });
                } else if is_wanted && self.wanted.is_some() {
                    return Err(self.failed(format_args!("the collection {} may not be written to", found.title)));
                }
            }
        }
        let there = if titles.is_empty() { "none".to_owned() } else { titles.join(", ") };
        match (writable.pop(), writable.is_empty(), &self.wanted) {
            (Some(one), true, _) => Ok(one),
            (Some(_), false, Some(name)) => Err(self.failed(format_args!("several collections are called {name}"))),
            (Some(_), false, None) => {
                Err(self.failed(format_args!("several collections may be written to; name one of: {there}")))
            }
            (None, _, Some(name)) => Err(self.failed(format_args!("there is no collection {name}; there is: {there}"))),
            (None, _, None) => Err(self.failed(format_args!("no collection may be written to; there is: {there}"))),
        }
    }

    /// The paths of the API roots.
    fn roots(&self) -> Result<Vec<String>, SinkError> {
        if let Some(root) = &self.root {
            return Ok(vec![root.clone()]);
        }
        let discovery: Discovery = self.read("/taxii2/")?;
        let mut roots: Vec<String> = Vec::new();
        for url in discovery.default.iter().chain(&discovery.api_roots) {
            // A password is not sent to a host that the operator has not named.
            let path = match url.strip_prefix(self.name()) {
                Some(path) if path.starts_with('/') => path,
                _ if url.starts_with('/') => url,
                _ => continue,
            };
            let path = path.trim_end_matches('/').to_owned();
            if !roots.contains(&path) {
                roots.push(path);
            }
        }
        if roots.is_empty() {
            let there: Vec<&str> = discovery.api_roots.iter().map(String::as_str).collect();
            let there = there.join(", ");
            return Err(
                self.failed(format_args!("it has no API root at this address; write one of these as url: {there}"))
            );
        }
        Ok(roots)
    }

    /// Adds the objects of `envelope` (§5.5), and waits until the server is done with them.
    pub(super) fn add(&self, collection: &Collection, envelope: &str) -> Result<Verdict, SinkError> {
        let path = format!("{}/collections/{}/objects/", collection.root, collection.id);
        let mut status: Status = self.parse(self.service.post(&path, MEDIA, envelope.as_bytes())?)?;
        let until = Instant::now() + ANSWER;
        while status.status == "pending" {
            if Instant::now() > until {
                return Err(
                    self.failed(format_args!("it has not finished with the objects after {} s", ANSWER.as_secs()))
                );
            }
            thread::sleep(POLL);
            status = self.read(&format!("{}/status/{}/", collection.root, status.id))?;
        }
        if status.failure_count == 0 && status.failures.is_empty() {
            return Ok(Verdict::Taken);
        }
        if status.failures.is_empty() {
            // The list is optional: then nobody can tell which.
            let sent: Value = serde_json::from_str(envelope).unwrap_or_default();
            let ids = items(&sent, "objects").iter().map(|object| text(object, "id"));
            let why = "it does not tell which and why";
            return Ok(Verdict::Refused(ids.map(|id| (id.to_owned(), why.to_owned())).collect()));
        }
        let failures = status.failures.into_iter();
        Ok(Verdict::Refused(failures.map(|Failure { id, message }| (id, message.unwrap_or_default())).collect()))
    }

    /// Those of `refused` that the server does not have. Some servers call it a failure if an object is there already.
    pub(super) fn missing(
        &self,
        collection: &Collection,
        objects: &[Value],
        refused: Vec<(String, String)>,
    ) -> Result<Vec<(String, String)>, SinkError> {
        if !collection.can_read {
            return Ok(refused);
        }
        let mut missing = Vec::new();
        for some in refused.chunks(ASKED) {
            let ids: Vec<&str> = some.iter().map(|(id, _)| id.as_str()).collect();
            let manifest = format!(
                "{}/collections/{}/manifest/?match%5Bid%5D={}&match%5Bversion%5D=all&limit=1000",
                collection.root,
                collection.id,
                ids.join(",")
            );
            let answer = self.service.get(&manifest, MEDIA)?;
            // Of nothing, some servers say that it is not found.
            let there: Value = if answer.status == 404 { Value::Null } else { self.parse(answer)? };
            let there: Vec<(&str, &str)> =
                items(&there, "objects").iter().map(|one| (text(one, "id"), text(one, "version"))).collect();
            missing.extend(some.iter().filter(|(id, _)| !is_there(id, objects, &there)).cloned());
        }
        Ok(missing)
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, SinkError> {
        self.parse(self.service.get(path, MEDIA)?)
    }

    fn parse<T: for<'de> Deserialize<'de>>(&self, answer: Answer) -> Result<T, SinkError> {
        let answer = answer.accepted(&self.service)?;
        serde_json::from_str(&answer.body)
            .map_err(|error| self.failed(format_args!("what it answers is not TAXII 2.1: {error}")))
    }

    fn failed(&self, why: std::fmt::Arguments<'_>) -> SinkError {
        SinkError(format!("{}: {why}", self.name()))
    }
}

/// Whether the object `id` is there in the version that was sent. What has no version never changes.
fn is_there(id: &str, objects: &[Value], there: &[(&str, &str)]) -> bool {
    let sent = objects.iter().find(|object| text(object, "id") == id);
    let version = sent.and_then(|object| object.get("modified").or(object.get("created"))?.as_str());
    there.iter().any(|(known, at)| *known == id && version.is_none_or(|version| version == *at))
}
