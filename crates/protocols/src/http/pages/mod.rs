//! The pages of a device: what stands at which path. Apart from HTTP itself, which is the same whatever is asked for.

mod build;
mod deeds;
mod filters;
mod form;
mod listing;
mod media;
mod memory;
mod names;
mod page;
mod request;
mod route;
mod scope;
mod settings;
mod template;
#[cfg(test)]
mod tests;

pub(super) use settings::{Pages, Routes};

use super::{
    answer::{Answer, Framing},
    visitor::Visitor,
    wire::{Method, Request},
};
use deeds::{Outcome, Sent};
use form::Form;
use honeyplant_core::{
    accounts::Account,
    conversation::Context,
    files::{Content, resolve},
};
use page::{Body, Page, Show};
use request::Fields;
use route::{May, Reply, Route, Shown, Text};
use settings::Folders;
use std::{collections::BTreeMap, sync::Arc};
use template::{Failed, Templates};

/// The pages of one device.
pub(super) struct Site {
    /// By their paths, in small letters if those do not count.
    pages: BTreeMap<Box<str>, Arc<Page>>,
    routes: route::Routes,
    /// How a path without a route is answered.
    plain: Arc<Route>,
    /// All devices of the profile share them.
    templates: Arc<Templates>,
    errors: BTreeMap<u16, Reply>,
    index: Vec<Box<str>>,
    /// Types by extension, besides those that everybody knows.
    types: BTreeMap<String, Arc<str>>,
    folders: Folders,
    ignore_case: bool,
    /// Who may see pages whose route says nothing.
    login: May,
    login_page: Option<Text>,
    realm: Arc<str>,
}

/// One request on its way to its answer.
struct Turn<'a, 'r> {
    site: &'a Site,
    request: Option<&'a Request<'r>>,
    /// As whom the visitor is answered.
    account: Option<Arc<Account>>,
    form: Arc<Fields>,
    result: Option<minijinja::Value>,
}

impl Site {
    /// The answer to a request whose method the server has: never asked for CONNECT, OPTIONS and TRACE.
    pub(super) fn answer(&self, request: &Request<'_>, visitor: &Visitor<'_>, cx: &mut Context<'_>) -> Answer {
        let mut path = resolve("/", &request.path);
        if request.path.ends_with('/') && path != "/" {
            path.push('/');
        }
        let path = self.key(path);
        let route = self.routes.find(&path).unwrap_or(&self.plain).clone();
        let (query, body) = (request::query(request), self.form(request));
        let turn = Turn {
            site: self,
            request: Some(request),
            account: visitor.account.clone(),
            form: Arc::new(body.fields.clone()),
            result: None,
        };
        let put = (request.method == Method::Put).then_some((&*path, &*request.body));
        let mut fields = query.clone();
        fields.0.extend(body.fields.0.iter().cloned());
        let sent = Sent { method: name(request.method), fields: &fields, form: &body, put, visitor };
        match turn.barrier(&route, &path, cx) {
            Some(answer) => with(answer, Outcome::refuse(&sent, cx), sent.method),
            None => turn.perform(&route, &path, &query, &sent, cx),
        }
    }

    /// The page that tells this status. There is no request if what came was none.
    pub(super) fn status(
        &self,
        status: u16,
        request: Option<&Request<'_>>,
        visitor: &Visitor<'_>,
        cx: &mut Context<'_>,
    ) -> Answer {
        let (account, form) = (visitor.account.clone(), Arc::default());
        Turn { site: self, request, account, form, result: None }.status(status, cx)
    }

    fn form<'r>(&self, request: &'r Request<'_>) -> Form<'r> {
        match request.method {
            Method::Get | Method::Head | Method::Put => Form::default(),
            _ => Form::read(request.field("content-type"), &request.body),
        }
    }

    fn key(&self, path: String) -> String {
        if self.ignore_case { path.to_lowercase() } else { path }
    }

    /// The type of what is called so.
    fn media(&self, path: &str) -> Arc<str> {
        let extension = media::extension(path).unwrap_or_default();
        let own = self.types.get(&extension).cloned();
        own.unwrap_or_else(|| media::usual(&extension).unwrap_or(media::UNKNOWN).into())
    }

    /// The page at a path, or the index of the folder there.
    fn page(&self, path: &str) -> Option<&Arc<Page>> {
        match path.ends_with('/') {
            true => self.index.iter().find_map(|index| self.pages.get(format!("{path}{index}").as_str())),
            false => self.pages.get(path),
        }
    }

    /// The pages under a folder, by what stands behind its path.
    fn inside<'s>(&'s self, folder: &'s str) -> impl Iterator<Item = (&'s str, &'s Arc<Page>)> {
        let from = std::ops::Bound::Excluded(folder);
        let behind = self.pages.range::<str, _>((from, std::ops::Bound::Unbounded));
        behind.map_while(move |(path, page)| Some((path.strip_prefix(folder)?, page)))
    }
}

impl<'r> Turn<'_, 'r> {
    /// The answer to those who may not do this here.
    fn barrier(&self, route: &Route, path: &str, cx: &mut Context<'_>) -> Option<Answer> {
        let may = route.login.as_ref().unwrap_or(&self.site.login);
        if !may.admits(self.account.as_deref(), cx.device()) {
            return Some(match (&self.account, &self.site.login_page) {
                (Some(_), _) => self.status(403, cx),
                (None, Some(page)) => self.redirect(302, page, cx),
                (None, None) => {
                    let realm = Some(self.site.realm.clone());
                    Answer { realm, ..self.status(401, cx) }
                }
            });
        }
        let method = self.request.map_or(Method::Get, |request| request.method);
        if route.has(method) {
            return None;
        }
        if std::ptr::eq(route, &*self.site.plain) && self.site.page(path).is_none() {
            return Some(self.status(404, cx));
        }
        let mut answer = self.status(405, cx);
        answer.more.push(("Allow".into(), route.allow().into()));
        Some(answer)
    }

    /// Does what was sent, and shows what comes of it.
    fn perform(mut self, route: &Route, path: &str, query: &Fields, sent: &Sent<'_>, cx: &mut Context<'_>) -> Answer {
        let mut outcome = route.deeds.perform(sent, cx);
        let stray = if route.deeds.upload.is_none() { Outcome::refuse(sent, cx) } else { Outcome::default() };
        if let Some(account) = outcome.account.take() {
            self.account = account;
        }
        let next = if outcome.is_good() { &route.success } else { &route.failure };
        let reply = route.reply(query, &self.form);
        // A page that was only looked at has no result, and need not be rendered for it.
        self.result = (!outcome.is_none()).then(|| outcome.shown());
        let answer = match next.as_ref().filter(|_| !outcome.is_none()) {
            Some(next) => {
                let status = reply.status.filter(|status| (300..400).contains(status)).unwrap_or(302);
                self.redirect(status, next, cx)
            }
            None if sent.put.is_some() && route.deeds.upload.is_some() => self.took(&outcome, cx),
            None => self.reply(route, reply, path, cx),
        };
        with(with(answer, outcome, sent.method), stray, sent.method)
    }

    /// What answers a PUT (RFC 9110 §9.3.4).
    fn took(&self, outcome: &Outcome, cx: &mut Context<'_>) -> Answer {
        match outcome.is_good() {
            true => self.status(201, cx),
            false => self.status(403, cx),
        }
    }

    /// What a route answers.
    fn reply(&self, route: &Route, reply: &Reply, path: &str, cx: &mut Context<'_>) -> Answer {
        if let (Some((under, folder)), Shown::Own) = (&route.tree, &reply.shown) {
            return self.tree(under, folder, path, reply, cx);
        }
        let page = match &reply.shown {
            Shown::Redirect(place) => {
                let answer = self.redirect(reply.status.unwrap_or(302), place, cx);
                return self.dressed(answer, reply, cx);
            }
            Shown::Page(page) => Some(page),
            Shown::Own => self.site.page(path),
            Shown::Path(own) => self.site.page(own),
        };
        match page {
            Some(page) => self.show(page, reply.status.unwrap_or(200), reply, cx),
            None => match reply.status {
                Some(status) if status >= 300 => {
                    let answer = self.status(status, cx);
                    self.dressed(answer, reply, cx)
                }
                Some(status) => self.dressed(Answer { status, ..Answer::default() }, reply, cx),
                None => self.missing(path, cx),
            },
        }
    }

    /// What answers at a path that has no page.
    fn missing(&self, path: &str, cx: &mut Context<'_>) -> Answer {
        let folder = if path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
        if self.site.inside(&folder).next().is_none() {
            return self.status(404, cx);
        }
        if path != folder {
            // The folder with a slash behind it, as all servers do.
            let spelled = self.request.map_or(path, |request| &request.path);
            return self.redirect(301, &Text::Plain(format!("{spelled}/").into()), cx);
        }
        match self.site.folders {
            Folders::Missing => self.status(404, cx),
            Folders::Forbidden => self.status(403, cx),
            Folders::List => self.list_pages(&folder),
        }
    }

    fn status(&self, status: u16, cx: &mut Context<'_>) -> Answer {
        let Some(reply) = self.site.errors.get(&status) else { return Answer { status, ..Answer::default() } };
        let told = reply.status.unwrap_or(status);
        match &reply.shown {
            Shown::Page(page) => self.show(page, told, reply, cx),
            Shown::Redirect(place) => {
                let answer = self.redirect(reply.status.unwrap_or(302), place, cx);
                self.dressed(answer, reply, cx)
            }
            Shown::Own | Shown::Path(_) => self.dressed(Answer { status: told, ..Answer::default() }, reply, cx),
        }
    }

    fn redirect(&self, status: u16, place: &Text, cx: &mut Context<'_>) -> Answer {
        let mut answer = self.status(status, cx);
        answer.status = status;
        match self.line(place, status, cx) {
            Ok(place) => answer.more.push(("Location".into(), place.into())),
            Err(failed) => return failure(failed),
        }
        answer
    }

    /// A page, with what its route says.
    fn show(&self, page: &Page, status: u16, reply: &Reply, cx: &mut Context<'_>) -> Answer {
        let mut answer = Answer { status, media: Some(page.media.clone()), ..Answer::default() };
        match &page.body {
            Body::Fixed(content, made, tag) => {
                answer.body = content.clone();
                if status == 200 {
                    answer.modified = reply.made.or(*made).map(|made| cx.device().files().time(made));
                    answer.tag.clone_from(tag);
                    answer.ranges = true;
                }
            }
            Body::Template(template) => match template.content(&self.view(status, cx)) {
                Ok(content) => {
                    answer.body = content;
                    answer.modified = reply.made.map(|made| cx.device().files().time(made));
                }
                Err(failed) => return failure(failed),
            },
        }
        self.dressed(answer, reply, cx)
    }

    /// An answer with what its route says of type, header fields, delay and chunks.
    fn dressed(&self, mut answer: Answer, reply: &Reply, cx: &Context<'_>) -> Answer {
        if reply.media.is_some() {
            answer.media.clone_from(&reply.media);
        }
        if answer.fields.is_empty() {
            answer.fields = reply.fields.clone();
        } else {
            // A page that tells a status has fields of its own.
            answer.more.extend(reply.fields.iter().cloned());
        }
        for (name, value) in &reply.values {
            // What a visitor sent may stand in it, and must not become a field of its own.
            match self.line(value, answer.status, cx) {
                Ok(value) if value.is_empty() => {}
                Ok(value) => answer.more.push((name.clone(), value.into())),
                Err(failed) => return failure(failed),
            }
        }
        answer.delay = reply.delay.or(answer.delay);
        if let Framing::Chunked { .. } = &reply.framing {
            answer.framing.clone_from(&reply.framing);
        }
        answer
    }

    /// A line of text; what cannot be in a header field is left out.
    fn line(&self, text: &Text, status: u16, cx: &Context<'_>) -> Result<String, Failed> {
        match text {
            Text::Plain(text) => Ok(text.to_string()),
            Text::Template(name) => {
                let line = self.view(status, cx).line(name)?;
                Ok(line.trim().chars().filter(|c| !c.is_control()).collect())
            }
        }
    }

    fn view<'s>(&'s self, status: u16, cx: &Context<'s>) -> Show<'s, 'r> {
        Show {
            templates: &self.site.templates,
            session: cx.session,
            now: cx.now,
            account: self.account.as_deref(),
            request: self.request,
            form: self.form.clone(),
            result: self.result.clone(),
            status,
        }
    }

    /// A page that is made on the spot.
    fn made(&self, text: String) -> Answer {
        Answer { media: Some("text/html".into()), body: Content::new(text.into_bytes()), ..Answer::default() }
    }
}

/// What answers where a template fails.
fn failure(Failed(why): Failed) -> Answer {
    Answer { status: 500, failure: Some(why), ..Answer::default() }
}

/// An answer with what was done before it.
fn with(mut answer: Answer, mut outcome: Outcome, method: &'static str) -> Answer {
    answer.more.extend(outcome.cookies.drain(..).map(|cookie| (Box::from("Set-Cookie"), cookie)));
    answer.digest = answer.digest.or(outcome.digest);
    let status = answer.status;
    answer.kinds.extend(outcome.kinds(method, status));
    answer
}

const fn name(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Head => "head",
        Method::Post => "post",
        Method::Put => "put",
        Method::Delete => "delete",
        Method::Patch => "patch",
        Method::Connect | Method::Options | Method::Trace | Method::Other => "other",
    }
}
