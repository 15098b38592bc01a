//! The operator: in some runs resets a session, moves it to the other runtime, or cancels a task.

use std::rc::Rc;

use lockstep_store::{CancelHow, Error, Op, QueueFate, Reply, Reset};

use super::insist;
use crate::label::Label;
use crate::run::Ctx;
use crate::world::{BUILDS, Known, Notebook, Town, USERS, goal};

/// Does what the notebook says. When the tool crashes the operator starts it again, and its `op_id`s are the same.
pub(crate) fn start(ctx: &Ctx, town: &Rc<Town>) {
    let plan = town.notebook.get().unwrap_or_else(|| draw(ctx));
    town.notebook.set(Some(plan));
    if plan.plan == 0 {
        return;
    }
    let (asked, patience) = (Rc::clone(town), ctx.now_ms() + PATIENCE_MS);
    ctx.wait(&FIRST, Some(patience), move || {
        asked.known(plan.user).is_some()
    });
    ctx.sleep_until(&MOMENT, plan.at_ms.max(ctx.now_ms()));
    let Some(known) = town.known(plan.user) else {
        return;
    };
    for _ in 0..ATTEMPTS {
        match act(ctx, town, &plan, &known) {
            Err(Error::Leased { .. } | Error::Stale { .. }) => ctx.sleep(&AGAIN, REST_MS),
            _ => return,
        }
    }
}

fn draw(ctx: &Ctx) -> Notebook {
    let plan = ctx.pick(&PLAN, 6);
    if plan == 0 {
        return Notebook {
            plan,
            user: 0,
            force: false,
            at_ms: 0,
        };
    }
    Notebook {
        plan,
        user: usize::from(ctx.pick(&WHOSE, USERS.len() as u64) == 1),
        force: ctx.pick(&FORCE, 2) == 1,
        at_ms: ctx.amount(&MOMENT, 0, LATEST_MS),
    }
}

fn act(ctx: &Ctx, town: &Town, plan: &Notebook, known: &Known) -> Result<(), Error> {
    let other = other_build(town, plan.user);
    match plan.plan {
        1 => migrate(ctx, town, known, other),
        2 => reset(ctx, town, plan, known, QueueFate::Cancel, None),
        3 => reset(ctx, town, plan, known, QueueFate::Move, None),
        4 => reset(ctx, town, plan, known, QueueFate::Move, Some(other)),
        _ => cancel(ctx, plan, known),
    }
}

fn other_build(town: &Town, user: usize) -> &'static str {
    let [_, build, _] = BUILDS[1 - town.prefers[user].get()];
    build
}

fn migrate(ctx: &Ctx, town: &Town, known: &Known, to: &str) -> Result<(), Error> {
    let session = known.session.as_str();
    let Reply::Shown(shown) = insist(
        ctx,
        None,
        Op::Show {
            session: session.into(),
        },
    )?
    else {
        return Ok(());
    };
    if !shown.active || shown.build.as_str() == to {
        return Ok(());
    }
    let op = Op::Migrate {
        session: session.into(),
        to_build: to.into(),
        expected_version: shown.version,
        converted: None,
    };
    insist(
        ctx,
        Some(format!("move {session} at {}", shown.version)),
        op,
    )?;
    town.moved.borrow_mut().insert(session.to_owned());
    town.ring_all();
    Ok(())
}

fn reset(
    ctx: &Ctx,
    town: &Town,
    plan: &Notebook,
    known: &Known,
    queued: QueueFate,
    build: Option<&str>,
) -> Result<(), Error> {
    let session = known.session.as_str();
    let reset = Reset {
        session: session.into(),
        next: format!("{session}+").into(),
        build: build.map(Into::into),
        reason: "operator".to_owned(),
        queued,
        force: plan.force,
    };
    if let Reply::Reset(was) = insist(ctx, Some(format!("reset {session}")), Op::Reset(reset))?
        && !(was.cancelled.is_empty() && was.moved.is_empty())
    {
        ctx.kernel().reached(goal::RESET_WITH_OPEN_TASK);
        town.ring_all();
    }
    Ok(())
}

fn cancel(ctx: &Ctx, plan: &Notebook, known: &Known) -> Result<(), Error> {
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
    insist(ctx, Some(format!("cancel {}", known.task)), op).map(|_| ())
}

const PLAN: Label = Label::fixed("operator's plan");
const WHOSE: Label = Label::fixed("whose session");
const FORCE: Label = Label::fixed("by force");
const FIRST: Label = Label::fixed("until there is a session");
const MOMENT: Label = Label::fixed("operator's moment");
const AGAIN: Label = Label::fixed("until it is free");
const LATEST_MS: u64 = 60_000;
const PATIENCE_MS: u64 = 300_000;
const REST_MS: u64 = 5_000;
const ATTEMPTS: u32 = 20;
