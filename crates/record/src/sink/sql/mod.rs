//! Databases with tables.

pub(crate) mod line;
pub(crate) mod mysql;
pub(crate) mod postgres;
pub(crate) mod rows;
pub(crate) mod schema;
mod server;
pub(crate) mod sqlite;
mod tables;
mod writer;
