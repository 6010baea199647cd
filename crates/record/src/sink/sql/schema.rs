//! The tables, one text for all databases, and how they came to be. Apart, because the sinks differ in how they speak to
//! their database, not in what it holds; `docs/databases.md` explains every column.

/// What the databases call the types of columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    /// A short text that is in an index.
    pub(crate) key: &'static str,
    /// A text of any length.
    pub(crate) text: &'static str,
    /// A JSON document.
    pub(crate) json: &'static str,
    /// A moment, to the microsecond.
    pub(crate) time: &'static str,
    /// A number below 2^15.
    pub(crate) small: &'static str,
    /// A number below 2^63.
    pub(crate) big: &'static str,
    /// A number with a fraction.
    pub(crate) real: &'static str,
    /// Yes or no.
    pub(crate) boolean: &'static str,
    /// What follows the columns of a table.
    pub(crate) table: &'static str,
}

/// SQLite: a moment is a text as its date functions give it, `2026-11-22 08:00:00.123456`.
pub(crate) const SQLITE: Dialect = Dialect {
    key: "TEXT",
    text: "TEXT",
    json: "TEXT",
    time: "TEXT",
    small: "INTEGER",
    big: "INTEGER",
    real: "REAL",
    boolean: "INTEGER",
    table: " STRICT",
};

/// PostgreSQL.
pub(crate) const POSTGRESQL: Dialect = Dialect {
    key: "text",
    text: "text",
    json: "jsonb",
    time: "timestamptz",
    small: "smallint",
    big: "bigint",
    real: "double precision",
    boolean: "boolean",
    table: "",
};

/// MySQL and MariaDB: moments are UTC; texts are compared byte by byte, as the others do.
pub(crate) const MYSQL: Dialect = Dialect {
    key: "VARCHAR(80)",
    text: "MEDIUMTEXT",
    json: "JSON",
    time: "DATETIME(6)",
    small: "SMALLINT",
    big: "BIGINT",
    real: "DOUBLE",
    boolean: "BOOLEAN",
    table: " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
};

/// The version of the tables: that of the last migration.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// What makes the tables of one version into those of the next, a statement each; the first makes them from nothing. What
/// was released is never changed: another is added.
static MIGRATIONS: &[&[&str]] = &[&[
    "CREATE TABLE position (
        install {key} NOT NULL PRIMARY KEY,
        site {text} NOT NULL,
        next {big} NOT NULL,
        last_seen {time} NOT NULL
    )",
    "CREATE TABLE events (
        install {key} NOT NULL,
        sequence {big} NOT NULL,
        at {time} NOT NULL,
        session {key},
        site {text} NOT NULL,
        device {text},
        protocol {text},
        source {key},
        action {text} NOT NULL,
        outcome {text} NOT NULL,
        severity {small} NOT NULL,
        operation {text},
        tags {text},
        old_values {text},
        new_values {text},
        techniques {text},
        tactics {text},
        sha256 {key},
        repeated {big} NOT NULL,
        message {text} NOT NULL,
        document {json} NOT NULL,
        PRIMARY KEY (install, sequence)
    )",
    "CREATE INDEX events_at ON events (at)",
    "CREATE INDEX events_session ON events (session)",
    "CREATE TABLE sessions (
        id {key} NOT NULL PRIMARY KEY,
        install {key} NOT NULL,
        site {text} NOT NULL,
        device {text} NOT NULL,
        profile {text} NOT NULL,
        protocol {text} NOT NULL,
        transport {text} NOT NULL,
        source {key} NOT NULL,
        source_port {big} NOT NULL,
        destination {key} NOT NULL,
        destination_port {big} NOT NULL,
        began {time} NOT NULL,
        last_seen {time} NOT NULL,
        events {big} NOT NULL,
        severity {small} NOT NULL,
        tactic {text},
        tactic_rank {small} NOT NULL,
        tool {text},
        ended {time},
        ending {text},
        seconds {real},
        exchanges {big},
        received {big},
        sent {big},
        summary {json}
    )",
    "CREATE INDEX sessions_began ON sessions (began)",
    "CREATE INDEX sessions_source ON sessions (source)",
    "CREATE TABLE logins (
        install {key} NOT NULL,
        sequence {big} NOT NULL,
        at {time} NOT NULL,
        session {key},
        site {text} NOT NULL,
        device {text},
        protocol {text},
        source {key},
        user_name {text},
        secret {text},
        accepted {boolean} NOT NULL,
        repeated {big} NOT NULL,
        PRIMARY KEY (install, sequence)
    )",
    "CREATE INDEX logins_at ON logins (at)",
    "CREATE TABLE artefacts (
        sha256 {key} NOT NULL PRIMARY KEY,
        size {big},
        first_seen {time} NOT NULL,
        last_seen {time} NOT NULL,
        times {big} NOT NULL,
        install {key} NOT NULL,
        sequence {big} NOT NULL
    )",
    "CREATE INDEX artefacts_last_seen ON artefacts (last_seen)",
    "CREATE TABLE actors (
        address {key} NOT NULL PRIMARY KEY,
        first_seen {time} NOT NULL,
        last_seen {time} NOT NULL,
        sessions {big} NOT NULL,
        events {big} NOT NULL,
        severity {small} NOT NULL,
        country {text},
        city {text},
        network {big},
        organization {text},
        tool {text}
    )",
    "CREATE INDEX actors_last_seen ON actors (last_seen)",
]];

impl Dialect {
    /// The statements that make the tables of version `from` into those of [`VERSION`], with the version that each
    /// group of them arrives at.
    pub(crate) fn migrations(&self, from: u32) -> impl Iterator<Item = (u32, Vec<String>)> {
        (1..)
            .zip(MIGRATIONS)
            .filter(move |(version, _)| *version > from)
            .map(|(version, statements)| (version, statements.iter().map(|statement| self.spell(statement)).collect()))
    }

    fn spell(&self, statement: &str) -> String {
        let types = [
            ("{key}", self.key),
            ("{text}", self.text),
            ("{json}", self.json),
            ("{time}", self.time),
            ("{small}", self.small),
            ("{big}", self.big),
            ("{real}", self.real),
            ("{boolean}", self.boolean),
        ];
        let spelled = types.iter().fold(statement.to_owned(), |text, (word, kind)| text.replace(word, kind));
        if statement.starts_with("CREATE TABLE") { spelled + self.table } else { spelled }
    }
}

/// What is told of a database whose tables are newer than this program.
pub(crate) fn newer(version: i64) -> String {
    format!(
        "its tables are of version {version}, and this honeyplant knows {VERSION}: a newer honeyplant made them; \
         update this one, or name another database"
    )
}
