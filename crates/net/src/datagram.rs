//! All sessions of one socket of datagrams. Apart, because where streams have a task each, these share one: their peers
//! are told apart by where they write from, and nothing tells when one is gone.

use crate::{
    Record, Trouble,
    alarm::Alarm,
    bell::Bell,
    correspondent::{Correspondent, Mail},
    door::{self, Behind},
    host::Host,
    packet::{LONGEST, Packets, Route},
};
use honeyplant_core::{conversation::Transport, event::Reason};
use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, hash_map::Entry},
    future::{Future, poll_fn},
    io,
    mem::replace,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep};

/// A socket of datagrams, and the sessions that came over it.
pub(crate) struct Mailbox<R: Record, T> {
    packets: Packets,
    behind: Behind,
    host: Arc<Host<R, T>>,
    sessions: HashMap<Route, Correspondent<R>>,
    /// When to look at whom; a session has one at its alarm, and may have later ones that mean nothing any more.
    alarms: BinaryHeap<Reverse<(Instant, Route)>>,
    alarm: Alarm,
    bell: Arc<Bell>,
    out: Vec<u8>,
    cuts: Vec<usize>,
}

/// Why the mailbox cannot go on as it is.
enum Pause {
    /// All is to end.
    Stop,
    /// The record is full.
    Full,
    /// The system has an error.
    Trouble(io::Error),
}

thread_local! {
    /// Where datagrams are received: one place a thread, since none is kept longer than it takes to deal with it.
    static RECEIVED: RefCell<Vec<u8>> = RefCell::new(vec![0; LONGEST]);
}

impl<R: Record, T: Fn(Trouble) + Send + Sync + 'static> Mailbox<R, T> {
    pub(crate) fn new(packets: Packets, behind: Behind, host: Arc<Host<R, T>>) -> Self {
        Self {
            packets,
            behind,
            host,
            sessions: HashMap::new(),
            alarms: BinaryHeap::new(),
            alarm: Alarm::default(),
            bell: Arc::default(),
            out: Vec::new(),
            cuts: Vec::new(),
        }
    }

    /// Serves until all is to end.
    pub(crate) async fn serve(mut self) {
        let host = self.host.clone();
        let mut stopped = pin!(host.stop.stopped());
        let mut pause = Duration::ZERO;
        loop {
            match poll_fn(|cx| self.poll(stopped.as_mut(), &mut pause, cx)).await {
                Pause::Stop => break,
                // A full record makes peers wait; what the system then cannot keep is lost on the way to the device.
                Pause::Full => pause = (2 * pause).clamp(Duration::from_millis(1), Duration::from_millis(16)),
                Pause::Trouble(error) => {
                    if pause.is_zero() {
                        let address = self.packets.address();
                        (host.trouble)(Trouble {
                            address: address.ip(),
                            transport: Transport::Udp(address.port()),
                            error,
                        });
                    }
                    pause = (2 * pause).clamp(Host::<R, T>::BEAT, Duration::from_secs(1));
                }
            }
            tokio::select! {
                () = &mut stopped => break,
                () = sleep(pause) => {}
            }
        }
        for (_, mut session) in self.sessions.drain() {
            session.end(Reason::Shutdown);
        }
    }

    /// Deals with all that there is to do.
    fn poll(&mut self, stopped: Pin<&mut impl Future>, pause: &mut Duration, cx: &mut Context<'_>) -> Poll<Pause> {
        let mut buffer = RECEIVED.take();
        buffer.resize(LONGEST, 0);
        let received = self.poll_received(&mut buffer, pause, cx);
        RECEIVED.set(buffer);
        if received.is_ready() {
            return received;
        }
        // Asked only when there is nothing else to do, since asking takes locks that all doors share.
        if stopped.poll(cx).is_ready() {
            return Poll::Ready(Pause::Stop);
        }
        while self.bell.poll(cx).is_ready() {
            self.dismiss();
        }
        // By the clock, since a timer does not ring for a task that has much to do.
        if self.is_late() {
            self.wake();
        }
        while let Some(Reverse((due, _))) = self.alarms.peek() {
            if self.is_late() {
                // Others have their turn first: there may be sessions that are always late.
                cx.waker().wake_by_ref();
                break;
            }
            if self.alarm.poll(*due, cx).is_pending() {
                break;
            }
        }
        Poll::Pending
    }

    fn is_late(&self) -> bool {
        self.alarms.peek().is_some_and(|Reverse((due, _))| *due <= Instant::now())
    }

    fn poll_received(&mut self, buffer: &mut [u8], pause: &mut Duration, cx: &mut Context<'_>) -> Poll<Pause> {
        loop {
            if self.host.stop.is_stopped() {
                return Poll::Ready(Pause::Stop);
            }
            if self.host.record.is_full() {
                return Poll::Ready(Pause::Full);
            }
            match self.packets.poll_receive(buffer, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok((length, route))) => {
                    *pause = Duration::ZERO;
                    let datagram = buffer.get(..length);
                    if let Some((datagram, route)) = datagram.zip(route) {
                        self.receive(datagram, route);
                    }
                }
                // There is nothing to be done about it.
                Poll::Ready(Err(error)) if is_of_an_answer(&error) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Pause::Trouble(error)),
            }
        }
    }

    fn receive(&mut self, datagram: &[u8], route: Route) {
        // Nobody has this address.
        let Some(entry) = self.behind.at(route.local.ip()) else { return };
        let now = Instant::now();
        let Self { packets, host, sessions, alarms, bell, out, cuts, .. } = self;
        let begin = || begin(host, entry, bell, route, now);
        let session = match sessions.entry(route) {
            Entry::Occupied(session) => session.into_mut(),
            Entry::Vacant(place) => {
                let Some(session) = begin() else { return };
                alarms.push(Reverse((session.alarm, route)));
                place.insert(session)
            }
        };
        if let Some(reason) = session.over(now) {
            let Some(next) = begin() else { return };
            alarms.push(Reverse((next.alarm, route)));
            replace(session, next).end(reason);
        }
        let mut mail = Mail { packets, budget: &host.budget, out, cuts, now, at: SystemTime::now() };
        match session.receive(datagram, &mut mail) {
            Some(reason) => self.end(route, reason),
            None => {
                let due = session.due();
                if due < session.alarm {
                    session.alarm = due;
                    alarms.push(Reverse((due, route)));
                }
            }
        }
        self.dismiss();
        self.sweep();
    }

    /// Those who were told to leave do.
    fn dismiss(&mut self) {
        for route in self.bell.told() {
            if let Some(reason) = self.sessions.get(&route).and_then(|session| session.over(Instant::now())) {
                self.end(route, reason);
            }
        }
    }

    /// Looks at those whose alarm has come.
    fn wake(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((due, route))) = self.alarms.pop() {
            if due > now {
                self.alarms.push(Reverse((due, route)));
                break;
            }
            let Self { packets, host, sessions, alarms, out, cuts, .. } = self;
            let Some(session) = sessions.get_mut(&route).filter(|session| session.alarm == due) else { continue };
            let mut mail = Mail { packets, budget: &host.budget, out, cuts, now, at: SystemTime::now() };
            match session.wake(&mut mail) {
                Some(reason) => self.end(route, reason),
                None => {
                    session.alarm = session.due();
                    alarms.push(Reverse((session.alarm, route)));
                }
            }
        }
    }

    fn end(&mut self, route: Route, reason: Reason) {
        if let Some(mut session) = self.sessions.remove(&route) {
            session.end(reason);
        }
    }

    /// Alarms that mean nothing any more are thrown away before they are the greater part.
    fn sweep(&mut self) {
        let Self { sessions, alarms, .. } = self;
        if alarms.len() > 2 * sessions.len() + 64 {
            alarms.retain(|Reverse((due, route))| sessions.get(route).is_some_and(|session| session.alarm == *due));
        }
    }
}

fn begin<R: Record, T: Fn(Trouble) + Send + Sync + 'static>(
    host: &Host<R, T>,
    entry: &door::Entry,
    bell: &Arc<Bell>,
    route: Route,
    now: Instant,
) -> Option<Correspondent<R>> {
    let (session, conversation) = host.session(entry, route.peer, route.local)?;
    let seat = host.room.write_in(session.id, route, entry.entrance, now.into_std(), bell);
    let idle = host.limits.silence(entry.door.idle);
    Some(Correspondent::new(conversation, session, host.record.clone(), seat, idle, now))
}

/// Whether an error tells what became of an earlier answer.
fn is_of_an_answer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), ConnectionRefused | ConnectionReset | HostUnreachable | NetworkUnreachable)
}
