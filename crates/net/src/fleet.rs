//! All doors of a site: what listens, and which device stands behind an address. Apart, because sockets are opened
//! before privileges are dropped and before the runtime starts, and are served after.

use crate::{
    Limits, Record, Stop,
    datagram::Mailbox,
    door::{Behind, Door, Entry, Refusal},
    drive,
    host::Host,
    limits::descriptors,
    packet::{self, Packets},
    seat::Entrance,
};
use honeyplant_core::{conversation::Transport, event::Carrier};
use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};
use tokio_util::task::TaskTracker;

/// A door could not take what came. It goes on trying; told once until it has succeeded again.
#[derive(Debug)]
pub struct Trouble {
    /// Where.
    pub address: IpAddr,
    /// The carrier and the port.
    pub transport: Transport,
    /// Why not.
    pub error: io::Error,
}

/// Open doors that nobody serves yet.
pub struct Fleet {
    listeners: Vec<Listener>,
    limits: Limits,
}

struct Listener {
    /// One, or of datagrams several.
    sockets: Vec<Socket>,
    address: SocketAddr,
    carrier: Carrier,
    behind: Behind,
}

/// Where a socket is to be. Doors in the same place share it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    address: SocketAddr,
    carrier: Carrier,
    /// Doors of their own are never put together, not even two at the same place: the second is refused.
    own: Option<usize>,
}

impl Fleet {
    /// Opens all doors, or tells of all that cannot be opened.
    ///
    /// At each of the `wildcard` addresses (`0.0.0.0`, `::`), one socket per port serves all doors of that family, and
    /// the address that was spoken to selects among them; without one, each door has a socket of its own.
    pub fn bind(doors: Vec<Door>, wildcard: &[IpAddr], limits: Limits) -> Result<Self, Vec<Refusal>> {
        let mut places: BTreeMap<Place, Vec<Arc<Entry>>> = BTreeMap::new();
        for (number, door) in doors.into_iter().enumerate() {
            let shared = wildcard.iter().find(|address| address.is_ipv4() == door.address.is_ipv4());
            let place = Place {
                address: SocketAddr::new(*shared.unwrap_or(&door.address), door.transport.port()),
                // What begins with TLS shares a socket with what does not: which it is tells the address.
                carrier: if door.transport.carrier().is_stream() { Carrier::Tcp } else { Carrier::Udp },
                own: shared.is_none().then_some(number),
            };
            let entrance = Entrance { number, connections: door.connections };
            places.entry(place).or_default().push(Arc::new(Entry { door, entrance }));
        }
        let allowed = descriptors::raise().saturating_sub(places.len()).saturating_sub(descriptors::SPARE);
        let limits = Limits { sessions: limits.sessions.min(allowed.max(1)), ..limits };
        let (mut listeners, mut refusals) = (Vec::new(), Vec::new());
        let share = shares(places.keys().filter(|place| place.carrier == Carrier::Udp).count());
        for (Place { address, carrier, own }, entries) in places {
            let Some(first) = entries.first().cloned() else { continue };
            let behind = if own.is_some() {
                Behind::One(first.clone())
            } else {
                let mut many = HashMap::new();
                for entry in entries {
                    if many.insert(entry.door.address, entry.clone()).is_some() {
                        let taken = io::ErrorKind::AddrInUse.into();
                        refusals.push(Refusal::of(&entry.door, entry.door.address, taken));
                    }
                }
                Behind::Many(many)
            };
            let opened = match carrier {
                Carrier::Tcp | Carrier::Tls => listen(address).map(|(socket, address)| (vec![socket], address)),
                Carrier::Udp => packet::open(address, share),
            };
            match opened {
                Ok((sockets, address)) => listeners.push(Listener { sockets, address, carrier, behind }),
                Err(error) => refusals.push(Refusal::of(&first.door, address.ip(), error)),
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
        let (mut listeners, mut mailboxes) = (Vec::new(), Vec::new());
        for Listener { sockets, address, carrier, behind } in self.listeners {
            for socket in sockets {
                let behind = behind.clone();
                match carrier {
                    Carrier::Tcp | Carrier::Tls => {
                        listeners.push((TcpListener::from_std(socket.into())?, address, behind))
                    }
                    Carrier::Udp => mailboxes.push((Packets::new(socket, address)?, behind)),
                }
            }
        }
        let host = Arc::new(Host::new(self.limits, record, base, stop.clone(), trouble));
        let doors = TaskTracker::new();
        for (listener, address, behind) in listeners {
            doors.spawn(host.clone().serve(listener, address, behind));
        }
        for (packets, behind) in mailboxes {
            doors.spawn(Mailbox::new(packets, behind, host.clone()).serve());
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

/// By how many sockets each of so many places of datagrams is served: as many as there are processors to serve them, as
/// long as they are few.
fn shares(places: usize) -> usize {
    const SOCKETS: usize = 64;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    processors.min(SOCKETS / places.max(1)).clamp(1, 4)
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

impl<R: Record, T: Fn(Trouble) + Send + Sync + 'static> Host<R, T> {
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
                        let transport = Transport::Tcp(address.port());
                        (self.trouble)(Trouble { address: address.ip(), transport, error });
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
        let local = match behind {
            Behind::One(_) => address,
            Behind::Many(_) => {
                let Ok(local) = stream.local_addr() else { return };
                local
            }
        };
        // Where nobody has this address, the connection is closed as it goes out of scope.
        let Some(entry) = behind.at(local.ip()) else { return };
        let Some((session, conversation)) = self.session(entry, peer, local) else { return };
        let seat = self.room.enter(session.id, peer.ip(), entry.entrance, Instant::now().into_std());
        let seat = seat.connected(session.clone());
        let Door { service, idle, tls, .. } = &entry.door;
        let bounds = self.limits.bounds(service.longest_message(), *idle);
        let (record, tls) = (self.record.clone(), tls.clone());
        self.sessions.spawn(drive(stream, conversation, session, bounds, record, seat, tls));
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
