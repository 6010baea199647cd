//! What an operator is told when something is wrong: where, what, and what would be right. Apart, because every command
//! says it in the same way.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use honeyplant_core::settings::Problem;
use std::{fmt, io::IsTerminal};

/// A file that an operator wrote.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// How the file is called in messages.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

impl Source {
    /// A problem of this file, with the line that it is at.
    pub(crate) fn complain(&self, problem: &Problem) -> String {
        let title = if problem.key.is_empty() || problem.span.is_some() {
            problem.message.clone()
        } else {
            format!("{}: {}", problem.key, problem.message)
        };
        let mut group = Group::with_title(Level::ERROR.primary_title(&title));
        let span = problem.span.clone().unwrap_or(0..0);
        let end = self.text.len();
        // What stands on several lines, such as a whole table, is shown by its first.
        let first = self.text.get(span.start..).and_then(|rest| rest.find('\n')).map_or(end, |at| span.start + at);
        let span = span.start.min(end)..span.end.min(first).max(span.start.min(end));
        let snippet = Snippet::source(&self.text).path(&self.path);
        let annotation = AnnotationKind::Primary.span(span).label(&problem.key);
        if problem.span.is_some() {
            group = group.element(snippet.annotation(annotation));
        } else {
            group = group.element(annotate_snippets::Origin::path(&self.path));
        }
        if let Some(hint) = &problem.hint {
            group = group.element(Level::HELP.message(hint));
        }
        let renderer = if std::io::stderr().is_terminal() { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// Why a command did not do what it was told: one message or several, ready to be read.
#[derive(Debug, Default)]
pub(crate) struct Failure(pub Vec<String>);

impl Failure {
    /// One message with what would be right.
    pub(crate) fn new(message: impl fmt::Display, hint: impl fmt::Display) -> Self {
        Self(vec![format!("error: {message}\n  = help: {hint}")])
    }

    /// `Err` of all that was collected, if anything was.
    pub(crate) fn check(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Keeps what is wrong in `result` and goes on.
    pub(crate) fn keep<T>(&mut self, result: Result<T, Self>) -> Option<T> {
        result.map_err(|more| self.0.extend(more.0)).ok()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n\n"))?;
        match self.0.len() {
            0 | 1 => Ok(()),
            n => write!(f, "\n\n{n} problems in all"),
        }
    }
}

/// Says what was tried when the machine failed.
pub(crate) trait Tried<T> {
    /// `what` completes the sentence "cannot …".
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Tried<T> for Result<T, E> {
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure(vec![format!("error: cannot {}: {error}", what())]))
    }
}
