//! Commands and set points: select, execute, cancel. IEC 60870-5-5 (1995) §6.8 and IEC 60870-5-101 Ed. 2 (2003) §7.3.2.
//! Apart from `control.rs`, because here is when a command may, and there what it does.

use super::{
    asdu::cause,
    control::{Control, Instruction, Order, kind_of},
    settings::{CommandKind, Output},
    state::{Running, Selection},
    station::{Exchange, Refusal, Station},
};
use honeyplant_core::{
    cpu::Mode,
    event::{Change, Command, Kind, Verdict},
    plant::{Plant, TagId, Value},
};
use std::time::{Duration, Instant};

impl Exchange<'_, '_> {
    pub(super) fn command(&mut self, index: usize, station: &Station) -> Result<(), Refusal> {
        let type_id = self.header.type_id;
        let at = station.controls.binary_search_by_key(&self.object, |control| control.address);
        let at = at.map_err(|_| Refusal::OBJECT)?;
        let control = station.controls.get(at).filter(|control| kind_of(type_id) == Some(control.kind));
        let control = control.ok_or(Refusal::OBJECT)?;
        let Ok(instruction) = Instruction::parse(type_id, self.element) else {
            self.cx.record(Kind::Malformed { why: "the ASDU ends before its information object does" });
            return Ok(());
        };
        let (now, by) = (self.cx.now, (self.token, self.header.originator));
        self.state.selections.retain(|selection| selection.until > now);
        if self.header.cause == cause::DEACTIVATION {
            return self.cancel(index, at, control);
        }
        self.check(index, station, at, &instruction).map_err(Refusal::of)?;
        let mine = |selection: &&mut Selection| selection.station == index && selection.control == at;
        let selected = self.state.selections.iter_mut().find(mine).map(|selection| (selection.by, selection.order));
        if selected.is_some_and(|(other, _)| other != by) {
            return Err(Refusal::of("another master has selected it"));
        }
        let order = (type_id, Instruction { select: false, time: None, ..instruction });
        self.state.selections.retain(|selection| selection.station != index || selection.control != at);
        if instruction.select {
            if !self.header.test {
                let until = now + self.outstation.select_timeout;
                self.state.selections.push(Selection { station: index, control: at, by, until, order });
            }
            self.mirror(cause::ACTIVATION_CON, false);
            self.cx.record(Kind::Command(self.operation(Verdict::Done), Command::Select));
            return Ok(());
        }
        match selected {
            Some((_, other)) if other != order => return Err(Refusal::of("it is not what was selected")),
            None if control.sbo && !self.header.test => return Err(Refusal::of("it is not selected")),
            _ => {}
        }
        self.mirror(cause::ACTIVATION_CON, false);
        if self.header.test {
            // §7.2.3: what is sent for a test moves nothing.
            self.mirror(cause::ACTIVATION_TERM, false);
            self.cx.record(Kind::Diagnose(self.operation(Verdict::Done)));
            return Ok(());
        }
        self.execute(index, station, at, control, &instruction);
        Ok(())
    }

    /// Whether a command may be selected or executed. The error says why not.
    fn check(&self, index: usize, station: &Station, at: usize, instruction: &Instruction) -> Result<(), &'static str> {
        let Some(control) = station.controls.get(at) else { return Ok(()) };
        let device = self.cx.device();
        if let (Some(age), Some(time)) = (self.outstation.command_age, instruction.time) {
            // IEC 60870-5-104 §6.8 (supervision of the maximum delay of commands).
            let time = time.map_err(|()| "the time tag is no time")?;
            let here = self.state.time(device, self.cx.now);
            if u128::from(here.0.abs_diff(time.0)) > age.as_millis() {
                return Err("the command is too old");
            }
        }
        let most = match control.kind {
            CommandKind::Single | CommandKind::Double | CommandKind::Step => 3,
            _ => 0,
        };
        if instruction.qualifier > most {
            return Err("the qualifier is reserved");
        }
        if matches!(instruction.order, Order::NotPermitted(_)) {
            return Err("the state of the command is not permitted");
        }
        if device.mode() != Mode::Run {
            return Err("the CPU does not run");
        }
        if self.state.running.iter().any(|running| running.station == index && running.control == at) {
            return Err("it is being carried out");
        }
        let plant = device.plant(self.cx.now);
        if control.permits.into_iter().flatten().any(|tag| plant.get(tag).number() == 0.0) {
            return Err("commands are not permitted now");
        }
        control.goal(instruction.order, &plant).map(|_| ())
    }

    fn execute(&mut self, index: usize, station: &Station, at: usize, control: &Control, instruction: &Instruction) {
        let (now, device, order) = (self.cx.now, &self.cx.session.device, instruction.order);
        let mut plant = device.plant(now);
        // It was checked before, and nobody has had the state since.
        let Ok(goal) = control.goal(order, &plant) else { return };
        let shown = control.feedback.and_then(|at| Some((at, station.points.get(at)?.sample(&plant, device.mode()))));
        let before = control.before(shown.as_ref().map(|(_, sample)| sample), &plant);
        let feedback = shown.and_then(|(at, sample)| Some((at, control.target(order, &goal, &sample)?)));
        let pulse = self.pulse(control, instruction.qualifier);
        let falls = self.set(control.settings(order, goal), pulse, &mut plant);
        drop(plant);
        let until = match feedback {
            Some(_) => Some(now + self.outstation.feedback_timeout),
            None => falls,
        };
        let (header, by, body) = (self.header, self.token, self.body);
        match until {
            Some(until) => self.state.running.push(Running {
                station: index,
                control: at,
                by,
                header,
                body: body.into(),
                feedback,
                until,
            }),
            None if control.termination => self.mirror(cause::ACTIVATION_TERM, false),
            None => {}
        }
        let change = Change { before, after: order.values() };
        let access = self.access(control.tags(order));
        self.cx.record(Kind::Write(self.operation(Verdict::Done), access, change));
    }

    /// Sets tags; when one of them is to fall again, if any is.
    fn set(
        &mut self,
        settings: impl IntoIterator<Item = (TagId, Value)>,
        pulse: Option<Duration>,
        plant: &mut Plant,
    ) -> Option<Instant> {
        let mut falls = None;
        for (tag, value) in settings {
            plant.end_pulse(tag);
            match pulse.filter(|_| value == Value::Bool(true)) {
                Some(length) => {
                    plant.pulse(tag, length, self.cx.session.device.moment(self.cx.now));
                    falls = Some(self.cx.now + length);
                }
                None => plant.set(tag, value),
            }
        }
        falls
    }

    /// How long the output stays set, if it falls again (§7.2.6.26).
    const fn pulse(&self, control: &Control, qualifier: u8) -> Option<Duration> {
        let output = match (qualifier, control.kind) {
            (_, CommandKind::Normalized | CommandKind::Scaled | CommandKind::Float | CommandKind::Bitstring) => {
                Output::Persistent
            }
            (1, _) => Output::Short,
            (2, _) => Output::Long,
            (3, _) => Output::Persistent,
            _ => control.output,
        };
        match output {
            Output::Persistent => None,
            Output::Short => Some(self.outstation.short_pulse),
            Output::Long => Some(self.outstation.long_pulse),
        }
    }

    /// Gives up a selection, or a command that is going on.
    fn cancel(&mut self, index: usize, at: usize, control: &Control) -> Result<(), Refusal> {
        let by = (self.token, self.header.originator);
        let before = (self.state.selections.len(), self.state.running.len());
        self.state
            .selections
            .retain(|selection| selection.station != index || selection.control != at || selection.by != by);
        self.state
            .running
            .retain(|running| running.station != index || running.control != at || running.by != self.token);
        if before == (self.state.selections.len(), self.state.running.len()) {
            return Err(Refusal::of("nothing is going on"));
        }
        if self.state.running.len() < before.1 {
            let mut plant = self.cx.session.device.plant(self.cx.now);
            let tags = [control.tags(Order::Switch(true)), control.tags(Order::Switch(false))];
            tags.iter().flatten().for_each(|tag| plant.end_pulse(*tag));
        }
        self.mirror(cause::DEACTIVATION_CON, false);
        self.cx.record(Kind::Command(self.operation(Verdict::Done), Command::Cancel));
        Ok(())
    }
}
