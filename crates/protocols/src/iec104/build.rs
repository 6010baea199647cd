//! Stations made from their settings: every name is looked up, every range checked, and all mistakes are told at once.
//! Apart, because nothing of it runs once a device does.

use super::{
    asdu::Sizes,
    link::Parameters,
    settings::{Groups, Number, PointKind, Settings},
    state::State,
    station::{Outstation, Station},
};
use honeyplant_core::{
    device::Device,
    identity::Identity,
    plant::{Plant, TagId, Type},
    settings::{Period, Problem, Problems},
};
use std::{
    ops::{Range, RangeInclusive},
    sync::{Mutex, atomic::AtomicU64},
    time::Duration,
};
use toml::Spanned;

/// The types that a device may take (IEC 60870-5-104 §8); 104 is of IEC 60870-5-101, and taken by many all the same.
const TYPES: [RangeInclusive<u8>; 5] = [45..=51, 58..=64, 100..=105, 107..=107, 110..=113];

/// No time of the settings is longer.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// The stations that `settings`, which stand at `key`, describe.
pub(super) fn outstation(settings: &Settings, key: &str, device: &Device) -> Result<Outstation, Problems> {
    let mut desk = Desk { plant: &device.still(), identity: device.identity(), problems: Problems::new() };
    let sizes = desk.sizes(settings, key);
    let parameters = desk.parameters(settings, key);
    let types = desk.types(settings.types.as_deref(), key);
    let buffer = desk.between(&settings.buffer, &format!("{key}.buffer"), 1, u16::MAX);
    for (field, period) in [
        ("scan", settings.scan.0),
        ("select-timeout", settings.select_timeout.0),
        ("feedback-timeout", settings.feedback_timeout.0),
        ("short-pulse", settings.short_pulse.0),
        ("long-pulse", settings.long_pulse.0),
    ] {
        desk.bounded(period, &format!("{key}.{field}"), None);
    }
    let mut stations = Vec::<Station>::new();
    for (index, spanned) in settings.stations.iter().enumerate() {
        let (station, key) = (spanned.get_ref(), format!("{key}.stations[{index}]"));
        let most = if sizes.address == 1 { 0xFE } else { 0xFFFE };
        let address = desk.number(&station.address, &format!("{key}.address"), 1, most) as u16;
        let base = |base| desk.number(base, &format!("{key}.base"), 0, sizes.last_object());
        let base = station.base.as_ref().map_or(0, base);
        if let Some(other) = stations.iter().position(|other| other.address == address) {
            let message = format!("stations[{other}] has the common address {address} too");
            desk.problem(format!("{key}.address"), station.address.span(), message);
        }
        let range = Range { start: base, end: sizes.last_object() };
        let points = desk.points(station, &key, settings.time_tag, &range);
        let controls = desk.controls(station, &key, &range);
        stations.push(Station { address, points, controls });
    }
    if stations.is_empty() {
        let problem = Problem::new(format!("{key}.stations"), "an outstation without stations answers nobody");
        desk.problems.push(problem.hint("write `[[iec104.stations]]` and its tables"));
    }
    if !desk.problems.is_empty() {
        return Err(desk.problems);
    }
    let state = Mutex::new(State::new(&stations, settings.synchronised));
    Ok(Outstation {
        parameters,
        sizes,
        types,
        scan: settings.scan.0,
        buffer: buffer.into(),
        select_timeout: settings.select_timeout.0,
        feedback_timeout: settings.feedback_timeout.0,
        command_age: settings.command_age.map(|age| age.0),
        short_pulse: settings.short_pulse.0,
        long_pulse: settings.long_pulse.0,
        sequences: settings.sequences,
        end_of_initialisation: settings.end_of_initialisation,
        stations,
        started: AtomicU64::new(0),
        conversations: AtomicU64::new(0),
        state,
    })
}

/// What is at hand while settings are read.
pub(super) struct Desk<'a> {
    pub(super) plant: &'a Plant,
    identity: &'a Identity,
    pub(super) problems: Problems,
}

/// What a tag must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Bool,
    Number,
}

impl Desk<'_> {
    pub(super) fn problem(&mut self, key: String, span: Range<usize>, message: impl Into<String>) {
        let problem = Problem::new(key, message);
        self.problems.push(if span.is_empty() { problem } else { problem.at(span) });
    }

    /// The number that was said or drawn.
    fn number(&mut self, number: &Spanned<Number>, key: &str, low: u32, high: u32) -> u32 {
        let value = match number.get_ref() {
            Number::Said(value) => Ok(*value),
            Number::Drawn(text) => match self.identity.expand(text) {
                Ok(text) => text.trim().parse().map_err(|_| format!("`{text}` is no number")),
                Err(name) => Err(format!("nothing called `{name}` is drawn in [identity]")),
            },
        };
        let value = value.and_then(|value| {
            let fits = (low..=high).contains(&value);
            fits.then_some(value).ok_or_else(|| format!("this is a number of {low} to {high}"))
        });
        value.unwrap_or_else(|why| {
            self.problem(key.to_owned(), number.span(), why);
            0
        })
    }

    fn between(&mut self, value: &Spanned<u16>, key: &str, low: u16, high: u16) -> u16 {
        if !(low..=high).contains(value.get_ref()) {
            self.problem(key.to_owned(), value.span(), format!("this is a number of {low} to {high}"));
        }
        *value.get_ref()
    }

    pub(super) fn bounded(&mut self, period: Duration, key: &str, span: Option<Range<usize>>) {
        if period > LONGEST {
            self.problem(key.to_owned(), span.unwrap_or_default(), "this is at most 30d");
        }
    }

    fn sizes(&mut self, settings: &Settings, key: &str) -> Sizes {
        let mut size = |value: &Spanned<u8>, field: &str, most: u8| {
            if !(1..=most).contains(value.get_ref()) {
                self.problem(format!("{key}.{field}"), value.span(), format!("this is a number of 1 to {most}"));
            }
            *value.get_ref()
        };
        Sizes {
            cause: size(&settings.cause_octets, "cause-octets", 2),
            address: size(&settings.address_octets, "address-octets", 2),
            object: size(&settings.object_octets, "object-octets", 3),
        }
    }

    fn parameters(&mut self, settings: &Settings, key: &str) -> Parameters {
        let mut timer = |Period(period): Period, field: &str, most: u64| {
            if !(Duration::from_secs(1)..=Duration::from_secs(most)).contains(&period) {
                self.problems.push(Problem::new(format!("{key}.{field}"), format!("this is 1s to {most}s")));
            }
            period
        };
        // §9.6 has the ranges.
        let (t1, t2) = (timer(settings.t1, "t1", 255), timer(settings.t2, "t2", 255));
        let t3 = timer(settings.t3, "t3", 172_800);
        if t2 >= t1 {
            let problem = Problem::new(format!("{key}.t2"), "t2 is shorter than t1 (IEC 60870-5-104 §9.6)");
            self.problems.push(problem);
        }
        let k = self.between(&settings.k, &format!("{key}.k"), 1, 32_767);
        let w = self.between(&settings.w, &format!("{key}.w"), 1, 32_767);
        Parameters { t1, t2, t3, k, w }
    }

    fn types(&mut self, types: Option<&[Spanned<u8>]>, key: &str) -> u128 {
        let known = || TYPES.into_iter().flatten();
        let Some(types) = types else {
            return known().filter(|type_id| *type_id != 104).fold(0, |set, type_id| set | 1 << type_id);
        };
        let mut set = 0;
        for (index, spanned) in types.iter().enumerate() {
            let type_id = *spanned.get_ref();
            if known().any(|known| known == type_id) {
                set |= 1 << type_id;
                continue;
            }
            let message = format!("type {type_id} is not one of those that can be taken");
            let hint = "there is: 45 to 51, 58 to 64, 100 to 105, 107, 110 to 113";
            self.problems.push(Problem::new(format!("{key}.types[{index}]"), message).at(spanned.span()).hint(hint));
        }
        set
    }

    /// Looks up the tag of `field`, if there is one.
    pub(super) fn tag(&mut self, name: Option<&Spanned<String>>, key: &str, field: &str, want: Want) -> Option<TagId> {
        let (name, key) = (name?, format!("{key}.{field}"));
        let Some(id) = self.plant.find(name.get_ref()) else {
            let problem = Problem::unknown(key, "tag", name.get_ref(), self.plant.names());
            self.problems.push(problem.at(name.span()));
            return None;
        };
        let fits = match want {
            Want::Bool => self.plant.type_of(id) == Type::Bool,
            Want::Number => self.plant.type_of(id) != Type::String,
        };
        if !fits {
            let what = if want == Want::Bool { "no BOOL" } else { "a text" };
            self.problem(key, name.span(), format!("`{}` is {what}", name.get_ref()));
        }
        fits.then_some(id)
    }

    /// The information object address that `text` writes, counted from the start of `range`, if no other of `taken` is it.
    pub(super) fn address(
        &mut self,
        text: &Spanned<String>,
        key: &str,
        range: &Range<u32>,
        taken: &[u32],
    ) -> Option<u32> {
        let most = range.end - range.start;
        let address = text.get_ref().parse().ok().filter(|address| (1..=most).contains(address));
        let Some(address) = address.map(|address| range.start + address) else {
            let message = format!("an information object address is a number of 1 to {most}");
            self.problem(key.to_owned(), text.span(), message);
            return None;
        };
        if taken.contains(&address) {
            self.problem(key.to_owned(), text.span(), format!("the address {address} is there twice"));
            return None;
        }
        Some(address)
    }

    /// What one step is worth, which must not be nothing.
    pub(super) fn scale(&mut self, scale: Option<&Spanned<f64>>, key: &str) -> f64 {
        let Some(scale) = scale else { return 1.0 };
        if *scale.get_ref() == 0.0 || !scale.get_ref().is_finite() {
            self.problem(format!("{key}.scale"), scale.span(), "what is worth nothing cannot be counted");
        }
        *scale.get_ref()
    }

    /// The groups as bits from 1 on.
    pub(super) fn groups(&mut self, groups: Option<&Spanned<Groups>>, kind: PointKind, key: &str) -> u16 {
        let Some(spanned) = groups else { return 0 };
        let most = if kind == PointKind::Total { 4 } else { 16 };
        let list = match spanned.get_ref() {
            Groups::One(group) => std::slice::from_ref(group),
            Groups::Several(groups) => groups,
        };
        list.iter().fold(0, |set, group| {
            if (1..=most).contains(group) {
                return set | 1 << (group - 1);
            }
            let message = format!("a group of such a point is a number of 1 to {most}");
            self.problem(format!("{key}.group"), spanned.span(), message);
            set
        })
    }
}

#[cfg(test)]
mod tests {
    /// The mistakes in a profile, and the text that each one points at.
    fn mistakes(iec104: &str) -> Vec<String> {
        let text = format!(
            "[tags]\nclosed = {{ type = 'BOOL' }}\ncurrent = {{ type = 'REAL' }}\nname = {{ type = 'STRING' }}\n\
             [iec104]\n{iec104}"
        );
        crate::mistakes::mistakes(&super::super::Iec104, &text)
    }

    #[test]
    fn all_mistakes_are_told_at_once_each_with_its_place() {
        let told = mistakes(
            "k = 0\ntypes = [45, 99]\n[[iec104.stations]]\naddress = 0\n[iec104.stations.points]\n\
             1 = { type = 'single', tag = 'close' }\n01 = { type = 'double', on = 'closed' }\n\
             0 = { type = 'float', tag = 'name' }\n9 = { type = 'total', tag = 'current', group = 5 }\n\
             [iec104.stations.commands]\n2 = { type = 'single', tag = 'closed', feedback = 7 }\n\
             [[iec104.stations]]\naddress = 0",
        );
        assert_eq!(
            told,
            [
                "iec104.k: this is a number of 1 to 32767 @ 0",
                "iec104.types[1]: type 99 is not one of those that can be taken (there is: 45 to 51, 58 to 64, 100 to \
                 105, 107, 110 to 113) @ 99",
                "iec104.stations[0].address: this is a number of 1 to 65534 @ 0",
                "iec104.stations[0].points.0: an information object address is a number of 1 to 16777215 @ 0",
                "iec104.stations[0].points.0.tag: `name` is a text @ 'name'",
                "iec104.stations[0].points.01: a double point has a `tag`, or `off` and `on` @ { type = 'double', on = \
                 'closed' }",
                "iec104.stations[0].points.1: the address 1 is there twice @ 1",
                "iec104.stations[0].points.1.tag: there is no tag `close` (did you mean `closed`?) @ 'close'",
                "iec104.stations[0].points.9.group: a group of such a point is a number of 1 to 4 @ 5",
                "iec104.stations[0].commands.2.feedback: there is no point 7 in this station @ 7",
                "iec104.stations[1].address: this is a number of 1 to 65534 @ 0",
                "iec104.stations[1].address: stations[0] has the common address 0 too @ 0",
            ]
        );
    }

    #[test]
    fn is_refused() {
        let whole = |settings: &str| format!("{settings}\nstations = [{{ address = 1 }}]");
        let point = |point: &str| format!("stations = [{{ address = 1, points = {{ 1 = {{ {point} }} }} }}]");
        let command = |command: &str| format!("stations = [{{ address = 1, commands = {{ 1 = {{ {command} }} }} }}]");
        for (settings, message) in [
            ("stations = []".to_owned(), "an outstation without stations answers nobody"),
            (whole("t1 = '0s'"), "iec104.t1: this is 1s to 255s"),
            (whole("t3 = '49h'"), "iec104.t3: this is 1s to 172800s"),
            (whole("t2 = '15s'"), "t2 is shorter than t1"),
            (whole("select-timeout = '31d'"), "iec104.select-timeout: this is at most 30d"),
            (whole("object-octets = 4"), "iec104.object-octets: this is a number of 1 to 3"),
            (whole("address-octets = 1\nbuffer = 0"), "iec104.buffer: this is a number of 1 to 65535"),
            ("address-octets = 1\nstations = [{ address = 255 }]".to_owned(), "this is a number of 1 to 254"),
            ("stations = [{ address = 1, permit = 'current' }]".to_owned(), "`current` is no BOOL"),
            (point("type = 'single'"), "a point has a `tag`"),
            (point("type = 'single', tag = 'closed', on = 'closed'"), "a point has a `tag`"),
            (point("type = 'double', off = 'closed', on = 'current'"), "`current` is no BOOL"),
            (point("type = 'single', tag = 'closed', scale = 2.0"), "`scale` means nothing here"),
            (point("type = 'step', tag = 'current', deadband = 2.0"), "`deadband` means nothing here"),
            (point("type = 'float', tag = 'current', deadband = -1.0"), "a deadband is not less than 0"),
            (point("type = 'float', tag = 'current', scale = 0.0"), "what is worth nothing cannot be counted"),
            (point("type = 'float', tag = 'current', group = 17"), "a number of 1 to 16"),
            (point("type = 'float', tag = 'current', freeze = '1h'"), "`freeze` means nothing here"),
            (point("type = 'float', tag = 'current', cyclic = '31d'"), "this is at most 30d"),
            (point("type = 'protection-event', tag = 'closed', cyclic = '1h'"), "`cyclic` means nothing here"),
            (point("type = 'float', tag = 'current', kind = 1"), "unknown field `kind`"),
            (command("type = 'single', tag = 'current'"), "`current` is no BOOL"),
            (command("type = 'float', tag = 'name'"), "`name` is a text"),
            (command("type = 'double', on = 'closed'"), "a command of this type has a `tag`, or `on` and `off`"),
            (command("type = 'step', on = 'closed', off = 'closed'"), "a `tag`, or `higher` and `lower`"),
            (command("type = 'float', on = 'closed', off = 'closed'"), "a command of this type has a `tag`"),
            (command("type = 'float', tag = 'current', output = 'short'"), "`output` means nothing here"),
            (command("type = 'bitstring', tag = 'current', sbo = true"), "`sbo` means nothing here"),
            (command("type = 'float', tag = 'current', range = [2.0, 1.0]"), "from the lower to the higher value"),
            (command("type = 'single', tag = 'closed', feedback = 1"), "there is no point 1 in this station"),
        ] {
            let told = mistakes(&settings);
            assert!(told.iter().any(|told| told.contains(message)), "{settings}: {told:?}");
        }
    }
}
