//! `honeyplant play`: a dialogue spoken to a server, its answers compared. Apart from the player in memory, because here the
//! server may be anyone's: a decoy on the other side of the world, or the real device on the bench.

use super::{Common, say, shown};
use crate::complaint::{Failure, Tried};
use honeyplant_dialogue::{Dialogue, Turn};
use honeyplant_net::TlsClient;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, UdpSocket},
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
    /// Speak UDP
    #[arg(long)]
    udp: bool,
    /// Speak TLS from the first byte on, also where the dialogue does not say so; any certificate is believed
    #[arg(long, conflicts_with = "udp")]
    tls: bool,
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
        let (mut lines, mut current) = (BTreeMap::new(), String::new());
        for (line, turn) in &dialogue.turns {
            if let Turn::Serve(_, peer) | Turn::Peer(peer) = turn {
                current.clone_from(peer);
            }
            if let Turn::Serve(name, _) = turn {
                let tls = self.tls || name.ends_with(" tls");
                drop(lines.insert(current.clone(), self.connect(tls)?));
            }
            let at = |why: String| Failure(vec![format!("error: {path}, line {line}: {why}")]);
            let found = lines.get_mut(&current).ok_or_else(|| at(format!("there is no peer `{current}`")))?;
            found.take(turn).map_err(at)?;
        }
        say(format_args!("{path}: {} answers as it says", self.to));
        Ok(())
    }

    fn connect(&self, tls: bool) -> Result<Line, Failure> {
        let patience = Duration::from_millis(self.patience.max(1));
        let line = if self.udp {
            let any: IpAddr =
                if self.to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            UdpSocket::bind((any, 0)).and_then(|socket| {
                socket.connect(self.to)?;
                socket.set_read_timeout(Some(patience))?;
                Ok(Line::Udp(socket))
            })
        } else {
            TcpStream::connect_timeout(&self.to, patience).and_then(|stream| {
                stream.set_read_timeout(Some(patience))?;
                stream.set_nodelay(true)?;
                if tls {
                    TlsClient::connect(stream).map(|client| Line::Tls(Box::new(client)))
                } else {
                    Ok(Line::Tcp(stream))
                }
            })
        };
        line.tried(|| format!("connect to {}", self.to))
    }
}

/// How the server is spoken to.
enum Line {
    Tcp(TcpStream),
    Tls(Box<TlsClient>),
    Udp(UdpSocket),
}

impl Line {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Tls(client) => client.write_all(bytes).and_then(|()| client.flush()),
            Self::Udp(socket) => socket.send(bytes).map(drop),
        }
    }

    /// What comes next: some bytes of a stream, or a datagram.
    fn hear(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut heard = vec![0; if let Self::Udp(_) = self { 1 << 16 } else { most }];
        let count = match self {
            Self::Tcp(stream) => stream.read(&mut heard),
            Self::Tls(client) => client.read(&mut heard),
            Self::Udp(socket) => socket.recv(&mut heard),
        }?;
        heard.truncate(count);
        Ok(heard)
    }

    fn take(&mut self, turn: &Turn) -> Result<(), String> {
        match turn {
            Turn::Send(bytes) => self.send(bytes).map_err(|error| format!("cannot send: {error}")),
            Turn::Answer(pattern) => {
                let mut answer = Vec::new();
                while pattern.has_gap() {
                    match self.hear(1 << 16) {
                        Ok(part) if part.is_empty() => break,
                        Ok(part) => answer.extend(part),
                        Err(error) if is_silence(&error) => break,
                        Err(error) => return Err(differs(pattern, &answer, &error.to_string())),
                    }
                }
                while answer.len() < pattern.len() {
                    match self.hear(pattern.len() - answer.len()) {
                        Ok(part) if part.is_empty() => return Err(differs(pattern, &answer, "and then it hung up")),
                        Ok(part) => answer.extend(part),
                        Err(error) if is_silence(&error) => return Err(differs(pattern, &answer, "and then nothing")),
                        Err(error) => return Err(differs(pattern, &answer, &error.to_string())),
                    }
                }
                if pattern.fits(&answer) { Ok(()) } else { Err(differs(pattern, &answer, "")) }
            }
            Turn::Silence => match self.hear(1) {
                Ok(heard) if heard.is_empty() => Err("it hung up where it was to be silent".to_owned()),
                Ok(_) => Err("it answers where it was to be silent".to_owned()),
                Err(error) if is_silence(&error) => Ok(()),
                Err(error) => Err(error.to_string()),
            },
            // A peer over UDP has nothing to hang up.
            Turn::End if matches!(self, Self::Udp(_)) => Ok(()),
            Turn::End => match self.hear(1) {
                Ok(heard) if heard.is_empty() => Ok(()),
                Ok(_) => Err("it answers where it was to hang up".to_owned()),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(()),
                Err(_) => Err("it does not hang up".to_owned()),
            },
            Turn::Pass(time) => {
                std::thread::sleep(*time);
                Ok(())
            }
            Turn::Effect(_) => Err("what happens on a second stream is only played in memory".to_owned()),
            Turn::Leave => match self {
                Self::Tcp(stream) => stream.shutdown(Shutdown::Both).map_err(|error| error.to_string()),
                Self::Tls(client) => client.shutdown().map_err(|error| error.to_string()),
                Self::Udp(_) => Ok(()),
            },
            Turn::Serve(..) | Turn::Peer(_) | Turn::Event(_) => Ok(()),
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
