//! What was said in one session, as packets: RFC 791 and 8200 for IP, RFC 9293 for TCP, RFC 768 for UDP. Apart, because the
//! record has no packets: headers, handshakes and acknowledgements are made up here.

use super::{exchange::Exchange, pcapng::Packet};
use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader, TcpOptionElement};
use honeyplant_core::event::Reason;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Octets of a stream that one packet carries: those of an Ethernet.
const SEGMENT: u16 = 1440;
/// As long as an IPv4 packet can be, less the headers of IPv6 and TCP.
const LONGEST: usize = 65_535 - 60;
/// How many notes wait for a packet.
const NOTES: usize = 16;

/// How the session ended, as far as a packet tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The actor ended it.
    Peer,
    /// The device ended it.
    Device,
    /// The actor is gone.
    PeerReset,
    /// The device is gone.
    DeviceReset,
}

/// One session, and how far its capture has come.
#[derive(Debug)]
pub(super) struct Stream {
    peer: SocketAddr,
    device: SocketAddr,
    datagrams: bool,
    begun: bool,
    /// The sequence numbers that the actor and the device go on with.
    numbers: (u32, u32),
    /// How many octets of the actor and of the device are shown.
    pub(super) shown: (u64, u64),
    /// The last event that is in the capture.
    pub(super) sequence: u64,
    /// What the last message was, and what was told of it.
    last: Option<(u64, u64)>,
    told: Vec<String>,
    /// When it was opened, in microseconds since 1970, if that is known.
    opened: Option<u64>,
    /// What is to be said with the next packet.
    notes: Vec<String>,
}

/// Makes one packet after another, for one event.
struct Maker<'a> {
    stream: &'a mut Stream,
    out: &'a mut Vec<Packet>,
}

impl Stream {
    pub(super) fn new(session: u64, peer: SocketAddr, device: SocketAddr, datagrams: bool) -> Self {
        // The real numbers are not in the record. Equal ones would make two sessions of one port look like one.
        let first = |odd: u64| (session.wrapping_mul(odd) >> 24) as u32;
        Self {
            peer,
            device,
            datagrams,
            begun: false,
            numbers: (first(0x9E37_79B9_7F4A_7C15), first(0xD1B5_4A32_D192_ED03)),
            shown: (0, 0),
            sequence: 0,
            last: None,
            told: Vec::new(),
            opened: None,
            notes: Vec::new(),
        }
    }

    /// It was opened then, and this was said of it before the first message.
    pub(super) fn opened(mut self, at: Option<u64>, notes: Vec<String>) -> Self {
        (self.opened, self.notes) = (at, notes);
        self
    }

    /// Whether `exchange` is about the message that was written last.
    pub(super) fn knows(&self, exchange: &Exchange) -> bool {
        self.last.is_some_and(|last| exchange.is_about(last, &self.told))
    }

    /// A note for the next packet.
    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < NOTES {
            self.notes.push(note);
        }
    }

    /// Appends the packets of a message, its answer and what else its event tells.
    pub(super) fn add(&mut self, exchange: &Exchange, out: &mut Vec<Packet>) {
        self.remember(exchange);
        let first = out.len();
        let mut comments = std::mem::take(&mut self.notes);
        comments.extend(exchange.comments.iter().cloned());
        let opened = self.opened.take().filter(|opened| *opened <= exchange.at).unwrap_or(exchange.at);
        let mut maker = Maker { stream: self, out };
        if maker.stream.datagrams {
            for (inbound, octets, length) in exchange.sides().into_iter().filter(|(.., length)| *length > 0) {
                maker.datagram(inbound, octets, length);
            }
        } else {
            maker.handshake();
        }
        // A nanosecond keeps apart what has one time in the record.
        let handshake = out.len();
        let mut maker = Maker { stream: self, out };
        if !maker.stream.datagrams {
            maker.conversation(exchange);
            if let Some(reason) = &exchange.ending {
                maker.end(end(reason));
            }
        }
        for (number, packet) in out.iter_mut().enumerate().skip(first) {
            let at = if number < handshake && !self.datagrams { opened } else { exchange.at };
            packet.at = at * 1000 + (number - first) as u64;
        }
        let speaks = |packet: &Packet| Self::payload(packet).is_some_and(|payload| !payload.is_empty());
        let place = out.iter().skip(first).position(|packet| speaks(packet) || exchange.is_bare());
        match out.get_mut(first + place.unwrap_or_default()) {
            Some(packet) => packet.comments = comments,
            None => comments.into_iter().for_each(|comment| self.note(comment)),
        }
    }

    /// The last message that the capture has is this.
    pub(super) fn remember(&mut self, exchange: &Exchange) {
        self.last = Some(exchange.message());
        self.told.clone_from(&exchange.sentences);
    }

    /// A message that was already written has another event.
    pub(super) fn tell(&mut self, exchange: Exchange) {
        self.told.extend(exchange.sentences);
        exchange.comments.into_iter().for_each(|comment| self.note(comment));
    }

    /// What the capture itself tells of the stream, one packet after another.
    pub(super) fn recover(&mut self, packet: &Packet) -> Option<()> {
        let (header, length) = match packet.octets.first()? >> 4 {
            4 => (20, usize::from(u16::from_be_bytes(*packet.octets.get(2..)?.first_chunk()?))),
            _ => (40, 40 + usize::from(u16::from_be_bytes(*packet.octets.get(4..)?.first_chunk()?))),
        };
        let transport = packet.octets.get(header..)?;
        let start = if self.datagrams { 8 } else { usize::from(transport.get(12)? >> 4) * 4 };
        let shown = transport.len().checked_sub(start)? as u64;
        let count = u32::try_from(length.checked_sub(header + start)?).ok()?;
        if packet.inbound {
            self.shown.0 += shown
        } else {
            self.shown.1 += shown
        }
        if !self.datagrams {
            self.begun = true;
            let flags = transport.get(13)?;
            let number = u32::from_be_bytes(*transport.get(4..)?.first_chunk()?);
            let next = number.wrapping_add(count).wrapping_add(u32::from(flags & 3 != 0));
            *(if packet.inbound { &mut self.numbers.0 } else { &mut self.numbers.1 }) = next;
        }
        Some(())
    }

    /// The octets of a packet's payload.
    pub(super) fn payload(packet: &Packet) -> Option<&[u8]> {
        let header = if packet.octets.first()? >> 4 == 4 { 20 } else { 40 };
        let protocol = if header == 20 { packet.octets.get(9)? } else { packet.octets.get(6)? };
        let transport = packet.octets.get(header..)?;
        let start = if *protocol == 17 { 8 } else { usize::from(transport.get(12)? >> 4) * 4 };
        transport.get(start..)
    }

    /// Where it goes, by one packet of it.
    pub(super) fn of(session: u64, packet: &Packet) -> Option<Self> {
        let octets = &packet.octets;
        let (source, destination, protocol, header): (IpAddr, IpAddr, _, _) = if octets.first()? >> 4 == 4 {
            let source: [u8; 4] = *octets.get(12..)?.first_chunk()?;
            let destination: [u8; 4] = *octets.get(16..)?.first_chunk()?;
            (source.into(), destination.into(), *octets.get(9)?, 20)
        } else {
            let source: [u8; 16] = *octets.get(8..)?.first_chunk()?;
            let destination: [u8; 16] = *octets.get(24..)?.first_chunk()?;
            (source.into(), destination.into(), *octets.get(6)?, 40)
        };
        let port = |at: usize| Some(u16::from_be_bytes(*octets.get(header + at..)?.first_chunk()?));
        let (from, to) = (SocketAddr::new(source, port(0)?), SocketAddr::new(destination, port(2)?));
        let (peer, device) = if packet.inbound { (from, to) } else { (to, from) };
        Some(Self::new(session, peer, device, protocol == 17))
    }
}

impl Maker<'_> {
    fn handshake(&mut self) {
        if std::mem::replace(&mut self.stream.begun, true) {
            return;
        }
        let options = [
            TcpOptionElement::MaximumSegmentSize(SEGMENT + 20),
            // The window is never what ends a message.
            TcpOptionElement::WindowScale(10),
        ];
        self.segment(true, &[], 0, |header| {
            header.syn = true;
            header.ack = false;
            header.acknowledgment_number = 0;
            // Six octets fit into forty.
            let _ = header.set_options(&options);
        });
        self.segment(false, &[], 0, |header| {
            header.syn = true;
            let _ = header.set_options(&options);
        });
        self.segment(true, &[], 0, |_| {});
    }

    /// What the actor said and what the device answered, and the acknowledgement of whoever only listened last.
    fn conversation(&mut self, exchange: &Exchange) {
        let mut spoke = None;
        for (inbound, octets, length) in exchange.sides().into_iter().filter(|(.., length)| *length > 0) {
            spoke = Some(inbound);
            if length == octets.len() {
                let count = octets.len().div_ceil(SEGMENT.into());
                for (number, part) in octets.chunks(SEGMENT.into()).enumerate() {
                    self.segment(inbound, part, part.len(), |header| header.psh = number + 1 == count);
                }
                continue;
            }
            // What is not in the record was in packets that were longer than what is shown of them.
            let (mut octets, mut length) = (octets, length);
            while length > 0 {
                let (part, rest) = octets.split_at(octets.len().min(LONGEST));
                let whole = length.min(LONGEST);
                self.segment(inbound, part, whole, |header| header.psh = true);
                (octets, length) = (rest, length - whole);
            }
        }
        if let Some(inbound) = spoke {
            self.segment(!inbound, &[], 0, |_| {});
        }
    }

    fn end(&mut self, end: End) {
        match end {
            End::PeerReset | End::DeviceReset => {
                self.segment(end == End::PeerReset, &[], 0, |header| header.rst = true);
            }
            End::Peer | End::Device => {
                let first = end == End::Peer;
                self.segment(first, &[], 0, |header| header.fin = true);
                self.segment(!first, &[], 0, |header| header.fin = true);
                self.segment(first, &[], 0, |_| {});
            }
        }
    }

    fn segment(&mut self, inbound: bool, octets: &[u8], length: usize, set: impl FnOnce(&mut TcpHeader)) {
        let stream = &mut *self.stream;
        let ((from, to), (number, acknowledged)) = match (inbound, stream.numbers) {
            (true, numbers) => ((stream.peer, stream.device), numbers),
            (false, (theirs, ours)) => ((stream.device, stream.peer), (ours, theirs)),
        };
        let mut header = TcpHeader::new(from.port(), to.port(), number, u16::MAX);
        (header.ack, header.acknowledgment_number) = (true, acknowledged);
        set(&mut header);
        let counted = length + usize::from(header.syn || header.fin);
        let next = number.wrapping_add(u32::try_from(counted).unwrap_or_default());
        *(if inbound { &mut stream.numbers.0 } else { &mut stream.numbers.1 }) = next;
        let headers = 20 + header.options.len();
        self.packet(inbound, (from, to), octets, length, headers, |ip, payload, out| {
            // Writing into memory fails for what is longer than a packet only, and that was cut.
            let _ = ip.tcp_header(header).write(out, payload);
        });
    }

    fn datagram(&mut self, inbound: bool, octets: &[u8], length: usize) {
        let (peer, device) = (self.stream.peer, self.stream.device);
        let (from, to) = if inbound { (peer, device) } else { (device, peer) };
        let (octets, length) = (octets.get(..LONGEST).unwrap_or(octets), length.min(LONGEST));
        self.packet(inbound, (from, to), octets, length, 8, |ip, payload, out| {
            let _ = ip.udp(from.port(), to.port()).write(out, payload);
        });
    }

    fn packet(
        &mut self,
        inbound: bool,
        (from, to): (SocketAddr, SocketAddr),
        octets: &[u8],
        length: usize,
        transport: usize,
        write: impl FnOnce(PacketBuilderStep<etherparse::IpHeaders>, &[u8], &mut Vec<u8>),
    ) {
        let ip = match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), 64),
            (from, to) => PacketBuilder::ipv6(wide(from).octets(), wide(to).octets(), 64),
        };
        let header = if from.is_ipv4() && to.is_ipv4() { 20 } else { 40 };
        let mut packet = Vec::with_capacity(header + transport + length);
        if octets.len() < length {
            let mut whole = octets.to_vec();
            whole.resize(length, 0);
            write(ip, &whole, &mut packet);
        } else {
            write(ip, octets, &mut packet);
        }
        let whole = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        packet.truncate(header + transport + octets.len());
        let shown = &mut self.stream.shown;
        *(if inbound { &mut shown.0 } else { &mut shown.1 }) += octets.len() as u64;
        self.out.push(Packet { inbound, octets: packet, length: whole, ..Packet::default() });
    }
}

fn wide(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn end(reason: &str) -> End {
    let is = |reasons: &[Reason]| reasons.iter().any(|known| known.words() == reason);
    if is(&[Reason::Peer]) {
        End::Peer
    } else if is(&[Reason::Broken]) {
        End::PeerReset
    } else if is(&[Reason::Restart, Reason::Stuck, Reason::Fault]) {
        End::DeviceReset
    } else {
        End::Device
    }
}
