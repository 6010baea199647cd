//! What forms do, made from its settings, and who may. Apart from routes, because this is about the device and not about pages.

use super::Desk;
use crate::http::pages::{
    deeds::{Button, Deeds, Store, What, Write},
    memory,
    route::May,
    settings::{self, Constant, RouteSettings, Who, Writes},
};
use honeyplant_core::{
    files::{Kind, ROOT, resolve},
    plant::{Type, Value},
    settings::Problem,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};
use toml::Spanned;

impl Desk<'_> {
    pub(super) fn may(&mut self, who: &Spanned<Who>, field: &str) -> May {
        let names = match who.get_ref() {
            Who::Anybody(false) => return May::Anybody,
            Who::Anybody(true) => return May::Somebody,
            Who::Listed(names) => names,
        };
        for name in names {
            let files = self.device.files();
            let users: Vec<String> =
                self.device.accounts().of("http").map(|account| account.name.to_string()).collect();
            if !users.contains(name) && files.group(name).is_none() {
                let problem =
                    Problem::unknown("", "user of the web server or group", name, users.iter().map(String::as_str));
                self.tell(field, who.span(), problem);
            }
        }
        May::Listed(names.iter().map(|name| name.as_str().into()).collect())
    }

    pub(super) fn deeds(&mut self, settings: &RouteSettings, field: &str) -> Deeds {
        let commands = settings.commands.iter().map(|(name, order)| {
            let (name, value) = name.split_once('=').map_or((name.as_str(), None), |(name, value)| (name, Some(value)));
            Button { field: name.into(), value: value.map(Into::into), order: *order }
        });
        Deeds {
            writes: self.writes(settings, field),
            poke: settings.poke.clone(),
            commands: commands.collect(),
            upload: settings.upload.as_ref().map(|upload| Store {
                folder: upload.to.as_ref().and_then(|to| self.folder(to, &format!("{field}.upload.to"))),
                limit: upload.limit.map_or(u64::MAX, |limit| limit.0),
            }),
            login: settings.login_form.clone(),
            logout: settings.logout,
        }
    }

    pub(super) fn writes(&mut self, settings: &RouteSettings, field: &str) -> Vec<Write> {
        let Some(writes) = &settings.writes else { return Vec::new() };
        let fields: Vec<(&String, settings::Write)> = match writes.get_ref() {
            Writes::Names(names) => names.iter().map(|name| (name, settings::Write::default())).collect(),
            Writes::Fields(fields) => fields.iter().map(|(name, write)| (name, write.clone())).collect(),
        };
        let mut settled = Vec::new();
        for (name, write) in fields {
            match self.write(name, &write) {
                Ok(write) => settled.push(write),
                Err(problem) => self.tell(&format!("{field}.writes.{name}"), writes.span(), problem),
            }
        }
        settled
    }

    pub(super) fn write(&self, field: &str, settings: &settings::Write) -> Result<Write, Problem> {
        let plant = self.device.still();
        let name = settings.tag.as_deref().unwrap_or(field);
        let id = plant.find(name).ok_or_else(|| Problem::unknown("", "tag", name, plant.names()))?;
        let (ty, range) = (plant.type_of(id), plant.range_of(id));
        let ways = [settings.value.is_some(), settings.toggle, settings.pulse.is_some()];
        if ways.iter().filter(|way| **way).count() > 1 {
            return Err(Problem::new("", "only one of `value`, `toggle` and `pulse` can be written"));
        }
        if (settings.toggle || settings.pulse.is_some()) && ty != Type::Bool {
            return Err(Problem::new("", format!("`{name}` is no BOOL, which alone is turned over or pulsed")));
        }
        let numeric = !matches!(ty, Type::Bool | Type::String);
        let scaled = settings.scale.is_some() || settings.offset != 0.0;
        if !numeric && (scaled || settings.min.is_some() || settings.max.is_some()) {
            return Err(Problem::new("", format!("`{name}` is no number, and has neither scale nor bounds")));
        }
        let scale = settings.scale.unwrap_or(1.0);
        if !scale.is_normal() {
            return Err(Problem::new("", "a scale is a number other than 0"));
        }
        let shown = |raw: f64| raw * scale + settings.offset;
        let [low, high] = range.map_or([f64::NEG_INFINITY, f64::INFINITY], |[low, high]| {
            let (low, high) = (shown(low), shown(high));
            [low.min(high), low.max(high)]
        });
        let constant = |constant: &Constant| {
            let value = match constant {
                Constant::Bool(on) if ty == Type::Bool => Ok(Value::Bool(*on)),
                Constant::Number(number) if ty != Type::String => {
                    memory::number_of((number - settings.offset) / scale, ty)
                }
                Constant::Text(text) => memory::parse(text, ty),
                _ => Err("not a value of its type"),
            };
            value.map_err(|why| Problem::new("", format!("what is written to `{name}` is {why}")))
        };
        let what = match (&settings.value, settings.toggle, settings.pulse) {
            (Some(value), ..) => What::Always(constant(value)?),
            (None, true, _) => What::Opposite,
            (None, false, Some(pulse)) => What::Pulse(pulse.0),
            (None, false, None) => What::Sent,
        };
        Ok(Write {
            field: field.into(),
            tag: id,
            name: name.into(),
            ty,
            scale: scaled.then_some(scale),
            offset: settings.offset,
            bounds: (settings.min.unwrap_or(low), settings.max.unwrap_or(high)),
            what,
            absent: settings.absent.as_ref().map(constant).transpose()?,
        })
    }

    /// A folder of the device's files, which must be there.
    pub(super) fn folder(&mut self, folder: &Spanned<String>, field: &str) -> Option<Box<str>> {
        let path = resolve("/", folder.get_ref());
        let view = self.device.files().of(IpAddr::V4(Ipv4Addr::UNSPECIFIED), &ROOT, Duration::ZERO);
        let is_folder = view.facts(&path).is_ok_and(|facts| facts.kind == Kind::Folder);
        drop(view);
        if is_folder {
            return Some(path.into());
        }
        let hint = format!("add \"{}/\" = {{}} to [files.entries]", path.trim_end_matches('/'));
        self.tell(field, folder.span(), Problem::new("", format!("the device has no folder `{path}`")).hint(hint));
        None
    }
}
