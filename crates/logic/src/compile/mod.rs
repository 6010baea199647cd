//! From the tree to instructions over slots. Apart, because here the meaning of the language is decided: names, types,
//! and where every value lies.
//!
//! A program is compiled in this order: names of types and units, global variables and constants, the variables of the
//! units (instances are laid out when they are first met), then the bodies. Nothing that stands first in this order needs
//! what comes later, except constants and types, which are worked out when they are first asked for.

mod access;
mod argument;
mod block;
mod branch;
mod call;
mod constant;
mod convert;
mod declare;
mod emit;
mod expression;
mod form;
mod initial;
mod inputs;
mod instruction;
mod operator;
mod place;
mod retain;
mod scope;
mod standard;
mod statement;
mod types;
mod unit;

use crate::{
    Span, parse,
    run::Code,
    syntax::{Name, Source},
};
use declare::Kept;
use emit::{Emitter, Label};
use honeyplant_core::{
    plant::{Plant, TagId, Type},
    settings::{Problem, Problems},
};
use inputs::Inputs;
use scope::{Constant, Scope};
use std::collections::BTreeMap;
use types::{Progress, TypeId, Types};
use unit::Unit;

/// How many slots a program may have.
const LARGEST: u32 = 1 << 18;
/// How many instructions.
const LONGEST: usize = 1 << 19;
/// How many declarations or calls may need each other, one in the other.
const DEEPEST: usize = 64;
/// How many mistakes are told.
const MOST: usize = 50;

/// What is known of a program while it is compiled.
struct Compiler<'a> {
    source: &'a Source,
    text: &'a str,
    plant: &'a mut Plant,
    problems: Problems,
    types: Types<'a>,
    /// The declared types by name, as their places in the source.
    type_names: BTreeMap<&'a str, usize>,
    type_progress: Vec<Progress>,
    natives: BTreeMap<&'static str, TypeId>,
    units: Vec<Unit<'a>>,
    unit_names: BTreeMap<&'a str, usize>,
    /// The enumerated values by name: in which declared types, and as which of their values.
    enumerated: BTreeMap<&'a str, Vec<usize>>,
    /// The tags that the plant had before, by their names in capitals.
    tags: BTreeMap<String, (String, TagId, Type)>,
    /// The scope of the text, then one for each unit.
    scopes: Vec<Scope<'a>>,
    /// In which of them names are looked up now.
    here: usize,
    constants: Vec<Constant<'a>>,
    inputs: Inputs,
    /// How many declarations wait for each other now.
    depth: usize,
    /// What lies in the persistent slots.
    kept: Vec<Kept<'a>>,
    /// Whether the whole text could be read.
    is_read: bool,
    /// Where RETURN goes to in a program.
    leaving: Option<Label>,
    code: Code,
    emitter: Emitter,
}

/// Compiles `text` for the tags of `plant`, and adds to it the tags that the program declares.
pub(crate) fn compile(text: &str, plant: &mut Plant) -> Result<Code, Problems> {
    let (source, mut problems) = parse::parse(text);
    let unread: Vec<usize> =
        problems.iter().filter_map(|problem| Some(line_at(text, problem.span.as_ref()?))).collect();
    let mut compiler = Compiler::new(text, &source, plant);
    compiler.is_read = problems.is_empty();
    compiler.program();
    // Where a line could not be read the tree holds made-up values: what is said of them helps nobody.
    let Compiler { problems: found, code, .. } = compiler;
    problems.extend(
        found
            .into_iter()
            .filter(|problem| problem.span.as_ref().is_none_or(|span| !unread.contains(&line_at(text, span)))),
    );
    problems.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
    problems.dedup();
    problems.truncate(MOST);
    if problems.is_empty() { Ok(code) } else { Err(problems) }
}

/// The line of `text`, from 1, that `span` begins on.
fn line_at(text: &str, span: &Span) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or(text.as_bytes());
    before.iter().filter(|octet| **octet == b'\n').count() + 1
}

impl<'a> Compiler<'a> {
    fn new(text: &'a str, source: &'a Source, plant: &'a mut Plant) -> Self {
        let mut tags = BTreeMap::new();
        for name in plant.names() {
            if let Some(id) = plant.find(name) {
                tags.entry(name.to_ascii_uppercase()).or_insert((name.to_owned(), id, plant.type_of(id)));
            }
        }
        Self {
            source,
            text,
            plant,
            problems: Problems::new(),
            types: Types::new(),
            type_names: BTreeMap::new(),
            type_progress: vec![Progress::Waiting; source.types.len()],
            natives: BTreeMap::new(),
            units: source.units.iter().map(Unit::new).collect(),
            unit_names: BTreeMap::new(),
            enumerated: BTreeMap::new(),
            tags,
            scopes: (0..=source.units.len()).map(|_| Scope::default()).collect(),
            here: 0,
            constants: Vec::new(),
            inputs: Inputs::default(),
            depth: 0,
            kept: Vec::new(),
            is_read: true,
            leaving: None,
            code: Code::default(),
            emitter: Emitter::new(text),
        }
    }

    fn program(&mut self) {
        self.declare_names();
        self.no_program();
        self.declare_globals();
        self.declare_units();
        self.code.persistent = self.code.memory.len();
        self.code.persistent_texts = self.code.texts.len();
        self.compile_units();
        self.refuse_recursion();
        self.list_retained();
        self.finish();
    }

    /// Does `work` for a declaration that another one needs.
    fn nested<T>(&mut self, span: &Span, work: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= DEEPEST {
            return self.fail(span, format!("declarations lie more than {DEEPEST} deep in each other"), Hint(None));
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    /// Does `work` where the names of `scope` are visible.
    fn in_scope<T>(&mut self, scope: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.here, scope);
        let result = work(self);
        self.here = before;
        result
    }

    /// Tells a mistake.
    fn problem(&mut self, span: &Span, message: impl Into<String>, hint: impl Into<Hint>) {
        let problem = Problem::new("", message).at(span.clone());
        self.problems.push(Problem { hint: hint.into().0, ..problem });
    }

    /// Tells a mistake; there is no result then.
    fn fail<T>(&mut self, span: &Span, message: impl Into<String>, hint: impl Into<Hint>) -> Option<T> {
        self.problem(span, message, hint);
        None
    }

    /// Tells that `name` is the name of no `what`.
    fn unknown<T>(&mut self, what: &str, name: &Name, known: &[&str]) -> Option<T> {
        let problem = Problem::unknown("", what, &name.text, known.iter().copied());
        self.problems.push(problem.at(name.span.clone()));
        None
    }

    /// The text at `span` on one line.
    fn written(&self, span: &Span) -> String {
        self.text.get(span.clone()).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// What would be right, if that can be told.
struct Hint(Option<String>);

impl From<&str> for Hint {
    fn from(hint: &str) -> Self {
        Self(Some(hint.to_owned()))
    }
}

impl From<String> for Hint {
    fn from(hint: String) -> Self {
        Self(Some(hint))
    }
}

impl From<Option<String>> for Hint {
    fn from(hint: Option<String>) -> Self {
        Self(hint)
    }
}
