//! The device's end of the network: its interfaces, its gateway, and what they have counted. Apart, because half of the
//! standard groups tell parts of it, and their numbers must agree.

use super::{
    View,
    build::Desk,
    settings::{self, Group, Settings},
};
use honeyplant_core::{device::Device, random::Random, settings::Problem, traffic::Traffic};
use std::{
    f64::consts::TAU,
    net::Ipv4Addr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The device's end of the network.
#[derive(Debug)]
pub(super) struct Network {
    /// In the order of their indices.
    pub(super) interfaces: Vec<Interface>,
    /// The index of the one that everything goes over.
    pub(super) main: u32,
    pub(super) mask: Ipv4Addr,
    pub(super) gateway: Option<Ipv4Addr>,
    pub(super) gateway_mac: Option<Vec<u8>>,
    pub(super) forwarding: bool,
    pub(super) ttl: u8,
    pub(super) max_connections: i32,
    pub(super) lan: Lan,
    pub(super) start: Start,
}

/// An interface.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) index: u32,
    pub(super) description: String,
    pub(super) name: String,
    pub(super) alias: String,
    pub(super) kind: u16,
    pub(super) mtu: u16,
    pub(super) speed: u32,
    pub(super) mac: Vec<u8>,
    pub(super) up: bool,
}

impl Network {
    /// The one that `settings`, which stand at `key`, describe.
    pub(super) fn new(settings: &Settings, key: &str, desk: &mut Desk<'_>) -> Self {
        let mut interfaces = Vec::new();
        for (number, interface) in settings.interfaces.iter().enumerate() {
            interfaces.push(Interface::new(interface, number as u32 + 1, &format!("{key}.interfaces[{number}]"), desk));
        }
        let main = interfaces.first().map_or(0, |interface| interface.index);
        interfaces.sort_by_key(|interface| interface.index);
        let twice = interfaces.iter().zip(interfaces.iter().skip(1)).find(|(a, b)| a.index == b.index);
        if let Some((interface, _)) = twice {
            let message = format!("the index {} is there twice", interface.index);
            desk.problems.push(Problem::new(format!("{key}.interfaces"), message));
        }
        let needs_one = [Group::Interfaces, Group::InterfacesX, Group::At, Group::Ip];
        if interfaces.is_empty() && settings.groups.iter().any(|group| needs_one.contains(group)) {
            let problem = Problem::new(format!("{key}.interfaces"), "the groups need at least one interface");
            desk.problems.push(problem.hint("leave the list out for one Ethernet interface"));
        }
        let (ip, key) = (&settings.ip, format!("{key}.ip"));
        let mask = ip.mask.as_ref().and_then(|mask| desk.address(mask, &format!("{key}.mask")));
        let broadcasts = settings.interfaces.first().and_then(|interface| interface.broadcasts);
        Self {
            interfaces,
            main,
            mask: mask.unwrap_or(Ipv4Addr::new(255, 255, 255, 0)),
            gateway: ip.gateway.as_ref().and_then(|gateway| desk.address(gateway, &format!("{key}.gateway"))),
            gateway_mac: ip.gateway_mac.as_ref().and_then(|mac| desk.mac(mac, &format!("{key}.gateway-mac"))),
            forwarding: ip.forwarding,
            ttl: ip.ttl.max(1),
            max_connections: ip.max_connections.max(-1),
            lan: Lan::new(desk.device, broadcasts),
            start: Start::default(),
        }
    }

    /// The MAC address of the interface that everything goes over.
    pub(super) fn mac(&self) -> &[u8] {
        self.interfaces.iter().find(|interface| interface.index == self.main).map_or(&[], |interface| &interface.mac)
    }

    /// The loopback interface, if it shows one.
    pub(super) fn loopback(&self) -> Option<&Interface> {
        const SOFTWARE_LOOPBACK: u16 = 24;
        self.interfaces.iter().find(|interface| interface.kind == SOFTWARE_LOOPBACK)
    }
}

impl Interface {
    fn new(said: &settings::Interface, number: u32, key: &str, desk: &mut Desk<'_>) -> Self {
        let description = said.description.as_ref();
        let description =
            description.and_then(|text| desk.drawn(text.get_ref(), &format!("{key}.description"), text.span()));
        Self {
            index: said.index.map_or(number, u32::from),
            description: description.unwrap_or_default(),
            name: said.name.clone(),
            alias: said.alias.clone(),
            kind: said.kind,
            mtu: said.mtu,
            speed: said.speed,
            mac: said.mac.as_ref().and_then(|mac| desk.mac(mac, &format!("{key}.mac"))).unwrap_or_default(),
            up: said.up,
        }
    }
}

/// What is heard of a network although nobody speaks to the device: broadcasts, whose rate swells and ebbs.
#[derive(Debug)]
pub(super) struct Lan {
    rate: f64,
    swings: [Swing; 3],
    /// When the link came up after power-on, in hundredths of a second.
    pub(super) linked: u32,
}

#[derive(Debug)]
struct Swing {
    strength: f64,
    turn: f64,
    phase: f64,
}

impl Lan {
    /// The network of a device, with this mean of broadcasts a second if it is known.
    pub(super) fn new(device: &Device, rate: Option<f64>) -> Self {
        let drawn = device.identity().0.values().fold(device.name().to_owned(), |all, one| all + one);
        let mut random = Random::named(0, &drawn);
        let rate = rate.filter(|rate| (0.0..=100_000.0).contains(rate)).unwrap_or_else(|| 0.3 + 1.4 * random.unit());
        let mut swing = |strength: f64, seconds: f64| Swing {
            strength: strength * (0.5 + 0.5 * random.unit()),
            turn: TAU / (seconds * (0.8 + 0.4 * random.unit())),
            phase: TAU * random.unit(),
        };
        // Together they stay below 1, so that nothing is ever counted down.
        let swings = [swing(0.3, 47.0), swing(0.3, 1100.0), swing(0.3, 86_400.0)];
        Self { rate, swings, linked: 130 + random.below(260) as u32 }
    }

    /// How many broadcasts were heard in the time since the start.
    fn broadcasts(&self, uptime: Duration) -> u64 {
        let seconds = (uptime.as_secs_f64() - f64::from(self.linked) / 100.0).max(0.0);
        let swung = |swing: &Swing| {
            swing.strength / swing.turn * ((swing.turn * seconds + swing.phase).sin() - swing.phase.sin())
        };
        (self.rate * (seconds + self.swings.iter().map(swung).sum::<f64>())) as u64
    }
}

/// What the traffic's counters, which never begin anew, stood at when the device last started.
#[derive(Debug, Default)]
pub(super) struct Start(Mutex<(u32, Counts)>);

type Counts = [u64; 8];

impl Start {
    fn since(&self, device: &Device) -> Counts {
        let (now, boots) = (counts(device.traffic()), device.boots());
        let mut start = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if start.0 != boots {
            *start = (boots, now);
        }
        let mut since = now;
        since.iter_mut().zip(start.1).for_each(|(now, then)| *now = now.saturating_sub(then));
        since
    }
}

fn counts(traffic: &Traffic) -> Counts {
    [
        traffic.octets_in.get(),
        traffic.octets_out.get(),
        traffic.segments_in.get(),
        traffic.segments_out.get(),
        traffic.connections_in.get(),
        traffic.connections_broken.get(),
        traffic.datagrams_in.get(),
        traffic.datagrams_out.get(),
    ]
}

/// What went over the first interface since the device started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    octets_in: u64,
    octets_out: u64,
    /// TCP segments that brought something.
    pub(super) segments_in: u64,
    /// TCP segments that carried something out.
    pub(super) segments_out: u64,
    /// TCP connections that were taken.
    pub(super) taken: u64,
    /// TCP connections that broke.
    pub(super) broken: u64,
    /// UDP datagrams that came for somebody.
    pub(super) datagrams_in: u64,
    /// UDP datagrams that were sent.
    pub(super) datagrams_out: u64,
    /// Broadcasts that were heard.
    pub(super) broadcasts_in: u64,
    /// Broadcasts that were sent.
    pub(super) broadcasts_out: u64,
}

/// Octets of the headers of Ethernet (with its check sequence) and IP, then of TCP and UDP.
const FRAME: u64 = 18 + 20;
const TCP: u64 = 20;
const UDP: u64 = 8;
/// The shortest frame of Ethernet.
const SHORTEST: u64 = 64;
/// Of so many broadcasts one is a datagram; the others ask for addresses.
const DATAGRAM_OF: u64 = 5;
/// Of so many broadcasts one asks for an address of its own, and is long.
const LONG_OF: u64 = 29;

impl Flow {
    pub(super) fn at(view: &View<'_>) -> Self {
        let [octets_in, octets_out, segments_in, segments_out, taken, broken, datagrams_in, datagrams_out] =
            view.network.start.since(view.device());
        let linked = view.ticks() > view.network.lan.linked;
        Self {
            octets_in,
            octets_out,
            segments_in,
            segments_out,
            taken,
            broken,
            datagrams_in,
            datagrams_out,
            broadcasts_in: view.network.lan.broadcasts(view.uptime()),
            // It asks whether somebody has its address already when the link comes up (RFC 5227 §2.1.1).
            broadcasts_out: if linked { 4 } else { 0 },
        }
    }

    /// Segments of TCP that came: with data, those that acknowledge what was sent, and those that open a connection.
    pub(super) const fn tcp_in(&self) -> u64 {
        self.segments_in + self.acknowledged()
    }

    const fn acknowledged(&self) -> u64 {
        self.segments_out + 2 * self.taken
    }

    /// Segments of TCP that went: with data, and those that accept a connection.
    pub(super) const fn tcp_out(&self) -> u64 {
        self.segments_out + self.taken
    }

    /// Broadcast datagrams that nobody on the device was there for.
    pub(super) const fn strays(&self) -> u64 {
        self.broadcasts_in / DATAGRAM_OF
    }

    /// Datagrams of IP that came.
    pub(super) const fn ip_in(&self) -> u64 {
        self.unicast_in() + self.strays()
    }

    /// Datagrams of IP that went.
    pub(super) const fn ip_out(&self) -> u64 {
        self.unicast_out()
    }

    pub(super) const fn unicast_in(&self) -> u64 {
        self.tcp_in() + self.datagrams_in
    }

    pub(super) const fn unicast_out(&self) -> u64 {
        self.tcp_out() + self.datagrams_out
    }

    /// ifInOctets before it wraps.
    pub(super) const fn interface_in(&self) -> u64 {
        let heard = SHORTEST * self.broadcasts_in + 178 * self.strays() + 100 * (self.broadcasts_in / LONG_OF);
        let data = (FRAME + TCP) * self.segments_in + (FRAME + UDP) * self.datagrams_in;
        heard + self.octets_in + data + SHORTEST * self.acknowledged()
    }

    /// ifOutOctets before it wraps.
    pub(super) const fn interface_out(&self) -> u64 {
        let data = (FRAME + TCP) * self.segments_out + (FRAME + UDP) * self.datagrams_out;
        self.octets_out + data + SHORTEST * (self.taken + self.broadcasts_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use honeyplant_core::{identity::Identity, plant::Plant};

    #[test]
    fn what_is_heard_only_grows_and_keeps_its_mean() {
        let device = Device::new("plc", "test", Identity::default(), Plant::default());
        let lan = Lan::new(&device, Some(2.0));
        let at = |seconds: u64| lan.broadcasts(Duration::from_secs(seconds));
        let heard: Vec<u64> = (0..200_000).step_by(7).map(at).collect();
        assert!(heard.is_sorted() && heard[0] == 0);
        assert!((300_000..500_000).contains(heard.last().unwrap()), "{:?}", heard.last());
        let steps: Vec<u64> = heard.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().max() > steps.iter().min(), "no network is even");
        let drawn = Lan::new(&device, None);
        assert!((0.3..=1.7).contains(&drawn.rate));
    }
}
