//! Writes a seed for each dialogue into `corpus/conversations`: `cargo run --example seeds`.

use honeyplant_dialogue::{Dialogue, Turn};
use honeyplant_protocols::PROTOCOLS;
use std::{fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
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
                    Turn::Serve(_) => seed.extend([0, 0]),
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
