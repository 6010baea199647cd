//! Files and lists on their way over the data connection (RFC 959 §3.4, §4.1.3). Apart, because a transfer goes on in
//! pieces while its session listens.

use super::{
    ascii::{Inward, Outward},
    channel::Channel,
    control::{Command, Control},
    lists::Lines,
    replies::{Field, Say},
    wire::{self, Type, Verb},
};
use honeyplant_core::{
    conversation::{Context, Effect},
    event::{FileAccess, FileAct, Kind, Operation, Verdict},
    files::{Content, Kind as FileKind, Place, Refusal, View, split},
};

/// How many bytes are sent at once.
const PIECE: usize = 64 * 1024;

/// A transfer, from its command to its last reply.
pub(super) struct Transfer {
    command: Command,
    act: FileAct,
    path: String,
    begins: Say,
    done: Say,
    work: Work,
    /// How it ended, while its channel is being closed.
    ending: Option<Say>,
    running: bool,
    moved: u64,
}

enum Work {
    /// A file goes to the peer.
    Send { content: Content, at: usize, outward: Option<Outward> },
    /// A list goes to the peer.
    List(Lines),
    /// A file comes from the peer.
    Store { inward: Option<Inward>, place: Place, kept: Vec<u8> },
}

impl Transfer {
    /// How it goes, as STAT tells it.
    pub(super) fn status(&self) -> String {
        let does = if matches!(self.work, Work::Store { .. }) { "Receiving" } else { "Sending" };
        format!(" {does} {}, {} bytes transferred", self.command.argument, self.moved)
    }

    /// The next bytes for the peer; none at the end.
    fn piece(&mut self) -> Vec<u8> {
        let mut piece = Vec::new();
        match &mut self.work {
            Work::Send { content, at, outward } => {
                // Line ends may double it.
                let length = if outward.is_some() { PIECE / 2 } else { PIECE };
                let end = at.saturating_add(length).min(content.len());
                let bytes = content.get(*at..end).unwrap_or_default();
                match outward {
                    Some(outward) => outward.convert(bytes, &mut piece),
                    None => piece.extend_from_slice(bytes),
                }
                *at = end;
            }
            Work::List(lines) => lines.fill(PIECE, &mut piece),
            Work::Store { .. } => {}
        }
        self.moved += piece.len() as u64;
        piece
    }
}

impl Control {
    /// REST (RFC 3659 §5)
    pub(super) fn restart(&mut self, cx: &mut Context<'_>) {
        match wire::number(self.command.argument.as_bytes()) {
            Some(marker) => {
                self.restart = marker;
                self.say(Say::Restart, &[(Field::Size, &marker.to_string())], cx);
            }
            None => {
                cx.record(Kind::Malformed { why: "REST without a number" });
                self.say(Say::RestartSyntax, &[], cx);
            }
        }
    }

    /// RETR
    pub(super) fn retrieve(&mut self, cx: &mut Context<'_>) {
        let path = self.path(&self.command.argument);
        let from = std::mem::take(&mut self.restart);
        if !self.has_channel(FileAct::Download, &path, cx) {
            return;
        }
        let content = match self.files(cx, |view| view.read(&path)) {
            Ok(content) => content,
            Err(refusal) => {
                let operation = self.refuse(Say::SendFailed, refusal, cx);
                return self.note(operation, FileAct::Download, &path, cx);
            }
        };
        let at = usize::try_from(from).ok().filter(|at| *at <= content.len());
        let Some(at) = at else {
            let operation = self.answer(Say::RestartBeyond, &[], cx);
            return self.note(operation, FileAct::Download, &path, cx);
        };
        let outward = (self.kind == Type::Ascii).then(Outward::default);
        self.start(FileAct::Download, path, Say::SendBegins, Say::Done, Work::Send { content, at, outward }, cx);
    }

    /// STOR, APPE and STOU
    pub(super) fn store(&mut self, verb: Verb, cx: &mut Context<'_>) {
        let from = std::mem::take(&mut self.restart);
        let mut path = self.path(if verb == Verb::Stou && self.command.argument.is_empty() {
            "file"
        } else {
            &self.command.argument
        });
        if !self.has_channel(FileAct::Upload, &path, cx) {
            return;
        }
        if verb == Verb::Stou {
            match self.unique(&path, cx) {
                Some(free) => path = free,
                None => {
                    let operation = self.answer(Say::NoName, &[], cx);
                    return self.note(operation, FileAct::Upload, &path, cx);
                }
            }
        }
        let place = match verb {
            Verb::Appe => Place::Append,
            Verb::Stou => Place::New,
            _ if from > 0 => Place::At(from),
            _ => Place::Replace,
        };
        let opened = self.files(cx, |view| self.open_file(view, &path, place));
        let operation = match opened {
            Ok(true) => {
                let inward = (self.kind == Type::Ascii).then(Inward::default);
                // What is there already was made ready; now it grows.
                let place = if from > 0 && verb == Verb::Stor { Place::At(from) } else { Place::Append };
                let work = Work::Store { inward, place, kept: Vec::new() };
                let (begins, done) = match verb {
                    Verb::Stou => (Say::StoreBeginsUnique, Say::DoneUnique),
                    _ => (Say::StoreBegins, Say::Done),
                };
                return self.start(FileAct::Upload, path, begins, done, work, cx);
            }
            Ok(false) => self.answer(Say::RestartBeyond, &[], cx),
            Err(refusal) => self.refuse(Say::StoreFailed, refusal, cx),
        };
        self.note(operation, FileAct::Upload, &path, cx);
    }

    /// Makes a file ready to be written; not if it is to go on behind its end.
    fn open_file(&self, view: &mut View<'_>, path: &str, place: Place) -> Result<bool, Refusal> {
        let is_new = match view.facts(path) {
            Ok(facts) if facts.kind == FileKind::Folder => return Err(Refusal::IsFolder),
            Ok(facts) => {
                if matches!(place, Place::At(from) if from > facts.size) {
                    return Ok(false);
                }
                false
            }
            Err(_) if matches!(place, Place::At(_)) => return Ok(false),
            Err(_) => true,
        };
        view.write(path, &[], place)?;
        if let Some(umask) = self.umask.filter(|_| is_new) {
            // A mode that cannot be set leaves the file as the device makes it.
            let _ = view.set_mode(path, 0o666 & !umask);
        }
        Ok(true)
    }

    /// A path beside `path` at which nothing is.
    fn unique(&self, path: &str, cx: &mut Context<'_>) -> Option<String> {
        let (folder, name) = split(path);
        for number in 1..=99 {
            let random: String = (0..6).map(|_| char::from(b'a' + cx.random.below(26) as u8)).collect();
            let free = self.server.unique.fill(|field| match field {
                Field::Name => name.to_owned(),
                Field::Number => number.to_string(),
                Field::Random => random.clone(),
                _ => String::new(),
            });
            let free = honeyplant_core::files::resolve(folder, &free);
            if self.files(cx, |view| view.link_facts(&free)) == Err(Refusal::Missing) {
                return Some(free);
            }
        }
        None
    }

    /// LIST, NLST and MLSD, once there is a list.
    pub(super) fn send_list(&mut self, path: String, lines: Lines, cx: &mut Context<'_>) {
        self.start(FileAct::List, path, Say::ListBegins, Say::ListDone, Work::List(lines), cx);
    }

    /// Whether a transfer can have a channel; if not, that is said.
    pub(super) fn has_channel(&self, act: FileAct, path: &str, cx: &mut Context<'_>) -> bool {
        let say = match &self.channel {
            _ if self.is_too_clear() => Say::SecureChannel,
            Channel::None => Say::NoChannel,
            _ => return true,
        };
        let operation = self.answer(say, &[], cx);
        self.note(operation, act, path, cx);
        false
    }

    fn start(&mut self, act: FileAct, path: String, begins: Say, done: Say, work: Work, cx: &mut Context<'_>) {
        let command = self.command.clone();
        self.transfer =
            Some(Transfer { command, act, path, begins, done, work, ending: None, running: false, moved: 0 });
        match self.channel {
            Channel::Active(port) => {
                self.channel = Channel::Dialled;
                cx.ask(Effect::Dial { port });
            }
            Channel::Open { .. } => {
                self.announce(cx);
                self.proceed(cx);
            }
            Channel::None | Channel::Passive | Channel::Dialled => {}
        }
    }

    /// Says that the transfer begins.
    pub(super) fn announce(&mut self, cx: &mut Context<'_>) {
        let Some(transfer) = &self.transfer else { return };
        let size = match &transfer.work {
            Work::Send { content, at, .. } => content.len().saturating_sub(*at),
            Work::List(_) | Work::Store { .. } => 0,
        };
        let name = split(&transfer.path).1.to_owned();
        let (begins, size) = (transfer.begins, size.to_string());
        self.command = transfer.command.clone();
        self.say(begins, &[(Field::Name, &name), (Field::Size, &size), (Field::Path, &transfer.path)], cx);
    }

    /// Goes on with the transfer if there is one and its channel is as it is to be.
    pub(super) fn proceed(&mut self, cx: &mut Context<'_>) {
        let (Some(transfer), Channel::Open { ready: true, early, ended }) = (&mut self.transfer, &mut self.channel)
        else {
            return;
        };
        if transfer.ending.is_some() {
            return;
        }
        let (early, ended) = (std::mem::take(early), *ended);
        let begins = !std::mem::replace(&mut transfer.running, true);
        if !matches!(transfer.work, Work::Store { .. }) {
            if begins {
                self.send_more(cx);
            }
            return;
        }
        if !early.is_empty() {
            self.receive_data(&early, cx);
        }
        if ended {
            self.complete(cx);
        }
    }

    /// Sends the next piece, if one is to be sent.
    pub(super) fn send_more(&mut self, cx: &mut Context<'_>) {
        let Some(transfer) = self.transfer.as_mut().filter(|transfer| transfer.running && transfer.ending.is_none())
        else {
            return;
        };
        if matches!(transfer.work, Work::Store { .. }) {
            return;
        }
        let piece = transfer.piece();
        if piece.is_empty() {
            transfer.ending = Some(transfer.done);
            cx.ask(Effect::Finish);
        } else {
            cx.ask(Effect::Send(piece));
        }
    }

    /// Takes what came over the channel.
    pub(super) fn receive_data(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        let Some(transfer) = self.transfer.as_mut().filter(|transfer| transfer.running) else {
            return self.keep_early(bytes, cx);
        };
        if transfer.ending.is_some() {
            return;
        }
        let Work::Store { inward, kept, .. } = &mut transfer.work else {
            cx.record(Kind::Malformed { why: "octets over the data connection of a download" });
            return;
        };
        let from = kept.len();
        match inward {
            Some(inward) => inward.convert(bytes, kept),
            None => kept.extend_from_slice(bytes),
        }
        transfer.moved += bytes.len() as u64;
        self.write(from, cx);
    }

    /// Writes what was kept from `from` on into the file.
    fn write(&mut self, from: usize, cx: &mut Context<'_>) {
        let Some(mut transfer) = self.transfer.take() else { return };
        let mut written = Ok(());
        if let Work::Store { place, kept, .. } = &mut transfer.work {
            let bytes = kept.get(from..).unwrap_or_default();
            written = self.files(cx, |view| view.write(&transfer.path, bytes, *place));
            if let Place::At(at) = place {
                *at += bytes.len() as u64;
            }
        }
        self.transfer = Some(transfer);
        if let Err(refusal) = written {
            let say = match refusal {
                Refusal::Full | Refusal::TooLarge => Say::Full,
                _ => Say::StoreFailed,
            };
            self.drop_channel(cx);
            self.conclude(say, cx);
        }
    }

    /// All has come.
    fn complete(&mut self, cx: &mut Context<'_>) {
        let Some(transfer) = &mut self.transfer else { return };
        if let Work::Store { inward: Some(inward), kept, .. } = &mut transfer.work {
            let from = kept.len();
            inward.finish(kept);
            if kept.len() > from {
                self.write(from, cx);
            }
        }
        // Its last byte may have been one too many.
        if let Some(transfer) = &mut self.transfer {
            transfer.ending = Some(transfer.done);
            cx.ask(Effect::Finish);
        }
    }

    /// The channel is closed, with all sent.
    pub(super) fn finish(&mut self, cx: &mut Context<'_>) {
        self.channel = Channel::None;
        if let Some(say) = self.transfer.as_ref().and_then(|transfer| transfer.ending) {
            self.conclude(say, cx);
        }
    }

    /// The channel broke, or did not come about.
    pub(super) fn lose(&mut self, cx: &mut Context<'_>) {
        let Some(transfer) = &self.transfer else { return };
        let say = match (&transfer.work, transfer.ending) {
            // All had come before.
            (Work::Store { .. }, Some(say)) => say,
            _ if transfer.running => Say::Broken,
            _ => Say::ChannelFailed,
        };
        self.conclude(say, cx);
    }

    /// ABOR
    pub(super) fn abort(&mut self, cx: &mut Context<'_>) {
        self.drop_channel(cx);
        if self.transfer.is_some() {
            let command = self.command.clone();
            self.conclude(Say::Aborted, cx);
            self.command = command;
            self.say(Say::AbortDone, &[], cx);
        } else {
            self.say(Say::AbortNothing, &[], cx);
        }
    }

    /// Says how the transfer ended, and records it.
    fn conclude(&mut self, say: Say, cx: &mut Context<'_>) {
        let Some(transfer) = self.transfer.take() else { return };
        self.command = transfer.command.clone();
        match transfer.act {
            FileAct::Download => self.carried.0 += transfer.moved,
            FileAct::Upload => self.carried.1 += transfer.moved,
            _ => {}
        }
        let name = split(&transfer.path).1;
        let lines = match &transfer.work {
            Work::List(lines) => lines.count().to_string(),
            Work::Send { .. } | Work::Store { .. } => String::new(),
        };
        let operation =
            self.answer(say, &[(Field::Name, name), (Field::Lines, &lines), (Field::Path, &transfer.path)], cx);
        record(operation, transfer, cx);
    }

    /// The peer is gone; what it left is kept.
    pub(super) fn break_off(&mut self, cx: &mut Context<'_>) {
        if let Some(transfer) = self.transfer.take() {
            let verdict = Verdict::Silent { reason: "the session ended before" };
            record(Operation { name: transfer.command.name, code: 0, unit: None, verdict }, transfer, cx);
        }
    }
}

fn record(operation: Operation, transfer: Transfer, cx: &mut Context<'_>) {
    let digest = match transfer.work {
        Work::Store { kept, .. } if !kept.is_empty() => Some(cx.keep(kept)),
        _ => None,
    };
    let Transfer { act, path, moved, .. } = transfer;
    let access = FileAccess { act, path: path.into(), target: None, size: Some(moved), digest };
    cx.record(Kind::File(operation, Box::new(access)));
}
