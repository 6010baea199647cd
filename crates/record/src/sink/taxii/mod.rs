//! TAXII 2.1 (OASIS Standard, 10 June 2021): what is shared as STIX, pushed to a collection of a server. Apart from the
//! server's own resources, because this is about what is delivered when.

mod server;

use super::{
    Entry, Home, Pace, Sink, SinkError, SinkKind,
    sharing::{Refused, Sharing, SharingSettings, text},
    stix::Author,
    web::WebSettings,
};
use honeyplant_core::settings::{Problem, Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value;
use server::{Collection, Server, Verdict};
use std::{collections::HashSet, time::Duration};

/// Objects that others refer to and that never change: sent once a run.
const CONSTANT: &[&str] = &["attack-pattern", "identity", "marking-definition", "tool"];

/// Pushes what is worth sharing to a collection of a TAXII 2.1 server, as objects of STIX 2.1. Take it if your CERT, ISAC or
/// platform for threat intelligence has such a server. `url` is the server's or that of one of its API roots. The user needs the
/// right to write to the collection; with that to read it, too, objects that are there already are told from those that are
/// refused. Objects come in the order of the events. One that is delivered twice has the same id and version, so that the server
/// keeps one of it. What the server refuses twice is put aside in `sinks/NAME.refused.jsonl` in the state folder.
/// `docs/sharing.md` tells what is shared and what is withheld.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
struct Table {
    /// The id, title or alias of the collection; without it, the only one that may be written to.
    #[serde(default)]
    collection: Option<String>,
    #[serde(flatten)]
    web: WebSettings,
    #[serde(flatten)]
    sharing: SharingSettings,
}

/// The kind `taxii`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "taxii"
    }

    fn example(&self) -> &'static str {
        "url = \"https://taxii.example.org\"\ncollection = \"honeypots\"\nuser = \"plant\"\npassword = \"example\"\n\
         organisation = \"Example Water Utility\"\nsector = \"water\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let sharing = Sharing::new(table.sharing, settings.key(), home);
        let mut problems = sharing.as_ref().err().cloned().unwrap_or_default();
        if table.collection.as_ref().is_some_and(|name| name.trim().is_empty()) {
            problems.push(Problem::new(settings.key_of("collection"), "a collection has a name"));
        }
        let server = Server::new(&table.web, settings.key(), table.collection);
        problems.extend(server.as_ref().err().cloned());
        match (sharing, server) {
            (Ok(sharing), Ok(server)) if problems.is_empty() => {
                let (author, refused) = (Author::new(sharing), Refused::new(home));
                Ok(Box::new(Taxii { server, author, refused, collection: None, sent: HashSet::new() }))
            }
            _ => Err(problems),
        }
    }
}

/// Pushes to one collection.
struct Taxii {
    server: Server,
    author: Author,
    refused: Refused,
    /// Where the objects go, once it was found.
    collection: Option<Collection>,
    /// The ids of the constant objects that the server has.
    sent: HashSet<String>,
}

impl Taxii {
    fn push(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let mut objects = self.author.bundle(batch)?.into_objects();
        objects.retain(|object| !self.sent.contains(id(object)));
        if objects.is_empty() {
            return Ok(());
        }
        let collection = match self.collection.take() {
            Some(collection) => collection,
            None => self.server.find()?,
        };
        let mut refused = Vec::new();
        let (envelopes, too_large) = envelopes(&objects, collection.longest);
        refused.extend(too_large.into_iter().map(|object| {
            (id(object).to_owned(), format!("it is longer than the {} bytes that the server takes", collection.longest))
        }));
        for envelope in envelopes {
            match self.server.add(&collection, &envelope)? {
                Verdict::Taken => {}
                Verdict::Refused(some) => refused.extend(self.server.missing(&collection, &objects, some)?),
            }
        }
        let refused = refused.into_iter().filter_map(|(missing, why)| {
            let object = objects.iter().find(|object| id(object) == missing)?;
            Some((object.clone(), missing, why))
        });
        self.refused.judge(self.server.name(), refused.collect())?;
        let constant = objects.iter().filter(|object| CONSTANT.contains(&text(object, "type")));
        self.sent.extend(constant.map(|object| id(object).to_owned()));
        self.collection = Some(collection);
        Ok(())
    }
}

impl Sink for Taxii {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let pushed = self.push(batch);
        if pushed.is_err() {
            // Another server may answer next, or the same with another collection.
            self.collection = None;
            self.sent.clear();
        }
        pushed
    }

    fn pace(&self) -> Pace {
        Pace { most: 500, every: Duration::from_secs(10) }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let collection = self.server.find()?;
        Ok(format!("TAXII 2.1, collection {} ({})", collection.title, collection.id))
    }
}

fn id(object: &Value) -> &str {
    text(object, "id")
}

/// The bodies that carry `objects` , none longer than `longest`; and what is too long by itself.
fn envelopes(objects: &[Value], longest: u64) -> (Vec<String>, Vec<&Value>) {
    const HEAD: &str = "{\"objects\":[";
    const TAIL: &str = "]}";
    let longest = usize::try_from(longest).unwrap_or(usize::MAX);
    let (mut bodies, mut large, mut body) = (Vec::new(), Vec::new(), String::new());
    for object in objects {
        let text = object.to_string();
        if HEAD.len() + text.len() + TAIL.len() > longest {
            large.push(object);
            continue;
        }
        if !body.is_empty() && body.len() + 1 + text.len() + TAIL.len() > longest {
            bodies.push(std::mem::take(&mut body) + TAIL);
        }
        body.push_str(if body.is_empty() { HEAD } else { "," });
        body.push_str(&text);
    }
    if !body.is_empty() {
        bodies.push(body + TAIL);
    }
    (bodies, large)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_envelope_is_no_longer_than_the_server_takes_it() {
        let objects: Vec<Value> = (0..9).map(|n| json!({ "id": "x".repeat(n * 10) })).collect();
        let (bodies, large) = envelopes(&objects, 90);
        assert!(bodies.iter().all(|body| body.len() <= 90));
        assert_eq!(large, [&objects[7], &objects[8]]);
        let read = |body: &String| serde_json::from_str::<Value>(body).unwrap()["objects"].as_array().unwrap().clone();
        assert_eq!(bodies.iter().flat_map(read).collect::<Vec<_>>(), objects[..7]);
    }
}
