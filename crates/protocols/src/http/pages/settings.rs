//! The tables `[http.routes]` and `[http.pages]` of a profile. Apart, because they are what operators read: each line of
//! documentation here stands in the JSON Schema too.

use super::super::settings::Delay;
use honeyplant_core::settings::{Period, Size};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// What stands at which path, besides the files of `www/`. A path that ends in `*` stands for all that begin so.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::http) struct Routes(
    #[schemars(with = "BTreeMap<String, RouteSettings>")] pub(super) BTreeMap<Spanned<String>, RouteSettings>,
);

/// How a path is answered.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RouteSettings {
    /// The page of `www/` that is shown instead of the one at this path.
    #[schemars(with = "Option<String>")]
    pub(super) file: Option<Spanned<String>>,
    /// The page itself.
    #[schemars(with = "Option<String>")]
    pub(super) text: Option<Spanned<String>>,
    /// The route that answers, with all its settings.
    #[schemars(with = "Option<String>")]
    pub(super) alias: Option<Spanned<String>>,
    /// Where the visitor is sent; a template.
    #[schemars(with = "Option<String>")]
    pub(super) redirect: Option<Spanned<String>>,
    /// The status of the answer.
    #[schemars(with = "Option<u16>", range(min = 200, max = 599))]
    pub(super) status: Option<Spanned<u16>>,
    /// The value of Content-Type, if not the one of the extension.
    pub(super) r#type: Option<String>,
    /// Header fields, each as `Name: value`; a value is a template.
    #[schemars(with = "Vec<String>")]
    pub(super) headers: Vec<Spanned<String>>,
    /// How long the answer takes.
    pub(super) delay: Option<Delay>,
    /// The value of Cache-Control.
    pub(super) cache: Option<String>,
    /// When it was changed last, as in `[files]`.
    #[schemars(with = "Option<String>")]
    pub(super) modified: Option<Spanned<String>>,
    /// The sizes of the chunks in which the body goes; what is left of it goes in one more.
    #[schemars(with = "Vec<u32>")]
    pub(super) chunks: Vec<Spanned<u32>>,
    /// Header fields behind the last chunk, each as `Name: value`.
    #[schemars(with = "Vec<String>")]
    pub(super) trailers: Vec<Spanned<String>>,
    /// What can be done with it: GET and POST, if this is not said. HEAD comes with GET, and PUT with `upload`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) methods: Option<Vec<Spanned<String>>>,
    /// Who may: everybody (false), whoever is logged in (true), or users and groups.
    #[schemars(with = "Option<Who>")]
    pub(super) login: Option<Spanned<Who>>,
    /// Other answers, of which the first counts whose fields were all sent.
    pub(super) triggers: Vec<Trigger>,
    /// Fields of a form that are written to tags.
    #[schemars(with = "Option<Writes>")]
    pub(super) writes: Option<Spanned<Writes>>,
    /// Fields of a form that name addresses and what is written there.
    pub(super) poke: Option<Poke>,
    /// Fields of a form, as `field` or `field=value`, that are commands to the CPU.
    pub(super) commands: BTreeMap<String, Order>,
    /// Files can be brought here.
    pub(super) upload: Option<Upload>,
    /// A form that logs the visitor in.
    pub(super) login_form: Option<LoginForm>,
    /// Whether the visitor is nobody from here on.
    pub(super) logout: bool,
    /// Where the visitor is sent after what was done; a template.
    #[schemars(with = "Option<String>")]
    pub(super) success: Option<Spanned<String>>,
    /// Where the visitor is sent after what was refused; a template.
    #[schemars(with = "Option<String>")]
    pub(super) failure: Option<Spanned<String>>,
    /// The folder of the device's files that is shown, for a path that ends in `*`.
    #[schemars(with = "Option<String>")]
    pub(super) tree: Option<Spanned<String>>,
}

/// An answer to those who sent certain fields.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Trigger {
    /// The fields of query or form, each with its value, or with `*` for any.
    pub(super) when: BTreeMap<String, String>,
    /// The page of `www/` that is shown.
    #[schemars(with = "Option<String>")]
    pub(super) file: Option<Spanned<String>>,
    /// The page itself.
    #[schemars(with = "Option<String>")]
    pub(super) text: Option<Spanned<String>>,
    /// Where the visitor is sent; a template.
    #[schemars(with = "Option<String>")]
    pub(super) redirect: Option<Spanned<String>>,
    /// The status of the answer.
    #[schemars(with = "Option<u16>", range(min = 200, max = 599))]
    pub(super) status: Option<Spanned<u16>>,
    /// The value of Content-Type, if not the one of the extension.
    pub(super) r#type: Option<String>,
    /// Header fields, each as `Name: value`, besides those of the route.
    #[schemars(with = "Vec<String>")]
    pub(super) headers: Vec<Spanned<String>>,
    /// How long the answer takes.
    pub(super) delay: Option<Delay>,
}

/// Who may.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Who {
    /// Whether one must be logged in.
    Anybody(bool),
    /// Users and groups.
    Listed(Vec<String>),
}

/// Fields of a form that are written to tags.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Writes {
    /// Each is called as its tag.
    Names(Vec<String>),
    /// By the name of the field.
    Fields(BTreeMap<String, Write>),
}

/// A field of a form, and what is written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Write {
    /// The tag, if it is not called as the field.
    pub(super) tag: Option<String>,
    /// The page shows tag × scale + offset.
    pub(super) scale: Option<f64>,
    /// See `scale`.
    pub(super) offset: f64,
    /// The least that the page takes.
    pub(super) min: Option<f64>,
    /// The most that the page takes.
    pub(super) max: Option<f64>,
    /// What is written, whatever was sent.
    pub(super) value: Option<Constant>,
    /// What is written if the field was not sent but another one of the form was.
    pub(super) absent: Option<Constant>,
    /// Whether a BOOL is turned over, whatever was sent.
    pub(super) toggle: bool,
    /// For how long a BOOL is on, whatever was sent.
    pub(super) pulse: Option<Period>,
}

/// A value in the page's own scale.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Constant {
    /// Of a BOOL.
    Bool(bool),
    /// Of a number.
    Number(f64),
    /// Of a text.
    Text(String),
}

/// Fields that name addresses of the memory and what is written there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Poke {
    /// The field that holds the address.
    pub(super) address: String,
    /// The field that holds the value.
    pub(super) value: String,
    /// The field that holds the type; without it, the address says it.
    pub(super) r#type: Option<String>,
}

/// A command to the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Order {
    /// Run, with what is retained.
    Start,
    /// Run, with nothing of before.
    Cold,
    /// Stop.
    Stop,
    /// Restart the whole device.
    Restart,
}

/// How files are taken.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Upload {
    /// The folder of the device's files in which they are found afterwards.
    #[schemars(with = "Option<String>")]
    pub(super) to: Option<Spanned<String>>,
    /// How large one may be; as large as a request may be, if this is not said.
    pub(super) limit: Option<Size>,
}

/// A form that logs the visitor in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginForm {
    /// The field that holds the name.
    pub(super) user: String,
    /// The field that holds the password.
    pub(super) password: String,
}

/// What all pages share.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(in crate::http) struct Pages {
    /// What answers for a folder: the first that is there.
    pub(super) index: Vec<String>,
    /// What a folder without one of these answers.
    pub(super) folders: Folders,
    /// Whether large and small letters of a path are the same.
    pub(super) ignore_case: bool,
    /// The value of Content-Type by extension, besides those that everybody knows.
    pub(super) types: BTreeMap<String, String>,
    /// When pages that are no templates were made, as in `[files]`; nothing is told if it is empty.
    #[schemars(with = "String")]
    pub(super) modified: Spanned<String>,
    /// Whether pages that are no templates have an ETag.
    pub(super) etags: bool,
    /// Paths under which pieces of pages lie, which nobody can ask for.
    pub(super) partials: Vec<String>,
    /// Paths under which nothing is a template.
    pub(super) plain: Vec<String>,
    /// The value of Cache-Control of every page.
    pub(super) cache: Option<String>,
    /// Who may see pages whose route says nothing.
    #[schemars(with = "Who")]
    pub(super) login: Option<Spanned<Who>>,
    /// The realm of all pages, if it is not that of `[http.login]`. `{key}` is what was drawn.
    #[schemars(with = "Option<String>")]
    pub(super) realm: Option<Spanned<String>>,
    /// Where those are sent who must log in, if it is by a form; a template.
    #[schemars(with = "Option<String>")]
    pub(super) login_page: Option<Spanned<String>>,
    /// What is shown with a status, by its number.
    #[schemars(with = "BTreeMap<String, Refusal>")]
    pub(super) errors: BTreeMap<Spanned<String>, Refusal>,
}

/// What is shown with a status: a page of `www/`, or more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Refusal {
    /// A page of `www/`.
    File(String),
    /// More than that.
    Answer(Box<Worded>),
}

/// What is shown with a status.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Worded {
    /// A page of `www/`.
    pub(super) file: Option<String>,
    /// The page itself.
    pub(super) text: Option<String>,
    /// Where the visitor is sent; a template.
    pub(super) redirect: Option<String>,
    /// The status that is told instead.
    #[schemars(range(min = 200, max = 599))]
    pub(super) status: Option<u16>,
    /// The value of Content-Type, if not the one of the extension.
    pub(super) r#type: Option<String>,
    /// Header fields, each as `Name: value`.
    pub(super) headers: Vec<String>,
    /// How long the answer takes.
    pub(super) delay: Option<Delay>,
}

/// What a folder answers that has no index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Folders {
    /// 404.
    #[default]
    Missing,
    /// 403.
    Forbidden,
    /// What is in it.
    List,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            index: ["index.html", "index.htm"].map(str::to_owned).to_vec(),
            folders: Folders::default(),
            ignore_case: false,
            types: BTreeMap::new(),
            modified: Spanned::new(0..0, "400d".to_owned()),
            etags: false,
            partials: Vec::new(),
            plain: Vec::new(),
            cache: None,
            login: None,
            realm: None,
            login_page: None,
            errors: BTreeMap::new(),
        }
    }
}
