//! All doors of a site: what listens, and which device stands behind an address. Apart, because sockets are opened
//! before privileges are dropped and before the runtime starts, and are served after.

use crate::{
    Limits, Record, Stop, drive,
    limits::descriptors,
    seat::{Entrance, Room},
};
use honeyplant_core::{
    conversation::Service,
    device::Device,
    event::{Carrier, Session},
};
use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::{IpAddr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};
use tokio_util::task::TaskTracker;

/// A service of a device at one address.
#[derive(Clone)]
pub struct Door {
    /// The address.
    pub address: IpAddr,
    /// The TCP port.
    pub port: u16,
    /// Whose door it is.
    pub device: Arc<Device>,
    /// The name of the protocol.
    pub protocol: &'static str,
    /// What answers.
    pub service: Arc<dyn Service>,
    /// How many connections the device takes at once, if it is known.
    pub connections: Option<usize>,
    /// After which silence it closes a connection, if it is known.
    pub idle: Option<Duration>,
}

/// A door that cannot be opened.
#[derive(Debug)]
pub struct Refusal {
    /// The address that was to be listened on.
    pub address: SocketAddr,
    /// The device that was to be behind it; the first, if there are several.
    pub device: String,
    /// The protocol.
    pub protocol: &'static str,
    /// Why not.
    pub error: io::Error,
}

/// A listener could not take a connection. It goes on trying; told once until it has succeeded again.
#[derive(Debug)]
pub struct Trouble {
    /// Where.
    pub address: SocketAddr,
    /// Why not.
    pub error: io::Error,
}

/// Open doors that nobody serves yet.
pub struct Fleet {
    listeners: Vec<Listener>,
    limits: Limits,
}

struct Listener {
    socket: Socket,
    address: SocketAddr,
    behind: Behind,
}

/// Whom a connection reaches.
enum Behind {
    /// The only one.
    One(Arc<Entry>),
    /// The one at the address that was spoken to.
    Many(HashMap<IpAddr, Arc<Entry>>),
}

struct Entry {
    door: Door,
    entrance: Entrance,
}

impl Fleet {
    /// Opens all doors, or tells of all that cannot be opened.
    ///
    /// At each of the `wildcard` addresses (`0.0.0.0`, `::`), one socket per port serves all doors of that family, and
    /// the address that was spoken to selects among them; without one, each door has a socket of its own.
    pub fn bind(doors: Vec<Door>, wildcard: &[IpAddr], limits: Limits) -> Result<Self, Vec<Refusal>> {
        let mut places: BTreeMap<(SocketAddr, usize), Vec<Arc<Entry>>> = BTreeMap::new();
        for (number, door) in doors.into_iter().enumerate() {
            let entry = Arc::new(Entry { entrance: Entrance { number, connections: door.connections }, door });
            let door = &entry.door;
            let shared = wildcard.iter().find(|address| address.is_ipv4() == door.address.is_ipv4());
            // Doors of their own are never put together, not even two at the same place: the second is refused.
            let place = shared.map_or((SocketAddr::new(door.address, door.port), number + 1), |address| {
                (SocketAddr::new(*address, door.port), 0)
            });
            places.entry(place).or_default().push(entry);
        }
        let allowed = descriptors::raise().saturating_sub(places.len()).saturating_sub(descriptors::SPARE);
        let limits = Limits { sessions: limits.sessions.min(allowed.max(1)), ..limits };
        let (mut listeners, mut refusals) = (Vec::new(), Vec::new());
        for ((address, own), entries) in places {
            let refuse = |entry: &Entry, address, error| {
                let Door { device, protocol, .. } = &entry.door;
                Refusal { address, device: device.name().to_owned(), protocol, error }
            };
            let Some(first) = entries.first().cloned() else { continue };
            let behind = if own > 0 {
                Behind::One(first.clone())
            } else {
                let mut many = HashMap::new();
                for entry in entries {
                    let address = SocketAddr::new(entry.door.address, entry.door.port);
                    if many.insert(address.ip(), entry.clone()).is_some() {
                        refusals.push(refuse(&entry, address, io::ErrorKind::AddrInUse.into()));
                    }
                }
                Behind::Many(many)
            };
            match listen(address) {
                Ok((socket, address)) => listeners.push(Listener { socket, address, behind }),
                Err(error) => refusals.push(refuse(&first, address, error)),
            }
        }
        if refusals.is_empty() { Ok(Self { listeners, limits }) } else { Err(refusals) }
    }

    /// Where it listens.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(|listener| listener.address)
    }

    /// The limits that count: those asked for, as far as the system allows them.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Serves until `stop`, then closes all doors, lets all sessions say that they end, and waits for that no longer
    /// than `grace`. Returns how many had not ended by then.
    ///
    /// Sessions are numbered from `base` on; what hinders the service and may pass is told to `trouble`.
    pub async fn run<R: Record>(
        self,
        record: R,
        base: u64,
        stop: &Stop,
        grace: Duration,
        trouble: impl Fn(Trouble) + Send + Sync + 'static,
    ) -> io::Result<usize> {
        let (doors, mut listeners) = (TaskTracker::new(), Vec::with_capacity(self.listeners.len()));
        for Listener { socket, address, behind } in self.listeners {
            listeners.push((TcpListener::from_std(socket.into())?, address, behind));
        }
        let host = Arc::new(Host {
            room: Arc::new(Room::new(&self.limits)),
            limits: self.limits,
            record,
            next: AtomicU64::new(base),
            sessions: TaskTracker::new(),
            stop: stop.clone(),
            trouble,
        });
        for (listener, address, behind) in listeners {
            doors.spawn(host.clone().serve(listener, address, behind));
        }
        doors.close();
        stop.stopped().await;
        doors.wait().await;
        host.room.close();
        host.sessions.close();
        let _ = timeout(grace, host.sessions.wait()).await;
        Ok(host.sessions.len())
    }
}

fn listen(address: SocketAddr) -> io::Result<(Socket, SocketAddr)> {
    // What is full here is refused by the kernel; 500 listeners cost nothing for it.
    const BACKLOG: i32 = 4096;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // An IPv4 peer is met at an IPv4 door, and recorded by its IPv4 address.
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Connections have these from their listener: no system call for each.
    socket.set_tcp_nodelay(true)?;
    let alive = TcpKeepalive::new().with_time(Duration::from_secs(120)).with_interval(Duration::from_secs(30));
    socket.set_tcp_keepalive(&alive)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let address = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok((socket, address))
}

/// Whether the system has none left of something that the end of another session gives back.
fn exhausted(error: &io::Error) -> bool {
    let error = error.raw_os_error().map(Errno::from_raw);
    matches!(error, Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM))
}

/// What all listeners of a running fleet share.
struct Host<R, T> {
    room: Arc<Room>,
    limits: Limits,
    record: R,
    next: AtomicU64,
    sessions: TaskTracker,
    stop: Stop,
    trouble: T,
}

impl<R: Record, T: Fn(Trouble) + Send + Sync + 'static> Host<R, T> {
    /// The shortest wait of a listener that cannot go on.
    const BEAT: Duration = Duration::from_millis(5);

    async fn serve(self: Arc<Self>, listener: TcpListener, address: SocketAddr, behind: Behind) {
        let mut stopped = std::pin::pin!(self.stop.stopped());
        let mut pause = Duration::ZERO;
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stopped => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    pause = Duration::ZERO;
                    self.welcome(stream, peer, address, &behind);
                }
                // The peer was gone before it was its turn.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    if exhausted(&error) {
                        self.room.yield_one();
                    }
                    if pause.is_zero() {
                        (self.trouble)(Trouble { address, error });
                    }
                    pause = (2 * pause).clamp(Self::BEAT, Duration::from_secs(1));
                }
            }
            let mut rest = pause;
            // A full record makes new peers wait too, in the backlog.
            while !rest.is_zero() || self.record.is_full() {
                tokio::select! {
                    () = &mut stopped => return,
                    () = sleep(rest.max(Self::BEAT)) => rest = Duration::ZERO,
                }
            }
        }
    }

    fn welcome(&self, stream: TcpStream, peer: SocketAddr, address: SocketAddr, behind: &Behind) {
        let (entry, local) = match behind {
            Behind::One(entry) => (entry, address),
            Behind::Many(entries) => {
                let Ok(local) = stream.local_addr() else { return };
                // Nobody has this address; the connection is closed as it goes out of scope.
                let Some(entry) = entries.get(&local.ip()) else { return };
                (entry, local)
            }
        };
        let Entry { door: Door { device, protocol, service, idle, .. }, entrance } = &**entry;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let session = Session { id, peer, local, carrier: Carrier::Tcp, protocol, device: device.clone() };
        let seat = self.room.enter(id, peer.ip(), *entrance, Instant::now().into_std());
        let bounds = self.limits.bounds(service.longest_message(), *idle);
        // A service that panics must not take the door with it.
        let Ok(conversation) = catch_unwind(AssertUnwindSafe(|| service.converse())) else { return };
        let record = self.record.clone();
        self.sessions.spawn(drive(stream, conversation, Arc::new(session), bounds, record, seat));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpStream};

    #[test]
    fn connections_have_the_options_of_their_listener() {
        let (listener, address) = listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _peer = TcpStream::connect(address).unwrap();
        let (connection, _) = listener.accept().unwrap();
        assert!(connection.tcp_nodelay().unwrap() && connection.keepalive().unwrap());
        assert_eq!(connection.tcp_keepalive_interval().unwrap(), Duration::from_secs(30));
    }
}
