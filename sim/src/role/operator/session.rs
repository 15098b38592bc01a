//! What an operator does to sessions and tasks, through the store.

use std::rc::Rc;

use lockstep_store::{
    CancelHow, ConvKey, Error, Filter, Op, OpId, QueueFate, Reply, Reset, Shown, TaskState,
};

use super::{Plan, What};
use crate::label::Label;
use crate::role::insist;
use crate::run::Ctx;
use crate::world::{Known, RUNTIMES, Town, USERS, goal};

/// Something with the session that the user's last message went to.
pub(super) fn act(ctx: &Ctx, town: &Rc<Town>, plan: &Plan) -> Result<(), Error> {
    let Some(known) = town.known(plan.user) else {
        return Ok(());
    };
    let reset = |queued, build: Option<&'static str>| {
        let reset = Reset {
            session: known.session.as_str().into(),
            next: format!("{}+", known.session).into(),
            build: build.map(Into::into),
            reason: "operator".to_owned(),
            queued,
            force: plan.force,
        };
        carry_out_reset(ctx, town, reset)
    };
    match plan.what {
        What::ResetAndCancel => reset(QueueFate::Cancel, None),
        What::ResetAndMove => reset(QueueFate::Move, None),
        What::ResetElsewhere => reset(QueueFate::Move, Some(other_build(town, plan.user))),
        What::Cancel => cancel(ctx, town, plan, &known),
        What::Close => close(ctx, town, plan, &known),
        What::LinkKey => link_key(ctx, plan.user),
        _ => migrate(ctx, town, &known.session, other_build(town, plan.user)),
    }
}

/// What is current in the runtime that the user's sessions do not begin in.
fn other_build(town: &Town, user: usize) -> &'static str {
    let other = 1 - town.prefers[user].get();
    RUNTIMES[other].builds[town.deployed[other].get()]
}

fn shown(ctx: &Ctx, session: &str) -> Result<Box<Shown>, Error> {
    let op = Op::Show {
        session: session.into(),
    };
    match insist(ctx, None, op)? {
        Reply::Shown(shown) => Ok(shown),
        other => unreachable!("show answers {other:?}"),
    }
}

fn migrate(ctx: &Ctx, town: &Town, session: &str, to: &str) -> Result<(), Error> {
    let shown = shown(ctx, session)?;
    if !shown.active || shown.build.as_str() == to {
        return Ok(());
    }
    let op = Op::Migrate {
        session: session.into(),
        to_build: to.into(),
        expected_version: shown.version,
        converted: None,
    };
    let op_id = format!("move {session} to {to} at {}", shown.version);
    insist(ctx, Some(op_id), op)?;
    town.moved.borrow_mut().insert(session.to_owned());
    town.ring_all(ctx);
    Ok(())
}

/// Moves every active session to another runtime, one after the other, while they are in use. Those that are held are tried
/// again in the next round.
pub(super) fn migrate_all(ctx: &Ctx, town: &Town, user: usize) -> Result<(), Error> {
    let filter = Filter {
        active: Some(true),
        ..Filter::default()
    };
    let list = Op::List {
        filter,
        after: None,
        limit: 100,
    };
    let Reply::Listed(sessions) = insist(ctx, None, list)? else {
        return Ok(());
    };
    let to = other_build(town, user);
    let mut held = Ok(());
    for session in sessions {
        match migrate(ctx, town, session.session.as_str(), to) {
            Err(error @ (Error::Leased { .. } | Error::Stale { .. })) => held = Err(error),
            _ => ctx.kernel().reached(goal::MIGRATED_IN_BULK),
        }
    }
    held
}

fn carry_out_reset(ctx: &Ctx, town: &Town, reset: Reset) -> Result<(), Error> {
    let op_id = format!("reset {}", reset.session);
    if let Reply::Reset(was) = insist(ctx, Some(op_id), Op::Reset(reset))?
        && !(was.cancelled.is_empty() && was.moved.is_empty())
    {
        ctx.kernel().reached(goal::RESET_WITH_OPEN_TASK);
        town.ring_all(ctx);
    }
    Ok(())
}

/// Cancels the user's last task; mostly one that somebody is at work on.
fn cancel(ctx: &Ctx, town: &Rc<Town>, plan: &Plan, known: &Known) -> Result<(), Error> {
    let (seen, patience) = (Rc::clone(town), ctx.now_ms() + PATIENCE_MS);
    ctx.wait(&AT_WORK, Some(patience), move || seen.anybody_is_busy());
    let how = if plan.force {
        CancelHow::Force
    } else {
        CancelHow::Ask
    };
    let op = Op::Cancel {
        task: known.task.as_str().into(),
        reason: "operator".to_owned(),
        how,
    };
    insist(ctx, Some(format!("cancel {}", known.task)), op)?;
    ctx.kernel().reached(goal::CANCELLED);
    Ok(())
}

/// Closes the user's session; some while a message of it waits to be sent.
fn close(ctx: &Ctx, town: &Rc<Town>, plan: &Plan, known: &Known) -> Result<(), Error> {
    if ctx.pick(&MAIL, 2) == 1 {
        town.wait_for_mail(ctx, &MAIL);
    }
    let op = Op::Close {
        session: known.session.as_str().into(),
        reason: "operator".to_owned(),
        force: plan.force,
    };
    insist(ctx, Some(format!("close {}", known.session)), op)?;
    ctx.kernel().reached(goal::CLOSED);
    Ok(())
}

/// Does once more what failed, each task once. Somebody has to complain first.
pub(super) fn hear_complaints(ctx: &Ctx, town: &Rc<Town>) {
    let (asked, kernel) = (Rc::clone(town), ctx.shared_kernel());
    ctx.wait(&COMPLAINT, None, move || asked.failed(&kernel).is_some());
    if let Some(session) = town.failed(ctx.kernel()) {
        // A session that was pruned meanwhile has nothing left to be done again.
        town.at_desk.set(true);
        let _ = retry_the_failed(ctx, town, &session);
        town.at_desk.set(false);
    }
}

fn retry_the_failed(ctx: &Ctx, town: &Town, session: &str) -> Result<(), Error> {
    for task in shown(ctx, session)?.tasks {
        if !matches!(task.state, TaskState::Failed | TaskState::Dead) {
            continue;
        }
        let op = Op::Retry {
            task: task.task.clone(),
            again: format!("{}'", task.task).into(),
        };
        let op_id: OpId = format!("retry {}", task.task).into();
        if insist(ctx, Some(op_id.to_string()), op).is_ok() {
            ctx.kernel().reached(goal::RETRIED_BY_HAND);
            town.ring_all(ctx);
        }
    }
    Ok(())
}

/// The platform has given the chat a second id.
fn link_key(ctx: &Ctx, user: usize) -> Result<(), Error> {
    let person = &USERS[user];
    let op = Op::LinkKey {
        key: person.key(),
        alias: ConvKey::chat(person.tenant, "telegram", "bot", "-100-7"),
    };
    insist(ctx, Some(format!("link {}", person.name)), op)?;
    ctx.kernel().reached(goal::KEY_LINKED);
    Ok(())
}

const COMPLAINT: Label = Label::fixed("until somebody complains");
const AT_WORK: Label = Label::fixed("until somebody is at work");
const MAIL: Label = Label::fixed("until there is something to send");
const PATIENCE_MS: u64 = 120_000;
