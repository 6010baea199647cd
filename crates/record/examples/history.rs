//! Writes a history to try things out with: documents, a line each, of so many days with so many sessions a day, as
//! actors of many kinds would have left them at a waterworks. `history 30 200 | honeyplant report --from -`

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "an example, which knows what it made")]

use honeyplant_core::{
    artefact::Digest,
    device::Device,
    event::{
        Access, Address, BlockAccess, BlockAct, Carrier, Change, Command, Ending, Event, FileAccess, FileAct, Kind,
        Login, Octets, Operation, Reason, Request, Session, Values, Verdict,
    },
    identity::Identity,
    plant::{Image, Plant, Sizes, TagSettings, Tags, Type, Value},
};
use honeyplant_record::{
    Composer, Observer,
    document::{AutonomousSystem, Geo, Organization, Tool, ToolKind},
    meaning::Summary,
};
use std::{
    borrow::Cow,
    io::{BufWriter, Write},
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

const TAGS: [&str; 5] = ["pump_1_off", "intake_valve_open", "chlorine_dose", "clear_level_high", "booster_speed"];
const SERVICES: [(&str, &str, u16, Carrier); 8] = [
    ("plc-intake", "modbus", 502, Carrier::Tcp),
    ("plc-intake", "snmp", 161, Carrier::Udp),
    ("plc-intake", "ftp", 21, Carrier::Tcp),
    ("plc-hill", "s7comm", 102, Carrier::Tcp),
    ("plc-hill", "http", 80, Carrier::Tcp),
    ("hmi-works", "http", 80, Carrier::Tcp),
    ("hmi-works", "snmp", 161, Carrier::Udp),
    ("rtu-substation", "iec104", 2404, Carrier::Tcp),
];
const NETWORKS: [(&str, u32, &str, u8); 9] = [
    ("US", 14061, "Example Cloud, Inc.", 20),
    ("NL", 202_425, "Example Hosting B.V.", 45),
    ("CN", 4134, "Example Backbone", 61),
    ("RU", 9009, "Example Transit Ltd", 91),
    ("DE", 24940, "Example Online GmbH", 78),
    ("BR", 28573, "Exemplo S.A.", 177),
    ("IN", 9829, "Example Sanchar", 117),
    ("FR", 16276, "Exemple SAS", 51),
    ("KR", 4766, "Example Telecom", 118),
];
const TOOLS: [(&str, ToolKind); 5] = [
    ("zgrab", ToolKind::Scanner),
    ("nmap modbus-discover", ToolKind::Discovery),
    ("plcscan", ToolKind::Discovery),
    ("snap7", ToolKind::Client),
    ("metasploit modbusclient", ToolKind::Attack),
];

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.roll(things.len())]
    }
}

fn main() -> std::io::Result<()> {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let (days, each) = (numbers.first().copied().unwrap_or(30), numbers.get(1).copied().unwrap_or(200));
    let mut out = BufWriter::new(std::io::stdout().lock());
    let observer = Observer { site: "waterworks".into(), install: "0123abcd".into(), version: "0.1.0".into() };
    let mut history = History { composer: Composer::new(observer), dice: Dice(7), sequence: 0, devices: devices() };
    let start = SystemTime::now() - Duration::from_secs(days * 86_400);
    for day in 0..days {
        // The last week is a busy one.
        let count = if day + 7 >= days { each + each / 3 } else { each };
        for number in 0..count {
            let at = start + Duration::from_secs(day * 86_400 + number * 86_400 / count.max(1));
            history.session(at, number, day + 7 >= days, &mut out)?;
        }
    }
    out.flush()
}

struct History {
    composer: Composer,
    dice: Dice,
    sequence: u64,
    devices: Vec<Arc<Device>>,
}

impl History {
    fn session(&mut self, at: SystemTime, number: u64, late: bool, out: &mut impl Write) -> std::io::Result<()> {
        let (device, protocol, port, carrier) = *self.dice.of(&SERVICES);
        let place = *self.dice.of(&NETWORKS[..if late { 9 } else { 6 }]);
        let host = (self.dice.roll(4) * self.dice.roll(40)) as u8;
        let device = self.devices.iter().find(|known| known.name() == device).unwrap().clone();
        let session = Arc::new(Session {
            id: self.sequence + 1,
            peer: (IpAddr::from([place.3, 0, 113, host]), 40_000 + number as u16 % 20_000).into(),
            local: ([192, 0, 2, 10], port).into(),
            carrier,
            protocol,
            device,
        });
        let tool = match self.dice.roll(10) {
            0..=4 => None,
            _ => Some(self.dice.of(&TOOLS[..if late { 5 } else { 4 }])),
        };
        let mut kinds = vec![Kind::Opened];
        let grave = self.dice.roll(if late { 60 } else { 90 });
        kinds.extend(self.deeds(&session, grave));
        let ending = Ending {
            reason: Reason::Peer,
            exchanges: kinds.len() as u64,
            received: 40 * kinds.len() as u64,
            sent: 60 * kinds.len() as u64,
            lasted: Duration::from_millis(700 * kinds.len() as u64),
        };
        kinds.push(Kind::Closed(ending));
        let mut summary = Summary::default();
        let geo = Geo { country_iso_code: Some(place.0.into()), ..Geo::default() };
        let organization = Some(Organization { name: place.2.into() });
        let network = AutonomousSystem { number: place.1, organization };
        let tool = tool.map(|(name, kind)| Tool { name: (*name).into(), kind: *kind });
        let mut summary_of_all = None;
        for (step, kind) in kinds.into_iter().enumerate() {
            self.sequence += 1;
            let ends = matches!(kind, Kind::Closed(_));
            let bytes = Octets::from_slice(if ends { &[] } else { b"\0\x01\0\0\0\x06\x01\x03" });
            let at = at + Duration::from_millis(700 * step as u64);
            let event = Event { at, session: Some(session.clone()), kind, request: bytes.clone(), reply: bytes };
            let mut document = self.composer.compose(&event, self.sequence);
            if let Some(source) = &mut document.source {
                source.geo = Some(Cow::Borrowed(&geo));
                source.network = Some(Cow::Borrowed(&network));
            }
            if step == 1 || ends {
                document.honeyplant.tool = tool.as_ref().map(Cow::Borrowed);
            }
            summary.add(&document);
            if ends {
                let summed = summary_of_all.insert(std::mem::take(&mut summary).finish());
                document.event.severity = summed.severity;
                document.honeyplant.summary = Some(Cow::Borrowed(summed));
            }
            serde_json::to_writer(&mut *out, &document)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// What somebody did, the graver the smaller `grave` is.
    fn deeds(&mut self, session: &Session, grave: usize) -> Vec<Kind> {
        let done = |name, code| Operation { name, code, unit: Some(1), verdict: Verdict::Done };
        let refused = |name, code| Operation {
            verdict: Verdict::Refused { code: 2, reason: "illegal data address" },
            ..done(name, code)
        };
        let dice = &mut self.dice;
        let access = |address: u32| {
            let tag = session.device.still().find(TAGS[address as usize % TAGS.len()]).unwrap();
            Access { area: "registers", address: Address::Number(address), count: 1, tags: Tags::from_slice(&[tag]) }
        };
        let mut deeds = Vec::new();
        match session.protocol {
            "http" => {
                let agents = [
                    "Mozilla/5.0 (compatible; Example-Scan/1.1; +http://scan.example/)",
                    "<script>alert(1)</script>",
                    "curl/7.88.1",
                ];
                for _ in 0..=dice.roll(5) {
                    let target = *dice.of(&[
                        "/",
                        "/login.asp",
                        "/Portal/Portal.mwsl",
                        "/?x=<img src=x onerror=alert(1)>",
                        "/../../etc/passwd",
                    ]);
                    let request = Request {
                        method: "GET".into(),
                        target: target.into(),
                        version: "1.1".into(),
                        status: 200,
                        user_agent: Some((*dice.of(&agents)).into()),
                        sent: 1400,
                        ..Request::default()
                    };
                    deeds.push(Kind::Request(done("GET", 0), Box::new(request)));
                }
            }
            "ftp" => {
                for _ in 0..=dice.roll(8) {
                    let user = *dice.of(&["admin", "root", "ftp", "loader", "=cmd|' /C calc'!A1"]);
                    let secret = *dice.of(&["admin", "1234", "fwdownload", "\u{202e}toor", "<b>x</b>"]);
                    let login = Login { user: Some(user.into()), secret: Some(secret.into()) };
                    let verdict = if dice.roll(6) == 0 { done("PASS", 0) } else { refused("PASS", 0) };
                    deeds.push(Kind::Login(verdict, Box::new(login)));
                }
                if grave < 12 {
                    let name = format!("/wwwroot/{}.bin", dice.roll(5));
                    let file = FileAccess {
                        act: FileAct::Upload,
                        target: None,
                        size: Some(18_432),
                        digest: Some(Digest::of(name.as_bytes())),
                        path: name.into(),
                    };
                    deeds.push(Kind::File(done("STOR", 0), Box::new(file)));
                }
            }
            "snmp" => {
                let community = *dice.of(&["public", "private", "cisco"]);
                let login = Login { user: None, secret: Some(community.into()) };
                deeds.push(Kind::Login(done("get", 0), Box::new(login)));
                deeds.push(Kind::Identify(done("get next", 1)));
            }
            _ => {
                deeds.push(Kind::Identify(done("read device identification", 43)));
                for address in 0..dice.roll(7) as u32 {
                    deeds.push(Kind::Read(
                        done("read holding registers", 3),
                        access(address),
                        Values::Words([17, 4].into_iter().collect()),
                    ));
                }
                if grave < 6 {
                    for _ in 0..=dice.roll(3) {
                        let word = |word: u16| Values::Words([word].into_iter().collect());
                        let change = Change { before: word(dice.roll(900) as u16), after: word(dice.roll(900) as u16) };
                        let verdict = if grave == 5 {
                            refused("write single register", 6)
                        } else {
                            done("write single register", 6)
                        };
                        deeds.push(Kind::Write(verdict, access(dice.roll(5) as u32), change));
                    }
                }
                if session.protocol == "s7comm" && grave < 3 {
                    let block = BlockAccess {
                        act: BlockAct::Download,
                        name: "OB 1".into(),
                        header: None,
                        size: Some(812),
                        digest: Some(Digest::of(b"OB 1")),
                    };
                    deeds.push(Kind::Block(done("download block", 0x1B), Box::new(block)));
                    deeds.push(Kind::Command(done("PLC stop", 0x29), Command::Stop));
                }
                if grave == 1 {
                    deeds.push(Kind::Command(done("restart communications", 8), Command::Restart));
                }
            }
        }
        deeds
    }
}

fn devices() -> Vec<Arc<Device>> {
    let mut names: Vec<&str> = SERVICES.iter().map(|(device, ..)| *device).collect();
    names.dedup();
    let device = |name: &&str| {
        let mut plant = Plant::new(Image::new(&Sizes::default()).unwrap());
        for tag in TAGS {
            let settings = TagSettings::declared(Type::Bool, None, Value::Bool(false), false);
            plant.add(tag, &settings, 1).unwrap();
        }
        Arc::new(Device::new(name, "plc", Identity::default(), plant))
    };
    names.iter().map(device).collect()
}
