//! A session's life: close, reset, its native token, and its move to another build.

use super::refuse::{active_facts, holder_facts, not_found};
use super::runtime::class_in_service;
use super::tx::Tx;
use super::{invalid, misplaced};
use crate::error::{Binding, Error};
use crate::id::{BuildId, Fence, ResumeClass, SessionId, TaskId, WorkerId};
use crate::op::{Converted, Op, QueueFate, Reset};
use crate::reply::{Closed, Pointer, Reply, WasReset};
use crate::statements::Sql;
use rusqlite::named_params;

/// The operations of this room that change something.
pub(super) fn perform(tx: &Tx<'_>, op: &Op) -> Result<Reply, Error> {
    match op {
        Op::Close {
            session,
            reason,
            force,
        } => close(tx, session, reason, *force),
        Op::Reset(reset_to) => reset(tx, reset_to),
        Op::SetResume {
            session,
            fence,
            token,
            epoch,
        } => set_resume(tx, session, *fence, token, *epoch),
        Op::DropResume {
            session,
            expected_epoch,
            evidence,
        } => drop_resume(tx, session, *expected_epoch, evidence),
        Op::Migrate {
            session,
            to_build,
            expected_version,
            converted,
        } => migrate(tx, session, to_build, *expected_version, converted.as_ref()),
        _ => Err(misplaced(op)),
    }
}

fn close(tx: &Tx<'_>, session: &SessionId, reason: &str, force: bool) -> Result<Reply, Error> {
    let cancelled = end(tx, session, reason, force)?;
    tx.audit(session.as_str(), "", None, reason)?;
    Ok(Reply::Closed(Closed { cancelled }))
}

/// Closes a session with everything that is open in it. Answers the tasks that were cancelled.
pub(super) fn end(
    tx: &Tx<'_>,
    session: &SessionId,
    reason: &str,
    force: bool,
) -> Result<Vec<TaskId>, Error> {
    let taken = take_from_holder(tx, session, force)?;
    revoke_prompts(tx, session)?;
    let cancelled = cancel_tasks(tx, Sql::TasksCancel, session, reason)?;
    shut(tx, session, reason, taken)?;
    Ok(cancelled)
}

/// Whether there is a holder to take the session from; [`Error::Leased`] when there is and it was not to be forced.
fn take_from_holder(tx: &Tx<'_>, session: &SessionId, force: bool) -> Result<bool, Error> {
    match active_facts(tx, session)?.lease_until_ms {
        Some(until_ms) if !force => Err(Error::Leased { until_ms }),
        lease => Ok(lease.is_some()),
    }
}

fn revoke_prompts(tx: &Tx<'_>, session: &SessionId) -> Result<(), Error> {
    tx.run(
        Sql::PromptsRevoke,
        named_params! {":session": session.as_str(), ":now": tx.now},
    )
    .map(|_| ())
}

fn cancel_tasks(
    tx: &Tx<'_>,
    which: Sql,
    session: &SessionId,
    reason: &str,
) -> Result<Vec<TaskId>, Error> {
    let params = named_params! {":session": session.as_str(), ":reason": reason, ":now": tx.now};
    tx.rows(which, params, |row| {
        row.get::<_, String>(0).map(TaskId::from)
    })
}

/// The lease goes before the session closes: the schema refuses it the other way round.
fn shut(tx: &Tx<'_>, session: &SessionId, reason: &str, taken: bool) -> Result<(), Error> {
    tx.run(Sql::LeaseDrop, named_params! {":session": session.as_str()})?;
    let params = named_params! {":session": session.as_str(), ":reason": reason, ":take": taken, ":now": tx.now};
    tx.row(Sql::SessionClose, params, |row| row.get::<_, i64>(0))?
        .map(|_| ())
        .ok_or_else(|| Error::Closed {
            reason: reason.to_owned(),
        })
}

fn reset(tx: &Tx<'_>, reset: &Reset) -> Result<Reply, Error> {
    if let Some(build) = &reset.build {
        class_in_service(tx, build)?;
    }
    let (cancelled, gen_no) = match reset.queued {
        QueueFate::Cancel => (
            end(tx, &reset.session, &reset.reason, reset.force)?,
            next(tx, reset)?,
        ),
        QueueFate::Move => hand_over(tx, reset)?,
    };
    let moved = match reset.queued {
        QueueFate::Cancel => Vec::new(),
        QueueFate::Move => move_queue(tx, reset)?,
    };
    tx.audit(reset.session.as_str(), "", None, &reset.reason)?;
    tx.audit(reset.next.as_str(), "", None, reset.session.as_str())?;
    Ok(Reply::Reset(WasReset {
        session: reset.next.clone(),
        gen_no,
        cancelled,
        moved,
    }))
}

/// Closes the old session with its queue still in it: the queue's foreign key waits for the commit, and by then it has moved.
fn hand_over(tx: &Tx<'_>, reset: &Reset) -> Result<(Vec<TaskId>, i64), Error> {
    let taken = take_from_holder(tx, &reset.session, reset.force)?;
    revoke_prompts(tx, &reset.session)?;
    let cancelled = cancel_tasks(tx, Sql::TasksCancelHeld, &reset.session, &reset.reason)?;
    shut(tx, &reset.session, &reset.reason, taken)?;
    Ok((cancelled, next(tx, reset)?))
}

fn next(tx: &Tx<'_>, reset: &Reset) -> Result<i64, Error> {
    let params = named_params! {":session": reset.next.as_str(), ":old": reset.session.as_str(),
    ":build": reset.build.as_ref().map(BuildId::as_str), ":now": tx.now};
    tx.row(Sql::SessionNext, params, |row| row.get(0))?
        .ok_or_else(|| not_found("build in service of session", reset.session.as_str()))
}

fn move_queue(tx: &Tx<'_>, reset: &Reset) -> Result<Vec<TaskId>, Error> {
    let params = named_params! {":session": reset.next.as_str(), ":old": reset.session.as_str()};
    let moved = tx.rows(Sql::TasksMove, params, |row| {
        row.get::<_, String>(0).map(TaskId::from)
    })?;
    tx.run(
        Sql::SessionReady,
        named_params! {":session": reset.next.as_str()},
    )?;
    Ok(moved)
}

fn set_resume(
    tx: &Tx<'_>,
    session: &SessionId,
    fence: Fence,
    token: &str,
    epoch: i64,
) -> Result<Reply, Error> {
    let params = named_params! {":session": session.as_str(), ":fence": fence.0, ":token": token, ":epoch": epoch};
    match tx.row(Sql::SessionPoint, params, |row| row.get(0))? {
        Some(epoch) => {
            tx.audit(session.as_str(), "", Some(fence), "token")?;
            Ok(Reply::Epoch(epoch))
        }
        None => Err(Error::Stale {
            current: holder_facts(tx, session, fence)?.epoch,
        }),
    }
}

struct Resumable {
    pointer: Pointer,
    bound: Binding,
    yours: Binding,
    active: bool,
    matches: bool,
}

pub(super) fn resume(tx: &Tx<'_>, session: &SessionId, worker: &WorkerId) -> Result<Reply, Error> {
    let params = named_params! {":session": session.as_str(), ":worker": worker.as_str()};
    let found = tx.row(Sql::SessionResume, params, |row| {
        Ok(Resumable {
            pointer: Pointer {
                token: row.get(0)?,
                epoch: row.get(1)?,
                next_seq: row.get(7)?,
            },
            bound: Binding {
                class: ResumeClass::from(row.get::<_, String>(2)?),
                home: row.get(3)?,
            },
            yours: Binding {
                class: ResumeClass::from(row.get::<_, String>(4)?),
                home: row.get(5)?,
            },
            active: row.get(6)?,
            matches: row.get(8)?,
        })
    })?;
    let Some(found) = found else {
        active_facts(tx, session)?;
        return Err(not_found("worker", worker.as_str()));
    };
    match found {
        Resumable { active: false, .. } => Err(Error::Closed {
            reason: "closed".to_owned(),
        }),
        Resumable {
            matches: false,
            bound,
            yours,
            ..
        } => Err(Error::RuntimeMismatch { bound, yours }),
        Resumable { pointer, .. } => Ok(Reply::Pointer(pointer)),
    }
}

/// Whoever says that a token is lost has to know which one, and why.
fn drop_resume(
    tx: &Tx<'_>,
    session: &SessionId,
    epoch: i64,
    evidence: &str,
) -> Result<Reply, Error> {
    if evidence.trim().is_empty() {
        return Err(invalid("evidence", "says nothing"));
    }
    let params = named_params! {":session": session.as_str(), ":epoch": epoch};
    if let Some(epoch) = tx.row(Sql::SessionUnpoint, params, |row| row.get(0))? {
        tx.audit(session.as_str(), "", None, evidence)?;
        return Ok(Reply::Epoch(epoch));
    }
    let facts = active_facts(tx, session)?;
    if facts.epoch != epoch {
        return Err(Error::Stale {
            current: facts.epoch,
        });
    }
    Err(invalid("expected_epoch", "the session has no token"))
}

fn migrate(
    tx: &Tx<'_>,
    session: &SessionId,
    to: &BuildId,
    version: i64,
    converted: Option<&Converted>,
) -> Result<Reply, Error> {
    let class = class_in_service(tx, to)?;
    let params = named_params! {":session": session.as_str(), ":build": to.as_str(), ":class": class.as_str(),
    ":version": version, ":token": converted.map(|made| made.token.as_str()),
    ":token_class": converted.map(|_| class.as_str()), ":home": converted.map(|made| made.home.as_str()),
    ":converter": converted.map(|made| made.converter.as_str()), ":now": tx.now};
    match tx.row(Sql::SessionMigrate, params, |row| row.get(0))? {
        Some(version) => {
            let by = converted.map_or(String::new(), |made| format!(" by {}", made.converter));
            tx.audit(session.as_str(), "", None, &format!("{to}{by}"))?;
            Ok(Reply::Version(version))
        }
        None => Err(migrate_refused(tx, session, class, version)?),
    }
}

fn migrate_refused(
    tx: &Tx<'_>,
    session: &SessionId,
    class: ResumeClass,
    version: i64,
) -> Result<Error, Error> {
    let facts = active_facts(tx, session)?;
    if let Some(until_ms) = facts.lease_until_ms {
        return Ok(Error::Leased { until_ms });
    }
    if facts.version != version {
        return Ok(Error::Stale {
            current: facts.version,
        });
    }
    if facts.class == class.as_str() {
        return Ok(invalid("converted", "inside a class the token stays"));
    }
    let edge = named_params! {":from_class": facts.class, ":to_class": class.as_str()};
    match tx.row(Sql::EdgeGet, edge, |row| row.get::<_, String>(0))? {
        Some(converter) => Ok(Error::Invalid {
            field: "converted",
            why: format!(
                "is not what the edge's converter {converter} gives for this session's token"
            ),
        }),
        None => Ok(Error::RuntimeMismatch {
            bound: Binding {
                class: ResumeClass::from(facts.class),
                home: None,
            },
            yours: Binding { class, home: None },
        }),
    }
}
