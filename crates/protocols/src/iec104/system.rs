//! System information in control direction: interrogations, reading, the clock, tests and the reset of the process.
//! IEC 60870-5-101 Ed. 2 (2003) §7.3.4 and IEC 60870-5-5 (1995) §6.5 to §6.11. Apart from commands, because nothing of
//! it moves the process.

use super::{
    asdu::{Element, Header, cause, put_objects},
    element::Time,
    point::Point,
    settings::{PointKind, TimeTag},
    state::Track,
    station::{Exchange, Refusal, Station},
};
use honeyplant_core::{
    cpu::Mode,
    event::{Access, Address, Command, Kind, Values, Verdict},
    plant::{Plant, Tags, Value},
};

/// Objects to be told, and what the record says of them.
#[derive(Default)]
struct Told {
    objects: Vec<(u8, u32, Element)>,
    names: Vec<Box<str>>,
    tags: Tags,
    values: Vec<Value>,
}

impl Exchange<'_, '_> {
    fn qualifier(&self) -> Result<u8, Refusal> {
        if self.object != 0 {
            return Err(Refusal::OBJECT);
        }
        self.element.first().copied().ok_or(Refusal::of("there is no qualifier"))
    }

    /// Breaks an interrogation off whose answers still wait for room in the window.
    fn break_off(&mut self, station: &Station, causes: std::ops::RangeInclusive<u8>) -> Result<(), Refusal> {
        let sizes = self.outstation.sizes;
        let withdrawn = self.link.withdraw(|asdu| {
            let header = Header::parse(sizes, asdu);
            header.is_ok_and(|(header, _)| header.address == station.address && causes.contains(&header.cause))
        });
        if !withdrawn {
            return Err(Refusal::of("nothing is going on"));
        }
        self.mirror(cause::DEACTIVATION_CON, false);
        self.cx.record(Kind::Command(self.operation(Verdict::Done), Command::Cancel));
        Ok(())
    }

    /// Interrogation of the station or a group (IEC 60870-5-5 §6.6).
    pub(super) fn interrogate(&mut self, index: usize, station: &Station) -> Result<(), Refusal> {
        let qualifier = self.qualifier()?;
        if self.header.cause == cause::DEACTIVATION {
            return self.break_off(station, cause::STATION..=cause::STATION + 16);
        }
        // IEC 60870-5-101 §7.2.6.22: the qualifier is the cause of what is told.
        let group = match qualifier {
            20 => 0,
            21..=36 => 1 << (qualifier - 21),
            _ => return Err(Refusal::of("the qualifier of interrogation is reserved")),
        };
        let asked = |point: &Point| match group {
            _ if point.kind == PointKind::Total => false,
            0 => point.interrogated,
            group => point.groups & group != 0,
        };
        self.mirror(cause::ACTIVATION_CON, false);
        self.tell_all(index, station, qualifier, asked);
        Ok(())
    }

    /// Counter interrogation (IEC 60870-5-5 §6.9): reads, freezes or resets.
    pub(super) fn interrogate_counters(&mut self, index: usize, station: &Station) -> Result<(), Refusal> {
        let qualifier = self.qualifier()?;
        if self.header.cause == cause::DEACTIVATION {
            return self.break_off(station, cause::COUNTERS..=cause::COUNTERS + 4);
        }
        let (request, freeze) = (qualifier & 0x3F, qualifier >> 6);
        let group = match request {
            5 => 0xFFFF,
            1..=4 => 1 << (request - 1),
            _ => return Err(Refusal::of("the qualifier of counter interrogation is reserved")),
        };
        let asked = |point: &Point| point.kind == PointKind::Total && (request == 5 || point.groups & group != 0);
        self.mirror(cause::ACTIVATION_CON, false);
        if freeze == 0 {
            // General requests are told with 37, groups with 38 to 41 (IEC 60870-5-101 §7.2.3).
            let told = if request == 5 { cause::COUNTERS } else { cause::COUNTERS + request };
            self.tell_all(index, station, told, asked);
            return Ok(());
        }
        let device = self.cx.device();
        let (plant, mode) = (device.plant(self.cx.now), device.mode());
        let tracks = self.state.tracks.get_mut(index).map(Vec::as_mut_slice).unwrap_or_default();
        for (point, track) in station.points.iter().zip(tracks).filter(|(point, _)| asked(point)) {
            let number = point.sample(&plant, mode).number;
            if freeze < 3 {
                track.counter.freeze(number);
            }
            if freeze > 1 {
                track.counter.base = number;
            }
        }
        drop(plant);
        let operation = self.operation(Verdict::Done);
        // lib60870's client takes a request for failed that has no end, though there is nothing to be told before it.
        self.mirror(cause::ACTIVATION_TERM, false);
        let kind = if freeze > 1 { Kind::Command(operation, Command::Clear) } else { Kind::Diagnose(operation) };
        self.cx.record(kind);
        Ok(())
    }

    /// Tells the points of a station that are asked for, by their types, and the end of it.
    fn tell_all(&mut self, index: usize, station: &Station, told_by: u8, asked: impl Fn(&Point) -> bool) {
        let device = self.cx.device();
        let (plant, mode) = (device.plant(self.cx.now), device.mode());
        let mut told = Told::default();
        let tracks = self.state.tracks.get(index).map(Vec::as_slice).unwrap_or_default();
        for (point, track) in station.points.iter().zip(tracks).filter(|(point, _)| asked(point) && !point.is_event()) {
            told.add(point, track, &plant, mode);
        }
        drop(plant);
        told.objects.sort_by_key(|(type_id, ..)| *type_id);
        let Told { objects, names, tags, values } = told;
        for objects in objects.chunk_by(|a, b| a.0 == b.0) {
            let type_id = objects.first().map_or(0, |object| object.0);
            let objects: Vec<(u32, Element)> =
                objects.iter().map(|(_, address, element)| (*address, element.clone())).collect();
            self.tell(type_id, told_by, &objects);
        }
        self.mirror(cause::ACTIVATION_TERM, false);
        let count = names.len() as u32;
        let access = Access { area: "information objects", address: Address::Names(names), count, tags };
        self.cx.record(Kind::Read(self.operation(Verdict::Done), access, Values::Typed(values)));
    }

    /// Tells objects of one type, in as many ASDUs as they need.
    fn tell(&mut self, type_id: u8, told_by: u8, objects: &[(u32, Element)]) {
        let (sizes, sequences) = (self.outstation.sizes, self.outstation.sequences);
        let header = Header { type_id, cause: told_by, negative: false, ..self.header };
        let mut left = objects;
        while !left.is_empty() {
            let mut count = 0;
            self.link.say(self.cx.now, self.cx.out, |out| count = put_objects(sizes, header, sequences, left, out));
            match left.get(count..) {
                Some(rest) if count > 0 => left = rest,
                _ => return,
            }
        }
    }

    /// Reads one object (IEC 60870-5-5 §6.5).
    pub(super) fn read(&mut self, index: usize, station: &Station) -> Result<(), Refusal> {
        let found = station.points.binary_search_by_key(&self.object, |point| point.address);
        let found = found.ok().and_then(|at| {
            Some((station.points.get(at)?, self.state.tracks.get(index)?.get(at)?))
                .filter(|(point, _)| !point.is_event())
        });
        let (point, track) = found.ok_or(Refusal::OBJECT)?;
        let device = self.cx.device();
        let sample = point.sample(&device.plant(self.cx.now), device.mode());
        let reading = if point.kind == PointKind::Total { track.counter.reading(&sample) } else { sample.reading };
        let mut element = Element::new();
        reading.put(&mut element);
        self.tell(point.type_id(TimeTag::None), cause::REQUEST, &[(self.object, element)]);
        let values = Values::Typed(vec![reading.value()]);
        self.cx.record(Kind::Read(self.operation(Verdict::Done), self.access(point.tags()), values));
        Ok(())
    }

    /// Sets the clock of time tags (IEC 60870-5-5 §6.7). That of the device's program stays as it is.
    pub(super) fn synchronise(&mut self, first: bool) -> Result<(), Refusal> {
        if self.object != 0 {
            return Err(Refusal::OBJECT);
        }
        let time = self.element.first_chunk().and_then(|octets| Time::parse(*octets));
        let time = time.ok_or(Refusal::of("this is no date and time"))?;
        if !self.header.test && first {
            let clock = Time::of(self.cx.device().clock(self.cx.now), 0);
            self.state.offset = time.0.saturating_sub(clock.0);
            self.state.synchronised = true;
        }
        self.mirror(cause::ACTIVATION_CON, false);
        self.cx.record(Kind::Command(self.operation(Verdict::Done), Command::Clock));
        Ok(())
    }

    /// Answers a test command (IEC 60870-5-5 §6.11). Without a time tag, its pattern is fixed
    /// (IEC 60870-5-101 §7.2.6.14).
    pub(super) fn test(&mut self) -> Result<(), Refusal> {
        if self.object != 0 {
            return Err(Refusal::OBJECT);
        }
        if self.header.type_id == 104 && self.element.first_chunk() != Some(&[0xAA, 0x55]) {
            return Err(Refusal::of("the test bit pattern is not 0x55AA"));
        }
        self.mirror(cause::ACTIVATION_CON, false);
        self.cx.record(Kind::Diagnose(self.operation(Verdict::Done)));
        Ok(())
    }

    /// Resets the process (IEC 60870-5-101 §7.2.6.27): the whole device, or what waits to be told.
    pub(super) fn reset(&mut self, first: bool) -> Result<(), Refusal> {
        let command = match self.qualifier()? {
            1 => Command::Restart,
            2 => Command::Clear,
            _ => return Err(Refusal::of("the qualifier of reset is reserved")),
        };
        self.mirror(cause::ACTIVATION_CON, false);
        self.cx.record(Kind::Command(self.operation(Verdict::Done), command));
        match command {
            _ if self.header.test || !first => {}
            Command::Restart => self.cx.device().restart(self.cx.now),
            _ => self.state.reports.clear(),
        }
        Ok(())
    }
}

impl Told {
    fn add(&mut self, point: &Point, track: &Track, plant: &Plant, mode: Mode) {
        let sample = point.sample(plant, mode);
        let reading = if point.kind == PointKind::Total { track.counter.reading(&sample) } else { sample.reading };
        let mut element = Element::new();
        reading.put(&mut element);
        self.objects.push((point.type_id(TimeTag::None), point.address, element));
        self.names.push(point.address.to_string().into());
        self.tags.extend(point.tags());
        self.values.push(reading.value());
    }
}
