//! The objects of a device, asked without messages. Apart, because it is longer than what it looks at.

use super::*;
use honeyplant_core::{
    conversation::Transport,
    event::Carrier,
    identity::Identity,
    plant::{TagSettings, Value as Tag},
};
use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

/// A device with these settings, and somebody who asks it.
struct Agent {
    mib: Mib,
    engine: Engine,
    session: Session,
    started: Instant,
}

const TAGS: &str = r#"
    level = { type = "INT", value = 720 }
    flow = { type = "REAL", value = 12.34 }
    total = { type = "ULINT", value = 5000000000 }
    pump = { type = "BOOL", value = true }
    site = { type = "STRING", value = "Intake", retain = true }
"#;

impl Agent {
    fn new(settings: &str) -> Self {
        let (agent, problems) = Self::with_problems(settings);
        assert!(problems.is_empty(), "{problems:?}");
        agent
    }

    fn with_problems(settings: &str) -> (Self, Problems) {
        let tags: BTreeMap<String, TagSettings> = toml::from_str(TAGS).unwrap();
        let mut plant = Plant::default();
        for (name, tag) in &tags {
            plant.add(name, tag, 1).unwrap();
        }
        let identity = Identity(BTreeMap::from([("mac".into(), "00:80:F4:01:02:03".into())]));
        let device = Device::new("plc", "test", identity, plant);
        #[expect(clippy::disallowed_methods, reason = "a test has to begin at some time")]
        let started = Instant::now();
        device.start(started, SystemTime::UNIX_EPOCH);
        device.traffic().offer(vec![Transport::Udp(161), Transport::Tcp(502)]);
        let (settings, mut problems) = (toml::from_str(settings).unwrap(), Problems::new());
        let mib = Mib::build(&settings, "snmp.mib", &device, &mut problems);
        let session = Session {
            id: 1,
            peer: "192.0.2.9:40000".parse().unwrap(),
            local: "192.0.2.20:10161".parse().unwrap(),
            carrier: Carrier::Udp,
            protocol: "snmp",
            device: Arc::new(device),
        };
        (Self { mib, engine: Engine::new(vec![0x80, 0, 1, 2], 1472), session, started }, problems)
    }

    fn at(&self, seconds: u64) -> Moment<'_> {
        let now = self.started + Duration::from_secs(seconds);
        Moment { now, session: &self.session, engine: &self.engine, plant: self.session.device.plant(now) }
    }

    fn walk(&self, seconds: u64) -> Vec<(String, Value)> {
        let at = self.at(seconds);
        let (mut walk, mut from) = (Vec::<(Oid, Value)>::new(), Oid::default());
        while let Some((oid, reading)) = self.mib.next(Bound::Excluded(&from), &at) {
            assert!(oid > from, "{oid} after {from}");
            assert_eq!(self.mib.get(&oid, &at), Found::Value(reading.clone()), "{oid}");
            from = oid.clone();
            walk.push((oid, reading.value));
        }
        walk.into_iter().map(|(oid, value)| (oid.to_string(), value)).collect()
    }

    fn get(&self, oid: &str, seconds: u64) -> Found {
        self.mib.get(&oid.parse::<Oid>().unwrap(), &self.at(seconds))
    }

    fn value(&self, oid: &str) -> Value {
        match self.get(oid, 60) {
            Found::Value(reading) => reading.value,
            other => panic!("{oid}: {other:?}"),
        }
    }

    fn set(&self, oid: &str, value: &Value) -> Result<Option<TagId>, Error> {
        let oid: Oid = oid.parse().unwrap();
        let mut at = self.at(60);
        self.mib.check_set(&oid, value, &at)?;
        self.mib.commit(&oid, value, &mut at)
    }

    fn tag(&self, name: &str) -> Tag {
        let plant = self.session.device.still();
        plant.get(plant.find(name).unwrap())
    }
}

fn text(text: &str) -> Value {
    Value::OctetString(text.bytes().collect())
}

const ALL: &str = r#"
    groups = ["system", "interfaces", "at", "ip", "icmp", "tcp", "udp", "snmp", "snmp-v2", "snmp-v3", "interfaces-x"]
    ip = { mask = "255.255.255.0", gateway-mac = "00:11:22:33:44:55" }
    [system]
    description = "A device at {mac}"
    object-id = "1.3.6.1.4.1.99999.1"
    name = { tag = "site", max = 32 }
    resources = [{ id = "1.3.6.1.6.3.1", description = "The MIB module for SNMP entities" }]
    [[interfaces]]
    description = "eth0"
    mac = "{mac}"
    [[interfaces]]
    description = "lo0"
    type = 24
    [objects]
    "1.3.6.1.4.1.99999.2.1" = { type = "integer", tag = "level", access = "write", min = 0, max = 1000 }
    "1.3.6.1.4.1.99999.2.2" = { type = "integer", tag = "flow", scale = 0.1 }
    "1.3.6.1.4.1.99999.2.3" = { type = "counter64", tag = "total" }
    "1.3.6.1.4.1.99999.2.4" = { type = "truth", tag = "pump", access = "write" }
    "1.3.6.1.4.1.99999.2.5" = { type = "string", value = "at {mac}" }
    "1.3.6.1.4.1.99999.2.6" = { type = "gauge", value = 4294967295 }
    "1.3.6.1.4.1.99999.2.7" = { type = "counter", tag = "total" }
    "1.3.6.1.4.1.99999.2.8" = { type = "ticks", state = "uptime" }
    "1.3.6.1.4.1.99999.2.9" = { type = "oid", value = "1.3.6.1.4.1.99999" }
    "1.3.6.1.4.1.99999.2.10" = { type = "address", state = "address" }
    "1.3.6.1.4.1.99999.2.11" = { type = "opaque", value = "9f 78 04 42 f6 00 00" }
    "1.3.6.1.4.1.99999.2.12" = { type = "octets", value = "{mac}" }
    "1.3.6.1.4.1.99999.2.13" = { type = "octets", value = [1, 2] }
    "1.3.6.1.4.1.99999.2.14" = { type = "gauge", state = "connections", port = 502 }
    [[tables]]
    entry = "1.3.6.1.4.1.99999.3.1"
    columns = { 1 = { type = "integer", value = "{row}" }, 10 = { type = "string", value = "row {row}" }, 2 = { type = "integer" } }
    count = 12
    rows = [{ index = "20.1", cells = { 1 = 21, 2 = { tag = "level" }, 10 = "last" } }, { index = "20", cells = { 1 = 7 } }]
"#;

#[test]
fn a_walk_meets_every_instance_once_and_in_order() {
    let agent = Agent::new(ALL);
    let connect = |local: &str, peer: &str| {
        agent.session.device.traffic().connected(local.parse().unwrap(), peer.parse().unwrap());
    };
    connect("192.0.2.20:10502", "192.0.2.100:1025");
    connect("192.0.2.20:10502", "192.0.2.9:60000");
    connect("[2001:db8::1]:10502", "[2001:db8::2]:1");
    let walk = agent.walk(3600);
    assert!(walk.len() > 200, "{}", walk.len());
    let under = |prefix: &str| -> Vec<&str> {
        walk.iter().filter_map(|(oid, _)| oid.strip_prefix(prefix)?.strip_prefix('.')).collect()
    };
    assert_eq!(
        under("1.3.6.1.2.1.1"),
        ["1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "8.0", "9.1.2.1", "9.1.3.1", "9.1.4.1"]
    );
    assert_eq!(under("1.3.6.1.2.1.2.2.1").len(), 44);
    assert_eq!(
        under("1.3.6.1.2.1.6.13.1.1"),
        ["0.0.0.0.502.0.0.0.0.0", "192.0.2.20.502.192.0.2.9.60000", "192.0.2.20.502.192.0.2.100.1025"],
        "the listener and the connections, at the ports that the device knows"
    );
    assert_eq!(under("1.3.6.1.2.1.7.5.1.2"), ["0.0.0.0.161"]);
    assert_eq!(under("1.3.6.1.2.1.4.21.1.1"), ["0.0.0.0", "127.0.0.1", "192.0.2.0"]);
    assert_eq!(under("1.3.6.1.2.1.4.22.1.3"), ["1.192.0.2.1"]);
    assert_eq!(under("1.3.6.1.4.1.99999.3.1.2"), ["20.1"]);
    assert_eq!(under("1.3.6.1.4.1.99999.3.1.10").last(), Some(&"20.1"));
    assert_eq!(under("1.3.6.1.4.1.99999.3.1.1").get(11..), Some(&["12", "20", "20.1"][..]));
    assert_eq!(agent.value("1.3.6.1.4.1.99999.2.14.0"), Value::Gauge32(2));
}

#[test]
fn a_walk_goes_on_where_rows_came_and_went() {
    let agent = Agent::new("groups = ['tcp']");
    let traffic = agent.session.device.traffic();
    let (local, peer) = ("192.0.2.20:10502".parse().unwrap(), "192.0.2.9:60000".parse().unwrap());
    let row: Oid = "1.3.6.1.2.1.6.13.1.1.192.0.2.20.502.192.0.2.9.60000".parse().unwrap();
    traffic.connected(local, peer);
    assert!(matches!(agent.mib.get(&row, &agent.at(1)), Found::Value(_)));
    traffic.disconnected(local, peer);
    assert_eq!(agent.mib.get(&row, &agent.at(1)), Found::NoSuchInstance);
    let (next, _) = agent.mib.next(Bound::Excluded(&row), &agent.at(1)).unwrap();
    assert_eq!(next.to_string(), "1.3.6.1.2.1.6.13.1.2.0.0.0.0.502.0.0.0.0.0");
}

#[test]
fn what_is_not_there_is_told_apart() {
    let agent = Agent::new(ALL);
    for (oid, found) in [
        ("1.3.6.1.2.1.1.5", Found::NoSuchInstance),
        ("1.3.6.1.2.1.1.5.1", Found::NoSuchInstance),
        ("1.3.6.1.2.1.2.2.1.10.3", Found::NoSuchInstance),
        ("1.3.6.1.2.1.2.2.1.23.1", Found::NoSuchObject),
        ("1.3.6.1.2.1.1", Found::NoSuchObject),
        ("1.3", Found::NoSuchObject),
    ] {
        assert_eq!(agent.get(oid, 1), found, "{oid}");
    }
    let next = |from: Bound<&[u32]>| agent.mib.next(from, &agent.at(1)).map(|(oid, _)| oid.to_string());
    let name: Oid = "1.3.6.1.2.1.1.5.0".parse().unwrap();
    assert_eq!(next(Bound::Included(&name)).as_deref(), Some("1.3.6.1.2.1.1.5.0"));
    assert_eq!(next(Bound::Excluded(&name)).as_deref(), Some("1.3.6.1.2.1.1.6.0"));
    assert_eq!(next(Bound::Unbounded).as_deref(), Some("1.3.6.1.2.1.1.1.0"));
    assert_eq!(next(Bound::Excluded(&[2])), None);
}

#[test]
fn every_type_is_told() {
    let agent = Agent::new(ALL);
    let ours = |number: u32| agent.value(&format!("1.3.6.1.4.1.99999.2.{number}.0"));
    assert_eq!(ours(1), Value::Integer(720));
    assert_eq!(ours(2), Value::Integer(123));
    assert_eq!(ours(3), Value::Counter64(5_000_000_000));
    assert_eq!(ours(4), Value::Integer(1));
    assert_eq!(ours(5), text("at 00:80:F4:01:02:03"));
    assert_eq!(ours(6), Value::Gauge32(u32::MAX));
    assert_eq!(ours(7), Value::Counter32(705_032_704));
    assert_eq!(ours(8), Value::TimeTicks(6000));
    assert_eq!(ours(9), Value::ObjectId("1.3.6.1.4.1.99999".parse().unwrap()));
    assert_eq!(ours(10), Value::IpAddress([192, 0, 2, 20]));
    assert_eq!(ours(11), Value::Opaque(vec![0x9F, 0x78, 4, 0x42, 0xF6, 0, 0]));
    assert_eq!(ours(12), Value::OctetString([0, 0x80, 0xF4, 1, 2, 3].into_iter().collect()));
    assert_eq!(ours(13), Value::OctetString([1, 2].into_iter().collect()));
    assert_eq!(agent.value("1.3.6.1.2.1.1.1.0"), text("A device at 00:80:F4:01:02:03"));
    assert_eq!(agent.value("1.3.6.1.2.1.1.5.0"), text("Intake"));
    assert_eq!(agent.value("1.3.6.1.2.1.2.2.1.6.1"), ours(12));
    assert_eq!(
        agent.value("1.3.6.1.2.1.4.22.1.2.1.192.0.2.1"),
        Value::OctetString([0, 0x11, 0x22, 0x33, 0x44, 0x55].into_iter().collect())
    );
    assert_eq!(agent.value("1.3.6.1.4.1.99999.3.1.10.7"), text("row 7"));
    assert_eq!(agent.value("1.3.6.1.6.3.10.2.1.1.0"), Value::OctetString([0x80, 0, 1, 2].into_iter().collect()));
}

#[test]
fn a_set_moves_the_tag_or_says_why_not() {
    let agent = Agent::new(ALL);
    let (level, pump, name) = ("1.3.6.1.4.1.99999.2.1.0", "1.3.6.1.4.1.99999.2.4.0", "1.3.6.1.2.1.1.5.0");
    assert!(agent.set(level, &Value::Integer(1000)).unwrap().is_some());
    assert_eq!(agent.tag("level"), Tag::Int(1000));
    agent.set(pump, &Value::Integer(2)).unwrap();
    assert_eq!(agent.tag("pump"), Tag::Bool(false));
    agent.set(name, &Value::OctetString([b'a', 0xE4].into_iter().collect())).unwrap();
    assert_eq!(agent.value(name), Value::OctetString([b'a', 0xE4].into_iter().collect()));
    for (oid, value, why) in [
        (level, Value::Integer(1001), Error::WrongValue),
        (level, Value::Gauge32(1), Error::WrongType),
        (pump, Value::Integer(0), Error::WrongValue),
        (name, text(&"x".repeat(33)), Error::WrongLength),
        (name, Value::Integer(1), Error::WrongType),
        ("1.3.6.1.2.1.1.5.1", text("x"), Error::NoCreation),
        ("1.3.6.1.2.1.1.1.0", text("x"), Error::NotWritable),
        ("1.3.6.1.4.1.99999.2.2.0", Value::Integer(1), Error::NotWritable),
        ("1.3.6.1.2.1.2.2.1.2.1", text("x"), Error::NotWritable),
        ("1.3.6.1.2.1.2.2.1.2.9", text("x"), Error::NotWritable),
        ("1.3.6.1.2.1.1", text("x"), Error::NotWritable),
        ("1.3.6.1.6.3.1.1.6.1.0", Value::Integer(5), Error::InconsistentValue),
    ] {
        assert_eq!(agent.set(oid, &value), Err(why), "{oid} to {value:?}");
    }
    let (serial, traps) = ("1.3.6.1.6.3.1.1.6.1.0", "1.3.6.1.2.1.11.30.0");
    agent.set(serial, &Value::Integer(0)).unwrap();
    assert_eq!(agent.value(serial), Value::Integer(1));
    assert_eq!(agent.value(traps), Value::Integer(2));
    agent.set(traps, &Value::Integer(1)).unwrap();
    assert_eq!(agent.value(traps), Value::Integer(1));
}

#[test]
fn counters_move_with_what_happens_and_begin_anew_with_the_device() {
    let agent = Agent::new(ALL);
    let (device, number) = (&agent.session.device, |oid: &str, seconds| match agent.get(oid, seconds) {
        Found::Value(Reading { value: Value::Counter32(count) | Value::TimeTicks(count), .. }) => count,
        other => panic!("{oid}: {other:?}"),
    });
    let (octets, segments, uptime) = ("1.3.6.1.2.1.2.2.1.10.1", "1.3.6.1.2.1.6.10.0", "1.3.6.1.2.1.1.3.0");
    let quiet = number(octets, 100);
    assert!(quiet > 0 && number(octets, 200) > quiet, "no network is silent");
    device.traffic().octets_in.add(1000);
    device.traffic().segments_in.add(10);
    assert_eq!(number(octets, 100), quiet + 1000 + 10 * 58);
    assert_eq!(number(segments, 100), 10);
    assert_eq!(number("1.3.6.1.2.1.2.2.1.10.2", 100), 0, "nothing goes over the loopback");
    device.restart(agent.started + Duration::from_secs(1000));
    assert_eq!(number(uptime, 1030), 1000, "ten seconds after the twenty that a restart takes");
    assert_eq!(number(segments, 1030), 0);
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (settings, key, message) in [
        ("[system]\nname = { tag = 'nowhere' }", "snmp.mib.system.name.tag", "there is no tag `nowhere`"),
        ("[system]\nname = '{drawn}'", "snmp.mib.system.name", "there is no identity `drawn`"),
        ("[system]\nobject-id = '9.9'", "snmp.mib.system.object-id", "`9.9` is no object identifier"),
        ("[objects]\n'1.3.6.1.4' = { type = 'integer' }", "snmp.mib.objects.\"1.3.6.1.4\"", "exactly one of"),
        ("[objects]\n'1.3.6.x' = { type = 'integer', value = 1 }", "snmp.mib.objects.\"1.3.6.x\"", "no object"),
        (
            "[objects]\n'1.3.6.1.2.1.1.5.0' = { type = 'string', value = '' }",
            "snmp.mib.objects.\"1.3.6.1.2.1.1.5.0\"",
            "lies inside",
        ),
        (
            "[objects]\n'1.3.6.1.4.1' = { type = 'address', value = '1.2.3' }",
            "snmp.mib.objects.\"1.3.6.1.4.1\".value",
            "no IPv4",
        ),
        (
            "[objects]\n'1.3.6.1.4.1' = { type = 'gauge', value = -1 }",
            "snmp.mib.objects.\"1.3.6.1.4.1\".value",
            "0 to 4294967295",
        ),
        (
            "[objects]\n'1.3.6.1.4.1' = { type = 'octets', value = 'abc' }",
            "snmp.mib.objects.\"1.3.6.1.4.1\".value",
            "no octets",
        ),
        (
            "[objects]\n'1.3.6.1.4.1' = { type = 'gauge', value = 1, access = 'write' }",
            "snmp.mib.objects.\"1.3.6.1.4.1\".access",
            "only a tag",
        ),
        (
            "[objects]\n'1.3.6.1.4.1' = { type = 'gauge', tag = 'site', access = 'write' }",
            "snmp.mib.objects.\"1.3.6.1.4.1\".tag",
            "cannot be set",
        ),
        (
            "[[tables]]\nentry = '1.3.6.1.4.1'\ncount = 9\ncolumns = { 1 = { type = 'gauge', value = 'x' } }",
            "snmp.mib.tables[0].columns.1.value",
            "no whole number",
        ),
        (
            "[[tables]]\nentry = '1.3.6.1.4.1'\nrows = [{ index = '1.', cells = {} }]\ncolumns = { 1 = { type = 'gauge', value = 1 } }",
            "snmp.mib.tables[0].rows[0].index",
            "no index",
        ),
        (
            "[[tables]]\nentry = '1.3.6.1.4.1'\nrows = [{ index = '1', cells = { 2 = 3 } }]\ncolumns = { 1 = { type = 'gauge', value = 1 } }",
            "snmp.mib.tables[0].rows.1",
            "there is no column `2`",
        ),
        ("[[interfaces]]\nmac = '00:8'", "snmp.mib.interfaces[0].mac", "no octets"),
        ("[ip]\nmask = '255'", "snmp.mib.ip.mask", "no IPv4"),
    ] {
        let (_, problems) = Agent::with_problems(settings);
        let [problem] = &problems[..] else { panic!("{settings}: {problems:?}") };
        assert_eq!(problem.key, key, "{settings}");
        assert!(problem.message.contains(message), "{settings}: {problem}");
        assert!(problem.span.is_some(), "{settings}");
    }
}

#[test]
fn ten_thousand_objects_are_walked() {
    let agent = Agent::new(
        "groups = []\n[[tables]]\nentry = '1.3.6.1.4.1.99999.1.1'\ncount = 10000\ncolumns = { 1 = { type = 'integer', value = '{row}' } }",
    );
    let walk = agent.walk(1);
    assert_eq!(walk.len(), 10_000);
    assert_eq!(walk.last(), Some(&("1.3.6.1.4.1.99999.1.1.1.10000".to_owned(), Value::Integer(10_000))));
}
