//! Scanners and tools, by what they send. Apart, because the rules are data that grows: files that come with honeyplant,
//! and those of the operator.

mod pattern;
mod rule;
mod table;

pub use table::Basis;

use crate::document::Tool;
use honeyplant_core::{
    event::{Event, Kind},
    settings::{Problem, Problems, Settings},
};
use rule::{KINDS, Rule, number};
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};
use table::File;

/// The files that come with honeyplant.
const FILES: [(&str, &str); 8] = [
    ("ftp.toml", include_str!("ftp.toml")),
    ("http.toml", include_str!("http.toml")),
    ("iec104.toml", include_str!("iec104.toml")),
    ("modbus.toml", include_str!("modbus.toml")),
    ("ports.toml", include_str!("ports.toml")),
    ("s7comm.toml", include_str!("s7comm.toml")),
    ("snmp.toml", include_str!("snmp.toml")),
    ("tls.toml", include_str!("tls.toml")),
];
/// How many rules of several steps a session can be in the middle of.
const GOING: usize = 8;
/// How many events may come between two steps.
const BETWEEN: u8 = 3;
/// How many tools a session is recognised by.
const FOUND: usize = 16;

/// Every tool that is known, and the rules that tell them.
#[derive(Debug)]
pub struct Toolbox {
    tools: Vec<KnownTool>,
    rules: Vec<Rule>,
    /// By protocol; the empty name is for those that no rule names.
    indexes: HashMap<String, Arc<Index>>,
}

/// A tool and how it is known.
#[derive(Clone, Debug)]
pub struct KnownTool {
    /// What documents say of it.
    pub tool: Tool,
    /// Whether it was run.
    pub basis: Option<Basis>,
    /// How its rules are known.
    pub known: String,
    /// The protocols that its rules are for; none is all.
    pub protocols: BTreeSet<String>,
    /// Ids of techniques that using it is an attempt of.
    pub techniques: Vec<String>,
}

/// The numbers of the rules that an event of each kind can begin.
#[derive(Debug, Default)]
struct Index {
    kinds: [Starts; KINDS],
}

#[derive(Debug, Default)]
struct Starts {
    /// Those that only the first message of a session begins.
    first: Vec<u16>,
    /// Those that any does.
    any: Vec<u16>,
    /// Those that are about the user agent alone.
    agents: Vec<u16>,
}

/// What a session has sent so far, as far as rules wait for more of it.
#[derive(Debug)]
pub(super) struct Watch {
    index: Arc<Index>,
    trail: Trail,
}

#[derive(Debug, Default)]
struct Trail {
    begun: bool,
    /// The user agent that was looked at last.
    agent: Option<u64>,
    going: Vec<Going>,
    /// The numbers of the tools that were found.
    found: Vec<u16>,
}

#[derive(Debug)]
struct Going {
    rule: u16,
    /// The step that must come.
    step: u8,
    /// How many events may come before it does.
    left: u8,
}

impl Default for Toolbox {
    /// The tools that come with honeyplant.
    fn default() -> Self {
        let mut toolbox = Self { tools: Vec::new(), rules: Vec::new(), indexes: HashMap::new() };
        for (_, text) in FILES {
            // A test holds them to be right.
            let _ = toolbox.read(text);
        }
        toolbox.sort();
        toolbox
    }
}

impl Toolbox {
    /// Adds the tools of a file that an operator wrote.
    pub fn add(&mut self, text: &str) -> Result<(), Problems> {
        let read = self.read(text);
        self.sort();
        read
    }

    /// Every tool that is known.
    pub fn tools(&self) -> &[KnownTool] {
        &self.tools
    }

    fn read(&mut self, text: &str) -> Result<(), Problems> {
        let settings = Settings::parse(text)?;
        let file: File = settings.read().map_err(|problem| vec![problem])?;
        let mut problems = Problems::new();
        for (place, table) in file.tools.into_iter().enumerate() {
            let key = format!("tools[{place}]");
            if table.name.trim().is_empty() {
                problems.push(Problem::new(format!("{key}.name"), "a tool needs a name"));
            }
            if table.rules.is_empty() {
                let hint = "such as `rules = [{ protocol = \"http\", when = { user-agent = \"*name/*\" } }]`";
                problems.push(Problem::new(format!("{key}.rules"), "nothing tells this tool").hint(hint));
            }
            for (place, id) in table.techniques.iter().enumerate() {
                if crate::attack::named(id).is_none() {
                    let known = crate::attack::TECHNIQUES.iter().map(|technique| technique.id);
                    problems.push(Problem::unknown(format!("{key}.techniques[{place}]"), "technique", id, known));
                }
            }
            let known = self.tools.iter().position(|known| known.tool.name == table.name);
            let Ok(number) = u16::try_from(known.unwrap_or(self.tools.len())) else {
                problems.push(Problem::new(key, "these are more tools than can be told apart (65536)"));
                break;
            };
            let mut protocols = BTreeSet::new();
            for (place, rule) in table.rules.iter().enumerate() {
                let rule = rule::compile(rule, number, &format!("{key}.rules[{place}]"), &mut problems);
                protocols.extend(rule.protocols.iter().cloned());
                self.rules.push(rule);
            }
            let told = KnownTool {
                tool: Tool { name: Cow::Owned(table.name), kind: table.kind },
                basis: table.basis,
                known: table.known.unwrap_or_default(),
                protocols,
                techniques: table.techniques,
            };
            match known.and_then(|place| self.tools.get_mut(place)) {
                Some(known) => known.add(told),
                None => self.tools.push(told),
            }
        }
        if self.rules.len() > usize::from(u16::MAX) {
            problems.push(Problem::new("tools", "these are more than 65535 rules"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Puts the rules where events find them.
    fn sort(&mut self) {
        let names: BTreeSet<&str> =
            self.rules.iter().flat_map(|rule| &rule.protocols).map(String::as_str).chain([""]).collect();
        let index = |protocol: &str| {
            let mut index = Index::default();
            for (place, rule) in self.rules.iter().enumerate().take(usize::from(u16::MAX)) {
                if !rule.protocols.is_empty() && !rule.protocols.iter().any(|name| name == protocol) {
                    continue;
                }
                let Some(step) = rule.steps.first() else { continue };
                for (number, starts) in index.kinds.iter_mut().enumerate() {
                    if step.kinds & (1 << number) != 0 {
                        let list = match (rule.first, step.is_agent() && rule.steps.len() == 1) {
                            (true, _) => &mut starts.first,
                            (false, true) => &mut starts.agents,
                            (false, false) => &mut starts.any,
                        };
                        list.extend(u16::try_from(place));
                    }
                }
            }
            Arc::new(index)
        };
        self.indexes = names.into_iter().map(|name| (name.to_owned(), index(name))).collect();
    }

    /// Begins to look at a session of the protocol.
    pub(super) fn watch(&self, protocol: &str) -> Watch {
        let index = self.indexes.get(protocol).or_else(|| self.indexes.get("")).cloned().unwrap_or_default();
        Watch { index, trail: Trail::default() }
    }

    /// Looks at one event more; the tools that it gives away, if nothing did before.
    pub(super) fn look<'a>(&'a self, watch: &'a mut Watch, event: &Event) -> impl Iterator<Item = &'a KnownTool> {
        let before = watch.trail.found.len();
        self.take(watch, event);
        let found = watch.trail.found.get(before..).unwrap_or_default();
        found.iter().filter_map(|tool| self.tools.get(usize::from(*tool)))
    }

    fn take(&self, watch: &mut Watch, event: &Event) {
        let Watch { index, trail } = watch;
        let number = number(&event.kind);
        if !trail.going.is_empty() {
            self.go_on(trail, event, number);
        }
        let Some(starts) = index.kinds.get(number) else { return };
        if !trail.begun {
            // Who somebody is stands in the first message of some protocols, beside what they ask.
            trail.begun = !matches!(event.kind, Kind::Opened | Kind::Secured(_) | Kind::Login(..));
            self.begin(trail, &starts.first, event, number);
        }
        self.begin(trail, &starts.any, event, number);
        if let Kind::Request(_, asked) = &event.kind
            && let Some(agent) = &asked.user_agent
        {
            let mut hasher = DefaultHasher::new();
            agent.hash(&mut hasher);
            let agent = Some(hasher.finish());
            if trail.agent != agent {
                trail.agent = agent;
                self.begin(trail, &starts.agents, event, number);
            }
        }
    }

    fn begin(&self, trail: &mut Trail, rules: &[u16], event: &Event, number: usize) {
        for place in rules {
            let Some(rule) = self.rules.get(usize::from(*place)) else { continue };
            if !rule.steps.first().is_some_and(|step| step.fits(event, number)) {
                continue;
            }
            if rule.steps.len() == 1 {
                trail.find(rule.tool);
            } else if trail.going.len() < GOING && !trail.found.contains(&rule.tool) {
                trail.going.retain(|going| going.rule != *place);
                trail.going.push(Going { rule: *place, step: 1, left: BETWEEN });
            }
        }
    }

    fn go_on(&self, trail: &mut Trail, event: &Event, number: usize) {
        let mut done = Vec::new();
        trail.going.retain_mut(|going| {
            let Some(rule) = self.rules.get(usize::from(going.rule)) else { return false };
            let Some(step) = rule.steps.get(usize::from(going.step)) else { return false };
            if step.fits(event, number) {
                going.step += 1;
                going.left = BETWEEN;
                if usize::from(going.step) == rule.steps.len() {
                    done.push(rule.tool);
                    return false;
                }
                return true;
            }
            let waits = going.left > 0;
            going.left = going.left.saturating_sub(1);
            waits
        });
        done.into_iter().for_each(|tool| trail.find(tool));
    }
}

impl KnownTool {
    /// Takes what another table says of the same tool.
    fn add(&mut self, other: Self) {
        if !other.known.is_empty() {
            self.known = if self.known.is_empty() { other.known } else { format!("{}; {}", self.known, other.known) };
        }
        self.basis = if self.basis == other.basis { self.basis } else { Some(Basis::Told) };
        self.protocols.extend(other.protocols);
        self.techniques.extend(other.techniques);
    }
}

impl Trail {
    fn find(&mut self, tool: u16) {
        if self.found.len() < FOUND && !self.found.contains(&tool) {
            self.found.push(tool);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let problems = Toolbox::default().add(text).err().unwrap_or_default();
        problems.iter().map(|problem| format!("{}: {}", problem.key, problem.message)).collect()
    }

    #[test]
    fn what_comes_with_honeyplant_is_right_and_says_how_it_is_known() {
        let mut toolbox = Toolbox { tools: Vec::new(), rules: Vec::new(), indexes: HashMap::new() };
        for (file, text) in FILES {
            if let Err(problems) = toolbox.read(text) {
                panic!("{file}: {problems:#?}");
            }
        }
        for known in toolbox.tools() {
            let KnownTool { tool, basis, known, .. } = known;
            assert!(basis.is_some() && !known.is_empty(), "{} does not say how it is known", tool.name);
        }
        assert!(toolbox.tools().len() > 60);
    }

    #[test]
    fn mistakes_are_told_with_their_keys() {
        let tool = |rules: &str| format!("[[tools]]\nname = 't'\nkind = 'attack'\nrules = [{rules}]\n");
        for (rules, key, message) in [
            ("", "tools[0].rules", "nothing tells"),
            ("{ when = {} }", "tools[0].rules[0].when", "fits every event"),
            ("{ when = { request = '0g' } }", "tools[0].rules[0].when.request", "`g`"),
            ("{ when = { action = 'reed' } }", "tools[0].rules[0].when.action", "action"),
            ("{ when = { transport = 'tpc' } }", "tools[0].rules[0].when.transport", "transport"),
            ("{ when = { user = 'a', path = 'b' } }", "tools[0].rules[0].when", "no event"),
            ("{ when = { user = 'a' }, then = [{ text = '*' }] }", "tools[0].rules[0].then[0].text", "everything"),
        ] {
            let told = told(&tool(rules));
            assert!(
                told.iter().any(|told| told.starts_with(&format!("{key}: ")) && told.contains(message)),
                "{told:?}"
            );
        }
        assert!(told("[[tools]]\nname = 't'\nkind = 'clients'\nrules = []").join("").contains("clients"));
        assert!(told("[[tools]]\nname = ''\nkind = 'client'\nrules = [{ when = { code = 1 } }]")[0].contains("name"));
        let text = "[[tools]]\nname = 't'\nkind = 'client'\ntechniques = ['T9999']\nrules = [{ when = { code = 1 } }]";
        assert!(told(text)[0].contains("T9999"));
    }
}
