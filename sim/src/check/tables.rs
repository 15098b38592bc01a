//! The recorded tables that *history*, *finally* and goal queries see: `event`, `effect` and `change` of the last leg,
//! `inherited` from the one before.

use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::{Connection, params};
use serde_json::{Map, Value as Json};

use super::fit::Fit;
use crate::label::Label;
use crate::run::Kernel;
use crate::scenario::RECORDED_TABLES;
use crate::trace::{self, Committed, Event};

/// Names of the recorded tables.
pub(crate) const NAMES: [&str; 4] = ["event", "effect", "change", "inherited"];

/// Creates them on the checker's connection.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA temp_store = MEMORY;")?;
    connection.execute_batch(RECORDED_TABLES)
}

/// Fills them from a run.
pub(super) fn fill(
    connection: &Connection,
    kernel: &Kernel,
    fits: &[(usize, Rc<Fit>)],
) -> rusqlite::Result<()> {
    let trace = kernel.trace.borrow();
    let since = kernel.begun_n();
    trace
        .events
        .iter()
        .filter(|event| event.n > since)
        .try_for_each(|event| fill_event(connection, kernel, event))?;
    let changes = trace.changes.iter().enumerate();
    for (i, committed) in changes.filter(|(_, committed)| committed.n > since) {
        let fit = fits.iter().rfind(|(before, _)| *before <= i);
        let columns = fit.and_then(|(_, fit)| fit.columns.get(&*committed.change.table));
        let names = columns.map_or(&[][..], Vec::as_slice);
        fill_change(connection, kernel, committed, names)?;
    }
    let mut put = connection
        .prepare_cached("INSERT INTO temp.effect VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    let ledger = kernel.ledger.borrow();
    for effect in ledger.effects.iter().filter(|effect| effect.n > since) {
        put.execute(params![
            int(effect.n),
            effect.cause.as_str(),
            &*effect.deed.name,
            effect.deed.intent,
            effect.deed.key,
            effect.deed.value,
            effect.author.as_ref().map(Label::as_str),
            effect.deed.to,
            kernel.unix_ms(effect.at_us)
        ])?;
    }
    let mut put = connection.prepare_cached("INSERT INTO temp.inherited VALUES (?1, ?2)")?;
    for (invariant, key) in kernel.inherited() {
        put.execute(params![invariant, key])?;
    }
    Ok(())
}

fn fill_event(connection: &Connection, kernel: &Kernel, event: &Event) -> rusqlite::Result<()> {
    let mut put = connection
        .prepare_cached("INSERT INTO temp.event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    put.execute(params![
        int(event.n),
        event.end.map(int),
        event.process.as_ref().map(|(name, _)| name.as_str()),
        event.cause.as_str(),
        event.kind.name(),
        trace::arg_text(&event.arg),
        trace::outcome_text(&event.outcome),
        kernel.unix_ms(event.at_us),
        event.end_us.map(|end| kernel.unix_ms(end))
    ])?;
    Ok(())
}

fn fill_change(
    connection: &Connection,
    kernel: &Kernel,
    committed: &Committed,
    names: &[String],
) -> rusqlite::Result<()> {
    let image = |row: &Option<Vec<Value>>| row.as_ref().map(|row| object(names, row));
    let key = committed
        .change
        .new
        .as_ref()
        .or(committed.change.old.as_ref())
        .and_then(|row| row.first().cloned());
    let mut put =
        connection.prepare_cached("INSERT INTO temp.change VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    put.execute(params![
        int(committed.n),
        committed.cause.as_str(),
        &*committed.change.table,
        key,
        image(&committed.change.old),
        image(&committed.change.new),
        kernel.unix_ms(committed.at_us)
    ])?;
    Ok(())
}

fn object(names: &[String], row: &[Value]) -> String {
    let pairs = names
        .iter()
        .zip(row)
        .map(|(name, value)| (name.clone(), trace::value_json(value)));
    Json::Object(pairs.collect::<Map<_, _>>()).to_string()
}

/// Empties them again.
pub(super) fn empty(connection: &Connection) -> rusqlite::Result<()> {
    for name in NAMES {
        connection
            .prepare_cached(&format!("DELETE FROM temp.{name}"))?
            .execute([])?;
    }
    Ok(())
}

fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
