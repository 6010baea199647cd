//! Pages made from their settings and from the folder `www/`: every name is looked up, and all mistakes are told at once.
//! Apart, because nothing of it runs once a device does.

mod forms;
mod routes;

use super::{
    super::{
        answer::{Field, Framing},
        settings::Delay,
    },
    Site, media,
    names::is_template,
    page::{Body, Page, Template},
    route::{May, Reply, Route, Shown, Text},
    settings::{Pages, Routes},
    template::{Origin, Source, Sources, Templates},
};
use honeyplant_core::{
    device::Device,
    files::{Content, Dated, resolve},
    settings::{Problem, Problems},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};
use toml::Spanned;

impl Site {
    /// The pages that the settings describe; `key` is that of the table `[http]`. All mistakes are told.
    pub(in crate::http) fn build(
        routes: &Routes,
        pages: &Pages,
        key: &str,
        device: &Device,
        problems: &mut Problems,
    ) -> Self {
        let mut desk = Desk { settings: pages, key, device, problems, sources: Sources::new(), pages: BTreeMap::new() };
        desk.made("/");
        desk.read_pages();
        desk.add_inlines(routes);
        let errors = desk.errors();
        let table = desk.routes(routes);
        let plain = Arc::new(Route { reply: desk.reply(&Wish::default(), "", None), ..Route::default() });
        let login = pages.login.as_ref().map_or(May::Anybody, |who| desk.may(who, "pages.login"));
        let login_page = pages.login_page.as_ref().map(|text| desk.line(text, "pages.login-page"));
        let realm = desk.realm();
        let templates = device.pages().made().unwrap_or_else(|| {
            let templates = Arc::new(Templates::build(&desk.sources, desk.problems));
            device.pages().keep(templates.clone());
            templates
        });
        templates.check(&desk.sources, device, desk.problems);
        Self {
            pages: desk.shown(),
            routes: table,
            plain,
            templates,
            errors,
            index: pages.index.iter().map(|name| desk.folded(name).into()).collect(),
            types: pages.types.iter().map(|(name, media)| (name.to_lowercase(), media.as_str().into())).collect(),
            folders: pages.folders,
            ignore_case: pages.ignore_case,
            login,
            login_page,
            realm,
        }
    }
}

/// What is at hand while settings are read.
struct Desk<'a> {
    settings: &'a Pages,
    key: &'a str,
    device: &'a Device,
    problems: &'a mut Problems,
    sources: Sources,
    /// All pages, those among them that nobody can ask for.
    pages: BTreeMap<Box<str>, Arc<Page>>,
}

/// What a route, a trigger or a status wants answered.
#[derive(Default)]
struct Wish {
    file: Option<Spanned<String>>,
    /// The name of the page that stands in the settings.
    inline: Option<String>,
    redirect: Option<Spanned<String>>,
    status: Option<u16>,
    media: Option<String>,
    headers: Vec<Spanned<String>>,
    delay: Option<Delay>,
    cache: Option<String>,
    modified: Option<Spanned<String>>,
    framing: Framing,
}

impl Desk<'_> {
    fn tell(&mut self, field: &str, span: Range<usize>, problem: Problem) {
        let span = (span != (0..0)).then_some(span);
        self.problems.push(Problem { key: format!("{}.{field}", self.key), span, ..problem });
    }

    fn folded(&self, path: &str) -> String {
        if self.settings.ignore_case { path.to_lowercase() } else { path.to_owned() }
    }

    fn media(&self, path: &str) -> Arc<str> {
        let extension = media::extension(path).unwrap_or_default();
        let own = self.settings.types.iter().find(|(known, _)| known.eq_ignore_ascii_case(&extension));
        own.map_or_else(|| media::usual(&extension).unwrap_or(media::UNKNOWN), |(_, media)| media).into()
    }

    /// The files of `www/`.
    fn read_pages(&mut self) {
        let lies_in = |path: &str, folders: &[String]| folders.iter().any(|folder| path.starts_with(folder.as_str()));
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        let (mut plain, mut included) = (BTreeMap::new(), BTreeSet::new());
        for (path, content) in self.device.pages().files() {
            let (media, key) = (self.media(path), Box::from(self.folded(path)));
            let may = media::is_text(&media) && !lies_in(path, &self.settings.plain);
            let body = match text(content).filter(|_| may) {
                Some(text) if is_template(&text) => {
                    included.extend(super::template::includes(&text, path));
                    let source = Source { text, markup: media::is_markup(&media), origin: Origin::File };
                    self.sources.insert(path.clone(), source);
                    Body::Template(Template::new(path))
                }
                kept => {
                    if let Some(text) = kept {
                        plain.insert(path.clone(), (text, media.clone()));
                    } else if may && is_template(&String::from_utf8_lossy(content)) {
                        let why = Problem::new(format!("www{path}"), "a template is text in UTF-8, and this is not");
                        self.problems.push(why.hint("save it as UTF-8, or name its folder in `pages.plain`"));
                    }
                    self.fixed(path, content.clone())
                }
            };
            if let Some(page) = self.pages.insert(key, Arc::new(Page { media, body })) {
                drop(page);
                let why = "there is another page at this path, since large and small letters are the same";
                self.problems.push(Problem::new(format!("www{path}"), why));
            }
        }
        // What others include is a template even if it has nothing of one.
        for (path, (text, media)) in plain.into_iter().filter(|(path, _)| included.contains(&**path)) {
            self.sources.insert(path, Source { text, markup: media::is_markup(&media), origin: Origin::File });
        }
    }

    fn fixed(&mut self, path: &str, content: Content) -> Body {
        let made = self.made(path);
        let tag = self.settings.etags.then(|| {
            // As the servers make them that make them of time and size.
            let age = made.map_or(0, |made| self.device.files().time(made).as_secs());
            format!("\"{:x}-{age:x}\"", content.len()).into()
        });
        Body::Fixed(content, made, tag)
    }

    /// When the page at this path was made, if pages tell.
    fn made(&mut self, path: &str) -> Option<Dated> {
        let when = self.settings.modified.clone();
        (!when.get_ref().is_empty()).then(|| self.date(&when, path, "pages.modified")).flatten()
    }

    fn date(&mut self, when: &Spanned<String>, path: &str, field: &str) -> Option<Dated> {
        let dated = self.device.files().date(&when.get_ref().as_str().into(), self.device.identity(), path);
        dated.map_err(|why| self.once(field, when.span(), Problem::new("", why))).ok()
    }

    /// Tells what many pages have in common only once.
    fn once(&mut self, field: &str, span: Range<usize>, problem: Problem) {
        let known = self.problems.iter().any(|other| other.key == format!("{}.{field}", self.key));
        if !known {
            self.tell(field, span, problem);
        }
    }

    /// Adds the page that stands in the settings at `field`; how it is called from then on.
    fn inline(&mut self, text: &str, media: Option<&str>, path: &str, field: &str, span: Range<usize>) -> String {
        // Includes are looked for beside the path that it answers at.
        let name = resolve("/", &format!("{path}\u{1}{field}"));
        let usual = if media::extension(path).is_some() { self.media(path) } else { "text/html".into() };
        let media: Arc<str> = media.map_or(usual, Into::into);
        let body = if is_template(text) {
            let origin = Origin::Setting(format!("{}.{field}", self.key), span);
            let source = Source { text: text.to_owned(), markup: media::is_markup(&media), origin };
            self.sources.insert(name.as_str().into(), source);
            Body::Template(Template::new(&name))
        } else {
            Body::Fixed(Content::new(text.as_bytes().to_vec()), None, None)
        };
        self.pages.insert(name.as_str().into(), Arc::new(Page { media, body }));
        name
    }

    /// A line of text that may be a template.
    fn line(&mut self, text: &Spanned<String>, field: &str) -> Text {
        if !is_template(text.get_ref()) {
            return Text::Plain(text.get_ref().as_str().into());
        }
        let name: Box<str> = format!("/\u{1}{field}").into();
        let origin = Origin::Setting(format!("{}.{field}", self.key), text.span());
        self.sources.insert(name.clone(), Source { text: text.get_ref().clone(), markup: false, origin });
        Text::Template(name)
    }

    /// The header fields of `lines`: those that are always the same, and those that are templates.
    fn fields(&mut self, lines: &[Spanned<String>], field: &str) -> (Vec<Field>, Vec<(Box<str>, Text)>) {
        const TOKEN: &[u8] = b"!#$%&'*+-.^_`|~";
        let (mut fixed, mut values) = (Vec::new(), Vec::new());
        for (index, line) in lines.iter().enumerate() {
            let key = format!("{field}[{index}]");
            let parts = line.get_ref().split_once(':').map(|(name, value)| (name, value.trim()));
            // RFC 9110 §5.1 and §5.5.
            let is_name = |name: &str| {
                !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || TOKEN.contains(&octet))
            };
            let Some((name, value)) = parts.filter(|(name, value)| is_name(name) && !value.contains(char::is_control))
            else {
                let problem = Problem::new("", format!("`{}` is no header field", line.get_ref()));
                self.tell(&key, line.span(), problem.hint("write it as `Name: value`"));
                continue;
            };
            let instead = match name.to_ascii_lowercase().as_str() {
                "content-type" => Some("say it as `type`"),
                "last-modified" => Some("say it as `modified`"),
                "content-length" | "transfer-encoding" | "connection" | "date" | "etag" | "trailer" => {
                    Some("the server writes it itself")
                }
                _ => None,
            };
            if let Some(hint) = instead {
                self.tell(&key, line.span(), Problem::new("", format!("`{name}` is no field of a page")).hint(hint));
                continue;
            }
            match self.line(&Spanned::new(line.span(), value.to_owned()), &key) {
                Text::Plain(value) => fixed.push((name.into(), value)),
                template @ Text::Template(_) => values.push((name.into(), template)),
            }
        }
        (fixed, values)
    }

    /// What a wish comes to; what it does not say, `base` does.
    fn reply(&mut self, wish: &Wish, field: &str, base: Option<&Reply>) -> Reply {
        let (mut fixed, mut values) = self.fields(&wish.headers, &format!("{field}.headers"));
        let cache = wish.cache.clone().or_else(|| self.settings.cache.clone()).filter(|_| base.is_none());
        fixed.extend(cache.map(|cache| (Box::from("Cache-Control"), Box::from(cache))));
        let mut shown = base.map_or(Shown::Own, |base| base.shown.clone());
        if let Some(place) = &wish.redirect {
            shown = Shown::Redirect(self.line(place, &format!("{field}.redirect")));
        }
        if let Some(file) = &wish.file {
            match self.file(file, &format!("{field}.file")) {
                Some(page) => shown = Shown::Page(page),
                None => shown = Shown::Own,
            }
        }
        if let Some(page) = wish.inline.as_ref().and_then(|name| self.pages.get(name.as_str())) {
            shown = Shown::Page(page.clone());
        }
        let ways = usize::from(wish.file.is_some()) + usize::from(wish.inline.is_some());
        if ways + usize::from(wish.redirect.is_some()) > 1 {
            let span = wish.file.as_ref().or(wish.redirect.as_ref()).map_or(0..0, Spanned::span);
            self.tell(field, span, Problem::new("", "only one of `file`, `text` and `redirect` can be shown"));
        }
        if let Some(base) = base {
            fixed.splice(0..0, base.fields.iter().cloned());
            values.splice(0..0, base.values.iter().cloned());
        }
        Reply {
            status: wish.status.or_else(|| base.and_then(|base| base.status)),
            shown,
            media: wish.media.as_deref().map(Into::into).or_else(|| base.and_then(|base| base.media.clone())),
            fields: fixed.into(),
            values,
            delay: wish.delay.map(Delay::bounds).or_else(|| base.and_then(|base| base.delay)),
            made: wish.modified.as_ref().and_then(|when| self.date(when, field, &format!("{field}.modified"))),
            framing: base.map_or_else(|| wish.framing.clone(), |base| base.framing.clone()),
        }
    }

    /// The page that `file` names.
    fn file(&mut self, file: &Spanned<String>, field: &str) -> Option<Arc<Page>> {
        let path = self.folded(&resolve("/", file.get_ref()));
        if let Some(page) = self.pages.get(path.as_str()) {
            return Some(page.clone());
        }
        let known: Vec<&str> = self.device.pages().files().keys().map(|path| &**path).collect();
        let problem = Problem::unknown("", "page", &path, known);
        let problem = if self.device.pages().files().is_empty() {
            problem.hint("put it into `www/` beside the profile")
        } else {
            problem
        };
        self.tell(field, file.span(), problem);
        None
    }

    /// Adds all pages that stand in the settings, before anything else names pages.
    fn add_inlines(&mut self, routes: &Routes) {
        for (path, route) in &routes.0 {
            let key = format!("routes.{}", path.get_ref());
            let texts = [(key.clone(), &route.text, &route.r#type)].into_iter();
            let triggers = route.triggers.iter().enumerate();
            let texts =
                texts.chain(triggers.map(|(index, t)| (format!("{key}.triggers[{index}]"), &t.text, &t.r#type)));
            for (key, text, media) in texts {
                if let Some(text) = text {
                    let path = path.get_ref().trim_end_matches('*');
                    self.inline(text.get_ref(), media.as_deref(), path, &format!("{key}.text"), text.span());
                }
            }
        }
    }

    fn inline_name(path: &str, field: &str) -> String {
        resolve("/", &format!("{}\u{1}{field}", path.trim_end_matches('*')))
    }

    fn realm(&mut self) -> Arc<str> {
        let Some(realm) = &self.settings.realm else { return "".into() };
        self.device.identity().expand(realm.get_ref()).map_or_else(
            |name| {
                let known = self.device.identity().0.keys().map(String::as_str);
                let problem = Problem::unknown("", "identity", &name, known);
                self.tell("pages.realm", realm.span(), problem);
                "".into()
            },
            Into::into,
        )
    }

    /// The pages that can be asked for.
    fn shown(&mut self) -> BTreeMap<Box<str>, Arc<Page>> {
        let partials: Vec<String> = self.settings.partials.iter().map(|folder| self.folded(folder)).collect();
        let mut pages = std::mem::take(&mut self.pages);
        pages.retain(|path, _| {
            !path.contains('\u{1}') && !partials.iter().any(|folder| path.starts_with(folder.as_str()))
        });
        pages
    }
}
