//! How work comes in: an event becomes one task, in the chat's one active session.

use super::answer::body_hash;
use super::chat;
use super::refuse::{in_range, not_found};
use super::session;
use super::tx::Tx;
use crate::error::Error;
use crate::id::{ConvId, SessionId, TaskId};
use crate::op::{Accept, ConvKey, NewSession, OpenPolicy};
use crate::reply::{Accepted, Opened, Reply, Verdict};
use crate::statements::Sql;
use rusqlite::named_params;

pub(super) fn accept(tx: &Tx<'_>, event: &Accept) -> Result<Reply, Error> {
    in_range("max_failures", event.max_failures.into(), 1, 1_000)?;
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
    let session = match touch(tx, &event.key)? {
        Some(session) => session,
        None => open(tx, &event.key, &event.new, Some(tx.now))?.session,
    };
    queue(tx, event, &session)?;
    let first = Accepted {
        verdict: Verdict::Task,
        task: event.task.clone(),
        session,
    };
    remember(tx, event, &hash, &first)?;
    tx.audit(first.session.as_str(), "", None, first.task.as_str())?;
    Ok(Reply::Accepted(first))
}

/// What the first delivery of this event was told. Counts the delivery.
fn seen_before(tx: &Tx<'_>, event: &Accept, hash: &str) -> Result<Option<Accepted>, Error> {
    let key = &event.key;
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":ext_id": event.ext_id, ":now": tx.now};
    let found = tx.row(Sql::InboxSeen, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let Some((first_hash, answer)) = found else {
        return Ok(None);
    };
    let first: Accepted = serde_json::from_str(&answer).map_err(|error| Error::Io {
        code: 0,
        message: format!("inbox answer: {error}"),
    })?;
    let verdict = if first_hash == hash {
        Verdict::Duplicate
    } else {
        Verdict::Changed
    };
    Ok(Some(Accepted { verdict, ..first }))
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

fn remember(tx: &Tx<'_>, event: &Accept, hash: &str, first: &Accepted) -> Result<(), Error> {
    let answer = serde_json::to_string(first).map_err(|error| Error::Io {
        code: 0,
        message: format!("inbox answer: {error}"),
    })?;
    let key = &event.key;
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":ext_id": event.ext_id, ":body_hash": hash, ":task": event.task.as_str(), ":answer": answer, ":now": tx.now};
    tx.run(Sql::InboxPut, params).map(|_| ())
}

pub(super) fn open_or_get(
    tx: &Tx<'_>,
    key: &ConvKey,
    policy: OpenPolicy,
    new: &NewSession,
) -> Result<Reply, Error> {
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
    ":head": head, ":now": tx.now};
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
