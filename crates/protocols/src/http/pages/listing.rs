//! Folders without an index, and the device's own files. Apart, because these pages are made on the spot.

use super::{Turn, route::Reply};
use crate::http::answer::Answer;
use honeyplant_core::{
    calendar::Civil,
    conversation::Context,
    event::{FileAccess, FileAct, Kind, Operation, Verdict},
    files::{Facts, Kind as FileKind, ROOT, Refusal, resolve},
};
use std::{collections::BTreeMap, fmt::Write};

impl Turn<'_, '_> {
    /// What lies in a folder of `www/`.
    pub(super) fn list_pages(&self, folder: &str) -> Answer {
        let mut rows = BTreeMap::<String, Option<u64>>::new();
        for (behind, page) in self.site.inside(folder) {
            match behind.split_once('/') {
                Some((name, _)) => drop(rows.insert(format!("{name}/"), None)),
                None => drop(rows.insert(behind.to_owned(), page.size())),
            }
        }
        self.made(list(folder, rows.iter().map(|(name, size)| (name.as_str(), *size, None))))
    }

    /// The device's own files: what lies behind `under` in the folder `root`.
    pub(super) fn tree(&self, under: &str, root: &str, path: &str, reply: &Reply, cx: &mut Context<'_>) -> Answer {
        let behind = self.request.and_then(|request| request.path.get(under.len()..)).unwrap_or_default();
        let place = resolve("/", &format!("{root}/{}", resolve("/", behind)));
        let clock = cx.device().clock(cx.now);
        let device = &cx.session.device;
        let view = device.files().of(cx.session.peer.ip(), &ROOT, clock);
        let found = view.facts(&place).and_then(|facts| match facts.kind {
            FileKind::Folder => Ok((facts, Err(view.list(&place)?))),
            FileKind::File | FileKind::Link(_) => Ok((facts, Ok(view.read(&place)?))),
        });
        drop(view);
        let (act, mut answer, size) = match found {
            Ok((_, Err(entries))) => {
                let rows: Vec<(String, Facts)> =
                    entries.into_iter().map(|(name, facts)| (label(&name, &facts), facts)).collect();
                let rows = rows.iter().map(|(name, facts)| (name.as_str(), Some(facts.size), Some(facts)));
                (FileAct::List, self.made(list(path, rows)), None)
            }
            Ok((facts, Ok(content))) => {
                let (size, media) = (content.len() as u64, self.site.media(&place));
                let modified = Some(facts.modified);
                let answer = Answer { media: Some(media), body: content, modified, ranges: true, ..Answer::default() };
                (FileAct::Download, answer, Some(size))
            }
            Err(refusal) => {
                let status = if matches!(refusal, Refusal::Denied) { 403 } else { 404 };
                let verdict = Verdict::Refused { code: status, reason: refusal.words() };
                let mut answer = self.status(status, cx);
                answer.kinds.push(noted(status, verdict, FileAct::Download, &place, None));
                return answer;
            }
        };
        answer.status = reply.status.unwrap_or(200);
        let mut answer = self.dressed(answer, reply, cx);
        answer.kinds.push(noted(answer.status, Verdict::Done, act, &place, size));
        answer
    }
}

fn noted(status: u16, verdict: Verdict, act: FileAct, path: &str, size: Option<u64>) -> Kind {
    let operation = Operation { name: "get", code: status, unit: None, verdict };
    Kind::File(operation, Box::new(FileAccess { act, path: path.into(), target: None, size, digest: None }))
}

fn label(name: &str, facts: &Facts) -> String {
    if facts.kind == FileKind::Folder { format!("{name}/") } else { name.to_owned() }
}

/// A plain list of names.
fn list<'a>(title: &str, rows: impl Iterator<Item = (&'a str, Option<u64>, Option<&'a Facts>)>) -> String {
    let title = escaped(title);
    let mut text =
        format!("<html><head><title>Index of {title}</title></head>\n<body><h1>Index of {title}</h1><hr><pre>");
    if title != "/" {
        text.push_str("<a href=\"../\">../</a>\n");
    }
    for (name, size, facts) in rows {
        let (name, gap) = (escaped(name), " ".repeat(50_usize.saturating_sub(name.chars().count())));
        let time = facts.map(|facts| Civil::of(facts.modified)).map_or_else(String::new, |time| {
            let Civil { year, day, hour, minute, .. } = time;
            format!("{day:02}-{}-{year:04} {hour:02}:{minute:02}", time.month_name())
        });
        let size = size.filter(|_| !name.ends_with('/')).map_or_else(|| "-".to_owned(), |size| size.to_string());
        let _ = writeln!(text, "<a href=\"{name}\">{name}</a>{gap}{time:17} {size:>19}");
    }
    text + "</pre><hr></body></html>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
