//! What stands at which path, settled. Apart, because it is found here for every request.

use super::{
    super::{
        answer::{Field, Framing},
        wire::Method,
    },
    deeds::Deeds,
    page::Page,
    request::Fields,
};
use honeyplant_core::{accounts::Account, device::Device, files::Dated};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How a path is answered.
#[derive(Default)]
pub(super) struct Route {
    pub(super) reply: Reply,
    pub(super) triggers: Vec<Trigger>,
    /// Those that it has, if they are not the usual ones.
    pub(super) methods: Option<Vec<Method>>,
    pub(super) login: Option<May>,
    pub(super) deeds: Deeds,
    pub(super) success: Option<Text>,
    pub(super) failure: Option<Text>,
    /// The folder of the device's files that is shown, and the path under which.
    pub(super) tree: Option<(Box<str>, Box<str>)>,
}

/// What is answered.
#[derive(Clone, Default)]
pub(super) struct Reply {
    pub(super) status: Option<u16>,
    pub(super) shown: Shown,
    /// The type, if it is not that of what is shown.
    pub(super) media: Option<Arc<str>>,
    pub(super) fields: Arc<[Field]>,
    /// Fields whose values are templates.
    pub(super) values: Vec<(Box<str>, Text)>,
    pub(super) delay: Option<(Duration, Duration)>,
    /// When it was changed last, if it is not as old as all pages are.
    pub(super) made: Option<Dated>,
    pub(super) framing: Framing,
}

/// What is shown.
#[derive(Clone, Default)]
pub(super) enum Shown {
    /// The page at the path that was asked for.
    #[default]
    Own,
    /// This page.
    Page(Arc<Page>),
    /// The page that is at this path, or the index of this folder.
    Path(Box<str>),
    /// Another place.
    Redirect(Text),
}

/// A line of text.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// As it is.
    Plain(Box<str>),
    /// What the template of this name makes.
    Template(Box<str>),
}

/// An answer to those who sent these fields, each with its value or any.
pub(super) struct Trigger {
    pub(super) when: Vec<(Box<str>, Option<Box<str>>)>,
    pub(super) reply: Reply,
}

/// Who may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum May {
    Anybody,
    /// Whoever is logged in.
    Somebody,
    /// These users, and whoever is in these groups.
    Listed(Vec<Box<str>>),
}

/// All routes of a site.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) exact: BTreeMap<Box<str>, Arc<Route>>,
    /// By the beginnings of paths, the longest first.
    pub(super) prefixes: Vec<(Box<str>, Arc<Route>)>,
}

impl Routes {
    /// The route of a path.
    pub(super) fn find(&self, path: &str) -> Option<&Arc<Route>> {
        let prefix = || self.prefixes.iter().find(|(prefix, _)| path.starts_with(&**prefix)).map(|(_, route)| route);
        self.exact.get(path).or_else(prefix)
    }
}

impl Route {
    /// Whether this can be done with it.
    pub(super) fn has(&self, method: Method) -> bool {
        match (&self.methods, method) {
            (_, Method::Put) if self.deeds.upload.is_some() => true,
            (Some(methods), Method::Head) => methods.contains(&Method::Get) || methods.contains(&Method::Head),
            (Some(methods), method) => methods.contains(&method),
            (None, method) => matches!(method, Method::Get | Method::Head | Method::Post),
        }
    }

    /// The value of Allow (RFC 9110 §10.2.1).
    pub(super) fn allow(&self) -> String {
        let all = [
            (Method::Get, "GET"),
            (Method::Head, "HEAD"),
            (Method::Post, "POST"),
            (Method::Put, "PUT"),
            (Method::Delete, "DELETE"),
            (Method::Patch, "PATCH"),
        ];
        let has: Vec<&str> = all.iter().filter(|(method, _)| self.has(*method)).map(|(_, name)| *name).collect();
        has.join(", ")
    }

    /// The answer to those who sent these fields.
    pub(super) fn reply(&self, query: &Fields, form: &Fields) -> &Reply {
        let sent = |name: &str, value: &Option<Box<str>>| {
            query.all(name).chain(form.all(name)).any(|sent| value.as_deref().is_none_or(|value| value == sent))
        };
        let fits = |trigger: &&Trigger| trigger.when.iter().all(|(name, value)| sent(name, value));
        self.triggers.iter().find(fits).map_or(&self.reply, |trigger| &trigger.reply)
    }
}

impl May {
    /// Whether this is one of them.
    pub(super) fn admits(&self, account: Option<&Account>, device: &Device) -> bool {
        match (self, account) {
            (Self::Anybody, _) | (Self::Somebody, Some(_)) => true,
            (_, None) => false,
            (Self::Listed(names), Some(account)) => {
                let groups = account.who.groups.iter().chain([&account.who.gid]);
                let mut groups = groups.map(|group| device.files().group_name(*group));
                let listed = |name: &str| names.iter().any(|known| **known == *name);
                listed(&account.name) || groups.any(|group| listed(&group))
            }
        }
    }
}
