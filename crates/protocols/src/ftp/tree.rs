//! Commands on files and folders that need no channel. Apart, because each is a view on the device's files and an event.

use super::{
    command::quoted,
    control::Control,
    lists::perm,
    replies::{Field, Say},
    wire::{self, Type, Verb},
};
use honeyplant_core::{
    conversation::Context,
    event::{FileAccess, FileAct, Kind},
    files::{
        Access, Facts, Kind as FileKind, Refusal,
        listing::{self, Role},
        split,
    },
};
use std::time::Duration;

impl Control {
    /// CWD
    pub(super) fn enter(&mut self, cx: &mut Context<'_>) {
        let path = self.path(&self.command.argument);
        self.enter_path(path, Say::Entered, cx);
    }

    /// CDUP
    pub(super) fn enter_up(&mut self, cx: &mut Context<'_>) {
        let path = self.path("..");
        self.enter_path(path, Say::EnteredUp, cx);
    }

    fn enter_path(&mut self, path: String, say: Say, cx: &mut Context<'_>) {
        let may = self.files(cx, |view| match view.facts(&path)?.kind {
            FileKind::Folder => view.may(&path, Access::Execute),
            FileKind::File | FileKind::Link(_) => Err(Refusal::NotFolder),
        });
        let operation = match may {
            Ok(()) => {
                self.folder.clone_from(&path);
                self.answer(say, &[(Field::Path, &path)], cx)
            }
            Err(refusal) => self.refuse(Say::EnterFailed, refusal, cx),
        };
        self.note(operation, FileAct::List, &path, cx);
    }

    /// MKD
    pub(super) fn make_folder(&self, cx: &mut Context<'_>) {
        let path = self.path(&self.command.argument);
        let made = self.files(cx, |view| {
            view.make_folder(&path)?;
            // A mode that cannot be set leaves the folder as the device makes it.
            let _ = self.umask.map_or(Ok(()), |umask| view.set_mode(&path, 0o777 & !umask));
            Ok(())
        });
        let operation = match made {
            Ok(()) => self.answer(Say::FolderMade, &[(Field::Path, &quoted(&path))], cx),
            Err(refusal) => self.refuse(Say::MakeFailed, refusal, cx),
        };
        self.note(operation, FileAct::Create, &path, cx);
    }

    /// RMD
    pub(super) fn remove_folder(&self, cx: &mut Context<'_>) {
        let path = self.path(&self.command.argument);
        let removed = self.files(cx, |view| view.remove_folder(&path));
        let operation = match removed {
            Ok(()) => self.answer(Say::FolderRemoved, &[(Field::Path, &path)], cx),
            Err(refusal) => self.refuse(Say::RemoveFailed, refusal, cx),
        };
        self.note(operation, FileAct::Delete, &path, cx);
    }

    /// DELE
    pub(super) fn delete(&self, cx: &mut Context<'_>) {
        let path = self.path(&self.command.argument);
        let deleted = self.files(cx, |view| view.remove(&path));
        let operation = match deleted {
            Ok(()) => self.answer(Say::Deleted, &[(Field::Path, &path)], cx),
            Err(refusal) => self.refuse(Say::DeleteFailed, refusal, cx),
        };
        self.note(operation, FileAct::Delete, &path, cx);
    }

    /// RNFR
    pub(super) fn rename_from(&mut self, cx: &mut Context<'_>) {
        let path = self.path(&self.command.argument);
        let operation = match self.files(cx, |view| view.link_facts(&path)) {
            Ok(_) => {
                self.rename = Some(path.clone());
                self.answer(Say::RenameReady, &[], cx)
            }
            Err(refusal) => self.refuse(Say::RenameMissing, refusal, cx),
        };
        self.note(operation, FileAct::Inspect, &path, cx);
    }

    /// RNTO
    pub(super) fn rename_to(&mut self, cx: &mut Context<'_>) {
        let Some(path) = self.rename.take() else {
            self.say(Say::RenameFirst, &[], cx);
            return;
        };
        let target = self.path(&self.command.argument);
        let operation = match self.files(cx, |view| view.rename(&path, &target)) {
            Ok(()) => self.answer(Say::Renamed, &[], cx),
            Err(refusal) => self.refuse(Say::RenameFailed, refusal, cx),
        };
        let target = Some(target.into());
        let access = FileAccess { act: FileAct::Rename, path: path.into(), target, size: None, digest: None };
        cx.record(Kind::File(operation, Box::new(access)));
    }

    /// SIZE (RFC 3659 §4)
    pub(super) fn size(&self, cx: &mut Context<'_>) {
        let path = self.path(&self.command.argument);
        let operation = match self.plain_file(&path, cx) {
            _ if self.kind == Type::Ascii && !self.server.size_of_text => self.answer(Say::SizeOfText, &[], cx),
            Ok(facts) => self.answer(Say::Size, &[(Field::Size, &facts.size.to_string())], cx),
            Err(refusal) => self.refuse(Say::SizeFailed, refusal, cx),
        };
        self.note(operation, FileAct::Inspect, &path, cx);
    }

    /// MDTM (RFC 3659 §3), and how it was used to set times before MFMT
    pub(super) fn time(&self, cx: &mut Context<'_>) {
        if let Some((stamp, path)) = self.command.argument.split_once(' ')
            && let Some(time) = wire::time(stamp)
            && self.server.commands.contains(&Verb::Mfmt)
        {
            return self.put_time(stamp, time, path, cx);
        }
        let path = self.path(&self.command.argument);
        let operation = match self.plain_file(&path, cx) {
            Ok(facts) => self.answer(Say::Time, &[(Field::Time, &listing::stamp(facts.modified))], cx),
            Err(refusal) => self.refuse(Say::TimeFailed, refusal, cx),
        };
        self.note(operation, FileAct::Inspect, &path, cx);
    }

    /// MFMT
    pub(super) fn set_time(&self, cx: &mut Context<'_>) {
        let parts = self.command.argument.split_once(' ');
        match parts.and_then(|(stamp, path)| Some((stamp, wire::time(stamp)?, path))) {
            Some((stamp, time, path)) => self.put_time(stamp, time, path, cx),
            None => {
                cx.record(Kind::Malformed { why: "MFMT without a time and a path" });
                self.say(Say::Syntax, &[], cx);
            }
        }
    }

    /// Sets the time of a file.
    pub(super) fn put_time(&self, stamp: &str, time: Duration, path: &str, cx: &mut Context<'_>) {
        let absolute = self.path(path);
        let fields = [(Field::Time, stamp), (Field::Argument, path)];
        let operation = match self.files(cx, |view| view.set_times(&absolute, Some(time), None)) {
            Ok(()) => self.answer(Say::TimeSet, &fields, cx),
            Err(refusal) => self.refuse(Say::TimeRefused, refusal, cx),
        };
        self.note(operation, FileAct::Change, &absolute, cx);
    }

    /// MLST (RFC 3659 §7)
    pub(super) fn inspect(&self, cx: &mut Context<'_>) {
        let path = self.path(&self.command.argument);
        let line = self.files(cx, |view| {
            let facts = view.facts(&path)?;
            let may_above = view.may(split(&path).0, Access::Write).is_ok();
            Ok(listing::mlsx(&path, &facts, Role::Entry, &perm(view, &path, &facts, may_above), &self.facts))
        });
        let operation = match line {
            Ok(line) => self.answer(Say::Facts, &[(Field::Facts, &line)], cx),
            Err(refusal) => self.refuse(Say::FactsFailed, refusal, cx),
        };
        self.note(operation, FileAct::Inspect, &path, cx);
    }

    fn plain_file(&self, path: &str, cx: &Context<'_>) -> Result<Facts, Refusal> {
        let facts = self.files(cx, |view| view.facts(path))?;
        if facts.kind == FileKind::File { Ok(facts) } else { Err(Refusal::IsFolder) }
    }
}
