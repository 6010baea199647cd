//! What it costs to record a million requests, none of which folds: how fast they are answered, how fast they are in the
//! journal, how fast each sink has them, with the processor time of each thread and the memory meanwhile.
//!
//! `cargo bench --bench record -- [REQUESTS] [CLIENTS] [DEPTH] [SITE]`: each client has so many requests on their way at
//! once. Clients, server and sinks share the machine. Without SITE it is the demo site, with the sinks of any site.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers, which may stop")]

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Seek, SeekFrom},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The demo site's M340.
const PLC: &str = "127.0.10.2:10502";
const REPLY: usize = 25;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |index: usize, default: u64| arguments.get(index).map_or(default, |word| word.parse().unwrap());
    let (requests, clients, depth) = (number(0, 1_000_000), number(1, 32), number(2, 8));
    let state = std::env::temp_dir().join(format!("honeyplant-record-{}", std::process::id()));
    let mut run = Command::new(env!("CARGO_BIN_EXE_honeyplant"));
    run.args(["run", "--state"]).arg(&state).args(arguments.get(3)).stdout(Stdio::null());
    let plant = Plant { child: run.spawn().unwrap(), state };
    while TcpStream::connect(PLC).is_err() {
        thread::sleep(Duration::from_millis(20));
    }
    println!("{:>8} {:>10} {:>10} {:>8}  sinks", "seconds", "answered", "journal", "MB");
    let start = Instant::now();
    let load = thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let asking: Vec<_> =
                (0..clients).map(|_| tokio::spawn(ask(requests / clients / depth, depth as u16))).collect();
            for one in asking {
                one.await.unwrap();
            }
        });
        start.elapsed()
    });
    let requests = requests / clients / depth * clients * depth;
    let (mut served, mut journaled, mut sunk) = (None, None, BTreeMap::new());
    let mut load = Some(load);
    for tick in 1.. {
        thread::sleep(Duration::from_millis(20));
        if let Some(done) = load.take_if(|load| load.is_finished()) {
            served = Some(done.join().unwrap());
        }
        let (journal, sinks) = (plant.journal(), plant.sinks());
        let done = |there: u64| served.is_some() && there >= requests;
        if done(journal) {
            journaled.get_or_insert(start.elapsed());
        }
        for (sink, next) in &sinks {
            if done(*next) {
                sunk.entry(sink.clone()).or_insert_with(|| start.elapsed());
            }
        }
        let end = journaled.is_some() && sunk.len() == sinks.len();
        if tick % 50 == 0 || end {
            let answered = served.map_or(String::from("…"), |_| requests.to_string());
            println!(
                "{:8.1} {answered:>10} {journal:>10} {:8.1}  {sinks:?}",
                start.elapsed().as_secs_f64(),
                plant.megabytes()
            );
        }
        if end {
            break;
        }
    }
    let rate = |took: Duration| requests as f64 / took.as_secs_f64();
    let tell = |what: &str, took: Duration| println!("{what:12} {:>9.0}/s in {:.1} s", rate(took), took.as_secs_f64());
    tell("answered", served.unwrap_or_default());
    tell("journal", journaled.unwrap_or_default());
    sunk.iter().for_each(|(sink, took)| tell(sink, *took));
    for (thread, seconds) in plant.threads() {
        println!("{thread:16} {seconds:6.2} s of processor, {:5.2} µs each", seconds / requests as f64 * 1e6);
    }
}

/// Asks `rounds` times for `depth` registers, one after the other; no request is like the one before.
async fn ask(rounds: u64, depth: u16) {
    let mut stream = tokio::net::TcpStream::connect(PLC).await.unwrap();
    let mut replies = vec![0; REPLY * usize::from(depth)];
    for round in 0..rounds {
        let request = |n: u16| {
            let address = ((round as u16).wrapping_mul(depth).wrapping_add(n) % 200) as u8;
            [&n.to_be_bytes()[..], &[0, 0, 0, 6, 1, 3, 0, address, 0, 8]].concat()
        };
        let requests: Vec<u8> = (0..depth).flat_map(request).collect();
        stream.write_all(&requests).await.unwrap();
        stream.read_exact(&mut replies).await.unwrap();
    }
}

struct Plant {
    child: Child,
    state: PathBuf,
}

impl Plant {
    /// How many events are in the journal.
    fn journal(&self) -> u64 {
        let segments = fs::read_dir(self.state.join("journal")).into_iter().flatten().flatten();
        let last =
            segments.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "jsonl")).max();
        last.and_then(|path| last_sequence(&path)).unwrap_or_default()
    }

    /// How many events each sink has.
    fn sinks(&self) -> BTreeMap<String, u64> {
        let cursors = fs::read_dir(self.state.join("sinks")).into_iter().flatten().flatten();
        let read = |path: PathBuf| {
            let next: u64 = fs::read_to_string(&path).ok()?.trim().parse().ok()?;
            Some((path.file_stem()?.to_string_lossy().into_owned(), next.saturating_sub(1)))
        };
        cursors
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "cursor"))
            .filter_map(read)
            .collect()
    }

    fn megabytes(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let (_, rest) = status.split_once("VmRSS:").unwrap();
        rest.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Seconds of processor time of the threads, by their names.
    fn threads(&self) -> BTreeMap<String, f64> {
        let mut threads = BTreeMap::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap().flatten() {
            let name = fs::read_to_string(thread.path().join("comm")).unwrap_or_default().trim().to_owned();
            let spent = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            let nanos: f64 = spent.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default();
            *threads.entry(name).or_default() += nanos / 1e9;
        }
        threads
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.state);
    }
}

/// The sequence in the last whole line of the segment.
fn last_sequence(path: &Path) -> Option<u64> {
    let mut file = fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(256 << 10))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = text.rsplit_once('\n')?.0;
    whole.rsplit_once("\"sequence\":")?.1.split(',').next()?.parse().ok()
}
