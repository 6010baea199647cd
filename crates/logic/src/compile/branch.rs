//! Conditions as jumps. Apart, because a condition that is only jumped on needs no value of its own.

use super::{Compiler, emit::Label};
use crate::{
    run::{Op, Slot},
    syntax::{Binary, Expression, ExpressionKind, Unary},
};

/// Whether computing it has no effect but its value: then it may as well be left out.
fn is_quiet(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Literal(_)
        | ExpressionKind::Name(_)
        | ExpressionKind::Address(_)
        | ExpressionKind::Enumerated { .. } => true,
        ExpressionKind::Field(of, _) | ExpressionKind::Part { of, .. } => is_quiet(of),
        ExpressionKind::Unary(_, operand) => is_quiet(operand),
        ExpressionKind::Binary(Binary::Divide | Binary::Modulo, ..) => false,
        ExpressionKind::Binary(_, a, b) => is_quiet(a) && is_quiet(b),
        ExpressionKind::Index(..) | ExpressionKind::Call { .. } => false,
    }
}

impl<'a> Compiler<'a> {
    /// Jumps to `label` if `condition` is `when`, and goes on otherwise.
    pub(super) fn branch(&mut self, condition: &'a Expression, label: Label, when: bool) -> Option<()> {
        match &condition.kind {
            ExpressionKind::Unary(Unary::Not, operand) => self.branch(operand, label, !when),
            ExpressionKind::Binary(operator @ (Binary::And | Binary::Or), a, b) if is_quiet(b) => {
                // The value of the first operand that decides the whole.
                let decides = *operator == Binary::Or;
                if decides == when {
                    let first = self.branch(a, label, when);
                    return first.and(self.branch(b, label, when));
                }
                let on = self.label();
                let first = self.branch(a, on, decides);
                let second = self.branch(b, label, when);
                self.place_label(on);
                first.and(second)
            }
            _ => {
                let value = self.expression(condition, None, None)?;
                let value = self.condition(value, &condition.span)?;
                if let Some(known) = value.known() {
                    if (known != 0) == when {
                        self.jump(label, |to| Op::Jump { to });
                    }
                    return Some(());
                }
                let condition = self.slot(&value);
                self.jump_on(condition, label, when);
                Some(())
            }
        }
    }

    /// Jumps on a condition; together with the comparison that made it, if that was the last instruction.
    fn jump_on(&mut self, condition: Slot, label: Label, when: bool) {
        let last = self.code.ops.last().copied();
        let (joined, make): (bool, Box<dyn FnOnce(u32) -> Op>) = match (last, when) {
            (Some(Op::LessSigned { to, a, b }), true) | (Some(Op::NotMoreSigned { to, a: b, b: a }), false)
                if to == condition =>
            {
                (true, Box::new(move |to| Op::JumpIfLessSigned { a, b, to }))
            }
            (Some(Op::LessSigned { to, a, b }), false) | (Some(Op::NotMoreSigned { to, a: b, b: a }), true)
                if to == condition =>
            {
                (true, Box::new(move |to| Op::JumpUnlessLessSigned { a, b, to }))
            }
            (Some(Op::Equal { to, a, b }), true) | (Some(Op::Unequal { to, a, b }), false) if to == condition => {
                (true, Box::new(move |to| Op::JumpIfEqual { a, b, to }))
            }
            (Some(Op::Equal { to, a, b }), false) | (Some(Op::Unequal { to, a, b }), true) if to == condition => {
                (true, Box::new(move |to| Op::JumpUnlessEqual { a, b, to }))
            }
            (Some(Op::LessReal { to, a, b }), true) if to == condition => {
                (true, Box::new(move |to| Op::JumpIfLessReal { a, b, to }))
            }
            (Some(Op::LessReal { to, a, b }), false) if to == condition => {
                (true, Box::new(move |to| Op::JumpUnlessLessReal { a, b, to }))
            }
            (Some(Op::NotMoreReal { to, a, b }), true) if to == condition => {
                (true, Box::new(move |to| Op::JumpIfNotMoreReal { a, b, to }))
            }
            (Some(Op::NotMoreReal { to, a, b }), false) if to == condition => {
                (true, Box::new(move |to| Op::JumpUnlessNotMoreReal { a, b, to }))
            }
            (_, true) => (false, Box::new(move |to| Op::JumpIf { condition, to })),
            (_, false) => (false, Box::new(move |to| Op::JumpUnless { condition, to })),
        };
        if joined {
            self.code.ops.pop();
        }
        self.jump(label, make);
    }
}
