//! PostgreSQL. Apart from the other databases, because whole columns of a batch go there in one statement, and tables are
//! made and changed in transactions.

mod connection;
mod statements;

use super::{
    server::{Place, ServerSettings},
    writer::{Failure, Remote, Writer},
};
use crate::sink::{Home, Secret, Sink, SinkKind, link::CONNECT};
use connection::Connection;
use honeyplant_core::settings::{Problem, Problems, Settings};
use rustls::ClientConfig;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::time::Duration;
use tokio_postgres::config::{Config, SslMode, TargetSessionAttrs};

/// The tables of `docs/databases.md` in a PostgreSQL database, from version 10 on, and in what speaks its protocol and has
/// its `ON CONFLICT` and `unnest`. Take it to ask several sensors at once: any number of them may write to one database.
///
/// The database must be there, encoded as UTF8, and the user must own it or be allowed to create tables in it:
/// `CREATE ROLE honeyplant LOGIN PASSWORD '…'; CREATE DATABASE honeyplant OWNER honeyplant ENCODING 'UTF8' TEMPLATE template0;`
/// The tables are made by the first sensor that comes, and brought to the next version by the first that has it.
///
/// Each event is there exactly once, as the place in the journal is kept in the transaction that writes the events. What the
/// database lacks, as after it was restored from a backup, is taken from the journal as far back as that goes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
struct Table {
    #[serde(flatten)]
    server: ServerSettings,
}

/// The kind `postgres`.
pub(in crate::sink) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn example(&self) -> &'static str {
        "to = \"db.example.org:5432\"\ndatabase = \"honeyplant\"\nuser = \"honeyplant\"\n\
         password = \"secret\"\ntls = {}\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let Table { server } = settings.read().map_err(|problem| vec![problem])?;
        let server = Server::new(&server, &home.observer.install, settings.key()).map_err(|problem| vec![problem])?;
        Ok(Box::new(Writer::new(server, home.state.to_owned())))
    }
}

/// Where the database is, and how to get there.
#[derive(Clone, Debug)]
struct Server {
    config: Config,
    /// The host that is to be looked up, if its certificate is for another name.
    alias: Option<(String, u16)>,
    tls: Option<ClientConfig>,
    /// What messages call it.
    name: String,
    install: String,
}

impl Server {
    fn new(server: &ServerSettings, install: &str, key: &str) -> Result<Self, Problem> {
        let mut config = Config::new();
        config
            .user(&server.user)
            .dbname(&server.database)
            .application_name("honeyplant")
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(CONNECT)
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            .ssl_mode(if server.tls.is_some() { SslMode::Require } else { SslMode::Disable });
        if let Some(password) = &server.password {
            config.password(Secret::reveal(password));
        }
        let own_name = server.tls.as_ref().and_then(|tls| tls.name());
        let mut alias = None;
        match (server.place(key)?, own_name) {
            (Place::Socket(folder), _) => {
                config.host_path(folder).ssl_mode(SslMode::Disable);
            }
            (Place::Host(host, port), None) => {
                config.host(host).port(port);
            }
            (Place::Host(host, port), Some(name)) => {
                config.host(name).port(port);
                alias = Some((host, port));
            }
        }
        let tls = server.tls.as_ref().map(|tls| tls.config(&format!("{key}.tls"))).transpose()?;
        let name = format!("{}/{}", server.to, server.database);
        Ok(Self { config, alias, tls, name, install: install.to_owned() })
    }
}

impl Remote for Server {
    type Connection = Connection;

    fn connect(&self) -> Result<Connection, Failure> {
        Connection::open(self)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let settings = "to = 'db:5432'\npassword = 'hunter2'\n[tls]\nname = 'other'";
        let Table { server } = Settings::parse(settings).unwrap().read().unwrap();
        let remote = Server::new(&server, "0123abcd", "postgres").unwrap();
        assert_eq!(remote.alias, Some(("db".into(), 5432)));
        assert!(!format!("{remote:?}").contains("hunter2"));
    }
}
