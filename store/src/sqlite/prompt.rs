//! Questions: asked at the end of a turn, ended once, by whoever comes first.

use super::answer::{body_hash, stored};
use super::inbox;
use super::refuse::{in_range, not_found};
use super::turn::Turn;
use super::tx::Tx;
use super::{invalid, refuse::task_refused};
use crate::error::Error;
use crate::id::{PromptId, SessionId, TaskId};
use crate::op::{Accept, Answer, Ask, WhenWaiting};
use crate::reply::{Accepted, Answered, PromptOutcome, Prompted, Reply, TaskState, Verdict};
use crate::statements::Sql;
use rusqlite::{Row, named_params};

/// A question that waits longer than ninety days is a mistake in units.
const LONGEST_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// The prompt comes before the task that waits for it.
pub(super) fn ask(tx: &Tx<'_>, ask: &Ask) -> Result<Reply, Error> {
    in_range("expires_in_ms", ask.expires_in_ms, 1, LONGEST_MS)?;
    if ask.choices.is_empty() && !ask.text_ok {
        return Err(invalid("choices", "there are none, and no text may answer"));
    }
    let turn = Turn {
        task: &ask.task,
        fence: ask.fence,
        items: &ask.items,
        sends: &ask.sends,
        resume_token: ask.resume_token.as_deref(),
    };
    turn.leave_behind(tx)?;
    put(tx, ask)?;
    let params = named_params! {":task": ask.task.as_str(), ":fence": ask.fence.0};
    let session = tx.row(Sql::TaskWait, params, |row| row.get::<_, String>(0))?;
    turn.over(tx, session)?;
    Ok(Reply::Task(TaskState::Waiting))
}

/// The prompt first: its statement is the one that looks whether the task is still held.
fn put(tx: &Tx<'_>, ask: &Ask) -> Result<(), Error> {
    let params = named_params! {":prompt": ask.prompt.as_str(), ":task": ask.task.as_str(), ":fence": ask.fence.0,
    ":text_ok": ask.text_ok, ":expires_in_ms": ask.expires_in_ms, ":now": tx.now};
    if tx.run(Sql::PromptPut, params)? == 0 {
        return Err(task_refused(tx, &ask.task, ask.fence)?);
    }
    for (idx, choice) in (1_i64..).zip(&ask.choices) {
        let option = named_params! {":prompt": ask.prompt.as_str(), ":idx": idx, ":token": choice.token,
        ":label": choice.label};
        tx.run(Sql::PromptOptionPut, option)?;
    }
    Ok(())
}

/// A question as it stands; without outcome while it is open.
struct Found {
    prompt: PromptId,
    task: TaskId,
    outcome: Option<PromptOutcome>,
    expires_ms: i64,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Found> {
    let state: String = row.get(2)?;
    let outcome = match (state.as_str(), row.get::<_, Option<i64>>(3)?) {
        ("open", _) => None,
        ("expired", _) => Some(PromptOutcome::Expired),
        ("revoked", _) => Some(PromptOutcome::Revoked),
        (_, Some(idx)) => Some(PromptOutcome::Chosen {
            idx,
            label: row.get(4)?,
        }),
        (_, None) => Some(PromptOutcome::Text(row.get(5)?)),
    };
    Ok(Found {
        prompt: PromptId::from(row.get::<_, String>(0)?),
        task: TaskId::from(row.get::<_, String>(1)?),
        outcome,
        expires_ms: row.get(6)?,
    })
}

impl Found {
    /// Ends the question with `wanted` if it is still open; otherwise, or if its time is over, with what stands.
    fn end(self, tx: &Tx<'_>, wanted: PromptOutcome) -> Result<Answered, Error> {
        let (took, outcome) = match self.outcome {
            Some(outcome) => (false, outcome),
            None if self.expires_ms <= tx.now => (false, PromptOutcome::Expired),
            None => (true, wanted),
        };
        end(tx, &self.prompt, &outcome)?;
        Ok(Answered {
            prompt: self.prompt,
            task: self.task,
            took,
            outcome,
        })
    }
}

/// Ends an open question, and lets its task go on in the same commit; nothing when it has ended before.
pub(super) fn end(tx: &Tx<'_>, prompt: &PromptId, outcome: &PromptOutcome) -> Result<bool, Error> {
    let (state, chosen, text) = match outcome {
        PromptOutcome::Chosen { idx, .. } => ("answered", Some(*idx), None),
        PromptOutcome::Text(text) => ("answered", None, Some(text.as_str())),
        PromptOutcome::Expired => ("expired", None, None),
        PromptOutcome::Revoked => ("revoked", None, None),
    };
    let params = named_params! {":prompt": prompt.as_str(), ":state": state, ":chosen": chosen, ":answer_text": text,
    ":now": tx.now};
    let ended = tx.row(Sql::PromptEnd, params, |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let Some((session, task)) = ended else {
        return Ok(false);
    };
    tx.run(
        Sql::TaskResume,
        named_params! {":task": task, ":now": tx.now},
    )?;
    tx.run(
        Sql::SessionWake,
        named_params! {":session": session, ":now": tx.now},
    )?;
    tx.audit_as(&format!("prompt:{prompt}"), &session, "", None, state)?;
    Ok(true)
}

/// The redelivery of a press gets what the first delivery was told; so does a press after the question has ended, as long as
/// the button is known in this chat.
pub(super) fn answer(tx: &Tx<'_>, press: &Answer) -> Result<Reply, Error> {
    let (key, hash) = (&press.key, body_hash(press.token.as_bytes()));
    if let Some((first_hash, told)) = inbox::first_told(tx, key, &press.ext_id)? {
        return match serde_json::from_str(&told) {
            Ok(first) if first_hash == hash => Ok(Reply::Answered(first)),
            _ => Err(inbox::other_event(&press.ext_id)),
        };
    }
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":chat": key.chat, ":thread": key.thread, ":participant": key.participant, ":token": press.token};
    let found = tx.row(Sql::PromptByToken, params, |row| {
        let pressed = PromptOutcome::Chosen {
            idx: row.get(7)?,
            label: row.get(8)?,
        };
        Ok((read(row)?, pressed))
    })?;
    let (found, pressed) = found.ok_or_else(|| not_found("token", &press.token))?;
    let answered = found.end(tx, pressed)?;
    let told = stored(&answered)?;
    inbox::remember(tx, key, &press.ext_id, &hash, None, &told)?;
    Ok(Reply::Answered(answered))
}

pub(super) fn revoke(tx: &Tx<'_>, prompt: &PromptId) -> Result<Reply, Error> {
    let params = named_params! {":prompt": prompt.as_str()};
    tx.row(Sql::PromptGet, params, read)?
        .ok_or_else(|| not_found("prompt", prompt.as_str()))?
        .end(tx, PromptOutcome::Revoked)
        .map(Reply::Answered)
}

/// What became of the last question of a task that is claimed again.
pub(super) fn last_of(tx: &Tx<'_>, task: &str) -> Result<Option<Prompted>, Error> {
    let found = tx.row(Sql::PromptOfTask, named_params! {":task": task}, read)?;
    Ok(found.and_then(|found| {
        let prompt = found.prompt;
        found.outcome.map(|outcome| Prompted { prompt, outcome })
    }))
}

/// What an event does to the open question of its chat. `Some` when it was the answer; otherwise it is to be queued.
pub(super) fn meet(tx: &Tx<'_>, event: &Accept) -> Result<Option<Accepted>, Error> {
    if event.when_waiting == WhenWaiting::Queue {
        return Ok(None);
    }
    let key = &event.key;
    let params = named_params! {":tenant": key.tenant, ":channel": key.channel, ":account": key.account,
    ":chat": key.chat, ":thread": key.thread, ":participant": key.participant};
    let open = tx.row(Sql::PromptOfChat, params, |row| {
        let found = Found {
            prompt: PromptId::from(row.get::<_, String>(0)?),
            task: TaskId::from(row.get::<_, String>(1)?),
            outcome: None,
            expires_ms: row.get(4)?,
        };
        let session = SessionId::from(row.get::<_, String>(2)?);
        Ok((found, session, row.get::<_, bool>(3)?))
    })?;
    match (open, event.when_waiting) {
        (Some((found, session, true)), WhenWaiting::Answer) => {
            let answered = found.end(tx, PromptOutcome::Text(event.body.clone()))?;
            Ok(answered.took.then_some(Accepted {
                verdict: Verdict::Answer,
                task: answered.task,
                session,
            }))
        }
        (Some((found, ..)), WhenWaiting::Interrupt) => {
            found.end(tx, PromptOutcome::Revoked)?;
            Ok(None)
        }
        _ => Ok(None),
    }
}
