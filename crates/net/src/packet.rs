//! Datagrams in and out of one socket. Apart, because the system has to be asked which address a datagram was sent to,
//! and told which one its answer is to come from: a device that answers from another address than was asked is none.

use nix::{
    libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo},
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, sendto, setsockopt, sockopt,
    },
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{self, ErrorKind, IoSlice, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::AsRawFd,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{Interest, ReadBuf},
    net::UdpSocket,
};

/// No datagram is longer.
pub(crate) const LONGEST: usize = 64 * 1024;

/// Opens `count` sockets at `address`; where they are then. The system gives all datagrams of one peer to the same one.
pub(crate) fn open(address: SocketAddr, count: usize) -> io::Result<(Vec<Socket>, SocketAddr)> {
    // Sockets that share would share with another program, too: one that does not must find the place free.
    let (alone, address) = bind(address, false)?;
    if count < 2 {
        return Ok((vec![alone], address));
    }
    drop(alone);
    let sockets = (0..count).map(|_| bind(address, true).map(|(socket, _)| socket)).collect::<io::Result<_>>()?;
    Ok((sockets, address))
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<(Socket, SocketAddr)> {
    // What waits here while others are dealt with; the system grants less if it is set to.
    const WAITING: usize = 4 << 20;
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if address.ip().is_unspecified() {
        match address {
            SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?,
            SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?,
        }
    }
    socket.set_reuse_port(shared)?;
    let _ = socket.set_recv_buffer_size(WAITING);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let address = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok((socket, address))
}

/// A socket that serves one address, or all.
#[derive(Debug)]
pub(crate) struct Packets {
    socket: UdpSocket,
    address: SocketAddr,
    /// Where the system tells which address was spoken to.
    control: Vec<u8>,
}

/// Whence a datagram came, and where it was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

impl Packets {
    pub(crate) fn new(socket: Socket, address: SocketAddr) -> io::Result<Self> {
        let control = nix::cmsg_space!(in6_pktinfo);
        Ok(Self { socket: UdpSocket::from_std(socket.into())?, address, control })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next datagram, in the front of `buffer`: how long it is, and its route if there is one to answer on.
    pub(crate) fn poll_receive(
        &mut self,
        buffer: &mut [u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(usize, Option<Route>)>> {
        if !self.address.ip().is_unspecified() {
            let mut buffer = ReadBuf::new(buffer);
            let peer = ready!(self.socket.poll_recv_from(cx, &mut buffer))?;
            return Poll::Ready(Ok((buffer.filled().len(), Some(Route { peer, local: self.address }))));
        }
        loop {
            ready!(self.socket.poll_recv_ready(cx))?;
            let Self { socket, address, control } = self;
            match socket.try_io(Interest::READABLE, || receive(socket, *address, buffer, control)) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                received => return Poll::Ready(received),
            }
        }
    }

    /// Sends a datagram back on the route that another came. It does not wait: what finds no room is lost, as datagrams
    /// are.
    pub(crate) fn send(&self, datagram: &[u8], route: Route) -> io::Result<()> {
        let (socket, peer) = (self.socket.as_raw_fd(), SockaddrStorage::from(route.peer));
        if !self.address.ip().is_unspecified() {
            sendto(socket, datagram, &peer, MsgFlags::empty())?;
            return Ok(());
        }
        let send = |from| sendmsg(socket, &[IoSlice::new(datagram)], &[from], MsgFlags::empty(), Some(&peer));
        match route.local.ip() {
            IpAddr::V4(from) => {
                let from = in_addr { s_addr: u32::from_ne_bytes(from.octets()) };
                send(ControlMessage::Ipv4PacketInfo(&in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: from, ipi_addr: from }))
            }
            IpAddr::V6(from) => {
                let from = in6_addr { s6_addr: from.octets() };
                send(ControlMessage::Ipv6PacketInfo(&in6_pktinfo { ipi6_addr: from, ipi6_ifindex: 0 }))
            }
        }?;
        Ok(())
    }
}

fn receive(
    socket: &UdpSocket,
    address: SocketAddr,
    buffer: &mut [u8],
    control: &mut [u8],
) -> io::Result<(usize, Option<Route>)> {
    let mut pieces = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut pieces, Some(control), MsgFlags::empty())?;
    let local = message.cmsgs()?.find_map(|told| match told {
        ControlMessageOwned::Ipv4PacketInfo(to) => Some(IpAddr::from(Ipv4Addr::from(to.ipi_addr.s_addr.to_ne_bytes()))),
        ControlMessageOwned::Ipv6PacketInfo(to) => Some(IpAddr::from(Ipv6Addr::from(to.ipi6_addr.s6_addr))),
        _ => None,
    });
    let peer = message.address.and_then(|peer| {
        let v4 = peer.as_sockaddr_in().map(|peer| SocketAddr::V4((*peer).into()));
        v4.or_else(|| peer.as_sockaddr_in6().map(|peer| SocketAddr::V6((*peer).into())))
    });
    let route = peer.zip(local).map(|(peer, local)| Route { peer, local: SocketAddr::new(local, address.port()) });
    Ok((message.bytes, route))
}
