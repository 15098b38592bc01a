//! The reference store on SQLite: the contract in SQL. The guards stand in the statements (`store/sql`) and in the schema;
//! what is left here is the order of the statements and the words of a refusal.

mod again;
mod answer;
mod chat;
mod constraint;
mod explain;
mod inbox;
mod incarnation;
mod look;
mod note;
mod outbox;
mod prompt;
mod prune;
mod reap;
mod refuse;
mod runtime;
mod session;
mod show;
mod sweep;
mod turn;
mod tx;

use crate::clock::Clock;
use crate::contract::Store;
use crate::error::Error;
use crate::export::export;
use crate::id::OpId;
use crate::import::import;
use crate::limits;
use crate::op::{Call, Op};
use crate::reply::Reply;
use crate::schema;
use crate::statements::Statements;
use crate::verify;
use rusqlite::Connection;
use std::io::{BufRead, Write};
use std::path::Path;
use tx::Tx;

pub(crate) use constraint::failed;
#[cfg(test)]
pub(crate) use constraint::is_named;
pub(crate) use tx::transaction;

/// A store on one SQLite connection. One per thread or process; any number of them may share a file.
///
/// Time is read once for each transaction, after the write lock was taken, and is not forced to grow: a store-wide
/// high-water would be one row that every operation writes, and one wrong clock would poison it for good. Instead no
/// constraint compares times of different operations, and a renewal never shortens a lease. After a step back of the
/// clock, leases and delays last longer by as much; nothing else changes.
#[derive(Debug)]
pub struct SqliteStore<C> {
    conn: Connection,
    clock: C,
    sql: Statements,
}

impl<C: Clock> SqliteStore<C> {
    /// Opens or creates a database file, sets its pragmas and migrates it to the newest schema.
    ///
    /// [`Error::Foreign`] and [`Error::TooNew`] as [`schema::migrate`] says; [`Error::Io`] when it cannot be opened.
    pub fn open(path: impl AsRef<Path>, clock: C) -> Result<Self, Error> {
        let conn = Connection::open(path).map_err(failed)?;
        Self::from_connection(conn, clock)
    }

    /// The same on a connection that the caller opened.
    pub fn from_connection(conn: Connection, clock: C) -> Result<Self, Error> {
        Self::from_connection_with(conn, clock, Statements::reference())
    }

    /// The same with other statements: for tests that must see a defect found, see [`Statements::replace`].
    pub fn from_connection_with(
        mut conn: Connection,
        clock: C,
        sql: Statements,
    ) -> Result<Self, Error> {
        schema::configure(&conn)?;
        schema::migrate(&mut conn, clock.now_ms())?;
        Ok(Self { conn, clock, sql })
    }

    /// A store on a connection that was configured and migrated before: nothing is read or set. For pools.
    pub fn from_ready_connection(conn: Connection, clock: C, sql: Statements) -> Self {
        Self { conn, clock, sql }
    }

    /// Writes everything as JSON lines, as one snapshot and without loss; answers the number of rows. Never blocks a writer. The
    /// format is told in `store/src/export.rs`. [`Error::Io`] when `to` does not take it, [`Error::Invalid`] when a text in the
    /// database, written by a shell perhaps, is not UTF-8.
    pub fn export(&self, to: &mut dyn Write) -> Result<u64, Error> {
        export(&self.conn, to)
    }

    /// A store on an empty database with everything that an export holds, also one of an older schema. Everything or nothing:
    /// [`Error::Invalid`] names the line that is wrong, [`Error::TooNew`] and [`Error::Foreign`] as [`schema::migrate`].
    ///
    /// What was done since the export is gone, as after a restore from a backup: call [`Store::restored`] before anything else,
    /// unless every worker and sender had stopped before it.
    pub fn import(conn: Connection, clock: C, from: &mut dyn BufRead) -> Result<Self, Error> {
        schema::configure(&conn)?;
        import(&conn, from, clock.now_ms())?;
        Self::from_connection(conn, clock)
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }

    /// The connection, for the next user of it.
    pub fn into_connection(self) -> Connection {
        self.conn
    }

    /// A mutating operation: replay a kept answer, or do it and keep the answer.
    fn change(&self, op_id: &OpId, op: &Op) -> Result<Reply, Error> {
        let hash = answer::request_hash(op)?;
        tx::write(&self.conn, &self.sql, &self.clock, |tx| {
            if let Some(reply) = answer::kept(tx, op_id, op, &hash)? {
                return Ok(reply);
            }
            let tx = &tx.belonging_to(Some(op_id), op.name());
            let reply = perform(tx, op)?;
            answer::keep(tx, op_id, op, &hash, &reply)?;
            Ok(reply)
        })
    }

    fn bare(&mut self, op: &Op) -> Result<Reply, Error> {
        match op {
            Op::Reap { limit } => {
                reap::reap(&self.conn, &self.sql, &self.clock, *limit).map(Reply::Reaped)
            }
            Op::Verify { per_rule } => {
                verify::verify(&mut self.conn, verify::Budget::of(*per_rule)).map(Reply::Verified)
            }
            Op::Sweep { limit } => {
                sweep::sweep(&self.conn, &self.sql, &self.clock, *limit).map(Reply::Swept)
            }
            Op::Prune { keep_ms, limit } => {
                prune::prune(&self.conn, &self.sql, &self.clock, *keep_ms, *limit)
                    .map(Reply::Pruned)
            }
            _ if op.only_reads() => tx::read(&self.conn, &self.sql, &self.clock, |tx| look(tx, op)),
            _ => tx::write(&self.conn, &self.sql, &self.clock, |tx| perform(tx, op)),
        }
    }
}

impl<C: Clock> Store for SqliteStore<C> {
    fn apply(&mut self, call: &Call) -> Result<Reply, Error> {
        limits::check(call)?;
        match (&call.op_id, call.op.keeps_answer()) {
            (Some(op_id), true) => self.change(op_id, &call.op),
            (None, false) => self.bare(&call.op),
            (None, true) => Err(invalid("op_id", "this operation needs one")),
            (Some(_), false) => Err(invalid("op_id", "this operation keeps no answer")),
        }
    }
}

/// The operations that only read, on their snapshot.
fn look(tx: &Tx<'_>, op: &Op) -> Result<Reply, Error> {
    match op {
        Op::Resume { session, worker } => session::resume(tx, session, worker),
        Op::GetState { session } => note::get_state(tx, session),
        Op::List {
            filter,
            after,
            limit,
        } => look::list(tx, filter, after.as_ref(), *limit),
        Op::History {
            session,
            after_seq,
            after_note,
            limit,
        } => look::history(tx, session, *after_seq, *after_note, *limit),
        Op::Stats => look::stats(tx),
        Op::Explain { session } => explain::explain(tx, session),
        Op::Show { session } => show::show(tx, session),
        _ => Err(misplaced(op)),
    }
}

/// The operations that change something, inside their transaction.
fn perform(tx: &Tx<'_>, op: &Op) -> Result<Reply, Error> {
    match op {
        Op::RegisterBuild { .. }
        | Op::SetCurrent { .. }
        | Op::AllowMove { .. }
        | Op::Drain { .. }
        | Op::Retire { .. }
        | Op::RegisterWorker { .. }
        | Op::WorkerSeen { .. }
        | Op::WorkerDrain { .. }
        | Op::WorkerGone { .. } => runtime::perform(tx, op),
        Op::OpenOrGet { key, policy, new } => inbox::open_or_get(tx, key, *policy, new),
        Op::Accept(accept) => inbox::accept(tx, accept),
        Op::LinkKey { key, alias } => chat::link_key(tx, key, alias),
        Op::OrderedIds {
            tenant,
            channel,
            account,
            idle_gap_ms,
        } => chat::ordered_ids(tx, tenant, channel, account, *idle_gap_ms),
        Op::Claim { .. }
        | Op::Renew { .. }
        | Op::Append { .. }
        | Op::Complete(_)
        | Op::Fail { .. }
        | Op::GiveBack { .. }
        | Op::Snooze { .. }
        | Op::Retry { .. }
        | Op::Cancel { .. } => turn::perform(tx, op),
        Op::Ask(ask) => prompt::ask(tx, ask),
        Op::Answer(answer) => prompt::answer(tx, answer),
        Op::Revoke { prompt } => prompt::revoke(tx, prompt),
        Op::ClaimSend { .. }
        | Op::Sent { .. }
        | Op::NotSent { .. }
        | Op::Unknown { .. }
        | Op::Resolve { .. } => outbox::perform(tx, op),
        Op::Note { session, item } => note::note(tx, session, item),
        Op::PutState {
            session,
            expected_version,
            body,
        } => note::put_state(tx, session, *expected_version, body),
        Op::Close { .. }
        | Op::Reset(_)
        | Op::SetResume { .. }
        | Op::DropResume { .. }
        | Op::Migrate { .. } => session::perform(tx, op),
        Op::Restored { incarnation } => incarnation::restored(tx, *incarnation),
        _ => Err(misplaced(op)),
    }
}

fn misplaced(op: &Op) -> Error {
    Error::Io {
        code: 0,
        message: format!("{} has no place among these operations", op.name()),
    }
}

fn invalid(field: &'static str, why: &str) -> Error {
    Error::Invalid {
        field,
        why: why.to_owned(),
    }
}
