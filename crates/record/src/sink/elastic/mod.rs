//! Events as documents of Elasticsearch or OpenSearch, by the bulk API. Apart from other web services, because each document
//! of a batch is answered for itself.
//!
//! <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk> and
//! <https://docs.opensearch.org/latest/api-reference/document-apis/bulk/>.

mod bulk;
mod place;
mod template;

use super::{
    Entry, Home, Pace, Secret, Sink, SinkError, SinkKind,
    web::{Service, WebSettings},
};
use bulk::{Fate, Item};
use honeyplant_core::settings::{Problem, Problems, Settings};
use place::Place;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// One document an event in Elasticsearch (7.8 or newer, or Elastic Cloud) or OpenSearch (any version), in the shape of the
/// Elastic Common Schema. Take it for Kibana or OpenSearch Dashboards, and for the rules of Elastic Security.
///
/// The user or API key needs the cluster privileges `monitor` and, unless `template = false`, `manage_index_templates`; on
/// the indices `create_doc`, `auto_configure`, and `read` for `check --probe`.
///
/// The sink installs an index template that has a type for each field. Fields that it does not have are kept but not
/// indexed, so that nothing that an actor sends can conflict with it or fill it with fields. If the server refuses a document
/// nevertheless, as because of another template, the event is indexed with its line in `event.original` and the reason in
/// `error.message`.
///
/// Each event is created under its `event.id`: what comes again after a failure is there already, so that an index has it
/// exactly once. In a data stream that may fail when it rolls over between two attempts. Sort by `event.sequence`, as
/// `@timestamp` keeps milliseconds only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
struct Table {
    #[serde(flatten)]
    web: WebSettings,
    /// An API key, as Kibana shows it in base64, instead of a user and a password.
    #[serde(default)]
    api_key: Option<Secret>,
    /// The name of the index. `%Y`, `%m` and `%d` in it are year, month and day of the event, in UTC; without another word it
    /// is `honeyplant-%Y.%m`, an index a month.
    #[serde(default)]
    index: Option<String>,
    /// The name of a data stream to write to instead, such as `logs-honeyplant-default`: for life cycles that roll over.
    #[serde(default)]
    data_stream: Option<String>,
    /// Whether the sink installs its index template, anew at each start.
    #[serde(default = "yes")]
    template: bool,
    /// Further settings of new indices, by the names below `index.`, such as `{ number_of_replicas = 0,
    /// "lifecycle.name" = "decoys" }`.
    #[serde(default)]
    index_settings: Map<String, Value>,
}

const fn yes() -> bool {
    true
}

/// The kind `elasticsearch`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "elasticsearch"
    }

    fn example(&self) -> &'static str {
        "url = \"https://elastic.example.org:9200\"\nuser = \"sensor\"\npassword = \"secret\"\n\
         index = \"honeyplant-%Y.%m\"\nindex-settings = { number_of_replicas = 0 }\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let place = match (&table.index, &table.data_stream) {
            (Some(_), Some(_)) => Err(Problem::new(
                settings.key_of("data-stream"),
                "events go to an index or to a data stream, not to both",
            )),
            (None, Some(name)) => Place::stream(name, &settings.key_of("data-stream")),
            (name, None) => Place::index(name.as_deref().unwrap_or("honeyplant-%Y.%m"), &settings.key_of("index")),
        };
        let (service, place) = match (Service::new(&table.web, settings.key()), place) {
            (Ok(service), Ok(place)) => (service, place),
            (service, place) => return Err(service.err().into_iter().chain(place.err()).collect()),
        };
        let service = match &table.api_key {
            Some(secret) => service.with("Authorization", format!("ApiKey {}", secret.reveal())),
            None => service,
        };
        let settings = table.template.then_some(table.index_settings);
        let install = home.observer.install.clone();
        Ok(Box::new(Elastic { service, place, settings, install, ready: false }))
    }
}

/// A server of documents.
#[derive(Debug)]
struct Elastic {
    service: Service,
    place: Place,
    /// Settings of new indices; none if the template is somebody else's.
    settings: Option<Map<String, Value>>,
    install: String,
    /// Whether the template is there.
    ready: bool,
}

/// What answers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    product: Product,
    number: (u32, u32),
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    Elasticsearch,
    OpenSearch,
}

impl Version {
    fn read(body: &str) -> Option<Self> {
        let answer: Value = serde_json::from_str(body).ok()?;
        let version = answer.get("version")?;
        let text = version.get("number")?.as_str()?.to_owned();
        let open = version.get("distribution").is_some_and(|name| name == "opensearch");
        let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
        let number = (parts.next()?, parts.next()?);
        Some(Self { product: if open { Product::OpenSearch } else { Product::Elasticsearch }, number, text })
    }
}

impl Elastic {
    fn version(&self) -> Result<Version, SinkError> {
        let answer = self.service.get("/", "application/json")?.accepted(&self.service)?;
        let failed = |why: &str| SinkError(format!("{}: {why}", self.service.name()));
        let version = Version::read(&answer.body)
            .ok_or_else(|| failed("what answers there is neither Elasticsearch nor OpenSearch"))?;
        if version.product == Product::Elasticsearch && version.number < (7, 8) {
            return Err(failed(&format!(
                "Elasticsearch {} is too old; 7.8 is the first with index templates",
                version.text
            )));
        }
        Ok(version)
    }

    fn make_ready(&self) -> Result<(), SinkError> {
        let version = self.version()?;
        if let Some(settings) = &self.settings {
            let template = template::template(&self.place, settings, &version).to_string();
            let path = format!("/_index_template/{}", self.place.template());
            self.service.put(&path, "application/json", template.as_bytes())?.accepted(&self.service)?;
        }
        Ok(())
    }

    /// Delivers these, in as many requests as it takes; what was refused, with the reasons.
    fn send<'a>(&self, items: &[Item<'a>]) -> Result<Vec<(Item<'a>, String)>, SinkError> {
        let answer = self.service.post(bulk::PATH, "application/x-ndjson", &bulk::body(items))?;
        if answer.status == 413 {
            // Somebody on the way takes no request so large.
            if let [one] = items {
                return Ok(vec![(one.clone(), "it was too large for the server".into())]);
            }
            let (former, latter) = items.split_at(items.len() / 2);
            let mut refused = self.send(former)?;
            refused.extend(self.send(latter)?);
            return Ok(refused);
        }
        let answer = answer.accepted(&self.service)?;
        let failed = |why: &str| SinkError(format!("{}: {why}", self.service.name()));
        let fates = bulk::fates(&answer.body).map_err(|error| failed(&format!("the answer is none: {error}")))?;
        if fates.len() != items.len() {
            return Err(failed("not every document was answered"));
        }
        let mut refused = Vec::new();
        for (item, fate) in items.iter().zip(fates) {
            match fate {
                Fate::There => {}
                Fate::Refused(why) => refused.push((item.clone(), why)),
                Fate::Again(why) => return Err(failed(&format!("{}: {why}", item.index()))),
            }
        }
        Ok(refused)
    }

    fn attempt(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        if !self.ready {
            self.make_ready()?;
            self.ready = true;
        }
        let items: Vec<_> = batch.iter().map(|entry| Item::new(entry, &self.place, &self.install)).collect();
        let refused = self.send(&items)?;
        let reduced: Vec<_> = refused.iter().map(|(item, why)| item.reduced(why)).collect();
        if !reduced.is_empty()
            && let Some((item, why)) = self.send(&reduced)?.first()
        {
            let name = self.service.name();
            return Err(SinkError(format!("{name}: {} takes not even the barest document: {why}", item.index())));
        }
        Ok(())
    }
}

impl Sink for Elastic {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let delivered = self.attempt(batch);
        // The next attempt may meet another server, or one that has lost the template.
        self.ready = delivered.is_ok();
        delivered
    }

    fn pace(&self) -> Pace {
        Pace { most: 2000, every: Duration::from_millis(500) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let version = self.version()?;
        let found = format!("{:?} {}", version.product, version.text);
        let answer = self.service.get(&format!("/{}/_count", self.place.pattern()), "application/json")?;
        if answer.status == 404 {
            return Ok(format!("{found}, {} is yet to be made", self.place.pattern()));
        }
        let answer: Value = serde_json::from_str(&answer.accepted(&self.service)?.body).unwrap_or_default();
        let events = answer.get("count").and_then(Value::as_u64).unwrap_or_default();
        Ok(format!("{found}, {events} events in {}", self.place.pattern()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_tells_the_product() {
        let open = Version::read(r#"{"version":{"distribution":"opensearch","number":"2.11.1"}}"#).unwrap();
        assert_eq!((open.product, open.number), (Product::OpenSearch, (2, 11)));
        let elastic = Version::read(r#"{"version":{"number":"8.17.0","build_flavor":"default"}}"#).unwrap();
        assert_eq!((elastic.product, elastic.number), (Product::Elasticsearch, (8, 17)));
        assert_eq!(Version::read("<html>"), None);
    }
}
