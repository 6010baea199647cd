//! Points and commands made from their settings. Apart from `build.rs`, because information objects have mistakes of
//! their own.

use super::{
    build::{Desk, Want},
    control::{Actuator, Control},
    point::{Point, Source},
    settings::{self, CommandKind, Output, PointKind, TimeTag},
};
use std::ops::Range;

impl Desk<'_> {
    pub(super) fn points(
        &mut self,
        station: &settings::Station,
        key: &str,
        time_tag: TimeTag,
        range: &Range<u32>,
    ) -> Vec<Point> {
        let (mut points, mut taken) = (Vec::new(), Vec::new());
        for (text, spanned) in &station.points {
            let key = format!("{key}.points.{}", text.get_ref());
            let address = self.address(text, &key, range, &taken);
            taken.extend(address);
            let point = self.point(spanned.get_ref(), spanned.span(), &key, time_tag);
            if let (Some(address), Some(point)) = (address, point) {
                points.push(Point { address, ..point });
            }
        }
        points.sort_by_key(|point| point.address);
        points
    }

    fn point(&mut self, point: &settings::Point, span: Range<usize>, key: &str, time_tag: TimeTag) -> Option<Point> {
        let kind = point.kind;
        let source = self.source(point, &span, key);
        let quality = self.tag(point.quality.as_ref(), key, "quality", Want::Number);
        let transient = self.tag(point.transient.as_ref(), key, "transient", Want::Bool);
        let elapsed = self.tag(point.elapsed.as_ref(), key, "elapsed", Want::Number);
        let event =
            matches!(kind, PointKind::ProtectionEvent | PointKind::ProtectionStart | PointKind::ProtectionOutput);
        let measured =
            matches!(kind, PointKind::Normalized | PointKind::NormalizedPlain | PointKind::Scaled | PointKind::Float);
        let stepped = measured || matches!(kind, PointKind::Step | PointKind::Total);
        for (field, given, means) in [
            ("transient", point.transient.is_some(), kind == PointKind::Step),
            ("elapsed", point.elapsed.is_some(), event),
            ("scale", point.scale.is_some(), stepped),
            ("offset", point.offset.is_some(), stepped),
            ("deadband", point.deadband.is_some(), measured),
            ("freeze", point.freeze.is_some(), kind == PointKind::Total),
            ("cyclic", point.cyclic.is_some(), !event),
            ("background", point.background.is_some(), !event),
            ("group", point.group.is_some(), !event),
            ("interrogated", point.interrogated.is_some(), !event && kind != PointKind::Total),
        ] {
            if given && !means {
                self.problem(format!("{key}.{field}"), span.clone(), format!("`{field}` means nothing here"));
            }
        }
        if let Some(deadband) = point.deadband.as_ref().filter(|deadband| !(0.0..).contains(deadband.get_ref())) {
            self.problem(format!("{key}.deadband"), deadband.span(), "a deadband is not less than 0");
        }
        for (field, period) in [("cyclic", point.cyclic), ("background", point.background), ("freeze", point.freeze)] {
            if let Some(period) = period {
                self.bounded(period.0, &format!("{key}.{field}"), Some(span.clone()));
            }
        }
        Some(Point {
            address: 0,
            kind,
            scale: self.scale(point.scale.as_ref(), key),
            groups: self.groups(point.group.as_ref(), kind, key),
            source: source?,
            quality,
            transient,
            elapsed,
            offset: point.offset.unwrap_or(0.0),
            interrogated: point.interrogated.unwrap_or(true),
            spontaneous: point.spontaneous,
            deadband: point.deadband.as_ref().map_or(0.0, |deadband| *deadband.get_ref()),
            cyclic: point.cyclic.map(|period| period.0),
            background: point.background.map(|period| period.0),
            freeze: point.freeze.map(|period| period.0),
            time_tag: point.time_tag.unwrap_or(time_tag),
            double_transmission: point.double_transmission,
        })
    }

    fn source(&mut self, point: &settings::Point, span: &Range<usize>, key: &str) -> Option<Source> {
        let pair = point.kind == PointKind::Double;
        match (&point.tag, &point.off, &point.on) {
            (Some(_), None, None) => self.tag(point.tag.as_ref(), key, "tag", Want::Number).map(Source::Tag),
            (None, Some(_), Some(_)) if pair => {
                let off = self.tag(point.off.as_ref(), key, "off", Want::Bool);
                let on = self.tag(point.on.as_ref(), key, "on", Want::Bool);
                Some(Source::Pair { off: off?, on: on? })
            }
            _ => {
                let message =
                    if pair { "a double point has a `tag`, or `off` and `on`" } else { "a point has a `tag`" };
                self.problem(key.to_owned(), span.clone(), message);
                None
            }
        }
    }

    pub(super) fn controls(&mut self, station: &settings::Station, key: &str, range: &Range<u32>) -> Vec<Control> {
        let permit = self.tag(station.permit.as_ref(), key, "permit", Want::Bool);
        // Feedback is looked for among what was written, lest a point with a mistake is told to be missing, too.
        let mut known: Vec<u32> = station.points.keys().filter_map(|text| text.get_ref().parse().ok()).collect();
        known.sort_unstable();
        let (mut controls, mut taken) = (Vec::new(), Vec::new());
        for (text, spanned) in &station.commands {
            let (command, key) = (spanned.get_ref(), format!("{key}.commands.{}", text.get_ref()));
            let address = self.address(text, &key, range, &taken);
            taken.extend(address);
            let control = self.control(command, spanned.span(), &key, &known);
            if let (Some(address), Some(control)) = (address, control) {
                let [_, own] = control.permits;
                controls.push(Control { address, permits: [permit, own], ..control });
            }
        }
        controls.sort_by_key(|control| control.address);
        controls
    }

    fn control(
        &mut self,
        command: &settings::Command,
        span: Range<usize>,
        key: &str,
        points: &[u32],
    ) -> Option<Control> {
        let kind = command.kind;
        let actuator = self.actuator(command, &span, key);
        let permit = self.tag(command.permit.as_ref(), key, "permit", Want::Bool);
        let feedback = command.feedback.as_ref().and_then(|address| {
            let found = points.binary_search(address.get_ref()).ok();
            if found.is_none() {
                let message = format!("there is no point {} in this station", address.get_ref());
                self.problem(format!("{key}.feedback"), address.span(), message);
            }
            found
        });
        let switches = matches!(kind, CommandKind::Single | CommandKind::Double | CommandKind::Step);
        let set_point = matches!(kind, CommandKind::Normalized | CommandKind::Scaled | CommandKind::Float);
        for (field, given, means) in [
            ("output", command.output.is_some(), switches),
            ("scale", command.scale.is_some(), set_point),
            ("offset", command.offset.is_some(), set_point),
            ("range", command.range.is_some(), set_point || kind == CommandKind::Step),
            ("sbo", command.sbo, kind != CommandKind::Bitstring),
        ] {
            if given && !means {
                self.problem(format!("{key}.{field}"), span.clone(), format!("`{field}` means nothing here"));
            }
        }
        if let Some(range) =
            command.range.as_ref().filter(|range| !matches!(range.get_ref(), [low, high] if low < high))
        {
            self.problem(format!("{key}.range"), range.span(), "a range is from the lower to the higher value");
        }
        let scale = self.scale(command.scale.as_ref(), key);
        let actuator = actuator?;
        let own = match actuator {
            Actuator::Tag(tag) => self.plant.range_of(tag),
            Actuator::Pair { .. } => None,
        };
        let usual = if matches!(actuator, Actuator::Tag(_)) { Output::Persistent } else { Output::Short };
        Some(Control {
            address: 0,
            kind,
            actuator,
            feedback,
            sbo: command.sbo,
            output: command.output.unwrap_or(usual),
            scale,
            offset: command.offset.unwrap_or(0.0),
            range: command.range.as_ref().map(|range| *range.get_ref()).or(own),
            permits: [None, permit],
            termination: command.termination,
        })
    }

    fn actuator(&mut self, command: &settings::Command, span: &Range<usize>, key: &str) -> Option<Actuator> {
        let want = match command.kind {
            CommandKind::Single | CommandKind::Double => Want::Bool,
            _ => Want::Number,
        };
        let settings::Command { kind, tag, on, off, higher, lower, .. } = command;
        let [up, down] = if *kind == CommandKind::Step { ["higher", "lower"] } else { ["on", "off"] };
        let (set, clear, stray) = match kind {
            CommandKind::Step => (higher, lower, on.is_some() || off.is_some()),
            _ => (on, off, higher.is_some() || lower.is_some()),
        };
        let pairs = matches!(kind, CommandKind::Single | CommandKind::Double | CommandKind::Step);
        match (tag, set, clear) {
            (Some(_), None, None) if !stray => self.tag(tag.as_ref(), key, "tag", want).map(Actuator::Tag),
            (None, Some(_), Some(_)) if pairs && !stray => {
                let on = self.tag(set.as_ref(), key, up, Want::Bool);
                let off = self.tag(clear.as_ref(), key, down, Want::Bool);
                Some(Actuator::Pair { on: on?, off: off? })
            }
            _ => {
                let message = if pairs {
                    format!("a command of this type has a `tag`, or `{up}` and `{down}`")
                } else {
                    "a command of this type has a `tag`".to_owned()
                };
                self.problem(key.to_owned(), span.clone(), message);
                None
            }
        }
    }
}
