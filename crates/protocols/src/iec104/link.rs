//! One connection's transfer of frames: sequence numbers, windows and timers. IEC 60870-5-104 Ed. 2 (2006) §5.1 to §5.6
//! and §9.6. Apart from the stations, because it carries any ASDU.

use super::wire::{self, Function, MODULUS};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The parameters of §9.6.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    pub(super) t1: Duration,
    pub(super) t2: Duration,
    pub(super) t3: Duration,
    pub(super) k: u16,
    pub(super) w: u16,
}

/// Whether user data may be sent (§5.3, figure 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    Stopped,
    Started,
    /// To be stopped as soon as the peer has acknowledged all that was sent ("unconfirmed stopped").
    Stopping,
}

/// So many answers may wait for the peer to acknowledge earlier ones, before no further request is dealt with.
const CROWDED: usize = 256;

#[derive(Debug)]
pub(super) struct Link {
    parameters: Parameters,
    transfer: Transfer,
    /// V(S) and V(R).
    send: u16,
    receive: u16,
    /// When each frame was sent that is not acknowledged yet; never more than k.
    sent: VecDeque<Instant>,
    /// How many frames the peer has not been acknowledged, and since when.
    owed: u16,
    owed_since: Option<Instant>,
    heard: Option<Instant>,
    /// When the test frame was sent that is not confirmed yet.
    tested: Option<Instant>,
    /// Answers that wait for room in the window.
    queue: VecDeque<Box<[u8]>>,
    /// Whether more is to be told than there was room for.
    pub(super) starved: bool,
}

impl Link {
    pub(super) const fn new(parameters: Parameters) -> Self {
        Self {
            parameters,
            transfer: Transfer::Stopped,
            send: 0,
            receive: 0,
            sent: VecDeque::new(),
            owed: 0,
            owed_since: None,
            heard: None,
            tested: None,
            queue: VecDeque::new(),
            starved: false,
        }
    }

    pub(super) const fn transfer(&self) -> Transfer {
        self.transfer
    }

    /// A whole frame was heard.
    pub(super) const fn hear(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// Takes N(R). The error says which rule it breaks.
    pub(super) fn acknowledge(&mut self, receive: u16, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let unacknowledged = self.send.wrapping_sub(receive) % MODULUS;
        let Some(count) = self.sent.len().checked_sub(unacknowledged.into()) else {
            return Err("N(R) acknowledges what was not sent");
        };
        self.sent.drain(..count);
        if self.transfer == Transfer::Stopping && self.sent.is_empty() {
            self.stop();
            wire::put_function(out, Function::StopCon);
        }
        Ok(())
    }

    /// Takes N(S) of an I frame. The error says which rule it breaks.
    pub(super) fn count(&mut self, send: u16, now: Instant) -> Result<(), &'static str> {
        if self.transfer != Transfer::Started {
            return Err("an I frame came while data transfer was stopped");
        }
        if send != self.receive {
            return Err("N(S) is not the next one");
        }
        self.receive = (self.receive + 1) % MODULUS;
        self.owed += 1;
        self.owed_since.get_or_insert(now);
        Ok(())
    }

    /// Acknowledges what is owed, if it is w frames.
    pub(super) fn acknowledge_window(&mut self, out: &mut Vec<u8>) {
        if self.owed >= self.parameters.w {
            self.supervise(out);
        }
    }

    fn supervise(&mut self, out: &mut Vec<u8>) {
        if self.owed > 0 {
            (self.owed, self.owed_since) = (0, None);
            wire::put_supervisory(out, self.receive);
        }
    }

    pub(super) fn start(&mut self, out: &mut Vec<u8>) {
        self.transfer = Transfer::Started;
        wire::put_function(out, Function::StartCon);
    }

    /// Stops once all is acknowledged; what was not sent until now is not.
    pub(super) fn wind_down(&mut self, out: &mut Vec<u8>) {
        self.supervise(out);
        self.queue.clear();
        if self.sent.is_empty() {
            self.stop();
            wire::put_function(out, Function::StopCon);
        } else {
            self.transfer = Transfer::Stopping;
        }
    }

    /// Stops at once.
    pub(super) fn stop(&mut self) {
        self.transfer = Transfer::Stopped;
        self.queue.clear();
        self.sent.clear();
        self.starved = false;
        (self.owed, self.owed_since) = (0, None);
    }

    pub(super) const fn confirmed(&mut self) {
        self.tested = None;
    }

    /// Whether the peer must acknowledge something before more can be asked for.
    pub(super) fn is_crowded(&self) -> bool {
        self.queue.len() >= CROWDED
    }

    /// Whether an ASDU would go out at once.
    pub(super) fn has_room(&self) -> bool {
        self.transfer == Transfer::Started && self.queue.is_empty() && self.sent.len() < usize::from(self.parameters.k)
    }

    /// Sends the ASDU that `asdu` writes, or keeps it until there is room.
    pub(super) fn say(&mut self, now: Instant, out: &mut Vec<u8>, asdu: impl FnOnce(&mut Vec<u8>)) {
        if self.has_room() {
            self.send(now, out, asdu);
        } else if self.transfer == Transfer::Started {
            let mut octets = Vec::new();
            asdu(&mut octets);
            self.queue.push_back(octets.into());
        }
    }

    /// Sends what waited, as far as there is room.
    pub(super) fn pump(&mut self, now: Instant, out: &mut Vec<u8>) {
        while self.sent.len() < usize::from(self.parameters.k) {
            let Some(asdu) = self.queue.pop_front() else { break };
            self.send(now, out, |out| out.extend_from_slice(&asdu));
        }
    }

    /// Takes back the answers that `unwanted` picks from those that were not sent yet; whether there were any.
    pub(super) fn withdraw(&mut self, unwanted: impl Fn(&[u8]) -> bool) -> bool {
        let before = self.queue.len();
        self.queue.retain(|asdu| !unwanted(asdu));
        self.queue.len() < before
    }

    fn send(&mut self, now: Instant, out: &mut Vec<u8>, asdu: impl FnOnce(&mut Vec<u8>)) {
        wire::put_information(out, self.send, self.receive, asdu);
        self.send = (self.send + 1) % MODULUS;
        self.sent.push_back(now);
        (self.owed, self.owed_since) = (0, None);
    }

    /// When something is to be done though nothing is heard.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let Parameters { t1, t2, t3, .. } = self.parameters;
        let test = self.tested.map(|tested| tested + t1).or(self.heard.map(|heard| heard + t3));
        let oldest = self.sent.front().map(|sent| *sent + t1);
        let owed = self.owed_since.map(|since| since + t2);
        [test, oldest, owed].into_iter().flatten().min()
    }

    /// Does what is due at `now`. The error: the peer has been silent where it must not be.
    pub(super) fn wake(&mut self, now: Instant, out: &mut Vec<u8>) -> Result<(), ()> {
        let Parameters { t1, t2, t3, .. } = self.parameters;
        let over = |since: Option<Instant>, time| since.is_some_and(|since| since + time <= now);
        if over(self.sent.front().copied(), t1) || over(self.tested, t1) {
            return Err(());
        }
        if over(self.owed_since, t2) {
            self.supervise(out);
        }
        if self.tested.is_none() && over(self.heard, t3) {
            self.tested = Some(now);
            wire::put_function(out, Function::TestAct);
        }
        Ok(())
    }
}
