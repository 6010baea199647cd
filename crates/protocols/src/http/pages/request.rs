//! What was asked, as templates and forms see it. Apart, because it is read out of a request only when a page wants it.

use super::{super::wire::Request, form};
use honeyplant_core::{event::Session, files::from_octets};
use minijinja::{
    Value,
    value::{Enumerator, Object},
};
use std::sync::Arc;

/// Names and values in the order in which they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

/// What was asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    method: String,
    path: String,
    host: String,
    peer: String,
    agent: String,
    query: Arc<Fields>,
    form: Arc<Fields>,
}

impl Fields {
    /// The value of the first field of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The values of all fields of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Asked {
    /// The request of `session`, and what its form held.
    pub(super) fn new(request: Option<&Request<'_>>, form: Arc<Fields>, session: &Session) -> Self {
        let peer = session.peer.ip().to_canonical().to_string();
        let Some(request) = request else { return Self { peer, form, ..Self::default() } };
        let field = |name| request.field(name).map(from_octets).unwrap_or_default();
        Self {
            method: from_octets(request.spelling),
            path: request.path.to_string(),
            host: field("host"),
            peer,
            agent: field("user-agent"),
            query: Arc::new(query(request)),
            form,
        }
    }
}

/// The fields of a request's query.
pub(super) fn query(request: &Request<'_>) -> Fields {
    Fields(request.query.map(form::pairs).unwrap_or_default())
}

impl Object for Asked {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "method" => Value::from(&*self.method),
            "path" => Value::from(&*self.path),
            "host" => Value::from(&*self.host),
            "peer" => Value::from(&*self.peer),
            "agent" => Value::from(&*self.agent),
            "query" => Value::from_dyn_object(self.query.clone()),
            "form" => Value::from_dyn_object(self.form.clone()),
            _ => return None,
        })
    }
}

impl Object for Fields {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get(key.as_str()?).map(Value::from)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Value::from(&**name)).collect())
    }
}
