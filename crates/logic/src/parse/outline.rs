//! A tree in one line, for tests: prefix notation in brackets.

use super::parse;
use crate::syntax::*;

/// The tree of a text that has no mistakes.
pub(super) fn outline(text: &str) -> String {
    let (source, problems) = parse(text);
    assert_eq!(problems, [], "{text}");
    let types = source.types.iter().map(declaration);
    let globals = source.globals.iter().map(section);
    types.chain(globals).chain(source.units.iter().map(unit)).collect::<Vec<_>>().join(" ")
}

/// The body of a program of these statements.
pub(super) fn body(statements: &str) -> String {
    let text = outline(&format!("PROGRAM p {statements} END_PROGRAM"));
    text.trim_start_matches("(PROGRAM p").trim_end_matches(')').trim().to_owned() + &")".repeat(unclosed(&text))
}

/// How many brackets `body` has cut off too many.
fn unclosed(text: &str) -> usize {
    (text.len() - text.trim_end_matches(')').len()).saturating_sub(1)
}

/// One expression.
pub(super) fn value(text: &str) -> String {
    let body = body(&format!("x := {text};"));
    body.strip_prefix("(:= x ").and_then(|rest| rest.strip_suffix(')')).expect("an assignment").to_owned()
}

/// Each mistake of a text: the bytes it is at, and what is said.
pub(super) fn told(text: &str) -> Vec<(String, String)> {
    let at = |problem: &honeyplant_core::settings::Problem| text[problem.span.clone().expect("a place")].to_owned();
    parse(text).1.iter().map(|problem| (at(problem), problem.to_string())).collect()
}

fn list<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    items.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn declaration(ty: &TypeDeclaration) -> String {
    let initial = ty.initial.as_ref().map(|value| format!(" := {}", initial(value))).unwrap_or_default();
    format!("(TYPE {} {}{initial})", ty.name.text, form(&ty.form))
}

fn section(section: &Section) -> String {
    let flags = [(section.constant, " CONSTANT"), (section.retain, " RETAIN")];
    let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
    format!("({:?}{flags} {})", section.kind, list(&section.variables, variable))
}

fn variable(variable: &Variable) -> String {
    let at = variable.at.as_ref().map(|(address, _)| format!(" {address}")).unwrap_or_default();
    let initial = variable.initial.as_ref().map(|value| format!(" := {}", initial(value))).unwrap_or_default();
    format!("({}{at} : {}{initial})", list(&variable.names, |name| name.text.to_string()), form(&variable.form))
}

fn unit(unit: &Unit) -> String {
    let head = match &unit.kind {
        UnitKind::Program => "PROGRAM".to_owned(),
        UnitKind::FunctionBlock => "FUNCTION_BLOCK".to_owned(),
        UnitKind::Function(None) => "FUNCTION".to_owned(),
        UnitKind::Function(Some(result)) => format!("FUNCTION {} :", form(result)),
    };
    let parts = [list(&unit.sections, section), block(&unit.body)].join(" ");
    format!("({head} {} {})", unit.name.text, parts.trim())
}

fn form(written: &Form) -> String {
    match written {
        Form::Elementary(ty, _) => ty.name().to_owned(),
        Form::Text(length) => format!("STRING[{}]", expression(length)),
        Form::Named(name) => name.text.to_string(),
        Form::Array { bounds, of, .. } => {
            let bounds = list(bounds, |(low, high)| format!("{}..{}", expression(low), expression(high)));
            format!("(ARRAY {bounds} {})", form(of))
        }
        Form::Structure { fields, .. } => format!("(STRUCT {})", list(fields, variable)),
        Form::Enumeration { values, .. } => {
            let value = |(name, value): &(Name, Option<Expression>)| match value {
                Some(value) => format!("{}={}", name.text, expression(value)),
                None => name.text.to_string(),
            };
            format!("(ENUM {})", list(values, value))
        }
        Form::Subrange { base, low, high, .. } => {
            format!("({} {}..{})", base.name(), expression(low), expression(high))
        }
    }
}

fn initial(value: &Initial) -> String {
    match value {
        Initial::Value(value) => expression(value),
        Initial::Array(elements, _) => {
            let element = |(count, value): &(Option<Expression>, Initial)| match count {
                Some(count) => format!("{}*{}", expression(count), initial(value)),
                None => initial(value),
            };
            format!("[{}]", list(elements, element))
        }
        Initial::Structure(fields, _) => {
            format!("{{{}}}", list(fields, |(name, value)| format!("{}={}", name.text, initial(value))))
        }
    }
}

fn block(statements: &[Statement]) -> String {
    list(statements, statement)
}

fn statement(statement: &Statement) -> String {
    match &statement.kind {
        StatementKind::Assign { target, value } => format!("(:= {} {})", expression(target), expression(value)),
        StatementKind::Call(call) => expression(call),
        StatementKind::If { arms, otherwise } => {
            let arms = list(arms, |(condition, body)| format!("({} {})", expression(condition), block(body)));
            format!("(IF {arms} ({}))", block(otherwise))
        }
        StatementKind::Case { on, arms, otherwise } => {
            let label = |label: &Label| match label {
                Label::One(value) => expression(value),
                Label::Range(low, high) => format!("{}..{}", expression(low), expression(high)),
            };
            let arms = list(arms, |(labels, body)| format!("({}: {})", list(labels, label), block(body)));
            format!("(CASE {} {arms} ({}))", expression(on), block(otherwise))
        }
        StatementKind::For { counter, from, to, by, body } => {
            let by = by.as_ref().map_or_else(|| "-".into(), expression);
            let head = [expression(counter), expression(from), expression(to), by].join(" ");
            format!("(FOR {head} {})", block(body))
        }
        StatementKind::While { condition, body } => format!("(WHILE {} {})", expression(condition), block(body)),
        StatementKind::Repeat { body, until } => format!("(REPEAT {} {})", block(body), expression(until)),
        StatementKind::Exit => "EXIT".into(),
        StatementKind::Continue => "CONTINUE".into(),
        StatementKind::Return => "RETURN".into(),
    }
}

fn expression(written: &Expression) -> String {
    match &written.kind {
        ExpressionKind::Literal(value) => literal(value),
        ExpressionKind::Name(name) => name.text.to_string(),
        ExpressionKind::Address(address) => address.to_string(),
        ExpressionKind::Field(of, name) => format!("{}.{}", expression(of), name.text),
        ExpressionKind::Index(of, indices) => format!("{}[{}]", expression(of), list(indices, expression)),
        ExpressionKind::Part { of, part, number } => format!("{}.{part:?}{number}", expression(of)),
        ExpressionKind::Enumerated { of, value } => format!("{}#{}", of.text, value.text),
        ExpressionKind::Unary(operator, operand) => format!("({operator:?} {})", expression(operand)),
        ExpressionKind::Binary(operator, left, right) => {
            format!("({operator:?} {} {})", expression(left), expression(right))
        }
        ExpressionKind::Call { callee, arguments } => {
            let argument = |argument: &Argument| match argument {
                Argument::Positional(value) => expression(value),
                Argument::Input { name, value } => format!("{}:={}", name.text, expression(value)),
                Argument::Output { name, negated, target } => {
                    format!("{}{}=>{}", if *negated { "NOT " } else { "" }, name.text, expression(target))
                }
            };
            format!("{}({})", expression(callee), list(arguments, argument))
        }
    }
}

fn literal(value: &Literal) -> String {
    let typed = |ty: Option<crate::types::Elementary>| ty.map(|ty| format!("{}#", ty.name())).unwrap_or_default();
    match value {
        Literal::Bool(value) => value.to_string().to_uppercase(),
        Literal::Integer { value, ty } => format!("{}{value}", typed(*ty)),
        Literal::Real { value, ty } => format!("{}{value:?}", typed(*ty)),
        Literal::Time { value, ty } => format!("{}#{value}", ty.name()),
        Literal::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
    }
}
