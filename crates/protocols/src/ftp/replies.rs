//! Everything that the server can say, and the templates it is said with. Apart, because the words are what tells servers
//! apart: they are data of dialects and profiles.

use honeyplant_core::{
    files::to_octets,
    identity::Identity,
    settings::{Problem, nearest},
};
use std::fmt::Write as _;

macro_rules! says {
    ($($say:ident $name:literal $reason:literal,)*) => {
        /// An occasion to reply.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Say { $($say,)* }

        impl Say {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$say,)*];

            /// The key under which dialects and profiles word it.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$say => $name,)* }
            }

            /// Why something is refused by it, in the words of the record.
            pub(super) const fn reason(self) -> &'static str {
                match self { $(Self::$say => $reason,)* }
            }
        }
    };
}

says! {
    Ready "ready" "",
    Busy "busy" "too many users",
    Idle "idle" "silent too long",
    Quit "quit" "",
    Flooded "flooded" "too many commands at once",
    Unknown "unknown" "unknown command",
    Unimplemented "unimplemented" "command not implemented",
    TooLong "too-long" "line too long",
    NoArgument "no-argument" "argument missing",
    Syntax "syntax" "syntax error",
    Noop "noop" "",
    Syst "syst" "",
    Stat "stat" "",
    StatFile "stat-file" "",
    Help "help" "",
    HelpCommand "help-command" "",
    HelpUnknown "help-unknown" "unknown command",
    Features "features" "",
    Option "option" "",
    OptionFacts "option-facts" "",
    OptionRefused "option-refused" "unknown option",
    Client "client" "",
    Host "host" "",
    HostLate "host-late" "too late for a host",
    User "user" "",
    UserGuest "user-guest" "",
    LoggedIn "logged-in" "",
    LoginFailed "login-failed" "login incorrect",
    LockedOut "locked-out" "locked out",
    TooManyFailures "too-many-failures" "too many failures",
    LoginFirst "login-first" "not logged in",
    UserFirst "user-first" "no user named",
    AnotherUser "another-user" "logged in already",
    Account "account" "",
    Reset "reset" "",
    Mount "mount" "not mounted",
    TypeAscii "type-ascii" "",
    TypeImage "type-image" "",
    TypeRefused "type-refused" "type not implemented",
    Mode "mode" "",
    ModeRefused "mode-refused" "mode not implemented",
    Structure "structure" "",
    StructureRefused "structure-refused" "structure not implemented",
    Port "port" "",
    PortSyntax "port-syntax" "no address and port",
    PortRefused "port-refused" "not the peer's own address",
    ExtendedPort "extended-port" "",
    Family "family" "network protocol not supported",
    Passive "passive" "",
    ExtendedPassive "extended-passive" "",
    ExtendedPassiveAll "extended-passive-all" "",
    OnlyExtendedPassive "only-extended-passive" "only EPSV is allowed",
    PassiveFailed "passive-failed" "no port to wait at",
    Folder "folder" "",
    Entered "entered" "",
    EnteredUp "entered-up" "",
    EnterFailed "enter-failed" "folder not entered",
    FolderMade "folder-made" "",
    MakeFailed "make-failed" "folder not made",
    FolderRemoved "folder-removed" "",
    RemoveFailed "remove-failed" "folder not removed",
    Deleted "deleted" "",
    DeleteFailed "delete-failed" "file not deleted",
    RenameReady "rename-ready" "",
    RenameMissing "rename-missing" "no such file",
    RenameFirst "rename-first" "no RNFR before",
    Renamed "renamed" "",
    RenameFailed "rename-failed" "file not renamed",
    Size "size" "",
    SizeFailed "size-failed" "no size",
    SizeOfText "size-of-text" "no size of text",
    Time "time" "",
    TimeFailed "time-failed" "no time",
    TimeSet "time-set" "",
    TimeRefused "time-refused" "time not set",
    Facts "facts" "",
    FactsFailed "facts-failed" "no facts",
    Allocated "allocated" "",
    Restart "restart" "",
    RestartSyntax "restart-syntax" "no restart marker",
    RestartBeyond "restart-beyond" "restart marker beyond the end",
    SiteHelp "site-help" "",
    SiteUnknown "site-unknown" "unknown SITE command",
    ModeSet "mode-set" "",
    ModeFailed "mode-failed" "mode not set",
    Mask "mask" "",
    MaskSet "mask-set" "",
    IdleTime "idle-time" "",
    IdleSet "idle-set" "",
    ListBegins "list-begins" "",
    ListDone "list-done" "",
    ListFailed "list-failed" "nothing to list",
    SendBegins "send-begins" "",
    SendFailed "send-failed" "file not sent",
    StoreBegins "store-begins" "",
    StoreBeginsUnique "store-begins-unique" "",
    StoreFailed "store-failed" "file not stored",
    NoName "no-name" "no name is free",
    Done "done" "",
    DoneUnique "done-unique" "",
    Full "full" "storage exceeded",
    NoChannel "no-channel" "no data connection asked for",
    ChannelFailed "channel-failed" "no data connection",
    Broken "broken" "data connection broken",
    Aborted "aborted" "aborted",
    AbortDone "abort-done" "",
    AbortNothing "abort-nothing" "",
    Secure "secure" "",
    SecureUnknown "secure-unknown" "unknown security mechanism",
    SecureAlready "secure-already" "encrypted already",
    SecureFirst "secure-first" "not encrypted",
    SecureLogin "secure-login" "encryption required",
    SecureChannel "secure-channel" "protected data connection required",
    Buffer "buffer" "",
    BufferFirst "buffer-first" "no PBSZ before",
    Protection "protection" "",
    ProtectionRefused "protection-refused" "protection level not supported",
    ClearRefused "clear-refused" "clear command channel denied",
}

macro_rules! fields {
    ($($field:ident $name:literal)*) => {
        /// What a template can have put in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field { $($field,)* }

        impl Field {
            const ALL: &[Self] = &[$(Self::$field,)*];

            const fn name(self) -> &'static str {
                match self { $(Self::$field => $name,)* }
            }
        }
    };
}

fields! {
    Address "address" Argument "argument" Client "client" Clock "clock" Command "command" Commands "commands"
    Downloaded "downloaded" Uploaded "uploaded"
    Facts "facts" Features "features" Folder "folder" Idle "idle" Letter "letter" Lines "lines" Local "local" Login "login"
    Mask "mask"
    Name "name" Number "number" Path "path" Port "port" Random "random" Reason "reason" Serial "session" Size "size"
    Syntax "syntax" Time "time" Type "type" User "user" Verb "verb"
}

/// Text with fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Field),
}

/// A reply with its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) text: Template,
}

impl Template {
    /// Reads `text`. What stands in braces is a field, or was drawn for the device.
    pub(super) fn parse(text: &str, identity: &Identity) -> Result<Self, Problem> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let unclosed = || Problem::new("", format!("the brace before `{after}` is never closed"));
            let (name, after) = after.split_once('}').ok_or_else(unclosed)?;
            pieces.push(Piece::Text(before.to_owned()));
            let field = Field::ALL.iter().copied().find(|field| field.name() == name);
            pieces.push(match (field, identity.get(name)) {
                (Some(field), _) => Piece::Field(field),
                (None, Some(drawn)) => Piece::Text(drawn.to_owned()),
                (None, None) => {
                    let fields = Field::ALL.iter().map(|field| field.name());
                    let known: Vec<&str> = fields.chain(identity.0.keys().map(String::as_str)).collect();
                    let problem = Problem::new("", format!("there is neither a field nor an identity `{name}`"));
                    let near = nearest(name, &known).map(|near| format!("did you mean `{near}`?"));
                    return Err(problem.hint(near.unwrap_or_else(|| format!("there is: {}", known.join(", ")))));
                }
            });
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// The text with what `value` says for each field.
    pub(super) fn fill(&self, mut value: impl FnMut(Field) -> String) -> String {
        let mut whole = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Field(field) => whole.push_str(&value(*field)),
            }
        }
        whole
    }
}

impl Reply {
    /// Reads `CODE text`.
    pub(super) fn parse(text: &str, identity: &Identity) -> Result<Self, Problem> {
        let (code, words) = text.split_once([' ', '\n']).unwrap_or((text, ""));
        // RFC 959 §4.2 gives the first two digits a meaning.
        let code = code.parse().ok().filter(|code| (100..600).contains(code) && code / 10 % 10 < 6);
        let code = code.ok_or_else(|| Problem::new("", "a reply begins with a code, such as `220 ready`"))?;
        Ok(Self { code, text: Template::parse(words, identity)? })
    }

    /// The octets of its text.
    pub(super) fn fill(&self, value: impl FnMut(Field) -> String) -> Vec<u8> {
        to_octets(&self.text.fill(value))
    }
}

/// `names` in rows, as HELP shows them: each begins with `before`, names are padded to `width`.
pub(super) fn rows(names: &[String], columns: usize, width: usize, before: &str, between: &str) -> String {
    let mut text = String::new();
    for row in names.chunks(columns.max(1)) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(before);
        let mut line = String::new();
        for (i, name) in row.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(line, "{}{name:width$}", if i > 0 { between } else { "" });
        }
        text.push_str(line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_take_fields_and_what_was_drawn() {
        let identity = Identity([("vendor".to_owned(), "X1".to_owned())].into());
        let reply = Reply::parse("220 {vendor} at {local}", &identity).unwrap();
        assert_eq!((reply.code, reply.fill(|field| field.name().to_uppercase())), (220, b"X1 at LOCAL".to_vec()));
        let told = |text| Reply::parse(text, &identity).unwrap_err().to_string();
        assert_eq!(
            told("220 {vendro}"),
            ": there is neither a field nor an identity `vendro` (did you mean `vendor`?)"[2..]
        );
        assert!(told("ready").contains("begins with a code"));
        assert!(told("220 {x").contains("never closed"));
    }

    #[test]
    fn names_stand_in_rows() {
        let names = ["A", "BB", "C"].map(str::to_owned);
        assert_eq!(rows(&names, 2, 4, " ", ""), " A   BB\n C");
        assert_eq!(rows(&names, 3, 0, "|", "\t"), "|A\tBB\tC");
    }
}
