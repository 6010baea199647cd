//! What a station tells without being asked: changes, cycles, what came of a command. IEC 60870-5-5 (1995) §6.3, §6.4
//! and §6.8. Apart from answers, because time and the plant make it happen and no message does.

use super::{
    asdu::{Element, Header, cause, put_objects},
    element::{Information, Time},
    link::Link,
    point::{Point, Sample},
    settings::{PointKind, TimeTag},
    state::{Report, State, Track},
    station::Outstation,
};
use honeyplant_core::{conversation::Context, cpu::Mode, plant::Plant};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// How the plant is when points are looked at.
struct View<'a> {
    plant: &'a Plant,
    mode: Mode,
    now: Instant,
    time: Time,
    valid: bool,
}

impl Outstation {
    /// Lets `token` have the data from now on; whoever had it before has it no longer.
    pub(super) fn start(&self, token: u64, link: &mut Link, cx: &mut Context<'_>) {
        self.started.store(token, Ordering::Release);
        link.start(cx.out);
        let mut state = self.state();
        state.follow(cx.device());
        if state.announced {
            return;
        }
        state.announced = true;
        // IEC 60870-5-101 §7.2.6.21: switched on, or reset from afar.
        let coi = if state.boots() == 0 { 0 } else { 2 };
        for station in self.stations.iter().filter(|_| self.end_of_initialisation) {
            let header = unasked(70, cause::INITIALISED, station.address, 0);
            link.say(cx.now, cx.out, |out| {
                let objects = [(0, Element::from_slice(&[coi]))];
                put_objects(self.sizes, header, false, &objects, out);
            });
        }
    }

    /// Looks at all points, and tells what is to be told; when something that goes on is due.
    pub(super) fn tend(&self, token: u64, link: &mut Link, cx: &mut Context<'_>) -> Option<Instant> {
        let (now, device) = (cx.now, &cx.session.device);
        let mut state = self.state();
        state.follow(device);
        let (mode, time) = (device.mode(), state.time(device, now));
        let plant = device.plant(now);
        let view = View { plant: &plant, mode, now, time, valid: state.synchronised };
        let seen = Some((plant.changes(), mode));
        if state.seen != seen || state.due.is_some_and(|due| due <= now) {
            state.seen = seen;
            self.look(&mut state, &view, link, cx);
        }
        self.conclude(&mut state, &view, token, link, cx);
        let falls = plant.next_fall().map(|uptime| now + uptime.saturating_sub(device.moment(now).uptime));
        drop(plant);
        self.flush(&mut state, link, cx);
        state.deadline().into_iter().chain(falls).min()
    }

    fn look(&self, state: &mut State, view: &View<'_>, link: &mut Link, cx: &mut Context<'_>) {
        let mut due: Option<Instant> = None;
        let mut reports = Vec::new();
        for (at_station, station) in self.stations.iter().enumerate() {
            let State { tracks, running, .. } = &mut *state;
            let tracks = tracks.get_mut(at_station).map(Vec::as_mut_slice).unwrap_or_default();
            for (at, (point, track)) in station.points.iter().zip(tracks).enumerate() {
                let sample = point.sample(view.plant, view.mode);
                let report = |cause, time_tag, reading| {
                    let (time, valid) = (view.time, view.valid);
                    let time_tag = point.time_tag(time_tag);
                    Report { station: at_station, point: at, cause, time_tag, reading, time, valid }
                };
                if let Some(reading) = frozen(point, track, &sample, view) {
                    reports.push(report(cause::SPONTANEOUS, point.time_tag, reading));
                }
                if let Some(reading) = moved(point, track, &sample) {
                    let here = |(feedback, _)| feedback == at;
                    let ours = running
                        .iter()
                        .find(|running| running.station == at_station && running.feedback.is_some_and(here));
                    if let Some(running) = ours {
                        let header = Header { cause: cause::RETURN_REMOTE, ..running.header };
                        self.tell_at_once(header, &report(cause::RETURN_REMOTE, point.time_tag, reading), link, cx);
                    } else {
                        if point.double_transmission && point.time_tag(point.time_tag) != TimeTag::None {
                            reports.push(report(cause::SPONTANEOUS, TimeTag::None, reading));
                        }
                        reports.push(report(cause::SPONTANEOUS, point.time_tag, reading));
                    }
                }
                let plain =
                    if point.kind == PointKind::Total { track.counter.reading(&sample) } else { sample.reading };
                if is_due(&mut track.cyclic, point.cyclic, view.now) && !track.paused {
                    reports.push(report(cause::PERIODIC, TimeTag::None, plain));
                }
                if is_due(&mut track.background, point.background, view.now) {
                    reports.push(report(cause::BACKGROUND, TimeTag::None, plain));
                }
                let next =
                    [track.cyclic, track.background, point.freeze.map(|period| view.now + rest(view.time, period))];
                due = next.into_iter().flatten().chain(due).min();
            }
        }
        state.due = due;
        for report in reports {
            state.report(report, self.buffer);
        }
    }

    fn tell_at_once(&self, header: Header, report: &Report, link: &mut Link, cx: &mut Context<'_>) {
        let Some((type_id, _, object)) = self.object(report) else { return };
        let header = Header { type_id, negative: false, ..header };
        link.say(cx.now, cx.out, |out| {
            put_objects(self.sizes, header, false, &[object], out);
        });
    }

    /// Ends the commands that have come to what they were to, or have had the time for it.
    fn conclude(&self, state: &mut State, view: &View<'_>, token: u64, link: &mut Link, cx: &mut Context<'_>) {
        let State { running, tracks, .. } = state;
        running.retain(|running| {
            let Some(station) = self.stations.get(running.station) else { return false };
            let reached = running.feedback.map(|(at, target)| {
                let track = tracks.get(running.station).and_then(|tracks| tracks.get(at));
                station.points.get(at).is_some_and(|point| {
                    let deadband = track.and_then(|track| track.deadband).unwrap_or(point.deadband);
                    target.is_reached(&point.sample(view.plant, view.mode), deadband)
                })
            });
            let over = running.until <= view.now;
            if !over && reached != Some(true) {
                return true;
            }
            let control = station.controls.get(running.control);
            if running.by == token && control.is_some_and(|control| control.termination) {
                let negative = reached == Some(false);
                let header = Header { cause: cause::ACTIVATION_TERM, negative, ..running.header };
                link.say(view.now, cx.out, |out| {
                    header.put(self.sizes, out);
                    out.extend_from_slice(&running.body);
                });
            }
            false
        });
    }

    /// Sends reports as far as there is room for them.
    fn flush(&self, state: &mut State, link: &mut Link, cx: &mut Context<'_>) {
        while link.has_room() {
            let Some(first) = state.reports.front() else { break };
            let Some((type_id, address, _)) = self.object(first) else {
                state.reports.pop_front();
                continue;
            };
            let (told_by, plain) = (first.cause, first.time_tag == TimeTag::None);
            let alike = state.reports.iter().take(0x7F).map_while(|report| {
                let (other, of, object) = self.object(report)?;
                (other == type_id && of == address && report.cause == told_by).then_some(object)
            });
            let objects: Vec<(u32, Element)> = alike.collect();
            let header = unasked(type_id, told_by, address, 0);
            let mut count = 0;
            link.say(cx.now, cx.out, |out| {
                count = put_objects(self.sizes, header, self.sequences && plain, &objects, out);
            });
            state.reports.drain(..count.max(1).min(state.reports.len()));
        }
        link.starved = !state.reports.is_empty();
    }

    /// The type, the common address, and the object of a report.
    fn object(&self, report: &Report) -> Option<(u8, u16, (u32, Element))> {
        let station = self.stations.get(report.station)?;
        let point = station.points.get(report.point)?;
        let mut element = Element::new();
        report.reading.put(&mut element);
        match report.time_tag {
            TimeTag::None => {}
            TimeTag::Cp24 => report.time.put_cp24(report.valid, &mut element),
            TimeTag::Cp56 => report.time.put_cp56(report.valid, &mut element),
        }
        Some((point.type_id(report.time_tag), station.address, (point.address, element)))
    }
}

/// The identifier of something that nobody asked for.
const fn unasked(type_id: u8, cause: u8, address: u16, number: u8) -> Header {
    Header { type_id, sequence: false, number, test: false, negative: false, cause, originator: 0, address }
}

/// What a point says, if it is to be told that it has changed.
fn moved(point: &Point, track: &mut Track, sample: &Sample) -> Option<super::element::Reading> {
    if !point.spontaneous || point.kind == PointKind::Total {
        return None;
    }
    let Some(told) = &track.told else {
        // Masters ask for everything once, and are told of changes from then on.
        track.told = Some(*sample);
        return None;
    };
    if !point.moved(told, sample, track.deadband.unwrap_or(point.deadband)) {
        return None;
    }
    let mut reading = sample.reading;
    if let (Information::Packed { status: old, .. }, Information::Packed { status, changed }) =
        (told.reading.information, &mut reading.information)
    {
        *changed = old ^ *status;
    }
    track.told = Some(*sample);
    Some(reading)
}

/// Freezes a total when a period of the clock is over.
fn frozen(point: &Point, track: &mut Track, sample: &Sample, view: &View<'_>) -> Option<super::element::Reading> {
    let period = millis(point.freeze?);
    let current = view.time.0.div_euclid(period);
    let before = track.counter.period.replace(current);
    if before.is_none_or(|before| before == current) {
        return None;
    }
    track.counter.freeze(sample.number);
    Some(track.counter.reading(sample))
}

/// How long it is until a period of the clock is over.
fn rest(time: Time, period: Duration) -> Duration {
    let period = millis(period);
    Duration::from_millis((period - time.0.rem_euclid(period)) as u64)
}

fn millis(period: Duration) -> i64 {
    i64::try_from(period.as_millis()).unwrap_or(i64::MAX).max(1)
}

/// Whether a cycle is over; then the next one begins, on the beat of those before unless it was missed.
fn is_due(next: &mut Option<Instant>, period: Option<Duration>, now: Instant) -> bool {
    let Some(period) = period else { return false };
    let Some(at) = next else {
        *next = Some(now + period);
        return false;
    };
    if *at > now {
        return false;
    }
    let beat = *at + period;
    *at = if beat > now { beat } else { now + period };
    true
}
