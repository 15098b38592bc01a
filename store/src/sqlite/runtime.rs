//! Builds, the edges between their classes, and workers.

use super::refuse::not_found;
use super::tx::Tx;
use crate::error::Error;
use crate::id::{BuildId, ResumeClass, WorkerId};
use crate::op::Converter;
use crate::reply::Reply;
use crate::statements::Sql;
use rusqlite::named_params;

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

pub(super) fn register_build(
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
pub(super) fn set_current(tx: &Tx<'_>, id: &BuildId) -> Result<Reply, Error> {
    let known = build(tx, id)?;
    class_in_service(tx, id)?;
    tx.run(
        Sql::BuildDemote,
        named_params! {":runtime": known.runtime, ":build": id.as_str()},
    )?;
    tx.run(Sql::BuildPromote, named_params! {":build": id.as_str()})?;
    tx.audit(id.as_str(), "", None, &known.runtime)?;
    Ok(Reply::Done)
}

pub(super) fn allow_move(
    tx: &Tx<'_>,
    from: &ResumeClass,
    to: &ResumeClass,
    converter: Converter,
) -> Result<Reply, Error> {
    let converter = match converter {
        Converter::DropToken => "drop-token",
    };
    let params = named_params! {":from_class": from.as_str(), ":to_class": to.as_str(), ":converter": converter};
    tx.run(Sql::EdgePut, params)?;
    tx.audit(from.as_str(), "", None, to.as_str())?;
    Ok(Reply::Done)
}

pub(super) fn register_worker(
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

pub(super) fn worker_seen(tx: &Tx<'_>, worker: &WorkerId) -> Result<Reply, Error> {
    match tx.run(
        Sql::WorkerSeen,
        named_params! {":worker": worker.as_str(), ":now": tx.now},
    )? {
        0 => Err(not_found("worker", worker.as_str())),
        _ => Ok(Reply::Done),
    }
}
