//! The memory of a device and its tags. Apart, because there is one memory: every protocol, program and page is a view
//! on what is here.

mod drive;
mod image;
mod program;
mod value;

pub use drive::{Drive, Part};
pub use image::{Area, Image, Layout, Place, Sizes};
pub use program::{Fault, Moment, Program, Rest, Task};
pub use value::{Type, Value};

use crate::{identity::Identity, random::Random};
use drive::Driver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};
use toml::Spanned;

/// Which tag; found by name once, when a profile is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagId(u32);

impl TagId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The tags that an operation met; seldom more than four.
pub type Tags = SmallVec<[TagId; 4]>;

/// One entry of the `[tags]` table of a profile.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagSettings {
    /// The type of the values.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Where the tag lies in the process image, such as `%MW10`; a tag without it has a place of its own.
    #[schemars(with = "Option<String>")]
    pub at: Option<Spanned<String>>,
    /// The value at the start; a text may have `{key}` for what was drawn, also where the type is a number.
    pub value: Option<Value>,
    /// The unit of measurement, for people.
    #[serde(default)]
    pub unit: String,
    /// The range that the value keeps to unless somebody forces it. Nothing holds it there; `honeyplant plant` tells when
    /// it was left.
    pub range: Option<[f64; 2]>,
    /// Whether the value survives a restart; that of a tag in %M or a data block always does.
    #[serde(default)]
    pub retain: bool,
    /// What moves the tag by itself.
    pub drive: Option<Drive>,
}

impl TagSettings {
    /// Those of a tag that a program declares.
    pub fn declared(ty: Type, at: Option<&str>, value: Value, retain: bool) -> Self {
        let at = at.map(|address| Spanned::new(0..0, address.to_owned()));
        Self { ty, at, value: Some(value), unit: String::new(), range: None, retain, drive: None }
    }

    /// Puts what was drawn into the value. The error says why it cannot be.
    pub fn settle(&mut self, identity: &Identity) -> Result<(), String> {
        if let Some(Value::Text(text)) = &self.value {
            let drawn = identity.expand(text).map_err(|key| format!("`{key}` is drawn nowhere"))?;
            self.value = Some(match self.ty {
                Type::String => Value::Text(drawn.into()),
                _ => Value::Real(drawn.parse().map_err(|_| format!("`{drawn}` is no number"))?),
            });
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Tag {
    name: Arc<str>,
    ty: Type,
    at: Option<Place>,
    own: Value,
    initial: Value,
    retain: bool,
    unit: Box<str>,
    range: Option<[f64; 2]>,
}

/// The tags and the process image of one device.
#[derive(Debug, Default)]
pub struct Plant {
    image: Image,
    tags: Vec<Tag>,
    names: BTreeMap<Arc<str>, TagId>,
    /// Located tags in the order of their places.
    located: Vec<(Place, u32, TagId)>,
    drivers: Vec<(TagId, Driver)>,
    moved: Option<Duration>,
    /// What falls again, and at which uptime.
    pulses: Vec<(TagId, Duration)>,
    changes: u64,
}

/// How often driven tags move; what is asked twice within it is the same, as with the scan of a CPU.
const SCAN: Duration = Duration::from_millis(100);

impl Plant {
    /// A plant over this memory, without tags.
    pub fn new(image: Image) -> Self {
        Self { image, ..Self::default() }
    }

    /// Adds a tag. The error says why it cannot be.
    pub fn add(&mut self, name: &str, settings: &TagSettings, seed: u64) -> Result<TagId, String> {
        let id = TagId(self.tags.len() as u32);
        let at = match &settings.at {
            Some(address) => Some(self.image.locate(address.get_ref(), settings.ty)?),
            None => None,
        };
        let initial = settings.ty.take(settings.value.clone().unwrap_or(Value::Int(0)));
        if let Some(place) = at {
            self.image.set(place, settings.ty, initial.clone());
            let entry = (place, settings.ty.bits(), id);
            let index = self.located.partition_point(|other| *other < entry);
            self.located.insert(index, entry);
        }
        if let Some(drive) = &settings.drive {
            let driver = Driver::new(drive.clone(), Random::named(seed, name), initial.number());
            self.drivers.push((id, driver));
        }
        let name: Arc<str> = name.into();
        self.names.insert(name.clone(), id);
        let TagSettings { ty, retain, range, .. } = *settings;
        let (own, unit) = (initial.clone(), settings.unit.as_str().into());
        self.tags.push(Tag { name, ty, at, own, initial, retain, unit, range });
        Ok(id)
    }

    /// Looks a tag up by name.
    pub fn find(&self, name: &str) -> Option<TagId> {
        self.names.get(name).copied()
    }

    /// The names of all tags, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }

    /// The name of each tag, by its id.
    pub(crate) fn directory(&self) -> Vec<Arc<str>> {
        self.tags.iter().map(|tag| tag.name.clone()).collect()
    }

    /// The type of a tag.
    pub fn type_of(&self, id: TagId) -> Type {
        self.tags.get(id.index()).map_or(Type::Bool, |tag| tag.ty)
    }

    /// The unit of measurement of a tag; empty if it has none.
    pub fn unit_of(&self, id: TagId) -> &str {
        self.tags.get(id.index()).map_or("", |tag| &tag.unit)
    }

    /// The range that a tag keeps to unless somebody forces it, if its author named one.
    pub fn range_of(&self, id: TagId) -> Option<[f64; 2]> {
        self.tags.get(id.index()).and_then(|tag| tag.range)
    }

    /// Where in the process image a tag lies, if it does.
    pub fn place_of(&self, id: TagId) -> Option<Place> {
        self.tags.get(id.index()).and_then(|tag| tag.at)
    }

    /// The value of a tag that has a place of its own.
    #[inline]
    pub fn own(&self, id: TagId) -> Option<&Value> {
        self.tags.get(id.index()).map(|tag| &tag.own)
    }

    /// The value of a tag.
    pub fn get(&self, id: TagId) -> Value {
        match self.tags.get(id.index()) {
            Some(Tag { at: Some(place), ty, .. }) => self.image.get(*place, *ty),
            Some(tag) => tag.own.clone(),
            None => Value::Bool(false),
        }
    }

    /// A number that is another one when the tag holds another value.
    pub(crate) fn print(&self, id: TagId) -> u64 {
        match self.tags.get(id.index()) {
            Some(Tag { ty: Type::String, .. }) => {
                let mut hasher = DefaultHasher::new();
                if let Value::Text(text) = self.get(id) {
                    text.hash(&mut hasher);
                }
                hasher.finish()
            }
            Some(Tag { at: Some(place), ty, .. }) => self.image.pattern(*place, *ty),
            Some(tag) => tag.own.pattern(tag.ty),
            None => 0,
        }
    }

    /// Changes a tag; the value is held inside the range of its type.
    pub fn set(&mut self, id: TagId, value: Value) {
        let changed = match self.tags.get_mut(id.index()) {
            Some(Tag { at: Some(place), ty: Type::String, .. }) => {
                let before = self.image.get(*place, Type::String);
                self.image.set(*place, Type::String, value);
                self.image.get(*place, Type::String) != before
            }
            Some(Tag { at: Some(place), ty, .. }) => {
                let value = ty.take(value);
                let changed = self.image.pattern(*place, *ty) != ty.cut(value.pattern(*ty));
                if changed {
                    self.image.set(*place, *ty, value);
                }
                changed
            }
            Some(tag) => {
                let value = tag.ty.take(value);
                let changed = tag.own != value;
                tag.own = value;
                changed
            }
            None => false,
        };
        self.changes += u64::from(changed);
    }

    /// A number that is greater whenever something may have been changed since.
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// The process image.
    pub const fn image(&self) -> &Image {
        &self.image
    }

    /// The process image, to change it.
    pub const fn image_mut(&mut self) -> &mut Image {
        self.changes += 1;
        &mut self.image
    }

    /// Adds the tags that lie in the `bits` bits from `place` on to `tags`.
    pub fn tags_at(&self, place: Place, bits: u32, tags: &mut Tags) {
        // The longest tag is a string: no tag that starts further before `place` than that can reach it.
        let end = self.located.partition_point(|(start, ..)| *start < place.plus(bits));
        let (before, known) = (self.located.get(..end).unwrap_or_default(), tags.len());
        for (start, length, id) in before.iter().rev() {
            if start.plus(Type::String.bits()) < place {
                break;
            }
            if start.meets(*length, place, bits) {
                tags.insert(known, *id);
            }
        }
    }

    /// Takes the drive off a tag that something else moves.
    pub fn release(&mut self, id: TagId) {
        self.drivers.retain(|(driven, _)| *driven != id);
    }

    /// Whether any tag moves by itself.
    pub const fn is_driven(&self) -> bool {
        !self.drivers.is_empty() || !self.pulses.is_empty()
    }

    /// Sets a BOOL that falls again after `length`, whoever looks then. A pulse that goes on is replaced.
    pub fn pulse(&mut self, id: TagId, length: Duration, at: Moment) {
        self.pulses.retain(|(other, _)| *other != id);
        self.pulses.push((id, at.uptime.saturating_add(length)));
        self.set(id, Value::Bool(true));
    }

    /// The uptime at which the next pulse ends, if one goes on.
    pub fn next_fall(&self) -> Option<Duration> {
        self.pulses.iter().map(|(_, until)| *until).min()
    }

    /// Ends a pulse before its time, if one goes on.
    pub fn end_pulse(&mut self, id: TagId) {
        let going = self.pulses.len();
        self.pulses.retain(|(other, _)| *other != id);
        if self.pulses.len() < going {
            self.set(id, Value::Bool(false));
        }
    }

    /// Moves the driven tags to `at`, and ends the pulses whose time has come.
    pub fn advance(&mut self, at: Moment) {
        while let Some((id, _)) = self.pulses.iter().find(|(_, until)| *until <= at.uptime) {
            self.end_pulse(*id);
        }
        if self.drivers.is_empty() {
            return;
        }
        let step = match self.moved {
            Some(moved) => at.uptime.saturating_sub(moved),
            None => Duration::ZERO,
        };
        if step < SCAN && self.moved.is_some() {
            return;
        }
        self.moved = Some(at.uptime);
        let mut drivers = std::mem::take(&mut self.drivers);
        for (id, driver) in &mut drivers {
            let value = driver.advance(step, at);
            self.set(*id, value);
        }
        self.drivers = drivers;
    }

    /// Lets the outputs fall, as a CPU in STOP does.
    pub fn fall(&mut self) {
        self.changes += u64::from(self.image.fall());
    }

    /// What a warm restart leaves: outputs off, the clock of the drives at its beginning, and the initial value in every tag
    /// that does not keep its own.
    pub fn restart(&mut self) {
        self.fall();
        self.pulses.clear();
        self.moved = None;
        for tag in self.tags.iter_mut().filter(|tag| tag.at.is_none() && !tag.retain) {
            tag.own = tag.initial.clone();
        }
        self.changes += 1;
    }

    /// What a cold restart leaves: memory is 0, and every tag has its initial value.
    pub fn clear(&mut self) {
        self.restart();
        self.image.clear();
        for tag in &mut self.tags {
            match tag.at {
                Some(place) => self.image.set(place, tag.ty, tag.initial.clone()),
                None => tag.own = tag.initial.clone(),
            }
        }
    }

    /// What survives a restart of the whole program.
    pub fn kept(&self) -> Kept {
        let tags = self.tags.iter().filter(|tag| tag.at.is_none() && tag.retain);
        Kept { tags: tags.map(|tag| (tag.name.to_string(), tag.own.clone())).collect(), memory: self.image.kept() }
    }

    /// Puts back what [`Plant::kept`] gave; what is not here (any more) is passed over.
    pub fn recall(&mut self, kept: &Kept) {
        for (name, value) in &kept.tags {
            if let Some(id) = self.find(name) {
                self.set(id, value.clone());
            }
        }
        self.image_mut().recall(&kept.memory);
        for (id, driver) in &mut self.drivers {
            if let Some(Tag { at: Some(place), ty, .. }) = self.tags.get(id.index()) {
                driver.resume(self.image.get(*place, *ty).number());
            }
        }
    }
}

/// Memory that survives a restart of the whole program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Tags with a place of their own, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Value>,
    /// The memory by area, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memory: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(text: &str) -> Plant {
        let sizes = Sizes { layout: Layout::Modicon, memory: 100, memory_bits: 16, ..Sizes::default() };
        let mut plant = Plant::new(Image::new(&sizes).unwrap());
        let tags: BTreeMap<String, TagSettings> = toml::from_str(text).unwrap();
        for (name, settings) in &tags {
            plant.add(name, settings, 1).unwrap();
        }
        plant
    }

    #[test]
    fn a_located_tag_is_a_view_on_the_image() {
        let mut plant =
            plant("level = { type = 'INT', at = '%MW3', value = 7 }\nname = { type = 'STRING', value = 'x' }");
        let (level, place) = (plant.find("level").unwrap(), plant.image().locate("%MW3", Type::Word).unwrap());
        assert_eq!(plant.get(level), Value::Int(7));
        plant.image_mut().set_word(place, 9);
        assert_eq!(plant.get(level), Value::Int(9));
        plant.set(level, Value::Real(1e9));
        assert_eq!(plant.image().word(place), 32_767);
        assert_eq!(plant.get(plant.find("name").unwrap()), Value::Text("x".into()));
    }

    #[test]
    fn a_value_may_be_drawn() {
        let identity = Identity(BTreeMap::from([("hours".to_owned(), "4711".to_owned())]));
        let settled = |text: &str| {
            let mut settings: TagSettings = toml::from_str(text).unwrap();
            settings.settle(&identity).map(|()| settings.value.unwrap())
        };
        assert_eq!(settled("type = 'UDINT'\nvalue = '{hours}'"), Ok(Value::Real(4711.0)));
        assert_eq!(settled("type = 'STRING'\nvalue = 'h{hours}'"), Ok(Value::Text("h4711".into())));
        assert!(settled("type = 'INT'\nvalue = '{days}'").unwrap_err().contains("days"));
        assert!(settled("type = 'INT'\nvalue = 'many'").is_err());
    }

    #[test]
    fn tags_are_found_by_where_they_lie() {
        let plant = plant(
            "a = { type = 'WORD', at = '%MW1' }\nb = { type = 'REAL', at = '%MD2' }\nc = { type = 'BOOL', at = '%M3' }",
        );
        let at = |address, bits| {
            let mut tags = Tags::new();
            plant.tags_at(plant.image().locate(address, Type::Bool).unwrap(), bits, &mut tags);
            tags.iter().map(|id| plant.tags[id.index()].name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(at("%MW1", 48), ["a", "b"]);
        assert_eq!(at("%MW3", 16), ["b"]);
        assert_eq!(at("%M0", 16), ["c"]);
        assert!(at("%MW4", 16).is_empty());
    }

    #[test]
    fn driven_tags_move_with_time_and_not_within_a_scan() {
        let mut plant = plant("up = { type = 'UDINT', drive = { kind = 'uptime' } }");
        let up = plant.find("up").unwrap();
        for (seconds, value) in [(0.0, 0), (3.0, 3), (3.05, 3), (60.0, 60)] {
            plant.advance(Moment { uptime: Duration::from_secs_f64(seconds), clock: Duration::ZERO });
            assert_eq!(plant.get(up), Value::Uint(value));
        }
    }

    #[test]
    fn what_is_kept_comes_back_and_the_rest_starts_anew() {
        let text = "setpoint = { type = 'INT', at = '%MW3', value = 7 }\ntotal = { type = 'LREAL', retain = true }\n\
                    scratch = { type = 'INT', value = 5 }";
        let mut before = plant(text);
        for name in ["setpoint", "total", "scratch"] {
            before.set(before.find(name).unwrap(), Value::Int(42));
        }
        let mut after = plant(text);
        after.recall(&before.kept());
        let value = |plant: &Plant, name| plant.get(plant.find(name).unwrap()).number();
        assert_eq!(["setpoint", "total", "scratch"].map(|name| value(&after, name)), [42.0, 42.0, 5.0]);
        before.restart();
        assert_eq!(["setpoint", "total", "scratch"].map(|name| value(&before, name)), [42.0, 42.0, 5.0]);
    }

    #[test]
    fn a_change_is_noticed_and_a_store_of_the_same_is_none() {
        let mut plant = plant("level = { type = 'INT', at = '%MW3', value = 7 }");
        let (level, before) = (plant.find("level").unwrap(), plant.changes());
        plant.set(level, Value::Int(7));
        assert_eq!(plant.changes(), before);
        plant.set(level, Value::Int(8));
        assert!(plant.changes() > before);
    }
}
