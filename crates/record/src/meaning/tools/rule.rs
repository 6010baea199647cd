//! A rule, made ready to be held against events. Apart, because here the operator's mistakes end and the hot path begins.

use super::{
    pattern::{Case, Pattern},
    table::{Facts, RuleTable, Several},
};
use crate::attack::ROWS;
use honeyplant_core::{
    event::{Address, Carrier, Event, Hello, Kind, Login},
    settings::{Problem, Problems},
};
use std::collections::BTreeSet;

/// How many steps a rule may have.
const STEPS: usize = 8;
/// How many kinds of events there are.
pub(super) const KINDS: usize = 23;

/// What must come, in order.
#[derive(Debug)]
pub(super) struct Rule {
    /// The number of its tool.
    pub(super) tool: u16,
    /// The protocols that it is for; none is all.
    pub(super) protocols: Vec<String>,
    /// Whether nothing may have come before in the session.
    pub(super) first: bool,
    pub(super) steps: Vec<Step>,
}

/// One event that must come.
#[derive(Debug)]
pub(super) struct Step {
    /// A bit for each kind that it can be.
    pub(super) kinds: u32,
    tests: Vec<Test>,
}

#[derive(Debug)]
enum Test {
    Actions(Vec<String>),
    Transports(Vec<Carrier>),
    Ports(Vec<u16>),
    Codes(Vec<u16>),
    Units(Vec<u16>),
    Area(Vec<Pattern>),
    Addresses(Vec<u32>),
    Counts(Vec<u32>),
    Names(Vec<Pattern>),
    Request(Vec<Pattern>),
    User(Vec<Pattern>),
    Secret(Vec<Pattern>),
    File(Vec<Pattern>),
    Method(Vec<Pattern>),
    Path(Vec<Pattern>),
    Query(Vec<Pattern>),
    Agent(Vec<Pattern>),
    Ja3(Vec<String>),
    Ja4(Vec<Pattern>),
}

/// The number of a kind; kinds of one number can have one action or several.
pub(super) const fn number(kind: &Kind) -> usize {
    match kind {
        Kind::Started { .. } => 0,
        Kind::Stopped => 1,
        Kind::Faulted { .. } => 2,
        Kind::Opened => 3,
        Kind::Exchange => 4,
        Kind::Unsupported(_) => 5,
        Kind::Identify(_) => 6,
        Kind::Diagnose(_) => 7,
        Kind::Read(..) => 8,
        Kind::Write(..) => 9,
        Kind::Command(..) => 10,
        Kind::Login(..) => 11,
        Kind::File(..) => 12,
        Kind::Block(..) => 13,
        Kind::Request(..) => 14,
        Kind::Relay(..) => 15,
        Kind::Secured(_) => 16,
        Kind::Unsecured { .. } => 17,
        Kind::Stranger { .. } => 18,
        Kind::Withheld { .. } => 19,
        Kind::Discarded { .. } => 20,
        Kind::Malformed { .. } => 21,
        Kind::Closed(_) => 22,
    }
}

/// The number of the kind that has the action.
fn numbered(action: &str) -> Option<usize> {
    Some(match action {
        "opened" => 3,
        "exchange" => 4,
        "unsupported" => 5,
        "identify" => 6,
        "diagnose" => 7,
        "read" => 8,
        "write" => 9,
        "command" => 10,
        "login" => 11,
        "list" | "inspect" | "download" | "upload" | "create" | "delete" | "rename" | "change" => 12,
        "list_blocks" | "inspect_block" | "upload_block" | "download_block" | "insert_block" | "delete_block" => 13,
        "request" => 14,
        "relay" => 15,
        "secured" => 16,
        "unsecured" => 17,
        "malformed" => 21,
        "closed" => 22,
        _ => return None,
    })
}

const LOGIN: u32 = 1 << 11;
const FILE: u32 = 1 << 12;
const REQUEST: u32 = 1 << 14;
const TLS: u32 = 1 << 16 | 1 << 17;
/// Reads and writes.
const ACCESS: u32 = 1 << 8 | 1 << 9;
/// Whatever has an operation.
const ASKED: u32 = 0b1111_1111 << 5 | 1 << 13 | REQUEST | 1 << 15;
/// Whatever an actor's own bytes stand behind.
const SAID: u32 = ASKED | 1 << 4 | TLS | 1 << 21;
const EVERY: u32 = (1 << KINDS) - 1;

/// Reads the rules of one tool, telling what is wrong with each under its key.
pub(super) fn compile(table: &RuleTable, tool: u16, key: &str, problems: &mut Problems) -> Rule {
    let mut steps = vec![step(&table.facts, &format!("{key}.when"), problems)];
    for (place, facts) in table.then.iter().enumerate() {
        steps.push(step(facts, &format!("{key}.then[{place}]"), problems));
    }
    if steps.len() > STEPS {
        let hint = "a few that are like nothing else tell a tool as well";
        problems.push(Problem::new(format!("{key}.then"), format!("a rule has at most {STEPS} steps")).hint(hint));
    }
    Rule { tool, protocols: table.protocol.as_slice().to_vec(), first: table.first, steps }
}

/// Reads a pattern.
type Read = fn(&str) -> Result<Pattern, String>;
/// What is tested by patterns.
type Made = fn(Vec<Pattern>) -> Test;

fn glob(text: &str) -> Result<Pattern, String> {
    Pattern::text(text, Case::Told)
}

fn step(facts: &Facts, key: &str, problems: &mut Problems) -> Step {
    let mut step = Step { kinds: EVERY, tests: Vec::new() };
    let key = |field: &str| format!("{key}.{field}");
    actions(facts, &mut step, &key("action"), problems);
    // What takes least time comes first.
    step.list(ASKED, facts.code.as_slice(), Test::Codes);
    step.list(ASKED, facts.unit.as_slice(), Test::Units);
    step.list(ACCESS, facts.address.as_slice(), Test::Addresses);
    step.list(ACCESS, facts.count.as_slice(), Test::Counts);
    step.list(EVERY, facts.port.as_slice(), Test::Ports);
    transports(facts, &mut step, &key("transport"), problems);
    let texts: [(&str, u32, &Several<String>, Read, Made); 11] = [
        ("area", ACCESS, &facts.area, glob, Test::Area),
        ("user", LOGIN, &facts.user, glob, Test::User),
        ("secret", LOGIN, &facts.secret, glob, Test::Secret),
        ("file", FILE, &facts.file, glob, Test::File),
        ("method", REQUEST, &facts.method, glob, Test::Method),
        ("path", REQUEST, &facts.path, glob, Test::Path),
        ("query", REQUEST, &facts.query, glob, Test::Query),
        ("user-agent", REQUEST, &facts.user_agent, |text| Pattern::text(text, Case::Ignored), Test::Agent),
        ("ja4", TLS, &facts.ja4, glob, Test::Ja4),
        ("request", SAID, &facts.request, Pattern::hex, Test::Request),
        ("text", SAID, &facts.text, glob, Test::Request),
    ];
    for (field, kinds, texts, read, test) in texts {
        let mut patterns = Vec::new();
        for text in texts.as_slice() {
            match read(text) {
                Ok(pattern) => patterns.push(pattern),
                Err(why) => problems.push(
                    Problem::new(key(field), why)
                        .hint("`*` stands for anything, `?` for any one byte or hexadecimal digit"),
                ),
            }
        }
        if !patterns.is_empty() {
            step.add(kinds, test(patterns));
        }
    }
    step.list(TLS, facts.ja3.as_slice(), Test::Ja3);
    let names: Result<Vec<Pattern>, String> = facts.names.iter().map(|name| glob(name)).collect();
    match names {
        Ok(names) if !names.is_empty() => step.add(ACCESS, Test::Names(names)),
        Ok(_) => {}
        Err(why) => problems.push(Problem::new(key("names"), why)),
    }
    if step.kinds == EVERY && step.tests.is_empty() {
        let hint = "name what the tool sends, such as `request = \"0001 0000 0006 ?? 03*\"`";
        problems.push(Problem::new(key("").trim_end_matches('.'), "it fits every event").hint(hint));
    } else if step.kinds == 0 {
        problems.push(
            Problem::new(key("").trim_end_matches('.'), "no event can have all of this")
                .hint("docs/tools.md tells which events have which facts"),
        );
    }
    step
}

fn actions(facts: &Facts, step: &mut Step, key: &str, problems: &mut Problems) {
    let actions = facts.action.as_slice();
    if actions.is_empty() {
        return;
    }
    let mut kinds = 0;
    for action in actions {
        match numbered(action) {
            Some(number) => kinds |= 1 << number,
            None => {
                let known: BTreeSet<&str> = ROWS
                    .iter()
                    .filter_map(|row| row.action.split(' ').next())
                    .filter(|action| numbered(action).is_some())
                    .collect();
                problems.push(Problem::unknown(key, "action", action, known));
            }
        }
    }
    step.kinds &= kinds;
    if kinds & (FILE | 1 << 13) != 0 {
        step.tests.push(Test::Actions(actions.to_vec()));
    }
}

fn transports(facts: &Facts, step: &mut Step, key: &str, problems: &mut Problems) {
    let mut carriers = Vec::new();
    for name in facts.transport.as_slice() {
        match name.as_str() {
            "tcp" => carriers.push(Carrier::Tcp),
            "tls" => carriers.push(Carrier::Tls),
            "udp" => carriers.push(Carrier::Udp),
            other => problems.push(Problem::unknown(key, "transport", other, ["tcp", "tls", "udp"])),
        }
    }
    if !carriers.is_empty() {
        step.tests.push(Test::Transports(carriers));
    }
}

impl Step {
    fn add(&mut self, kinds: u32, test: Test) {
        self.kinds &= kinds;
        self.tests.push(test);
    }

    fn list<T: Clone>(&mut self, kinds: u32, list: &[T], test: impl FnOnce(Vec<T>) -> Test) {
        if !list.is_empty() {
            self.add(kinds, test(list.to_vec()));
        }
    }

    /// Whether it is about the user agent and nothing else.
    pub(super) fn is_agent(&self) -> bool {
        matches!(self.tests.as_slice(), [Test::Agent(_)])
    }

    /// Whether `event`, which is of the kind `number`, is what must come.
    #[inline]
    pub(super) fn fits(&self, event: &Event, number: usize) -> bool {
        self.kinds & (1 << number) != 0 && self.tests.iter().all(|test| test.fits(event))
    }
}

impl Test {
    fn fits(&self, event: &Event) -> bool {
        let kind = &event.kind;
        match self {
            Self::Actions(actions) => actions.iter().any(|action| action == kind.action()),
            Self::Transports(carriers) => {
                event.session.as_ref().is_some_and(|session| carriers.contains(&session.carrier))
            }
            Self::Ports(ports) => event.session.as_ref().is_some_and(|session| ports.contains(&session.local.port())),
            Self::Codes(codes) => kind.operation().is_some_and(|operation| codes.contains(&operation.code)),
            Self::Units(units) => {
                kind.operation().and_then(|operation| operation.unit).is_some_and(|unit| units.contains(&unit))
            }
            Self::Area(patterns) => kind.access().is_some_and(|access| any(patterns, access.area)),
            Self::Addresses(addresses) => kind
                .access()
                .is_some_and(|access| matches!(access.address, Address::Number(number) if addresses.contains(&number))),
            Self::Counts(counts) => kind.access().is_some_and(|access| counts.contains(&access.count)),
            Self::Names(patterns) => kind.access().is_some_and(|access| match &access.address {
                Address::Names(names) => {
                    names.len() == patterns.len()
                        && patterns.iter().zip(names).all(|(pattern, name)| pattern.fits(name.as_bytes()))
                }
                Address::Number(_) => false,
            }),
            Self::Request(patterns) => patterns.iter().any(|pattern| pattern.fits(&event.request)),
            Self::User(patterns) => login(kind, |login| login.user.as_deref()).is_some_and(|text| any(patterns, text)),
            Self::Secret(patterns) => {
                login(kind, |login| login.secret.as_deref()).is_some_and(|text| any(patterns, text))
            }
            Self::File(patterns) => matches!(kind, Kind::File(_, access) if any(patterns, &access.path)),
            Self::Method(patterns) => matches!(kind, Kind::Request(_, asked) if any(patterns, &asked.method)),
            Self::Path(patterns) => target(kind).is_some_and(|(path, _)| any(patterns, path)),
            Self::Query(patterns) => target(kind).is_some_and(|(_, query)| any(patterns, query)),
            Self::Agent(patterns) => matches!(
                kind, Kind::Request(_, asked) if asked.user_agent.as_ref().is_some_and(|text| any(patterns, text))
            ),
            Self::Ja3(prints) => hello(kind).is_some_and(|hello| prints.iter().any(|print| **print == *hello.ja3)),
            Self::Ja4(patterns) => hello(kind).is_some_and(|hello| any(patterns, &hello.ja4)),
        }
    }
}

fn any(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.fits(text.as_bytes()))
}

fn login(kind: &Kind, of: fn(&Login) -> Option<&str>) -> Option<&str> {
    match kind {
        Kind::Login(_, login) => of(login),
        _ => None,
    }
}

fn target(kind: &Kind) -> Option<(&str, &str)> {
    match kind {
        Kind::Request(_, asked) => Some(asked.target.split_once('?').unwrap_or((&asked.target, ""))),
        _ => None,
    }
}

fn hello(kind: &Kind) -> Option<&Hello> {
    match kind {
        Kind::Secured(encryption) => encryption.hello.as_ref(),
        Kind::Unsecured { hello, .. } => Some(hello),
        _ => None,
    }
}
