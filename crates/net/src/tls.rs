//! What a device speaks TLS with. Apart, because the library behind it is named here and in [`crate::carrier`] only, and
//! because a certificate may be drawn as late as somebody asks for it.

use honeyplant_core::tls::Prefers;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use tokio::{sync::Mutex, task::spawn_blocking};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::ServerSessionMemoryCache,
        version::{TLS12, TLS13},
    },
};

/// Sessions that a device remembers, for those that come again. The library's 256 would cost 30 kB a device.
const REMEMBERED: usize = 16;

/// Certificates are drawn one after the other: a scanner that meets hundreds of new devices must not take all processors.
static DRAWING: Mutex<()> = Mutex::const_new(());

/// What a device needs to speak TLS as a server: its certificate, with the key.
#[derive(Clone)]
pub struct Tls(Arc<Speech>);

struct Speech {
    acceptor: OnceLock<Option<TlsAcceptor>>,
    draw: Box<dyn Fn() -> Option<ServerConfig> + Send + Sync>,
}

impl Tls {
    /// Reads a key and its certificate, and whatever certifies that, in PEM; they are spoken with as `how` says.
    pub fn from_pem(text: &[u8], how: &honeyplant_core::tls::Tls) -> Result<Self, String> {
        let acceptor = Some(TlsAcceptor::from(Arc::new(config(text, how)?)));
        Ok(Self(Arc::new(Speech { acceptor: acceptor.into(), draw: Box::new(|| None) })))
    }

    /// The same with what `draw` gives once somebody wants to speak. It may take its time, and is called once.
    pub fn later(draw: impl Fn() -> Option<Vec<u8>> + Send + Sync + 'static, how: honeyplant_core::tls::Tls) -> Self {
        let draw = Box::new(move || config(&draw()?, &how).ok());
        Self(Arc::new(Speech { acceptor: OnceLock::new(), draw }))
    }

    /// Draws what was not drawn yet; whether there is a certificate now.
    pub fn draw(&self) -> bool {
        let draw = || (self.0.draw)().map(|config| Arc::new(config).into());
        self.0.acceptor.get_or_init(draw).is_some()
    }

    /// What accepts a handshake, drawn now if it never was.
    pub(crate) async fn acceptor(&self) -> Option<TlsAcceptor> {
        if let Some(acceptor) = self.0.acceptor.get() {
            return acceptor.clone();
        }
        let _turn = DRAWING.lock().await;
        let this = self.clone();
        let drawn = spawn_blocking(move || this.draw()).await;
        self.0.acceptor.get().filter(|_| drawn.is_ok()).cloned().flatten()
    }
}

fn config(text: &[u8], how: &honeyplant_core::tls::Tls) -> Result<ServerConfig, String> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|why| why.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(text).map_err(|why| why.to_string())?;
    let versions: Vec<_> = match &how.versions[..] {
        [] => vec![&TLS12, &TLS13],
        versions => versions.iter().map(|version| if *version == "1.3" { &TLS13 } else { &TLS12 }).collect(),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider(how)))
        .with_protocol_versions(&versions)
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|why| why.to_string())?;
    config.ignore_client_order = how.prefers == Prefers::Server;
    config.session_storage = ServerSessionMemoryCache::new(REMEMBERED);
    if how.tickets {
        config.ticketer = ring::Ticketer::new().map_err(|why| why.to_string())?;
    } else {
        // A peer that only uploads over a channel leaves tickets unread. Its system resets such a connection when it closes
        // it, and drops what was not sent yet: curl 7.88 loses the end of a file in one of four uploads.
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// What is offered of what there is, in the device's order.
fn provider(how: &honeyplant_core::tls::Tls) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !how.suites.is_empty() {
        let all = std::mem::take(&mut provider.cipher_suites);
        let named = |name: &&str| all.iter().find(|suite| suite_name(suite.suite()) == *name).copied();
        provider.cipher_suites = how.suites.iter().filter_map(named).collect();
    }
    if !how.groups.is_empty() {
        let all = std::mem::take(&mut provider.kx_groups);
        let is = |name: &str, group: &str| name.eq_ignore_ascii_case(group);
        let named =
            |name: &&str| all.iter().find(|group| group.name().as_str().is_some_and(|it| is(it, name))).copied();
        provider.kx_groups = how.groups.iter().filter_map(named).collect();
    }
    provider
}

/// What IANA calls a cipher suite. The library marks those of TLS 1.3, which IANA does not.
pub(crate) fn suite_name(suite: tokio_rustls::rustls::CipherSuite) -> String {
    suite.as_str().unwrap_or_default().replacen("TLS13_", "TLS_", 1)
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use honeyplant_core::tls::{GROUPS, SUITES, VERSIONS};

    #[test]
    fn there_is_what_profiles_are_told_that_there_is() {
        let all = ring::default_provider();
        let suites: Vec<String> = all.cipher_suites.iter().map(|suite| suite_name(suite.suite())).collect();
        assert_eq!(suites, SUITES.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        let how = honeyplant_core::tls::Tls {
            versions: VERSIONS.to_vec(),
            suites: SUITES.iter().rev().map(|(name, ..)| *name).collect(),
            groups: GROUPS.iter().rev().copied().collect(),
            ..Default::default()
        };
        let some = provider(&how);
        assert_eq!((some.cipher_suites.len(), some.kx_groups.len()), (SUITES.len(), GROUPS.len()));
        assert_eq!(
            (all.kx_groups.len(), suite_name(some.cipher_suites[0].suite())),
            (GROUPS.len(), SUITES[8].0.into())
        );
    }
}
