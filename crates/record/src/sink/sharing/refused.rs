//! What the other end will not take. Apart, because one object that is refused for ever must neither hold up all others
//! nor vanish.

use crate::sink::{Home, SinkError};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

/// Objects that were refused.
#[derive(Debug)]
pub(in crate::sink) struct Refused {
    /// Where they are put aside.
    path: PathBuf,
    /// What was refused at the last attempt, of which the operator was told.
    told: BTreeSet<String>,
}

impl Refused {
    /// Of the sink at `home`.
    pub(in crate::sink) fn new(home: &Home<'_>) -> Self {
        let path = home.state.join("sinks").join(format!("{}.refused.jsonl", home.name));
        Self { path, told: BTreeSet::new() }
    }

    /// Judges objects (by id, with why) that were refused. At first that is an error, so that the operator hears of it and
    /// it is tried once more; what is still refused then is put aside, and the others go on.
    pub(in crate::sink) fn judge(
        &mut self,
        name: &str,
        refused: Vec<(Value, String, String)>,
    ) -> Result<(), SinkError> {
        if refused.is_empty() {
            self.told.clear();
            return Ok(());
        }
        let (again, new): (Vec<_>, Vec<_>) = refused.into_iter().partition(|(_, id, _)| self.told.contains(id));
        if let Some((_, id, why)) = new.first() {
            let error = format!(
                "{name}: it refused {} objects, the first of them {id}: {why}; what it refuses again is put aside in {}",
                new.len(),
                self.path.display()
            );
            self.told.extend(new.iter().map(|(_, id, _)| id.clone()));
            return Err(SinkError(error));
        }
        self.put_aside(&again).map_err(|error| SinkError(format!("{}: {error}", self.path.display())))?;
        self.told.clear();
        Ok(())
    }

    fn put_aside(&self, refused: &[(Value, String, String)]) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = File::options().create(true).append(true).open(&self.path)?;
        let mut lines = Vec::new();
        for (object, _, why) in refused {
            serde_json::to_writer(&mut lines, &json!({ "refused": why, "object": object }))?;
            lines.push(b'\n');
        }
        file.write_all(&lines)?;
        file.sync_all()
    }
}
