//! The tables of a unit made from their settings. Apart from `build.rs`, because ranges have mistakes of their own.

use super::{
    build::Desk,
    files::{File, Files},
    map::{Bit, Range, Scaled, Table, Word, packed},
    settings::{self, Access, Format, Status},
};
use honeyplant_core::{
    plant::{Place, TagId, Type},
    settings::Problem,
};
use std::ops::Range as Bytes;
use toml::Spanned;

impl Desk<'_> {
    fn tag(&mut self, name: &str, span: Bytes<usize>, key: &str) -> Option<TagId> {
        let found = self.plant.find(name);
        if found.is_none() {
            self.problems.push(Problem::unknown(key, "tag", name, self.plant.names()).at(span));
        }
        found
    }

    fn bit_tag(&mut self, name: &str, span: Bytes<usize>, key: &str) -> Option<TagId> {
        let id = self.tag(name, span.clone(), key)?;
        if self.plant.type_of(id) == Type::Bool {
            return Some(id);
        }
        self.problem(key.to_owned(), Some(span), format!("`{name}` is no BOOL, as a coil or input is"));
        None
    }

    pub(super) fn status(&mut self, status: &Spanned<Status>, key: &str) -> Table<Bit> {
        let range = |start, end, view| Range { start, end, access: Access::Read, view };
        Table::new(match status.get_ref() {
            Status::At(at) => {
                let view = self.bits_at(at, 8, status.span(), key);
                view.map(|view| range(0, 8, view)).into_iter().collect()
            }
            Status::Tags(tags) if tags.len() == 8 => {
                let views = tags.iter().map(|name| self.bit_tag(name, status.span(), key).map(Bit::Tag));
                (0..).zip(views.collect::<Vec<_>>()).filter_map(|(n, view)| Some(range(n, n + 1, view?))).collect()
            }
            Status::Tags(_) => {
                self.problem(key.to_owned(), Some(status.span()), "eight tags are eight bits");
                Vec::new()
            }
        })
    }

    fn bits_at(&mut self, at: &str, count: u32, span: Bytes<usize>, key: &str) -> Option<Bit> {
        let in_words = at.contains('W');
        if in_words && at.contains(".") && !at.starts_with("%DB") || at.matches('.').count() > 1 {
            self.problem(key.to_owned(), Some(span), "bits of words begin at a whole word");
            return None;
        }
        let place = match self.plant.image().locate(at, if in_words { Type::Word } else { Type::Bool }) {
            Ok(place) => place,
            Err(why) => {
                self.problem(key.to_owned(), Some(span), why);
                return None;
            }
        };
        let view = if in_words { Bit::Words(place) } else { Bit::Image(place) };
        let last = if in_words { place.plus(count.next_multiple_of(16) - 8) } else { place.plus(count - 1) };
        self.is_inside(at, last, 1, span, key).then_some(view)
    }

    fn words_at(&mut self, at: &str, count: u32, span: Bytes<usize>, key: &str) -> Option<Word> {
        match self.plant.image().locate(at, Type::Word) {
            Ok(place) if place.is_on_byte() => {
                self.is_inside(at, place.plus(16 * (count - 1)), 2, span, key).then_some(Word::Image(place))
            }
            Ok(_) => {
                self.problem(key.to_owned(), Some(span), format!("`{at}` is a bit; registers begin at a word"));
                None
            }
            Err(why) => {
                self.problem(key.to_owned(), Some(span), why);
                None
            }
        }
    }

    fn is_inside(&mut self, at: &str, last: Place, octets: u32, span: Bytes<usize>, key: &str) -> bool {
        let inside = self.plant.image().octets(last, octets).len() == octets as usize;
        if !inside {
            self.problem(key.to_owned(), Some(span), format!("the range that begins at `{at}` ends behind its memory"));
        }
        inside
    }

    pub(super) fn bits(&mut self, ranges: &[Spanned<settings::Range>], key: &str) -> Table<Bit> {
        let mut table = Vec::new();
        for (index, spanned) in ranges.iter().enumerate() {
            let (range, key) = (spanned.get_ref(), format!("{key}[{index}]"));
            let count = range.count.unwrap_or(1);
            if !self.is_sound(range, &["as", "words", "scale", "offset", "text"], count, spanned.span(), &key) {
                continue;
            }
            let view = match (&range.at, &range.tag) {
                (Some(at), _) => self.bits_at(at.get_ref(), count, at.span(), &format!("{key}.at")),
                (_, Some(tag)) => self.bit_tag(tag.get_ref(), tag.span(), &format!("{key}.tag")).map(Bit::Tag),
                (None, None) => {
                    let place = self.plant.image_mut().allocate(count.div_ceil(8));
                    for (n, value) in (0..count).zip(&range.values) {
                        self.plant.image_mut().set_bit(place.plus(n), *value != 0);
                    }
                    Some(Bit::Image(place))
                }
            };
            table.extend(view.map(|view| (lay(range, count, view), index, spanned.span())));
        }
        self.table(table, key)
    }

    pub(super) fn words(&mut self, ranges: &[Spanned<settings::Range>], key: &str) -> Table<Word> {
        let mut table = Vec::new();
        for (index, spanned) in ranges.iter().enumerate() {
            let (range, key) = (spanned.get_ref(), format!("{key}[{index}]"));
            let tag = range.tag.as_ref().map(|tag| self.scaled(range, tag, &key));
            let text = range.text.as_ref().map(|text| self.text(text, &format!("{key}.text")));
            let count = match (&tag, &text) {
                (Some(None), _) => continue,
                (Some(Some(scaled)), _) => scaled.count,
                (None, Some(text)) => range.count.unwrap_or(text.len().div_ceil(2).max(1) as u32),
                (None, None) => range.count.unwrap_or(1),
            };
            let stray: &[&str] = if tag.is_some() { &[] } else { &["as", "words", "scale", "offset"] };
            if !self.is_sound(range, stray, count, spanned.span(), &key) {
                continue;
            }
            let view = match (&range.at, tag, text) {
                (Some(at), ..) => self.words_at(at.get_ref(), count, at.span(), &format!("{key}.at")),
                (_, Some(scaled), _) => scaled.map(Word::Tag),
                (_, _, Some(text)) if text.len() > 2 * count as usize => {
                    self.problem(
                        format!("{key}.text"),
                        Some(spanned.span()),
                        format!("the text is longer than {count} registers"),
                    );
                    None
                }
                (_, _, Some(text)) => {
                    let words: Vec<u16> = packed(text.as_bytes()).collect();
                    Some(Word::Image(self.allocate(count, &words)))
                }
                _ => Some(Word::Image(self.allocate(count, &range.values))),
            };
            let access = if range.text.is_some() { Access::Read } else { range.access.unwrap_or_default() };
            table.extend(view.map(|view| (Range { access, ..lay(range, count, view) }, index, spanned.span())));
        }
        self.table(table, key)
    }

    fn scaled(&mut self, range: &settings::Range, tag: &Spanned<String>, key: &str) -> Option<Scaled> {
        let id = self.tag(tag.get_ref(), tag.span(), &format!("{key}.tag"))?;
        let ty = self.plant.type_of(id);
        let format = range.format.unwrap_or(Format::of(ty));
        if (format == Format::Text) != (ty == Type::String) {
            self.problem(format!("{key}.as"), Some(tag.span()), "`text` holds a STRING, and a STRING needs `text`");
            return None;
        }
        if range.scale == Some(0.0) {
            self.problem(format!("{key}.scale"), Some(tag.span()), "a step that is worth nothing cannot be counted");
        }
        let needed = if format == Format::Text { range.count.unwrap_or(16) } else { format.ty().bits() / 16 };
        if range.count.is_some_and(|count| count != needed) || needed > 40 {
            let message = format!("`{}` takes {} registers here", tag.get_ref(), needed.min(40));
            self.problem(format!("{key}.count"), Some(tag.span()), message);
        }
        let (scale, offset) = (range.scale.unwrap_or(1.0), range.offset.unwrap_or(0.0));
        Some(Scaled { id, format, order: range.words.unwrap_or_default(), scale, offset, count: needed })
    }

    fn allocate(&mut self, words: u32, values: &[u16]) -> Place {
        let place = self.plant.image_mut().allocate(2 * words);
        for (n, value) in (0..words).zip(values) {
            self.plant.image_mut().set_word(place.plus(16 * n), *value);
        }
        place
    }

    /// Whether a range says one thing, and that thing wholly.
    fn is_sound(&mut self, range: &settings::Range, stray: &[&str], count: u32, span: Bytes<usize>, key: &str) -> bool {
        let before = self.problems.len();
        let kinds = [range.at.is_some(), range.tag.is_some(), range.text.is_some(), range.free];
        if kinds.into_iter().filter(|kind| *kind).count() != 1 {
            self.problem(
                key.to_owned(),
                Some(span.clone()),
                "a range has exactly one of `at`, `tag`, `text` and `free`",
            );
        }
        let given = [
            ("as", range.format.is_some()),
            ("words", range.words.is_some()),
            ("scale", range.scale.is_some()),
            ("offset", range.offset.is_some()),
            ("text", range.text.is_some()),
        ];
        for (field, _) in given.into_iter().filter(|(field, given)| *given && stray.contains(field)) {
            self.problem(format!("{key}.{field}"), Some(span.clone()), format!("`{field}` means nothing here"));
        }
        if !range.values.is_empty() && (!range.free || range.values.len() > count as usize) {
            self.problem(
                format!("{key}.values"),
                Some(span.clone()),
                "values are for free memory, one for each address at most",
            );
        }
        if count == 0 || count > 0x1_0000 - u32::from(range.address) {
            self.problem(key.to_owned(), Some(span), "a range has at least one address, and ends at 65535");
        }
        self.problems.len() == before
    }

    /// Sorts ranges and finds those that overlap.
    fn table<V>(&mut self, mut ranges: Vec<(Range<V>, usize, Bytes<usize>)>, key: &str) -> Table<V> {
        ranges.sort_by_key(|(range, ..)| range.start);
        for pair in ranges.windows(2) {
            let [(one, first, _), (other, second, span)] = pair else { continue };
            if other.start < one.end {
                let message = format!(
                    "addresses {} to {} overlap with {} to {} of {key}[{first}]",
                    other.start,
                    other.end - 1,
                    one.start,
                    one.end - 1
                );
                self.problem(format!("{key}[{second}]"), Some(span.clone()), message);
            }
        }
        Table::new(ranges.into_iter().map(|(range, ..)| range).collect())
    }

    pub(super) fn files(&mut self, files: &[Spanned<settings::File>], key: &str) -> Files {
        let mut known = Vec::<File>::new();
        for (index, spanned) in files.iter().enumerate() {
            let (file, key) = (spanned.get_ref(), format!("{key}[{index}]"));
            if file.number == 0 || known.iter().any(|other| other.number == file.number) {
                self.problem(key.clone(), Some(spanned.span()), "files have different numbers of 1 to 65535");
            }
            if file.records > 10_000 || file.values.len() > file.records.into() {
                self.problem(key, Some(spanned.span()), "a file has at most 10000 records, and at most as many values");
            }
            let records = u32::from(file.records);
            known.push(File { number: file.number, records, place: self.allocate(records, &file.values) });
        }
        Files(known)
    }

    pub(super) fn queues(&mut self, queues: &[Spanned<settings::Fifo>], key: &str) -> Vec<(u16, Vec<u16>)> {
        let mut known = Vec::<(u16, Vec<u16>)>::new();
        for (index, spanned) in queues.iter().enumerate() {
            let queue = spanned.get_ref();
            if known.iter().any(|(address, _)| *address == queue.address) {
                self.problem(format!("{key}[{index}]"), Some(spanned.span()), "another queue has this address");
            }
            known.push((queue.address, queue.values.clone()));
        }
        known
    }
}

fn lay<V>(range: &settings::Range, count: u32, view: V) -> Range<V> {
    let start = u32::from(range.address);
    Range { start, end: start + count, access: range.access.unwrap_or_default(), view }
}
