//! Routes and refusals made from their settings. Apart from pages, because these only name pages.

use super::{Desk, Wish};
use crate::http::{
    answer::Framing,
    pages::{
        route::{self, Reply, Route, Shown, Trigger},
        settings::{Refusal, RouteSettings, Routes, Worded},
    },
    wire::Method,
};
use honeyplant_core::settings::Problem;
use std::{collections::BTreeMap, sync::Arc};
use toml::Spanned;

/// How many aliases may lead to each other.
const MOST_ALIASES: usize = 8;

impl Desk<'_> {
    pub(super) fn errors(&mut self) -> BTreeMap<u16, Reply> {
        let mut errors = BTreeMap::new();
        for (status, refusal) in &self.settings.errors {
            let (field, span) = (format!("pages.errors.{}", status.get_ref()), status.span());
            let Some(number) = status.get_ref().parse().ok().filter(|number| (300..600).contains(number)) else {
                let why = format!("`{}` is no status that a page can tell; they are 300 to 599", status.get_ref());
                self.tell(&field, span, Problem::new("", why));
                continue;
            };
            let spanned = |text: &String| Spanned::new(span.clone(), text.clone());
            let wish = match refusal {
                Refusal::File(file) => Wish { file: Some(spanned(file)), ..Wish::default() },
                Refusal::Answer(worded) => {
                    let Worded { file, text, redirect, status, r#type, headers, delay } = &**worded;
                    let inline = text
                        .as_ref()
                        .map(|text| self.inline(text, r#type.as_deref(), "/", &format!("{field}.text"), span.clone()));
                    Wish {
                        file: file.as_ref().map(spanned),
                        inline,
                        redirect: redirect.as_ref().map(spanned),
                        status: *status,
                        media: r#type.clone(),
                        headers: headers.iter().map(spanned).collect(),
                        delay: *delay,
                        ..Wish::default()
                    }
                }
            };
            let reply = self.reply(&wish, &field, None);
            errors.insert(number, reply);
        }
        errors
    }

    pub(super) fn routes(&mut self, routes: &Routes) -> route::Routes {
        let mut table = route::Routes::default();
        let mut aliases = Vec::new();
        for (path, settings) in &routes.0 {
            let (key, field) = (path.get_ref(), format!("routes.{}", path.get_ref()));
            if !key.starts_with('/') {
                self.tell(&field, path.span(), Problem::new("", "a path begins with `/`"));
                continue;
            }
            if let Some(alias) = &settings.alias {
                aliases.push((path, alias));
                continue;
            }
            let route = Arc::new(self.route(path, settings, &field));
            let key = self.folded(key);
            match key.strip_suffix('*') {
                Some(prefix) => table.prefixes.push((prefix.into(), route)),
                None => drop(table.exact.insert(key.into(), route)),
            }
        }
        for (path, alias) in aliases {
            let field = format!("routes.{}.alias", path.get_ref());
            match self.aliased(routes, alias.get_ref(), &table) {
                Ok(route) => match self.folded(path.get_ref()).strip_suffix('*') {
                    Some(prefix) => table.prefixes.push((prefix.into(), route)),
                    None => drop(table.exact.insert(self.folded(path.get_ref()).into(), route)),
                },
                Err(problem) => self.tell(&field, alias.span(), problem),
            }
        }
        table.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        table
    }

    /// The route that an alias leads to.
    pub(super) fn aliased(&self, routes: &Routes, alias: &str, table: &route::Routes) -> Result<Arc<Route>, Problem> {
        let mut target = alias.to_owned();
        for _ in 0..MOST_ALIASES {
            let next = routes.0.iter().find(|(path, _)| *path.get_ref() == target).map(|(_, route)| &route.alias);
            match next {
                Some(Some(further)) => target = further.get_ref().clone(),
                _ => break,
            }
        }
        let key = self.folded(&target);
        if let Some(route) = table.exact.get(key.as_str()) {
            return Ok(route.clone());
        }
        if let Some(page) = self.pages.get(key.as_str()) {
            let reply = Reply { shown: Shown::Page(page.clone()), ..Reply::default() };
            return Ok(Arc::new(Route { reply, ..Route::default() }));
        }
        let circle = routes.0.iter().any(|(path, route)| *path.get_ref() == target && route.alias.is_some());
        if circle {
            return Err(Problem::new("", "these aliases lead in a circle, or on too long a way"));
        }
        let known = table.exact.keys().chain(self.device.pages().files().keys()).map(|path| &**path);
        Err(Problem::unknown("", "route or page", alias, known))
    }

    pub(super) fn route(&mut self, path: &Spanned<String>, settings: &RouteSettings, field: &str) -> Route {
        let key = path.get_ref().as_str();
        let framing = self.framing(settings, field);
        let inline = |text: &Option<Spanned<String>>, field: &str| {
            text.as_ref().map(|_| Self::inline_name(key, &format!("{field}.text")))
        };
        let wish = Wish {
            file: settings.file.clone(),
            inline: inline(&settings.text, field),
            redirect: settings.redirect.clone(),
            status: settings.status.as_ref().map(|status| *status.get_ref()),
            media: settings.r#type.clone(),
            headers: settings.headers.clone(),
            delay: settings.delay,
            cache: settings.cache.clone(),
            modified: settings.modified.clone(),
            framing,
        };
        let mut reply = self.reply(&wish, field, None);
        if matches!(reply.shown, Shown::Own) && !key.ends_with('*') && wish.file.is_none() {
            reply.shown = Shown::Path(self.folded(key).into());
            self.shows_something(path, settings, field);
        }
        let mut triggers = Vec::new();
        for (index, trigger) in settings.triggers.iter().enumerate() {
            let field = format!("{field}.triggers[{index}]");
            if trigger.when.is_empty() {
                self.tell(&field, path.span(), Problem::new("", "`when` names the fields that must be sent"));
            }
            let wish = Wish {
                file: trigger.file.clone(),
                inline: inline(&trigger.text, &field),
                redirect: trigger.redirect.clone(),
                status: trigger.status.as_ref().map(|status| *status.get_ref()),
                media: trigger.r#type.clone(),
                headers: trigger.headers.clone(),
                delay: trigger.delay,
                ..Wish::default()
            };
            let when = trigger
                .when
                .iter()
                .map(|(name, value)| (name.as_str().into(), (value != "*").then(|| value.as_str().into())));
            let (when, reply) = (when.collect(), self.reply(&wish, &field, Some(&reply)));
            triggers.push(Trigger { when, reply });
        }
        Route {
            reply,
            triggers,
            methods: self.methods(settings, field),
            login: settings.login.as_ref().map(|who| self.may(who, &format!("{field}.login"))),
            deeds: self.deeds(settings, field),
            success: settings.success.as_ref().map(|text| self.line(text, &format!("{field}.success"))),
            failure: settings.failure.as_ref().map(|text| self.line(text, &format!("{field}.failure"))),
            tree: self.tree(path, settings, field),
        }
    }

    /// A route without anything to show is a page that was forgotten.
    pub(super) fn shows_something(&mut self, path: &Spanned<String>, settings: &RouteSettings, field: &str) {
        let key = self.folded(path.get_ref());
        let is_page = match key.ends_with('/') {
            true => self.settings.index.iter().any(|name| self.pages.contains_key(&*format!("{key}{name}"))),
            false => self.pages.contains_key(key.as_str()),
        };
        let shows = settings.status.is_some() || settings.tree.is_some() || settings.success.is_some();
        if !is_page && !shows && settings.triggers.is_empty() {
            let hint = format!("put `www{key}` beside the profile, or say `file`, `text`, `redirect` or `status`");
            self.tell(field, path.span(), Problem::new("", format!("there is no page at `{key}`")).hint(hint));
        }
    }

    pub(super) fn framing(&mut self, settings: &RouteSettings, field: &str) -> Framing {
        let (trailers, _) = self.fields(&settings.trailers, &format!("{field}.trailers"));
        for (index, size) in settings.chunks.iter().enumerate() {
            if *size.get_ref() == 0 {
                let problem = Problem::new("", "a chunk of no bytes is the last one");
                self.tell(&format!("{field}.chunks[{index}]"), size.span(), problem);
            }
        }
        if settings.chunks.is_empty() && trailers.is_empty() {
            return Framing::Length;
        }
        let sizes = settings.chunks.iter().map(|size| *size.get_ref() as usize).filter(|size| *size > 0);
        Framing::Chunked { sizes: sizes.collect(), trailers: trailers.into() }
    }

    pub(super) fn methods(&mut self, settings: &RouteSettings, field: &str) -> Option<Vec<Method>> {
        const KNOWN: [(&str, Method); 6] = [
            ("GET", Method::Get),
            ("HEAD", Method::Head),
            ("POST", Method::Post),
            ("PUT", Method::Put),
            ("DELETE", Method::Delete),
            ("PATCH", Method::Patch),
        ];
        let listed = settings.methods.as_ref()?;
        let mut methods = Vec::new();
        for (index, name) in listed.iter().enumerate() {
            match KNOWN.iter().find(|(known, _)| *known == name.get_ref()) {
                Some((_, method)) => methods.push(*method),
                None => {
                    let known = KNOWN.iter().map(|(name, _)| *name);
                    let problem = Problem::unknown("", "method of a page", name.get_ref(), known);
                    self.tell(&format!("{field}.methods[{index}]"), name.span(), problem);
                }
            }
        }
        Some(methods)
    }

    pub(super) fn tree(
        &mut self,
        path: &Spanned<String>,
        settings: &RouteSettings,
        field: &str,
    ) -> Option<(Box<str>, Box<str>)> {
        let tree = settings.tree.as_ref()?;
        let field = format!("{field}.tree");
        let Some(under) = path.get_ref().strip_suffix('*') else {
            let hint = format!("write \"{}/*\"", path.get_ref().trim_end_matches('/'));
            self.tell(&field, tree.span(), Problem::new("", "a tree stands at a path that ends in `*`").hint(hint));
            return None;
        };
        Some((under.into(), self.folder(tree, &field)?))
    }
}
