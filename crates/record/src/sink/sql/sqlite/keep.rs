//! What is deleted again, so that no flood fills the disk. Apart, because it is the only part that takes anything away.

use crate::document::Stamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::time::{Duration, SystemTime};

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    /// Bytes of the file that are in use.
    pub(crate) size: u64,
    /// Without it, age deletes nothing.
    pub(crate) age: Option<Duration>,
}

/// The least number of events that go at once.
const PIECE: usize = 1024;
/// Later than any event.
const NEVER: &str = "9999";

/// Deletes a piece of what is too old or too much. A piece is twice what was added, so that what is too much becomes less
/// while more comes, and bounded, so that nothing waits long for it.
pub(super) fn prune(connection: &mut Connection, keep: &Keep, added: usize) -> rusqlite::Result<()> {
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    let used = u64::try_from(pages.saturating_mul(pragma("page_size")?)).unwrap_or_default();
    let before = if used > keep.size {
        NEVER.to_owned()
    } else {
        let Some(since) = keep.age.and_then(|age| SystemTime::now().checked_sub(age)) else { return Ok(()) };
        let (since, oldest) = (Stamp::from(since).to_sqlite(), oldest(connection)?);
        if oldest.is_none_or(|oldest| oldest >= since) {
            return Ok(());
        }
        since
    };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    delete(&transaction, &before, added.saturating_mul(2).max(PIECE))?;
    transaction.commit()
}

/// Deletes the oldest events and what belongs to no event any more.
fn delete(transaction: &Transaction<'_>, before: &str, most: usize) -> rusqlite::Result<()> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let events = "DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE at < ?1 ORDER BY at LIMIT ?2)";
    transaction.prepare_cached(events)?.execute((before, most))?;
    let oldest = oldest(transaction)?.unwrap_or_else(|| before.to_owned());
    for (table, key) in [
        ("logins", "at < ?1"),
        ("sessions", "began < ?1 AND last_seen < ?1"),
        ("artefacts", "last_seen < ?1"),
        ("actors", "last_seen < ?1"),
    ] {
        let sql = format!("DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {key} LIMIT ?2)");
        transaction.prepare_cached(&sql)?.execute((&oldest, most))?;
    }
    Ok(())
}

fn oldest(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached("SELECT at FROM events ORDER BY at LIMIT 1")?.query_row([], |row| row.get(0)).optional()
}
