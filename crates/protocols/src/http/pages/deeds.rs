//! What a form does: values written, commands to the CPU, files left, people let in. Apart from showing pages, because all
//! of it changes the device and all of it is recorded.

use super::{
    super::visitor::{Entry, Visitor},
    form::{Form, base_name},
    memory,
    request::Fields,
    scope::Row,
    settings::{LoginForm, Order, Poke},
};
use honeyplant_core::{
    accounts::Account,
    artefact::Digest,
    conversation::Context,
    cpu::Start,
    event::{Access, Address, Change, Command, FileAccess, FileAct, Kind, Operation, Values, Verdict},
    files::{Place, ROOT, resolve},
    plant::{TagId, Tags, Type, Value},
};
use minijinja::Value as Shown;
use std::{sync::Arc, time::Duration};

/// Everything that a route does.
#[derive(Default)]
pub(super) struct Deeds {
    pub(super) writes: Vec<Write>,
    pub(super) poke: Option<Poke>,
    pub(super) commands: Vec<Button>,
    pub(super) upload: Option<Store>,
    pub(super) login: Option<LoginForm>,
    pub(super) logout: bool,
}

/// A field that is written to a tag.
pub(super) struct Write {
    pub(super) field: Box<str>,
    pub(super) tag: TagId,
    pub(super) name: Box<str>,
    pub(super) ty: Type,
    /// The page shows tag × scale + offset, if not the tag itself.
    pub(super) scale: Option<f64>,
    pub(super) offset: f64,
    /// Between what the page takes it.
    pub(super) bounds: (f64, f64),
    pub(super) what: What,
    pub(super) absent: Option<Value>,
}

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// What was sent.
    Sent,
    /// This.
    Always(Value),
    /// The opposite of what is there.
    Opposite,
    /// On, for so long.
    Pulse(Duration),
}

/// A field, perhaps with a value, that is a command.
pub(super) struct Button {
    pub(super) field: Box<str>,
    pub(super) value: Option<Box<str>>,
    pub(super) order: Order,
}

/// Where files are left.
pub(super) struct Store {
    pub(super) folder: Option<Box<str>>,
    pub(super) limit: u64,
}

/// What came of a form.
#[derive(Default)]
pub(super) struct Outcome {
    done: usize,
    errors: Vec<(String, &'static str)>,
    uploads: Vec<(String, u64)>,
    /// What is to be recorded, each with how the device took it.
    happened: Vec<(Verdict, Happened)>,
    /// Values of Set-Cookie.
    pub(super) cookies: Vec<Box<str>>,
    /// As whom the visitor goes on, if that has changed.
    pub(super) account: Option<Option<Arc<Account>>>,
    /// What the body was kept as.
    pub(super) digest: Option<Digest>,
}

enum Happened {
    Written(Access, Change),
    Ordered(Command),
    Left(FileAccess),
}

/// What was sent, and to whom.
pub(super) struct Sent<'a> {
    pub(super) method: &'static str,
    /// The fields of query and body.
    pub(super) fields: &'a Fields,
    pub(super) form: &'a Form<'a>,
    /// The file that PUT brought, and how it is called.
    pub(super) put: Option<(&'a str, &'a [u8])>,
    pub(super) visitor: &'a Visitor<'a>,
}

const AREA: &str = "tags";

impl Outcome {
    /// Whether anything was to be done.
    pub(super) const fn is_none(&self) -> bool {
        self.done == 0 && self.errors.is_empty()
    }

    /// Whether all of it was.
    pub(super) const fn is_good(&self) -> bool {
        self.errors.is_empty()
    }

    /// The outcome as templates have it.
    pub(super) fn shown(&self) -> Shown {
        let errors = self
            .errors
            .iter()
            .map(|(field, text)| Row::value([("field", Shown::from(&**field)), ("text", Shown::from(*text))]));
        let uploads = self
            .uploads
            .iter()
            .map(|(name, size)| Row::value([("name", Shown::from(&**name)), ("size", Shown::from(*size))]));
        Row::value([("done", self.done.into()), ("errors", errors.collect()), ("uploads", uploads.collect())])
    }

    /// What is recorded of it; `status` is the answer's.
    pub(super) fn kinds(self, method: &'static str, status: u16) -> Vec<Kind> {
        let kind = |(verdict, happened)| {
            let verdict = match verdict {
                Verdict::Refused { reason, .. } => Verdict::Refused { code: status, reason },
                verdict => verdict,
            };
            let name = match &happened {
                Happened::Ordered(Command::Start) => "start cpu",
                Happened::Ordered(Command::Stop) => "stop cpu",
                Happened::Ordered(_) => "restart",
                Happened::Written(..) | Happened::Left(_) => method,
            };
            let operation = Operation { name, code: status, unit: None, verdict };
            match happened {
                Happened::Written(access, change) => Kind::Write(operation, access, change),
                Happened::Ordered(command) => Kind::Command(operation, command),
                Happened::Left(access) => Kind::File(operation, Box::new(access)),
            }
        };
        self.happened.into_iter().map(kind).collect()
    }

    /// Keeps files that nobody asked for: they are refused, and recorded all the same.
    pub(super) fn refuse(sent: &Sent<'_>, cx: &mut Context<'_>) -> Self {
        let mut outcome = Self::default();
        outcome.take_files(None, sent, cx);
        outcome
    }

    fn fail(&mut self, field: &str, why: &'static str) {
        self.errors.push((field.to_owned(), why));
    }

    fn take_files(&mut self, store: Option<&Store>, sent: &Sent<'_>, cx: &mut Context<'_>) {
        let files = sent.form.files.iter().map(|file| (&*file.name, file.bytes));
        for (name, bytes) in files.chain(sent.put) {
            self.take_file(store, &base_name(name), bytes, sent, cx);
        }
    }

    fn take_file(&mut self, store: Option<&Store>, name: &str, bytes: &[u8], sent: &Sent<'_>, cx: &mut Context<'_>) {
        let (size, digest) = (bytes.len() as u64, cx.keep(bytes.to_vec()));
        self.digest = sent.put.map(|_| digest);
        let folder = store.and_then(|store| store.folder.as_deref());
        let path = resolve(folder.unwrap_or("/"), name);
        let mut verdict = Verdict::Done;
        if store.is_none() {
            verdict = Verdict::Refused { code: 0, reason: "nothing is taken here" };
        } else if store.is_some_and(|store| size > store.limit) {
            verdict = Verdict::Refused { code: 0, reason: "larger than the page takes" };
        } else if folder.is_some() {
            // Who may leave something is a matter of the page; it is the web server that writes it.
            let device = cx.device();
            let mut view = device.files().of(cx.session.peer.ip(), &ROOT, device.clock(cx.now));
            if let Err(refusal) = view.write(&path, bytes, Place::Replace) {
                verdict = Verdict::Refused { code: 0, reason: refusal.words() };
            }
        }
        match verdict {
            Verdict::Refused { reason, .. } => self.fail(name, reason),
            _ => {
                self.done += 1;
                self.uploads.push((name.to_owned(), size));
            }
        }
        let access = FileAccess {
            act: FileAct::Upload,
            path: path.into(),
            target: None,
            size: Some(size),
            digest: Some(digest),
        };
        self.happened.push((verdict, Happened::Left(access)));
    }

    /// Records what was to be written, and what was there before unless it was refused.
    fn note(&mut self, why: Option<&'static str>, access: Access, before: Vec<Value>, after: Vec<Value>) {
        let (verdict, before) = match why {
            Some(reason) => (Verdict::Refused { code: 0, reason }, Values::None),
            None => (Verdict::Done, Values::Typed(before)),
        };
        self.happened.push((verdict, Happened::Written(access, Change { before, after: Values::Typed(after) })));
    }
}

impl Deeds {
    /// Does what was sent.
    pub(super) fn perform(&self, sent: &Sent<'_>, cx: &mut Context<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        if self.logout {
            outcome.done += 1;
            outcome.cookies.extend(sent.visitor.leave());
            outcome.account = Some(None);
        }
        if let Some(form) = &self.login {
            enter(form, sent, &mut outcome, cx);
        }
        self.write(sent, &mut outcome, cx);
        if let Some(poke) = &self.poke {
            write_addresses(poke, sent.fields, &mut outcome, cx);
        }
        self.order(sent.fields, &mut outcome, cx);
        if let Some(store) = &self.upload {
            outcome.take_files(Some(store), sent, cx);
        }
        outcome
    }

    fn write(&self, sent: &Sent<'_>, outcome: &mut Outcome, cx: &mut Context<'_>) {
        // A checkbox that is not ticked is not sent: it is the rest of its form that tells that there was one.
        let came = sent.method == "post" && !sent.fields.0.is_empty();
        let (mut wanted, mut refused) = (Vec::new(), None);
        for write in &self.writes {
            let value = match (sent.fields.get(&write.field), &write.absent) {
                (Some(text), _) => write.value(text),
                (None, Some(value)) if came => Ok(value.clone()),
                (None, _) => continue,
            };
            let told = Value::Text(sent.fields.get(&write.field).unwrap_or_default().into());
            if let Err(why) = value {
                outcome.fail(&write.field, why);
                refused = refused.or(Some(why));
            }
            wanted.push((write, value.unwrap_or(told)));
        }
        if wanted.is_empty() {
            return;
        }
        let access = Access {
            area: AREA,
            address: Address::Names(wanted.iter().map(|(write, _)| write.name.clone()).collect()),
            count: wanted.len() as u32,
            tags: wanted.iter().map(|(write, _)| write.tag).collect(),
        };
        if refused.is_some() {
            let told = wanted.into_iter().map(|(_, value)| value).collect();
            return outcome.note(refused, access, Vec::new(), told);
        }
        let moment = cx.device().moment(cx.now);
        let mut plant = cx.device().plant(cx.now);
        let before: Vec<Value> = wanted.iter().map(|(write, _)| plant.get(write.tag)).collect();
        let mut after = Vec::new();
        for (write, value) in &wanted {
            let value = match (&write.what, plant.get(write.tag)) {
                (What::Opposite, held) => Value::Bool(held.number() == 0.0),
                _ => value.clone(),
            };
            match write.what {
                What::Pulse(length) => plant.pulse(write.tag, length, moment),
                _ => plant.set(write.tag, value.clone()),
            }
            after.push(value);
        }
        drop(plant);
        outcome.done += wanted.len();
        outcome.note(None, access, before, after);
    }

    fn order(&self, fields: &Fields, outcome: &mut Outcome, cx: &mut Context<'_>) {
        let pressed = |button: &&Button| {
            fields.all(&button.field).any(|sent| button.value.as_deref().is_none_or(|value| value == sent))
        };
        for button in self.commands.iter().filter(pressed) {
            let (device, now) = (cx.device(), cx.now);
            let command = match button.order {
                Order::Start => {
                    device.run(Start::Warm, now);
                    Command::Start
                }
                Order::Cold => {
                    device.run(Start::Cold, now);
                    Command::Start
                }
                Order::Stop => {
                    device.stop(now);
                    Command::Stop
                }
                Order::Restart => {
                    device.restart(now);
                    Command::Restart
                }
            };
            outcome.done += 1;
            outcome.happened.push((Verdict::Done, Happened::Ordered(command)));
        }
    }
}

impl Write {
    /// The value that the tag is to have when this was sent.
    fn value(&self, text: &str) -> Result<Value, &'static str> {
        match &self.what {
            What::Always(value) => return Ok(value.clone()),
            What::Opposite | What::Pulse(_) => return Ok(Value::Bool(true)),
            What::Sent => {}
        }
        let Some(scale) = self.scale else {
            let value = memory::parse(text, self.ty)?;
            let shown = value.number() + self.offset;
            let fits = matches!(self.ty, Type::Bool | Type::String) || self.fits(shown);
            return if fits { Ok(value) } else { Err("outside its range") };
        };
        let Ok(Value::Real(shown)) = memory::parse(text, Type::Lreal) else { return Err("not a number") };
        if self.fits(shown) {
            memory::number_of((shown - self.offset) / scale, self.ty)
        } else {
            Err("outside its range")
        }
    }

    fn fits(&self, shown: f64) -> bool {
        (self.bounds.0..=self.bounds.1).contains(&shown)
    }
}

/// Lets the visitor in by a form, or not.
fn enter(form: &LoginForm, sent: &Sent<'_>, outcome: &mut Outcome, cx: &mut Context<'_>) {
    let (user, password) = (sent.fields.get(&form.user), sent.fields.get(&form.password));
    if user.is_none() && password.is_none() {
        return;
    }
    match sent.visitor.enter(user.unwrap_or_default(), password.unwrap_or_default(), cx) {
        Entry::Granted(account, cookie) => {
            outcome.done += 1;
            outcome.cookies.push(cookie);
            outcome.account = Some(Some(account));
        }
        Entry::Refused => outcome.fail(&form.user, "wrong name or password"),
        Entry::LockedOut => outcome.fail(&form.user, "locked"),
    }
}

/// Writes values to the addresses that stand before them.
fn write_addresses(poke: &Poke, fields: &Fields, outcome: &mut Outcome, cx: &Context<'_>) {
    let (mut address, mut ty) = (None, None);
    for (name, text) in &fields.0 {
        if *name == poke.address {
            (address, ty) = (Some(text.as_str()), None);
        } else if poke.r#type.as_ref() == Some(name) {
            ty = Some(text.as_str());
        }
        if *name != poke.value {
            continue;
        }
        // The type may stand behind the value.
        let ty = ty.or_else(|| poke.r#type.as_ref().and_then(|name| fields.get(name)));
        if let Some(address) = address.take().filter(|address| !address.trim().is_empty() && !text.is_empty()) {
            write_address(address, ty, text, &poke.value, outcome, cx);
        }
    }
}

fn write_address(address: &str, ty: Option<&str>, text: &str, field: &str, outcome: &mut Outcome, cx: &Context<'_>) {
    let mut access =
        Access { area: "memory", address: Address::Names(vec![address.into()]), count: 1, tags: Tags::new() };
    let mut plant = cx.device().plant(cx.now);
    let told = || vec![Value::Text(text.into())];
    if let Some(id) = plant.find(address) {
        access.tags.push(id);
        match memory::parse(text, plant.type_of(id)) {
            Ok(value) => {
                let before = plant.get(id);
                plant.set(id, value.clone());
                outcome.done += 1;
                outcome.note(None, access, vec![before], vec![value]);
            }
            Err(why) => {
                outcome.fail(field, why);
                outcome.note(Some(why), access, Vec::new(), told());
            }
        }
        return;
    }
    let placed = memory::locate(plant.image(), address, ty).map_err(|_| "no such place");
    let parsed = placed.and_then(|(place, ty)| Ok((place, ty, memory::parse(text, ty)?)));
    match parsed {
        Ok((place, ty, value)) => {
            plant.tags_at(place, ty.bits(), &mut access.tags);
            let before = plant.image().get(place, ty);
            plant.image_mut().set(place, ty, value.clone());
            outcome.done += 1;
            outcome.note(None, access, vec![before], vec![value]);
        }
        Err(why) => {
            outcome.fail(field, why);
            outcome.note(Some(why), access, Vec::new(), told());
        }
    }
}
