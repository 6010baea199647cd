//! The `[ftp]` table of a profile. Apart, because it is what operators read: each line of documentation here stands in the
//! JSON Schema too. Dialects are tables of the same form, over which a profile's is laid.

use honeyplant_core::settings::Period;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// FTP as one device offers it. What is not said here is as in its dialect.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Settings {
    /// The family of servers that it belongs to.
    pub(super) dialect: Dialect,
    /// The commands that it has.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) commands: Option<Vec<Spanned<String>>>,
    /// The commands that it knows and does not have: refused with `unimplemented`, not `unknown`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) unimplemented: Option<Vec<Spanned<String>>>,
    /// The commands that it has for those who have not logged in, besides those of logging in and QUIT.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) before_login: Option<Vec<Spanned<String>>>,
    /// Whether those who have not logged in hear `login-first` to whatever they say, be it a command or not.
    pub(super) login_first: Option<bool>,
    /// The SITE commands that it has: `CHMOD`, `HELP`, `IDLE`, `UMASK`, `UTIME`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) site: Option<Vec<Spanned<String>>>,
    /// The lines of FEAT, without the blank before. Those of TLS are left out where there is none.
    pub(super) features: Option<Vec<String>>,
    /// How HELP shows the names of commands.
    pub(super) help: Option<Help>,
    /// How it words its replies: each a code and a text whose lines end with `\n`. Of the lines between the first and the
    /// last, one that begins with a blank goes as it is, one that begins with `|` goes without that, others get the code.
    /// Fields such as `{path}` and what `[identity]` draws are put in.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) replies: BTreeMap<Spanned<String>, Spanned<String>>,
    /// How LIST shows files.
    pub(super) listing: Option<Listing>,
    /// Whether lists hide names that begin with a dot until they are asked for with `-a`.
    pub(super) hidden: Option<bool>,
    /// When lists show `.` and `..`.
    pub(super) dots: Option<Dots>,
    /// Whether lists begin with the number of blocks, as `ls -l` does.
    pub(super) total: Option<bool>,
    /// Whether a list of what is not there is empty; it is refused otherwise.
    pub(super) empty_lists: Option<bool>,
    /// Whether SIZE is answered while the type is ASCII.
    pub(super) size_of_text: Option<bool>,
    /// Whether those who are logged in may log in as somebody else.
    pub(super) another_user: Option<bool>,
    /// Whether options of Telnet are refused; they are passed over otherwise.
    pub(super) telnet: Option<bool>,
    /// The bits that new files and folders lack, in octal digits. Without it they get the mode that the files have by
    /// themselves.
    #[schemars(with = "Option<String>")]
    pub(super) umask: Option<Spanned<String>>,
    /// The names that STOU makes, of `{name}`, `{number}` and `{random}`.
    #[schemars(with = "Option<String>")]
    pub(super) unique: Option<Spanned<String>>,
    /// The folder that everybody begins in, if it is not the account's own.
    #[schemars(with = "Option<String>")]
    pub(super) start_folder: Option<Spanned<String>>,
    /// How many bytes a command may have.
    #[schemars(with = "Option<usize>", range(min = 64, max = 65536))]
    pub(super) longest_line: Option<Spanned<usize>>,
    /// How many sessions it takes at once; one more is refused with `busy`.
    pub(super) sessions: Option<usize>,
    /// After how many failed logins it hangs up.
    pub(super) attempts: Option<u32>,
    /// How long a failed login waits for its answer.
    pub(super) login_delay: Option<Period>,
    /// After which silence it says `idle` and hangs up.
    pub(super) idle: Option<Period>,
    /// The IPv4 address that PASV names, if it is another than the peer spoke to: that of a router before it.
    #[schemars(with = "Option<String>")]
    pub(super) passive_address: Option<Spanned<String>>,
    /// The ports that PASV and EPSV choose from, such as `"30000-30999"`.
    #[schemars(with = "Option<String>")]
    pub(super) passive_ports: Option<Spanned<String>>,
    /// Whether it speaks TLS.
    pub(super) tls: Option<Tls>,
}

/// A family of servers: its words, its commands, its lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Dialect {
    /// The words of RFC 959 §4.2.1, and every command.
    #[default]
    Plain,
    /// The server of VxWorks 5 and 6: controllers, relays, switches.
    Vxworks,
    /// vsftpd, on many Linux devices.
    Vsftpd,
    /// ProFTPD, on Linux servers and larger devices.
    Proftpd,
    /// Pure-FTPd, on storage boxes and gateways.
    PureFtpd,
    /// The server of BSD and Washington University, in older Unix devices and many stacks made after it.
    WuFtpd,
    /// The server of Windows.
    Microsoft,
}

/// How LIST shows files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Listing {
    /// As `ls -l`.
    Unix,
    /// As Windows servers do.
    Dos,
    /// As the shell of VxWorks does, with a head.
    Vxworks,
}

/// When lists show `.` and `..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Dots {
    /// Not at all.
    Never,
    /// With `-a`.
    Asked,
    /// Always.
    Always,
}

/// Whether it speaks TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tls {
    /// No.
    #[default]
    None,
    /// When AUTH asks for it (RFC 4217).
    Explicit,
    /// When AUTH asks for it, and nobody can log in before.
    Required,
}

/// How HELP shows the names of commands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Help {
    /// How many stand in a row.
    pub(super) columns: usize,
    /// To how many characters each is filled up.
    pub(super) width: usize,
    /// What each row begins with.
    pub(super) before: String,
    /// What stands between two.
    pub(super) between: String,
    /// The mark behind those that it does not have, which are shown then, too.
    pub(super) missing: Option<String>,
}
