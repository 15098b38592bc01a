//! Builds, the edges between their classes, and workers.

use super::misplaced;
use super::reap::{self, Taken};
use super::refuse::not_found;
use super::tx::Tx;
use crate::error::Error;
use crate::id::{BuildId, Fence, ResumeClass, SessionId, WorkerId};
use crate::op::{Converter, Op};
use crate::reply::{Reaped, Reply};
use crate::statements::Sql;
use rusqlite::named_params;

/// The operations of this room.
pub(super) fn perform(tx: &Tx<'_>, op: &Op) -> Result<Reply, Error> {
    match op {
        Op::RegisterBuild {
            build,
            runtime,
            class,
        } => register_build(tx, build, runtime, class),
        Op::SetCurrent { build } => set_current(tx, build),
        Op::AllowMove {
            from,
            to,
            converter,
        } => allow_move(tx, from, to, converter),
        Op::Drain { build } => drain(tx, build),
        Op::Retire { build } => retire(tx, build),
        Op::RegisterWorker {
            worker,
            build,
            home,
        } => register_worker(tx, worker, build, home),
        Op::WorkerSeen { worker } => worker_seen(tx, worker),
        Op::WorkerDrain { worker } => worker_drain(tx, worker),
        Op::WorkerGone { worker } => worker_gone(tx, worker),
        _ => Err(misplaced(op)),
    }
}

struct Build {
    runtime: String,
    class: String,
    state: String,
}

fn build(tx: &Tx<'_>, id: &BuildId) -> Result<Build, Error> {
    tx.row(
        Sql::BuildGet,
        named_params! {":build": id.as_str()},
        |row| {
            Ok(Build {
                runtime: row.get(0)?,
                class: row.get(1)?,
                state: row.get(2)?,
            })
        },
    )?
    .ok_or_else(|| not_found("build", id.as_str()))
}

/// The class of a build that may still serve; [`Error::Closed`] when it is retired.
pub(super) fn class_in_service(tx: &Tx<'_>, id: &BuildId) -> Result<ResumeClass, Error> {
    let build = build(tx, id)?;
    match build.state.as_str() {
        "retired" => Err(Error::Closed {
            reason: build.state,
        }),
        _ => Ok(ResumeClass::from(build.class)),
    }
}

fn register_build(
    tx: &Tx<'_>,
    id: &BuildId,
    runtime: &str,
    class: &ResumeClass,
) -> Result<Reply, Error> {
    let params = named_params! {":build": id.as_str(), ":runtime": runtime, ":class": class.as_str(), ":now": tx.now};
    if tx.run(Sql::BuildPut, params)? == 0 {
        let known = build(tx, id)?;
        if known.runtime != runtime || known.class != class.as_str() {
            return Err(Error::Changed {
                what: "build",
                id: id.to_string(),
            });
        }
    }
    tx.audit(id.as_str(), "", None, class.as_str())?;
    Ok(Reply::Done)
}

/// The one before is demoted first: at no moment are there two.
fn set_current(tx: &Tx<'_>, id: &BuildId) -> Result<Reply, Error> {
    let known = build(tx, id)?;
    class_in_service(tx, id)?;
    tx.run(Sql::BuildDemote, named_params! {":runtime": known.runtime})?;
    tx.run(Sql::BuildPromote, named_params! {":build": id.as_str()})?;
    tx.audit(id.as_str(), "", None, &known.runtime)?;
    Ok(Reply::Done)
}

fn allow_move(
    tx: &Tx<'_>,
    from: &ResumeClass,
    to: &ResumeClass,
    converter: &Converter,
) -> Result<Reply, Error> {
    let params = named_params! {":from_class": from.as_str(), ":to_class": to.as_str(), ":converter": converter.name()};
    if tx.run(Sql::EdgePut, params)? == 0 {
        let edge = named_params! {":from_class": from.as_str(), ":to_class": to.as_str()};
        let known = tx.row(Sql::EdgeGet, edge, |row| row.get::<_, String>(0))?;
        if known.as_deref() != Some(converter.name()) {
            return Err(Error::Changed {
                what: "edge",
                id: format!("{from} -> {to}"),
            });
        }
    }
    tx.audit(from.as_str(), "", None, to.as_str())?;
    Ok(Reply::Done)
}

fn register_worker(
    tx: &Tx<'_>,
    worker: &WorkerId,
    id: &BuildId,
    home: &str,
) -> Result<Reply, Error> {
    class_in_service(tx, id)?;
    let params = named_params! {":worker": worker.as_str(), ":build": id.as_str(), ":home": home, ":now": tx.now};
    let class = tx
        .row(Sql::WorkerPut, params, |row| row.get::<_, String>(0))?
        .ok_or_else(|| not_found("build", id.as_str()))?;
    tx.audit(worker.as_str(), worker.as_str(), None, id.as_str())?;
    Ok(Reply::Worker(ResumeClass::from(class)))
}

fn worker_seen(tx: &Tx<'_>, worker: &WorkerId) -> Result<Reply, Error> {
    match tx.run(
        Sql::WorkerSeen,
        named_params! {":worker": worker.as_str(), ":now": tx.now},
    )? {
        0 => Err(not_found("worker", worker.as_str())),
        _ => Ok(Reply::Done),
    }
}

/// No new session is bound to it; what is bound to it goes on.
fn drain(tx: &Tx<'_>, id: &BuildId) -> Result<Reply, Error> {
    class_in_service(tx, id)?;
    tx.run(Sql::BuildDrain, named_params! {":build": id.as_str()})?;
    tx.audit(id.as_str(), "", None, "draining")?;
    Ok(Reply::Done)
}

fn retire(tx: &Tx<'_>, id: &BuildId) -> Result<Reply, Error> {
    build(tx, id)?;
    let params = named_params! {":build": id.as_str()};
    let until_ms = tx.row(Sql::BuildLeased, params, |row| row.get::<_, Option<i64>>(0))?;
    if let Some(until_ms) = until_ms.flatten() {
        return Err(Error::Leased { until_ms });
    }
    tx.run(Sql::BuildRetire, params)?;
    tx.audit(id.as_str(), "", None, "retired")?;
    Ok(Reply::Done)
}

fn worker_drain(tx: &Tx<'_>, worker: &WorkerId) -> Result<Reply, Error> {
    let params = named_params! {":worker": worker.as_str()};
    if tx.run(Sql::WorkerDrain, params)? == 0 {
        return Err(match worker_state(tx, worker)? {
            Some(reason) => Error::Closed { reason },
            None => not_found("worker", worker.as_str()),
        });
    }
    tx.audit(worker.as_str(), "", None, "draining")?;
    Ok(Reply::Done)
}

fn worker_state(tx: &Tx<'_>, worker: &WorkerId) -> Result<Option<String>, Error> {
    let params = named_params! {":worker": worker.as_str()};
    tx.row(Sql::WorkerGet, params, |row| row.get(0))
}

/// Its leases first: the schema keeps the worker of a lease alive.
fn worker_gone(tx: &Tx<'_>, worker: &WorkerId) -> Result<Reply, Error> {
    if worker_state(tx, worker)?.is_none() {
        return Err(not_found("worker", worker.as_str()));
    }
    let params = named_params! {":worker": worker.as_str()};
    let leases = tx.rows(Sql::WorkerLeases, params, |row| {
        Ok((
            SessionId::from(row.get::<_, String>(0)?),
            Fence(row.get(1)?),
        ))
    })?;
    let mut gone = Reaped::default();
    for (session, fence) in leases {
        reap::take(tx, &session, fence, Taken::WorkerGone)?
            .into_iter()
            .for_each(|taken| gone.add(taken));
    }
    tx.run(Sql::WorkerGone, params)?;
    tx.audit(worker.as_str(), "", None, "gone")?;
    Ok(Reply::Gone(gone))
}
