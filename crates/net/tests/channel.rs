//! Channels beside a session, over real sockets: who may open one, what it carries, what is left of it. Apart, because
//! only here does a session have two streams.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod stage;

use honeyplant_core::{
    artefact::Artefact,
    conversation::Service,
    device::Device,
    event::{Carrier, Kind, Reason, Session},
    identity::Identity,
    plant::Plant,
};
use honeyplant_net::{Limits, Seat, drive};
use stage::{Memory, Stage, content};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    task::{JoinHandle, JoinSet},
};

struct Play {
    line: BufReader<TcpStream>,
    memory: Memory,
    task: JoinHandle<()>,
    dismiss: Box<dyn Fn(Reason) + Send + Sync>,
    device: Arc<Device>,
}

async fn play() -> Play {
    play_within(Limits::default()).await
}

async fn play_within(limits: Limits) -> Play {
    play_at(Ipv4Addr::LOCALHOST.into(), limits).await
}

async fn play_at(address: IpAddr, limits: Limits) -> Play {
    let doors = TcpListener::bind((address, 0)).await.unwrap();
    let line = TcpStream::connect(doors.local_addr().unwrap()).await.unwrap();
    let (ours, peer) = doors.accept().await.unwrap();
    let brief = Duration::from_millis(50);
    let device = Device::new("plc-1", "kind", Identity::default(), Plant::default()).with_cpu(brief, brief);
    let (local, device) = (ours.local_addr().unwrap(), Arc::new(device));
    let (carrier, protocol) = (Carrier::Tcp, "stage");
    let session = Arc::new(Session { id: 7, peer, local, carrier, protocol, device: device.clone() });
    let (memory, seat, service) = (Memory::default(), Seat::alone(), Stage { greeting: "" });
    let (dismiss, bounds) = (Box::new(seat.dismissal()), limits.bounds(service.longest_message(), None));
    let task = tokio::spawn(drive(ours, service.converse(), session, bounds, memory.clone(), seat, None));
    Play { line: BufReader::new(line), memory, task, dismiss, device }
}

impl Play {
    async fn says(&mut self, text: &str) {
        self.line.write_all(format!("{text}\n").as_bytes()).await.unwrap();
    }

    async fn line(&mut self) -> String {
        let mut heard = String::new();
        self.line.read_line(&mut heard).await.unwrap();
        heard.trim_end().to_owned()
    }

    async fn hears(&mut self, text: &str) {
        assert_eq!(self.line().await, text);
    }

    /// Where the device listens for its peer.
    async fn listening(&mut self) -> SocketAddr {
        self.says("listen").await;
        let port = self.line().await.strip_prefix("listening ").unwrap().parse().unwrap();
        (self.line.get_ref().peer_addr().unwrap().ip(), port).into()
    }

    /// A channel that the peer opened.
    async fn passive(&mut self) -> TcpStream {
        let stream = TcpStream::connect(self.listening().await).await.unwrap();
        self.hears("connected").await;
        stream
    }

    /// A channel that the device opened.
    async fn active(&mut self) -> TcpStream {
        let (ours, theirs) = (self.line.get_ref().local_addr().unwrap(), self.line.get_ref().peer_addr().unwrap());
        let listener = TcpListener::bind((ours.ip(), 0)).await.unwrap();
        self.says(&format!("dial {}", listener.local_addr().unwrap().port())).await;
        let (stream, from) = listener.accept().await.unwrap();
        assert_eq!(from.ip(), theirs.ip());
        self.hears("connected").await;
        stream
    }

    /// The peer closes the line, and the record is read.
    async fn leaves(self) -> Memory {
        drop(self.line);
        self.task.await.unwrap();
        self.memory
    }
}

fn kept(memory: &Memory) -> Vec<Vec<u8>> {
    memory.artefacts.lock().unwrap().iter().map(|artefact: &Artefact| artefact.bytes().to_vec()).collect()
}

async fn all(mut stream: TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    heard
}

#[tokio::test]
async fn a_channel_carries_text_both_ways_whoever_opened_it() {
    let (old, new) = (IpAddr::from(Ipv4Addr::new(127, 0, 0, 94)), IpAddr::from(Ipv6Addr::LOCALHOST));
    for (address, passive) in [(old, true), (old, false), (new, true), (new, false)] {
        let mut play = play_at(address, Limits::default()).await;
        let mut stream = if passive { play.passive().await } else { play.active().await };
        play.says("store\nsend to you").await;
        stream.read_exact(&mut [0; 6]).await.unwrap();
        play.hears("sent").await;
        stream.write_all(b"to the device").await.unwrap();
        stream.shutdown().await.unwrap();
        play.hears("ended").await;
        play.says("send still\nfinish").await;
        for news in ["sent", "closed"] {
            play.hears(news).await;
        }
        assert_eq!(all(stream).await, b"still");
        let traffic = play.device.clone();
        let memory = play.leaves().await;
        assert_eq!(kept(&memory), [b"to the device"]);
        let ending = memory.endings()[0];
        assert!(ending.received > 13 && ending.sent > 11, "{ending:?}");
        assert_eq!(traffic.traffic().octets_in.get(), ending.received);
        assert_eq!(traffic.traffic().octets_out.get(), ending.sent);
        assert!(traffic.traffic().segments_out.get() > 3);
    }
}

#[tokio::test]
async fn great_files_arrive_as_they_were_sent() {
    const LENGTH: usize = 10_000_000;
    let mut play = play().await;
    let stream = play.passive().await;
    play.says(&format!("give {LENGTH}")).await;
    assert!(all(stream).await == content(LENGTH));
    for news in ["sent", "closed"] {
        play.hears(news).await;
    }
    let mut stream = play.active().await;
    play.says("store\necho ready").await;
    play.hears("ready").await;
    stream.write_all(&content(LENGTH)).await.unwrap();
    drop(stream);
    play.hears("ended").await;
    let memory = play.leaves().await;
    assert!(kept(&memory) == [content(LENGTH)]);
    let ending = memory.endings()[0];
    assert!(ending.sent > LENGTH as u64 && ending.received > LENGTH as u64);
}

#[tokio::test]
async fn only_the_peer_may_open_it_and_others_are_recorded() {
    let mut play = play().await;
    let at = play.listening().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stranger = socket.connect(at).await.unwrap();
    let from = stranger.local_addr().unwrap();
    assert_eq!(all(stranger).await, b"");
    let stream = TcpStream::connect(at).await.unwrap();
    play.hears("connected").await;
    assert!(TcpStream::connect(at).await.is_err(), "it is opened once");
    play.says("send yours\nfinish").await;
    assert_eq!(all(stream).await, b"yours");
    let events = play.leaves().await.events();
    assert!(events.iter().any(|event| event.kind == Kind::Stranger { peer: from }), "{events:?}");
}

#[tokio::test]
async fn ports_are_of_the_range_and_a_full_range_is_told() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut play = play().await;
    play.says(&format!("listen {port}-{port}")).await;
    play.hears("failed: no port of the device is free").await;
    play.says("listen 9-3").await;
    play.hears("failed: no port of the device is free").await;
    let last = port.saturating_add(200);
    play.says(&format!("listen {port}-{last}")).await;
    let told = play.line().await;
    let told: u16 = told.strip_prefix("listening ").unwrap().parse().unwrap();
    assert!((port + 1..=last).contains(&told), "{told}");
}

#[tokio::test]
async fn what_cannot_be_done_is_told_and_the_line_goes_on() {
    let limits = Limits { message: Duration::from_millis(50), ..Limits::default() };
    let mut play = play_within(limits).await;
    for wish in ["send x", "finish"] {
        play.says(wish).await;
        play.hears("failed: there is no channel").await;
    }
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    play.says(&format!("dial {}", gone.port())).await;
    play.hears("failed: the connection was refused").await;
    let at = play.listening().await;
    play.hears("failed: nobody came").await;
    assert!(TcpStream::connect(at).await.is_err());
    let _stream = play.passive().await;
    play.says(&format!("heap {}", 5 << 20)).await;
    play.hears("failed: more was to be sent than the device holds").await;
    play.says("abandon\necho one").await;
    play.hears("one").await;
    play.says("secure").await;
    for told in ["go on", "hidden", "failed: the device has no certificate"] {
        play.hears(told).await;
    }
}

#[tokio::test]
async fn a_new_channel_replaces_the_one_before() {
    let mut play = play().await;
    let first = play.listening().await;
    let second = play.passive().await;
    assert!(TcpStream::connect(first).await.is_err());
    let third = play.active().await;
    assert_eq!(all(second).await, b"");
    play.says("abandon\necho one").await;
    play.hears("one").await;
    assert_eq!(all(third).await, b"");
}

#[tokio::test]
async fn a_peer_that_takes_nothing_loses_its_channel() {
    let limits = Limits { stuck: Duration::from_millis(100), ..Limits::default() };
    let mut play = play_within(limits).await;
    let deaf = play.passive().await;
    play.says("give 16000000").await;
    play.hears("failed: the peer took nothing for long").await;
    play.says("echo one").await;
    play.hears("one").await;
    drop(deaf);
}

#[tokio::test]
async fn a_transfer_can_be_broken_off_from_the_line_and_by_the_end_of_the_site() {
    let mut play = play().await;
    let deaf = play.passive().await;
    play.says("give 16000000\nabandon\necho one").await;
    play.hears("one").await;
    let heard = all(deaf).await;
    assert!(content(16_000_000).starts_with(&heard) && heard.len() < 16_000_000);
    let _deaf = play.passive().await;
    play.says("give 16000000\necho two").await;
    play.hears("two").await;
    (play.dismiss)(Reason::Shutdown);
    play.hears("").await;
    play.task.await.unwrap();
    assert_eq!(play.memory.reasons(), [Reason::Shutdown]);
}

#[tokio::test]
async fn a_channel_that_is_used_keeps_its_session_and_a_silent_one_does_not() {
    let limits = Limits { idle: Duration::from_millis(200), ..Limits::default() };
    let mut play = play_within(limits).await;
    let mut stream = play.passive().await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(600) {
        stream.write_all(b"more").await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    play.says("echo one").await;
    play.hears("one").await;
    play.hears("failed: the peer sent nothing for long").await;
    play.hears("").await;
    play.task.await.unwrap();
    assert_eq!(play.memory.reasons(), [Reason::Idle]);
}

#[tokio::test]
async fn a_full_record_makes_the_channel_wait_and_loses_nothing() {
    let mut play = play().await;
    let mut stream = play.passive().await;
    play.says("store\necho ready").await;
    play.hears("ready").await;
    play.memory.full.store(true, Ordering::Relaxed);
    // What the system holds for both ends is far less than that.
    let bytes = content(16_000_000);
    let mut sent = 0;
    while let Ok(Ok(count)) = tokio::time::timeout(Duration::from_millis(200), stream.write(&bytes[sent..])).await {
        sent += count;
    }
    assert!(sent < bytes.len(), "the peer waits");
    play.memory.full.store(false, Ordering::Relaxed);
    stream.write_all(&bytes[sent..]).await.unwrap();
    drop(stream);
    play.hears("ended").await;
    assert!(kept(&play.leaves().await) == [bytes]);
}

#[tokio::test]
async fn what_nobody_accounts_for_is_kept_by_the_driver() {
    for (length, words) in [(100, "abandon\necho one"), (2_000_000, "listen"), (10, "bye"), (10, "finish"), (10, "")] {
        let mut play = play().await;
        let mut stream = play.passive().await;
        stream.write_all(&content(length)).await.unwrap();
        stream.shutdown().await.unwrap();
        play.hears("ended").await;
        if !words.is_empty() {
            play.says(words).await;
            play.line().await;
        }
        let memory = play.leaves().await;
        let bytes = content(length);
        assert!(kept(&memory) == [&bytes[..length.min(1 << 20)]], "{words}");
        let told = memory.events().into_iter().find(|event| event.request[..] == bytes[..length.min(4096)]).unwrap();
        assert_eq!(told.kind, Kind::Exchange);
    }
}

#[tokio::test]
async fn what_was_accounted_for_is_not_kept_twice() {
    let mut play = play().await;
    let mut stream = play.passive().await;
    play.says("store\necho ready").await;
    play.hears("ready").await;
    stream.write_all(b"once").await.unwrap();
    stream.shutdown().await.unwrap();
    play.hears("ended").await;
    let memory = play.leaves().await;
    assert_eq!(kept(&memory), [b"once"]);
    assert_eq!(memory.lines().iter().filter(|line| line.contains("once")).count(), 0, "{:?}", memory.lines());
}

#[tokio::test]
async fn a_session_that_ends_in_a_transfer_keeps_what_came() {
    for reason in [Reason::Peer, Reason::Shutdown, Reason::Crowded, Reason::Restart] {
        for dropped in [false, true] {
            let mut play = play().await;
            let mut stream = play.passive().await;
            play.says("store\necho ready").await;
            play.hears("ready").await;
            let known = play.device.traffic().octets_in.get();
            stream.write_all(b"half a fi").await.unwrap();
            while play.device.traffic().octets_in.get() == known {
                tokio::task::yield_now().await;
            }
            let mut ended = reason;
            match reason {
                _ if dropped => {
                    play.task.abort();
                    ended = Reason::Shutdown;
                }
                Reason::Peer => drop(play.line),
                Reason::Restart => {
                    play.device.restart(Instant::now());
                    stream.write_all(b"le").await.unwrap();
                    let error = stream.read(&mut [0]).await.unwrap_err();
                    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
                }
                _ => (play.dismiss)(reason),
            }
            let _ = play.task.await;
            let lines = play.memory.lines();
            assert_eq!(play.memory.reasons(), [ended]);
            assert!(kept(&play.memory)[0].starts_with(b"half a fi"), "{lines:?}");
            assert_eq!(lines[lines.len() - 2], "unsupported <> <>", "{lines:?}");
        }
    }
}

#[tokio::test]
async fn hundreds_of_channels_do_not_disturb_each_other() {
    let mut visits = JoinSet::new();
    for number in 0..200 {
        visits.spawn(async move {
            let mut play = play().await;
            let stream = if number % 2 == 0 { play.passive().await } else { play.active().await };
            play.says(&format!("give {}", 100_000 + number)).await;
            assert!(all(stream).await == content(100_000 + number));
            play.hears("sent").await;
            play.hears("closed").await;
            let mut stream = play.passive().await;
            play.says("store\necho ready").await;
            play.hears("ready").await;
            stream.write_all(&content(50_000 + number)).await.unwrap();
            drop(stream);
            play.hears("ended").await;
            assert!(kept(&play.leaves().await) == [content(50_000 + number)]);
        });
    }
    while let Some(visit) = visits.join_next().await {
        visit.unwrap();
    }
}
