//! Bundles in files, for those who hand them over by other ways: a mail, a portal, a folder that is fetched. Apart from
//! TAXII, because no server has to be up.

use super::Author;
use crate::sink::{
    Entry, Home, Pace, Sink, SinkError, SinkKind,
    sharing::{Sharing, SharingSettings},
};
use honeyplant_core::settings::{Period, Problem, Problems, Settings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

/// Writes what is worth sharing as bundles of STIX 2.1, which every platform for threat intelligence can import. Each file
/// is one bundle, named for the sequence of the first event that was looked at for it; a file that is there is whole, and what
/// is delivered twice replaces the same file. `docs/sharing.md` tells what is shared and what is withheld.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
struct Table {
    /// The folder. A relative path belongs to the state folder.
    path: PathBuf,
    /// How often a bundle is written, if there is something to tell.
    every: Period,
    /// How many bundles are kept; of more, the oldest go.
    keep: usize,
    #[serde(flatten)]
    sharing: SharingSettings,
}

impl Default for Table {
    fn default() -> Self {
        let every = Period(Duration::from_secs(600));
        Self { path: "stix".into(), every, keep: 1000, sharing: SharingSettings::default() }
    }
}

/// The kind `stix`.
pub(in crate::sink) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "stix"
    }

    fn example(&self) -> &'static str {
        "path = \"/var/lib/honeyplant/stix\"\norganisation = \"Example Water Utility\"\nsector = \"water\"\ntlp = \"green\"\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let folder = home.state.join(&table.path);
        let sharing = Sharing::new(table.sharing, settings.key(), home);
        let mut problems = sharing.as_ref().err().cloned().unwrap_or_default();
        if folder.is_file() {
            let problem = Problem::new(settings.key_of("path"), format!("`{}` is a file", table.path.display()));
            problems.push(problem.hint("name a folder, such as `stix`"));
        }
        if table.keep == 0 {
            problems.push(Problem::new(settings.key_of("keep"), "at least one bundle is kept"));
        }
        match sharing {
            Ok(sharing) if problems.is_empty() => {
                Ok(Box::new(Files { folder, every: table.every.0, keep: table.keep, author: Author::new(sharing) }))
            }
            _ => Err(problems),
        }
    }
}

/// The files.
struct Files {
    folder: PathBuf,
    every: Duration,
    keep: usize,
    author: Author,
}

impl Files {
    fn put(&self, name: &str, text: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let part = self.folder.join(format!(".{name}.part"));
        let mut file = File::create(&part)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&part, self.folder.join(name))?;
        File::open(&self.folder)?.sync_all()?;
        let mut names = self.names()?;
        names.sort();
        let many = names.len().saturating_sub(self.keep);
        names.iter().take(many).try_for_each(|name| fs::remove_file(self.folder.join(name)))
    }

    /// The files that are bundles of ours.
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let number = name.strip_prefix("bundle-").and_then(|name| name.strip_suffix(".json"));
            if number.is_some_and(|number| number.len() == 20 && number.bytes().all(|digit| digit.is_ascii_digit())) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn failed(&self, error: io::Error) -> SinkError {
        SinkError(format!("{}: {error}", self.folder.display()))
    }
}

impl Sink for Files {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        let Some(first) = batch.first() else { return Ok(()) };
        // What comes again after a crash begins with the same event, so that it replaces what was written of it.
        let bundle = self.author.bundle(batch)?.into_value(self.author.sharing.own, &first.sequence.to_string());
        let Some(bundle) = bundle else { return Ok(()) };
        let text = serde_json::to_vec_pretty(&bundle).map_err(|error| SinkError(error.to_string()))?;
        self.put(&format!("bundle-{:020}.json", first.sequence), &text).map_err(|error| self.failed(error))
    }

    fn pace(&self) -> Pace {
        Pace { most: 5000, every: self.every }
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        let look = || {
            fs::create_dir_all(&self.folder)?;
            let probe = self.folder.join(".probe");
            File::create(&probe)?;
            fs::remove_file(&probe)?;
            self.names()
        };
        let names = look().map_err(|error| self.failed(error))?;
        Ok(format!("{}, {} bundles", self.folder.display(), names.len()))
    }
}
