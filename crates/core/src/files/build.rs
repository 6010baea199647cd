//! From a profile's table and folder to the files of one device. Apart, because an operator's mistakes are found here, all of
//! them, and never later.

use super::{
    Content, EntrySettings, Files, FilesSettings, Folder,
    bytes::{Bytes, Drawn, Fill},
    node::{Body, Entry, Key, Meta, Node, Stamp},
    path,
    rules::{New, Registry, Rules, Volume, within},
};
use crate::{
    identity::Identity,
    random::Random,
    settings::{Problem, Problems, Size},
};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How many files and folders a profile may bring, and how many bytes in all.
const MOST_NODES: u64 = 4096;
const MOST_BYTES: u64 = 64 << 20;
/// How large a file may be that is made whenever somebody reads it.
const MOST_DRAWN: u64 = 16 << 20;

impl FilesSettings {
    /// The files of a device for which `identity` was drawn. `users` are those of its accounts. All mistakes are told.
    pub fn build(
        &self,
        folder: &Folder,
        identity: &Identity,
        seed: u64,
        users: impl IntoIterator<Item = (u32, Box<str>)>,
    ) -> (Files, Problems) {
        let known = |names: &BTreeMap<String, u32>| {
            Registry(names.iter().map(|(name, number)| (*number, name.as_str().into())).collect())
        };
        let mut rules = Rules {
            naming: self.names,
            order: self.order,
            folder_size: self.folder_size.into(),
            quota: self.quota.settle(),
            users: known(&self.users),
            groups: known(&self.groups),
            seed,
            ..Rules::default()
        };
        for (number, name) in users {
            rules.users.0.entry(number).or_insert(name);
        }
        // 2 is the root's number on file systems of Unix.
        let problems = Problems::new();
        let mut tree = Tree { settings: self, rules: &rules, identity, seed, problems, next_inode: 2, bytes: 0 };
        let mut root = Node::folder(tree.meta("/", true, None, 0..0));
        tree.fill(&mut root, folder);
        let new = tree.made_by_actors();
        let (first_own, mut problems) = (tree.next_inode, tree.problems);
        (rules.first_own, rules.new) = (first_own, new);
        rules.volumes = self.volumes(&root, &rules, &mut problems);
        (Files { base: Arc::new(root), rules, overlays: Mutex::default() }, problems)
    }

    fn volumes(&self, root: &Node, rules: &Rules, problems: &mut Problems) -> Vec<Volume> {
        let mut volumes = vec![Volume { size: u64::MAX, ..Volume::default() }];
        for (at, settings) in &self.volumes {
            let path = path::resolve("/", at);
            let keys = keys(&path, rules);
            if !root.at(&keys).is_some_and(Node::is_folder) {
                let why = format!("there is no folder `{path}` where the volume could begin");
                let hint = format!("add \"{path}/\" = {{}} to `entries`");
                problems.push(Problem::new(format!("files.volumes.{at}"), why).hint(hint));
                continue;
            }
            let volume = Volume {
                size: settings.size.0,
                taken: settings.taken.map_or(0, |taken| taken.0),
                read_only: settings.read_only,
                volatile: settings.volatile,
                keys,
            };
            match volumes.first_mut() {
                Some(first) if volume.keys.is_empty() => *first = volume,
                _ => volumes.push(volume),
            }
        }
        // What is on a volume is not on the one that it begins in.
        let held: Vec<(Option<usize>, u64)> = volumes
            .iter()
            .map(|volume| {
                let above = volume.keys.split_last().map(|(_, above)| within(&volumes, above));
                (above, root.at(&volume.keys).map_or(0, |node| node.weight(0).bytes))
            })
            .collect();
        for (index, (above, bytes)) in held.into_iter().enumerate() {
            if let Some(volume) = volumes.get_mut(index) {
                volume.taken = volume.taken.saturating_add(bytes);
            }
            if let Some(above) = above.and_then(|above| volumes.get_mut(above)) {
                above.taken = above.taken.saturating_sub(bytes);
            }
        }
        for volume in volumes.iter().filter(|volume| volume.taken > volume.size) {
            let why = format!("it holds {} bytes, and what is on it has {}", volume.size, volume.taken);
            problems.push(Problem::new(format!("files.volumes./{}", volume.keys.join("/")), why));
        }
        if let Some(first) = volumes.first_mut().filter(|first| first.size == u64::MAX) {
            // A device whose space nobody has looked up has as much as one actor may leave.
            first.size = first.taken.saturating_add(rules.quota.actor);
        }
        volumes
    }
}

/// A tree that grows.
struct Tree<'a> {
    settings: &'a FilesSettings,
    rules: &'a Rules,
    identity: &'a Identity,
    seed: u64,
    problems: Problems,
    next_inode: u64,
    bytes: u64,
}

impl Tree<'_> {
    fn fill(&mut self, root: &mut Node, folder: &Folder) {
        let mut whole = BTreeMap::<String, (Option<&Content>, Option<(&str, Range<usize>, &EntrySettings)>)>::new();
        for (path, content) in folder {
            whole.entry(path::resolve("/", path)).or_default().0 = Some(content);
        }
        for (key, entry) in &self.settings.entries {
            whole.entry(path::resolve("/", key.get_ref())).or_default().1 = Some((key.get_ref(), key.span(), entry));
        }
        for (path, (content, entry)) in whole {
            let (key, span, settings) = entry.map_or((path.as_str(), 0..0, None), |(k, span, e)| (k, span, Some(e)));
            if self.next_inode > MOST_NODES || self.bytes > MOST_BYTES {
                let why = format!("these are more than {MOST_NODES} files and folders, or more than 64 MiB");
                self.problems.push(Problem::new("files", why));
                return;
            }
            let body = match self.body(&path, key.ends_with('/'), content, settings) {
                Ok(body) => body,
                Err(why) => {
                    self.tell(Problem::new(format!("files.entries.{key}"), why), &span);
                    continue;
                }
            };
            let meta = self.meta(&path, matches!(body, Body::Folder(_)), settings, span.clone());
            if let Err(why) = self.place(root, &path, Node { meta, body }) {
                self.tell(Problem::new(format!("files.entries.{key}"), why), &span);
            }
        }
    }

    fn body(
        &mut self,
        path: &str,
        is_folder: bool,
        content: Option<&Content>,
        settings: Option<&EntrySettings>,
    ) -> Result<Body, String> {
        let none = EntrySettings::default();
        let EntrySettings { text, hex, size, fill, drawn, link, .. } = settings.unwrap_or(&none);
        let inline = text.is_some() || hex.is_some() || size.is_some() || fill.is_some();
        let kinds = [is_folder, content.is_some(), inline, link.is_some()];
        if kinds.into_iter().filter(|kind| *kind).count() > 1 {
            return Err(
                "it is one of a folder, a link, a file of the folder `files/`, and a file with a content here".into()
            );
        }
        if text.is_some() && hex.is_some() {
            return Err("its content is either `text` or `hex`".into());
        }
        if is_folder {
            return Ok(Body::Folder(BTreeMap::new()));
        }
        if let Some(link) = link {
            let target = path::names(link).is_ok() && !link.is_empty();
            return if target { Ok(Body::Link(link.as_str().into())) } else { Err("a link leads to a path".into()) };
        }
        let bytes = match content {
            Some(content) if *drawn => {
                let text = std::str::from_utf8(content).map_err(|_| "what is drawn in it must be text in UTF-8")?;
                Bytes::Held(Arc::new(inscribe(text, self.identity)?.into_bytes()))
            }
            Some(content) => Bytes::Held(content.clone()),
            None => {
                let head = match (text, hex) {
                    (Some(text), _) => inscribe(text, self.identity)?.into_bytes(),
                    (None, Some(hex)) => octets(hex)?,
                    (None, None) => Vec::new(),
                };
                match size {
                    Some(Size(size)) => self.drawn(path, head, *size, fill.as_deref())?,
                    None if fill.is_some() => return Err("without `size` there is nothing to fill".into()),
                    None => Bytes::Held(Arc::new(head)),
                }
            }
        };
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        Ok(Body::File { bytes, own: false })
    }

    /// What is `size` bytes long and begins with `head`.
    fn drawn(&self, path: &str, head: Vec<u8>, size: u64, fill: Option<&str>) -> Result<Bytes, String> {
        if size > MOST_DRAWN {
            return Err("a file that is filled has 16 MiB at most".into());
        }
        if size < head.len() as u64 {
            return Err(format!("its content has {} bytes, and it holds {size}", head.len()));
        }
        let fill = match fill.map(octets).transpose()? {
            Some(octets) if octets.is_empty() => return Err("`fill` is at least one octet".into()),
            Some(octets) => Fill::Octets(octets),
            None => Fill::Seed(Random::named(self.seed, path).bits()),
        };
        Ok(Bytes::Drawn(Arc::new(Drawn { head, size: size as usize, fill })))
    }

    /// The facts of what is at `path`, with a number of its own.
    fn meta(&mut self, path: &str, is_folder: bool, entry: Option<&EntrySettings>, span: Range<usize>) -> Meta {
        let own = |field: &str| match entry {
            Some(_) => format!("files.entries.{path}.{field}"),
            None => format!("files.{field}"),
        };
        let settings = self.settings;
        let when = entry.and_then(|entry| entry.modified.as_ref()).unwrap_or(&settings.modified);
        let modified = when.settle(self.identity, self.seed, path).unwrap_or_else(|why| {
            // What is wrong with the table's own is told once.
            if entry.is_some_and(|entry| entry.modified.is_some()) || path == "/" {
                self.tell(Problem::new(own("modified"), why), &span);
            }
            Stamp::Age(Duration::ZERO)
        });
        let owner = entry.and_then(|entry| entry.owner.as_ref());
        let group = entry.and_then(|entry| entry.group.as_ref());
        let (tell_owner, tell_group) = (owner.is_some() || path == "/", group.is_some() || path == "/");
        let uid = self.number(owner.unwrap_or(&settings.owner), true, &own("owner"), tell_owner, &span);
        let gid = self.number(group.unwrap_or(&settings.group), false, &own("group"), tell_group, &span);
        let usual = if is_folder { settings.folder_mode } else { settings.mode };
        let mode = match entry {
            Some(EntrySettings { mode: Some(mode), .. }) => mode.0,
            Some(EntrySettings { link: Some(_), .. }) => 0o777,
            _ => usual.0,
        };
        self.next_inode += 1;
        let inode = self.next_inode - 1;
        Meta { uid, gid, mode, modified, accessed: modified, changed: modified, inode }
    }

    /// Tells of a mistake; what is no entry's has no place in the text that is known.
    fn tell(&mut self, problem: Problem, span: &Range<usize>) {
        self.problems.push(if span.is_empty() { problem } else { problem.at(span.clone()) });
    }

    /// The number of a user or group.
    fn number(&mut self, name: &str, is_user: bool, key: &str, tell: bool, span: &Range<usize>) -> u32 {
        let (registry, what) = if is_user { (&self.rules.users, "user") } else { (&self.rules.groups, "group") };
        registry.number(name).unwrap_or_else(|| {
            if tell {
                let known = registry.0.values().map(|name| &**name);
                let problem = Problem::unknown(key, what, name, known);
                self.tell(problem, span);
            }
            0
        })
    }

    fn made_by_actors(&mut self) -> New {
        let new = &self.settings.new;
        let uid = new.owner.as_ref().map(|name| self.number(name, true, "files.new.owner", true, &(0..0)));
        let gid = new.group.as_ref().map(|name| self.number(name, false, "files.new.group", true, &(0..0)));
        let mode = new.mode.unwrap_or(self.settings.mode).0;
        New { uid, gid, mode, folder_mode: new.folder_mode.unwrap_or(self.settings.folder_mode).0 }
    }

    /// Puts something where `path` leads, making the folders on the way.
    fn place(&mut self, root: &mut Node, path: &str, node: Node) -> Result<(), String> {
        let names = path::names(path).map_err(|why| why.to_string())?;
        let Some((last, above)) = names.split_last() else {
            // The root itself is given other facts.
            let is_folder = node.is_folder();
            root.meta = node.meta;
            return if is_folder { Ok(()) } else { Err("the root is a folder; write it as \"/\"".into()) };
        };
        let mut at = root;
        let mut way = String::new();
        for name in above {
            way = path::resolve(&way, name);
            let key = self.rules.naming.key(name);
            if at.entries().is_some_and(|entries| !entries.contains_key(&key)) {
                path::check(name, self.rules.naming.forbidden()).map_err(|_| format!("`{name}` is no name here"))?;
                let folder = Arc::new(Node::folder(self.meta(&way, true, None, 0..0)));
                if let Some(entries) = at.entries_mut() {
                    entries.insert(key.clone(), Entry { name: (*name).into(), node: folder });
                }
            }
            let entry = at.entries_mut().and_then(|entries| entries.get_mut(&key));
            at = entry.map(|entry| Arc::make_mut(&mut entry.node)).ok_or_else(|| format!("`{way}` is no folder"))?;
        }
        path::check(last, self.rules.naming.forbidden()).map_err(|_| format!("`{last}` is no name here"))?;
        let entries = at.entries_mut().ok_or_else(|| format!("`{way}` is no folder"))?;
        let entry = Entry { name: (*last).into(), node: Arc::new(node) };
        match entries.insert(self.rules.naming.key(last), entry) {
            Some(_) => Err("two names here differ only in the size of their letters".into()),
            None => Ok(()),
        }
    }
}

fn keys(path: &str, rules: &Rules) -> Vec<Key> {
    path.split('/').filter(|name| !name.is_empty()).map(|name| rules.naming.key(name)).collect()
}

/// `text` with each `{name}` replaced by what was drawn for it; other braces are the text's own.
fn inscribe(text: &str, identity: &Identity) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        whole.push_str(before);
        let name = after.split_once('}').filter(|(name, _)| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        });
        rest = match name {
            Some((name, after)) => {
                whole.push_str(identity.get(name).ok_or_else(|| format!("`{name}` is drawn nowhere"))?);
                after
            }
            None => {
                whole.push('{');
                after
            }
        };
    }
    whole.push_str(rest);
    Ok(whole)
}

/// The octets of hexadecimal digits.
fn octets(hex: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u32>> = hex.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0);
    let digits = digits.ok_or_else(|| format!("`{hex}` is not of pairs of hexadecimal digits"))?;
    let pairs = digits.chunks_exact(2);
    Ok(pairs.map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | *digit) as u8).collect())
}
