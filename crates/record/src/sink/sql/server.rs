//! Where a database server is, and as whom it knows us. Apart, because PostgreSQL and MySQL are told of in the same way.

use crate::sink::{link::TlsSettings, secret::Secret};
use honeyplant_core::settings::Problem;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;

/// Where a database is. Flattened into the table of a sink.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ServerSettings {
    /// The host and the port of the server, or the absolute path of its socket on this machine.
    pub(crate) to: String,
    /// The database, which must be there. Its tables are made by the sink.
    #[serde(default = "honeyplant")]
    pub(crate) database: String,
    /// The user, which should own the database.
    #[serde(default = "honeyplant")]
    pub(crate) user: String,
    /// The password of the user.
    #[serde(default)]
    pub(crate) password: Option<Secret>,
    /// How TLS is spoken. Without this table it is not.
    #[serde(default)]
    pub(crate) tls: Option<TlsSettings>,
}

fn honeyplant() -> String {
    "honeyplant".into()
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Host(String, u16),
    Socket(PathBuf),
}

impl ServerSettings {
    /// Where it is; `key` is the key of the sink's table.
    pub(crate) fn place(&self, key: &str) -> Result<Place, Problem> {
        if self.to.starts_with('/') {
            return Ok(Place::Socket(self.to.clone().into()));
        }
        let parts = self.to.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        let place = parts.and_then(|(host, port)| Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?)));
        place.map(|(host, port)| Place::Host(host, port)).ok_or_else(|| {
            let problem = Problem::new(format!("{key}.to"), format!("`{}` is no host with a port", self.to));
            problem.hint("write it as `db.example.org:5432`, `[2001:db8::1]:5432` or `/run/postgresql`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_at_a_host_and_port_or_at_a_socket() {
        let place = |to: &str| {
            let settings =
                ServerSettings { to: to.into(), database: honeyplant(), user: honeyplant(), password: None, tls: None };
            settings.place("postgres")
        };
        assert_eq!(place("[2001:db8::1]:5432").unwrap(), Place::Host("2001:db8::1".into(), 5432));
        assert_eq!(place("/run/postgresql").unwrap(), Place::Socket("/run/postgresql".into()));
        for wrong in ["db", "db:", ":5432", "db:x", ""] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
