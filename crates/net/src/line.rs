//! Bytes in and out of one carrier, with every wait bounded. Apart, because the talk above it need not know how a read,
//! a deadline and a wish to leave are waited for at once.

use crate::{
    Seat,
    alarm::Alarm,
    carrier::{Carrier, Handshake, Trace},
    channel::{Channel, Happening},
    patience::Patience,
    tls::Tls,
};
use honeyplant_core::{event::Reason, traffic::Traffic};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::io::poll_read_buf;

/// Most requests are shorter. A read that does not fill its room also tells the reactor that nothing more is there,
/// which saves asking the system.
const USUAL: usize = 512;
/// A peer that sends faster than it is read is read in larger pieces, up to this.
const MOST: usize = 16 * 1024;

/// What carries the bytes of a conversation.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// Makes closing it break the connection, as a device that restarts does, instead of saying farewell.
    fn sever(&self) {}
}

impl Stream for TcpStream {
    fn sever(&self) {
        // Without it the peer hears a farewell instead: the worse decoy, but no loss.
        let _ = self.set_zero_linger();
    }
}

/// A pipe in memory has nothing to break.
impl Stream for DuplexStream {}

pub(crate) struct Line<S> {
    stream: Carrier<S>,
    alarm: Alarm,
    pub(crate) seat: Seat,
    /// What was heard and not yet dealt with.
    pub(crate) input: Vec<u8>,
    /// What is to be said.
    pub(crate) out: Vec<u8>,
    piece: usize,
}

/// What waiting for the peer came to.
#[derive(Debug)]
pub(crate) enum Heard {
    Bytes(usize),
    /// Not the line, but the channel beside it.
    Channel(Happening),
    Alarm,
}

impl<S: Stream> Line<S> {
    pub(crate) fn new(stream: S, seat: Seat) -> Self {
        let stream = Carrier::Plain(stream);
        Self { stream, alarm: Alarm::default(), seat, input: Vec::new(), out: Vec::new(), piece: USUAL }
    }

    /// Waits for bytes, or for something to happen on `channel`, until `due` at the latest.
    pub(crate) async fn hear(&mut self, due: Instant, mut channel: Option<&mut Channel>) -> Result<Heard, Reason> {
        if self.input.capacity() - self.input.len() < self.piece / 2 {
            self.input.reserve_exact(self.piece);
        }
        poll_fn(|cx| {
            if let Poll::Ready(read) = self.poll_read(cx) {
                return Poll::Ready(read.map(Heard::Bytes));
            }
            if let Some(channel) = channel.as_deref_mut() {
                let moved = channel.moved;
                let happening = channel.poll(cx);
                if channel.moved != moved {
                    self.seat.touch(channel.moved.into_std());
                }
                if let Poll::Ready(happening) = happening {
                    return Poll::Ready(Ok(Heard::Channel(happening)));
                }
            }
            if let Poll::Ready(reason) = self.seat.poll(cx) {
                return Poll::Ready(Err(reason));
            }
            self.alarm.poll(due, cx).map(|()| Ok(Heard::Alarm))
        })
        .await
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Reason>> {
        let room = self.input.capacity() - self.input.len();
        poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input).map(|read| match read {
            Ok(0) => Err(Reason::Peer),
            Ok(read) => {
                if read >= room {
                    self.piece = (2 * self.piece).min(MOST);
                }
                Ok(read)
            }
            Err(_) => Err(Reason::Broken),
        })
    }

    /// Speaks TLS from here on; what was read is the beginning of the handshake, which must be over at `due`. None if the
    /// device cannot.
    pub(crate) async fn secure(&mut self, tls: &Tls, due: Instant) -> Result<Option<Handshake>, Reason> {
        let Some(acceptor) = self.acceptor(tls, due).await? else { return Ok(None) };
        self.stream.secure(&acceptor, std::mem::take(&mut self.input));
        poll_fn(|cx| {
            if let Poll::Ready(handshake) = self.stream.poll_secure(cx) {
                return Poll::Ready(Ok(Some(handshake)));
            }
            if let Poll::Ready(reason) = self.seat.poll(cx) {
                return Poll::Ready(Err(reason));
            }
            self.alarm.poll(due, cx).map(|()| Err(Reason::Idle))
        })
        .await
    }

    /// What the device accepts a handshake with, which it may have to draw first.
    pub(crate) async fn acceptor(&mut self, tls: &Tls, due: Instant) -> Result<Option<TlsAcceptor>, Reason> {
        let mut acceptor = pin!(tls.acceptor());
        poll_fn(|cx| {
            if let Poll::Ready(acceptor) = acceptor.as_mut().poll(cx) {
                return Poll::Ready(Ok(acceptor));
            }
            if let Poll::Ready(reason) = self.seat.poll(cx) {
                return Poll::Ready(Err(reason));
            }
            self.alarm.poll(due, cx).map(|()| Err(Reason::Idle))
        })
        .await
    }

    /// Whether it can still become encrypted.
    pub(crate) const fn is_plain(&self) -> bool {
        self.stream.is_plain()
    }

    /// What there is of a handshake that is not over.
    pub(crate) fn take_trace(&mut self) -> Option<Trace> {
        self.stream.take_trace()
    }

    /// Waits until `until`, or less if the session is to leave.
    pub(crate) async fn pause(&mut self, until: Instant) {
        poll_fn(|cx| match self.seat.poll(cx) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => self.alarm.poll(until, cx),
        })
        .await;
    }

    /// Sends what is to be said, and counts it in `sent` and `traffic`. The peer must take some of it every `stuck`.
    pub(crate) async fn flush(&mut self, stuck: Duration, sent: &mut u64, traffic: &Traffic) -> Result<(), Reason> {
        if self.out.is_empty() {
            return Ok(());
        }
        let (mut done, mut patience) = (0, Patience::new(stuck, self.out.len()));
        let flushed = poll_fn(|cx| {
            while let Some(rest) = self.out.get(done..).filter(|rest| !rest.is_empty()) {
                match Pin::new(&mut self.stream).poll_write(cx, rest) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Reason::Broken)),
                    Poll::Ready(Ok(written)) => {
                        done += written;
                        patience.renew();
                        traffic.octets_out.add(written as u64);
                        traffic.segments_out.add(1);
                    }
                    Poll::Pending => return self.poll_patience(&mut patience, cx),
                }
            }
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(flushed) => Poll::Ready(flushed.map_err(|_| Reason::Broken)),
                Poll::Pending => self.poll_patience(&mut patience, cx),
            }
        })
        .await;
        *sent += done as u64;
        self.out.clear();
        flushed
    }

    fn poll_patience(&mut self, patience: &mut Patience, cx: &mut Context<'_>) -> Poll<Result<(), Reason>> {
        if let Poll::Ready(reason) = self.seat.poll(cx) {
            return Poll::Ready(Err(reason));
        }
        let due = patience.due();
        self.alarm.poll(due, cx).map(|()| Err(Reason::Stuck))
    }

    /// Says that nothing more will come, and takes what has come meanwhile without waiting for it: a socket that is
    /// closed with bytes unread is reset, and the peer may lose the last answer.
    pub(crate) async fn hang_up(&mut self) -> usize {
        self.input.reserve(USUAL);
        poll_fn(|cx| {
            let _ = Pin::new(&mut self.stream).poll_shutdown(cx);
            match self.poll_read(cx) {
                Poll::Ready(Ok(read)) => Poll::Ready(read),
                Poll::Ready(Err(_)) | Poll::Pending => Poll::Ready(0),
            }
        })
        .await
    }

    /// Breaks the connection when it is closed, which is next.
    pub(crate) fn sever(&self) {
        self.stream.sever();
    }

    /// Whether the buffers hold more memory than most sessions need.
    pub(crate) const fn is_large(&self) -> bool {
        self.input.capacity() > 2 * USUAL || self.out.capacity() > 2 * USUAL
    }

    pub(crate) fn shrink(&mut self) {
        self.piece = USUAL;
        self.input.shrink_to(USUAL);
        self.out.shrink_to(0);
    }
}
