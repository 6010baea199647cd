//! What the echo bench asks of the demo site. Apart, because a protocol adds its row here and nothing else.

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    Tcp,
    Tls,
    Udp,
}

/// How the end of an answer is found, where its length is not known before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// It always has as many bytes.
    Fixed(usize),
    /// RFC 9112 §6.2
    ContentLength,
    /// RFC 2126 §4.3
    Tpkt,
}

/// One protocol's commonest request to the demo site.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) carrier: Carrier,
    pub(crate) to: &'static str,
    /// What is said, and answered, before anything is asked.
    pub(crate) before: &'static [&'static [u8]],
    /// The request with the sequence number `n`.
    pub(crate) request: fn(n: u16) -> Vec<u8>,
    /// How many ask at once.
    pub(crate) clients: [usize; 2],
    /// How the answer ends; over UDP, how many bytes the echo server answers.
    pub(crate) reply: Framing,
}

/// The same request again and again folds in the journal; one that is another each time does not.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "modbus: 8 holding registers",
        carrier: Carrier::Tcp,
        to: "127.0.10.2:10502",
        before: &[],
        request: |n| [&n.to_be_bytes()[..], &[0, 0, 0, 6, 1, 3, 0, 0, 0, 8]].concat(),
        clients: [1, 32],
        reply: Framing::Fixed(25),
    },
    Row {
        name: "modbus: 8 of them, others each time",
        carrier: Carrier::Tcp,
        to: "127.0.10.2:10502",
        before: &[],
        request: |n| [&n.to_be_bytes()[..], &[0, 0, 0, 6, 1, 3, 0, (n % 200) as u8, 0, 8]].concat(),
        clients: [1, 32],
        reply: Framing::Fixed(25),
    },
    Row {
        name: "snmp: GetNext",
        carrier: Carrier::Udp,
        to: "127.0.10.2:10161",
        before: &[],
        // system
        request: |n| get_next(n, &[0x2B, 6, 1, 2, 1, 1, 3]),
        clients: [1, 32],
        reply: Framing::Fixed(48),
    },
    Row {
        name: "snmp: GetNext, others each time",
        carrier: Carrier::Udp,
        to: "127.0.10.2:10161",
        before: &[],
        // ifEntry
        request: |n| get_next(n, &[0x2B, 6, 1, 2, 1, 2, 2, 1, (n % 20) as u8 + 1]),
        clients: [1, 32],
        reply: Framing::Fixed(48),
    },
    Row {
        name: "iec104: TESTFR",
        carrier: Carrier::Tcp,
        to: "127.0.10.5:12404",
        before: &[],
        request: |_| vec![0x68, 4, 0x43, 0, 0, 0],
        // The RTU takes four.
        clients: [1, 4],
        reply: Framing::Fixed(6),
    },
    Row {
        name: "s7comm: read 16 bytes of a DB",
        carrier: Carrier::Tcp,
        to: "127.0.10.1:10102",
        before: &[CONNECT, SETUP],
        request: read_block,
        // The CPU has resources for few.
        clients: [1, 4],
        reply: Framing::Tpkt,
    },
    Row {
        name: "http: GET / of the panel",
        carrier: Carrier::Tcp,
        to: "127.0.10.3:10080",
        before: &[],
        request: |_| GET.to_vec(),
        clients: [1, 32],
        reply: Framing::ContentLength,
    },
    Row {
        name: "https: GET / of the panel",
        carrier: Carrier::Tls,
        to: "127.0.10.3:10443",
        before: &[],
        request: |_| GET.to_vec(),
        clients: [1, 32],
        reply: Framing::ContentLength,
    },
];

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: plc\r\nAccept: */*\r\n\r\n";

/// A connection request (X.224 §13.3) to rack 0, slot 2.
const CONNECT: &[u8] = &[3, 0, 0, 22, 17, 0xE0, 0, 0, 0, 1, 0, 0xC1, 2, 1, 0, 0xC2, 2, 1, 2, 0xC0, 1, 10];

/// The setup of the communication, for PDUs of 240 bytes.
const SETUP: &[u8] = &[3, 0, 0, 25, 2, 0xF0, 0x80, 0x32, 1, 0, 0, 0, 1, 0, 8, 0, 0, 0xF0, 0, 0, 1, 0, 1, 0, 0xF0];

/// Reads 16 bytes from the start of data block 10.
fn read_block(n: u16) -> Vec<u8> {
    let head = [3, 0, 0, 31, 2, 0xF0, 0x80, 0x32, 1, 0, 0];
    let item = [0, 14, 0, 0, 4, 1, 0x12, 10, 0x10, 2, 0, 16, 0, 10, 0x84, 0, 0, 0];
    [&head[..], &n.to_be_bytes(), &item].concat()
}

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
