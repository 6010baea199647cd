//! One page: bytes as they are, or a template that is rendered again when something that it shows has changed. Apart, because
//! what was rendered is kept here.

use super::{
    super::wire::Request,
    names::Usage,
    request::{Asked, Fields},
    scope::{Facts, Scope},
    template::{Failed, Templates},
};
use honeyplant_core::{
    accounts::Account,
    cpu::Mode,
    event::Session,
    files::{Content, Dated},
};
use minijinja::Value;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A page.
pub(super) struct Page {
    pub(super) media: Arc<str>,
    pub(super) body: Body,
}

impl Page {
    /// How many bytes it has, if that is known.
    pub(super) fn size(&self) -> Option<u64> {
        if let Body::Fixed(content, ..) = &self.body { Some(content.len() as u64) } else { None }
    }
}

/// What a page shows.
pub(super) enum Body {
    /// These bytes, since then, with this entity tag.
    Fixed(Content, Option<Dated>, Option<Arc<str>>),
    /// What the template makes.
    Template(Template),
}

/// A template, and what it last made.
pub(super) struct Template {
    name: Box<str>,
    last: Mutex<Option<(Seen, Content)>>,
}

/// For whom and when something is shown.
pub(super) struct Show<'a, 'r> {
    pub(super) templates: &'a Templates,
    pub(super) session: &'a Session,
    pub(super) now: Instant,
    pub(super) account: Option<&'a Account>,
    pub(super) request: Option<&'a Request<'r>>,
    pub(super) form: Arc<Fields>,
    pub(super) result: Option<Value>,
    pub(super) status: u16,
}

/// All that a page could have shown; as long as it is the same, so is the page.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    changes: u64,
    second: Duration,
    mode: Option<Mode>,
    boots: u32,
    note: Option<Duration>,
    user: Option<Box<str>>,
    status: u16,
    asked: Option<Arc<Asked>>,
}

impl Template {
    /// The template of this name, which nobody has seen yet.
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), last: Mutex::default() }
    }

    /// What it shows now.
    pub(super) fn content(&self, show: &Show<'_, '_>) -> Result<Content, Failed> {
        let usage = show.templates.usage(&self.name);
        let asked = show.asked(usage);
        if usage.files || show.result.is_some() {
            return Ok(Arc::new(show.text(&self.name, asked)?.into_bytes()));
        }
        let seen = show.seen(usage, asked.clone());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, content)) = last.as_ref().filter(|(before, _)| *before == seen) {
            return Ok(content.clone());
        }
        let content = Arc::new(show.text(&self.name, asked)?.into_bytes());
        *last = Some((seen, content.clone()));
        Ok(content)
    }
}

impl Show<'_, '_> {
    /// A template that is no page of its own, such as the place that a visitor is sent to.
    pub(super) fn line(&self, name: &str) -> Result<String, Failed> {
        self.text(name, self.asked(self.templates.usage(name)))
    }

    fn asked(&self, usage: Usage) -> Option<Arc<Asked>> {
        usage.request.then(|| Arc::new(Asked::new(self.request, self.form.clone(), self.session)))
    }

    fn text(&self, name: &str, asked: Option<Arc<Asked>>) -> Result<String, Failed> {
        let scope = Scope {
            session: Arc::new(Facts::from(self.session)),
            now: self.now,
            asked,
            user: self.account.map(|account| account.name.clone()),
            result: self.result.clone(),
            status: self.status,
        };
        self.templates.render(name, scope)
    }

    fn seen(&self, usage: Usage, asked: Option<Arc<Asked>>) -> Seen {
        let device = &self.session.device;
        let timely = usage.clock || usage.notes;
        Seen {
            changes: if usage.plant { device.plant(self.now).changes() } else { 0 },
            second: if timely { Duration::from_secs(device.clock(self.now).as_secs()) } else { Duration::ZERO },
            mode: timely.then(|| device.mode()),
            boots: if timely { device.boots() } else { 0 },
            note: if usage.notes { device.notes().last().map(|(at, _)| *at) } else { None },
            user: self.account.filter(|_| usage.user).map(|account| account.name.clone()),
            status: self.status,
            asked,
        }
    }
}
