//! All templates of a device's pages. Apart, because whatever can be wrong with them is told before any is shown, and what
//! rendering may cost is bounded here.

use super::{
    filters, memory,
    names::{Name, Names, Usage, line_of},
    scope::{GLOBALS, Scope},
};
use honeyplant_core::{
    device::Device,
    files::resolve,
    settings::{Problem, Problems},
};
use minijinja::{
    AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value, context, value::ValueKind,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// How many steps a page may take, and how many bytes it may have.
const MOST_STEPS: u64 = 200_000;
const MOST_BYTES: usize = 1 << 20;

/// A text that is a template.
pub(super) struct Source {
    pub(super) text: String,
    /// Whether what is put in is escaped for HTML and XML.
    pub(super) markup: bool,
    pub(super) origin: Origin,
}

/// Where a template was written.
pub(super) enum Origin {
    /// In a file of `www/`.
    File,
    /// In the profile, at this key.
    Setting(String, Range<usize>),
}

/// The templates by their names: those of files are their paths.
pub(super) type Sources = BTreeMap<Box<str>, Source>;

/// The templates, ready to be rendered.
pub(super) struct Templates {
    environment: Environment<'static>,
    usage: BTreeMap<Box<str>, Usage>,
}

/// Why a template was not rendered, in the words of the record.
#[derive(Debug)]
pub(super) struct Failed(pub(super) &'static str);

impl Templates {
    /// The templates that `sources` are. What is no template is told.
    pub(super) fn build(sources: &Sources, problems: &mut Problems) -> Self {
        let mut environment = environment(sources);
        for (name, source) in sources {
            if let Err(error) = environment.add_template_owned(name.to_string(), source.text.clone()) {
                let why = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
                problems.push(source.problem(name, error.line().unwrap_or(1), Problem::new("", why)));
            }
        }
        let names: BTreeMap<&str, Names<'_>> = sources.iter().map(|(name, s)| (&**name, Names::of(&s.text))).collect();
        let usage = sources.keys().map(|name| (name.clone(), usage(name, &names, &mut BTreeSet::new()))).collect();
        Self { environment, usage }
    }

    /// Looks all names up that the templates use for a device. All that is wrong with them is told.
    pub(super) fn check(&self, sources: &Sources, device: &Device, problems: &mut Problems) {
        let names = sources.iter().map(|(name, s)| (&**name, Names::of(&s.text))).collect();
        let check = Check { environment: &self.environment, sources, names: &names, device };
        let sound = sources.iter().filter(|(name, _)| self.environment.get_template(name).is_ok());
        sound.for_each(|(name, source)| check.all(name, source, problems));
    }

    /// What of the device a template shows, with all that it includes.
    pub(super) fn usage(&self, name: &str) -> Usage {
        self.usage.get(name).copied().unwrap_or_default()
    }

    /// A template as it is now.
    pub(super) fn render(&self, name: &str, scope: Scope) -> Result<String, Failed> {
        let template = self.environment.get_template(name).map_err(failed)?;
        let text = template.render(Value::from_object(scope)).map_err(failed)?;
        if text.len() > MOST_BYTES { Err(Failed("the page is too long to be rendered")) } else { Ok(text) }
    }
}

impl Source {
    /// A problem at a line of the template called `name`.
    fn problem(&self, name: &str, line: usize, problem: Problem) -> Problem {
        match &self.origin {
            Origin::File => Problem { key: format!("www{name}:{line}"), ..problem },
            Origin::Setting(key, span) => Problem { key: key.clone(), span: Some(span.clone()), ..problem },
        }
    }
}

fn environment(sources: &Sources) -> Environment<'static> {
    let mut environment = Environment::new();
    let markup: BTreeSet<Box<str>> = sources.iter().filter(|(_, s)| s.markup).map(|(name, _)| name.clone()).collect();
    environment.set_auto_escape_callback(move |name| match markup.contains(name) {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.set_formatter(write);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_path_join_callback(|name, parent| joined(name, parent).into());
    environment.set_fuel(Some(MOST_STEPS));
    filters::add(&mut environment);
    environment
}

fn failed(error: minijinja::Error) -> Failed {
    // What an included template fails with stands behind the include.
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if error.downcast_ref().is_some_and(|error: &minijinja::Error| error.kind() == ErrorKind::OutOfFuel) {
            return Failed("the page takes too many steps to be rendered");
        }
        cause = error.source();
    }
    Failed("the page could not be rendered")
}

/// The templates that the template `text`, which is called `name`, includes.
pub(super) fn includes(text: &str, name: &str) -> Vec<String> {
    let names = Names::of(text).used.into_iter();
    names.filter_map(|(_, used)| if let Name::Include(file) = used { Some(joined(file, name)) } else { None }).collect()
}

/// The template that `parent` means by `name`.
fn joined(name: &str, parent: &str) -> String {
    resolve(honeyplant_core::files::split(parent).0, name)
}

/// Writes a value into a page. The language's own way would also escape `/`, which no device does, spell out `none`, and
/// write `True`, which no script understands.
fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    let failed = |_| minijinja::Error::from(ErrorKind::WriteFailure);
    if value.is_undefined() || value.is_none() {
        return Ok(());
    }
    let markup = matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe();
    let written: String;
    let text = match (value.as_str(), value.kind()) {
        (Some(text), _) => text,
        (None, ValueKind::Bool) if value.is_true() => "true",
        (None, ValueKind::Bool) => "false",
        (None, _) => {
            written = value.to_string();
            &written
        }
    };
    if !markup {
        return out.write_str(text).map_err(failed);
    }
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&', '"', '\'']) {
        let (before, behind) = rest.split_at(at);
        let mut characters = behind.chars();
        let entity = match characters.next() {
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('&') => "&amp;",
            Some('"') => "&quot;",
            _ => "&#39;",
        };
        out.write_str(before).and_then(|()| out.write_str(entity)).map_err(failed)?;
        rest = characters.as_str();
    }
    out.write_str(rest).map_err(failed)
}

/// What a template shows with all that it includes.
fn usage<'s>(name: &str, names: &BTreeMap<&'s str, Names<'s>>, seen: &mut BTreeSet<String>) -> Usage {
    let Some(own) = names.get(name).filter(|_| seen.insert(name.to_owned())) else { return Usage::default() };
    let included =
        own.used.iter().filter_map(|(_, used)| if let Name::Include(file) = used { Some(*file) } else { None });
    included.fold(own.usage, |whole, file| whole.with(usage(&joined(file, name), names, seen)))
}

/// The look at the names of one template.
struct Check<'a> {
    environment: &'a Environment<'static>,
    sources: &'a Sources,
    names: &'a BTreeMap<&'a str, Names<'a>>,
    device: &'a Device,
}

impl Check<'_> {
    fn all(&self, name: &str, source: &Source, problems: &mut Problems) {
        let Some(names) = self.names.get(name) else { return };
        let mut tell = |at: usize, problem| problems.push(source.problem(name, line_of(&source.text, at), problem));
        for (at, used) in &names.used {
            if let Err(problem) = self.one(name, *used) {
                tell(*at, problem);
            }
        }
        let undeclared = self.environment.get_template(name).map(|template| template.undeclared_variables(false));
        let undeclared: BTreeSet<String> = undeclared.unwrap_or_default().into_iter().collect();
        let given: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        for unknown in &undeclared {
            // Whoever includes this one may give the name.
            let elsewhere = self.names.values().any(|other| other.declared.contains(unknown.as_str()));
            if elsewhere || GLOBALS.contains(&unknown.as_str()) || given.contains(unknown.as_str()) {
                continue;
            }
            let at = names.bare.iter().find(|(_, bare)| bare == unknown).map_or(0, |(at, _)| *at);
            tell(at, Problem::unknown("", "name", unknown, GLOBALS.iter().copied().chain(given.iter().copied())));
        }
    }

    fn one(&self, parent: &str, used: Name<'_>) -> Result<(), Problem> {
        match used {
            Name::Tag(tag) => {
                let plant = self.device.still();
                if plant.find(tag).is_some() { Ok(()) } else { Err(Problem::unknown("", "tag", tag, plant.names())) }
            }
            Name::Identity(key) => match self.device.identity().get(key) {
                Some(_) => Ok(()),
                None => {
                    let known = self.device.identity().0.keys().map(String::as_str);
                    Err(Problem::unknown("", "identity", key, known))
                }
            },
            Name::Address(address) => {
                let plant = self.device.still();
                if plant.find(address).is_some() {
                    return Ok(());
                }
                memory::locate(plant.image(), address, Some("BOOL")).map(drop).map_err(|why| Problem::new("", why))
            }
            Name::Filter(filter) if !self.has(filter, "filter") => {
                Err(Problem::unknown("", "filter", filter, filters::KNOWN))
            }
            Name::Test(test) if !self.has(test, "test") => {
                let known = ["defined", "none", "odd", "even", "number", "string", "true", "false", "divisibleby"];
                Err(Problem::unknown("", "test", test, known))
            }
            Name::Include(file) if !self.sources.contains_key(joined(file, parent).as_str()) => {
                let known = self.sources.iter().filter(|(_, source)| matches!(source.origin, Origin::File));
                Err(Problem::unknown("", "page to include", file, known.map(|(name, _)| &**name)))
            }
            Name::Filter(_) | Name::Test(_) | Name::Include(_) => Ok(()),
        }
    }

    /// Whether the language has this filter or test.
    fn has(&self, name: &str, what: &str) -> bool {
        let known = self.environment.compile_expression_owned(format!("name is {what}"));
        known.and_then(|known| known.eval(context! { name => name })).is_ok_and(|known| known.is_true())
    }
}
