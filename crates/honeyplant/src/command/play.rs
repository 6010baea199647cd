//! `honeyplant play`: a dialogue spoken to a server, its answers compared. Apart from the player in memory, because here the
//! server may be anyone's: a decoy on the other side of the world, or the real device on the bench.

use super::{Common, say, shown};
use crate::complaint::{Failure, Tried};
use honeyplant_dialogue::{Dialogue, Turn};
use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

/// Play a dialogue to a server and compare what it answers.
///
/// What only the record could tell (the lines that begin with =) is passed over, and time (+) passes as it does.
#[derive(clap::Args)]
pub(crate) struct Play {
    /// The file with the dialogue
    #[arg(value_name = "DIALOGUE")]
    dialogue: PathBuf,
    /// The server
    #[arg(long, value_name = "ADDRESS:PORT")]
    to: SocketAddr,
    /// How long to wait for an answer, and for silence to count as one, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    patience: u64,
}

impl Play {
    pub(crate) fn run(&self, _common: &Common) -> Result<(), Failure> {
        let path = shown(&self.dialogue);
        let text = fs::read_to_string(&self.dialogue).tried(|| format!("read {path}"))?;
        let dialogue = Dialogue::parse(&text).map_err(|why| {
            Failure::new(format!("{path}, {why}"), "docs/dialogues.md says how a dialogue is written")
        })?;
        let mut stream = None;
        for (line, turn) in &dialogue.turns {
            if matches!(turn, Turn::Serve(_)) {
                stream = Some(self.connect()?);
            }
            let Some(stream) = stream.as_mut() else { continue };
            self.take(stream, turn).map_err(|why| Failure(vec![format!("error: {path}, line {line}: {why}")]))?;
        }
        say(format_args!("{path}: {} answers as it says", self.to));
        Ok(())
    }

    fn connect(&self) -> Result<TcpStream, Failure> {
        let patience = Duration::from_millis(self.patience.max(1));
        let stream = TcpStream::connect_timeout(&self.to, patience).tried(|| format!("connect to {}", self.to))?;
        stream
            .set_read_timeout(Some(patience))
            .and_then(|()| stream.set_nodelay(true))
            .tried(|| format!("talk to {}", self.to))?;
        Ok(stream)
    }

    fn take(&self, stream: &mut TcpStream, turn: &Turn) -> Result<(), String> {
        match turn {
            Turn::Send(bytes) => stream.write_all(bytes).map_err(|error| format!("cannot send: {error}")),
            Turn::Answer(pattern) => {
                let mut answer = Vec::new();
                while answer.len() < pattern.len() {
                    let mut part = vec![0; pattern.len() - answer.len()];
                    match stream.read(&mut part) {
                        Ok(0) => return Err(differs(pattern, &answer, "and then it hung up")),
                        Ok(n) => answer.extend(part.into_iter().take(n)),
                        Err(error) if is_silence(&error) => return Err(differs(pattern, &answer, "and then nothing")),
                        Err(error) => return Err(differs(pattern, &answer, &error.to_string())),
                    }
                }
                if pattern.fits(&answer) { Ok(()) } else { Err(differs(pattern, &answer, "")) }
            }
            Turn::Silence => match stream.read(&mut [0]) {
                Ok(0) => Err("it hung up where it was to be silent".to_owned()),
                Ok(_) => Err("it answers where it was to be silent".to_owned()),
                Err(error) if is_silence(&error) => Ok(()),
                Err(error) => Err(error.to_string()),
            },
            Turn::End => match stream.read(&mut [0]) {
                Ok(0) => Ok(()),
                Ok(_) => Err("it answers where it was to hang up".to_owned()),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(()),
                Err(_) => Err("it does not hang up".to_owned()),
            },
            Turn::Pass(time) => {
                std::thread::sleep(*time);
                Ok(())
            }
            Turn::Serve(_) | Turn::Event(_) => Ok(()),
        }
    }
}

fn is_silence(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn differs(pattern: &honeyplant_dialogue::Pattern, answer: &[u8], then: &str) -> String {
    let answer: String = answer.iter().map(|byte| format!("{byte:02x}")).collect();
    let answer = if answer.is_empty() { "(nothing)".to_owned() } else { answer };
    format!("it answers otherwise\n  expected: {pattern}\n  answered: {answer} {then}").trim_end().to_owned()
}
