//! `honeyplant schema`: the JSON Schemas of what operators write and read, for editors and pipelines.

use super::{Common, say};
use crate::{complaint::Failure, site::Site};
use honeyplant_core::profile::Profile;
use honeyplant_protocols::PROTOCOLS;

/// Print a JSON Schema.
#[derive(clap::Args)]
pub(crate) struct SchemaOf {
    /// What the schema is of
    what: What,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    Site,
    Profile,
    Event,
}

impl SchemaOf {
    pub(crate) fn run(&self, _common: &Common) -> Result<(), Failure> {
        let schema = match self.what {
            What::Site => Site::schema(),
            What::Profile => Profile::schema(PROTOCOLS),
            What::Event => honeyplant_record::document::Document::schema(),
        };
        say(format_args!("{:#}", schema.as_value()));
        Ok(())
    }
}
