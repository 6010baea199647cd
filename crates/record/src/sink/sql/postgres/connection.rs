//! One connection to a PostgreSQL server, and what is done over it. Apart from the sink, because it is made anew after
//! everything that goes wrong.
//!
//! PostgreSQL documentation, version 17: chapters 13 (concurrency control) and 53.2 (the flow of messages).

use super::{
    Server,
    statements::{arrays, insert},
};
use crate::sink::{
    Entry,
    link::ANSWER,
    sql::{
        rows::{ActorRow, ArtefactRow, EventRow, LoginRow, Rows, SessionRow},
        schema::{POSTGRESQL, VERSION, newer},
        tables::Record,
        writer::{self, Failure},
    },
};
use std::{error::Error as _, future::Future, net::ToSocketAddrs, time::SystemTime};
use tokio::{runtime::Runtime, time::timeout};
use tokio_postgres::{Client, Error, NoTls, Statement, error::SqlState};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What every transaction begins with. A server that is stuck must let go of what it holds, too, and what it lets go of does
/// not stay for the next transaction of a pool.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = '25s'; \
    SET LOCAL lock_timeout = '20s'; SET LOCAL idle_in_transaction_session_timeout = '60s'";

/// The lock that sensors hold while they make or change tables: the bytes `hplant`.
const LOCK: &str = "SELECT pg_advisory_xact_lock(114832063950452)";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Some(told) = error.as_db_error() else {
            let why = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            return Self::Lost(format!("{error}{why}"));
        };
        let mut words = format!("{} ({})", told.message(), told.code().code());
        for more in [told.detail(), told.hint()].into_iter().flatten() {
            words.push_str("; ");
            words.push_str(more);
        }
        match *told.code() {
            SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Self::Crossed(words),
            _ => Self::Lost(words),
        }
    }
}

/// A connection.
pub(super) struct Connection {
    runtime: Runtime,
    client: Client,
    install: String,
    statements: Option<Statements>,
}

/// What is said for each batch.
#[derive(Clone)]
struct Statements {
    position: Statement,
    begin: Statement,
    advance: Statement,
    events: Statement,
    sessions: Statement,
    logins: Statement,
    artefacts: Statement,
    actors: Statement,
}

impl Connection {
    pub(super) fn open(server: &Server) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut config = server.config.clone();
        if let Some((host, port)) = &server.alias {
            let mut addresses = (host.as_str(), *port).to_socket_addrs()?;
            let address = addresses.next().ok_or_else(|| Failure::Lost(format!("{host} has no address")))?;
            config.hostaddr(address.ip());
        }
        let client = wait(&runtime, async {
            match &server.tls {
                Some(tls) => {
                    let (client, connection) = config.connect(MakeRustlsConnect::new(tls.clone())).await?;
                    drop(tokio::spawn(connection));
                    Ok(client)
                }
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    drop(tokio::spawn(connection));
                    Ok(client)
                }
            }
        })?;
        let mut connection = Self { runtime, client, install: server.install.clone(), statements: None };
        let encoding = connection.show("server_encoding")?;
        if encoding != "UTF8" {
            return Err(Failure::Lost(format!(
                "the database is encoded as {encoding}, and must be as UTF8 to hold what actors send: make it with \
                 ENCODING 'UTF8' TEMPLATE template0"
            )));
        }
        Ok(connection)
    }

    fn show(&mut self, setting: &str) -> Result<String, Failure> {
        let row = wait(&self.runtime, self.client.query_one(&format!("SHOW {setting}"), &[]))?;
        Ok(row.try_get(0)?)
    }

    /// The version of the tables; none if there are none.
    fn version(&mut self) -> Result<Option<u32>, Failure> {
        // Asked of the catalogue itself: the functions that look up names may answer from before another made the table.
        let there = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class \
                     WHERE relname = 'honeyplant_version' AND pg_catalog.pg_table_is_visible(oid))";
        let there = wait(&self.runtime, self.client.query_one(there, &[]))?;
        if !there.try_get::<_, bool>(0)? {
            return Ok(None);
        }
        let row = wait(&self.runtime, self.client.query_opt("SELECT max(version) FROM honeyplant_version", &[]))?;
        let version: i32 = row.and_then(|row| row.try_get(0).ok()).unwrap_or_default();
        match u32::try_from(version) {
            Ok(version) if version <= VERSION => Ok(Some(version)),
            _ => Err(Failure::Lost(newer(version.into()))),
        }
    }

    fn say(&mut self, statement: &str) -> Result<(), Failure> {
        wait(&self.runtime, self.client.batch_execute(statement))
    }

    /// The sequence of the line that this install needs next. Nobody else writes for this install until the end of the
    /// transaction: not even an attempt of ours whose answer was lost.
    fn locked_next(&mut self) -> Result<u64, Failure> {
        let statements = self.statements()?;
        for _ in 0..2 {
            let row = wait(&self.runtime, self.client.query_opt(&statements.position, &[&self.install]))?;
            if let Some(row) = row {
                return Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default());
            }
            wait(&self.runtime, self.client.execute(&statements.begin, &[&self.install]))?;
        }
        Err(Failure::Crossed("the row of this install in the table position came and went".into()))
    }

    fn statements(&self) -> Result<Statements, Failure> {
        self.statements.clone().ok_or_else(|| Failure::Lost("nothing was prepared".into()))
    }

    fn enter<R: Record>(&self, statement: &Statement, rows: &[R]) -> Result<(), Failure> {
        if !rows.is_empty() {
            let arrays = arrays(rows);
            let parameters: Vec<_> = arrays.iter().map(|array| array.parameter()).collect();
            wait(&self.runtime, self.client.execute(statement, &parameters))?;
        }
        Ok(())
    }
}

impl writer::Connection for Connection {
    fn migrate(&mut self) -> Result<(), Failure> {
        if self.version()? != Some(VERSION) {
            self.say(BEGIN)?;
            // Another sensor may be at it.
            self.say(LOCK)?;
            let from = self.version()?;
            if from.is_none() {
                self.say("CREATE TABLE honeyplant_version (version integer NOT NULL)")?;
            }
            for (version, statements) in POSTGRESQL.migrations(from.unwrap_or(0)) {
                for statement in statements {
                    self.say(&statement)?;
                }
                self.say(&format!(
                    "DELETE FROM honeyplant_version; INSERT INTO honeyplant_version VALUES ({version})"
                ))?;
            }
            self.say("COMMIT")?;
        }
        let prepare = |text: String| wait(&self.runtime, async { self.client.prepare(&text).await });
        self.statements = Some(Statements {
            position: prepare("SELECT next FROM position WHERE install = $1 FOR UPDATE".into())?,
            begin: prepare(
                "INSERT INTO position (install, site, next, last_seen) SELECT $1, '', coalesce(max(sequence) + 1, 0), \
                 'epoch' FROM events WHERE install = $1 ON CONFLICT DO NOTHING"
                    .into(),
            )?,
            advance: prepare(
                "UPDATE position SET site = $2, next = $3, last_seen = greatest(last_seen, $4) WHERE install = $1"
                    .into(),
            )?,
            events: prepare(insert(&EventRow::TABLE))?,
            sessions: prepare(insert(&SessionRow::TABLE))?,
            logins: prepare(insert(&LoginRow::TABLE))?,
            artefacts: prepare(insert(&ArtefactRow::TABLE))?,
            actors: prepare(insert(&ActorRow::TABLE))?,
        });
        Ok(())
    }

    fn next(&mut self) -> Result<u64, Failure> {
        self.say(BEGIN)?;
        let next = self.locked_next()?;
        self.say("ROLLBACK")?;
        Ok(next)
    }

    fn write(&mut self, batch: &[Entry]) -> Result<(), Failure> {
        let statements = self.statements()?;
        self.say(BEGIN)?;
        let rows = Rows::read(batch, self.locked_next()?);
        let Some(position) = &rows.position else { return self.say("ROLLBACK") };
        self.enter(&statements.events, &rows.events)?;
        self.enter(&statements.sessions, &rows.sessions)?;
        self.enter(&statements.logins, &rows.logins)?;
        self.enter(&statements.artefacts, &rows.artefacts)?;
        self.enter(&statements.actors, &rows.actors)?;
        let last_seen = SystemTime::from(position.last_seen.timestamp());
        wait(
            &self.runtime,
            self.client.execute(&statements.advance, &[&self.install, &position.site, &position.next, &last_seen]),
        )?;
        self.say("COMMIT")
    }

    fn probe(&mut self) -> Result<String, Failure> {
        let server = self.show("server_version")?;
        let server = format!("PostgreSQL {}", server.split_whitespace().next().unwrap_or_default());
        let Some(version) = self.version()? else {
            let may = "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";
            let row = wait(&self.runtime, self.client.query_one(may, &[]))?;
            return if row.try_get(0)? {
                Ok(format!("{server}, its tables are yet to be made"))
            } else {
                Err(Failure::Lost("the user may not create tables; let it own the database".into()))
            };
        };
        let may = "SELECT bool_and(has_table_privilege(name, 'INSERT') AND has_table_privilege(name, 'UPDATE')) \
            FROM unnest(ARRAY['position', 'events', 'sessions', 'logins', 'artefacts', 'actors']) AS name";
        let row = wait(&self.runtime, self.client.query_one(may, &[]))?;
        if !row.try_get::<_, bool>(0)? {
            return Err(Failure::Lost("the user may not write into the tables that are there".into()));
        }
        let next = "SELECT coalesce(max(next), 1) FROM position WHERE install = $1";
        let row = wait(&self.runtime, self.client.query_one(next, &[&self.install]))?;
        let events = row.try_get::<_, i64>(0)?.saturating_sub(1).max(0);
        Ok(format!("{server}, tables of version {version}, {events} events of this install"))
    }
}

/// Waits for an answer, but not for ever: a server that hangs is one that fails.
fn wait<T>(runtime: &Runtime, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    let answer = runtime.block_on(async { timeout(ANSWER, answer).await });
    let late = || Failure::Lost(format!("the server did not answer within {} s", ANSWER.as_secs()));
    Ok(answer.map_err(|_| late())??)
}
