//! A stream that is plain and may become encrypted. Apart, because what carries bytes need not know of what they carry.

use crate::{Stream, hello, tls::suite_name};
use honeyplant_core::event::{Encryption, Kind, Reason};
use std::{
    future::Future,
    io, mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{
    Accept, TlsAcceptor,
    rustls::{AlertDescription, Error, PeerIncompatible, ProtocolVersion, ServerConnection},
    server::TlsStream,
};

/// As much as that is recorded of what a peer sends until it is encrypted.
const SHOWN: usize = 4 * 1024;

/// A stream that may become encrypted.
pub(crate) enum Carrier<S> {
    Plain(S),
    Shaking(Box<Shaking<S>>),
    Tls(Box<TlsStream<Wire<S>>>),
    /// Nothing any more; it is so only while it becomes something else, and after a handshake that failed.
    Gone,
}

/// A handshake that goes on.
pub(crate) struct Shaking<S> {
    accept: Accept<Wire<S>>,
    trace: SharedTrace,
}

/// What a handshake leaves behind.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// What the peer sent for it, as far as it is recorded.
    pub(crate) heard: Vec<u8>,
    /// The alert that the device began to speak with, if it did.
    pub(crate) alert: Vec<u8>,
    /// All octets and pieces that came, what was there before included.
    pub(crate) received: (u64, u64),
    /// All octets and pieces that were sent.
    pub(crate) sent: (u64, u64),
}

impl Trace {
    /// What happened, if no encryption came of it for this reason.
    pub(crate) fn failure(&self, why: &'static str) -> Kind {
        match hello::read(&self.heard) {
            Some(hello) => Kind::Unsecured { why, hello: Box::new(hello) },
            None => Kind::Malformed { why },
        }
    }
}

/// What came of a handshake.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) trace: Trace,
    /// Or why nothing was agreed on, and who ended it.
    pub(crate) agreed: Result<Encryption, (&'static str, Reason)>,
}

impl<S: Stream> Carrier<S> {
    /// Begins a handshake, in which `first` is what the peer has sent already. Whatever it sent too early is taken for a
    /// part of the handshake, and never for something that was said under its protection (RFC 3207 §6 tells why).
    pub(crate) fn secure(&mut self, acceptor: &TlsAcceptor, first: Vec<u8>) {
        *self = match mem::replace(self, Self::Gone) {
            Self::Plain(stream) => {
                let trace = SharedTrace::default();
                let wire = Wire { stream, first, trace: Some(trace.clone()) };
                Self::Shaking(Box::new(Shaking { accept: acceptor.accept(wire), trace }))
            }
            other => other,
        };
    }

    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    pub(crate) const fn is_shaking(&self) -> bool {
        matches!(self, Self::Shaking(_))
    }

    /// What there is of a handshake that is not over.
    pub(crate) fn take_trace(&mut self) -> Option<Trace> {
        if let Self::Shaking(shaking) = self { Some(mem::take(&mut lock(&shaking.trace))) } else { None }
    }

    /// Is ready once the handshake is over.
    pub(crate) fn poll_secure(&mut self, cx: &mut Context<'_>) -> Poll<Handshake> {
        let Self::Shaking(shaking) = self else { return Poll::Pending };
        let result = ready!(Pin::new(&mut shaking.accept).poll(cx));
        let trace = self.take_trace().unwrap_or_default();
        let agreed = match result {
            Ok(mut stream) => {
                let (wire, connection) = stream.get_mut();
                wire.trace = None;
                let encryption = encryption(connection, &trace.heard);
                *self = Self::Tls(Box::new(stream));
                Ok(encryption)
            }
            Err(error) => {
                *self = Self::Gone;
                let outdated = hello::outdated(&trace.heard).is_some();
                Err(if outdated { (NO_VERSION, Reason::Device) } else { failure(&error) })
            }
        };
        Poll::Ready(Handshake { trace, agreed })
    }

    /// Makes closing it break the connection.
    pub(crate) fn sever(&self) {
        match self {
            Self::Plain(stream) => stream.sever(),
            Self::Shaking(shaking) => shaking.accept.get_ref().iter().for_each(|wire| wire.stream.sever()),
            Self::Tls(stream) => stream.get_ref().0.stream.sever(),
            Self::Gone => {}
        }
    }
}

fn encryption(connection: &ServerConnection, heard: &[u8]) -> Encryption {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        _ => "1.2",
    };
    let cipher = connection.negotiated_cipher_suite().map(|suite| suite_name(suite.suite())).unwrap_or_default();
    Encryption { version, cipher: cipher.into(), hello: hello::read(heard) }
}

const NO_VERSION: &str = "the peer offers no version of TLS that the device has";

/// Why a handshake failed, and who ended it.
fn failure(error: &io::Error) -> (&'static str, Reason) {
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<Error>()) else {
        let ended = error.kind() == io::ErrorKind::UnexpectedEof;
        return ("the connection ended in the TLS handshake", if ended { Reason::Peer } else { Reason::Broken });
    };
    let why = match error {
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => "what came is not TLS",
        Error::InappropriateHandshakeMessage { .. } => "the TLS handshake was out of order",
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => NO_VERSION,
        Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon) => {
            "the peer offers no cipher suite that the device has"
        }
        Error::PeerIncompatible(_) => "the peer offers no TLS that the device has",
        Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::UnknownCA,
        ) => "the peer did not trust the certificate",
        Error::AlertReceived(_) => "the peer broke off the TLS handshake",
        _ => "the TLS handshake failed",
    };
    (why, Reason::Device)
}

impl<S: Stream> AsyncRead for Carrier<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            // Most peers close without the farewell that TLS has for it.
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer).map(|read| match read {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
                read => read,
            }),
            Self::Shaking(_) => Poll::Pending,
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<S: Stream> AsyncWrite for Carrier<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Shaking(_) => Poll::Pending,
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Shaking(_) | Self::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Shaking(_) | Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

/// Shared, because the library lets go of a stream whose handshake failed.
type SharedTrace = Arc<Mutex<Trace>>;

fn lock(trace: &SharedTrace) -> MutexGuard<'_, Trace> {
    trace.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stream below TLS.
pub(crate) struct Wire<S> {
    stream: S,
    /// What was read before TLS began, and is read first.
    first: Vec<u8>,
    /// While the handshake goes on.
    trace: Option<SharedTrace>,
}

impl<S: Stream> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (wire, known) = (self.get_mut(), buffer.filled().len());
        if wire.first.is_empty() {
            ready!(Pin::new(&mut wire.stream).poll_read(cx, buffer))?;
        } else {
            let count = wire.first.len().min(buffer.remaining());
            buffer.put_slice(wire.first.drain(..count).as_slice());
        }
        if let Some(trace) = &wire.trace {
            let (mut trace, new) = (lock(trace), buffer.filled().get(known..).unwrap_or_default());
            let room = SHOWN.saturating_sub(trace.heard.len()).min(new.len());
            trace.heard.extend_from_slice(new.get(..room).unwrap_or_default());
            trace.received = (trace.received.0 + new.len() as u64, trace.received.1 + 1);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let Some(trace) = &wire.trace else { return Pin::new(&mut wire.stream).poll_write(cx, bytes) };
        let mut trace = lock(trace);
        let alert = if trace.sent.0 == 0 { alert(bytes, &trace.heard) } else { None };
        let written = ready!(Pin::new(&mut wire.stream).poll_write(cx, alert.as_ref().map_or(bytes, |alert| alert)))?;
        trace.alert.extend(alert.iter().flatten().take(written));
        trace.sent = (trace.sent.0 + written as u64, trace.sent.1 + 1);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The alert that `bytes` are, as servers send it to whoever sent what was `heard`.
fn alert(bytes: &[u8], heard: &[u8]) -> Option<[u8; 7]> {
    const PROTOCOL_VERSION: u8 = 70;
    // The types of alerts and records, and a fatal level: RFC 8446 §5.1 and §6.
    let [21, _, _, 0, 2, level, _] = *bytes.first_chunk()? else { return None };
    match hello::outdated(heard).map(u16::to_be_bytes) {
        // The library looks for the signatures of TLS 1.2 first and complains of a failed handshake. Others complain of the
        // version, in a record of the peer's own (RFC 5246 §E.1; OpenSSL does so).
        Some([major, minor]) => Some([21, major, minor, 0, 2, level, PROTOCOL_VERSION]),
        None => bytes.first_chunk().copied(),
    }
}
