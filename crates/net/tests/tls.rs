//! A line or a channel that becomes encrypted, with a real client of TLS. Apart, because it needs a certificate.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod stage;

use honeyplant_core::{
    conversation::Service,
    event::{Carrier, Encryption, Kind, Reason, Session},
};
use honeyplant_net::{Limits, Seat, Stream, Tls, drive};
use stage::{Memory, Stage, content, device};
use std::{net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::ring, pki_types::CertificateDer},
};

struct Play<S> {
    peer: S,
    client: Arc<ClientConfig>,
    memory: Memory,
    task: JoinHandle<()>,
    dismiss: Box<dyn Fn(Reason) + Send + Sync>,
}

fn play_over<S: Stream + Send + 'static, P>(peer: P, ours: S, session: Session) -> Play<P> {
    let drawn = rcgen::generate_simple_self_signed(vec!["plc-1".to_owned()]).unwrap();
    let tls = Tls::from_pem((drawn.cert.pem() + &drawn.signing_key.serialize_pem()).as_bytes()).unwrap();
    let (service, memory, seat) = (Stage { greeting: "" }, Memory::default(), Seat::alone());
    let (dismiss, bounds) = (Box::new(seat.dismissal()), Limits::default().bounds(service.longest_message(), None));
    let driven = drive(ours, service.converse(), Arc::new(session), bounds, memory.clone(), seat, Some(tls));
    let task = tokio::spawn(driven);
    Play { peer, client: trusting(&[drawn.cert.der().clone()]), memory, task, dismiss }
}

fn trusting(certificates: &[CertificateDer<'static>]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates.iter().cloned());
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(client)
}

fn play() -> Play<DuplexStream> {
    let ((peer, ours), address) = (duplex(1 << 16), ([10, 0, 0, 1], 502).into());
    let (carrier, protocol, device) = (Carrier::Tcp, "stage", device("plc-1"));
    play_over(peer, ours, Session { id: 7, peer: address, local: address, carrier, protocol, device })
}

/// A session over a real socket, so that it can have a channel.
async fn play_on_a_socket() -> Play<TcpStream> {
    let doors = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let line = TcpStream::connect(doors.local_addr().unwrap()).await.unwrap();
    let (ours, peer) = doors.accept().await.unwrap();
    let (local, carrier, protocol, device) = (ours.local_addr().unwrap(), Carrier::Tcp, "stage", device("plc-1"));
    play_over(line, ours, Session { id: 7, peer, local, carrier, protocol, device })
}

impl Play<TcpStream> {
    /// A channel that is encrypted.
    async fn channel(&mut self, passive: bool) -> TlsStream<TcpStream> {
        let stream = if passive {
            self.passive().await
        } else {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            says(&mut self.peer, &format!("dial {}\n", listener.local_addr().unwrap().port())).await;
            let stream = listener.accept().await.unwrap().0;
            hears(&mut self.peer, "connected\n").await;
            stream
        };
        says(&mut self.peer, "secure channel\n").await;
        hears(&mut self.peer, "go on\nhidden\n").await;
        let stream = encrypted(&self.client, stream).await;
        hears(&mut self.peer, "secured Channel\n").await;
        stream
    }

    /// A channel that the peer opened.
    async fn passive(&mut self) -> TcpStream {
        says(&mut self.peer, "listen\n").await;
        let port: u16 = line(&mut self.peer).await.strip_prefix("listening ").unwrap().parse().unwrap();
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        hears(&mut self.peer, "connected\n").await;
        stream
    }
}

async fn says(peer: &mut (impl AsyncWrite + Unpin), text: &str) {
    peer.write_all(text.as_bytes()).await.unwrap();
}

async fn hears(peer: &mut (impl AsyncRead + Unpin), text: &str) {
    let mut heard = vec![0; text.len()];
    peer.read_exact(&mut heard).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), text);
}

async fn line(peer: &mut (impl AsyncRead + Unpin)) -> String {
    let mut heard = String::new();
    while !heard.ends_with('\n') {
        heard.push(peer.read_u8().await.unwrap().into());
    }
    heard.trim_end().to_owned()
}

async fn encrypted<S: AsyncRead + AsyncWrite + Unpin>(client: &Arc<ClientConfig>, peer: S) -> TlsStream<S> {
    TlsConnector::from(client.clone()).connect("plc-1".try_into().unwrap(), peer).await.unwrap()
}

fn malformed(memory: &Memory) -> Vec<(&'static str, usize)> {
    let told = |event: honeyplant_core::event::Event| match event.kind {
        Kind::Malformed { why } => Some((why, event.request.len())),
        _ => None,
    };
    memory.events().into_iter().filter_map(told).collect()
}

#[tokio::test(start_paused = true)]
async fn a_line_becomes_encrypted_and_is_closed_with_a_farewell() {
    let mut play = play();
    says(&mut play.peer, "secure\n").await;
    hears(&mut play.peer, "go on\n").await;
    let mut peer = encrypted(&play.client, play.peer).await;
    hears(&mut peer, "hidden\nsecured Line\n").await;
    says(&mut peer, "echo one\nsecure\n").await;
    hears(&mut peer, "one\ngo on\nhidden\nfailed: the line is encrypted already\n").await;
    says(&mut peer, "bye\n").await;
    let mut last = Vec::new();
    peer.read_to_end(&mut last).await.unwrap();
    assert_eq!(last, b"bye\n");
    play.task.await.unwrap();
    let events = play.memory.events();
    let secured = events.iter().find(|event| event.kind.action() == "secured").unwrap();
    let (version, cipher) = ("1.3", "TLS_AES_256_GCM_SHA384".into());
    let encryption = Encryption { version, cipher, server_name: Some("plc-1".into()) };
    assert_eq!(secured.kind, Kind::Secured(Box::new(encryption)));
    assert_eq!(secured.request[..2], [22, 3], "what the peer sent for it begins with a ClientHello");
    assert!(events.iter().any(|event| event.request[..] == *b"echo one\n"), "what was said under TLS is recorded");
}

#[tokio::test(start_paused = true)]
async fn what_was_said_in_clear_too_early_is_not_believed() {
    let mut play = play();
    says(&mut play.peer, "secure\necho never\n").await;
    let mut heard = Vec::new();
    play.peer.read_to_end(&mut heard).await.unwrap();
    assert!(heard.starts_with(b"go on\n") && !String::from_utf8_lossy(&heard).contains("never"), "{heard:?}");
    play.task.await.unwrap();
    assert_eq!(malformed(&play.memory), [("what came is not TLS", 11)]);
    assert_eq!(play.memory.reasons(), [Reason::Device]);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_begins_early_is_one() {
    let (mut play, mut sent) = (play(), b"secure\n".to_vec());
    let mut client = ClientConnection::new(play.client, "plc-1".try_into().unwrap()).unwrap();
    client.write_tls(&mut sent).unwrap();
    play.peer.write_all(&sent).await.unwrap();
    hears(&mut play.peer, "go on\n").await;
    while client.is_handshaking() {
        let (mut heard, mut answer) = (vec![0; 16 * 1024], Vec::new());
        let count = play.peer.read(&mut heard).await.unwrap();
        let mut heard = heard.get(..count).unwrap();
        while !heard.is_empty() {
            client.read_tls(&mut heard).unwrap();
            client.process_new_packets().unwrap();
        }
        while client.wants_write() {
            client.write_tls(&mut answer).unwrap();
        }
        play.peer.write_all(&answer).await.unwrap();
    }
    play.peer.read_u8().await.unwrap();
    drop(play.peer);
    play.task.await.unwrap();
    assert!(play.memory.events().iter().any(|event| event.kind.action() == "secured"));
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_its_time() {
    let (mut play, start) = (play(), Instant::now());
    // The head of a record of 512 bytes.
    says(&mut play.peer, "secure\n\x16\x03\x01\x02\0").await;
    hears(&mut play.peer, "go on\n").await;
    assert_eq!(play.peer.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(start.elapsed(), Duration::from_secs(60));
    play.task.await.unwrap();
    assert_eq!(malformed(&play.memory), [("the TLS handshake was not finished", 5)]);
    assert_eq!(play.memory.reasons(), [Reason::Idle]);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_broken_off_is_recorded() {
    for way in ["told", "dropped", "left"] {
        let mut play = play();
        says(&mut play.peer, "secure\n\x16\x03\x01\x02\0").await;
        hears(&mut play.peer, "go on\n").await;
        sleep(Duration::from_millis(1)).await;
        match way {
            "told" => (play.dismiss)(Reason::Shutdown),
            "dropped" => play.task.abort(),
            _ => drop(play.peer),
        }
        let _ = play.task.await;
        assert_eq!(malformed(&play.memory).len(), 1, "{way}");
        assert_eq!(malformed(&play.memory)[0].1, 5, "{way}");
        assert_eq!(play.memory.reasons().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_trust_the_device_is_told_from_one_that_is_broken() {
    let mut play = play();
    says(&mut play.peer, "secure\n").await;
    hears(&mut play.peer, "go on\n").await;
    let connector = TlsConnector::from(trusting(&[]));
    connector.connect("plc-1".try_into().unwrap(), play.peer).await.unwrap_err();
    play.task.await.unwrap();
    let told = malformed(&play.memory);
    assert_eq!(told[0].0, "the peer did not trust the certificate");
    assert!(told[0].1 > 100);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_leaves_without_a_farewell_has_left() {
    let mut play = play();
    says(&mut play.peer, "secure\n").await;
    hears(&mut play.peer, "go on\n").await;
    let mut peer = encrypted(&play.client, play.peer).await;
    hears(&mut peer, "hidden\nsecured Line\n").await;
    drop(peer.into_inner());
    play.task.await.unwrap();
    assert_eq!(play.memory.reasons(), [Reason::Peer]);
}

#[tokio::test]
async fn a_channel_becomes_encrypted_whoever_opened_it() {
    for passive in [true, false] {
        let mut play = play_on_a_socket().await;
        says(&mut play.peer, "store\n").await;
        let mut stream = play.channel(passive).await;
        stream.write_all(&content(1_000_000)).await.unwrap();
        stream.shutdown().await.unwrap();
        hears(&mut play.peer, "ended\n").await;
        let mut stream = play.channel(passive).await;
        says(&mut play.peer, "give 1000000\n").await;
        let mut heard = Vec::new();
        // Without a farewell this would be an error.
        stream.read_to_end(&mut heard).await.unwrap();
        assert!(heard == content(1_000_000));
        hears(&mut play.peer, "sent\nclosed\n").await;
        drop(play.peer);
        play.task.await.unwrap();
        assert!(play.memory.artefacts.lock().unwrap()[0].bytes() == content(1_000_000));
    }
}

#[tokio::test]
async fn a_channel_that_is_not_tls_is_lost_and_the_line_goes_on() {
    let mut play = play_on_a_socket().await;
    let mut stream = play.passive().await;
    says(&mut play.peer, "secure channel\n").await;
    hears(&mut play.peer, "go on\nhidden\n").await;
    stream.write_all(b"in clear").await.unwrap();
    hears(&mut play.peer, "failed: what came is not TLS\n").await;
    says(&mut play.peer, "secure channel\n").await;
    hears(&mut play.peer, "go on\nhidden\nfailed: there is no channel\n").await;
    assert_eq!(malformed(&play.memory), [("what came is not TLS", 8)]);
}
