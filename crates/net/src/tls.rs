//! TLS on a stream that was plain before. Apart, because what carries bytes need not know of what they carry, and because
//! the library behind it is named nowhere else.

use crate::Stream;
use honeyplant_core::event::Encryption;
use std::{
    fmt,
    future::Future,
    io, mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{
    Accept, TlsAcceptor,
    rustls::{
        AlertDescription, Error, ProtocolVersion, ServerConfig, ServerConnection,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

/// As much as that is recorded of what a peer sends until it is encrypted.
const SHOWN: usize = 4 * 1024;

/// What a device needs to speak TLS as a server: its certificate, with the key.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Reads a key and its certificate, and whatever certifies that, in PEM.
    pub fn from_pem(text: &[u8]) -> Result<Self, String> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|why| why.to_string())?;
        let key = PrivateKeyDer::from_pem_slice(text).map_err(|why| why.to_string())?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|why| why.to_string())?;
        // A peer that only uploads over a channel leaves tickets unread. Its system resets such a connection when it closes
        // it, and drops what was not sent yet: curl 7.88 loses the end of a file in one of four uploads.
        config.send_tls13_tickets = 0;
        Ok(Self(Arc::new(config).into()))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

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
    heard: Heard,
}

/// What came of a handshake.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// What the peer sent for it, as far as it is recorded.
    pub(crate) heard: Vec<u8>,
    pub(crate) agreed: Result<Encryption, &'static str>,
}

impl<S: Stream> Carrier<S> {
    /// Begins a handshake, in which `first` is what the peer has sent already. Whatever it sent too early is taken for a
    /// part of the handshake, and never for something that was said under its protection (RFC 3207 §6 tells why).
    pub(crate) fn secure(&mut self, tls: &Tls, first: Vec<u8>) {
        *self = match mem::replace(self, Self::Gone) {
            Self::Plain(stream) => {
                let heard = Heard::default();
                let wire = Wire { stream, first, heard: Some(heard.clone()) };
                Self::Shaking(Box::new(Shaking { accept: tls.0.accept(wire), heard }))
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

    /// What the peer has sent for a handshake that is not over.
    pub(crate) fn take_heard(&mut self) -> Vec<u8> {
        if let Self::Shaking(shaking) = self { mem::take(&mut lock(&shaking.heard)) } else { Vec::new() }
    }

    /// Is ready once the handshake is over.
    pub(crate) fn poll_secure(&mut self, cx: &mut Context<'_>) -> Poll<Handshake> {
        let Self::Shaking(shaking) = self else { return Poll::Pending };
        let result = ready!(Pin::new(&mut shaking.accept).poll(cx));
        let heard = self.take_heard();
        let agreed = match result {
            Ok(mut stream) => {
                let (wire, connection) = stream.get_mut();
                wire.heard = None;
                let encryption = encryption(connection);
                *self = Self::Tls(Box::new(stream));
                Ok(encryption)
            }
            Err(error) => {
                *self = Self::Gone;
                Err(failure(&error))
            }
        };
        Poll::Ready(Handshake { heard, agreed })
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

fn encryption(connection: &ServerConnection) -> Encryption {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        _ => "1.2",
    };
    let cipher = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or_default();
    // The library marks those of TLS 1.3, which IANA does not.
    let cipher = cipher.replacen("TLS13_", "TLS_", 1).into();
    Encryption { version, cipher, server_name: connection.server_name().map(Into::into) }
}

/// Why a handshake failed.
fn failure(error: &io::Error) -> &'static str {
    match error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
        Some(Error::InvalidMessage(_) | Error::InappropriateMessage { .. }) => "what came is not TLS",
        Some(Error::InappropriateHandshakeMessage { .. }) => "the TLS handshake was out of order",
        Some(Error::PeerIncompatible(_)) => "the peer offers no TLS that the device has",
        Some(Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::UnknownCA,
        )) => "the peer did not trust the certificate",
        Some(Error::AlertReceived(_)) => "the peer broke off the TLS handshake",
        Some(_) => "the TLS handshake failed",
        None => "the connection ended in the TLS handshake",
    }
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

/// What the peer has sent for a handshake. Shared, because the library lets go of a stream whose handshake failed.
type Heard = Arc<Mutex<Vec<u8>>>;

fn lock(heard: &Heard) -> MutexGuard<'_, Vec<u8>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stream below TLS.
pub(crate) struct Wire<S> {
    stream: S,
    /// What was read before TLS began, and is read first.
    first: Vec<u8>,
    /// While the handshake goes on.
    heard: Option<Heard>,
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
        if let Some(heard) = &wire.heard {
            let (mut heard, new) = (lock(heard), buffer.filled().get(known..).unwrap_or_default());
            let room = SHOWN.saturating_sub(heard.len()).min(new.len());
            heard.extend_from_slice(new.get(..room).unwrap_or_default());
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
