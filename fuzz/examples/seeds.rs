//! Writes the seeds: for each dialogue one in `corpus/conversations`, for each program and each text in the tests of the
//! language one in `corpus/programs`. `cargo run --example seeds`.

use honeyplant_dialogue::{Dialogue, Turn};
use honeyplant_protocols::PROTOCOLS;
use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    conversations(here)?;
    programs(here)?;
    Ok(())
}

fn conversations(here: &Path) -> Result<(), Box<dyn Error>> {
    let corpus = here.join("corpus/conversations");
    fs::create_dir_all(&corpus)?;
    for (service, protocol) in PROTOCOLS.iter().enumerate() {
        for file in fs::read_dir(here.join("../crates/protocols/src").join(protocol.name()).join("dialogues"))? {
            let path = file?.path();
            let dialogue = Dialogue::parse(&fs::read_to_string(&path)?)?;
            let mut seed = vec![u8::try_from(service)?];
            let mut wait = 0;
            for (_, turn) in &dialogue.turns {
                match turn {
                    Turn::Serve(..) => seed.extend([0, 0]),
                    Turn::Pass(time) => wait = u8::try_from(time.as_millis() / 10).unwrap_or(u8::MAX),
                    Turn::Send(bytes) => {
                        for part in bytes.chunks(255) {
                            seed.extend([std::mem::take(&mut wait), part.len() as u8]);
                            seed.extend(part);
                        }
                    }
                    _ => {}
                }
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            fs::write(corpus.join(format!("{}-{stem}", protocol.name())), seed)?;
        }
    }
    Ok(())
}

fn programs(here: &Path) -> io::Result<()> {
    let corpus = here.join("corpus/programs");
    fs::create_dir_all(&corpus)?;
    for root in ["crates/logic", "profiles", "sites", "docs"] {
        for path in files(&here.join("..").join(root))? {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("st") => fs::write(corpus.join(format!("{folder}-{stem}")), fs::read(&path)?)?,
                Some("rs") => {
                    for (number, text) in texts(&fs::read_to_string(&path)?).into_iter().enumerate() {
                        let whole =
                            if text.contains("PROGRAM") { text } else { format!("PROGRAM p {text} END_PROGRAM") };
                        fs::write(corpus.join(format!("{folder}-{stem}-{number}")), whole)?;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The files in a folder and in all its folders.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.append(&mut self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// The texts between quotes in a Rust file that could be Structured Text.
fn texts(source: &str) -> Vec<String> {
    let (mut texts, mut text, mut inside) = (Vec::new(), String::new(), false);
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                other => text.extend(other),
            },
            '"' if inside => {
                inside = false;
                texts.push(std::mem::take(&mut text));
            }
            '"' => {
                inside = true;
                text.clear();
            }
            c => text.push(c),
        }
    }
    texts.retain(|text| text.contains(';') || text.contains(":="));
    texts
}
