//! A server made from its settings, laid over those of its dialect: every name is looked up, and all mistakes are told at
//! once. Apart, because nothing of it runs once a device does.

use super::{
    replies::{Reply, Say, Template, rows},
    server::{Lists, Server, Site},
    settings::{Dialect, Dots, Help, Listing, Settings, Tls},
    wire::Verb,
};
use crate::shared::layers::{Layers, layer};
use honeyplant_core::{
    device::Device,
    files::resolve,
    settings::{Problem, Problems},
};
use std::{collections::BTreeSet, str::FromStr, sync::atomic::AtomicUsize, time::Duration};
use toml::Spanned;

/// How many bytes a command may have, if nothing else is said. What most servers have.
const LONGEST_LINE: usize = 512;

/// The table over which every other one is laid.
const PLAIN: &str = include_str!("dialects/plain.toml");

impl Dialect {
    const fn text(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Vxworks => include_str!("dialects/vxworks.toml"),
            Self::Vsftpd => include_str!("dialects/vsftpd.toml"),
            Self::Proftpd => include_str!("dialects/proftpd.toml"),
            Self::PureFtpd => include_str!("dialects/pure-ftpd.toml"),
            Self::WuFtpd => include_str!("dialects/wu-ftpd.toml"),
            Self::Microsoft => include_str!("dialects/microsoft.toml"),
        }
    }
}

/// The server that `settings`, which stand at `key`, describe.
pub(super) fn server(settings: &Settings, key: &str, device: &Device) -> Result<Server, Problems> {
    let (plain, dialect): (Settings, Settings) = (layer(PLAIN, key)?, layer(settings.dialect.text(), key)?);
    let mut desk = Desk { layers: [settings, &dialect, &plain], key, device, problems: Problems::new() };
    desk.names();
    let server = desk.server();
    if desk.problems.is_empty() { Ok(server) } else { Err(desk.problems) }
}

type Desk<'a> = Layers<'a, Settings>;

impl<'a> Desk<'a> {
    /// Looks for replies that nobody gives.
    fn names(&mut self) {
        let layers = self.layers;
        for name in layers.iter().flat_map(|layer| layer.replies.keys()) {
            if Say::ALL.iter().all(|say| say.name() != name.get_ref()) {
                let known = Say::ALL.iter().map(|say| say.name());
                let problem = Problem::unknown("", "reply", name.get_ref(), known);
                self.problem(&format!("replies.{}", name.get_ref()), name.span(), problem);
            }
        }
    }

    fn server(&mut self) -> Server {
        let tls = self.first(|s| &s.tls).copied().unwrap_or_default();
        if tls != Tls::None && !self.device.is_certified() {
            let problem = Problem::new(format!("{}.tls", self.key), "TLS needs a certificate");
            self.problems.push(problem.hint("add a table `[certificate]` to the profile"));
        }
        let mut commands = self.verbs("commands", |s| &s.commands);
        if tls == Tls::None {
            commands.retain(|verb| !matches!(verb, Verb::Auth | Verb::Pbsz | Verb::Prot | Verb::Ccc));
        }
        // Without these, there is no FTP (RFC 959 §5.1).
        commands.extend([Verb::User, Verb::Pass, Verb::Quit]);
        let unimplemented = self.verbs("unimplemented", |s| &s.unimplemented);
        let site = self.site();
        let help = self.help(&commands, &site);
        Server {
            replies: Say::ALL.iter().map(|say| self.reply(*say)).collect(),
            unimplemented,
            before_login: self.verbs("before-login", |s| &s.before_login),
            login_first: self.is(|s| &s.login_first),
            site,
            features: self.features(tls),
            help,
            lists: Lists {
                listing: self.first(|s| &s.listing).copied().unwrap_or(Listing::Unix),
                hidden: self.is(|s| &s.hidden),
                dots: self.first(|s| &s.dots).copied().unwrap_or(Dots::Never),
                total: self.is(|s| &s.total),
                empty: self.is(|s| &s.empty_lists),
            },
            size_of_text: self.is(|s| &s.size_of_text),
            another_user: self.is(|s| &s.another_user),
            telnet: self.is(|s| &s.telnet),
            umask: self.umask(),
            unique: match self.first(|s| &s.unique) {
                Some(text) => self.template("unique", text),
                None => Template::default(),
            },
            start_folder: self.start_folder(),
            longest_line: self.longest_line(),
            sessions: self.first(|s| &s.sessions).copied(),
            attempts: self.first(|s| &s.attempts).copied(),
            login_delay: self.first(|s| &s.login_delay).map_or(Duration::ZERO, |period| period.0),
            idle: self.first(|s| &s.idle).map(|period| period.0),
            passive_address: self.parsed(
                "passive-address",
                |s| &s.passive_address,
                "an IPv4 address, such as 192.0.2.1",
            ),
            passive_ports: self.ports(),
            tls,
            open: AtomicUsize::new(0),
            commands,
        }
    }

    fn verbs(
        &mut self,
        field: &str,
        list: impl Fn(&'a Settings) -> &'a Option<Vec<Spanned<String>>>,
    ) -> BTreeSet<Verb> {
        let mut verbs = BTreeSet::new();
        for (index, name) in self.first(list).into_iter().flatten().enumerate() {
            match Verb::parse(name.get_ref().as_bytes()) {
                Some(verb) => drop(verbs.insert(verb)),
                None => {
                    let known: Vec<String> = Verb::ALL.iter().map(|verb| verb.name().to_uppercase()).collect();
                    let known = known.iter().map(String::as_str);
                    let problem = Problem::unknown("", "command of FTP", name.get_ref(), known);
                    self.problem(&format!("{field}[{index}]"), name.span(), problem);
                }
            }
        }
        verbs
    }

    fn site(&mut self) -> Vec<Site> {
        let mut found = Vec::new();
        for (index, name) in self.first(|s| &s.site).into_iter().flatten().enumerate() {
            match Site::ALL.into_iter().find(|site| site.name().eq_ignore_ascii_case(name.get_ref())) {
                Some(site) => found.push(site),
                None => {
                    let known = Site::ALL.iter().map(|site| site.name());
                    let problem = Problem::unknown("", "SITE command", name.get_ref(), known);
                    self.problem(&format!("site[{index}]"), name.span(), problem);
                }
            }
        }
        found
    }

    fn help(&self, commands: &BTreeSet<Verb>, site: &[Site]) -> (String, String) {
        let plain = Help::default();
        let help = self.first(|s| &s.help).unwrap_or(&plain);
        // In the order in which the table lists them, as servers do.
        let listed = self.first(|s| &s.commands).into_iter().flatten();
        let listed = listed.filter_map(|name| Verb::parse(name.get_ref().as_bytes()));
        let lacked = self.first(|s| &s.unimplemented).into_iter().flatten().filter(|_| help.missing.is_some());
        let mark = help.missing.as_deref().unwrap_or_default();
        let names: Vec<String> = listed
            .filter(|verb| commands.contains(verb))
            .map(|verb| verb.name().to_uppercase())
            .chain(lacked.map(|name| format!("{}{mark}", name.get_ref().to_uppercase())))
            .collect();
        let site: Vec<String> = site.iter().map(|site| site.name().to_owned()).collect();
        let rows = |names: &[String]| rows(names, help.columns, help.width, &help.before, &help.between);
        (rows(&names), rows(&site))
    }

    fn features(&mut self, tls: Tls) -> Vec<Template> {
        let secure = |line: &str| ["AUTH", "PBSZ", "PROT", "CCC"].iter().any(|verb| line.starts_with(verb));
        let lines = self.first(|s| &s.features).into_iter().flatten();
        let mut templates = Vec::new();
        for line in lines.filter(|line| tls != Tls::None || !secure(line)) {
            match Template::parse(line, self.device.identity()) {
                Ok(template) => templates.push(template),
                Err(problem) => self.problems.push(Problem { key: format!("{}.features", self.key), ..problem }),
            }
        }
        templates
    }

    fn reply(&mut self, say: Say) -> Reply {
        let unsaid = Reply { code: 500, text: Template::default() };
        for layer in self.layers {
            if let Some(text) = layer.replies.get(say.name()) {
                return Reply::parse(text.get_ref(), self.device.identity()).unwrap_or_else(|problem| {
                    self.problem(&format!("replies.{}", say.name()), text.span(), problem);
                    unsaid
                });
            }
        }
        unsaid
    }

    fn template(&mut self, field: &str, text: &Spanned<String>) -> Template {
        Template::parse(text.get_ref(), self.device.identity()).unwrap_or_else(|problem| {
            self.problem(field, text.span(), problem);
            Template::default()
        })
    }

    /// What stands at `field`, read as `T`; `form` says what it is.
    fn parsed<T: FromStr>(
        &mut self,
        field: &str,
        text: impl Fn(&'a Settings) -> &'a Option<Spanned<String>>,
        form: &str,
    ) -> Option<T> {
        let text = self.first(text)?;
        let read = text.get_ref().parse().ok();
        if read.is_none() {
            self.problem(field, text.span(), Problem::new("", format!("`{}` is not {form}", text.get_ref())));
        }
        read
    }

    fn umask(&mut self) -> Option<u16> {
        self.parsed("umask", |s| &s.umask, "a mask in octal digits, such as 022").map(|Octal(mask)| mask)
    }

    fn ports(&mut self) -> Option<(u16, u16)> {
        let ports: Ports =
            self.parsed("passive-ports", |s| &s.passive_ports, "a range of ports, such as 30000-30999")?;
        Some((ports.0, ports.1))
    }

    fn start_folder(&mut self) -> Option<String> {
        let text = self.first(|s| &s.start_folder)?;
        let folder = self.device.identity().expand(text.get_ref());
        match folder {
            Ok(folder) if folder.starts_with('/') => Some(resolve("/", &folder)),
            Ok(_) => {
                self.problem("start-folder", text.span(), Problem::new("", "a folder begins with `/`"));
                None
            }
            Err(name) => {
                let known = self.device.identity().0.keys().map(String::as_str);
                self.problem("start-folder", text.span(), Problem::unknown("", "identity", &name, known));
                None
            }
        }
    }

    fn longest_line(&mut self) -> usize {
        let Some(longest) = self.first(|s| &s.longest_line) else { return LONGEST_LINE };
        if !(64..=65_536).contains(longest.get_ref()) {
            let problem = Problem::new("", "this is a number of 64 to 65536");
            self.problem("longest-line", longest.span(), problem);
        }
        *longest.get_ref()
    }
}

/// A mode in octal digits.
pub(super) struct Octal(pub(super) u16);

impl FromStr for Octal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = (1..=4).contains(&text.len()) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        digits.then(|| u16::from_str_radix(text, 8).ok().map(Self)).flatten().ok_or(())
    }
}

struct Ports(u16, u16);

impl FromStr for Ports {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (first, last) = text.split_once('-').ok_or(())?;
        let (first, last) = (first.trim().parse().map_err(|_| ())?, last.trim().parse().map_err(|_| ())?);
        if first > 0 && first <= last { Ok(Self(first, last)) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ftp;

    fn mistakes(ftp: &str) -> Vec<String> {
        let text = format!("[ftp]\n{ftp}\n[certificate]\ncommon-name = 'x'");
        crate::mistakes::mistakes(&Ftp, &text)
    }

    #[test]
    fn every_dialect_words_only_what_there_is_and_together_they_word_all() {
        for dialect in ["plain", "vxworks", "vsftpd", "proftpd", "pure-ftpd", "wu-ftpd", "microsoft"] {
            assert_eq!(
                mistakes(&format!("dialect = '{dialect}'\ntls = 'explicit'")),
                Vec::<String>::new(),
                "{dialect}"
            );
        }
        let plain: super::Settings = toml::from_str(super::PLAIN).unwrap();
        for say in super::Say::ALL {
            assert!(plain.replies.contains_key(say.name()), "{} is not worded", say.name());
        }
    }

    #[test]
    fn mistakes_are_told_all_at_once_each_with_its_place() {
        let told = mistakes(
            "commands = ['USER', 'RETRY']\nsite = ['CHMODE']\numask = '9'\npassive-ports = '9-1'\n\
             passive-address = 'here'\nstart-folder = 'x'\nlongest-line = 1\n\
             [ftp.replies]\nredy = '220 x'\nready = '220 {serail}'\nquit = 'bye'",
        );
        for expected in [
            "ftp.commands[1]: there is no command of FTP `RETRY` (did you mean `RETR`?) @ 'RETRY'",
            "ftp.site[0]: there is no SITE command `CHMODE` (did you mean `CHMOD`?) @ 'CHMODE'",
            "ftp.umask: `9` is not a mask in octal digits, such as 022 @ '9'",
            "ftp.passive-ports: `9-1` is not a range of ports, such as 30000-30999 @ '9-1'",
            "ftp.passive-address: `here` is not an IPv4 address, such as 192.0.2.1 @ 'here'",
            "ftp.start-folder: a folder begins with `/` @ 'x'",
            "ftp.longest-line: this is a number of 64 to 65536 @ 1",
            "ftp.replies.redy: there is no reply `redy` (did you mean `ready`?) @ redy",
            "ftp.replies.quit: a reply begins with a code, such as `220 ready` @ 'bye'",
        ] {
            assert!(told.iter().any(|told| told == expected), "{expected}\n{told:#?}");
        }
        assert!(told.iter().any(|told| told.contains("neither a field nor an identity `serail`")), "{told:#?}");
        assert!(mistakes("dialects = 'plain'").iter().any(|told| told.contains("unknown field `dialects`")));
    }
}
