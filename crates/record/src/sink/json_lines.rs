//! The documents as they are, in a file that is rotated: for log shippers, and for keeping the record elsewhere. Apart
//! from the journal, which is deleted and mended by rules of its own.

use super::{Entry, Form, Home, Sink, SinkError, SinkKind};
use honeyplant_core::settings::{Problem, Problems, Settings, Size};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// The settings of a JSON-lines file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Table {
    /// The file. A relative path belongs to the state folder.
    path: PathBuf,
    /// At which size the file is put aside as `PATH.1` and begun anew.
    rotate: Size,
    /// How many files are kept aside.
    keep: u32,
    /// The form of its lines.
    format: Form,
}

impl Default for Table {
    fn default() -> Self {
        Self { path: "events.jsonl".into(), rotate: Size(100 << 20), keep: 10, format: Form::Ecs }
    }
}

/// The kind `json-lines`.
pub(super) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "json-lines"
    }

    fn example(&self) -> &'static str {
        "path = \"/var/log/honeyplant/events.jsonl\"\nrotate = \"100MiB\"\nkeep = 10\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let table: Table = settings.read().map_err(|problem| vec![problem])?;
        let path = home.state.join(&table.path);
        if path.file_name().is_none() || path.is_dir() {
            let problem = Problem::new(settings.key_of("path"), format!("`{}` is not a file", table.path.display()));
            return Err(vec![problem.hint("name a file, such as `events.jsonl`")]);
        }
        Ok(Box::new(JsonLines::new(path, table.rotate.0, table.keep, table.format)))
    }
}

/// Appends the lines of the journal to a file.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    rotate: u64,
    keep: u32,
    form: Form,
    /// The file and how long it is; opened when there is something to write.
    file: Option<(File, u64)>,
    text: Vec<u8>,
}

impl JsonLines {
    /// A file at `path` with lines of this form, put aside at `rotate` bytes; `keep` of those are kept.
    pub const fn new(path: PathBuf, rotate: u64, keep: u32, form: Form) -> Self {
        Self { path, rotate, keep, form, file: None, text: Vec::new() }
    }

    fn append(&mut self) -> io::Result<()> {
        let length = self.text.len() as u64;
        if let Some((_, before)) = self.file
            && before > 0
            && before + length > self.rotate
        {
            self.file = None;
            self.put_aside()?;
        }
        let (file, before) = match &mut self.file {
            Some(open) => open,
            None => self.file.insert(open(&self.path)?),
        };
        if let Err(error) = file.write_all(&self.text) {
            // The whole batch comes again: nothing of this attempt may stay, not even of its whole lines.
            let _ = file.set_len(*before);
            self.file = None;
            return Err(error);
        }
        *before += length;
        Ok(())
    }

    fn put_aside(&self) -> io::Result<()> {
        let numbered = |number: u32| -> PathBuf {
            let mut name = OsString::from(&self.path);
            name.push(format!(".{number}"));
            name.into()
        };
        if self.keep == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.keep).rev() {
            match fs::rename(numbered(number), numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, numbered(1))
    }
}

impl Sink for JsonLines {
    fn deliver(&mut self, batch: &[Entry]) -> Result<(), SinkError> {
        self.text.clear();
        for entry in batch {
            if self.form.write(entry, &mut self.text) {
                self.text.push(b'\n');
            }
        }
        self.append().map_err(|error| SinkError(format!("{}: {error}", self.path.display())))
    }

    fn probe(&mut self) -> Result<String, SinkError> {
        // Another process may be writing it: nothing is mended here.
        let open = || {
            self.path.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::options().create(true).append(true).open(&self.path)?.metadata()
        };
        let path = self.path.display();
        match open() {
            Ok(there) => Ok(format!("{path}, {} bytes", there.len())),
            Err(error) => Err(SinkError(format!("{path}: {error}"))),
        }
    }
}

/// Opens the file to append to, without what a crash left of a line: it is delivered again.
fn open(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    let (mut whole, mut buffer) = (length, [0; 4096]);
    while whole > 0 {
        let from = whole.saturating_sub(buffer.len() as u64);
        let chunk = buffer.get_mut(..(whole - from) as usize).unwrap_or_default();
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(chunk)?;
        match chunk.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => {
                whole = from + at as u64 + 1;
                break;
            }
            None => whole = from,
        }
    }
    if whole < length {
        file.set_len(whole)?;
    }
    Ok((file, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(range: std::ops::Range<u64>) -> Vec<Entry> {
        range.map(|sequence| Entry { sequence, line: format!("{{\"n\":{sequence:03}}}") }).collect()
    }

    fn text(path: &Path, suffix: &str) -> Option<String> {
        fs::read_to_string(format!("{}{suffix}", path.display())).ok()
    }

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out/events.jsonl");
        let mut sink = JsonLines::new(path.clone(), 20, 2, Form::Ecs);
        for start in [0, 2, 4, 6] {
            sink.deliver(&entries(start..start + 2)).unwrap();
        }
        assert_eq!(text(&path, "").unwrap(), "{\"n\":006}\n{\"n\":007}\n");
        assert_eq!(text(&path, ".1").unwrap(), "{\"n\":004}\n{\"n\":005}\n");
        assert_eq!(text(&path, ".2").unwrap(), "{\"n\":002}\n{\"n\":003}\n");
        assert_eq!(text(&path, ".3"), None);
    }

    #[test]
    fn half_a_line_of_a_crash_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        for (before, after) in [("{}\n{\"n", "{}\n{\"n\":001}\n"), ("{\"n", "{\"n\":001}\n"), ("", "{\"n\":001}\n")] {
            fs::write(&path, before).unwrap();
            JsonLines::new(path.clone(), 1000, 2, Form::Ecs).deliver(&entries(1..2)).unwrap();
            assert_eq!(text(&path, "").unwrap(), after);
        }
        fs::write(&path, format!("{{}}\n{}", "x".repeat(10_000))).unwrap();
        JsonLines::new(path.clone(), 100_000, 2, Form::Ecs).deliver(&entries(1..2)).unwrap();
        assert_eq!(text(&path, "").unwrap(), "{}\n{\"n\":001}\n");
    }
}
