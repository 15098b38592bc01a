//! How work comes in: an event becomes one task, in the chat's one active session.

use super::answer::{body_hash, stored};
use super::chat;
use super::prompt;
use super::refuse::{in_range, not_found};
use super::session;
use super::tx::Tx;
use crate::error::Error;
use crate::id::{ConvId, SessionId, TaskId};
use crate::op::{Accept, ConvKey, NewSession, OpenPolicy};
use crate::reply::{Accepted, Opened, Reply, Verdict};
use crate::statements::Sql;
use rusqlite::named_params;

/// The longest idleness: ten years.
const IDLE_MAX_MS: i64 = 10 * 366 * 24 * 60 * 60 * 1_000;

pub(super) fn accept(tx: &Tx<'_>, event: &Accept) -> Result<Reply, Error> {
    in_range("max_failures", event.max_failures.into(), 1, 1_000)?;
    idleness(&event.new)?;
    let hash = body_hash(event.body.as_bytes());
    if let Some(first) = seen_before(tx, event, &hash)? {
        return Ok(Reply::Accepted(first));
    }
    if chat::is_old(tx, &event.key, &event.ext_id)? {
        return Ok(Reply::Accepted(Accepted {
            verdict: Verdict::Old,
            task: TaskId::from(""),
            session: SessionId::from(""),
        }));
    }
    let first = match prompt::meet(tx, event)? {
        Some(answered) => answered,
        None => become_task(tx, event)?,
    };
    let task = (first.verdict == Verdict::Task).then_some(&first.task);
    let told = stored(&first)?;
    remember(tx, &event.key, &event.ext_id, &hash, task, &told)?;
    tx.audit(first.session.as_str(), "", None, first.task.as_str())?;
    Ok(Reply::Accepted(first))
}

fn idleness(new: &NewSession) -> Result<(), Error> {
    match new.idle_ms {
        Some(idle_ms) => in_range("idle_ms", idle_ms, 1, IDLE_MAX_MS),
        None => Ok(()),
    }
}

fn become_task(tx: &Tx<'_>, event: &Accept) -> Result<Accepted, Error> {
    let session = match touch(tx, &event.key)? {
        Some(session) => session,
        None => open(tx, &event.key, &event.new, Some(tx.now))?.session,
    };
    queue(tx, event, &session)?;
    Ok(Accepted {
        verdict: Verdict::Task,
        task: event.task.clone(),
        session,
    })
}

/// What the first delivery of this event was told. Counts the delivery.
fn seen_before(tx: &Tx<'_>, event: &Accept, hash: &str) -> Result<Option<Accepted>, Error> {
    let Some((first_hash, told)) = first_told(tx, &event.key, &event.ext_id)? else {
        return Ok(None);
    };
    let first: Accepted = serde_json::from_str(&told).map_err(|_| other_event(&event.ext_id))?;
    let verdict = if first_hash == hash {
        Verdict::Duplicate
    } else {
        Verdict::Changed
    };
    Ok(Some(Accepted { verdict, ..first }))
}

/// The hash of an event's body and what its first delivery was told, if there was one. Counts the delivery.
pub(super) fn first_told(
    tx: &Tx<'_>,
    key: &ConvKey,
    ext_id: &str,
) -> Result<Option<(String, String)>, Error> {
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":ext_id": ext_id, ":now": tx.now};
    tx.row(Sql::InboxSeen, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// A message under the id of a press, or the other way round, or a press of another button.
pub(super) fn other_event(ext_id: &str) -> Error {
    Error::Changed {
        what: "event",
        id: ext_id.to_owned(),
    }
}

/// The chat's active session, made ready for one more task.
fn touch(tx: &Tx<'_>, key: &ConvKey) -> Result<Option<SessionId>, Error> {
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":chat": key.chat, ":thread": key.thread, ":participant": key.participant, ":now": tx.now};
    tx.row(Sql::SessionTouch, params, |row| {
        row.get::<_, String>(0).map(SessionId::from)
    })
}

fn queue(tx: &Tx<'_>, event: &Accept, session: &SessionId) -> Result<(), Error> {
    let params = named_params! {":task": event.task.as_str(), ":session": session.as_str(), ":kind": event.kind,
    ":max_failures": event.max_failures, ":input": event.body, ":now": tx.now};
    tx.run(Sql::TaskPut, params).map(|_| ())
}

/// Remembers an event and what was told; with the task that it became, if it became one.
pub(super) fn remember(
    tx: &Tx<'_>,
    key: &ConvKey,
    ext_id: &str,
    hash: &str,
    task: Option<&TaskId>,
    told: &str,
) -> Result<(), Error> {
    let verdict = if task.is_some() { "task" } else { "answer" };
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":ext_id": ext_id, ":body_hash": hash, ":verdict": verdict, ":task": task.map(TaskId::as_str), ":answer": told,
    ":now": tx.now};
    tx.run(Sql::InboxPut, params).map(|_| ())
}

pub(super) fn open_or_get(
    tx: &Tx<'_>,
    key: &ConvKey,
    policy: OpenPolicy,
    new: &NewSession,
) -> Result<Reply, Error> {
    idleness(new)?;
    let opened = match (active(tx, key)?, policy) {
        (None, _) => open(tx, key, new, None)?,
        (Some(found), OpenPolicy::Adopt) => found,
        (Some(found), OpenPolicy::Fail) => {
            return Err(Error::Closed {
                reason: format!("session {} is active", found.session),
            });
        }
        (Some(found), OpenPolicy::Replace) => {
            session::end(tx, &found.session, "replaced", false)?;
            tx.audit(found.session.as_str(), "", None, "replaced")?;
            open(tx, key, new, None)?
        }
    };
    tx.audit(
        opened.session.as_str(),
        "",
        None,
        if opened.created { "opened" } else { "adopted" },
    )?;
    Ok(Reply::Opened(opened))
}

fn active(tx: &Tx<'_>, key: &ConvKey) -> Result<Option<Opened>, Error> {
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":chat": key.chat, ":thread": key.thread, ":participant": key.participant};
    tx.row(Sql::SessionActive, params, |row| {
        Ok(Opened {
            session: SessionId::from(row.get::<_, String>(0)?),
            conv: ConvId::from(row.get::<_, String>(1)?),
            gen_no: row.get(2)?,
            created: false,
        })
    })
}

/// Opens the conversation's next generation, and the conversation itself when its key is new.
fn open(tx: &Tx<'_>, key: &ConvKey, new: &NewSession, head: Option<i64>) -> Result<Opened, Error> {
    let conv = match conversation(tx, key)? {
        Some(conv) => conv,
        None => begin_conversation(tx, key, &new.conv)?,
    };
    let params = named_params! {":session": new.session.as_str(), ":conv": conv.as_str(), ":runtime": new.runtime,
    ":head": head, ":idle_ms": new.idle_ms, ":now": tx.now};
    let gen_no = tx
        .row(Sql::SessionOpen, params, |row| row.get(0))?
        .ok_or_else(|| not_found("current build of runtime", &new.runtime))?;
    Ok(Opened {
        conv,
        session: new.session.clone(),
        gen_no,
        created: true,
    })
}

pub(super) fn conversation(tx: &Tx<'_>, key: &ConvKey) -> Result<Option<ConvId>, Error> {
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":chat": key.chat, ":thread": key.thread, ":participant": key.participant};
    tx.row(Sql::ConvFind, params, |row| {
        row.get::<_, String>(0).map(ConvId::from)
    })
}

fn begin_conversation(tx: &Tx<'_>, key: &ConvKey, conv: &ConvId) -> Result<ConvId, Error> {
    tx.run(
        Sql::ConvPut,
        named_params! {":conv": conv.as_str(), ":now": tx.now},
    )?;
    put_key(tx, key, conv)?;
    Ok(conv.clone())
}

/// One more key that leads to a conversation.
pub(super) fn put_key(tx: &Tx<'_>, key: &ConvKey, conv: &ConvId) -> Result<(), Error> {
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":chat": key.chat, ":thread": key.thread, ":participant": key.participant, ":conv": conv.as_str()};
    tx.run(Sql::ConvKeyPut, params).map(|_| ())
}
