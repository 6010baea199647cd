//! What MITRE ATT&CK for ICS (18.1) calls each kind of event, with the reason. Apart, because it is the one judgement in
//! the record: everything else in it is what happened.

use crate::document::{Tactics, Techniques, Threat};
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
    /// What it serves.
    pub tactic: Tactic,
}

/// What one kind of event counts as.
#[derive(Debug)]
pub struct Row {
    /// `event.action` of the kind, with what tells it apart where one kind has several rows.
    pub action: &'static str,
    /// What it counts as; none for what says nothing about the actor.
    pub techniques: &'static [Technique],
    /// Why.
    pub reason: &'static str,
    threat: OnceLock<Option<Threat>>,
}

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
    };
}

techniques! {
    REPOSITORY = "T0811", "Data from Information Repositories", COLLECTION;
    DESTRUCTION = "T0809", "Data Destruction", INHIBIT;
    TRANSFER = "T0867", "Lateral Tool Transfer", LATERAL;
    VALID = "T0859", "Valid Accounts", LATERAL;
    PROXY = "T0884", "Connection Proxy", CONTROL;
    MONITOR = "T0801", "Monitor Process State", COLLECTION;
    DENIAL = "T0814", "Denial of Service", INHIBIT;
    DOWNLOADED = "T0843", "Program Download", LATERAL;
    UPLOADED = "T0845", "Program Upload", COLLECTION;
    MODE = "T0858", "Change Operating Mode", EVASION;
    MODIFIED = "T0889", "Modify Program", PERSISTENCE;
    RESTART = "T0816", "Device Restart/Shutdown", INHIBIT;
    PARAMETER = "T0836", "Modify Parameter", IMPAIR;
    REMOTE_SYSTEM = "T0846", "Remote System Discovery", DISCOVERY;
    COMMAND = "T0855", "Unauthorized Command Message", IMPAIR;
    REMOVAL = "T0872", "Indicator Removal on Host", EVASION;
    INFORMATION = "T0888", "Remote System Information Discovery", DISCOVERY;
}

macro_rules! rows {
    ($($constant:ident = $action:literal, $techniques:expr, $reason:literal;)*) => {
        $(static $constant: Row =
            Row { action: $action, techniques: &$techniques, reason: $reason, threat: OnceLock::new() };)*
        /// The whole table.
        pub static ROWS: &[&Row] = &[$(&$constant),*];
    };
}

rows! {
    STARTED = "started", [], "nobody but the operator has part in it";
    STOPPED = "stopped", [], "nobody but the operator has part in it";
    FAULTED = "faulted", [], "what led to it is in the events before: a program stops by values that it was not written for";
    OPENED = "opened", [REMOTE_SYSTEM], "nobody has business with a decoy: who connects is finding out what there is";
    EXCHANGE = "exchange", [], "what a message meant that was not understood cannot be told";
    UNSUPPORTED = "unsupported", [INFORMATION], "trying functions tells what a device can do, and so what it is";
    IDENTIFY = "identify", [INFORMATION], "make, model and firmware tell which weaknesses a device has";
    DIAGNOSE = "diagnose", [INFORMATION], "counters and states tell the role of a device and who else speaks with it";
    READ = "read", [MONITOR], "values tell how the process stands";
    WRITE_BITS = "write (bits)", [COMMAND], "a bit switches something, without the operator's leave";
    WRITE_VALUES = "write (values)", [PARAMETER, COMMAND],
        "a value is a set point or parameter, and the message that carries it is a command without the operator's leave";
    COMMAND_RESTART = "command (restart)", [RESTART], "a device that restarts controls nothing meanwhile";
    COMMAND_SILENCE = "command (silence)", [DENIAL], "a device that no longer answers is lost to its operators";
    COMMAND_CLEAR = "command (clear)", [REMOVAL], "counters and logs would have told of the actor";
    COMMAND_CONFIGURE = "command (configure)", [PARAMETER], "settings of the communication are parameters, too";
    COMMAND_CLOCK = "command (clock)", [PARAMETER], "the clock dates every alarm and switches by the hour";
    COMMAND_SELECT = "command (select)", [COMMAND], "what is selected is about to be switched, without the operator's leave";
    COMMAND_CANCEL = "command (cancel)", [COMMAND], "a command that is taken back is a command, too";
    COMMAND_START = "command (start)", [MODE], "who starts a CPU has changed what it runs, or wants it seen running";
    COMMAND_STOP = "command (stop)", [MODE, RESTART], "a CPU in STOP controls nothing";
    COMMAND_SAVE = "command (save)", [MODIFIED], "what is saved survives the next restart";
    COMMAND_COMPRESS = "command (compress)", [MODIFIED], "room is made for what is to be loaded";
    COMMAND_SUBSCRIBE = "command (subscribe)", [MONITOR], "whoever is told of every change need not ask";
    LOGIN = "login", [VALID], "whoever is let in by a name and a secret has the rights of their owner";
    LIST = "list", [REPOSITORY], "what lies on a controller tells what it does and who cares for it";
    INSPECT = "inspect", [REPOSITORY], "what lies on a controller tells what it does and who cares for it";
    DOWNLOAD = "download", [REPOSITORY], "files of a controller hold its program, its settings and its plant";
    UPLOAD = "upload", [TRANSFER], "a file that is brought to a device serves whoever brought it";
    CREATE = "create", [TRANSFER], "a folder is made for what is to be brought";
    DELETE = "delete", [DESTRUCTION], "a file that is gone serves its owner no longer";
    RENAME = "rename", [DESTRUCTION], "a file that is not found serves its owner no longer";
    CHANGE = "change", [REMOVAL], "times and owners of files would have told of the actor";
    LIST_BLOCKS = "list_blocks", [INFORMATION], "the blocks of a controller tell how its program is built";
    INSPECT_BLOCK = "inspect_block", [INFORMATION], "the header of a block tells who wrote it and when";
    UPLOAD_BLOCK = "upload_block", [UPLOADED], "a program tells how the process is controlled";
    DOWNLOAD_BLOCK = "download_block", [DOWNLOADED], "a block that is brought becomes part of the program";
    INSERT_BLOCK = "insert_block", [MODIFIED], "from here on the CPU runs what was brought";
    DELETE_BLOCK = "delete_block", [MODIFIED], "a program without one of its blocks is another program";
    REQUEST = "request", [INFORMATION], "pages of a device tell what it is and how its process stands";
    RELAY = "relay", [PROXY], "a device that connects for somebody hides who they are";
    SECURED = "secured", [], "encryption says nothing about what is said";
    UNSECURED = "unsecured", [], "scanners try every version of TLS, and mean nothing by it";
    STRANGER = "stranger", [REMOTE_SYSTEM], "who tries ports is finding out what there is";
    WITHHELD = "withheld", [], "whose address it is cannot be told";
    DISCARDED = "discarded", [], "that there was no room is no doing of the actor";
    MALFORMED = "malformed", [], "port scanners send what is not the protocol to every port, and mean nothing by it";
    CLOSED = "closed", [], "an end says nothing about the actor";
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
    /// The row as a document has it.
    pub fn threat(&self) -> Option<&Threat> {
        let threat = self.threat.get_or_init(|| {
            let mut tactics: Vec<Tactic> = self.techniques.iter().map(|technique| technique.tactic).collect();
            tactics.dedup();
            let tactic = |word: fn(&Tactic) -> &'static str| tactics.iter().map(|t| Cow::Borrowed(word(t))).collect();
            let technique =
                |word: fn(&Technique) -> &'static str| self.techniques.iter().map(|t| Cow::Borrowed(word(t))).collect();
            (!self.techniques.is_empty()).then(|| Threat {
                framework: "MITRE ATT&CK for ICS".into(),
                tactic: Tactics { id: tactic(|t| t.id), name: tactic(|t| t.name) },
                technique: Techniques {
                    id: technique(|t| t.id),
                    name: technique(|t| t.name),
                    reference: technique(|t| t.reference),
                },
            })
        });
        threat.as_ref()
    }
}
