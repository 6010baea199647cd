//! What MITRE ATT&CK for ICS (18.1) calls each kind of event, and what only a session shows, with the reasons. Apart,
//! because it is the one judgement in the record: everything else in it is what happened. Ids, names and tactics are held
//! to an extract of MITRE's own bundle by a test.

use crate::document::{Outcome, Tactics, Techniques, Threat};
use honeyplant_core::event::{BlockAct, Command, FileAct, Kind, Values};
use std::{borrow::Cow, sync::OnceLock};

/// What an actor is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tactic {
    /// Such as `TA0106`.
    pub id: &'static str,
    /// Such as `Impair Process Control`.
    pub name: &'static str,
}

/// How an actor goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Technique {
    /// Such as `T0855`.
    pub id: &'static str,
    /// Such as `Unauthorized Command Message`.
    pub name: &'static str,
    /// Where it is described.
    pub reference: &'static str,
    /// What it serves here; MITRE has some techniques under several tactics.
    pub tactic: Tactic,
}

/// The tactics in the order of the matrix: what stands later is further on the way to harm.
pub const MATRIX: [&str; 12] = [
    "Initial Access",
    "Execution",
    "Persistence",
    "Privilege Escalation",
    "Evasion",
    "Discovery",
    "Lateral Movement",
    "Collection",
    "Command and Control",
    "Inhibit Response Function",
    "Impair Process Control",
    "Impact",
];

/// What is only tried counts no less than this.
const LOOKING: u8 = 3;

/// What one kind of event counts as.
#[derive(Debug)]
pub struct Row {
    /// `event.action` of the kind, with what tells it apart where one kind has several rows; of what a session shows, a name.
    pub action: &'static str,
    /// What happened, as the documentation has it.
    pub what: &'static str,
    /// What it counts as; none for what says nothing about the actor.
    pub techniques: &'static [Technique],
    /// How grave it is, as [`SCALE`] has it.
    pub severity: u8,
    /// Why.
    pub reason: &'static str,
    threat: OnceLock<Option<Threat>>,
}

/// What each degree of severity means.
pub const SCALE: [(u8, &str); 11] = [
    (0, "nothing that an actor did"),
    (1, "contact: a connection, noise, a page"),
    (2, "finding out what the device is"),
    (3, "looking: values of the process, lists of files, a login that was refused"),
    (4, "taking files, being let in by a community or password, trying one device after the other"),
    (5, "taking the program, hiding traces, guessing secrets in a row"),
    (6, "preparing: selecting what is to be switched, the maker's own password, an exploit that was sent"),
    (7, "bringing or deleting files, changing settings, starting the CPU, flooding"),
    (8, "changing values of the process"),
    (9, "changing the program, restarting or silencing the device, switching again and again"),
    (10, "stopping what controls the process"),
];

const ACCESS: Tactic = Tactic { id: "TA0108", name: "Initial Access" };
const CONTROL: Tactic = Tactic { id: "TA0101", name: "Command and Control" };
const LATERAL: Tactic = Tactic { id: "TA0109", name: "Lateral Movement" };
const COLLECTION: Tactic = Tactic { id: "TA0100", name: "Collection" };
const DISCOVERY: Tactic = Tactic { id: "TA0102", name: "Discovery" };
const EVASION: Tactic = Tactic { id: "TA0103", name: "Evasion" };
const PERSISTENCE: Tactic = Tactic { id: "TA0110", name: "Persistence" };
const IMPAIR: Tactic = Tactic { id: "TA0106", name: "Impair Process Control" };
const INHIBIT: Tactic = Tactic { id: "TA0107", name: "Inhibit Response Function" };

macro_rules! techniques {
    ($($constant:ident = $id:literal, $name:literal, $tactic:ident;)*) => {
        $(const $constant: Technique = Technique {
            id: $id,
            name: $name,
            reference: concat!("https://attack.mitre.org/techniques/", $id, "/"),
            tactic: $tactic,
        };)*
        /// Every technique that is spoken of.
        pub const TECHNIQUES: &[Technique] = &[$($constant),*];
    };
}

techniques! {
    MONITOR = "T0801", "Monitor Process State", COLLECTION;
    BRUTE = "T0806", "Brute Force I/O", IMPAIR;
    DESTRUCTION = "T0809", "Data Destruction", INHIBIT;
    REPOSITORY = "T0811", "Data from Information Repositories", COLLECTION;
    DEFAULT = "T0812", "Default Credentials", LATERAL;
    DENIAL = "T0814", "Denial of Service", INHIBIT;
    RESTART = "T0816", "Device Restart/Shutdown", INHIBIT;
    EXPLOIT = "T0819", "Exploit Public-Facing Application", ACCESS;
    PARAMETER = "T0836", "Modify Parameter", IMPAIR;
    DOWNLOADED = "T0843", "Program Download", LATERAL;
    UPLOADED = "T0845", "Program Upload", COLLECTION;
    REMOTE_SYSTEM = "T0846", "Remote System Discovery", DISCOVERY;
    COMMAND = "T0855", "Unauthorized Command Message", IMPAIR;
    MODE = "T0858", "Change Operating Mode", EVASION;
    VALID = "T0859", "Valid Accounts", LATERAL;
    REMOTE_EXPLOIT = "T0866", "Exploitation of Remote Services", ACCESS;
    TRANSFER = "T0867", "Lateral Tool Transfer", LATERAL;
    REMOVAL = "T0872", "Indicator Removal on Host", EVASION;
    PROXY = "T0884", "Connection Proxy", CONTROL;
    INFORMATION = "T0888", "Remote System Information Discovery", DISCOVERY;
    MODIFIED = "T0889", "Modify Program", PERSISTENCE;
}

/// The technique that has this id.
pub fn named(id: &str) -> Option<&'static Technique> {
    TECHNIQUES.iter().find(|technique| technique.id == id)
}

macro_rules! rows {
    ($(#[$about:meta])* pub static $table:ident; $($(#[$each:meta])* $constant:ident = $action:literal, $techniques:expr, $severity:literal,
        $what:literal, $reason:literal;)*) => {
        $($(#[$each])* pub(crate) static $constant: Row = Row {
            action: $action,
            what: $what,
            techniques: &$techniques,
            severity: $severity,
            reason: $reason,
            threat: OnceLock::new(),
        };)*
        $(#[$about])*
        pub static $table: &[&Row] = &[$(&$constant),*];
    };
}

rows! {
    /// What each kind of event counts as.
    pub static ROWS;
    STARTED = "started", [], 0,
        "The site began to run. `honeyplant.mended` tells what had to be mended in the record of the run before.",
        "nobody but the operator has part in it";
    STOPPED = "stopped", [], 0,
        "The site ended as it was told to. A run without it was killed or crashed.",
        "nobody but the operator has part in it";
    FAULTED = "faulted", [], 5,
        "The CPU of a device stopped by itself: its program ran too long, divided by zero or left an array (`honeyplant.fault`).",
        "what led to it is in the events before: a program stops by values that it was not written for";
    OPENED = "opened", [REMOTE_SYSTEM], 1,
        "An actor connected to a service of a device.",
        "nobody has business with a decoy: who connects is finding out what there is";
    EXCHANGE = "exchange", [], 1,
        "A message came that its protocol had no more to say about. Its bytes are in `honeyplant.request`.",
        "what a message meant that was not understood cannot be told";
    UNSUPPORTED = "unsupported", [INFORMATION], 2,
        "A function was asked for that the device does not have. Many in a row are an inventory of its functions.",
        "trying functions tells what a device can do, and so what it is";
    IDENTIFY = "identify", [INFORMATION], 2,
        "The device was asked who it is: vendor, model, firmware.",
        "make, model and firmware tell which weaknesses a device has";
    DIAGNOSE = "diagnose", [INFORMATION], 2,
        "The device was asked how it is: counters, states, an echo.",
        "counters and states tell the role of a device and who else speaks with it";
    READ = "read", [MONITOR], 3,
        "Values of the process were asked for. `honeyplant.values` has what was answered.",
        "values tell how the process stands";
    WRITE_BITS = "write (bits)", [COMMAND], 8,
        "Bits were changed, or were to be: something was switched. `honeyplant.before` and `honeyplant.after` have the values.",
        "a bit switches something, without the operator's leave";
    WRITE_VALUES = "write (values)", [PARAMETER, COMMAND], 8,
        "Registers or typed values were changed, or were to be.",
        "a value is a set point or parameter, and the message that carries it is a command without the operator's leave";
    COMMAND_RESTART = "command (restart)", [RESTART], 9,
        "The device, or its communication, was told to start again (`honeyplant.command` is `restart`).",
        "a device that restarts controls nothing meanwhile";
    COMMAND_SILENCE = "command (silence)", [DENIAL], 9,
        "The device was told to answer no longer (`silence`).",
        "a device that no longer answers is lost to its operators";
    COMMAND_CLEAR = "command (clear)", [REMOVAL], 7,
        "Counters or logs of the device were emptied (`clear`).",
        "counters and logs would have told of the actor";
    COMMAND_CONFIGURE = "command (configure)", [PARAMETER], 7,
        "A setting of the communication was changed (`configure`).",
        "settings of the communication are parameters, too";
    COMMAND_CLOCK = "command (clock)", [PARAMETER], 5,
        "The clock was set (`clock`).",
        "the clock dates every alarm and switches by the hour";
    COMMAND_SELECT = "command (select)", [COMMAND], 6,
        "Something was selected that a later command is to switch (`select`).",
        "what is selected is about to be switched, without the operator's leave";
    COMMAND_CANCEL = "command (cancel)", [COMMAND], 6,
        "A selection or a command that was going on was taken back (`cancel`).",
        "a command that is taken back is a command, too";
    COMMAND_START = "command (start)", [MODE], 7,
        "The CPU was told to run (`start`).",
        "who starts a CPU has changed what it runs, or wants it seen running";
    COMMAND_STOP = "command (stop)", [MODE, RESTART], 10,
        "The CPU was told to stop (`stop`).",
        "a CPU in STOP controls nothing";
    COMMAND_SAVE = "command (save)", [MODIFIED], 7,
        "The working memory was to be kept over restarts (`save`).",
        "what is saved survives the next restart";
    COMMAND_COMPRESS = "command (compress)", [MODIFIED], 6,
        "The memory was to be compressed (`compress`).",
        "room is made for what is to be loaded";
    COMMAND_SUBSCRIBE = "command (subscribe)", [MONITOR], 3,
        "The device was to tell changes or values by itself (`subscribe`).",
        "whoever is told of every change need not ask";
    LOGIN = "login", [VALID], 4,
        "Somebody said who they are: `user.name` and `honeyplant.secret`, as far as the protocol tells them. `event.outcome` is whether they were let in.",
        "whoever is let in by a name and a secret has the rights of their owner";
    LIST = "list", [REPOSITORY], 3,
        "A folder was listed or entered (`file.path`).",
        "what lies on a controller tells what it does and who cares for it";
    INSPECT = "inspect", [REPOSITORY], 3,
        "The size, time or other facts of a file were asked for.",
        "what lies on a controller tells what it does and who cares for it";
    DOWNLOAD = "download", [REPOSITORY], 4,
        "A file was taken from the device.",
        "files of a controller hold its program, its settings and its plant";
    UPLOAD = "upload", [TRANSFER], 7,
        "A file was brought to the device. Its bytes are the artefact of `file.hash.sha256`.",
        "a file that is brought to a device serves whoever brought it";
    CREATE = "create", [TRANSFER], 5,
        "A folder or a link was made.",
        "a folder is made for what is to be brought";
    DELETE = "delete", [DESTRUCTION], 7,
        "A file or folder was deleted.",
        "a file that is gone serves its owner no longer";
    RENAME = "rename", [DESTRUCTION], 6,
        "A file or folder was given another name or place (`honeyplant.target`).",
        "a file that is not found serves its owner no longer";
    CHANGE = "change", [REMOVAL], 5,
        "The time, mode or owner of a file was changed.",
        "times and owners of files would have told of the actor";
    LIST_BLOCKS = "list_blocks", [INFORMATION], 3,
        "It was asked which blocks of program and data there are (`honeyplant.block.name`).",
        "the blocks of a controller tell how its program is built";
    INSPECT_BLOCK = "inspect_block", [INFORMATION], 3,
        "A block's header was asked for.",
        "the header of a block tells who wrote it and when";
    UPLOAD_BLOCK = "upload_block", [UPLOADED], 5,
        "A block was taken from the device.",
        "a program tells how the process is controlled";
    DOWNLOAD_BLOCK = "download_block", [DOWNLOADED], 9,
        "A block was brought to the device: `honeyplant.block` has its header, the artefact of `file.hash.sha256` its bytes.",
        "a block that is brought becomes part of the program";
    INSERT_BLOCK = "insert_block", [MODIFIED], 9,
        "A block that was brought was put to use.",
        "from here on the CPU runs what was brought";
    DELETE_BLOCK = "delete_block", [MODIFIED], 9,
        "A block was deleted.",
        "a program without one of its blocks is another program";
    REQUEST = "request", [INFORMATION], 1,
        "A page or another resource of a web server was asked for: `http`, `url` and `user_agent` tell how, `http.response.status_code` what came of it.",
        "pages of a device tell what it is and how its process stands";
    RELAY = "relay", [PROXY], 5,
        "The device was to connect to somebody else (`honeyplant.third`), as with FTP's PORT. It never does.",
        "a device that connects for somebody hides who they are";
    SECURED = "secured", [], 0,
        "From here on the session was encrypted (`tls`). What is recorded after is what was said inside.",
        "encryption says nothing about what is said";
    UNSECURED = "unsecured", [], 1,
        "The actor wanted the session encrypted (`tls.client`), and no encryption came of it; `honeyplant.malformed` tells why.",
        "scanners try every version of TLS, and mean nothing by it";
    STRANGER = "stranger", [REMOTE_SYSTEM], 2,
        "Somebody else (`honeyplant.third`) came to a port that was opened for the actor, and was turned away.",
        "who tries ports is finding out what there is";
    WITHHELD = "withheld", [], 1,
        "Answers were not sent, since their source address may be forged and its owner would have been flooded (`honeyplant.withheld`). The first is told at once, of the others a sum a second.",
        "whose address it is cannot be told";
    DISCARDED = "discarded", [], 1,
        "What an actor left was not kept: the store was full, or the disk did not take it (`honeyplant.discarded`).",
        "that there was no room is no doing of the actor";
    MALFORMED = "malformed", [], 1,
        "Bytes came that are not the protocol, or a broken message of it. `honeyplant.malformed` names the rule that is broken.",
        "port scanners send what is not the protocol to every port, and mean nothing by it";
    CLOSED = "closed", [], 0,
        "The session ended. `honeyplant.ending` tells who ended it, how long it lasted and how much was said.",
        "an end says nothing about the actor";
}

rows! {
    /// What only a session shows: told with the event that makes it certain, beside what that event is by itself.
    pub static FINDINGS;
    SWEEP = "sweep", [REMOTE_SYSTEM], 4,
        "Eight different units, stations or slots behind one address were spoken to.",
        "who asks for one after the other is finding out which there are";
    REPEATED_WRITES = "repeated writes", [BRUTE], 9,
        "Values of the process were written, or were to be, ten times.",
        "what is switched again and again wears out, and the process does not come to rest";
    GUESSING = "guessing", [VALID], 5,
        "Ten logins were refused.",
        "who is refused that often and goes on is trying what there is";
    GUESSING_ON = "guessing on", [VALID], 6,
        "A thousand logins were refused.",
        "a list is being tried from its beginning to its end";
    DEFAULT_ACCOUNT = "default account", [DEFAULT], 6,
        "A name and password were tried that a maker delivers devices with.",
        "such lists are for devices of this kind, and nobody who works there needs them";
    DEFAULT_SECRET = "default secret", [DEFAULT], 4,
        "A community or password without a name was tried that a maker delivers devices with.",
        "it is the first that everybody tries";
    FLOOD = "flood", [DENIAL], 7,
        "Five thousand equal messages came within a second.",
        "no client has use for so many answers, and a real device would not answer its operators meanwhile";
    EXPLOITED = "exploit", [EXPLOIT], 6,
        "A web server was sent what is known to exploit one (a tool's rule says so).",
        "the request does what it is for on a server that has the weakness";
    EXPLOITED_SERVICE = "exploit of a service", [REMOTE_EXPLOIT], 6,
        "Another service was sent what is known to exploit one (a tool's rule says so).",
        "the message does what it is for on a device that has the weakness";
}

/// The row of a kind.
pub fn row(kind: &Kind) -> &'static Row {
    match kind {
        Kind::Started { .. } => &STARTED,
        Kind::Stopped => &STOPPED,
        Kind::Faulted { .. } => &FAULTED,
        Kind::Opened => &OPENED,
        Kind::Exchange => &EXCHANGE,
        Kind::Unsupported(_) => &UNSUPPORTED,
        Kind::Identify(_) => &IDENTIFY,
        Kind::Diagnose(_) => &DIAGNOSE,
        Kind::Read(..) => &READ,
        Kind::Write(_, _, change) => match change.after {
            Values::Words(_) | Values::Typed(_) => &WRITE_VALUES,
            Values::Bits(_) | Values::None => &WRITE_BITS,
        },
        Kind::Command(_, Command::Restart) => &COMMAND_RESTART,
        Kind::Command(_, Command::Silence) => &COMMAND_SILENCE,
        Kind::Command(_, Command::Clear) => &COMMAND_CLEAR,
        Kind::Command(_, Command::Configure) => &COMMAND_CONFIGURE,
        Kind::Command(_, Command::Clock) => &COMMAND_CLOCK,
        Kind::Command(_, Command::Select) => &COMMAND_SELECT,
        Kind::Command(_, Command::Cancel) => &COMMAND_CANCEL,
        Kind::Command(_, Command::Start) => &COMMAND_START,
        Kind::Command(_, Command::Stop) => &COMMAND_STOP,
        Kind::Command(_, Command::Save) => &COMMAND_SAVE,
        Kind::Command(_, Command::Compress) => &COMMAND_COMPRESS,
        Kind::Command(_, Command::Subscribe) => &COMMAND_SUBSCRIBE,
        Kind::Login(..) => &LOGIN,
        Kind::File(_, access) => match access.act {
            FileAct::List => &LIST,
            FileAct::Inspect => &INSPECT,
            FileAct::Download => &DOWNLOAD,
            FileAct::Upload => &UPLOAD,
            FileAct::Create => &CREATE,
            FileAct::Delete => &DELETE,
            FileAct::Rename => &RENAME,
            FileAct::Change => &CHANGE,
        },
        Kind::Block(_, access) => match access.act {
            BlockAct::List => &LIST_BLOCKS,
            BlockAct::Inspect => &INSPECT_BLOCK,
            BlockAct::Upload => &UPLOAD_BLOCK,
            BlockAct::Download => &DOWNLOAD_BLOCK,
            BlockAct::Insert => &INSERT_BLOCK,
            BlockAct::Delete => &DELETE_BLOCK,
        },
        Kind::Request(..) => &REQUEST,
        Kind::Relay(..) => &RELAY,
        Kind::Secured(_) => &SECURED,
        Kind::Unsecured { .. } => &UNSECURED,
        Kind::Stranger { .. } => &STRANGER,
        Kind::Withheld { .. } => &WITHHELD,
        Kind::Discarded { .. } => &DISCARDED,
        Kind::Malformed { .. } => &MALFORMED,
        Kind::Closed(_) => &CLOSED,
    }
}

impl Row {
    /// How grave it is with this outcome: what was only tried counts two less, but not less than looking does.
    pub fn severity(&self, outcome: Outcome) -> u8 {
        match outcome {
            Outcome::Failure if self.severity > LOOKING => (self.severity - 2).max(LOOKING),
            _ => self.severity,
        }
    }

    /// The row as a document has it.
    pub fn threat(&self) -> Option<&Threat> {
        let threat = self.threat.get_or_init(|| threat(self.techniques));
        threat.as_ref()
    }
}

/// What counts as these techniques.
pub(crate) fn threat(techniques: &[Technique]) -> Option<Threat> {
    let mut tactics: Vec<Tactic> = Vec::new();
    for technique in techniques {
        if !tactics.contains(&technique.tactic) {
            tactics.push(technique.tactic);
        }
    }
    let tactic = |word: fn(&Tactic) -> &'static str| tactics.iter().map(|t| Cow::Borrowed(word(t))).collect();
    let technique = |word: fn(&Technique) -> &'static str| techniques.iter().map(|t| Cow::Borrowed(word(t))).collect();
    (!techniques.is_empty()).then(|| Threat {
        framework: "MITRE ATT&CK for ICS".into(),
        tactic: Tactics { id: tactic(|t| t.id), name: tactic(|t| t.name) },
        technique: Techniques {
            id: technique(|t| t.id),
            name: technique(|t| t.name),
            reference: technique(|t| t.reference),
        },
    })
}
