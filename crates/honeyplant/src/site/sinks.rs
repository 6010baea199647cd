//! The sinks of a site. Apart, because they are built from a table that the site itself does not read.

use super::{Site, complain};
use crate::{complaint::Failure, state::State};
use honeyplant_core::settings::{Problems, Settings};
use honeyplant_record::sink::{Home, SINKS, Sink, SinkKind, Start, Unasked};
use schemars::{Schema, SchemaGenerator, json_schema};

/// A sink that a site asks for.
pub(crate) struct Choice {
    /// Its name, under which its cursor is kept.
    pub(crate) name: String,
    /// Where it starts.
    pub(crate) start: Start,
    /// The sink itself.
    pub(crate) sink: Box<dyn Sink>,
}

impl Site {
    /// The sinks that the site asks for, and those that every site has.
    pub(crate) fn sinks(&self, state: &State) -> Result<Vec<Choice>, Failure> {
        let (mut sinks, mut problems) = (Vec::new(), Problems::new());
        let observer = self.observer(state);
        let mut build = |kind: &dyn SinkKind, number: usize, mut settings: Settings<'_>| {
            let mut name = if number > 0 { format!("{}-{}", kind.name(), number + 1) } else { kind.name().to_owned() };
            if let Some(own) = settings.split_off("name") {
                own.read_into(&mut name, &mut problems);
            }
            let home = Home { state: state.folder(), observer: &observer, name: &name };
            match kind.build(&settings, &home) {
                Ok(sink) => sinks.push(Choice { name, start: kind.start(), sink }),
                Err(more) => problems.extend(more),
            }
        };
        let entries = Settings::parse(&self.source.text).map_err(|problems| complain(&self.source, &problems))?;
        let tables = entries.into_entries().find(|(name, ..)| name == "sinks").map(|(.., tables)| tables);
        let mut asked = Vec::new();
        for (name, _, list) in tables.into_iter().flat_map(Settings::into_entries) {
            let Some(kind) = SINKS.iter().find(|kind| kind.name() == name) else { continue };
            asked.push(kind.name());
            list.into_items().enumerate().for_each(|(number, settings)| build(*kind, number, settings));
        }
        for kind in SINKS.iter().filter(|kind| !asked.contains(&kind.name())) {
            match kind.unasked() {
                Unasked::Never => {}
                Unasked::Alone if !asked.is_empty() => {}
                Unasked::Alone | Unasked::Always => {
                    build(*kind, 0, Settings::empty(&format!("sinks.{}", kind.name())));
                }
            }
        }
        if problems.is_empty() { Ok(sinks) } else { Err(complain(&self.source, &problems)) }
    }
}

/// The JSON Schema of the `[sinks]` table.
pub(super) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let sinks: serde_json::Map<_, _> = SINKS
        .iter()
        .map(|kind| {
            let mut schema = kind.schema(generator);
            if let Some(properties) = schema.get_mut("properties").and_then(|p| p.as_object_mut()) {
                let name = json_schema!({ "type": "string", "description": "Under which its cursor is kept." });
                properties.insert("name".into(), name.into());
            }
            (kind.name().to_owned(), json_schema!({ "type": "array", "items": schema }).into())
        })
        .collect();
    json_schema!({ "type": "object", "additionalProperties": false, "properties": sinks })
}
