//! Datagrams over real sockets: who answers whom, what is recorded, what ends a session, what is withheld. Apart, because
//! peers that are told apart only by where they write from break in other ways than connections do.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod stage;

use honeyplant_core::{
    conversation::{Context, Conversation, Effect, News, Service, Step, Transport},
    device::Device,
    event::{Kind, Reason},
    identity::Identity,
    plant::Plant,
};
use honeyplant_net::{Allowance, Door, Limits};
use stage::{Memory, Running, run};
use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{net::UdpSocket, task::yield_now, time::timeout};

/// A datagram is words that say what to do.
struct Clerk;

impl Service for Clerk {
    fn converse(&self) -> Box<dyn Conversation> {
        Box::new(Self)
    }

    fn longest_message(&self) -> usize {
        100
    }
}

impl Conversation for Clerk {
    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step {
        let text = String::from_utf8_lossy(input);
        let (word, argument) = text.split_once(' ').unwrap_or((&text, ""));
        let number = argument.parse::<u64>().unwrap_or(0);
        match word {
            "name" => cx.out.extend(cx.session.device.name().bytes()),
            "echo" => cx.out.extend(argument.bytes()),
            "large" => cx.out.resize(number as usize, b'x'),
            "three" => {
                for piece in ["one", "two"] {
                    cx.out.extend(piece.bytes());
                    cx.cut();
                }
                cx.out.extend(*b"three");
            }
            "part" => {
                cx.out.extend(*b"part");
                return Step::Took(2);
            }
            "half" => return Step::Wait,
            "wake" => cx.wake_at(cx.now + Duration::from_millis(number)),
            "prove" => cx.prove(),
            "keep" => drop(cx.keep(argument.as_bytes().to_vec())),
            "listen" => cx.ask(Effect::Listen { ports: None }),
            "restart" => cx.device().restart(cx.now),
            "bye" => {
                cx.out.extend(*b"bye");
                cx.hang_up();
            }
            "panic" => {
                cx.out.extend(*b"half an answ");
                panic!("as the test wants");
            }
            _ => {}
        }
        Step::Took(input.len())
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        cx.out.extend(*b"awake");
    }

    fn effect(&mut self, news: News<'_>, cx: &mut Context<'_>) {
        cx.out.extend(format!("{news:?}").bytes());
        // It does not take no for an answer.
        cx.ask(Effect::Listen { ports: None });
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        cx.record(Kind::Stopped);
    }
}

fn door(address: &str, port: u16) -> Door {
    let device = Device::new(address, "kind", Identity::default(), Plant::default());
    let device = Arc::new(device.with_cpu(Duration::from_millis(100), Duration::from_millis(50)));
    let (address, transport) = (address.parse().unwrap(), Transport::Udp(port));
    Door {
        address,
        transport,
        device,
        protocol: "clerk",
        service: Arc::new(Clerk),
        connections: None,
        idle: None,
        tls: None,
    }
}

impl Running {
    /// Waits until the record says so.
    async fn until(&self, told: impl Fn(&Memory) -> bool) {
        while !told(&self.memory) {
            yield_now().await;
        }
    }
}

/// A peer, and whom it writes to.
struct Peer {
    socket: UdpSocket,
    to: SocketAddr,
}

async fn peer(to: SocketAddr) -> Peer {
    let any = if to.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { Ipv6Addr::LOCALHOST.into() };
    Peer { socket: UdpSocket::bind((any, 0)).await.unwrap(), to }
}

impl Peer {
    async fn says(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.to).await.unwrap();
    }

    /// The next answer, which must come from the address that was asked.
    async fn hears(&self) -> String {
        let mut heard = vec![0; 1 << 16];
        let (length, from) =
            timeout(Duration::from_secs(10), self.socket.recv_from(&mut heard)).await.unwrap().unwrap();
        assert_eq!(from, self.to);
        heard.truncate(length);
        String::from_utf8(heard).unwrap()
    }

    async fn asks(&self, text: &str) -> String {
        self.says(text).await;
        self.hears().await
    }
}

/// One door, and somebody who writes to it.
async fn alone(address: &str, limits: Limits) -> (Running, Peer) {
    let running = run(vec![door(address, 0)], &[], limits);
    let peer = peer(*running.addresses.first().unwrap()).await;
    (running, peer)
}

#[tokio::test]
async fn answers_come_from_the_address_that_was_asked() {
    let own = run(vec![door("127.0.0.61", 0), door("127.0.0.62", 0), door("::1", 0)], &[], Limits::default());
    for address in own.addresses.clone() {
        assert_eq!(peer(address).await.asks("name").await, address.ip().to_string());
    }
    own.ends().await;
    let any = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
    let shared = run(vec![door("127.0.0.63", 0), door("127.0.0.64", 0), door("::1", 0)], &any, Limits::default());
    assert_eq!(shared.addresses.len(), 2);
    let (v4, v6) = (shared.addresses[0].port(), shared.addresses[1].port());
    let one = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut peer = Peer { socket: one, to: ([127, 0, 0, 63], v4).into() };
    assert_eq!(peer.asks("name").await, "127.0.0.63");
    peer.to = ([127, 0, 0, 64], v4).into();
    assert_eq!(peer.asks("name").await, "127.0.0.64");
    peer.to = ([127, 0, 0, 65], v4).into();
    peer.says("name").await;
    let six = self::peer((Ipv6Addr::LOCALHOST, v6).into()).await;
    assert_eq!(six.asks("name").await, "::1");
    let events = shared.ends().await.events();
    let sessions: HashSet<_> =
        events.iter().filter_map(|event| event.session.as_ref()).map(|s| (s.id, s.local)).collect();
    assert_eq!(sessions.len(), 3, "one a peer and address; none where nobody is: {sessions:?}");
}

#[tokio::test]
async fn an_exchange_is_recorded_with_its_bytes_before_it_is_answered() {
    let (running, peer) = alone("127.0.0.66", Limits::default()).await;
    assert_eq!(peer.asks("echo one").await, "one");
    assert_eq!(running.memory.lines(), ["opened <> <>", "exchange <echo one> <one>"]);
    assert_eq!(peer.asks("part of it").await, "part");
    peer.says("").await;
    peer.says("half").await;
    peer.says("keep this").await;
    assert_eq!(peer.asks("echo two").await, "two");
    let told = [
        "exchange <part of it> <part>",
        "exchange <> <>",
        "malformed <half> <>",
        "exchange <keep this> <>",
        "exchange <echo two> <two>",
    ];
    assert_eq!(running.memory.lines()[2..], told);
    assert_eq!(running.memory.artefacts.lock().unwrap()[0].bytes(), b"this");
    let memory = running.ends().await;
    assert_eq!(
        memory.lines()[7..],
        ["stopped <> <>", "closed: the site was told to end"],
        "the conversation has the last word"
    );
    let ending = memory.endings()[0];
    assert_eq!((ending.exchanges, ending.received, ending.sent), (6, 39, 10));
}

#[tokio::test]
async fn an_answer_may_be_several_datagrams() {
    let (running, peer) = alone("127.0.0.67", Limits::default()).await;
    assert_eq!([peer.asks("three").await, peer.hears().await, peer.hears().await], ["one", "two", "three"]);
    assert_eq!(running.ends().await.lines()[1], "exchange <three> <onetwothree>");
}

#[tokio::test]
async fn a_deadline_is_answered_to_whom_it_belongs() {
    let (running, first) = alone("127.0.0.68", Limits::default()).await;
    let second = peer(running.addresses[0]).await;
    first.says("wake 20").await;
    second.says("wake 10").await;
    assert_eq!([first.hears().await, second.hears().await], ["awake", "awake"]);
    running.until(|memory| memory.lines().iter().filter(|line| *line == "exchange <> <awake>").count() == 2).await;
    running.ends().await;
}

#[tokio::test]
async fn a_flood_of_one_peer_stops_no_clock_of_another() {
    let (running, peer) = alone("127.0.0.79", Limits::default()).await;
    let (to, over) = (running.addresses[0], Arc::new(AtomicBool::new(false)));
    let told = over.clone();
    let flood = std::thread::spawn(move || {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        while !told.load(Ordering::Relaxed) {
            socket.send_to(b"nothing", to).unwrap();
        }
    });
    let mut heard = [0; 9];
    loop {
        // What comes when there is no room for it is lost.
        peer.says("wake 10").await;
        if timeout(Duration::from_millis(200), peer.socket.recv(&mut heard)).await.is_ok() {
            break;
        }
    }
    over.store(true, Ordering::Relaxed);
    flood.join().unwrap();
    assert_eq!(heard[..5], *b"awake");
    running.ends().await;
}

#[tokio::test]
async fn what_only_a_stream_has_is_refused() {
    let (running, peer) = alone("127.0.0.69", Limits::default()).await;
    let refused = "Failed(\"datagrams have no channel\")";
    assert_eq!(peer.asks("listen").await, refused);
    running.until(|memory| memory.lines().len() >= 10).await;
    assert_eq!(running.memory.lines().len(), 10, "whoever insists is not told for ever");
    running.ends().await;
}

#[tokio::test]
async fn a_session_ends_as_the_device_or_silence_ends_it() {
    let limits = Limits { udp_idle: Duration::from_millis(40), ..Limits::default() };
    let (running, peer) = alone("127.0.0.70", limits).await;
    assert_eq!(peer.asks("bye").await, "bye");
    assert_eq!(peer.asks("echo 2").await, "2");
    running.until(|memory| memory.reasons().len() == 2).await;
    assert_eq!(peer.asks("echo 3").await, "3");
    let memory = running.ends().await;
    assert_eq!(memory.reasons(), [Reason::Device, Reason::Idle, Reason::Shutdown]);
    assert!(memory.endings()[1].lasted >= Duration::from_millis(40));
    let patient = Door { idle: Some(Duration::from_secs(600)), ..door("127.0.0.70", 0) };
    let running = run(vec![patient], &[], limits);
    let peer = self::peer(running.addresses[0]).await;
    peer.says("wake 80").await;
    assert_eq!(peer.hears().await, "awake");
    assert_eq!(running.ends().await.reasons(), [Reason::Shutdown], "the device has a time of its own");
}

#[tokio::test]
async fn a_panic_ends_one_session_only() {
    let (running, culprit) = alone("127.0.0.71", Limits::default()).await;
    let witness = peer(running.addresses[0]).await;
    assert_eq!(witness.asks("echo one").await, "one");
    culprit.says("panic").await;
    assert_eq!(witness.asks("echo two").await, "two");
    assert_eq!(culprit.asks("echo three").await, "three");
    let memory = running.ends().await;
    assert!(memory.lines().contains(&"exchange <panic> <>".to_owned()));
    assert_eq!(memory.reasons(), [Reason::Fault, Reason::Shutdown, Reason::Shutdown]);
}

#[tokio::test]
async fn a_device_that_restarts_hears_and_says_nothing_until_it_is_back() {
    let (running, peer) = alone("127.0.0.72", Limits::default()).await;
    let silent = self::peer(running.addresses[0]).await;
    assert_eq!(silent.asks("echo one").await, "one");
    silent.says("wake 10").await;
    peer.says("restart").await;
    peer.says("echo two").await;
    running.until(|memory| memory.lines().contains(&"exchange <echo two> <>".to_owned())).await;
    let device = running.memory.events()[0].session.as_ref().unwrap().device.clone();
    while device.back(Instant::now()).is_some() {
        yield_now().await;
    }
    assert_eq!(peer.asks("echo three").await, "three");
    running.until(|memory| memory.reasons().len() == 3).await;
    let memory = running.ends().await;
    let told = [Reason::Restart, Reason::Restart, Reason::Restart, Reason::Shutdown];
    assert_eq!(memory.reasons(), told, "before, between and the silent one");
    assert!(!memory.lines().contains(&"exchange <> <awake>".to_owned()));
}

#[tokio::test]
async fn the_correspondent_that_was_idle_longest_gives_way() {
    let limits = Limits { sessions: 12, ..Limits::default() };
    let running = run(vec![door("127.0.0.73", 0), door("127.0.0.74", 0)], &[], limits);
    let mut peers = Vec::new();
    for at in [0, 1, 0] {
        let peer = peer(running.addresses[at]).await;
        assert_eq!(peer.asks("echo 1").await, "1");
        peers.push(peer);
    }
    assert_eq!(peers[0].asks("echo 2").await, "2");
    let last = peer(running.addresses[0]).await;
    assert_eq!(last.asks("echo 3").await, "3");
    running.until(|memory| memory.reasons() == [Reason::Crowded]).await;
    let crowded = running.memory.events().into_iter().find(|event| matches!(event.kind, Kind::Closed(_))).unwrap();
    assert_eq!(crowded.session.unwrap().peer, peers[1].socket.local_addr().unwrap(), "at the other door");
    running.ends().await;
}

#[tokio::test]
async fn answers_to_the_unproven_stay_within_the_budget() {
    let unproven = Allowance { factor: 2, rate: 1, burst: 1000, network: 8, total: 1 << 20, proven: 10 };
    let (running, peer) = alone("127.0.0.75", Limits { unproven, ..Limits::default() }).await;
    assert_eq!(peer.asks("large 900").await.len(), 900);
    peer.says("large 901").await;
    assert_eq!(peer.asks("echo four").await, "four", "what is no more than was asked with is answered");
    assert_eq!(running.memory.lines()[2..4], ["exchange <large 901> <>", "withheld <large 901> <>"]);
    let Kind::Withheld { answers: 1, bytes: 901 } = running.memory.events()[3].kind else { panic!("other bytes") };
    peer.says("prove").await;
    assert_eq!(peer.asks("large 5000").await.len(), 5000);
    let stranger = self::peer(running.addresses[0]).await;
    stranger.says("large 5000").await;
    assert_eq!(stranger.asks("echo four").await, "four", "another port of the same source proves nothing");
    running.ends().await;
}

#[tokio::test]
async fn a_full_record_makes_peers_wait() {
    let (running, peer) = alone("127.0.0.76", Limits::default()).await;
    assert_eq!(peer.asks("echo 1").await, "1");
    running.memory.full.store(true, Ordering::Relaxed);
    peer.says("echo 2").await;
    assert!(timeout(Duration::from_millis(50), peer.hears()).await.is_err());
    running.memory.full.store(false, Ordering::Relaxed);
    assert_eq!(peer.hears().await, "2");
    running.ends().await;
}

#[tokio::test]
async fn hundreds_of_peers_are_told_apart() {
    let (running, _) = alone("127.0.0.77", Limits::default()).await;
    let mut peers = Vec::new();
    for number in 0..300 {
        let peer = peer(running.addresses[0]).await;
        peer.says(&format!("echo {number}")).await;
        peers.push(peer);
    }
    for (number, peer) in peers.iter().enumerate() {
        assert_eq!(peer.hears().await, number.to_string());
    }
    assert_eq!(running.ends().await.reasons(), [Reason::Shutdown; 300]);
}

#[tokio::test]
async fn a_peer_that_is_gone_disturbs_nobody() {
    let (running, witness) = alone("127.0.0.78", Limits::default()).await;
    for _ in 0..50 {
        // Its answer meets a closed port.
        peer(running.addresses[0]).await.says("echo unheard").await;
    }
    assert_eq!(witness.asks("echo heard").await, "heard");
    assert_eq!(witness.asks(&format!("echo {}", "x".repeat(60_000))).await.len(), 60_000);
    running.ends().await;
}
