//! What a request costs, beside a bare tokio echo server that answers as many bytes: the figure that the project is held
//! to is 0.8 of its requests per second, with the journal on. A row that the demo site does not serve is passed over.
//!
//! Server and echo are processes of their own on 127.0.0.0/8, asked in turn, so that a machine that is busy with other
//! things is busy with both. `cargo bench --bench echo -- [ROUNDS] [SECONDS]`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a program for developers, which may stop"
)]

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Tcp,
    Udp,
}

/// One protocol's commonest request to the demo site.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    carrier: Carrier,
    to: &'static str,
    /// The request with the sequence number `n`.
    request: fn(n: u16) -> Vec<u8>,
    /// How many ask at once.
    clients: [usize; 2],
    /// How many bytes are answered; over UDP, how many the echo server answers.
    reply: usize,
}

/// The same request again and again folds in the journal; one that is another each time does not.
const ROWS: &[Row] = &[
    Row {
        name: "modbus: 8 holding registers",
        carrier: Carrier::Tcp,
        to: "127.0.10.2:10502",
        request: |n| [&n.to_be_bytes()[..], &[0, 0, 0, 6, 1, 3, 0, 0, 0, 8]].concat(),
        clients: [1, 32],
        reply: 25,
    },
    Row {
        name: "modbus: 8 of them, others each time",
        carrier: Carrier::Tcp,
        to: "127.0.10.2:10502",
        request: |n| [&n.to_be_bytes()[..], &[0, 0, 0, 6, 1, 3, 0, (n % 200) as u8, 0, 8]].concat(),
        clients: [1, 32],
        reply: 25,
    },
    Row {
        name: "snmp: GetNext",
        carrier: Carrier::Udp,
        to: "127.0.10.2:10161",
        // system
        request: |n| get_next(n, &[0x2B, 6, 1, 2, 1, 1, 3]),
        clients: [1, 32],
        reply: 48,
    },
    Row {
        name: "snmp: GetNext, others each time",
        carrier: Carrier::Udp,
        to: "127.0.10.2:10161",
        // ifEntry
        request: |n| get_next(n, &[0x2B, 6, 1, 2, 1, 2, 2, 1, (n % 20) as u8 + 1]),
        clients: [1, 32],
        reply: 48,
    },
    Row {
        name: "iec104: TESTFR",
        carrier: Carrier::Tcp,
        to: "127.0.10.5:12404",
        request: |_| vec![0x68, 4, 0x43, 0, 0, 0],
        // The RTU takes four.
        clients: [1, 4],
        reply: 6,
    },
];

/// A GetNextRequest-PDU of SNMPv1 with the community `public`, in the basic encoding rules; all of it is short.
fn get_next(n: u16, object: &[u8]) -> Vec<u8> {
    let wrap = |tag: u8, inside: &[&[u8]]| {
        let inside = inside.concat();
        [&[tag, inside.len() as u8], &inside[..]].concat()
    };
    let binding = wrap(0x30, &[&wrap(0x06, &[object]), &[0x05, 0]]);
    let [high, low] = n.to_be_bytes();
    let id = [0x02, 4, 0x11, 0x22, high, low];
    let body = wrap(0xA1, &[&id, &[0x02, 1, 0], &[0x02, 1, 0], &wrap(0x30, &[&binding])]);
    wrap(0x30, &[&[0x02, 1, 0], &wrap(0x04, &[b"public"]), &body])
}

/// A datagram that was not answered within this is taken for lost.
const LOST: Duration = Duration::from_millis(200);

const ECHO: &str = "127.0.0.9:10999";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [word, reply] = &arguments[..] {
        match &**word {
            "serve-tcp-echo" => return echo(reply.parse().unwrap()),
            "serve-udp-echo" => return echo_datagrams(reply.parse().unwrap()),
            _ => {}
        }
    }
    let number = |index: usize, default: u64| arguments.get(index).map_or(default, |word| word.parse().unwrap());
    let (rounds, seconds) = (number(0, 5) as usize, Duration::from_secs(number(1, 2)));
    println!(
        "{:34} {:>5} {:>9} {:>9} {:>6}   {:>17} {:>17} {:>19}",
        "", "conns", "req/s", "echo", "ratio", "p50/p99 µs", "echo p50/p99 µs", "CPU µs/req (echo)"
    );
    for row in ROWS {
        let state = std::env::temp_dir().join(format!("honeyplant-bench-{}", std::process::id()));
        let mut run = Command::new(env!("CARGO_BIN_EXE_honeyplant"));
        let Some(plant) = Server::start(run.args(["run", "--state"]).arg(&state), row, row.to) else {
            println!("{:34} {} does not answer", row.name, row.to);
            continue;
        };
        let word = if row.carrier == Carrier::Tcp { "serve-tcp-echo" } else { "serve-udp-echo" };
        let mut echo = Command::new(std::env::current_exe().unwrap());
        let bare = Server::start(echo.args([word, &row.reply.to_string()]), row, ECHO).unwrap();
        for connections in row.clients {
            let rounds: Vec<(Figures, Figures)> = (0..rounds)
                .map(|_| (plant.load(row, connections, seconds), bare.load(row, connections, seconds)))
                .collect();
            let of = |pick: &dyn Fn(&(Figures, Figures)) -> f64| median(rounds.iter().map(pick).collect());
            println!(
                "{:34} {connections:>5} {:>9.0} {:>9.0} {:>6.2}   {:>8.0}/{:<8.0} {:>8.0}/{:<8.0} {:>8.1} ({:.1})",
                row.name,
                of(&|r| r.0.rate),
                of(&|r| r.1.rate),
                of(&|r| r.0.rate / r.1.rate),
                of(&|r| r.0.p50),
                of(&|r| r.0.p99),
                of(&|r| r.1.p50),
                of(&|r| r.1.p99),
                of(&|r| r.0.cpu),
                of(&|r| r.1.cpu),
            );
        }
        drop((plant, bare));
        let _ = fs::remove_dir_all(state);
    }
}

struct Server {
    child: Child,
    at: SocketAddr,
}

struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
    cpu: f64,
}

impl Server {
    /// A server that answers at `at`; none if it does not.
    fn start(command: &mut Command, row: &Row, at: &str) -> Option<Self> {
        let server = Self { child: command.stdout(Stdio::null()).spawn().unwrap(), at: at.parse().unwrap() };
        let patience = Instant::now() + Duration::from_secs(5);
        while Instant::now() < patience {
            let answers = match row.carrier {
                Carrier::Tcp => TcpStream::connect(server.at).is_ok(),
                Carrier::Udp => {
                    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                    socket.set_read_timeout(Some(LOST)).unwrap();
                    socket.connect(server.at).and_then(|()| socket.send(&(row.request)(0))).is_ok()
                        && socket.recv(&mut [0; 2048]).is_ok()
                }
            };
            if answers {
                return Some(server);
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Every connection asks as soon as it was answered.
    fn load(&self, row: &Row, connections: usize, time: Duration) -> Figures {
        let before = self.cpu();
        let start = Instant::now();
        let mut micros = if connections == 1 {
            match row.carrier {
                Carrier::Tcp => ask(self.at, row, start + time),
                Carrier::Udp => ask_datagrams(self.at, row, start + time),
            }
        } else {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (at, Row { request, reply, .. }, until) = (self.at, *row, start + time);
                let asking: Vec<_> = (0..connections)
                    .map(|_| match row.carrier {
                        Carrier::Tcp => tokio::spawn(ask_async(at, request, reply, until)),
                        Carrier::Udp => tokio::spawn(ask_datagrams_async(at, request, until)),
                    })
                    .collect();
                let mut all = Vec::new();
                for one in asking {
                    all.extend(one.await.unwrap());
                }
                all
            })
        };
        let (elapsed, cpu) = (start.elapsed(), self.cpu() - before);
        micros.sort_unstable_by(f32::total_cmp);
        let at = |part: f64| f64::from(micros[((micros.len() as f64 * part) as usize).min(micros.len() - 1)]);
        Figures {
            rate: micros.len() as f64 / elapsed.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            cpu: cpu * 1e6 / micros.len() as f64,
        }
    }

    /// Seconds of CPU that all threads of the server have used.
    fn cpu(&self) -> f64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let spent = |thread: fs::DirEntry| {
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
        };
        threads.flatten().map(spent).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(to: SocketAddr, row: &Row, until: Instant) -> Vec<f32> {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut reply, mut micros) = (vec![0; row.reply], Vec::new());
    let mut n = 0_u16;
    loop {
        n = n.wrapping_add(1);
        let start = Instant::now();
        if start > until {
            break;
        }
        stream.write_all(&(row.request)(n)).unwrap();
        stream.read_exact(&mut reply).unwrap();
        micros.push(start.elapsed().as_nanos() as f32 / 1e3);
    }
    micros
}

async fn ask_async(to: SocketAddr, request: fn(u16) -> Vec<u8>, reply: usize, until: Instant) -> Vec<f32> {
    let mut stream = tokio::net::TcpStream::connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut reply, mut micros, mut n) = (vec![0; reply], Vec::new(), 0_u16);
    loop {
        let start = Instant::now();
        if start > until {
            return micros;
        }
        n = n.wrapping_add(1);
        stream.write_all(&request(n)).await.unwrap();
        stream.read_exact(&mut reply).await.unwrap();
        micros.push(start.elapsed().as_nanos() as f32 / 1e3);
    }
}

fn ask_datagrams(to: SocketAddr, row: &Row, until: Instant) -> Vec<f32> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(to).unwrap();
    socket.set_read_timeout(Some(LOST)).unwrap();
    let (mut reply, mut micros, mut n) = ([0; 2048], Vec::new(), 0_u16);
    loop {
        let start = Instant::now();
        if start > until {
            return micros;
        }
        n = n.wrapping_add(1);
        socket.send(&(row.request)(n)).unwrap();
        if socket.recv(&mut reply).is_ok() {
            micros.push(start.elapsed().as_nanos() as f32 / 1e3);
        }
    }
}

async fn ask_datagrams_async(to: SocketAddr, request: fn(u16) -> Vec<u8>, until: Instant) -> Vec<f32> {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(to).await.unwrap();
    let (mut reply, mut micros, mut n) = ([0; 2048], Vec::new(), 0_u16);
    // One clock for all questions: a timer for each would cost more than some of them.
    let mut clock = tokio::time::interval(LOST);
    loop {
        let start = Instant::now();
        if start > until {
            return micros;
        }
        n = n.wrapping_add(1);
        socket.send(&request(n)).await.unwrap();
        loop {
            tokio::select! {
                biased;
                heard = socket.recv(&mut reply) => {
                    heard.unwrap();
                    micros.push(start.elapsed().as_nanos() as f32 / 1e3);
                    break;
                }
                _ = clock.tick() => if start.elapsed() > LOST { break },
            }
        }
    }
}

/// The bare server: what arrives is answered with `reply` bytes, and nothing else is done.
fn echo(reply: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(ECHO).await.unwrap();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let (mut request, reply) = ([0; 4096], vec![0x41; reply]);
                while matches!(stream.read(&mut request).await, Ok(1..)) {
                    if stream.write_all(&reply).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
}

/// The same with datagrams.
fn echo_datagrams(reply: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let serving = tokio::spawn(async move {
            let socket = tokio::net::UdpSocket::bind(ECHO).await.unwrap();
            let (mut request, reply) = ([0; 4096], vec![0x41; reply]);
            loop {
                let (_, peer) = socket.recv_from(&mut request).await.unwrap();
                let _ = socket.send_to(&reply, peer).await;
            }
        });
        serving.await.unwrap();
    });
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
