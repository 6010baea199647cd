//! A tree made from its settings: every name is looked up, every value brought into its type, and all mistakes are told at
//! once. Apart, because nothing of it runs once a device does.

use super::{
    group::{self, OrRow, Texts},
    literal,
    network::Network,
    settings::{self, Access, Cell, Literal, Object as Said, Settings, Syntax, Text},
    source::{Bound, Source},
    tree::{Index, Object, Shelf, Tree},
};
use crate::snmp::{
    oid::{LONGEST, Oid},
    value::{Octets, Value},
};
use honeyplant_core::{
    device::Device,
    plant::{Plant, Type},
    settings::{Problem, Problems},
};
use std::{collections::BTreeMap, fmt::Display, net::Ipv4Addr, ops::Range, str::FromStr};
use toml::Spanned;

/// What `settings`, which stand at `key`, describe.
pub(super) fn tree(settings: &Settings, key: &str, device: &Device, problems: &mut Problems) -> (Tree, Network) {
    let mut desk = Desk { device, plant: &device.still(), problems };
    let network = Network::new(settings, key, &mut desk);
    let texts = desk.texts(&settings.system, &format!("{key}.system"));
    let mut shelf = Shelf::new();
    for group in &settings.groups {
        group::put(*group, &texts, &mut shelf);
    }
    let mut places = BTreeMap::new();
    for (id, object) in &settings.objects {
        let key = format!("{key}.objects.\"{}\"", id.get_ref());
        let Some(oid) = desk.parsed::<Oid>(id, &key) else { continue };
        let source = desk.object(object, &key, id.span());
        places.insert(oid.clone(), (key, id.span()));
        shelf.insert(oid, Object::scalar(source));
    }
    for (number, table) in settings.tables.iter().enumerate() {
        let key = format!("{key}.tables[{number}]");
        let Some(entry) = desk.parsed::<Oid>(&table.entry, &format!("{key}.entry")) else { continue };
        for (column, object) in desk.table(table, &key) {
            let oid = entry.clone().with(column);
            places.insert(oid.clone(), (format!("{key}.columns.{column}"), table.entry.span()));
            shelf.insert(oid, object);
        }
    }
    let tree = Tree::new(shelf).unwrap_or_else(|met| {
        let [outer, inner] = *met;
        let at = places.get(&inner).or_else(|| places.get(&outer));
        let (key, span) = at.cloned().unwrap_or_else(|| (key.to_owned(), 0..0));
        let problem = Problem::new(key, format!("`{inner}` lies inside the object `{outer}`")).at(span);
        problems.push(problem.hint("an object is named without the `.0` of its instance, a column without its rows"));
        Tree::default()
    });
    (tree, network)
}

/// What is at hand while settings are read.
pub(super) struct Desk<'a> {
    pub(super) device: &'a Device,
    plant: &'a Plant,
    pub(super) problems: &'a mut Problems,
}

/// The longest OCTET STRING of the groups here, and the longest that a tag holds.
const LONGEST_TEXT: i128 = 255;
const LONGEST_TAG: i128 = 80;

impl Desk<'_> {
    fn problem(&mut self, key: &str, span: Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem::new(key, message).at(span));
    }

    /// What `text` says, once drawn; nothing if that is a mistake, which has been told then.
    fn parsed<T: FromStr<Err: Display>>(&mut self, text: &Spanned<String>, key: &str) -> Option<T> {
        let drawn = self.drawn(text.get_ref(), key, text.span())?;
        drawn.parse().map_err(|why| self.problem(key, text.span(), format!("{why}"))).ok()
    }

    pub(super) fn drawn(&mut self, text: &str, key: &str, span: Range<usize>) -> Option<String> {
        let expanded = self.device.identity().expand(text);
        let known = self.device.identity().0.keys().map(String::as_str);
        expanded.map_err(|name| self.problems.push(Problem::unknown(key, "identity", &name, known).at(span))).ok()
    }

    pub(super) fn mac(&mut self, text: &Spanned<String>, key: &str) -> Option<Vec<u8>> {
        let drawn = self.drawn(text.get_ref(), key, text.span())?;
        literal::hex(&drawn).map_err(|why| self.problem(key, text.span(), why)).ok()
    }

    pub(super) fn address(&mut self, text: &Spanned<String>, key: &str) -> Option<Ipv4Addr> {
        let drawn = self.drawn(text.get_ref(), key, text.span())?;
        literal::address(&drawn).map_err(|why| self.problem(key, text.span(), why)).ok()
    }

    fn texts(&mut self, system: &settings::System, key: &str) -> Texts {
        let description = system.description.as_ref().map(|text| {
            let key = format!("{key}.description");
            let drawn = self.drawn(text.get_ref(), &key, text.span()).unwrap_or_default();
            self.displayed(&drawn, &key, text.span())
        });
        let object_id = system.object_id.as_ref().and_then(|id| self.parsed(id, &format!("{key}.object-id")));
        let resources = system.resources.iter().enumerate().filter_map(|(number, row)| {
            let id = self.parsed(&row.id, &format!("{key}.resources[{number}].id"))?;
            Some(OrRow { id, description: row.description.clone() })
        });
        let resources = resources.collect();
        let mut text = |text: &Option<Spanned<Text>>, field: &str| {
            let key = format!("{key}.{field}");
            text.as_ref().map_or_else(|| Source::Fixed(Value::OctetString(Octets::new())), |text| self.text(text, &key))
        };
        Texts {
            contact: text(&system.contact, "contact"),
            name: text(&system.name, "name"),
            location: text(&system.location, "location"),
            description: description.unwrap_or_else(|| Source::Fixed(Value::OctetString(Octets::new()))),
            object_id: object_id.unwrap_or_else(|| Oid::new(&[0, 0])),
            services: system.services.unwrap_or(72).min(127),
            resources,
        }
    }

    fn text(&mut self, text: &Spanned<Text>, key: &str) -> Source {
        match text.get_ref() {
            Text::Fixed(fixed) => {
                let drawn = self.drawn(fixed, key, text.span()).unwrap_or_default();
                self.displayed(&drawn, key, text.span())
            }
            Text::Tag(of) => {
                let said = Said {
                    ty: Syntax::String,
                    value: None,
                    tag: None,
                    state: None,
                    port: None,
                    access: Access::Write,
                    scale: None,
                    min: None,
                    max: of.max.map(i64::from),
                };
                self.bound(&said, &of.tag, &format!("{key}.tag"), text.span())
            }
        }
    }

    fn displayed(&mut self, text: &str, key: &str, span: Range<usize>) -> Source {
        if text.len() as i128 > LONGEST_TEXT {
            self.problem(key, span, format!("a text has at most {LONGEST_TEXT} octets"));
        }
        Source::Fixed(Value::OctetString(Octets::from_slice(text.as_bytes())))
    }

    /// The source of an object, or of a column in every row alike.
    fn object(&mut self, said: &Said, key: &str, span: Range<usize>) -> Source {
        let nothing = Source::Fixed(said.ty.of_number(0));
        match (&said.value, &said.tag, said.state) {
            (Some(value), None, None) => {
                self.read_only(said, key, value.span());
                self.literal(said.ty, value.get_ref(), None, &format!("{key}.value"), value.span()).unwrap_or(nothing)
            }
            (None, Some(tag), None) => self.bound(said, tag.get_ref(), &format!("{key}.tag"), tag.span()),
            (None, None, Some(state)) => {
                self.read_only(said, key, span);
                Source::State(said.ty, state, said.port)
            }
            _ => {
                self.problem(key, span, "an object has exactly one of `value`, `tag` and `state`");
                nothing
            }
        }
    }

    fn read_only(&mut self, said: &Said, key: &str, span: Range<usize>) {
        if said.access == Access::Write {
            let problem = Problem::new(format!("{key}.access"), "only a tag can be set").at(span);
            self.problems.push(problem.hint("give the object a `tag` of the table `[tags]`"));
        }
    }

    fn bound(&mut self, said: &Said, name: &str, key: &str, span: Range<usize>) -> Source {
        let Some(id) = self.plant.find(name) else {
            self.problems.push(Problem::unknown(key, "tag", name, self.plant.names()).at(span));
            return Source::Fixed(said.ty.of_number(0));
        };
        let ty = self.plant.type_of(id);
        if said.access == Access::Write && said.ty.is_number() == (ty == Type::String) {
            let what = if said.ty.is_number() { "a number" } else { "of the type STRING" };
            self.problem(key, span.clone(), format!("`{name}` cannot be set by this object: it is not {what}"));
        }
        let scale = said.scale.unwrap_or(1.0);
        if !scale.is_normal() {
            self.problem(key, span, "a scale is a number other than 0");
        }
        let (least, most) = if said.ty.is_number() { (i128::MIN, i128::MAX) } else { (0, LONGEST_TAG) };
        Source::Tag(Box::new(Bound {
            id,
            ty,
            syntax: said.ty,
            writable: said.access == Access::Write,
            scale,
            min: said.min.map_or(least, i128::from).max(least),
            max: said.max.map_or(most, i128::from).min(most),
        }))
    }

    /// A value as the operator wrote it, in the row `row` of a table if it is one.
    fn literal(
        &mut self,
        syntax: Syntax,
        said: &Literal,
        row: Option<&str>,
        key: &str,
        span: Range<usize>,
    ) -> Option<Source> {
        let value = match said {
            Literal::Flag(flag) => literal::of_number(syntax, (*flag).into()),
            Literal::Number(number) => literal::of_number(syntax, (*number).into()),
            Literal::Octets(octets) => literal::of_octets(syntax, octets),
            Literal::Text(text) => {
                let text = row.map_or_else(|| text.clone(), |row| text.replace("{row}", row));
                literal::of_text(syntax, &self.drawn(&text, key, span.clone())?)
            }
        };
        value.map(Source::Fixed).map_err(|why| self.problem(key, span, why)).ok()
    }

    /// The columns of a table by their numbers.
    fn table(&mut self, table: &settings::Table, key: &str) -> Vec<(u32, Object)> {
        let mut rows = self.rows(table, key);
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some((twice, _)) = rows.iter().zip(rows.iter().skip(1)).find(|(a, b)| a.0 == b.0) {
            let index = Oid::new(&twice.0);
            self.problem(&format!("{key}.rows"), table.entry.span(), format!("the row `{index}` is there twice"));
        }
        let mut columns = Vec::new();
        for (number, said) in &table.columns {
            let key = format!("{key}.columns.{}", number.get_ref());
            let Some(column) = self.parsed::<u32>(number, &key) else { continue };
            let (told, mut instances) = (self.problems.len(), Vec::new());
            for (index, row) in &rows {
                let cell = row.and_then(|row| row.cells.iter().find(|(name, _)| name.get_ref() == number.get_ref()));
                let source = match cell {
                    Some((_, cell)) => self.cell(said, cell, index, &key),
                    None => self.common(said, index, &key, number.span()),
                };
                // What is wrong in one row would be told again in each.
                if self.problems.len() > told {
                    break;
                }
                instances.extend(source.map(|source| (index.clone(), source)));
            }
            columns.push((column, Object::Fixed(instances)));
        }
        for (row, number) in table.rows.iter().flat_map(|row| row.cells.keys().map(move |number| (row, number))) {
            let known = table.columns.keys().map(|column| column.get_ref().as_str());
            if !known.clone().any(|column| column == number.get_ref()) {
                let key = format!("{key}.rows.{}", row.index.get_ref());
                self.problems.push(Problem::unknown(key, "column", number.get_ref(), known).at(number.span()));
            }
        }
        columns
    }

    fn rows<'a>(&mut self, table: &'a settings::Table, key: &str) -> Vec<(Index, Option<&'a settings::Row>)> {
        const MOST: u32 = 100_000;
        if table.count > MOST {
            self.problem(&format!("{key}.count"), table.entry.span(), format!("a table has at most {MOST} rows"));
        }
        let counted = (1..=table.count.min(MOST)).map(|row| (Index::from_slice(&[row]), None));
        let mut rows: Vec<_> = counted.collect();
        for (number, row) in table.rows.iter().enumerate() {
            let arcs: Result<Index, _> = row.index.get_ref().split('.').map(str::parse).collect();
            match arcs {
                Ok(index) if index.len() < LONGEST => rows.push((index, Some(row))),
                _ => {
                    let problem = Problem::new(
                        format!("{key}.rows[{number}].index"),
                        format!("`{}` is no index", row.index.get_ref()),
                    );
                    self.problems.push(problem.at(row.index.span()).hint("write it as `3` or `10.0.0.1.80`"));
                }
            }
        }
        rows
    }

    fn cell(&mut self, said: &Said, cell: &Spanned<Cell>, index: &[u32], key: &str) -> Option<Source> {
        let row = Oid::new(index).to_string();
        match cell.get_ref() {
            Cell::Value(value) => self.literal(said.ty, value, Some(&row), key, cell.span()),
            Cell::Tag(of) => Some(self.bound(said, &of.tag, &format!("{key}.tag"), cell.span())),
        }
    }

    /// What a column is in a row that does not say otherwise; nothing if it is not there.
    fn common(&mut self, said: &Said, index: &[u32], key: &str, span: Range<usize>) -> Option<Source> {
        match (&said.value, &said.tag, said.state) {
            (None, None, None) => None,
            (Some(value), None, None) => {
                let row = Oid::new(index).to_string();
                self.literal(said.ty, value.get_ref(), Some(&row), &format!("{key}.value"), value.span())
            }
            _ => Some(self.object(said, key, span)),
        }
    }
}
