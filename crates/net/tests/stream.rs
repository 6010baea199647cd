//! The laws of the loop, over pipes and in virtual time. Apart, because they are seen only from outside.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod stage;

use honeyplant_core::{
    conversation::Service,
    device::Device,
    event::{Carrier, Reason, Session},
};
use honeyplant_net::{Limits, Seat, drive};
use stage::{Memory, Stage, device};
use std::{sync::Arc, sync::atomic::Ordering, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::{Instant, sleep},
};

struct Play {
    peer: DuplexStream,
    memory: Memory,
    task: JoinHandle<()>,
    dismiss: Box<dyn Fn(Reason) + Send + Sync>,
    start: Instant,
    device: Arc<Device>,
}

fn play(greeting: &'static str) -> Play {
    play_within(greeting, 256, Limits::default())
}

fn play_within(greeting: &'static str, pipe: usize, limits: Limits) -> Play {
    let ((peer, ours), memory, seat) = (duplex(pipe), Memory::default(), Seat::alone());
    let address = ([10, 0, 0, 1], 502).into();
    let (carrier, protocol, device) = (Carrier::Tcp, "stage", device("plc-1"));
    let session = Session { id: 7, peer: address, local: address, carrier, protocol, device: device.clone() };
    let session = Arc::new(session);
    let (service, dismiss) = (Stage { greeting }, Box::new(seat.dismissal()));
    let bounds = limits.bounds(service.longest_message(), None);
    let task = tokio::spawn(drive(ours, service.converse(), session, bounds, memory.clone(), seat, None));
    Play { peer, memory, task, dismiss, start: Instant::now(), device }
}

impl Play {
    async fn says(&mut self, text: &str) {
        self.peer.write_all(text.as_bytes()).await.unwrap();
    }

    async fn hears(&mut self, text: &str) {
        let mut heard = vec![0; text.len()];
        self.peer.read_exact(&mut heard).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), text);
    }

    /// Everything up to the end of the connection.
    async fn hears_at_last(&mut self, text: &str) {
        let mut heard = Vec::new();
        self.peer.read_to_end(&mut heard).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), text);
    }

    /// The peer closes, and the record is read.
    async fn leaves(self) -> Vec<String> {
        drop(self.peer);
        self.task.await.unwrap();
        self.memory.lines()
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_is_recorded_with_its_bytes_before_it_is_answered() {
    let mut play = play("hello\n");
    play.hears("hello\n").await;
    assert_eq!(play.memory.lines(), ["opened <> <hello\\n>"]);
    play.says("echo one\n").await;
    play.hears("one\n").await;
    assert_eq!(play.memory.lines().last().unwrap(), "exchange <echo one\\n> <one\\n>");
    play.says("twice\n").await;
    let memory = play.memory.clone();
    let lines = play.leaves().await;
    assert_eq!(lines[2..], ["unsupported <twice\\n> <>", "unsupported <twice\\n> <>", "closed: the peer closed"]);
    let ending = memory.endings()[0];
    assert_eq!((ending.exchanges, ending.received, ending.sent), (2, 15, 10));
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_is_shown_by_its_beginning() {
    let mut play = play("");
    play.says("large 100000\n").await;
    play.hears(&"x".repeat(100_000)).await;
    let memory = play.memory.clone();
    play.leaves().await;
    assert_eq!(memory.events()[1].reply.len(), 4096, "whoever asks for much again and again would fill the disk");
    assert_eq!(memory.endings()[0].sent, 100_000);
}

#[tokio::test(start_paused = true)]
async fn the_record_is_the_same_however_the_input_is_cut() {
    let text = "echo one\ntwice\necho two\n";
    let mut whole = play("");
    whole.says(text).await;
    whole.hears("one\ntwo\n").await;
    let whole = whole.leaves().await;
    assert_eq!(whole.len(), 6);
    for cut in 1..text.len() {
        let mut play = play("");
        play.says(&text[..cut]).await;
        sleep(Duration::from_millis(5)).await;
        play.says(&text[cut..]).await;
        play.hears("one\ntwo\n").await;
        assert_eq!(play.leaves().await, whole);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_was_sent_is_recorded_when_the_peer_leaves_in_the_middle() {
    let text = "echo one\n";
    for cut in 1..text.len() {
        let mut play = play("");
        play.says(&text[..cut]).await;
        let lines = play.leaves().await;
        assert_eq!(lines[1..], [format!("malformed <{}> <>", &text[..cut]), "closed: the peer closed".into()]);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_session() {
    let mut play = play("");
    sleep(Duration::from_secs(400)).await;
    play.says("echo one\n").await;
    play.hears("one\n").await;
    play.hears_at_last("").await;
    assert_eq!(play.start.elapsed(), Duration::from_secs(1000));
    assert_eq!(play.leaves().await.last().unwrap(), "closed: the peer was silent too long");
}

#[tokio::test(start_paused = true)]
async fn a_message_must_be_finished_in_time() {
    let mut play = play("");
    let sender = async {
        while play.peer.write_all(b"e").await.is_ok() {
            sleep(Duration::from_millis(1100)).await;
        }
    };
    sender.await;
    assert!(play.start.elapsed() <= Duration::from_secs(62));
    let lines = play.leaves().await;
    assert_eq!(
        lines[1..],
        [format!("malformed <{}> <>", "e".repeat(55)), "closed: the peer was silent too long".into()]
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_without_end_is_recorded_and_refused() {
    let mut play = play("");
    play.says(&"e".repeat(101)).await;
    play.hears_at_last("").await;
    let lines = play.leaves().await;
    assert_eq!(lines[1..], [format!("malformed <{}> <>", "e".repeat(101)), "closed: the device hung up".into()]);
}

#[tokio::test(start_paused = true)]
async fn a_device_wakes_at_its_instant_wherever_that_moves() {
    let mut play = play("");
    play.says("wake 500\n").await;
    play.hears("awake\n").await;
    assert_eq!(play.start.elapsed(), Duration::from_millis(500));
    play.says("wake 900\nwake 300\n").await;
    play.hears("awake\n").await;
    assert_eq!(play.start.elapsed(), Duration::from_millis(800));
    play.says("wake 100\nwake 700\n").await;
    play.hears("awake\n").await;
    assert_eq!(play.start.elapsed(), Duration::from_millis(1500));
    let lines = play.leaves().await;
    assert_eq!(lines[2], "exchange <> <awake\\n>", "what is said unasked is recorded too");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_hangs_up_has_its_last_word_and_hears_no_more() {
    let mut play = play("");
    play.says("bye\necho never\n").await;
    play.hears_at_last("bye\n").await;
    let lines = play.leaves().await;
    let end = ["exchange <bye\\n> <bye\\n>", "malformed <echo never\\n> <>", "closed: the device hung up"];
    assert_eq!(lines[1..], end);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_is_left_and_others_are_served() {
    let (mut deaf, mut other) = (play(""), play(""));
    deaf.says("large 100000\n").await;
    sleep(Duration::from_secs(20)).await;
    other.says("echo one\n").await;
    other.hears("one\n").await;
    (&mut deaf.task).await.unwrap();
    assert_eq!(deaf.start.elapsed(), Duration::from_secs(30));
    assert_eq!(deaf.memory.reasons(), [Reason::Stuck]);
    assert_eq!(deaf.memory.endings()[0].sent, 256, "what the pipe holds");
    other.says("echo two\n").await;
    other.hears("two\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_is_served() {
    let mut play = play("");
    play.says("large 1000\n").await;
    for _ in 0..10 {
        sleep(Duration::from_secs(20)).await;
        play.hears(&"x".repeat(100)).await;
    }
    assert_eq!(play.leaves().await.last().unwrap(), "closed: the peer closed");
}

#[tokio::test(start_paused = true)]
async fn answers_do_not_pile_up() {
    let mut play = play_within("", 1 << 20, Limits::default());
    play.says(&"large 40000\n".repeat(20)).await;
    sleep(Duration::from_millis(1)).await;
    assert_eq!(play.memory.lines().len(), 21);
    play.hears(&"x".repeat(800_000)).await;
}

#[tokio::test(start_paused = true)]
async fn many_messages_at_once_are_all_answered() {
    let mut play = play_within("", 1 << 20, Limits::default());
    play.says(&"echo 1\n".repeat(5000)).await;
    play.hears(&"1\n".repeat(5000)).await;
    assert_eq!(play.leaves().await.len(), 5002);
}

#[tokio::test(start_paused = true)]
async fn a_fault_ends_one_session_and_is_recorded() {
    for word in ["panic", "nothing", "beyond"] {
        let (mut faulty, mut other) = (play(""), play(""));
        faulty.says(&format!("echo one\n{word}\n")).await;
        faulty.hears_at_last("one\n").await;
        let lines = faulty.leaves().await;
        let end = ["exchange <echo one\\n> <one\\n>".into(), format!("exchange <{word}\\n> <>")];
        assert_eq!(lines[1..3], end);
        assert_eq!(lines[3..], ["closed: a fault of honeyplant"]);
        other.says("echo two\n").await;
        other.hears("two\n").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_always_wants_to_be_woken_keeps_nobody_waiting() {
    let mut play = play("");
    play.says("restless\n").await;
    sleep(Duration::from_secs(1)).await;
    play.says("echo one\n").await;
    play.hears("one\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_to_leave_says_why() {
    for (reason, words) in
        [(Reason::Shutdown, "the site was told to end"), (Reason::Crowded, "a newer session needed the place")]
    {
        // Silent, in the middle of a message, with an answer that is not taken, and while the record is full.
        for (text, full) in [("", false), ("ech", false), ("large 1000\n", false), ("", true)] {
            let mut play = play("");
            play.says(text).await;
            play.memory.full.store(full, Ordering::Relaxed);
            sleep(Duration::from_secs(1)).await;
            assert!(!play.task.is_finished());
            (play.dismiss)(reason);
            (&mut play.task).await.unwrap();
            let lines = play.memory.lines();
            assert_eq!(lines.last().unwrap(), &format!("closed: {words}"));
            assert_eq!(lines.iter().any(|line| line.contains("<ech>")), text == "ech");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_record_makes_the_peer_wait_and_loses_nothing() {
    let mut play = play("");
    play.says("echo one\n").await;
    play.hears("one\n").await;
    play.memory.full.store(true, Ordering::Relaxed);
    // What is read already is dealt with; then nothing is read until there is room.
    play.says("echo two\n").await;
    play.hears("two\n").await;
    play.says("echo three\n").await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(play.memory.lines().len(), 3);
    play.memory.full.store(false, Ordering::Relaxed);
    play.hears("three\n").await;
    assert_eq!(play.leaves().await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_task_is_dropped_is_recorded() {
    let mut play = play("");
    play.says("ech").await;
    sleep(Duration::from_millis(1)).await;
    play.task.abort();
    assert!((&mut play.task).await.is_err());
    assert_eq!(play.memory.lines()[1..], ["malformed <ech> <>", "closed: the site was told to end"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_task_never_ran_is_recorded() {
    let mut play = play("");
    play.task.abort();
    assert!((&mut play.task).await.is_err());
    assert_eq!(play.memory.lines(), ["opened <> <>", "closed: the site was told to end"]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_silences_the_device_and_breaks_its_connections() {
    let mut play = play("");
    play.says("echo one\n").await;
    play.hears("one\n").await;
    play.device.restart(play.start.into_std() + play.start.elapsed());
    let told = Instant::now();
    play.says("echo two\n").await;
    play.hears_at_last("").await;
    assert!(told.elapsed() >= Duration::from_secs(20), "{:?}", told.elapsed());
    let lines = play.leaves().await;
    let unread = "malformed <echo two\\n> <>".to_owned();
    assert_eq!(lines[2..], [unread, "closed: the device restarted".to_owned()]);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_hears_of_its_end_once_before_that_is_recorded() {
    for way in ["leave", "bye\n", "idle", "told", "dropped", "restart"] {
        let mut play = play("ends");
        play.hears("ends").await;
        match way {
            "leave" => play.peer.shutdown().await.unwrap(),
            "idle" => {}
            "told" => (play.dismiss)(Reason::Shutdown),
            "dropped" => play.task.abort(),
            "restart" => {
                play.device.restart(play.start.into_std());
                play.says("echo one\n").await;
            }
            word => play.says(word).await,
        }
        let _ = (&mut play.task).await;
        let lines = play.memory.lines();
        let ends = lines.iter().filter(|line| **line == "unsupported <> <>").count();
        assert_eq!((ends, lines.len() - 2), (1, lines.iter().position(|line| line == "unsupported <> <>").unwrap()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_failed_or_never_began_has_no_end() {
    let mut faulty = play("ends");
    faulty.says("panic\n").await;
    (&mut faulty.task).await.unwrap();
    let mut idle = play("ends");
    idle.task.abort();
    let _ = (&mut idle.task).await;
    for play in [faulty, idle] {
        assert!(!play.memory.lines().contains(&"unsupported <> <>".to_owned()));
    }
}
