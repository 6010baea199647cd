//! What the driver costs beside a bare echo server: requests per second, and processor time of the server per request.
//! Apart, because it is run by hand on a quiet machine: `cargo run --release -p honeyplant-net --example throughput`.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use honeyplant_core::{
    artefact::Artefact,
    conversation::{Context, Conversation, Service, Step, Transport},
    device::Device,
    event::{Event, Kind, Operation, Session, Verdict},
    identity::Identity,
    plant::Plant,
};
use honeyplant_net::{Allowance, Door, Fleet, Limits, Record, Stop};
use std::{
    env, fs, io,
    net::SocketAddr,
    process::{Child, Command},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    runtime::{Builder, Runtime},
};

const REQUEST: [u8; 12] = *b"\0\x01\0\0\0\x06\x01\x03\0\0\0\x0a";
const REPLY: [u8; 29] = [7; 29];
const SECONDS: u64 = 3;
const ROUNDS: usize = 3;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("echo"), Some(at)) => echo(&at),
        (Some("echo-udp"), Some(at)) => echo_udp(&at),
        (Some("drive"), Some(at)) => drive(&at, Transport::Tcp),
        (Some("drive-udp"), Some(at)) => drive(&at, Transport::Udp),
        _ => compare(),
    }
}

fn runtime(workers: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build()
}

fn echo(at: &str) -> io::Result<()> {
    runtime(1)?.block_on(async {
        let listener = TcpListener::bind(at).await?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let mut buffer = [0; 512];
                while stream.read(&mut buffer).await? > 0 {
                    stream.write_all(&REPLY).await?;
                }
                io::Result::Ok(())
            });
        }
    })
}

fn echo_udp(at: &str) -> io::Result<()> {
    let at = at.to_owned();
    // In a task: what the runtime blocks on is not served by the thread that waits for the network.
    let serving = async move {
        let socket = UdpSocket::bind(at).await?;
        let mut buffer = [0; 2048];
        loop {
            let (_, peer) = socket.recv_from(&mut buffer).await?;
            socket.send_to(&REPLY, peer).await?;
        }
    };
    runtime(1)?.block_on(async { tokio::spawn(serving).await? })
}

struct Fixed;

impl Service for Fixed {
    fn converse(&self) -> Box<dyn Conversation> {
        Box::new(Self)
    }

    fn longest_message(&self) -> usize {
        260
    }
}

impl Conversation for Fixed {
    fn receive(&mut self, input: &[u8], cx: &mut Context<'_>) -> Step {
        if input.len() < REQUEST.len() {
            return Step::Wait;
        }
        cx.out.extend_from_slice(&REPLY);
        cx.record(Kind::Identify(Operation { name: "fixed", code: 3, unit: Some(1), verdict: Verdict::Done }));
        Step::Took(REQUEST.len())
    }
}

#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Event>>>);

impl Record for Shelf {
    fn record(&self, batch: &mut Vec<Event>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(batch);
    }

    fn keep(&self, _: Artefact, _: &Arc<Session>) {}

    fn is_full(&self) -> bool {
        false
    }
}

fn drive(at: &str, transport: fn(u16) -> Transport) -> io::Result<()> {
    let at: SocketAddr = at.parse().map_err(io::Error::other)?;
    let device = Arc::new(Device::new("device", "kind", Identity::default(), Plant::default()));
    let service = Arc::new(Fixed);
    let (connections, idle) = (None, None);
    let (address, transport) = (at.ip(), transport(at.port()));
    let door = Door { address, transport, device, protocol: "fixed", service, connections, idle, tls: None };
    // What it answers is more than twice what it is asked with.
    let unproven = Allowance { factor: 3, ..Allowance::default() };
    let limits = Limits { sessions_per_source: 20_000, unproven, ..Limits::default() };
    let fleet = Fleet::bind(vec![door], &[], limits).map_err(|refusals| io::Error::other(format!("{refusals:?}")))?;
    let shelf = Shelf::default();
    let emptied = shelf.clone();
    thread::spawn(move || {
        let mut batch = Vec::new();
        loop {
            thread::sleep(Duration::from_millis(5));
            std::mem::swap(&mut batch, &mut *emptied.0.lock().unwrap_or_else(PoisonError::into_inner));
            batch.clear();
        }
    });
    runtime(1)?.block_on(fleet.run(shelf, 0, &Stop::new(), Duration::ZERO, |trouble| println!("{trouble:?}")))?;
    Ok(())
}

fn compare() -> io::Result<()> {
    let runtime = runtime(1)?;
    for (carrier, echo, drive) in [("tcp", "echo", "drive"), ("udp", "echo-udp", "drive-udp")] {
        for clients in [1, 32] {
            for round in 1..=ROUNDS {
                let mut results = [(0.0, 0.0); 2];
                let servers = [(echo, "127.0.0.71:19071"), (drive, "127.0.0.72:19072")];
                for ((name, at), result) in servers.into_iter().zip(&mut results) {
                    let mut server = Command::new(env::current_exe()?).args([name, at]).spawn()?;
                    thread::sleep(Duration::from_millis(200));
                    *result = runtime.block_on(measure(carrier, at, clients, &server))?;
                    server.kill()?;
                    server.wait()?;
                }
                let [echo, drive] = results;
                println!(
                    "{carrier} {clients:2} clients, round {round}: echo {:6.0}/s {:.2} us, drive {:6.0}/s {:.2} us; \
                     ratio {:.2} of requests/s, x{:.2} of processor time",
                    echo.0,
                    echo.1,
                    drive.0,
                    drive.1,
                    drive.0 / echo.0,
                    drive.1 / echo.1
                );
            }
        }
    }
    Ok(())
}

/// Requests per second, and microseconds of the server's processor time per request.
async fn measure(carrier: &str, at: &str, clients: usize, server: &Child) -> io::Result<(f64, f64)> {
    let done = Arc::new(AtomicU64::new(0));
    let mut asking = Vec::new();
    for _ in 0..clients {
        let (at, done) = (at.to_owned(), done.clone());
        asking.push(match carrier {
            "udp" => tokio::spawn(async move { ask_udp(&at, &done).await }),
            _ => tokio::spawn(async move { ask(&at, &done).await }),
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (start, before, cpu) = (Instant::now(), done.load(Ordering::Relaxed), processor(server.id())?);
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    let (count, cpu) = ((done.load(Ordering::Relaxed) - before) as f64, processor(server.id())? - cpu);
    asking.iter().for_each(tokio::task::JoinHandle::abort);
    Ok((count / start.elapsed().as_secs_f64(), cpu / count / 1000.0))
}

async fn ask(at: &str, done: &AtomicU64) -> io::Result<()> {
    let (mut stream, mut reply) = (TcpStream::connect(at).await?, [0; REPLY.len()]);
    stream.set_nodelay(true)?;
    loop {
        stream.write_all(&REQUEST).await?;
        stream.read_exact(&mut reply).await?;
        done.fetch_add(1, Ordering::Relaxed);
    }
}

async fn ask_udp(at: &str, done: &AtomicU64) -> io::Result<()> {
    let (socket, mut reply) = (UdpSocket::bind("127.0.0.1:0").await?, [0; REPLY.len()]);
    socket.connect(at).await?;
    loop {
        socket.send(&REQUEST).await?;
        socket.recv(&mut reply).await?;
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Nanoseconds that all threads of a process have run.
fn processor(id: u32) -> io::Result<f64> {
    let mut sum = 0.0;
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        sum += text.split(' ').next().and_then(|run| run.parse::<f64>().ok()).unwrap_or_default();
    }
    Ok(sum)
}
