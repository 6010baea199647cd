//! Both ends of TLS for the echo bench. Apart, because neither trusts nor is trusted as in earnest.

use std::sync::Arc;
use tokio_rustls::{TlsAcceptor, TlsConnector, rustls};

/// Believes the device and the echo server.
pub(crate) fn connector() -> TlsConnector {
    Arc::new(honeyplant_net::trusting().unwrap()).into()
}

/// What the echo server speaks TLS with.
pub(crate) fn acceptor() -> TlsAcceptor {
    let drawn = rcgen::generate_simple_self_signed(vec!["echo".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(drawn.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![drawn.cert.der().clone()], key.into())
        .unwrap();
    Arc::new(config).into()
}
