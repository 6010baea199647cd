//! What carries messages of syslog: UDP (RFC 5426), TCP (RFC 6587), TLS (RFC 5425) and the socket of this machine. Apart,
//! because each learns in a way of its own whether somebody is there.

use crate::sink::link::{ANSWER, Link, Remote, is_timeout};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, ToSocketAddrs, UdpSocket},
    os::unix::net::{UnixDatagram, UnixStream},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// How messages are told apart on a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Framing {
    /// Each has its length in front (RFC 6587 §3.4.1).
    #[default]
    Octets,
    /// Each ends with a line feed (RFC 6587 §3.4.2).
    Lines,
}

/// How it is learned that a receiver has read what it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirmation {
    /// Each batch has a connection, whose end is awaited.
    Ending,
    /// It is not.
    None,
}

/// Where messages go.
#[derive(Debug)]
pub(super) enum Receiver {
    Stream { remote: Remote, framing: Framing, confirmation: Confirmation },
    Datagrams { to: String, rate: u32 },
    Local(PathBuf),
}

/// A way to it.
#[derive(Debug)]
pub(super) enum Line {
    Stream(Link),
    Datagrams { socket: UdpSocket, next: Instant },
    Local(UnixDatagram),
}

/// How long the news that nobody listens may take.
const NEWS: Duration = Duration::from_millis(20);
/// `EPROTOTYPE` of Linux: the socket is of another kind.
const OTHER_KIND: i32 = 91;

impl Receiver {
    /// What messages call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stream { remote, .. } => remote.name().to_owned(),
            Self::Datagrams { to, .. } => to.clone(),
            Self::Local(path) => path.display().to_string(),
        }
    }

    /// Sends messages, all of them or an error. A line on which all went well may be used again.
    pub(super) fn send(&self, line: &mut Option<Line>, messages: &[Vec<u8>]) -> io::Result<()> {
        match self {
            Self::Stream { remote, framing, confirmation } => {
                let mut link = match line.take() {
                    Some(Line::Stream(link)) if is_open(&link)? => link,
                    _ => remote.connect()?,
                };
                link.write_all(&framed(messages, *framing))?;
                link.flush()?;
                if *confirmation == Confirmation::Ending {
                    link.finish(&mut Vec::new())?;
                } else if is_open(&link)? {
                    *line = Some(Line::Stream(link));
                } else {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it hung up"));
                }
            }
            Self::Datagrams { to, rate } => {
                let (socket, mut next) = match line.take() {
                    Some(Line::Datagrams { socket, next }) => (socket, next),
                    _ => (datagrams(to)?, Instant::now()),
                };
                for message in messages {
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                    next = next.max(Instant::now()) + Duration::from_secs(1) / (*rate).max(1);
                    socket.send(message)?;
                }
                hear(&socket)?;
                *line = Some(Line::Datagrams { socket, next });
            }
            Self::Local(path) => {
                let socket = match line.take() {
                    Some(Line::Local(socket)) => socket,
                    _ => match local(path) {
                        Err(error) if error.raw_os_error() == Some(OTHER_KIND) => return self.send_local(messages),
                        socket => socket?,
                    },
                };
                for message in messages {
                    socket.send(message)?;
                }
                *line = Some(Line::Local(socket));
            }
        }
        Ok(())
    }

    /// Sends messages to a socket of this machine that is a stream.
    fn send_local(&self, messages: &[Vec<u8>]) -> io::Result<()> {
        let Self::Local(path) = self else { return Ok(()) };
        let mut stream = UnixStream::connect(path)?;
        stream.set_write_timeout(Some(ANSWER))?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.write_all(&framed(messages, Framing::Lines))?;
        stream.shutdown(Shutdown::Write)?;
        // Whoever hangs up without having read all resets the connection.
        stream.take(4096).read_to_end(&mut Vec::new()).map(drop)
    }

    /// Finds out whether somebody is there, without a message.
    pub(super) fn probe(&self) -> io::Result<&'static str> {
        match self {
            Self::Stream { remote, confirmation, .. } => {
                let link = remote.connect()?;
                match confirmation {
                    Confirmation::Ending => link.finish(&mut Vec::new()).map(|_| "it confirms by hanging up"),
                    Confirmation::None => Ok("it takes connections"),
                }
            }
            Self::Datagrams { to, .. } => {
                // Receivers pass over what is empty; if nobody listens, that is told to us.
                let socket = datagrams(to)?;
                socket.send(&[])?;
                socket.set_read_timeout(Some(10 * NEWS))?;
                hear(&socket).map(|()| "nobody says that nobody listens, and more cannot be known of UDP")
            }
            Self::Local(path) => match local(path) {
                Err(error) if error.raw_os_error() == Some(OTHER_KIND) => {
                    UnixStream::connect(path).map(|_| "a stream of this machine")
                }
                socket => socket.map(|_| "a datagram socket of this machine"),
            },
        }
    }
}

fn framed(messages: &[Vec<u8>], framing: Framing) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        if framing == Framing::Octets {
            out.extend_from_slice(format!("{} ", message.len()).as_bytes());
        }
        out.extend_from_slice(message);
        if framing == Framing::Lines {
            out.push(b'\n');
        }
    }
    out
}

/// Whether the receiver has not hung up. What it says is of no use to anybody.
fn is_open(link: &Link) -> io::Result<bool> {
    let socket = link.socket();
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    socket.set_nonblocking(true)?;
    let heard = socket.peek(&mut [0]);
    socket.set_nonblocking(false)?;
    match heard {
        Ok(heard) => Ok(heard > 0),
        Err(error) if is_timeout(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

fn datagrams(to: &str) -> io::Result<UdpSocket> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in to.to_socket_addrs()? {
        let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
        // Only a connected socket is told that nobody listens.
        match UdpSocket::bind(any).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => {
                socket.set_write_timeout(Some(ANSWER))?;
                socket.set_read_timeout(Some(NEWS))?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Waits a little for the news that nobody listens.
fn hear(socket: &UdpSocket) -> io::Result<()> {
    match socket.recv(&mut [0]) {
        Err(error) if !is_timeout(&error) => Err(error),
        _ => Ok(()),
    }
}

fn local(path: &PathBuf) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    // A receiver that is behind holds us up; it loses nothing.
    socket.set_write_timeout(Some(ANSWER))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn messages_are_told_apart_on_a_stream() {
        let messages = [b"ab".to_vec(), "ä".into()];
        assert_eq!(framed(&messages, Framing::Octets), "2 ab2 ä".as_bytes());
        assert_eq!(framed(&messages, Framing::Lines), "ab\nä\n".as_bytes());
    }

    fn receiver(listener: &TcpListener, confirmation: Confirmation) -> Receiver {
        let to = listener.local_addr().unwrap().to_string();
        Receiver::Stream { remote: Remote::new(&to, None, "syslog").unwrap(), framing: Framing::Lines, confirmation }
    }

    #[test]
    fn what_was_not_read_is_not_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = receiver(&listener, Confirmation::Ending);
        let messages = [b"message".to_vec()];
        let peer = thread::spawn(move || {
            // It hangs up at once, then after a part, then after all.
            drop(listener.accept().unwrap());
            let (mut partly, _) = listener.accept().unwrap();
            partly.read_exact(&mut [0; 3]).unwrap();
            drop(partly);
            let mut all = String::new();
            listener.accept().unwrap().0.read_to_string(&mut all).unwrap();
            all
        });
        for _ in 0..2 {
            receiver.send(&mut None, &messages).unwrap_err();
        }
        receiver.send(&mut None, &messages).unwrap();
        assert_eq!(peer.join().unwrap(), "message\n");
    }

    #[test]
    fn a_receiver_that_hung_up_meanwhile_is_connected_anew() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = receiver(&listener, Confirmation::None);
        let mut line = None;
        receiver.send(&mut line, &[b"a".to_vec()]).unwrap();
        let (mut first, _) = listener.accept().unwrap();
        first.read_exact(&mut [0; 2]).unwrap();
        drop(first);
        receiver.send(&mut line, &[b"b".to_vec()]).unwrap();
        let mut again = [0; 2];
        listener.accept().unwrap().0.read_exact(&mut again).unwrap();
        assert_eq!(&again, b"b\n");
    }
}
