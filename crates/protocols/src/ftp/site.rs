//! SITE: what servers have beyond the standard (RFC 959 §4.1.3). Apart, because a server lists what of it there is.

use super::{
    build::Octal,
    control::Control,
    replies::{Field, Say},
    server::Site,
    wire,
};
use honeyplant_core::{
    conversation::Context,
    event::{FileAct, Kind},
};
use std::time::Duration;

impl Control {
    /// SITE
    pub(super) fn site(&mut self, cx: &mut Context<'_>) {
        let argument = self.command.argument.clone();
        let (word, rest) = argument.split_once(' ').unwrap_or((&argument, ""));
        let rest = rest.trim_start();
        let site = self.server.site.iter().copied().find(|site| site.name().eq_ignore_ascii_case(word));
        let Some(site) = site else { return self.lack(Say::SiteUnknown, cx) };
        self.command.name = site.recorded();
        match site {
            Site::Help => self.site_help(cx),
            Site::Chmod => self.change_mode(rest, cx),
            Site::Utime => self.change_time(rest, cx),
            Site::Umask => match rest.parse::<Octal>() {
                _ if rest.is_empty() => drop(self.say(Say::Mask, &[], cx)),
                Ok(Octal(mask)) if mask <= 0o777 => {
                    self.umask = Some(mask);
                    self.say(Say::MaskSet, &[], cx);
                }
                _ => drop(self.say(Say::Syntax, &[], cx)),
            },
            Site::Idle => match rest.parse::<u32>() {
                _ if rest.is_empty() => drop(self.say(Say::IdleTime, &[], cx)),
                // What BSD servers allow.
                Ok(seconds @ 30..=7200) => {
                    self.idle = Some(Duration::from_secs(seconds.into()));
                    self.say(Say::IdleSet, &[], cx);
                }
                _ => drop(self.say(Say::Syntax, &[], cx)),
            },
        }
    }

    /// SITE HELP, and HELP SITE
    pub(super) fn site_help(&self, cx: &mut Context<'_>) {
        let rows = self.server.help.1.clone();
        self.identify(Say::SiteHelp, &[(Field::Commands, &rows)], cx);
    }

    /// `UTIME YYYYMMDDhhmm[ss] path`, or `UTIME path`, three times and `UTC`, of which the second is the modification's
    fn change_time(&self, rest: &str, cx: &mut Context<'_>) {
        let full = |stamp: &str| wire::time(&format!("{stamp:0<14}")).filter(|_| stamp.len() >= 12);
        let long = || {
            let mut words = rest.strip_suffix(" UTC")?.rsplitn(4, ' ');
            let (_, stamp, _) = (words.next()?, words.next()?, words.next()?);
            Some((full(stamp)?, stamp, words.next()?))
        };
        let short = || rest.split_once(' ').and_then(|(stamp, path)| Some((full(stamp)?, stamp, path)));
        match long().or_else(short) {
            Some((time, stamp, path)) => self.put_time(stamp, time, path, cx),
            None => {
                cx.record(Kind::Malformed { why: "SITE UTIME without a time and a path" });
                self.say(Say::Syntax, &[], cx);
            }
        }
    }

    fn change_mode(&self, rest: &str, cx: &mut Context<'_>) {
        let (mode, name) = rest.split_once(' ').unwrap_or((rest, ""));
        let Some(Octal(mode)) = mode.parse().ok().filter(|_| !name.is_empty()) else {
            cx.record(Kind::Malformed { why: "SITE CHMOD without a mode and a path" });
            self.say(Say::Syntax, &[], cx);
            return;
        };
        let path = self.path(name);
        let set = self.files(cx, |view| view.set_mode(&path, mode));
        let operation = match set {
            Ok(()) => self.answer(Say::ModeSet, &[(Field::Name, name)], cx),
            Err(refusal) => self.refuse(Say::ModeFailed, refusal, cx),
        };
        self.note(operation, FileAct::Change, &path, cx);
    }
}
