//! A line or a channel that becomes encrypted, with a real client of TLS. Apart, because it needs a certificate.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod stage;

use honeyplant_core::{
    conversation::Service,
    event::{Carrier, Hello, Kind, Reason, Session},
    tls as spoken,
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

fn play_over<S: Stream + Send + 'static, P>(peer: P, ours: S, session: Session, how: &spoken::Tls) -> Play<P> {
    let drawn = rcgen::generate_simple_self_signed(vec!["plc-1".to_owned()]).unwrap();
    let pem = drawn.cert.pem() + &drawn.signing_key.serialize_pem();
    let tls = Tls::from_pem(pem.as_bytes(), how).unwrap();
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
    play_as(Carrier::Tcp, &spoken::Tls::default())
}

/// A line whose device speaks TLS like this, at once or when it is asked to.
fn play_as(carrier: Carrier, how: &spoken::Tls) -> Play<DuplexStream> {
    let ((peer, ours), address) = (duplex(1 << 16), ([10, 0, 0, 1], 502).into());
    let (protocol, device) = ("stage", device("plc-1"));
    play_over(peer, ours, Session { id: 7, peer: address, local: address, carrier, protocol, device }, how)
}

/// A session over a real socket, so that it can have a channel.
async fn play_on_a_socket() -> Play<TcpStream> {
    let doors = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let line = TcpStream::connect(doors.local_addr().unwrap()).await.unwrap();
    let (ours, peer) = doors.accept().await.unwrap();
    let (local, carrier, protocol, device) = (ours.local_addr().unwrap(), Carrier::Tcp, "stage", device("plc-1"));
    let session = Session { id: 7, peer, local, carrier, protocol, device };
    play_over(line, ours, session, &spoken::Tls::default())
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

/// The handshakes that failed: why, what came and what was answered, and what was offered.
fn unsecured(memory: &Memory) -> Vec<(&'static str, Vec<u8>, Hello, Vec<u8>)> {
    let told = |event: honeyplant_core::event::Event| match event.kind {
        Kind::Unsecured { why, hello } => Some((why, event.request.to_vec(), *hello, event.reply.to_vec())),
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
    let Kind::Secured(encryption) = &secured.kind else { panic!("{secured:?}") };
    assert_eq!((encryption.version, &*encryption.cipher), ("1.3", "TLS_AES_256_GCM_SHA384"));
    let hello = encryption.hello.as_ref().unwrap();
    assert_eq!((hello.offered, hello.server_name.as_deref()), ("1.3", Some("plc-1")));
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
    let told = unsecured(&play.memory);
    assert_eq!(told[0].0, "the peer did not trust the certificate");
    assert!(told[0].1.starts_with(&[22, 3]) && told[0].2.server_name.as_deref() == Some("plc-1"));
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

/// A ClientHello of one version with one suite and no extensions, in a record of TLS 1.0.
fn hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let mut body = [&version[..], &[7; 32], &[0, 0, 2], &suite, &[1, 0]].concat();
    let (message, record) = (body.len() as u8, body.len() as u8 + 4);
    body.splice(0..0, [22, 3, 1, 0, record, 1, 0, 0, message]);
    body
}

#[tokio::test(start_paused = true)]
async fn at_a_port_for_tls_it_comes_before_the_greeting() {
    let play = play_as(Carrier::Tls, &spoken::Tls::default());
    let mut peer = encrypted(&play.client, play.peer).await;
    says(&mut peer, "echo one\n").await;
    hears(&mut peer, "one\n").await;
    says(&mut peer, "secure\n").await;
    hears(&mut peer, "go on\nhidden\nfailed: the line is encrypted already\n").await;
    says(&mut peer, "bye\n").await;
    hears(&mut peer, "bye\n").await;
    play.task.await.unwrap();
    let actions: Vec<_> = play.memory.events().iter().map(|event| event.kind.action()).collect();
    assert_eq!(actions[..3], ["opened", "secured", "exchange"]);
    assert_eq!(play.memory.reasons(), [Reason::Device]);
    assert!(play.memory.endings()[0].received > 200, "what came for the handshake counts");
    assert!(play.memory.endings()[0].sent > 500, "and what was sent for it");
}

#[tokio::test(start_paused = true)]
async fn at_a_port_for_tls_whatever_else_comes_is_recorded_and_answered_with_an_alert() {
    let (mut play, request) = (play_as(Carrier::Tls, &spoken::Tls::default()), "GET / HTTP/1.1\r\nHost: plc\r\n\r\n");
    says(&mut play.peer, request).await;
    let mut heard = Vec::new();
    play.peer.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, [21, 3, 3, 0, 2, 2, 50]);
    play.task.await.unwrap();
    let lines = play.memory.lines();
    let line = format!("malformed <{}> <\\u{{15}}\\u{{3}}\\u{{3}}\\u{{0}}\\u{{2}}\\u{{2}}2>", request.escape_default());
    assert_eq!(lines, ["opened <> <>", &line, "closed: the device hung up"]);
}

#[tokio::test(start_paused = true)]
async fn at_a_port_for_tls_silence_has_its_time_and_ends_a_session_that_never_began() {
    let (mut play, start) = (play_as(Carrier::Tls, &spoken::Tls::default()), Instant::now());
    assert_eq!(play.peer.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(start.elapsed(), Duration::from_secs(60));
    play.task.await.unwrap();
    assert_eq!(play.memory.lines(), ["opened <> <>", "closed: the peer was silent too long"]);
}

#[tokio::test(start_paused = true)]
async fn who_offers_too_little_is_told_so_and_what_was_offered_is_recorded() {
    let suites = vec!["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];
    let how = spoken::Tls { versions: vec!["1.2"], suites, ..spoken::Tls::default() };
    let cases = [
        ([3, 0], [0, 10], [21, 3, 0, 0, 2, 2, 70], "SSL 3.0", "the peer offers no version of TLS that the device has"),
        ([3, 1], [0, 10], [21, 3, 1, 0, 2, 2, 70], "1.0", "the peer offers no version of TLS that the device has"),
        ([3, 2], [0xC0, 0x2B], [21, 3, 2, 0, 2, 2, 70], "1.1", "the peer offers no version of TLS that the device has"),
        ([3, 3], [0, 10], [21, 3, 3, 0, 2, 2, 40], "1.2", "the peer offers no TLS that the device has"),
    ];
    for (version, suite, alert, offered, why) in cases {
        let (mut play, hello) = (play_as(Carrier::Tls, &how), hello(version, suite));
        play.peer.write_all(&hello).await.unwrap();
        let mut heard = Vec::new();
        play.peer.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, alert, "{offered}");
        play.task.await.unwrap();
        let told = unsecured(&play.memory);
        assert_eq!((told[0].0, &told[0].1, told[0].2.offered, &told[0].3), (why, &hello, offered, &alert.to_vec()));
        assert_eq!(told[0].2.suites, [u16::from_be_bytes(suite)]);
    }
}

#[tokio::test(start_paused = true)]
async fn versions_suites_and_groups_are_those_of_the_profile_in_its_order() {
    let suites = vec!["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];
    let (versions, groups) = (vec!["1.2"], vec!["secp384r1"]);
    for (prefers, first) in [(spoken::Prefers::Server, suites[0]), (spoken::Prefers::Client, suites[1])] {
        let (suites, versions, groups) = (suites.clone(), versions.clone(), groups.clone());
        let play = play_as(Carrier::Tls, &spoken::Tls { versions, suites, groups, prefers, tickets: true });
        // This client would rather have AES.
        let peer = encrypted(&play.client, play.peer).await;
        let connection = peer.get_ref().1;
        let suite = connection.negotiated_cipher_suite().unwrap().suite();
        assert_eq!(suite.as_str(), Some(first));
        assert_eq!(format!("{:?}", connection.negotiated_key_exchange_group().unwrap().name()), "secp384r1");
    }
}

#[tokio::test(start_paused = true)]
async fn who_only_looks_whether_the_port_is_open_has_sent_nothing_broken() {
    let play = play_as(Carrier::Tls, &spoken::Tls::default());
    drop(play.peer);
    play.task.await.unwrap();
    assert_eq!(play.memory.lines(), ["opened <> <>", "closed: the peer closed"]);
}
