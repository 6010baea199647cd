//! What a request costs, beside a bare tokio echo server that answers as many bytes: the figure that the project is held
//! to is 0.8 of its requests per second, with the journal on. A row that the demo site does not serve is passed over.
//!
//! Server and echo are processes of their own on 127.0.0.0/8, asked in turn, so that a machine that is busy with other
//! things is busy with both. `cargo bench --bench echo -- [ROUNDS] [SECONDS] [ROWS] [SITE]`: only rows whose name
//! contains ROWS are measured; another site is run with the same ports, 10000 above those of its profiles.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a program for developers, which may stop"
)]

mod rows;
mod tls;

use rows::{Carrier, Framing, ROWS, Row};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

/// A datagram that was not answered within this is taken for lost.
const LOST: Duration = Duration::from_millis(200);

const ECHO: &str = "127.0.0.9:10999";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [word, reply] = &arguments[..] {
        // What is answered is told in hexadecimal.
        let digits = (0..reply.len() / 2).map(|i| u8::from_str_radix(&reply[2 * i..2 * i + 2], 16));
        let reply = || digits.map(Result::unwrap).collect();
        match &**word {
            "serve-tcp-echo" => return echo(reply(), None),
            "serve-tls-echo" => return echo(reply(), Some(tls::acceptor())),
            "serve-udp-echo" => return echo_datagrams(reply()),
            _ => {}
        }
    }
    let number = |index: usize, default: u64| arguments.get(index).map_or(default, |word| word.parse().unwrap());
    let (rounds, seconds) = (number(0, 5) as usize, Duration::from_secs(number(1, 2)));
    println!(
        "{:34} {:>5} {:>9} {:>9} {:>6}   {:>17} {:>17} {:>19}",
        "", "conns", "req/s", "echo", "ratio", "p50/p99 µs", "echo p50/p99 µs", "CPU µs/req (echo)"
    );
    let wanted = arguments.get(2).map_or("", String::as_str);
    for row in ROWS.iter().filter(|row| row.name.contains(wanted)) {
        let state = std::env::temp_dir().join(format!("honeyplant-bench-{}", std::process::id()));
        let mut run = Command::new(env!("CARGO_BIN_EXE_honeyplant"));
        run.args(["run", "--state"]).arg(&state);
        if let Some(site) = arguments.get(3) {
            run.args(["--port-offset", "10000"]).arg(site);
        }
        let Some(plant) = Server::start(&mut run, row, row.to) else {
            println!("{:34} {} does not answer", row.name, row.to);
            continue;
        };
        let word = match row.carrier {
            Carrier::Tcp => "serve-tcp-echo",
            Carrier::Tls => "serve-tls-echo",
            Carrier::Udp => "serve-udp-echo",
        };
        let mut echo = Command::new(std::env::current_exe().unwrap());
        let reply: String = plant.reply(row).iter().map(|octet| format!("{octet:02x}")).collect();
        let bare = Server::start(echo.args([word, &reply]), row, ECHO).unwrap();
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
                Carrier::Tcp | Carrier::Tls => TcpStream::connect(server.at).is_ok(),
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

    /// One answer of its, for the echo server to answer with.
    fn reply(&self, row: &Row) -> Vec<u8> {
        match row.reply {
            Framing::Fixed(length) => vec![0x41; length],
            _ => self.runtime().block_on(async {
                let mut stream = connect(self.at, row).await;
                stream.write_all(&(row.request)(1)).await.unwrap();
                let mut reply = Vec::new();
                assert!(hear(&mut stream, row.reply, &mut reply).await, "{} does not answer", row.name);
                reply
            }),
        }
    }

    fn runtime(&self) -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// Every connection asks as soon as it was answered.
    fn load(&self, row: &Row, connections: usize, time: Duration) -> Figures {
        let before = self.cpu();
        let start = Instant::now();
        let mut micros = match (row.carrier, row.reply) {
            (Carrier::Tcp, Framing::Fixed(reply)) if connections == 1 => ask(self.at, row, reply, start + time),
            (Carrier::Udp, _) if connections == 1 => ask_datagrams(self.at, row, start + time),
            _ => self.runtime().block_on(async {
                let (at, row, until) = (self.at, *row, start + time);
                let asking: Vec<_> = (0..connections)
                    .map(|_| match row.carrier {
                        Carrier::Tcp | Carrier::Tls => tokio::spawn(ask_async(at, row, until)),
                        Carrier::Udp => tokio::spawn(ask_datagrams_async(at, row.request, until)),
                    })
                    .collect();
                let mut all = Vec::new();
                for one in asking {
                    all.extend(one.await.unwrap());
                }
                all
            }),
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

fn ask(to: SocketAddr, row: &Row, reply: usize, until: Instant) -> Vec<f32> {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut reply, mut micros) = (vec![0; reply], Vec::new());
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

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection on which all is said that comes before the first request.
async fn connect(to: SocketAddr, row: &Row) -> Box<dyn Stream> {
    let stream = tokio::net::TcpStream::connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream: Box<dyn Stream> = if row.carrier == Carrier::Tls {
        Box::new(tls::connector().connect(to.ip().into(), stream).await.unwrap())
    } else {
        Box::new(stream)
    };
    let mut reply = Vec::new();
    for said in row.before {
        stream.write_all(said).await.unwrap();
        assert!(hear(&mut stream, row.reply, &mut reply).await, "{} refuses", row.name);
    }
    stream
}

/// Takes one whole answer; whether there was one.
async fn hear(stream: &mut (impl AsyncRead + Unpin), framing: Framing, reply: &mut Vec<u8>) -> bool {
    reply.clear();
    let mut length = None;
    while length.is_none_or(|length| reply.len() < length) {
        if !matches!(stream.read_buf(reply).await, Ok(1..)) {
            return false;
        }
        length = length.or_else(|| match framing {
            Framing::Fixed(length) => Some(length),
            Framing::Tpkt => reply.get(2..4).map(|length| usize::from(length[0]) << 8 | usize::from(length[1])),
            Framing::ContentLength => {
                let end = reply.windows(4).position(|octets| octets == b"\r\n\r\n")?;
                let head = String::from_utf8_lossy(&reply[..end]).to_ascii_lowercase();
                let body: usize = head.split("content-length:").nth(1)?.lines().next()?.trim().parse().unwrap();
                Some(end + 4 + body)
            }
        });
    }
    true
}

async fn ask_async(to: SocketAddr, row: Row, until: Instant) -> Vec<f32> {
    let mut stream = connect(to, &row).await;
    let (mut reply, mut micros, mut n) = (Vec::with_capacity(1 << 16), Vec::new(), 0_u16);
    loop {
        let start = Instant::now();
        if start > until {
            return micros;
        }
        n = n.wrapping_add(1);
        let asked = stream.write_all(&(row.request)(n)).await.is_ok();
        if !asked || !hear(&mut stream, row.reply, &mut reply).await {
            // Web servers close a connection after so many requests.
            stream = connect(to, &row).await;
            continue;
        }
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

/// The bare server: what arrives is answered with `reply`, and nothing else is done.
fn echo(reply: Vec<u8>, tls: Option<TlsAcceptor>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(ECHO).await.unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (reply, tls) = (reply.clone(), tls.clone());
            tokio::spawn(async move {
                match tls {
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            answer(stream, &reply).await;
                        }
                    }
                    None => answer(stream, &reply).await,
                }
            });
        }
    });
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, reply: &[u8]) {
    let mut request = [0; 4096];
    while matches!(stream.read(&mut request).await, Ok(1..)) {
        if stream.write_all(reply).await.is_err() || stream.flush().await.is_err() {
            break;
        }
    }
}

/// The same with datagrams.
fn echo_datagrams(reply: Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let serving = tokio::spawn(async move {
            let socket = tokio::net::UdpSocket::bind(ECHO).await.unwrap();
            let mut request = [0; 4096];
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
