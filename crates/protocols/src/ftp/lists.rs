//! Lists of files: LIST, NLST, MLSD, and STAT with a path (RFC 959 §4.1.3, RFC 3659 §7). Apart, because a list is made
//! from options and wildcards, and goes out line by line.

use super::{
    control::Control,
    glob,
    replies::{Field, Say},
    server::Lists,
    settings::{Dots, Listing},
    wire::Verb,
};
use honeyplant_core::{
    calendar::Civil,
    conversation::Context,
    event::FileAct,
    files::{
        Access, Facts, Kind, Refusal, View,
        listing::{self, Fact, Role},
        resolve, split, to_octets,
    },
};
use std::{collections::VecDeque, time::Duration};

/// How many names a list has at most.
const MOST: usize = 100_000;
/// How many bytes a list over the control connection has at most.
const HERE: usize = 256 * 1024;

/// A list, of which some may be sent already.
#[derive(Debug)]
pub(super) struct Lines {
    form: Form,
    now: Duration,
    items: VecDeque<Item>,
    count: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Long(Listing),
    Names,
    Facts(Vec<Fact>),
}

#[derive(Debug)]
enum Item {
    Text(String),
    Entry { name: Box<str>, facts: Facts, role: Role, perm: String },
}

/// What a list was asked for.
struct Wish<'a> {
    lists: Lists,
    form: Form,
    all: bool,
    recursive: bool,
    reverse: bool,
    folder: &'a str,
    path: &'a str,
}

impl Lines {
    /// How many names there are, or were.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Appends lines until there are about `length` bytes.
    pub(super) fn fill(&mut self, length: usize, out: &mut Vec<u8>) {
        while out.len() < length {
            let Some(item) = self.items.pop_front() else { return };
            let line = match (&item, &self.form) {
                (Item::Text(text), _) => text.clone(),
                (Item::Entry { name, .. }, Form::Names) => name.to_string(),
                (Item::Entry { name, facts, .. }, Form::Long(Listing::Unix)) => listing::unix(name, facts, self.now),
                (Item::Entry { name, facts, .. }, Form::Long(Listing::Dos)) => listing::dos(name, facts),
                (Item::Entry { name, facts, .. }, Form::Long(Listing::Vxworks)) => vxworks(name, facts),
                (Item::Entry { name, facts, role, perm }, Form::Facts(wanted)) => {
                    listing::mlsx(name, facts, *role, perm, wanted)
                }
            };
            out.extend(to_octets(&line));
            out.extend(b"\r\n");
        }
    }

    fn push(&mut self, name: &str, facts: Facts, role: Role, perm: String) {
        if self.items.len() < MOST {
            self.count += 1;
            self.items.push_back(Item::Entry { name: name.into(), facts, role, perm });
        }
    }
}

/// A line of VxWorks' server, as captures of clients show it.
fn vxworks(name: &str, facts: &Facts) -> String {
    let at = Civil::of(facts.modified);
    let (size, month, day, year) = (facts.size, at.month_name(), at.day, at.year);
    let folder = if facts.kind == Kind::Folder { "<DIR>" } else { "" };
    let time = format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second);
    format!("{size:8}    {month}-{day:02}-{year:04}  {time}   {name:<16}  {folder}")
}

/// What may be done with an entry (RFC 3659 §7.5.5). `above` says whether names in its folder may change.
pub(super) fn perm(view: &View<'_>, path: &str, facts: &Facts, above: bool) -> String {
    let may = |access| view.may(path, access).is_ok();
    let mut perm = String::new();
    let mut add = |letters: &str, is: bool| perm.push_str(if is { letters } else { "" });
    if facts.kind == Kind::Folder {
        add("cm", may(Access::Write));
        add("df", above);
        add("el", may(Access::Read));
        add("p", may(Access::Write));
    } else {
        add("a", may(Access::Write));
        add("df", above);
        add("r", may(Access::Read));
        add("w", may(Access::Write));
    }
    perm
}

impl Control {
    /// LIST, NLST and MLSD
    pub(super) fn list(&mut self, verb: Verb, cx: &mut Context<'_>) {
        let argument = self.command.argument.clone();
        let form = match verb {
            Verb::Mlsd => Form::Facts(self.facts.clone()),
            Verb::Nlst => Form::Names,
            _ => Form::Long(self.server.lists.listing),
        };
        let wish = Wish::read(&argument, form, self.server.lists, &self.folder);
        let path = resolve(&self.folder, wish.path);
        if !self.has_channel(FileAct::List, &path, cx) {
            return;
        }
        let now = cx.device().clock(cx.now);
        match self.files(cx, |view| wish.lines(view, now)) {
            Ok(lines) => self.send_list(path, lines, cx),
            Err(refusal) => {
                let operation = self.refuse(Say::ListFailed, refusal, cx);
                self.note(operation, FileAct::List, &path, cx);
            }
        }
    }

    /// STAT with a path
    pub(super) fn list_here(&self, cx: &mut Context<'_>) {
        let argument = self.command.argument.clone();
        let wish = Wish::read(&argument, Form::Long(self.server.lists.listing), self.server.lists, &self.folder);
        let path = resolve(&self.folder, wish.path);
        let now = cx.device().clock(cx.now);
        let operation = match self.files(cx, |view| wish.lines(view, now)) {
            Ok(mut lines) => {
                let mut text = Vec::new();
                lines.fill(HERE, &mut text);
                // A line that begins with digits would look like the last of the reply (RFC 959 §4.2).
                let text = honeyplant_core::files::from_octets(&text);
                let text: Vec<String> = text.lines().map(|line| format!(" {line}")).collect();
                self.answer(Say::StatFile, &[(Field::Lines, &text.join("\n")), (Field::Path, &path)], cx)
            }
            Err(refusal) => self.refuse(Say::ListFailed, refusal, cx),
        };
        self.note(operation, FileAct::List, &path, cx);
    }
}

impl<'a> Wish<'a> {
    /// Reads the options of `ls` that clients send, and the path behind them.
    fn read(argument: &'a str, form: Form, lists: Lists, folder: &'a str) -> Self {
        let mut wish = Self { lists, all: false, recursive: false, reverse: false, folder, path: argument, form };
        if matches!(wish.form, Form::Facts(_)) {
            return wish;
        }
        while let Some(options) = wish.path.strip_prefix('-') {
            let (options, rest) = options.split_once(' ').unwrap_or((options, ""));
            wish.path = rest.trim_start();
            for option in options.chars() {
                match option {
                    'a' | 'A' => wish.all = true,
                    'l' if wish.form == Form::Names => wish.form = Form::Long(lists.listing),
                    '1' => wish.form = Form::Names,
                    'R' => wish.recursive = true,
                    'r' => wish.reverse = true,
                    _ => {}
                }
            }
        }
        wish
    }

    fn lines(&self, view: &View<'_>, now: Duration) -> Result<Lines, Refusal> {
        let mut lines = Lines { form: self.form.clone(), now, items: VecDeque::new(), count: 0 };
        let path = resolve(self.folder, self.path);
        let is_list = !matches!(self.form, Form::Facts(_));
        match view.facts(&path) {
            Ok(facts) if facts.kind == Kind::Folder => self.folder_lines(view, &path, facts, &mut lines)?,
            Ok(_) if !is_list => return Err(Refusal::NotFolder),
            // Lists show links as links.
            Ok(_) => lines.push(self.path, view.link_facts(&path)?, Role::Entry, String::new()),
            Err(_) if is_list && glob::is_pattern(self.path) => self.fitting(view, &mut lines)?,
            Err(Refusal::Missing) if is_list && self.lists.empty => {}
            Err(refusal) => return Err(refusal),
        }
        if self.reverse {
            lines.items.make_contiguous().reverse();
        }
        if self.form == Form::Long(Listing::Vxworks) && lines.count > 0 {
            for head in ["--------       ------     ------    --------", "  size          date       time       name"] {
                lines.items.push_front(Item::Text(head.to_owned()));
            }
        }
        Ok(lines)
    }

    fn folder_lines(&self, view: &View<'_>, path: &str, facts: Facts, lines: &mut Lines) -> Result<(), Refusal> {
        let mut folders = VecDeque::from([(path.to_owned(), facts)]);
        let mut is_first = true;
        while let Some((path, facts)) = folders.pop_front() {
            let entries = match view.list(&path) {
                Ok(entries) => entries,
                Err(refusal) if is_first => return Err(refusal),
                Err(_) => continue,
            };
            let entries = entries.into_iter().filter(|(name, _)| self.shows(name));
            let entries: Vec<_> = entries.collect();
            if self.recursive {
                let head = if is_first { String::new() } else { format!("{path}:") };
                lines.items.extend((!is_first).then(|| Item::Text(String::new())));
                lines.items.extend((!is_first).then_some(Item::Text(head)));
                let inner = entries.iter().filter(|(_, facts)| facts.kind == Kind::Folder);
                folders.extend(inner.map(|(name, facts)| (resolve(&path, name), facts.clone())));
            }
            if self.lists.total && matches!(self.form, Form::Long(_)) {
                let blocks: u64 = entries.iter().map(|(_, facts)| facts.size.div_ceil(1024)).sum();
                lines.items.push_back(Item::Text(format!("total {blocks}")));
            }
            self.entries(view, &path, facts, entries, lines);
            is_first = false;
            if lines.items.len() >= MOST {
                break;
            }
        }
        Ok(())
    }

    fn entries(&self, view: &View<'_>, path: &str, facts: Facts, entries: Vec<(Box<str>, Facts)>, lines: &mut Lines) {
        let tells_perm = matches!(&self.form, Form::Facts(wanted) if wanted.contains(&Fact::Perm));
        let may = tells_perm && view.may(path, Access::Write).is_ok();
        let perm = |path: &str, facts: &Facts| if tells_perm { perm(view, path, facts, may) } else { String::new() };
        let above = split(path).0;
        let dots = match (&self.form, self.lists.dots) {
            // RFC 3659 §7.2 lets them stand first.
            (Form::Facts(_), _) => true,
            (Form::Names, _) => false,
            (Form::Long(_), dots) => dots == Dots::Always || dots == Dots::Asked && self.all,
        };
        if dots {
            let its = perm(path, &facts);
            lines.push(".", facts, Role::Listed, its);
            if let Ok(facts) = view.facts(above) {
                let its = perm(above, &facts);
                lines.push("..", facts, Role::Above, its);
            }
        }
        for (name, facts) in entries {
            let its = perm(&resolve(path, &name), &facts);
            lines.push(&name, facts, Role::Entry, its);
        }
    }

    fn shows(&self, name: &str) -> bool {
        self.all || !self.lists.hidden || !name.starts_with('.') || matches!(self.form, Form::Facts(_))
    }

    /// Everything that fits a path with wildcards, each by the path that it was asked for with.
    fn fitting(&self, view: &View<'_>, lines: &mut Lines) -> Result<(), Refusal> {
        let mut found = vec![String::new()];
        for pattern in self.path.split('/') {
            let mut next = Vec::new();
            for before in found {
                let join = |name: &str| match before.as_str() {
                    "" if name.is_empty() && self.path.starts_with('/') => "/".to_owned(),
                    "" => name.to_owned(),
                    _ if before.ends_with('/') => format!("{before}{name}"),
                    _ => format!("{before}/{name}"),
                };
                if !glob::is_pattern(pattern) {
                    next.push(join(pattern));
                    continue;
                }
                let entries = view.list(&resolve(self.folder, &before)).unwrap_or_default();
                let hides = |name: &str| name.starts_with('.') && !pattern.starts_with('.');
                let fits = entries.iter().filter(|(name, _)| !hides(name) && glob::fits(pattern, name));
                next.extend(fits.take(MOST.saturating_sub(next.len())).map(|(name, _)| join(name)));
            }
            found = next;
        }
        for path in found {
            if let Ok(facts) = view.link_facts(&resolve(self.folder, &path)) {
                lines.push(&path, facts, Role::Entry, String::new());
            }
        }
        if lines.count == 0 && !self.lists.empty { Err(Refusal::Missing) } else { Ok(()) }
    }
}
