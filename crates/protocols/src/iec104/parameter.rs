//! Parameters in control direction: thresholds, and what is told cyclically. IEC 60870-5-101 Ed. 2 (2003) §7.3.5 and
//! IEC 60870-5-5 (1995) §6.10. Apart from commands, because they change what is told and not what happens.

use super::{
    asdu::cause,
    control::{Instruction, Order},
    settings::PointKind,
    station::{Exchange, Refusal, Station},
};
use honeyplant_core::{
    event::{Change, Command, Kind, Values, Verdict},
    plant::Value,
};

impl Exchange<'_, '_> {
    pub(super) fn parameter(&mut self, index: usize, station: &Station) -> Result<(), Refusal> {
        let at = station.points.binary_search_by_key(&self.object, |point| point.address);
        let at = at.map_err(|_| Refusal::OBJECT)?;
        let (Some(point), Some(track)) =
            (station.points.get(at), self.state.tracks.get_mut(index).and_then(|tracks| tracks.get_mut(at)))
        else {
            return Err(Refusal::OBJECT);
        };
        if self.header.type_id == 113 {
            // §7.2.6.25: 3 starts and stops cyclic transmission of the object.
            if self.element.first() != Some(&3) || point.cyclic.is_none() {
                return Err(Refusal::of("there is no such parameter to be activated"));
            }
            let stop = self.header.cause == cause::DEACTIVATION;
            track.paused = stop;
            self.mirror(if stop { cause::DEACTIVATION_CON } else { cause::ACTIVATION_CON }, false);
            self.cx.record(Kind::Command(self.operation(Verdict::Done), Command::Configure));
            return Ok(());
        }
        let matches = match self.header.type_id {
            110 => matches!(point.kind, PointKind::Normalized | PointKind::NormalizedPlain),
            111 => point.kind == PointKind::Scaled,
            _ => point.kind == PointKind::Float,
        };
        if !matches {
            return Err(Refusal::OBJECT);
        }
        let instruction = Instruction::parse(self.header.type_id, self.element);
        let Ok(Instruction { order: Order::Value(value), qualifier, select, .. }) = instruction else {
            return Err(Refusal::of("the parameter has no value"));
        };
        // §7.2.6.24: KPA 1 is the threshold; LPC and POP are not used.
        if qualifier & 0x3F != 1 || qualifier & 0x40 != 0 || select {
            return Err(Refusal::of("there is no such kind of parameter"));
        }
        if !(0.0..=f64::from(f32::MAX)).contains(&value) {
            return Err(Refusal::of("the value is out of range"));
        }
        let scale = point.scale.abs();
        let before = track.deadband.replace(value * scale).unwrap_or(point.deadband) / scale;
        self.mirror(cause::ACTIVATION_CON, false);
        let one = |value| Values::Typed(vec![Value::Real(value)]);
        let change = Change { before: one(before), after: one(value) };
        self.cx.record(Kind::Write(self.operation(Verdict::Done), self.access(point.tags()), change));
        Ok(())
    }
}
