//! The connection to the other end of a sink: TCP or TLS, with every wait bounded. Apart, because sinks that speak a
//! protocol of their own connect in the same way and read the same settings.

use super::SinkError;
use honeyplant_core::settings::Problem;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How long a connection may take to be made.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// How long the other end may take to read or to answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);
/// As much as the other end may say after it was told the end.
const LAST_WORDS: usize = 64 << 10;

/// How to speak TLS with the other end of a sink.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TlsSettings {
    /// A PEM file of the authorities that the other end's certificate may be from, instead of those that browsers know.
    ca: Option<PathBuf>,
    /// A PEM file of our own certificate, if the other end asks for one.
    certificate: Option<PathBuf>,
    /// A PEM file of its key.
    key: Option<PathBuf>,
    /// The name that the other end's certificate is for, if it is not the host's.
    name: Option<String>,
}

impl TlsSettings {
    /// How to speak TLS; `key` is the key of this table, for what is wrong with it.
    pub(crate) fn config(&self, key: &str) -> Result<ClientConfig, Problem> {
        let wrong = |field: &str, why: String| Problem::new(format!("{key}.{field}"), why);
        let pem = |field: &'static str, path: &PathBuf| {
            CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| wrong(field, format!("{}: {error}", path.display())))
        };
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = &self.ca {
            roots.roots.clear();
            for certificate in pem("ca", path)? {
                roots.add(certificate).map_err(|error| wrong("ca", format!("{}: {error}", path.display())))?;
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong("ca", error.to_string()))?
            .with_root_certificates(roots);
        match (&self.certificate, &self.key) {
            (None, None) => Ok(config.with_no_client_auth()),
            (Some(certificate), Some(path)) => {
                let key = PrivateKeyDer::from_pem_file(path)
                    .map_err(|error| wrong("key", format!("{}: {error}", path.display())))?;
                let mut config = config
                    .with_client_auth_cert(pem("certificate", certificate)?, key)
                    .map_err(|error| wrong("certificate", error.to_string()))?;
                // Servers on OpenSSL that ask for certificates, such as rsyslogd, end each resumed session with an internal
                // error unless they set a name for sessions, which many do not.
                config.resumption = Resumption::disabled();
                Ok(config)
            }
            (Some(_), None) => Err(wrong("key", "a certificate needs its key".into())),
            (None, Some(_)) => Err(wrong("certificate", "a key needs its certificate".into())),
        }
    }

    /// The name that the other end's certificate is for, if it is not the host's.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The file of the authorities that the other end's certificate may be from.
    pub(crate) fn authorities(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// The files of our own certificate and its key.
    pub(crate) fn own(&self) -> Option<(&Path, &Path)> {
        self.certificate.as_deref().zip(self.key.as_deref())
    }

    /// The same for a client of web services.
    pub(crate) fn agent(&self, key: &str) -> Result<ureq::tls::TlsConfig, Problem> {
        use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
        // What is wrong with the files is told in the same words.
        self.config(key)?;
        let read = |path: &PathBuf| std::fs::read(path).map_err(|error| Problem::new(key, error.to_string()));
        let certificates = |path: &PathBuf| -> Result<Vec<Certificate<'static>>, Problem> {
            let text = read(path)?;
            let items = parse_pem(&text).filter_map(Result::ok);
            Ok(items.filter_map(|item| if let PemItem::Certificate(one) = item { Some(one) } else { None }).collect())
        };
        let mut config = TlsConfig::builder();
        if let Some(path) = &self.ca {
            config = config.root_certs(RootCerts::new_with_certs(&certificates(path)?));
        }
        if let (Some(certificate), Some(path)) = (&self.certificate, &self.key) {
            let own = PrivateKey::from_pem(&read(path)?).map_err(|error| Problem::new(key, error.to_string()))?;
            config = config.client_cert(Some(ClientCert::new_with_certs(&certificates(certificate)?, own)));
        }
        Ok(config.build())
    }
}

/// Where a sink connects to.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// `host:port`.
    to: String,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Remote {
    /// The other end at `to`, a host and a port; `key` is the key of the sink's table.
    pub(crate) fn new(to: &str, tls: Option<&TlsSettings>, key: &str) -> Result<Self, Problem> {
        let host = to.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        let Some((host, _)) = host else {
            let problem = Problem::new(format!("{key}.to"), format!("`{to}` is no host with a port"));
            return Err(problem.hint("write it as `logs.example.org:514` or `[2001:db8::1]:514`"));
        };
        let tls = tls.map(|settings| {
            let table = format!("{key}.tls");
            let name = settings.name().unwrap_or_else(|| host.trim_matches(['[', ']'])).to_owned();
            let name = ServerName::try_from(name)
                .map_err(|error| Problem::new(format!("{table}.name"), format!("no certificate is for it: {error}")))?;
            settings.config(&table).map(|config| (Arc::new(config), name))
        });
        Ok(Self { to: to.to_owned(), tls: tls.transpose()? })
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.to
    }

    /// Connects, and shakes hands if it is to be TLS.
    pub(crate) fn connect(&self) -> io::Result<Link> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in self.to.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(stream) => return self.secure(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn secure(&self, mut stream: TcpStream) -> io::Result<Link> {
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        stream.set_nodelay(true)?;
        let Some((config, name)) = &self.tls else { return Ok(Link::Plain(stream)) };
        let mut connection = ClientConnection::new(config.clone(), name.clone()).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Link::Tls(Box::new(StreamOwned::new(connection, stream))))
    }

    /// `error` with the name of the other end.
    pub(crate) fn failed(&self, error: impl std::fmt::Display) -> SinkError {
        SinkError(format!("{}: {error}", self.to))
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) enum Link {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Link {
    /// The socket, for its options.
    pub(crate) const fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    /// Says that nothing more comes, and waits until the other end has read all and hung up. What it still said is
    /// appended to `last`. This is how to learn that everything was read of a protocol that acknowledges nothing: whoever
    /// ends without reading all resets the connection, and that is an error here.
    pub(crate) fn finish(mut self, last: &mut Vec<u8>) -> io::Result<()> {
        if let Self::Tls(stream) = &mut self {
            stream.conn.send_close_notify();
        }
        // Who has been hung up on may still read why.
        let told = self.flush().and_then(|()| self.socket().shutdown(Shutdown::Write));
        let (until, mut buffer) = (Instant::now() + ANSWER, [0; 4096]);
        loop {
            if Instant::now() > until || last.len() > LAST_WORDS {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it was told the end, and did not hang up"));
            }
            match self.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => last.extend_from_slice(buffer.get(..read).unwrap_or_default()),
                // Many end TCP without ending TLS before.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(error),
            }
        }
        told?;
        // Somebody who hung up before our last bytes came did not read those; their reset may still be on its way. Once
        // all is acknowledged on both sides, the socket has no peer any more.
        while self.socket().peer_addr().is_ok() {
            if Instant::now() > until {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it hung up before it had all"));
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.socket().take_error()?.map_or(Ok(()), Err)
    }
}

/// Whether a wait has ended, which systems call by two names.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
