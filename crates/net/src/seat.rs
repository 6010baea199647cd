//! Who is connected, and who gives way when there is no room. Apart, because sessions touch it without a lock; only
//! coming and going take one.

use crate::{Limits, bell::Bell, packet::Route};
use honeyplant_core::event::{Reason, Session};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Instant,
};

/// A session's place among the others; dropped, it is free again.
#[derive(Debug)]
pub struct Seat {
    chair: Arc<Chair>,
    since: Instant,
    /// Whom the chair will wake.
    sleeper: Option<Waker>,
    room: Option<(Arc<Room>, u64)>,
    /// The connection that its device shows to those who ask.
    connection: Option<Arc<Session>>,
}

/// What the room knows of a session, and the session of the room.
#[derive(Debug, Default)]
struct Chair {
    /// When the peer was last heard, in nanoseconds since the room opened.
    heard: AtomicU64,
    told: OnceLock<Reason>,
    sleeper: Mutex<Option<Waker>>,
    /// Of a session that shares its task with others: what tells that task.
    bell: Option<(Arc<Bell>, Route)>,
}

impl Seat {
    /// A seat of which nobody else knows, for a line that can have only one session.
    pub fn alone() -> Self {
        Self { chair: Arc::default(), since: Instant::now(), sleeper: None, room: None, connection: None }
    }

    /// The same, of a connection that the device knows of as long as the seat is held.
    pub(crate) fn connected(mut self, session: Arc<Session>) -> Self {
        session.device.traffic().connected(session.local, session.peer);
        self.connection = Some(session);
        self
    }

    /// What tells this session to leave, from elsewhere.
    pub fn dismissal(&self) -> impl Fn(Reason) + Send + Sync + 'static {
        let chair = self.chair.clone();
        move |reason| chair.dismiss(reason)
    }

    /// The peer was heard at `now`.
    pub(crate) fn touch(&self, now: Instant) {
        self.chair.heard.store(nanoseconds(self.since, now), Ordering::Relaxed);
    }

    /// Why this session is to leave, if it is.
    pub(crate) fn told(&self) -> Option<Reason> {
        self.chair.told.get().copied()
    }

    /// Is ready once this session is to leave.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<Reason> {
        if !self.sleeper.as_ref().is_some_and(|sleeper| sleeper.will_wake(cx.waker())) {
            self.sleeper = Some(cx.waker().clone());
            *lock(&self.chair.sleeper) = Some(cx.waker().clone());
        }
        // Looked at after the waker is in its place, so that nothing told in between is missed.
        self.told().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some((room, id)) = &self.room {
            lock(&room.table).leave(*id);
        }
        if let Some(session) = &self.connection {
            session.device.traffic().disconnected(session.local, session.peer);
        }
    }
}

impl Chair {
    fn dismiss(&self, reason: Reason) {
        self.told.get_or_init(|| reason);
        let sleeper = lock(&self.sleeper).take();
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
        if let Some((bell, route)) = &self.bell {
            bell.ring(*route);
        }
    }
}

/// All seats of a fleet.
#[derive(Debug)]
pub(crate) struct Room {
    opened: Instant,
    sessions: usize,
    sessions_per_source: usize,
    /// As many sessions of datagrams as there may be. Whoever forges addresses can open any number of them, and must not
    /// make connections give way.
    correspondents: usize,
    table: Mutex<Table>,
}

/// The service of a device that a session came to, and how many it takes at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrance {
    pub(crate) number: usize,
    pub(crate) connections: Option<usize>,
}

impl Room {
    pub(crate) fn new(limits: &Limits) -> Self {
        let sessions = limits.sessions.max(1);
        Self {
            opened: Instant::now(),
            sessions,
            sessions_per_source: limits.sessions_per_source.max(1),
            correspondents: (sessions / 4).max(1),
            table: Mutex::default(),
        }
    }

    /// A seat for the connection `id`. Where there is none left, the session that was idle longest gives way.
    pub(crate) fn enter(self: &Arc<Self>, id: u64, peer: IpAddr, entrance: Entrance, now: Instant) -> Seat {
        self.admit(id, peer, entrance, now, None)
    }

    /// A seat for the session `id` of datagrams, which hears by `bell` that it is to leave.
    pub(crate) fn write_in(
        self: &Arc<Self>,
        id: u64,
        route: Route,
        entrance: Entrance,
        now: Instant,
        bell: &Arc<Bell>,
    ) -> Seat {
        self.admit(id, route.peer.ip(), entrance, now, Some((bell.clone(), route)))
    }

    fn admit(
        self: &Arc<Self>,
        id: u64,
        peer: IpAddr,
        entrance: Entrance,
        now: Instant,
        bell: Option<(Arc<Bell>, Route)>,
    ) -> Seat {
        let writes = bell.is_some();
        let chair = Arc::new(Chair { bell, ..Chair::default() });
        let room = Some((self.clone(), id));
        let seat = Seat { chair: chair.clone(), since: self.opened, sleeper: None, room, connection: None };
        seat.touch(now);
        let (mut table, source) = (lock(&self.table), (source(peer), writes));
        while table.sources.get(&source).is_some_and(|queue| queue.count >= self.sessions_per_source) {
            table.dismiss(Crowd::Source(source));
        }
        let taken = |table: &Table| table.entrances.get(&entrance.number).map_or(0, |queue| queue.count);
        while entrance.connections.is_some_and(|most| taken(&table) >= most.max(1)) {
            table.dismiss(Crowd::Entrance(entrance.number));
        }
        while writes && table.correspondents.count >= self.correspondents {
            table.dismiss(Crowd::Correspondents);
        }
        while table.all.count >= self.sessions {
            let own = writes && table.correspondents.count > 0;
            table.dismiss(if own { Crowd::Correspondents } else { Crowd::All });
        }
        table.seat(id, Guest { chair, source, entrance });
        seat
    }

    /// The connection that was idle longest gives way, for a reason outside this room, with all that was idle longer.
    pub(crate) fn yield_one(&self) {
        let mut table = lock(&self.table);
        while table.dismiss(Crowd::All).is_some_and(|guest| guest.writes()) {}
    }

    /// All sessions are to leave.
    pub(crate) fn close(&self) {
        let guests: Vec<_> = lock(&self.table).guests.values().map(|guest| guest.chair.clone()).collect();
        guests.iter().for_each(|chair| chair.dismiss(Reason::Shutdown));
    }
}

#[derive(Debug, Default)]
struct Table {
    guests: HashMap<u64, Guest>,
    all: Queue,
    correspondents: Queue,
    sources: HashMap<Source, Queue>,
    /// Only of those that have a limit.
    entrances: HashMap<usize, Queue>,
}

/// An address, and whether datagrams came from it: those may be somebody else's.
type Source = (IpAddr, bool);

#[derive(Debug)]
struct Guest {
    chair: Arc<Chair>,
    source: Source,
    entrance: Entrance,
}

impl Guest {
    fn writes(&self) -> bool {
        self.chair.bell.is_some()
    }
}

/// Of whom one is to leave.
#[derive(Clone, Copy)]
enum Crowd {
    Source(Source),
    Entrance(usize),
    Correspondents,
    All,
}

impl Table {
    fn seat(&mut self, id: u64, guest: Guest) {
        let entry = Reverse((guest.chair.heard.load(Ordering::Relaxed), id));
        self.guests.insert(id, guest);
        let Self { guests, all, correspondents, sources, entrances } = self;
        let Some(guest) = guests.get(&id) else { return };
        all.push(entry, guests);
        if guest.writes() {
            correspondents.push(entry, guests);
        }
        sources.entry(guest.source).or_default().push(entry, guests);
        if guest.entrance.connections.is_some() {
            entrances.entry(guest.entrance.number).or_default().push(entry, guests);
        }
    }

    fn leave(&mut self, id: u64) -> Option<Guest> {
        let guest = self.guests.remove(&id)?;
        self.all.count -= 1;
        if guest.writes() {
            self.correspondents.count -= 1;
        }
        if let Some(queue) = self.sources.get_mut(&guest.source) {
            queue.count -= 1;
            if queue.count == 0 {
                self.sources.remove(&guest.source);
            }
        }
        let entrance = guest.entrance.connections.and_then(|_| self.entrances.get_mut(&guest.entrance.number));
        if let Some(queue) = entrance {
            queue.count -= 1;
            if queue.count == 0 {
                self.entrances.remove(&guest.entrance.number);
            }
        }
        Some(guest)
    }

    /// Its seat is free at once; its socket is closed when its task has recorded that.
    fn dismiss(&mut self, crowd: Crowd) -> Option<Guest> {
        let queue = match crowd {
            Crowd::Source(source) => self.sources.get_mut(&source),
            Crowd::Entrance(number) => self.entrances.get_mut(&number),
            Crowd::Correspondents => Some(&mut self.correspondents),
            Crowd::All => Some(&mut self.all),
        };
        let oldest = queue?.oldest(&self.guests)?;
        let guest = self.leave(oldest)?;
        guest.chair.dismiss(Reason::Crowded);
        Some(guest)
    }
}

/// Sessions in the order in which they were last known to be heard. What is known may be old: it is looked at again
/// when a session comes to the front, so that a request costs no more than a store.
#[derive(Debug, Default)]
struct Queue {
    count: usize,
    order: BinaryHeap<Reverse<(u64, u64)>>,
}

impl Queue {
    fn push(&mut self, entry: Reverse<(u64, u64)>, guests: &HashMap<u64, Guest>) {
        self.count += 1;
        self.order.push(entry);
        // Those who left are still in the order; it is swept before they are the greater part.
        if self.order.len() > 2 * self.count + 16 {
            self.order.retain(|Reverse((_, id))| guests.contains_key(id));
        }
    }

    fn oldest(&mut self, guests: &HashMap<u64, Guest>) -> Option<u64> {
        // Sessions that are heard meanwhile could go round for ever; after one round any will do.
        let mut round = self.order.len();
        while let Some(Reverse((known, id))) = self.order.pop() {
            let Some(guest) = guests.get(&id) else { continue };
            let heard = guest.chair.heard.load(Ordering::Relaxed);
            if heard <= known || round == 0 {
                return Some(id);
            }
            round -= 1;
            self.order.push(Reverse((heard, id)));
        }
        None
    }
}

/// The address that sessions are counted under.
fn source(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

fn nanoseconds(since: Instant, now: Instant) -> u64 {
    u64::try_from(now.saturating_duration_since(since).as_nanos()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ANY: Entrance = Entrance { number: 0, connections: None };

    fn room(sessions: usize, sessions_per_source: usize) -> Arc<Room> {
        Arc::new(Room::new(&Limits { sessions, sessions_per_source, ..Limits::default() }))
    }

    fn told(seats: &[Seat]) -> Vec<usize> {
        (0..seats.len()).filter(|i| seats[*i].told() == Some(Reason::Crowded)).collect()
    }

    #[test]
    fn the_one_that_was_idle_longest_gives_way() {
        let (room, start) = (room(3, 100), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let mut seats: Vec<_> = (0..3).map(|i| room.enter(i, [10, 0, 0, 1].into(), ANY, at(i))).collect();
        seats[0].touch(at(50));
        seats.push(room.enter(3, [10, 0, 0, 2].into(), ANY, at(60)));
        assert_eq!(told(&seats), [1]);
        seats[2].touch(at(70));
        seats.push(room.enter(4, [10, 0, 0, 2].into(), ANY, at(80)));
        assert_eq!(told(&seats), [0, 1]);
    }

    #[test]
    fn a_source_crowds_out_its_own() {
        let (room, now) = (room(100, 2), Instant::now());
        let enter = |id, peer: &str| room.enter(id, peer.parse().unwrap(), ANY, now);
        let mut seats = vec![enter(0, "10.0.0.9"), enter(1, "10.0.0.1"), enter(2, "10.0.0.1")];
        assert!(told(&seats).is_empty());
        seats.push(enter(3, "10.0.0.1"));
        assert_eq!(told(&seats), [1]);
        for (id, peer) in [(4, "2001:db8::1"), (5, "2001:db8::2"), (6, "2001:db8::3"), (7, "2001:db8:0:1::1")] {
            seats.push(enter(id, peer));
        }
        assert_eq!(told(&seats), [1, 4], "a host has all addresses behind its prefix");
    }

    #[test]
    fn a_device_takes_as_many_as_it_can() {
        let (room, now) = (room(100, 100), Instant::now());
        let few = |number| Entrance { number, connections: Some(1) };
        let seats: Vec<_> = [few(1), few(2), few(1), ANY]
            .into_iter()
            .enumerate()
            .map(|(id, entrance)| room.enter(id as u64, [10, 0, 0, id as u8].into(), entrance, now))
            .collect();
        assert_eq!(told(&seats), [0]);
    }

    #[test]
    fn those_who_left_leave_nothing_behind() {
        let room = room(5, 5);
        for id in 0..10_000 {
            let _seat = room.enter(id, [10, 0, (id >> 8) as u8, id as u8].into(), ANY, Instant::now());
        }
        let table = lock(&room.table);
        assert_eq!((table.guests.len(), table.sources.len(), table.all.count), (0, 0, 0));
        assert!(table.all.order.len() < 20, "{}", table.all.order.len());
    }

    #[test]
    fn those_who_write_do_not_make_connections_give_way() {
        let (room, bell, now) = (room(8, 100), Arc::<Bell>::default(), Instant::now());
        let local = ([10, 0, 0, 1], 161).into();
        let writes = |id, host| {
            let route = Route { peer: ([192, 0, 2, host], 40_000 + id as u16).into(), local };
            room.write_in(id, route, ANY, now, &bell)
        };
        let connects = |id| room.enter(id, [10, 0, 0, 9].into(), ANY, now);
        let connections: Vec<_> = (0..7).map(connects).collect();
        let first = writes(7, 1);
        let mut later: Vec<_> = (8..100).map(|id| writes(id, id as u8)).collect();
        assert_eq!(first.told(), Some(Reason::Crowded));
        assert_eq!(bell.told().len(), 92, "all but the last were told");
        assert_eq!(told(&connections), [0_usize; 0]);
        later.drain(..).for_each(drop);
        let mut two = vec![writes(100, 1)];
        let more: Vec<_> = (101..103).map(connects).collect();
        assert!(told(&more).is_empty() && told(&connections) == [0, 1], "but they take places as others do");
        two.push(writes(103, 1));
        assert_eq!(told(&two), [0]);
    }
}
