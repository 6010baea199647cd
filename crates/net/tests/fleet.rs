//! Doors of real sockets: which device answers, what is refused, what is left behind. Apart, because only here does
//! the system have a say.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod stage;

use honeyplant_core::{
    conversation::Transport,
    event::{Carrier, Reason},
};
use honeyplant_net::{Door, Fleet, Limits, Tls};
use stage::{Stage, device, run};
use std::{
    collections::HashSet,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

fn door(address: &str, port: u16) -> Door {
    let (device, service) = (device(address), Arc::new(Stage { greeting: "device" }));
    let address = address.parse().unwrap();
    let transport = Transport::Tcp(port);
    Door { address, transport, device, protocol: "stage", service, connections: None, idle: None, tls: None }
}

/// A connection on which the device has told its name.
async fn visit(at: impl Into<SocketAddr>, name: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at.into()).await.unwrap();
    let mut heard = vec![0; name.len() + 1];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), format!("{name}\n"));
    stream
}

async fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"echo one\n").await?;
    stream.read_exact(&mut [0; 4]).await.map(|_| ())
}

#[tokio::test]
async fn each_address_has_its_device() {
    let running = run(vec![door("127.0.0.81", 0), door("127.0.0.82", 0), door("::1", 0)], &[], Limits::default());
    let mut streams = Vec::new();
    for address in running.addresses.clone() {
        let mut stream = visit(address, &address.ip().to_string()).await;
        ask(&mut stream).await.unwrap();
        streams.push(stream);
    }
    let events = running.ends().await.events();
    let sessions: HashSet<_> = events.iter().filter_map(|event| event.session.as_ref()).map(|s| s.id).collect();
    assert_eq!(sessions, HashSet::from([1 << 20, (1 << 20) + 1, (1 << 20) + 2]));
    for (event, stream) in events.iter().filter(|event| event.kind.action() == "exchange").zip(&streams) {
        let session = event.session.as_ref().unwrap();
        assert_eq!(session.local, stream.peer_addr().unwrap());
        assert_eq!(session.peer, stream.local_addr().unwrap());
        assert_eq!(session.device.name(), session.local.ip().to_string());
    }
}

#[tokio::test]
async fn at_a_shared_socket_the_address_tells_whether_tls_comes_first() {
    let drawn = rcgen::generate_simple_self_signed(vec!["plc".to_owned()]).unwrap();
    let pem = drawn.cert.pem() + &drawn.signing_key.serialize_pem();
    let tls = Some(Tls::from_pem(pem.as_bytes(), &Default::default()).unwrap());
    let encrypted = Door { transport: Transport::Tls(0), tls, ..door("127.0.0.86", 0) };
    let any = [IpAddr::from(Ipv4Addr::UNSPECIFIED)];
    let running = run(vec![door("127.0.0.87", 0), encrypted], &any, Limits::default());
    let port = running.addresses[0].port();
    visit(([127, 0, 0, 87], port), "127.0.0.87").await;
    let mut stream = TcpStream::connect(("127.0.0.86", port)).await.unwrap();
    stream.write_all(b"echo one\n").await.unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard.first(), Some(&21), "an alert");
    let events = running.ends().await.events();
    let malformed = events.iter().find(|event| event.kind.action() == "malformed").unwrap();
    assert_eq!(
        (&malformed.request[..], malformed.session.as_ref().unwrap().carrier),
        (&b"echo one\n"[..], Carrier::Tls)
    );
}

#[tokio::test]
async fn one_socket_serves_all_addresses_of_a_port() {
    let any = [IpAddr::from(Ipv4Addr::UNSPECIFIED)];
    let doors = vec![door("127.0.0.83", 0), door("127.0.0.84", 0), door("::1", 0)];
    let running = run(doors, &any, Limits::default());
    assert_eq!(running.addresses.len(), 2, "a family without a shared address has doors of its own");
    let port = running.addresses[0].port();
    let mut one = visit(([127, 0, 0, 83], port), "127.0.0.83").await;
    let _two = visit(([127, 0, 0, 84], port), "127.0.0.84").await;
    let _six = visit(running.addresses[1], "::1").await;
    ask(&mut one).await.unwrap();
    let mut nobody = TcpStream::connect(("127.0.0.85", port)).await.unwrap();
    assert_eq!(nobody.read(&mut [0]).await.unwrap_or(0), 0, "where no device is, nobody answers");
    let memory = running.ends().await;
    assert_eq!(memory.reasons(), [Reason::Shutdown; 3]);
}

#[tokio::test]
async fn a_shared_address_of_the_other_family_does_not_take_ours() {
    let any = ["0.0.0.0".parse().unwrap(), "::".parse().unwrap()];
    let doors = vec![door("127.0.0.86", 0), door("::1", 0)];
    let running = run(doors, &any, Limits::default());
    for (address, name) in running.addresses.clone().into_iter().zip(["127.0.0.86", "::1"]) {
        visit((name.parse::<IpAddr>().unwrap(), address.port()), name).await;
    }
    running.ends().await;
}

#[test]
fn all_that_cannot_be_opened_is_told_at_once() {
    let taken = std::net::TcpListener::bind("127.0.0.87:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let doors =
        vec![door("127.0.0.87", port), door("127.0.0.88", port), door("127.0.0.88", port), door("192.0.2.1", 0)];
    let Err(refusals) = Fleet::bind(doors, &[], Limits::default()) else { panic!("opened") };
    let told: Vec<_> = refusals.iter().map(|r| (r.device.as_str(), r.transport.port(), r.error.kind())).collect();
    let in_use = io::ErrorKind::AddrInUse;
    let all =
        [("127.0.0.87", port, in_use), ("127.0.0.88", port, in_use), ("192.0.2.1", 0, io::ErrorKind::AddrNotAvailable)];
    assert_eq!(told, all);
    let twice = vec![door("127.0.0.88", port), door("127.0.0.88", port)];
    let Err(refusals) = Fleet::bind(twice, &[Ipv4Addr::UNSPECIFIED.into()], Limits::default()) else {
        panic!("opened")
    };
    let at = (refusals[0].address, refusals[0].transport);
    assert_eq!(at, ("127.0.0.88".parse().unwrap(), Transport::Tcp(port)));
}

#[tokio::test]
async fn the_session_that_was_idle_longest_gives_way() {
    let limits = Limits { sessions_per_source: 3, ..Limits::default() };
    let running = run(vec![door("127.0.0.89", 0)], &[], limits);
    let at = running.addresses[0];
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(visit(at, "127.0.0.89").await);
    }
    ask(&mut streams[0]).await.unwrap();
    // A neighbour is not touched by it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut neighbour = socket.connect(at).await.unwrap();
    neighbour.read_exact(&mut [0; 11]).await.unwrap();
    let _new = visit(at, "127.0.0.89").await;
    assert_eq!(streams[1].read(&mut [0]).await.unwrap(), 0);
    for i in [0, 2] {
        ask(&mut streams[i]).await.unwrap();
    }
    ask(&mut neighbour).await.unwrap();
    assert_eq!(running.memory.reasons(), [Reason::Crowded]);
    running.ends().await;
}

#[tokio::test]
async fn a_device_takes_as_many_connections_as_it_can_and_closes_them_when_it_would() {
    let few = Door { connections: Some(1), ..door("127.0.0.90", 0) };
    let brief = Door { idle: Some(Duration::from_millis(30)), ..door("127.0.0.91", 0) };
    let running = run(vec![few, brief], &[], Limits::default());
    let mut first = visit(running.addresses[0], "127.0.0.90").await;
    let mut second = visit(running.addresses[0], "127.0.0.90").await;
    assert_eq!(first.read(&mut [0]).await.unwrap(), 0);
    ask(&mut second).await.unwrap();
    let mut brief = visit(running.addresses[1], "127.0.0.91").await;
    assert_eq!(brief.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(running.memory.reasons(), [Reason::Crowded, Reason::Idle]);
    running.ends().await;
}

#[tokio::test]
async fn visitors_that_leave_in_the_middle_leave_nothing_behind() {
    let running = run(vec![door("127.0.0.92", 0)], &[], Limits::default());
    let message = b"echo one\n";
    for cut in 0..message.len() {
        let mut stream = visit(running.addresses[0], "127.0.0.92").await;
        stream.write_all(&message[..cut]).await.unwrap();
        if cut % 2 == 0 {
            stream.set_zero_linger().unwrap();
        }
    }
    while running.memory.reasons().len() < message.len() {
        tokio::task::yield_now().await;
    }
    let mut stream = visit(running.addresses[0], "127.0.0.92").await;
    ask(&mut stream).await.unwrap();
    running.ends().await;
}

#[tokio::test]
async fn hundreds_of_doors_open_and_shut() {
    let doors = (0..500).map(|i| door(&format!("127.0.9.{}", i / 2), 20_000 + i % 2)).collect();
    let running = run(doors, &[], Limits::default());
    assert_eq!(running.addresses.len(), 500);
    let last = running.addresses[499];
    visit(last, &last.ip().to_string()).await;
    running.ends().await;
    assert!(TcpStream::connect(last).await.is_err(), "the doors are shut");
}
