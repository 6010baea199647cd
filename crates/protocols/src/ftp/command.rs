//! From a line to what is done (RFC 959 §4.1, §5.3): who may say what, and the commands that touch neither files nor
//! channels. Apart, because here is the one place where verbs and their doings meet.

use super::{
    control::Control,
    replies::{Field, Say},
    server::Known,
    wire::{self, Type, Verb},
};
use honeyplant_core::{
    conversation::Context,
    event::{FileAct, Kind},
    files::listing::Fact,
};

impl Control {
    /// Answers a line.
    pub(super) fn perform(&mut self, line: &[u8], cx: &mut Context<'_>) {
        let (verb, argument) = wire::split(line);
        let known = self.server.knows(verb);
        let is_in = self.login.account.is_some();
        self.begin("unknown", verb, argument);
        match known {
            Known::Not if self.server.login_first && !is_in => {
                let operation = self.answer(Say::LoginFirst, &[], cx);
                cx.record(Kind::Unsupported(operation));
            }
            Known::Not => {
                let operation = self.answer(Say::Unknown, &[], cx);
                cx.record(Kind::Unsupported(operation));
            }
            Known::Lacks(verb) => {
                self.command.name = verb.name();
                let operation = self.answer(Say::Unimplemented, &[], cx);
                cx.record(Kind::Unsupported(operation));
            }
            Known::Has(verb) => {
                self.command.name = verb.name();
                let is_free = verb.is_for_all() || self.server.before_login.contains(&verb);
                // STAT of a file is a list (RFC 959 §4.1.3).
                let is_free = is_free && (verb != Verb::Stat || argument.is_empty());
                if !is_in && !is_free {
                    self.keep_out(verb, cx);
                } else if verb.needs_argument() && argument.is_empty() {
                    cx.record(Kind::Malformed { why: "a command without the argument that it needs" });
                    self.say(Say::NoArgument, &[], cx);
                } else {
                    self.obey(verb, cx);
                }
            }
        }
    }

    /// Refuses a command to somebody who is not logged in.
    fn keep_out(&self, verb: Verb, cx: &mut Context<'_>) {
        let operation = self.answer(Say::LoginFirst, &[], cx);
        let act = match verb.plain() {
            Verb::Cwd | Verb::Cdup | Verb::List | Verb::Nlst | Verb::Mlsd | Verb::Stat => FileAct::List,
            Verb::Retr => FileAct::Download,
            Verb::Stor | Verb::Stou | Verb::Appe => FileAct::Upload,
            Verb::Dele | Verb::Rmd => FileAct::Delete,
            Verb::Mkd => FileAct::Create,
            Verb::Rnfr | Verb::Size | Verb::Mdtm | Verb::Mlst => FileAct::Inspect,
            Verb::Rnto => FileAct::Rename,
            Verb::Mfmt => FileAct::Change,
            _ => return,
        };
        self.note(operation, act, &self.path(&self.command.argument), cx);
    }

    fn obey(&mut self, verb: Verb, cx: &mut Context<'_>) {
        match verb.plain() {
            Verb::User => self.user(cx),
            Verb::Pass => self.pass(cx),
            Verb::Acct => drop(self.say(Say::Account, &[], cx)),
            Verb::Rein => self.reinitialize(cx),
            Verb::Quit => {
                self.say(Say::Quit, &[], cx);
                self.close(cx);
            }
            Verb::Auth => self.authenticate(cx),
            Verb::Pbsz | Verb::Prot | Verb::Ccc => self.protect(verb, cx),
            Verb::Type => match Type::parse(self.command.argument.as_bytes()) {
                Some(kind) => {
                    self.kind = kind;
                    self.say(if kind == Type::Ascii { Say::TypeAscii } else { Say::TypeImage }, &[], cx);
                }
                None => self.lack(Say::TypeRefused, cx),
            },
            // Only the defaults that RFC 959 §5.1 demands: streams of files.
            Verb::Mode => self.choose("S", Say::Mode, Say::ModeRefused, cx),
            Verb::Stru => self.choose("F", Say::Structure, Say::StructureRefused, cx),
            Verb::Port => self.port(cx),
            Verb::Eprt => self.extended_port(cx),
            Verb::Pasv => self.passive(cx),
            Verb::Epsv => self.extended_passive(cx),
            Verb::Allo => drop(self.say(Say::Allocated, &[], cx)),
            Verb::Rest => self.restart(cx),
            Verb::Abor => self.abort(cx),
            Verb::Noop => drop(self.say(Say::Noop, &[], cx)),
            Verb::Syst => self.identify(Say::Syst, &[], cx),
            Verb::Feat => self.identify(Say::Features, &[], cx),
            Verb::Help => self.help(cx),
            Verb::Stat => self.status(cx),
            Verb::Opts => self.option(cx),
            Verb::Clnt => self.identify(Say::Client, &[], cx),
            // RFC 7151 §3.3: before anybody is named.
            Verb::Host if self.login.account.is_some() => drop(self.say(Say::HostLate, &[], cx)),
            Verb::Host => drop(self.say(Say::Host, &[], cx)),
            Verb::Smnt => drop(self.say(Say::Mount, &[], cx)),
            Verb::Site => self.site(cx),
            Verb::Retr => self.retrieve(cx),
            Verb::Stor | Verb::Appe | Verb::Stou => self.store(verb, cx),
            Verb::List | Verb::Nlst | Verb::Mlsd => self.list(verb, cx),
            Verb::Pwd => drop(self.say(Say::Folder, &[(Field::Path, &quoted(&self.folder))], cx)),
            Verb::Cwd => self.enter(cx),
            Verb::Cdup => self.enter_up(cx),
            Verb::Mkd => self.make_folder(cx),
            Verb::Rmd => self.remove_folder(cx),
            Verb::Dele => self.delete(cx),
            Verb::Rnfr => self.rename_from(cx),
            Verb::Rnto => self.rename_to(cx),
            Verb::Size => self.size(cx),
            Verb::Mdtm => self.time(cx),
            Verb::Mfmt => self.set_time(cx),
            Verb::Mlst => self.inspect(cx),
            Verb::Xcwd
            | Verb::Xcup
            | Verb::Xmkd
            | Verb::Xrmd
            | Verb::Xpwd
            | Verb::Adat
            | Verb::Mic
            | Verb::Conf
            | Verb::Enc
            | Verb::Mfct => self.lack(Say::Unimplemented, cx),
        }
    }

    /// Refuses what no server has.
    pub(super) fn lack(&self, say: Say, cx: &mut Context<'_>) {
        let operation = self.answer(say, &[], cx);
        cx.record(Kind::Unsupported(operation));
    }

    fn choose(&self, only: &str, done: Say, refused: Say, cx: &mut Context<'_>) {
        if self.command.argument.trim().eq_ignore_ascii_case(only) {
            self.say(done, &[], cx);
        } else {
            self.lack(refused, cx);
        }
    }

    pub(super) fn identify(&self, say: Say, fields: &[(Field, &str)], cx: &mut Context<'_>) {
        let operation = self.answer(say, fields, cx);
        cx.record(Kind::Identify(operation));
    }

    fn help(&mut self, cx: &mut Context<'_>) {
        let wanted = std::mem::take(&mut self.command.argument);
        if wanted.trim().eq_ignore_ascii_case("site") {
            return self.site_help(cx);
        }
        let verb = Verb::parse(wanted.trim().as_bytes()).filter(|verb| self.server.commands.contains(verb));
        self.command.argument = wanted;
        match verb {
            _ if self.command.argument.is_empty() => self.identify(Say::Help, &[], cx),
            Some(verb) => {
                self.command.verb = verb.name().to_owned();
                self.identify(Say::HelpCommand, &[(Field::Syntax, verb.syntax())], cx);
            }
            None => self.identify(Say::HelpUnknown, &[], cx),
        }
    }

    /// STAT: how the session is, or a list over the control connection.
    fn status(&mut self, cx: &mut Context<'_>) {
        if !self.command.argument.is_empty() {
            return self.list_here(cx);
        }
        let lines =
            self.transfer.as_ref().map_or_else(|| " No data connection".to_owned(), |transfer| transfer.status());
        self.identify(Say::Stat, &[(Field::Lines, &lines)], cx);
    }

    /// OPTS (RFC 2389 §4, RFC 3659 §7.9)
    fn option(&mut self, cx: &mut Context<'_>) {
        let argument = self.command.argument.to_ascii_uppercase();
        let mut words = argument.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some("UTF8" | "UTF-8"), None | Some("ON" | "NLST")) => drop(self.say(Say::Option, &[], cx)),
            (Some("MLST"), wanted) if self.server.commands.contains(&Verb::Mlst) => {
                let wanted: Vec<&str> = wanted.unwrap_or_default().split(';').collect();
                let is_wanted = |fact: &Fact| wanted.iter().any(|name| name.eq_ignore_ascii_case(fact.name()));
                self.facts = Fact::ALL.into_iter().filter(is_wanted).collect();
                let told: String = self.facts.iter().map(|fact| format!("{};", fact.name())).collect();
                self.say(Say::OptionFacts, &[(Field::Facts, &told)], cx);
            }
            _ => self.lack(Say::OptionRefused, cx),
        }
    }

    /// The facts that MLST can tell, those that it tells marked (RFC 3659 §7.8).
    pub(super) fn told_facts(&self) -> String {
        let mark = |fact: &Fact| if self.facts.contains(fact) { "*" } else { "" };
        Fact::ALL.iter().map(|fact| format!("{}{};", fact.name(), mark(fact))).collect()
    }

    /// The lines of FEAT (RFC 2389 §3.2).
    pub(super) fn features(&self, cx: &Context<'_>) -> String {
        let fill = |field| match field {
            Field::Facts => self.told_facts(),
            Field::Local => cx.session.local.ip().to_canonical().to_string(),
            _ => String::new(),
        };
        let lines: Vec<String> = self.server.features.iter().map(|line| format!(" {}", line.fill(fill))).collect();
        lines.join("\n")
    }
}

/// A path as 257 has it: a quotation mark in it is doubled (RFC 959 Appendix II).
pub(super) fn quoted(path: &str) -> String {
    path.replace('"', "\"\"")
}
