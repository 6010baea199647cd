//! MySQL and MariaDB. Apart from the other databases, because tables are not made in transactions there, and rows go in as
//! many together as one packet takes.

mod connection;
mod statements;

use super::{
    server::{Place, ServerSettings},
    writer::{Failure, Remote, Writer},
};
use crate::sink::{
    Home, Secret, Sink, SinkKind,
    link::{ANSWER, CONNECT},
};
use connection::Connection;
use honeyplant_core::settings::{Problem, Problems, Settings};
use mysql::{ClientIdentity, Opts, OptsBuilder, SslOpts};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

/// The tables of `docs/databases.md` in a database of MySQL 8 or MariaDB 10.5, or newer ones. Take it to ask several sensors
/// at once: any number of them may write to one database.
///
/// The database must be there, and the user needs all rights in it:
/// `CREATE DATABASE honeyplant; CREATE USER honeyplant IDENTIFIED BY '…'; GRANT ALL ON honeyplant.* TO honeyplant;`
/// The tables are made by the first sensor that comes, as utf8mb4 whatever the server's default, and brought to the next
/// version by the first that has it.
///
/// Each event is there exactly once, as the place in the journal is kept in the transaction that writes the events. What the
/// database lacks, as after it was restored from a backup, is taken from the journal as far back as that goes. An event
/// whose document is larger than the server's `max_allowed_packet` is written without the document.
///
/// With TLS, the authorities of `ca` are trusted beside those that browsers know, and `name` cannot be set.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
struct Table {
    #[serde(flatten)]
    server: ServerSettings,
}

/// The kind `mysql`.
pub(in crate::sink) struct Kind;

impl SinkKind for Kind {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn example(&self) -> &'static str {
        "to = \"db.example.org:3306\"\ndatabase = \"honeyplant\"\nuser = \"honeyplant\"\n\
         password = \"secret\"\ntls = {}\n"
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        Table::json_schema(generator)
    }

    fn build(&self, settings: &Settings<'_>, home: &Home<'_>) -> Result<Box<dyn Sink>, Problems> {
        let Table { server } = settings.read().map_err(|problem| vec![problem])?;
        let options = options(&server, settings.key()).map_err(|problem| vec![problem])?;
        let (name, install) = (format!("{}/{}", server.to, server.database), home.observer.install.clone());
        Ok(Box::new(Writer::new(Server { options, name, install }, home.state.to_owned())))
    }
}

fn options(server: &ServerSettings, key: &str) -> Result<Opts, Problem> {
    let options = OptsBuilder::new()
        .user(Some(&server.user))
        .pass(server.password.as_ref().map(Secret::reveal))
        .db_name(Some(&server.database))
        .tcp_connect_timeout(Some(CONNECT))
        .read_timeout(Some(ANSWER))
        .write_timeout(Some(ANSWER))
        .tcp_keepalive_time_ms(Some(30_000))
        .prefer_socket(false)
        .stmt_cache_size(64)
        .init(connection::INIT.to_vec());
    let options = match server.place(key)? {
        Place::Socket(path) => return Ok(options.socket(path.to_str()).into()),
        Place::Host(host, port) => options.ip_or_hostname(Some(host)).tcp_port(port),
    };
    let Some(tls) = &server.tls else { return Ok(options.into()) };
    // What is wrong with the files is told as for every other sink.
    tls.config(&format!("{key}.tls"))?;
    if tls.name().is_some() {
        let problem = Problem::new(format!("{key}.tls.name"), "the certificate of a MySQL server must be for its host");
        return Err(problem.hint("name the server in `to` as its certificate does"));
    }
    let own = tls.own().map(|(certificate, key)| ClientIdentity::new(certificate.to_owned(), key.to_owned()));
    let secure =
        SslOpts::default().with_root_cert_path(tls.authorities().map(ToOwned::to_owned)).with_client_identity(own);
    Ok(options.ssl_opts(secure).into())
}

/// A way to a database.
struct Server {
    options: Opts,
    name: String,
    install: String,
}

impl Remote for Server {
    type Connection = Connection;

    fn connect(&self) -> Result<Connection, Failure> {
        Connection::open(&self.options, &self.install)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Opts, Problem> {
        let Table { server } = Settings::parse(text).unwrap().read().unwrap();
        options(&server, "mysql")
    }

    #[test]
    fn every_wait_ends() {
        let options = read("to = 'db:3306'\ntls = {}").unwrap();
        assert_eq!((options.get_read_timeout(), options.get_tcp_connect_timeout()), (Some(&ANSWER), Some(CONNECT)));
        assert!(options.get_ssl_opts().is_some());
    }

    #[test]
    fn a_certificate_for_another_name_is_told() {
        assert_eq!(read("to = 'db:3306'\n[tls]\nname = 'other'").unwrap_err().key, "mysql.tls.name");
    }
}
