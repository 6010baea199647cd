//! A point: a view on tags as the standard's information elements have them. Apart from `station.rs`, because a point
//! knows nothing of when it is told.

use super::{
    element::{Information, Reading, quality},
    settings::{PointKind, TimeTag},
};
use honeyplant_core::{
    cpu::Mode,
    plant::{Plant, TagId, Tags, Type, Value},
};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Point {
    /// The information object address.
    pub(super) address: u32,
    pub(super) kind: PointKind,
    pub(super) source: Source,
    pub(super) quality: Option<TagId>,
    pub(super) transient: Option<TagId>,
    pub(super) elapsed: Option<TagId>,
    pub(super) scale: f64,
    pub(super) offset: f64,
    /// The groups that it belongs to, a bit for each from 1 on.
    pub(super) groups: u16,
    pub(super) interrogated: bool,
    pub(super) spontaneous: bool,
    pub(super) deadband: f64,
    pub(super) cyclic: Option<Duration>,
    pub(super) background: Option<Duration>,
    pub(super) freeze: Option<Duration>,
    pub(super) time_tag: TimeTag,
    pub(super) double_transmission: bool,
}

/// What a point looks at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Tag(TagId),
    /// The two bits of a double point.
    Pair {
        off: TagId,
        on: TagId,
    },
}

/// What a point says now, and the number behind it in the unit of its tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) reading: Reading,
    pub(super) number: f64,
}

impl Point {
    /// Looks at the tags. What only is told when it changes says how it stands.
    pub(super) fn sample(&self, plant: &Plant, mode: Mode) -> Sample {
        let mut bits = self.quality.map_or(0, |tag| match plant.get(tag) {
            Value::Bool(true) => quality::INVALID,
            Value::Bool(false) => 0,
            other => other.pattern(Type::Byte) as u8 & (quality::COMMON | quality::OVERFLOW),
        });
        if mode != Mode::Run {
            bits |= quality::NOT_TOPICAL;
        }
        let value = match self.source {
            Source::Tag(tag) => plant.get(tag),
            Source::Pair { off, on } => {
                Value::Uint(u64::from(plant.get(on).number() != 0.0) << 1 | u64::from(plant.get(off).number() != 0.0))
            }
        };
        let number = value.number();
        let scaled = (number - self.offset) / self.scale;
        let elapsed = || self.elapsed.map_or(0, |tag| plant.get(tag).number().clamp(0.0, 60_000.0) as u16);
        // Rust's casts hold a number inside the range of the type.
        let mut whole = |low: f64, high: f64, value: f64| {
            let rounded = value.round();
            if !(low..=high).contains(&rounded) {
                bits |= if rounded.is_nan() { quality::INVALID } else { quality::OVERFLOW };
            }
            rounded.clamp(low, high) as i16
        };
        let information = match self.kind {
            PointKind::Single => Information::Single(number != 0.0),
            PointKind::Double => Information::Double(match value {
                Value::Bool(on) => 1 + u8::from(on),
                other => other.pattern(Type::Byte) as u8 & 3,
            }),
            PointKind::Step => Information::Step {
                position: whole(-64.0, 63.0, scaled) as i8,
                transient: self.transient.is_some_and(|tag| plant.get(tag).number() != 0.0),
            },
            PointKind::Bitstring => Information::Bits(value.pattern(Type::Dword) as u32),
            PointKind::Normalized => Information::Normalized(whole(-32_768.0, 32_767.0, scaled * 32_768.0)),
            PointKind::NormalizedPlain => Information::Plain(whole(-32_768.0, 32_767.0, scaled * 32_768.0)),
            PointKind::Scaled => Information::Scaled(whole(-32_768.0, 32_767.0, scaled)),
            PointKind::Float => {
                let short = scaled as f32;
                if !short.is_finite() {
                    bits |= if scaled.is_nan() { quality::INVALID } else { quality::OVERFLOW };
                }
                Information::Float(if short.is_nan() { 0.0 } else { short.clamp(f32::MIN, f32::MAX) })
            }
            PointKind::Total => Information::Total(scaled.round() as i64 as i32, 0),
            PointKind::Packed => Information::Packed { status: value.pattern(Type::Word) as u16, changed: 0 },
            PointKind::ProtectionEvent => Information::Event(1 + u8::from(number != 0.0), elapsed()),
            PointKind::ProtectionStart => Information::Start(value.pattern(Type::Byte) as u8 & 0x3F, elapsed()),
            PointKind::ProtectionOutput => Information::Output(value.pattern(Type::Byte) as u8 & 0x0F, elapsed()),
        };
        let number = if self.kind == PointKind::Total { scaled.round() } else { number };
        Sample { reading: Reading { information, quality: bits }, number }
    }

    /// Whether `new` is worth telling to somebody who knows `old`.
    pub(super) fn moved(&self, old: &Sample, new: &Sample, deadband: f64) -> bool {
        if old.reading.quality != new.reading.quality {
            return true;
        }
        if self.is_measured() && deadband > 0.0 {
            return (new.number - old.number).abs() > deadband;
        }
        match (old.reading.information, new.reading.information) {
            // How long the last one took says nothing by itself.
            (Information::Event(a, _), Information::Event(b, _))
            | (Information::Start(a, _), Information::Start(b, _))
            | (Information::Output(a, _), Information::Output(b, _)) => a != b,
            (old, new) => old != new,
        }
    }

    /// Whether it is a measured value, which has a threshold.
    pub(super) const fn is_measured(&self) -> bool {
        matches!(self.kind, PointKind::Normalized | PointKind::NormalizedPlain | PointKind::Scaled | PointKind::Float)
    }

    /// Whether it only exists as an event.
    pub(super) const fn is_event(&self) -> bool {
        matches!(self.kind, PointKind::ProtectionEvent | PointKind::ProtectionStart | PointKind::ProtectionOutput)
    }

    /// The type that tells it with such a time tag; what cannot be told with one is told without.
    pub(super) const fn type_id(&self, time_tag: TimeTag) -> u8 {
        let [none, cp24, cp56] = self.kind.type_ids();
        match time_tag {
            TimeTag::None => none,
            TimeTag::Cp24 => cp24,
            TimeTag::Cp56 => cp56,
        }
    }

    /// The time tag that goes with it if `wanted` is asked for.
    pub(super) const fn time_tag(&self, wanted: TimeTag) -> TimeTag {
        let [none, cp24, cp56] = self.kind.type_ids();
        match wanted {
            // An event of protection has no type without time.
            TimeTag::None if none == cp24 && none != cp56 => TimeTag::Cp24,
            _ if none == cp56 => TimeTag::None,
            wanted => wanted,
        }
    }

    /// The tags that it looks at.
    pub(super) fn tags(&self) -> Tags {
        match self.source {
            Source::Tag(tag) => Tags::from_slice(&[tag]),
            Source::Pair { off, on } => Tags::from_slice(&[off, on]),
        }
    }
}

impl PointKind {
    /// The types of IEC 60870-5-101 §7.2.1 without time, with CP24Time2a and with CP56Time2a.
    const fn type_ids(self) -> [u8; 3] {
        match self {
            Self::Single => [1, 2, 30],
            Self::Double => [3, 4, 31],
            Self::Step => [5, 6, 32],
            Self::Bitstring => [7, 8, 33],
            Self::Normalized => [9, 10, 34],
            Self::Scaled => [11, 12, 35],
            Self::Float => [13, 14, 36],
            Self::Total => [15, 16, 37],
            Self::ProtectionEvent => [17, 17, 38],
            Self::ProtectionStart => [18, 18, 39],
            Self::ProtectionOutput => [19, 19, 40],
            Self::Packed => [20, 20, 20],
            Self::NormalizedPlain => [21, 21, 21],
        }
    }
}
