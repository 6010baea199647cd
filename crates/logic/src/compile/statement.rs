//! Statements (§7.3.3). Apart, because they are what runs; expressions are only computed.

use super::{
    Compiler, Hint,
    constant::{Origin, Value, whole_of},
    emit::Label,
    place::{At, Place},
    types::{Shape, TypeId, limits},
};
use crate::{
    run::{Op, Slot},
    syntax::{Expression, ExpressionKind, Label as CaseLabel, Statement, StatementKind},
    types::Elementary,
};

/// A loop that statements stand in: where EXIT goes, and where CONTINUE goes and whether that is back.
pub(super) struct Loop {
    end: Label,
    next: Label,
    back: bool,
}

impl<'a> Compiler<'a> {
    pub(super) fn statements(&mut self, statements: &'a [Statement], loops: &mut Vec<Loop>) {
        for statement in statements {
            let used = self.in_use();
            self.at_line(&statement.span);
            // The next statement is checked all the same. What stands on a line that could not be read may make no sense.
            if self.statement(statement, loops).is_none() && self.problems.is_empty() && self.is_read {
                self.problem(&statement.span, "this statement makes no sense here", Hint(None));
            }
            self.release(used);
        }
    }

    fn statement(&mut self, statement: &'a Statement, loops: &mut Vec<Loop>) -> Option<()> {
        let span = &statement.span;
        match &statement.kind {
            StatementKind::Assign { target, value } => self.assignment(target, value),
            StatementKind::Call(call) => self.call(call),
            StatementKind::If { arms, otherwise } => {
                let end = self.label();
                for (condition, body) in arms {
                    let next = self.label();
                    let used = self.in_use();
                    self.at_line(&condition.span);
                    let _told = self.branch(condition, next, false);
                    self.release(used);
                    self.statements(body, loops);
                    self.jump(end, |to| Op::Jump { to });
                    self.place_label(next);
                }
                self.statements(otherwise, loops);
                self.place_label(end);
                Some(())
            }
            StatementKind::Case { on, arms, otherwise } => self.case(on, arms, otherwise, loops),
            StatementKind::For { counter, from, to, by, body } => {
                self.for_loop(counter, from, to, by.as_ref(), body, loops)
            }
            StatementKind::While { condition, body } => {
                let (top, end) = (self.label(), self.label());
                self.place_label(top);
                let told = self.branch(condition, end, false);
                self.body(body, loops, Loop { end, next: top, back: true });
                self.at_line(span);
                self.jump(top, |to| Op::Again { to });
                self.place_label(end);
                told
            }
            StatementKind::Repeat { body, until } => {
                let (top, next, end) = (self.label(), self.label(), self.label());
                self.place_label(top);
                self.body(body, loops, Loop { end, next, back: false });
                self.place_label(next);
                self.at_line(&until.span);
                let told = self.branch(until, end, true);
                self.jump(top, |to| Op::Again { to });
                self.place_label(end);
                told
            }
            StatementKind::Exit => match loops.last() {
                Some(Loop { end, .. }) => {
                    let end = *end;
                    self.jump(end, |to| Op::Jump { to });
                    Some(())
                }
                None => self.fail(span, "EXIT outside of a loop", "it leaves a FOR, WHILE or REPEAT that it stands in"),
            },
            StatementKind::Continue => match loops.last() {
                Some(Loop { next, back, .. }) => {
                    let (next, back) = (*next, *back);
                    self.jump(next, |to| if back { Op::Again { to } } else { Op::Jump { to } });
                    Some(())
                }
                None => {
                    let hint = "it goes on with the next round of a FOR, WHILE or REPEAT that it stands in";
                    self.fail(span, "CONTINUE outside of a loop", hint)
                }
            },
            StatementKind::Return => {
                self.leave();
                Some(())
            }
        }
    }

    fn body(&mut self, body: &'a [Statement], loops: &mut Vec<Loop>, this: Loop) {
        loops.push(this);
        self.statements(body, loops);
        loops.pop();
    }

    fn assignment(&mut self, target: &'a Expression, value: &'a Expression) -> Option<()> {
        let Some(place) = self.target(target) else {
            // What is computed on the right may be wrong as well.
            if let ExpressionKind::Unary(..) | ExpressionKind::Binary(..) | ExpressionKind::Call { .. } = value.kind {
                let _told = self.expression(value, None, None);
            }
            return None;
        };
        self.assign(&place, value)
    }

    /// The variable that `expression` names, which has to be one that can be assigned.
    pub(super) fn target(&mut self, expression: &'a Expression) -> Option<Place> {
        let place = self.place(expression)?;
        if let Some(fixed) = place.fixed {
            let message = format!("`{}` is {fixed} and cannot be assigned", self.written(&expression.span));
            return self.fail(&expression.span, message, "assign a variable of your own, or pass it as VAR_IN_OUT");
        }
        if self.types.is_block(place.ty) {
            let message = format!("`{}` is an instance and cannot be assigned", self.written(&expression.span));
            return self.fail(&expression.span, message, "call it, or assign one of its inputs");
        }
        Some(place)
    }

    pub(super) fn assign(&mut self, place: &Place, value: &'a Expression) -> Option<()> {
        if self.types.storage(place.ty).is_none() {
            if self.types.has_block(place.ty) {
                let message = format!("{} holds instances and cannot be assigned", self.types.name(place.ty));
                return self.fail(&value.span, message, "assign its other elements one by one");
            }
            let from = self.aggregate(value, place.ty)?;
            self.copy(place.at, from, self.types.slots(place.ty));
            return Some(());
        }
        let text = self.types.is_text(place.ty);
        let checked = matches!(self.types.shape(place.ty), Shape::Subrange { .. });
        let into = match place.at {
            // A value that is refused must not have been stored already.
            At::Slot(slot) if place.part.is_none() && !text && !checked => Some(slot),
            _ => None,
        };
        let value_of = self.expression(value, Some(place.ty), into)?;
        let value_of = self.converted(value_of, place.ty, &value.span, into)?;
        let from = self.slot(&value_of);
        self.write(place, from);
        Some(())
    }

    /// Copies values that take `count` slots.
    pub(super) fn copy(&mut self, to: At, from: At, count: u32) {
        let (to, from) = (self.pointer(to), self.pointer(from));
        self.emit(Op::CopyMany { to, from, count });
    }

    fn case(
        &mut self,
        on: &'a Expression,
        arms: &'a [(Vec<CaseLabel>, Vec<Statement>)],
        otherwise: &'a [Statement],
        loops: &mut Vec<Loop>,
    ) -> Option<()> {
        let selector = self.selector(on);
        let end = self.label();
        let mut seen: Vec<(i128, i128)> = Vec::new();
        for (labels, body) in arms {
            let (here, next) = (self.label(), self.label());
            if let Some((selector, ty)) = selector {
                for label in labels {
                    let _told = self.case_label(label, selector, ty, here, &mut seen);
                }
            }
            self.jump(next, |to| Op::Jump { to });
            self.place_label(here);
            self.statements(body, loops);
            self.jump(end, |to| Op::Jump { to });
            self.place_label(next);
        }
        self.statements(otherwise, loops);
        self.place_label(end);
        selector.map(|_| ())
    }

    /// The slot of what CASE decides on, and its type.
    fn selector(&mut self, on: &'a Expression) -> Option<(Slot, TypeId)> {
        let value = self.expression(on, None, None)?;
        let value = self.settled(value, &on.span)?;
        let storage = self.types.storage(value.ty);
        if !storage.is_some_and(|ty| limits(ty).is_some() && ty != Elementary::Bool) {
            let message =
                format!("CASE decides on an integer or an enumeration, and this is {}", self.types.name(value.ty));
            return self.fail(&on.span, message, "use IF … ELSIF for other types");
        }
        Some((self.slot(&value), value.ty))
    }

    fn case_label(
        &mut self,
        label: &'a CaseLabel,
        selector: Slot,
        ty: TypeId,
        here: Label,
        seen: &mut Vec<(i128, i128)>,
    ) -> Option<()> {
        let (low, high) = match label {
            CaseLabel::One(value) => (value, value),
            CaseLabel::Range(low, high) => (low, high),
        };
        let span = low.span.start..high.span.end;
        self.at_line(&span);
        let base = self.types.elementary(ty).map_or(ty, TypeId::of);
        let low = self.case_value(low, base)?;
        let high = if let CaseLabel::Range(_, high) = label { self.case_value(high, base)? } else { low };
        let storage = self.types.storage(ty)?;
        let numbers = (whole_of(low, storage), whole_of(high, storage));
        if numbers.0 > numbers.1 {
            return self.fail(&span, "this range is empty", "write the lower label first");
        }
        if seen.iter().any(|other| numbers.0 <= other.1 && other.0 <= numbers.1) {
            let message = format!("the label `{}` is there already", self.written(&span));
            return self.fail(&span, message, "the first arm that fits is taken, so this one never would be");
        }
        seen.push(numbers);
        let (a, high) = (self.number(low), self.number(high));
        if numbers.0 == numbers.1 {
            self.jump(here, |to| Op::JumpIfEqual { a: selector, b: a, to });
        } else {
            let next = self.label();
            self.jump(next, |to| Op::JumpIfLessSigned { a: selector, b: a, to });
            self.jump(here, |to| Op::JumpUnlessLessSigned { a: high, b: selector, to });
            self.place_label(next);
        }
        Some(())
    }

    fn case_value(&mut self, expression: &'a Expression, ty: TypeId) -> Option<u64> {
        let value = self.constant_expression(expression, Some(ty))?;
        self.converted_constant(value, ty, &expression.span)?.known()
    }

    /// FOR. What it goes to and by is computed once, before the first round (§7.3.3.4.2).
    fn for_loop(
        &mut self,
        counter: &'a Expression,
        from: &'a Expression,
        to: &'a Expression,
        by: Option<&'a Expression>,
        body: &'a [Statement],
        loops: &mut Vec<Loop>,
    ) -> Option<()> {
        let (end, next, top) = (self.label(), self.label(), self.label());
        let prepared = self.counter(counter, from, to, by);
        let Some((place, ty, limit, step)) = prepared else {
            self.body(body, loops, Loop { end, next, back: false });
            self.place_label(end);
            self.place_label(next);
            return None;
        };
        let up = step.known().map(|step| step as i64 > 0);
        let step = self.slot(&step);
        let value = self.read(&place, None);
        let value = self.slot(&value);
        self.unless_beyond(value, limit, step, up, end);
        self.place_label(top);
        self.body(body, loops, Loop { end, next, back: false });
        self.place_label(next);
        self.at_line(&counter.span);
        // The sum may be beyond what the counter holds: it is compared before it is cut.
        let used = self.in_use();
        let value = self.read(&place, None);
        let (a, sum) = (self.slot(&value), self.temporary());
        self.emit(Op::AddSigned { spare: 0, to: sum, a, b: step });
        let next = self.temporary();
        self.emit(Op::Narrow { ty, to: next, a: sum });
        self.write(&place, next);
        self.unless_beyond(sum, limit, step, up, end);
        self.release(used);
        self.jump(top, |to| Op::Again { to });
        self.place_label(end);
        Some(())
    }

    /// Sets the counter of FOR to its first value. Gives it, its type, the slot of what it goes to, and the step.
    fn counter(
        &mut self,
        counter: &'a Expression,
        from: &'a Expression,
        to: &'a Expression,
        by: Option<&'a Expression>,
    ) -> Option<(Place, Elementary, Slot, Value)> {
        let place = self.target(counter)?;
        let Some(ty) = self.types.elementary(place.ty).filter(|ty| ty.is_integer()) else {
            let message = format!("the counter of FOR is an integer, and this is {}", self.types.name(place.ty));
            return self.fail(&counter.span, message, "declare it as INT or DINT");
        };
        // The step beyond the end leaves the range of the counter, if it has one.
        let base = TypeId::of(ty);
        let place = Place { ty: base, ..place };
        let limit = self.computed_once(to, base);
        let step = match by {
            Some(by) => self.computed_once(by, base).map(|step| (step, &by.span)),
            None => Some((Value::raw(base, 1), &counter.span)),
        };
        self.assign(&place, from)?;
        let (limit, (step, by_span)) = (limit?, step?);
        if step.known() == Some(0) {
            return self.fail(by_span, "a FOR that goes on by 0 never ends", "write a step above or below 0");
        }
        let limit = self.slot(&limit);
        Some((place, ty, limit, step))
    }

    /// A value that stays what it is while the loop runs.
    fn computed_once(&mut self, expression: &'a Expression, ty: TypeId) -> Option<Value> {
        let to = self.temporary();
        let value = self.expression(expression, Some(ty), Some(to))?;
        let value = self.converted(value, ty, &expression.span, Some(to))?;
        match value.origin {
            Origin::Slot(from) => {
                if from != to {
                    self.emit(Op::Copy { to, from });
                }
                Some(Value::slot(ty, to))
            }
            _ => Some(value),
        }
    }

    /// Leaves a loop when its counter is beyond the limit.
    fn unless_beyond(&mut self, value: Slot, limit: Slot, step: Slot, up: Option<bool>, end: Label) {
        match up {
            Some(true) => self.jump(end, |to| Op::JumpIfLessSigned { a: limit, b: value, to }),
            Some(false) => self.jump(end, |to| Op::JumpIfLessSigned { a: value, b: limit, to }),
            None => {
                let (down, on, zero) = (self.label(), self.label(), self.number(0));
                self.jump(down, |to| Op::JumpIfLessSigned { a: step, b: zero, to });
                self.jump(end, |to| Op::JumpIfLessSigned { a: limit, b: value, to });
                self.jump(on, |to| Op::Jump { to });
                self.place_label(down);
                self.jump(end, |to| Op::JumpIfLessSigned { a: value, b: limit, to });
                self.place_label(on);
            }
        }
    }
}
