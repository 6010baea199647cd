//! What was asked for, and as whom: users, files and pages. Apart, because each part of it is one that ECS has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `user.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User<'a> {
    /// The name.
    pub name: Cow<'a, str>,
}

/// `file.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileFacts<'a> {
    /// The absolute path on the device; none for what is known by its hash only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Cow<'a, str>>,
    /// How many bytes were carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What the bytes are called in the store of artefacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash<'a>>,
}

/// `file.hash.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hash<'a> {
    /// The SHA-256 in hexadecimal.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Cow<'a, str>,
}

/// `http.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Http<'a> {
    /// The version, such as `1.1`; none of what has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'a, str>>,
    /// What was asked.
    pub request: HttpRequest<'a>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpResponse>,
}

/// `http.request.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpRequest<'a> {
    /// The method, as it was spelled.
    pub method: Cow<'a, str>,
    /// Where the actor says that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Cow<'a, str>>,
    /// What the body says that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<Cow<'a, str>>,
    /// The body.
    pub body: HttpBody,
}

/// `http.response.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpResponse {
    /// The status.
    pub status_code: u16,
    /// The body.
    pub body: HttpBody,
}

/// `http.request.body.*` and `http.response.body.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpBody {
    /// How many bytes it has.
    pub bytes: u64,
}

/// `url.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Url<'a> {
    /// The target of the request, as it was spelled.
    pub original: Cow<'a, str>,
    /// The target up to its question mark.
    pub path: Cow<'a, str>,
    /// What follows the question mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Cow<'a, str>>,
    /// The host that the actor meant, as it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Cow<'a, str>>,
}

/// `user_agent.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserAgent<'a> {
    /// As it was spelled.
    pub original: Cow<'a, str>,
}
