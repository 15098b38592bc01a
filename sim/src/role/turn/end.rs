//! The end of a turn: what it leaves behind, in one commit.

use std::rc::Rc;

use lockstep_store::{Ask, CancelHow, Choice, Claimed, Complete, Error, Item, Op, Retry, Send};

use super::Went;
use crate::label::Label;
use crate::role::insist;
use crate::role::worker::Worker;
use crate::run::Ctx;
use crate::world::{Letter, Question, Quirk, Town, USERS, author_of, event_of, goal};

/// Ends a turn, however it went. Under the lease's own `op_id`, so that it ends once.
pub(super) fn end(
    ctx: &Ctx,
    town: &Rc<Town>,
    me: &Worker,
    claimed: &Claimed,
    went: Went,
) -> Result<(), Error> {
    let (task, fence) = (claimed.task.clone(), claimed.fence);
    let op = match went {
        Went::Well {
            token,
            epoch,
            units,
        } => {
            super::stall(ctx);
            let token = kept(town, claimed, token);
            if let Some(token) = &token {
                progress(ctx, claimed, token, epoch)?;
            }
            me.last_token.replace(token.clone());
            Op::Complete(complete(town, me, claimed, token, &units))
        }
        Went::Asks { token } => Op::Ask(ask(ctx, town, me, claimed, token)),
        Went::Wrong => Op::Fail {
            task,
            fence,
            error: "provider".to_owned(),
            retry: Retry::After { delay_ms: RETRY_MS },
        },
        Went::Hopeless => Op::Fail {
            task,
            fence,
            error: "the provider will never do it".to_owned(),
            retry: Retry::Never,
        },
        Went::Busy => Op::Snooze {
            task,
            fence,
            delay_ms: SNOOZE_MS,
        },
        Went::Unwanted => Op::Cancel {
            task,
            reason: "asked".to_owned(),
            how: CancelHow::Own { fence },
        },
        Went::Stopped => Op::GiveBack { task, fence },
        Went::Lost(error) => return Err(error),
    };
    let reached = goal_of(town, claimed, &op);
    let sends = matches!(op, Op::Complete(_) | Op::Ask(_));
    let op_id = format!("end {} {} {fence}", claimed.task, claimed.session);
    insist(ctx, Some(op_id), op)?;
    if let Some(goal) = reached {
        ctx.kernel().reached(goal);
    }
    if sends {
        town.mail.ring(ctx);
    }
    Ok(())
}

/// The token that the provider has given the turn is the one to go on with.
fn kept(town: &Town, claimed: &Claimed, token: Option<String>) -> Option<String> {
    let keeps = town.has(Quirk::KeepsFirstToken);
    let first = claimed.resume_token.clone().filter(|_| keeps);
    first.or(token)
}

fn goal_of(town: &Town, claimed: &Claimed, op: &Op) -> Option<&'static str> {
    match op {
        Op::Complete(_) if town.moved.borrow().contains(claimed.session.as_str()) => {
            Some(goal::MOVED)
        }
        Op::Ask(_) => Some(goal::ASKED),
        Op::Snooze { .. } => Some(goal::SNOOZED),
        Op::GiveBack { .. } => Some(goal::GIVEN_BACK),
        Op::Cancel { .. } => Some(goal::CANCELLED_BY_WORKER),
        Op::Fail {
            retry: Retry::Never,
            ..
        } => Some(goal::FAILED_FOR_GOOD),
        _ => None,
    }
}

/// Some workers save the pointer, or part of the history, before the turn ends.
fn progress(ctx: &Ctx, claimed: &Claimed, token: &str, epoch: i64) -> Result<(), Error> {
    let (session, fence) = (claimed.session.clone(), claimed.fence);
    let op_id = |what: &str| {
        Some(format!(
            "{what} {} {} {fence}",
            claimed.task, claimed.session
        ))
    };
    match ctx.pick(&SAVES, 4) {
        1 => {
            insist(
                ctx,
                op_id("point"),
                Op::SetResume {
                    session,
                    fence,
                    token: token.to_owned(),
                    epoch,
                },
            )?;
        }
        2 => {
            let items = vec![item("thought", claimed)];
            let append = Op::Append {
                session,
                fence,
                expected_seq: claimed.next_seq,
                items,
            };
            insist(ctx, op_id("append"), append)?;
        }
        _ => {}
    }
    Ok(())
}

fn complete(
    town: &Town,
    me: &Worker,
    claimed: &Claimed,
    token: Option<String>,
    units: &str,
) -> Complete {
    let units = match units.parse::<i64>() {
        Ok(units) if town.has(Quirk::CountsTwice) => (units * claimed.attempt).to_string(),
        _ => units.to_owned(),
    };
    Complete {
        task: claimed.task.clone(),
        fence: claimed.fence,
        outcome: format!("charged {units}"),
        items: vec![item("message", claimed)],
        sends: sends(
            town,
            me,
            claimed,
            "answer",
            format!("answer to {}", event_of(&claimed.input)),
        ),
        resume_token: token,
    }
}

fn ask(ctx: &Ctx, town: &Town, me: &Worker, claimed: &Claimed, token: String) -> Ask {
    let question = Question {
        prompt: format!("q:{}:{}", claimed.task, claimed.fence),
    };
    let choice = |button: usize| Choice {
        token: question.token(button),
        label: format!("button {button}"),
    };
    let open_ms = ctx.amount(&STAYS_OPEN, SHORTEST_OPEN_MS, LONGEST_OPEN_MS);
    Ask {
        task: claimed.task.clone(),
        fence: claimed.fence,
        prompt: question.prompt.as_str().into(),
        choices: vec![choice(1), choice(2)],
        text_ok: true,
        expires_in_ms: i64::try_from(open_ms).unwrap_or(i64::MAX),
        items: vec![item("question", claimed)],
        sends: sends(town, me, claimed, &question.prompt, question.write()),
        resume_token: Some(token),
    }
}

/// The reply goes to whom the task's input names: who wrote it.
fn sends(town: &Town, me: &Worker, claimed: &Claimed, what: &str, text: String) -> Vec<Send> {
    if town.has(Quirk::TellsNobody) && claimed.attempt > 1 {
        return Vec::new();
    }
    let mut to = author_of(event_of(&claimed.input)).unwrap_or(0);
    if town.has(Quirk::RepliesToFirstChat) {
        to = me.first_chat.get().unwrap_or(to);
        me.first_chat.set(Some(to));
    }
    vec![Send {
        dedup_key: format!("{what} {}", claimed.task),
        body: Letter { to, text }.write(),
        route: USERS[to].tenant.to_owned(),
    }]
}

fn item(kind: &str, claimed: &Claimed) -> Item {
    Item {
        kind: kind.to_owned(),
        body: claimed.input.clone(),
    }
}

const SAVES: Label = Label::fixed("saves on the way");
const STAYS_OPEN: Label = Label::fixed("question stays open");
const SHORTEST_OPEN_MS: u64 = 30_000;
const LONGEST_OPEN_MS: u64 = 300_000;
const RETRY_MS: i64 = 2_000;
const SNOOZE_MS: i64 = 3_000;
