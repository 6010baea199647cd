//! As much of HTTP/1.1 (RFC 9112) as a scrape needs: one request a connection, with bounded length, time and number. Apart
//! from the decoys' web servers, since nothing of it is to look like a device.

use super::exposition::Format;
use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A head is no longer than this, and comes and goes in this time.
const HEAD: usize = 8192;
const PATIENCE: Duration = Duration::from_secs(5);
/// So many are served at a time; others are turned away.
const MOST: usize = 8;

/// What writes the metrics.
pub(super) type Page = dyn Fn(Format) -> String + Send + Sync;

/// A server that listens, until it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens at `address` and answers with `page`.
    pub(super) fn listen(address: SocketAddr, page: Arc<Page>) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let (address, over) = (listener.local_addr()?, Arc::<AtomicBool>::default());
        let told = over.clone();
        let thread = thread::Builder::new().name("metrics".into()).spawn(move || accept(&listener, &told, &page))?;
        Ok(Self { address, over, thread: Some(thread) })
    }

    /// Where it listens.
    #[cfg(test)]
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Whether it is honeyplant that listens at `address` already.
pub(super) fn is_ours(address: SocketAddr) -> bool {
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(1 << 16).read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains("honeyplant_build_info"))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // It waits for a connection: here is one.
        let mut here = self.address;
        if here.ip().is_unspecified() {
            here.set_ip(if here.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
        }
        if TcpStream::connect_timeout(&here, PATIENCE).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, over: &AtomicBool, page: &Arc<Page>) {
    let busy = Arc::<AtomicUsize>::default();
    for stream in listener.incoming() {
        if over.load(Ordering::Acquire) {
            return;
        }
        match stream {
            Ok(stream) if busy.load(Ordering::Acquire) < MOST => {
                busy.fetch_add(1, Ordering::AcqRel);
                let (page, place) = (page.clone(), Place(busy.clone()));
                // Where there is no thread for it, nobody is served.
                let _ = thread::Builder::new().name("scrape".into()).spawn(move || {
                    let _ = serve(stream, &*page);
                    drop(place);
                });
            }
            Ok(stream) => drop(stream),
            // Such as too many open files: it passes.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// A place of those that are served.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn serve(mut stream: TcpStream, page: &Page) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let answer = match head(&mut stream)? {
        Some(head) => answer(&head, page),
        None => "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into(),
    };
    stream.write_all(answer.as_bytes())?;
    stream.shutdown(Shutdown::Write)
}

/// The head of the request; none if it is none, or too long.
fn head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let (by, mut head) = (Instant::now() + PATIENCE, Vec::new());
    while !head.ends_with(b"\r\n\r\n") {
        let left = by.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > HEAD {
            return Ok(None);
        }
        stream.set_read_timeout(Some(left))?;
        let mut buffer = [0; 1024];
        match stream.read(&mut buffer)? {
            0 => return Ok(None),
            count => head.extend_from_slice(buffer.get(..count).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8(head).ok())
}

fn answer(head: &str, page: &Page) -> String {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, more, format, body) = match (method, target.split('?').next().unwrap_or_default()) {
        ("GET" | "HEAD", "/metrics") => {
            let fields = lines.filter_map(|line| line.split_once(':'));
            let accept: Vec<&str> =
                fields.filter(|(name, _)| name.eq_ignore_ascii_case("accept")).map(|(_, value)| value).collect();
            let format = wanted(&accept.join(","));
            ("200 OK", "Vary: Accept\r\n", format, page(format))
        }
        ("GET" | "HEAD", _) => ("404 Not Found", "", Format::Text, "the metrics are at /metrics\n".into()),
        _ => ("405 Method Not Allowed", "Allow: GET, HEAD\r\n", Format::Text, String::new()),
    };
    let kind = match format {
        Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    };
    let length = body.len();
    let body = if method == "HEAD" { String::new() } else { body };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}Connection: close\r\n\r\n{body}"
    )
}

/// RFC 9110 §12.5.1, between the two that there are; in doubt the older one, which everybody reads.
fn wanted(accept: &str) -> Format {
    let (mut open, mut text) = (0.0, 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut quality, mut version) = (1.0, None);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = value.trim().parse().unwrap_or(0.0),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        let best: &mut f64 = match (&*kind, version) {
            ("application/openmetrics-text", None | Some("1.0.0")) => &mut open,
            ("text/plain" | "text/*" | "*/*", _) => &mut text,
            _ => continue,
        };
        *best = best.max(quality);
    }
    if open > 0.0 && open >= text { Format::OpenMetrics } else { Format::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_that_was_asked_for() {
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/plain", Format::Text),
            ("application/openmetrics-text; version=1.0.0", Format::OpenMetrics),
            ("application/openmetrics-text; version=2.0.0", Format::Text),
            ("application/openmetrics-text;version=1.0.0;q=0", Format::Text),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
        ] {
            assert_eq!(wanted(accept), format, "{accept}");
        }
    }

    fn ask(to: SocketAddr, head: &str) -> String {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_answers_until_it_is_dropped() {
        let server = Server::listen(([127, 0, 0, 1], 0).into(), Arc::new(|_| "a 1\n".into())).unwrap();
        let to = server.address();
        let page = ask(to, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("\r\n\r\na 1\n"), "{page}");
        assert!(ask(to, "HEAD /metrics HTTP/1.1\r\n\r\n").contains("Content-Length: 4\r\n"));
        assert!(ask(to, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        assert!(ask(to, "POST /metrics HTTP/1.1\r\n\r\n").contains("405 Method Not Allowed\r\n"));
        assert!(ask(to, &"x".repeat(HEAD + 2000)).starts_with("HTTP/1.1 400 "));
        let silent: Vec<TcpStream> = (0..MOST).map(|_| TcpStream::connect(to).unwrap()).collect();
        drop(silent);
        drop(server);
        assert!(TcpStream::connect(to).is_err());
    }
}
