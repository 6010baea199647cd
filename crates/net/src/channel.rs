//! The second stream that a conversation may have to its peer, such as the one that a file is carried over. Apart, because
//! it is opened, filled, emptied and closed on its own, while the line above it goes on.

use crate::{
    Bounds,
    carrier::{Carrier, Handshake, Trace},
    untold::Untold,
};
use honeyplant_core::{event::Session, random::Random};
use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::AsyncWrite,
    net::{TcpListener, TcpSocket, TcpStream},
    time::Instant,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::io::poll_read_buf;

/// What comes is read in pieces of this, and of more from a peer that sends faster than it is read.
const USUAL: usize = 2 * 1024;
const MOST: usize = 64 * 1024;
/// No more than this waits to be sent: a conversation waits for its last piece before it sends the next.
const HELD: usize = 4 * 1024 * 1024;
/// How long a peer that is dialled may take to answer.
const DIAL: Duration = Duration::from_secs(10);
/// How many ports of a range are tried.
const PORTS: usize = 1024;

type Dial = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// A channel, from the wish for it to its end.
pub(crate) struct Channel {
    stage: Stage,
    /// What was read last.
    pub(crate) input: Vec<u8>,
    piece: usize,
    /// What is to be sent, and how much of it was.
    out: Vec<u8>,
    done: usize,
    /// Whether the conversation is to hear that all was sent.
    asked: bool,
    ending: Ending,
    /// Whether the peer sends nothing more.
    ended: bool,
    /// When something last went on.
    pub(crate) moved: Instant,
    pub(crate) untold: Untold,
    /// Octets and writes since they were last asked for.
    sent: (u64, u64),
}

enum Stage {
    /// The peer is waited for, and nobody else.
    Awaited(TcpListener, IpAddr),
    Dialled(Dial),
    Open(Carrier<TcpStream>),
}

/// How far the device is with closing it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Open,
    /// It is to be closed once all is sent.
    Asked,
    /// The peer was told that nothing more will come.
    Told,
    Done,
}

/// What waiting for a channel came to.
#[derive(Debug)]
pub(crate) enum Happening {
    /// Somebody else came, and was turned away.
    Stranger(SocketAddr),
    Connected,
    /// A handshake is over.
    Shaken(Box<Handshake>),
    /// [`Channel::input`] has come.
    Received,
    Sent,
    Ended,
    Closed,
    Failed(&'static str),
}

impl Channel {
    /// Waits for the peer at one of `ports`; at which.
    pub(crate) fn listen(
        session: &Session,
        ports: Option<(u16, u16)>,
        random: &mut Random,
    ) -> Result<(Self, u16), &'static str> {
        // Port 0 is any that is free.
        let (first, last) = ports.map_or((0, 0), |(first, last)| (usize::from(first), usize::from(last)));
        let count = (last + 1).saturating_sub(first);
        let start = random.below(count);
        for i in 0..count.min(PORTS) {
            let port = u16::try_from(first + (start + i) % count).unwrap_or_default();
            if let Ok(listener) = listen(session.local, port) {
                let port = listener.local_addr().map_or(port, |address| address.port());
                return Ok((Self::new(Stage::Awaited(listener, session.peer.ip())), port));
            }
        }
        Err("no port of the device is free")
    }

    /// Connects to `port` of the peer, from the address that it spoke to.
    pub(crate) fn dial(session: &Session, port: u16) -> Self {
        let (mut from, mut to) = (session.local, session.peer);
        from.set_port(0);
        to.set_port(port);
        let dial = async move {
            let socket = socket(from)?;
            socket.bind(from)?;
            socket.connect(to).await
        };
        Self::new(Stage::Dialled(Box::pin(dial)))
    }

    fn new(stage: Stage) -> Self {
        Self {
            stage,
            input: Vec::new(),
            piece: USUAL,
            out: Vec::new(),
            done: 0,
            asked: false,
            ending: Ending::Open,
            ended: false,
            moved: Instant::now(),
            untold: Untold::default(),
            sent: (0, 0),
        }
    }

    /// Puts `bytes` behind what is to be sent.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) -> Result<(), &'static str> {
        if self.done == self.out.len() {
            (self.out, self.done) = (bytes, 0);
            self.moved = Instant::now();
        } else {
            self.out.drain(..self.done);
            self.done = 0;
            self.out.extend(bytes);
        }
        self.asked = true;
        if self.out.len() > HELD { Err("more was to be sent than the device holds") } else { Ok(()) }
    }

    /// Speaks TLS from here on.
    pub(crate) fn secure(&mut self, acceptor: &TlsAcceptor) -> Result<(), &'static str> {
        match &mut self.stage {
            Stage::Open(stream) if stream.is_plain() => {
                stream.secure(acceptor, Vec::new());
                self.moved = Instant::now();
                Ok(())
            }
            Stage::Open(_) => Err("the channel is encrypted already"),
            Stage::Awaited(..) | Stage::Dialled(_) => Err("the channel is not open"),
        }
    }

    /// What there is of a handshake that is not over.
    pub(crate) fn take_trace(&mut self) -> Option<Trace> {
        if let Stage::Open(stream) = &mut self.stage { stream.take_trace() } else { None }
    }

    /// Closes it once all is sent.
    pub(crate) fn finish(&mut self) {
        if self.ending == Ending::Open {
            self.ending = Ending::Asked;
        }
    }

    /// When it is broken if nothing goes on until then.
    pub(crate) fn due(&self, bounds: &Bounds) -> Instant {
        let patience = match &self.stage {
            Stage::Awaited(..) => bounds.message,
            Stage::Open(stream) if stream.is_shaking() => bounds.message,
            Stage::Dialled(_) => DIAL,
            Stage::Open(_) if self.is_sending() => bounds.stuck,
            Stage::Open(_) => bounds.idle,
        };
        self.moved + patience
    }

    /// Why it is broken, now that nothing went on for long.
    pub(crate) const fn lateness(&self) -> &'static str {
        match &self.stage {
            Stage::Awaited(..) => "nobody came",
            Stage::Open(stream) if stream.is_shaking() => "the TLS handshake took too long",
            Stage::Dialled(_) => "the peer did not answer",
            Stage::Open(_) if self.is_sending() => "the peer took nothing for long",
            Stage::Open(_) => "the peer sent nothing for long",
        }
    }

    const fn is_sending(&self) -> bool {
        self.asked || !matches!(self.ending, Ending::Open)
    }

    /// Octets and writes that were sent since this was last asked.
    pub(crate) fn take_sent(&mut self) -> (u64, u64) {
        std::mem::take(&mut self.sent)
    }

    /// Sends nothing more, not even what was to be sent.
    pub(crate) fn silence(&mut self) {
        (self.out, self.done, self.asked, self.ending) = (Vec::new(), 0, false, Ending::Open);
    }

    /// Breaks the connection when it is closed, which is next.
    pub(crate) fn sever(&self) {
        if let Stage::Open(stream) = &self.stage {
            stream.sever();
        }
    }

    /// Is ready once something has happened that the conversation is to hear of.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        let opened = match &mut self.stage {
            Stage::Awaited(listener, peer) => match ready!(listener.poll_accept(cx)) {
                Ok((stream, address)) if address.ip() == *peer => Ok(stream),
                // The connection is closed as it goes out of scope.
                Ok((_, address)) => return Poll::Ready(Happening::Stranger(address)),
                // The peer was gone before it was its turn; it may come again.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Err(_) => Err("the system took no connection"),
            },
            Stage::Dialled(dial) => ready!(dial.as_mut().poll(cx)).map_err(|error| match error.kind() {
                io::ErrorKind::ConnectionRefused => "the connection was refused",
                io::ErrorKind::TimedOut => "the peer did not answer",
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "the peer cannot be reached",
                _ => "no connection could be made",
            }),
            Stage::Open(_) => return self.poll_open(cx),
        };
        self.moved = Instant::now();
        Poll::Ready(match opened {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                self.stage = Stage::Open(Carrier::Plain(stream));
                Happening::Connected
            }
            Err(why) => Happening::Failed(why),
        })
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        if self.ending == Ending::Done {
            return Poll::Ready(Happening::Closed);
        }
        if let Stage::Open(stream) = &mut self.stage
            && stream.is_shaking()
        {
            let handshake = ready!(stream.poll_secure(cx));
            self.moved = Instant::now();
            return Poll::Ready(Happening::Shaken(Box::new(handshake)));
        }
        match self.poll_send(cx) {
            Poll::Ready(Ok(happening)) => return Poll::Ready(happening),
            Poll::Ready(Err(_)) => return Poll::Ready(Happening::Failed("the connection broke")),
            Poll::Pending => {}
        }
        let received = if self.ended { Poll::Pending } else { self.poll_receive(cx) };
        // What has come is taken without waiting for more: a socket that is closed with bytes unread is reset, and the
        // peer may lose the end of what was sent.
        if self.ending == Ending::Told {
            self.ending = Ending::Done;
            return Poll::Ready(match received {
                Poll::Ready(Happening::Received) => Happening::Received,
                Poll::Ready(_) | Poll::Pending => Happening::Closed,
            });
        }
        received
    }

    /// Is ready once all was sent, if that was asked; pending, too, when there is nothing left to do.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Happening>> {
        let Stage::Open(stream) = &mut self.stage else { return Poll::Pending };
        let mut stream = Pin::new(stream);
        while let Some(rest) = self.out.get(self.done..).filter(|rest| !rest.is_empty()) {
            let written = ready!(stream.as_mut().poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.done += written;
            self.sent = (self.sent.0 + written as u64, self.sent.1 + 1);
            self.moved = Instant::now();
        }
        if self.asked {
            ready!(stream.as_mut().poll_flush(cx))?;
            (self.out, self.done, self.asked) = (Vec::new(), 0, false);
            return Poll::Ready(Ok(Happening::Sent));
        }
        if self.ending == Ending::Asked {
            ready!(stream.as_mut().poll_shutdown(cx))?;
            self.ending = Ending::Told;
        }
        Poll::Pending
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        let Stage::Open(stream) = &mut self.stage else { return Poll::Pending };
        self.input.clear();
        self.input.reserve_exact(self.piece);
        let Poll::Ready(read) = poll_read_buf(Pin::new(stream), cx, &mut self.input) else {
            // A channel on which nothing comes costs no memory for it.
            self.input = Vec::new();
            return Poll::Pending;
        };
        self.moved = Instant::now();
        Poll::Ready(match read {
            Ok(0) => {
                self.ended = true;
                Happening::Ended
            }
            Ok(read) => {
                if read >= self.piece {
                    self.piece = (2 * self.piece).min(MOST);
                }
                Happening::Received
            }
            Err(_) => Happening::Failed("the connection broke"),
        })
    }
}

fn socket(local: SocketAddr) -> io::Result<TcpSocket> {
    if local.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
}

fn listen(mut local: SocketAddr, port: u16) -> io::Result<TcpListener> {
    // One connection is taken; strangers may stand before it.
    const BACKLOG: u32 = 16;
    local.set_port(port);
    let socket = socket(local)?;
    // The connections of before may still linger at this port.
    socket.set_reuseaddr(true)?;
    socket.bind(local)?;
    socket.listen(BACKLOG)
}
