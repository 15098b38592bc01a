//! How long texts may be, and how many. A call that goes beyond is refused before anything is read or written.

use crate::error::Error;
use crate::op::{Accept, Ask, Call, Complete, ConvKey, Item, NewSession, Op, Resolve, Send};

/// Ids, names and keys: in bytes.
const NAME: usize = 200;
/// Native tokens.
const TOKEN: usize = 4_096;
/// Reasons, errors and labels.
const WORDS: usize = 4_096;
/// Bodies of all kinds.
const BODY: usize = 1_048_576;
/// Items or messages of one call.
const MANY: usize = 1_000;
/// Buttons of one question.
const CHOICES: usize = 100;

type Checked = Result<(), Error>;

pub(crate) fn check(call: &Call) -> Checked {
    if let Some(op_id) = &call.op_id {
        id("op_id", op_id.as_str())?;
    }
    match &call.op {
        Op::RegisterBuild { .. }
        | Op::SetCurrent { .. }
        | Op::AllowMove { .. }
        | Op::Drain { .. }
        | Op::Retire { .. }
        | Op::RegisterWorker { .. }
        | Op::WorkerSeen { .. }
        | Op::WorkerDrain { .. }
        | Op::WorkerGone { .. } => runtime(&call.op),
        Op::OpenOrGet { .. }
        | Op::Accept(_)
        | Op::LinkKey { .. }
        | Op::OrderedIds { .. }
        | Op::Answer(_) => chat(&call.op),
        Op::Claim { .. }
        | Op::Renew { .. }
        | Op::Append { .. }
        | Op::Complete(_)
        | Op::Fail { .. }
        | Op::GiveBack { .. }
        | Op::Snooze { .. }
        | Op::Retry { .. }
        | Op::Cancel { .. }
        | Op::Ask(_)
        | Op::Revoke { .. } => turn(&call.op),
        Op::ClaimSend { .. }
        | Op::Sent { .. }
        | Op::NotSent { .. }
        | Op::Unknown { .. }
        | Op::Resolve { .. } => outbox(&call.op),
        _ => session(&call.op),
    }
}

fn runtime(op: &Op) -> Checked {
    match op {
        Op::RegisterBuild {
            build,
            runtime,
            class,
        } => {
            id("build", build.as_str())?;
            text("runtime", runtime, NAME)?;
            id("class", class.as_str())
        }
        Op::AllowMove {
            from,
            to,
            converter,
        } => {
            id("from", from.as_str())?;
            id("to", to.as_str())?;
            id("converter", converter.name())
        }
        Op::RegisterWorker {
            worker,
            build,
            home,
        } => {
            id("worker", worker.as_str())?;
            id("build", build.as_str())?;
            text("home", home, NAME)
        }
        Op::SetCurrent { build } | Op::Drain { build } | Op::Retire { build } => {
            id("build", build.as_str())
        }
        Op::WorkerSeen { worker } | Op::WorkerDrain { worker } | Op::WorkerGone { worker } => {
            id("worker", worker.as_str())
        }
        _ => Ok(()),
    }
}

fn chat(op: &Op) -> Checked {
    match op {
        Op::OpenOrGet {
            key: conv_key, new, ..
        } => {
            key(conv_key)?;
            new_session(new)
        }
        Op::Accept(event) => accept(event),
        Op::LinkKey {
            key: conv_key,
            alias,
        } => {
            key(conv_key)?;
            key(alias)
        }
        Op::OrderedIds {
            tenant,
            channel,
            account,
            ..
        } => {
            text("tenant", tenant, NAME)?;
            text("channel", channel, NAME)?;
            text("account", account, NAME)
        }
        Op::Answer(answer) => {
            key(&answer.key)?;
            text("ext_id", &answer.ext_id, NAME)?;
            text("token", &answer.token, NAME)
        }
        _ => Ok(()),
    }
}

fn accept(event: &Accept) -> Checked {
    key(&event.key)?;
    text("ext_id", &event.ext_id, NAME)?;
    text("kind", &event.kind, NAME)?;
    text("body", &event.body, BODY)?;
    id("task", event.task.as_str())?;
    new_session(&event.new)
}

fn new_session(new: &NewSession) -> Checked {
    id("conv", new.conv.as_str())?;
    id("session", new.session.as_str())?;
    text("runtime", &new.runtime, NAME)
}

fn key(key: &ConvKey) -> Checked {
    text("tenant", &key.tenant, NAME)?;
    text("channel", &key.channel, NAME)?;
    text("account", &key.account, NAME)?;
    text("chat", &key.chat, NAME)?;
    text("thread", &key.thread, NAME)?;
    text("participant", &key.participant, NAME)
}

fn turn(op: &Op) -> Checked {
    match op {
        Op::Claim { worker, .. } => id("worker", worker.as_str()),
        Op::Renew { session, .. } => id("session", session.as_str()),
        Op::Append {
            session,
            items: appended,
            ..
        } => {
            id("session", session.as_str())?;
            items(appended)
        }
        Op::Complete(turn) => complete(turn),
        Op::Fail { task, error, .. } => {
            id("task", task.as_str())?;
            text("error", error, WORDS)
        }
        Op::GiveBack { task, .. } | Op::Snooze { task, .. } => id("task", task.as_str()),
        Op::Retry { task, again } => {
            id("task", task.as_str())?;
            id("again", again.as_str())
        }
        Op::Cancel { task, reason, .. } => {
            id("task", task.as_str())?;
            text("reason", reason, WORDS)
        }
        Op::Ask(question) => ask(question),
        Op::Revoke { prompt } => id("prompt", prompt.as_str()),
        _ => Ok(()),
    }
}

fn complete(turn: &Complete) -> Checked {
    id("task", turn.task.as_str())?;
    text("outcome", &turn.outcome, BODY)?;
    items(&turn.items)?;
    sends(&turn.sends)?;
    resume_token(turn.resume_token.as_deref())
}

fn ask(question: &Ask) -> Checked {
    id("task", question.task.as_str())?;
    id("prompt", question.prompt.as_str())?;
    few("choices", question.choices.len(), CHOICES)?;
    for choice in &question.choices {
        let length = choice.token.len();
        if !(8..=64).contains(&length) {
            return refused("token", format!("{length} bytes are not in 8..=64"));
        }
        text("token", &choice.token, NAME)?;
        text("label", &choice.label, WORDS)?;
    }
    items(&question.items)?;
    sends(&question.sends)?;
    resume_token(question.resume_token.as_deref())
}

fn items(items: &[Item]) -> Checked {
    few("items", items.len(), MANY)?;
    items.iter().try_for_each(item)
}

fn item(item: &Item) -> Checked {
    text("kind", &item.kind, NAME)?;
    text("body", &item.body, BODY)
}

fn sends(sends: &[Send]) -> Checked {
    few("sends", sends.len(), MANY)?;
    sends.iter().try_for_each(|send| {
        text("dedup_key", &send.dedup_key, NAME)?;
        text("route", &send.route, NAME)?;
        text("body", &send.body, BODY)
    })
}

fn resume_token(token: Option<&str>) -> Checked {
    token.map_or(Ok(()), |token| text("resume_token", token, TOKEN))
}

fn outbox(op: &Op) -> Checked {
    match op {
        Op::ClaimSend { sender, route, .. } => {
            id("sender", sender)?;
            text("route", route, NAME)
        }
        Op::Sent {
            session,
            provider_id,
            ..
        } => {
            id("session", session.as_str())?;
            text("provider_id", provider_id, NAME)
        }
        Op::NotSent { session, error, .. } | Op::Unknown { session, error, .. } => {
            id("session", session.as_str())?;
            text("error", error, WORDS)
        }
        Op::Resolve { session, how, .. } => {
            id("session", session.as_str())?;
            match how {
                Resolve::Sent { provider_id } => text("provider_id", provider_id, NAME),
                Resolve::Resend | Resolve::Drop => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn session(op: &Op) -> Checked {
    match op {
        Op::Close {
            session, reason, ..
        } => {
            id("session", session.as_str())?;
            text("reason", reason, WORDS)
        }
        Op::Reset(reset) => {
            id("session", reset.session.as_str())?;
            id("next", reset.next.as_str())?;
            reset
                .build
                .iter()
                .try_for_each(|build| id("build", build.as_str()))?;
            text("reason", &reset.reason, WORDS)
        }
        Op::SetResume { session, token, .. } => {
            id("session", session.as_str())?;
            text("token", token, TOKEN)
        }
        Op::DropResume {
            session, evidence, ..
        } => {
            id("session", session.as_str())?;
            text("evidence", evidence, WORDS)
        }
        Op::Migrate {
            session,
            to_build,
            converted,
            ..
        } => {
            id("session", session.as_str())?;
            id("to_build", to_build.as_str())?;
            converted.as_ref().map_or(Ok(()), |made| {
                id("converter", &made.converter)?;
                text("token", &made.token, TOKEN)?;
                text("home", &made.home, NAME)
            })
        }
        Op::Note {
            session,
            item: noted,
        } => {
            id("session", session.as_str())?;
            item(noted)
        }
        Op::PutState { session, body, .. } => {
            id("session", session.as_str())?;
            text("body", body, BODY)
        }
        _ => look(op),
    }
}

/// Nothing is called by an empty id, so a look for it finds nothing.
fn look(op: &Op) -> Checked {
    match op {
        Op::Resume { session, worker } => {
            text("session", session.as_str(), NAME)?;
            text("worker", worker.as_str(), NAME)
        }
        Op::GetState { session }
        | Op::History { session, .. }
        | Op::Explain { session }
        | Op::Show { session } => text("session", session.as_str(), NAME),
        Op::List { filter, after, .. } => {
            let class = filter.class.iter().map(|class| ("class", class.as_str()));
            let conv = filter.conv.iter().map(|conv| ("conv", conv.as_str()));
            let after = after.iter().map(|after| ("after", after.as_str()));
            class
                .chain(conv)
                .chain(after)
                .try_for_each(|(field, name)| text(field, name, NAME))
        }
        _ => Ok(()),
    }
}

fn few(field: &'static str, count: usize, most: usize) -> Checked {
    if count <= most {
        return Ok(());
    }
    refused(field, format!("{count} are more than {most}"))
}

fn id(field: &'static str, name: &str) -> Checked {
    if name.is_empty() {
        return refused(field, "is empty".to_owned());
    }
    text(field, name, NAME)
}

/// A NUL is a legal character, but SQLite's functions and many clients end the text there.
fn text(field: &'static str, text: &str, most: usize) -> Checked {
    if text.len() > most {
        return refused(field, format!("{} bytes are more than {most}", text.len()));
    }
    if text.contains('\0') {
        return refused(field, "contains a NUL character".to_owned());
    }
    Ok(())
}

fn refused(field: &'static str, why: String) -> Checked {
    Err(Error::Invalid { field, why })
}
