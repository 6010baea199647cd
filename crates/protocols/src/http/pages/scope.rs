//! What a template can see of the device and of the request. Apart, because templates reach nothing else, and only what one
//! asks for is looked up.

use super::{memory, request::Asked};
use honeyplant_core::{
    cpu::{Mode, Note, Start},
    device::Device,
    event::Session,
    files::{self, ROOT},
    plant::{Plant, TagId, Type, Value as Held},
};
use minijinja::{
    Error, ErrorKind, State, Value,
    value::{Enumerator, Object, ObjectRepr, from_args},
};
use std::{borrow::Cow, fmt, sync::Arc, time::Instant};

/// The names that every template has, besides those of the language.
pub(super) const GLOBALS: [&str; 13] = [
    "tags", "tag", "identity", "device", "notes", "blocks", "memory", "files", "request", "user", "result", "status",
    "loop",
];

/// What one rendering can see.
pub(super) struct Scope {
    pub(super) session: Arc<Facts>,
    pub(super) now: Instant,
    pub(super) asked: Option<Arc<Asked>>,
    pub(super) user: Option<Box<str>>,
    pub(super) result: Option<Value>,
    pub(super) status: u16,
}

/// Who speaks to which device.
pub(super) struct Facts {
    pub(super) device: Arc<Device>,
    pub(super) peer: std::net::IpAddr,
}

impl From<&Session> for Facts {
    fn from(session: &Session) -> Self {
        Self { device: session.device.clone(), peer: session.peer.ip() }
    }
}

impl Scope {
    fn device(&self) -> &Device {
        &self.session.device
    }

    fn part(self: &Arc<Self>, name: &str) -> Option<Value> {
        let object = |part| Value::from_object(Part { part, scope: self.clone() });
        Some(match name {
            "tags" => object(What::Tags),
            "tag" => object(What::Tag),
            "identity" => object(What::Identity),
            "device" => object(What::Device),
            "memory" => object(What::Memory),
            "files" => object(What::Files),
            "request" => self.asked.as_ref().map_or(Value::UNDEFINED, |asked| Value::from_dyn_object(asked.clone())),
            "notes" => self.notes(),
            "blocks" => self.blocks(),
            "user" => self.user.as_deref().map_or_else(|| Value::from(()), Value::from),
            "result" => self.result.clone().unwrap_or(Value::UNDEFINED),
            "status" => self.status.into(),
            _ => return None,
        })
    }

    fn notes(&self) -> Value {
        let rows = self.device().notes().into_iter().rev().map(|(at, note)| {
            let (kind, text) = told(&note);
            Row::value([("at", Value::from(at.as_secs())), ("kind", kind.into()), ("text", text.into())])
        });
        rows.collect()
    }

    fn blocks(&self) -> Value {
        let plant = self.device().plant(self.now);
        let image = plant.image();
        let size = |number| image.area(honeyplant_core::plant::Area::Block(number)).map_or(0, |(_, bytes)| bytes);
        let blocks = image.blocks().into_iter();
        blocks.map(|number| Row::value([("number", number.into()), ("size", size(number).into())])).collect()
    }

    /// The value of a tag, or of an address of the memory.
    fn memory(&self, address: &str, ty: Option<&str>) -> Value {
        let plant = self.device().plant(self.now);
        if let Some(id) = plant.find(address) {
            return value(&plant.get(id), plant.type_of(id));
        }
        match memory::locate(plant.image(), address, ty) {
            Ok((place, ty)) => value(&plant.image().get(place, ty), ty),
            Err(_) => Value::from(()),
        }
    }

    fn tag(&self, name: &str) -> Value {
        let plant = self.device().plant(self.now);
        plant.find(name).map_or_else(|| Value::from(()), |id| tag(&plant, id, name))
    }

    fn files(&self, path: &str) -> Value {
        let path = files::resolve("/", path);
        let device = self.device();
        let view = device.files().of(self.session.peer, &ROOT, device.clock(self.now));
        let entries = view.list(&path).unwrap_or_default().into_iter();
        let rows = entries.map(|(name, facts)| {
            Row::value([
                ("name", Value::from(&*name)),
                ("folder", Value::from(facts.kind == files::Kind::Folder)),
                ("size", facts.size.into()),
                ("modified", facts.modified.as_secs().into()),
            ])
        });
        rows.collect()
    }

    fn of_device(&self, key: &str) -> Option<Value> {
        let device = self.device();
        Some(match key {
            "name" => device.name().into(),
            "mode" => mode(device.mode()).into(),
            "clock" => device.clock(self.now).as_secs().into(),
            "uptime" => device.moment(self.now).uptime.as_secs().into(),
            "boots" => device.starts().into(),
            _ => return None,
        })
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scope")
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.part(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.part(key)
    }
}

/// A part of the scope that is looked into only when a page does.
#[derive(Debug)]
struct Part {
    part: What,
    scope: Arc<Scope>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Tags,
    Tag,
    Identity,
    Device,
    Memory,
    Files,
}

impl Object for Part {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.part {
            What::Tags | What::Identity | What::Device => ObjectRepr::Map,
            What::Tag | What::Memory | What::Files => ObjectRepr::Plain,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let (key, scope) = (key.as_str()?, &self.scope);
        match self.part {
            What::Tags => {
                let plant = scope.device().plant(scope.now);
                plant.find(key).map(|id| value(&plant.get(id), plant.type_of(id)))
            }
            What::Identity => scope.device().identity().get(key).map(Value::from),
            What::Device => scope.of_device(key),
            What::Tag | What::Memory | What::Files => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.part {
            What::Tags => Enumerator::Values(self.scope.device().still().names().map(Value::from).collect()),
            What::Identity => Enumerator::Values(self.scope.device().identity().0.keys().map(Value::from).collect()),
            _ => Enumerator::NonEnumerable,
        }
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let named =
            |args: &[Value]| from_args::<(Option<Cow<'_, str>>,)>(args).map(|(name,)| name.map(Cow::into_owned));
        match self.part {
            What::Tag => Ok(named(args)?.map_or_else(|| Value::from(()), |name| self.scope.tag(&name))),
            What::Files => Ok(named(args)?.map_or_else(|| Value::from(()), |path| self.scope.files(&path))),
            What::Memory => {
                let (address, ty) = from_args::<(Option<Cow<'_, str>>, Option<Cow<'_, str>>)>(args)?;
                Ok(address.map_or_else(|| Value::from(()), |address| self.scope.memory(&address, ty.as_deref())))
            }
            _ => Err(Error::new(ErrorKind::InvalidOperation, "this cannot be called")),
        }
    }
}

/// A few named values.
#[derive(Debug)]
pub(super) struct Row<const N: usize>([(&'static str, Value); N]);

impl<const N: usize> Row<N> {
    /// The row as a template has it.
    pub(super) fn value(fields: [(&'static str, Value); N]) -> Value {
        Value::from_object(Self(fields))
    }
}

impl<const N: usize> Object for Row<N> {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Value::from(*name)).collect())
    }
}

/// A tag with all that is known of it.
fn tag(plant: &Plant, id: TagId, name: &str) -> Value {
    let (held, ty, unit) = (plant.get(id), plant.type_of(id), plant.unit_of(id));
    let shown = value(&held, ty);
    let text = match (&held, unit) {
        (Held::Bool(_), _) => held.to_string(),
        (_, "") => shown.to_string(),
        (_, unit) => format!("{shown} {unit}"),
    };
    let [low, high] = plant.range_of(id).map_or([Value::UNDEFINED, Value::UNDEFINED], |range| range.map(Value::from));
    Row::value([
        ("name", name.into()),
        ("value", shown),
        ("text", text.into()),
        ("unit", unit.into()),
        ("type", type_name(ty).into()),
        ("low", low),
        ("high", high),
    ])
}

/// A value as a template has it.
fn value(held: &Held, ty: Type) -> Value {
    match held {
        Held::Bool(on) => (*on).into(),
        Held::Uint(number) => (*number).into(),
        Held::Int(number) => (*number).into(),
        // A REAL has the digits of a REAL, not those that it gets by becoming longer.
        Held::Real(number) if ty == Type::Real => (*number as f32).to_string().parse().unwrap_or(*number).into(),
        Held::Real(number) => (*number).into(),
        Held::Text(text) => Value::from(&**text),
    }
}

/// The standard's name of a type.
fn type_name(ty: Type) -> String {
    format!("{ty:?}").to_uppercase()
}

pub(super) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Run => "RUN",
        Mode::Stop => "STOP",
        Mode::Fault => "FAULT",
    }
}

/// An entry of the diagnostic buffer in words.
fn told(note: &Note) -> (&'static str, String) {
    match note {
        Note::Running(start) => {
            let start = match start {
                Start::Hot => "where it stood",
                Start::Warm => "anew, with retained data",
                Start::Cold => "anew, without data",
            };
            ("running", format!("CPU runs {start}"))
        }
        Note::Stopped => ("stopped", "CPU was stopped".to_owned()),
        Note::Faulted(fault) => ("faulted", format!("CPU stopped by a fault: {fault}")),
        Note::Restarted => ("restarted", "Device was restarted".to_owned()),
    }
}
