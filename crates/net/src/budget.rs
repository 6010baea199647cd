//! What is answered to those who may be somebody else. Apart, because a datagram's source address proves nothing: whoever
//! forges it makes the decoy send to whom it names, and must not get more sent there than it is worth to them.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What UDP services answer to sources that have not shown that they hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Bytes for each byte asked with. An answer within it is always sent.
    pub factor: u32,
    /// Bytes beyond that to one source, each second.
    pub rate: u64,
    /// Bytes beyond that to one source at once.
    pub burst: u64,
    /// How many times as much all sources of one network get together.
    pub network: u32,
    /// Bytes beyond that to all sources together, each second and at once.
    pub total: u64,
    /// How many times as much those get who have shown that they hear what they are sent, apart from the others. What
    /// shows it may be learned, and then be forged as well.
    pub proven: u32,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { factor: 2, rate: 8 << 10, burst: 64 << 10, network: 8, total: 1 << 20, proven: 64 }
    }
}

/// What is left of the allowance, over all services.
#[derive(Debug)]
pub(crate) struct Budget {
    factor: u32,
    unproven: Mutex<Ledger>,
    proven: Mutex<Ledger>,
}

/// Whether a peer has shown that it hears what is sent to its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Unproven,
    Proven,
}

#[derive(Debug)]
struct Ledger {
    sources: Debtors,
    networks: Debtors,
    all: Terms,
    all_free: Option<Instant>,
}

impl Budget {
    pub(crate) fn new(allowance: &Allowance) -> Self {
        let Allowance { factor, proven, .. } = *allowance;
        Self {
            factor,
            unproven: Mutex::new(Ledger::new(allowance, 1)),
            proven: Mutex::new(Ledger::new(allowance, proven.into())),
        }
    }

    /// Whether `answered` bytes may be sent to `peer`, who asked with `asked`. If so, they are counted as sent.
    pub(crate) fn allows(&self, peer: (IpAddr, Standing), asked: usize, answered: usize, now: Instant) -> bool {
        let credit = u64::from(self.factor).saturating_mul(asked as u64);
        let (peer, standing) = peer;
        let ledger = if standing == Standing::Proven { &self.proven } else { &self.unproven };
        let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = ledger.charge(peer, answered as u64, credit, now);
        if !sent {
            // What was asked counts even if it is not answered.
            ledger.charge(peer, 0, credit, now);
        }
        sent
    }
}

impl Ledger {
    /// The accounts of those who get so many times the allowance.
    fn new(allowance: &Allowance, times: u64) -> Self {
        let terms = |rate: u64, burst: u64, share: u64| {
            let times = times.saturating_mul(share);
            Terms::new(rate.saturating_mul(times), burst.saturating_mul(times))
        };
        let Allowance { rate, burst, network, total, .. } = *allowance;
        Self {
            sources: Debtors::new(terms(rate, burst, 1)),
            networks: Debtors::new(terms(rate, burst, network.into())),
            all: terms(total, total, 1),
            all_free: None,
        }
    }

    /// Lends `cost` to `peer`, who pays `credit`; whether that is not too much.
    fn charge(&mut self, peer: IpAddr, cost: u64, credit: u64, now: Instant) -> bool {
        let Self { sources, networks, all, all_free } = self;
        let (source, network) = (prefix(peer, 32, 64), prefix(peer, 24, 48));
        let charges = || {
            let of_source = sources.charge(source, cost, credit, now)?;
            let of_network = networks.charge(network, cost, credit, now)?;
            Some((of_source, of_network, all.charge(*all_free, cost, credit, now)?))
        };
        let Some((of_source, of_network, of_all)) = charges() else { return false };
        sources.set(source, of_source, now);
        networks.set(network, of_network, now);
        *all_free = of_all;
        true
    }
}

/// How fast a debt is forgiven, and how great it may be. A debt is the time that it takes to be forgiven, so that whoever
/// has none need not be remembered.
#[derive(Debug)]
struct Terms {
    rate: u64,
    most: Duration,
}

impl Terms {
    fn new(rate: u64, burst: u64) -> Self {
        let rate = rate.max(1);
        Self { rate, most: time(burst, rate) }
    }

    /// When a debtor is free who was to be at `free`, is lent `cost` and pays `credit`; an error if that is too much.
    fn charge(&self, free: Option<Instant>, cost: u64, credit: u64, now: Instant) -> Option<Option<Instant>> {
        let debt = free.map_or(Duration::ZERO, |free| free.saturating_duration_since(now));
        if cost <= credit {
            let debt = debt.saturating_sub(time(credit - cost, self.rate));
            return Some((!debt.is_zero()).then_some(now + debt));
        }
        let debt = debt.saturating_add(time(cost - credit, self.rate));
        (debt <= self.most).then(|| now.checked_add(debt))
    }
}

/// How long `bytes` take at `rate` a second; never longer than a century, further than which an instant may not lie.
fn time(bytes: u64, rate: u64) -> Duration {
    const CENTURY: u64 = 100 * 365 * 24 * 3600;
    let (seconds, rest) = (bytes / rate, bytes % rate);
    // Below 2^32 bytes a second nothing is lost of the fraction; above, nobody would notice.
    Duration::from_secs(seconds.min(CENTURY)) + Duration::from_nanos(rest.saturating_mul(1_000_000_000) / rate)
}

/// Those who owe something.
#[derive(Debug)]
struct Debtors {
    terms: Terms,
    /// Since when each is free again.
    free: HashMap<IpAddr, Instant>,
}

impl Debtors {
    /// So many are remembered. With an allowance as it is by default, the one for all is used up before so many owe.
    const MOST: usize = 1 << 14;

    fn new(terms: Terms) -> Self {
        Self { terms, free: HashMap::new() }
    }

    fn charge(&self, debtor: IpAddr, cost: u64, credit: u64, now: Instant) -> Option<Option<Instant>> {
        self.terms.charge(self.free.get(&debtor).copied(), cost, credit, now)
    }

    fn set(&mut self, debtor: IpAddr, free: Option<Instant>, now: Instant) {
        match free {
            None if self.free.is_empty() => {}
            None => drop(self.free.remove(&debtor)),
            Some(free) => {
                if self.free.len() >= Self::MOST && !self.free.contains_key(&debtor) {
                    self.free.retain(|_, free| *free > now);
                    // Whoever is forgotten gets a burst anew, within what all get together.
                    if self.free.len() > Self::MOST / 2 {
                        self.free.clear();
                    }
                }
                self.free.insert(debtor, free);
            }
        }
    }
}

/// The first bits of an address, so many by its family.
fn prefix(address: IpAddr, v4: u32, v6: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << (32 - v4))).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - v6))).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    fn unproven(peer: impl Into<IpAddr>) -> (IpAddr, Standing) {
        (peer.into(), Standing::Unproven)
    }

    /// How many of `count` answers are sent, one every `step`.
    fn sent(budget: &Budget, peer: &str, asked: usize, answered: usize, count: u64, step: Duration) -> usize {
        let (peer, start) = (unproven(peer.parse::<IpAddr>().unwrap()), Instant::now());
        (0..count).filter(|n| budget.allows(peer, asked, answered, start + step * *n as u32)).count()
    }

    #[test]
    fn a_walk_in_bulk_passes_and_a_flood_in_bulk_does_not_pay() {
        // 100 GetBulk requests of 10 objects each, within a second.
        let budget = Budget::new(&Allowance::default());
        assert_eq!(sent(&budget, "192.0.2.1", 40, 500, 100, Duration::from_millis(10)), 100);
        // The same victim is named as the source for ten seconds.
        let budget = Budget::new(&Allowance::default());
        let bytes = 1400 * sent(&budget, "192.0.2.1", 40, 1400, 20_000, Duration::from_micros(500));
        assert!(bytes <= (64 << 10) + 10 * (8 << 10) + 2 * 40 * 20_000, "{bytes}");
        let burst = Budget::new(&Allowance { factor: 0, ..Allowance::default() });
        assert_eq!(sent(&burst, "192.0.2.1", 40, 1024, 100, Duration::ZERO), 64);
    }

    #[test]
    fn what_is_little_more_than_was_asked_with_is_always_answered() {
        let budget = Budget::new(&Allowance { rate: 1, burst: 1, total: 1, ..Allowance::default() });
        assert_eq!(sent(&budget, "192.0.2.1", 45, 70, 10_000, Duration::from_micros(20)), 10_000);
        let ledger = budget.unproven.lock().unwrap();
        assert!(ledger.sources.free.is_empty() && ledger.networks.free.is_empty(), "and nobody need be remembered");
    }

    #[test]
    fn a_debt_is_forgiven_with_time_and_paid_with_questions() {
        let allowance = Allowance { factor: 2, rate: 1000, burst: 1000, network: 8, total: 1 << 20, proven: 1 };
        let (budget, start) = (Budget::new(&allowance), Instant::now());
        let peer = unproven("2001:db8::1".parse::<IpAddr>().unwrap());
        let allows = |asked, answered, at| budget.allows(peer, asked, answered, ms(start, at));
        assert!(allows(0, 1000, 0) && !allows(0, 1, 0));
        assert!(!allows(0, 501, 500) && allows(0, 500, 500) && !allows(0, 1, 500));
        assert!(!allows(50, 200, 500), "it counts as asked with though nothing is answered");
        assert!(allows(0, 100, 500) && !allows(0, 1, 500));
        assert!(allows(0, 1000, 60_000) && !allows(0, 1, 60_000), "never more than a burst");
    }

    #[test]
    fn sources_of_one_network_and_all_together_are_bounded_too() {
        let allowance = Allowance { factor: 0, rate: 1, burst: 1000, network: 3, total: 10_000, proven: 1 };
        let (budget, now) = (Budget::new(&allowance), Instant::now());
        let carpet = |network: u8| {
            (0..=255).filter(|host| budget.allows(unproven([198, 51, network, *host]), 40, 1000, now)).count()
        };
        assert_eq!([carpet(0), carpet(1), carpet(2), carpet(3), carpet(4)], [3, 3, 3, 1, 0]);
        let budget = Budget::new(&allowance);
        let prefixes = (0..9_u16).flat_map(|host| [(1, host), (2, host)]);
        let sent = prefixes.filter(|(subnet, host)| {
            let source = Ipv6Addr::new(0x2001, 0xdb8, 0, *subnet, 0, 0, 0, *host);
            budget.allows(unproven(source), 40, 1000, now)
        });
        assert_eq!(sent.count(), 2, "one host has all addresses of its prefix");
    }

    #[test]
    fn those_who_have_proven_themselves_get_more_and_take_nothing_from_others() {
        let allowance = Allowance { factor: 0, rate: 1, burst: 1000, network: 8, total: 1000, proven: 3 };
        let (budget, now, peer) = (Budget::new(&allowance), Instant::now(), IpAddr::from([192, 0, 2, 1]));
        for (standing, most) in [(Standing::Proven, 3), (Standing::Unproven, 1)] {
            assert_eq!((0..9).filter(|_| budget.allows((peer, standing), 40, 1000, now)).count(), most);
        }
    }

    #[test]
    fn a_flood_of_sources_neither_fills_the_memory_nor_gets_more() {
        // So slow that nobody is ever forgiven.
        let allowance = Allowance { factor: 0, rate: 1, burst: 100_000, network: 1, total: 1 << 30, proven: 1 };
        let (budget, now) = (Budget::new(&allowance), Instant::now());
        let sent = (0..40_000_u32).filter(|n| budget.allows(unproven(Ipv4Addr::from_bits(n << 8)), 40, 50_000, now));
        assert_eq!(sent.count(), (1 << 30) / 50_000);
        let ledger = budget.unproven.lock().unwrap();
        assert!(ledger.sources.free.len() <= Debtors::MOST && ledger.networks.free.len() <= Debtors::MOST);
    }

    #[test]
    fn no_allowance_is_too_great_to_count_with() {
        let most = Allowance {
            factor: u32::MAX,
            rate: u64::MAX,
            burst: u64::MAX,
            network: u32::MAX,
            total: u64::MAX,
            proven: 1,
        };
        let none = Allowance { factor: 0, rate: 0, burst: 0, network: 0, total: 0, proven: 0 };
        for (allowance, is_enough) in [(most, true), (Allowance { burst: u64::MAX, ..none }, false), (none, false)] {
            let budget = Budget::new(&allowance);
            let greatest = budget.allows(unproven([192, 0, 2, 1]), usize::MAX, usize::MAX, Instant::now());
            assert_eq!(greatest, is_enough);
            assert!(budget.allows(unproven([192, 0, 2, 1]), 1, 0, Instant::now()));
        }
    }
}
